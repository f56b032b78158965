//! A patient's day, a doctor's prescriptions, and what a prescription is looked up with: patients and drugs by the
//! beginning of their name. Every query here goes by an index, which `valmed doctor` proves.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::FromRow;
use uuid::Uuid;

use super::formulary::DrugRow;
use super::screens::schedule;
use super::{At, Conn, Day, Link, List, Sql, StoreError};
use crate::domain::mar::{DoseOfDay, Entry, Line, Record};
use crate::domain::prescribed::{Candidate, Person, Prescribed, Running};
use crate::domain::snapshot::{Dose, Drug, Patient, Ward};
use crate::domain::text::name_key;
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{
    AdministrationId, DrugId, GivingOutcome, OrderId, OrderStatus, PatientId, PrescriptionId,
    Priority, Quantity, UserId, WardId, WardKind,
};

macro_rules! people_sql {
    ($which:literal) => {
        concat!(
            "SELECT p.id, p.mrn, p.name, p.birth_date, p.bed, p.allergies, p.version, p.discharged_at, p.ward_id, ",
            "w.code AS ward_code, w.name AS ward_name, w.kind AS ward_kind, w.time_zone FROM patients p ",
            "JOIN wards w ON w.id = p.ward_id ",
            $which
        )
    };
}

/// A patient by number.
pub(super) const PERSON: &str = people_sql!("WHERE p.mrn = $1");
/// Patients by the beginning of their name, those who left among them.
pub(super) const PEOPLE: &str =
    people_sql!("WHERE p.name_key >= $1 AND p.name_key < $2 ORDER BY p.name_key, p.id LIMIT $3");
/// Who lies in a ward, bed by bed.
pub(super) const PRESENT: &str = people_sql!(
    "WHERE p.ward_id = $1 AND p.discharged_at IS NULL AND (p.bed, p.id) > ($2, $3) ORDER BY p.bed, p.id LIMIT $4"
);

/// Drugs by the beginning of their name, each with what a ward holds of it.
pub(super) const DRUGS: &str = "SELECT d.id, d.code, d.name, d.form, d.strength, d.unit, d.controlled, d.high_alert, \
    s.current_stock FROM drugs d LEFT JOIN drug_stock s ON s.ward_id = $1 AND s.drug_id = d.id \
    WHERE d.name_key >= $2 AND d.name_key < $3 ORDER BY d.name_key, d.id LIMIT $4";

/// What a patient has prescribed at the moment.
pub(super) const RUNNING: &str = "SELECT r.id, r.version, r.drug_id, d.name_key, \
    d.name || CASE d.strength WHEN '' THEN '' ELSE ' ' || d.strength END AS title, r.frequency FROM prescriptions r \
    JOIN drugs d ON d.id = r.drug_id WHERE r.patient_id = $1 AND r.status = 'active' ORDER BY d.name_key, r.id";

/// Prescriptions that run on a day.
pub(super) const LINES: &str = "SELECT r.id, r.version, r.dose, r.dose_max, r.dose_text, r.route, r.frequency, r.schedule, \
    r.priority, r.start_at, r.stop_at, r.status, r.ended_at, e.name AS ended_by, u.name AS prescriber, d.id AS drug_id, \
    d.code, d.name, d.form, d.strength, d.unit, d.controlled, d.high_alert FROM prescriptions r \
    JOIN drugs d ON d.id = r.drug_id JOIN users u ON u.id = r.prescriber_id LEFT JOIN users e ON e.id = r.ended_by \
    WHERE r.patient_id = $1 AND r.start_at < $3 AND (r.stop_at IS NULL OR r.stop_at >= $2) \
    AND (r.ended_at IS NULL OR r.ended_at >= $2) ORDER BY d.name_key, r.start_at, r.id";

