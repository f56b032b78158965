//! What `valmed bench …` takes.

use clap::{Args, Subcommand};

/// `valmed bench …`
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// How long the ward desk takes to be on the screen, and a key to its frame.
    Desk(BenchDesk),
}

/// `valmed bench desk`
#[derive(Debug, Clone, Args)]
pub struct BenchDesk {
    /// Whose desk (a user name).
    #[arg(long = "as", value_name = "USER")]
    pub actor: String,
    /// Which ward (its code).
    #[arg(long)]
    pub ward: String,
    /// How many keys.
    #[arg(long, default_value_t = 2000)]
    pub keys: usize,
    /// Columns of the terminal.
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u16).range(20..=500))]
    pub columns: u16,
    /// Rows of the terminal.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(5..=300))]
    pub rows: u16,
}
