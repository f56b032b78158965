//! The order queue: what is to be given, by urgency.

use std::sync::Arc;

use jiff::SignedDuration;
use ratatui::layout::Rect;

use super::marks::Marks;
use super::{Scene, filter_words, matches, nothing, title};
use crate::domain::snapshot::{QueuedOrder, WardSnapshot, by_round};
use crate::domain::{OrderId, OrderKind, Priority};
use crate::tui::clock::{self, Due};
use crate::tui::layout::{self, WIDE};
use crate::tui::list::{List, Slot};
use crate::tui::model::{Context, Pane};
use crate::tui::theme::Theme;
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::{pad, pad_both, pad_words, width};
use crate::tui::widgets::{Line, Pen};
use crate::tui::words;

/// How urgent, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// So long past its time that nobody gives it by itself any more: it waits to be accounted for.
    Missed,
    /// Past its time.
    Overdue,
    /// Within the window.
    Due,
    /// Beyond the window.
    Later,
    /// Held, and not back yet.
    Held,
    /// As needed.
    AsNeeded,
    /// The schedule was not understood.
    Unscheduled,
}

impl Group {
    const ALL: [Group; 7] = [
        Group::Missed,
        Group::Overdue,
        Group::Due,
        Group::Later,
        Group::Held,
        Group::AsNeeded,
        Group::Unscheduled,
    ];

    /// The group of an order at a moment.
    pub fn of(order: &QueuedOrder, context: &Context) -> Group {
        let (now, window) = (context.now, context.due_window);
        let missed = i64::from(context.policy.missed_minutes);
        if order.held(now).is_some() {
            return Group::Held;
        }
        match (order.kind, order.due()) {
            (OrderKind::Prn, _) => Group::AsNeeded,
            (OrderKind::Unscheduled, _) | (OrderKind::Timed, None) => Group::Unscheduled,
            (OrderKind::Timed, Some(at)) => match Due::of(at, now) {
                Due::Late(minutes) if minutes >= missed => Group::Missed,
                Due::Late(_) => Group::Overdue,
                Due::Now => Group::Due,
                Due::In(minutes) if minutes <= window.as_mins() => Group::Due,
                Due::In(_) => Group::Later,
            },
        }
    }

