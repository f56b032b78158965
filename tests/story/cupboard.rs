//! The cupboard: transfers, what is taken out and set right, counts, lots, levels, and the books of all of it.

use valmed::desk::{Desk, Settings};
use valmed::domain::cupboard::{Levels, Resolution, Verdict};
use valmed::domain::{Outcome, Policy, Quantity, Receipt, Refusal, Request, Role, WardId};
use valmed::store::cupboard::{
    DiscrepancyFilter, RegisterAsk, TransferFilter, counts, discrepancies, elsewhere, lot_moves,
    refills, register, to_count, transfers, under_way,
};
use valmed::store::{At, Day};
use valmed::verify::verify;

use crate::support::cupboard::*;
use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    stock_goes_from_ward_to_ward_in_two_steps,
    what_cannot_be_sent_is_refused,
    nurses_send_where_the_hospital_lets_them,
    what_is_missing_of_a_transfer_stays_open_until_somebody_answers_for_it,
    what_is_lost_needs_a_reason_and_a_witness,
    a_transfer_is_received_once,
    the_history_of_transfers_goes_on_page_by_page,
    stock_leaves_with_a_reason_of_its_list,
    a_controlled_drug_is_wasted_before_a_witness,
    the_register_is_a_page_whose_rows_are_checked,
    a_count_that_agrees_is_on_record_and_books_nothing,
    a_count_that_differs_is_repeated_and_explained,
    a_dose_between_the_counts_stays_booked,
    a_count_that_was_overtaken_is_refused,
    a_controlled_drug_is_counted_by_two_and_its_difference_waits_for_a_supervisor,
    what_expires_first_is_given_first,
    expired_and_recalled_lots_are_neither_given_nor_sent,
    a_lot_that_is_new_expires_by_the_ward_s_own_calendar,
    a_lot_is_what_stands_on_its_package,
    a_transfer_takes_its_lots_along,
    a_drug_without_lots_is_read_as_before,
    a_ward_is_filled_up_to_par,
    levels_are_changed_as_they_were_seen,
    the_books_of_the_cupboard_name_what_was_changed,
    the_same_operation_twice_is_one,
    transfers_back_and_forth_neither_make_nor_lose_stock,
);

const SUPERVISOR: valmed::domain::UserId = valmed::domain::UserId(103);

/// The supervisor of Medicine.
fn supervisor() -> valmed::domain::UserId {
    assert_eq!(person(Role::Supervisor, MEDI), SUPERVISOR);
    SUPERVISOR
}

async fn end(ward: Ward) {
    let report = verify(&ward.db).await.unwrap();
    assert!(report.holds(), "{report:?}");
    ward.end().await;
}

async fn waiting(ward: &Ward) -> Vec<valmed::domain::shelf::DiscrepancyLine> {
    let mut conn = ward.db.reader().await.unwrap();
    let filter = DiscrepancyFilter::default();
    discrepancies(conn.link(), &filter, 100).await.unwrap()
}

async fn stock_goes_from_ward_to_ward_in_two_steps(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(PHAR, PARACETAMOL, units(100)).await;
    let transfer = ward.sent(PHAR, MEDI, PARACETAMOL, units(30)).await;
    assert_eq!(ward.stock(PHAR, PARACETAMOL).await, units(70));
    assert_eq!(
        ward.stock(MEDI, PARACETAMOL).await,
        units(0),
        "it is on its way"
    );
    let mut conn = ward.db.reader().await.unwrap();
    for end in [PHAR, MEDI] {
        let lines = under_way(conn.link(), end, 10).await.unwrap();
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].id, lines[0].quantity), (transfer, units(30)));
    }
    drop(conn);
    let receipt = ward.done(arrive(NURSE, transfer, units(30))).await;
    let Receipt::Arrived {
        missing,
        discrepancy,
        holds,
        ..
    } = receipt
    else {
        panic!("{receipt:?}");
    };
    assert_eq!((missing, discrepancy, holds), (units(0), None, units(30)));
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(30));
    let mut conn = ward.db.reader().await.unwrap();
    assert!(under_way(conn.link(), MEDI, 10).await.unwrap().is_empty());
    drop(conn);
    end(ward).await;
}

async fn what_cannot_be_sent_is_refused(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let code = async |operation| ward.refused(operation).await;
    let to = |ward, quantity| send(PHARMACIST, MEDI, ward, PARACETAMOL, quantity);
    let same = code(to(MEDI, units(1))).await;
    assert!(
        same.to_string().contains("Medicine is the ward that sends"),
        "{same}"
    );
    for quantity in [units(0), units(-1), Quantity(i64::MAX)] {
        let refusal = code(to(SURG, quantity)).await;
        assert_eq!(refusal.code(), "INVALID_STOCK_QUANTITY", "{quantity:?}");
    }
    let more = code(to(SURG, milli(5001))).await;
    assert!(
        matches!(more, Refusal::InsufficientStock { needed, available, .. }
            if needed == milli(5001) && available == units(5))
    );
    let nowhere = code(to(WardId(99), units(1))).await;
    assert_eq!(nowhere.to_string(), "destination: there is no ward 99.");
    let none = code(send(PHARMACIST, PHAR, MEDI, COLCHICINE, units(1))).await;
    assert_eq!(none.code(), "DRUG_NOT_FOUND");
    let nurse = code(send(NURSE, MEDI, SURG, PARACETAMOL, units(1))).await;
    assert_eq!(nurse.code(), "INSUFFICIENT_PERMISSIONS");
    let mut long = to(SURG, units(1));
    if let Request::Send { note, .. } = &mut long.request {
        *note = "n".repeat(101);
    }
    assert_eq!(code(long).await.code(), "INVALID_DATA");
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(5));
    end(ward).await;
}

