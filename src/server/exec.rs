//! A command instead of a session: `ssh ward-host valmed orders --format json`.
//!
//! It is this same program, started as a process of its own in the name of whoever signed in. A process of its own,
//! because a list of a million rows, or a defect in writing it, must not touch the sessions of others, and because what a
//! command prints needs no second way to be printed. Who it is goes to it by its environment, where no word of theirs
//! reaches; it is that process that lets this person do nothing in another's name, and nothing that is for whoever looks
//! after the server (`commands::on_behalf`). No shell is between.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use russh::ChannelId;
use russh::server::Handle;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::Inner;
use super::who::{Person, event};

/// The variable by which a command knows in whose name it runs.
pub const ON_BEHALF_OF: &str = "VALMED_ON_BEHALF_OF";
/// Commands at once, in all.
pub(super) const AT_ONCE: usize = 8;
/// A command that takes longer is ended: nobody waits for it.
const LONGEST: Duration = Duration::from_secs(120);
/// Bytes of a command line at most.
const LINE: usize = 8 * 1024;
/// Bytes of what it prints that are passed on at once.
const CHUNK: usize = 16 * 1024;
/// What a shell says of a program that cannot be started.
const CANNOT_START: u32 = 126;

/// The program that commands are run by.
#[derive(Debug, Clone)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// What it finds in its environment beside what this process has.
    pub environment: Vec<(OsString, OsString)>,
}

/// The words of a command line: split at spaces, with quotes and backslashes as a shell has them, and nothing else that
/// a shell does. The program's own name may stand before them.
pub(super) fn words(command: &[u8]) -> Result<Vec<String>, &'static str> {
    if command.len() > LINE {
        return Err("the command is too long");
    }
    let line = std::str::from_utf8(command).map_err(|_| "the command is not UTF-8")?;
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (_, '\0') => return Err("the command holds a NUL"),
            (Some(end), c) if c == end => quote = None,
            (Some('"') | None, '\\') => {
                let next = chars
                    .next()
                    .ok_or("a backslash at the end of the command")?;
                word.get_or_insert_default().push(next);
            }
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote in the command is not closed");
    }
    words.extend(word);
    if words.first().is_some_and(|first| first == "valmed") {
        words.remove(0);
    }
    if words.is_empty() {
        return Err("which command? 'valmed help' lists them");
    }
    Ok(words)
}

/// A command on its way.
pub(super) struct Run {
    pub server: Arc<Inner>,
    pub program: Program,
    pub words: Vec<String>,
    pub person: Person,
    pub from: String,
    pub id: ChannelId,
    pub handle: Handle,
    /// There is a terminal at the other end, which nobody there translates for: a line ends with a carriage return too.
    pub terminal: bool,
}

impl Run {
    /// Runs it to its end; gives its exit status.
    pub(super) async fn run(self) -> u32 {
        let _turn = self.server.commands.acquire().await;
        self.server.metrics.commands.one();
        // Its first word only: others may name patients.
        let name: String = self.words.first().map_or_else(String::new, |word| {
            word.chars()
                .filter(char::is_ascii_graphic)
                .take(32)
                .collect()
        });
        let detail = format!(
            "'{name}' over SSH from {} by {} as {}",
            self.from, self.person.method, self.person.actor.role
        );
        let now = (self.server.clock)();
        let begun = event(Some(&self.person.actor), "command", detail, now);
        self.server.door.note(begun);
        match tokio::time::timeout(LONGEST, self.child()).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => {
                tracing::error!("a command could not be run: {error}");
                self.says("ValMed: the command could not be started\r\n")
                    .await;
                CANNOT_START
            }
            Err(_late) => {
                self.says("ValMed: the command took too long\r\n").await;
                1
            }
        }
    }

    async fn says(&self, words: &str) {
        let _ = self
            .handle
            .extended_data(self.id, 1, words.as_bytes().to_vec())
            .await;
    }

    async fn child(&self) -> std::io::Result<u32> {
        let mut child = Command::new(&self.program.path)
            .args(&self.words)
            .envs(self.program.environment.iter().cloned())
            .env(ON_BEHALF_OF, &self.person.actor.username)
            // Whose operations they are need not be said again.
            .env("VALMED_AS", &self.person.actor.username)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (out, err) = tokio::join!(self.pass_on(out, None), self.pass_on(err, Some(1)));
        // The client is gone: what was asked is finished all the same.
        let _ = (out, err);
        let status = child.wait().await?;
        Ok(status
            .code()
            .and_then(|code| u32::try_from(code).ok())
            .unwrap_or(1))
    }

    async fn pass_on(
        &self,
        from: Option<impl AsyncRead + Unpin>,
        extended: Option<u32>,
    ) -> std::io::Result<()> {
        let Some(mut from) = from else {
            return Ok(());
        };
        let mut bytes = vec![0; CHUNK];
        loop {
            let read = from.read(&mut bytes).await?;
            if read == 0 {
                return Ok(());
            }
            let data = match self.terminal {
                true => with_returns(&bytes[..read]),
                false => bytes[..read].to_vec(),
            };
            let sent = match extended {
                None => self.handle.data(self.id, data).await,
                Some(code) => self.handle.extended_data(self.id, code, data).await,
            };
            if sent.is_err() {
                return Err(std::io::ErrorKind::BrokenPipe.into());
            }
        }
    }
}

/// As a terminal wants the ends of lines.
fn with_returns(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 40);
    for byte in bytes {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_on_a_terminal_end_where_they_begin() {
        assert_eq!(with_returns(b"one\ntwo\n"), b"one\r\ntwo\r\n");
    }

    #[test]
    fn a_command_line_is_words_and_nothing_else() {
        let of = |line: &str| words(line.as_bytes());
        assert_eq!(
            of("valmed orders --format json").unwrap(),
            ["orders", "--format", "json"]
        );
        assert_eq!(
            of(r#"stock  --ward 'A 1'x"y z"\ q"#).unwrap(),
            ["stock", "--ward", "A 1xy z q"]
        );
        assert_eq!(of("orders ''").unwrap(), ["orders", ""]);
        // What a shell would make more of is just a word.
        assert_eq!(
            of("orders; rm $HOME `x` > y").unwrap()[..3],
            ["orders;", "rm", "$HOME"]
        );
        for bad in ["", "  ", "valmed", "a 'b", "a\\", "a\0"] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
        assert!(words(&[0xff]).is_err());
        assert!(words(&[b'x'; LINE + 1]).is_err());
    }
}
