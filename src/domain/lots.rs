//! First expired, first out: from which lots a quantity is taken.

use jiff::civil::Date;

use super::Quantity;
use super::cupboard::OfLot;

/// A lot as it lies in a ward, under lock with the ward's stock of the drug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLot {
    /// Its name.
    pub lot: String,
    /// The last day on which it may be used.
    pub expires_on: Date,
    /// It may be used nowhere any more.
    pub recalled: bool,
    /// How much there is.
    pub quantity: Quantity,
    /// How much there was when it was loaded; `None`: the ward has never had any of it.
    pub before: Option<Quantity>,
}

impl HeldLot {
    /// Whether it may be given and sent on that day.
    pub fn is_usable(&self, today: Date) -> bool {
        !self.recalled && self.expires_on >= today
    }
}

/// How much of a stock may not be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Blocked {
    /// Past its expiry (and not recalled).
    pub expired: Quantity,
    /// Recalled.
    pub recalled: Quantity,
}

/// How much of these lots may not be used on that day.
pub fn blocked(lots: &[HeldLot], today: Date) -> Blocked {
    let sum =
        |which: &dyn Fn(&&HeldLot) -> bool| lots.iter().filter(which).map(|l| l.quantity).sum();
    Blocked {
        expired: sum(&|lot| !lot.recalled && lot.expires_on < today),
        recalled: sum(&|lot| lot.recalled),
    }
}

/// What is taken out of which lot, for so much in all: usable lots in the order of their expiry. What they do not cover
/// comes from stock whose lot nobody wrote down; of that there is no part in the answer.
pub fn first_expired(lots: &[HeldLot], quantity: Quantity, today: Date) -> Vec<OfLot> {
    let usable = lots.iter().filter(|lot| lot.is_usable(today)).collect();
    out_of(usable, quantity).0
}

/// The same from whatever is there, for a stock that is found to be smaller than it should be: nobody knows of which lot
/// the missing part was. It is taken from what may be used first, then from stock without a lot, and from blocked lots
/// only where nothing else is left.
pub fn whatever(
    lots: &[HeldLot],
    unlotted: Quantity,
    quantity: Quantity,
    today: Date,
) -> Vec<OfLot> {
    let (usable, rest): (Vec<&HeldLot>, Vec<&HeldLot>) =
        lots.iter().partition(|lot| lot.is_usable(today));
    let (mut taken, left) = out_of(usable, quantity);
    let left = left - left.min(unlotted);
    taken.extend(out_of(rest, left).0);
    taken
}

/// Takes `quantity` out of these, soonest expiry first; also gives what they could not cover.
fn out_of(mut lots: Vec<&HeldLot>, quantity: Quantity) -> (Vec<OfLot>, Quantity) {
    lots.sort_by(|a, b| (a.expires_on, &a.lot).cmp(&(b.expires_on, &b.lot)));
    let mut left = quantity;
    let mut taken = Vec::new();
    for lot in lots {
        let part = left.min(lot.quantity);
        if part.is_positive() {
            taken.push(OfLot {
                lot: lot.lot.clone(),
                quantity: part,
            });
            left = left - part;
        }
    }
    (taken, left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn held(lot: &str, day: i8, units: i64, recalled: bool) -> HeldLot {
        HeldLot {
            lot: lot.to_owned(),
            expires_on: date(2027, 1, day),
            recalled,
            quantity: Quantity::units(units),
            before: Some(Quantity::units(units)),
        }
    }

    fn of(lot: &str, units: i64) -> OfLot {
        OfLot {
            lot: lot.to_owned(),
            quantity: Quantity::units(units),
        }
    }

    #[test]
    fn what_expires_first_goes_first_and_what_is_blocked_stays() {
        let lots = [
            held("C", 20, 5, false),
            held("A", 9, 5, false),
            held("B", 10, 2, false),
            held("R", 11, 9, true),
        ];
        let today = date(2027, 1, 10);
        assert_eq!(
            first_expired(&lots, Quantity::units(3), today),
            [of("B", 2), of("C", 1)],
            "the last day is a day of use; A expired the day before, R is recalled"
        );
        let all = first_expired(&lots, Quantity::units(50), today);
        assert_eq!(all, [of("B", 2), of("C", 5)], "the rest has no lot");
        let blocked = blocked(&lots, today);
        assert_eq!(blocked.expired, Quantity::units(5));
        assert_eq!(blocked.recalled, Quantity::units(9));
    }

    #[test]
    fn what_is_missing_is_taken_from_blocked_lots_last() {
        let lots = [held("A", 9, 5, false), held("B", 12, 2, false)];
        let today = date(2027, 1, 10);
        let missing = |units| whatever(&lots, Quantity::units(3), Quantity::units(units), today);
        assert_eq!(missing(2), [of("B", 2)]);
        assert_eq!(missing(5), [of("B", 2)], "three without a lot");
        assert_eq!(missing(6), [of("B", 2), of("A", 1)]);
    }

    proptest! {
        #[test]
        fn no_lot_gives_more_than_it_has(
            stock in proptest::collection::vec((0i64..5000, 1i8..28, any::<bool>()), 0..8),
            unlotted in 0i64..3000,
            wanted in 1i64..9000,
        ) {
            let lots: Vec<HeldLot> = stock.iter().enumerate().map(|(n, (quantity, day, recalled))| HeldLot {
                lot: format!("L{n}"),
                expires_on: date(2027, 1, *day),
                recalled: *recalled,
                quantity: Quantity(*quantity),
                before: Some(Quantity(*quantity)),
            }).collect();
            let today = date(2027, 1, 14);
            let total: i64 = stock.iter().map(|(quantity, ..)| quantity).sum::<i64>() + unlotted;
            let wanted = Quantity(wanted.min(total));
            for taken in [first_expired(&lots, wanted, today), whatever(&lots, Quantity(unlotted), wanted, today)] {
                let sum: Quantity = taken.iter().map(|part| part.quantity).sum();
                prop_assert!(sum <= wanted);
                for part in &taken {
                    let lot = lots.iter().find(|lot| lot.lot == part.lot).unwrap();
                    prop_assert!(part.quantity.is_positive() && part.quantity <= lot.quantity);
                }
            }
            let from_lots: Quantity = whatever(&lots, Quantity(unlotted), wanted, today).iter().map(|part| part.quantity).sum();
            prop_assert!(wanted - from_lots <= Quantity(unlotted), "what no lot gives is there without one");
        }
    }
}
