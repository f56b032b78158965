//! Every refusal by its code, with the names and numbers that a person needs, and nothing recorded.

use std::time::Duration;

use jiff::SignedDuration;
use sqlx::Connection;
use uuid::Uuid;
use valmed::desk::Settings;
use valmed::domain::quantity::LARGEST;
use valmed::domain::{
    DrugId, Giving, OpId, Operation, OrderId, OrderStatus, Outcome, Quantity, Refusal, Request,
    UserId, WardId,
};
use valmed::store::{At, Options};

use crate::support::place::{Kind, Place};
use crate::support::ward::*;
use crate::support::{soon, until};

on_both_engines!(
    an_order_that_does_not_exist_is_not_found,
    a_dose_that_was_given_is_told_with_by_whom_and_when,
    a_dose_that_was_stopped_is_told_with_by_whom_and_why,
    a_prescription_that_is_over_is_not_given_any_more,
    a_drug_that_the_ward_does_not_stock_is_named,
    too_little_stock_is_told_with_needed_and_available,
    a_quantity_that_cannot_be_booked_is_refused,
    an_account_that_is_disabled_or_unknown_may_do_nothing,
    a_reason_and_an_amount_must_make_sense,
    a_wrong_wristband_is_told_by_name,
    a_changed_order_is_told_with_what_changed_and_by_whom,
    the_same_operation_id_for_something_else_is_refused,
    a_full_queue_is_busy_and_loses_nothing,
    who_waits_too_long_is_told_that_the_desk_is_busy,
    every_refusal_says_that_nothing_was_recorded,
);
on_sqlite!(a_file_held_by_another_process_is_busy);
on_postgresql!(a_row_held_by_another_process_is_busy);

async fn an_order_that_does_not_exist_is_not_found(place: Place) {
    let ward = Ward::open(place).await;
    let order = OrderId(Uuid::now_v7());
    for operation in [give(order), discontinue(DOCTOR, order, "why not")] {
        assert_eq!(
            ward.refused(operation).await,
            Refusal::OrderNotFound { order }
        );
    }
    ward.end().await;
}

async fn a_dose_that_was_given_is_told_with_by_whom_and_when(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let at = ward.now();
    ward.done(give_as(SECOND_NURSE, order)).await;
    ward.place.clock.advance(SignedDuration::from_mins(3));
    let by = "Nils Nurse".to_owned();
    let expected = Refusal::OrderAlreadyCompleted {
        what: "given".to_owned(),
        by,
        at,
    };
    assert_eq!(ward.refused(give(order)).await, expected);
    let stop = discontinue(DOCTOR, order, "too late");
    assert_eq!(ward.refused(stop).await, expected);
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(4));
    ward.end().await;
}

async fn a_dose_that_was_stopped_is_told_with_by_whom_and_why(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(discontinue(DOCTOR, order, "nausea")).await;
    let expected = Refusal::InvalidStatusTransition {
        status: OrderStatus::Discontinued,
        by: Some("Dora Doctor".to_owned()),
        at: Some(ward.now()),
        reason: "nausea".to_owned(),
    };
    assert_eq!(ward.refused(give(order)).await, expected);
    let again = discontinue(DOCTOR, order, "again");
    assert_eq!(ward.refused(again).await, expected);
    ward.end().await;
}

