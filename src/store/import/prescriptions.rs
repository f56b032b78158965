//! Prescriptions, and what becomes of their open orders when they change.

use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::{
    DrugId, OrderId, OrderKind, PatientId, PrescriptionId, Priority, Quantity, UserId, WardId,
};
use crate::store::desk::json;
use crate::store::error::changed;
use crate::store::{At, Link, List, Sql, StoreError};

/// A prescription on record.
#[derive(Debug, Clone, FromRow)]
pub struct KnownPrescription {
    /// Key.
    pub id: PrescriptionId,
    /// The sending system's key.
    pub external_id: String,
    /// For whom.
    pub patient_id: PatientId,
    /// Where it was written.
    pub ward_id: WardId,
    /// What.
    pub drug_id: DrugId,
    /// The dose, or the least of a range.
    pub dose: Quantity,
    /// The most of a range.
    pub dose_max: Option<Quantity>,
    /// As written, where that is finer than stock.
    pub dose_text: String,
    /// How.
    pub route: String,
    /// As written.
    pub frequency: String,
    /// [`crate::domain::Schedule`] as text.
    pub schedule: String,
    /// As needed.
    pub prn: bool,
    /// When it begins.
    pub start_at: At,
    /// When it ends.
    pub stop_at: Option<At>,
    /// Stat or routine.
    pub priority: Priority,
    /// By whom.
    pub prescriber_id: UserId,
    /// `active`, `ended` or `discontinued`.
    pub status: String,
    /// Orders are made up to here.
    pub made_until: At,
}

/// The prescriptions with these keys of the sending system.
///
/// # Errors
/// [`StoreError`].
pub async fn known_prescriptions(
    link: Link<'_>,
    external: Vec<String>,
) -> Result<Vec<KnownPrescription>, StoreError> {
    let sql = Sql::each(
        "SELECT id, external_id, patient_id, ward_id, drug_id, dose, dose_max, dose_text, route, frequency, schedule, \
         prn, start_at, stop_at, priority, prescriber_id, status, made_until FROM prescriptions \
         WHERE external_id IN (SELECT value FROM json_each($1))",
        "SELECT id, external_id, patient_id, ward_id, drug_id, dose, dose_max, dose_text, route, frequency, schedule, \
         prn, start_at, stop_at, priority, prescriber_id, status, made_until FROM prescriptions \
         WHERE external_id = ANY($1)",
    );
    fetch!(all, link, KnownPrescription, sql, List(external))
}

/// A prescription as it is to be on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrescriptionRecord {
    /// Key (UUIDv7).
    pub id: PrescriptionId,
    /// The sending system's key.
    pub ext: String,
    /// For whom; never changed.
    pub patient: PatientId,
    /// Where it was written.
    pub ward: WardId,
    /// What; never changed.
    pub drug: DrugId,
    /// The dose, or the least of a range.
    pub dose: Quantity,
    /// The most of a range.
    pub most: Option<Quantity>,
    /// As written, where that is finer than stock.
    pub written: String,
    /// How.
    pub route: String,
    /// As written.
    pub freq: String,
    /// [`crate::domain::Schedule`] as text.
    pub schedule: String,
    /// As needed.
    pub prn: bool,
    /// When it begins.
    pub start: At,
    /// When it ends.
    pub stop: Option<At>,
    /// Stat or routine.
    pub priority: Priority,
    /// By whom.
    pub doctor: UserId,
    /// `active`, `ended` or `discontinued`.
    pub status: String,
    /// Orders are made from here on.
    pub made: At,
    /// What its open orders say about the change; empty for a new one.
    pub change: String,
}

