//! The one read path of live screens: who looks at a ward gets its latest snapshot, and the next one when it changes.
//!
//! One watcher for each ward that is looked at in this process reads it, however many sessions look. A change is
//! heard of at once from this process's own desk; from others by PostgreSQL's LISTEN or, on SQLite, by a pragma that
//! says "maybe"; and a slow full check behind both heals a lost notification. Idle sessions ask the database nothing.

mod board;
mod hear;
mod tell;
mod watcher;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use crate::desk::{Clock, OnCommit};
use crate::domain::WardId;
use crate::domain::mar::Windows;
use crate::domain::snapshot::WardSnapshot;
use crate::store::formulary::Formulary;
use crate::store::screens::{Bounds, Mark};
use crate::store::{Db, Engine};

/// Limits of the feed. The configuration says why each is what it is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// SQLite: how often another process's commits are looked for.
    pub poll: Duration,
    /// How long changes are gathered before a ward is read again, and before others are told.
    pub gather: Duration,
    /// How often a watched ward is read although nobody said that it changed.
    pub full_check: Duration,
    /// PostgreSQL: how often a listener that hears nothing makes sure that it still could.
    pub heartbeat: Duration,
    /// How many rows a snapshot holds.
    pub bounds: Bounds,
    /// From when on the board counts a dose as due and as missed.
    pub windows: Windows,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            poll: Duration::from_millis(40),
            gather: Duration::from_millis(20),
            full_check: Duration::from_secs(30),
            heartbeat: Duration::from_secs(5),
            bounds: Bounds::default(),
            windows: Windows {
                due: SignedDuration::from_mins(60),
                missed: SignedDuration::from_hours(4),
            },
        }
    }
}

/// What a session knows of the ward it looks at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WardView {
    /// The latest snapshot; `None` before the first, and where there is no such ward.
    pub snapshot: Option<Arc<WardSnapshot>>,
    /// When it was last known to be what the database holds (UTC).
    pub confirmed_at: Option<Timestamp>,
    /// Why it may be older than that by now; `None` while all is well.
    pub trouble: Option<String>,
    /// What is wrong although the ward is read: the screen is true, and yet not to be relied on alone.
    pub warning: Option<String>,
}

/// What is wrong with the whole process, whichever ward is looked at.
#[derive(Debug, Clone, Default)]
struct Warnings {
    orders: Option<String>,
    clock: Option<String>,
}

impl Warnings {
    fn said(&self) -> Option<String> {
        let said: Vec<&str> = [&self.clock, &self.orders]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        (!said.is_empty()).then(|| said.join("; "))
    }
}

/// Wards that are read at once: each takes a connection, and the desk must get one too.
const READERS: usize = 2;

/// The turn to take a new snapshot and to draw it. Dropping it is the turn of the next.
#[derive(Debug)]
pub struct Turn(#[allow(dead_code)] Option<OwnedSemaphorePermit>);

/// How many sessions draw at once what is new to all of them: one processor is left to the desk and to the readers. With
/// all of them drawing, frames come sooner and hold what is older: a reading then takes three times as long.
fn turns() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    processors.saturating_sub(1).max(1)
}

/// One ward that somebody looks at.
pub(crate) struct Watched {
    view: watch::Sender<WardView>,
    /// Something may have changed.
    stir: Notify,
    /// SQLite: what the ward held when it was last read.
    mark: Mutex<Option<Mark>>,
}

pub(crate) struct Inner {
    db: Db,
    settings: Settings,
    clock: Clock,
    formulary: Formulary,
    wards: Mutex<HashMap<WardId, Arc<Watched>>>,
    /// Locked after `wards`, so that no view misses a change of them.
    warnings: Mutex<Warnings>,
    /// Commits of this process that others have not been told of yet.
    untold: Mutex<BTreeSet<WardId>>,
    tell: Notify,
    /// Whether others are yet to be told of some commit.
    telling: AtomicBool,
    /// Why changes of other processes may be missed at the moment.
    deaf: watch::Sender<Option<String>>,
    /// How often a ward was read.
    readings: AtomicU64,
    readers: Semaphore,
    turns: Arc<Semaphore>,
    /// Changes heard of, in whichever ward.
    hospital: watch::Sender<u64>,
    board: board::Latest,
}

/// The feed. Clones share its watchers.
#[derive(Clone)]
pub struct Feed {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}

impl Feed {
    /// Starts listening. Must be called inside a tokio runtime; its tasks end when the last clone is gone.
    pub fn open(db: Db, settings: Settings, clock: Clock) -> Feed {
        let inner = Arc::new(Inner {
            db,
            settings,
            clock,
            formulary: Formulary::default(),
            wards: Mutex::default(),
            warnings: Mutex::default(),
            untold: Mutex::default(),
            tell: Notify::new(),
            telling: AtomicBool::new(false),
            deaf: watch::Sender::new(None),
            readings: AtomicU64::new(0),
            readers: Semaphore::new(READERS),
            turns: Arc::new(Semaphore::new(turns())),
            hospital: watch::Sender::new(0),
            board: board::Latest::default(),
        });
        tokio::spawn(hear::run(Arc::downgrade(&inner)));
        tokio::spawn(tell::run(Arc::downgrade(&inner)));
        Feed { inner }
    }

