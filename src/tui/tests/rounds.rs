//! Many doses at once: marks on the queue, and the round sheet.

use super::*;
use std::sync::Arc;

use crate::domain::snapshot::{QueuedOrder, WardSnapshot};
use crate::tui::model::OrderNow;
use jiff::SignedDuration;
use uuid::Uuid;

const fn order_id(n: u128) -> OrderId {
    OrderId(Uuid::from_u128(n))
}

/// A queue with four doses of Annika Nyström (one of them controlled), and others'.
fn ward_with_a_round() -> WardSnapshot {
    let mut snapshot = fixture().snapshot;
    let anna = Arc::clone(&snapshot.orders[0].patient);
    let aceta = Arc::clone(&snapshot.orders[3].drug);
    snapshot
        .orders
        .push(order(21, &anna, &aceta, ("1", None), "PO", Some(-10)));
    snapshot
        .orders
        .push(order(22, &anna, &aceta, ("1", Some("2")), "PO", Some(20)));
    snapshot
}

fn by_id(snapshot: &WardSnapshot, n: u128) -> QueuedOrder {
    let found = snapshot.orders.iter().find(|o| o.id == order_id(n));
    found.unwrap().clone()
}

/// Marks these, opens the round, and gives it what it asks for.
fn round_of(snapshot: &WardSnapshot, marked: &[u128], size: (u16, u16)) -> Session {
    let mut s = Session::desk_of(snapshot, size.0, size.1);
    for n in marked {
        s.select(*n).typed(" ");
    }
    s.key(Code::Enter);
    for n in marked {
        s.send(reply_detail(&by_id(snapshot, *n)));
    }
    s
}

fn all_submitted(s: &Session) -> Vec<Operation> {
    let of = |effect: &Effect| match effect {
        Effect::Submit { operation, .. } => Some((**operation).clone()),
        _ => None,
    };
    s.effects.iter().filter_map(of).collect()
}

fn given(order: OrderId) -> Outcome {
    Outcome::Done(Receipt::Given {
        administration: AdministrationId(Uuid::from_u128(1)),
        order,
        ward: WARD,
        drug: DrugId(1),
        quantity: Quantity::units(1),
        left: Quantity::units(41),
        at: at(NOW),
    })
}

fn answer(s: &mut Session, op: OpId, outcome: Outcome) {
    s.send(Msg::Reply(Reply::Outcome { op, outcome }));
}

#[test]
fn marks_are_one_patients_and_an_accident_destroys_none() {
    let snapshot = ward_with_a_round();
    let mut s = Session::desk_of(&snapshot, 80, 24);
    s.select(2).typed(" ");
    s.select(21).typed(" ");
    assert!(s.says("2 MARKED"), "{}", s.text());
    s.select(5).typed(" ");
    assert!(
        s.says("A round is one patient's: the 2 marked are for Nyström, Annika."),
        "{}",
        s.text()
    );
    s.key(Code::Down);
    assert!(s.says("2 MARKED"));
    s.select(21).typed(" ");
    assert!(s.says("1 MARKED"), "the same key takes it away");
    s.key(Code::Esc);
    assert!(s.says("No dose is marked any more."));
    assert!(!s.says("1 MARKED"));
}

#[test]
fn a_star_marks_what_is_due_and_nothing_else_of_the_patient() {
    let snapshot = ward_with_a_round();
    let mut s = Session::desk_of(&snapshot, 80, 24);
    s.select(21).typed("*");
    // Late: 2 and 21. Due within the hour: 22. Not: the one in five hours, and the one as needed.
    assert!(s.says("3 MARKED"), "{}", s.text());
    s.key(Code::Esc);
    let mut later = snapshot;
    later.orders.retain(|o| o.id == order_id(6));
    s.send(feed(&later)).typed("*");
    assert!(
        s.says("Nothing is due for Nyström, Annika now."),
        "{}",
        s.text()
    );
}

#[test]
fn marks_survive_a_change_of_the_queue_and_go_with_their_dose_which_is_told() {
    let mut snapshot = ward_with_a_round();
    let mut s = Session::desk_of(&snapshot, 80, 24);
    s.select(2).typed(" ");
    s.select(21).typed(" ");
    snapshot.orders.reverse();
    s.send(feed(&snapshot));
    assert!(s.says("2 MARKED"), "by what they stand on, not by where");
    snapshot.orders.retain(|o| o.id != order_id(21));
    s.send(feed(&snapshot));
    assert!(
        s.says("Marked, and not in the queue any more: 1 tab AcetaZOLamide 250mg Tablet for Nyström, Annika."),
        "{}",
        s.text()
    );
    s.key(Code::Down);
    assert!(s.says("1 MARKED"));
}

