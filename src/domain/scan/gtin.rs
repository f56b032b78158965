//! Numbers of products.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of a product in a size of package: 14 digits, the shorter ones with zeros before them (GS1 General
/// Specifications, 3.3.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Gtin(String);

impl Gtin {
    /// Reads 8, 12, 13 or 14 digits, the last of which checks the others.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    pub fn read(digits: &str) -> Result<Gtin, &'static str> {
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("only digits make a product's number");
        }
        if !matches!(digits.len(), 8 | 12 | 13 | 14) {
            return Err("a product's number has 8, 12, 13 or 14 digits");
        }
        if !checked(digits) {
            return Err("its last digit does not fit the others");
        }
        Ok(Gtin(format!("{digits:0>14}")))
    }

    /// Its 14 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether the last digit is the one that the others ask for: from the right, digits count three times and once in
/// turn, and all together make a multiple of ten (GS1 General Specifications, 7.9.1).
pub(super) fn checked(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| u32::from(digit - b'0') * if place % 2 == 0 { 1 } else { 3 })
        .sum();
    sum.is_multiple_of(10)
}
