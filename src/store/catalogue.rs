//! Every query of every screen and list, with something to ask it for: for measuring them all, none left out.

use sqlx::query::Query as Statement;
use sqlx::{AssertSqlSafe, Postgres, Sqlite};
use uuid::Uuid;

use super::{
    At, Day, Engine, Link, List, Sql, StoreError, accounts, board, codes, cupboard, desk,
    formulary, listing, orders_ahead, record, reports, screens, unseen,
};
use crate::domain::{DrugId, OrderId, PatientId, PrescriptionId, WardId};

/// What a screen is asked for: one of everything, picked by whoever measures.
#[derive(Debug, Clone)]
pub struct Subject {
    /// A ward.
    pub ward: WardId,
    /// The pharmacy: a cupboard that holds every drug.
    pub pharmacy: WardId,
    /// Drugs, as many as are read at once.
    pub drugs: Vec<DrugId>,
    /// A drug.
    pub drug: DrugId,
    /// Its code.
    pub code: String,
    /// A patient's number.
    pub mrn: String,
    /// An order that is active.
    pub active: OrderId,
    /// An order that was given.
    pub completed: OrderId,
    /// Patients of a queue, as many as are read at once.
    pub people: Vec<PatientId>,
    /// Prescriptions of a queue, as many as are read at once.
    pub asked: Vec<PrescriptionId>,
    /// A prescription as needed.
    pub as_needed: PrescriptionId,
    /// A dose that was given.
    pub administration: Uuid,
    /// When.
    pub given_at: At,
    /// To whom.
    pub patient: PatientId,
    /// What.
    pub given: DrugId,
    /// Register pages with stock.
    pub pages: Vec<(WardId, DrugId)>,
    /// Orders, as a desk loads them in one batch.
    pub batch: Vec<OrderId>,
    /// Operations of a batch.
    pub operations: Vec<Uuid>,
    /// Somebody.
    pub username: String,
    /// Their key.
    pub user: i64,
    /// Rows of a page of a list.
    pub page: i64,
    /// Rows of each part of the ward desk at most.
    pub bounds: screens::Bounds,
    /// Now.
    pub now: At,
}

impl Subject {
    /// What there is nothing of: for those who want to know which queries there are, and how they would be run.
    pub fn nobody(now: jiff::Timestamp) -> Subject {
        let id = Uuid::nil();
        Subject {
            ward: WardId(1),
            pharmacy: WardId(1),
            drugs: vec![DrugId(1)],
            drug: DrugId(1),
            code: String::new(),
            mrn: String::new(),
            active: OrderId(id),
            completed: OrderId(id),
            people: vec![PatientId(id)],
            asked: vec![PrescriptionId(id)],
            as_needed: PrescriptionId(id),
            administration: id,
            given_at: At::from(now),
            patient: PatientId(id),
            given: DrugId(1),
            pages: vec![(WardId(1), DrugId(1))],
            batch: vec![OrderId(id)],
            operations: vec![id],
            username: String::new(),
            user: 1,
            page: 100,
            bounds: screens::Bounds::default(),
            now: At::from(now),
        }
    }
}

#[derive(Debug, Clone)]
enum Bind {
    Int(i64),
    Text(String),
    Id(Uuid),
    At(At),
    Ints(Vec<i64>),
    Ids(Vec<Uuid>),
    Texts(Vec<String>),
    Day(Day),
}

macro_rules! binds {
    ($($from:ty => $to:ident($value:ident => $as:expr)),+ $(,)?) => {$(
        impl From<$from> for Bind {
            fn from($value: $from) -> Bind {
                Bind::$to($as)
            }
        }
    )+};
}
binds!(
    i64 => Int(v => v),
    WardId => Int(v => v.0),
    DrugId => Int(v => v.0),
    &str => Text(v => v.to_owned()),
    Uuid => Id(v => v),
    OrderId => Id(v => v.0),
    PatientId => Id(v => v.0),
    PrescriptionId => Id(v => v.0),
    At => At(v => v),
    Vec<i64> => Ints(v => v),
    Vec<Uuid> => Ids(v => v),
    Vec<String> => Texts(v => v),
    Day => Day(v => v),
);

/// How the program asks: PostgreSQL plans a statement of a screen and of a batch once, and others for every value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// By itself.
    Alone,
    /// Inside [`super::Conn::begin_screen`].
    Screen,
    /// Inside [`super::Conn::begin_write`], which locks what it reads.
    Batch,
}

