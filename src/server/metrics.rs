//! What the server counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// So many more.
    pub fn add(&self, n: usize) {
        self.0.fetch_add(n as u64, Ordering::Relaxed);
    }

    /// How many.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the server has counted since it started.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Connections that were taken.
    pub connections: Counter,
    /// Connections that were turned away because there were too many.
    pub turned_away: Counter,
    /// Connections that nobody signed in on.
    pub unsigned: Counter,
    /// Tries to sign in that failed.
    pub failures: Counter,
    /// Sessions that began.
    pub sessions: Counter,
    /// Commands that were run.
    pub commands: Counter,
    /// Sessions that ended by a defect of the program.
    pub panics: Counter,
    /// Bytes from terminals.
    pub bytes_in: Counter,
    /// Bytes to terminals.
    pub bytes_out: Counter,
}
