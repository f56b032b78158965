//! A table: columns that give way as the screen gets narrower, rows with an identity, a filter, and the same as text
//! to print.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::text::{name_key, visible};
use crate::tui::layout::NARROW;
use crate::tui::list::{List, Slot};
use crate::tui::panes;
use crate::tui::theme::{Charset, Colours, Symbols, Theme};
use crate::tui::widgets::bar;
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::{pad, pad_both, pad_left, pad_number, pad_words, width};
use crate::tui::widgets::{Line, Pen};

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    head: &'static str,
    least: usize,
    most: usize,
    right: bool,
    rank: u8,
    below: bool,
}

impl Column {
    /// What stands over it.
    pub const fn head(&self) -> &'static str {
        self.head
    }

    /// A column of a fixed width.
    pub const fn fixed(head: &'static str, columns: usize) -> Column {
        Column::text(head, columns, columns)
    }

    /// A column that takes room between these widths, as there is.
    pub const fn text(head: &'static str, least: usize, most: usize) -> Column {
        Column {
            head,
            least,
            most,
            right: false,
            rank: 0,
            below: false,
        }
    }

    /// Its head stands at the right, as numbers do.
    #[must_use]
    pub const fn right(self) -> Column {
        Column {
            right: true,
            ..self
        }
    }

    /// It is left out where there is no room; the highest rank goes first, rank 0 never.
    #[must_use]
    pub const fn rank(self, rank: u8) -> Column {
        Column { rank, ..self }
    }

    /// On a narrow screen it stands on a second line under the row.
    #[must_use]
    pub const fn below(self) -> Column {
        Column {
            below: true,
            ..self
        }
    }
}

/// How a cell is meant; the theme says how that looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// As text is.
    #[default]
    Plain,
    /// May be read over.
    Faint,
    /// To be read first.
    Strong,
    /// Past its time.
    Late,
    /// Within its window.
    Due,
    /// Low.
    Low,
    /// Out.
    Out,
    /// As it should be.
    Good,
    /// To be heeded.
    Warning,
    /// Wrong.
    Wrong,
    /// To be seen from across the room.
    Loud,
}

impl Look {
    /// The style of a theme.
    pub fn style(self, theme: &Theme) -> Style {
        match self {
            Look::Plain => theme.plain(),
            Look::Faint => theme.faint(),
            Look::Strong => theme.strong(),
            Look::Late => theme.late(),
            Look::Due => theme.due(),
            Look::Low => theme.low(),
            Look::Out => theme.out(),
            Look::Good => theme.good(),
            Look::Warning => theme.warning(),
            Look::Wrong => theme.wrong(),
            Look::Loud => theme.loud(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Text(String),
    Number(String),
    Words(String),
    Both(String, String),
    Spark(Vec<u32>, u32),
}

/// One cell: what it says, and how it gives way where there is no room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    content: Content,
    look: Look,
}

impl Cell {
    const fn of(content: Content) -> Cell {
        Cell {
            content,
            look: Look::Plain,
        }
    }

    /// Text, cut where it does not fit.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::of(Content::Text(text.into()))
    }

    /// A number at the right; one that does not fit is not shown in part.
    pub fn number(text: impl ToString) -> Cell {
        Cell::of(Content::Number(text.to_string()))
    }

    /// A count, at the right: nothing is an empty cell, so that what there is stands out.
    pub fn count(count: u64, look: Look) -> Cell {
        if count == 0 {
            Cell::text("")
        } else {
            Cell::number(count).look(look)
        }
    }

    /// A number with its unit, cut between words only.
    pub fn words(text: impl Into<String>) -> Cell {
        Cell::of(Content::Words(text.into()))
    }

    /// A drug: of name and strength it is the name that gives way.
    pub fn drug(name: impl Into<String>, strength: impl Into<String>) -> Cell {
        Cell::of(Content::Both(name.into(), strength.into()))
    }

    /// Numbers in the order of time as little bars, against `most`; what does not fit goes at the left.
    pub fn spark(counts: Vec<u32>, most: u32) -> Cell {
        Cell::of(Content::Spark(counts, most))
    }

    /// How it is meant.
    #[must_use]
    pub fn look(self, look: Look) -> Cell {
        Cell { look, ..self }
    }

    /// In exactly `columns`; `safe` makes text from data safe to show.
    fn shown(
        &self,
        columns: usize,
        symbols: &Symbols,
        safe: &dyn Fn(&str) -> String,
        right: bool,
    ) -> String {
        let mark = symbols.mark;
        match &self.content {
            Content::Text(text) if right => pad_left(&safe(text), columns, mark),
            Content::Text(text) => pad(&safe(text), columns, mark),
            Content::Number(text) => pad_number(&safe(text), columns, mark),
            Content::Words(text) => pad_words(&safe(text), columns, mark),
            Content::Both(a, b) => pad_both(&safe(a), &safe(b), columns, mark),
            Content::Spark(counts, most) => {
                let skip = counts.len().saturating_sub(columns);
                pad(
                    &bar::spark(counts.get(skip..).unwrap_or_default(), *most, symbols),
                    columns,
                    "",
                )
            }
        }
    }

    /// What the filter looks in.
    fn found_by(&self) -> &str {
        match &self.content {
            Content::Text(text) | Content::Number(text) | Content::Words(text) => text,
            Content::Both(name, _) => name,
            Content::Spark(..) => "",
        }
    }
}

/// A row, or a heading above rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row<Id> {
    /// A heading: one line over what follows.
    Heading(String),
    /// Something that can be selected.
    Item {
        /// What the selection stays with.
        id: Id,
        /// One for each column.
        cells: Vec<Cell>,
        /// What the filter finds it by beside its cells.
        also: String,
    },
}

