//! Is it the right drug? The part of a sheet where the code on a package was scanned.
//!
//! A wrong drug stops the sheet: nothing can be signed until the right one is scanned or the stop is put away by a key of
//! its own. So does a package that is past its date or of a recalled lot.

use jiff::civil::Date;
use ratatui::style::Style;

use crate::domain::scan::{Gtin, Package, Scan, Unreadable, product, read};
use crate::domain::{DrugId, OrderId};
use crate::tui::model::{CodeFound, Effect, Reply, Stopped};
use crate::tui::theme::Theme;

/// What a scan on a sheet of doses is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// A number of a person, or whatever else is no package.
    Person(String),
    /// The code of a package.
    Package(Package),
    /// Digits that may be the number of a product, or of a person.
    Either(String, Gtin),
}

/// Tells a person from a package.
///
/// # Errors
/// It says that it is a GS1 code, and is none.
pub fn tell_apart(text: &str) -> Result<Scanned, Unreadable> {
    Ok(match read(text)? {
        Scan::Package(package) => Scanned::Package(package),
        Scan::Person(number) => Scanned::Person(number),
        Scan::Plain(plain) => match product(&plain) {
            Ok(gtin) => Scanned::Either(plain, gtin),
            Err(_) => Scanned::Person(plain),
        },
    })
}

/// What is known of the package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Pack {
    /// None was scanned.
    #[default]
    None,
    /// What it holds is being looked up.
    Looking,
    /// It holds this drug.
    Right {
        /// As the formulary calls it.
        title: String,
        /// Its lot.
        lot: Option<String>,
    },
    /// Nothing says what it holds.
    Unknown(Gtin),
    /// What it holds could not be read, and why.
    Unread(String),
    /// It must not be given.
    Stopped {
        /// In capitals.
        what: &'static str,
        /// In a sentence.
        why: String,
    },
}

/// The part's state.
#[derive(Debug, Clone, Default)]
pub struct PackageCheck {
    /// What is known.
    pub pack: Pack,
    package: Package,
    /// It was digits that may be a person's number as well.
    plain: Option<String>,
}

/// What is said of it: a stop in words over the whole width, so that nobody overlooks it.
pub fn words(check: &PackageCheck, theme: &Theme, columns: u16, say: &mut impl FnMut(&str, Style)) {
    let mark = theme.symbols.mark;
    match &check.pack {
        Pack::None => {}
        Pack::Looking => say(
            &format!("Looking up what is in the package{mark}"),
            theme.plain(),
        ),
        Pack::Right { title, lot } => {
            let lot = lot
                .as_ref()
                .map(|lot| format!(", lot {lot} (the register books the lot that expires first)"));
            let tick = theme.symbols.tick;
            let text = format!("{tick} package: {title}{}", lot.unwrap_or_default());
            say(&text, theme.good());
        }
        Pack::Unknown(gtin) => say(
            &format!(
                "NOT KNOWN: nothing says which drug is in package {gtin}. Compare it by eye. A pharmacist who scans it at \
                 the desk can say what it is."
            ),
            theme.warning(),
        ),
        Pack::Unread(why) => say(
            &format!("What is in the package is not known: {why}."),
            theme.warning(),
        ),
        Pack::Stopped { what, why } => {
            say(&across(what, columns), theme.wrong().patch(theme.loud()));
            say(why, theme.wrong());
            let then = "Nothing was recorded, and nothing can be signed. Scan the right package, or Esc puts this away.";
            say(then, theme.wrong());
        }
    }
}

/// A word that fills a line.
pub fn across(word: &str, columns: u16) -> String {
    let columns = usize::from(columns);
    format!("{:*^columns$}", format!(" {word} "))
}

/// What came of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// Nothing that the sheet must do.
    Nothing,
    /// It is one of the drugs that are wanted.
    Is(DrugId),
    /// It must not be given: this goes on record.
    Stop(Stopped),
    /// It was no package: the number is this person's.
    Person {
        /// As scanned.
        number: String,
        /// Whose it is.
        name: String,
    },
}