async fn nurses_send_where_the_hospital_lets_them(place: Place) {
    let policy = Policy {
        nurses_send: true,
        ..Policy::default()
    };
    let settings = Settings {
        policy: policy.into(),
        ..Settings::default()
    };
    let ward = Ward::open_with(place, settings).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    ward.done(send(NURSE, MEDI, SURG, PARACETAMOL, units(1)))
        .await;
    let elsewhere = ward
        .refused(send(NURSE, SURG, MEDI, PARACETAMOL, units(1)))
        .await;
    assert_eq!(elsewhere.code(), "INSUFFICIENT_PERMISSIONS");
    let doctor = ward
        .refused(send(DOCTOR, MEDI, SURG, PARACETAMOL, units(1)))
        .await;
    assert_eq!(doctor.code(), "INSUFFICIENT_PERMISSIONS");
    end(ward).await;
}

async fn what_is_missing_of_a_transfer_stays_open_until_somebody_answers_for_it(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(PHAR, PARACETAMOL, units(100)).await;
    let mut missing = Vec::new();
    for received in [units(0), units(7), units(8)] {
        let transfer = ward.sent(PHAR, MEDI, PARACETAMOL, units(10)).await;
        missing.push(ward.short(transfer, received).await);
    }
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(15));
    assert_eq!(ward.stock(PHAR, PARACETAMOL).await, units(70));
    let lines = waiting(&ward).await;
    let named: Vec<_> = lines.iter().map(|line| (line.id, line.quantity)).collect();
    assert_eq!(
        named,
        [
            (missing[0], units(-10)),
            (missing[1], units(-3)),
            (missing[2], units(-2))
        ]
    );
    assert_eq!(lines[0].sent_from.as_ref().unwrap().id, PHAR);
    // Back in the source, found at the destination, and one that stays open.
    ward.done(resolve_transfer(
        PHARMACIST,
        missing[0],
        Resolution::Returned,
        "",
    ))
    .await;
    ward.done(resolve_transfer(
        supervisor(),
        missing[1],
        Resolution::Found,
        "",
    ))
    .await;
    assert_eq!(ward.stock(PHAR, PARACETAMOL).await, units(80));
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(18));
    assert_eq!(waiting(&ward).await.len(), 1);
    let again = ward
        .refused(resolve_transfer(
            PHARMACIST,
            missing[0],
            Resolution::Found,
            "",
        ))
        .await;
    assert_eq!(again.code(), "ALREADY_DONE");
    assert!(again.to_string().contains("Petra Pharmacist"), "{again}");
    // A supervisor of the destination has nothing to say about the source's stock.
    let other = resolve_transfer(supervisor(), missing[2], Resolution::Returned, "");
    assert_eq!(ward.refused(other).await.code(), "INSUFFICIENT_PERMISSIONS");
    let explained = resolve_transfer(PHARMACIST, missing[2], Resolution::Explained, "miscount");
    assert_eq!(ward.refused(explained).await.code(), "INVALID_DATA");
    let as_count = resolve_count(supervisor(), missing[2], "miscount");
    assert_eq!(ward.refused(as_count).await.code(), "INVALID_DATA");
    end(ward).await;
}

async fn what_is_lost_needs_a_reason_and_a_witness(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(PHAR, PARACETAMOL, units(10)).await;
    let transfer = ward.sent(PHAR, MEDI, PARACETAMOL, units(10)).await;
    let missing = ward.short(transfer, units(4)).await;
    let lost = |code| resolve_transfer(supervisor(), missing, Resolution::Lost, code);
    assert_eq!(ward.refused(lost("")).await.code(), "INVALID_DATA");
    assert_eq!(
        ward.refused(lost("broken")).await.code(),
        "WITNESS_REQUIRED"
    );
    let alone = seen_by(supervisor(), lost("broken"));
    assert_eq!(ward.refused(alone).await.code(), "WITNESS_NOT_VALID");
    ward.done(seen_by(NURSE, lost("broken"))).await;
    assert_eq!(ward.stock(PHAR, PARACETAMOL).await, units(0));
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(4));
    assert!(waiting(&ward).await.is_empty());
    let mut conn = ward.db.reader().await.unwrap();
    let all = DiscrepancyFilter {
        all: true,
        ..DiscrepancyFilter::default()
    };
    let lines = discrepancies(conn.link(), &all, 10).await.unwrap();
    assert_eq!(lines[0].resolution, Some(Resolution::Lost));
    assert_eq!(lines[0].resolved_reason, "broken");
    drop(conn);
    end(ward).await;
}

async fn a_transfer_is_received_once(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(PHAR, PARACETAMOL, units(10)).await;
    let transfer = ward.sent(PHAR, MEDI, PARACETAMOL, units(10)).await;
    let more = ward.refused(arrive(NURSE, transfer, milli(10_001))).await;
    assert!(more.to_string().contains("only 10 tab were sent"), "{more}");
    let less = ward.refused(arrive(NURSE, transfer, units(-1))).await;
    assert_eq!(less.code(), "INVALID_STOCK_QUANTITY");
    let other = ward
        .refused(arrive(person(Role::Nurse, SURG), transfer, units(10)))
        .await;
    assert_eq!(other.code(), "INSUFFICIENT_PERMISSIONS");
    ward.done(arrive(NURSE, transfer, units(10))).await;
    let twice = ward
        .refused(arrive(SECOND_NURSE, transfer, units(10)))
        .await;
    let expected = Refusal::AlreadyDone {
        what: "This transfer was received".to_owned(),
        by: "Nora Nurse".to_owned(),
        at: ward.now(),
    };
    assert_eq!(twice, expected);
    let unknown = valmed::domain::TransferId(uuid::Uuid::now_v7());
    assert_eq!(
        ward.refused(arrive(NURSE, unknown, units(1))).await.code(),
        "NOT_FOUND"
    );
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(10));
    end(ward).await;
}

