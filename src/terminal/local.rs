//! The terminal that this program was started in: taken over on entry, given back on every way out.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use super::Profile;

/// Panics of other threads that are kept until the terminal is free for them.
const KEPT: usize = 16;

/// Whether this process's terminal is taken over. There is one terminal, so one of these.
static TAKEN: AtomicBool = AtomicBool::new(false);
static ENTERED_BY: Mutex<Option<ThreadId>> = Mutex::new(None);
static PROFILE: Mutex<Option<Profile>> = Mutex::new(None);
static UNTOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
static HOOK: Once = Once::new();

/// Why the terminal cannot be used.
#[derive(Debug)]
pub enum NoTerminal {
    /// Keys or screen are a file or a pipe.
    NotATerminal,
    /// The terminal said no.
    Io(io::Error),
}

impl fmt::Display for NoTerminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoTerminal::NotATerminal => f.write_str(
                "the ward desk needs a terminal for keys and screen; \
                 for scripts there are commands such as 'valmed orders --format json'",
            ),
            NoTerminal::Io(error) => write!(f, "the terminal cannot be used: {error}"),
        }
    }
}

impl std::error::Error for NoTerminal {}

impl From<io::Error> for NoTerminal {
    fn from(error: io::Error) -> NoTerminal {
        NoTerminal::Io(error)
    }
}

/// The terminal while it is taken over. Dropping it gives the terminal back as it was, whatever happened.
#[derive(Debug)]
pub struct Local {
    profile: Profile,
}

impl Local {
    /// Takes the terminal over: raw mode, its second screen, reports of paste and mouse, as far as it has them.
    ///
    /// # Errors
    /// [`NoTerminal`]; the terminal is as it was then.
    pub fn enter(profile: Profile) -> Result<Local, NoTerminal> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(NoTerminal::NotATerminal);
        }
        HOOK.call_once(install_hook);
        *lock(&ENTERED_BY) = Some(thread::current().id());
        *lock(&PROFILE) = Some(profile);
        // The guard stands before the first step that could fail half-way.
        let guard = Local { profile };
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        guard.take()?;
        Ok(guard)
    }

    fn take(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(&self.profile.hello())?;
        out.flush()
    }

    /// Its size in columns and rows, as it says.
    pub fn size() -> (u16, u16) {
        crossterm::terminal::size().unwrap_or((80, 24))
    }

    /// Gives the terminal back for a while, stops this program as Ctrl-Z does, and takes it over again when it goes
    /// on. The screen must be painted anew afterwards. Where no shell would notice and continue it (it is the login
    /// program, or a plain script started it), it goes on as if nothing was asked: nobody at the keyboard could. Says
    /// whether it was stopped.
    ///
    /// # Errors
    /// The terminal said no.
    pub fn suspend(&mut self) -> io::Result<bool> {
        if !under_job_control() {
            return Ok(false);
        }
        restore();
        // The whole job, as the terminal does it: a wrapper that went on waiting would keep the shell waiting too.
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?;
        self.retake()?;
        Ok(true)
    }

    /// Draws on it as on another from now on.
    ///
    /// # Errors
    /// The terminal said no.
    pub fn change(&mut self, profile: Profile) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(&self.profile.goodbye())?;
        self.profile = profile;
        *lock(&PROFILE) = Some(profile);
        out.write_all(&profile.hello())?;
        out.flush()
    }

    /// Takes the terminal over again after the process was stopped without being asked, and a shell used it meanwhile.
    ///
    /// # Errors
    /// The terminal said no.
    pub fn retake(&mut self) -> io::Result<()> {
        TAKEN.store(true, Ordering::SeqCst);
        // Raw mode is believed to be on, which it may not be any more.
        disable_raw_mode()?;
        enable_raw_mode()?;
        self.take()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        restore();
        for message in lock(&UNTOLD).drain(..) {
            // Standard error may be gone with the terminal.
            let _ = writeln!(io::stderr(), "{message}");
        }
    }
}

/// Whether a shell looks after this program as one of its jobs: such a shell gives each job a group of its own.
fn under_job_control() -> bool {
    rustix::process::getsid(None).is_ok_and(|session| session != rustix::process::getpgrp())
}

/// Gives the terminal back, if it is taken. What fails here cannot be told to anybody.
fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let Some(profile) = *lock(&PROFILE) else {
        return;
    };
    let mut out = io::stdout();
    let _ = out.write_all(&profile.goodbye());
    let _ = out.flush();
    let _ = disable_raw_mode();
}

/// A panic of the thread that holds the terminal ends the session: the terminal is given back before its message is
/// printed. A panic elsewhere ends a task and not the session; its message waits until it can be read.
fn install_hook() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !TAKEN.load(Ordering::SeqCst) {
            return before(info);
        }
        if *lock(&ENTERED_BY) == Some(thread::current().id()) {
            restore();
            return before(info);
        }
        tracing::error!("a task panicked: {info}");
        let mut untold = lock(&UNTOLD);
        if untold.len() < KEPT {
            untold.push(format!("valmed: a task panicked: {info}"));
        }
    }));
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
