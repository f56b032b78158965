//! What a line of a report says, field by field, whoever shows it.

use jiff::Timestamp;

use super::{Dose, Effect, Kind, Line, NotGiven, Override, Scan, StockOut, Use, Who};
use crate::domain::mar::{Standing, Windows};
use crate::domain::shelf::{DiscrepancyLine, Named};
use crate::domain::{Policy, Quantity, Reason, ReasonKind, words};

/// How a word is meant; it says so itself too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    Plain,
    /// To be heeded.
    Heed,
    /// Not as it should be.
    Bad,
}

/// One field of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A moment (UTC); `None`: there is none.
    Time(Option<Timestamp>),
    /// Text as it stands in the data.
    Text(String),
    /// Text by which the line is told first.
    Name(String),
    /// A drug: name and strength.
    Drug(String, String),
    /// An amount; nothing is left out.
    Quantity(Quantity),
    /// Minutes.
    Minutes(Option<i64>),
    /// A word of ours.
    Word(&'static str, Tone),
    /// What only programs need.
    Key(String),
}

/// What the fields of a report are called, in their order.
pub const fn columns(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Due | Kind::Missed | Kind::Late => &[
            "due", "bed", "patient", "mrn", "drug", "dose", "unit", "state", "late", "at", "by",
            "why", "order",
        ],
        Kind::NotGiven => &[
            "time",
            "patient",
            "mrn",
            "drug",
            "outcome",
            "why",
            "by",
            "entered",
            "taken back",
            "code",
            "entry",
        ],
        Kind::Effects => &[
            "given", "patient", "mrn", "drug", "quantity", "unit", "for", "effect", "noted",
            "noted by", "code", "entry",
        ],
        Kind::WrongPatient => &[
            "time",
            "by",
            "stopped by",
            "patient",
            "mrn",
            "drug",
            "order",
        ],
        Kind::Overrides => &[
            "time",
            "what",
            "patient",
            "mrn",
            "drug",
            "warned of",
            "why",
            "by",
            "code",
        ],
        Kind::Discrepancies => &[
            "found",
            "drug",
            "difference",
            "unit",
            "of",
            "state",
            "found by",
            "reason",
            "resolved",
            "resolved by",
            "why",
            "id",
        ],
        Kind::Use => &[
            "drug", "unit", "given", "wasted", "sent", "returned", "adjusted", "came", "code",
        ],
        Kind::StockOuts => &["since", "until", "drug", "lasted", "took", "by", "code"],
    }
}

/// What the words of a line go by.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// The moment at which they are true (UTC).
    pub now: Timestamp,
    /// What the hospital has set.
    pub policy: &'a Policy,
    /// From when on a dose counts as due and as missed.
    pub windows: Windows,
}

/// The fields of a line, as many as its report has [`columns`].
pub fn fields(line: &Line, by: &By<'_>) -> Vec<Field> {
    match line {
        Line::Dose(line) => dose(line, by),
        Line::NotGiven(line) => not_given(line, by),
        Line::Effect(line) => effect(line, by),
        Line::Scan(line) => scan(line),
        Line::Override(line) => overridden(line, by),
        Line::Discrepancy(line) => discrepancy(line),
        Line::Use(line) => used(line),
        Line::StockOut(line) => stock_out(line, by),
    }
}

fn text(text: &str) -> Field {
    Field::Text(text.to_owned())
}

fn drug(of: &Named) -> Field {
    Field::Drug(of.name.clone(), of.strength.clone())
}

fn name(who: &Who) -> [Field; 2] {
    [Field::Name(who.name.clone()), text(&who.mrn)]
}

fn dose(line: &Dose, by: &By<'_>) -> Vec<Field> {
    let standing = line.standing(by.now, by.windows);
    let late = line.late(by.now);
    let over = late.is_some_and(|late| late > i64::from(super::late_minutes(by.policy)));
    let state = match standing {
        Standing::Missed => Field::Word("MISSED", Tone::Bad),
        Standing::Late => Field::Word("open, late", Tone::Heed),
        Standing::Due => Field::Word("open", Tone::Plain),
        Standing::Later => Field::Word("later", Tone::Plain),
        Standing::Held => Field::Word("held", Tone::Heed),
        Standing::Refused => Field::Word("refused", Tone::Heed),
        Standing::NotAvailable => Field::Word("not there", Tone::Heed),
        Standing::Given if over => Field::Word("given LATE", Tone::Heed),
        Standing::Given => Field::Word("given", Tone::Good),
        Standing::Stopped => Field::Word("stopped", Tone::Plain),
    };
    let entry = line.of.standing_entry();
    let amount = match line.most {
        Some(most) if most != line.least => format!("{}-{most}", line.least),
        _ => line.least.to_string(),
    };
    let why = match entry {
        Some(entry) => entry.reason.as_str(),
        None if standing == Standing::Stopped => line.of.change.as_str(),
        None => "",
    };
    let [patient, mrn] = name(&line.who);
    vec![
        Field::Time(Some(line.due)),
        text(&line.who.bed),
        patient,
        mrn,
        drug(&line.drug),
        Field::Text(amount),
        text(&line.drug.unit),
        state,
        Field::Minutes(late),
        Field::Time(entry.map(|entry| entry.at)),
        Field::Text(entry.map(|entry| entry.by.clone()).unwrap_or_default()),
        text(why),
        Field::Key(line.of.order.to_string()),
    ]
}

