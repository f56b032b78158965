//! Signing in: guesses are slow however many are made at once, and leave a record that gives nothing away.

use std::time::Duration;

use jiff::SignedDuration;
use valmed::domain::Role;
use valmed::signin::{SignIn, SignInError, hash_secret};

use crate::support::place::Place;
use crate::support::ward::{MEDI, Ward, person};

on_both_engines!(
    of_parallel_guesses_one_is_looked_at,
    one_person_signs_in_at_several_desks_at_once,
    an_unknown_name_is_kept_by_its_length_alone,
);

const DELAYS: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));
const PIN: &str = "4711";

/// A ward whose nurse has a PIN; gives the nurse's name.
async fn with_pin(place: Place) -> (Ward, String) {
    let ward = Ward::open(place).await;
    let hash = tokio::task::spawn_blocking(|| hash_secret(PIN).unwrap())
        .await
        .unwrap();
    let nurse = person(Role::Nurse, MEDI);
    change!(
        ward.db,
        "UPDATE users SET secret_hash = $1 WHERE id = $2",
        hash,
        nurse.0
    );
    let name = value!(
        ward.db,
        String,
        "SELECT username FROM users WHERE id = $1",
        nurse.0
    );
    (ward, name)
}

async fn audited(ward: &Ward, kind: &str) -> Vec<(String, String)> {
    rows!(
        ward.db,
        (String, String),
        "SELECT who, detail FROM audit_events WHERE kind = $1 ORDER BY id",
        kind.to_owned()
    )
}

/// Asks with each of these secrets at once, half of them at another desk.
async fn at_once(ward: &Ward, name: &str, secrets: &[&str]) -> Vec<Result<(), SignInError>> {
    let other = ward.place.open().await;
    let doors = [
        SignIn::new(ward.db.clone(), DELAYS),
        SignIn::new(other.clone(), DELAYS),
    ];
    let now = ward.now();
    let mut tries = tokio::task::JoinSet::new();
    for (n, secret) in secrets.iter().enumerate() {
        let (door, name, secret) = (doors[n % 2].clone(), name.to_owned(), (*secret).to_owned());
        tries.spawn(async move { door.check(&name, &secret, now).await.map(drop) });
    }
    let answers = tries.join_all().await;
    other.close().await;
    answers
}

async fn of_parallel_guesses_one_is_looked_at(place: Place) {
    let (ward, name) = with_pin(place).await;
    let guesses = [
        "0000", "0001", "0002", "0003", "0004", "0005", "0006", "0007",
    ];
    let answers = at_once(&ward, &name, &guesses).await;
    let count = |what: fn(&SignInError) -> bool| {
        let errors = answers.iter().filter_map(|answer| answer.as_ref().err());
        errors.filter(|error| what(error)).count()
    };
    assert_eq!(
        count(|e| matches!(e, SignInError::Wrong { .. })),
        1,
        "{answers:?}"
    );
    assert_eq!(
        count(|e| matches!(e, SignInError::TooSoon { .. })),
        7,
        "{answers:?}"
    );
    let failures = "SELECT failures FROM users WHERE username = $1";
    assert_eq!(value!(ward.db, i64, failures, name.clone()), 1);
    assert_eq!(audited(&ward, "sign-in failed").await.len(), 1);
    let early = audited(&ward, "sign-in too soon").await;
    // One row for each desk.
    assert!((1..=2).contains(&early.len()), "{early:?}");
    // Afterwards the right one is taken, and the failure forgotten.
    ward.place.clock.advance(SignedDuration::from_secs(3));
    let door = SignIn::new(ward.db.clone(), DELAYS);
    door.check(&name, PIN, ward.now()).await.unwrap();
    assert_eq!(value!(ward.db, i64, failures, name), 0);
    ward.end().await;
}

async fn one_person_signs_in_at_several_desks_at_once(place: Place) {
    let (ward, name) = with_pin(place).await;
    let answers = at_once(&ward, &name, &[PIN, PIN]).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(audited(&ward, "signed in").await.len(), 2);
    ward.end().await;
}

async fn an_unknown_name_is_kept_by_its_length_alone(place: Place) {
    let (ward, _) = with_pin(place).await;
    let answers = at_once(&ward, "4711", &["x", "x", "x"]).await;
    assert!(answers.iter().all(Result::is_err));
    for kind in ["sign-in failed", "sign-in too soon"] {
        let rows = audited(&ward, kind).await;
        assert!((1..=2).contains(&rows.len()), "{kind}: {rows:?}");
        for row in rows {
            let told = ("(unknown)".to_owned(), "a name of length 4".to_owned());
            assert_eq!(row, told);
        }
    }
    ward.end().await;
}