    fn heading(self, count: usize, window: SignedDuration) -> String {
        match self {
            Group::Missed => format!("MISSED: give it, or record why not ({count})"),
            Group::Overdue => format!("OVERDUE ({count})"),
            Group::Due => format!("DUE within {} ({count})", clock::span(window.as_mins())),
            Group::Later => format!("LATER ({count})"),
            Group::Held => format!("HELD ({count})"),
            Group::AsNeeded => format!("AS NEEDED, PRN ({count})"),
            Group::Unscheduled => format!("NO SCHEDULE: see prescription ({count})"),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Row {
    Heading(Group, usize),
    Order(usize),
}

/// The pane's state.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Selection, filter, scrolling.
    pub list: List<OrderId>,
    /// Doses of one patient that are to be given together.
    pub marks: Marks,
    snapshot: Option<Arc<WardSnapshot>>,
    rows: Vec<Row>,
    counts: [usize; 7],
}

impl State {
    /// Makes the rows anew: from another snapshot, filter or minute.
    pub fn refresh(&mut self, snapshot: Option<&Arc<WardSnapshot>>, context: &Context) {
        let successor = self.successor(snapshot);
        self.snapshot = snapshot.cloned();
        self.rows.clear();
        self.counts = [0; 7];
        let mut slots = Vec::new();
        if let Some(snapshot) = snapshot {
            let mut found = self.grouped(snapshot, context);
            let words = filter_words(self.list.filter.value());
            found.retain(|(_, at)| matches_order(&words, &snapshot.orders[*at]));
            for group in Group::ALL {
                let members = found.iter().filter(|(g, _)| *g == group);
                let count = members.clone().count();
                if count == 0 {
                    continue;
                }
                self.rows.push(Row::Heading(group, count));
                slots.push(Slot::Heading);
                for (_, at) in members {
                    self.rows.push(Row::Order(*at));
                    slots.push(Slot::Item(snapshot.orders[*at].id));
                }
            }
        }
        self.list.refresh(slots);
        if let Some(order) = successor {
            self.list.select(order);
        }
    }

    /// When a dose without a time leaves the queue, the order that follows it for the same patient and drug: the
    /// selection stays with what the nurse has just dealt with, and does not land on somebody else's dose.
    fn successor(&self, snapshot: Option<&Arc<WardSnapshot>>) -> Option<OrderId> {
        let (old, new) = (self.snapshot.as_ref()?, snapshot?);
        let gone = self.selected().filter(|order| order.due_at.is_none())?;
        if new.orders.iter().any(|order| order.id == gone.id) {
            return None;
        }
        let follows = |order: &&QueuedOrder| {
            order.due_at.is_none()
                && order.patient.id == gone.patient.id
                && order.drug.id == gone.drug.id
                && !old.orders.iter().any(|known| known.id == order.id)
        };
        new.orders.iter().find(follows).map(|order| order.id)
    }

    /// Every order with its group, in the order of the round: urgency, stat, time, bed, patient.
    fn grouped(&mut self, snapshot: &WardSnapshot, context: &Context) -> Vec<(Group, usize)> {
        let mut found: Vec<(Group, usize)> = snapshot
            .orders
            .iter()
            .enumerate()
            .map(|(at, order)| (Group::of(order, context), at))
            .collect();
        for (group, _) in &found {
            self.counts[*group as usize] += 1;
        }
        // The feed has put the orders into the order of the round, once for all sessions: little is left to be sorted.
        found.sort_by(|(g, a), (h, b)| {
            g.cmp(h)
                .then_with(|| by_round(&snapshot.orders[*a], &snapshot.orders[*b]))
        });
        found
    }

    /// Marks the selected dose, or takes its mark away.
    ///
    /// # Errors
    /// In words, as [`Marks::turn`].
    pub fn mark(&mut self) -> Result<(), String> {
        let order = self.selected().cloned();
        let order = order.ok_or_else(|| "There is no dose to mark.".to_owned())?;
        self.marks.turn(&order)
    }

    /// Marks every dose of the selected one's patient that is due or past its time.
    ///
    /// # Errors
    /// In words, as [`Marks::add`]; or none is due.
    pub fn mark_due(&mut self, context: &Context) -> Result<(), String> {
        let (Some(selected), Some(snapshot)) = (self.selected().cloned(), &self.snapshot) else {
            return Err("There is no dose to mark.".to_owned());
        };
        let patient = &selected.patient;
        let due = |order: &&QueuedOrder| {
            let group = Group::of(order, context);
            let now = matches!(group, Group::Missed | Group::Overdue | Group::Due);
            now && order.patient.id == patient.id
        };
        let mut any = false;
        for order in snapshot.orders.iter().filter(due) {
            self.marks.add(order)?;
            any = true;
        }
        let none = || format!("Nothing is due for {} now.", patient.name);
        any.then_some(()).ok_or_else(none)
    }

    /// The marked doses, as they are now.
    pub fn marked(&self) -> Vec<QueuedOrder> {
        let snapshot = self.snapshot.as_ref();
        snapshot.map_or_else(Vec::new, |snapshot| self.marks.orders(snapshot))
    }

    /// The selected order.
    pub fn selected(&self) -> Option<&QueuedOrder> {
        let id = self.list.selected()?;
        self.snapshot.as_ref()?.orders.iter().find(|o| o.id == id)
    }

    /// Draws the pane.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let counts = self.title_counts(pen.theme);
        title(pen, area, "QUEUE", &counts, &self.list, scene.focused);
        // Beside a filter there are no counts; what is marked is said all the same.
        if !self.marks.is_empty() && !self.list.filter.is_empty() {
            let marked = format!(" {} MARKED ", self.marks.len());
            pen.right(row_of(area, 0), &Line::of(marked, pen.theme.strong()));
        }
        let place = layout::list_area(Pane::Queue, area);
        let Some(snapshot) = &self.snapshot else {
            nothing(pen, place, false, "Reading the ward's queue.");
            return;
        };
        if self.list.is_empty() {
            let filtered = !self.list.filter.is_empty();
            nothing(pen, place, filtered, "No dose is waiting on this ward.");
            return;
        }
        let each = layout::lines_each(area.width);
        let columns = Columns::of(area.width, snapshot);
        let mut y = 0;
        for (at, _, height) in self.list.shown(place.height, each) {
            match self.rows.get(at) {
                Some(Row::Heading(group, count)) => {
                    let words = group.heading(*count, scene.context.due_window);
                    let style = pen.theme.heading();
                    let line = Line::of("  ", pen.theme.plain()).and(words, style);
                    pen.line(row_of(place, y), &line);
                }
                Some(Row::Order(index)) => {
                    let order = &snapshot.orders[*index];
                    let selected = self.list.selected() == Some(order.id);
                    let before = self.before(order, selected, pen.theme);
                    let lines = columns.lines(order, snapshot, pen, scene, &before);
                    for (row, line) in (0..height).zip(&lines) {
                        pen.line(row_of(place, y + row), line);
                        if selected {
                            let style = pen.theme.selected(scene.focused);
                            pen.tint(row_of(place, y + row), style);
                        }
                    }
                }
                None => {}
            }
            y += height;
        }
        self.in_full(pen, area, place, scene);
    }

    /// What stands before a row: the marker on the selected one, a star on a marked one.
    fn before(&self, order: &QueuedOrder, selected: bool, theme: &Theme) -> String {
        let marker = if selected { theme.symbols.marker } else { " " };
        let mark = if self.marks.hold(order.id) { "*" } else { " " };
        format!("{marker}{mark}")
    }

    fn title_counts(&self, theme: &Theme) -> Line {
        let mut line = Line::default();
        if !self.marks.is_empty() {
            line = line.and(format!("{} MARKED", self.marks.len()), theme.strong());
        }
        let [missed, overdue, due, later, held, prn, unscheduled] = self.counts;
        for (count, word, style) in [
            (missed, "missed", theme.late()),
            (overdue, "overdue", theme.late()),
            (due, "due", theme.due()),
            (later, "later", theme.plain()),
            (held, "held", theme.plain()),
            (prn, "as needed", theme.plain()),
            (unscheduled, "no schedule", theme.plain()),
        ] {
            if count > 0 {
                let comma = if line.0.is_empty() { "" } else { ", " };
                line = line
                    .and(comma, theme.plain())
                    .and(format!("{count} {word}"), style);
            }
        }
        if self.snapshot.as_ref().is_some_and(|s| s.orders_cut) {
            line = line
                .and(" ", theme.plain())
                .and(" LIST CUT: there are more ", theme.loud());
        }
        line
    }

    /// The selected dose in full on the pane's last line, because rows are cut.
    fn in_full(&self, pen: &mut Pen<'_>, area: Rect, list: Rect, scene: &Scene<'_>) {
        if list.height + 1 >= area.height || layout::lines_each(area.width) == 2 {
            return;
        }
        let Some(order) = self.selected() else { return };
        let dot = format!(" {} ", pen.theme.symbols.dot);
        let mut parts = vec![order.drug.title()];
        parts.push(format!(
            "{} {}",
            words::dose(&order.dose, &order.drug),
            order.route
        ));
        if order.drug.high_alert {
            parts.push("HIGH-ALERT".to_owned());
        }
        if order.drug.controlled {
            parts.push("CONTROLLED".to_owned());
        }
        if !order.frequency.is_empty() {
            parts.push(order.frequency.clone());
        }
        if let Some(at) = order.due_at {
            parts.push(clock::day_hour(at, scene.context.now, scene.zone));
        }
        if let Some(until) = order.held(scene.context.now) {
            let until = clock::day_hour(until, scene.context.now, scene.zone);
            parts.push(format!("HELD until {until}"));
        }
        parts.push(order.prescriber.clone());
        let text = pen.theme.text(&parts.join(&dot)).into_owned();
        let style = pen.theme.strong();
        let line = Line::of("  ", pen.theme.plain()).and(text, style);
        pen.line(row_of(area, area.height - 1), &line);
    }
}

fn matches_order(words: &[String], order: &QueuedOrder) -> bool {
    matches(
        words,
        &[
            &order.patient.name,
            &order.patient.mrn,
            &order.patient.bed,
            &order.drug.name,
            &order.drug.strength,
        ],
    )
}

/// What stops a dose before anybody has walked to the cupboard.
fn obstacle(order: &QueuedOrder, snapshot: &WardSnapshot) -> &'static str {
    match snapshot.stock_of(order.drug.id) {
        None => "NOT STOCKED",
        Some(level) if level.is_out() => "OUT",
        Some(level) if level.current < order.dose.least => "NOT ENOUGH",
        Some(_) => "",
    }
}

