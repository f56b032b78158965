//! What `valmed doctor` asks the live database.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::{
    At, Conn, Day, Db, Engine, Link, List, Sql, StoreError, board, cupboard, listing, migrate,
    orders_ahead, screens,
};

/// Something that the desk relies on, as read back from the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarantee {
    /// What it is called.
    pub name: &'static str,
    /// What the engine says.
    pub found: String,
    /// What it must say.
    pub wanted: &'static str,
    /// Whether that is so.
    pub holds: bool,
}

/// What SQLite must say: durable at every commit, and constraints on.
const SQLITE: &[(&str, &str, &str)] = &[
    (
        "journal mode",
        "SELECT journal_mode FROM pragma_journal_mode",
        "wal",
    ),
    (
        "synchronous",
        "SELECT CASE synchronous WHEN 0 THEN 'OFF' WHEN 1 THEN 'NORMAL' ELSE 'FULL' END FROM pragma_synchronous",
        "FULL",
    ),
    (
        "foreign keys",
        "SELECT CASE foreign_keys WHEN 1 THEN 'on' ELSE 'off' END FROM pragma_foreign_keys",
        "on",
    ),
];

/// What PostgreSQL must say: the isolation that the desk's rules are written for, and durable at every commit.
const POSTGRES: &[(&str, &str, &str)] = &[
    (
        "isolation level",
        "SELECT current_setting('transaction_isolation')",
        "repeatable read",
    ),
    ("time zone", "SELECT current_setting('TimeZone')", "UTC"),
    ("fsync", "SELECT current_setting('fsync')", "on"),
    (
        "full page writes",
        "SELECT current_setting('full_page_writes')",
        "on",
    ),
    (
        "synchronous commit",
        // 'local', 'remote_write' and 'remote_apply' are on disk here too.
        "SELECT CASE current_setting('synchronous_commit') WHEN 'off' THEN 'off' ELSE 'on' END",
        "on",
    ),
    (
        "read-only server",
        "SELECT CASE WHEN pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' \
         THEN 'on' ELSE 'off' END",
        "off",
    ),
];

/// Reads back isolation and durability, on a connection of the pool as the desk uses it.
///
/// # Errors
/// [`StoreError`].
pub async fn guarantees(db: &Db) -> Result<Vec<Guarantee>, StoreError> {
    let mut conn = db.writer().await?;
    let asked = match db.engine() {
        Engine::Sqlite => SQLITE,
        Engine::Postgres => POSTGRES,
    };
    let mut found = Vec::new();
    for (name, sql, wanted) in asked {
        let (value,) = fetch!(one, conn.link(), (String,), *sql)?;
        let holds = value == *wanted;
        found.push(Guarantee {
            name,
            found: value,
            wanted,
            holds,
        });
    }
    Ok(found)
}

/// The engine's version.
///
/// # Errors
/// [`StoreError`].
pub async fn version(db: &Db) -> Result<String, StoreError> {
    let mut conn = db.reader().await?;
    let sql = Sql::each(
        "SELECT sqlite_version()",
        "SELECT current_setting('server_version')",
    );
    Ok(fetch!(one, conn.link(), (String,), sql)?.0)
}

/// How far this machine's clock may be from the server's.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(30);

/// How far this machine's clock is ahead of the server's, less than nothing where it is behind. An embedded database has
/// no other clock than this machine's.
///
/// # Errors
/// [`StoreError`].
pub async fn clock_skew(db: &Db) -> Result<SignedDuration, StoreError> {
    if db.engine() == Engine::Sqlite {
        return Ok(SignedDuration::ZERO);
    }
    let mut conn = db.reader().await?;
    // Getting a connection may take long; the question itself is what is timed.
    let asked = super::now();
    let (server,) = fetch!(one, conn.link(), (At,), "SELECT clock_timestamp()")?;
    let answered = super::now();
    let halfway = asked + answered.duration_since(asked) / 2;
    Ok(halfway.duration_since(server.0))
}

