//! What a patient got near the moment at which a dose is to be given. Read only where the rules ask for it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::decide::Loaded;
use crate::domain::decide::warn::Recent;
use crate::domain::snapshot::QueuedOrder;
use crate::domain::{
    DrugId, Giving, Operation, OrderId, PatientId, Policy, PrescriptionId, Request,
};
use crate::store::{At, Link, List, Sql, StoreError};

/// The latest doses of a drug that a patient got between two moments, but for those that were taken back. A few are
/// enough: what is looked for is the nearest.
pub(in crate::store) const RECENT: Sql = Sql::each(
    "SELECT a.patient_id, a.drug_id, a.administration_time, o.prescription_id, o.due_at \
     FROM json_each($1) p CROSS JOIN json_each($2) d ON d.key = p.key \
     CROSS JOIN medication_administrations a ON a.id IN (SELECT x.id FROM medication_administrations x \
     WHERE x.patient_id = unhex(p.value) AND x.drug_id = d.value AND x.administration_time > $3 \
     AND x.administration_time < $4 AND x.outcome = 'given' AND x.reverses IS NULL \
     AND NOT EXISTS (SELECT 1 FROM medication_administrations r WHERE r.reverses = x.id) \
     ORDER BY x.administration_time DESC LIMIT 16) \
     CROSS JOIN medication_orders o ON o.id = a.order_id",
    "SELECT k.patient AS patient_id, k.drug AS drug_id, a.administration_time, o.prescription_id, o.due_at \
     FROM unnest($1::uuid[], $2::bigint[]) AS k (patient, drug) \
     CROSS JOIN LATERAL (SELECT x.order_id, x.administration_time FROM medication_administrations x \
     WHERE x.patient_id = k.patient AND x.drug_id = k.drug AND x.administration_time > $3 \
     AND x.administration_time < $4 AND x.outcome = 'given' AND x.reverses IS NULL \
     AND NOT EXISTS (SELECT 1 FROM medication_administrations r WHERE r.reverses = x.id) \
     ORDER BY x.administration_time DESC LIMIT 16) a JOIN medication_orders o ON o.id = a.order_id",
);

macro_rules! later_sql {
    ($given:literal, $which:literal) => {
        concat!(
            "SELECT o.id, n.due_at FROM medication_orders o JOIN medication_orders n ",
            "ON n.prescription_id = o.prescription_id AND n.due_at > o.due_at AND ",
            $given,
            " ",
            "AND EXISTS (SELECT 1 FROM medication_administrations a ",
            "WHERE a.order_id = n.id AND a.order_version = n.version - 1 AND a.outcome = 'given') ",
            $which
        )
    };
}

/// When later doses of the same prescription were due that were given already. That they were is looked at row by row
/// (`+`, `IS TRUE`): by an index, all that was ever given would be gone through.
pub(in crate::store) const LATER_GIVEN: Sql = Sql::each(
    later_sql!(
        "+n.status = 'completed'",
        "WHERE o.id IN (SELECT unhex(value) FROM json_each($1))"
    ),
    later_sql!("(n.status = 'completed') IS TRUE", "WHERE o.id = ANY($1)"),
);

#[derive(Debug, FromRow)]
struct RecentRow {
    patient_id: PatientId,
    drug_id: DrugId,
    administration_time: At,
    prescription_id: PrescriptionId,
    due_at: Option<At>,
}

/// Reads what the warnings about the doses of a batch are made from.
pub(super) async fn load(
    mut link: Link<'_>,
    ops: &[Operation],
    policy: &Policy,
    now: Timestamp,
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    if let Some(minutes) = policy.same_drug_minutes {
        let window = SignedDuration::from_mins(minutes.into());
        // Doses that are given now are looked at together, those that are entered later each at its own time.
        let at_once = givings(ops).filter(|giving| giving.given_at.is_none());
        let pairs = pairs(at_once, loaded);
        near(link.lend(), &pairs, (now, window), loaded).await?;
        for giving in givings(ops) {
            if let Some(at) = giving.given_at {
                let pairs = self::pairs(std::iter::once(giving), loaded);
                near(link.lend(), &pairs, (at, window), loaded).await?;
            }
        }
    }
    if policy.later_given {
        later(link, ops, loaded).await?;
    }
    Ok(())
}

fn givings(ops: &[Operation]) -> impl Iterator<Item = &Giving> {
    ops.iter().filter_map(|op| match &op.request {
        Request::Fulfil(giving) => Some(giving),
        _ => None,
    })
}

type Pairs = BTreeSet<(PatientId, DrugId)>;

fn pairs<'a>(givings: impl Iterator<Item = &'a Giving>, loaded: &Loaded) -> Pairs {
    givings
        .filter_map(|giving| loaded.orders.get(&giving.order))
        .map(|order| (order.patient, order.drug))
        .collect()
}

/// Adds the doses of these patients and drugs that lie within the window around a moment.
async fn near(
    link: Link<'_>,
    pairs: &Pairs,
    (at, window): (Timestamp, SignedDuration),
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    if pairs.is_empty() {
        return Ok(());
    }
    let patients = List(
        pairs
            .iter()
            .map(|(patient, _)| patient.0)
            .collect::<Vec<Uuid>>(),
    );
    let drugs = List(pairs.iter().map(|(_, drug)| drug.0).collect::<Vec<i64>>());
    let since = At::from(at.checked_sub(window).unwrap_or(Timestamp::MIN));
    let until = At::from(at.checked_add(window).unwrap_or(Timestamp::MAX));
    let rows = fetch!(all, link, RecentRow, RECENT, patients, drugs, since, until)?;
    for row in rows {
        let known = loaded
            .recent
            .entry((row.patient_id, row.drug_id))
            .or_default();
        let recent = Recent {
            at: row.administration_time.0,
            prescription: row.prescription_id,
            due_at: row.due_at.map(|at| at.0),
        };
        // Two windows may overlap.
        if !known.contains(&recent) {
            known.push(recent);
        }
    }
    Ok(())
}

async fn later(link: Link<'_>, ops: &[Operation], loaded: &mut Loaded) -> Result<(), StoreError> {
    let timed: BTreeSet<Uuid> = givings(ops)
        .filter_map(|giving| loaded.orders.get(&giving.order))
        .filter(|order| order.due_at.is_some())
        .map(|order| order.id.0)
        .collect();
    if timed.is_empty() {
        return Ok(());
    }
    let timed = List(timed.into_iter().collect::<Vec<Uuid>>());
    for (id, due) in fetch!(all, link, (OrderId, At), LATER_GIVEN, timed)? {
        loaded.later_given.entry(id).or_default().push(due.0);
    }
    Ok(())
}

/// What a sheet needs to say beforehand what the desk will warn of: doses within a day of now, and whether a later dose
/// of the prescription was given.
pub(in crate::store) async fn near_order(
    mut link: Link<'_>,
    order: &QueuedOrder,
    now: Timestamp,
) -> Result<(Vec<Recent>, Option<Timestamp>), StoreError> {
    let day = SignedDuration::from_hours(24);
    let (patient, drug) = (order.patient.id, order.drug.id);
    let pairs = Pairs::from([(patient, drug)]);
    let mut loaded = Loaded::default();
    near(link.lend(), &pairs, (now, day), &mut loaded).await?;
    let recent = loaded.recent.remove(&(patient, drug)).unwrap_or_default();
    let one = List(vec![order.id.0]);
    let later = fetch!(all, link, (OrderId, At), LATER_GIVEN, one)?;
    Ok((recent, later.into_iter().map(|(_, due)| due.0).min()))
}
