//! The writing end: it knows where it stands and in which style it writes, and takes the shortest way from one place or
//! style to another that the terminal knows.

use std::io::Write;

use super::tile::{Ink, Kind, Looks, Style, Tile};
use crate::terminal::Profile;
use crate::terminal::profile::SHIFT_IN;
use crate::tui::Charset;

/// To the drawing set.
const SHIFT_OUT: u8 = 0x0E;

#[derive(Debug)]
pub(super) struct Stylus {
    profile: Profile,
    pub bytes: Vec<u8>,
    /// Where the terminal's cursor stands, as far as that is known. After the last column only its row is.
    row: Option<u16>,
    column: Option<u16>,
    style: Option<Style>,
    /// The drawing set is on.
    drawing: bool,
}

impl Stylus {
    pub(super) fn new(profile: Profile) -> Stylus {
        Stylus {
            profile,
            bytes: Vec::new(),
            row: None,
            column: None,
            style: None,
            drawing: false,
        }
    }

    /// Clears the screen, from whatever state the terminal is in.
    pub(super) fn clear_screen(&mut self) {
        if matches!(self.profile.charset, Charset::Dec | Charset::Latin1) {
            self.bytes.extend_from_slice(b"\x1b(B\x1b)0\x0f");
        }
        self.drawing = false;
        self.bytes.extend_from_slice(b"\x1b[m\x1b[2J");
        self.style = Some(Style::default());
        self.lose_place();
    }

    pub(super) fn lose_place(&mut self) {
        self.row = None;
        self.column = None;
    }

    /// Whether a character written now would come to that place.
    pub(super) fn is_at(&self, x: u16, y: u16) -> bool {
        self.row == Some(y) && self.column == Some(x)
    }

    pub(super) fn go_to(&mut self, x: u16, y: u16) {
        if self.is_at(x, y) {
            return;
        }
        let way = self.shortest(x, y);
        self.bytes.extend_from_slice(way.as_bytes());
        self.row = Some(y);
        self.column = Some(x);
    }

    /// Bytes that [`Stylus::go_to`] would take.
    pub(super) fn cost(&self, x: u16, y: u16) -> usize {
        if self.is_at(x, y) {
            return 0;
        }
        self.shortest(x, y).len()
    }

    fn shortest(&self, x: u16, y: u16) -> String {
        let mut best = match (x, y) {
            (0, 0) => "\x1b[H".to_owned(),
            (0, y) => format!("\x1b[{}H", y + 1),
            (x, y) => format!("\x1b[{};{}H", y + 1, x + 1),
        };
        let mut consider = |way: String| {
            if way.len() < best.len() {
                best = way;
            }
        };
        let Some(row) = self.row else {
            return best;
        };
        // Down by line feeds: the rows that are gone to are on the screen, so that nothing scrolls.
        let down = y.checked_sub(row).filter(|rows| *rows <= 6);
        let feeds = down.map(|rows| "\n".repeat(usize::from(rows)));
        if let Some(feeds) = &feeds {
            if x == 0 {
                consider(format!("\r{feeds}"));
            } else {
                consider(format!("\r{feeds}{}", forward(x)));
            }
        }
        let Some(column) = self.column else {
            if row == y && self.profile.jumps {
                consider(format!("\x1b[{}G", x + 1));
            }
            return best;
        };
        let along = if x >= column {
            forward(x - column)
        } else {
            backward(column - x)
        };
        if let Some(feeds) = &feeds {
            consider(format!("{feeds}{along}"));
        }
        if let Some(up) = row.checked_sub(y).filter(|rows| *rows > 0) {
            consider(format!("{}{along}", csi(up, 'A')));
        }
        if self.profile.jumps {
            if row == y {
                consider(format!("\x1b[{}G", x + 1));
            } else if x == column {
                consider(format!("\x1b[{}d", y + 1));
            }
        }
        best
    }

    /// Writes in that style from now on.
    pub(super) fn ink(&mut self, style: Style) {
        if self.style == Some(style) {
            return;
        }
        let mut best = afresh(style);
        if let Some(now) = self.style
            && let Some(codes) = changes(now, style, self.profile.takes_back)
            && codes.len() < best.len()
        {
            best = codes;
        }
        // Writing into memory cannot fail.
        let _ = write!(self.bytes, "\x1b[{best}m");
        self.style = Some(style);
    }

    /// Takes a style in which erasing leaves the terminal's own background.
    pub(super) fn ink_for_blanks(&mut self) {
        if !self.style.is_some_and(Style::leaves_blank) {
            self.ink(Style::default());
        }
    }

    /// Whether this tile can be written without a change of style.
    pub(super) fn suits(&self, tile: Tile, looks: &Looks) -> bool {
        if tile == Tile::BLANK {
            self.style.is_some_and(Style::leaves_blank)
        } else {
            self.style == Some(looks.style(tile))
        }
    }

    /// Writes a character where it stands. `screen` is the terminal's size in columns.
    pub(super) fn put(&mut self, tile: Tile, looks: &Looks, screen: u16) {
        if tile == Tile::BLANK {
            self.ink_for_blanks();
        } else {
            self.ink(looks.style(tile));
        }
        match tile.char() {
            Some(c) => self.char(c),
            None => {
                self.plain_set();
                self.bytes.extend_from_slice(looks.text(tile).as_bytes());
            }
        }
        self.advance(u16::from(tile.width()), tile.is_certain(), screen);
    }