/// A query with its values.
#[derive(Debug, Clone)]
pub struct Query {
    /// Which screen, and what of it.
    pub name: &'static str,
    /// How it is asked.
    pub within: Within,
    sql: Sql,
    binds: Vec<Bind>,
}

/// What PostgreSQL says a query read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffers {
    /// Pages in its own cache.
    pub hit: u64,
    /// Pages that it had to ask the system for.
    pub read: u64,
}

macro_rules! bound {
    ($statement:expr, $binds:expr) => {
        $binds
            .iter()
            .fold($statement, |statement, bind| match bind.clone() {
                Bind::Int(value) => statement.bind(value),
                Bind::Text(value) => statement.bind(value),
                Bind::Id(value) => statement.bind(value),
                Bind::At(value) => statement.bind(value),
                Bind::Ints(value) => statement.bind(List(value)),
                Bind::Ids(value) => statement.bind(List(value)),
                Bind::Texts(value) => statement.bind(List(value)),
                Bind::Day(value) => statement.bind(value),
            })
    };
}

impl Query {
    /// Runs it as the program does, prepared once for each connection; gives how many rows came.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn run(&self, link: Link<'_>) -> Result<usize, StoreError> {
        Ok(match link {
            Link::Sqlite(conn) => {
                let statement: Statement<'_, Sqlite, _> =
                    bound!(sqlx::query(self.sql.text(Engine::Sqlite)), self.binds);
                statement.fetch_all(&mut *conn).await?.len()
            }
            Link::Postgres(conn) => {
                let statement: Statement<'_, Postgres, _> =
                    bound!(sqlx::query(self.sql.text(Engine::Postgres)), self.binds);
                statement.fetch_all(&mut *conn).await?.len()
            }
        })
    }

    /// How many pages PostgreSQL reads for it, from EXPLAIN (ANALYZE, BUFFERS); `None` on SQLite, whose EXPLAIN does not
    /// say.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn buffers(&self, link: Link<'_>) -> Result<Option<Buffers>, StoreError> {
        let Link::Postgres(conn) = link else {
            return Ok(None);
        };
        let sql = format!(
            "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {}",
            self.sql.text(Engine::Postgres)
        );
        let statement = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        let row = bound!(statement, self.binds).fetch_one(&mut *conn).await?;
        let told: serde_json::Value = serde_json::from_str(&plan_text(&row)?)
            .map_err(|error| StoreError::Guarantee(format!("a plan cannot be read: {error}")))?;
        let plan = &told[0]["Plan"];
        let count = |name: &str| {
            plan[name]
                .as_u64()
                .ok_or_else(|| StoreError::Guarantee(format!("a plan does not say: {name}")))
        };
        Ok(Some(Buffers {
            hit: count("Shared Hit Blocks")?,
            read: count("Shared Read Blocks")?,
        }))
    }

    /// How the engine would run it, line by line.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn plan(&self, link: Link<'_>) -> Result<Vec<String>, StoreError> {
        use sqlx::Row;
        let lines = match link {
            Link::Sqlite(conn) => {
                let sql = format!("EXPLAIN QUERY PLAN {}", self.sql.text(Engine::Sqlite));
                let statement = sqlx::query(AssertSqlSafe(sql)).persistent(false);
                let rows = bound!(statement, self.binds).fetch_all(&mut *conn).await?;
                rows.iter()
                    .map(|row| row.try_get("detail"))
                    .collect::<Result<_, _>>()
            }
            Link::Postgres(conn) => {
                let sql = format!(
                    "EXPLAIN (ANALYZE, BUFFERS) {}",
                    self.sql.text(Engine::Postgres)
                );
                let statement = sqlx::query(AssertSqlSafe(sql)).persistent(false);
                let rows = bound!(statement, self.binds).fetch_all(&mut *conn).await?;
                rows.iter()
                    .map(|row| row.try_get(0))
                    .collect::<Result<_, _>>()
            }
        };
        Ok(lines?)
    }
}

/// The plan as text: the server sends JSON, which would need a feature of sqlx that nothing else needs.
fn plan_text(row: &sqlx::postgres::PgRow) -> Result<String, StoreError> {
    use sqlx::{Row, ValueRef};
    let value = row.try_get_raw(0)?;
    if value.is_null() {
        return Err(StoreError::Guarantee("a plan is empty".to_owned()));
    }
    let text = value
        .as_str()
        .map_err(|error| StoreError::Guarantee(format!("a plan cannot be read: {error}")))?;
    Ok(text.to_owned())
}

