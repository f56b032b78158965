//! The model's rules of the cupboard: what comes, goes, is sent, counted, set right and blocked.

use jiff::Timestamp;
use jiff::civil::Date;

use super::rules::{
    Ask, Count, Difference, Lot as Known, Model, Page, Row, Told, Transfer, invalid, no,
};
use super::stays::said;
use crate::domain::cupboard::{
    CountStatus, DiscrepancyStatus, Levels, Lot, Resolution, TransferStatus, Verdict,
};
use crate::domain::operation::Part;
use crate::domain::quantity::LARGEST;
use crate::domain::reason::{Reason, ReasonKind};
use crate::domain::{
    DiscrepancyId, DrugId, LedgerReason, Quantity, Receipt, TransferId, UserId, WardId,
};

type Where = (WardId, DrugId);
type Lots = Vec<(String, i64)>;

impl Model {
    /// The place, if there is one and the person may act there.
    fn place(&self, ask: &Ask<'_>, (ward, drug): Where) -> Told<()> {
        if !self.wards.contains_key(&ward) {
            return invalid("ward");
        }
        self.here(ask, ward)?;
        if !self.drugs.contains_key(&drug) {
            return no("DRUG_NOT_FOUND", "");
        }
        Ok(())
    }

    fn page(&self, at: Where) -> Told<&Page> {
        self.pages
            .get(&at)
            .map_or_else(|| no("DRUG_NOT_FOUND", ""), Ok)
    }

    /// A row of the register, and what it does to the lots.
    pub(super) fn book(
        &mut self,
        ask: &Ask<'_>,
        at: Where,
        delta: i64,
        reason: LedgerReason,
        witness: Option<UserId>,
        lots: &[(String, i64)],
    ) {
        let page = self.pages.entry(at).or_default();
        page.rows.push(Row {
            delta,
            reason,
            by: ask.me,
            witness,
            at: ask.now,
            op: ask.op.id,
        });
        for (lot, quantity) in lots {
            *page.lots.entry(lot.clone()).or_default() += delta.signum() * quantity;
        }
        page.lots.retain(|_, quantity| *quantity != 0);
    }

    /// Those of these lots that may or may not be used on a day, soonest expiry first.
    fn sorted(&self, (ward, drug): Where, now: Timestamp) -> (Vec<Stored>, Vec<Stored>) {
        let today = self.day(ward, now);
        let Some(page) = self.pages.get(&(ward, drug)) else {
            return Default::default();
        };
        let mut lots: Vec<Stored> = page
            .lots
            .iter()
            .map(|(lot, quantity)| {
                let known = self.lots[&(drug, lot.clone())];
                let expires = known.expires.unwrap();
                (
                    expires,
                    lot.clone(),
                    *quantity,
                    known.recalled,
                    known.recalled || expires < today,
                )
            })
            .map(|(expires, lot, quantity, recalled, blocked)| Stored {
                expires,
                lot,
                quantity,
                recalled,
                blocked,
            })
            .collect();
        lots.sort();
        lots.into_iter().partition(|lot| !lot.blocked)
    }

    /// From which lots so much is taken for use; what they do not cover has no lot.
    pub(super) fn spend(&self, at: Where, quantity: i64, now: Timestamp) -> Told<Lots> {
        let total = self.page(at)?.total();
        if total < quantity {
            return no("INSUFFICIENT_STOCK", format!("{quantity} of {total}"));
        }
        let (usable, blocked) = self.sorted(at, now);
        let recalled: i64 = blocked
            .iter()
            .filter(|lot| lot.recalled)
            .map(|lot| lot.quantity)
            .sum();
        let expired: i64 = blocked
            .iter()
            .filter(|lot| !lot.recalled)
            .map(|lot| lot.quantity)
            .sum();
        let rest = total - recalled - expired;
        if rest < quantity {
            return no(
                "STOCK_BLOCKED",
                format!("{quantity} of {rest} ({expired} {recalled})"),
            );
        }
        Ok(take(&usable, quantity).0)
    }

