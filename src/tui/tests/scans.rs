//! What scanners read: never a command, and on a sheet the patient or the drug.

use super::*;
use crate::domain::scan::Gtin;
use jiff::SignedDuration;
use uuid::Uuid;

/// GTIN 09501101530003, lot AB-123, with a group separator inside; to be used until the end of March 2027.
const PACKAGE: &str = "]d20109501101530003\u{1d}10AB-123\u{1d}17270331";
const EXPIRED: &str = "]d20109501101530003\u{1d}10AB-123\u{1d}17251231";
const ORDER: OrderId = OrderId(Uuid::from_u128(2));

fn gtin() -> Gtin {
    Gtin::read("09501101530003").unwrap()
}

fn scan(s: &mut Session, text: &str) {
    s.send(Msg::Scan {
        text: text.to_owned(),
        end: Some(Code::Enter),
    });
}

fn holds(drugs: &[(i64, &str, bool)]) -> Msg {
    let drug = |(id, title, recalled): &(i64, &str, bool)| CodeDrug {
        id: DrugId(*id),
        title: (*title).to_owned(),
        recalled: *recalled,
    };
    Msg::Reply(Reply::Code {
        gtin: gtin(),
        found: Ok(CodeFound {
            patient: None,
            drugs: drugs.iter().map(drug).collect(),
        }),
    })
}

const METOPROLOL: (i64, &str, bool) = (1, "Metoprolol Tartrate 25mg Tablet", false);

#[test]
fn nothing_that_is_scanned_on_the_panes_is_a_command() {
    for pane in 0..3 {
        let mut s = Session::desk(80, 24);
        for _ in 0..pane {
            s.key(Code::Tab);
        }
        // Every letter that is a command somewhere, with digits as a code has them.
        for text in [
            "qwdnxpme12",
            "]d2zzz",
            "n ",
            PACKAGE,
            "https://x.example/01/1",
            "*q1/",
        ] {
            scan(&mut s, text);
            let mode = s.model.mode();
            assert!(
                matches!(mode, Mode::Queue | Mode::Stock | Mode::Log),
                "{text:?} opened {mode:?}"
            );
            assert!(
                !s.effects
                    .iter()
                    .any(|e| matches!(e, Effect::Quit | Effect::Submit { .. }))
            );
            assert!(!s.says("MARKED"), "{text:?}");
        }
    }
}

#[test]
fn a_wristband_on_the_queue_shows_that_patients_doses() {
    let mut s = Session::desk(80, 24);
    s.key(Code::Tab);
    scan(&mut s, "N4204002");
    assert_eq!(s.model.mode(), Mode::Queue, "{}", s.text());
    assert!(
        s.says("El-Sayed, Omar: doses in the queue: 3."),
        "{}",
        s.text()
    );
    assert!(!s.says("O'Connor"), "{}", s.text());
    s.typed("*");
    assert!(s.says("2 MARKED"), "{}", s.text());
    scan(&mut s, "N9999999");
    assert_eq!(
        s.effects,
        [Effect::FindPatient {
            mrn: "N9999999".into()
        }]
    );
    s.send(Msg::Reply(Reply::Patient {
        mrn: "N9999999".into(),
        name: Ok(None),
    }));
    assert!(
        s.says("N9999999 is nobody's number here, and no package's."),
        "{}",
        s.text()
    );
}

#[test]
fn a_pasted_code_on_the_panes_is_a_scan() {
    let mut s = Session::desk(80, 24);
    s.send(Msg::Paste("N4204002\r".into()));
    assert!(
        s.says("El-Sayed, Omar: doses in the queue: 3."),
        "{}",
        s.text()
    );
}

