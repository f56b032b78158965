//! What one column of one row shows, in few bytes, because every session keeps a screen of them.

use std::collections::HashMap;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::text::visible;
use crate::terminal::Profile;
use crate::tui::{Charset, Colours};

/// Characters made of several that one painter remembers. A screen of 80 by 24 has fewer cells.
pub(super) const CLUSTERS: usize = 2048;
/// Styles that it remembers: so many that only what draws all colours in turn comes so far.
const STYLES: usize = 512;

/// The bit of a number that stands for a character of several parts; without it the number is the character itself.
const CLUSTER: u32 = 0x0080_0000;

/// A colour as the terminal is told it: nothing, one of the first sixteen, of 256, or 24 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Ink(u32);

/// What an [`Ink`] says.
pub(super) enum Kind {
    Reset,
    Sixteen(u8),
    Indexed(u8),
    Rgb(u8, u8, u8),
}

impl Ink {
    /// The colour as far as the terminal has it: what it does not have makes no difference and costs no byte.
    fn of(colour: Color, colours: Colours) -> Ink {
        let sixteen = |n: u32| match colours {
            Colours::None => Ink(0),
            Colours::Eight => Ink(1 + n % 8),
            _ => Ink(1 + n),
        };
        match colour {
            Color::Reset => Ink(0),
            Color::Black => sixteen(0),
            Color::Red => sixteen(1),
            Color::Green => sixteen(2),
            Color::Yellow => sixteen(3),
            Color::Blue => sixteen(4),
            Color::Magenta => sixteen(5),
            Color::Cyan => sixteen(6),
            Color::Gray => sixteen(7),
            Color::DarkGray => sixteen(8),
            Color::LightRed => sixteen(9),
            Color::LightGreen => sixteen(10),
            Color::LightYellow => sixteen(11),
            Color::LightBlue => sixteen(12),
            Color::LightMagenta => sixteen(13),
            Color::LightCyan => sixteen(14),
            Color::White => sixteen(15),
            Color::Indexed(n) if n < 16 => sixteen(u32::from(n)),
            Color::Indexed(n) if matches!(colours, Colours::Many | Colours::True) => {
                Ink(0x100 | u32::from(n))
            }
            Color::Rgb(r, g, b) if colours == Colours::True => {
                Ink(0x0100_0000 | u32::from(r) << 16 | u32::from(g) << 8 | u32::from(b))
            }
            Color::Indexed(_) | Color::Rgb(..) => Ink(0),
        }
    }

    pub(super) fn kind(self) -> Kind {
        let [_, r, g, b] = self.0.to_be_bytes();
        match self.0 {
            0 => Kind::Reset,
            n @ 1..=16 => Kind::Sixteen((n - 1) as u8),
            n if n < 0x0100_0000 => Kind::Indexed((n & 0xFF) as u8),
            _ => Kind::Rgb(r, g, b),
        }
    }

    pub(super) fn is_reset(self) -> bool {
        self.0 == 0
    }
}

/// Colours and attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Style {
    pub fg: Ink,
    pub bg: Ink,
    pub bold: bool,
    pub underlined: bool,
    pub reversed: bool,
}

impl Style {
    fn of(cell: &Cell, colours: Colours) -> Style {
        let has = |modifier| cell.modifier.contains(modifier);
        Style {
            fg: Ink::of(cell.fg, colours),
            bg: Ink::of(cell.bg, colours),
            bold: has(Modifier::BOLD),
            underlined: has(Modifier::UNDERLINED),
            reversed: has(Modifier::REVERSED),
        }
    }

    /// Whether a space in it is nothing but the terminal's own background: what erasing leaves.
    pub(super) fn leaves_blank(self) -> bool {
        self.bg.is_reset() && !self.underlined && !self.reversed
    }
}

/// A style by its number among the [`Looks`] of a painter; 0: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Look(u16);

/// One column of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tile {
    /// The number of the character, and in the highest byte its columns.
    glyph: u32,
    look: Look,
}

/// A session keeps one screen of these.
const _: () = assert!(size_of::<Tile>() <= 8);

