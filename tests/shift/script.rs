//! What happens in the shift: six rounds of it, each with what a ward does, what it may not do, and what two people do at
//! the same moment.

use std::collections::BTreeMap;

use valmed::domain::Quantity;

use crate::hospital::{Drug, Hospital, Ward};
use crate::program::{Became, Step, step};

const DONE: &[&str] = &["done"];

/// How often everything happens.
const TIMES: usize = 6;

/// Whatever the desk may warn of, with a reason: what was given before the shift is not the script's business.
const DESPITE: &str =
    "--because|prescriber|--despite|early,late,held,same_drug,later_given,high_dose";

/// How many operations became what.
#[derive(Default)]
struct Told(BTreeMap<String, usize>);

impl Told {
    fn note(&mut self, steps: &[String], became: &[Became]) {
        for (step, became) in steps.iter().zip(became) {
            *self
                .0
                .entry(format!("{step}: {}", became.what))
                .or_default() += 1;
        }
    }
}

/// Everything about one of the six rounds.
struct Round<'a> {
    n: usize,
    at: &'a Hospital,
    /// Comes from the pharmacy, and is given in the first ward; controlled every other time.
    given: Drug,
    /// Is prescribed as needed.
    needed: Drug,
    /// Is counted in the first ward, and agrees.
    counted: Drug,
    /// Is counted in the second ward, and differs; controlled every other time.
    differs: Drug,
    /// Has a code on its package, every other time.
    packed: Drug,
    patient: String,
    neighbour: String,
    other: String,
    told: &'a mut Told,
}

/// The shift; gives what became of what.
pub async fn shift(at: &Hospital) -> String {
    let least = Quantity::units(4);
    let strong = at.drugs(&at.pharmacy, true, Quantity::ZERO).await;
    let plain = at.drugs(&at.pharmacy, false, Quantity::ZERO).await;
    let here = at.drugs(&at.first, false, least).await;
    let there = at.drugs(&at.second, false, least).await;
    let strong_there = at.drugs(&at.second, true, least).await;
    let patients = at.patients(&at.first).await;
    let others = at.patients(&at.second).await;
    let pick = |of: &[Drug], n: usize| of[n % of.len()].clone();
    let mut told = Told::default();
    for n in 0..TIMES {
        let odd = n % 2 == 1;
        let given = pick(if odd { &plain } else { &strong }, n / 2);
        let here: Vec<Drug> = here
            .iter()
            .filter(|drug| drug.id != given.id)
            .cloned()
            .collect();
        let mut round = Round {
            n,
            at,
            given,
            needed: pick(&here, 0),
            counted: pick(&here, 1),
            differs: pick(
                if odd || strong_there.is_empty() {
                    &there
                } else {
                    &strong_there
                },
                n / 2,
            ),
            packed: plain[0].clone(),
            patient: patients[n % patients.len()].clone(),
            neighbour: patients[(n + 1) % patients.len()].clone(),
            other: others[n % others.len()].clone(),
            told: &mut told,
        };
        round.happens().await;
    }
    let access = at.access().await;
    let pharmacy = &at.pharmacy.code;
    let drug = &plain[0].code;
    let last = vec![
        step("shift.nele", &format!("emergency|end|{access}"), DONE),
        step(
            "shift.petra",
            &format!("waste|--ward|{pharmacy}|--drug|{drug}|--quantity|1|--reason|broken"),
            DONE,
        ),
    ];
    ask(at, last, &mut told);
    let all: usize = told.0.values().sum();
    format!(
        "{all} operations\n{}",
        told.0
            .iter()
            .map(|(what, n)| format!("  {n:3} {what}\n"))
            .collect::<String>()
    )
}

fn ask(at: &Hospital, steps: Vec<Step>, told: &mut Told) -> Vec<Became> {
    let names: Vec<String> = steps.iter().map(name).collect();
    let became = at.program.round(steps);
    told.note(&names, &became);
    became
}

