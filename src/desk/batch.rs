//! One batch, one transaction.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Clock, Counters, OnCommit, Settings};
use crate::domain::decide::{Effects, Loaded, Moment, decide};
use crate::domain::{OpId, Operation, Outcome, Receipt, Refusal, WardId};
use crate::store::audit::Event;
use crate::store::desk::{self as tables, Memory};
use crate::store::{At, Conn, Db, Link, StoreError, accounts, audit};

/// What every lane has.
pub(super) struct Shared {
    pub db: Db,
    pub settings: Settings,
    pub clock: Clock,
    pub on_commit: OnCommit,
    pub counters: Arc<Counters>,
}

/// How far a transaction had come when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// There was no connection, for as long as one waits for it.
    Connecting,
    /// It had not been asked to commit.
    Before,
    /// It had.
    Commit,
}

/// Why a transaction did not end well.
pub(super) struct Failure {
    pub error: StoreError,
    pub stage: Stage,
}

impl Failure {
    const fn before_commit(error: StoreError) -> Failure {
        Failure {
            error,
            stage: Stage::Before,
        }
    }
}

/// Does the operations in one transaction; gives their outcomes, in order, once they are on disk.
pub(super) async fn transact(
    conn: &mut Conn,
    shared: &Shared,
    operations: &[Operation],
) -> Result<Vec<Outcome>, Failure> {
    let mut tx = conn.begin_write().await.map_err(Failure::before_commit)?;
    let plan = match settle(tx.link(), shared, operations).await {
        Ok(plan) => plan,
        Err(error) => {
            // The error that counts is the first one; if undoing fails too, the connection takes the rest with it.
            let _ = tx.rollback().await;
            return Err(Failure::before_commit(error));
        }
    };
    let asked = std::time::Instant::now();
    tx.commit().await.map_err(|error| Failure {
        error,
        stage: Stage::Commit,
    })?;
    let micros = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
    Counters::add(&shared.counters.commit_micros, micros);
    Counters::add(&shared.counters.batches, 1);
    Counters::add(&shared.counters.operations, operations.len() as u64);
    if !plan.wards.is_empty() {
        (shared.on_commit)(&plan.wards);
    }
    Ok(plan.outcomes)
}

struct Plan {
    outcomes: Vec<Outcome>,
    wards: BTreeSet<WardId>,
}

async fn settle(
    mut link: Link<'_>,
    shared: &Shared,
    operations: &[Operation],
) -> Result<Plan, StoreError> {
    let mut known = recall(link.lend(), operations).await?;
    let fresh: Vec<Operation> = unseen(operations, &known);
    if fresh.is_empty() {
        audit_misused(link, shared, operations, &known).await?;
        return Ok(Plan {
            outcomes: answers(operations, &known),
            wards: BTreeSet::new(),
        });
    }
    let now = (shared.clock)();
    let mut loaded = tables::load(link.lend(), &fresh, &shared.settings.policy, now).await?;
    let mut effects = Effects::default();
    let mut memory = Vec::with_capacity(fresh.len());
    let mut noted = Vec::new();
    let mut wards = BTreeSet::new();
    for operation in &fresh {
        let moment = Moment {
            now,
            key: &Uuid::now_v7,
        };
        let decided = decide(&mut loaded, operation, &shared.settings.policy, moment);
        let outcome = match decided {
            Ok((receipt, more)) => {
                wards.extend(more.wards(&loaded));
                effects.extend(more);
                noted.extend(emergency_event(operation, &loaded, &receipt, now));
                Outcome::Done(receipt)
            }
            Err(refusal) => {
                noted.push(refused_event(operation, &loaded, &refusal, now.into()));
                Outcome::Refused(refusal)
            }
        };
        let digest = operation.digest();
        memory.push(memory_of(operation, &digest, &outcome, now.into())?);
        known.insert(
            operation.id,
            Known {
                digest: digest.to_vec(),
                outcome,
            },
        );
    }
    tables::apply(link.lend(), &effects, &loaded.stock, &memory).await?;
    audit::write(link.lend(), &noted).await?;
    audit_misused(link, shared, operations, &known).await?;
    Ok(Plan {
        outcomes: answers(operations, &known),
        wards,
    })
}

/// An id that was used for something else is refused, and that is on record as any refusal is.
async fn audit_misused(
    mut link: Link<'_>,
    shared: &Shared,
    operations: &[Operation],
    known: &HashMap<OpId, Known>,
) -> Result<(), StoreError> {
    let misused: Vec<&Operation> = operations
        .iter()
        .filter(|op| !known.get(&op.id).is_some_and(|known| known.is_of(op)))
        .collect();
    if misused.is_empty() {
        return Ok(());
    }
    let now: At = (shared.clock)().into();
    let people = misused.iter().flat_map(|op| op.people());
    let actors = accounts::actors(link.lend(), people, now).await?;
    let loaded = Loaded {
        actors,
        ..Loaded::default()
    };
    let refusal = |op: &Operation| Refusal::DuplicateOperation { op: op.id };
    let events: Vec<Event> = misused
        .iter()
        .map(|op| refused_event(op, &loaded, &refusal(op), now))
        .collect();
    audit::write(link, &events).await
}