    /// From which lots it is taken that there is less than there should be: what is blocked last of all.
    fn lost(&self, at: Where, quantity: i64, now: Timestamp) -> Told<Lots> {
        let page = self.page(at)?;
        let total = page.total();
        if total < quantity {
            return no("INSUFFICIENT_STOCK", format!("{quantity} of {total}"));
        }
        let without_lot = total - page.lots.values().sum::<i64>();
        let (usable, blocked) = self.sorted(at, now);
        let (mut taken, left) = take(&usable, quantity);
        taken.extend(take(&blocked, left - left.min(without_lot)).0);
        Ok(taken)
    }

    /// All of one lot, whatever is the matter with it.
    fn of_one(&self, at: Where, lot: &str, quantity: i64) -> Told<Lots> {
        let has = self.page(at)?.in_lot(lot);
        if has == 0 {
            return invalid("lot");
        }
        if has < quantity {
            return no("INSUFFICIENT_STOCK", format!("{quantity} of {has}"));
        }
        Ok(vec![(lot.to_owned(), quantity)])
    }

    fn room(&self, at: Where, more: i64) -> Told<()> {
        let held = self.pages.get(&at).map_or(0, Page::total);
        if more > LARGEST.0 || held + more > LARGEST.0 {
            return no("INVALID_STOCK_QUANTITY", "");
        }
        Ok(())
    }

    fn is_controlled(&self, drug: DrugId) -> bool {
        self.drugs[&drug].controlled
    }

    fn total(&self, at: Where) -> Quantity {
        Quantity(self.pages.get(&at).map_or(0, Page::total))
    }

    pub(super) fn receive(
        &mut self,
        ask: &Ask<'_>,
        at: Where,
        quantity: i64,
        reference: &str,
        lot: Option<&Lot>,
    ) -> Told {
        self.place(ask, at)?;
        if quantity <= 0 {
            return no("INVALID_STOCK_QUANTITY", "");
        }
        let reference = reference.trim();
        if reference.chars().count() > 100 || reference.contains(char::is_control) {
            return invalid("reference");
        }
        self.room(at, quantity)?;
        let mut lots = Lots::new();
        if let Some(lot) = lot {
            let known = self.lots.get(&(at.1, lot.lot.clone())).copied();
            let named = (1..=20).contains(&lot.lot.chars().count()) && lot.lot.trim() == lot.lot;
            let another =
                known.is_some_and(|known| known.recalled || known.expires != Some(lot.expires_on));
            if !named || !said(&lot.lot) || lot.expires_on < self.day(at.0, ask.now) || another {
                return invalid("lot");
            }
            lots.push((lot.lot.clone(), quantity));
        }
        let witness = self.witness(ask, at.0, false)?;
        if let Some(lot) = lot {
            let known = Known {
                expires: Some(lot.expires_on),
                recalled: false,
            };
            self.lots.insert((at.1, lot.lot.clone()), known);
        }
        self.book(ask, at, quantity, LedgerReason::Received, witness, &lots);
        Ok(Receipt::Received {
            ward: at.0,
            drug: at.1,
            quantity: Quantity(quantity),
            holds: self.total(at),
            at: ask.now,
        })
    }

