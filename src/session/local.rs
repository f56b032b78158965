//! A session at the terminal that the program was started in, with the signals of the process.

mod keyboard;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::low_level::emulate_default_handler;
use tokio::io::AsyncRead;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::wire::{Answers, Handle, listen};
use super::{Event, INPUTS, Services, Session, Settings, Station, Terminal};
use crate::terminal::local::{Local, NoTerminal};
use crate::terminal::{Painter, Profile};
use crate::tui::{Charset, Start};
use keyboard::Keyboard;

/// A program that was asked to end and whose terminal takes no more bytes ends after this all the same.
const AT_LAST: Duration = Duration::from_secs(10);

/// How a session at the local terminal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The person left.
    Left,
    /// This signal ended it. Whoever started the program expects it to end by that signal: see [`Ended::echo`].
    Signal(i32),
}

impl Ended {
    /// Ends the process by the signal that ended the session, if one did. Call it when all else is closed.
    pub fn echo(self) {
        if let Ended::Signal(signal) = self {
            // It does not return when it works.
            let _ = emulate_default_handler(signal);
        }
    }
}

/// The local terminal and what it shows.
struct LocalTerminal {
    local: Local,
    painter: Painter,
    /// Tells the decoder.
    charset: watch::Sender<Charset>,
    /// It was stopped by its own hand: the signal that it goes on is on its way, and tells nothing new.
    stopped: bool,
}

impl Terminal for LocalTerminal {
    async fn ready(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show(&mut self, frame: &Buffer, cursor: Option<Position>) -> io::Result<bool> {
        self.painter.paint(&mut io::stdout().lock(), frame, cursor)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.painter.forget();
        self.stopped = self.local.suspend()?;
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        self.painter.forget();
        if std::mem::take(&mut self.stopped) {
            return Ok(());
        }
        self.local.retake()
    }

    fn change(&mut self, profile: Profile) -> io::Result<()> {
        self.local.change(profile)?;
        self.painter = Painter::new(profile);
        self.charset.send_replace(profile.charset);
        Ok(())
    }
}

/// Runs a session at the local terminal until the person leaves or a signal ends it. The terminal is as it was
/// before, whichever way that goes.
///
/// # Errors
/// [`NoTerminal`]: there is none, or it is gone.
pub async fn run(
    services: Services,
    settings: Settings,
    start: Start,
    station: Station,
) -> Result<Ended, NoTerminal> {
    let profile = station.profile();
    let (events, mut received) = mpsc::channel(INPUTS);
    let ending = Arc::new(AtomicI32::new(0));
    let signals = Signals::new()?;
    let local = Local::enter(profile)?;
    let size = Local::size();
    let (handle, outside) = Handle::new(size);
    let keyboard = Keyboard::open()?;
    let (charset, charsets) = watch::channel(profile.charset);
    let scans = settings.scanner.clone();
    let terminal = LocalTerminal {
        local,
        painter: Painter::new(profile),
        charset,
        stopped: false,
    };
    let tasks = [
        tokio::spawn(signals.run(events.clone(), handle, Arc::clone(&ending))),
        tokio::spawn(async move {
            // It is not asked anything: it reads as fast as it is written to.
            let (answers, _) = watch::channel(Answers::default());
            let ears = (charsets, scans);
            listen(keyboard, ears, outside, &events, &answers).await;
        }),
    ];
    let _tasks = Ends(tasks);
    let mut session = Session::new(services, settings, station, terminal, size, start);
    let ran = session.run(&mut received).await;
    drop(session);
    match ending.load(Ordering::SeqCst) {
        0 => {
            ran?;
            Ok(Ended::Left)
        }
        // A terminal that has hung up cannot be drawn on either: the signal is what happened.
        signal => Ok(Ended::Signal(signal)),
    }
}

/// The local terminal as a line that others draw on: its keys come as they are pressed. Dropping it lets the shell edit
/// lines again; what is on the screen is not its business.
#[derive(Debug)]
pub struct Raw(());

impl Raw {
    /// Takes the keys.
    ///
    /// # Errors
    /// [`NoTerminal`]: there is none.
    pub fn enter() -> Result<(Raw, impl AsyncRead + Unpin + Send), NoTerminal> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(NoTerminal::NotATerminal);
        }
        let guard = Raw(());
        enable_raw_mode()?;
        Ok((guard, Keyboard::open()?))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // What fails here cannot be told to anybody.
        let _ = disable_raw_mode();
    }
}

/// Tasks that end with the session.
struct Ends([JoinHandle<()>; 2]);

impl Drop for Ends {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// The signals that mean something to a session.
struct Signals {
    hang_up: Signal,
    interrupt: Signal,
    terminate: Signal,
    stop: Signal,
    go_on: Signal,
    resized: Signal,
}

impl Signals {
    fn new() -> io::Result<Signals> {
        let of = |number| signal(SignalKind::from_raw(number));
        Ok(Signals {
            hang_up: of(SIGHUP)?,
            interrupt: of(SIGINT)?,
            terminate: of(SIGTERM)?,
            stop: of(SIGTSTP)?,
            go_on: of(SIGCONT)?,
            resized: of(SIGWINCH)?,
        })
    }

    async fn run(mut self, events: mpsc::Sender<Event>, handle: Handle, ending: Arc<AtomicI32>) {
        let number = loop {
            let event = tokio::select! {
                _ = self.hang_up.recv() => break SIGHUP,
                _ = self.interrupt.recv() => break SIGINT,
                _ = self.terminate.recv() => break SIGTERM,
                _ = self.stop.recv() => Event::Suspend,
                _ = self.go_on.recv() => {
                    // It may have been made larger meanwhile.
                    handle.resize(Local::size());
                    Event::Resume
                }
                _ = self.resized.recv() => {
                    handle.resize(Local::size());
                    continue;
                }
            };
            if events.send(event).await.is_err() {
                return;
            }
        };
        ending.store(number, Ordering::SeqCst);
        let told = tokio::time::timeout(AT_LAST, events.send(Event::End)).await;
        if matches!(told, Ok(Err(_))) {
            return;
        }
        // The session aborts this task when it ends. If it does not, it hangs on a terminal that takes nothing.
        tokio::time::sleep(AT_LAST).await;
        let _ = emulate_default_handler(number);
    }
}