#[test]
fn the_patient_is_identified_once_and_every_line_is_an_operation_of_its_own() {
    let snapshot = ward_with_a_round();
    let mut s = round_of(&snapshot, &[2, 21], (80, 24));
    assert!(s.says("ROUND: 2 doses"), "{}", s.text());
    s.key(Code::F(2));
    assert!(all_submitted(&s).is_empty(), "nobody is identified");
    s.typed("N4204002\r");
    assert!(s.says("WRONG PATIENT: N4204002 is not Nyström, Annika."));
    s.key(Code::F(2));
    assert!(all_submitted(&s).is_empty());
    s.typed("N4204001\r");
    assert_eq!(s.model.mode(), Mode::Round);
    assert!(
        s.says("F2 signs: 2 doses given to Nyström, Annika"),
        "{}",
        s.text()
    );
    s.key(Code::F(2));
    let sent = all_submitted(&s);
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0].id, sent[1].id);
    for (operation, n) in sent.iter().zip([21, 2]) {
        let expected = Request::Fulfil(Giving::of(order_id(n), 1, "N4204001"));
        assert!(
            sent.iter().any(|op| op.request == expected),
            "{operation:?} {expected:?}"
        );
    }
}

#[test]
fn a_double_press_gives_once_and_each_line_says_what_came_of_it() {
    let snapshot = ward_with_a_round();
    let mut s = round_of(&snapshot, &[2, 21], (80, 24));
    s.typed("N4204001\r").key(Code::F(2));
    let sent = all_submitted(&s);
    s.key(Code::F(2));
    assert!(s.effects.is_empty(), "they are on their way");
    answer(&mut s, sent[0].id, given(order_id(2)));
    let refused = Refusal::InsufficientStock {
        ward: "Medicine".into(),
        drug: "AcetaZOLamide".into(),
        unit: "tab".into(),
        needed: Quantity::units(1),
        available: Quantity::ZERO,
    };
    answer(&mut s, sent[1].id, Outcome::Refused(refused));
    assert!(
        s.says("GIVEN") && s.says("1 tab at 03:12; 41 tab left"),
        "{}",
        s.text()
    );
    assert!(
        s.says("NOT DONE") && s.says("INSUFFICIENT_STOCK"),
        "{}",
        s.text()
    );
    s.key(Code::F(2));
    assert!(
        all_submitted(&s).is_empty(),
        "what was refused is not signed again by the way: {}",
        s.text()
    );
}

#[test]
fn a_line_whose_outcome_is_unknown_asks_again_with_the_same_operation() {
    let snapshot = ward_with_a_round();
    let mut s = round_of(&snapshot, &[2, 21], (80, 24));
    s.typed("N4204001\r").key(Code::F(2));
    let sent = all_submitted(&s);
    s.send(Msg::Reply(Reply::Checking(sent[0].id)));
    assert!(s.says("Checking"), "{}", s.text());
    let unknown = Outcome::Unknown { op: sent[0].id };
    answer(&mut s, sent[0].id, unknown);
    answer(&mut s, sent[1].id, given(order_id(21)));
    assert!(s.says("OUTCOME UNKNOWN"), "{}", s.text());
    assert_eq!(s.model.mode(), Mode::Round);
    s.key(Code::F(2));
    assert_eq!(all_submitted(&s), [sent[0].clone()]);
    answer(&mut s, sent[0].id, given(order_id(2)));
    assert_eq!(s.model.mode(), Mode::Closed);
    assert!(s.says("Nothing is left to sign."));
    s.key(Code::Esc);
    assert!(
        !s.says("MARKED"),
        "what is on record is not marked: {}",
        s.text()
    );
}

