//! Prescribing at the desk: what it writes, what it warns of, and how a prescription ends.

use jiff::{SignedDuration, Timestamp};
use valmed::desk::horizon::make_orders_ahead;
use valmed::domain::prescribing::{Override, Prescribe, PrescribingWarning};
use valmed::domain::{
    DrugId, Operation, OrderStatus, PrescriptionId, Quantity, Reason, Receipt, Request, Role,
    Schedule,
};
use valmed::store::At;

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    a_prescription_is_written_and_its_near_doses_stand_in_the_queue_at_once,
    doses_beyond_the_horizon_are_made_as_those_of_an_imported_prescription,
    stat_is_one_dose_now_before_all_others,
    as_needed_opens_its_one_order_and_keeps_its_limits,
    once_at_a_time_is_due_then_and_never_again,
    what_is_written_twice_is_one_prescription,
    an_allergy_is_passed_over_with_a_reason_or_not_at_all,
    the_same_drug_twice_is_passed_over_with_a_reason_or_not_at_all,
    a_prescription_that_makes_no_sense_is_refused,
    what_a_doctor_saw_is_what_is_prescribed,
    a_prescription_ends_with_all_its_open_doses,
    a_prescription_that_has_ended_is_not_ended_again,
    an_as_needed_dose_that_is_stopped_ends_its_prescription,
);

fn by(actor: valmed::domain::UserId, ask: Prescribe) -> Operation {
    operation(actor, Request::Prescribe(Box::new(ask)))
}

/// What a prescription writes: its key, the doses in the queue, and the first of them.
#[track_caller]
fn prescribed(receipt: &Receipt) -> (PrescriptionId, u32, Option<Timestamp>) {
    match receipt {
        Receipt::Prescribed {
            prescription,
            orders,
            first,
            ..
        } => (*prescription, *orders, *first),
        other => panic!("not prescribed: {other:?}"),
    }
}

