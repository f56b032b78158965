//! Writing what a hospital would have gathered in months: for benches and drills, into a database of their own.
//!
//! The rows are those that the desk would have left behind, written many at a time, with every index in place.

mod shelves;

use std::collections::HashMap;

use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::desk::{Rows, hex, json};
use super::error::changed;
use super::{At, Conn, Db, Link, Sql, StoreError, inspect};
use crate::domain::decide::{Effects, Stock};
use crate::domain::{
    DrugId, OpId, OrderId, OrderKind, OrderStatus, PatientId, PrescriptionId, Priority, Quantity,
    UserId, WardId,
};

pub use shelves::add_shelves;

/// An order, wherever it stands.
#[derive(Debug, Clone, Serialize)]
pub struct OrderRecord {
    /// Key.
    pub id: OrderId,
    /// For whom.
    pub patient: PatientId,
    /// In whose queue.
    pub ward: WardId,
    /// What.
    pub drug: DrugId,
    /// From which prescription.
    pub rx: PrescriptionId,
    /// How much.
    pub dose: Quantity,
    /// When, for a timed one.
    pub due: Option<At>,
    /// Timed, as needed, unscheduled.
    pub kind: OrderKind,
    /// Stat or routine.
    pub priority: Priority,
    /// Where it stands.
    pub status: OrderStatus,
    /// Who prescribed it.
    pub doctor: UserId,
    /// When it was made.
    pub created: At,
    /// 1 until something happens to it.
    pub version: i64,
    /// When it changed last.
    pub changed: At,
    /// By whom; nobody, for one that was only made.
    pub by: Option<UserId>,
    /// What happened last.
    pub change: &'static str,
}

/// Adds orders in any state.
///
/// # Errors
/// [`StoreError`].
pub async fn add_orders(link: Link<'_>, rows: &[OrderRecord]) -> Result<(), StoreError> {
    let sql = Sql::each(
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, due_at, kind, \
         priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT unhex(r.value ->> 'id', '-'), unhex(r.value ->> 'patient', '-'), r.value ->> 'ward', \
         r.value ->> 'drug', unhex(r.value ->> 'rx', '-'), r.value ->> 'dose', r.value ->> 'due', r.value ->> 'kind', \
         r.value ->> 'priority', r.value ->> 'status', r.value ->> 'doctor', r.value ->> 'created', \
         r.value ->> 'version', r.value ->> 'changed', r.value ->> 'by', r.value ->> 'change' FROM json_each($1) r",
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, due_at, kind, \
         priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT id, patient, ward, drug, rx, dose, 'epoch'::timestamptz + due * interval '1 microsecond', kind, \
         priority, status, doctor, 'epoch'::timestamptz + created * interval '1 microsecond', version, \
         'epoch'::timestamptz + changed * interval '1 microsecond', \"by\", change FROM json_to_recordset($1::json) \
         AS r (id uuid, patient uuid, ward bigint, drug bigint, rx uuid, dose bigint, due bigint, kind text, \
         priority text, status text, doctor bigint, created bigint, version bigint, changed bigint, \"by\" bigint, \
         change text)",
    );
    changed("orders", execute!(link, sql, json(rows)?)?, rows.len())
}

/// Adds what the desk would have left behind of doses: administrations, rows of the register, and its memory. Orders
/// and stock are not touched.
///
/// # Errors
/// [`StoreError`].
pub async fn add_doses(
    link: Link<'_>,
    effects: &Effects,
    memory: &[super::desk::Memory],
) -> Result<(), StoreError> {
    let rows = Rows {
        administrations: &effects.administrations,
        ledger: &effects.ledger,
        memory,
        ..Rows::default()
    };
    rows.write(link).await
}

#[derive(Serialize)]
struct StockJson {
    w: WardId,
    d: DrugId,
    current: Quantity,
    low: Quantity,
    seq: i64,
    hash: String,
}

