//! What a person signed in this session and does not know the outcome of yet.

use crate::domain::OpId;

/// Operations whose outcomes have not come.
#[derive(Debug, Default)]
pub(super) struct Signed {
    waiting: Vec<OpId>,
}

impl Signed {
    /// It is on its way to the desk. The same operation may be sent again.
    pub(super) fn sent(&mut self, op: OpId) {
        if !self.waiting.contains(&op) {
            self.waiting.push(op);
        }
    }

    /// Its outcome has come.
    pub(super) fn answered(&mut self, op: OpId) {
        self.waiting.retain(|waiting| *waiting != op);
    }

    /// Whether every outcome has come.
    pub(super) fn is_settled(&self) -> bool {
        self.waiting.is_empty()
    }
}
