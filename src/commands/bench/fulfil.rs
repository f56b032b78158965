//! `valmed bench fulfil`: how many doses a second the desk gives, and how long each nurse waits.
//!
//! Nothing is left out: the operations go through the real desk, with permission, the patient's number, the chain of the
//! drug register, the memory of operations and the audit, on a database that keeps every promise about its disk.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::cli::{BenchFulfil, Shape};
use crate::commands::output::{self, say};
use crate::commands::scratch_ward::{
    Hospital, Times, all_orders, ask_for, in_scratch, nurses, ward_code,
};
use crate::commands::{self, End};
use crate::config::Config;
use crate::desk::{Counters, Desk};
use crate::domain::{Outcome, UserId};
use crate::store::listing::OrderLine;
use crate::store::{Db, bulk, inspect};
use crate::verify;

/// The doses a second for which enough orders are made when their number is not said.
const DOSES_A_SECOND: u32 = 20_000;

/// Doses of a prescription: one an hour.
const DOSES: u32 = 24;

/// Units in every cupboard: more than anybody gives.
const PLENTY: u32 = 10_000_000;

/// The same drugs for the same doses in every run.
const SEED: u64 = 42;

/// What was measured.
struct Measured {
    /// How long it ran.
    took: Duration,
    /// How long each nurse waited for each answer, shortest first.
    waits: Vec<Duration>,
    /// Answers other than "given", by code.
    others: BTreeMap<&'static str, u64>,
    batches: u64,
    retries: u64,
    /// Bytes of the server's log, where the engine tells.
    wal: Option<u64>,
}

impl Measured {
    fn a_second(&self) -> f64 {
        self.waits.len() as f64 / self.took.as_secs_f64()
    }

    fn wait(&self, percent: usize) -> f64 {
        let nth = self.waits.len() * percent / 100;
        let wait = self.waits.get(nth).or(self.waits.last());
        wait.copied().unwrap_or_default().as_secs_f64() * 1000.0
    }

    fn each(&self, count: u64) -> f64 {
        count as f64 / self.waits.len().max(1) as f64
    }
}

/// Measures in a scratch database of the configured engine; an error if the books do not agree afterwards.
pub async fn fulfil(config: &Config, ask: BenchFulfil) -> anyhow::Result<()> {
    let (url, _) = config.database_or_embedded()?;
    let agrees = in_scratch(config, &url, async |made| {
        run(config, made.db(), &ask).await
    })
    .await?;
    if agrees {
        Ok(())
    } else {
        Err(End::Failed.into())
    }
}

async fn run(config: &Config, db: &Db, ask: &BenchFulfil) -> anyhow::Result<bool> {
    hospital(ask).fill(db).await?;
    bulk::settle(db.writer().await?).await?;
    let nurses = nurses(db, ask.callers).await?;
    let doses = Doses::of(all_orders(db).await?, ask.wards);
    let (desk, _feed) = commands::measured_desk(db, config);
    let before = inspect::written_ahead(db).await?;
    let mut measured = give(
        &desk,
        nurses,
        doses,
        Duration::from_secs(ask.seconds.into()),
    )
    .await?;
    let after = inspect::written_ahead(db).await?;
    measured.wal = before
        .zip(after)
        .map(|(before, after)| after.saturating_sub(before));
    anyhow::ensure!(
        desk.close(config.desk().wait).await,
        "the desk could not finish what it had taken"
    );
    tell(ask, &measured)?;
    books_agree(db, &measured).await
}

fn hospital(ask: &BenchFulfil) -> Hospital {
    let orders = ask
        .orders
        .unwrap_or_else(|| (DOSES_A_SECOND * ask.seconds).clamp(40_000, 2_000_000));
    let prescriptions = orders.div_ceil(DOSES).max(ask.wards);
    let mut chance = fastrand::Rng::with_seed(SEED);
    let cumulated = shares(ask.shape, ask.drugs);
    let mut hospital = Hospital {
        wards: ask.wards,
        nurses: ask.callers,
        patients: prescriptions.min(5000),
        drugs: ask.drugs,
        stock: BTreeMap::new(),
        prescriptions: Vec::new(),
        times: Times::Hourly,
    };
    for n in 0..prescriptions {
        let patient = n % hospital.patients;
        let at = chance.f64() * cumulated.last().copied().unwrap_or(1.0);
        let drug = cumulated.partition_point(|&share| share <= at) as u32;
        let drug = drug.min(ask.drugs - 1);
        let ward = hospital.ward_of(patient);
        hospital.stock.insert((ward, drug), PLENTY);
        hospital.prescriptions.push((patient, drug));
    }
    hospital
}

/// The share of each drug, added up to it.
fn shares(shape: Shape, drugs: u32) -> Vec<f64> {
    let share = |n: u32| match shape {
        Shape::Hot => f64::from(u8::from(n == 0)),
        Shape::Uniform => 1.0,
        Shape::Zipf => 1.0 / f64::from(n + 1),
    };
    (0..drugs)
        .scan(0.0, |sum, n| {
            *sum += share(n);
            Some(*sum)
        })
        .collect()
}

/// The doses of each ward in the order in which they are due: nurses give them one after the other.
struct Doses {
    of_ward: Vec<(Vec<OrderLine>, AtomicUsize)>,
}

