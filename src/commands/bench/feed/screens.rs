//! The screens: real sessions, each with a terminal that encodes every frame and notes what the frame shows.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::hospital::{GIVEN, UNIT};
use super::load::Change;
use crate::domain::Quantity;
use crate::session::{Event, INPUTS, Services, Session, Settings, Station, Terminal};
use crate::store::now;
use crate::terminal::{Painter, Profile};
use crate::tui::Start;

/// The screen of a session.
const SIZE: (u16, u16) = (80, 24);

/// How often it is looked whether the screens are there.
const LOOK: Duration = Duration::from_millis(5);

/// What a screen showed, and from when on.
#[derive(Debug, Clone, Copy)]
struct Seen {
    left: Quantity,
    at: Timestamp,
}

/// A terminal that encodes every frame as a real one is sent it, and notes how much the cupboard is shown to hold.
struct Meter {
    painter: Painter,
    seen: Arc<Mutex<Vec<Seen>>>,
    drawn: Arc<Drawn>,
    /// On which row it stood in the frame before.
    row: u16,
}

/// What all the screens together were sent.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    frames: AtomicU64,
    bytes: AtomicU64,
}

impl Drawn {
    /// Frames so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Bytes so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Meter {
    /// How much of the given drug the frame says there is; `None`: it says nothing of it yet.
    fn left(&mut self, frame: &Buffer) -> Option<Quantity> {
        let area = frame.area;
        let rows = std::iter::once(self.row).chain(area.y..area.y + area.height);
        for row in rows {
            if let Some(left) = left_in(frame, area, row) {
                self.row = row;
                return Some(left);
            }
        }
        None
    }
}

/// `> Given 0mg   ░░░░░░░░░░899999 tab   LOW …`: the number before the unit, which may touch the bar. The queue's rows
/// name the drug too, and no stock of thousands.
fn left_in(frame: &Buffer, area: Rect, row: u16) -> Option<Quantity> {
    let cells = (area.x..area.x + area.width).map(|x| frame[(x, row)].symbol());
    let text: String = cells.collect();
    let mut words = text.split_whitespace().skip_while(|word| *word != GIVEN);
    let mut before = words.next()?;
    for word in words {
        if word == UNIT {
            let number = before.trim_start_matches(|c: char| !c.is_ascii_digit());
            let left: i64 = number.parse().ok()?;
            return (left >= 1000).then(|| Quantity::units(left));
        }
        before = word;
    }
    None
}

impl Terminal for Meter {
    async fn ready(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show(&mut self, frame: &Buffer, cursor: Option<Position>) -> io::Result<bool> {
        let bytes = self.painter.frame(frame, cursor);
        let at = now();
        self.drawn.frames.fetch_add(1, Ordering::Relaxed);
        let sent = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.drawn.bytes.fetch_add(sent, Ordering::Relaxed);
        if let Some(left) = self.left(frame) {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.last().is_none_or(|last| last.left != left) {
                seen.push(Seen { left, at });
            }
        }
        Ok(!bytes.is_empty())
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn change(&mut self, _profile: Profile) -> io::Result<()> {
        Ok(())
    }
}

/// One screen.
struct Screen {
    /// Which of the wards.
    ward: usize,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Dropped, it ends the session.
    _events: mpsc::Sender<Event>,
}

impl Screen {
    fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clone()
    }

    /// What it shows now.
    fn shows(&self) -> Option<Quantity> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.last().map(|seen| seen.left)
    }
}

/// All the screens of a measurement.
pub(super) struct Screens {
    screens: Vec<Screen>,
    sessions: JoinSet<io::Result<()>>,
    drawn: Arc<Drawn>,
}

impl Screens {
    /// Opens so many, spread over the wards: each begins with one of `starts` in turn.
    pub(super) fn open(count: u32, starts: &[Start], services: impl Fn() -> Services) -> Screens {
        let profile = Profile::of(|name| match name {
            "TERM" => Some("xterm-256color".to_owned()),
            "LANG" => Some("C.UTF-8".to_owned()),
            _ => None,
        });
        let drawn = Arc::new(Drawn::default());
        let mut screens = Vec::new();
        let mut sessions = JoinSet::new();
        for (_, (ward, start)) in (0..count).zip(starts.iter().enumerate().cycle()) {
            let seen = Arc::new(Mutex::new(Vec::new()));
            let meter = Meter {
                painter: Painter::new(profile),
                seen: Arc::clone(&seen),
                drawn: Arc::clone(&drawn),
                row: 0,
            };
            let (events, mut received) = mpsc::channel(INPUTS);
            let settings = Settings::default();
            let (station, start) = (Station::of(profile), start.clone());
            let mut session = Session::new(services(), settings, station, meter, SIZE, start);
            sessions.spawn(async move { session.run(&mut received).await });
            screens.push(Screen {
                ward,
                seen,
                _events: events,
            });
        }
        Screens {
            screens,
            sessions,
            drawn,
        }
    }