/// The widths of the columns on a screen.
#[derive(Debug, Clone, Copy)]
struct Columns {
    width: usize,
    stat: usize,
    clock: usize,
    due: usize,
    bed: usize,
    patient: usize,
    drug: usize,
    dose: usize,
    route: usize,
    frequency: usize,
    obstacle: usize,
}

impl Columns {
    /// Columns with the space behind them; the drug takes what the others leave.
    fn of(width: u16, snapshot: &WardSnapshot) -> Columns {
        let any_stat = snapshot
            .orders
            .iter()
            .any(|order| order.priority == Priority::Stat);
        let wide = width >= WIDE;
        let widest = width >= 140;
        let mut columns = Columns {
            width: usize::from(width),
            stat: if any_stat { 5 } else { 0 },
            clock: if wide { 7 } else { 0 },
            due: 13,
            bed: if widest { 7 } else { 5 },
            patient: if wide { 21 } else { 16 },
            drug: 0,
            dose: if widest {
                16
            } else if wide {
                11
            } else {
                10
            },
            route: if wide { 8 } else { 6 },
            frequency: if wide { 9 } else { 0 },
            obstacle: if widest { 12 } else { 0 },
        };
        columns.drug = columns.width.saturating_sub(columns.others());
        columns
    }

    const fn others(&self) -> usize {
        2 + self.stat
            + self.clock
            + self.due
            + self.bed
            + self.patient
            + self.dose
            + self.route
            + self.frequency
            + self.obstacle
    }

