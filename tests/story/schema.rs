//! The schema: made once, never by two at a time, the same on both engines, and never guessed at.

use std::collections::BTreeSet;

use valmed::store::migrate::{Standing, check, migrate, standing};
use valmed::store::{Db, StoreError};

use crate::support::place::{Kind, Place};
use crate::support::run;

on_both_engines!(
    a_newer_schema_is_refused_with_a_clear_sentence,
    a_step_that_is_not_ours_is_refused,
    an_older_schema_asks_for_migrate,
);

#[test]
fn an_empty_database_is_migrated_once_on_sqlite() {
    run(from_empty(Kind::Sqlite));
}

#[test]
fn an_empty_database_is_migrated_once_on_postgresql() {
    run(from_empty(Kind::Postgres));
}

#[test]
fn two_who_migrate_at_once_do_it_once_on_sqlite() {
    run(at_once(Kind::Sqlite));
}

#[test]
fn two_who_migrate_at_once_do_it_once_on_postgresql() {
    run(at_once(Kind::Postgres));
}

#[test]
fn both_engines_have_the_same_tables_columns_indexes_and_rules() {
    run(same_on_both());
}

async fn sentence(db: &Db) -> String {
    match check(db).await {
        Err(StoreError::Schema(sentence)) => sentence,
        other => panic!("{other:?}"),
    }
}

async fn from_empty(kind: Kind) {
    let place = Place::empty(kind).await;
    let db = place.open().await;
    assert_eq!(standing(&db).await.unwrap(), Standing::Empty);
    assert_eq!(
        sentence(&db).await,
        "the database is empty: run 'valmed migrate' first"
    );
    let mut told = Vec::new();
    let taken = migrate(&db, |step, name| told.push((step, name.to_owned())))
        .await
        .unwrap();
    assert_eq!(told.len(), taken);
    assert_eq!(told[0], (1, "ward".to_owned()));
    check(&db).await.unwrap();
    let again = migrate(&db, |_, _| panic!("there is nothing to do")).await;
    assert_eq!(again.unwrap(), 0);
    assert!(matches!(standing(&db).await.unwrap(), Standing::Current(_)));
}

async fn at_once(kind: Kind) {
    for _ in 0..3 {
        let place = Place::empty(kind).await;
        let (one, other) = (place.open().await, place.open().await);
        let (first, second) = tokio::join!(migrate(&one, |_, _| {}), migrate(&other, |_, _| {}));
        // Each may have thought that it was the one; the steps are there once.
        first.unwrap();
        second.unwrap();
        check(&one).await.unwrap();
        let steps = rows!(
            one,
            (i64,),
            "SELECT version FROM _sqlx_migrations ORDER BY version"
        );
        assert!(steps.windows(2).all(|two| two[0] < two[1]), "{steps:?}");
        let lone = Place::migrated(kind).await.open().await;
        let alone = rows!(
            lone,
            (i64,),
            "SELECT version FROM _sqlx_migrations ORDER BY version"
        );
        assert_eq!(steps, alone, "as one alone takes them");
        let mut once = steps.clone();
        once.dedup();
        assert_eq!(steps, once);
    }
}

async fn a_newer_schema_is_refused_with_a_clear_sentence(place: Place) {
    let db = place.open().await;
    let Standing::Current(known) = standing(&db).await.unwrap() else {
        panic!("not migrated");
    };
    change!(
        db,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT 9999, 'of tomorrow', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1"
    );
    let expected = format!(
        "the database is at step 9999 of its schema, and this valmed knows only {known}: \
         a newer valmed has been here; use that one"
    );
    assert_eq!(sentence(&db).await, expected);
    let tried = migrate(&db, |_, _| panic!("nothing may be done")).await;
    assert!(matches!(tried, Err(StoreError::Schema(said)) if said == expected));
}

async fn an_older_schema_asks_for_migrate(place: Place) {
    let db = place.open().await;
    let steps = rows!(
        db,
        (i64,),
        "SELECT version FROM _sqlx_migrations ORDER BY version"
    );
    let [.., (before,), (last,)] = steps[..] else {
        panic!("{steps:?}")
    };
    change!(
        db,
        "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)"
    );
    let expected = format!(
        "the database is at step {before} of its schema and this valmed needs step {last}: run 'valmed migrate'"
    );
    assert_eq!(sentence(&db).await, expected);
    // The last step there is says nothing of those before it.
    change!(db, "DELETE FROM _sqlx_migrations WHERE version = 2");
    let said = sentence(&db).await;
    assert!(
        said.starts_with("the database is at step 1 of its schema"),
        "{said}"
    );
}

async fn a_step_that_is_not_ours_is_refused(place: Place) {
    let db = place.open().await;
    let (sum, whole) = (
        "UPDATE _sqlx_migrations SET checksum = (SELECT checksum FROM _sqlx_migrations WHERE version = 1) WHERE version = 2",
        "UPDATE _sqlx_migrations SET success = FALSE WHERE version = 1",
    );
    for (change, step) in [(sum, 2), (whole, 1)] {
        change!(db, change);
        let expected = format!("step {step} of the database's schema is not this valmed's");
        let said = sentence(&db).await;
        assert!(said.starts_with(&expected), "{said}");
        let tried = migrate(&db, |_, _| panic!("nothing may be done")).await;
        assert!(matches!(tried, Err(StoreError::Schema(again)) if again == said));
    }
}

