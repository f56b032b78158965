//! All SQL, and nothing but SQL: connections, rows, migrations, and what database errors mean.
//!
//! This part knows no rules and nothing above it. One text of SQL serves both engines wherever both understand
//! it; where they do not, the two texts stand side by side as an [`Sql::each`].

#[macro_use]
mod link;
pub mod accounts;
pub mod audit;
pub mod board;
pub mod bulk;
pub mod catalogue;
pub mod codes;
mod commits;
pub mod cupboard;
mod db;
pub mod desk;
mod error;
pub mod formulary;
pub mod import;
pub mod inspect;
mod listen;
pub mod listing;
pub mod migrate;
pub mod orders_ahead;
pub mod record;
pub mod reports;
pub mod rights;
pub mod scratch;
pub mod screens;
mod types;
pub mod unseen;
pub mod verify;
pub mod verify_cupboard;

pub use commits::CommitWatch;
pub use db::{Db, Options, is_postgres, redact};
pub use error::StoreError;
pub use link::{Conn, Engine, Link, Sql, Tx};
pub use listen::{Heard, Listener, notify};
pub use types::{At, Day, List, now};