    pub(super) fn send(
        &mut self,
        ask: &Ask<'_>,
        (from, to): (WardId, WardId),
        drug: DrugId,
        quantity: i64,
        note: &str,
    ) -> Told {
        self.place(ask, (from, drug))?;
        if from == to || !self.wards.contains_key(&to) {
            return invalid("destination");
        }
        if quantity <= 0 || quantity > LARGEST.0 {
            return no("INVALID_STOCK_QUANTITY", "");
        }
        if note.trim().chars().count() > 100 || note.trim().contains(char::is_control) {
            return invalid("note");
        }
        let lots = self.spend((from, drug), quantity, ask.now)?;
        let witness = self.witness(ask, from, false)?;
        self.book(
            ask,
            (from, drug),
            -quantity,
            LedgerReason::Sent,
            witness,
            &lots,
        );
        let id = ask.keys.transfer();
        let transfer = Transfer {
            drug,
            from,
            to,
            quantity,
            received: None,
            status: TransferStatus::Sent,
            receiver: None,
            lots: lots
                .into_iter()
                .map(|(lot, sent)| (lot, sent, None))
                .collect(),
        };
        self.transfers.insert(id, transfer);
        Ok(Receipt::Sent {
            transfer: id,
            ward: from,
            destination: to,
            drug,
            quantity: Quantity(quantity),
            left: self.total((from, drug)),
            at: ask.now,
        })
    }

    pub(super) fn arrive(&mut self, ask: &Ask<'_>, id: TransferId, received: i64) -> Told {
        let Some(transfer) = self.transfers.get(&id).cloned() else {
            return no("NOT_FOUND", "");
        };
        let at = (transfer.to, transfer.drug);
        self.place(ask, at)?;
        if let Some((by, at)) = transfer.receiver {
            return no("ALREADY_DONE", format!("{by} {at}"));
        }
        if received < 0 || received > transfer.quantity {
            return no("INVALID_STOCK_QUANTITY", "");
        }
        self.room(at, received)?;
        let witness = self.witness(ask, at.0, false)?;
        let mut left = received;
        let lots: Lots = transfer
            .lots
            .iter()
            .map(|(lot, sent, _)| {
                let part = left.min(*sent);
                left -= part;
                (lot.clone(), part)
            })
            .collect();
        if received > 0 {
            self.book(ask, at, received, LedgerReason::Arrived, witness, &lots);
        }
        let missing = transfer.quantity - received;
        let discrepancy = (missing > 0).then(|| ask.keys.discrepancy());
        if let Some(key) = discrepancy {
            self.differ(ask, key, at, -missing, Some(id), DiscrepancyStatus::Open);
        }
        let me = self.name(ask.me);
        let known = self.transfers.get_mut(&id).unwrap();
        known.received = Some(received);
        known.receiver = Some((me, ask.now));
        known.status = if missing > 0 {
            TransferStatus::Short
        } else {
            TransferStatus::Received
        };
        for ((_, _, arrived), (_, part)) in known.lots.iter_mut().zip(&lots) {
            *arrived = Some(*part);
        }
        Ok(Receipt::Arrived {
            transfer: id,
            ward: at.0,
            drug: at.1,
            quantity: Quantity(received),
            missing: Quantity(missing),
            discrepancy,
            holds: self.total(at),
            at: ask.now,
        })
    }

    /// A difference comes up.
    fn differ(
        &mut self,
        ask: &Ask<'_>,
        id: DiscrepancyId,
        (ward, drug): Where,
        quantity: i64,
        transfer: Option<TransferId>,
        status: DiscrepancyStatus,
    ) {
        let found = (self.name(ask.me), ask.now);
        let new = Difference {
            ward,
            drug,
            quantity,
            transfer,
            status,
            resolution: None,
            found,
            settled: None,
        };
        self.differences.insert(id, new);
    }

    fn settle(&mut self, ask: &Ask<'_>, id: DiscrepancyId, how: Resolution) {
        let settled = Some((self.name(ask.me), ask.now));
        let known = self.differences.get_mut(&id).unwrap();
        known.status = DiscrepancyStatus::Resolved;
        known.resolution = Some(how);
        known.settled = settled;
    }

    fn difference(&self, id: DiscrepancyId) -> Told<Difference> {
        let found = self.differences.get(&id);
        found.map_or_else(|| no("NOT_FOUND", ""), |found| Ok(found.clone()))
    }

