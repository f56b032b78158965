//! `valmed report`: what happened in wards between two moments, for whoever may know.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use uuid::Uuid;

use super::output::{List, local, say};
use super::{End, audit, patients};
use crate::cli;
use crate::config::Config;
use crate::domain::decide::reports::{may_read, reads};
use crate::domain::report::fields::By;
use crate::domain::report::{Field, Kind, Page, Period, Span, columns, fields, late_minutes};
use crate::domain::snapshot::Ward;
use crate::domain::{Actor, OpId, Refusal};
use crate::signin::SignIn;
use crate::store::{self, Db, audit as table, reports, screens};
use crate::tui::pages::report as paper;

pub async fn report(config: &Config, ask: cli::Report) -> anyhow::Result<()> {
    let db = super::open(config).await?;
    let now = store::now();
    let actor = SignIn::known(&db, &ask.actor).await?;
    let actor = actor.ok_or_else(|| End::Usage(format!("there is no account '{}'", ask.actor)))?;
    let mut conn = db.reader().await?;
    let wards = screens::wards(conn.link()).await?;
    drop(conn);
    let named = named(&wards, ask.ward.as_deref())?;
    let place = named.map(|ward| (ward.id, ward.name.as_str()));
    if let Err(refusal) = may_read(&actor, ask.kind, place, now) {
        return Err(refused(&db, &actor, ask.kind, named, refusal, ask.format).await?);
    }
    let period = Period {
        from: ask.from,
        to: ask.to,
    };
    let seen = wards.iter().filter(|ward| {
        named.is_none_or(|named| named.id == ward.id) && reads(&actor, ask.kind, ward.id, now)
    });
    let spans = seen
        .map(|ward| Ok((ward.clone(), period.span(&ward.zone(), now)?)))
        .collect::<Result<Vec<(Ward, Span)>, String>>()
        .map_err(End::Usage)?;
    let policy = config.policy();
    let windows = patients::windows(config);
    let limits = reports::Limits {
        now,
        missed: windows.missed,
        late_minutes: late_minutes(&policy),
        lines: usize::try_from(ask.limit).unwrap_or(usize::MAX),
    };
    let mut conn = db.reader().await?;
    let page = reports::page(&mut conn, ask.kind, spans, ask.after, &limits).await?;
    drop(conn);
    let by = By {
        now,
        policy: &policy,
        windows,
    };
    match ask.print {
        Some(width) => {
            let text = paper::text(&page, &by, &actor.name, usize::from(width));
            for line in text.lines() {
                say!("{line}")?;
            }
        }
        None => as_list(&page, &by).print(ask.format)?,
    }
    if let Some(next) = page.next {
        eprintln!("valmed: more follows: ask for it with --after {next}");
    }
    Ok(())
}

fn named<'a>(wards: &'a [Ward], code: Option<&str>) -> Result<Option<&'a Ward>, End> {
    let Some(code) = code else { return Ok(None) };
    let found = wards
        .iter()
        .find(|ward| ward.code.eq_ignore_ascii_case(code));
    found
        .map(Some)
        .ok_or_else(|| End::Usage(format!("there is no ward '{code}'")))
}

/// A refusal that the desk never sees; it is on record like the desk's own.
async fn refused(
    db: &Db,
    actor: &Actor,
    kind: Kind,
    ward: Option<&Ward>,
    refusal: Refusal,
    style: cli::Style,
) -> anyhow::Result<anyhow::Error> {
    let what = audit::refused("report", kind.as_str(), &refusal, OpId(Uuid::now_v7()));
    let who = (actor.id, actor.username.as_str());
    let event = audit::event("refused", who, ward.map(|ward| ward.id), &what);
    table::write(db.writer().await?.link(), &[event]).await?;
    Ok(End::Refused(Box::new(refusal), style).into())
}

fn as_list(page: &Page, by: &By<'_>) -> List {
    let names: Vec<&'static str> = std::iter::once("ward")
        .chain(columns(page.kind).iter().copied())
        .collect();
    let mut list = List::new(&names);
    for row in &page.rows {
        let ward = page.ward(row);
        let zone = ward.map_or(TimeZone::UTC, Ward::zone);
        let code = ward.map_or_else(|| row.ward.to_string(), |ward| ward.code.clone());
        let fields = fields(&row.line, by);
        list.push(
            std::iter::once(Value::from(code))
                .chain(fields.into_iter().map(|field| value(field, &zone))),
        );
    }
    list
}

fn value(field: Field, zone: &TimeZone) -> Value {
    let time = |at: Option<Timestamp>| at.map_or(Value::Null, |at| local(at, zone).into());
    match field {
        Field::Time(at) => time(at),
        Field::Text(text) | Field::Name(text) | Field::Key(text) if text.is_empty() => Value::Null,
        Field::Text(text) | Field::Name(text) | Field::Key(text) => text.into(),
        Field::Drug(name, strength) => format!("{name} {strength}").trim_end().to_owned().into(),
        Field::Quantity(quantity) => quantity.to_string().into(),
        Field::Minutes(minutes) => minutes.map_or(Value::Null, Value::from),
        Field::Word(word, _) => word.into(),
    }
}