macro_rules! queries {
    (in $within:ident: $($name:literal: $sql:expr $(, $bind:expr)*;)+) => {
        vec![$(Query { name: $name, within: Within::$within, sql: Sql::from($sql), binds: vec![$(Bind::from($bind)),*] }),+]
    };
}

/// Every query that a screen, a list or the feed asks, for one subject, and what the desk loads for a batch.
pub fn queries(of: &Subject) -> Vec<Query> {
    let mut all = ward_desk(of);
    all.extend(boards(of));
    all.extend(sheets(of));
    all.extend(doors(of));
    all.extend(order_lists(of));
    all.extend(other_lists(of));
    all.extend(records(of));
    all.extend(charts(of));
    all.extend(desk_loads(of));
    all.extend(cupboard_lists(of));
    all.extend(reports_of_a_ward(of));
    all
}

/// The ward desk: what the feed reads whenever something has changed.
fn ward_desk(of: &Subject) -> Vec<Query> {
    let more = |bound: usize| i64::try_from(bound).unwrap_or(i64::MAX).saturating_add(1);
    let (orders, stock, log) = (
        more(of.bounds.orders),
        more(of.bounds.stock),
        more(of.bounds.log),
    );
    let year = of.now.0.to_zoned(jiff::tz::TimeZone::UTC).date();
    let year = Day(year
        .checked_add(jiff::Span::new().days(366))
        .unwrap_or(year));
    queries!(in Screen:
        "desk: the ward": screens::WARD, of.ward;
        "desk: queue, timed": screens::QUEUE_TIMED, of.ward, orders;
        "desk: queue, as needed": screens::QUEUE_OPEN, of.ward, orders;
        "desk: whom it is for": screens::PEOPLE, of.people.iter().map(|id| id.0).collect::<Vec<Uuid>>();
        "desk: what was asked": screens::ASKED, of.asked.iter().map(|id| id.0).collect::<Vec<Uuid>>();
        "desk: stock of a ward": screens::STOCK, of.ward, stock;
        "desk: stock of the pharmacy": screens::STOCK, of.pharmacy, stock;
        "desk: what expires in a ward": screens::EXPIRING, of.ward, stock, year;
        "desk: what expires in the pharmacy": screens::EXPIRING, of.pharmacy, stock, year;
        "desk: log": screens::LOG, of.ward, log;
        "desk: drugs that it has not seen": formulary::DRUGS, of.drugs.iter().map(|drug| drug.0).collect::<Vec<i64>>();
    )
}

/// The board of all wards.
fn boards(of: &Subject) -> Vec<Query> {
    let wards = vec![of.ward.0, of.pharmacy.0];
    let (now, begins) = (of.now, At::from(board::begins(of.now.0)));
    queries!(in Screen:
        "board: doses due and late": board::DUE, wards.clone(), now, now, now;
        "board: discrepancies": board::DISCREPANCIES, wards.clone();
        "board: low stock": board::LOW, wards.clone();
        "board: doses given": board::GIVEN, wards.clone(), begins, now;
        "board: emergency accesses": board::EMERGENCIES, wards.clone(), now;
        "emergency accesses, a page": board::EMERGENCY_LIST, now, Uuid::max(), of.page;
    )
}

/// The sheet of a dose.
fn sheets(of: &Subject) -> Vec<Query> {
    queries!(in Screen:
        "sheet: where an active order stands": screens::STANDING, of.active;
        "sheet: where a given order stands": screens::STANDING, of.completed;
        "sheet: the order": screens::ORDER, of.active;
        "sheet: the stock": screens::STOCK_OF, of.ward, of.drug;
        "sheet: last given": screens::LAST_GIVEN, of.patient, of.given;
        "sheet: doses as needed": desk::GIVEN, vec![of.as_needed.0];
        "sheet: a wristband": screens::PATIENT, of.mrn.as_str();
        "sheet: what a package holds": codes::DRUGS_OF, of.code.as_str();
        "sheet: whether a lot is recalled": codes::RECALLED, of.drug, "x";
        "codes of packages, a page": codes::LIST, "", of.page;
    )
}

