//! The supervisor's board: every ward on one screen, troubles first.

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::table::{Cell, Column, Look, Row, Table};
use super::{Did, Frame, Msg, Rows, Scene, Then, What};
use crate::domain::WardId;
use crate::domain::board::{Board, Line as WardLine};
use crate::tui::clock::{self, Due};
use crate::tui::keymap::Action;
use crate::tui::model::Effect;
use crate::tui::widgets::{Line, Pen};

const COLUMNS: &[Column] = &[
    // Whole: two wards whose codes begin alike must not look alike.
    Column::text("ward", 8, 14),
    Column::text("name", 8, 28).rank(4).below(),
    Column::fixed("due", 4).right(),
    Column::fixed("late", 5).right(),
    Column::fixed("oldest", 8).right().rank(2),
    Column::fixed("low", 4).right(),
    Column::fixed("out", 4).right(),
    Column::fixed("emerg", 5).right().rank(1).below(),
    Column::fixed("given/h", 12).rank(3).below(),
];

/// The page's state.
#[derive(Debug, Clone)]
pub struct BoardPage {
    /// Rows, selection, filter.
    pub frame: Frame<WardId>,
    totals: Totals,
}

/// The hospital in one line.
#[derive(Debug, Clone, Default)]
struct Totals {
    late: u64,
    out: u64,
    emergencies: u64,
}

impl BoardPage {
    /// The board.
    pub fn open(now: Timestamp) -> (BoardPage, Vec<Effect>) {
        let (frame, effects) = Frame::open(
            "BOARD",
            "There is no ward yet: 'valmed import DIR' brings them.",
            COLUMNS,
            What::Board,
            now,
        );
        let totals = Totals::default();
        (BoardPage { frame, totals }, effects)
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        match self.frame.update(msg, scene) {
            Did::All(effects) => (effects, Then::Stay),
            Did::Close => (Vec::new(), Then::Close),
            Did::Rows(Rows::Board(board)) => {
                self.take(board, scene.context.now);
                (Vec::new(), Then::Stay)
            }
            Did::Rows(_) => (Vec::new(), Then::Stay),
            Did::Act(Action::Choose) => match self.frame.selected() {
                Some(ward) => (Vec::new(), Then::Ward(ward)),
                None => (Vec::new(), Then::Stay),
            },
            Did::Act(_) => (Vec::new(), Then::Stay),
        }
    }

    fn take(&mut self, board: &Board, now: Timestamp) {
        self.totals = Totals {
            late: board.lines.iter().map(|line| u64::from(line.late)).sum(),
            out: board.lines.iter().map(|line| u64::from(line.out)).sum(),
            emergencies: board
                .lines
                .iter()
                .map(|line| u64::from(line.emergencies))
                .sum(),
        };
        self.frame.set(rows(board, now));
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let theme = pen.theme;
        let wards = self.frame.table.len();
        let mut counts = Line::of(
            match wards {
                1 => "1 ward".to_owned(),
                wards => format!("{wards} wards"),
            },
            theme.plain(),
        );
        for (count, word, style) in [
            (self.totals.emergencies, "emergency access", theme.loud()),
            (self.totals.late, "late", theme.late()),
            (self.totals.out, "out of stock", theme.out()),
        ] {
            if count > 0 {
                counts = counts
                    .and(", ", theme.plain())
                    .and(format!("{count} {word}"), style);
            }
        }
        self.frame.view(pen, area, counts, scene);
    }
}

/// The board's rows: where somebody has emergency access first, then where somebody waits for a dose, then where something is out; the board's own order, by name,
/// within that. All wards' little bars stand against the same most, so that they can be compared.
pub fn rows(board: &Board, now: Timestamp) -> Vec<Row<WardId>> {
    let mut lines: Vec<&WardLine> = board.lines.iter().collect();
    lines.sort_by_key(|line| (line.emergencies == 0, line.late == 0, line.out == 0));
    let most = board
        .lines
        .iter()
        .flat_map(|line| line.given.iter().copied())
        .max()
        .unwrap_or(0);
    lines
        .into_iter()
        .map(|line| Row::of(line.ward.id, cells(line, most, now)))
        .collect()
}

/// The board as text to print, of at most so many columns.
pub fn text(board: &Board, now: Timestamp, columns: usize) -> String {
    let mut table = Table::new(COLUMNS);
    table.set(rows(board, now));
    table.text(columns)
}

fn cells(line: &WardLine, most: u32, now: Timestamp) -> Vec<Cell> {
    let oldest = line
        .oldest
        .map_or(String::new(), |at| match Due::of(at, now) {
            Due::Late(minutes) => clock::span(minutes),
            Due::Now | Due::In(_) => String::new(),
        });
    vec![
        Cell::text(&line.ward.code).look(Look::Strong),
        Cell::text(&line.ward.name),
        Cell::count(line.due.into(), Look::Due),
        Cell::count(line.late.into(), Look::Late),
        Cell::number(oldest).look(Look::Late),
        Cell::count(line.low.into(), Look::Low),
        Cell::count(line.out.into(), Look::Out),
        Cell::count(line.emergencies.into(), Look::Loud),
        Cell::spark(line.given.clone(), most),
    ]
}