/// `table.column`, in order.
async fn columns(db: &Db, kind: Kind) -> Vec<(String, String)> {
    match kind {
        Kind::Sqlite => rows!(
            db,
            (String, String),
            "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> '_sqlx_migrations' \
             ORDER BY t.name, c.cid"
        ),
        Kind::Postgres => rows!(
            db,
            (String, String),
            "SELECT table_name::text, column_name::text FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' \
             ORDER BY table_name COLLATE \"C\", ordinal_position"
        ),
    }
}

/// Every index by name, with its first column; constraints' own indexes left out.
async fn indexes(db: &Db, kind: Kind) -> Vec<(String, String, String)> {
    match kind {
        Kind::Sqlite => rows!(
            db,
            (String, String, String),
            "SELECT i.name, i.tbl_name, c.name FROM sqlite_schema i JOIN pragma_index_info(i.name) c ON c.seqno = 0 \
             WHERE i.type = 'index' AND i.sql IS NOT NULL ORDER BY i.name"
        ),
        Kind::Postgres => rows!(
            db,
            (String, String, String),
            "SELECT i.relname::text, t.relname::text, a.attname::text FROM pg_index x \
             JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0] \
             WHERE t.relnamespace = 'public'::regnamespace AND x.indisvalid \
             AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype <> 'f') \
             ORDER BY i.relname COLLATE \"C\""
        ),
    }
}

/// Every named rule.
async fn rules(db: &Db, kind: Kind) -> BTreeSet<String> {
    match kind {
        Kind::Sqlite => rows!(
            db,
            (String,),
            "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name <> '_sqlx_migrations'"
        )
        .iter()
        .flat_map(|(sql,)| {
            let mut words = sql.split_whitespace();
            let mut names = Vec::new();
            while words.any(|word| word == "CONSTRAINT") {
                names.extend(words.next().map(str::to_owned));
            }
            names
        })
        .collect(),
        Kind::Postgres => rows!(
            db,
            (String,),
            "SELECT conname::text FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
             AND contype <> 'n' AND conrelid <> '_sqlx_migrations'::regclass"
        )
        .into_iter()
        .map(|(name,)| name)
        .collect(),
    }
}

/// What the system that ValMed succeeds requires to be indexed, besides every foreign key.
const REQUIRED: [(&str, &str); 9] = [
    ("patients", "name"),
    ("drugs", "name"),
    ("drug_stock", "current_stock"),
    ("medication_orders", "created_at"),
    ("medication_orders", "status"),
    ("medication_administrations", "administration_time"),
    ("drug_transfers", "source_ward_id"),
    ("drug_transfers", "destination_ward_id"),
    ("drug_transfers", "transfer_date"),
];

/// Keys that SQLite checks one by one. PostgreSQL has one for order, patient and drug together, and takes the ward and the
/// drug of a register row from the stock row that is locked with it.
const KEYS_OF_SQLITE: [&str; 4] = [
    "medication_administrations_patient_fkey",
    "medication_administrations_drug_fkey",
    "stock_ledger_ward_fkey",
    "stock_ledger_drug_fkey",
];

/// The index that one of them needs.
const INDEX_OF_SQLITE: &str = "stock_ledger_drug";

async fn same_on_both() {
    let sqlite = Place::migrated(Kind::Sqlite).await.open().await;
    let postgres = Place::migrated(Kind::Postgres).await.open().await;
    assert_eq!(
        columns(&sqlite, Kind::Sqlite).await,
        columns(&postgres, Kind::Postgres).await
    );
    let mut in_sqlite = indexes(&sqlite, Kind::Sqlite).await;
    in_sqlite.retain(|(name, _, _)| name != INDEX_OF_SQLITE);
    assert_eq!(in_sqlite, indexes(&postgres, Kind::Postgres).await);
    let mut in_postgres = rules(&postgres, Kind::Postgres).await;
    // Integer keys are the row's own number on SQLite, and have no name there.
    for key in ["wards_pkey", "users_pkey", "drugs_pkey", "formulary_pkey"] {
        assert!(in_postgres.remove(key), "{key}");
    }
    let mut in_sqlite = rules(&sqlite, Kind::Sqlite).await;
    for key in KEYS_OF_SQLITE {
        assert!(in_sqlite.remove(key), "{key}");
    }
    assert_eq!(in_sqlite, in_postgres);

    // Columns that lead an index of any kind.
    let leading: BTreeSet<(String, String)> = rows!(
        postgres,
        (String, String),
        "SELECT t.relname::text, a.attname::text FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid \
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0] \
         WHERE t.relnamespace = 'public'::regnamespace AND x.indisvalid"
    )
    .into_iter()
    .collect();
    let keys = rows!(
        postgres,
        (String, String),
        "SELECT t.relname::text, a.attname::text FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid \
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1] \
         WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace"
    );
    assert!(keys.len() > 20, "every reference is a foreign key");
    let required = REQUIRED.map(|(table, column)| (table.to_owned(), column.to_owned()));
    for key in keys.into_iter().chain(required) {
        assert!(leading.contains(&key), "{key:?} leads no index");
    }
}
