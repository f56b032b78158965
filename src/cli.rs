//! The command line: one definition from which parsing, help, completions and the man page are made.

mod bench;
pub mod codes;
pub mod cupboard;
mod prescribing;
mod report;
mod round;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use uuid::Uuid;

use crate::domain::vocabulary::UnknownWord;
use crate::domain::{GivingOutcome, OrderStatus, Quantity, Reason, Restock, Role, Warned};

pub use bench::{
    Bench, BenchDesk, BenchFeed, BenchFulfil, BenchScreens, BenchSessions, BenchWire, Shape, Whence,
};
pub use prescribing::{
    Admit, Allergies, Discharge, Mar, Move, MyOrders, Patient, PatientList, Prescribe, RecordForm,
    Said, Snapshot,
};
pub use report::{BackEntry, BackEntryList, Report};
pub use round::{Dose, Round, Withheld};

/// Medication desk for hospital wards, in the terminal: order queue, drug stock, administration log.
///
/// Without a command, opens the ward desk. Times are shown in the ward's time zone; quantities are counted in the
/// drug's stock unit, to the thousandth (0.5 is half a tablet).
#[derive(Debug, Parser)]
#[command(name = "valmed", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Database: sqlite://PATH or postgresql://USER@HOST/NAME.
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Settings file.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// For a screen reader: draw nothing, say in lines what changes (the ward desk, demo, attach).
    #[arg(long, global = true)]
    pub plain: bool,
    /// What to do; nothing opens the ward desk.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 a check failed or an error, 2 usage, 3 refused or rows rejected \
    (the code is on stderr), 4 database not available, 5 outcome unknown (ask again with the same --op).";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try it: a made-up ward in a temporary folder, signed in as a nurse.
    Demo {
        /// Keep the demo ward's database in this folder, and go on with it next time.
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
    },
    /// Serve terminals over SSH: ssh -p 2222 NAME@HOST opens the ward desk as that person.
    ///
    /// People sign in with a key ('valmed user key'), a certificate of a configured authority, or their PIN. SIGTERM
    /// lets operations under way finish, tells everybody and gives their terminals back; SIGHUP reads limits, authorities,
    /// revocations and who may join again.
    Serve {
        /// Address and port [default: the setting server.listen, 127.0.0.1:2222].
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<String>,
    },
    /// Join the server of this machine at this terminal: for a system sshd's ForceCommand, or a local login.
    ///
    /// The server's setting server.attach names the Unix socket. Whose account a system user's is says the file
    /// server.attach_people; others sign in with their PIN.
    Attach,
    /// Who is on the server of this machine; --end and --end-user end sessions.
    Sessions(Sessions),
    /// Bring the database to the schema of this program.
    Migrate {
        /// PostgreSQL: give this existing role what the application needs, and no more: register, administrations and
        /// audit can only be added to. Run the desk as that role.
        #[arg(long, value_name = "ROLE")]
        app_role: Option<String>,
    },
    /// Import wards, people, patients, drugs, stock and prescriptions from CSV files.
    Import(Import),
    /// List orders, by key.
    Orders(Orders),
    /// List stock.
    Stock(Stock),
    /// List administrations, newest first.
    Log(Log),
    /// Every ward in one line: doses due and late, stock low and out, doses given in the last hours.
    Board {
        /// How to print it.
        #[command(flatten)]
        form: Form,
    },
    /// A report of wards between two moments: doses due, missed, late, not given, as needed; scans of the wrong patient,
    /// overrides; discrepancies, use and outs of stock.
    Report(Report),
    /// After a downtime: what is to be entered afterwards.
    #[command(subcommand)]
    BackEntry(BackEntry),
    /// Give a dose.
    Fulfil(Fulfil),
    /// Several doses of one patient at once: each is given, or recorded as not given, as an operation of its own.
    ///
    /// One that is refused leaves the others alone; each line says what became of it.
    Round(Round),
    /// Record that a dose was not given: held, refused, not available.
    NotGiven(NotGiven),
    /// Take back an entry of the log that was wrong; both stay in view.
    Correct(Correct),
    /// Record whether an as-needed dose helped.
    Effect(Effect),
    /// List as-needed doses of which it is not known yet whether they helped.
    Effects(Effects),
    /// Stop a dose before it is given, or a whole prescription with all its open doses.
    Discontinue(Discontinue),
    /// Prescribe a drug for a patient.
    Prescribe(Prescribe),
    /// A doctor's own prescriptions, newest first, with what was given of each.
    MyOrders(MyOrders),
    /// A patient's record of one day: drugs by time, what was given, due, held and missed, as text to print.
    Mar(Mar),
    /// Write every ward's records and stock as text files, for the hours without ValMed.
    Snapshot(Snapshot),
    /// Patients: who is here, admit, move, discharge, allergies.
    #[command(subcommand)]
    Patient(Patient),
    /// Take stock into a ward.
    Receive(Receive),
    /// Emergency access: act for a while in a ward that is not one's own.
    #[command(subcommand)]
    Emergency(Emergency),
    /// Stock from ward to ward: send, receive, resolve what is missing, list.
    #[command(subcommand)]
    Transfer(cupboard::Transfer),
    /// Send stock back to where it came from outside the hospital's wards.
    Return(cupboard::TakeOut),
    /// Destroy stock; of a controlled drug before a witness.
    Waste(cupboard::TakeOut),
    /// Set stock right, by so much more or less.
    Adjust(cupboard::Adjust),
    /// Count stock without seeing what the register says.
    #[command(subcommand)]
    Count(cupboard::Count),
    /// List what is missing or too much until somebody has answered for it.
    Discrepancies(cupboard::Discrepancies),
    /// Lots: what lies in a ward by expiry, and who got some of one.
    #[command(subcommand)]
    Lots(cupboard::Lots),
    /// Block a lot in every ward, and list who got some of it.
    Recall(cupboard::Recall),
    /// The drug register of a drug in a ward, every row checked.
    Register(cupboard::Register),
    /// What wards should hold: threshold, par, shelf, and what runs out first.
    #[command(subcommand)]
    Levels(cupboard::Levels),
    /// What fills a ward up to par, and send it.
    Replenish(cupboard::Replenish),
    /// Where in the hospital a drug is.
    Where(cupboard::Where),
    /// Codes on packages and the drugs that they belong to.
    #[command(subcommand)]
    Code(codes::Code),
    /// Say what a code from a scanner is.
    Scan(codes::Scan),
    /// Accounts.
    #[command(subcommand)]
    User(User),
    /// Show every setting, its value and where it came from.
    Config {
        /// How to print it.
        #[command(flatten)]
        list: Format,
    },
    /// Recompute every page of the drug register, and compare it with stock, orders and administrations.
    Verify,
    /// Check the live database: isolation, pool, indexes, plans, constraints, durability.
    Doctor,
    /// Show that it holds: many nurses give doses at once in a scratch database of the same engine.
    Drill(Drill),
    /// Measure on the configured database.
    #[command(subcommand)]
    Bench(Bench),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Print the manual page (roff).
    Man,
}

