//! What the interface knows, what it is told, and what it asks for.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Size;

use super::desk::Desk;
use super::key::{Code, Key, Mouse};
use super::keymap::{Action, Mode};
use super::lock::Lock;
use super::look::{Look, Place};
use super::pages::{Answer, PageAsk};
use super::sign_in::SignIn;
use crate::domain::prescribed::Candidate;
use crate::domain::scan::Gtin;
use crate::domain::snapshot::{OrderDetail, Ward, WardSnapshot};
use crate::domain::{
    Actor, DrugId, OpId, Operation, OrderId, OrderStatus, Outcome, Policy, UserId, WardId,
};

/// What the world is like at the moment of a message or a frame.
#[derive(Debug, Clone)]
pub struct Context {
    /// Now (UTC).
    pub now: Timestamp,
    /// The terminal's size.
    pub size: Size,
    /// A fresh operation id, made for this message and used for nothing else.
    pub fresh_op: OpId,
    /// How far ahead a dose counts as due.
    pub due_window: SignedDuration,
    /// From what age on the screen says that it is stale.
    pub stale_after: SignedDuration,
    /// Without a key for so long the screen is locked; `None`: never.
    pub lock_after: Option<SignedDuration>,
    /// Without a key for so long the session ends; `None`: never.
    pub ends_after: Option<SignedDuration>,
    /// The screen is for a screen reader: one pane at a time.
    pub plain: bool,
    /// Where the terminal is, and what is set about it.
    pub place: Arc<Place>,
    /// This is a demonstration: no real patient is on the screen.
    pub demo: bool,
    /// What the hospital has set about the rules: a screen says beforehand what the desk will say.
    pub policy: Arc<Policy>,
    /// Where pages are written to; `None`: the files of this machine are not the person's.
    pub files: Option<Arc<Path>>,
}

/// What a session begins with.
#[derive(Debug, Clone)]
pub enum Start {
    /// Nobody can sign in, or there is no ward yet.
    FirstRun {
        /// Where the database is, in words for people.
        database: String,
        /// There are people and wards; only nobody among them has a password.
        people: bool,
    },
    /// Somebody is to sign in.
    SignIn {
        /// A line under the title, e.g. the names of a demonstration; may be empty.
        note: String,
    },
    /// Who it is was found out elsewhere: by a key, or because it is a demonstration.
    Known {
        /// Who, and where.
        signed_in: SignedIn,
        /// The ward to begin with; `None`: their only one, else they choose.
        ward: Option<WardId>,
        /// Signing out goes to the sign-in with this note; `None`: it leaves.
        then: Option<String>,
    },
}

/// A person who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub actor: Actor,
    /// Every ward, by name or code.
    pub wards: Vec<Ward>,
}

/// Why somebody is not signed in. Never says whether the name or the secret was wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInFailure {
    /// Name and secret do not belong together.
    Wrong {
        /// The next try is taken from then on (UTC).
        retry_at: Timestamp,
    },
    /// Asked before the wait was over; the secret was not looked at.
    TooSoon {
        /// The next try is taken from then on (UTC).
        retry_at: Timestamp,
    },
    /// It could not be looked up.
    Unavailable {
        /// Why, for the person to pass on.
        why: String,
    },
}

/// A PIN or password on its way to be checked. Never shown, not even in a failing test.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What the feed says of a ward.
#[derive(Debug, Clone)]
pub struct FeedView {
    /// Which.
    pub ward: WardId,
    /// The latest that was read; `None`: nothing yet.
    pub snapshot: Option<Arc<WardSnapshot>>,
    /// When that was last known to be the truth (UTC).
    pub confirmed_at: Option<Timestamp>,
    /// Why it cannot be confirmed now.
    pub trouble: Option<String>,
    /// What is wrong although it is confirmed.
    pub warning: Option<String>,
}

