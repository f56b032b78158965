//! Emergency access: acting for a while in a ward that is not one's own.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Effects, Loaded, Moment, permission};
use crate::domain::policy::Policy;
use crate::domain::reason::{Reason, ReasonKind};
use crate::domain::{Access, Actor, Receipt, Refusal, Role, UserId, WardId};

/// An emergency access, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyAccess {
    /// Key.
    pub id: Uuid,
    /// Who acts.
    pub user: UserId,
    /// Where.
    pub ward: WardId,
    /// Why.
    pub reason: Reason,
    /// From when on (UTC).
    pub started: Timestamp,
    /// Until when (UTC).
    pub until: Timestamp,
}

impl EmergencyAccess {
    /// As who has it knows it.
    pub fn access(&self) -> Access {
        let (id, until) = (self.id, self.until);
        Access { id, until }
    }
}

/// An emergency access that ends before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyEnd {
    /// Which.
    pub id: Uuid,
    /// Where.
    pub ward: WardId,
    /// When it would have ended (UTC).
    pub was_until: Timestamp,
    /// When it ends (UTC).
    pub at: Timestamp,
    /// Who ends it.
    pub by: UserId,
}

fn invalid(field: &str, why: String) -> Refusal {
    Refusal::InvalidData {
        field: field.to_owned(),
        why,
    }
}

/// Lets somebody act in another ward until the policy's time is over. `actor` acts in their own wards and in those to
/// which they have access already.
pub(super) fn begin(
    state: &mut Loaded,
    actor: &Actor,
    ward: WardId,
    reason: &Reason,
    policy: &Policy,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    permission::role(actor, "emergency")?;
    let name = state
        .wards
        .get(&ward)
        .ok_or_else(|| invalid("ward", format!("there is no ward {ward}")))?;
    let lasting = actor.emergencies.get(&ward);
    if lasting.is_some_and(|access| access.until > moment.now) {
        let why = format!("{} has emergency access to {name} already", actor.name);
        return Err(invalid("ward", why));
    }
    if actor.wards.allow(ward) {
        let why = format!(
            "{name} is one of {}'s own: no emergency access is needed",
            actor.name
        );
        return Err(invalid("ward", why));
    }
    let reason = policy.reasons.check(ReasonKind::Emergency, reason)?;
    let lasts = SignedDuration::from_mins(i64::from(policy.emergency_minutes));
    let access = EmergencyAccess {
        id: moment.key(),
        user: actor.id,
        ward,
        reason,
        started: moment.now,
        until: moment.now.checked_add(lasts).unwrap_or(Timestamp::MAX),
    };
    if let Some(actor) = state.actors.get_mut(&actor.id) {
        actor.emergencies.insert(ward, access.access());
    }
    let receipt = Receipt::EmergencyBegun {
        access: access.id,
        ward,
        until: access.until,
    };
    let effects = Effects {
        emergencies: vec![access],
        ..Effects::default()
    };
    Ok((receipt, effects))
}

/// Ends an emergency access: one's own, or as a supervisor anybody's.
pub(super) fn end(
    state: &mut Loaded,
    actor: &Actor,
    id: Uuid,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let need = permission::role(actor, "end_emergency")?;
    let access = state
        .emergencies
        .get_mut(&id)
        .ok_or_else(|| invalid("access", format!("there is no emergency access {id}")))?;
    if access.user != actor.id && actor.role != Role::Supervisor {
        return Err(Refusal::InsufficientPermissions {
            who: actor.name.clone(),
            action: need.action.to_owned(),
            why: "it is somebody else's, and only a supervisor ends those".to_owned(),
        });
    }
    if access.until <= moment.now {
        return Err(invalid("access", "it has ended already".to_owned()));
    }
    let end = EmergencyEnd {
        id,
        ward: access.ward,
        was_until: access.until,
        at: moment.now,
        by: actor.id,
    };
    access.until = moment.now;
    let (user, ward) = (access.user, access.ward);
    if let Some(actor) = state.actors.get_mut(&user) {
        actor.emergencies.remove(&ward);
    }
    let receipt = Receipt::EmergencyEnded {
        access: id,
        ward,
        at: moment.now,
    };
    let effects = Effects {
        emergency_ends: vec![end],
        ..Effects::default()
    };
    Ok((receipt, effects))
}