/// `valmed sessions`
#[derive(Debug, Args)]
pub struct Sessions {
    /// End this session; may be given again.
    #[arg(long, value_name = "ID")]
    pub end: Vec<u64>,
    /// End every session of this account.
    #[arg(long, value_name = "USER")]
    pub end_user: Option<String>,
    /// How to print it.
    #[command(flatten)]
    pub list: Format,
}

/// `valmed import`
#[derive(Debug, Args)]
pub struct Import {
    /// Folder with wards.csv, users.csv, patients.csv, drugs.csv, stock.csv, prescriptions.csv.
    pub dir: PathBuf,
    /// All or nothing: import no row if any row is rejected.
    #[arg(long)]
    pub strict: bool,
    /// Where rejected rows are written, with their reasons [default: rejects.csv in the current folder].
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, Args)]
pub struct Format {
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Style::Table)]
    pub format: Style,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Style {
    /// Columns for people.
    Table,
    /// JSON for programs.
    Json,
    /// CSV that is safe to open in a spreadsheet.
    Csv,
}

/// How a page is printed.
#[derive(Debug, Clone, Copy, Args)]
pub struct Form {
    /// How to print it.
    #[arg(long = "format", value_enum, default_value_t = Paper::Table)]
    pub paper: Paper,
    /// Columns of the text to print.
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u16).range(40..=400))]
    pub width: u16,
}

