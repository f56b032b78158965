//! What the stories stand on: a real PostgreSQL server, fresh databases on either engine, a ward with people,
//! patients, drugs and doses in it, a clock that only the story moves, and the rules that must hold after each.
#![allow(dead_code)]

pub mod check;
pub mod cupboard;
pub mod place;
pub mod postgres;
pub mod proxy;
pub mod ward;

use std::future::Future;
use std::time::Duration;

/// Longer than anything here takes on a slow and busy machine; it only ends what would otherwise hang.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for something that must come.
#[track_caller]
pub fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(PATIENCE, future).await {
            Ok(output) => output,
            Err(_) => panic!("waited in vain at {caller}"),
        }
    }
}

/// Asks again and again until the answer is there.
#[track_caller]
pub fn until<T, F, Fut>(mut ask: F) -> impl Future<Output = T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    soon(async move {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
}

/// Runs one story to its end, with as many threads as a small server has.
pub fn run(story: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(story);
}

/// Runs one story on one thread: what it does between two awaits reaches the desk at one moment.
pub fn run_in_step(story: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(story);
}

/// Tells each story on SQLite and on PostgreSQL. A story is an `async fn(Place)`; `in step:` before the names runs
/// them on one thread, so that operations submitted together meet in one batch.
#[macro_export]
macro_rules! on_both_engines {
    (in step: $($story:ident),+ $(,)?) => { $crate::on_both_engines!(@ run_in_step: $($story),+); };
    (@ $run:ident: $($story:ident),+) => {$(
        mod $story {
            use $crate::support::{place::{Kind, Place}, $run};

            #[test]
            fn on_sqlite() {
                $run(async { super::$story(Place::migrated(Kind::Sqlite).await).await });
            }

            #[test]
            fn on_postgresql() {
                $run(async { super::$story(Place::migrated(Kind::Postgres).await).await });
            }
        }
    )+};
    ($($story:ident),+ $(,)?) => { $crate::on_both_engines!(@ run: $($story),+); };
}

/// Tells each story on PostgreSQL alone: it is about a server.
#[macro_export]
macro_rules! on_postgresql {
    ($($story:ident),+ $(,)?) => {$(
        mod $story {
            use $crate::support::{place::{Kind, Place}, run};

            #[test]
            fn on_postgresql() {
                run(async { super::$story(Place::migrated(Kind::Postgres).await).await });
            }
        }
    )+};
}

/// Tells each story on SQLite alone: it is about a file.
#[macro_export]
macro_rules! on_sqlite {
    ($($story:ident),+ $(,)?) => {$(
        mod $story {
            use $crate::support::{place::{Kind, Place}, run};

            #[test]
            fn on_sqlite() {
                run(async { super::$story(Place::migrated(Kind::Sqlite).await).await });
            }
        }
    )+};
}

/// Runs a statement of one text on the database of a `Db`; gives how many rows it changed.
#[macro_export]
macro_rules! change {
    ($db:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $db.writer().await.unwrap() {
            valmed::store::Conn::Sqlite(mut conn) =>
                sqlx::query($sql)$(.bind($bind))*.execute(&mut *conn).await.unwrap().rows_affected(),
            valmed::store::Conn::Postgres(mut conn) =>
                sqlx::query($sql)$(.bind($bind))*.execute(&mut *conn).await.unwrap().rows_affected(),
        }
    };
}

/// Reads rows with a statement of one text from the database of a `Db`.
#[macro_export]
macro_rules! rows {
    ($db:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $db.reader().await.unwrap() {
            valmed::store::Conn::Sqlite(mut conn) =>
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(&mut *conn).await.unwrap(),
            valmed::store::Conn::Postgres(mut conn) =>
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(&mut *conn).await.unwrap(),
        }
    };
}

/// Reads the one value that a statement gives.
#[macro_export]
macro_rules! value {
    ($db:expr, $value:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::rows!($db, ($value,), $sql $(, $bind)*).remove(0).0
    };
}
