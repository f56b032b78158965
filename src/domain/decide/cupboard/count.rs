//! Counting: blind, a second time where it differs, explained where it differs twice.
//!
//! A count is about a row of the register: the last one when the counting began. Where rows were added since, nobody can
//! say whether what they booked was still in the cupboard when it was counted, so such a count is refused, and done
//! again. Between a count and its repetition doses may be given: each is compared with the register as it stood for it.
//! What is booked at the end is the difference, not the number, so that doses given since stay booked.

use super::super::permission;
use super::remove::missing;
use super::transfer::{Move, find_difference, move_stock, not_settled, note_difference, settle};
use super::{
    Ask, Count, Decided, Explanation, NewDiscrepancy, Of, Place, Settlement, as_kept, invalid,
};
use crate::domain::cupboard::{CountStatus, DiscrepancyStatus, Resolution, Verdict};
use crate::domain::decide::{Effects, Loaded};
use crate::domain::quantity::LARGEST;
use crate::domain::reason::{Reason, ReasonKind};
use crate::domain::{
    CountId, DiscrepancyId, DrugId, LedgerReason, Quantity, Receipt, Refusal, WardId,
};

/// Compares what was counted with the register as it stood when the counting began. Where a count of the drug waits to
/// be repeated, this is its repetition.
pub(super) fn count(
    state: &mut Loaded,
    ask: &Ask<'_>,
    (ward, drug): (WardId, DrugId),
    seq: i64,
    counted: Quantity,
) -> Decided {
    let need = permission::role(ask.actor, "count")?;
    let place = Place::of(state, ask.actor, need, ward, drug)?;
    if counted < Quantity::ZERO || counted > LARGEST {
        return Err(Refusal::InvalidStockQuantity {
            quantity: counted,
            why: format!("a count is nothing or more, up to {LARGEST}"),
        });
    }
    let stock = place.stock(state)?;
    let (expected, last) = (stock.current, stock.seq);
    let witness = place.witness(state, ask.op, "Counting")?;
    if let Some((at, by)) = state.cupboard.unexplained.get(&place.page()) {
        return Err(Refusal::AlreadyDone {
            what: format!(
                "A difference of {} has to be explained first: found",
                place.name.title
            ),
            by: by.clone(),
            at: *at,
        });
    }
    #[cfg(test)]
    let seq = if crate::domain::decide::planted::planted(
        crate::domain::decide::planted::Fault::CountStale,
    ) {
        last
    } else {
        seq
    };
    if last != seq {
        return Err(Refusal::CountStale {
            drug: place.name.title,
            bookings: last - seq,
        });
    }

    let waiting = state.cupboard.recounts.remove(&place.page());
    let id = CountId(ask.moment.key());
    let mut effects = Effects::default();
    let (status, verdict) = match (counted == expected, waiting) {
        (true, _) => (CountStatus::Agrees, Verdict::Agrees),
        (false, None) => {
            state.cupboard.recounts.insert(place.page(), id);
            (CountStatus::Recount, Verdict::Recount)
        }
        (false, Some(_)) => {
            let discrepancy = DiscrepancyId(ask.moment.key());
            let new = NewDiscrepancy {
                id: discrepancy,
                ward,
                drug,
                quantity: counted - expected,
                of: Of::Count(id),
                status: DiscrepancyStatus::Unexplained,
                by: ask.actor.id,
                at: ask.moment.now,
            };
            note_difference(state, &new);
            let found = (ask.moment.now, ask.actor.name.clone());
            state.cupboard.unexplained.insert(place.page(), found);
            effects.cupboard.opened.push(new);
            let difference = counted - expected;
            (
                CountStatus::Differs,
                Verdict::Differs {
                    difference,
                    discrepancy,
                },
            )
        }
    };
    effects.cupboard.recounted.extend(waiting);
    effects.cupboard.wards.push(ward);
    effects.cupboard.counts.push(Count {
        id,
        ward,
        drug,
        seq,
        counted,
        expected,
        status,
        recounts: waiting,
        by: ask.actor.id,
        witness,
        at: ask.moment.now,
        op: ask.op.id,
    });
    let receipt = Receipt::Counted {
        count: id,
        ward,
        drug,
        verdict,
        at: ask.moment.now,
    };
    Ok((receipt, effects))
}

