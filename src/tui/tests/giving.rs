//! Giving a dose: what the sheet allows, and what it says.

use super::*;
use crate::tui::model::OrderNow;
use uuid::Uuid;

const ORDER: OrderId = OrderId(Uuid::from_u128(2));

fn given(quantity: &str) -> Outcome {
    Outcome::Done(Receipt::Given {
        administration: AdministrationId(Uuid::from_u128(1)),
        order: ORDER,
        ward: WARD,
        drug: DrugId(1),
        quantity: quantity.parse().unwrap(),
        left: Quantity::units(41),
        at: at(NOW),
    })
}

#[test]
fn three_keys_and_the_wristband() {
    let mut s = Session::desk(80, 24);
    s.select(2).key(Code::Enter);
    assert_eq!(s.effects, [Effect::DrainInput, Effect::LoadDetail(ORDER)]);
    let order = fixture().snapshot.orders[0].clone();
    s.send(reply_detail(&order)).typed("N4204001\r");
    assert_eq!(s.model.mode(), Mode::Ready);
    s.key(Code::F(2));
    let operation = s.submitted().unwrap();
    assert_eq!(operation.id, s.context.fresh_op);
    assert_eq!(operation.actor, nurse().id);
    assert_eq!(
        operation.request,
        Request::Fulfil(Giving::of(ORDER, 1, "N4204001"))
    );
    s.send(Msg::Reply(Reply::Outcome {
        op: operation.id,
        outcome: given("1"),
    }));
    assert!(
        s.says("GIVEN at 03:12: 1 tab Metoprolol Tartrate 25mg Tablet"),
        "{}",
        s.text()
    );
    assert!(s.says("MED3 has 41 tab left."));
    s.key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Queue);
}

#[test]
fn nothing_but_the_sign_key_signs() {
    let mut s = Session::desk(80, 24);
    s.open(2).key(Code::F(2));
    assert!(s.submitted().is_none(), "nobody is identified");
    s.typed("N4204001\r");
    for key in [
        Code::Enter,
        Code::Tab,
        Code::Down,
        Code::Char(' '),
        Code::F(3),
        Code::Insert,
    ] {
        s.key(key);
        assert!(s.submitted().is_none(), "{key:?}");
    }
}

#[test]
fn a_second_scan_is_checked_anew() {
    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204001\r");
    assert_eq!(s.model.mode(), Mode::Ready);
    s.typed("N4204002\r");
    assert_eq!(s.model.mode(), Mode::Identify);
    assert!(s.says("WRONG PATIENT: N4204002 is not Nyström, Annika."));
    s.key(Code::F(2));
    assert!(s.submitted().is_none());
    s.typed("N4204001\r").key(Code::F(2));
    assert!(s.submitted().is_some());
}

#[test]
fn a_wrong_wristband_is_told_whose_it_is() {
    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204002");
    s.send(Msg::Key(Key::of(Code::Enter)));
    let mrn = "N4204002".to_owned();
    assert_eq!(
        s.effects,
        [Effect::LookUpPatient {
            mrn: mrn.clone(),
            order: ORDER
        }]
    );
    s.send(Msg::Reply(Reply::Patient {
        mrn,
        name: Ok(Some("El-Sayed, Omar".into())),
    }));
    assert!(
        s.says("It belongs to El-Sayed, Omar. Nothing was recorded."),
        "{}",
        s.text()
    );
    s.typed("N4204001\r");
    assert_eq!(
        s.model.mode(),
        Mode::Ready,
        "the right one may follow at once"
    );
}

