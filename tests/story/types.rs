//! What goes into either engine comes out of it: times to the microsecond, days, keys, quantities, words.

use jiff::Timestamp;
use jiff::civil::Date;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use uuid::Uuid;
use valmed::domain::quantity::LARGEST;
use valmed::domain::{OrderId, OrderStatus, Quantity, Role};
use valmed::store::{At, Conn, Day, Db};

use crate::support::place::{Kind, Place};

on_both_engines!(
    times_are_kept_to_the_microsecond,
    times_of_a_batch_are_the_times_of_a_single_row,
    days_are_kept,
    keys_and_quantities_are_kept,
    words_are_kept_and_unknown_ones_are_errors,
    texts_are_kept_as_they_are,
);

/// Sends values to the database and back, each as `$1` of this type there.
macro_rules! back {
    ($db:expr, $value:ty, $postgres:literal, $all:expr) => {{
        let mut back: Vec<$value> = Vec::new();
        match $db.reader().await.unwrap() {
            Conn::Sqlite(mut conn) => {
                for value in $all {
                    let row = sqlx::query_as::<_, ($value,)>("SELECT $1");
                    let row = row.bind(value.clone()).fetch_one(&mut *conn).await;
                    back.push(row.unwrap().0);
                }
            }
            Conn::Postgres(mut conn) => {
                for value in $all {
                    let sql = concat!("SELECT $1::", $postgres);
                    let row = sqlx::query_as::<_, ($value,)>(sql);
                    let row = row.bind(value.clone()).fetch_one(&mut *conn).await;
                    back.push(row.unwrap().0);
                }
            }
        }
        back
    }};
}

/// So many values of a kind, the same in every run.
fn some<S: Strategy>(strategy: S, n: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..n)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}

fn micros(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_microsecond()
}

/// Moments from 1900 to 2100, and those at which something turns over.
fn moments() -> Vec<At> {
    let range = micros("1900-01-01T00:00:00Z")..micros("2101-01-01T00:00:00Z");
    let mut all = some(range, 500);
    for turn in [
        "1900-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000001Z",
        "1999-12-31T23:59:59.999999Z",
        "2000-01-01T00:00:00Z",
        "2000-02-29T12:00:00.123456Z",
        "2026-03-29T01:00:00Z",
        "2038-01-19T03:14:08Z",
        "2100-12-31T23:59:59.999999Z",
    ] {
        all.push(micros(turn));
    }
    all.into_iter()
        .map(|micros| At(Timestamp::from_microsecond(micros).unwrap()))
        .collect()
}

async fn times_are_kept_to_the_microsecond(place: Place) {
    let db = place.open().await;
    let all = moments();
    assert_eq!(back!(db, At, "timestamptz", &all), all);
    // Anything finer is cut on the way in, on both.
    let fine: Timestamp = "2026-03-02T08:00:00.123456789Z".parse().unwrap();
    let cut: Timestamp = "2026-03-02T08:00:00.123456Z".parse().unwrap();
    assert_eq!(back!(db, At, "timestamptz", &[At(fine)]), [At(cut)]);
    assert_eq!(At::from(fine), At(cut));
}

async fn times_of_a_batch_are_the_times_of_a_single_row(place: Place) {
    if place.kind == Kind::Sqlite {
        return;
    }
    // Batches carry microseconds as a number, and PostgreSQL multiplies an interval: exactly.
    let db = place.open().await;
    let Conn::Postgres(mut conn) = db.reader().await.unwrap() else {
        panic!("not PostgreSQL");
    };
    for at in moments() {
        let (same,): (bool,) = sqlx::query_as(
            "SELECT 'epoch'::timestamptz + $1::bigint * interval '1 microsecond' = $2",
        )
        .bind(i64::from(at))
        .bind(at)
        .fetch_one(&mut *conn)
        .await
        .unwrap();
        assert!(same, "{at:?}");
    }
}

async fn days_are_kept(place: Place) {
    let db = place.open().await;
    let first = jiff::civil::date(1900, 1, 1);
    let mut all: Vec<Date> = some(0..73_414_i64, 300)
        .into_iter()
        .map(|days| first.checked_add(jiff::Span::new().days(days)).unwrap())
        .collect();
    all.push(jiff::civil::date(2000, 2, 29));
    all.push(jiff::civil::date(1999, 12, 31));
    let all: Vec<Day> = all.into_iter().map(Day).collect();
    assert_eq!(back!(db, Day, "date", &all), all);
}

async fn keys_and_quantities_are_kept(place: Place) {
    let db = place.open().await;
    let mut keys: Vec<OrderId> = some(any::<u128>(), 200)
        .into_iter()
        .map(|bits| OrderId(Uuid::from_u128(bits)))
        .collect();
    keys.extend([OrderId(Uuid::nil()), OrderId(Uuid::max())]);
    keys.push(OrderId(Uuid::now_v7()));
    assert_eq!(back!(db, OrderId, "uuid", &keys), keys);
    let mut quantities: Vec<Quantity> =
        some(0..=LARGEST.0, 200).into_iter().map(Quantity).collect();
    quantities.extend([Quantity(i64::MIN), Quantity(i64::MAX), Quantity::ZERO]);
    assert_eq!(back!(db, Quantity, "bigint", &quantities), quantities);
}

/// Reads a text as an order's status.
async fn status_of_text(db: &Db, word: &str) -> Result<OrderStatus, sqlx::Error> {
    let row: Result<(OrderStatus,), _> = match db.reader().await.unwrap() {
        Conn::Sqlite(mut conn) => {
            let query = sqlx::query_as("SELECT $1").bind(word);
            query.fetch_one(&mut *conn).await
        }
        Conn::Postgres(mut conn) => {
            let query = sqlx::query_as("SELECT $1::text").bind(word);
            query.fetch_one(&mut *conn).await
        }
    };
    row.map(|(status,)| status)
}

async fn words_are_kept_and_unknown_ones_are_errors(place: Place) {
    let db = place.open().await;
    assert_eq!(back!(db, Role, "text", Role::ALL), Role::ALL);
    assert_eq!(
        back!(db, OrderStatus, "text", OrderStatus::ALL),
        OrderStatus::ALL
    );
    for word in OrderStatus::ALL {
        assert_eq!(status_of_text(&db, word.as_str()).await.unwrap(), *word);
    }
    for word in ["Active", "active ", "", "lost"] {
        let error = status_of_text(&db, word).await.unwrap_err();
        assert!(error.to_string().contains("is not one of"), "{error}");
    }
}

async fn texts_are_kept_as_they_are(place: Place) {
    let db = place.open().await;
    let mut all = some("\\PC{0,40}", 100);
    all.extend(
        [
            "",
            "'",
            "''; DROP TABLE wards; --",
            "$1",
            "日本語",
            "e\u{301}",
            "\u{202E}evil",
            "a\nb",
        ]
        .map(str::to_owned),
    );
    assert_eq!(back!(db, String, "text", &all), all);
}
