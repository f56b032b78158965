//! A line that one types into.

use std::fmt;

use ratatui::style::Style;
use tui_input::{Input, InputRequest};

use crate::tui::key::{Code, Key};
use crate::tui::theme::Theme;
use crate::tui::widgets::text::{cut, width};

/// The most characters a field takes: longer than any wristband code, delivery note or sensible reason.
const LONGEST: usize = 200;

/// The keys that edit a field, with their words for the help. Beside these, printable characters type themselves.
pub const EDITING: &[(Key, &str, InputRequest)] = &[
    (
        Key::of(Code::Backspace),
        "Rub out to the left",
        InputRequest::DeletePrevChar,
    ),
    (
        Key::of(Code::Delete),
        "Rub out to the right",
        InputRequest::DeleteNextChar,
    ),
    (
        Key::of(Code::Left),
        "One to the left",
        InputRequest::GoToPrevChar,
    ),
    (
        Key::of(Code::Right),
        "One to the right",
        InputRequest::GoToNextChar,
    ),
    (
        Key::of(Code::Home),
        "To the beginning",
        InputRequest::GoToStart,
    ),
    (Key::of(Code::End), "To the end", InputRequest::GoToEnd),
    (Key::ctrl('u'), "Empty the field", InputRequest::DeleteLine),
    (
        Key::ctrl('w'),
        "Rub out a word",
        InputRequest::DeletePrevWord,
    ),
];

/// What is typed, and where the cursor stands in it.
#[derive(Clone, Default)]
pub struct Field {
    input: Input,
    secret: bool,
}

impl fmt::Debug for Field {
    /// Secrets stay out of logs and failing tests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if self.secret {
            "(secret)"
        } else {
            self.input.value()
        };
        f.debug_tuple("Field").field(&shown).finish()
    }
}

impl Field {
    /// An empty field whose characters are not shown.
    pub fn secret() -> Field {
        Field {
            secret: true,
            ..Field::default()
        }
    }

    /// What is typed.
    pub fn value(&self) -> &str {
        self.input.value()
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.input.value().is_empty()
    }

    /// Empties it.
    pub fn clear(&mut self) {
        // A fresh input has no yank buffer either, so that no secret outlives its field.
        self.input = Input::default();
    }

    /// Empties it and says what was typed.
    pub fn take(&mut self) -> String {
        let value = self.input.value().to_owned();
        self.clear();
        value
    }

    /// Types or edits; says whether the text changed.
    pub fn key(&mut self, key: Key) -> bool {
        let request = match key.typed() {
            Some(c) => InputRequest::InsertChar(c),
            None => match EDITING.iter().find(|(chord, ..)| *chord == key) {
                Some((_, _, request)) => *request,
                None => return false,
            },
        };
        if matches!(request, InputRequest::InsertChar(_))
            && self.input.value().chars().count() >= LONGEST
        {
            return false;
        }
        self.input.handle(request).is_some_and(|did| did.value)
    }

    /// Types a text that came at once; controls in it are left out.
    pub fn paste(&mut self, text: &str) -> bool {
        let mut changed = false;
        for c in text.chars().take(LONGEST) {
            changed |= self.key(Key::char(if c == '\t' { ' ' } else { c }));
        }
        changed
    }

    /// What to draw in `columns`, and the cursor's column in it. The part around the cursor is shown.
    pub fn shown(&self, columns: usize, theme: &Theme) -> (String, usize) {
        let value = self.input.value();
        let before: String = value.chars().take(self.input.cursor()).collect();
        let after: String = value.chars().skip(self.input.cursor()).collect();
        let show = |text: &str| {
            if self.secret {
                theme.symbols.secret.repeat(text.chars().count())
            } else {
                theme.text(text).into_owned()
            }
        };
        let (mut before, after) = (show(&before), show(&after));
        // One column stays for the cursor behind the last character.
        let room = columns.saturating_sub(1);
        while width(&before) > room && !before.is_empty() {
            before.remove(0);
        }
        let column = width(&before);
        (
            cut(&format!("{before}{after}"), columns, ""),
            column.min(room),
        )
    }

    /// The style to draw it in.
    pub fn style(focused: bool, theme: &Theme) -> Style {
        theme.field(focused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Charset, Colours};

    fn typed(text: &str) -> Field {
        let mut field = Field::default();
        field.paste(text);
        field
    }

    #[test]
    fn types_edits_and_stays_bounded() {
        let mut field = typed("H2019\u{1d}2635\u{1b}[A");
        assert_eq!(field.value(), "H20192635[A");
        field.key(Key::of(Code::Backspace));
        field.key(Key::of(Code::Home));
        field.key(Key::char('x'));
        assert_eq!(field.value(), "xH20192635[");
        assert_eq!(typed(&"y".repeat(9999)).value().len(), LONGEST);
        assert_eq!(field.take(), "xH20192635[");
        assert!(field.is_empty());
    }

    #[test]
    fn shows_the_part_around_the_cursor() {
        let theme = Theme::new(Colours::None, Charset::Unicode);
        let field = typed("abcdefgh");
        assert_eq!(field.shown(5, &theme), ("efgh".into(), 4));
        assert_eq!(field.shown(20, &theme), ("abcdefgh".into(), 8));
        assert_eq!(field.shown(0, &theme).1, 0);
        let mut secret = Field::secret();
        secret.paste("1234");
        assert_eq!(secret.shown(9, &theme).0, "••••");
        assert!(!format!("{secret:?}").contains("1234"));
    }
}
