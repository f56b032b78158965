//! Pages written to a file, or shown as text where files are not the person's; what expires; what is entered after a
//! downtime.

use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use uuid::Uuid;

use super::*;
use crate::domain::OrderKind;
use crate::domain::mar::DoseOfDay;
use crate::domain::report::{self, Dose, Key as LineKey, Kind, Line, Period, Row, Span, Who};
use crate::domain::shelf::Named;
use crate::domain::snapshot::QueuedOrder;
use crate::tui::pages::{Answer, Found, PageAsk, Rows, What};

fn with_files() -> Session {
    let mut s = Session::desk(80, 24);
    s.context.files = Some(Arc::from(Path::new("/home/g.lind/valmed")));
    s
}

#[test]
fn a_page_is_written_where_the_person_says_and_nothing_is_written_over() {
    let mut s = with_files();
    s.typed("u").typed("w");
    assert_eq!(s.model.mode(), Mode::Asking);
    assert!(s.says("WRITE THIS PAGE TO A FILE"), "{}", s.text());
    s.ctrl('u')
        .typed("ward.txt")
        .key(Code::Tab)
        .ctrl('u')
        .typed("9")
        .key(Code::Enter);
    assert!(s.effects.is_empty());
    assert!(s.says("how many columns the paper has"), "{}", s.text());
    s.ctrl('u').typed("80").key(Code::Enter);
    let [Effect::Save { name, text }] = s.effects.as_slice() else {
        panic!("{:?}", s.effects)
    };
    assert_eq!(name, "ward.txt");
    assert!(text.starts_with("PATIENTS"), "{text}");
    assert!(
        text.contains("General Medicine 3") && text.contains("by Greta Lindqvist"),
        "{text}"
    );
    s.send(Msg::Reply(Reply::Saved(Err(
        "ward.txt is there already".into()
    ))));
    assert_eq!(
        s.model.mode(),
        Mode::Asking,
        "what was typed is still there"
    );
    assert!(s.says("ward.txt is there already"), "{}", s.text());
    s.key(Code::Enter);
    s.send(Msg::Reply(Reply::Saved(Ok(
        "/home/g.lind/valmed/ward.txt".into()
    ))));
    assert_eq!(s.model.mode(), Mode::Patients);
    assert!(
        s.says("Written to /home/g.lind/valmed/ward.txt"),
        "{}",
        s.text()
    );
}

#[test]
fn where_the_files_are_not_the_persons_the_text_is_shown() {
    let mut s = Session::desk(80, 24);
    s.typed("a").typed("w");
    assert!(s.effects.is_empty());
    assert_eq!(s.model.mode(), Mode::Text);
    assert!(s.says("NO FILE IS WRITTEN AT THE SERVER"), "{}", s.text());
    assert!(s.says("ssh HOST valmed report"), "{}", s.text());
    s.typed("jjk").key(Code::End).key(Code::Home).key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Board);
}

#[test]
fn what_expires_is_said_in_the_stock_pane() {
    let mut snapshot = fixture().snapshot;
    let on = |day: &str| Some(day.parse().unwrap());
    snapshot.stock[0].expires_on = on("2026-12-20");
    snapshot.stock[3].expires_on = on("2026-11-22");
    snapshot.stock[4].expires_on = on("2027-01-30");
    for (width, height) in [(80, 24), (200, 50), (40, 12)] {
        let mut s = Session::desk_of(&snapshot, width, height);
        s.key(Code::Tab);
        assert!(s.says("2 expiring"), "{}", s.text());
        for _ in 0..7 {
            s.key(Code::Down);
        }
        s.typed("/acetaz").key(Code::Enter);
        assert!(s.says("EXP 20 Dec"), "{}", s.text());
        s.typed("/metoprolol").key(Code::Enter);
        assert!(s.says("EXPIRED"), "{}", s.text());
        s.typed("/morphine").key(Code::Enter);
        assert!(!s.says("EXP 30 Jan"), "not within 30 days: {}", s.text());
    }
}

fn ask(period: Period) -> PageAsk {
    PageAsk {
        what: What::BackEntry(WARD, period),
        after: None,
    }
}

