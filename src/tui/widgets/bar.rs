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

/// Numbers in the order of time, one cell each, against `most`; anything above nothing shows.
pub fn spark(counts: &[u32], most: u32, symbols: &Symbols) -> String {
    let steps = u64::try_from(symbols.spark.len()).unwrap_or(1);
    let cell = |count: &u32| match u64::from(*count) {
        0 => symbols.nothing,
        count => {
            let step = (count * steps).div_ceil(u64::from(most.max(1)));
            let at = usize::try_from(step.clamp(1, steps) - 1).unwrap_or(0);
            symbols.spark.get(at).copied().unwrap_or(symbols.full)
        }
    };
    counts.iter().map(cell).collect()
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

    #[test]
    fn little_bars_show_whatever_is_more_than_nothing() {
        let of = |charset| {
            let symbols = Theme::new(Colours::None, charset).symbols;
            spark(&[0, 1, 40, 70, 80, 200], 80, &symbols)
        };
        assert_eq!(of(Charset::Unicode), " ▁▄▇██");
        assert_eq!(of(Charset::Ascii), " .=%##");
        let symbols = Theme::new(Colours::None, Charset::Ascii).symbols;
        assert_eq!(spark(&[0, 0], 0, &symbols), "  ");
    }
}
