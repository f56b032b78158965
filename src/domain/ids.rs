//! Identifiers. Wards, drugs and users are integers; whatever people create is a UUIDv7, made at the edge.
//! None of them is gap-free, and none is an order in time.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id!(/// A ward or the central pharmacy: a place that holds stock.
    WardId(i64));
id!(/// A formulary entry.
    DrugId(i64));
id!(/// A person who may sign in.
    UserId(i64));
id!(/// A patient.
    PatientId(Uuid));
id!(/// What a doctor ordered.
    PrescriptionId(Uuid));
id!(/// One dose to give.
    OrderId(Uuid));
id!(/// The record of a dose.
    AdministrationId(Uuid));
id!(/// Stock on its way from one ward to another.
    TransferId(Uuid));
id!(/// What somebody counted.
    CountId(Uuid));
id!(/// Something that is missing or too much, until somebody answers for it.
    DiscrepancyId(Uuid));
id!(/// One thing one person asked for; made before it is sent, and the key of the desk's memory.
    OpId(Uuid));

impl OpId {
    /// The `n`-th of several ids made of this one, the first being itself: for what is asked together and is several
    /// operations. The last bits of a fresh id are random, and a few of them are counted on; whoever asks for the same
    /// again with the same id has the same ids again.
    #[must_use]
    pub fn nth(self, n: usize) -> OpId {
        let n = u128::try_from(n).unwrap_or(0);
        OpId(Uuid::from_u128(self.0.as_u128() ^ n))
    }
}
