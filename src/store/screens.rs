//! What the screens read: every query here uses an index, which `valmed doctor` proves from its plan.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use sqlx::FromRow;

use super::formulary::{self, Edition, Formulary};
use super::{At, Conn, Day, Link, List, Sql, StoreError};
use crate::domain::decide::{Limits, not_before};
use crate::domain::snapshot::{
    Dose, Drug, LastGiven, LogEntry, OrderDetail, Patient, QueuedOrder, StockLevel, Ward,
    WardSnapshot,
};
use crate::domain::{
    AdministrationId, DrugId, GivingOutcome, OrderId, OrderKind, OrderStatus, PatientId,
    PrescriptionId, Priority, Quantity, Schedule, WardId, WardKind,
};

/// How many rows a snapshot holds at most.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Active orders.
    pub orders: usize,
    /// Drugs in the cupboard.
    pub stock: usize,
    /// Lines of the log.
    pub log: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            orders: 2000,
            stock: 4000,
            log: 200,
        }
    }
}

#[derive(Debug, FromRow)]
struct WardRow {
    id: WardId,
    code: String,
    name: String,
    kind: WardKind,
    time_zone: String,
}

impl From<WardRow> for Ward {
    fn from(row: WardRow) -> Ward {
        Ward {
            id: row.id,
            code: row.code,
            name: row.name,
            kind: row.kind,
            time_zone: row.time_zone,
        }
    }
}

/// Every ward.
pub(super) const WARDS: &str =
    "SELECT id, code, name, kind, time_zone FROM wards ORDER BY name, id LIMIT 1000";
/// One ward, and how often the formulary was changed.
pub(super) const WARD: &str = "SELECT id, code, name, kind, time_zone, (SELECT revision FROM formulary) AS revision \
    FROM wards WHERE id = $1";

/// Every ward, by name. A hospital has dozens: no page is needed.
///
/// # Errors
/// [`StoreError`].
pub async fn wards(link: Link<'_>) -> Result<Vec<Ward>, StoreError> {
    Ok(fetch!(all, link, WardRow, WARDS)?
        .into_iter()
        .map(Ward::from)
        .collect())
}

/// The ward with that code, in any case.
///
/// # Errors
/// [`StoreError`].
pub async fn ward_by_code(link: Link<'_>, code: &str) -> Result<Option<Ward>, StoreError> {
    let found = wards(link).await?;
    Ok(found
        .into_iter()
        .find(|ward| ward.code.eq_ignore_ascii_case(code)))
}

/// A ward, and how often the formulary was changed: [`Formulary`].
#[derive(Debug, FromRow)]
struct HereRow {
    #[sqlx(flatten)]
    ward: WardRow,
    revision: i64,
}

#[derive(Debug, FromRow, Deserialize)]
struct QueueRow {
    id: OrderId,
    version: i64,
    ward_id: WardId,
    patient_id: PatientId,
    drug_id: DrugId,
    dosage: Quantity,
    dosage_max: Option<Quantity>,
    due_at: Option<At>,
    held_until: Option<At>,
    kind: OrderKind,
    priority: Priority,
    prescriber: String,
    prescription_id: PrescriptionId,
}

/// Orders alone: whom they are for and what was asked is the same for many of them, and read once for all, by
/// [`PEOPLE`] and [`ASKED`].
macro_rules! queue_sql {
    ($($rest:literal),+ $(,)?) => {
        concat!(
            "SELECT o.id, o.version, o.ward_id, o.patient_id, o.drug_id, o.dosage, o.dosage_max, o.due_at, o.held_until, ",
            "o.kind, o.priority, u.name AS prescriber, o.prescription_id FROM medication_orders o ",
            "JOIN users u ON u.id = o.doctor_id ",
            $($rest),+
        )
    };
}

/// Rows of the queue as one value: see [`Gathered`].
///
/// [`Gathered`]: super::types::Gathered
macro_rules! queue_gathered {
    ($($rest:literal),+ $(,)?) => {
        Sql::each(
            concat!(
                "SELECT json_group_array(json_object('id', hex(id), 'version', version, 'ward_id', ward_id, ",
                "'patient_id', hex(patient_id), 'drug_id', drug_id, 'dosage', dosage, 'dosage_max', dosage_max, ",
                "'due_at', due_at, 'held_until', held_until, 'kind', kind, 'priority', priority, 'prescriber', prescriber, ",
                "'prescription_id', hex(prescription_id))) FROM (",
                queue_sql!($($rest),+),
                ")"
            ),
            queue_sql!($($rest),+),
        )
    };
}

