//! Taking stock for use: enough must be there that may be used, soonest expiry first.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

#[cfg(test)]
use super::planted;
use super::{DrugName, Loaded, Stock};
use crate::domain::cupboard::OfLot;
use crate::domain::{DrugId, Quantity, Refusal, WardId, lots};

/// The day on a ward's calendar: the last day of a lot ends where the ward is, not in Greenwich.
pub(super) fn today(state: &Loaded, ward: WardId, now: Timestamp) -> Date {
    let zone = state.cupboard.zones.get(&ward).cloned();
    now.to_zoned(zone.unwrap_or(TimeZone::UTC)).date()
}

/// From which lots so much is taken to be given or sent.
///
/// # Errors
/// [`Refusal::DrugNotFound`], [`Refusal::InsufficientStock`], [`Refusal::StockBlocked`].
pub(super) fn spend(
    state: &Loaded,
    (ward, drug): (WardId, DrugId),
    ward_name: &str,
    name: &DrugName,
    needed: Quantity,
    now: Timestamp,
) -> Result<Vec<OfLot>, Refusal> {
    let stock = stocked(state, (ward, drug), ward_name, name)?;
    if stock.current < needed {
        return Err(Refusal::InsufficientStock {
            ward: ward_name.to_owned(),
            drug: name.title.clone(),
            unit: name.unit.clone(),
            needed,
            available: stock.current,
        });
    }
    if stock.lots.is_empty() {
        return Ok(Vec::new());
    }
    let today = today(state, ward, now);
    #[cfg(test)]
    let spoiled = planted::spoiled(stock);
    #[cfg(test)]
    let stock = &spoiled;
    let blocked = lots::blocked(&stock.lots, today);
    let usable = stock.current - blocked.expired - blocked.recalled;
    if usable < needed {
        return Err(Refusal::StockBlocked {
            ward: ward_name.to_owned(),
            drug: name.title.clone(),
            unit: name.unit.clone(),
            needed,
            usable,
            expired: blocked.expired,
            recalled: blocked.recalled,
        });
    }
    Ok(lots::first_expired(&stock.lots, needed, today))
}

/// What the ward holds of the drug.
pub(super) fn stocked<'a>(
    state: &'a Loaded,
    page: (WardId, DrugId),
    ward_name: &str,
    name: &DrugName,
) -> Result<&'a Stock, Refusal> {
    state.stock.get(&page).ok_or_else(|| Refusal::DrugNotFound {
        ward: ward_name.to_owned(),
        drug: name.title.clone(),
    })
}
