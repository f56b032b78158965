//! `valmed orders`, `valmed stock`, `valmed log`.

use anyhow::anyhow;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use uuid::Uuid;

use super::End;
use super::output::{List, local};
use crate::cli;
use crate::config::Config;
use crate::domain::mar::{DoseOfDay, Standing, Windows};
use crate::domain::snapshot::Expiry;
use crate::domain::{OrderStatus, PatientId, Quantity, WardId};
use crate::store::listing::{self, OrderFilter};
use crate::store::{At, Conn, Db, screens};

/// Later than any clock that a ward will see: where the newest page begins.
pub const BEYOND: Timestamp = Timestamp::constant(253_000_000_000, 0);

/// A ward by its code.
pub async fn ward(conn: &mut Conn, code: &str) -> anyhow::Result<WardId> {
    match screens::ward_by_code(conn.link(), code).await? {
        Some(ward) => Ok(ward.id),
        None => Err(End::Usage(format!("there is no ward '{code}'")).into()),
    }
}

async fn only_ward(conn: &mut Conn, code: Option<&str>) -> anyhow::Result<Option<WardId>> {
    match code {
        Some(code) => Ok(Some(ward(conn, code).await?)),
        None => Ok(None),
    }
}

async fn only_patient(conn: &mut Conn, mrn: Option<&str>) -> anyhow::Result<Option<PatientId>> {
    let Some(mrn) = mrn else { return Ok(None) };
    match screens::patient_by_mrn(conn.link(), mrn).await? {
        Some(patient) => Ok(Some(patient.id)),
        None => Err(End::Usage(format!("there is no patient '{mrn}'")).into()),
    }
}

pub(super) fn key(after: Option<&str>) -> anyhow::Result<Option<Uuid>> {
    let parse = |text: &str| {
        text.parse()
            .map_err(|_| anyhow!(End::Usage(format!("--after: '{text}' is not an id"))))
    };
    after.map(parse).transpose()
}

/// `1` or `1-2`.
pub(super) fn dose(least: Quantity, most: Option<Quantity>) -> String {
    most.map_or_else(|| least.to_string(), |most| format!("{least}-{most}"))
}

pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

pub async fn orders(db: &Db, config: &Config, ask: cli::Orders) -> anyhow::Result<()> {
    let (now, windows) = (crate::store::now(), super::patients::windows(config));
    let mut conn = db.reader().await?;
    let filter = OrderFilter {
        ward: only_ward(&mut conn, ask.ward.as_deref()).await?,
        patient: only_patient(&mut conn, ask.patient.as_deref()).await?,
        status: ask.status.0,
        after: key(ask.page.after.as_deref())?,
    };
    let mut list = List::new(&[
        "id",
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
        "due",
        "held until",
        "kind",
        "priority",
        "status",
        "missed",
        "version",
    ]);
    let mut tx = conn.begin_screen().await?;
    let lines = listing::orders(tx.link(), &filter, ask.page.limit).await?;
    tx.rollback().await?;
    for line in lines {
        let missed = is_missed(&line, now, windows);
        list.push([
            line.id.to_string().into(),
            line.ward.into(),
            line.bed.into(),
            line.mrn.into(),
            line.patient.into(),
            line.drug.into(),
            line.strength.into(),
            dose(line.dosage, line.dosage_max).into(),
            line.unit.into(),
            line.route.into(),
            line.frequency.into(),
            line.due_at
                .map_or(Value::Null, |at| local(at.0, &zone(&line.time_zone)).into()),
            line.held_until
                .map_or(Value::Null, |at| local(at.0, &zone(&line.time_zone)).into()),
            line.kind.as_str().into(),
            line.priority.as_str().into(),
            line.status.as_str().into(),
            missed.into(),
            line.version.into(),
        ]);
    }
    Ok(list.print(ask.page.list.format)?)
}

/// Whether nobody has accounted for a dose, and its window is long over.
fn is_missed(line: &listing::OrderLine, now: Timestamp, windows: Windows) -> bool {
    let dose = DoseOfDay {
        order: line.id,
        due: line.due_at.map(|at| at.0),
        status: line.status,
        held_until: line.held_until.map(|at| at.0),
        change: String::new(),
        entries: Vec::new(),
    };
    line.status == OrderStatus::Active && dose.standing(now, windows) == Standing::Missed
}

