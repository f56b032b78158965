//! Text that comes from outside: made plain where it enters, and shown safely wherever it is drawn.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// At most this many combining marks stand on one character; more is an attack on the line above.
/// Vietnamese needs two, Hebrew and Arabic with full vocalisation three.
const MARKS: usize = 4;

/// What stands where a character may not be shown.
pub const REPLACEMENT: char = '\u{FFFD}';

/// Whether a character must never reach a terminal: controls, bidi overrides and isolates, zero-width and other
/// invisible format characters, tags, line separators, noncharacters and private use.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}'                              // soft hyphen
            | '\u{034F}' | '\u{061C}'               // grapheme joiner, Arabic letter mark
            | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'               // zero width, direction marks
            | '\u{2028}'..='\u{202E}'               // separators, bidi embeddings and overrides
            | '\u{2060}'..='\u{206F}'               // word joiner, isolates, invisible operators
            | '\u{3164}' | '\u{FFA0}'               // fillers
            | '\u{FE00}'..='\u{FE0F}'               // variation selectors
            | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{E000}'..='\u{F8FF}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{10FFFF}')
        || (c as u32) & 0xFFFE == 0xFFFE
}

/// The text with every unsafe character visibly replaced and combining marks capped. Borrows when nothing changes.
/// One unsafe character gives one replacement, so that what was there can be counted.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (0x20..0x7F).contains(&b)) {
        return Cow::Borrowed(text);
    }
    let mut marks = 0;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            marks = 0;
            out.push(REPLACEMENT);
        } else if is_combining_mark(c) {
            marks += 1;
            // A mark that stands first would sit on whatever was drawn before it.
            if marks <= MARKS && !out.is_empty() {
                out.push(c);
            }
        } else {
            marks = 0;
            out.push(c);
        }
    }
    if out == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(out)
    }
}

/// Makes a text from outside plain: composed (NFC), trimmed, runs of white space as one space.
/// Unsafe characters are kept as they came (what is on record stays provable) and replaced where they are shown.
/// NUL alone goes: PostgreSQL cannot store it.
pub fn plain(text: &str) -> String {
    let composed: String = text.nfc().filter(|&c| c != '\0').collect();
    composed
        .split([' ', '\t', '\r', '\n'])
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The form of a name that searches compare: decomposed, without marks, lower-case. `Müller` and `muller` are one.
pub fn name_key(name: &str) -> String {
    name.nfkd()
        .filter(|&c| !is_combining_mark(c) && !is_unsafe(c))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_text_is_made_visible() {
        assert_eq!(visible("Müller, Zoë"), "Müller, Zoë");
        assert_eq!(visible("\x1b[31mred"), "\u{FFFD}[31mred");
        assert_eq!(
            visible("a\u{202E}b\u{200B}c\u{FEFF}d"),
            "a\u{FFFD}b\u{FFFD}c\u{FFFD}d"
        );
        assert_eq!(visible("\u{9b}31m"), "\u{FFFD}31m");
        let zalgo = format!("e{}", "\u{0301}".repeat(50));
        assert_eq!(visible(&zalgo).chars().count(), 1 + MARKS);
        assert_eq!(visible("\u{0301}x"), "x");
    }

    #[test]
    fn names_meet_in_their_key() {
        assert_eq!(name_key("Müller"), name_key("MULLER"));
        assert_eq!(name_key("Kowalska, Zoë"), "kowalska, zoe");
        assert_eq!(plain("  a\t b\r\nc\0 "), "a b c");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_ever_shown(text in any::<String>()) {
            let shown = visible(&text);
            prop_assert!(!shown.chars().any(|c| c != REPLACEMENT && is_unsafe(c)));
            prop_assert_eq!(visible(&shown), shown.as_ref());
        }
    }
}
