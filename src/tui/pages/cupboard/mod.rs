//! The cupboard's pages: transfers, the register, lots, counts, differences, what runs out, where else a drug is, what
//! fills a ward up, levels.

mod rows;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::{Did, Frame, Msg, Rows, Scene, Then, What};
use crate::domain::shelf::{
    At, DiscrepancyLine, Elsewhere, LevelLine, LotLine, LotMove, Refill, RegisterPage, ToCount,
    TransferLine,
};
use crate::domain::snapshot::{Ward, WardSnapshot};
use crate::domain::{DrugId, OpId, Operation, Outcome, Request, WardId, decide};
use crate::tui::keymap::{Action, Mode};
use crate::tui::model::Effect;
use crate::tui::sheets::Sheet;
use crate::tui::sheets::cupboard::{CupboardSheet, Kind};
use crate::tui::widgets::{Line, Pen};

/// Of what a page of the cupboard asks for rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// On their way from a ward or to it, and its history.
    Transfers(WardId),
    /// The register of a drug in a ward.
    Register(WardId, DrugId),
    /// A ward's lots, soonest expiry first.
    Lots(WardId),
    /// Who got some of a lot.
    LotMoves(DrugId, String),
    /// What is missing or too much in the hospital.
    Discrepancies,
    /// What a ward runs out of.
    Low(WardId),
    /// Where a drug is.
    Elsewhere(DrugId),
    /// What fills a ward up.
    Refills(WardId),
    /// What there is to count in a ward.
    ToCount(WardId),
    /// What a ward should hold.
    Levels(WardId),
}

impl Ask {
    /// Whether what other wards do changes it.
    pub const fn of_the_hospital(&self) -> bool {
        matches!(
            self,
            Ask::LotMoves(..) | Ask::Discrepancies | Ask::Elsewhere(_)
        )
    }

    const fn mode(&self) -> Mode {
        match self {
            Ask::Transfers(_) => Mode::Transfers,
            Ask::Register(..) => Mode::Register,
            Ask::Lots(_) => Mode::Lots,
            Ask::LotMoves(..) => Mode::LotMoves,
            Ask::Discrepancies => Mode::Discrepancies,
            Ask::Low(_) => Mode::LowStock,
            Ask::Elsewhere(_) => Mode::Elsewhere,
            Ask::Refills(_) => Mode::Replenish,
            Ask::ToCount(_) => Mode::Count,
            Ask::Levels(_) => Mode::Levels,
        }
    }
}

/// The rows of one leaf.
#[derive(Debug, Clone)]
pub enum Lines {
    /// Of [`Ask::Transfers`]: the first leaf begins with what is on its way.
    Transfers {
        /// On their way.
        under_way: Vec<TransferLine>,
        /// Newest first.
        history: Vec<TransferLine>,
    },
    /// Of [`Ask::Register`].
    Register(RegisterPage),
    /// Of [`Ask::Lots`].
    Lots(Vec<LotLine>),
    /// Of [`Ask::LotMoves`].
    LotMoves(Vec<LotMove>),
    /// Of [`Ask::Discrepancies`].
    Discrepancies(Vec<DiscrepancyLine>),
    /// Of [`Ask::Low`].
    Low(Arc<WardSnapshot>),
    /// Of [`Ask::Elsewhere`].
    Elsewhere(Vec<Elsewhere>),
    /// Of [`Ask::Refills`]; the ward that sends it.
    Refills(At, Vec<Refill>),
    /// Of [`Ask::ToCount`].
    ToCount(Vec<ToCount>),
    /// Of [`Ask::Levels`].
    Levels(Vec<LevelLine>),
}

/// What became of a line that was sent.
#[derive(Debug, Clone)]
enum Told {
    Sent,
    Done,
    Refused(String),
}

/// The page's state.
#[derive(Debug, Clone)]
pub struct CupboardPage {
    /// Rows, selection, filter.
    pub frame: Frame<u128>,
    ask: Ask,
    lines: Option<Arc<Lines>>,
    wards: Vec<Ward>,
    /// Of a replenishment: what was sent of which drug.
    sent: HashMap<OpId, DrugId>,
    told: HashMap<DrugId, Told>,
}