pub async fn stock(db: &Db, config: &Config, ask: cli::Stock) -> anyhow::Result<()> {
    let (now, days) = (crate::store::now(), config.policy().expiring_days);
    let mut conn = db.reader().await?;
    let only = only_ward(&mut conn, ask.ward.as_deref()).await?;
    let after = match ask.page.after.as_deref() {
        None => None,
        Some(text) => {
            let usage = || End::Usage(format!("--after: '{text}' is not WARD:DRUG"));
            let (code, drug) = text.split_once(':').ok_or_else(usage)?;
            let drug = listing::drug_by_code(conn.link(), drug)
                .await?
                .ok_or_else(usage)?;
            Some((ward(&mut conn, code).await?, drug))
        }
    };
    let mut list = List::new(&[
        "ward",
        "code",
        "drug",
        "strength",
        "stock",
        "threshold",
        "unit",
        "level",
        "expires",
        "expiry",
    ]);
    for line in listing::stock(conn.link(), only, ask.low, after, ask.page.limit).await? {
        let level = match line.current_stock {
            stock if !stock.is_positive() => "OUT",
            stock if stock <= line.low_stock_threshold => "LOW",
            _ => "ok",
        };
        let expires = line.expires_on.map(|day| day.0);
        let today = now.to_zoned(zone(&line.time_zone)).date();
        let expiry = match Expiry::of(expires, today, days) {
            Some(Expiry::Expired(_)) => "EXPIRED",
            Some(Expiry::Soon(_)) => "soon",
            None if expires.is_some() => "ok",
            None => "",
        };
        list.push([
            line.ward.into(),
            line.code.into(),
            line.drug.into(),
            line.strength.into(),
            line.current_stock.to_string().into(),
            line.low_stock_threshold.to_string().into(),
            line.unit.into(),
            level.into(),
            expires.map_or(Value::Null, |day| day.to_string().into()),
            expiry.into(),
        ]);
    }
    Ok(list.print(ask.page.list.format)?)
}

pub async fn log(db: &Db, ask: cli::Log) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let ward = only_ward(&mut conn, ask.ward.as_deref()).await?;
    let patient = only_patient(&mut conn, ask.patient.as_deref()).await?;
    let before = match key(ask.page.after.as_deref())? {
        None => (At::from(BEYOND), Uuid::max()),
        Some(id) => {
            let at = listing::time_of(conn.link(), id).await?;
            (
                at.ok_or_else(|| End::Usage(format!("--after: there is no administration {id}")))?,
                id,
            )
        }
    };
    let mut list = List::new(&[
        "id",
        "given",
        "entered",
        "ward",
        "mrn",
        "patient",
        "drug",
        "strength",
        "quantity",
        "unit",
        "outcome",
        "by",
        "witness",
        "reason",
        "takes back",
    ]);
    let mut tx = conn.begin_screen().await?;
    let lines = listing::log(tx.link(), ward, patient, before, ask.page.limit).await?;
    tx.rollback().await?;
    for line in lines {
        let zone = zone(&line.time_zone);
        list.push([
            line.id.to_string().into(),
            local(line.administration_time.0, &zone).into(),
            local(line.recorded_at.0, &zone).into(),
            line.ward.into(),
            line.mrn.into(),
            line.patient.into(),
            line.drug.into(),
            line.strength.into(),
            line.quantity.to_string().into(),
            line.unit.into(),
            line.outcome.as_str().into(),
            line.nurse.into(),
            line.witness.map_or(Value::Null, Value::from),
            line.reason.into(),
            line.reverses
                .map_or(Value::Null, |id| id.to_string().into()),
        ]);
    }
    Ok(list.print(ask.page.list.format)?)
}

pub async fn effects(db: &Db, ask: cli::Effects) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let ward = ward(&mut conn, &ask.ward).await?;
    let mut list = List::new(&[
        "id", "asked", "given", "bed", "mrn", "patient", "drug", "strength", "quantity", "unit",
        "for", "by",
    ]);
    for line in listing::effects(conn.link(), ward, crate::store::now().into(), ask.limit).await? {
        let zone = zone(&line.time_zone);
        let reason = match (line.indication.as_str(), line.indication_text.as_str()) {
            (code, "") => code.to_owned(),
            (code, text) => format!("{code}: {text}"),
        };
        list.push([
            line.id.to_string().into(),
            local(line.due_at.0, &zone).into(),
            local(line.administration_time.0, &zone).into(),
            line.bed.into(),
            line.mrn.into(),
            line.patient.into(),
            line.drug.into(),
            line.strength.into(),
            line.quantity.to_string().into(),
            line.unit.into(),
            reason.into(),
            line.nurse.into(),
        ]);
    }
    Ok(list.print(ask.list.format)?)
}
