//! What was measured, and which targets were met.

use std::time::Duration;

use anyhow::Context;
use fastrand::Rng;
use serde::Serialize;
use serde_json::Value;

use super::House;
use super::desk::DeskFigures;
use super::measure::{Measured, Samples, subject};
use crate::cli::{self, Style};
use crate::commands::bench::in_milliseconds;
use crate::commands::output::{List, json, say};
use crate::store::Engine;
use crate::store::catalogue::queries;
use crate::store::inspect::Plan;
use crate::store::screens::Bounds;

/// No query of a screen may take longer, warm, 99 times in 100 (milliseconds). A whole screen is several of them and what
/// is made of them: it may take what they take together, and is held to the growth below.
const LONGEST: f64 = 5.0;

/// Nor so many times longer than with little behind it, half of the times and 99 times in 100; where it shows more rows there, so many times longer a row.
const GROWTH: f64 = 1.5;

/// Figures below these (milliseconds) are made by the machine as much as by the query, and half of the times may have grown
/// so many times more.
///
/// - Of the first nothing is compared: a row by its key takes 0.01 ms where the connection's thread happens to run on the
///   processor that asks, and 0.06 where another must be woken, for a whole run, in whichever hospital.
/// - Of the second, an index of a million keys is one page deeper than one of ten thousand.
/// - Of the third, what a small hospital has is in the processor's cache as a whole, while in a large one each page comes
///   from memory: a list of 100 orders, each with its patient and prescription, reads the same 900 pages in both, in 0.6
///   and in 1.1 ms.
///
/// A table that is read whole grows a hundred times, and shows all the same.
const FLOORS: [(f64, f64); 3] = [(0.1, f64::INFINITY), (0.5, 2.0), (1.5, 4.0 / 3.0)];

/// One time in a hundred is as long as the longest that the machine did something else: p99 is compared from here on
/// (milliseconds).
const FLOOR_P99: f64 = 1.5;

/// Parts of a run, each with a p99 of its own.
const PARTS: usize = 5;

/// From the start of the program to the ward on the screen (milliseconds).
const START: f64 = 150.0;

/// What one desk may take (bytes).
const MEMORY: u64 = 40_000_000;

/// Half of the times it was no longer than the first, 99 times in 100 no longer than the second (milliseconds).
#[derive(Debug, Clone, Copy, Serialize)]
struct Times {
    p50_ms: f64,
    p99_ms: f64,
}

impl Times {
    /// p99 is the middle one of those of the parts of the run.
    fn of(times: &[Duration]) -> Option<Times> {
        let longest = parts(times).filter_map(|part| at(part, 99)).collect();
        Some(Times {
            p50_ms: at(times, 50)?,
            p99_ms: middle(longest)?,
        })
    }
}

/// A run in [`PARTS`] parts, if it is long enough for each to have a p99: what else a machine does comes in bursts, and
/// one burst must not be taken for the query.
fn parts(times: &[Duration]) -> std::slice::Chunks<'_, Duration> {
    let parts = if times.len() >= PARTS * 100 { PARTS } else { 1 };
    times.chunks(times.len().div_ceil(parts).max(1))
}

/// So many of a hundred times were no longer than this (milliseconds).
fn at(times: &[Duration], percent: usize) -> Option<f64> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).copied().map(in_milliseconds)
}

fn middle(mut of: Vec<f64>) -> Option<f64> {
    of.sort_unstable_by(f64::total_cmp);
    of.get(of.len() / 2).copied()
}

/// How many times longer than in the small hospital 99 times in 100 took: the middle one of what it was in the parts of
/// the run, of which each was the same moment for both.
fn growth_of_longest([small, large]: &[Vec<Duration>; 2]) -> Option<f64> {
    let both = parts(small).zip(parts(large));
    middle(
        both.filter_map(|(small, large)| Some(at(large, 99)? / at(small, 99)?))
            .collect(),
    )
}

/// One query, or a whole screen.
#[derive(Debug, Clone, Serialize)]
struct Line {
    query: &'static str,
    whole: bool,
    rows: [usize; 2],
    /// The most pages that any of the plans asked for read, small and large.
    buffers: [Option<u64>; 2],
    cold: Option<Times>,
    first: Option<Times>,
    small: Option<Times>,
    large: Option<Times>,
    ratio_p50: Option<f64>,
    ratio_p99: Option<f64>,
    target_met: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    plan: Vec<String>,
}

