//! What one process does, the screens of another show; and they say so when they cannot know.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use tokio::sync::watch;
use valmed::desk::Desk;
use valmed::domain::snapshot::WardSnapshot;
use valmed::domain::{OrderId, WardId};
use valmed::feed::{Feed, Settings, WardView};

use crate::support::place::Place;
use crate::support::soon;
use crate::support::ward::*;

on_both_engines!(
    a_dose_given_in_one_process_shows_in_the_other,
    a_dose_shows_at_once_in_the_process_that_gave_it,
    a_thousand_watchers_of_a_ward_share_one_reading,
    a_thousand_sessions_cost_no_more_readings_than_one,
    commits_of_other_processes_are_read_in_their_ward_only,
    a_watcher_ends_with_the_last_who_looks,
    a_ward_that_does_not_exist_is_said_to_be_none,
    a_change_that_nobody_told_of_is_found_by_the_full_check,
    what_is_wrong_with_the_process_stands_on_every_ward,
);
on_postgresql!(
    idle_sessions_ask_nothing,
    news_of_other_wards_confirms_this_one,
    a_lost_listener_is_told_heals_and_misses_nothing,
    a_server_that_is_away_is_told_and_heals,
);

/// Looks by itself so rarely that whatever shows was told.
fn told_only() -> Settings {
    Settings {
        full_check: Duration::from_secs(3600),
        ..Settings::default()
    }
}

/// A process of its own: pools, feed and desk.
struct Process {
    feed: Feed,
    desk: Desk,
}

async fn process(ward: &Ward, settings: Settings) -> Process {
    let db = ward.place.open().await;
    let clock = ward.place.clock.reader();
    let feed = Feed::open(db.clone(), settings, Arc::clone(&clock));
    let desk = Desk::open(db, easy(), clock, feed.on_commit());
    Process { feed, desk }
}

async fn shows(
    watcher: &mut watch::Receiver<WardView>,
    what: impl Fn(&WardSnapshot) -> bool,
) -> Arc<WardSnapshot> {
    let view = soon(watcher.wait_for(|view| view.snapshot.as_deref().is_some_and(&what)))
        .await
        .unwrap();
    view.snapshot.clone().unwrap()
}

fn queued(snapshot: &WardSnapshot, order: OrderId) -> bool {
    snapshot.orders.iter().any(|queued| queued.id == order)
}

async fn a_dose_given_in_one_process_shows_in_the_other(place: Place) {
    let ward = Ward::open(place).await;
    let here = process(&ward, told_only()).await;
    let there = process(&ward, told_only()).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let orders = ward.orders(5, &Rx::timed(PARACETAMOL)).await;
    let mut watcher = there.feed.watch(MEDI);
    // Once it hears of changes at all; what came before it listened is read then.
    shows(&mut watcher, |snapshot| snapshot.orders.len() == 5).await;
    for order in orders {
        let outcome = ask(&here.desk, give(order)).await;
        let administration = match outcome {
            valmed::domain::Outcome::Done(receipt) => as_given(&receipt).0,
            other => panic!("{other:?}"),
        };
        let snapshot = shows(&mut watcher, |snapshot| !queued(snapshot, order)).await;
        let line = &snapshot.log[0];
        assert_eq!(line.id, administration);
        assert_eq!((&*line.patient, &*line.by), ("Anna Adler", "Nora Nurse"));
    }
    let snapshot = shows(&mut watcher, |snapshot| snapshot.orders.is_empty()).await;
    assert_eq!(snapshot.stock_of(PARACETAMOL).unwrap().current, units(5));
    assert_eq!(snapshot.log.len(), 5);
    ward.end().await;
}

async fn a_dose_shows_at_once_in_the_process_that_gave_it(place: Place) {
    let ward = Ward::open(place).await;
    // It neither polls nor listens for others within this story.
    let settings = Settings {
        poll: Duration::from_secs(3600),
        ..told_only()
    };
    let here = process(&ward, settings).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let mut watcher = here.feed.watch(MEDI);
    shows(&mut watcher, |snapshot| queued(snapshot, order)).await;
    let outcome = ask(&here.desk, give(order)).await;
    assert!(matches!(outcome, valmed::domain::Outcome::Done(_)));
    shows(&mut watcher, |snapshot| !queued(snapshot, order)).await;
    ward.end().await;
}

async fn a_thousand_watchers_of_a_ward_share_one_reading(place: Place) {
    let ward = Ward::open(place).await;
    let here = process(&ward, told_only()).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let mut watchers: Vec<_> = (0..1000).map(|_| here.feed.watch(MEDI)).collect();
    for step in 0..2 {
        let first = shows(&mut watchers[0], |s| queued(s, order) == (step == 0)).await;
        for watcher in &mut watchers {
            let same = shows(watcher, |s| queued(s, order) == (step == 0)).await;
            assert!(Arc::ptr_eq(&first, &same), "one reading for all of them");
        }
        if step == 0 {
            let outcome = ask(&here.desk, give(order)).await;
            assert!(matches!(outcome, valmed::domain::Outcome::Done(_)));
        }
    }
    ward.end().await;
}