#[test]
fn what_asks_for_something_waits_and_opens_as_its_own_sheet() {
    let snapshot = ward_with_a_round();
    let mut s = round_of(&snapshot, &[2, 22], (80, 24));
    s.typed("N4204001\r");
    assert!(
        s.says("WAITS") && s.says("Needs an amount. Enter opens it."),
        "{}",
        s.text()
    );
    s.key(Code::F(2));
    assert_eq!(all_submitted(&s).len(), 1, "the other one is signed");
    let first = all_submitted(&s).remove(0);
    answer(&mut s, first.id, given(order_id(2)));
    s.key(Code::Down).key(Code::Enter);
    assert_eq!(
        s.model.mode(),
        Mode::Amount,
        "the patient is known: {}",
        s.text()
    );
    // Back without signing: what is typed stays, and can be signed from the list.
    s.typed("2").key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Round);
    assert!(s.says("F2 signs: 1 dose given"), "{}", s.text());
    s.context.fresh_op = OpId(Uuid::from_u128(0xdef0));
    s.key(Code::F(2));
    let sent = all_submitted(&s);
    let amounts: Vec<_> = sent
        .iter()
        .map(|op| match &op.request {
            Request::Fulfil(giving) => giving.amount,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(amounts, [Some(Quantity::units(2))]);
}

#[test]
fn a_line_signed_on_its_own_sheet_comes_back_to_the_list() {
    let snapshot = ward_with_a_round();
    let mut s = round_of(&snapshot, &[2, 21], (80, 24));
    s.typed("N4204001\r").key(Code::Enter).key(Code::F(2));
    let sent = all_submitted(&s);
    assert_eq!(sent.len(), 1);
    answer(&mut s, sent[0].id, given(order_id(21)));
    assert_eq!(s.model.mode(), Mode::Round, "{}", s.text());
    assert!(s.says("GIVEN"));
    assert!(s.says("F2 signs: 1 dose given"), "{}", s.text());
}

#[test]
fn a_dose_is_recorded_as_not_given_from_the_round_and_never_given_with_the_others() {
    let snapshot = ward_with_a_round();
    let mut s = round_of(&snapshot, &[2, 21], (80, 24));
    s.typed("N4204001\r").typed("n");
    assert_eq!(s.model.mode(), Mode::Why, "{}", s.text());
    s.key(Code::Esc);
    assert!(s.says("1 left out"), "{}", s.text());
    s.typed("n").key(Code::Down).key(Code::F(2));
    let sent = all_submitted(&s);
    assert!(
        matches!(
            &sent[..],
            [Operation {
                request: Request::NotGiven(_),
                ..
            }]
        ),
        "{sent:?}"
    );
    let refused = Refusal::OrderAlreadyCompleted {
        what: "given".into(),
        by: "Björn".into(),
        at: at(NOW),
    };
    answer(&mut s, sent[0].id, Outcome::Refused(refused));
    s.key(Code::Esc);
    assert!(s.says("ORDER_ALREADY_COMPLETED"), "{}", s.text());
    s.key(Code::F(2));
    let sent = all_submitted(&s);
    assert_eq!(sent.len(), 1, "only the other line: {sent:?}");
    assert!(matches!(&sent[0].request, Request::Fulfil(_)));
}

#[test]
fn somebody_elses_wristband_on_one_line_identifies_nobody_for_all() {
    let snapshot = ward_with_a_round();
    let mut s = round_of(&snapshot, &[2, 21], (80, 24));
    s.typed("N4204001\r").key(Code::Enter);
    assert_eq!(s.model.mode(), Mode::Ready);
    s.typed("N4204002\r").key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Identify, "{}", s.text());
    s.key(Code::F(2));
    assert!(all_submitted(&s).is_empty());
    s.typed("N4204001\r").key(Code::F(2));
    assert_eq!(all_submitted(&s).len(), 2);
}

#[test]
fn a_controlled_drug_waits_for_its_witness_in_its_own_sheet() {
    let mut snapshot = ward_with_a_round();
    let anna = Arc::clone(&by_id(&snapshot, 2).patient);
    let morphine = Arc::clone(&by_id(&snapshot, 7).drug);
    snapshot
        .orders
        .push(order(23, &anna, &morphine, ("1", None), "IV", Some(0)));
    let mut s = round_of(&snapshot, &[2, 23], (80, 24));
    s.context.policy = Arc::new(Policy {
        witness_controlled: true,
        ..Policy::easy()
    });
    s.typed("N4204001\r");
    assert!(s.says("Needs a witness. Enter opens it."), "{}", s.text());
    s.key(Code::F(2));
    assert_eq!(all_submitted(&s).len(), 1);
}