/// What is to be said of a skew; `None` where it is small enough.
pub fn clock_fault(skew: SignedDuration) -> Option<String> {
    if skew.abs() <= CLOCK_TOLERANCE {
        return None;
    }
    let seconds = skew.as_secs().unsigned_abs();
    let by = match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    };
    let way = if skew.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    Some(format!(
        "this machine's clock is {by} {way} the database server's"
    ))
}

/// Refuses to go on where this machine's clock is wrong: doses would be given too early or stand in the register at a
/// time when nobody gave them.
///
/// # Errors
/// [`StoreError::Guarantee`], or whatever kept the question from being answered.
pub async fn clock_agrees(db: &Db) -> Result<(), StoreError> {
    match clock_fault(clock_skew(db).await?) {
        None => Ok(()),
        Some(fault) => Err(StoreError::Guarantee(format!(
            "{fault}: set it right first (times of doses come from it)"
        ))),
    }
}

/// How many people there are, able to sign in or not.
///
/// # Errors
/// [`StoreError`].
pub async fn people(db: &Db) -> Result<i64, StoreError> {
    let mut conn = db.reader().await?;
    Ok(fetch!(one, conn.link(), (i64,), "SELECT count(*) FROM users")?.0)
}

/// Lets PostgreSQL look at the data again before it plans, which it would do by itself minutes later: after an import
/// it would until then plan for empty tables, and visit every row that an index alone could answer for. Tables of other
/// owners are left out with a warning in its log.
///
/// # Errors
/// [`StoreError`].
pub async fn refresh_statistics(db: &Db) -> Result<(), StoreError> {
    let mut conn = db.writer().await?;
    let Conn::Postgres(pg) = &mut conn else {
        return Ok(());
    };
    let done = vacuum(pg).await;
    // The limit that was lifted goes with the connection.
    conn.discard().await;
    done
}

/// Clears up after rows that changed and looks at the data anew, for as long as that takes: the connection has no limit
/// for its statements any more.
pub(super) async fn vacuum(pg: &mut PgConnection) -> Result<(), StoreError> {
    // It may take longer than any statement of a ward.
    for sql in ["SET statement_timeout = 0", "VACUUM (ANALYZE)"] {
        sqlx::query(sql).execute(&mut *pg).await?;
    }
    Ok(())
}

/// How many bytes PostgreSQL has written to its log so far; `None` on SQLite, which does not count them.
///
/// # Errors
/// [`StoreError`].
pub async fn written_ahead(db: &Db) -> Result<Option<u64>, StoreError> {
    let mut conn = db.reader().await?;
    let sql = Sql::each(
        "SELECT NULL",
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint",
    );
    let (bytes,) = fetch!(one, conn.link(), (Option<i64>,), sql)?;
    Ok(bytes.map(i64::unsigned_abs))
}

/// Limits in force on a connection of the pool, as the server says them; none on SQLite.
///
/// # Errors
/// [`StoreError`].
pub async fn limits(db: &Db) -> Result<Vec<(String, String)>, StoreError> {
    let mut conn = db.reader().await?;
    let sql = Sql::each(
        "SELECT 'busy_timeout', timeout || 'ms' FROM pragma_busy_timeout",
        "SELECT name, setting || COALESCE(unit, '') FROM pg_settings WHERE name IN ('statement_timeout', \
         'lock_timeout', 'idle_in_transaction_session_timeout', 'max_connections', 'application_name') ORDER BY name",
    );
    fetch!(all, conn.link(), (String, String), sql)
}

/// Columns that the system ValMed succeeds requires to lead an index (foreign keys come on top).
pub const REQUIRED_INDEXES: &[(&str, &str)] = &[
    ("patients", "name"),
    ("drugs", "name"),
    ("drug_stock", "current_stock"),
    ("medication_orders", "created_at"),
    ("medication_orders", "status"),
    ("medication_administrations", "administration_time"),
    ("drug_transfers", "source_ward_id"),
    ("drug_transfers", "destination_ward_id"),
    ("drug_transfers", "transfer_date"),
];

