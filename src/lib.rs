//! ValMed: a medication desk for hospital wards, in the terminal.
//!
//! # The map
//!
//! What each part is for, in the order in which a dose passes them, and what each must know nothing of. Changes go one
//! way, through [`desk`]; what screens show comes back another way, through [`feed`].
//!
//! [`cli`] and [`commands`]: the command line as types, and one thin file for each command: parse, call, print. Exit
//! codes are made here. `anyhow` is here and nowhere else, and nothing but `main` imports `commands`. A command holds no
//! rule of a ward: what `valmed fulfil` may do is decided where the sheet of a dose is decided.
//!
//! [`config`]: the settings, each with its limits and its reason. It knows the parts that it sets up; none of them knows
//! it. They take plain structs, so a test sets up a desk without a file or an environment.
//!
//! [`interop`]: data from other systems: the six files of an import, row by row, and the demo ward, which is imported
//! like any other; and a made-up hospital of any size, which is written in bulk for benches. A row that cannot be taken
//! is named, never dropped. It writes wards, people, drugs, prescriptions and the first row of a page of the drug
//! register, and takes back open orders that a changed prescription made wrong. It gives no dose.
//!
//! [`terminal`]: bytes to keys and scans, cells to bytes, what a terminal can do, and the local one, which is always given back.
//! Its painter is the last place where a control sequence from data could pass, and none does. It knows nothing of
//! doses, databases or sessions; from [`tui`] it takes what a key, a palette and a charset are, and what the theme says of a
//! row that is read aloud, no more.
//!
//! [`tui`]: the interface. `update` takes a message and says what should be done; `draw` makes cells from the model.
//! Neither does I/O, reads a clock, makes an id or waits; both are driven by tests with plain values. No `tokio`, no
//! database, no [`desk`], no [`feed`] here: only `domain` types. A colour is named in its theme only. Every key is in
//! its one table.
//!
//! [`session`]: the loop that joins interface, desk, feed and a terminal for one person. It carries out what `tui` asks
//! for, in tasks of their own, and brings the answers back as messages. It holds no state of the process, so that many
//! can run in one; signals and the panic hook belong to the local terminal alone. It never waits for the database
//! between a key and its frame, nor for its terminal: what a slow one could not be shown is never drawn. It never drops
//! a write: it hands it to the desk, which finishes it. `session::wire` runs it at the end of any line of bytes.
//!
//! [`server`]: SSH. It takes connections within limits, finds out by a signature or a PIN who is there, and runs a session
//! for each; who that is never comes from what was only said. It draws nothing and decides nothing of a ward, knows no
//! command line (it starts this program anew for one), and nobody at work waits for somebody else's terminal in it.
//!
//! [`signin`]: who somebody is: argon2id, few hashes at once, growing delays that the database remembers. It decides
//! nothing about what they may do.
//!
//! [`desk`]: the only way to prescribe, give a dose, stop one, change what a cupboard holds or should hold, or where a
//! patient lies. An operation waits in the lane of its drug and goes with others into one transaction: load and lock
//! ([`store`]), decide ([`domain`]), apply ([`store`]), COMMIT. It tries
//! again, finds out what became of a COMMIT whose answer was lost, and remembers outcomes by operation id. There is no
//! SQL here and no business rule. Beside it, `horizon` turns prescriptions into orders, ahead of time.
//!
//! [`domain`]: the ward's words and rules. `decide` is a pure function from what was loaded and what is asked to what is
//! to be written, or a refusal; `schedule` reads frequencies. It imports nothing else of ours: no `sqlx`, no `tokio`, no
//! `ratatui`, no clock, no random number. A rule of the ward that is found anywhere else is a mistake.
//!
//! [`store`]: all SQL and nothing but SQL, one text for SQLite and PostgreSQL, migrations, and the one place where
//! constraint names and error codes are read. No other part imports `sqlx`. It knows no rule: it writes what was
//! decided, and asserts how many rows that was.
//!
//! [`feed`]: how a screen learns what changed, from this process or another: hints after COMMIT, a snapshot for each
//! watched ward, and a slow full check behind both. It never writes to the tables, and nothing depends on a hint
//! arriving.
//!
//! [`verify`]: the books checked from the outside: the register recomputed row by row with [`domain`]'s hash, and the
//! rules between the tables asked of the database. It trusts nothing that the desk did.
//!
//! What points down only: `commands` → `server` → `session` → `tui`, `desk`, `feed` → `store` → `domain`.

// Tests may end loudly; the program may not.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, missing_docs))]

pub mod cli;
pub mod commands;
pub mod config;
pub mod desk;
pub mod domain;
pub mod feed;
pub mod interop;
#[cfg(test)]
mod model;
pub mod server;
pub mod session;
pub mod signin;
pub mod store;
pub mod terminal;
pub mod tui;
pub mod verify;
