//! After a downtime: the doses that were due while nobody could enter them, and that nobody has accounted for. Each is
//! opened with the question when it was given; what is accounted for leaves the list. Below them stands what is given as
//! needed: of that nobody but the paper knows whether it was.

use std::sync::Arc;

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::asking::{Asking, For};
use super::table::{Cell, Column, Look, Row};
use super::{Did, Frame, Msg, Rows, Scene, Then, What, report};
use crate::domain::report::{Dose, Line as ReportLine, Page as Found, Period};
use crate::domain::snapshot::{QueuedOrder, Ward};
use crate::domain::{OrderId, OrderKind, Quantity, Reason, ReasonKind};
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::model::{Context, Effect};
use crate::tui::sheets::Sheet;
use crate::tui::sheets::coded;
use crate::tui::sheets::fulfil::Fulfil;
use crate::tui::sheets::not_given::NotGivenSheet;
use crate::tui::widgets::{Line, Pen};

const COLUMNS: &[Column] = &[
    Column::fixed("due", 15),
    Column::text("bed", 4, 6).rank(2).below(),
    Column::text("patient", 12, 30),
    Column::text("mrn", 8, 12).rank(3),
    Column::text("drug", 14, 44).below(),
    Column::fixed("dose", 8).right().rank(1).below(),
    Column::text("unit", 4, 8).rank(4),
];

/// The page's state.
#[derive(Debug, Clone)]
pub struct BackEntryPage {
    /// Rows, selection, filter.
    pub frame: Frame<OrderId>,
    ward: Ward,
    period: Period,
    /// Why all of them are entered late; `None`: the person has not said yet.
    reason: Option<Reason>,
    found: Option<Arc<Found>>,
}

impl BackEntryPage {
    /// The list of a ward. It asks first when nobody could enter anything, and why.
    pub fn open(ward: &Ward, context: &Context) -> (BackEntryPage, Vec<Effect>) {
        let what = What::BackEntry(ward.id, Period::default());
        let empty = "Nothing is left: every dose of that time is accounted for.";
        let (frame, effects) = Frame::open("BACK-ENTRY", empty, COLUMNS, what, context.now);
        let mut page = BackEntryPage {
            frame,
            ward: ward.clone(),
            period: Period::default(),
            reason: None,
            found: None,
        };
        page.frame.asking = Some(page.asked(context));
        (page, effects)
    }

    fn asked(&self, context: &Context) -> Asking {
        let said = |at: Option<crate::domain::report::Moment>| {
            at.map(|at| at.to_string()).unwrap_or_default()
        };
        let (from, to) = (said(self.period.from), said(self.period.to));
        let reasons = &context.policy.reasons;
        let first = reasons
            .find(ReasonKind::BackEntry, "downtime")
            .or(reasons.of(ReasonKind::BackEntry).first());
        let reason = match &self.reason {
            Some(Reason { code, text }) if text.is_empty() => code.clone(),
            Some(Reason { code, text }) => format!("{code} {text}"),
            None => first.map(|code| code.code.clone()).unwrap_or_default(),
        };
        let codes = reasons.of(ReasonKind::BackEntry).iter();
        let codes: Vec<&str> = codes.map(|code| code.code.as_str()).collect();
        let words = format!(
            "When could nothing be entered? 14:05, 2026-11-23 14:05; empty: the last 24 h. The reason ({}) is kept with every \
             dose of the list. Enter shows the doses that were due then.",
            codes.join(", ")
        );
        Asking::new(
            For::Choice,
            "WHICH DOWNTIME?",
            &[("From", &from), ("To", &to), ("Reason", &reason)],
            &words,
        )
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        if let Msg::Typed(For::Choice, typed) = msg {
            return (self.choose(typed, scene), Then::Stay);
        }
        match self.frame.update(msg, scene) {
            Did::All(effects) => (effects, Then::Stay),
            Did::Close => (Vec::new(), Then::Close),
            Did::Rows(Rows::Report(found)) => {
                self.found = Some(Arc::clone(found));
                self.frame.set(rows(found, scene));
                (Vec::new(), Then::Stay)
            }
            Did::Rows(_) => (Vec::new(), Then::Stay),
            Did::Act(action) => self.act(action, scene),
        }
    }