    /// The one or two lines of an order.
    fn lines(
        &self,
        order: &QueuedOrder,
        snapshot: &WardSnapshot,
        pen: &Pen<'_>,
        scene: &Scene<'_>,
        before: &str,
    ) -> Vec<Line> {
        let theme = pen.theme;
        let start = Line::of(before, theme.plain());
        if layout::lines_each(u16::try_from(self.width).unwrap_or(u16::MAX)) == 2 {
            return self.two_lines(order, snapshot, theme, scene, start);
        }
        let cell = |text: &str, columns: usize| -> String {
            if columns == 0 {
                return String::new();
            }
            pad(&theme.text(text), columns - 1, theme.symbols.mark) + " "
        };
        let now = scene.context.now;
        let (due, style) = due_words(order, scene, theme, self.clock > 0);
        let stat = if order.priority == Priority::Stat {
            "STAT"
        } else {
            ""
        };
        let at = order
            .due_at
            .map(|at| clock::short(at, now, scene.zone))
            .unwrap_or_default();
        let obstacle = obstacle(order, snapshot);
        let mut line = start;
        if self.stat > 0 {
            let style = if stat.is_empty() {
                theme.plain()
            } else {
                theme.stat()
            };
            line = line.and(pad(stat, 4, ""), style).and(" ", theme.plain());
        }
        line = line
            .and(cell(&at, self.clock), theme.plain())
            .and(cell(&due, self.due), style)
            .and(cell(&order.patient.bed, self.bed), theme.plain())
            .and(cell(&order.patient.name, self.patient), theme.plain());
        // Without a column of its own the obstacle takes the end of the drug's: what cannot be given need not be
        // read to its end here.
        let room = if self.obstacle == 0 && !obstacle.is_empty() {
            self.drug.saturating_sub(obstacle.len() + 1)
        } else {
            self.drug
        };
        line = line.and(drug_cell(order, room, theme), theme.plain());
        if self.obstacle == 0 && !obstacle.is_empty() {
            line = line.and(format!("{obstacle} "), theme.out());
        }
        let dose = words::dose(&order.dose, &order.drug);
        let line = line
            .and(dose_cell(&dose, self.dose, theme), theme.plain())
            .and(cell(&order.route, self.route), theme.plain())
            .and(cell(&order.frequency, self.frequency), theme.plain())
            .and(cell(obstacle, self.obstacle), theme.out());
        vec![line]
    }

