//! Who may do what, asked of the desk for every row of the matrix and every role, in their own ward and in another, with
//! and without emergency access, and of somebody who may look only. A new row needs an [`attempt`], and nothing else.

use uuid::Uuid;
use valmed::domain::cupboard::Resolution;
use valmed::domain::decide::{MATRIX, Need, Place as Where, place as matrix_place};
use valmed::domain::prescribing::Admit;
use valmed::domain::scan::Gtin;
use valmed::domain::{
    Correction, GivingOutcome, Helped, NotGiven, Operation, Outcome, Reason, Receipt, Request,
    Restock, Role, UserId, WardId,
};

use crate::codes;
use crate::support::cupboard::*;
use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    each_role_does_what_the_matrix_says_where_it_says,
    whoever_may_look_only_changes_nothing,
    emergency_access_opens_what_the_role_may_do_in_another_ward,
);

fn reason(code: &str) -> Reason {
    Reason {
        code: code.to_owned(),
        text: String::new(),
    }
}

/// An operation of that kind that would be done in that ward if `actor` may.
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
            let order = ward.order(&rx).await;
            let receipt = match ward.ask(give_to(actor, order, patient)).await {
                Outcome::Done(receipt) => receipt,
                _ => {
                    ward.done(give_to(person(Role::Nurse, at), order, patient))
                        .await
                }
            };
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
        "prescribe" => {
            let (patient, _) = ward.somebody_in(at).await;
            let ask = prescribe(patient, 1, PARACETAMOL, "PRN MAX 4");
            operation(actor, Request::Prescribe(Box::new(ask)))
        }
        "discontinue_prescription" => {
            let (_, prescription) = ward.somebody_in(at).await;
            let request = Request::DiscontinuePrescription {
                prescription,
                version: 1,
                reason: because("finished"),
            };
            operation(actor, request)
        }
        "admit" => {
            let ask = Admit {
                mrn: format!("N{}", uuid::Uuid::now_v7()),
                name: "Frieda Frei".to_owned(),
                birth_date: jiff::civil::date(1960, 2, 29),
                ward: at,
                bed: String::new(),
                allergies: String::new(),
            };
            operation(actor, Request::Admit(Box::new(ask)))
        }
        "move" => {
            let (patient, _) = ward.somebody_in(at).await;
            let request = Request::Move {
                patient,
                version: 1,
                ward: if at == MEDI { SURG } else { MEDI },
                bed: "1".to_owned(),
            };
            operation(actor, request)
        }
        "discharge" => {
            let (patient, _) = ward.somebody_in(at).await;
            let request = Request::Discharge {
                patient,
                version: 1,
                reason: because("home"),
            };
            operation(actor, request)
        }
        "allergies" => {
            let (patient, _) = ward.somebody_in(at).await;
            let request = Request::Allergies {
                patient,
                version: 1,
                allergies: "Latex".to_owned(),
            };
            operation(actor, request)
        }
        "emergency" => emergency(actor, at),
        "end_emergency" => operation(
            actor,
            Request::EndEmergency {
                access: theirs(ward, actor).await,
            },
        ),
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
        "bind_code" => {
            let unheard = format!("0{:012}", Uuid::new_v4().as_u128() % 1_000_000_000_000);
            let unheard = (0..10).find_map(|check| Gtin::read(&format!("{unheard}{check}")).ok());
            let (drug, gtin) = (PARACETAMOL, unheard.unwrap());
            let beside = false;
            operation(actor, Request::BindCode { drug, gtin, beside })
        }
        "release_code" => {
            ward.ask(codes::bind(PHARMACIST, PARACETAMOL, false)).await;
            codes::release(actor, PARACETAMOL)
        }
        other => panic!("the matrix has an operation that no story tells: {other}"),
    }
}

/// Every cupboard holds what the operations take.
async fn stocked(ward: &Ward) {
    for at in [MEDI, SURG, PHAR] {
        ward.receive(at, PARACETAMOL, units(500)).await;
    }
}

fn emergency(actor: UserId, ward: WardId) -> Operation {
    let reason = Reason {
        code: "resuscitation".to_owned(),
        text: String::new(),
    };
    operation(actor, Request::Emergency { ward, reason })
}

