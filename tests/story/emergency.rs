//! Emergency access: a ward that is not one's own, for a while, with a reason, and loud.

use jiff::SignedDuration;
use uuid::Uuid;
use valmed::domain::mar::Windows;
use valmed::domain::reason::Reason;
use valmed::domain::{Operation, Receipt, Refusal, Request, Role, UserId, WardId};
use valmed::store::board;

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    it_opens_the_ward_until_its_time_is_over,
    it_is_loud_in_the_audit_and_on_the_board,
    it_is_ended_by_its_own_person_or_a_supervisor,
    what_makes_no_sense_is_refused,
);

fn begin(actor: UserId, ward: WardId, code: &str, text: &str) -> Operation {
    let reason = Reason {
        code: code.to_owned(),
        text: text.to_owned(),
    };
    operation(actor, Request::Emergency { ward, reason })
}

async fn begun(ward: &Ward, actor: UserId, at: WardId) -> Uuid {
    match ward.done(begin(actor, at, "resuscitation", "")).await {
        Receipt::EmergencyBegun { access, .. } => access,
        other => panic!("{other:?}"),
    }
}

fn end(actor: UserId, access: Uuid) -> Operation {
    operation(actor, Request::EndEmergency { access })
}

async fn dose(ward: &Ward) -> Operation {
    let rx = Rx {
        patient: 2,
        ..Rx::timed(PARACETAMOL)
    };
    give_to(NURSE, ward.order(&rx).await, 2)
}

async fn it_opens_the_ward_until_its_time_is_over(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(SURG, PARACETAMOL, units(10)).await;
    let refusal = ward.refused(dose(&ward).await).await;
    assert_eq!(refusal.code(), "INSUFFICIENT_PERMISSIONS");
    begun(&ward, NURSE, SURG).await;
    ward.done(dose(&ward).await).await;
    ward.place.clock.advance(SignedDuration::from_mins(59));
    ward.done(dose(&ward).await).await;
    ward.place.clock.advance(SignedDuration::from_mins(1));
    let refusal = ward.refused(dose(&ward).await).await;
    assert_eq!(refusal.code(), "INSUFFICIENT_PERMISSIONS");
    // Over is over: it may begin again, with a reason.
    begun(&ward, NURSE, SURG).await;
    ward.done(dose(&ward).await).await;
    ward.end().await;
}

async fn it_is_loud_in_the_audit_and_on_the_board(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(SURG, PARACETAMOL, units(10)).await;
    let access = begun(&ward, NURSE, SURG).await;
    ward.done(dose(&ward).await).await;
    let line = async || {
        let mut conn = ward.db.reader().await.unwrap();
        let window = Windows {
            due: SignedDuration::from_mins(60),
            missed: SignedDuration::from_hours(4),
        };
        let board = board::board(&mut conn, window, ward.now()).await.unwrap();
        let of = |code: &str| {
            board
                .lines
                .iter()
                .find(|l| l.ward.code == code)
                .unwrap()
                .emergencies
        };
        (of("MEDI"), of("SURG"))
    };
    assert_eq!(line().await, (0, 1));
    ward.done(end(NURSE, access)).await;
    assert_eq!(line().await, (0, 0));
    let told = rows!(
        ward.db,
        (String, String, i64, String),
        "SELECT kind, who, ward_id, detail FROM audit_events WHERE kind <> 'refused' ORDER BY id"
    );
    let kinds: Vec<&str> = told.iter().map(|(kind, ..)| kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "emergency access",
            "done by emergency access",
            "emergency access ended"
        ]
    );
    assert!(
        told.iter()
            .all(|(_, who, at, _)| who == "nora" && *at == SURG.0)
    );
    assert!(told[0].3.contains("resuscitation"), "{}", told[0].3);
    assert!(told[1].3.contains("fulfil order"), "{}", told[1].3);
    let mut conn = ward.db.reader().await.unwrap();
    let before = (
        valmed::store::At(ward.now() + SignedDuration::from_secs(1)),
        Uuid::max(),
    );
    let listed = board::emergencies(conn.link(), before, 10).await.unwrap();
    drop(conn);
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&*listed[0].who, listed[0].ended_by.as_deref()),
        ("Nora Nurse", Some("Nora Nurse"))
    );
    ward.end().await;
}

async fn it_is_ended_by_its_own_person_or_a_supervisor(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(SURG, PARACETAMOL, units(10)).await;
    let access = begun(&ward, NURSE, SURG).await;
    let refusal = ward.refused(end(SECOND_NURSE, access)).await;
    assert_eq!(refusal.code(), "INSUFFICIENT_PERMISSIONS");
    assert!(
        refusal.to_string().contains("only a supervisor"),
        "{refusal}"
    );
    ward.done(dose(&ward).await).await;
    ward.done(end(person(Role::Supervisor, MEDI), access)).await;
    let refusal = ward.refused(dose(&ward).await).await;
    assert_eq!(refusal.code(), "INSUFFICIENT_PERMISSIONS");
    let refusal = ward.refused(end(NURSE, access)).await;
    assert!(refusal.to_string().contains("ended already"), "{refusal}");
    ward.end().await;
}

async fn what_makes_no_sense_is_refused(place: Place) {
    let ward = Ward::open(place).await;
    for (operation, why) in [
        (
            begin(NURSE, MEDI, "resuscitation", ""),
            "one of Nora Nurse's own",
        ),
        (
            begin(POOL_NURSE, SURG, "resuscitation", ""),
            "one of Paul Pool's own",
        ),
        (begin(NURSE, SURG, "bored", ""), "'bored' is not one of"),
        (begin(NURSE, SURG, "", ""), "a reason is needed"),
        (begin(NURSE, SURG, "other", "  "), "needs a few words more"),
        (
            begin(NURSE, WardId(999), "resuscitation", ""),
            "there is no ward",
        ),
        (end(NURSE, Uuid::now_v7()), "there is no emergency access"),
    ] {
        let refusal = ward.refused(operation).await;
        assert!(
            matches!(refusal, Refusal::InvalidData { .. }),
            "{refusal:?}"
        );
        assert!(refusal.to_string().contains(why), "{refusal}");
    }
    begun(&ward, NURSE, SURG).await;
    let refusal = ward.refused(begin(NURSE, SURG, "resuscitation", "")).await;
    assert!(refusal.to_string().contains("already"), "{refusal}");
    ward.end().await;
}
