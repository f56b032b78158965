//! Who gets what and when in the made-up hospital: doses in the order in which they were due, the last of them still to
//! be given.

use std::collections::HashMap;

use fastrand::Rng;
use uuid::Uuid;

use super::places::Places;
use super::{Asked, Hospital, ROWS};
use crate::domain::{PatientId, PrescriptionId, Priority, Quantity};
use crate::store::import::{PrescriptionRecord, add_prescriptions};
use crate::store::{At, Conn, StoreError};

/// Microseconds.
const MINUTE: i64 = 60_000_000;
pub const DAY: i64 = 24 * 60 * MINUTE;

/// A timed prescription is for so many doses, so far apart.
const DOSES: i64 = 10;
const APART: i64 = 6 * 60 * MINUTE;

/// Prescriptions that a patient has at one time.
const TOGETHER: usize = 4;

/// One prescription of so many is for one of a few patients who stay, and whose record grows long.
const STAYING: usize = 100;
const WHO_STAY: usize = 50;

/// The first due dose is so far in the past.
const OVERDUE: i64 = 60 * MINUTE;

/// A patient.
pub struct Patient {
    /// Key.
    pub id: Uuid,
    /// Number of their ward.
    pub ward: usize,
    /// Says which name they have, and when they were born.
    pub name: usize,
}

/// A prescription.
pub struct Rx {
    /// Key.
    pub id: Uuid,
    /// Number of the patient.
    pub patient: usize,
    /// Number of the ward.
    pub ward: usize,
    /// Number of the drug.
    pub drug: usize,
    /// How much.
    pub dose: Quantity,
    /// As needed.
    pub prn: bool,
    /// When it began (microseconds).
    pub start: i64,
    /// Number of the doctor.
    pub doctor: usize,
    /// It has doses to come, or is as needed and stands.
    pub active: bool,
}

/// A dose, given or to be given.
#[derive(Clone, Copy)]
pub struct Dose {
    /// Number of its prescription.
    pub rx: u32,
    /// When it was due, or given if it is as needed (microseconds).
    pub at: i64,
}

/// Everything that is to be written, by number.
pub struct Plan {
    /// Everybody on record.
    pub patients: Vec<Patient>,
    /// Every prescription.
    pub prescriptions: Vec<Rx>,
    /// Doses given, in order of time.
    pub completed: Vec<Dose>,
    /// Doses to be given, in order of time; those as needed come last.
    pub active: Vec<Dose>,
    /// What each page of the register begins with: enough for every dose, and something over.
    pub opening: HashMap<(usize, usize), Quantity>,
    /// When the first dose was due (microseconds).
    pub began: i64,
    /// Now (microseconds).
    pub now: i64,
    /// For what is still to be made up.
    pub seed: u64,
}

