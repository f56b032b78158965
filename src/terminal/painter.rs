//! A screen as bytes: it knows what the terminal shows, and writes what has changed, in one piece.

use std::io::{self, Write};

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::Profile;

/// Cells that are drawn again rather than jumped over: a jump costs as many bytes.
const JUMP: u16 = 6;

/// Writes frames to a terminal.
#[derive(Debug)]
pub struct Painter {
    profile: Profile,
    /// What the terminal shows; `None`: not known, so that everything is drawn.
    shown: Option<Buffer>,
    cursor: Option<Position>,
    cursor_known: bool,
    bytes: Vec<u8>,
}

impl Painter {
    /// A painter for a terminal of which nothing is known yet.
    pub fn new(profile: Profile) -> Painter {
        Painter {
            profile,
            shown: None,
            cursor: None,
            cursor_known: false,
            bytes: Vec::new(),
        }
    }

    /// Forgets what is shown: the next frame is drawn whole.
    pub fn forget(&mut self) {
        self.shown = None;
        self.cursor_known = false;
    }

    /// Writes what differs from what is shown; nothing when nothing does.
    ///
    /// # Errors
    /// What the terminal's side says; what is shown is not known then.
    pub fn paint(
        &mut self,
        out: &mut impl Write,
        next: &Buffer,
        cursor: Option<Position>,
    ) -> io::Result<()> {
        self.bytes.clear();
        let known = self.shown.take().filter(|shown| shown.area == next.area);
        let shown = match known {
            Some(shown) => shown,
            None => {
                self.bytes.extend_from_slice(b"\x1b[0m\x1b[2J");
                self.cursor_known = false;
                Buffer::empty(next.area)
            }
        };
        let mut style = None;
        for y in 0..next.area.height {
            self.row(&shown, next, y, &mut style);
        }
        let drew = style.is_some();
        if drew {
            self.bytes.extend_from_slice(b"\x1b[0m");
        }
        self.place_cursor(cursor, drew);
        if self.bytes.is_empty() {
            self.shown = Some(shown);
            return Ok(());
        }
        let written = out.write_all(&self.bytes).and_then(|()| out.flush());
        if let Err(error) = written {
            self.forget();
            return Err(error);
        }
        let mut shown = shown;
        shown.clone_from(next);
        self.shown = Some(shown);
        Ok(())
    }

    fn row(&mut self, shown: &Buffer, next: &Buffer, y: u16, style: &mut Option<Sgr>) {
        let width = next.area.width;
        let at = |x: u16| Position::new(next.area.x + x, next.area.y + y);
        let differs = |x: u16| shown[at(x)] != next[at(x)];
        let wide = |buffer: &Buffer| (0..width).any(|x| buffer[at(x)].symbol().width() > 1);
        let Some(first) = (0..width).find(|x| differs(*x)) else {
            return;
        };
        // A terminal that draws over one half of a wide character blanks the other, which no comparison of cells can
        // know: such a row is drawn anew.
        let whole = wide(shown) || wide(next);
        let first = if whole { 0 } else { first };
        let last = (first..width)
            .rev()
            .find(|x| whole || differs(*x))
            .unwrap_or(first);
        let mut x = first;
        let mut jumped = true;
        while x <= last {
            let cell = &next[at(x)];
            if !whole && !differs(x) && (x..=last.min(x + JUMP)).all(|x| !differs(x)) {
                jumped = true;
                x += 1;
                continue;
            }
            if jumped {
                self.go_to(at(x));
                jumped = false;
            }
            let wanted = Sgr::of(cell);
            if *style != Some(wanted) {
                wanted.write(self.profile, &mut self.bytes);
                *style = Some(wanted);
            }
            let symbol = cell.symbol();
            self.bytes.extend_from_slice(symbol.as_bytes());
            x += u16::try_from(symbol.width()).unwrap_or(1).max(1);
        }
    }

    fn go_to(&mut self, position: Position) {
        // Writing into memory cannot fail.
        let _ = write!(self.bytes, "\x1b[{};{}H", position.y + 1, position.x + 1);
    }

    fn place_cursor(&mut self, cursor: Option<Position>, drew: bool) {
        if self.cursor_known && self.cursor == cursor && !drew {
            return;
        }
        let changed = !self.cursor_known || self.cursor.is_some() != cursor.is_some();
        match cursor {
            Some(position) => {
                self.go_to(position);
                if changed && self.profile.hides_cursor {
                    self.bytes.extend_from_slice(b"\x1b[?25h");
                }
            }
            None if changed && self.profile.hides_cursor => {
                self.bytes.extend_from_slice(b"\x1b[?25l");
            }
            None => {}
        }
        self.cursor = cursor;
        self.cursor_known = true;
    }
}

