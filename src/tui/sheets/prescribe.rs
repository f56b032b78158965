//! The sheet that prescribes: first the drug, from the formulary by the beginning of its name; then dose, route, when.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use ratatui::layout::Rect;

use super::drug_search::DrugSearch;
use super::facts::Facts;
use super::form::{Form, Words};
use super::{Msg, Scene, Then, coded, inset};
use crate::domain::decide::{warning_words, warnings};
use crate::domain::mar::Record;
use crate::domain::prescribed::Candidate;
use crate::domain::prescribing::{Override, Prescribe as Ask, PrescribingWarning};
use crate::domain::schedule::{self, HOW, asked};
use crate::domain::text::name_key;
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{Quantity, ReasonKind, Receipt, Request};
use crate::tui::clock;
use crate::tui::keymap::{Action, Mode};
use crate::tui::model::Effect;
use crate::tui::widgets::Pen;
use crate::tui::words;

/// Fields of the form, in their order.
const DOSE: usize = 0;
const ROUTE: usize = 1;
const WHEN: usize = 2;
const START: usize = 3;
const STOP: usize = 4;

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct Prescribe {
    /// The patient, and what runs.
    pub record: Arc<Record>,
    search: DrugSearch,
    chosen: Option<Chosen>,
}

#[derive(Debug, Clone)]
struct Chosen {
    candidate: Candidate,
    warnings: Vec<(PrescribingWarning, String)>,
    form: Form,
}

impl Prescribe {
    /// The sheet for a patient.
    pub fn open(record: Arc<Record>) -> (Prescribe, Vec<Effect>) {
        let (search, effects) = DrugSearch::open(record.ward.id);
        let sheet = Prescribe {
            record,
            search,
            chosen: None,
        };
        (sheet, effects)
    }

    /// What has the keys.
    pub fn mode(&self) -> Mode {
        self.chosen
            .as_ref()
            .map_or(Mode::Picker, |chosen| chosen.form.mode())
    }

    /// The form, once a drug is chosen.
    pub fn form(&self) -> Option<&Form> {
        self.chosen.as_ref().map(|chosen| &chosen.form)
    }

    /// The form, once a drug is chosen.
    pub fn form_mut(&mut self) -> Option<&mut Form> {
        self.chosen.as_mut().map(|chosen| &mut chosen.form)
    }

    /// What it is about, for telling its outcome when it is closed.
    pub fn told(&self) -> String {
        let drug = self
            .chosen
            .as_ref()
            .map(|chosen| chosen.candidate.drug.title());
        format!(
            "prescribing {} for {}",
            drug.unwrap_or_default(),
            self.record.patient.name
        )
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        match (msg, &mut self.chosen) {
            (Msg::Act(Action::Close), _) => return (Vec::new(), Then::Close),
            (Msg::Act(Action::Choose), None) => self.choose(),
            (Msg::Act(Action::Sign), Some(_)) => return (self.sign(scene), Then::Stay),
            (other, Some(chosen)) => chosen.form.update(other),
            (other, None) => return (self.search.update(other), Then::Stay),
        }
        (Vec::new(), Then::Stay)
    }

    fn choose(&mut self) {
        let Some(candidate) = self.search.selected().cloned() else {
            return;
        };
        let key = name_key(&candidate.drug.name);
        let running = self.record.lines.iter().filter(|line| {
            line.status == PrescriptionStatus::Active
                && (line.drug.id == candidate.drug.id || name_key(&line.drug.name) == key)
        });
        let titles: Vec<String> = running.map(|line| line.drug.title()).collect();
        let warnings = warnings(
            &self.record.patient.allergies,
            &candidate.drug.title(),
            titles.iter().map(String::as_str),
        );
        let mut labels = vec!["Dose", "Route", "When", "Start", "Stop"];
        labels.extend(warnings.iter().map(|(kind, _)| match kind {
            PrescribingWarning::Allergy => "Allergy",
            PrescribingWarning::Duplicate => "Twice",
        }));
        self.chosen = Some(Chosen {
            candidate,
            warnings,
            form: Form::new(&labels),
        });
    }

    fn sign(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        let record = Arc::clone(&self.record);
        let Some(chosen) = &mut self.chosen else {
            return Vec::new();
        };
        let drug = chosen.candidate.drug.id;
        match chosen.ask(&record, scene) {
            Ok(ask) => {
                let request = Request::Prescribe(Box::new(ask));
                chosen.form.signing.sign(request, None, &[drug], scene)
            }
            Err((field, why)) => chosen.form.missing(field, why),
        }
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        match &self.chosen {
            Some(chosen) => chosen.view(pen, area, &self.record, scene),
            None => {
                let who = format!("PRESCRIBE FOR {}: WHICH DRUG?", self.record.patient.name);
                self.search.view(pen, area, &who);
            }
        }
    }
}