#[test]
fn a_package_on_the_panes_selects_its_drug_in_the_stock() {
    let mut s = Session::desk(80, 24);
    scan(&mut s, PACKAGE);
    let asked = Effect::LookUpCode {
        gtin: gtin(),
        lot: Some("AB-123".into()),
        plain: None,
    };
    assert_eq!(s.effects, [asked], "the separator inside has survived");
    s.send(holds(&[METOPROLOL]));
    assert_eq!(s.model.mode(), Mode::Stock);
    assert!(
        s.says("Package: Metoprolol Tartrate 25mg Tablet, 42 tab here. Lot AB-123."),
        "{}",
        s.text()
    );
    scan(&mut s, EXPIRED);
    s.send(holds(&[METOPROLOL]));
    assert!(
        s.says("EXPIRED on 2025-12-31: do not use it."),
        "{}",
        s.text()
    );
    scan(&mut s, PACKAGE);
    s.send(holds(&[(1, "Metoprolol", true)]));
    assert!(s.says("RECALLED: give it to nobody."), "{}", s.text());
}

#[test]
fn an_unknown_package_is_bound_by_a_pharmacist_and_a_nurse_is_told_who_can() {
    let mut s = Session::desk(80, 24);
    scan(&mut s, PACKAGE);
    s.send(holds(&[]));
    assert_eq!(s.model.mode(), Mode::Queue);
    assert!(
        s.says("A pharmacist who scans it here can say."),
        "{}",
        s.text()
    );

    let mut s = Session::desk_as(pharmacist(), &fixture().snapshot, 80, 24);
    scan(&mut s, PACKAGE);
    s.send(holds(&[]));
    assert_eq!(s.model.mode(), Mode::Picker, "{}", s.text());
    assert!(
        s.says("PACKAGE 09501101530003: WHICH DRUG IS IN IT?"),
        "{}",
        s.text()
    );
    let found = drug(4, "Paracetamol", "500mg Tablet", "tab");
    s.send(Msg::Reply(Reply::Drugs {
        name: String::new(),
        found: Ok(vec![crate::domain::prescribed::Candidate {
            drug: found,
            stock: None,
        }]),
    }));
    s.key(Code::Enter);
    assert!(s.says("Compare name and strength"), "{}", s.text());
    s.key(Code::F(2));
    let request = s.submitted().unwrap().request;
    let bind = Request::BindCode {
        drug: DrugId(4),
        gtin: gtin(),
        beside: false,
    };
    assert_eq!(request, bind);
    s.outcome(Outcome::Done(Receipt::CodeBound {
        drug: DrugId(4),
        gtin: gtin(),
        at: at(NOW),
    }));
    assert!(s.says("BOUND at 03:12."), "{}", s.text());
}

#[test]
fn on_the_sheet_a_wristband_identifies_and_a_package_is_compared() {
    let mut s = Session::desk(80, 24);
    s.open(2);
    scan(&mut s, "N4204001");
    assert_eq!(s.model.mode(), Mode::Ready);
    scan(&mut s, PACKAGE);
    s.key(Code::F(2));
    assert!(s.submitted().is_none(), "what it holds is not known yet");
    s.send(holds(&[METOPROLOL]));
    assert!(
        s.says("package: Metoprolol Tartrate 25mg Tablet, lot AB-123"),
        "{}",
        s.text()
    );
    s.key(Code::F(2));
    assert!(s.submitted().is_some());
}

