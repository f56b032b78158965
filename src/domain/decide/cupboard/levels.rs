//! What a ward should hold.

use super::super::permission;
use super::{Ask, Decided, Place, invalid, text};
use crate::domain::cupboard::{LONGEST_SHELF, Levels};
use crate::domain::decide::{Effects, Loaded, Stock};
use crate::domain::quantity::LARGEST;
use crate::domain::{DrugId, Quantity, Receipt, Refusal, WardId};

/// Sets threshold, par and shelf, where they are still what was on the screen. A ward that does not stock the drug
/// stocks it from then on, with nothing in it.
pub(super) fn set(
    state: &mut Loaded,
    ask: &Ask<'_>,
    (ward, drug): (WardId, DrugId),
    was: &Levels,
    levels: &Levels,
) -> Decided {
    let need = permission::role(ask.actor, "levels")?;
    let place = Place::of(state, ask.actor, need, ward, drug)?;
    for quantity in [levels.threshold, levels.par] {
        if quantity < Quantity::ZERO || quantity > LARGEST {
            return Err(Refusal::InvalidStockQuantity {
                quantity,
                why: format!("a level is nothing or more, up to {LARGEST}"),
            });
        }
    }
    if levels.par.is_positive() && levels.par < levels.threshold {
        let why = "it is filled up to less than what counts as low";
        return Err(invalid("par", why));
    }
    let shelf = text("shelf", &levels.shelf, LONGEST_SHELF)?.to_owned();
    let now = state
        .cupboard
        .levels
        .get(&place.page())
        .cloned()
        .unwrap_or_default();
    if now != *was {
        return Err(Refusal::LevelsChanged {
            drug: place.name.title,
            threshold: now.threshold,
            par: now.par,
        });
    }
    let levels = Levels {
        shelf,
        ..levels.clone()
    };
    state.cupboard.levels.insert(place.page(), levels.clone());
    state.stock.entry(place.page()).or_insert(Stock::BLANK);
    let mut effects = Effects::default();
    effects.cupboard.wards.push(ward);
    effects.cupboard.levels.push((place.page(), levels.clone()));
    let receipt = Receipt::LevelsSet {
        ward,
        drug,
        levels,
        at: ask.moment.now,
    };
    Ok((receipt, effects))
}