impl Line {
    fn of(query: &'static str, measured: &Measured) -> Line {
        let most = |all: &[usize]| all.iter().copied().max().unwrap_or(0);
        let pages = |which: usize| {
            let read = measured.buffers[which].iter();
            read.map(|buffers| buffers.hit + buffers.read).max()
        };
        let (small, large) = (Times::of(&measured.warm[0]), Times::of(&measured.warm[1]));
        let ratio_p50 = large
            .zip(small)
            .map(|(large, small)| large.p50_ms / small.p50_ms);
        let ratio_p99 = growth_of_longest(&measured.warm);
        // A patient who has been here for weeks has a longer record than one of yesterday: that is no scan.
        let rows = measured
            .rows
            .each_ref()
            .map(|rows| most(rows).max(1) as f64);
        let growth = GROWTH * (rows[1] / rows[0]).max(1.0);
        let kept_p50 = large.zip(ratio_p50).is_some_and(|(large, ratio)| {
            let below = FLOORS.iter().find(|(floor, _)| large.p50_ms < *floor);
            ratio <= growth * below.map_or(1.0, |(_, more)| *more)
        });
        let kept_p99 = large
            .zip(ratio_p99)
            .is_some_and(|(large, ratio)| large.p99_ms < FLOOR_P99 || ratio <= growth);
        Line {
            query,
            whole: measured.whole,
            rows: [most(&measured.rows[0]), most(&measured.rows[1])],
            buffers: [pages(0), pages(1)],
            cold: Times::of(&measured.cold),
            first: Times::of(&measured.first),
            small,
            large,
            ratio_p50,
            ratio_p99,
            target_met: (measured.whole || large.is_some_and(|times| times.p99_ms <= LONGEST))
                && kept_p50
                && kept_p99,
            plan: Vec::new(),
        }
    }
}

/// How many of what was measured missed their targets.
pub fn missed(samples: &Samples) -> usize {
    let lines = samples.all.iter().map(|(name, of)| Line::of(name, of));
    lines.filter(|line| !line.target_met).count()
}

/// Everything.
#[derive(Debug, Serialize)]
pub struct Report {
    engine: &'static str,
    orders: u32,
    active: u32,
    baseline_given: u32,
    rounds: u32,
    cold_means: &'static str,
    lines: Vec<Line>,
    desk_small: DeskFigures,
    desk_large: DeskFigures,
    start_target_met: bool,
    memory_target_met: bool,
    /// Queries that the doctor looks at in the large hospital.
    plans: usize,
    /// Of these, what is not served by its index there.
    walks: Vec<String>,
}

impl Report {
    /// From what was measured.
    pub fn new(
        ask: &cli::BenchScreens,
        engine: Engine,
        samples: &Samples,
        [desk_small, desk_large]: [DeskFigures; 2],
        doctor: Vec<Plan>,
    ) -> Report {
        let plans = doctor.len();
        let walks = doctor
            .into_iter()
            .filter_map(|plan| Some(format!("{}: {}", plan.query, plan.fault?)));
        let lines = samples
            .all
            .iter()
            .map(|(name, measured)| Line::of(name, measured));
        Report {
            engine: match engine {
                Engine::Sqlite => "SQLite",
                Engine::Postgres => "PostgreSQL",
            },
            orders: ask.orders,
            active: ask.active,
            baseline_given: ask.baseline,
            rounds: ask.rounds,
            cold_means: match engine {
                Engine::Sqlite => {
                    "a connection of its own, nothing prepared, its own cache empty, and (on Linux) the file forgotten \
                     by the system's cache"
                }
                Engine::Postgres => {
                    "a connection of its own with a server process of its own, nothing prepared; what the server and \
                     its system hold of the tables stays"
                }
            },
            lines: lines.collect(),
            start_target_met: desk_large.start_p50_ms <= START,
            memory_target_met: desk_large.memory_bytes.is_none_or(|bytes| bytes <= MEMORY),
            desk_small,
            desk_large,
            plans,
            walks: walks.collect(),
        }
    }

    /// Asks how each query is run that missed its target.
    pub async fn explain(&mut self, house: &House<'_>, bounds: Bounds) -> anyhow::Result<()> {
        let mut conn = house.db().reader().await?;
        let asked = queries(&subject(house, bounds, &mut Rng::with_seed(4))?);
        for line in self.lines.iter_mut().filter(|line| !line.target_met) {
            if let Some(query) = asked.iter().find(|query| query.name == line.query) {
                line.plan = query.plan(conn.link()).await.context(query.name)?;
            }
        }
        Ok(())
    }

