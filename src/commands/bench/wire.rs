//! `valmed bench wire`: what a screen costs on the line.
//!
//! The real session runs on a demo ward of its own and is driven by keys; every frame it shows is encoded for a
//! terminal as the program does it, and beside that as the drawing library's own backend does. It is always the same
//! moment there, so that the same screens are compared from one run to the next. Then another such ward, in which time
//! passes, changes while a slow terminal watches it: see [`slow`].

mod slow;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use tokio::sync::mpsc;

use super::targets::Targets;
use crate::cli;
use crate::commands::output::say;
use crate::commands::{self, demo, ward_desk};
use crate::config::Config;
use crate::desk::Clock;
use crate::domain::Policy;
use crate::interop::demo as ward;
use crate::session::{Event, INPUTS, Services, Session, Settings, Station, Terminal};
use crate::signin::SignIn;
use crate::store::{self, Db, screens};
use crate::terminal::input::Input;
use crate::terminal::{Painter, Profile};
use crate::tui::{Code, Key, Start};

/// A screen on which nothing happens for so long has settled.
const SETTLED: Duration = Duration::from_millis(250);
/// How often a frame is encoded to find its time.
const ENCODED: u32 = 200;
/// What stands on the screen while the ward is read for the first time.
const READING: &str = "Reading the ward";

/// Thursday 2026-01-15, 10:00 UTC: when it is in the ward of which frames are compared.
const MOMENT: Timestamp = Timestamp::constant(1_768_471_200, 0);
/// What steps may cost on a terminal of 80 by 24, in bytes (a mean where there are several), and of which that is asked.
/// Not the next row of a VT100: it takes three bytes for each `·`.
const AT_MOST: &[(&str, f64, &[&str])] = &[
    ("full paint", 2200.0, BOTH),
    ("nothing changed", 0.0, BOTH),
    ("cursor one row", 96.0, &["xterm-256color"]),
    ("list scrolled by one", 300.0, BOTH),
    ("one typed character", 24.0, BOTH),
];
const BOTH: &[&str] = &["xterm-256color", "vt100"];
/// How far a slow terminal that answers may fall behind, in seconds.
const BEHIND: f64 = 2.0;

/// A screen and its cursor.
type Frame = (Buffer, Option<Position>);

/// Measures bytes and times for an xterm with many colours, one with few, and a VT100, then the slow line.
pub async fn wire(config: &Config, ask: cli::BenchWire) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("a temporary folder")?;
    let (db, services) = ward_by(config, folder.path(), Arc::new(|| MOMENT)).await?;
    // It would ask this process's environment instead of the terminal.
    crossterm::style::force_color_output(true);
    let mut targets = Targets::default();
    for term in ["xterm-256color", "xterm", "vt100"] {
        let start = nurse(&db).await?;
        let steps = walk(&services, start, term, (ask.columns, ask.rows)).await?;
        report(term, &ask, &steps, &mut targets)?;
    }
    commands::close(&services.desk, &services.feed, config).await;
    if ask.seconds > 0 {
        let folder = tempfile::tempdir().context("a temporary folder")?;
        let (db, services) = ward_by(config, folder.path(), Arc::new(store::now)).await?;
        let behind = slow::slow(&services, &db, &ask).await?;
        commands::close(&services.desk, &services.feed, config).await;
        if ask.rate >= 960 {
            let what = format!("a client of {} bytes/s: how far behind", ask.rate);
            targets.at_most(what, behind, BEHIND, "s");
        }
    }
    targets.tell(ask.check)
}

/// A demo ward that goes by that clock, with what a session needs.
async fn ward_by(config: &Config, folder: &Path, clock: Clock) -> anyhow::Result<(Db, Services)> {
    let db = demo::open_at(config, folder, clock()).await?;
    let policy = Arc::new(Policy::easy());
    let (desk, feed) = commands::desk_at(&db, config, policy, Arc::clone(&clock));
    let sign_in = SignIn::new(db.clone(), config.sign_in_delays());
    let services = Services::new(db.clone(), desk, feed, sign_in, clock);
    Ok((db, services))
}

async fn nurse(db: &Db) -> anyhow::Result<Start> {
    let ward = screens::ward_by_code(db.reader().await?.link(), ward::WARD).await?;
    ward_desk::known(db, ward::NURSE, ward.map(|ward| ward.id), "").await
}

