//! The interface's story, told with plain values, and its screens.

use insta::assert_snapshot;

use super::testing::*;
use super::*;
use crate::domain::*;
use keymap::{Action, Mode};

mod any;
mod cupboard;
mod emergency;
mod giving;
mod lock;
mod pages;
mod paper;
mod reasons;
mod records;
mod reports;
mod rounds;
mod scans;
mod screens;

#[test]
fn signing_in_goes_to_the_only_ward() {
    let mut s = Session::start(
        Start::SignIn {
            note: String::new(),
        },
        80,
        24,
    );
    s.typed("g.lind\r");
    assert!(s.effects.is_empty(), "the PIN is still missing");
    s.typed("4711\r");
    let [Effect::SignIn { username, secret }] = s.effects.as_slice() else {
        panic!("{:?}", s.effects)
    };
    assert_eq!((username.as_str(), secret.0.as_str()), ("g.lind", "4711"));
    assert!(!format!("{:?} {:?}", s.effects, s.model).contains("4711"));
    s.typed("x\r");
    assert!(s.effects.is_empty(), "one try at a time");
    let signed_in = SignedIn {
        actor: nurse(),
        wards: wards(),
    };
    s.send(Msg::Reply(Reply::SignIn(Ok(signed_in))));
    assert_eq!(s.effects, [Effect::Watch(WARD)]);
    s.send(feed(&fixture().snapshot));
    assert!(s.says("El-Sayed, Omar"));
    s.typed("q");
    assert_eq!(s.effects, [Effect::Unwatch]);
    assert_eq!(s.model.mode(), Mode::SignIn);
    assert!(!s.says("g.lind"), "the next person types their own name");
}

#[test]
fn a_wrong_secret_waits_and_does_not_say_what_was_wrong() {
    let mut s = Session::start(
        Start::SignIn {
            note: String::new(),
        },
        80,
        24,
    );
    s.typed("g.lind\rx\r");
    let retry_at = s.context.now + jiff::SignedDuration::from_secs(4);
    s.send(Msg::Reply(Reply::SignIn(Err(SignInFailure::Wrong {
        retry_at,
    }))));
    assert!(s.says("do not belong together. Next try in 4 seconds"));
    s.typed("4711\r");
    assert!(s.effects.is_empty(), "too early");
    assert!(s.model.next_change(&s.context).is_some());
    s.context.now = retry_at;
    s.send(Msg::Tick);
    assert_eq!(s.model.next_change(&s.context), None);
    s.key(Code::Enter);
    assert!(matches!(s.effects.as_slice(), [Effect::SignIn { secret, .. }] if secret.0 == "4711"));
}

#[test]
fn who_has_several_wards_chooses() {
    let signed_in = SignedIn {
        actor: doctor(),
        wards: wards(),
    };
    let mut s = Session::start(
        Start::Known {
            signed_in,
            ward: None,
            then: None,
        },
        80,
        24,
    );
    assert_eq!(s.effects, [Effect::LoadWards]);
    assert_eq!(s.model.mode(), Mode::Picker);
    s.key(Code::Esc);
    assert!(s.says("No ward is chosen: w chooses one"), "{}", s.text());
    assert!(!s.says("reading"), "{}", s.text());
    s.typed("w").typed("med\r");
    assert_eq!(s.effects, [Effect::Watch(WARD)]);
    s.typed("w");
    s.typed("surg\r");
    assert_eq!(s.effects, [Effect::Watch(WardId(8))]);
    s.send(feed(&fixture().snapshot));
    assert!(
        !s.says("El-Sayed"),
        "what is still on its way of the ward before is not shown under this one's name"
    );
    s.typed("q");
    assert_eq!(
        s.effects,
        [Effect::Quit],
        "known from elsewhere: signing out leaves"
    );
}

#[test]
fn a_demonstration_goes_on_as_somebody_else() {
    let signed_in = SignedIn {
        actor: nurse(),
        wards: wards(),
    };
    let start = Start::Known {
        signed_in,
        ward: None,
        then: Some("Everybody's PIN is 1234.".into()),
    };
    let mut s = Session::start(start, 80, 24);
    s.typed("q");
    assert_eq!(s.effects, [Effect::Unwatch]);
    assert!(s.says("Everybody's PIN is 1234."), "{}", s.text());
}

#[test]
fn a_filter_finds_patients_numbers_beds_and_drugs() {
    for (typed, found) in [
        ("nystrom", 3),
        ("NYSTRÖM meto", 2),
        ("4204002", 3),
        ("12b para", 2),
        ("acetazolamide", 1),
        ("美玲", 3),
        ("nobody", 0),
    ] {
        let mut s = Session::desk(120, 40);
        s.typed("/").typed(typed);
        assert!(
            s.text().contains(&format!(" {found} found ")),
            "{typed}\n{}",
            s.text()
        );
        s.key(Code::Esc);
        assert!(s.says("3 overdue, 2 due"), "{}", s.text());
    }
}

#[test]
fn the_selection_follows_its_dose_through_the_queue() {
    let mut s = Session::desk(80, 24);
    s.select(4);
    let mut snapshot = fixture().snapshot;
    snapshot
        .orders
        .retain(|order| order.due_at.is_none_or(|at| at >= s.context.now));
    s.send(feed(&snapshot));
    s.key(Code::Enter);
    assert!(s.says("AcetaZOLamide 250mg Tablet"));
    s.key(Code::Esc);
    snapshot
        .orders
        .retain(|order| order.id != OrderId(uuid::Uuid::from_u128(4)));
    s.send(feed(&snapshot)).key(Code::Enter);
    assert!(s.says("Paracetamol"), "its neighbour below\n{}", s.text());
}

