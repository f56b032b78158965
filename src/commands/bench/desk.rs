//! `valmed bench desk`: how long a person waits for the screen.
//!
//! The real session runs on the configured database, with a terminal that takes bytes and notes when they came.

use std::io;
use std::time::{Duration, Instant};

use anyhow::Context;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use tokio::sync::mpsc;

use super::milliseconds;
use crate::cli;
use crate::commands::output::say;
use crate::commands::{self, ward_desk};
use crate::config::Config;
use crate::session::{Event, INPUTS, Services, Session, Settings, Terminal};
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
    let theme = profile.theme();
    let mut session = Session::new(
        services,
        settings,
        theme,
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
    say!(
        "first frame of {} at {}x{}: {} after the start, {} bytes",
        ask.ward,
        ask.columns,
        ask.rows,
        milliseconds(first.at - began),
        first.bytes
    )?;
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
    waits.sort_unstable();
    let at = |part: usize| {
        waits
            .get(waits.len() * part / 100)
            .copied()
            .unwrap_or_default()
    };
    say!(
        "key to frame, {} keys: p50 {}, p99 {}, longest {}, {} bytes on average",
        waits.len(),
        milliseconds(at(50)),
        milliseconds(at(99)),
        milliseconds(waits.last().copied().unwrap_or_default()),
        bytes / waits.len().max(1)
    )?;
    events.send(Event::End).await.context("the session ended")?;
    Ok(session.await??)
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