struct Known {
    digest: Vec<u8>,
    outcome: Outcome,
}

impl Known {
    /// Whether it is of this very operation, and not of another under the same id.
    fn is_of(&self, operation: &Operation) -> bool {
        self.digest == operation.digest()
    }
}

/// What is remembered of these operations from before.
async fn recall(
    link: Link<'_>,
    operations: &[Operation],
) -> Result<HashMap<OpId, Known>, StoreError> {
    let rows = tables::remembered(link, operations).await?;
    rows.into_iter()
        .map(|row| {
            let outcome = serde_json::from_str(&row.outcome).map_err(|error| {
                StoreError::Guarantee(format!(
                    "the outcome of operation {} cannot be read: {error}",
                    row.op_id
                ))
            })?;
            Ok((
                row.op_id,
                Known {
                    digest: row.digest,
                    outcome,
                },
            ))
        })
        .collect()
}

/// The operations that are not known yet, each id once.
fn unseen(operations: &[Operation], known: &HashMap<OpId, Known>) -> Vec<Operation> {
    let mut seen = BTreeSet::new();
    operations
        .iter()
        .filter(|op| !known.contains_key(&op.id) && seen.insert(op.id))
        .cloned()
        .collect()
}

/// The same id again gets the first outcome; the same id with other content is refused.
fn answers(operations: &[Operation], known: &HashMap<OpId, Known>) -> Vec<Outcome> {
    operations
        .iter()
        .map(|op| match known.get(&op.id) {
            Some(known) if known.is_of(op) => known.outcome.clone(),
            _ => Outcome::Refused(Refusal::DuplicateOperation { op: op.id }),
        })
        .collect()
}

fn memory_of(
    operation: &Operation,
    digest: &[u8],
    outcome: &Outcome,
    at: At,
) -> Result<Memory, StoreError> {
    let outcome = serde_json::to_string(outcome)
        .map_err(|error| StoreError::Guarantee(format!("an outcome cannot be written: {error}")))?;
    let kind = operation.request.kind();
    Ok(Memory {
        op_id: operation.id,
        actor_id: operation.actor,
        kind,
        digest: digest.to_vec(),
        outcome,
        at,
    })
}

fn refused_event(operation: &Operation, loaded: &Loaded, refusal: &Refusal, at: At) -> Event {
    let actor = loaded.actors.get(&operation.actor);
    let request = &operation.request;
    let order = request.order().and_then(|order| loaded.orders.get(&order));
    let entry = request
        .administration()
        .and_then(|entry| loaded.administrations.get(&entry));
    let named = request
        .ward()
        .filter(|ward| loaded.wards.contains_key(ward));
    let of_entry = entry.map(|entry| entry.ward);
    let chart = request.patient().and_then(|id| loaded.charts.get(&id));
    let prescription = request
        .prescription()
        .and_then(|id| loaded.prescriptions.get(&id));
    let ward = order
        .map(|order| order.ward)
        .or(of_entry)
        .or(named)
        .or(chart.map(|chart| chart.ward))
        .or(prescription.map(|prescription| prescription.ward));
    Event {
        id: Uuid::now_v7(),
        at,
        actor: Some(operation.actor),
        who: actor
            .map(|actor| actor.username.clone())
            .unwrap_or_default(),
        kind: "refused",
        ward,
        detail: format!(
            "{} {}: {} (operation {})",
            request.kind(),
            request.about(),
            refusal.code(),
            operation.id
        ),
        code: Some(refusal.code()),
        order: operation.request.order(),
    }
}

/// What is loud in the audit although it was done: emergency access, its end, and whatever was done by it.
fn emergency_event(
    operation: &Operation,
    loaded: &Loaded,
    receipt: &Receipt,
    now: Timestamp,
) -> Option<Event> {
    let actor = loaded.actors.get(&operation.actor)?;
    let order = operation.request.order();
    let (kind, ward) = match receipt {
        Receipt::EmergencyBegun { ward, .. } => ("emergency access", *ward),
        Receipt::EmergencyEnded { ward, .. } => ("emergency access ended", *ward),
        _ => {
            let ordered = order.and_then(|order| loaded.orders.get(&order));
            let ward = operation
                .request
                .ward()
                .or(ordered.map(|order| order.ward))?;
            actor.emergency(ward, now)?;
            ("done by emergency access", ward)
        }
    };
    Some(Event {
        id: Uuid::now_v7(),
        at: now.into(),
        actor: Some(operation.actor),
        who: actor.username.clone(),
        kind,
        ward: Some(ward),
        detail: format!(
            "{} {} (operation {})",
            operation.request.kind(),
            operation.request.about(),
            operation.id
        ),
        code: None,
        order,
    })
}
