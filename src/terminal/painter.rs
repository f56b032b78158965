//! A screen as bytes: it knows what the terminal shows, and writes what has changed, in one piece and in as few bytes
//! as the terminal's profile allows.

#[cfg(test)]
mod glass;
mod scroll;
mod speaker;
mod stylus;
#[cfg(test)]
mod tests;
mod tile;

use std::cell::RefCell;
use std::io::{self, Write};

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::Profile;
use speaker::Speaker;
use stylus::Stylus;
use tile::{Looks, Screen, Tile};

/// A frame of more bytes than this is shown at once where the terminal can do that, or drawn without the cursor running
/// about.
const LARGE: usize = 400;
/// The most bytes that a jump takes: `ESC[100;100H`.
const JUMP: usize = 10;
/// Blanks in a row that are rather erased than written.
const BLANKS: usize = 10;
/// What xterm answers to `ESC[c`, and others that draw as it does, or more (VT420: 64).
const REPEATS_ALL: u16 = 63;
/// A screen of more cells is not kept for the next frame of whichever terminal.
const SCRATCH: usize = 200 * 100;

thread_local! {
    /// What the frame that is drawn will look like: room that every painter would take anew for every frame.
    static WANTED: RefCell<Screen> = RefCell::default();
}

/// Writes frames for a terminal.
#[derive(Debug)]
pub struct Painter {
    profile: Profile,
    /// What the terminal shows; `None`: not known, so that everything is drawn.
    shown: Option<Screen>,
    /// Whether the cursor is to be seen, if that is known.
    cursor: Option<bool>,
    stylus: Stylus,
    looks: Looks,
    /// Whatever was written last can be repeated, and not only ASCII.
    repeats_all: bool,
    /// What has been said, where the screen is read aloud.
    speaker: Option<Box<Speaker>>,
}

impl Painter {
    /// A painter for a terminal of which nothing is known yet.
    pub fn new(profile: Profile) -> Painter {
        Painter {
            profile,
            shown: None,
            cursor: None,
            stylus: Stylus::new(profile),
            looks: Looks::default(),
            repeats_all: false,
            speaker: profile.plain.then(Box::default),
        }
    }

    /// The terminal has said what class it is. Some that call themselves xterm, tmux 3.3 among them, do not repeat what is
    /// more than a byte in UTF-8; those that answer like a VT420 do.
    pub fn is_of_class(&mut self, class: u16) {
        self.repeats_all = class >= REPEATS_ALL;
    }

    /// Bytes that it keeps of what is shown.
    pub fn kept(&self) -> usize {
        self.shown.as_ref().map_or(0, Screen::kept)
    }

    /// Forgets what is shown: the next frame is drawn whole.
    pub fn forget(&mut self) {
        self.shown = None;
        self.cursor = None;
        if let Some(speaker) = &mut self.speaker {
            **speaker = Speaker::default();
        }
    }

    /// Writes what differs from what is shown; nothing when nothing does. Says whether anything did.
    ///
    /// # Errors
    /// What the terminal's side says; what is shown is not known then.
    pub fn paint(
        &mut self,
        out: &mut impl Write,
        next: &Buffer,
        cursor: Option<Position>,
    ) -> io::Result<bool> {
        let bytes = self.frame(next, cursor);
        if bytes.is_empty() {
            return Ok(false);
        }
        let written = out.write_all(&bytes).and_then(|()| out.flush());
        if written.is_err() {
            self.forget();
        }
        written.map(|()| true)
    }

    /// The bytes that make the terminal show this, with the cursor there or hidden; none when it does already. They
    /// must all reach it, in this order.
    pub fn frame(&mut self, next: &Buffer, cursor: Option<Position>) -> Vec<u8> {
        if let Some(speaker) = &mut self.speaker {
            return speaker.frame(next, cursor, self.profile.charset);
        }
        let area = next.area;
        if self.looks.are_many() {
            self.looks = Looks::default();
            self.forget();
        }
        WANTED.with_borrow_mut(|wanted| {
            wanted.take(next, self.profile, &mut self.looks);
            self.turn_into(wanted);
            if wanted.cells() > SCRATCH {
                *wanted = Screen::default();
            }
        });
        self.place_cursor(cursor, area);
        self.finish()
    }

