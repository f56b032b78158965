//! Patients and prescriptions: what the desk's transaction reads of them under lock, and writes. Only batches that hold
//! such an operation run any of these statements: a plain dose costs what it costs without them.
//!
//! Patients are locked before prescriptions, and those before orders and stock. The lock leaves others free to point at
//! the row (an order that is made meanwhile), and keeps them from changing it.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::json;
use crate::domain::decide::{
    Chart, ChartEffects, ChartRow, DrugName, EndedPrescription, Loaded, MadeOrder, NewPrescription,
    Prescription, WardPlace,
};
use crate::domain::reason::Reason;
use crate::domain::text::name_key;
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{
    Correction, DrugId, Operation, OrderId, PatientId, PrescriptionId, Request, WardId, WardKind,
};
use crate::store::error::changed;
use crate::store::{At, Day, Link, List, Sql, StoreError};

macro_rules! charts_sql {
    ($which:literal) => {
        concat!(
            "SELECT p.id, p.version, p.mrn, p.name, p.birth_date, p.ward_id, p.bed, p.allergies, p.discharged_at, ",
            "u.name AS changed_by, p.changed_at, p.change FROM patients p LEFT JOIN users u ON u.id = p.changed_by ",
            $which
        )
    };
}

/// Patients by key and by number.
pub(in crate::store) const CHARTS: Sql = Sql::each(
    charts_sql!(
        "WHERE p.id IN (SELECT unhex(value) FROM json_each($1) \
         UNION SELECT id FROM patients WHERE mrn IN (SELECT value FROM json_each($2)))"
    ),
    charts_sql!(
        "WHERE p.id IN (SELECT unnest($1::uuid[]) UNION SELECT id FROM patients WHERE mrn = ANY($2)) \
         ORDER BY p.id FOR NO KEY UPDATE OF p"
    ),
);

macro_rules! prescriptions_sql {
    ($which:literal) => {
        concat!(
            "SELECT r.id, r.version, r.patient_id, p.ward_id, w.name AS ward_name, r.drug_id, d.name_key, ",
            "d.name || CASE d.strength WHEN '' THEN '' ELSE ' ' || d.strength END AS title, r.status, ",
            "u.name AS ended_by, r.ended_at, r.end_code, r.end_text FROM prescriptions r ",
            "JOIN patients p ON p.id = r.patient_id JOIN wards w ON w.id = p.ward_id JOIN drugs d ON d.id = r.drug_id ",
            "LEFT JOIN users u ON u.id = r.ended_by ",
            $which
        )
    };
}

/// Prescriptions by key, and those that run of patients.
pub(in crate::store) const PRESCRIPTIONS: Sql = Sql::each(
    prescriptions_sql!(
        "WHERE r.id IN (SELECT unhex(value) FROM json_each($1) UNION SELECT id FROM prescriptions \
         WHERE patient_id IN (SELECT unhex(value) FROM json_each($2)) AND +status = 'active')"
    ),
    prescriptions_sql!(
        "WHERE r.id IN (SELECT unnest($1::uuid[]) UNION SELECT id FROM prescriptions \
         WHERE patient_id = ANY($2) AND status = 'active') ORDER BY r.id FOR NO KEY UPDATE OF r"
    ),
);

/// The open orders of prescriptions and of patients. That an order is open is looked at row by row (`+`, `IS TRUE`): by an
/// index, all that are open would be gone through.
pub(in crate::store) const OPEN_ORDERS: Sql = Sql::each(
    "SELECT id FROM medication_orders WHERE prescription_id IN (SELECT unhex(value) FROM json_each($1)) \
     AND +status = 'active' UNION SELECT id FROM medication_orders \
     WHERE patient_id IN (SELECT unhex(value) FROM json_each($2)) AND +status = 'active'",
    "SELECT id FROM medication_orders WHERE prescription_id = ANY($1) AND (status = 'active') IS TRUE \
     UNION SELECT id FROM medication_orders WHERE patient_id = ANY($2) AND (status = 'active') IS TRUE",
);

/// Wards where patients lie or are to lie.
pub(in crate::store) const PLACES: Sql = Sql::each(
    "SELECT id, name, kind, time_zone FROM wards WHERE id IN (SELECT value FROM json_each($1))",
    "SELECT id, name, kind, time_zone FROM wards WHERE id = ANY($1)",
);

