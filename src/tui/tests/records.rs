//! The patient record, prescribing, a doctor's own list, and the patients of a ward.

use std::sync::Arc;

use jiff::SignedDuration;
use uuid::Uuid;

use super::*;
use crate::domain::mar::{DoseOfDay, Entry, Line, Record, Windows};
use crate::domain::prescribed::{Candidate, Person, Prescribed};
use crate::domain::prescribing::PrescribingWarning;
use crate::domain::snapshot::{Dose, Drug};
use crate::domain::vocabulary::PrescriptionStatus;
use crate::tui::pages::{Answer, Found, PageAsk, Rows, What};
use crate::tui::record::print;

const SIZES: [(u16, u16); 3] = [(80, 24), (200, 50), (40, 12)];

fn hours(hours: i64) -> jiff::Timestamp {
    at("2026-11-22T23:00:00Z") + SignedDuration::from_hours(hours)
}

fn entry(n: u128, outcome: GivingOutcome, when: jiff::Timestamp, by: &str) -> Entry {
    Entry {
        id: AdministrationId(Uuid::from_u128(n)),
        outcome,
        quantity: Quantity::units(1),
        at: when,
        recorded_at: when,
        by: by.into(),
        reason: String::new(),
        reverses: None,
    }
}

fn dose(n: u128, due: i64, status: OrderStatus, entries: Vec<Entry>) -> DoseOfDay {
    DoseOfDay {
        order: OrderId(Uuid::from_u128(n)),
        due: Some(hours(due)),
        status,
        held_until: None,
        change: String::new(),
        entries,
    }
}

fn prescribed(
    n: u128,
    drug: Drug,
    kind: OrderKind,
    frequency: &str,
    doses: Vec<DoseOfDay>,
) -> Line {
    Line {
        prescription: PrescriptionId(Uuid::from_u128(n)),
        version: 3,
        drug,
        dose: Dose {
            least: Quantity::units(1),
            most: None,
            written: String::new(),
        },
        route: "PO".into(),
        frequency: frequency.into(),
        limits: String::new(),
        kind,
        priority: Priority::Routine,
        prescriber: "Oskar Brandt".into(),
        start: hours(-48),
        stop: None,
        status: PrescriptionStatus::Active,
        ended_at: None,
        ended_by: None,
        doses,
    }
}

/// A night at 03:12: given, held, late, missed, due, to come, stopped; and morphine as needed.
fn record() -> Record {
    use OrderStatus::{Active, Completed, Discontinued};
    let patient = patient(1, "4", "Kowalska, Zoë", "1948-10-19", "Penicillin; Latex");
    let given = |n, due, late: i64| {
        let when = hours(due) + SignedDuration::from_mins(late);
        let entries = vec![entry(
            100 + n,
            GivingOutcome::Given,
            when,
            "Greta Lindqvist",
        )];
        dose(n, due, Completed, entries)
    };
    let mut held = entry(300, GivingOutcome::Held, hours(2), "Björn Haddad");
    held.reason = "vital signs outside the limits".into();
    held.quantity = Quantity::ZERO;
    let mut stopped = prescribed(
        4,
        drug(8, "Furosemide", "40mg Tablet", "tab"),
        OrderKind::Timed,
        "DAILY",
        vec![dose(40, 8, Discontinued, Vec::new())],
    );
    stopped.status = PrescriptionStatus::Discontinued;
    stopped.ended_at = Some(hours(1));
    let mut morphine = prescribed(
        5,
        Drug {
            high_alert: true,
            ..drug(3, "Morphine Sulfate", "2mg/mL Syringe", "syringe")
        },
        OrderKind::Prn,
        "PRN Q4H MAX 4",
        Vec::new(),
    );
    morphine.limits = "at least 4 h apart, at most 4 in 24 h".into();
    let when = hours(1) + SignedDuration::from_mins(20);
    morphine.doses = vec![DoseOfDay {
        due: None,
        ..dose(
            50,
            0,
            Completed,
            vec![entry(500, GivingOutcome::Given, when, "Greta Lindqvist")],
        )
    }];
    Record {
        patient: (*patient).clone(),
        version: 7,
        ward: ward(),
        discharged_at: None,
        day: jiff::civil::date(2026, 11, 23),
        from: hours(0),
        to: hours(24),
        lines: vec![
            prescribed(
                1,
                drug(1, "Metoprolol Tartrate", "25mg Tablet", "tab"),
                OrderKind::Timed,
                "BID",
                vec![
                    given(10, 2, 7),
                    dose(11, 8, Active, Vec::new()),
                    dose(12, 20, Active, Vec::new()),
                ],
            ),
            prescribed(
                2,
                drug(4, "Paracetamol", "500mg Tablet", "tab"),
                OrderKind::Timed,
                "Q6H",
                vec![
                    dose(20, 2, Completed, vec![held]),
                    dose(21, 3, Active, Vec::new()),
                ],
            ),
            prescribed(
                3,
                drug(6, "Vancomycin", "1000 mg / 200 mL Bag", "bag"),
                OrderKind::Timed,
                "DAILY",
                vec![dose(30, -2, Active, Vec::new())],
            ),
            stopped,
            morphine,
        ],
        read_at: at(NOW),
    }
}

