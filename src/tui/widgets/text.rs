//! Text by display width: cut with a mark, padded, wrapped. All of it takes text that is already safe to show
//! (see [`crate::tui::theme::Theme::text`]) and counts what a terminal shows: wide characters two, marks none.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Whether a character takes one column and never joins with its neighbours where these are such as well: the letters of
/// western languages and what our own lines and bars are drawn with. Texts of these alone, which are nearly all, need no
/// search for the bounds of graphemes.
pub fn is_simple(c: char) -> bool {
    matches!(c,
        ' '..='~' | '\u{A1}'..='\u{AC}' | '\u{AE}'..='\u{24F}'
        | '\u{2022}' | '\u{2026}' | '\u{2500}'..='\u{259F}')
}

/// How many columns the text takes. Whole graphemes are measured, as the drawing library does it.
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    if text.chars().all(is_simple) {
        return text.chars().count();
    }
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The text in at most `columns`; where something is missing it ends in `mark`.
pub fn cut(text: &str, columns: usize, mark: &str) -> String {
    fitting(text, columns, mark).into_owned()
}

/// The text in at most `columns`; where something is missing it ends in `mark`.
pub fn fitting<'a>(text: &'a str, columns: usize, mark: &str) -> Cow<'a, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mark_width = width(mark);
    if columns < mark_width {
        return Cow::Borrowed("");
    }
    let room = columns - mark_width;
    if text.is_ascii() {
        let mut out = String::with_capacity(room + mark.len());
        out.push_str(text.get(..room).unwrap_or_default());
        out.push_str(mark);
        return Cow::Owned(out);
    }
    let (mut used, mut out) = (0, String::new());
    for grapheme in text.graphemes(true) {
        let wide = UnicodeWidthStr::width(grapheme);
        if used + wide > room {
            break;
        }
        used += wide;
        out.push_str(grapheme);
    }
    out.push_str(mark);
    Cow::Owned(out)
}

/// The text in exactly `columns`, at the left: cut or followed by spaces.
pub fn pad(text: &str, columns: usize, mark: &str) -> String {
    let shown = fitting(text, columns, mark);
    let missing = columns.saturating_sub(width(&shown));
    // One more: a cell is followed by a space.
    let mut out = String::with_capacity(shown.len() + missing + 1);
    out.push_str(&shown);
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// The text in exactly `columns`, at the right: cut or preceded by spaces.
pub fn pad_left(text: &str, columns: usize, mark: &str) -> String {
    let shown = fitting(text, columns, mark);
    let missing = columns.saturating_sub(width(&shown));
    let mut out = String::with_capacity(shown.len() + missing);
    out.extend(std::iter::repeat_n(' ', missing));
    out.push_str(&shown);
    out
}

/// The text in at most `columns`, cut between words only: of `100 unit/mL` never `10…` is left, because a part of a
/// number is another number. Where not even the first word fits, the mark alone.
pub fn cut_words(text: &str, columns: usize, mark: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(mark));
    let (mut used, mut kept) = (0, 0);
    for word in text.split_inclusive(' ') {
        if used + width(word.trim_end()) > room {
            break;
        }
        used += width(word);
        kept += word.len();
    }
    let kept = text.get(..kept).unwrap_or_default().trim_end();
    cut(&format!("{kept}{mark}"), columns, mark)
}

/// A number with its unit in exactly `columns`, at the left, cut between words only.
pub fn pad_words(text: &str, columns: usize, mark: &str) -> String {
    pad(&cut_words(text, columns, mark), columns, mark)
}

/// A number in exactly `columns`, at the right; one that does not fit is not shown in part.
pub fn pad_number(text: &str, columns: usize, mark: &str) -> String {
    pad_left(&cut_words(text, columns, mark), columns, mark)
}

/// Name and strength in exactly `columns`: of `Metoprolol Tartrate` and `25mg Tablet` it is the name that gives way,
/// because two strengths of one drug must not look alike. The strength is cut between words only.
pub fn pad_both(name: &str, strength: &str, columns: usize, mark: &str) -> String {
    if strength.is_empty() {
        return pad(name, columns, mark);
    }
    let (a, b) = (width(name), width(strength));
    if a + 1 + b <= columns {
        return pad(&format!("{name} {strength}"), columns, mark);
    }
    // A third of a name, or seven letters of it, is enough to know it by.
    let name_least = a.min(columns / 3).max(a.min(7));
    let second = cut_words(strength, columns.saturating_sub(name_least + 1), mark);
    let first = cut(name, columns.saturating_sub(width(&second) + 1), mark);
    pad(&format!("{first} {second}"), columns, mark)
}