impl Chosen {
    /// What is asked; or the field that is wrong, and what is wrong with it.
    fn ask(&self, record: &Record, scene: &Scene<'_>) -> Result<Ask, (usize, String)> {
        let typed = |field: usize| self.form.value(field);
        let zone = record.ward.zone();
        let now = scene.context.now;
        let (dose, most) =
            range(typed(DOSE), &self.candidate.drug.unit).map_err(|why| (DOSE, why))?;
        if typed(ROUTE).is_empty() {
            return Err((ROUTE, "Type how it is given: PO, IV, SC.".to_owned()));
        }
        let start = moment(typed(START), now, now, &zone).map_err(|why| (START, why))?;
        let begins = start.unwrap_or(now);
        let standard = &scene.context.policy.standard_times;
        let when = asked(typed(WHEN), zone.to_datetime(begins), standard);
        let when = when.map_err(|why| (WHEN, format!("{why}.")))?;
        let stop = moment(typed(STOP), begins, now, &zone).map_err(|why| (STOP, why))?;
        let mut overrides = Vec::new();
        for (at, (kind, _)) in self.warnings.iter().enumerate() {
            let field = STOP + 1 + at;
            let reasons = &scene.context.policy.reasons;
            let reason = coded::read(typed(field), ReasonKind::Override, reasons);
            overrides.push(Override {
                kind: *kind,
                reason: reason.map_err(|why| (field, format!("Why all the same? {why}")))?,
            });
        }
        Ok(Ask {
            patient: record.patient.id,
            version: record.version,
            drug: self.candidate.drug.id,
            dose,
            most,
            route: typed(ROUTE).to_uppercase(),
            frequency: when.frequency,
            schedule: when.schedule,
            stat: when.stat,
            start,
            stop,
            overrides,
        })
    }

    /// What was understood of when, or what is typed there.
    fn understood(&self, record: &Record, scene: &Scene<'_>) -> Result<String, String> {
        let zone = record.ward.zone();
        let now = scene.context.now;
        let start = moment(self.form.value(START), now, now, &zone)?.unwrap_or(now);
        let standard = &scene.context.policy.standard_times;
        if self.form.value(WHEN).is_empty() {
            return Err(HOW.to_owned());
        }
        let when = asked(self.form.value(WHEN), zone.to_datetime(start), standard);
        let when = when.map_err(|why| why.to_string())?;
        let stat = if when.stat { "STAT: " } else { "" };
        Ok(format!("{stat}{}", schedule::in_words(&when.schedule)))
    }

    fn view(&self, pen: &mut Pen<'_>, area: Rect, record: &Record, scene: &Scene<'_>) {
        let theme = pen.theme;
        let mut facts = Facts::new(theme, inset(area).width);
        facts.patient(&record.patient, scene);
        facts.drug(&self.candidate.drug);
        let drug = &self.candidate.drug;
        let ward = &record.ward.code;
        match self.candidate.stock {
            Some(stock) if stock.is_positive() => {
                let held = format!("{ward} holds {}", words::amount(stock, drug));
                facts.add("Stock", &held, theme.plain());
            }
            Some(_) => facts.add("Stock", &format!("OUT in {ward}"), theme.out()),
            None => facts.add(
                "Stock",
                &format!("{ward} does not stock it"),
                theme.warning(),
            ),
        }
        for (kind, about) in &self.warnings {
            facts.add("WARNING", &warning_words(*kind, about), theme.wrong());
        }
        if !self.warnings.is_empty() {
            let reasons = &scene.context.policy.reasons;
            coded::list(&mut facts, "Why", ReasonKind::Override, reasons, theme);
        }
        match self.understood(record, scene) {
            Ok(words) => facts.add("Means", &words, theme.strong()),
            Err(why) => facts.add("When", &why, theme.faint()),
        }
        let fields = u16::try_from(self.form.fields.len()).unwrap_or(5);
        let lines = facts.within(area.height.saturating_sub(4 + fields));
        let done = |receipt: &Receipt| prescribed(receipt, scene);
        let words = Words {
            ready: "Dose such as 1 or 1-2. Start and stop may be empty, 17:00, 3d or 2026-03-02 08:00. F2 signs.",
            done: &done,
            scene,
        };
        self.form.view(pen, area, "PRESCRIBE", &lines, &words);
    }
}

