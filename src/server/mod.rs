//! The SSH server: terminals of many people, one program, one pool.
//!
//! It takes connections within limits, finds out who is there, and runs one session for each, which is the same as at the
//! local terminal. It holds no rule of a ward. Nobody who is at work waits for anybody else's terminal, or for whoever
//! only knocks. Who somebody is comes from a signature or a PIN that was checked, never from what was only said.

pub mod attach;
mod authority;
mod connection;
mod control;
mod cut;
mod delays;
mod exec;
mod flood;
mod handler;
mod host_key;
mod limits;
mod metrics;
mod registry;
mod status;
mod terminal;
#[cfg(test)]
mod tests;
mod visit;
mod who;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve, PrivateKey};
use russh::{MethodKind, MethodSet, Preferred, SshId, compression};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::desk::Clock;
use crate::session::{Services, Settings as SessionSettings};
use crate::store::accounts;
use crate::terminal::kept::Kept;

pub use authority::{Authority, BadAuthority};
pub use control::{Answer, Ask, NoAnswer, ask, unix_listen};
pub use exec::{ON_BEHALF_OF, Program};
pub use host_key::{NoHostKey, load_or_make as host_key};
pub use limits::Most;
pub use metrics::Metrics;
pub use registry::Listed;

use delays::Delays;
use flood::Flood;
use limits::Places;
use registry::{Registry, Why};
use who::Door;

/// How often disabled accounts are looked for among those who are signed in.
const LOOK: Duration = Duration::from_secs(1);
/// After `accept` failed, most likely for want of file descriptors.
const AGAIN: Duration = Duration::from_millis(200);
/// Tries to sign in on one connection, keys that are only offered among them: an agent may hold many. What may be guessed
/// has a limit of its own.
const TRIES: usize = 32;
/// Keys that people may have; RSA is not among them. Source: what the library's `ring` verifies.
const KEYS: &[Algorithm] = &[
    Algorithm::Ed25519,
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP256,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP384,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP521,
    },
    Algorithm::SkEd25519,
    Algorithm::SkEcdsaSha2NistP256,
];
/// For what is put on record at the very end.
const NOTED: Duration = Duration::from_secs(5);
/// Bytes that a client may send before it is read on: nobody types more.
const WINDOW: u32 = 64 * 1024;
/// Bytes that wait in the kernel for a slow line: little, or its screen would be old by the time it comes.
const SEND_BUFFER: u32 = 32 * 1024;
/// Of those, so many at most that have not even left: what is not handed to the kernel can still be left out.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 16 * 1024;
/// A peer that acknowledges nothing for so long is gone, in milliseconds.
const GONE: u32 = 120_000;
/// Connections that may wait to be taken.
const BACKLOG: u32 = 1024;

/// How long what may take.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// To the first line of the client.
    pub banner: Duration,
    /// From there until somebody is signed in, and then until they ask for a session.
    pub sign_in: Duration,
    /// For what is signed and on its way, when the server stops.
    pub stop: Duration,
}

/// What a server is like.
#[derive(Debug)]
pub struct Settings {
    /// What may be read again.
    pub rules: Rules,
    /// What runs commands; `None`: they are refused.
    pub exec: Option<Program>,
    /// What sessions are like.
    pub session: SessionSettings,
    /// What people have set about their terminals.
    pub kept: Arc<Kept>,
}

/// What may be read again while the server runs.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How many at most.
    pub most: Most,
    /// How long what may take.
    pub times: Times,
    /// Who may say whose key it is.
    pub authority: Authority,
    /// There are such: a certificate is looked at.
    pub certificates: bool,
    /// System users of this machine who may join, with their accounts.
    pub attach: HashMap<u32, String>,
}

/// What all connections share.
struct Inner {
    services: Services,
    clock: Clock,
    settings: Settings,
    rules: RwLock<Arc<Rules>>,
    ssh: Arc<russh::server::Config>,
    door: Door,
    delays: Delays,
    flood: Flood,
    places: Arc<Places>,
    registry: Arc<Registry>,
    metrics: Arc<Metrics>,
    commands: Semaphore,
    stop: watch::Sender<bool>,
}