fn today() -> PageAsk {
    asked(None)
}

fn asked(day: Option<jiff::civil::Date>) -> PageAsk {
    PageAsk {
        what: What::Record { mrn: mrn(), day },
        after: None,
    }
}

/// The number of the patient whose dose is selected first.
fn mrn() -> String {
    fixture().snapshot.orders[2].patient.mrn.clone()
}

fn answer(ask: PageAsk, rows: Rows) -> Msg {
    Msg::Reply(Reply::Page(Box::new(Answer {
        ask,
        found: Ok(Found {
            rows,
            next: None,
            read_at: at(NOW),
        }),
    })))
}

fn shown(record: Record) -> Msg {
    answer(today(), Rows::Record(Arc::new(record)))
}

fn doctors(width: u16, height: u16) -> Session {
    Session::desk_as(doctor(), &fixture().snapshot, width, height)
}

fn with_record(width: u16, height: u16) -> Session {
    let mut s = doctors(width, height);
    s.typed("m");
    assert_eq!(s.effects, [Effect::LoadPage(today())]);
    s.send(shown(record()));
    s
}

fn candidates() -> Vec<Candidate> {
    let of = |drug: Drug, stock: Option<i64>| Candidate {
        drug,
        stock: stock.map(Quantity::units),
    };
    vec![
        of(drug(4, "Paracetamol", "500mg Tablet", "tab"), Some(0)),
        of(drug(41, "Penicillin G", "1 MU Vial", "vial"), None),
        of(drug(42, "Perindopril", "4mg Tablet", "tab"), Some(30)),
    ]
}

/// A doctor who has chosen the drug at that place of the list.
fn prescribing(width: u16, height: u16, down: usize) -> Session {
    let mut s = with_record(width, height);
    s.effects.clear();
    s.typed("p");
    let ask = |name: &str| Effect::FindDrugs {
        ward: WARD,
        name: name.into(),
    };
    assert_eq!(s.effects, [ask("")]);
    s.effects.clear();
    s.typed("p");
    assert_eq!(s.effects, [ask("p")]);
    s.send(Msg::Reply(Reply::Drugs {
        name: "p".into(),
        found: Ok(candidates()),
    }));
    for _ in 0..down {
        s.key(Code::Down);
    }
    s.key(Code::Enter);
    s.effects.clear();
    s
}

fn fill(s: &mut Session, fields: &[&str]) {
    for text in fields {
        s.typed(text).key(Code::Tab);
    }
}

fn submitted(s: &Session) -> Option<Request> {
    s.effects.iter().find_map(|effect| match effect {
        Effect::Submit { operation, .. } => Some(operation.request.clone()),
        _ => None,
    })
}