impl CupboardPage {
    /// A page; `about` says of which ward or drug it is.
    pub fn open(
        ask: Ask,
        about: &str,
        wards: &[Ward],
        now: Timestamp,
    ) -> (CupboardPage, Vec<Effect>) {
        let (title, empty) = rows::title(&ask);
        let title = if about.is_empty() {
            title.to_owned()
        } else {
            format!("{title} {about}")
        };
        let what = What::Cupboard(ask.clone());
        let (frame, effects) = Frame::open(title, empty, rows::columns(&ask), what, now);
        let page = CupboardPage {
            frame,
            ask,
            lines: None,
            wards: wards.to_vec(),
            sent: HashMap::new(),
            told: HashMap::new(),
        };
        (page, effects)
    }

    /// What has the keys.
    pub fn mode(&self) -> Mode {
        self.ask.mode()
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        if let Msg::Outcome(op, outcome) = msg {
            self.outcome(*op, outcome, scene);
            return (Vec::new(), Then::Stay);
        }
        match self.frame.update(msg, scene) {
            Did::All(effects) => (effects, Then::Stay),
            Did::Close => (Vec::new(), Then::Close),
            Did::Rows(Rows::Cupboard(lines)) => {
                self.lines = Some(Arc::clone(lines));
                self.draw_rows(scene);
                (Vec::new(), Then::Stay)
            }
            Did::Rows(_) => (Vec::new(), Then::Stay),
            Did::Act(Action::SendAll) => self.send_all(scene),
            Did::Act(action) => self.act(action, scene),
        }
    }

    fn draw_rows(&mut self, scene: &Scene<'_>) {
        if let Some(lines) = &self.lines {
            let told = |drug: DrugId| match self.told.get(&drug) {
                None => String::new(),
                Some(Told::Sent) => "...".to_owned(),
                Some(Told::Done) => "SENT".to_owned(),
                Some(Told::Refused(why)) => format!("NOT SENT: {why}"),
            };
            self.frame.set(rows::rows(lines, scene, &told));
        }
    }

    /// What a key does with the selected row.
    fn act(&mut self, action: Action, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        let stay = (Vec::new(), Then::Stay);
        let (Some(lines), Some(id)) = (self.lines.clone(), self.frame.selected()) else {
            return stay;
        };
        let now = scene.context.now;
        match (&*lines, action) {
            (Lines::Transfers { under_way, history }, Action::Choose) => {
                let found = under_way
                    .iter()
                    .chain(history)
                    .find(|l| l.id.0.as_u128() == id);
                let Some(line) = found else { return stay };
                if line.received.is_none() {
                    return self.sheet(Kind::Arrive(line.clone()), scene);
                }
                match line.missing {
                    Some(_) => {
                        say("Something is missing of it: it stands among the discrepancies (g).")
                    }
                    None => say("All of it is accounted for."),
                }
            }
            (Lines::Discrepancies(found), Action::Choose) => {
                match found.iter().find(|l| l.id.0.as_u128() == id) {
                    Some(line) => self.sheet(Kind::of_difference(line.clone()), scene),
                    None => stay,
                }
            }
            (Lines::ToCount(found), Action::Choose) => {
                match found.iter().find(|l| rows::drug_key(&l.drug) == id) {
                    Some(line) => self.sheet(Kind::of_count(line.clone()), scene),
                    None => stay,
                }
            }
            (Lines::Levels(found), Action::Choose) => {
                match found.iter().find(|l| rows::drug_key(&l.drug) == id) {
                    Some(line) => self.sheet(Kind::Levels(line.clone()), scene),
                    None => stay,
                }
            }
            (Lines::Lots(found), action) => {
                let found = found.iter().find(|l| rows::lot_key(&l.drug, &l.lot) == id);
                let Some(line) = found else { return stay };
                match action {
                    Action::Recall => self.sheet(Kind::Recall(line.clone()), scene),
                    Action::Choose => {
                        let ask = Ask::LotMoves(line.drug.id, line.lot.clone());
                        let about = format!("{} of {}", line.lot, line.drug.name);
                        self.over(ask, &about, now)
                    }
                    _ => stay,
                }
            }
            (Lines::Low(snapshot), Action::Choose | Action::Elsewhere) => {
                let level = snapshot.stock.iter().find(|l| rows::level_key(l) == id);
                match level {
                    Some(level) => {
                        self.over(Ask::Elsewhere(level.drug.id), &level.drug.title(), now)
                    }
                    None => stay,
                }
            }
            _ => stay,
        }
    }

