//! Several doses at once, and emergency access.

use std::sync::Arc;

use super::{Desk, Pane, Sheet, Tone};
use crate::domain::snapshot::{Ward, WardSnapshot};
use crate::domain::{Access, OpId, Outcome, Receipt, decide};
use crate::tui::keymap::Action;
use crate::tui::model::{Context, Effect};
use crate::tui::sheets::{emergency, round};

impl Desk {
    /// Whether there is nothing in the focused pane to put away but marks.
    pub(super) fn only_marked(&self) -> bool {
        self.focus == Pane::Queue
            && self.queue.list.filter.is_empty()
            && !self.queue.marks.is_empty()
    }

    pub(super) fn mark(&mut self, action: Action, context: &Context) {
        let marked = match action {
            Action::MarkDue => self.queue.mark_due(context),
            _ => self.queue.mark(),
        };
        if let Err(why) = marked {
            self.say(Tone::Plain, why);
        }
    }

    /// The sheet of emergency access; for the ward that is looked at, where it is not one's own. Where they have access to
    /// it already, the sheet ends that.
    pub(super) fn open_emergency(&mut self, context: &Context) -> Vec<Effect> {
        if self.actor.read_only || !decide::may(self.actor.role, "emergency") {
            let role = self.actor.role;
            let said = format!("Emergency access is not for you: you are signed in as {role}.");
            self.say(Tone::Plain, said);
            return Vec::new();
        }
        let lasting = self.ward.as_ref();
        let lasting =
            lasting.and_then(|ward| Some((ward, self.actor.emergency(ward.id, context.now)?)));
        if let Some((ward, access)) = lasting {
            let sheet = emergency::EmergencySheet::ending(ward, access);
            self.sheet = Some(Sheet::Emergency(Box::new(sheet)));
            return vec![Effect::DrainInput];
        }
        if !self.actor.secret {
            self.say(
                Tone::Plain,
                "You have no PIN that could be asked for again.",
            );
            return Vec::new();
        }
        let foreign = |ward: &&Ward| !self.actor.acts_in(ward.id, context.now);
        let here = self.ward.as_ref().filter(foreign);
        let (sheet, effects) = emergency::EmergencySheet::open(&self.wards, here);
        self.sheet = Some(Sheet::Emergency(Box::new(sheet)));
        effects
    }

    /// Emergency access that this desk asked for has begun or ended: the screen says so, and lets them in as the desk does.
    pub(super) fn let_in(&mut self, op: OpId, outcome: &Outcome) {
        if self.awaited(op).is_none() {
            return;
        }
        match outcome {
            Outcome::Done(Receipt::EmergencyBegun {
                access,
                ward,
                until,
            }) => {
                let (id, until) = (*access, *until);
                self.actor.emergencies.insert(*ward, Access { id, until });
            }
            Outcome::Done(Receipt::EmergencyEnded { ward, .. }) => {
                self.actor.emergencies.remove(ward);
            }
            _ => {}
        }
    }

    /// The round sheet of the marked doses.
    pub(super) fn open_round(&mut self) -> Vec<Effect> {
        let barred = self.barred("fulfil");
        let barred = barred.map(|why| format!("You may look. {why}"));
        let Some((sheet, effects)) = round::Round::open(&self.queue.marked(), barred) else {
            self.say(Tone::Plain, "The marked doses are being read.");
            return Vec::new();
        };
        self.sheet = Some(Sheet::Round(Box::new(sheet)));
        effects
    }

    /// Marks whose doses have left the queue go, and that is told; what the open round did itself its lines tell.
    pub(super) fn keep_marks(&mut self, snapshot: Option<&Arc<WardSnapshot>>) {
        let Some(snapshot) = snapshot else {
            return;
        };
        let gone = self.queue.marks.keep(snapshot);
        if !gone.is_empty() && !matches!(self.sheet, Some(Sheet::Round(_))) {
            let said = format!(
                "Marked, and not in the queue any more: {}. The log shows what was given.",
                gone.join("; ")
            );
            self.say(Tone::Wrong, said);
        }
    }
}
