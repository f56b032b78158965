//! The screens as they are, with their styles.

use super::*;
use crate::tui::model::OrderNow;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 12)];

/// One screen at each size.
fn at_sizes(name: &str, make: impl Fn(u16, u16) -> Session) {
    for (width, height) in SIZES {
        let screen = make(width, height).screen();
        assert_snapshot!(format!("{name}_{width}x{height}"), screen);
    }
}

fn prepared(width: u16, height: u16, n: u128, keys: &str) -> Session {
    let mut s = Session::desk(width, height);
    s.open(n).typed(keys);
    s
}

#[test]
fn first_run() {
    at_sizes("first_run", |w, h| {
        let database = "sqlite:///home/ward/.local/share/valmed/valmed.db".into();
        let people = false;
        Session::start(Start::FirstRun { database, people }, w, h)
    });
}

#[test]
fn people_without_a_password_are_not_nobody() {
    let database = "sqlite:///ward.db".into();
    let people = true;
    let mut s = Session::start(Start::FirstRun { database, people }, 80, 24);
    assert!(s.says("Nobody in this database can sign in yet"));
    assert!(s.says("valmed user password NAME"), "{}", s.text());
    assert!(!s.says("There is nobody"));
    s.key(Code::Enter);
    assert!(s.effects.is_empty(), "whoever reads on presses Enter");
    s.typed("q");
    assert_eq!(s.effects, [Effect::Quit]);
}

#[test]
fn sign_in() {
    at_sizes("sign_in", |w, h| {
        let note = String::new();
        let mut s = Session::start(Start::SignIn { note }, w, h);
        s.typed("g.lind\r47");
        s
    });
}

#[test]
fn sign_in_failed() {
    at_sizes("sign_in_failed", |w, h| {
        let note = "Sign in as anna, bo or chen; the PIN is 1234.".into();
        let mut s = Session::start(Start::SignIn { note }, w, h);
        s.context.demo = true;
        s.typed("g.lind\r4711\r");
        let retry_at = s.context.now + jiff::SignedDuration::from_secs(7);
        s.send(Msg::Reply(Reply::SignIn(Err(SignInFailure::Wrong {
            retry_at,
        }))));
        s
    });
}

#[test]
fn desk() {
    at_sizes("desk", Session::desk);
}

#[test]
fn desk_on_stock_and_on_log() {
    at_sizes("desk_stock", |w, h| {
        let mut s = Session::desk(w, h);
        s.context.demo = true;
        s.key(Code::Tab);
        s
    });
    at_sizes("desk_log", |w, h| {
        let mut s = Session::desk(w, h);
        s.key(Code::BackTab).typed("/om");
        s
    });
}

#[test]
fn desk_empty_and_unread() {
    at_sizes("desk_empty", |w, h| {
        let mut snapshot = fixture().snapshot;
        snapshot.orders.clear();
        snapshot.stock.clear();
        snapshot.log.clear();
        Session::desk_of(&snapshot, w, h)
    });
    at_sizes("desk_unread", |w, h| {
        let signed_in = SignedIn {
            actor: doctor(),
            wards: wards(),
        };
        let ward = Some(WARD);
        Session::start(
            Start::Known {
                signed_in,
                ward,
                then: None,
            },
            w,
            h,
        )
    });
}

#[test]
fn stale() {
    at_sizes("stale", |w, h| {
        let mut s = Session::desk(w, h);
        s.send(Msg::Feed(FeedView {
            ward: WARD,
            snapshot: Some(std::sync::Arc::new(fixture().snapshot)),
            confirmed_at: Some(s.context.now - jiff::SignedDuration::from_mins(5)),
            trouble: Some("the database cannot be reached".into()),
            warning: None,
        }));
        s
    });
}

#[test]
fn sheet_open() {
    at_sizes("sheet_open", |w, h| prepared(w, h, 2, ""));
}

