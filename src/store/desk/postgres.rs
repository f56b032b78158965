//! Writing a batch on PostgreSQL: one statement for all of it, every column an array. Five statements would be five
//! round trips, and JSON would have to be taken apart by the server.

use sqlx::postgres::{PgArguments, PgHasArrayType};
use sqlx::{Arguments, Encode, PgConnection, Postgres, Type};

use super::apply::{Rows, Written};
use crate::store::{At, StoreError};

/// Stock and the heads of its register pages. The parameters are arrays: ward, drug, stock, number and hash of the last
/// row, and the number that it had.
macro_rules! write_stock {
    ($ward:literal, $drug:literal, $current:literal, $seq:literal, $hash:literal, $before:literal) => {
        concat!(
            "UPDATE drug_stock SET current_stock = r.current, ledger_seq = r.seq, ledger_hash = r.hash FROM unnest(",
            $ward, "::bigint[], ", $drug, "::bigint[], ", $current, "::bigint[], ", $seq, "::bigint[], ",
            $hash, "::bytea[], ", $before, "::bigint[]) AS r (ward, drug, current, seq, hash, before) ",
            "WHERE ward_id = r.ward AND drug_id = r.drug AND ledger_seq = r.before"
        )
    };
}

/// Orders that leave `active`: key, version, where they go, by whom, when, and what happened.
macro_rules! close_orders {
    ($id:literal, $version:literal, $status:literal, $by:literal, $at:literal, $change:literal) => {
        concat!(
            "UPDATE medication_orders o SET status = r.status, version = o.version + 1, changed_at = r.at, ",
            "changed_by = r.by, change = r.change FROM unnest(",
            $id, "::uuid[], ", $version, "::bigint[], ", $status, "::text[], ", $by, "::bigint[], ",
            $at, "::timestamptz[], ", $change, "::text[]) AS r (id, version, status, by, at, change) ",
            "WHERE o.id = r.id AND o.status = 'active' AND o.version = r.version"
        )
    };
}

pub(in crate::store) const WRITE_STOCK: &str = write_stock!("$1", "$2", "$3", "$4", "$5", "$6");
pub(in crate::store) const CLOSE_ORDERS: &str = close_orders!("$1", "$2", "$3", "$4", "$5", "$6");

const WRITE: &str = concat!(
    "WITH heads AS (",
    write_stock!("$1", "$2", "$3", "$4", "$5", "$6"),
    " RETURNING 1), ",
    "closed AS (",
    close_orders!("$7", "$8", "$9", "$10", "$11", "$12"),
    " RETURNING 1), ",
    "given AS (INSERT INTO medication_administrations (id, order_id, order_version, ward_id, patient_id, drug_id, ",
    "nurse_id, witness_id, administration_time, recorded_at, outcome, quantity, reason, reverses, op_id) ",
    "SELECT id, ord, version, ward, patient, drug, nurse, witness, given, at, outcome, quantity, reason, reverses, op ",
    "FROM unnest($13::uuid[], $14::uuid[], $15::bigint[], $16::bigint[], $17::uuid[], $18::bigint[], $19::bigint[], ",
    "$20::bigint[], $21::timestamptz[], $22::timestamptz[], $23::text[], $24::bigint[], $25::text[], $26::uuid[], ",
    "$27::uuid[]) ",
    "AS r (id, ord, version, ward, patient, drug, nurse, witness, given, at, outcome, quantity, reason, reverses, op) RETURNING 1), ",
    "booked AS (INSERT INTO stock_ledger (ward_id, drug_id, seq, delta, balance, reason, reference, actor_id, ",
    "witness_id, at, op_id, prev_hash, hash) ",
    "SELECT * FROM unnest($28::bigint[], $29::bigint[], $30::bigint[], $31::bigint[], $32::bigint[], $33::text[], ",
    "$34::text[], $35::bigint[], $36::bigint[], $37::timestamptz[], $38::uuid[], $39::bytea[], $40::bytea[]) ",
    "RETURNING 1), ",
    "remembered AS (INSERT INTO operations (op_id, actor_id, kind, digest, outcome, at) ",
    "SELECT * FROM unnest($41::uuid[], $42::bigint[], $43::text[], $44::bytea[], $45::text[], $46::timestamptz[]) ",
    "RETURNING 1) ",
    "SELECT (SELECT count(*) FROM heads), (SELECT count(*) FROM closed), (SELECT count(*) FROM given), ",
    "(SELECT count(*) FROM booked), (SELECT count(*) FROM remembered)",
);

