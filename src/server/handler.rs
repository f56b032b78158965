//! What one SSH connection asks for, and what it is answered.
//!
//! Nothing here waits for a terminal. Whatever is not served is refused, with an answer: a client must never wait for
//! one that does not come.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::Certificate;
use russh::server::{Auth, ChannelOpenHandle, Msg, PublicKeyOffer, Response, Session};
use russh::server::{Handle, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Pty};
use tokio::io::{AsyncWrite, AsyncWriteExt, DuplexStream};

use super::Inner;
use super::connection::Conn;
use super::exec;
use super::registry::{Visitor, Why};
use super::terminal;
use super::visit::Visit;
use super::who::{No, Person, event};
use crate::session::{Station, wire};
use crate::tui::{Look, look};

/// Keys that one connection may offer: an agent may hold many, and each is a question to the database.
const OFFERS: u32 = 20;
/// PINs that one connection may try.
const PINS: u32 = 6;
/// Variables that say what the terminal can do. No other is taken.
const VARIABLES: &[&str] = &[
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "COLORTERM",
    "NO_COLOR",
    look::VARIABLES[0],
    look::VARIABLES[1],
    look::VARIABLES[2],
];
/// Longest name of a terminal, and longest value of a variable, in bytes.
const LONGEST: usize = 64;
/// Bytes from the terminal that may wait for the session, which takes them at once.
const INPUT: usize = 16 * 1024;
/// A session that takes nothing for so long hangs.
const HANGS: Duration = Duration::from_secs(10);
/// The exit status of what is refused: what a shell says of a program that may not be run.
const TURNED_DOWN: u32 = 126;

/// What sends to the terminal.
pub(super) type Output = Box<dyn AsyncWrite + Unpin + Send>;

/// One connection's handler.
pub(super) struct Handler {
    server: Arc<Inner>,
    conn: Arc<Conn>,
    /// What the next question for the PIN begins with.
    said: String,
    offers: u32,
    /// How often the PIN was asked for.
    asked: u32,
    channel: Option<Open>,
}

/// The one channel.
struct Open {
    id: ChannelId,
    /// Until a session or a command takes it.
    output: Option<Output>,
    size: Option<(u16, u16)>,
    variables: BTreeMap<&'static str, String>,
    /// To the session.
    input: Option<DuplexStream>,
    visitor: Option<Arc<Visitor>>,
}

fn methods() -> MethodSet {
    MethodSet::from(&[MethodKind::PublicKey, MethodKind::KeyboardInteractive][..])
}

/// A refusal that leaves every method open: one wrong key says nothing of the next, or of the PIN.
fn refused() -> Auth {
    Auth::Reject {
        proceed_with_methods: Some(methods()),
        partial_success: false,
    }
}

impl Handler {
    pub(super) fn new(server: Arc<Inner>, conn: Arc<Conn>) -> Handler {
        Handler {
            server,
            conn,
            said: String::new(),
            offers: 0,
            asked: 0,
            channel: None,
        }
    }

    /// Lets a person in, or not; what was wrong is kept for the audit, and the answer to a failure may have to wait.
    async fn decide(&mut self, user: &str, who: Result<Person, No>) -> Auth {
        match who {
            Ok(person) => {
                self.conn.signed_in(person);
                return Auth::Accept;
            }
            Err(No::Pin(words)) => self.said = words,
            // A key is not guessed, and an agent that offers several makes nobody wait at a ward's shared address.
            Err(No::Wrong(what)) => {
                self.conn.tried(user, what);
                self.server.metrics.failures.one();
                return refused();
            }
            Err(No::Failed(error)) => {
                tracing::error!("nobody can sign in: {error}");
                "Nobody can sign in now: the database is not available.".clone_into(&mut self.said);
                return refused();
            }
        }
        self.server.metrics.failures.one();
        let now = (self.server.clock)();
        tokio::time::sleep(self.server.delays.failed(self.conn.from.ip(), now)).await;
        refused()
    }

    /// The channel, if it is that one and nothing runs on it yet.
    fn waiting(&mut self, id: ChannelId) -> Option<&mut Open> {
        self.channel
            .as_mut()
            .filter(|open| open.id == id && open.output.is_some())
    }

