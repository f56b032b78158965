//! Somebody with the right to write changes the books behind the desk's back: `valmed verify` says which row is wrong.

use valmed::domain::Refusal;
use valmed::store::Conn;
use valmed::verify::{Report, verify};

use crate::support::place::{Kind, Place};
use crate::support::ward::*;

on_both_engines!(
    books_that_were_kept_agree,
    a_changed_register_row_is_named,
    a_register_page_without_its_stock_is_named,
    a_page_that_vanished_with_its_stock_is_missed,
    a_page_cut_at_its_end_is_missed,
    a_dose_moved_to_another_patient_is_named,
    a_dose_moved_in_time_is_named,
    a_dose_that_nobody_was_told_of_is_named,
    a_refused_delivery_leaves_no_page_behind,
    one_dose_is_given_once_whatever_its_prescription_becomes,
    doses_given_by_the_clock_count_when_the_prescription_turns_as_needed,
);

/// A ward where two doses were given.
async fn busy(place: Place) -> Ward {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, MORPHINE, units(50)).await;
    ward.receive(MEDI, PARACETAMOL, units(50)).await;
    for drug in [MORPHINE, PARACETAMOL] {
        let order = ward.order(&Rx::timed(drug)).await;
        ward.done(give(order)).await;
    }
    ward
}

/// What is wrong, in words.
async fn faults(ward: &Ward) -> String {
    let report: Report = verify(&ward.db).await.unwrap();
    let faults: Vec<String> = report
        .rules
        .iter()
        .filter_map(|rule| rule.broken_by.clone())
        .collect();
    faults.join("; ")
}

async fn close(ward: Ward) {
    assert!(ward.desk.close(crate::support::PATIENCE).await);
    ward.db.close().await;
}

async fn books_that_were_kept_agree(place: Place) {
    let ward = busy(place).await;
    let report = verify(&ward.db).await.unwrap();
    assert!(report.holds(), "{report:?}");
    assert_eq!((report.rows, report.doses, report.orders), (4, 2, 2));
    ward.end().await;
}

async fn a_changed_register_row_is_named(place: Place) {
    let ward = busy(place).await;
    change!(
        ward.db,
        "UPDATE stock_ledger SET reference = 'nobody' WHERE drug_id = $1 AND seq = 2",
        MORPHINE
    );
    assert!(
        faults(&ward)
            .await
            .contains("row 2: it is not what was written"),
        "{}",
        faults(&ward).await
    );
    close(ward).await;
}

async fn a_register_page_without_its_stock_is_named(place: Place) {
    let ward = busy(place).await;
    change!(
        ward.db,
        "DELETE FROM drug_stock WHERE drug_id = $1",
        MORPHINE
    );
    assert!(
        faults(&ward).await.contains("there is no stock row"),
        "{}",
        faults(&ward).await
    );
    close(ward).await;
}

async fn a_page_that_vanished_with_its_stock_is_missed(place: Place) {
    let ward = busy(place).await;
    change!(
        ward.db,
        "DELETE FROM stock_ledger WHERE drug_id = $1",
        MORPHINE
    );
    change!(
        ward.db,
        "DELETE FROM drug_stock WHERE drug_id = $1",
        MORPHINE
    );
    assert!(
        faults(&ward)
            .await
            .contains("it was told done, and is not in the register"),
        "{}",
        faults(&ward).await
    );
    close(ward).await;
}

async fn a_page_cut_at_its_end_is_missed(place: Place) {
    let ward = busy(place).await;
    let op = rows!(
        ward.db,
        (Vec<u8>,),
        "SELECT hash FROM stock_ledger WHERE drug_id = $1 AND seq = 1",
        MORPHINE
    );
    change!(
        ward.db,
        "DELETE FROM stock_ledger WHERE drug_id = $1 AND seq = 2",
        MORPHINE
    );
    let sql = "UPDATE drug_stock SET current_stock = $2, ledger_seq = 1, ledger_hash = $3 WHERE drug_id = $1";
    change!(ward.db, sql, MORPHINE, units(50), op[0].0.clone());
    assert!(
        faults(&ward)
            .await
            .contains("it was told done, and is not in the register"),
        "{}",
        faults(&ward).await
    );
    close(ward).await;
}