fn profile(term: &str) -> Profile {
    Profile::of(|name| match name {
        "TERM" => Some(term.to_owned()),
        "LANG" => Some("C.UTF-8".to_owned()),
        _ => None,
    })
}

/// A terminal that hands every frame on.
struct Copy(mpsc::UnboundedSender<Frame>);

impl Terminal for Copy {
    async fn ready(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show(&mut self, frame: &Buffer, cursor: Option<Position>) -> io::Result<bool> {
        let sent = self.0.send((frame.clone(), cursor));
        sent.map(|()| true)
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

/// One frame after another.
struct Step {
    what: &'static str,
    before: Frame,
    after: Frame,
}

/// Somebody who presses keys and looks.
struct Nurse {
    events: mpsc::Sender<Event>,
    frames: mpsc::UnboundedReceiver<Frame>,
    screen: Frame,
}

impl Nurse {
    /// The screen when nothing has happened for a while.
    async fn settles(&mut self) -> anyhow::Result<Frame> {
        loop {
            match tokio::time::timeout(SETTLED, self.frames.recv()).await {
                Ok(frame) => self.screen = frame.context("the session ended")?,
                Err(_) if text(&self.screen).contains(READING) => {}
                Err(_) => return Ok(self.screen.clone()),
            }
        }
    }

    async fn presses(&mut self, code: Code) -> anyhow::Result<(Frame, Frame)> {
        let before = self.screen.clone();
        let key = Event::Input(Input::Key(Key::of(code)));
        self.events.send(key).await.context("the session ended")?;
        Ok((before, self.settles().await?))
    }
}

fn text(frame: &Frame) -> String {
    frame.0.content().iter().map(|cell| cell.symbol()).collect()
}

/// What a nurse does, with the frames before and after.
async fn walk(
    services: &Services,
    start: Start,
    term: &str,
    size: (u16, u16),
) -> anyhow::Result<Vec<Step>> {
    let (events, mut received) = mpsc::channel(INPUTS);
    let (shown, frames) = mpsc::unbounded_channel();
    let station = Station::of(profile(term));
    let settings = Settings {
        policy: Arc::new(Policy::easy()),
        frame_every: Duration::ZERO,
        ..Settings::default()
    };
    let terminal = Copy(shown);
    let mut session = Session::new(services.clone(), settings, station, terminal, size, start);
    let session = tokio::spawn(async move { session.run(&mut received).await });
    let nothing = (Buffer::default(), None);
    let mut nurse = Nurse {
        events,
        frames,
        screen: nothing.clone(),
    };
    let ward = nurse.settles().await?;
    let mut steps = vec![
        Step {
            what: "full paint",
            before: nothing,
            after: ward.clone(),
        },
        Step {
            what: "nothing changed",
            before: ward.clone(),
            after: ward,
        },
    ];
    let mut take = |what, (before, after)| {
        steps.push(Step {
            what,
            before,
            after,
        })
    };
    // From one row to the next, until the list scrolls.
    for _ in 0..12 {
        let (before, after) = nurse.presses(Code::Down).await?;
        let what = if scrolled(&before.0, &after.0) {
            "list scrolled by one"
        } else {
            "cursor one row"
        };
        take(what, (before, after));
    }
    take("a page down", nurse.presses(Code::PageDown).await?);
    nurse.presses(Code::Home).await?;
    take("a sheet opens", nurse.presses(Code::Enter).await?);
    for digit in ['V', '1', '7', '7', '3'] {
        take(
            "one typed character",
            nurse.presses(Code::Char(digit)).await?,
        );
    }
    take("a sheet closes", nurse.presses(Code::Esc).await?);
    nurse
        .events
        .send(Event::End)
        .await
        .context("the session ended")?;
    session.await??;
    Ok(steps)
}

/// Whether the list has moved: rows stand where their neighbours stood.
fn scrolled(before: &Buffer, after: &Buffer) -> bool {
    let rows = |frame: &Buffer| -> Vec<String> {
        let wide = usize::from(frame.area.width).max(1);
        let rows = frame.content().chunks(wide);
        rows.map(|row| row.iter().map(|cell| cell.symbol()).collect())
            .collect()
    };
    let (before, after) = (rows(before), rows(after));
    let moved = before.iter().skip(1).zip(&after).zip(&before);
    let moved = moved.filter(|((old_below, new), old)| old_below == new && old != new);
    moved.count() >= 3
}

fn report(
    term: &str,
    ask: &cli::BenchWire,
    steps: &[Step],
    targets: &mut Targets,
) -> anyhow::Result<()> {
    say!(
        "{:<26} {:>14} {:>14} {:>12} {:>12}",
        format!("{term} {}x{}", ask.columns, ask.rows),
        "bytes",
        "stock bytes",
        "encoding",
        "stock"
    )?;
    let mut whats: Vec<&str> = Vec::new();
    for step in steps {
        if !whats.contains(&step.what) {
            whats.push(step.what);
        }
    }
    for what in whats {
        let these: Vec<Cost> = steps
            .iter()
            .filter(|step| step.what == what)
            .map(|step| cost(step, profile(term)))
            .collect::<io::Result<_>>()?;
        let mut asked = AT_MOST.iter();
        let asked = asked.find(|(step, _, of)| *step == what && of.contains(&term));
        let usual = (ask.columns, ask.rows) == (80, 24);
        if let Some((_, most, _)) = asked.filter(|_| usual) {
            let sum: usize = these.iter().map(|cost| cost.ours).sum();
            let mean = sum as f64 / these.len().max(1) as f64;
            targets.at_most(format!("{what}, {term} 80x24"), mean, *most, "B");
        }
        let bytes = |of: fn(&Cost) -> usize| {
            let sum: usize = these.iter().map(of).sum();
            let most = these.iter().map(of).max().unwrap_or_default();
            let mean = sum / these.len().max(1);
            if these.len() == 1 {
                most.to_string()
            } else {
                format!("{mean} (≤ {most})")
            }
        };
        let mean = |of: fn(&Cost) -> Duration| {
            let sum: Duration = these.iter().map(of).sum();
            let count = u32::try_from(these.len()).unwrap_or(1).max(1);
            format!("{:.1} µs", (sum / count).as_secs_f64() * 1e6)
        };
        say!(
            "  {what:<24} {:>14} {:>14} {:>12} {:>12}",
            bytes(|cost| cost.ours),
            bytes(|cost| cost.stock),
            mean(|cost| cost.our_time),
            mean(|cost| cost.stock_time),
        )?;
    }
    Ok(())
}

/// What xterm says it is.
const VT420: u16 = 64;

/// Bytes and times of a step.
struct Cost {
    ours: usize,
    stock: usize,
    our_time: Duration,
    stock_time: Duration,
}

fn cost(step: &Step, profile: Profile) -> io::Result<Cost> {
    let mut painter = Painter::new(profile);
    painter.is_of_class(VT420);
    let mut bytes = Vec::new();
    if step.before.0.area.area() > 0 {
        painter.frame(&step.before.0, step.before.1);
    }
    bytes.extend(painter.frame(&step.after.0, step.after.1));
    let began = Instant::now();
    for _ in 0..ENCODED {
        // There and back, or the whole anew: half of it is the way that is measured, the other half as long.
        if step.before.0.area.area() > 0 {
            painter.frame(&step.before.0, step.before.1);
        } else {
            painter.forget();
        }
        painter.frame(&step.after.0, step.after.1);
    }
    let there_and_back = if step.before.0.area.area() > 0 { 2 } else { 1 };
    let our_time = began.elapsed() / ENCODED / there_and_back;
    let empty = Buffer::empty(step.after.0.area);
    let before = if step.before.0.area.area() > 0 {
        &step.before.0
    } else {
        &empty
    };
    let stock = stock(before, &step.after)?;
    let began = Instant::now();
    for _ in 0..ENCODED {
        self::stock(before, &step.after)?;
    }
    Ok(Cost {
        ours: bytes.len(),
        stock,
        our_time,
        stock_time: began.elapsed() / ENCODED,
    })
}

/// As the drawing library does it with every frame: what differs, the cursor, a flush.
fn stock(before: &Buffer, after: &Frame) -> io::Result<usize> {
    let mut bytes = Vec::new();
    let mut backend = CrosstermBackend::new(&mut bytes);
    backend.draw(before.diff(&after.0).into_iter())?;
    match after.1 {
        None => backend.hide_cursor()?,
        Some(position) => {
            backend.show_cursor()?;
            backend.set_cursor_position(position)?;
        }
    }
    io::Write::flush(&mut backend)?;
    Ok(bytes.len())
}