    /// Refuses what a channel is for, in words. A bare refusal would not do: OpenSSH's client shows no words with it.
    fn turn_down(
        &mut self,
        id: ChannelId,
        words: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        if self.waiting(id).map(|open| open.output.take()).is_none() {
            return session.channel_failure(id);
        }
        self.conn.started();
        if let Some(person) = self.conn.person() {
            let detail = format!("over SSH from {}: {words}", self.conn.from);
            let now = (self.server.clock)();
            let event = event(Some(&person.actor), "request refused", detail, now);
            self.server.door.note(event);
        }
        session.channel_success(id)?;
        session.extended_data(id, 1, format!("ValMed: {words}\r\n").into_bytes())?;
        session.exit_status_request(id, TURNED_DOWN)?;
        session.eof(id)?;
        session.close(id)?;
        self.conn.over();
        Ok(())
    }

    fn start_session(&mut self, id: ChannelId, handle: Handle) -> bool {
        let (server, conn) = (Arc::clone(&self.server), Arc::clone(&self.conn));
        let Some(person) = conn.person() else {
            return false;
        };
        let Some(open) = self.waiting(id) else {
            return false;
        };
        let (Some(size), Some(output)) = (open.size, open.output.take()) else {
            return false;
        };
        let said = |name: &str| open.variables.get(name).cloned();
        let place = conn.from.ip().to_canonical().to_string();
        let kept = Arc::clone(&server.settings.kept);
        let station = Station::at(&place, said, Look::of(said), kept);
        let profile = station.profile();
        let term = open.variables.get("TERM").cloned().unwrap_or_default();
        let place = format!("{term} {}x{}", size.0, size.1);
        let (line, outside) = wire::Handle::new(size);
        let began = (server.clock)();
        let place = (conn.from.to_string(), place);
        let here = server.registry.add(person, place, began, line);
        let (input, theirs) = tokio::io::duplex(INPUT);
        open.input = Some(input);
        open.visitor = Some(Arc::clone(&here.visitor));
        if server.stopping() {
            here.visitor.end(Why::Stopped, false);
        }
        let visit = Visit {
            server,
            person: person.clone(),
            here,
            input: theirs,
            output,
            outside,
            station,
        };
        conn.started();
        tokio::spawn(async move {
            let why = visit.run().await;
            let status = u32::from(!matches!(why, Why::Left));
            conn.finish(id, &handle, why.last_words(&profile), status)
                .await;
        });
        true
    }
}

impl russh::server::Handler for Handler {
    type Error = russh::Error;

    async fn auth_none(&mut self, _user: &str) -> Result<Auth, Self::Error> {
        Ok(refused())
    }

    async fn auth_password(&mut self, _user: &str, _password: &str) -> Result<Auth, Self::Error> {
        Ok(refused())
    }

