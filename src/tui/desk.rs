//! The ward's desk: three panes, perhaps pages over them and a sheet over all, and who looks at which ward.

mod cupboard;
mod pages;
mod records;
mod rounds;
mod scans;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use super::clock;
use super::key::{Key, Mouse, MouseDid};
use super::keymap::{Action, Mode};
use super::layout;
use super::list::{self, Move};
use super::model::{Context, Effect, FeedView, Pane, Reply, SignedIn};
use super::pages::cupboard::Ask;
use super::pages::{Msg as PageMsg, Page, back_entry, board, effects};
use super::panes::{log, queue, stock};
use super::sheets::cupboard::Kind;
use super::sheets::{
    self, Sheet, Then, correct, discontinue, fulfil, help, missed, not_given, palette, receive,
    reports, terminal, wards,
};
use super::words;
use crate::domain::snapshot::{Ward, WardSnapshot};
use crate::domain::{Actor, OpId, Outcome, WardId};

/// How a note on the bottom line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Plain,
    Wrong,
}

/// A message on the bottom line, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub text: String,
    pub tone: Tone,
}

/// How fresh the screen is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Nothing was read yet.
    Reading,
    /// Confirmed just now.
    Live,
    /// Not confirmed for so long, and why, where that is known.
    Stale { age: String, why: Option<String> },
}

/// The desk's state.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    pub actor: Actor,
    pub wards: Vec<Ward>,
    pub ward: Option<Ward>,
    pub feed: Option<FeedView>,
    pub focus: Pane,
    pub queue: queue::State,
    pub stock: stock::State,
    pub log: log::State,
    pub sheet: Option<Sheet>,
    /// Pages over the panes; the last is on top.
    pages: Vec<Page>,
    pub note: Option<Note>,
    /// The person signed out: the root goes back to the sign-in.
    pub signed_out: bool,
    /// The screen is to be locked by the root; for somebody else, or for the same person.
    pub lock_wanted: Option<bool>,
    /// What was scanned on the panes and is being looked up.
    looking: Option<scans::Looking>,
    /// Signatures whose sheet was closed before the outcome was known.
    untold: Vec<(OpId, String)>,
}

impl Desk {
    /// The desk of a person: on the given ward, their only one, or with the list of wards open.
    pub(super) fn open(signed_in: SignedIn, ward: Option<WardId>) -> (Desk, Vec<Effect>) {
        let SignedIn { actor, wards } = signed_in;
        let mut own = wards.iter().filter(|w| actor.wards.allow(w.id));
        let only = match (own.next(), own.next()) {
            (Some(first), None) => Some(first.id),
            _ => None,
        };
        let mut desk = Desk {
            actor,
            wards,
            ward: None,
            feed: None,
            focus: Pane::Queue,
            queue: queue::State::default(),
            stock: stock::State::default(),
            log: log::State::default(),
            sheet: None,
            pages: Vec::new(),
            note: None,
            signed_out: false,
            lock_wanted: None,
            looking: None,
            untold: Vec::new(),
        };
        let effects = match ward.or(only) {
            Some(ward) => desk.go_to(ward),
            None => desk.choose_ward(),
        };
        (desk, effects)
    }

    /// What has the keys.
    pub(super) fn mode(&self) -> Mode {
        match &self.sheet {
            Some(sheet) => sheet.mode(),
            None if let Some(mode) = self.page_mode() => mode,
            None if self.filtering() => Mode::Filter,
            None => self.focus.mode(),
        }
    }

    fn filtering(&self) -> bool {
        match self.focus {
            Pane::Queue => self.queue.list.filtering,
            Pane::Stock => self.stock.list.filtering,
            Pane::Log => self.log.list.filtering,
        }
    }

    /// The zone of the ward's clocks.
    pub(super) fn zone(&self) -> TimeZone {
        self.ward.as_ref().map_or(TimeZone::UTC, Ward::zone)
    }

    fn snapshot(&self) -> Option<&Arc<WardSnapshot>> {
        self.feed.as_ref()?.snapshot.as_ref()
    }

    pub(super) fn scene<'a>(&'a self, context: &'a Context) -> sheets::Scene<'a> {
        sheets::Scene {
            context,
            actor: &self.actor,
            ward: self.ward.as_ref(),
            zone: self.zone(),
            snapshot: self.snapshot().map(Arc::as_ref),
        }
    }

