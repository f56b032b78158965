//! A shift: six people, two hundred operations, each a process of the real program, up to five of them at the same
//! moment; and at its end the books are whole, on either engine.
//!
//! It is told on the demo hospital. `VALMED_SHIFT_DATA=DIR` imports the six files in that folder instead, and the script
//! finds its wards, patients and drugs among them.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../support/mod.rs"]
#[macro_use]
mod support;

mod hospital;
mod program;
mod script;

use support::place::Place;

use hospital::Hospital;

/// How many operations the people of a shift ask for.
const OPERATIONS: i64 = 200;

async fn a_shift_of_six_people_leaves_books_that_are_whole(place: Place) {
    let hospital = Hospital::open(&place).await;
    let told = script::shift(&hospital).await;

    assert_eq!(hospital.operations().await, OPERATIONS);
    println!("{:?}: {told}", place.kind);
    hospital.housekeeping(place.kind).await;
    for command in ["verify", "doctor"] {
        let done = hospital.program.run(&[command]);
        let lines: Vec<&str> = done.out.lines().collect();
        assert!(done.code == 0, "{command}:\n{}\n{}", done.out, done.err);
        assert!(
            lines.iter().any(|line| line.starts_with('✓')),
            "{}",
            done.out
        );
        assert!(!done.out.contains('✗'), "{}", done.out);
    }
    let (pages, rows) = hospital.controlled_registers_balance().await;
    println!(
        "{:?}: {pages} registers of controlled drugs balance, {rows} rows of them of this shift",
        place.kind
    );
    assert!(rows > 20, "the shift moved controlled drugs {rows} times");
    hospital.close().await;
}

on_both_engines!(a_shift_of_six_people_leaves_books_that_are_whole);
