//! Small things that several screens draw with: text by width, fields, lines of styled pieces, bars.

pub mod bar;
pub mod field;
pub mod pen;
pub mod text;

pub use field::Field;
pub use pen::{Line, Pen};