impl Tile {
    pub(super) const BLANK: Tile = Tile {
        glyph: ' ' as u32 | 1 << 24,
        look: Look(0),
    };

    fn numbered(number: u32, look: Look, width: u8) -> Tile {
        Tile {
            glyph: number | u32::from(width) << 24,
            look,
        }
    }

    /// A number for this tile behind others.
    pub(super) fn mixed_into(self, mark: u64) -> u64 {
        let tile = u64::from(self.glyph) | u64::from(self.look.0) << 32;
        (mark.rotate_left(5) ^ tile).wrapping_mul(0x517C_C1B7_2722_0A95)
    }

    /// Columns of the character that begins here; 0: it is the rest of the one before.
    pub(super) fn width(self) -> u8 {
        (self.glyph >> 24) as u8
    }

    fn number(self) -> u32 {
        self.glyph & 0x00FF_FFFF
    }

    /// The character, unless it is made of several.
    pub(super) fn char(self) -> Option<char> {
        char::from_u32(self.number())
    }

    /// Whether all terminals agree how many columns it takes.
    pub(super) fn is_certain(self) -> bool {
        match (self.char(), self.width()) {
            (Some(_), 1) => true,
            (Some(c), 2) => matches!(c,
                '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}'
                | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FF60}'),
            _ => false,
        }
    }
}

/// What the tiles of a painter only number: characters made of several, and styles.
#[derive(Debug)]
pub(super) struct Looks {
    numbers: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
    /// The first is none at all. A screen has a dozen.
    styles: Vec<Style>,
}

impl Default for Looks {
    fn default() -> Looks {
        Looks {
            numbers: HashMap::new(),
            texts: Vec::new(),
            styles: vec![Style::default()],
        }
    }
}

impl Looks {
    pub(super) fn are_many(&self) -> bool {
        self.texts.len() >= CLUSTERS || self.styles.len() >= STYLES
    }

    #[cfg(test)]
    pub(super) fn clusters(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn text(&self, tile: Tile) -> &str {
        let at = (tile.number() & !CLUSTER) as usize;
        self.texts.get(at).map_or(" ", AsRef::as_ref)
    }

    pub(super) fn style(&self, tile: Tile) -> Style {
        let at = usize::from(tile.look.0);
        self.styles.get(at).copied().unwrap_or_default()
    }

    fn tile(&self, c: char, look: Look, width: u8) -> Tile {
        let tile = Tile::numbered(c as u32, look, width);
        // A space shows neither the colour nor the weight of a letter that is not there.
        if c == ' ' && self.style(tile).leaves_blank() {
            return Tile::BLANK;
        }
        tile
    }

    /// The number of a style; without room for it, that of none.
    fn look(&mut self, style: Style) -> Look {
        let known = self.styles.iter().position(|known| *known == style);
        let at = known.unwrap_or_else(|| {
            self.styles.push(style);
            self.styles.len() - 1
        });
        Look(u16::try_from(at).unwrap_or_default())
    }

    /// The number of this text; without room for it, that of its first character.
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        // Half as much again: what is on a screen at once is not cut short because of what was there before.
        if self.texts.len() >= CLUSTERS + CLUSTERS / 2 {
            return text.chars().next().map_or(' ' as u32, |c| c as u32);
        }
        let number = CLUSTER | u32::try_from(self.texts.len()).unwrap_or(0);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }
}

/// A screen of tiles.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Screen {
    pub width: usize,
    pub height: usize,
    tiles: Vec<Tile>,
}

impl Screen {
    /// Bytes that it takes.
    pub(super) fn kept(&self) -> usize {
        std::mem::size_of_val(self.tiles.as_slice())
    }

    pub(super) fn blank(width: usize, height: usize) -> Screen {
        Screen {
            width,
            height,
            tiles: vec![Tile::BLANK; width * height],
        }
    }

    /// Becomes what a terminal of this profile shows of a frame.
    pub(super) fn take(&mut self, frame: &Buffer, profile: Profile, looks: &mut Looks) {
        let area = frame.area;
        (self.width, self.height) = (usize::from(area.width), usize::from(area.height));
        self.tiles.clear();
        self.tiles.reserve(self.width * self.height);
        if self.width > 0 {
            for row in frame.content.chunks(self.width) {
                push_row(&mut self.tiles, row, profile, looks);
            }
        }
    }

