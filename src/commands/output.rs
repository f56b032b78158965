//! Lists as a table, JSON or CSV.

use std::borrow::Cow;
use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

use crate::cli::Style;
use crate::domain::text::{is_unsafe, visible};
use crate::interop::safe_cell;

/// Prints a line; that nobody reads any more is an error to be passed on, where `println!` would panic.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write;
        writeln!(std::io::stdout(), $($words)*)
    }};
}
pub(super) use say;

/// Text from the data, safe to print on a terminal.
pub fn shown(text: &str) -> Cow<'_, str> {
    visible(text)
}

/// JSON on one line, safe to print on a terminal: see [`escaped`].
///
/// # Errors
/// The value has no JSON form.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(value).map(|text| escaped(&text).into_owned())
}

/// JSON with every character that a terminal could take for a command written as `\uXXXX`: programs read the same text
/// back, and a person who looks at it is not deceived. Outside strings JSON has only line breaks of that kind, and
/// inside them no raw ones.
fn escaped(json: &str) -> Cow<'_, str> {
    let raw = |c: char| c != '\n' && is_unsafe(c);
    if !json.contains(raw) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if raw(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// A time in a ward's zone: `2026-03-29 08:00`.
pub fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

/// A list with named columns.
pub struct List {
    columns: Vec<&'static str>,
    rows: Vec<Vec<Value>>,
}

impl List {
    /// An empty list.
    pub fn new(columns: &[&'static str]) -> List {
        List {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: one value for each column.
    pub fn push(&mut self, row: impl IntoIterator<Item = Value>) {
        self.rows.push(row.into_iter().collect());
    }

    /// Prints it. Nothing in it acts on a terminal, whichever the form; JSON alone keeps every character. In CSV, a
    /// cell that a spreadsheet would take for a formula is made harmless.
    ///
    /// # Errors
    /// Standard output is gone.
    pub fn print(self, style: Style) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        match style {
            Style::Json => self.json(&mut out)?,
            Style::Csv => self.csv(&mut out)?,
            Style::Table => self.table(&mut out)?,
        }
        out.flush()
    }

    fn json(self, out: &mut impl Write) -> io::Result<()> {
        let rows: Vec<Value> = self
            .rows
            .into_iter()
            .map(|row| {
                let cells = self
                    .columns
                    .iter()
                    .map(|column| (*column).to_owned())
                    .zip(row);
                Value::Object(cells.collect::<Map<String, Value>>())
            })
            .collect();
        writeln!(out, "{}", escaped(&serde_json::to_string_pretty(&rows)?))
    }

    fn csv(self, out: &mut impl Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(&self.columns)?;
        for row in &self.rows {
            // What is shown is what is made harmless: a mark taken off the front may bare a formula.
            let cell = |cell| safe_cell(&visible(&plain(cell))).into_owned();
            csv.write_record(row.iter().map(cell))?;
        }
        csv.flush()
    }

    fn table(self, out: &mut impl Write) -> io::Result<()> {
        let cells = |row: &Vec<Value>| {
            row.iter()
                .map(|cell| visible(&plain(cell)).into_owned())
                .collect()
        };
        let rows: Vec<Vec<String>> = self.rows.iter().map(cells).collect();
        let width = |column: usize| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.width());
            cells
                .chain([self.columns[column].width()])
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let header: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.to_uppercase())
            .collect();
        for row in std::iter::once(&header).chain(&rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(
                    ' ',
                    width.saturating_sub(cell.width()) + 2,
                ));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn plain(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}[31m\u{7f}\u{9b}31m\u{202e}b\u{e0041}\n\"\\";

    fn list(text: &str) -> List {
        let mut list = List::new(&["name"]);
        list.push([Value::from(text)]);
        list
    }

    fn quiet(out: &[u8]) -> &str {
        let text = std::str::from_utf8(out).unwrap();
        assert!(
            !text.contains(|c| c != '\n' && c != crate::domain::text::REPLACEMENT && is_unsafe(c)),
            "{text:?}"
        );
        text
    }

    #[test]
    fn json_says_everything_and_commands_no_terminal() {
        let mut out = Vec::new();
        list(HOSTILE).json(&mut out).unwrap();
        let read: Value = serde_json::from_str(quiet(&out)).unwrap();
        assert_eq!(read[0]["name"], HOSTILE);
        let line = json(&serde_json::json!({ "name": HOSTILE })).unwrap();
        let read: Value = serde_json::from_str(quiet(line.as_bytes())).unwrap();
        assert_eq!(read["name"], HOSTILE);
        assert!(line.contains("\\udb40\\udc41"), "{line}");
    }

    #[test]
    fn csv_commands_neither_terminal_nor_spreadsheet() {
        let mut out = Vec::new();
        list(HOSTILE).csv(&mut out).unwrap();
        assert!(quiet(&out).contains("[31m"));
        for formula in ["=1+1", "\u{301}=1+1"] {
            let mut out = Vec::new();
            list(formula).csv(&mut out).unwrap();
            assert_eq!(quiet(&out), "name\n'=1+1\n");
        }
    }
}
