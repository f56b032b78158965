//! The server ends sessions, falls over, or is not what the desk relies on.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Row};
use tokio::task::JoinSet;
use valmed::desk::Settings;
use valmed::domain::{Operation, Outcome};
use valmed::store::{Conn, Db, Options, StoreError};

use crate::support::place::{Place, on_server};
use crate::support::run;
use crate::support::ward::*;

on_postgresql!(
    sessions_that_the_server_ends_leave_whole_operations_only,
    isolation_is_ours_whatever_the_server_says,
    a_server_that_gives_a_guarantee_away_is_not_opened,
    a_connection_is_used_again,
);

#[test]
fn a_server_that_falls_over_keeps_what_was_told_done() {
    run(falls_over());
}

#[test]
fn a_server_that_does_not_sync_is_not_opened() {
    run(does_not_sync());
}

/// Asks for many things while `trouble` is made, and checks what was told against what is there.
async fn under_load(ward: &Ward, trouble: impl AsyncFn()) {
    let settings = Settings { batch: 8, ..easy() };
    // Limits that let a restart pass.
    let options = Options {
        acquire: Duration::from_secs(30),
        ..Options::default()
    };
    let desk = ward.desk_over(ward.place.open_with(&options).await, settings);
    ward.receive(MEDI, MORPHINE, units(1000)).await;
    let orders = ward.orders(60, &Rx::timed(MORPHINE)).await;
    let mut callers = JoinSet::new();
    for caller in 0..6 {
        let desk = desk.clone();
        let orders = orders[caller * 10..caller * 10 + 10].to_vec();
        callers.spawn(async move {
            let mut told = Vec::new();
            for order in orders {
                for operation in [
                    give(order),
                    receive(PHARMACIST, MEDI, PARACETAMOL, units(1)),
                ] {
                    told.push((operation.clone(), ask(&desk, operation).await));
                }
            }
            told
        });
    }
    trouble().await;
    let told: Vec<(Operation, Outcome)> = callers.join_all().await.into_iter().flatten().collect();
    for (operation, outcome) in told {
        match &outcome {
            Outcome::Done(_) => assert!(ward.remembers(operation.id).await, "{operation:?}"),
            Outcome::Refused(refusal) => {
                assert!(refusal.is_passing(), "{operation:?}: {refusal:?}");
                assert!(
                    !ward.remembers(operation.id).await,
                    "told {refusal:?}, and done: {operation:?}"
                );
            }
            Outcome::Unknown { .. } => panic!("{operation:?} stays unknown"),
        }
        // What was refused because of the moment is done when it is asked for again, and nothing is done twice.
        ward.done(operation).await;
    }
    assert_eq!(ward.stock(MEDI, MORPHINE).await, units(940));
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(60));
}

async fn sessions_that_the_server_ends_leave_whole_operations_only(place: Place) {
    let ward = Ward::open(place).await;
    let name = ward.place.name.clone();
    let server = ward.place.server();
    under_load(&ward, async || {
        for _ in 0..15 {
            let sql = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            );
            on_server(server, sql).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    ward.end().await;
}

async fn falls_over() {
    let ward = Ward::open(Place::on_own_server().await).await;
    let server = ward.place.server();
    under_load(&ward, async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        tokio::task::spawn_blocking(|| server.restart())
            .await
            .unwrap();
    })
    .await;
    ward.end().await;
}

async fn isolation_is_ours_whatever_the_server_says(place: Place) {
    let name = &place.name;
    on_server(
        place.server(),
        format!(
            "ALTER DATABASE {name} SET default_transaction_isolation = 'read committed'; \
             ALTER DATABASE {name} SET TimeZone = 'Asia/Kolkata'; \
             ALTER DATABASE {name} SET statement_timeout = 0"
        ),
    )
    .await;
    let db = place.open().await;
    let Conn::Postgres(mut conn) = db.writer().await.unwrap() else {
        panic!("not PostgreSQL");
    };
    let row = sqlx::query(
        "SELECT current_setting('transaction_isolation'), current_setting('TimeZone'), \
         current_setting('application_name'), current_setting('statement_timeout'), \
         current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')",
    )
    .fetch_one(&mut *conn)
    .await
    .unwrap();
    let found: Vec<String> = (0..6).map(|n| row.get(n)).collect();
    assert_eq!(
        found,
        ["repeatable read", "UTC", "valmed", "15s", "5s", "10s"]
    );
}

/// The sentence with which a database is not opened.
async fn refused_to_open(url: &str) -> String {
    match Db::open(url, &Options::default(), false).await {
        Ok(_) => panic!("it was opened"),
        Err(StoreError::Guarantee(sentence)) => sentence,
        Err(other) => panic!("{other:?}"),
    }
}

async fn a_server_that_gives_a_guarantee_away_is_not_opened(place: Place) {
    let spoiled = [
        (
            "synchronous_commit",
            "off",
            "synchronous commit is 'off', and must be on",
        ),
        (
            "default_transaction_read_only",
            "on",
            "read-only server is 'on', and must be off",
        ),
    ];
    for (setting, value, expected) in spoiled {
        let name = &place.name;
        let spoil = format!("ALTER DATABASE {name} SET {setting} = {value}");
        on_server(place.server(), spoil).await;
        let sentence = refused_to_open(&place.url).await;
        assert!(
            sentence.starts_with("the database does not keep what the desk relies on: "),
            "{sentence}"
        );
        assert!(sentence.ends_with(expected), "{sentence}");
        let mend = format!("ALTER DATABASE {name} RESET {setting}");
        on_server(place.server(), mend).await;
        place.open().await.close().await;
    }
}

async fn does_not_sync() {
    let place = Place::on_own_server().await;
    let mut conn = place.bystander().await;
    for (setting, name) in [("fsync", "fsync"), ("full_page_writes", "full page writes")] {
        for (value, opens) in [("off", false), ("on", true)] {
            let set = format!("ALTER SYSTEM SET {setting} = {value}");
            sqlx::query(AssertSqlSafe(set))
                .execute(&mut conn)
                .await
                .unwrap();
            // The server takes a reload in its own time.
            place.server().restart();
            conn = place.bystander().await;
            if opens {
                place.open().await.close().await;
            } else {
                let sentence = refused_to_open(&place.url).await;
                let expected = format!("{name} is 'off', and must be on");
                assert!(sentence.ends_with(&expected), "{sentence}");
            }
        }
    }
    conn.close().await.unwrap();
}

async fn a_connection_is_used_again(place: Place) {
    let db = place.open().await;
    let mut pids = std::collections::BTreeSet::new();
    for _ in 0..20 {
        pids.insert(value!(db, i32, "SELECT pg_backend_pid()"));
        // What is done when a connection comes back is done behind its user's back.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // One that is not back yet when the next is wanted may be joined by a second.
    assert!(
        pids.len() <= 3,
        "20 readings made {} connections",
        pids.len()
    );
    db.close().await;
}
