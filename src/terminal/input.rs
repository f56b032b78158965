//! What a person does at a terminal, in the interface's own words.

use crate::tui::{Code, Key, Mouse};

/// What a terminal sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Text at once.
    Paste(String),
    /// What a scanner read: see [`scanner`](super::scanner).
    Scan {
        /// The code; its separators are in it.
        text: String,
        /// The key that the scanner sent behind it: Enter or Tab, where it sends one.
        end: Option<Code>,
    },
    /// The mouse.
    Mouse(Mouse),
    /// Another size: columns, rows.
    Resize(u16, u16),
}
