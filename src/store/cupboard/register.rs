//! A page of the drug register, each row checked against the one before it.

use sqlx::FromRow;

use super::{DrugRow, WardRow, drug_columns, ward_columns};
use crate::domain::ledger::{GENESIS, Hash, LedgerRow};
use crate::domain::shelf::{RegisterLine, RegisterPage};
use crate::domain::{DrugId, LedgerReason, OpId, PatientId, Quantity, UserId, WardId};
use crate::store::desk::{as_hash, hex};
use crate::store::{At, Link, Sql, StoreError};

/// How many characters of a hash people compare.
const SHOWN: usize = 8;

/// Which rows of a page.
#[derive(Debug, Clone, Copy)]
pub struct RegisterAsk {
    /// Where.
    pub ward: WardId,
    /// Of what.
    pub drug: DrugId,
    /// Rows before this one; the largest number there is: the newest.
    pub before: i64,
    /// How many at most.
    pub limit: i64,
}

/// The patient's key stands third in what a dose's row refers to. The newest rows before `$3`, and one more, which the
/// first of them follows.
pub(in crate::store) const REGISTER: Sql = {
    macro_rules! sql {
        ($patient:literal) => {
            concat!(
                "SELECT l.seq, l.delta, l.balance, l.reason, l.reference, l.actor_id, l.witness_id, l.at, l.op_id, ",
                "l.prev_hash, l.hash, u.name AS by_name, v.name AS witness, p.id AS patient_id, p.name AS patient, p.mrn ",
                "FROM (SELECT * FROM stock_ledger WHERE ward_id = $1 AND drug_id = $2 AND seq < $3 ",
                "ORDER BY seq DESC LIMIT $4) l ",
                "LEFT JOIN users u ON u.id = l.actor_id LEFT JOIN users v ON v.id = l.witness_id ",
                "LEFT JOIN patients p ON p.id = ",
                $patient,
                " ORDER BY l.seq DESC"
            )
        };
    }
    Sql::each(
        sql!(
            "CASE WHEN l.reason IN ('given', 'corrected') THEN unhex(substr(l.reference, 75, 36), '-') END"
        ),
        sql!(
            "CASE WHEN l.reason IN ('given', 'corrected') AND substr(l.reference, 75, 36) ~ '^[0-9a-f-]{36}$' \
             THEN CAST(substr(l.reference, 75, 36) AS uuid) END"
        ),
    )
};

const HEAD: &str = concat!(
    "SELECT ",
    ward_columns!(),
    ", ",
    drug_columns!(),
    ", s.current_stock, s.ledger_seq, s.ledger_hash ",
    "FROM drug_stock s JOIN wards w ON w.id = s.ward_id JOIN drugs d ON d.id = s.drug_id ",
    "WHERE s.ward_id = $1 AND s.drug_id = $2"
);

#[derive(Debug, FromRow)]
struct HeadRow {
    #[sqlx(flatten)]
    ward: WardRow,
    #[sqlx(flatten)]
    drug: DrugRow,
    current_stock: Quantity,
    ledger_seq: i64,
    ledger_hash: Vec<u8>,
}

#[derive(Debug, FromRow)]
struct Row {
    seq: i64,
    delta: Quantity,
    balance: Quantity,
    reason: LedgerReason,
    reference: String,
    actor_id: Option<UserId>,
    witness_id: Option<UserId>,
    at: At,
    op_id: OpId,
    prev_hash: Vec<u8>,
    hash: Vec<u8>,
    by_name: Option<String>,
    witness: Option<String>,
    patient_id: Option<PatientId>,
    patient: Option<String>,
    mrn: Option<String>,
}

/// A page of the register; `None`: the ward has none of that drug. Reads inside a transaction, so that the head is that
/// of the rows.
///
/// # Errors
/// [`StoreError`].
pub async fn register(
    mut link: Link<'_>,
    ask: RegisterAsk,
) -> Result<Option<RegisterPage>, StoreError> {
    let Some(head) = fetch!(optional, link.lend(), HeadRow, HEAD, ask.ward, ask.drug)? else {
        return Ok(None);
    };
    let limit = ask.limit.saturating_add(1);
    let mut rows = fetch!(
        all, link, Row, REGISTER, ask.ward, ask.drug, ask.before, limit
    )?;
    rows.reverse();
    let last = rows
        .last()
        .map_or((0, Quantity::ZERO, GENESIS.to_vec()), |row| {
            (row.seq, row.balance, row.hash.clone())
        });
    // Of an older page the head says nothing.
    let newest = ask.before > head.ledger_seq;
    let head_holds = !newest
        || last
            == (
                head.ledger_seq,
                head.current_stock,
                head.ledger_hash.clone(),
            );
    // The row before the first: that of the page before, or the beginning.
    let cut = rows.len() as i64 == limit;
    let mut before: (i64, Quantity, Hash) = (0, Quantity::ZERO, GENESIS);
    let mut lines = Vec::with_capacity(rows.len());
    for (n, row) in rows.into_iter().enumerate() {
        let hash = as_hash(&row.hash)?;
        let this = (row.seq, row.balance, hash);
        if !(cut && n == 0) {
            lines.push(line(row, &ask, before)?);
        }
        before = this;
    }
    Ok(Some(RegisterPage {
        ward: head.ward.into(),
        drug: head.drug.into(),
        current: head.current_stock,
        last: head.ledger_seq,
        head_holds,
        lines,
    }))
}

/// A row as people read it, and whether it is what was written, after the one before it.
fn line(
    row: Row,
    ask: &RegisterAsk,
    (seq, balance, previous): (i64, Quantity, Hash),
) -> Result<RegisterLine, StoreError> {
    let written = LedgerRow {
        ward: ask.ward,
        drug: ask.drug,
        seq: row.seq,
        delta: row.delta,
        balance: row.balance,
        reason: row.reason,
        reference: row.reference.clone(),
        actor: row.actor_id,
        witness: row.witness_id,
        at: row.at.0,
        op: row.op_id,
    };
    let hash = as_hash(&row.hash)?;
    let holds = row.seq == seq + 1
        && row.balance == balance + row.delta
        && as_hash(&row.prev_hash)? == previous
        && hash == written.hash(&previous);
    let patient = row.patient_id.zip(row.patient.zip(row.mrn));
    let mut shown = hex(&hash);
    shown.truncate(SHOWN);
    Ok(RegisterLine {
        seq: row.seq,
        at: row.at.0,
        reason: row.reason,
        reference: row.reference,
        patient: patient.map(|(id, (name, mrn))| (id, name, mrn)),
        delta: row.delta,
        balance: row.balance,
        by: row.by_name,
        witness: row.witness,
        hash: shown,
        holds,
    })
}
