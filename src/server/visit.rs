//! One session of somebody who has signed in, over whatever carries its bytes: from its entry in the audit to its end.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::Inner;
use super::registry::{Registered, Visitor, Why};
use super::who::{Person, event};
use crate::session::Station;
use crate::session::wire::{self, Line, Outside};
use crate::store::screens;
use crate::tui::{SignedIn, Start};

/// What a session begins with.
pub(super) struct Visit<R, W> {
    pub server: Arc<Inner>,
    pub person: Person,
    pub here: Registered,
    pub input: R,
    pub output: W,
    pub outside: watch::Receiver<Outside>,
    pub station: Station,
}

impl<R, W> Visit<R, W>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    /// Runs it to its end, which is put on record. A panic ends this session and no other.
    pub(super) async fn run(self) -> Why {
        let (server, person) = (Arc::clone(&self.server), self.person.clone());
        let visitor = Arc::clone(&self.here.visitor);
        server.metrics.sessions.one();
        let detail = format!("session {} {}", visitor.id, place(&visitor));
        note(&server, &person, "session began", detail);
        // Its place in the list is kept until its end is on record.
        let (here, running) = self.start();
        let ended = tokio::spawn(running).await;
        let why = match (visitor.why(), ended) {
            (Some(why), Ok(_)) => why,
            (None, Ok(Ok(why))) => why,
            (None, Ok(Err(error))) => match error.kind() {
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Why::Lost,
                _ => Why::Failed(error.to_string()),
            },
            (_, Err(panicked)) => {
                server.metrics.panics.one();
                tracing::error!(
                    session = visitor.id,
                    "a session ended by a defect: {panicked}"
                );
                Why::Defect
            }
        };
        let lasted = (server.clock)().duration_since(visitor.began).as_secs();
        let detail = format!(
            "session {} {} after {lasted} s: {why}",
            visitor.id,
            place(&visitor)
        );
        note(&server, &person, "session ended", detail);
        drop(here);
        why
    }

    fn start(self) -> (Registered, impl Future<Output = io::Result<Why>> + Send) {
        let Visit {
            server,
            person,
            here,
            input,
            output,
            outside,
            station,
        } = self;
        let running = async move {
            let services = server.services.for_another();
            let mut conn = services.db.reader().await.map_err(io::Error::other)?;
            let wards = screens::wards(conn.link())
                .await
                .map_err(io::Error::other)?;
            drop(conn);
            let start = Start::Known {
                signed_in: SignedIn {
                    actor: person.actor,
                    wards,
                },
                ward: None,
                then: None,
            };
            let (input, lost) = Watched::new(input);
            let line = Line {
                input,
                output,
                station,
                outside,
            };
            wire::run(services, server.settings.session.clone(), start, line).await?;
            Ok(if lost.get() { Why::Lost } else { Why::Left })
        };
        (here, running)
    }
}

fn place(visitor: &Visitor) -> String {
    format!(
        "from {} by {} as {} at {}",
        visitor.from, visitor.method, visitor.actor.role, visitor.terminal
    )
}

fn note(server: &Inner, person: &Person, kind: &'static str, detail: String) {
    tracing::info!(user = %person.actor.username, "{kind}: {detail}");
    let event = event(Some(&person.actor), kind, detail, (server.clock)());
    server.door.note(event);
}

/// An input that tells whether it was the other end that closed it.
struct Watched<R> {
    input: R,
    closed: Arc<std::sync::atomic::AtomicBool>,
}

struct Closed(Arc<std::sync::atomic::AtomicBool>);

impl Closed {
    fn get(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl<R> Watched<R> {
    fn new(input: R) -> (Watched<R>, Closed) {
        let closed = Arc::default();
        let watched = Watched {
            input,
            closed: Arc::clone(&closed),
        };
        (watched, Closed(closed))
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Watched<R> {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = std::pin::Pin::new(&mut self.input).poll_read(cx, buf);
        // There is no other way to a defect that a test could go: none is known.
        #[cfg(test)]
        super::tests::defects::strike(&buf.filled()[before..]);
        let nothing = buf.filled().len() == before;
        if matches!(read, std::task::Poll::Ready(Err(_)))
            || (nothing && matches!(read, std::task::Poll::Ready(Ok(()))))
        {
            self.closed
                .store(true, std::sync::atomic::Ordering::Relaxed);
        }
        read
    }
}
