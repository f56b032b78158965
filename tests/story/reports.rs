//! What happens on a ward stands in its report, and in no other ward's and no other time's.

use jiff::{SignedDuration, Timestamp};
use valmed::domain::decide::reports::{READERS, Reach, may_read, reads};
use valmed::domain::mar::{Standing, Windows};
use valmed::domain::prescribing::{Prescribe, PrescribingWarning};
use valmed::domain::report::fields::By;
use valmed::domain::report::{Kind, Line, Page, Period, Row, Span, columns, fields, late_minutes};
use valmed::domain::snapshot::Ward as AWard;
use valmed::domain::{
    Actor, AdministrationId, Correction, DrugId, Giving, GivingOutcome, Helped, NotGiven, OrderId,
    Policy, Quantity, Receipt, Request, Restock, Role, UserId, WardId, Warned,
};
use valmed::store::reports::{self, Limits};
use valmed::store::{At, accounts, audit, screens};

use crate::support::cupboard::*;
use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    what_became_of_every_dose_is_told,
    what_was_not_given_is_told_with_its_reason,
    whether_as_needed_doses_helped_is_told,
    a_scan_of_the_wrong_patient_is_told,
    what_was_done_all_the_same_is_told,
    a_difference_of_a_controlled_drug_is_told,
    what_became_of_stock_is_told,
    when_there_was_nothing_left_is_told,
    a_period_begins_with_its_first_moment_and_ends_before_its_last,
    pages_go_on_where_the_last_one_ended,
    what_was_given_in_a_downtime_leaves_its_list_when_it_is_entered,
    who_may_read_which_is_what_the_table_says,
);

const MISSED: SignedDuration = SignedDuration::from_hours(4);

fn limits(ward: &Ward) -> Limits {
    Limits {
        now: ward.now(),
        missed: MISSED,
        late_minutes: late_minutes(&Policy::default()),
        lines: 1000,
    }
}

async fn wards(ward: &Ward) -> Vec<AWard> {
    let mut conn = ward.db.reader().await.unwrap();
    screens::wards(conn.link()).await.unwrap()
}

/// A report of one ward between two moments.
async fn between(ward: &Ward, kind: Kind, of: WardId, from: Timestamp, to: Timestamp) -> Page {
    let here = wards(ward).await.into_iter().find(|w| w.id == of).unwrap();
    let spans = vec![(here, Span { from, to })];
    let mut conn = ward.db.reader().await.unwrap();
    let limits = limits(ward);
    reports::page(&mut conn, kind, spans, None, &limits)
        .await
        .unwrap()
}

/// Of Medicine, from the beginning of the story up to now and this moment.
async fn told(ward: &Ward, kind: Kind, since: Timestamp) -> Vec<Line> {
    let to = ward.now() + SignedDuration::from_micros(1);
    let page = between(ward, kind, MEDI, since, to).await;
    assert_eq!(page.next, None);
    // Nothing of another ward, and nothing of another time.
    assert_eq!(between(ward, kind, SURG, since, to).await.rows, []);
    let later = to + SignedDuration::from_hours(48);
    // But for what is out: that lasts until there is something again.
    if kind != Kind::StockOuts {
        assert_eq!(between(ward, kind, MEDI, to, later).await.rows, []);
    }
    let before = since - SignedDuration::from_hours(48);
    assert_eq!(between(ward, kind, MEDI, before, since).await.rows, []);
    let policy = Policy::default();
    let by = By {
        now: ward.now(),
        policy: &policy,
        windows: windows(),
    };
    for row in &page.rows {
        assert_eq!(fields(&row.line, &by).len(), columns(kind).len());
    }
    page.rows.into_iter().map(|row| row.line).collect()
}

fn windows() -> Windows {
    Windows {
        due: SignedDuration::from_mins(60),
        missed: MISSED,
    }
}

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

async fn stocked(place: Place) -> Ward {
    let ward = Ward::open(place).await;
    for drug in [PARACETAMOL, MORPHINE, INSULIN] {
        ward.receive(MEDI, drug, units(20)).await;
    }
    ward
}

