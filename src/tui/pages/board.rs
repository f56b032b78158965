//! The supervisor's board: every ward on one screen, troubles first.

use std::sync::Arc;

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::frame::below_title;
use super::table::{Cell, Column, Half, Look, Row, Table};
use super::{Did, Frame, Msg, Rows, Scene, Then, What};
use crate::domain::WardId;
use crate::domain::board::{Board, Line as WardLine};
use crate::tui::clock::{self, Due};
use crate::tui::keymap::Action;
use crate::tui::layout::NARROW;
use crate::tui::model::Effect;
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::pad;
use crate::tui::widgets::{Line, Pen, bar};

const COLUMNS: &[Column] = &[
    // Whole: two wards whose codes begin alike must not look alike.
    Column::text("ward", 14, 14),
    Column::text("name", 8, 28).rank(4).below(),
    Column::fixed("due", 4).right(),
    Column::fixed("late", 5).right(),
    Column::fixed("missed", 6).right(),
    Column::fixed("oldest", 8).right().rank(2),
    Column::fixed("low", 4).right(),
    Column::fixed("out", 4).right(),
    Column::fixed("diff", 4).right().below(),
    Column::fixed("emerg", 5).right().rank(1).below(),
    Column::fixed("given/h", 12).rank(3).below(),
];

/// Where the wards are more than the lines, they stand in two halves, each with what is to be seen of every ward; the rest
/// stands at the foot for the one that is selected.
const HALF: Half = Half {
    columns: &[
        Column::text("ward", 14, 14),
        Column::fixed("due", 3).right(),
        Column::fixed("lat", 3).right(),
        Column::fixed("mis", 3).right(),
        Column::fixed("low", 3).right(),
        Column::fixed("out", 3).right(),
        Column::fixed("df", 2).right(),
        Column::fixed("!", 1).right(),
        Column::fixed("oldest", 8).right().rank(1),
        Column::fixed("given/h", 12).rank(2),
        Column::text("name", 8, 28).rank(3),
    ],
    cells: &[0, 2, 3, 4, 6, 7, 8, 9, 5, 10, 1],
};

/// Lines at the foot: all that there is of the selected ward.
const FOOT: u16 = 3;

/// The page's state.
#[derive(Debug, Clone)]
pub struct BoardPage {
    /// Rows, selection, filter.
    pub frame: Frame<WardId>,
    totals: Totals,
    board: Option<Arc<Board>>,
}

/// The hospital in one line.
#[derive(Debug, Clone, Default)]
struct Totals {
    late: u64,
    missed: u64,
    out: u64,
    discrepancies: u64,
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
        let page = BoardPage {
            frame,
            totals: Totals::default(),
            board: None,
        };
        (page, effects)
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        if let Msg::Click(line, column) = msg
            && let Some(below) = self.in_halves(scene.area)
        {
            if let Some(ward) = self.frame.table.in_half(below, *line, *column) {
                self.frame.table.list.select(ward);
            }
            return (Vec::new(), Then::Stay);
        }
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

    fn take(&mut self, board: &Arc<Board>, now: Timestamp) {
        let sum =
            |of: fn(&WardLine) -> u32| board.lines.iter().map(|line| u64::from(of(line))).sum();
        self.totals = Totals {
            late: sum(|line| line.late),
            missed: sum(|line| line.missed),
            out: sum(|line| line.out),
            discrepancies: sum(|line| line.discrepancies),
            emergencies: sum(|line| line.emergencies),
        };
        self.board = Some(Arc::clone(board));
        self.frame.set(rows(board, now));
    }