/// Drugs that are prescribed.
pub(in crate::store) const DRUGS: Sql = Sql::each(
    "SELECT id, name || CASE strength WHEN '' THEN '' ELSE ' ' || strength END AS title, unit, name_key, controlled, \
     high_alert FROM drugs WHERE id IN (SELECT value FROM json_each($1))",
    "SELECT id, name || CASE strength WHEN '' THEN '' ELSE ' ' || strength END AS title, unit, name_key, controlled, \
     high_alert FROM drugs WHERE id = ANY($1)",
);

/// What the operations of a batch name of all this.
#[derive(Debug, Default)]
struct Named {
    patients: BTreeSet<Uuid>,
    mrns: BTreeSet<String>,
    prescriptions: BTreeSet<Uuid>,
    /// Patients all of whose open orders are touched.
    whole: BTreeSet<Uuid>,
    wards: BTreeSet<i64>,
    drugs: BTreeSet<i64>,
}

impl Named {
    fn by(ops: &[Operation], loaded: &Loaded) -> Named {
        let mut named = Named::default();
        for op in ops {
            match &op.request {
                Request::Prescribe(ask) => {
                    named.patients.insert(ask.patient.0);
                    named.drugs.insert(ask.drug.0);
                }
                Request::DiscontinuePrescription { prescription, .. } => {
                    named.prescriptions.insert(prescription.0);
                }
                Request::Admit(ask) => {
                    // PostgreSQL takes no text with NUL in it, and nobody has such a number.
                    named.mrns.insert(crate::domain::text::plain(&ask.mrn));
                    named.wards.insert(ask.ward.0);
                }
                Request::Move { patient, ward, .. } => {
                    named.whole.insert(patient.0);
                    named.wards.insert(ward.0);
                }
                // What is open again stands where its patient lies, and only while its prescription runs.
                Request::Correct(Correction { administration, .. }) => {
                    let entry = loaded.administrations.get(administration);
                    named.patients.extend(entry.map(|entry| entry.patient.0));
                }
                Request::Discharge { patient, .. } | Request::Allergies { patient, .. } => {
                    named.whole.insert(patient.0);
                }
                _ => {}
            }
        }
        named.patients.extend(&named.whole);
        named
    }

    fn is_empty(&self) -> bool {
        self.patients.is_empty() && self.mrns.is_empty() && self.prescriptions.is_empty()
    }
}

/// Loads and locks what the operations touch of patients and prescriptions; gives the open orders that go with them,
/// which are to be locked with all other orders.
pub(super) async fn load(
    mut link: Link<'_>,
    ops: &[Operation],
    loaded: &mut Loaded,
) -> Result<BTreeSet<OrderId>, StoreError> {
    let named = Named::by(ops, loaded);
    if named.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids = |set: &BTreeSet<Uuid>| List(set.iter().copied().collect::<Vec<Uuid>>());
    let mrns = List(named.mrns.iter().cloned().collect::<Vec<String>>());
    let rows = fetch!(
        all,
        link.lend(),
        ChartSql,
        CHARTS,
        ids(&named.patients),
        mrns
    )?;
    loaded.charts = rows.into_iter().map(|row| (row.id, row.into())).collect();
    let (by_key, of) = (ids(&named.prescriptions), ids(&named.patients));
    let rows = fetch!(all, link.lend(), PrescriptionSql, PRESCRIPTIONS, by_key, of)?;
    loaded.prescriptions = rows.into_iter().map(|row| (row.id, row.into())).collect();
    load_places(link.lend(), &named, loaded).await?;
    load_drugs(link.lend(), &named, loaded).await?;
    let (of_prescriptions, of_patients) = (ids(&named.prescriptions), ids(&named.whole));
    let open = fetch!(
        all,
        link,
        (OrderId,),
        OPEN_ORDERS,
        of_prescriptions,
        of_patients
    )?;
    Ok(open.into_iter().map(|(id,)| id).collect())
}

/// The wards where a patient may lie while the batch is done: where they are, where operations of it move them. Nothing
/// for a patient whom no operation of it is about.
pub(super) fn wards_to_be<'a>(
    ops: &'a [Operation],
    loaded: &'a Loaded,
    of: PatientId,
) -> impl Iterator<Item = WardId> + 'a {
    let chart = loaded.charts.get(&of);
    let moves = chart.into_iter().flat_map(move |_| {
        ops.iter().filter_map(move |op| match &op.request {
            Request::Move { patient, ward, .. } if *patient == of => Some(*ward),
            _ => None,
        })
    });
    chart.map(|chart| chart.ward).into_iter().chain(moves)
}

