//! What every page has in common: it asks for its rows, asks again when something has changed, goes from leaf to leaf,
//! and shows how old they are when that matters.

use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Rect;

use super::asking::{Asking, Came, For};
use super::table::{Column, Row, Table};
use super::{Answer, Cursor, Msg, PageAsk, Rows, Scene, What};
use crate::domain::text::visible;
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::list::{self, Move};
use crate::tui::model::Effect;
use crate::tui::panes;
use crate::tui::widgets::text::cut;
use crate::tui::widgets::{Line, Pen};

/// However often something changes, a page is not asked for again sooner than this: one that changes more often cannot
/// be read anyway.
const AT_MOST_EVERY: SignedDuration = SignedDuration::from_secs(1);
/// Asked for again although nobody said that anything changed: a lost hint heals by itself, and what hangs on the clock
/// is counted anew.
const AT_LEAST_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// How soon a page that could not be read is asked for again.
const AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// Where the selection goes when another leaf arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Landing {
    Stay,
    First,
    Last,
}

/// What came of a message.
#[derive(Debug)]
pub enum Did<'a> {
    /// All of it; these are to be carried out.
    All(Vec<Effect>),
    /// Rows are here: the page makes them into its table's with [`Frame::set`].
    Rows(&'a Rows),
    /// The page is to close.
    Close,
    /// An action that is the page's own.
    Act(Action),
}

/// What a message did to what a page asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nothing: it is the page's.
    Not,
    /// It was taken.
    Taken,
    /// It was typed to its end.
    Typed(For, Vec<String>),
}

/// The common part of a page.
#[derive(Debug, Clone)]
pub struct Frame<Id> {
    title: String,
    empty: &'static str,
    what: What,
    /// The leaves before this one.
    before: Vec<Cursor>,
    /// Where the next leaf begins; `None`: this is the last.
    next: Option<Cursor>,
    landing: Landing,
    /// Asked, and not answered yet, since then.
    asked_at: Option<Timestamp>,
    stirred: bool,
    answered_at: Option<Timestamp>,
    read_at: Option<Timestamp>,
    trouble: Option<String>,
    /// It is asked for again by itself.
    live: bool,
    /// What it asks its person for.
    pub asking: Option<Asking>,
    /// The rows.
    pub table: Table<Id>,
}

impl<Id: Copy + PartialEq> Frame<Id> {
    /// A page of that title, which asks for `what`. `empty` is said where there is nothing.
    pub fn open(
        title: impl Into<String>,
        empty: &'static str,
        columns: &'static [Column],
        what: What,
        now: Timestamp,
    ) -> (Frame<Id>, Vec<Effect>) {
        let mut frame = Frame {
            title: title.into(),
            empty,
            what,
            before: Vec::new(),
            next: None,
            landing: Landing::First,
            asked_at: None,
            stirred: false,
            answered_at: None,
            read_at: None,
            trouble: None,
            live: true,
            asking: None,
            table: Table::new(columns),
        };
        let effects = frame.ask(now);
        (frame, effects)
    }

    /// The same of what stands still: it is read when it is asked for, and not again by itself.
    pub fn still(
        title: impl Into<String>,
        empty: &'static str,
        columns: &'static [Column],
        what: What,
        now: Timestamp,
    ) -> (Frame<Id>, Vec<Effect>) {
        let (mut frame, effects) = Frame::open(title, empty, columns, what, now);
        frame.live = false;
        (frame, effects)
    }

    /// Gives what is asked for the message, if there is something and it is meant for it.
    pub(super) fn asked(&mut self, msg: &Msg<'_>) -> Asked {
        let Some(asking) = &mut self.asking else {
            return Asked::Not;
        };
        match msg {
            Msg::Act(action) => match asking.act(*action) {
                Came::Not => {}
                Came::Closed => self.asking = None,
                Came::Typed(typed) => return Asked::Typed(asking.what, typed),
            },
            Msg::Key(key) => asking.key(*key),
            Msg::Paste(text) => asking.paste(text),
            Msg::Click(..) => {}
            Msg::Saved(Ok(_)) if asking.what == For::File => self.asking = None,
            Msg::Saved(Err(why)) if asking.what == For::File => asking.wrong(0, why.as_str()),
            Msg::Stirred
            | Msg::Answer(_)
            | Msg::Outcome(..)
            | Msg::Tick
            | Msg::Typed(..)
            | Msg::Saved(_) => {
                return Asked::Not;
            }
        }
        Asked::Taken
    }

    /// Says what is wrong with what was typed.
    pub(super) fn tell_asking(&mut self, field: usize, why: &str) {
        if let Some(asking) = &mut self.asking {
            asking.wrong(field, why);
        }
    }

