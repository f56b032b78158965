//! Orders are made ahead: every dose once, in the ward where the patient lies, by that ward's clock.

use jiff::{SignedDuration, Timestamp};
use valmed::desk::horizon::{Made, make_orders_ahead};
use valmed::domain::schedule::due_times;
use valmed::domain::{OrderStatus, PrescriptionId, Schedule, WardId};
use valmed::store::At;

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    doses_are_made_once_however_often_they_are_asked_for,
    two_processes_at_once_make_every_dose_once,
    no_dose_is_lost_or_doubled_while_the_days_go_by,
    clock_times_follow_the_ward_over_clock_changes,
    orders_stand_in_the_ward_where_the_patient_lies,
    an_as_needed_prescription_opens_one_order_at_its_start_and_closes_it_at_its_end,
    a_timed_dose_outlives_its_prescription,
    one_that_cannot_be_read_does_not_keep_the_others_from_being_made,
);

const DAY: SignedDuration = SignedDuration::from_hours(24);

async fn make(ward: &Ward) -> Made {
    make_orders_ahead(&ward.db, ward.now(), DAY).await.unwrap()
}

async fn due(ward: &Ward, prescription: PrescriptionId) -> Vec<Timestamp> {
    rows!(
        ward.db,
        (At,),
        "SELECT due_at FROM medication_orders WHERE prescription_id = $1 AND due_at IS NOT NULL ORDER BY due_at",
        prescription
    )
    .into_iter()
    .map(|(at,)| at.0)
    .collect()
}

async fn prescribe(ward: &Ward, schedule: &'static str) -> PrescriptionId {
    let rx = Rx::as_needed(PARACETAMOL, schedule);
    ward.write_prescription(&rx, ward.now()).await
}

async fn doses_are_made_once_however_often_they_are_asked_for(place: Place) {
    let ward = Ward::open(place).await;
    let daily = prescribe(&ward, "times 08:00 20:00").await;
    let as_needed = prescribe(&ward, "prn").await;
    let made = make(&ward).await;
    assert_eq!(made.orders, 3);
    assert_eq!(made.wards, [MEDI].into());
    for _ in 0..3 {
        assert_eq!(make(&ward).await, Made::default());
    }
    assert_eq!(due(&ward, daily).await.len(), 2);
    assert_eq!(ward.open_orders(as_needed).await.len(), 1);
    ward.end().await;
}

async fn two_processes_at_once_make_every_dose_once(place: Place) {
    let ward = Ward::open(place).await;
    let other = ward.place.open().await;
    for _ in 0..5 {
        let mut prescriptions = Vec::new();
        for schedule in ["every 60m", "prn", "times 08:00 20:00", "unscheduled"] {
            prescriptions.push(prescribe(&ward, schedule).await);
        }
        let (one, two) = tokio::join!(
            make_orders_ahead(&ward.db, ward.now(), DAY),
            make_orders_ahead(&other, ward.now(), DAY)
        );
        assert_eq!(one.unwrap().orders + two.unwrap().orders, 24 + 1 + 2 + 1);
        assert_eq!(due(&ward, prescriptions[0]).await.len(), 24);
        assert_eq!(ward.open_orders(prescriptions[1]).await.len(), 1);
    }
    ward.end().await;
}

async fn no_dose_is_lost_or_doubled_while_the_days_go_by(place: Place) {
    let ward = Ward::open(place).await;
    // From the winter into the summer.
    ward.place.clock.set("2026-03-28T05:17:00Z");
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let start = ward.now();
    let mut prescriptions = Vec::new();
    for schedule in [
        "times 02:30 08:00 14:00",
        "every 400m",
        "times 06:00 every 2d",
        "once 22:00",
    ] {
        prescriptions.push((prescribe(&ward, schedule).await, schedule));
    }
    let mut random = fastrand::Rng::with_seed(3);
    let mut until = start;
    for _ in 0..60 {
        make(&ward).await;
        until = ward.now() + DAY;
        let minutes = random.i64(1..150);
        ward.place.clock.advance(SignedDuration::from_mins(minutes));
    }
    for (prescription, text) in prescriptions {
        let schedule: Schedule = text.parse().unwrap();
        let made = due(&ward, prescription).await;
        // A run makes up to a day ahead, and may leave the last hour of it to the next.
        let sure = until - SignedDuration::from_hours(1);
        let least = due_times(&schedule, start, None, start, sure, &zone);
        let most = due_times(&schedule, start, None, start, until, &zone);
        assert!(most.starts_with(&made), "{text}: {made:?}");
        assert!(made.starts_with(&least), "{text}: {made:?}");
    }
    ward.end().await;
}

