//! The cupboard's lists.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde_json::Value;
use uuid::Uuid;

use crate::cli::Page;
use crate::cli::Style;
use crate::cli::cupboard::{Discrepancies, Transfers, Where};
use crate::commands::End;
use crate::commands::output::{List, local};
use crate::config::Config;
use crate::domain::shelf::{Named, Refill};
use crate::domain::snapshot::Ward;
use crate::domain::{
    DiscrepancyId, DrugId, OpId, OrderId, Outcome, Receipt, TransferId, WardId, supply, words,
};
use crate::store::cupboard::{self as table, DiscrepancyFilter, TransferFilter};
use crate::store::formulary::Formulary;
use crate::store::{At, Conn, Day, Db, listing, screens};

/// Rows of a ward's cupboard at most: more than any formulary has.
const EVERY: i64 = 100_000;

/// Later than any clock that a ward will see: where the newest page begins.
const BEYOND: Timestamp = Timestamp::constant(253_000_000_000, 0);

fn usage(text: String) -> anyhow::Error {
    End::Usage(text).into()
}

async fn ward_of(conn: &mut Conn, code: &str) -> anyhow::Result<Ward> {
    let found = screens::ward_by_code(conn.link(), code).await?;
    found.ok_or_else(|| usage(format!("there is no ward '{code}'")))
}

async fn drug_of(conn: &mut Conn, code: &str) -> anyhow::Result<DrugId> {
    let found = listing::drug_by_code(conn.link(), code).await?;
    found.ok_or_else(|| usage(format!("there is no drug '{code}'")))
}

fn drug_cells(drug: &Named) -> [Value; 3] {
    [
        drug.code.clone().into(),
        drug.name.clone().into(),
        drug.strength.clone().into(),
    ]
}

fn maybe(text: Option<String>) -> Value {
    text.map_or(Value::Null, Value::from)
}

/// The zones of every ward, for times in a list of several.
async fn zones(conn: &mut Conn) -> anyhow::Result<HashMap<WardId, TimeZone>> {
    let wards = screens::wards(conn.link()).await?;
    Ok(wards
        .into_iter()
        .map(|ward| (ward.id, ward.zone()))
        .collect())
}

fn in_zone(at: Timestamp, ward: WardId, zones: &HashMap<WardId, TimeZone>) -> Value {
    local(at, zones.get(&ward).unwrap_or(&TimeZone::UTC)).into()
}

/// When a day begins on a ward's calendar.
fn midnight(day: Date, zone: &TimeZone) -> Timestamp {
    let there = day.to_datetime(Time::midnight()).to_zoned(zone.clone());
    there.map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

pub async fn transfers(db: &Db, ask: Transfers) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let mut filter = TransferFilter::default();
    let mut zone = TimeZone::UTC;
    let mut only = async |conn: &mut Conn, code: &Option<String>| match code {
        Some(code) => {
            let ward = ward_of(conn, code).await?;
            zone = ward.zone();
            Ok::<_, anyhow::Error>(Some(ward.id))
        }
        None => Ok(None),
    };
    filter.ward = only(&mut conn, &ask.ward).await?;
    filter.source = only(&mut conn, &ask.from).await?;
    filter.destination = only(&mut conn, &ask.to).await?;
    if let Some(code) = &ask.drug {
        filter.drug = Some(drug_of(&mut conn, code).await?);
    }
    filter.since = ask.since.map(|day| At::from(midnight(day, &zone)));
    let end = ask.until.and_then(|day| day.tomorrow().ok());
    let end = end.map_or(BEYOND, |day| midnight(day, &zone));
    let before = match ask.page.after.as_deref() {
        None => (At::from(end), Uuid::nil()),
        Some(text) => {
            let id: Uuid = text
                .parse()
                .map_err(|_| usage(format!("--after: '{text}' is not an id")))?;
            let found = table::transfer(conn.link(), TransferId(id)).await?;
            let found =
                found.ok_or_else(|| usage(format!("--after: there is no transfer {id}")))?;
            (At::from(found.sent_at), id)
        }
    };
    let zones = zones(&mut conn).await?;
    let mut list = List::new(&[
        "id",
        "sent",
        "from",
        "to",
        "code",
        "drug",
        "strength",
        "quantity",
        "received",
        "unit",
        "status",
        "sent by",
        "arrived",
        "received by",
        "note",
        "discrepancy",
    ]);
    for line in table::transfers(conn.link(), &filter, before, ask.page.limit).await? {
        let mut row: Vec<Value> = vec![
            line.id.to_string().into(),
            in_zone(line.sent_at, line.source.id, &zones),
            line.source.code.into(),
            line.destination.code.into(),
        ];
        row.extend(drug_cells(&line.drug));
        row.extend([
            line.quantity.to_string().into(),
            maybe(line.received.map(|q| q.to_string())),
            line.drug.unit.into(),
            line.status.as_str().into(),
            line.sent_by.into(),
            line.received_at
                .map_or(Value::Null, |at| in_zone(at, line.destination.id, &zones)),
            maybe(line.received_by),
            line.note.into(),
            maybe(line.missing.map(|id| id.to_string())),
        ]);
        list.push(row);
    }
    Ok(list.print(ask.page.list.format)?)
}

