//! The tables in memory: what the pure rules are given before each batch, and what they say is to be written, written
//! down as it is said. There is no rule here, and no arithmetic but that of a lot's quantity.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use uuid::Uuid;

use super::hospital::{self, Account};
use super::picture::{Picture, hex, micros, or_dash};
use super::rules::Fresh;
use crate::domain::cupboard::{CountStatus, DiscrepancyStatus, Levels, OfLot, TransferStatus};
use crate::domain::decide::warn::Recent;
use crate::domain::decide::{
    Administration, Binding, Chart, CodeChange, Count, Discrepancy, DrugName, Effects,
    EmergencyAccess, KnownLot, LedgerEntry, Limits, Loaded, NewPrescription, Of, Order,
    Prescription, Recorded, Stock, Transfer, TransferLot, WardPlace,
};
use crate::domain::ledger::GENESIS;
use crate::domain::lots::HeldLot;
use crate::domain::reason::Reason;
use crate::domain::text::name_key;
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{
    Actor, AdministrationId, CountId, DiscrepancyId, DrugId, GivingOutcome, Operation, OrderId,
    OrderStatus, PatientId, Policy, PrescriptionId, Quantity, Request, TransferId, UserId, WardId,
    WardKind, Wards,
};

type Page = (WardId, DrugId);

/// Rows by their keys.
#[derive(Default)]
pub(super) struct Tables {
    stock: BTreeMap<Page, (Quantity, i64, [u8; 32])>,
    levels: BTreeMap<Page, Levels>,
    stock_lots: BTreeMap<(WardId, DrugId, String), Quantity>,
    lots: BTreeMap<(DrugId, String), KnownLot>,
    ledger: Vec<LedgerEntry>,
    orders: BTreeMap<OrderId, Order>,
    prescriptions: BTreeMap<PrescriptionId, Prescription>,
    written: BTreeMap<PrescriptionId, NewPrescription>,
    charts: BTreeMap<PatientId, Chart>,
    entries: BTreeMap<AdministrationId, Administration>,
    reversed: BTreeSet<AdministrationId>,
    effects: BTreeMap<AdministrationId, Option<UserId>>,
    transfers: BTreeMap<TransferId, Transfer>,
    differences: BTreeMap<DiscrepancyId, (Discrepancy, String, Timestamp)>,
    resolutions: BTreeMap<DiscrepancyId, String>,
    counts: BTreeMap<CountId, Count>,
    codes: BTreeSet<Binding>,
    accesses: BTreeMap<Uuid, EmergencyAccess>,
    /// Orders that are new since somebody asked.
    pub fresh: Vec<Fresh>,
}

fn name_of(who: UserId) -> String {
    let found = hospital::PEOPLE.iter().find(|(id, ..)| *id == who);
    found
        .map(|(_, name, ..)| (*name).to_owned())
        .unwrap_or_default()
}

fn drug_name(id: DrugId) -> DrugName {
    let (_, name, strength, unit, controlled, high_alert) =
        hospital::DRUGS.iter().find(|drug| drug.0 == id).unwrap();
    DrugName {
        title: hospital::title(name, strength),
        unit: (*unit).to_owned(),
        controlled: *controlled,
        high_alert: *high_alert,
    }
}

fn drug_key(id: DrugId) -> String {
    name_key(hospital::DRUGS.iter().find(|drug| drug.0 == id).unwrap().1)
}

fn ward_name(id: WardId) -> String {
    hospital::WARDS
        .iter()
        .find(|ward| ward.0 == id)
        .unwrap()
        .2
        .to_owned()
}

impl Tables {
    pub fn new() -> Tables {
        let mut tables = Tables::default();
        for (n, (mrn, name, ward, allergies)) in hospital::PATIENTS.iter().enumerate() {
            let id = hospital::patient(n);
            let chart = Chart {
                id,
                version: 1,
                mrn: (*mrn).to_owned(),
                name: (*name).to_owned(),
                birth_date: hospital::BORN,
                ward: *ward,
                bed: "1".to_owned(),
                allergies: (*allergies).to_owned(),
                discharged_at: None,
                changed_by: None,
                changed_at: Timestamp::UNIX_EPOCH,
                change: String::new(),
            };
            tables.charts.insert(id, chart);
        }
        tables
    }

