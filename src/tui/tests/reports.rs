//! Reports: choosing one, its time and its ward, turning days, and paper.

use std::sync::Arc;

use jiff::SignedDuration;
use uuid::Uuid;

use super::*;
use crate::domain::mar::{DoseOfDay, Entry, Windows};
use crate::domain::report::fields::By;
use crate::domain::report::{
    self, Ask, Dose, Key as LineKey, Kind, Line, Period, Row, Span, Use, Who,
};
use crate::domain::shelf::Named;
use crate::tui::pages::{Answer, Found, PageAsk, Rows, What};

fn supervisor() -> Actor {
    Actor {
        id: UserId(14),
        name: "Sana Okafor".into(),
        role: Role::Supervisor,
        ..pharmacist()
    }
}

fn ask(kind: Kind, period: Period, ward: Option<WardId>, reader: UserId) -> PageAsk {
    PageAsk {
        what: What::Report(Ask { kind, ward, period }, reader),
        after: None,
    }
}

fn drug(id: i64, name: &str, strength: &str) -> Named {
    Named {
        id: DrugId(id),
        code: format!("D{id:03}"),
        name: name.into(),
        strength: strength.into(),
        unit: "tab".into(),
        controlled: false,
    }
}

/// A dose that was due so many minutes ago, and given so many after that, or not.
fn dose(n: u128, name: &str, ago: i64, given_after: Option<i64>) -> Dose {
    let due = at(NOW) - SignedDuration::from_mins(ago);
    let entry = given_after.map(|after| Entry {
        id: AdministrationId(Uuid::from_u128(n)),
        outcome: GivingOutcome::Given,
        quantity: "1".parse().unwrap(),
        at: due + SignedDuration::from_mins(after),
        recorded_at: due + SignedDuration::from_mins(after),
        by: "Greta Lindqvist".into(),
        reason: String::new(),
        reverses: None,
    });
    Dose {
        of: DoseOfDay {
            order: OrderId(Uuid::from_u128(n)),
            due: Some(due),
            status: if entry.is_some() {
                OrderStatus::Completed
            } else {
                OrderStatus::Active
            },
            held_until: None,
            change: String::new(),
            entries: entry.into_iter().collect(),
        },
        due,
        who: Who {
            mrn: format!("N{n:07}"),
            name: name.into(),
            bed: "9".into(),
        },
        drug: drug(1, "Metoprolol Tartrate", "25mg Tablet"),
        least: "1".parse().unwrap(),
        most: None,
    }
}

fn span() -> Span {
    Span {
        from: at(NOW) - SignedDuration::from_hours(24),
        to: at(NOW),
    }
}

fn page(kind: Kind, lines: Vec<(WardId, Line)>) -> report::Page {
    let rows = (0..).zip(lines).map(|(n, (ward, line))| Row {
        ward,
        key: LineKey {
            at: at(NOW),
            id: Uuid::nil(),
            n,
        },
        line,
    });
    report::Page {
        kind,
        rows: rows.collect(),
        next: None,
        spans: wards().into_iter().map(|ward| (ward, span())).collect(),
    }
}

fn doses() -> report::Page {
    let line = |dose| Line::Dose(Box::new(dose));
    page(
        Kind::Due,
        vec![
            (WARD, line(dose(1, "Nyström, Annika", 700, Some(5)))),
            (
                WARD,
                line(dose(2, "El-Sayed, Omar \u{1b}[2J", 640, Some(75))),
            ),
            (WARD, line(dose(3, "O'Connor, Josephine", 500, None))),
            (WardId(8), line(dose(4, "Lin, Mei-Ling", 30, None))),
        ],
    )
}

fn answered(ask: PageAsk, page: report::Page) -> Msg {
    Msg::Reply(Reply::Page(Box::new(Answer {
        ask,
        found: Ok(Found {
            rows: Rows::Report(Arc::new(page)),
            next: None,
            read_at: at(NOW),
        }),
    })))
}

/// The report of doses due, as the supervisor sees it.
fn due(width: u16, height: u16) -> Session {
    let mut s = Session::desk_as(supervisor(), &fixture().snapshot, width, height);
    s.typed("t").key(Code::Enter);
    let first = ask(Kind::Due, Period::default(), None, UserId(14));
    assert_eq!(s.effects, [Effect::LoadPage(first.clone())]);
    s.send(answered(first, doses()));
    s
}

#[test]
fn a_report_at_every_size() {
    for (width, height) in [(80, 24), (200, 50), (40, 12)] {
        assert_snapshot!(
            format!("report_{width}x{height}"),
            due(width, height).screen()
        );
    }
    let theme = Theme::new(Colours::None, Charset::Ascii);
    assert_snapshot!("report_mono_ascii_80x24", due(80, 24).screen_with(&theme));
}

#[test]
fn who_may_not_read_one_is_not_offered_it() {
    let mut s = Session::desk(80, 24);
    s.typed("t");
    assert!(
        s.says("WHICH REPORT?") && s.says("stock-outs"),
        "{}",
        s.text()
    );
    assert!(
        !s.says("wrong-patient") && !s.says("overrides"),
        "{}",
        s.text()
    );
    let mut s = Session::desk_as(supervisor(), &fixture().snapshot, 80, 24);
    s.typed("twrong");
    assert!(s.says("wrong-patient"), "{}", s.text());
}

