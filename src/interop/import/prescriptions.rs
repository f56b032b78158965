//! Prescriptions: what is new, what changed, and what becomes of orders that were made from what they said before.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil::DateTime};
use uuid::Uuid;

use super::{Context, Done, Import, words};
use crate::domain::decide::Limits;
use crate::domain::schedule::{Reading, Written, due_times, understand};
use crate::domain::{OrderId, OrderKind, PrescriptionId, Schedule};
use crate::interop::fault::{Fault, Reason};
use crate::interop::records::{Entry, Reject};
use crate::interop::rows::{PrescriptionRow, Row};
use crate::store::import::{
    self as table, KnownPatient, KnownPrescription, OpenOrder, PrescriptionRecord, Reopening,
    StaleOrder,
};
use crate::store::{At, Link, StoreError};

/// How much of a long prescription is looked at to see whether it has any dose: twice its longest interval.
const LOOK: SignedDuration = SignedDuration::from_hours(62 * 24);

/// A row with everything that it refers to.
struct Resolved {
    record: PrescriptionRecord,
    schedule: Schedule,
    zone: TimeZone,
}

impl Import for PrescriptionRow {
    async fn take(
        mut link: Link<'_>,
        context: &Context<'_>,
        rows: &[Entry<Self>],
    ) -> Result<Done, StoreError> {
        let mrns = rows.iter().map(|entry| entry.row.mrn.clone()).collect();
        let patients: HashMap<String, KnownPatient> = table::patients(link.lend(), mrns)
            .await?
            .into_iter()
            .map(|patient| (patient.mrn.clone(), patient))
            .collect();
        let ids = rows.iter().map(|entry| entry.row.id.clone()).collect();
        let known: HashMap<String, KnownPrescription> =
            table::known_prescriptions(link.lend(), ids)
                .await?
                .into_iter()
                .map(|known| (known.external_id.clone(), known))
                .collect();
        let (mut done, mut added, mut changed) = (Done::default(), Vec::new(), Vec::new());
        for entry in rows {
            let patient = patients.get(&entry.row.mrn);
            let mut resolved = match resolve(entry, patient, context, &mut done) {
                Ok(resolved) => resolved,
                Err(reject) => {
                    done.rejects.push(reject);
                    continue;
                }
            };
            let Some(known) = known.get(&entry.row.id) else {
                if patient.is_some_and(|patient| patient.discharged_at.is_some()) {
                    let mrn = entry.row.mrn.clone();
                    done.rejects
                        .push(entry.reject("mrn", &entry.row.mrn, Reason::Discharged(mrn)));
                    continue;
                }
                added.push(resolved.record);
                continue;
            };
            if let Some(reject) = other_identity(entry, &resolved.record, known) {
                done.rejects.push(reject);
                continue;
            }
            let retimed = merge(&mut resolved, known, context);
            if resolved.record.change.is_empty() {
                done.same += 1;
            } else {
                changed.push((resolved, retimed));
            }
        }
        done.new = added.len() as u64;
        done.changed = changed.len() as u64;
        table::add_prescriptions(link.lend(), &added, context.now.into()).await?;
        change(link, &changed, context.now).await?;
        Ok(done)
    }
}

