//! The command of a medication round.

use clap::Args;
use uuid::Uuid;

use super::{Asking, reason, warned};
use crate::domain::vocabulary::UnknownWord;
use crate::domain::{GivingOutcome, Quantity, Reason, Warned};

/// `valmed round`
#[derive(Debug, Args)]
pub struct Round {
    /// The medical record number on the patient's wristband.
    #[arg(long, value_name = "MRN")]
    pub patient: String,
    /// A dose to give: its order's id, and =AMOUNT where the prescription leaves a range; may be given again.
    #[arg(long, value_name = "ORDER[=AMOUNT]", value_parser = dose, required_unless_present = "not_given")]
    pub give: Vec<Dose>,
    /// A dose that was not given: ORDER=OUTCOME:CODE or ORDER=OUTCOME:CODE:TEXT, where the outcome is held, refused or
    /// not_available; may be given again.
    #[arg(long, value_name = "ORDER=WHY", value_parser = withheld)]
    pub not_given: Vec<Withheld>,
    /// Why doses are given although the desk warns: CODE or CODE:TEXT. It is kept with each that is warned of.
    #[arg(long, value_name = "REASON", value_parser = reason, requires = "despite")]
    pub because: Option<Reason>,
    /// The warnings that --because answers: early, late, held, same_drug, later_given.
    #[arg(long, value_name = "WARNINGS", value_delimiter = ',', value_parser = warned, requires = "because")]
    pub despite: Vec<Warned>,
    /// Who asks. The operation id is that of the first line; those of the others follow from it, so that the same round
    /// with the same id is not done twice.
    #[command(flatten)]
    pub asking: Asking,
}

/// A dose to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dose {
    /// Its order.
    pub order: Uuid,
    /// How much.
    pub amount: Option<Quantity>,
}

/// A dose that was not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Its order.
    pub order: Uuid,
    /// Held, refused, not available.
    pub outcome: GivingOutcome,
    /// Why.
    pub reason: Reason,
}

fn order(text: &str) -> Result<Uuid, String> {
    let text = text.trim();
    text.parse()
        .map_err(|_| format!("'{text}' is not the id of an order"))
}

fn dose(text: &str) -> Result<Dose, String> {
    let (id, amount) = text.split_once('=').unwrap_or((text, ""));
    let amount = (!amount.trim().is_empty()).then(|| super::quantity(amount));
    Ok(Dose {
        order: order(id)?,
        amount: amount.transpose()?,
    })
}

fn withheld(text: &str) -> Result<Withheld, String> {
    let usage = || format!("'{text}': write ORDER=OUTCOME:CODE, e.g. …=refused:nausea");
    let (id, why) = text.split_once('=').ok_or_else(usage)?;
    let (outcome, why) = why.split_once(':').ok_or_else(usage)?;
    let outcome = outcome.trim().parse();
    let outcome = outcome.map_err(|error: UnknownWord| error.to_string())?;
    if outcome == GivingOutcome::Given {
        return Err("what was given is a --give".to_owned());
    }
    Ok(Withheld {
        order: order(id)?,
        outcome,
        reason: reason(why)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "018f0000-0000-7000-8000-000000000000";

    #[test]
    fn a_line_says_which_dose_and_what_became_of_it() {
        let given = dose(&format!("{ORDER}=1,5")).unwrap();
        assert_eq!(given.amount, Some(Quantity(1500)));
        assert_eq!(dose(ORDER).unwrap().amount, None);
        let not = withheld(&format!("{ORDER}=refused:other:feels sick: very")).unwrap();
        assert_eq!(not.outcome, GivingOutcome::Refused);
        assert_eq!(
            (&*not.reason.code, &*not.reason.text),
            ("other", "feels sick: very")
        );
    }

    #[test]
    fn a_line_that_says_too_little_is_told_what_is_missing() {
        let says = |why: Result<Withheld, String>, words: &str| {
            let why = why.unwrap_err();
            assert!(why.contains(words), "{why}");
        };
        says(withheld(ORDER), "ORDER=OUTCOME:CODE");
        says(withheld(&format!("{ORDER}=refused")), "ORDER=OUTCOME:CODE");
        says(withheld(&format!("{ORDER}=given:x")), "--give");
        says(withheld(&format!("{ORDER}=lost:x")), "lost");
        says(withheld("x=refused:y"), "not the id of an order");
        assert!(dose(&format!("{ORDER}=lots")).is_err());
    }
}