/// Timed orders of a ward by due time; then, by [`QUEUE_OPEN`], those without one.
pub(super) const QUEUE_TIMED: Sql = queue_gathered!(
    "WHERE o.ward_id = $1 AND o.status = 'active' AND o.due_at IS NOT NULL ",
    "ORDER BY o.due_at, o.id LIMIT $2"
);
/// As-needed and unscheduled orders of a ward. None has a due time; that they are ordered by it all the same lets
/// PostgreSQL read the first of them straight from the index of the queue.
pub(super) const QUEUE_OPEN: Sql = queue_gathered!(
    "WHERE o.ward_id = $1 AND o.status = 'active' AND o.due_at IS NULL ORDER BY o.due_at, o.id LIMIT $2"
);
/// The cupboard of a ward, each column as one value: that of the pharmacy has thousands of rows, and to hand over a row
/// takes longer than to read it.
pub(super) const STOCK: Sql = Sql::each(
    "SELECT json_group_array(drug_id), json_group_array(current_stock), json_group_array(low_stock_threshold) \
     FROM (SELECT drug_id, current_stock, low_stock_threshold FROM drug_stock WHERE ward_id = $1 ORDER BY drug_id LIMIT $2)",
    "SELECT COALESCE(array_agg(drug_id), '{}'), COALESCE(array_agg(current_stock), '{}'), \
     COALESCE(array_agg(low_stock_threshold), '{}') FROM \
     (SELECT drug_id, current_stock, low_stock_threshold FROM drug_stock WHERE ward_id = $1 ORDER BY drug_id LIMIT $2) s",
);
/// Drugs of a ward with lots that expire up to the day `$3`, and when the first of them does, in days after 1970; columns
/// as those of the cupboard.
pub(super) const EXPIRING: Sql = Sql::each(
    "SELECT json_group_array(drug_id), json_group_array(days) FROM (SELECT drug_id, \
     CAST(julianday(min(expires_on)) - 2440587.5 AS INTEGER) AS days FROM stock_lots WHERE ward_id = $1 AND quantity > 0 \
     AND expires_on <= $3 GROUP BY drug_id LIMIT $2)",
    "SELECT COALESCE(array_agg(drug_id), '{}'), COALESCE(array_agg(days), '{}') FROM (SELECT drug_id, \
     CAST(min(expires_on) - DATE '1970-01-01' AS BIGINT) AS days FROM stock_lots WHERE ward_id = $1 AND quantity > 0 \
     AND expires_on <= $3 GROUP BY drug_id LIMIT $2) l",
);
macro_rules! log_sql {
    () => {
        "SELECT a.id, a.administration_time, a.recorded_at, a.patient_id, a.drug_id, a.quantity, \
         a.outcome, u.name AS nurse, v.name AS witness, a.reason, a.reverses IS NOT NULL AS is_reversal, \
         EXISTS (SELECT 1 FROM medication_administrations r WHERE r.reverses = a.id) AS reversed \
         FROM medication_administrations a JOIN users u ON u.id = a.nurse_id LEFT JOIN users v ON v.id = a.witness_id WHERE a.ward_id = $1 \
         ORDER BY a.administration_time DESC, a.id DESC LIMIT $2"
    };
}
/// The latest administrations of a ward.
pub(super) const LOG: Sql = Sql::each(
    concat!(
        "SELECT json_group_array(json_object('id', hex(id), 'administration_time', administration_time, ",
        "'recorded_at', recorded_at, 'patient_id', hex(patient_id), 'drug_id', drug_id, 'quantity', quantity, ",
        "'outcome', outcome, 'nurse', nurse, 'witness', witness, 'reason', reason, ",
        "'is_reversal', json(iif(is_reversal, 'true', 'false')), ",
        "'reversed', json(iif(reversed, 'true', 'false')))) FROM (",
        log_sql!(),
        ")"
    ),
    log_sql!(),
);

