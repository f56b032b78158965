//! GS1 Digital Link: the same values as a web address.

use percent_encoding::percent_decode_str;

use super::gtin::Gtin;
use super::{Unreadable, Values, element, unfit};

/// Which values may follow which in the path, in this order, none of them necessary (URI syntax 1.4, 4.3 to 4.8). Names
/// instead of numbers are those of the first edition.
const PATHS: &[(&str, &[&str])] = &[
    ("01", &["22", "10", "21"]),
    ("01", &["235"]),
    ("00", &[]),
    ("8017", &["8019"]),
    ("8018", &["8019"]),
    ("414", &["254"]),
    ("253", &[]),
];

/// Whether a text is a web address.
pub(super) fn is_one(text: &str) -> bool {
    let begins = |with: &str| {
        text.get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    begins("http://") || begins("https://")
}

/// Takes a link apart.
pub(super) fn read(text: &str) -> Result<Values, Unreadable> {
    // What may stand in an address at all (RFC 3986, 2).
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
    if !text.chars().all(allowed) {
        return Err(Unreadable::NotALink);
    }
    let (_, rest) = text.split_once("://").ok_or(Unreadable::NotALink)?;
    let rest = rest.split('#').next().unwrap_or(rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (_, path) = place.split_once('/').ok_or(Unreadable::NotALink)?;
    let mut values = in_path(path)?;
    for pair in query.split(['&', ';']) {
        // What is not numbered is not GS1's: whoever made the link may have added anything.
        let Some((ai, value)) = pair.split_once('=') else {
            continue;
        };
        if ai.is_empty() || !ai.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let value = (ai.to_owned(), decoded(value)?);
        if !element::is_known(ai) {
            return Err(Unreadable::NoIdentifier { at: ai.to_owned() });
        }
        if values.iter().any(|(other, _)| *other == value.0) {
            return Err(Unreadable::Twice { ai: value.0 });
        }
        values.push(value);
    }
    for (ai, value) in &mut values {
        if ai == "01" {
            let gtin = Gtin::read(value).map_err(|why| unfit("01", value, why))?;
            gtin.as_str().clone_into(value);
        }
        element::check(ai, value)?;
        if let Some(length) = element::fixed_length(ai)
            && value.len() != length
        {
            return Err(unfit(ai, value, "the value has another length"));
        }
    }
    Ok(values)
}

/// The values in a path: from the last key in it on, everything belongs together.
fn in_path(path: &str) -> Result<Values, Unreadable> {
    let parts: Vec<&str> = path.split('/').collect();
    for start in (0..parts.len().saturating_sub(1)).rev() {
        let key = number(parts[start]);
        let (pairs, odd) = parts[start..].as_chunks::<2>();
        if !odd.is_empty() || !PATHS.iter().any(|(first, _)| *first == key) {
            continue;
        }
        let fits = PATHS
            .iter()
            .filter(|(first, _)| *first == key)
            .any(|(_, next)| {
                let mut next = next.iter();
                pairs[1..]
                    .iter()
                    .all(|[ai, _]| next.any(|known| *known == number(ai)))
            });
        if fits {
            return pairs
                .iter()
                .map(|[ai, value]| Ok((number(ai).to_owned(), decoded(value)?)))
                .collect();
        }
    }
    Err(Unreadable::NotALink)
}

/// The number of an identifier that may be written as a word.
fn number(part: &str) -> &str {
    match part {
        "gtin" => "01",
        "sscc" => "00",
        "cpv" => "22",
        "lot" => "10",
        "ser" => "21",
        "gsrnp" => "8017",
        "gsrn" => "8018",
        "gln" => "414",
        other => other,
    }
}

fn decoded(value: &str) -> Result<String, Unreadable> {
    percent_decode_str(value)
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| Unreadable::NotALink)
}
