//! Prescribing, and ending a prescription with all its open doses.

use jiff::{SignedDuration, Timestamp};

use super::chart::{
    Chart, ChartEffects, EndedPrescription, MadeOrder, NewPrescription, Prescription, WardPlace,
    open_orders, place, present,
};
use super::{Effects, Limits, Loaded, Moment, Order, close, permission};
use crate::domain::allergy::conflict;
use crate::domain::prescribing::{Override, Prescribe, PrescribingWarning};
use crate::domain::quantity::LARGEST;
use crate::domain::reason::{Reason, ReasonKind, text_fault};
use crate::domain::schedule::{Ahead, Days, Schedule, Span, ahead, due_times};
use crate::domain::text::plain;
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{
    Actor, OrderId, OrderKind, OrderStatus, Policy, PrescriptionId, Priority, Quantity, Receipt,
    Refusal,
};

/// A prescription may begin this long ago: it was said at the bedside, and is written down after it.
const BEGAN: SignedDuration = SignedDuration::from_hours(1);

/// It begins and ends within this: a longer one is a slip of the finger, and is looked at again in any case.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// How much of a prescription is looked at to see whether it has any dose: twice the longest interval.
const LOOK: SignedDuration = SignedDuration::from_hours(62 * 24);

/// Longest route and frequency that are kept, in characters: fit a line of every screen.
const LONGEST_ROUTE: usize = 30;
const LONGEST_FREQUENCY: usize = 60;

/// More often than hourly is titration at the bedside, not a queue.
const MOST_TIMES: usize = 24;
const LEAST_MINUTES: u32 = 60;
const MOST_MINUTES: u32 = 31 * 1440;

pub(super) fn prescribe(
    state: &mut Loaded,
    actor: &Actor,
    ask: &Prescribe,
    policy: &Policy,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let need = permission::role(actor, "prescribe")?;
    let ward = super::chart::on_record(state, ask.patient)?.ward;
    let here = place(state, ward)?.clone();
    permission::ward(actor, need, ward, &here.name)?;
    let chart = present(state, ask.patient, ask.version)?.clone();
    let drug = state
        .drugs
        .get(&ask.drug)
        .ok_or_else(|| invalid("drug", format!("there is no drug {}", ask.drug)))?
        .clone();
    dose(ask, &drug.unit)?;
    let route = kept("route", &ask.route, LONGEST_ROUTE)?;
    let frequency = kept("frequency", &ask.frequency, LONGEST_FREQUENCY)?;
    readable(&ask.schedule)?;
    let (start, stop, schedule) = runs(ask, &here, moment.now)?;
    let overrides = warned(state, &chart, ask, &drug.title, policy)?;

    // From here on nothing can be refused any more: the state may change.
    let until = moment.now.checked_add(policy.horizon).unwrap_or(moment.now);
    let span = Span {
        start,
        stop,
        made_until: start,
    };
    let Ahead { due, reached, .. } = ahead(&schedule, span, moment.now, until, &here.zone);
    let id = PrescriptionId(moment.key());
    let priority = if ask.stat {
        Priority::Stat
    } else {
        Priority::Routine
    };
    let new = NewPrescription {
        id,
        patient: ask.patient,
        ward,
        drug: ask.drug,
        dose: ask.dose,
        most: ask.most,
        route,
        frequency,
        schedule,
        start,
        stop,
        priority,
        doctor: actor.id,
        made_until: if reached { until } else { moment.now },
        at: moment.now,
        overrides,
    };
    let made: Vec<MadeOrder> = due
        .iter()
        .map(|due| MadeOrder {
            id: OrderId(moment.key()),
            prescription: id,
            due: *due,
            kind: new.schedule.kind(),
            at: moment.now,
        })
        .collect();
    for order in &made {
        let open = as_order(state, &new, order, &chart, &here);
        state.orders.insert(order.id, open);
    }
    let drug_key = state.drug_keys.get(&ask.drug).cloned().unwrap_or_default();
    state.prescriptions.insert(
        id,
        Prescription {
            id,
            version: 1,
            patient: ask.patient,
            ward,
            ward_name: here.name,
            drug: ask.drug,
            drug_key,
            title: drug.title,
            status: PrescriptionStatus::Active,
            ended_by: None,
            ended_at: None,
            end: Reason::default(),
        },
    );
    let receipt = Receipt::Prescribed {
        prescription: id,
        patient: ask.patient,
        ward,
        drug: ask.drug,
        orders: u32::try_from(made.len()).unwrap_or(u32::MAX),
        first: due.first().copied().flatten(),
        at: moment.now,
    };
    let effects = Effects {
        chart: ChartEffects {
            prescribed: vec![new],
            made,
            wards: vec![ward],
            ..ChartEffects::default()
        },
        ..Effects::default()
    };
    Ok((receipt, effects))
}

