//! The sheet of a dose: who it is, how much, and the signature.

use jiff::Timestamp;

use super::signing::Signing;
use super::{Msg, Scene, Then, fulfil_view};
use crate::domain::snapshot::{OrderDetail, QueuedOrder};
use crate::domain::{Giving, OrderStatus, Quantity, Request};
use crate::tui::key::Key;
use crate::tui::keymap::{Action, Mode};
use crate::tui::model::{Effect, OrderNow, Reply};
use crate::tui::widgets::Field;

/// Whether the patient was identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// Not yet.
    Open,
    /// Something else was scanned.
    Wrong {
        /// What.
        scanned: String,
        /// Whose it is.
        whose: Whose,
    },
    /// It is the patient.
    Right {
        /// As it will be signed.
        scanned: String,
    },
}

/// Whose number was scanned in place of the patient's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Being looked up.
    Looking,
    /// Another patient's, by name.
    Of(String),
    /// Nobody's that is known.
    Nobody,
    /// It could not be looked up, and why.
    Unread(String),
}

/// Why the sheet can only be read and closed: mostly, somebody else was faster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// Given or stopped.
    Ended {
        /// Which.
        status: OrderStatus,
        /// Who.
        by: Option<String>,
        /// When (UTC).
        at: Option<Timestamp>,
        /// Why, where it was stopped.
        reason: String,
    },
    /// Still to be given, but not as this sheet says.
    Changed,
    /// Not in the database any more.
    Gone,
    /// This person may read the sheet and not sign it, and why.
    LookOnly(String),
}

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct Fulfil {
    /// The order as the sheet shows it: its version is what is signed.
    pub order: QueuedOrder,
    /// What was looked up beside it.
    pub detail: Option<OrderDetail>,
    /// Why it could not be looked up.
    pub trouble: Option<String>,
    /// Where the wristband is scanned.
    pub wristband: Field,
    /// What came of it.
    pub check: Check,
    /// Where the amount is typed when the dose is a range.
    pub amount: Field,
    /// What is wrong or missing, said when a key asks for what cannot be done yet.
    pub say: String,
    /// The signature.
    pub signing: Signing,
    /// Somebody else was faster.
    pub over: Option<Over>,
    /// First line of the facts that is shown, where not all fit.
    pub scroll: usize,
}

impl Fulfil {
    /// The sheet of an order of the queue, and what it asks for: the keys pressed ahead are forgotten, because
    /// nobody presses a key on purpose on a sheet that they have not seen.
    ///
    /// `barred` says why this person will not be let sign it. The desk would say no all the same; knowing it before
    /// the wristband is scanned saves a walk.
    pub fn open(order: &QueuedOrder, barred: Option<String>) -> (Fulfil, Vec<Effect>) {
        let sheet = Fulfil {
            order: order.clone(),
            detail: None,
            trouble: None,
            wristband: Field::default(),
            check: Check::Open,
            amount: Field::default(),
            say: String::new(),
            signing: Signing::Idle,
            over: barred.map(Over::LookOnly),
            scroll: 0,
        };
        (
            sheet,
            vec![Effect::DrainInput, Effect::LoadDetail(order.id)],
        )
    }

    /// What has the keys.
    pub fn mode(&self) -> Mode {
        if self.over.is_some() {
            return Mode::Closed;
        }
        if let Some(mode) = self.signing.mode() {
            return mode;
        }
        match self.check {
            Check::Right { .. } if self.is_range() => Mode::Amount,
            Check::Right { .. } => Mode::Ready,
            Check::Open | Check::Wrong { .. } => Mode::Identify,
        }
    }

    /// Whether the nurse chooses the amount.
    pub fn is_range(&self) -> bool {
        self.order
            .dose
            .most
            .is_some_and(|most| most != self.order.dose.least)
    }

