//! Before a dose is given the desk warns: what is off needs a reason, for each thing that was on the screen.

use jiff::{SignedDuration, Timestamp};
use valmed::domain::{
    AdministrationId, Giving, Operation, OrderId, Quantity, Reason, Refusal, Request, Warned, Why,
};
use valmed::store::At;

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    a_dose_outside_its_window_needs_a_reason,
    the_same_drug_again_within_two_hours_needs_a_reason,
    a_dose_after_a_later_one_needs_a_reason,
    more_than_is_prescribed_needs_a_reason_and_much_more_is_refused,
    a_reason_answers_only_what_was_on_the_screen,
    an_as_needed_dose_says_what_it_is_for_and_later_whether_it_helped,
    a_dose_is_entered_later_than_it_was_given,
    a_dose_cannot_be_given_in_the_future_or_before_the_prescription,
    limits_as_needed_count_from_when_doses_were_given,
    everything_that_is_missing_is_told_at_once,
);

fn reason(code: &str) -> Reason {
    Reason {
        code: code.to_owned(),
        text: String::new(),
    }
}

/// A ward with the rules of a hospital that has set nothing.
async fn hospital(place: Place) -> Ward {
    let ward = Ward::open_with(place, strict()).await;
    ward.receive(MEDI, PARACETAMOL, units(20)).await;
    ward
}

fn giving(mut operation: Operation, change: impl FnOnce(&mut Giving)) -> Operation {
    if let Request::Fulfil(giving) = &mut operation.request {
        change(giving);
    }
    operation
}

/// With a reason for these warnings.
fn despite(operation: Operation, warned: &[Warned]) -> Operation {
    giving(operation, |giving| {
        giving.why.warned = Some(reason("prescriber"));
        giving.why.despite = warned.to_vec();
    })
}

async fn warned(ward: &Ward, operation: Operation) -> Vec<Warned> {
    match ward.refused(operation).await {
        Refusal::ReasonRequired { warned, .. } => warned,
        other => panic!("{other:?}"),
    }
}

/// The kinds, codes and warnings of the reasons of a dose.
async fn reasons(ward: &Ward, dose: AdministrationId) -> Vec<(String, String, String)> {
    rows!(
        ward.db,
        (String, String, String),
        "SELECT kind, code, about FROM administration_reasons WHERE administration_id = $1 ORDER BY kind",
        dose
    )
}

fn kept(kind: &str, code: &str, about: &str) -> (String, String, String) {
    (kind.to_owned(), code.to_owned(), about.to_owned())
}