impl<Id> Row<Id> {
    /// A row of these cells.
    pub fn of(id: Id, cells: Vec<Cell>) -> Row<Id> {
        Row::Item {
            id,
            cells,
            also: String::new(),
        }
    }
}

/// Columns and rows, the selection and the filter.
#[derive(Debug, Clone)]
pub struct Table<Id> {
    columns: &'static [Column],
    rows: Vec<Row<Id>>,
    /// For each slot of the list, which row it is.
    slots: Vec<usize>,
    /// Selection, filter, scrolling.
    pub list: List<Id>,
}

/// Rows in two halves side by side: other columns, and which of a row's cells stands in each.
#[derive(Debug, Clone, Copy)]
pub struct Half {
    /// The columns of each half.
    pub columns: &'static [Column],
    /// For each of them the cell of a row.
    pub cells: &'static [usize],
}

/// Which columns stand in a line, each with its width.
type Places = Vec<(usize, usize)>;

/// Columns before each row: the marker.
const MARGIN: usize = 2;
/// Columns before a second line.
const INDENT: usize = 4;

impl<Id: Copy + PartialEq> Table<Id> {
    /// An empty table.
    pub fn new(columns: &'static [Column]) -> Table<Id> {
        Table {
            columns,
            rows: Vec::new(),
            slots: Vec::new(),
            list: List::default(),
        }
    }

    /// Takes other rows; selection and filter stay.
    pub fn set(&mut self, rows: Vec<Row<Id>>) {
        self.rows = rows;
        self.filter();
    }

    /// How many rows there are, whether the filter shows them or not.
    pub fn len(&self) -> usize {
        self.rows
            .iter()
            .filter(|row| matches!(row, Row::Item { .. }))
            .count()
    }