fn answered(period: Period, orders: &[&QueuedOrder]) -> Msg {
    let line = |order: &QueuedOrder| Dose {
        of: DoseOfDay {
            order: order.id,
            due: order.due_at,
            status: OrderStatus::Active,
            held_until: None,
            change: String::new(),
            entries: Vec::new(),
        },
        due: order.due_at.unwrap(),
        who: Who {
            mrn: order.patient.mrn.clone(),
            name: order.patient.name.clone(),
            bed: order.patient.bed.clone(),
        },
        drug: Named {
            id: order.drug.id,
            code: order.drug.code.clone(),
            name: order.drug.name.clone(),
            strength: order.drug.strength.clone(),
            unit: order.drug.unit.clone(),
            controlled: false,
        },
        least: order.dose.least,
        most: order.dose.most,
    };
    let rows = orders.iter().map(|order| Row {
        ward: WARD,
        key: LineKey {
            at: order.due_at.unwrap(),
            id: order.id.0,
            n: 0,
        },
        line: Line::Dose(Box::new(line(order))),
    });
    let span = Span {
        from: at(NOW) - SignedDuration::from_hours(3),
        to: at(NOW),
    };
    let page = report::Page {
        kind: Kind::Missed,
        rows: rows.collect(),
        next: None,
        spans: vec![(wards().remove(1), span)],
    };
    Msg::Reply(Reply::Page(Box::new(Answer {
        ask: ask(period),
        found: Ok(Found {
            rows: Rows::Report(Arc::new(page)),
            next: None,
            read_at: at(NOW),
        }),
    })))
}

#[test]
fn a_downtime_is_worked_through_dose_by_dose() {
    let snapshot = fixture().snapshot;
    let order = |n: u128| {
        let mut orders = snapshot.orders.iter();
        orders
            .find(|o| o.id == OrderId(Uuid::from_u128(n)))
            .unwrap()
    };
    let mut s = Session::desk(80, 24);
    s.context.policy = Arc::new(Policy::default());
    s.typed("b");
    assert!(
        s.says("WHICH DOWNTIME?") && s.says("downtime"),
        "{}",
        s.text()
    );
    s.typed("later").key(Code::Enter);
    assert!(s.says("'later' is not a time"), "{}", s.text());
    s.ctrl('u').typed("00:30").key(Code::Enter);
    let period = Period {
        from: Some(report::Moment::read("00:30").unwrap()),
        to: None,
    };
    assert_eq!(s.effects, [Effect::LoadPage(ask(period))]);
    s.send(answered(period, &[order(3), order(2)]));
    assert_eq!(s.model.mode(), Mode::BackEntry);
    assert!(
        s.says("2 doses left") && s.says("system was down"),
        "{}",
        s.text()
    );
    // The sheet asks when it was given, and its reason is chosen.
    s.key(Code::Enter).send(reply_detail(order(3)));
    s.typed("N4204004\r");
    assert_eq!(s.model.mode(), Mode::Form, "{}", s.text());
    s.key(Code::F(2));
    assert!(s.submitted().is_none());
    assert!(s.says("Type when it was given"), "{}", s.text());
    s.typed("02:10").key(Code::F(2));
    let Some(Request::Fulfil(giving)) = s.submitted().map(|o| o.request) else {
        panic!("{}", s.text())
    };
    assert_eq!(giving.given_at, Some(at("2026-11-23T01:10:00Z")));
    assert_eq!(giving.why.back_entry.unwrap().code, "downtime");
    assert_eq!(giving.why.warned, None, "it was given in time");
    let receipt = Receipt::Given {
        administration: AdministrationId(Uuid::from_u128(77)),
        order: order(3).id,
        ward: WARD,
        drug: order(3).drug.id,
        quantity: "1".parse().unwrap(),
        left: "7".parse().unwrap(),
        at: at(NOW),
    };
    s.outcome(Outcome::Done(receipt)).key(Code::Enter);
    assert_eq!(s.model.mode(), Mode::BackEntry, "back on the list");
    s.send(answered(period, &[order(2)]));
    assert!(s.says("1 dose left"), "{}", s.text());
    s.send(answered(period, &[]));
    assert!(
        s.says("nothing left (system was down) of") && s.says("as needed"),
        "{}",
        s.text()
    );
    // What is given as needed is below, and is entered like the others.
    let as_needed = |order: &&QueuedOrder| order.kind == OrderKind::Prn;
    let last = snapshot.orders.iter().rfind(as_needed).unwrap();
    s.key(Code::End).key(Code::Enter).send(reply_detail(last));
    assert!(s.says("as needed (PRN)"), "{}", s.text());
    s.typed(&format!("{}\r", last.patient.mrn));
    assert!(s.says("Given at"), "{}", s.text());
}