    /// What a batch is decided on: of orders, patients, prescriptions, entries and differences only what it names.
    pub fn load(&self, ops: &[Operation], policy: &Policy, now: Timestamp) -> Loaded {
        let mut loaded = Loaded {
            actors: self.actors(now),
            codes: self.codes.clone(),
            emergencies: self
                .accesses
                .iter()
                .map(|(id, access)| (*id, access.clone()))
                .collect(),
            patients: self
                .charts
                .values()
                .map(|c| (c.mrn.clone(), c.name.clone()))
                .collect(),
            ..Loaded::default()
        };
        for (id, _, name, has_beds, zone) in hospital::WARDS {
            let zone = jiff::tz::TimeZone::get(zone).unwrap();
            let kind = if has_beds {
                WardKind::Ward
            } else {
                WardKind::Pharmacy
            };
            loaded.wards.insert(id, name.to_owned());
            loaded.cupboard.zones.insert(id, zone.clone());
            loaded.places.insert(
                id,
                WardPlace {
                    name: name.to_owned(),
                    kind,
                    zone,
                },
            );
        }
        for (id, ..) in hospital::DRUGS {
            loaded.drugs.insert(id, drug_name(id));
            loaded.drug_keys.insert(id, drug_key(id));
        }
        self.load_cupboard(ops, &mut loaded);
        self.load_people(ops, policy, &mut loaded);
        loaded
    }

    fn actors(&self, now: Timestamp) -> HashMap<UserId, Actor> {
        let actors = hospital::PEOPLE
            .iter()
            .map(|(id, name, role, wards, account)| {
                let lasting = self
                    .accesses
                    .values()
                    .filter(|access| access.user == *id && access.until > now);
                let actor = Actor {
                    id: *id,
                    username: name.to_lowercase(),
                    name: (*name).to_owned(),
                    role: *role,
                    wards: if wards.is_empty() {
                        Wards::Every
                    } else {
                        Wards::Only(wards.iter().map(|ward| WardId(*ward)).collect())
                    },
                    disabled: *account == Account::Disabled,
                    read_only: *account == Account::ReadOnly,
                    secret: true,
                    emergencies: lasting
                        .map(|access| (access.ward, access.access()))
                        .collect(),
                };
                (*id, actor)
            });
        actors.collect()
    }

    fn load_cupboard(&self, ops: &[Operation], loaded: &mut Loaded) {
        for (page, (current, seq, hash)) in &self.stock {
            let stock = Stock {
                current: *current,
                seq: *seq,
                hash: *hash,
                lots: Vec::new(),
            };
            loaded.stock.insert(*page, stock);
        }
        for ((ward, drug, lot), quantity) in &self.stock_lots {
            let known = self.lots[&(*drug, lot.clone())];
            let held = HeldLot {
                lot: lot.clone(),
                expires_on: known.expires_on.unwrap(),
                recalled: known.recalled,
                quantity: *quantity,
                before: Some(*quantity),
            };
            loaded
                .stock
                .get_mut(&(*ward, *drug))
                .unwrap()
                .lots
                .push(held);
        }
        let cupboard = &mut loaded.cupboard;
        cupboard.lots = self
            .lots
            .iter()
            .map(|(key, known)| (key.clone(), *known))
            .collect();
        cupboard.levels = self
            .levels
            .iter()
            .map(|(page, levels)| (*page, levels.clone()))
            .collect();
        for (id, count) in &self.counts {
            if count.status == CountStatus::Recount {
                cupboard.recounts.insert((count.ward, count.drug), *id);
            }
        }
        for (found, by, at) in self.differences.values() {
            if found.status == DiscrepancyStatus::Unexplained {
                cupboard
                    .unexplained
                    .insert((found.ward, found.drug), (*at, by.clone()));
            }
        }
        let named: HashSet<DiscrepancyId> = ops
            .iter()
            .filter_map(|op| op.request.discrepancy())
            .collect();
        let mut transfers: HashSet<TransferId> = HashSet::new();
        for id in named {
            if let Some((found, ..)) = self.differences.get(&id) {
                transfers.extend(found.transfer);
                cupboard.discrepancies.insert(id, found.clone());
            }
        }
        transfers.extend(ops.iter().filter_map(|op| match op.request {
            Request::Arrive { transfer, .. } => Some(transfer),
            _ => None,
        }));
        for id in transfers {
            if let Some(transfer) = self.transfers.get(&id) {
                cupboard.transfers.insert(id, transfer.clone());
            }
        }
    }

