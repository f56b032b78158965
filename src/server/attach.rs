//! Joining the server from this machine: over a Unix socket, for a system sshd's `ForceCommand` or a local login.
//!
//! Whoever connects is a system user, as the kernel says; a file of the server's says whose account that is. Whoever is
//! not in it signs in with their PIN, as everywhere. The program at the other end has no database and no rights: it
//! passes bytes.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, duplex,
};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};

use super::registry::Why;
use super::visit::Visit;
use super::who::{No, Person};
use super::{AGAIN, Server, terminal};
use crate::session::{Station, wire};
use crate::tui::Look;

/// Bytes of a line before the session.
const LINE: u64 = 4096;
/// Bytes that wait between a session and its line.
const BUFFER: usize = 4096;
/// Tries to sign in on one connection.
const TRIES: u32 = 3;
/// Where they come from, for the limits.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What the other end says first.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Columns and rows.
    pub size: (u16, u16),
    /// `TERM`, `LANG` and the like.
    pub variables: HashMap<String, String>,
}

/// What it is answered, a line each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Say {
    /// Who are you? With what was wrong before, if anything was.
    Who {
        /// In words.
        before: String,
    },
    /// The session begins.
    Welcome,
    /// It does not.
    No {
        /// Why.
        why: String,
    },
}

/// The answer to [`Say::Who`].
#[derive(Serialize, Deserialize)]
pub struct Claim {
    /// The account.
    pub username: String,
    /// Its PIN.
    pub pin: String,
}

/// What a piece of the session is, either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// Keys, or what they are answered.
    Bytes,
    /// Columns and rows, two bytes each.
    Size,
    /// The end, with an exit status of one byte.
    End,
}

impl Piece {
    const fn code(self) -> u8 {
        match self {
            Piece::Bytes => 0,
            Piece::Size => 1,
            Piece::End => 2,
        }
    }
}

/// Sends a piece.
///
/// # Errors
/// The line is broken.
pub async fn send(
    to: &mut (impl AsyncWrite + Unpin),
    piece: Piece,
    bytes: &[u8],
) -> io::Result<()> {
    for part in bytes.chunks(usize::from(u16::MAX)) {
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        let mut whole = vec![piece.code()];
        whole.extend_from_slice(&length.to_be_bytes());
        whole.extend_from_slice(part);
        to.write_all(&whole).await?;
    }
    Ok(())
}

/// Takes the next piece; `None`: the line closed between two.
///
/// # Errors
/// The line is broken, or what comes is no piece.
pub async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<(Piece, Vec<u8>)>> {
    let piece = match from.read_u8().await {
        Ok(0) => Piece::Bytes,
        Ok(1) => Piece::Size,
        Ok(2) => Piece::End,
        Ok(_) => return Err(io::ErrorKind::InvalidData.into()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = vec![0; usize::from(from.read_u16().await?)];
    from.read_exact(&mut bytes).await?;
    Ok(Some((piece, bytes)))
}

/// What is wrong with the file of system users.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct BadPeople {
    path: String,
    why: String,
}

/// Whose account each system user's is, by the file: a line each, the number of the system user and the account. Lines
/// that begin with `#` say nothing.
///
/// # Errors
/// [`BadPeople`]: which line, and why.
pub fn people(path: &Path) -> Result<HashMap<u32, String>, BadPeople> {
    let bad = |why: String| BadPeople {
        path: path.display().to_string(),
        why,
    };
    let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    let mut people = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let entry = line.split_once(char::is_whitespace);
        let entry = entry.and_then(|(user, account)| Some((user.parse().ok()?, account.trim())));
        let Some((user, account)) = entry else {
            let why = "not the number of a system user ('id -u NAME') and an account";
            return Err(bad(format!("line {}: {why}", number + 1)));
        };
        if people.insert(user, account.to_owned()).is_some() {
            return Err(bad(format!(
                "line {}: {user} stands there twice",
                number + 1
            )));
        }
    }
    Ok(people)
}

