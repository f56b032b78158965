//! The lock: nothing of the desk is seen, the PIN brings it back as it was, and somebody else gets a desk of their own.

use jiff::SignedDuration;

use super::*;
use crate::domain::snapshot::Ward;

/// A desk that locks after five minutes and ends after an hour, with a dose's sheet open and half a number typed.
fn half_typed() -> Session {
    let start = Start::Known {
        signed_in: SignedIn {
            actor: nurse(),
            wards: wards(),
        },
        ward: Some(WARD),
        then: Some(String::new()),
    };
    let mut s = Session::start(start, 80, 24);
    s.context.lock_after = Some(SignedDuration::from_mins(5));
    s.context.ends_after = Some(SignedDuration::from_mins(60));
    s.send(feed(&fixture().snapshot));
    s.open(2).typed("N42");
    s
}

fn after(s: &mut Session, minutes: i64) -> &mut Session {
    s.context.now = at(NOW) + SignedDuration::from_mins(minutes);
    s.send(Msg::Tick)
}

fn signed_in(actor: Actor) -> Msg {
    let wards: Vec<Ward> = wards();
    Msg::Reply(Reply::SignIn(Ok(SignedIn { actor, wards })))
}

fn pin(username: &str, secret: &str) -> [Effect; 1] {
    [Effect::SignIn {
        username: username.into(),
        secret: Secret(secret.into()),
    }]
}

#[test]
fn the_locked_screen_at_every_size() {
    for (width, height) in [(80, 24), (200, 50), (40, 12)] {
        let mut s = Session::desk(width, height);
        s.context.ends_after = Some(SignedDuration::from_mins(60));
        s.open(2).typed("N42").ctrl('l').typed("12");
        assert_snapshot!(format!("locked_{width}x{height}"), s.screen());
    }
}

#[test]
fn without_a_key_it_locks_and_the_pin_brings_the_half_typed_sheet_back() {
    let mut s = half_typed();
    let before = s.text();
    after(&mut s, 4);
    assert_eq!(s.model.mode(), Mode::Identify);
    assert!(s.model.next_change(&s.context).unwrap() <= at(NOW) + SignedDuration::from_mins(5));
    after(&mut s, 5);
    assert_eq!(s.model.mode(), Mode::Lock);
    assert!(s.model.actor().is_none(), "nobody is before it");
    let locked = s.text();
    for hidden in ["Nystr", "Metoprolol", "N42", "QUEUE"] {
        assert!(!locked.contains(hidden), "{hidden}: {locked}");
    }
    s.typed("1234\r");
    assert_eq!(s.effects, pin("g.lind", "1234"));
    s.context.now = at(NOW);
    s.send(signed_in(nurse()));
    assert_eq!(s.text(), before, "as it was");
    s.typed("0");
    assert!(s.says("N420"));
}

#[test]
fn a_key_that_comes_after_the_time_is_a_key_of_the_lock() {
    let mut s = half_typed();
    s.context.now = at(NOW) + SignedDuration::from_mins(6);
    // The terminal slept: no tick came before it.
    s.typed("7");
    assert_eq!(s.model.mode(), Mode::Lock);
    s.key(Code::Enter);
    assert_eq!(s.effects, pin("g.lind", "7"));
}

#[test]
fn what_the_ward_does_is_no_key_and_what_the_lock_is_told_neither() {
    let mut s = half_typed();
    after(&mut s, 4);
    s.send(feed(&fixture().snapshot));
    after(&mut s, 5);
    assert_eq!(s.model.mode(), Mode::Lock);
    for minute in [20, 40, 59] {
        s.context.now = at(NOW) + SignedDuration::from_mins(minute);
        s.typed("x");
    }
    after(&mut s, 60);
    assert_eq!(
        s.model.mode(),
        Mode::SignIn,
        "keys at the lock keep nothing open"
    );
    assert!(s.says("no key was pressed for a long time"), "{}", s.text());
}

#[test]
fn a_wrong_pin_waits_as_at_the_door() {
    let mut s = half_typed();
    s.ctrl('l').typed("0000\r");
    let retry_at = s.context.now + SignedDuration::from_secs(4);
    let failure = SignInFailure::Wrong { retry_at };
    s.send(Msg::Reply(Reply::SignIn(Err(failure))));
    assert!(s.says("Next try in 4 seconds"), "{}", s.text());
    s.typed("1234\r");
    assert!(s.effects.is_empty(), "not before");
    assert_eq!(s.model.mode(), Mode::Lock);
}

