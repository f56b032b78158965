//! `valmed patient …` and `valmed mar`.

use serde_json::Value;

use super::desk_commands::{Caller, submit};
use super::output::{self, List, local, say};
use super::{End, listings};
use crate::cli;
use crate::config::Config;
use crate::domain::mar::Windows;
use crate::domain::prescribed::Person;
use crate::domain::prescribing::Admit;
use crate::domain::text::plain;
use crate::domain::{PatientId, Refusal, Request};
use crate::store::{self, Db, record};
use crate::tui::record::print;

pub async fn patient(config: &Config, what: cli::Patient) -> anyhow::Result<()> {
    match what {
        cli::Patient::List(ask) => list(&super::open(config).await?, ask).await,
        cli::Patient::Admit(ask) => admit(config, ask).await,
        cli::Patient::Move(ask) => move_to(config, ask).await,
        cli::Patient::Discharge(ask) => discharge(config, ask).await,
        cli::Patient::Allergies(ask) => allergies(config, ask).await,
    }
}

/// The patient with that number; that there is none is refused, and on record.
pub(super) async fn person(
    db: &Db,
    caller: &Caller,
    kind: &str,
    mrn: &str,
) -> anyhow::Result<Person> {
    let found = record::person(db.reader().await?.link(), &plain(mrn)).await?;
    if let Some(person) = found {
        return Ok(person);
    }
    let refusal = Refusal::PatientNotFound {
        patient: mrn.to_owned(),
    };
    Err(caller
        .refuse(db, kind, None, "a patient", refusal)
        .await?
        .into())
}

async fn admit(config: &Config, ask: cli::Admit) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let ward = listings::ward(&mut db.reader().await?, &ask.ward).await?;
    let request = Admit {
        mrn: ask.patient,
        name: ask.name,
        birth_date: ask.born,
        ward,
        bed: ask.bed,
        allergies: ask.allergies,
    };
    let request = Request::Admit(Box::new(request));
    submit(config, &db, request, None, &caller).await
}

async fn move_to(config: &Config, ask: cli::Move) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let ward = listings::ward(&mut db.reader().await?, &ask.ward).await?;
    let found = person(&db, &caller, "move", &ask.patient).await?;
    let request = Request::Move {
        patient: found.patient.id,
        version: caller.version(&db, ask.version, found.version).await?,
        ward,
        bed: ask.bed,
    };
    submit(config, &db, request, None, &caller).await
}

async fn discharge(config: &Config, ask: cli::Discharge) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let found = person(&db, &caller, "discharge", &ask.patient).await?;
    let request = Request::Discharge {
        patient: found.patient.id,
        version: caller.version(&db, ask.version, found.version).await?,
        reason: ask.reason.0,
    };
    submit(config, &db, request, None, &caller).await
}

async fn allergies(config: &Config, ask: cli::Allergies) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let found = person(&db, &caller, "allergies", &ask.patient).await?;
    let request = Request::Allergies {
        patient: found.patient.id,
        version: caller.version(&db, ask.version, found.version).await?,
        allergies: ask.allergies,
    };
    submit(config, &db, request, None, &caller).await
}

async fn list(db: &Db, ask: cli::PatientList) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let found = match (&ask.ward, &ask.name) {
        (Some(ward), _) => {
            let ward = listings::ward(&mut conn, ward).await?;
            let nobody = PatientId(uuid::Uuid::nil());
            record::present(conn.link(), ward, ("", nobody), ask.limit).await?
        }
        (None, name) => {
            let name = name.as_deref().unwrap_or_default();
            record::people(conn.link(), name, ask.limit).await?
        }
    };
    let mut list = List::new(&[
        "mrn",
        "name",
        "born",
        "ward",
        "bed",
        "allergies",
        "discharged",
        "version",
    ]);
    for person in found {
        let zone = person.ward.zone();
        let left = person.discharged_at;
        list.push([
            person.patient.mrn.into(),
            person.patient.name.into(),
            person.patient.birth_date.to_string().into(),
            person.ward.code.into(),
            person.patient.bed.into(),
            person.patient.allergies.into(),
            left.map_or(Value::Null, |at| local(at, &zone).into()),
            person.version.into(),
        ]);
    }
    Ok(list.print(ask.list.format)?)
}

pub async fn mar(config: &Config, ask: cli::Mar) -> anyhow::Result<()> {
    let db = super::open(config).await?;
    let now = store::now();
    let mut conn = db.reader().await?;
    let found = record::day(&mut conn, &plain(&ask.patient), ask.day, now).await?;
    let missing = || End::Usage(format!("there is no patient '{}'", ask.patient));
    let found = found.ok_or_else(missing)?;
    if ask.format == cli::RecordForm::Json {
        say!("{}", output::json(&found)?)?;
    } else {
        let columns = usize::from(ask.width);
        write(&print::text(&found, now, windows(config), columns))?;
    }
    Ok(())
}

/// From when on a dose counts as due and as missed.
pub(super) fn windows(config: &Config) -> Windows {
    Windows {
        due: config.due_window(),
        missed: jiff::SignedDuration::from_mins(config.policy().missed_minutes.into()),
    }
}

fn write(text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
