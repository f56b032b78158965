//! `valmed drill`: many nurses at once, in a scratch database of the configured engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::SignedDuration;
use uuid::Uuid;

use super::End;
use super::output::say;
use crate::cli;
use crate::config::Config;
use crate::desk::horizon::make_orders_ahead;
use crate::desk::{Counters, Desk};
use crate::domain::{OpId, Operation, Outcome, Request, UserId};
use crate::interop::import::{self, Settings};
use crate::interop::{Rejects, Source};
use crate::signin::SignIn;
use crate::store::listing::{self, OrderFilter, OrderLine};
use crate::store::scratch::Scratch;
use crate::store::{Db, inspect, is_postgres, now, screens};
use crate::verify;

/// Every so many doses, two nurses ask for the same one.
const RACE: usize = 10;

/// Of every drug this share is missing, in percent, rounded down: so many doses race for the last units.
const MISSING: u32 = 5;

/// The drill's doses are due at once: any horizon reaches them.
const HORIZON: SignedDuration = SignedDuration::from_hours(2);

/// Orders read at once.
const PAGE: i64 = 5000;

pub async fn drill(config: &Config, ask: cli::Drill) -> anyhow::Result<()> {
    let (url, _) = config.database_or_embedded()?;
    let engine = if is_postgres(&url) {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    let scratch = Scratch::make(&url, &config.pool())
        .await
        .context("a scratch database")?;
    let result = tokio::select! {
        result = run(config, scratch.db(), &ask, engine) => result,
        // Whoever interrupts a drill does not want its database left behind.
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    scratch
        .drop_it()
        .await
        .context("the scratch database could not be dropped")?;
    if result? {
        Ok(())
    } else {
        Err(End::Failed.into())
    }
}

/// Gives whether everything agrees.
async fn run(config: &Config, db: &Db, ask: &cli::Drill, engine: &str) -> anyhow::Result<bool> {
    let stocked = fill(db, ask).await?;
    let orders = all_orders(db).await?;
    let mut nurses = Vec::new();
    for n in 0..ask.nurses {
        let name = format!("nurse{n}");
        nurses.push(
            SignIn::known(db, &name)
                .await?
                .with_context(|| format!("no account {name}"))?
                .id,
        );
    }
    let calls = calls(&orders);
    say!(
        "{} nurses ask for {} doses of {} drugs on {engine}; {} of them are asked for twice, and {} are not in stock",
        ask.nurses,
        orders.len(),
        ask.drugs,
        calls.len() - orders.len(),
        (orders.len() as u64).saturating_sub(stocked)
    )?;
    let (desk, _feed) = super::desk(db, config);
    let began = Instant::now();
    let answers = give(&desk, nurses, calls).await?;
    let took = began.elapsed();
    desk.close(Duration::from_secs(10)).await;
    let asked: u64 = answers.values().sum();
    let given = answers.get(GIVEN).copied().unwrap_or(0);
    for (code, count) in &answers {
        say!("  {count:>8} {code}")?;
    }
    let per_batch = batch_size(desk.counters());
    let rate = grouped(asked as f64 / took.as_secs_f64());
    say!("{rate} ops/s ({per_batch:.1} operations in a transaction)")?;
    let mut agrees = true;
    let report = verify::verify(db).await?;
    let mut check = |what: String, holds: bool| {
        agrees &= holds;
        say!("{} {what}", if holds { '✓' } else { '✗' })
    };
    check(
        format!("{given} given, and {stocked} were in stock"),
        given == stocked,
    )?;
    check(
        format!("{} are recorded as given", report.doses),
        report.doses == given,
    )?;
    for rule in &report.rules {
        check(rule.rule.to_owned(), rule.broken_by.is_none())?;
    }
    let unanswered = answers.keys().any(|code| *code == UNKNOWN);
    check(
        "every caller was told what became of it".to_owned(),
        !unanswered,
    )?;
    Ok(agrees)
}

const GIVEN: &str = "given";
const UNKNOWN: &str = "outcome not known";

fn batch_size(counters: &Counters) -> f64 {
    let batches = counters.batches.load(Ordering::Relaxed).max(1);
    counters.operations.load(Ordering::Relaxed) as f64 / batches as f64
}

/// `12345.6` as `12,346`.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Makes the ward, through the same import that a hospital uses; gives how many doses its stock suffices for.
async fn fill(db: &Db, ask: &cli::Drill) -> anyhow::Result<u64> {
    let (nurses, drugs, orders) = (ask.nurses, ask.drugs, ask.orders);
    let mut files: BTreeMap<&'static str, String> = BTreeMap::from([
        ("wards.csv", "code,name,kind\nDRILL,Drill ward,ward\n".to_owned()),
        ("users.csv", "username,name,role,wards\ndoctor,Dr Drill,doctor,DRILL\n".to_owned()),
        ("patients.csv", "mrn,name,birth_date,ward,bed\n".to_owned()),
        ("drugs.csv", "code,name,form,strength,unit,ndc,controlled,high_alert\n".to_owned()),
        ("stock.csv", "ward,drug,quantity,low_stock_threshold\n".to_owned()),
        (
            "prescriptions.csv",
            "id,mrn,ward,drug,dose,dose_max,unit,route,frequency,times,prn,start,stop,priority,prescriber\n".to_owned(),
        ),
    ]);
    let mut add = |file: &'static str, line: String| files.entry(file).or_default().push_str(&line);
    for n in 0..nurses {
        add("users.csv", format!("nurse{n},Nurse {n},nurse,DRILL\n"));
    }
    for n in 0..100 {
        add(
            "patients.csv",
            format!("D{n:05},Patient {n},1950-01-01,DRILL,{n}\n"),
        );
    }
    let mut stocked = 0;
    for n in 0..drugs {
        let wanted = orders / drugs + u32::from(n < orders % drugs);
        let stock = wanted - wanted * MISSING / 100;
        stocked += u64::from(stock);
        add("drugs.csv", format!("DRUG{n},Drug {n},tab,1 mg,tab,,0,0\n"));
        add("stock.csv", format!("DRILL,DRUG{n},{stock},5\n"));
    }
    let start = now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S")
        .to_string();
    for n in 0..orders {
        let (patient, drug) = (n % 100, n % drugs);
        let line = format!(
            "drill-{n},D{patient:05},DRILL,DRUG{drug},1,,tab,PO,ONCE,,0,{start},{start},routine,doctor\n"
        );
        add("prescriptions.csv", line);
    }
    let folder = tempfile::tempdir()?;
    let mut rejects = Rejects::at(folder.path().join("rejects.csv"));
    let source = Source::Texts(files.into_iter().collect());
    let report = import::import(
        db,
        &source,
        &Settings::default(),
        now(),
        &mut rejects,
        &mut |_| {},
    )
    .await?;
    anyhow::ensure!(
        report.rejected() == 0,
        "the drill's own rows were rejected: {:?}",
        report.rejects
    );
    make_orders_ahead(db, now(), HORIZON).await?;
    inspect::refresh_statistics(db).await?;
    Ok(stocked)
}

