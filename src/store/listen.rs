//! Telling other processes of a change, and hearing of theirs: PostgreSQL's NOTIFY and LISTEN.

use std::time::Duration;

use sqlx::postgres::PgListener;

use super::{Db, Link, Sql, StoreError};

/// A connection that waits for what others tell.
#[derive(Debug)]
pub struct Listener(PgListener);

/// What a listener heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Somebody told this.
    Message(String),
    /// Nothing, and the connection would have carried it.
    Quiet,
}

impl Listener {
    /// Listens on a channel; `None`: SQLite has no such thing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(db: &Db, channel: &str) -> Result<Option<Listener>, StoreError> {
        let Db::Postgres { listen, .. } = db else {
            return Ok(None);
        };
        let mut listener = PgListener::connect_with(listen).await?;
        // The feed decides when to connect again, and says meanwhile that it hears nothing.
        listener.eager_reconnect(false);
        listener.listen(channel).await?;
        Ok(Some(Listener(listener)))
    }

    /// Waits for a message, at most so long; after that asks the server for an answer, since a line that died silently
    /// looks like a quiet ward. Receiving may be given up at any moment without losing a message (sqlx promises it).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: the connection was lost, or does not answer.
    pub async fn next(&mut self, heartbeat: Duration) -> Result<Heard, StoreError> {
        let lost = |why: &str| StoreError::Unavailable(format!("the listening connection {why}"));
        match tokio::time::timeout(heartbeat, self.0.try_recv()).await {
            Ok(Ok(Some(message))) => Ok(Heard::Message(message.payload().to_owned())),
            Ok(Ok(None)) => Err(lost("was lost")),
            Ok(Err(error)) => Err(error.into()),
            Err(_quiet) => {
                let answer = sqlx::query("SELECT 1").execute(&mut self.0);
                match tokio::time::timeout(heartbeat, answer).await {
                    Ok(answered) => answered.map(|_| Heard::Quiet).map_err(StoreError::from),
                    Err(_late) => Err(lost("does not answer")),
                }
            }
        }
    }
}

/// Tells every listener on a channel; only PostgreSQL can. Outside a transaction: inside, commits would wait for each
/// other.
///
/// # Errors
/// [`StoreError`].
pub async fn notify(link: Link<'_>, channel: &str, message: &str) -> Result<(), StoreError> {
    let sql = Sql::each("SELECT $1, $2", "SELECT pg_notify($1, $2)");
    execute!(link, sql, channel, message)?;
    Ok(())
}
