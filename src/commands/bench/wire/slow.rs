//! A slow terminal that watches a changing ward.
//!
//! The line takes so many bytes a second; before it are buffers, as two kernels and an SSH client have them. Two
//! terminals watch at once: one that answers what it is asked, and one that does not, which is what every program gets
//! that only writes. How far behind one is: from the moment in which somebody was told that a dose is given, to the
//! moment in which the terminal has read the first frame that was drawn after that.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::time::Instant;
use uuid::Uuid;

use super::profile;
use crate::cli;
use crate::commands::output::say;
use crate::domain::snapshot::QueuedOrder;
use crate::domain::{Giving, OpId, Operation, Outcome, Request};
use crate::interop::demo;
use crate::session::wire::{self, Handle, Line};
use crate::session::{Services, Settings, Station};
use crate::signin::SignIn;
use crate::store::{Db, screens};
use crate::terminal::Profile;

/// What is between the program and the line: buffers of two kernels, and the window of an SSH client.
const BUFFERED: usize = 1 << 20;
/// The line takes its bytes in such steps.
const STEP: Duration = Duration::from_millis(25);
/// Somebody else than the one who watches.
const GIVES: &str = "tomas";
/// By then a change has reached every screen's session, and what is drawn later shows it.
const HEARD: Duration = Duration::from_millis(100);

/// Watches, and says how far each terminal fell behind; gives the seconds of the one that answers.
pub async fn slow(services: &Services, db: &Db, ask: &cli::BenchWire) -> anyhow::Result<f64> {
    let vt100 = profile("vt100");
    let silent = Profile {
        answers: false,
        ..vt100
    };
    let mut watchers = Vec::new();
    for profile in [vt100, silent] {
        watchers.push(watcher(services, db, ask, profile).await?);
    }
    // The first screen is there before anything changes.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let changes = doses(services, db, ask).await?;
    for watcher in &watchers {
        watcher.handle.end();
    }
    anyhow::ensure!(!changes.is_empty(), "no dose could be given");
    say!(
        "{} bytes a second, {} doses given in {} s:",
        ask.rate,
        changes.len(),
        ask.seconds
    )?;
    let mut answering = f64::NAN;
    for (watcher, what) in watchers.iter().zip(["answers", "does not answer"]) {
        let line = watcher.line.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = line.behind(&changes, f64::from(ask.rate));
        if answering.is_nan() {
            answering = behind;
        }
        say!(
            "  a terminal that {what:<15}  at most {behind:.1} s behind, {} frames, {} bytes",
            line.written.len(),
            line.written.last().map_or(0, |(_, bytes)| *bytes)
        )?;
    }
    Ok(answering)
}

struct Watcher {
    line: Arc<Mutex<Record>>,
    handle: Handle,
}

/// What went over a line: when, and how many bytes by then.
#[derive(Debug, Default)]
struct Record {
    written: Vec<(Instant, usize)>,
    read: Vec<(Instant, usize)>,
}

impl Record {
    /// Seconds from a change to the frame that shows it, of the change for which that took longest. What has not been
    /// read by the end would still have come at the line's rate.
    fn behind(&self, changes: &[Instant], rate: f64) -> f64 {
        let read_all = self.read.last().copied();
        let shown = |change: &Instant| {
            let (_, upto) = *self.written.iter().find(|(at, _)| *at >= *change + HEARD)?;
            let read = self.read.iter().find(|(_, bytes)| *bytes >= upto);
            if let Some((at, _)) = read {
                return Some((*at - *change).as_secs_f64());
            }
            let (at, bytes) = read_all?;
            Some((at - *change).as_secs_f64() + (upto - bytes) as f64 / rate)
        };
        changes.iter().filter_map(shown).fold(0.0, f64::max)
    }
}

