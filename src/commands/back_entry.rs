//! `valmed back-entry list`: the doses of a downtime that nobody has accounted for.

use jiff::SignedDuration;
use serde_json::Value;

use super::End;
use super::output::{List, local};
use crate::cli;
use crate::config::Config;
use crate::domain::report::{Kind, Line, Period};
use crate::store::{self, reports, screens};

/// Doses of a list at most: more than a ward gives in a week.
const MOST: usize = 10_000;

pub async fn back_entry(config: &Config, what: cli::BackEntry) -> anyhow::Result<()> {
    let cli::BackEntry::List(ask) = what;
    let db = super::open(config).await?;
    let now = store::now();
    let mut conn = db.reader().await?;
    let ward = screens::ward_by_code(conn.link(), &ask.ward).await?;
    let ward = ward.ok_or_else(|| End::Usage(format!("there is no ward '{}'", ask.ward)))?;
    let zone = ward.zone();
    let period = Period {
        from: Some(ask.from),
        to: ask.to,
    };
    let span = period.span(&zone, now).map_err(End::Usage)?;
    let limits = reports::Limits {
        now,
        // Whatever was due and is open, not only what is so late that it is missed.
        missed: SignedDuration::ZERO,
        late_minutes: 0,
        lines: MOST,
    };
    let page = reports::page(&mut conn, Kind::Missed, vec![(ward, span)], None, &limits).await?;
    let mut list = List::new(&[
        "order", "due", "bed", "mrn", "patient", "drug", "strength", "dose", "unit",
    ]);
    let left = page.rows.len();
    for row in page.rows {
        let Line::Dose(dose) = row.line else { continue };
        let amount = match dose.most {
            Some(most) if most != dose.least => format!("{}-{most}", dose.least),
            _ => dose.least.to_string(),
        };
        list.push([
            Value::from(dose.of.order.to_string()),
            local(dose.due, &zone).into(),
            dose.who.bed.into(),
            dose.who.mrn.into(),
            dose.who.name.into(),
            dose.drug.name.into(),
            dose.drug.strength.into(),
            amount.into(),
            dose.drug.unit.into(),
        ]);
    }
    list.print(ask.list.format)?;
    if page.next.is_some() {
        eprintln!("valmed: more than {MOST} doses: ask for a shorter time");
    } else if ask.list.format == cli::Style::Table {
        eprintln!("valmed: {left} doses are left to be entered");
    }
    Ok(())
}