    /// Whether every target was met.
    pub fn targets_met(&self) -> bool {
        self.lines.iter().all(|line| line.target_met)
            && self.start_target_met
            && self.memory_target_met
            && self.walks.is_empty()
    }

    /// Prints it.
    pub fn print(&self, as_json: bool) -> anyhow::Result<()> {
        if as_json {
            say!("{}", json(self)?)?;
            return Ok(());
        }
        say!(
            "{}: {} orders of which {} are to be given, against {} given behind as many to be given; {} rounds",
            self.engine,
            self.orders,
            self.active,
            self.baseline_given,
            self.rounds
        )?;
        say!("cold: {}", self.cold_means)?;
        say!(
            "first: for something new, on a connection that is used; then for the same again, in either hospital"
        )?;
        say!("times are in milliseconds; rows and buffers are the most there were")?;
        self.table().print(Style::Table)?;
        for line in self.lines.iter().filter(|line| !line.plan.is_empty()) {
            say!("\n{}", line.query)?;
            for step in &line.plan {
                say!("  {}", crate::commands::output::shown(step))?;
            }
        }
        let met = self.lines.iter().filter(|line| line.target_met).count();
        say!(
            "\n{met} of {}: p99 within {LONGEST} ms, and p50 and p99 within {GROWTH} times the small hospital's (p50 as \
             it comes below {} ms, within {} times below {} and {} below {}; p99 as it comes below {FLOOR_P99})",
            self.lines.len(),
            FLOORS[0].0,
            GROWTH * FLOORS[1].1,
            FLOORS[1].0,
            GROWTH * FLOORS[2].1,
            FLOORS[2].0,
        )?;
        let desk = |desk: &DeskFigures| {
            let memory = desk.memory_bytes;
            let memory = memory.map_or("?".to_owned(), |bytes| {
                format!("{:.1} MB", bytes as f64 / 1e6)
            });
            format!(
                "start to first frame p50 {:.1} ms, longest {:.1} ms; memory at most {memory}",
                desk.start_p50_ms, desk.start_longest_ms
            )
        };
        say!("a desk, little behind it: {}", desk(&self.desk_small))?;
        let met = self.start_target_met && self.memory_target_met;
        say!(
            "a desk, much behind it:   {} {}",
            desk(&self.desk_large),
            mark(met)
        )?;
        for walk in &self.walks {
            say!(
                "does not use its index: {}",
                crate::commands::output::shown(walk)
            )?;
        }
        say!(
            "the doctor's queries there: {} of {} use their index and read no table whole {}",
            self.plans - self.walks.len(),
            self.plans,
            mark(self.walks.is_empty())
        )?;
        Ok(())
    }

    fn table(&self) -> List {
        let mut list = List::new(&[
            "query",
            "rows",
            "buffers",
            "cold p50",
            "cold p99",
            "first p50",
            "first p99",
            "small p50",
            "small p99",
            "p50",
            "p99",
            "ratio p50",
            "ratio p99",
            "target",
        ]);
        let two = |of: Option<f64>| of.map_or(Value::Null, |of| format!("{of:.2}").into());
        let pair = |small: String, large: String| {
            if small == large {
                large
            } else {
                format!("{small}→{large}")
            }
        };
        for line in &self.lines {
            let pages =
                |which: usize| line.buffers[which].map_or(String::new(), |of| of.to_string());
            list.push([
                line.query.into(),
                pair(line.rows[0].to_string(), line.rows[1].to_string()).into(),
                pair(pages(0), pages(1)).into(),
                two(line.cold.map(|times| times.p50_ms)),
                two(line.cold.map(|times| times.p99_ms)),
                two(line.first.map(|times| times.p50_ms)),
                two(line.first.map(|times| times.p99_ms)),
                two(line.small.map(|times| times.p50_ms)),
                two(line.small.map(|times| times.p99_ms)),
                two(line.large.map(|times| times.p50_ms)),
                two(line.large.map(|times| times.p99_ms)),
                two(line.ratio_p50),
                two(line.ratio_p99),
                mark(line.target_met).into(),
            ]);
        }
        list
    }
}

const fn mark(met: bool) -> &'static str {
    if met { "✓" } else { "✗" }
}
