//! A report on the screen and on paper: lines ward by ward, for the period and the wards that the person chose.
//!
//! It stands still: what it says is of the moment at which it was read, until it is read anew.

mod columns;

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Rect;

use super::asking::{Asking, For};
use super::mar::{First, MarPage};
use super::table::{Cell, Look, Row, Table};
use super::{Did, Frame, Msg, Page, Rows, Scene, Then, What};
use crate::domain::mar::Windows;
use crate::domain::report::fields::By;
use crate::domain::report::{Ask, Field, Key, Kind, Moment, Page as Found, Period, Tone, fields};
use crate::domain::snapshot::Ward;
use crate::domain::{Quantity, UserId, WardId};
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::model::{Context, Effect};
use crate::tui::widgets::text::{cut, wrap};
use crate::tui::widgets::{Line, Pen};

/// Where a line is.
type Id = (WardId, Key);

/// The page's state.
#[derive(Debug, Clone)]
pub struct ReportPage {
    /// Rows, selection, filter.
    pub frame: Frame<Id>,
    ask: Ask,
    reader: UserId,
    wards: Vec<Ward>,
    found: Option<Arc<Found>>,
}

impl ReportPage {
    /// A report of the last day, of all wards that the person may see.
    pub fn open(
        kind: Kind,
        reader: UserId,
        wards: &[Ward],
        now: Timestamp,
    ) -> (ReportPage, Vec<Effect>) {
        let ask = Ask {
            kind,
            ward: None,
            period: Period::default(),
        };
        let what = What::Report(ask.clone(), reader);
        let empty = "Nothing in this time.";
        let (frame, effects) = Frame::still(kind.title(), empty, columns::of(kind), what, now);
        let page = ReportPage {
            frame,
            ask,
            reader,
            wards: wards.to_vec(),
            found: None,
        };
        (page, effects)
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        if let Msg::Typed(For::Choice, typed) = msg {
            return (self.choose(typed, scene), Then::Stay);
        }
        match self.frame.update(msg, scene) {
            Did::All(effects) => (effects, Then::Stay),
            Did::Close => (Vec::new(), Then::Close),
            Did::Rows(Rows::Report(found)) => {
                self.found = Some(Arc::clone(found));
                let windows = windows(scene.context);
                let by = By {
                    now: scene.context.now,
                    policy: &scene.context.policy,
                    windows,
                };
                self.frame.set(rows(found, &by));
                (Vec::new(), Then::Stay)
            }
            Did::Rows(_) => (Vec::new(), Then::Stay),
            Did::Act(action) => self.act(action, scene),
        }
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        match action {
            Action::Record => return self.record(scene),
            Action::Choose => {
                self.frame.asking = Some(self.asked());
                return (Vec::new(), Then::Stay);
            }
            Action::Today => self.ask.period = Period::default(),
            Action::DayBack => self.turn(-1, scene),
            Action::DayForward => self.turn(1, scene),
            _ => return (Vec::new(), Then::Stay),
        }
        (self.again(scene), Then::Stay)
    }

    /// The calendar day before or after the one on which the period begins.
    fn turn(&mut self, days: i64, scene: &Scene<'_>) {
        let (now, zone) = (scene.context.now, &scene.zone);
        let at = match self.ask.period.span(zone, now) {
            Ok(_) if self.ask.period == Period::default() => now,
            Ok(span) => span.from + SignedDuration::from_hours(24 * days),
            Err(_) => now,
        };
        let begins = at.to_zoned(zone.clone()).date();
        self.ask.period = Period::day(match self.ask.period == Period::default() {
            // Back from now is the day before today; forward is today.
            true if days < 0 => begins.yesterday().unwrap_or(begins),
            _ => begins,
        });
    }

    fn again(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        let what = What::Report(self.ask.clone(), self.reader);
        let title = self.ask.kind.title();
        self.frame.turn_to(what, title, scene.context.now)
    }