/// A nurse who types in small letters was told that the number belongs to nobody.
#[test]
fn capitals_do_not_make_another_patient() {
    let mut s = Session::desk(80, 24);
    s.open(2).typed("n4204001\r");
    assert_eq!(s.model.mode(), Mode::Identify, "it may be somebody else's");
    let reply = |name: Option<&str>| {
        Msg::Reply(Reply::Patient {
            mrn: "n4204001".into(),
            name: Ok(name.map(str::to_owned)),
        })
    };
    s.send(reply(Some("El-Sayed, Omar")));
    assert_eq!(s.model.mode(), Mode::Identify);
    s.typed("n4204001\r").send(reply(None));
    assert!(s.says("identified: Nyström, Annika"), "{}", s.text());
    s.key(Code::F(2));
    let operation = s.submitted().unwrap();
    assert!(
        matches!(&operation.request, Request::Fulfil(Giving { identified, .. }) if identified == "N4204001"),
        "{operation:?}"
    );
}

#[test]
fn a_pasted_scan_is_a_scan() {
    let mut s = Session::desk(80, 24);
    s.open(2).send(Msg::Paste("N4204001\r".into()));
    assert_eq!(s.model.mode(), Mode::Ready);
    s.send(Msg::Paste("N4204001\rN4204001\r".into()));
    assert!(s.submitted().is_none());
    assert_ne!(s.model.mode(), Mode::Signing);
}

#[test]
fn a_range_asks_for_the_amount_within_it() {
    let mut s = Session::desk(80, 24);
    s.open(4).typed("N4204002\r");
    assert_eq!(s.model.mode(), Mode::Amount);
    s.key(Code::F(2));
    assert!(s.submitted().is_none());
    assert!(s.says("Type the amount: from 1 to 2 tab."), "{}", s.text());
    for wrong in ["0.5", "2.001", "x", "N4204002"] {
        s.typed(wrong).typed("\r").key(Code::F(2));
        assert!(s.submitted().is_none(), "{wrong}");
        s.ctrl('u');
    }
    s.typed("1,5").key(Code::F(2));
    assert!(matches!(
        s.submitted().map(|o| o.request),
        Some(Request::Fulfil(Giving {
            amount: Some(Quantity(1500)),
            ..
        }))
    ));
}

#[test]
fn one_signature_at_a_time_and_one_id_for_a_repeat() {
    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204001\r").key(Code::F(2));
    let first = s.submitted().unwrap();
    s.context.fresh_op = OpId(Uuid::from_u128(0xdef));
    s.key(Code::F(2)).key(Code::Esc);
    assert!(
        s.effects.is_empty(),
        "no key while the outcome is on its way"
    );
    s.send(Msg::Reply(Reply::Checking(first.id)));
    assert!(s.says("Checking"), "{}", s.text());
    s.key(Code::F(2));
    assert!(s.effects.is_empty());
    let unknown = Outcome::Unknown { op: first.id };
    s.send(Msg::Reply(Reply::Outcome {
        op: first.id,
        outcome: unknown,
    }));
    assert!(s.says("OUTCOME UNKNOWN"));
    s.key(Code::F(2));
    assert_eq!(
        s.submitted(),
        Some(first.clone()),
        "asks for the same, never again"
    );
    s.outcome(Outcome::Refused(Refusal::Unavailable));
    s.key(Code::F(2));
    assert_eq!(
        s.submitted(),
        Some(first.clone()),
        "turned away unheard: still the same"
    );
    let refusal = Refusal::InsufficientStock {
        ward: "MED3".into(),
        drug: "Metoprolol".into(),
        unit: "tab".into(),
        needed: Quantity::units(1),
        available: Quantity::ZERO,
    };
    s.outcome(Outcome::Refused(refusal));
    assert!(s.says("INSUFFICIENT_STOCK"), "{}", s.text());
    s.key(Code::F(2));
    let second = s.submitted().unwrap();
    assert_ne!(
        second.id, first.id,
        "heard and refused: signing again is another operation"
    );
}

#[test]
fn an_outcome_is_told_after_the_sheet_is_closed() {
    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204001\r").key(Code::F(2));
    let op = s.submitted().unwrap().id;
    s.send(Msg::Reply(Reply::Checking(op))).key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Queue);
    let outcome = given("1");
    s.send(Msg::Reply(Reply::Outcome { op, outcome }));
    assert!(s.says("DONE, on record: 1 tab Metoprolol"), "{}", s.text());
}

