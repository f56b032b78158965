//! From the sign key to the outcome: the same for every sheet that asks the desk for something.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{DrugId, OpId, Operation, Outcome, Receipt, Refusal, Request, UserId};
use crate::tui::keymap::Mode;
use crate::tui::model::{Effect, Reply};

use super::Scene;

/// How long a signature may be on its way without a word. An answer mostly takes some hundredths of a second.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// How far a signature has come.
#[derive(Debug, Clone, Default)]
pub enum Signing {
    /// Nothing is signed yet.
    #[default]
    Idle,
    /// The desk has it.
    Sent {
        /// What was signed.
        operation: Operation,
        /// The desk lost its connection and is finding out what became of it.
        checking: bool,
        /// When the key was pressed.
        since: Timestamp,
        /// Longer ago than anybody should be left to wait without a word.
        slow: bool,
    },
    /// It is on record.
    Done(Receipt),
    /// Nothing was recorded.
    Refused {
        /// What was signed.
        operation: Operation,
        /// Why not.
        refusal: Refusal,
    },
    /// It could not be found out in time. Signing again asks what became of it, and does nothing twice.
    Unknown {
        /// What was signed.
        operation: Operation,
    },
}

impl Signing {
    /// Its mode; `None` while nothing is signed.
    pub fn mode(&self) -> Option<Mode> {
        match self {
            Signing::Idle => None,
            Signing::Sent {
                checking: false,
                slow: false,
                ..
            } => Some(Mode::Signing),
            Signing::Sent { .. } => Some(Mode::Checking),
            Signing::Done(_) => Some(Mode::Closed),
            Signing::Refused { refusal, .. } if !worth_repeating(refusal) => Some(Mode::Closed),
            Signing::Refused { .. } => Some(Mode::Again),
            Signing::Unknown { .. } => Some(Mode::Unknown),
        }
    }

    /// Signs, unless a signature is on its way or done. The operation id is a fresh one, but for a signature whose
    /// outcome is unknown, or that was turned away unheard, and that asks for the same thing: that is the same
    /// operation, and the desk does it once.
    pub fn sign(
        &mut self,
        request: Request,
        witness: Option<UserId>,
        drugs: &[DrugId],
        scene: &Scene<'_>,
    ) -> Vec<Effect> {
        let drugs = drugs.to_vec();
        let id = match self {
            Signing::Sent { .. } | Signing::Done(_) => return Vec::new(),
            Signing::Unknown { operation } => {
                // Whatever the sheet says by now: what is asked is what became of the first.
                let operation = operation.clone();
                *self = Signing::Sent {
                    operation: operation.clone(),
                    checking: true,
                    since: scene.context.now,
                    slow: false,
                };
                return vec![Effect::Submit {
                    operation: Box::new(operation),
                    drugs,
                }];
            }
            Signing::Refused { operation, refusal }
                if refusal.is_passing()
                    && operation.request == request
                    && operation.witness == witness =>
            {
                operation.id
            }
            Signing::Refused { .. } | Signing::Idle => scene.context.fresh_op,
        };
        let operation = Operation {
            id,
            actor: scene.actor.id,
            witness,
            request,
        };
        *self = Signing::Sent {
            operation: operation.clone(),
            checking: false,
            since: scene.context.now,
            slow: false,
        };
        vec![Effect::Submit {
            operation: Box::new(operation),
            drugs,
        }]
    }

    /// Takes an answer that is meant for it; others leave it as it is.
    pub fn reply(&mut self, reply: &Reply) {
        let Signing::Sent {
            operation,
            checking,
            ..
        } = self
        else {
            return;
        };
        match reply {
            Reply::Checking(op) if *op == operation.id => *checking = true,
            Reply::Outcome { op, outcome } if *op == operation.id => {
                let operation = operation.clone();
                *self = match outcome {
                    Outcome::Done(receipt) => Signing::Done(receipt.clone()),
                    Outcome::Refused(refusal) => Signing::Refused {
                        operation,
                        refusal: refusal.clone(),
                    },
                    Outcome::Unknown { .. } => Signing::Unknown { operation },
                };
            }
            _ => {}
        }
    }

    /// The clock moved on.
    pub fn tick(&mut self, now: Timestamp) {
        let turns = self.slow_at();
        if let Signing::Sent { slow, .. } = self
            && turns.is_some_and(|at| at <= now)
        {
            *slow = true;
        }
    }

    /// When somebody who still waits then must be told that there is no answer.
    pub fn slow_at(&self) -> Option<Timestamp> {
        match self {
            Signing::Sent {
                since, slow: false, ..
            } => since.checked_add(PATIENCE).ok(),
            _ => None,
        }
    }

    /// The operation whose outcome is not there yet.
    pub fn awaits(&self) -> Option<OpId> {
        match self {
            Signing::Sent { operation, .. } => Some(operation.id),
            _ => None,
        }
    }

    /// Whether nothing has been signed.
    pub fn is_idle(&self) -> bool {
        matches!(self, Signing::Idle)
    }
}

/// Whether signing the same again later may go otherwise. What is over (given, stopped, changed) stays over.
fn worth_repeating(refusal: &Refusal) -> bool {
    refusal.is_passing()
        || matches!(
            refusal,
            Refusal::InsufficientStock { .. }
                | Refusal::TooSoon { .. }
                | Refusal::WitnessRequired { .. }
                | Refusal::WitnessNotValid { .. }
        )
}
