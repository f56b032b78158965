//! A lane: takes a batch, settles it, takes the next.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::batch::{self, Shared, Stage};
use super::queue::{Job, Key, Queue};
use super::{Counters, Progress};
use crate::domain::{Operation, Outcome, Refusal};
use crate::store::{Conn, StoreError};

/// How long a lane keeps a PostgreSQL connection in hand for the next batch: taking one from the pool and giving it
/// back costs a round trip each.
const KEEP: Duration = Duration::from_millis(50);

/// Runs until the desk is closed and its queue is empty.
pub(super) async fn run(queue: Arc<Queue>, shared: Arc<Shared>) {
    let mut conn = None;
    loop {
        // A connection that served a batch is kept for the next one only while batches follow each other.
        let next = match conn.as_ref() {
            Some(_) => tokio::time::timeout(KEEP, queue.take()).await,
            None => Ok(queue.take().await),
        };
        let jobs = match next {
            Ok(Some(jobs)) => jobs,
            Ok(None) => return,
            Err(_idle) => {
                conn = None;
                continue;
            }
        };
        let keys: Vec<Key> = jobs.iter().flat_map(|job| job.keys.clone()).collect();
        // In a task of its own, so that a panic ends this batch (its askers are told that the outcome is not known)
        // and not the lane.
        let settled = tokio::spawn(settle(Arc::clone(&shared), conn.take(), jobs)).await;
        // Whoever was just answered may have more to ask at once: let them, before another lane takes what waited
        // meanwhile, so that the next batch is fuller.
        tokio::task::yield_now().await;
        queue.done(&keys);
        match settled {
            // SQLite's one writer goes back after every batch: others in this process write too, and queue for it.
            Ok(kept) => conn = kept.filter(|conn| matches!(conn, Conn::Postgres(_))),
            Err(error) => tracing::error!(%error, "a batch ended in a panic"),
        }
    }
}

/// Settles every job of a batch; gives the connection back if it is still good.
async fn settle(shared: Arc<Shared>, conn: Option<Conn>, jobs: Vec<Job>) -> Option<Conn> {
    let (fresh, late): (Vec<Job>, Vec<Job>) = jobs
        .into_iter()
        .partition(|job| job.since.elapsed() < shared.settings.wait);
    for job in late {
        job.tell(Progress::Done(Outcome::Refused(Refusal::Busy)));
    }
    let mut attempt = Attempt {
        shared: &shared,
        conn,
    };
    match attempt.run(&fresh, None).await {
        Ok(()) => {}
        Err(Together::Refused(refusal)) => {
            for job in &fresh {
                job.tell(Progress::Done(Outcome::Refused(refusal.clone())));
            }
        }
        Err(Together::Unknown) => {
            for job in &fresh {
                job.tell(Progress::Done(Outcome::Unknown {
                    op: job.operation.id,
                }));
            }
        }
        Err(Together::OneByOne { doubt_since }) => {
            for job in &fresh {
                attempt.alone(job, doubt_since).await;
            }
        }
    }
    attempt.conn
}

/// How a batch ended when it did not simply end well.
enum Together {
    /// Known not to have happened, for all of them.
    Refused(Refusal),
    /// Something in it is bad: each operation is tried on its own, so that one bad one hurts nobody else.
    OneByOne {
        /// Since when a COMMIT of the batch may have lasted; `None`: it never came so far.
        doubt_since: Option<Instant>,
    },
    /// Could not be found out in time.
    Unknown,
}

struct Attempt<'a> {
    shared: &'a Shared,
    conn: Option<Conn>,
}

