//! Emergency access to a ward that is not one's own, begun at the desk.

use super::*;
use uuid::Uuid;

const SURG: WardId = WardId(8);

/// The sheet, filled in but for the PIN.
fn filled() -> Session {
    let mut s = Session::desk(80, 24);
    s.ctrl('e');
    assert!(s.says("EMERGENCY ACCESS"), "{}", s.text());
    s.typed("surg1\t1\t");
    s
}

fn checked(s: &mut Session, found: Result<UserId, SignInFailure>) {
    s.send(Msg::Reply(Reply::Witness {
        username: "g.lind".into(),
        found,
    }));
}

#[test]
fn it_asks_where_and_why_and_for_the_pin_again() {
    let mut s = filled();
    s.key(Code::F(2));
    assert!(s.effects.is_empty());
    assert!(s.says("Type your PIN again"), "{}", s.text());
    s.typed("4711").key(Code::F(2));
    let [Effect::CheckWitness { username, secret }] = s.effects.as_slice() else {
        panic!("{:?}", s.effects)
    };
    assert_eq!((username.as_str(), secret.0.as_str()), ("g.lind", "4711"));
    s.key(Code::F(2));
    assert!(s.effects.is_empty(), "one at a time");
    checked(&mut s, Ok(nurse().id));
    let operation = s.submitted().expect("the desk is asked");
    assert!(
        matches!(&operation.request, Request::Emergency { ward, reason } if *ward == SURG && !reason.code.is_empty()),
        "{operation:?}"
    );
    let until = s.context.now + jiff::SignedDuration::from_mins(60);
    s.outcome(Outcome::Done(Receipt::EmergencyBegun {
        access: Uuid::from_u128(5),
        ward: SURG,
        until,
    }));
    assert!(
        s.says("EMERGENCY ACCESS to SURG1 until 04:12."),
        "{}",
        s.text()
    );
    s.key(Code::Esc);
    assert_eq!(s.effects, [Effect::Watch(SURG)], "the ward opens");
    assert!(
        s.says("EMERGENCY until 04:12"),
        "it stays on the screen: {}",
        s.text()
    );
    assert!(!s.says("not your ward"), "{}", s.text());
}

#[test]
fn where_it_lasts_the_same_key_ends_it() {
    let access = Uuid::from_u128(5);
    let mut s = filled();
    s.typed("4711").key(Code::F(2));
    checked(&mut s, Ok(nurse().id));
    let until = s.context.now + jiff::SignedDuration::from_mins(60);
    s.outcome(Outcome::Done(Receipt::EmergencyBegun {
        access,
        ward: SURG,
        until,
    }));
    s.key(Code::Esc).ctrl('e');
    assert!(s.says("END EMERGENCY ACCESS"), "{}", s.text());
    assert!(s.says("you may act in SURG1 until 04:12"), "{}", s.text());
    s.key(Code::F(2));
    let operation = s.submitted().expect("the desk is asked");
    assert_eq!(operation.request, Request::EndEmergency { access });
    let at = s.context.now;
    let ward = SURG;
    s.outcome(Outcome::Done(Receipt::EmergencyEnded { access, ward, at }));
    assert!(
        s.says("EMERGENCY ACCESS to SURG1 has ended."),
        "{}",
        s.text()
    );
    s.key(Code::Esc);
    assert!(!s.says("EMERGENCY until"), "{}", s.text());
    assert!(s.says("not your ward"), "{}", s.text());
}

#[test]
fn a_wrong_pin_begins_nothing_and_loses_nothing_but_itself() {
    let mut s = filled();
    s.typed("0000").key(Code::F(2));
    let retry_at = s.context.now;
    checked(&mut s, Err(SignInFailure::Wrong { retry_at }));
    assert!(s.submitted().is_none());
    assert!(
        s.says("That is not your PIN. Nothing has begun."),
        "{}",
        s.text()
    );
    assert!(s.says("surg1"), "{}", s.text());
    s.typed("4711").key(Code::F(2));
    checked(&mut s, Ok(UserId(99)));
    assert!(s.submitted().is_none(), "somebody else's PIN is not theirs");
}

#[test]
fn what_is_missing_is_said_before_the_pin_is_looked_at() {
    let mut s = Session::desk(80, 24);
    s.ctrl('e').typed("nowhere").key(Code::F(2));
    assert!(s.says("There is no ward 'nowhere'."), "{}", s.text());
    s.ctrl('u').typed("surg1\tx\t4711").key(Code::F(2));
    assert!(s.effects.is_empty());
    assert!(s.says("Type the number of a reason"), "{}", s.text());
}

#[test]
fn the_desk_may_say_no() {
    let mut s = filled();
    s.typed("4711").key(Code::F(2));
    checked(&mut s, Ok(nurse().id));
    s.outcome(Outcome::Refused(Refusal::InvalidData {
        field: "ward".into(),
        why: "Surgery 1 is one of yours".into(),
    }));
    assert!(s.says("NOT DONE INVALID_DATA"), "{}", s.text());
    s.key(Code::Esc);
    assert!(!s.says("EMERGENCY until"));
}

#[test]
fn whoever_looks_at_another_ward_finds_it_filled_in() {
    let mut s = Session::desk(80, 24);
    s.typed("w").typed("surg\r");
    s.ctrl('e');
    assert!(s.says("SURG1____") || s.says("SURG1...."), "{}", s.text());
}

#[test]
fn it_is_in_the_palette_and_in_the_help() {
    let mut s = Session::desk(80, 24);
    s.ctrl('p').typed("emergency");
    assert!(s.says("Emergency access: act for a while"), "{}", s.text());
    s.key(Code::Enter);
    assert!(s.says("for 60 minutes you may act"), "{}", s.text());
}