/// How many readings it takes until so many watchers have seen each of three doses given.
async fn readings_of_three_doses(ward: &Ward, watchers: usize) -> u64 {
    // Neither a look of its own nor a poll comes into this story: every reading is of a change.
    let settings = Settings {
        poll: Duration::from_secs(3600),
        ..told_only()
    };
    let here = process(ward, settings).await;
    let orders = ward.orders(3, &Rx::timed(PARACETAMOL)).await;
    let mut watchers: Vec<_> = (0..watchers).map(|_| here.feed.watch(MEDI)).collect();
    for watcher in &mut watchers {
        shows(watcher, |s| queued(s, orders[2])).await;
    }
    // The feed begins to hear of others at some moment, and reads once more then.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = here.feed.readings();
    for order in orders {
        let outcome = ask(&here.desk, give(order)).await;
        assert!(matches!(outcome, valmed::domain::Outcome::Done(_)));
        for watcher in &mut watchers {
            shows(watcher, |s| !queued(s, order)).await;
        }
    }
    here.feed.readings() - before
}

async fn a_thousand_sessions_cost_no_more_readings_than_one(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    for watchers in [1, 1000] {
        // One for each dose, and on PostgreSQL one more for the notification of it, which comes back to its sender.
        let readings = readings_of_three_doses(&ward, watchers).await;
        assert!((3..=6).contains(&readings), "{watchers}: {readings}");
    }
    ward.end().await;
}

async fn commits_of_other_processes_are_read_in_their_ward_only(place: Place) {
    let ward = Ward::open(place).await;
    let here = process(&ward, told_only()).await;
    let there = process(&ward, told_only()).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let orders = ward.orders(2, &Rx::timed(PARACETAMOL)).await;
    let mut other = there.feed.watch(SURG);
    shows(&mut other, |_| true).await;
    let mut watcher = there.feed.watch(MEDI);
    shows(&mut watcher, |s| queued(s, orders[1])).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = there.feed.readings();
    for order in orders {
        ask(&here.desk, give(order)).await;
        shows(&mut watcher, |s| !queued(s, order)).await;
    }
    let readings = there.feed.readings() - before;
    assert!((2..=3).contains(&readings), "one for each dose: {readings}");
    ward.end().await;
}

async fn a_watcher_ends_with_the_last_who_looks(place: Place) {
    let ward = Ward::open(place).await;
    let here = process(&ward, told_only()).await;
    let mut first = here.feed.watch(MEDI);
    shows(&mut first, |_| true).await;
    let second = here.feed.watch(MEDI);
    drop(first);
    let third = here.feed.watch(MEDI);
    assert!(
        third.borrow().snapshot.is_some(),
        "somebody still looks: the ward is there at once"
    );
    drop((second, third));
    crate::support::until(|| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let again = here.feed.watch(MEDI);
        // A new watcher has read nothing yet.
        again.borrow().snapshot.is_none().then_some(())
    })
    .await;
    let mut again = here.feed.watch(MEDI);
    shows(&mut again, |_| true).await;
    ward.end().await;
}

async fn a_ward_that_does_not_exist_is_said_to_be_none(place: Place) {
    let ward = Ward::open(place).await;
    let here = process(&ward, told_only()).await;
    let mut watcher = here.feed.watch(WardId(99));
    let view = soon(watcher.wait_for(|view| view.trouble.is_some()))
        .await
        .unwrap();
    assert_eq!(
        view.trouble.as_deref(),
        Some("there is no such ward any more")
    );
    assert!(view.snapshot.is_none());
    drop(view);
    ward.end().await;
}

async fn a_change_that_nobody_told_of_is_found_by_the_full_check(place: Place) {
    let ward = Ward::open(place).await;
    let settings = Settings {
        full_check: Duration::from_millis(50),
        poll: Duration::from_secs(3600),
        ..Settings::default()
    };
    let here = process(&ward, settings).await;
    let mut watcher = here.feed.watch(MEDI);
    shows(&mut watcher, |snapshot| snapshot.orders.is_empty()).await;
    // Written past every desk and feed.
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    shows(&mut watcher, |snapshot| queued(snapshot, order)).await;
    ward.end().await;
}

/// When each of the program's connections asked its last question.
async fn questions(ward: &Ward, conn: &mut sqlx::PgConnection) -> Vec<(i32, String)> {
    sqlx::query_as(
        "SELECT pid, query_start::text FROM pg_stat_activity WHERE datname = $1 AND application_name = 'valmed' \
         ORDER BY pid",
    )
    .bind(&ward.place.name)
    .fetch_all(conn)
    .await
    .unwrap()
}

