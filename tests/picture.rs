//! The pictures of the README: the program's own screens, drawn cell by cell as SVG.
//!
//! It runs the demo in a pseudo-terminal, gives three doses as a nurse would, and draws what is then on the screen; and
//! the same desk as OpenSSH's client shows it on three terminals. `VALMED_PICTURES=assets cargo test --test picture` puts
//! the pictures there; without the variable they are looked at and forgotten.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "support/server.rs"]
mod server;

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use server::Server;
use vt100::{Cell, Color, Parser, Screen};

/// A cell, in the picture's units.
const WIDE: f64 = 8.4;
const HIGH: f64 = 18.0;
const EDGE: f64 = 12.0;
/// From the top of a cell to the line on which letters stand.
const BASE: f64 = 13.5;

const INK: &str = "#d7dae0";
const PAPER: &str = "#15181e";
/// The sixteen colours of a terminal; every theme has its own, these are easy to read on dark paper.
const PALETTE: [&str; 16] = [
    "#2b303b", "#e0676f", "#8fbf7f", "#e2b86b", "#6ea3e0", "#c08fd6", "#5fb8c2", "#c9cdd6",
    "#7d8594", "#ff8087", "#a9dd95", "#ffd487", "#8fc0ff", "#dcaaf2", "#7fd6e0", "#ffffff",
];

#[test]
fn picture_of_the_desk() {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_valmed"));
    command.arg("demo");
    let mut desk = Desk::start(command, "xterm-256color", (100, 30));
    desk.wait("live");
    for _ in 0..3 {
        desk.give();
    }
    desk.picture(
        "desk",
        "The ward desk: order queue, drug stock, administration log",
    );
}

#[test]
fn pictures_of_the_desk_over_ssh() {
    let server = Server::start();
    let key = server.key();
    for (term, size) in [
        ("xterm-256color", (100, 30)),
        ("vt100", (80, 24)),
        ("linux", (80, 25)),
    ] {
        let mut command = CommandBuilder::new("ssh");
        command.args(server.options(Some(Path::new(&key))));
        command.arg("amara@127.0.0.1");
        let mut desk = Desk::start(command, term, size);
        desk.wait("live");
        desk.give();
        let family = term.split('-').next().unwrap();
        let title = format!("The ward desk over SSH on a terminal of the kind {term}");
        desk.picture(&format!("ssh-{family}"), &title);
    }
}

/// The program in a pseudo-terminal.
struct Desk {
    parser: Arc<Mutex<Parser>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
}

impl Desk {
    fn start(mut command: CommandBuilder, term: &str, (columns, rows): (u16, u16)) -> Desk {
        let size = PtySize {
            rows,
            cols: columns,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size).unwrap();
        for (name, value) in [("TERM", term), ("LANG", "C.UTF-8")] {
            command.env(name, value);
        }
        for name in [
            "NO_COLOR",
            "LC_ALL",
            "LC_CTYPE",
            "COLORTERM",
            "SSH_AUTH_SOCK",
        ] {
            command.env_remove(name);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let (rows, columns) = (rows.try_into().unwrap(), columns.try_into().unwrap());
        let parser = Arc::new(Mutex::new(Parser::new(rows, columns, 0)));
        let mut output = pair.master.try_clone_reader().unwrap();
        let fed = Arc::clone(&parser);
        let keys = pair.master.take_writer().unwrap();
        std::thread::spawn(move || {
            // The terminal must stay open for as long as it is read.
            let _master = pair.master;
            let mut bytes = [0; 4096];
            let mut lines = Lines::default();
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                let shown = lines.drawn(&bytes[..count]);
                fed.lock().unwrap().process(&shown);
            }
        });
        Desk {
            parser,
            keys,
            child,
        }
    }

    /// Draws what is on the screen.
    fn picture(&self, name: &str, title: &str) {
        let parser = self.parser.lock().unwrap();
        let drawn = svg(parser.screen(), title);
        assert!(drawn.contains("QUEUE") && drawn.contains("LOG"), "{drawn}");
        assert!(!drawn.contains("qqq"), "a line is drawn as letters");
        if let Some(folder) = std::env::var_os("VALMED_PICTURES") {
            std::fs::write(Path::new(&folder).join(format!("{name}.svg")), drawn).unwrap();
        }
    }

