//! One file for each command: parse, call, print. What goes wrong is told here, with its exit code.

mod attach;
mod audit;
mod back_entry;
mod bench;
mod board;
mod checks;
mod codes;
mod cupboard;
mod demo;
mod desk_commands;
mod drill;
mod import;
mod listings;
mod logging;
mod migrate;
mod on_behalf;
mod output;
mod patients;
mod prescribing;
mod report;
mod round;
mod scratch_ward;
mod serve;
mod sessions;
mod settings;
mod snapshot;
mod user;
mod ward_desk;

use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::cli::{Cli, Command, Emergency, Style};
use crate::config::{Config, ConfigError, Flags};
use crate::desk::{self, Clock, Desk};
use crate::domain::{Policy, Refusal};
use crate::feed::Feed;
use crate::server;
use crate::store::{self, Db, StoreError, inspect, migrate as schema};

/// An end with an exit code of its own.
#[derive(Debug)]
pub enum End {
    /// 1: a check failed; the report has said which.
    Failed,
    /// 2: the words on the command line cannot be.
    Usage(String),
    /// 3: refused (4, where the refusal is that there is no database).
    Refused(Box<Refusal>, Style),
    /// 3: some rows were rejected; the report has named them.
    Rejected,
    /// 5: the connection was lost around COMMIT.
    Unknown(String),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Failed => f.write_str("a check failed"),
            End::Rejected => f.write_str("some rows were rejected"),
            End::Usage(text) | End::Unknown(text) => f.write_str(text),
            End::Refused(refusal, _) => write!(f, "{}: {}", refusal.code(), refusal.message()),
        }
    }
}

impl std::error::Error for End {}

impl End {
    fn code(&self) -> u8 {
        match self {
            End::Failed => 1,
            End::Usage(_) => 2,
            End::Refused(refusal, _) if **refusal == Refusal::Unavailable => 4,
            End::Refused(..) | End::Rejected => 3,
            End::Unknown(_) => 5,
        }
    }
}

/// Runs a command; prints what goes wrong, and gives the exit code.
pub async fn run(cli: Cli) -> ExitCode {
    match dispatch(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(tell(&error)),
    }
}

/// Prints an error and gives its exit code.
fn tell(error: &anyhow::Error) -> u8 {
    // A reader that has seen enough (`valmed orders | head`) is no error.
    let broken_pipe = |io: &std::io::Error| io.kind() == std::io::ErrorKind::BrokenPipe;
    if error.downcast_ref().is_some_and(broken_pipe) {
        return 0;
    }
    if let Some(end) = error.downcast_ref::<End>() {
        match end {
            End::Failed | End::Rejected => {}
            End::Usage(text) | End::Unknown(text) => eprintln!("valmed: {}", output::shown(text)),
            End::Refused(refusal, style) => tell_refusal(refusal, *style),
        }
        return end.code();
    }
    eprintln!("valmed: {}", output::shown(&causes(error)));
    if error.is::<ConfigError>() {
        return 2;
    }
    match error.downcast_ref::<StoreError>() {
        Some(StoreError::Unavailable(_) | StoreError::Busy(_)) => 4,
        Some(StoreError::Address(_)) => 2,
        _ => 1,
    }
}

/// An error with its causes, each said once: many a library says its cause in its own words already.
fn causes(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if said.contains(&cause) {
            continue;
        }
        if !said.is_empty() {
            said.push_str(": ");
        }
        said.push_str(&cause);
    }
    said
}

fn tell_refusal(refusal: &Refusal, style: Style) {
    if style == Style::Json {
        let told = serde_json::json!({ "code": refusal.code(), "message": refusal.message(), "refusal": refusal });
        // A value that is JSON already always has a JSON form.
        eprintln!("{}", output::json(&told).unwrap_or_default());
    } else {
        eprintln!("{}: {}", refusal.code(), output::shown(&refusal.message()));
    }
}

