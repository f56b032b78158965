//! Recording whether an as-needed dose helped.

use super::{Effects, Loaded, Moment, NotedEffect, permission};
use crate::domain::{Actor, Helped, Operation, Policy, ReasonKind, Receipt, Refusal};

pub(super) fn effect(
    state: &mut Loaded,
    op: &Operation,
    actor: &Actor,
    ask: &Helped,
    policy: &Policy,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let need = permission::role(actor, "effect")?;
    let missing = || Refusal::AdministrationNotFound {
        administration: ask.administration,
    };
    let entry = state.administrations.get_mut(&ask.administration);
    let entry = entry.ok_or_else(missing)?;
    permission::ward(actor, need, entry.ward, &entry.ward_name)?;
    let closed = |why: String| Refusal::EntryClosed { why };
    match &entry.effect {
        None => {
            return Err(closed(
                "only of an as-needed dose is it asked whether it helped".to_owned(),
            ));
        }
        Some(Some(by)) => {
            return Err(closed(format!("{by} has recorded the effect already")));
        }
        Some(None) if entry.reversed => return Err(closed("it was taken back".to_owned())),
        Some(None) => {}
    }
    let effect = policy.reasons.check(ReasonKind::Effect, &ask.effect)?;
    entry.effect = Some(Some(actor.name.clone()));
    let noted = NotedEffect {
        administration: ask.administration,
        ward: entry.ward,
        effect,
        by: actor.id,
        at: moment.now,
        op: op.id,
    };
    let receipt = Receipt::EffectNoted {
        administration: ask.administration,
        at: moment.now,
    };
    let effects = Effects {
        noted: vec![noted],
        ..Effects::default()
    };
    Ok((receipt, effects))
}