#[test]
fn a_wrong_drug_cannot_be_overlooked_nor_signed() {
    for (width, height) in [(80, 24), (200, 50), (40, 16)] {
        let mut s = Session::desk(width, height);
        s.open(2);
        scan(&mut s, "N4204001");
        scan(&mut s, PACKAGE);
        s.send(holds(&[(4, "Paracetamol 500mg Tablet", false)]));
        assert_eq!(
            s.effects,
            [Effect::StoppedScan {
                order: ORDER,
                stopped: Stopped::WrongDrug
            }],
            "it goes on record"
        );
        assert_eq!(s.model.mode(), Mode::Stopped);
        let text = s.text();
        let line = text
            .lines()
            .find(|line| line.contains("WRONG DRUG"))
            .unwrap();
        assert!(
            line.matches('*').count() > usize::from(width) / 2,
            "the whole width: {line}"
        );
        assert!(
            s.says("This package holds Paracetamol 500mg Tablet."),
            "{text}"
        );
        for key in [Code::F(2), Code::Enter, Code::Tab, Code::Char('y')] {
            s.key(key);
            assert!(s.submitted().is_none(), "{key:?}");
            assert_eq!(s.model.mode(), Mode::Stopped);
        }
        s.key(Code::Esc);
        assert_eq!(
            s.model.mode(),
            Mode::Ready,
            "put away; the sheet is still there"
        );
        scan(&mut s, PACKAGE);
        s.send(holds(&[(4, "Paracetamol 500mg Tablet", false)]));
        scan(&mut s, PACKAGE);
        s.send(holds(&[METOPROLOL]));
        assert_eq!(s.model.mode(), Mode::Ready, "the right one lifts it");
        s.key(Code::F(2));
        assert!(s.submitted().is_some());
    }
}

#[test]
fn what_is_expired_or_recalled_is_stopped_with_words() {
    for (text, recalled, word, stopped) in [
        (EXPIRED, false, "EXPIRED", Stopped::Expired),
        (PACKAGE, true, "RECALLED", Stopped::Recalled),
    ] {
        let mut s = Session::desk(80, 24);
        s.open(2);
        scan(&mut s, "N4204001");
        scan(&mut s, text);
        s.send(holds(&[(1, "Metoprolol", recalled)]));
        assert!(s.says(word), "{}", s.text());
        let on_record = Effect::StoppedScan {
            order: ORDER,
            stopped,
        };
        assert_eq!(s.effects, [on_record]);
        s.key(Code::F(2));
        assert!(s.submitted().is_none());
    }
}

#[test]
fn the_last_day_of_a_package_is_a_day_of_use_on_the_wards_calendar() {
    let mut s = Session::desk(80, 24);
    // 23:30 in Berlin on the last day of March.
    s.context.now = at("2027-03-31T21:30:00Z");
    s.open(2);
    scan(&mut s, "N4204001");
    scan(&mut s, PACKAGE);
    s.send(holds(&[METOPROLOL]));
    assert_ne!(s.model.mode(), Mode::Stopped, "{}", s.text());
    s.context.now += SignedDuration::from_mins(60);
    scan(&mut s, PACKAGE);
    s.send(holds(&[METOPROLOL]));
    assert_eq!(s.model.mode(), Mode::Stopped, "{}", s.text());
}

#[test]
fn a_wrong_wristband_at_scanner_speed_stops_the_sheet_at_any_time() {
    let mut s = Session::desk(80, 24);
    s.open(4);
    scan(&mut s, "N4204002");
    assert_eq!(s.model.mode(), Mode::Amount);
    scan(&mut s, "N4204001");
    assert_eq!(s.model.mode(), Mode::Identify, "not typed as an amount");
    assert!(
        s.says("WRONG PATIENT: N4204001 is not El-Sayed, Omar."),
        "{}",
        s.text()
    );
    let on_record =
        matches!(&s.effects[..], [Effect::LookUpPatient { mrn, .. }] if mrn == "N4204001");
    assert!(on_record, "{:?}", s.effects);
}

#[test]
fn digits_that_may_be_a_product_or_a_person_are_looked_up_as_both() {
    let mut s = Session::desk(80, 24);
    s.open(2);
    scan(&mut s, "9501101530003");
    let asked = Effect::LookUpCode {
        gtin: gtin(),
        lot: None,
        plain: Some("9501101530003".into()),
    };
    assert_eq!(s.effects, [asked]);
    s.send(Msg::Reply(Reply::Code {
        gtin: gtin(),
        found: Ok(CodeFound {
            patient: Some("Somebody Else".into()),
            drugs: Vec::new(),
        }),
    }));
    assert!(
        s.says("WRONG PATIENT") && s.says("It belongs to Somebody Else."),
        "{}",
        s.text()
    );
    assert_eq!(
        s.effects,
        [Effect::StoppedScan {
            order: ORDER,
            stopped: Stopped::WrongPatient
        }]
    );
}