    /// What a file of it is called, without what is not to stand in a file's name.
    pub(super) fn file_name(&self) -> String {
        let words = self.title.split(|c: char| !c.is_ascii_alphanumeric());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).take(4).collect();
        words.join("-").to_ascii_lowercase()
    }

    /// The page as text to print: title, ward, when and by whom it was read, heads and rows as the filter shows them.
    pub(super) fn printed(&self, scene: &Scene<'_>, columns: usize) -> String {
        let ward = scene.ward.map_or(String::new(), |ward| {
            format!("   {} {}", ward.code, ward.name)
        });
        let mut head = vec![format!("{}{ward}", self.title)];
        let at = self.read_at.unwrap_or(scene.context.now);
        head.push(format!(
            "read {} by {}",
            clock::full(at, &scene.zone),
            scene.actor.name
        ));
        if !self.table.list.filter.is_empty() {
            let filter = self.table.list.filter.value();
            head.push(format!("only lines with '{filter}'"));
        }
        if !self.before.is_empty() || self.next.is_some() {
            let page = self.before.len() + 1;
            let more = if self.next.is_some() {
                ", and more follow"
            } else {
                ""
            };
            head.push(format!("page {page}{more}"));
        }
        let mut out = String::new();
        for line in head {
            out.push_str(&cut(visible(&line).trim_end(), columns, "~"));
            out.push('\n');
        }
        out.push('\n');
        if self.table.list.is_empty() {
            out.push_str(self.empty);
            out.push('\n');
        } else {
            out.push_str(&self.table.text(columns));
        }
        out
    }

    /// When its rows were read (UTC).
    pub fn read_at(&self) -> Option<Timestamp> {
        self.read_at
    }

    /// Asks for something else from its beginning: the page's own choice (a day, a ward, a period) has changed.
    pub fn turn_to(&mut self, what: What, title: impl Into<String>, now: Timestamp) -> Vec<Effect> {
        self.what = what;
        self.title = title.into();
        self.before.clear();
        self.next = None;
        self.landing = Landing::First;
        self.ask(now)
    }

    /// What it asks for.
    pub fn what(&self) -> &What {
        &self.what
    }

    /// A filter is being typed.
    pub fn filtering(&self) -> bool {
        self.table.list.filtering
    }

    /// The selected row.
    pub fn selected(&self) -> Option<Id> {
        self.table.list.selected()
    }

    fn page_ask(&self) -> PageAsk {
        PageAsk {
            what: self.what.clone(),
            after: self.before.last().cloned(),
        }
    }

    fn ask(&mut self, now: Timestamp) -> Vec<Effect> {
        self.asked_at = Some(now);
        self.stirred = false;
        vec![Effect::LoadPage(self.page_ask())]
    }

    /// When it wants to be told of the time.
    pub fn next_change(&self) -> Option<Timestamp> {
        let (since, wait) = match self.asked_at {
            // An answer that never comes is not waited for for ever.
            Some(asked) => (asked, AT_LEAST_EVERY),
            None if !self.live && self.trouble.is_none() => return None,
            None if self.stirred => (self.answered_at?, AT_MOST_EVERY),
            None if self.trouble.is_some() => (self.answered_at?, AGAIN),
            None => (self.answered_at?, AT_LEAST_EVERY),
        };
        since.checked_add(wait).ok()
    }

    fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        match self.next_change() {
            Some(at) if at <= now => self.ask(now),
            _ => Vec::new(),
        }
    }

    /// Takes a message.
    pub fn update<'a>(&mut self, msg: &Msg<'a>, scene: &Scene<'_>) -> Did<'a> {
        let now = scene.context.now;
        match msg {
            Msg::Tick => Did::All(self.tick(now)),
            Msg::Stirred if !self.live => Did::All(Vec::new()),
            Msg::Stirred => {
                self.stirred = true;
                Did::All(self.tick(now))
            }
            Msg::Answer(answer) => self.answered(answer, now),
            Msg::Key(key) if self.filtering() => {
                self.tell_list(&list::Msg::FilterKey(*key), scene.area)
            }
            Msg::Paste(text) if self.filtering() => {
                self.tell_list(&list::Msg::FilterPaste((*text).to_owned()), scene.area)
            }
            Msg::Click(line, _) => self.clicked(*line, scene.area),
            Msg::Act(action) => self.act(*action, scene),
            Msg::Key(_) | Msg::Paste(_) | Msg::Outcome(..) | Msg::Typed(..) | Msg::Saved(_) => {
                Did::All(Vec::new())
            }
        }
    }

    fn answered<'a>(&mut self, answer: &'a Answer, now: Timestamp) -> Did<'a> {
        // Of a question that has been asked differently since, nothing.
        if answer.ask != self.page_ask() {
            return Did::All(Vec::new());
        }
        self.asked_at = None;
        self.answered_at = Some(now);
        match &answer.found {
            Ok(found) => {
                self.trouble = None;
                self.read_at = Some(found.read_at);
                self.next = found.next.clone();
                Did::Rows(&found.rows)
            }
            Err(why) => {
                self.trouble = Some(why.clone());
                Did::All(Vec::new())
            }
        }
    }

    /// Takes the rows of a leaf.
    pub fn set(&mut self, rows: Vec<Row<Id>>) {
        self.table.set(rows);
        let to = match std::mem::replace(&mut self.landing, Landing::Stay) {
            Landing::Stay => return,
            Landing::First => Move::First,
            Landing::Last => Move::Last,
        };
        self.table.list.update(&list::Msg::Move(to), u16::MAX, 1);
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Did<'static> {
        let how = match action {
            Action::Up => Move::Up,
            Action::Down => Move::Down,
            Action::PageUp => Move::PageUp,
            Action::PageDown => Move::PageDown,
            Action::First => Move::First,
            Action::Last => Move::Last,
            Action::Filter => return self.tell_list(&list::Msg::OpenFilter, scene.area),
            Action::KeepFilter => return self.tell_list(&list::Msg::KeepFilter, scene.area),
            Action::ClearFilter => return self.tell_list(&list::Msg::ClearFilter, scene.area),
            // The first Esc shows everything again, the second leaves.
            Action::Close if !self.table.list.filter.is_empty() => {
                return self.tell_list(&list::Msg::ClearFilter, scene.area);
            }
            Action::Close => return Did::Close,
            other => return Did::Act(other),
        };
        self.go(how, scene)
    }

    /// Moves the selection; beyond the last row to the next leaf, before the first to the one before.
    fn go(&mut self, how: Move, scene: &Scene<'_>) -> Did<'static> {
        let at = self.selected();
        let did = self.tell_list(&list::Msg::Move(how), scene.area);
        let stuck = self.selected() == at;
        match how {
            Move::Down | Move::PageDown if stuck => match self.next.take() {
                Some(next) => {
                    self.before.push(next);
                    self.landing = Landing::First;
                    Did::All(self.ask(scene.context.now))
                }
                None => did,
            },
            Move::Up | Move::PageUp if stuck && self.before.pop().is_some() => {
                self.landing = Landing::Last;
                Did::All(self.ask(scene.context.now))
            }
            Move::First if stuck && !self.before.is_empty() => {
                self.before.clear();
                self.landing = Landing::First;
                Did::All(self.ask(scene.context.now))
            }
            _ => did,
        }
    }

    fn clicked(&mut self, line: u16, area: Rect) -> Did<'static> {
        let rows = Table::<Id>::rows_area(below_title(area));
        match line.checked_sub(rows.y.saturating_sub(area.y)) {
            Some(line) => self.tell_list(&list::Msg::Click(line), area),
            None => Did::All(Vec::new()),
        }
    }

    fn tell_list(&mut self, msg: &list::Msg, area: Rect) -> Did<'static> {
        let rows = Table::<Id>::rows_area(below_title(area));
        let each = self.table.lines_each(area.width);
        if self.table.list.update(msg, rows.height, each) {
            self.table.filter();
        }
        Did::All(Vec::new())
    }

    /// Draws title, heads and rows, with `counts` beside the title.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, counts: Line, scene: &Scene<'_>) {
        let below = self.head(pen, area, counts, scene);
        if self.table.list.is_empty() {
            let filtered = !self.table.is_empty();
            let words = match (self.read_at, &self.trouble) {
                (Some(_), _) => self.empty,
                (None, None) => "Reading.",
                (None, Some(_)) => "It could not be read. It is tried again.",
            };
            return panes::nothing(pen, below, filtered, words);
        }
        self.table.view(pen, below);
    }

    /// Draws the title's line alone, with `counts` beside it; gives what is below.
    pub fn head(&self, pen: &mut Pen<'_>, area: Rect, counts: Line, scene: &Scene<'_>) -> Rect {
        let counts = self.counts(counts, pen, scene);
        panes::title(pen, area, &self.title, &counts, &self.table.list, true);
        below_title(area)
    }

    /// What stands beside the title: trouble before counts, and which leaf this is.
    fn counts(&self, counts: Line, pen: &Pen<'_>, scene: &Scene<'_>) -> Line {
        let theme = pen.theme;
        let mut line = match &self.trouble {
            Some(why) => {
                let since = self
                    .read_at
                    .map(|at| format!(" SINCE {}", clock::hour(at, &scene.zone)))
                    .unwrap_or_default();
                Line::of(
                    format!(" NOT READ{since}: {} ", theme.text(why)),
                    theme.loud(),
                )
            }
            None => counts,
        };
        if !self.before.is_empty() {
            line = line.and(
                format!(" {} page {}", theme.symbols.dot, self.before.len() + 1),
                theme.plain(),
            );
        }
        if self.next.is_some() {
            line = line.and(
                format!(" {} more: PgDn at the end", theme.symbols.dot),
                theme.faint(),
            );
        }
        line
    }
}

/// All but the title's line.
pub(super) fn below_title(area: Rect) -> Rect {
    Rect {
        y: area.y.saturating_add(1),
        height: area.height.saturating_sub(1),
        ..area
    }
}
