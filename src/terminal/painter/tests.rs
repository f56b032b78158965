//! The painter against a terminal emulator that somebody else wrote: whatever frames came before, the screen is what
//! was asked for.

use proptest::prelude::*;
use ratatui::style::{Color, Modifier, Style};

use super::glass::Glass;
use super::*;

fn profile(term: &str, locale: &str) -> Profile {
    Profile::of(|name| match name {
        "TERM" => Some(term.to_owned()),
        "LANG" => Some(locale.to_owned()),
        _ => None,
    })
}

fn profiles() -> Vec<Profile> {
    let utf8 = "de_DE.UTF-8";
    let mut all: Vec<Profile> = [
        "xterm-256color",
        "xterm",
        "xterm-direct",
        "screen",
        "tmux-256color",
        "putty",
        "foot",
        "linux",
        "vt100",
        "vt220",
        "wyse60",
    ]
    .iter()
    .map(|term| profile(term, utf8))
    .collect();
    all.push(profile("vt220", "de_DE.ISO-8859-1"));
    all.push(profile("xterm", "de_DE.ISO-8859-1"));
    all.push(profile("xterm", "C"));
    all
}

/// Something that happens to a frame.
#[derive(Debug, Clone)]
enum Change {
    Text(u16, u16, Vec<&'static str>, Style),
    Cell(u16, u16, &'static str),
    Scroll(u16, u16, i16),
    Restyle(u16, Style),
    Rule(u16),
    Clear,
    Resize(u16, u16),
    Forget,
}

const LETTERS: &[&str] = &[
    "a",
    "b",
    " ",
    "     ",
    "é",
    "ß",
    "µ",
    "山",
    "林",
    "e\u{301}",
    "한",
    "…",
    "·",
    "─────────",
    "≤",
    "👍",
    "Ж",
    "            ",
    "word",
];
/// What a program that forgot to make it safe would put into a cell.
const HOSTILE: &[&str] = &[
    "\x1b",
    "\x1b[31m",
    "\u{9b}2J",
    "\n",
    "\u{202e}",
    "\u{7f}",
    "\x0e",
    "\u{fffd}",
    "\x1b]0;x\x07",
    "",
];

fn style() -> impl Strategy<Value = Style> {
    let colours = prop::sample::select(vec![
        Color::Reset,
        Color::Red,
        Color::LightRed,
        Color::Cyan,
        Color::Indexed(203),
        Color::Rgb(1, 200, 3),
    ]);
    (colours.clone(), colours, 0u8..8, 0u8..4).prop_map(|(fg, bg, bits, plain)| {
        if plain > 0 {
            return Style::new();
        }
        let mut modifier = Modifier::empty();
        modifier.set(Modifier::BOLD, bits & 1 != 0);
        modifier.set(Modifier::UNDERLINED, bits & 2 != 0);
        modifier.set(Modifier::REVERSED, bits & 4 != 0);
        Style::new().fg(fg).bg(bg).add_modifier(modifier)
    })
}

fn change() -> impl Strategy<Value = Change> {
    let text = prop::collection::vec(prop::sample::select(LETTERS), 0..20);
    let place = (0u16..40, 0u16..12);
    prop_oneof![
        8 => (place.clone(), text, style()).prop_map(|((x, y), text, style)| Change::Text(x, y, text, style)),
        1 => (place, prop::sample::select(HOSTILE)).prop_map(|((x, y), text)| Change::Cell(x, y, text)),
        4 => (0u16..12, 0u16..12, -4i16..5).prop_map(|(a, b, by)| Change::Scroll(a, b, by)),
        2 => (0u16..12, style()).prop_map(|(y, style)| Change::Restyle(y, style)),
        1 => (0u16..12).prop_map(Change::Rule),
        1 => Just(Change::Clear),
        1 => (2u16..40, 2u16..12).prop_map(|(w, h)| Change::Resize(w, h)),
        1 => Just(Change::Forget),
    ]
}

fn apply(frame: &mut Buffer, change: &Change) {
    let Rect { width, height, .. } = frame.area;
    match change {
        Change::Text(x, y, text, style) if *x < width && *y < height => {
            frame.set_stringn(*x, *y, text.concat(), usize::from(width - x), *style);
        }
        Change::Cell(x, y, text) if *x < width && *y < height => {
            frame[(*x, *y)].set_symbol(text);
        }
        Change::Scroll(a, b, by) => {
            let (top, bottom) = (*a.min(b), *a.max(b).min(&(height - 1)));
            let old = frame.clone();
            for y in top..=bottom {
                let Some(from) = y.checked_add_signed(*by) else {
                    continue;
                };
                if (top..=bottom).contains(&from) {
                    for x in 0..width {
                        frame[(x, y)] = old[(x, from)].clone();
                    }
                }
            }
        }
        Change::Restyle(y, style) if *y < height => {
            frame.set_style(Rect::new(0, *y, width, 1), *style);
        }
        Change::Rule(y) if *y < height => {
            frame.set_string(0, *y, "─".repeat(usize::from(width)), Style::new());
        }
        Change::Clear => frame.reset(),
        Change::Resize(width, height) => *frame = Buffer::empty(Rect::new(0, 0, *width, *height)),
        _ => {}
    }
}

/// What happens before a frame, and where the cursor is on it.
type Step = (Vec<Change>, Option<(u16, u16)>);

fn follows(profile: Profile, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut frame = Buffer::empty(Rect::new(0, 0, 30, 8));
    let mut painter = Painter::new(profile);
    let mut glass = Glass::new(profile, 30, 8);
    for (changes, cursor) in steps {
        for change in changes {
            apply(&mut frame, change);
            match change {
                Change::Resize(width, height) => glass.resize(*width, *height),
                Change::Forget => painter.forget(),
                _ => {}
            }
        }
        let cursor =
            cursor.map(|(x, y)| Position::new(x % frame.area.width, y % frame.area.height));
        let bytes = painter.frame(&frame, cursor);
        glass.takes(&bytes);
        let wrong = glass.differs(&frame, cursor);
        prop_assert!(
            wrong.is_empty(),
            "{wrong}{:?}",
            String::from_utf8_lossy(&bytes)
        );
        prop_assert!(painter.frame(&frame, cursor).is_empty(), "nothing changed");
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_screen_is_what_was_asked_for(
        which in 0usize..14,
        steps in prop::collection::vec(
            (prop::collection::vec(change(), 1..6), prop::option::of((0u16..40, 0u16..12))),
            1..10,
        ),
    ) {
        follows(profiles()[which], &steps)?;
    }
}

fn frame(text: &[&str]) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 10));
    for (y, line) in (0..).zip(text) {
        buffer.set_stringn(0, y, line, 40, Style::new().fg(Color::LightRed));
    }
    buffer
}

