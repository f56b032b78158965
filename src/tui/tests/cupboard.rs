//! The cupboard's sheets and pages, driven by keys.

use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::domain::cupboard::Verdict;
use crate::domain::shelf::{At as Place, Named, Refill, ToCount};
use crate::domain::{CountId, TransferId, UserId};
use crate::tui::pages::cupboard::{Ask, Lines};
use crate::tui::pages::{Answer, Found, PageAsk, Rows, What};

fn drug(id: i64, controlled: bool) -> Named {
    Named {
        id: DrugId(id),
        code: format!("D{id}"),
        name: "Morphine".to_owned(),
        strength: "2mg/mL Syringe".to_owned(),
        unit: "syringe".to_owned(),
        controlled,
    }
}

fn answer(s: &mut Session, ask: Ask, lines: Lines) {
    let asked = PageAsk {
        what: What::Cupboard(ask),
        after: None,
    };
    assert!(
        s.effects.contains(&Effect::LoadPage(asked.clone())),
        "{:?}",
        s.effects
    );
    s.send(Msg::Reply(Reply::Page(Box::new(Answer {
        ask: asked,
        found: Ok(Found {
            rows: Rows::Cupboard(Arc::new(lines)),
            next: None,
            read_at: at(NOW),
        }),
    }))));
}

#[test]
fn sending_asks_where_to_and_how_much() {
    let mut s = Session::desk(80, 24);
    s.key(Code::Tab).typed("s");
    assert!(s.says("is for a pharmacist"), "{}", s.text());
    let mut s = Session::desk_as(pharmacist(), &fixture().snapshot, 80, 24);
    s.key(Code::Tab).typed("s").key(Code::F(2));
    assert!(s.says("Type a ward's code"), "{}", s.text());
    let code = wards()[2].code.clone();
    s.typed(&code).key(Code::F(2));
    assert!(s.says("Type how many tab"), "{}", s.text());
    s.typed("0").key(Code::F(2));
    assert!(s.says("more than nothing"));
    s.key(Code::Backspace).typed("7").key(Code::F(2));
    let sent = s.submitted().unwrap();
    assert!(
        matches!(&sent.request, Request::Send { drug: DrugId(4), quantity, destination, .. }
            if *quantity == Quantity::units(7) && *destination == wards()[2].id),
        "{sent:?}"
    );
    s.outcome(Outcome::Done(Receipt::Sent {
        transfer: TransferId(uuid::Uuid::nil()),
        ward: ward().id,
        destination: wards()[2].id,
        drug: DrugId(4),
        quantity: Quantity::units(7),
        left: Quantity::units(3),
        at: at(NOW),
    }));
    assert!(s.says("SENT: 7 tab. 3 left here."), "{}", s.text());
}

fn counting(controlled: bool) -> Session {
    let mut s = Session::desk(80, 24);
    s.key(Code::Tab).typed("n");
    let line = ToCount {
        drug: drug(7, controlled),
        shelf: "B2".to_owned(),
        seq: 12,
        again: false,
        unexplained: None,
    };
    answer(&mut s, Ask::ToCount(ward().id), Lines::ToCount(vec![line]));
    assert!(s.says("Morphine") && s.says("B2"), "{}", s.text());
    s.key(Code::Enter);
    s
}

#[test]
fn a_count_is_blind_and_about_a_row_of_the_register() {
    let mut s = counting(false);
    assert!(
        s.says("What the register says is not shown"),
        "{}",
        s.text()
    );
    s.typed("8").key(Code::F(2));
    let sent = s.submitted().unwrap();
    assert!(
        matches!(sent.request, Request::Count { seq: 12, counted, .. } if counted == Quantity::units(8)),
        "{sent:?}"
    );
    s.outcome(Outcome::Done(Receipt::Counted {
        count: CountId(uuid::Uuid::nil()),
        ward: ward().id,
        drug: DrugId(7),
        verdict: Verdict::Recount,
        at: at(NOW),
    }));
    assert!(s.says("count it again"), "{}", s.text());
}

#[test]
fn a_controlled_drug_is_counted_with_a_witness_whose_pin_is_forgotten() {
    let mut s = counting(true);
    s.typed("8").key(Code::F(2));
    assert!(s.submitted().is_none());
    assert!(s.says("A second person must see this"), "{}", s.text());
    s.typed("björn").key(Code::Tab).typed("1234");
    assert!(!s.text().contains("1234"), "{}", s.text());
    s.context.now += SignedDuration::from_secs(61);
    s.send(Msg::Tick);
    assert!(s.says("was not used within a minute"), "{}", s.text());
    s.key(Code::F(2));
    assert!(s.submitted().is_none(), "it is gone");
    s.typed("1234").key(Code::F(2));
    assert!(
        matches!(&s.effects[..], [Effect::CheckWitness { username, secret }]
            if username == "björn" && secret.0 == "1234"),
        "{:?}",
        s.effects
    );
    let found = |found| {
        Msg::Reply(Reply::Witness {
            username: "björn".to_owned(),
            found,
        })
    };
    let wrong = crate::tui::model::SignInFailure::Wrong { retry_at: at(NOW) };
    s.send(found(Err(wrong)));
    assert!(s.submitted().is_none());
    assert!(s.says("do not belong together"), "{}", s.text());
    s.typed("9876").key(Code::F(2));
    s.send(found(Ok(UserId(9))));
    let sent = s.submitted().unwrap();
    assert_eq!(sent.witness, Some(UserId(9)));
}

#[test]
fn a_replenishment_sends_every_line_and_tells_what_became_of_each() {
    let mut s = Session::desk_as(pharmacist(), &fixture().snapshot, 80, 24);
    s.key(Code::Tab).typed("b");
    let pharmacy = &wards()[0];
    let source = Place {
        id: pharmacy.id,
        code: pharmacy.code.clone(),
        name: pharmacy.name.clone(),
    };
    let line = |id, quantity| Refill {
        drug: drug(id, false),
        current: Quantity::units(1),
        par: Quantity::units(9),
        coming: Quantity::ZERO,
        available: Quantity::units(quantity),
        quantity: Quantity::units(quantity),
    };
    let lines = Lines::Refills(source, vec![line(1, 8), line(2, 0), line(3, 2)]);
    answer(&mut s, Ask::Refills(ward().id), lines);
    s.key(Code::F(2));
    let sent: Vec<Operation> = s
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Submit { operation, .. } => Some((**operation).clone()),
            _ => None,
        })
        .collect();
    assert_eq!(sent.len(), 2, "of the second there is none");
    assert_ne!(sent[0].id, sent[1].id);
    s.key(Code::F(2));
    assert!(s.submitted().is_none(), "nothing is sent twice");
    for (operation, outcome) in sent.iter().zip([
        Outcome::Done(Receipt::Sent {
            transfer: TransferId(uuid::Uuid::nil()),
            ward: pharmacy.id,
            destination: ward().id,
            drug: DrugId(1),
            quantity: Quantity::units(8),
            left: Quantity::ZERO,
            at: at(NOW),
        }),
        Outcome::Refused(Refusal::Busy),
    ]) {
        s.send(Msg::Reply(Reply::Outcome {
            op: operation.id,
            outcome,
        }));
    }
    assert!(s.says("SENT") && s.says("NOT SENT"), "{}", s.text());
}
