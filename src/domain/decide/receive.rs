//! Taking stock into a ward from outside.

use std::collections::hash_map::Entry;

use jiff::Timestamp;

use super::spend::today;
use super::{Effects, KnownLot, Loaded, Moment, Stock, StockChange, book, permission};
use crate::domain::cupboard::{LONGEST_LOT, Lot, OfLot};
use crate::domain::lots::HeldLot;
use crate::domain::quantity::LARGEST;
use crate::domain::reason::text_fault;
use crate::domain::{Actor, DrugId, LedgerReason, Operation, Quantity, Receipt, Refusal, WardId};

/// Longest reference that is kept, in characters.
pub const LONGEST_REFERENCE: usize = 100;

pub(super) struct Ask<'a> {
    pub ward: WardId,
    pub drug: DrugId,
    pub quantity: Quantity,
    pub reference: &'a str,
    pub lot: Option<&'a Lot>,
}

pub(super) fn receive(
    state: &mut Loaded,
    op: &Operation,
    actor: &Actor,
    ask: &Ask<'_>,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let need = permission::role(actor, "receive")?;
    let unknown_ward = || Refusal::InvalidData {
        field: "ward".to_owned(),
        why: format!("there is no ward {}", ask.ward),
    };
    let ward_name = state.wards.get(&ask.ward).ok_or_else(unknown_ward)?.clone();
    permission::ward(actor, need, ask.ward, &ward_name)?;
    let drug = state
        .drugs
        .get(&ask.drug)
        .ok_or_else(|| Refusal::DrugNotFound {
            ward: ward_name.clone(),
            drug: format!("drug {}", ask.drug),
        })?;
    let invalid = |why: String| Refusal::InvalidStockQuantity {
        quantity: ask.quantity,
        why,
    };
    if !ask.quantity.is_positive() {
        return Err(invalid("it must be more than nothing".to_owned()));
    }
    let reference = ask.reference.trim();
    let unfit = |why: String| Refusal::InvalidData {
        field: "reference".to_owned(),
        why,
    };
    if reference.chars().count() > LONGEST_REFERENCE {
        return Err(unfit(format!(
            "at most {LONGEST_REFERENCE} characters are kept"
        )));
    }
    if reference.contains(char::is_control) {
        return Err(unfit("control characters are not kept".to_owned()));
    }
    // A ward that gets a drug for the first time begins its page; not before all is checked, or a refusal would leave one.
    let held = state
        .stock
        .get(&(ask.ward, ask.drug))
        .map_or(Quantity::ZERO, |stock| stock.current);
    if ask.quantity > LARGEST || held + ask.quantity > LARGEST {
        return Err(invalid(format!(
            "a ward holds at most {LARGEST} {}",
            drug.unit
        )));
    }

    let lots = lots(state, ask, moment.now)?;
    let witness = permission::witness(state, op, None, ask.ward, &ward_name)?;
    let mut effects = Effects::default();
    if let Some(lot) = ask.lot {
        lay(state, ask, lot, &mut effects);
    }
    let stock = state
        .stock
        .entry((ask.ward, ask.drug))
        .or_insert(Stock::BLANK);
    let entry = book(
        stock,
        ask.ward,
        ask.drug,
        StockChange {
            delta: ask.quantity,
            reason: LedgerReason::Received,
            reference,
            lots,
            actor: actor.id,
            witness,
            op: op.id,
            at: moment.now,
        },
    );
    let holds = entry.row.balance;
    let receipt = Receipt::Received {
        ward: ask.ward,
        drug: ask.drug,
        quantity: ask.quantity,
        holds,
        at: moment.now,
    };
    effects.ledger.push(entry);
    Ok((receipt, effects))
}

/// The lot that is received, if it may be: named, not past its expiry, not recalled, and the same as what came of it
/// before.
fn lots(state: &Loaded, ask: &Ask<'_>, now: Timestamp) -> Result<Vec<OfLot>, Refusal> {
    let Some(lot) = ask.lot else {
        return Ok(Vec::new());
    };
    let unfit = |why: String| Refusal::InvalidData {
        field: "lot".to_owned(),
        why,
    };
    if lot.lot.is_empty() || lot.lot.chars().count() > LONGEST_LOT || lot.lot.trim() != lot.lot {
        return Err(unfit(format!("its name has 1 to {LONGEST_LOT} characters")));
    }
    if let Some(why) = text_fault(&lot.lot) {
        return Err(unfit(why));
    }
    if lot.expires_on < today(state, ask.ward, now) {
        return Err(unfit(format!("it expired on {}", lot.expires_on)));
    }
    match state.cupboard.lots.get(&(ask.drug, lot.lot.clone())) {
        Some(known) if known.recalled => Err(unfit(format!("lot {} is recalled", lot.lot))),
        Some(KnownLot {
            expires_on: Some(day),
            ..
        }) if *day != lot.expires_on => Err(unfit(format!(
            "what came of lot {} before expires on {day}: check the package",
            lot.lot
        ))),
        _ => Ok(vec![OfLot {
            lot: lot.lot.clone(),
            quantity: ask.quantity,
        }]),
    }
}

/// Lays a lot beside the others of the ward, with nothing in it yet.
fn lay(state: &mut Loaded, ask: &Ask<'_>, lot: &Lot, effects: &mut Effects) {
    let key = (ask.drug, lot.lot.clone());
    if let Entry::Vacant(new) = state.cupboard.lots.entry(key) {
        new.insert(KnownLot {
            expires_on: Some(lot.expires_on),
            recalled: false,
        });
        effects.cupboard.lots.push((ask.drug, lot.clone()));
    }
    let stock = state
        .stock
        .entry((ask.ward, ask.drug))
        .or_insert(Stock::BLANK);
    if !stock.lots.iter().any(|held| held.lot == lot.lot) {
        stock.lots.push(HeldLot {
            lot: lot.lot.clone(),
            expires_on: lot.expires_on,
            recalled: false,
            quantity: Quantity::ZERO,
            before: None,
        });
    }
}