async fn a_prescription_that_is_over_is_not_given_any_more(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    // Discontinued, with a dose of it still open.
    let (prescription, order) = ward.prescribe(&Rx::timed(PARACETAMOL)).await;
    change!(
        ward.db,
        "UPDATE prescriptions SET status = 'discontinued' WHERE id = $1",
        prescription
    );
    let refusal = ward.refused(give(order)).await;
    assert_eq!(refusal.code(), "INVALID_STATUS_TRANSITION");
    assert!(
        refusal
            .to_string()
            .contains("the prescription was discontinued")
    );
    // Ended: its as-needed order cannot be given, its timed one must still be accounted for.
    let hour = SignedDuration::from_hours(1);
    let as_needed = Rx {
        ends_in: Some(hour),
        ..Rx::as_needed(PARACETAMOL, "prn")
    };
    let timed = Rx {
        ends_in: Some(hour),
        ..Rx::timed(PARACETAMOL)
    };
    let (as_needed, timed) = (ward.order(&as_needed).await, ward.order(&timed).await);
    ward.place.clock.advance(hour);
    let expected = Refusal::InvalidStatusTransition {
        status: OrderStatus::Discontinued,
        by: None,
        at: Some(ward.now()),
        reason: "the prescription has ended".to_owned(),
    };
    assert_eq!(ward.refused(give(as_needed)).await, expected);
    ward.done(give(timed)).await;
    ward.end().await;
}

async fn a_drug_that_the_ward_does_not_stock_is_named(place: Place) {
    let ward = Ward::open(place).await;
    let order = ward.order(&Rx::timed(COLCHICINE)).await;
    let expected = Refusal::DrugNotFound {
        ward: "Medicine".to_owned(),
        drug: "Colchicine 0.5mg Tablet".to_owned(),
    };
    assert_eq!(ward.refused(give(order)).await, expected);
    let unknown = receive(PHARMACIST, MEDI, DrugId(99), units(1));
    let expected = Refusal::DrugNotFound {
        ward: "Medicine".to_owned(),
        drug: "drug 99".to_owned(),
    };
    assert_eq!(ward.refused(unknown).await, expected);
    let nowhere = receive(PHARMACIST, WardId(99), PARACETAMOL, units(1));
    assert_eq!(ward.refused(nowhere).await.code(), "INVALID_DATA");
    ward.end().await;
}

async fn too_little_stock_is_told_with_needed_and_available(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, MORPHINE, milli(750)).await;
    let order = ward.order(&Rx::timed(MORPHINE)).await;
    let refusal = ward.refused(give(order)).await;
    let expected = Refusal::InsufficientStock {
        ward: "Medicine".to_owned(),
        drug: "Morphine 10mg/mL".to_owned(),
        unit: "mL".to_owned(),
        needed: units(1),
        available: milli(750),
    };
    assert_eq!(refusal, expected);
    assert_eq!(
        refusal.message(),
        "Medicine holds 0.75 mL of Morphine 10mg/mL; this needs 1. Nothing was recorded. \
         Ask the pharmacy for stock, then sign again."
    );
    assert_eq!(ward.stock(MEDI, MORPHINE).await, milli(750));
    assert_eq!(ward.status(order).await, OrderStatus::Active);
    ward.end().await;
}

async fn a_quantity_that_cannot_be_booked_is_refused(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let too_much = Quantity(LARGEST.0 + 1);
    for quantity in [
        Quantity::ZERO,
        milli(-1),
        Quantity(i64::MIN),
        Quantity(i64::MAX),
        too_much,
        LARGEST,
    ] {
        let refusal = ward
            .refused(receive(PHARMACIST, MEDI, PARACETAMOL, quantity))
            .await;
        assert_eq!(refusal.code(), "INVALID_STOCK_QUANTITY", "{quantity:?}");
        assert!(
            matches!(refusal, Refusal::InvalidStockQuantity { quantity: q, .. } if q == quantity)
        );
    }
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    for amount in [milli(999), milli(0), milli(-1000), units(2)] {
        let refusal = ward.refused(give_amount(order, amount)).await;
        assert_eq!(refusal.code(), "INVALID_STOCK_QUANTITY", "{amount:?}");
        assert!(refusal.to_string().contains("the prescribed dose is 1 tab"));
    }
    let range = Rx {
        most: Some(units(2)),
        ..Rx::timed(PARACETAMOL)
    };
    let order = ward.order(&range).await;
    for amount in [milli(999), milli(2001), Quantity(i64::MAX)] {
        let refusal = ward.refused(give_amount(order, amount)).await;
        assert_eq!(refusal.code(), "INVALID_STOCK_QUANTITY", "{amount:?}");
        assert!(
            refusal
                .to_string()
                .contains("the prescribed range is 1 to 2 tab")
        );
    }
    ward.end().await;
}