/// Foreign keys: table and column.
///
/// # Errors
/// [`StoreError`].
pub async fn foreign_keys(db: &Db) -> Result<Vec<(String, String)>, StoreError> {
    let mut conn = db.reader().await?;
    let sql = Sql::each(
        "SELECT t.name, f.\"from\" FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f \
         WHERE t.type = 'table' AND f.seq = 0 ORDER BY 1, 2",
        "SELECT c.conrelid::regclass::text, a.attname::text FROM pg_constraint c \
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
         WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace ORDER BY 1, 2",
    );
    fetch!(all, conn.link(), (String, String), sql)
}

/// Valid indexes: table and leading column. One that holds only rows where the column is set counts; one that holds
/// only some states of a row does not.
///
/// # Errors
/// [`StoreError`].
pub async fn leading_columns(db: &Db) -> Result<BTreeSet<(String, String)>, StoreError> {
    let mut conn = db.reader().await?;
    let sql = Sql::each(
        "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_index_list(t.name) i \
         JOIN pragma_index_info(i.name) c ON c.seqno = 0 LEFT JOIN sqlite_schema s ON s.name = i.name \
         WHERE t.type = 'table' AND c.name IS NOT NULL \
         AND (i.partial = 0 OR s.sql LIKE '%WHERE ' || c.name || ' IS NOT NULL')",
        "SELECT x.indrelid::regclass::text, a.attname::text FROM pg_index x \
         JOIN pg_class t ON t.oid = x.indrelid AND t.relnamespace = current_schema()::regnamespace \
         JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] \
         WHERE x.indisvalid AND x.indisready AND (x.indpred IS NULL \
         OR pg_get_expr(x.indpred, x.indrelid) = '(' || a.attname || ' IS NOT NULL)')",
    );
    Ok(fetch!(all, conn.link(), (String, String), sql)?
        .into_iter()
        .collect())
}

/// Names of constraints and indexes that the migrations made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Constraints.
    pub constraints: BTreeSet<String>,
    /// Indexes.
    pub indexes: BTreeSet<String>,
}

/// What the migrations say must be there.
pub fn wanted(db: &Db) -> Named {
    let mut named = Named::default();
    for sql in migrate::texts(db) {
        let statements = sql
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"));
        let words: Vec<&str> = statements.flat_map(str::split_whitespace).collect();
        for three in words.windows(3) {
            let [before, kind, name] = three else {
                continue;
            };
            let name = name.trim_end_matches([',', ';']);
            let names = match *kind {
                "CONSTRAINT" => &mut named.constraints,
                "INDEX" => &mut named.indexes,
                _ => continue,
            };
            // A later step may take away what an earlier one made.
            if *before == "DROP" {
                names.remove(name);
            } else {
                names.insert(name.to_owned());
            }
        }
    }
    named
}

/// What is there, and valid.
///
/// # Errors
/// [`StoreError`].
pub async fn present(db: &Db) -> Result<Named, StoreError> {
    let mut conn = db.reader().await?;
    let sql = Sql::each(
        "SELECT name FROM sqlite_schema WHERE type = 'index'",
        "SELECT c.relname::text FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid \
         WHERE x.indisvalid AND c.relnamespace = current_schema()::regnamespace",
    );
    let indexes = fetch!(all, conn.link(), (String,), sql)?
        .into_iter()
        .map(|(name,)| name)
        .collect();
    let sql = Sql::each(
        "SELECT sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL",
        "SELECT conname::text FROM pg_constraint \
         WHERE convalidated AND connamespace = current_schema()::regnamespace",
    );
    let texts = fetch!(all, conn.link(), (String,), sql)?;
    let constraints = match db.engine() {
        Engine::Postgres => texts.into_iter().map(|(name,)| name).collect(),
        // SQLite keeps a table's own text, constraints and all.
        Engine::Sqlite => texts
            .iter()
            .flat_map(|(sql,)| {
                let words: Vec<&str> = sql.split_whitespace().collect();
                let named = words.windows(2).filter(|pair| pair[0] == "CONSTRAINT");
                named.map(|pair| pair[1].to_owned()).collect::<Vec<_>>()
            })
            .collect(),
    };
    Ok(Named {
        constraints,
        indexes,
    })
}

