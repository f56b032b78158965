//! The commands about codes on packages.

use clap::{Args, Subcommand};

use super::{Asking, Format, Page};

/// `valmed code …`
#[derive(Debug, Subcommand)]
pub enum Code {
    /// Say that packages with this code hold this drug (pharmacists).
    Bind {
        /// The drug's formulary code.
        #[arg(long)]
        drug: String,
        /// The code as it is scanned, or the number below it.
        #[arg(long)]
        scan: String,
        /// Although it belongs to another entry of the formulary: a vial counted by the vial and by the millilitre.
        #[arg(long)]
        beside: bool,
        /// Who asks.
        #[command(flatten)]
        asking: Asking,
    },
    /// Say that packages with this code do not hold this drug (pharmacists).
    Release {
        /// The drug's formulary code.
        #[arg(long)]
        drug: String,
        /// The code as it is scanned, or the number below it.
        #[arg(long)]
        scan: String,
        /// Who asks.
        #[command(flatten)]
        asking: Asking,
    },
    /// List numbers and the drugs that they belong to (go on after a number).
    List {
        /// Which page.
        #[command(flatten)]
        page: Page,
    },
}

/// `valmed scan`
#[derive(Debug, Args)]
pub struct Scan {
    /// What was scanned; '-' reads one line from standard input, which takes any character.
    pub text: String,
    /// How to print it.
    #[command(flatten)]
    pub list: Format,
}
