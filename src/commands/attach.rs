//! `valmed attach`: joins the server of this machine. It has no database and no pool; it passes bytes.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::signal::unix::{SignalKind, signal};

use super::End;
use crate::config::Config;
use crate::server::attach::{Claim, Hello, PATIENCE, Piece, Say, line, put, receive, send};
use crate::session::local::Raw;
use crate::terminal::Profile;
use crate::terminal::local::Local;
use crate::tui::{Look, look};
use tokio::io::AsyncReadExt;

/// What the server is told of the terminal.
const VARIABLES: [&str; 6] = [
    "TERM",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "COLORTERM",
    "NO_COLOR",
];
/// Bytes of keys that are sent at once.
const KEYS: usize = 1024;

pub async fn attach(config: &Config) -> anyhow::Result<()> {
    let path = config.attach_socket();
    let path = path.ok_or_else(|| {
        let why =
            "the setting server.attach names no socket: this machine's server cannot be joined";
        End::Usage(why.to_owned())
    })?;
    let stream = connect(&path).await?;
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let variables = VARIABLES.iter().filter_map(|name| {
        let value = std::env::var(name).ok()?;
        Some(((*name).to_owned(), value))
    });
    // What is set on this side, whether by a variable or not, is this terminal's.
    let (colours, charset, plain) = config.look().words();
    let set = look::VARIABLES.into_iter().zip([colours, charset, plain]);
    let variables = variables.chain(set.map(|(name, word)| (name.to_owned(), word.to_owned())));
    let hello = Hello {
        size: Local::size(),
        variables: variables.collect(),
    };
    // A server that has no place for anybody says so before it listens, and closes the line.
    let greeted = put(&mut write, &hello).await;
    match sign_in(&mut read, &mut write).await {
        Ok(None) => greeted?,
        Ok(Some(why)) => return Err(anyhow::anyhow!(why)),
        // As words: a line that is closed here is no reader of ours that has had enough.
        Err(error) => return Err(anyhow::anyhow!("the server closed the line: {error:#}")),
    }
    match pass(&mut read, &mut write, config.look()).await? {
        0 => Ok(()),
        _ => Err(End::Failed.into()),
    }
}

async fn connect(path: &Path) -> anyhow::Result<UnixStream> {
    let stream = UnixStream::connect(path).await;
    stream.with_context(|| format!("no server can be joined at {}", path.display()))
}

/// Says who it is as often as that is asked; gives why it is not let in.
async fn sign_in(
    read: &mut BufReader<OwnedReadHalf>,
    write: &mut OwnedWriteHalf,
) -> anyhow::Result<Option<String>> {
    loop {
        let said = tokio::time::timeout(PATIENCE, line(read)).await;
        match said.context("the server does not answer")?? {
            Say::Welcome => return Ok(None),
            Say::No { why } => return Ok(Some(why)),
            Say::Who { before } => {
                let claim = tokio::task::spawn_blocking(move || claim(&before)).await??;
                put(write, &claim).await?;
            }
        }
    }
}

fn claim(before: &str) -> io::Result<Claim> {
    let mut out = io::stdout();
    if !before.is_empty() {
        writeln!(out, "{before}")?;
    }
    write!(out, "User name: ")?;
    out.flush()?;
    let mut username = String::new();
    io::stdin().read_line(&mut username)?;
    let pin = rpassword::prompt_password("PIN or password: ")?;
    let username = username.trim().to_owned();
    Ok(Claim { username, pin })
}

/// Passes keys one way and frames the other until the session is over; gives its exit status.
async fn pass(
    read: &mut BufReader<OwnedReadHalf>,
    write: &mut OwnedWriteHalf,
    look: Look,
) -> anyhow::Result<u8> {
    let mut resized = signal(SignalKind::window_change())?;
    let (raw, mut keyboard) = Raw::enter()?;
    let typing = async {
        let mut keys = [0; KEYS];
        loop {
            tokio::select! {
                read = keyboard.read(&mut keys) => match read? {
                    0 => return Ok(()),
                    read => send(write, Piece::Bytes, &keys[..read]).await?,
                },
                _ = resized.recv() => {
                    let (columns, rows) = Local::size();
                    let size = [columns.to_be_bytes(), rows.to_be_bytes()].concat();
                    send(write, Piece::Size, &size).await?;
                }
            }
        }
    };
    let looking = async {
        let mut out = io::stdout();
        while let Some((piece, bytes)) = receive(read).await? {
            match piece {
                Piece::Bytes => {
                    out.write_all(&bytes)?;
                    out.flush()?;
                }
                Piece::End => return Ok(bytes.first().copied()),
                Piece::Size => {}
            }
        }
        Ok::<_, io::Error>(None)
    };
    let status = tokio::select! {
        status = looking => status,
        typed = typing => typed.map(|()| None),
    };
    if !matches!(status, Ok(Some(_))) {
        // The server is gone, and has not given the terminal back.
        let profile = Profile::of(|name| std::env::var(name).ok()).with(look);
        let mut out = io::stdout();
        // A part of it on its way would swallow the words that follow.
        out.write_all(&profile.goodbye())
            .and_then(|()| out.flush())?;
    }
    drop(raw);
    status?.context("the server is gone; what you signed is shown to you when you sign in again")
}
