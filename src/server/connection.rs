//! One connection from its first byte to its last: how long each step may take, and what is put on record.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use russh::ChannelId;
use russh::server::{Handle, run_stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

use super::Inner;
use super::cut::Cut;
use super::handler::Handler;
use super::limits::Place;
use super::who::{Person, event};

/// After the end of its session a client has so long to close the connection: one that is closed at once loses the last
/// bytes, and the terminal would not be given back.
const LINGER: Duration = Duration::from_secs(5);

/// What handler, session and supervisor of a connection know of each other.
pub(super) struct Conn {
    pub from: SocketAddr,
    person: OnceLock<Person>,
    signed_in: Notify,
    started: AtomicBool,
    over: Notify,
    tried: Mutex<Tried>,
}

/// What did not let anybody in.
#[derive(Debug, Default)]
struct Tried {
    times: u32,
    user: String,
    /// The first few, and no two alike: an agent offers the key of a certificate after it.
    what: Vec<String>,
}

/// Of what was tried, so much is put on record.
const TRIED: usize = 8;

impl Conn {
    pub(super) fn new(from: SocketAddr) -> Conn {
        Conn {
            from,
            person: OnceLock::new(),
            signed_in: Notify::new(),
            started: AtomicBool::new(false),
            over: Notify::new(),
            tried: Mutex::default(),
        }
    }

    /// Somebody has proved who they are. Once: who it is does not change.
    pub(super) fn signed_in(&self, person: Person) {
        if self.person.set(person).is_ok() {
            self.signed_in.notify_one();
        }
    }

    /// Who it is, once that is proved.
    pub(super) fn person(&self) -> Option<&Person> {
        self.person.get()
    }

    /// A session or a command runs.
    pub(super) fn started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// Something was tried that let nobody in.
    pub(super) fn tried(&self, user: &str, what: String) {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        tried.times += 1;
        user.clone_into(&mut tried.user);
        if tried.what.len() < TRIED && !tried.what.contains(&what) {
            tried.what.push(what);
        }
    }

    /// The session or command is over: says so to the client, after what its terminal is still to be sent.
    pub(super) async fn finish(&self, id: ChannelId, handle: &Handle, last: Vec<u8>, status: u32) {
        let said = async {
            if !last.is_empty() {
                // A channel that is closed takes none of it, and its end is said all the same.
                let _ = handle.data(id, last).await;
            }
            handle.exit_status_request(id, status).await?;
            handle.eof(id).await?;
            handle.close(id).await
        };
        // A client that takes nothing, or is gone, is cut.
        let _ = tokio::time::timeout(LINGER, said).await;
        self.over();
    }

    /// Nothing more comes on this connection.
    pub(super) fn over(&self) {
        self.over.notify_one();
    }
}

/// Attends to a connection until it is over.
pub(super) async fn attend<S>(server: Arc<Inner>, stream: S, from: SocketAddr, mut place: Place)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    server.metrics.connections.one();
    let (stream, scissors) = Cut::new(stream, Arc::clone(&server.metrics));
    let conn = Arc::new(Conn::new(from));
    let handler = Handler::new(Arc::clone(&server), Arc::clone(&conn));
    let times = server.rules().times;
    let running = run_stream(Arc::clone(&server.ssh), stream, handler);
    let Ok(Ok(mut running)) = tokio::time::timeout(times.banner, running).await else {
        server.metrics.unsigned.one();
        return;
    };
    let signed_in = tokio::select! {
        _ = &mut running => false,
        () = conn.signed_in.notified() => true,
        () = tokio::time::sleep(times.sign_in) => false,
        () = server.stop() => false,
    };
    if !signed_in {
        server.metrics.unsigned.one();
        scissors.cut();
        return nobody(&server, &conn).await;
    }
    place.signed_in();
    let idle = async {
        tokio::time::sleep(times.sign_in).await;
        if conn.started.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let over = async {
        conn.over.notified().await;
        tokio::time::sleep(LINGER).await;
    };
    tokio::select! {
        // The library says why in the log; here it makes no difference.
        _ = &mut running => {}
        () = idle => tracing::info!(%from, "signed in and asked for nothing"),
        () = over => {}
    }
    scissors.cut();
}

/// Nobody signed in: what was tried is put on record, one row a connection.
async fn nobody(server: &Inner, conn: &Conn) {
    let (times, user, what) = {
        let tried = conn.tried.lock().unwrap_or_else(PoisonError::into_inner);
        (tried.times, tried.user.clone(), tried.what.join("; "))
    };
    if times == 0 {
        return;
    }
    let Some(unrecorded) = server.flood.may_record((server.clock)()) else {
        return;
    };
    let length = user.chars().count();
    let mut detail = format!(
        "over SSH from {}, {times} times, a name of length {length}: {what}",
        conn.from
    );
    if unrecorded > 0 {
        detail.push_str(&format!("; {unrecorded} more are not on record one by one"));
    }
    tracing::info!("sign-in failed: {detail}");
    let event = event(None, "sign-in failed", detail, (server.clock)());
    server.door.note(event);
}
