//! What people ask for: mostly what makes sense at that moment, often what does not, as people and programs do. They see
//! what the model holds, as a screen would show it, and everything comes from one seed.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::hospital::{self, NOBODY};
use super::rules::{Difference, Model, may, minutes};
use crate::domain::cupboard::{
    CountStatus, DiscrepancyStatus, Levels, Lot, Resolution, TransferStatus,
};
use crate::domain::operation::{Correction, Giving, Helped, NotGiven, Part, Why};
use crate::domain::prescribing::{Admit, Override, Prescribe, PrescribingWarning};
use crate::domain::quantity::LARGEST;
use crate::domain::reason::{Reason, ReasonKind};
use crate::domain::scan::Gtin;
use crate::domain::schedule::Days;
use crate::domain::{
    AdministrationId, DiscrepancyId, DrugId, GivingOutcome, OpId, Operation, OrderId, OrderKind,
    OrderStatus, PatientId, PrescriptionId, Quantity, Request, Restock, Role, Schedule, TransferId,
    UserId, WardId,
};

/// Whoever wishes.
pub(super) struct Wishes {
    rng: fastrand::Rng,
    /// The moment of what is asked now.
    now: Timestamp,
}

/// A request with where it happens and of what, as far as that is known.
struct Wish {
    request: Request,
    ward: Option<WardId>,
    drug: Option<DrugId>,
}

/// What makes a wish of one kind.
type Maker = fn(&mut Wishes, &Model) -> Wish;

fn because(code: &str) -> Reason {
    Reason {
        code: code.to_owned(),
        text: String::new(),
    }
}

impl Wishes {
    pub fn new(seed: u64, now: Timestamp) -> Wishes {
        Wishes {
            rng: fastrand::Rng::with_seed(seed),
            now,
        }
    }

    /// So many things that are asked for at one moment, by people who have seen the same.
    pub fn some(&mut self, model: &Model, now: Timestamp, most: usize) -> Vec<Operation> {
        self.now = now;
        (0..self.rng.usize(1..=most))
            .map(|_| self.one(model))
            .collect()
    }

    /// How long it is until somebody asks again.
    pub fn pause(&mut self) -> SignedDuration {
        match self.rng.u32(0..40) {
            0 => minutes(self.rng.i64(60..500)),
            1..20 => minutes(0),
            _ => SignedDuration::from_secs(self.rng.i64(1..900)),
        }
    }

