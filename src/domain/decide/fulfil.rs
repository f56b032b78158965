//! Giving a dose.

use jiff::{SignedDuration, Timestamp};

use super::{
    Administration, AskedEffect, Effects, Loaded, Moment, Opening, Order, StockChange,
    WrittenReason, book, close, order_for, permission,
    spend::spend,
    warn::{self, Facts, Recent, Warning},
};
use crate::domain::schedule::span;
use crate::domain::{
    Actor, AdministrationId, Giving, GivingOutcome, LedgerReason, Operation, OrderId, OrderKind,
    OrderStatus, PatientId, Policy, Quantity, Reason, ReasonKind, Receipt, Refusal, UserId,
};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What happened to an order that was given, in words.
pub(super) const GIVEN: &str = "given";

pub(super) fn fulfil(
    state: &mut Loaded,
    op: &Operation,
    actor: &Actor,
    ask: &Giving,
    policy: &Policy,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let order = order_for(state, actor, "fulfil", ask.order, ask.version)?;
    let given_at = given_at(&order, ask.given_at, moment.now)?;
    still_prescribed(&order, given_at)?;
    right_patient(state, &order, &ask.identified)?;
    let quantity = amount(&order, ask.amount, policy)?;
    within_limits(&order, given_at)?;
    let reasons = reasons(state, &order, ask, policy, (given_at, moment.now), quantity)?;
    let witness = witness(state, op, policy, &order)?;

    let page = (order.ward, order.drug);
    let lots = spend(
        state,
        page,
        &order.ward_name,
        &order.drug_name,
        quantity,
        moment.now,
    )?;
    let missing = || Refusal::DrugNotFound {
        ward: order.ward_name.clone(),
        drug: order.drug_name.title.clone(),
    };
    let stock = state.stock.get_mut(&page).ok_or_else(missing)?;

    // From here on nothing can be refused any more: the state may change.
    let administration = AdministrationId(moment.key());
    let entry = book(
        stock,
        order.ward,
        order.drug,
        StockChange {
            delta: -quantity,
            reason: LedgerReason::Given,
            reference: &given_reference(
                dose_reference(administration, order.id, order.patient),
                given_at,
                moment.now,
            ),
            lots,
            actor: actor.id,
            witness,
            op: op.id,
            at: moment.now,
        },
    );
    let left = entry.row.balance;
    let closing = close(
        state,
        order.id,
        OrderStatus::Completed,
        actor,
        GIVEN,
        moment.now,
    );
    remember(state, &order, given_at);
    let effects = Effects {
        ledger: vec![entry],
        closed: closing.into_iter().collect(),
        opened: open_next(state, &order, Some(given_at), moment)
            .into_iter()
            .collect(),
        administrations: vec![Administration {
            id: administration,
            order: order.id,
            order_version: order.version,
            ward: order.ward,
            patient: order.patient,
            drug: order.drug,
            nurse: actor.id,
            witness,
            given_at,
            at: moment.now,
            outcome: GivingOutcome::Given,
            quantity,
            reason: String::new(),
            reverses: None,
            op: op.id,
        }],
        reasons: written(reasons, administration),
        asked: ask_later(&order, administration, given_at, policy),
        ..Effects::default()
    };
    let receipt = Receipt::Given {
        administration,
        order: order.id,
        ward: order.ward,
        drug: order.drug,
        quantity,
        left,
        at: moment.now,
    };
    Ok((receipt, effects))
}

/// When it was given: just now, or earlier; never in the future, never before the prescription begins.
fn given_at(order: &Order, asked: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let Some(at) = asked else {
        return Ok(now);
    };
    let invalid = |why: &str| Refusal::InvalidData {
        field: "given at".to_owned(),
        why: why.to_owned(),
    };
    if at > now {
        return Err(invalid("it cannot be later than now"));
    }
    if at < order.start_at {
        return Err(invalid("it is before the prescription begins"));
    }
    Ok(at)
}

/// The reasons that a dose needs, each with the warnings that it answers. Everything that is missing is told at once.
fn reasons(
    state: &Loaded,
    order: &Order,
    ask: &Giving,
    policy: &Policy,
    (given_at, now): (Timestamp, Timestamp),
    quantity: Quantity,
) -> Result<Vec<(ReasonKind, Reason, String)>, Refusal> {
    let why = &ask.why;
    let mut given = Vec::new();
    let mut missing = Vec::new();
    let mut answer = |kind, reason: &Option<Reason>, needed: Option<String>, about: String| {
        match (reason, needed) {
            (Some(reason), _) => given.push((kind, policy.reasons.check(kind, reason)?, about)),
            (None, Some(words)) => missing.push(words),
            (None, None) => {}
        }
        Ok::<(), Refusal>(())
    };
    let as_needed = policy.indication_needed && order.kind == OrderKind::Prn;
    let words = as_needed.then(|| "what the as-needed dose is for".to_owned());
    answer(
        ReasonKind::Indication,
        &why.indication,
        words,
        String::new(),
    )?;
    let late = now.duration_since(given_at);
    let free = SignedDuration::from_mins(policy.back_entry_minutes.into());
    let words = (late > free).then(|| "it is entered later than it was given".to_owned());
    answer(ReasonKind::BackEntry, &why.back_entry, words, String::new())?;

    let found = warn::warnings(&facts(state, order), policy, given_at, quantity);
    // A reason answers what was on the screen, and nothing that has come up since.
    let new: Vec<&Warning> = found
        .iter()
        .filter(|warning| why.warned.is_none() || !why.despite.contains(&warning.of))
        .collect();
    missing.extend(new.iter().map(|warning| warning.words.clone()));
    if !missing.is_empty() {
        return Err(Refusal::ReasonRequired {
            missing,
            warned: found.iter().map(|warning| warning.of).collect(),
        });
    }
    if let Some(reason) = why.warned.as_ref().filter(|_| !found.is_empty()) {
        let about: Vec<&str> = found.iter().map(|warning| warning.of.as_str()).collect();
        let reason = policy.reasons.check(ReasonKind::Override, reason)?;
        given.push((ReasonKind::Override, reason, about.join(" ")));
    }
    Ok(given)
}