impl Server {
    /// Lets people of this machine join, until the server stops.
    pub async fn serve_attach(&self, listener: UnixListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.0.stop() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let server = self.clone();
                    tokio::spawn(async move {
                        if let Err(error) = server.joined(stream).await {
                            tracing::info!("somebody who joined is gone: {error}");
                        }
                    });
                }
                Err(error) => {
                    tracing::error!("the socket for joining: {error}");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    async fn joined(&self, stream: UnixStream) -> io::Result<()> {
        let user = stream.peer_cred()?.uid();
        let (read, mut write) = stream.into_split();
        let mut place = match self.0.places.take(HERE) {
            Ok(place) => place,
            Err(full) => {
                let why = full.words().to_owned();
                return say(&mut write, &Say::No { why }).await;
            }
        };
        let mut read = BufReader::new(read);
        let before = async {
            let hello: Hello = line(&mut read).await?;
            let person = self.identify(user, &mut read, &mut write).await?;
            Ok::<_, io::Error>((hello, person))
        };
        let limit = self.0.rules().times.sign_in;
        let (hello, person) = tokio::time::timeout(limit, before).await??;
        let Some(person) = person else {
            return Ok(());
        };
        place.signed_in();
        say(&mut write, &Say::Welcome).await?;
        self.session(user, hello, person, read, write).await
    }

    /// Who it is; `None`: they are not let in, and have been told.
    async fn identify(
        &self,
        user: u32,
        read: &mut (impl AsyncBufReadExt + Unpin),
        write: &mut OwnedWriteHalf,
    ) -> io::Result<Option<Person>> {
        let door = &self.0.door;
        if let Some(account) = self.0.rules().attach.get(&user) {
            let why = match door.by_system_user(account, user).await {
                Ok(person) => return Ok(Some(person)),
                Err(No::Wrong(what)) => {
                    self.0.metrics.failures.one();
                    let detail = format!("from system user {user}: {what}");
                    let now = (self.0.clock)();
                    door.note(super::who::event(None, "sign-in failed", detail, now));
                    "your system user may not sign in here"
                }
                Err(No::Pin(_) | No::Failed(_)) => "nobody can sign in now",
            };
            let why = why.to_owned();
            say(write, &Say::No { why }).await?;
            return Ok(None);
        }
        let mut before = String::new();
        for _ in 0..TRIES {
            say(write, &Say::Who { before }).await?;
            let claim: Claim = line(read).await?;
            let name = super::handler::fit(&claim.username);
            let from = format!("on this machine as system user {user} by PIN");
            before = match door.by_secret(name, claim.pin, from).await {
                Ok(mut person) => {
                    person.method = format!("PIN as system user {user}");
                    return Ok(Some(person));
                }
                Err(No::Pin(words)) => words,
                Err(No::Wrong(_) | No::Failed(_)) => "Nobody can sign in now.".to_owned(),
            };
            self.0.metrics.failures.one();
        }
        say(write, &Say::No { why: before }).await?;
        Ok(None)
    }

    async fn session(
        &self,
        user: u32,
        hello: Hello,
        person: Person,
        mut read: impl AsyncRead + Unpin + Send + 'static,
        mut write: OwnedWriteHalf,
    ) -> io::Result<()> {
        let server = Arc::clone(&self.0);
        let size = terminal::clamped(hello.size.0.into(), hello.size.1.into());
        let said = |name: &str| hello.variables.get(name).cloned();
        let kept = Arc::clone(&server.settings.kept);
        let station = Station::at(&format!("user {user}"), said, Look::of(said), kept);
        let profile = station.profile();
        let term = terminal::name(hello.variables.get("TERM").map_or("", String::as_str));
        let (line, outside) = wire::Handle::new(size);
        let place = (
            format!("system user {user}"),
            format!("{term} {}x{}", size.0, size.1),
        );
        let began = (server.clock)();
        let here = server.registry.add(&person, place, began, line);
        if server.stopping() {
            here.visitor.end(Why::Stopped, false);
        }
        let visitor = Arc::clone(&here.visitor);
        let (mut keys, input) = duplex(BUFFER);
        let (output, mut screen) = duplex(BUFFER);
        tokio::spawn(async move {
            // The end of the line ends the session: its input closes with this task.
            while let Ok(Some((piece, bytes))) = receive(&mut read).await {
                match (piece, bytes.as_slice()) {
                    (Piece::Bytes, bytes) => {
                        if keys.write_all(bytes).await.is_err() {
                            return;
                        }
                    }
                    (Piece::Size, &[a, b, c, d]) => {
                        let (columns, rows) =
                            (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                        let size = terminal::clamped(columns.into(), rows.into());
                        visitor.line.resize(size);
                    }
                    _ => return,
                }
            }
        });
        let visit = Visit {
            server,
            person,
            here,
            input,
            output,
            outside,
            station,
        };
        let running = tokio::spawn(visit.run());
        let mut bytes = vec![0; BUFFER];
        loop {
            let read = screen.read(&mut bytes).await?;
            if read == 0 {
                break;
            }
            send(&mut write, Piece::Bytes, &bytes[..read]).await?;
        }
        let why = running.await.unwrap_or(Why::Defect);
        send(&mut write, Piece::Bytes, &why.last_words(&profile)).await?;
        let status = u8::from(why != Why::Left);
        send(&mut write, Piece::End, &[status]).await?;
        write.shutdown().await
    }
}

async fn say(to: &mut OwnedWriteHalf, what: &Say) -> io::Result<()> {
    put(to, what).await
}

/// Sends a line.
///
/// # Errors
/// The line is broken.
pub async fn put(to: &mut (impl AsyncWrite + Unpin), what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    to.write_all(&line).await
}

/// Takes a line.
///
/// # Errors
/// The line is broken, or closed, or says something else.
pub async fn line<T: serde::de::DeserializeOwned>(
    from: &mut (impl AsyncBufReadExt + Unpin),
) -> io::Result<T> {
    let mut line = Vec::new();
    from.take(LINE).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&line)?)
}

/// A client waits for an answer so long: somebody may be signing in before it.
pub const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_users_have_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people");
        std::fs::write(&path, "# number account\n1000 amara\n\n1001   dr.haddad \n").unwrap();
        let read = people(&path).unwrap();
        assert_eq!(read[&1000], "amara");
        assert_eq!(read[&1001], "dr.haddad");
        for (text, words) in [
            ("amara amara", "line 1: not the number"),
            ("1000", "line 1: not the number"),
            ("1 a\n1 b", "line 2: 1 stands there twice"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = people(&path).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[tokio::test]
    async fn pieces_come_as_they_were_sent() {
        let (mut here, mut there) = duplex(1 << 20);
        let long = vec![7; 70_000];
        send(&mut here, Piece::Bytes, &long).await.unwrap();
        send(&mut here, Piece::Size, &[0, 80, 0, 24]).await.unwrap();
        drop(here);
        let mut came = Vec::new();
        while let Some((piece, bytes)) = receive(&mut there).await.unwrap() {
            match piece {
                Piece::Bytes => came.extend(bytes),
                other => assert_eq!((other, bytes), (Piece::Size, vec![0, 80, 0, 24])),
            }
        }
        assert_eq!(came, long);
    }
}
