//! Every key, made from the table.

use ratatui::layout::Rect;

use super::{Msg, Then, headed, inset};
use crate::tui::keymap::{BINDINGS, Mode};
use crate::tui::widgets::field::EDITING;
use crate::tui::widgets::text::{pad, wrap};
use crate::tui::widgets::{Line, Pen};

/// The sheet's state.
#[derive(Debug, Clone, Default)]
pub struct Help {
    from: Option<Mode>,
    scroll: usize,
}

impl Help {
    /// The help, beginning with what has the keys now.
    pub fn open(from: Mode) -> Help {
        Help {
            from: Some(from),
            scroll: 0,
        }
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &super::Scene<'_>) -> Then {
        let size = scene.context.size;
        let page = usize::from(size.height.saturating_sub(4)).max(1);
        let most = wrapped(self.from, size.width.saturating_sub(2))
            .len()
            .saturating_sub(page);
        super::read_on(msg, &mut self.scroll, page, most)
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let rows = wrapped(self.from, inset(area).width);
        let more = if rows.len() > self.scroll + usize::from(area.height.saturating_sub(1)) {
            Line::of(" more: PgDn ", pen.theme.key())
        } else {
            Line::default()
        };
        let body = inset(headed(pen, area, "HELP: EVERY KEY", Some(&more)));
        let lines: Vec<Line> = rows
            .into_iter()
            .skip(self.scroll)
            .take(usize::from(body.height))
            .map(|(keys, words)| match keys {
                None => Line::of(words, pen.theme.heading()),
                Some(keys) => Line::of(keys, pen.theme.key()).and(words, pen.theme.plain()),
            })
            .collect();
        pen.lines(body, &lines);
    }
}

/// The rows as lines of a width, keys and words each in their column; without keys it is a title.
fn wrapped(from: Option<Mode>, columns: u16) -> Vec<(Option<String>, String)> {
    let columns = usize::from(columns);
    let for_keys = (columns / 3).clamp(8, 22);
    let mut lines = Vec::new();
    for row in rows(from) {
        match row {
            Row::Title(words) => lines.push((None, words.to_owned())),
            Row::Key(keys, words) => {
                let keys = wrap(&keys, for_keys - 1);
                let words = wrap(words, columns.saturating_sub(for_keys).max(8));
                for at in 0..keys.len().max(words.len()) {
                    let part = |of: &[String]| of.get(at).cloned().unwrap_or_default();
                    lines.push((Some(pad(&part(&keys), for_keys, "")), part(&words)));
                }
            }
        }
    }
    lines
}

enum Row {
    Title(&'static str),
    Key(String, &'static str),
}

/// The table by modes, the one that has the keys first; keys of the same meaning on one line.
fn rows(from: Option<Mode>) -> Vec<Row> {
    let others = Mode::ALL.iter().copied().filter(|mode| Some(*mode) != from);
    let mut rows = Vec::new();
    for mode in from.into_iter().chain(others) {
        rows.push(Row::Title(mode.title()));
        let mut lines: Vec<(String, &'static str)> = Vec::new();
        for binding in BINDINGS.iter().filter(|b| b.modes.contains(&mode)) {
            let keys: Vec<String> = binding.chords.iter().map(ToString::to_string).collect();
            let keys = keys.join(" ");
            match lines.iter_mut().find(|(_, words)| *words == binding.words) {
                Some((all, _)) => {
                    all.push(' ');
                    all.push_str(&keys);
                }
                None => lines.push((keys, binding.words)),
            }
        }
        if lines.is_empty() {
            rows.push(Row::Key(String::new(), "No key until the outcome is there"));
        }
        rows.extend(lines.into_iter().map(|(keys, words)| Row::Key(keys, words)));
    }
    rows.push(Row::Title("In every field"));
    rows.extend(
        EDITING
            .iter()
            .map(|(key, words, _)| Row::Key(key.to_string(), words)),
    );
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binding_is_in_the_help() {
        let rows = rows(Some(Mode::Queue));
        for binding in BINDINGS {
            let there = rows.iter().any(|row| match row {
                Row::Key(keys, words) => {
                    *words == binding.words
                        && binding
                            .chords
                            .iter()
                            .all(|key| keys.split(' ').any(|k| k == key.to_string()))
                }
                Row::Title(_) => false,
            });
            assert!(there, "{}", binding.words);
        }
    }
}