#[test]
fn the_record_at_every_size() {
    for (width, height) in SIZES {
        let screen = with_record(width, height).screen();
        assert_snapshot!(format!("record_{width}x{height}"), screen);
    }
}

#[test]
fn the_record_without_colours_and_with_seven_bits() {
    let theme = Theme::new(Colours::None, Charset::Ascii);
    assert_snapshot!(
        "record_mono_ascii_80x24",
        with_record(80, 24).screen_with(&theme)
    );
}

#[test]
fn the_record_on_paper() {
    let windows = Windows {
        due: SignedDuration::from_mins(60),
        missed: SignedDuration::from_mins(240),
    };
    for columns in [132, 80] {
        let text = print::text(&record(), at(NOW), windows, columns);
        assert!(text.lines().all(|line| line.chars().count() <= columns));
        assert_snapshot!(format!("record_paper_{columns}"), text);
    }
}

#[test]
fn a_day_with_more_times_than_columns_is_gathered_by_hours() {
    let mut busy = record();
    let doses = (0..24).map(|hour| dose(1000 + hour, hour as i64, OrderStatus::Active, Vec::new()));
    busy.lines[0].doses = doses.collect();
    let mut s = with_record(80, 24);
    s.send(shown(busy));
    assert!(s.says("00-03") && s.says("21-24"), "{}", s.text());
    assert!(s.says("0 of 3"), "{}", s.text());
}

#[test]
fn the_record_turns_by_day_and_comes_back() {
    let mut s = with_record(80, 24);
    s.effects.clear();
    s.key(Code::Left);
    let before = jiff::civil::date(2026, 11, 22);
    assert_eq!(s.effects, [Effect::LoadPage(asked(Some(before)))]);
    let mut yesterday = record();
    yesterday.day = before;
    yesterday.lines.clear();
    s.send(answer(
        asked(Some(before)),
        Rows::Record(Arc::new(yesterday)),
    ));
    assert!(
        s.says("Sun 22 Nov 2026") && s.says("Nothing is prescribed"),
        "{}",
        s.text()
    );
    s.effects.clear();
    s.typed("t");
    assert_eq!(s.effects, [Effect::LoadPage(today())]);
    s.send(shown(record())).key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Queue);
}

#[test]
fn the_selected_drug_tells_what_became_of_its_doses() {
    let mut s = with_record(80, 24);
    s.key(Code::Down);
    assert!(s.says("held by Björn Haddad"), "{}", s.text());
    s.key(Code::Down);
    assert!(s.says("MISSED, nobody accounted for it"), "{}", s.text());
    s.key(Code::End);
    assert!(s.says("at most 4 in 24 h"), "{}", s.text());
}

#[test]
fn a_prescription_says_what_was_understood_and_is_signed_as_that() {
    let mut s = prescribing(80, 24, 2);
    fill(&mut s, &["1-2", "po", "prn q6h max 4"]);
    assert!(
        s.says("as needed: at least 6 h apart, at most 4 in 24 h"),
        "{}",
        s.text()
    );
    assert!(s.says("MED3 holds 30 tab"), "{}", s.text());
    assert_snapshot!("prescribe_80x24", s.screen());
    s.key(Code::F(2));
    let Some(Request::Prescribe(ask)) = submitted(&s) else {
        panic!("{:?} {}", s.effects, s.text());
    };
    assert_eq!((ask.version, ask.drug), (7, DrugId(42)));
    assert_eq!(
        (ask.dose, ask.most),
        (Quantity::units(1), Some(Quantity::units(2)))
    );
    assert_eq!(
        (ask.route.as_str(), ask.frequency.as_str()),
        ("PO", "PRN Q6H MAX 4")
    );
    assert_eq!(ask.schedule.to_string(), "prn min 360m max/24h 4");
    assert!(ask.overrides.is_empty() && !ask.stat);
    assert_eq!((ask.start, ask.stop), (None, None));
}

