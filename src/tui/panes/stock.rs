//! The drug stock: what is in the cupboard, troubles first.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Scene, filter_words, marker, matches, nothing, title};
use crate::domain::snapshot::{Expiry, StockLevel, WardSnapshot};
use crate::domain::{DrugId, Quantity};
use crate::tui::layout;
use crate::tui::list::{List, Slot};
use crate::tui::model::{Context, Pane};
use crate::tui::theme::Theme;
use crate::tui::widgets::bar;
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::{pad, pad_both, pad_number, pad_words};
use crate::tui::widgets::{Line, Pen};

/// The pane's state.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Selection, filter, scrolling.
    pub list: List<DrugId>,
    snapshot: Option<Arc<WardSnapshot>>,
    rows: Vec<usize>,
    low: usize,
    out: usize,
    expiring: usize,
    notice: Notice,
}

/// By which day and how many days ahead the pane says that something expires.
#[derive(Debug, Clone, Copy, Default)]
struct Notice {
    today: Date,
    days: u32,
}

impl Notice {
    fn of(self, level: &StockLevel) -> Option<Expiry> {
        Expiry::of(level.expires_on, self.today, self.days)
    }
}

impl State {
    /// Makes the rows anew: from another snapshot or filter.
    pub fn refresh(&mut self, snapshot: Option<&Arc<WardSnapshot>>, context: &Context) {
        self.snapshot = snapshot.cloned();
        self.rows.clear();
        (self.low, self.out, self.expiring) = (0, 0, 0);
        let zone = snapshot.map_or(TimeZone::UTC, |snapshot| snapshot.ward.zone());
        self.notice = Notice {
            today: context.now.to_zoned(zone).date(),
            days: context.policy.expiring_days,
        };
        if let Some(snapshot) = snapshot {
            let words = filter_words(self.list.filter.value());
            let mut found: Vec<(u8, usize)> = Vec::new();
            for (at, level) in snapshot.stock.iter().enumerate() {
                self.out += usize::from(level.is_out());
                self.low += usize::from(level.is_low() && !level.is_out());
                let expires = self.notice.of(level).is_some();
                self.expiring += usize::from(expires);
                let drug = &level.drug;
                if matches(&words, &[&drug.name, &drug.strength, &drug.code]) {
                    found.push((urgency(level, expires), at));
                }
            }
            found.sort();
            self.rows = found.into_iter().map(|(_, at)| at).collect();
        }
        let slots = self
            .rows
            .iter()
            .filter_map(|at| self.level(*at))
            .map(|level| Slot::Item(level.drug.id))
            .collect();
        self.list.refresh(slots);
    }

    fn level(&self, at: usize) -> Option<&StockLevel> {
        self.snapshot.as_ref()?.stock.get(at)
    }

    /// The selected drug's level.
    pub fn selected(&self) -> Option<&StockLevel> {
        self.snapshot.as_ref()?.stock_of(self.list.selected()?)
    }

    /// Draws the pane.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let counts = self.title_counts(pen.theme);
        title(pen, area, "STOCK", &counts, &self.list, scene.focused);
        let place = layout::list_area(Pane::Stock, area);
        if self.snapshot.is_none() {
            nothing(pen, place, false, "Reading the ward's cupboard.");
            return;
        }
        if self.list.is_empty() {
            let filtered = !self.list.filter.is_empty();
            nothing(pen, place, filtered, "This ward stocks nothing.");
            return;
        }
        let each = layout::lines_each(scene.context.size.width);
        let mut y = 0;
        for (at, _, height) in self.list.shown(place.height, each) {
            let Some(level) = self.rows.get(at).and_then(|at| self.level(*at)) else {
                continue;
            };
            let selected = self.list.selected() == Some(level.drug.id);
            for (row, line) in (0..height).zip(lines(
                level,
                self.notice.of(level),
                pen,
                area.width,
                each,
                selected,
            )) {
                pen.line(row_of(place, y + row), &line);
                if selected {
                    pen.select(row_of(place, y + row), scene.focused);
                }
            }
            y += height;
        }
    }

    fn title_counts(&self, theme: &Theme) -> Line {
        let mut line = Line::default();
        for (count, word, style) in [
            (self.out, "out", theme.out()),
            (self.low, "low", theme.low()),
            (self.expiring, "expiring", theme.warning()),
        ] {
            if count > 0 {
                let comma = if line.0.is_empty() { "" } else { ", " };
                line = line
                    .and(comma, theme.plain())
                    .and(format!("{count} {word}"), style);
            }
        }
        line
    }
}

