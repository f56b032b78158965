//! The model's rules of patients, prescriptions, emergency access and packages' codes.

use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::hospital::Account;
use super::rules::{
    Access, Ask, Model, Order, Patient, Prescription, Told, invalid, minutes, no, text_is_kept,
};
use crate::domain::prescribing::{Admit, Prescribe, PrescribingWarning};
use crate::domain::quantity::LARGEST;
use crate::domain::reason::{Reason, ReasonKind};
use crate::domain::scan::Gtin;
use crate::domain::schedule::Days;
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{
    DrugId, OrderId, OrderKind, OrderStatus, PatientId, PrescriptionId, Receipt, Role, Schedule,
    WardId,
};

/// A text of so many characters, in which there are no control characters.
fn fits(text: &str, least: usize, most: usize) -> bool {
    let text = text.trim();
    (least..=most).contains(&text.chars().count()) && !text.contains(char::is_control)
}

impl Model {
    pub(super) fn admit(&mut self, ask: &Ask<'_>, what: &Admit) -> Told {
        if !self.wards.contains_key(&what.ward) {
            return invalid("ward");
        }
        self.here(ask, what.ward)?;
        if !self.wards[&what.ward].has_beds {
            return invalid("ward");
        }
        for (field, text, least, most) in [
            ("number", &what.mrn, 1, 40),
            ("name", &what.name, 1, 120),
            ("bed", &what.bed, 0, 20),
            ("allergies", &what.allergies, 0, 500),
        ] {
            if !fits(text, least, most) {
                return invalid(field);
            }
        }
        if what.birth_date > self.day(what.ward, ask.now) || what.birth_date < date(1890, 1, 1) {
            return invalid("birth date");
        }
        let mrn = what.mrn.trim();
        let known = self.patients.iter().find(|(_, known)| known.mrn == mrn);
        let (id, version) = match known {
            None => (ask.keys.patient(), 1),
            Some((_, known)) if known.left.is_none() => {
                return no("PATIENT_NUMBER_TAKEN", &known.name);
            }
            // The same number, and somebody else.
            Some((_, known))
                if known.born != what.birth_date
                    || known.name.to_lowercase() != what.name.trim().to_lowercase() =>
            {
                return invalid("number");
            }
            Some((id, known)) => (*id, known.version + 1),
        };
        let patient = Patient {
            mrn: mrn.to_owned(),
            name: what.name.trim().to_owned(),
            born: what.birth_date,
            ward: what.ward,
            bed: what.bed.trim().to_owned(),
            allergies: what.allergies.trim().to_owned(),
            left: None,
            version,
            by: self.name(ask.me),
            at: ask.now,
        };
        self.patients.insert(id, patient);
        Ok(Receipt::Admitted {
            patient: id,
            ward: what.ward,
            again: version > 1,
            at: ask.now,
        })
    }

    /// The patient, if the person may act where they lie.
    fn patient_here(&self, ask: &Ask<'_>, id: PatientId) -> Told<&Patient> {
        let Some(patient) = self.patients.get(&id) else {
            return no("PATIENT_NOT_FOUND", "");
        };
        self.here(ask, patient.ward)?;
        Ok(patient)
    }

    /// The patient, if they have not left and are as somebody saw them.
    fn present(&self, ask: &Ask<'_>, (id, version): (PatientId, i64)) -> Told<Patient> {
        let patient = self.patient_here(ask, id)?;
        match patient.left {
            Some(at) => no("PATIENT_DISCHARGED", at),
            None if patient.version != version => {
                no("STALE", format!("{} {}", patient.by, patient.at))
            }
            None => Ok(patient.clone()),
        }
    }

    fn open_of(&self, of: impl Fn(&Order) -> bool) -> Vec<OrderId> {
        let open = self
            .orders
            .iter()
            .filter(|(_, order)| order.status == OrderStatus::Active && of(order));
        open.map(|(id, _)| *id).collect()
    }

    fn open_of_patient(&self, patient: PatientId) -> Vec<OrderId> {
        self.open_of(|order| self.prescriptions[&order.prescription].patient == patient)
    }

    fn running_of(&self, patient: PatientId) -> Vec<PrescriptionId> {
        let running =
            |rx: &Prescription| rx.patient == patient && rx.status == PrescriptionStatus::Active;
        self.prescriptions
            .iter()
            .filter(|(_, rx)| running(rx))
            .map(|(id, _)| *id)
            .collect()
    }

    fn changed(&mut self, ask: &Ask<'_>, id: PatientId) -> &mut Patient {
        let by = self.name(ask.me);
        let patient = self.patients.get_mut(&id).unwrap();
        patient.version += 1;
        (patient.by, patient.at) = (by, ask.now);
        patient
    }

