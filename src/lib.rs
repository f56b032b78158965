//! ValMed: a medication desk for hospital wards, in the terminal.

// Tests may end loudly; the program may not.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, missing_docs))]

pub mod domain;
pub mod tui;
