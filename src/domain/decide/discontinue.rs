//! Stopping a dose before it is given.

use super::{Effects, EndedPrescription, Loaded, Moment, close, order_for};
use crate::domain::reason::{LONGEST_TEXT, Reason, text_fault};
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{Actor, OrderId, OrderKind, OrderStatus, Receipt, Refusal};

/// Longest reason that is kept, in characters: fits the order's line in every report.
pub const LONGEST_REASON: usize = LONGEST_TEXT;

pub(super) fn discontinue(
    state: &mut Loaded,
    actor: &Actor,
    id: OrderId,
    version: i64,
    reason: &str,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let order = order_for(state, actor, "discontinue", id, version)?;
    let invalid = |why: String| Refusal::InvalidData {
        field: "reason".to_owned(),
        why,
    };
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(invalid("a reason is needed".to_owned()));
    }
    if let Some(why) = text_fault(reason) {
        return Err(invalid(why));
    }

    let closing = close(
        state,
        id,
        OrderStatus::Discontinued,
        actor,
        reason,
        moment.now,
    );
    // The one open order of an as-needed or unscheduled prescription is the prescription.
    let ended: Vec<EndedPrescription> = (order.kind != OrderKind::Timed)
        .then(|| EndedPrescription {
            id: order.prescription,
            by: actor.id,
            at: moment.now,
            reason: Reason {
                code: String::new(),
                text: reason.to_owned(),
            },
        })
        .into_iter()
        .collect();
    for end in &ended {
        if let Some(prescription) = state.prescriptions.get_mut(&end.id) {
            prescription.status = PrescriptionStatus::Discontinued;
            prescription.version += 1;
            prescription.ended_by = Some(actor.name.clone());
            prescription.ended_at = Some(end.at);
            prescription.end.clone_from(&end.reason);
        }
    }
    let effects = Effects {
        closed: closing.into_iter().collect(),
        ended,
        ..Effects::default()
    };
    Ok((
        Receipt::Discontinued {
            order: id,
            at: moment.now,
        },
        effects,
    ))
}
