//! What `valmed bench …` takes.

use clap::{Args, Subcommand, ValueEnum};

/// `valmed bench …`
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// How long the ward desk takes to be on the screen, and a key to its frame.
    Desk(BenchDesk),
    /// What live screens cost, in a scratch database: readings of wards, processor, age of what is on the screen.
    Feed(BenchFeed),
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

/// `valmed bench feed`
#[derive(Debug, Clone, Args)]
pub struct BenchFeed {
    /// How long each combination is measured, in seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Sessions that watch, comma-separated: each number is measured.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,10,100,1000",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub sessions: Vec<u32>,
    /// Wards that they watch and that change, comma-separated.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,60",
          value_parser = clap::value_parser!(u32).range(1..=500))]
    pub wards: Vec<u32>,
    /// Doses given a second, over all the wards, comma-separated.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,50,500",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub changes: Vec<u32>,
    /// Where the changes are made; both unless one is named.
    #[arg(long, value_enum)]
    pub from: Option<Whence>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Where the changes are made that a screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Whence {
    /// By the desk of the process whose screens they are.
    Here,
    /// By a desk with a pool and a feed of its own, as another process has.
    Elsewhere,
}
