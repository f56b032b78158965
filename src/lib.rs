//! ValMed: a medication desk for hospital wards, in the terminal.

// Tests may end loudly; the program may not.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, missing_docs))]

pub mod cli;
pub mod commands;
pub mod config;
pub mod desk;
pub mod domain;
pub mod feed;
pub mod interop;
pub mod session;
pub mod signin;
pub mod store;
pub mod terminal;
pub mod tui;
pub mod verify;