    /// Becomes the other, in the room that there is.
    pub(super) fn copy(&mut self, other: &Screen) {
        (self.width, self.height) = (other.width, other.height);
        self.tiles.clone_from(&other.tiles);
    }

    pub(super) fn cells(&self) -> usize {
        self.tiles.len()
    }

    pub(super) fn row(&self, y: usize) -> &[Tile] {
        let from = y * self.width;
        self.tiles.get(from..from + self.width).unwrap_or_default()
    }

    /// Rows `top` to `bottom` move up by `by`, or down where it is negative; what comes in is blank.
    pub(super) fn scroll(&mut self, top: usize, bottom: usize, by: isize) {
        let Some(rows) = self
            .tiles
            .get_mut(top * self.width..(bottom + 1) * self.width)
        else {
            return;
        };
        let moved = (by.unsigned_abs() * self.width).min(rows.len());
        if by > 0 {
            rows.copy_within(moved.., 0);
            let kept = rows.len() - moved;
            rows[kept..].fill(Tile::BLANK);
        } else {
            rows.copy_within(..rows.len() - moved, moved);
            rows[..moved].fill(Tile::BLANK);
        }
    }
}

fn push_row(tiles: &mut Vec<Tile>, row: &[Cell], profile: Profile, looks: &mut Looks) {
    let mut x = 0;
    let dress = |cell: &Cell| (cell.fg, cell.bg, cell.modifier);
    let mut known = None;
    let mut before: Option<&Cell> = None;
    while let Some(cell) = row.get(x) {
        // Neighbours mostly look alike.
        let look = match known {
            Some((same, look)) if same == dress(cell) => look,
            _ => looks.look(Style::of(cell, profile.colours)),
        };
        known = Some((dress(cell), look));
        let symbol = cell.symbol();
        if let &[byte @ 0x20..=0x7E] = symbol.as_bytes() {
            tiles.push(looks.tile(char::from(byte), look, 1));
            before = None;
            x += 1;
            continue;
        }
        // Lines and bars are one character many times.
        if before == Some(cell)
            && let Some(same) = tiles.last().copied()
        {
            tiles.push(same);
            x += 1;
            continue;
        }
        // A character that does not fit before the edge is not begun.
        let columns = symbol.width().clamp(1, row.len() - x);
        push_character(tiles, symbol, columns, look, profile.charset, looks);
        x += columns;
        before = (columns == 1).then_some(cell);
    }
}

/// Exactly `columns` tiles for one character. This is the last place where anything could reach the terminal that must
/// not: what is unsafe or not in its charset is replaced here, whoever let it through before.
fn push_character(
    tiles: &mut Vec<Tile>,
    symbol: &str,
    columns: usize,
    look: Look,
    charset: Charset,
    looks: &mut Looks,
) {
    let end = tiles.len() + columns;
    if charset == Charset::Unicode {
        let shown = visible(symbol);
        let (kept, width) = fitting(&shown, columns);
        let mut chars = kept.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => tiles.push(looks.tile(c, look, width)),
            (Some(_), Some(_)) => {
                tiles.push(Tile::numbered(looks.number(kept), look, width));
            }
            (None, _) => {}
        }
        let rest = Tile::numbered(0, look, 0);
        tiles.extend((1..width).map(|_| rest));
    } else {
        for c in charset.text(symbol).chars().take(columns) {
            tiles.push(looks.tile(c, look, 1));
        }
    }
    while tiles.len() < end {
        tiles.push(looks.tile(' ', look, 1));
    }
}

/// The beginning of a character that fits into `columns`, and its columns. Terminals count one part after the other, and
/// most of them do not know which parts should melt into one.
fn fitting(text: &str, columns: usize) -> (&str, u8) {
    let mut width = 0;
    for (at, c) in text.char_indices() {
        let wide = c.width().unwrap_or(0);
        if width + wide > columns.min(2) {
            return (&text[..at], width as u8);
        }
        width += wide;
    }
    if width == 0 {
        return ("", 0);
    }
    (text, width as u8)
}
