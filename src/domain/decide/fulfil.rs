//! Giving a dose.

use jiff::{SignedDuration, Timestamp};

use super::{
    Administration, Effects, Loaded, Moment, Opening, Order, StockChange, book, close, open_order,
    permission, spend::spend,
};
use crate::domain::schedule::span;
use crate::domain::{
    Actor, AdministrationId, GivingOutcome, LedgerReason, Operation, OrderId, OrderKind,
    OrderStatus, PatientId, Policy, Quantity, Receipt, Refusal, UserId,
};

const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(super) struct Ask<'a> {
    pub order: OrderId,
    pub version: i64,
    pub identified: &'a str,
    pub amount: Option<Quantity>,
}

pub(super) fn fulfil(
    state: &mut Loaded,
    op: &Operation,
    actor: &Actor,
    ask: &Ask<'_>,
    policy: &Policy,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let need = permission::role(actor, "fulfil")?;
    let found = state
        .orders
        .get(&ask.order)
        .ok_or(Refusal::OrderNotFound { order: ask.order })?;
    permission::ward(actor, need, found.ward, &found.ward_name)?;
    let order = open_order(state, ask.order, ask.version)?.clone();
    still_prescribed(&order, moment.now)?;
    right_patient(state, &order, ask.identified)?;
    let quantity = amount(&order, ask.amount)?;
    let witness = witness(state, op, policy, &order)?;
    within_limits(&order, moment.now)?;

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
            reference: &dose_reference(administration, order.id, order.patient),
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
        "given",
        moment.now,
    );
    let effects = Effects {
        ledger: vec![entry],
        closed: closing.into_iter().collect(),
        opened: open_next(state, &order, moment).into_iter().collect(),
        administrations: vec![Administration {
            id: administration,
            order: order.id,
            order_version: order.version,
            ward: order.ward,
            patient: order.patient,
            drug: order.drug,
            nurse: actor.id,
            witness,
            at: moment.now,
            outcome: GivingOutcome::Given,
            quantity,
            op: op.id,
        }],
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

/// What the register row of a dose refers to: administration, order and patient. Hashed with the row, so that none of
/// them can be changed afterwards without the register telling.
pub fn dose_reference(
    administration: AdministrationId,
    order: OrderId,
    patient: PatientId,
) -> String {
    format!("{administration} {order} {patient}")
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

fn amount(order: &Order, asked: Option<Quantity>) -> Result<Quantity, Refusal> {
    let unit = &order.drug_name.unit;
    match (order.dosage_max, asked) {
        (None, None) => Ok(order.dosage),
        (None, Some(q)) if q == order.dosage => Ok(q),
        (None, Some(q)) => Err(Refusal::InvalidStockQuantity {
            quantity: q,
            why: format!("the prescribed dose is {} {unit}", order.dosage),
        }),
        (Some(most), None) => Err(Refusal::InvalidData {
            field: "amount".to_owned(),
            why: format!(
                "the prescription leaves a range: say how much, from {} to {most} {unit}",
                order.dosage
            ),
        }),
        (Some(most), Some(q)) if (order.dosage..=most).contains(&q) => Ok(q),
        (Some(most), Some(q)) => Err(Refusal::InvalidStockQuantity {
            quantity: q,
            why: format!("the prescribed range is {} to {most} {unit}", order.dosage),
        }),
    }
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
    match not_before(&order.limits, &order.given, now) {
        Some((not_before, why)) => Err(Refusal::TooSoon { why, not_before }),
        None => Ok(()),
    }
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

/// An as-needed or unscheduled prescription always has one open order: the next one opens with the giving.
fn open_next(state: &mut Loaded, order: &Order, moment: Moment<'_>) -> Option<Opening> {
    if order.kind == OrderKind::Timed {
        return None;
    }
    if order
        .limits
        .max_total
        .is_some_and(|most| order.given.len() + 1 >= most as usize)
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
    next.given.insert(0, moment.now);
    state.orders.insert(id, next);
    Some(Opening {
        id,
        follows: order.id,
        at: moment.now,
    })
}