#[test]
fn an_allergy_and_a_duplicate_ask_why() {
    let mut s = prescribing(80, 24, 1);
    assert!(s.says("allergy recorded: Penicillin"), "{}", s.text());
    assert!(s.says("MED3 does not stock it"), "{}", s.text());
    fill(&mut s, &["1", "iv", "stat"]);
    s.key(Code::F(2));
    assert!(
        submitted(&s).is_none() && s.says("Why all the same?"),
        "{}",
        s.text()
    );
    assert_snapshot!("prescribe_warned_80x24", s.screen());
    s.typed("2").key(Code::F(2));
    let Some(Request::Prescribe(ask)) = submitted(&s) else {
        panic!("{:?} {}", s.effects, s.text());
    };
    assert_eq!(ask.overrides.len(), 1);
    assert_eq!(ask.overrides[0].kind, PrescribingWarning::Allergy);
    assert_eq!(ask.overrides[0].reason.code, "patient_need");
    assert!(ask.stat);

    let s = prescribing(80, 24, 0);
    assert!(
        s.says("prescribed already: Paracetamol 500mg Tablet"),
        "{}",
        s.text()
    );
    assert!(s.says("OUT in MED3"), "{}", s.text());
}

#[test]
fn what_is_missing_or_not_understood_is_said_and_nothing_typed_is_lost() {
    let mut s = prescribing(80, 24, 2);
    for (fields, say) in [(&[][..], "Type how many tab"), (&["x"], "not a number")] {
        fill(&mut s, fields);
        s.key(Code::F(2));
        assert!(
            submitted(&s).is_none() && s.says(say),
            "{say}: {}",
            s.text()
        );
    }
    let mut s = prescribing(80, 24, 2);
    fill(&mut s, &["1", "po", "titrate", "whenever"]);
    s.key(Code::F(2));
    assert!(s.says("'whenever' is no time"), "{}", s.text());
    assert!(s.says("titrate"), "what was typed is there: {}", s.text());
}

#[test]
fn a_whole_prescription_ends_from_the_queue_and_from_the_record() {
    let mut s = doctors(80, 24);
    s.typed("x");
    assert!(s.says("END A PRESCRIPTION"), "{}", s.text());
    s.key(Code::F(2));
    assert!(
        submitted(&s).is_none() && s.says("Type the number of a reason"),
        "{}",
        s.text()
    );
    s.typed("2").key(Code::F(2));
    let queued = &fixture().snapshot.orders[2];
    let expected = Request::DiscontinuePrescription {
        prescription: queued.prescription,
        version: queued.prescription_version,
        reason: Reason {
            code: "finished".into(),
            text: String::new(),
        },
    };
    assert_eq!(submitted(&s), Some(expected));

    let mut s = with_record(80, 24);
    s.typed("x").typed("1").key(Code::F(2));
    let Some(Request::DiscontinuePrescription {
        prescription,
        version,
        ..
    }) = submitted(&s)
    else {
        panic!("{}", s.text());
    };
    assert_eq!(
        (prescription, version),
        (PrescriptionId(Uuid::from_u128(1)), 3)
    );
    let mut s = with_record(80, 24);
    s.key(Code::Down).key(Code::Down).key(Code::Down).typed("x");
    assert!(s.says("has ended already"), "{}", s.text());
}

#[test]
fn who_may_not_is_told_before_a_sheet_opens() {
    let mut s = Session::desk(80, 24);
    for key in ["x", "p", "o"] {
        s.typed(key);
        assert_eq!(s.model.mode(), Mode::Queue, "{key}");
        assert!(s.says("doctor"), "{key}: {}", s.text());
    }
    s.typed("m").send(shown(record())).typed("p");
    assert!(s.says("To prescribe is for a doctor"), "{}", s.text());
}

