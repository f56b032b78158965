//! What a person signed in this session, until they have seen what became of it.
//!
//! An outcome counts as seen when the frame that shows it was drawn and the person typed something after it. Whatever is
//! not seen when the session ends, however it ends, is remembered, and shown first when that person signs in again:
//! whoever does not know whether a dose was recorded might give it twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, watch};

use crate::desk::{Clock, Progress};
use crate::domain::{OpId, Operation, Outcome, UserId};
use crate::store::unseen::{self, Unseen};
use crate::store::{Db, StoreError};

/// How often remembering is tried: somebody may have died for want of it.
const TRIES: u32 = 20;
/// Before the next try.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(250);

/// What is being remembered, of all sessions that share it: a program does not end before that.
#[derive(Debug, Default)]
pub(super) struct Remembering {
    under_way: AtomicUsize,
    done: Notify,
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
}

#[derive(Debug)]
struct Entry {
    op: OpId,
    actor: UserId,
    /// In words.
    what: String,
    progress: watch::Receiver<Progress>,
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
        self.entries.retain(|entry| entry.op != operation.id);
        self.entries.push(Entry {
            op: operation.id,
            actor: operation.actor,
            what,
            progress,
            seen: Seen::Waiting,
        });
    }

    /// The interface is told the outcome, with that person before it.
    pub(super) fn told(&mut self, op: OpId, before_it: Option<UserId>) {
        for entry in &mut self.entries {
            // Whoever signed out meanwhile is not told here.
            if entry.op == op && Some(entry.actor) == before_it {
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
        self.entries.retain(|entry| entry.seen != Seen::Shown);
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
                remember(&db, &clock, entry).await;
                remembering.under_way.fetch_sub(1, Ordering::SeqCst);
                remembering.done.notify_waiters();
            });
        }
    }
}

async fn remember(db: &Db, clock: &Clock, mut entry: Entry) {
    let (op, user) = (entry.op, entry.actor);
    let done = entry
        .progress
        .wait_for(|progress| matches!(progress, Progress::Done(_)))
        .await;
    let outcome = match done.map(|progress| progress.clone()) {
        Ok(Progress::Done(outcome)) => outcome,
        // The desk ended without a word.
        _ => Outcome::Unknown { op },
    };
    let outcome = match serde_json::to_string(&outcome) {
        Ok(outcome) => outcome,
        Err(error) => return tracing::error!(%op, "an outcome cannot be remembered: {error}"),
    };
    let unseen = Unseen {
        op_id: op,
        at: clock().into(),
        what: entry.what,
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