#[test]
fn somebody_else_was_faster() {
    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204001\r");
    let mut snapshot = fixture().snapshot;
    snapshot.orders.retain(|order| order.id != ORDER);
    s.send(feed(&snapshot));
    assert_eq!(s.effects, [Effect::LoadDetail(ORDER)]);
    s.send(Msg::Reply(Reply::Detail {
        order: ORDER,
        now: Ok(OrderNow::Ended {
            status: OrderStatus::Completed,
            by: Some("Björn Haddad".into()),
            at: Some(at("2026-11-23T02:11:00Z")),
            reason: String::new(),
        }),
    }));
    assert!(
        s.says("This dose was given by Björn Haddad at 03:11."),
        "{}",
        s.text()
    );
    s.key(Code::F(2));
    assert!(s.submitted().is_none());
    s.key(Code::Enter);
    assert_eq!(s.model.mode(), Mode::Queue);
}

#[test]
fn what_was_read_is_what_is_signed() {
    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204001\r");
    let mut order = fixture().snapshot.orders[0].clone();
    order.version = 2;
    order.dose.least = Quantity::units(4);
    let mut snapshot = fixture().snapshot;
    snapshot.orders[0] = order.clone();
    s.send(feed(&snapshot));
    assert_eq!(s.effects, [Effect::LoadDetail(ORDER)]);
    s.send(reply_detail(&order));
    assert!(s.says("MEANWHILE CHANGED"), "{}", s.text());
    s.key(Code::F(2));
    assert!(s.submitted().is_none());
}

#[test]
fn its_own_dose_leaving_the_queue_is_not_somebody_else() {
    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204001\r").key(Code::F(2));
    let op = s.submitted().unwrap().id;
    let mut snapshot = fixture().snapshot;
    snapshot.orders.retain(|order| order.id != ORDER);
    s.send(feed(&snapshot));
    assert!(
        s.effects.is_empty(),
        "the screen may hear of it before the sheet does"
    );
    let outcome = given("1");
    s.send(Msg::Reply(Reply::Outcome { op, outcome }));
    assert!(s.says("GIVEN at 03:12"));
}

#[test]
fn an_order_that_cannot_be_read_cannot_be_signed() {
    let mut s = Session::desk(80, 24);
    s.select(2)
        .key(Code::Enter)
        .typed("N4204001\r")
        .key(Code::F(2));
    assert!(s.submitted().is_none());
    assert!(s.says("still being read"), "{}", s.text());
    s.send(Msg::Reply(Reply::Detail {
        order: ORDER,
        now: Err("the database cannot be reached".into()),
    }));
    s.key(Code::F(2));
    assert_eq!(s.effects, [Effect::LoadDetail(ORDER)], "tries again");
}

#[test]
fn a_prn_dose_shows_its_limits() {
    let mut s = Session::desk(80, 24);
    s.select(7).key(Code::Enter);
    let order = fixture().snapshot.orders[7].clone();
    let mut detail = detail(&order);
    detail.limits = "at least 4 h apart, 4 in 24 h".into();
    detail.not_before = Some(at("2026-11-23T02:40:00Z"));
    s.send(Msg::Reply(Reply::Detail {
        order: order.id,
        now: Ok(OrderNow::Open(Box::new(detail))),
    }));
    let screen = s.text();
    for words in [
        "at least 4 h apart, 4 in 24 h",
        "NOT BEFORE 03:40: in 28 min",
        "HIGH-ALERT DRUG",
        "CONTROLLED DRUG",
        "as needed (PRN)",
    ] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
}