    /// Whether there is no row at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Looks for what is typed: every word somewhere in a row. A heading stays as long as a row under it does.
    pub fn filter(&mut self) {
        let typed = name_key(self.list.filter.value());
        let words: Vec<&str> = typed.split_whitespace().collect();
        self.slots.clear();
        let (mut slots, mut heading) = (Vec::new(), None);
        for (at, row) in self.rows.iter().enumerate() {
            match row {
                Row::Heading(_) => heading = Some(at),
                Row::Item { id, cells, also } => {
                    let texts: Vec<&str> = cells
                        .iter()
                        .map(Cell::found_by)
                        .chain([also.as_str()])
                        .collect();
                    let key = name_key(&texts.join(" "));
                    if words.iter().all(|word| key.contains(word)) {
                        if let Some(heading) = heading.take() {
                            self.slots.push(heading);
                            slots.push(Slot::Heading);
                        }
                        self.slots.push(at);
                        slots.push(Slot::Item(*id));
                    }
                }
            }
        }
        self.list.refresh(slots);
    }

    /// Lines that one row takes on a screen of that width.
    pub fn lines_each(&self, columns: u16) -> u16 {
        let two = columns < NARROW && self.columns.iter().any(|column| column.below);
        if two { 2 } else { 1 }
    }

    /// The part of `area` that rows stand in: below the heads.
    pub fn rows_area(area: Rect) -> Rect {
        Rect {
            y: area.y.saturating_add(1),
            height: area.height.saturating_sub(1),
            ..area
        }
    }

