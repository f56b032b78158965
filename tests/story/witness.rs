//! A second person sees a dose and signs too.

use std::sync::Arc;

use valmed::desk::Settings;
use valmed::domain::{Operation, Policy, Role, UserId};

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    what_needs_a_witness_is_given_before_one_and_both_names_are_kept,
    who_cannot_be_a_witness_is_told_why_and_nothing_is_recorded,
);

fn seen_by(operation: Operation, witness: UserId) -> Operation {
    Operation {
        witness: Some(witness),
        ..operation
    }
}

/// A ward in which morphine and insulin are given before a witness.
async fn two_pairs_of_eyes(place: Place) -> Ward {
    let policy = Policy {
        witness_controlled: true,
        witness_high_alert: true,
        ..Policy::easy()
    };
    let settings = Settings {
        policy: Arc::new(policy),
        ..easy()
    };
    let ward = Ward::open_with(place, settings).await;
    change!(
        ward.db,
        "UPDATE drugs SET controlled = (id = $1), high_alert = (id = $2)",
        MORPHINE,
        INSULIN
    );
    for drug in [PARACETAMOL, MORPHINE, INSULIN] {
        ward.receive(MEDI, drug, units(10)).await;
    }
    ward
}

async fn what_needs_a_witness_is_given_before_one_and_both_names_are_kept(place: Place) {
    let ward = two_pairs_of_eyes(place).await;
    ward.done(give(ward.order(&Rx::timed(PARACETAMOL)).await))
        .await;
    for drug in [MORPHINE, INSULIN] {
        let order = ward.order(&Rx::timed(drug)).await;
        let refusal = ward.refused(give(order)).await;
        assert_eq!(refusal.code(), "WITNESS_REQUIRED");
        let operation = seen_by(give(order), SECOND_NURSE);
        ward.done(operation.clone()).await;
        let kept: (Option<UserId>, Option<UserId>) = rows!(
            ward.db,
            (Option<UserId>, Option<UserId>),
            "SELECT a.witness_id, l.witness_id FROM medication_administrations a \
             JOIN stock_ledger l ON l.op_id = a.op_id WHERE a.op_id = $1",
            operation.id
        )
        .remove(0);
        assert_eq!(kept, (Some(SECOND_NURSE), Some(SECOND_NURSE)));
    }
    ward.end().await;
}

async fn who_cannot_be_a_witness_is_told_why_and_nothing_is_recorded(place: Place) {
    let ward = two_pairs_of_eyes(place).await;
    let order = ward.order(&Rx::timed(MORPHINE)).await;
    change!(
        ward.db,
        "UPDATE users SET read_only = true WHERE id = $1",
        POOL_NURSE
    );
    for (witness, why) in [
        (NURSE, "second person"),
        (POOL_NURSE, "change nothing"),
        (DISABLED_NURSE, "disabled"),
        (UserId(9_999), "no such account"),
        (person(Role::Admin, MEDI), "that is for a nurse"),
        (person(Role::Nurse, SURG), "not one of their wards"),
    ] {
        let refusal = ward.refused(seen_by(give(order), witness)).await;
        assert_eq!(refusal.code(), "WITNESS_NOT_VALID");
        assert!(refusal.message().contains(why), "{refusal}");
    }
    assert_eq!(ward.given(order).await, 0);
    assert_eq!(ward.stock(MEDI, MORPHINE).await, units(10));
    ward.end().await;
}
