//! Drawing: every text from data goes through here, where it is made safe and cut to what is there.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::field::Field;
use super::text::{fitting, is_simple, pad, width, wrap};
use crate::tui::layout::WIDE;
use crate::tui::theme::Theme;

/// Columns of the marker before a row, with the space behind it.
const MARKER: u16 = 2;

/// A line of styled pieces. The pieces are already safe to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line(pub Vec<(String, Style)>);

impl Line {
    /// A line of one piece; `text` is safe: words of our own, or made so by [`Theme::text`].
    pub fn of(text: impl Into<String>, style: Style) -> Line {
        Line(vec![(text.into(), style)])
    }

    /// With one more piece.
    #[must_use]
    pub fn and(mut self, text: impl Into<String>, style: Style) -> Line {
        self.0.push((text.into(), style));
        self
    }

    /// Columns it takes.
    pub fn width(&self) -> usize {
        self.0.iter().map(|(text, _)| width(text)).sum()
    }
}

/// Draws into a buffer with a theme. Nothing is ever drawn outside the buffer or the given area.
pub struct Pen<'a> {
    /// How things look.
    pub theme: &'a Theme,
    buffer: &'a mut Buffer,
    /// Where the terminal's cursor goes: the field one types into.
    pub cursor: Option<Position>,
}

impl<'a> Pen<'a> {
    /// A pen for one frame.
    pub fn new(theme: &'a Theme, buffer: &'a mut Buffer) -> Pen<'a> {
        Pen {
            theme,
            buffer,
            cursor: None,
        }
    }

    /// Draws a safe text in one row of `area`, cut with the mark; says how many columns it took.
    pub fn put(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return 0;
        }
        let shown = fitting(text, usize::from(area.width), self.theme.symbols.mark);
        if shown.chars().all(is_simple) {
            return self.put_simple(area, shown.chars(), style);
        }
        let (end, _) =
            self.buffer
                .set_stringn(area.x, area.y, shown, usize::from(area.width), style);
        end.saturating_sub(area.x)
    }

    /// Draws characters of one column each: what the drawing library would do, without looking for graphemes.
    fn put_simple(&mut self, area: Rect, chars: impl Iterator<Item = char>, style: Style) -> u16 {
        let from = self.buffer.index_of(area.x, area.y);
        let cells = self.buffer.content[from..].iter_mut();
        let mut used = 0;
        for (cell, c) in cells.take(usize::from(area.width)).zip(chars) {
            cell.set_char(c).set_style(style);
            used += 1;
        }
        used
    }

    /// Draws a line's pieces one after the other; the last that fits is cut with the mark.
    pub fn line(&mut self, area: Rect, line: &Line) {
        let mut rest = Rect {
            height: area.height.min(1),
            ..area
        };
        for (text, style) in &line.0 {
            let used = self.put(rest, text, *style);
            rest.x = rest.x.saturating_add(used);
            rest.width = rest.width.saturating_sub(used);
        }
    }

    /// Draws lines from the top of `area` down.
    pub fn lines(&mut self, area: Rect, lines: &[Line]) {
        for (row, line) in (0..area.height).zip(lines) {
            self.line(row_of(area, row), line);
        }
    }

    /// Draws a text ending at the right edge of `area`, cut if need be; says how many columns it took.
    pub fn right(&mut self, area: Rect, line: &Line) -> u16 {
        let wide = u16::try_from(line.width())
            .unwrap_or(u16::MAX)
            .min(area.width);
        let place = Rect {
            x: area.x.saturating_add(area.width - wide),
            width: wide,
            ..area
        };
        self.line(place, line);
        wide
    }

    /// Shows that a row is the one that keys act on: its marker on a screen of usual width, because whoever moves through
    /// a list at the end of a slow line would otherwise wait for two whole rows; the whole row on a wide screen, where the
    /// eye needs a line to follow and the line to the terminal is none of those.
    pub fn select(&mut self, row: Rect, focused: bool) {
        let width = if self.buffer.area.width < WIDE && !self.theme.is_plain() {
            MARKER.min(row.width)
        } else {
            row.width
        };
        let style = self.theme.selected(focused);
        self.tint(Rect { width, ..row }, style);
    }

    /// Styles every cell of `area`, over what is there.
    fn tint(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area, style);
    }

    /// Nothing any more where something was drawn.
    pub fn wipe(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for row in area.rows() {
            for place in row.positions() {
                if let Some(cell) = self.buffer.cell_mut(place) {
                    cell.reset();
                }
            }
        }
    }

    /// A horizontal line over the width of `area`.
    pub fn rule(&mut self, area: Rect, style: Style) {
        let symbol = self.theme.symbols.rule;
        self.put(area, &symbol.repeat(usize::from(area.width)), style);
    }

    /// A vertical line over the height of `area`.
    pub fn wall(&mut self, area: Rect, style: Style) {
        let symbol = self.theme.symbols.wall;
        for row in 0..area.height {
            self.put(row_of(area, row), symbol, style);
        }
    }

    /// A field after its label; the cursor goes there when it has the focus.
    pub fn field(&mut self, area: Rect, field: &Field, focused: bool) {
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return;
        }
        let columns = usize::from(area.width);
        let (shown, column) = field.shown(columns, self.theme);
        // Underlines are not on every terminal: the place to type must be seen without them.
        let blank = match focused {
            _ if self.theme.is_plain() => " ",
            true => "_",
            false => ".",
        };
        let missing = columns.saturating_sub(width(&shown));
        self.put(
            area,
            &pad(&format!("{shown}{}", blank.repeat(missing)), columns, ""),
            Field::style(focused, self.theme),
        );
        if focused {
            let column = u16::try_from(column).unwrap_or(0);
            self.cursor = Some(Position::new(
                area.x + column.min(area.width.saturating_sub(1)),
                area.y,
            ));
        }
    }
}

/// One row of an area, counted from its top; empty when the area has no such row.
pub fn row_of(area: Rect, row: u16) -> Rect {
    Rect {
        x: area.x,
        y: area.y.saturating_add(row),
        width: area.width,
        height: u16::from(row < area.height),
    }
}

/// A labelled paragraph: the label once at the left, the text wrapped beside it. `text` is safe.
pub fn labelled(
    label: &str,
    text: &str,
    style: Style,
    columns: u16,
    indent: usize,
    faint: Style,
) -> Vec<Line> {
    let room = usize::from(columns).saturating_sub(indent).max(8);
    wrap(text, room)
        .into_iter()
        .enumerate()
        .map(|(i, part)| {
            let head = if i == 0 { label } else { "" };
            Line::of(pad(head, indent, ""), faint).and(part, style)
        })
        .collect()
}