fn dose(ask: &Prescribe, unit: &str) -> Result<(), Refusal> {
    let wrong = |quantity: Quantity, why: &str| Refusal::InvalidStockQuantity {
        quantity,
        why: why.to_owned(),
    };
    if !ask.dose.is_positive() {
        return Err(wrong(ask.dose, "a dose is more than nothing"));
    }
    let most = ask.most.unwrap_or(ask.dose);
    if most < ask.dose {
        return Err(wrong(
            most,
            "the most of a range is not less than the least",
        ));
    }
    if most > LARGEST {
        return Err(wrong(
            most,
            &format!("at most {LARGEST} {unit} can be counted"),
        ));
    }
    Ok(())
}

/// Whether the schedule is one that a prescription made here may have: understood, with limits where nothing is due.
fn readable(schedule: &Schedule) -> Result<(), Refusal> {
    let wrong = |why: &str| Err(invalid("frequency", why.to_owned()));
    match schedule {
        Schedule::Unscheduled => {
            wrong("it is not understood; say times, how often, ONCE, STAT or PRN with limits")
        }
        Schedule::Times { times, days } => {
            let ascending = times.windows(2).all(|pair| pair[0] < pair[1]);
            let on = match days {
                Days::Every(n) => *n > 0,
                Days::On(weekdays) => !weekdays.is_empty(),
            };
            if times.is_empty() || times.len() > MOST_TIMES || !ascending || !on {
                return wrong("1 to 24 different times of day, in order");
            }
            Ok(())
        }
        Schedule::Interval { minutes } if !(LEAST_MINUTES..=MOST_MINUTES).contains(minutes) => {
            wrong("at least an hour and at most a month apart")
        }
        Schedule::Prn {
            min_interval: None,
            max_per_day: None,
            max_total: None,
        } => wrong("a drug as needed wants a limit: how far apart, how many in 24 h, or both"),
        Schedule::Interval { .. } | Schedule::Once { .. } | Schedule::Prn { .. } => Ok(()),
    }
}

/// When it begins and ends, and by what schedule: a single dose is due at one moment, which is both.
fn runs(
    ask: &Prescribe,
    here: &WardPlace,
    now: Timestamp,
) -> Result<(Timestamp, Option<Timestamp>, Schedule), Refusal> {
    let start = ask.start.unwrap_or(now);
    let latest = now.checked_add(LONGEST).unwrap_or(Timestamp::MAX);
    if start < now.checked_sub(BEGAN).unwrap_or(now) || start > latest {
        return Err(invalid(
            "start",
            "a prescription begins at most an hour ago, and within a year".to_owned(),
        ));
    }
    if let Schedule::Once { .. } = ask.schedule {
        // Two days are enough for any time of day to come.
        let until = start.checked_add(LOOK).unwrap_or(Timestamp::MAX);
        let due = due_times(&ask.schedule, start, None, start, until, &here.zone);
        let due = due.first().copied().unwrap_or(start);
        if ask.stop.is_some_and(|stop| stop < due) {
            return Err(invalid(
                "stop",
                "it would end before its one dose".to_owned(),
            ));
        }
        return Ok((due, Some(due), Schedule::Once { at: None }));
    }
    if let Some(stop) = ask.stop {
        if stop <= start || stop <= now {
            return Err(invalid("stop", "it would end before it begins".to_owned()));
        }
        if stop > latest {
            return Err(invalid(
                "stop",
                "a prescription ends within a year".to_owned(),
            ));
        }
        let until = stop.min(start.checked_add(LOOK).unwrap_or(stop));
        let timed = ask.schedule.kind() == OrderKind::Timed;
        if timed && due_times(&ask.schedule, start, Some(stop), start, until, &here.zone).is_empty()
        {
            return Err(invalid(
                "stop",
                "no dose would be due before it ends".to_owned(),
            ));
        }
    }
    Ok((start, ask.stop, ask.schedule.clone()))
}

/// What the desk warns of, each with what it is about.
pub fn warnings<'a>(
    allergies: &str,
    title: &str,
    running: impl Iterator<Item = &'a str>,
) -> Vec<(PrescribingWarning, String)> {
    let mut found = Vec::new();
    if let Some(entry) = conflict(allergies, title) {
        found.push((PrescribingWarning::Allergy, entry));
    }
    let mut running: Vec<&str> = running.collect();
    running.sort_unstable();
    running.dedup();
    if !running.is_empty() {
        found.push((PrescribingWarning::Duplicate, running.join(", ")));
    }
    found
}

/// The warnings that hold, each with the reason for which it is passed over.
fn warned(
    state: &Loaded,
    chart: &Chart,
    ask: &Prescribe,
    title: &str,
    policy: &Policy,
) -> Result<Vec<(PrescribingWarning, String, Reason)>, Refusal> {
    let key = state.drug_keys.get(&ask.drug);
    let same = |p: &&Prescription| {
        p.patient == ask.patient
            && p.status == PrescriptionStatus::Active
            && (p.drug == ask.drug || Some(&p.drug_key) == key)
    };
    let running = state.prescriptions.values().filter(same);
    let found = warnings(&chart.allergies, title, running.map(|p| p.title.as_str()));
    let reason = |kind: PrescribingWarning| {
        let of = |o: &&Override| o.kind == kind;
        ask.overrides.iter().find(of).map(|o| &o.reason)
    };
    let silent: Vec<String> = found
        .iter()
        .filter(|(kind, _)| reason(*kind).is_none())
        .map(|(kind, about)| warning_words(*kind, about))
        .collect();
    if !silent.is_empty() {
        return Err(Refusal::PrescriptionWarning {
            patient: chart.name.clone(),
            warnings: silent.join("; "),
        });
    }
    found
        .into_iter()
        .map(|(kind, about)| {
            let given = reason(kind).cloned().unwrap_or_default();
            Ok((
                kind,
                about,
                policy.reasons.check(ReasonKind::Override, &given)?,
            ))
        })
        .collect()
}

