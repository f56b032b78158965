//! Who may do what: the role matrix, in one table.

use jiff::Timestamp;

use crate::domain::{Actor, Operation, Refusal, Role, UserId, WardId, Wards};

use super::Loaded;

/// What an operation asks of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The operation, as [`crate::domain::Request::kind`] names it.
    pub kind: &'static str,
    /// As a verb in a sentence.
    pub action: &'static str,
    /// The roles that may.
    pub roles: &'static [Role],
    /// Those roles in a sentence.
    pub who: &'static str,
}

/// The role matrix. A person needs one of the roles, and the ward among their own.
pub const MATRIX: &[Need] = &[
    Need {
        kind: "fulfil",
        action: "give a dose",
        roles: &[Role::Nurse],
        who: "nurse",
    },
    Need {
        kind: "not_given",
        action: "record that a dose was not given",
        roles: &[Role::Nurse],
        who: "nurse",
    },
    Need {
        kind: "correct",
        action: "correct an entry",
        roles: &[Role::Nurse, Role::Supervisor],
        who: "nurse or supervisor",
    },
    Need {
        kind: "effect",
        action: "record whether a dose helped",
        roles: &[Role::Nurse],
        who: "nurse",
    },
    Need {
        kind: "discontinue",
        action: "discontinue an order",
        roles: &[Role::Doctor],
        who: "doctor",
    },
    Need {
        kind: "receive",
        action: "receive stock",
        roles: &[Role::Pharmacist],
        who: "pharmacist",
    },
    Need {
        kind: "prescribe",
        action: "prescribe",
        roles: &[Role::Doctor],
        who: "doctor",
    },
    Need {
        kind: "discontinue_prescription",
        action: "discontinue a prescription",
        roles: &[Role::Doctor],
        who: "doctor",
    },
    Need {
        kind: "admit",
        action: "admit a patient",
        roles: &[Role::Nurse, Role::Doctor],
        who: "nurse or doctor",
    },
    Need {
        kind: "move",
        action: "move a patient",
        roles: &[Role::Nurse, Role::Doctor],
        who: "nurse or doctor",
    },
    Need {
        kind: "discharge",
        action: "discharge a patient",
        roles: &[Role::Doctor],
        who: "doctor",
    },
    Need {
        kind: "allergies",
        action: "record allergies",
        roles: &[Role::Nurse, Role::Doctor, Role::Pharmacist],
        who: "nurse, doctor or pharmacist",
    },
    Need {
        kind: "send",
        action: "send stock",
        roles: &[Role::Pharmacist],
        who: "pharmacist",
    },
    Need {
        kind: "receive_transfer",
        action: "receive a transfer",
        roles: &[Role::Nurse, Role::Pharmacist],
        who: "nurse or pharmacist",
    },
    Need {
        kind: "resolve_transfer",
        action: "answer for what is missing of a transfer",
        roles: &[Role::Pharmacist, Role::Supervisor],
        who: "pharmacist or supervisor",
    },
    Need {
        kind: "bind_code",
        action: "bind a package's code to a drug",
        roles: &[Role::Pharmacist],
        who: "pharmacist",
    },
    Need {
        kind: "release_code",
        action: "release a package's code",
        roles: &[Role::Pharmacist],
        who: "pharmacist",
    },
    Need {
        kind: "return",
        action: "return stock",
        roles: &[Role::Nurse, Role::Pharmacist],
        who: "nurse or pharmacist",
    },
    Need {
        kind: "waste",
        action: "waste stock",
        roles: &[Role::Nurse, Role::Pharmacist],
        who: "nurse or pharmacist",
    },
    Need {
        kind: "adjust",
        action: "adjust stock",
        roles: &[Role::Pharmacist, Role::Supervisor],
        who: "pharmacist or supervisor",
    },
    Need {
        kind: "count",
        action: "count stock",
        roles: &[Role::Nurse, Role::Pharmacist, Role::Supervisor],
        who: "nurse, pharmacist or supervisor",
    },
    Need {
        kind: "explain",
        action: "explain a difference",
        roles: &[Role::Nurse, Role::Pharmacist, Role::Supervisor],
        who: "nurse, pharmacist or supervisor",
    },
    Need {
        kind: "resolve_count",
        action: "answer for a difference of a count",
        roles: &[Role::Supervisor],
        who: "supervisor",
    },
    Need {
        kind: "recall",
        action: "recall a lot",
        roles: &[Role::Pharmacist],
        who: "pharmacist",
    },
    Need {
        kind: "levels",
        action: "set what a ward should hold",
        roles: &[Role::Pharmacist],
        who: "pharmacist",
    },
    Need {
        kind: "emergency",
        action: "get emergency access to a ward",
        roles: EVERYBODY_AT_WORK,
        who: "nurse, pharmacist, doctor or supervisor",
    },
    Need {
        kind: "end_emergency",
        action: "end an emergency access",
        roles: EVERYBODY_AT_WORK,
        who: "nurse, pharmacist, doctor or supervisor",
    },
];