    fn load_people(&self, ops: &[Operation], policy: &Policy, loaded: &mut Loaded) {
        let mut corrected: HashSet<PatientId> = HashSet::new();
        let mut orders: BTreeSet<OrderId> =
            ops.iter().filter_map(|op| op.request.order()).collect();
        for id in ops.iter().filter_map(|op| op.request.administration()) {
            if let Some(entry) = self.entries.get(&id) {
                orders.insert(entry.order);
                corrected.insert(entry.patient);
                loaded.administrations.insert(id, self.recorded(entry));
            }
        }
        let mut whole: HashSet<PatientId> = HashSet::new();
        let mut patients: HashSet<PatientId> = HashSet::new();
        let mut prescriptions: HashSet<PrescriptionId> = HashSet::new();
        for op in ops {
            match &op.request {
                Request::Move { patient, .. }
                | Request::Discharge { patient, .. }
                | Request::Allergies { patient, .. } => {
                    whole.insert(*patient);
                }
                Request::Prescribe(ask) => {
                    patients.insert(ask.patient);
                }
                Request::Admit(ask) => {
                    let known = self
                        .charts
                        .values()
                        .find(|chart| chart.mrn == ask.mrn.trim());
                    patients.extend(known.map(|chart| chart.id));
                }
                Request::DiscontinuePrescription { prescription, .. } => {
                    prescriptions.insert(*prescription);
                }
                _ => {}
            }
        }
        patients.extend(&whole);
        patients.extend(&corrected);
        for id in &patients {
            if let Some(chart) = self.charts.get(id) {
                loaded.charts.insert(*id, chart.clone());
            }
        }
        for (id, rx) in &self.prescriptions {
            let runs = patients.contains(&rx.patient) && rx.status == PrescriptionStatus::Active;
            if runs || prescriptions.contains(id) {
                loaded.prescriptions.insert(*id, self.as_loaded(rx));
            }
        }
        for (id, order) in &self.orders {
            let named =
                whole.contains(&order.patient) || prescriptions.contains(&order.prescription);
            if orders.contains(id) || (named && order.status == OrderStatus::Active) {
                loaded.orders.insert(*id, self.order_as_loaded(order));
            }
        }
        self.load_near(ops, policy, loaded);
    }

    /// A prescription stands where its patient lies.
    fn as_loaded(&self, rx: &Prescription) -> Prescription {
        let ward = self.charts[&rx.patient].ward;
        Prescription {
            ward,
            ward_name: ward_name(ward),
            ..rx.clone()
        }
    }

    fn order_as_loaded(&self, order: &Order) -> Order {
        let rx = &self.prescriptions[&order.prescription];
        let mut given: Vec<Timestamp> = Vec::new();
        if order.limits != Limits::default() {
            let of_rx =
                |e: &&Administration| self.orders[&e.order].prescription == order.prescription;
            given = self.given().filter(of_rx).map(|e| e.given_at).collect();
            given.sort_unstable_by(|a, b| b.cmp(a));
        }
        let ended = rx.status == PrescriptionStatus::Discontinued;
        Order {
            prescription_active: !ended,
            given,
            ..order.clone()
        }
    }

    /// Doses given and not taken back.
    fn given(&self) -> impl Iterator<Item = &Administration> {
        self.entries.values().filter(|entry| {
            entry.outcome == GivingOutcome::Given
                && entry.reverses.is_none()
                && !self.reversed.contains(&entry.id)
        })
    }