/// How a page is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Paper {
    /// Columns for people.
    Table,
    /// JSON for programs.
    Json,
    /// CSV that is safe to open in a spreadsheet.
    Csv,
    /// Text to print, with a heading, within a width.
    Text,
}

impl Paper {
    /// As a list of rows; `None`: as text to print.
    pub const fn style(self) -> Option<Style> {
        match self {
            Paper::Table => Some(Style::Table),
            Paper::Json => Some(Style::Json),
            Paper::Csv => Some(Style::Csv),
            Paper::Text => None,
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone, Args)]
pub struct Page {
    /// Rows at most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    pub limit: i64,
    /// Go on after this row (its id; for stock WARD:DRUG, for accounts the user name).
    #[arg(long, value_name = "KEY")]
    pub after: Option<String>,
    /// How to print it.
    #[command(flatten)]
    pub list: Format,
}

/// `valmed orders`
#[derive(Debug, Args)]
pub struct Orders {
    /// Only in this ward (its code).
    #[arg(long)]
    pub ward: Option<String>,
    /// Only of this patient (the medical record number).
    #[arg(long, value_name = "MRN")]
    pub patient: Option<String>,
    /// Only in this state: active, completed, discontinued, or all.
    #[arg(long, default_value = "active", value_parser = status)]
    pub status: StatusFilter,
    /// Which page.
    #[command(flatten)]
    pub page: Page,
}

/// A state, or all of them.
#[derive(Debug, Clone, Copy)]
pub struct StatusFilter(pub Option<OrderStatus>);

fn status(text: &str) -> Result<StatusFilter, String> {
    if text == "all" {
        return Ok(StatusFilter(None));
    }
    text.parse()
        .map(|status| StatusFilter(Some(status)))
        .map_err(|error| format!("{error}, all"))
}

/// `valmed stock`
#[derive(Debug, Args)]
pub struct Stock {
    /// Only in this ward (its code).
    #[arg(long)]
    pub ward: Option<String>,
    /// Only what is at or below its threshold.
    #[arg(long)]
    pub low: bool,
    /// Which page.
    #[command(flatten)]
    pub page: Page,
}

/// `valmed log`
#[derive(Debug, Args)]
pub struct Log {
    /// Only in this ward (its code).
    #[arg(long)]
    pub ward: Option<String>,
    /// Only of this patient (the medical record number).
    #[arg(long, value_name = "MRN")]
    pub patient: Option<String>,
    /// Which page.
    #[command(flatten)]
    pub page: Page,
}

/// Who asks, and under which id.
#[derive(Debug, Clone, Args)]
pub struct Asking {
    /// The person on whose behalf this is done (their user name). Whoever may open the database is trusted with this;
    /// the audit keeps the system's user as well.
    #[arg(
        long = "as",
        value_name = "USER",
        env = "VALMED_AS",
        hide_env_values = true
    )]
    pub actor: String,
    /// Operation id: sent again with the same id, an operation is not done twice [default: a new one].
    #[arg(long, value_name = "UUID")]
    pub op: Option<Uuid>,
    /// How to print what became of it.
    #[command(flatten)]
    pub list: Format,
}

/// `valmed fulfil`
#[derive(Debug, Args)]
pub struct Fulfil {
    /// The order's id.
    pub order: Uuid,
    /// The medical record number on the patient's wristband.
    #[arg(long, value_name = "MRN")]
    pub patient: String,
    /// How much, where the prescription leaves a range; more than is prescribed needs --because.
    #[arg(long, value_parser = quantity, allow_negative_numbers = true)]
    pub amount: Option<Quantity>,
    /// Who saw it and signs too (their user name).
    #[arg(long, value_name = "USER")]
    pub witness: Option<String>,
    /// When it was given, where that was not just now: 14:05, 2026-11-23 14:05 (the ward's clock), or with a zone.
    #[arg(long, value_name = "TIME")]
    pub given_at: Option<String>,
    /// Why it is entered later than it was given: CODE or CODE:TEXT ('valmed config' lists the codes).
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub back_entry: Option<Reason>,
    /// What an as-needed dose is for: CODE or CODE:TEXT.
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub indication: Option<Reason>,
    /// Why it is given although the desk warns: CODE or CODE:TEXT.
    #[arg(long, value_name = "REASON", value_parser = reason, requires = "despite")]
    pub because: Option<Reason>,
    /// The warnings that --because answers: early, late, held, same_drug, later_given, high_dose.
    #[arg(long, value_name = "WARNINGS", value_delimiter = ',', value_parser = warned, requires = "because")]
    pub despite: Vec<Warned>,
    /// The order's version that was looked at [default: the one it has now].
    #[arg(long)]
    pub version: Option<i64>,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed not-given`
#[derive(Debug, Args)]
pub struct NotGiven {
    /// The order's id.
    pub order: Uuid,
    /// held, refused or not_available.
    #[arg(long, value_parser = outcome)]
    pub outcome: GivingOutcome,
    /// Why: CODE or CODE:TEXT ('valmed config' lists the codes of each outcome).
    #[arg(long, value_parser = reason)]
    pub reason: Reason,
    /// When a held dose comes back: 14:05, 2026-11-23 14:05 (the ward's clock), or with a zone [default: it does not].
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// The order's version that was looked at [default: the one it has now].
    #[arg(long)]
    pub version: Option<i64>,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed correct`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("order").required(true).args(["reopen", "close"]))]
