//! A database for a drill or a bench: made beside the configured one, on the same engine, and dropped afterwards.

use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use uuid::Uuid;

use super::{Conn, Db, Options, StoreError, is_postgres, migrate};

/// A scratch database.
#[derive(Debug)]
pub struct Scratch {
    db: Db,
    url: String,
    made: Made,
}

#[derive(Debug)]
enum Made {
    /// A file in a temporary folder, beside the configured one, so that it is on the same disk.
    Folder(TempDir),
    /// A database on the same server.
    Database { server: Db, name: String },
}

impl Scratch {
    /// Makes one of the same engine as `url` names: for SQLite a file in a temporary folder on the same disk, for
    /// PostgreSQL a database on the same server (which needs the right to create one). The configured database itself
    /// is not touched.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn make(url: &str, options: &Options) -> Result<Scratch, StoreError> {
        let (db, url, made) = if is_postgres(url) {
            Scratch::on_server(url, options).await?
        } else {
            Scratch::in_folder(url, options).await?
        };
        migrate::migrate(&db, |_, _| {}).await?;
        Ok(Scratch { db, url, made })
    }

    async fn in_folder(url: &str, options: &Options) -> Result<(Db, String, Made), StoreError> {
        let path = std::path::Path::new(url.trim_start_matches("sqlite:").trim_start_matches("//"));
        let beside = path
            .parent()
            .filter(|folder| folder.is_dir())
            .map(std::path::Path::to_owned);
        let beside = beside.unwrap_or_else(std::env::temp_dir);
        let folder = tempfile::Builder::new()
            .prefix("valmed-scratch-")
            .tempdir_in(beside)
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let url = format!("sqlite://{}", folder.path().join("ward.db").display());
        let db = Db::open(&url, options, true).await?;
        Ok((db, url, Made::Folder(folder)))
    }

    async fn on_server(url: &str, options: &Options) -> Result<(Db, String, Made), StoreError> {
        let server = Db::open(url, options, false).await?;
        let name = format!("valmed_scratch_{}", Uuid::now_v7().simple());
        run(&server, format!("CREATE DATABASE {name}")).await?;
        let address = on_same_server(url, &name)?;
        let made = Made::Database {
            server: server.clone(),
            name: name.clone(),
        };
        match Db::open(&address, options, false).await {
            Ok(db) => Ok((db, address, made)),
            Err(error) => {
                run(&server, format!("DROP DATABASE {name}")).await?;
                Err(error)
            }
        }
    }

    /// The database.
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// Opens it a second time, with pools of its own, as another process would.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_again(&self, options: &Options) -> Result<Db, StoreError> {
        Db::open(&self.url, options, false).await
    }

    /// Its address, for another process; with the password, if the configured one has one.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Drops it.
    ///
    /// # Errors
    /// [`StoreError`]: it is still there.
    pub async fn drop_it(self) -> Result<(), StoreError> {
        self.db.close().await;
        match self.made {
            Made::Folder(folder) => folder
                .close()
                .map_err(|error| StoreError::Unavailable(error.to_string())),
            Made::Database { server, name } => {
                run(&server, format!("DROP DATABASE {name} WITH (FORCE)")).await?;
                server.close().await;
                Ok(())
            }
        }
    }
}

/// The address of another database on the same server.
fn on_same_server(url: &str, name: &str) -> Result<String, StoreError> {
    let mut address = url::Url::parse(url)
        .map_err(|error| StoreError::Address(format!("the database URL: {error}")))?;
    address.set_path(name);
    Ok(address.into())
}

/// Runs a statement that names a database of our own making, which cannot be a bound value.
async fn run(server: &Db, sql: String) -> Result<(), StoreError> {
    if let Conn::Postgres(mut conn) = server.writer().await? {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *conn).await?;
    }
    Ok(())
}