    /// Whether this happens, so many times in a hundred.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.rng.usize(..from.len())].clone())
    }

    /// One of the last few, most often; they are what people work on.
    fn late<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let from = if self.chance(80) {
            &from[from.len().saturating_sub(12)..]
        } else {
            from
        };
        self.pick(from)
    }

    fn key(&mut self) -> Uuid {
        Uuid::from_u128(self.rng.u128(..))
    }

    fn one(&mut self, model: &Model) -> Operation {
        let wish = self.wish(model);
        let actor = self.who(model, &wish);
        let watched = wish.drug.and_then(|drug| model.drugs.get(&drug));
        let watched = watched.is_some_and(|drug| drug.controlled || drug.high_alert);
        let witness = self
            .chance(if watched { 92 } else { 5 })
            .then(|| self.witness(model, actor, wish.ward));
        Operation {
            id: OpId(self.key()),
            actor,
            witness,
            request: wish.request,
        }
    }

    /// Somebody who may, most often.
    fn who(&mut self, model: &Model, wish: &Wish) -> UserId {
        let emergency = matches!(wish.request, Request::Emergency { .. });
        let fits = |(id, _, role, ..): &&(UserId, &str, Role, &[i64], _)| {
            let there = wish
                .ward
                .is_none_or(|ward| model.acts_in(*id, ward, self.now) != emergency);
            model.is_good(*id) && may(*role, &wish.request) && there
        };
        let mut people: Vec<UserId> = hospital::PEOPLE
            .iter()
            .filter(fits)
            .map(|person| person.0)
            .collect();
        // Only the one who gave a dose, or a supervisor, takes it back.
        if let Request::Correct(what) = &wish.request
            && let Some(entry) = model.entries.get(&what.administration)
            && self.chance(70)
        {
            people = vec![entry.nurse];
        }
        if people.is_empty() || self.chance(7) {
            people = hospital::PEOPLE
                .iter()
                .map(|person| person.0)
                .chain([NOBODY])
                .collect();
        }
        self.pick(&people).unwrap()
    }

    fn witness(&mut self, model: &Model, actor: UserId, ward: Option<WardId>) -> UserId {
        let fits = |(id, _, role, ..): &&(UserId, &str, Role, &[i64], _)| {
            let there = ward.is_none_or(|ward| model.acts_in(*id, ward, self.now));
            model.is_good(*id) && *role != Role::Admin && *id != actor && there
        };
        let mut people: Vec<UserId> = hospital::PEOPLE
            .iter()
            .filter(fits)
            .map(|person| person.0)
            .collect();
        if people.is_empty() || self.chance(5) {
            people = hospital::PEOPLE
                .iter()
                .map(|person| person.0)
                .chain([NOBODY])
                .collect();
        }
        self.pick(&people).unwrap()
    }

    /// A reason of that kind, most often one that is enough.
    fn reason(&mut self, model: &Model, kind: ReasonKind) -> Reason {
        let codes = model.policy.reasons.of(kind).to_vec();
        match self.rng.u32(0..30) {
            0 => Reason::default(),
            1 => because("no such code"),
            2 => Reason {
                code: codes[0].code.clone(),
                text: "a\u{1b}[2J".to_owned(),
            },
            _ => {
                let code = self.pick(&codes).unwrap();
                let words = code.needs_text && !self.chance(5);
                let text = if words { "as told" } else { "" }.to_owned();
                Reason {
                    code: code.code,
                    text,
                }
            }
        }
    }

    /// A version that was on a screen: the last one, most often.
    fn seen(&mut self, version: i64) -> i64 {
        match self.rng.u32(0..20) {
            0 => version - 1,
            1 => version + 1,
            _ => version,
        }
    }

    fn quantity(&mut self) -> Quantity {
        match self.rng.u32(0..25) {
            0 => Quantity(0),
            1 => Quantity(-1000),
            2 => self
                .pick(&[Quantity(i64::MAX), Quantity(i64::MIN), LARGEST])
                .unwrap(),
            3..8 => Quantity(self.rng.i64(1..9000)),
            _ => Quantity::units(self.rng.i64(1..9)),
        }
    }

    fn ward(&mut self) -> WardId {
        WardId(if self.chance(2) {
            9
        } else {
            self.rng.i64(1..=3)
        })
    }

    fn drug(&mut self) -> DrugId {
        DrugId(if self.chance(2) {
            9
        } else {
            self.rng.i64(1..=5)
        })
    }

    /// A place that holds something, most often.
    fn place(&mut self, model: &Model) -> (WardId, DrugId) {
        let stocked: Vec<(WardId, DrugId)> = model.pages.keys().copied().collect();
        match self.pick(&stocked) {
            Some(place) if self.chance(88) => place,
            _ => (self.ward(), self.drug()),
        }
    }

    fn order(&mut self, model: &Model) -> OrderId {
        let open: Vec<OrderId> = model
            .orders
            .iter()
            .filter(|(_, order)| order.status == OrderStatus::Active)
            .map(|(id, _)| *id)
            .collect();
        let all: Vec<OrderId> = model.orders.keys().copied().collect();
        let order = if self.chance(90) {
            self.late(&open)
        } else {
            self.late(&all)
        };
        order.unwrap_or_else(|| OrderId(self.key()))
    }

    fn entry(&mut self, model: &Model) -> AdministrationId {
        let all: Vec<AdministrationId> = model.entries.keys().copied().collect();
        self.late(&all)
            .unwrap_or_else(|| AdministrationId(self.key()))
    }

    fn patient(&mut self, model: &Model) -> (PatientId, i64, WardId) {
        let present = self.chance(90);
        let found: Vec<(PatientId, i64, WardId)> = model
            .patients
            .iter()
            .filter(|(_, patient)| !present || patient.left.is_none())
            .map(|(id, patient)| (*id, patient.version, patient.ward))
            .collect();
        let (id, version, ward) =
            self.pick(&found)
                .unwrap_or((PatientId(Uuid::max()), 1, WardId(1)));
        (id, self.seen(version), ward)
    }

    fn wish(&mut self, model: &Model) -> Wish {
        let weights: [(u32, Maker); 24] = [
            (26, Wishes::give),
            (7, Wishes::not_given),
            (9, Wishes::correct),
            (4, Wishes::effect),
            (3, Wishes::stop),
            (10, Wishes::receive),
            (11, Wishes::prescribe),
            (3, Wishes::end_prescription),
            (4, Wishes::admit),
            (5, Wishes::relocate),
            (2, Wishes::discharge),
            (3, Wishes::allergies),
            (3, Wishes::emergency),
            (6, Wishes::send),
            (6, Wishes::arrive),
            (4, Wishes::resolve_transfer),
            (5, Wishes::take_out),
            (4, Wishes::adjust),
            (9, Wishes::count),
            (4, Wishes::explain),
            (3, Wishes::resolve_count),
            (2, Wishes::recall),
            (3, Wishes::code),
            (3, Wishes::levels),
        ];
        let all: u32 = weights.iter().map(|(weight, _)| weight).sum();
        let mut at = self.rng.u32(0..all);
        for (weight, wish) in weights {
            if at < weight {
                return wish(self, model);
            }
            at -= weight;
        }
        unreachable!("the weights add up");
    }

    fn give(&mut self, model: &Model) -> Wish {
        if model.orders.is_empty() && self.chance(95) {
            return self.prescribe(model);
        }
        let id = self.order(model);
        let Some(order) = model.orders.get(&id) else {
            let request = Request::Fulfil(Giving::of(id, 1, "M1"));
            return Wish {
                request,
                ward: None,
                drug: None,
            };
        };
        let rx = &model.prescriptions[&order.prescription];
        let mrn = match self.rng.u32(0..25) {
            0 => "M2".to_owned(),
            1 => "nobody's".to_owned(),
            _ => model.patients[&rx.patient].mrn.clone(),
        };
        let most = rx.most.unwrap_or(rx.dose);
        let amount = match self.rng.u32(0..12) {
            0 => None,
            1 => Some(self.quantity()),
            2 => Some(Quantity(most * 2)),
            _ if rx.most.is_some() => Some(Quantity(self.rng.i64(rx.dose..=most))),
            _ => None,
        };
        let given_at = match self.rng.u32(0..12) {
            0 => Some(self.now - minutes(self.rng.i64(0..10))),
            1 => Some(self.now - minutes(self.rng.i64(0..400))),
            2 if self.chance(20) => Some(self.now + minutes(1)),
            _ => None,
        };
        let at = given_at.unwrap_or(self.now);
        let despite = model.warnings(order, at, amount.map_or(rx.dose, |amount| amount.0));
        let warned = (!despite.is_empty() && self.chance(85))
            .then(|| self.reason(model, ReasonKind::Override));
        let indication = rx.kind == OrderKind::Prn && self.chance(90);
        let late = self.now.duration_since(at) > minutes(5) && self.chance(90);
        let why = Why {
            indication: indication.then(|| self.reason(model, ReasonKind::Indication)),
            back_entry: late.then(|| self.reason(model, ReasonKind::BackEntry)),
            warned,
            despite,
        };
        let version = self.seen(order.version);
        let giving = Giving {
            amount,
            given_at,
            why,
            ..Giving::of(id, version, mrn)
        };
        Wish {
            request: Request::Fulfil(giving),
            ward: Some(order.ward),
            drug: Some(rx.drug),
        }
    }

    fn not_given(&mut self, model: &Model) -> Wish {
        if model.orders.is_empty() && self.chance(95) {
            return self.prescribe(model);
        }
        let id = self.order(model);
        let (outcome, kind) = match self.rng.u32(0..20) {
            0 => (GivingOutcome::Given, ReasonKind::Held),
            1..5 => (GivingOutcome::Refused, ReasonKind::Refused),
            5..8 => (GivingOutcome::NotAvailable, ReasonKind::NotAvailable),
            _ => (GivingOutcome::Held, ReasonKind::Held),
        };
        let until = match (outcome, self.rng.u32(0..10)) {
            (GivingOutcome::Held, 0..6) => Some(self.now + minutes(self.rng.i64(1..600))),
            (GivingOutcome::Held, 6) => Some(self.now + minutes(self.rng.i64(-60..20_000))),
            (_, 7) => Some(self.now + minutes(30)),
            _ => None,
        };
        let order = model.orders.get(&id);
        let version = self.seen(order.map_or(1, |order| order.version));
        let reason = self.reason(model, kind);
        let request = Request::NotGiven(NotGiven {
            order: id,
            version,
            outcome,
            reason,
            until,
        });
        Wish {
            request,
            ward: order.map(|order| order.ward),
            drug: None,
        }
    }

    fn correct(&mut self, model: &Model) -> Wish {
        if model.entries.is_empty() && self.chance(95) {
            return self.give(model);
        }
        let administration = self.entry(model);
        let entry = model.entries.get(&administration);
        let request = Request::Correct(Correction {
            administration,
            reason: self.reason(model, ReasonKind::Correction),
            stock: if self.chance(70) {
                Restock::Back
            } else {
                Restock::WrittenOff
            },
            reopen: self.chance(65),
        });
        let drug =
            entry.map(|entry| model.prescriptions[&model.orders[&entry.order].prescription].drug);
        Wish {
            request,
            ward: entry.map(|entry| entry.ward),
            drug,
        }
    }

    fn effect(&mut self, model: &Model) -> Wish {
        let asked: Vec<AdministrationId> = model
            .entries
            .iter()
            .filter(|(_, entry)| entry.effect == Some(None))
            .map(|(id, _)| *id)
            .collect();
        if asked.is_empty() && self.chance(80) {
            return self.give(model);
        }
        let administration = match self.late(&asked) {
            Some(id) if self.chance(85) => id,
            _ => self.entry(model),
        };
        let ward = model.entries.get(&administration).map(|entry| entry.ward);
        let effect = self.reason(model, ReasonKind::Effect);
        Wish {
            request: Request::NoteEffect(Helped {
                administration,
                effect,
            }),
            ward,
            drug: None,
        }
    }

    fn stop(&mut self, model: &Model) -> Wish {
        let id = self.order(model);
        let order = model.orders.get(&id);
        let version = self.seen(order.map_or(1, |order| order.version));
        let reason = self
            .pick(&["changed", "changed", "changed", " ", "a\nb"])
            .unwrap()
            .to_owned();
        let request = Request::Discontinue {
            order: id,
            version,
            reason,
        };
        Wish {
            request,
            ward: order.map(|order| order.ward),
            drug: None,
        }
    }

    /// A lot of which every package says the same; seldom one that says something else.
    fn lot(&mut self) -> Lot {
        let n = self.rng.i64(0..6);
        let wrong = i64::from(self.chance(4));
        let expires_on = date(2026, 1, 11) + jiff::Span::new().days(n * n + wrong);
        Lot {
            lot: format!("L{n}"),
            expires_on,
        }
    }

    fn receive(&mut self, model: &Model) -> Wish {
        let (ward, drug) = if self.chance(50) {
            self.place(model)
        } else {
            (self.ward(), self.drug())
        };
        let lot = self.chance(60).then(|| match self.rng.u32(0..40) {
            0 => Lot {
                lot: String::new(),
                expires_on: date(2027, 1, 1),
            },
            1 => Lot {
                lot: "  L1 ".to_owned(),
                expires_on: date(2027, 1, 1),
            },
            _ => self.lot(),
        });
        let quantity = match self.quantity() {
            Quantity(n @ 1..10_000) => Quantity(n * 3),
            other => other,
        };
        let reference = self
            .pick(&["note 17", "note 17", "note 17", "", "a\u{7}b"])
            .unwrap()
            .to_owned();
        let request = Request::Receive {
            ward,
            drug,
            quantity,
            reference,
            lot,
        };
        Wish {
            request,
            ward: Some(ward),
            drug: None,
        }
    }

    fn schedule(&mut self) -> Schedule {
        let time = |hour: i8| jiff::civil::time(hour, 0, 0, 0);
        match self.rng.u32(0..16) {
            0 => Schedule::Unscheduled,
            1 => Schedule::Interval { minutes: 5 },
            2 => Schedule::Prn {
                min_interval: None,
                max_per_day: None,
                max_total: None,
            },
            3..6 => Schedule::Once { at: None },
            6 => Schedule::Once {
                at: Some(time(self.rng.i8(0..24))),
            },
            7..9 => Schedule::Interval {
                minutes: 60 * self.rng.u32(2..13),
            },
            9..11 => {
                let first = self.rng.i8(0..12);
                Schedule::Times {
                    times: vec![time(first), time(first + 11)],
                    days: Days::Every(1),
                }
            }
            _ => Schedule::Prn {
                min_interval: self.chance(50).then(|| self.rng.u32(10..200)),
                max_per_day: self.chance(60).then(|| self.rng.u32(1..5)),
                max_total: Some(self.rng.u32(1..9)).filter(|_| self.chance(50)),
            },
        }
    }

    fn prescribe(&mut self, model: &Model) -> Wish {
        let (patient, version, ward) = self.patient(model);
        let drug = self.drug();
        let schedule = self.schedule();
        let dose = match self.rng.u32(0..20) {
            0 => self.quantity(),
            1..8 => Quantity(500),
            _ => Quantity::units(self.rng.i64(1..3)),
        };
        let most = self.chance(25).then(|| match self.rng.u32(0..10) {
            0 => self.quantity(),
            n => Quantity(dose.0.saturating_add(500 * i64::from(n))),
        });
        let from_now = |n: i64| Some(self.now + minutes(n));
        let start = match self.rng.u32(0..12) {
            0 => from_now(-70),
            1 => from_now(30),
            2 => from_now(-20),
            3 => from_now(30 * 60),
            _ => None,
        };
        let stop = match self.rng.u32(0..12) {
            0 => from_now(-10),
            1..4 => from_now(24 * 60),
            4 => from_now(90),
            5 => from_now(400 * 24 * 60),
            _ => None,
        };
        let mut overrides = Vec::new();
        for kind in [PrescribingWarning::Allergy, PrescribingWarning::Duplicate] {
            if self.chance(70) {
                let reason = self.reason(model, ReasonKind::Override);
                overrides.push(Override { kind, reason });
            }
        }
        let route = if self.chance(3) { "" } else { "PO" }.to_owned();
        let ask = Prescribe {
            patient,
            version,
            drug,
            dose,
            most,
            route,
            frequency: "as said".to_owned(),
            schedule,
            stat: self.chance(10),
            start,
            stop,
            overrides,
        };
        Wish {
            request: Request::Prescribe(Box::new(ask)),
            ward: Some(ward),
            drug: None,
        }
    }

    fn end_prescription(&mut self, model: &Model) -> Wish {
        if model.prescriptions.is_empty() && self.chance(95) {
            return self.prescribe(model);
        }
        let all: Vec<PrescriptionId> = model.prescriptions.keys().copied().collect();
        let prescription = self
            .late(&all)
            .unwrap_or_else(|| PrescriptionId(self.key()));
        let rx = model.prescriptions.get(&prescription);
        let version = self.seen(rx.map_or(1, |rx| rx.version));
        let reason = self.reason(model, ReasonKind::Discontinue);
        let request = Request::DiscontinuePrescription {
            prescription,
            version,
            reason,
        };
        Wish {
            request,
            ward: rx.map(|rx| model.patients[&rx.patient].ward),
            drug: None,
        }
    }

    fn admit(&mut self, model: &Model) -> Wish {
        let known: Vec<(String, String)> = model
            .patients
            .values()
            .map(|patient| (patient.mrn.clone(), patient.name.clone()))
            .collect();
        let (mrn, name) = match self.rng.u32(0..10) {
            0..4 => (format!("N{}", self.rng.u32(0..500)), "New, Nina".to_owned()),
            4 => (known[0].0.clone(), "Somebody Else".to_owned()),
            5 => (String::new(), "Nobody".to_owned()),
            _ => self.pick(&known).unwrap(),
        };
        let ward = self.ward();
        let birth_date = match self.rng.u32(0..25) {
            0 => date(1700, 1, 1),
            1 => date(2026, 1, 13),
            2 => date(1960, 2, 3),
            _ => hospital::BORN,
        };
        let allergies = self
            .pick(&["", "", "penicillin", "morphine: itching"])
            .unwrap()
            .to_owned();
        let bed = if self.chance(3) {
            "x".repeat(21)
        } else {
            "7".to_owned()
        };
        let ask = Admit {
            mrn,
            name,
            birth_date,
            ward,
            bed,
            allergies,
        };
        Wish {
            request: Request::Admit(Box::new(ask)),
            ward: Some(ward),
            drug: None,
        }
    }

    fn relocate(&mut self, model: &Model) -> Wish {
        let (patient, version, from) = self.patient(model);
        let ward = if self.chance(90) {
            WardId(self.rng.i64(1..=2))
        } else {
            self.ward()
        };
        let bed = self.rng.u32(1..4).to_string();
        Wish {
            request: Request::Move {
                patient,
                version,
                ward,
                bed,
            },
            ward: Some(from),
            drug: None,
        }
    }

    fn discharge(&mut self, model: &Model) -> Wish {
        let (patient, version, ward) = self.patient(model);
        let reason = self.reason(model, ReasonKind::Discharge);
        Wish {
            request: Request::Discharge {
                patient,
                version,
                reason,
            },
            ward: Some(ward),
            drug: None,
        }
    }

    fn allergies(&mut self, model: &Model) -> Wish {
        let (patient, version, ward) = self.patient(model);
        let allergies = self
            .pick(&["", "penicillin", "morphine, latex", "a\u{1b}b"])
            .unwrap()
            .to_owned();
        Wish {
            request: Request::Allergies {
                patient,
                version,
                allergies,
            },
            ward: Some(ward),
            drug: None,
        }
    }

    fn emergency(&mut self, model: &Model) -> Wish {
        let lasting = self.chance(70);
        let known: Vec<Uuid> = model
            .accesses
            .iter()
            .filter(|(_, access)| !lasting || access.until > self.now)
            .map(|(id, _)| *id)
            .collect();
        if !known.is_empty() && self.chance(50) || self.chance(3) {
            let access = self.late(&known).unwrap_or(Uuid::max());
            return Wish {
                request: Request::EndEmergency { access },
                ward: None,
                drug: None,
            };
        }
        let ward = self.ward();
        let reason = self.reason(model, ReasonKind::Emergency);
        Wish {
            request: Request::Emergency { ward, reason },
            ward: Some(ward),
            drug: None,
        }
    }

    fn send(&mut self, model: &Model) -> Wish {
        let (source, drug) = self.place(model);
        let destination = self.ward();
        let note = if self.chance(3) {
            "n".repeat(101)
        } else {
            String::new()
        };
        let quantity = self.quantity();
        let request = Request::Send {
            source,
            destination,
            drug,
            quantity,
            note,
        };
        Wish {
            request,
            ward: Some(source),
            drug: None,
        }
    }

    fn arrive(&mut self, model: &Model) -> Wish {
        let on_the_way: Vec<TransferId> = model
            .transfers
            .iter()
            .filter(|(_, transfer)| transfer.status == TransferStatus::Sent)
            .map(|(id, _)| *id)
            .collect();
        if on_the_way.is_empty() && self.chance(85) {
            return self.send(model);
        }
        let all: Vec<TransferId> = model.transfers.keys().copied().collect();
        let found = if self.chance(88) {
            self.late(&on_the_way)
        } else {
            self.late(&all)
        };
        let transfer = found.unwrap_or_else(|| TransferId(self.key()));
        let known = model.transfers.get(&transfer);
        let received = match (known, self.rng.u32(0..10)) {
            (Some(known), 0..5) => Quantity(known.quantity),
            (Some(known), 5..8) => Quantity(self.rng.i64(0..=known.quantity)),
            (_, 8) => Quantity(0),
            _ => self.quantity(),
        };
        Wish {
            request: Request::Arrive { transfer, received },
            ward: known.map(|known| known.to),
            drug: None,
        }
    }

    /// A difference, most often one of that kind that is not settled.
    fn difference(
        &mut self,
        model: &Model,
        of_transfer: bool,
        status: DiscrepancyStatus,
    ) -> DiscrepancyId {
        let fits: Vec<DiscrepancyId> = model
            .differences
            .iter()
            .filter(|(_, found)| found.transfer.is_some() == of_transfer && found.status == status)
            .map(|(id, _)| *id)
            .collect();
        let all: Vec<DiscrepancyId> = model.differences.keys().copied().collect();
        let found = if self.chance(85) {
            self.late(&fits)
        } else {
            self.late(&all)
        };
        found.unwrap_or_else(|| DiscrepancyId(self.key()))
    }

    fn resolve_transfer(&mut self, model: &Model) -> Wish {
        let open = |found: &Difference| found.transfer.is_some() && found.settled.is_none();
        if !model.differences.values().any(open) && self.chance(85) {
            return self.arrive(model);
        }
        let discrepancy = self.difference(model, true, DiscrepancyStatus::Open);
        let ways = [
            Resolution::Returned,
            Resolution::Found,
            Resolution::Lost,
            Resolution::Lost,
            Resolution::Explained,
        ];
        let how = self.pick(&ways).unwrap();
        let reason = if how == Resolution::Lost || self.chance(30) {
            self.reason(model, ReasonKind::Discrepancy)
        } else {
            Reason::default()
        };
        let found = model.differences.get(&discrepancy);
        // What is lost is written off before a witness, whatever it is.
        let drug = (how == Resolution::Lost).then_some(DrugId(3));
        let request = Request::ResolveTransfer {
            discrepancy,
            how,
            reason,
        };
        Wish {
            request,
            ward: found.map(|found| found.ward),
            drug,
        }
    }

    fn part(&mut self, model: &Model) -> Part {
        let (ward, drug) = self.place(model);
        let lots: Vec<String> = model
            .pages
            .get(&(ward, drug))
            .map(|page| page.lots.keys().cloned().collect())
            .unwrap_or_default();
        let lot = match (self.pick(&lots), self.rng.u32(0..10)) {
            (Some(lot), 0..4) => Some(lot),
            (_, 4) => Some("L9".to_owned()),
            _ => None,
        };
        Part {
            ward,
            drug,
            quantity: self.quantity(),
            lot,
        }
    }

    fn take_out(&mut self, model: &Model) -> Wish {
        let what = self.part(model);
        let (ward, drug) = (Some(what.ward), Some(what.drug));
        let request = if self.chance(50) {
            let reason = self.reason(model, ReasonKind::Return);
            Request::Return { what, reason }
        } else {
            let reason = self.reason(model, ReasonKind::Waste);
            Request::Waste { what, reason }
        };
        Wish {
            request,
            ward,
            drug,
        }
    }

    fn adjust(&mut self, model: &Model) -> Wish {
        let mut what = self.part(model);
        if self.chance(50) {
            what.quantity = Quantity(what.quantity.0.saturating_neg());
        }
        let (ward, drug) = (Some(what.ward), Some(what.drug));
        let reason = self.reason(model, ReasonKind::Adjust);
        Wish {
            request: Request::Adjust { what, reason },
            ward,
            drug,
        }
    }

    fn count(&mut self, model: &Model) -> Wish {
        let again: Vec<(WardId, DrugId)> = model
            .counts
            .values()
            .filter(|count| count.status == CountStatus::Recount)
            .map(|count| (count.ward, count.drug))
            .collect();
        let (ward, drug) = match self.pick(&again) {
            Some(place) if self.chance(60) => place,
            _ => self.place(model),
        };
        let page = model.pages.get(&(ward, drug));
        let (total, last) = page.map_or((0, 0), |page| (page.total(), page.rows.len() as i64));
        let counted = match self.rng.u32(0..10) {
            0..4 => Quantity(total),
            4..9 => Quantity((total + 500 * self.rng.i64(-4..4)).max(0)),
            _ => self.quantity(),
        };
        let seq = self.seen(last);
        Wish {
            request: Request::Count {
                ward,
                drug,
                seq,
                counted,
            },
            ward: Some(ward),
            drug: Some(drug),
        }
    }

    fn explain(&mut self, model: &Model) -> Wish {
        let waits = |found: &Difference| found.status == DiscrepancyStatus::Unexplained;
        if !model.differences.values().any(waits) && self.chance(85) {
            return self.count(model);
        }
        let discrepancy = self.difference(model, false, DiscrepancyStatus::Unexplained);
        let found = model.differences.get(&discrepancy);
        let reason = self.reason(model, ReasonKind::Discrepancy);
        let (ward, drug) = (found.map(|found| found.ward), found.map(|found| found.drug));
        Wish {
            request: Request::Explain {
                discrepancy,
                reason,
            },
            ward,
            drug,
        }
    }

    fn resolve_count(&mut self, model: &Model) -> Wish {
        let open = |found: &Difference| found.transfer.is_none() && found.settled.is_none();
        if !model.differences.values().any(open) && self.chance(85) {
            return self.count(model);
        }
        let status = if self.chance(60) {
            DiscrepancyStatus::Open
        } else {
            DiscrepancyStatus::Unexplained
        };
        let discrepancy = self.difference(model, false, status);
        let ward = model.differences.get(&discrepancy).map(|found| found.ward);
        let reason = self.reason(model, ReasonKind::Discrepancy);
        Wish {
            request: Request::ResolveCount {
                discrepancy,
                reason,
            },
            ward,
            drug: None,
        }
    }

    fn recall(&mut self, _: &Model) -> Wish {
        let lot = match self.rng.u32(0..12) {
            0 => " ".to_owned(),
            1 => "l".repeat(21),
            _ => self.lot().lot,
        };
        let reason = self
            .pick(&["the maker's letter", "the maker's letter", ""])
            .unwrap()
            .to_owned();
        let drug = self.drug();
        Wish {
            request: Request::Recall { drug, lot, reason },
            ward: None,
            drug: None,
        }
    }

    fn code(&mut self, model: &Model) -> Wish {
        let codes = ["04012345000009", "04012345000016", "04012345000023"];
        let gtin = Gtin::read(self.pick(&codes).unwrap()).unwrap();
        let known: Vec<(Gtin, DrugId)> = model.codes.iter().cloned().collect();
        let drug = self.drug();
        let request = match self.pick(&known) {
            Some((gtin, drug)) if self.chance(40) => Request::ReleaseCode { drug, gtin },
            _ if self.chance(10) => Request::ReleaseCode { drug, gtin },
            _ => Request::BindCode {
                drug,
                gtin,
                beside: self.chance(30),
            },
        };
        Wish {
            request,
            ward: None,
            drug: None,
        }
    }

    fn levels(&mut self, model: &Model) -> Wish {
        let (ward, drug) = if self.chance(80) {
            self.place(model)
        } else {
            (self.ward(), self.drug())
        };
        let now = model
            .pages
            .get(&(ward, drug))
            .map(|page| page.levels.clone())
            .unwrap_or_default();
        let was = if self.chance(90) {
            now
        } else {
            Levels {
                par: Quantity(1),
                ..now
            }
        };
        let shelf = if self.chance(4) {
            "s".repeat(21)
        } else {
            "A1".to_owned()
        };
        let threshold = Quantity::units(self.rng.i64(-1..10));
        let par = Quantity::units(self.rng.i64(0..30));
        let levels = Levels {
            threshold,
            par,
            shelf,
        };
        Wish {
            request: Request::SetLevels {
                ward,
                drug,
                was,
                levels,
            },
            ward: Some(ward),
            drug: None,
        }
    }
}
