//! One person at one terminal: the loop that joins interface, desk, feed and a terminal.
//!
//! It takes what there is (keys, answers, changes of the ward, the clock), gives it to the interface as messages,
//! carries out what the interface asks for in tasks of their own, and draws once when all that was waiting is
//! taken. A session that ends leaves nothing half done: only the desk writes, and what it was given it finishes.
//!
//! It never waits for its terminal. A frame is drawn when the terminal takes one, from what is so then; what was so in
//! between is never drawn. [`wire`] is a terminal at the end of any line that bytes go over.

mod files;
#[cfg(unix)]
pub mod local;
mod services;
mod signed;
pub mod station;
pub mod tally;
#[cfg(test)]
pub(crate) mod tests;
pub mod wire;

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use uuid::Uuid;

use crate::domain::{DrugId, OpId, Operation, Policy, UserId, WardId};
use crate::feed::{Turn, WardView};
use crate::terminal::input::Input;
use crate::terminal::{Profile, painter, scanner};
use crate::tui::{self, Context, Effect, FeedView, Look, Model, Msg, Place, Start, Theme, layout};

pub use services::Services;
use signed::Signed;
pub use station::Station;

/// Inputs that may wait: what a scanner or a pasted text sends at once; beyond that the terminal waits.
pub const INPUTS: usize = 1024;
/// Answers that may wait. A session asks for one or two things at a time.
const REPLIES: usize = 64;
/// Messages taken before a frame is drawn: whoever sends without end still gets frames.
const BATCH: usize = 256;
/// After a resize, another is waited for so long …
const SETTLES: Duration = Duration::from_millis(30);
/// … but altogether no longer than this, or a slow drag would show nothing.
const SETTLES_AT_LAST: Duration = Duration::from_millis(200);
/// Between two frames: thirty in a second are more than anybody reads.
const FRAME_EVERY: Duration = Duration::from_millis(33);
/// Changes anywhere in the hospital are told to a session this often at most: somewhere a dose is always being given.
const HOSPITAL_EVERY: Duration = Duration::from_secs(1);
/// A frame of more cells is not kept for the next one.
const SCRATCH: u32 = 200 * 100;

thread_local! {
    /// Where frames are drawn: sessions keep what their terminals show in a third of the room that this takes.
    static FRAME: RefCell<Buffer> = RefCell::new(Buffer::default());
}

/// The terminal's side of a session.
pub trait Terminal {
    /// Waits until it takes another frame. It may be asked again and again, and dropped at any time.
    ///
    /// # Errors
    /// The terminal is gone: the session ends.
    fn ready(&mut self) -> impl Future<Output = io::Result<()>> + Send;

    /// Shows a frame, with the cursor there or hidden; it does not wait. Says whether anything had to be written.
    ///
    /// # Errors
    /// The terminal is gone: the session ends.
    fn show(&mut self, frame: &Buffer, cursor: Option<Position>) -> io::Result<bool>;

    /// Lets the person go back to their shell for a while, where there is one.
    ///
    /// # Errors
    /// The terminal is gone: the session ends.
    fn suspend(&mut self) -> io::Result<()>;

    /// It is to be drawn on like this from now on.
    ///
    /// # Errors
    /// The terminal is gone: the session ends.
    fn change(&mut self, profile: Profile) -> io::Result<()>;

    /// The person is back after somebody else stopped and continued the program: the terminal is taken over again.
    ///
    /// # Errors
    /// The terminal is gone: the session ends.
    fn resume(&mut self) -> io::Result<()>;
}

/// What reaches a session from its terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A key, the mouse, a size.
    Input(Input),
    /// Somebody outside asks it to stop as Ctrl-Z does.
    Suspend,
    /// Somebody outside stopped the program and lets it go on.
    Resume,
    /// It is to end when the outcomes of what was signed are known and drawn. Nothing more is taken from the person.
    Finish,
    /// It is to end: the terminal closes, or the program does.
    End,
}

