//! The cupboard's lines as rows of a table.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::Scene;
use super::super::table::{Cell, Column, Look, Row};
use super::{Ask, Lines};
use crate::domain::cupboard::{DiscrepancyStatus, TransferStatus};
use crate::domain::shelf::{Named, RegisterPage, TransferLine};
use crate::domain::snapshot::StockLevel;
use crate::domain::{DrugId, Quantity, supply, words};
use crate::tui::clock;
use crate::tui::theme::Theme;
use crate::tui::widgets::Line;

const TRANSFERS: &[Column] = &[
    Column::fixed("state", 8),
    Column::text("drug", 16, 48),
    Column::text("from", 5, 8),
    Column::text("to", 5, 8),
    Column::fixed("sent", 8).right(),
    Column::fixed("arrived", 8).right(),
    Column::text("when", 12, 17).rank(1),
    Column::text("by", 8, 24).rank(2),
    Column::text("note", 8, 30).rank(3),
];
const REGISTER: &[Column] = &[
    Column::fixed("row", 5).right(),
    Column::text("time", 12, 17),
    Column::text("patient or reason", 14, 40),
    Column::fixed("in", 7).right(),
    Column::fixed("out", 7).right(),
    Column::fixed("balance", 8).right(),
    Column::text("by", 8, 24).rank(1),
    Column::text("witness", 8, 24).rank(3),
    Column::fixed("hash", 9).rank(2),
];
const LOTS: &[Column] = &[
    Column::fixed("expires", 10),
    Column::fixed("state", 9),
    Column::text("lot", 8, 20),
    Column::text("drug", 16, 48),
    Column::fixed("quantity", 9).right(),
    Column::text("unit", 4, 8).rank(1),
];
const LOT_MOVES: &[Column] = &[
    Column::text("ward", 5, 8),
    Column::text("time", 12, 17),
    Column::fixed("reason", 9),
    Column::fixed("quantity", 9).right(),
    Column::text("patient", 12, 40),
    Column::text("by", 8, 24).rank(1),
];
const DISCREPANCIES: &[Column] = &[
    Column::text("ward", 5, 8),
    Column::text("drug", 14, 40),
    Column::text("difference", 12, 16),
    Column::text("of", 10, 20),
    Column::fixed("state", 11),
    Column::text("since", 12, 17).rank(1),
    Column::text("reason", 8, 40).rank(2),
];
const LOW: &[Column] = &[
    Column::text("drug", 16, 48),
    Column::fixed("lasts", 9).right(),
    Column::fixed("there", 8).right(),
    Column::fixed("needs", 8).right(),
    Column::fixed("low at", 8).right().rank(1),
    Column::text("unit", 4, 8).rank(2),
    Column::text("runs out", 12, 17).rank(3),
];
const ELSEWHERE: &[Column] = &[
    Column::text("ward", 5, 8),
    Column::text("name", 10, 30),
    Column::fixed("there", 9).right(),
    Column::fixed("blocked", 9).right(),
    Column::fixed("low at", 9).right().rank(1),
    Column::text("unit", 4, 8).rank(2),
];
const REFILLS: &[Column] = &[
    Column::text("drug", 16, 44),
    Column::fixed("there", 7).right(),
    Column::fixed("par", 7).right(),
    Column::fixed("coming", 7).right().rank(2),
    Column::fixed("stock", 8).right().rank(1),
    Column::fixed("send", 7).right(),
    Column::text("outcome", 8, 60),
];
const TO_COUNT: &[Column] = &[
    Column::text("drug", 16, 48),
    Column::text("unit", 4, 8),
    Column::text("shelf", 5, 20),
    Column::fixed("kind", 10),
    Column::text("next", 10, 24),
];
const LEVELS: &[Column] = &[
    Column::text("drug", 16, 48),
    Column::fixed("there", 8).right(),
    Column::fixed("low at", 8).right(),
    Column::fixed("par", 8).right(),
    Column::text("unit", 4, 8).rank(1),
    Column::text("shelf", 5, 20),
];

/// The columns of a page.
pub fn columns(ask: &Ask) -> &'static [Column] {
    match ask {
        Ask::Transfers(_) => TRANSFERS,
        Ask::Register(..) => REGISTER,
        Ask::Lots(_) => LOTS,
        Ask::LotMoves(..) => LOT_MOVES,
        Ask::Discrepancies => DISCREPANCIES,
        Ask::Low(_) => LOW,
        Ask::Elsewhere(_) => ELSEWHERE,
        Ask::Refills(_) => REFILLS,
        Ask::ToCount(_) => TO_COUNT,
        Ask::Levels(_) => LEVELS,
    }
}