    fn load_near(&self, ops: &[Operation], policy: &Policy, loaded: &mut Loaded) {
        for op in ops {
            let Request::Fulfil(giving) = &op.request else {
                continue;
            };
            let Some(order) = self.orders.get(&giving.order) else {
                continue;
            };
            if policy.same_drug_minutes.is_some() {
                let near = self
                    .given()
                    .filter(|e| (e.patient, e.drug) == (order.patient, order.drug));
                let near = near.map(|entry| Recent {
                    at: entry.given_at,
                    prescription: self.orders[&entry.order].prescription,
                    due_at: self.orders[&entry.order].due_at,
                });
                loaded
                    .recent
                    .insert((order.patient, order.drug), near.collect());
            }
            if policy.later_given && order.due_at.is_some() {
                let later = self.given().map(|entry| &self.orders[&entry.order]);
                let later = later
                    .filter(|o| o.prescription == order.prescription && o.due_at > order.due_at);
                let later = later.filter_map(|other| other.due_at).collect();
                loaded.later_given.insert(order.id, later);
            }
        }
    }

    fn recorded(&self, entry: &Administration) -> Recorded {
        let rx = self.orders[&entry.order].prescription;
        let row = self.ledger.iter().find(|row| {
            (row.row.ward, row.row.drug, row.row.op) == (entry.ward, entry.drug, entry.op)
        });
        let lots = row.map_or(&[][..], |row| &row.lots);
        Recorded {
            order: entry.order,
            order_version: entry.order_version,
            ward: entry.ward,
            ward_name: ward_name(entry.ward),
            patient: entry.patient,
            nurse: entry.nurse,
            nurse_name: name_of(entry.nurse),
            given_at: entry.given_at,
            outcome: entry.outcome,
            quantity: entry.quantity,
            is_reversal: entry.reverses.is_some(),
            reversed: self.reversed.contains(&entry.id),
            lots: lots
                .iter()
                .map(|part| {
                    let known = self.lots[&(entry.drug, part.lot.clone())];
                    HeldLot {
                        lot: part.lot.clone(),
                        expires_on: known.expires_on.unwrap(),
                        recalled: known.recalled,
                        quantity: part.quantity,
                        before: None,
                    }
                })
                .collect(),
            next_open: self
                .orders
                .values()
                .find(|order| {
                    let open = order.status == OrderStatus::Active && order.due_at.is_none();
                    order.prescription == rx && open
                })
                .map(|order| order.id),
            effect: self.effects.get(&entry.id).map(|noted| noted.map(name_of)),
        }
    }

    /// Writes down what was decided, in the order in which the desk does.
    pub fn apply(&mut self, effects: Effects) {
        self.write_charts(&effects);
        self.write_shelves(&effects);
        for closing in effects.closed {
            if let Some(order) = self.orders.get_mut(&closing.id) {
                order.status = closing.status;
                order.version = closing.version + 1;
                order.changed_by = Some(name_of(closing.by));
                (order.changed_at, order.change) = (closing.at, closing.change);
            }
        }
        for entry in effects.administrations {
            self.reversed.extend(entry.reverses);
            self.entries.insert(entry.id, entry);
        }
        for change in effects.changed {
            if let Some(order) = self.orders.get_mut(&change.id) {
                order.status = change.status;
                order.version = change.version + 1;
                order.held_until = change.held_until;
                (order.ward, order.ward_name) = (change.ward, ward_name(change.ward));
                order.changed_by = Some(name_of(change.by));
                (order.changed_at, order.change) = (change.at, change.change);
            }
        }
        for end in effects.ended {
            if let Some(rx) = self.prescriptions.get_mut(&end.id) {
                rx.status = PrescriptionStatus::Discontinued;
                rx.version += 1;
                rx.ended_by = Some(name_of(end.by));
                (rx.ended_at, rx.end) = (Some(end.at), end.reason);
            }
        }
        self.effects.extend(
            effects
                .asked
                .iter()
                .map(|asked| (asked.administration, None)),
        );
        self.effects.extend(
            effects
                .noted
                .iter()
                .map(|noted| (noted.administration, Some(noted.by))),
        );
        for change in effects.codes {
            match change {
                CodeChange::Bound(binding) => drop(self.codes.insert(binding)),
                CodeChange::Released(binding) => drop(self.codes.remove(&binding)),
            }
        }
        self.accesses.extend(
            effects
                .emergencies
                .into_iter()
                .map(|access| (access.id, access)),
        );
        for end in effects.emergency_ends {
            self.accesses.get_mut(&end.id).unwrap().until = end.at;
        }
    }

