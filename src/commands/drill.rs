//! `valmed drill`: many nurses at once, in a scratch database of the configured engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::End;
use super::output::say;
use super::scratch_ward::{Hospital, Times, all_orders, ask_for, in_scratch, nurses};
use crate::cli;
use crate::config::Config;
use crate::desk::{Counters, Desk};
use crate::domain::{Outcome, UserId};
use crate::store::listing::OrderLine;
use crate::store::{Db, is_postgres};
use crate::verify;

/// Every so many doses, two nurses ask for the same one.
const RACE: usize = 10;

/// Of every drug this share is missing, in percent, rounded down: so many doses race for the last units.
const MISSING: u32 = 5;

/// Patients, so that a thousand doses are not one person's.
const PATIENTS: u32 = 100;

pub async fn drill(config: &Config, ask: cli::Drill) -> anyhow::Result<()> {
    let (url, _) = config.database_or_embedded()?;
    let engine = if is_postgres(&url) {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    let agrees = in_scratch(config, &url, async |made| {
        run(config, made.db(), &ask, engine).await
    })
    .await?;
    if agrees {
        Ok(())
    } else {
        Err(End::Failed.into())
    }
}

/// Gives whether everything agrees.
async fn run(config: &Config, db: &Db, ask: &cli::Drill, engine: &str) -> anyhow::Result<bool> {
    let stocked = fill(db, ask).await?;
    let orders = all_orders(db).await?;
    let nurses = nurses(db, ask.nurses).await?;
    let calls = calls(&orders);
    say!(
        "{} nurses ask for {} doses of {} drugs on {engine}; {} of them are asked for twice, and {} are not in stock",
        ask.nurses,
        orders.len(),
        ask.drugs,
        calls.len() - orders.len(),
        (orders.len() as u64).saturating_sub(stocked)
    )?;
    let (desk, _feed) = super::measured_desk(db, config);
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

/// Makes the ward; gives how many doses its stock suffices for.
async fn fill(db: &Db, ask: &cli::Drill) -> anyhow::Result<u64> {
    let stock: BTreeMap<(u32, u32), u32> = (0..ask.drugs)
        .map(|drug| {
            let wanted = ask.orders / ask.drugs + u32::from(drug < ask.orders % ask.drugs);
            ((0, drug), wanted - wanted * MISSING / 100)
        })
        .collect();
    let stocked = stock.values().map(|units| u64::from(*units)).sum();
    let ward = Hospital {
        wards: 1,
        nurses: ask.nurses,
        patients: PATIENTS,
        drugs: ask.drugs,
        stock,
        prescriptions: (0..ask.orders)
            .map(|n| (n % PATIENTS, n % ask.drugs))
            .collect(),
        times: Times::Once,
    };
    ward.fill(db).await?;
    Ok(stocked)
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
                let answer = match ask_for(&desk, actor, order).await {
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