    /// What they were sent so far.
    pub(super) fn drawn(&self) -> &Drawn {
        &self.drawn
    }

    /// Waits until every screen shows its ward.
    pub(super) async fn are_there(&self, limit: Duration) -> anyhow::Result<()> {
        let all = || self.screens.iter().all(|screen| screen.shows().is_some());
        self.wait(limit, all)
            .await
            .then_some(())
            .context("not every session showed its ward in time")
    }

    /// Waits until every screen shows the last change of its ward; whether they all did in time.
    pub(super) async fn caught_up(&self, changes: &[Vec<Change>], limit: Duration) -> bool {
        let shows = |screen: &Screen| match changes[screen.ward].last() {
            Some(last) => screen.shows().is_some_and(|left| left <= last.left),
            None => true,
        };
        self.wait(limit, || self.screens.iter().all(shows)).await
    }

    async fn wait(&self, limit: Duration, done: impl Fn() -> bool) -> bool {
        let until = Instant::now() + limit;
        while !done() {
            if Instant::now() > until {
                return false;
            }
            sleep(LOOK).await;
        }
        true
    }

    /// How old every change was on every screen of its ward, and how many never showed.
    pub(super) fn ages(&self, changes: &[Vec<Change>]) -> Ages {
        let mut ages = Ages::default();
        for screen in &self.screens {
            let seen = screen.seen();
            let mut seen = seen.iter().peekable();
            for change in &changes[screen.ward] {
                // What shows is never more than what showed before: the stock only goes down.
                while seen.next_if(|seen| seen.left > change.left).is_some() {}
                match seen.peek() {
                    Some(seen) => ages.add(seen.at.duration_since(change.at)),
                    None => ages.missed += 1,
                }
            }
        }
        ages.microseconds.sort_unstable();
        ages
    }

    /// Ends every session.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        let Screens {
            screens,
            mut sessions,
            ..
        } = self;
        drop(screens);
        while let Some(ended) = sessions.join_next().await {
            ended.context("a session's task")??;
        }
        Ok(())
    }
}

/// Ages of changes when they showed.
#[derive(Debug, Default)]
pub(super) struct Ages {
    /// In order.
    microseconds: Vec<i64>,
    /// Changes that a screen never showed, counted once for each screen.
    pub missed: u64,
}

impl Ages {
    fn add(&mut self, age: jiff::SignedDuration) {
        let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        self.microseconds.push(age);
    }

    /// The age that so many in a hundred were not older than, in milliseconds; `None`: nothing changed on any screen.
    pub(super) fn percentile(&self, percent: usize) -> Option<f64> {
        let last = self.microseconds.len().checked_sub(1)?;
        let at = self.microseconds.len() * percent / 100;
        self.microseconds
            .get(at.min(last))
            .map(|age| *age as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(left: i64, at: i64) -> Change {
        Change {
            left: Quantity::units(left),
            at: Timestamp::from_millisecond(at).unwrap(),
        }
    }

    #[test]
    fn a_change_is_as_old_as_the_first_frame_that_holds_it() {
        let seen = [(9000, 0), (8998, 30), (8997, 70)].map(|(left, at)| Seen {
            left: Quantity::units(left),
            at: Timestamp::from_millisecond(at).unwrap(),
        });
        let screens = Screens {
            screens: vec![Screen {
                ward: 0,
                seen: Arc::new(Mutex::new(seen.to_vec())),
                _events: mpsc::channel(1).0,
            }],
            sessions: JoinSet::new(),
            drawn: Arc::default(),
        };
        let given = [
            change(8999, 10),
            change(8998, 20),
            change(8997, 25),
            change(8996, 60),
        ];
        let ages = screens.ages(&[given.to_vec()]);
        assert_eq!(ages.microseconds, [10_000, 20_000, 45_000]);
        assert_eq!(ages.missed, 1);
        assert_eq!(ages.percentile(50), Some(20.0));
        assert_eq!(ages.percentile(99), Some(45.0));
    }

    #[test]
    fn the_stock_is_read_from_the_frame() {
        let lines = [
            "> as needed  3  Surname  Given 0mg  1 tab  PO",
            "> Given 0mg  ░░░░░ 899 999 ",
            "> Given 0mg  ████899998 tab   LOW low at 900000",
        ];
        let frame = Buffer::with_lines(lines);
        assert_eq!(left_in(&frame, frame.area, 0), None, "a dose, not a stock");
        assert_eq!(left_in(&frame, frame.area, 1), None);
        assert_eq!(
            left_in(&frame, frame.area, 2),
            Some(Quantity::units(899_998))
        );
    }
}