    /// The amount that would be signed.
    ///
    /// # Errors
    /// In words: nothing typed, not a number, outside the prescribed range.
    pub fn chosen(&self) -> Result<Quantity, String> {
        let dose = &self.order.dose;
        let Some(most) = dose.most.filter(|_| self.is_range()) else {
            return Ok(dose.least);
        };
        let unit = &self.order.drug.unit;
        let range = format!("from {} to {most} {unit}", dose.least);
        if self.amount.value().trim().is_empty() {
            return Err(format!("Type the amount: {range}."));
        }
        let amount: Quantity = self
            .amount
            .value()
            .parse()
            .map_err(|why| format!("{why}. Type the amount: {range}."))?;
        if amount < dose.least || amount > most {
            return Err(format!(
                "{amount} {unit} is not what is prescribed: {range}."
            ));
        }
        Ok(amount)
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        let effects = match msg {
            Msg::Act(Action::Close) => return (Vec::new(), Then::Close),
            Msg::Act(action) => self.act(*action, scene),
            Msg::Key(key) => {
                self.type_key(*key);
                Vec::new()
            }
            Msg::Paste(text) => self.paste(text, scene),
            Msg::Ward => self.ward_changed(scene),
            Msg::Reply(reply) => {
                self.reply(reply);
                Vec::new()
            }
        };
        (effects, Then::Stay)
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Effect> {
        match action {
            Action::Check => self.check(),
            Action::Sign => self.sign(scene),
            Action::Up => self.scroll_by(-1, scene),
            Action::Down => self.scroll_by(1, scene),
            Action::PageUp => self.scroll_by(-5, scene),
            Action::PageDown => self.scroll_by(5, scene),
            _ => Vec::new(),
        }
    }

    fn scroll_by(&mut self, lines: isize, scene: &Scene<'_>) -> Vec<Effect> {
        let most = fulfil_view::hidden(self, scene);
        self.scroll = self.scroll.min(most).saturating_add_signed(lines).min(most);
        Vec::new()
    }

    /// Enter, or the CR of a scanner.
    fn check(&mut self) -> Vec<Effect> {
        self.say.clear();
        if matches!(self.check, Check::Right { .. }) {
            self.say = self.chosen().err().unwrap_or_default();
            return Vec::new();
        }
        let scanned = self.wristband.value().trim().to_owned();
        if scanned.is_empty() {
            self.say = "Scan the patient's wristband, or type the number.".to_owned();
            return Vec::new();
        }
        if scanned == self.order.patient.mrn {
            self.check = Check::Right { scanned };
            return Vec::new();
        }
        // The next scan must not be added to the wrong one.
        self.wristband.clear();
        self.check = Check::Wrong {
            scanned: scanned.clone(),
            whose: Whose::Looking,
        };
        vec![Effect::LookUpPatient {
            mrn: scanned,
            order: self.order.id,
        }]
    }

    fn sign(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        self.say.clear();
        if self.over.is_some() {
            return Vec::new();
        }
        let Check::Right { scanned } = &self.check else {
            return Vec::new();
        };
        let Some(detail) = &self.detail else {
            self.say = match &self.trouble {
                Some(why) => format!("The order cannot be read: {why}"),
                None => "The order is still being read. Sign when it is on the sheet.".to_owned(),
            };
            return match self.trouble {
                Some(_) => vec![Effect::LoadDetail(self.order.id)],
                None => Vec::new(),
            };
        };
        let amount = match self.chosen() {
            Ok(amount) => self.is_range().then_some(amount),
            Err(why) => {
                self.say = why;
                return Vec::new();
            }
        };
        let request = Request::Fulfil(Giving {
            amount,
            ..Giving::of(detail.order.id, detail.order.version, scanned.clone())
        });
        let drug = detail.order.drug.id;
        self.signing.sign(request, None, &[drug], scene)
    }

    fn type_key(&mut self, key: Key) {
        match self.mode() {
            Mode::Identify if self.wristband.key(key) => {
                self.say.clear();
                self.check = Check::Open;
            }
            Mode::Amount if self.amount.key(key) => self.say.clear(),
            // Another scan after the first: whoever it is must be checked anew, and nothing of it may sign.
            Mode::Ready if key.typed().is_some() => {
                self.say.clear();
                self.check = Check::Open;
                self.wristband.clear();
                self.wristband.key(key);
            }
            _ => {}
        }
    }

    /// A scanner behind a terminal with bracketed paste: its line end comes inside the text.
    fn paste(&mut self, text: &str, _scene: &Scene<'_>) -> Vec<Effect> {
        let text = text.trim_start_matches(['\r', '\n']);
        let (line, ended) = match text.split_once(['\r', '\n']) {
            Some((line, _)) => (line, true),
            None => (text, false),
        };
        for c in line.chars() {
            self.type_key(Key::char(c));
        }
        if ended && matches!(self.mode(), Mode::Identify | Mode::Amount) {
            return self.check();
        }
        Vec::new()
    }

    /// The queue moved on under the open sheet. What the sheet's own signature did is told by its outcome.
    fn ward_changed(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        let Some(snapshot) = scene.snapshot else {
            return Vec::new();
        };
        let barred = matches!(self.over, Some(Over::LookOnly(_)));
        if (self.over.is_some() && !barred) || !self.signing.is_idle() {
            return Vec::new();
        }
        let found = snapshot.orders.iter().find(|o| o.id == self.order.id);
        match found {
            Some(order) if order.version <= self.order.version => Vec::new(),
            // Gone from the queue or newer than the sheet: who did what is looked up before anything is said.
            _ => vec![Effect::LoadDetail(self.order.id)],
        }
    }

    fn reply(&mut self, reply: &Reply) {
        match reply {
            Reply::Detail { order, now } if *order == self.order.id => self.looked_up(now),
            Reply::Patient { mrn, name } => {
                if let Check::Wrong { scanned, whose } = &mut self.check
                    && scanned == mrn
                {
                    *whose = match name {
                        Ok(Some(name)) => Whose::Of(name.clone()),
                        Ok(None) => Whose::Nobody,
                        Err(why) => Whose::Unread(why.clone()),
                    };
                    self.forgive_capitals();
                }
            }
            other => self.signing.reply(other),
        }
    }

    /// `v1773` typed for V1773 is the patient's number, once it is known to be nobody else's. What is signed is the
    /// number as it is on record.
    fn forgive_capitals(&mut self) {
        let mrn = &self.order.patient.mrn;
        if let Check::Wrong {
            scanned,
            whose: Whose::Nobody,
        } = &self.check
            && scanned.to_lowercase() == mrn.to_lowercase()
        {
            self.wristband.clear();
            self.wristband.paste(mrn);
            self.check = Check::Right {
                scanned: mrn.clone(),
            };
        }
    }

    fn looked_up(&mut self, now: &Result<OrderNow, String>) {
        let barred = matches!(self.over, Some(Over::LookOnly(_)));
        if (self.over.is_some() && !barred) || !self.signing.is_idle() {
            return;
        }
        match now {
            Err(why) => self.trouble = Some(why.clone()),
            Ok(OrderNow::NotFound) => self.over = Some(Over::Gone),
            Ok(OrderNow::Ended {
                status,
                by,
                at,
                reason,
            }) => {
                self.over = Some(Over::Ended {
                    status: *status,
                    by: by.clone(),
                    at: *at,
                    reason: reason.clone(),
                });
            }
            Ok(OrderNow::Open(detail)) => {
                let changed = detail.order.version != self.order.version;
                // Before the first answer the nurse has read nothing but the queue's line, and the sheet simply
                // shows the order as it is; after it, what was read is what is signed.
                if changed && (self.detail.is_some() || self.check != Check::Open) {
                    self.over = Some(Over::Changed);
                } else {
                    self.order = detail.order.clone();
                    self.detail = Some((**detail).clone());
                    self.trouble = None;
                }
            }
        }
    }
}
