//! Whether a drug is named among a patient's allergies.
//!
//! Allergies are free text, as people write them. What is found here is a name: a word of the text that is a word of the
//! drug's name, or begins it. Who is allergic to a class (penicillins) is warned of a drug that bears the class in its
//! name, and of no other: that takes a knowledge base, which this is not. So the text itself is shown, always, to
//! whoever prescribes and to whoever gives.

use super::text::name_key;

/// Shorter words say too little: `ASA` would begin half a formulary.
const SHORTEST: usize = 4;

/// A word that begins a drug's word must be at least so long: `sulfa` begins sulfamethoxazole.
const SHORTEST_BEGINNING: usize = 5;

/// Words that stand in many names and in many notes, and name no drug.
const NAMELESS: &[&str] = &[
    "acid",
    "acetate",
    "allergies",
    "allergy",
    "allergic",
    "anaphylaxis",
    "calcium",
    "chloride",
    "drug",
    "drugs",
    "hydrochloride",
    "intolerance",
    "intolerant",
    "itching",
    "known",
    "magnesium",
    "medication",
    "medications",
    "mild",
    "nausea",
    "none",
    "oral",
    "phosphate",
    "potassium",
    "rash",
    "reaction",
    "recorded",
    "severe",
    "shock",
    "sodium",
    "succinate",
    "sulfate",
    "sulphate",
    "tablet",
    "tartrate",
    "unknown",
    "with",
];

/// The part of the text that names the drug, as it was written; `None`: none does.
pub fn conflict(allergies: &str, drug: &str) -> Option<String> {
    let names: Vec<String> = words(drug).collect();
    allergies
        .split([',', ';', '/', '\n', '+'])
        .map(str::trim)
        .find(|entry| words(entry).any(|word| names.iter().any(|name| same(&word, name))))
        .map(str::to_owned)
}

fn words(text: &str) -> impl Iterator<Item = String> {
    name_key(text)
        .split(|c: char| !c.is_alphanumeric())
        .map(singular)
        .filter(|word| word.chars().count() >= SHORTEST && !NAMELESS.contains(&word.as_str()))
        .collect::<Vec<_>>()
        .into_iter()
}

/// `penicillins` is penicillin.
fn singular(word: &str) -> String {
    match word.strip_suffix('s') {
        Some(one) if one.len() > SHORTEST && !one.ends_with('s') => one.to_owned(),
        _ => word.to_owned(),
    }
}

fn same(word: &str, name: &str) -> bool {
    word == name || (word.chars().count() >= SHORTEST_BEGINNING && name.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drug_that_is_named_is_found() {
        for (allergies, drug, entry) in [
            ("Penicillin", "Penicillin G Potassium", "Penicillin"),
            ("penicillins, latex", "PENICILLIN V", "penicillins"),
            (
                "Latex; Sulfa (rash)",
                "Sulfamethoxazole-Trimethoprim",
                "Sulfa (rash)",
            ),
            (
                "NSAIDs / IBUPROFEN: severe",
                "Ibuprofen",
                "IBUPROFEN: severe",
            ),
            ("Paracétamol", "paracetamol", "Paracétamol"),
            ("Morphine", "Morphine Sulfate", "Morphine"),
        ] {
            assert_eq!(
                conflict(allergies, drug).as_deref(),
                Some(entry),
                "{allergies}: {drug}"
            );
        }
    }

    #[test]
    fn what_names_no_drug_warns_of_none() {
        for (allergies, drug) in [
            ("", "Ibuprofen"),
            ("none", "Nonexol"),
            ("No known drug allergies", "Drugol"),
            ("NKDA", "Ibuprofen"),
            ("Salicylic acid", "Folic Acid"),
            ("Potassium chloride", "Sodium Chloride"),
            ("Penicillin", "Amoxicillin"),
            ("ASA", "Asacol"),
            ("severe rash", "Severex"),
        ] {
            assert_eq!(conflict(allergies, drug), None, "{allergies}: {drug}");
        }
    }
}
