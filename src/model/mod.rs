//! The ward in plain maps: a model that says what must become of every operation, and is asked the same as the real thing.
//!
//! [`rules`] and what stands beside it are the model, written from the design and the ward's words; nothing of it calls the
//! rules of the program. [`wishes`] makes operations of every kind from a seed, mostly sensible, often hostile, several at
//! a time from the same screen. They go through [`decide`] with the tables in memory ([`tables`]), and through the desk on
//! SQLite ([`on_sqlite`]); after each of them outcome and model must agree, and every now and then everything that is on
//! record must be what the model holds, row by row. [`planted`] spoils the real thing in one place after the other, and
//! each time this must be noticed.
//!
//! A failure names its seed. `VALMED_MODEL_SEED=n` begins there; `VALMED_MODEL_OPERATIONS=n` asks for so many.

mod cupboard;
mod doses;
mod hospital;
mod on_sqlite;
mod picture;
mod planted;
mod rules;
mod stays;
mod tables;
mod wishes;

use std::cell::Cell;
use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::decide::{Effects, Moment, decide};
use crate::domain::{OpId, Operation, Outcome, Policy, Refusal};
use picture::Picture;
use rules::{Keys, Model, of_refusal};
use tables::Tables;
use wishes::Wishes;

/// Operations through the pure rules, in all.
const OPERATIONS: usize = 100_000;

/// Operations in one hospital, before another begins: what is on record is looked at row by row, and that grows.
const IN_ONE_HOSPITAL: usize = 700;

/// After how many batches everything on record is compared.
const LOOK: usize = 40;

/// How many of each kind were done, and refused by which code.
#[derive(Debug, Default)]
struct Tally(BTreeMap<String, usize>);

impl Tally {
    fn note(&mut self, op: &Operation, outcome: &Outcome) {
        let code = match outcome {
            Outcome::Done(_) => "done",
            Outcome::Refused(refusal) => refusal.code(),
            Outcome::Unknown { .. } => "unknown",
        };
        *self
            .0
            .entry(format!("{} {code}", op.request.kind()))
            .or_default() += 1;
    }

    fn done(&self) -> usize {
        self.0
            .iter()
            .filter(|(what, _)| what.ends_with(" done"))
            .map(|(_, n)| n)
            .sum()
    }

    fn add(&mut self, other: Tally) {
        for (what, n) in other.0 {
            *self.0.entry(what).or_default() += n;
        }
    }

    /// Every kind of operation was done and refused, and everything that the desk can say no with was said.
    fn is_whole(&self) {
        for need in crate::domain::decide::MATRIX {
            let done = self
                .0
                .get(&format!("{} done", need.kind))
                .copied()
                .unwrap_or(0);
            let all: usize = self
                .0
                .iter()
                .filter(|(what, _)| what.split(' ').next() == Some(need.kind))
                .map(|(_, n)| n)
                .sum();
            assert!(
                done > 20 && all > done + 20,
                "{} was done {done} times of {all}",
                need.kind
            );
        }
        for code in CODES {
            assert!(
                self.0.keys().any(|what| what.ends_with(code)),
                "nothing was refused with {code}"
            );
        }
    }
}

/// Every code with which a rule refuses.
const CODES: &[&str] = &[
    "ORDER_NOT_FOUND",
    "ORDER_ALREADY_COMPLETED",
    "INVALID_STATUS_TRANSITION",
    "DRUG_NOT_FOUND",
    "INSUFFICIENT_STOCK",
    "STOCK_BLOCKED",
    "NOT_FOUND",
    "ALREADY_DONE",
    "COUNT_STALE",
    "LEVELS_CHANGED",
    "INVALID_STOCK_QUANTITY",
    "INSUFFICIENT_PERMISSIONS",
    "REASON_REQUIRED",
    "ADMINISTRATION_NOT_FOUND",
    "ENTRY_CLOSED",
    "WITNESS_REQUIRED",
    "WITNESS_NOT_VALID",
    "INVALID_DATA",
    "WRONG_PATIENT",
    "TOO_SOON",
    "STALE",
    "PATIENT_NOT_FOUND",
    "PATIENT_DISCHARGED",
    "PATIENT_NUMBER_TAKEN",
    "PRESCRIPTION_NOT_FOUND",
    "PRESCRIPTION_ENDED",
    "PRESCRIPTION_WARNING",
];

/// Rules that hospitals may have: the default, the easiest, and everything that can be set to the strictest.
fn policy(seed: u64) -> Policy {
    match seed % 4 {
        0 => Policy::easy(),
        1 => Policy {
            witness_high_alert: true,
            nurses_send: true,
            every_difference_stays_open: true,
            emergency_minutes: 10,
            ..Policy::default()
        },
        _ => Policy::default(),
    }
}

