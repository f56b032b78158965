//! The root: routes a message to the screen it is for, and does nothing else.

use super::desk::Desk;
use super::key::{Code, Key};
use super::keymap::{self, Action};
use super::lock::Input;
use super::model::{Context, Effect, Model, Msg, Reply, Screen};
use super::sign_in::SignIn;

/// What is said to somebody whose account was disabled while they were signed in.
const DISABLED: &str = "You were signed out: your account has been disabled.";

/// Takes a message and says what should be done about it. Does no I/O and reads no clock.
pub fn update(model: &mut Model, msg: Msg, context: &Context) -> Vec<Effect> {
    let touched = matches!(
        msg,
        Msg::Key(_) | Msg::Paste(_) | Msg::Scan { .. } | Msg::Mouse(_)
    );
    if let Some(effects) = model.watch_idle(touched, context) {
        return effects;
    }
    let effects = route(model, msg, context);
    if let Screen::Desk(desk) = &mut model.screen
        && let Some(other) = desk.lock_wanted.take()
    {
        model.lock(other, context);
    }
    match &model.screen {
        Screen::Desk(desk) if desk.signed_out => model.leave(),
        _ => effects,
    }
}

fn route(model: &mut Model, msg: Msg, context: &Context) -> Vec<Effect> {
    match msg {
        Msg::Key(key) => pressed(model, key.normal(), context),
        Msg::Act(action) => act(model, action, context),
        Msg::Reply(reply) => replied(model, reply, context),
        Msg::Paste(text) if model.lock.is_some() => {
            let taken = model.at_lock(Input::Text(&text), context);
            taken.unwrap_or_default()
        }
        // Nothing under the lock can be pointed at.
        Msg::Mouse(_) if model.lock.is_some() => Vec::new(),
        Msg::Paste(text) => match &mut model.screen {
            Screen::SignIn(sign_in) => {
                sign_in.paste(&text);
                Vec::new()
            }
            Screen::Desk(desk) => desk.paste(&text, context),
            Screen::FirstRun { .. } => Vec::new(),
        },
        Msg::Scan { text, end } => scanned(model, &text, end, context),
        Msg::Mouse(mouse) => match &mut model.screen {
            Screen::Desk(desk) => desk.mouse(mouse, context),
            Screen::SignIn(_) | Screen::FirstRun { .. } => Vec::new(),
        },
        Msg::Tick => match &mut model.screen {
            Screen::Desk(desk) => desk.tick(context),
            Screen::SignIn(_) | Screen::FirstRun { .. } => Vec::new(),
        },
        Msg::Hospital => match &mut model.screen {
            Screen::Desk(desk) => desk.stirred(true, context),
            Screen::SignIn(_) | Screen::FirstRun { .. } => Vec::new(),
        },
        Msg::Feed(view) => match &mut model.screen {
            Screen::Desk(desk) => desk.fed(view, context),
            Screen::SignIn(_) | Screen::FirstRun { .. } => Vec::new(),
        },
    }
}

/// What a scanner read. Where a scan means something it is taken as one; in any other field it is typed, with the key that
/// the scanner sends behind it; where nothing is typed it does nothing.
fn scanned(model: &mut Model, text: &str, end: Option<Code>, context: &Context) -> Vec<Effect> {
    let at_a_door = end.is_some();
    match &mut model.screen {
        Screen::Desk(_) if model.lock.is_some() && at_a_door => {
            let taken = model.at_lock(Input::Text(text), context);
            return taken.unwrap_or_default();
        }
        Screen::SignIn(sign_in) if at_a_door && sign_in.wants_a_name() => {
            sign_in.scanned(text);
            return Vec::new();
        }
        Screen::Desk(desk) if model.lock.is_none() && desk.takes_scan(end.is_some()) => {
            return desk.scanned(text, context);
        }
        _ => {}
    }
    if !model.mode().types() {
        if let Screen::Desk(desk) = &mut model.screen {
            desk.tell_plainly("What was scanned does nothing here, and was not taken as keys.");
        }
        return Vec::new();
    }
    let mut effects = Vec::new();
    let keys = text.chars().map(Key::char).chain(end.map(Key::of));
    for key in keys {
        effects.extend(pressed(model, key, context));
    }
    effects
}

fn pressed(model: &mut Model, key: Key, context: &Context) -> Vec<Effect> {
    if let Some(action) = keymap::action(model.mode(), key) {
        return act(model, action, context);
    }
    if let Some(effects) = model.at_lock(Input::Key(key), context) {
        return effects;
    }
    match &mut model.screen {
        Screen::SignIn(sign_in) => {
            sign_in.key(key);
            Vec::new()
        }
        Screen::Desk(desk) => desk.key(key, context),
        Screen::FirstRun { .. } => Vec::new(),
    }
}

fn act(model: &mut Model, action: Action, context: &Context) -> Vec<Effect> {
    if action == Action::Suspend {
        return vec![Effect::Suspend];
    }
    if let Some(effects) = model.at_lock(Input::Act(action), context) {
        return effects;
    }
    match &mut model.screen {
        Screen::FirstRun { .. } if action == Action::Leave => vec![Effect::Quit],
        Screen::FirstRun { .. } => Vec::new(),
        Screen::SignIn(sign_in) => sign_in.act(action, context),
        Screen::Desk(desk) => desk.act(action, context),
    }
}

impl Model {
    /// The person goes: to the sign-in, or, where there is none, out of the program.
    pub(super) fn leave(&mut self) -> Vec<Effect> {
        self.lock = None;
        self.touched_at = None;
        if self.known {
            return vec![Effect::Quit];
        }
        self.screen = Screen::SignIn(SignIn::default());
        vec![Effect::Unwatch]
    }
}

fn replied(model: &mut Model, reply: Reply, context: &Context) -> Vec<Effect> {
    if let Some(effects) = model.answered_at_lock(&reply, context) {
        return effects;
    }
    match (&mut model.screen, reply) {
        (Screen::SignIn(_), Reply::SignIn(Ok(signed_in))) => {
            let (desk, effects) = Desk::open(signed_in, None);
            model.screen = Screen::Desk(Box::new(desk));
            effects
        }
        (Screen::SignIn(sign_in), Reply::SignIn(Err(failure))) => {
            sign_in.failed(failure);
            Vec::new()
        }
        (Screen::Desk(desk), Reply::Disabled(user)) => {
            if desk.actor.id == user {
                desk.signed_out = true;
                model.note = DISABLED.to_owned();
            }
            Vec::new()
        }
        (Screen::Desk(desk), reply) => desk.replied(&reply, context),
        (Screen::SignIn(_) | Screen::FirstRun { .. }, _) => Vec::new(),
    }
}