impl PackageCheck {
    /// Looks up what a package holds. `plain`: it was digits that may be a person's number as well.
    pub fn look_up(&mut self, package: Package, plain: Option<String>) -> Vec<Effect> {
        let Some(gtin) = package.gtin.clone() else {
            self.pack = Pack::Unread("the code does not say which product it is".to_owned());
            return Vec::new();
        };
        let lot = package.lot.clone();
        self.pack = Pack::Looking;
        self.package = package;
        self.plain.clone_from(&plain);
        vec![Effect::LookUpCode { gtin, lot, plain }]
    }

    /// Whether nothing may be signed: it must not be given, or what it is is not known yet.
    pub fn is_stopped(&self) -> bool {
        matches!(self.pack, Pack::Stopped { .. } | Pack::Looking)
    }

    /// Puts away what was scanned.
    pub fn dismiss(&mut self) {
        *self = PackageCheck::default();
    }

    /// Takes the answer what it holds; `wanted` are the drugs of the doses, with their titles.
    pub fn reply(&mut self, reply: &Reply, wanted: &[(DrugId, String)], today: Date) -> Came {
        let Reply::Code { gtin, found } = reply else {
            return Came::Nothing;
        };
        if self.pack != Pack::Looking || self.package.gtin.as_ref() != Some(gtin) {
            return Came::Nothing;
        }
        match found {
            Err(why) => {
                self.pack = Pack::Unread(why.clone());
                Came::Nothing
            }
            Ok(found) => self.found(gtin, found, wanted, today),
        }
    }

    fn found(
        &mut self,
        gtin: &Gtin,
        found: &CodeFound,
        wanted: &[(DrugId, String)],
        today: Date,
    ) -> Came {
        if let (Some(name), Some(number)) = (&found.patient, &self.plain) {
            let (name, number) = (name.clone(), number.clone());
            self.dismiss();
            return Came::Person { number, name };
        }
        if found.drugs.is_empty() {
            self.pack = Pack::Unknown(gtin.clone());
            return Came::Nothing;
        }
        let right = found
            .drugs
            .iter()
            .find(|drug| wanted.iter().any(|(id, _)| *id == drug.id));
        let Some(right) = right else {
            let holds: Vec<&str> = found.drugs.iter().map(|d| d.title.as_str()).collect();
            let wanted: Vec<&str> = wanted.iter().map(|(_, title)| title.as_str()).collect();
            let why = format!(
                "This package holds {}. Prescribed is {}.",
                holds.join(", or "),
                wanted.join("; ")
            );
            return self.stop("WRONG DRUG", why, Stopped::WrongDrug);
        };
        let lot = self.package.lot.clone();
        let of_lot = lot.as_ref().map(|lot| format!(" lot {lot}"));
        let of_lot = of_lot.unwrap_or_default();
        if right.recalled {
            let why = format!(
                "{}{of_lot} was recalled: it is given to nobody.",
                right.title
            );
            return self.stop("RECALLED", why, Stopped::Recalled);
        }
        if let Some(day) = self.package.expiry.filter(|day| day.0 < today) {
            let why = format!("{}{of_lot} was to be used until {}.", right.title, day.0);
            return self.stop("EXPIRED", why, Stopped::Expired);
        }
        self.pack = Pack::Right {
            title: right.title.clone(),
            lot,
        };
        Came::Is(right.id)
    }

    fn stop(&mut self, what: &'static str, why: String, stopped: Stopped) -> Came {
        self.pack = Pack::Stopped { what, why };
        Came::Stop(stopped)
    }

    /// That something was stopped, for the record.
    pub fn on_record(stopped: Stopped, order: OrderId) -> Effect {
        Effect::StoppedScan { order, stopped }
    }
}
