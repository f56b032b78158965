//! Bytes from a terminal as keys, pastes, the mouse and answers.
//!
//! A state machine that is fed as the bytes come, in whatever pieces: it does no I/O and reads no clock. What cannot be
//! told from the bytes alone, an Escape from the beginning of a sequence, is told by the time between them, which the
//! caller passes in. Whatever is fed, it keeps a few bytes and at most one paste of bounded length.

mod sequence;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use super::input::Input;
use crate::domain::text::REPLACEMENT;
use crate::tui::{Charset, Code, Key};
use sequence::Csi;

/// After this an Escape was the key, not the beginning of a sequence. Terminals send a sequence in one piece; networks
/// may still cut it in two.
pub const ESCAPE: Duration = Duration::from_millis(75);
/// After this the rest of a sequence, or of a character, does not come any more.
pub const REST: Duration = Duration::from_millis(500);
/// After this the rest of a paste does not come any more.
pub const PASTE_REST: Duration = Duration::from_secs(5);
/// Bytes of a paste that are kept. No code, note or reason is as long; what is beyond is left out.
pub const PASTE: usize = 4096;

/// What ends a paste.
const PASTE_END: &[char] = &['\x1b', '[', '2', '0', '1', '~'];

/// What a terminal sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// From the person.
    Input(Input),
    /// From the terminal itself.
    Answer(Answer),
}

/// What a terminal answers when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// To `ESC[5n`: it has read all that was written before the question.
    Here,
    /// To `ESC[6n`: where its cursor stands, from 0.
    Cursor {
        /// Row.
        row: u16,
        /// Column.
        column: u16,
    },
    /// To `ESC[c`: what class of terminal it says it is (1: VT100, 62: VT220).
    Class(u16),
}

/// How bytes above 0x7F are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// As UTF-8.
    Utf8,
    /// As Latin-1 with the 8-bit controls of VT terminals.
    Latin1,
    /// As UTF-8 where they are that, else as Latin-1: the terminal has not said.
    Guess,
}

impl Reading {
    fn of(charset: Charset) -> Reading {
        match charset {
            Charset::Unicode => Reading::Utf8,
            Charset::Latin1 => Reading::Latin1,
            Charset::Dec | Charset::Ascii => Reading::Guess,
        }
    }
}

/// In the middle of what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    /// After an Escape, or after two of them: some terminals send Alt so.
    Escape {
        twice: bool,
    },
    /// After `ESC O`: keypads and function keys, with a modifier in between from some.
    Ss3 {
        alt: bool,
        modifier: u16,
    },
    /// After `ESC [`.
    Csi(Csi),
    /// After `ESC [ [`: the console of Linux.
    Console {
        alt: bool,
    },
    /// After `ESC [ M`: three bytes follow that say what the mouse did.
    Mouse {
        got: u8,
        bytes: [u8; 3],
    },
    /// In a string that nobody asked for, up to its end.
    Text {
        escape: bool,
    },
    /// In a paste; so many characters of its end have come.
    Paste {
        matched: usize,
    },
}

/// Makes events out of bytes.
#[derive(Debug)]
pub struct Decoder {
    reading: Reading,
    state: State,
    /// The first bytes of a character of several.
    part: [u8; 4],
    have: usize,
    pasted: String,
    /// When the last byte came.
    last: Option<Instant>,
    /// The last character was Return: a line feed at once after it belongs to it.
    returned: bool,
}

impl Decoder {
    /// A decoder for a terminal of that charset.
    pub fn new(charset: Charset) -> Decoder {
        Decoder {
            reading: Reading::of(charset),
            state: State::Ground,
            part: [0; 4],
            have: 0,
            pasted: String::new(),
            last: None,
            returned: false,
        }
    }

    /// From the next character on the terminal writes in that charset.
    pub fn read_as(&mut self, charset: Charset) {
        self.reading = Reading::of(charset);
        // A part of a character of the other one is no part of this.
        self.have = 0;
    }

    /// Takes bytes that came at `now`, and adds what they mean to `heard`.
    pub fn feed(&mut self, bytes: &[u8], now: Instant, heard: &mut Vec<Heard>) {
        self.expire(now, heard);
        if self.last.is_none_or(|last| now >= last + ESCAPE) {
            self.returned = false;
        }
        for byte in bytes {
            self.byte(*byte, heard);
        }
        if !bytes.is_empty() {
            self.last = Some(now);
        }
    }

    /// When to call [`Decoder::expire`] if nothing comes before: something is begun that may never be finished.
    pub fn deadline(&self) -> Option<Instant> {
        let wait = match self.state {
            State::Ground if self.have == 0 => return None,
            State::Escape { .. } => ESCAPE,
            State::Paste { .. } => PASTE_REST,
            _ => REST,
        };
        self.last.map(|last| last + wait)
    }

