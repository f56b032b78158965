//! What a person did at the terminal, as plain values: no terminal library's types, so that any decoder can feed them.

use std::fmt;

/// A key without its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// A printable character, already in its case: Shift is part of it.
    Char(char),
    /// Return, keypad Enter, and what most scanners send after a code.
    Enter,
    /// Escape alone.
    Esc,
    /// Rubs out to the left: both 0x08 and 0x7f.
    Backspace,
    /// Rubs out to the right.
    Delete,
    /// Insert.
    Insert,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Function keys from 1 on; PF1 to PF4 of a VT keypad are 1 to 4.
    F(u8),
}

/// A key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which.
    pub code: Code,
    /// With Control; characters are lower-case then.
    pub ctrl: bool,
    /// With Alt, or after Escape.
    pub alt: bool,
}

impl Key {
    /// The key alone.
    pub const fn of(code: Code) -> Key {
        Key {
            code,
            ctrl: false,
            alt: false,
        }
    }

    /// A character.
    pub const fn char(c: char) -> Key {
        Key::of(Code::Char(c))
    }

    /// A character with Control.
    pub const fn ctrl(c: char) -> Key {
        Key {
            code: Code::Char(c.to_ascii_lowercase()),
            ctrl: true,
            alt: false,
        }
    }

    /// The same key in the one form that bindings use. Terminals send 0x08 either as Backspace or as Ctrl-H; the
    /// thin ones (vt100, vt220) mean Backspace by it, so nothing else may be bound to Ctrl-H.
    #[must_use]
    pub fn normal(self) -> Key {
        match self {
            Key {
                code: Code::Char('h' | 'H'),
                ctrl: true,
                alt: false,
            }
            | Key {
                code: Code::Char('\u{8}' | '\u{7f}'),
                ..
            } => Key::of(Code::Backspace),
            Key {
                code: Code::Char('\r' | '\n'),
                ..
            }
            | Key {
                code: Code::Char('m' | 'j'),
                ctrl: true,
                alt: false,
            } => Key::of(Code::Enter),
            Key {
                code: Code::Char('\t'),
                ..
            }
            | Key {
                code: Code::Char('i'),
                ctrl: true,
                alt: false,
            } => Key::of(Code::Tab),
            Key {
                code: Code::Char(c),
                ctrl: true,
                alt,
            } => Key {
                code: Code::Char(c.to_ascii_lowercase()),
                ctrl: true,
                alt,
            },
            other => other,
        }
    }

    /// The character it types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self {
            Key {
                code: Code::Char(c),
                ctrl: false,
                alt: false,
            } if !c.is_control() => Some(c),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    /// As help and hints name it: `Ctrl-P`, `PgUp`, `F2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = String::new();
        if self.ctrl {
            name.push_str("Ctrl-");
        }
        if self.alt {
            name.push_str("Alt-");
        }
        match self.code {
            Code::Char(' ') => name.push_str("Space"),
            Code::Char(c) if self.ctrl => name.push(c.to_ascii_uppercase()),
            Code::Char(c) => name.push(c),
            Code::Enter => name.push_str("Enter"),
            Code::Esc => name.push_str("Esc"),
            Code::Backspace => name.push_str("Backspace"),
            Code::Delete => name.push_str("Del"),
            Code::Insert => name.push_str("Ins"),
            Code::Tab => name.push_str("Tab"),
            Code::BackTab => name.push_str("Shift-Tab"),
            Code::Up => name.push_str("Up"),
            Code::Down => name.push_str("Down"),
            Code::Left => name.push_str("Left"),
            Code::Right => name.push_str("Right"),
            Code::Home => name.push_str("Home"),
            Code::End => name.push_str("End"),
            Code::PageUp => name.push_str("PgUp"),
            Code::PageDown => name.push_str("PgDn"),
            Code::F(n) => name.push_str(&format!("F{n}")),
        }
        f.pad(&name)
    }
}

/// What the mouse did, at a cell counted from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// Column.
    pub x: u16,
    /// Row.
    pub y: u16,
    /// What.
    pub did: MouseDid,
}

/// The kinds of mouse events that mean anything here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseDid {
    /// The main button went down.
    Press,
    /// The wheel went up one notch.
    WheelUp,
    /// The wheel went down one notch.
    WheelDown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_backspaces_are_one() {
        for key in [
            Key::ctrl('h'),
            Key::ctrl('H'),
            Key::char('\u{8}'),
            Key::char('\u{7f}'),
            Key::of(Code::Backspace),
        ] {
            assert_eq!(key.normal(), Key::of(Code::Backspace), "{key:?}");
        }
    }

    #[test]
    fn keys_are_named_as_people_say_them() {
        assert_eq!(Key::ctrl('p').to_string(), "Ctrl-P");
        assert_eq!(Key::of(Code::PageDown).to_string(), "PgDn");
        assert_eq!(Key::char('?').to_string(), "?");
        assert_eq!(Key::of(Code::F(2)).to_string(), "F2");
    }

    #[test]
    fn a_group_separator_types_nothing() {
        assert_eq!(Key::char('\u{1d}').typed(), None);
        assert_eq!(Key::ctrl(']').typed(), None);
        assert_eq!(Key::char('x').typed(), Some('x'));
    }
}
