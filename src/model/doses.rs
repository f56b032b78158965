//! The model's rules of doses: given, not given, taken back, stopped.

use jiff::Timestamp;

use super::rules::{Ask, Entry, Model, No, Order, Told, invalid, minutes, no, text_is_kept};
use crate::domain::operation::{Correction, Giving, Helped, NotGiven};
use crate::domain::reason::ReasonKind;
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{
    AdministrationId, GivingOutcome, LedgerReason, OrderId, OrderKind, OrderStatus, PrescriptionId,
    Quantity, Receipt, Restock, Role, Warned,
};

impl Model {
    /// The order, if somebody who saw that version of it may still change it.
    fn open(&self, ask: &Ask<'_>, id: OrderId, version: i64) -> Told<Order> {
        let Some(order) = self.orders.get(&id) else {
            return no("ORDER_NOT_FOUND", "");
        };
        self.here(ask, order.ward)?;
        let changed = format!("{} {}", order.by, order.at);
        match order.status {
            OrderStatus::Completed => no("ORDER_ALREADY_COMPLETED", changed),
            OrderStatus::Discontinued => no("INVALID_STATUS_TRANSITION", order.status),
            OrderStatus::Active if order.version != version => no("STALE", changed),
            OrderStatus::Active => Ok(order.clone()),
        }
    }

    /// When doses of a prescription were given that nobody has taken back, earliest first.
    fn given(&self, prescription: PrescriptionId) -> Vec<Timestamp> {
        let mut times: Vec<Timestamp> = self
            .standing()
            .filter(|(_, _, order)| order.prescription == prescription)
            .map(|(_, entry, _)| entry.given)
            .collect();
        times.sort_unstable();
        times
    }

    /// Doses that were given and that nobody has taken back.
    fn standing(&self) -> impl Iterator<Item = (&AdministrationId, &Entry, &Order)> {
        self.entries
            .iter()
            .filter(|(_, e)| {
                e.outcome == GivingOutcome::Given && !e.reversed && e.reverses.is_none()
            })
            .map(|(id, entry)| (id, entry, &self.orders[&entry.order]))
    }

    pub(super) fn give(&mut self, ask: &Ask<'_>, what: &Giving) -> Told {
        let order = self.open(ask, what.order, what.version)?;
        let rx = self.prescriptions[&order.prescription].clone();
        let at = what.given_at.unwrap_or(ask.now);
        if at > ask.now || (what.given_at.is_some() && at < rx.start) {
            return invalid("given at");
        }
        let over = rx.kind != OrderKind::Timed && rx.stop.is_some_and(|stop| stop <= at);
        if over || rx.status == PrescriptionStatus::Discontinued {
            return no("INVALID_STATUS_TRANSITION", OrderStatus::Discontinued);
        }
        if what.identified != self.patients[&rx.patient].mrn {
            let whose = self.patients.values().find(|p| p.mrn == what.identified);
            return no("WRONG_PATIENT", whose.map_or("", |p| &p.name));
        }
        let quantity = self.amount(rx.dose, rx.most, what.amount)?;
        self.not_too_soon(order.prescription, at)?;
        self.reasons(ask, what, &order, at, quantity)?;
        let drug = &self.drugs[&rx.drug];
        let needed = (drug.controlled && self.policy.witness_controlled)
            || (drug.high_alert && self.policy.witness_high_alert);
        let witness = self.witness(ask, order.ward, needed)?;
        let page = (order.ward, rx.drug);
        let lots = self.spend(page, quantity, ask.now)?;

        self.book(ask, page, -quantity, LedgerReason::Given, witness, &lots);
        let left = Quantity(self.pages[&page].total());
        let id = ask.keys.administration();
        let entry = Entry {
            order: what.order,
            version: order.version,
            ward: order.ward,
            nurse: ask.me,
            witness,
            outcome: GivingOutcome::Given,
            quantity,
            given: at,
            lots,
            reverses: None,
            reversed: false,
            effect: (rx.kind == OrderKind::Prn).then_some(None),
        };
        self.entries.insert(id, entry);
        self.change(ask, what.order, OrderStatus::Completed, None);
        self.open_next(ask, order.prescription, order.ward);
        Ok(Receipt::Given {
            administration: id,
            order: what.order,
            ward: order.ward,
            drug: rx.drug,
            quantity: Quantity(quantity),
            left,
            at: ask.now,
        })
    }

