//! As-needed doses of which it is not known yet whether they helped: the one asked longest first.

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::table::{Cell, Column, Look, Row};
use super::{Did, Frame, Msg, Rows, Scene, Then, What};
use crate::domain::snapshot::{AskedDose, Ward};
use crate::domain::{AdministrationId, ReasonKind, decide};
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::model::Effect;
use crate::tui::sheets::Sheet;
use crate::tui::sheets::effect::EffectSheet;
use crate::tui::widgets::{Line, Pen};

const COLUMNS: &[Column] = &[
    Column::fixed("given", 12),
    Column::text("bed", 4, 6).rank(3).below(),
    Column::text("patient", 12, 30),
    Column::text("drug", 14, 40),
    Column::text("for", 6, 24).rank(2).below(),
];

/// The page's state.
#[derive(Debug, Clone)]
pub struct EffectsPage {
    /// Rows, selection, filter.
    pub frame: Frame<AdministrationId>,
    doses: Vec<AskedDose>,
}

impl EffectsPage {
    /// The page of a ward.
    pub fn open(ward: &Ward, now: Timestamp) -> (EffectsPage, Vec<Effect>) {
        let (frame, effects) = Frame::open(
            "DID IT HELP?",
            "No as-needed dose waits to be asked about.",
            COLUMNS,
            What::Effects(ward.id),
            now,
        );
        let doses = Vec::new();
        (EffectsPage { frame, doses }, effects)
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        match self.frame.update(msg, scene) {
            Did::All(effects) => (effects, Then::Stay),
            Did::Close => (Vec::new(), Then::Close),
            Did::Rows(Rows::Effects(doses)) => {
                self.doses.clone_from(doses);
                let rows = doses.iter().map(|dose| row(dose, scene)).collect();
                self.frame.set(rows);
                (Vec::new(), Then::Stay)
            }
            Did::Act(Action::Choose) => (Vec::new(), self.choose(scene)),
            Did::Act(_) | Did::Rows(_) => (Vec::new(), Then::Stay),
        }
    }

    fn choose(&self, scene: &Scene<'_>) -> Then {
        let selected = self.frame.selected();
        let Some(dose) = self.doses.iter().find(|dose| Some(dose.id) == selected) else {
            return Then::Stay;
        };
        if !decide::may(scene.actor.role, "effect") {
            return Then::Say("To record whether a dose helped is for a nurse.".to_owned());
        }
        let sheet = EffectSheet::open(dose, &scene.context.policy);
        Then::Sheet(Box::new(Sheet::Effect(Box::new(sheet))))
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let words = match self.frame.table.len() {
            1 => "1 dose".to_owned(),
            doses => format!("{doses} doses"),
        };
        let counts = Line::of(words, pen.theme.plain());
        self.frame.view(pen, area, counts, scene);
    }
}

fn row(dose: &AskedDose, scene: &Scene<'_>) -> Row<AdministrationId> {
    let policy = &scene.context.policy;
    let cells = vec![
        Cell::text(clock::ago(dose.given_at, scene.context.now)).look(Look::Due),
        Cell::text(&dose.bed),
        Cell::text(&dose.patient).look(Look::Strong),
        Cell::text(&dose.drug),
        Cell::text(
            policy
                .reasons
                .told(ReasonKind::Indication, &dose.indication),
        ),
    ];
    Row::of(dose.id, cells)
}
