//! What `valmed bench …` takes.

use clap::{Args, Subcommand, ValueEnum};

/// `valmed bench …`
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// How long the ward desk takes to be on the screen, and a key to its frame.
    Desk(BenchDesk),
    /// What live screens cost, in a scratch database: readings of wards, processor, age of what is on the screen.
    Feed(BenchFeed),
    /// Every query of every screen at a million orders, against the same at ten thousand: in scratch databases of the
    /// same engine.
    Screens(BenchScreens),
    /// How many doses a second many nurses can give, in a scratch database; checks the books afterwards.
    Fulfil(BenchFulfil),
    /// How many bytes a screen takes, and how far a slow terminal falls behind a changing ward; on a ward of its own.
    Wire(BenchWire),
    /// What terminals cost the SSH server: keys to bytes, memory, processor, a terminal that stops reading; on a server and
    /// a ward of its own.
    Sessions(BenchSessions),
}

/// `valmed bench sessions`
#[derive(Debug, Clone, Args)]
pub struct BenchSessions {
    /// Sessions that type.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub sessions: u32,
    /// Sessions in all at the end; fewer than those that type: no more arrive.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=9000))]
    pub many: u32,
    /// How long they rest and how long they type.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
    /// How long a terminal reads nothing.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=80))]
    pub stopped: u32,
    /// Instead: every session gives doses for --seconds, one after the other, in a hospital made for it, while one more
    /// terminal reads nothing; the books are checked afterwards.
    #[arg(long)]
    pub dosing: bool,
    /// The same with so many doses of each session, however long that takes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=150))]
    pub doses: Option<u32>,
    /// End with code 1 where a target is missed.
    #[arg(long)]
    pub check: bool,
}

/// How doses are spread over drugs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Every dose is of one drug.
    Hot,
    /// Every drug is as frequent as any other.
    Uniform,
    /// The n-th drug is given one n-th as often as the first: a formulary as it is used.
    Zipf,
}

impl Shape {
    /// Its word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Shape::Hot => "hot",
            Shape::Uniform => "uniform",
            Shape::Zipf => "zipf",
        }
    }
}

/// `valmed bench fulfil`
#[derive(Debug, Clone, Args)]
pub struct BenchFulfil {
    /// How doses are spread over drugs.
    #[arg(long, value_enum, default_value_t = Shape::Uniform)]
    pub shape: Shape,
    /// Nurses at once, each asking for the next dose as soon as the last is answered.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub callers: u32,
    /// For how long.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
    /// Over how many wards the patients, the cupboards and the nurses are spread.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub wards: u32,
    /// Different drugs.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub drugs: u32,
    /// Doses that wait to be given; as many as are needed when it is not said.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub orders: Option<u32>,
    /// More figures, as JSON on one line.
    #[arg(long)]
    pub json: bool,
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
    /// JSON for programs, a line for each thing that is measured.
    #[arg(long)]
    pub json: bool,
}

/// `valmed bench screens`
#[derive(Debug, Clone, Args)]
pub struct BenchScreens {
    /// Orders of the hospital that is measured, those to be given among them.
    #[arg(long, default_value_t = 1_000_000, value_parser = whole(10_000_000))]
    pub orders: u32,
    /// Orders that were given in the hospital that it is compared with, which has as many to be given, as many wards
    /// and as full cupboards: what a screen shows is the same, and only what lies behind it is not.
    #[arg(long, default_value_t = 10_000, value_parser = whole(10_000_000))]
    pub baseline: u32,
    /// Orders to be given, in both.
    #[arg(long, default_value_t = 20_000, value_parser = whole(1_000_000))]
    pub active: u32,
    /// Wards, in both.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub wards: u32,
    /// Drugs of the formulary, in both; the pharmacy has them all.
    #[arg(long, default_value_t = 4000, value_parser = whole(100_000))]
    pub drugs: u32,
    /// Drugs in the cupboard of a ward, in both.
    #[arg(long, default_value_t = 400, value_parser = whole(100_000))]
    pub cupboard: u32,
    /// How often each query is asked of each hospital, each time for something else.
    #[arg(long, default_value_t = 500, value_parser = whole(100_000))]
    pub rounds: u32,
    /// How often on a connection of its own.
    #[arg(long, default_value_t = 10, value_parser = whole(1000))]
    pub cold: u32,
    /// Of each query that misses its target, how the engine runs it.
    #[arg(long)]
    pub plans: bool,
    /// End with code 1 where a target is missed.
    #[arg(long)]
    pub check: bool,
    /// JSON for programs.
    #[arg(long)]
    pub json: bool,
}

fn whole(most: i64) -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=most)
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

/// `valmed bench wire`
#[derive(Debug, Clone, Args)]
pub struct BenchWire {
    /// Columns of the terminal.
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u16).range(20..=500))]
    pub columns: u16,
    /// Rows of the terminal.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(5..=300))]
    pub rows: u16,
    /// Bytes a second of the slow line.
    #[arg(long, default_value_t = 960, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub rate: u32,
    /// How long the slow line is watched; 0 leaves it out.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub seconds: u64,
    /// Doses given on the ward in a second meanwhile.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub doses: u32,
    /// End with code 1 where a target is missed.
    #[arg(long)]
    pub check: bool,
}
