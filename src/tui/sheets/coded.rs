//! Coded reasons in a field: a number of the list that stands above it, or the code itself, and words behind it where
//! the code alone says too little.

use super::facts::Facts;
use crate::domain::reason::{Reason, ReasonKind, Reasons};
use crate::tui::theme::Theme;

/// The list as lines of facts: `1 replaced by another  2 treatment is finished`.
pub fn list(
    facts: &mut Facts<'_>,
    label: &str,
    kind: ReasonKind,
    reasons: &Reasons,
    theme: &Theme,
) {
    let said: Vec<String> = (1..)
        .zip(reasons.of(kind))
        .map(|(n, code)| {
            let more = if code.needs_text { " ..." } else { "" };
            format!("{n} {}{more}", code.words)
        })
        .collect();
    facts.add(label, &said.join("   "), theme.plain());
}

/// The reason that was typed, as it is kept; or what is wrong, as a sentence.
pub fn read(typed: &str, kind: ReasonKind, reasons: &Reasons) -> Result<Reason, String> {
    let typed = typed.trim();
    let (first, rest) = typed.split_once([' ', ':']).unwrap_or((typed, ""));
    let by_number = first.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    let code = match by_number {
        Some(at) => reasons.of(kind).get(at).map(|code| code.code.clone()),
        None => reasons.find(kind, first).map(|code| code.code.clone()),
    };
    let Some(code) = code else {
        let most = reasons.of(kind).len();
        return Err(format!("Type the number of a reason, 1 to {most}."));
    };
    let reason = Reason {
        code,
        text: rest.trim_start_matches(':').trim().to_owned(),
    };
    reasons
        .check(kind, &reason)
        .map_err(|refusal| format!("{refusal}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_a_code_is_a_reason() {
        let reasons = Reasons::default();
        let read = |typed: &str| {
            let reason = read(typed, ReasonKind::Discharge, &reasons);
            reason.map(|reason| (reason.code, reason.text))
        };
        let reason = |code: &str, text: &str| Ok((code.to_owned(), text.to_owned()));
        assert_eq!(read("1"), reason("home", ""));
        assert_eq!(read(" home "), reason("home", ""));
        assert_eq!(
            read("4 to a nursing home"),
            reason("other", "to a nursing home")
        );
        assert_eq!(read("other: by car"), reason("other", "by car"));
        for typed in ["", "0", "9", "nowhere", "4"] {
            assert!(read(typed).is_err(), "{typed}");
        }
    }
}