/// The command, with what it does of its kind.
fn name(step: &Step) -> String {
    let first = &step.words[0];
    match first.as_str() {
        "transfer" | "count" | "patient" | "code" | "emergency" | "levels" => {
            format!("{first} {}", step.words[1])
        }
        _ => first.clone(),
    }
}

impl Hospital {
    /// The emergency access of the shift.
    async fn access(&self) -> String {
        let id = crate::value!(
            self.db,
            uuid::Uuid,
            "SELECT a.id FROM emergency_accesses a JOIN users u ON u.id = a.user_id WHERE u.username = 'shift.nele'"
        );
        id.to_string()
    }
}

impl Round<'_> {
    fn ask(&mut self, steps: Vec<Step>) -> Vec<Became> {
        ask(self.at, steps, self.told)
    }

    /// `--ward W --drug D`.
    fn place(ward: &Ward, drug: &Drug) -> String {
        format!("--ward|{}|--drug|{}", ward.code, drug.code)
    }

    /// A witness, where the drug is controlled.
    fn seen(drug: &Drug, by: &str) -> String {
        if drug.controlled {
            format!("|--witness|{by}")
        } else {
            String::new()
        }
    }

    async fn happens(&mut self) {
        let stat = self.delivery_and_prescription();
        let dose = self.at.open_dose(&stat).await;
        let (transfer, as_needed) = self.on_the_way(&dose);
        let missing = self.arrives_short(&transfer).await;
        let holds = self.at.holds(&self.at.second, &self.differs).await;
        let wrong = holds + Quantity::units(1);
        let (winner, entry) = self.given_once(&dose, &missing, wrong);
        let difference = self.taken_back(winner, &entry, wrong);
        let needed = self.at.open_dose(&as_needed).await;
        let needed = self.given_again(&dose, &difference, &needed);
        self.comes_to_an_end(&dose, &as_needed, &needed, &difference);
    }

    /// 5: a delivery, a prescription, allergies, stock set right; and a nurse who may not receive.
    fn delivery_and_prescription(&mut self) -> String {
        let (at, n) = (self.at, self.n);
        let stock = Self::place(&at.pharmacy, &self.given);
        let there = Self::place(&at.second, &self.differs);
        let seen = Self::seen(&self.differs, "shift.nele");
        let became = self.ask(vec![
            step(
                "shift.petra",
                &format!("receive|{stock}|--quantity|40|--reference|note {n}|--lot|S{n}|--expires|2031-03-31"),
                DONE,
            ),
            step("shift.dora", &self.prescribe(&self.given, "STAT"), DONE),
            step("shift.nele", &format!("patient|allergies|--patient|{}|--allergies|latex, round {n}", self.other), DONE),
            step("shift.sam", &format!("adjust|{there}|--by|2|--reason|count{seen}"), DONE),
            step(
                "shift.nora",
                &format!("receive|{there}|--quantity|1|--reference|note"),
                &["INSUFFICIENT_PERMISSIONS"],
            ),
        ]);
        became[1].key("prescription")
    }

    fn prescribe(&self, drug: &Drug, when: &str) -> String {
        format!(
            "prescribe|--patient|{}|--drug|{}|--dose|1|--route|PO|--when|{when}|--despite-allergy|prescriber|\
             --despite-duplicate|prescriber",
            self.patient, drug.code
        )
    }

    /// 5: stock on its way, a drug as needed, another bed; more than there is, and a supervisor at the bedside.
    fn on_the_way(&mut self, dose: &str) -> (String, String) {
        let (at, n) = (self.at, self.n);
        let (from, to) = (&at.pharmacy.code, &at.first.code);
        let there = Self::place(&at.second, &self.differs);
        let seen = Self::seen(&self.differs, "shift.sam");
        let became = self.ask(vec![
            step(
                "shift.petra",
                &format!(
                    "transfer|send|--from|{from}|--to|{to}|--drug|{}|--quantity|12",
                    self.given.code
                ),
                DONE,
            ),
            step(
                "shift.dora",
                &self.prescribe(&self.needed, "PRN Q1H MAX 6"),
                DONE,
            ),
            step(
                "shift.nils",
                &format!(
                    "patient|move|--patient|{}|--ward|{to}|--bed|S{n}",
                    self.neighbour
                ),
                DONE,
            ),
            step(
                "shift.nele",
                &format!("waste|{there}|--quantity|9999999|--reason|expired{seen}"),
                &["INSUFFICIENT_STOCK"],
            ),
            step(
                "shift.sam",
                &format!("fulfil|{dose}|--patient|{}", self.patient),
                &["INSUFFICIENT_PERMISSIONS"],
            ),
        ]);
        (became[0].key("transfer"), became[1].key("prescription"))
    }

    /// 5: two nurses receive the same transfer, one of them does; levels, a return, a count that agrees.
    async fn arrives_short(&mut self, transfer: &str) -> String {
        let at = self.at;
        let here = Self::place(&at.first, &self.given);
        let there = Self::place(&at.second, &self.differs);
        let counted = Self::place(&at.first, &self.counted);
        let holds = at.holds(&at.first, &self.counted).await;
        let receive = format!("transfer|receive|{transfer}|--quantity|11");
        let par = 20 + self.n;
        let became = self.ask(vec![
            step("shift.nora", &receive, &["done", "ALREADY_DONE"]),
            step("shift.nils", &receive, &["done", "ALREADY_DONE"]),
            step(
                "shift.petra",
                &format!("levels|set|{counted}|--threshold|2|--par|{par}"),
                DONE,
            ),
            step(
                "shift.nele",
                &format!("return|{there}|--quantity|1|--reason|overstock"),
                DONE,
            ),
            step(
                "shift.sam",
                &format!("count|enter|{counted}|--counted|{holds}"),
                DONE,
            ),
        ]);
        let won: Vec<&Became> = became[..2].iter().filter(|one| one.is_done()).collect();
        let [won] = won[..] else {
            panic!("a transfer is received once: {here}")
        };
        assert_eq!(became[4].receipt["verdict"]["verdict"], "agrees");
        won.key("discrepancy")
    }

    /// 5: two nurses give the same dose, one of them does; what was missing is answered for; somebody counts wrongly;
    /// somebody comes.
    fn given_once(&mut self, dose: &str, missing: &str, wrong: Quantity) -> (&'static str, String) {
        let (at, n) = (self.at, self.n);
        let there = Self::place(&at.second, &self.differs);
        let seen = Self::seen(&self.differs, "shift.nele");
        let how = ["returned", "found", "lost"][n % 3];
        let lost = if how == "lost" {
            "|--reason|lost|--text|nobody knows|--witness|shift.nils"
        } else {
            ""
        };
        let give = self.give(dose);
        let became = self.ask(vec![
            step("shift.nora", &give, &["done", "ORDER_ALREADY_COMPLETED"]),
            step("shift.nils", &give, &["done", "ORDER_ALREADY_COMPLETED"]),
            step("shift.petra", &format!("transfer|resolve|{missing}|--how|{how}{lost}"), DONE),
            step("shift.sam", &format!("count|enter|{there}|--counted|{wrong}{seen}"), DONE),
            step(
                "shift.dora",
                &format!(
                    "patient|admit|--patient|SHIFT{n}|--name|Neu, Nina|--born|1970-02-03|--ward|{}|--bed|9",
                    at.second.code
                ),
                DONE,
            ),
        ]);
        assert_eq!(became[3].receipt["verdict"]["verdict"], "recount");
        match [became[0].is_done(), became[1].is_done()] {
            [true, false] => ("shift.nora", became[0].key("administration")),
            [false, true] => ("shift.nils", became[1].key("administration")),
            _ => panic!("a dose is given once"),
        }
    }

    fn give(&self, dose: &str) -> String {
        let seen = Self::seen(&self.given, "shift.sam");
        format!("fulfil|{dose}|--patient|{}|{DESPITE}{seen}", self.patient)
    }

    /// 5: the dose is taken back; the count differs again; somebody leaves; a code is bound or released; a nurse gets
    /// emergency access, once.
    fn taken_back(&mut self, winner: &'static str, entry: &str, wrong: Quantity) -> String {
        let (at, n) = (self.at, self.n);
        let there = Self::place(&at.second, &self.differs);
        let seen = Self::seen(&self.differs, "shift.nele");
        let what = if n.is_multiple_of(2) {
            "bind"
        } else {
            "release"
        };
        let became = self.ask(vec![
            step(
                winner,
                &format!("correct|{entry}|--reason|not_given|--stock|back|--reopen"),
                DONE,
            ),
            step(
                "shift.sam",
                &format!("count|enter|{there}|--counted|{wrong}{seen}"),
                DONE,
            ),
            step(
                "shift.dora",
                &format!("patient|discharge|--patient|SHIFT{n}|--reason|home"),
                DONE,
            ),
            step(
                "shift.petra",
                &format!(
                    "code|{what}|--drug|{}|--scan|04012345000009",
                    self.packed.code
                ),
                DONE,
            ),
            step(
                "shift.nele",
                &format!("emergency|begin|--ward|{}|--reason|cover", at.first.code),
                if n == 0 { DONE } else { &["INVALID_DATA"] },
            ),
        ]);
        assert_eq!(became[1].receipt["verdict"]["verdict"], "differs");
        became[1].receipt["verdict"]["discrepancy"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// 3: the dose is given after all; the difference is explained; a dose as needed, by emergency access.
    fn given_again(&mut self, dose: &str, difference: &str, needed: &str) -> String {
        let seen = Self::seen(&self.differs, "shift.nele");
        let needed = format!(
            "fulfil|{needed}|--patient|{}|--indication|pain|{DESPITE}",
            self.patient
        );
        let became = self.ask(vec![
            step("shift.nils", &self.give(dose), DONE),
            step(
                "shift.sam",
                &format!("count|explain|{difference}|--reason|not_entered{seen}"),
                DONE,
            ),
            step("shift.nele", &needed, DONE),
        ]);
        became[2].key("administration")
    }

    /// 5: a prescription ends; the dose helped; a supervisor answers for what is still open; a lot that says otherwise,
    /// or is recalled; and a nurse who may not stop a dose.
    fn comes_to_an_end(&mut self, dose: &str, as_needed: &str, needed: &str, difference: &str) {
        let (at, n) = (self.at, self.n);
        let stock = Self::place(&at.pharmacy, &self.given);
        let drug = &self.given.code;
        let (lot, may_become): (String, &[&str]) = if n % 3 == 2 {
            (
                format!("recall|--drug|{drug}|--lot|S{n}|--reason|the maker's letter"),
                DONE,
            )
        } else {
            let other = "--expires|2032-01-31";
            (
                format!("receive|{stock}|--quantity|1|--reference|note|--lot|S{n}|{other}"),
                &["INVALID_DATA"],
            )
        };
        let settled: &[&str] = if self.differs.controlled {
            DONE
        } else {
            &["ALREADY_DONE"]
        };
        self.ask(vec![
            step(
                "shift.dora",
                &format!("discontinue|--prescription|{as_needed}|--reason|finished"),
                DONE,
            ),
            step(
                "shift.nele",
                &format!("effect|{needed}|--effect|relieved"),
                DONE,
            ),
            step(
                "shift.sam",
                &format!("count|resolve|{difference}|--reason|not_entered"),
                settled,
            ),
            step("shift.petra", &lot, may_become),
            step(
                "shift.nora",
                &format!("discontinue|{dose}|--reason|so"),
                &["INSUFFICIENT_PERMISSIONS"],
            ),
        ]);
    }
}
