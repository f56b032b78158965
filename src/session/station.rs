//! The terminal of a session: what it says of itself, and what somebody has set about it.

use std::sync::Arc;

use crate::terminal::Profile;
use crate::terminal::kept::{BadKept, Kept};
use crate::tui::{Look, Place};

/// A terminal.
#[derive(Debug, Clone)]
pub struct Station {
    name: String,
    said: Profile,
    look: Look,
    kept: Option<Arc<Kept>>,
}

impl Station {
    /// One of which nothing is kept, and that is as it is.
    pub fn of(profile: Profile) -> Station {
        Station {
            name: String::new(),
            said: profile,
            look: Look::default(),
            kept: None,
        }
    }

    /// One that says this of itself by its variables, at a place whose terminals are kept by `place` and TERM. What its
    /// own variables set counts before what was kept.
    pub fn at(
        place: &str,
        variable: impl Fn(&str) -> Option<String>,
        set: Look,
        kept: Arc<Kept>,
    ) -> Station {
        let term = variable("TERM").unwrap_or_default();
        let name = format!("{place} {term}").trim_end().to_owned();
        Station {
            said: Profile::of(variable),
            look: set.or(kept.look(&name)),
            kept: Some(kept),
            name,
        }
    }

    /// What it can do, as it is set.
    pub fn profile(&self) -> Profile {
        self.said.with(self.look)
    }

    /// It is set so from now on.
    pub(super) fn choose(&mut self, look: Look) {
        self.look = look;
    }

    /// For the interface.
    pub(super) fn place(&self) -> Place {
        Place {
            name: self.name.clone(),
            look: self.look,
            keeps: self.kept.is_some(),
        }
    }

    /// Keeps what is set for the next time. It waits for the disk.
    pub(super) fn keep(&self, look: Look) -> Result<(), BadKept> {
        match &self.kept {
            Some(kept) => kept.keep(&self.name, look),
            None => Ok(()),
        }
    }
}