async fn due(ward: &Ward, prescription: PrescriptionId) -> Vec<Option<Timestamp>> {
    rows!(
        ward.db,
        (Option<At>,),
        "SELECT due_at FROM medication_orders WHERE prescription_id = $1 AND status = 'active' ORDER BY due_at",
        prescription
    )
    .into_iter()
    .map(|(at,)| at.map(|at| at.0))
    .collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn end(actor: valmed::domain::UserId, prescription: PrescriptionId, version: i64) -> Operation {
    let request = Request::DiscontinuePrescription {
        prescription,
        version,
        reason: because("finished"),
    };
    operation(actor, request)
}

async fn a_prescription_is_written_and_its_near_doses_stand_in_the_queue_at_once(place: Place) {
    let ward = Ward::open(place).await;
    let ask = Prescribe {
        dose: milli(500),
        most: Some(units(2)),
        ..prescribe(patient(0), 1, PARACETAMOL, "BID")
    };
    let receipt = ward.done(by(DOCTOR, ask)).await;
    let (id, orders, first) = prescribed(&receipt);
    // 09:00 in Berlin: today 20:00 and tomorrow 08:00 are within the day's horizon.
    let expected = [at("2026-03-02T19:00:00Z"), at("2026-03-03T07:00:00Z")];
    assert_eq!(due(&ward, id).await, expected.map(Some));
    assert_eq!((orders, first), (2, Some(expected[0])));
    type Written = (
        i64,
        Option<i64>,
        String,
        String,
        String,
        String,
        i64,
        String,
        i64,
    );
    let written = rows!(
        ward.db,
        Written,
        "SELECT dose, dose_max, route, frequency, schedule, status, prescriber_id, priority, ward_id \
         FROM prescriptions WHERE id = $1",
        id
    );
    let (dose, most, route, frequency, schedule, status, doctor, priority, at) = &written[0];
    assert_eq!((*dose, *most), (500, Some(2000)));
    assert_eq!((route.as_str(), frequency.as_str()), ("PO", "BID"));
    assert_eq!(schedule, "times 08:00 20:00");
    assert!(
        schedule.parse::<Schedule>().is_ok(),
        "as the horizon reads it"
    );
    assert_eq!((status.as_str(), priority.as_str()), ("active", "routine"));
    assert_eq!((*doctor, *at), (DOCTOR.0, MEDI.0));
    // A dose of it is given as any other.
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let order = ward.open_orders(id).await[0];
    let given = ward.done(give_amount(order, units(1))).await;
    assert_eq!(as_given(&given).1, units(1));
    ward.end().await;
}

async fn doses_beyond_the_horizon_are_made_as_those_of_an_imported_prescription(place: Place) {
    let ward = Ward::open(place).await;
    let ask = Prescribe {
        stop: Some(ward.now() + SignedDuration::from_hours(50)),
        ..prescribe(patient(0), 1, PARACETAMOL, "every 6 hours")
    };
    let ask = Prescribe {
        schedule: "every 360m".parse().unwrap(),
        ..ask
    };
    let (id, orders, _) = prescribed(&ward.done(by(DOCTOR, ask)).await);
    assert_eq!(orders, 4, "now, and every six hours of a day");
    let day = SignedDuration::from_hours(24);
    let made = make_orders_ahead(&ward.db, ward.now(), day).await.unwrap();
    assert_eq!(made.orders, 0, "nothing is made twice");
    ward.place.clock.advance(day);
    let made = make_orders_ahead(&ward.db, ward.now(), day).await.unwrap();
    assert_eq!(made.orders, 4);
    ward.place.clock.advance(day);
    let made = make_orders_ahead(&ward.db, ward.now(), day).await.unwrap();
    assert_eq!(made.orders, 1, "then it ends");
    assert_eq!(due(&ward, id).await.len(), 9);
    ward.end().await;
}

async fn stat_is_one_dose_now_before_all_others(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, MORPHINE, units(5)).await;
    let ask = prescribe(patient(0), 1, MORPHINE, "STAT");
    let (id, orders, first) = prescribed(&ward.done(by(DOCTOR, ask)).await);
    assert_eq!((orders, first), (1, Some(ward.now())));
    let priority = value!(
        ward.db,
        String,
        "SELECT priority FROM medication_orders WHERE prescription_id = $1",
        id
    );
    assert_eq!(priority, "stat");
    let order = ward.open_orders(id).await[0];
    ward.done(give(order)).await;
    ward.place.clock.advance(SignedDuration::from_hours(30));
    let day = SignedDuration::from_hours(24);
    let made = make_orders_ahead(&ward.db, ward.now(), day).await.unwrap();
    assert_eq!(made.orders, 0);
    assert!(ward.open_orders(id).await.is_empty(), "it was one dose");
    ward.end().await;
}

async fn as_needed_opens_its_one_order_and_keeps_its_limits(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(9)).await;
    let ask = prescribe(patient(0), 1, PARACETAMOL, "PRN Q6H MAX 2");
    let (id, orders, first) = prescribed(&ward.done(by(DOCTOR, ask)).await);
    assert_eq!((orders, first), (1, None));
    ward.done(give(ward.open_orders(id).await[0])).await;
    let [next] = ward.open_orders(id).await[..] else {
        panic!("one order is open, always")
    };
    let refusal = ward.refused(give(next)).await;
    assert_eq!(refusal.code(), "TOO_SOON");
    assert!(
        refusal.to_string().contains("at least 6 h apart"),
        "{refusal}"
    );
    ward.place.clock.advance(SignedDuration::from_hours(6));
    ward.done(give(next)).await;
    ward.place.clock.advance(SignedDuration::from_hours(6));
    let refusal = ward.refused(give(ward.open_orders(id).await[0])).await;
    assert!(
        refusal.to_string().contains("at most 2 doses in 24 h"),
        "{refusal}"
    );
    ward.end().await;
}

