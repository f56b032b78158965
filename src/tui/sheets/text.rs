//! A page as text on the screen, to be read and copied: where no file is written, because the files there are not the
//! person's.

use ratatui::layout::Rect;

use super::{Msg, Scene, Then, headed};
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::{Line, Pen};

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct TextSheet {
    lines: Vec<String>,
    scroll: usize,
}

impl TextSheet {
    /// The sheet of a text.
    pub fn open(text: &str) -> TextSheet {
        TextSheet {
            lines: text.lines().map(str::to_owned).collect(),
            scroll: 0,
        }
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> Then {
        let page = usize::from(scene.context.size.height.saturating_sub(4)).max(1);
        let most = self.lines.len().saturating_sub(page);
        super::read_on(msg, &mut self.scroll, page, most)
    }

    /// Draws it: nothing beside the text, so that what is marked with the mouse is the text alone.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let rows = usize::from(area.height.saturating_sub(1));
        let more = if self.lines.len() > self.scroll + rows {
            Line::of(" more: PgDn ", pen.theme.key())
        } else {
            Line::default()
        };
        let body = headed(
            pen,
            area,
            "AS TEXT: NO FILE IS WRITTEN AT THE SERVER",
            Some(&more),
        );
        let style = pen.theme.plain();
        for (row, line) in (0..body.height).zip(self.lines.iter().skip(self.scroll)) {
            let line = pen.theme.text(line).into_owned();
            pen.put(row_of(body, row), &line, style);
        }
    }
}
