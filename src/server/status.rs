//! Figures for Prometheus and an answer for whoever asks whether the server is well: over HTTP, on this machine alone.
//!
//! Nothing of a patient or a person is in them.

use std::fmt::Write;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::{AGAIN, Server};
use crate::session::tally::CLASSES;
use crate::store::inspect;

/// A question takes no longer, the database's answer included.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a question that are read.
const QUESTION: usize = 4096;
/// Questions at once.
const AT_ONCE: usize = 4;

impl Server {
    /// Answers `GET /metrics` and `GET /health`, also while the server stops. Dropping it ends it.
    pub async fn serve_status(&self, listener: TcpListener) {
        let few = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            match listener.accept().await {
                // Many cannot ask at once; one who says nothing does not keep the others waiting.
                Ok((stream, _)) => {
                    let (server, turn) = (self.clone(), Arc::clone(&few).acquire_owned().await);
                    tokio::spawn(async move {
                        let _turn = turn;
                        let answered = tokio::time::timeout(PATIENCE, server.tell(stream));
                        if let Ok(Err(error)) = answered.await {
                            tracing::debug!("the status page: {error}");
                        }
                    });
                }
                Err(error) => {
                    tracing::error!("the status page: {error}");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    async fn tell(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut question = Vec::new();
        while !question.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut bytes = [0; 512];
            let read = stream.read(&mut bytes).await?;
            if read == 0 || question.len() > QUESTION {
                return Ok(());
            }
            question.extend_from_slice(&bytes[..read]);
        }
        let (status, body) = if question.starts_with(b"GET /metrics ") {
            ("200 OK", self.figures())
        } else if question.starts_with(b"GET /health ") {
            match self.is_well().await {
                Ok(()) => ("200 OK", "ok\n".to_owned()),
                Err(why) => ("503 Service Unavailable", format!("{why}\n")),
            }
        } else {
            ("404 Not Found", "/metrics or /health\n".to_owned())
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    }

    /// Whether people can work.
    ///
    /// # Errors
    /// Why not.
    pub async fn is_well(&self) -> Result<(), String> {
        if self.0.stopping() {
            return Err("stopping".to_owned());
        }
        let db = self.0.services.db.clone();
        // In a task of its own, which goes on if nobody waits any more.
        let asked = tokio::spawn(async move { inspect::people(&db).await });
        match asked.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("database: {error}")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The figures, as Prometheus reads them.
    pub fn figures(&self) -> String {
        let mut page = Page(String::new());
        let (all, unsigned) = self.connections();
        let sessions = self.0.registry.count();
        page.now(
            "sessions",
            "Sessions and commands of people who are signed in",
            sessions as u64,
        );
        page.now("connections", "SSH connections", all as u64);
        page.now(
            "connections_unsigned",
            "Of those, nobody is signed in yet",
            unsigned as u64,
        );
        let metrics = self.metrics();
        for (name, words, counter) in [
            (
                "connections",
                "Connections that were taken",
                &metrics.connections,
            ),
            (
                "turned_away",
                "Connections for which there was no place",
                &metrics.turned_away,
            ),
            (
                "unsigned",
                "Connections on which nobody signed in",
                &metrics.unsigned,
            ),
            (
                "sign_in_failures",
                "Tries to sign in that failed",
                &metrics.failures,
            ),
            ("sessions", "Sessions that began", &metrics.sessions),
            ("commands", "Commands that were run", &metrics.commands),
            (
                "defects",
                "Sessions that ended by a defect of the program",
                &metrics.panics,
            ),
            (
                "received_bytes",
                "Bytes from terminals, encrypted",
                &metrics.bytes_in,
            ),
            (
                "sent_bytes",
                "Bytes to terminals, encrypted",
                &metrics.bytes_out,
            ),
        ] {
            page.all(name, words, counter.get());
        }
        let tally = &self.0.services.tally;
        page.all(
            "frames",
            "Frames that were drawn",
            tally.frames.load(Ordering::Relaxed),
        );
        page.times(
            "key_to_frame",
            "From a key to its frame",
            tally.key_to_frame.counts(),
        );
        page.head(
            "operations_total",
            "Operations by what became of them",
            "counter",
        );
        for (outcome, count) in tally.outcomes() {
            page.line(&format!(
                "operations_total{{outcome=\"{outcome}\"}} {count}"
            ));
        }
        self.inside(&mut page);
        page.0
    }

    fn inside(&self, page: &mut Page) {
        let services = &self.0.services;
        let desk = services.desk.counters();
        page.now(
            "desk_waiting",
            "Operations that wait for a lane",
            services.desk.waiting() as u64,
        );
        for (name, words, counter) in [
            ("desk_batches", "Transactions committed", &desk.batches),
            ("desk_operations", "Operations in them", &desk.operations),
            ("desk_retries", "Transactions done again", &desk.retries),
            (
                "desk_commit_micros",
                "Time in COMMIT, in microseconds",
                &desk.commit_micros,
            ),
        ] {
            page.all(name, words, counter.load(Ordering::Relaxed));
        }
        page.all(
            "feed_readings",
            "How often a ward was read",
            services.feed.readings(),
        );
        if let Some(at) = services.feed.oldest() {
            let age = (self.0.clock)().duration_since(at).as_secs();
            let age = u64::try_from(age).unwrap_or(0);
            page.now(
                "feed_age_seconds",
                "Age of the oldest ward on a screen",
                age,
            );
        }
        let (open, idle) = services.db.connections();
        page.now(
            "pool_connections",
            "Connections to the database",
            u64::from(open),
        );
        page.now("pool_idle", "Of those, idle", idle as u64);
    }
}

struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str("valmed_");
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn head(&mut self, name: &str, words: &str, kind: &str) {
        // Writing into memory does not fail.
        let _ = writeln!(self.0, "# HELP valmed_{name} {words}.");
        let _ = writeln!(self.0, "# TYPE valmed_{name} {kind}");
    }

    fn now(&mut self, name: &str, words: &str, value: u64) {
        self.head(name, words, "gauge");
        self.line(&format!("{name} {value}"));
    }

    fn all(&mut self, name: &str, words: &str, value: u64) {
        self.head(&format!("{name}_total"), words, "counter");
        self.line(&format!("{name}_total {value}"));
    }

    fn times(
        &mut self,
        name: &str,
        words: &str,
        (counts, micros): ([u64; CLASSES.len() + 1], u64),
    ) {
        let name = format!("{name}_seconds");
        self.head(&name, words, "histogram");
        let mut below = 0;
        for (upper, count) in CLASSES.iter().zip(counts) {
            below += count;
            let upper = std::time::Duration::from_micros(*upper).as_secs_f64();
            self.line(&format!("{name}_bucket{{le=\"{upper}\"}} {below}"));
        }
        let all: u64 = counts.iter().sum();
        self.line(&format!("{name}_bucket{{le=\"+Inf\"}} {all}"));
        let seconds = Duration::from_micros(micros).as_secs_f64();
        self.line(&format!("{name}_sum {seconds}"));
        self.line(&format!("{name}_count {all}"));
    }
}