    /// Makes what is shown into what is wanted.
    fn turn_into(&mut self, wanted: &Screen) {
        let size = (wanted.width, wanted.height);
        let known = self.shown.take();
        let known = known.filter(|shown| (shown.width, shown.height) == size);
        let mut shown = known.unwrap_or_else(|| {
            self.stylus.clear_screen();
            Screen::blank(wanted.width, wanted.height)
        });
        if shown != *wanted {
            self.scroll(&mut shown, wanted);
            for y in 0..wanted.height {
                let (old, new) = (shown.row(y), wanted.row(y));
                if old != new {
                    self.row(old, new, narrow(y), y + 1 == wanted.height);
                }
            }
            shown.copy(wanted);
        }
        self.shown = Some(shown);
    }

    fn scroll(&mut self, shown: &mut Screen, wanted: &Screen) {
        if !self.profile.scrolls {
            return;
        }
        let Some(scroll) = scroll::find(shown, wanted) else {
            return;
        };
        shown.scroll(scroll.top, scroll.bottom, scroll.by);
        let by = i16::try_from(scroll.by).unwrap_or(0);
        let (top, bottom) = (narrow(scroll.top), narrow(scroll.bottom));
        self.stylus.scroll(top, bottom, by, narrow(wanted.height));
    }

    /// Makes one row out of another.
    fn row(&mut self, old: &[Tile], new: &[Tile], y: u16, last_row: bool) {
        let screen = u16::try_from(new.len()).unwrap_or(u16::MAX);
        let changed = changed(old, new);
        let mut end = new.len();
        if last_row && !self.profile.scrolls {
            // Nobody knows whether it would scroll when its last cell is written.
            end -= 1;
        }
        let blank_from = end - trailing_blanks(&new[..end]);
        let cleared = (blank_from..end).find(|x| changed[*x]);
        // Fewer are written as they are; more than that at once.
        let tail = cleared.filter(|from| {
            let last = (*from..end).rfind(|x| changed[*x]).unwrap_or(*from);
            last - from >= 3
        });
        let end = tail.unwrap_or(end);
        let mut x = 0;
        while let Some(from) = (x..end).find(|x| changed[*x]) {
            self.bridge(new, x, from, y);
            let to = (from..end).find(|x| !changed[*x]).unwrap_or(end);
            self.run(new, from..to, y, screen);
            x = to;
        }
        if let Some(from) = tail {
            self.stylus.go_to(narrow(from), y);
            self.stylus.erase_to_end();
        }
    }

    /// Comes to column `to`, from `from` on which nothing has changed: a few cells are written again where that is
    /// shorter than jumping over them.
    fn bridge(&mut self, new: &[Tile], from: usize, to: usize, y: u16) {
        let gap = &new[from..to];
        let again: usize = gap
            .iter()
            .map(|tile| tile.char().map_or(LARGE, char::len_utf8))
            .sum();
        let simple = again <= JUMP
            && gap
                .iter()
                .all(|tile| tile.width() == 1 && self.stylus.suits(*tile, &self.looks));
        let (from, to) = (narrow(from), narrow(to));
        if simple && self.stylus.cost(from, y) + again <= self.stylus.cost(to, y) {
            self.stylus.go_to(from, y);
            for tile in gap {
                self.stylus.put(*tile, &self.looks, narrow(new.len()));
            }
        }
        self.stylus.go_to(to, y);
    }