/// A key as it would have been made at that moment.
pub fn key_at(rng: &mut Rng, micros: i64) -> Uuid {
    let mut random = [0; 10];
    rng.fill(&mut random);
    let millis = u64::try_from(micros / 1000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// Number of the n-th drug in the cupboard of a ward. Cupboards overlap, and differ.
fn in_cupboard(hospital: &Hospital, ward: usize, n: usize) -> usize {
    let first = if hospital.cupboard < hospital.drugs {
        ward * 61
    } else {
        0
    };
    (first + n) % hospital.drugs.max(1)
}

/// How many drugs a cupboard holds.
fn cupboard(hospital: &Hospital) -> usize {
    hospital.cupboard.clamp(1, hospital.drugs.max(1))
}

fn asked(hospital: &Hospital, ward: usize, rng: &mut Rng) -> usize {
    let drugs = cupboard(hospital);
    match hospital.asked {
        Asked::Evenly => in_cupboard(hospital, ward, rng.usize(..drugs)),
        Asked::ByRank => {
            // The inverse of the distribution: ranks are even on a logarithmic scale.
            let rank = ((drugs + 1) as f64).powf(rng.f64()) as usize;
            in_cupboard(hospital, ward, rank.clamp(1, drugs) - 1)
        }
        Asked::OneDrug | Asked::OnePage => 0,
    }
}

impl Plan {
    /// Makes it up.
    pub fn make(hospital: &Hospital, places: &Places, now: At) -> Plan {
        let mut rng = Rng::with_seed(hospital.seed);
        let now: i64 = now.into();
        let as_needed = hospital.as_needed.min(hospital.active);
        let as_needed_given = (as_needed * 9).min(hospital.completed / 10);
        let timed_active = hospital.active - as_needed;
        let timed = timed_active + hospital.completed - as_needed_given;
        let last = now - OVERDUE + DAY;
        let per_day = i64::try_from(timed_active.max(1)).unwrap_or(i64::MAX);
        let days = i64::try_from(timed).unwrap_or(0) / per_day + 1;
        let mut plan = Plan {
            patients: Vec::new(),
            prescriptions: Vec::new(),
            completed: Vec::new(),
            active: Vec::new(),
            opening: HashMap::new(),
            began: last - days * DAY,
            now,
            seed: hospital.seed,
        };
        plan.admit(hospital, places, &mut rng);
        let mut doses = plan.prescribe_timed(hospital, places, last, per_day, timed, &mut rng);
        plan.active = doses.split_off(timed - timed_active);
        plan.completed = doses;
        plan.prescribe_as_needed(hospital, places, as_needed, as_needed_given, &mut rng);
        plan.completed.sort_unstable_by_key(|dose| dose.at);
        if let Some(first) = plan.completed.first() {
            plan.began = plan.began.min(first.at);
        }
        for dose in &plan.active {
            plan.prescriptions[dose.rx as usize].active = true;
        }
        plan.stock(hospital, places, &mut rng);
        plan
    }

    /// Patients, on record since before the first dose.
    fn admit(&mut self, hospital: &Hospital, places: &Places, rng: &mut Rng) {
        let wards = if hospital.asked == Asked::OnePage {
            1
        } else {
            places.pharmacy().max(1)
        };
        for n in 0..hospital.patients.max(1) {
            let patient = Patient {
                id: key_at(rng, self.began - DAY),
                ward: n % wards,
                name: rng.usize(..1_000_000),
            };
            self.patients.push(patient);
        }
    }

    fn prescription(
        &mut self,
        hospital: &Hospital,
        places: &Places,
        patient: usize,
        start: i64,
        rng: &mut Rng,
    ) -> usize {
        let ward = self.patients[patient].ward;
        self.prescriptions.push(Rx {
            id: key_at(rng, start - DAY),
            patient,
            ward,
            drug: asked(hospital, ward, rng),
            dose: Quantity([500, 1000, 1000, 2000][rng.usize(..4)]),
            prn: false,
            start,
            doctor: rng.usize(..places.doctors.len()),
            active: false,
        });
        self.prescriptions.len() - 1
    }

    /// Prescriptions that begin one after the other, evenly, so that every day has as many doses; gives the last
    /// `count` doses in order of time.
    fn prescribe_timed(
        &mut self,
        hospital: &Hospital,
        places: &Places,
        last: i64,
        per_day: i64,
        count: usize,
        rng: &mut Rng,
    ) -> Vec<Dose> {
        let gap = (DAY * DOSES / per_day).max(1);
        let mut doses = Vec::with_capacity(count + count / 4 + 100);
        // From the end to the beginning, until there are enough that no dose of an earlier one would be among the last.
        let mut start = last;
        let mut starts = Vec::new();
        let mut made = 0;
        let mut enough_since = None;
        while enough_since.is_none_or(|since: i64| since - start < APART * DOSES) {
            start -= gap;
            starts.push(start);
            made += ((last - start) / APART + 1).min(DOSES);
            if enough_since.is_none() && made >= i64::try_from(count).unwrap_or(i64::MAX) {
                enough_since = Some(start);
            }
        }
        for (n, start) in starts.into_iter().rev().enumerate() {
            let patient = if n % STAYING == 0 {
                n / STAYING % WHO_STAY
            } else {
                n / TOGETHER + WHO_STAY
            };
            let patient = patient % self.patients.len();
            let rx = self.prescription(hospital, places, patient, start, rng);
            let times = (0..DOSES).map(|dose| start + dose * APART);
            let rx = u32::try_from(rx).unwrap_or(u32::MAX);
            doses.extend(times.filter(|at| *at < last).map(|at| Dose { rx, at }));
        }
        doses.sort_unstable_by_key(|dose| dose.at);
        doses.split_off(doses.len() - count)
    }

    /// Prescriptions as needed, each with its open order, and doses of them that were given in the last three days.
    fn prescribe_as_needed(
        &mut self,
        hospital: &Hospital,
        places: &Places,
        count: usize,
        given: usize,
        rng: &mut Rng,
    ) {
        // For those who are in hospital: patients of the doses that are to be given.
        let present: Vec<usize> = self
            .active
            .iter()
            .map(|dose| self.prescriptions[dose.rx as usize].patient)
            .collect();
        let mut open = Vec::with_capacity(count);
        for n in 0..count {
            let patient = present
                .get(n * present.len() / count.max(1))
                .copied()
                .unwrap_or(0);
            let rx = self.prescription(hospital, places, patient, self.now - 3 * DAY, rng);
            self.prescriptions[rx].prn = true;
            let rx = u32::try_from(rx).unwrap_or(u32::MAX);
            open.push(Dose {
                rx,
                at: self.now - rng.i64(OVERDUE..DAY),
            });
        }
        for n in 0..given {
            let rx = open[n % count].rx;
            self.completed.push(Dose {
                rx,
                at: self.now - DAY - rng.i64(0..2 * DAY),
            });
        }
        self.active.extend(open);
    }

    fn stock(&mut self, hospital: &Hospital, places: &Places, rng: &mut Rng) {
        for ward in 0..places.wards.len() {
            let drugs = if ward == places.pharmacy() {
                hospital.drugs.max(1)
            } else {
                cupboard(hospital)
            };
            for n in 0..drugs {
                let drug = if ward == places.pharmacy() {
                    n
                } else {
                    in_cupboard(hospital, ward, n)
                };
                let over = Quantity::units(rng.i64(20..200) + for_wards(hospital, places, ward));
                self.opening.insert((ward, drug), over);
            }
        }
        for dose in self.completed.iter().chain(&self.active) {
            let rx = &self.prescriptions[dose.rx as usize];
            let opening = self.opening.entry((rx.ward, rx.drug)).or_default();
            *opening = *opening + rx.dose;
        }
    }
}

/// What the pharmacy begins with beyond that: all that it will send.
fn for_wards(hospital: &Hospital, places: &Places, ward: usize) -> i64 {
    if ward != places.pharmacy() {
        return 0;
    }
    let each = hospital.transfers / hospital.drugs.max(1);
    i64::try_from(100 * each).unwrap_or(i64::MAX)
}

/// Writes the plan's prescriptions.
pub async fn write_prescriptions(
    conn: &mut Conn,
    plan: &Plan,
    places: &Places,
    now: At,
) -> Result<(), StoreError> {
    let used: std::collections::HashSet<u32> = plan
        .completed
        .iter()
        .chain(&plan.active)
        .map(|dose| dose.rx)
        .collect();
    let record = |(n, rx): (usize, &Rx)| PrescriptionRecord {
        id: PrescriptionId(rx.id),
        ext: format!("rx-{n}"),
        patient: PatientId(plan.patients[rx.patient].id),
        ward: places.wards[rx.ward],
        drug: places.drugs[rx.drug],
        dose: rx.dose,
        most: None,
        written: String::new(),
        route: "PO".to_owned(),
        freq: if rx.prn { "PRN" } else { "Q6H" }.to_owned(),
        schedule: if rx.prn {
            "prn min 60m max/24h 8"
        } else {
            "every 360m"
        }
        .to_owned(),
        prn: rx.prn,
        start: At::from(rx.start),
        stop: (!rx.prn).then(|| At::from(rx.start + DOSES * APART)),
        priority: priority(n),
        doctor: places.doctors[rx.doctor],
        status: if rx.active { "active" } else { "ended" }.to_owned(),
        // The orders of the next day are there, as they are in a running hospital.
        made: At::from(plan.now + DAY),
        change: String::new(),
    };
    let mut rows = Vec::with_capacity(ROWS);
    let all = plan.prescriptions.iter().enumerate();
    let used = |(n, _): &(usize, &Rx)| u32::try_from(*n).is_ok_and(|n| used.contains(&n));
    for rx in all.filter(used) {
        rows.push(record(rx));
        if rows.len() == ROWS {
            add_prescriptions(conn.link(), &rows, now).await?;
            rows.clear();
        }
    }
    add_prescriptions(conn.link(), &rows, now).await
}

/// Every fiftieth prescription is urgent.
pub const fn priority(rx: usize) -> Priority {
    if rx.is_multiple_of(50) {
        Priority::Stat
    } else {
        Priority::Routine
    }
}