    /// Draws heads and rows.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let each = self.lines_each(area.width);
        let total = usize::from(area.width);
        let (first, second) = self.places(total, each == 2);
        let faint = pen.theme.faint();
        let heads = self.heads(&first, &pen.theme.symbols);
        pen.put(
            row_of(area, 0),
            &format!("{:MARGIN$}{heads}", "").to_uppercase(),
            faint,
        );
        let place = Table::<Id>::rows_area(area);
        let mut y = 0;
        for (slot, _, height) in self.list.shown(place.height, each) {
            let Some(row) = self.slots.get(slot).and_then(|at| self.rows.get(*at)) else {
                continue;
            };
            match row {
                Row::Heading(words) => {
                    let heading = pen.theme.heading();
                    let words = pen.theme.text(words).into_owned();
                    pen.put(row_of(place, y), &words, heading);
                }
                Row::Item { id, cells, .. } => {
                    let selected = self.list.selected() == Some(*id);
                    let start = panes::marker(pen, selected);
                    let starts = [start, " ".repeat(INDENT)];
                    for (row, (start, places)) in
                        (0..height).zip(starts.into_iter().zip([&first, &second]))
                    {
                        let line = styled(start, cells, places, self.columns, pen.theme);
                        pen.line(row_of(place, y + row), &line);
                        if selected {
                            pen.select(row_of(place, y + row), true);
                        }
                    }
                }
            }
            y += height;
        }
    }

    /// The items that are shown in two halves of so many lines each: whole screens of them, the one with the selection.
    fn halves(&self, lines: u16) -> impl Iterator<Item = (u16, u16, usize)> {
        let items: Vec<usize> = (0..self.slots.len())
            .filter(|slot| self.item(*slot).is_some())
            .collect();
        let lines = lines.max(1);
        let both = usize::from(lines) * 2;
        let selected = items.iter().position(|slot| {
            let item = self.item(*slot);
            item.is_some_and(|(id, _)| self.list.selected() == Some(id))
        });
        let first = selected.unwrap_or(0) / both * both;
        let shown = items.into_iter().skip(first).take(both);
        (0..)
            .zip(shown)
            .map(move |(n, slot): (u16, usize)| (n / lines, n % lines, slot))
    }

    fn item(&self, slot: usize) -> Option<(Id, &[Cell])> {
        match self.rows.get(*self.slots.get(slot)?)? {
            Row::Item { id, cells, .. } => Some((*id, cells)),
            Row::Heading(_) => None,
        }
    }

    /// Draws heads and rows in two halves side by side: the first half downwards, then the second.
    pub fn view_halves(&self, pen: &mut Pen<'_>, area: Rect, half: &Half) {
        let width = area.width / 2;
        let of = |n: u16| Rect {
            x: area.x + n * width,
            width,
            ..area
        };
        let columns: Vec<_> = half.columns.iter().enumerate().collect();
        let places = fit(columns, usize::from(width).saturating_sub(1));
        let heads = heads(half.columns, &places, &pen.theme.symbols);
        let faint = pen.theme.faint();
        for n in 0..2 {
            pen.put(row_of(of(n), 0), &format!(" {heads}").to_uppercase(), faint);
        }
        let rows = Table::<Id>::rows_area(area);
        for (n, row, slot) in self.halves(rows.height) {
            let Some((id, cells)) = self.item(slot) else {
                continue;
            };
            let cells: Vec<Cell> = half
                .cells
                .iter()
                .filter_map(|cell| cells.get(*cell).cloned())
                .collect();
            let selected = self.list.selected() == Some(id);
            let symbols = &pen.theme.symbols;
            let start = if selected { symbols.marker } else { " " };
            let place = Rect {
                y: rows.y,
                height: rows.height,
                ..of(n)
            };
            let line = styled(start.to_owned(), &cells, &places, half.columns, pen.theme);
            pen.line(row_of(place, row), &line);
            if selected {
                pen.select(row_of(place, row), true);
            }
        }
    }

    /// What stands there in the halves of `area`: in that line of the page, whose title is its first, and that column.
    pub fn in_half(&self, area: Rect, line: u16, column: u16) -> Option<Id> {
        let rows = Table::<Id>::rows_area(area);
        let row = line.checked_sub(2)?;
        let half = column.checked_sub(area.x)? / (area.width / 2).max(1);
        let mut shown = self.halves(rows.height);
        let found = shown.find(|(n, at, _)| (*n, *at) == (half, row));
        found.and_then(|(_, _, slot)| Some(self.item(slot)?.0))
    }

    fn heads(&self, places: &[(usize, usize)], symbols: &Symbols) -> String {
        heads(self.columns, places, symbols)
    }

    /// The rows that the filter shows, as lines of text of at most so many columns, heads first: to print.
    pub fn text(&self, columns: usize) -> String {
        let theme = Theme::new(Colours::None, Charset::Unicode);
        let symbols = &theme.symbols;
        let (places, _) = self.places(columns + MARGIN, false);
        let safe = |text: &str| visible(text).into_owned();
        let mut out = self.heads(&places, symbols).to_uppercase();
        out.truncate(out.trim_end().len());
        out.push('\n');
        for row in self.slots.iter().filter_map(|at| self.rows.get(*at)) {
            let line = match row {
                Row::Heading(words) => format!("\n{}", safe(words)),
                Row::Item { cells, .. } => {
                    let cells = places.iter().filter_map(|(at, columns)| {
                        let right = self.columns.get(*at)?.right;
                        Some(cells.get(*at)?.shown(*columns, symbols, &safe, right))
                    });
                    cells.collect::<Vec<_>>().join(" ")
                }
            };
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    /// The columns of the first and the second line, each with its width.
    fn places(&self, total: usize, two: bool) -> (Places, Places) {
        let line = |below: bool, room: usize| {
            let of = |(at, column): (usize, &'static Column)| {
                (two && column.below == below || !two && !below).then_some((at, column))
            };
            fit(
                self.columns.iter().enumerate().filter_map(of).collect(),
                room,
            )
        };
        (
            line(false, total.saturating_sub(MARGIN)),
            line(true, total.saturating_sub(INDENT)),
        )
    }
}

fn heads(columns: &[Column], places: &[(usize, usize)], symbols: &Symbols) -> String {
    let heads = places.iter().filter_map(|(at, room)| {
        let column = columns.get(*at)?;
        Some(if column.right {
            pad_left(column.head, *room, symbols.mark)
        } else {
            pad(column.head, *room, symbols.mark)
        })
    });
    heads.collect::<Vec<_>>().join(" ")
}

/// Gives each column its room: what does not fit is left out by rank, what is left over goes to those that can use it.
fn fit(mut columns: Vec<(usize, &'static Column)>, room: usize) -> Places {
    let needed = |columns: &[(usize, &Column)]| {
        let least: usize = columns.iter().map(|(_, column)| column.least).sum();
        least + columns.len().saturating_sub(1)
    };
    while needed(&columns) > room {
        let worst = columns
            .iter()
            .enumerate()
            .max_by_key(|(at, (_, column))| (column.rank, *at))
            .filter(|(_, (_, column))| column.rank > 0)
            .map(|(at, _)| at);
        match worst {
            Some(at) => drop(columns.remove(at)),
            None => break,
        }
    }
    let mut left = room.saturating_sub(needed(&columns));
    let mut places: Places = columns
        .iter()
        .map(|(at, column)| (*at, column.least))
        .collect();
    // What is never left out is shown whole before the others get more.
    for first in [true, false] {
        let mut grew = true;
        while left > 0 && grew {
            grew = false;
            for ((_, column), (_, place)) in columns.iter().zip(&mut places) {
                if left > 0 && *place < column.most && (column.rank == 0 || !first) {
                    *place += 1;
                    left -= 1;
                    grew = true;
                }
            }
        }
    }
    places
}

fn styled(
    start: String,
    cells: &[Cell],
    places: &[(usize, usize)],
    columns: &[Column],
    theme: &Theme,
) -> Line {
    let safe = |text: &str| theme.text(text).into_owned();
    let mut line = Line::of(start, theme.plain());
    for (at, room) in places {
        let (Some(cell), Some(column)) = (cells.get(*at), columns.get(*at)) else {
            continue;
        };
        let text = cell.shown(*room, &theme.symbols, &safe, column.right);
        debug_assert_eq!(
            width(&text),
            *room,
            "a cell of another width than its column"
        );
        line = line
            .and(text, cell.look.style(theme))
            .and(" ", theme.plain());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: &[Column] = &[
        Column::text("ward", 4, 8),
        Column::text("name", 6, 30).rank(2).below(),
        Column::fixed("due", 4).right(),
        Column::fixed("out", 4).right().rank(1),
    ];

    fn table() -> Table<u32> {
        let mut table = Table::new(COLUMNS);
        table.set(vec![
            Row::Heading("Ground floor".into()),
            Row::of(
                1,
                vec![
                    Cell::text("MED3"),
                    Cell::text("General Medicine"),
                    Cell::number(12),
                    Cell::count(0, Look::Out),
                ],
            ),
            Row::Heading("First floor".into()),
            Row::of(
                2,
                vec![
                    Cell::text("SURG1"),
                    Cell::text("Surgery \u{1b}[2J"),
                    Cell::number(123_456),
                    Cell::count(3, Look::Out),
                ],
            ),
        ]);
        table
    }

    #[test]
    fn text_to_print_is_cut_by_rank_and_commands_nothing() {
        let table = table();
        assert_eq!(
            table.text(40),
            "WARD     NAME                   DUE  OUT\n\n\
             Ground floor\nMED3     General Medicine        12\n\n\
             First floor\nSURG1    Surgery \u{fffd}[2J             …    3\n"
                .replace("\u{fffd}", &visible("\u{1b}"))
        );
        assert_eq!(
            table.text(12).lines().next(),
            Some("WARD     DUE"),
            "no room for names, nor for what is out"
        );
    }

    #[test]
    fn a_filter_keeps_the_headings_of_what_it_finds() {
        let mut table = table();
        table.list.filter.paste("surg");
        table.filter();
        let text = table.text(60);
        assert!(text.contains("First floor") && text.contains("SURG1"));
        assert!(!text.contains("Ground") && !text.contains("MED3"));
        assert_eq!((table.list.len(), table.len()), (1, 2));
    }

    proptest! {
        #[test]
        fn columns_never_take_more_than_there_is(room in 13usize..200) {
            let (places, _) = table().places(room + MARGIN, false);
            let used: usize = places.iter().map(|(_, w)| w).sum::<usize>() + places.len() - 1;
            prop_assert!(used <= room, "{used} of {room}");
            prop_assert!(places.iter().any(|(at, _)| *at == 0), "rank 0 stays");
        }
    }
}
