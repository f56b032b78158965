//! The connection is lost around COMMIT, on either side of it: what people are told is what is in the database.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;
use valmed::desk::{Desk, Progress, Settings, Ticket};
use valmed::domain::{Operation, OrderId, OrderStatus, Outcome};
use valmed::store::{Db, Options};

use crate::support::place::{Kind, Place};
use crate::support::proxy::{Cut, Proxy};
use crate::support::ward::*;
use crate::support::{run_in_step, soon, until};

on_postgresql!(
    cut_before_commit_the_dose_is_given_once,
    cut_after_commit_the_dose_is_given_once,
    while_the_database_is_away_the_desk_is_checking_and_then_tells_the_truth,
    cut_before_commit_somebody_else_may_be_first,
    a_commit_that_arrives_late_counts_once,
    away_for_too_long_the_outcome_is_unknown_and_told_later,
    cut_at_random_every_outcome_is_true,
    a_database_that_is_gone_is_unavailable_and_nothing_happened,
);

#[test]
fn an_error_while_checking_does_not_turn_given_into_failed_on_postgresql() {
    // On one thread: the operations meet in one batch.
    run_in_step(async {
        let place = Place::migrated(Kind::Postgres).await;
        an_error_while_checking_does_not_turn_given_into_failed(place).await;
    });
}

struct Cuttable {
    ward: Ward,
    line: Proxy,
    desk: Desk,
}

/// A ward whose desk reaches its database over a line that can be cut; the story looks at it past the line.
async fn over_a_line(place: Place, settings: Settings) -> Cuttable {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(1000)).await;
    let line = ward.place.line().await;
    let options = Options {
        acquire: Duration::from_secs(2),
        ..Options::default()
    };
    let db = Db::open(&line.url(&ward.place.name), &options, false)
        .await
        .unwrap();
    let desk = ward.desk_over(db, settings);
    Cuttable { ward, line, desk }
}

async fn checking(progress: &mut watch::Receiver<Progress>) {
    soon(progress.wait_for(|progress| *progress == Progress::Checking))
        .await
        .unwrap();
}

async fn cut_once(place: Place, cut: Cut) {
    let Cuttable { ward, line, desk } = over_a_line(place, easy()).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    line.plan(&[cut]);
    let outcome = ask(&desk, give(order)).await;
    assert_eq!(line.cuts(), 1);
    let Outcome::Done(receipt) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(as_given(&receipt).2, units(999));
    assert_eq!(ward.given(order).await, 1);
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(999));
    ward.end().await;
}

async fn cut_before_commit_the_dose_is_given_once(place: Place) {
    cut_once(place, Cut::BeforeCommit).await;
}

async fn cut_after_commit_the_dose_is_given_once(place: Place) {
    cut_once(place, Cut::AfterCommit).await;
}

async fn while_the_database_is_away_the_desk_is_checking_and_then_tells_the_truth(place: Place) {
    let Cuttable { ward, line, desk } = over_a_line(place, easy()).await;
    let mut cuts = 0;
    for (cut, lasted) in [(Cut::AfterCommit, 1), (Cut::BeforeCommit, 0)] {
        let order = ward.order(&Rx::timed(PARACETAMOL)).await;
        cuts += 1;
        line.plan(&[cut]);
        line.close_door_after(cuts);
        let ticket = desk.submit(give(order), None);
        checking(&mut ticket.progress()).await;
        until(|| async { (ward.given(order).await == lasted).then_some(()) }).await;
        line.open_door().await;
        let outcome = soon(ticket.outcome()).await;
        let Outcome::Done(receipt) = outcome else {
            panic!("{cut:?}: {outcome:?}");
        };
        let recorded = value!(
            ward.db,
            valmed::domain::AdministrationId,
            "SELECT id FROM medication_administrations WHERE order_id = $1",
            order
        );
        assert_eq!(as_given(&receipt).0, recorded, "{cut:?}");
    }
    ward.end().await;
}

async fn cut_before_commit_somebody_else_may_be_first(place: Place) {
    let Cuttable { ward, line, desk } = over_a_line(place, easy()).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    line.plan(&[Cut::BeforeCommit]);
    line.close_door_after(1);
    let ticket = desk.submit(give(order), None);
    checking(&mut ticket.progress()).await;
    ward.done(give_as(SECOND_NURSE, order)).await;
    line.open_door().await;
    let refusal = refusal(soon(ticket.outcome()).await);
    assert_eq!(refusal.code(), "ORDER_ALREADY_COMPLETED");
    assert!(refusal.to_string().contains("Nils Nurse"));
    assert_eq!(ward.given(order).await, 1);
    ward.end().await;
}