pub async fn to_count(
    db: &Db,
    code: &str,
    controlled: bool,
    shelf: Option<&str>,
    style: Style,
) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let ward = ward_of(&mut conn, code).await?;
    let mut list = List::new(&[
        "code",
        "drug",
        "strength",
        "unit",
        "shelf",
        "row",
        "controlled",
        "next",
    ]);
    let lines = table::to_count(conn.link(), ward.id, EVERY).await?;
    let wanted = lines.into_iter().filter(|line| {
        (!controlled || line.drug.controlled) && shelf.is_none_or(|shelf| line.shelf == shelf)
    });
    for line in wanted {
        let next = match (line.unexplained, line.again) {
            (Some(id), _) => format!("explain discrepancy {id} first"),
            (None, true) => "count again".to_owned(),
            (None, false) => "count".to_owned(),
        };
        let mut row = drug_cells(&line.drug).to_vec();
        row.extend([
            line.drug.unit.into(),
            line.shelf.into(),
            line.seq.into(),
            line.drug.controlled.into(),
            next.into(),
        ]);
        list.push(row);
    }
    Ok(list.print(style)?)
}

pub async fn counts(db: &Db, code: &str, page: Page) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let ward = ward_of(&mut conn, code).await?;
    let before = match page.after.as_deref() {
        None => (At::from(BEYOND), Uuid::max()),
        Some(text) => time_and_id(text)?,
    };
    let zone = ward.zone();
    let mut list = List::new(&[
        "id", "time", "code", "drug", "strength", "counted", "register", "unit", "status", "by",
        "witness", "after",
    ]);
    for line in table::counts(conn.link(), ward.id, before, page.limit).await? {
        let mut row: Vec<Value> = vec![line.id.to_string().into(), local(line.at, &zone).into()];
        row.extend(drug_cells(&line.drug));
        row.extend([
            line.counted.to_string().into(),
            maybe(line.expected.map(|q| q.to_string())),
            line.drug.unit.into(),
            line.status.as_str().into(),
            line.by.into(),
            maybe(line.witness),
            format!("{}/{}", line.at, line.id).into(),
        ]);
        list.push(row);
    }
    Ok(list.print(page.list.format)?)
}

/// A key `TIME/ID`, as the last column of a list gives it.
fn time_and_id(text: &str) -> anyhow::Result<(At, Uuid)> {
    let wrong = || {
        usage(format!(
            "--after: '{text}' is not TIME/ID, as the last column gives it"
        ))
    };
    let (time, id) = text.split_once('/').ok_or_else(wrong)?;
    let time: Timestamp = time.parse().map_err(|_| wrong())?;
    Ok((At::from(time), id.parse().map_err(|_| wrong())?))
}

pub async fn discrepancies(db: &Db, ask: Discrepancies) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let ward = match &ask.ward {
        Some(code) => Some(ward_of(&mut conn, code).await?.id),
        None => None,
    };
    let after = match ask.page.after.as_deref() {
        None => None,
        Some(text) => {
            let id: Uuid = text
                .parse()
                .map_err(|_| usage(format!("--after: '{text}' is not an id")))?;
            let found = table::discrepancy(conn.link(), DiscrepancyId(id)).await?;
            let found =
                found.ok_or_else(|| usage(format!("--after: there is no discrepancy {id}")))?;
            Some((At::from(found.opened_at), id))
        }
    };
    let filter = DiscrepancyFilter {
        ward,
        all: ask.all,
        after,
    };
    let zones = zones(&mut conn).await?;
    let mut list = List::new(&[
        "id",
        "found",
        "ward",
        "code",
        "drug",
        "strength",
        "difference",
        "unit",
        "from",
        "status",
        "found by",
        "reason",
        "resolution",
        "resolved",
        "resolved by",
        "why",
    ]);
    for line in table::discrepancies(conn.link(), &filter, ask.page.limit).await? {
        let mut row: Vec<Value> = vec![
            line.id.to_string().into(),
            in_zone(line.opened_at, line.ward.id, &zones),
            line.ward.code.clone().into(),
        ];
        row.extend(drug_cells(&line.drug));
        let origin = match &line.sent_from {
            Some(ward) => format!("transfer from {}", ward.code),
            None => "count".to_owned(),
        };
        row.extend([
            words::difference(&line).into(),
            line.drug.unit.into(),
            origin.into(),
            line.status.as_str().into(),
            line.opened_by.into(),
            line.reason.into(),
            maybe(line.resolution.map(|how| how.to_string())),
            line.resolved_at
                .map_or(Value::Null, |at| in_zone(at, line.ward.id, &zones)),
            maybe(line.resolved_by),
            line.resolved_reason.into(),
        ]);
        list.push(row);
    }
    Ok(list.print(ask.page.list.format)?)
}

