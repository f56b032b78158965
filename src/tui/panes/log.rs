//! The administration log: what was given, the latest first.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use super::{Scene, filter_words, marker, matches, nothing, title};
use crate::domain::snapshot::{LogEntry, WardSnapshot};
use crate::domain::{AdministrationId, GivingOutcome};
use crate::tui::clock;
use crate::tui::layout;
use crate::tui::list::{List, Slot};
use crate::tui::model::{Context, Pane};
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::{pad, pad_both, pad_words};
use crate::tui::widgets::{Line, Pen};
use crate::tui::words;

/// The pane's state.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Selection, filter, scrolling.
    pub list: List<AdministrationId>,
    snapshot: Option<Arc<WardSnapshot>>,
    rows: Vec<usize>,
    today: usize,
}

impl State {
    /// Makes the rows anew: from another snapshot or filter.
    pub fn refresh(&mut self, snapshot: Option<&Arc<WardSnapshot>>, context: &Context) {
        self.snapshot = snapshot.cloned();
        self.rows.clear();
        self.today = 0;
        let mut slots = Vec::new();
        if let Some(snapshot) = snapshot {
            let words = filter_words(self.list.filter.value());
            let zone = snapshot.ward.zone();
            let today = day(context.now, zone);
            for (at, entry) in snapshot.log.iter().enumerate() {
                self.today += usize::from(today.contains(&entry.at));
                let texts = [
                    entry.patient.as_str(),
                    &entry.mrn,
                    &entry.drug.name,
                    &entry.drug.strength,
                    &entry.by,
                    &entry.reason,
                ];
                if matches(&words, &texts) {
                    self.rows.push(at);
                    slots.push(Slot::Item(entry.id));
                }
            }
        }
        self.list.refresh(slots);
    }

    fn entry(&self, at: usize) -> Option<&LogEntry> {
        self.snapshot.as_ref()?.log.get(at)
    }

    /// The selected entry.
    pub fn selected(&self) -> Option<&LogEntry> {
        let id = self.list.selected()?;
        self.snapshot
            .as_ref()?
            .log
            .iter()
            .find(|entry| entry.id == id)
    }

    /// Draws the pane.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let counts = if self.today > 0 {
            Line::of(format!("{} today", self.today), pen.theme.plain())
        } else {
            Line::default()
        };
        title(pen, area, "LOG", &counts, &self.list, scene.focused);
        let place = layout::list_area(Pane::Log, area);
        if self.snapshot.is_none() {
            nothing(pen, place, false, "Reading the ward's log.");
            return;
        }
        if self.list.is_empty() {
            let filtered = !self.list.filter.is_empty();
            nothing(pen, place, filtered, "Nothing was given here yet.");
            return;
        }
        let each = layout::lines_each(scene.context.size.width);
        let mut y = 0;
        for (at, _, height) in self.list.shown(place.height, each) {
            let Some(entry) = self.rows.get(at).and_then(|at| self.entry(*at)) else {
                continue;
            };
            let selected = self.list.selected() == Some(entry.id);
            for (row, line) in (0..height).zip(lines(entry, pen, scene, area.width, each, selected))
            {
                pen.line(row_of(place, y + row), &line);
                if selected {
                    let style = pen.theme.selected(scene.focused);
                    pen.tint(row_of(place, y + row), style);
                }
            }
            y += height;
        }
    }
}

/// From the first moment of a ward's day to the first of the next. Every line of the log is compared with it, which costs
/// less than finding the day of each.
fn day(now: Timestamp, zone: TimeZone) -> Range<Timestamp> {
    let now = now.to_zoned(zone);
    let begins = now
        .start_of_day()
        .map_or(Timestamp::MIN, |at| at.timestamp());
    let next = now.tomorrow().and_then(|at| at.start_of_day());
    begins..next.map_or(Timestamp::MAX, |at| at.timestamp())
}

/// How much was given, or why nothing was; in brackets what was taken back.
pub fn what(entry: &LogEntry) -> String {
    if entry.is_reversal {
        return "TAKEN BACK".to_owned();
    }
    match entry.outcome {
        GivingOutcome::Given if entry.reversed => {
            format!("({})", words::amount(entry.quantity, &entry.drug))
        }
        GivingOutcome::Given => words::amount(entry.quantity, &entry.drug),
        GivingOutcome::Held => "HELD".to_owned(),
        GivingOutcome::Refused => "REFUSED".to_owned(),
        GivingOutcome::NotAvailable => "NONE THERE".to_owned(),
    }
}

fn lines(
    entry: &LogEntry,
    pen: &Pen<'_>,
    scene: &Scene<'_>,
    columns: u16,
    each: u16,
    selected: bool,
) -> Vec<Line> {
    let theme = pen.theme;
    let columns = usize::from(columns);
    let mark = theme.symbols.mark;
    let cell = |text: &str, room: usize| {
        if room == 0 {
            String::new()
        } else {
            pad(&theme.text(text), room - 1, mark) + " "
        }
    };
    let drug = |room: usize| {
        if room == 0 {
            return String::new();
        }
        let (name, strength) = (
            theme.text(&entry.drug.name),
            theme.text(&entry.drug.strength),
        );
        pad_both(&name, &strength, room - 1, mark) + " "
    };
    let given = |room: usize| pad_words(&theme.text(&what(entry)), room - 1, mark) + " ";
    let at = clock::short(entry.at, scene.context.now, scene.zone);
    let start = Line::of(marker(pen, selected), theme.plain()).and(cell(&at, 7), theme.plain());
    let style = match entry.outcome {
        GivingOutcome::Given if !entry.is_reversal => theme.plain(),
        _ => theme.warning(),
    };
    if each == 2 {
        let by = columns.saturating_sub(4 + 11 + columns / 2);
        return vec![
            start.and(
                cell(&entry.patient, columns.saturating_sub(9)),
                theme.plain(),
            ),
            Line::of("    ", theme.plain())
                .and(drug(columns / 2), theme.plain())
                .and(given(11), style)
                .and(cell(&entry.by, by), theme.plain()),
        ];
    }
    let (patient, dose, by) = match columns {
        100.. => (24, 12, 22),
        // Words such as TAKEN BACK are not cut: they say that something is not as it seems.
        70..100 => (16, 11, 17),
        _ => (12, 11, 9),
    };
    let room = columns.saturating_sub(9 + patient + dose + by);
    vec![
        start
            .and(cell(&entry.patient, patient), theme.plain())
            .and(drug(room), theme.plain())
            .and(given(dose), style)
            .and(cell(&entry.by, by), theme.plain()),
    ]
}
