//! The lock: what was on the screen is gone until the PIN of whoever is signed in brings it back; somebody else's name
//! and PIN open their own desk instead.

use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Rect;

use super::clock;
use super::desk::Desk;
use super::key::Key;
use super::keymap::Action;
use super::model::{Context, Effect, Model, Reply, Screen, SignedIn};
use super::sign_in::{SignIn, heading};
use super::widgets::Pen;
use super::widgets::pen::row_of;
use super::widgets::text::wrap;
use crate::domain::Actor;

/// What is said to somebody whose session ended because no key was pressed.
const TOO_LONG: &str =
    "You were signed out: no key was pressed for a long time. What was not signed is not recorded.";

/// The locked screen.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    /// Whose desk lies under it.
    username: String,
    door: SignIn,
    /// Somebody else is to sign in.
    other: bool,
    /// When the session ends by itself.
    ends_at: Option<Timestamp>,
}

impl Lock {
    fn over(actor: &Actor, other: bool, ends_at: Option<Timestamp>) -> Lock {
        let mut lock = Lock {
            username: actor.username.clone(),
            door: SignIn::default(),
            other,
            ends_at,
        };
        if !other {
            lock.door.as_user(&actor.username);
        }
        lock
    }

    fn act(&mut self, action: Action, context: &Context) -> Vec<Effect> {
        match action {
            Action::Leave => return vec![Effect::Quit],
            // The one who is signed in has a PIN to type; anybody else a name first.
            Action::NextField if !self.other => self.other = self.door.as_nobody(),
            Action::PreviousField => {
                if self.door.as_user(&self.username) {
                    self.other = false;
                }
            }
            other => return self.door.act(other, context),
        }
        Vec::new()
    }

    /// A badge, or another text that came at once, is somebody's name: nobody pastes a PIN.
    fn scanned(&mut self, text: &str) {
        if self.other || self.door.as_nobody() {
            self.other = true;
            self.door.scanned(text);
        }
    }

    pub(super) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.door.next_change(now)
    }

    /// Draws it; nothing of the desk under it but whose it is.
    pub(super) fn view(&self, pen: &mut Pen<'_>, area: Rect, desk: &Desk, context: &Context) {
        let body = SignIn::place(area);
        let mut row = heading(pen, body, context);
        let theme = pen.theme;
        let ward = desk.ward.as_ref().map_or("", |ward| ward.code.as_str());
        let who = format!("{}, {}  {ward}", desk.actor.name, desk.actor.role);
        let locked = format!(" LOCKED  {} ", theme.text(&who));
        pen.put(row_of(body, row), &locked, theme.header());
        row += 2;
        row = self.door.fields(pen, body, row, context);
        let words = if self.other {
            "Your own desk opens, on the same ward. What was typed here before is not shown."
        } else {
            "Your PIN brings back what was on the screen. Somebody else: Tab, then badge or user name, and PIN."
        };
        let mut say = words.to_owned();
        if let Some(at) = self.ends_at {
            say.push_str(&format!(
                " It signs out by itself at {}.",
                clock::hour(at, &desk.zone())
            ));
        }
        for line in wrap(&theme.text(&say), usize::from(body.width)) {
            pen.put(row_of(body, row), &line, theme.faint());
            row += 1;
        }
    }
}

impl Model {
    /// Locks the desk, if there is one that can be opened again.
    pub(super) fn lock(&mut self, other: bool, context: &Context) {
        let Screen::Desk(desk) = &mut self.screen else {
            return;
        };
        if context.demo {
            return desk.tell_plainly("A demonstration is not locked: q signs out.");
        }
        if !desk.actor.secret {
            return desk.tell_plainly("You have no PIN that could open it again: q signs out.");
        }
        let ends_at = self
            .touched_at
            .and_then(|at| at.checked_add(context.ends_after?).ok());
        self.lock = Some(Lock::over(&desk.actor, other, ends_at));
    }

    /// What time alone does: a key that was pressed is a key; without any the desk is locked, and later left.
    pub(super) fn watch_idle(&mut self, touched: bool, context: &Context) -> Option<Vec<Effect>> {
        if !matches!(self.screen, Screen::Desk(_)) || context.demo {
            self.touched_at = None;
            return None;
        }
        let since = *self.touched_at.get_or_insert(context.now);
        let idle = context.now.duration_since(since);
        if context.ends_after.is_some_and(|most| idle >= most) {
            let effects = self.leave();
            self.note = TOO_LONG.to_owned();
            return Some(effects);
        }
        let locks = context.lock_after.is_some_and(|most| idle >= most);
        if locks && self.lock.is_none() && self.actor().is_some_and(|actor| actor.secret) {
            self.lock(false, context);
        }
        if touched && self.lock.is_none() {
            self.touched_at = Some(context.now);
        }
        None
    }

    /// When time alone will do something next.
    pub(super) fn idle_change_at(&self, context: &Context) -> Option<Timestamp> {
        let since = self.touched_at?;
        let lock = context.lock_after.filter(|_| self.lock.is_none());
        let lasting = |most: SignedDuration| since.checked_add(most).ok();
        let lock = lock.and_then(lasting).filter(|at| *at > context.now);
        let ends = context.ends_after.and_then(lasting);
        let door = self
            .lock
            .as_ref()
            .and_then(|lock| lock.next_change(context.now));
        lock.into_iter().chain(ends).chain(door).min()
    }

    /// A key, an action or a text while it is locked; `None`: it is not.
    pub(super) fn at_lock(&mut self, input: Input<'_>, context: &Context) -> Option<Vec<Effect>> {
        let lock = self.lock.as_mut()?;
        Some(match input {
            Input::Act(action) => lock.act(action, context),
            Input::Key(key) => {
                lock.door.key(key);
                Vec::new()
            }
            Input::Text(text) => {
                lock.scanned(text);
                Vec::new()
            }
        })
    }

    /// An answer that the lock waits for; every other goes to the desk under it.
    pub(super) fn answered_at_lock(
        &mut self,
        reply: &Reply,
        context: &Context,
    ) -> Option<Vec<Effect>> {
        let lock = self.lock.as_mut()?;
        match reply {
            Reply::SignIn(Ok(signed_in)) => Some(self.open_lock(signed_in.clone(), context)),
            Reply::SignIn(Err(failure)) => {
                lock.door.failed(failure.clone());
                Some(Vec::new())
            }
            _ => None,
        }
    }

    fn open_lock(&mut self, signed_in: SignedIn, context: &Context) -> Vec<Effect> {
        self.lock = None;
        self.touched_at = Some(context.now);
        let Screen::Desk(desk) = &mut self.screen else {
            return Vec::new();
        };
        if desk.actor.id == signed_in.actor.id {
            // Role and wards may have been changed meanwhile.
            desk.actor = signed_in.actor;
            desk.wards = signed_in.wards;
            return Vec::new();
        }
        let ward = desk.ward.as_ref().map(|ward| ward.id);
        let (desk, effects) = Desk::open(signed_in, ward);
        self.screen = Screen::Desk(Box::new(desk));
        effects
    }
}

/// What reaches a locked screen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input<'a> {
    Act(Action),
    Key(Key),
    Text(&'a str),
}