    /// The dose as prescribed, within its range, or more than that as far as any reason goes.
    fn amount(&self, dose: i64, most: Option<i64>, asked: Option<Quantity>) -> Told<i64> {
        let limit =
            i128::from(most.unwrap_or(dose)) * i128::from(self.policy.high_dose_percent) / 100;
        match (asked, most) {
            (None, None) => Ok(dose),
            (None, Some(_)) => invalid("amount"),
            (Some(q), _)
                if q.0 >= dose && i128::from(q.0) <= limit.max(most.unwrap_or(dose).into()) =>
            {
                Ok(q.0)
            }
            (Some(_), _) => no("INVALID_STOCK_QUANTITY", ""),
        }
    }

    fn not_too_soon(&self, prescription: PrescriptionId, at: Timestamp) -> Told<()> {
        let rx = &self.prescriptions[&prescription];
        if (rx.apart, rx.a_day, rx.in_all) == (None, None, None) {
            return Ok(());
        }
        let given = self.given(prescription);
        if rx.in_all.is_some_and(|most| given.len() >= most as usize) {
            return no("INVALID_STATUS_TRANSITION", OrderStatus::Completed);
        }
        // The earliest moment for one more after these.
        let earliest = |before: &[Timestamp]| {
            let by_gap = rx
                .apart
                .zip(before.last())
                .map(|(gap, last)| *last + minutes(gap.into()));
            let by_day = rx.a_day.and_then(|most| {
                let first = before.len().checked_sub(most as usize)?;
                Some(before[first] + minutes(24 * 60))
            });
            by_gap.max(by_day)
        };
        let (mut before, later): (Vec<Timestamp>, Vec<Timestamp>) =
            given.iter().partition(|other| **other <= at);
        if let Some(from) = earliest(&before).filter(|from| *from > at) {
            return no("TOO_SOON", from);
        }
        // It was given before others that are on record: those must still have been allowed after it.
        before.push(at);
        for other in later {
            if earliest(&before).is_some_and(|from| from > other) {
                return no("TOO_SOON", other);
            }
            before.push(other);
        }
        Ok(())
    }

    /// Every reason that is needed is there and is one.
    fn reasons(
        &self,
        ask: &Ask<'_>,
        what: &Giving,
        order: &Order,
        at: Timestamp,
        quantity: i64,
    ) -> Told<()> {
        let why = &what.why;
        let mut missing = 0;
        let prn = self.prescriptions[&order.prescription].kind == OrderKind::Prn;
        let late = ask.now.duration_since(at) > minutes(self.policy.back_entry_minutes.into());
        for (kind, given, needed) in [
            (
                ReasonKind::Indication,
                &why.indication,
                prn && self.policy.indication_needed,
            ),
            (ReasonKind::BackEntry, &why.back_entry, late),
        ] {
            match given {
                Some(reason) => self.reason(kind, reason)?,
                None => missing += usize::from(needed),
            }
        }
        let found = self.warnings(order, at, quantity);
        let answered = |warned: &&Warned| why.warned.is_some() && why.despite.contains(warned);
        missing += found.iter().filter(|warned| !answered(warned)).count();
        if missing > 0 {
            return no("REASON_REQUIRED", format!("{missing} {found:?}"));
        }
        match &why.warned {
            Some(reason) if !found.is_empty() => self.reason(ReasonKind::Override, reason),
            _ => Ok(()),
        }
    }

    /// What needs a reason when so much is given at that moment.
    pub(super) fn warnings(&self, order: &Order, at: Timestamp, quantity: i64) -> Vec<Warned> {
        let rx = &self.prescriptions[&order.prescription];
        let mut found = Vec::new();
        let held = order.held.is_some_and(|until| until > at);
        let due = order.due.map(|due| due.max(order.held.unwrap_or(due)));
        // People read clocks by the minute.
        let late = due.map(|due| at.duration_since(due).as_secs() / 60);
        let early = |limit: u32| late.is_some_and(|late| late < -i64::from(limit));
        let too_late = |limit: u32| late.is_some_and(|late| late > i64::from(limit));
        if held {
            found.push(Warned::Held);
        } else if self.policy.early_minutes.is_some_and(early) {
            found.push(Warned::Early);
        } else if self.policy.late_minutes.is_some_and(too_late) {
            found.push(Warned::Late);
        }
        if let Some(window) = self.policy.same_drug_minutes {
            let near = |(_, entry, other): (&AdministrationId, &Entry, &Order)| {
                let theirs = &self.prescriptions[&other.prescription];
                if (theirs.patient, theirs.drug) != (rx.patient, rx.drug) {
                    return false;
                }
                let mut window = minutes(window.into());
                if other.prescription == order.prescription {
                    // Doses of one prescription may be as near as it has them itself.
                    match (order.due, other.due) {
                        _ if rx.apart.is_some() => return false,
                        (Some(one), Some(two)) => {
                            window = window.min(one.duration_since(two).abs() / 2)
                        }
                        _ => {}
                    }
                }
                at.duration_since(entry.given).abs() < window
            };
            if self.standing().any(near) {
                found.push(Warned::SameDrug);
            }
        }
        let later = |(_, _, other): (&AdministrationId, &Entry, &Order)| {
            other.prescription == order.prescription && order.due.is_some() && other.due > order.due
        };
        if self.policy.later_given && self.standing().any(later) {
            found.push(Warned::LaterGiven);
        }
        if quantity > rx.most.unwrap_or(rx.dose) {
            found.push(Warned::HighDose);
        }
        found
    }