async fn once_at_a_time_is_due_then_and_never_again(place: Place) {
    let ward = Ward::open(place).await;
    let ask = prescribe(patient(0), 1, INSULIN, "ONCE 17:00");
    let (id, orders, first) = prescribed(&ward.done(by(DOCTOR, ask)).await);
    assert_eq!((orders, first), (1, Some(at("2026-03-02T16:00:00Z"))));
    ward.place.clock.advance(SignedDuration::from_hours(20));
    let day = SignedDuration::from_hours(24);
    let made = make_orders_ahead(&ward.db, ward.now(), day).await.unwrap();
    assert_eq!(made.orders, 0);
    assert_eq!(
        due(&ward, id).await.len(),
        1,
        "it waits until somebody accounts for it"
    );
    ward.end().await;
}

async fn what_is_written_twice_is_one_prescription(place: Place) {
    let ward = Ward::open(place).await;
    let operation = by(DOCTOR, prescribe(patient(0), 1, PARACETAMOL, "BID"));
    let first = ward.done(operation.clone()).await;
    ward.place.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(ward.done(operation).await, first);
    let count = value!(ward.db, i64, "SELECT count(*) FROM prescriptions");
    assert_eq!(count, 1);
    ward.end().await;
}

async fn an_allergy_is_passed_over_with_a_reason_or_not_at_all(place: Place) {
    let ward = Ward::open(place).await;
    change!(
        ward.db,
        "UPDATE patients SET allergies = 'Latex; Paracetamol (rash)' WHERE id = $1",
        patient(0)
    );
    let ask = prescribe(patient(0), 1, PARACETAMOL, "BID");
    let refusal = ward.refused(by(DOCTOR, ask.clone())).await;
    assert_eq!(refusal.code(), "PRESCRIPTION_WARNING");
    assert_eq!(
        refusal.to_string(),
        "Anna Adler: allergy recorded: Paracetamol (rash)."
    );
    let with = |code: &str| Prescribe {
        overrides: vec![Override {
            kind: PrescribingWarning::Allergy,
            reason: because(code),
        }],
        ..ask.clone()
    };
    for code in ["", "because", "other"] {
        let refusal = ward.refused(by(DOCTOR, with(code))).await;
        assert_eq!(refusal.code(), "INVALID_DATA", "{code}");
    }
    assert_eq!(
        value!(ward.db, i64, "SELECT count(*) FROM prescriptions"),
        0
    );
    let (id, ..) = prescribed(&ward.done(by(DOCTOR, with("patient_need"))).await);
    let noted = rows!(
        ward.db,
        (String, String, String),
        "SELECT kind, about, reason_code FROM prescription_overrides WHERE prescription_id = $1",
        id
    );
    let expected = ("allergy", "Paracetamol (rash)", "patient_need");
    let (kind, about, code) = &noted[0];
    assert_eq!((kind.as_str(), about.as_str(), code.as_str()), expected);
    assert_eq!(noted.len(), 1);
    ward.end().await;
}

async fn the_same_drug_twice_is_passed_over_with_a_reason_or_not_at_all(place: Place) {
    let ward = Ward::open(place).await;
    // The same drug in another strength.
    let strong = DrugId(77);
    change!(
        ward.db,
        "INSERT INTO drugs (id, code, name, name_key, form, strength, unit, controlled, high_alert) \
         VALUES ($1, 'P1000', 'Paracetamol', 'paracetamol', 'form', '1g Tablet', 'tab', false, false)",
        strong
    );
    let first = prescribe(patient(0), 1, PARACETAMOL, "BID");
    let (running, ..) = prescribed(&ward.done(by(DOCTOR, first)).await);
    let ask = prescribe(patient(0), 1, strong, "PRN MAX 4");
    let refusal = ward.refused(by(DOCTOR, ask.clone())).await;
    assert_eq!(
        refusal.to_string(),
        "Anna Adler: prescribed already: Paracetamol 500mg Tablet."
    );
    // Another patient has nothing of it, and another drug is another drug.
    ward.done(by(DOCTOR, prescribe(patient(1), 1, strong, "BID")))
        .await;
    ward.done(by(DOCTOR, prescribe(patient(0), 1, INSULIN, "BID")))
        .await;
    let over = Prescribe {
        overrides: vec![Override {
            kind: PrescribingWarning::Duplicate,
            reason: Reason {
                code: "other".to_owned(),
                text: "fever at night".to_owned(),
            },
        }],
        ..ask.clone()
    };
    ward.done(by(DOCTOR, over)).await;
    // What has ended is no duplicate.
    ward.done(end(DOCTOR, running, 1)).await;
    let refusal = ward.refused(by(DOCTOR, ask)).await;
    assert!(refusal.to_string().contains("1g Tablet"), "{refusal}");
    ward.end().await;
}