/// Where an order stands when it is looked up.
#[derive(Debug, Clone)]
pub enum OrderNow {
    /// It can be given.
    Open(Box<OrderDetail>),
    /// It is accounted for, or stopped.
    Ended {
        /// Completed or discontinued.
        status: OrderStatus,
        /// Who did it; `None`: the prescription's own end.
        by: Option<String>,
        /// When (UTC).
        at: Option<Timestamp>,
        /// The reason that was given; may be empty.
        reason: String,
    },
    /// There is no such order (any more).
    NotFound,
}

/// The answer to an effect.
#[derive(Debug, Clone)]
pub enum Reply {
    /// To any question: this person's account is disabled, and nothing more is read for them.
    Disabled(UserId),
    /// To [`Effect::SignIn`].
    SignIn(Result<SignedIn, SignInFailure>),
    /// To [`Effect::CheckWitness`].
    Witness {
        /// As asked.
        username: String,
        /// Who it is, or why they are not.
        found: Result<UserId, SignInFailure>,
    },
    /// To [`Effect::LoadWards`].
    Wards(Result<Vec<Ward>, String>),
    /// To [`Effect::LoadDetail`].
    Detail {
        /// As asked for.
        order: OrderId,
        /// Where it stands; or why that could not be read.
        now: Result<OrderNow, String>,
    },
    /// To [`Effect::LookUpPatient`].
    Patient {
        /// As asked for.
        mrn: String,
        /// The name of whose number it is; `None`: nobody's. Or why that could not be read.
        name: Result<Option<String>, String>,
    },
    /// To [`Effect::LookUpCode`].
    Code {
        /// As asked for.
        gtin: Gtin,
        /// What it is; or why that could not be read.
        found: Result<CodeFound, String>,
    },
    /// What this person signed before, and did not see the outcome of: oldest first. Unasked, when they have signed in.
    Missed(Vec<Missed>),
    /// To [`Effect::Save`]: where it is now; or why it was not written, in words.
    Saved(Result<String, String>),
    /// To [`Effect::LoadPage`].
    Page(Box<Answer>),
    /// To [`Effect::FindDrugs`].
    Drugs {
        /// As asked for.
        name: String,
        /// Those there are; or why they could not be read.
        found: Result<Vec<Candidate>, String>,
    },
    /// To [`Effect::KeepLook`]; or why it is not kept.
    LookKept(Result<(), String>),
    /// To [`Effect::Submit`], while the desk is finding out what became of it.
    Checking(OpId),
    /// To [`Effect::Submit`]: the end of it.
    Outcome {
        /// As submitted.
        op: OpId,
        /// What became of it.
        outcome: Outcome,
    },
}

/// What is known of the number on a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeFound {
    /// The name of the person whose number it is, where it may have been one.
    pub patient: Option<String>,
    /// The drugs that packages with this number hold.
    pub drugs: Vec<CodeDrug>,
}

/// A drug that a package holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeDrug {
    /// Key.
    pub id: DrugId,
    /// Name and strength.
    pub title: String,
    /// The lot that was asked for is blocked everywhere.
    pub recalled: bool,
}

/// Why a sheet stopped what was scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It is somebody else's wristband.
    WrongPatient,
    /// It is another drug's package.
    WrongDrug,
    /// It is past its date.
    Expired,
    /// Its lot is recalled.
    Recalled,
}

impl Stopped {
    /// The code under which it is on record.
    pub const fn code(self) -> &'static str {
        match self {
            Stopped::WrongPatient => "WRONG_PATIENT",
            Stopped::WrongDrug => "WRONG_DRUG",
            Stopped::Expired => "EXPIRED_SCAN",
            Stopped::Recalled => "RECALLED_SCAN",
        }
    }
}