/// Looks up what the row refers to and reads its frequency; notes what is to be noted.
fn resolve(
    entry: &Entry<PrescriptionRow>,
    patient: Option<&KnownPatient>,
    context: &Context<'_>,
    done: &mut Done,
) -> Result<Resolved, Reject> {
    let row = &entry.row;
    let at = |column, value: &str, reason| entry.reject(column, value, reason);
    let patient = patient.ok_or_else(|| {
        let value = row.mrn.clone();
        let what = "patient";
        at("mrn", &row.mrn, Reason::Unknown { what, value })
    })?;
    let to = context.references;
    let ward = to.ward(&row.ward).map_err(|r| at("ward", &row.ward, r))?;
    let zone = to.zone(&row.ward).map_err(|r| at("ward", &row.ward, r))?;
    let drug = to.drug(&row.drug).map_err(|r| at("drug", &row.drug, r))?;
    let doctor = to
        .user(&row.prescriber)
        .map_err(|r| at("prescriber", &row.prescriber, r))?;
    if row.unit != drug.unit {
        let reason = Reason::OtherUnit {
            found: row.unit.clone(),
            expected: drug.unit.clone(),
        };
        return Err(at("unit", &row.unit, reason));
    }
    let moment = |column, local: DateTime| {
        utc(local, zone).ok_or_else(|| {
            at(
                column,
                &local.to_string(),
                Reason::OutOfRange(local.to_string()),
            )
        })
    };
    let start = moment("start", row.start)?;
    let stop = row.stop.map(|stop| moment("stop", stop)).transpose()?;
    let reading = read(row, context);
    let schedule = reading.schedule.clone();
    note(entry, &reading, (start, stop), zone, context.now, done);
    let record = PrescriptionRecord {
        id: PrescriptionId(Uuid::now_v7()),
        ext: row.id.clone(),
        patient: patient.id,
        ward: ward.id,
        drug: drug.id,
        dose: row.dose,
        most: row.dose_max,
        written: row.dose_text.clone(),
        route: row.route.clone(),
        freq: row.frequency.clone(),
        schedule: schedule.to_string(),
        prn: row.prn || schedule.kind() == OrderKind::Prn,
        start: start.into(),
        stop: stop.map(At::from),
        priority: row.priority,
        doctor: doctor.id,
        status: status(&schedule, stop, context).to_owned(),
        // What was due before belongs to the system that the files come from.
        made: (context.now - context.settings.late).into(),
        change: String::new(),
    };
    Ok(Resolved {
        record,
        schedule,
        zone: zone.clone(),
    })
}

/// A local time that a clock change skips is as much later as the clock jumped; one that comes twice is the first.
fn utc(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(local).compatible().ok()
}

fn read(row: &PrescriptionRow, context: &Context<'_>) -> Reading {
    let written = Written {
        frequency: &row.frequency,
        times: &row.times,
        prn: row.prn,
        start: row.start,
    };
    understand(&written, &context.settings.standard_times)
}