async fn the_history_of_transfers_goes_on_page_by_page(place: Place) {
    let ward = Ward::open(place).await;
    for (at, drug) in [(PHAR, PARACETAMOL), (PHAR, MORPHINE), (SURG, PARACETAMOL)] {
        ward.receive(at, drug, units(100)).await;
    }
    let mut sent = Vec::new();
    let moves = [
        (PHAR, MEDI, PARACETAMOL),
        (SURG, MEDI, PARACETAMOL),
        (PHAR, SURG, MORPHINE),
        (PHAR, MEDI, MORPHINE),
        (SURG, PHAR, PARACETAMOL),
    ];
    for (from, to, drug) in moves {
        ward.place
            .clock
            .advance(jiff::SignedDuration::from_hours(1));
        sent.push(ward.sent(from, to, drug, units(1)).await);
    }
    sent.reverse();
    let mut conn = ward.db.reader().await.unwrap();
    let later = At::from(ward.now() + jiff::SignedDuration::from_hours(1));
    let mut ids = async |filter: TransferFilter, before, limit| {
        let lines = transfers(conn.link(), &filter, before, limit)
            .await
            .unwrap();
        lines
            .iter()
            .map(|line| (line.id, line.sent_at))
            .collect::<Vec<_>>()
    };
    let start = (later, uuid::Uuid::max());
    let only = |n: &[usize]| n.iter().map(|n| sent[*n]).collect::<Vec<_>>();
    let all = TransferFilter::default();
    let first = ids(all, start, 2).await;
    let last = first.last().unwrap();
    let rest = ids(all, (At::from(last.1), last.0.0), 10).await;
    let paged: Vec<_> = first.iter().chain(&rest).map(|(id, _)| *id).collect();
    assert_eq!(paged, sent, "every transfer once, newest first");
    let of = |ward| TransferFilter {
        ward: Some(ward),
        ..all
    };
    let from = |ward| TransferFilter {
        source: Some(ward),
        ..all
    };
    let to = |ward| TransferFilter {
        destination: Some(ward),
        ..all
    };
    let drug = TransferFilter {
        drug: Some(MORPHINE),
        ..all
    };
    let from_to = TransferFilter {
        destination: Some(MEDI),
        ..from(PHAR)
    };
    let since = TransferFilter {
        since: Some(At::from(first[1].1)),
        ..all
    };
    for (filter, expected) in [
        (of(SURG), only(&[0, 2, 3])),
        (from(PHAR), only(&[1, 2, 4])),
        (to(MEDI), only(&[1, 3, 4])),
        (drug, only(&[1, 2])),
        (from_to, only(&[1, 4])),
        (since, only(&[0, 1])),
        (
            TransferFilter {
                drug: Some(MORPHINE),
                ..of(SURG)
            },
            only(&[2]),
        ),
    ] {
        let found: Vec<_> = ids(filter, start, 10)
            .await
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    drop(conn);
    end(ward).await;
}

async fn stock_leaves_with_a_reason_of_its_list(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let some = |quantity| part(MEDI, PARACETAMOL, quantity);
    ward.done(take_back(NURSE, some(units(2)), "overstock"))
        .await;
    ward.done(waste(NURSE, some(units(1)), "broken")).await;
    ward.done(adjust(PHARMACIST, some(units(-3)), "entry"))
        .await;
    let receipt = ward
        .done(adjust(PHARMACIST, some(milli(500)), "entry"))
        .await;
    assert!(matches!(receipt, Receipt::Booked { quantity, holds, .. }
        if quantity == milli(500) && holds == milli(4500)));
    for wrong in [
        take_back(NURSE, some(units(1)), "broken"),
        waste(NURSE, some(units(1)), ""),
        waste(NURSE, some(units(1)), "other"),
        adjust(PHARMACIST, some(units(1)), "nonsense"),
    ] {
        assert_eq!(ward.refused(wrong).await.code(), "INVALID_DATA");
    }
    for nothing in [
        take_back(NURSE, some(units(0)), "overstock"),
        waste(NURSE, some(units(-1)), "broken"),
        adjust(PHARMACIST, some(units(0)), "entry"),
        adjust(PHARMACIST, some(Quantity(i64::MIN)), "entry"),
    ] {
        assert_eq!(ward.refused(nothing).await.code(), "INVALID_STOCK_QUANTITY");
    }
    for much in [
        take_back(NURSE, some(units(5)), "overstock"),
        waste(NURSE, some(units(5)), "broken"),
        adjust(PHARMACIST, some(units(-5)), "entry"),
    ] {
        assert_eq!(ward.refused(much).await.code(), "INSUFFICIENT_STOCK");
    }
    let none = waste(POOL_NURSE, part(PHAR, PARACETAMOL, units(1)), "broken");
    assert_eq!(ward.refused(none).await.code(), "DRUG_NOT_FOUND");
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, milli(4500));
    end(ward).await;
}

async fn a_controlled_drug_is_wasted_before_a_witness(place: Place) {
    let ward = Ward::open(place).await;
    ward.control(MORPHINE).await;
    ward.receive(MEDI, MORPHINE, units(10)).await;
    let some = || part(MEDI, MORPHINE, units(1));
    for alone in [
        waste(NURSE, some(), "remainder"),
        adjust(PHARMACIST, some(), "entry"),
    ] {
        assert_eq!(ward.refused(alone).await.code(), "WITNESS_REQUIRED");
    }
    for wrong in [
        NURSE,
        DISABLED_NURSE,
        person(Role::Nurse, SURG),
        person(Role::Admin, MEDI),
    ] {
        let refusal = ward
            .refused(seen_by(wrong, waste(NURSE, some(), "remainder")))
            .await;
        assert_eq!(refusal.code(), "WITNESS_NOT_VALID", "{wrong}");
    }
    ward.done(seen_by(SECOND_NURSE, waste(NURSE, some(), "remainder")))
        .await;
    let mut conn = ward.db.reader().await.unwrap();
    let ask = RegisterAsk {
        ward: MEDI,
        drug: MORPHINE,
        before: i64::MAX,
        limit: 10,
    };
    let page = register(conn.link(), ask).await.unwrap().unwrap();
    let last = page.lines.last().unwrap();
    assert_eq!(last.by.as_deref(), Some("Nora Nurse"));
    assert_eq!(last.witness.as_deref(), Some("Nils Nurse"));
    assert_eq!(last.reference, "remainder");
    drop(conn);
    end(ward).await;
}

