//! Outcomes that nobody saw: kept for their person until they have seen them.

use valmed::domain::{OpId, Role};
use valmed::store::unseen::{self, Unseen};

use crate::support::place::Place;
use crate::support::ward::{MEDI, Ward, person};

on_both_engines!(what_was_not_seen_waits_for_its_person_alone);

async fn what_was_not_seen_waits_for_its_person_alone(place: Place) {
    let ward = Ward::open(place).await;
    let (nurse, doctor) = (person(Role::Nurse, MEDI), person(Role::Doctor, MEDI));
    let of = |n: u128, what: &str| Unseen {
        op_id: OpId(uuid::Uuid::from_u128(n)),
        at: ward.now().into(),
        what: what.to_owned(),
        outcome: "{}".to_owned(),
    };
    let (first, mut second) = (of(1, "1 tab"), of(2, "2 tab"));
    second.at = (ward.now() + jiff::SignedDuration::from_secs(1)).into();
    let mut conn = ward.db.writer().await.unwrap();
    for unseen in [&second, &first, &first] {
        unseen::add(conn.link(), nurse, unseen).await.unwrap();
    }
    let theirs = unseen::of(conn.link(), nurse).await.unwrap();
    assert_eq!(
        theirs,
        [first.clone(), second.clone()],
        "oldest first, each once"
    );
    assert_eq!(unseen::of(conn.link(), doctor).await.unwrap(), []);
    // Nobody puts away what is somebody else's to see.
    unseen::seen(conn.link(), doctor, &[first.op_id])
        .await
        .unwrap();
    unseen::seen(conn.link(), nurse, &[second.op_id])
        .await
        .unwrap();
    assert_eq!(unseen::of(conn.link(), nurse).await.unwrap(), [first]);
}