async fn an_account_that_is_disabled_or_unknown_may_do_nothing(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let refusal = ward.refused(give_as(DISABLED_NURSE, order)).await;
    let expected = Refusal::InsufficientPermissions {
        who: "Olaf Old".to_owned(),
        action: "do this".to_owned(),
        why: "the account is disabled".to_owned(),
    };
    assert_eq!(refusal, expected);
    let refusal = ward.refused(give_as(UserId(999), order)).await;
    assert_eq!(refusal.code(), "INSUFFICIENT_PERMISSIONS");
    assert!(refusal.to_string().contains("there is no such account"));
    // An account that is disabled while its owner is signed in may do nothing from then on.
    change!(
        ward.db,
        "UPDATE users SET disabled = true WHERE id = $1",
        NURSE
    );
    assert_eq!(
        ward.refused(give(order)).await.code(),
        "INSUFFICIENT_PERMISSIONS"
    );
    assert_eq!(ward.given(order).await, 0);
    ward.end().await;
}

async fn a_reason_and_an_amount_must_make_sense(place: Place) {
    let ward = Ward::open(place).await;
    let range = Rx {
        most: Some(units(2)),
        ..Rx::timed(PARACETAMOL)
    };
    let order = ward.order(&range).await;
    let longest = valmed::domain::decide::LONGEST_REASON;
    let longest_reference = valmed::domain::decide::LONGEST_REFERENCE;
    let mut delivery = receive(PHARMACIST, MEDI, PARACETAMOL, units(1));
    if let Request::Receive { reference, .. } = &mut delivery.request {
        *reference = "n".repeat(longest_reference + 1);
    }
    let nonsense: [(Operation, &str); 5] = [
        (discontinue(DOCTOR, order, ""), "reason"),
        (discontinue(DOCTOR, order, " \t "), "reason"),
        (
            discontinue(DOCTOR, order, &"ü".repeat(longest + 1)),
            "reason",
        ),
        (give(order), "amount"),
        (delivery, "reference"),
    ];
    for (operation, part) in nonsense {
        let refusal = ward.refused(operation).await;
        assert_eq!(refusal.code(), "INVALID_DATA");
        assert!(matches!(&refusal, Refusal::InvalidData { field, .. } if field == part));
    }
    ward.done(discontinue(DOCTOR, order, &"ü".repeat(longest)))
        .await;
    ward.end().await;
}

async fn a_wrong_wristband_is_told_by_name(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let others = [
        ("M1002", Some("Bruno Baum")),
        ("M2001", Some("Clara Clausen")),
        ("M9999", None),
        ("", None),
        ("m1001", None),
        ("' OR 1=1 --", None),
    ];
    for (mrn, whose) in others {
        let mut operation = give(order);
        if let Request::Fulfil(Giving { identified, .. }) = &mut operation.request {
            *identified = mrn.to_owned();
        }
        let expected = Refusal::WrongPatient {
            identified: mrn.to_owned(),
            belongs_to: whose.map(str::to_owned),
        };
        assert_eq!(ward.refused(operation).await, expected);
    }
    assert_eq!(ward.status(order).await, OrderStatus::Active);
    ward.end().await;
}