async fn dispatch(cli: Cli) -> anyhow::Result<()> {
    let began = Instant::now();
    let person = std::env::var_os(server::ON_BEHALF_OF);
    if let Some(person) = &person {
        on_behalf::check(std::env::args_os(), &person.to_string_lossy())?;
    }
    let flags = Flags {
        config: cli.config,
        database: cli.database,
        listen: match &cli.command {
            Some(Command::Serve { listen }) => listen.clone(),
            _ => None,
        },
        plain: cli.plain,
    };
    let config = Config::load(&flags, |name| std::env::var(name).ok())?;
    match &cli.command {
        None | Some(Command::Demo { .. }) => logging::to_file(),
        Some(_) => logging::to_stderr(),
    }
    match cli.command {
        Some(Command::Config { list }) => settings::config(&config, list.format),
        Some(Command::Attach) => attach::attach(&config).await,
        Some(Command::Sessions(what)) => sessions::sessions(&config, what).await,
        Some(Command::Serve { .. }) => serve::serve(&config, flags).await,
        Some(Command::Migrate { app_role }) => migrate::migrate(&config, app_role.as_deref()).await,
        Some(Command::Import(ask)) => import::import(&config, ask).await,
        Some(Command::Orders(ask)) => listings::orders(&open(&config).await?, &config, ask).await,
        Some(Command::Stock(ask)) => listings::stock(&open(&config).await?, &config, ask).await,
        Some(Command::Board { form }) => board::board(&open(&config).await?, &config, form).await,
        Some(Command::BackEntry(what)) => back_entry::back_entry(&config, what).await,
        Some(Command::Report(ask)) => report::report(&config, ask).await,
        Some(Command::Log(ask)) => listings::log(&open(&config).await?, ask).await,
        Some(Command::Fulfil(ask)) => desk_commands::fulfil(&config, ask).await,
        Some(Command::Round(ask)) => round::round(&config, ask).await,
        Some(Command::NotGiven(ask)) => desk_commands::not_given(&config, ask).await,
        Some(Command::Correct(ask)) => desk_commands::correct(&config, ask).await,
        Some(Command::Effect(ask)) => desk_commands::effect(&config, ask).await,
        Some(Command::Effects(ask)) => listings::effects(&open(&config).await?, ask).await,
        Some(Command::Discontinue(ask)) => desk_commands::discontinue(&config, ask).await,
        Some(Command::Prescribe(ask)) => prescribing::prescribe(&config, ask).await,
        Some(Command::MyOrders(ask)) => prescribing::my_orders(&config, ask).await,
        Some(Command::Mar(ask)) => patients::mar(&config, ask).await,
        Some(Command::Snapshot(ask)) => snapshot::snapshot(&config, ask).await,
        Some(Command::Patient(what)) => patients::patient(&config, what).await,
        Some(Command::Receive(ask)) => desk_commands::receive(&config, ask).await,
        Some(Command::Emergency(Emergency::Begin(ask))) => {
            desk_commands::emergency(&config, ask).await
        }
        Some(Command::Emergency(Emergency::End(ask))) => {
            desk_commands::end_emergency(&config, ask).await
        }
        Some(Command::Emergency(Emergency::List { limit, list })) => {
            board::emergencies(&open(&config).await?, limit, list).await
        }
        Some(Command::Transfer(what)) => cupboard::transfer(&config, what).await,
        Some(Command::Return(ask)) => cupboard::take_out(&config, ask, false).await,
        Some(Command::Waste(ask)) => cupboard::take_out(&config, ask, true).await,
        Some(Command::Adjust(ask)) => cupboard::adjust(&config, ask).await,
        Some(Command::Count(what)) => cupboard::count(&config, what).await,
        Some(Command::Discrepancies(ask)) => {
            cupboard::discrepancies(&open(&config).await?, ask).await
        }
        Some(Command::Lots(what)) => cupboard::lots(&config, what).await,
        Some(Command::Recall(ask)) => cupboard::recall(&config, ask).await,
        Some(Command::Register(ask)) => cupboard::register(&config, ask).await,
        Some(Command::Levels(what)) => cupboard::levels(&config, what).await,
        Some(Command::Replenish(ask)) => cupboard::replenish(&config, ask).await,
        Some(Command::Where(ask)) => cupboard::elsewhere(&open(&config).await?, ask).await,
        Some(Command::Code(what)) => codes::code(&config, what).await,
        Some(Command::Scan(ask)) => codes::scan(&config, ask).await,
        Some(Command::User(what)) => user::user(&config, what).await,
        Some(Command::Verify) => checks::verify(&config).await,
        Some(Command::Doctor) => checks::doctor(&config).await,
        Some(Command::Drill(ask)) => drill::drill(&config, ask).await,
        Some(Command::Bench(ask)) => bench::bench(&config, ask, began).await,
        Some(Command::Completions { shell }) => settings::completions(shell),
        Some(Command::Man) => settings::man(),
        Some(Command::Demo { keep }) => demo::demo(&config, keep).await,
        None => ward_desk::ward_desk(&config).await,
    }
}