/// Signing in, choosing a ward, and what is looked at before each question.
fn doors(of: &Subject) -> Vec<Query> {
    queries!(in Alone:
        "feed: has anything changed": screens::DATA_VERSION;
        "sign-in: the account": accounts::ACCOUNT, of.username.as_str();
        "sign-in: role and wards": accounts::ACTORS, vec![of.user], of.now;
        "sign-in: whether anybody can": accounts::ABLE;
        "sign-in: outcomes that were not seen": unseen::OF, of.user, of.page;
        "sign-in: whose key": accounts::KEY_OWNER, of.username.as_str();
        "wards": screens::WARDS;
        "accounts, a page": accounts::LIST, of.username.as_str(), of.page;
    )
}

/// `valmed orders`.
fn order_lists(of: &Subject) -> Vec<Query> {
    use listing::{ORDER, ORDERS, ORDERS_OF_BOTH, ORDERS_OF_PATIENT, ORDERS_OF_WARD};
    let (first, after, page) = (Uuid::nil(), of.completed, of.page);
    queries!(in Screen:
        "orders: one": ORDER, of.active, 1_i64;
        "orders of a ward, first page": ORDERS_OF_WARD[0], first, page, of.ward;
        "orders of a ward, any page": ORDERS_OF_WARD[0], after, page, of.ward;
        "orders of a ward, active, first page": ORDERS_OF_WARD[1], first, page, of.ward;
        "orders of a ward, active, any page": ORDERS_OF_WARD[1], of.active, page, of.ward;
        "orders of a ward, completed, first page": ORDERS_OF_WARD[2], first, page, of.ward;
        "orders of a ward, completed, any page": ORDERS_OF_WARD[2], after, page, of.ward;
        "orders of a ward, discontinued": ORDERS_OF_WARD[3], first, page, of.ward;
        "orders of a patient": ORDERS_OF_PATIENT[0], first, page, of.patient;
        "orders of a patient, active": ORDERS_OF_PATIENT[1], first, page, of.patient;
        "orders of a patient, completed": ORDERS_OF_PATIENT[2], first, page, of.patient;
        "orders of a patient, discontinued": ORDERS_OF_PATIENT[3], first, page, of.patient;
        "orders of a patient in a ward": ORDERS_OF_BOTH[0], first, page, of.patient, of.ward;
        "orders of a patient in a ward, active": ORDERS_OF_BOTH[1], first, page, of.patient, of.ward;
        "orders of a patient in a ward, completed": ORDERS_OF_BOTH[2], first, page, of.patient, of.ward;
        "orders of a patient in a ward, discontinued": ORDERS_OF_BOTH[3], first, page, of.patient, of.ward;
        "orders, any page": ORDERS[0], after, page;
        "orders, active, first page": ORDERS[1], first, page;
        "orders, active, any page": ORDERS[1], of.active, page;
        "orders, completed, any page": ORDERS[2], after, page;
        "orders, discontinued": ORDERS[3], first, page;
    )
}

/// `valmed stock`, `valmed log`, and the codes that commands are given.
fn other_lists(of: &Subject) -> Vec<Query> {
    use listing::{LOG, LOG_OF_BOTH, LOG_OF_PATIENT, LOG_OF_WARD};
    use listing::{STOCK, STOCK_LOW, STOCK_LOW_IN_WARD, STOCK_OF_WARD};
    let (ward, drug, page) = (of.ward, of.drug, of.page);
    let (first, second) = (WardId(i64::MIN), DrugId(i64::MIN));
    let (time, id, first_id) = (of.given_at, of.administration, Uuid::nil());
    let mut all = queries!(in Screen:
        "log, any page": LOG, time, id, page;
        "log of a ward, any page": LOG_OF_WARD, time, id, page, ward;
        "log of a patient": LOG_OF_PATIENT, of.now, Uuid::max(), page, of.patient;
        "log of a patient in a ward": LOG_OF_BOTH, of.now, Uuid::max(), page, of.patient, ward;
    );
    all.extend(queries!(in Alone:
        "stock, any page": STOCK, ward, drug, page;
        "stock of a ward, a page": STOCK_OF_WARD, ward, drug, page, ward;
        "low stock, any page": STOCK_LOW, ward, drug, page;
        "low stock of a ward": STOCK_LOW_IN_WARD, first, second, page, ward;
        "effects to ask for": listing::EFFECTS, ward, of.now, page;
        "log: where a page goes on": listing::TIME_OF, id;
        "a drug by its code": listing::DRUG_BY_CODE, of.code.as_str();
        "orders ahead: how many are behind": orders_ahead::BEHIND, of.now;
        "orders ahead: which are next": orders_ahead::TO_MAKE, of.now, At::from(0), first_id, page;
    ));
    all
}