/// The doses of prescriptions that are due on a day.
pub(super) const DUE: Sql = Sql::each(
    "SELECT id, prescription_id, due_at, held_until, status, change FROM medication_orders \
     WHERE prescription_id IN (SELECT unhex(value) FROM json_each($1)) AND due_at >= $2 AND due_at < $3 \
     ORDER BY due_at, id",
    "SELECT id, prescription_id, due_at, held_until, status, change FROM medication_orders \
     WHERE prescription_id = ANY($1) AND due_at >= $2 AND due_at < $3 ORDER BY due_at, id",
);

macro_rules! entries_sql {
    ($which:literal) => {
        concat!(
            "SELECT a.id, a.order_id, o.prescription_id, o.status, a.outcome, a.quantity, a.administration_time, ",
            "a.recorded_at, u.name AS nurse, a.reason, a.reverses FROM medication_administrations a ",
            "JOIN medication_orders o ON o.id = a.order_id JOIN users u ON u.id = a.nurse_id ",
            $which
        )
    };
}

/// What was recorded of doses.
pub(super) const ENTRIES: Sql = Sql::each(
    entries_sql!(
        "WHERE a.order_id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY a.recorded_at, a.id"
    ),
    entries_sql!("WHERE a.order_id = ANY($1) ORDER BY a.recorded_at, a.id"),
);

/// What a patient was given on a day of drugs that are not due by the clock.
pub(super) const OPEN_ENTRIES: Sql = Sql::each(
    entries_sql!(
        "WHERE a.patient_id = $1 AND a.drug_id IN (SELECT value FROM json_each($2)) AND a.administration_time >= $3 \
         AND a.administration_time < $4 AND o.due_at IS NULL ORDER BY a.administration_time, a.recorded_at, a.id"
    ),
    entries_sql!(
        "WHERE a.patient_id = $1 AND a.drug_id = ANY($2) AND a.administration_time >= $3 \
         AND a.administration_time < $4 AND o.due_at IS NULL ORDER BY a.administration_time, a.recorded_at, a.id"
    ),
);

macro_rules! mine_sql {
    ($which:literal) => {
        concat!(
            "SELECT r.id, r.version, r.patient_id, p.mrn, p.name AS patient, p.bed, w.code AS ward, w.time_zone, ",
            "d.name AS drug, d.strength, d.unit, r.dose, r.dose_max, r.dose_text, r.route, r.frequency, r.schedule, ",
            "r.priority, r.start_at, r.stop_at, r.status, r.ended_at, r.created_at, ",
            "(SELECT count(*) FROM medication_orders o WHERE o.prescription_id = r.id AND o.status = 'completed') AS done, ",
            "(SELECT count(*) FROM medication_orders o WHERE o.prescription_id = r.id AND o.due_at < $4 ",
            "AND o.status = 'active') AS waiting, ",
            "(SELECT max(a.administration_time) FROM medication_administrations a JOIN medication_orders o ",
            "ON o.id = a.order_id WHERE o.prescription_id = r.id AND a.outcome = 'given' AND a.reverses IS NULL) AS last ",
            "FROM prescriptions r JOIN patients p ON p.id = r.patient_id JOIN wards w ON w.id = p.ward_id ",
            "JOIN drugs d ON d.id = r.drug_id WHERE r.prescriber_id = $1 AND r.id < $2 ",
            $which,
            " ORDER BY r.id DESC LIMIT $3"
        )
    };
}

/// A doctor's prescriptions, newest first: those that run, and all.
pub(super) const MINE: [&str; 2] = [mine_sql!("AND r.status = 'active'"), mine_sql!("")];

#[derive(Debug, FromRow)]
struct PersonRow {
    id: PatientId,
    mrn: String,
    name: String,
    birth_date: Day,
    bed: String,
    allergies: String,
    version: i64,
    discharged_at: Option<At>,
    ward_id: WardId,
    ward_code: String,
    ward_name: String,
    ward_kind: WardKind,
    time_zone: String,
}

impl From<PersonRow> for Person {
    fn from(row: PersonRow) -> Person {
        Person {
            patient: Patient {
                id: row.id,
                mrn: row.mrn,
                name: row.name,
                birth_date: row.birth_date.0,
                bed: row.bed,
                allergies: row.allergies,
            },
            version: row.version,
            ward: Ward {
                id: row.ward_id,
                code: row.ward_code,
                name: row.ward_name,
                kind: row.ward_kind,
                time_zone: row.time_zone,
            },
            discharged_at: row.discharged_at.map(|at| at.0),
        }
    }
}