async fn the_register_is_a_page_whose_rows_are_checked(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, MORPHINE, units(10)).await;
    for _ in 0..4 {
        let order = ward.order(&Rx::timed(MORPHINE)).await;
        ward.done(give(order)).await;
    }
    let read = async |before, limit| {
        let mut conn = ward.db.reader().await.unwrap();
        let ask = RegisterAsk {
            ward: MEDI,
            drug: MORPHINE,
            before,
            limit,
        };
        register(conn.link(), ask).await.unwrap().unwrap()
    };
    let page = read(i64::MAX, 2).await;
    let rows: Vec<i64> = page.lines.iter().map(|line| line.seq).collect();
    assert_eq!((rows, page.last, page.current), (vec![4, 5], 5, units(6)));
    assert!(page.head_holds && page.lines.iter().all(|line| line.holds));
    let (_, name, mrn) = page.lines[0].patient.clone().unwrap();
    assert_eq!((name.as_str(), mrn.as_str()), ("Anna Adler", "M1001"));
    let older = read(4, 10).await;
    assert_eq!(older.lines.len(), 3);
    assert!(older.lines.iter().all(|line| line.holds), "{older:?}");
    let text = valmed::domain::words::register_text(
        &read(i64::MAX, 10).await,
        &jiff::tz::TimeZone::UTC,
        80,
    );
    assert!(text.contains("Every row is what was written"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    change!(
        ward.db,
        "UPDATE stock_ledger SET reference = 'nobody' WHERE drug_id = $1 AND seq = 3",
        MORPHINE
    );
    let spoilt = read(i64::MAX, 10).await;
    let wrong: Vec<i64> = spoilt
        .lines
        .iter()
        .filter(|l| !l.holds)
        .map(|l| l.seq)
        .collect();
    assert_eq!(
        wrong,
        [3],
        "the row itself; those after it follow what it says"
    );
    change!(
        ward.db,
        "UPDATE drug_stock SET current_stock = current_stock + 1 WHERE drug_id = $1 AND ward_id = $2",
        MORPHINE,
        MEDI
    );
    assert!(!read(i64::MAX, 10).await.head_holds);
    assert!(ward.desk.close(crate::support::PATIENCE).await);
    ward.db.close().await;
}

async fn a_count_that_agrees_is_on_record_and_books_nothing(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(7)).await;
    let seq = ward.seq(MEDI, PARACETAMOL).await;
    let receipt = ward
        .done(count(NURSE, MEDI, PARACETAMOL, seq, units(7)))
        .await;
    assert_eq!(verdict(&receipt), Verdict::Agrees);
    assert_eq!(ward.seq(MEDI, PARACETAMOL).await, seq);
    let mut conn = ward.db.reader().await.unwrap();
    let later = (
        At::from(ward.now() + jiff::SignedDuration::from_hours(1)),
        uuid::Uuid::max(),
    );
    let lines = counts(conn.link(), MEDI, later, 10).await.unwrap();
    assert_eq!((lines.len(), lines[0].counted), (1, units(7)));
    drop(conn);
    let less = ward
        .refused(count(NURSE, MEDI, PARACETAMOL, seq, units(-1)))
        .await;
    assert_eq!(less.code(), "INVALID_STOCK_QUANTITY");
    let none = ward
        .refused(count(NURSE, MEDI, COLCHICINE, 0, units(0)))
        .await;
    assert_eq!(none.code(), "DRUG_NOT_FOUND");
    end(ward).await;
}

async fn a_count_that_differs_is_repeated_and_explained(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(7)).await;
    let seq = ward.seq(MEDI, PARACETAMOL).await;
    let counted = |quantity| count(NURSE, MEDI, PARACETAMOL, seq, quantity);
    let receipt = ward.done(counted(units(5))).await;
    assert_eq!(verdict(&receipt), Verdict::Recount);
    let told = serde_json::to_string(&receipt).unwrap();
    assert!(
        !told.contains("7000"),
        "what the register says is not told: {told}"
    );
    let mut conn = ward.db.reader().await.unwrap();
    let lines = to_count(conn.link(), MEDI, 100).await.unwrap();
    let line = lines
        .iter()
        .find(|line| line.drug.id == PARACETAMOL)
        .unwrap();
    assert!(line.again && line.unexplained.is_none());
    let later = (
        At::from(ward.now() + jiff::SignedDuration::from_hours(1)),
        uuid::Uuid::max(),
    );
    let lines = counts(conn.link(), MEDI, later, 10).await.unwrap();
    assert_eq!(lines[0].expected, None, "nor in the list");
    drop(conn);
    let Verdict::Differs {
        difference,
        discrepancy,
    } = verdict(&ward.done(counted(units(6))).await)
    else {
        panic!("it differs");
    };
    assert_eq!(difference, units(-1));
    assert_eq!(
        ward.stock(MEDI, PARACETAMOL).await,
        units(7),
        "not booked yet"
    );
    let early = ward.refused(counted(units(6))).await;
    assert!(
        early.to_string().contains("has to be explained first"),
        "{early}"
    );
    assert_eq!(
        ward.refused(explain(NURSE, discrepancy, "")).await.code(),
        "INVALID_DATA"
    );
    assert_eq!(
        ward.refused(explain(DOCTOR, discrepancy, "broken"))
            .await
            .code(),
        "INSUFFICIENT_PERMISSIONS"
    );
    let receipt = ward.done(explain(NURSE, discrepancy, "broken")).await;
    assert!(matches!(receipt, Receipt::Explained { open: false, holds, .. } if holds == units(6)));
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(6));
    assert!(
        waiting(&ward).await.is_empty(),
        "the policy asks no supervisor"
    );
    assert_eq!(
        ward.refused(explain(NURSE, discrepancy, "broken"))
            .await
            .code(),
        "ALREADY_DONE"
    );
    // A slip of the tongue the first time: the second count agrees, and nothing is left.
    let seq = ward.seq(MEDI, PARACETAMOL).await;
    let counted = |quantity| count(NURSE, MEDI, PARACETAMOL, seq, quantity);
    assert_eq!(
        verdict(&ward.done(counted(units(60))).await),
        Verdict::Recount
    );
    assert_eq!(
        verdict(&ward.done(counted(units(6))).await),
        Verdict::Agrees
    );
    end(ward).await;
}

