//! Lists as a table, JSON or CSV.

use std::borrow::Cow;
use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

use crate::cli::Style;
use crate::domain::text::visible;
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

/// A time in a ward's zone: `2026-03-29 08:00`.
pub fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

/// A list with named columns.
pub struct List {
    columns: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

impl List {
    /// An empty list.
    pub const fn new(columns: &'static [&'static str]) -> List {
        List {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row: one value for each column.
    pub fn push(&mut self, row: impl IntoIterator<Item = Value>) {
        self.rows.push(row.into_iter().collect());
    }

    /// Prints it. In CSV, a cell that a spreadsheet would take for a formula is made harmless.
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
        serde_json::to_writer_pretty(&mut *out, &rows)?;
        writeln!(out)
    }

    fn csv(self, out: &mut impl Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(self.columns)?;
        for row in &self.rows {
            csv.write_record(row.iter().map(|cell| safe_cell(&plain(cell)).into_owned()))?;
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