async fn load_places(link: Link<'_>, named: &Named, loaded: &mut Loaded) -> Result<(), StoreError> {
    let mut wards = named.wards.clone();
    wards.extend(loaded.charts.values().map(|chart| chart.ward.0));
    let wards = List(wards.into_iter().collect::<Vec<i64>>());
    let rows = fetch!(all, link, (WardId, String, WardKind, String), PLACES, wards)?;
    for (id, name, kind, zone) in rows {
        let zone = TimeZone::get(&zone).map_err(|error| {
            StoreError::Guarantee(format!("time zone '{zone}' of {name}: {error}"))
        })?;
        loaded.wards.insert(id, name.clone());
        loaded.places.insert(id, WardPlace { name, kind, zone });
    }
    Ok(())
}

#[derive(Debug, FromRow)]
struct DrugSql {
    id: DrugId,
    title: String,
    unit: String,
    name_key: String,
    controlled: bool,
    high_alert: bool,
}

async fn load_drugs(link: Link<'_>, named: &Named, loaded: &mut Loaded) -> Result<(), StoreError> {
    if named.drugs.is_empty() {
        return Ok(());
    }
    let drugs = List(named.drugs.iter().copied().collect::<Vec<i64>>());
    for row in fetch!(all, link, DrugSql, DRUGS, drugs)? {
        loaded.drug_keys.insert(row.id, row.name_key);
        let name = DrugName {
            title: row.title,
            unit: row.unit,
            controlled: row.controlled,
            high_alert: row.high_alert,
        };
        loaded.drugs.insert(row.id, name);
    }
    Ok(())
}

#[derive(Debug, FromRow)]
struct ChartSql {
    id: PatientId,
    version: i64,
    mrn: String,
    name: String,
    birth_date: Day,
    ward_id: WardId,
    bed: String,
    allergies: String,
    discharged_at: Option<At>,
    changed_by: Option<String>,
    changed_at: At,
    change: String,
}

impl From<ChartSql> for Chart {
    fn from(row: ChartSql) -> Chart {
        Chart {
            id: row.id,
            version: row.version,
            mrn: row.mrn,
            name: row.name,
            birth_date: row.birth_date.0,
            ward: row.ward_id,
            bed: row.bed,
            allergies: row.allergies,
            discharged_at: row.discharged_at.map(|at| at.0),
            changed_by: row.changed_by,
            changed_at: row.changed_at.0,
            change: row.change,
        }
    }
}

#[derive(Debug, FromRow)]
struct PrescriptionSql {
    id: PrescriptionId,
    version: i64,
    patient_id: PatientId,
    ward_id: WardId,
    ward_name: String,
    drug_id: DrugId,
    name_key: String,
    title: String,
    status: PrescriptionStatus,
    ended_by: Option<String>,
    ended_at: Option<At>,
    end_code: String,
    end_text: String,
}

impl From<PrescriptionSql> for Prescription {
    fn from(row: PrescriptionSql) -> Prescription {
        Prescription {
            id: row.id,
            version: row.version,
            patient: row.patient_id,
            ward: row.ward_id,
            ward_name: row.ward_name,
            drug: row.drug_id,
            drug_key: row.name_key,
            title: row.title,
            status: row.status,
            ended_by: row.ended_by,
            ended_at: row.ended_at.map(|at| at.0),
            end: Reason {
                code: row.end_code,
                text: row.end_text,
            },
        }
    }
}

/// Writes what was decided of patients and prescriptions, with every row counted. It comes before orders are closed: one
/// that was made in this batch may be closed in it.
pub(super) async fn write(mut link: Link<'_>, effects: &ChartEffects) -> Result<(), StoreError> {
    if effects.is_empty() {
        return Ok(());
    }
    charts(link.lend(), &effects.charts).await?;
    stays(link.lend(), effects).await?;
    prescribed(link.lend(), &effects.prescribed).await?;
    overrides(link.lend(), &effects.prescribed).await?;
    made(link.lend(), &effects.made).await?;
    moved(link.lend(), effects).await?;
    followed(link, effects).await
}

fn hex(id: Uuid) -> String {
    id.simple().to_string()
}

