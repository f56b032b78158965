//! What became of what this person signed before their line dropped: the first thing that they see.

use ratatui::layout::Rect;

use super::{Msg, Scene, Sheet, Then, headed, inset};
use crate::domain::OpId;
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::model::{Effect, Missed as One};
use crate::tui::widgets::text::wrap;
use crate::tui::widgets::{Line, Pen};
use crate::tui::words;

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct Missed {
    all: Vec<One>,
    /// The first that is shown: more than fit are shown one screen after the other.
    first: usize,
    /// What was open before.
    under: Option<Box<Sheet>>,
}

impl Missed {
    /// The sheet of these, over what is open.
    pub fn open(all: Vec<One>, under: Option<Sheet>) -> Missed {
        Missed {
            all,
            first: 0,
            under: under.map(Box::new),
        }
    }

    /// What was open before, when this is closed.
    pub fn under(self) -> Option<Sheet> {
        self.under.map(|sheet| *sheet)
    }

    /// Takes a message. Only what was on the screen counts as seen.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        if !matches!(msg, Msg::Act(Action::Close)) {
            return (Vec::new(), Then::Stay);
        }
        let shown = self.fitting(scene);
        let last = (self.first + shown).min(self.all.len());
        let seen = self.all[self.first..last].iter();
        let seen: Vec<OpId> = seen.map(|one| one.op).collect();
        self.first = last;
        let then = if last < self.all.len() {
            Then::Stay
        } else {
            Then::Close
        };
        (vec![Effect::Seen(seen)], then)
    }

    /// How many of those that are left fit: one at least.
    fn fitting(&self, scene: &Scene<'_>) -> usize {
        // The lines around them, and those around the sheet.
        let room = usize::from(scene.context.size.height.saturating_sub(10));
        let columns = usize::from(scene.context.size.width.saturating_sub(2));
        let mut lines = 0;
        let left = &self.all[self.first..];
        let fit = left.iter().take_while(|one| {
            lines += text(one, columns, scene).len() + 1;
            lines <= room
        });
        fit.count().max(1)
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let body = inset(headed(pen, area, "BEFORE YOU WERE CUT OFF", None));
        let columns = usize::from(body.width);
        let theme = pen.theme;
        let mut lines = vec![
            Line::of(
                "You signed this, and did not see what became of it:",
                theme.plain(),
            ),
            Line::default(),
        ];
        let shown = self.fitting(scene);
        for one in self.all.iter().skip(self.first).take(shown) {
            let style = if matches!(one.outcome, crate::domain::Outcome::Done(_)) {
                theme.strong()
            } else {
                theme.wrong()
            };
            for line in text(one, columns, scene) {
                lines.push(Line::of(theme.text(&line).into_owned(), style));
            }
            lines.push(Line::default());
        }
        let rest = self.all.len() - (self.first + shown).min(self.all.len());
        let next = match rest {
            0 => "Enter goes on.".to_owned(),
            more => format!("Enter shows {more} more."),
        };
        lines.push(Line::of(next, theme.key()));
        pen.lines(body, &lines);
    }
}

fn text(one: &One, columns: usize, scene: &Scene<'_>) -> Vec<String> {
    let now = scene.context.now;
    let at = clock::day_hour(one.at, now, &scene.zone);
    let words = words::outcome(&one.what, &one.outcome, now, &scene.zone);
    wrap(&format!("{at}  {words}"), columns.max(8))
}
