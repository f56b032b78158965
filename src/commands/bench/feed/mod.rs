//! `valmed bench feed`: what live screens cost.
//!
//! Real sessions, up to a thousand, each drawing and encoding its frames for a terminal of 80 by 24, watch wards through
//! the real feed, while doses are given through the real desk; all in a scratch database. A change is as old as it is on
//! a screen from the moment the desk took it into its transaction (so that writing and COMMIT count) until the first
//! frame that shows it is encoded. What the same doses cost without any session is measured first, and told apart.

mod hospital;
mod load;
mod screens;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use tokio::time::Instant;

use crate::cli::{self, Whence};
use crate::commands::output::{self, say};
use crate::commands::scratch_ward::in_scratch;
use crate::commands::{self, End, ward_desk};
use crate::config::Config;
use crate::desk::Desk;
use crate::domain::{UserId, WardId};
use crate::feed::Feed;
use crate::session::Services;
use crate::signin::SignIn;
use crate::store::scratch::Scratch;
use crate::store::{Db, now, screens as wards};
use crate::tui::Start;
use load::Pace;
use screens::{Ages, Screens};

/// How long it may take until every session shows its ward.
const OPENING: Duration = Duration::from_secs(60);
/// How long the screens may take to show the last change.
const CATCHING_UP: Duration = Duration::from_secs(10);
/// What has just been opened comes to rest for so long before it is measured.
const REST: Duration = Duration::from_millis(500);
/// A connection that comes as fast as this was not waited for.
const AT_ONCE: Duration = Duration::from_millis(10);
/// How long a desk has to finish.
const CLOSING: Duration = Duration::from_secs(10);

/// Measures every combination that is asked for.
pub async fn feed(config: &Config, ask: cli::BenchFeed) -> anyhow::Result<()> {
    let (url, _) = config.database_or_embedded()?;
    let all_shown = in_scratch(config, &url, async |made| run(config, made, &ask).await).await?;
    if all_shown {
        Ok(())
    } else {
        Err(End::Failed.into())
    }
}

/// One process of the hospital.
struct Process {
    db: Db,
    desk: Desk,
    feed: Feed,
}

impl Process {
    fn open(db: Db, config: &Config) -> Process {
        let (desk, feed) = commands::measured_desk(&db, config);
        Process { db, desk, feed }
    }
}

/// What is measured with.
struct Bench<'a> {
    config: &'a Config,
    ask: &'a cli::BenchFeed,
    /// Its screens are watched.
    here: Process,
    /// Another one on the same database.
    elsewhere: Process,
    nurse: UserId,
    /// Every ward, and how a session begins that watches it.
    wards: Vec<(WardId, Start)>,
}

/// What was measured of one combination.
#[derive(Debug, Serialize)]
struct Row {
    engine: String,
    from: &'static str,
    wards: u32,
    sessions: u32,
    /// Doses a second that were given.
    changes_per_second: f64,
    /// Times a second that a ward was read.
    readings_per_second: f64,
    /// Frames a second, on all the screens together.
    frames_per_second: f64,
    kilobytes_per_second: f64,
    /// Percent of one processor that the doses took without any session; `None`: cannot be measured here.
    cpu_of_changes: Option<f64>,
    /// Percent of one processor that the sessions and their feed took on top.
    cpu_of_screens: Option<f64>,
    age_p50_ms: Option<f64>,
    age_p99_ms: Option<f64>,
    /// Changes that never showed, counted once for each screen of the ward.
    missed: u64,
}

/// Whether every screen showed every change.
async fn run(config: &Config, scratch: &Scratch, ask: &cli::BenchFeed) -> anyhow::Result<bool> {
    let bench = Bench::open(config, scratch, ask).await?;
    let mut rows = Vec::new();
    if !ask.json {
        heading(&bench)?;
    }
    let from = match ask.from {
        Some(one) => vec![one],
        None => vec![Whence::Here, Whence::Elsewhere],
    };
    for from in from {
        for wards in &ask.wards {
            for changes in &ask.changes {
                bench.combination(from, *wards, *changes, &mut rows).await?;
            }
        }
    }
    if ask.json {
        say!("{}", output::json(&rows)?)?;
    }
    bench.close().await;
    Ok(rows.iter().all(|row| row.missed == 0))
}