pub async fn lots(db: &Db, code: &str, page: Page) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let ward = ward_of(&mut conn, code).await?;
    let zero = Day(table::LONG_AGO);
    let after = match page.after.as_deref() {
        None => (zero, DrugId(0), String::new()),
        Some(text) => {
            let wrong = || usage(format!("--after: '{text}' is not DRUG:LOT:DATE"));
            let (drug, rest) = text.split_once(':').ok_or_else(wrong)?;
            let (lot, day) = rest.rsplit_once(':').ok_or_else(wrong)?;
            let day: Date = day.parse().map_err(|_| wrong())?;
            (Day(day), drug_of(&mut conn, drug).await?, lot.to_owned())
        }
    };
    let now = crate::store::now();
    let today = now.to_zoned(ward.zone()).date();
    let mut list = List::new(&[
        "code", "drug", "strength", "lot", "expires", "quantity", "unit", "state",
    ]);
    let after = (after.0, after.1, after.2.as_str());
    for line in table::lots_of_ward(conn.link(), ward.id, after, page.limit).await? {
        let state = match (line.recalled, line.expires_on < today) {
            (true, _) => "RECALLED",
            (false, true) => "EXPIRED",
            (false, false) => "ok",
        };
        let mut row = drug_cells(&line.drug).to_vec();
        row.extend([
            line.lot.into(),
            line.expires_on.to_string().into(),
            line.quantity.to_string().into(),
            line.drug.unit.into(),
            state.into(),
        ]);
        list.push(row);
    }
    Ok(list.print(page.list.format)?)
}

pub async fn lot_moves(db: &Db, code: &str, lot: &str, page: Page) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let drug = drug_of(&mut conn, code).await?;
    let after = match page.after.as_deref() {
        None => (WardId(i64::MIN), 0),
        Some(text) => {
            let wrong = || usage(format!("--after: '{text}' is not WARD:ROW"));
            let (ward, row) = text.split_once(':').ok_or_else(wrong)?;
            let ward = ward_of(&mut conn, ward).await?;
            (ward.id, row.parse().map_err(|_| wrong())?)
        }
    };
    let zones = zones(&mut conn).await?;
    let mut list = List::new(&[
        "ward", "row", "time", "reason", "quantity", "mrn", "patient", "by",
    ]);
    for line in table::lot_moves(conn.link(), drug, lot.trim(), after, page.limit).await? {
        let (name, mrn) = line.patient.unzip();
        list.push([
            line.ward.code.clone().into(),
            line.seq.into(),
            in_zone(line.at, line.ward.id, &zones),
            line.reason.as_str().into(),
            line.delta.to_string().into(),
            maybe(mrn),
            maybe(name),
            maybe(line.by),
        ]);
    }
    Ok(list.print(page.list.format)?)
}

pub async fn levels(db: &Db, code: &str, style: Style) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let ward = ward_of(&mut conn, code).await?;
    let mut list = List::new(&[
        "code",
        "drug",
        "strength",
        "stock",
        "threshold",
        "par",
        "unit",
        "shelf",
    ]);
    for line in table::levels(conn.link(), ward.id, EVERY).await? {
        let mut row = drug_cells(&line.drug).to_vec();
        row.extend([
            line.current.to_string().into(),
            line.threshold.to_string().into(),
            line.par.to_string().into(),
            line.drug.unit.into(),
            line.shelf.into(),
        ]);
        list.push(row);
    }
    Ok(list.print(style)?)
}

