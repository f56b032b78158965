//! The part of a sheet where a second person signs too: with their own name and PIN, within a minute.

use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Msg;
use super::facts::LABELS;
use crate::domain::{Request, UserId};
use crate::tui::key::Key;
use crate::tui::keymap::Action;
use crate::tui::model::{Effect, Reply, Secret, SignInFailure};
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::{Field, Pen};

/// A witness who does not sign within this is not there: nothing is recorded.
const WAITS: SignedDuration = SignedDuration::from_secs(60);

/// The part's state.
#[derive(Debug, Clone)]
pub struct Witness {
    /// What the first person has signed, and both will have.
    pub request: Request,
    username: Field,
    secret: Field,
    on_secret: bool,
    checking: bool,
    until: Timestamp,
    say: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It is still open.
    Not,
    /// The witness has signed.
    Signed(UserId),
    /// It is over, nothing is recorded, and this is why.
    Gone(String),
}

impl Witness {
    /// Asks for a witness of what one person has signed at that moment.
    pub fn open(request: Request, now: Timestamp) -> Witness {
        Witness {
            request,
            username: Field::default(),
            secret: Field::secret(),
            on_secret: false,
            checking: false,
            until: now.checked_add(WAITS).unwrap_or(Timestamp::MAX),
            say: String::new(),
        }
    }

    /// When it ends if nobody signs.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// Takes a message; `first` is the person who has signed already.
    pub fn update(&mut self, msg: &Msg<'_>, now: Timestamp, first: UserId) -> (Vec<Effect>, Came) {
        match msg {
            Msg::Act(Action::Close) => {
                let why = "No witness has signed. Nothing was recorded.".to_owned();
                return (Vec::new(), Came::Gone(why));
            }
            Msg::Act(Action::NextField | Action::PreviousField) => {
                self.on_secret = !self.on_secret;
            }
            Msg::Act(Action::Sign) => return (self.send(), Came::Not),
            Msg::Key(key) => self.key(*key),
            Msg::Paste(text) => {
                let line = text.split(['\r', '\n']).next().unwrap_or_default();
                line.chars().for_each(|c| self.key(Key::char(c)));
            }
            Msg::Reply(Reply::Witness { username, found })
                if self.checking && *username == self.username.value().trim() =>
            {
                self.checking = false;
                return (Vec::new(), self.answered(found, now, first));
            }
            Msg::Act(_) | Msg::Scan(_) | Msg::Ward | Msg::Reply(_) => {}
        }
        (Vec::new(), Came::Not)
    }

    /// The clock moved on.
    pub fn tick(&self, now: Timestamp) -> Came {
        if now < self.until {
            return Came::Not;
        }
        let seconds = WAITS.as_secs();
        Came::Gone(format!(
            "No witness has signed within {seconds} seconds. Nothing was recorded."
        ))
    }

    fn key(&mut self, key: Key) {
        if self.checking {
            return;
        }
        self.say.clear();
        let field = if self.on_secret {
            &mut self.secret
        } else {
            &mut self.username
        };
        field.key(key);
    }

    fn send(&mut self) -> Vec<Effect> {
        if self.checking {
            return Vec::new();
        }
        if self.username.value().trim().is_empty() {
            self.on_secret = false;
            self.say = "The witness types their user name.".to_owned();
            return Vec::new();
        }
        if self.secret.is_empty() {
            self.on_secret = true;
            self.say = "The witness types their PIN.".to_owned();
            return Vec::new();
        }
        self.checking = true;
        self.say.clear();
        vec![Effect::CheckWitness {
            username: self.username.value().trim().to_owned(),
            secret: Secret(self.secret.take()),
        }]
    }

    fn answered(
        &mut self,
        answer: &Result<UserId, SignInFailure>,
        now: Timestamp,
        first: UserId,
    ) -> Came {
        // An answer that came too late signs nothing.
        if let gone @ Came::Gone(_) = self.tick(now) {
            return gone;
        }
        self.on_secret = true;
        self.say = match answer {
            Ok(witness) if *witness == first => {
                self.username.clear();
                self.on_secret = false;
                "A witness is a second person.".to_owned()
            }
            Ok(witness) => return Came::Signed(*witness),
            Err(SignInFailure::Wrong { .. }) => "Name and PIN do not belong together.".to_owned(),
            Err(SignInFailure::TooSoon { .. }) => {
                "Too soon after a wrong PIN: wait a moment, then try again.".to_owned()
            }
            Err(SignInFailure::Unavailable { why }) => format!("It cannot be checked: {why}"),
        };
        Came::Not
    }

    /// Lines that it takes.
    pub const HEIGHT: u16 = 2;

    /// Draws the two fields.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let label = u16::try_from(LABELS).unwrap_or(11);
        let faint = pen.theme.faint();
        for (row, (name, field, focused)) in (0..).zip([
            ("Witness", &self.username, !self.on_secret),
            ("PIN", &self.secret, self.on_secret),
        ]) {
            let line = row_of(area, row);
            pen.put(line, name, faint);
            let place = Rect {
                x: line.x.saturating_add(label),
                width: line.width.saturating_sub(label).min(32),
                ..line
            };
            pen.field(place, field, focused && !self.checking);
        }
    }

    /// What is said below.
    pub fn words(&self, pen_plain: Style, pen_warning: Style) -> (String, Style) {
        if self.checking {
            return ("Checking who the witness is.".to_owned(), pen_plain);
        }
        if !self.say.is_empty() {
            return (self.say.clone(), pen_warning);
        }
        let words =
            "A witness signs too: user name, PIN, then F2. Nothing is recorded before that.";
        (words.to_owned(), pen_plain)
    }
}