pub(super) async fn write(conn: &mut PgConnection, rows: &Rows<'_>) -> Result<Written, StoreError> {
    let mut columns = Columns::default();
    heads(&mut columns, rows)?;
    closed(&mut columns, rows)?;
    administrations(&mut columns, rows)?;
    ledger(&mut columns, rows)?;
    memory(&mut columns, rows)?;
    let (heads, closed, administrations, ledger, memory): (i64, i64, i64, i64, i64) =
        sqlx::query_as_with(WRITE, columns.0)
            .fetch_one(conn)
            .await?;
    Ok(Written {
        heads: heads.unsigned_abs(),
        closed: closed.unsigned_abs(),
        administrations: administrations.unsigned_abs(),
        ledger: ledger.unsigned_abs(),
        memory: memory.unsigned_abs(),
    })
}

/// The parameters, an array for each column.
#[derive(Default)]
struct Columns(PgArguments);

impl Columns {
    /// Adds the column that `value` gives of each row.
    fn add<'q, R, T>(&mut self, rows: &'q [R], value: impl Fn(&'q R) -> T) -> Result<(), StoreError>
    where
        Vec<T>: Encode<'q, Postgres> + Type<Postgres>,
        T: PgHasArrayType,
    {
        let column: Vec<T> = rows.iter().map(value).collect();
        self.0
            .add(column)
            .map_err(|error| StoreError::Guarantee(format!("a batch cannot be written: {error}")))
    }
}

fn heads(columns: &mut Columns, rows: &Rows<'_>) -> Result<(), StoreError> {
    let rows = &rows.heads;
    columns.add(rows, |head| head.ward.0)?;
    columns.add(rows, |head| head.drug.0)?;
    columns.add(rows, |head| head.current.0)?;
    columns.add(rows, |head| head.seq)?;
    columns.add(rows, |head| head.hash.as_slice())?;
    columns.add(rows, |head| head.before)
}

fn closed(columns: &mut Columns, rows: &Rows<'_>) -> Result<(), StoreError> {
    let rows = rows.closed;
    columns.add(rows, |order| order.id.0)?;
    columns.add(rows, |order| order.version)?;
    columns.add(rows, |order| order.status.as_str())?;
    columns.add(rows, |order| order.by.0)?;
    columns.add(rows, |order| At::from(order.at))?;
    columns.add(rows, |order| order.change.as_str())
}

fn administrations(columns: &mut Columns, rows: &Rows<'_>) -> Result<(), StoreError> {
    let rows = rows.administrations;
    columns.add(rows, |dose| dose.id.0)?;
    columns.add(rows, |dose| dose.order.0)?;
    columns.add(rows, |dose| dose.order_version)?;
    columns.add(rows, |dose| dose.ward.0)?;
    columns.add(rows, |dose| dose.patient.0)?;
    columns.add(rows, |dose| dose.drug.0)?;
    columns.add(rows, |dose| dose.nurse.0)?;
    columns.add(rows, |dose| dose.witness.map(|witness| witness.0))?;
    columns.add(rows, |dose| At::from(dose.given_at))?;
    columns.add(rows, |dose| At::from(dose.at))?;
    columns.add(rows, |dose| dose.outcome.as_str())?;
    columns.add(rows, |dose| dose.quantity.0)?;
    columns.add(rows, |dose| dose.reason.as_str())?;
    columns.add(rows, |dose| dose.reverses.map(|id| id.0))?;
    columns.add(rows, |dose| dose.op.0)
}

fn ledger(columns: &mut Columns, rows: &Rows<'_>) -> Result<(), StoreError> {
    let rows = rows.ledger;
    columns.add(rows, |entry| entry.row.ward.0)?;
    columns.add(rows, |entry| entry.row.drug.0)?;
    columns.add(rows, |entry| entry.row.seq)?;
    columns.add(rows, |entry| entry.row.delta.0)?;
    columns.add(rows, |entry| entry.row.balance.0)?;
    columns.add(rows, |entry| entry.row.reason.as_str())?;
    columns.add(rows, |entry| entry.row.reference.as_str())?;
    columns.add(rows, |entry| entry.row.actor.map(|actor| actor.0))?;
    columns.add(rows, |entry| entry.row.witness.map(|witness| witness.0))?;
    columns.add(rows, |entry| At::from(entry.row.at))?;
    columns.add(rows, |entry| entry.row.op.0)?;
    columns.add(rows, |entry| entry.prev_hash.as_slice())?;
    columns.add(rows, |entry| entry.hash.as_slice())
}

fn memory(columns: &mut Columns, rows: &Rows<'_>) -> Result<(), StoreError> {
    let rows = rows.memory;
    columns.add(rows, |known| known.op_id.0)?;
    columns.add(rows, |known| known.actor_id.0)?;
    columns.add(rows, |known| known.kind)?;
    columns.add(rows, |known| known.digest.as_slice())?;
    columns.add(rows, |known| known.outcome.as_str())?;
    columns.add(rows, |known| known.at)
}
