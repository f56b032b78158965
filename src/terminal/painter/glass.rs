//! A terminal emulator that somebody else wrote, and what a frame should look like on it.

use std::num::NonZeroU16;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::text::visible;
use crate::terminal::Profile;
use crate::tui::{Charset, Colours};

/// What the emulator could not do with the bytes.
#[derive(Debug, Default)]
struct Complaints(Vec<String>);

impl vt100::Callbacks for Complaints {
    fn unhandled_char(&mut self, _: &mut vt100::Screen, c: char) {
        self.0.push(format!("character {c:?}"));
    }

    fn unhandled_control(&mut self, _: &mut vt100::Screen, byte: u8) {
        self.0.push(format!("control {byte:#x}"));
    }

    fn unhandled_escape(&mut self, _: &mut vt100::Screen, a: Option<u8>, _: Option<u8>, end: u8) {
        self.0.push(format!("escape {a:?} {end:#x}"));
    }

    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        a: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        end: char,
    ) {
        if parameters != [[2026]] {
            self.0.push(format!("{a:?} {parameters:?} {end:?}"));
        }
    }

    fn unhandled_osc(&mut self, _: &mut vt100::Screen, _: &[&[u8]]) {
        self.0.push("a string".to_owned());
    }

    fn resize(&mut self, _: &mut vt100::Screen, _: (u16, u16)) {
        self.0.push("a resize".to_owned());
    }
}

/// A terminal of that profile. What the emulator has not (drawing set, Latin-1, the replacement character) is turned
/// into what it has.
pub struct Glass {
    profile: Profile,
    drawing: bool,
    emulator: vt100::Parser<Complaints>,
}

/// The emulator shows nothing for a replacement character: this is shown instead.
const REPLACED: char = '¿';

impl Glass {
    pub fn new(profile: Profile, width: u16, height: u16) -> Glass {
        let (rows, columns) = (size(height), size(width));
        Glass {
            profile,
            drawing: false,
            emulator: vt100::Parser::new_with_callbacks(rows, columns, 0, Complaints::default()),
        }
    }

    pub fn resize(&mut self, width: u16, height: u16) {
        self.emulator
            .screen_mut()
            .set_size(size(height), size(width));
    }

    pub fn takes(&mut self, bytes: &[u8]) {
        let seven_bits = matches!(self.profile.charset, Charset::Ascii | Charset::Dec);
        assert!(!seven_bits || bytes.is_ascii());
        let text = match self.profile.charset {
            Charset::Unicode => std::str::from_utf8(bytes).unwrap().to_owned(),
            _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
        };
        let text = text.replace('\u{FFFD}', &REPLACED.to_string());
        let text = text.replace("\x1b(B", "").replace("\x1b)0", "");
        let mut out = String::new();
        // Letters of a control sequence are not drawn.
        let mut sequence = false;
        for c in text.chars() {
            match c {
                '\x0e' => self.drawing = true,
                '\x0f' => self.drawing = false,
                '\x1b' => {
                    sequence = true;
                    out.push(c);
                }
                c if sequence => {
                    sequence = !c.is_ascii_alphabetic();
                    out.push(c);
                }
                c if self.drawing && ('`'..='~').contains(&c) => out.push(drawn(c)),
                c => out.push(c),
            }
        }
        self.emulator.process(out.as_bytes());
        let complaints = &self.emulator.callbacks().0;
        assert!(complaints.is_empty(), "{complaints:?}: {text:?}");
    }

    /// What differs from the frame, as words; empty when nothing does.
    pub fn differs(&self, frame: &Buffer, cursor: Option<Position>) -> String {
        let screen = self.emulator.screen();
        let mut wrong = String::new();
        for (x, y, text, style) in expected(frame, self.profile) {
            let last = (x + 1, y + 1) == (frame.area.width, frame.area.height);
            if last && !self.profile.scrolls {
                continue;
            }
            let cell = screen.cell(y, x).unwrap();
            let shown = if cell.has_contents() {
                cell.contents()
            } else {
                " "
            };
            let is = look(cell, shown);
            let wanted = if text == " " {
                blank(&style)
            } else {
                style.clone()
            };
            if shown != text || is != wanted {
                wrong += &format!("({x},{y}): {shown:?} {is}, not {text:?} {wanted}\n");
            }
        }
        if self.profile.hides_cursor && screen.hide_cursor() != cursor.is_none() {
            wrong += "the cursor\n";
        }
        if let Some(at) = cursor
            && screen.cursor_position() != (at.y, at.x)
        {
            wrong += &format!("cursor {:?}, not {at:?}\n", screen.cursor_position());
        }
        wrong
    }
}

