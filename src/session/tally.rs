//! What sessions count, all of a process together: for whoever watches over a server.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::Outcome;

/// Upper ends of the classes of times, in microseconds; what takes longer is in a class of its own.
pub const CLASSES: [u64; 12] = [
    500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    5_000_000,
];

/// How many things took how long.
#[derive(Debug, Default)]
pub struct Times {
    classes: [AtomicU64; CLASSES.len() + 1],
    micros: AtomicU64,
}

impl Times {
    /// One more took so long.
    pub fn took(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let class = CLASSES.partition_point(|upper| *upper < micros);
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// How many are in each class, the one without an end last; and how long all took together, in microseconds.
    pub fn counts(&self) -> ([u64; CLASSES.len() + 1], u64) {
        let counts = std::array::from_fn(|at| self.classes[at].load(Ordering::Relaxed));
        (counts, self.micros.load(Ordering::Relaxed))
    }
}

/// What sessions count.
#[derive(Debug, Default)]
pub struct Tally {
    /// Frames that changed something on a terminal.
    pub frames: AtomicU64,
    /// From a key to the frame after it.
    pub key_to_frame: Times,
    /// What became of operations: `done`, `unknown`, or the code of the refusal.
    outcomes: Mutex<BTreeMap<&'static str, u64>>,
}

impl Tally {
    /// An operation came to this.
    pub fn outcome(&self, outcome: &Outcome) {
        let word = match outcome {
            Outcome::Done(_) => "done",
            Outcome::Refused(refusal) => refusal.code(),
            Outcome::Unknown { .. } => "unknown",
        };
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        *outcomes.entry(word).or_default() += 1;
    }

    /// What became of operations, and how often.
    pub fn outcomes(&self) -> BTreeMap<&'static str, u64> {
        let outcomes = self.outcomes.lock();
        outcomes.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_the_class_whose_end_they_do_not_pass() {
        let times = Times::default();
        for micros in [0, 500, 501, 5_000_000, 5_000_001] {
            times.took(Duration::from_micros(micros));
        }
        let (counts, all) = times.counts();
        assert_eq!((counts[0], counts[1], counts[11], counts[12]), (2, 1, 1, 1));
        assert_eq!(all, 10_001_002);
    }
}