#[test]
fn somebody_else_gets_a_desk_of_their_own_on_the_same_ward() {
    let ways: [fn(&mut Session); 3] = [
        |s| {
            s.ctrl('l').key(Code::Tab).typed("b.haddad\r");
        },
        |s| {
            s.ctrl('o').typed("b.haddad\r");
        },
        // A badge that comes at once.
        |s| {
            s.ctrl('l').send(Msg::Paste("b.haddad\r".into()));
        },
    ];
    for take_over in ways {
        let mut s = half_typed();
        take_over(&mut s);
        s.typed("9876\r");
        assert_eq!(s.effects, pin("b.haddad", "9876"));
        let other = Actor {
            id: UserId(14),
            username: "b.haddad".into(),
            name: "Björn Haddad".into(),
            ..nurse()
        };
        s.send(signed_in(other));
        assert_eq!(s.effects, [Effect::Watch(WARD)]);
        assert_eq!(s.model.mode(), Mode::Queue);
        assert!(
            s.says("Björn Haddad, nurse") && !s.says("N42"),
            "{}",
            s.text()
        );
    }
}

#[test]
fn whoever_began_to_take_over_may_give_it_back() {
    let mut s = half_typed();
    s.ctrl('o').typed("somebody").key(Code::Esc).typed("1234\r");
    assert_eq!(s.effects, pin("g.lind", "1234"));
}

#[test]
fn an_outcome_that_comes_while_it_is_locked_is_told_afterwards() {
    let mut s = Session::desk(80, 24);
    s.open(2).typed("N4204001\r").key(Code::F(2));
    let op = s.submitted().unwrap().id;
    s.ctrl('l');
    assert_eq!(s.model.mode(), Mode::Lock, "also while signing");
    let outcome = Outcome::Refused(Refusal::Busy);
    s.send(Msg::Reply(Reply::Outcome { op, outcome }));
    assert!(!s.says("busy"), "{}", s.text());
    s.typed("1234\r").send(signed_in(nurse()));
    assert!(s.says("busy"), "{}", s.text());
}

#[test]
fn a_demonstration_and_whoever_has_no_pin_are_not_locked() {
    let mut s = half_typed();
    s.context.demo = true;
    after(&mut s, 600);
    assert_eq!(s.model.mode(), Mode::Identify);
    s.ctrl('l');
    assert_eq!(s.model.mode(), Mode::Identify);
    let by_key = Actor {
        secret: false,
        ..nurse()
    };
    let mut s = Session::desk_as(by_key, &fixture().snapshot, 80, 24);
    s.context.lock_after = Some(SignedDuration::from_mins(5));
    s.context.ends_after = Some(SignedDuration::from_mins(60));
    s.ctrl('l');
    assert!(s.says("You have no PIN"), "{}", s.text());
    after(&mut s, 30);
    assert_eq!(s.model.mode(), Mode::Queue);
    after(&mut s, 60);
    assert_eq!(s.effects, [Effect::Quit], "the session ends all the same");
}

#[test]
fn it_is_found_by_its_name() {
    let mut s = half_typed();
    s.key(Code::Esc).ctrl('p').typed("lock the screen\r");
    assert_eq!(s.model.mode(), Mode::Lock);
}

fn lasting(minutes: i64) -> Access {
    let until = at(NOW) + SignedDuration::from_mins(minutes);
    let id = uuid::Uuid::from_u128(5);
    Access { id, until }
}

#[test]
fn emergency_access_stands_in_the_header_while_it_lasts() {
    let visitor = Actor {
        wards: Wards::Only([WardId(8)].into()),
        emergencies: [(WARD, lasting(30))].into(),
        ..nurse()
    };
    let mut s = Session::desk_as(visitor, &fixture().snapshot, 80, 24);
    assert!(s.says("EMERGENCY until 03:42"), "{}", s.text());
    assert!(!s.says("not your ward"));
    after(&mut s, 30);
    assert!(!s.says("EMERGENCY until"), "{}", s.text());
}
