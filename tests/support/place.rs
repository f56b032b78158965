//! A fresh database on either engine.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use valmed::desk::Clock;
use valmed::store::{Db, Options, migrate};

use super::postgres::{self, Server};
use super::proxy::Proxy;

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct TestClock(Arc<Mutex<Timestamp>>);

impl TestClock {
    /// A Monday morning.
    pub fn new() -> TestClock {
        TestClock(Arc::new(Mutex::new(
            "2026-03-02T08:00:00Z".parse().unwrap(),
        )))
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    /// Moves it on.
    pub fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }

    /// Sets it.
    pub fn set(&self, to: &str) {
        *self.0.lock().unwrap() = to.parse().unwrap();
    }

    /// As the desk and the feed take it.
    pub fn reader(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

/// A database of one story's own.
pub struct Place {
    /// Which engine.
    pub kind: Kind,
    /// Its address.
    pub url: String,
    /// Its name on the server.
    pub name: String,
    /// The time in it.
    pub clock: TestClock,
    server: Option<&'static Server>,
    _dir: Option<TempDir>,
}

/// A server's databases have names that no other story uses.
fn fresh_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("story_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Runs a statement on the server, outside any story's database.
pub async fn on_server(server: &Server, sql: String) {
    let mut conn = PgConnection::connect(&server.url("postgres"))
        .await
        .unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
}

async fn migrated_template() -> &'static str {
    static TEMPLATE: OnceCell<()> = OnceCell::const_new();
    let name = "migrated";
    TEMPLATE
        .get_or_init(|| async {
            let server = postgres::shared();
            on_server(server, format!("CREATE DATABASE {name}")).await;
            let db = Db::open(&server.url(name), &Options::default(), true)
                .await
                .unwrap();
            migrate::migrate(&db, |_, _| {}).await.unwrap();
            db.close().await;
        })
        .await;
    name
}

async fn migrated_file() -> &'static [u8] {
    static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let dir = TempDir::new().unwrap();
            let path = dir.path().join("ward.db");
            let url = format!("sqlite://{}", path.display());
            let db = Db::open(&url, &Options::default(), true).await.unwrap();
            migrate::migrate(&db, |_, _| {}).await.unwrap();
            db.close().await;
            std::fs::read(path).unwrap()
        })
        .await
}

impl Place {
    /// An empty database.
    pub async fn empty(kind: Kind) -> Place {
        Place::new(kind, None, postgres::shared).await
    }

    /// A database at the newest step of the schema.
    pub async fn migrated(kind: Kind) -> Place {
        match kind {
            Kind::Sqlite => {
                let place = Place::new(kind, None, postgres::shared).await;
                std::fs::write(place.file(), migrated_file().await).unwrap();
                place
            }
            Kind::Postgres => {
                let template = migrated_template().await;
                Place::new(kind, Some(template), postgres::shared).await
            }
        }
    }

    /// A migrated database on a server of its own, which may be stopped and spoiled.
    pub async fn on_own_server() -> Place {
        let server: &'static Server = Box::leak(Box::new(Server::start()));
        let place = Place::new(Kind::Postgres, None, || server).await;
        let db = place.open().await;
        migrate::migrate(&db, |_, _| {}).await.unwrap();
        db.close().await;
        place
    }

    async fn new(
        kind: Kind,
        template: Option<&str>,
        server: impl Fn() -> &'static Server,
    ) -> Place {
        let name = fresh_name();
        let (url, server, dir) = match kind {
            Kind::Sqlite => {
                let dir = TempDir::new().unwrap();
                let url = format!("sqlite://{}", dir.path().join("ward.db").display());
                (url, None, Some(dir))
            }
            Kind::Postgres => {
                let server = server();
                let template = template
                    .map(|t| format!(" TEMPLATE {t}"))
                    .unwrap_or_default();
                on_server(server, format!("CREATE DATABASE {name}{template}")).await;
                (server.url(&name), Some(server), None)
            }
        };
        Place {
            kind,
            url,
            name,
            clock: TestClock::new(),
            server,
            _dir: dir,
        }
    }

    /// The file of an embedded database.
    pub fn file(&self) -> PathBuf {
        self.url.strip_prefix("sqlite://").unwrap().into()
    }

    /// Its server.
    pub fn server(&self) -> &'static Server {
        self.server.unwrap()
    }

    /// Opens it, as another process would: with pools of its own.
    pub async fn open(&self) -> Db {
        self.open_with(&Options::default()).await
    }

    /// Opens it with these limits.
    pub async fn open_with(&self, options: &Options) -> Db {
        Db::open(&self.url, options, true).await.unwrap()
    }

    /// Opens a line to its server that can be cut.
    pub async fn line(&self) -> Proxy {
        Proxy::open(self.server().socket()).await
    }

    /// A connection to its server that is none of the program's.
    pub async fn bystander(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }
}
