//! The pages that lie over the panes: the one on top has the keys, and closing it bares the one below.

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::{Desk, Tone};
use crate::domain::report::Kind;
use crate::tui::keymap::Mode;
use crate::tui::layout;
use crate::tui::model::{Context, Effect};
use crate::tui::pages::report::ReportPage;
use crate::tui::pages::{Answer, Msg, Page, Scene, Then};
use crate::tui::widgets::Pen;

/// Pages that may lie on each other: whoever goes deeper has lost their way.
const DEEPEST: usize = 8;

impl Desk {
    /// The mode of the page on top.
    pub(super) fn page_mode(&self) -> Option<Mode> {
        self.pages.last().map(Page::mode)
    }

    /// Opens a page over what there is; one of the same kind is replaced.
    pub(super) fn open_page(&mut self, page: Page) {
        let same = |open: &Page| open.mode() == page.mode();
        self.pages.retain(|open| !same(open));
        if self.pages.len() >= DEEPEST {
            self.pages.remove(0);
        }
        self.pages.push(page);
    }

    /// Opens a report of the last day.
    pub(super) fn open_report(&mut self, kind: Kind, context: &Context) -> Vec<Effect> {
        let (page, effects) = ReportPage::open(kind, self.actor.id, &self.wards, context.now);
        self.open_page(Page::Report(Box::new(page)));
        effects
    }

    /// Where pages and sheets are drawn.
    fn body(&self, context: &Context) -> Rect {
        let area = Rect::new(0, 0, context.size.width, context.size.height);
        layout::parts(area, self.banner(context)).map_or(Rect::ZERO, |parts| parts.body)
    }

    fn page_scene<'a>(&'a self, context: &'a Context) -> Scene<'a> {
        Scene {
            context,
            actor: &self.actor,
            ward: self.ward.as_ref(),
            zone: self.zone(),
            snapshot: self.snapshot(),
            area: self.body(context),
        }
    }

    /// Draws the page on top; says whether there is one.
    pub(in crate::tui) fn view_page(
        &self,
        pen: &mut Pen<'_>,
        area: Rect,
        context: &Context,
    ) -> bool {
        let Some(page) = self.pages.last() else {
            return false;
        };
        page.view(pen, area, &self.page_scene(context));
        true
    }

    /// Gives the page on top a message.
    pub(super) fn tell_page(&mut self, msg: &Msg<'_>, context: &Context) -> Vec<Effect> {
        match self.pages.len().checked_sub(1) {
            Some(top) => self.tell_page_at(top, msg, context),
            None => Vec::new(),
        }
    }

    /// Gives every page a message: one that lies below must not be old when it is bared.
    pub(super) fn tell_pages(&mut self, msg: &Msg<'_>, context: &Context) -> Vec<Effect> {
        let mut effects = Vec::new();
        for at in 0..self.pages.len() {
            effects.extend(self.tell_page_at(at, msg, context));
        }
        effects
    }

    fn tell_page_at(&mut self, at: usize, msg: &Msg<'_>, context: &Context) -> Vec<Effect> {
        if at >= self.pages.len() {
            return Vec::new();
        }
        let mut page = self.pages.remove(at);
        let (mut effects, then) = page.update(msg, &self.page_scene(context));
        match then {
            Then::Close => return effects,
            Then::Ward(ward) => {
                self.pages.clear();
                effects.extend(self.go_to(ward));
                return effects;
            }
            Then::Stay | Then::Page(_) | Then::Sheet(_) | Then::Say(_) => {
                self.pages.insert(at, page);
            }
        }
        match then {
            Then::Page(page) => self.open_page(page),
            Then::Sheet(sheet) => self.sheet = Some(*sheet),
            Then::Say(words) => self.say(Tone::Plain, words),
            Then::Stay | Then::Close | Then::Ward(_) => {}
        }
        effects
    }

    /// Something has changed in this ward, or (`hospital`) in any: pages that show it ask again.
    pub(in crate::tui) fn stirred(&mut self, hospital: bool, context: &Context) -> Vec<Effect> {
        let mut effects = Vec::new();
        for at in 0..self.pages.len() {
            if self.pages.get(at).map(Page::of_the_hospital) == Some(hospital) {
                effects.extend(self.tell_page_at(at, &Msg::Stirred, context));
            }
        }
        effects
    }

    /// A page's rows.
    pub(super) fn page_answered(&mut self, answer: &Answer, context: &Context) -> Vec<Effect> {
        self.tell_pages(&Msg::Answer(answer), context)
    }

    /// When a page wants to be told of the time.
    pub(in crate::tui) fn pages_change_at(&self) -> Option<Timestamp> {
        self.pages.iter().filter_map(Page::next_change).min()
    }

    /// Whether a page is open that shows the whole hospital.
    pub(in crate::tui) fn follows_hospital(&self) -> bool {
        self.pages.iter().any(Page::of_the_hospital)
    }
}