macro_rules! people_sql {
    ($which:literal) => {
        concat!(
            "SELECT id, mrn, name, birth_date, bed, allergies FROM patients WHERE id ",
            $which
        )
    };
}
/// Patients by key.
pub(super) const PEOPLE: Sql = Sql::each(
    concat!(
        "SELECT json_group_array(json_object('id', hex(id), 'mrn', mrn, 'name', name, 'birth_date', birth_date, ",
        "'bed', bed, 'allergies', allergies)) FROM (",
        people_sql!("IN (SELECT unhex(value) FROM json_each($1))"),
        ")"
    ),
    people_sql!("= ANY($1)"),
);

macro_rules! asked_sql {
    ($which:literal) => {
        concat!(
            "SELECT id, version, dose_text, route, frequency FROM prescriptions WHERE id ",
            $which
        )
    };
}
/// What doctors asked for, by key.
pub(super) const ASKED: Sql = Sql::each(
    concat!(
        "SELECT json_group_array(json_object('id', hex(id), 'version', version, 'dose_text', dose_text, 'route', route, ",
        "'frequency', frequency)) FROM (",
        asked_sql!("IN (SELECT unhex(value) FROM json_each($1))"),
        ")"
    ),
    asked_sql!("= ANY($1)"),
);

/// When a patient last got a drug: the last four times, but for what was taken back.
pub(super) const LAST_GIVEN: &str = "SELECT a.administration_time, a.quantity, u.name FROM medication_administrations a \
    JOIN users u ON u.id = a.nurse_id WHERE a.patient_id = $1 AND a.drug_id = $2 AND a.outcome = 'given' \
    AND a.reverses IS NULL AND NOT EXISTS (SELECT 1 FROM medication_administrations r WHERE r.reverses = a.id) \
    ORDER BY a.administration_time DESC LIMIT 4";

/// Where an order stands.
pub(super) const STANDING: &str = "SELECT o.status, o.prescription_id, r.schedule, r.start_at, r.stop_at, u.name AS changed_by, \
    o.changed_at, o.change FROM medication_orders o JOIN prescriptions r ON r.id = o.prescription_id \
    LEFT JOIN users u ON u.id = o.changed_by WHERE o.id = $1";
/// One order, as its sheet shows it.
pub(super) const ORDER: &str = queue_sql!("WHERE o.id = $1");
/// How much of one drug a ward holds.
pub(super) const STOCK_OF: &str =
    "SELECT current_stock FROM drug_stock WHERE ward_id = $1 AND drug_id = $2";
/// Whose a wristband is.
pub(super) const PATIENT: &str =
    "SELECT id, mrn, name, birth_date, bed, allergies FROM patients WHERE mrn = $1";

/// Whom rows are for and what doctors asked for, each held once however many rows share it.
#[derive(Debug, Default)]
struct Shared {
    patients: HashMap<PatientId, Arc<Patient>>,
    asked: HashMap<PrescriptionId, AskedRow>,
}

#[derive(Debug, FromRow, Deserialize)]
struct AskedRow {
    id: PrescriptionId,
    version: i64,
    dose_text: String,
    route: String,
    frequency: String,
}

impl Shared {
    /// What these rows name.
    async fn of(
        mut link: Link<'_>,
        queue: &[QueueRow],
        log: &[LogRow],
    ) -> Result<Shared, StoreError> {
        let people = queue.iter().map(|row| row.patient_id);
        let people: BTreeSet<PatientId> =
            people.chain(log.iter().map(|row| row.patient_id)).collect();
        let asked: BTreeSet<PrescriptionId> = queue.iter().map(|row| row.prescription_id).collect();
        let mut shared = Shared::default();
        if !people.is_empty() {
            let keys = List(people.into_iter().map(|id| id.0).collect::<Vec<_>>());
            let rows = gather!(link.lend(), PatientRow, PEOPLE, keys)?;
            let patients = rows.into_iter().map(|row| Arc::new(Patient::from(row)));
            shared.patients = patients.map(|patient| (patient.id, patient)).collect();
        }
        if !asked.is_empty() {
            let keys = List(asked.into_iter().map(|id| id.0).collect::<Vec<_>>());
            let rows = gather!(link, AskedRow, ASKED, keys)?;
            shared.asked = rows.into_iter().map(|row| (row.id, row)).collect();
        }
        Ok(shared)
    }

