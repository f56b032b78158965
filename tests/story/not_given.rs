//! A dose that is not given is accounted for all the same: held, refused, not available.

use jiff::SignedDuration;
use valmed::domain::{
    GivingOutcome, NotGiven, Operation, OrderId, OrderStatus, Reason, Receipt, Request, UserId,
};
use valmed::store::At;

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    what_is_not_given_completes_the_order_and_leaves_the_stock_alone,
    a_held_dose_comes_back_and_is_given_then,
    an_as_needed_dose_that_is_not_given_opens_the_next,
    a_dose_that_was_recorded_as_not_given_is_not_given,
    what_makes_no_sense_is_refused,
);

fn reason(code: &str, text: &str) -> Reason {
    Reason {
        code: code.to_owned(),
        text: text.to_owned(),
    }
}

fn not_given(actor: UserId, order: OrderId, outcome: GivingOutcome, code: &str) -> Operation {
    let request = Request::NotGiven(NotGiven {
        order,
        version: 1,
        outcome,
        reason: reason(code, ""),
        until: None,
    });
    operation(actor, request)
}

fn hold(ward: &Ward, order: OrderId, version: i64, minutes: i64) -> Operation {
    let request = Request::NotGiven(NotGiven {
        order,
        version,
        outcome: GivingOutcome::Held,
        reason: reason("npo", "since midnight"),
        until: Some(ward.now() + SignedDuration::from_mins(minutes)),
    });
    operation(NURSE, request)
}

async fn what_is_not_given_completes_the_order_and_leaves_the_stock_alone(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    for (outcome, code, words) in [
        (
            GivingOutcome::Held,
            "vital_signs",
            "vital signs outside the limits",
        ),
        (GivingOutcome::Refused, "patient", "patient refused"),
        (
            GivingOutcome::NotAvailable,
            "not_delivered",
            "ordered, not delivered",
        ),
    ] {
        let order = ward.order(&Rx::timed(PARACETAMOL)).await;
        let receipt = ward.done(not_given(NURSE, order, outcome, code)).await;
        let Receipt::NotGiven { administration, .. } = receipt else {
            panic!("{receipt:?}");
        };
        assert_eq!(ward.status(order).await, OrderStatus::Completed);
        let kept = rows!(
            ward.db,
            (GivingOutcome, String, String, String),
            "SELECT a.outcome, a.reason, w.kind, w.code FROM medication_administrations a \
             JOIN administration_reasons w ON w.administration_id = a.id WHERE a.id = $1",
            administration
        );
        let kind = outcome.as_str().to_owned();
        assert_eq!(kept, [(outcome, words.to_owned(), kind, code.to_owned())]);
    }
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(10));
    ward.end().await;
}

async fn a_held_dose_comes_back_and_is_given_then(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(hold(&ward, order, 1, 120)).await;
    let (status, version, until) = rows!(
        ward.db,
        (OrderStatus, i64, Option<At>),
        "SELECT status, version, held_until FROM medication_orders WHERE id = $1",
        order
    )
    .remove(0);
    assert_eq!((status, version), (OrderStatus::Active, 2));
    let until = until.unwrap().0;
    assert_eq!(until, ward.now() + SignedDuration::from_mins(120));
    ward.rules_hold().await;
    // Whoever still has the sheet from before sees that something has changed.
    assert_eq!(ward.refused(give(order)).await.code(), "STALE");
    ward.place.clock.advance(SignedDuration::from_mins(121));
    ward.done(hold(&ward, order, 2, 60)).await;
    ward.place.clock.advance(SignedDuration::from_mins(61));
    let mut giving = give(order);
    version_of(&mut giving, 3);
    ward.done(giving).await;
    assert_eq!(ward.status(order).await, OrderStatus::Completed);
    ward.end().await;
}

async fn an_as_needed_dose_that_is_not_given_opens_the_next(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let rx = Rx::as_needed(PARACETAMOL, "prn min 60m total 2");
    let (prescription, order) = ward.prescribe(&rx).await;
    ward.done(not_given(NURSE, order, GivingOutcome::Refused, "patient"))
        .await;
    let open = ward.open_orders(prescription).await;
    let [next] = open[..] else {
        panic!("{open:?}");
    };
    assert_ne!(next, order);
    // What was refused was not given: it counts neither for the interval nor for the total.
    ward.done(give(next)).await;
    ward.place.clock.advance(SignedDuration::from_mins(60));
    let open = ward.open_orders(prescription).await;
    ward.done(give(open[0])).await;
    assert!(ward.open_orders(prescription).await.is_empty());
    ward.end().await;
}

async fn a_dose_that_was_recorded_as_not_given_is_not_given(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(not_given(NURSE, order, GivingOutcome::Refused, "patient"))
        .await;
    let refusal = ward.refused(give_as(SECOND_NURSE, order)).await;
    assert_eq!(refusal.code(), "ORDER_ALREADY_COMPLETED");
    let words = "already recorded as refused: patient refused by Nora Nurse";
    assert!(refusal.to_string().contains(words), "{refusal}");
    ward.end().await;
}

async fn what_makes_no_sense_is_refused(place: Place) {
    let ward = Ward::open(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    for (outcome, code, why) in [
        (GivingOutcome::Given, "npo", "recorded by giving it"),
        (GivingOutcome::Held, "patient", "'patient' is not one of"),
        (GivingOutcome::Refused, "", "a reason is needed"),
        (GivingOutcome::Refused, "other", "needs a few words more"),
    ] {
        let refusal = ward.refused(not_given(NURSE, order, outcome, code)).await;
        assert_eq!(refusal.code(), "INVALID_DATA");
        assert!(refusal.to_string().contains(why), "{refusal}");
    }
    for (minutes, why) in [
        (0, "later than now"),
        (-5, "later than now"),
        (20_000, "7 days"),
    ] {
        let refusal = ward.refused(hold(&ward, order, 1, minutes)).await;
        assert!(refusal.to_string().contains(why), "{refusal}");
    }
    let mut refused = hold(&ward, order, 1, 60);
    if let Request::NotGiven(ask) = &mut refused.request {
        ask.outcome = GivingOutcome::Refused;
        ask.reason = reason("patient", "");
    }
    let refusal = ward.refused(refused).await;
    assert!(
        refusal.to_string().contains("only a held dose comes back"),
        "{refusal}"
    );
    assert_eq!(
        ward.refused(hold(&ward, order, 2, 60)).await.code(),
        "STALE"
    );
    assert_eq!(ward.status(order).await, OrderStatus::Active);
    ward.end().await;
}