/// What the warnings about an order are made from.
fn facts<'a>(state: &'a Loaded, order: &'a Order) -> Facts<'a> {
    let recent = state.recent.get(&(order.patient, order.drug));
    let recent = recent.map_or(&[][..], Vec::as_slice);
    let later = |other: &&Recent| {
        other.prescription == order.prescription
            && order.due_at.is_some_and(|due| other.due_at > Some(due))
    };
    let loaded = state.later_given.get(&order.id);
    let loaded = loaded.and_then(|later| later.iter().min()).copied();
    Facts {
        kind: order.kind,
        prescription: order.prescription,
        due_at: order.due_at,
        held_until: order.held_until,
        has_interval: order.limits.min_interval.is_some(),
        most: order.dosage_max.unwrap_or(order.dosage),
        unit: &order.drug_name.unit,
        recent,
        later_given: loaded.or_else(|| recent.iter().find(later)?.due_at),
    }
}

/// The other doses of the batch see this one.
fn remember(state: &mut Loaded, order: &Order, at: Timestamp) {
    let recent = Recent {
        at,
        prescription: order.prescription,
        due_at: order.due_at,
    };
    state
        .recent
        .entry((order.patient, order.drug))
        .or_default()
        .push(recent);
}

fn written(
    reasons: Vec<(ReasonKind, Reason, String)>,
    administration: AdministrationId,
) -> Vec<WrittenReason> {
    let row = |(kind, reason, about)| WrittenReason {
        administration,
        kind,
        reason,
        about,
    };
    reasons.into_iter().map(row).collect()
}

/// Of an as-needed dose it is asked later whether it helped.
fn ask_later(
    order: &Order,
    administration: AdministrationId,
    given_at: Timestamp,
    policy: &Policy,
) -> Vec<AskedEffect> {
    let after = SignedDuration::from_mins(policy.effect_minutes.into());
    let due = given_at.checked_add(after).ok();
    due.filter(|_| order.kind == OrderKind::Prn)
        .map(|due_at| AskedEffect {
            administration,
            ward: order.ward,
            due_at,
        })
        .into_iter()
        .collect()
}

/// What the register row of a dose refers to: administration, order and patient. Hashed with the row, so that none of
/// them can be changed afterwards without the register telling.
pub fn dose_reference(
    administration: AdministrationId,
    order: OrderId,
    patient: PatientId,
) -> String {
    format!("{administration} {order} {patient}")
}

/// The reference of a dose that was entered later than it was given: with its own time, so that this cannot be changed
/// afterwards either.
pub fn given_reference(reference: String, given_at: Timestamp, entered_at: Timestamp) -> String {
    if given_at == entered_at {
        return reference;
    }
    format!("{reference} {given_at}")
}

fn still_prescribed(order: &Order, now: Timestamp) -> Result<(), Refusal> {
    let ended = |reason: &str, at| Refusal::InvalidStatusTransition {
        status: OrderStatus::Discontinued,
        by: None,
        at,
        reason: reason.to_owned(),
    };
    if !order.prescription_active {
        return Err(ended("the prescription was discontinued", None));
    }
    // A timed dose was due while the prescription ran, and stays to be accounted for; an open-ended one ends with it.
    match order.stop_at {
        Some(stop) if order.kind != OrderKind::Timed && stop <= now => {
            Err(ended("the prescription has ended", Some(stop)))
        }
        _ => Ok(()),
    }
}

fn right_patient(state: &Loaded, order: &Order, identified: &str) -> Result<(), Refusal> {
    if identified == order.mrn {
        return Ok(());
    }
    Err(Refusal::WrongPatient {
        identified: identified.to_owned(),
        belongs_to: state.patients.get(identified).cloned(),
    })
}