    /// How fresh what is shown is.
    pub(super) fn freshness(&self, context: &Context) -> Freshness {
        let Some(feed) = &self.feed else {
            return Freshness::Reading;
        };
        let Some(at) = feed.confirmed_at.filter(|_| feed.snapshot.is_some()) else {
            return match &feed.trouble {
                Some(why) => Freshness::Stale {
                    age: String::new(),
                    why: Some(why.clone()),
                },
                None => Freshness::Reading,
            };
        };
        let age = context.now.duration_since(at);
        if age < context.stale_after {
            return Freshness::Live;
        }
        let age = match age.as_secs() {
            seconds if seconds < 60 => format!("{seconds} s"),
            seconds => clock::span(seconds / 60),
        };
        Freshness::Stale {
            age,
            why: feed.trouble.clone(),
        }
    }

    /// When the screen turns stale, or, while it is and the age is counted in seconds, when that changes.
    pub(super) fn goes_stale_at(&self, context: &Context) -> Option<Timestamp> {
        let at = self.feed.as_ref()?.confirmed_at?;
        let turns = at.checked_add(context.stale_after).ok()?;
        if turns > context.now {
            return Some(turns);
        }
        let age = context.now.duration_since(at).as_secs();
        // Every five seconds is often enough for a number that says "do not trust this".
        (age < 60).then(|| Timestamp::from_second(context.now.as_second() + 5).ok())?
    }

    /// When the open sheet's signature has been on its way for too long to say nothing.
    pub(super) fn signature_is_slow_at(&self) -> Option<Timestamp> {
        self.sheet.as_ref()?.slow_at()
    }

    /// The clock moved on.
    pub(super) fn tick(&mut self, context: &Context) -> Vec<Effect> {
        self.refresh(context);
        if let Some(sheet) = &mut self.sheet {
            sheet.tick(context.now);
        }
        self.tell_pages(&PageMsg::Tick, context)
    }

    /// Makes the panes' rows anew.
    pub(super) fn refresh(&mut self, context: &Context) {
        let snapshot = self.snapshot().cloned();
        self.keep_marks(snapshot.as_ref());
        self.queue.refresh(snapshot.as_ref(), context);
        self.stock.refresh(snapshot.as_ref(), context);
        self.log.refresh(snapshot.as_ref(), context);
    }

    /// Says something on the bottom line that went neither well nor wrong.
    pub(super) fn tell_plainly(&mut self, text: &str) {
        self.say(Tone::Plain, text);
    }

    fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.note = Some(Note {
            text: text.into(),
            tone,
        });
    }

    /// Takes what the feed says; of another ward than the one shown, nothing.
    pub(super) fn fed(&mut self, view: FeedView, context: &Context) -> Vec<Effect> {
        if self.ward.as_ref().map(|w| w.id) != Some(view.ward) {
            return Vec::new();
        }
        let same = match (self.snapshot(), &view.snapshot) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (None, None) => true,
            _ => false,
        };
        if let Some(snapshot) = &view.snapshot {
            self.ward = Some(snapshot.ward.clone());
        }
        self.feed = Some(view);
        if same {
            return Vec::new();
        }
        self.refresh(context);
        let mut effects = self.stirred(false, context);
        effects.extend(self.tell_sheet(&sheets::Msg::Ward, context));
        effects
    }

    /// Takes an answer.
    pub(super) fn replied(&mut self, reply: &Reply, context: &Context) -> Vec<Effect> {
        if let Some(effects) = self.scan_answered(reply, context) {
            return effects;
        }
        match reply {
            Reply::Wards(Ok(wards)) => self.wards.clone_from(wards),
            Reply::Wards(Err(why)) => {
                self.say(Tone::Wrong, format!("The wards cannot be read: {why}"));
            }
            Reply::Outcome { op, outcome } => {
                self.let_in(*op, outcome);
                self.tell(*op, outcome, context);
                let told = self.tell_pages(&PageMsg::Outcome(*op, outcome), context);
                debug_assert!(told.is_empty(), "an outcome asks for nothing");
            }
            Reply::Page(answer) => return self.page_answered(answer, context),
            Reply::Saved(saved) => {
                if let Ok(path) = saved {
                    self.say(
                        Tone::Good,
                        format!("Written to {path}: only you can read it."),
                    );
                }
                return self.tell_pages(&PageMsg::Saved(saved), context);
            }
            Reply::Missed(missed) if !missed.is_empty() => {
                let missed = missed::Missed::open(missed.clone(), self.sheet.take());
                self.sheet = Some(Sheet::Missed(Box::new(missed)));
                // What is typed now was not meant for it.
                return vec![Effect::DrainInput];
            }
            Reply::Disabled(_)
            | Reply::LookKept(_)
            | Reply::Missed(_)
            | Reply::SignIn(_)
            | Reply::Witness { .. }
            | Reply::Detail { .. }
            | Reply::Patient { .. }
            | Reply::Code { .. }
            | Reply::Drugs { .. }
            | Reply::Checking(_) => {}
        }
        self.tell_sheet(&sheets::Msg::Reply(reply), context)
    }

    /// Tells the outcome of a signature whose sheet is closed.
    fn tell(&mut self, op: OpId, outcome: &Outcome, context: &Context) {
        let Some(at) = self.untold.iter().position(|(id, _)| *id == op) else {
            return;
        };
        let (_, what) = self.untold.swap_remove(at);
        let tone = match outcome {
            Outcome::Done(_) => Tone::Good,
            Outcome::Refused(_) | Outcome::Unknown { .. } => Tone::Wrong,
        };
        let text = words::outcome(&what, outcome, context.now, &self.zone());
        self.say(tone, text);
    }

    /// What an operation is about, in words: of one that the open sheet, or one that was closed, waits for.
    pub(super) fn awaited(&self, op: OpId) -> Option<String> {
        let open = self.sheet.iter().flat_map(Sheet::awaits);
        let mut all = self.untold.iter().cloned().chain(open);
        all.find(|(id, _)| *id == op).map(|(_, what)| what)
    }

    fn tell_sheet(&mut self, msg: &sheets::Msg<'_>, context: &Context) -> Vec<Effect> {
        let Some(mut sheet) = self.sheet.take() else {
            return Vec::new();
        };
        let (mut effects, then) = sheet.update(msg, &self.scene(context));
        match then {
            Then::Stay => self.sheet = Some(sheet),
            Then::Close => {
                self.untold.extend(sheet.awaits());
                if let Sheet::Round(round) = &sheet {
                    self.queue.marks.take_away(&round.accounted_for());
                }
                if let Sheet::Missed(missed) = sheet {
                    self.sheet = missed.under();
                }
            }
            Then::Ward(ward) => effects.extend(self.go_to(ward)),
            Then::Report(kind) => effects.extend(self.open_report(kind, context)),
            Then::Act(mode, action) => {
                if self.page_mode() != Some(mode) {
                    self.pages.clear();
                    self.focus = match mode {
                        Mode::Stock => Pane::Stock,
                        Mode::Log => Pane::Log,
                        _ => Pane::Queue,
                    };
                }
                effects.extend(self.act(action, context));
            }
        }
        effects
    }

    /// Takes an action.
    pub(super) fn act(&mut self, action: Action, context: &Context) -> Vec<Effect> {
        self.note = None;
        if let Action::Lock | Action::OtherPerson = action {
            self.lock_wanted = Some(action == Action::OtherPerson);
            return Vec::new();
        }
        if self.sheet.is_some() {
            return match action {
                Action::Leave => vec![Effect::Quit],
                _ => self.tell_sheet(&sheets::Msg::Act(action), context),
            };
        }
        match action {
            Action::Help => {
                self.sheet = Some(Sheet::Help(help::Help::open(self.mode())));
                return Vec::new();
            }
            Action::Palette => {
                let palette = palette::Palette::open(self.page_mode(), self.focus);
                self.sheet = Some(Sheet::Palette(Box::new(palette)));
                return Vec::new();
            }
            Action::Terminal => {
                let sheet = terminal::TerminalSheet::open(context.place.as_ref().clone());
                self.sheet = Some(Sheet::Terminal(Box::new(sheet)));
                return Vec::new();
            }
            Action::Leave => return vec![Effect::Quit],
            Action::Emergency => return self.open_emergency(context),
            Action::Suspend => return vec![Effect::Suspend],
            Action::Board => {
                let (page, effects) = board::BoardPage::open(context.now);
                self.open_page(Page::Board(Box::new(page)));
                return effects;
            }
            Action::Reports => {
                let sheet = reports::Reports::open(self.actor.role);
                self.sheet = Some(Sheet::Reports(Box::new(sheet)));
                return Vec::new();
            }
            Action::Effects => {
                let Some(ward) = &self.ward else {
                    return Vec::new();
                };
                let (page, effects) = effects::EffectsPage::open(ward, context.now);
                self.open_page(Page::Effects(Box::new(page)));
                return effects;
            }
            Action::BackEntry => {
                let Some(ward) = &self.ward else {
                    return Vec::new();
                };
                let (page, effects) = back_entry::BackEntryPage::open(ward, context);
                self.open_page(Page::BackEntry(Box::new(page)));
                return effects;
            }
            Action::Discrepancies if self.pages.is_empty() => {
                return self.open_shelf(Ask::Discrepancies, "", context);
            }
            _ if !self.pages.is_empty() => return self.tell_page(&PageMsg::Act(action), context),
            Action::Record
            | Action::Prescribe
            | Action::EndPrescription
            | Action::MyOrders
            | Action::Patients => return self.act_on_records(action, context),
            Action::Open if !self.queue.marks.is_empty() => return self.open_round(),
            Action::Open => return self.open_fulfil(),
            Action::Mark | Action::MarkDue => self.mark(action, context),
            Action::NotGiven => self.open_not_given(context),
            Action::Correct => self.open_correct(context),
            Action::Discontinue => self.open_discontinue(),
            Action::Receive => self.open_receive(),
            Action::Send => self.open_cupboard(Kind::Send, context),
            Action::TakeOut => self.open_cupboard(Kind::TakeOut, context),
            Action::Transfers => return self.open_of_ward(Ask::Transfers, context),
            Action::Lots => return self.open_of_ward(Ask::Lots, context),
            Action::Count => return self.open_of_ward(Ask::ToCount, context),
            Action::Replenish => return self.open_of_ward(Ask::Refills, context),
            Action::LowStock => return self.open_of_ward(Ask::Low, context),
            Action::Levels => return self.open_of_ward(Ask::Levels, context),
            Action::Register => return self.open_register(context),
            Action::Elsewhere => return self.open_elsewhere(context),
            Action::Filter => self.tell_list(&list::Msg::OpenFilter, context),
            Action::KeepFilter => self.tell_list(&list::Msg::KeepFilter, context),
            Action::ClearFilter if self.only_marked() => {
                self.queue.marks.clear();
                self.say(Tone::Plain, "No dose is marked any more.");
            }
            Action::ClearFilter => self.tell_list(&list::Msg::ClearFilter, context),
            Action::Up => self.tell_list(&list::Msg::Move(Move::Up), context),
            Action::Down => self.tell_list(&list::Msg::Move(Move::Down), context),
            Action::PageUp => self.tell_list(&list::Msg::Move(Move::PageUp), context),
            Action::PageDown => self.tell_list(&list::Msg::Move(Move::PageDown), context),
            Action::First => self.tell_list(&list::Msg::Move(Move::First), context),
            Action::Last => self.tell_list(&list::Msg::Move(Move::Last), context),
            Action::NextPane => self.focus_on(self.focus.next(), context),
            Action::PreviousPane => self.focus_on(self.focus.previous(), context),
            Action::ChangeWard => return self.choose_ward(),
            Action::SignOut => self.signed_out = true,
            Action::Dismiss
            | Action::More
            | Action::DayBack
            | Action::DayForward
            | Action::Today
            | Action::Admit
            | Action::MovePatient
            | Action::Discharge
            | Action::Allergies
            | Action::SignIn
            | Action::Check
            | Action::Later
            | Action::Sign
            | Action::Close
            | Action::NextField
            | Action::NextChoice
            | Action::PreviousChoice
            | Action::Keep
            | Action::PreviousField
            | Action::Choose
            | Action::Discrepancies
            | Action::Print
            | Action::Recall
            | Action::SendAll
            | Action::Lock
            | Action::OtherPerson => {}
        }
        Vec::new()
    }

    fn focus_on(&mut self, pane: Pane, context: &Context) {
        self.tell_list(&list::Msg::KeepFilter, context);
        self.focus = pane;
    }

    /// Why this person will not be let do such an operation here, as the desk's own table of roles has it.
    fn barred(&self, kind: &str) -> Option<String> {
        super::pages::barred(&self.actor, kind, self.ward.as_ref()?)
    }

    fn open_fulfil(&mut self) -> Vec<Effect> {
        let Some(order) = self.queue.selected() else {
            self.say(Tone::Plain, "There is no dose to open.");
            return Vec::new();
        };
        let (sheet, effects) = fulfil::Fulfil::open(
            order,
            self.barred("fulfil")
                .map(|why| format!("You may look. {why}")),
        );
        self.sheet = Some(Sheet::Fulfil(Box::new(sheet)));
        effects
    }

    fn open_not_given(&mut self, context: &Context) {
        if let Some(why) = self.barred("not_given") {
            return self.say(Tone::Plain, why);
        }
        match self.queue.selected() {
            Some(order) => {
                let sheet = not_given::NotGivenSheet::open(order, &context.policy);
                self.sheet = Some(Sheet::NotGiven(Box::new(sheet)));
            }
            None => self.say(Tone::Plain, "There is no dose to account for."),
        }
    }

    fn open_correct(&mut self, context: &Context) {
        if let Some(why) = self.barred("correct") {
            return self.say(Tone::Plain, why);
        }
        match self.log.selected() {
            Some(entry) if entry.is_reversal || entry.reversed => {
                self.say(Tone::Plain, "This entry was taken back already.");
            }
            Some(entry) => {
                let sheet = correct::CorrectSheet::open(entry, &context.policy);
                self.sheet = Some(Sheet::Correct(Box::new(sheet)));
            }
            None => self.say(Tone::Plain, "There is no entry to correct."),
        }
    }

    fn open_discontinue(&mut self) {
        if let Some(why) = self.barred("discontinue") {
            return self.say(Tone::Plain, why);
        }
        match self.queue.selected() {
            Some(order) => {
                let sheet = discontinue::Discontinue::open(order);
                self.sheet = Some(Sheet::Discontinue(Box::new(sheet)));
            }
            None => self.say(Tone::Plain, "There is no dose to stop."),
        }
    }

    fn open_receive(&mut self) {
        if let Some(why) = self.barred("receive") {
            return self.say(Tone::Plain, why);
        }
        match (self.stock.selected(), &self.ward) {
            (Some(level), Some(ward)) => {
                let sheet = receive::Receive::open(&level.drug, ward);
                self.sheet = Some(Sheet::Receive(Box::new(sheet)));
            }
            _ => self.say(Tone::Plain, "There is no drug to receive here."),
        }
    }

    fn choose_ward(&mut self) -> Vec<Effect> {
        let now = self.ward.as_ref().map(|w| w.id);
        let sheet = wards::Wards::open(&self.wards, &self.actor, now);
        self.sheet = Some(Sheet::Wards(Box::new(sheet)));
        vec![Effect::LoadWards]
    }

    fn go_to(&mut self, id: WardId) -> Vec<Effect> {
        if self.ward.as_ref().map(|w| w.id) == Some(id) {
            return Vec::new();
        }
        self.ward = self.wards.iter().find(|w| w.id == id).cloned();
        if self.ward.is_none() {
            return self.choose_ward();
        }
        self.feed = None;
        // What lies over the panes was about the other ward.
        self.pages.clear();
        self.focus = Pane::Queue;
        self.queue = queue::State::default();
        self.stock = stock::State::default();
        self.log = log::State::default();
        vec![Effect::Watch(id)]
    }

    /// Lines of the focused pane's list, and of one thing in it.
    fn page(&self, context: &Context) -> (u16, u16) {
        let area = Rect::new(0, 0, context.size.width, context.size.height);
        let Some(parts) = layout::parts(area, self.banner(context)) else {
            return (1, 1);
        };
        let place = layout::panes(parts.body, self.focus, context.plain)
            .into_iter()
            .find(|(pane, _)| *pane == self.focus)
            .map_or(parts.body, |(pane, place)| layout::list_area(pane, place));
        (place.height, layout::lines_each(context.size.width))
    }

    /// Whether the line below the header is there.
    pub(super) fn banner(&self, context: &Context) -> bool {
        matches!(self.freshness(context), Freshness::Stale { .. }) || self.warning().is_some()
    }

    /// What is wrong although the ward is read.
    pub(super) fn warning(&self) -> Option<&str> {
        self.feed.as_ref()?.warning.as_deref()
    }

    fn tell_list(&mut self, msg: &list::Msg, context: &Context) {
        let (lines, each) = self.page(context);
        let changed = match self.focus {
            Pane::Queue => self.queue.list.update(msg, lines, each),
            Pane::Stock => self.stock.list.update(msg, lines, each),
            Pane::Log => self.log.list.update(msg, lines, each),
        };
        if changed {
            self.refresh(context);
        }
    }

    /// A key that is not bound: it may type.
    pub(super) fn key(&mut self, key: Key, context: &Context) -> Vec<Effect> {
        self.note = None;
        if self.sheet.is_some() {
            return self.tell_sheet(&sheets::Msg::Key(key), context);
        }
        if !self.pages.is_empty() {
            return self.tell_page(&PageMsg::Key(key), context);
        }
        if self.filtering() {
            self.tell_list(&list::Msg::FilterKey(key), context);
        }
        Vec::new()
    }

    /// Text that came at once. On the panes it is a scan: a scanned code is not a command.
    pub(super) fn paste(&mut self, text: &str, context: &Context) -> Vec<Effect> {
        if self.sheet.is_some() {
            return self.tell_sheet(&sheets::Msg::Paste(text), context);
        }
        if !self.pages.is_empty() {
            return self.tell_page(&PageMsg::Paste(text), context);
        }
        if self.filtering() {
            self.tell_list(&list::Msg::FilterPaste(text.to_owned()), context);
            return Vec::new();
        }
        let line = text.trim_start_matches(['\r', '\n']);
        let line = line.split(['\r', '\n']).next().unwrap_or_default();
        if line.trim().is_empty() {
            return Vec::new();
        }
        self.scanned(line, context)
    }

    /// The mouse: a press selects and takes the focus, the wheel moves.
    pub(super) fn mouse(&mut self, mouse: Mouse, context: &Context) -> Vec<Effect> {
        let wheel = match mouse.did {
            MouseDid::WheelUp => Some(Action::Up),
            MouseDid::WheelDown => Some(Action::Down),
            MouseDid::Press => None,
        };
        if self.sheet.is_some() {
            return match wheel {
                Some(action) => self.tell_sheet(&sheets::Msg::Act(action), context),
                None => Vec::new(),
            };
        }
        let area = Rect::new(0, 0, context.size.width, context.size.height);
        let Some(parts) = layout::parts(area, self.banner(context)) else {
            return Vec::new();
        };
        if !self.pages.is_empty() {
            let line = mouse.y.checked_sub(parts.body.y);
            let msg = match (wheel, line) {
                (Some(action), _) => PageMsg::Act(action),
                (None, Some(line)) => PageMsg::Click(line, mouse.x),
                (None, None) => return Vec::new(),
            };
            return self.tell_page(&msg, context);
        }
        let under = layout::panes(parts.body, self.focus, context.plain)
            .into_iter()
            .find(|(_, place)| place.contains((mouse.x, mouse.y).into()));
        let Some((pane, place)) = under else {
            return Vec::new();
        };
        if pane != self.focus {
            self.focus_on(pane, context);
            // Under the pointer stands something else now: the press has chosen the pane and nothing in it.
            return Vec::new();
        }
        match wheel {
            Some(Action::Up) => self.tell_list(&list::Msg::Move(Move::Up), context),
            Some(_) => self.tell_list(&list::Msg::Move(Move::Down), context),
            None => {
                let list = layout::list_area(pane, place);
                if mouse.y >= list.y && mouse.y < list.y + list.height {
                    self.tell_list(&list::Msg::Click(mouse.y - list.y), context);
                }
            }
        }
        Vec::new()
    }
}
