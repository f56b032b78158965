//! The made-up hospital that benches are run on has books that agree, and screens that show what is in them.

use std::collections::BTreeSet;

use valmed::interop::hospital::{Asked, Hospital, fill};
use valmed::store::catalogue::{Subject, queries};
use valmed::store::formulary::Formulary;
use valmed::store::screens::{self, Bounds};
use valmed::store::{inspect, now};
use valmed::verify::verify;

use crate::support::place::{Kind, Place};

on_both_engines!(
    a_made_up_hospital_has_books_that_agree,
    every_dose_may_be_on_one_page_of_the_register,
    every_query_of_every_screen_is_measured,
);

const SMALL: Hospital = Hospital {
    wards: 5,
    drugs: 60,
    cupboard: 20,
    patients: 150,
    nurses: 2,
    active: 200,
    as_needed: 20,
    completed: 1500,
    transfers: 300,
    asked: Asked::Evenly,
    seed: 1,
};

async fn a_made_up_hospital_has_books_that_agree(place: Place) {
    let db = place.open().await;
    let mut told = 0;
    let filled = fill(&db, &SMALL, now(), &mut |done| told = done)
        .await
        .unwrap();
    assert_eq!(told, 1700);
    let report = verify(&db).await.unwrap();
    assert!(report.holds(), "{report:?}");
    assert_eq!((report.doses, report.orders), (1500, 1700));
    let arrived = value!(
        db,
        i64,
        "SELECT count(*) FROM drug_transfers WHERE status = 'received'"
    );
    // A row for each dose, for each end of a transfer, and one with which each page begins.
    let transfers = 300 + u64::try_from(arrived).unwrap();
    assert_eq!(report.rows, 1500 + transfers + 4 * 20 + 60);
    assert_eq!(
        inspect::file_faults(&db).await.unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(inspect::stock_off_ledger(&db).await.unwrap(), []);
    assert_eq!(
        value!(
            db,
            i64,
            "SELECT count(*) FROM medication_orders WHERE status = 'active'"
        ),
        200
    );
    assert_eq!(value!(db, i64, "SELECT count(*) FROM drug_transfers"), 300);
    assert_eq!(value!(db, i64, "SELECT count(*) FROM patients"), 150);
    assert_eq!(
        value!(db, i64, "SELECT count(*) FROM users WHERE role = 'nurse'"),
        10
    );
    assert_eq!(filled.active.len(), 200);
    assert_eq!((filled.wards.len(), filled.pharmacy.len()), (4, 1));
    let mut orders = 0;
    for (ward, _) in &filled.wards {
        let mut conn = db.reader().await.unwrap();
        let formulary = Formulary::default();
        let ward = screens::snapshot(&mut conn, &formulary, *ward, Bounds::default(), now());
        let ward = ward.await.unwrap().unwrap();
        assert_eq!((ward.stock.len(), ward.log.len()), (20, 200));
        orders += ward.orders.len();
    }
    assert_eq!(orders, 200);
    db.close().await;
}

async fn every_dose_may_be_on_one_page_of_the_register(place: Place) {
    let db = place.open().await;
    let hot = Hospital {
        asked: Asked::OnePage,
        as_needed: 0,
        transfers: 0,
        ..SMALL
    };
    fill(&db, &hot, now(), &mut |_| {}).await.unwrap();
    let report = verify(&db).await.unwrap();
    assert!(report.holds(), "{report:?}");
    assert_eq!(
        value!(db, i64, "SELECT max(ledger_seq) FROM drug_stock"),
        1501
    );
    db.close().await;
}

async fn every_query_of_every_screen_is_measured(place: Place) {
    let url = place.url.clone();
    let ran = tokio::task::spawn_blocking(move || {
        std::process::Command::new(env!("CARGO_BIN_EXE_valmed"))
            .args([
                "bench", "screens", "--json", "--orders", "700", "--active", "100",
            ])
            .args([
                "--baseline",
                "300",
                "--wards",
                "3",
                "--drugs",
                "40",
                "--cupboard",
                "10",
            ])
            .args(["--rounds", "3", "--cold", "1"])
            .env("VALMED_DATABASE", url)
            .output()
            .unwrap()
    });
    let ran = ran.await.unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    let lines = report["lines"].as_array().unwrap();
    let names: BTreeSet<&str> = lines
        .iter()
        .map(|line| line["query"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), lines.len());
    let subject = Subject::nobody(now());
    for query in queries(&subject) {
        assert!(names.contains(query.name), "{} is not measured", query.name);
    }
    for line in lines {
        assert!(line["large"]["p99_ms"].as_f64().unwrap() > 0.0, "{line}");
        let explained = line["whole"] == false && place.kind == Kind::Postgres;
        assert_eq!(line["buffers"][1].is_u64(), explained, "{line}");
    }
    let stock = lines
        .iter()
        .find(|line| line["query"] == "whole: the pharmacy's desk");
    assert_eq!(
        stock.unwrap()["rows"],
        serde_json::json!([40, 40]),
        "as much is shown in either"
    );
    assert!(report["desk_large"]["start_p50_ms"].as_f64().unwrap() > 0.0);
    // What it made, it has dropped; the configured database is as it was.
    if place.kind == Kind::Sqlite {
        let beside = std::fs::read_dir(place.file().parent().unwrap()).unwrap();
        let left = beside.filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .contains("scratch")
        });
        assert_eq!(left.count(), 0);
    }
    let db = place.open().await;
    assert_eq!(value!(db, i64, "SELECT count(*) FROM medication_orders"), 0);
    db.close().await;
}