impl Inner {
    /// Waits until the server stops.
    async fn stop(&self) {
        // The sender is here, so it is not gone.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// What counts now.
    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The server. Clones are the same server.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

/// Listens on an address, with small buffers for what is sent.
///
/// # Errors
/// The address is taken, or not this machine's.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Server {
    /// A server that is known by that key. Must be called inside a tokio runtime.
    pub fn new(services: Services, settings: Settings, key: PrivateKey) -> Server {
        let clock = Arc::clone(&services.clock);
        let rules = settings.rules.clone();
        let authority = rules.authority.clone();
        let (db, sign_in) = (services.db.clone(), services.sign_in.clone());
        let server = Server(Arc::new(Inner {
            door: Door::new(db, sign_in, Arc::clone(&clock), authority),
            services,
            clock,
            ssh: Arc::new(ssh(key)),
            delays: Delays::default(),
            flood: Flood::default(),
            places: Places::new(rules.most),
            rules: RwLock::new(Arc::new(rules)),
            registry: Arc::default(),
            metrics: Arc::default(),
            commands: Semaphore::new(exec::AT_ONCE),
            stop: watch::Sender::new(false),
            settings,
        }));
        tokio::spawn(watch_accounts(Arc::clone(&server.0)));
        server
    }

    /// Takes connections until the server stops.
    pub async fn serve(&self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.0.stop() => return,
            };
            match accepted {
                Ok((stream, from)) => self.take(stream, from),
                Err(error) => {
                    tracing::error!("a connection could not be taken: {error}");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, from: SocketAddr) {
        let set = stream.set_nodelay(true).and(little_unsent(&stream));
        let gone = rustix::net::sockopt::set_tcp_user_timeout(&stream, GONE);
        if let Err(error) = set.and(gone.map_err(io::Error::from)) {
            tracing::warn!(%from, "a socket could not be set up: {error}");
        }
        if let Err((stream, full)) = self.attend(stream, from) {
            // A client prints what comes before the greeting. It may not fit; then nothing is said.
            let words = format!("ValMed: {full}. Try again in a minute.\r\n");
            let _ = stream.try_write(words.as_bytes());
        }
    }

    /// Attends to a connection in a task of its own; gives the stream back where there is no place for it, and why.
    ///
    /// # Errors
    /// There are too many connections, of whatever kind.
    pub fn attend<S>(&self, stream: S, from: SocketAddr) -> Result<(), (S, &'static str)>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match self.0.places.take(from.ip()) {
            Ok(place) => {
                tokio::spawn(connection::attend(Arc::clone(&self.0), stream, from, place));
                Ok(())
            }
            Err(full) => {
                self.0.metrics.turned_away.one();
                tracing::debug!(%from, "turned away: {}", full.words());
                Err((stream, full.words()))
            }
        }
    }

    /// Takes no more connections, lets every session show the outcome of what it signed, and ends it. Says whether all
    /// were over in time; those that were not are cut.
    pub async fn stop(&self) -> bool {
        self.0.stop.send_replace(true);
        let end = |after_outcomes| {
            for visitor in self.0.registry.all() {
                visitor.end(Why::Stopped, after_outcomes);
            }
        };
        end(true);
        let limit = self.0.rules().times.stop;
        let all = tokio::time::timeout(limit, self.0.registry.empty()).await;
        if all.is_err() {
            end(false);
            // The terminals are given back as far as their lines carry anything.
            let _ = tokio::time::timeout(Duration::from_secs(3), self.0.registry.empty()).await;
        }
        // How each session ended.
        if !self.0.door.noted(NOTED).await {
            tracing::error!("the audit is short of how some sessions ended");
        }
        all.is_ok()
    }

    /// Whether somebody may join or sign in with keys of this kind.
    pub fn takes(key: &Algorithm) -> bool {
        KEYS.contains(key)
    }

    /// From now on these count. Who is here stays, by the rules by which they came.
    pub fn reread(&self, rules: Rules) {
        self.0.places.limit(rules.most);
        self.0.door.trust(rules.authority.clone());
        let mut now = self.0.rules.write().unwrap_or_else(PoisonError::into_inner);
        *now = Arc::new(rules);
    }

    /// Who is here.
    pub fn sessions(&self) -> Vec<Listed> {
        self.0.registry.list()
    }

    /// What it has counted.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Connections in all, and those on which nobody is signed in yet.
    pub fn connections(&self) -> (usize, usize) {
        self.0.places.taken()
    }
}

/// Lets little wait in the kernel before it leaves.
#[cfg(target_os = "linux")]
fn little_unsent(stream: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT)
}

/// Elsewhere the small buffer has to do.
#[cfg(not(target_os = "linux"))]
fn little_unsent(_: &TcpStream) -> io::Result<()> {
    Ok(())
}

fn ssh(key: PrivateKey) -> russh::server::Config {
    russh::server::Config {
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-ValMed")),
        methods: MethodSet::from(&[MethodKind::PublicKey, MethodKind::KeyboardInteractive][..]),
        // Each way of signing in takes care of its own time.
        auth_rejection_time: Duration::from_millis(50),
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![key],
        window_size: WINDOW,
        max_auth_attempts: TRIES,
        inactivity_timeout: None,
        keepalive_interval: Some(Duration::from_secs(30)),
        keepalive_max: 3,
        nodelay: true,
        preferred: Preferred {
            compression: Cow::Borrowed(&[compression::NONE]),
            key: Cow::Borrowed(KEYS),
            ..Preferred::default()
        },
        ..russh::server::Config::default()
    }
}

/// Ends the sessions of whoever was disabled. Another process may have done it, so the database is asked; while nobody
/// is here, nothing is.
async fn watch_accounts(server: Arc<Inner>) {
    let mut every = tokio::time::interval(LOOK);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = server.stop() => return,
        }
        let visitors = server.registry.all();
        if visitors.is_empty() {
            continue;
        }
        let ids: BTreeSet<_> = visitors.iter().map(|visitor| visitor.actor.id).collect();
        let found = async {
            let mut conn = server.services.db.reader().await?;
            let now = (server.services.clock)().into();
            accounts::actors(conn.link(), ids.into_iter(), now).await
        };
        match found.await {
            Ok(found) => {
                for visitor in visitors {
                    if found.get(&visitor.actor.id).is_none_or(|now| now.disabled) {
                        visitor.end(Why::Disabled, false);
                    }
                }
            }
            Err(error) => tracing::warn!("disabled accounts could not be looked for: {error}"),
        }
    }
}