impl<'a> Bench<'a> {
    async fn open(
        config: &'a Config,
        scratch: &Scratch,
        ask: &'a cli::BenchFeed,
    ) -> anyhow::Result<Bench<'a>> {
        let db = scratch.db().clone();
        let most = ask.wards.iter().copied().max().unwrap_or(1);
        hospital::fill(&db, most).await?;
        let again = scratch.open_again(&config.pool()).await?;
        let nurse = SignIn::known(&db, hospital::NURSE)
            .await?
            .context("the bench's nurse has no account")?;
        let mut begins = Vec::new();
        for n in 0..most {
            let code = hospital::code(n);
            let ward = wards::ward_by_code(db.reader().await?.link(), &code)
                .await?
                .with_context(|| format!("there is no ward {code}"))?;
            let start = ward_desk::known(&db, hospital::NURSE, Some(ward.id), "").await?;
            begins.push((ward.id, start));
        }
        Ok(Bench {
            config,
            ask,
            here: Process::open(db, config),
            elsewhere: Process::open(again, config),
            nurse: nurse.id,
            wards: begins,
        })
    }

    async fn close(self) {
        for process in [self.here, self.elsewhere] {
            process.desk.close(CLOSING).await;
            drop(process.feed);
            process.db.close().await;
        }
    }

    /// Measures one load, without sessions and then with every number of them.
    async fn combination(
        &self,
        from: Whence,
        wards: u32,
        changes: u32,
        rows: &mut Vec<Row>,
    ) -> anyhow::Result<()> {
        let wards = &self.wards[..usize::try_from(wards)?];
        let alone = self.measure(from, wards, changes, 0).await?;
        for sessions in &self.ask.sessions {
            let with = self.measure(from, wards, changes, *sessions).await?;
            let row = self.row(from, wards.len(), *sessions, &alone, &with)?;
            if !self.ask.json {
                line(&row)?;
            }
            rows.push(row);
        }
        Ok(())
    }

    async fn measure(
        &self,
        from: Whence,
        wards: &[(WardId, Start)],
        changes: u32,
        sessions: u32,
    ) -> anyhow::Result<Measured> {
        let starts: Vec<Start> = wards.iter().map(|(_, start)| start.clone()).collect();
        let ids: Vec<WardId> = wards.iter().map(|(ward, _)| *ward).collect();
        let process = match from {
            Whence::Here => &self.here,
            Whence::Elsewhere => &self.elsewhere,
        };
        let pace = Pace {
            changes,
            lasts: Duration::from_secs(self.ask.seconds),
        };
        let screens = Screens::open(sessions, &starts, || self.services());
        screens.are_there(OPENING).await?;
        self.come_to_rest().await?;
        let givers = load::givers(&process.db, &process.desk, self.nurse, &ids).await?;
        let before = self.so_far(&screens);
        let given = load::give(givers, pace).await?;
        let after = self.so_far(&screens);
        // Whether they did shows in the ages.
        let _ = screens.caught_up(&given, CATCHING_UP).await;
        let ages = screens.ages(&given);
        screens.close().await?;
        Ok(Measured {
            took: after.at - before.at,
            cpu: after
                .cpu
                .zip(before.cpu)
                .map(|(after, before)| after.saturating_sub(before)),
            readings: after.readings - before.readings,
            frames: after.frames - before.frames,
            bytes: after.bytes - before.bytes,
            given: given.iter().map(Vec::len).sum(),
            ages,
        })
    }

    /// What a thousand sessions ask at the moment when they open is no part of what they cost later: waits until a
    /// connection is to be had at once, several times in a row.
    async fn come_to_rest(&self) -> anyhow::Result<()> {
        let mut quiet = 0;
        while quiet < 10 {
            let asked = Instant::now();
            drop(self.here.db.reader().await?);
            quiet = if asked.elapsed() < AT_ONCE {
                quiet + 1
            } else {
                0
            };
            tokio::time::sleep(REST / 10).await;
        }
        Ok(())
    }

    fn services(&self) -> Services {
        let db = &self.here.db;
        let sign_in = SignIn::new(db.clone(), self.config.sign_in_delays());
        let (desk, feed) = (self.here.desk.clone(), self.here.feed.clone());
        Services::new(db.clone(), desk, feed, sign_in, Arc::new(now))
    }

    fn so_far(&self, screens: &Screens) -> SoFar {
        SoFar {
            at: Instant::now(),
            cpu: cpu(),
            readings: self.here.feed.readings(),
            frames: screens.drawn().frames(),
            bytes: screens.drawn().bytes(),
        }
    }

    fn row(
        &self,
        from: Whence,
        wards: usize,
        sessions: u32,
        alone: &Measured,
        with: &Measured,
    ) -> anyhow::Result<Row> {
        let seconds = with.took.as_secs_f64();
        Ok(Row {
            engine: format!("{:?}", self.here.db.engine()),
            from: match from {
                Whence::Here => "here",
                Whence::Elsewhere => "elsewhere",
            },
            wards: u32::try_from(wards)?,
            sessions,
            changes_per_second: with.given as f64 / seconds,
            readings_per_second: with.readings as f64 / seconds,
            frames_per_second: with.frames as f64 / seconds,
            kilobytes_per_second: with.bytes as f64 / seconds / 1000.0,
            cpu_of_changes: alone.percent(),
            cpu_of_screens: with
                .percent()
                .zip(alone.percent())
                .map(|(with, alone)| with - alone),
            age_p50_ms: with.ages.percentile(50),
            age_p99_ms: with.ages.percentile(99),
            missed: with.ages.missed,
        })
    }
}

