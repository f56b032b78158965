//! One person at one terminal: the loop that joins interface, desk, feed and a terminal.
//!
//! It takes what there is (keys, answers, changes of the ward, the clock), gives it to the interface as messages,
//! carries out what the interface asks for in tasks of their own, and draws once when all that was waiting is
//! taken. A session that ends leaves nothing half done: only the desk writes, and what it was given it finishes.

#[cfg(unix)]
pub mod local;
mod services;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Size};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use uuid::Uuid;

use crate::domain::{OpId, WardId};
use crate::feed::{Turn, WardView};
use crate::terminal::input::Input;
use crate::terminal::painter;
use crate::tui::{self, Context, Effect, FeedView, Model, Msg, Start, Theme};

pub use services::Services;

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

/// The terminal's side of a session.
pub trait Terminal {
    /// Shows a frame, with the cursor there or hidden.
    ///
    /// # Errors
    /// The terminal is gone: the session ends.
    fn show(&mut self, frame: &Buffer, cursor: Option<Position>) -> io::Result<()>;

    /// Lets the person go back to their shell for a while, where there is one.
    ///
    /// # Errors
    /// The terminal is gone: the session ends.
    fn suspend(&mut self) -> io::Result<()>;

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
    /// This is a demonstration.
    pub demo: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            due_window: SignedDuration::from_mins(60),
            // Three heartbeats of the feed: one may be lost without anybody being alarmed.
            stale_after: SignedDuration::from_secs(15),
            demo: false,
        }
    }
}

/// A session.
#[derive(Debug)]
pub struct Session<T> {
    services: Services,
    settings: Settings,
    theme: Theme,
    terminal: T,
    size: Size,
    model: Model,
    ward: Option<Watching>,
    replies: (mpsc::Sender<tui::Reply>, mpsc::Receiver<tui::Reply>),
    shown: Option<(Buffer, Option<Position>)>,
    ended: bool,
}

#[derive(Debug)]
struct Watching {
    ward: WardId,
    view: watch::Receiver<WardView>,
    /// What the interface was last told.
    told: WardView,
}

/// What the loop woke up for.
enum Woken {
    Event(Option<Event>),
    Reply(Option<tui::Reply>),
    Ward,
    Clock,
}

impl<T: Terminal> Session<T> {
    /// A session that begins with `start` on a terminal of that size.
    pub fn new(
        services: Services,
        settings: Settings,
        theme: Theme,
        terminal: T,
        size: (u16, u16),
        start: Start,
    ) -> Session<T> {
        let (model, effects) = Model::new(start);
        let area = painter::area(size.0, size.1);
        let mut session = Session {
            services,
            settings,
            theme,
            terminal,
            size: area.as_size(),
            model,
            ward: None,
            replies: mpsc::channel(REPLIES),
            shown: None,
            ended: false,
        };
        session.carry_out(effects);
        session
    }

    /// Runs until the person leaves or the terminal closes.
    ///
    /// # Errors
    /// The terminal is gone.
    pub async fn run(&mut self, events: &mut mpsc::Receiver<Event>) -> io::Result<()> {
        self.draw()?;
        while !self.ended {
            let (woken, mut turn) = self.wait(events).await;
            let mut drain = false;
            let mut resized = None;
            self.take(woken, &mut resized, &mut drain)?;
            self.take_waiting(events, &mut resized, &mut drain)?;
            if resized.is_some() {
                turn = None;
                self.settle(events, &mut resized, &mut drain).await?;
            }
            if let Some((width, height)) = resized {
                self.size = painter::area(width, height).as_size();
                self.send(Msg::Tick);
            }
            if drain {
                // What came before the frame is there was typed at what was there before it.
                self.forget_keys(events)?;
            }
            self.draw()?;
            drop(turn);
        }
        Ok(())
    }

    /// What there is to do, and, where many sessions have the same at the same moment, the turn to do it: kept until
    /// the frame is drawn. A key waits for nobody.
    async fn wait(&mut self, events: &mut mpsc::Receiver<Event>) -> (Woken, Option<Turn>) {
        let context = self.context();
        let wake = self.model.next_change(&context).map(|at| {
            let left = at.duration_since(context.now);
            Instant::now() + Duration::try_from(left).unwrap_or(Duration::ZERO)
        });
        let (now_the_ward, now_the_clock) = (self.services.feed.turn(), self.services.feed.turn());
        let clock = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
            now_the_clock.await
        };
        let ward = async {
            match &mut self.ward {
                // A feed that is gone changes nothing any more; the screen goes stale by the clock.
                Some(watching) => {
                    if watching.view.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
                None => std::future::pending().await,
            }
            // Whatever else comes before its turn takes the new snapshot with it.
            now_the_ward.await
        };
        tokio::select! {
            event = events.recv() => (Woken::Event(event), None),
            reply = self.replies.1.recv() => (Woken::Reply(reply), None),
            turn = ward => (Woken::Ward, Some(turn)),
            turn = clock => (Woken::Clock, Some(turn)),
        }
    }

