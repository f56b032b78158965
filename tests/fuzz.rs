//! Bytes that nobody would type and texts that nobody would write, by the million: nothing may panic, grow or get through.
//!
//! A few thousand of each with every run of the tests; `VALMED_FUZZ_SECONDS=3600 cargo test --release --test fuzz` goes on
//! for an hour each. What fails is printed with the number that makes it again (`VALMED_FUZZ_SEED`).

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use valmed::domain::scan;
use valmed::domain::text::{REPLACEMENT, is_unsafe, name_key, plain, visible};
use valmed::terminal::decoder::{Heard, PASTE, PASTE_REST};
use valmed::terminal::input::Input;
use valmed::terminal::{Decoder, Painter, Profile, Scanner};
use valmed::tui::Charset;

/// With every run of the tests.
const ROUNDS: u64 = 3_000;
/// Bytes of one input at most, before pieces are put into it.
const LONGEST: usize = 400;

const CHARSETS: [Charset; 4] = [
    Charset::Unicode,
    Charset::Latin1,
    Charset::Dec,
    Charset::Ascii,
];
const TERMINALS: [&str; 7] = [
    "xterm-256color",
    "vt100",
    "vt220",
    "linux",
    "screen",
    "putty",
    "dumb",
];

/// What terminals, scanners and attackers send; inputs are made of these, of pieces of them, and of noise.
const SENT: &[&[u8]] = &[
    b"\x1b",
    b"\x1b[",
    b"\x1bO",
    b"\x1b[A",
    b"\x1bOQ",
    b"\x1b[[A",
    b"\x1b[1;5C",
    b"\x1b[200~",
    b"\x1b[201~",
    b"\x1b[0n",
    b"\x1b[12;40R",
    b"\x1b[?62;1;2c",
    b"\x1b[M !!",
    b"\x1b[<0;10;20M",
    b"\x1b[<99999999999;1;1m",
    b"\x1bP1$r0m\x1b\\",
    b"\x1b]0;title\x07",
    b"\x1b_apc\x1b\\",
    b"\x9b5n",
    b"\x8fP",
    b"\x90\x9c",
    b"]C1010950600013435217270131\x1d10ABC\r",
    b"\x1d",
    b"\x7f\x08",
    b"\x18\x1a",
    b"\xe6\x9e\x97",
    b"\xf0\x9f\x91\xa9",
    b"\xe6\x9e",
    b"\xff\xfe",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\r\n",
    b"\0",
];

/// What names, drugs and reasons may hold.
const WRITTEN: &[&str] = &[
    "Kowalska, Zoë",
    "林 美玲",
    "محمد",
    "\x1b[2J",
    "\x1b]0;x\x07",
    "\u{9b}31m",
    "\u{202e}gnp.exe",
    "\u{2066}\u{2069}",
    "\u{200d}",
    "👩\u{200d}👩\u{200d}👧",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "\u{feff}",
    "\u{e0041}",
    "\u{fdd0}\u{ffff}",
    "\0\r\n\t",
    "ﷺ",
    "각\u{115f}",
    "\u{1f1e9}\u{1f1ea}",
    "  ",
    "5 µg ≤ ½",
];

/// Runs `one` on input after input, each from a number of its own.
fn on_and_on(name: &str, mut one: impl FnMut(&mut fastrand::Rng)) {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|said| said.parse::<u64>().ok())
    };
    let until = number("VALMED_FUZZ_SECONDS").map(|all| Instant::now() + Duration::from_secs(all));
    let first = number("VALMED_FUZZ_SEED");
    let mut seed = first.unwrap_or(1);
    let memory = memory();
    let mut again = true;
    while again {
        let ran = catch_unwind(AssertUnwindSafe(|| {
            one(&mut fastrand::Rng::with_seed(seed));
        }));
        if let Err(panic) = ran {
            eprintln!("{name}: VALMED_FUZZ_SEED={seed} makes it again");
            resume_unwind(panic);
        }
        seed += 1;
        again = match until {
            Some(until) => Instant::now() < until,
            None => first.is_none() && seed <= ROUNDS,
        };
    }
    eprintln!("{name}: {} inputs", seed - first.unwrap_or(1));
    let grown = self::memory().saturating_sub(memory);
    assert!(grown < 64 << 20, "{name}: {grown} bytes more than before");
}

/// Bytes that this process has in memory; nothing where the system does not say.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

fn bytes(random: &mut fastrand::Rng) -> Vec<u8> {
    let mut out = Vec::new();
    let wanted = random.usize(1..LONGEST);
    while out.len() < wanted {
        let piece = random.choice(SENT).unwrap();
        match random.u8(0..10) {
            0..5 => out.extend_from_slice(piece),
            5 => out.extend_from_slice(&piece[..random.usize(0..=piece.len())]),
            6 => out.extend(std::iter::repeat_with(|| random.u8(..)).take(4)),
            7 => out.extend(std::iter::repeat_n(random.u8(..), random.usize(0..200))),
            8 => out.extend(random.u64(..).to_string().bytes()),
            _ => out.push(random.u8(b' '..b'~')),
        }
    }
    for _ in 0..random.usize(0..4) {
        let at = random.usize(0..out.len());
        out[at] ^= 1 << random.u8(0..8);
    }
    out
}