async fn a_changed_order_is_told_with_what_changed_and_by_whom(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let at = ward.now();
    change!(
        ward.db,
        "UPDATE medication_orders SET version = 2, dosage = 2000, change = 'the dose is 2 tab', changed_by = $2, \
         changed_at = $3 WHERE id = $1",
        order,
        DOCTOR,
        At(at)
    );
    let expected = Refusal::Stale {
        change: "the dose is 2 tab".to_owned(),
        by: Some("Dora Doctor".to_owned()),
        at,
    };
    assert_eq!(ward.refused(give(order)).await, expected);
    let stop = discontinue(DOCTOR, order, "old screen");
    assert_eq!(ward.refused(stop).await, expected);
    let mut seen = give(order);
    if let Request::Fulfil(Giving { version, .. }) = &mut seen.request {
        *version = 2;
    }
    let receipt = ward.done(seen).await;
    assert_eq!(
        as_given(&receipt).1,
        units(2),
        "what was on the screen is given"
    );
    ward.end().await;
}

async fn the_same_operation_id_for_something_else_is_refused(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let first = ward.order(&Rx::timed(PARACETAMOL)).await;
    let second = ward.order(&Rx::timed(PARACETAMOL)).await;
    let operation = give(first);
    let op = operation.id;
    ward.done(operation.clone()).await;
    let mut other = give(second);
    other.id = op;
    let mut somebody_else = operation.clone();
    somebody_else.actor = SECOND_NURSE;
    let mut misused = 0;
    for reused in [other, somebody_else] {
        let refusal = ward.refused(reused).await;
        assert_eq!(refusal, Refusal::DuplicateOperation { op });
        assert_eq!(refusal.code(), "DUPLICATE_OPERATION");
        misused += 1;
        assert_eq!(
            ward.audit_rows(op).await,
            misused,
            "each misuse is on record"
        );
    }
    assert_eq!(ward.status(second).await, OrderStatus::Active);
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(4));
    ward.end().await;
}

/// Holds what every operation needs, until it is let go.
struct Hold {
    sqlite: Option<sqlx::SqliteConnection>,
    postgres: Option<sqlx::PgConnection>,
}

impl Hold {
    async fn take(place: &Place) -> Hold {
        match place.kind {
            Kind::Sqlite => {
                let mut conn = sqlx::SqliteConnection::connect(&place.url).await.unwrap();
                let busy = "PRAGMA busy_timeout = 60000";
                sqlx::query(busy).execute(&mut conn).await.unwrap();
                sqlx::query("BEGIN IMMEDIATE")
                    .execute(&mut conn)
                    .await
                    .unwrap();
                Hold {
                    sqlite: Some(conn),
                    postgres: None,
                }
            }
            Kind::Postgres => {
                let mut conn = place.bystander().await;
                let lock = "BEGIN; LOCK TABLE operations IN ACCESS EXCLUSIVE MODE";
                sqlx::raw_sql(lock).execute(&mut conn).await.unwrap();
                Hold {
                    sqlite: None,
                    postgres: Some(conn),
                }
            }
        }
    }

    async fn release(self) {
        if let Some(mut conn) = self.sqlite {
            sqlx::query("ROLLBACK").execute(&mut conn).await.unwrap();
            conn.close().await.unwrap();
        }
        if let Some(mut conn) = self.postgres {
            sqlx::query("ROLLBACK").execute(&mut conn).await.unwrap();
            conn.close().await.unwrap();
        }
    }
}

/// Patient with locks, so that a hold lasts as long as the story needs it.
fn patient_options() -> Options {
    Options {
        lock: Duration::from_secs(60),
        statement: Duration::from_secs(60),
        ..Options::default()
    }
}

async fn a_full_queue_is_busy_and_loses_nothing(place: Place) {
    let ward = Ward::open(place).await;
    let settings = Settings {
        lanes: Some(1),
        batch: 1,
        queue: 3,
        wait: Duration::from_secs(600),
        ..easy()
    };
    let db = ward.place.open_with(&patient_options()).await;
    let desk = ward.desk_over(db, settings);
    let hold = Hold::take(&ward.place).await;
    let tickets: Vec<_> = (0..50)
        .map(|_| {
            let operation = receive(PHARMACIST, MEDI, PARACETAMOL, units(1));
            (operation.id, desk.submit(operation, None))
        })
        .collect();
    hold.release().await;
    let mut taken = 0;
    for (op, ticket) in tickets {
        match soon(ticket.outcome()).await {
            Outcome::Done(_) => taken += 1,
            Outcome::Refused(Refusal::Busy) => assert!(!ward.remembers(op).await),
            other => panic!("{other:?}"),
        }
    }
    // Three wait, and the lane may have taken one more in hand.
    assert!((3..=4).contains(&taken), "{taken} were taken");
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(taken));
    ward.end().await;
}