    /// A patient. Rows name patients and prescriptions by foreign key, so none is missing from one transaction's view.
    fn patient(&self, id: PatientId) -> Result<&Arc<Patient>, StoreError> {
        let missing = || StoreError::Guarantee(format!("patient {id} is named, and not there"));
        self.patients.get(&id).ok_or_else(missing)
    }

    fn queued(&self, row: QueueRow, drug: Arc<Drug>) -> Result<QueuedOrder, StoreError> {
        let id = row.prescription_id;
        let missing =
            || StoreError::Guarantee(format!("prescription {id} is named, and not there"));
        let asked = self.asked.get(&id).ok_or_else(missing)?;
        Ok(QueuedOrder {
            id: row.id,
            version: row.version,
            patient: Arc::clone(self.patient(row.patient_id)?),
            drug,
            dose: Dose {
                least: row.dosage,
                most: row.dosage_max,
                written: asked.dose_text.clone(),
            },
            route: asked.route.clone(),
            frequency: asked.frequency.clone(),
            due_at: row.due_at.map(|at| at.0),
            held_until: row.held_until.map(|at| at.0),
            kind: row.kind,
            priority: row.priority,
            prescriber: row.prescriber,
            prescription: id,
            prescription_version: asked.version,
        })
    }
}

/// The cupboard, column by column: drugs, what there is of each, and when it is low.
type StockColumns = (List<i64>, List<i64>, List<i64>);

/// Drugs that have lots which expire, and when the first of them does: in days after 1970.
type ExpiringColumns = (List<i64>, List<i64>);

#[derive(Debug, FromRow, Deserialize)]
struct LogRow {
    id: AdministrationId,
    administration_time: At,
    recorded_at: At,
    patient_id: PatientId,
    drug_id: DrugId,
    quantity: Quantity,
    outcome: GivingOutcome,
    nurse: String,
    witness: Option<String>,
    reason: String,
    is_reversal: bool,
    reversed: bool,
}