/// Everybody but those who keep the accounts.
const EVERYBODY_AT_WORK: &[Role] = &[
    Role::Nurse,
    Role::Pharmacist,
    Role::Doctor,
    Role::Supervisor,
];

/// Where the matrix lets somebody do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In their own wards; in another while they have emergency access to it.
    Own,
    /// In wards that are not theirs.
    Other,
    /// In every ward at once.
    Every,
    /// What is theirs, wherever it is; of others' only as a supervisor.
    Theirs,
}

/// Where a kind of operation may be done: in one's own wards, but for what this says otherwise.
pub fn place(kind: &str) -> Place {
    match kind {
        "recall" | "bind_code" | "release_code" => Place::Every,
        "emergency" => Place::Other,
        "end_emergency" => Place::Theirs,
        _ => Place::Own,
    }
}

/// Who may be the witness of an operation. It is no operation of its own: the witness signs another person's.
pub const WITNESS: Need = Need {
    kind: "witness",
    action: "witness",
    roles: &[
        Role::Nurse,
        Role::Pharmacist,
        Role::Doctor,
        Role::Supervisor,
    ],
    who: "nurse, pharmacist, doctor or supervisor",
};

/// The row of the matrix for a kind of operation.
pub fn needs(kind: &str) -> Option<&'static Need> {
    MATRIX.iter().find(|need| need.kind == kind)
}

/// Whether the matrix lets a role do this kind of operation at all; screens use it to leave out what would be refused.
pub fn may(role: Role, kind: &str) -> bool {
    needs(kind).is_some_and(|need| need.roles.contains(&role))
}

/// The person who asks, if their account may do anything; with the wards where they may act at that moment.
pub(super) fn known(state: &Loaded, id: UserId, now: Timestamp) -> Result<Actor, Refusal> {
    let actor = state
        .actors
        .get(&id)
        .ok_or_else(|| Refusal::InsufficientPermissions {
            who: format!("Account {id}"),
            action: "do this".to_owned(),
            why: "there is no such account".to_owned(),
        })?;
    if actor.disabled {
        return Err(Refusal::InsufficientPermissions {
            who: actor.name.clone(),
            action: "do this".to_owned(),
            why: "the account is disabled".to_owned(),
        });
    }
    if actor.read_only {
        return Err(Refusal::InsufficientPermissions {
            who: actor.name.clone(),
            action: "do this".to_owned(),
            why: "the account may look at everything and change nothing".to_owned(),
        });
    }
    let mut actor = actor.clone();
    if let Wards::Only(wards) = &mut actor.wards {
        let lasting = actor
            .emergencies
            .iter()
            .filter(|(_, access)| access.until > now);
        wards.extend(lasting.map(|(ward, _)| *ward));
    }
    Ok(actor)
}

/// Whether the person has the role.
pub(super) fn role(actor: &Actor, kind: &str) -> Result<&'static Need, Refusal> {
    let need = needs(kind).ok_or_else(|| Refusal::InvalidData {
        field: "operation".to_owned(),
        why: format!("there is no operation '{kind}'"),
    })?;
    if need.roles.contains(&actor.role) {
        Ok(need)
    } else {
        Err(Refusal::needs_role(
            &actor.name,
            actor.role,
            need.action,
            need.who,
        ))
    }
}

/// The same, where the hospital lets somebody do it whom the matrix does not name.
pub(super) fn role_or(actor: &Actor, kind: &str, also: bool) -> Result<&'static Need, Refusal> {
    match needs(kind) {
        Some(need) if also => Ok(need),
        _ => role(actor, kind),
    }
}

