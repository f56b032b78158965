//! What a client says of its terminal, as far as it is believed.

/// Largest terminal, in columns and rows: a wall of screens.
const LARGEST: (u32, u32) = (400, 150);
/// Longest name.
const LONGEST: usize = 64;

/// The size of a terminal, whatever it says it is.
pub(super) fn clamped(columns: u32, rows: u32) -> (u16, u16) {
    if columns == 0 || rows == 0 {
        return (80, 24);
    }
    let narrow = |n: u32, most: u32| u16::try_from(n.min(most)).unwrap_or(u16::MAX);
    (narrow(columns, LARGEST.0), narrow(rows, LARGEST.1))
}

/// Its name.
pub(super) fn name(term: &str) -> String {
    let graphic = term.chars().filter(char::is_ascii_graphic);
    graphic.take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_believed_within_reason() {
        assert_eq!(clamped(0, 50), (80, 24));
        assert_eq!(clamped(80, 24), (80, 24));
        assert_eq!(clamped(65_000, 65_000), (400, 150));
        assert_eq!(clamped(u32::MAX, 1), (400, 1));
    }

    #[test]
    fn a_name_is_a_word() {
        assert_eq!(name("xterm\x1b[2J"), "xterm[2J");
        assert_eq!(name(&"x".repeat(100)).len(), LONGEST);
    }
}
