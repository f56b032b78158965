//! `valmed verify` and `valmed doctor`.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::End;
use super::output::{self, say};
use crate::config::Config;
use crate::store::{
    self, Db, StoreError, inspect, migrate as schema, orders_ahead, rights, verify as register,
};
use crate::verify;

/// Older SQLite may lose a write-ahead log that is reset while it is read (fixed in this version).
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

/// Oldest PostgreSQL that still gets fixes when this was written.
const OLDEST_POSTGRES: u32 = 14;

/// How far making orders may be behind the clock.
const BEHIND: SignedDuration = SignedDuration::from_mins(10);

pub async fn verify(config: &Config) -> anyhow::Result<()> {
    let db = super::open(config).await?;
    let report = verify::verify(&db).await?;
    let mut lines = Lines::default();
    for rule in report.rules {
        lines.check(
            rule.rule,
            rule.broken_by.map(|row| format!("first broken by {row}")),
        )?;
    }
    say!(
        "  {} register rows, {} doses given, {} orders",
        report.rows,
        report.doses,
        report.orders
    )?;
    lines.end()
}

/// Lines with ✓ or ✗, and whether all of them are ✓.
#[derive(Default)]
struct Lines {
    failed: bool,
}

impl Lines {
    fn check(&mut self, what: &str, fault: Option<String>) -> std::io::Result<()> {
        self.failed |= fault.is_some();
        let mark = if fault.is_some() { '✗' } else { '✓' };
        let fault = fault.map(|fault| format!(": {fault}")).unwrap_or_default();
        say!("{mark} {}", output::shown(&format!("{what}{fault}")))
    }

    /// Something that could not be found out is as bad as something that is wrong.
    fn failing<T>(
        &mut self,
        what: &str,
        result: Result<T, StoreError>,
    ) -> std::io::Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.check(what, Some(error.to_string())).map(|()| None),
        }
    }

    fn end(self) -> anyhow::Result<()> {
        if self.failed {
            Err(End::Failed.into())
        } else {
            Ok(())
        }
    }
}

pub async fn doctor(config: &Config) -> anyhow::Result<()> {
    let (url, _) = config.database_or_embedded()?;
    let db = Db::open(&url, &config.pool(), false).await?;
    let mut lines = Lines::default();
    let standing = schema::standing(&db).await?;
    lines.check(
        &format!("schema: {standing}"),
        schema::check(&db)
            .await
            .err()
            .map(|error| error.to_string()),
    )?;
    if lines.failed {
        return lines.end();
    }
    engine(&db, &mut lines).await?;
    pool(&db, config, &mut lines).await?;
    indexes(&db, &mut lines).await?;
    for plan in lines
        .failing("plans", inspect::plans(&db).await)?
        .unwrap_or_default()
    {
        let what = format!("plan uses {}: {}", plan.index, plan.query);
        let fault = plan.fault.map(|steps| format!("it does not ({steps})"));
        lines.check(&what, fault)?;
    }
    named(&db, &mut lines).await?;
    books(&db, &mut lines).await?;
    lines.end()
}

async fn engine(db: &Db, lines: &mut Lines) -> anyhow::Result<()> {
    let version = inspect::version(db).await?;
    let numbers: Vec<u32> = version
        .split(|c: char| !c.is_ascii_digit())
        .map_while(|part| part.parse().ok())
        .collect();
    match db {
        Db::Sqlite { .. } => {
            let old = numbers.as_slice() < OLDEST_SQLITE.as_slice();
            lines.check(
                &format!("SQLite {version}"),
                old.then(|| "3.51.3 or later is needed".to_owned()),
            )?;
        }
        Db::Postgres { .. } => {
            let old = numbers.first().is_none_or(|major| *major < OLDEST_POSTGRES);
            let fault = old.then(|| format!("{OLDEST_POSTGRES} or later is needed"));
            lines.check(&format!("PostgreSQL {version}"), fault)?;
        }
    }
    if matches!(db, Db::Postgres { .. }) {
        let skew = inspect::clock_skew(db).await?;
        lines.check(
            "this machine's clock agrees with the server's",
            inspect::clock_fault(skew),
        )?;
    }
    for guarantee in inspect::guarantees(db).await? {
        let fault = (!guarantee.holds).then(|| format!("must be {}", guarantee.wanted));
        lines.check(&format!("{}: {}", guarantee.name, guarantee.found), fault)?;
    }
    Ok(())
}