/// Adds stock rows with the heads of their pages and their thresholds.
///
/// # Errors
/// [`StoreError`].
pub async fn add_stock(
    link: Link<'_>,
    rows: &[((WardId, DrugId), Stock, Quantity)],
) -> Result<(), StoreError> {
    let rows: Vec<StockJson> = rows
        .iter()
        .map(|((ward, drug), head, low)| StockJson {
            w: *ward,
            d: *drug,
            current: head.current,
            low: *low,
            seq: head.seq,
            hash: hex(&head.hash),
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
         SELECT r.value ->> 'w', r.value ->> 'd', r.value ->> 'current', r.value ->> 'low', r.value ->> 'seq', \
         unhex(r.value ->> 'hash') FROM json_each($1) r",
        "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
         SELECT w, d, current, low, seq, decode(hash, 'hex') FROM json_to_recordset($1::json) \
         AS r (w bigint, d bigint, current bigint, low bigint, seq bigint, hash text)",
    );
    changed("stock", execute!(link, sql, json(&rows)?)?, rows.len())
}

/// A transfer that has arrived, or is on its way.
#[derive(Debug, Clone, Serialize)]
pub struct TransferRecord {
    /// Key.
    pub id: uuid::Uuid,
    /// Of what.
    pub drug: DrugId,
    /// From where.
    pub source: WardId,
    /// To where.
    pub destination: WardId,
    /// How much.
    pub quantity: Quantity,
    /// How much arrived; `None`: it is on its way.
    pub received: Option<Quantity>,
    /// Who sent it.
    pub pharmacist: UserId,
    /// When.
    pub at: At,
    /// When it arrived.
    pub received_at: Option<At>,
    /// The operation.
    pub op: OpId,
}

/// Adds transfers.
///
/// # Errors
/// [`StoreError`].
pub async fn add_transfers(link: Link<'_>, rows: &[TransferRecord]) -> Result<(), StoreError> {
    let sql = Sql::each(
        "INSERT INTO drug_transfers (id, drug_id, source_ward_id, destination_ward_id, quantity, received, status, \
         pharmacist_id, transfer_date, op_id, receiver_id, received_at) SELECT unhex(r.value ->> 'id', '-'), \
         r.value ->> 'drug', \
         r.value ->> 'source', r.value ->> 'destination', r.value ->> 'quantity', r.value ->> 'received', \
         CASE WHEN r.value ->> 'received' IS NULL THEN 'sent' ELSE 'received' END, r.value ->> 'pharmacist', \
         r.value ->> 'at', unhex(r.value ->> 'op', '-'), \
         CASE WHEN r.value ->> 'received' IS NOT NULL THEN r.value ->> 'pharmacist' END, r.value ->> 'received_at' \
         FROM json_each($1) r",
        "INSERT INTO drug_transfers (id, drug_id, source_ward_id, destination_ward_id, quantity, received, status, \
         pharmacist_id, transfer_date, op_id, receiver_id, received_at) SELECT id, drug, source, destination, quantity, \
         received, \
         CASE WHEN received IS NULL THEN 'sent' ELSE 'received' END, pharmacist, \
         'epoch'::timestamptz + at * interval '1 microsecond', op, \
         CASE WHEN received IS NOT NULL THEN pharmacist END, \
         'epoch'::timestamptz + received_at * interval '1 microsecond' FROM json_to_recordset($1::json) \
         AS r (id uuid, drug bigint, source bigint, destination bigint, quantity bigint, received bigint, \
         pharmacist bigint, at bigint, received_at bigint, op uuid)",
    );
    changed("transfers", execute!(link, sql, json(rows)?)?, rows.len())
}

/// Keys of wards, drugs and people by what they are called.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Wards by code.
    pub wards: HashMap<String, WardId>,
    /// Drugs by code.
    pub drugs: HashMap<String, DrugId>,
    /// People by what they type.
    pub users: HashMap<String, UserId>,
}

/// Reads them.
///
/// # Errors
/// [`StoreError`].
pub async fn keys(mut link: Link<'_>) -> Result<Keys, StoreError> {
    let wards = fetch!(
        all,
        link.lend(),
        (String, WardId),
        "SELECT code, id FROM wards"
    )?;
    let drugs = fetch!(
        all,
        link.lend(),
        (String, DrugId),
        "SELECT code, id FROM drugs"
    )?;
    let users = fetch!(
        all,
        link,
        (String, UserId),
        "SELECT username, id FROM users"
    )?;
    Ok(Keys {
        wards: wards.into_iter().collect(),
        drugs: drugs.into_iter().collect(),
        users: users.into_iter().collect(),
    })
}

/// Pages that SQLite may hold while much is written (KiB), and what it holds otherwise.
const LARGE_CACHE: &str = "PRAGMA cache_size = -1000000";
const USUAL_CACHE: &str = "PRAGMA cache_size = -2000";

/// A connection on which much may be written: without it, SQLite would carry every page of every index back and forth.
///
/// # Errors
/// [`StoreError`].
pub async fn writer(db: &Db) -> Result<Conn, StoreError> {
    let mut conn = db.writer().await?;
    execute!(conn.link(), Sql::each(LARGE_CACHE, "SELECT 1"))?;
    Ok(conn)
}

/// Leaves the tables as a hospital's own housekeeping would: on PostgreSQL vacuumed and with fresh statistics, which is
/// what autovacuum does; on SQLite with the log written back into the file. ValMed does not let SQLite gather
/// statistics, so none are gathered here.
///
/// # Errors
/// [`StoreError`].
pub async fn settle(mut conn: Conn) -> Result<(), StoreError> {
    match &mut conn {
        Conn::Sqlite(conn) => {
            for sql in ["PRAGMA wal_checkpoint(TRUNCATE)", USUAL_CACHE] {
                sqlx::query(AssertSqlSafe(sql)).execute(&mut **conn).await?;
            }
            Ok(())
        }
        Conn::Postgres(pg) => {
            inspect::vacuum(pg).await?;
            // Whoever may make a database need not be allowed to make the server write now.
            if let Err(error) = sqlx::query("CHECKPOINT").execute(&mut **pg).await {
                tracing::info!("no checkpoint: {error}");
            }
            // The limit that was lifted goes with the connection.
            conn.discard().await;
            Ok(())
        }
    }
}