    /// Where the halves are drawn, if the wards are more than the lines of a page that is wide enough.
    fn in_halves(&self, area: Rect) -> Option<Rect> {
        let below = below_title(area);
        let rows = usize::from(Table::<WardId>::rows_area(below).height);
        let wide = area.width >= HALVES
            && self.frame.table.list.len() > rows.saturating_sub(usize::from(FOOT));
        wide.then(|| above_foot(below))
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
            (self.totals.missed, "missed", theme.late()),
            (self.totals.out, "out", theme.out()),
            (self.totals.discrepancies, "diff", theme.warning()),
        ] {
            if count > 0 {
                counts = counts
                    .and(", ", theme.plain())
                    .and(format!("{count} {word}"), style);
            }
        }
        match self.in_halves(area) {
            Some(halves) => {
                self.frame.head(pen, area, counts, scene);
                self.frame.table.view_halves(pen, halves, &HALF);
                self.foot(pen, area, scene);
            }
            None if area.width >= NARROW && area.height > TALL => {
                self.frame.view(pen, above_foot(area), counts, scene);
                self.foot(pen, area, scene);
            }
            None => self.frame.view(pen, area, counts, scene),
        }
    }

    /// All that there is of the selected ward, in words.
    fn foot(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let selected = self.frame.selected();
        let found = self.board.as_ref().and_then(|board| {
            let mut lines = board.lines.iter();
            lines.find(|line| Some(line.ward.id) == selected)
        });
        let (Some(line), Some(y)) = (found, area.height.checked_sub(FOOT)) else {
            return;
        };
        let place = Rect {
            y: area.y + y,
            height: FOOT,
            ..area
        };
        let theme = pen.theme;
        let rule = theme.rule(false);
        pen.rule(row_of(place, 0), rule);
        let most = line.given.iter().copied().max().unwrap_or(0);
        let given: u64 = line.given.iter().copied().map(u64::from).sum();
        let beside = Line::of(format!("given in 12 h {given} "), theme.plain())
            .and(bar::spark(&line.given, most, &theme.symbols), theme.good());
        let room = usize::from(area.width).saturating_sub(beside.width() + 2);
        let name = theme.text(&line.ward.name);
        let name = pad(&name, room, theme.symbols.mark);
        let mut first = Line::of(format!(" {name} "), theme.strong());
        first.0.extend(beside.0);
        pen.line(row_of(place, 1), &first);
        let oldest = oldest(line, scene.context.now);
        let oldest = if oldest.is_empty() {
            String::new()
        } else {
            format!(", oldest {oldest}")
        };
        let words = format!(
            " {} due, {} late{oldest}, {} missed, {} low, {} out, {} diff, {} emerg",
            line.due,
            line.late,
            line.missed,
            line.low,
            line.out,
            line.discrepancies,
            line.emergencies
        );
        pen.put(row_of(place, 2), &words, theme.plain());
    }
}

/// From so many columns on two halves of the board stand side by side.
const HALVES: u16 = 80;
/// A page so low has no room for a foot.
const TALL: u16 = 14;

/// All but the foot.
fn above_foot(area: Rect) -> Rect {
    Rect {
        height: area.height.saturating_sub(FOOT),
        ..area
    }
}

/// How long somebody has waited for a dose; empty: nobody does.
fn oldest(line: &WardLine, now: Timestamp) -> String {
    line.oldest
        .map_or(String::new(), |at| match Due::of(at, now) {
            Due::Late(minutes) => clock::span(minutes),
            Due::Now | Due::In(_) => String::new(),
        })
}

/// The board's rows: where somebody has emergency access first, then where a dose was missed, then where somebody waits for
/// one, then where something is out; the board's own order, by name, within that. All wards' little bars stand against the
/// same most, so that they can be compared.
pub fn rows(board: &Board, now: Timestamp) -> Vec<Row<WardId>> {
    let mut lines: Vec<&WardLine> = board.lines.iter().collect();
    lines.sort_by_key(|line| {
        (
            line.emergencies == 0,
            line.missed == 0,
            line.late == 0,
            line.out == 0,
        )
    });
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
    vec![
        Cell::text(&line.ward.code).look(Look::Strong),
        Cell::text(&line.ward.name),
        Cell::count(line.due.into(), Look::Due),
        Cell::count(line.late.into(), Look::Late),
        Cell::count(line.missed.into(), Look::Late),
        Cell::number(oldest(line, now)).look(Look::Late),
        Cell::count(line.low.into(), Look::Low),
        Cell::count(line.out.into(), Look::Out),
        Cell::count(line.discrepancies.into(), Look::Warning),
        Cell::count(line.emergencies.into(), Look::Loud),
        Cell::spark(line.given.clone(), most),
    ]
}
