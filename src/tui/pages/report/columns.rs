//! How much room each field of a report has: the norm is 80 columns, paper has 132, a wide screen more.

use crate::domain::report::Kind;
use crate::tui::pages::table::Column;

const WHEN: usize = 12;
const KEY: usize = 36;

const DOSES: &[Column] = &[
    Column::fixed("due", WHEN),
    Column::text("bed", 3, 6).rank(5),
    Column::text("patient", 12, 28).below(),
    Column::text("mrn", 8, 12).rank(6),
    Column::text("drug", 14, 40),
    Column::fixed("dose", 6).right().rank(3),
    Column::text("unit", 4, 8).rank(7),
    Column::fixed("state", 10).below(),
    Column::fixed("late", 9).right().rank(1).below(),
    Column::fixed("at", WHEN).rank(4),
    Column::text("by", 8, 22).rank(8),
    Column::text("why", 8, 40).rank(9),
    Column::fixed("order", KEY).rank(12),
];
const NOT_GIVEN: &[Column] = &[
    Column::fixed("time", WHEN),
    Column::text("patient", 12, 28),
    Column::text("mrn", 8, 12).rank(5),
    Column::text("drug", 14, 40).below(),
    Column::fixed("outcome", 9),
    Column::text("why", 12, 44).below(),
    Column::text("by", 8, 22).rank(3),
    Column::fixed("entered", WHEN).rank(6),
    Column::fixed("taken back", 10).rank(4),
    Column::text("code", 6, 14).rank(7),
    Column::fixed("entry", KEY).rank(12),
];
const EFFECTS: &[Column] = &[
    Column::fixed("given", WHEN),
    Column::text("patient", 12, 28),
    Column::text("mrn", 8, 12).rank(6),
    Column::text("drug", 14, 40).below(),
    Column::fixed("quantity", 8).right().rank(5),
    Column::text("unit", 4, 8).rank(5),
    Column::text("for", 6, 24).rank(2),
    Column::text("effect", 13, 36).below(),
    Column::fixed("noted", WHEN).rank(3),
    Column::text("noted by", 8, 22).rank(4),
    Column::text("code", 6, 14).rank(7),
    Column::fixed("entry", KEY).rank(12),
];
const SCANS: &[Column] = &[
    Column::fixed("time", WHEN),
    Column::text("by", 8, 20),
    Column::fixed("stopped by", 10).rank(2),
    Column::text("patient", 12, 28).below(),
    Column::text("mrn", 8, 12).rank(4),
    Column::text("drug", 14, 40).below(),
    Column::fixed("order", KEY).rank(12),
];
const OVERRIDES: &[Column] = &[
    Column::fixed("time", WHEN),
    Column::fixed("what", 10).rank(5),
    Column::text("patient", 10, 28),
    Column::text("mrn", 8, 12).rank(6),
    Column::text("drug", 12, 40).below(),
    Column::text("warned of", 9, 30),
    Column::text("why", 12, 44).below(),
    Column::text("by", 8, 22).rank(2),
    Column::text("code", 6, 14).rank(7),
];
const DISCREPANCIES: &[Column] = &[
    Column::fixed("found", WHEN),
    Column::text("drug", 14, 40),
    Column::text("difference", 10, 16).below(),
    Column::text("unit", 4, 8).rank(5),
    Column::text("of", 8, 22).rank(3).below(),
    Column::fixed("state", 11),
    Column::text("found by", 8, 22).rank(4),
    Column::text("reason", 8, 30).rank(2),
    Column::fixed("resolved", WHEN).rank(6),
    Column::text("resolved by", 11, 22).rank(7),
    Column::text("why", 8, 30).rank(8),
    Column::fixed("id", KEY).rank(12),
];
const USE: &[Column] = &[
    Column::text("drug", 22, 48),
    Column::text("unit", 3, 8).rank(1),
    Column::fixed("given", 7).right(),
    Column::fixed("wasted", 7).right().below(),
    Column::fixed("sent", 7).right().below(),
    Column::fixed("returned", 8).right().rank(3).below(),
    Column::fixed("adjusted", 8).right().rank(2).below(),
    Column::fixed("came", 7).right().below(),
    Column::text("code", 6, 14).rank(7),
];
const STOCK_OUTS: &[Column] = &[
    Column::fixed("since", WHEN),
    Column::fixed("until", WHEN),
    Column::text("drug", 14, 48).below(),
    Column::fixed("lasted", 9).right(),
    Column::fixed("took", 9).rank(1).below(),
    Column::text("by", 8, 22).rank(2),
    Column::text("code", 6, 14).rank(7),
];

/// The columns of a report, in the order of its fields.
pub const fn of(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Due | Kind::Missed | Kind::Late => DOSES,
        Kind::NotGiven => NOT_GIVEN,
        Kind::Effects => EFFECTS,
        Kind::WrongPatient => SCANS,
        Kind::Overrides => OVERRIDES,
        Kind::Discrepancies => DISCREPANCIES,
        Kind::Use => USE,
        Kind::StockOuts => STOCK_OUTS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_column() {
        for kind in Kind::ALL {
            let heads: Vec<&str> = of(*kind).iter().map(Column::head).collect();
            assert_eq!(heads, crate::domain::report::columns(*kind), "{kind}");
        }
    }
}