async fn a_dose_between_the_counts_stays_booked(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let counted = async |quantity| {
        let seq = ward.seq(MEDI, PARACETAMOL).await;
        verdict(
            &ward
                .done(count(NURSE, MEDI, PARACETAMOL, seq, quantity))
                .await,
        )
    };
    // Two are missing. One is given between the counts, and one before the difference is explained.
    assert_eq!(counted(units(8)).await, Verdict::Recount);
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(give(order)).await;
    let Verdict::Differs {
        difference,
        discrepancy,
    } = counted(units(7)).await
    else {
        panic!("it differs");
    };
    assert_eq!(difference, units(-2));
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(give(order)).await;
    ward.done(explain(NURSE, discrepancy, "not_entered")).await;
    assert_eq!(
        ward.stock(MEDI, PARACETAMOL).await,
        units(6),
        "10, two given, two missing"
    );
    end(ward).await;
}

async fn a_count_that_was_overtaken_is_refused(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let seq = ward.seq(MEDI, PARACETAMOL).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(give(order)).await;
    let stale = ward
        .refused(count(NURSE, MEDI, PARACETAMOL, seq, units(10)))
        .await;
    assert_eq!(stale.code(), "COUNT_STALE");
    assert!(
        stale.to_string().contains("got a row while it was counted"),
        "{stale}"
    );
    assert!(stale.message().ends_with("Count it again."));
    // A difference that cannot be booked any more: somebody must have counted wrongly, and a supervisor closes it.
    let seq = ward.seq(MEDI, PARACETAMOL).await;
    for _ in 0..2 {
        ward.done(count(NURSE, MEDI, PARACETAMOL, seq, units(0)))
            .await;
    }
    let found = waiting(&ward).await.remove(0);
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(give(order)).await;
    let refusal = ward.refused(explain(NURSE, found.id, "lost")).await;
    assert_eq!(
        refusal.code(),
        "INVALID_DATA",
        "it asks for a few words: {refusal}"
    );
    let refusal = ward.refused(explain(NURSE, found.id, "miscount")).await;
    assert_eq!(refusal.code(), "INSUFFICIENT_STOCK");
    assert_eq!(
        ward.refused(resolve_count(NURSE, found.id, "miscount"))
            .await
            .code(),
        "INSUFFICIENT_PERMISSIONS"
    );
    ward.done(resolve_count(supervisor(), found.id, "miscount"))
        .await;
    assert_eq!(
        ward.stock(MEDI, PARACETAMOL).await,
        units(8),
        "as the register says"
    );
    let seq = ward.seq(MEDI, PARACETAMOL).await;
    let again = ward
        .done(count(NURSE, MEDI, PARACETAMOL, seq, units(8)))
        .await;
    assert_eq!(verdict(&again), Verdict::Agrees);
    end(ward).await;
}

async fn a_controlled_drug_is_counted_by_two_and_its_difference_waits_for_a_supervisor(
    place: Place,
) {
    let ward = Ward::open(place).await;
    ward.control(MORPHINE).await;
    ward.receive(MEDI, MORPHINE, units(10)).await;
    let seq = ward.seq(MEDI, MORPHINE).await;
    let counted = |quantity| count(NURSE, MEDI, MORPHINE, seq, quantity);
    assert_eq!(
        ward.refused(counted(units(10))).await.code(),
        "WITNESS_REQUIRED"
    );
    ward.done(seen_by(SECOND_NURSE, counted(units(9)))).await;
    let receipt = ward.done(seen_by(SECOND_NURSE, counted(units(9)))).await;
    let Verdict::Differs { discrepancy, .. } = verdict(&receipt) else {
        panic!("{receipt:?}");
    };
    assert_eq!(
        ward.refused(explain(NURSE, discrepancy, "broken"))
            .await
            .code(),
        "WITNESS_REQUIRED"
    );
    let receipt = ward
        .done(seen_by(SECOND_NURSE, explain(NURSE, discrepancy, "broken")))
        .await;
    assert!(
        matches!(receipt, Receipt::Explained { open: true, .. }),
        "{receipt:?}"
    );
    let lines = waiting(&ward).await;
    assert_eq!((lines.len(), lines[0].reason.as_str()), (1, "broken"));
    let twice = ward
        .refused(seen_by(SECOND_NURSE, explain(NURSE, discrepancy, "broken")))
        .await;
    assert!(twice.to_string().contains("explained already"), "{twice}");
    // It does not keep the drug from being counted.
    let seq = ward.seq(MEDI, MORPHINE).await;
    let operation = seen_by(SECOND_NURSE, count(NURSE, MEDI, MORPHINE, seq, units(9)));
    assert_eq!(verdict(&ward.done(operation).await), Verdict::Agrees);
    ward.done(resolve_count(supervisor(), discrepancy, "broken"))
        .await;
    assert!(waiting(&ward).await.is_empty());
    end(ward).await;
}

async fn what_expires_first_is_given_first(place: Place) {
    let ward = Ward::open(place).await;
    let year = ward.now().to_zoned(jiff::tz::TimeZone::UTC).year();
    let day = |years: i16, rest: &str| format!("{}-{rest}", year + years);
    ward.receive(MEDI, PARACETAMOL, units(2)).await;
    for (lot, expires, quantity) in [
        ("LATE", day(3, "01-31"), units(5)),
        ("SOON", day(2, "01-31"), units(2)),
    ] {
        ward.done(receive_lot(MEDI, PARACETAMOL, quantity, lot, &expires))
            .await;
    }
    for (given, soon, late, all) in [(1, 1, 5, 8), (2, 0, 5, 7), (3, 0, 4, 6)] {
        let order = ward.order(&Rx::timed(PARACETAMOL)).await;
        ward.done(give(order)).await;
        assert_eq!(
            ward.of_lot(MEDI, PARACETAMOL, "SOON").await,
            units(soon),
            "{given}"
        );
        assert_eq!(
            ward.of_lot(MEDI, PARACETAMOL, "LATE").await,
            units(late),
            "{given}"
        );
        assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(all), "{given}");
    }
    let mut conn = ward.db.reader().await.unwrap();
    let moves = lot_moves(conn.link(), PARACETAMOL, "SOON", (WardId(i64::MIN), 0), 10)
        .await
        .unwrap();
    let deltas: Vec<_> = moves.iter().map(|line| line.delta).collect();
    assert_eq!(deltas, [units(2), units(-1), units(-1)]);
    assert_eq!(moves[1].patient.as_ref().unwrap().1, "M1001", "who got it");
    drop(conn);
    // A dose that takes the end of one lot and the beginning of what has none.
    ward.done(waste(
        NURSE,
        of_lot(part(MEDI, PARACETAMOL, milli(3500)), "LATE"),
        "broken",
    ))
    .await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(give(order)).await;
    assert_eq!(ward.of_lot(MEDI, PARACETAMOL, "LATE").await, units(0));
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, milli(1500));
    // The lot comes again.
    ward.done(receive_lot(
        MEDI,
        PARACETAMOL,
        units(1),
        "LATE",
        &day(3, "01-31"),
    ))
    .await;
    assert_eq!(ward.of_lot(MEDI, PARACETAMOL, "LATE").await, units(1));
    end(ward).await;
}

