//! Patients who come, move and leave: their doses follow them or end, in the same transaction.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::date;
use valmed::domain::prescribing::Admit;
use valmed::domain::{
    Giving, Operation, OrderId, OrderStatus, PatientId, Reason, Receipt, Request, UserId, WardId,
};
use valmed::store::record;

use crate::support::place::Place;
use crate::support::until;
use crate::support::ward::*;

on_both_engines!(
    a_patient_is_admitted_and_gets_doses,
    a_number_is_one_patient,
    who_comes_back_is_the_same_patient,
    an_admission_that_makes_no_sense_is_refused,
    open_doses_follow_a_patient_who_moves,
    a_dose_that_was_on_the_screen_before_the_move_is_not_signed,
    a_move_that_makes_no_sense_is_refused,
    doses_and_prescriptions_end_with_a_stay,
    nothing_is_done_to_somebody_who_left,
    allergies_are_on_every_open_dose,
    screens_of_both_wards_follow_a_move,
    one_batch_may_hold_all_of_it,
);

fn frieda(ward: WardId) -> Admit {
    Admit {
        mrn: "N77".to_owned(),
        name: " Frieda  Frei".to_owned(),
        birth_date: date(1960, 2, 29),
        ward,
        bed: "12".to_owned(),
        allergies: "Latex".to_owned(),
    }
}

fn admit(actor: UserId, ask: Admit) -> Operation {
    operation(actor, Request::Admit(Box::new(ask)))
}

fn move_to(actor: UserId, patient: PatientId, version: i64, ward: WardId, bed: &str) -> Operation {
    let request = Request::Move {
        patient,
        version,
        ward,
        bed: bed.to_owned(),
    };
    operation(actor, request)
}

fn discharge(actor: UserId, patient: PatientId, version: i64) -> Operation {
    let request = Request::Discharge {
        patient,
        version,
        reason: because("home"),
    };
    operation(actor, request)
}

fn allergies(actor: UserId, patient: PatientId, version: i64, text: &str) -> Operation {
    let request = Request::Allergies {
        patient,
        version,
        allergies: text.to_owned(),
    };
    operation(actor, request)
}

#[track_caller]
fn admitted(receipt: &Receipt) -> (PatientId, bool) {
    match receipt {
        Receipt::Admitted { patient, again, .. } => (*patient, *again),
        other => panic!("not admitted: {other:?}"),
    }
}

async fn stands(ward: &Ward, order: OrderId) -> (i64, i64, String, String) {
    rows!(
        ward.db,
        (i64, i64, String, String),
        "SELECT ward_id, version, status, change FROM medication_orders WHERE id = $1",
        order
    )
    .remove(0)
}

async fn stays(ward: &Ward, patient: PatientId) -> Vec<(String, Option<i64>, i64, String)> {
    rows!(
        ward.db,
        (String, Option<i64>, i64, String),
        "SELECT kind, from_ward_id, ward_id, detail FROM patient_changes WHERE patient_id = $1 ORDER BY at, id",
        patient
    )
}

async fn a_patient_is_admitted_and_gets_doses(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(3)).await;
    let (frieda, again) = admitted(&ward.done(admit(NURSE, frieda(MEDI))).await);
    assert!(!again);
    let mut conn = ward.db.reader().await.unwrap();
    let found = record::person(conn.link(), "N77").await.unwrap().unwrap();
    drop(conn);
    assert_eq!((found.patient.id, found.version), (frieda, 1));
    assert_eq!(found.patient.name, "Frieda Frei");
    assert_eq!((found.ward.id, found.patient.bed.as_str()), (MEDI, "12"));
    assert_eq!(found.patient.allergies, "Latex");
    assert_eq!(
        stays(&ward, frieda).await,
        [(
            "admitted".to_owned(),
            None,
            MEDI.0,
            "Medicine, bed 12".to_owned()
        )]
    );
    let ask = prescribe(frieda, 1, PARACETAMOL, "STAT");
    let receipt = ward
        .done(operation(DOCTOR, Request::Prescribe(Box::new(ask))))
        .await;
    let Receipt::Prescribed { prescription, .. } = receipt else {
        panic!("{receipt:?}");
    };
    let order = ward.open_orders(prescription).await[0];
    let request = Request::Fulfil(Giving::of(order, 1, "N77"));
    ward.done(operation(NURSE, request)).await;
    ward.end().await;
}

