//! Faults, each of which must be noticed: in the rules themselves, in what the rules say is to be written, and in the
//! database beneath the desk.
//!
//! The first ten stand in the code of [`decide`](crate::domain::decide), compiled for tests only: a guard that is
//! missing, a wrong sign. The next are what a mistake of the desk would be: rows are lost or changed between the rules
//! and the tables. The last are triggers in a real database, so that the whole way down to the file goes wrong.

use super::on_sqlite::{Real, through_the_desk};
use super::{IN_ONE_HOSPITAL, Spoil, in_memory};
use crate::domain::decide::Effects;
use crate::domain::decide::planted::{self, Fault};
use crate::domain::{LedgerReason, Quantity};

/// Hospitals that are looked at before a fault counts as not noticed.
const HOSPITALS: u64 = 20;

/// In how many of some hospitals nothing is noticed, before something is.
fn unnoticed_in(operations: usize, spoil: &Spoil) -> u64 {
    let quiet = |seed: &u64| in_memory(*seed, operations, spoil).is_ok();
    (1..=HOSPITALS).take_while(quiet).count() as u64
}

#[test]
fn without_a_fault_nothing_is_noticed() {
    assert_eq!(unnoticed_in(IN_ONE_HOSPITAL, &|_| {}), HOSPITALS);
}

#[test]
fn ten_faults_in_the_rules_are_each_noticed() {
    for fault in Fault::ALL {
        let quiet = planted::with(fault, || unnoticed_in(IN_ONE_HOSPITAL, &|_| {}));
        assert!(quiet < HOSPITALS, "{fault:?} was not noticed");
    }
}

#[test]
fn rows_that_are_lost_or_changed_on_their_way_are_each_noticed() {
    let spoils: [(&str, &Spoil); 10] = [
        ("a register row is skipped", &|effects: &mut Effects| {
            effects
                .ledger
                .retain(|entry| entry.row.reason != LedgerReason::Given);
        }),
        ("the second row of a write-off is skipped", &|effects| {
            effects.ledger.truncate(1)
        }),
        ("an order stays open", &|effects| effects.closed.clear()),
        ("the next as-needed order does not open", &|effects| {
            effects.opened.clear()
        }),
        ("an administration is not kept", &|effects| {
            effects.administrations.clear()
        }),
        ("who saw it is not kept", &|effects| {
            for entry in &mut effects.administrations {
                entry.witness = None;
            }
        }),
        ("orders do not follow their patient", &|effects| {
            effects.chart.moved.clear()
        }),
        ("a difference is not written", &|effects| {
            effects.cupboard.opened.clear()
        }),
        ("a quantity is one thousandth off", &|effects| {
            for entry in &mut effects.administrations {
                if entry.quantity.is_positive() {
                    entry.quantity = entry.quantity + Quantity(1);
                }
            }
        }),
        ("lots stay what they were", &|effects| {
            for entry in &mut effects.ledger {
                entry.lots.clear();
            }
        }),
    ];
    for (what, spoil) in spoils {
        assert!(
            unnoticed_in(IN_ONE_HOSPITAL, spoil) < HOSPITALS,
            "not noticed: {what}"
        );
    }
}

#[test]
fn a_database_that_does_something_else_is_each_time_noticed() {
    let triggers = [
        (
            "a version is not raised",
            "CREATE TRIGGER fault AFTER UPDATE OF status ON medication_orders WHEN new.status = 'completed' \
             BEGIN UPDATE medication_orders SET version = old.version WHERE id = new.id; END",
        ),
        (
            "a register row is not written",
            "CREATE TRIGGER fault AFTER INSERT ON stock_ledger WHEN new.reason = 'sent' \
             BEGIN DELETE FROM stock_ledger WHERE ward_id = new.ward_id AND drug_id = new.drug_id AND seq = new.seq; END",
        ),
        (
            "a wrong sign",
            "CREATE TRIGGER fault AFTER INSERT ON stock_ledger WHEN new.reason = 'arrived' \
             BEGIN UPDATE stock_ledger SET delta = -delta WHERE ward_id = new.ward_id AND drug_id = new.drug_id \
             AND seq = new.seq; END",
        ),
        (
            "a transfer is on its way for ever",
            "CREATE TRIGGER fault AFTER UPDATE OF received ON drug_transfers WHEN new.status = 'received' \
             BEGIN UPDATE drug_transfers SET status = 'sent', received = NULL, receiver_id = NULL, received_at = NULL \
             WHERE id = new.id; END",
        ),
        (
            "an operation is forgotten",
            "CREATE TRIGGER fault AFTER INSERT ON operations WHEN new.kind = 'waste' \
             BEGIN DELETE FROM operations WHERE op_id = new.op_id; END",
        ),
    ];
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    for (what, trigger) in triggers {
        let quiet = |seed: &u64| {
            let told = runtime.block_on(async {
                let real = Real::open(*seed).await;
                real.plant(trigger).await;
                through_the_desk(real, *seed, 300, 12).await
            });
            told.is_ok()
        };
        assert!((1..=5).any(|seed| !quiet(&seed)), "not noticed: {what}");
    }
}
