//! Faults that a test plants in the rules for its own thread, to see whether the model would notice them. They are not in
//! the program: this file and every place that asks it are compiled for tests only.

use std::cell::Cell;

use jiff::civil::date;

use super::Stock;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Whatever version was on the screen, it may be signed.
    AnyVersion,
    /// Whoever has the role may act in every ward.
    AnyWard,
    /// What is wasted is added to the stock.
    WrongSign,
    /// Of the lots, the one that expires last goes first.
    LastExpired,
    /// What is recalled may be given.
    RecalledGiven,
    /// Doses of a patient who left stay open.
    LeftOpen,
    /// A transfer is received as often as somebody asks.
    ArrivesTwice,
    /// Limits of as-needed prescriptions are not looked at.
    NoLimits,
    /// A controlled drug needs no witness, and who saw it is not kept.
    NoWitness,
    /// A count is compared with the register as it is, whatever was booked since it began.
    CountStale,
}

impl Fault {
    pub(crate) const ALL: [Fault; 10] = [
        Fault::AnyVersion,
        Fault::AnyWard,
        Fault::WrongSign,
        Fault::LastExpired,
        Fault::RecalledGiven,
        Fault::LeftOpen,
        Fault::ArrivesTwice,
        Fault::NoLimits,
        Fault::NoWitness,
        Fault::CountStale,
    ];
}

thread_local! {
    static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Whether this is wrong at the moment, on this thread.
pub(crate) fn planted(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

/// Plants it for as long as `f` runs.
pub(crate) fn with<T>(fault: Fault, f: impl FnOnce() -> T) -> T {
    PLANTED.set(Some(fault));
    let result = f();
    PLANTED.set(None);
    result
}

/// What a ward holds, as the rules see it while lots are treated wrongly.
pub(super) fn spoiled(stock: &Stock) -> Stock {
    let mut stock = stock.clone();
    for lot in &mut stock.lots {
        if planted(Fault::RecalledGiven) {
            lot.recalled = false;
        }
        if planted(Fault::LastExpired) {
            // The later it expires, the sooner it seems to; and none is past its day.
            let days = date(2099, 1, 1).since(lot.expires_on);
            lot.expires_on = date(2099, 1, 1) + days.expect("two days are some days apart");
        }
    }
    stock
}
