//! What a scan does on the panes: a wristband shows that patient's doses, a package the drug that is in it.

use super::{Desk, Pane, Sheet, Tone};
use crate::domain::decide;
use crate::domain::scan::{Gtin, Package};
use crate::tui::keymap::Mode;
use crate::tui::list::{self, Move};
use crate::tui::model::{CodeFound, Context, Effect, Reply};
use crate::tui::sheets::package::{Scanned, tell_apart};
use crate::tui::sheets::{self, bind};
use crate::tui::words;

/// What was scanned on the panes and is being looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Looking {
    Person(String),
    Package(Package),
}

impl Desk {
    /// Whether a scan means something here; elsewhere it is typed, or does nothing. `ended`: the scanner sent a key behind
    /// it. What has none may be a text that was put into a field at once.
    pub(in crate::tui) fn takes_scan(&self, ended: bool) -> bool {
        let mode = self.mode();
        match &self.sheet {
            None => self.pages.is_empty() && mode != Mode::Filter,
            Some(Sheet::Fulfil(_) | Sheet::Round(_)) => match mode {
                Mode::Ready | Mode::Round | Mode::Stopped => true,
                Mode::Identify | Mode::Amount | Mode::Reason | Mode::Form => ended,
                _ => false,
            },
            Some(_) => false,
        }
    }

    /// Takes what a scanner read.
    pub(in crate::tui) fn scanned(&mut self, text: &str, context: &Context) -> Vec<Effect> {
        self.note = None;
        if self.sheet.is_some() {
            return self.tell_sheet(&sheets::Msg::Scan(text), context);
        }
        match tell_apart(text) {
            Err(why) => {
                self.say(Tone::Wrong, format!("This code cannot be read: {why}."));
                Vec::new()
            }
            Ok(Scanned::Person(number)) => self.scanned_person(number, context),
            Ok(Scanned::Either(number, _)) if self.doses_of(&number) > 0 => {
                self.scanned_person(number, context)
            }
            Ok(Scanned::Either(number, gtin)) => self.scanned_package(gtin.into(), Some(number)),
            Ok(Scanned::Package(package)) => self.scanned_package(package, None),
        }
    }

    /// How many doses in the queue are that patient's.
    fn doses_of(&self, mrn: &str) -> usize {
        let orders = self.snapshot().into_iter().flat_map(|s| &s.orders);
        orders.filter(|order| order.patient.mrn == mrn).count()
    }

    fn scanned_person(&mut self, mrn: String, context: &Context) -> Vec<Effect> {
        if self.doses_of(&mrn) == 0 {
            self.say(Tone::Plain, format!("Looking up whose number {mrn} is."));
            self.looking = Some(Looking::Person(mrn.clone()));
            return vec![Effect::FindPatient { mrn }];
        }
        self.focus_on(Pane::Queue, context);
        for msg in [
            list::Msg::OpenFilter,
            list::Msg::FilterPaste(mrn.clone()),
            list::Msg::KeepFilter,
        ] {
            self.queue.list.update(&msg, 1, 1);
        }
        self.refresh(context);
        self.tell_list(&list::Msg::Move(Move::First), context);
        let name = self.queue.selected().map(|o| o.patient.name.clone());
        let said = format!(
            "{}: doses in the queue: {}. * marks what is due, Esc shows everybody again.",
            name.unwrap_or_default(),
            self.doses_of(&mrn)
        );
        self.say(Tone::Good, said);
        Vec::new()
    }

    fn scanned_package(&mut self, package: Package, plain: Option<String>) -> Vec<Effect> {
        let Some(gtin) = package.gtin.clone() else {
            let why = "This code does not say which product it is.";
            self.say(Tone::Wrong, why);
            return Vec::new();
        };
        let lot = package.lot.clone();
        self.say(Tone::Plain, "Looking up what is in the package.");
        self.looking = Some(Looking::Package(package));
        vec![Effect::LookUpCode { gtin, lot, plain }]
    }

