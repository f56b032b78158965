//! A lot that may be used nowhere any more.

use super::super::permission;
use super::{Ask, Decided, KnownLot, Recalled, invalid, text};
use crate::domain::cupboard::LONGEST_LOT;
use crate::domain::decide::{Effects, Loaded};
use crate::domain::reason::text_fault;
use crate::domain::{DrugId, Quantity, Receipt, Refusal};

/// Blocks a lot everywhere: in every ward that holds some of it, on its way, and where it is still to come. Who got some
/// of it is asked of the register ([`crate::domain::cupboard`]).
pub(super) fn recall(
    state: &mut Loaded,
    ask: &Ask<'_>,
    drug: DrugId,
    lot: &str,
    reason: &str,
) -> Decided {
    permission::role(ask.actor, "recall")?;
    if !state.drugs.contains_key(&drug) {
        return Err(Refusal::NotFound {
            what: format!("drug {drug}"),
        });
    }
    let lot = text("lot", lot, LONGEST_LOT)?.to_owned();
    if lot.is_empty() {
        return Err(invalid("lot", "say which lot"));
    }
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(invalid("reason", "say who recalls it and why"));
    }
    if let Some(why) = text_fault(reason) {
        return Err(invalid("reason", why));
    }
    let key = (drug, lot.clone());
    let known = state.cupboard.lots.get(&key).copied();
    if known.is_some_and(|known| known.recalled) {
        return Err(invalid("lot", format!("lot {lot} is recalled already")));
    }

    let expires_on = known.and_then(|known| known.expires_on);
    state.cupboard.lots.insert(
        key.clone(),
        KnownLot {
            expires_on,
            recalled: true,
        },
    );
    let mut held = Quantity::ZERO;
    let mut holders = Vec::new();
    // Every ward that held some of it was loaded; one that got the first of it in this very batch is in the state too.
    for ((ward, of), stock) in &mut state.stock {
        let lots = stock.lots.iter_mut();
        for here in lots.filter(|here| *of == drug && here.lot == lot) {
            here.recalled = true;
            if here.quantity.is_positive() {
                held = held + here.quantity;
                holders.push(*ward);
            }
        }
    }
    holders.sort_unstable();
    let mut effects = Effects::default();
    effects.cupboard.wards.extend(&holders);
    let wards = holders.len();
    effects.cupboard.recalled.push(Recalled {
        drug,
        lot: lot.clone(),
        by: ask.actor.id,
        at: ask.moment.now,
        reason: reason.to_owned(),
        holders,
    });
    let receipt = Receipt::Recalled {
        drug,
        lot,
        wards,
        held,
        at: ask.moment.now,
    };
    Ok((receipt, effects))
}