    pub(super) fn resolve_transfer(
        &mut self,
        ask: &Ask<'_>,
        id: DiscrepancyId,
        how: Resolution,
        reason: &Reason,
    ) -> Told {
        let found = self.difference(id)?;
        let Some(transfer) = found.transfer else {
            return invalid("discrepancy");
        };
        let sent = self.transfers[&transfer].clone();
        let ward = match how {
            Resolution::Explained => return invalid("how"),
            Resolution::Returned => sent.from,
            Resolution::Found | Resolution::Lost => sent.to,
        };
        let at = (ward, found.drug);
        self.place(ask, at)?;
        if let Some((by, at)) = found.settled {
            return no("ALREADY_DONE", format!("{by} {at}"));
        }
        let lost = how == Resolution::Lost;
        if lost || *reason != Reason::default() {
            self.reason(ReasonKind::Discrepancy, reason)?;
        }
        let witness = self.witness(ask, ward, lost)?;
        let quantity = -found.quantity;
        if !lost {
            self.room(at, quantity)?;
            let mut left = quantity;
            let mut lots = Lots::new();
            for (lot, sent, received) in &sent.lots {
                let part = left.min(sent - received.unwrap_or(0));
                left -= part;
                lots.push((lot.clone(), part));
            }
            let booked = if how == Resolution::Returned {
                LedgerReason::Returned
            } else {
                LedgerReason::Arrived
            };
            self.book(ask, at, quantity, booked, witness, &lots);
        }
        self.settle(ask, id, how);
        self.transfers.get_mut(&transfer).unwrap().status = TransferStatus::Resolved;
        Ok(Receipt::Resolved {
            discrepancy: id,
            how,
            ward,
            drug: found.drug,
            quantity: Quantity(quantity),
            holds: (!lost).then(|| self.total(at)),
            at: ask.now,
        })
    }

    pub(super) fn take_out(
        &mut self,
        ask: &Ask<'_>,
        what: &Part,
        reason: &Reason,
        wasted: bool,
    ) -> Told {
        let at = (what.ward, what.drug);
        let quantity = what.quantity.0;
        self.place(ask, at)?;
        if quantity <= 0 || quantity > LARGEST.0 {
            return no("INVALID_STOCK_QUANTITY", "");
        }
        self.page(at)?;
        self.reason(
            if wasted {
                ReasonKind::Waste
            } else {
                ReasonKind::Return
            },
            reason,
        )?;
        let lots = match &what.lot {
            Some(lot) => self.of_one(at, lot.trim(), quantity)?,
            None => self.spend(at, quantity, ask.now)?,
        };
        let witness = self.witness(ask, at.0, wasted && self.is_controlled(at.1))?;
        let booked = if wasted {
            LedgerReason::Wasted
        } else {
            LedgerReason::Returned
        };
        Ok(self.booked(ask, at, -quantity, booked, witness, &lots))
    }

    fn booked(
        &mut self,
        ask: &Ask<'_>,
        at: Where,
        delta: i64,
        reason: LedgerReason,
        witness: Option<UserId>,
        lots: &[(String, i64)],
    ) -> Receipt {
        self.book(ask, at, delta, reason, witness, lots);
        Receipt::Booked {
            reason,
            ward: at.0,
            drug: at.1,
            quantity: Quantity(delta),
            holds: self.total(at),
            at: ask.now,
        }
    }

    pub(super) fn adjust(&mut self, ask: &Ask<'_>, what: &Part, reason: &Reason) -> Told {
        let at = (what.ward, what.drug);
        let by = what.quantity.0;
        self.place(ask, at)?;
        if by == 0 || by.checked_abs().is_none_or(|by| by > LARGEST.0) {
            return no("INVALID_STOCK_QUANTITY", "");
        }
        self.reason(ReasonKind::Adjust, reason)?;
        self.page(at)?;
        let lots = match &what.lot {
            Some(lot) if by > 0 => {
                let known = self.lots.get(&(at.1, lot.clone()));
                if known.and_then(|known| known.expires).is_none() {
                    return invalid("lot");
                }
                vec![(lot.clone(), by)]
            }
            Some(lot) => self.of_one(at, lot.trim(), -by)?,
            None if by > 0 => Lots::new(),
            None => self.lost(at, -by, ask.now)?,
        };
        if by > 0 {
            self.room(at, by)?;
        }
        let witness = self.witness(ask, at.0, self.is_controlled(at.1))?;
        Ok(self.booked(ask, at, by, LedgerReason::Adjusted, witness, &lots))
    }

