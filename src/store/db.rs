//! The two pools.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::{PoolConnection, PoolConnectionMetadata, PoolOptions};
use sqlx::postgres::{PgConnectOptions, PgPool, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use sqlx::{Connection, PgConnection, Postgres, Row, Sqlite};

use super::{Conn, Engine, StoreError};

/// Limits of the pool and of each connection. The configuration says why each is what it is.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections that are kept open once opened.
    pub kept: u32,
    /// Connections beyond those, in a burst.
    pub burst: u32,
    /// A connection is replaced after this age.
    pub recycle: Duration,
    /// How long one waits for a connection before "busy".
    pub acquire: Duration,
    /// PostgreSQL gives up a statement after this.
    pub statement: Duration,
    /// Either engine gives up waiting for a lock after this.
    pub lock: Duration,
    /// PostgreSQL ends a transaction that stands open idle for this long.
    pub idle_in_transaction: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            kept: 2,
            burst: 4,
            recycle: Duration::from_secs(1800),
            acquire: Duration::from_secs(30),
            statement: Duration::from_secs(15),
            lock: Duration::from_secs(5),
            idle_in_transaction: Duration::from_secs(10),
        }
    }
}

/// How long a server may take for its first answer.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// The database: a pool for PostgreSQL; for SQLite one connection that writes and a few that read.
#[derive(Debug, Clone)]
pub enum Db {
    /// Embedded.
    Sqlite {
        /// The one writer.
        write: SqlitePool,
        /// Readers, which see the last commit.
        read: SqlitePool,
        /// Where the file is.
        path: PathBuf,
    },
    /// A server.
    Postgres {
        /// Connections for everything.
        pool: PgPool,
        /// One connection more, made when the feed listens: it waits all the time, and must not take a place.
        listen: PgPool,
    },
}

/// Whether a database URL names PostgreSQL.
pub fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// What stands where an address may not be shown.
const HIDDEN: &str = "(hidden)";

/// A database URL as it may be shown: without its password, wherever in the URL it stands. What is not an address as
/// it ought to be is hidden altogether, because nobody can say where in it the password is; a plain word is shown, so
/// that whoever mistook it for an address sees which.
pub fn redact(url: &str) -> String {
    if let Some(path) = url.strip_prefix("sqlite:") {
        // A server's address behind the wrong word.
        let login = path
            .split_once('@')
            .is_some_and(|(before, _)| before.contains(':'));
        let secret = path.to_ascii_lowercase().contains("pass") && path.contains(['?', '=']);
        return if login || secret { HIDDEN } else { url }.to_owned();
    }
    if !url.contains(['@', ':', '=']) && !url.contains(char::is_whitespace) {
        return url.to_owned();
    }
    redact_server(url).unwrap_or_else(|| HIDDEN.to_owned())
}

fn redact_server(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let mut parsed = url::Url::parse(url).ok()?;
    if !is_postgres(&format!("{}://", parsed.scheme())) {
        return None;
    }
    // A password with a slash ends the authority early and leaves the rest of itself, and its '@', in the path.
    let behind = rest.find(['/', '?', '#']).map_or("", |end| &rest[end..]);
    if behind.contains('@') {
        return None;
    }
    // Without a host stands a socket's folder behind the path; there is no name that a password could belong to.
    let socket = rest.starts_with('/') && !rest.contains(':');
    if parsed.host_str().is_none_or(str::is_empty) && !socket {
        return None;
    }
    if parsed.username().to_ascii_lowercase().contains("%3a") {
        return None;
    }
    if parsed.password().is_some() {
        parsed.set_password(Some("***")).ok()?;
    }
    if parsed.query().is_some() {
        let pairs: Vec<(String, String)> = parsed
            .query_pairs()
            .map(|(key, value)| {
                let secret = key.to_ascii_lowercase().contains("pass");
                let value = if secret { "***".into() } else { value };
                (key.into_owned(), value.into_owned())
            })
            .collect();
        parsed.query_pairs_mut().clear().extend_pairs(pairs);
    }
    Some(parsed.to_string())
}