    fn write_charts(&mut self, effects: &Effects) {
        for row in &effects.chart.charts {
            self.charts.insert(row.chart.id, row.chart.clone());
        }
        for new in &effects.chart.prescribed {
            let rx = Prescription {
                id: new.id,
                version: 1,
                patient: new.patient,
                ward: new.ward,
                ward_name: ward_name(new.ward),
                drug: new.drug,
                drug_key: drug_key(new.drug),
                title: drug_name(new.drug).title,
                status: PrescriptionStatus::Active,
                ended_by: None,
                ended_at: None,
                end: Reason::default(),
            };
            self.prescriptions.insert(new.id, rx);
            self.written.insert(new.id, new.clone());
        }
        for made in &effects.chart.made {
            let order = self.made(
                made.prescription,
                made.id,
                made.due,
                made.at,
                "made from the prescription",
            );
            self.insert(order);
        }
        for opening in &effects.opened {
            let before = self.orders[&opening.follows].clone();
            let mut order = self.made(
                before.prescription,
                opening.id,
                None,
                opening.at,
                "opened after the dose before it",
            );
            (order.ward, order.ward_name) = (before.ward, before.ward_name);
            self.insert(order);
        }
        for moved in &effects.chart.moved {
            let order = self.orders.get_mut(&moved.id).unwrap();
            (order.ward, order.ward_name) = (moved.ward, ward_name(moved.ward));
            order.version = moved.version + 1;
            order.changed_by = Some(name_of(moved.by));
            (order.changed_at, order.change) = (moved.at, moved.change.clone());
        }
        for (id, _) in &effects.chart.followed {
            self.prescriptions.get_mut(id).unwrap().version += 1;
        }
    }

    fn insert(&mut self, order: Order) {
        let (id, prescription, due) = (order.id, order.prescription, order.due_at);
        self.fresh.push(Fresh {
            id,
            prescription,
            due,
        });
        self.orders.insert(id, order);
    }

    fn made(
        &self,
        of: PrescriptionId,
        id: OrderId,
        due: Option<Timestamp>,
        at: Timestamp,
        change: &str,
    ) -> Order {
        let rx = &self.written[&of];
        Order {
            id,
            version: 1,
            status: OrderStatus::Active,
            kind: rx.schedule.kind(),
            ward: rx.ward,
            ward_name: ward_name(rx.ward),
            drug: rx.drug,
            drug_name: drug_name(rx.drug),
            patient: rx.patient,
            mrn: self.charts[&rx.patient].mrn.clone(),
            dosage: rx.dose,
            dosage_max: rx.most,
            priority: rx.priority,
            doctor: rx.doctor,
            prescription: of,
            prescription_active: true,
            due_at: due,
            held_until: None,
            start_at: rx.start,
            stop_at: rx.stop,
            limits: Limits::from(&rx.schedule),
            given: Vec::new(),
            changed_by: None,
            changed_at: at,
            change: change.to_owned(),
        }
    }

