//! Callers go away in the middle of things, and whole processes do: what they asked for is whole or not there, and
//! nothing stays open behind them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Connection;
use valmed::desk::{Desk, OnCommit, Settings};
use valmed::domain::{OpId, Operation, Outcome};
use valmed::store::{Db, Options};

use crate::support::place::{Kind, Place};
use crate::support::ward::*;
use crate::support::{soon, until};

on_both_engines!(
    a_thousand_callers_go_away_and_nothing_stays_open,
    a_process_that_ends_in_the_middle_leaves_whole_operations_only,
    a_panic_leaves_the_outcome_unknown_and_the_desk_at_work,
);

/// No transaction is left open behind anybody: on SQLite somebody else can write at once.
async fn nothing_is_open(ward: &Ward) {
    match ward.place.kind {
        Kind::Sqlite => {
            let mut conn = sqlx::SqliteConnection::connect(&ward.place.url)
                .await
                .unwrap();
            for statement in ["PRAGMA busy_timeout = 0", "BEGIN IMMEDIATE", "ROLLBACK"] {
                sqlx::query(statement).execute(&mut conn).await.unwrap();
            }
        }
        Kind::Postgres => {
            let open = value!(
                ward.db,
                i64,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND (state LIKE 'idle in transaction%' OR (xact_start IS NOT NULL AND pid <> pg_backend_pid()))"
            );
            assert_eq!(open, 0, "transactions left open");
        }
    }
}

async fn a_thousand_callers_go_away_and_nothing_stays_open(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, MORPHINE, units(60)).await;
    let orders = ward.orders(100, &Rx::timed(MORPHINE)).await;
    let operations: Vec<Operation> = (0..1000)
        .map(|n| match orders.get(n / 10) {
            Some(order) if n % 10 == 0 => give(*order),
            _ => receive(PHARMACIST, MEDI, PARACETAMOL, units(1)),
        })
        .collect();
    let mut random = fastrand::Rng::with_seed(7);
    for operation in &operations {
        let ticket = ward.desk.submit(operation.clone(), None);
        match random.u8(0..3) {
            // Gone at once.
            0 => drop(ticket),
            // Gone while waiting.
            1 => {
                let waiting = tokio::spawn(ticket.outcome());
                tokio::task::yield_now().await;
                waiting.abort();
            }
            // Gone a little later.
            _ => {
                let patience = Duration::from_micros(random.u64(0..3000));
                let _gone = tokio::time::timeout(patience, ticket.outcome()).await;
            }
        }
    }
    assert!(ward.desk.close(crate::support::PATIENCE).await);
    for operation in &operations {
        assert!(ward.remembers(operation.id).await, "{operation:?}");
    }
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(900));
    assert_eq!(ward.stock(MEDI, MORPHINE).await, units(0));
    // Connections go back to the pool a moment after the last operation.
    if ward.place.kind == Kind::Postgres {
        until(|| async {
            let open = value!(
                ward.db,
                i64,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND state = 'active' AND pid <> pg_backend_pid()"
            );
            (open == 0).then_some(())
        })
        .await;
    }
    nothing_is_open(&ward).await;
    ward.end().await;
}

/// A defect in what happens after a commit must not be told as a failure of what was committed.
async fn a_panic_leaves_the_outcome_unknown_and_the_desk_at_work(place: Place) {
    let ward = Ward::open(place).await;
    let first = AtomicBool::new(true);
    let on_commit: OnCommit = Arc::new(move |_| {
        assert!(!first.swap(false, Ordering::SeqCst), "a panic on purpose");
    });
    let desk = Desk::open(
        ward.place.open().await,
        easy(),
        ward.place.clock.reader(),
        on_commit,
    );
    let operation = receive(PHARMACIST, MEDI, MORPHINE, units(1));
    let outcome = ask(&desk, operation.clone()).await;
    assert_eq!(outcome, Outcome::Unknown { op: operation.id });
    let outcome = ask(&desk, operation).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    assert_eq!(ward.stock(MEDI, MORPHINE).await, units(1));
    // The drug is free again, and so is the lane.
    let next = ask(&desk, receive(PHARMACIST, MEDI, MORPHINE, units(1))).await;
    assert!(matches!(next, Outcome::Done(_)), "{next:?}");
    assert!(desk.close(crate::support::PATIENCE).await);
    nothing_is_open(&ward).await;
    ward.end().await;
}

/// Runs a desk in a process of its own, as far as that can be had within one: a runtime that ends at once, whatever
/// its tasks are doing. Gives what it was told until then.
fn short_life(url: &str, operations: Vec<Operation>, told: usize) -> Vec<(OpId, Outcome)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let outcomes = runtime.block_on(async {
        let db = Db::open(url, &Options::default(), false).await.unwrap();
        let settings = Settings { batch: 4, ..easy() };
        let clock = crate::support::place::TestClock::new();
        let desk = Desk::open(db, settings, clock.reader(), nobody());
        let tickets: Vec<_> = operations
            .into_iter()
            .map(|operation| (operation.id, desk.submit(operation, None)))
            .collect();
        let mut outcomes = Vec::new();
        for (op, ticket) in tickets.into_iter().take(told) {
            outcomes.push((op, soon(ticket.outcome()).await));
        }
        outcomes
    });
    runtime.shutdown_background();
    outcomes
}

async fn a_process_that_ends_in_the_middle_leaves_whole_operations_only(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, MORPHINE, units(1000)).await;
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..12 {
        let mut operations: Vec<Operation> = ward
            .orders(10, &Rx::timed(MORPHINE))
            .await
            .into_iter()
            .map(give)
            .collect();
        operations.extend((0..10).map(|_| receive(PHARMACIST, MEDI, PARACETAMOL, units(1))));
        random.shuffle(&mut operations);
        let url = ward.place.url.clone();
        let asked = operations.clone();
        let told = random.usize(0..12);
        let outcomes = tokio::task::spawn_blocking(move || short_life(&url, asked, told));
        for (op, outcome) in outcomes.await.unwrap() {
            assert!(
                matches!(outcome, Outcome::Done(_)),
                "round {round}: {outcome:?}"
            );
            assert!(
                ward.remembers(op).await,
                "round {round}: told done, and gone"
            );
        }
        // Whoever asks again finds out, and what was not done is done then.
        for operation in operations {
            ward.done(operation).await;
        }
        ward.rules_hold().await;
    }
    assert_eq!(ward.stock(MEDI, MORPHINE).await, units(880));
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(120));
    assert!(ward.desk.close(crate::support::PATIENCE).await);
    nothing_is_open(&ward).await;
    ward.end().await;
}
