//! A patient's day as text to print: plain characters, no line longer than the paper.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Beside, LEGEND, Layout, Row, is_timed, row, told};
use crate::domain::mar::{Record, Standing, Windows};
use crate::domain::text::visible;
use crate::tui::widgets::text::{cut, pad, pad_both, wrap};

/// What stands where a text was cut.
const MARK: &str = "~";

/// The page in at most so many columns. `now` is the moment that the words are true at.
pub fn text(record: &Record, now: Timestamp, windows: Windows, columns: usize) -> String {
    let zone = record.ward.zone();
    let layout = Layout::of(record, &zone, columns);
    let mut out = head(record, now, columns);
    let timed: Vec<_> = record.lines.iter().filter(|line| is_timed(line)).collect();
    let others: Vec<_> = record.lines.iter().filter(|line| !is_timed(line)).collect();
    let mut rule = pad("", layout.name, "");
    for head in &layout.heads {
        rule.push_str(&pad(head, layout.cell, ""));
    }
    line(&mut out, &rule, columns);
    if record.lines.is_empty() {
        line(&mut out, "Nothing is prescribed for this day.", columns);
    }
    for of in timed {
        let row = row(of, &layout, now, windows, &zone);
        lines(&mut out, &row, &layout, columns);
    }
    if !others.is_empty() {
        line(&mut out, "", columns);
        line(&mut out, "AS NEEDED, AND TO BE READ", columns);
    }
    for of in others {
        let row = row(of, &layout, now, windows, &zone);
        lines(&mut out, &row, &layout, columns);
        if !of.limits.is_empty() {
            line(&mut out, &format!("  {}", of.limits), columns);
        }
    }
    notes(&mut out, record, now, windows, columns);
    out
}

fn head(record: &Record, now: Timestamp, columns: usize) -> String {
    let (patient, zone) = (&record.patient, record.ward.zone());
    let mut out = String::new();
    let title = format!(
        "MEDICATION RECORD  {}  {}",
        record.day.strftime("%A %-d %B %Y"),
        record.ward.name
    );
    line(&mut out, &title, columns);
    let bed = if patient.bed.is_empty() {
        String::new()
    } else {
        format!(", bed {}", patient.bed)
    };
    let born = patient.birth_date.strftime("%-d %b %Y");
    let who = format!("{}  {}  born {born}{bed}", patient.name, patient.mrn);
    line(&mut out, &who, columns);
    if let Some(at) = record.discharged_at {
        line(
            &mut out,
            &format!("DISCHARGED {}", stamp(at, &zone)),
            columns,
        );
    }
    let allergies = if patient.allergies.is_empty() {
        "none recorded"
    } else {
        &patient.allergies
    };
    for said in wrap(&visible(&format!("ALLERGIES: {allergies}")), columns) {
        line(&mut out, &said, columns);
    }
    line(&mut out, &format!("as of {}", stamp(now, &zone)), columns);
    line(&mut out, "", columns);
    out
}

/// Day and time on paper, which is read on another day.
fn stamp(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%-d %b %Y %H:%M %Z")
        .to_string()
}

fn line(out: &mut String, text: &str, columns: usize) {
    let safe = visible(text);
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}", cut(safe.trim_end(), columns, MARK));
}

fn lines(out: &mut String, row: &Row, layout: &Layout, columns: usize) {
    let room = layout.name.saturating_sub(1);
    let name = pad_both(&visible(&row.name.0), &visible(&row.name.1), room, MARK);
    let below = pad(&format!("  {}", visible(&row.below)), room, MARK);
    match &row.beside {
        Beside::Cells(cells) => {
            let (mut first, mut second) = (format!("{name} "), format!("{below} "));
            for cell in cells {
                let (word, at) = cell
                    .as_ref()
                    .map_or(("", ""), |cell| (cell.word, cell.below.as_str()));
                first.push_str(&pad(word, layout.cell, MARK));
                second.push_str(&pad(at, layout.cell, MARK));
            }
            line(out, &first, columns);
            line(out, &second, columns);
        }
        Beside::Words(words) => {
            let said = wrap(&visible(words), columns.saturating_sub(layout.name).max(1));
            let mut said = said.iter();
            let first = said.next().map_or("", String::as_str);
            line(out, &format!("{name} {first}"), columns);
            let second = said.next().map_or("", String::as_str);
            line(out, &format!("{below} {second}"), columns);
            for more in said {
                line(out, &format!("{} {more}", pad("", room, "")), columns);
            }
        }
    }
}

/// Whatever was not simply given in time, one by one, and what the words mean.
fn notes(out: &mut String, record: &Record, now: Timestamp, windows: Windows, columns: usize) {
    let zone = record.ward.zone();
    let mut said = Vec::new();
    for of in &record.lines {
        for dose in &of.doses {
            let standing = dose.standing(now, windows);
            let plain = matches!(standing, Standing::Due | Standing::Later);
            if !plain || !dose.entries.is_empty() {
                let words = told(dose, of, now, windows, &zone);
                said.push((dose.due, format!("{}, {words}", of.drug.title())));
            }
        }
    }
    said.sort();
    if !said.is_empty() {
        line(out, "", columns);
        line(out, "DOSE BY DOSE", columns);
    }
    for (_, words) in said {
        for (at, part) in wrap(&visible(&words), columns.saturating_sub(2))
            .iter()
            .enumerate()
        {
            let indent = if at == 0 { "" } else { "  " };
            line(out, &format!("{indent}{part}"), columns);
        }
    }
    line(out, "", columns);
    for part in wrap(LEGEND, columns) {
        line(out, &part, columns);
    }
}
