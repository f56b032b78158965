//! The three panes of a ward's desk. Each keeps the snapshot it was made from, so that its rows always fit it.

pub mod log;
pub mod marks;
pub mod queue;
pub mod stock;

use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use super::list::List;
use super::model::Context;
use super::widgets::pen::row_of;
use super::widgets::{Line, Pen};
use crate::domain::text::name_key;

/// What a pane is drawn with.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// Clock and size.
    pub context: &'a Context,
    /// The zone of the ward's clocks.
    pub zone: &'a TimeZone,
    /// It has the keys.
    pub focused: bool,
}

/// The words of a filter, in the form that names are compared in.
fn filter_words(filter: &str) -> Vec<String> {
    name_key(filter)
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

/// Whether every word is somewhere in one of the texts.
fn matches(words: &[String], texts: &[&str]) -> bool {
    words.is_empty() || {
        let key = name_key(&texts.join(" "));
        words.iter().all(|word| key.contains(word.as_str()))
    }
}

/// Draws a pane's title line: its name, what is in it, and what it is filtered by.
pub(super) fn title<Id: Copy + PartialEq>(
    pen: &mut Pen<'_>,
    area: Rect,
    name: &str,
    counts: &Line,
    list: &List<Id>,
    focused: bool,
) {
    let top = row_of(area, 0);
    let (rule, style) = (pen.theme.rule(focused), pen.theme.title(focused));
    pen.rule(top, rule);
    let used = pen.put(top, &format!(" {name} "), style);
    let mut rest = Rect {
        x: top.x + used,
        width: top.width - used,
        ..top
    };
    if list.filtering || !list.filter.is_empty() {
        let label = pen.put(rest, " / ", pen.theme.key());
        rest.x += label;
        rest.width = (rest.width - label).min(24);
        pen.field(rest, &list.filter, list.filtering);
        let found = format!(" {} found ", list.len());
        let beside = Rect {
            x: rest.x + rest.width,
            width: (area.x + area.width).saturating_sub(rest.x + rest.width),
            ..top
        };
        let plain = pen.theme.plain();
        pen.put(beside, &found, plain);
        return;
    }
    if counts.width() > 0 {
        let mut line = Line::of(" ", pen.theme.plain());
        line.0.extend(counts.0.iter().cloned());
        pen.line(rest, &line.and(" ", pen.theme.plain()));
    }
}

/// Draws what an empty list says.
pub(super) fn nothing(pen: &mut Pen<'_>, area: Rect, filtered: bool, words: &str) {
    let words = if filtered {
        "Nothing matches. Esc shows everything."
    } else {
        words
    };
    let place = Rect {
        x: area.x.saturating_add(2),
        width: area.width.saturating_sub(2),
        ..area
    };
    let faint = pen.theme.faint();
    pen.put(row_of(place, 0), words, faint);
}

/// What stands before a row: the marker on the selected one.
pub(super) fn marker(pen: &Pen<'_>, selected: bool) -> String {
    let symbol = if selected {
        pen.theme.symbols.marker
    } else {
        " "
    };
    format!("{symbol} ")
}
