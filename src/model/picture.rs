//! Everything that is on record, line by line: the same lines from the model and from whatever is compared with it.

use std::fmt::{Display, Write};

use jiff::Timestamp;

use super::rules::Model;
use crate::domain::OrderStatus;

/// Lines in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Picture(Vec<String>);

impl Picture {
    pub fn of(mut lines: Vec<String>) -> Picture {
        lines.sort_unstable();
        Picture(lines)
    }

    /// What stands in one and not in the other; nothing where they are the same.
    pub fn differences(&self, model: &Picture) -> Option<String> {
        if self == model {
            return None;
        }
        let mut told = String::new();
        let missing = |one: &Picture, other: &Picture| -> Vec<String> {
            let lines = one
                .0
                .iter()
                .filter(|line| other.0.binary_search(line).is_err());
            lines.take(12).cloned().collect()
        };
        for line in missing(self, model) {
            let _ = writeln!(told, "  on record:  {line}");
        }
        for line in missing(model, self) {
            let _ = writeln!(told, "  should be:  {line}");
        }
        Some(told)
    }
}

/// What there may be none of.
pub(super) fn or_dash(what: Option<impl Display>) -> String {
    what.map_or_else(|| "-".to_owned(), |what| what.to_string())
}

pub(super) fn micros(at: Option<Timestamp>) -> String {
    or_dash(at.map(|at| at.as_microsecond()))
}

/// A key as databases print it.
pub(super) fn hex(key: uuid::Uuid) -> String {
    key.simple().to_string()
}

impl Model {
    pub(super) fn picture(&self) -> Picture {
        let mut lines = self.shelves();
        lines.extend(self.treatment());
        lines.extend(self.papers());
        Picture::of(lines)
    }

    fn shelves(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for ((ward, drug), page) in &self.pages {
            let (total, rows, levels) = (page.total(), page.rows.len(), &page.levels);
            let (low, par, shelf) = (levels.threshold.0, levels.par.0, &levels.shelf);
            lines.push(format!(
                "stock {ward} {drug} {total} rows {rows} low {low} par {par} shelf {shelf}"
            ));
            let mut balance = 0;
            for (row, seq) in page.rows.iter().zip(1..) {
                balance += row.delta;
                lines.push(format!(
                    "row {ward} {drug} {seq} {} {balance} {} {} {} {} {}",
                    row.delta,
                    row.reason,
                    row.by,
                    or_dash(row.witness),
                    row.at.as_microsecond(),
                    hex(row.op.0)
                ));
            }
            for (lot, quantity) in &page.lots {
                lines.push(format!("lot {ward} {drug} {lot} {quantity}"));
            }
        }
        for ((drug, lot), known) in &self.lots {
            let (expires, recalled) = (or_dash(known.expires), i32::from(known.recalled));
            lines.push(format!("known {drug} {lot} {expires} {recalled}"));
        }
        lines
    }

    fn treatment(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (id, order) in &self.orders {
            let held = order.held.filter(|_| order.status == OrderStatus::Active);
            lines.push(format!(
                "order {} {} {} {} due {} held {}",
                hex(id.0),
                order.status,
                order.version,
                order.ward,
                micros(order.due),
                micros(held)
            ));
        }
        for (id, entry) in &self.entries {
            lines.push(format!(
                "entry {} {} {} {} {} {} {} {} {} {}",
                hex(id.0),
                hex(entry.order.0),
                entry.version,
                entry.ward,
                entry.nurse,
                or_dash(entry.witness),
                entry.given.as_microsecond(),
                entry.outcome,
                entry.quantity,
                or_dash(entry.reverses.map(|id| hex(id.0)))
            ));
            if let Some(noted) = entry.effect {
                lines.push(format!("effect {} {}", hex(id.0), or_dash(noted)));
            }
        }
        for (id, rx) in &self.prescriptions {
            lines.push(format!(
                "prescription {} {} {} {} {} {} {}",
                hex(id.0),
                hex(rx.patient.0),
                rx.drug,
                rx.dose,
                or_dash(rx.most),
                rx.status,
                rx.version
            ));
        }
        for patient in self.patients.values() {
            lines.push(format!(
                "patient {} {} {} {} {} {} {}",
                patient.mrn,
                patient.name,
                patient.ward,
                patient.bed,
                patient.version,
                micros(patient.left),
                patient.allergies
            ));
        }
        lines
    }

    fn papers(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (id, t) in &self.transfers {
            let (received, status) = (or_dash(t.received), t.status);
            let key = hex(id.0);
            lines.push(format!(
                "transfer {key} {} {} {} {} {received} {status}",
                t.from, t.to, t.drug, t.quantity
            ));
            for (lot, sent, received) in &t.lots {
                lines.push(format!("sent {key} {lot} {sent} {}", or_dash(*received)));
            }
        }
        for (id, d) in &self.differences {
            let (key, how) = (hex(id.0), or_dash(d.resolution));
            lines.push(format!(
                "difference {key} {} {} {} {} {how}",
                d.ward, d.drug, d.quantity, d.status
            ));
        }
        for (id, c) in &self.counts {
            let (key, witness) = (hex(id.0), or_dash(c.witness));
            lines.push(format!(
                "count {key} {} {} {} {} {} {witness}",
                c.ward, c.drug, c.counted, c.expected, c.status
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
                access.who,
                access.ward
            ));
        }
        lines
    }
}
