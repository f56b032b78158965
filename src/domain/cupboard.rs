//! The cupboard's words: lots, transfers, counts, differences, levels. What rules and screens both speak of.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::vocabulary::{UnknownWord, words};
use super::{DiscrepancyId, Quantity};
use std::{fmt, str::FromStr};

/// Longest name of a lot that is kept, in characters: GS1 has 20.
pub const LONGEST_LOT: usize = 20;

/// Longest name of a shelf, in characters.
pub const LONGEST_SHELF: usize = 20;

words!(/// Where a transfer stands.
TransferStatus {
    /// On its way.
    Sent = "sent",
    /// All of it arrived.
    Received = "received",
    /// Less arrived than was sent, and nobody has answered for the rest yet.
    Short = "short",
    /// Less arrived than was sent, and what became of the rest is on record.
    Resolved = "resolved",
});

words!(/// What a count came to.
CountStatus {
    /// What was counted is what the register says.
    Agrees = "agrees",
    /// It differs, and has to be counted again.
    Recount = "recount",
    /// It differed, and was counted again.
    Recounted = "recounted",
    /// It differed twice: the difference is on record and has to be explained.
    Differs = "differs",
});

words!(/// Where a difference stands.
DiscrepancyStatus {
    /// Found by a count, and not explained yet: the stock is still what the register says.
    Unexplained = "unexplained",
    /// Waits for a supervisor, or for what is missing of a transfer.
    Open = "open",
    /// Somebody has answered for it.
    Resolved = "resolved",
});

words!(/// What became of a difference.
Resolution {
    /// It went back into the stock of the ward that sent it.
    Returned = "returned",
    /// It is gone.
    Lost = "lost",
    /// It was found where it was sent to.
    Found = "found",
    /// It was explained.
    Explained = "explained",
});

/// What stands on a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lot {
    /// Its name.
    pub lot: String,
    /// The last day on which it may be used.
    pub expires_on: Date,
}

/// A part of a quantity that is of one lot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfLot {
    /// Its name.
    pub lot: String,
    /// How much.
    pub quantity: Quantity,
}

/// What a ward should hold of a drug, and where it lies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// Low at or below this.
    pub threshold: Quantity,
    /// What it is filled up to; nothing: it is not filled up.
    pub par: Quantity,
    /// Which shelf; may be empty.
    #[serde(default)]
    pub shelf: String,
}

/// What a count came to, as far as whoever counted may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The register says the same.
    Agrees,
    /// The register says otherwise: count again. What it says is not told, or the second count would be worth nothing.
    Recount,
    /// It differed twice. Now it is told by how much (less than nothing: missing), to be explained.
    Differs {
        /// Counted, less what the register said.
        difference: Quantity,
        /// Under which it waits to be explained.
        discrepancy: DiscrepancyId,
    },
}

/// Reads an expiry as packages print it: `2027-03-31`, or a month (`2027-03`, `03/2027`), whose last day it is.
///
/// # Errors
/// What is wrong with it, as a sentence without its full stop.
pub fn expiry(text: &str) -> Result<Date, String> {
    let text = text.trim();
    let wrong = || format!("'{text}' is not a day such as 2027-03-31, or a month such as 2027-03");
    if let Ok(day) = text.parse::<Date>()
        && text.len() == 10
    {
        return Ok(day);
    }
    let (year, month) = match (text.split_once('-'), text.split_once('/')) {
        (Some((year, month)), None) | (None, Some((month, year))) => (year, month),
        _ => return Err(wrong()),
    };
    if year.len() != 4 || month.is_empty() || month.len() > 2 {
        return Err(wrong());
    }
    let number = |text: &str| text.parse::<i16>().map_err(|_| wrong());
    let month = i8::try_from(number(month)?).map_err(|_| wrong())?;
    let first = Date::new(number(year)?, month, 1).map_err(|_| wrong())?;
    Ok(first.last_of_month())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_day_or_the_last_of_a_month() {
        let read = |text| expiry(text).map(|day| day.to_string());
        assert_eq!(read("2027-03-31").as_deref(), Ok("2027-03-31"));
        assert_eq!(read(" 2028-02 ").as_deref(), Ok("2028-02-29"));
        assert_eq!(read("03/2027").as_deref(), Ok("2027-03-31"));
        for text in [
            "",
            "2027",
            "2027-13",
            "2027-02-30",
            "27-03",
            "03/27",
            "a/b",
            "2027-03-31T00",
        ] {
            assert!(expiry(text).is_err(), "{text}");
        }
    }
}