/// Adds prescriptions.
///
/// # Errors
/// [`StoreError`].
pub async fn add_prescriptions(
    link: Link<'_>,
    rows: &[PrescriptionRecord],
    now: At,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "INSERT INTO prescriptions (id, external_id, patient_id, ward_id, drug_id, dose, dose_max, dose_text, route, \
         frequency, schedule, prn, start_at, stop_at, priority, prescriber_id, status, made_until, created_at) \
         SELECT unhex(r.value ->> 'id', '-'), r.value ->> 'ext', unhex(r.value ->> 'patient', '-'), \
         r.value ->> 'ward', r.value ->> 'drug', r.value ->> 'dose', r.value ->> 'most', r.value ->> 'written', \
         r.value ->> 'route', r.value ->> 'freq', r.value ->> 'schedule', r.value ->> 'prn', r.value ->> 'start', \
         r.value ->> 'stop', r.value ->> 'priority', r.value ->> 'doctor', r.value ->> 'status', r.value ->> 'made', \
         $2 FROM json_each($1) r",
        "INSERT INTO prescriptions (id, external_id, patient_id, ward_id, drug_id, dose, dose_max, dose_text, route, \
         frequency, schedule, prn, start_at, stop_at, priority, prescriber_id, status, made_until, created_at) \
         SELECT id, ext, patient, ward, drug, dose, most, written, route, freq, schedule, prn, \
         'epoch'::timestamptz + start * interval '1 microsecond', \
         'epoch'::timestamptz + stop * interval '1 microsecond', priority, doctor, status, \
         'epoch'::timestamptz + made * interval '1 microsecond', $2 FROM json_to_recordset($1::json) \
         AS r (id uuid, ext text, patient uuid, ward bigint, drug bigint, dose bigint, most bigint, written text, \
         route text, freq text, schedule text, prn boolean, start bigint, stop bigint, priority text, doctor bigint, \
         status text, made bigint)",
    );
    let found = execute!(link, sql, json(rows)?, now)?;
    changed("prescriptions", found, rows.len())
}

/// Changes known prescriptions, all but their patient and drug.
///
/// # Errors
/// [`StoreError`].
pub async fn update_prescriptions(
    link: Link<'_>,
    rows: &[PrescriptionRecord],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "UPDATE prescriptions SET ward_id = r.value ->> 'ward', dose = r.value ->> 'dose', \
         dose_max = r.value ->> 'most', dose_text = r.value ->> 'written', route = r.value ->> 'route', \
         frequency = r.value ->> 'freq', schedule = r.value ->> 'schedule', prn = r.value ->> 'prn', \
         start_at = r.value ->> 'start', stop_at = r.value ->> 'stop', priority = r.value ->> 'priority', \
         prescriber_id = r.value ->> 'doctor', status = r.value ->> 'status', made_until = r.value ->> 'made', \
         version = version + 1 FROM json_each($1) r WHERE prescriptions.id = unhex(r.value ->> 'id', '-')",
        "UPDATE prescriptions p SET ward_id = r.ward, dose = r.dose, dose_max = r.most, dose_text = r.written, \
         route = r.route, frequency = r.freq, schedule = r.schedule, prn = r.prn, \
         start_at = 'epoch'::timestamptz + r.start * interval '1 microsecond', \
         stop_at = 'epoch'::timestamptz + r.stop * interval '1 microsecond', priority = r.priority, \
         prescriber_id = r.doctor, status = r.status, \
         made_until = 'epoch'::timestamptz + r.made * interval '1 microsecond', version = p.version + 1 \
         FROM json_to_recordset($1::json) \
         AS r (id uuid, ward bigint, dose bigint, most bigint, written text, route text, freq text, schedule text, \
         prn boolean, start bigint, stop bigint, priority text, doctor bigint, status text, made bigint) \
         WHERE p.id = r.id",
    );
    let found = execute!(link, sql, json(rows)?)?;
    changed("prescriptions", found, rows.len())
}

/// Open orders take over dose, priority and prescriber of their changed prescriptions, with a new version.
///
/// # Errors
/// [`StoreError`].
pub async fn change_orders(
    link: Link<'_>,
    rows: &[PrescriptionRecord],
    now: At,
) -> Result<u64, StoreError> {
    if rows.is_empty() {
        return Ok(0);
    }
    let sql = Sql::each(
        "UPDATE medication_orders SET dosage = r.value ->> 'dose', dosage_max = r.value ->> 'most', \
         priority = r.value ->> 'priority', doctor_id = r.value ->> 'doctor', version = version + 1, \
         changed_at = $2, changed_by = NULL, change = r.value ->> 'change' FROM json_each($1) r \
         WHERE prescription_id = unhex(r.value ->> 'id', '-') AND +medication_orders.status = 'active'",
        "UPDATE medication_orders o SET dosage = r.dose, dosage_max = r.most, priority = r.priority, \
         doctor_id = r.doctor, version = o.version + 1, changed_at = $2, changed_by = NULL, change = r.change \
         FROM json_to_recordset($1::json) \
         AS r (id uuid, dose bigint, most bigint, priority text, doctor bigint, change text) \
         WHERE o.prescription_id = r.id AND o.status = 'active'",
    );
    execute!(link, sql, json(rows)?, now)
}

/// An open order of a prescription.
#[derive(Debug, Clone, FromRow)]
pub struct OpenOrder {
    /// Key.
    pub id: OrderId,
    /// Its prescription.
    pub prescription_id: PrescriptionId,
    /// When, for timed ones.
    pub due_at: Option<At>,
    /// Timed, as needed, or not understood.
    pub kind: OrderKind,
}