/// The server may still be busy with the lost COMMIT when the desk asks again: it must wait for it, not do it twice.
async fn a_commit_that_arrives_late_counts_once(place: Place) {
    let Cuttable { ward, line, desk } = over_a_line(place, easy()).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let stopped = ward.order(&Rx::timed(PARACETAMOL)).await;
    let late: [Operation; 4] = [
        give(order),
        discontinue(DOCTOR, stopped, "a reason"),
        receive(PHARMACIST, MEDI, PARACETAMOL, units(1)),
        // Refused: it has no row to wait for but that of its memory.
        give(OrderId(Uuid::nil())),
    ];
    for operation in late {
        line.plan(&[Cut::LateCommit]);
        let ticket = desk.submit(operation.clone(), None);
        checking(&mut ticket.progress()).await;
        until(|| async {
            let waiting = value!(
                ward.db,
                i64,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            );
            (waiting > 0).then_some(())
        })
        .await;
        line.release();
        let outcome = soon(ticket.outcome()).await;
        let expected = operation.request.order() != Some(OrderId(Uuid::nil()));
        assert_eq!(matches!(outcome, Outcome::Done(_)), expected, "{outcome:?}");
        assert_eq!(ward.ask(operation).await, outcome);
    }
    assert_eq!(ward.given(order).await, 1);
    assert_eq!(ward.status(stopped).await, OrderStatus::Discontinued);
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(1000));
    ward.end().await;
}

async fn away_for_too_long_the_outcome_is_unknown_and_told_later(place: Place) {
    let settings = Settings {
        doubt: Duration::from_millis(200),
        ..easy()
    };
    let Cuttable { ward, line, desk } = over_a_line(place, settings).await;
    let mut cuts = 0;
    for (cut, lasted) in [(Cut::AfterCommit, 1), (Cut::BeforeCommit, 0)] {
        let order = ward.order(&Rx::timed(PARACETAMOL)).await;
        let operation = give(order);
        cuts += 1;
        line.plan(&[cut]);
        line.close_door_after(cuts);
        let outcome = ask(&desk, operation.clone()).await;
        assert_eq!(outcome, Outcome::Unknown { op: operation.id });
        until(|| async { (ward.given(order).await == lasted).then_some(()) }).await;
        line.open_door().await;
        let later = ask(&desk, operation).await;
        assert!(matches!(later, Outcome::Done(_)), "{cut:?}: {later:?}");
        assert_eq!(ward.given(order).await, 1, "{cut:?}");
    }
    ward.end().await;
}

/// Both operations of a batch have lasted, but its answer is lost; looking them up first fails for another reason,
/// and then the database is away. Nobody may be told that nothing happened.
async fn an_error_while_checking_does_not_turn_given_into_failed(place: Place) {
    let settings = Settings {
        doubt: Duration::from_millis(200),
        lanes: Some(1),
        ..easy()
    };
    let Cuttable { ward, line, desk } = over_a_line(place, settings).await;
    let orders = ward.orders(8, &Rx::timed(PARACETAMOL)).await;
    let operations: Vec<Operation> = orders.iter().map(|order| give(*order)).collect();
    line.plan(&[Cut::AfterCommit, Cut::ErrorAtBegin]);
    line.close_door_after(2);
    let tickets: Vec<Ticket> = operations
        .iter()
        .map(|operation| desk.submit(operation.clone(), Some(PARACETAMOL)))
        .collect();
    for (order, ticket) in orders.iter().zip(tickets) {
        let outcome = soon(ticket.outcome()).await;
        let given = ward.given(*order).await;
        match outcome {
            Outcome::Unknown { .. } => {}
            Outcome::Refused(refusal) => assert_eq!(given, 0, "{refusal:?}"),
            Outcome::Done(_) => assert_eq!(given, 1),
        }
    }
    line.open_door().await;
    for operation in operations {
        assert!(matches!(ask(&desk, operation).await, Outcome::Done(_)));
    }
    for order in orders {
        assert_eq!(ward.given(order).await, 1);
    }
    ward.end().await;
}

async fn cut_at_random_every_outcome_is_true(place: Place) {
    let Cuttable { ward, line, desk } = over_a_line(place, easy()).await;
    let mut random = fastrand::Rng::with_seed(2);
    for round in 0..15 {
        let orders = ward.orders(8, &Rx::timed(PARACETAMOL)).await;
        let cuts: Vec<Cut> = (0..random.usize(1..4))
            .map(|_| {
                random
                    .choice([Cut::BeforeCommit, Cut::AfterCommit])
                    .unwrap()
            })
            .collect();
        line.plan(&cuts);
        let mut callers = JoinSet::new();
        for order in orders {
            // Two ask for each dose: one of them gets it.
            for nurse in [NURSE, SECOND_NURSE] {
                let desk = desk.clone();
                callers.spawn(async move { (order, ask(&desk, give_as(nurse, order)).await) });
            }
        }
        let mut done = 0;
        for (order, outcome) in callers.join_all().await {
            match outcome {
                Outcome::Done(_) => done += 1,
                Outcome::Refused(refusal) => {
                    assert_eq!(refusal.code(), "ORDER_ALREADY_COMPLETED", "round {round}");
                }
                Outcome::Unknown { .. } => panic!("round {round}: the database was there"),
            }
            assert_eq!(ward.given(order).await, 1, "round {round}");
        }
        assert_eq!(done, 8, "round {round}");
    }
    ward.end().await;
}

async fn a_database_that_is_gone_is_unavailable_and_nothing_happened(place: Place) {
    let Cuttable { ward, line, desk } = over_a_line(place, easy()).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    line.close_door();
    let operation = give(order);
    let refusal = refusal(ask(&desk, operation.clone()).await);
    assert_eq!(refusal.code(), "UNAVAILABLE");
    assert!(!ward.remembers(operation.id).await);
    assert_eq!(ward.given(order).await, 0);
    line.open_door().await;
    assert!(matches!(ask(&desk, operation).await, Outcome::Done(_)));
    ward.end().await;
}
