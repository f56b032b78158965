//! `valmed register`: a page of the drug register, as a list or to print.

use serde_json::Value;

use crate::cli::cupboard::Register;
use crate::commands::output::{List, local, say, shown};
use crate::commands::{End, listings};
use crate::config::Config;
use crate::domain::shelf::{RegisterLine, RegisterPage};
use crate::domain::{Quantity, words};
use crate::store::{cupboard as table, listing, screens};

pub async fn register(config: &Config, ask: Register) -> anyhow::Result<()> {
    let db = crate::commands::open(config).await?;
    let mut conn = db.reader().await?;
    let ward = listings::ward(&mut conn, &ask.at.ward).await?;
    let zone = screens::ward_by_code(conn.link(), &ask.at.ward)
        .await?
        .map(|ward| ward.zone());
    let drug = listing::drug_by_code(conn.link(), &ask.at.drug).await?;
    let drug = drug.ok_or_else(|| End::Usage(format!("there is no drug '{}'", ask.at.drug)))?;
    let before = match ask.page.after.as_deref() {
        None => i64::MAX,
        Some(text) => text
            .parse()
            .map_err(|_| End::Usage(format!("--after: '{text}' is not a row")))?,
    };
    let mut tx = conn.begin_read().await?;
    let rows = table::RegisterAsk {
        ward,
        drug,
        before,
        limit: ask.page.limit,
    };
    let page = table::register(tx.link(), rows).await?;
    tx.rollback().await?;
    let none = || End::Usage(format!("{} does not stock {}", ask.at.ward, ask.at.drug));
    let page = page.ok_or_else(none)?;
    let zone = zone.unwrap_or(jiff::tz::TimeZone::UTC);
    let sound = page.head_holds && page.lines.iter().all(|line| line.holds);
    match ask.print {
        Some(columns) => {
            let text = words::register_text(&page, &zone, usize::from(columns));
            for line in text.lines() {
                say!("{}", shown(line))?;
            }
        }
        None => as_list(&page, &zone).print(ask.page.list.format)?,
    }
    if sound {
        Ok(())
    } else {
        Err(End::Failed.into())
    }
}

fn as_list(page: &RegisterPage, zone: &jiff::tz::TimeZone) -> List {
    let mut list = List::new(&[
        "row", "time", "patient", "reason", "in", "out", "balance", "by", "witness", "hash",
        "holds",
    ]);
    for line in &page.lines {
        let (came, went) = in_and_out(line);
        list.push([
            line.seq.into(),
            local(line.at, zone).into(),
            line.patient.as_ref().map_or(Value::Null, |(_, name, mrn)| {
                format!("{name} ({mrn})").into()
            }),
            words::register_reason(line).into(),
            came.map_or(Value::Null, |q| q.to_string().into()),
            went.map_or(Value::Null, |q| q.to_string().into()),
            line.balance.to_string().into(),
            line.by.clone().map_or(Value::Null, Value::from),
            line.witness.clone().map_or(Value::Null, Value::from),
            line.hash.clone().into(),
            line.holds.into(),
        ]);
    }
    list
}

fn in_and_out(line: &RegisterLine) -> (Option<Quantity>, Option<Quantity>) {
    if line.delta.is_positive() {
        (Some(line.delta), None)
    } else {
        (None, Some(-line.delta))
    }
}
