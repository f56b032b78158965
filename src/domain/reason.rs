//! Coded reasons: a short list for each kind, so that reports can count them, and free text beside the code for what no
//! list foresees. What is kept is the code and the text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::vocabulary::{UnknownWord, words};
use std::{fmt, str::FromStr};

/// Longest text beside a code, in characters: fits a line of every report.
pub const LONGEST_TEXT: usize = 200;

/// Longest code, in characters.
const LONGEST_CODE: usize = 32;

/// Longest words of a code, in characters: fit a line of a sheet.
const LONGEST_WORDS: usize = 60;

/// Most codes of one kind: nobody reads a longer list at a bedside.
const MOST_CODES: usize = 30;

/// At the end of a code's words: the person has to say more.
const SAY_MORE: &str = "...";

words!(/// What a reason is for; each kind has its own list of codes.
ReasonKind {
    /// A dose was withheld on clinical grounds.
    Held = "held",
    /// The patient did not take it.
    Refused = "refused",
    /// There was none to give.
    NotAvailable = "not_available",
    /// A dose is entered later than it was given.
    BackEntry = "back_entry",
    /// A dose is given although the desk warned.
    Override = "override",
    /// What an as-needed dose is for.
    Indication = "indication",
    /// Whether it helped.
    Effect = "effect",
    /// An entry was wrong.
    Correction = "correction",
    /// Stock goes back.
    Return = "return",
    /// Stock is destroyed.
    Waste = "waste",
    /// Stock is set to what was counted.
    Adjust = "adjust",
    /// A difference between book and cupboard is explained.
    Discrepancy = "discrepancy",
    /// A patient leaves.
    Discharge = "discharge",
    /// A prescription ends.
    Discontinue = "discontinue",
    /// Somebody acts in a ward that is not theirs.
    Emergency = "emergency",
});

/// Why somebody did something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// One of the codes of its kind.
    pub code: String,
    /// What else there is to say; may be empty where the code says enough.
    #[serde(default)]
    pub text: String,
}

/// One code of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// What is kept.
    pub code: String,
    /// What people read.
    pub words: String,
    /// Whether the code alone says too little.
    pub needs_text: bool,
}

/// The lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasons(BTreeMap<ReasonKind, Vec<Code>>);

impl Default for Reasons {
    fn default() -> Self {
        let lists = ReasonKind::ALL.iter().map(|kind| {
            let codes = built_in(*kind).iter();
            (
                *kind,
                codes.map(|(code, words)| read(code, words)).collect(),
            )
        });
        Reasons(lists.collect())
    }
}