/// Opens the configured database, which must exist at this program's schema.
async fn open(config: &Config) -> anyhow::Result<Db> {
    open_with(config, &config.pool()).await
}

/// The same with a pool of that size.
async fn open_with(config: &Config, pool: &store::Options) -> anyhow::Result<Db> {
    let (url, _) = config.database_or_embedded()?;
    let db = Db::open(&url, pool, false)
        .await
        .with_context(|| store::redact(&url))?;
    schema::check(&db)
        .await
        .with_context(|| store::redact(&url))?;
    Ok(db)
}

/// Opens it for an operation: the rules about times go by this machine's clock, which must be the server's.
async fn open_to_write(config: &Config) -> anyhow::Result<Db> {
    let db = open(config).await?;
    inspect::clock_agrees(&db).await?;
    Ok(db)
}

/// Opens it for whoever may be the first: the embedded database of this user is made and migrated on the spot, any other
/// must be there.
async fn open_or_make(config: &Config) -> anyhow::Result<Db> {
    let (url, embedded) = config.database_or_embedded()?;
    if !embedded {
        return open_to_write(config).await;
    }
    migrate::make_folder(&url)?;
    let db = Db::open(&url, &config.pool(), true)
        .await
        .with_context(|| store::redact(&url))?;
    schema::migrate(&db, |_, _| {}).await?;
    Ok(db)
}

/// How long an end waits for other processes to be told; they would find out by themselves.
const TELL: Duration = Duration::from_millis(500);

/// Finishes what the desk took, and tells others of it.
async fn close(desk: &Desk, feed: &Feed, config: &Config) {
    if !desk.close(config.desk().wait).await {
        tracing::warn!("the desk was closed with operations under way");
    }
    feed.told(TELL).await;
}

/// A desk over a database, and the feed that tells others what it does.
fn desk(db: &Db, config: &Config) -> (Desk, Feed) {
    desk_with(db, config, config.policy())
}

/// The same where what is measured is the desk, and nobody is there to give reasons or to be a witness.
fn measured_desk(db: &Db, config: &Config) -> (Desk, Feed) {
    desk_with(db, config, Arc::new(Policy::easy()))
}

fn desk_with(db: &Db, config: &Config, policy: Arc<Policy>) -> (Desk, Feed) {
    desk_at(db, config, policy, Arc::new(store::now))
}

fn desk_at(db: &Db, config: &Config, policy: Arc<Policy>, clock: Clock) -> (Desk, Feed) {
    let feed = Feed::open(db.clone(), config.feed(), Arc::clone(&clock));
    let settings = desk::Settings {
        policy,
        ..config.desk()
    };
    let desk = Desk::open(db.clone(), settings, clock, feed.on_commit());
    (desk, feed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `wards.csv: cannot be opened: No such file (os error 2): No such file (os error 2)`
    #[test]
    fn a_cause_is_said_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("wards.csv: {source}")]
        struct Open {
            source: std::io::Error,
        }
        let source = || std::io::Error::other("no such file");
        let error = anyhow::Error::new(Open { source: source() }).context("import");
        assert_eq!(causes(&error), "import: wards.csv: no such file");
    }
}
