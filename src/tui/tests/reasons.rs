//! What is asked beside the patient and the amount: reasons, a witness, why not, what was wrong, whether it helped.

use super::*;
use crate::domain::decide::warn::Recent;
use crate::domain::snapshot::{AskedDose, OrderDetail};
use crate::domain::{GivingOutcome, Policy, PrescriptionId, Reason, ReasonKind, Restock, Warned};
use crate::tui::model::OrderNow;
use crate::tui::pages::{Answer, Found, PageAsk, Rows, What};
use jiff::SignedDuration;
use std::sync::Arc;
use uuid::Uuid;

const SECOND: UserId = UserId(99);

fn reason(code: &str, text: &str) -> Reason {
    Reason {
        code: code.into(),
        text: text.into(),
    }
}

/// A desk with the rules of a hospital that has set nothing.
fn strict(width: u16, height: u16) -> Session {
    let mut s = Session::desk(width, height);
    s.context.policy = Arc::new(Policy::default());
    s
}

/// Opens the sheet of an order whose detail is as `change` makes it.
fn open_with(s: &mut Session, n: u128, change: impl FnOnce(&mut OrderDetail)) {
    s.select(n).key(Code::Enter);
    let orders = fixture().snapshot.orders;
    let order = orders.iter().find(|o| o.id == OrderId(Uuid::from_u128(n)));
    let mut detail = detail(order.unwrap());
    change(&mut detail);
    s.send(Msg::Reply(Reply::Detail {
        order: detail.order.id,
        now: Ok(OrderNow::Open(Box::new(detail))),
    }));
}

fn giving(s: &Session) -> Giving {
    match s.submitted().map(|o| o.request) {
        Some(Request::Fulfil(giving)) => giving,
        other => panic!("{other:?}\n{}", s.text()),
    }
}

#[test]
fn a_late_dose_asks_why_on_the_same_sheet() {
    for (width, height) in [(80, 24), (40, 16), (200, 50)] {
        let mut s = strict(width, height);
        s.open(3).typed("N4204004\r");
        assert_eq!(s.model.mode(), Mode::Reason, "{}", s.text());
        assert!(
            s.says("NEEDS A REASON: it is 1 h 5 min after its time."),
            "{}",
            s.text()
        );
        s.key(Code::F(2));
        assert!(s.submitted().is_none());
        assert!(s.says("Choose with the arrow keys"), "{}", s.text());
        s.key(Code::Down).typed("pharmacy rang").key(Code::F(2));
        let why = giving(&s).why;
        assert_eq!(why.warned, Some(reason("prescriber", "pharmacy rang")));
        assert_eq!(why.despite, [Warned::Late]);
    }
}

#[test]
fn a_code_that_says_too_little_asks_for_words() {
    let mut s = strict(80, 24);
    s.open(3).typed("N4204004\r");
    for _ in 0..9 {
        s.key(Code::Down);
    }
    s.key(Code::F(2));
    assert!(s.submitted().is_none());
    assert!(s.says("'other' needs a few words"), "{}", s.text());
    s.typed("MRI").key(Code::F(2));
    assert_eq!(giving(&s).why.warned, Some(reason("other", "MRI")));
}

#[test]
fn what_has_come_up_since_is_read_before_it_is_signed() {
    let mut s = strict(80, 24);
    open_with(&mut s, 2, |_| {});
    s.typed("N4204001\r");
    assert_eq!(s.model.mode(), Mode::Ready, "{}", s.text());
    // The sheet lies open until the dose is late.
    s.context.now += SignedDuration::from_mins(40);
    s.key(Code::F(2));
    assert!(s.submitted().is_none());
    assert!(s.says("Something has changed"), "{}", s.text());
    assert_eq!(s.model.mode(), Mode::Reason);
    s.key(Code::Down).key(Code::F(2));
    assert_eq!(giving(&s).why.despite, [Warned::Late]);
}

#[test]
fn the_desk_may_know_more_than_the_sheet() {
    let mut s = strict(80, 24);
    s.open(2).typed("N4204001\r").key(Code::F(2));
    s.outcome(Outcome::Refused(Refusal::ReasonRequired {
        missing: vec!["the same drug was given 5 min before".into()],
        warned: vec![Warned::SameDrug],
    }));
    let order = fixture().snapshot.orders[0].clone();
    assert_eq!(s.effects, [Effect::LoadDetail(order.id)]);
    assert!(
        s.says("NOT GIVEN. This needs a reason: the same drug"),
        "{}",
        s.text()
    );
    let mut now = detail(&order);
    now.recent = vec![Recent {
        at: s.context.now - SignedDuration::from_mins(5),
        prescription: PrescriptionId(Uuid::from_u128(77)),
        due_at: None,
    }];
    s.send(Msg::Reply(Reply::Detail {
        order: order.id,
        now: Ok(OrderNow::Open(Box::new(now))),
    }));
    assert_eq!(s.model.mode(), Mode::Reason);
    s.key(Code::Down).key(Code::F(2));
    assert_eq!(giving(&s).why.despite, [Warned::SameDrug]);
}