    fn asked(&self) -> Asking {
        let code = self.ward().map_or("", |ward| ward.code.as_str());
        let said = |moment: Option<Moment>| moment.map(|m| m.to_string()).unwrap_or_default();
        let (from, to) = (said(self.ask.period.from), said(self.ask.period.to));
        let words = "From then on and before then: 2026-11-23, 2026-11-23 14:05 or 14:05. Empty: the last 24 h, every ward \
                     that you may see. Enter shows it.";
        Asking::new(
            For::Choice,
            "WHICH TIME, WHICH WARD?",
            &[("From", &from), ("To", &to), ("Ward", code)],
            words,
        )
    }

    fn ward(&self) -> Option<&Ward> {
        let ward = self.ask.ward?;
        self.wards.iter().find(|known| known.id == ward)
    }

    /// Takes what was typed, if all of it makes sense; else says what does not.
    fn choose(&mut self, typed: &[String], scene: &Scene<'_>) -> Vec<Effect> {
        match read(typed, &self.wards, scene) {
            Ok((period, ward)) => {
                self.frame.asking = None;
                (self.ask.period, self.ask.ward) = (period, ward);
                self.again(scene)
            }
            Err((field, why)) => {
                if let Some(asking) = &mut self.frame.asking {
                    asking.wrong(field, why);
                }
                Vec::new()
            }
        }
    }

    /// The record of the patient whom the selected line is about.
    fn record(&self, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        let selected = self.frame.selected();
        let row = self.found.as_ref().and_then(|found| {
            let mut rows = found.rows.iter();
            rows.find(|row| Some((row.ward, row.key)) == selected)
        });
        let Some(mrn) = row.and_then(|row| row.line.mrn()) else {
            return (
                Vec::new(),
                Then::Say("This line is about no patient.".to_owned()),
            );
        };
        let (page, effects) = MarPage::open(mrn, First::Show, scene.context.now);
        (effects, Then::Page(Page::Mar(Box::new(page))))
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let theme = pen.theme;
        let (now, zone) = (scene.context.now, &scene.zone);
        let place = self
            .ward()
            .map_or("every ward you may see", |ward| ward.code.as_str());
        let place = theme.text(place).into_owned();
        let period = self.ask.period.words(zone, now);
        let mut counts = Line::of(format!("{period}, {place}"), theme.plain());
        if let Some(at) = self.frame.read_at() {
            let words = format!(" {} read {}", theme.symbols.dot, clock::hour(at, zone));
            counts = counts.and(words, theme.faint());
        }
        self.frame.view(pen, area, counts, scene);
    }

    /// The page as text to print.
    pub fn printed(&self, scene: &Scene<'_>, columns: usize) -> Option<String> {
        let found = self.found.as_ref()?;
        let by = By {
            now: self.frame.read_at().unwrap_or(scene.context.now),
            policy: &scene.context.policy,
            windows: windows(scene.context),
        };
        Some(text(found, &by, &scene.actor.name, columns))
    }
}

fn windows(context: &Context) -> Windows {
    Windows {
        due: context.due_window,
        missed: SignedDuration::from_mins(context.policy.missed_minutes.into()),
    }
}

/// Period and ward as they were typed; or which field is wrong, and why.
pub(in crate::tui::pages) fn read(
    typed: &[String],
    wards: &[Ward],
    scene: &Scene<'_>,
) -> Result<(Period, Option<WardId>), (usize, String)> {
    let moment = |at: usize| match typed.get(at).map_or("", String::as_str) {
        "" => Ok(None),
        text => Moment::read(text).map(Some).map_err(|why| (at, why)),
    };
    let period = Period {
        from: moment(0)?,
        to: moment(1)?,
    };
    let ward = match typed.get(2).map_or("", String::as_str) {
        "" => None,
        code => {
            let found = wards
                .iter()
                .find(|ward| ward.code.eq_ignore_ascii_case(code));
            Some(found.ok_or_else(|| (2, format!("There is no ward '{code}'.")))?)
        }
    };
    let zone = ward.map_or_else(|| scene.zone.clone(), Ward::zone);
    period
        .span(&zone, scene.context.now)
        .map_err(|why| (0, why))?;
    Ok((period, ward.map(|ward| ward.id)))
}