    fn text(&self) -> String {
        self.parser.lock().unwrap().screen().contents()
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen says this.
    fn wait(&self, words: &str) -> String {
        let late = Instant::now() + Duration::from_secs(30);
        loop {
            let text = self.text();
            if text.contains(words) {
                return text;
            }
            assert!(Instant::now() < late, "never said {words:?}:\n{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Gives the selected dose, with the number that stands on the sheet.
    fn give(&mut self) {
        self.press("\r");
        let sheet = self.wait("Last given");
        let number = sheet.split("MRN ").nth(1).unwrap();
        let number = number.split_whitespace().next().unwrap().to_owned();
        self.press(&format!("{number}\r"));
        self.wait("identified");
        self.press("\x1bOQ");
        self.wait("GIVEN at");
        self.press("\r");
        self.wait("Enter give");
    }
}

/// The drawing set of a VT terminal, which the emulator has not: its letters as the lines that they stand for.
#[derive(Default)]
struct Lines {
    drawing: bool,
    sequence: bool,
}

impl Lines {
    fn drawn(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for byte in bytes {
            match byte {
                0x0e => self.drawing = true,
                0x0f => self.drawing = false,
                0x1b => {
                    self.sequence = true;
                    out.push(*byte);
                }
                // Letters of a control sequence are not drawn.
                _ if self.sequence => {
                    self.sequence = !byte.is_ascii_alphabetic();
                    out.push(*byte);
                }
                b'q' if self.drawing => out.extend("─".bytes()),
                b'x' if self.drawing => out.extend("│".bytes()),
                b'a' if self.drawing => out.extend("░".bytes()),
                b'~' if self.drawing => out.extend("·".bytes()),
                _ => out.push(*byte),
            }
        }
        out
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a cell looks: ink, paper, bold, underlined.
type Look = (String, Option<String>, bool, bool);

fn look(cell: &Cell) -> Look {
    let colour = |colour: Color| match colour {
        Color::Default => None,
        Color::Idx(index @ 0..16) => Some(PALETTE[usize::from(index)].to_owned()),
        Color::Idx(index) => Some(of_256(index)),
        Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
    };
    let (mut ink, mut paper) = (colour(cell.fgcolor()), colour(cell.bgcolor()));
    if cell.inverse() {
        let was = ink.unwrap_or_else(|| INK.to_owned());
        ink = Some(paper.unwrap_or_else(|| PAPER.to_owned()));
        paper = Some(was);
    }
    if cell.dim() && ink.is_none() {
        ink = Some(PALETTE[8].to_owned());
    }
    let ink = ink.unwrap_or_else(|| INK.to_owned());
    (ink, paper, cell.bold(), cell.underline())
}

/// The colour cube and the greys of a terminal with 256 colours.
fn of_256(index: u8) -> String {
    if index >= 232 {
        let grey = 8 + 10 * (index - 232);
        return format!("#{grey:02x}{grey:02x}{grey:02x}");
    }
    let index = index - 16;
    let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    let (r, g, b) = (level(index / 36), level(index / 6 % 6), level(index % 6));
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn svg(screen: &Screen, title: &str) -> String {
    let (rows, columns) = screen.size();
    let (width, height) = (
        f64::from(columns.get()) * WIDE + 2.0 * EDGE,
        f64::from(rows.get()) * HIGH + 2.0 * EDGE,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <title>{title}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{PAPER}\"/>\n"
    );
    for row in 0..rows.get() {
        draw_row(screen, row, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

/// Runs of cells that look the same; lines and bars are drawn, because fonts disagree about them.
fn draw_row(screen: &Screen, row: u16, out: &mut String) {
    let columns = screen.size().1.get();
    let mut column = 0;
    while column < columns {
        let Some(cell) = screen.cell(row, column) else {
            return;
        };
        let (style, kind) = (look(cell), drawn(cell.contents()));
        let begin = column;
        let mut text = String::new();
        while let Some(cell) = screen.cell(row, column) {
            if look(cell) != style || drawn(cell.contents()) != kind || column >= columns {
                break;
            }
            match cell.contents() {
                "" if cell.is_wide_continuation() => {}
                "" => text.push(' '),
                contents => text.push_str(contents),
            }
            column += 1;
        }
        run(out, (row, begin, column - begin), &text, &style, kind);
    }
}

/// What is drawn as a shape and not as a letter.
fn drawn(contents: &str) -> Option<char> {
    contents.chars().next().filter(|c| "─│█░".contains(*c))
}

fn run(
    out: &mut String,
    (row, column, cells): (u16, u16, u16),
    text: &str,
    (ink, paper, bold, underlined): &Look,
    kind: Option<char>,
) {
    let (x, y) = (
        EDGE + f64::from(column) * WIDE,
        EDGE + f64::from(row) * HIGH,
    );
    let width = f64::from(cells) * WIDE;
    let mut rect = |x: f64, y: f64, width: f64, height: f64, fill: &str, more: &str| {
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"{more}/>"
        );
    };
    if let Some(paper) = paper {
        rect(x, y, width, HIGH, paper, "");
    }
    match kind {
        Some('─') => rect(x, y + HIGH / 2.0 - 0.5, width, 1.0, ink, ""),
        Some('│') => rect(x + WIDE / 2.0 - 0.5, y, 1.0, HIGH, ink, ""),
        Some('█') => rect(x, y + 3.0, width, HIGH - 6.0, ink, ""),
        Some(_) => rect(x, y + 3.0, width, HIGH - 6.0, ink, " opacity=\"0.25\""),
        None if text.trim().is_empty() => {}
        None => {
            let weight = if *bold { " font-weight=\"bold\"" } else { "" };
            let line = if *underlined {
                " text-decoration=\"underline\""
            } else {
                ""
            };
            let safe = text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"{ink}\"{weight}{line} textLength=\"{width:.1}\" \
                 lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\">{safe}</text>",
                y + BASE
            );
        }
    }
}
