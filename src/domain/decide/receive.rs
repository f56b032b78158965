//! Taking stock into a ward from outside.

use super::{Effects, Loaded, Moment, Stock, StockChange, book, permission};
use crate::domain::quantity::LARGEST;
use crate::domain::{Actor, DrugId, LedgerReason, Operation, Quantity, Receipt, Refusal, WardId};

/// Longest reference that is kept, in characters.
pub const LONGEST_REFERENCE: usize = 100;

pub(super) struct Ask<'a> {
    pub ward: WardId,
    pub drug: DrugId,
    pub quantity: Quantity,
    pub reference: &'a str,
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
            actor: actor.id,
            witness: None,
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
    Ok((
        receipt,
        Effects {
            ledger: vec![entry],
            ..Effects::default()
        },
    ))
}