async fn idle_sessions_ask_nothing(place: Place) {
    let ward = Ward::open(place).await;
    let settings = Settings {
        heartbeat: Duration::from_secs(3600),
        ..told_only()
    };
    let here = process(&ward, settings).await;
    let mut watchers: Vec<_> = (0..100)
        .map(|n| here.feed.watch(if n % 2 == 0 { MEDI } else { SURG }))
        .collect();
    for watcher in &mut watchers {
        shows(watcher, |_| true).await;
    }
    let mut bystander = ward.place.bystander().await;
    // Until the listener listens, and the first readings are over.
    let quiet = soon(async {
        loop {
            let before = questions(&ward, &mut bystander).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            if questions(&ward, &mut bystander).await == before {
                break before;
            }
        }
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(questions(&ward, &mut bystander).await, quiet);
    bystander.close().await.unwrap();
    ward.end().await;
}

async fn a_lost_listener_is_told_heals_and_misses_nothing(place: Place) {
    let ward = Ward::open(place).await;
    let settings = Settings {
        heartbeat: Duration::from_secs(3600),
        ..told_only()
    };
    let here = process(&ward, settings).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let mut watcher = here.feed.watch(MEDI);
    shows(&mut watcher, |snapshot| queued(snapshot, order)).await;
    let ended = crate::support::until(|| async {
        let ended = rows!(
            ward.db,
            (bool,),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
             AND query LIKE 'LISTEN%'"
        );
        (!ended.is_empty()).then_some(ended)
    })
    .await;
    assert_eq!(ended.len(), 1, "one listener for the whole process");
    // Given by a desk that tells nobody.
    ward.done(give(order)).await;
    let view = soon(watcher.wait_for(|view| view.trouble.is_some()))
        .await
        .unwrap();
    assert_eq!(
        view.trouble.as_deref(),
        Some("changes made elsewhere are not heard of")
    );
    drop(view);
    soon(watcher.wait_for(|view| {
        let missed = view.snapshot.as_deref().is_some_and(|s| !queued(s, order));
        view.trouble.is_none() && missed
    }))
    .await
    .unwrap();
    // And it hears again.
    let there = process(&ward, told_only()).await;
    let next = ward.order(&Rx::timed(PARACETAMOL)).await;
    let stock = receive(PHARMACIST, MEDI, PARACETAMOL, units(1));
    ask(&there.desk, stock).await;
    shows(&mut watcher, |snapshot| queued(snapshot, next)).await;
    ward.end().await;
}

async fn a_server_that_is_away_is_told_and_heals(place: Place) {
    let ward = Ward::open(place).await;
    let line = ward.place.line().await;
    let options = valmed::store::Options {
        acquire: Duration::from_millis(500),
        ..Default::default()
    };
    let url = line.url(&ward.place.name);
    let db = valmed::store::Db::open(&url, &options, false)
        .await
        .unwrap();
    let settings = Settings {
        full_check: Duration::from_millis(100),
        ..Settings::default()
    };
    let feed = Feed::open(db, settings, ward.place.clock.reader());
    let mut watcher = feed.watch(MEDI);
    shows(&mut watcher, |_| true).await;
    line.close_door();
    let view = soon(
        watcher.wait_for(|view| view.trouble.as_deref() == Some("the database cannot be reached")),
    )
    .await
    .unwrap();
    assert!(
        view.snapshot.is_some(),
        "the last that was known still shows"
    );
    drop(view);
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    line.open_door().await;
    soon(watcher.wait_for(|view| {
        let shown = view.snapshot.as_deref().is_some_and(|s| queued(s, order));
        view.trouble.is_none() && shown
    }))
    .await
    .unwrap();
    ward.end().await;
}

async fn what_is_wrong_with_the_process_stands_on_every_ward(place: Place) {
    let ward = Ward::open(place).await;
    let here = process(&ward, told_only()).await;
    let mut before = here.feed.watch(MEDI);
    shows(&mut before, |_| true).await;
    here.feed.trouble_with_orders(Some("no orders".into()));
    here.feed.trouble_with_clock(Some("the clock".into()));
    let mut after = here.feed.watch(SURG);
    for watcher in [&mut before, &mut after] {
        let both = |view: &WardView| view.warning.as_deref() == Some("the clock; no orders");
        soon(watcher.wait_for(both)).await.unwrap();
    }
    here.feed.trouble_with_clock(None);
    here.feed.trouble_with_orders(None);
    for watcher in [&mut before, &mut after] {
        soon(watcher.wait_for(|view| view.warning.is_none()))
            .await
            .unwrap();
    }
    ward.end().await;
}

async fn news_of_other_wards_confirms_this_one(place: Place) {
    let ward = Ward::open(place).await;
    // It never hears nothing for long enough to be sure by that.
    let settings = Settings {
        heartbeat: Duration::from_secs(3600),
        ..told_only()
    };
    let here = process(&ward, settings).await;
    let mut watcher = here.feed.watch(MEDI);
    shows(&mut watcher, |_| true).await;
    ward.place.clock.advance(jiff::SignedDuration::from_mins(1));
    let now = ward.now();
    crate::support::until(|| async {
        let mut conn = ward.db.writer().await.unwrap();
        valmed::store::notify(conn.link(), "valmed", "2")
            .await
            .unwrap();
        drop(conn);
        tokio::time::sleep(Duration::from_millis(20)).await;
        (watcher.borrow().confirmed_at == Some(now)).then_some(())
    })
    .await;
    ward.end().await;
}