impl Doses {
    fn of(orders: Vec<OrderLine>, wards: u32) -> Doses {
        let place: HashMap<String, usize> = (0..wards)
            .zip(0..)
            .map(|(ward, n)| (ward_code(ward), n))
            .collect();
        let mut of_ward: Vec<Vec<OrderLine>> = vec![Vec::new(); place.len()];
        for order in orders {
            if let Some(list) = place.get(&order.ward).and_then(|&n| of_ward.get_mut(n)) {
                list.push(order);
            }
        }
        Doses {
            of_ward: of_ward
                .into_iter()
                .map(|list| (list, AtomicUsize::new(0)))
                .collect(),
        }
    }

    /// The next dose that a nurse gives.
    fn next(&self, nurse: usize) -> Option<&OrderLine> {
        let (list, next) = self.of_ward.get(nurse % self.of_ward.len())?;
        list.get(next.fetch_add(1, Ordering::Relaxed))
    }
}

/// What one nurse met.
#[derive(Default)]
struct Shift {
    waits: Vec<Duration>,
    others: BTreeMap<&'static str, u64>,
    ran_out: bool,
}

async fn give(
    desk: &Desk,
    nurses: Vec<UserId>,
    doses: Doses,
    time: Duration,
) -> anyhow::Result<Measured> {
    let doses = Arc::new(doses);
    let mut shifts = tokio::task::JoinSet::new();
    let began = Instant::now();
    for (n, nurse) in nurses.into_iter().enumerate() {
        let (desk, doses) = (desk.clone(), Arc::clone(&doses));
        shifts.spawn(async move { shift(&desk, &doses, n, nurse, began + time).await });
    }
    let mut waits = Vec::new();
    let mut others: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut ran_out = false;
    while let Some(shift) = shifts.join_next().await {
        let shift = shift.context("a nurse's task")?;
        waits.extend(shift.waits);
        ran_out |= shift.ran_out;
        for (code, count) in shift.others {
            *others.entry(code).or_default() += count;
        }
    }
    let took = began.elapsed();
    anyhow::ensure!(
        !ran_out,
        "there were no more doses to give after {:.1} s: ask for more with --orders",
        took.as_secs_f64()
    );
    waits.sort_unstable();
    let Counters {
        batches, retries, ..
    } = desk.counters();
    Ok(Measured {
        took,
        waits,
        others,
        batches: batches.load(Ordering::Relaxed),
        retries: retries.load(Ordering::Relaxed),
        wal: None,
    })
}

async fn shift(desk: &Desk, doses: &Doses, n: usize, nurse: UserId, end: Instant) -> Shift {
    let mut shift = Shift::default();
    while Instant::now() < end {
        let Some(order) = doses.next(n) else {
            shift.ran_out = true;
            break;
        };
        let asked = Instant::now();
        let answer = match ask_for(desk, nurse, order).await {
            Outcome::Done(_) => {
                shift.waits.push(asked.elapsed());
                continue;
            }
            Outcome::Refused(refusal) => refusal.code(),
            Outcome::Unknown { .. } => "outcome not known",
        };
        *shift.others.entry(answer).or_default() += 1;
    }
    shift
}

fn tell(ask: &BenchFulfil, measured: &Measured) -> anyhow::Result<()> {
    let shape = ask.shape.as_str();
    let (p50, p99) = (measured.wait(50), measured.wait(99));
    if ask.json {
        let told = serde_json::json!({
            "shape": shape,
            "callers": ask.callers,
            "wards": ask.wards,
            "drugs": ask.drugs,
            "seconds": measured.took.as_secs_f64(),
            "doses": measured.waits.len(),
            "tx_s": measured.a_second(),
            "p50_ms": p50,
            "p99_ms": p99,
            "longest_ms": measured.wait(100),
            "retries_per_tx": measured.each(measured.retries),
            "batches": measured.batches,
            "doses_per_batch": measured.waits.len() as f64 / measured.batches.max(1) as f64,
            "wal_bytes": measured.wal,
            "wal_bytes_per_tx": measured.wal.map(|bytes| measured.each(bytes)),
            "not_given": measured.others,
        });
        say!("{}", output::json(&told)?)?;
    } else {
        say!(
            "valmed {shape} {:.0} {p50:.3} {p99:.3} {:.2}",
            measured.a_second(),
            measured.each(measured.retries)
        )?;
    }
    Ok(())
}

/// Whether stock, register and administrations agree with each other and with what the nurses were told; names on
/// standard error what does not.
async fn books_agree(db: &Db, measured: &Measured) -> anyhow::Result<bool> {
    let report = verify::verify(db).await?;
    let mut faults: Vec<String> = report
        .rules
        .iter()
        .filter_map(|rule| Some(format!("{}: {}", rule.rule, rule.broken_by.as_ref()?)))
        .collect();
    let given = measured.waits.len() as u64;
    if report.doses != given {
        let recorded = report.doses;
        faults.push(format!(
            "{given} doses were told to be given, and {recorded} are recorded"
        ));
    }
    for (code, count) in &measured.others {
        faults.push(format!("{count} doses were not given: {code}"));
    }
    for fault in &faults {
        eprintln!("✗ {}", output::shown(fault));
    }
    Ok(faults.is_empty())
}