    pub(super) fn relocate(
        &mut self,
        ask: &Ask<'_>,
        seen: (PatientId, i64),
        ward: WardId,
        bed: &str,
    ) -> Told {
        let from = self.present(ask, seen)?;
        if !self.wards.get(&ward).is_some_and(|ward| ward.has_beds) {
            return invalid("ward");
        }
        if !fits(bed, 0, 20) {
            return invalid("bed");
        }
        if (ward, bed.trim()) == (from.ward, from.bed.as_str()) {
            return invalid("ward");
        }
        let patient = self.changed(ask, seen.0);
        (patient.ward, patient.bed) = (ward, bed.trim().to_owned());
        let mut followed = 0;
        if ward != from.ward {
            for id in self.open_of_patient(seen.0) {
                let held = self.orders[&id].held;
                self.change(ask, id, OrderStatus::Active, held);
                self.orders.get_mut(&id).unwrap().ward = ward;
                followed += 1;
            }
            for id in self.running_of(seen.0) {
                self.prescriptions.get_mut(&id).unwrap().version += 1;
            }
        }
        Ok(Receipt::Moved {
            patient: seen.0,
            ward,
            orders: followed,
            at: ask.now,
        })
    }

    pub(super) fn discharge(
        &mut self,
        ask: &Ask<'_>,
        seen: (PatientId, i64),
        reason: &Reason,
    ) -> Told {
        self.present(ask, seen)?;
        self.reason(ReasonKind::Discharge, reason)?;
        let open = self.open_of_patient(seen.0);
        for id in &open {
            self.change(ask, *id, OrderStatus::Discontinued, None);
        }
        let running = self.running_of(seen.0);
        for id in &running {
            self.end(ask, *id);
        }
        let now = ask.now;
        self.changed(ask, seen.0).left = Some(now);
        Ok(Receipt::Discharged {
            patient: seen.0,
            orders: u32::try_from(open.len()).unwrap(),
            prescriptions: u32::try_from(running.len()).unwrap(),
            at: ask.now,
        })
    }

    pub(super) fn allergies(
        &mut self,
        ask: &Ask<'_>,
        seen: (PatientId, i64),
        allergies: &str,
    ) -> Told {
        let from = self.present(ask, seen)?;
        if !fits(allergies, 0, 500) || allergies.trim() == from.allergies {
            return invalid("allergies");
        }
        allergies
            .trim()
            .clone_into(&mut self.changed(ask, seen.0).allergies);
        // Whoever has a sheet of a dose open sees the old ones.
        for id in self.open_of_patient(seen.0) {
            let held = self.orders[&id].held;
            self.change(ask, id, OrderStatus::Active, held);
        }
        Ok(Receipt::AllergiesRecorded {
            patient: seen.0,
            at: ask.now,
        })
    }

    pub(super) fn prescribe(&mut self, ask: &Ask<'_>, what: &Prescribe) -> Told {
        let patient = self.present(ask, (what.patient, what.version))?;
        if !self.drugs.contains_key(&what.drug) {
            return invalid("drug");
        }
        let most = what.most.unwrap_or(what.dose);
        if what.dose.0 <= 0 || most < what.dose || most > LARGEST {
            return no("INVALID_STOCK_QUANTITY", "");
        }
        for (field, text, longest) in [
            ("route", &what.route, 30),
            ("frequency", &what.frequency, 60),
        ] {
            if !fits(text, 1, longest) {
                return invalid(field);
            }
        }
        if !readable(&what.schedule) {
            return invalid("frequency");
        }
        let start = what.start.unwrap_or(ask.now);
        let latest = ask.now + minutes(366 * 24 * 60);
        if start < ask.now - minutes(60) || start > latest {
            return invalid("start");
        }
        let (start, stop) = self.runs(ask, what, patient.ward, (start, latest))?;
        self.prescribing_warnings(what, &patient)?;

        let id = ask.keys.prescription();
        let kind = match what.schedule {
            Schedule::Prn { .. } => OrderKind::Prn,
            _ => OrderKind::Timed,
        };
        let (apart, a_day, in_all) = match what.schedule {
            Schedule::Prn {
                min_interval,
                max_per_day,
                max_total,
            } => (min_interval, max_per_day, max_total),
            Schedule::Once { .. } => (None, None, Some(1)),
            _ => (None, None, None),
        };
        let rx = Prescription {
            patient: what.patient,
            drug: what.drug,
            dose: what.dose.0,
            most: what.most.map(|most| most.0),
            kind,
            apart,
            a_day,
            in_all,
            start,
            stop,
            status: PrescriptionStatus::Active,
            version: 1,
            by: String::new(),
            ended: None,
        };
        self.prescriptions.insert(id, rx);
        let horizon = ask.now + self.policy.horizon;
        let due: Vec<Option<Timestamp>> = match &what.schedule {
            Schedule::Prn { .. } if start <= ask.now => vec![None],
            Schedule::Prn { .. } => Vec::new(),
            Schedule::Once { .. } => (start < horizon)
                .then_some(Some(start))
                .into_iter()
                .collect(),
            timed => {
                let until = stop.map_or(horizon, |stop| stop.min(horizon));
                self.times(timed, patient.ward, start, until)
                    .into_iter()
                    .map(Some)
                    .collect()
            }
        };
        for due in &due {
            let order = Order {
                prescription: id,
                ward: patient.ward,
                due: *due,
                held: None,
                status: OrderStatus::Active,
                version: 1,
                by: String::new(),
                at: ask.now,
            };
            let key = self.claim(id, *due);
            self.orders.insert(key, order);
        }
        Ok(Receipt::Prescribed {
            prescription: id,
            patient: what.patient,
            ward: patient.ward,
            drug: what.drug,
            orders: u32::try_from(due.len()).unwrap(),
            first: due.first().copied().flatten(),
            at: ask.now,
        })
    }

