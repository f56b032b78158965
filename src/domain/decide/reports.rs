//! Who may read which report: a table of its own beside that of the operations, since a report changes nothing.

use jiff::Timestamp;

use crate::domain::report::Kind;
use crate::domain::{Actor, Refusal, Role, WardId};

/// Of which wards a role may read a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Of their own; of another while they have emergency access to it.
    Own,
    /// Of every ward.
    Every,
}

/// Who reads reports of one sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// Which reports.
    pub kinds: &'static [Kind],
    /// Who, and of which wards.
    pub roles: &'static [(Role, Reach)],
    /// Those roles in a sentence.
    pub who: &'static str,
}

/// The table. Whoever treats patients sees what became of their doses, in their own wards; what names people's mistakes
/// is for those who answer for the ward and, where it is about drugs, the pharmacist; stock is the pharmacist's everywhere.
pub const READERS: &[Reader] = &[
    Reader {
        kinds: &[
            Kind::Due,
            Kind::Missed,
            Kind::Late,
            Kind::NotGiven,
            Kind::Effects,
        ],
        roles: &[
            (Role::Nurse, Reach::Own),
            (Role::Pharmacist, Reach::Own),
            (Role::Doctor, Reach::Own),
            (Role::Supervisor, Reach::Every),
            (Role::Admin, Reach::Every),
        ],
        who: "nurse, pharmacist, doctor, supervisor or admin",
    },
    Reader {
        kinds: &[Kind::WrongPatient],
        roles: &[
            (Role::Supervisor, Reach::Every),
            (Role::Admin, Reach::Every),
        ],
        who: "supervisor or admin",
    },
    Reader {
        kinds: &[Kind::Overrides],
        roles: &[
            (Role::Pharmacist, Reach::Own),
            (Role::Supervisor, Reach::Every),
            (Role::Admin, Reach::Every),
        ],
        who: "pharmacist, supervisor or admin",
    },
    Reader {
        kinds: &[Kind::Discrepancies, Kind::Use, Kind::StockOuts],
        roles: &[
            (Role::Nurse, Reach::Own),
            (Role::Pharmacist, Reach::Every),
            (Role::Supervisor, Reach::Every),
            (Role::Admin, Reach::Every),
        ],
        who: "nurse, pharmacist, supervisor or admin",
    },
];

fn reader(kind: Kind) -> Option<&'static Reader> {
    READERS.iter().find(|reader| reader.kinds.contains(&kind))
}

/// Of which wards a role reads this report; `None`: of none.
pub fn reach(role: Role, kind: Kind) -> Option<Reach> {
    let found = reader(kind)?.roles.iter().find(|(of, _)| *of == role);
    found.map(|(_, reach)| *reach)
}

/// Whether the person may read the report of a ward at that moment.
pub fn reads(actor: &Actor, kind: Kind, ward: WardId, now: Timestamp) -> bool {
    match reach(actor.role, kind) {
        _ if actor.disabled => false,
        Some(Reach::Every) => true,
        Some(Reach::Own) => actor.acts_in(ward, now),
        None => false,
    }
}

/// Whether the person may read the report at all, and of this ward where one is named.
///
/// # Errors
/// [`Refusal::InsufficientPermissions`], in words.
pub fn may_read(
    actor: &Actor,
    kind: Kind,
    ward: Option<(WardId, &str)>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let action = format!("read the report '{kind}'");
    let refused = |action: String, why: &str| {
        Err(Refusal::InsufficientPermissions {
            who: actor.name.clone(),
            action,
            why: why.to_owned(),
        })
    };
    if actor.disabled {
        return refused(action, "the account is disabled");
    }
    if reach(actor.role, kind).is_none() {
        let who = reader(kind).map_or("supervisor", |reader| reader.who);
        return Err(Refusal::needs_role(&actor.name, actor.role, &action, who));
    }
    match ward {
        Some((ward, name)) if !reads(actor, kind, ward, now) => refused(
            format!("{action} of {name}"),
            "it is not one of their wards",
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_has_readers_and_stands_once() {
        for kind in Kind::ALL {
            let found = READERS.iter().filter(|reader| reader.kinds.contains(kind));
            assert_eq!(found.count(), 1, "{kind}");
            assert_eq!(reach(Role::Supervisor, *kind), Some(Reach::Every));
        }
    }

    #[test]
    fn the_readme_says_who_reads_which() {
        let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        let mut table = format!(
            "| report | {} |\n|{}\n",
            roles.join(" | "),
            "---|".repeat(6)
        );
        for reader in READERS {
            let kinds: Vec<String> = reader.kinds.iter().map(|k| format!("`{k}`")).collect();
            table += &format!("| {} |", kinds.join(", "));
            for role in Role::ALL {
                table += match reader.roles.iter().find(|(of, _)| of == role) {
                    Some((_, Reach::Own)) => " own wards |",
                    Some((_, Reach::Every)) => " every ward |",
                    None => " |",
                };
            }
            table.push('\n');
        }
        let readme = include_str!("../../../README.md");
        assert!(readme.contains(&table), "the README must say:\n{table}");
    }
}
