//! The server with the client that people have: OpenSSH's, in a pseudo-terminal.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use server::{PIN, Server, valmed};

/// Longer than any machine takes.
const PATIENCE: Duration = Duration::from_secs(60);
const F2: &str = "\x1bOQ";

struct Glass {
    screen: vt100::Parser,
    closed: bool,
}

/// `ssh` in a terminal.
struct Terminal {
    glass: Arc<(Mutex<Glass>, Condvar)>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    fn opens(server: &Server, term: &str, key: Option<&Path>) -> Terminal {
        let mut command = CommandBuilder::new("ssh");
        command.args(server.options(key));
        command.arg("amara@127.0.0.1");
        Terminal::runs(command, term)
    }

    /// Joins the server from this machine.
    fn joins(server: &Server, term: &str) -> Terminal {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_valmed"));
        command.arg("attach");
        command.env("HOME", server.folder.path());
        command.env("VALMED_SERVER_ATTACH", server.path("attach.sock"));
        // It has no database of its own.
        command.env("VALMED_DATABASE", "sqlite:///nowhere/at/all.db");
        Terminal::runs(command, term)
    }

    fn runs(mut command: CommandBuilder, term: &str) -> Terminal {
        for variable in [
            "LC_ALL",
            "LC_CTYPE",
            "COLORTERM",
            "NO_COLOR",
            "SSH_AUTH_SOCK",
        ] {
            command.env_remove(variable);
        }
        command.env("TERM", term);
        command.env("LANG", "C.UTF-8");
        let size = PtySize {
            rows: 24,
            cols: 80,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let (rows, columns) = (NonZeroU16::new(24).unwrap(), NonZeroU16::new(80).unwrap());
        let screen = vt100::Parser::new(rows, columns, 0);
        let closed = false;
        let glass = Arc::new((Mutex::new(Glass { screen, closed }), Condvar::new()));
        let (mut reader, shared) = (pair.master.try_clone_reader().unwrap(), Arc::clone(&glass));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let read = reader.read(&mut buffer).unwrap_or(0);
                let mut glass = shared.0.lock().unwrap();
                glass.screen.process(&buffer[..read]);
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
            child,
            _master: pair.master,
        }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn waits(&self, words: &str, until: impl Fn(&Glass) -> bool) -> String {
        let (glass, changed) = &*self.glass;
        let mut glass = glass.lock().unwrap();
        while !until(&glass) {
            let shown = glass.screen.screen().contents();
            assert!(!glass.closed, "it ended before {words}:\n{shown}");
            let (next, late) = changed.wait_timeout(glass, PATIENCE).unwrap();
            let shown = next.screen.screen().contents();
            assert!(!late.timed_out(), "{words} does not come:\n{shown}");
            glass = next;
        }
        glass.screen.screen().contents()
    }

    fn sees(&self, words: &str) -> String {
        self.waits(words, |glass| {
            glass.screen.screen().contents().contains(words)
        })
    }

    /// The exit status of `ssh`, and what it left on the screen.
    fn ends(&mut self) -> (u32, String) {
        let left = self.waits("the end", |glass| glass.closed);
        let glass = self.glass.0.lock().unwrap();
        let screen = glass.screen.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
        (self.child.wait().unwrap().exit_code(), left)
    }
}

fn after(screen: &str, word: &str) -> String {
    let rest = screen.split_once(word).unwrap().1;
    rest.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_dose_is_given_by_key_on_each_terminal() {
    let server = Server::start();
    let key = server.key();
    for (term, given) in [("xterm-256color", 1), ("vt100", 2), ("linux", 3)] {
        let mut terminal = Terminal::opens(&server, term, Some(&key));
        terminal.sees("QUEUE");
        terminal.sees("OVERDUE");
        terminal.types("\r");
        let sheet = terminal.sees("no record of this drug");
        terminal.types(&format!("{}\r", after(&sheet, "MRN ")));
        terminal.sees("identified");
        terminal.types(F2);
        terminal.sees("GIVEN at ");
        terminal.types("\x1b");
        terminal.sees(&format!("{given} today"));
        terminal.types("\x03");
        assert_eq!(terminal.ends().0, 0, "{term}");
    }
}

/// Somebody who hears the screen, over a real client: lines alone, and the same keys.
#[test]
fn a_dose_is_given_by_somebody_who_hears_the_screen() {
    let server = Server::start();
    let key = server.key();
    let mut command = CommandBuilder::new("ssh");
    command.args(server.options(Some(&key)));
    command.args(["-o", "SetEnv=VALMED_TERMINAL_PLAIN=true", "amara@127.0.0.1"]);
    let mut terminal = Terminal::runs(command, "xterm-256color");
    terminal.sees("> STAT");
    terminal.types("\r");
    let sheet = terminal.sees("no record of this drug");
    let mrn = after(&sheet, "MRN ").replace(',', "");
    terminal.sees("Wristband");
    terminal.types(&format!("{mrn}\r"));
    terminal.sees("identified");
    terminal.types(F2);
    terminal.sees("GIVEN at ");
    // Not Escape: what follows it at once belongs to it.
    terminal.types("\r");
    terminal.types("\t\t");
    terminal.sees("1 today");
    terminal.types("\x03");
    assert_eq!(terminal.ends().0, 0);
}

#[test]
fn a_pin_is_asked_for_and_a_wrong_one_is_told() {
    let server = Server::start();
    let mut terminal = Terminal::opens(&server, "xterm", None);
    terminal.sees("PIN or password: ");
    terminal.types("0000\n");
    terminal.sees("The name or the PIN is wrong.");
    // A wrong one has to be waited for, so this may be told first.
    std::thread::sleep(Duration::from_millis(1200));
    terminal.types(&format!("{PIN}\n"));
    terminal.sees("OVERDUE");
    terminal.types("q");
    assert_eq!(terminal.ends().0, 0);
}

#[test]
fn a_server_that_is_stopped_says_so_and_gives_the_terminal_back() {
    let mut server = Server::start();
    let key = server.key();
    let mut terminal = Terminal::opens(&server, "xterm-256color", Some(&key));
    terminal.sees("OVERDUE");
    server.signal("-TERM");
    let (status, left) = terminal.ends();
    assert_eq!(status, 1);
    assert!(left.contains("the server is being stopped"), "{left}");
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn commands_are_ones_own_and_nothing_else_is_served() {
    let server = Server::start();
    let key = server.key();
    let host = "amara@127.0.0.1";
    let listed = server.runs(
        &key,
        &[host, "valmed", "orders", "--format", "json", "--limit", "3"],
    );
    assert!(listed.status.success(), "{listed:?}");
    let orders: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(orders.as_array().map(Vec::len), Some(3));
    let says = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    for (command, words) in [
        ("user password linh", "at the server"),
        (
            "receive --ward MED --drug X --quantity 1 --as marek",
            "--as cannot be anybody else",
        ),
        (
            "orders --database sqlite:///tmp/other.db",
            "the server's own database",
        ),
        ("orders 'unclosed", "not closed"),
    ] {
        let refused = server.runs(&key, &[host, command]);
        assert!(!refused.status.success(), "{command}");
        assert!(
            says(&refused).contains(words),
            "{command}: {}",
            says(&refused)
        );
    }
    let refused = server.runs(&key, &["-s", host, "sftp"]);
    assert!(
        says(&refused).contains("subsystem request failed"),
        "{}",
        says(&refused)
    );
    let refused = server.runs(
        &key,
        &[
            "-N",
            "-o",
            "ExitOnForwardFailure=yes",
            "-R",
            "0:127.0.0.1:1",
            host,
        ],
    );
    assert!(
        says(&refused).contains("forwarding failed"),
        "{}",
        says(&refused)
    );
}

#[test]
fn whoever_joins_from_this_machine_signs_in_and_gets_their_terminal_back() {
    let mut server = Server::start();
    let mut terminal = Terminal::joins(&server, "vt220");
    terminal.sees("User name: ");
    terminal.types("amara\n");
    terminal.sees("PIN or password: ");
    terminal.types(&format!("{PIN}\n"));
    terminal.sees("OVERDUE");
    let mut listed = valmed(server.folder.path(), &["sessions", "--format", "json"]);
    let listed = listed.output().unwrap();
    let sessions: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(sessions[0]["user"], "amara", "{sessions}");
    assert_eq!(sessions[0]["terminal"], "vt220 80x24", "{sessions}");
    terminal.types("q");
    assert_eq!(terminal.ends().0, 0);
    let mut cut = Terminal::joins(&server, "xterm");
    cut.sees("User name: ");
    cut.types("amara\n");
    cut.sees("PIN or password: ");
    cut.types(&format!("{PIN}\n"));
    cut.sees("OVERDUE");
    // A server that is killed gives nothing back: this end does.
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let (status, left) = cut.ends();
    assert_eq!(status, 1);
    assert!(left.contains("the server is gone"), "{left}");
}

#[test]
fn a_host_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::start();
    let key = server.path("host_key");
    assert_eq!(
        std::fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o640)).unwrap();
    let second = valmed(server.folder.path(), &["serve", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("others may read it (mode 640)"), "{said}");
}