/// What a ward is short of or will be, from what its screen shows.
pub async fn shortages(db: &Db, config: &Config, code: &str, style: Style) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let ward = ward_of(&mut conn, code).await?;
    let (now, zone) = (crate::store::now(), ward.zone());
    let bounds = config.feed().bounds;
    let formulary = Formulary::default();
    let snapshot = screens::snapshot(&mut conn, &formulary, ward.id, bounds, now).await?;
    let Some(snapshot) = snapshot else {
        return Err(usage(format!("there is no ward '{code}'")));
    };
    let mut list = List::new(&[
        "code",
        "drug",
        "strength",
        "stock",
        "needs",
        "threshold",
        "unit",
        "runs out",
        "lasts",
    ]);
    for short in supply::shortages(&snapshot) {
        let level = short.level;
        let lasts = short.lasts(now).map(|span| {
            let minutes = span.as_mins();
            format!("{} h {:02}", minutes / 60, minutes % 60)
        });
        list.push([
            level.drug.code.clone().into(),
            level.drug.name.clone().into(),
            level.drug.strength.clone().into(),
            level.current.to_string().into(),
            level.needed.to_string().into(),
            level.threshold.to_string().into(),
            level.drug.unit.clone().into(),
            short
                .runs_out_at
                .map_or(Value::Null, |at| local(at, &zone).into()),
            maybe(lasts),
        ]);
    }
    Ok(list.print(style)?)
}

/// What fills a ward up to par.
pub async fn refills(conn: &mut Conn, ward: WardId, source: WardId) -> anyhow::Result<Vec<Refill>> {
    let zones = zones(conn).await?;
    let zone = zones.get(&source).cloned().unwrap_or(TimeZone::UTC);
    let today = Day(crate::store::now().to_zoned(zone).date());
    Ok(table::refills(conn.link(), ward, today, source, EVERY).await?)
}

pub fn print_refills(refills: Vec<Refill>, style: Style) -> anyhow::Result<()> {
    let mut list = List::new(&[
        "code",
        "drug",
        "strength",
        "stock",
        "par",
        "on its way",
        "available",
        "send",
        "unit",
    ]);
    for line in refills {
        let mut row = drug_cells(&line.drug).to_vec();
        row.extend([
            line.current.to_string().into(),
            line.par.to_string().into(),
            line.coming.to_string().into(),
            line.available.to_string().into(),
            line.quantity.to_string().into(),
            line.drug.unit.into(),
        ]);
        list.push(row);
    }
    Ok(list.print(style)?)
}

/// What became of each line of a replenishment.
pub fn sent_list() -> List {
    List::new(&[
        "code",
        "drug",
        "strength",
        "quantity",
        "unit",
        "outcome",
        "transfer",
        "operation",
    ])
}

pub fn push_sent(list: &mut List, refill: &Refill, op: OpId, outcome: &Outcome) {
    let (said, transfer) = match outcome {
        Outcome::Done(Receipt::Sent { transfer, .. }) => ("sent".to_owned(), Some(transfer)),
        Outcome::Done(_) => ("done".to_owned(), None),
        Outcome::Refused(refusal) => (refusal.to_string(), None),
        Outcome::Unknown { .. } => ("not known".to_owned(), None),
    };
    let mut row = drug_cells(&refill.drug).to_vec();
    row.extend([
        refill.quantity.to_string().into(),
        refill.drug.unit.clone().into(),
        said.into(),
        maybe(transfer.map(ToString::to_string)),
        op.to_string().into(),
    ]);
    list.push(row);
}

/// `valmed where`
pub async fn elsewhere(db: &Db, ask: Where) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let drug = match (&ask.drug, ask.order) {
        (Some(code), _) => drug_of(&mut conn, code).await?,
        (None, Some(order)) => {
            let found = listing::order(conn.link(), OrderId(order)).await?;
            let found = found.ok_or_else(|| usage(format!("there is no order {order}")))?;
            found.drug_id
        }
        (None, None) => return Err(usage("say which drug, or of which order".to_owned())),
    };
    let today = Day(crate::store::now().to_zoned(TimeZone::UTC).date());
    let mut list = List::new(&[
        "ward",
        "name",
        "drug",
        "strength",
        "stock",
        "blocked",
        "threshold",
        "unit",
    ]);
    for line in table::elsewhere(conn.link(), drug, today, EVERY).await? {
        list.push([
            line.ward.code.into(),
            line.ward.name.into(),
            line.drug.name.into(),
            line.drug.strength.into(),
            line.current.to_string().into(),
            line.blocked.to_string().into(),
            line.threshold.to_string().into(),
            line.drug.unit.into(),
        ]);
    }
    Ok(list.print(ask.list.format)?)
}