#[test]
fn minutes_move_doses_between_groups() {
    let mut s = Session::desk(80, 24);
    s.context.now += jiff::SignedDuration::from_mins(30);
    s.send(Msg::Tick);
    assert!(s.says("4 overdue, 1 due"), "{}", s.text());
}

#[test]
fn a_stale_screen_says_so_by_itself() {
    let mut s = Session::desk(80, 24);
    let turns = s.model.next_change(&s.context).unwrap();
    assert_eq!(turns, s.context.now + s.context.stale_after);
    assert!(s.says(" live "));
    s.context.now = turns;
    s.send(Msg::Tick);
    assert!(s.says("STALE 15 s"), "{}", s.text());
    assert!(s.says("NOT LIVE"));
}

#[test]
fn a_scan_on_the_panes_is_not_a_command() {
    let mut s = Session::desk(80, 24);
    s.send(Msg::Paste("qwdr\r".into()));
    assert_eq!(s.model.mode(), Mode::Queue);
    let asked = Effect::FindPatient { mrn: "qwdr".into() };
    assert_eq!(s.effects, [asked], "it is somebody's number, or nobody's");
}

#[test]
fn the_palette_takes_actions_and_tells_of_the_others() {
    let mut s = Session::desk_as(pharmacist(), &fixture().snapshot, 80, 24);
    s.ctrl('p').typed("receive stock\r");
    assert!(s.says("RECEIVE STOCK"), "{}", s.text());
    s.key(Code::Esc).ctrl('p').typed("sign the dose\r");
    assert_eq!(
        s.model.mode(),
        Mode::Picker,
        "a signature is not taken from a list"
    );
    s.key(Code::Esc).ctrl('p').typed("sign out\r");
    assert_eq!(s.effects, [Effect::Quit]);
}

#[test]
fn the_mouse_selects_and_focuses() {
    let press = |x, y| {
        Msg::Mouse(Mouse {
            x,
            y,
            did: MouseDid::Press,
        })
    };
    let mut s = Session::desk(80, 24);
    s.send(press(20, 7)).key(Code::Enter);
    assert!(s.says("AcetaZOLamide"), "{}", s.text());
    s.key(Code::Esc).send(press(3, 16));
    assert_eq!(s.model.mode(), Mode::Stock);
}

#[test]
fn ctrl_c_leaves_but_not_while_signing() {
    let mut s = Session::desk(80, 24);
    s.ctrl('c');
    assert_eq!(s.effects, [Effect::Quit]);
    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204001\r").key(Code::F(2));
    assert!(s.submitted().is_some());
    s.ctrl('c');
    assert!(s.effects.is_empty());
}

#[test]
fn stopping_a_dose_asks_why() {
    let mut s = Session::desk(80, 24);
    s.select(2).typed("d");
    assert!(
        s.says("is for a doctor; you are signed in as nurse"),
        "{}",
        s.text()
    );
    let mut s = Session::desk_as(doctor(), &fixture().snapshot, 80, 24);
    s.select(2).typed("d").key(Code::F(2));
    assert!(s.submitted().is_none());
    assert!(s.says("Type why this dose is stopped"));
    s.typed("pulse 44\r\r");
    assert!(s.submitted().is_none(), "Enter does not sign");
    s.key(Code::F(2));
    let Some(Request::Discontinue {
        version: 1, reason, ..
    }) = s.submitted().map(|o| o.request)
    else {
        panic!("{:?}", s.effects)
    };
    assert_eq!(reason, "pulse 44");
    let receipt = Receipt::Discontinued {
        order: OrderId(uuid::Uuid::from_u128(2)),
        at: s.context.now,
    };
    s.outcome(Outcome::Done(receipt));
    assert!(s.says("DISCONTINUED at 03:12"), "{}", s.text());
    s.key(Code::Enter);
    assert_eq!(s.model.mode(), Mode::Queue);
}

#[test]
fn receiving_asks_how_much_and_for_proof() {
    let mut s = Session::desk_as(pharmacist(), &fixture().snapshot, 80, 24);
    s.key(Code::Tab).typed("r").key(Code::F(2));
    assert!(s.says("Type how many tab came in"), "{}", s.text());
    s.typed("x").key(Code::F(2));
    assert!(s.says("'x' is not a number"));
    s.key(Code::Backspace).typed("100").key(Code::F(2));
    assert!(s.says("delivery note"));
    s.typed("DN-7").key(Code::F(2));
    assert!(matches!(
        s.submitted().map(|o| o.request),
        Some(Request::Receive { drug: DrugId(4), quantity, reference, .. })
            if quantity == Quantity::units(100) && reference == "DN-7"
    ));
    s.outcome(Outcome::Refused(Refusal::Busy));
    assert!(s.says("NOT DONE BUSY"), "{}", s.text());
    assert!(s.says("Nothing was recorded"));
}

#[test]
fn every_hint_is_a_key_of_its_mode() {
    for mode in Mode::ALL {
        for (key, _) in keymap::hints(*mode) {
            assert!(keymap::action(*mode, key).is_some());
        }
    }
    assert_eq!(
        keymap::action(Mode::Ready, Key::of(Code::F(2))),
        Some(Action::Sign)
    );
}
