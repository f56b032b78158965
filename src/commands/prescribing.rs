//! `valmed prescribe`, `valmed discontinue --prescription`, `valmed my-orders`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;
use uuid::Uuid;

use super::desk_commands::{Caller, submit};
use super::output::{List, local};
use super::{End, listings, patients};
use crate::cli::{self, Said};
use crate::config::Config;
use crate::domain::prescribing::{Override, Prescribe, PrescribingWarning};
use crate::domain::schedule::asked;
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{PrescriptionId, Receipt, Refusal, Request};
use crate::signin::SignIn;
use crate::store::{self, Db, listing, record};

pub async fn prescribe(config: &Config, ask: cli::Prescribe) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let person = patients::person(&db, &caller, "prescribe", &ask.patient).await?;
    let zone = person.ward.zone();
    let drug = listing::drug_by_code(db.reader().await?.link(), &ask.drug).await?;
    let Some(drug) = drug else {
        let about = format!("drug {}", ask.drug);
        let refusal = Refusal::InvalidData {
            field: "drug".to_owned(),
            why: format!("the formulary has no drug '{}'", ask.drug),
        };
        let end = caller.refuse(&db, "prescribe", Some(person.ward.id), &about, refusal);
        return Err(end.await?.into());
    };
    let start = ask
        .start
        .map(|start| moment("--start", start, &zone))
        .transpose()?;
    let stop = ask
        .stop
        .map(|stop| moment("--stop", stop, &zone))
        .transpose()?;
    let begins = zone.to_datetime(start.unwrap_or_else(store::now));
    let when = asked(&ask.when, begins, &config.standard_times)
        .map_err(|why| End::Usage(format!("--when: {why}")))?;
    let despite = |kind, said: Option<Said>| said.map(|Said(reason)| Override { kind, reason });
    let overrides = despite(PrescribingWarning::Allergy, ask.despite_allergy)
        .into_iter()
        .chain(despite(
            PrescribingWarning::Duplicate,
            ask.despite_duplicate,
        ));
    let request = Prescribe {
        patient: person.patient.id,
        version: ask.version.unwrap_or(person.version),
        drug,
        dose: ask.dose,
        most: ask.dose_max,
        route: ask.route,
        frequency: when.frequency,
        schedule: when.schedule,
        stat: when.stat,
        start,
        stop,
        overrides: overrides.collect(),
    };
    let request = Request::Prescribe(Box::new(request));
    submit(config, &db, request, Some(drug), &caller).await
}

/// A moment of the ward's clock; one that a clock change skips is as much later as the clock jumped.
fn moment(flag: &str, at: DateTime, zone: &TimeZone) -> anyhow::Result<jiff::Timestamp> {
    let found = zone.to_ambiguous_timestamp(at).compatible();
    Ok(found.map_err(|_| End::Usage(format!("{flag}: '{at}' is beyond the calendar")))?)
}

/// Ends a prescription: `valmed discontinue --prescription`.
pub(super) async fn discontinue(
    config: &Config,
    db: &Db,
    caller: &Caller,
    (id, version, reason): (Uuid, Option<i64>, &str),
) -> anyhow::Result<()> {
    let prescription = PrescriptionId(id);
    let found = record::standing(db.reader().await?.link(), prescription).await?;
    let Some((now, drug)) = found else {
        let refusal = Refusal::PrescriptionNotFound { prescription };
        let about = format!("prescription {prescription}");
        let end = caller.refuse(db, "discontinue_prescription", None, &about, refusal);
        return Err(end.await?.into());
    };
    let request = Request::DiscontinuePrescription {
        prescription,
        version: caller.version(db, version, now).await?,
        reason: Said::of(reason).0,
    };
    submit(config, db, request, Some(drug), caller).await
}

pub async fn my_orders(config: &Config, ask: cli::MyOrders) -> anyhow::Result<()> {
    let db = super::open(config).await?;
    let doctor = SignIn::known(&db, &ask.actor).await?;
    let doctor =
        doctor.ok_or_else(|| End::Usage(format!("there is no account '{}'", ask.actor)))?;
    let after = listings::key(ask.page.after.as_deref())?.map(PrescriptionId);
    let mut list = List::new(&[
        "prescription",
        "ward",
        "bed",
        "mrn",
        "patient",
        "drug",
        "strength",
        "dose",
        "unit",
        "route",
        "frequency",
        "start",
        "stop",
        "status",
        "given",
        "waiting",
        "last_given",
        "version",
    ]);
    let mut conn = db.reader().await?;
    let mut tx = conn.begin_screen().await?;
    let page = ask.page.limit;
    let found =
        record::prescribed_by(tx.link(), doctor.id, ask.all, after, page, store::now()).await?;
    tx.rollback().await?;
    for line in found {
        let zone = listings::zone(&line.time_zone);
        let when =
            |at: Option<jiff::Timestamp>| at.map_or(Value::Null, |at| local(at, &zone).into());
        let dose = match (line.dose.written.as_str(), line.dose.most) {
            ("", most) => listings::dose(line.dose.least, most),
            (written, _) => written.to_owned(),
        };
        let stop = match line.status {
            PrescriptionStatus::Discontinued => line.ended_at.or(line.stop),
            _ => line.stop,
        };
        list.push([
            line.prescription.to_string().into(),
            line.ward.into(),
            line.bed.into(),
            line.mrn.into(),
            line.name.into(),
            line.drug.into(),
            line.strength.into(),
            dose.into(),
            line.unit.into(),
            line.route.into(),
            line.frequency.into(),
            when(Some(line.start)),
            when(stop),
            line.status.as_str().into(),
            line.done.into(),
            line.waiting.into(),
            when(line.last_given),
            line.version.into(),
        ]);
    }
    Ok(list.print(ask.page.list.format)?)
}

/// A receipt about a prescription or a patient, in words; `None`: it is about something else.
pub(super) fn told(receipt: &Receipt) -> Option<String> {
    Some(match receipt {
        Receipt::Prescribed {
            prescription,
            orders,
            ..
        } => {
            format!(
                "prescribed: {prescription}; in the queue: {}",
                doses(*orders)
            )
        }
        Receipt::PrescriptionDiscontinued {
            prescription,
            orders,
            ..
        } => {
            format!(
                "discontinued: prescription {prescription}, with {} that were open",
                doses(*orders)
            )
        }
        Receipt::Admitted { patient, again, .. } => {
            let again = if *again { " again" } else { "" };
            format!("admitted{again}: patient {patient}")
        }
        Receipt::Moved {
            patient, orders, ..
        } => {
            format!(
                "moved: patient {patient}, with {} that were open",
                doses(*orders)
            )
        }
        Receipt::Discharged {
            patient,
            orders,
            prescriptions,
            ..
        } => format!(
            "discharged: patient {patient}; prescriptions ended: {prescriptions}, open doses ended: {orders}"
        ),
        Receipt::AllergiesRecorded { patient, .. } => {
            format!("recorded: allergies of patient {patient}")
        }
        _ => return None,
    })
}

fn doses(count: u32) -> String {
    match count {
        1 => "1 dose".to_owned(),
        n => format!("{n} doses"),
    }
}