/// A page's title, and what it says where there is nothing.
pub const fn title(ask: &Ask) -> (&'static str, &'static str) {
    match ask {
        Ask::Transfers(_) => ("TRANSFERS", "Nothing was sent from here or to here."),
        Ask::Register(..) => ("REGISTER", "The register has no row yet."),
        Ask::Lots(_) => ("LOTS", "No lot is written down here."),
        Ask::LotMoves(..) => ("LOT", "Nothing was taken of it."),
        Ask::Discrepancies => (
            "DISCREPANCIES",
            "Nothing is missing, and nothing is too much.",
        ),
        Ask::Low(_) => (
            "RUNS OUT",
            "Nothing is low, and the queue's doses are covered.",
        ),
        Ask::Elsewhere(_) => ("WHERE IS", "No ward stocks it."),
        Ask::Refills(_) => ("REPLENISH", "Every drug with a par has it."),
        Ask::ToCount(_) => ("COUNT", "This ward stocks nothing."),
        Ask::Levels(_) => ("LEVELS", "This ward stocks nothing."),
    }
}

/// What a drug's row is known by.
pub fn drug_key(drug: &Named) -> u128 {
    id(drug.id)
}

/// The same of the stock pane's levels.
pub fn level_key(level: &StockLevel) -> u128 {
    id(level.drug.id)
}

fn id(drug: DrugId) -> u128 {
    u128::from(drug.0.unsigned_abs())
}

/// What a lot's row is known by.
pub fn lot_key(drug: &Named, lot: &str) -> u128 {
    let mut hash = DefaultHasher::new();
    lot.hash(&mut hash);
    (id(drug.id) << 64) | u128::from(hash.finish())
}

fn drug(drug: &Named) -> Cell {
    Cell::drug(&drug.name, &drug.strength)
}

