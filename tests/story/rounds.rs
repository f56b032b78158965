//! Many doses at once: each is an operation of its own, and a refusal of one leaves the others alone.

use uuid::Uuid;
use valmed::domain::{
    GivingOutcome, NotGiven, OpId, Operation, OrderId, OrderStatus, Outcome, Quantity, Reason,
    Receipt, Refusal, Request,
};

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    one_refusal_leaves_the_others_of_a_round_alone,
    the_same_round_again_gives_nothing_twice,
    a_round_takes_no_more_than_there_is,
    a_line_for_somebody_else_stops_that_line_only,
);

/// The lines of a round, under the ids that are made of one.
fn lines(requests: impl IntoIterator<Item = Operation>) -> Vec<Operation> {
    let first = OpId(Uuid::now_v7());
    let numbered = requests.into_iter().enumerate();
    numbered
        .map(|(n, operation)| Operation {
            id: first.nth(n),
            ..operation
        })
        .collect()
}

/// Hands all lines to the desk at once, as the sheet does, and waits for all outcomes.
async fn round(ward: &Ward, lines: &[Operation]) -> Vec<Outcome> {
    let tickets: Vec<_> = lines
        .iter()
        .map(|line| ward.desk.submit(line.clone(), None))
        .collect();
    let mut outcomes = Vec::new();
    for ticket in tickets {
        outcomes.push(ticket.outcome().await);
    }
    outcomes
}

fn refused_by_the_patient(order: OrderId) -> Operation {
    let request = Request::NotGiven(NotGiven {
        order,
        version: 1,
        outcome: GivingOutcome::Refused,
        reason: Reason {
            code: "patient".to_owned(),
            text: String::new(),
        },
        until: None,
    });
    operation(NURSE, request)
}

async fn one_refusal_leaves_the_others_of_a_round_alone(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let first = ward.order(&Rx::timed(PARACETAMOL)).await;
    let never_stocked = ward.order(&Rx::timed(COLCHICINE)).await;
    let withheld = ward.order(&Rx::timed(PARACETAMOL)).await;
    let last = ward.order(&Rx::timed(PARACETAMOL)).await;
    let lines = lines([
        give(first),
        give(never_stocked),
        refused_by_the_patient(withheld),
        give(last),
    ]);
    let outcomes = round(&ward, &lines).await;
    assert!(
        matches!(
            &outcomes[..],
            [
                Outcome::Done(Receipt::Given { .. }),
                Outcome::Refused(Refusal::DrugNotFound { .. }),
                Outcome::Done(Receipt::NotGiven { .. }),
                Outcome::Done(Receipt::Given { .. }),
            ]
        ),
        "{outcomes:?}"
    );
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(8));
    for order in [first, withheld, last] {
        assert_eq!(ward.status(order).await, OrderStatus::Completed);
    }
    assert_eq!(ward.status(never_stocked).await, OrderStatus::Active);
    assert_eq!(
        ward.audit_rows(lines[1].id).await,
        1,
        "its refusal is on record"
    );
    ward.end().await;
}

async fn the_same_round_again_gives_nothing_twice(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let orders = ward.orders(3, &Rx::timed(PARACETAMOL)).await;
    let lines = lines(orders.iter().map(|order| give(*order)));
    let once = round(&ward, &lines).await;
    let again = round(&ward, &lines).await;
    assert_eq!(once, again, "the second time is told the first outcomes");
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(7));
    for order in orders {
        assert_eq!(ward.given(order).await, 1);
    }
    ward.end().await;
}

async fn a_round_takes_no_more_than_there_is(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(2)).await;
    let orders = ward.orders(4, &Rx::timed(PARACETAMOL)).await;
    let lines = lines(orders.iter().map(|order| give(*order)));
    let outcomes = round(&ward, &lines).await;
    let short =
        |outcome: &&Outcome| matches!(outcome, Outcome::Refused(Refusal::InsufficientStock { .. }));
    assert_eq!(outcomes.iter().filter(short).count(), 2, "{outcomes:?}");
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, Quantity::ZERO);
    ward.end().await;
}

async fn a_line_for_somebody_else_stops_that_line_only(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let own = ward.order(&Rx::timed(PARACETAMOL)).await;
    let other = ward
        .order(&Rx {
            patient: 1,
            ..Rx::timed(PARACETAMOL)
        })
        .await;
    // One wristband for the whole round.
    let lines = lines([give_to(NURSE, own, 0), give_to(NURSE, other, 0)]);
    let outcomes = round(&ward, &lines).await;
    assert!(matches!(&outcomes[0], Outcome::Done(_)), "{outcomes:?}");
    assert!(
        matches!(&outcomes[1], Outcome::Refused(Refusal::WrongPatient { .. })),
        "{outcomes:?}"
    );
    assert_eq!(ward.given(other).await, 0);
    ward.end().await;
}
