//! What a person does at a terminal, in the interface's own words.

use crate::tui::{Key, Mouse};

/// What a terminal sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Text at once.
    Paste(String),
    /// The mouse.
    Mouse(Mouse),
    /// Another size: columns, rows.
    Resize(u16, u16),
}
