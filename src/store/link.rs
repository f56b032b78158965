//! One way to say a statement to either engine.

use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};

use super::StoreError;

/// Which database this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

/// A statement: one text, or two where the engines differ.
#[derive(Debug, Clone, Copy)]
pub struct Sql {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Sql {
    /// What only one engine can say, each in its own words.
    pub const fn each(sqlite: &'static str, postgres: &'static str) -> Sql {
        Sql { sqlite, postgres }
    }

    /// One text that both understand.
    pub const fn same(text: &'static str) -> Sql {
        Sql {
            sqlite: text,
            postgres: text,
        }
    }

    /// The text for an engine.
    pub const fn text(&self, engine: Engine) -> &'static str {
        match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        }
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Sql {
        Sql::same(text)
    }
}

/// A connection of the pool.
#[derive(Debug)]
pub enum Conn {
    /// Embedded.
    Sqlite(PoolConnection<Sqlite>),
    /// A server.
    Postgres(PoolConnection<Postgres>),
}

impl Conn {
    /// For statements outside a transaction.
    pub fn link(&mut self) -> Link<'_> {
        match self {
            Conn::Sqlite(conn) => Link::Sqlite(conn),
            Conn::Postgres(conn) => Link::Postgres(conn),
        }
    }

    /// Opens a transaction that may write: on SQLite it has the write lock from the start, on PostgreSQL it runs
    /// under REPEATABLE READ, and plans each statement once for whatever values (to plan the orders of a small batch anew
    /// took 0.74 ms, to read them 0.06 ms). Such a plan may be older than most of the rows: made on an empty table it would
    /// read the table whole, so that is not open to it where there is an index.
    ///
    /// # Errors
    /// [`StoreError`]: the connection is gone, or another process held the SQLite file too long.
    pub async fn begin_write(&mut self) -> Result<Tx<'_>, StoreError> {
        Ok(match self {
            Conn::Sqlite(conn) => Tx::Sqlite(conn.begin_with("BEGIN IMMEDIATE").await?),
            Conn::Postgres(conn) => Tx::Postgres(
                conn.begin_with(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE; \
                     SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off",
                )
                .await?,
            ),
        })
    }

    /// Opens a transaction for what a screen shows: as [`Conn::begin_read`], and PostgreSQL plans each statement once
    /// for whatever values, since these are the same few statements all day. Only for statements of which one plan is right
    /// for every value: that of a page says how long it may be at most ([`super::listing`]). Where there is an index, no
    /// table is read whole, however few rows it is thought to have.
    ///
    /// # Errors
    /// [`StoreError`]: the connection is gone.
    pub async fn begin_screen(&mut self) -> Result<Tx<'_>, StoreError> {
        Ok(match self {
            Conn::Sqlite(_) => self.begin_read().await?,
            Conn::Postgres(conn) => Tx::Postgres(
                conn.begin_with(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                     SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off",
                )
                .await?,
            ),
        })
    }

    /// Opens a transaction in which several reads see one moment.
    ///
    /// # Errors
    /// [`StoreError`]: the connection is gone.
    pub async fn begin_read(&mut self) -> Result<Tx<'_>, StoreError> {
        Ok(match self {
            Conn::Sqlite(conn) => Tx::Sqlite(conn.begin_with("BEGIN DEFERRED").await?),
            Conn::Postgres(conn) => Tx::Postgres(
                conn.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?,
            ),
        })
    }

    /// Closes the connection instead of giving it back: whatever state it is in goes with it.
    pub async fn discard(self) {
        // The connection is given up because something is wrong with it; that closing it fails too says nothing new.
        let _ = match self {
            Conn::Sqlite(conn) => conn.close().await,
            Conn::Postgres(conn) => conn.close().await,
        };
    }
}

