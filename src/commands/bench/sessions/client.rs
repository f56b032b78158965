//! People at terminals, as far as a server can tell.

use std::num::NonZeroU16;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Wakes, Poll, Waker};
use std::time::{Duration, Instant};

use anyhow::Context;
use russh::client::{self, Handle};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// A person waits for something so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Stands on the screen when the ward is there.
const THERE: &str = "live";
/// What a terminal is asked after a frame.
const ASKED: &[u8] = b"\x1b[5n";

/// The server is this process's own: whatever key it has is right.
struct Anybody;

impl client::Handler for Anybody {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _key: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

/// A line that can be left unread, while what is typed still goes out on it.
struct Line {
    stream: TcpStream,
    stopped: Arc<Stopped>,
}

/// Whether a line is left unread.
#[derive(Default)]
pub(super) struct Stopped {
    stopped: AtomicBool,
    waits: std::sync::Mutex<Option<Waker>>,
}

impl Stopped {
    /// From now on nothing is read, or again.
    pub(super) fn set(&self, stopped: bool) {
        self.stopped.store(stopped, Ordering::SeqCst);
        let waits = self.waits.lock();
        let waker = waits
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Wakes<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.stopped.stopped.load(Ordering::SeqCst) {
            let waits = self.stopped.waits.lock();
            *waits.unwrap_or_else(std::sync::PoisonError::into_inner) = Some(cx.waker().clone());
            if self.stopped.stopped.load(Ordering::SeqCst) {
                return Poll::Pending;
            }
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Wakes<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Wakes<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Wakes<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Somebody at a terminal, who reads what comes and answers what the terminal is asked.
pub(super) struct Person {
    keys: Arc<ChannelWriteHalf<client::Msg>>,
    /// When bytes came last, and how many in all.
    came: watch::Receiver<(Instant, u64)>,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Leaves the line unread.
    pub stopped: Arc<Stopped>,
    _handle: Handle<Anybody>,
}

impl Person {
    /// Signs in with a key at a terminal of 80 by 24, and looks until the ward is there.
    pub(super) async fn arrives(
        address: &str,
        user: &str,
        key: &Arc<PrivateKey>,
    ) -> anyhow::Result<Person> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let stopped = Arc::new(Stopped::default());
        let line = Line {
            stream,
            stopped: Arc::clone(&stopped),
        };
        let config = client::Config {
            nodelay: true,
            ..client::Config::default()
        };
        let mut handle = client::connect_stream(Arc::new(config), line, Anybody).await?;
        let key = PrivateKeyWithHashAlg::new(Arc::clone(key), None);
        let signed_in = handle.authenticate_publickey(user, key).await?;
        anyhow::ensure!(signed_in.success(), "the server does not know the key");
        let channel = handle.channel_open_session().await?;
        channel.set_env(false, "LANG", "C.UTF-8").await?;
        channel
            .request_pty(false, "xterm-256color", 80, 24, 0, 0, &[])
            .await?;
        channel.request_shell(false).await?;
        let (reads, keys) = channel.split();
        let keys = Arc::new(keys);
        let (tell, came) = watch::channel((Instant::now(), 0));
        let size = |n| NonZeroU16::new(n).context("a size");
        let screen = vt100::Parser::new(size(24)?, size(80)?, 0);
        let screen = Arc::new(Mutex::new(screen));
        tokio::spawn(read(reads, Arc::clone(&keys), tell, Arc::clone(&screen)));
        let mut person = Person {
            keys,
            came,
            screen,
            stopped,
            _handle: handle,
        };
        person.sees(THERE).await?;
        Ok(person)
    }

    /// Types, and gives the time to the first byte that comes back.
    pub(super) async fn types(&mut self, keys: &'static str) -> anyhow::Result<Duration> {
        let before = *self.came.borrow_and_update();
        let began = Instant::now();
        self.send(keys).await?;
        let came = self.came.wait_for(|came| came.1 > before.1);
        let came = tokio::time::timeout(PATIENCE, came).await;
        let came = came
            .context("nothing comes")?
            .context("the session ended")?;
        Ok(came.0.saturating_duration_since(began))
    }

    /// Looks until these words stand on the screen.
    pub(super) async fn sees(&mut self, words: &str) -> anyhow::Result<()> {
        self.sees_one(&[words]).await.map(|_| ())
    }

    /// Looks until some of these words stand on the screen; says which.
    pub(super) async fn sees_one(&mut self, any: &[&str]) -> anyhow::Result<usize> {
        loop {
            let shown = shown(&self.screen);
            if let Some(at) = any.iter().position(|words| shown.contains(words)) {
                return Ok(at);
            }
            let words = any.join("' or '");
            let changed = tokio::time::timeout(PATIENCE, self.came.changed()).await;
            changed
                .with_context(|| format!("'{words}' does not come:\n{shown}"))?
                .with_context(|| format!("the session ended before '{words}':\n{shown}"))?;
        }
    }

    /// Types and does not look.
    pub(super) async fn send(&self, keys: &str) -> anyhow::Result<()> {
        Ok(self.keys.data(keys.as_bytes()).await?)
    }

    /// Waits until nothing has come for so long.
    pub(super) async fn rests(&mut self, quiet: Duration) {
        while let Ok(Ok(())) = tokio::time::timeout(quiet, self.came.changed()).await {}
    }
}

fn shown(screen: &Mutex<vt100::Parser>) -> String {
    let screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
    screen.screen().contents()
}

async fn read(
    mut reads: ChannelReadHalf,
    keys: Arc<ChannelWriteHalf<client::Msg>>,
    tell: watch::Sender<(Instant, u64)>,
    screen: Arc<Mutex<vt100::Parser>>,
) {
    while let Some(message) = reads.wait().await {
        let ChannelMsg::Data { data } = message else {
            continue;
        };
        let now = Instant::now();
        screen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .process(&data);
        tell.send_modify(|came| *came = (now, came.1 + data.len() as u64));
        let asked = data
            .windows(ASKED.len())
            .filter(|seen| *seen == ASKED)
            .count();
        if asked > 0 && keys.data("\x1b[0n".repeat(asked).as_bytes()).await.is_err() {
            return;
        }
    }
}
