//! Terminals: what one can do, what its keys mean, and how a screen becomes bytes for it.
//!
//! [`local`] is the terminal that this program was started in. Nothing else here is about the process: a profile, a
//! painter and the meaning of keys are the same for a terminal at the end of a network connection. This part knows
//! nothing of wards.

pub mod decoder;
pub mod input;
#[cfg(unix)]
pub mod local;
pub mod painter;
pub mod profile;

pub use decoder::Decoder;
pub use painter::Painter;
pub use profile::Profile;