/// The real outcome against the model's. `model` is told everything in the order in which it was done.
fn agree(model: &mut Model, op: &Operation, now: Timestamp, real: &Outcome) -> Result<(), String> {
    let receipt = match real {
        Outcome::Done(receipt) => Some(receipt.clone()),
        _ => None,
    };
    let told = model.tell(op, now, &Keys(receipt));
    let same = match (real, &told) {
        (Outcome::Done(receipt), Ok(told)) => receipt == told,
        (Outcome::Refused(refusal), Err(no)) => of_refusal(refusal) == *no,
        _ => false,
    };
    if same {
        return Ok(());
    }
    Err(format!(
        "{op:#?}\n at {now}\n  became:     {real:?}\n  should be:  {told:?}"
    ))
}

/// What is on record against what the model holds.
fn alike(model: &Model, on_record: &Picture) -> Result<(), String> {
    if !model.fresh.is_empty() {
        return Err(format!(
            "orders came to be that nothing explains: {:?}",
            model.fresh
        ));
    }
    match on_record.differences(&model.picture()) {
        None => Ok(()),
        Some(differences) => Err(format!(
            "what is on record is not what it should be:\n{differences}"
        )),
    }
}

/// What a fault does to the effects of an operation on their way to the tables.
type Spoil = dyn Fn(&mut Effects);

/// One hospital, and so many operations through the pure rules. `spoil` changes what is to be written; for planted
/// faults only.
fn in_memory(seed: u64, operations: usize, spoil: &Spoil) -> Result<Tally, String> {
    let policy = policy(seed);
    let mut now = hospital::morning();
    let mut wishes = Wishes::new(seed, now);
    let mut model = Model::new(policy.clone());
    let mut tables = Tables::new();
    let mut tally = Tally::default();
    let next = Cell::new(1_u128);
    let key = || Uuid::from_u128(0xA_0000_0000 + next.replace(next.get() + 1));
    let (mut asked, mut batches) = (0, 0);
    while asked < operations {
        now += wishes.pause();
        let ops = wishes.some(&model, now, 6);
        let mut loaded = tables.load(&ops, &policy, now);
        let mut outcomes = Vec::with_capacity(ops.len());
        for op in &ops {
            let moment = Moment { now, key: &key };
            outcomes.push(match decide(&mut loaded, op, &policy, moment) {
                Ok((receipt, mut more)) => {
                    spoil(&mut more);
                    tables.apply(more);
                    Outcome::Done(receipt)
                }
                Err(refusal) => Outcome::Refused(refusal),
            });
        }
        model.fresh.append(&mut tables.fresh);
        for (op, outcome) in ops.iter().zip(&outcomes) {
            tally.note(op, outcome);
            agree(&mut model, op, now, outcome).map_err(|told| format!("seed {seed}: {told}"))?;
        }
        asked += ops.len();
        batches += 1;
        if batches % LOOK == 0 || asked >= operations {
            alike(&model, &tables.picture())
                .map_err(|told| format!("seed {seed}, {now}: {told}"))?;
        }
    }
    Ok(tally)
}

/// A number from the environment, for those who look for more than every run can.
fn set(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |value| value.parse().expect(name))
}

#[test]
fn a_hundred_thousand_operations_are_decided_as_the_model_says() {
    let first = set("VALMED_MODEL_SEED", 1);
    let hospitals = set("VALMED_MODEL_OPERATIONS", OPERATIONS).div_ceil(IN_ONE_HOSPITAL);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all = Tally::default();
    std::thread::scope(|scope| {
        let share = |core: usize| {
            let seeds = (first..first + hospitals).skip(core).step_by(cores);
            scope.spawn(move || {
                let mut tally = Tally::default();
                for seed in seeds {
                    tally.add(
                        in_memory(seed as u64, IN_ONE_HOSPITAL, &|_| {})
                            .unwrap_or_else(|told| panic!("{told}")),
                    );
                }
                tally
            })
        };
        let shares: Vec<_> = (0..cores).map(share).collect();
        for share in shares {
            all.add(
                share
                    .join()
                    .unwrap_or_else(|told| std::panic::resume_unwind(told)),
            );
        }
    });
    all.is_whole();
    assert!(
        all.done() * 3 > all.0.values().sum(),
        "too little is done: {all:#?}"
    );
}

/// The same operation under the same id gets the first outcome; another under the same id is refused. That is the desk's
/// memory, beside the rules.
#[derive(Default)]
struct Memory(BTreeMap<OpId, (Operation, Outcome)>);

impl Memory {
    /// What must be answered, where the id is known.
    fn answer(&self, op: &Operation) -> Option<Outcome> {
        let (first, outcome) = self.0.get(&op.id)?;
        if first == op {
            return Some(outcome.clone());
        }
        Some(Outcome::Refused(Refusal::DuplicateOperation { op: op.id }))
    }
}