#[test]
fn sheet_of_a_high_alert_drug_as_needed() {
    at_sizes("sheet_prn", |w, h| {
        let mut s = Session::desk(w, h);
        s.select(7).key(Code::Enter);
        let order = fixture().snapshot.orders[7].clone();
        let mut detail = detail(&order);
        detail.limits = "at least 4 h apart, 4 in 24 h".into();
        detail.not_before = Some(at("2026-11-23T02:40:00Z"));
        s.send(Msg::Reply(Reply::Detail {
            order: order.id,
            now: Ok(OrderNow::Open(Box::new(detail))),
        }));
        s
    });
}

#[test]
fn sheet_identified() {
    at_sizes("sheet_identified", |w, h| prepared(w, h, 2, "N4204001\r"));
}

#[test]
fn sheet_of_a_range() {
    at_sizes("sheet_range", |w, h| prepared(w, h, 4, "N4204002\r1.5"));
}

#[test]
fn sheet_wrong_patient() {
    at_sizes("sheet_wrong_patient", |w, h| {
        let mut s = prepared(w, h, 2, "N4204002\r");
        s.send(Msg::Reply(Reply::Patient {
            mrn: "N4204002".into(),
            name: Ok(Some("El-Sayed, Omar".into())),
        }));
        s
    });
}

#[test]
fn sheet_signing_and_outcomes() {
    let signed = |w, h| {
        let mut s = prepared(w, h, 2, "N4204001\r");
        s.key(Code::F(2));
        s
    };
    at_sizes("sheet_signing", signed);
    at_sizes("sheet_given", |w, h| {
        let mut s = signed(w, h);
        s.outcome(Outcome::Done(Receipt::Given {
            administration: AdministrationId(uuid::Uuid::from_u128(1)),
            order: OrderId(uuid::Uuid::from_u128(2)),
            ward: WARD,
            drug: DrugId(1),
            quantity: Quantity::units(1),
            left: Quantity::units(41),
            at: at(NOW),
        }));
        s
    });
    at_sizes("sheet_refused", |w, h| {
        let mut s = signed(w, h);
        s.outcome(Outcome::Refused(Refusal::OrderAlreadyCompleted {
            what: "given".to_owned(),
            by: "Björn Haddad".into(),
            at: at("2026-11-23T02:11:00Z"),
        }));
        s
    });
    at_sizes("sheet_unknown", |w, h| {
        let mut s = signed(w, h);
        let op = s.context.fresh_op;
        s.outcome(Outcome::Unknown { op });
        s
    });
}

#[test]
fn sheet_somebody_else() {
    at_sizes("sheet_somebody_else", |w, h| {
        let mut s = prepared(w, h, 2, "N4204001\r");
        s.send(Msg::Reply(Reply::Detail {
            order: OrderId(uuid::Uuid::from_u128(2)),
            now: Ok(OrderNow::Ended {
                status: OrderStatus::Discontinued,
                by: Some("Oskar Brandt".into()),
                at: Some(at("2026-11-23T02:11:00Z")),
                reason: "pulse 44".into(),
            }),
        }));
        s
    });
}

#[test]
fn forms_and_lists() {
    at_sizes("stop_a_dose", |w, h| {
        let mut s = Session::desk_as(doctor(), &fixture().snapshot, w, h);
        s.select(2).typed("d").typed("pulse 44");
        s
    });
    at_sizes("receive", |w, h| {
        let mut s = Session::desk_as(pharmacist(), &fixture().snapshot, w, h);
        s.key(Code::Tab)
            .typed("r")
            .typed("100")
            .key(Code::Tab)
            .typed("DN-7");
        s
    });
    at_sizes("wards", |w, h| {
        let mut s = Session::desk(w, h);
        s.typed("w");
        s
    });
    at_sizes("palette", |w, h| {
        let mut s = Session::desk(w, h);
        s.ctrl('p').typed("pa");
        s
    });
    at_sizes("help", |w, h| {
        let mut s = Session::desk(w, h);
        s.typed("?");
        s
    });
}

