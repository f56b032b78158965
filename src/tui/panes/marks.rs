//! Doses of one patient that are marked, to be given together.

use crate::domain::OrderId;
use crate::domain::snapshot::{Patient, QueuedOrder, WardSnapshot};
use crate::tui::words;

/// The most that are marked at once: nobody gives one patient more at one time, and each is a line to be read.
pub const MOST: usize = 40;

/// The marks, by what they stand on and not by where: they survive every change of the queue.
#[derive(Debug, Clone, Default)]
pub struct Marks(Vec<QueuedOrder>);

impl Marks {
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is marked.
    pub fn hold(&self, order: OrderId) -> bool {
        self.0.iter().any(|marked| marked.id == order)
    }

    /// Whose doses they are.
    pub fn patient(&self) -> Option<&Patient> {
        self.0.first().map(|order| order.patient.as_ref())
    }

    /// Marks a dose, or takes its mark away.
    ///
    /// # Errors
    /// In words: the marks are of another patient, and stay; or there are as many as there may be.
    pub fn turn(&mut self, order: &QueuedOrder) -> Result<(), String> {
        if self.hold(order.id) {
            self.take_away(&[order.id]);
            return Ok(());
        }
        self.add(order)
    }

    /// Marks a dose.
    ///
    /// # Errors
    /// As [`Marks::turn`].
    pub fn add(&mut self, order: &QueuedOrder) -> Result<(), String> {
        if let Some(patient) = self.patient().filter(|who| who.id != order.patient.id) {
            return Err(format!(
                "A round is one patient's: the {} marked are for {}. Enter opens them; Esc takes the marks away.",
                self.len(),
                patient.name
            ));
        }
        if self.len() >= MOST {
            return Err(format!(
                "{MOST} doses are marked, and more are not given at once. Enter opens them."
            ));
        }
        if !self.hold(order.id) {
            self.0.push(order.clone());
        }
        Ok(())
    }

    /// Takes these marks away.
    pub fn take_away(&mut self, orders: &[OrderId]) {
        self.0.retain(|marked| !orders.contains(&marked.id));
    }

    /// Takes all marks away.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The marked doses as they are now, in the order of the queue.
    pub fn orders(&self, snapshot: &WardSnapshot) -> Vec<QueuedOrder> {
        let marked = snapshot.orders.iter().filter(|order| self.hold(order.id));
        marked.cloned().collect()
    }

    /// Takes the marks away whose doses are not in the queue any more, and names them.
    pub fn keep(&mut self, snapshot: &WardSnapshot) -> Vec<String> {
        let there = |order: &QueuedOrder| snapshot.orders.iter().any(|other| other.id == order.id);
        let (kept, gone) = std::mem::take(&mut self.0).into_iter().partition(there);
        self.0 = kept;
        gone.iter().map(words::order).collect()
    }
}