async fn pool(db: &Db, config: &Config, lines: &mut Lines) -> anyhow::Result<()> {
    let pool = config.pool();
    let found = inspect::limits(db).await?;
    let server = |name: &str| {
        found
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    };
    let (kept, burst) = (pool.kept, pool.burst);
    let room = server("max_connections").and_then(|most| most.parse::<u32>().ok());
    // One more listens.
    let short = room.filter(|room| kept + burst + 1 > *room);
    lines.check(
        &format!(
            "pool: {kept} kept, {burst} more in a burst, recycled after {} s, tested before use, {} s to get one",
            pool.recycle.as_secs(),
            pool.acquire.as_secs()
        ),
        short.map(|room| format!("the server allows {room} connections in all")),
    )?;
    for (name, limit) in [
        ("statement_timeout", pool.statement),
        ("lock_timeout", pool.lock),
        (
            "idle_in_transaction_session_timeout",
            pool.idle_in_transaction,
        ),
        ("busy_timeout", pool.lock),
    ] {
        let wanted = format!("{}ms", limit.as_millis());
        if let Some(value) = server(name) {
            lines.check(
                &format!("{name}: {value}"),
                (value != wanted).then(|| format!("must be {wanted}")),
            )?;
        }
    }
    Ok(())
}

async fn indexes(db: &Db, lines: &mut Lines) -> anyhow::Result<()> {
    let leading = inspect::leading_columns(db).await?;
    let missing =
        |table: &str, column: &str| !leading.contains(&(table.to_owned(), column.to_owned()));
    for (table, column) in inspect::REQUIRED_INDEXES {
        let fault = missing(table, column).then(|| "no valid index begins with it".to_owned());
        lines.check(&format!("index on {table}.{column}"), fault)?;
    }
    let keys = inspect::foreign_keys(db).await?;
    let without: Vec<String> = keys
        .iter()
        .filter(|(table, column)| missing(table, column))
        .map(|(table, column)| format!("{table}.{column}"))
        .collect();
    let fault = (!without.is_empty()).then(|| format!("none on {}", without.join(", ")));
    lines.check(
        &format!("index on each of {} foreign keys", keys.len()),
        fault,
    )?;
    Ok(())
}

async fn named(db: &Db, lines: &mut Lines) -> anyhow::Result<()> {
    let (wanted, present) = (inspect::wanted(db), inspect::present(db).await?);
    for (what, wanted, present) in [
        ("indexes present and valid", wanted.indexes, present.indexes),
        (
            "constraints present and valid",
            wanted.constraints,
            present.constraints,
        ),
    ] {
        let missing: BTreeSet<&String> = wanted.difference(&present).collect();
        let names: Vec<&str> = missing.into_iter().map(String::as_str).collect();
        let fault = (!names.is_empty()).then(|| format!("missing: {}", names.join(", ")));
        lines.check(&format!("{} named {what}", wanted.len()), fault)?;
    }
    Ok(())
}

async fn books(db: &Db, lines: &mut Lines) -> anyhow::Result<()> {
    let off = inspect::stock_off_ledger(db).await?;
    let names: Vec<String> = off
        .into_iter()
        .map(|(ward, drug)| format!("{ward} {drug}"))
        .collect();
    let fault = (!names.is_empty()).then(|| format!("not for {}", names.join(", ")));
    lines.check("stock equals the sum of its register", fault)?;
    if matches!(db, Db::Sqlite { .. }) {
        let faults = inspect::file_faults(db).await?;
        let fault = (!faults.is_empty()).then(|| faults.join("; "));
        lines.check(
            "the file is whole, and every reference in it leads somewhere",
            fault,
        )?;
    }
    let now = store::now();
    // A desk looks every few minutes, and makes a day ahead: more than that behind is no delay.
    let before = now.checked_sub(BEHIND).unwrap_or(now);
    let behind = orders_ahead::behind(db.reader().await?.link(), before.into()).await?;
    let fault = (behind > 0).then(|| format!("not so of {behind}"));
    lines.check(
        "every active prescription is made into orders up to now",
        fault,
    )?;
    let changeable = rights::changeable(db).await?;
    if !changeable.is_empty() {
        say!(
            "  this role could change {}: 'valmed migrate --app-role ROLE' makes one that cannot",
            changeable.join(", ")
        )?;
    }
    let (rows, administrations, orders) = register::sizes(db.reader().await?.link()).await?;
    say!("  {rows} register rows, {administrations} administrations, {orders} orders")?;
    Ok(())
}
