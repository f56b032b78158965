//! A screen as lines that are read aloud: nothing is drawn over anything, and what is said is what has changed.
//!
//! A screen reader reads what is appended, and the line on which the cursor stands. So lines are only ever added below
//! one another, and the last is always the one that matters: the row that keys act on, or the field one types into, with
//! the cursor on it. The screen is the same as everywhere, drawn so large that nothing on it is cut; what a row is beside
//! its words it says itself (see [`spoken`]).

use std::collections::{BTreeSet, VecDeque};

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;

use crate::domain::text::visible;
use crate::tui::Charset;
use crate::tui::theme::spoken;
use crate::tui::widgets::text::wrap;

/// Columns of a line: those of the narrowest terminal in use.
const COLUMNS: usize = 78;
/// Lists whose rows are known when one comes back to them.
const LISTS: usize = 4;
/// What keys do is told once; of more than so many screens the first is told again.
const HINTS: usize = 100;

/// One row of the screen.
#[derive(Debug, Default, PartialEq, Eq)]
struct Row {
    /// Its words.
    text: String,
    /// What of it is compared: all but what changes by the clock alone.
    key: String,
    /// The words of a title in it; empty: it has none.
    title: String,
    list: bool,
    about: bool,
    selected: bool,
    hint: bool,
}

/// The last line on the terminal, on which the cursor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Last {
    /// A row that keys act on.
    Selected(String),
    /// What stands before the cursor where one types.
    Typed(String),
}

/// What has been said.
#[derive(Debug, Default)]
pub(super) struct Speaker {
    /// Above the title: the ward, the person, what must not be overlooked.
    top: BTreeSet<String>,
    /// Which screen there is: its title, and what it is about.
    screen: Option<Vec<String>>,
    known: BTreeSet<String>,
    lists: VecDeque<(Vec<String>, BTreeSet<String>)>,
    hints: BTreeSet<String>,
    selected: String,
    last: Option<Last>,
    /// Something stands on the line of the cursor.
    begun: bool,
}

impl Speaker {
    /// The bytes that say what has changed; none when nothing has.
    pub(super) fn frame(
        &mut self,
        next: &Buffer,
        cursor: Option<Position>,
        charset: Charset,
    ) -> Vec<u8> {
        let mut rows = rows(next, cursor);
        let typed = cursor.map(|at| before_cursor(next, at));
        let first = rows
            .iter()
            .position(|row| !row.title.is_empty())
            .unwrap_or(rows.len());
        let below = rows.split_off(first);
        let top: BTreeSet<String> = rows.iter().map(|row| row.key.clone()).collect();
        let mut lines: Vec<String> = Vec::new();
        lines.extend(fresh(&rows, &self.top).cloned());
        self.top = top;
        lines.extend(self.changed(&below));
        let selected = below.iter().filter(|row| row.selected);
        let (text, key): (Vec<&str>, Vec<&str>) = selected
            .map(|row| (row.text.as_str(), row.key.as_str()))
            .unzip();
        let (text, key) = (text.join(", "), key.join(", "));
        let moved = key != self.selected && !key.is_empty();
        self.selected = key;
        let last = match typed {
            Some(typed) => {
                // One types, and chooses from a list at the same time.
                if moved && !lines.contains(&text) {
                    lines.push(format!("> {text}"));
                }
                Some(Last::Typed(typed))
            }
            None if text.is_empty() => None,
            None => match &self.last {
                Some(Last::Selected(said)) if !moved && lines.is_empty() => {
                    Some(Last::Selected(said.clone()))
                }
                _ => Some(Last::Selected(format!("> {text}"))),
            },
        };
        self.say(&lines, last, charset)
    }