    fn choose(&mut self, typed: &[String], scene: &Scene<'_>) -> Vec<Effect> {
        let times = typed.iter().take(2).cloned().collect::<Vec<_>>();
        let read = report::read(&times, &[], scene).and_then(|(period, _)| {
            let typed = typed.get(2).map_or("", String::as_str);
            let reasons = &scene.context.policy.reasons;
            let reason = coded::read(typed, ReasonKind::BackEntry, reasons);
            reason
                .map(|reason| (period, reason))
                .map_err(|why| (2, why))
        });
        match read {
            Ok((period, reason)) => {
                self.frame.asking = None;
                (self.period, self.reason) = (period, Some(reason));
                let what = What::BackEntry(self.ward.id, period);
                self.frame.turn_to(what, "BACK-ENTRY", scene.context.now)
            }
            Err((field, why)) => {
                if let Some(asking) = &mut self.frame.asking {
                    asking.wrong(field, why);
                }
                Vec::new()
            }
        }
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        let say = |words: &str| (Vec::new(), Then::Say(words.to_owned()));
        if let Action::Today = action {
            self.frame.asking = Some(self.asked(scene.context));
            return (Vec::new(), Then::Stay);
        }
        if !matches!(action, Action::Choose | Action::NotGiven) {
            return (Vec::new(), Then::Stay);
        }
        let Some(selected) = self.frame.selected() else {
            return say("There is no dose to enter.");
        };
        let Some(reason) = self.reason.clone() else {
            self.frame.asking = Some(self.asked(scene.context));
            return (Vec::new(), Then::Stay);
        };
        let Some(order) = queued(selected, scene) else {
            return say("This dose is not in the queue any more: the list is read again.");
        };
        if action == Action::NotGiven {
            if let Some(why) = super::barred(scene.actor, "not_given", &self.ward) {
                return (Vec::new(), Then::Say(why));
            }
            let sheet = NotGivenSheet::open(order, &scene.context.policy);
            return (
                Vec::new(),
                Then::Sheet(Box::new(Sheet::NotGiven(Box::new(sheet)))),
            );
        }
        let barred = super::barred(scene.actor, "fulfil", &self.ward);
        let barred = barred.map(|why| format!("You may look. {why}"));
        let (sheet, effects) = Fulfil::entered_later(order, barred, reason);
        (
            effects,
            Then::Sheet(Box::new(Sheet::Fulfil(Box::new(sheet)))),
        )
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let theme = pen.theme;
        let left = self.found.as_ref().map_or(0, |found| found.rows.len());
        let left = match left {
            0 if self.found.is_some() => "nothing left".to_owned(),
            1 => "1 dose left".to_owned(),
            doses => format!("{doses} doses left"),
        };
        let mut counts = Line::of(left, theme.late());
        if let Some(reason) = &self.reason {
            let reasons = &scene.context.policy.reasons;
            let told = reasons.told(ReasonKind::BackEntry, reason);
            counts = counts.and(format!(" ({})", theme.text(&told)), theme.faint());
        }
        let period = self.period.words(&scene.zone, scene.context.now);
        let counts = counts.and(format!(" of {period}"), theme.plain());
        self.frame.view(pen, area, counts, scene);
    }
}

/// The order as the ward's desk has it: that version is what the sheet signs.
fn queued<'a>(order: OrderId, scene: &'a Scene<'_>) -> Option<&'a QueuedOrder> {
    let snapshot = scene.snapshot?;
    snapshot.orders.iter().find(|queued| queued.id == order)
}

fn rows(found: &Found, scene: &Scene<'_>) -> Vec<Row<OrderId>> {
    let row = |line: &ReportLine| match line {
        ReportLine::Dose(dose) => Some(Row::of(dose.of.order, cells(dose, scene))),
        _ => None,
    };
    let timed = found.rows.iter().filter_map(|of| row(&of.line));
    let snapshot = scene.snapshot.into_iter();
    let open = snapshot.flat_map(|snapshot| &snapshot.orders);
    let as_needed = open.filter(|order| order.kind == OrderKind::Prn);
    let as_needed = as_needed.map(|order| Row::of(order.id, cells_as_needed(order)));
    timed.chain(as_needed).collect()
}

fn amount(least: Quantity, most: Option<Quantity>) -> Cell {
    Cell::number(match most {
        Some(most) if most != least => format!("{least}-{most}"),
        _ => least.to_string(),
    })
}

fn cells_as_needed(order: &QueuedOrder) -> Vec<Cell> {
    vec![
        Cell::text("as needed"),
        Cell::text(&order.patient.bed),
        Cell::text(&order.patient.name).look(Look::Strong),
        Cell::text(&order.patient.mrn),
        Cell::drug(&order.drug.name, &order.drug.strength),
        amount(order.dose.least, order.dose.most),
        Cell::text(&order.drug.unit),
    ]
}

fn cells(dose: &Dose, scene: &Scene<'_>) -> Vec<Cell> {
    let due: Timestamp = dose.due;
    vec![
        Cell::text(clock::day_hour(due, scene.context.now, &scene.zone)).look(Look::Late),
        Cell::text(&dose.who.bed),
        Cell::text(&dose.who.name).look(Look::Strong),
        Cell::text(&dose.who.mrn),
        Cell::drug(&dose.drug.name, &dose.drug.strength),
        amount(dose.least, dose.most),
        Cell::text(&dose.drug.unit),
    ]
}