/// An emergency access of somebody's own, written down as if they had been given it.
async fn theirs(ward: &Ward, who: UserId) -> Uuid {
    let id = Uuid::now_v7();
    let now = ward.now();
    change!(
        ward.db,
        "INSERT INTO emergency_accesses (id, user_id, ward_id, reason_code, reason, started_at, until_at) \
         VALUES ($1, $2, $3, 'other', 'written by a story', $4, $5)",
        id,
        who,
        PHAR,
        valmed::store::At::from(now),
        valmed::store::At::from(now + jiff::SignedDuration::from_mins(5))
    );
    id
}

/// Whether the matrix lets somebody of `role` who works in `own` do it in `at`.
fn expected(need: &Need, role: Role, own: WardId, at: WardId) -> bool {
    need.roles.contains(&role)
        && match matrix_place(need.kind) {
            Where::Own => own == at,
            Where::Other => own != at,
            Where::Theirs | Where::Every => true,
        }
}

async fn each_role_does_what_the_matrix_says_where_it_says(place: Place) {
    let ward = Ward::open(place).await;
    stocked(&ward).await;
    // Emergency access opens wards: it comes last.
    let mut matrix: Vec<&Need> = MATRIX.iter().collect();
    matrix.sort_by_key(|need| need.kind == "emergency");
    for need in matrix {
        for role in Role::ALL {
            for (own, at) in [(MEDI, MEDI), (SURG, SURG), (MEDI, SURG), (SURG, MEDI)] {
                let operation = attempt(&ward, need.kind, person(*role, own), at).await;
                assert_eq!(operation.request.kind(), need.kind);
                let outcome = ward.ask(operation).await;
                let told = format!("{role} of ward {own}: {} in ward {at}", need.kind);
                if expected(need, *role, own, at) {
                    assert!(matches!(outcome, Outcome::Done(_)), "{told}: {outcome:?}");
                    continue;
                }
                let refusal = refusal(outcome);
                if need.kind == "emergency" && need.roles.contains(role) {
                    assert_eq!(refusal.code(), "INVALID_DATA", "{told}");
                    continue;
                }
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

async fn whoever_may_look_only_changes_nothing(place: Place) {
    let ward = Ward::open(place).await;
    stocked(&ward).await;
    for need in MATRIX {
        for role in need.roles {
            let who = person(*role, MEDI);
            let at = if need.kind == "emergency" { SURG } else { MEDI };
            let operation = attempt(&ward, need.kind, who, at).await;
            change!(
                ward.db,
                "UPDATE users SET read_only = $2 WHERE id = $1",
                who,
                true
            );
            let refusal = ward.refused(operation).await;
            assert_eq!(refusal.code(), "INSUFFICIENT_PERMISSIONS", "{role}");
            assert!(
                refusal
                    .to_string()
                    .contains("look at everything and change nothing"),
                "{refusal}"
            );
            change!(
                ward.db,
                "UPDATE users SET read_only = $2 WHERE id = $1",
                who,
                false
            );
            let operation = attempt(&ward, need.kind, who, at).await;
            ward.done(operation).await;
            // The next row finds nobody with access to another ward.
            change!(
                ward.db,
                "UPDATE emergency_accesses SET until_at = started_at"
            );
        }
    }
    ward.end().await;
}

async fn emergency_access_opens_what_the_role_may_do_in_another_ward(place: Place) {
    let ward = Ward::open(place).await;
    stocked(&ward).await;
    for role in Role::ALL {
        let who = person(*role, MEDI);
        if *role == Role::Admin {
            let refusal = ward.refused(emergency(who, SURG)).await;
            assert_eq!(refusal.code(), "INSUFFICIENT_PERMISSIONS");
            continue;
        }
        let receipt = ward.done(emergency(who, SURG)).await;
        let Receipt::EmergencyBegun { access, .. } = receipt else {
            panic!("{receipt:?}");
        };
        // What the role may not do anywhere is refused without it, and asks nothing of it.
        let opened =
            |need: &&Need| matrix_place(need.kind) == Where::Own && need.roles.contains(role);
        for need in MATRIX.iter().filter(opened) {
            let operation = attempt(&ward, need.kind, who, SURG).await;
            ward.done(operation).await;
        }
        ward.done(operation(who, Request::EndEmergency { access }))
            .await;
    }
    ward.end().await;
}