async fn a_prescription_that_makes_no_sense_is_refused(place: Place) {
    let ward = Ward::open(place).await;
    let good = || prescribe(patient(0), 1, PARACETAMOL, "BID");
    let now = ward.now();
    let hours = |hours| Some(now + SignedDuration::from_hours(hours));
    let schedule = |text: &str| text.parse().unwrap();
    let asks = [
        (
            "PATIENT_NOT_FOUND",
            Prescribe {
                patient: valmed::domain::PatientId(uuid::Uuid::nil()),
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                drug: DrugId(999),
                ..good()
            },
        ),
        (
            "INVALID_STOCK_QUANTITY",
            Prescribe {
                dose: Quantity::ZERO,
                ..good()
            },
        ),
        (
            "INVALID_STOCK_QUANTITY",
            Prescribe {
                dose: milli(-1),
                ..good()
            },
        ),
        (
            "INVALID_STOCK_QUANTITY",
            Prescribe {
                most: Some(milli(1)),
                ..good()
            },
        ),
        (
            "INVALID_STOCK_QUANTITY",
            Prescribe {
                most: Some(Quantity(i64::MAX)),
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                route: " ".into(),
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                route: "P\u{1b}O".into(),
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                frequency: "x".repeat(61),
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                schedule: Schedule::Unscheduled,
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                schedule: Schedule::AS_NEEDED,
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                schedule: schedule("every 15m"),
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                schedule: schedule("every 90000m"),
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                start: hours(-2),
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                start: hours(10_000),
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                stop: hours(0),
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                stop: hours(20_000),
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                start: hours(24),
                stop: hours(1),
                ..good()
            },
        ),
        // From 09:00 to 10:00 no dose is due.
        (
            "INVALID_DATA",
            Prescribe {
                stop: hours(1),
                ..good()
            },
        ),
        (
            "INVALID_DATA",
            Prescribe {
                schedule: schedule("once 17:00"),
                stop: hours(1),
                ..good()
            },
        ),
    ];
    for (code, ask) in asks {
        let told = format!("{ask:?}");
        let refusal = ward.refused(by(DOCTOR, ask)).await;
        assert_eq!(refusal.code(), code, "{told}: {refusal}");
    }
    assert_eq!(
        value!(ward.db, i64, "SELECT count(*) FROM prescriptions"),
        0
    );
    assert_eq!(
        value!(ward.db, i64, "SELECT count(*) FROM medication_orders"),
        0
    );
    ward.end().await;
}

async fn what_a_doctor_saw_is_what_is_prescribed(place: Place) {
    let ward = Ward::open(place).await;
    let ask = prescribe(patient(0), 1, PARACETAMOL, "BID");
    let request = Request::Allergies {
        patient: patient(0),
        version: 1,
        allergies: "Paracetamol".to_owned(),
    };
    ward.done(operation(NURSE, request)).await;
    let refusal = ward.refused(by(DOCTOR, ask)).await;
    assert_eq!(refusal.code(), "STALE");
    assert_eq!(
        refusal.to_string(),
        "The record of Anna Adler was changed by Nora Nurse: the patient's allergies changed."
    );
    ward.end().await;
}