#[test]
fn a_dose_given_earlier_has_its_own_time_and_reason() {
    let mut s = strict(80, 24);
    s.open(2)
        .typed("N4204001\r")
        .key(Code::F(4))
        .typed("nonsense")
        .key(Code::F(2));
    assert!(s.says("'nonsense' is not a time"), "{}", s.text());
    s.ctrl('u').typed("02:50").key(Code::F(2));
    assert!(s.says("Why is it entered only now?"), "{}", s.text());
    assert_eq!(s.model.mode(), Mode::Reason);
    s.key(Code::Down).key(Code::F(2));
    let giving = giving(&s);
    assert_eq!(
        giving.given_at,
        Some(at(NOW) - SignedDuration::from_mins(22))
    );
    assert_eq!(giving.why.back_entry, Some(reason("downtime", "")));
}

#[test]
fn an_as_needed_dose_shows_the_last_four_and_asks_what_it_is_for() {
    let mut s = strict(80, 30);
    open_with(&mut s, 8, |detail| {
        let first = detail.givings[0].clone();
        detail.givings = vec![first; 4];
    });
    let shown = s.text().matches("Björn Haddad").count();
    assert!(shown >= 4, "{}", s.text());
    s.typed("N4204003\r").typed("2").key(Code::Tab);
    assert!(s.says("What is it for?"), "{}", s.text());
    s.key(Code::Down).key(Code::F(2));
    let giving = giving(&s);
    assert_eq!(giving.amount, Some(Quantity::units(2)));
    assert_eq!(giving.why.indication, Some(reason("pain", "")));
}

fn witnessed(found: Result<UserId, SignInFailure>) -> Reply {
    Reply::Witness {
        username: "greta".into(),
        found,
    }
}

/// The controlled drug of the fixture, ready to be signed.
fn morphine() -> Session {
    let mut s = strict(80, 24);
    s.open(7).typed("N4204001\r").key(Code::Down);
    s
}

#[test]
fn a_controlled_drug_is_signed_by_two_on_one_sheet() {
    let mut s = morphine();
    s.key(Code::F(2));
    assert!(s.submitted().is_none());
    assert_eq!(s.model.mode(), Mode::Witness);
    s.typed("greta\r").typed("4711").key(Code::F(2));
    let [Effect::CheckWitness { username, secret }] = &s.effects[..] else {
        panic!("{:?}", s.effects);
    };
    assert_eq!((username.as_str(), secret.0.as_str()), ("greta", "4711"));
    assert!(!s.text().contains("4711"), "a PIN is never shown");
    s.send(Msg::Reply(witnessed(Ok(SECOND))));
    let operation = s.submitted().unwrap();
    assert_eq!(operation.witness, Some(SECOND));
    assert_eq!(operation.actor, nurse().id);
}

#[test]
fn a_witness_is_another_person_with_the_right_pin() {
    let mut s = morphine();
    s.key(Code::F(2));
    s.key(Code::F(2));
    assert!(s.says("The witness types their user name"), "{}", s.text());
    s.typed("me\r").typed("1").key(Code::F(2));
    let me = Reply::Witness {
        username: "me".into(),
        found: Ok(nurse().id),
    };
    s.send(Msg::Reply(me));
    assert!(s.submitted().is_none());
    assert!(s.says("A witness is a second person."), "{}", s.text());
    s.typed("greta\r").typed("1").key(Code::F(2));
    let wrong = SignInFailure::Wrong {
        retry_at: s.context.now,
    };
    s.send(Msg::Reply(witnessed(Err(wrong))));
    assert!(s.submitted().is_none());
    assert!(
        s.says("Name and PIN do not belong together."),
        "{}",
        s.text()
    );
}

#[test]
fn a_witness_who_does_not_come_within_a_minute_leaves_nothing_behind() {
    let mut s = morphine();
    s.key(Code::F(2)).typed("greta\r").typed("47");
    let end = s.model.next_change(&s.context).unwrap();
    assert!(end <= s.context.now + SignedDuration::from_secs(60));
    s.context.now += SignedDuration::from_secs(60);
    s.send(Msg::Tick);
    assert!(
        s.says("No witness has signed within 60 seconds. Nothing was recorded."),
        "{}",
        s.text()
    );
    assert_ne!(s.model.mode(), Mode::Witness);
    // An answer that comes too late signs nothing.
    s.send(Msg::Reply(witnessed(Ok(SECOND))));
    assert!(s.submitted().is_none());
    s.key(Code::F(2))
        .typed("greta\r")
        .typed("4711")
        .key(Code::F(2));
    s.context.now += SignedDuration::from_secs(61);
    s.send(Msg::Reply(witnessed(Ok(SECOND))));
    assert!(s.submitted().is_none());
}

