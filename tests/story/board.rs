//! The board of all wards counts what their screens show, and follows whatever any of them does.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use valmed::desk::{Desk, Settings as DeskSettings};
use valmed::domain::board::{Board, HOURS, Line};
use valmed::domain::{GivingOutcome, NotGiven, Outcome, Request, Role};
use valmed::feed::{Feed, Settings};

use crate::support::cupboard::resolve_count;
use crate::support::place::Place;
use crate::support::ward::*;
use crate::support::{soon, until};

on_both_engines!(
    it_counts_each_ward_for_itself,
    it_counts_what_is_missed_held_and_missing,
    it_follows_a_dose_given_by_another_process,
    a_thousand_who_ask_share_one_reading,
);

/// A process of its own: pools, feed and desk.
async fn process(ward: &Ward) -> (Feed, Desk) {
    let settings = Settings {
        full_check: Duration::from_secs(3600),
        ..Settings::default()
    };
    let db = ward.place.open().await;
    let clock = ward.place.clock.reader();
    let feed = Feed::open(db.clone(), settings, Arc::clone(&clock));
    let desk = Desk::open(db, DeskSettings::default(), clock, feed.on_commit());
    (feed, desk)
}

fn line<'a>(board: &'a Board, code: &str) -> &'a Line {
    board
        .lines
        .iter()
        .find(|line| line.ward.code == code)
        .unwrap()
}

async fn it_counts_each_ward_for_itself(place: Place) {
    let ward = Ward::open(place).await;
    let (feed, _desk) = process(&ward).await;
    let late = ward.now();
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let first = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.orders(2, &Rx::timed(PARACETAMOL)).await;
    ward.order(&Rx::as_needed(MORPHINE, "prn min 60m")).await;
    ward.place.clock.advance(SignedDuration::from_mins(90));
    let surgery = Rx {
        patient: 2,
        ..Rx::timed(INSULIN)
    };
    ward.orders(4, &surgery).await;
    ward.done(give(first)).await;
    let board = soon(feed.board()).await.unwrap();
    let medicine = line(&board, "MEDI");
    assert_eq!(
        (medicine.due, medicine.late),
        (0, 2),
        "as needed is not due"
    );
    assert_eq!(medicine.oldest, Some(late));
    assert_eq!(
        (medicine.low, medicine.out),
        (0, 2),
        "nine tablets are more than five"
    );
    let surgery = line(&board, "SURG");
    assert_eq!((surgery.due, surgery.late, surgery.oldest), (4, 0, None));
    assert_eq!((surgery.low, surgery.out), (0, 3));
    let pharmacy = line(&board, "PHAR");
    assert_eq!((pharmacy.due, pharmacy.low, pharmacy.out), (0, 0, 0));
    let mut hours = vec![0; HOURS];
    hours[HOURS - 1] = 1;
    assert_eq!(medicine.given, hours, "in the last hour");
    ward.place.clock.advance(SignedDuration::from_mins(150));
    hours.swap(HOURS - 1, HOURS - 3);
    let board = soon(feed.board()).await.unwrap();
    assert_eq!(line(&board, "MEDI").given, hours, "two hours before that");
    assert_eq!(line(&board, "SURG").late, 4, "by the clock alone");
    ward.end().await;
}

async fn it_counts_what_is_missed_held_and_missing(place: Place) {
    let ward = Ward::open(place).await;
    let (feed, _desk) = process(&ward).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let counts = async |code: &str| {
        let board = soon(feed.board()).await.unwrap();
        let line = line(&board, code);
        (line.due, line.late, line.missed, line.discrepancies)
    };
    ward.order(&Rx::timed(PARACETAMOL)).await;
    let held = ward.order(&Rx::timed(PARACETAMOL)).await;
    let request = Request::NotGiven(NotGiven {
        order: held,
        version: 1,
        outcome: GivingOutcome::Held,
        reason: because("npo"),
        until: Some(ward.now() + SignedDuration::from_hours(6)),
    });
    ward.done(operation(NURSE, request)).await;
    assert_eq!(counts("MEDI").await, (1, 0, 0, 0));
    ward.place.clock.advance(SignedDuration::from_mins(239));
    assert_eq!(
        counts("MEDI").await,
        (0, 1, 0, 0),
        "what is held is not late"
    );
    ward.place.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(counts("MEDI").await, (0, 1, 1, 0), "as the queue shows it");
    ward.place.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(counts("MEDI").await, (1, 1, 1, 0), "it has come back");
    let difference = ward.differs(MEDI, PARACETAMOL).await;
    // Nobody tells of it here: the next reading does.
    ward.place.clock.advance(SignedDuration::from_secs(25));
    assert_eq!(counts("MEDI").await, (1, 1, 1, 1));
    assert_eq!(counts("SURG").await, (0, 0, 0, 0));
    let supervisor = person(Role::Supervisor, MEDI);
    ward.done(resolve_count(supervisor, difference, "miscount"))
        .await;
    ward.place.clock.advance(SignedDuration::from_secs(25));
    assert_eq!(counts("MEDI").await, (1, 1, 1, 0));
    ward.end().await;
}

async fn it_follows_a_dose_given_by_another_process(place: Place) {
    let ward = Ward::open(place).await;
    let (here, _desk) = process(&ward).await;
    let (_feed, there) = process(&ward).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let due = async || {
        let board = here.board().await.unwrap();
        line(&board, "MEDI").due
    };
    let mut changes = here.hospital();
    until(async || (due().await == 1).then_some(())).await;
    changes.mark_unchanged();
    let outcome = ask(&there, give(order)).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    // Nobody looks at the ward itself here: the change alone tells.
    soon(changes.changed()).await.unwrap();
    until(async || (due().await == 0).then_some(())).await;
    ward.end().await;
}

async fn a_thousand_who_ask_share_one_reading(place: Place) {
    let ward = Ward::open(place).await;
    let (feed, _desk) = process(&ward).await;
    // Once it hears of others at all, nothing changes any more.
    let first = soon(feed.board()).await.unwrap();
    let settled = until(async || {
        let board = feed.board().await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let again = feed.board().await.unwrap();
        Arc::ptr_eq(&board, &again).then_some(board)
    })
    .await;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let feed = feed.clone();
        asking.spawn(async move { feed.board().await.unwrap() });
    }
    for board in soon(asking.join_all()).await {
        assert!(Arc::ptr_eq(&board, &settled));
    }
    assert_eq!(first.lines, settled.lines);
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    ward.end().await;
}