/// How much: the dose as prescribed, or what was chosen within its range. More than that needs a reason, and so much more
/// that no reason is good enough is refused.
fn amount(order: &Order, asked: Option<Quantity>, policy: &Policy) -> Result<Quantity, Refusal> {
    let unit = &order.drug_name.unit;
    let most = order.dosage_max.unwrap_or(order.dosage);
    let refused = |quantity| Refusal::InvalidStockQuantity {
        quantity,
        why: match order.dosage_max {
            None => format!("the prescribed dose is {} {unit}", order.dosage),
            Some(most) => format!("the prescribed range is {} to {most} {unit}", order.dosage),
        },
    };
    match asked {
        None if order.dosage_max.is_some() => Err(Refusal::InvalidData {
            field: "amount".to_owned(),
            why: format!(
                "the prescription leaves a range: say how much, from {} to {most} {unit}",
                order.dosage
            ),
        }),
        None => Ok(order.dosage),
        Some(q) if (order.dosage..=most).contains(&q) => Ok(q),
        Some(q) if q > most && q <= at_most(most, policy) => Ok(q),
        Some(q) => Err(refused(q)),
    }
}

/// The most that is given with whatever reason.
pub fn at_most(most: Quantity, policy: &Policy) -> Quantity {
    Quantity(most.0.saturating_mul(policy.high_dose_percent.into()) / 100)
}

fn witness(
    state: &Loaded,
    op: &Operation,
    policy: &Policy,
    order: &Order,
) -> Result<Option<UserId>, Refusal> {
    let drug = &order.drug_name;
    let what = policy.needs_witness(drug.controlled, drug.high_alert);
    let what = what.map(|what| format!("Giving {what} ({})", drug.title));
    permission::witness(state, op, what.as_deref(), order.ward, &order.ward_name)
}

fn within_limits(order: &Order, now: Timestamp) -> Result<(), Refusal> {
    #[cfg(test)]
    if super::planted::planted(super::planted::Fault::NoLimits) {
        return Ok(());
    }
    if let Some(most) = order
        .limits
        .max_total
        .filter(|most| order.given.len() >= *most as usize)
    {
        return Err(Refusal::InvalidStatusTransition {
            status: OrderStatus::Completed,
            by: None,
            at: order.given.first().copied(),
            reason: format!("the prescription is for {most} in all, and that was given"),
        });
    }
    match room_for(&order.limits, &order.given, now) {
        Some((not_before, why)) => Err(Refusal::TooSoon { why, not_before }),
        None => Ok(()),
    }
}

/// As [`not_before`], for a dose that may have been given before others that are on record already.
fn room_for(
    limits: &super::Limits,
    given: &[Timestamp],
    at: Timestamp,
) -> Option<(Timestamp, String)> {
    let (after, before): (Vec<Timestamp>, Vec<Timestamp>) =
        given.iter().partition(|other| **other > at);
    if let Some(found) = not_before(limits, &before, at) {
        return Some(found);
    }
    // Each later dose must find room after this one, as if this one had been on record when it was given.
    let mut known = before;
    known.insert(0, at);
    for later in after.into_iter().rev() {
        if let Some((_, why)) = not_before(limits, &known, later) {
            return Some((later, why));
        }
        known.insert(0, later);
    }
    None
}

/// From when on the next dose of an as-needed prescription may be given, and which limit says so;
/// `None`: at once. `given` holds the times of its doses, newest first.
pub fn not_before(
    limits: &super::Limits,
    given: &[Timestamp],
    now: Timestamp,
) -> Option<(Timestamp, String)> {
    let by_interval = limits
        .min_interval
        .zip(given.first())
        .and_then(|(minutes, last)| {
            let earliest = last
                .checked_add(SignedDuration::from_mins(minutes.into()))
                .ok()?;
            let why = format!("doses must be at least {} apart", span(minutes));
            (earliest > now).then_some((earliest, why))
        });
    let by_day = limits.max_per_day.and_then(|most| {
        // The dose that must have left the last 24 hours before another fits.
        let oldest = given.get(usize::try_from(most.checked_sub(1)?).ok()?)?;
        let earliest = oldest.checked_add(DAY).ok()?;
        (earliest > now).then_some((
            earliest,
            format!("at most {most} doses in 24 h, and there were {most}"),
        ))
    });
    by_interval
        .into_iter()
        .chain(by_day)
        .max_by_key(|(at, _)| *at)
}

/// An as-needed or unscheduled prescription always has one open order: the next one opens with
/// the giving, or with the record that it was not given.
pub(super) fn open_next(
    state: &mut Loaded,
    order: &Order,
    given_at: Option<Timestamp>,
    moment: Moment<'_>,
) -> Option<Opening> {
    if order.kind == OrderKind::Timed {
        return None;
    }
    if order
        .limits
        .max_total
        .is_some_and(|most| order.given.len() + usize::from(given_at.is_some()) >= most as usize)
    {
        return None;
    }
    let id = OrderId(moment.key());
    let mut next = order.clone();
    next.id = id;
    next.version = 1;
    next.changed_by = None;
    next.changed_at = moment.now;
    next.change = "opened after the dose before it".to_owned();
    next.held_until = None;
    if let Some(at) = given_at {
        let place = next.given.iter().position(|other| *other <= at);
        next.given.insert(place.unwrap_or(next.given.len()), at);
    }
    state.orders.insert(id, next);
    Some(Opening {
        id,
        follows: order.id,
        at: moment.now,
    })
}