/// Whether the server must prove who it is, with a certificate for its name. Where the operator has said nothing, it
/// must, unless the way to it cannot leave this machine: sqlx would talk to anybody, and in the clear where TLS is
/// refused.
fn must_prove_itself(host: &str, socket: bool, said: bool) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let here = socket
        || host.is_empty()
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    !here && !said
}

/// Whether a server's URL, or PostgreSQL's own variable, says how TLS is to be used.
fn says_sslmode(url: &str) -> bool {
    let in_url = url::Url::parse(url).is_ok_and(|url| {
        url.query_pairs()
            .any(|(key, _)| key == "sslmode" || key == "ssl-mode")
    });
    in_url || std::env::var_os("PGSSLMODE").is_some()
}

impl Db {
    /// Opens a database by URL: `sqlite://PATH` or `postgresql://…`. A SQLite file is made if `create` says so.
    /// Reads back from the engine what the desk relies on, and refuses to go on without it.
    ///
    /// # Errors
    /// [`StoreError`]: not a URL that is understood, not reachable, or a guarantee is not kept.
    pub async fn open(url: &str, options: &Options, create: bool) -> Result<Db, StoreError> {
        let db = if is_postgres(url) {
            Db::open_postgres(url, options).await?
        } else if let Some(path) = url.strip_prefix("sqlite:") {
            Db::open_sqlite(
                Path::new(path.strip_prefix("//").unwrap_or(path)),
                options,
                create,
            )
            .await?
        } else {
            return Err(StoreError::Address(format!(
                "'{}' is not a database address: use sqlite://PATH or postgresql://USER@HOST/NAME",
                redact(url)
            )));
        };
        db.check_guarantees().await?;
        Ok(db)
    }