fn not_given(order: OrderId, outcome: GivingOutcome, code: &str) -> valmed::domain::Operation {
    let request = Request::NotGiven(NotGiven {
        order,
        version: 1,
        outcome,
        reason: because(code),
        until: None,
    });
    operation(NURSE, request)
}

/// Takes a dose back; it is not to be given any more.
async fn undo(ward: &Ward, dose: AdministrationId, stock: Restock) {
    let request = Request::Correct(Correction {
        administration: dose,
        reason: because("not_given"),
        stock,
        reopen: false,
    });
    ward.done(operation(NURSE, request)).await;
}

async fn what_became_of_every_dose_is_told(place: Place) {
    let ward = stocked(place).await;
    let since = ward.now();
    let due = async |ward: &Ward| {
        ward.place.clock.advance(minutes(1));
        ward.order(&Rx::timed(PARACETAMOL)).await
    };
    let in_time = due(&ward).await;
    let late = due(&ward).await;
    let refused = due(&ward).await;
    let stopped = due(&ward).await;
    let wrong = due(&ward).await;
    let missed = due(&ward).await;
    ward.done(give(in_time)).await;
    ward.done(not_given(refused, GivingOutcome::Refused, "patient"))
        .await;
    ward.done(discontinue(DOCTOR, stopped, "not needed")).await;
    let (entry, ..) = as_given(&ward.done(give(wrong)).await);
    undo(&ward, entry, Restock::Back).await;
    ward.place.clock.advance(minutes(100));
    ward.done(give(late)).await;
    ward.place.clock.advance(minutes(4 * 60));
    let open = due(&ward).await;
    let all = told(&ward, Kind::Due, since).await;
    let stands = |line: &Line| match line {
        Line::Dose(dose) => (
            dose.of.order,
            dose.standing(ward.now(), windows()),
            dose.late(ward.now()),
        ),
        other => panic!("{other:?}"),
    };
    let found: Vec<_> = all.iter().map(stands).collect();
    assert_eq!(
        found,
        [
            (in_time, Standing::Given, Some(5)),
            (late, Standing::Given, Some(104)),
            (refused, Standing::Refused, None),
            (stopped, Standing::Stopped, None),
            (wrong, Standing::Stopped, None),
            (missed, Standing::Missed, Some(341)),
            (open, Standing::Due, None),
        ],
        "in the order in which they were due"
    );
    let Line::Dose(given) = &all[1] else { panic!() };
    assert_eq!(
        (given.who.mrn.as_str(), given.drug.name.as_str()),
        ("M1001", "Paracetamol")
    );
    assert_eq!(given.of.standing_entry().unwrap().by, "Nora Nurse");
    let only = told(&ward, Kind::Missed, since).await;
    assert_eq!(
        only.iter().map(stands).map(|of| of.0).collect::<Vec<_>>(),
        [missed]
    );
    let only = told(&ward, Kind::Late, since).await;
    assert_eq!(
        only.iter().map(stands).map(|of| of.0).collect::<Vec<_>>(),
        [late]
    );
    ward.end().await;
}