    /// Whether it is worth a signature. Who it is is not decided here: anybody can offer anybody's key.
    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        self.offers += 1;
        if self.offers > OFFERS {
            return Err(russh::Error::Disconnect);
        }
        let user = fit(user);
        // A certificate is offered by its key; whether it is good is looked at when it is signed with.
        if self.server.rules().certificates
            || apart(self.server.door.knows_key(user, offer.public_key)).await
        {
            return Ok(Auth::Accept);
        }
        self.conn.tried(user, "a key".to_owned());
        Ok(refused())
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let user = fit(user);
        let from = self.conn.from.to_string();
        let who = apart(self.server.door.by_key(user, key.public_key, &from)).await;
        Ok(apart(self.decide(user, who)).await)
    }

    async fn auth_openssh_certificate(
        &mut self,
        user: &str,
        certificate: &Certificate,
    ) -> Result<Auth, Self::Error> {
        let user = fit(user);
        let from = self.conn.from.to_string();
        let door = &self.server.door;
        let who = apart(door.by_certificate(user, certificate, &from)).await;
        Ok(apart(self.decide(user, who)).await)
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(mut response) = response else {
            self.asked += 1;
            if self.asked > PINS {
                return Err(russh::Error::Disconnect);
            }
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: std::mem::take(&mut self.said).into(),
                prompts: vec![("PIN or password: ".into(), false)].into(),
            });
        };
        let secret = response.next().unwrap_or_default();
        let secret = String::from_utf8_lossy(&secret).into_owned();
        let user = fit(user);
        let from = format!("over SSH from {} by PIN", self.conn.from);
        let who = apart(self.server.door.by_secret(user, secret, from)).await;
        Ok(apart(self.decide(user, who)).await)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.channel.is_some() {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        self.channel = Some(Open {
            id: channel.id(),
            output: Some(Box::new(channel.make_writer())),
            size: None,
            variables: BTreeMap::new(),
            input: None,
            visitor: None,
        });
        // What it reads comes through `data` below; kept, it would fill up and stop the connection.
        drop(channel);
        reply.accept().await;
        Ok(())
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        term: &str,
        columns: u32,
        rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let Some(open) = self.waiting(id).filter(|_| term.len() <= LONGEST) else {
            return session.channel_failure(id);
        };
        open.size = Some(terminal::clamped(columns, rows));
        open.variables.insert("TERM", terminal::name(term));
        session.channel_success(id)
    }

    async fn env_request(
        &mut self,
        id: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let known = VARIABLES.iter().find(|known| **known == name);
        let fits = value.len() <= LONGEST;
        match (self.waiting(id), known) {
            (Some(open), Some(name)) if fits => {
                open.variables.insert(name, value.to_owned());
                session.channel_success(id)
            }
            _ => session.channel_failure(id),
        }
    }

    async fn shell_request(
        &mut self,
        id: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.waiting(id).is_some_and(|open| open.size.is_none()) {
            return self.turn_down(id, "a terminal is needed: ssh -t", session);
        }
        if self.start_session(id, session.handle()) {
            session.channel_success(id)
        } else {
            session.channel_failure(id)
        }
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let (server, conn) = (Arc::clone(&self.server), Arc::clone(&self.conn));
        let Some(program) = server.settings.exec.clone() else {
            return self.turn_down(id, "commands are not taken here", session);
        };
        let words = match exec::words(command) {
            Ok(words) => words,
            Err(why) => return self.turn_down(id, why, session),
        };
        let (Some(person), Some(open)) = (conn.person(), self.waiting(id)) else {
            return session.channel_failure(id);
        };
        // A command runs without a terminal and reads nothing.
        drop(open.output.take());
        let terminal = open.size.is_some();
        session.channel_success(id)?;
        conn.started();
        let run = exec::Run {
            server,
            program,
            words,
            person: person.clone(),
            from: conn.from.to_string(),
            id,
            handle: session.handle(),
            terminal,
        };
        tokio::spawn(async move {
            let handle = run.handle.clone();
            let status = run.run().await;
            conn.finish(id, &handle, Vec::new(), status).await;
        });
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(id)
    }

    async fn x11_request(
        &mut self,
        id: ChannelId,
        _single: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(id)
    }

    async fn window_change_request(
        &mut self,
        id: ChannelId,
        columns: u32,
        rows: u32,
        _width: u32,
        _height: u32,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let size = terminal::clamped(columns, rows);
        if let Some(open) = self.channel.as_mut().filter(|open| open.id == id) {
            match &open.visitor {
                Some(visitor) => visitor.line.resize(size),
                None if open.size.is_some() => open.size = Some(size),
                None => {}
            }
        }
        Ok(())
    }

    async fn data(
        &mut self,
        id: ChannelId,
        data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let open = self.channel.as_mut().filter(|open| open.id == id);
        let Some(input) = open.and_then(|open| open.input.as_mut()) else {
            return Ok(());
        };
        // The session takes what comes whether its terminal takes frames or not, so this waits for nothing but it.
        match tokio::time::timeout(HANGS, input.write_all(data)).await {
            // A session that is over takes nothing more.
            Ok(_) => Ok(()),
            Err(_) => Err(russh::Error::InactivityTimeout),
        }
    }

    async fn channel_eof(
        &mut self,
        id: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if let Some(open) = self.channel.as_mut().filter(|open| open.id == id) {
            open.input = None;
        }
        Ok(())
    }

    async fn channel_close(
        &mut self,
        id: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channel_eof(id, session).await
    }
}

/// Work that is done once, in room of its own: every connection would keep that room for as long as it lasts, and a
/// question to the database takes more of it than all else that a connection has.
fn apart<'a, T>(
    work: impl Future<Output = T> + Send + 'a,
) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    Box::pin(work)
}

/// A user name that nobody has stands for one that cannot be: it takes as long, and is nobody's either.
pub(super) fn fit(user: &str) -> &str {
    let fits = user.chars().count() <= LONGEST && !user.chars().any(char::is_control);
    if fits { user } else { " " }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_are_nobodys() {
        assert_eq!(fit("amara"), "amara");
        assert_eq!(fit("a\0b"), " ");
        assert_eq!(fit(&"x".repeat(65)), " ");
    }
}