fn text(random: &mut fastrand::Rng) -> String {
    let mut out = String::new();
    for _ in 0..random.usize(1..12) {
        match random.u8(0..6) {
            0 => out.push(random.char(..)),
            1 => out.extend(std::iter::repeat_n(random.char(..), random.usize(1..40))),
            2 => out.push_str(&String::from_utf8_lossy(&bytes(random))),
            3 => out.push(random.char('\u{300}'..'\u{370}')),
            _ => out.push_str(random.choice(WRITTEN).unwrap()),
        }
    }
    out
}

#[test]
fn whatever_a_terminal_sends_is_decoded() {
    on_and_on("decoder", |random| {
        let sent = bytes(random);
        let charset = *random.choice(&CHARSETS[..]).unwrap();
        let mut decoder = Decoder::new(charset);
        let mut scanner = Scanner::new(Default::default());
        let (mut heard, mut meant) = (Vec::new(), Vec::new());
        let mut now = Instant::now();
        let mut rest = sent.as_slice();
        while !rest.is_empty() {
            let (piece, left) = rest.split_at(random.usize(1..=rest.len()));
            rest = left;
            decoder.feed(piece, now, &mut heard);
            if random.bool() {
                now += Duration::from_millis(random.u64(0..600));
                decoder.expire(now, &mut heard);
                scanner.expire(now, &mut meant);
            }
            // Each byte is one key at most, or an Escape that was held back.
            assert!(heard.len() <= sent.len() + 1, "{sent:?}");
            for heard in heard.drain(..) {
                if let Heard::Input(input) = heard {
                    if let Input::Paste(text) = &input {
                        assert!(text.len() <= PASTE);
                    }
                    scanner.feed(input, now, &mut meant);
                }
            }
        }
        decoder.expire(now + PASTE_REST, &mut heard);
        assert!(
            decoder.deadline().is_none(),
            "nothing is waited for any more: {sent:?}"
        );
        // Whatever came before, the next keys are heard.
        heard.clear();
        decoder.feed(b"x", now + PASTE_REST, &mut heard);
        assert_eq!(heard.len(), 1, "{sent:?} {heard:?}");
    });
}

#[test]
fn whatever_is_written_is_shown_safely() {
    on_and_on("sanitiser", |random| {
        let written = text(random);
        let shown = visible(&written);
        let let_through = |c: char| c != REPLACEMENT && is_unsafe(c);
        assert!(!shown.chars().any(let_through), "{written:?}");
        assert_eq!(visible(&shown), shown, "{written:?}");
        for charset in CHARSETS {
            let there = charset.text(&written);
            assert!(there.chars().all(|c| charset.shows(c)), "{written:?}");
            assert!(!there.chars().any(let_through), "{written:?}");
        }
        assert!(!plain(&written).contains('\0'));
        assert_eq!(
            name_key(&name_key(&written)),
            name_key(&written),
            "{written:?}"
        );
        // A code may be read or not; its words are never more than was scanned.
        if let Ok(found) = scan::read(&written) {
            assert!(format!("{found:?}").len() < written.len() * 20 + 2_000);
        }
    });
}

#[test]
fn whatever_is_drawn_no_control_of_the_text_reaches_the_terminal() {
    let (rows, columns) = (6.try_into().unwrap(), 60.try_into().unwrap());
    let painters = TERMINALS.map(|term| {
        let profile = Profile::of(|name| match name {
            "TERM" => Some(term.to_owned()),
            "LANG" => Some("C.UTF-8".to_owned()),
            _ => None,
        });
        (profile, std::cell::RefCell::new(Painter::new(profile)))
    });
    on_and_on("painter", |random| {
        let area = Rect::new(0, 0, random.u16(1..60), random.u16(1..6));
        let mut frame = Buffer::empty(area);
        let mut texts = Vec::new();
        for y in 0..area.height {
            let text = text(random);
            // As it comes, without anybody having made it safe: the painter is the last who could.
            let x = random.u16(0..area.width);
            frame.set_stringn(x, y, &text, usize::from(area.width), Style::new());
            texts.push(text);
        }
        for (profile, painter) in &painters {
            let bytes = painter.borrow_mut().frame(&frame, None);
            let seven_bits = matches!(profile.charset, Charset::Dec | Charset::Ascii);
            assert!(!seven_bits || bytes.is_ascii(), "{texts:?}");
            let mut screen =
                vt100::Parser::new_with_callbacks(rows, columns, 0, Strange::default());
            screen.process(&bytes);
            let strange = &screen.callbacks().0;
            assert!(strange.is_empty(), "{strange:?} of {texts:?}");
            assert!(!bytes.contains(&0x07), "{texts:?}");
        }
    });
}

/// What no painter of ours sends.
#[derive(Default)]
struct Strange(Vec<String>);

impl vt100::Callbacks for Strange {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.0.push(format!("a title {title:?}"));
    }

    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, name: &[u8]) {
        self.0.push(format!("a name {name:?}"));
    }

    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.0.push(format!("to the clipboard {data:?}"));
    }

    fn unhandled_osc(&mut self, _: &mut vt100::Screen, parameters: &[&[u8]]) {
        self.0.push(format!("a string {parameters:?}"));
    }
}