pub struct Correct {
    /// The entry's id ('valmed log' shows it).
    pub administration: Uuid,
    /// Why: CODE or CODE:TEXT.
    #[arg(long, value_parser = reason)]
    pub reason: Reason,
    /// What becomes of what it took: back (it is in the cupboard) or written_off (it is gone). Of an entry that took
    /// nothing, either.
    #[arg(long, value_parser = restock)]
    pub stock: Restock,
    /// The dose is to be given after all.
    #[arg(long)]
    pub reopen: bool,
    /// The dose is not to be given any more.
    #[arg(long)]
    pub close: bool,
    /// Who saw it and signs too (their user name): for writing off what is given before a witness.
    #[arg(long, value_name = "USER")]
    pub witness: Option<String>,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed effect`
#[derive(Debug, Args)]
pub struct Effect {
    /// The entry's id ('valmed effects' shows it).
    pub administration: Uuid,
    /// What came of it: CODE or CODE:TEXT.
    #[arg(long, value_parser = reason)]
    pub effect: Reason,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed effects`
#[derive(Debug, Args)]
pub struct Effects {
    /// In this ward (its code).
    #[arg(long)]
    pub ward: String,
    /// Rows at most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
    pub limit: i64,
    /// How to print it.
    #[command(flatten)]
    pub list: Format,
}

/// `CODE` or `CODE:TEXT`; which codes there are is the desk's to say.
fn reason(text: &str) -> Result<Reason, String> {
    let (code, text) = text.split_once(':').unwrap_or((text, ""));
    if code.trim().is_empty() {
        return Err("a reason begins with its code".to_owned());
    }
    Ok(Reason {
        code: code.trim().to_owned(),
        text: text.trim().to_owned(),
    })
}

fn word<T: std::str::FromStr<Err = UnknownWord>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: UnknownWord| error.to_string())
}

fn outcome(text: &str) -> Result<GivingOutcome, String> {
    match word(text)? {
        GivingOutcome::Given => Err("what was given is recorded by 'valmed fulfil'".to_owned()),
        other => Ok(other),
    }
}

fn restock(text: &str) -> Result<Restock, String> {
    word(text)
}

fn warned(text: &str) -> Result<Warned, String> {
    word(text.trim())
}