/// What holds where the configuration says nothing.
const fn built_in(kind: ReasonKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        ReasonKind::Held => &[
            ("npo", "nil by mouth"),
            ("vital_signs", "vital signs outside the limits"),
            ("lab", "laboratory value"),
            ("procedure", "away for a procedure"),
            ("asleep", "asleep, not to be woken"),
            ("prescriber", "prescriber asked to wait"),
            ("missed", "missed, too late now"),
            ("other", "other ..."),
        ],
        ReasonKind::Refused => &[
            ("patient", "patient refused"),
            ("vomited", "vomited or spat out"),
            ("cannot_swallow", "cannot swallow"),
            ("other", "other ..."),
        ],
        ReasonKind::NotAvailable => &[
            ("out_of_stock", "none in the ward"),
            ("not_delivered", "ordered, not delivered"),
            ("patient_away", "patient not on the ward"),
            ("other", "other ..."),
        ],
        ReasonKind::BackEntry => &[
            ("downtime", "system was down"),
            ("emergency", "given in an emergency"),
            ("busy", "could not be entered at once"),
            ("other", "other ..."),
        ],
        ReasonKind::Override => &[
            ("prescriber", "agreed with the prescriber"),
            ("patient_need", "patient needs it now"),
            ("patient_away", "patient was away"),
            ("late_supply", "supply came late"),
            ("other", "other ..."),
        ],
        ReasonKind::Indication => &[
            ("pain", "pain"),
            ("fever", "fever"),
            ("nausea", "nausea"),
            ("anxiety", "anxiety or agitation"),
            ("sleep", "cannot sleep"),
            ("breathing", "short of breath"),
            ("bowels", "constipation"),
            ("other", "other ..."),
        ],
        ReasonKind::Effect => &[
            ("relieved", "helped"),
            ("partly", "helped partly"),
            ("none", "did not help ..."),
            ("worse", "got worse ..."),
            ("asleep", "asleep"),
            ("away", "patient not there to be asked"),
        ],
        ReasonKind::Correction => &[
            ("not_given", "was not given"),
            ("wrong_patient", "was another patient's"),
            ("wrong_amount", "another amount was given"),
            ("wrong_time", "was given at another time"),
            ("other", "other ..."),
        ],
        ReasonKind::Return => &[
            ("not_needed", "not needed any more"),
            ("overstock", "more than is needed here"),
            ("recall", "recalled"),
            ("other", "other ..."),
        ],
        ReasonKind::Waste => &[
            ("remainder", "rest of an opened unit"),
            ("expired", "expired"),
            ("broken", "broken or spilt"),
            ("contaminated", "contaminated"),
            ("other", "other ..."),
        ],
        ReasonKind::Adjust => &[
            ("count", "counted"),
            ("entry", "entered wrongly before"),
            ("other", "other ..."),
        ],
        ReasonKind::Discrepancy => &[
            ("miscount", "counted wrongly"),
            ("not_entered", "taken and not entered"),
            ("broken", "broken or spilt"),
            ("lost", "lost, cannot be explained ..."),
            ("other", "other ..."),
        ],
        ReasonKind::Discharge => &[
            ("home", "went home"),
            ("other_hospital", "to another hospital"),
            ("died", "died"),
            ("other", "other ..."),
        ],
        ReasonKind::Discontinue => &[
            ("changed", "replaced by another"),
            ("finished", "treatment is finished"),
            ("reaction", "adverse reaction ..."),
            ("other", "other ..."),
        ],
        ReasonKind::Emergency => &[
            ("resuscitation", "resuscitation"),
            ("cover", "no colleague of that ward is there"),
            ("other", "other ..."),
        ],
    }
}

fn read(code: &str, words: &str) -> Code {
    Code {
        code: code.to_owned(),
        words: words.trim_end_matches(SAY_MORE).trim_end().to_owned(),
        needs_text: words.ends_with(SAY_MORE),
    }
}