fn not_given(line: &NotGiven, by: &By<'_>) -> Vec<Field> {
    use crate::domain::GivingOutcome as Of;
    let (word, kind) = match line.outcome {
        Of::Held => ("held", ReasonKind::Held),
        Of::Refused => ("refused", ReasonKind::Refused),
        Of::NotAvailable => ("not there", ReasonKind::NotAvailable),
        Of::Given => ("given", ReasonKind::Correction),
    };
    let [patient, mrn] = name(&line.who);
    vec![
        Field::Time(Some(line.at)),
        patient,
        mrn,
        drug(&line.drug),
        Field::Word(word, Tone::Heed),
        Field::Text(by.policy.reasons.told(kind, &line.reason)),
        text(&line.by),
        Field::Time(Some(line.entered)),
        if line.taken_back {
            Field::Word("taken back", Tone::Plain)
        } else {
            text("")
        },
        text(&line.reason.code),
        Field::Key(line.id.to_string()),
    ]
}

fn effect(line: &Effect, by: &By<'_>) -> Vec<Field> {
    let told = |kind, reason: &Reason| by.policy.reasons.told(kind, reason);
    let [patient, mrn] = name(&line.who);
    let said = match &line.effect {
        Some(effect) => Field::Text(told(ReasonKind::Effect, effect)),
        None => Field::Word("NOT ASKED YET", Tone::Heed),
    };
    vec![
        Field::Time(Some(line.given)),
        patient,
        mrn,
        drug(&line.drug),
        Field::Quantity(line.quantity),
        text(&line.drug.unit),
        Field::Text(told(ReasonKind::Indication, &line.indication)),
        said,
        Field::Time(line.noted),
        Field::Text(line.noted_by.clone().unwrap_or_default()),
        Field::Text(
            line.effect
                .as_ref()
                .map(|effect| effect.code.clone())
                .unwrap_or_default(),
        ),
        Field::Key(line.id.to_string()),
    ]
}

fn scan(line: &Scan) -> Vec<Field> {
    let stopped = if line.by_the_desk { "desk" } else { "sheet" };
    let [patient, mrn] = match &line.who {
        Some(who) => name(who),
        None => [Field::Name(String::new()), text("")],
    };
    vec![
        Field::Time(Some(line.at)),
        text(&line.by),
        Field::Word(stopped, Tone::Plain),
        patient,
        mrn,
        line.drug.as_ref().map_or_else(|| text(""), drug),
        Field::Key(
            line.order
                .map(|order| order.to_string())
                .unwrap_or_default(),
        ),
    ]
}

fn overridden(line: &Override, by: &By<'_>) -> Vec<Field> {
    let what = if line.given { "given" } else { "prescribed" };
    let [patient, mrn] = name(&line.who);
    vec![
        Field::Time(Some(line.at)),
        Field::Word(what, Tone::Plain),
        patient,
        mrn,
        drug(&line.drug),
        Field::Text(line.warned.replace('_', " ")),
        Field::Text(by.policy.reasons.told(ReasonKind::Override, &line.reason)),
        text(&line.by),
        text(&line.reason.code),
    ]
}

fn discrepancy(line: &DiscrepancyLine) -> Vec<Field> {
    use crate::domain::cupboard::DiscrepancyStatus as Is;
    let state = match line.status {
        Is::Unexplained => Field::Word("UNEXPLAINED", Tone::Bad),
        Is::Open => Field::Word("open", Tone::Heed),
        Is::Resolved => Field::Word("resolved", Tone::Good),
    };
    let of = match &line.sent_from {
        Some(ward) => format!("transfer from {}", ward.code),
        None => "count".to_owned(),
    };
    let how = line.resolution.map(|how| how.to_string());
    let why = match (how, line.resolved_reason.as_str()) {
        (Some(how), "") => how,
        (Some(how), why) => format!("{how}: {why}"),
        (None, _) => String::new(),
    };
    vec![
        Field::Time(Some(line.opened_at)),
        drug(&line.drug),
        Field::Text(words::difference(line)),
        text(&line.drug.unit),
        Field::Text(of),
        state,
        text(&line.opened_by),
        text(&line.reason),
        Field::Time(line.resolved_at),
        Field::Text(line.resolved_by.clone().unwrap_or_default()),
        Field::Text(why),
        Field::Key(line.id.to_string()),
    ]
}

fn used(line: &Use) -> Vec<Field> {
    let mut all = vec![drug(&line.drug), text(&line.drug.unit)];
    all.extend(
        [
            line.given,
            line.wasted,
            line.sent,
            line.returned,
            line.adjusted,
            line.came,
        ]
        .map(Field::Quantity),
    );
    all.push(text(&line.drug.code));
    all
}

fn stock_out(line: &StockOut, by: &By<'_>) -> Vec<Field> {
    let until = match line.until {
        Some(until) => Field::Time(Some(until)),
        None => Field::Word("STILL OUT", Tone::Bad),
    };
    let end = line.until.unwrap_or(by.now);
    let lasted = end.duration_since(line.since).as_mins().max(0);
    vec![
        Field::Time(Some(line.since)),
        until,
        drug(&line.drug),
        Field::Minutes(Some(lasted)),
        Field::Word(line.took.as_str(), Tone::Plain),
        Field::Text(line.by.clone().unwrap_or_default()),
        text(&line.drug.code),
    ]
}