/// A query and what is wrong with how the engine would run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which query.
    pub query: &'static str,
    /// The index that serves it.
    pub index: &'static str,
    /// `None`: it is served by that index, and reads no table whole.
    pub fault: Option<String>,
}

/// Settings under which PostgreSQL is asked, one after the other. On a small table it would scan whatever indexes there
/// are, and between two indexes it goes by how many rows there happen to be today; what is to be proved is that the
/// index is there and can find the rows. An index that is gone, or does not fit the query, serves under none of them.
const ASKED_UNDER: &[&str] = &[
    "SET LOCAL enable_seqscan = off",
    "SET LOCAL enable_bitmapscan = off",
    "SET LOCAL enable_hashjoin = off",
    "SET LOCAL enable_mergejoin = off",
    "SET LOCAL enable_sort = off",
];

/// How large the table under an index is, if the index is there, whole and valid. PostgreSQL.
const INDEXED_BYTES: &str = "SELECT max(pg_relation_size(x.indrelid)) FROM pg_index x \
    JOIN pg_class c ON c.oid = x.indexrelid WHERE c.relname = $1 AND x.indisvalid AND x.indisready \
    AND c.relnamespace = current_schema()::regnamespace";

/// How large the largest of some tables is. PostgreSQL.
const TABLE_BYTES: &str = "SELECT max(pg_relation_size(oid)) FROM pg_class \
    WHERE relname = ANY($1) AND relnamespace = current_schema()::regnamespace";

/// Up to so many bytes of rows (four pages) all indexes cost PostgreSQL the same, and which one it takes says nothing:
/// there it is enough that the right one stands ready. So it is where a plan sets out from such a table, because it has
/// fewer rows than the right index would find; and where every table of the plan is searched by some index, because
/// which of two PostgreSQL takes goes by what it counted last, and just after an import it has counted nothing.
const HANDFUL: i64 = 4 * 8192;

/// Asks the engine how it would run a statement, and whether an index serves it.
macro_rules! plan {
    ($tx:expr, $name:expr, $sql:expr, $index:expr $(, $bind:expr)* $(,)?) => {{
        let index = Sql::from($index);
        let mut fault = None;
        match $tx.link() {
            Link::Sqlite(conn) => {
                let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", Sql::from($sql).text(Engine::Sqlite)));
                // One that is kept would tell the plan of the day on which it was made.
                let rows = sqlx::query(sql).persistent(false)$(.bind($bind))*.fetch_all(&mut *conn).await?;
                let steps: Vec<String> =
                    rows.iter().map(|row| row.try_get("detail")).collect::<Result<_, _>>()?;
                if !searched_on_sqlite(&steps, index.text(Engine::Sqlite)) {
                    fault = Some(steps);
                }
            }
            Link::Postgres(conn) => {
                for (turn, setting) in ASKED_UNDER.iter().enumerate() {
                    if turn == 0 {
                        sqlx::query("SAVEPOINT asked").execute(&mut *conn).await?;
                    }
                    sqlx::query(*setting).execute(&mut *conn).await?;
                    let sql = AssertSqlSafe(format!("EXPLAIN {}", Sql::from($sql).text(Engine::Postgres)));
                    // A plan that was made before the setting must not be kept.
                    let rows = sqlx::query(sql).persistent(false)$(.bind($bind))*.fetch_all(&mut *conn).await?;
                    let steps: Vec<String> =
                        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
                    if searched_on_postgres(&steps, index.text(Engine::Postgres)) {
                        fault = None;
                        break;
                    }
                    fault = Some(steps);
                }
                sqlx::query("ROLLBACK TO SAVEPOINT asked").execute(&mut *conn).await?;
                let named = index.text(Engine::Postgres);
                if fault.is_some() && named != ANY {
                    let (bytes,): (Option<i64>,) =
                        sqlx::query_as(INDEXED_BYTES).bind(named).fetch_one(&mut *conn).await?;
                    let walked = List(fault.as_deref().map(walked_whole).unwrap_or_default());
                    let (most,): (Option<i64>,) =
                        sqlx::query_as(TABLE_BYTES).bind(walked).fetch_one(&mut *conn).await?;
                    let handful = |bytes: Option<i64>| bytes.is_none_or(|bytes| bytes <= HANDFUL);
                    if bytes.is_some() && (handful(bytes) || handful(most)) {
                        fault = None;
                    }
                }
            }
        }
        Plan {
            query: $name,
            index: index.text($tx.link().engine()),
            fault: fault.map(|steps| steps.iter().map(|step| step.trim()).collect::<Vec<_>>().join("; ")),
        }
    }};
}