fn prescribed(receipt: &Receipt, scene: &Scene<'_>) -> String {
    let Receipt::Prescribed {
        orders, first, at, ..
    } = receipt
    else {
        return "Done.".to_owned();
    };
    let doses = match (orders, first) {
        (0, _) => "Its doses come into the queue a day ahead.".to_owned(),
        (_, Some(first)) => format!(
            "{orders} in the queue, the first at {}.",
            clock::day_hour(*first, scene.context.now, &scene.zone)
        ),
        (_, None) => "It stands in the queue, as needed.".to_owned(),
    };
    format!("PRESCRIBED at {}. {doses}", clock::hour(*at, &scene.zone))
}

/// `1`, `0.5`, `1-2`.
fn range(typed: &str, unit: &str) -> Result<(Quantity, Option<Quantity>), String> {
    if typed.is_empty() {
        return Err(format!("Type how many {unit}: 1, or 1-2."));
    }
    let read = |text: &str| {
        text.trim()
            .parse::<Quantity>()
            .map_err(|why| format!("{why}."))
    };
    match typed.split_once('-') {
        Some((least, most)) => Ok((read(least)?, Some(read(most)?))),
        None => Ok((read(typed)?, None)),
    }
}

/// A moment of the ward's clock: empty; `17:00`, the next one after `from`; `3d`, `12h` after `from`; a day and time.
fn moment(
    typed: &str,
    from: Timestamp,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Option<Timestamp>, String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let wrong = || format!("'{typed}' is no time: 17:00, 3d, 12h or 2026-03-02 08:00.");
    let at = |local: civil::DateTime| zone.to_ambiguous_timestamp(local).compatible().ok();
    if let Some(hours) = span(typed) {
        return from
            .checked_add(SignedDuration::from_hours(hours))
            .map(Some)
            .map_err(|_| wrong());
    }
    if let Ok(time) = civil::Time::strptime("%H:%M", typed) {
        let day = zone.to_datetime(from).date();
        // The hour that is just over is meant, not tomorrow's: who says 08:00 at 08:03 says now.
        let tolerant = from.min(now) - SignedDuration::from_mins(30);
        let today = at(day.to_datetime(time)).filter(|moment| *moment >= tolerant);
        let tomorrow = || at(day.tomorrow().ok()?.to_datetime(time));
        return Ok(Some(today.or_else(tomorrow).ok_or_else(wrong)?));
    }
    let local = civil::DateTime::strptime("%Y-%m-%d %H:%M", typed).map_err(|_| wrong())?;
    Ok(Some(at(local).ok_or_else(wrong)?))
}

/// `3d` and `12h`, in hours.
fn span(typed: &str) -> Option<i64> {
    let typed = typed.to_lowercase();
    let (digits, each) = match typed.strip_suffix('d') {
        Some(days) => (days, 24),
        None => (typed.strip_suffix('h')?, 1),
    };
    let count: i64 = digits.trim().parse().ok()?;
    (0..=9000).contains(&count).then_some(count * each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_people_say_it() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now: Timestamp = "2026-03-02T08:03:00Z".parse().unwrap();
        let read = |typed: &str| {
            moment(typed, now, now, &zone).map(|at| at.map(|at| at.to_string()).unwrap_or_default())
        };
        for (typed, at) in [
            ("", ""),
            ("17:00", "2026-03-02T16:00:00Z"),
            ("09:00", "2026-03-02T08:00:00Z"),
            ("06:00", "2026-03-03T05:00:00Z"),
            ("3d", "2026-03-05T08:03:00Z"),
            ("12 h", "2026-03-02T20:03:00Z"),
            ("2026-03-04 08:00", "2026-03-04T07:00:00Z"),
        ] {
            assert_eq!(read(typed), Ok(at.to_owned()), "{typed}");
        }
        for typed in ["soon", "25:00", "-3d", "2026-13-01 08:00", "99999d"] {
            assert!(read(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_dose_is_one_amount_or_a_range() {
        assert_eq!(range("0.5", "tab"), Ok((Quantity(500), None)));
        let both = (Quantity::units(1), Some(Quantity::units(2)));
        assert_eq!(range("1-2", "tab"), Ok(both));
        assert_eq!(range("1 - 2", "tab"), Ok(both));
        for typed in ["", "-1", "one", "1-", "1-2-3"] {
            assert!(range(typed, "tab").is_err(), "{typed}");
        }
    }
}