    /// Repeats the character that was just written so many times more.
    pub(super) fn repeat(&mut self, times: u16, screen: u16) {
        let _ = write!(self.bytes, "\x1b[{times}b");
        self.advance(times, true, screen);
    }

    /// Blanks so many columns from here on, and stays here.
    pub(super) fn erase(&mut self, columns: u16) {
        self.ink_for_blanks();
        let _ = write!(self.bytes, "\x1b[{columns}X");
    }

    /// Blanks the rest of the row, and stays here.
    pub(super) fn erase_to_end(&mut self) {
        self.ink_for_blanks();
        self.bytes.extend_from_slice(b"\x1b[K");
    }

    /// Moves rows `top` to `bottom` up by `by`, or down where it is negative.
    pub(super) fn scroll(&mut self, top: u16, bottom: u16, by: i16, height: u16) {
        self.ink_for_blanks();
        let part = (top, bottom) != (0, height.saturating_sub(1));
        if part {
            let _ = write!(self.bytes, "\x1b[{};{}r", top + 1, bottom + 1);
            (self.row, self.column) = (Some(0), Some(0));
        }
        if by > 0 {
            // Straight there: on the way a line feed at the edge of the part would scroll it.
            let _ = write!(self.bytes, "\x1b[{}H", bottom + 1);
        } else {
            let _ = write!(self.bytes, "\x1b[{}H", top + 1);
        }
        for _ in 0..by.unsigned_abs() {
            let step: &[u8] = if by > 0 { b"\n" } else { b"\x1bM" };
            self.bytes.extend_from_slice(step);
        }
        let at = if by > 0 { bottom } else { top };
        (self.row, self.column) = (Some(at), Some(0));
        if part {
            self.bytes.extend_from_slice(b"\x1b[r");
            (self.row, self.column) = (Some(0), Some(0));
        }
    }

    fn advance(&mut self, columns: u16, certain: bool, screen: u16) {
        let to = self.column.map(|column| column + columns);
        let at_edge = to.is_none_or(|to| to >= screen);
        self.column = to.filter(|_| certain && !at_edge);
        // After the last column the cursor waits at its row, on terminals that are known to do so.
        if at_edge && !(certain && self.profile.scrolls) {
            self.row = None;
        }
    }

    fn char(&mut self, c: char) {
        let charset = self.profile.charset;
        if let Some(byte) = charset.drawn(c) {
            if !self.drawing {
                self.bytes.push(SHIFT_OUT);
                self.drawing = true;
            }
            self.bytes.push(byte);
            return;
        }
        // The drawing set has the space too.
        if c != ' ' {
            self.plain_set();
        }
        match (charset, u8::try_from(c)) {
            (Charset::Latin1, Ok(byte)) => self.bytes.push(byte),
            _ => {
                let mut utf8 = [0; 4];
                self.bytes
                    .extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            }
        }
    }

    fn plain_set(&mut self) {
        if std::mem::take(&mut self.drawing) {
            self.bytes.push(SHIFT_IN);
        }
    }
}

fn csi(n: u16, end: char) -> String {
    match n {
        1 => format!("\x1b[{end}"),
        n => format!("\x1b[{n}{end}"),
    }
}

fn forward(columns: u16) -> String {
    match columns {
        0 => String::new(),
        n => csi(n, 'C'),
    }
}

fn backward(columns: u16) -> String {
    match columns {
        // Backspaces.
        1..=3 => "\x08".repeat(usize::from(columns)),
        n => csi(n, 'D'),
    }
}

/// A style from nothing.
fn afresh(style: Style) -> String {
    let mut codes = Vec::new();
    added(Style::default(), style, &mut codes);
    if codes.is_empty() {
        return String::new();
    }
    // No number is 0: back to nothing first.
    format!(";{}", codes.join(";"))
}

/// From one style to another; `None` where the terminal cannot take back what would have to be.
fn changes(from: Style, to: Style, takes_back: bool) -> Option<String> {
    let mut codes = Vec::new();
    for (had, has, code) in [
        (from.bold, to.bold, "22"),
        (from.underlined, to.underlined, "24"),
        (from.reversed, to.reversed, "27"),
    ] {
        if had && !has {
            if !takes_back {
                return None;
            }
            codes.push(code.to_owned());
        }
    }
    added(from, to, &mut codes);
    Some(codes.join(";"))
}

fn added(from: Style, to: Style, codes: &mut Vec<String>) {
    for (had, has, code) in [
        (from.bold, to.bold, "1"),
        (from.underlined, to.underlined, "4"),
        (from.reversed, to.reversed, "7"),
    ] {
        if has && !had {
            codes.push(code.to_owned());
        }
    }
    if from.fg != to.fg {
        codes.push(colour(to.fg, 30));
    }
    if from.bg != to.bg {
        codes.push(colour(to.bg, 40));
    }
}

/// `base` is 30 for letters and 40 for what is behind them. The sixteen are written as such: a terminal that knows no
/// 256 colours would read the longer form as attributes.
fn colour(ink: Ink, base: u8) -> String {
    match ink.kind() {
        Kind::Reset => (base + 9).to_string(),
        Kind::Sixteen(n @ 0..8) => (base + n).to_string(),
        Kind::Sixteen(n) => (base + 60 + n - 8).to_string(),
        Kind::Indexed(n) => format!("{};5;{n}", base + 8),
        Kind::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}
