//! Who is here: every session, so that it can be seen, told and ended.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::domain::Actor;
use crate::session::wire;
use crate::terminal::Profile;

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// The person left.
    Left,
    /// The line closed.
    Lost,
    /// The account was disabled.
    Disabled,
    /// Somebody at the server ended it: the system user of that number.
    EndedBy(u32),
    /// The server stops.
    Stopped,
    /// A defect of the program.
    Defect,
    /// The line broke, or the session could not begin.
    Failed(String),
}

impl Why {
    /// What stays on the terminal; nothing for whoever left by themselves.
    pub(super) fn notice(&self) -> &'static str {
        match self {
            Why::Left | Why::Lost | Why::Failed(_) => "",
            Why::Disabled => "ValMed: you were signed out: your account has been disabled.",
            Why::EndedBy(_) => "ValMed: your session was ended by whoever looks after the server.",
            Why::Stopped => {
                "ValMed: the server is being stopped. Sign in again in a minute: you will be told what became of what you \
                 signed and did not see."
            }
            Why::Defect => {
                "ValMed: your session ended by a defect of the program; others are not touched by it. Sign in again: \
                 you will be told what became of what you signed."
            }
        }
    }
}

impl Why {
    /// What the terminal is still sent when the session is over and could not give it back itself: it may have stopped
    /// in the middle of a frame.
    pub(super) fn last_words(&self, profile: &Profile) -> Vec<u8> {
        if *self != Why::Defect {
            return Vec::new();
        }
        let mut bytes = profile.goodbye();
        bytes.extend_from_slice(self.notice().as_bytes());
        bytes.extend_from_slice(b"\r\n");
        bytes
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Left => f.write_str("left"),
            Why::Lost => f.write_str("the line closed"),
            Why::Disabled => f.write_str("account disabled"),
            Why::EndedBy(user) => write!(f, "ended by system user {user}"),
            Why::Stopped => f.write_str("server stopped"),
            Why::Defect => f.write_str("defect of the program"),
            Why::Failed(error) => write!(f, "failed: {error}"),
        }
    }
}

/// Somebody at a terminal.
#[derive(Debug)]
pub(super) struct Visitor {
    pub id: u64,
    pub actor: Actor,
    /// Where from.
    pub from: String,
    /// How they proved who they are.
    pub method: String,
    /// The terminal's name, or the command.
    pub terminal: String,
    pub began: Timestamp,
    /// The other side of the session's line.
    pub line: wire::Handle,
    why: OnceLock<Why>,
}

impl Visitor {
    /// Ends the session; the first reason counts.
    pub(super) fn end(&self, why: Why, after_outcomes: bool) {
        let why = self.why.get_or_init(|| why);
        self.line.end_with(why.notice(), after_outcomes);
    }

    /// As a line of the list.
    pub(super) fn listed(&self) -> Listed {
        Listed {
            id: self.id,
            username: self.actor.username.clone(),
            role: self.actor.role.to_string(),
            from: self.from.clone(),
            method: self.method.clone(),
            terminal: self.terminal.clone(),
            began: self.began,
        }
    }

    /// Why it is to end, if anybody has said so.
    pub(super) fn why(&self) -> Option<Why> {
        self.why.get().cloned()
    }
}

/// One line of `valmed sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// To end it by.
    pub id: u64,
    /// Who.
    pub username: String,
    /// What they are.
    pub role: String,
    /// Where from.
    pub from: String,
    /// How they proved who they are.
    pub method: String,
    /// The terminal's name, or the command.
    pub terminal: String,
    /// Since when (UTC).
    pub began: Timestamp,
}

/// Every session.
#[derive(Debug, Default)]
pub(super) struct Registry {
    last: AtomicU64,
    visitors: Mutex<BTreeMap<u64, Arc<Visitor>>>,
    /// Somebody has left.
    left: Notify,
}

/// A place in the registry, until it is dropped.
#[derive(Debug)]
pub(super) struct Registered {
    registry: Arc<Registry>,
    pub visitor: Arc<Visitor>,
}

impl Registry {
    /// Somebody begins a session.
    pub(super) fn add(
        self: &Arc<Registry>,
        person: &super::who::Person,
        (from, terminal): (String, String),
        began: Timestamp,
        line: wire::Handle,
    ) -> Registered {
        let visitor = Arc::new(Visitor {
            id: self.last.fetch_add(1, Ordering::Relaxed) + 1,
            actor: person.actor.clone(),
            from,
            method: person.method.clone(),
            terminal,
            began,
            line,
            why: OnceLock::new(),
        });
        self.visitors().insert(visitor.id, Arc::clone(&visitor));
        Registered {
            registry: Arc::clone(self),
            visitor,
        }
    }

    /// Everybody who is here.
    pub(super) fn all(&self) -> Vec<Arc<Visitor>> {
        self.visitors().values().cloned().collect()
    }

    /// How many are here.
    pub(super) fn count(&self) -> usize {
        self.visitors().len()
    }

    /// Waits until nobody is here.
    pub(super) async fn empty(&self) {
        loop {
            let left = self.left.notified();
            if self.count() == 0 {
                return;
            }
            left.await;
        }
    }

    /// The list for people at the server.
    pub(super) fn list(&self) -> Vec<Listed> {
        let all = self.all();
        all.iter().map(|visitor| visitor.listed()).collect()
    }

    fn visitors(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Visitor>>> {
        self.visitors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.registry.visitors().remove(&self.visitor.id);
        self.registry.left.notify_waiters();
    }
}