    /// An order changes: its version rises, and it says who did it.
    pub(super) fn change(
        &mut self,
        ask: &Ask<'_>,
        id: OrderId,
        to: OrderStatus,
        held: Option<Timestamp>,
    ) {
        let by = self.name(ask.me);
        let order = self.orders.get_mut(&id).unwrap();
        order.status = to;
        order.held = if to == OrderStatus::Active {
            held
        } else {
            order.held
        };
        order.version += 1;
        (order.by, order.at) = (by, ask.now);
    }

    /// A prescription without times always has one open order, until it is used up.
    fn open_next(
        &mut self,
        ask: &Ask<'_>,
        prescription: PrescriptionId,
        ward: crate::domain::WardId,
    ) {
        let rx = &self.prescriptions[&prescription];
        let used_up = rx
            .in_all
            .is_some_and(|most| self.given(prescription).len() >= most as usize);
        if rx.kind == OrderKind::Timed || used_up {
            return;
        }
        let id = self.claim(prescription, None);
        let order = Order {
            prescription,
            ward,
            due: None,
            held: None,
            status: OrderStatus::Active,
            version: 1,
            by: String::new(),
            at: ask.now,
        };
        self.orders.insert(id, order);
    }

    pub(super) fn not_given(&mut self, ask: &Ask<'_>, what: &NotGiven) -> Told {
        let order = self.open(ask, what.order, what.version)?;
        let kind = match what.outcome {
            GivingOutcome::Given => return invalid("outcome"),
            GivingOutcome::Held => ReasonKind::Held,
            GivingOutcome::Refused => ReasonKind::Refused,
            GivingOutcome::NotAvailable => ReasonKind::NotAvailable,
        };
        self.reason(kind, &what.reason)?;
        if let Some(until) = what.until {
            let week = minutes(7 * 24 * 60);
            let soon = until > ask.now && until.duration_since(ask.now) <= week;
            if what.outcome != GivingOutcome::Held || !soon {
                return invalid("until");
            }
        }
        let id = ask.keys.administration();
        let entry = Entry {
            order: what.order,
            version: order.version,
            ward: order.ward,
            nurse: ask.me,
            witness: None,
            outcome: what.outcome,
            quantity: 0,
            given: ask.now,
            lots: Vec::new(),
            reverses: None,
            reversed: false,
            effect: None,
        };
        self.entries.insert(id, entry);
        if what.until.is_some() {
            self.change(ask, what.order, OrderStatus::Active, what.until);
        } else {
            self.change(ask, what.order, OrderStatus::Completed, None);
            self.open_next(ask, order.prescription, order.ward);
        }
        Ok(Receipt::NotGiven {
            administration: id,
            order: what.order,
            outcome: what.outcome,
            until: what.until,
            at: ask.now,
        })
    }