/// The patient with that number, here or not.
///
/// # Errors
/// [`StoreError`].
pub async fn person(link: Link<'_>, mrn: &str) -> Result<Option<Person>, StoreError> {
    Ok(fetch!(optional, link, PersonRow, PERSON, mrn)?.map(Person::from))
}

/// What follows every text that begins with `key`, in the order of keys.
fn after(key: &str) -> String {
    format!("{key}\u{10FFFF}")
}

/// Patients whose name begins like that, at most so many.
///
/// # Errors
/// [`StoreError`].
pub async fn people(link: Link<'_>, name: &str, limit: i64) -> Result<Vec<Person>, StoreError> {
    let key = name_key(name);
    let rows = fetch!(all, link, PersonRow, PEOPLE, &key, after(&key), limit)?;
    Ok(rows.into_iter().map(Person::from).collect())
}

/// Who lies in a ward, bed by bed, after one, at most so many.
///
/// # Errors
/// [`StoreError`].
pub async fn present(
    link: Link<'_>,
    ward: WardId,
    after: (&str, PatientId),
    limit: i64,
) -> Result<Vec<Person>, StoreError> {
    let rows = fetch!(all, link, PersonRow, PRESENT, ward, after.0, after.1, limit)?;
    Ok(rows.into_iter().map(Person::from).collect())
}

#[derive(Debug, FromRow)]
struct CandidateRow {
    #[sqlx(flatten)]
    drug: DrugRow,
    current_stock: Option<Quantity>,
}

/// Drugs whose name begins like that, at most so many, each with what the ward holds of it.
///
/// # Errors
/// [`StoreError`].
pub async fn drugs(
    link: Link<'_>,
    ward: WardId,
    name: &str,
    limit: i64,
) -> Result<Vec<Candidate>, StoreError> {
    let key = name_key(name);
    let rows = fetch!(
        all,
        link,
        CandidateRow,
        DRUGS,
        ward,
        &key,
        after(&key),
        limit
    )?;
    Ok(rows
        .into_iter()
        .map(|row| Candidate {
            drug: row.drug.into(),
            stock: row.current_stock,
        })
        .collect())
}

#[derive(Debug, FromRow)]
struct RunningRow {
    id: PrescriptionId,
    version: i64,
    drug_id: DrugId,
    name_key: String,
    title: String,
    frequency: String,
}

/// What a patient has prescribed at the moment, by drug.
///
/// # Errors
/// [`StoreError`].
pub async fn running(link: Link<'_>, patient: PatientId) -> Result<Vec<Running>, StoreError> {
    let rows = fetch!(all, link, RunningRow, RUNNING, patient)?;
    Ok(rows
        .into_iter()
        .map(|row| Running {
            prescription: row.id,
            version: row.version,
            drug: row.drug_id,
            drug_key: row.name_key,
            title: row.title,
            frequency: row.frequency,
        })
        .collect())
}

/// Where a prescription stands: its version and its drug.
pub(super) const STANDING: &str = "SELECT version, drug_id FROM prescriptions WHERE id = $1";

/// The version and the drug of a prescription.
///
/// # Errors
/// [`StoreError`].
pub async fn standing(
    link: Link<'_>,
    id: PrescriptionId,
) -> Result<Option<(i64, DrugId)>, StoreError> {
    fetch!(optional, link, (i64, DrugId), STANDING, id)
}

#[derive(Debug, FromRow)]
struct LineRow {
    id: PrescriptionId,
    version: i64,
    dose: Quantity,
    dose_max: Option<Quantity>,
    dose_text: String,
    route: String,
    frequency: String,
    schedule: String,
    priority: Priority,
    start_at: At,
    stop_at: Option<At>,
    status: PrescriptionStatus,
    ended_at: Option<At>,
    ended_by: Option<String>,
    prescriber: String,
    drug_id: DrugId,
    code: String,
    name: String,
    form: String,
    strength: String,
    unit: String,
    controlled: bool,
    high_alert: bool,
}