async fn expired_and_recalled_lots_are_neither_given_nor_sent(place: Place) {
    let ward = Ward::open(place).await;
    let today = ward
        .now()
        .to_zoned(jiff::tz::TimeZone::get("Europe/Berlin").unwrap())
        .date();
    let expires = today.to_string();
    let later = format!("{}-06-30", today.year() + 5);
    ward.done(receive_lot(MEDI, PARACETAMOL, units(3), "TODAY", &expires))
        .await;
    ward.done(receive_lot(MEDI, PARACETAMOL, units(3), "BAD", &later))
        .await;
    ward.done(receive_lot(SURG, PARACETAMOL, units(4), "BAD", &later))
        .await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(give(order)).await;
    assert_eq!(
        ward.of_lot(MEDI, PARACETAMOL, "TODAY").await,
        units(2),
        "its last day is a day of use"
    );
    let receipt = ward.done(recall(PHARMACIST, PARACETAMOL, "BAD")).await;
    assert!(
        matches!(receipt, Receipt::Recalled { wards: 2, held, .. } if held == units(7)),
        "{receipt:?}"
    );
    ward.place
        .clock
        .advance(jiff::SignedDuration::from_hours(24));
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let refusal = ward.refused(give(order)).await;
    let expected = Refusal::StockBlocked {
        ward: "Medicine".to_owned(),
        drug: "Paracetamol 500mg Tablet".to_owned(),
        unit: "tab".to_owned(),
        needed: units(1),
        usable: units(0),
        expired: units(2),
        recalled: units(3),
    };
    assert_eq!(refusal, expected);
    assert_eq!(
        refusal.to_string(),
        "Of the Paracetamol 500mg Tablet in Medicine, 2 tab expired and 3 tab are recalled; 0 tab can be used, \
         and this needs 1."
    );
    let refusal = ward
        .refused(send(PHARMACIST, SURG, MEDI, PARACETAMOL, units(1)))
        .await;
    assert_eq!(refusal.code(), "STOCK_BLOCKED");
    let refusal = ward
        .refused(waste(NURSE, part(MEDI, PARACETAMOL, units(1)), "expired"))
        .await;
    assert_eq!(
        refusal.code(),
        "STOCK_BLOCKED",
        "what is blocked leaves by name"
    );
    for (lot, code, quantity) in [
        ("NONE", "INVALID_DATA", 1),
        ("BAD", "INSUFFICIENT_STOCK", 4),
    ] {
        let part = of_lot(part(MEDI, PARACETAMOL, units(quantity)), lot);
        assert_eq!(
            ward.refused(waste(NURSE, part, "expired")).await.code(),
            code
        );
    }
    ward.done(waste(
        NURSE,
        of_lot(part(MEDI, PARACETAMOL, units(2)), "TODAY"),
        "expired",
    ))
    .await;
    ward.done(take_back(
        NURSE,
        of_lot(part(MEDI, PARACETAMOL, units(3)), "BAD"),
        "recall",
    ))
    .await;
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(0));
    // Stock without a lot is there to be used beside a blocked lot.
    ward.receive(SURG, PARACETAMOL, units(1)).await;
    ward.done(send(PHARMACIST, SURG, MEDI, PARACETAMOL, units(1)))
        .await;
    assert_eq!(ward.of_lot(SURG, PARACETAMOL, "BAD").await, units(4));
    let again = ward.refused(recall(PHARMACIST, PARACETAMOL, "BAD")).await;
    assert!(again.to_string().contains("recalled already"), "{again}");
    let nurse = ward.refused(recall(NURSE, PARACETAMOL, "X")).await;
    assert_eq!(nurse.code(), "INSUFFICIENT_PERMISSIONS");
    end(ward).await;
}

async fn a_lot_is_what_stands_on_its_package(place: Place) {
    let ward = Ward::open(place).await;
    let today = ward.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let year = today.year();
    let later = format!("{}-06-30", year + 2);
    ward.done(receive_lot(MEDI, PARACETAMOL, units(3), "A1", &later))
        .await;
    ward.done(receive_lot(SURG, PARACETAMOL, units(3), "A1", &later))
        .await;
    // The same name is another lot of another drug.
    ward.done(receive_lot(
        MEDI,
        MORPHINE,
        units(3),
        "A1",
        &format!("{}-01-31", year + 3),
    ))
    .await;
    // Recalled before any of it came.
    ward.done(recall(PHARMACIST, PARACETAMOL, "R9")).await;
    for (lot, expires, why) in [
        ("A1", format!("{}-07-31", year + 2), "check the package"),
        ("R9", later.clone(), "lot R9 is recalled"),
        ("OLD", format!("{}-01-31", year - 1), "it expired on"),
        ("", later.clone(), "1 to 20 characters"),
        (" A", later.clone(), "1 to 20 characters"),
        ("A23456789012345678901", later.clone(), "1 to 20 characters"),
        ("A\u{7}", later.clone(), "control characters"),
        ("A\0", later.clone(), "control characters"),
    ] {
        let refusal = ward
            .refused(receive_lot(MEDI, PARACETAMOL, units(1), lot, &expires))
            .await;
        assert!(refusal.to_string().contains(why), "{lot:?}: {refusal}");
    }
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(3));
    end(ward).await;
}