#[derive(Serialize)]
struct ChartJson<'a> {
    id: String,
    before: i64,
    mrn: &'a str,
    name: &'a str,
    key: String,
    born: Day,
    ward: i64,
    bed: &'a str,
    allergies: &'a str,
    version: i64,
    left: Option<At>,
    by: i64,
    at: At,
    change: &'a str,
}

impl<'a> From<&'a ChartRow> for ChartJson<'a> {
    fn from(row: &'a ChartRow) -> ChartJson<'a> {
        let chart = &row.chart;
        ChartJson {
            id: hex(chart.id.0),
            before: chart.version - 1,
            mrn: &chart.mrn,
            name: &chart.name,
            key: name_key(&chart.name),
            born: Day(chart.birth_date),
            ward: chart.ward.0,
            bed: &chart.bed,
            allergies: &chart.allergies,
            version: chart.version,
            left: chart.discharged_at.map(At::from),
            by: row.by.0,
            at: chart.changed_at.into(),
            change: &chart.change,
        }
    }
}

async fn charts(mut link: Link<'_>, rows: &[ChartRow]) -> Result<(), StoreError> {
    let (new, known): (Vec<&ChartRow>, Vec<&ChartRow>) =
        rows.iter().partition(|row| row.chart.version == 1);
    let as_json = |rows: Vec<&'_ ChartRow>| {
        let rows: Vec<ChartJson<'_>> = rows.into_iter().map(ChartJson::from).collect();
        Ok::<_, StoreError>((rows.len(), json(&rows)?))
    };
    let (count, rows) = as_json(new)?;
    if count > 0 {
        changed("patients", execute!(link.lend(), ADD_CHARTS, rows)?, count)?;
    }
    let (count, rows) = as_json(known)?;
    if count > 0 {
        changed("patients", execute!(link, CHANGE_CHARTS, rows)?, count)?;
    }
    Ok(())
}

const ADD_CHARTS: Sql = Sql::each(
    "INSERT INTO patients (id, mrn, name, name_key, birth_date, ward_id, bed, allergies, version, changed_at, changed_by, \
     change) SELECT unhex(r.value ->> 'id'), r.value ->> 'mrn', r.value ->> 'name', r.value ->> 'key', \
     r.value ->> 'born', r.value ->> 'ward', r.value ->> 'bed', r.value ->> 'allergies', r.value ->> 'version', \
     r.value ->> 'at', r.value ->> 'by', r.value ->> 'change' FROM json_each($1) r",
    "INSERT INTO patients (id, mrn, name, name_key, birth_date, ward_id, bed, allergies, version, changed_at, changed_by, \
     change) SELECT id, mrn, name, key, born, ward, bed, allergies, version, \
     'epoch'::timestamptz + at * interval '1 microsecond', by, change FROM json_to_recordset($1::json) \
     AS r (id uuid, mrn text, name text, key text, born date, ward bigint, bed text, allergies text, version bigint, \
     at bigint, by bigint, change text)",
);

const CHANGE_CHARTS: Sql = Sql::each(
    "UPDATE patients SET name = r.value ->> 'name', name_key = r.value ->> 'key', ward_id = r.value ->> 'ward', \
     bed = r.value ->> 'bed', allergies = r.value ->> 'allergies', version = r.value ->> 'version', \
     discharged_at = r.value ->> 'left', changed_at = r.value ->> 'at', changed_by = r.value ->> 'by', \
     change = r.value ->> 'change' FROM json_each($1) r \
     WHERE patients.id = unhex(r.value ->> 'id') AND patients.version = r.value ->> 'before'",
    "UPDATE patients p SET name = r.name, name_key = r.key, ward_id = r.ward, bed = r.bed, allergies = r.allergies, \
     version = r.version, discharged_at = 'epoch'::timestamptz + r.left * interval '1 microsecond', \
     changed_at = 'epoch'::timestamptz + r.at * interval '1 microsecond', changed_by = r.by, change = r.change \
     FROM json_to_recordset($1::json) AS r (id uuid, before bigint, name text, key text, ward bigint, bed text, \
     allergies text, version bigint, \"left\" bigint, at bigint, by bigint, change text) \
     WHERE p.id = r.id AND p.version = r.before",
);