impl LineRow {
    fn into_line(self) -> Result<Line, StoreError> {
        let schedule = schedule(&self.schedule)?;
        Ok(Line {
            prescription: self.id,
            version: self.version,
            drug: Drug {
                id: self.drug_id,
                code: self.code,
                name: self.name,
                form: self.form,
                strength: self.strength,
                unit: self.unit,
                controlled: self.controlled,
                high_alert: self.high_alert,
            },
            dose: Dose {
                least: self.dose,
                most: self.dose_max,
                written: self.dose_text,
            },
            route: self.route,
            frequency: self.frequency,
            limits: schedule.limits(),
            kind: schedule.kind(),
            priority: self.priority,
            prescriber: self.prescriber,
            start: self.start_at.0,
            stop: self.stop_at.map(|at| at.0),
            status: self.status,
            ended_at: self.ended_at.map(|at| at.0),
            ended_by: self.ended_by,
            doses: Vec::new(),
        })
    }
}

#[derive(Debug, FromRow)]
struct DueRow {
    id: OrderId,
    prescription_id: PrescriptionId,
    due_at: At,
    held_until: Option<At>,
    status: OrderStatus,
    change: String,
}

#[derive(Debug, FromRow)]
struct EntryRow {
    id: AdministrationId,
    order_id: OrderId,
    prescription_id: PrescriptionId,
    status: OrderStatus,
    outcome: GivingOutcome,
    quantity: Quantity,
    administration_time: At,
    recorded_at: At,
    nurse: String,
    reason: String,
    reverses: Option<AdministrationId>,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Entry {
        Entry {
            id: row.id,
            outcome: row.outcome,
            quantity: row.quantity,
            at: row.administration_time.0,
            recorded_at: row.recorded_at.0,
            by: row.nurse,
            reason: row.reason,
            reverses: row.reverses,
        }
    }
}

/// A patient's day, read as of one moment; `None`: there is no such patient. Without a day, that of `now` in the ward.
///
/// # Errors
/// [`StoreError`].
pub async fn day(
    conn: &mut Conn,
    mrn: &str,
    day: Option<Date>,
    now: Timestamp,
) -> Result<Option<Record>, StoreError> {
    let mut tx = conn.begin_screen().await?;
    let Some(person) = person(tx.link(), mrn).await? else {
        return Ok(None);
    };
    let zone = person.ward.zone();
    let day = day.unwrap_or_else(|| zone.to_datetime(now).date());
    let begins = |date: Date| {
        let midnight = zone.to_ambiguous_timestamp(date.to_datetime(jiff::civil::Time::midnight()));
        midnight.compatible().unwrap_or(now)
    };
    let (from, to) = (begins(day), day.tomorrow().map_or(now, begins));
    let patient = person.patient.id;
    let (start, end) = (At::from(from), At::from(to));
    let rows = fetch!(all, tx.link(), LineRow, LINES, patient, start, end)?;
    let mut lines = rows
        .into_iter()
        .map(LineRow::into_line)
        .collect::<Result<Vec<Line>, StoreError>>()?;
    let keys: Vec<Uuid> = lines.iter().map(|line| line.prescription.0).collect();
    let due = fetch!(all, tx.link(), DueRow, DUE, List(keys), start, end)?;
    let orders: Vec<Uuid> = due.iter().map(|row| row.id.0).collect();
    let timed = fetch!(all, tx.link(), EntryRow, ENTRIES, List(orders))?;
    let drugs: Vec<i64> = lines.iter().map(|line| line.drug.id.0).collect();
    let sql = OPEN_ENTRIES;
    let open = fetch!(
        all,
        tx.link(),
        EntryRow,
        sql,
        patient,
        List(drugs),
        start,
        end
    )?;
    tx.rollback().await?;
    fill(&mut lines, due, timed, open);
    Ok(Some(Record {
        patient: person.patient,
        version: person.version,
        ward: person.ward,
        discharged_at: person.discharged_at,
        day,
        from,
        to,
        lines,
        read_at: now,
    }))
}