async fn a_transfer_takes_its_lots_along(place: Place) {
    let ward = Ward::open(place).await;
    let year = ward.now().to_zoned(jiff::tz::TimeZone::UTC).year();
    ward.receive(PHAR, PARACETAMOL, units(5)).await;
    for (lot, years) in [("B", 3), ("A", 2)] {
        let expires = format!("{}-01-31", year + years);
        ward.done(receive_lot(PHAR, PARACETAMOL, units(4), lot, &expires))
            .await;
    }
    let transfer = ward.sent(PHAR, MEDI, PARACETAMOL, units(10)).await;
    assert_eq!(ward.of_lot(PHAR, PARACETAMOL, "A").await, units(0));
    assert_eq!(ward.of_lot(PHAR, PARACETAMOL, "B").await, units(0));
    assert_eq!(ward.stock(PHAR, PARACETAMOL).await, units(3));
    let missing = ward.short(transfer, units(5)).await;
    assert_eq!(ward.of_lot(MEDI, PARACETAMOL, "A").await, units(4));
    assert_eq!(ward.of_lot(MEDI, PARACETAMOL, "B").await, units(1));
    // Recalled while the rest is missing: it comes back blocked.
    ward.done(recall(PHARMACIST, PARACETAMOL, "B")).await;
    ward.done(resolve_transfer(
        PHARMACIST,
        missing,
        Resolution::Returned,
        "",
    ))
    .await;
    assert_eq!(ward.of_lot(PHAR, PARACETAMOL, "B").await, units(3));
    assert_eq!(ward.stock(PHAR, PARACETAMOL).await, units(8));
    let refusal = ward
        .refused(send(PHARMACIST, PHAR, MEDI, PARACETAMOL, units(6)))
        .await;
    assert!(
        matches!(refusal, Refusal::StockBlocked { usable, recalled, .. }
        if usable == units(5) && recalled == units(3))
    );
    let whole = ward.sent(PHAR, SURG, PARACETAMOL, units(5)).await;
    ward.done(arrive(POOL_NURSE, whole, units(5))).await;
    end(ward).await;
}

async fn a_drug_without_lots_is_read_as_before(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(3)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.done(give(order)).await;
    let lots = value!(
        ward.db,
        i64,
        "SELECT (SELECT count(*) FROM lot_moves) + (SELECT count(*) FROM stock_lots) + (SELECT CAST(sum(lots) AS BIGINT) FROM drug_stock)"
    );
    assert_eq!(lots, 0);
    end(ward).await;
}

async fn a_ward_is_filled_up_to_par(place: Place) {
    let ward = Ward::open(place).await;
    for (drug, held) in [(PARACETAMOL, 3), (MORPHINE, 9), (INSULIN, 1)] {
        ward.receive(MEDI, drug, units(held)).await;
        let was = ward.levels(MEDI, drug).await;
        ward.done(levels(PHARMACIST, MEDI, drug, was, units(8)))
            .await;
    }
    ward.receive(PHAR, PARACETAMOL, units(100)).await;
    ward.receive(PHAR, INSULIN, units(4)).await;
    let on_its_way = ward.sent(PHAR, MEDI, PARACETAMOL, units(2)).await;
    let today = Day(ward.now().to_zoned(jiff::tz::TimeZone::UTC).date());
    let mut conn = ward.db.reader().await.unwrap();
    let lines = refills(conn.link(), MEDI, today, PHAR, 100).await.unwrap();
    let wanted: Vec<_> = lines
        .iter()
        .map(|line| (line.drug.id, line.coming, line.quantity))
        .collect();
    assert_eq!(
        wanted,
        [
            (INSULIN, units(0), units(4)),
            (PARACETAMOL, units(2), units(3))
        ],
        "morphine has its par"
    );
    let there = elsewhere(conn.link(), INSULIN, today, 10).await.unwrap();
    let there: Vec<_> = there
        .iter()
        .map(|line| (line.ward.code.as_str(), line.current))
        .collect();
    assert_eq!(
        there,
        [("PHAR", units(4)), ("MEDI", units(1)), ("SURG", units(0))]
    );
    drop(conn);
    ward.done(arrive(NURSE, on_its_way, units(2))).await;
    end(ward).await;
}

async fn levels_are_changed_as_they_were_seen(place: Place) {
    let ward = Ward::open(place).await;
    let was = ward.levels(MEDI, PARACETAMOL).await;
    assert_eq!((was.threshold, was.par), (units(5), units(0)));
    ward.done(levels(
        PHARMACIST,
        MEDI,
        PARACETAMOL,
        was.clone(),
        units(20),
    ))
    .await;
    let stale = ward
        .refused(levels(PHARMACIST, MEDI, PARACETAMOL, was, units(30)))
        .await;
    assert!(matches!(stale, Refusal::LevelsChanged { par, .. } if par == units(20)));
    let was = ward.levels(MEDI, PARACETAMOL).await;
    let low = ward
        .refused(levels(PHARMACIST, MEDI, PARACETAMOL, was.clone(), units(4)))
        .await;
    assert_eq!(low.code(), "INVALID_DATA");
    let less = ward
        .refused(levels(PHARMACIST, MEDI, PARACETAMOL, was, units(-4)))
        .await;
    assert_eq!(less.code(), "INVALID_STOCK_QUANTITY");
    // A drug that the ward has never had is stocked from then on.
    let new = levels(PHARMACIST, MEDI, COLCHICINE, Levels::default(), units(6));
    ward.done(new).await;
    assert_eq!(ward.stock(MEDI, COLCHICINE).await, units(0));
    assert_eq!(ward.levels(MEDI, COLCHICINE).await.par, units(6));
    ward.receive(MEDI, COLCHICINE, units(1)).await;
    end(ward).await;
}

