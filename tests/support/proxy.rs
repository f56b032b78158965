//! A line to PostgreSQL that can be cut at chosen moments.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::unix::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{Mutex as AsyncMutex, Notify, Semaphore};
use tokio::task::AbortHandle;

/// What happens at the next message of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The line is cut before COMMIT reaches the server, which then rolls back.
    BeforeCommit,
    /// The server has committed; the line is cut before its answer gets back.
    AfterCommit,
    /// The line is cut, and COMMIT reaches the server only when [`Proxy::release`] says so.
    LateCommit,
    /// The server answers the next BEGIN with an error that no rule foresees.
    ErrorAtBegin,
}

/// The line.
#[derive(Clone)]
pub struct Proxy {
    shared: Arc<Shared>,
}

struct Shared {
    socket: PathBuf,
    port: u16,
    plan: Mutex<VecDeque<Cut>>,
    cuts: AtomicUsize,
    release: Semaphore,
    door: Mutex<Option<AbortHandle>>,
    lines: Mutex<Vec<AbortHandle>>,
    /// After so many cuts nobody is let in any more; zero: never.
    last_cut: AtomicUsize,
}

impl Proxy {
    /// Opens a line to the server behind `socket`.
    pub async fn open(socket: PathBuf) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = Proxy {
            shared: Arc::new(Shared {
                socket,
                port: listener.local_addr().unwrap().port(),
                plan: Mutex::default(),
                cuts: AtomicUsize::new(0),
                release: Semaphore::new(0),
                door: Mutex::default(),
                lines: Mutex::default(),
                last_cut: AtomicUsize::new(0),
            }),
        };
        proxy.accept(listener);
        proxy
    }

    /// The address of a database at the far end.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgresql://valmed@127.0.0.1:{}/{database}?sslmode=disable",
            self.shared.port
        )
    }

    /// What is to happen, in this order.
    pub fn plan(&self, cuts: &[Cut]) {
        self.shared.plan.lock().unwrap().extend(cuts);
    }

    /// After so many cuts the server cannot be reached any more, until the door is opened again.
    pub fn close_door_after(&self, cuts: usize) {
        self.shared.last_cut.store(cuts, Ordering::SeqCst);
    }

    /// How many cuts there were.
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// Lets one late COMMIT through.
    pub fn release(&self) {
        self.shared.release.add_permits(1);
    }

    /// From now on connections are refused, and those there are end.
    pub fn close_door(&self) {
        self.shared.close_door();
    }

    /// Connections are taken again.
    pub async fn open_door(&self) {
        let listener = super::until(|| async {
            // The old listener may not be gone yet.
            TcpListener::bind(("127.0.0.1", self.shared.port))
                .await
                .ok()
        })
        .await;
        self.accept(listener);
    }

    fn accept(&self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        let door = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let line = tokio::spawn(carry(Arc::clone(&shared), client));
                shared.lines.lock().unwrap().push(line.abort_handle());
            }
        });
        *self.shared.door.lock().unwrap() = Some(door.abort_handle());
    }
}

impl Shared {
    fn close_door(&self) {
        if let Some(door) = self.door.lock().unwrap().take() {
            door.abort();
        }
        for line in self.lines.lock().unwrap().drain(..) {
            line.abort();
        }
    }

    fn next(&self, message: &[u8]) -> Option<Cut> {
        let mut plan = self.plan.lock().unwrap();
        let first = *plan.front()?;
        let meant = match first {
            Cut::ErrorAtBegin => message.starts_with(b"BEGIN"),
            _ => message.starts_with(b"COMMIT"),
        };
        if !meant {
            return None;
        }
        plan.pop_front();
        drop(plan);
        let cuts = self.cuts.fetch_add(1, Ordering::SeqCst) + 1;
        if self.last_cut.load(Ordering::SeqCst) == cuts
            && let Some(door) = self.door.lock().unwrap().take()
        {
            door.abort();
            // Nor by a connection that was made before; the line of this cut still has its message to bring.
            let this = tokio::task::try_id();
            for line in self.lines.lock().unwrap().iter() {
                if Some(line.id()) != this {
                    line.abort();
                }
            }
        }
        Some(first)
    }
}

/// What both directions of a line share.
struct Line {
    to_client: AsyncMutex<Option<OwnedWriteHalf>>,
    mute: AtomicBool,
    ready: Notify,
}

async fn carry(shared: Arc<Shared>, client: TcpStream) {
    let Ok(server) = UnixStream::connect(&shared.socket).await else {
        return;
    };
    // Messages are small and answers waited for.
    client.set_nodelay(true).unwrap();
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let line = Arc::new(Line {
        to_client: AsyncMutex::new(Some(to_client)),
        mute: AtomicBool::new(false),
        ready: Notify::new(),
    });
    let answers = tokio::spawn(carry_back(from_server, Arc::clone(&line)));
    let end = AbortOnDrop(answers.abort_handle());
    // The first message has no tag.
    let Some(startup) = body(&mut from_client).await else {
        return;
    };
    if !forward(&mut to_server, None, &startup).await {
        return;
    }
    while let Ok(tag) = from_client.read_u8().await {
        let Some(message) = body(&mut from_client).await else {
            return;
        };
        let cut = (tag == b'Q').then(|| shared.next(&message)).flatten();
        match cut {
            None => {
                if !forward(&mut to_server, Some(tag), &message).await {
                    return;
                }
            }
            Some(Cut::BeforeCommit) => return,
            Some(Cut::AfterCommit) => {
                line.mute.store(true, Ordering::SeqCst);
                forward(&mut to_server, Some(tag), &message).await;
                line.ready.notified().await;
                return;
            }
            Some(Cut::LateCommit) => {
                line.mute.store(true, Ordering::SeqCst);
                line.to_client.lock().await.take();
                drop(from_client);
                // The door may close meanwhile: this line must still bring its message.
                tokio::spawn(async move {
                    let _end = end;
                    shared.release.acquire().await.unwrap().forget();
                    forward(&mut to_server, Some(tag), &message).await;
                    line.ready.notified().await;
                });
                return;
            }
            Some(Cut::ErrorAtBegin) => {
                let fields = b"SERROR\0VERROR\0CXX000\0Mmade up by the line\0\0";
                if let Some(to_client) = line.to_client.lock().await.as_mut() {
                    forward(to_client, Some(b'E'), fields).await;
                    forward(to_client, Some(b'Z'), b"I").await;
                }
            }
        }
    }
}

/// From the server to the client, message by message.
async fn carry_back(mut from_server: OwnedReadHalf, line: Arc<Line>) {
    while let Ok(tag) = from_server.read_u8().await {
        let Some(message) = body(&mut from_server).await else {
            break;
        };
        if line.mute.load(Ordering::SeqCst) {
            if tag == b'Z' {
                line.ready.notify_one();
            }
        } else if let Some(to_client) = line.to_client.lock().await.as_mut()
            && !forward(to_client, Some(tag), &message).await
        {
            break;
        }
    }
    line.to_client.lock().await.take();
    line.ready.notify_one();
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn body(from: &mut (impl AsyncReadExt + Unpin)) -> Option<Vec<u8>> {
    let length = usize::try_from(from.read_u32().await.ok()?).ok()?;
    let mut body = vec![0; length.checked_sub(4)?];
    from.read_exact(&mut body).await.ok()?;
    Some(body)
}

async fn forward(to: &mut (impl AsyncWriteExt + Unpin), tag: Option<u8>, body: &[u8]) -> bool {
    let mut message = Vec::with_capacity(body.len() + 5);
    message.extend(tag);
    message.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    message.extend(body);
    to.write_all(&message).await.is_ok()
}