/// A patient's day, what a prescription is looked up with, and a doctor's own list.
fn records(of: &Subject) -> Vec<Query> {
    let day = At::from(
        of.now
            .0
            .checked_sub(jiff::SignedDuration::from_hours(24))
            .unwrap_or(of.now.0),
    );
    let (one, orders) = (vec![of.as_needed.0], vec![of.completed.0]);
    let drugs = vec![of.given.0];
    queries!(in Screen:
        "record: the patient": record::PERSON, of.mrn.as_str();
        "record: prescriptions of a day": record::LINES, of.patient, day, of.now;
        "record: doses of a day": record::DUE, one, day, of.now;
        "record: what was recorded of doses": record::ENTRIES, orders;
        "record: as-needed doses of a day": record::OPEN_ENTRIES, of.patient, drugs, day, of.now;
        "record: who lies in a ward": record::PRESENT, of.ward, "", Uuid::nil(), of.page;
        "prescribing: patients by name": record::PEOPLE, "m", "n", of.page;
        "prescribing: drugs by name": record::DRUGS, of.ward, "m", "n", of.page;
        "prescribing: what runs": record::RUNNING, of.patient;
        "prescribing: a prescription": record::STANDING, of.as_needed;
        "my orders: those that run": record::MINE[0], of.user, Uuid::max(), of.page, of.now;
        "my orders: all": record::MINE[1], of.user, Uuid::max(), of.page, of.now;
    )
}

/// What the desk loads for operations on patients and prescriptions.
fn charts(of: &Subject) -> Vec<Query> {
    let (none, patient) = (Vec::<Uuid>::new(), vec![of.patient.0]);
    let mrns = vec![of.mrn.clone()];
    queries!(in Batch:
        "batch: patients": desk::charts::CHARTS, patient.clone(), mrns;
        "batch: prescriptions": desk::charts::PRESCRIPTIONS, vec![of.as_needed.0], patient.clone();
        "batch: open orders of patients": desk::charts::OPEN_ORDERS, none, patient;
        "batch: places": desk::charts::PLACES, vec![of.ward.0];
        "batch: drugs": desk::charts::DRUGS, vec![of.drug.0];
    )
}

/// The cupboard's lists and pages.
fn cupboard_lists(of: &Subject) -> Vec<Query> {
    use cupboard::{
        COUNTS, DISCREPANCIES, DISCREPANCIES_OF_WARD, DISCREPANCIES_WAITING,
        DISCREPANCIES_WAITING_IN_WARD, ELSEWHERE, LEVELS, LOT_MOVES, LOTS_OF_WARD, REFILLS,
        REGISTER, TO_COUNT, TRANSFERS, TRANSFERS_FROM, TRANSFERS_OF_DRUG, TRANSFERS_OF_WARD,
        TRANSFERS_TO, UNDER_WAY,
    };
    let (ward, pharmacy, drug, page) = (of.ward, of.pharmacy, of.drug, of.page);
    let (now, last, first, start) = (of.now, Uuid::max(), Uuid::nil(), At::from(0));
    let (any, none) = (0_i64, WardId(0));
    let today = Day(of.now.0.to_zoned(jiff::tz::TimeZone::UTC).date());
    let never = Day(cupboard::LONG_AGO);
    queries!(in Screen:
        "transfers of a ward": TRANSFERS_OF_WARD, now, last, start, any, ward, none, page;
        "transfers from a ward": TRANSFERS_FROM, now, last, start, any, pharmacy, none, page;
        "transfers to a ward": TRANSFERS_TO, now, last, start, any, none, ward, page;
        "transfers of a drug": TRANSFERS_OF_DRUG, now, last, start, drug, none, none, page;
        "transfers, any page": TRANSFERS, now, last, start, any, none, none, page;
        "transfers under way": UNDER_WAY, ward, page;
        "register, newest page": REGISTER, ward, drug, i64::MAX, page;
        "lots of a ward": LOTS_OF_WARD, ward, never, drug, "", page;
        "who got a lot": LOT_MOVES, drug, "", none, any, page;
        "to count in a ward": TO_COUNT, ward, page;
        "counts of a ward": COUNTS, ward, now, last, page;
        "discrepancies waiting": DISCREPANCIES_WAITING, start, first, page;
        "discrepancies waiting in a ward": DISCREPANCIES_WAITING_IN_WARD, start, first, page, ward;
        "discrepancies": DISCREPANCIES, now, last, page;
        "discrepancies of a ward": DISCREPANCIES_OF_WARD, now, last, page, ward;
        "levels of a ward": LEVELS, ward, page;
        "where a drug is": ELSEWHERE, drug, today, page;
        "what fills a ward up": REFILLS, ward, today, pharmacy, page;
    )
}