    /// Writes the cells of a range, all of them.
    fn run(&mut self, new: &[Tile], range: std::ops::Range<usize>, y: u16, screen: u16) {
        let mut x = range.start;
        while x < range.end {
            let tile = new[x];
            let same = new[x..range.end].iter().take_while(|t| **t == tile).count();
            if tile == Tile::BLANK && !self.profile.repeats && self.profile.erases && same > BLANKS
            {
                self.stylus.go_to(narrow(x), y);
                self.stylus.erase(narrow(same));
                x += same;
                continue;
            }
            self.stylus.go_to(narrow(x), y);
            if !tile.is_certain() && tile.width() > 0 {
                self.clear_under(tile, x, y, screen);
            }
            self.stylus.put(tile, &self.looks, screen);
            let again = same - 1;
            let spelt = again * tile.char().map_or(0, char::len_utf8);
            let repeats = |c: char| c.is_ascii() || self.repeats_all;
            let repeats = self.profile.repeats && tile.char().is_some_and(repeats);
            if repeats && tile.width() == 1 && spelt > 5 {
                self.stylus.repeat(narrow(again), screen);
                x += same;
            } else {
                x += usize::from(tile.width().max(1));
            }
        }
    }

    /// Where terminals do not agree how wide a character is, none of what was there before must stay beside it.
    fn clear_under(&mut self, tile: Tile, x: usize, y: u16, screen: u16) {
        for _ in 0..tile.width() {
            self.stylus.put(Tile::BLANK, &self.looks, screen);
        }
        self.stylus.go_to(narrow(x), y);
    }

    fn place_cursor(&mut self, cursor: Option<Position>, area: Rect) {
        if let Some(position) = cursor {
            let x = position.x.saturating_sub(area.x);
            let y = position.y.saturating_sub(area.y);
            self.stylus.go_to(
                x.min(area.width.saturating_sub(1)),
                y.min(area.height.saturating_sub(1)),
            );
        }
        let seen = cursor.is_some();
        if self.profile.hides_cursor && self.cursor != Some(seen) {
            let order: &[u8] = if seen { b"\x1b[?25h" } else { b"\x1b[?25l" };
            self.stylus.bytes.extend_from_slice(order);
        }
        self.cursor = Some(seen);
    }

    fn finish(&mut self) -> Vec<u8> {
        let bytes = std::mem::take(&mut self.stylus.bytes);
        if bytes.len() <= LARGE {
            return bytes;
        }
        let (before, after): (&[u8], &[u8]) = if self.profile.synchronized {
            (b"\x1b[?2026h", b"\x1b[?2026l")
        } else if self.profile.hides_cursor && self.cursor == Some(true) {
            (b"\x1b[?25l", b"\x1b[?25h")
        } else {
            return bytes;
        };
        [before, &bytes, after].concat()
    }
}

/// Which columns have changed: whole characters, old and new, because a terminal that draws over one half of a wide one
/// blanks the other half.
fn changed(old: &[Tile], new: &[Tile]) -> Vec<bool> {
    let mut changed: Vec<bool> = old.iter().zip(new).map(|(a, b)| a != b).collect();
    let wide = |row: &[Tile]| row.iter().any(|tile| tile.width() != 1);
    if !wide(old) && !wide(new) {
        return changed;
    }
    loop {
        let before = changed.clone();
        for row in [old, new] {
            let mut x = 0;
            while let Some(tile) = row.get(x) {
                let end = (x + usize::from(tile.width().max(1))).min(row.len());
                if changed[x..end].contains(&true) {
                    changed[x..end].fill(true);
                }
                x = end;
            }
        }
        if changed == before {
            return changed;
        }
    }
}

fn trailing_blanks(row: &[Tile]) -> usize {
    row.iter()
        .rev()
        .take_while(|tile| **tile == Tile::BLANK)
        .count()
}

fn narrow(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// The area of a terminal of that size, clamped: 0×0 is a terminal that does not say, and nobody has more than 500 by
/// 500 cells, while somebody may claim to.
pub fn area(width: u16, height: u16) -> Rect {
    match (width, height) {
        (0, 0) => Rect::new(0, 0, 80, 24),
        (width, height) => Rect::new(0, 0, width.min(500), height.min(500)),
    }
}