/// The rows of a page, under the name of each ward.
fn rows(found: &Found, by: &By<'_>) -> Vec<Row<Id>> {
    let mut rows = Vec::new();
    let mut here = None;
    for line in &found.rows {
        let ward = found.ward(line);
        if here != Some(line.ward) {
            here = Some(line.ward);
            let name = ward.map_or_else(
                || line.ward.to_string(),
                |ward| format!("{} {}", ward.code, ward.name),
            );
            rows.push(Row::Heading(name));
        }
        let zone = ward.map_or(TimeZone::UTC, Ward::zone);
        let cells = fields(&line.line, by);
        let cells = cells.into_iter().map(|field| cell(field, &zone)).collect();
        rows.push(Row::of((line.ward, line.key), cells));
    }
    rows
}

fn cell(field: Field, zone: &TimeZone) -> Cell {
    match field {
        Field::Time(at) => Cell::text(at.map_or_else(String::new, |at| when(at, zone))),
        Field::Text(text) | Field::Key(text) => Cell::text(text),
        Field::Name(text) => Cell::text(text).look(Look::Strong),
        Field::Drug(name, strength) => Cell::drug(name, strength),
        Field::Quantity(Quantity::ZERO) => Cell::text(""),
        Field::Quantity(quantity) => Cell::number(quantity),
        Field::Minutes(minutes) => Cell::number(minutes.map_or_else(String::new, clock::span)),
        Field::Word(word, tone) => Cell::text(word).look(match tone {
            Tone::Good => Look::Good,
            Tone::Plain => Look::Plain,
            Tone::Heed => Look::Warning,
            Tone::Bad => Look::Late,
        }),
    }
}

/// Day and hour: a report is read on another day, and its year stands at its top.
fn when(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%-d %b %H:%M")
        .to_string()
}

/// A page as text to print, in so many columns: what it is, when and by whom it was made, and the lines of each ward.
pub fn text(found: &Found, by: &By<'_>, reader: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut say = |words: &str| {
        for line in wrap(&crate::domain::text::visible(words), columns) {
            out.push_str(&cut(line.trim_end(), columns, "~"));
            out.push('\n');
        }
    };
    say(&format!("{}: {}", found.kind.title(), found.kind.says()));
    let zone = found
        .spans
        .first()
        .map_or(TimeZone::UTC, |(ward, _)| ward.zone());
    let mut seen = Vec::new();
    for (ward, span) in &found.spans {
        if seen.contains(span) {
            continue;
        }
        seen.push(*span);
        let zone = ward.zone();
        say(&format!(
            "from {} up to {} ({})",
            clock::full(span.from, &zone),
            clock::full(span.to, &zone),
            ward.time_zone
        ));
    }
    let wards: Vec<&str> = found
        .spans
        .iter()
        .map(|(ward, _)| ward.code.as_str())
        .collect();
    say(&format!("wards: {}", wards.join(" ")));
    say(&format!("read {} by {reader}", clock::full(by.now, &zone)));
    let mut table = Table::new(columns::of(found.kind));
    table.set(rows(found, by));
    let lines = match found.rows.len() {
        0 => "Nothing in this time.".to_owned(),
        _ => table.text(columns),
    };
    out.push('\n');
    out.push_str(lines.trim_end());
    out.push('\n');
    let more = match found.next {
        Some(_) => "\nMORE FOLLOWS on another page.\n".to_owned(),
        None => format!("\n{} lines.\n", found.rows.len()),
    };
    out.push_str(&more);
    out
}