    pub(super) fn count(&mut self, ask: &Ask<'_>, at: Where, seq: i64, counted: i64) -> Told {
        self.place(ask, at)?;
        if !(0..=LARGEST.0).contains(&counted) {
            return no("INVALID_STOCK_QUANTITY", "");
        }
        let page = self.page(at)?;
        let (expected, last) = (page.total(), page.rows.len() as i64);
        let witness = self.witness(ask, at.0, self.is_controlled(at.1))?;
        let unexplained = |found: &&Difference| {
            (found.ward, found.drug) == at && found.status == DiscrepancyStatus::Unexplained
        };
        if let Some(found) = self.differences.values().find(unexplained) {
            return no(
                "ALREADY_DONE",
                format!("{} {}", found.found.0, found.found.1),
            );
        }
        if last != seq {
            return no("COUNT_STALE", last - seq);
        }
        let first = self
            .counts
            .iter()
            .find(|(_, count)| {
                (count.ward, count.drug) == at && count.status == CountStatus::Recount
            })
            .map(|(id, _)| *id);
        let (status, verdict) = if counted == expected {
            (CountStatus::Agrees, Verdict::Agrees)
        } else if first.is_none() {
            (CountStatus::Recount, Verdict::Recount)
        } else {
            let discrepancy = ask.keys.discrepancy();
            let difference = counted - expected;
            self.differ(
                ask,
                discrepancy,
                at,
                difference,
                None,
                DiscrepancyStatus::Unexplained,
            );
            let difference = Quantity(difference);
            (
                CountStatus::Differs,
                Verdict::Differs {
                    difference,
                    discrepancy,
                },
            )
        };
        if let Some(first) = first {
            self.counts.get_mut(&first).unwrap().status = CountStatus::Recounted;
        }
        let id = ask.keys.count();
        let count = Count {
            ward: at.0,
            drug: at.1,
            counted,
            expected,
            status,
            witness,
        };
        self.counts.insert(id, count);
        Ok(Receipt::Counted {
            count: id,
            ward: at.0,
            drug: at.1,
            verdict,
            at: ask.now,
        })
    }

    pub(super) fn explain(&mut self, ask: &Ask<'_>, id: DiscrepancyId, reason: &Reason) -> Told {
        let found = self.difference(id)?;
        let at = (found.ward, found.drug);
        self.place(ask, at)?;
        if found.transfer.is_some() {
            return invalid("discrepancy");
        }
        if let Some((by, at)) = found.settled {
            return no("ALREADY_DONE", format!("{by} {at}"));
        }
        if found.status != DiscrepancyStatus::Unexplained {
            return invalid("discrepancy");
        }
        self.reason(ReasonKind::Discrepancy, reason)?;
        let witness = self.witness(ask, at.0, self.is_controlled(at.1))?;
        let lots = if found.quantity > 0 {
            self.room(at, found.quantity)?;
            Lots::new()
        } else {
            self.lost(at, -found.quantity, ask.now)?
        };
        self.book(
            ask,
            at,
            found.quantity,
            LedgerReason::Adjusted,
            witness,
            &lots,
        );
        let open = self.is_controlled(at.1) || self.policy.every_difference_stays_open;
        if open {
            self.differences.get_mut(&id).unwrap().status = DiscrepancyStatus::Open;
        } else {
            self.settle(ask, id, Resolution::Explained);
        }
        Ok(Receipt::Explained {
            discrepancy: id,
            ward: at.0,
            drug: at.1,
            quantity: Quantity(found.quantity),
            holds: self.total(at),
            open,
            at: ask.now,
        })
    }