impl Reasons {
    /// The codes of a kind, in the order in which they are offered.
    pub fn of(&self, kind: ReasonKind) -> &[Code] {
        self.0.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The code, if it is one of that kind.
    pub fn find(&self, kind: ReasonKind, code: &str) -> Option<&Code> {
        self.of(kind).iter().find(|known| known.code == code)
    }

    /// Puts a hospital's own list in place of the built-in one. Words that end with "..." ask for free text.
    ///
    /// # Errors
    /// What is wrong with the list, as the end of a sentence about it.
    pub fn put(&mut self, kind: ReasonKind, list: &[(String, String)]) -> Result<(), String> {
        if list.is_empty() || list.len() > MOST_CODES {
            return Err(format!("must have 1 to {MOST_CODES} codes"));
        }
        for (code, words) in list {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if code.is_empty() || code.len() > LONGEST_CODE || !code.chars().all(plain) {
                return Err(format!(
                    "'{code}' is not a code: 1 to {LONGEST_CODE} of a-z, 0-9 and _"
                ));
            }
            let said = read(code, words.trim());
            if said.words.is_empty()
                || said.words.chars().count() > LONGEST_WORDS
                || said.words.contains(char::is_control)
            {
                return Err(format!(
                    "{code} must have words, at most {LONGEST_WORDS} characters"
                ));
            }
        }
        let codes = list.iter().map(|(code, words)| read(code, words.trim()));
        self.0.insert(kind, codes.collect());
        Ok(())
    }

    /// The reason as it is kept: known, with text where the code alone says too little.
    ///
    /// # Errors
    /// [`Refusal::InvalidData`], naming the codes that there are.
    pub fn check(&self, kind: ReasonKind, reason: &Reason) -> Result<Reason, Refusal> {
        let invalid = |why: String| Refusal::InvalidData {
            field: "reason".to_owned(),
            why,
        };
        let Some(known) = self.find(kind, reason.code.trim()) else {
            let codes: Vec<&str> = self.of(kind).iter().map(|c| c.code.as_str()).collect();
            let codes = codes.join(", ");
            return Err(invalid(if reason.code.trim().is_empty() {
                format!("a reason is needed: one of {codes}")
            } else {
                format!("'{}' is not one of {codes}", reason.code.trim())
            }));
        };
        let text = reason.text.trim();
        if let Some(why) = text_fault(text) {
            return Err(invalid(why));
        }
        if text.is_empty() && known.needs_text {
            return Err(invalid(format!("'{}' needs a few words more", known.words)));
        }
        Ok(Reason {
            code: known.code.clone(),
            text: text.to_owned(),
        })
    }

    /// The reason as people read it; a code that is in no list any more stands for itself.
    pub fn told(&self, kind: ReasonKind, reason: &Reason) -> String {
        let words = self.find(kind, &reason.code);
        let words = words.map_or(reason.code.as_str(), |code| code.words.as_str());
        match (words, reason.text.as_str()) {
            (words, "") => words.to_owned(),
            ("", text) => text.to_owned(),
            (words, text) => format!("{words}: {text}"),
        }
    }
}

/// What is wrong with a free text that is to be kept, as the end of a sentence about it.
pub fn text_fault(text: &str) -> Option<String> {
    if text.chars().count() > LONGEST_TEXT {
        return Some(format!("at most {LONGEST_TEXT} characters are kept"));
    }
    // No report shows them, and PostgreSQL cannot keep NUL.
    text.contains(char::is_control)
        .then(|| "control characters are not kept".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(code: &str, text: &str) -> Reason {
        Reason {
            code: code.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn every_built_in_list_is_one_that_a_hospital_could_write() {
        for kind in ReasonKind::ALL {
            let list: Vec<(String, String)> = built_in(*kind)
                .iter()
                .map(|(code, words)| ((*code).to_owned(), (*words).to_owned()))
                .collect();
            let mut reasons = Reasons::default();
            assert_eq!(reasons.put(*kind, &list), Ok(()), "{kind}");
            assert_eq!(reasons, Reasons::default());
        }
    }

    #[test]
    fn a_reason_is_one_of_its_kind_and_says_enough() {
        let reasons = Reasons::default();
        let check = |code: &str, text: &str| {
            let checked = reasons.check(ReasonKind::Held, &reason(code, text));
            checked.map_err(|refusal| refusal.to_string())
        };
        assert_eq!(check(" npo ", " since 6 "), Ok(reason("npo", "since 6")));
        assert!(check("", "").unwrap_err().contains("one of npo, vital"));
        assert!(check("vomited", "").unwrap_err().contains("is not one of"));
        assert!(
            check("other", " ")
                .unwrap_err()
                .contains("needs a few words")
        );
        assert!(check("npo", "a\u{7}").unwrap_err().contains("control"));
        let long = "x".repeat(LONGEST_TEXT + 1);
        assert!(check("npo", &long).unwrap_err().contains("at most"));
    }

    #[test]
    fn a_hospital_has_its_own_list() {
        let mut reasons = Reasons::default();
        let list = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let own = |(c, w): &(&str, &str)| ((*c).to_owned(), (*w).to_owned());
            pairs.iter().map(own).collect()
        };
        let own = list(&[("fasting", "fasting"), ("say", "something else...")]);
        reasons.put(ReasonKind::Held, &own).unwrap();
        assert!(reasons.check(ReasonKind::Held, &reason("npo", "")).is_err());
        assert!(
            reasons
                .check(ReasonKind::Held, &reason("fasting", ""))
                .is_ok()
        );
        assert!(reasons.check(ReasonKind::Held, &reason("say", "")).is_err());
        assert_eq!(
            reasons.told(ReasonKind::Held, &reason("say", "so")),
            "something else: so"
        );
        assert_eq!(reasons.told(ReasonKind::Held, &reason("npo", "")), "npo");
        for wrong in [
            &[][..],
            &[("A", "x")],
            &[("a", "...")],
            &[("a", "\u{1b}[m")],
        ] {
            assert!(reasons.put(ReasonKind::Held, &list(wrong)).is_err());
        }
    }
}
