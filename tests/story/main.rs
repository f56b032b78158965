//! The stories: what ValMed promises, told on SQLite and on PostgreSQL through the program's own parts.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../support/mod.rs"]
#[macro_use]
mod support;

mod as_needed;
mod board;
mod books;
mod codes;
mod commit_cut;
mod corrections;
mod cupboard;
mod doses;
mod dropped;
mod emergency;
mod feed;
mod horizon;
mod hospital;
mod importing;
mod inspect;
mod not_given;
mod patients;
mod prescribing;
mod races;
mod refusals;
mod reports;
mod roles;
mod rounds;
mod schema;
mod server;
mod sign_in;
mod types;
mod unseen;
mod warnings;
mod witness;
mod wrong_scans;