#[derive(Serialize)]
struct StayJson<'a> {
    id: String,
    patient: String,
    kind: &'static str,
    came: Option<i64>,
    ward: i64,
    detail: &'a str,
    code: &'a str,
    by: i64,
    at: At,
    op: String,
}

async fn stays(link: Link<'_>, effects: &ChartEffects) -> Result<(), StoreError> {
    if effects.stays.is_empty() {
        return Ok(());
    }
    let row = |stay| {
        let crate::domain::decide::StayRow {
            id,
            patient,
            kind,
            from,
            ward,
            detail,
            code,
            by,
            at,
            op,
        }: &crate::domain::decide::StayRow = stay;
        StayJson {
            id: hex(*id),
            patient: hex(patient.0),
            kind: kind.as_str(),
            came: from.map(|ward| ward.0),
            ward: ward.0,
            detail,
            code,
            by: by.0,
            at: (*at).into(),
            op: hex(op.0),
        }
    };
    let rows: Vec<StayJson<'_>> = effects.stays.iter().map(row).collect();
    let sql = Sql::each(
        "INSERT INTO patient_changes (id, patient_id, kind, from_ward_id, ward_id, detail, reason_code, actor_id, at, op_id) \
         SELECT unhex(r.value ->> 'id'), unhex(r.value ->> 'patient'), r.value ->> 'kind', r.value ->> 'came', \
         r.value ->> 'ward', r.value ->> 'detail', r.value ->> 'code', r.value ->> 'by', r.value ->> 'at', \
         unhex(r.value ->> 'op') FROM json_each($1) r",
        "INSERT INTO patient_changes (id, patient_id, kind, from_ward_id, ward_id, detail, reason_code, actor_id, at, op_id) \
         SELECT id, patient, kind, came, ward, detail, code, by, 'epoch'::timestamptz + at * interval '1 microsecond', op \
         FROM json_to_recordset($1::json) AS r (id uuid, patient uuid, kind text, came bigint, ward bigint, detail text, \
         code text, by bigint, at bigint, op uuid)",
    );
    changed(
        "patient changes",
        execute!(link, sql, json(&rows)?)?,
        rows.len(),
    )
}

#[derive(Serialize)]
struct PrescribedJson<'a> {
    id: String,
    patient: String,
    ward: i64,
    drug: i64,
    dose: i64,
    most: Option<i64>,
    route: &'a str,
    freq: &'a str,
    schedule: String,
    prn: bool,
    start: At,
    stop: Option<At>,
    priority: &'static str,
    doctor: i64,
    made: At,
    at: At,
}

impl<'a> From<&'a NewPrescription> for PrescribedJson<'a> {
    fn from(new: &'a NewPrescription) -> PrescribedJson<'a> {
        PrescribedJson {
            id: hex(new.id.0),
            patient: hex(new.patient.0),
            ward: new.ward.0,
            drug: new.drug.0,
            dose: new.dose.0,
            most: new.most.map(|most| most.0),
            route: &new.route,
            freq: &new.frequency,
            schedule: new.schedule.to_string(),
            prn: new.schedule.kind() == crate::domain::OrderKind::Prn,
            start: new.start.into(),
            stop: new.stop.map(At::from),
            priority: new.priority.as_str(),
            doctor: new.doctor.0,
            made: new.made_until.into(),
            at: new.at.into(),
        }
    }
}

async fn prescribed(link: Link<'_>, new: &[NewPrescription]) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let rows: Vec<PrescribedJson<'_>> = new.iter().map(PrescribedJson::from).collect();
    let sql = Sql::each(
        "INSERT INTO prescriptions (id, external_id, patient_id, ward_id, drug_id, dose, dose_max, dose_text, route, \
         frequency, schedule, prn, start_at, stop_at, priority, prescriber_id, status, made_until, created_at) \
         SELECT unhex(r.value ->> 'id'), NULL, unhex(r.value ->> 'patient'), r.value ->> 'ward', r.value ->> 'drug', \
         r.value ->> 'dose', r.value ->> 'most', '', r.value ->> 'route', r.value ->> 'freq', r.value ->> 'schedule', \
         r.value ->> 'prn', r.value ->> 'start', r.value ->> 'stop', r.value ->> 'priority', r.value ->> 'doctor', \
         'active', r.value ->> 'made', r.value ->> 'at' FROM json_each($1) r",
        "INSERT INTO prescriptions (id, external_id, patient_id, ward_id, drug_id, dose, dose_max, dose_text, route, \
         frequency, schedule, prn, start_at, stop_at, priority, prescriber_id, status, made_until, created_at) \
         SELECT id, NULL, patient, ward, drug, dose, most, '', route, freq, schedule, prn, \
         'epoch'::timestamptz + start * interval '1 microsecond', \
         'epoch'::timestamptz + stop * interval '1 microsecond', priority, doctor, 'active', \
         'epoch'::timestamptz + made * interval '1 microsecond', 'epoch'::timestamptz + at * interval '1 microsecond' \
         FROM json_to_recordset($1::json) AS r (id uuid, patient uuid, ward bigint, drug bigint, dose bigint, \
         most bigint, route text, freq text, schedule text, prn boolean, start bigint, stop bigint, priority text, \
         doctor bigint, made bigint, at bigint)",
    );
    changed(
        "prescriptions",
        execute!(link, sql, json(&rows)?)?,
        rows.len(),
    )
}

