//! The drug stock: what is in the cupboard, troubles first.

use std::sync::Arc;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Scene, filter_words, marker, matches, nothing, title};
use crate::domain::snapshot::{StockLevel, WardSnapshot};
use crate::domain::{DrugId, Quantity};
use crate::tui::layout;
use crate::tui::list::{List, Slot};
use crate::tui::model::Pane;
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
}

impl State {
    /// Makes the rows anew: from another snapshot or filter.
    pub fn refresh(&mut self, snapshot: Option<&Arc<WardSnapshot>>) {
        self.snapshot = snapshot.cloned();
        self.rows.clear();
        (self.low, self.out) = (0, 0);
        if let Some(snapshot) = snapshot {
            let words = filter_words(self.list.filter.value());
            let mut found: Vec<(u8, usize)> = Vec::new();
            for (at, level) in snapshot.stock.iter().enumerate() {
                self.out += usize::from(level.is_out());
                self.low += usize::from(level.is_low() && !level.is_out());
                let drug = &level.drug;
                if matches(&words, &[&drug.name, &drug.strength, &drug.code]) {
                    found.push((urgency(level), at));
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
            for (row, line) in (0..height).zip(lines(level, pen, area.width, each, selected)) {
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
fn urgency(level: &StockLevel) -> u8 {
    let wanted = level.needed > level.current;
    match (level.is_out(), wanted, level.is_low()) {
        (true, true, _) => 0,
        (_, true, _) => 1,
        (true, ..) => 2,
        (_, _, true) => 3,
        _ => 4,
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

fn lines(level: &StockLevel, pen: &Pen<'_>, columns: u16, each: u16, selected: bool) -> Vec<Line> {
    let theme = pen.theme;
    let columns = usize::from(columns);
    let mark = theme.symbols.mark;
    let (word, style) = word(level, theme);
    let (need, need_style) = need(level, theme);
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
                .and(need, need_style),
        ];
    }
    // Where the pane is half a screen wide, the unit and the threshold give way: the bar and the word say it.
    let roomy = columns >= 70;
    let bar_columns = if roomy { 10 } else { 6 };
    let count = pad_number(&level.current.to_string(), if roomy { 6 } else { 7 }, mark);
    let (unit, threshold) = if roomy {
        (
            pad(&format!(" {unit}"), 6, mark),
            pad_words(&format!("low at {}", level.threshold), 11, mark),
        )
    } else {
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
            .and(threshold, theme.plain())
            .and(pad_words(&need, 11, mark), need_style),
    ]
}
