//! What the command line and screens both say of the cupboard.

use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr;

use super::shelf::{DiscrepancyLine, RegisterLine, RegisterPage};
use super::{LedgerReason, Quantity};

/// Why a row of the register is there, without what only programs read: the patient stands beside it.
pub fn register_reason(line: &RegisterLine) -> String {
    let reference = match line.reason {
        // Keys of the dose: patient and person say it to people.
        LedgerReason::Given | LedgerReason::Corrected => "",
        LedgerReason::Sent | LedgerReason::Arrived => "",
        // `count KEY code: text`
        LedgerReason::Adjusted if line.reference.starts_with("count ") => {
            line.reference.splitn(3, ' ').nth(2).unwrap_or_default()
        }
        LedgerReason::Returned if line.reference.starts_with("transfer ") => "from a transfer",
        _ => line.reference.as_str(),
    };
    if reference.is_empty() {
        line.reason.to_string()
    } else {
        format!("{}, {reference}", line.reason)
    }
}

/// A difference in words: `2 missing`, `1 too many`.
pub fn difference(line: &DiscrepancyLine) -> String {
    if line.quantity < Quantity::ZERO {
        format!("{} missing", -line.quantity)
    } else {
        format!("{} too many", line.quantity)
    }
}

/// A page of the register as text to print, in so many columns.
pub fn register_text(page: &RegisterPage, zone: &TimeZone, columns: usize) -> String {
    let mut out = format!(
        "DRUG REGISTER   {} {}   {} {}\n",
        page.ward.code, page.ward.name, page.drug.name, page.drug.strength
    );
    let kind = if page.drug.controlled {
        "Controlled drug. "
    } else {
        ""
    };
    out.push_str(&format!(
        "{kind}Counted in {}. Stock now {}, {} rows.\n\n",
        page.drug.unit, page.current, page.last
    ));
    // Number, time, in, out, balance and hash have their columns; what is left is for words. Where there is little, the
    // year of the times gives way to the names.
    let (clock, time, number) = if columns < 110 {
        ("%m-%d %H:%M", 11, 6)
    } else {
        ("%Y-%m-%d %H:%M", 16, 9)
    };
    let words = columns.saturating_sub(5 + time + 1 + 3 * (number + 1) + 9);
    let (who, by) = (words / 2, words - words / 2);
    let row = |cells: [&str; 8]| {
        let [seq, when, what, came, went, balance, people, hash] = cells;
        format!(
            "{} {} {} {} {} {} {} {}",
            right(seq, 4),
            left(when, time),
            left(what, who.saturating_sub(1)),
            right(came, number),
            right(went, number),
            right(balance, number),
            left(people, by.saturating_sub(1)),
            hash
        )
    };
    let mut push = |line: String| {
        out.push_str(line.trim_end());
        out.push('\n');
    };
    push(row([
        "ROW",
        "TIME",
        "PATIENT OR REASON",
        "IN",
        "OUT",
        "LEFT",
        "BY, WITNESS",
        "HASH",
    ]));
    for line in &page.lines {
        let time = line.at.to_zoned(zone.clone()).strftime(clock).to_string();
        let what = match &line.patient {
            Some((_, name, mrn)) => format!("{name} {mrn}"),
            None => register_reason(line),
        };
        let (came, went) = if line.delta.is_positive() {
            (line.delta.to_string(), String::new())
        } else {
            (String::new(), (-line.delta).to_string())
        };
        let people = match (&line.by, &line.witness) {
            (Some(by), Some(witness)) => format!("{by}, {witness}"),
            (Some(by), None) => by.clone(),
            (None, _) => "opening stock".to_owned(),
        };
        let mark = if line.holds { "" } else { " WRONG" };
        push(row([
            &line.seq.to_string(),
            &time,
            &what,
            &came,
            &went,
            &line.balance.to_string(),
            &people,
            &format!("{}{mark}", line.hash),
        ]));
    }
    let wrong = page.lines.iter().filter(|line| !line.holds).count();
    let verdict = match (wrong, page.head_holds) {
        (0, true) => "Every row is what was written, and follows the row before it.".to_owned(),
        (0, false) => "THE STOCK IS NOT WHAT THE REGISTER ENDS WITH.".to_owned(),
        (n, _) => format!("{n} ROWS ARE NOT WHAT WAS WRITTEN."),
    };
    out.push_str(&format!("\n{verdict}\n"));
    out
}

fn left(text: &str, columns: usize) -> String {
    let mut cut = fit(text, columns);
    let room = columns.saturating_sub(cut.width());
    cut.extend(std::iter::repeat_n(' ', room));
    cut
}

fn right(text: &str, columns: usize) -> String {
    let cut = fit(text, columns);
    format!("{}{cut}", " ".repeat(columns.saturating_sub(cut.width())))
}

/// What fits, with a mark where it was cut.
fn fit(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + UnicodeWidthStr::width(c.encode_utf8(&mut [0; 4])) + 1 > columns {
            break;
        }
        out.push(c);
    }
    out.push('~');
    out
}