#[derive(Serialize)]
struct OverrideJson<'a> {
    rx: String,
    kind: &'static str,
    about: &'a str,
    code: &'a str,
    text: &'a str,
    at: At,
}

async fn overrides(link: Link<'_>, new: &[NewPrescription]) -> Result<(), StoreError> {
    let rows: Vec<OverrideJson<'_>> = new
        .iter()
        .flat_map(|new| {
            new.overrides
                .iter()
                .map(|(kind, about, reason)| OverrideJson {
                    rx: hex(new.id.0),
                    kind: kind.as_str(),
                    about,
                    code: &reason.code,
                    text: &reason.text,
                    at: new.at.into(),
                })
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "INSERT INTO prescription_overrides (prescription_id, kind, about, reason_code, reason_text, at) \
         SELECT unhex(r.value ->> 'rx'), r.value ->> 'kind', r.value ->> 'about', r.value ->> 'code', \
         r.value ->> 'text', r.value ->> 'at' FROM json_each($1) r",
        "INSERT INTO prescription_overrides (prescription_id, kind, about, reason_code, reason_text, at) \
         SELECT rx, kind, about, code, text, 'epoch'::timestamptz + at * interval '1 microsecond' \
         FROM json_to_recordset($1::json) AS r (rx uuid, kind text, about text, code text, text text, at bigint)",
    );
    changed("overrides", execute!(link, sql, json(&rows)?)?, rows.len())
}

#[derive(Serialize)]
struct MadeJson {
    id: String,
    rx: String,
    due: Option<At>,
    kind: &'static str,
    at: At,
}

/// Orders of prescriptions that were written just before, in the same transaction.
async fn made(link: Link<'_>, made: &[MadeOrder]) -> Result<(), StoreError> {
    if made.is_empty() {
        return Ok(());
    }
    let rows: Vec<MadeJson> = made
        .iter()
        .map(|order| MadeJson {
            id: hex(order.id.0),
            rx: hex(order.prescription.0),
            due: order.due.map(At::from),
            kind: order.kind.as_str(),
            at: order.at.into(),
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
         kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT unhex(n.value ->> 'id'), r.patient_id, r.ward_id, r.drug_id, r.id, r.dose, r.dose_max, \
         n.value ->> 'due', n.value ->> 'kind', r.priority, 'active', r.prescriber_id, n.value ->> 'at', 1, \
         n.value ->> 'at', NULL, 'made from the prescription' \
         FROM json_each($1) n JOIN prescriptions r ON r.id = unhex(n.value ->> 'rx')",
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
         kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT n.id, r.patient_id, r.ward_id, r.drug_id, r.id, r.dose, r.dose_max, \
         'epoch'::timestamptz + n.due * interval '1 microsecond', n.kind, r.priority, 'active', r.prescriber_id, \
         'epoch'::timestamptz + n.at * interval '1 microsecond', 1, \
         'epoch'::timestamptz + n.at * interval '1 microsecond', NULL, 'made from the prescription' \
         FROM json_to_recordset($1::json) AS n (id uuid, rx uuid, due bigint, kind text, at bigint) \
         JOIN prescriptions r ON r.id = n.rx",
    );
    changed(
        "orders made",
        execute!(link, sql, json(&rows)?)?,
        rows.len(),
    )
}

#[derive(Serialize)]
struct MovedJson<'a> {
    id: String,
    version: i64,
    ward: i64,
    by: i64,
    at: At,
    change: &'a str,
}

/// Open orders with a new ward or a new version, as each engine is told.
pub(in crate::store) const MOVE_ORDERS: Sql = Sql::each(
    "UPDATE medication_orders SET ward_id = r.value ->> 'ward', version = version + 1, changed_at = r.value ->> 'at', \
     changed_by = r.value ->> 'by', change = r.value ->> 'change' FROM json_each($1) r \
     WHERE medication_orders.id = unhex(r.value ->> 'id') AND +status = 'active' AND version = r.value ->> 'version'",
    "UPDATE medication_orders o SET ward_id = r.ward, version = o.version + 1, \
     changed_at = 'epoch'::timestamptz + r.at * interval '1 microsecond', changed_by = r.by, change = r.change \
     FROM json_to_recordset($1::json) AS r (id uuid, version bigint, ward bigint, by bigint, at bigint, change text) \
     WHERE o.id = r.id AND o.status = 'active' AND o.version = r.version",
);

async fn moved(link: Link<'_>, effects: &ChartEffects) -> Result<(), StoreError> {
    if effects.moved.is_empty() {
        return Ok(());
    }
    let rows: Vec<MovedJson<'_>> = effects
        .moved
        .iter()
        .map(|order| MovedJson {
            id: hex(order.id.0),
            version: order.version,
            ward: order.ward.0,
            by: order.by.0,
            at: order.at.into(),
            change: &order.change,
        })
        .collect();
    changed(
        "orders moved",
        execute!(link, MOVE_ORDERS, json(&rows)?)?,
        rows.len(),
    )
}

#[derive(Serialize)]
struct FollowedJson {
    rx: String,
    ward: i64,
}

/// Running prescriptions follow their patient.
async fn followed(link: Link<'_>, effects: &ChartEffects) -> Result<(), StoreError> {
    if effects.followed.is_empty() {
        return Ok(());
    }
    let rows: Vec<FollowedJson> = effects
        .followed
        .iter()
        .map(|(prescription, ward)| FollowedJson {
            rx: hex(prescription.0),
            ward: ward.0,
        })
        .collect();
    let sql = Sql::each(
        "UPDATE prescriptions SET ward_id = r.value ->> 'ward', version = version + 1 FROM json_each($1) r \
         WHERE prescriptions.id = unhex(r.value ->> 'rx') AND +status = 'active'",
        "UPDATE prescriptions p SET ward_id = r.ward, version = p.version + 1 \
         FROM json_to_recordset($1::json) AS r (rx uuid, ward bigint) WHERE p.id = r.rx AND p.status = 'active'",
    );
    changed(
        "prescriptions",
        execute!(link, sql, json(&rows)?)?,
        rows.len(),
    )
}

#[derive(Serialize)]
struct EndedJson<'a> {
    id: String,
    by: i64,
    at: At,
    code: &'a str,
    text: &'a str,
}

