//! A level as a bar.

use crate::domain::Quantity;
use crate::tui::theme::Symbols;

/// A bar of `columns` for a level against its threshold. The threshold stands at a third, so that a bar of one
/// third or less is what the word beside it calls low; anything above nothing shows at least one cell.
pub fn level(current: Quantity, threshold: Quantity, columns: usize, symbols: &Symbols) -> String {
    let full = threshold.0.max(0).saturating_mul(3);
    let cells = i64::try_from(columns).unwrap_or(i64::MAX);
    let filled = if !current.is_positive() {
        0
    } else if current.0 >= full {
        cells
    } else {
        // In 128 bits, because a level of a billion units times the columns does not fit in 64.
        let part = i128::from(current.0) * i128::from(cells) / i128::from(full);
        i64::try_from(part).unwrap_or(cells).clamp(1, cells.max(1))
    };
    let filled = usize::try_from(filled).unwrap_or(0).min(columns);
    format!(
        "{}{}",
        symbols.full.repeat(filled),
        symbols.empty.repeat(columns - filled)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Charset, Colours, Theme};

    #[test]
    fn the_threshold_stands_at_a_third() {
        let symbols = Theme::new(Colours::None, Charset::Ascii).symbols;
        let bar = |current, threshold| {
            level(
                Quantity::units(current),
                Quantity::units(threshold),
                6,
                &symbols,
            )
        };
        assert_eq!(bar(0, 10), "......");
        assert_eq!(bar(1, 10), "#.....");
        assert_eq!(bar(10, 10), "##....");
        assert_eq!(bar(15, 10), "###...");
        assert_eq!(bar(400, 10), "######");
        assert_eq!(bar(3, 0), "######");
        assert_eq!(bar(0, 0), "......");
    }
}
