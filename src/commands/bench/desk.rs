//! `valmed bench desk`: how long a person waits for the screen.
//!
//! The real session runs on the configured database, with a terminal that takes bytes and notes when they came.

use std::time::{Duration, Instant};
use std::{fmt, io};

use anyhow::Context;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use serde::Serialize;
use tokio::sync::mpsc;

use super::in_milliseconds;
use crate::cli;
use crate::commands::output::{json, say};
use crate::commands::{self, ward_desk};
use crate::config::Config;
use crate::session::{Event, INPUTS, Services, Session, Settings, Station, Terminal};
use crate::signin::SignIn;
use crate::store::{self, screens};
use crate::terminal::input::Input;
use crate::terminal::{Painter, Profile};
use crate::tui::{Code, Key};

/// A key that changes nothing on the screen draws no frame: it is not waited for longer than this.
const NO_FRAME: Duration = Duration::from_millis(500);

/// What stands on the screen while the ward is read for the first time.
const READING: &str = "Reading the ward";

/// A frame that reached the terminal.
struct Shown {
    at: Instant,
    bytes: usize,
    /// The ward is on it.
    ward: bool,
}

/// A terminal that encodes every frame as a real one is sent it, and notes when it was done.
struct Meter {
    painter: Painter,
    shown: mpsc::UnboundedSender<Shown>,
}

impl Terminal for Meter {
    async fn ready(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show(&mut self, frame: &Buffer, cursor: Option<Position>) -> io::Result<bool> {
        let bytes = self.painter.frame(frame, cursor);
        if bytes.is_empty() {
            return Ok(false);
        }
        let at = Instant::now();
        let text: String = frame
            .content()
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect();
        let shown = Shown {
            at,
            bytes: bytes.len(),
            ward: !text.contains(READING),
        };
        self.shown
            .send(shown)
            .map(|()| true)
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn change(&mut self, _profile: Profile) -> io::Result<()> {
        Ok(())
    }
}

/// Measures, from the start of the command, the first frame with the ward on it; then key after key, each to its frame.
pub async fn desk(config: &Config, ask: cli::BenchDesk, began: Instant) -> anyhow::Result<()> {
    let db = commands::open(config).await?;
    let ward = screens::ward_by_code(db.reader().await?.link(), &ask.ward).await?;
    let ward = ward.with_context(|| format!("there is no ward '{}'", ask.ward))?;
    let start = ward_desk::known(&db, &ask.actor, Some(ward.id), "").await?;
    let (desk, feed) = commands::desk(&db, config);
    let sign_in = SignIn::new(db.clone(), config.sign_in_delays());
    let services = Services::new(
        db.clone(),
        desk,
        feed,
        sign_in,
        std::sync::Arc::new(store::now),
    );
    let profile = Profile::of(|name| (name == "TERM").then(|| "xterm-256color".to_owned()));
    let (shown, mut frames) = mpsc::unbounded_channel();
    let meter = Meter {
        painter: Painter::new(profile),
        shown,
    };
    let (events, mut received) = mpsc::channel(INPUTS);
    let settings = Settings {
        due_window: config.due_window(),
        // No person: key after key, as fast as it goes.
        frame_every: Duration::ZERO,
        ..Settings::default()
    };
    let station = Station::of(profile);
    let mut session = Session::new(
        services,
        settings,
        station,
        meter,
        (ask.columns, ask.rows),
        start,
    );
    let session = tokio::spawn(async move { session.run(&mut received).await });
    let first = loop {
        let frame = frames
            .recv()
            .await
            .context("the session ended before the ward was on the screen")?;
        if frame.ward {
            break frame;
        }
    };
    told(ask.json, &First::of(&first, &ask, began))?;
    let mut waits = Vec::new();
    let mut bytes = 0;
    for key in keys().take(ask.keys) {
        let pressed = Instant::now();
        events
            .send(Event::Input(Input::Key(key)))
            .await
            .context("the session ended")?;
        match tokio::time::timeout(NO_FRAME, frames.recv()).await {
            Ok(Some(frame)) => {
                waits.push(frame.at - pressed);
                bytes += frame.bytes;
            }
            Ok(None) => anyhow::bail!("the session ended"),
            Err(_no_frame) => {}
        }
    }
    told(ask.json, &Keys::of(waits, bytes))?;
    events.send(Event::End).await.context("the session ended")?;
    session.await??;
    if let Some(bytes) = peak_memory() {
        told(ask.json, &Memory { peak_bytes: bytes })?;
    }
    Ok(())
}

/// Says what was measured: to a person, or as a line of JSON.
fn told<T: fmt::Display + Serialize>(as_json: bool, what: &T) -> anyhow::Result<()> {
    if as_json {
        say!("{}", json(what)?)?;
    } else {
        say!("{what}")?;
    }
    Ok(())
}

/// The first frame with the ward on it.
#[derive(Serialize)]
struct First {
    ward: String,
    columns: u16,
    rows: u16,
    first_frame_ms: f64,
    bytes: usize,
}

impl First {
    fn of(shown: &Shown, ask: &cli::BenchDesk, began: Instant) -> First {
        First {
            ward: ask.ward.clone(),
            columns: ask.columns,
            rows: ask.rows,
            first_frame_ms: in_milliseconds(shown.at - began),
            bytes: shown.bytes,
        }
    }
}

impl fmt::Display for First {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "first frame of {} at {}x{}: {:.2} ms after the start, {} bytes",
            self.ward, self.columns, self.rows, self.first_frame_ms, self.bytes
        )
    }
}

/// Keys, each to its frame.
#[derive(Serialize)]
struct Keys {
    keys: usize,
    p50_ms: f64,
    p99_ms: f64,
    longest_ms: f64,
    bytes_on_average: usize,
}

impl Keys {
    fn of(mut waits: Vec<Duration>, bytes: usize) -> Keys {
        waits.sort_unstable();
        let at = |part: usize| {
            let wait = waits.get(waits.len() * part / 100).or(waits.last());
            in_milliseconds(wait.copied().unwrap_or_default())
        };
        Keys {
            keys: waits.len(),
            p50_ms: at(50),
            p99_ms: at(99),
            longest_ms: at(100),
            bytes_on_average: bytes / waits.len().max(1),
        }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "key to frame, {} keys: p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms, {} bytes on average",
            self.keys, self.p50_ms, self.p99_ms, self.longest_ms, self.bytes_on_average
        )
    }
}

/// The most memory that this process has had in use.
#[derive(Serialize)]
struct Memory {
    peak_bytes: u64,
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory at most: {:.1} MB", self.peak_bytes as f64 / 1e6)
    }
}

/// As Linux counts it; elsewhere nobody is asked.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// What a nurse does in the queue: down, down, up, a page, the end, another pane, a search, and again.
fn keys() -> impl Iterator<Item = Key> {
    const ROUND: &[Code] = &[
        Code::Down,
        Code::Down,
        Code::Up,
        Code::Down,
        Code::PageDown,
        Code::Up,
        Code::End,
        Code::Home,
        Code::Char('j'),
        Code::Char('/'),
        Code::Char('a'),
        Code::Char('c'),
        Code::Backspace,
        Code::Esc,
        Code::Tab,
        Code::Down,
        Code::Tab,
        Code::Tab,
    ];
    ROUND.iter().cycle().map(|code| Key::of(*code))
}
