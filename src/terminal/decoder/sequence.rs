//! What the sequences of terminals mean. Sources: the VT100 User Guide, the VT220 Programmer Reference Manual, xterm's
//! control sequences, the terminfo entries of linux, rxvt and putty.

use super::{Answer, Heard};
use crate::terminal::input::Input;
use crate::tui::{Code, Key, Mouse, MouseDid};

/// Numbers of a sequence that are kept; none that means anything here has more.
const NUMBERS: usize = 4;

/// A sequence that is coming in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Csi {
    /// There was one Escape more before it.
    pub alt: bool,
    /// `<`, `=`, `>` or `?` at its beginning.
    private: Option<char>,
    numbers: [u16; NUMBERS],
    /// Numbers that have begun.
    count: usize,
    /// In the finer parts of a number, behind a colon.
    finer: bool,
    /// Something between numbers and end: no key has that.
    between: bool,
}

impl Csi {
    /// One that has just begun; `alt`: with one Escape more before it.
    pub(super) fn begun(alt: bool) -> Csi {
        Csi {
            alt,
            ..Csi::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.private.is_none() && self.count == 0 && !self.between
    }

    /// Takes a character that is not the last.
    pub(super) fn take(&mut self, c: char) {
        match c {
            '0'..='9' => {
                self.count = self.count.max(1);
                if !self.finer
                    && let Some(number) = self.numbers.get_mut(self.count - 1)
                {
                    let digit = c as u16 - '0' as u16;
                    *number = number.saturating_mul(10).saturating_add(digit).min(9999);
                }
            }
            ';' => {
                self.count = (self.count.max(1) + 1).min(NUMBERS + 1);
                self.finer = false;
            }
            ':' => self.finer = true,
            '<'..='?' if self.is_empty() => self.private = Some(c),
            _ => self.between = true,
        }
    }

    /// Whether this character, which never ends a sequence elsewhere, ends this one: rxvt's keys with Shift.
    pub(super) fn ends_with(&self, c: char) -> bool {
        c == '$' && self.private.is_none() && self.count == 1
    }

    pub(super) fn begins_paste(&self, end: char) -> bool {
        end == '~' && self.private.is_none() && self.numbers[0] == 200
    }

    fn number(&self, at: usize) -> u16 {
        self.numbers.get(at).copied().unwrap_or(0)
    }

    /// What it means, now that it has ended.
    pub(super) fn meaning(&self, end: char) -> Option<Heard> {
        if self.between {
            return None;
        }
        match (self.private, end) {
            (Some('<'), 'M' | 'm') => self.mouse(end == 'M', self.number(0)),
            (None, 'M') => self.mouse(true, self.number(0).saturating_sub(32)),
            (Some('?'), 'c') => Some(Heard::Answer(Answer::Class(self.number(0)))),
            (Some(_), _) => None,
            // 0: all is well; 3: not quite, but it has read so far.
            (None, 'n') => matches!(self.number(0), 0 | 3).then_some(Heard::Answer(Answer::Here)),
            (None, 'R') if self.count >= 2 => Some(Heard::Answer(Answer::Cursor {
                row: self.number(0).saturating_sub(1),
                column: self.number(1).saturating_sub(1),
            })),
            (None, end) => self.key(end).map(|key| Heard::Input(Input::Key(key))),
        }
    }

    fn key(&self, end: char) -> Option<Key> {
        let with = |code: Code, modifier: u16| modified(code, modifier, self.alt);
        match end {
            '~' if self.number(0) == 27 && self.count == 3 => {
                typed(self.number(2), self.number(1), self.alt)
            }
            '~' => Some(with(numbered(self.number(0))?, self.number(1))),
            // rxvt: Shift, Control, both.
            '$' => Some(with(numbered(self.number(0))?, 2)),
            '^' | '@' => Some(with(numbered(self.number(0))?, 5)),
            'a'..='d' => Some(with(lettered(end.to_ascii_uppercase())?, 2)),
            'u' => typed(self.number(0), self.number(1), self.alt),
            'Z' => Some(with(Code::BackTab, 0)),
            end => Some(with(lettered(end)?, self.number(1))),
        }
    }

    fn mouse(&self, pressed: bool, button: u16) -> Option<Heard> {
        let at = (
            self.number(1).saturating_sub(1),
            self.number(2).saturating_sub(1),
        );
        let input = mouse(pressed, button, at);
        input.filter(|_| self.count >= 3).map(Heard::Input)
    }
}

/// The mouse as three bytes say it, 32 above their value so that none is a control.
pub(super) fn mouse_of_bytes(bytes: [u8; 3]) -> Option<Input> {
    let [button, x, y] = bytes.map(|byte| u16::from(byte).saturating_sub(32));
    mouse(true, button, (x.saturating_sub(1), y.saturating_sub(1)))
}

fn mouse(pressed: bool, button: u16, (x, y): (u16, u16)) -> Option<Input> {
    // Shift, Alt and Control are in 4, 8 and 16; 32 is a movement.
    let did = match button & !0b1_1100 {
        0 if pressed => MouseDid::Press,
        64 if pressed => MouseDid::WheelUp,
        65 if pressed => MouseDid::WheelDown,
        _ => return None,
    };
    Some(Input::Mouse(Mouse { x, y, did }))
}

/// What follows `ESC O`: cursor and function keys, and the keypad in its application mode.
pub(super) fn of_ss3(c: char, modifier: u16, alt: bool) -> Option<Input> {
    let (code, modifier) = match c {
        'M' => (Code::Enter, modifier),
        'I' => (Code::Tab, modifier),
        'X' => (Code::Char('='), modifier),
        'j'..='y' => (Code::Char(keypad(c)), modifier),
        ' ' => (Code::Char(' '), modifier),
        // rxvt: with Control.
        'a'..='d' => (lettered(c.to_ascii_uppercase())?, 5),
        c => (lettered(c)?, modifier),
    };
    Some(Input::Key(modified(code, modifier, alt)))
}

fn keypad(c: char) -> char {
    match c {
        'j' => '*',
        'k' => '+',
        'l' => ',',
        'm' => '-',
        'n' => '.',
        'o' => '/',
        // 'p' to 'y'.
        digit => char::from(b'0'.saturating_add((digit as u8).saturating_sub(b'p'))),
    }
}

fn lettered(end: char) -> Option<Code> {
    Some(match end {
        'A' => Code::Up,
        'B' => Code::Down,
        'C' => Code::Right,
        'D' => Code::Left,
        'F' => Code::End,
        'H' => Code::Home,
        'P' => Code::F(1),
        'Q' => Code::F(2),
        'R' => Code::F(3),
        'S' => Code::F(4),
        _ => return None,
    })
}

/// The keys that a VT220 numbers. Its Find and Select are where others have Home and End.
fn numbered(number: u16) -> Option<Code> {
    Some(match number {
        1 | 7 => Code::Home,
        2 => Code::Insert,
        3 => Code::Delete,
        4 | 8 => Code::End,
        5 => Code::PageUp,
        6 => Code::PageDown,
        // There are gaps where the keyboard has them.
        11..=15 => function(number - 10),
        17..=21 => function(number - 11),
        23..=26 => function(number - 12),
        28 | 29 => function(number - 13),
        31..=34 => function(number - 14),
        _ => return None,
    })
}

fn function(number: u16) -> Code {
    Code::F(u8::try_from(number).unwrap_or(0))
}

/// A key with its modifiers as xterm counts them: 1, and 1 for Shift, 2 for Alt, 4 for Control, 8 for Meta.
fn modified(code: Code, modifier: u16, alt: bool) -> Key {
    let bits = modifier.saturating_sub(1);
    let code = match code {
        Code::Tab if bits & 1 != 0 => Code::BackTab,
        code => code,
    };
    Key {
        code,
        ctrl: bits & 4 != 0,
        alt: alt || bits & (2 | 8) != 0,
    }
    .normal()
}

/// A key that a terminal names by the character it would type.
fn typed(number: u16, modifier: u16, alt: bool) -> Option<Key> {
    let code = match char::from_u32(u32::from(number))? {
        '\x1b' => Code::Esc,
        '\r' | '\n' => Code::Enter,
        '\t' => Code::Tab,
        '\x08' | '\x7f' => Code::Backspace,
        c if c.is_control() => return None,
        c => Code::Char(c),
    };
    Some(modified(code, modifier, alt))
}
