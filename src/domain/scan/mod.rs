//! What a scanner types: a wristband, a badge, or the code on a drug's package.
//!
//! [`read`] tells a package from everything else and takes it apart; it knows nothing of drugs or patients. A package is a
//! GS1 code: an element string (`]d2`, `]C1`, `]e0`, `]Q3` or FNC1 before it, or a GTIN first), a GS1 Digital Link, or the
//! digits of an EAN or UPC that a scanner has marked as one. Sources: GS1 General Specifications 24, chapters 3, 5.10 and
//! 7; GS1 Digital Link: URI syntax 1.4. The symbology identifiers are those of ISO/IEC 15424.

mod date;
mod element;
mod gtin;
mod link;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use date::Expiry;
pub use gtin::Gtin;

/// The group separator (ASCII 29): in an element string it ends a value of variable length.
pub const GROUP_SEPARATOR: char = '\u{1d}';

/// Longer than any code that a package holds (GS1 allows 48 to 90 characters); what is longer was not scanned from one.
pub const LONGEST: usize = 500;

/// What was scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// The code of a package.
    Package(Package),
    /// The number of a person in care, as a GS1 wristband holds it (application identifier 8018).
    Person(String),
    /// Anything else, as it is: a plain wristband, a badge, a bare number.
    Plain(String),
}

/// What a package says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Which product, in which size of package.
    pub gtin: Option<Gtin>,
    /// Not to be used after.
    pub expiry: Option<Expiry>,
    /// Batch or lot.
    pub lot: Option<String>,
    /// Of this one package.
    pub serial: Option<String>,
}

impl From<Gtin> for Package {
    /// A package that says which product it is, and no more.
    fn from(gtin: Gtin) -> Package {
        Package {
            gtin: Some(gtin),
            ..Package::default()
        }
    }
}

/// Why a code that claims to be GS1 cannot be read: in words for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It ends before its first value does.
    #[error("the code is empty or ends too early: scan it again")]
    TooShort,
    /// More than a package holds.
    #[error("more than {LONGEST} characters: that is not the code of a package")]
    TooLong,
    /// A value begins with no application identifier.
    #[error("'{at}' begins no value of a GS1 code: scan it again")]
    NoIdentifier {
        /// What stood there.
        at: String,
    },
    /// A value is not as its identifier wants it.
    #[error("({ai}) is followed by '{value}', and {why}: scan it again")]
    Value {
        /// The application identifier.
        ai: String,
        /// What followed.
        value: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The same identifier twice with different values.
    #[error("({ai}) is there twice, with different values")]
    Twice {
        /// The application identifier.
        ai: String,
    },
    /// A link that is no GS1 Digital Link.
    #[error("the link holds no GS1 number where one belongs")]
    NotALink,
}

/// Reads what was scanned. Blanks and line ends around it are the scanner's own and are left out.
///
/// # Errors
/// [`Unreadable`], where it says that it is a GS1 code and is none.
pub fn read(text: &str) -> Result<Scan, Unreadable> {
    let text = text.trim_matches([' ', '\r', '\n', '\t']);
    if text.chars().count() > LONGEST {
        return Err(Unreadable::TooLong);
    }
    if let Some(rest) = text.strip_prefix(']') {
        return marked(rest, text);
    }
    if link::is_one(text) {
        return link::read(text).and_then(scanned);
    }
    if let Some(rest) = text.strip_prefix([GROUP_SEPARATOR, '^']) {
        return element::read(rest).and_then(scanned);
    }
    if text.starts_with('(') {
        return element::read_printed(text).and_then(scanned);
    }
    // Without a mark: element strings of packages begin with their GTIN, which has a check digit.
    if text.len() >= 16
        && text
            .strip_prefix("01")
            .and_then(|rest| rest.get(..14))
            .is_some_and(|digits| Gtin::read(digits).is_ok())
        && let Ok(values) = element::read(text)
    {
        return scanned(values);
    }
    Ok(Scan::Plain(text.to_owned()))
}

/// What a scanner that names the symbology sends: `]`, a letter, a digit, and the data.
fn marked(rest: &str, whole: &str) -> Result<Scan, Unreadable> {
    let Some((mark, data)) = rest.split_at_checked(2) else {
        return Ok(Scan::Plain(whole.to_owned()));
    };
    match mark {
        // GS1-128, GS1 DataBar and composites, GS1 DataMatrix, GS1 QR, GS1 DotCode.
        "C1" | "e0" | "e1" | "e2" | "d2" | "Q3" | "J1" => element::read(data).and_then(scanned),
        // EAN-13, UPC-A, UPC-E and EAN-8; what a composite adds after a bar is not of the item's number.
        "E0" | "E4" => {
            let (digits, _) = data.split_once('|').unwrap_or((data, ""));
            let wanted = if mark == "E4" { 8 } else { 13 };
            if digits.len() != wanted {
                return Err(unfit("01", digits, "an EAN has 8 or 13 digits"));
            }
            let gtin = Gtin::read(digits).map_err(|why| unfit("01", digits, why))?;
            Ok(Scan::Package(Package {
                gtin: Some(gtin),
                ..Package::default()
            }))
        }
        // A QR, Data Matrix or DotCode that is not GS1's may still hold a link; otherwise it is a plain text.
        _ if link::is_one(data) => link::read(data).and_then(scanned),
        _ => Ok(Scan::Plain(data.to_owned())),
    }
}

/// Reads bare digits as the number of a product: for a field in which nothing else is expected.
///
/// # Errors
/// [`Unreadable`]: not 8, 12, 13 or 14 digits, or the check digit is wrong.
pub fn product(digits: &str) -> Result<Gtin, Unreadable> {
    let digits = digits.trim();
    Gtin::read(digits).map_err(|why| unfit("01", digits, why))
}

/// Values by application identifier, in the order in which they stood.
type Values = Vec<(String, String)>;

fn unfit(ai: &str, value: &str, why: &'static str) -> Unreadable {
    Unreadable::Value {
        ai: ai.to_owned(),
        value: value.to_owned(),
        why,
    }
}

/// What of a code's values concerns a ward.
fn scanned(values: Values) -> Result<Scan, Unreadable> {
    let find = |wanted: &str| {
        let mut found = values.iter().filter(|(ai, _)| ai == wanted);
        let first = found.next().map(|(_, value)| value.as_str());
        if found.any(|(_, value)| Some(value.as_str()) != first) {
            return Err(Unreadable::Twice {
                ai: wanted.to_owned(),
            });
        }
        Ok(first)
    };
    if let Some(person) = find("8018")? {
        return Ok(Scan::Person(person.to_owned()));
    }
    let gtin = find("01")?
        .map(|digits| Gtin::read(digits).map_err(|why| unfit("01", digits, why)))
        .transpose()?;
    let expiry = find("17")?
        .map(|digits| Expiry::read(digits).map_err(|why| unfit("17", digits, why)))
        .transpose()?;
    Ok(Scan::Package(Package {
        gtin,
        expiry,
        lot: find("10")?.map(str::to_owned),
        serial: find("21")?.map(str::to_owned),
    }))
}