async fn a_number_is_one_patient(place: Place) {
    let ward = Ward::open(place).await;
    let taken = Admit {
        mrn: "M2001".to_owned(),
        ..frieda(MEDI)
    };
    let refusal = ward.refused(admit(NURSE, taken)).await;
    assert_eq!(refusal.code(), "PATIENT_NUMBER_TAKEN");
    assert_eq!(
        refusal.to_string(),
        "Number M2001 belongs to Clara Clausen, who is here."
    );
    ward.done(admit(NURSE, frieda(MEDI))).await;
    let refusal = ward.refused(admit(SECOND_NURSE, frieda(MEDI))).await;
    assert_eq!(refusal.code(), "PATIENT_NUMBER_TAKEN");
    ward.end().await;
}

async fn who_comes_back_is_the_same_patient(place: Place) {
    let ward = Ward::open(place).await;
    let (first, _) = admitted(&ward.done(admit(NURSE, frieda(MEDI))).await);
    ward.done(discharge(DOCTOR, first, 1)).await;
    ward.place.clock.advance(SignedDuration::from_hours(48));
    let other = Admit {
        birth_date: date(1961, 2, 28),
        ..frieda(MEDI)
    };
    let refusal = ward.refused(admit(NURSE, other)).await;
    assert!(refusal.to_string().contains("born 1960-02-29"), "{refusal}");
    let other = Admit {
        name: "Frieda Freund".to_owned(),
        ..frieda(MEDI)
    };
    assert_eq!(
        ward.refused(admit(NURSE, other)).await.code(),
        "INVALID_DATA"
    );
    let back = Admit {
        allergies: "Latex, Penicillin".to_owned(),
        ..frieda(MEDI)
    };
    let (second, again) = admitted(&ward.done(admit(NURSE, back)).await);
    assert_eq!((second, again), (first, true));
    assert_eq!(ward.chart_version(first).await, 3);
    let kinds: Vec<String> = stays(&ward, first).await.into_iter().map(|s| s.0).collect();
    assert_eq!(kinds, ["admitted", "discharged", "admitted"]);
    ward.end().await;
}

async fn an_admission_that_makes_no_sense_is_refused(place: Place) {
    let ward = Ward::open(place).await;
    let good = || frieda(MEDI);
    for ask in [
        Admit {
            mrn: "  ".into(),
            ..good()
        },
        Admit {
            mrn: "N\u{1b}7".into(),
            ..good()
        },
        Admit {
            mrn: "9".repeat(41),
            ..good()
        },
        Admit {
            name: String::new(),
            ..good()
        },
        Admit {
            name: "x".repeat(121),
            ..good()
        },
        Admit {
            bed: "x".repeat(21),
            ..good()
        },
        Admit {
            allergies: "x".repeat(501),
            ..good()
        },
        Admit {
            birth_date: date(2026, 3, 3),
            ..good()
        },
        Admit {
            birth_date: date(1889, 12, 31),
            ..good()
        },
        Admit {
            ward: WardId(99),
            ..good()
        },
        Admit {
            ward: PHAR,
            ..good()
        },
    ] {
        let told = format!("{ask:?}");
        let refusal = ward.refused(admit(POOL_NURSE, ask)).await;
        assert_eq!(refusal.code(), "INVALID_DATA", "{told}: {refusal}");
    }
    assert_eq!(value!(ward.db, i64, "SELECT count(*) FROM patients"), 4);
    // Somebody who is born today is no mistake.
    ward.done(admit(
        NURSE,
        Admit {
            birth_date: date(2026, 3, 2),
            ..good()
        },
    ))
    .await;
    ward.end().await;
}

async fn open_doses_follow_a_patient_who_moves(place: Place) {
    let ward = Ward::open(place).await;
    for at in [MEDI, SURG] {
        ward.receive(at, PARACETAMOL, units(5)).await;
    }
    let (given, rest) = (
        ward.order(&Rx::timed(PARACETAMOL)).await,
        [
            ward.order(&Rx::timed(PARACETAMOL)).await,
            ward.order(&Rx::as_needed(MORPHINE, "prn max/24h 4")).await,
        ],
    );
    ward.done(give(given)).await;
    let receipt = ward.done(move_to(NURSE, patient(0), 1, SURG, "3")).await;
    assert_eq!(
        receipt,
        Receipt::Moved {
            patient: patient(0),
            ward: SURG,
            orders: 2,
            at: ward.now()
        }
    );
    for order in rest {
        let (at, version, status, change) = stands(&ward, order).await;
        assert_eq!((at, version, status.as_str()), (SURG.0, 2, "active"));
        assert_eq!(change, "the patient moved to Surgery");
    }
    let (at, ..) = stands(&ward, given).await;
    assert_eq!(
        at, MEDI.0,
        "what was given stays on the record where it was given"
    );
    let wards = rows!(
        ward.db,
        (i64, i64),
        "SELECT ward_id, version FROM prescriptions WHERE patient_id = $1 ORDER BY id",
        patient(0)
    );
    assert_eq!(wards, [(SURG.0, 2), (SURG.0, 2), (SURG.0, 2)]);
    assert_eq!(
        stays(&ward, patient(0)).await,
        [(
            "moved".to_owned(),
            Some(MEDI.0),
            SURG.0,
            "Surgery, bed 3".to_owned()
        )]
    );
    // The new ward gives it from its own cupboard.
    let there = person(valmed::domain::Role::Nurse, SURG);
    let mut dose = give_to(there, rest[0], 0);
    version_of(&mut dose, 2);
    ward.done(dose).await;
    assert_eq!(ward.stock(SURG, PARACETAMOL).await, units(4));
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(4));
    ward.end().await;
}