/// Whether the ward is among the person's own.
pub(super) fn ward(
    actor: &Actor,
    need: &Need,
    ward: WardId,
    ward_name: &str,
) -> Result<(), Refusal> {
    #[cfg(test)]
    if super::planted::planted(super::planted::Fault::AnyWard) {
        return Ok(());
    }
    if actor.wards.allow(ward) {
        return Ok(());
    }
    Err(Refusal::InsufficientPermissions {
        who: actor.name.clone(),
        action: format!("{} in {ward_name}", need.action),
        why: "it is not one of their wards".to_owned(),
    })
}

/// The witness of an operation. `needed` begins the sentence that says what cannot be done without one, where that is
/// so; whoever is named although nobody has to be is kept too, and must be one that would do: another person than the
/// one who asks, who may witness, in that ward.
pub(super) fn witness(
    state: &Loaded,
    op: &Operation,
    needed: Option<&str>,
    ward: WardId,
    ward_name: &str,
) -> Result<Option<UserId>, Refusal> {
    #[cfg(test)]
    if super::planted::planted(super::planted::Fault::NoWitness) {
        return Ok(None);
    }
    let Some(id) = op.witness else {
        let what = needed.map(str::to_owned);
        return what.map_or(Ok(None), |what| Err(Refusal::WitnessRequired { what }));
    };
    let found = state.actors.get(&id);
    let invalid = |why: &str| Refusal::WitnessNotValid {
        who: found.map_or_else(|| format!("Account {id}"), |actor| actor.name.clone()),
        why: why.to_owned(),
    };
    let Some(actor) = found else {
        return Err(invalid("there is no such account"));
    };
    if id == op.actor {
        return Err(invalid("it must be a second person"));
    }
    if actor.disabled {
        return Err(invalid("the account is disabled"));
    }
    if actor.read_only {
        return Err(invalid(
            "the account may look at everything and change nothing",
        ));
    }
    if !WITNESS.roles.contains(&actor.role) {
        let why = format!("that is for a {}", WITNESS.who);
        return Err(invalid(&why));
    }
    if !actor.wards.allow(ward) {
        return Err(invalid(&format!("{ward_name} is not one of their wards")));
    }
    Ok(Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Request;

    /// Every kind of request there is, as their reader names them when it is given one that is not.
    fn variants() -> usize {
        let told = serde_json::from_str::<Request>(r#"{"kind": ""}"#).unwrap_err();
        let told = told.to_string();
        let names = told.split_once("expected").unwrap().1;
        names.matches('`').count() / 2
    }

    #[test]
    fn every_kind_of_operation_has_a_row_and_every_row_is_one() {
        let mut kinds: Vec<&str> = MATRIX.iter().map(|need| need.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), MATRIX.len(), "a row stands twice");
        assert_eq!(
            kinds.len(),
            variants(),
            "a request without a row: {kinds:?}"
        );
    }

    /// The matrix as the README has it.
    fn table() -> String {
        let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        let line = |what: &str, cells: Vec<&str>| {
            let cells = cells.iter().map(|cell| {
                if cell.is_empty() {
                    " |".to_owned()
                } else {
                    format!(" {cell} |")
                }
            });
            format!("| {what} |{}\n", cells.collect::<String>())
        };
        let mut table = format!("| | {} |\n|{}\n", roles.join(" | "), "---|".repeat(6));
        table += &line("look at any ward", vec!["yes"; roles.len()]);
        for need in MATRIX.iter().chain([&WITNESS]) {
            let cell = |role: &Role| match place(need.kind) {
                _ if !need.roles.contains(role) => "",
                Place::Own => "own wards",
                Place::Every => "every ward",
                Place::Other => "other wards",
                Place::Theirs if *role == Role::Supervisor => "anybody's",
                Place::Theirs => "their own",
            };
            table += &line(need.action, Role::ALL.iter().map(cell).collect());
        }
        table
    }

    #[test]
    fn the_readme_has_the_matrix() {
        let readme = include_str!("../../../README.md");
        let table = table();
        assert!(readme.contains(&table), "the README must say:\n{table}");
    }
}
