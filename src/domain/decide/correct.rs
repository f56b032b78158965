//! Taking back an entry that was wrong. Nothing is changed or deleted: another entry reverses it, and both stay in view.

use super::warn::Recent;
use super::{
    Administration, Change, Effects, LedgerEntry, Loaded, Moment, Order, Prescription, Recorded,
    StockChange, WrittenReason, book, dose_reference, permission,
};
use crate::domain::cupboard::OfLot;
use crate::domain::lots::HeldLot;
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{
    Actor, AdministrationId, Correction, GivingOutcome, LedgerReason, Operation, OrderKind,
    OrderStatus, Policy, Quantity, ReasonKind, Receipt, Refusal, Restock, Role, UserId, WardId,
};

pub(super) fn correct(
    state: &mut Loaded,
    op: &Operation,
    actor: &Actor,
    ask: &Correction,
    policy: &Policy,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let need = permission::role(actor, "correct")?;
    let missing = || Refusal::AdministrationNotFound {
        administration: ask.administration,
    };
    let entry = state.administrations.get(&ask.administration);
    let entry = entry.ok_or_else(missing)?.clone();
    permission::ward(actor, need, entry.ward, &entry.ward_name)?;
    if actor.role == Role::Nurse && entry.nurse != actor.id {
        return Err(Refusal::InsufficientPermissions {
            who: actor.name.clone(),
            action: "correct this entry".to_owned(),
            why: format!("it is {}'s; a supervisor may", entry.nurse_name),
        });
    }
    let order = state.orders.get(&entry.order).ok_or_else(missing)?.clone();
    still_stands(&entry, &order)?;
    let reason = policy.reasons.check(ReasonKind::Correction, &ask.reason)?;
    let status = goes_to(state, &entry, &order, ask)?;
    let witness = witness(state, op, policy, &entry, &order, ask)?;

    let id = AdministrationId(moment.key());
    let told = policy.reasons.told(ReasonKind::Correction, &reason);
    let ledger = restock(
        state, op, actor, witness, &entry, &order, id, ask.stock, moment,
    )?;
    let change = Change {
        id: order.id,
        version: order.version,
        was: order.status,
        status,
        ward: stands_in(state, &order, status),
        held_until: None,
        by: actor.id,
        at: moment.now,
        change: format!("entry taken back: {told}"),
    };
    change.make(state, actor);
    forget(state, &entry, &order, ask.administration);
    let receipt = Receipt::Corrected {
        administration: id,
        corrected: ask.administration,
        order: order.id,
        ward: entry.ward,
        drug: order.drug,
        quantity: entry.quantity,
        stock: ask.stock,
        reopened: status == OrderStatus::Active,
        at: moment.now,
    };
    let mut effects = Effects {
        ledger,
        changed: vec![change],
        administrations: vec![reversing(
            &entry, &order, op, actor, witness, id, ask, &told, moment,
        )],
        reasons: vec![WrittenReason {
            administration: id,
            kind: ReasonKind::Correction,
            reason,
            about: String::new(),
        }],
        ..Effects::default()
    };
    // Where the entry was made it is seen in the log, wherever its order stands now.
    effects.cupboard.wards.push(entry.ward);
    Ok((receipt, effects))
}

/// In whose queue the order stands then: what is open follows its patient, who may have moved since it was given.
fn stands_in(state: &Loaded, order: &Order, status: OrderStatus) -> WardId {
    let chart = state.charts.get(&order.patient);
    match chart.filter(|_| status == OrderStatus::Active) {
        Some(chart) => chart.ward,
        None => order.ward,
    }
}

/// Only the last entry about an order can be taken back: whatever came after it was built on it.
fn still_stands(entry: &Recorded, order: &Order) -> Result<(), Refusal> {
    let closed = |why: &str| Refusal::EntryClosed {
        why: why.to_owned(),
    };
    if entry.is_reversal {
        return Err(closed("it takes another entry back itself"));
    }
    if entry.reversed {
        return Err(closed("it was taken back already"));
    }
    if entry.order_version + 1 != order.version {
        return Err(closed("the order has gone on since"));
    }
    Ok(())
}

/// Where the order goes: back into the queue, or to its end.
fn goes_to(
    state: &Loaded,
    entry: &Recorded,
    order: &Order,
    ask: &Correction,
) -> Result<OrderStatus, Refusal> {
    // A dose that was held and comes back never left the queue.
    if order.status == OrderStatus::Active {
        return if ask.reopen {
            Ok(OrderStatus::Active)
        } else {
            Err(invalid("the dose is in the queue: it stays open"))
        };
    }
    if !ask.reopen {
        return Ok(OrderStatus::Discontinued);
    }
    // It may have ended in this very batch.
    let ended = |p: &Prescription| p.status == PrescriptionStatus::Discontinued;
    let ended = state
        .prescriptions
        .get(&order.prescription)
        .is_some_and(ended);
    if ended || !order.prescription_active {
        return Err(invalid(
            "the prescription has ended: the dose cannot be open again",
        ));
    }
    // The one that was open when the batch began may have been given in it, and another may have opened.
    let is_open = |other: &Order| other.status == OrderStatus::Active;
    let next = entry.next_open;
    let next_is_open = next.is_some_and(|id| state.orders.get(&id).is_none_or(is_open))
        || state
            .orders
            .values()
            .any(|other| other.prescription == order.prescription && is_open(other));
    if order.kind != OrderKind::Timed && next_is_open {
        return Err(invalid("the next dose of the prescription is open already"));
    }
    Ok(OrderStatus::Active)
}

