//! Prescribing, patients and their record on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::{Date, DateTime};

use super::{Asking, Format, Page, quantity};
use crate::domain::{Quantity, Reason};

/// A coded reason: CODE, or 'CODE: words'.
#[derive(Debug, Clone)]
pub struct Said(pub Reason);

impl Said {
    /// Reads one.
    pub fn of(text: &str) -> Said {
        let (code, words) = text.split_once(':').unwrap_or((text, ""));
        Said(Reason {
            code: code.trim().to_owned(),
            text: words.trim().to_owned(),
        })
    }
}

fn said(text: &str) -> Result<Said, String> {
    Ok(Said::of(text))
}

/// `2026-03-02 08:00`, in the ward's time.
fn local(text: &str) -> Result<DateTime, String> {
    let read = |format: &str| DateTime::strptime(format, text.trim());
    read("%Y-%m-%d %H:%M")
        .or_else(|_| read("%Y-%m-%dT%H:%M"))
        .map_err(|_| format!("'{text}' is not a day and time: YYYY-MM-DD HH:MM"))
}

fn date(text: &str) -> Result<Date, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("'{text}' is not a day: YYYY-MM-DD"))
}

/// `valmed prescribe`
#[derive(Debug, Args)]
pub struct Prescribe {
    /// The patient's medical record number.
    #[arg(long, value_name = "MRN")]
    pub patient: String,
    /// The drug's formulary code.
    #[arg(long)]
    pub drug: String,
    /// The dose, or the least of a range, in the drug's stock unit.
    #[arg(long, value_parser = quantity)]
    pub dose: Quantity,
    /// The most of a range.
    #[arg(long, value_parser = quantity)]
    pub dose_max: Option<Quantity>,
    /// How: PO, IV …
    #[arg(long)]
    pub route: String,
    /// When: '08:00 20:00', BID, Q8H, 'MON,THU 08:00', ONCE, 'ONCE 17:00', STAT, or 'PRN Q6H MAX 4'.
    #[arg(long)]
    pub when: String,
    /// When it begins, in the ward's time [default: now].
    #[arg(long, value_name = "YYYY-MM-DD HH:MM", value_parser = local)]
    pub start: Option<DateTime>,
    /// When it ends, in the ward's time [default: when somebody ends it].
    #[arg(long, value_name = "YYYY-MM-DD HH:MM", value_parser = local)]
    pub stop: Option<DateTime>,
    /// Prescribe it although an allergy is recorded, for this reason: CODE or 'CODE: words'.
    #[arg(long, value_name = "REASON", value_parser = said)]
    pub despite_allergy: Option<Said>,
    /// Prescribe it although the patient has it prescribed already, for this reason: CODE or 'CODE: words'.
    #[arg(long, value_name = "REASON", value_parser = said)]
    pub despite_duplicate: Option<Said>,
    /// The version of the patient's record that was looked at [default: the one it has now].
    #[arg(long)]
    pub version: Option<i64>,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed my-orders`
#[derive(Debug, Args)]
pub struct MyOrders {
    /// The doctor's user name.
    #[arg(long = "as", value_name = "USER")]
    pub actor: String,
    /// Those that have ended too.
    #[arg(long)]
    pub all: bool,
    /// Which page.
    #[command(flatten)]
    pub page: Page,
}

/// On what the record is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecordForm {
    /// Plain text of the given width.
    Text,
    /// JSON for programs.
    Json,
}

/// `valmed mar`
#[derive(Debug, Args)]
pub struct Mar {
    /// The patient's medical record number.
    #[arg(long, value_name = "MRN")]
    pub patient: String,
    /// Which day [default: today, by the ward's clock].
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    pub day: Option<Date>,
    /// Columns of the paper or screen.
    #[arg(long, default_value_t = 132, value_parser = clap::value_parser!(u16).range(60..=400))]
    pub width: u16,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = RecordForm::Text)]
    pub format: RecordForm,
}

/// `valmed snapshot`
#[derive(Debug, Args)]
pub struct Snapshot {
    /// The folder; it is made where it is not there.
    pub dir: PathBuf,
    /// Go on writing them this often, until stopped: 30s, 10m, 2h.
    #[arg(long, value_name = "TIME", value_parser = every)]
    pub every: Option<Duration>,
    /// Columns of the paper.
    #[arg(long, default_value_t = 132, value_parser = clap::value_parser!(u16).range(60..=400))]
    pub width: u16,
}

/// `valmed patient …`
#[derive(Debug, Subcommand)]
pub enum Patient {
    /// List who lies in a ward, or whose name begins so.
    List(PatientList),
    /// Take a patient in, or back.
    Admit(Admit),
    /// Move a patient to another ward or bed; open doses follow.
    Move(Move),
    /// A patient leaves: prescriptions and open doses end.
    Discharge(Discharge),
    /// Record what a patient is allergic to, all of it.
    Allergies(Allergies),
}

/// `valmed patient list`
#[derive(Debug, Args)]
pub struct PatientList {
    /// Who lies in this ward (its code).
    #[arg(long, required_unless_present = "name")]
    pub ward: Option<String>,
    /// Whose name begins like this, those who left among them.
    #[arg(long, conflicts_with = "ward")]
    pub name: Option<String>,
    /// Rows at most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    pub limit: i64,
    /// How to print it.
    #[command(flatten)]
    pub list: Format,
}

/// `valmed patient admit`
#[derive(Debug, Args)]
pub struct Admit {
    /// The number on the wristband.
    #[arg(long, value_name = "MRN")]
    pub patient: String,
    /// As in the record: 'Adler, Anna'.
    #[arg(long)]
    pub name: String,
    /// Birth date.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    pub born: Date,
    /// The ward's code.
    #[arg(long)]
    pub ward: String,
    /// The bed.
    #[arg(long, default_value = "")]
    pub bed: String,
    /// What the patient is allergic to; empty: none recorded.
    #[arg(long, default_value = "")]
    pub allergies: String,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed patient move`
#[derive(Debug, Args)]
pub struct Move {
    /// The patient's medical record number.
    #[arg(long, value_name = "MRN")]
    pub patient: String,
    /// The ward's code.
    #[arg(long)]
    pub ward: String,
    /// The bed.
    #[arg(long, default_value = "")]
    pub bed: String,
    /// The version of the patient's record that was looked at [default: the one it has now].
    #[arg(long)]
    pub version: Option<i64>,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed patient discharge`
#[derive(Debug, Args)]
pub struct Discharge {
    /// The patient's medical record number.
    #[arg(long, value_name = "MRN")]
    pub patient: String,
    /// Why: CODE or 'CODE: words'.
    #[arg(long, value_parser = said)]
    pub reason: Said,
    /// The version of the patient's record that was looked at [default: the one it has now].
    #[arg(long)]
    pub version: Option<i64>,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed patient allergies`
#[derive(Debug, Args)]
pub struct Allergies {
    /// The patient's medical record number.
    #[arg(long, value_name = "MRN")]
    pub patient: String,
    /// All of them; empty: none recorded.
    #[arg(long)]
    pub allergies: String,
    /// The version of the patient's record that was looked at [default: the one it has now].
    #[arg(long)]
    pub version: Option<i64>,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `30s`, `10m`, `2h`.
fn every(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is not a time such as 30s, 10m or 2h");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return Err(wrong()),
    };
    let count: u64 = text.trim_end_matches(unit).parse().map_err(|_| wrong())?;
    match count.checked_mul(each) {
        Some(seconds @ 10..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("'{text}' is not between 10s and 24h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_between_two_rounds_is_read() {
        assert_eq!(every("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(every("30s"), Ok(Duration::from_secs(30)));
        for text in [
            "",
            "10",
            "m",
            "1s",
            "25h",
            "-5m",
            "1.5h",
            "18446744073709551615h",
        ] {
            assert!(every(text).is_err(), "{text}");
        }
    }
}