async fn what_was_not_given_is_told_with_its_reason(place: Place) {
    let ward = stocked(place).await;
    let since = ward.now();
    let mut expected = Vec::new();
    for (outcome, code) in [
        (GivingOutcome::Held, "npo"),
        (GivingOutcome::Refused, "vomited"),
        (GivingOutcome::NotAvailable, "not_delivered"),
    ] {
        ward.place.clock.advance(minutes(1));
        let order = ward.order(&Rx::timed(PARACETAMOL)).await;
        let receipt = ward.done(not_given(order, outcome, code)).await;
        let Receipt::NotGiven { administration, .. } = receipt else {
            panic!("{receipt:?}")
        };
        expected.push((administration, outcome, code.to_owned(), false));
    }
    undo(&ward, expected[1].0, Restock::Back).await;
    expected[1].3 = true;
    let given = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(give(given)).await;
    let found = told(&ward, Kind::NotGiven, since).await;
    let found: Vec<_> = found
        .into_iter()
        .map(|line| match line {
            Line::NotGiven(line) => (line.id, line.outcome, line.reason.code, line.taken_back),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(found, expected);
    ward.end().await;
}

async fn whether_as_needed_doses_helped_is_told(place: Place) {
    let ward = stocked(place).await;
    let give_one = async |ward: &Ward| {
        let order = ward.order(&Rx::as_needed(MORPHINE, "prn")).await;
        let mut operation = give(order);
        if let Request::Fulfil(Giving { why, .. }) = &mut operation.request {
            why.indication = Some(because("pain"));
        }
        as_given(&ward.done(operation).await).0
    };
    let helped = give_one(&ward).await;
    ward.place.clock.advance(minutes(1));
    let unknown = give_one(&ward).await;
    // It is told from when on it was to be asked.
    let since = ward.now() + minutes(30);
    ward.place.clock.advance(minutes(90));
    let request = Request::NoteEffect(Helped {
        administration: helped,
        effect: because("partly"),
    });
    ward.done(operation(SECOND_NURSE, request)).await;
    let found = told(&ward, Kind::Effects, since).await;
    let found: Vec<_> = found
        .into_iter()
        .map(|line| match line {
            Line::Effect(line) => (
                line.id,
                line.indication.code,
                line.effect.map(|effect| effect.code),
                line.noted_by,
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    let text = |word: &str| Some(word.to_owned());
    assert_eq!(
        found,
        [
            (
                helped,
                "pain".to_owned(),
                text("partly"),
                text("Nils Nurse")
            ),
            (unknown, "pain".to_owned(), None, None),
        ]
    );
    ward.end().await;
}

async fn a_scan_of_the_wrong_patient_is_told(place: Place) {
    let ward = stocked(place).await;
    let since = ward.now();
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let mut conn = ward.db.writer().await.unwrap();
    audit::wrong_scan(conn.link(), At(ward.now()), NURSE, order, "WRONG_PATIENT")
        .await
        .unwrap();
    drop(conn);
    ward.place.clock.advance(minutes(1));
    assert_eq!(
        ward.refused(give_to(NURSE, order, 1)).await.code(),
        "WRONG_PATIENT"
    );
    // Another refusal is none.
    ward.refused(give_as(DOCTOR, order)).await;
    let found = told(&ward, Kind::WrongPatient, since).await;
    let found: Vec<_> = found
        .into_iter()
        .map(|line| match line {
            Line::Scan(line) => (line.by, line.by_the_desk, line.who.unwrap().mrn, line.order),
            other => panic!("{other:?}"),
        })
        .collect();
    let row = |desk: bool| ("nora".to_owned(), desk, "M1001".to_owned(), Some(order));
    assert_eq!(found, [row(false), row(true)]);
    ward.end().await;
}

async fn what_was_done_all_the_same_is_told(place: Place) {
    let ward = Ward::open_with(place, strict()).await;
    ward.receive(MEDI, PARACETAMOL, units(20)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.place.clock.advance(minutes(61));
    let since = ward.now();
    let mut giving = give(order);
    if let Request::Fulfil(Giving { why, .. }) = &mut giving.request {
        why.warned = Some(because("patient_away"));
        why.despite = vec![Warned::Late];
    }
    ward.done(giving).await;
    ward.place.clock.advance(minutes(1));
    // Prescribed although it is prescribed already and an allergy is recorded: two warnings of one moment.
    change!(
        ward.db,
        "UPDATE patients SET allergies = 'paracetamol' WHERE id = $1",
        patient(0)
    );
    let mut ask = prescribe(patient(0), 1, PARACETAMOL, "BID");
    let asked = |ask: &Prescribe| operation(DOCTOR, Request::Prescribe(Box::new(ask.clone())));
    assert_eq!(
        ward.refused(asked(&ask)).await.code(),
        "PRESCRIPTION_WARNING"
    );
    let both = [PrescribingWarning::Allergy, PrescribingWarning::Duplicate];
    let because = |kind| valmed::domain::prescribing::Override {
        kind,
        reason: because("prescriber"),
    };
    ask.overrides = both.map(because).into();
    ward.done(asked(&ask)).await;
    let found = told(&ward, Kind::Overrides, since).await;
    let found: Vec<_> = found
        .into_iter()
        .map(|line| match line {
            Line::Override(line) => (line.given, line.warned, line.reason.code, line.by),
            other => panic!("{other:?}"),
        })
        .collect();
    let row = |given: bool, warned: &str, code: &str, by: &str| {
        (given, warned.to_owned(), code.to_owned(), by.to_owned())
    };
    assert_eq!(
        found,
        [
            row(true, "late", "patient_away", "Nora Nurse"),
            row(false, "allergy", "prescriber", "Dora Doctor"),
            row(false, "duplicate", "prescriber", "Dora Doctor"),
        ]
    );
    ward.end().await;
}

async fn a_difference_of_a_controlled_drug_is_told(place: Place) {
    let ward = stocked(place).await;
    let since = ward.now();
    ward.differs(MEDI, PARACETAMOL).await;
    ward.control(MORPHINE).await;
    ward.place.clock.advance(minutes(1));
    let transfer = {
        let operation = send(PHARMACIST, SURG, MEDI, MORPHINE, units(3));
        ward.receive(SURG, MORPHINE, units(5)).await;
        let operation = seen_by(POOL_NURSE, operation);
        match ward.done(operation).await {
            Receipt::Sent { transfer, .. } => transfer,
            other => panic!("{other:?}"),
        }
    };
    let operation = seen_by(POOL_NURSE, arrive(PHARMACIST, transfer, units(2)));
    ward.done(operation).await;
    let found = told(&ward, Kind::Discrepancies, since).await;
    let found: Vec<_> = found
        .into_iter()
        .map(|line| match line {
            Line::Discrepancy(line) => (line.drug.id, line.quantity, line.sent_from.unwrap().code),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [(MORPHINE, units(-1), "SURG".to_owned())],
        "what is not controlled is in no such report"
    );
    ward.end().await;
}

async fn what_became_of_stock_is_told(place: Place) {
    let ward = stocked(place).await;
    ward.place.clock.advance(minutes(1));
    let since = ward.now();
    for _ in 0..3 {
        let order = ward.order(&Rx::timed(PARACETAMOL)).await;
        ward.done(give(order)).await;
    }
    // What was taken back was not given; what is gone all the same was wasted.
    for stock in [Restock::Back, Restock::WrittenOff] {
        let order = ward.order(&Rx::timed(PARACETAMOL)).await;
        let (entry, ..) = as_given(&ward.done(give(order)).await);
        undo(&ward, entry, stock).await;
    }
    let of = |quantity| part(MEDI, PARACETAMOL, quantity);
    ward.done(waste(PHARMACIST, of(units(2)), "broken")).await;
    let back = crate::support::cupboard::take_back;
    ward.done(back(PHARMACIST, of(units(4)), "not_needed"))
        .await;
    ward.done(adjust(PHARMACIST, of(milli(-500)), "entry"))
        .await;
    ward.receive(MEDI, PARACETAMOL, units(30)).await;
    ward.receive(MEDI, INSULIN, units(7)).await;
    let found = told_here(&ward, Kind::Use, since).await;
    let found: Vec<(DrugId, [Quantity; 6])> = found
        .into_iter()
        .map(|line| match line {
            Line::Use(line) => (
                line.drug.id,
                [
                    line.given,
                    line.wasted,
                    line.sent,
                    line.returned,
                    line.adjusted,
                    line.came,
                ],
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    let none = Quantity::ZERO;
    assert_eq!(
        found,
        [
            (INSULIN, [none, none, none, none, none, units(7)]),
            (
                PARACETAMOL,
                [units(3), units(3), none, units(4), milli(-500), units(30)]
            ),
        ]
    );
    let transfer = ward.sent(MEDI, SURG, PARACETAMOL, units(5)).await;
    ward.done(arrive(PHARMACIST, transfer, units(5))).await;
    let found = told_here(&ward, Kind::Use, since).await;
    let Line::Use(here) = &found[1] else { panic!() };
    assert_eq!((here.sent, here.came), (units(5), units(30)));
    let there = between(&ward, Kind::Use, SURG, since, ward.now() + minutes(1)).await;
    let Line::Use(there) = &there.rows[0].line else {
        panic!()
    };
    assert_eq!(
        (there.drug.id, there.came, there.given),
        (PARACETAMOL, units(5), none)
    );
    ward.end().await;
}

/// The same as [`told`], of what other wards have too.
async fn told_here(ward: &Ward, kind: Kind, since: Timestamp) -> Vec<Line> {
    let to = ward.now() + SignedDuration::from_micros(1);
    let page = between(ward, kind, MEDI, since, to).await;
    page.rows.into_iter().map(|row| row.line).collect()
}

async fn when_there_was_nothing_left_is_told(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(1)).await;
    ward.receive(MEDI, INSULIN, units(2)).await;
    ward.place.clock.advance(minutes(1));
    let since = ward.now();
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(give(order)).await;
    ward.place.clock.advance(minutes(30));
    let until = ward.now();
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    ward.place.clock.advance(minutes(10));
    let again = ward.now();
    ward.done(waste(PHARMACIST, part(MEDI, INSULIN, units(2)), "expired"))
        .await;
    let found = told(&ward, Kind::StockOuts, since).await;
    let found: Vec<_> = found
        .into_iter()
        .map(|line| match line {
            Line::StockOut(line) => (line.drug.id, line.since, line.until, line.took.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            (PARACETAMOL, since, Some(until), "given"),
            (INSULIN, again, None, "wasted"),
        ]
    );
    let outs = async |from, to| -> Vec<_> {
        let page = between(&ward, Kind::StockOuts, MEDI, from, to).await;
        let line = |row: Row| match row.line {
            Line::StockOut(line) => (line.drug.id, line.until),
            other => panic!("{other:?}"),
        };
        page.rows.into_iter().map(line).collect()
    };
    let moment = SignedDuration::from_micros(1);
    let (first, second) = ((PARACETAMOL, Some(until)), (INSULIN, None));
    // What began before a period is of it as long as it lasts into it.
    assert_eq!(outs(since + minutes(5), since + minutes(10)).await, [first]);
    assert_eq!(outs(until - moment, until + minutes(5)).await, [first]);
    assert_eq!(outs(until, again).await, []);
    assert_eq!(outs(since, again + moment).await, [first, second]);
    assert_eq!(outs(until - moment, again + moment).await, [first, second]);
    assert_eq!(outs(again + moment, again + minutes(60)).await, [second]);
    assert_eq!(outs(since - minutes(1), since).await, []);
    ward.end().await;
}

async fn a_period_begins_with_its_first_moment_and_ends_before_its_last(place: Place) {
    let ward = stocked(place).await;
    let due = ward.now();
    ward.order(&Rx::timed(PARACETAMOL)).await;
    let micro = SignedDuration::from_micros(1);
    for (from, to, expected) in [
        (due, due + micro, 1),
        (due - micro, due, 0),
        (due + micro, due + minutes(1), 0),
        (due - minutes(1), due + minutes(1), 1),
    ] {
        let found = between(&ward, Kind::Due, MEDI, from, to).await;
        assert_eq!(found.rows.len(), expected, "{from} to {to}");
    }
    ward.end().await;
}

async fn pages_go_on_where_the_last_one_ended(place: Place) {
    let ward = stocked(place).await;
    let since = ward.now();
    // Several of one moment, in both wards, of both states.
    let orders = ward.orders(5, &Rx::timed(PARACETAMOL)).await;
    for order in orders.into_iter().take(2) {
        ward.done(give(order)).await;
    }
    let surgery = Rx {
        patient: 2,
        ..Rx::timed(INSULIN)
    };
    ward.orders(4, &surgery).await;
    let to = since + minutes(1);
    let all: Vec<(AWard, Span)> = wards(&ward)
        .await
        .into_iter()
        .map(|ward| (ward, Span { from: since, to }))
        .collect();
    let page = async |kind, after, lines| {
        let mut conn = ward.db.reader().await.unwrap();
        let limits = Limits {
            lines,
            ..limits(&ward)
        };
        reports::page(&mut conn, kind, all.clone(), after, &limits)
            .await
            .unwrap()
    };
    for kind in [Kind::Due, Kind::Use] {
        let whole = page(kind, None, 1000).await;
        assert_eq!(whole.next, None);
        for lines in 1..=whole.rows.len() {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let leaf = page(kind, after, lines).await;
                assert!(leaf.rows.len() <= lines);
                found.extend(leaf.rows);
                after = leaf.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, whole.rows, "{kind}, {lines} at once");
        }
    }
    let whole = page(Kind::Due, None, 1000).await;
    assert_eq!(whole.rows.len(), 9);
    ward.end().await;
}

async fn what_was_given_in_a_downtime_leaves_its_list_when_it_is_entered(place: Place) {
    let ward = Ward::open_with(place, strict()).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let before = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.place.clock.advance(minutes(10));
    let from = ward.now();
    let orders = ward.orders(3, &Rx::timed(PARACETAMOL)).await;
    ward.place.clock.advance(minutes(30));
    let to = ward.now();
    let after = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.place.clock.advance(minutes(60));
    // Whatever was due and is open, not only what is so late that it is missed.
    let left = async |ward: &Ward| {
        let here = wards(ward)
            .await
            .into_iter()
            .find(|w| w.id == MEDI)
            .unwrap();
        let limits = Limits {
            missed: SignedDuration::ZERO,
            ..limits(ward)
        };
        let mut conn = ward.db.reader().await.unwrap();
        let spans = vec![(here, Span { from, to })];
        let page = reports::page(&mut conn, Kind::Missed, spans, None, &limits)
            .await
            .unwrap();
        let order = |row: valmed::domain::report::Row| match row.line {
            Line::Dose(dose) => dose.of.order,
            other => panic!("{other:?}"),
        };
        let mut left: Vec<OrderId> = page.rows.into_iter().map(order).collect();
        left.sort();
        left
    };
    let mut expected = orders.clone();
    expected.sort();
    assert_eq!(
        left(&ward).await,
        expected,
        "and neither {before} nor {after}"
    );
    let mut entered = give(orders[0]);
    if let Request::Fulfil(giving) = &mut entered.request {
        giving.given_at = Some(from + minutes(5));
        giving.why.back_entry = Some(because("downtime"));
    }
    // The same drug within two hours is warned of, in a downtime as ever.
    ward.done(entered).await;
    ward.done(not_given(orders[1], GivingOutcome::Refused, "patient"))
        .await;
    assert_eq!(left(&ward).await, [orders[2]]);
    ward.end().await;
}

async fn who_may_read_which_is_what_the_table_says(place: Place) {
    let ward = Ward::open(place).await;
    let now = ward.now();
    let actor = async |id: UserId| -> Actor {
        let mut conn = ward.db.reader().await.unwrap();
        let mut found = accounts::actors(conn.link(), std::iter::once(id), now.into())
            .await
            .unwrap();
        found.remove(&id).unwrap()
    };
    for reader in READERS {
        for kind in reader.kinds {
            for role in Role::ALL {
                let who = actor(person(*role, MEDI)).await;
                let reach = reader
                    .roles
                    .iter()
                    .find(|(of, _)| of == role)
                    .map(|(_, r)| *r);
                let found = [MEDI, SURG].map(|at| {
                    let may = may_read(&who, *kind, Some((at, "there")), now);
                    assert_eq!(may.is_ok(), reads(&who, *kind, at, now), "{role} {kind}");
                    if let Err(refusal) = &may {
                        assert_eq!(refusal.code(), "INSUFFICIENT_PERMISSIONS");
                        assert!(refusal.to_string().contains(kind.as_str()), "{refusal}");
                    }
                    may.is_ok()
                });
                let expected = match reach {
                    None => [false, false],
                    Some(Reach::Own) => [true, false],
                    Some(Reach::Every) => [true, true],
                };
                assert_eq!(found, expected, "{role} {kind}");
            }
        }
    }
    // Emergency access opens the ward's reports while it lasts.
    let nurse = person(Role::Nurse, MEDI);
    let request = Request::Emergency {
        ward: SURG,
        reason: because("cover"),
    };
    ward.done(operation(nurse, request)).await;
    let who = actor(nurse).await;
    assert!(reads(&who, Kind::Due, SURG, now));
    assert!(!reads(
        &who,
        Kind::Due,
        SURG,
        now + SignedDuration::from_hours(2)
    ));
    let disabled = actor(DISABLED_NURSE).await;
    assert!(!reads(&disabled, Kind::Due, MEDI, now));
    assert!(may_read(&disabled, Kind::Due, None, now).is_err());
    assert!(
        Period::default()
            .span(&jiff::tz::TimeZone::UTC, now)
            .is_ok()
    );
    ward.end().await;
}