/// Counters at one moment.
struct SoFar {
    at: Instant,
    cpu: Option<Duration>,
    readings: u64,
    frames: u64,
    bytes: u64,
}

/// What happened while doses were given.
struct Measured {
    took: Duration,
    cpu: Option<Duration>,
    readings: u64,
    frames: u64,
    bytes: u64,
    given: usize,
    ages: Ages,
}

impl Measured {
    /// Of one processor.
    fn percent(&self) -> Option<f64> {
        self.cpu
            .map(|cpu| 100.0 * cpu.as_secs_f64() / self.took.as_secs_f64())
    }
}

/// Processor time that this process has taken, on all its threads.
#[cfg(unix)]
fn cpu() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).ok()
}

#[cfg(not(unix))]
const fn cpu() -> Option<Duration> {
    None
}

/// Titles and widths of the columns.
const COLUMNS: [(&str, usize); 12] = [
    ("from", 9),
    ("wards", 5),
    ("sessions", 8),
    ("changes/s", 9),
    ("readings/s", 10),
    ("frames/s", 8),
    ("kB/s", 7),
    ("changes cpu %", 13),
    ("screens cpu %", 13),
    ("age p50 ms", 10),
    ("age p99 ms", 10),
    ("missed", 6),
];

fn heading(bench: &Bench<'_>) -> anyhow::Result<()> {
    say!(
        "live screens on {:?}, {} s each; the server's own processor time is not in it",
        bench.here.db.engine(),
        bench.ask.seconds
    )?;
    row(COLUMNS.map(|(title, _)| title.to_owned()))
}

fn line(of: &Row) -> anyhow::Result<()> {
    let part = |number: f64| format!("{number:.1}");
    let whole = |number: f64| format!("{number:.0}");
    let known = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), part);
    row([
        of.from.to_owned(),
        of.wards.to_string(),
        of.sessions.to_string(),
        part(of.changes_per_second),
        part(of.readings_per_second),
        whole(of.frames_per_second),
        whole(of.kilobytes_per_second),
        known(of.cpu_of_changes),
        known(of.cpu_of_screens),
        known(of.age_p50_ms),
        known(of.age_p99_ms),
        of.missed.to_string(),
    ])
}

fn row(cells: [String; COLUMNS.len()]) -> anyhow::Result<()> {
    let aligned: Vec<String> = cells
        .iter()
        .zip(COLUMNS)
        .map(|(cell, (_, width))| format!("{cell:>width$}"))
        .collect();
    say!("{}", aligned.join("  "))?;
    Ok(())
}