/// What became of something that was signed, which its person did not see.
#[derive(Debug, Clone)]
pub struct Missed {
    /// Which operation.
    pub op: OpId,
    /// When it was known (UTC).
    pub at: Timestamp,
    /// What was asked, in words.
    pub what: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What the interface is told.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key.
    Key(Key),
    /// Text that came at once (bracketed paste).
    Paste(String),
    /// What a scanner read: nothing of it is a command.
    Scan {
        /// The code, with the separators inside.
        text: String,
        /// The key that the scanner sent behind it, where it sends one.
        end: Option<Code>,
    },
    /// The mouse.
    Mouse(Mouse),
    /// The clock moved on, or the terminal changed its size.
    Tick,
    /// An action by name, as from the palette.
    Act(Action),
    /// The feed has something new.
    Feed(FeedView),
    /// Something has changed in some ward: only told while [`Model::follows_hospital`].
    Hospital,
    /// An effect was carried out.
    Reply(Reply),
}

/// What the interface wants done.
// One is made and carried out at a time: what a signature takes more than a question costs nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Check a user name and secret: [`Reply::SignIn`].
    SignIn {
        /// As typed.
        username: String,
        /// As typed.
        secret: Secret,
    },
    /// Follow this ward and no other: [`Msg::Feed`] from now on.
    Watch(WardId),
    /// Follow no ward.
    Unwatch,
    /// Check a second person's user name and secret: [`Reply::Witness`].
    CheckWitness {
        /// As typed.
        username: String,
        /// As typed.
        secret: Secret,
    },
    /// Read the list of wards: [`Reply::Wards`].
    LoadWards,
    /// Look an order up: [`Reply::Detail`].
    LoadDetail(OrderId),
    /// Read a leaf of a page: [`Reply::Page`].
    LoadPage(PageAsk),
    /// Find drugs by the beginning of their name, with what a ward holds of each: [`Reply::Drugs`].
    FindDrugs {
        /// Where.
        ward: WardId,
        /// As typed.
        name: String,
    },
    /// Find out whose number was scanned instead of the right one: [`Reply::Patient`].
    LookUpPatient {
        /// As scanned or typed.
        mrn: String,
        /// For which order it was scanned.
        order: OrderId,
    },
    /// Find out whose number it is: [`Reply::Patient`]. Nothing was stopped.
    FindPatient {
        /// As scanned.
        mrn: String,
    },
    /// Find out what a package holds: [`Reply::Code`].
    LookUpCode {
        /// The number on it.
        gtin: Gtin,
        /// Its lot, if it says which.
        lot: Option<String>,
        /// It was digits that may be a person's number as well: as scanned.
        plain: Option<String>,
    },
    /// Put on record that a sheet stopped what was scanned.
    StoppedScan {
        /// For which order it was scanned.
        order: OrderId,
        /// Why.
        stopped: Stopped,
    },
    /// Give it to the desk, as it is, however often: [`Reply::Checking`], [`Reply::Outcome`].
    Submit {
        /// What is asked.
        operation: Box<Operation>,
        /// The drugs it is about, which let the desk keep apart what would get in each other's way.
        drugs: Vec<DrugId>,
    },
    /// Write this to a new file: [`Reply::Saved`].
    Save {
        /// As typed.
        name: String,
        /// What.
        text: String,
    },
    /// The person has seen what became of these.
    Seen(Vec<OpId>),
    /// The terminal is to be drawn on like this from now on.
    Look(Look),
    /// … and from the next sign-in on: [`Reply::LookKept`].
    KeepLook(Look),
    /// Forget keys that were pressed ahead: they were not meant for what has just opened.
    DrainInput,
    /// Give the terminal back to its shell until the person returns, where there is one.
    Suspend,
    /// Leave.
    Quit,
}

/// The panes of a ward's desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pane {
    /// What is to be given.
    Queue,
    /// What is there.
    Stock,
    /// What was given.
    Log,
}

impl Pane {
    /// The one after it, round and round.
    pub const fn next(self) -> Pane {
        match self {
            Pane::Queue => Pane::Stock,
            Pane::Stock => Pane::Log,
            Pane::Log => Pane::Queue,
        }
    }

    /// The one before it.
    pub const fn previous(self) -> Pane {
        self.next().next()
    }