/// Puts doses and what was recorded of them under their prescriptions.
fn fill(lines: &mut [Line], due: Vec<DueRow>, timed: Vec<EntryRow>, open: Vec<EntryRow>) {
    let mut entries: HashMap<OrderId, Vec<Entry>> = HashMap::new();
    for row in timed {
        entries.entry(row.order_id).or_default().push(row.into());
    }
    let places: HashMap<PrescriptionId, usize> = lines
        .iter()
        .enumerate()
        .map(|(at, line)| (line.prescription, at))
        .collect();
    let mut line_of = |id: PrescriptionId, dose: DoseOfDay| {
        if let Some(line) = places.get(&id).and_then(|at| lines.get_mut(*at)) {
            let same = line
                .doses
                .iter_mut()
                .find(|known| known.order == dose.order);
            match same {
                Some(known) => known.entries.extend(dose.entries),
                None => line.doses.push(dose),
            }
        }
    };
    for row in due {
        let dose = DoseOfDay {
            order: row.id,
            due: Some(row.due_at.0),
            held_until: row.held_until.map(|at| at.0),
            status: row.status,
            change: row.change,
            entries: entries.remove(&row.id).unwrap_or_default(),
        };
        line_of(row.prescription_id, dose);
    }
    for row in open {
        let dose = DoseOfDay {
            order: row.order_id,
            due: None,
            held_until: None,
            status: row.status,
            change: String::new(),
            entries: Vec::new(),
        };
        let id = row.prescription_id;
        line_of(
            id,
            DoseOfDay {
                entries: vec![row.into()],
                ..dose
            },
        );
    }
}

#[derive(Debug, FromRow)]
struct MineRow {
    id: PrescriptionId,
    version: i64,
    patient_id: PatientId,
    mrn: String,
    patient: String,
    bed: String,
    ward: String,
    time_zone: String,
    drug: String,
    strength: String,
    unit: String,
    dose: Quantity,
    dose_max: Option<Quantity>,
    dose_text: String,
    route: String,
    frequency: String,
    schedule: String,
    priority: Priority,
    start_at: At,
    stop_at: Option<At>,
    status: PrescriptionStatus,
    ended_at: Option<At>,
    created_at: At,
    done: i64,
    waiting: i64,
    last: Option<At>,
}

impl From<MineRow> for Prescribed {
    fn from(row: MineRow) -> Prescribed {
        Prescribed {
            prescription: row.id,
            version: row.version,
            patient: row.patient_id,
            mrn: row.mrn,
            name: row.patient,
            bed: row.bed,
            ward: row.ward,
            time_zone: row.time_zone,
            drug: row.drug,
            strength: row.strength,
            unit: row.unit,
            dose: Dose {
                least: row.dose,
                most: row.dose_max,
                written: row.dose_text,
            },
            route: row.route,
            frequency: row.frequency,
            schedule: row.schedule,
            priority: row.priority,
            start: row.start_at.0,
            stop: row.stop_at.map(|at| at.0),
            status: row.status,
            ended_at: row.ended_at.map(|at| at.0),
            written_at: row.created_at.0,
            done: row.done,
            waiting: row.waiting,
            last_given: row.last.map(|at| at.0),
        }
    }
}

/// A doctor's prescriptions, newest first, after one; those that run, or all.
///
/// # Errors
/// [`StoreError`].
pub async fn prescribed_by(
    link: Link<'_>,
    doctor: UserId,
    all: bool,
    after: Option<PrescriptionId>,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Prescribed>, StoreError> {
    let after = after.unwrap_or(PrescriptionId(Uuid::max()));
    let sql = MINE[usize::from(all)];
    let rows = fetch!(all, link, MineRow, sql, doctor, after, limit, At::from(now))?;
    Ok(rows.into_iter().map(Prescribed::from).collect())
}