    /// Another page over this one.
    fn over(&self, ask: Ask, about: &str, now: Timestamp) -> (Vec<Effect>, Then) {
        let (page, effects) = CupboardPage::open(ask, about, &self.wards, now);
        (effects, Then::Page(super::Page::Cupboard(Box::new(page))))
    }

    /// The sheet of what is to be done, if the person may.
    fn sheet(&self, kind: Kind, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        if let Some(why) = barred(kind.operation(), scene) {
            return say(&why);
        }
        let sheet = CupboardSheet::open(kind, &self.wards);
        (
            Vec::new(),
            Then::Sheet(Box::new(Sheet::Cupboard(Box::new(sheet)))),
        )
    }

    /// Sends every line of a replenishment, each as a transfer of its own: one that is refused does not keep the others.
    fn send_all(&mut self, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        if let Some(why) = barred("send", scene) {
            return say(&why);
        }
        let (Some(lines), Some(ward)) = (self.lines.clone(), scene.ward) else {
            return (Vec::new(), Then::Stay);
        };
        let Lines::Refills(source, found) = &*lines else {
            return (Vec::new(), Then::Stay);
        };
        let mut effects = Vec::new();
        for line in found.iter().filter(|line| line.quantity.is_positive()) {
            // What is on its way, or was sent, is not sent again with the same list.
            if matches!(self.told.get(&line.drug.id), Some(Told::Sent | Told::Done)) {
                continue;
            }
            let op = scene.context.fresh_op.nth(effects.len());
            let request = Request::Send {
                source: source.id,
                destination: ward.id,
                drug: line.drug.id,
                quantity: line.quantity,
                note: "replenishment".to_owned(),
            };
            self.sent.insert(op, line.drug.id);
            self.told.insert(line.drug.id, Told::Sent);
            effects.push(Effect::Submit {
                operation: Box::new(Operation::new(op, scene.actor.id, request)),
                drugs: vec![line.drug.id],
            });
        }
        let said = match effects.len() {
            0 => "There is nothing to send.".to_owned(),
            n => format!(
                "{n} transfers are on their way to the desk; the list says what became of each."
            ),
        };
        self.draw_rows(scene);
        (effects, Then::Say(said))
    }

    fn outcome(&mut self, op: OpId, outcome: &Outcome, scene: &Scene<'_>) {
        let Some(drug) = self.sent.remove(&op) else {
            return;
        };
        let told = match outcome {
            Outcome::Done(_) => Told::Done,
            Outcome::Refused(refusal) => Told::Refused(refusal.to_string()),
            Outcome::Unknown { .. } => {
                Told::Refused("whether it was is not known; look at the transfers".to_owned())
            }
        };
        self.told.insert(drug, told);
        self.draw_rows(scene);
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let counts = self
            .lines
            .as_deref()
            .map_or_else(Line::default, |lines| rows::counts(lines, pen.theme));
        self.frame.view(pen, area, counts, scene);
    }
}

fn say(words: &str) -> (Vec<Effect>, Then) {
    (Vec::new(), Then::Say(words.to_owned()))
}

/// Why this person will not be let do it, as the desk's own table of roles has it.
fn barred(kind: &str, scene: &Scene<'_>) -> Option<String> {
    let need = decide::needs(kind)?;
    let role = scene.actor.role;
    let also =
        kind == "send" && role == crate::domain::Role::Nurse && scene.context.policy.nurses_send;
    (!also && !decide::may(role, kind)).then(|| {
        format!(
            "To {} is for a {}; you are signed in as {role}.",
            need.action, need.who
        )
    })
}
