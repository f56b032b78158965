//! `valmed report`

use clap::Args;

use super::Style;
use crate::domain::report::{Cursor, Kind, Moment};

/// `valmed report`
#[derive(Debug, Args)]
pub struct Report {
    /// Which: due, missed, late, not-given, prn, wrong-patient, overrides, discrepancies, use, stock-outs.
    #[arg(value_name = "NAME", value_parser = kind)]
    pub kind: Kind,
    /// From then on: 2026-11-23, 2026-11-23 14:05 or 14:05 (the ward's clock), or with a zone [default: 24 h before --to].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Option<Moment>,
    /// Before then [default: now].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: Option<Moment>,
    /// Only of this ward (its code) [default: all that the person may see].
    #[arg(long)]
    pub ward: Option<String>,
    /// Lines at most.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
    /// Go on where the last page ended, as it said.
    #[arg(long, value_name = "PLACE", value_parser = place)]
    pub after: Option<Cursor>,
    /// As text to print, of so many columns (132 where none are said).
    #[arg(long, value_name = "COLUMNS", num_args = 0..=1, default_missing_value = "132",
          conflicts_with = "format", value_parser = clap::value_parser!(u16).range(60..=400))]
    pub print: Option<u16>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Style::Table)]
    pub format: Style,
    /// Who reads it (their user name): a report shows what that person may see.
    #[arg(
        long = "as",
        value_name = "USER",
        env = "VALMED_AS",
        hide_env_values = true
    )]
    pub actor: String,
}

fn kind(text: &str) -> Result<Kind, String> {
    super::word(text)
}

fn moment(text: &str) -> Result<Moment, String> {
    Moment::read(text)
}

fn place(text: &str) -> Result<Cursor, String> {
    text.parse()
        .map_err(|()| format!("'{text}' is not where a page ended"))
}

/// `valmed back-entry …`
#[derive(Debug, clap::Subcommand)]
pub enum BackEntry {
    /// The doses that were due in a downtime and that nobody has accounted for. 'valmed fulfil ORDER --given-at TIME
    /// --back-entry downtime' enters one; it leaves the list.
    List(BackEntryList),
}

/// `valmed back-entry list`
#[derive(Debug, Args)]
pub struct BackEntryList {
    /// In this ward (its code).
    #[arg(long)]
    pub ward: String,
    /// From then on nothing could be entered: 2026-11-23 14:05 or 14:05 (the ward's clock), or with a zone.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Moment,
    /// Before then [default: now].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: Option<Moment>,
    /// How to print it.
    #[command(flatten)]
    pub list: super::Format,
}