async fn a_dose_that_was_on_the_screen_before_the_move_is_not_signed(place: Place) {
    let ward = Ward::open(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(move_to(NURSE, patient(0), 1, SURG, "")).await;
    let refusal = ward.refused(give_as(POOL_NURSE, order)).await;
    assert_eq!(
        refusal.to_string(),
        "The order was changed by Nora Nurse: the patient moved to Surgery."
    );
    assert_eq!(
        ward.refused(give(order)).await.code(),
        "INSUFFICIENT_PERMISSIONS",
        "it is another ward's patient now"
    );
    ward.end().await;
}

async fn a_move_that_makes_no_sense_is_refused(place: Place) {
    let ward = Ward::open(place).await;
    let nobody = PatientId(uuid::Uuid::nil());
    for (code, operation) in [
        ("PATIENT_NOT_FOUND", move_to(NURSE, nobody, 1, SURG, "")),
        ("STALE", move_to(NURSE, patient(0), 2, SURG, "")),
        (
            "INVALID_DATA",
            move_to(NURSE, patient(0), 1, WardId(99), ""),
        ),
        ("INVALID_DATA", move_to(NURSE, patient(0), 1, PHAR, "")),
        ("INVALID_DATA", move_to(NURSE, patient(0), 1, MEDI, "1")),
        (
            "INVALID_DATA",
            move_to(NURSE, patient(0), 1, SURG, "b\u{7}"),
        ),
        (
            "INSUFFICIENT_PERMISSIONS",
            move_to(NURSE, patient(2), 1, MEDI, ""),
        ),
    ] {
        let told = format!("{operation:?}");
        assert_eq!(ward.refused(operation).await.code(), code, "{told}");
    }
    // Another bed of the same ward changes nothing that a nurse signs.
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(move_to(NURSE, patient(0), 1, MEDI, "9")).await;
    assert_eq!(stands(&ward, order).await.1, 1);
    assert_eq!(ward.chart_version(patient(0)).await, 2);
    ward.end().await;
}

async fn doses_and_prescriptions_end_with_a_stay(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let given = ward.order(&Rx::timed(PARACETAMOL)).await;
    let late = ward.order(&Rx::timed(PARACETAMOL)).await;
    let open = ward.order(&Rx::as_needed(MORPHINE, "prn max/24h 4")).await;
    let others = ward
        .order(&Rx {
            patient: 1,
            ..Rx::timed(PARACETAMOL)
        })
        .await;
    ward.done(give(given)).await;
    let unknown = Request::Discharge {
        patient: patient(0),
        version: 1,
        reason: Reason::default(),
    };
    assert_eq!(
        ward.refused(operation(DOCTOR, unknown)).await.code(),
        "INVALID_DATA"
    );
    let receipt = ward.done(discharge(DOCTOR, patient(0), 1)).await;
    assert_eq!(
        receipt,
        Receipt::Discharged {
            patient: patient(0),
            orders: 2,
            prescriptions: 3,
            at: ward.now()
        }
    );
    for order in [late, open] {
        let (_, _, status, change) = stands(&ward, order).await;
        assert_eq!(status, "discontinued");
        assert_eq!(change, "the patient was discharged: went home");
    }
    assert_eq!(ward.status(given).await, OrderStatus::Completed);
    assert_eq!(ward.status(others).await, OrderStatus::Active);
    let ended = rows!(
        ward.db,
        (String, String),
        "SELECT status, end_code FROM prescriptions WHERE patient_id = $1",
        patient(0)
    );
    assert_eq!(ended.len(), 3);
    assert!(
        ended
            .iter()
            .all(|(status, code)| status == "discontinued" && code == "discharged")
    );
    // Their past stays readable.
    let mut conn = ward.db.reader().await.unwrap();
    let day = record::day(&mut conn, "M1001", None, ward.now())
        .await
        .unwrap()
        .unwrap();
    assert!(day.discharged_at.is_some());
    assert_eq!(day.lines.len(), 3);
    drop(conn);
    ward.end().await;
}

async fn nothing_is_done_to_somebody_who_left(place: Place) {
    let ward = Ward::open(place).await;
    ward.done(discharge(DOCTOR, patient(0), 1)).await;
    let ask = prescribe(patient(0), 2, PARACETAMOL, "BID");
    for operation in [
        operation(DOCTOR, Request::Prescribe(Box::new(ask))),
        move_to(NURSE, patient(0), 2, SURG, ""),
        discharge(DOCTOR, patient(0), 2),
        allergies(NURSE, patient(0), 2, "Latex"),
    ] {
        let refusal = ward.refused(operation).await;
        assert_eq!(refusal.code(), "PATIENT_DISCHARGED");
        assert_eq!(
            refusal.to_string(),
            "Anna Adler was discharged at 2026-03-02 08:00 UTC."
        );
    }
    ward.end().await;
}

async fn allergies_are_on_every_open_dose(place: Place) {
    let ward = Ward::open(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(allergies(NURSE, patient(0), 1, "Latex")).await;
    let (_, version, _, change) = stands(&ward, order).await;
    assert_eq!(
        (version, change.as_str()),
        (2, "the patient's allergies changed")
    );
    assert_eq!(ward.refused(give(order)).await.code(), "STALE");
    for (code, operation) in [
        ("STALE", allergies(NURSE, patient(0), 1, "Latex, Nuts")),
        ("INVALID_DATA", allergies(NURSE, patient(0), 2, " Latex ")),
        (
            "INVALID_DATA",
            allergies(NURSE, patient(0), 2, &"x".repeat(501)),
        ),
    ] {
        assert_eq!(ward.refused(operation).await.code(), code);
    }
    ward.done(allergies(PHARMACIST, patient(0), 2, "")).await;
    let details: Vec<String> = stays(&ward, patient(0))
        .await
        .into_iter()
        .map(|s| s.3)
        .collect();
    assert_eq!(
        details,
        ["recorded: Latex", "none recorded any more; before: Latex"]
    );
    ward.end().await;
}

async fn screens_of_both_wards_follow_a_move(place: Place) {
    let ward = Ward::open(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let clock = ward.place.clock.reader();
    let settings = valmed::feed::Settings {
        // Only what is told may bring it: no reading by the clock.
        full_check: std::time::Duration::from_secs(3600),
        ..valmed::feed::Settings::default()
    };
    let feed = valmed::feed::Feed::open(ward.place.open().await, settings, Arc::clone(&clock));
    let desk = valmed::desk::Desk::open(
        ward.place.open().await,
        valmed::desk::Settings::default(),
        clock,
        feed.on_commit(),
    );
    let views = [feed.watch(MEDI), feed.watch(SURG)];
    let shows = |n: usize| views[n].borrow().snapshot.clone();
    let here = |n: usize| shows(n).is_some_and(|s| s.orders.iter().any(|o| o.id == order));
    until(|| async { (here(0) && shows(1).is_some()).then_some(()) }).await;
    let outcome = ask(&desk, move_to(NURSE, patient(0), 1, SURG, "3")).await;
    assert!(
        matches!(outcome, valmed::domain::Outcome::Done(_)),
        "{outcome:?}"
    );
    until(|| async { (!here(0) && here(1)).then_some(()) }).await;
    desk.close(crate::support::PATIENCE).await;
    ward.end().await;
}

async fn one_batch_may_hold_all_of_it(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, MORPHINE, units(5)).await;
    let open = ward.order(&Rx::as_needed(MORPHINE, "prn max/24h 4")).await;
    let ask = prescribe(patient(0), 1, PARACETAMOL, "BID");
    // Submitted together: the dose opens another order, and the discharge ends that one too.
    let tickets = [
        give(open),
        operation(DOCTOR, Request::Prescribe(Box::new(ask))),
        discharge(DOCTOR, patient(0), 1),
        give(open),
    ]
    .map(|operation| ward.desk.submit(operation, None));
    for ticket in tickets {
        let outcome = crate::support::soon(ticket.outcome()).await;
        let busy = matches!(&outcome, valmed::domain::Outcome::Refused(r) if r.is_passing());
        assert!(!busy, "{outcome:?}");
    }
    let left = value!(
        ward.db,
        i64,
        "SELECT count(*) FROM medication_orders WHERE patient_id = $1 AND status = 'active'",
        patient(0)
    );
    assert_eq!(left, 0);
    ward.end().await;
}