mod records;
mod reports;

/// Whether rows are found by the index, and no table is read whole.
fn searched_on_sqlite(steps: &[String], index: &str) -> bool {
    // The rows of a part that was searched for.
    let found = |scanned: &str| {
        let mut parts = steps
            .iter()
            .filter_map(|step| step.strip_prefix("CO-ROUTINE "));
        parts.any(|part| part == scanned)
    };
    let scans = |step: &String| {
        let scanned = step.strip_prefix("SCAN ").filter(|scanned| !found(scanned));
        scanned.is_some_and(|of| !of.contains(" USING ") && !of.contains("VIRTUAL TABLE"))
    };
    let named = |step: &String| {
        step.starts_with("SEARCH ") && step.split_whitespace().any(|word| word == index)
    };
    // Whatever has this status, or that: of most orders it is the same.
    let strays =
        |step: &String| index != BY_STATUS && step.split_whitespace().any(|word| word == BY_STATUS);
    let whole = |step: &String| scans(step) || strays(step);
    steps.iter().any(named) && !steps.iter().any(whole)
}

/// The index of orders by status, for the list of the whole hospital.
const BY_STATUS: &str = "medication_orders_status";

/// The same on PostgreSQL, where the condition stands on a line of its own below the scan.
fn searched_on_postgres(steps: &[String], index: &str) -> bool {
    let named =
        |step: &String| step.contains("Index") && step.split_whitespace().any(|word| word == index);
    let by_condition = index == ANY
        || steps
            .iter()
            .zip(steps.iter().skip(1))
            .any(|(step, below)| named(step) && below.trim().starts_with("Index Cond:"));
    by_condition && !steps.iter().any(|step| step.contains("Seq Scan"))
}

