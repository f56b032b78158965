//! Prescriptions whose orders are to be made ahead, and the orders made from them.

use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::desk::json;
use super::{At, Link, List, Sql, StoreError};
use crate::domain::{OrderKind, PrescriptionId, WardId};

/// A prescription whose orders are made up to `made_until` and no further.
#[derive(Debug, Clone, FromRow)]
pub struct ToMake {
    /// Key.
    pub id: PrescriptionId,
    /// As stored: [`crate::domain::Schedule`] reads it.
    pub schedule: String,
    /// When it begins.
    pub start_at: At,
    /// When it ends, if that is known.
    pub stop_at: Option<At>,
    /// Doses due before this have their orders.
    pub made_until: At,
    /// The ward where the patient lies now: its queue gets the orders.
    pub ward_id: WardId,
    /// The zone of that ward's clocks.
    pub time_zone: String,
}

macro_rules! to_make_sql {
    ($lock:literal) => {
        concat!(
            "SELECT r.id, r.schedule, r.start_at, r.stop_at, r.made_until, p.ward_id, w.time_zone ",
            "FROM prescriptions r JOIN patients p ON p.id = r.patient_id JOIN wards w ON w.id = p.ward_id ",
            "WHERE r.status = 'active' AND r.made_until < $1 AND (r.made_until, r.id) > ($2, $3) ",
            "ORDER BY r.made_until, r.id LIMIT $4",
            $lock
        )
    };
}

/// The patient is locked too: one who is moved at this moment must not get orders in the ward they have left.
pub(super) const TO_MAKE: Sql = Sql::each(to_make_sql!(""), to_make_sql!(" FOR SHARE OF p"));

/// A page of active prescriptions whose orders are made no further than `before`, after the one that the last page
/// ended with.
///
/// # Errors
/// [`StoreError`].
pub async fn to_make(
    link: Link<'_>,
    before: At,
    after: (At, Uuid),
    limit: i64,
) -> Result<Vec<ToMake>, StoreError> {
    fetch!(all, link, ToMake, TO_MAKE, before, after.0, after.1, limit)
}

/// Prescriptions that are behind.
pub(super) const BEHIND: &str = "SELECT count(*) FROM prescriptions WHERE status = 'active' AND made_until < $1 \
    AND schedule <> 'unscheduled' AND schedule NOT LIKE 'prn%'";

/// How many active prescriptions with due times have their orders made no further than `before`.
///
/// # Errors
/// [`StoreError`].
pub async fn behind(link: Link<'_>, before: At) -> Result<i64, StoreError> {
    let (count,) = fetch!(one, link, (i64,), BEHIND, before)?;
    Ok(count)
}

/// An order to be made from a prescription.
#[derive(Debug, Clone, Serialize)]
pub struct NewOrder {
    /// Key (UUIDv7).
    pub id: Uuid,
    /// From which.
    pub rx: PrescriptionId,
    /// When; `None` for the one open order of an as-needed or unscheduled prescription.
    pub due: Option<At>,
    /// Timed, as needed, unscheduled.
    pub kind: OrderKind,
    /// The prescription is for one dose: one that is open or was given is that dose, whenever it was due.
    pub once: bool,
    /// Now.
    pub at: At,
}

/// Makes orders in the ward where each patient lies now. One that exists already (same prescription, same due time)
/// is left alone, and so is a prescription without due times that ever had an order. Gives how many were made.
///
/// # Errors
/// [`StoreError`].
pub async fn make(link: Link<'_>, orders: &[NewOrder]) -> Result<u64, StoreError> {
    if orders.is_empty() {
        return Ok(0);
    }
    let sql = Sql::each(
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
         kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT unhex(n.value ->> 'id', '-'), r.patient_id, p.ward_id, r.drug_id, r.id, r.dose, r.dose_max, \
         n.value ->> 'due', n.value ->> 'kind', r.priority, 'active', r.prescriber_id, n.value ->> 'at', 1, \
         n.value ->> 'at', NULL, 'made from the prescription' \
         FROM json_each($1) n JOIN prescriptions r ON r.id = unhex(n.value ->> 'rx', '-') \
         JOIN patients p ON p.id = r.patient_id \
         WHERE (n.value ->> 'due' IS NOT NULL AND NOT n.value ->> 'once') \
         OR NOT EXISTS (SELECT 1 FROM medication_orders o WHERE o.prescription_id = r.id \
         AND (n.value ->> 'due' IS NULL OR o.status <> 'discontinued')) \
         ON CONFLICT DO NOTHING",
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
         kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT n.id, r.patient_id, p.ward_id, r.drug_id, r.id, r.dose, r.dose_max, \
         'epoch'::timestamptz + n.due * interval '1 microsecond', n.kind, r.priority, 'active', r.prescriber_id, \
         'epoch'::timestamptz + n.at * interval '1 microsecond', 1, \
         'epoch'::timestamptz + n.at * interval '1 microsecond', NULL, 'made from the prescription' \
         FROM json_to_recordset($1::json) AS n (id uuid, rx uuid, due bigint, kind text, once boolean, at bigint) \
         JOIN prescriptions r ON r.id = n.rx JOIN patients p ON p.id = r.patient_id \
         WHERE (n.due IS NOT NULL AND NOT n.once) \
         OR NOT EXISTS (SELECT 1 FROM medication_orders o WHERE o.prescription_id = r.id \
         AND (n.due IS NULL OR o.status <> 'discontinued')) \
         ON CONFLICT DO NOTHING",
    );
    execute!(link, sql, json(orders)?)
}

/// Notes how far the orders of these prescriptions are made.
///
/// # Errors
/// [`StoreError`].
pub async fn made_until(
    link: Link<'_>,
    prescriptions: Vec<Uuid>,
    until: At,
) -> Result<u64, StoreError> {
    let sql = Sql::each(
        "UPDATE prescriptions SET made_until = $2 WHERE id IN (SELECT unhex(value) FROM json_each($1))",
        "UPDATE prescriptions SET made_until = $2 WHERE id = ANY($1)",
    );
    execute!(link, sql, List(prescriptions), until)
}

/// Ends prescriptions whose time is over, with their open order if they have one without a due time. Timed orders
/// stay until somebody accounts for them. Gives how many orders were closed.
///
/// # Errors
/// [`StoreError`].
pub async fn end(mut link: Link<'_>, prescriptions: Vec<Uuid>, at: At) -> Result<u64, StoreError> {
    let sql = Sql::each(
        "UPDATE prescriptions SET status = 'ended' WHERE status = 'active' \
         AND id IN (SELECT unhex(value) FROM json_each($1))",
        "UPDATE prescriptions SET status = 'ended' WHERE status = 'active' AND id = ANY($1)",
    );
    execute!(link.lend(), sql, List(prescriptions.clone()))?;
    let sql = Sql::each(
        "UPDATE medication_orders INDEXED BY medication_orders_one_open SET status = 'discontinued', \
         version = version + 1, changed_at = $2, changed_by = NULL, change = 'the prescription has ended' \
         WHERE status = 'active' AND due_at IS NULL AND prescription_id IN (SELECT unhex(value) FROM json_each($1))",
        "UPDATE medication_orders SET status = 'discontinued', version = version + 1, changed_at = $2, \
         changed_by = NULL, change = 'the prescription has ended' WHERE status = 'active' AND due_at IS NULL \
         AND prescription_id = ANY($1)",
    );
    execute!(link, sql, List(prescriptions), at)
}
