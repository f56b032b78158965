//! Which package belongs to which drug.

use std::collections::BTreeSet;

use super::{Effects, Loaded, Moment, permission};
use crate::domain::scan::Gtin;
use crate::domain::{Actor, DrugId, Receipt, Refusal};

/// A package's number and a drug that it belongs to.
pub type Binding = (Gtin, DrugId);

/// What is known of the numbers that requests name.
pub type Bindings = BTreeSet<Binding>;

/// What changes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeChange {
    /// It belongs to that drug from now on.
    Bound(Binding),
    /// It does not any more.
    Released(Binding),
}

fn invalid(why: String) -> Refusal {
    Refusal::InvalidData {
        field: "code".to_owned(),
        why,
    }
}

fn titled(state: &Loaded, drug: DrugId) -> String {
    let name = state.drugs.get(&drug);
    name.map_or_else(|| format!("drug {drug}"), |name| name.title.clone())
}

/// Says that packages with this number hold this drug. A number that belongs to another drug already is most likely the
/// wrong package in the hand; `beside` says that it is not: one vial may be two entries of the formulary, by the vial and
/// by the millilitre.
pub(super) fn bind(
    state: &mut Loaded,
    actor: &Actor,
    (gtin, drug): (&Gtin, DrugId),
    beside: bool,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    permission::role(actor, "bind_code")?;
    if !state.drugs.contains_key(&drug) {
        return Err(Refusal::NotFound {
            what: format!("drug {drug}"),
        });
    }
    let mut others = Vec::new();
    for (_, known) in state.codes.iter().filter(|(code, _)| code == gtin) {
        if *known == drug {
            return Err(invalid(format!(
                "{gtin} belongs to {} already",
                titled(state, drug)
            )));
        }
        others.push(titled(state, *known));
    }
    if !others.is_empty() && !beside {
        return Err(invalid(format!("{gtin} belongs to {}", others.join(", "))));
    }
    state.codes.insert((gtin.clone(), drug));
    let receipt = Receipt::CodeBound {
        drug,
        gtin: gtin.clone(),
        at: moment.now,
    };
    let effects = Effects {
        codes: vec![CodeChange::Bound((gtin.clone(), drug))],
        ..Effects::default()
    };
    Ok((receipt, effects))
}

/// Says that packages with this number do not hold this drug.
pub(super) fn release(
    state: &mut Loaded,
    actor: &Actor,
    (gtin, drug): (&Gtin, DrugId),
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    permission::role(actor, "release_code")?;
    let binding = (gtin.clone(), drug);
    if !state.codes.remove(&binding) {
        return Err(invalid(format!(
            "{gtin} does not belong to {}",
            titled(state, drug)
        )));
    }
    let receipt = Receipt::CodeReleased {
        drug,
        gtin: gtin.clone(),
        at: moment.now,
    };
    let effects = Effects {
        codes: vec![CodeChange::Released(binding)],
        ..Effects::default()
    };
    Ok((receipt, effects))
}
