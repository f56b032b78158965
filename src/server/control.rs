//! Who is here, and ending their sessions, for whoever looks after the server: over a Unix socket that nobody else can
//! open, and on which only the server's own system user and root are answered.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::registry::{Listed, Why};
use super::{AGAIN, Server};

/// Bytes of a question at most.
const QUESTION: u64 = 64 * 1024;
/// Bytes of an answer at most.
const ANSWER: u64 = 64 * 1024 * 1024;
/// Either side waits for the other so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the server is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// Who is here?
    List,
    /// End these sessions, and those of this account.
    End {
        /// By their numbers.
        ids: Vec<u64>,
        /// Whose.
        username: Option<String>,
    },
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// These are here.
    Sessions {
        /// By number.
        sessions: Vec<Listed>,
    },
    /// These were told to end.
    Ended {
        /// By number.
        sessions: Vec<Listed>,
    },
    /// It was not done.
    Refused {
        /// Why.
        why: String,
    },
}

/// Why the server cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// No server is there.
    #[error("no server answers at {}: {error}", .path.display())]
    NotThere {
        /// The socket.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It said something else.
    #[error("the server's answer cannot be read: {0}")]
    Unreadable(String),
}

/// Listens on a Unix socket with that mode. One that an earlier server left there is replaced; one that answers is not.
///
/// # Errors
/// Another server listens there, or the file cannot be made.
pub fn unix_listen(path: &Path, mode: u32) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent()
        && !folder.exists()
    {
        std::fs::create_dir_all(folder)?;
        // Whoever may use the socket must get to it, whatever mask this process has.
        if mode & 0o006 != 0 {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
        }
    }
    match std::fs::symlink_metadata(path) {
        Ok(there) if there.file_type().is_socket() => {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(io::Error::new(
                    io::ErrorKind::AddrInUse,
                    "another server listens there",
                ));
            }
            std::fs::remove_file(path)?;
        }
        Ok(_) => {
            let why = "there is a file of that name that is no socket";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    Ok(listener)
}

/// Asks the server that listens there.
///
/// # Errors
/// [`NoAnswer`].
pub async fn ask(path: &Path, what: &Ask) -> Result<Answer, NoAnswer> {
    let not_there = |error| NoAnswer::NotThere {
        path: path.to_owned(),
        error,
    };
    let unreadable = |error: serde_json::Error| NoAnswer::Unreadable(error.to_string());
    let mut question = serde_json::to_vec(what).map_err(unreadable)?;
    question.push(b'\n');
    let asked = async {
        let mut stream = UnixStream::connect(path).await?;
        stream.write_all(&question).await?;
        let mut answer = Vec::new();
        stream.take(ANSWER).read_to_end(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    let answer = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(not_there)?,
        Err(_) => return Err(not_there(io::ErrorKind::TimedOut.into())),
    };
    serde_json::from_slice(&answer).map_err(unreadable)
}

impl Server {
    /// Answers whoever may ask, until the server stops.
    pub async fn serve_control(&self, listener: UnixListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.0.stop() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let server = self.clone();
                    tokio::spawn(async move {
                        let answered = tokio::time::timeout(PATIENCE, server.answer(stream));
                        if let Ok(Err(error)) = answered.await {
                            tracing::warn!("the control socket: {error}");
                        }
                    });
                }
                Err(error) => {
                    tracing::error!("the control socket: {error}");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    async fn answer(&self, mut stream: UnixStream) -> io::Result<()> {
        let asker = stream.peer_cred()?.uid();
        let mut line = Vec::new();
        let (read, mut write) = stream.split();
        let mut question = BufReader::new(read.take(QUESTION));
        question.read_until(b'\n', &mut line).await?;
        let ours = rustix::process::geteuid().as_raw();
        let answer = match serde_json::from_slice(&line) {
            _ if asker != 0 && asker != ours => Answer::Refused {
                why: "only the server's own system user and root may ask".to_owned(),
            },
            Ok(what) => self.carry_out(what, asker),
            Err(error) => Answer::Refused {
                why: error.to_string(),
            },
        };
        write.write_all(&serde_json::to_vec(&answer)?).await?;
        write.shutdown().await
    }

    fn carry_out(&self, what: Ask, asker: u32) -> Answer {
        match what {
            Ask::List => Answer::Sessions {
                sessions: self.sessions(),
            },
            Ask::End { ids, username } => {
                let mut ended = Vec::new();
                for visitor in self.0.registry.all() {
                    let theirs = Some(&visitor.actor.username) == username.as_ref();
                    if theirs || ids.contains(&visitor.id) {
                        visitor.end(Why::EndedBy(asker), false);
                        ended.push(visitor.listed());
                    }
                }
                Answer::Ended { sessions: ended }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_taken_over_from_the_dead_and_not_from_the_living() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/control.sock");
        let first = unix_listen(&path, 0o600).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let second = unix_listen(&path, 0o600).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        drop(unix_listen(&path, 0o600).unwrap());
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "precious").unwrap();
        assert!(unix_listen(&path, 0o600).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }
}