impl Attempt<'_> {
    /// Tries the batch until it is settled, one way or the other. Once a COMMIT may have lasted, nothing short of an
    /// answer from the database tells anybody that it did not.
    async fn run(
        &mut self,
        jobs: &[Job],
        mut doubt_since: Option<Instant>,
    ) -> Result<(), Together> {
        if jobs.is_empty() {
            return Ok(());
        }
        let operations: Vec<Operation> = jobs.iter().map(|job| job.operation.clone()).collect();
        let mut tries = 0;
        loop {
            let failure = match self.once(&operations).await {
                Ok(outcomes) => {
                    for (job, outcome) in jobs.iter().zip(outcomes) {
                        job.tell(Progress::Done(outcome));
                    }
                    return Ok(());
                }
                Err(failure) => failure,
            };
            tries += 1;
            if failure.stage == Stage::Commit
                && failure.error.leaves_doubt()
                && doubt_since.is_none()
            {
                // The COMMIT may have lasted. Doing the batch again answers that truthfully: operations that did last
                // are found by their id, and the row locks and the key of the memory make this transaction wait for
                // the lost one if the server is still busy with it.
                tracing::warn!(error = %failure.error, operations = operations.len(), "COMMIT got no answer; checking");
                doubt_since = Some(Instant::now());
                jobs.iter().for_each(|job| job.tell(Progress::Checking));
            }
            let again = match &failure.error {
                error if error.may_retry() => {
                    tries < self.shared.settings.tries || doubt_since.is_some()
                }
                StoreError::Unavailable(_) | StoreError::Busy(_) => {
                    // Whoever has waited for a connection in vain has waited long enough.
                    doubt_since.is_some() || (tries < 2 && failure.stage != Stage::Connecting)
                }
                _ => false,
            };
            match doubt_since {
                Some(since) if since.elapsed() >= self.shared.settings.doubt => {
                    return Err(Together::Unknown);
                }
                _ if again => {}
                Some(_) if operations.len() == 1 => return Err(Together::Unknown),
                _ if operations.len() > 1 && !is_everybodys(&failure.error) => {
                    tracing::warn!(error = %failure.error, "a batch failed; its operations go one by one");
                    return Err(Together::OneByOne { doubt_since });
                }
                _ => {
                    tracing::error!(error = %failure.error, "an operation failed");
                    return Err(Together::Refused(failure.error.refusal()));
                }
            }
            Counters::add(&self.shared.counters.retries, 1);
            tokio::time::sleep(pause(tries)).await;
        }
    }

    async fn alone(&mut self, job: &Job, doubt_since: Option<Instant>) {
        let end = match Box::pin(self.run(std::slice::from_ref(job), doubt_since)).await {
            Ok(()) => return,
            Err(Together::Refused(refusal)) => Outcome::Refused(refusal),
            Err(Together::OneByOne { .. } | Together::Unknown) => Outcome::Unknown {
                op: job.operation.id,
            },
        };
        job.tell(Progress::Done(end));
    }

    async fn once(&mut self, operations: &[Operation]) -> Result<Vec<Outcome>, batch::Failure> {
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => {
                let none = |error| batch::Failure {
                    error,
                    stage: Stage::Connecting,
                };
                let wait = self.shared.settings.wait;
                match tokio::time::timeout(wait, self.shared.db.writer()).await {
                    Ok(conn) => conn.map_err(none)?,
                    // Somebody stands at a bedside: an answer now is worth more than a connection later.
                    Err(_late) => return Err(none(self.shared.db.no_connection())),
                }
            }
        };
        let result = batch::transact(&mut conn, self.shared, operations).await;
        match &result {
            Ok(_) => self.conn = Some(conn),
            Err(failure) if failure.error.may_retry() => self.conn = Some(conn),
            // Whatever went wrong, the next try starts on a fresh connection.
            Err(_) => conn.discard().await,
        }
        result
    }
}

/// Whether an error says nothing about any one operation of the batch.
const fn is_everybodys(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Unavailable(_) | StoreError::Busy(_) | StoreError::Conflict(_)
    )
}

/// How long to wait before the next try: longer each time, at most a quarter of a second, and never the same for two
/// processes that met.
fn pause(tries: u32) -> Duration {
    let most = 2_u64.saturating_pow(tries.min(8)).min(250);
    Duration::from_micros(fastrand::u64(500..=most * 1000 + 500))
}
