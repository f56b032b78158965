//! Every ward's state in one line each, for whoever watches several.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::reason::Reason;
use super::snapshot::Ward;
use super::{Role, WardId};

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
    /// Those of them that are so long past it that they count as missed.
    pub missed: u32,
    /// The due time of the longest waiting of those (UTC).
    pub oldest: Option<Timestamp>,
    /// Drugs at or below their threshold, of which there is some.
    pub low: u32,
    /// Drugs of which there is nothing.
    pub out: u32,
    /// Differences that nobody has answered for.
    pub discrepancies: u32,
    /// Emergency accesses to it that last.
    pub emergencies: u32,
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

/// An emergency access, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Emergency {
    /// Key.
    pub id: Uuid,
    /// Name of who acts.
    pub who: String,
    /// What they are.
    pub role: Role,
    /// Where.
    pub ward: WardId,
    /// Its code.
    pub ward_code: String,
    /// Why: code and text.
    pub reason: Reason,
    /// From when on (UTC).
    pub started: Timestamp,
    /// Until when (UTC).
    pub until: Timestamp,
    /// Name of who ended it before its time.
    pub ended_by: Option<String>,
}