    fn write_shelves(&mut self, effects: &Effects) {
        let changes = &effects.cupboard;
        for (drug, lot) in &changes.lots {
            let known = KnownLot {
                expires_on: Some(lot.expires_on),
                recalled: false,
            };
            self.lots.insert((*drug, lot.lot.clone()), known);
        }
        for recalled in &changes.recalled {
            let known = self.lots.entry((recalled.drug, recalled.lot.clone()));
            known
                .or_insert(KnownLot {
                    expires_on: None,
                    recalled: true,
                })
                .recalled = true;
        }
        for entry in &effects.ledger {
            let row = &entry.row;
            self.stock
                .insert((row.ward, row.drug), (row.balance, row.seq, entry.hash));
            for OfLot { lot, quantity } in &entry.lots {
                let key = (row.ward, row.drug, lot.clone());
                let held = self.stock_lots.entry(key).or_default();
                *held = Quantity(held.0 + row.delta.0.signum() * quantity.0);
            }
            self.ledger.push(entry.clone());
        }
        self.stock_lots
            .retain(|_, quantity| *quantity != Quantity::ZERO);
        for (page, levels) in &changes.levels {
            self.levels.insert(*page, levels.clone());
            self.stock
                .entry(*page)
                .or_insert((Quantity::ZERO, 0, GENESIS));
        }
        for sent in &changes.sent {
            let lots = sent.lots.iter().map(|part| TransferLot {
                lot: part.lot.clone(),
                sent: part.quantity,
                received: None,
            });
            let transfer = Transfer {
                drug: sent.drug,
                source: sent.source,
                destination: sent.destination,
                quantity: sent.quantity,
                received: None,
                status: TransferStatus::Sent,
                receiver: None,
                lots: lots.collect(),
            };
            self.transfers.insert(sent.id, transfer);
        }
        for arrival in &changes.arrived {
            let transfer = self.transfers.get_mut(&arrival.id).unwrap();
            transfer.received = Some(arrival.received);
            transfer.status = arrival.status;
            transfer.receiver = Some((name_of(arrival.by), arrival.at));
            for (lot, part) in transfer.lots.iter_mut().zip(&arrival.lots) {
                lot.received = Some(part.quantity);
            }
        }
        for id in &changes.resolved {
            self.transfers.get_mut(id).unwrap().status = TransferStatus::Resolved;
        }
        self.write_counts(effects);
    }

    fn write_counts(&mut self, effects: &Effects) {
        let changes = &effects.cupboard;
        for count in &changes.counts {
            self.counts.insert(count.id, count.clone());
        }
        for id in &changes.recounted {
            self.counts.get_mut(id).unwrap().status = CountStatus::Recounted;
        }
        for new in &changes.opened {
            let (transfer, count) = match new.of {
                Of::Transfer(id) => (Some(id), None),
                Of::Count(id) => (None, Some(id)),
            };
            let found = Discrepancy {
                ward: new.ward,
                drug: new.drug,
                quantity: new.quantity,
                transfer,
                count,
                status: new.status,
                settled: None,
            };
            self.differences
                .insert(new.id, (found, name_of(new.by), new.at));
        }
        for explained in &changes.explained {
            self.differences.get_mut(&explained.id).unwrap().0.status = DiscrepancyStatus::Open;
        }
        for settled in &changes.settled {
            let found = &mut self.differences.get_mut(&settled.id).unwrap().0;
            found.status = DiscrepancyStatus::Resolved;
            found.settled = Some((name_of(settled.by), settled.at));
            self.resolutions
                .insert(settled.id, settled.resolution.to_string());
        }
    }

    /// Everything on record. The chain of the register is walked on the way.
    pub fn picture(&self) -> Picture {
        let mut lines = Vec::new();
        let mut heads: HashMap<Page, [u8; 32]> = HashMap::new();
        for entry in &self.ledger {
            let row = &entry.row;
            let head = heads.entry((row.ward, row.drug)).or_insert(GENESIS);
            if entry.prev_hash != *head || entry.hash != row.hash(head) {
                lines.push(format!("the chain is broken at {row:?}"));
            }
            *head = entry.hash;
            lines.push(format!(
                "row {} {} {} {} {} {} {} {} {} {}",
                row.ward,
                row.drug,
                row.seq,
                row.delta.0,
                row.balance.0,
                row.reason,
                or_dash(row.actor),
                or_dash(row.witness),
                row.at.as_microsecond(),
                hex(row.op.0)
            ));
        }
        for (page @ (ward, drug), (current, seq, hash)) in &self.stock {
            if heads.get(page).unwrap_or(&GENESIS) != hash {
                lines.push(format!("the head of {page:?} is not its last row"));
            }
            let levels = self.levels.get(page).cloned().unwrap_or_default();
            let (low, par, shelf) = (levels.threshold.0, levels.par.0, levels.shelf);
            lines.push(format!(
                "stock {ward} {drug} {} rows {seq} low {low} par {par} shelf {shelf}",
                current.0
            ));
        }
        for ((ward, drug, lot), quantity) in &self.stock_lots {
            lines.push(format!("lot {ward} {drug} {lot} {}", quantity.0));
        }
        for ((drug, lot), known) in &self.lots {
            let (expires, recalled) = (or_dash(known.expires_on), i32::from(known.recalled));
            lines.push(format!("known {drug} {lot} {expires} {recalled}"));
        }
        self.picture_treatment(&mut lines);
        self.picture_papers(&mut lines);
        Picture::of(lines)
    }