/// The open orders of these prescriptions.
///
/// # Errors
/// [`StoreError`].
pub async fn open_orders(
    link: Link<'_>,
    prescriptions: Vec<Uuid>,
) -> Result<Vec<OpenOrder>, StoreError> {
    if prescriptions.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::each(
        "SELECT id, prescription_id, due_at, kind FROM medication_orders \
         WHERE +status = 'active' AND prescription_id IN (SELECT unhex(value) FROM json_each($1))",
        "SELECT id, prescription_id, due_at, kind FROM medication_orders \
         WHERE status = 'active' AND prescription_id = ANY($1)",
    );
    fetch!(all, link, OpenOrder, sql, List(prescriptions))
}

/// An open order that its changed prescription no longer asks for.
#[derive(Debug, Clone, Serialize)]
pub struct StaleOrder {
    /// Key.
    pub id: OrderId,
    /// When it was due, with a fraction of a second added: its place (prescription, due time) becomes free, or the same
    /// dose could never be ordered again after the prescription is changed back.
    pub due: Option<At>,
}

/// Discontinues such orders.
///
/// # Errors
/// [`StoreError`].
pub async fn close_orders(link: Link<'_>, rows: &[StaleOrder], now: At) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "UPDATE medication_orders SET status = 'discontinued', due_at = r.value ->> 'due', version = version + 1, \
         changed_at = $2, changed_by = NULL, change = 'the prescription was changed' FROM json_each($1) r \
         WHERE medication_orders.id = unhex(r.value ->> 'id', '-') AND +status = 'active'",
        "UPDATE medication_orders o SET status = 'discontinued', \
         due_at = 'epoch'::timestamptz + r.due * interval '1 microsecond', version = o.version + 1, \
         changed_at = $2, changed_by = NULL, change = 'the prescription was changed' \
         FROM json_to_recordset($1::json) AS r (id uuid, due bigint) WHERE o.id = r.id AND o.status = 'active'",
    );
    changed("orders", execute!(link, sql, json(rows)?, now)?, rows.len())
}

/// The one open order of a prescription without due times.
#[derive(Debug, Clone, Serialize)]
pub struct Reopening {
    /// Key (UUIDv7), should it be needed.
    pub id: OrderId,
    /// Which.
    pub rx: PrescriptionId,
    /// As needed or unscheduled.
    pub kind: OrderKind,
    /// How many doses there may be in all: none is opened after the last.
    pub most: Option<u32>,
}

/// Opens the order of prescriptions that run now and have none open; gives how many were opened.
///
/// # Errors
/// [`StoreError`].
pub async fn reopen_orders(link: Link<'_>, rows: &[Reopening], now: At) -> Result<u64, StoreError> {
    if rows.is_empty() {
        return Ok(0);
    }
    let sql = Sql::each(
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
         kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT unhex(n.value ->> 'id', '-'), r.patient_id, p.ward_id, r.drug_id, r.id, r.dose, r.dose_max, NULL, \
         n.value ->> 'kind', r.priority, 'active', r.prescriber_id, $2, 1, $2, NULL, 'made from the prescription' \
         FROM json_each($1) n JOIN prescriptions r ON r.id = unhex(n.value ->> 'rx', '-') \
         JOIN patients p ON p.id = r.patient_id \
         WHERE r.status = 'active' AND r.start_at <= $2 AND (r.stop_at IS NULL OR r.stop_at > $2) \
         AND (n.value ->> 'most' IS NULL OR (SELECT count(*) FROM medication_orders o \
         WHERE o.prescription_id = r.id AND o.status = 'completed') < n.value ->> 'most') ON CONFLICT DO NOTHING",
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
         kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT n.id, r.patient_id, p.ward_id, r.drug_id, r.id, r.dose, r.dose_max, NULL, \
         n.kind, r.priority, 'active', r.prescriber_id, $2, 1, $2, NULL, 'made from the prescription' \
         FROM json_to_recordset($1::json) AS n (id uuid, rx uuid, kind text, most bigint) JOIN prescriptions r ON r.id = n.rx \
         JOIN patients p ON p.id = r.patient_id \
         WHERE r.status = 'active' AND r.start_at <= $2 AND (r.stop_at IS NULL OR r.stop_at > $2) \
         AND (n.most IS NULL OR (SELECT count(*) FROM medication_orders o \
         WHERE o.prescription_id = r.id AND o.status = 'completed') < n.most) ON CONFLICT DO NOTHING",
    );
    execute!(link, sql, json(rows)?, now)
}