    /// Gives up what was begun, if its time is over at `now`.
    pub fn expire(&mut self, now: Instant, heard: &mut Vec<Heard>) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        if self.have > 0 {
            self.give_up_part(heard);
        }
        match std::mem::replace(&mut self.state, State::Ground) {
            State::Escape { twice } => {
                for _ in 0..=u8::from(twice) {
                    key(Code::Esc, false, heard);
                }
            }
            // Somebody pressed these keys.
            State::Ss3 { modifier: 0, .. } => key(Code::Char('O'), true, heard),
            State::Csi(csi) if csi.is_empty() => key(Code::Char('['), true, heard),
            State::Paste { .. } => self.end_paste(heard),
            _ => {}
        }
    }

    fn byte(&mut self, byte: u8, heard: &mut Vec<Heard>) {
        if let State::Mouse { got, mut bytes } = self.state {
            // Places, not characters.
            bytes[usize::from(got)] = byte;
            self.state = State::Mouse {
                got: got + 1,
                bytes,
            };
            if got == 2 {
                self.state = State::Ground;
                heard.extend(sequence::mouse_of_bytes(bytes).map(Heard::Input));
            }
            return;
        }
        if self.reading == Reading::Latin1 {
            return self.char(char::from(byte), heard);
        }
        match (self.have, byte) {
            (0, 0..=0x7F) => self.char(char::from(byte), heard),
            (0, 0xC2..=0xF4) => {
                self.part[0] = byte;
                self.have = 1;
            }
            (0, _) => self.stray(byte, heard),
            (have, _) => {
                self.part[have] = byte;
                match std::str::from_utf8(&self.part[..=have]) {
                    Ok(text) => {
                        let c = text.chars().next().unwrap_or(REPLACEMENT);
                        self.have = 0;
                        self.char(c, heard);
                    }
                    Err(error) if error.error_len().is_none() && have < 3 => self.have += 1,
                    Err(_) => {
                        self.give_up_part(heard);
                        self.byte(byte, heard);
                    }
                }
            }
        }
    }

    /// A byte that is no part of a character.
    fn stray(&mut self, byte: u8, heard: &mut Vec<Heard>) {
        match self.reading {
            Reading::Utf8 => self.char(REPLACEMENT, heard),
            Reading::Latin1 | Reading::Guess => self.char(char::from(byte), heard),
        }
    }

    /// The rest of a character does not come.
    fn give_up_part(&mut self, heard: &mut Vec<Heard>) {
        let have = std::mem::take(&mut self.have);
        let part = self.part;
        match self.reading {
            // One character that cannot be read.
            Reading::Utf8 => self.char(REPLACEMENT, heard),
            Reading::Latin1 | Reading::Guess => {
                for byte in &part[..have] {
                    self.char(char::from(*byte), heard);
                }
            }
        }
    }

    fn char(&mut self, c: char, heard: &mut Vec<Heard>) {
        match self.state {
            State::Ground => self.ground(c, heard),
            State::Escape { twice } => self.after_escape(c, twice, heard),
            State::Ss3 { alt, modifier } => self.after_ss3(c, alt, modifier, heard),
            State::Csi(csi) => self.in_csi(c, csi, heard),
            State::Console { alt } => {
                self.state = State::Ground;
                match c {
                    'A'..='E' => key(Code::F(c as u8 - b'A' + 1), alt, heard),
                    c if c.is_control() => self.ground(c, heard),
                    _ => {}
                }
            }
            State::Text { escape } => self.in_text(c, escape, heard),
            State::Paste { matched } => self.in_paste(c, matched, heard),
            // Bytes, which do not come here.
            State::Mouse { .. } => {}
        }
    }

    fn ground(&mut self, c: char, heard: &mut Vec<Heard>) {
        self.state = match c {
            '\x1b' => State::Escape { twice: false },
            '\u{8f}' => State::Ss3 {
                alt: false,
                modifier: 0,
            },
            '\u{9b}' => State::Csi(Csi::begun(false)),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => State::Text { escape: false },
            '\u{80}'..='\u{9f}' => State::Ground,
            c => {
                self.plain(c, false, heard);
                return;
            }
        };
    }

    /// A character that stands for itself.
    fn plain(&mut self, c: char, alt: bool, heard: &mut Vec<Heard>) {
        self.state = State::Ground;
        let returned = std::mem::replace(&mut self.returned, c == '\r');
        let with_ctrl = |c: u8| Key {
            alt,
            ..Key::ctrl(char::from(c + 0x60))
        };
        let pressed = match c {
            // Fillers of old lines, and the second half of CR LF, as some scanners end a code.
            '\0' => return,
            '\n' if returned => return,
            '\r' | '\n' => Key {
                alt,
                ..Key::of(Code::Enter)
            },
            '\t' => Key {
                alt,
                ..Key::of(Code::Tab)
            },
            '\x08' | '\x7f' => Key {
                alt,
                ..Key::of(Code::Backspace)
            },
            '\x01'..='\x1a' => with_ctrl(c as u8),
            // The separators in what a scanner reads are characters of the code.
            c => Key {
                alt,
                ..Key::char(c)
            },
        };
        heard.push(Heard::Input(Input::Key(pressed)));
    }

    fn after_escape(&mut self, c: char, twice: bool, heard: &mut Vec<Heard>) {
        self.state = match c {
            '[' => State::Csi(Csi::begun(twice)),
            'O' => State::Ss3 {
                alt: twice,
                modifier: 0,
            },
            '\x1b' => {
                if twice {
                    key(Code::Esc, false, heard);
                }
                State::Escape { twice: true }
            }
            c => {
                if twice {
                    key(Code::Esc, false, heard);
                }
                match c {
                    // The strings of terminals' answers. Nobody asks for one: it must not be typed into a field.
                    'P' | 'X' | ']' | '^' | '_' => State::Text { escape: false },
                    '\u{80}'..='\u{9f}' => return self.ground(c, heard),
                    c => return self.plain(c, true, heard),
                }
            }
        };
    }

    fn after_ss3(&mut self, c: char, alt: bool, modifier: u16, heard: &mut Vec<Heard>) {
        match c {
            '1'..='9' => {
                let modifier = c as u16 - '0' as u16;
                self.state = State::Ss3 { alt, modifier };
            }
            ';' => {}
            c if c.is_control() => self.ground(c, heard),
            c => {
                self.state = State::Ground;
                heard.extend(sequence::of_ss3(c, modifier, alt).map(Heard::Input));
            }
        }
    }

    fn in_csi(&mut self, c: char, mut csi: Csi, heard: &mut Vec<Heard>) {
        match c {
            '[' if csi.is_empty() => self.state = State::Console { alt: csi.alt },
            'M' if csi.is_empty() => {
                if csi.alt {
                    key(Code::Esc, false, heard);
                }
                self.state = State::Mouse {
                    got: 0,
                    bytes: [0; 3],
                }
            }
            '\x20'..='\x3f' if !csi.ends_with(c) => {
                csi.take(c);
                self.state = State::Csi(csi);
            }
            '\x20'..='\x7e' => {
                self.state = State::Ground;
                let meaning = csi.meaning(c);
                // Alt goes with a key. Before anything else it was Escape, pressed while an answer was coming.
                if csi.alt && !matches!(meaning, Some(Heard::Input(Input::Key(_)))) {
                    key(Code::Esc, false, heard);
                }
                heard.extend(meaning);
                if csi.begins_paste(c) {
                    self.state = State::Paste { matched: 0 };
                }
            }
            // What is no part of a sequence ends it, and is what it is.
            c => self.ground(c, heard),
        }
    }

    fn in_text(&mut self, c: char, escape: bool, heard: &mut Vec<Heard>) {
        match c {
            '\x07' | '\u{9c}' => self.state = State::Ground,
            '\\' if escape => self.state = State::Ground,
            _ if escape => self.after_escape(c, false, heard),
            '\x1b' => self.state = State::Text { escape: true },
            // Somebody types: they must not be deaf to it for long.
            '\r' | '\n' | '\x03' | '\x18' | '\x1a' => self.ground(c, heard),
            _ => {}
        }
    }

    fn in_paste(&mut self, c: char, matched: usize, heard: &mut Vec<Heard>) {
        if c == PASTE_END[matched] {
            if matched + 1 == PASTE_END.len() {
                self.state = State::Ground;
                self.end_paste(heard);
            } else {
                self.state = State::Paste {
                    matched: matched + 1,
                };
            }
            return;
        }
        for c in PASTE_END.iter().take(matched).skip(1) {
            self.keep(*c);
        }
        let matched = match c {
            '\x1b' => 1,
            // The same in eight bits.
            '\u{9b}' => 2,
            c => {
                self.keep(c);
                0
            }
        };
        self.state = State::Paste { matched };
    }

    fn keep(&mut self, c: char) {
        if self.pasted.len() + c.len_utf8() <= PASTE && c != '\0' {
            self.pasted.push(c);
        }
    }

    fn end_paste(&mut self, heard: &mut Vec<Heard>) {
        let text = std::mem::take(&mut self.pasted);
        heard.push(Heard::Input(Input::Paste(text)));
    }
}

fn key(code: Code, alt: bool, heard: &mut Vec<Heard>) {
    let key = Key {
        alt,
        ..Key::of(code)
    };
    heard.push(Heard::Input(Input::Key(key)));
}