async fn a_dose_moved_to_another_patient_is_named(place: Place) {
    let ward = busy(place).await;
    if let Conn::Postgres(mut conn) = ward.db.writer().await.unwrap() {
        // PostgreSQL itself does not let the patients of a dose and of its order be two people.
        let moved = sqlx::query("UPDATE medication_administrations SET patient_id = $1");
        assert!(moved.bind(patient(1)).execute(&mut *conn).await.is_err());
        drop(conn);
        let key = "ALTER TABLE medication_administrations DROP CONSTRAINT medication_administrations_order_fkey";
        change!(ward.db, key);
    }
    for table in [
        "medication_administrations",
        "medication_orders",
        "prescriptions",
    ] {
        let sql = || sqlx::AssertSqlSafe(format!("UPDATE {table} SET patient_id = $1"));
        change!(ward.db, sql(), patient(1));
    }
    assert!(
        faults(&ward).await.starts_with("administration "),
        "{}",
        faults(&ward).await
    );
    close(ward).await;
}

async fn a_dose_moved_in_time_is_named(place: Place) {
    let ward = busy(place).await;
    let sql = match ward.place.kind {
        Kind::Sqlite => {
            "UPDATE medication_administrations SET administration_time = administration_time - 60000000"
        }
        Kind::Postgres => {
            "UPDATE medication_administrations SET administration_time = administration_time - interval '1 minute'"
        }
    };
    change!(ward.db, sql);
    assert!(
        faults(&ward).await.starts_with("administration "),
        "{}",
        faults(&ward).await
    );
    close(ward).await;
}

async fn a_dose_that_nobody_was_told_of_is_named(place: Place) {
    let ward = busy(place).await;
    change!(ward.db, "DELETE FROM operations WHERE kind = 'fulfil'");
    assert!(
        faults(&ward).await.contains("which nobody was told of"),
        "{}",
        faults(&ward).await
    );
    close(ward).await;
}

/// Rule 6: an account that may not receive stock made a ward "stock" a drug by asking.
async fn a_refused_delivery_leaves_no_page_behind(place: Place) {
    let ward = Ward::open(place).await;
    let refusal = ward
        .refused(receive(NURSE, MEDI, COLCHICINE, units(1)))
        .await;
    assert_eq!(refusal.code(), "INSUFFICIENT_PERMISSIONS");
    let pages = value!(
        ward.db,
        i64,
        "SELECT count(*) FROM drug_stock WHERE drug_id = $1",
        COLCHICINE
    );
    assert_eq!(pages, 0);
    let order = ward.order(&Rx::timed(COLCHICINE)).await;
    assert!(matches!(
        ward.refused(give(order)).await,
        Refusal::DrugNotFound { .. }
    ));
    ward.receive(MEDI, COLCHICINE, units(1)).await;
    ward.done(give(order)).await;
    ward.end().await;
}

/// A changed file made a second order of a single dose that had been given, and it was given again.
async fn one_dose_is_given_once_whatever_its_prescription_becomes(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, MORPHINE, units(5)).await;
    let (prescription, order) = ward.prescribe(&Rx::timed(MORPHINE)).await;
    ward.done(give(order)).await;
    let again = valmed::domain::OrderId(uuid::Uuid::now_v7());
    let sql = "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
               kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
               SELECT $1, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, \
               $3, kind, priority, 'active', doctor_id, created_at, 1, changed_at, changed_by, change \
               FROM medication_orders WHERE prescription_id = $2";
    let later = valmed::store::At(ward.now() + jiff::SignedDuration::from_mins(15));
    change!(ward.db, sql, again, prescription, later);
    let refusal = ward.refused(give(again)).await;
    assert_eq!(refusal.code(), "INVALID_STATUS_TRANSITION");
    assert!(refusal.to_string().contains("for 1 in all"), "{refusal}");
    ward.end().await;
}

async fn doses_given_by_the_clock_count_when_the_prescription_turns_as_needed(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, MORPHINE, units(5)).await;
    let (prescription, open) = ward
        .prescribe(&Rx::as_needed(MORPHINE, "prn min 360m"))
        .await;
    ward.done(give(open)).await;
    // As if that dose had been one of a timed schedule before the prescription was changed.
    let due = valmed::store::At(ward.now());
    let sql = "UPDATE medication_orders SET kind = 'timed', due_at = $2 WHERE id = $1";
    change!(ward.db, sql, open, due);
    let next = ward.open_orders(prescription).await;
    assert_eq!(ward.refused(give(next[0])).await.code(), "TOO_SOON");
    ward.end().await;
}