/// The rows; `told` says what became of a drug's line of a replenishment.
pub fn rows(lines: &Lines, scene: &Scene<'_>, told: &dyn Fn(DrugId) -> String) -> Vec<Row<u128>> {
    let (now, zone) = (scene.context.now, &scene.zone);
    let when = |at| clock::day_hour(at, now, zone);
    match lines {
        Lines::Transfers { under_way, history } => transfers(under_way, history, scene),
        Lines::Register(page) => register(page, scene),
        Lines::Lots(lots) => {
            let today = now.to_zoned(zone.clone()).date();
            let days = i64::from(scene.context.policy.expiring_days);
            let row = |line: &crate::domain::shelf::LotLine| {
                let left = line
                    .expires_on
                    .since(today)
                    .map_or(0, |span| i64::from(span.get_days()));
                let (state, look) = match (line.recalled, left) {
                    (true, _) => ("RECALLED", Look::Wrong),
                    (false, ..0) => ("EXPIRED", Look::Wrong),
                    (false, left) if left <= days => ("soon", Look::Warning),
                    _ => ("ok", Look::Good),
                };
                let cells = vec![
                    Cell::text(line.expires_on.to_string()),
                    Cell::text(state).look(look),
                    Cell::text(&line.lot).look(Look::Strong),
                    drug(&line.drug),
                    Cell::number(line.quantity),
                    Cell::text(&line.drug.unit),
                ];
                Row::of(lot_key(&line.drug, &line.lot), cells)
            };
            lots.iter().map(row).collect()
        }
        Lines::LotMoves(moves) => {
            let row = |line: &crate::domain::shelf::LotMove| {
                let patient = line.patient.as_ref();
                let patient = patient.map_or(String::new(), |(name, mrn)| format!("{name} {mrn}"));
                let key = (u128::from(line.ward.id.0.unsigned_abs()) << 64)
                    | u128::from(line.seq.unsigned_abs());
                let cells = vec![
                    Cell::text(&line.ward.code),
                    Cell::text(when(line.at)),
                    Cell::text(line.reason.as_str()),
                    Cell::number(line.delta),
                    Cell::text(patient).look(Look::Strong),
                    Cell::text(line.by.clone().unwrap_or_default()),
                ];
                Row::of(key, cells)
            };
            moves.iter().map(row).collect()
        }
        Lines::Discrepancies(found) => {
            let row = |line: &crate::domain::shelf::DiscrepancyLine| {
                let of = match &line.sent_from {
                    Some(ward) => format!("transfer, {}", ward.code),
                    None => "count".to_owned(),
                };
                let look = match line.status {
                    DiscrepancyStatus::Unexplained => Look::Wrong,
                    DiscrepancyStatus::Open => Look::Warning,
                    DiscrepancyStatus::Resolved => Look::Good,
                };
                let cells = vec![
                    Cell::text(&line.ward.code),
                    drug(&line.drug),
                    Cell::text(words::difference(line)).look(Look::Strong),
                    Cell::text(of),
                    Cell::text(line.status.as_str()).look(look),
                    Cell::text(when(line.opened_at)),
                    Cell::text(&line.reason),
                ];
                Row::of(line.id.0.as_u128(), cells)
            };
            found.iter().map(row).collect()
        }
        Lines::Low(snapshot) => {
            let row = |short: &supply::Shortage<'_>| {
                let level = short.level;
                let lasts = match short.lasts(now) {
                    Some(span) => Cell::words(clock::span(span.as_mins())).look(Look::Late),
                    None if level.is_out() => Cell::text("OUT").look(Look::Out),
                    None => Cell::text("low").look(Look::Low),
                };
                let cells = vec![
                    Cell::drug(&level.drug.name, &level.drug.strength),
                    lasts,
                    Cell::number(level.current).look(Look::Strong),
                    Cell::number(level.needed),
                    Cell::number(level.threshold),
                    Cell::text(&level.drug.unit),
                    Cell::text(short.runs_out_at.map_or(String::new(), when)),
                ];
                Row::of(level_key(level), cells)
            };
            supply::shortages(snapshot).iter().map(row).collect()
        }
        Lines::Elsewhere(found) => {
            let row = |line: &crate::domain::shelf::Elsewhere| {
                let here = if line.current.is_positive() {
                    Look::Strong
                } else {
                    Look::Faint
                };
                let cells = vec![
                    Cell::text(&line.ward.code),
                    Cell::text(&line.ward.name),
                    Cell::number(line.current).look(here),
                    Cell::number(blank_zero(line.blocked)).look(Look::Wrong),
                    Cell::number(line.threshold),
                    Cell::text(&line.drug.unit),
                ];
                Row::of(u128::from(line.ward.id.0.unsigned_abs()), cells)
            };
            found.iter().map(row).collect()
        }
        Lines::Refills(source, found) => {
            let mut rows = vec![Row::Heading(format!(
                "From {} {}",
                source.code, source.name
            ))];
            rows.extend(found.iter().map(|line| {
                let said = told(line.drug.id);
                let look = if said.starts_with("NOT") {
                    Look::Wrong
                } else {
                    Look::Good
                };
                let cells = vec![
                    drug(&line.drug),
                    Cell::number(line.current),
                    Cell::number(line.par),
                    Cell::number(blank_zero(line.coming)),
                    Cell::number(line.available),
                    Cell::number(line.quantity).look(Look::Strong),
                    Cell::text(said).look(look),
                ];
                Row::of(drug_key(&line.drug), cells)
            }));
            rows
        }
        Lines::ToCount(found) => found.iter().map(to_count).collect(),
        Lines::Levels(found) => {
            let row = |line: &crate::domain::shelf::LevelLine| {
                let cells = vec![
                    drug(&line.drug),
                    Cell::number(line.current),
                    Cell::number(line.threshold),
                    Cell::number(blank_zero(line.par)),
                    Cell::text(&line.drug.unit),
                    Cell::text(&line.shelf),
                ];
                Row::of(drug_key(&line.drug), cells)
            };
            found.iter().map(row).collect()
        }
    }
}

fn to_count(line: &crate::domain::shelf::ToCount) -> Row<u128> {
    let (next, look) = match (line.unexplained, line.again) {
        (Some(_), _) => ("EXPLAIN the difference", Look::Wrong),
        (None, true) => ("COUNT AGAIN", Look::Warning),
        (None, false) => ("count", Look::Faint),
    };
    let kind = if line.drug.controlled {
        "controlled"
    } else {
        ""
    };
    let cells = vec![
        drug(&line.drug),
        Cell::text(&line.drug.unit),
        Cell::text(&line.shelf),
        Cell::text(kind).look(Look::Warning),
        Cell::text(next).look(look),
    ];
    Row::of(drug_key(&line.drug), cells)
}

