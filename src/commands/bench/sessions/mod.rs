//! `valmed bench sessions`: what terminals cost a server, over real SSH on this machine.
//!
//! A server in a process of its own, on a demo ward; its clients in this one. First one person alone, whose terminal then
//! stops reading; then many: what they take in memory, at rest and while they type. Beside it, what the drawing library's
//! own terminal would keep for each of them.

mod client;
mod dosing;
mod process;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use russh::keys::{Algorithm, HashAlg, PrivateKey};
use tokio::task::JoinSet;

use super::in_milliseconds;
use super::targets::Targets;
use crate::cli::BenchSessions;
use crate::commands::demo;
use crate::commands::output::say;
use crate::config::Config;
use crate::interop::demo as ward;
use crate::store::accounts::{self, Key};
use crate::store::{self, Db};
use crate::terminal::{Painter, Profile};
use client::Person;
use process::{Process, Taken};

/// Keys that one person alone presses.
const KEYS: u32 = 400;
/// Between them: more than between two frames.
const BETWEEN: Duration = Duration::from_millis(50);
/// People who arrive at once.
const AT_ONCE: usize = 16;
/// A screen on which nothing comes for so long rests.
const RESTS: Duration = Duration::from_millis(400);
/// Keys a second of everybody together.
const ALL_KEYS: u32 = 750;
/// A stopped client costs no memory: so much comes and goes in any server, in kilobytes.
const STOPPED_MAY_COST: f64 = 256.0;
/// A server that has grown by less while somebody read has what it keeps, in kilobytes.
const STEADY: f64 = 128.0;
/// Somebody reads so many times as long before they stop, if it does not grow steady earlier.
const READS: u32 = 6;
/// Up and down, so that each key changes something. Arrows: a letter is held back for as long as the next character of a
/// scan would take.
const UP_AND_DOWN: [&str; 2] = ["\x1b[B", "\x1b[A"];

/// Measures.
pub async fn sessions(config: &Config, ask: BenchSessions) -> anyhow::Result<()> {
    if ask.dosing || ask.doses.is_some() {
        return dosing::dosing(config, &ask).await;
    }
    let mut targets = Targets::default();
    let folder = tempfile::tempdir().context("a temporary folder")?;
    let key = Arc::new(ward_with_key(config, folder.path()).await?);
    let path = folder.path().join("demo-ward.db");
    let server = Process::start(folder.path(), &format!("sqlite://{}", path.display())).await?;
    let bench = Bench { server, key };
    let lasts = Duration::from_secs(ask.seconds.into());
    let mut first = bench.person().await?;
    let quiet = alone(&mut first).await?;
    targets.at_most("key to first byte, one session, p99", quiet, 2.0, "ms");
    // Alone: what two hundred screens take when a minute passes on all of them would hide what one costs.
    let grown = bench
        .stopped(&mut first, Duration::from_secs(ask.stopped.into()))
        .await?;
    let what = format!("memory that a stopped client costs in {} s", ask.stopped);
    targets.at_most(what, grown, STOPPED_MAY_COST, "KB");
    let before = bench.server.taken()?;
    let mut people = bench.people(ask.sessions as usize).await?;
    let count = people.len();
    let each = bench.memory(&before, count)?;
    targets.at_most("memory of each idle session, 80x24", each, 128.0, "KB");
    let idle = bench.idle(count, lasts).await?;
    targets.at_most(
        format!("processor of {count} idle sessions"),
        idle,
        0.5,
        "%",
    );
    let typing = bench.typing(&mut people, lasts).await?;
    let what = format!("processor of {count} sessions, {ALL_KEYS} keys/s in all");
    targets.at_most(what, typing, 15.0, "%");
    if ask.many > ask.sessions {
        let more = (ask.many - ask.sessions) as usize;
        let began = Instant::now();
        people.extend(bench.people(more).await?);
        let took = began.elapsed().as_secs_f64();
        say!("{more} more sessions arrive in {took:.1} s")?;
        bench.memory(&before, people.len())?;
        bench.idle(people.len(), lasts).await?;
    }
    let began = Instant::now();
    let well = bench.server.stop().await?;
    anyhow::ensure!(well, "the server did not end well");
    say!(
        "stopped with {} sessions in {:.1} s",
        people.len() + 1,
        began.elapsed().as_secs_f64()
    )?;
    kept()?;
    targets.tell(ask.check)
}