/// The text in lines of at most `columns`, broken at spaces, and inside words that are longer than a line.
/// Always at least one line.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let wide = width(word);
        if used > 0 && used + 1 + wide > columns {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        for grapheme in word.graphemes(true) {
            // Some scripts stack marks that take columns of their own: what no line could hold is shown without them.
            let letter = grapheme.chars().next().map_or(0, char::len_utf8);
            let whole = UnicodeWidthStr::width(grapheme) <= columns;
            let grapheme = if whole { grapheme } else { &grapheme[..letter] };
            let w = UnicodeWidthStr::width(grapheme);
            if used + w > columns && used > 0 {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push_str(grapheme);
            used += w;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::visible;
    use proptest::prelude::*;

    #[test]
    fn cuts_at_display_columns() {
        assert_eq!(cut("Kowalska", 8, "…"), "Kowalska");
        assert_eq!(cut("Kowalska", 5, "…"), "Kowa…");
        assert_eq!(cut("Kowalska", 5, "~"), "Kowa~");
        assert_eq!(cut("Kowalska", 1, "…"), "…");
        assert_eq!(cut("Kowalska", 0, "…"), "");
        // A wide character that would only half fit is left out whole.
        assert_eq!(cut("山田太郎", 4, "…"), "山…");
        assert_eq!(pad("山田太郎", 4, "…"), "山… ");
        // A mark stays on its letter.
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2, "…"), "e\u{301}…");
    }

    #[test]
    fn the_strength_outlives_the_name() {
        assert_eq!(
            pad_both("Metoprolol Tartrate", "25mg Tablet", 24, "…"),
            "Metoprolol … 25mg Tablet"
        );
        assert_eq!(pad_both("Aspirin", "81mg", 14, "…"), "Aspirin 81mg  ");
        assert_eq!(
            pad_both("Paracetamol", "1000 mg / 100 mL Vial", 20, "…"),
            "Paraceta… 1000 mg /…"
        );
        assert_eq!(
            pad_both("Insulin", "100 unit/mL Vial", 11, "…"),
            "Insulin …  "
        );
        assert_eq!(pad_both("Aspirin", "", 9, "…"), "Aspirin  ");
        assert_eq!(pad_both("Aspirin", "81mg", 0, "…"), "");
    }

    #[test]
    fn wraps_at_spaces_and_inside_long_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
        assert_eq!(wrap("山田太郎", 5), ["山田", "太郎"]);
        assert_eq!(wrap("a b", 0), ["a", "b"]);
        // Found by the property below: one letter with marks that take three columns together.
        assert_eq!(wrap("0\u{9c7}\u{1134b}", 2), ["0"]);
    }

    #[test]
    fn simple_characters_take_a_column_each_and_do_not_join() {
        for c in ('\0'..=char::MAX).filter(|c| is_simple(*c)) {
            for text in [
                format!("{c}"),
                format!("a{c}"),
                format!("{c}a"),
                format!("{c}{c}"),
            ] {
                let graphemes: Vec<&str> = text.graphemes(true).collect();
                assert_eq!(graphemes.len(), text.chars().count(), "{c:?}");
                assert!(
                    graphemes.iter().all(|g| UnicodeWidthStr::width(*g) == 1),
                    "{c:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn never_wider_than_asked(text in any::<String>(), other in any::<String>(), columns in 0usize..40) {
            let (text, other) = (visible(&text), visible(&other));
            prop_assert!(width(&cut(&text, columns, "…")) <= columns);
            prop_assert_eq!(width(&pad(&text, columns, "…")), columns);
            prop_assert_eq!(width(&pad_left(&text, columns, "…")), columns);
            prop_assert_eq!(width(&pad_both(&text, &other, columns, "…")), columns);
            for line in wrap(&text, columns.max(2)) {
                prop_assert!(width(&line) <= columns.max(2), "{:?}", line);
            }
        }
    }
}