/// Colours and attributes of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sgr {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Sgr {
    fn of(cell: &Cell) -> Sgr {
        Sgr {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier,
        }
    }

    /// From nothing: short enough, and right whatever was before.
    fn write(self, profile: Profile, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\x1b[0");
        for (modifier, code) in [
            (Modifier::BOLD, 1),
            (Modifier::UNDERLINED, 4),
            (Modifier::REVERSED, 7),
        ] {
            if self.modifier.contains(modifier) {
                let _ = write!(out, ";{code}");
            }
        }
        if profile.colours != crate::tui::Colours::None {
            colour(out, self.fg, 30);
            colour(out, self.bg, 40);
        }
        out.push(b'm');
    }
}

/// `base` is 30 for letters and 40 for what is behind them. The sixteen are written as such: a terminal that knows no
/// 256 colours would read the longer form as attributes.
fn colour(out: &mut Vec<u8>, colour: Color, base: u8) {
    let sixteen = match colour {
        Color::Reset => return,
        Color::Rgb(r, g, b) => {
            let _ = write!(out, ";{};2;{r};{g};{b}", base + 8);
            return;
        }
        Color::Indexed(n) => {
            let _ = write!(out, ";{};5;{n}", base + 8);
            return;
        }
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 60,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightBlue => 64,
        Color::LightMagenta => 65,
        Color::LightCyan => 66,
        Color::White => 67,
    };
    let _ = write!(out, ";{}", base + sixteen);
}

/// The area of a terminal of that size, clamped: 0×0 is a terminal that does not say, and nobody has more than 500 by
/// 500 cells, while somebody may claim to.
pub fn area(width: u16, height: u16) -> Rect {
    match (width, height) {
        (0, 0) => Rect::new(0, 0, 80, 24),
        (width, height) => Rect::new(0, 0, width.min(500), height.min(500)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{Charset, Colours};
    use proptest::prelude::*;
    use ratatui::style::Style;

    fn profile(colours: Colours) -> Profile {
        Profile {
            colours,
            charset: Charset::Unicode,
            alternate: true,
            hides_cursor: true,
            reports: true,
        }
    }

    fn frame(text: &[&str]) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 3));
        for (y, line) in (0..).zip(text) {
            buffer.set_stringn(0, y, line, 20, Style::new().fg(Color::LightRed));
        }
        buffer
    }

    fn painted(painter: &mut Painter, frame: &Buffer) -> Vec<u8> {
        let mut out = Vec::new();
        painter.paint(&mut out, frame, None).unwrap();
        out
    }

    #[test]
    fn nothing_is_written_when_nothing_changed() {
        let mut painter = Painter::new(profile(Colours::Sixteen));
        let screen = frame(&["one", "two"]);
        assert!(!painted(&mut painter, &screen).is_empty());
        assert!(painted(&mut painter, &screen).is_empty());
        let letter = painted(&mut painter, &frame(&["one", "twx"]));
        assert_eq!(letter, b"\x1b[2;3H\x1b[0;91mx\x1b[0m");
        painter.forget();
        assert!(painted(&mut painter, &screen).starts_with(b"\x1b[0m\x1b[2J"));
    }

    #[test]
    fn a_terminal_without_colours_is_sent_none() {
        let mut painter = Painter::new(profile(Colours::None));
        let bytes = String::from_utf8(painted(&mut painter, &frame(&["late"]))).unwrap();
        assert!(!bytes.contains("9"), "{bytes:?}");
    }

    #[test]
    fn sizes_are_clamped() {
        assert_eq!(area(0, 0), Rect::new(0, 0, 80, 24));
        assert_eq!(area(65000, 65000), Rect::new(0, 0, 500, 500));
        assert_eq!(area(1, 0), Rect::new(0, 0, 1, 0));
    }

    fn line() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            proptest::sample::select(vec!["a", "b", " ", "é", "山", "e\u{301}", "한", "…"]),
            0..20,
        )
        .prop_map(|parts| parts.concat())
    }

    fn blank() -> vt100::Parser {
        vt100::Parser::new(3.try_into().unwrap(), 20.try_into().unwrap(), 0)
    }

    /// As a person sees it: a blank that was written looks like one that never was.
    fn seen(terminal: &vt100::Parser) -> String {
        let lines = terminal.screen().contents();
        let lines: Vec<&str> = lines.lines().map(str::trim_end).collect();
        lines.join("\n").trim_end().to_owned()
    }

    proptest! {
        /// Whatever came before, the terminal shows what a fresh one would.
        #[test]
        fn frame_after_frame_shows_the_last(frames in proptest::collection::vec(proptest::collection::vec(line(), 3), 1..8)) {
            let mut painter = Painter::new(profile(Colours::Sixteen));
            let mut screen = blank();
            for lines in &frames {
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                screen.process(&painted(&mut painter, &frame(&lines)));
            }
            let last: Vec<&str> = frames.last().unwrap().iter().map(String::as_str).collect();
            let mut fresh = blank();
            fresh.process(&painted(&mut Painter::new(profile(Colours::Sixteen)), &frame(&last)));
            prop_assert_eq!(seen(&screen), seen(&fresh));
        }
    }
}
