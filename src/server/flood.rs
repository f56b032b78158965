//! How many failures are put on record one by one.
//!
//! Each refusal is on record; but whoever knocks ten thousand times a minute must not fill the database with it. Beyond
//! some a minute they are counted, and the next row tells how many.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Rows a minute.
const ROWS: u32 = 60;

#[derive(Debug, Default)]
struct Minute {
    began: Option<Timestamp>,
    rows: u32,
    unrecorded: u64,
}

/// What was put on record lately.
#[derive(Debug, Default)]
pub(super) struct Flood(Mutex<Minute>);

impl Flood {
    /// Whether one more may be put on record, and how many before it were not.
    pub(super) fn may_record(&self, now: Timestamp) -> Option<u64> {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = minute
            .began
            .is_none_or(|began| now.duration_since(began).abs() >= SignedDuration::from_mins(1));
        if is_new {
            minute.began = Some(now);
            minute.rows = 0;
        }
        if minute.rows >= ROWS {
            minute.unrecorded += 1;
            return None;
        }
        minute.rows += 1;
        Some(std::mem::take(&mut minute.unrecorded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_counted_and_told_later() {
        let flood = Flood::default();
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let recorded = (0..100).filter(|n| flood.may_record(at(n % 50)) == Some(0));
        assert_eq!(recorded.count(), 60);
        assert_eq!(flood.may_record(at(61)), Some(40));
        assert_eq!(flood.may_record(at(62)), Some(0));
    }
}
