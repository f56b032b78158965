//! Dates on packages.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The last day on which a package may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expiry(pub Date);

impl Expiry {
    /// Reads `YYMMDD`. Day 00 is the last of its month. Years are those of 2000 to 2099: no drug that is in use expires
    /// in another century. (GS1's own window moves with the year of the scan, and agrees until 2050.)
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(digits: &str) -> Result<Expiry, &'static str> {
        if digits.len() != 6 {
            return Err("a date has six digits");
        }
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("only digits make a date");
        }
        let part = |from: usize| digits[from..from + 2].parse::<i8>().unwrap_or(i8::MAX);
        let (year, month, day) = (2000 + i16::from(part(0)), part(2), part(4));
        let first = Date::new(year, month, 1).map_err(|_| "there is no such month")?;
        if day == 0 {
            return Ok(Expiry(first.last_of_month()));
        }
        Date::new(year, month, day)
            .map(Expiry)
            .map_err(|_| "there is no such day")
    }
}
