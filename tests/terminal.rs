//! The program in a real pseudo-terminal: a shift by the keyboard, and the terminal given back on every way out.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// What the terminal shows, and whether the program's side is closed.
struct Glass {
    screen: vt100::Parser,
    bytes: Vec<u8>,
    closed: bool,
}

struct Terminal {
    glass: Arc<(Mutex<Glass>, Condvar)>,
    keys: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    _home: tempfile::TempDir,
}

/// Longer than any machine takes: a test that waits in vain fails, and shows its screen.
const PATIENCE: Duration = Duration::from_secs(60);

const F2: &str = "\x1bOQ";

impl Terminal {
    fn valmed(term: &str, arguments: &[&str]) -> Terminal {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_valmed"));
        command.args(arguments);
        Terminal::start(term, command)
    }

    fn start(term: &str, mut command: CommandBuilder) -> Terminal {
        let home = tempfile::tempdir().unwrap();
        for variable in [
            "NO_COLOR",
            "COLORTERM",
            "LC_ALL",
            "LC_CTYPE",
            "VALMED_DATABASE",
        ] {
            command.env_remove(variable);
        }
        for (variable, value) in [
            ("TERM", term),
            ("LANG", "C.UTF-8"),
            ("TZ", "UTC"),
            ("HOME", home.path().to_str().unwrap()),
        ] {
            command.env(variable, value);
        }
        let size = PtySize {
            rows: 24,
            cols: 80,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let (rows, columns) = (NonZeroU16::new(24).unwrap(), NonZeroU16::new(80).unwrap());
        let glass = Arc::new((
            Mutex::new(Glass {
                screen: vt100::Parser::new(rows, columns, 0),
                bytes: Vec::new(),
                closed: false,
            }),
            Condvar::new(),
        ));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let shared = Arc::clone(&glass);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let read = reader.read(&mut buffer).unwrap_or(0);
                let mut glass = shared.0.lock().unwrap();
                glass.screen.process(&buffer[..read]);
                glass.bytes.extend_from_slice(&buffer[..read]);
                glass.closed = read == 0;
                shared.1.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        Terminal {
            glass,
            keys: pair.master.take_writer().unwrap(),
            master: pair.master,
            child,
            _home: home,
        }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn ctrl_z(&mut self) {
        self.types("\x1a");
    }

    fn stopped_by_somebody_else(&mut self) {
        let shell = self.child.process_id().unwrap();
        let children =
            std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
        let job = children.split_whitespace().next().unwrap();
        assert!(
            Command::new("kill")
                .args(["-TSTP", job])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits until the terminal is like this; a program that ends before that fails the test with its last screen.
    fn waits(&self, what: &str, until: impl Fn(&vt100::Screen) -> bool) -> String {
        let (glass, changed) = &*self.glass;
        let mut glass = glass.lock().unwrap();
        while !until(glass.screen.screen()) {
            let shown = glass.screen.screen().contents();
            assert!(!glass.closed, "it ended before {what}:\n{shown}");
            let (next, late) = changed.wait_timeout(glass, PATIENCE).unwrap();
            assert!(
                !late.timed_out(),
                "{what} does not come:\n{}",
                next.screen.screen().contents()
            );
            glass = next;
        }
        glass.screen.screen().contents()
    }

    fn sees(&self, words: &str) -> String {
        self.waits(words, |screen| screen.contents().contains(words))
    }

    fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }

    fn ends(&mut self) -> ExitStatus {
        let status = self.child.wait().unwrap();
        let (glass, changed) = &*self.glass;
        let mut glass = glass.lock().unwrap();
        while !glass.closed {
            let (next, late) = changed.wait_timeout(glass, PATIENCE).unwrap();
            assert!(
                !late.timed_out(),
                "the end does not come:\n{}",
                next.screen.screen().contents()
            );
            glass = next;
        }
        status
    }

    /// As a shell wants to find its terminal.
    fn is_given_back(&self) {
        let glass = self.glass.0.lock().unwrap();
        let screen = glass.screen.screen();
        assert!(!screen.alternate_screen(), "the second screen is left");
        assert!(!screen.hide_cursor(), "the cursor is there");
        assert!(!screen.bracketed_paste(), "pastes are plain");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }

    /// Whether lines are edited and echoed by the terminal's driver.
    fn becomes(&self, so: impl Fn(&Terminal) -> bool) {
        let began = Instant::now();
        while !so(self) {
            assert!(
                began.elapsed() < PATIENCE,
                "the terminal's mode does not change"
            );
            std::thread::yield_now();
        }
    }

    fn is_cooked(&self) -> bool {
        let flags = format!("{:?}", self.master.get_termios().unwrap().local_flags);
        flags.contains("ICANON") && flags.contains("ECHO") && flags.contains("ISIG")
    }
}

/// The word that follows on the screen.
fn after(screen: &str, word: &str) -> String {
    let rest = screen.split_once(word).unwrap().1;
    rest.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_shift() {
    let mut t = Terminal::valmed("xterm-256color", &["demo"]);
    let desk = t.sees("OVERDUE");
    assert!(desk.contains("DEMO"), "{desk}");
    assert!(desk.contains("Amara Osei, nurse"), "{desk}");
    t.sees("Nothing was given here yet");

    // From the queue to given: Enter, the wristband as a scanner sends it, F2.
    t.types("\r");
    let sheet = t.sees("no record of this drug");
    let mrn = after(&sheet, "MRN ");
    t.types("V0000\r");
    t.sees("WRONG PATIENT: V0000");
    t.types(&format!("{mrn}\r"));
    t.sees("identified");
    t.types(&format!("{mrn}\r"));
    t.sees("identified");
    t.types(F2);
    let given = t.sees("GIVEN at ");
    assert!(given.contains("left."), "{given}");
    t.types("\x1b");
    t.sees("1 today");

    // What it holds is found by name, and the pane is filtered as one types.
    t.types("/");
    t.waits("the filter", |screen| screen.contents().contains(" found "));
    t.types("lorazepam");
    t.sees("LORazepam 1 mg tablet");
    t.waits("the filter", |screen| screen.contents().contains(" found "));
    t.types("\x1b");
    t.sees(" later");
    t.types("\x10receive");
    t.sees("Receive stock of the selected drug");
    t.types("\r");
    t.sees("To receive stock is for a pharmacist");
    t.types("?");
    t.sees("EVERY KEY");
    t.types("q");
    t.sees("QUEUE");

    // The doctor stops a dose.
    t.types("q");
    t.sees("Everybody's PIN is 1234.");
    t.types("dr.haddad\r1234\r");
    t.sees("Dr Leila Haddad, doctor");
    t.sees("OVERDUE");
    t.types("d");
    t.sees("STOP A DOSE");
    t.types("went home");
    t.types(F2);
    t.sees("DISCONTINUED at ");
    t.types("\r");
    t.sees("QUEUE");
    t.types("\x03");
    assert_eq!(t.ends().exit_code(), 0);
    t.is_given_back();
}

/// Stopping is for a job that a shell looks after: here one that waits for Return before it goes on with the job.
#[test]
fn ctrl_z_and_back() {
    let mut command = CommandBuilder::new("bash");
    let script = "set -m; \"$0\" demo; while n=$((n+1)); echo ready-$n; read -r go; do fg >/dev/null; \
                  jobs %1 >/dev/null 2>&1 || exit 0; done";
    command.args(["-c", script, env!("CARGO_BIN_EXE_valmed")]);
    let mut t = Terminal::start("xterm-256color", command);
    t.sees("OVERDUE");
    assert!(!t.is_cooked());
    let stops: [fn(&mut Terminal); 3] = [
        Terminal::ctrl_z,
        Terminal::ctrl_z,
        Terminal::stopped_by_somebody_else,
    ];
    for (n, stop) in stops.into_iter().enumerate() {
        stop(&mut t);
        t.waits("the shell's screen", |screen| !screen.alternate_screen());
        t.waits("the cursor", |screen| !screen.hide_cursor());
        t.becomes(Terminal::is_cooked);
        // What is typed before the shell reads would still be the desk's.
        t.sees(&format!("ready-{}", n + 1));
        t.types("\r");
        t.waits("the desk again", |screen| {
            screen.alternate_screen() && screen.contents().contains("OVERDUE")
        });
        t.becomes(|t| !t.is_cooked());
    }
    t.types("\x03");
    assert_eq!(t.ends().exit_code(), 0);
}

/// Started by no shell (a login program, a forced command), there would be nobody to continue it.
#[test]
fn ctrl_z_does_nothing_where_nobody_would_continue_it() {
    let mut t = Terminal::valmed("xterm-256color", &["demo"]);
    t.sees("OVERDUE");
    t.types("\x1a?");
    t.sees("HELP");
    t.types("\x03");
    assert_eq!(t.ends().exit_code(), 0);
    t.is_given_back();
}

#[test]
fn signals_give_the_terminal_back() {
    for (signal, words) in [
        ("-TERM", "Terminated"),
        ("-HUP", "Hangup"),
        ("-INT", "Interrupt"),
    ] {
        let mut t = Terminal::valmed("xterm", &["demo"]);
        t.sees("OVERDUE");
        t.signal(signal);
        let status = t.ends();
        assert!(
            status.signal().is_some_and(|name| name.contains(words)),
            "{signal}: {status:?}"
        );
        t.is_given_back();
        assert!(t.is_cooked(), "{signal}");
    }
}

#[test]
fn a_resized_terminal_is_drawn_anew() {
    let mut t = Terminal::valmed("xterm", &["demo"]);
    t.sees("OVERDUE");
    let resize = |rows, cols| {
        let size = PtySize {
            rows,
            cols,
            ..PtySize::default()
        };
        let (r, c) = (
            NonZeroU16::new(rows).unwrap(),
            NonZeroU16::new(cols).unwrap(),
        );
        let mut glass = t.glass.0.lock().unwrap();
        glass.screen.screen_mut().set_size(r, c);
        drop(glass);
        t.master.resize(size).unwrap();
    };
    resize(40, 130);
    t.waits("stock beside the log", |screen| {
        let contents = screen.contents();
        contents
            .lines()
            .any(|line| line.contains("STOCK") && line.contains("LOG"))
    });
    resize(5, 20);
    t.sees("ValMed needs");
    resize(24, 80);
    t.sees("OVERDUE");
    t.types("\x03");
    assert_eq!(t.ends().exit_code(), 0);
}

/// Sequences that a vt220 knows: cursor, erase, scroll, bold, underline, reverse, cursor on and off, its drawing set.
/// Seven bits, no colours.
#[test]
fn a_vt220_is_sent_what_it_knows() {
    let mut t = Terminal::valmed("vt220", &["demo"]);
    t.sees("OVERDUE");
    t.types("\r");
    t.sees("no record of this drug");
    t.types("\x08\x7f\x1b");
    t.sees("STOCK");
    t.types("\x03");
    assert_eq!(t.ends().exit_code(), 0);
    let bytes = t.glass.0.lock().unwrap().bytes.clone();
    assert!(bytes.is_ascii());
    let text = String::from_utf8(bytes).unwrap();
    for sequence in text.split('\x1b').skip(1) {
        let end = sequence
            .find(|c: char| c.is_ascii_alphabetic() || (c == '0' && sequence.starts_with(')')))
            .expect("a sequence without an end");
        let known = match &sequence[..=end] {
            "[?25h" | "[?25l" | "[2J" | "[K" | "M" | "(B" | ")0" => true,
            other => match other.strip_suffix('m') {
                Some(attributes) => attributes
                    .trim_start_matches('[')
                    .split(';')
                    .all(|a| ["", "0", "1", "4", "7", "22", "24", "27"].contains(&a)),
                None => other.ends_with(['H', 'A', 'B', 'C', 'D', 'X', 'r']),
            },
        };
        assert!(known, "{:?}", &sequence[..=end]);
    }
}

#[test]
fn without_a_terminal_it_says_so() {
    let ran = Command::new(env!("CARGO_BIN_EXE_valmed"))
        .arg("demo")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(!ran.status.success());
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("needs a terminal"), "{said}");
    assert!(ran.stdout.is_empty());
}

#[test]
fn a_panic_gives_the_terminal_back() {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "panics_in_its_terminal",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    let mut t = Terminal::start("xterm", command);
    t.waits("the second screen", |screen| screen.alternate_screen());
    t.types("x");
    assert_ne!(t.ends().exit_code(), 0);
    t.is_given_back();
    assert!(t.is_cooked());
    let bytes = t.glass.0.lock().unwrap().bytes.clone();
    let said = String::from_utf8(bytes).unwrap();
    let (_, afterwards) = said.split_once("\x1b[?1049l").unwrap();
    assert!(
        afterwards.contains("a defect"),
        "the message can be read:\n{said}"
    );
}

/// The other side of the test before: run by it, in a terminal.
#[test]
#[ignore = "run by a_panic_gives_the_terminal_back"]
fn panics_in_its_terminal() {
    use valmed::terminal::{Profile, local::Local};
    let profile = Profile::of(|name| std::env::var(name).ok());
    let _local = Local::enter(profile).unwrap();
    let mut key = [0];
    std::io::stdin().read_exact(&mut key).unwrap();
    panic!("a defect");
}