fn transfers(
    under_way: &[TransferLine],
    history: &[TransferLine],
    scene: &Scene<'_>,
) -> Vec<Row<u128>> {
    let here = scene.ward.map(|ward| ward.id);
    let row = |line: &TransferLine| {
        let (state, look) = match (line.status, line.missing) {
            (TransferStatus::Sent, _) => ("sent", Look::Due),
            (TransferStatus::Received, _) => ("arrived", Look::Good),
            (TransferStatus::Short, _) => ("SHORT", Look::Wrong),
            (TransferStatus::Resolved, _) => ("resolved", Look::Plain),
        };
        let when = clock::day_hour(line.sent_at, scene.context.now, &scene.zone);
        let cells = vec![
            Cell::text(state).look(look),
            drug(&line.drug),
            Cell::text(&line.source.code),
            Cell::text(&line.destination.code),
            Cell::number(line.quantity).look(Look::Strong),
            Cell::text(line.received.map_or(String::new(), |q| q.to_string())),
            Cell::text(when),
            Cell::text(&line.sent_by),
            Cell::text(&line.note),
        ];
        Row::of(line.id.0.as_u128(), cells)
    };
    let to_here = |line: &&TransferLine| Some(line.destination.id) == here;
    let mut rows = Vec::new();
    let mut part = |heading: &str, lines: Vec<&TransferLine>| {
        if !lines.is_empty() {
            rows.push(Row::Heading(heading.to_owned()));
            rows.extend(lines.into_iter().map(row));
        }
    };
    part(
        "On the way to here",
        under_way.iter().filter(to_here).collect(),
    );
    part(
        "On the way from here",
        under_way.iter().filter(|line| !to_here(line)).collect(),
    );
    // What is on its way stands above already.
    let done = history.iter().filter(|line| line.received.is_some());
    part("History", done.collect());
    rows
}

fn register(page: &RegisterPage, scene: &Scene<'_>) -> Vec<Row<u128>> {
    let row = |line: &crate::domain::shelf::RegisterLine| {
        let what = match &line.patient {
            Some((_, name, mrn)) => format!("{name} {mrn}"),
            None => words::register_reason(line),
        };
        let (came, went) = if line.delta.is_positive() {
            (line.delta.to_string(), String::new())
        } else {
            (String::new(), (-line.delta).to_string())
        };
        let (hash, look) = if line.holds {
            (line.hash.clone(), Look::Faint)
        } else {
            ("WRONG".to_owned(), Look::Loud)
        };
        let cells = vec![
            Cell::number(line.seq),
            Cell::text(clock::day_hour(line.at, scene.context.now, &scene.zone)),
            Cell::text(what).look(Look::Strong),
            Cell::number(came),
            Cell::number(went),
            Cell::number(line.balance),
            Cell::text(
                line.by
                    .clone()
                    .unwrap_or_else(|| "opening stock".to_owned()),
            ),
            Cell::text(line.witness.clone().unwrap_or_default()),
            Cell::text(hash).look(look),
        ];
        Row::of(u128::from(line.seq.unsigned_abs()), cells)
    };
    page.lines.iter().rev().map(row).collect()
}

fn blank_zero(quantity: Quantity) -> String {
    if quantity == Quantity::ZERO {
        String::new()
    } else {
        quantity.to_string()
    }
}

/// What stands beside the title.
pub fn counts(lines: &Lines, theme: &Theme) -> Line {
    match lines {
        Lines::Register(page) => {
            let wrong = page.lines.iter().filter(|line| !line.holds).count();
            let line = Line::of(
                format!("{} {} now", page.current, theme.text(&page.drug.unit)),
                theme.plain(),
            );
            match (wrong, page.head_holds) {
                (0, true) => line.and(", every row is what was written", theme.good()),
                (0, false) => line.and(
                    " THE STOCK IS NOT WHAT THE REGISTER ENDS WITH ",
                    theme.loud(),
                ),
                (n, _) => line.and(format!(" {n} ROWS ARE NOT WHAT WAS WRITTEN "), theme.loud()),
            }
        }
        Lines::Transfers { under_way, .. } if !under_way.is_empty() => {
            Line::of(format!("{} on their way", under_way.len()), theme.plain())
        }
        Lines::Discrepancies(found) if !found.is_empty() => {
            Line::of(format!("{} wait", found.len()), theme.warning())
        }
        _ => Line::default(),
    }
}