#[test]
fn what_is_on_its_way_when_the_round_is_closed_is_told_later() {
    let snapshot = ward_with_a_round();
    let mut s = round_of(&snapshot, &[2, 21], (80, 24));
    s.typed("N4204001\r").key(Code::F(2));
    let sent = all_submitted(&s);
    for op in &sent {
        assert!(
            s.model
                .awaited(op.id)
                .is_some_and(|w| w.contains("Nyström"))
        );
    }
    s.context.now += SignedDuration::from_secs(6);
    s.send(Msg::Tick);
    assert_eq!(s.model.mode(), Mode::Checking, "slow: it may be left");
    s.key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Queue);
    answer(&mut s, sent[0].id, given(order_id(2)));
    assert!(s.says("DONE, on record:"), "{}", s.text());
}

#[test]
fn a_dose_that_somebody_else_gave_meanwhile_is_not_signed() {
    let mut snapshot = ward_with_a_round();
    let mut s = round_of(&snapshot, &[2, 21], (80, 24));
    s.typed("N4204001\r");
    snapshot.orders.retain(|o| o.id != order_id(21));
    s.send(feed(&snapshot));
    assert_eq!(s.effects, [Effect::LoadDetail(order_id(21))]);
    s.send(Msg::Reply(Reply::Detail {
        order: order_id(21),
        now: Ok(OrderNow::Ended {
            status: OrderStatus::Completed,
            by: Some("Björn Haddad".into()),
            at: Some(at(NOW)),
            reason: String::new(),
        }),
    }));
    assert!(
        s.says("MEANWHILE") && s.says("given by Björn Haddad"),
        "{}",
        s.text()
    );
    s.key(Code::F(2));
    assert_eq!(all_submitted(&s).len(), 1);
}

#[test]
fn whoever_may_not_give_may_look() {
    let snapshot = ward_with_a_round();
    let mut s = Session::desk_as(pharmacist(), &snapshot, 80, 24);
    s.select(2).typed(" ").key(Code::Enter);
    assert!(s.says("You may look."), "{}", s.text());
    s.typed("N4204001\r").key(Code::F(2));
    assert!(all_submitted(&s).is_empty());
}

/// A sheet that was refused for now could not be signed again where it had asked for a reason: the warnings were lost.
#[test]
fn what_was_refused_for_now_is_signed_again_with_its_reasons() {
    let mut s = Session::desk(80, 24);
    s.context.policy = Arc::new(Policy {
        late_minutes: Some(20),
        ..Policy::easy()
    });
    s.open(2)
        .typed("N4204001\r")
        .key(Code::Down)
        .key(Code::F(2));
    let first = s.submitted().expect("signed");
    s.outcome(Outcome::Refused(Refusal::Unavailable));
    s.key(Code::F(2));
    assert_eq!(s.submitted(), Some(first.clone()), "{}", s.text());
    s.outcome(Outcome::Unknown { op: first.id });
    s.key(Code::F(2));
    assert_eq!(s.submitted(), Some(first), "{}", s.text());
}

#[test]
fn the_round_sheet_as_it_looks() {
    let snapshot = ward_with_a_round();
    let mut s = round_of(&snapshot, &[2, 21, 22], (80, 24));
    s.typed("N4204001\r");
    insta::assert_snapshot!("round_80x24", s.screen());
    let mut s = round_of(&snapshot, &[2, 21, 22], (36, 10));
    s.typed("N4204001\r");
    insta::assert_snapshot!("round_36x10", s.screen());
}

#[test]
fn what_nobody_has_seen_is_not_signed() {
    let mut snapshot = ward_with_a_round();
    let anna = Arc::clone(&by_id(&snapshot, 2).patient);
    let aceta = Arc::clone(&by_id(&snapshot, 4).drug);
    let many: Vec<u128> = (30..40).collect();
    for n in &many {
        let dose = order(*n, &anna, &aceta, ("1", None), "PO", Some(0));
        snapshot.orders.push(dose);
    }
    let mut s = round_of(&snapshot, &many, (80, 24));
    s.typed("N4204001\r").key(Code::F(2));
    assert!(all_submitted(&s).is_empty(), "{}", s.text());
    assert!(s.says("Read them all before you sign:"), "{}", s.text());
    for _ in &many {
        s.key(Code::Down);
    }
    s.key(Code::F(2));
    assert_eq!(all_submitted(&s).len(), many.len(), "{}", s.text());
    // On a screen that shows them all there is nothing to scroll for.
    let mut s = round_of(&snapshot, &many, (100, 50));
    s.typed("N4204001\r").key(Code::F(2));
    assert_eq!(all_submitted(&s).len(), many.len(), "{}", s.text());
}
