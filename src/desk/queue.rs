//! The queue before the lanes: bounded, and never two lanes on one drug.

use std::collections::{HashSet, VecDeque};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::Progress;
use crate::domain::{DrugId, Operation};
use uuid::Uuid;

/// Another lane helps only when this many operations wait for each lane that is busy: fewer lanes make fuller batches.
const ENOUGH_FOR_ANOTHER_LANE: usize = 8;

/// … or when the oldest has waited this long, so that a transaction that is stuck does not hold up other drugs.
const PATIENCE: Duration = Duration::from_millis(10);

/// What keeps two lanes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    Drug(DrugId),
    /// The drug is not known before the order is loaded, or there is none: rows keep such operations apart instead.
    Other(Uuid),
}

/// One operation under way.
#[derive(Debug)]
pub(super) struct Job {
    pub operation: Operation,
    /// At least one.
    pub keys: Vec<Key>,
    pub since: Instant,
    progress: watch::Sender<Progress>,
}

impl Job {
    pub fn new(
        operation: Operation,
        drugs: impl IntoIterator<Item = DrugId>,
        progress: watch::Sender<Progress>,
    ) -> Job {
        let mut keys: Vec<Key> = drugs.into_iter().map(Key::Drug).collect();
        keys.extend(operation.request.drugs().into_iter().map(Key::Drug));
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            let order = operation.request.order().map(|order| order.0);
            keys.push(Key::Other(order.unwrap_or(operation.id.0)));
        }
        Job {
            operation,
            keys,
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
    /// Since when the first of them has waited.
    oldest: Option<Instant>,
    in_flight: HashSet<Key>,
    /// Keys of operations on several drugs that a lane is in the way of: nobody goes ahead of those on any of their
    /// drugs, or they might never find all of them free.
    reserved: HashSet<Key>,
    busy: usize,
    closed: bool,
}

impl State {
    /// Whether a lane may take the job now; if not, it keeps its place before those that come after it.
    fn is_ready(&mut self, job: &Job) -> bool {
        let taken = |key: &Key| self.in_flight.contains(key) || self.reserved.contains(key);
        if !job.keys.iter().any(taken) {
            return true;
        }
        if job.keys.len() > 1 {
            self.reserved.extend(&job.keys);
        }
        false
    }

    /// Divides what waits, from the front, into at most so many that are ready and the rest.
    fn divide(&mut self, most: usize) -> (Vec<Job>, VecDeque<Job>) {
        self.reserved.clear();
        let waiting = std::mem::take(&mut self.waiting);
        let (mut ready, mut rest) = (Vec::new(), VecDeque::with_capacity(waiting.len()));
        for job in waiting {
            if ready.len() < most && self.is_ready(&job) {
                ready.push(job);
            } else {
                rest.push_back(job);
            }
        }
        (ready, rest)
    }

    fn count_ready(&mut self) {
        self.reserved.clear();
        let waiting = std::mem::take(&mut self.waiting);
        (self.ready, self.oldest) = (0, None);
        for job in &waiting {
            if self.is_ready(job) {
                self.ready += 1;
                self.oldest.get_or_insert(job.since);
            }
        }
        self.waiting = waiting;
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
    /// How many operations wait.
    pub fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

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
        if ready {
            state.oldest.get_or_insert(job.since);
            state.ready += 1;
        }
        state.waiting.push_back(job);
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
        let patience =
            PATIENCE.saturating_sub(state.oldest.map_or(Duration::ZERO, |since| since.elapsed()));
        if state.busy > 0 && !state.enough() && !patience.is_zero() {
            return Look::Later(Some(patience));
        }
        let (jobs, rest) = state.divide(self.batch);
        state.waiting = rest;
        state
            .in_flight
            .extend(jobs.iter().flat_map(|job| &job.keys));
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
    use crate::domain::{OpId, Quantity, Request, UserId, WardId};

    fn job(drug: i64) -> Job {
        let request = Request::Receive {
            ward: WardId(1),
            drug: DrugId(drug),
            quantity: Quantity::units(1),
            reference: String::new(),
            lot: None,
        };
        let operation = Operation::new(OpId(Uuid::now_v7()), UserId(1), request);
        Job::new(operation, None, watch::channel(Progress::Waiting).0)
    }

    /// An operation on two drugs.
    fn both(one: i64, other: i64) -> Job {
        let Job { operation, .. } = job(one);
        Job::new(
            operation,
            [DrugId(other)],
            watch::channel(Progress::Waiting).0,
        )
    }

    fn keys(jobs: &[Job]) -> Vec<Key> {
        jobs.iter().flat_map(|job| job.keys.clone()).collect()
    }

    fn drugs(jobs: &[Job]) -> Vec<i64> {
        keys(jobs)
            .iter()
            .map(|key| match key {
                Key::Drug(drug) => drug.0,
                Key::Other(_) => 0,
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
        queue.done(&keys(&first));
        assert_eq!(drugs(&queue.take().await.unwrap()), [1]);
    }

    #[tokio::test]
    async fn an_operation_on_two_drugs_waits_for_both_and_nobody_goes_ahead_of_it() {
        let queue = Queue::new(100, 1);
        for job in [job(1), both(1, 2), job(2), job(3)] {
            queue.push(job).unwrap();
        }
        let first = queue.take().await.unwrap();
        assert_eq!(drugs(&first), [1]);
        // Drug 2 is free, but the operation on 1 and 2 came first.
        let second = queue.take().await.unwrap();
        assert_eq!(drugs(&second), [3]);
        queue.push(job(2)).unwrap();
        queue.done(&keys(&second));
        assert!(matches!(queue.look(), Look::Later(None)));
        queue.done(&keys(&first));
        let third = queue.take().await.unwrap();
        assert_eq!(drugs(&third), [1, 2]);
        queue.done(&keys(&third));
        assert_eq!(drugs(&queue.take().await.unwrap()), [2]);
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
        queue.done(&keys(&first));
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
        queue.done(&keys(&first));
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
        let operation = Operation::new(OpId(Uuid::now_v7()), UserId(1), request);
        let keys = |drug: Option<DrugId>| {
            let tell = watch::channel(Progress::Waiting).0;
            Job::new(operation.clone(), drug, tell).keys
        };
        assert_eq!(keys(None), [Key::Other(order.0)]);
        assert_eq!(keys(Some(DrugId(7))), [Key::Drug(DrugId(7))]);
    }

    #[tokio::test]
    async fn a_closed_queue_is_emptied_first() {
        let queue = Queue::new(10, 4);
        queue.push(job(1)).unwrap();
        queue.close();
        assert!(queue.push(job(2)).is_err());
        let last = queue.take().await.unwrap();
        queue.done(&keys(&last));
        assert!(queue.take().await.is_none());
        queue.drained().await;
    }
}
