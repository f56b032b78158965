//! The server that is measured: this program in a process of its own, on a demo ward, so that what it takes is told apart
//! from what its clients take.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A server.
pub(super) struct Process {
    child: Child,
    id: u32,
    /// Where it takes connections.
    pub address: String,
}

/// What a process has taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    at: Instant,
    processor: Duration,
    /// Bytes in memory.
    pub memory: u64,
}

impl Process {
    /// Starts one on a database, with its own things in a folder.
    pub(super) async fn start(folder: &Path, database: &str) -> anyhow::Result<Process> {
        let mut child = Command::new(std::env::current_exe().context("this program")?)
            .args(["--database", database, "serve", "--listen", "127.0.0.1:0"])
            .env("VALMED_SERVER_HOST_KEY", folder.join("host_key"))
            .env("VALMED_SERVER_CONTROL", folder.join("control.sock"))
            .env("VALMED_SERVER_CONNECTIONS", "10000")
            .env("VALMED_SERVER_PER_ADDRESS", "10000")
            .env("VALMED_SERVER_HANDSHAKES", "1000")
            .env("VALMED_SERVER_HANDSHAKES_PER_ADDRESS", "1000")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the server")?;
        let out = child.stdout.take().context("its output")?;
        let mut lines = BufReader::new(out).lines();
        let first = lines.next_line().await?.unwrap_or_default();
        let address = first
            .strip_prefix("ValMed serves ")
            .and_then(|rest| rest.split(',').next())
            .with_context(|| format!("the server says '{first}'"))?;
        Ok(Process {
            id: child.id().context("it has ended")?,
            address: address.to_owned(),
            child,
        })
    }

    /// What it has taken so far.
    pub(super) fn taken(&self) -> anyhow::Result<Taken> {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", self.id));
        let stat = read("stat").context("this needs Linux's /proc")?;
        // Behind the name, which may hold anything.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().collect())
            .unwrap_or_default();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        let ticks = ticks(11).zip(ticks(12)).context("its times")?;
        let second = rustix::param::clock_ticks_per_second();
        let micros = (ticks.0 + ticks.1) * 1_000_000 / second.max(1);
        let status = read("status")?;
        let kilobytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
            .context("its memory")?;
        Ok(Taken {
            at: Instant::now(),
            processor: Duration::from_micros(micros),
            memory: kilobytes * 1024,
        })
    }

    /// Stops it as a person would.
    pub(super) async fn stop(mut self) -> anyhow::Result<bool> {
        let id = i32::try_from(self.id)
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        let id = id.context("its number")?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        Ok(self.child.wait().await?.success())
    }
}

impl Taken {
    /// Per cent of one processor since an earlier look.
    pub(super) fn processor_since(&self, earlier: &Taken) -> f64 {
        let time = self.at.duration_since(earlier.at).as_secs_f64();
        let taken = self.processor.saturating_sub(earlier.processor);
        100.0 * taken.as_secs_f64() / time.max(1e-9)
    }
}
