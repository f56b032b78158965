//! Terminals: what one can do, what its keys mean, and how a screen becomes bytes for it.
//!
//! [`profile`] says what a terminal can do, [`painter`] makes bytes of a screen for it, and [`decoder`] makes keys of
//! the bytes that it sends; [`scanner`] tells what a scanner types from what a person types. [`local`] is the terminal that this program was started in. Nothing else here is
//! about the process. This part knows nothing of wards.

pub mod decoder;
pub mod input;
#[cfg(unix)]
pub mod local;
pub mod painter;
pub mod profile;
pub mod scanner;

pub use decoder::Decoder;
pub use painter::Painter;
pub use profile::Profile;
pub use scanner::Scanner;
