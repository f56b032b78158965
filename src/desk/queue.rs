//! The queue before the lanes: bounded, and never two lanes on one drug.

use std::collections::{HashSet, VecDeque};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::Progress;
use crate::domain::{DrugId, Operation, Request};
use uuid::Uuid;

/// Another lane helps only when this many operations wait for each lane that is busy: fewer lanes make fuller batches.
const ENOUGH_FOR_ANOTHER_LANE: usize = 8;

/// … or when the oldest has waited this long, so that a transaction that is stuck does not hold up other drugs.
const PATIENCE: Duration = Duration::from_millis(10);

/// What keeps two lanes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Drug(DrugId),
    /// The drug is not known before the order is loaded: rows keep such operations apart instead.
    Order(Uuid),
}

/// One operation under way.
#[derive(Debug)]
pub(super) struct Job {
    pub operation: Operation,
    pub key: Key,
    pub since: Instant,
    progress: watch::Sender<Progress>,
}

impl Job {
    pub fn new(
        operation: Operation,
        drug: Option<DrugId>,
        progress: watch::Sender<Progress>,
    ) -> Job {
        let key = match (&operation.request, drug) {
            (Request::Receive { drug, .. }, _) => Key::Drug(*drug),
            (_, Some(drug)) => Key::Drug(drug),
            (Request::Fulfil { order, .. } | Request::Discontinue { order, .. }, None) => {
                Key::Order(order.0)
            }
        };
        Job {
            operation,
            key,
            since: Instant::now(),
            progress,
        }
    }

    /// Tells whoever asked; that they may have gone changes nothing.
    pub fn tell(&self, progress: Progress) {
        self.progress.send_replace(progress);
    }
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    /// How many of those no lane is in the way of.
    ready: usize,
    in_flight: HashSet<Key>,
    busy: usize,
    closed: bool,
}

impl State {
    fn is_ready(&self, job: &Job) -> bool {
        !self.in_flight.contains(&job.key)
    }

    fn count_ready(&mut self) {
        self.ready = self.waiting.iter().filter(|job| self.is_ready(job)).count();
    }

    /// Whether so many wait that another lane helps at once.
    const fn enough(&self) -> bool {
        self.ready >= self.busy * ENOUGH_FOR_ANOTHER_LANE
    }
}

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
    capacity: usize,
    batch: usize,
}

/// What a look at the queue tells a lane.
enum Look {
    Take(Vec<Job>),
    /// Nothing to do before this long has passed or something changes.
    Later(Option<Duration>),
    Closed,
}