/// A prescription that was over before the import has nothing more to give. A timed one still has its late doses.
fn status(schedule: &Schedule, stop: Option<Timestamp>, context: &Context<'_>) -> &'static str {
    let late = if schedule.kind() == OrderKind::Timed {
        context.settings.late
    } else {
        SignedDuration::ZERO
    };
    match stop {
        Some(stop) if stop + late <= context.now => "ended",
        _ => "active",
    }
}

/// Notes the frequency for the report, and a schedule that gives no dose in the time the prescription still runs.
fn note(
    entry: &Entry<PrescriptionRow>,
    reading: &Reading,
    (start, stop): (Timestamp, Option<Timestamp>),
    zone: &TimeZone,
    now: Timestamp,
    done: &mut Done,
) {
    done.notes.extend(entry.notes.iter().cloned());
    let row = &entry.row;
    let why = (reading.schedule == Schedule::Unscheduled).then(|| {
        reading
            .remark
            .map(|remark| remark.to_string())
            .unwrap_or_default()
    });
    done.frequencies.push((row.frequency.clone(), why));
    let (Some(stop), OrderKind::Timed) = (stop, reading.schedule.kind()) else {
        return;
    };
    // One more than the stop, for the dose of a prescription that stops when it starts.
    let until = (stop + SignedDuration::from_secs(1)).min(start + LOOK);
    let none = || due_times(&reading.schedule, start, Some(stop), start, until, zone).is_empty();
    if stop > now && none() {
        done.notes.push(Fault {
            file: PrescriptionRow::FILE,
            line: entry.line,
            column: "frequency",
            value: row.frequency.clone(),
            reason: Reason::NoDose(row.frequency.clone()),
        });
    }
}

/// Patient and drug are what a prescription is: another one needs another key.
fn other_identity(
    entry: &Entry<PrescriptionRow>,
    record: &PrescriptionRecord,
    known: &KnownPrescription,
) -> Option<Reject> {
    let (column, found) = if record.patient != known.patient_id {
        ("mrn", &entry.row.mrn)
    } else if record.drug != known.drug_id {
        ("drug", &entry.row.drug)
    } else {
        return None;
    };
    let reason = Reason::Identity {
        found: found.clone(),
        recorded: format!("that of prescription {}", known.id),
    };
    Some(entry.reject(column, found, reason))
}

/// Compares with what is on record: sets what changed in words (empty: nothing), key, status and reach. Whether its
/// times changed.
fn merge(resolved: &mut Resolved, known: &KnownPrescription, context: &Context<'_>) -> bool {
    let record = &mut resolved.record;
    record.id = known.id;
    let start = record.start != known.start_at;
    let stop = record.stop != known.stop_at;
    let schedule = record.schedule != known.schedule;
    // Ended by a clock that was wrong, or by an earlier file: while it runs, it is not over.
    let revived = known.status == "ended" && record.stop.is_none_or(|stop| stop.0 > context.now);
    let changed = words(&[
        (
            "dose",
            (record.dose, record.most) != (known.dose, known.dose_max)
                || record.written != known.dose_text,
        ),
        ("route", record.route != known.route),
        (
            "frequency",
            record.freq != known.frequency || schedule || record.prn != known.prn,
        ),
        ("start", start),
        ("stop", stop),
        ("end", revived),
        ("priority", record.priority != known.priority),
        ("prescriber", record.doctor != known.prescriber_id),
        ("ward", record.ward != known.ward_id),
    ]);
    if !changed.is_empty() {
        record.change = format!("the prescription was changed: {changed}");
    }
    let retimed = start || stop || schedule || revived;
    if known.status == "discontinued" {
        // A doctor ended it here; a file cannot begin it again.
        record.status.clone_from(&known.status);
    } else if !retimed {
        record.status.clone_from(&known.status);
    }
    // New times count from now on: a dose of the new ones just before now may have been given under the old.
    record.made = if retimed {
        context.now.into()
    } else {
        known.made_until
    };
    retimed
}

async fn change(
    mut link: Link<'_>,
    changed: &[(Resolved, bool)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let records: Vec<PrescriptionRecord> = changed
        .iter()
        .map(|(resolved, _)| resolved.record.clone())
        .collect();
    table::update_prescriptions(link.lend(), &records).await?;
    let retimed: HashMap<PrescriptionId, &Resolved> = changed
        .iter()
        .filter(|(_, retimed)| *retimed)
        .map(|(resolved, _)| (resolved.record.id, resolved))
        .collect();
    let ids = retimed.keys().map(|id| id.0).collect();
    let open = table::open_orders(link.lend(), ids).await?;
    let stale: Vec<StaleOrder> = open
        .iter()
        .filter(|order| {
            let resolved = retimed.get(&order.prescription_id);
            resolved.is_some_and(|resolved| !still_due(order, resolved, now))
        })
        .map(stale)
        .collect();
    table::close_orders(link.lend(), &stale, now.into()).await?;
    table::change_orders(link.lend(), &records, now.into()).await?;
    let reopened: Vec<Reopening> = retimed
        .values()
        .filter(|resolved| resolved.schedule.kind() != OrderKind::Timed)
        .map(|resolved| Reopening {
            id: OrderId(Uuid::now_v7()),
            rx: resolved.record.id,
            kind: resolved.schedule.kind(),
            most: Limits::from(&resolved.schedule).max_total,
        })
        .collect();
    table::reopen_orders(link, &reopened, now.into()).await?;
    Ok(())
}

fn stale(order: &OpenOrder) -> StaleOrder {
    let aside = SignedDuration::from_micros(fastrand::i64(1..1_000_000));
    StaleOrder {
        id: order.id,
        due: order.due_at.map(|At(due)| At(due + aside)),
    }
}

/// Whether a changed prescription still asks for an open order. What was due before now stays to be accounted for.
fn still_due(order: &OpenOrder, resolved: &Resolved, now: Timestamp) -> bool {
    let record = &resolved.record;
    let stop = record.stop.map(|stop| stop.0);
    let Some(At(due)) = order.due_at else {
        return order.kind == resolved.schedule.kind() && stop.is_none_or(|stop| stop > now);
    };
    let next = due + SignedDuration::from_micros(1);
    due < now
        || !due_times(
            &resolved.schedule,
            record.start.0,
            stop,
            due,
            next,
            &resolved.zone,
        )
        .is_empty()
}