#[test]
fn enter_opens_the_patients_record() {
    let mut s = due(80, 24);
    s.key(Code::Down).key(Code::Enter);
    assert_eq!(s.model.mode(), Mode::Record);
    let what = What::Record {
        mrn: "N0000002".into(),
        day: None,
    };
    assert_eq!(s.effects, [Effect::LoadPage(PageAsk { what, after: None })]);
    s.key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Report, "the report lies below");
}

#[test]
fn days_are_turned_and_the_last_24_hours_are_a_key_away() {
    let mut s = due(80, 24);
    let day = |text: &str| {
        let period = Period::day(text.parse().unwrap());
        [Effect::LoadPage(ask(Kind::Due, period, None, UserId(14)))]
    };
    s.key(Code::Left);
    assert_eq!(
        s.effects,
        day("2026-11-22"),
        "yesterday, by the ward's clock"
    );
    s.key(Code::Left);
    assert_eq!(s.effects, day("2026-11-21"));
    s.key(Code::Right);
    assert_eq!(s.effects, day("2026-11-22"));
    s.typed("t");
    let first = ask(Kind::Due, Period::default(), None, UserId(14));
    assert_eq!(s.effects, [Effect::LoadPage(first)]);
}

#[test]
fn time_and_ward_are_typed_and_what_makes_no_sense_is_told_in_its_place() {
    let mut s = due(80, 24);
    s.typed("f");
    assert_eq!(s.model.mode(), Mode::Asking);
    s.typed("soon").key(Code::Enter);
    assert!(s.effects.is_empty());
    assert!(s.says("'soon' is not a time: 2026-11-23"), "{}", s.text());
    s.ctrl('u').typed("2026-11-21");
    s.key(Code::Tab).typed("2026-11-20").key(Code::Enter);
    assert!(
        s.says("the beginning must be before the end"),
        "{}",
        s.text()
    );
    s.ctrl('u').typed("2026-11-19");
    s.key(Code::Tab)
        .key(Code::Tab)
        .typed("nowhere")
        .key(Code::Enter);
    assert!(s.says("There is no ward 'nowhere'."), "{}", s.text());
    assert!(s.says("2026-11-19"), "what was typed is still there");
    s.ctrl('u').typed("surg1").key(Code::Enter);
    let period = Period {
        from: Some(report::Moment::read("2026-11-19").unwrap()),
        to: Some(report::Moment::read("2026-11-20").unwrap()),
    };
    let expected = ask(Kind::Due, period, Some(WardId(8)), UserId(14));
    assert_eq!(s.effects, [Effect::LoadPage(expected)]);
    assert_eq!(s.model.mode(), Mode::Report);
    s.typed("f");
    assert!(
        s.says("SURG1") && s.says("2026-11-19"),
        "it begins with what is shown"
    );
    s.key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Report);
}

#[test]
fn a_report_stands_still() {
    let mut s = due(80, 24);
    assert!(!s.model.follows_hospital());
    s.context.now = at(NOW) + SignedDuration::from_mins(10);
    s.send(Msg::Tick);
    assert!(s.effects.is_empty());
    assert!(s.says("read 03:12"), "{}", s.text());
}

#[test]
fn a_refusal_is_told_on_the_page() {
    let mut s = Session::desk_as(supervisor(), &fixture().snapshot, 80, 24);
    s.typed("t").key(Code::Enter);
    s.send(Msg::Reply(Reply::Page(Box::new(Answer {
        ask: ask(Kind::Due, Period::default(), None, UserId(14)),
        found: Err("Sana Okafor may not read the report".into()),
    }))));
    assert!(
        s.says("NOT READ: Sana Okafor may not read the report"),
        "{}",
        s.text()
    );
}

#[test]
fn stock_use_fits_the_norm() {
    let quantity = |text: &str| -> Quantity { text.parse().unwrap() };
    let line = Use {
        drug: drug(2, "Furosemide", "40mg Tablet"),
        given: quantity("123.5"),
        wasted: quantity("2"),
        sent: Quantity::ZERO,
        returned: quantity("10"),
        adjusted: Quantity(-500),
        came: quantity("1000"),
    };
    let first = ask(Kind::Use, Period::default(), None, UserId(14));
    let mut s = Session::desk_as(supervisor(), &fixture().snapshot, 80, 24);
    s.typed("tuse").key(Code::Enter);
    s.send(answered(
        first,
        page(Kind::Use, vec![(WARD, Line::Use(Box::new(line)))]),
    ));
    for said in ["Furosemide", "123.5", "-0.5", "1000"] {
        assert!(s.says(said), "{said}: {}", s.text());
    }
}

#[test]
fn on_paper() {
    let policy = Policy::default();
    let by = By {
        now: at(NOW),
        policy: &policy,
        windows: Windows {
            due: SignedDuration::from_mins(60),
            missed: SignedDuration::from_hours(4),
        },
    };
    for columns in [132, 80] {
        let text = crate::tui::pages::report::text(&doses(), &by, "Sana Okafor", columns);
        let widest = text.lines().map(crate::tui::widgets::text::width).max();
        assert!(widest <= Some(columns), "{widest:?}");
        assert!(!text.contains('\u{1b}'));
        assert_snapshot!(format!("report_paper_{columns}"), text);
    }
}