    /// An answer to what was scanned on the panes; `None`: it is not.
    pub(super) fn scan_answered(
        &mut self,
        reply: &Reply,
        context: &Context,
    ) -> Option<Vec<Effect>> {
        match (&self.looking, reply) {
            (Some(Looking::Person(mrn)), Reply::Patient { mrn: asked, name }) if mrn == asked => {
                self.looking = None;
                self.person_found(asked, name.as_ref().map(Option::as_deref));
                Some(Vec::new())
            }
            (Some(Looking::Package(package)), Reply::Code { gtin, found })
                if package.gtin.as_ref() == Some(gtin) =>
            {
                let package = package.clone();
                self.looking = None;
                Some(self.package_found(gtin, &package, found.as_ref(), context))
            }
            _ => None,
        }
    }

    fn person_found(&mut self, mrn: &str, name: Result<Option<&str>, &String>) {
        let said = match name {
            Ok(Some(name)) => format!("{name} ({mrn}): no dose is waiting on this ward."),
            Ok(None) => format!("{mrn} is nobody's number here, and no package's."),
            Err(why) => format!("Whose number {mrn} is could not be read: {why}"),
        };
        self.say(Tone::Wrong, said);
    }

    fn package_found(
        &mut self,
        gtin: &Gtin,
        package: &Package,
        found: Result<&CodeFound, &String>,
        context: &Context,
    ) -> Vec<Effect> {
        let found = match found {
            Ok(found) => found,
            Err(why) => {
                self.say(
                    Tone::Wrong,
                    format!("The package could not be looked up: {why}"),
                );
                return Vec::new();
            }
        };
        if let Some(name) = &found.patient {
            self.person_found(&gtin.to_string(), Ok(Some(name)));
            return Vec::new();
        }
        let Some(drug) = found.drugs.first() else {
            return self.unknown_package(gtin);
        };
        let level = self.snapshot().and_then(|s| s.stock_of(drug.id)).cloned();
        let held = level.as_ref().map_or_else(
            || "not stocked on this ward".to_owned(),
            |level| format!("{} here", words::amount(level.current, &level.drug)),
        );
        let lot = package.lot.as_ref().map(|lot| format!(" Lot {lot}."));
        let lot = lot.unwrap_or_default();
        let today = context.now.to_zoned(self.zone()).date();
        let (tone, warning) = match package.expiry.filter(|day| day.0 < today) {
            _ if drug.recalled => (Tone::Wrong, " RECALLED: give it to nobody.".to_owned()),
            Some(day) => (
                Tone::Wrong,
                format!(" EXPIRED on {}: do not use it.", day.0),
            ),
            None => (Tone::Good, String::new()),
        };
        if level.is_some() && self.sheet.is_none() {
            self.focus_on(Pane::Stock, context);
            self.tell_list(&list::Msg::ClearFilter, context);
            self.stock.list.select(drug.id);
            self.tell_list(&list::Msg::KeepFilter, context);
        }
        self.say(
            tone,
            format!("Package: {}, {held}.{lot}{warning}", drug.title),
        );
        Vec::new()
    }

    /// A package that nobody has said anything about: whoever may is asked, anybody else is told who may.
    fn unknown_package(&mut self, gtin: &Gtin) -> Vec<Effect> {
        let may = !self.actor.read_only && decide::may(self.actor.role, "bind_code");
        match (may, &self.ward) {
            (true, Some(ward)) if self.sheet.is_none() => {
                let (sheet, effects) = bind::Bind::open(gtin.clone(), ward.id);
                self.sheet = Some(Sheet::Bind(Box::new(sheet)));
                effects
            }
            _ => {
                let said = format!(
                    "Package {gtin} is not known: nothing says which drug is in it. A pharmacist who scans it here can say."
                );
                self.say(Tone::Wrong, said);
                Vec::new()
            }
        }
    }
}