    fn take(
        &mut self,
        woken: Woken,
        resized: &mut Option<(u16, u16)>,
        drain: &mut bool,
    ) -> io::Result<()> {
        // The feed confirms silently: how fresh the screen is is looked up before anything is decided by it.
        self.look_at_ward();
        match woken {
            Woken::Event(event) => self.event(event.unwrap_or(Event::End), resized, drain),
            Woken::Reply(Some(reply)) => {
                *drain |= self.send(Msg::Reply(reply));
                Ok(())
            }
            Woken::Clock => {
                self.send(Msg::Tick);
                Ok(())
            }
            Woken::Ward | Woken::Reply(None) => Ok(()),
        }
    }

    /// Takes what is waiting without waiting for more.
    fn take_waiting(
        &mut self,
        events: &mut mpsc::Receiver<Event>,
        resized: &mut Option<(u16, u16)>,
        drain: &mut bool,
    ) -> io::Result<()> {
        for _ in 0..BATCH {
            if self.ended {
                break;
            }
            if let Ok(reply) = self.replies.1.try_recv() {
                *drain |= self.send(Msg::Reply(reply));
            } else if let Ok(event) = events.try_recv() {
                // A sheet that has just opened must not be given what was typed before it was seen.
                if *drain && is_typed(&event) {
                    continue;
                }
                self.event(event, resized, drain)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn event(
        &mut self,
        event: Event,
        resized: &mut Option<(u16, u16)>,
        drain: &mut bool,
    ) -> io::Result<()> {
        match event {
            Event::Input(Input::Resize(width, height)) => *resized = Some((width, height)),
            Event::Input(Input::Key(key)) => *drain |= self.send(Msg::Key(key)),
            Event::Input(Input::Paste(text)) => *drain |= self.send(Msg::Paste(text)),
            Event::Input(Input::Mouse(mouse)) => *drain |= self.send(Msg::Mouse(mouse)),
            Event::Suspend => self.suspend()?,
            Event::Resume => {
                self.shown = None;
                self.terminal.resume()?;
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
        drain: &mut bool,
    ) -> io::Result<()> {
        let last = Instant::now() + SETTLES_AT_LAST;
        while !self.ended {
            let until = last.min(Instant::now() + SETTLES);
            match tokio::time::timeout_at(until, events.recv()).await {
                Err(_) => return Ok(()),
                Ok(Some(Event::Input(Input::Resize(width, height)))) => {
                    *resized = Some((width, height));
                }
                Ok(event) => return self.event(event.unwrap_or(Event::End), resized, drain),
            }
        }
        Ok(())
    }

    fn forget_keys(&mut self, events: &mut mpsc::Receiver<Event>) -> io::Result<()> {
        let mut resized = None;
        for _ in 0..BATCH {
            match events.try_recv() {
                Ok(event) if is_typed(&event) => {}
                Ok(event) => self.event(event, &mut resized, &mut false)?,
                Err(_) => break,
            }
        }
        if let Some((width, height)) = resized {
            self.size = painter::area(width, height).as_size();
            self.send(Msg::Tick);
            self.draw()?;
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
            demo: self.settings.demo,
        }
    }

    /// Gives the interface a message; says whether keys typed ahead are to be forgotten.
    fn send(&mut self, msg: Msg) -> bool {
        let context = self.context();
        let effects = tui::update(&mut self.model, msg, &context);
        self.carry_out(effects)
    }

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
        self.send(msg);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> bool {
        let mut drain = false;
        for effect in effects {
            match effect {
                Effect::Quit => self.ended = true,
                Effect::DrainInput => drain = true,
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
                asked => self.ask(asked),
            }
        }
        drain
    }

    fn ask(&self, effect: Effect) {
        let actor = self.model.actor().map(|actor| actor.id);
        self.services.ask(effect, actor, self.replies.0.clone());
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.shown = None;
        self.terminal.suspend()
    }

    fn draw(&mut self) -> io::Result<()> {
        if self.ended {
            return Ok(());
        }
        let area = ratatui::layout::Rect::from((Position::ORIGIN, self.size));
        let mut frame = Buffer::empty(area);
        let cursor = tui::draw(&self.model, &self.theme, &self.context(), area, &mut frame);
        let next = (frame, cursor);
        if self.shown.as_ref() != Some(&next) {
            self.terminal.show(&next.0, next.1)?;
            self.shown = Some(next);
        }
        Ok(())
    }
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
        Event::Input(Input::Key(_) | Input::Paste(_) | Input::Mouse(_))
    )
}