async fn clock_times_follow_the_ward_over_clock_changes(place: Place) {
    let ward = Ward::open(place).await;
    let changes = [
        // 02:30 does not exist on this night: it is given as much later as the clock jumped.
        (
            "2026-03-28T22:00:00Z",
            "times 02:30",
            "2026-03-29T01:30:00Z",
        ),
        (
            "2026-03-28T22:00:00Z",
            "times 08:00",
            "2026-03-29T06:00:00Z",
        ),
        // 02:30 comes twice on this night: it is given the first time only.
        (
            "2026-10-24T22:00:00Z",
            "times 02:30",
            "2026-10-25T00:30:00Z",
        ),
        (
            "2026-10-24T23:00:00Z",
            "times 08:00",
            "2026-10-25T07:00:00Z",
        ),
    ];
    for (now, schedule, expected) in changes {
        ward.place.clock.set(now);
        let prescription = prescribe(&ward, schedule).await;
        make(&ward).await;
        let expected: Timestamp = expected.parse().unwrap();
        assert_eq!(
            due(&ward, prescription).await,
            [expected],
            "{schedule} {now}"
        );
    }
    ward.end().await;
}

async fn orders_stand_in_the_ward_where_the_patient_lies(place: Place) {
    let ward = Ward::open(place).await;
    let daily = prescribe(&ward, "times 12:00").await;
    let as_needed = prescribe(&ward, "prn").await;
    // The patient moves to Surgery, whose clocks are elsewhere.
    change!(
        ward.db,
        "UPDATE patients SET ward_id = $2 WHERE id = $1",
        patient(0),
        SURG
    );
    change!(
        ward.db,
        "UPDATE wards SET time_zone = 'Asia/Tokyo' WHERE id = $1",
        SURG
    );
    let made = make(&ward).await;
    assert_eq!(made.wards, [SURG].into());
    for prescription in [daily, as_needed] {
        let at = value!(
            ward.db,
            WardId,
            "SELECT ward_id FROM medication_orders WHERE prescription_id = $1",
            prescription
        );
        assert_eq!(at, SURG);
    }
    let noon: Timestamp = "2026-03-03T03:00:00Z".parse().unwrap();
    assert_eq!(due(&ward, daily).await, [noon]);
    ward.end().await;
}

async fn an_as_needed_prescription_opens_one_order_at_its_start_and_closes_it_at_its_end(
    place: Place,
) {
    let ward = Ward::open(place).await;
    let rx = Rx {
        ends_in: Some(SignedDuration::from_hours(2)),
        ..Rx::as_needed(PARACETAMOL, "prn")
    };
    let start = ward.now() + SignedDuration::from_hours(1);
    let prescription = ward.write_prescription(&rx, start).await;
    assert_eq!(make(&ward).await.orders, 0, "it has not begun");
    ward.place.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(make(&ward).await.orders, 1);
    assert_eq!(make(&ward).await.orders, 0);
    let order = ward.open_orders(prescription).await[0];
    ward.place.clock.advance(SignedDuration::from_hours(2));
    let made = make(&ward).await;
    assert_eq!((made.orders, made.closed), (0, 1));
    assert_eq!(made.wards, [MEDI].into());
    assert_eq!(ward.status(order).await, OrderStatus::Discontinued);
    let refusal = ward.refused(give(order)).await;
    assert_eq!(
        refusal.to_string(),
        "This dose is discontinued: the prescription has ended."
    );
    assert_eq!(make(&ward).await, Made::default());
    ward.end().await;
}

async fn a_timed_dose_outlives_its_prescription(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let rx = Rx {
        ends_in: Some(SignedDuration::from_hours(3)),
        ..Rx::as_needed(PARACETAMOL, "every 60m")
    };
    let prescription = ward.write_prescription(&rx, ward.now()).await;
    assert_eq!(make(&ward).await.orders, 3);
    ward.place.clock.advance(SignedDuration::from_hours(4));
    let made = make(&ward).await;
    assert_eq!((made.orders, made.closed), (0, 0));
    let open = ward.open_orders(prescription).await;
    assert_eq!(open.len(), 3);
    ward.done(give(open[2])).await;
    ward.end().await;
}

async fn one_that_cannot_be_read_does_not_keep_the_others_from_being_made(place: Place) {
    let ward = Ward::open(place).await;
    let spoilt = prescribe(&ward, "times 25:99").await;
    let daily = prescribe(&ward, "times 08:00 20:00").await;
    let made = make(&ward).await;
    assert_eq!((made.orders, made.skipped), (2, 1));
    assert_eq!(due(&ward, daily).await.len(), 2);
    assert!(made.unreadable[0].contains(&spoilt.to_string()), "{made:?}");
    assert_eq!(
        made.trouble().unwrap(),
        "doses of 1 prescription are not being made into orders"
    );
    // It stays behind the clock, where the operator's check finds it.
    ward.place.clock.advance(DAY);
    make(&ward).await;
    let mut conn = ward.db.reader().await.unwrap();
    let behind = valmed::store::orders_ahead::behind(conn.link(), ward.now().into()).await;
    assert_eq!(behind.unwrap(), 1);
    drop(conn);
    change!(
        ward.db,
        "UPDATE prescriptions SET schedule = 'times 09:00' WHERE id = $1",
        spoilt
    );
    let made = make(&ward).await;
    assert_eq!(made.trouble(), None);
    assert!(!due(&ward, spoilt).await.is_empty());
    ward.end().await;
}