/// Where somebody will miss something comes first; the snapshot's own order, by name, within that.
fn urgency(level: &StockLevel, expires: bool) -> u8 {
    let wanted = level.needed > level.current;
    match (level.is_out(), wanted, level.is_low()) {
        (true, true, _) => 0,
        (_, true, _) => 1,
        (true, ..) => 2,
        (_, _, true) => 3,
        _ if expires => 4,
        _ => 5,
    }
}

/// The word that says what the bar shows.
fn word(level: &StockLevel, theme: &Theme) -> (&'static str, Style) {
    if level.is_out() {
        ("OUT", theme.out())
    } else if level.is_low() {
        ("LOW", theme.low())
    } else {
        ("ok", theme.good())
    }
}

/// What the queue will take, and whether that is more than there is.
fn need(level: &StockLevel, theme: &Theme) -> (String, Style) {
    if level.needed == Quantity::ZERO {
        (String::new(), theme.plain())
    } else if level.needed > level.current {
        (format!("needs {}", level.needed), theme.wrong())
    } else {
        (format!("needs {}", level.needed), theme.plain())
    }
}

/// What is to be said of its lots: a word for what may not be given, the day for what is to be used first.
fn expiry(expiry: Option<Expiry>, theme: &Theme) -> Option<(String, Style)> {
    Some(match expiry? {
        Expiry::Expired(_) => ("EXPIRED".to_owned(), theme.wrong()),
        Expiry::Soon(on) => (format!("EXP {}", on.strftime("%-d %b")), theme.warning()),
    })
}

fn lines(
    level: &StockLevel,
    expires: Option<Expiry>,
    pen: &Pen<'_>,
    columns: u16,
    each: u16,
    selected: bool,
) -> Vec<Line> {
    let theme = pen.theme;
    let columns = usize::from(columns);
    let mark = theme.symbols.mark;
    let (word, style) = word(level, theme);
    let (mut need, mut need_style) = need(level, theme);
    let expires = expiry(expires, theme);
    let start = Line::of(marker(pen, selected), theme.plain());
    let drug = |room: usize| {
        let (name, strength) = (
            theme.text(&level.drug.name),
            theme.text(&level.drug.strength),
        );
        pad_both(&name, &strength, room, mark)
    };
    let unit = theme.text(&level.drug.unit);
    if each == 2 {
        let bar = bar::level(level.current, level.threshold, 8, &theme.symbols);
        return vec![
            start
                .and(drug(columns.saturating_sub(6)), theme.plain())
                .and(format!(" {word}"), style),
            Line::of("    ", theme.plain())
                .and(bar, style)
                .and(format!(" {} {unit} ", level.current), theme.plain())
                .and(need, need_style)
                .and(
                    expires
                        .as_ref()
                        .map_or(String::new(), |(words, _)| format!(" {words}")),
                    expires.as_ref().map_or(theme.plain(), |(_, style)| *style),
                ),
        ];
    }
    // Where the pane is half a screen wide, the unit and the threshold give way: the bar and the word say it.
    let roomy = columns >= 70;
    let bar_columns = if roomy { 10 } else { 6 };
    let count = pad_number(&level.current.to_string(), if roomy { 6 } else { 7 }, mark);
    // Where some of it expires, that stands in the place of the threshold; in half a screen in that of the need, unless
    // there is not enough.
    let mut beside = theme.plain();
    let (unit, threshold) = if roomy {
        let low_at = || format!("low at {}", level.threshold);
        let words = expires
            .as_ref()
            .map_or_else(low_at, |(words, _)| words.clone());
        beside = expires.as_ref().map_or(beside, |(_, style)| *style);
        (
            pad(&format!(" {unit}"), 6, mark),
            pad_words(&words, 11, mark),
        )
    } else {
        if let Some((words, style)) = expires.filter(|_| level.needed <= level.current) {
            (need, need_style) = (words, style);
        }
        (String::new(), String::new())
    };
    let taken = 3 + bar_columns + if roomy { 12 + 5 + 11 + 11 } else { 7 + 5 + 11 };
    let bar = bar::level(level.current, level.threshold, bar_columns, &theme.symbols);
    vec![
        start
            .and(drug(columns.saturating_sub(taken)) + " ", theme.plain())
            .and(bar, style)
            .and(count, theme.strong())
            .and(unit, theme.plain())
            .and(format!(" {word:<3} "), style)
            .and(threshold, beside)
            .and(pad_words(&need, 11, mark), need_style),
    ]
}