/// A line's near end, which notes what is written to it.
struct Noted<W> {
    inner: W,
    record: Arc<Mutex<Record>>,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Noted<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = written {
            let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
            let before = record.written.last().map_or(0, |(_, bytes)| *bytes);
            record.written.push((Instant::now(), before + written));
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

async fn watcher(
    services: &Services,
    db: &Db,
    ask: &cli::BenchWire,
    profile: Profile,
) -> anyhow::Result<Watcher> {
    let (here, there) = duplex(BUFFERED);
    let record = Arc::new(Mutex::new(Record::default()));
    let (input, output) = split(there);
    let (handle, outside) = Handle::new((ask.columns, ask.rows));
    let line = Line {
        input,
        output: Noted {
            inner: output,
            record: Arc::clone(&record),
        },
        station: Station::of(profile),
        outside,
    };
    let start = super::nurse(db).await?;
    tokio::spawn(wire::run(
        services.clone(),
        Settings::default(),
        start,
        line,
    ));
    tokio::spawn(terminal(
        here,
        ask.rate,
        profile.answers,
        Arc::clone(&record),
    ));
    Ok(Watcher {
        line: record,
        handle,
    })
}

/// The far end: reads as fast as the line goes, and answers where it does.
async fn terminal(
    mut line: DuplexStream,
    rate: u32,
    answers: bool,
    record: Arc<Mutex<Record>>,
) -> io::Result<()> {
    const ASKED: &[u8] = b"\x1b[5n";
    let began = Instant::now();
    let (mut total, mut matched) = (0, 0);
    let mut every = tokio::time::interval(STEP);
    loop {
        every.tick().await;
        let due = began.elapsed().as_secs_f64() * f64::from(rate);
        // What was not needed in a pause is not saved up for later: one step's worth.
        let mut room = (STEP.as_secs_f64() * f64::from(rate)).ceil() as usize;
        room = room.min((due as usize).saturating_sub(total).max(1));
        let mut bytes = vec![0; room];
        let read = tokio::select! {
            biased;
            read = line.read(&mut bytes) => read?,
            () = std::future::ready(()) => continue,
        };
        if read == 0 {
            return Ok(());
        }
        total += read;
        let mut asked = 0;
        for byte in &bytes[..read] {
            matched = match (*byte == ASKED[matched], *byte == ASKED[0]) {
                (true, _) => matched + 1,
                (false, first) => usize::from(first),
            };
            if matched == ASKED.len() {
                matched = 0;
                asked += 1;
            }
        }
        record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .read
            .push((Instant::now(), total));
        if answers {
            line.write_all(&b"\x1b[0n".repeat(asked)).await?;
        }
    }
}

/// Gives doses, one after the other at an even pace; when each was known to be given.
async fn doses(services: &Services, db: &Db, ask: &cli::BenchWire) -> anyhow::Result<Vec<Instant>> {
    let ward = screens::ward_by_code(db.reader().await?.link(), demo::WARD).await?;
    let ward = ward.context("the demo ward is not there")?.id;
    let nurse = SignIn::known(db, GIVES).await?;
    let nurse = nurse.context("the demo's nurse is not there")?.id;
    let mut view = services.feed.watch(ward);
    let view = view.wait_for(|view| view.snapshot.is_some()).await?.clone();
    let mut orders: Vec<QueuedOrder> = view
        .snapshot
        .map(|snapshot| snapshot.orders.clone())
        .unwrap_or_default();
    // The first of the queue, so that every dose changes what is on the screen.
    orders.sort_by_key(|order| (order.due_at.is_none(), order.due_at));
    let mut every = tokio::time::interval(Duration::from_secs(1) / ask.doses);
    let end = Instant::now() + Duration::from_secs(ask.seconds);
    let mut changes = Vec::new();
    for order in orders {
        every.tick().await;
        if Instant::now() >= end {
            break;
        }
        let operation = Operation {
            id: OpId(Uuid::now_v7()),
            actor: nurse,
            witness: None,
            request: Request::Fulfil(Giving {
                amount: order.dose.most,
                ..Giving::of(order.id, order.version, order.patient.mrn.clone())
            }),
        };
        let ticket = services.desk.submit(operation, Some(order.drug.id));
        // What is not in stock is refused, and nothing changes.
        if let Outcome::Done(_) = ticket.outcome().await {
            changes.push(Instant::now());
        }
    }
    Ok(changes)
}
