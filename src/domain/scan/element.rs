//! Element strings: application identifiers, each followed by its value.

use super::gtin::checked;
use super::{GROUP_SEPARATOR, Unreadable, Values, unfit};

/// Longest value of any application identifier.
const LONGEST_VALUE: usize = 90;

/// How many digits an application identifier has: its first two say it (GS1 General Specifications, figure 7.8.1-2).
fn identifier_length(text: &str) -> Option<usize> {
    let first: u8 = text.get(..2)?.parse().ok()?;
    Some(match first {
        0..=4 | 10..=22 | 30 | 37 | 90..=99 => 2,
        23..=25 | 40..=42 | 71 => 3,
        31..=36 | 39 | 43 | 70 | 72 | 80..=82 => 4,
        _ => return None,
    })
}

/// How long the value is of identifiers that need no separator after it: again the first two digits say it (GS1 General
/// Specifications, figure 7.8.5-2).
pub(super) fn fixed_length(ai: &str) -> Option<usize> {
    Some(match ai.get(..2)? {
        "00" => 18,
        "01" | "02" | "03" => 14,
        "04" => 16,
        "11" | "12" | "13" | "14" | "15" | "16" | "17" | "18" | "19" => 6,
        "20" => 2,
        "31" | "32" | "33" | "34" | "35" | "36" => 6,
        "41" => 13,
        _ => return None,
    })
}

/// Takes an element string apart, without the FNC1 before it; `^` and the group separator both end a value.
pub(super) fn read(text: &str) -> Result<Values, Unreadable> {
    let mut values = Values::new();
    let mut rest = text.trim_start_matches(is_separator);
    if rest.is_empty() {
        return Err(Unreadable::TooShort);
    }
    while !rest.is_empty() {
        let (ai, after) = identifier(rest)?;
        let (value, left) = match fixed_length(ai) {
            Some(length) => after
                .split_at_checked(length)
                .ok_or_else(|| unfit(ai, after, "the value is too short"))?,
            None => after.split_at(after.find(is_separator).unwrap_or(after.len())),
        };
        check(ai, value)?;
        values.push((ai.to_owned(), value.to_owned()));
        // A separator may follow any value, and must follow one of variable length unless it is the last.
        rest = left.strip_prefix(is_separator).unwrap_or(left);
    }
    Ok(values)
}

/// Takes apart what is printed below a code for people to type: `(01)09520123456788(10)ABC`. A bracket inside a value is
/// written `\\(`.
pub(super) fn read_printed(text: &str) -> Result<Values, Unreadable> {
    let mut values = Values::new();
    let mut rest = text;
    while let Some(inside) = rest.strip_prefix('(') {
        let (ai, after) = inside.split_once(')').ok_or(Unreadable::TooShort)?;
        if !is_known(ai) {
            return Err(Unreadable::NoIdentifier { at: ai.to_owned() });
        }
        let end = after
            .char_indices()
            .find(|(at, c)| *c == '(' && !after[..*at].ends_with('\\'))
            .map_or(after.len(), |(at, _)| at);
        let (value, left) = after.split_at(end);
        let value = value.replace("\\(", "(");
        check(ai, &value)?;
        if fixed_length(ai).is_some_and(|length| length != value.len()) {
            return Err(unfit(ai, &value, "the value has another length"));
        }
        values.push((ai.to_owned(), value));
        rest = left;
    }
    Ok(values)
}

fn is_separator(c: char) -> bool {
    c == GROUP_SEPARATOR || c == '^'
}

fn identifier(text: &str) -> Result<(&str, &str), Unreadable> {
    identifier_length(text)
        .and_then(|length| text.split_at_checked(length))
        .filter(|(ai, _)| ai.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or_else(|| Unreadable::NoIdentifier {
            at: text.chars().take(4).collect(),
        })
}

/// Whether a value is what its identifier wants.
pub(super) fn check(ai: &str, value: &str) -> Result<(), Unreadable> {
    let fail = |why| Err(unfit(ai, value, why));
    if value.is_empty() {
        return fail("the value is missing");
    }
    if !value.bytes().all(is_of_set_82) {
        return fail("a GS1 value holds no such character");
    }
    let most = match ai {
        "10" | "21" | "22" => 20,
        "235" => 28,
        "240" | "241" | "250" | "251" => 30,
        _ => LONGEST_VALUE,
    };
    if value.len() > most {
        return fail("the value is too long: a separator may be missing");
    }
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let numeric = fixed_length(ai).is_some() || matches!(ai, "8017" | "8018" | "30" | "37");
    if numeric && !digits {
        return fail("only digits belong there");
    }
    match ai {
        "8017" | "8018" if value.len() != 18 => fail("the number has 18 digits"),
        "00" | "01" | "02" | "03" | "8017" | "8018" if !checked(value) => {
            fail("its last digit does not fit the others")
        }
        _ => Ok(()),
    }
}

/// The characters that a value may hold (ISO/IEC 646 subset 82; GS1 General Specifications, figure 7.11-1).
fn is_of_set_82(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!\"%&'()*+,-./:;<=>?_".contains(&byte)
}

/// Whether there may be such an identifier: as many digits as its first two say.
pub(super) fn is_known(ai: &str) -> bool {
    ai.bytes().all(|byte| byte.is_ascii_digit()) && identifier_length(ai) == Some(ai.len())
}