/// Reads what the ward desk shows, in one read transaction; `None`: there is no such ward.
///
/// # Errors
/// [`StoreError`].
pub async fn snapshot(
    conn: &mut Conn,
    formulary: &Formulary,
    ward: WardId,
    bounds: Bounds,
    now: Timestamp,
) -> Result<Option<WardSnapshot>, StoreError> {
    let mut tx = conn.begin_screen().await?;
    let Some(here) = fetch!(optional, tx.link(), HereRow, WARD, ward)? else {
        return Ok(None);
    };
    // One row more than is shown tells that there are more.
    let limit = |bound: usize| i64::try_from(bound).unwrap_or(i64::MAX).saturating_add(1);
    let mut queue: Vec<QueueRow> = Vec::new();
    let mut orders_cut = false;
    for sql in [QUEUE_TIMED, QUEUE_OPEN] {
        let rows = gather!(tx.link(), QueueRow, sql, ward, limit(bounds.orders))?;
        orders_cut |= rows.len() > bounds.orders;
        queue.extend(rows.into_iter().take(bounds.orders));
    }
    let most = limit(bounds.stock);
    let stock = fetch!(one, tx.link(), StockColumns, STOCK, ward, most)?;
    let until = Day(year_ahead(now));
    let expiring = fetch!(one, tx.link(), ExpiringColumns, EXPIRING, ward, most, until)?;
    let mut log = gather!(tx.link(), LogRow, LOG, ward, limit(bounds.log))?;
    log.truncate(bounds.log);
    let drugs = queue.iter().map(|row| row.drug_id);
    let drugs = drugs.chain(stock.0.0.iter().map(|drug| DrugId(*drug)));
    let drugs = drugs.chain(log.iter().map(|row| row.drug_id));
    let edition = formulary.edition(tx.link(), here.revision, drugs).await?;
    let shared = Shared::of(tx.link(), &queue, &log).await?;
    tx.rollback().await?;
    let orders = queue
        .into_iter()
        .map(|row| {
            let drug = edition.drug(row.drug_id)?;
            shared.queued(row, drug)
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let log = log
        .into_iter()
        .map(|row| log_entry(row, &edition, &shared))
        .collect::<Result<_, _>>()?;
    Ok(Some(WardSnapshot {
        ward: here.ward.into(),
        taken_at: now,
        stock: levels(stock, expiring, &orders, &edition)?,
        orders,
        orders_cut,
        log,
    }))
}

const DAY_ONE: Date = jiff::civil::date(1970, 1, 1);

/// No hospital wants to hear of what expires later than in a year.
fn year_ahead(now: Timestamp) -> Date {
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    today.checked_add(366.days()).unwrap_or(Date::MAX)
}

fn levels(
    (List(drugs), List(stocks), List(thresholds)): StockColumns,
    (List(expiring), List(days)): ExpiringColumns,
    orders: &[QueuedOrder],
    edition: &Edition,
) -> Result<Vec<StockLevel>, StoreError> {
    let mut needed: HashMap<DrugId, Quantity> = HashMap::new();
    for order in orders.iter().filter(|order| order.kind == OrderKind::Timed) {
        let need = needed.entry(order.drug.id).or_default();
        *need = *need + order.dose.most.unwrap_or(order.dose.least);
    }
    let on = |days: i64| DAY_ONE.checked_add(days.days()).ok();
    let expires: HashMap<i64, Option<Date>> =
        expiring.into_iter().zip(days.into_iter().map(on)).collect();
    let rows = drugs.into_iter().zip(stocks).zip(thresholds);
    let mut levels = rows
        .map(|((drug, current), threshold)| {
            let (place, held) = edition.placed(DrugId(drug))?;
            let level = StockLevel {
                drug: held,
                current: Quantity(current),
                threshold: Quantity(threshold),
                needed: needed.get(&DrugId(drug)).copied().unwrap_or_default(),
                expires_on: expires.get(&drug).copied().flatten(),
            };
            Ok((place, level))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    levels.sort_unstable_by_key(|(place, _)| *place);
    Ok(levels.into_iter().map(|(_, level)| level).collect())
}

fn log_entry(row: LogRow, edition: &Edition, shared: &Shared) -> Result<LogEntry, StoreError> {
    let patient = shared.patient(row.patient_id)?;
    Ok(LogEntry {
        id: row.id,
        at: row.administration_time.0,
        recorded_at: row.recorded_at.0,
        patient: patient.name.clone(),
        mrn: patient.mrn.clone(),
        drug: edition.drug(row.drug_id)?,
        quantity: row.quantity,
        outcome: row.outcome,
        by: row.nurse,
        witness: row.witness,
        reason: row.reason,
        is_reversal: row.is_reversal,
        reversed: row.reversed,
    })
}

/// Where an order stands, for a sheet that is open on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is active: all that the sheet shows.
    Open(Box<OrderDetail>),
    /// It is not: where it went, by whom and when.
    Closed {
        /// Completed or discontinued.
        status: OrderStatus,
        /// The name of who did it; `None`: the schedule or the import.
        by: Option<String>,
        /// When (UTC).
        at: Timestamp,
        /// What happened, in words.
        change: String,
    },
    /// There is no such order.
    Missing,
}

#[derive(Debug, FromRow)]
struct StandingRow {
    status: OrderStatus,
    prescription_id: PrescriptionId,
    schedule: String,
    start_at: At,
    stop_at: Option<At>,
    changed_by: Option<String>,
    changed_at: At,
    change: String,
}

/// Reads all that the sheet of an order shows.
///
/// # Errors
/// [`StoreError`].
pub async fn order_detail(
    conn: &mut Conn,
    id: OrderId,
    now: Timestamp,
) -> Result<Found, StoreError> {
    let mut tx = conn.begin_screen().await?;
    let Some(standing) = fetch!(optional, tx.link(), StandingRow, STANDING, id)? else {
        return Ok(Found::Missing);
    };
    if standing.status != OrderStatus::Active {
        return Ok(Found::Closed {
            status: standing.status,
            by: standing.changed_by,
            at: standing.changed_at.0,
            change: standing.change,
        });
    }
    let row = fetch!(one, tx.link(), QueueRow, ORDER, id)?;
    let ward = row.ward_id;
    let drug = formulary::drug(tx.link(), row.drug_id).await?;
    let shared = Shared::of(tx.link(), std::slice::from_ref(&row), &[]).await?;
    let order = shared.queued(row, drug)?;
    let stock = fetch!(
        optional,
        tx.link(),
        (Quantity,),
        STOCK_OF,
        ward,
        order.drug.id
    )?
    .map(|(stock,)| stock);
    let last = fetch!(
        all,
        tx.link(),
        (At, Quantity, String),
        LAST_GIVEN,
        order.patient.id,
        order.drug.id
    )?;
    let (recent, later_given) = super::desk::near_order(tx.link(), &order, now).await?;
    let schedule = schedule(&standing.schedule)?;
    let limits = Limits::from(&schedule);
    let given: Vec<Timestamp> = if limits != Limits::default() {
        let rows = super::desk::given(tx.link(), vec![standing.prescription_id.0]).await?;
        rows.into_iter()
            .map(|row| row.administration_time.0)
            .collect()
    } else {
        Vec::new()
    };
    tx.rollback().await?;
    Ok(Found::Open(Box::new(OrderDetail {
        order,
        ward,
        stock,
        givings: last
            .into_iter()
            .map(|(at, quantity, by)| LastGiven {
                at: at.0,
                quantity,
                by,
            })
            .collect(),
        recent,
        later_given,
        prescription: standing.prescription_id,
        has_interval: limits.min_interval.is_some(),
        start_at: standing.start_at.0,
        not_before: not_before(&limits, &given, now).map(|(at, _)| at),
        limits: schedule.limits(),
        stop_at: standing.stop_at.map(|at| at.0),
    })))
}

#[derive(Debug, FromRow, Deserialize)]
struct PatientRow {
    id: PatientId,
    mrn: String,
    name: String,
    birth_date: Day,
    bed: String,
    allergies: String,
}

impl From<PatientRow> for Patient {
    fn from(row: PatientRow) -> Patient {
        Patient {
            id: row.id,
            mrn: row.mrn,
            name: row.name,
            birth_date: row.birth_date.0,
            bed: row.bed,
            allergies: row.allergies,
        }
    }
}

/// The patient with that number, if there is one.
///
/// # Errors
/// [`StoreError`].
pub async fn patient_by_mrn(link: Link<'_>, mrn: &str) -> Result<Option<Patient>, StoreError> {
    Ok(fetch!(optional, link, PatientRow, PATIENT, mrn)?.map(Patient::from))
}

/// A schedule as stored.
pub(super) fn schedule(text: &str) -> Result<Schedule, StoreError> {
    text.parse()
        .map_err(|error| StoreError::Guarantee(format!("a prescription cannot be read: {error}")))
}

/// What tells whether doses were given or orders changed in a ward, without reading it: every entry in the register
/// raises the sum, every record that a dose was not given is the newest of the log, every order that ends or begins changes the queue's count or its newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Mark {
    register: Option<i64>,
    entry: Option<AdministrationId>,
    orders: i64,
    newest: Option<OrderId>,
}

/// The mark of a ward.
///
/// # Errors
/// [`StoreError`].
pub async fn mark(link: Link<'_>, ward: WardId) -> Result<Mark, StoreError> {
    macro_rules! sql {
        ($newest:literal) => {
            concat!(
                "SELECT (SELECT CAST(sum(ledger_seq) AS BIGINT) FROM drug_stock WHERE ward_id = $1) AS register, ",
                "(SELECT id FROM medication_administrations WHERE ward_id = $1 ",
                "ORDER BY administration_time DESC, id DESC LIMIT 1) AS entry, ",
                "count(*) AS orders, ",
                $newest,
                " AS newest FROM medication_orders WHERE ward_id = $1 AND status = 'active'"
            )
        };
    }
    // PostgreSQL finds no greatest UUID before its version 18.
    let sql = Sql::each(sql!("max(id)"), sql!("CAST(max(CAST(id AS TEXT)) AS UUID)"));
    fetch!(one, link, Mark, sql, ward)
}

/// SQLite's poll for the commits of others.
pub(super) const DATA_VERSION: Sql = Sql::each("PRAGMA data_version", "SELECT 0::bigint");

/// A statement that tells whether anything may have changed since the last time: SQLite only.
///
/// # Errors
/// [`StoreError`].
pub async fn data_version(link: Link<'_>) -> Result<i64, StoreError> {
    let (version,) = fetch!(one, link, (i64,), DATA_VERSION)?;
    Ok(version)
}