    pub(super) fn resolve_count(
        &mut self,
        ask: &Ask<'_>,
        id: DiscrepancyId,
        reason: &Reason,
    ) -> Told {
        let found = self.difference(id)?;
        self.place(ask, (found.ward, found.drug))?;
        if found.transfer.is_some() {
            return invalid("discrepancy");
        }
        if let Some((by, at)) = found.settled {
            return no("ALREADY_DONE", format!("{by} {at}"));
        }
        self.reason(ReasonKind::Discrepancy, reason)?;
        self.witness(ask, found.ward, false)?;
        self.settle(ask, id, Resolution::Explained);
        Ok(Receipt::Resolved {
            discrepancy: id,
            how: Resolution::Explained,
            ward: found.ward,
            drug: found.drug,
            quantity: Quantity::ZERO,
            holds: None,
            at: ask.now,
        })
    }

    pub(super) fn recall(&mut self, ask: &Ask<'_>, drug: DrugId, lot: &str, reason: &str) -> Told {
        if !self.drugs.contains_key(&drug) {
            return no("NOT_FOUND", "");
        }
        let lot = lot.trim();
        if lot.chars().count() > 20 || !said(lot) {
            return invalid("lot");
        }
        if !said(reason) {
            return invalid("reason");
        }
        let key = (drug, lot.to_owned());
        let expires = match self.lots.get(&key) {
            Some(known) if known.recalled => return invalid("lot"),
            Some(known) => known.expires,
            None => None,
        };
        self.lots.insert(
            key,
            Known {
                expires,
                recalled: true,
            },
        );
        let held: Vec<i64> = self
            .pages
            .iter()
            .filter(|((_, of), _)| *of == drug)
            .map(|(_, page)| page.in_lot(lot))
            .filter(|quantity| *quantity > 0)
            .collect();
        Ok(Receipt::Recalled {
            drug,
            lot: lot.to_owned(),
            wards: held.len(),
            held: Quantity(held.iter().sum()),
            at: ask.now,
        })
    }

    pub(super) fn set_levels(
        &mut self,
        ask: &Ask<'_>,
        at: Where,
        was: &Levels,
        levels: &Levels,
    ) -> Told {
        self.place(ask, at)?;
        let range = Quantity::ZERO..=LARGEST;
        if !range.contains(&levels.threshold) || !range.contains(&levels.par) {
            return no("INVALID_STOCK_QUANTITY", "");
        }
        if levels.par.is_positive() && levels.par < levels.threshold {
            return invalid("par");
        }
        let shelf = levels.shelf.trim();
        if shelf.chars().count() > 20 || shelf.contains(char::is_control) {
            return invalid("shelf");
        }
        let page = self.pages.get(&at);
        let now = page.map(|page| page.levels.clone()).unwrap_or_default();
        if now != *was {
            return no(
                "LEVELS_CHANGED",
                format!("{} {}", now.threshold.0, now.par.0),
            );
        }
        let levels = Levels {
            shelf: shelf.to_owned(),
            ..levels.clone()
        };
        self.pages.entry(at).or_default().levels = levels.clone();
        Ok(Receipt::LevelsSet {
            ward: at.0,
            drug: at.1,
            levels,
            at: ask.now,
        })
    }
}

/// A lot in a cupboard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Stored {
    expires: Date,
    lot: String,
    quantity: i64,
    recalled: bool,
    blocked: bool,
}

/// Takes so much out of these, and says what they could not cover.
fn take(lots: &[Stored], quantity: i64) -> (Lots, i64) {
    let mut left = quantity;
    let mut taken = Lots::new();
    for lot in lots {
        let part = left.min(lot.quantity);
        if part > 0 {
            taken.push((lot.lot.clone(), part));
            left -= part;
        }
    }
    (taken, left)
}