/// Gives the reason of a difference, and books it. Of a controlled drug, and of any where the hospital wants it so, it
/// stays open for a supervisor.
pub(super) fn explain(
    state: &mut Loaded,
    ask: &Ask<'_>,
    id: DiscrepancyId,
    reason: &Reason,
) -> Decided {
    let need = permission::role(ask.actor, "explain")?;
    let found = find_difference(state, id)?.clone();
    let place = Place::of(state, ask.actor, need, found.ward, found.drug)?;
    let Some(count) = found.count else {
        let why = "it is missing of a transfer: resolve it as returned, found or lost";
        return Err(invalid("discrepancy", why));
    };
    not_settled(&found)?;
    if found.status != DiscrepancyStatus::Unexplained {
        return Err(invalid(
            "discrepancy",
            "it is explained already, and waits for a supervisor",
        ));
    }
    let reason = as_kept(&ask.policy.reasons.check(ReasonKind::Discrepancy, reason)?);
    let witness = place.witness(state, ask.op, "Explaining a difference of")?;
    let difference = found.quantity;
    let lots = if difference.is_positive() {
        place.has_room(state, difference)?;
        Vec::new()
    } else {
        missing(state, &place, -difference, ask)?
    };

    let entry = move_stock(
        state,
        &place,
        ask,
        &Move {
            delta: difference,
            reason: LedgerReason::Adjusted,
            reference: format!("count {count} {reason}"),
            lots,
            witness,
        },
    )?;
    let holds = entry.row.balance;
    let open = place.name.controlled || ask.policy.every_difference_stays_open;
    let mut effects = Effects {
        ledger: vec![entry],
        ..Effects::default()
    };
    let (by, at) = (ask.actor.id, ask.moment.now);
    if open {
        state.cupboard.unexplained.remove(&place.page());
        if let Some(known) = state.cupboard.discrepancies.get_mut(&id) {
            known.status = DiscrepancyStatus::Open;
        }
        effects
            .cupboard
            .explained
            .push(Explanation { id, by, at, reason });
    } else {
        settle(state, ask, id, &found);
        effects.cupboard.settled.push(Settlement {
            id,
            was: DiscrepancyStatus::Unexplained,
            resolution: Resolution::Explained,
            by,
            witness,
            at,
            reason,
        });
    }
    let receipt = Receipt::Explained {
        discrepancy: id,
        ward: place.ward,
        drug: place.drug,
        quantity: difference,
        holds,
        open,
        at,
    };
    Ok((receipt, effects))
}

/// A supervisor answers for a difference. One that nobody has explained is thereby taken for a mistake in counting: the
/// stock stays what the register says.
pub(super) fn resolve(
    state: &mut Loaded,
    ask: &Ask<'_>,
    id: DiscrepancyId,
    reason: &Reason,
) -> Decided {
    let need = permission::role(ask.actor, "resolve_count")?;
    let found = find_difference(state, id)?.clone();
    let place = Place::of(state, ask.actor, need, found.ward, found.drug)?;
    if found.count.is_none() {
        let why = "it is missing of a transfer: resolve it as returned, found or lost";
        return Err(invalid("discrepancy", why));
    }
    not_settled(&found)?;
    let reason = as_kept(&ask.policy.reasons.check(ReasonKind::Discrepancy, reason)?);
    let witness = permission::witness(state, ask.op, None, place.ward, &place.ward_name)?;
    settle(state, ask, id, &found);
    let mut effects = Effects::default();
    effects.cupboard.wards.push(place.ward);
    effects.cupboard.settled.push(Settlement {
        id,
        was: found.status,
        resolution: Resolution::Explained,
        by: ask.actor.id,
        witness,
        at: ask.moment.now,
        reason,
    });
    let receipt = Receipt::Resolved {
        discrepancy: id,
        how: Resolution::Explained,
        ward: place.ward,
        drug: place.drug,
        quantity: Quantity::ZERO,
        holds: None,
        at: ask.moment.now,
    };
    Ok((receipt, effects))
}