    /// What is new below the title.
    fn changed(&mut self, rows: &[Row]) -> Vec<String> {
        let list = rows.first().is_some_and(|row| row.list);
        let mut screen: Vec<String> = Vec::new();
        if let Some(head) = rows.first() {
            // Without what stands beside it: the counts of a list change while it is the same list.
            screen.push(head.title.clone());
        }
        if !list {
            let about = rows.iter().filter(|row| row.about);
            screen.extend(about.map(|row| row.key.clone()));
        }
        if self.screen.as_ref() != Some(&screen) {
            let left = self.screen.replace(screen.clone());
            let known = std::mem::take(&mut self.known);
            if let Some(left) = left {
                self.lists.push_back((left, known));
            }
            // A sheet is read as a whole each time it opens; a list is not.
            let back = self.lists.iter().rposition(|(was, _)| *was == screen);
            if let Some((_, known)) = back.filter(|_| list).and_then(|at| self.lists.remove(at)) {
                self.known = known;
                // Where one is again is said all the same.
                if let Some(title) = rows.first() {
                    self.known.remove(&title.key);
                }
            }
            while self.lists.len() > LISTS {
                self.lists.pop_front();
            }
            self.last = None;
        }
        let (hints, rows): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.hint);
        let mut lines: Vec<String> = rows
            .iter()
            .filter(|row| !row.text.is_empty() && !self.known.contains(&row.key))
            .map(|row| row.text.clone())
            .collect();
        self.known = rows.iter().map(|row| row.key.clone()).collect();
        if self.hints.len() > HINTS {
            self.hints.clear();
        }
        for hint in hints {
            if self.hints.insert(hint.text.clone()) {
                lines.push(hint.text.clone());
            }
        }
        lines
    }

    fn say(&mut self, lines: &[String], last: Option<Last>, charset: Charset) -> Vec<u8> {
        let mut out = Vec::new();
        if lines.is_empty() {
            match (&self.last, &last) {
                (was, is) if was == is => return out,
                (Some(Last::Typed(was)), Some(Last::Typed(is))) => {
                    if let Some(more) = is.strip_prefix(was.as_str()) {
                        put(more, charset, &mut out);
                        self.last = last;
                        return out;
                    }
                    if let Some(less) = was.strip_prefix(is.as_str()) {
                        for _ in less.chars() {
                            out.extend_from_slice(b"\x08 \x08");
                        }
                        self.last = last;
                        return out;
                    }
                }
                _ => {}
            }
        }
        if self.begun {
            out.extend_from_slice(b"\r\n");
            self.begun = false;
        }
        for line in lines {
            for part in wrap(line, COLUMNS) {
                put(&part, charset, &mut out);
                out.extend_from_slice(b"\r\n");
            }
        }
        match &last {
            Some(Last::Selected(text)) => {
                let parts = wrap(text, COLUMNS);
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        out.extend_from_slice(b"\r\n");
                    }
                    put(part, charset, &mut out);
                }
                // On the row, not behind it.
                out.push(b'\r');
                self.begun = true;
            }
            Some(Last::Typed(text)) => {
                put(text, charset, &mut out);
                self.begun = true;
            }
            None => {}
        }
        self.last = last;
        out
    }
}

fn fresh<'a>(rows: &'a [Row], known: &BTreeSet<String>) -> impl Iterator<Item = &'a String> {
    rows.iter()
        .filter(|row| !row.key.is_empty() && !known.contains(&row.key))
        .map(|row| &row.text)
}

/// The rows on which something stands, but the one that is typed in up to its cursor.
fn rows(frame: &Buffer, cursor: Option<Position>) -> Vec<Row> {
    let area = frame.area;
    let row = |y: u16| {
        let typed = cursor.filter(|at| at.y == y);
        let from = typed.map_or(0, |at| at.x.saturating_sub(area.x).saturating_add(1));
        let whole: Vec<&Cell> = (area.left()..area.right())
            .map(|x| &frame[(x, y)])
            .collect();
        let has = |what| {
            let mut drawn = whole.iter().filter(|cell| cell.symbol() != " ");
            drawn.any(|cell| cell.modifier.contains(what))
        };
        let selected = has(spoken::SELECTED);
        let words = |wanted: &dyn Fn(&Cell) -> bool, from: u16| {
            let cells = whole.iter().skip(usize::from(from));
            let shown = cells.map(|cell| if wanted(cell) { cell.symbol() } else { " " });
            let phrase = phrased(&shown.collect::<String>());
            match phrase.strip_prefix('>').filter(|_| selected) {
                Some(rest) => rest.trim_start_matches([',', ' ']).to_owned(),
                None => phrase,
            }
        };
        let titled = |cell: &Cell| cell.modifier.intersects(spoken::TITLE | spoken::LIST);
        Row {
            text: words(&|_| true, from),
            key: words(&|cell| !cell.modifier.contains(spoken::PASSING), from),
            title: words(&titled, 0),
            list: has(spoken::LIST),
            about: has(spoken::ABOUT),
            selected,
            hint: has(spoken::HINT),
        }
    };
    (area.top()..area.bottom())
        .map(row)
        .filter(|row| !row.text.is_empty() || !row.title.is_empty())
        .collect()
}

/// What stands before the cursor in its row.
fn before_cursor(frame: &Buffer, at: Position) -> String {
    let area = frame.area;
    let y = at.y.clamp(area.top(), area.bottom().saturating_sub(1));
    let cells = (area.left()..at.x.min(area.right())).map(|x| frame[(x, y)].symbol());
    let before: String = cells.collect();
    let label = phrased(&before);
    // A space that is typed is there; the gap behind a label is one.
    let gap = if before.ends_with(' ') { " " } else { "" };
    format!("{label}{gap}")
}

/// Columns as a phrase: what stood apart is heard apart.
fn phrased(row: &str) -> String {
    let shown = visible(row);
    let parts = shown
        .split("  ")
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ").replace(" , ", ", ")
}

fn put(text: &str, charset: Charset, out: &mut Vec<u8>) {
    // Spelt with letters where there is no other way: the drawing set is not heard.
    let spoken = match charset {
        Charset::Unicode => visible(text),
        Charset::Latin1 => Charset::Latin1.text(text),
        Charset::Dec | Charset::Ascii => Charset::Ascii.text(text),
    };
    for c in spoken.chars() {
        match (charset, u8::try_from(c)) {
            (Charset::Latin1, Ok(byte)) => out.push(byte),
            (Charset::Latin1, Err(_)) => {
                out.extend_from_slice(Charset::Ascii.text(&c.to_string()).as_bytes());
            }
            _ => {
                let mut utf8 = [0; 4];
                out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            }
        }
    }
}