async fn all_orders(db: &Db) -> anyhow::Result<Vec<OrderLine>> {
    let mut conn = db.reader().await?;
    let ward = screens::ward_by_code(conn.link(), "DRILL")
        .await?
        .map(|ward| ward.id);
    let mut filter = OrderFilter {
        ward,
        ..OrderFilter::default()
    };
    let mut orders: Vec<OrderLine> = Vec::new();
    loop {
        let page = listing::orders(conn.link(), &filter, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(orders);
        };
        filter.after = Some(last.id.0);
        orders.extend(page);
    }
}

/// Every dose once, and every so many a second time right behind: two nurses reach for the same dose.
fn calls(orders: &[OrderLine]) -> Vec<OrderLine> {
    let mut calls = Vec::new();
    for (n, order) in orders.iter().enumerate() {
        calls.push(order.clone());
        if n % RACE == 0 {
            calls.push(order.clone());
        }
    }
    calls
}

/// Lets every nurse take the next call until there is none; counts the answers by what they were.
async fn give(
    desk: &Desk,
    nurses: Vec<UserId>,
    calls: Vec<OrderLine>,
) -> anyhow::Result<BTreeMap<&'static str, u64>> {
    let calls = Arc::new(calls);
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for actor in nurses {
        let (desk, calls, next) = (desk.clone(), Arc::clone(&calls), Arc::clone(&next));
        tasks.spawn(async move {
            let mut answers: BTreeMap<&'static str, u64> = BTreeMap::new();
            while let Some(order) = calls.get(next.fetch_add(1, Ordering::Relaxed)) {
                let request = Request::Fulfil {
                    order: order.id,
                    version: order.version,
                    identified: order.mrn.clone(),
                    amount: None,
                };
                let operation = Operation {
                    id: OpId(Uuid::now_v7()),
                    actor,
                    request,
                };
                let answer = match desk.submit(operation, Some(order.drug_id)).outcome().await {
                    Outcome::Done(_) => GIVEN,
                    Outcome::Refused(refusal) => refusal.code(),
                    Outcome::Unknown { .. } => UNKNOWN,
                };
                *answers.entry(answer).or_default() += 1;
            }
            answers
        });
    }
    let mut all: BTreeMap<&'static str, u64> = BTreeMap::new();
    while let Some(answers) = tasks.join_next().await {
        for (code, count) in answers.context("a nurse's task")? {
            *all.entry(code).or_default() += count;
        }
    }
    Ok(all)
}