/// What a session is like.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How far ahead a dose counts as due.
    pub due_window: SignedDuration,
    /// From what age on a screen says that it is stale.
    pub stale_after: SignedDuration,
    /// Without a key for so long the screen is locked; `None`: never.
    pub lock_after: Option<SignedDuration>,
    /// Without a key for so long the session ends; `None`: never.
    pub ends_after: Option<SignedDuration>,
    /// How what a scanner types is known.
    pub scanner: scanner::Settings,
    /// This is a demonstration.
    pub demo: bool,
    /// What the hospital has set about the rules; the desk holds the same.
    pub policy: Arc<Policy>,
    /// Where pages are written to, where the files are the person's own: at a server they are not.
    pub files: Option<Arc<Path>>,
    /// At least so long between two frames; the first after a pause comes at once.
    pub frame_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            due_window: SignedDuration::from_mins(60),
            // Three heartbeats of the feed: one may be lost without anybody being alarmed.
            stale_after: SignedDuration::from_secs(15),
            lock_after: None,
            ends_after: None,
            scanner: scanner::Settings::default(),
            demo: false,
            policy: Arc::default(),
            files: None,
            frame_every: FRAME_EVERY,
        }
    }
}

/// A session.
#[derive(Debug)]
pub struct Session<T> {
    services: Services,
    settings: Settings,
    station: Station,
    place: Arc<Place>,
    theme: Theme,
    terminal: T,
    /// As the terminal says.
    own_size: (u16, u16),
    size: Size,
    model: Model,
    ward: Option<Watching>,
    /// Changes in any ward, for what shows them all.
    hospital: watch::Receiver<u64>,
    /// None of them is told before this.
    next_hospital: Instant,
    replies: (mpsc::Sender<tui::Reply>, mpsc::Receiver<tui::Reply>),
    behind: Behind,
    /// A moment has passed at which the screen changes by itself.
    ticking: bool,
    /// A sheet has opened that no frame shows yet: what is typed is meant for what was there before.
    typed_too_early: bool,
    /// No frame before this.
    next_frame: Instant,
    /// What this person signed and has not seen the outcome of.
    signed: Signed,
    /// When the first key came that no frame has answered.
    asked_at: Option<Instant>,
    /// Who is before it, as far as anybody looked after them.
    actor: Option<UserId>,
    /// It ends when there is nothing to wait for any more.
    finishing: bool,
    ended: bool,
}

#[derive(Debug)]
struct Watching {
    ward: WardId,
    view: watch::Receiver<WardView>,
    /// What the interface was last told.
    told: WardView,
}

/// What has happened since the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Behind {
    Nothing,
    /// The ward has changed or the clock has moved on: for every session that looks at it, at the same moment.
    News,
    /// Something that this person did or asked for.
    Asked,
}

/// What the loop woke up for.
enum Woken {
    Event(Option<Event>),
    Reply(Option<tui::Reply>),
    Ward,
    Hospital,
    Clock,
    /// The terminal takes a frame, and there is one to draw.
    Frame,
}

impl<T: Terminal> Session<T> {
    /// A session that begins with `start` on a terminal of that size.
    pub fn new(
        services: Services,
        settings: Settings,
        station: Station,
        terminal: T,
        size: (u16, u16),
        start: Start,
    ) -> Session<T> {
        let theme = station.profile().theme();
        let place = Arc::new(station.place());
        let (model, effects) = Model::new(start);
        let signed = services.signed();
        let area = drawn_on(size, &theme);
        let hospital = services.feed.hospital();
        let mut session = Session {
            services,
            settings,
            station,
            place,
            theme,
            terminal,
            own_size: size,
            size: area.as_size(),
            model,
            ward: None,
            hospital,
            next_hospital: Instant::now(),
            replies: mpsc::channel(REPLIES),
            behind: Behind::Asked,
            ticking: false,
            typed_too_early: false,
            next_frame: Instant::now(),
            signed,
            asked_at: None,
            actor: None,
            finishing: false,
            ended: false,
        };
        session.carry_out(effects);
        session.receive();
        session
    }

    /// Runs until the person leaves or the terminal closes.
    ///
    /// # Errors
    /// The terminal is gone.
    pub async fn run(&mut self, events: &mut mpsc::Receiver<Event>) -> io::Result<()> {
        while !self.ended {
            let (woken, turn) = self.wait(events).await?;
            let draw = matches!(woken, Woken::Frame);
            let mut resized = None;
            self.take(woken, &mut resized)?;
            self.take_waiting(events, &mut resized)?;
            if resized.is_some() {
                self.settle(events, &mut resized).await?;
            }
            if let Some((width, height)) = resized {
                self.own_size = (width, height);
                self.size = drawn_on(self.own_size, &self.theme).as_size();
                self.send(Msg::Tick);
            } else if draw {
                self.draw()?;
            }
            drop(turn);
            if self.finishing && self.signed.is_settled() && self.behind == Behind::Nothing {
                self.ended = true;
            }
        }
        Ok(())
    }