/// The demo ward, in which the nurse has a key.
async fn ward_with_key(config: &Config, folder: &std::path::Path) -> anyhow::Result<PrivateKey> {
    let db: Db = demo::open(config, folder).await?;
    let key = key_for(&db, ward::NURSE).await?;
    db.close().await;
    Ok(key)
}

/// A key that is let in as that person.
async fn key_for(db: &Db, username: &str) -> anyhow::Result<PrivateKey> {
    let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519)?;
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let line = key.public_key().to_openssh()?;
    let row = Key {
        fingerprint: &fingerprint,
        public_key: &line,
        comment: "",
        at: store::now().into(),
    };
    let mut conn = db.writer().await?;
    let person = accounts::by_username(conn.link(), username).await?;
    let person = person.with_context(|| format!("no account {username}"))?;
    accounts::add_key(conn.link(), person.id, &row).await?;
    Ok(key)
}

struct Bench {
    server: Process,
    key: Arc<PrivateKey>,
}

impl Bench {
    async fn person(&self) -> anyhow::Result<Person> {
        Person::arrives(&self.server.address, ward::NURSE, &self.key).await
    }

    async fn people(&self, count: usize) -> anyhow::Result<Vec<Person>> {
        let mut people = Vec::with_capacity(count);
        let mut arriving = JoinSet::new();
        while people.len() < count {
            while arriving.len() < AT_ONCE && people.len() + arriving.len() < count {
                let (address, key) = (self.server.address.clone(), Arc::clone(&self.key));
                arriving.spawn(async move { Person::arrives(&address, ward::NURSE, &key).await });
            }
            let arrived = arriving.join_next().await.context("nobody arrives")?;
            people.push(arrived??);
        }
        let mut resting = JoinSet::new();
        for mut person in people {
            resting.spawn(async move {
                person.rests(RESTS).await;
                person
            });
        }
        Ok(resting.join_all().await)
    }

    /// Kilobytes of each.
    fn memory(&self, before: &Taken, count: usize) -> anyhow::Result<f64> {
        let grown = self.server.taken()?.memory.saturating_sub(before.memory);
        let each = grown as f64 / 1024.0 / count.max(1) as f64;
        say!("{count} sessions: {each:.0} KB of memory each")?;
        Ok(each)
    }

    /// Per cent of a processor.
    async fn idle(&self, count: usize, lasts: Duration) -> anyhow::Result<f64> {
        let before = self.server.taken()?;
        tokio::time::sleep(lasts).await;
        let processor = self.server.taken()?.processor_since(&before);
        say!("{count} sessions at rest: {processor:.2} % of a processor")?;
        Ok(processor)
    }

    /// Per cent of a processor.
    async fn typing(&self, people: &mut Vec<Person>, lasts: Duration) -> anyhow::Result<f64> {
        let count = u32::try_from(people.len())?.max(1);
        let every = Duration::from_secs(1) * count / ALL_KEYS;
        let before = self.server.taken()?;
        let mut typing = JoinSet::new();
        let began = tokio::time::Instant::now();
        for (n, mut person) in (0..count).zip(people.drain(..)) {
            typing.spawn(async move {
                let mut times = Vec::new();
                // Not all in the same moment.
                let mut next = began + every * n / count;
                let mut keys = UP_AND_DOWN.iter().cycle();
                while next < began + lasts {
                    tokio::time::sleep_until(next).await;
                    next += every;
                    times.push(
                        person
                            .types(keys.next().copied().unwrap_or(UP_AND_DOWN[0]))
                            .await?,
                    );
                }
                Ok::<_, anyhow::Error>((person, times))
            });
        }
        let mut times = Vec::new();
        while let Some(typed) = typing.join_next().await {
            let (person, theirs) = typed??;
            people.push(person);
            times.extend(theirs);
        }
        let processor = self.server.taken()?.processor_since(&before);
        let a_second = times.len() as f64 / began.elapsed().as_secs_f64();
        let (half, most) = (part(&mut times, 0.5), part(&mut times, 0.99));
        say!(
            "{count} sessions, {a_second:.0} keys/s: {processor:.1} % of a processor; key to first byte p50 {half:.2} ms, p99 {most:.2} ms"
        )?;
        Ok(processor)
    }