    /// Where the file is; `None`: it is a server's.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Db::Sqlite { path, .. } => Some(path),
            Db::Postgres { .. } => None,
        }
    }

    async fn open_sqlite(path: &Path, options: &Options, create: bool) -> Result<Db, StoreError> {
        if path.as_os_str().is_empty() {
            return Err(StoreError::Address(
                "sqlite:// needs the path of a file".to_owned(),
            ));
        }
        if !create && !path.exists() {
            return Err(StoreError::Address(format!(
                "there is no database file {}",
                path.display()
            )));
        }
        let base = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(options.lock)
            .statement_cache_capacity(256);
        let write = pool_options::<Sqlite>(options)
            .max_connections(1)
            .after_release(|conn, _| {
                Box::pin(async move {
                    // Succeeds only where a transaction was left open, and ends it; otherwise there is nothing to end.
                    let _ = sqlx::query("ROLLBACK").execute(conn).await;
                    Ok(true)
                })
            });
        let write = write.connect_with(base.clone()).await?;
        let read = pool_options::<Sqlite>(options).max_connections(4);
        let read = read
            .connect_with(base.create_if_missing(false).pragma("query_only", "ON"))
            .await?;
        Ok(Db::Sqlite {
            write,
            read,
            path: path.to_owned(),
        })
    }

    async fn open_postgres(url: &str, options: &Options) -> Result<Db, StoreError> {
        let milliseconds = |limit: Duration| limit.as_millis().to_string();
        let mut connect = PgConnectOptions::from_str(url)
            .map_err(|error| StoreError::Address(format!("'{}': {error}", redact(url))))?;
        let socket = connect.get_socket().is_some();
        if must_prove_itself(connect.get_host(), socket, says_sslmode(url)) {
            connect = connect.ssl_mode(PgSslMode::VerifyFull);
        }
        let connect = connect
            .application_name("valmed")
            .statement_cache_capacity(256)
            .options([
                ("TimeZone", "UTC".to_owned()),
                (
                    "default_transaction_isolation",
                    "repeatable read".to_owned(),
                ),
                ("statement_timeout", milliseconds(options.statement)),
                ("lock_timeout", milliseconds(options.lock)),
                (
                    "idle_in_transaction_session_timeout",
                    milliseconds(options.idle_in_transaction),
                ),
                // With 4 the planner prefers the single-column time index over the ward's own.
                ("random_page_cost", "1.1".to_owned()),
                // Statements of a ward take less than compiling one does; a table of one row that is read although
                // `enable_seqscan` is off counts as so dear that it would be.
                ("jit", "off".to_owned()),
                // What each statement is to be read by does not depend on today's values, and finding that out anew each
                // time takes longer than most of them. In a small hospital the server sees that by itself, and in a large
                // one it goes on planning.
                ("plan_cache_mode", "force_generic_plan".to_owned()),
            ]);
        // The pool tries a server that refuses until its patience is over; whoever starts a program wants to know now.
        let first = tokio::time::timeout(FIRST_ANSWER, PgConnection::connect_with(&connect)).await;
        let first = first
            .map_err(|_| StoreError::Unavailable("the server does not answer".to_owned()))??;
        first.close().await?;
        let pool = pool_options::<Postgres>(options)
            .max_connections(options.kept + options.burst)
            .after_release(|conn, _| {
                // Inside a transaction, now() is when it began. A connection that comes back like that is closed, and
                // its transaction with it. (ROLLBACK outside a transaction would write a warning into the server's log.)
                // It is asked as one message: of a prepared statement, the transaction begins when it is bound and the
                // statement when it is executed, and no connection would ever be kept.
                Box::pin(async move {
                    let asked = sqlx::raw_sql("SELECT now() = statement_timestamp()");
                    asked.fetch_one(conn).await?.try_get(0)
                })
            })
            .connect_with(connect.clone())
            .await?;
        let listen = PoolOptions::new()
            .max_connections(1)
            .min_connections(0)
            .max_lifetime(None)
            .idle_timeout(None);
        Ok(Db::Postgres {
            pool,
            listen: listen.connect_lazy_with(connect),
        })
    }

    /// Which engine this is.
    pub const fn engine(&self) -> Engine {
        match self {
            Db::Sqlite { .. } => Engine::Sqlite,
            Db::Postgres { .. } => Engine::Postgres,
        }
    }

    async fn acquire(&self, pool: &PgPool) -> Result<PoolConnection<Postgres>, StoreError> {
        match pool.acquire().await {
            Ok(conn) => Ok(conn),
            Err(sqlx::Error::PoolTimedOut) => Err(self.no_connection()),
            Err(error) => Err(error.into()),
        }
    }

    /// What it means that no connection came in time: "busy" where all are in use, and otherwise that none could be made.
    pub fn no_connection(&self) -> StoreError {
        match self {
            Db::Postgres { pool, .. } if pool.size() < pool.options().get_max_connections() => {
                StoreError::Unavailable("no connection could be made".to_owned())
            }
            _ => StoreError::Busy("every connection is in use".to_owned()),
        }
    }

    /// A connection that may write.
    ///
    /// # Errors
    /// [`StoreError`]: none to be had in time, or not reachable.
    pub async fn writer(&self) -> Result<Conn, StoreError> {
        Ok(match self {
            Db::Sqlite { write, .. } => Conn::Sqlite(write.acquire().await?),
            Db::Postgres { pool, .. } => Conn::Postgres(self.acquire(pool).await?),
        })
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// [`StoreError`]: none to be had in time, or not reachable.
    pub async fn reader(&self) -> Result<Conn, StoreError> {
        Ok(match self {
            Db::Sqlite { read, .. } => Conn::Sqlite(read.acquire().await?),
            Db::Postgres { pool, .. } => Conn::Postgres(self.acquire(pool).await?),
        })
    }

    /// Connections that are open, and how many of them nobody uses.
    pub fn connections(&self) -> (u32, usize) {
        match self {
            Db::Sqlite { write, read, .. } => (
                write.size() + read.size(),
                write.num_idle() + read.num_idle(),
            ),
            Db::Postgres { pool, .. } => (pool.size(), pool.num_idle()),
        }
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        match self {
            Db::Sqlite { read, .. } => read.is_closed(),
            Db::Postgres { listen, .. } => listen.is_closed(),
        }
    }

    /// Waits until it is closed. Holds nothing of it meanwhile.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        match self {
            Db::Sqlite { read, .. } => read.close_event(),
            Db::Postgres { listen, .. } => listen.close_event(),
        }
    }

    /// Closes every connection, after what runs on them.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { write, read, .. } => {
                read.close().await;
                write.close().await;
            }
            Db::Postgres { pool, listen } => {
                listen.close().await;
                pool.close().await;
            }
        }
    }

    /// Isolation and durability are read back, never assumed.
    async fn check_guarantees(&self) -> Result<(), StoreError> {
        let kept = super::inspect::guarantees(self).await?;
        match kept.iter().find(|guarantee| !guarantee.holds) {
            None => Ok(()),
            Some(broken) => Err(StoreError::Guarantee(format!(
                "the database does not keep what the desk relies on: {} is '{}', and must be {}",
                broken.name, broken.found, broken.wanted
            ))),
        }
    }
}

