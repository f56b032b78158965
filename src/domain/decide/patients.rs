//! Patients who come, move and leave, and what is recorded of their allergies.

use jiff::civil::Date;

use super::chart::{
    Chart, ChartEffects, ChartRow, EndedPrescription, MovedOrder, StayRow, on_record, open_orders,
    place, present,
};
use super::{Effects, Loaded, Moment, close, permission};
use crate::domain::prescribing::{Admit, StayChange};
use crate::domain::reason::{Reason, ReasonKind};
use crate::domain::text::{name_key, plain};
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{
    Actor, OpId, OrderStatus, PatientId, Policy, Receipt, Refusal, WardId, WardKind,
};

/// Longest number, name, bed and note of allergies that are kept, in characters.
const LONGEST_MRN: usize = 40;
const LONGEST_NAME: usize = 120;
const LONGEST_BED: usize = 20;
const LONGEST_ALLERGIES: usize = 500;

/// Nobody alive was born before.
const FIRST_BIRTH: Date = Date::constant(1890, 1, 1);

pub(super) fn admit(
    state: &mut Loaded,
    op: OpId,
    actor: &Actor,
    ask: &Admit,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let need = permission::role(actor, "admit")?;
    let to = place(state, ask.ward)?.clone();
    permission::ward(actor, need, ask.ward, &to.name)?;
    if to.kind != WardKind::Ward {
        return Err(no_beds(&to.name));
    }
    let today = to.zone.to_datetime(moment.now).date();
    let mrn = kept("number", &ask.mrn, 1, LONGEST_MRN)?;
    let name = kept("name", &ask.name, 1, LONGEST_NAME)?;
    let bed = kept("bed", &ask.bed, 0, LONGEST_BED)?;
    let allergies = kept("allergies", &ask.allergies, 0, LONGEST_ALLERGIES)?;
    if !(FIRST_BIRTH..=today).contains(&ask.birth_date) {
        return Err(invalid(
            "birth date",
            format!(
                "{} is no day on which somebody here was born",
                ask.birth_date
            ),
        ));
    }
    let known = state
        .charts
        .values()
        .find(|chart| chart.mrn == mrn)
        .cloned();
    let (id, version) = match &known {
        None => (PatientId(moment.key()), 1),
        Some(chart) => (chart.id, back(chart, &name, ask.birth_date)?),
    };
    let chart = Chart {
        id,
        version,
        mrn,
        name,
        birth_date: ask.birth_date,
        ward: ask.ward,
        bed,
        allergies,
        discharged_at: None,
        changed_by: Some(actor.name.clone()),
        changed_at: moment.now,
        change: format!("admitted to {}", to.name),
    };
    let detail = in_bed(&to.name, &chart.bed);
    let stay = stay(
        &chart,
        StayChange::Admitted,
        None,
        detail,
        op,
        actor,
        moment,
    );
    state.charts.insert(id, chart.clone());
    let of_patient = state.prescriptions.values_mut();
    for prescription in of_patient.filter(|p| p.patient == id) {
        prescription.stands_in(ask.ward, &to.name);
    }
    let receipt = Receipt::Admitted {
        patient: id,
        ward: ask.ward,
        again: known.is_some(),
        at: moment.now,
    };
    Ok((receipt, effects(chart, stay, actor, vec![ask.ward])))
}

/// The next version of a patient who comes back; refused where they are here, or are somebody else.
fn back(chart: &Chart, name: &str, birth_date: Date) -> Result<i64, Refusal> {
    if chart.discharged_at.is_none() {
        return Err(Refusal::PatientNumberTaken {
            mrn: chart.mrn.clone(),
            name: chart.name.clone(),
        });
    }
    if chart.birth_date != birth_date || name_key(&chart.name) != name_key(name) {
        let why = format!(
            "{} was {}, born {}, when they were here before; another name or birth date is another person",
            chart.mrn, chart.name, chart.birth_date
        );
        return Err(invalid("number", why));
    }
    Ok(chart.version + 1)
}