async fn the_books_of_the_cupboard_name_what_was_changed(place: Place) {
    let ward = Ward::open(place).await;
    let year = ward.now().to_zoned(jiff::tz::TimeZone::UTC).year();
    let expires = format!("{}-01-31", year + 2);
    ward.done(receive_lot(PHAR, PARACETAMOL, units(10), "A", &expires))
        .await;
    let transfer = ward.sent(PHAR, MEDI, PARACETAMOL, units(4)).await;
    let missing = ward.short(transfer, units(3)).await;
    let faults = async || {
        let report = verify(&ward.db).await.unwrap();
        let faults = report.rules.into_iter().filter_map(|rule| rule.broken_by);
        faults.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(faults().await, "");
    let lost = format!("transfer {transfer}");
    let planted = [
        (
            "UPDATE drug_transfers SET quantity = 5000 WHERE id = $1",
            "UPDATE drug_transfers SET quantity = 4000 WHERE id = $1",
        ),
        (
            "UPDATE drug_transfers SET status = 'resolved' WHERE id = $1",
            "UPDATE drug_transfers SET status = 'short' WHERE id = $1",
        ),
        (
            "UPDATE drug_transfers SET received = 4000, status = 'received' WHERE id = $1",
            "UPDATE drug_transfers SET received = 3000, status = 'short' WHERE id = $1",
        ),
        (
            "UPDATE drug_transfers SET destination_ward_id = 2 WHERE id = $1",
            "UPDATE drug_transfers SET destination_ward_id = 1 WHERE id = $1",
        ),
    ];
    for (spoil, mend) in planted {
        change!(ward.db, spoil, transfer);
        assert!(
            faults().await.contains(&lost),
            "{spoil}: {}",
            faults().await
        );
        change!(ward.db, mend, transfer);
    }
    change!(
        ward.db,
        "UPDATE discrepancies SET quantity = -2000 WHERE id = $1",
        missing
    );
    assert!(faults().await.contains(&lost));
    change!(
        ward.db,
        "UPDATE discrepancies SET quantity = -1000 WHERE id = $1",
        missing
    );
    for (spoil, mend) in [
        (
            "UPDATE stock_lots SET quantity = quantity + 1 WHERE lot = 'A'",
            "UPDATE stock_lots SET quantity = quantity - 1 WHERE lot = 'A'",
        ),
        (
            "UPDATE drug_stock SET lots = lots + 1",
            "UPDATE drug_stock SET lots = lots - 1",
        ),
        (
            "UPDATE lot_moves SET delta = delta * 3",
            "UPDATE lot_moves SET delta = delta / 3",
        ),
    ] {
        change!(ward.db, spoil);
        assert!(
            faults().await.contains("ward "),
            "{spoil}: {}",
            faults().await
        );
        change!(ward.db, mend);
    }
    assert_eq!(faults().await, "");
    end(ward).await;
}

async fn the_same_operation_twice_is_one(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(PHAR, PARACETAMOL, units(10)).await;
    let operation = send(PHARMACIST, PHAR, MEDI, PARACETAMOL, units(4));
    let first = ward.ask(operation.clone()).await;
    assert_eq!(ward.ask(operation.clone()).await, first);
    assert_eq!(ward.stock(PHAR, PARACETAMOL).await, units(6));
    let mut other = operation;
    if let Request::Send { quantity, .. } = &mut other.request {
        *quantity = units(5);
    }
    let refusal = ward.refused(other).await;
    assert!(matches!(refusal, Refusal::DuplicateOperation { .. }));
    end(ward).await;
}

/// Many at once, from two desks: what leaves a ward is in another, on its way, or named as missing.
async fn transfers_back_and_forth_neither_make_nor_lose_stock(place: Place) {
    let ward = Ward::open(place).await;
    let wards = [MEDI, SURG, PHAR];
    let drugs = [PARACETAMOL, MORPHINE, INSULIN];
    for at in wards {
        for drug in drugs {
            ward.receive(at, drug, units(40)).await;
        }
    }
    let other = ward.another_desk().await;
    let desks: [&Desk; 2] = [&ward.desk, &other];
    let mut tickets = Vec::new();
    for n in 0..120_usize {
        let (from, to) = (wards[n % 3], wards[(n + 1 + n % 2) % 3]);
        let quantity = units(1 + (n % 7) as i64);
        let operation = send(PHARMACIST, from, to, drugs[n / 3 % 3], quantity);
        tickets.push(desks[n % 2].submit(operation, None));
    }
    let mut sent = Vec::new();
    for ticket in tickets {
        match crate::support::soon(ticket.outcome()).await {
            Outcome::Done(Receipt::Sent {
                transfer, quantity, ..
            }) => sent.push((transfer, quantity)),
            Outcome::Refused(Refusal::InsufficientStock { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    let mut tickets = Vec::new();
    for (n, (transfer, quantity)) in sent.iter().enumerate() {
        let received = if n % 5 == 0 {
            *quantity - units(1)
        } else {
            *quantity
        };
        // Twice, from both desks: one of them comes too late.
        for desk in desks {
            tickets.push(desk.submit(arrive(PHARMACIST, *transfer, received), None));
        }
    }
    let mut arrived = 0;
    for ticket in tickets {
        match crate::support::soon(ticket.outcome()).await {
            Outcome::Done(_) => arrived += 1,
            Outcome::Refused(Refusal::AlreadyDone { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(arrived, sent.len());
    let stock = value!(
        ward.db,
        Quantity,
        "SELECT CAST(sum(current_stock) AS BIGINT) FROM drug_stock"
    );
    let missing: Quantity = waiting(&ward).await.iter().map(|line| line.quantity).sum();
    assert_eq!(stock - missing, units(9 * 40));
    assert!(other.close(crate::support::PATIENCE).await);
    end(ward).await;
}

async fn a_lot_that_is_new_expires_by_the_ward_s_own_calendar(place: Place) {
    let ward = Ward::open(place).await;
    // Half past midnight in the ward; in Greenwich it is still the second.
    ward.place.clock.set("2026-03-02T23:30:00Z");
    let lot = receive_lot(MEDI, PARACETAMOL, units(2), "OLD", "2026-03-02");
    let refusal = ward.refused(lot).await;
    assert_eq!(refusal.code(), "INVALID_DATA");
    assert!(
        refusal.to_string().contains("expired on 2026-03-02"),
        "{refusal}"
    );
    ward.done(receive_lot(
        MEDI,
        PARACETAMOL,
        units(2),
        "NEW",
        "2026-03-03",
    ))
    .await;
    ward.end().await;
}