async fn a_dose_outside_its_window_needs_a_reason(place: Place) {
    let ward = hospital(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.place.clock.advance(SignedDuration::from_mins(61));
    assert_eq!(warned(&ward, give(order)).await, [Warned::Late]);
    let receipt = ward.done(despite(give(order), &[Warned::Late])).await;
    let dose = as_given(&receipt).0;
    assert_eq!(
        reasons(&ward, dose).await,
        [kept("override", "prescriber", "late")]
    );
    let early = ward.order(&Rx::timed(PARACETAMOL)).await;
    change!(
        ward.db,
        "UPDATE medication_orders SET due_at = $2 WHERE id = $1",
        early,
        At(ward.now() + SignedDuration::from_mins(200))
    );
    let found = warned(&ward, give(early)).await;
    assert_eq!(found, [Warned::Early, Warned::SameDrug]);
    ward.end().await;
}

async fn the_same_drug_again_within_two_hours_needs_a_reason(place: Place) {
    let ward = hospital(place).await;
    ward.done(give(ward.order(&Rx::timed(PARACETAMOL)).await))
        .await;
    ward.place.clock.advance(SignedDuration::from_mins(119));
    // Another patient is another patient.
    let other = Rx {
        patient: 1,
        ..Rx::timed(PARACETAMOL)
    };
    ward.done(give_to(NURSE, ward.order(&other).await, 1)).await;
    let again = ward.order(&Rx::timed(PARACETAMOL)).await;
    let refusal = ward.refused(give(again)).await;
    assert_eq!(
        refusal.message(),
        "This needs a reason: the same drug was given 1 h 59 min before. Nothing was recorded. \
         Choose a reason, then sign again."
    );
    ward.place.clock.advance(SignedDuration::from_mins(1));
    ward.done(give(again)).await;
    ward.end().await;
}

async fn a_dose_after_a_later_one_needs_a_reason(place: Place) {
    let ward = hospital(place).await;
    let (prescription, early) = ward.prescribe(&Rx::timed(PARACETAMOL)).await;
    let later = ward.order(&Rx::timed(PARACETAMOL)).await;
    change!(
        ward.db,
        "UPDATE prescriptions SET schedule = 'unscheduled' WHERE id = $1",
        prescription
    );
    ward.place.clock.advance(SignedDuration::from_mins(30));
    change!(
        ward.db,
        "UPDATE medication_orders SET prescription_id = $2, due_at = $3 WHERE id = $1",
        later,
        prescription,
        At(ward.now())
    );
    ward.done(give(later)).await;
    ward.place.clock.advance(SignedDuration::from_mins(20));
    assert_eq!(warned(&ward, give(early)).await, [Warned::LaterGiven]);
    ward.done(despite(give(early), &[Warned::LaterGiven])).await;
    ward.end().await;
}

async fn more_than_is_prescribed_needs_a_reason_and_much_more_is_refused(place: Place) {
    let ward = hospital(place).await;
    let range = Rx {
        most: Some(units(2)),
        ..Rx::timed(PARACETAMOL)
    };
    let order = ward.order(&range).await;
    assert_eq!(
        warned(&ward, give_amount(order, units(4))).await,
        [Warned::HighDose]
    );
    let refusal = ward.refused(give_amount(order, milli(4001))).await;
    assert_eq!(refusal.code(), "INVALID_STOCK_QUANTITY");
    let operation = despite(give_amount(order, units(4)), &[Warned::HighDose]);
    let (_, quantity, left) = as_given(&ward.done(operation).await);
    assert_eq!((quantity, left), (units(4), units(16)));
    let report = valmed::verify::verify(&ward.db).await.unwrap();
    assert!(report.holds(), "{report:?}");
    ward.end().await;
}

async fn a_reason_answers_only_what_was_on_the_screen(place: Place) {
    let ward = hospital(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.place.clock.advance(SignedDuration::from_mins(90));
    // While the reason for being late is chosen, somebody gives the same drug.
    let other = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(give_as(SECOND_NURSE, other)).await;
    let operation = despite(give(order), &[Warned::Late]);
    let Refusal::ReasonRequired { missing, warned } = ward.refused(operation).await else {
        panic!("given without a word");
    };
    assert_eq!(missing, ["the same drug was given 0 min before"]);
    assert_eq!(warned, [Warned::Late, Warned::SameDrug]);
    ward.done(despite(give(order), &warned)).await;
    ward.end().await;
}

async fn an_as_needed_dose_says_what_it_is_for_and_later_whether_it_helped(place: Place) {
    let ward = hospital(place).await;
    let order = ward.order(&Rx::as_needed(PARACETAMOL, "prn min 60m")).await;
    let refusal = ward.refused(give(order)).await;
    assert_eq!(refusal.code(), "REASON_REQUIRED");
    assert!(
        refusal
            .to_string()
            .contains("what the as-needed dose is for")
    );
    let operation = giving(give(order), |giving| {
        giving.why.indication = Some(reason("pain"));
    });
    let dose = as_given(&ward.done(operation).await).0;
    assert_eq!(reasons(&ward, dose).await, [kept("indication", "pain", "")]);
    let asked = |at: Timestamp| {
        let db = &ward.db;
        async move {
            let mut conn = db.reader().await.unwrap();
            let found = valmed::store::listing::effects(conn.link(), MEDI, At(at), 10).await;
            found.unwrap()
        }
    };
    assert!(
        asked(ward.now() + SignedDuration::from_mins(59))
            .await
            .is_empty()
    );
    let later = ward.now() + SignedDuration::from_mins(60);
    let [line] = &asked(later).await[..] else {
        panic!("it is not asked");
    };
    assert_eq!((line.id, &*line.indication), (dose, "pain"));
    let note = |code: &str| {
        let request = Request::NoteEffect(valmed::domain::Helped {
            administration: dose,
            effect: reason(code),
        });
        operation_by(request)
    };
    assert_eq!(ward.refused(note("none")).await.code(), "INVALID_DATA");
    ward.done(note("relieved")).await;
    assert!(asked(later).await.is_empty());
    let refusal = ward.refused(note("worse")).await;
    assert!(
        refusal
            .to_string()
            .contains("Nora Nurse has recorded the effect already")
    );
    ward.end().await;
}

fn operation_by(request: Request) -> Operation {
    operation(NURSE, request)
}

fn entered_later(order: OrderId, at: Timestamp, why: Why) -> Operation {
    giving(give(order), |giving| {
        giving.given_at = Some(at);
        giving.why = why;
    })
}

async fn a_dose_is_entered_later_than_it_was_given(place: Place) {
    let ward = hospital(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let due = ward.now();
    ward.place.clock.advance(SignedDuration::from_hours(3));
    let refusal = ward
        .refused(entered_later(order, due, Why::default()))
        .await;
    assert!(
        refusal
            .to_string()
            .contains("entered later than it was given"),
        "{refusal}"
    );
    // Given in time, it is not late, whenever it is entered.
    let why = Why {
        back_entry: Some(reason("downtime")),
        ..Why::default()
    };
    let dose = as_given(&ward.done(entered_later(order, due, why)).await).0;
    assert_eq!(
        reasons(&ward, dose).await,
        [kept("back_entry", "downtime", "")]
    );
    let times = rows!(
        ward.db,
        (At, At),
        "SELECT administration_time, recorded_at FROM medication_administrations WHERE id = $1",
        dose
    );
    assert_eq!(times, [(At(due), At(ward.now()))]);
    // A walk from the bed needs no reason.
    ward.place.clock.advance(SignedDuration::from_hours(3));
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.place.clock.advance(SignedDuration::from_mins(6));
    let just_now = ward.now() - SignedDuration::from_mins(5);
    ward.done(entered_later(order, just_now, Why::default()))
        .await;
    let report = valmed::verify::verify(&ward.db).await.unwrap();
    assert!(report.holds(), "{report:?}");
    ward.end().await;
}

async fn a_dose_cannot_be_given_in_the_future_or_before_the_prescription(place: Place) {
    let ward = hospital(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    for (minutes, why) in [
        (1, "later than now"),
        (-1, "before the prescription begins"),
    ] {
        let at = ward.now() + SignedDuration::from_mins(minutes);
        let refusal = ward.refused(entered_later(order, at, Why::default())).await;
        assert_eq!(refusal.code(), "INVALID_DATA");
        assert!(refusal.to_string().contains(why), "{refusal}");
    }
    ward.end().await;
}

async fn limits_as_needed_count_from_when_doses_were_given(place: Place) {
    let ward = hospital(place).await;
    let rx = Rx::as_needed(PARACETAMOL, "prn min 60m max/24h 3");
    let (prescription, _) = ward.prescribe(&rx).await;
    let begin = ward.now();
    ward.place.clock.advance(SignedDuration::from_hours(6));
    let enter = async |minutes: i64| {
        let order = ward.open_orders(prescription).await[0];
        let at = begin + SignedDuration::from_mins(minutes);
        let why = Why {
            indication: Some(reason("pain")),
            back_entry: Some(reason("downtime")),
            ..Why::default()
        };
        ward.ask(entered_later(order, at, why)).await
    };
    let done = |outcome: valmed::domain::Outcome| {
        assert!(
            matches!(outcome, valmed::domain::Outcome::Done(_)),
            "{outcome:?}"
        );
    };
    done(enter(240).await);
    // Before the other: each must be far enough from the next.
    assert_eq!(refusal(enter(181).await).code(), "TOO_SOON");
    assert_eq!(refusal(enter(299).await).code(), "TOO_SOON");
    done(enter(60).await);
    done(enter(150).await);
    assert_eq!(refusal(enter(350).await).code(), "TOO_SOON");
    ward.end().await;
}

async fn everything_that_is_missing_is_told_at_once(place: Place) {
    let ward = hospital(place).await;
    let first = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(give(first)).await;
    let rx = Rx {
        most: Some(units(2)),
        ..Rx::as_needed(PARACETAMOL, "prn")
    };
    let order = ward.order(&rx).await;
    ward.place.clock.advance(SignedDuration::from_mins(30));
    let at = ward.now() - SignedDuration::from_mins(10);
    let operation = giving(entered_later(order, at, Why::default()), |giving| {
        giving.amount = Some(Quantity::units(3));
    });
    let Refusal::ReasonRequired { missing, .. } = ward.refused(operation).await else {
        panic!("given without a word");
    };
    assert_eq!(
        missing,
        [
            "what the as-needed dose is for",
            "it is entered later than it was given",
            "the same drug was given 20 min before",
            "3 tab is more than the prescribed 2",
        ]
    );
    ward.end().await;
}
