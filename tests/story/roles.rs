//! Who may do what, asked of the desk for every role, in their own ward and in another.

use uuid::Uuid;
use valmed::domain::cupboard::Resolution;
use valmed::domain::decide::MATRIX;
use valmed::domain::{
    Correction, GivingOutcome, Helped, NotGiven, Operation, Outcome, Reason, Request, Restock,
    Role, UserId, WardId,
};

use crate::support::cupboard::*;
use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(each_role_does_what_the_matrix_says_in_its_own_wards_only);

fn reason(code: &str) -> Reason {
    Reason {
        code: code.to_owned(),
        text: String::new(),
    }
}

async fn attempt(ward: &Ward, kind: &str, actor: UserId, at: WardId) -> Operation {
    let patient = if at == MEDI { 0 } else { 2 };
    let rx = Rx {
        patient,
        ..Rx::timed(PARACETAMOL)
    };
    match kind {
        "fulfil" => give_to(actor, ward.order(&rx).await, patient),
        "discontinue" => discontinue(actor, ward.order(&rx).await, "a reason"),
        "not_given" => {
            let order = ward.order(&rx).await;
            let request = Request::NotGiven(NotGiven {
                order,
                version: 1,
                outcome: GivingOutcome::Refused,
                reason: reason("patient"),
                until: None,
            });
            operation(actor, request)
        }
        "correct" => {
            // A nurse takes back what she gave herself; of the others only a supervisor may.
            let nurse = person(Role::Nurse, at);
            let giver = if actor == nurse { actor } else { nurse };
            let order = ward.order(&rx).await;
            let receipt = ward.done(give_to(giver, order, patient)).await;
            let request = Request::Correct(Correction {
                administration: as_given(&receipt).0,
                reason: reason("not_given"),
                stock: Restock::Back,
                reopen: false,
            });
            operation(actor, request)
        }
        "effect" => {
            let rx = Rx {
                patient,
                ..Rx::as_needed(PARACETAMOL, "prn")
            };
            let order = ward.order(&rx).await;
            let receipt = ward.done(give_to(POOL_NURSE, order, patient)).await;
            let request = Request::NoteEffect(Helped {
                administration: as_given(&receipt).0,
                effect: reason("relieved"),
            });
            operation(actor, request)
        }
        "receive" => receive(actor, at, PARACETAMOL, units(1)),
        "send" => send(actor, at, PHAR, PARACETAMOL, units(1)),
        "receive_transfer" => arrive(
            actor,
            ward.sent(PHAR, at, PARACETAMOL, units(2)).await,
            units(2),
        ),
        "resolve_transfer" => {
            let transfer = ward.sent(PHAR, at, PARACETAMOL, units(2)).await;
            let missing = ward.short(transfer, units(1)).await;
            resolve_transfer(actor, missing, Resolution::Found, "")
        }
        "return" => take_back(actor, part(at, PARACETAMOL, units(1)), "overstock"),
        "waste" => waste(actor, part(at, PARACETAMOL, units(1)), "broken"),
        "adjust" => adjust(actor, part(at, PARACETAMOL, units(1)), "entry"),
        "count" => {
            let (seq, counted) = (
                ward.seq(at, PARACETAMOL).await,
                ward.stock(at, PARACETAMOL).await,
            );
            count(actor, at, PARACETAMOL, seq, counted)
        }
        "explain" => explain(actor, ward.differs(at, PARACETAMOL).await, "miscount"),
        "resolve_count" => resolve_count(actor, ward.differs(at, PARACETAMOL).await, "miscount"),
        "recall" => recall(
            actor,
            PARACETAMOL,
            &Uuid::now_v7().simple().to_string()[12..],
        ),
        "levels" => levels(
            actor,
            at,
            PARACETAMOL,
            ward.levels(at, PARACETAMOL).await,
            units(9),
        ),
        other => panic!("the matrix has an operation that no story tells: {other}"),
    }
}

async fn each_role_does_what_the_matrix_says_in_its_own_wards_only(place: Place) {
    let ward = Ward::open(place).await;
    for at in [MEDI, SURG, PHAR] {
        ward.receive(at, PARACETAMOL, units(100)).await;
    }
    for need in MATRIX {
        for role in Role::ALL {
            for (own, at) in [(MEDI, MEDI), (SURG, SURG), (MEDI, SURG), (SURG, MEDI)] {
                let operation = attempt(&ward, need.kind, person(*role, own), at).await;
                let outcome = ward.ask(operation).await;
                let told = format!("{role} of ward {own}: {} in ward {at}", need.kind);
                // A lot is recalled for every ward at once.
                let everywhere = need.kind == "recall";
                if need.roles.contains(role) && (own == at || everywhere) {
                    assert!(matches!(outcome, Outcome::Done(_)), "{told}: {outcome:?}");
                    continue;
                }
                let refusal = refusal(outcome);
                assert_eq!(refusal.code(), "INSUFFICIENT_PERMISSIONS", "{told}");
                let why = refusal.to_string();
                let expected = if need.roles.contains(role) {
                    "it is not one of their wards".to_owned()
                } else {
                    format!("that is for a {}", need.who)
                };
                assert!(why.contains(&expected), "{told}: {why}");
            }
        }
    }
    ward.end().await;
}