    /// On a narrow screen: who and when, below it what and how.
    fn two_lines(
        &self,
        order: &QueuedOrder,
        snapshot: &WardSnapshot,
        theme: &Theme,
        scene: &Scene<'_>,
        start: Line,
    ) -> Vec<Line> {
        let mark = theme.symbols.mark;
        let (due, style) = due_words(order, scene, theme, false);
        let mut first = start;
        let mut room = self.width.saturating_sub(2 + 13 + 5);
        if order.priority == Priority::Stat {
            first = first.and("STAT", theme.stat()).and(" ", theme.plain());
            room = room.saturating_sub(5);
        }
        let first = first
            .and(pad(&due, 12, mark) + " ", style)
            .and(
                pad(&theme.text(&order.patient.bed), 4, mark) + " ",
                theme.plain(),
            )
            .and(
                pad(&theme.text(&order.patient.name), room, mark),
                theme.plain(),
            );
        let dose = words::dose(&order.dose, &order.drug);
        let dose = theme.text(&format!("{dose} {}", order.route)).into_owned();
        let dose = pad_words(&dose, width(&dose).min(18), mark);
        let obstacle = obstacle(order, snapshot);
        let taken = 4
            + width(&dose)
            + 1
            + if obstacle.is_empty() {
                0
            } else {
                obstacle.len() + 1
            };
        let mut second = Line::of("    ", theme.plain()).and(
            drug_cell(order, self.width.saturating_sub(taken), theme),
            theme.plain(),
        );
        if !obstacle.is_empty() {
            second = second.and(format!("{obstacle} "), theme.out());
        }
        vec![first, second.and(dose, theme.strong())]
    }
}

fn dose_cell(dose: &str, columns: usize, theme: &Theme) -> String {
    pad_words(
        &theme.text(dose),
        columns.saturating_sub(1),
        theme.symbols.mark,
    ) + " "
}

fn drug_cell(order: &QueuedOrder, columns: usize, theme: &Theme) -> String {
    if columns == 0 {
        return String::new();
    }
    let name = theme.text(&order.drug.name);
    let strength = theme.text(&order.drug.strength);
    pad_both(&name, &strength, columns - 1, theme.symbols.mark) + " "
}

/// When, in the words of its group: how late, how soon, or the hour when it is far off and no other column says it.
fn due_words(
    order: &QueuedOrder,
    scene: &Scene<'_>,
    theme: &Theme,
    has_clock: bool,
) -> (String, ratatui::style::Style) {
    let now = scene.context.now;
    if let Some(until) = order.held(now) {
        let until = clock::short(until, now, scene.zone);
        return (format!("till {until}"), theme.plain());
    }
    match (Group::of(order, scene.context), order.due()) {
        (Group::Missed, Some(at)) => (Due::of(at, now).words(), theme.late()),
        (Group::Overdue, Some(at)) => (Due::of(at, now).words(), theme.late()),
        (Group::Due, Some(at)) => (Due::of(at, now).words(), theme.due()),
        (Group::Later, Some(at)) if !has_clock => {
            (clock::weekday_hour(at, now, scene.zone), theme.plain())
        }
        (Group::Later, Some(at)) => (Due::of(at, now).words(), theme.plain()),
        (Group::AsNeeded | Group::Held, _) => ("as needed".to_owned(), theme.plain()),
        (Group::Unscheduled, _) | (_, None) => ("no schedule".to_owned(), theme.plain()),
    }
}
