//! Who may do what: the role matrix, in one table.

use crate::domain::{Actor, Operation, Refusal, Role, UserId, WardId};

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
];

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

/// The person who asks, if their account may do anything.
pub(super) fn known(state: &Loaded, id: UserId) -> Result<Actor, Refusal> {
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
    Ok(actor.clone())
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
    if !WITNESS.roles.contains(&actor.role) {
        let why = format!("that is for a {}", WITNESS.who);
        return Err(invalid(&why));
    }
    if !actor.wards.allow(ward) {
        return Err(invalid(&format!("{ward_name} is not one of their wards")));
    }
    Ok(Some(id))
}