impl Queue {
    pub fn new(capacity: usize, batch: usize) -> Queue {
        Queue {
            state: Mutex::default(),
            changed: Notify::new(),
            capacity,
            batch: batch.max(1),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds this lock; if it did, the queue would still be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job, or gives it back if there is no place.
    pub fn push(&self, job: Job) -> Result<(), Box<Job>> {
        let mut state = self.state();
        if state.closed || state.waiting.len() >= self.capacity {
            return Err(Box::new(job));
        }
        let ready = state.is_ready(&job);
        state.waiting.push_back(job);
        state.ready += usize::from(ready);
        // A lane is woken for the first, to see how long it may wait, and for the one that makes enough: to look through
        // the queue for each of hundreds costs more than it gains.
        let wake = ready && (state.ready == 1 || state.enough());
        drop(state);
        if wake {
            self.changed.notify_waiters();
        }
        Ok(())
    }

    /// The next batch for a lane; `None` when the desk is closed and nothing waits. Its keys are in flight until
    /// [`Queue::done`].
    pub async fn take(&self) -> Option<Vec<Job>> {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.look() {
                Look::Take(jobs) => return Some(jobs),
                Look::Closed => return None,
                Look::Later(None) => changed.await,
                // Whether time or a change ends the wait, the next look tells what to do.
                Look::Later(Some(wait)) => drop(tokio::time::timeout(wait, changed).await),
            }
        }
    }

    fn look(&self) -> Look {
        let mut state = self.state();
        if state.ready == 0 {
            return if state.closed && state.waiting.is_empty() {
                Look::Closed
            } else {
                Look::Later(None)
            };
        }
        let oldest = state.waiting.iter().find(|job| state.is_ready(job));
        let waited = oldest.map_or(Duration::ZERO, |job| job.since.elapsed());
        let patience = PATIENCE.saturating_sub(waited);
        if state.busy > 0 && !state.enough() && !patience.is_zero() {
            return Look::Later(Some(patience));
        }
        let State {
            waiting, in_flight, ..
        } = &mut *state;
        let mut jobs = Vec::new();
        let mut rest = VecDeque::with_capacity(waiting.len());
        for job in waiting.drain(..) {
            if jobs.len() < self.batch && !in_flight.contains(&job.key) {
                jobs.push(job);
            } else {
                rest.push_back(job);
            }
        }
        *waiting = rest;
        in_flight.extend(jobs.iter().map(|job| job.key));
        state.count_ready();
        state.busy += 1;
        Look::Take(jobs)
    }

    /// The batch is settled: its drugs are free again.
    pub fn done(&self, keys: &[Key]) {
        let mut state = self.state();
        for key in keys {
            state.in_flight.remove(key);
        }
        state.count_ready();
        state.busy -= 1;
        drop(state);
        self.changed.notify_waiters();
    }

    fn is_idle(&self) -> bool {
        let state = self.state();
        state.waiting.is_empty() && state.busy == 0
    }

    /// Nothing more is taken.
    pub fn close(&self) {
        self.state().closed = true;
        self.changed.notify_waiters();
    }

    /// Waits until nothing waits and nothing is in flight.
    pub async fn drained(&self) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.is_idle() {
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OpId, Quantity, UserId, WardId};

    fn job(drug: i64) -> Job {
        let request = Request::Receive {
            ward: WardId(1),
            drug: DrugId(drug),
            quantity: Quantity::units(1),
            reference: String::new(),
        };
        let operation = Operation {
            id: OpId(Uuid::now_v7()),
            actor: UserId(1),
            request,
        };
        Job::new(operation, None, watch::channel(Progress::Waiting).0)
    }

    fn drugs(jobs: &[Job]) -> Vec<i64> {
        jobs.iter()
            .map(|job| {
                if let Key::Drug(drug) = job.key {
                    drug.0
                } else {
                    0
                }
            })
            .collect()
    }

    #[tokio::test]
    async fn a_batch_takes_what_waits_and_leaves_busy_drugs_alone() {
        let queue = Queue::new(100, 4);
        for drug in [1, 2, 1, 3, 4, 1] {
            queue.push(job(drug)).unwrap();
        }
        let first = queue.take().await.unwrap();
        assert_eq!(
            drugs(&first),
            [1, 2, 1, 3],
            "in order of arrival, at most a batch"
        );
        // Drug 1 is in flight: its next operation waits, and drug 4 goes ahead once patience is over.
        let second = queue.take().await.unwrap();
        assert_eq!(drugs(&second), [4]);
        queue.done(&first.iter().map(|job| job.key).collect::<Vec<_>>());
        assert_eq!(drugs(&queue.take().await.unwrap()), [1]);
    }

    #[tokio::test]
    async fn a_full_queue_gives_the_job_back() {
        let queue = Queue::new(2, 4);
        queue.push(job(1)).unwrap();
        queue.push(job(2)).unwrap();
        assert!(queue.push(job(3)).is_err());
    }

    #[tokio::test]
    async fn another_lane_helps_at_once_when_enough_wait_for_it() {
        let queue = Queue::new(100, 4);
        for _ in 0..4 {
            queue.push(job(1)).unwrap();
        }
        let first = queue.take().await.unwrap();
        for drug in 2..2 + ENOUGH_FOR_ANOTHER_LANE as i64 {
            queue.push(job(drug)).unwrap();
        }
        assert!(matches!(queue.look(), Look::Take(_)));
        queue.done(&first.iter().map(|job| job.key).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_lane_that_waits_is_woken_when_its_drug_is_free_again() {
        let queue = std::sync::Arc::new(Queue::new(100, 4));
        queue.push(job(1)).unwrap();
        let first = queue.take().await.unwrap();
        queue.push(job(1)).unwrap();
        let waiting = tokio::spawn({
            let queue = std::sync::Arc::clone(&queue);
            async move { queue.take().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "its drug is in flight");
        queue.done(&[first[0].key]);
        assert_eq!(drugs(&waiting.await.unwrap().unwrap()), [1]);
    }

    #[test]
    fn an_order_whose_drug_is_not_known_is_kept_apart_by_itself() {
        let order = crate::domain::OrderId(Uuid::now_v7());
        let request = Request::Discontinue {
            order,
            version: 1,
            reason: String::new(),
        };
        let operation = Operation {
            id: OpId(Uuid::now_v7()),
            actor: UserId(1),
            request,
        };
        let key = |drug| {
            let tell = watch::channel(Progress::Waiting).0;
            Job::new(operation.clone(), drug, tell).key
        };
        assert_eq!(key(None), Key::Order(order.0));
        assert_eq!(key(Some(DrugId(7))), Key::Drug(DrugId(7)));
    }

    #[tokio::test]
    async fn a_closed_queue_is_emptied_first() {
        let queue = Queue::new(10, 4);
        queue.push(job(1)).unwrap();
        queue.close();
        assert!(queue.push(job(2)).is_err());
        let last = queue.take().await.unwrap();
        queue.done(&[last[0].key]);
        assert!(queue.take().await.is_none());
        queue.drained().await;
    }
}
