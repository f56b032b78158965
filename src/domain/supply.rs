//! What a ward will run out of, and when: from its cupboard and its queue.

use jiff::{SignedDuration, Timestamp};

use super::snapshot::{StockLevel, WardSnapshot};
use super::{OrderKind, Quantity};

/// A drug that a ward is short of, or will be.
#[derive(Debug, Clone)]
pub struct Shortage<'a> {
    /// What there is of it.
    pub level: &'a StockLevel,
    /// When the first dose is due that there will not be enough for (UTC); `None`: the queue's doses are covered.
    pub runs_out_at: Option<Timestamp>,
}

impl Shortage<'_> {
    /// How long the cupboard lasts for what the queue will take; nothing: a dose that is due lacks it already.
    pub fn lasts(&self, now: Timestamp) -> Option<SignedDuration> {
        self.runs_out_at
            .map(|at| at.duration_since(now).max(SignedDuration::ZERO))
    }
}

/// What is out or low, or will be before the queue's timed doses are given: what runs out first stands first, then what
/// is out, then what is low, by name. Of a dose with a range the most is reckoned with.
pub fn shortages(snapshot: &WardSnapshot) -> Vec<Shortage<'_>> {
    let mut doses: Vec<_> = snapshot
        .orders
        .iter()
        .filter(|order| order.kind == OrderKind::Timed)
        .filter_map(|order| Some((order.due_at?, order)))
        .collect();
    doses.sort_by_key(|(due, _)| *due);
    let mut found: Vec<Shortage<'_>> = snapshot
        .stock
        .iter()
        .map(|level| Shortage {
            runs_out_at: (level.needed > level.current)
                .then(|| {
                    let mut left = level.current;
                    let of_drug = doses
                        .iter()
                        .filter(|(_, order)| order.drug.id == level.drug.id);
                    for (due, order) in of_drug {
                        left = left - order.dose.most.unwrap_or(order.dose.least);
                        if left < Quantity::ZERO {
                            return Some(*due);
                        }
                    }
                    None
                })
                .flatten(),
            level,
        })
        .filter(|short| short.runs_out_at.is_some() || short.level.is_low())
        .collect();
    found.sort_by_key(|short| {
        let at = short.runs_out_at.unwrap_or(Timestamp::MAX);
        (at, !short.level.is_out())
    });
    found
}
