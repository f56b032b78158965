//! Every ward's state in one line each, for whoever watches several.

use jiff::Timestamp;
use serde::Serialize;

use super::snapshot::Ward;

/// The hours that [`Line::given`] counts, the last of them up to now.
pub const HOURS: usize = 12;

/// One ward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Which.
    pub ward: Ward,
    /// Timed doses to be given within the window ahead.
    pub due: u32,
    /// Timed doses past their time.
    pub late: u32,
    /// The due time of the longest waiting of those (UTC).
    pub oldest: Option<Timestamp>,
    /// Drugs at or below their threshold, of which there is some.
    pub low: u32,
    /// Drugs of which there is nothing.
    pub out: u32,
    /// Doses given in each of the last [`HOURS`] hours, the oldest first.
    pub given: Vec<u32>,
}

/// Every ward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Board {
    /// By name.
    pub lines: Vec<Line>,
    /// When it was counted (UTC).
    pub taken_at: Timestamp,
}
