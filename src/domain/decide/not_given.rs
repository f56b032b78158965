//! Recording that a dose was not given.

use jiff::{SignedDuration, Timestamp};

use super::{
    Administration, Change, Effects, Loaded, Moment, Order, WrittenReason, close, fulfil, order_for,
};
use crate::domain::{
    Actor, AdministrationId, GivingOutcome, NotGiven, Operation, OrderStatus, Policy, Quantity,
    ReasonKind, Receipt, Refusal,
};

/// A held dose comes back within this: what is held longer is another prescription.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(super) fn not_given(
    state: &mut Loaded,
    op: &Operation,
    actor: &Actor,
    ask: &NotGiven,
    policy: &Policy,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let order = order_for(state, actor, "not_given", ask.order, ask.version)?;
    let kind = kind(ask.outcome)?;
    let reason = policy.reasons.check(kind, &ask.reason)?;
    let until = comes_back(ask, moment.now)?;

    let administration = AdministrationId(moment.key());
    let told = policy.reasons.told(kind, &reason);
    let change = words(ask.outcome, &told);
    let record = record(
        &order,
        op,
        actor,
        ask.outcome,
        administration,
        &told,
        moment,
    );
    let mut effects = Effects {
        administrations: vec![record],
        reasons: vec![WrittenReason {
            administration,
            kind,
            reason,
            about: String::new(),
        }],
        ..Effects::default()
    };
    if let Some(until) = until {
        effects
            .changed
            .push(hold(state, &order, actor, until, &change, moment.now));
    } else {
        let closing = close(
            state,
            order.id,
            OrderStatus::Completed,
            actor,
            &change,
            moment.now,
        );
        effects.closed.extend(closing);
        effects
            .opened
            .extend(fulfil::open_next(state, &order, None, moment));
    }
    let receipt = Receipt::NotGiven {
        administration,
        order: order.id,
        outcome: ask.outcome,
        until,
        at: moment.now,
    };
    Ok((receipt, effects))
}

/// The kind of reason that an outcome has.
fn kind(outcome: GivingOutcome) -> Result<ReasonKind, Refusal> {
    match outcome {
        GivingOutcome::Held => Ok(ReasonKind::Held),
        GivingOutcome::Refused => Ok(ReasonKind::Refused),
        GivingOutcome::NotAvailable => Ok(ReasonKind::NotAvailable),
        GivingOutcome::Given => Err(Refusal::InvalidData {
            field: "outcome".to_owned(),
            why: "a dose that was given is recorded by giving it".to_owned(),
        }),
    }
}

/// `held: nil by mouth`.
fn words(outcome: GivingOutcome, reason: &str) -> String {
    let outcome = match outcome {
        GivingOutcome::Given => "given",
        GivingOutcome::Held => "held",
        GivingOutcome::Refused => "refused",
        GivingOutcome::NotAvailable => "not available",
    };
    format!("{outcome}: {reason}")
}

/// When the dose comes back; only a held one does.
fn comes_back(ask: &NotGiven, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let Some(until) = ask.until else {
        return Ok(None);
    };
    let invalid = |why: &str| Refusal::InvalidData {
        field: "until".to_owned(),
        why: why.to_owned(),
    };
    if ask.outcome != GivingOutcome::Held {
        return Err(invalid("only a held dose comes back"));
    }
    if until <= now {
        return Err(invalid("a held dose comes back later than now"));
    }
    if until.duration_since(now) > LONGEST_HOLD {
        return Err(invalid("a dose is held for 7 days at most"));
    }
    Ok(Some(until))
}

fn record(
    order: &Order,
    op: &Operation,
    actor: &Actor,
    outcome: GivingOutcome,
    id: AdministrationId,
    reason: &str,
    moment: Moment<'_>,
) -> Administration {
    Administration {
        id,
        order: order.id,
        order_version: order.version,
        ward: order.ward,
        patient: order.patient,
        drug: order.drug,
        nurse: actor.id,
        witness: None,
        given_at: moment.now,
        at: moment.now,
        outcome,
        quantity: Quantity::ZERO,
        reason: reason.to_owned(),
        reverses: None,
        op: op.id,
    }
}

/// The order stays active and comes back then; the record stands against the version that was held.
fn hold(
    state: &mut Loaded,
    order: &Order,
    actor: &Actor,
    until: Timestamp,
    change: &str,
    now: Timestamp,
) -> Change {
    let change = Change {
        id: order.id,
        version: order.version,
        was: OrderStatus::Active,
        status: OrderStatus::Active,
        ward: order.ward,
        held_until: Some(until),
        by: actor.id,
        at: now,
        change: change.to_owned(),
    };
    change.make(state, actor);
    change
}
