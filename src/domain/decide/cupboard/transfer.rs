//! From ward to ward, in two steps; and what is missing at the second.

use super::super::{StockChange, book, permission, spend};
use super::{
    Arrival, Ask, Decided, Discrepancy, LONGEST_NOTE, NewDiscrepancy, Of, Place, Sending,
    Settlement, Transfer, TransferLot, as_kept, invalid, positive, text, ward_name,
};
use crate::domain::cupboard::{DiscrepancyStatus, OfLot, Resolution, TransferStatus};
#[cfg(test)]
use crate::domain::decide::planted::{Fault, planted};
use crate::domain::decide::{Effects, LedgerEntry, Loaded, Stock};
use crate::domain::lots::HeldLot;
use crate::domain::reason::{Reason, ReasonKind};
use crate::domain::{
    DiscrepancyId, DrugId, LedgerReason, Quantity, Receipt, Refusal, Role, TransferId, WardId,
};

/// What register rows of a transfer refer to.
pub fn transfer_reference(transfer: TransferId) -> String {
    format!("transfer {transfer}")
}

/// Takes the quantity out of the source, and puts it on its way.
pub(super) fn send(
    state: &mut Loaded,
    ask: &Ask<'_>,
    (source, destination): (WardId, WardId),
    drug: DrugId,
    quantity: Quantity,
    note: &str,
) -> Decided {
    let nurse = ask.actor.role == Role::Nurse && ask.policy.nurses_send;
    let need = permission::role_or(ask.actor, "send", nurse)?;
    let place = Place::of(state, ask.actor, need, source, drug)?;
    let to = ward_name(state, destination, "destination")?;
    if source == destination {
        let why = format!("{to} is the ward that sends");
        return Err(invalid("destination", why));
    }
    positive(quantity)?;
    let note = text("note", note, LONGEST_NOTE)?.to_owned();
    let lots = spend::spend(
        state,
        place.page(),
        &place.ward_name,
        &place.name,
        quantity,
        ask.moment.now,
    )?;
    let witness = permission::witness(state, ask.op, None, source, &place.ward_name)?;

    let id = TransferId(ask.moment.key());
    let entry = move_stock(
        state,
        &place,
        ask,
        &Move {
            delta: -quantity,
            reason: LedgerReason::Sent,
            reference: transfer_reference(id),
            lots: lots.clone(),
            witness,
        },
    )?;
    let left = entry.row.balance;
    let sending = Sending {
        id,
        drug,
        source,
        destination,
        quantity,
        lots,
        note,
        by: ask.actor.id,
        at: ask.moment.now,
        op: ask.op.id,
    };
    let receipt = Receipt::Sent {
        transfer: id,
        ward: source,
        destination,
        drug,
        quantity,
        left,
        at: ask.moment.now,
    };
    let mut effects = Effects {
        ledger: vec![entry],
        ..Effects::default()
    };
    effects.cupboard.sent.push(sending);
    effects.cupboard.wards.push(destination);
    Ok((receipt, effects))
}