fn pool_options<DB: sqlx::Database>(options: &Options) -> PoolOptions<DB>
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let recycle = options.recycle;
    PoolOptions::new()
        .min_connections(0)
        .max_lifetime(recycle)
        .idle_timeout(Duration::from_secs(60))
        .acquire_timeout(options.acquire)
        .test_before_acquire(true)
        // sqlx looks at max_lifetime when a connection comes back; one that was idle for hours is looked at here.
        .before_acquire(move |_conn, meta: PoolConnectionMetadata| {
            Box::pin(async move { Ok(meta.age < recycle) })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_only_as_far_as_it_is_understood() {
        for secret in [
            "host=db user=x password=geheim",
            "postgres:u:geheim@h/d",
            "postgresql:/u:geheim@h/d",
            "postgresql:///u:geheim@h/d",
            "postgresql://u:123/geheim@h/d",
            "postgresql://u:12?geheim@h/d",
            "postgresql://u:12#geheim@h/d",
            "postgresql://u%3Ageheim@h/d",
            "mysql://u:geheim@h/d",
            "sqlite://u:geheim@h/d",
            "sqlite:ward.db?password=geheim",
            "u:geheim@h",
            "geheim gesagt",
        ] {
            assert_eq!(redact(secret), HIDDEN, "{secret}");
        }
        for (url, shown) in [
            ("foo", "foo"),
            ("ward.db", "ward.db"),
            ("sqlite:///srv/ein ward.db", "sqlite:///srv/ein ward.db"),
            ("postgresql://u@h/d", "postgresql://u@h/d"),
            ("postgresql://u:geheim@h/d", "postgresql://u:***@h/d"),
            ("postgres://u:ge@heim@h:5432/d", "postgres://u:***@h:5432/d"),
            (
                "postgresql://h/d?user=u&password=geheim",
                "postgresql://h/d?user=u&password=***",
            ),
            (
                "postgresql:///d?host=/run/postgresql",
                "postgresql:///d?host=%2Frun%2Fpostgresql",
            ),
        ] {
            assert_eq!(redact(url), shown);
        }
    }

    #[test]
    fn a_server_elsewhere_proves_who_it_is() {
        for here in [
            "localhost",
            "127.0.0.1",
            "127.8.9.1",
            "::1",
            "[::1]",
            "/run/postgresql",
        ] {
            assert!(!must_prove_itself(here, false, false), "{here}");
        }
        for elsewhere in [
            "db",
            "db.example.org",
            "10.0.0.7",
            "localhost.example.org",
            "fe80::1",
        ] {
            assert!(must_prove_itself(elsewhere, false, false), "{elsewhere}");
            assert!(!must_prove_itself(elsewhere, false, true), "{elsewhere}");
            assert!(!must_prove_itself(elsewhere, true, false), "{elsewhere}");
        }
        assert!(says_sslmode("postgresql://db/ward?sslmode=prefer"));
    }
}