    /// Its mode when the keys go to its list.
    pub const fn mode(self) -> Mode {
        match self {
            Pane::Queue => Mode::Queue,
            Pane::Stock => Mode::Stock,
            Pane::Log => Mode::Log,
        }
    }
}

/// Which screen there is.
#[derive(Debug, Clone)]
pub(super) enum Screen {
    FirstRun { database: String, people: bool },
    SignIn(SignIn),
    Desk(Box<Desk>),
}

/// Everything one session shows and has typed.
#[derive(Debug, Clone)]
pub struct Model {
    pub(super) screen: Screen,
    /// Who it is was found out elsewhere: there is no sign-in screen to go back to.
    pub(super) known: bool,
    /// The line under the sign-in's title.
    pub(super) note: String,
    /// The desk is locked: it goes on under this, unseen.
    pub(super) lock: Option<Lock>,
    /// When the last key was pressed (UTC), as far as somebody is signed in.
    pub(super) touched_at: Option<Timestamp>,
}

impl Model {
    /// The model a session begins with, and the first effects.
    pub fn new(start: Start) -> (Model, Vec<Effect>) {
        let (screen, known, note, effects) = match start {
            Start::FirstRun { database, people } => (
                Screen::FirstRun { database, people },
                true,
                String::new(),
                vec![],
            ),
            Start::SignIn { note } => (Screen::SignIn(SignIn::default()), false, note, vec![]),
            Start::Known {
                signed_in,
                ward,
                then,
            } => {
                let (desk, effects) = Desk::open(signed_in, ward);
                let known = then.is_none();
                let note = then.unwrap_or_default();
                (Screen::Desk(Box::new(desk)), known, note, effects)
            }
        };
        let model = Model {
            screen,
            known,
            note,
            lock: None,
            touched_at: None,
        };
        (model, effects)
    }

    /// What has the keys.
    pub fn mode(&self) -> Mode {
        if self.lock.is_some() {
            return Mode::Lock;
        }
        match &self.screen {
            Screen::FirstRun { .. } => Mode::FirstRun,
            Screen::SignIn(_) => Mode::SignIn,
            Screen::Desk(desk) => desk.mode(),
        }
    }

    /// Who is signed in and before the screen: nobody while it is locked, so that what comes then is told later.
    pub fn actor(&self) -> Option<&Actor> {
        match &self.screen {
            Screen::Desk(desk) if self.lock.is_none() => Some(&desk.actor),
            Screen::Desk(_) | Screen::FirstRun { .. } | Screen::SignIn(_) => None,
        }
    }

    /// Whether something is on the screen that any ward may change.
    pub fn follows_hospital(&self) -> bool {
        match &self.screen {
            Screen::Desk(desk) => desk.follows_hospital(),
            Screen::FirstRun { .. } | Screen::SignIn(_) => false,
        }
    }

    /// What an operation is about, in words, while its outcome is waited for.
    pub fn awaited(&self, op: OpId) -> Option<String> {
        match &self.screen {
            Screen::Desk(desk) => desk.awaited(op),
            Screen::FirstRun { .. } | Screen::SignIn(_) => None,
        }
    }

    /// When the screen next changes by itself: at the turn of a minute, when it goes stale, when a sign-in may be
    /// tried again. The session sends a [`Msg::Tick`] then.
    pub fn next_change(&self, context: &Context) -> Option<Timestamp> {
        match &self.screen {
            Screen::FirstRun { .. } => None,
            Screen::SignIn(sign_in) => sign_in.next_change(context.now),
            Screen::Desk(desk) => {
                let second = context.now.as_second();
                let minute = (second.div_euclid(60) + 1).saturating_mul(60);
                let minute = Timestamp::from_second(minute).ok();
                let stale = desk.goes_stale_at(context);
                let slow = desk.signature_is_slow_at();
                let pages = desk.pages_change_at();
                let idle = self.idle_change_at(context);
                minute
                    .into_iter()
                    .chain(stale)
                    .chain(slow)
                    .chain(pages)
                    .chain(idle)
                    .min()
            }
        }
    }
}