/// On a small screen the due time is out of sight when the patient is identified.
#[test]
fn a_dose_that_is_not_due_says_so_beside_the_sign_key() {
    for (width, height) in [(80, 24), (40, 12)] {
        let mut snapshot = fixture().snapshot;
        let mut s = Session::desk_of(&snapshot, width, height);
        snapshot.orders[0].due_at = Some(s.context.now + jiff::SignedDuration::from_hours(5));
        s.send(feed(&snapshot));
        let number = snapshot.orders[0].id.0.as_u128();
        s.select(number).key(Code::Enter);
        s.send(reply_detail(&snapshot.orders[0]))
            .typed("N4204001\r");
        assert!(s.says("NOT DUE YET: in 5 h."), "{}", s.text());
        s.key(Code::F(2));
        assert!(s.submitted().is_some(), "the nurse decides");
    }
}

#[test]
fn who_may_not_give_may_look() {
    let mut s = Session::desk_as(doctor(), &fixture().snapshot, 80, 24);
    s.open(2);
    assert!(
        s.says("You may look. To give a dose is for a nurse"),
        "{}",
        s.text()
    );
    assert!(s.says("Björn Haddad"), "all that the sheet knows is there");
    s.typed("N4204001\r").key(Code::F(2));
    assert!(s.submitted().is_none());
    let mut visiting = nurse();
    visiting.wards = Wards::Only([WardId(8)].into());
    let mut s = Session::desk_as(visiting, &fixture().snapshot, 80, 24);
    s.open(2);
    assert!(s.says("is for people of MED3"), "{}", s.text());
}

#[test]
fn a_signature_without_an_answer_says_so_by_itself() {
    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204001\r").key(Code::F(2));
    let op = s.submitted().unwrap().id;
    assert_eq!(s.model.mode(), Mode::Signing);
    let slow = s.context.now + jiff::SignedDuration::from_secs(5);
    assert_eq!(s.model.next_change(&s.context), Some(slow));
    s.context.now = slow;
    s.send(Msg::Tick);
    assert!(s.says("The database does not answer."), "{}", s.text());
    assert!(s.says("Do not give it again."));
    assert_ne!(
        s.model.next_change(&s.context),
        Some(slow),
        "once is enough"
    );
    s.key(Code::F(2));
    assert!(s.submitted().is_none());
    let outcome = given("1");
    s.send(Msg::Reply(Reply::Outcome { op, outcome }));
    assert!(s.says("GIVEN at"), "{}", s.text());

    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204001\r").key(Code::F(2)).ctrl('c');
    assert!(s.effects.is_empty(), "the outcome is about to come");
    s.context.now = slow;
    s.send(Msg::Tick);
    s.ctrl('c');
    assert_eq!(s.effects, [Effect::Quit]);
}

#[test]
fn the_selection_follows_an_as_needed_dose_to_its_successor() {
    let mut s = Session::desk(80, 24);
    s.select(9);
    let mut snapshot = fixture().snapshot;
    let given = snapshot.orders.iter().position(|o| o.id.0.as_u128() == 9);
    let mut next = snapshot.orders.remove(given.unwrap());
    next.id = OrderId(Uuid::from_u128(99));
    snapshot.orders.insert(0, next);
    s.send(feed(&snapshot)).key(Code::Enter);
    let successor = OrderId(Uuid::from_u128(99));
    assert_eq!(
        s.effects,
        [Effect::DrainInput, Effect::LoadDetail(successor)]
    );
}

#[test]
fn a_small_sheet_says_beside_the_key_what_must_be_known() {
    let mut s = Session::desk(40, 12);
    let mut snapshot = fixture().snapshot;
    let morphine = snapshot.stock.iter_mut().find(|l| l.drug.id == DrugId(3));
    morphine.unwrap().current = Quantity::ZERO;
    s.send(feed(&snapshot));
    s.open(7).typed("N4204001\r");
    assert_eq!(s.model.mode(), Mode::Ready, "{}", s.text());
    for words in ["OUT: 0 syringe here, takes 1", "HIGH-ALERT", "F2 signs:"] {
        assert!(s.says(words), "{words}: {}", s.text());
    }
    assert!(s.says("given to Nyström, Annika"), "{}", s.text());
}