/// Takes a transfer in, whole or in part. What is missing of it becomes a difference with a name of its own.
pub(super) fn arrive(
    state: &mut Loaded,
    ask: &Ask<'_>,
    id: TransferId,
    received: Quantity,
) -> Decided {
    let need = permission::role(ask.actor, "receive_transfer")?;
    let transfer = find(state, id)?.clone();
    let place = Place::of(state, ask.actor, need, transfer.destination, transfer.drug)?;
    #[cfg(test)]
    let transfer = if planted(Fault::ArrivesTwice) {
        Transfer {
            receiver: None,
            ..transfer
        }
    } else {
        transfer
    };
    if let Some((by, at)) = transfer.receiver {
        return Err(Refusal::AlreadyDone {
            what: "This transfer was received".to_owned(),
            by,
            at,
        });
    }
    let wrong = |why: String| Refusal::InvalidStockQuantity {
        quantity: received,
        why,
    };
    if received < Quantity::ZERO {
        return Err(wrong("less than nothing cannot arrive".to_owned()));
    }
    if received > transfer.quantity {
        let unit = &place.name.unit;
        let why = format!("only {} {unit} were sent", transfer.quantity);
        return Err(wrong(why));
    }
    place.has_room(state, received)?;
    let witness = permission::witness(state, ask.op, None, place.ward, &place.ward_name)?;

    let lots = part_of(&transfer.lots, received, |lot| lot.sent);
    let missing = transfer.quantity - received;
    let mut effects = Effects::default();
    let mut holds = state
        .stock
        .get(&place.page())
        .map_or(Quantity::ZERO, |s| s.current);
    if received.is_positive() {
        let entry = move_stock(
            state,
            &place,
            ask,
            &Move {
                delta: received,
                reason: LedgerReason::Arrived,
                reference: transfer_reference(id),
                lots: lots.clone(),
                witness,
            },
        )?;
        holds = entry.row.balance;
        effects.ledger.push(entry);
    }
    let discrepancy = missing
        .is_positive()
        .then(|| DiscrepancyId(ask.moment.key()));
    if let Some(key) = discrepancy {
        let new = NewDiscrepancy {
            id: key,
            ward: place.ward,
            drug: place.drug,
            quantity: -missing,
            of: Of::Transfer(id),
            status: DiscrepancyStatus::Open,
            by: ask.actor.id,
            at: ask.moment.now,
        };
        note_difference(state, &new);
        effects.cupboard.opened.push(new);
    }
    let status = if missing.is_positive() {
        TransferStatus::Short
    } else {
        TransferStatus::Received
    };
    // What arrived of each lot, nothing too: the rest of it may still come back or be found.
    let of_each = transfer.lots.iter().map(|sent| OfLot {
        lot: sent.lot.clone(),
        quantity: of_lot(&lots, &sent.lot),
    });
    let lots: Vec<OfLot> = of_each.collect();
    if let Some(known) = state.cupboard.transfers.get_mut(&id) {
        known.received = Some(received);
        known.status = status;
        known.receiver = Some((ask.actor.name.clone(), ask.moment.now));
        for lot in &mut known.lots {
            lot.received = Some(of_lot(&lots, &lot.lot));
        }
    }
    effects.cupboard.wards.extend([transfer.source, place.ward]);
    effects.cupboard.arrived.push(Arrival {
        id,
        received,
        status,
        lots,
        by: ask.actor.id,
        at: ask.moment.now,
    });
    let receipt = Receipt::Arrived {
        transfer: id,
        ward: place.ward,
        drug: place.drug,
        quantity: received,
        missing,
        discrepancy,
        holds,
        at: ask.moment.now,
    };
    Ok((receipt, effects))
}

/// Answers for what is missing of a transfer: it is back, it is found, or it is written off by name.
pub(super) fn resolve(
    state: &mut Loaded,
    ask: &Ask<'_>,
    id: DiscrepancyId,
    how: Resolution,
    reason: &Reason,
) -> Decided {
    let need = permission::role(ask.actor, "resolve_transfer")?;
    let found = find_difference(state, id)?.clone();
    let Some(transfer) = found.transfer else {
        return Err(invalid(
            "discrepancy",
            "it comes of a count: a supervisor resolves it",
        ));
    };
    let sent = find(state, transfer)?.clone();
    // Where the stock goes to; what is lost is lost at its destination, where it was missed.
    let ward = match how {
        Resolution::Returned => sent.source,
        Resolution::Found | Resolution::Lost => sent.destination,
        Resolution::Explained => {
            let why = "what is missing of a transfer was returned, found, or is lost";
            return Err(invalid("how", why));
        }
    };
    let place = Place::of(state, ask.actor, need, ward, found.drug)?;
    not_settled(&found)?;
    let lost = how == Resolution::Lost;
    let reason = if lost || !reason.code.is_empty() || !reason.text.is_empty() {
        as_kept(&ask.policy.reasons.check(ReasonKind::Discrepancy, reason)?)
    } else {
        String::new()
    };
    let needed = lost.then_some("Writing off what is lost");
    let witness = permission::witness(state, ask.op, needed, ward, &place.ward_name)?;
    let quantity = -found.quantity;
    let mut effects = Effects::default();
    let mut holds = None;
    if !lost {
        place.has_room(state, quantity)?;
        let entry = move_stock(
            state,
            &place,
            ask,
            &Move {
                delta: quantity,
                reason: match how {
                    Resolution::Returned => LedgerReason::Returned,
                    _ => LedgerReason::Arrived,
                },
                reference: transfer_reference(transfer),
                lots: part_of(&sent.lots, quantity, |lot| {
                    lot.sent - lot.received.unwrap_or_default()
                }),
                witness,
            },
        )?;
        holds = Some(entry.row.balance);
        effects.ledger.push(entry);
    }
    settle(state, ask, id, &found);
    if let Some(known) = state.cupboard.transfers.get_mut(&transfer) {
        known.status = TransferStatus::Resolved;
    }
    effects.cupboard.resolved.push(transfer);
    effects
        .cupboard
        .wards
        .extend([sent.source, sent.destination]);
    effects.cupboard.settled.push(Settlement {
        id,
        was: found.status,
        resolution: how,
        by: ask.actor.id,
        witness,
        at: ask.moment.now,
        reason,
    });
    let receipt = Receipt::Resolved {
        discrepancy: id,
        how,
        ward,
        drug: found.drug,
        quantity,
        holds,
        at: ask.moment.now,
    };
    Ok((receipt, effects))
}