/// Reports of a ward: of its last shift, and of its last year. A shift, since every hospital that is measured must have
/// been at work for as long as the report looks back: a small made-up one has half a day behind it.
fn reports_of_a_ward(of: &Subject) -> Vec<Query> {
    use reports::{DUE, EFFECTS, LATE, MISSED, NOT_GIVEN, OVERRIDES, SCANS, STOCK_OUTS, USE};
    let ago = |hours: i64| {
        let then = of
            .now
            .0
            .checked_sub(jiff::SignedDuration::from_hours(hours));
        At::from(then.unwrap_or(of.now.0))
    };
    let (ward, pharmacy, page, now) = (of.ward, of.pharmacy, of.page, of.now);
    let (shift, year) = (ago(8), ago(24 * 366));
    let (first, none) = (Uuid::nil(), 0_i64);
    let first_moment = At::from(jiff::Timestamp::UNIX_EPOCH);
    let hour = 3_600_000_000_i64;
    queries!(in Alone:
        "report: doses due": DUE, ward, shift, now, shift, first, page;
        "report: doses due, a year": DUE, ward, year, now, year, first, page;
        "report: doses missed": MISSED, ward, shift, now, shift, first, page, ago(4);
        "report: doses late": LATE, ward, shift, now, shift, first, page, hour;
        "report: not given": NOT_GIVEN, ward, shift, now, shift, first, page;
        "report: as needed": EFFECTS, ward, shift, now, shift, first, page;
        "report: wrong patient": SCANS, ward, shift, now, shift, first, page;
        "report: overrides": OVERRIDES, ward, shift, now, shift, first, page, none;
        "report: discrepancies": cupboard::CONTROLLED_DISCREPANCIES, ward, year, now, year, first, page;
        "report: stock use": USE, ward, shift, now, none, page;
        "report: stock use of the pharmacy": USE, pharmacy, shift, now, none, page;
        "report: stock-outs": STOCK_OUTS, ward, shift, now, shift, none, none, page, first_moment, none, none;
        "report: stock-outs, a year": STOCK_OUTS, ward, year, now, year, none, none, page, first_moment, none, none;
    )
}

/// What the desk loads for a batch. PostgreSQL locks the rows for as long as the statement takes.
fn desk_loads(of: &Subject) -> Vec<Query> {
    let orders: Vec<Uuid> = of.batch.iter().map(|order| order.0).collect();
    let (wards, drugs): (Vec<i64>, Vec<i64>) =
        of.pages.iter().map(|(ward, drug)| (ward.0, drug.0)).unzip();
    queries!(in Batch:
        "batch: memory": desk::REMEMBERED, of.operations.clone();
        "batch: orders": desk::ORDERS, orders;
        "batch: stock": desk::STOCK, wards.clone(), drugs.clone();
        "batch: lots of stock": desk::STOCK_LOTS, wards.clone(), drugs.clone();
        "batch: transfers": desk::TRANSFERS, of.operations.clone();
        "batch: lots of transfers": desk::TRANSFER_LOTS, of.operations.clone();
        "batch: discrepancies": desk::DISCREPANCIES, of.operations.clone();
        "batch: counts to repeat": desk::RECOUNTS, wards.clone(), drugs.clone();
        "batch: differences to explain": desk::UNEXPLAINED, wards.clone(), drugs.clone();
        "batch: levels": desk::LEVELS, wards, drugs;
        "batch: doses near the moment": desk::RECENT, vec![of.patient.0], vec![of.given.0], At::from(0), of.now;
        "batch: later doses given": desk::LATER_GIVEN, vec![of.active.0];
        "batch: entries of the log": desk::ENTRIES, vec![of.administration];
        "batch: lots of entries": desk::ENTRY_LOTS, vec![of.administration];
        "batch: open orders without a time": desk::NEXT_OPEN, vec![of.as_needed.0];
    )
}