#[test]
fn a_code_that_cannot_be_read_is_told_and_nothing_is_lost() {
    let mut s = Session::desk(80, 24);
    s.open(2);
    scan(&mut s, "N4204001");
    scan(&mut s, "]d20109501101530004");
    assert!(s.says("This code cannot be read:"), "{}", s.text());
    assert_eq!(s.model.mode(), Mode::Ready);
    s.send(Msg::Key(Key::of(Code::F(2))));
    assert!(s.submitted().is_some());
}

#[test]
fn in_a_round_a_package_finds_its_line_and_another_drug_stops_all() {
    let mut s = Session::desk(80, 24);
    s.select(2).typed(" ");
    s.select(6).typed(" ").key(Code::Enter);
    for order in fixture().snapshot.orders {
        s.send(reply_detail(&order));
    }
    scan(&mut s, "N4204001");
    assert_eq!(s.model.mode(), Mode::Round, "{}", s.text());
    s.typed(" ");
    assert!(s.says("1 left out"));
    scan(&mut s, PACKAGE);
    s.send(holds(&[METOPROLOL]));
    assert!(!s.says("left out"), "scanned is meant: {}", s.text());
    scan(&mut s, PACKAGE);
    s.send(holds(&[(4, "Paracetamol 500mg Tablet", false)]));
    assert_eq!(s.model.mode(), Mode::Stopped);
    assert!(s.says("WRONG DRUG"), "{}", s.text());
    s.key(Code::F(2));
    assert!(s.submitted().is_none());
    s.key(Code::Esc).key(Code::F(2));
    assert!(s.submitted().is_some());
}

#[test]
fn a_badge_is_a_name_at_the_door_and_at_the_lock() {
    let mut s = Session::start(
        Start::SignIn {
            note: String::new(),
        },
        80,
        24,
    );
    scan(&mut s, "g.lind");
    s.typed("4711\r");
    let [Effect::SignIn { username, secret }] = s.effects.as_slice() else {
        panic!("{:?}", s.effects)
    };
    assert_eq!((username.as_str(), secret.0.as_str()), ("g.lind", "4711"));

    let mut s = Session::desk(80, 24);
    s.ctrl('l');
    scan(&mut s, "b.haddad");
    assert!(s.says("Your own desk opens"), "{}", s.text());
    s.typed("1234\r");
    assert!(
        matches!(s.effects.as_slice(), [Effect::SignIn { username, .. }] if username == "b.haddad"),
        "{:?}",
        s.effects
    );
}

#[test]
fn where_one_types_a_scan_is_typed_and_where_not_it_does_nothing() {
    let mut s = Session::desk(80, 24);
    s.typed("/");
    scan(&mut s, "omar");
    assert_eq!(
        s.model.mode(),
        Mode::Queue,
        "the key behind it keeps the filter"
    );
    assert!(s.says("/ omar"), "{}", s.text());
    let mut s = Session::desk(80, 24);
    s.typed("a");
    assert_eq!(s.model.mode(), Mode::Board);
    scan(&mut s, "qqw12");
    assert_eq!(s.model.mode(), Mode::Board);
    assert!(s.says("was not taken as keys"), "{}", s.text());
}

#[test]
fn the_stopped_sheet_as_it_looks() {
    let mut s = Session::desk(80, 24);
    s.open(2);
    scan(&mut s, "N4204001");
    scan(&mut s, PACKAGE);
    s.send(holds(&[(4, "Paracetamol 500mg Tablet", false)]));
    assert_snapshot!("wrong_drug_80x24", s.screen());
}
