//! The enumerations of the ward. Each is stored as its word, behind a named CHECK constraint.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word in the data that is not one of those expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' is not one of: {expected}")]
pub struct UnknownWord {
    /// What stood there.
    pub found: String,
    /// The words that may stand there, comma-separated.
    pub expected: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word that is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.as_str()) }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok($name::$variant),)+
                    _ => Err(UnknownWord { found: word.to_owned(), expected: [$($word),+].join(", ") }),
                }
            }
        }
    };
}
pub(crate) use words;

words!(/// What kind of place holds the stock.
WardKind {
    /// A ward with patients and a cupboard.
    Ward = "ward",
    /// The central pharmacy.
    Pharmacy = "pharmacy",
});
words!(/// Where an order stands. It leaves `active` once and never returns in this version of the rules.
OrderStatus {
    /// To be given.
    Active = "active",
    /// Given, or otherwise accounted for.
    Completed = "completed",
    /// Stopped before it was given.
    Discontinued = "discontinued",
});
words!(/// Stat orders go first.
Priority {
    /// At once.
    Stat = "stat",
    /// By the clock.
    Routine = "routine",
});
words!(/// How an order came to be, and with it how the queue shows it.
OrderKind {
    /// One dose of a schedule, with a due time.
    Timed = "timed",
    /// As needed: no due time; exactly one is open for each prescription.
    Prn = "prn",
    /// The frequency was not understood ("TITRATE TO RASS"): no due time, read the prescription.
    Unscheduled = "unscheduled",
});
words!(/// What became of a dose.
GivingOutcome {
    /// Given: stock went down.
    Given = "given",
    /// Withheld on clinical grounds.
    Held = "held",
    /// The patient refused it.
    Refused = "refused",
    /// There was none to give.
    NotAvailable = "not_available",
});
words!(/// What becomes of stock that a wrong entry had taken.
Restock {
    /// It is in the cupboard, and always was or is again.
    Back = "back",
    /// It is gone all the same.
    WrittenOff = "written_off",
});
words!(/// What the desk warns of before a dose is given. Each needs a reason.
Warned {
    /// Before its window.
    Early = "early",
    /// After its window.
    Late = "late",
    /// Held, and not back yet.
    Held = "held",
    /// The patient got the same drug a short time before or after.
    SameDrug = "same_drug",
    /// A later dose of the prescription was given already.
    LaterGiven = "later_given",
    /// More than is prescribed.
    HighDose = "high_dose",
});
words!(/// Why a stock changed: the word in each row of the drug register.
LedgerReason {
    /// Came into the ward from outside, or was there when the register began.
    Received = "received",
    /// Given to a patient.
    Given = "given",
    /// Given by mistake in the record: the reversing entry.
    Corrected = "corrected",
    /// Sent to another ward.
    Sent = "sent",
    /// Arrived from another ward.
    Arrived = "arrived",
    /// Returned.
    Returned = "returned",
    /// Destroyed, with a reason.
    Wasted = "wasted",
    /// Changed after a count.
    Adjusted = "adjusted",
});
words!(/// Where a prescription stands.
PrescriptionStatus {
    /// It runs, or is to begin.
    Active = "active",
    /// Its time is over.
    Ended = "ended",
    /// Somebody ended it.
    Discontinued = "discontinued",
});