    /// When it begins and ends. A single dose is due at one moment, which is both.
    fn runs(
        &self,
        ask: &Ask<'_>,
        what: &Prescribe,
        ward: WardId,
        (start, latest): (Timestamp, Timestamp),
    ) -> Told<(Timestamp, Option<Timestamp>)> {
        if let Schedule::Once { at } = what.schedule {
            let due = match at {
                None => start,
                Some(time) => self.times(
                    &Schedule::Times {
                        times: vec![time],
                        days: Days::Every(1),
                    },
                    ward,
                    start,
                    start + minutes(3 * 24 * 60),
                )[0],
            };
            let before = what.stop.is_some_and(|stop| stop < due);
            return if before {
                invalid("stop")
            } else {
                Ok((due, Some(due)))
            };
        }
        let Some(stop) = what.stop else {
            return Ok((start, None));
        };
        let timed = !matches!(what.schedule, Schedule::Prn { .. });
        let until = stop.min(start + minutes(62 * 24 * 60));
        if stop <= start
            || stop <= ask.now
            || stop > latest
            || (timed && self.times(&what.schedule, ward, start, until).is_empty())
        {
            return invalid("stop");
        }
        Ok((start, Some(stop)))
    }

    /// When doses are due, from a moment on and before another.
    fn times(
        &self,
        schedule: &Schedule,
        ward: WardId,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Timestamp> {
        match schedule {
            Schedule::Interval { minutes: every } => {
                let mut at = from;
                let mut due = Vec::new();
                while at < until {
                    due.push(at);
                    at += minutes(i64::from(*every));
                }
                due
            }
            Schedule::Times { times, .. } => {
                let zone = &self.wards[&ward].zone;
                let mut due = Vec::new();
                let mut day: Date = zone.to_datetime(from).date();
                while zone.to_datetime(until).date() >= day {
                    for time in times {
                        let at = day
                            .to_datetime(*time)
                            .to_zoned(zone.clone())
                            .unwrap()
                            .timestamp();
                        if at >= from && at < until {
                            due.push(at);
                        }
                    }
                    day = day.tomorrow().unwrap();
                }
                due
            }
            _ => Vec::new(),
        }
    }

    /// Each thing of which the desk warns has its reason.
    fn prescribing_warnings(&self, what: &Prescribe, patient: &Patient) -> Told<()> {
        let drug = &self.drugs[&what.drug];
        let named = patient
            .allergies
            .to_lowercase()
            .contains(&drug.name.to_lowercase());
        let same = |rx: &Prescription| {
            rx.patient == what.patient && self.drugs[&rx.drug].name == drug.name
        };
        let running = self
            .prescriptions
            .values()
            .filter(|rx| rx.status == PrescriptionStatus::Active);
        let twice = running.into_iter().any(same);
        let found: Vec<PrescribingWarning> = [
            (named, PrescribingWarning::Allergy),
            (twice, PrescribingWarning::Duplicate),
        ]
        .into_iter()
        .filter_map(|(holds, warning)| holds.then_some(warning))
        .collect();
        let reason = |kind| what.overrides.iter().find(|given| given.kind == kind);
        if found.iter().any(|kind| reason(*kind).is_none()) {
            return no("PRESCRIPTION_WARNING", "");
        }
        for kind in found {
            self.reason(ReasonKind::Override, &reason(kind).unwrap().reason)?;
        }
        Ok(())
    }

    pub(super) fn end_prescription(
        &mut self,
        ask: &Ask<'_>,
        id: PrescriptionId,
        version: i64,
        reason: &Reason,
    ) -> Told {
        let Some(rx) = self.prescriptions.get(&id) else {
            return no("PRESCRIPTION_NOT_FOUND", "");
        };
        self.here(ask, self.patients[&rx.patient].ward)?;
        if rx.status != PrescriptionStatus::Active {
            return no("PRESCRIPTION_ENDED", format!("{} {:?}", rx.by, rx.ended));
        }
        if rx.version != version {
            return no("STALE", "");
        }
        self.reason(ReasonKind::Discontinue, reason)?;
        let open = self.open_of(|order| order.prescription == id);
        for order in &open {
            self.change(ask, *order, OrderStatus::Discontinued, None);
        }
        self.end(ask, id);
        Ok(Receipt::PrescriptionDiscontinued {
            prescription: id,
            orders: u32::try_from(open.len()).unwrap(),
            at: ask.now,
        })
    }

    pub(super) fn emergency(&mut self, ask: &Ask<'_>, ward: WardId, reason: &Reason) -> Told {
        if !self.wards.contains_key(&ward) || self.acts_in(ask.me, ward, ask.now) {
            return invalid("ward");
        }
        self.reason(ReasonKind::Emergency, reason)?;
        let until = ask.now + minutes(self.policy.emergency_minutes.into());
        let access = ask.keys.access();
        self.accesses.insert(
            access,
            Access {
                who: ask.me,
                ward,
                until,
            },
        );
        Ok(Receipt::EmergencyBegun {
            access,
            ward,
            until,
        })
    }

    pub(super) fn end_emergency(&mut self, ask: &Ask<'_>, id: uuid::Uuid) -> Told {
        let supervisor = self.people[&ask.me].role == Role::Supervisor;
        let Some(access) = self.accesses.get_mut(&id) else {
            return invalid("access");
        };
        if access.who != ask.me && !supervisor {
            return no("INSUFFICIENT_PERMISSIONS", "");
        }
        if access.until <= ask.now {
            return invalid("access");
        }
        access.until = ask.now;
        Ok(Receipt::EmergencyEnded {
            access: id,
            ward: access.ward,
            at: ask.now,
        })
    }

    pub(super) fn bind(&mut self, ask: &Ask<'_>, gtin: &Gtin, drug: DrugId, beside: bool) -> Told {
        if !self.drugs.contains_key(&drug) {
            return no("NOT_FOUND", "");
        }
        let others = self
            .codes
            .iter()
            .filter(|(code, of)| code == gtin && *of != drug)
            .count();
        if self.codes.contains(&(gtin.clone(), drug)) || (others > 0 && !beside) {
            return invalid("code");
        }
        self.codes.insert((gtin.clone(), drug));
        Ok(Receipt::CodeBound {
            drug,
            gtin: gtin.clone(),
            at: ask.now,
        })
    }

    pub(super) fn release(&mut self, ask: &Ask<'_>, gtin: &Gtin, drug: DrugId) -> Told {
        if !self.codes.remove(&(gtin.clone(), drug)) {
            return invalid("code");
        }
        Ok(Receipt::CodeReleased {
            drug,
            gtin: gtin.clone(),
            at: ask.now,
        })
    }

    /// Whether an account may do anything at all.
    pub(super) fn is_good(&self, who: crate::domain::UserId) -> bool {
        self.people
            .get(&who)
            .is_some_and(|person| person.account == Account::Good)
    }
}

/// A schedule that a prescription may have.
fn readable(schedule: &Schedule) -> bool {
    match schedule {
        Schedule::Unscheduled => false,
        Schedule::Times { times, .. } => {
            (1..=24).contains(&times.len()) && times.windows(2).all(|pair| pair[0] < pair[1])
        }
        Schedule::Interval { minutes } => (60..=31 * 24 * 60).contains(minutes),
        Schedule::Prn {
            min_interval,
            max_per_day,
            max_total,
        } => min_interval.is_some() || max_per_day.is_some() || max_total.is_some(),
        Schedule::Once { .. } => true,
    }
}

/// Whether a reason's text is one that is kept; for what has no list.
pub(super) fn said(text: &str) -> bool {
    !text.trim().is_empty() && text_is_kept(text.trim())
}
