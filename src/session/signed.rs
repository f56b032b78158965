//! What a person signed in this session, until they have seen what became of it.
//!
//! An outcome counts as seen when the frame that shows it was drawn and the person typed something after it. Whatever is
//! not seen when the session ends, however it ends, is remembered, and shown first when that person signs in again:
//! whoever does not know whether a dose was recorded might give it twice. A line that is dead may be taken for open for
//! minutes, and an outcome may take seconds: who signs in meanwhile is told what another session of theirs waits for.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::desk::{Clock, Progress};
use crate::domain::{OpId, Operation, Outcome, UserId};
use crate::store::unseen::{self, Unseen};
use crate::store::{Db, StoreError};

/// How often remembering is tried: somebody may have died for want of it.
const TRIES: u32 = 20;
/// Before the next try.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(250);

/// What is being remembered, of all sessions that share it: a program does not end before that. And what none of them
/// has shown yet.
#[derive(Debug, Default)]
pub(super) struct Remembering {
    under_way: AtomicUsize,
    done: Notify,
    sessions: AtomicU64,
    unseen: Mutex<Vec<Awaited>>,
}

/// Something that was signed, and that its person has not seen the outcome of.
#[derive(Debug, Clone)]
pub(super) struct Awaited {
    session: u64,
    actor: UserId,
    pub(super) op: OpId,
    /// In words.
    pub(super) what: String,
    progress: watch::Receiver<Progress>,
}

impl Awaited {
    /// What became of it, when that is known.
    pub(super) async fn outcome(&mut self) -> Outcome {
        let done = |progress: &Progress| matches!(progress, Progress::Done(_));
        match self.progress.wait_for(done).await.map(|done| done.clone()) {
            Ok(Progress::Done(outcome)) => outcome,
            // The desk ended without a word.
            _ => Outcome::Unknown { op: self.op },
        }
    }
}

impl Remembering {
    /// Waits until all is remembered.
    pub(super) async fn all(&self) {
        loop {
            let done = self.done.notified();
            if self.under_way.load(Ordering::SeqCst) == 0 {
                return;
            }
            done.await;
        }
    }

    /// What this person has not seen of what they signed in other sessions than that one.
    pub(super) fn elsewhere(&self, actor: UserId, session: u64) -> Vec<Awaited> {
        let theirs = |one: &&Awaited| one.actor == actor && one.session != session;
        self.unseen().iter().filter(theirs).cloned().collect()
    }

    /// Whether nobody has seen the outcome of this, and no database remembers it.
    pub(super) fn awaits(&self, op: OpId) -> bool {
        self.unseen().iter().any(|one| one.op == op)
    }

    /// These are seen, or remembered.
    pub(super) fn settled(&self, ops: &[OpId]) {
        self.unseen().retain(|one| !ops.contains(&one.op));
    }

    fn signed(&self, one: Awaited) {
        let mut unseen = self.unseen();
        unseen.retain(|other| other.op != one.op);
        unseen.push(one);
    }

    fn unseen(&self) -> MutexGuard<'_, Vec<Awaited>> {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Entry {
    of: Awaited,
    seen: Seen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// No outcome yet.
    Waiting,
    /// The interface has it, and no frame shows it.
    Told,
    /// A frame shows it.
    Shown,
}

/// Operations whose outcomes the person has not seen. Dropping it remembers them.
pub(super) struct Signed {
    db: Db,
    clock: Clock,
    remembering: Arc<Remembering>,
    /// Its number.
    session: u64,
    entries: Vec<Entry>,
}

impl std::fmt::Debug for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.entries).finish()
    }
}

impl Signed {
    pub(super) fn new(db: Db, clock: Clock, remembering: Arc<Remembering>) -> Signed {
        Signed {
            db,
            clock,
            session: remembering.sessions.fetch_add(1, Ordering::Relaxed),
            remembering,
            entries: Vec::new(),
        }
    }

    /// The desk has it. The same operation may be sent again.
    pub(super) fn sent(
        &mut self,
        operation: &Operation,
        what: String,
        progress: watch::Receiver<Progress>,
    ) {
        let of = Awaited {
            session: self.session,
            actor: operation.actor,
            op: operation.id,
            what,
            progress,
        };
        self.remembering.signed(of.clone());
        self.entries.retain(|entry| entry.of.op != of.op);
        let seen = Seen::Waiting;
        self.entries.push(Entry { of, seen });
    }

    /// The number of its session.
    pub(super) const fn session(&self) -> u64 {
        self.session
    }

    /// The interface is told the outcome, with that person before it.
    pub(super) fn told(&mut self, op: OpId, before_it: Option<UserId>) {
        for entry in &mut self.entries {
            // Whoever signed out meanwhile is not told here.
            if entry.of.op == op && Some(entry.of.actor) == before_it {
                entry.seen = Seen::Told;
            }
        }
    }

    /// A frame was drawn.
    pub(super) fn drawn(&mut self) {
        for entry in &mut self.entries {
            if entry.seen == Seen::Told {
                entry.seen = Seen::Shown;
            }
        }
    }

    /// The person typed something.
    pub(super) fn typed(&mut self) {
        let shown = |entry: &&Entry| entry.seen == Seen::Shown;
        let seen: Vec<OpId> = self.entries.iter().filter(shown).map(|e| e.of.op).collect();
        if !seen.is_empty() {
            self.entries.retain(|entry| entry.seen != Seen::Shown);
            self.remembering.settled(&seen);
        }
    }

    /// Whether every outcome has come.
    pub(super) fn is_settled(&self) -> bool {
        self.entries.iter().all(|entry| entry.seen != Seen::Waiting)
    }
}

impl Drop for Signed {
    fn drop(&mut self) {
        // Outside a runtime nothing can be remembered any more; nothing could have been signed there either.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        for entry in self.entries.drain(..) {
            let (db, clock) = (self.db.clone(), Arc::clone(&self.clock));
            let remembering = Arc::clone(&self.remembering);
            remembering.under_way.fetch_add(1, Ordering::SeqCst);
            runtime.spawn(async move {
                remember(&db, &clock, &remembering, entry.of).await;
                remembering.under_way.fetch_sub(1, Ordering::SeqCst);
                remembering.done.notify_waiters();
            });
        }
    }
}

async fn remember(db: &Db, clock: &Clock, remembering: &Remembering, mut of: Awaited) {
    let outcome = of.outcome().await;
    let op = of.op;
    // Another session has shown it.
    if !remembering.awaits(op) {
        return;
    }
    put_down(db, clock, of, outcome).await;
    // Whoever signs in from now on finds it in the database.
    remembering.settled(&[op]);
}

async fn put_down(db: &Db, clock: &Clock, of: Awaited, outcome: Outcome) {
    let (op, user) = (of.op, of.actor);
    let outcome = match serde_json::to_string(&outcome) {
        Ok(outcome) => outcome,
        Err(error) => return tracing::error!(%op, "an outcome cannot be remembered: {error}"),
    };
    let unseen = Unseen {
        op_id: op,
        at: clock().into(),
        what: of.what,
        outcome,
    };
    for left in (0..TRIES).rev() {
        match add(db, user, &unseen).await {
            Ok(()) => return,
            Err(error) if left == 0 => {
                tracing::error!(%op, "an outcome that nobody saw is not remembered: {error}");
            }
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

async fn add(db: &Db, user: UserId, unseen: &Unseen) -> Result<(), StoreError> {
    unseen::add(db.writer().await?.link(), user, unseen).await
}