pub(super) fn move_to(
    state: &mut Loaded,
    op: OpId,
    actor: &Actor,
    ask: (PatientId, i64, WardId, &str),
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let (patient, version, ward, bed) = ask;
    here(state, actor, "move", patient)?;
    let from = present(state, patient, version)?.clone();
    let to = place(state, ward)?.clone();
    if to.kind != WardKind::Ward {
        return Err(no_beds(&to.name));
    }
    let bed = kept("bed", bed, 0, LONGEST_BED)?;
    let moves = ward != from.ward;
    if !moves && bed == from.bed {
        return Err(invalid("ward", format!("{} lies there already", from.name)));
    }
    let change = if moves {
        format!("the patient moved to {}", to.name)
    } else {
        format!("the patient moved to bed {bed}")
    };
    let chart = changed(&from, &change, actor, moment, |chart| {
        chart.ward = ward;
        chart.bed.clone_from(&bed);
    });
    let detail = in_bed(&to.name, &bed);
    let left = moves.then_some(from.ward);
    let stay = stay(&chart, StayChange::Moved, left, detail, op, actor, moment);
    let mut done = effects(chart.clone(), stay, actor, vec![from.ward, ward]);
    if moves {
        done.chart.moved = touch(state, patient, ward, &to.name, &change, actor, moment);
        let of_patient = state.prescriptions.values_mut();
        for prescription in of_patient.filter(|p| p.patient == patient) {
            prescription.stands_in(ward, &to.name);
            if prescription.status == PrescriptionStatus::Active {
                prescription.version += 1;
                done.chart.followed.push((prescription.id, ward));
            }
        }
        done.chart.followed.sort_unstable();
    }
    state.charts.insert(patient, chart);
    let receipt = Receipt::Moved {
        patient,
        ward,
        orders: count(done.chart.moved.len()),
        at: moment.now,
    };
    Ok((receipt, done))
}

pub(super) fn discharge(
    state: &mut Loaded,
    op: OpId,
    actor: &Actor,
    ask: (PatientId, i64, &Reason),
    policy: &Policy,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let (patient, version, reason) = ask;
    here(state, actor, "discharge", patient)?;
    let from = present(state, patient, version)?.clone();
    let reason = policy.reasons.check(ReasonKind::Discharge, reason)?;
    let told = policy.reasons.told(ReasonKind::Discharge, &reason);
    let change = format!("the patient was discharged: {told}");
    let chart = changed(&from, &change, actor, moment, |chart| {
        chart.discharged_at = Some(moment.now);
    });
    let mut stay = stay(
        &chart,
        StayChange::Discharged,
        Some(from.ward),
        told,
        op,
        actor,
        moment,
    );
    stay.code.clone_from(&reason.code);
    let mut done = effects(chart.clone(), stay, actor, vec![from.ward]);
    let open = open_orders(state, |order| order.patient == patient);
    #[cfg(test)]
    let open = if super::planted::planted(super::planted::Fault::LeftOpen) {
        Vec::new()
    } else {
        open
    };
    done.closed = open
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
    let why = Reason {
        code: DISCHARGED.to_owned(),
        text: change,
    };
    done.ended = end_all(state, patient, actor, &why, moment);
    state.charts.insert(patient, chart);
    let receipt = Receipt::Discharged {
        patient,
        orders: count(done.closed.len()),
        prescriptions: count(done.ended.len()),
        at: moment.now,
    };
    Ok((receipt, done))
}

/// The code under which a prescription ends with its patient's stay.
pub const DISCHARGED: &str = "discharged";

fn end_all(
    state: &mut Loaded,
    patient: PatientId,
    actor: &Actor,
    why: &Reason,
    moment: Moment<'_>,
) -> Vec<EndedPrescription> {
    let mut ended: Vec<EndedPrescription> = Vec::new();
    for prescription in state.prescriptions.values_mut() {
        if prescription.patient != patient || prescription.status != PrescriptionStatus::Active {
            continue;
        }
        prescription.status = PrescriptionStatus::Discontinued;
        prescription.version += 1;
        prescription.ended_by = Some(actor.name.clone());
        prescription.ended_at = Some(moment.now);
        prescription.end.clone_from(why);
        ended.push(EndedPrescription {
            id: prescription.id,
            by: actor.id,
            at: moment.now,
            reason: why.clone(),
        });
    }
    ended.sort_unstable_by_key(|ended| ended.id);
    ended
}