/// Prescriptions that somebody ends. Whatever they were, they are discontinued now.
pub(super) async fn end(link: Link<'_>, ended: &[EndedPrescription]) -> Result<(), StoreError> {
    if ended.is_empty() {
        return Ok(());
    }
    let rows: Vec<EndedJson<'_>> = ended
        .iter()
        .map(|ended| EndedJson {
            id: hex(ended.id.0),
            by: ended.by.0,
            at: ended.at.into(),
            code: &ended.reason.code,
            text: &ended.reason.text,
        })
        .collect();
    let sql = Sql::each(
        "UPDATE prescriptions SET status = 'discontinued', version = version + 1, ended_at = r.value ->> 'at', \
         ended_by = r.value ->> 'by', end_code = r.value ->> 'code', end_text = r.value ->> 'text' \
         FROM json_each($1) r WHERE prescriptions.id = unhex(r.value ->> 'id') AND +status <> 'discontinued'",
        "UPDATE prescriptions p SET status = 'discontinued', version = p.version + 1, \
         ended_at = 'epoch'::timestamptz + r.at * interval '1 microsecond', ended_by = r.by, end_code = r.code, \
         end_text = r.text FROM json_to_recordset($1::json) AS r (id uuid, by bigint, at bigint, code text, text text) \
         WHERE p.id = r.id AND p.status <> 'discontinued'",
    );
    changed(
        "prescriptions",
        execute!(link, sql, json(&rows)?)?,
        rows.len(),
    )
}