#[test]
fn nothing_is_written_when_nothing_changed() {
    let mut painter = Painter::new(profile("xterm", "C.UTF-8"));
    let screen = frame(&["one", "two"]);
    assert!(painter.frame(&screen, None).starts_with(b"\x1b[m\x1b[2J"));
    assert!(painter.frame(&screen, None).is_empty());
    let letter = painter.frame(&frame(&["one", "twx"]), None);
    assert_eq!(
        letter, b"\x08x",
        "it stands behind the old letter, in its colour"
    );
    painter.forget();
    assert!(painter.frame(&screen, None).starts_with(b"\x1b[m\x1b[2J"));
}

#[test]
fn a_list_that_moved_is_scrolled() {
    let words = ["amoxicillin", "Berta Holm", "ceftriaxone", "12B"];
    let lines: Vec<String> = (0..12)
        .map(|n| format!("{}{} {} {n}", " ".repeat(n), words[n % 4], words[n * 7 % 3]))
        .collect();
    let page = |from: usize| {
        let mut rows = vec!["the title"];
        rows.extend(lines[from..from + 7].iter().map(String::as_str));
        rows.extend(["the foot"]);
        frame(&rows)
    };
    let mut painter = Painter::new(profile("vt100", "C"));
    painter.frame(&page(0), None);
    let down = painter.frame(&page(1), None);
    assert!(down.starts_with(b"\x1b[2;8r\x1b[8H\n\x1b[r"), "{down:?}");
    assert!(down.len() < 64, "{}", down.len());
    let up = painter.frame(&page(0), None);
    assert!(up.starts_with(b"\x1b[2;8r\x1b[2H\x1bM\x1b[r"), "{up:?}");
}

/// A VT100 has no more than these: source, its User Guide, chapter 3.
#[test]
fn a_vt100_is_sent_what_it_knows() {
    let mut painter = Painter::new(profile("vt100", "de_DE.UTF-8"));
    let mut bytes = painter.frame(&frame(&["Müller ─── 5 µg", "", "a"]), None);
    let mut styled = frame(&["a", "b"]);
    styled.set_style(
        Rect::new(0, 0, 3, 1),
        Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED | Modifier::UNDERLINED),
    );
    bytes.extend(painter.frame(&styled, Some(Position::new(3, 3))));
    bytes.extend(painter.frame(&frame(&["", "", "", "", "z"]), None));
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.is_ascii());
    for sequence in text.split('\x1b').skip(1) {
        let end = sequence
            .find(|c: char| c.is_ascii_alphabetic() || c == '0')
            .unwrap();
        let known = match &sequence[..=end] {
            "(B" | ")0" | "[2J" | "[K" | "M" => true,
            other => match other.strip_suffix('m') {
                Some(codes) => codes[1..]
                    .split(';')
                    .all(|code| ["", "0", "1", "4", "7"].contains(&code)),
                None => other.ends_with(['H', 'A', 'B', 'C', 'D', 'r']),
            },
        };
        assert!(known, "{sequence:?}");
    }
}

#[test]
fn what_came_from_data_is_never_an_order() {
    for profile in profiles() {
        for hostile in HOSTILE {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 2));
            buffer[(3, 1)].set_symbol(hostile);
            let bytes = Painter::new(profile).frame(&buffer, None);
            let mut glass = Glass::new(profile, 10, 2);
            glass.takes(&bytes);
            assert_eq!(glass.differs(&buffer, None), "", "{hostile:?}");
            let ours = |byte: &u8| *byte >= 0x20 || b"\x1b\r\n\x08\x0e\x0f".contains(byte);
            assert!(bytes.iter().all(ours), "{hostile:?}");
        }
    }
}

#[test]
fn characters_of_many_parts_are_bounded() {
    let mut painter = Painter::new(profile("xterm", "C.UTF-8"));
    let marks: Vec<char> = ('\u{300}'..'\u{340}').collect();
    let mut n = 0;
    for _ in 0..10 {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 100, 50));
        for y in 0..50 {
            for x in 0..100 {
                let (a, b) = (marks[n % 64], marks[n / 64 % 64]);
                buffer[(x, y)].set_symbol(&format!("e{a}{b}"));
                n += 1;
            }
        }
        painter.frame(&buffer, None);
    }
    assert!(painter.looks.clusters() <= 2 * tile::CLUSTERS);
}

#[test]
fn sizes_are_clamped() {
    assert_eq!(area(0, 0), Rect::new(0, 0, 80, 24));
    assert_eq!(area(65000, 65000), Rect::new(0, 0, 500, 500));
    assert_eq!(area(1, 0), Rect::new(0, 0, 1, 0));
}