/// An open transaction. Dropped without [`Tx::commit`], it is rolled back.
#[derive(Debug)]
pub enum Tx<'c> {
    /// Embedded.
    Sqlite(Transaction<'c, Sqlite>),
    /// A server.
    Postgres(Transaction<'c, Postgres>),
}

impl Tx<'_> {
    /// For statements inside the transaction.
    pub fn link(&mut self) -> Link<'_> {
        match self {
            Tx::Sqlite(tx) => Link::Sqlite(tx),
            Tx::Postgres(tx) => Link::Postgres(tx),
        }
    }

    /// Makes it last. After an error that [`StoreError::leaves_doubt`], it may have lasted all the same.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Tx::Sqlite(tx) => tx.commit().await?,
            Tx::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Undoes it.
    ///
    /// # Errors
    /// [`StoreError`]: the connection is gone, and the transaction with it.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Tx::Sqlite(tx) => tx.rollback().await?,
            Tx::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}

/// A borrowed connection, in or out of a transaction: what every query of the store takes.
#[derive(Debug)]
pub enum Link<'c> {
    /// Embedded.
    Sqlite(&'c mut SqliteConnection),
    /// A server.
    Postgres(&'c mut PgConnection),
}

impl Link<'_> {
    /// Lends the link on, for one of several statements.
    pub fn lend(&mut self) -> Link<'_> {
        match self {
            Link::Sqlite(conn) => Link::Sqlite(conn),
            Link::Postgres(conn) => Link::Postgres(conn),
        }
    }

    /// Which engine it leads to.
    pub const fn engine(&self) -> Engine {
        match self {
            Link::Sqlite(_) => Engine::Sqlite,
            Link::Postgres(_) => Engine::Postgres,
        }
    }
}

/// Runs a statement over a [`Link`] with its values bound; gives the number of rows it changed.
macro_rules! execute {
    ($link:expr, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let sql = $crate::store::Sql::from($sql);
        match $link {
            $crate::store::Link::Sqlite(conn) => sqlx::query(sql.text($crate::store::Engine::Sqlite))
                $(.bind($bind))*.execute(&mut *conn).await.map(|done| done.rows_affected()),
            $crate::store::Link::Postgres(conn) => sqlx::query(sql.text($crate::store::Engine::Postgres))
                $(.bind($bind))*.execute(&mut *conn).await.map(|done| done.rows_affected()),
        }
        .map_err($crate::store::StoreError::from)
    }};
}

/// Reads rows over a [`Link`]: `fetch!(all, link, RowType, sql, binds…)`; `one` and `optional` likewise.
macro_rules! fetch {
    (@ $how:ident, $link:expr, $row:ty, $sql:expr $(, $bind:expr)*) => {{
        let sql = $crate::store::Sql::from($sql);
        match $link {
            $crate::store::Link::Sqlite(conn) => sqlx::query_as::<_, $row>(sql.text($crate::store::Engine::Sqlite))
                $(.bind($bind))*.$how(&mut *conn).await,
            $crate::store::Link::Postgres(conn) => sqlx::query_as::<_, $row>(sql.text($crate::store::Engine::Postgres))
                $(.bind($bind))*.$how(&mut *conn).await,
        }
        .map_err($crate::store::StoreError::from)
    }};
    (all, $($rest:tt)*) => { fetch!(@ fetch_all, $($rest)*) };
    (one, $($rest:tt)*) => { fetch!(@ fetch_one, $($rest)*) };
    (optional, $($rest:tt)*) => { fetch!(@ fetch_optional, $($rest)*) };
}

/// Reads the rows of a screen over a [`Link`]: as rows from PostgreSQL, as one [`Gathered`] value from SQLite.
///
/// [`Gathered`]: crate::store::types::Gathered
macro_rules! gather {
    ($link:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let sql = $crate::store::Sql::from($sql);
        match $link {
            $crate::store::Link::Sqlite(conn) => {
                sqlx::query_scalar::<_, $crate::store::types::Gathered<$row>>(sql.text($crate::store::Engine::Sqlite))
                    $(.bind($bind))*.fetch_one(&mut *conn).await.map(|gathered| gathered.0)
            }
            $crate::store::Link::Postgres(conn) => {
                sqlx::query_as::<_, $row>(sql.text($crate::store::Engine::Postgres))
                    $(.bind($bind))*.fetch_all(&mut *conn).await
            }
        }
        .map_err($crate::store::StoreError::from)
    }};
}
