//! Counted stock: thousandths of a drug's stock unit, as an integer. Half a tablet is 500.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A count of a drug's stock unit (tablet, vial, ml …) in thousandths. Never a float: 0.1 + 0.2 is 0.3 here.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Quantity(pub i64);

/// The largest quantity that is accepted from outside: a billion units.
/// Sums of a million such rows still fit in 64 bits, so arithmetic inside the desk cannot overflow.
pub const LARGEST: Quantity = Quantity(1_000_000_000_000);

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAQuantity {
    /// Not digits with at most one decimal point.
    #[error("'{0}' is not a number")]
    NotANumber(String),
    /// More than three decimals, which a stock count in thousandths cannot hold.
    #[error("'{0}' has more than three decimals")]
    TooFine(String),
    /// Above [`LARGEST`].
    #[error("'{0}' is more than 1,000,000,000")]
    TooLarge(String),
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Quantity = Quantity(0);

    /// So many whole units.
    pub const fn units(n: i64) -> Quantity {
        Quantity(n * 1000)
    }

    /// Whether it is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Reads a decimal such as `2`, `0.5` or `.25`; a comma may stand for the point. With `round`, decimals
    /// beyond the third are rounded half up instead of refused, and the second value says that it happened.
    ///
    /// # Errors
    /// [`NotAQuantity`]: not a number, too fine (without `round`), too large. Signs are not accepted.
    pub fn parse(text: &str, round: bool) -> Result<(Quantity, bool), NotAQuantity> {
        let trimmed = text.trim();
        let bad = || NotAQuantity::NotANumber(trimmed.to_owned());
        let (whole, decimals) = trimmed.split_once(['.', ',']).unwrap_or((trimmed, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || (whole.is_empty() && decimals.is_empty()) {
            return Err(bad());
        }
        let significant = decimals.trim_end_matches('0');
        let too_fine = significant.len() > 3;
        if too_fine && !round {
            return Err(NotAQuantity::TooFine(trimmed.to_owned()));
        }
        let too_large = || NotAQuantity::TooLarge(trimmed.to_owned());
        let whole = whole.trim_start_matches('0');
        if whole.len() > 10 {
            return Err(too_large());
        }
        let units: i64 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| bad())?
        };
        let kept = &significant[..significant.len().min(3)];
        let mut thousandths: i64 = if kept.is_empty() {
            0
        } else {
            kept.parse().map_err(|_| bad())?
        };
        thousandths *= 10_i64.pow(3 - u32::try_from(kept.len()).unwrap_or(3));
        if too_fine && significant.as_bytes()[3] >= b'5' {
            thousandths += 1;
        }
        let value = Quantity(units * 1000 + thousandths);
        if value > LARGEST {
            Err(too_large())
        } else {
            Ok((value, too_fine))
        }
    }
}

impl FromStr for Quantity {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Quantity::parse(text, false).map(|(quantity, _)| quantity)
    }
}

impl fmt::Display for Quantity {
    /// The shortest decimal: `2`, `0.5`, `-1.25`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, rest) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        let sign = if self.0 < 0 { "-" } else { "" };
        if rest == 0 {
            return f.pad(&format!("{sign}{units}"));
        }
        let decimals = format!("{rest:03}");
        f.pad(&format!("{sign}{units}.{}", decimals.trim_end_matches('0')))
    }
}

impl std::ops::Add for Quantity {
    type Output = Quantity;
    fn add(self, other: Quantity) -> Quantity {
        Quantity(self.0 + other.0)
    }
}

impl std::ops::Sub for Quantity {
    type Output = Quantity;
    fn sub(self, other: Quantity) -> Quantity {
        Quantity(self.0 - other.0)
    }
}

impl std::ops::Neg for Quantity {
    type Output = Quantity;
    fn neg(self) -> Quantity {
        Quantity(-self.0)
    }
}

impl std::iter::Sum for Quantity {
    fn sum<I: Iterator<Item = Quantity>>(all: I) -> Quantity {
        all.fold(Quantity::ZERO, |sum, q| sum + q)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_prescriptions_say() {
        for (text, thousandths) in [
            ("2", 2000),
            ("0.5", 500),
            (".25", 250),
            ("1,5", 1500),
            ("0.002", 2),
            ("007", 7000),
            ("1.500", 1500),
            ("3.", 3000),
        ] {
            assert_eq!(
                text.parse::<Quantity>(),
                Ok(Quantity(thousandths)),
                "{text}"
            );
        }
    }

    #[test]
    fn names_what_it_cannot_read() {
        for text in [
            "", ".", "abc", "-1", "+1", "1e3", "1 000", "١", "1.2.3", "NaN",
        ] {
            assert!(
                matches!(text.parse::<Quantity>(), Err(NotAQuantity::NotANumber(_))),
                "{text}"
            );
        }
        assert_eq!(
            "0.1667".parse::<Quantity>(),
            Err(NotAQuantity::TooFine("0.1667".into()))
        );
        assert_eq!(Quantity::parse("0.1667", true), Ok((Quantity(167), true)));
        assert_eq!(Quantity::parse("0.0004", true), Ok((Quantity(0), true)));
        assert_eq!(Quantity::parse("0.9996", true), Ok((Quantity(1000), true)));
        assert!(matches!(
            "99999999999".parse::<Quantity>(),
            Err(NotAQuantity::TooLarge(_))
        ));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(n in 0..LARGEST.0) {
            prop_assert_eq!(Quantity(n).to_string().parse::<Quantity>(), Ok(Quantity(n)));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = Quantity::parse(&text, true);
        }
    }
}