pub(super) fn allergies(
    state: &mut Loaded,
    op: OpId,
    actor: &Actor,
    ask: (PatientId, i64, &str),
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let (patient, version, allergies) = ask;
    let ward_name = here(state, actor, "allergies", patient)?;
    let from = present(state, patient, version)?.clone();
    let allergies = kept("allergies", allergies, 0, LONGEST_ALLERGIES)?;
    if allergies == from.allergies {
        return Err(invalid(
            "allergies",
            "that is what is recorded already".to_owned(),
        ));
    }
    let change = "the patient's allergies changed";
    let chart = changed(&from, change, actor, moment, |chart| {
        chart.allergies.clone_from(&allergies);
    });
    let detail = match (from.allergies.as_str(), allergies.as_str()) {
        ("", new) => format!("recorded: {new}"),
        (old, "") => format!("none recorded any more; before: {old}"),
        (old, new) => format!("{new}; before: {old}"),
    };
    let stay = stay(
        &chart,
        StayChange::Allergies,
        None,
        detail,
        op,
        actor,
        moment,
    );
    let ward = from.ward;
    let mut done = effects(chart.clone(), stay, actor, vec![ward]);
    // What a nurse signs shows the allergies: a sheet that is open on one of these doses shows old ones.
    done.chart.moved = touch(state, patient, ward, &ward_name, change, actor, moment);
    state.charts.insert(patient, chart);
    let receipt = Receipt::AllergiesRecorded {
        patient,
        at: moment.now,
    };
    Ok((receipt, done))
}

/// Whether the person may do this in the ward where the patient lies; gives its name.
fn here(state: &Loaded, actor: &Actor, kind: &str, patient: PatientId) -> Result<String, Refusal> {
    let need = permission::role(actor, kind)?;
    let ward = on_record(state, patient)?.ward;
    let name = place(state, ward)?.name.clone();
    permission::ward(actor, need, ward, &name)?;
    Ok(name)
}

/// Gives every open order of a patient a ward and a new version.
fn touch(
    state: &mut Loaded,
    patient: PatientId,
    ward: WardId,
    ward_name: &str,
    change: &str,
    actor: &Actor,
    moment: Moment<'_>,
) -> Vec<MovedOrder> {
    let open = open_orders(state, |order| order.patient == patient);
    let mut moved = Vec::with_capacity(open.len());
    for id in open {
        let Some(order) = state.orders.get_mut(&id) else {
            continue;
        };
        moved.push(MovedOrder {
            id,
            version: order.version,
            ward,
            by: actor.id,
            at: moment.now,
            change: change.to_owned(),
        });
        order.version += 1;
        order.ward = ward;
        ward_name.clone_into(&mut order.ward_name);
        order.changed_by = Some(actor.name.clone());
        order.changed_at = moment.now;
        change.clone_into(&mut order.change);
    }
    moved
}

fn changed(
    from: &Chart,
    change: &str,
    actor: &Actor,
    moment: Moment<'_>,
    what: impl FnOnce(&mut Chart),
) -> Chart {
    let mut chart = from.clone();
    chart.version += 1;
    chart.changed_by = Some(actor.name.clone());
    chart.changed_at = moment.now;
    change.clone_into(&mut chart.change);
    what(&mut chart);
    chart
}

fn effects(chart: Chart, stay: StayRow, actor: &Actor, wards: Vec<WardId>) -> Effects {
    Effects {
        chart: ChartEffects {
            charts: vec![ChartRow {
                chart,
                by: actor.id,
            }],
            stays: vec![stay],
            wards,
            ..ChartEffects::default()
        },
        ..Effects::default()
    }
}

fn stay(
    chart: &Chart,
    kind: StayChange,
    from: Option<WardId>,
    detail: String,
    op: OpId,
    actor: &Actor,
    moment: Moment<'_>,
) -> StayRow {
    StayRow {
        id: moment.key(),
        patient: chart.id,
        kind,
        from,
        ward: chart.ward,
        detail,
        code: String::new(),
        by: actor.id,
        at: moment.now,
        op,
    }
}

fn in_bed(ward: &str, bed: &str) -> String {
    if bed.is_empty() {
        ward.to_owned()
    } else {
        format!("{ward}, bed {bed}")
    }
}

fn no_beds(ward: &str) -> Refusal {
    invalid("ward", format!("nobody lies in {ward}"))
}

fn invalid(field: &str, why: String) -> Refusal {
    Refusal::InvalidData {
        field: field.to_owned(),
        why,
    }
}

/// A text as it is kept; refused where it is too short, too long, or no report could show it.
fn kept(field: &str, text: &str, least: usize, most: usize) -> Result<String, Refusal> {
    let text = plain(text);
    if text.contains(char::is_control) {
        return Err(invalid(field, "control characters are not kept".to_owned()));
    }
    match text.chars().count() {
        0 if least > 0 => Err(invalid(field, "it cannot be empty".to_owned())),
        n if n > most => Err(invalid(
            field,
            format!("at most {most} characters are kept"),
        )),
        _ => Ok(text),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