fn invalid(why: &str) -> Refusal {
    Refusal::InvalidData {
        field: "reopen".to_owned(),
        why: why.to_owned(),
    }
}

/// Whoever writes a controlled drug off does it before a witness.
fn witness(
    state: &Loaded,
    op: &Operation,
    policy: &Policy,
    entry: &Recorded,
    order: &Order,
    ask: &Correction,
) -> Result<Option<UserId>, Refusal> {
    let drug = &order.drug_name;
    let taken = entry.quantity.is_positive() && ask.stock == Restock::WrittenOff;
    let what = policy
        .needs_witness(drug.controlled, drug.high_alert)
        .filter(|_| taken)
        .map(|what| format!("Writing off {what} ({})", drug.title));
    permission::witness(state, op, what.as_deref(), entry.ward, &entry.ward_name)
}

/// What the entry had taken goes back; what is gone all the same leaves as waste, in a row of its own.
#[expect(
    clippy::too_many_arguments,
    reason = "everything that a register row names"
)]
fn restock(
    state: &mut Loaded,
    op: &Operation,
    actor: &Actor,
    witness: Option<UserId>,
    entry: &Recorded,
    order: &Order,
    id: AdministrationId,
    stock: Restock,
    moment: Moment<'_>,
) -> Result<Vec<LedgerEntry>, Refusal> {
    if !entry.quantity.is_positive() {
        return Ok(Vec::new());
    }
    let head = state
        .stock
        .get_mut(&(entry.ward, order.drug))
        .ok_or_else(|| Refusal::DrugNotFound {
            ward: entry.ward_name.clone(),
            drug: order.drug_name.title.clone(),
        })?;
    // It goes back into the lots that it came from, though nothing else of them may be left.
    let lots: Vec<OfLot> = entry
        .lots
        .iter()
        .map(|lot| OfLot {
            lot: lot.lot.clone(),
            quantity: lot.quantity,
        })
        .collect();
    for lot in &entry.lots {
        if !head.lots.iter().any(|held| held.lot == lot.lot) {
            // It may have been recalled in this very batch.
            let known = state.cupboard.lots.get(&(order.drug, lot.lot.clone()));
            head.lots.push(HeldLot {
                quantity: Quantity::ZERO,
                recalled: lot.recalled || known.is_some_and(|known| known.recalled),
                ..lot.clone()
            });
        }
    }
    let reference = dose_reference(id, order.id, order.patient);
    let change = |delta: Quantity, reason| StockChange {
        delta,
        reason,
        reference: &reference,
        lots: lots.clone(),
        actor: actor.id,
        witness,
        op: op.id,
        at: moment.now,
    };
    let back = change(entry.quantity, LedgerReason::Corrected);
    let mut rows = vec![book(head, entry.ward, order.drug, back)];
    if stock == Restock::WrittenOff {
        let gone = change(-entry.quantity, LedgerReason::Wasted);
        rows.push(book(head, entry.ward, order.drug, gone));
    }
    Ok(rows)
}

/// The state knows no more of the dose.
fn forget(state: &mut Loaded, entry: &Recorded, order: &Order, id: AdministrationId) {
    if let Some(entry) = state.administrations.get_mut(&id) {
        entry.reversed = true;
    }
    if entry.outcome != GivingOutcome::Given {
        return;
    }
    for other in state.orders.values_mut() {
        if other.prescription != order.prescription {
            continue;
        }
        if let Some(later) = state.later_given.get_mut(&other.id) {
            later.retain(|due| Some(*due) != order.due_at);
        }
        if let Some(at) = other.given.iter().position(|at| *at == entry.given_at) {
            other.given.remove(at);
        }
    }
    // Another dose of the drug may have been given at the same moment: that one stays.
    let this = Recent {
        at: entry.given_at,
        prescription: order.prescription,
        due_at: order.due_at,
    };
    if let Some(recent) = state.recent.get_mut(&(order.patient, order.drug))
        && let Some(at) = recent.iter().position(|dose| *dose == this)
    {
        recent.remove(at);
    }
}

#[expect(clippy::too_many_arguments, reason = "everything that an entry names")]
fn reversing(
    entry: &Recorded,
    order: &Order,
    op: &Operation,
    actor: &Actor,
    witness: Option<UserId>,
    id: AdministrationId,
    ask: &Correction,
    reason: &str,
    moment: Moment<'_>,
) -> Administration {
    Administration {
        id,
        order: order.id,
        order_version: order.version,
        ward: entry.ward,
        patient: order.patient,
        drug: order.drug,
        nurse: actor.id,
        witness,
        given_at: moment.now,
        at: moment.now,
        outcome: entry.outcome,
        quantity: entry.quantity,
        reason: reason.to_owned(),
        reverses: Some(ask.administration),
        op: op.id,
    }
}