fn find(state: &Loaded, id: TransferId) -> Result<&Transfer, Refusal> {
    let missing = || Refusal::NotFound {
        what: format!("transfer {id}"),
    };
    state.cupboard.transfers.get(&id).ok_or_else(missing)
}

pub(super) fn find_difference(state: &Loaded, id: DiscrepancyId) -> Result<&Discrepancy, Refusal> {
    let missing = || Refusal::NotFound {
        what: format!("discrepancy {id}"),
    };
    state.cupboard.discrepancies.get(&id).ok_or_else(missing)
}

/// Refuses where somebody has answered for it already.
pub(super) fn not_settled(found: &Discrepancy) -> Result<(), Refusal> {
    match &found.settled {
        None => Ok(()),
        Some((by, at)) => Err(Refusal::AlreadyDone {
            what: "This difference was resolved".to_owned(),
            by: by.clone(),
            at: *at,
        }),
    }
}

/// Marks a difference in `state` as answered for.
pub(super) fn settle(state: &mut Loaded, ask: &Ask<'_>, id: DiscrepancyId, found: &Discrepancy) {
    if let Some(known) = state.cupboard.discrepancies.get_mut(&id) {
        known.status = DiscrepancyStatus::Resolved;
        known.settled = Some((ask.actor.name.clone(), ask.moment.now));
    }
    // Another difference of the page may wait to be explained while this one waited for a supervisor.
    if found.status == DiscrepancyStatus::Unexplained {
        let page = (found.ward, found.drug);
        state.cupboard.unexplained.remove(&page);
    }
}

/// Puts a new difference into `state`, for operations of the same batch.
pub(super) fn note_difference(state: &mut Loaded, new: &NewDiscrepancy) {
    let (transfer, count) = match new.of {
        Of::Transfer(id) => (Some(id), None),
        Of::Count(id) => (None, Some(id)),
    };
    state.cupboard.discrepancies.insert(
        new.id,
        Discrepancy {
            ward: new.ward,
            drug: new.drug,
            quantity: new.quantity,
            transfer,
            count,
            status: new.status,
            settled: None,
        },
    );
}

/// How so much of a transfer is divided over its lots, the first ones first; `most` says how much each can have.
fn part_of(
    lots: &[TransferLot],
    quantity: Quantity,
    most: impl Fn(&TransferLot) -> Quantity,
) -> Vec<OfLot> {
    let mut left = quantity;
    let mut parts = Vec::new();
    for lot in lots {
        let part = left.min(most(lot));
        if part.is_positive() {
            parts.push(OfLot {
                lot: lot.lot.clone(),
                quantity: part,
            });
            left = left - part;
        }
    }
    parts
}

fn of_lot(lots: &[OfLot], name: &str) -> Quantity {
    let found = lots.iter().find(|part| part.lot == name);
    found.map_or(Quantity::ZERO, |part| part.quantity)
}

/// A change of the stock of a place.
pub(super) struct Move {
    pub delta: Quantity,
    pub reason: LedgerReason,
    pub reference: String,
    pub lots: Vec<OfLot>,
    pub witness: Option<crate::domain::UserId>,
}

/// Books it. A page without rows begins here, and lots that the ward has never had are laid beside the others.
pub(super) fn move_stock(
    state: &mut Loaded,
    place: &Place,
    ask: &Ask<'_>,
    change: &Move,
) -> Result<LedgerEntry, Refusal> {
    let held = state.stock.get(&place.page());
    let held = |name: &str| held.is_some_and(|stock| stock.lots.iter().any(|l| l.lot == name));
    let mut new = Vec::new();
    for part in change.lots.iter().filter(|part| !held(&part.lot)) {
        let lot = state.cupboard.lots.get(&(place.drug, part.lot.clone()));
        let Some((lot, expires_on)) = lot.and_then(|lot| Some((lot, lot.expires_on?))) else {
            let what = format!("lot {} was not loaded", part.lot);
            return Err(Refusal::Internal { what });
        };
        new.push(HeldLot {
            lot: part.lot.clone(),
            expires_on,
            recalled: lot.recalled,
            quantity: Quantity::ZERO,
            before: None,
        });
    }
    let stock = state.stock.entry(place.page()).or_insert(Stock::BLANK);
    stock.lots.extend(new);
    Ok(book(
        stock,
        place.ward,
        place.drug,
        StockChange {
            delta: change.delta,
            reason: change.reason,
            reference: &change.reference,
            lots: change.lots.clone(),
            actor: ask.actor.id,
            witness: change.witness,
            op: ask.op.id,
            at: ask.moment.now,
        },
    ))
}