    /// The terminal, when the session is over.
    pub fn into_terminal(self) -> T {
        self.terminal
    }

    /// What there is to do, and, where many sessions have the same to draw at the same moment, the turn to do it: kept
    /// until the frame is drawn. What a key or an answer changes waits for nobody.
    async fn wait(
        &mut self,
        events: &mut mpsc::Receiver<Event>,
    ) -> io::Result<(Woken, Option<Turn>)> {
        let (behind, next_frame) = (self.behind, self.next_frame);
        // Whoever is behind takes everything new with the frame, and keeps its place among those who wait to draw.
        let idle = behind == Behind::Nothing;
        let context = self.context();
        let wake = self.model.next_change(&context).filter(|_| !self.ticking);
        let wake = wake.map(|at| {
            let left = at.duration_since(context.now);
            Instant::now() + Duration::try_from(left).unwrap_or(Duration::ZERO)
        });
        let clock = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let ward = async {
            match self.ward.as_mut().filter(|_| idle) {
                // A feed that is gone changes nothing any more; the screen goes stale by the clock.
                Some(watching) => {
                    if watching.view.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
                None => std::future::pending().await,
            }
        };
        let follows = idle && self.model.follows_hospital();
        let (hospital, next_hospital) = (&mut self.hospital, self.next_hospital);
        let hospital = async {
            if !follows {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep_until(next_hospital).await;
            if hospital.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let turn = self.services.feed.turn();
        let terminal = &mut self.terminal;
        let frame = async {
            // Also when there is nothing to draw: the last frame may be on its way.
            terminal.ready().await?;
            if idle {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep_until(next_frame).await;
            let turn = match behind {
                Behind::News => Some(turn.await),
                Behind::Asked | Behind::Nothing => None,
            };
            Ok::<_, io::Error>(turn)
        };
        Ok(tokio::select! {
            event = events.recv() => (Woken::Event(event), None),
            reply = self.replies.1.recv() => (Woken::Reply(reply), None),
            () = ward => (Woken::Ward, None),
            () = hospital => (Woken::Hospital, None),
            () = clock => (Woken::Clock, None),
            ready = frame => (Woken::Frame, ready?),
        })
    }

    fn take(&mut self, woken: Woken, resized: &mut Option<(u16, u16)>) -> io::Result<()> {
        match woken {
            // What is new is taken when it can be drawn: what was so in between costs nothing.
            Woken::Ward => self.behind = self.behind.max(Behind::News),
            Woken::Hospital => {
                self.next_hospital = Instant::now() + HOSPITAL_EVERY;
                self.behind = self.behind.max(Behind::News);
                self.update(Msg::Hospital);
            }
            Woken::Clock => {
                self.behind = self.behind.max(Behind::News);
                self.ticking = true;
            }
            Woken::Event(event) => {
                self.look_at_ward();
                return self.event(event.unwrap_or(Event::End), resized);
            }
            Woken::Reply(reply) => {
                self.look_at_ward();
                if let Some(reply) = reply {
                    self.send(Msg::Reply(reply));
                }
            }
            Woken::Frame => {
                self.look_at_ward();
                if std::mem::take(&mut self.ticking) {
                    self.send(Msg::Tick);
                }
            }
        }
        Ok(())
    }

    /// Takes what is waiting without waiting for more.
    fn take_waiting(
        &mut self,
        events: &mut mpsc::Receiver<Event>,
        resized: &mut Option<(u16, u16)>,
    ) -> io::Result<()> {
        for _ in 0..BATCH {
            if self.ended {
                break;
            }
            if let Ok(reply) = self.replies.1.try_recv() {
                self.send(Msg::Reply(reply));
            } else if let Ok(event) = events.try_recv() {
                self.event(event, resized)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn event(&mut self, event: Event, resized: &mut Option<(u16, u16)>) -> io::Result<()> {
        // A sheet that has just opened must not be given what was typed before it was seen.
        if (self.typed_too_early || self.finishing) && is_typed(&event) {
            return Ok(());
        }
        if is_typed(&event) {
            self.signed.typed();
            self.asked_at.get_or_insert_with(Instant::now);
        }
        match event {
            Event::Input(Input::Resize(width, height)) => *resized = Some((width, height)),
            Event::Input(Input::Key(key)) => self.send(Msg::Key(key)),
            Event::Input(Input::Paste(text)) => self.send(Msg::Paste(text)),
            Event::Input(Input::Scan { text, end }) => self.send(Msg::Scan { text, end }),
            Event::Input(Input::Mouse(mouse)) => self.send(Msg::Mouse(mouse)),
            Event::Suspend => self.suspend()?,
            Event::Resume => {
                self.behind = Behind::Asked;
                self.terminal.resume()?;
            }
            Event::Finish => {
                self.finishing = true;
                // One more frame: what has come so far is shown.
                self.behind = Behind::Asked;
            }
            Event::End => self.ended = true,
        }
        Ok(())
    }

    /// Waits until a storm of resizes is over; a hundred of them are one repaint.
    async fn settle(
        &mut self,
        events: &mut mpsc::Receiver<Event>,
        resized: &mut Option<(u16, u16)>,
    ) -> io::Result<()> {
        let last = Instant::now() + SETTLES_AT_LAST;
        while !self.ended {
            let until = last.min(Instant::now() + SETTLES);
            match tokio::time::timeout_at(until, events.recv()).await {
                Err(_) => return Ok(()),
                Ok(Some(Event::Input(Input::Resize(width, height)))) => {
                    *resized = Some((width, height));
                }
                Ok(event) => return self.event(event.unwrap_or(Event::End), resized),
            }
        }
        Ok(())
    }

    fn context(&self) -> Context {
        Context {
            now: (self.services.clock)(),
            size: self.size,
            fresh_op: OpId(Uuid::now_v7()),
            due_window: self.settings.due_window,
            stale_after: self.settings.stale_after,
            lock_after: self.settings.lock_after,
            ends_after: self.settings.ends_after,
            plain: self.theme.is_plain(),
            place: Arc::clone(&self.place),
            demo: self.settings.demo,
            policy: Arc::clone(&self.settings.policy),
            files: self.settings.files.clone(),
        }
    }

    /// Gives the interface a message of this person's.
    fn send(&mut self, msg: Msg) {
        if let Msg::Reply(tui::Reply::Outcome { op, .. }) = &msg {
            let before_it = self.model.actor().map(|actor| actor.id);
            self.signed.told(*op, before_it);
        }
        self.behind = Behind::Asked;
        self.update(msg);
    }

    fn update(&mut self, msg: Msg) {
        let context = self.context();
        let effects = tui::update(&mut self.model, msg, &context);
        self.carry_out(effects);
        self.receive();
    }

    /// Somebody who has just signed in is told what became of what they signed before and did not see.
    fn receive(&mut self) {
        let actor = self.model.actor().map(|actor| actor.id);
        if actor == self.actor {
            return;
        }
        self.actor = actor;
        if let Some(actor) = actor {
            let (session, answers) = (self.signed.session(), self.replies.0.clone());
            self.services.tell_missed(actor, session, answers);
        }
    }

    /// The feed confirms silently: how fresh the screen is is looked up before anything is decided by it.
    fn look_at_ward(&mut self) {
        let Some(watching) = &mut self.ward else {
            return;
        };
        let view = watching.view.borrow_and_update().clone();
        if same(&view, &watching.told) {
            return;
        }
        watching.told = view.clone();
        let msg = Msg::Feed(FeedView {
            ward: watching.ward,
            snapshot: view.snapshot,
            confirmed_at: view.confirmed_at,
            trouble: view.trouble,
            warning: view.warning,
        });
        self.behind = self.behind.max(Behind::News);
        self.update(msg);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Quit => self.ended = true,
                Effect::DrainInput => self.typed_too_early = true,
                Effect::Suspend => {
                    // A terminal that cannot be given back is gone: nothing more can be shown on it.
                    if self.suspend().is_err() {
                        self.ended = true;
                    }
                }
                Effect::Watch(ward) => {
                    let view = self.services.feed.watch(ward);
                    self.ward = Some(Watching {
                        ward,
                        view,
                        told: WardView::default(),
                    });
                    self.look_at_ward();
                    self.ask(Effect::Watch(ward));
                }
                Effect::Unwatch => self.ward = None,
                Effect::Save { name, text } => self.save(name, text),
                Effect::Submit { operation, drugs } => self.submit(*operation, drugs),
                Effect::Look(look) => self.look(look),
                Effect::KeepLook(look) => self.keep_look(look),
                asked => self.ask(asked),
            }
        }
    }

    /// The terminal is drawn on differently from now on.
    fn look(&mut self, look: Look) {
        self.station.choose(look);
        let profile = self.station.profile();
        self.theme = profile.theme();
        self.place = Arc::new(self.station.place());
        self.size = drawn_on(self.own_size, &self.theme).as_size();
        self.behind = Behind::Asked;
        // A terminal that takes nothing any more is gone.
        if self.terminal.change(profile).is_err() {
            self.ended = true;
        }
    }

    /// … and at the next sign-in from it.
    fn keep_look(&self, look: Look) {
        let (station, answers) = (self.station.clone(), self.replies.0.clone());
        tokio::task::spawn_blocking(move || {
            let kept = station.keep(look).map_err(|error| error.to_string());
            // The session may have ended meanwhile; it is kept all the same.
            let _ = answers.blocking_send(tui::Reply::LookKept(kept));
        });
    }

    fn submit(&mut self, operation: Operation, drugs: Vec<DrugId>) {
        let what = self.model.awaited(operation.id).unwrap_or_default();
        let answers = self.replies.0.clone();
        let progress = self.services.submit(&operation, drugs, answers);
        self.signed.sent(&operation, what, progress);
    }

    /// Writes a page to a file, in a thread of its own: a disk may be slow.
    fn save(&self, name: String, text: String) {
        let answers = self.replies.0.clone();
        let folder = self.settings.files.clone();
        tokio::spawn(async move {
            let saved = match folder {
                // The interface does not ask for it there; nor would it be done.
                None => Err("There are no files of yours here.".to_owned()),
                Some(folder) => {
                    let written = move || files::write_new(&folder, &name, &text);
                    let written = tokio::task::spawn_blocking(written).await;
                    written.unwrap_or_else(|_| Err("It could not be written.".to_owned()))
                }
            };
            let saved = saved.map(|path| path.display().to_string());
            // The session may have ended meanwhile; then nobody wants to know.
            let _ = answers.send(tui::Reply::Saved(saved)).await;
        });
    }

    fn ask(&self, effect: Effect) {
        let actor = self.model.actor().map(|actor| actor.id);
        self.services.ask(effect, actor, self.replies.0.clone());
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.behind = Behind::Asked;
        self.terminal.suspend()
    }

    fn draw(&mut self) -> io::Result<()> {
        if self.ended {
            return Ok(());
        }
        let area = Rect::from((Position::ORIGIN, self.size));
        let drew = if area.area() > SCRATCH {
            self.draw_on(&mut Buffer::empty(area))
        } else {
            FRAME.with_borrow_mut(|frame| {
                frame.resize(area);
                frame.reset();
                self.draw_on(frame)
            })
        }?;
        self.behind = Behind::Nothing;
        self.typed_too_early = false;
        self.signed.drawn();
        let asked_at = self.asked_at.take();
        if drew {
            let tally = &self.services.tally;
            tally.frames.fetch_add(1, Ordering::Relaxed);
            if let Some(at) = asked_at {
                tally.key_to_frame.took(at.elapsed());
            }
        }
        if drew {
            self.next_frame = Instant::now() + self.settings.frame_every;
        }
        Ok(())
    }

    fn draw_on(&mut self, frame: &mut Buffer) -> io::Result<bool> {
        let cursor = tui::draw(&self.model, &self.theme, &self.context(), frame.area, frame);
        self.terminal.show(frame, cursor)
    }
}

/// What is drawn on, for a terminal of that size.
fn drawn_on((width, height): (u16, u16), theme: &Theme) -> Rect {
    if theme.is_plain() {
        return Rect::new(0, 0, layout::SPOKEN.0, layout::SPOKEN.1);
    }
    painter::area(width, height)
}

/// Whether two views say the same. Snapshots are told apart by where they are: one that was read anew is another.
fn same(a: &WardView, b: &WardView) -> bool {
    let snapshots = match (&a.snapshot, &b.snapshot) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    };
    snapshots
        && a.confirmed_at == b.confirmed_at
        && a.trouble == b.trouble
        && a.warning == b.warning
}

/// Whether a person or a scanner typed it.
fn is_typed(event: &Event) -> bool {
    matches!(
        event,
        Event::Input(Input::Key(_) | Input::Paste(_) | Input::Scan { .. } | Input::Mouse(_))
    )
}