    fn picture_treatment(&self, lines: &mut Vec<String>) {
        for order in self.orders.values() {
            let held = order
                .held_until
                .filter(|_| order.status == OrderStatus::Active);
            let (due, held) = (micros(order.due_at), micros(held));
            let key = hex(order.id.0);
            lines.push(format!(
                "order {key} {} {} {} due {due} held {held}",
                order.status, order.version, order.ward
            ));
        }
        for entry in self.entries.values() {
            lines.push(format!(
                "entry {} {} {} {} {} {} {} {} {} {}",
                hex(entry.id.0),
                hex(entry.order.0),
                entry.order_version,
                entry.ward,
                entry.nurse,
                or_dash(entry.witness),
                entry.given_at.as_microsecond(),
                entry.outcome,
                entry.quantity.0,
                or_dash(entry.reverses.map(|id| hex(id.0)))
            ));
        }
        for (id, noted) in &self.effects {
            lines.push(format!("effect {} {}", hex(id.0), or_dash(*noted)));
        }
        for (id, rx) in &self.prescriptions {
            let new = &self.written[id];
            lines.push(format!(
                "prescription {} {} {} {} {} {} {}",
                hex(id.0),
                hex(rx.patient.0),
                rx.drug,
                new.dose.0,
                or_dash(new.most.map(|most| most.0)),
                rx.status,
                rx.version
            ));
        }
        for chart in self.charts.values() {
            lines.push(format!(
                "patient {} {} {} {} {} {} {}",
                chart.mrn,
                chart.name,
                chart.ward,
                chart.bed,
                chart.version,
                micros(chart.discharged_at),
                chart.allergies
            ));
        }
    }

    fn picture_papers(&self, lines: &mut Vec<String>) {
        for (id, t) in &self.transfers {
            let (key, received) = (hex(id.0), or_dash(t.received.map(|q| q.0)));
            lines.push(format!(
                "transfer {key} {} {} {} {} {received} {}",
                t.source, t.destination, t.drug, t.quantity.0, t.status
            ));
            for lot in &t.lots {
                let received = or_dash(lot.received.map(|q| q.0));
                lines.push(format!("sent {key} {} {} {received}", lot.lot, lot.sent.0));
            }
        }
        for (id, (d, ..)) in &self.differences {
            let (key, how) = (hex(id.0), or_dash(self.resolutions.get(id)));
            lines.push(format!(
                "difference {key} {} {} {} {} {how}",
                d.ward, d.drug, d.quantity.0, d.status
            ));
        }
        for (id, c) in &self.counts {
            let (key, witness) = (hex(id.0), or_dash(c.witness));
            lines.push(format!(
                "count {key} {} {} {} {} {} {witness}",
                c.ward, c.drug, c.counted.0, c.expected.0, c.status
            ));
        }
        for (gtin, drug) in &self.codes {
            lines.push(format!("code {gtin} {drug}"));
        }
        for (id, access) in &self.accesses {
            let until = access.until.as_microsecond();
            lines.push(format!(
                "access {} {} {} {until}",
                hex(*id),
                access.user,
                access.ward
            ));
        }
    }
}