/// A warning as a sentence's part.
pub fn warning_words(kind: PrescribingWarning, about: &str) -> String {
    match kind {
        PrescribingWarning::Allergy => format!("allergy recorded: {about}"),
        PrescribingWarning::Duplicate => format!("prescribed already: {about}"),
    }
}

/// An order as the operations after this one in the batch see it.
fn as_order(
    state: &Loaded,
    new: &NewPrescription,
    order: &MadeOrder,
    chart: &Chart,
    here: &WardPlace,
) -> Order {
    Order {
        id: order.id,
        version: 1,
        status: OrderStatus::Active,
        kind: order.kind,
        ward: new.ward,
        ward_name: here.name.clone(),
        drug: new.drug,
        drug_name: state.drugs.get(&new.drug).cloned().unwrap_or_default(),
        patient: new.patient,
        mrn: chart.mrn.clone(),
        dosage: new.dose,
        dosage_max: new.most,
        priority: new.priority,
        doctor: new.doctor,
        prescription: new.id,
        prescription_active: true,
        due_at: order.due,
        held_until: None,
        start_at: new.start,
        stop_at: new.stop,
        limits: Limits::from(&new.schedule),
        given: Vec::new(),
        changed_by: None,
        changed_at: new.at,
        change: "made from the prescription".to_owned(),
    }
}

pub(super) fn discontinue(
    state: &mut Loaded,
    actor: &Actor,
    ask: (PrescriptionId, i64, &Reason),
    policy: &Policy,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let (id, version, reason) = ask;
    let need = permission::role(actor, "discontinue_prescription")?;
    let found = state
        .prescriptions
        .get(&id)
        .ok_or(Refusal::PrescriptionNotFound { prescription: id })?;
    permission::ward(actor, need, found.ward, &found.ward_name)?;
    let open = open_orders(state, |order| order.prescription == id);
    let over = match found.status {
        PrescriptionStatus::Active => false,
        // Its time is over, and doses of it are still to be accounted for.
        PrescriptionStatus::Ended => open.is_empty(),
        PrescriptionStatus::Discontinued => true,
    };
    if over {
        return Err(Refusal::PrescriptionEnded {
            title: found.title.clone(),
            by: found.ended_by.clone(),
            at: found.ended_at,
            reason: policy.reasons.told(ReasonKind::Discontinue, &found.end),
        });
    }
    if found.version != version {
        return Err(Refusal::PrescriptionChanged {
            title: found.title.clone(),
        });
    }
    let reason = policy.reasons.check(ReasonKind::Discontinue, reason)?;
    let ward = found.ward;
    let told = policy.reasons.told(ReasonKind::Discontinue, &reason);
    let change = format!("the prescription was discontinued: {told}");
    let closed: Vec<_> = open
        .into_iter()
        .filter_map(|id| {
            close(
                state,
                id,
                OrderStatus::Discontinued,
                actor,
                &change,
                moment.now,
            )
        })
        .collect();
    if let Some(prescription) = state.prescriptions.get_mut(&id) {
        prescription.status = PrescriptionStatus::Discontinued;
        prescription.version += 1;
        prescription.ended_by = Some(actor.name.clone());
        prescription.ended_at = Some(moment.now);
        prescription.end.clone_from(&reason);
    }
    let receipt = Receipt::PrescriptionDiscontinued {
        prescription: id,
        orders: u32::try_from(closed.len()).unwrap_or(u32::MAX),
        at: moment.now,
    };
    let effects = Effects {
        closed,
        ended: vec![EndedPrescription {
            id,
            by: actor.id,
            at: moment.now,
            reason,
        }],
        chart: ChartEffects {
            wards: vec![ward],
            ..ChartEffects::default()
        },
        ..Effects::default()
    };
    Ok((receipt, effects))
}

fn invalid(field: &str, why: String) -> Refusal {
    Refusal::InvalidData {
        field: field.to_owned(),
        why,
    }
}

fn kept(field: &str, text: &str, most: usize) -> Result<String, Refusal> {
    let text = plain(text);
    if text.is_empty() {
        return Err(invalid(field, "it cannot be empty".to_owned()));
    }
    if text.chars().count() > most {
        return Err(invalid(
            field,
            format!("at most {most} characters are kept"),
        ));
    }
    text_fault(&text).map_or(Ok(text), |why| Err(invalid(field, why)))
}