    /// Somebody types on, whose terminal reads nothing; gives by how many kilobytes the server has grown beyond what it
    /// grows while they read. First they read until it has what a server keeps after its start (pages of the database).
    async fn stopped(&self, person: &mut Person, lasts: Duration) -> anyhow::Result<f64> {
        let mut reads = 1;
        let mut read = self.types_on(person, lasts).await?;
        while read > STEADY && reads < READS {
            read = self.types_on(person, lasts).await?;
            reads += 1;
        }
        person.stopped.set(true);
        let grown = self.types_on(person, lasts).await?;
        let seconds = lasts.as_secs();
        say!(
            "a terminal that reads nothing for {seconds} s while keys come: {grown:+.0} KB of memory; while it read as long \
             (time {reads}): {read:+.0} KB"
        )?;
        person.stopped.set(false);
        let woke = person.types("?").await?;
        say!(
            "when it reads again, the first byte comes after {:.2} ms",
            in_milliseconds(woke)
        )?;
        Ok((grown - read.max(0.0)).max(0.0))
    }

    /// Keys for so long, whether anything comes back or not; gives by how many kilobytes the server has grown.
    async fn types_on(&self, person: &mut Person, lasts: Duration) -> anyhow::Result<f64> {
        let before = self.server.taken()?;
        let began = Instant::now();
        let mut keys = UP_AND_DOWN.iter().cycle();
        while began.elapsed() < lasts {
            person
                .send(keys.next().copied().unwrap_or(UP_AND_DOWN[0]))
                .await?;
            tokio::time::sleep(BETWEEN).await;
        }
        let after = self.server.taken()?;
        Ok((after.memory as f64 - before.memory as f64) / 1024.0)
    }
}

/// One person on a quiet server; gives the 99th percentile in milliseconds.
async fn alone(person: &mut Person) -> anyhow::Result<f64> {
    person.rests(RESTS).await;
    let mut times = Vec::new();
    for key in UP_AND_DOWN.iter().cycle().take(KEYS as usize) {
        times.push(person.types(key).await?);
        tokio::time::sleep(BETWEEN).await;
    }
    let (half, most) = (part(&mut times, 0.5), part(&mut times, 0.99));
    say!("one session alone: key to first byte p50 {half:.2} ms, p99 {most:.2} ms")?;
    Ok(most)
}

/// The time that so large a part of them do not pass, in milliseconds.
fn part(times: &mut [Duration], part: f64) -> f64 {
    times.sort_unstable();
    let at = (times.len() as f64 * part) as usize;
    let time = times.get(at.min(times.len().saturating_sub(1)));
    time.map_or(f64::NAN, |time| in_milliseconds(*time))
}

/// What is kept of each screen of 80 by 24, here and by the drawing library's own terminal.
fn kept() -> anyhow::Result<()> {
    let area = Rect::new(0, 0, 80, 24);
    let xterm = Profile::of(|name| (name == "TERM").then(|| "xterm-256color".to_owned()));
    let mut painter = Painter::new(xterm);
    painter.frame(&ratatui::buffer::Buffer::empty(area), None);
    let options = TerminalOptions {
        viewport: Viewport::Fixed(area),
    };
    let mut stock = Terminal::with_options(CrosstermBackend::new(std::io::sink()), options)?;
    let cell = std::mem::size_of::<ratatui::buffer::Cell>();
    // It keeps two of them; the painter keeps what the terminal shows.
    let cells = stock.current_buffer_mut().content().len() * 2;
    say!(
        "kept of each screen of 80x24: {:.0} KB; by the drawing library's terminal {:.0} KB",
        painter.kept() as f64 / 1024.0,
        (cells * cell) as f64 / 1024.0
    )?;
    Ok(())
}