fn size(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

/// Source: the VT100 User Guide, table 3-9.
fn drawn(c: char) -> char {
    match c {
        'q' => '─',
        'x' => '│',
        'a' => '▒',
        '~' => '·',
        'y' => '≤',
        'f' => '°',
        'g' => '±',
        other => panic!("{other} is not expected in the drawing set"),
    }
}

/// Colours and attributes of a cell in words; of a blank one only what can be seen.
fn look(cell: &vt100::Cell, shown: &str) -> String {
    let style = format!(
        "{} {} {}{}{}",
        name(cell.fgcolor()),
        name(cell.bgcolor()),
        if cell.bold() { "B" } else { "" },
        if cell.underline() { "U" } else { "" },
        if cell.inverse() { "R" } else { "" },
    );
    if shown == " " { blank(&style) } else { style }
}

/// The colour and weight of a letter that is not there.
fn blank(style: &str) -> String {
    let parts: Vec<&str> = style.split(' ').collect();
    if parts[2].contains('R') || parts[2].contains('U') {
        return style.to_owned();
    }
    format!("- {} ", parts[1])
}

fn name(colour: vt100::Color) -> String {
    match colour {
        vt100::Color::Default => "-".to_owned(),
        vt100::Color::Idx(n) => n.to_string(),
        vt100::Color::Rgb(r, g, b) => format!("{r}/{g}/{b}"),
    }
}

fn colour(colour: Color, profile: Profile) -> String {
    let sixteen = |n: u8| match profile.colours {
        Colours::None => "-".to_owned(),
        Colours::Eight => (n % 8).to_string(),
        _ => n.to_string(),
    };
    match colour {
        Color::Red => sixteen(1),
        Color::LightRed => sixteen(9),
        Color::Cyan => sixteen(6),
        Color::Indexed(n) if matches!(profile.colours, Colours::Many | Colours::True) => {
            n.to_string()
        }
        Color::Rgb(r, g, b) if profile.colours == Colours::True => format!("{r}/{g}/{b}"),
        _ => "-".to_owned(),
    }
}

/// What each column must show, worked out from the frame alone.
fn expected(frame: &Buffer, profile: Profile) -> Vec<(u16, u16, String, String)> {
    let mut cells = Vec::new();
    for y in 0..frame.area.height {
        let mut x = 0;
        while x < frame.area.width {
            let cell = &frame[(x, y)];
            let room = usize::from(frame.area.width - x);
            let columns = cell.symbol().width().clamp(1, room);
            let style = format!(
                "{} {} {}{}{}",
                colour(cell.fg, profile),
                colour(cell.bg, profile),
                if cell.modifier.contains(Modifier::BOLD) {
                    "B"
                } else {
                    ""
                },
                if cell.modifier.contains(Modifier::UNDERLINED) {
                    "U"
                } else {
                    ""
                },
                if cell.modifier.contains(Modifier::REVERSED) {
                    "R"
                } else {
                    ""
                },
            );
            let parts = match profile.charset {
                Charset::Unicode => one_by_one(cell.symbol(), columns),
                charset => {
                    let text = charset.text(cell.symbol()).into_owned();
                    text.chars().take(columns).map(String::from).collect()
                }
            };
            for column in 0..columns {
                let text = parts.get(column).map_or(" ", String::as_str);
                // The second half of a wide one is nothing by itself.
                if !text.is_empty() {
                    let at = x + u16::try_from(column).unwrap();
                    cells.push((at, y, text.to_owned(), style.clone()));
                }
            }
            x += columns as u16;
        }
    }
    cells
}

/// As terminals count: one character after the other, marks with the one before.
fn one_by_one(symbol: &str, columns: usize) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for c in visible(symbol)
        .replace('\u{FFFD}', &REPLACED.to_string())
        .chars()
    {
        let wide = c.width().unwrap_or(0);
        if parts.len() + wide > columns.min(2) {
            break;
        }
        match (wide, parts.last_mut()) {
            (0, Some(last)) => last.push(c),
            (0, None) => {}
            (wide, _) => {
                parts.push(c.to_string());
                parts.extend((1..wide).map(|_| String::new()));
            }
        }
    }
    parts
}