/// `valmed discontinue`
#[derive(Debug, Args)]
pub struct Discontinue {
    /// The order's id.
    #[arg(
        required_unless_present = "prescription",
        conflicts_with = "prescription"
    )]
    pub order: Option<Uuid>,
    /// End this prescription, with all its open doses.
    #[arg(long, value_name = "UUID")]
    pub prescription: Option<Uuid>,
    /// Why: of one dose in your own words; of a prescription CODE or 'CODE: words'.
    #[arg(long)]
    pub reason: String,
    /// The version that was looked at [default: the one it has now].
    #[arg(long)]
    pub version: Option<i64>,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed receive`
#[derive(Debug, Args)]
pub struct Receive {
    /// The ward's code.
    #[arg(long)]
    pub ward: String,
    /// The drug's formulary code.
    #[arg(long)]
    pub drug: String,
    /// How much, in the drug's stock unit.
    #[arg(long, value_parser = received, allow_negative_numbers = true)]
    pub quantity: Quantity,
    /// Delivery note, or what else proves it.
    #[arg(long, default_value = "")]
    pub reference: String,
    /// What stands on the package.
    #[command(flatten)]
    pub package: cupboard::Package,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// What is received is more than nothing; the desk says so too, but a sign is a slip of the finger.
fn received(text: &str) -> Result<Quantity, String> {
    match quantity(text) {
        Ok(quantity) if quantity > Quantity::ZERO => Ok(quantity),
        Err(why) if !text.trim_start().starts_with('-') => Err(why),
        _ => Err(format!("'{text}': a quantity is more than nothing")),
    }
}

fn quantity(text: &str) -> Result<Quantity, String> {
    text.parse()
        .map_err(|error: crate::domain::quantity::NotAQuantity| error.to_string())
}

/// `valmed emergency …`
#[derive(Debug, Subcommand)]
pub enum Emergency {
    /// Begin it; it ends by itself. It is loud in the audit and on the board.
    Begin(EmergencyBegin),
    /// End it before its time: one's own, or as a supervisor anybody's.
    End(EmergencyEnd),
    /// List emergency accesses, newest first.
    List {
        /// Rows at most.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
        /// How to print it.
        #[command(flatten)]
        list: Format,
    },
}

/// `valmed emergency begin`
#[derive(Debug, Args)]
pub struct EmergencyBegin {
    /// The ward's code.
    #[arg(long)]
    pub ward: String,
    /// Why: one of the codes of the settings' list ([reasons.emergency]).
    #[arg(long)]
    pub reason: String,
    /// What else there is to say; some codes need it.
    #[arg(long, default_value = "")]
    pub text: String,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed emergency end`
#[derive(Debug, Args)]
pub struct EmergencyEnd {
    /// The access: its key, as begin and list print it.
    pub access: Uuid,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed user …`
#[derive(Debug, Subcommand)]
pub enum User {
    /// Add an account.
    Add {
        /// What they type to sign in.
        username: String,
        /// What others see.
        #[arg(long)]
        name: String,
        /// What they are: nurse, pharmacist, doctor, supervisor, admin.
        #[arg(long, value_parser = role)]
        role: Role,
        /// Ward codes where they may act, space- or comma-separated; * is every ward.
        #[arg(long, default_value = "*")]
        wards: String,
    },
    /// Change what somebody is.
    Role {
        /// Whose.
        username: String,
        /// nurse, pharmacist, doctor, supervisor, admin.
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Change where somebody may act.
    Ward {
        /// Whose.
        username: String,
        /// Ward codes; * is every ward.
        #[arg(required = true)]
        wards: Vec<String>,
    },
    /// Set a PIN or password: asked for twice on a terminal, otherwise the first line of standard input.
    Password {
        /// Whose.
        username: String,
    },
    /// Add an SSH public key.
    Key {
        /// Whose.
        username: String,
        /// The .pub file.
        file: PathBuf,
    },
    /// Let somebody do nothing any more; --undo lets them again.
    Disable {
        /// Whom.
        username: String,
        /// Enable again.
        #[arg(long)]
        undo: bool,
    },
    /// Let somebody look at everything and change nothing; --undo lets them change things again.
    ReadOnly {
        /// Whom.
        username: String,
        /// Let them change things again.
        #[arg(long)]
        undo: bool,
    },
    /// List accounts.
    List {
        /// Which page.
        #[command(flatten)]
        page: Page,
    },
}

fn role(text: &str) -> Result<Role, String> {
    text.parse()
        .map_err(|error: crate::domain::vocabulary::UnknownWord| error.to_string())
}

/// `valmed drill`
#[derive(Debug, Clone, Args)]
pub struct Drill {
    /// Nurses at once.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub nurses: u32,
    /// Doses to give.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub orders: u32,
    /// Different drugs; 1 puts every dose on one stock row.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub drugs: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_received_is_more_than_nothing() {
        assert_eq!(received("0.5"), Ok(Quantity(500)));
        for text in ["-1", "0", "-0", "-0.5"] {
            let why = received(text).unwrap_err();
            assert!(why.contains("more than nothing"), "{why}");
        }
        assert!(received("abc").unwrap_err().contains("not a number"));
    }
}