/// Every text of the ward made hostile: colours, cursor moves, bidi, zero width, marks upon marks, wide, endless.
fn hostile(w: u16, h: u16) -> Session {
    let bad = [
        "\u{1b}[31m\u{1b}[2J\u{1b}]0;owned\u{7}red",
        "\u{202e}gnitirw\u{202c}",
        "a\u{200b}b\u{feff}c\u{2066}d\u{ad}e",
        "Z\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}algo",
        "山田太郎山田太郎山田太郎山田太郎",
        "👩\u{200d}👩\u{200d}👧 family \u{e0041}",
        "\r\n\t\u{0}\u{9b}8m",
        "لا إله\u{61c} שלום",
    ];
    let mut snapshot = fixture().snapshot;
    snapshot.ward.name = bad[0].into();
    snapshot.ward.code = bad[4].into();
    for (at, order) in snapshot.orders.iter_mut().enumerate() {
        let text = |n: usize| bad[(at + n) % bad.len()].to_owned();
        let mut patient = (*order.patient).clone();
        (patient.name, patient.bed, patient.allergies) = (text(0), text(1), text(2));
        order.patient = std::sync::Arc::new(patient);
        let mut drug = (*order.drug).clone();
        (drug.name, drug.strength, drug.unit) = (text(3), text(4), text(5));
        order.drug = std::sync::Arc::new(drug);
        order.route = text(6);
        order.frequency = text(7);
        order.prescriber = text(0);
        order.dose.written = text(1);
    }
    for (at, level) in snapshot.stock.iter_mut().enumerate() {
        let mut drug = (*level.drug).clone();
        drug.name = bad[at % bad.len()].into();
        drug.unit = bad[(at + 3) % bad.len()].into();
        level.drug = std::sync::Arc::new(drug);
    }
    for (at, entry) in snapshot.log.iter_mut().enumerate() {
        entry.patient = bad[at % bad.len()].into();
        entry.by = bad[(at + 2) % bad.len()].into();
    }
    Session::desk_of(&snapshot, w, h)
}

#[test]
fn hostile_strings() {
    at_sizes("hostile_desk", hostile);
    at_sizes("hostile_sheet", |w, h| {
        let mut s = hostile(w, h);
        s.select(3)
            .key(Code::Enter)
            .typed("x\u{202e}y")
            .key(Code::Enter);
        s
    });
    for (w, h) in SIZES {
        for c in hostile(w, h).text().chars() {
            assert!(
                c == '\n' || c == text::REPLACEMENT || !text::is_unsafe(c),
                "{c:?}"
            );
        }
    }
}

#[test]
fn a_terminal_without_colours_or_unicode_loses_nothing() {
    let theme = Theme::new(Colours::None, Charset::Ascii);
    let s = Session::desk(80, 24);
    let screen = s.screen_with(&theme);
    assert!(screen.is_ascii(), "{screen}");
    for word in ["OVERDUE", "STAT", "late", "LOW", "OUT", "NOT STOCKED", "> "] {
        assert!(screen.contains(word), "{word}");
    }
    assert_snapshot!("mono_ascii_80x24", screen);
    let sheet = prepared(80, 24, 2, "N4204001\r").screen_with(&theme);
    assert!(sheet.is_ascii());
    assert_snapshot!("mono_ascii_sheet_80x24", sheet);
}

#[test]
fn too_small() {
    assert_snapshot!("too_small_35x10", Session::desk(35, 10).screen());
    assert_snapshot!("smallest_36x10", Session::desk(36, 10).screen());
    assert_snapshot!(
        "smallest_sheet_36x10",
        prepared(36, 10, 2, "N4204001\r").screen()
    );
    for (w, h) in [(0, 0), (1, 1), (0, 24), (80, 0), (80, 1), (2, 200)] {
        Session::desk(w, h).screen();
    }
}