async fn who_waits_too_long_is_told_that_the_desk_is_busy(place: Place) {
    let ward = Ward::open(place).await;
    let settings = Settings {
        lanes: Some(1),
        batch: 1,
        wait: Duration::from_millis(200),
        ..easy()
    };
    let db = ward.place.open_with(&patient_options()).await;
    let desk = ward.desk_over(db, settings);
    let hold = Hold::take(&ward.place).await;
    let operations: Vec<Operation> = (0..5)
        .map(|_| receive(PHARMACIST, MEDI, PARACETAMOL, units(1)))
        .collect();
    let tickets: Vec<_> = operations
        .iter()
        .map(|operation| desk.submit(operation.clone(), None))
        .collect();
    // All that is needed is that the wait is over.
    tokio::time::sleep(Duration::from_millis(400)).await;
    hold.release().await;
    let mut done = 0;
    for (operation, ticket) in operations.into_iter().zip(tickets) {
        match soon(ticket.outcome()).await {
            Outcome::Done(_) => done += 1,
            Outcome::Refused(Refusal::Busy) => {
                assert!(!ward.remembers(operation.id).await);
                // Busy says something about the moment: the same operation may be sent again.
                ward.done(operation).await;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(done <= 1, "only one was in hand: {done} were done");
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(5));
    ward.end().await;
}

async fn held_too_long(ward: Ward) {
    let options = Options {
        lock: Duration::from_millis(100),
        ..Options::default()
    };
    let desk = ward.desk_over(ward.place.open_with(&options).await, easy());
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let hold = Hold::take(&ward.place).await;
    let operation = give(order);
    let outcome = ask(&desk, operation.clone()).await;
    assert_eq!(refusal(outcome).code(), "BUSY");
    hold.release().await;
    assert!(!ward.remembers(operation.id).await);
    assert_eq!(ward.given(order).await, 0);
    assert!(matches!(ask(&desk, operation).await, Outcome::Done(_)));
    ward.end().await;
}

async fn a_file_held_by_another_process_is_busy(place: Place) {
    held_too_long(Ward::open(place).await).await;
}

async fn a_row_held_by_another_process_is_busy(place: Place) {
    held_too_long(Ward::open(place).await).await;
}

async fn every_refusal_says_that_nothing_was_recorded(place: Place) {
    let ward = Ward::open(place).await;
    let order = ward.order(&Rx::timed(COLCHICINE)).await;
    let refusals = [
        ward.refused(give(order)).await,
        ward.refused(give(OrderId(Uuid::nil()))).await,
        ward.refused(give_to(NURSE, order, 1)).await,
        ward.refused(give_as(DOCTOR, order)).await,
        ward.refused(discontinue(DOCTOR, order, "")).await,
        Refusal::Busy,
        Refusal::Unavailable,
        Refusal::DuplicateOperation {
            op: OpId(Uuid::nil()),
        },
    ];
    for refusal in refusals {
        let message = refusal.message();
        assert!(message.contains(". Nothing was recorded. "), "{message}");
        assert!(message.ends_with('.'), "{message}");
    }
    // One who waits for the audit finds as many rows as there were refusals by rule.
    let rows = until(|| async {
        let rows = value!(
            ward.db,
            i64,
            "SELECT count(*) FROM audit_events WHERE kind = 'refused'"
        );
        (rows == 5).then_some(rows)
    })
    .await;
    assert_eq!(rows, 5);
    ward.end().await;
}
