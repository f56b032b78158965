//! What leaves a cupboard without being given, and what is set right in it: each with a reason from its list.

use super::super::{permission, spend};
use super::transfer::{Move, move_stock};
use super::{Ask, Decided, Place, as_kept, invalid, positive};
use crate::domain::cupboard::OfLot;
use crate::domain::decide::{Effects, Loaded};
use crate::domain::operation::Part;
use crate::domain::quantity::LARGEST;
use crate::domain::reason::{Reason, ReasonKind};
use crate::domain::{LedgerReason, Quantity, Receipt, Refusal, lots};

/// Stock goes back to where it came from outside the hospital's wards.
pub(super) fn take_back(
    state: &mut Loaded,
    ask: &Ask<'_>,
    what: &Part,
    reason: &Reason,
) -> Decided {
    take_out(state, ask, what, reason, "return")
}

/// Stock is destroyed.
pub(super) fn waste(state: &mut Loaded, ask: &Ask<'_>, what: &Part, reason: &Reason) -> Decided {
    take_out(state, ask, what, reason, "waste")
}

fn take_out(
    state: &mut Loaded,
    ask: &Ask<'_>,
    what: &Part,
    reason: &Reason,
    kind: &str,
) -> Decided {
    let need = permission::role(ask.actor, kind)?;
    let place = Place::of(state, ask.actor, need, what.ward, what.drug)?;
    positive(what.quantity)?;
    place.stock(state)?;
    let wasted = kind == "waste";
    let (codes, booked) = if wasted {
        (ReasonKind::Waste, LedgerReason::Wasted)
    } else {
        (ReasonKind::Return, LedgerReason::Returned)
    };
    let reason = ask.policy.reasons.check(codes, reason)?;
    let lots = match &what.lot {
        Some(lot) => of_one(state, &place, lot, what.quantity)?,
        None => spend::spend(
            state,
            place.page(),
            &place.ward_name,
            &place.name,
            what.quantity,
            ask.moment.now,
        )?,
    };
    let witness = if wasted {
        place.witness(state, ask.op, "Wasting")?
    } else {
        permission::witness(state, ask.op, None, place.ward, &place.ward_name)?
    };
    done(
        state,
        ask,
        &place,
        Move {
            delta: -what.quantity,
            reason: booked,
            reference: as_kept(&reason),
            lots,
            witness,
        },
    )
}

/// The stock is set right by so much, up or down.
pub(super) fn adjust(state: &mut Loaded, ask: &Ask<'_>, what: &Part, reason: &Reason) -> Decided {
    let need = permission::role(ask.actor, "adjust")?;
    let place = Place::of(state, ask.actor, need, what.ward, what.drug)?;
    let by = what.quantity;
    if by == Quantity::ZERO || by > LARGEST || by < -LARGEST {
        return Err(Refusal::InvalidStockQuantity {
            quantity: by,
            why: "say by how much the stock is more (5) or less (-5)".to_owned(),
        });
    }
    let reason = ask.policy.reasons.check(ReasonKind::Adjust, reason)?;
    let current = place.stock(state)?.current;
    let lots = match &what.lot {
        Some(lot) if by.is_positive() => {
            let known = state.cupboard.lots.get(&(place.drug, lot.clone()));
            if known.and_then(|known| known.expires_on).is_none() {
                return Err(invalid("lot", format!("no lot {lot} of it is known here")));
            }
            vec![OfLot {
                lot: lot.clone(),
                quantity: by,
            }]
        }
        Some(lot) => of_one(state, &place, lot, -by)?,
        None if by.is_positive() => Vec::new(),
        None => missing(state, &place, -by, ask)?,
    };
    if by.is_positive() {
        place.has_room(state, by)?;
    } else if current + by < Quantity::ZERO {
        return Err(not_enough(&place, -by, current));
    }
    let witness = place.witness(state, ask.op, "Adjusting")?;
    done(
        state,
        ask,
        &place,
        Move {
            delta: by,
            reason: LedgerReason::Adjusted,
            reference: as_kept(&reason),
            lots,
            witness,
        },
    )
}

/// From which lots it is taken that there is less than there should be.
pub(super) fn missing(
    state: &Loaded,
    place: &Place,
    quantity: Quantity,
    ask: &Ask<'_>,
) -> Result<Vec<OfLot>, Refusal> {
    let stock = place.stock(state)?;
    if stock.current < quantity {
        return Err(not_enough(place, quantity, stock.current));
    }
    let in_lots: Quantity = stock.lots.iter().map(|lot| lot.quantity).sum();
    let today = spend::today(state, place.ward, ask.moment.now);
    Ok(lots::whatever(
        &stock.lots,
        stock.current - in_lots,
        quantity,
        today,
    ))
}

fn not_enough(place: &Place, needed: Quantity, available: Quantity) -> Refusal {
    Refusal::InsufficientStock {
        ward: place.ward_name.clone(),
        drug: place.name.title.clone(),
        unit: place.name.unit.clone(),
        needed,
        available,
    }
}

/// All of it from one lot, whether that may be used or not: what is expired or recalled leaves by name.
fn of_one(
    state: &Loaded,
    place: &Place,
    lot: &str,
    quantity: Quantity,
) -> Result<Vec<OfLot>, Refusal> {
    let lot = lot.trim();
    let held = place.stock(state)?.lots.iter().find(|held| held.lot == lot);
    let available = held.map_or(Quantity::ZERO, |held| held.quantity);
    if !available.is_positive() {
        let why = format!("{} holds no lot {lot} of it", place.ward_name);
        return Err(invalid("lot", why));
    }
    if available < quantity {
        return Err(Refusal::InsufficientStock {
            ward: place.ward_name.clone(),
            drug: format!("{}, lot {lot}", place.name.title),
            unit: place.name.unit.clone(),
            needed: quantity,
            available,
        });
    }
    Ok(vec![OfLot {
        lot: lot.to_owned(),
        quantity,
    }])
}

/// Books it, and says so.
fn done(state: &mut Loaded, ask: &Ask<'_>, place: &Place, change: Move) -> Decided {
    let entry = move_stock(state, place, ask, &change)?;
    let receipt = Receipt::Booked {
        reason: change.reason,
        ward: place.ward,
        drug: place.drug,
        quantity: change.delta,
        holds: entry.row.balance,
        at: ask.moment.now,
    };
    let effects = Effects {
        ledger: vec![entry],
        ..Effects::default()
    };
    Ok((receipt, effects))
}