fn mine() -> Vec<Prescribed> {
    let of = |n: u128, drug: &str, done, waiting, status| Prescribed {
        prescription: PrescriptionId(Uuid::from_u128(n)),
        version: 1,
        patient: PatientId(Uuid::from_u128(0x1001)),
        mrn: "N4204001".into(),
        name: "Kowalska, Zoë".into(),
        bed: "4".into(),
        ward: "MED3".into(),
        time_zone: "Europe/Berlin".into(),
        drug: drug.into(),
        strength: "500mg Tablet".into(),
        unit: "tab".into(),
        dose: Dose {
            least: Quantity::units(1),
            most: Some(Quantity::units(2)),
            written: String::new(),
        },
        route: "PO".into(),
        frequency: "PRN Q6H MAX 4".into(),
        schedule: "prn min 360m max/24h 4".into(),
        priority: Priority::Routine,
        start: hours(-48),
        stop: None,
        status,
        ended_at: None,
        written_at: hours(-48),
        done,
        waiting,
        last_given: (done > 0).then(|| hours(1)),
    };
    vec![
        of(3, "Paracetamol", 5, 0, PrescriptionStatus::Active),
        of(2, "Metoprolol Tartrate", 0, 2, PrescriptionStatus::Active),
        of(1, "Furosemide", 1, 0, PrescriptionStatus::Discontinued),
    ]
}

#[test]
fn my_orders_lead_to_the_record() {
    let mut s = doctors(80, 24);
    s.typed("o");
    let ask = PageAsk {
        what: What::Mine {
            doctor: doctor().id,
        },
        after: None,
    };
    assert_eq!(s.effects, [Effect::LoadPage(ask.clone())]);
    s.send(answer(ask, Rows::Mine(mine())));
    assert_snapshot!("my_orders_80x24", s.screen());
    s.effects.clear();
    s.key(Code::Enter);
    assert_eq!(s.model.mode(), Mode::Record);
    s.key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Mine, "closing bares the list");
}

fn people() -> Vec<Person> {
    let of = |n: u128, bed: &str, name: &str, allergies: &str| Person {
        patient: (*patient(n, bed, name, "1948-10-19", allergies)).clone(),
        version: 4,
        ward: ward(),
        discharged_at: None,
    };
    vec![
        of(1, "4", "Kowalska, Zoë", "Penicillin; Latex"),
        of(2, "7", "Haddad, Omar", ""),
    ]
}

fn with_patients(actor: Actor) -> Session {
    let mut s = Session::desk_as(actor, &fixture().snapshot, 80, 24);
    s.typed("u");
    let ask = PageAsk {
        what: What::Patients { ward: WARD },
        after: None,
    };
    assert_eq!(s.effects, [Effect::LoadPage(ask.clone())]);
    s.send(answer(ask, Rows::Patients(people())));
    s.effects.clear();
    s
}

#[test]
fn patients_come_move_and_leave_from_their_page() {
    let mut s = with_patients(doctor());
    assert_snapshot!("patients_80x24", s.screen());
    s.typed("n");
    s.key(Code::F(2));
    assert!(s.says("Type the number on the wristband"), "{}", s.text());
    fill(&mut s, &["N77", "Frei, Frieda", "29.2.60"]);
    s.key(Code::F(2));
    assert!(s.says("is not a date such as"), "{}", s.text());
    assert!(submitted(&s).is_none());

    let mut s = with_patients(doctor());
    s.typed("v").key(Code::Tab).typed("9").key(Code::F(2));
    let Some(Request::Move {
        version, ward, bed, ..
    }) = submitted(&s)
    else {
        panic!("{}", s.text());
    };
    assert_eq!(
        (version, ward, bed.as_str()),
        (4, WARD, "9"),
        "the ward stands there already"
    );

    let mut s = with_patients(doctor());
    s.typed("x").typed("1").key(Code::F(2));
    assert!(matches!(
        submitted(&s),
        Some(Request::Discharge { version: 4, .. })
    ));

    let mut s = with_patients(nurse());
    s.typed("g").typed(", Nuts").key(Code::F(2));
    let Some(Request::Allergies { allergies, .. }) = submitted(&s) else {
        panic!("{}", s.text());
    };
    assert_eq!(allergies, "Penicillin; Latex, Nuts");
    let mut s = with_patients(nurse());
    s.typed("x");
    assert!(
        s.says("To discharge a patient is for a doctor"),
        "{}",
        s.text()
    );
}