#[test]
fn what_is_not_given_says_why_and_may_come_back() {
    let mut s = strict(80, 24);
    s.select(2).typed("n");
    assert_eq!(s.model.mode(), Mode::Why);
    s.key(Code::F(2));
    assert!(s.says("Choose with the arrow keys"), "{}", s.text());
    s.key(Code::Down)
        .key(Code::Tab)
        .typed("05:00")
        .key(Code::F(2));
    let Some(Request::NotGiven(ask)) = s.submitted().map(|o| o.request) else {
        panic!("{:?}", s.effects);
    };
    assert_eq!(ask.outcome, GivingOutcome::Held);
    assert_eq!(ask.reason, reason("npo", ""));
    assert_eq!(ask.until, Some(at(NOW) + SignedDuration::from_mins(108)));
    let receipt = Receipt::NotGiven {
        administration: AdministrationId(Uuid::nil()),
        order: ask.order,
        outcome: ask.outcome,
        until: ask.until,
        at: at(NOW),
    };
    s.outcome(Outcome::Done(receipt));
    assert!(
        s.says("HELD. No stock has moved. It comes back at 05:00."),
        "{}",
        s.text()
    );
}

#[test]
fn only_a_held_dose_comes_back() {
    let mut s = strict(80, 24);
    s.select(2).typed("n");
    let held = Policy::default().reasons.of(ReasonKind::Held).len();
    for _ in 0..=held {
        s.key(Code::Down);
    }
    s.key(Code::Tab).typed("05:00").key(Code::F(2));
    assert!(s.submitted().is_none());
    assert!(s.says("Only a held dose comes back"), "{}", s.text());
    s.ctrl('u').key(Code::F(2));
    let Some(Request::NotGiven(ask)) = s.submitted().map(|o| o.request) else {
        panic!("{:?}\n{}", s.effects, s.text());
    };
    assert_eq!((ask.outcome, ask.until), (GivingOutcome::Refused, None));
}

#[test]
fn held_and_missed_doses_stand_in_their_own_groups() {
    let mut snapshot = fixture().snapshot;
    snapshot.orders[0].held_until = Some(at(NOW) + SignedDuration::from_mins(30));
    snapshot.orders[1].due_at = Some(at(NOW) - SignedDuration::from_mins(240));
    let mut s = Session::desk_of(&snapshot, 200, 60);
    s.context.policy = Arc::new(Policy::default());
    s.send(Msg::Tick);
    assert!(
        s.says("MISSED: give it, or record why not (1)"),
        "{}",
        s.text()
    );
    assert!(s.says("HELD (1)"), "{}", s.text());
    assert!(s.says("till 03:42"), "{}", s.text());
    // When it comes back it is due then, and not overdue since its first time.
    s.context.now += SignedDuration::from_mins(30);
    s.send(Msg::Tick);
    assert!(!s.says("HELD (1)"), "{}", s.text());
}

#[test]
fn an_entry_is_taken_back_with_every_question_answered() {
    let mut s = strict(80, 24);
    s.key(Code::Tab).key(Code::Tab).typed("c");
    assert_eq!(s.model.mode(), Mode::Why, "{}", s.text());
    s.key(Code::Down).key(Code::F(2));
    assert!(s.submitted().is_none());
    s.key(Code::Down)
        .key(Code::Tab)
        .key(Code::Down)
        .key(Code::F(2));
    let Some(Request::Correct(ask)) = s.submitted().map(|o| o.request) else {
        panic!("{:?}\n{}", s.effects, s.text());
    };
    assert_eq!(ask.reason, reason("not_given", ""));
    assert_eq!((ask.stock, ask.reopen), (Restock::Back, true));
    let mut snapshot = fixture().snapshot;
    snapshot.log[0].reversed = true;
    let mut s = Session::desk_of(&snapshot, 80, 24);
    s.key(Code::Tab).key(Code::Tab).typed("c");
    assert!(s.says("was taken back already"), "{}", s.text());
}

#[test]
fn the_effects_page_asks_whether_it_helped() {
    let mut s = strict(80, 24);
    s.typed("e");
    let ask = PageAsk {
        what: What::Effects(WARD),
        after: None,
    };
    assert!(
        s.effects.contains(&Effect::LoadPage(ask.clone())),
        "{:?}",
        s.effects
    );
    let dose = AskedDose {
        id: AdministrationId(Uuid::from_u128(5)),
        given_at: at(NOW) - SignedDuration::from_mins(75),
        bed: "9".into(),
        mrn: "N4204001".into(),
        patient: "Nyström, Annika".into(),
        drug: "Paracetamol 500mg Tablet".into(),
        quantity: Quantity::units(1),
        unit: "tab".into(),
        indication: reason("pain", "left knee"),
        by: "Greta Lindqvist".into(),
    };
    let answer = Answer {
        ask,
        found: Ok(Found {
            rows: Rows::Effects(vec![dose]),
            next: None,
            read_at: at(NOW),
        }),
    };
    s.send(Msg::Reply(Reply::Page(Box::new(answer))));
    assert!(s.says("1 h 15 ago"), "{}", s.text());
    s.key(Code::Enter);
    assert!(
        s.says("Did it help?") && s.says("pain: left knee"),
        "{}",
        s.text()
    );
    s.key(Code::Down).key(Code::F(2));
    let Some(Request::NoteEffect(helped)) = s.submitted().map(|o| o.request) else {
        panic!("{:?}\n{}", s.effects, s.text());
    };
    assert_eq!(helped.effect, reason("relieved", ""));
}