    /// What the desk calls after each commit.
    pub fn on_commit(&self) -> OnCommit {
        let inner = Arc::downgrade(&self.inner);
        Arc::new(move |wards| {
            if let Some(inner) = inner.upgrade() {
                inner.stir(wards.iter());
                if inner.db.engine() == Engine::Postgres {
                    inner
                        .untold
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .extend(wards);
                    inner.telling.store(true, Ordering::Release);
                    inner.tell.notify_one();
                }
            }
        })
    }

    /// Waits until other processes have been told of every commit of this one, at most so long: for a process that is
    /// about to end. They find out by themselves otherwise.
    pub async fn told(&self, limit: Duration) {
        let done = async {
            while self.inner.telling.load(Ordering::Acquire) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // Whether they were told in time makes no difference to this process.
        let _ = tokio::time::timeout(limit, done).await;
    }

    /// Waits for the turn to draw what is new to every session at the same moment. A thousand sessions that all drew at
    /// once would stand before the desk and before the next reading; in turns, those come in between, and whose turn is
    /// late takes what is newest by then.
    pub fn turn(&self) -> impl Future<Output = Turn> + use<> {
        let turns = Arc::clone(&self.inner.turns);
        // It is never closed; if it were, everybody would draw at once.
        async move { Turn(turns.acquire_owned().await.ok()) }
    }

    /// How often a ward was read since the feed was opened, by all watchers together.
    pub fn readings(&self) -> u64 {
        self.inner.readings.load(Ordering::Relaxed)
    }

    /// When that ward was last confirmed which has not been for the longest, of those that anybody looks at.
    pub fn oldest(&self) -> Option<Timestamp> {
        let wards = self
            .inner
            .wards
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let confirmed = wards
            .values()
            .map(|watched| watched.view.borrow().confirmed_at);
        confirmed.flatten().min()
    }

    /// Doses are not being made into orders, and why, or (`None`) they are again: every screen says so until then. A
    /// queue that is live and short of doses would look as if nothing were to be given.
    pub fn trouble_with_orders(&self, trouble: Option<String>) {
        self.inner.warn(|warnings| warnings.orders = trouble);
    }

    /// This machine's clock is wrong, and how, or (`None`) right again: every screen says so until then.
    pub fn trouble_with_clock(&self, trouble: Option<String>) {
        self.inner.warn(|warnings| warnings.clock = trouble);
    }

    /// Looks at a ward: the receiver holds the latest view, and is told of the next. The ward is read as long as
    /// anybody holds a receiver.
    pub fn watch(&self, ward: WardId) -> watch::Receiver<WardView> {
        let mut wards = self
            .inner
            .wards
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Under the lock of the map a watcher decides to end, so a receiver got here is never of one that has ended.
        let watched = wards.entry(ward).or_insert_with(|| {
            let watched = Arc::new(Watched {
                view: watch::Sender::new(WardView {
                    warning: self.inner.warning(),
                    ..WardView::default()
                }),
                stir: Notify::new(),
                mark: Mutex::default(),
            });
            tokio::spawn(watcher::run(
                Arc::downgrade(&self.inner),
                ward,
                Arc::clone(&watched),
            ));
            watched
        });
        watched.view.subscribe()
    }
}

impl Inner {
    fn warning(&self) -> Option<String> {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.said()
    }

    fn warn(&self, change: impl FnOnce(&mut Warnings)) {
        let wards = self.wards.lock().unwrap_or_else(PoisonError::into_inner);
        let warning = {
            let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut warnings);
            warnings.said()
        };
        for watched in wards.values() {
            watched.view.send_if_modified(|view| {
                let changed = view.warning != warning;
                view.warning.clone_from(&warning);
                changed
            });
        }
    }

    /// These wards may have changed.
    fn stir<'a>(&self, wards: impl Iterator<Item = &'a WardId>) {
        self.hospital.send_modify(|changes| *changes += 1);
        let watched = self.wards.lock().unwrap_or_else(PoisonError::into_inner);
        for ward in wards {
            if let Some(watched) = watched.get(ward) {
                watched.stir.notify_one();
            }
        }
    }

    /// Others were told of what there was to tell, unless more has come meanwhile.
    fn told_so_far(&self) {
        let untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        self.telling.store(!untold.is_empty(), Ordering::Release);
    }

    /// The wards that are looked at, each with what it held when it was last read.
    fn marks(&self) -> Vec<(WardId, Option<Mark>)> {
        let watched = self.wards.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = |watched: &Watched| *watched.mark.lock().unwrap_or_else(PoisonError::into_inner);
        watched
            .iter()
            .map(|(ward, watched)| (*ward, mark(watched)))
            .collect()
    }

    /// Any ward may have changed.
    fn stir_all(&self) {
        self.hospital.send_modify(|changes| *changes += 1);
        for watched in self
            .wards
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
        {
            watched.stir.notify_one();
        }
    }

    /// The database answered: what is shown is what it holds, as of now. Not so of wards that were just said to have
    /// changed: those are confirmed when they have been read.
    fn confirm_all_but(&self, stirred: &BTreeSet<WardId>) {
        let now = (self.clock)();
        for (ward, watched) in self
            .wards
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            if stirred.contains(ward) {
                continue;
            }
            watched.view.send_if_modified(|view| {
                if view.trouble.is_none() && view.snapshot.is_some() {
                    view.confirmed_at = Some(now);
                }
                // The time alone wakes nobody: sessions look at it when they draw.
                false
            });
        }
    }
}
