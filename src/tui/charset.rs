//! Which characters a terminal can show, and what stands for the others.

use std::borrow::Cow;

use deunicode::deunicode_char;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::domain::text::{REPLACEMENT, visible};

/// Which characters the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Charset {
    /// UTF-8.
    Unicode,
    /// Eight bits: western European letters, and the lines of [`Charset::Dec`].
    Latin1,
    /// Seven bits, and beside them the line drawing characters that VT terminals have had since the VT100.
    Dec,
    /// Seven bits.
    Ascii,
}

/// The second set of a VT terminal ("DEC special graphics"): its byte, and the character that is shown for it.
/// Source: VT220 Programmer Reference Manual, table 2-4.
const DRAWN: &[(u8, char)] = &[
    (b'`', '◆'),
    (b'a', '▒'),
    (b'f', '°'),
    (b'g', '±'),
    (b'j', '┘'),
    (b'k', '┐'),
    (b'l', '┌'),
    (b'm', '└'),
    (b'n', '┼'),
    (b'q', '─'),
    (b't', '├'),
    (b'u', '┤'),
    (b'v', '┴'),
    (b'w', '┬'),
    (b'x', '│'),
    (b'y', '≤'),
    (b'z', '≥'),
    (b'{', 'π'),
    (b'|', '≠'),
    (b'}', '£'),
    (b'~', '·'),
];

/// Spelt letters of scripts that write words without spaces end so: `林美玲` is `Lin Mei Ling`.
const SPELT_END: char = ' ';

impl Charset {
    /// The byte of the drawing set that shows this character, on a terminal that has that set.
    pub fn drawn(self, c: char) -> Option<u8> {
        match self {
            Charset::Latin1 | Charset::Dec => DRAWN
                .iter()
                .find(|(_, shown)| *shown == c)
                .map(|(byte, _)| *byte),
            Charset::Unicode | Charset::Ascii => None,
        }
    }

    /// Whether the terminal shows this character as it is.
    pub fn shows(self, c: char) -> bool {
        match self {
            Charset::Unicode => true,
            Charset::Latin1 => c.is_ascii() || is_latin1(c) || self.drawn(c).is_some(),
            Charset::Dec => c.is_ascii() || self.drawn(c).is_some(),
            Charset::Ascii => c.is_ascii(),
        }
    }

    /// Text from data, safe to draw: unsafe characters visibly replaced and, where the terminal does not have a letter,
    /// the letters that stand for it. What has no such letters is shown as `#`, never left out.
    pub fn text(self, text: &str) -> Cow<'_, str> {
        let shown = visible(text);
        if shown.chars().all(|c| self.shows(c)) {
            return shown;
        }
        let mut plain = String::with_capacity(shown.len());
        for c in shown.chars() {
            if self.shows(c) {
                // The space behind a spelt letter keeps two of them apart, and nothing else.
                if matches!(c, ' ' | ',' | ')') && plain.ends_with(SPELT_END) {
                    plain.pop();
                }
                plain.push(c);
            } else if !is_combining_mark(c) {
                self.stand_in(c, &mut plain);
            }
        }
        if plain.ends_with(SPELT_END) && !shown.ends_with(SPELT_END) {
            plain.pop();
        }
        Cow::Owned(plain)
    }

    /// What stands for a character that the terminal does not have: itself without its marks, or its usual spelling.
    fn stand_in(self, c: char, out: &mut String) {
        for part in std::iter::once(c).nfkd().filter(|c| !is_combining_mark(*c)) {
            if self.shows(part) {
                out.push(part);
            } else if let Some(usual) = usual(part) {
                out.push_str(usual);
            } else if let Some(spelt) = spelt(part) {
                out.push_str(spelt);
            } else {
                out.push('#');
            }
        }
    }
}

/// The upper half of Latin-1, but for the eight that ISO 8859-15 has in other places: a terminal of either is told the
/// same name.
fn is_latin1(c: char) -> bool {
    matches!(c, '\u{A0}'..='\u{FF}')
        && !matches!(
            c,
            '\u{A4}' | '\u{A6}' | '\u{A8}' | '\u{AD}' | '\u{B4}' | '\u{B8}' | '\u{BC}'..='\u{BE}'
        )
}

/// As ward sheets write it. This goes before the tables for all the world's letters.
fn usual(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'Æ' => "AE",
        'œ' => "oe",
        'Œ' => "OE",
        'ø' => "o",
        'Ø' => "O",
        'ł' => "l",
        'Ł' => "L",
        'đ' | 'ð' => "d",
        'Đ' | 'Ð' => "D",
        'þ' => "th",
        'Þ' => "Th",
        'ı' => "i",
        'ħ' => "h",
        'µ' | 'μ' => "u",
        '‘' | '’' | '‚' | '′' => "'",
        '“' | '”' | '„' | '″' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '−' => "-",
        '⁄' => "/",
        '×' => "x",
        '≤' => "<=",
        '≥' => ">=",
        '±' => "+-",
        '°' => "o",
        '─' => "-",
        '│' => "|",
        '•' | '·' => "*",
        '…' => "...",
        '\u{a0}' | '\u{2009}' | '\u{202f}' => " ",
        REPLACEMENT => "#",
        _ => return None,
    })
}

/// The letters as they sound in Latin ones; only letters, because a picture's name is not what was written.
fn spelt(c: char) -> Option<&'static str> {
    let spelt = deunicode_char(c).filter(|_| c.is_alphabetic())?;
    let safe = !spelt.is_empty() && spelt.bytes().all(|b| (0x20..0x7F).contains(&b));
    safe.then_some(spelt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_spelt_with_what_there_is() {
        let ascii = |text| Charset::Ascii.text(text).into_owned();
        assert_eq!(ascii("Kowalska, Zoë"), "Kowalska, Zoe");
        assert_eq!(ascii("Łukasz Yılmaz Størm"), "Lukasz Yilmaz Storm");
        assert_eq!(ascii("5 µg\u{202E}"), "5 ug#");
        assert_eq!(ascii("½ tab"), "1/2 tab");
        assert_eq!(ascii("林 美玲"), "Lin Mei Ling");
        assert_eq!(ascii("Ιωάννης Жуков"), "Ioannes Zhukov");
        assert_eq!(ascii("👍"), "#");
        let latin = |text| Charset::Latin1.text(text).into_owned();
        assert_eq!(latin("Müller, Łukasz, ≤ 5 µg"), "Müller, Lukasz, ≤ 5 µg");
        assert_eq!(latin("½"), "1/2", "elsewhere in ISO 8859-15");
        assert_eq!(Charset::Dec.text("Müller ≤ 5"), "Muller ≤ 5");
        assert_eq!(Charset::Unicode.text("林 Zoë"), "林 Zoë");
    }

    #[test]
    fn the_drawing_set_is_a_vt_terminals() {
        assert_eq!(Charset::Dec.drawn('─'), Some(b'q'));
        assert_eq!(Charset::Latin1.drawn('│'), Some(b'x'));
        assert_eq!(Charset::Ascii.drawn('─'), None);
        assert_eq!(Charset::Unicode.drawn('─'), None);
    }

    proptest! {
        #[test]
        fn nothing_is_drawn_that_the_terminal_does_not_have(text in any::<String>()) {
            for charset in [Charset::Unicode, Charset::Latin1, Charset::Dec, Charset::Ascii] {
                let shown = charset.text(&text);
                prop_assert!(shown.chars().all(|c| charset.shows(c)));
                prop_assert_eq!(visible(&shown), shown.as_ref());
            }
        }
    }
}
