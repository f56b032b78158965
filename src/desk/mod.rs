//! The one write path: operations in, outcomes out.
//!
//! [`Desk::submit`] puts an operation into a bounded queue. Lanes take from it, as many at a time as there are (at
//! most a batch), never two lanes the same drug; one transaction loads and locks what the batch touches (store),
//! decides each operation (domain), writes everything set-wise, and commits. Only lanes touch the database for
//! writing: whoever asked may go away at any moment, and what they asked for is still done once, whole or not at all.

mod batch;
pub mod horizon;
mod lane;
mod queue;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::domain::{DrugId, Operation, Outcome, Policy, Refusal, WardId};
use crate::store::{Db, Engine};
use queue::{Job, Queue};

/// Where the desk gets the time from; tests pass their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Who is told of a commit: which wards look different now.
pub type OnCommit = Arc<dyn Fn(&BTreeSet<WardId>) + Send + Sync>;

/// Limits of the desk. The configuration says why each is what it is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Transactions at once; `None`: one on SQLite, which has one writer, and two on PostgreSQL, because fewer lanes
    /// make fuller batches.
    pub lanes: Option<usize>,
    /// Operations in one transaction at most.
    pub batch: usize,
    /// Operations that may wait; beyond that the desk is busy.
    pub queue: usize,
    /// How long one may wait before the desk says that it is busy.
    pub wait: Duration,
    /// How often a batch that another process was in the way of is tried.
    pub tries: u32,
    /// How long the desk tries to find out what became of a COMMIT whose answer was lost.
    pub doubt: Duration,
    /// What the hospital has set about the rules.
    pub policy: Arc<Policy>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            lanes: None,
            batch: 128,
            queue: 4096,
            wait: Duration::from_secs(10),
            tries: 12,
            doubt: Duration::from_secs(60),
            policy: Arc::default(),
        }
    }
}

/// How far an operation is.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// In the queue or in its transaction.
    Waiting,
    /// The connection was lost around COMMIT: the desk is finding out what really happened.
    Checking,
    /// This is what became of it.
    Done(Outcome),
}

/// A submitted operation. Dropping it changes nothing: the operation goes its way.
#[derive(Debug)]
pub struct Ticket {
    op: crate::domain::OpId,
    progress: watch::Receiver<Progress>,
}

impl Ticket {
    /// How far it is, to be watched.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Waits for what became of it.
    pub async fn outcome(mut self) -> Outcome {
        let done = self
            .progress
            .wait_for(|progress| matches!(progress, Progress::Done(_)))
            .await;
        match done.map(|progress| progress.clone()) {
            Ok(Progress::Done(outcome)) => outcome,
            // The lane ended without a word: whether it committed is not known here.
            _ => Outcome::Unknown { op: self.op },
        }
    }
}

/// What the desk has done since it started.
#[derive(Debug, Default)]
pub struct Counters {
    /// Transactions committed.
    pub batches: AtomicU64,
    /// Operations in them.
    pub operations: AtomicU64,
    /// Transactions done again because another process was in the way.
    pub retries: AtomicU64,
    /// Time in COMMIT of those that were committed, in microseconds.
    pub commit_micros: AtomicU64,
}

impl Counters {
    fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}

/// The desk. Clones share one queue.
#[derive(Clone)]
pub struct Desk {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    policy: Arc<Policy>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl Desk {
    /// Opens the desk over a database. Must be called inside a tokio runtime, whose tasks the lanes are.
    pub fn open(db: Db, settings: Settings, clock: Clock, on_commit: OnCommit) -> Desk {
        let lanes = settings.lanes.unwrap_or(match db.engine() {
            Engine::Sqlite => 1,
            Engine::Postgres => 2,
        });
        let queue = Arc::new(Queue::new(settings.queue, settings.batch));
        let counters = Arc::new(Counters::default());
        let policy = Arc::clone(&settings.policy);
        let shared = Arc::new(batch::Shared {
            db,
            settings,
            clock,
            on_commit,
            counters: Arc::clone(&counters),
        });
        for _ in 0..lanes.max(1) {
            tokio::spawn(lane::run(Arc::clone(&queue), Arc::clone(&shared)));
        }
        Desk {
            queue,
            counters,
            policy,
        }
    }

    /// Takes an operation. `drugs`, where the asker knows them, keep operations on one drug from meeting in the
    /// database; without them they are still correct, only slower. What the request names itself need not be said.
    pub fn submit(&self, operation: Operation, drugs: impl IntoIterator<Item = DrugId>) -> Ticket {
        let (tell, progress) = watch::channel(Progress::Waiting);
        let op = operation.id;
        if let Err(job) = self.queue.push(Job::new(operation, drugs, tell)) {
            job.tell(Progress::Done(Outcome::Refused(Refusal::Busy)));
        }
        Ticket { op, progress }
    }

    /// What the hospital has set about the rules, as it decides by it.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Operations that wait for a lane.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// What it has done.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes nothing more, and waits at most so long for what is under way; whether everything was finished.
    pub async fn close(&self, limit: Duration) -> bool {
        self.queue.close();
        tokio::time::timeout(limit, self.queue.drained())
            .await
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::OpId;

    #[tokio::test]
    async fn a_lane_that_ends_without_a_word_leaves_the_outcome_unknown() {
        let (tell, progress) = watch::channel(Progress::Waiting);
        let op = OpId(uuid::Uuid::now_v7());
        drop(tell);
        let outcome = Ticket { op, progress }.outcome().await;
        assert_eq!(outcome, Outcome::Unknown { op });
    }

    #[tokio::test]
    async fn a_word_that_came_before_the_lane_ended_is_heard() {
        let (tell, progress) = watch::channel(Progress::Waiting);
        let op = OpId(uuid::Uuid::now_v7());
        tell.send_replace(Progress::Done(Outcome::Refused(Refusal::Busy)));
        drop(tell);
        let outcome = Ticket { op, progress }.outcome().await;
        assert_eq!(outcome, Outcome::Refused(Refusal::Busy));
    }
}