    pub(super) fn correct(&mut self, ask: &Ask<'_>, what: &Correction) -> Told {
        let Some(entry) = self.entries.get(&what.administration).cloned() else {
            return no("ADMINISTRATION_NOT_FOUND", "");
        };
        self.here(ask, entry.ward)?;
        if self.people[&ask.me].role == Role::Nurse && entry.nurse != ask.me {
            return no("INSUFFICIENT_PERMISSIONS", "");
        }
        let order = self.orders[&entry.order].clone();
        // Only the last word about an order can be taken back, and only once.
        if entry.reverses.is_some() || entry.reversed || entry.version + 1 != order.version {
            return no("ENTRY_CLOSED", "");
        }
        self.reason(ReasonKind::Correction, &what.reason)?;
        let to = self.goes_to(&order, what.reopen)?;
        let rx = self.prescriptions[&order.prescription].clone();
        let written_off = entry.quantity > 0 && what.stock == Restock::WrittenOff;
        let drug = &self.drugs[&rx.drug];
        let watched = (drug.controlled && self.policy.witness_controlled)
            || (drug.high_alert && self.policy.witness_high_alert);
        let witness = self.witness(ask, entry.ward, written_off && watched)?;

        if entry.quantity > 0 {
            let page = (entry.ward, rx.drug);
            self.book(
                ask,
                page,
                entry.quantity,
                LedgerReason::Corrected,
                witness,
                &entry.lots,
            );
            if written_off {
                self.book(
                    ask,
                    page,
                    -entry.quantity,
                    LedgerReason::Wasted,
                    witness,
                    &entry.lots,
                );
            }
        }
        self.change(ask, entry.order, to, None);
        if let Some(order) = self.orders.get_mut(&entry.order) {
            order.held = None;
            if to == OrderStatus::Active {
                // What is open stands where the patient lies.
                order.ward = self.patients[&rx.patient].ward;
            }
        }
        self.entries.get_mut(&what.administration).unwrap().reversed = true;
        let id = ask.keys.administration();
        let reversing = Entry {
            version: order.version,
            nurse: ask.me,
            witness,
            given: ask.now,
            lots: Vec::new(),
            reverses: Some(what.administration),
            effect: None,
            ..entry.clone()
        };
        self.entries.insert(id, reversing);
        Ok(Receipt::Corrected {
            administration: id,
            corrected: what.administration,
            order: entry.order,
            ward: entry.ward,
            drug: rx.drug,
            quantity: Quantity(entry.quantity),
            stock: what.stock,
            reopened: to == OrderStatus::Active,
            at: ask.now,
        })
    }

    fn goes_to(&self, order: &Order, reopen: bool) -> Result<OrderStatus, No> {
        let rx = &self.prescriptions[&order.prescription];
        let in_queue = order.status == OrderStatus::Active;
        let another = self.orders.values().any(|other| {
            other.prescription == order.prescription && other.status == OrderStatus::Active
        });
        match (in_queue, reopen) {
            (true, true) => Ok(OrderStatus::Active),
            (true, false) => invalid("reopen"),
            (false, false) => Ok(OrderStatus::Discontinued),
            (false, true) if rx.status == PrescriptionStatus::Discontinued => invalid("reopen"),
            (false, true) if rx.kind != OrderKind::Timed && another => invalid("reopen"),
            (false, true) => Ok(OrderStatus::Active),
        }
    }

    pub(super) fn note_effect(&mut self, ask: &Ask<'_>, what: &Helped) -> Told {
        let Some(entry) = self.entries.get(&what.administration) else {
            return no("ADMINISTRATION_NOT_FOUND", "");
        };
        self.here(ask, entry.ward)?;
        if entry.effect != Some(None) || entry.reversed {
            return no("ENTRY_CLOSED", "");
        }
        self.reason(ReasonKind::Effect, &what.effect)?;
        self.entries.get_mut(&what.administration).unwrap().effect = Some(Some(ask.me));
        Ok(Receipt::EffectNoted {
            administration: what.administration,
            at: ask.now,
        })
    }

    pub(super) fn stop(&mut self, ask: &Ask<'_>, id: OrderId, version: i64, reason: &str) -> Told {
        let order = self.open(ask, id, version)?;
        if reason.trim().is_empty() || !text_is_kept(reason.trim()) {
            return invalid("reason");
        }
        self.change(ask, id, OrderStatus::Discontinued, None);
        // Without times, the one open order is the prescription.
        if self.prescriptions[&order.prescription].kind != OrderKind::Timed {
            self.end(ask, order.prescription);
        }
        Ok(Receipt::Discontinued {
            order: id,
            at: ask.now,
        })
    }

    /// A prescription ends.
    pub(super) fn end(&mut self, ask: &Ask<'_>, id: PrescriptionId) {
        let by = self.name(ask.me);
        let rx = self.prescriptions.get_mut(&id).unwrap();
        rx.status = PrescriptionStatus::Discontinued;
        rx.version += 1;
        (rx.by, rx.ended) = (by, Some(ask.now));
    }
}