/// The tables that a plan goes through from end to end: it scans them, and no condition leads it to their rows.
fn walked_whole(steps: &[String]) -> Vec<String> {
    let scans = |step: &str| {
        ["Seq Scan", "Index Scan", "Index Only Scan"]
            .iter()
            .any(|scan| step.contains(scan) && !step.contains("Bitmap"))
    };
    let below = steps.iter().skip(1).map(String::as_str).chain([""]);
    steps
        .iter()
        .zip(below)
        .filter(|(step, below)| scans(step) && !below.trim().starts_with("Index Cond:"))
        .filter_map(|(step, _)| step.split(" on ").nth(1)?.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// Whichever index; only no table read whole. For updates of what PostgreSQL takes to be a hundred rows at once, which on
/// a small hospital it rightly does by walking along some index, whatever it is set to.
const ANY: &str = "an index";

/// A key: PostgreSQL names it as the migrations do, SQLite counts.
const fn key(sqlite: &'static str, postgres: &'static str) -> Sql {
    Sql::each(sqlite, postgres)
}

/// How the engine would run every query of every screen, and of the desk's transaction, and by which index.
///
/// # Errors
/// [`StoreError`].
pub async fn plans(db: &Db) -> Result<Vec<Plan>, StoreError> {
    let orders = key(
        "sqlite_autoindex_medication_orders_1",
        "medication_orders_pkey",
    );
    let stock = key("sqlite_autoindex_drug_stock_1", "drug_stock_pkey");
    let by_prescription = key(
        "sqlite_autoindex_medication_orders_2",
        "medication_orders_prescription_due_key",
    );
    let mrn = key("sqlite_autoindex_patients_2", "patients_mrn_key");
    let patients = key("sqlite_autoindex_patients_1", "patients_pkey");
    let prescriptions = key("sqlite_autoindex_prescriptions_1", "prescriptions_pkey");
    let operations = key("sqlite_autoindex_operations_1", "operations_pkey");
    let username = key("sqlite_autoindex_users_1", "users_username_key");
    let mut conn = db.writer().await?;
    let mut tx = conn.begin_write().await?;
    let at = At::from(jiff::Timestamp::UNIX_EPOCH);
    let (one, many, nobody) = (1_i64, 100_i64, Uuid::nil());
    let ids = || List(vec![nobody]);
    // No rows, as each engine takes them: one JSON value, or an array for each column.
    let (numbers, words) = (|| List(Vec::<i64>::new()), || List(Vec::<String>::new()));
    let (stock_name, orders_name) = ("desk: write stock", "desk: close orders");
    let (stock_sql, orders_sql) = (super::desk::WRITE_STOCK, super::desk::CLOSE_ORDERS);
    let (write_stock, close_orders) = match tx.link().engine() {
        Engine::Sqlite => (
            plan!(tx, stock_name, stock_sql, stock, "[]"),
            plan!(tx, orders_name, orders_sql, orders, "[]"),
        ),
        Engine::Postgres => (
            plan!(
                tx,
                stock_name,
                stock_sql,
                ANY,
                numbers(),
                numbers(),
                numbers(),
                numbers(),
                words(),
                numbers()
            ),
            plan!(
                tx,
                orders_name,
                orders_sql,
                ANY,
                ids(),
                numbers(),
                words(),
                numbers(),
                words(),
                words()
            ),
        ),
    };
    let mut plans = vec![
        plan!(
            tx,
            "queue: timed orders of a ward",
            screens::QUEUE_TIMED,
            "medication_orders_queue",
            one,
            many
        ),
        plan!(
            tx,
            "queue: as-needed orders of a ward",
            screens::QUEUE_OPEN,
            "medication_orders_queue",
            one,
            many
        ),
        plan!(tx, "desk: whom it is for", screens::PEOPLE, patients, ids()),
        plan!(
            tx,
            "desk: what was asked",
            screens::ASKED,
            prescriptions,
            ids()
        ),
        plan!(tx, "stock of a ward", screens::STOCK, stock, one, many),
        plan!(
            tx,
            "stock of a ward: what expires",
            screens::EXPIRING,
            "stock_lots_expiry",
            one,
            many,
            Day(cupboard::LONG_AGO)
        ),
        plan!(
            tx,
            "log of a ward",
            screens::LOG,
            "medication_administrations_log",
            one,
            many
        ),
        plan!(
            tx,
            "board: doses due and late",
            board::DUE,
            "medication_orders_queue",
            List(vec![one]),
            at,
            at,
            at
        ),
        plan!(
            tx,
            "board: discrepancies",
            board::DISCREPANCIES,
            "discrepancies_waiting_in_ward",
            List(vec![one])
        ),
        plan!(
            tx,
            "board: low stock",
            board::LOW,
            "drug_stock_low",
            List(vec![one])
        ),
        plan!(
            tx,
            "board: emergency accesses",
            board::EMERGENCIES,
            "emergency_accesses_ward",
            List(vec![one]),
            at
        ),
        plan!(
            tx,
            "emergency accesses, a page",
            board::EMERGENCY_LIST,
            "emergency_accesses_started",
            at,
            nobody,
            many
        ),
        plan!(
            tx,
            "board: doses given",
            board::GIVEN,
            "medication_administrations_log",
            List(vec![one]),
            at,
            at
        ),
        plan!(tx, "sheet: the order", screens::ORDER, orders, nobody),
        plan!(
            tx,
            "sheet: last given",
            screens::LAST_GIVEN,
            "medication_administrations_patient",
            nobody,
            one
        ),
        plan!(tx, "sheet: the stock", screens::STOCK_OF, stock, one, one),
        plan!(tx, "sheet: a wristband", screens::PATIENT, mrn, "x"),
        plan!(
            tx,
            "as-needed doses given",
            super::desk::GIVEN,
            by_prescription,
            ids()
        ),
        plan!(tx, "desk: orders", super::desk::ORDERS, orders, ids()),
        plan!(
            tx,
            "desk: later doses given",
            super::desk::LATER_GIVEN,
            key(
                "sqlite_autoindex_medication_orders_2",
                "medication_orders_prescription_due_key"
            ),
            ids()
        ),
        plan!(
            tx,
            "desk: memory",
            super::desk::REMEMBERED,
            operations,
            ids()
        ),
        plan!(
            tx,
            "desk: stock",
            super::desk::STOCK,
            stock,
            List(vec![one]),
            List(vec![one])
        ),
        write_stock,
        close_orders,
        plan!(
            tx,
            "orders to be made ahead",
            orders_ahead::TO_MAKE,
            "prescriptions_to_make",
            at,
            at,
            nobody,
            many
        ),
        plan!(tx, "sign-in", super::accounts::ACCOUNT, username, "x"),
        plan!(
            tx,
            "list: active orders of a ward",
            listing::ORDERS_OF_WARD[1],
            // PostgreSQL goes by how many are active in the ward and in the hospital, and finds them by either.
            key("medication_orders_queue", ANY),
            nobody,
            many,
            one
        ),
        plan!(
            tx,
            "list: orders stopped in a ward",
            listing::ORDERS_OF_WARD[3],
            "medication_orders_discontinued",
            nobody,
            many,
            one
        ),
        plan!(
            tx,
            "list: what a ward is low on",
            listing::STOCK_LOW_IN_WARD,
            "drug_stock_low",
            one,
            one,
            many,
            one
        ),
        plan!(
            tx,
            "list: log of a patient in a ward",
            listing::LOG_OF_BOTH,
            "medication_administrations_patient",
            at,
            nobody,
            many,
            nobody,
            one
        ),
    ];
    plans.extend(records::plans(&mut tx).await?);
    plans.extend(cupboard_plans(&mut tx).await?);
    plans.extend(reports::plans(&mut tx).await?);
    tx.rollback().await?;
    Ok(plans)
}

/// The same of the cupboard's lists.
async fn cupboard_plans(tx: &mut super::Tx<'_>) -> Result<Vec<Plan>, StoreError> {
    let at = At::from(jiff::Timestamp::UNIX_EPOCH);
    let (one, none, many, nobody) = (1_i64, 0_i64, 100_i64, Uuid::nil());
    let day = Day(cupboard::LONG_AGO);
    let register = key("sqlite_autoindex_stock_ledger_1", "stock_ledger_pkey");
    Ok(vec![
        plan!(
            tx,
            "transfers: from a ward or to it",
            cupboard::TRANSFERS_OF_WARD,
            "drug_transfers_source",
            at,
            nobody,
            at,
            none,
            one,
            none,
            many
        ),
        plan!(
            tx,
            "transfers: to a ward",
            cupboard::TRANSFERS_TO,
            "drug_transfers_destination",
            at,
            nobody,
            at,
            none,
            none,
            one,
            many
        ),
        plan!(
            tx,
            "transfers: from a ward",
            cupboard::TRANSFERS_FROM,
            "drug_transfers_source",
            at,
            nobody,
            at,
            none,
            one,
            none,
            many
        ),
        plan!(
            tx,
            "transfers: of a drug",
            cupboard::TRANSFERS_OF_DRUG,
            "drug_transfers_of_drug",
            at,
            nobody,
            at,
            one,
            none,
            none,
            many
        ),
        plan!(
            tx,
            "transfers: by date",
            cupboard::TRANSFERS,
            "drug_transfers_by_date",
            at,
            nobody,
            at,
            none,
            none,
            none,
            many
        ),
        plan!(
            tx,
            "transfers: on their way",
            cupboard::UNDER_WAY,
            "drug_transfers_on_the_way",
            one,
            many
        ),
        plan!(
            tx,
            "register: a page",
            cupboard::REGISTER,
            register,
            one,
            one,
            many,
            many
        ),
        plan!(
            tx,
            "lots: by expiry",
            cupboard::LOTS_OF_WARD,
            "stock_lots_expiry",
            one,
            day,
            one,
            "",
            many
        ),
        plan!(
            tx,
            "lots: who got one",
            cupboard::LOT_MOVES,
            "lot_moves_lot",
            one,
            "",
            one,
            one,
            many
        ),
        plan!(
            tx,
            "counts of a ward",
            cupboard::COUNTS,
            "stock_counts_of_ward",
            one,
            at,
            nobody,
            many
        ),
        plan!(
            tx,
            "discrepancies: waiting",
            cupboard::DISCREPANCIES_WAITING,
            "discrepancies_waiting",
            at,
            nobody,
            many
        ),
        plan!(
            tx,
            "discrepancies: waiting in a ward",
            cupboard::DISCREPANCIES_WAITING_IN_WARD,
            "discrepancies_waiting_in_ward",
            at,
            nobody,
            many,
            one
        ),
        plan!(
            tx,
            "discrepancies: of a ward",
            cupboard::DISCREPANCIES_OF_WARD,
            "discrepancies_of_ward",
            at,
            nobody,
            many,
            one
        ),
        plan!(
            tx,
            "where else a drug is",
            cupboard::ELSEWHERE,
            "drug_stock_drug",
            one,
            day,
            many
        ),
    ])
}

/// Stock rows that are not the sum of their ledger, as ward and drug codes; at most a few.
///
/// # Errors
/// [`StoreError`].
pub async fn stock_off_ledger(db: &Db) -> Result<Vec<(String, String)>, StoreError> {
    let mut conn = db.reader().await?;
    // From both sides: a page of the register whose stock row is gone is as wrong as a stock row that is off.
    let sql = "SELECT w.code, d.code FROM (\
               SELECT s.ward_id, s.drug_id FROM drug_stock s \
               LEFT JOIN (SELECT ward_id, drug_id, sum(delta) AS total FROM stock_ledger GROUP BY ward_id, drug_id) l \
               ON l.ward_id = s.ward_id AND l.drug_id = s.drug_id \
               WHERE s.current_stock <> COALESCE(l.total, 0) OR s.current_stock < 0 \
               UNION SELECT l.ward_id, l.drug_id FROM stock_ledger l WHERE NOT EXISTS \
               (SELECT 1 FROM drug_stock s WHERE s.ward_id = l.ward_id AND s.drug_id = l.drug_id)\
               ) off JOIN wards w ON w.id = off.ward_id JOIN drugs d ON d.id = off.drug_id ORDER BY 1, 2 LIMIT 5";
    fetch!(all, conn.link(), (String, String), sql)
}

/// What SQLite itself finds wrong with its file; PostgreSQL has no such question, and gives nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn file_faults(db: &Db) -> Result<Vec<String>, StoreError> {
    let mut conn = db.reader().await?;
    let sql = Sql::each(
        "SELECT quick_check FROM pragma_quick_check WHERE quick_check <> 'ok' UNION ALL \
         SELECT 'a row of ' || \"table\" || ' refers to nothing in ' || parent FROM pragma_foreign_key_check LIMIT 5",
        "SELECT NULL::text WHERE false",
    );
    Ok(fetch!(all, conn.link(), (String,), sql)?
        .into_iter()
        .map(|(fault,)| fault)
        .collect())
}