#[test]
fn a_disabled_account_is_signed_out_with_a_word() {
    let mut s = Session::desk(80, 24);
    s.send(Msg::Reply(Reply::Disabled(crate::domain::UserId(-1))));
    assert!(s.effects.is_empty(), "somebody else's");
    s.send(Msg::Reply(Reply::Disabled(nurse().id)));
    assert_eq!(s.effects, [Effect::Quit], "there is no sign-in to go to");
}

#[test]
fn what_is_wrong_with_the_program_stands_on_a_live_screen() {
    let mut s = Session::desk(80, 24);
    let Msg::Feed(mut view) = feed(&fixture().snapshot) else {
        panic!("not of the feed")
    };
    view.warning = Some("doses are not being made into orders".into());
    s.send(Msg::Feed(view.clone()));
    assert!(s.says("doses are not being made into orders"));
    assert!(s.says(" live "), "{}", s.text());
    view.warning = None;
    s.send(Msg::Feed(view));
    assert!(!s.says("not being made"));
}

/// More than a fixed dose could be given on the command line only.
#[test]
fn more_than_the_one_amount_that_is_prescribed_is_given_with_a_reason() {
    let mut s = Session::desk(80, 24);
    s.context.policy = std::sync::Arc::new(Policy {
        high_dose_percent: 200,
        ..Policy::easy()
    });
    s.open(2).typed("N4204001\r").key(Code::F(3));
    assert_eq!(s.model.mode(), Mode::Amount, "{}", s.text());
    assert!(
        s.says("Type the amount, 1 to 2 tab. More than 1 needs a reason."),
        "{}",
        s.text()
    );
    s.typed("3").key(Code::F(2));
    assert!(s.submitted().is_none());
    assert!(s.says("3 tab is not what is prescribed"), "{}", s.text());
    s.ctrl('u').typed("2").key(Code::F(2));
    assert!(s.submitted().is_none(), "{}", s.text());
    assert_eq!(s.model.mode(), Mode::Reason, "{}", s.text());
    s.key(Code::Down).key(Code::F(2));
    let request = s.submitted().expect("signed").request;
    let Request::Fulfil(giving) = request else {
        panic!("{request:?}")
    };
    assert_eq!(giving.amount, Some(Quantity::units(2)));
    assert_eq!(giving.why.despite, [Warned::HighDose]);
    assert!(giving.why.warned.is_some());
}

#[test]
fn an_amount_that_is_rubbed_out_is_the_prescribed_one_again() {
    let mut s = Session::desk(80, 24);
    s.context.policy = std::sync::Arc::new(Policy {
        high_dose_percent: 200,
        ..Policy::easy()
    });
    s.open(2).typed("N4204001\r").key(Code::F(3)).typed("2");
    s.ctrl('u').key(Code::F(2));
    let request = s.submitted().expect("signed").request;
    assert_eq!(request, Request::Fulfil(Giving::of(ORDER, 1, "N4204001")));
    // Where nobody may, it says so.
    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204001\r").key(Code::F(3));
    assert!(
        s.says("Here nobody gives more than is prescribed."),
        "{}",
        s.text()
    );
}

#[test]
fn given_earlier_is_offered_where_something_is_given_and_nowhere_else() {
    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204001\r");
    assert!(s.says("F4 given earlier"), "{}", s.text());
    let mut s = Session::desk(80, 24);
    s.select(2).typed("n");
    assert!(!s.says("F4"), "{}", s.text());
}

#[test]
fn what_was_taken_back_is_said_whole_in_the_log() {
    let mut snapshot = fixture().snapshot;
    snapshot.log[0].is_reversal = true;
    for width in [70, 80, 100, 110, 120, 200] {
        let s = Session::desk_of(&snapshot, width, 40);
        assert!(s.says("TAKEN BACK"), "{width}: {}", s.text());
    }
}