async fn a_prescription_ends_with_all_its_open_doses(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, INSULIN, units(9)).await;
    let ask = prescribe(patient(0), 1, INSULIN, "every 6 hours");
    let ask = Prescribe {
        schedule: "every 360m".parse().unwrap(),
        ..ask
    };
    let (id, ..) = prescribed(&ward.done(by(DOCTOR, ask)).await);
    let orders = ward.open_orders(id).await;
    ward.done(give(orders[0])).await;
    ward.place.clock.advance(SignedDuration::from_hours(7));
    // One dose is late by now: it ends too, and what was given stays given.
    let receipt = ward.done(end(DOCTOR, id, 1)).await;
    assert_eq!(
        receipt,
        Receipt::PrescriptionDiscontinued {
            prescription: id,
            orders: 3,
            at: ward.now()
        }
    );
    assert!(ward.open_orders(id).await.is_empty());
    assert_eq!(ward.status(orders[0]).await, OrderStatus::Completed);
    let told = value!(
        ward.db,
        String,
        "SELECT change FROM medication_orders WHERE id = $1",
        orders[1]
    );
    assert_eq!(
        told,
        "the prescription was discontinued: treatment is finished"
    );
    let refusal = ward.refused(give(orders[1])).await;
    assert_eq!(refusal.code(), "INVALID_STATUS_TRANSITION");
    assert!(
        refusal.to_string().contains("treatment is finished"),
        "{refusal}"
    );
    let (status, by, code) = rows!(
        ward.db,
        (String, Option<i64>, String),
        "SELECT status, ended_by, end_code FROM prescriptions WHERE id = $1",
        id
    )
    .remove(0);
    assert_eq!((status.as_str(), by), ("discontinued", Some(DOCTOR.0)));
    assert_eq!(code, "finished");
    let day = SignedDuration::from_hours(24);
    let made = make_orders_ahead(&ward.db, ward.now(), day).await.unwrap();
    assert_eq!(made.orders, 0, "nothing is made of it any more");
    ward.end().await;
}

async fn a_prescription_that_has_ended_is_not_ended_again(place: Place) {
    let ward = Ward::open(place).await;
    let ask = prescribe(patient(0), 1, INSULIN, "BID");
    let (id, ..) = prescribed(&ward.done(by(DOCTOR, ask)).await);
    let nowhere = PrescriptionId(uuid::Uuid::nil());
    let refusal = ward.refused(end(DOCTOR, nowhere, 1)).await;
    assert_eq!(refusal.code(), "PRESCRIPTION_NOT_FOUND");
    assert_eq!(ward.refused(end(DOCTOR, id, 7)).await.code(), "STALE");
    let unknown = Request::DiscontinuePrescription {
        prescription: id,
        version: 1,
        reason: because("boredom"),
    };
    let refusal = ward.refused(operation(DOCTOR, unknown)).await;
    assert!(
        refusal
            .to_string()
            .contains("is not one of changed, finished"),
        "{refusal}"
    );
    let stranger = person(Role::Doctor, SURG);
    assert_eq!(
        ward.refused(end(stranger, id, 1)).await.code(),
        "INSUFFICIENT_PERMISSIONS"
    );
    ward.done(end(DOCTOR, id, 1)).await;
    let refusal = ward.refused(end(DOCTOR, id, 2)).await;
    assert_eq!(
        refusal.to_string(),
        "The prescription of Insulin has ended, by Dora Doctor: treatment is finished."
    );
    ward.end().await;
}

async fn an_as_needed_dose_that_is_stopped_ends_its_prescription(place: Place) {
    let ward = Ward::open(place).await;
    let ask = prescribe(patient(0), 1, PARACETAMOL, "PRN MAX 4");
    let (id, ..) = prescribed(&ward.done(by(DOCTOR, ask)).await);
    let order = ward.open_orders(id).await[0];
    ward.done(discontinue(DOCTOR, order, "no pain any more"))
        .await;
    let (by, text) = rows!(
        ward.db,
        (Option<i64>, String),
        "SELECT ended_by, end_text FROM prescriptions WHERE id = $1 AND status = 'discontinued'",
        id
    )
    .remove(0);
    assert_eq!((by, text.as_str()), (Some(DOCTOR.0), "no pain any more"));
    ward.end().await;
}
