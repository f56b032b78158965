//! The sheet of a dose: who it is, how much, and the signature.

use jiff::{SignedDuration, Timestamp};

use super::choice::{Choice, Parts};
use super::identity::{Check, Identity};
use super::package::{PackageCheck, Scanned, tell_apart};
use super::signing::Signing;
use super::witness::{Came, Witness};
use super::{Msg, Scene, Then, fulfil_view};
use crate::domain::clock_time;
use crate::domain::decide;
use crate::domain::decide::warn::{self, Facts, Warning};
use crate::domain::snapshot::{OrderDetail, QueuedOrder};
use crate::domain::{
    Giving, OrderKind, OrderStatus, Quantity, Reason, ReasonKind, Refusal, Request, Why,
};
use crate::tui::key::Key;
use crate::tui::keymap::{Action, Mode};
use crate::tui::model::{Effect, OrderNow, Reply};
use crate::tui::widgets::Field;

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
    /// Who it is.
    pub who: Identity,
    /// Whether it is the right drug, where its package was scanned.
    pub package: PackageCheck,
    /// Where the amount is typed when the dose is a range.
    pub amount: Field,
    /// More is given than the one amount that is prescribed: it is typed.
    more: bool,
    /// Which part has the keys once the patient is identified: the amount, or what is asked below it.
    past_amount: bool,
    /// Reasons that are asked for, and when it was given, where that was not just now.
    pub parts: Parts,
    /// What the desk will warn of, as it is on the sheet.
    pub warnings: Vec<Warning>,
    /// It is entered after a downtime, for this reason: when it was given is asked.
    entered_later: Option<Reason>,
    /// The most that may be given with whatever reason.
    at_most: Option<Quantity>,
    /// The first person has signed, and a witness is waited for.
    pub witness: Option<Witness>,
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
            who: Identity::default(),
            package: PackageCheck::default(),
            amount: Field::default(),
            more: false,
            past_amount: false,
            parts: Parts::default(),
            warnings: Vec::new(),
            entered_later: None,
            at_most: None,
            witness: None,
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

    /// The sheet of a dose that was given in a downtime: it asks when, and its reason is chosen already.
    pub fn entered_later(
        order: &QueuedOrder,
        barred: Option<String>,
        reason: Reason,
    ) -> (Fulfil, Vec<Effect>) {
        let (mut sheet, effects) = Fulfil::open(order, barred);
        sheet.entered_later = Some(reason);
        sheet.parts.fields.push(("Given at", Field::default()));
        (sheet, effects)
    }

    /// What has the keys.
    pub fn mode(&self) -> Mode {
        if self.over.is_some() {
            return Mode::Closed;
        }
        if let Some(mode) = self.signing.mode() {
            return mode;
        }
        if self.witness.is_some() {
            return Mode::Witness;
        }
        if self.package.is_stopped() {
            return Mode::Stopped;
        }
        match self.who.check {
            Check::Right { .. } if self.asks_amount() && !self.past_amount => Mode::Amount,
            Check::Right { .. } if !self.parts.is_empty() => self.parts.mode(),
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

    /// Whether the amount is typed: of a range, or because more is given than is prescribed.
    pub fn asks_amount(&self) -> bool {
        self.is_range() || self.more
    }

    /// What may be typed as the amount, in words.
    pub fn amounts(&self) -> String {
        let dose = &self.order.dose;
        let most = dose.most.unwrap_or(dose.least);
        // More than the range needs a reason, and is not offered; more than a fixed dose was asked for.
        let most = self.at_most.filter(|_| self.more).unwrap_or(most);
        format!("{} to {most} {}", dose.least, self.order.drug.unit)
    }

    /// The amount that would be signed.
    ///
    /// # Errors
    /// In words: nothing typed, not a number, outside the prescribed range.
    pub fn chosen(&self) -> Result<Quantity, String> {
        let dose = &self.order.dose;
        let empty = self.amount.value().trim().is_empty();
        // Whoever rubs it out again gives what is prescribed.
        if !self.asks_amount() || (empty && !self.is_range()) {
            return Ok(dose.least);
        }
        let most = dose.most.unwrap_or(dose.least);
        let unit = &self.order.drug.unit;
        let range = format!("from {}", self.amounts());
        if empty {
            return Err(format!("Type the amount: {range}."));
        }
        let amount: Quantity = self
            .amount
            .value()
            .parse()
            .map_err(|why| format!("{why}. Type the amount: {range}."))?;
        if amount < dose.least || amount > self.at_most.unwrap_or(most) {
            return Err(format!(
                "{amount} {unit} is not what is prescribed: {range}."
            ));
        }
        Ok(amount)
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        if self.witness.is_some() && !matches!(msg, Msg::Ward) {
            return (self.tell_witness(msg, scene), Then::Stay);
        }
        let effects = match msg {
            Msg::Act(Action::Close) => return (Vec::new(), Then::Close),
            Msg::Act(action) => self.act(*action, scene),
            Msg::Key(key) => {
                self.type_key(*key);
                Vec::new()
            }
            Msg::Paste(text) => self.paste(text, scene),
            Msg::Scan(text) => self.scan(text),
            Msg::Ward => self.ward_changed(scene),
            Msg::Reply(reply) => self.reply(reply, scene),
        };
        self.ask_what_is_needed(scene);
        (effects, Then::Stay)
    }

    /// The witness has the keys, up to their signature or the end of the minute.
    fn tell_witness(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> Vec<Effect> {
        let Some(witness) = &mut self.witness else {
            return Vec::new();
        };
        let (effects, came) = witness.update(msg, scene.context.now, scene.actor.id);
        match came {
            Came::Not => return effects,
            Came::Gone(why) => {
                self.witness = None;
                self.say = why;
            }
            Came::Signed(by) => {
                let request = witness.request.clone();
                self.witness = None;
                let drugs = [self.order.drug.id];
                return self.signing.sign(request, Some(by), &drugs, scene);
            }
        }
        Vec::new()
    }

    /// The clock moved on.
    pub fn tick(&mut self, now: Timestamp) {
        self.signing.tick(now);
        let came = self.witness.as_ref().map(|witness| witness.tick(now));
        if let Some(Came::Gone(why)) = came {
            self.witness = None;
            self.say = why;
        }
    }

    /// When it changes by itself.
    pub fn changes_at(&self) -> Option<Timestamp> {
        self.witness
            .as_ref()
            .map(Witness::until)
            .or(self.signing.slow_at())
    }

    /// When it was given, as it is typed; `None`: just now.
    ///
    /// # Errors
    /// In words: not a time.
    fn given_at(&self, scene: &Scene<'_>) -> Result<Option<Timestamp>, String> {
        let typed = self.parts.value(0);
        if typed.is_empty() {
            return match self.entered_later {
                Some(_) => Err("Type when it was given: 14:05.".to_owned()),
                None => Ok(None),
            };
        }
        let at = clock_time::before(typed, &scene.zone, scene.context.now);
        at.map(Some)
            .ok_or_else(|| format!("'{typed}' is not a time. Type when it was given: 14:05."))
    }

    /// Asks for each reason that the desk will ask for, and for no other. What is answered stays.
    fn ask_what_is_needed(&mut self, scene: &Scene<'_>) {
        let policy = &scene.context.policy;
        let asks = matches!(self.signing, Signing::Idle | Signing::Refused { .. });
        let Some(detail) = self.detail.as_ref().filter(|_| asks) else {
            return;
        };
        let now = scene.context.now;
        let at = self.given_at(scene).ok().flatten();
        let most = self.order.dose.most.unwrap_or(self.order.dose.least);
        self.at_most = Some(decide::at_most(most, policy));
        let quantity = self.chosen().unwrap_or(self.order.dose.least);
        // Before it is known when it was given, nobody can tell whether that was late.
        let known = self.entered_later.is_none() || at.is_some();
        let facts = facts(&self.order, detail);
        let warnings = warn::warnings(&facts, policy, at.unwrap_or(now), quantity);
        self.warnings = if known { warnings } else { Vec::new() };
        let late = at.is_some_and(|at| {
            let free = SignedDuration::from_mins(policy.back_entry_minutes.into());
            now.duration_since(at) > free
        });
        let wanted = [
            (
                ReasonKind::Indication,
                policy.indication_needed && self.order.kind == OrderKind::Prn,
                "What is it for?",
            ),
            (ReasonKind::BackEntry, late, "Why is it entered only now?"),
            (
                ReasonKind::Override,
                !self.warnings.is_empty(),
                "Why is it given all the same?",
            ),
        ];
        self.parts.choices.retain(|choice| {
            wanted
                .iter()
                .any(|(kind, is, _)| *is && choice.kind() == Some(*kind))
        });
        for (place, (kind, _, title)) in wanted.iter().filter(|(_, is, _)| *is).enumerate() {
            if !self
                .parts
                .choices
                .iter()
                .any(|choice| choice.kind() == Some(*kind))
            {
                let mut choice = Choice::why(title, &policy.reasons, &[(*kind, "")]);
                if let (ReasonKind::BackEntry, Some(reason)) = (kind, &self.entered_later) {
                    choice.choose(reason);
                }
                self.parts.insert(place, choice);
                // It stands above the field that there may have been before, and is answered first.
                if *kind == ReasonKind::Indication {
                    self.parts.go_to(0);
                }
            }
        }
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Effect> {
        match action {
            Action::Check => self.check(),
            Action::Later => self.type_when(),
            Action::More => self.type_more(),
            Action::Dismiss => {
                self.package.dismiss();
                Vec::new()
            }
            Action::Sign => self.sign(scene),
            Action::PreviousField if self.parts.at_first() && self.asks_amount() => {
                self.past_amount = false;
                Vec::new()
            }
            Action::NextField if self.mode() == Mode::Amount => self.check(),
            Action::NextField | Action::PreviousField => self.tell_parts(action),
            Action::Up | Action::Down if self.mode() == Mode::Reason => self.tell_parts(action),
            Action::Up => self.scroll_by(-1, scene),
            Action::Down => self.scroll_by(1, scene),
            Action::PageUp => self.scroll_by(-5, scene),
            Action::PageDown => self.scroll_by(5, scene),
            _ => Vec::new(),
        }
    }

    fn tell_parts(&mut self, action: Action) -> Vec<Effect> {
        self.say.clear();
        self.parts.update(&Msg::Act(action));
        Vec::new()
    }

    /// It was given earlier: when?
    fn type_when(&mut self) -> Vec<Effect> {
        self.say.clear();
        if !self.who.is_right() {
            return Vec::new();
        }
        if self.parts.fields.is_empty() {
            self.parts.fields.push(("Given at", Field::default()));
        }
        self.past_amount = true;
        self.parts.go_to(self.parts.choices.len());
        Vec::new()
    }

    /// More is given than is prescribed: how much?
    fn type_more(&mut self) -> Vec<Effect> {
        self.say.clear();
        let most = self.order.dose.most.unwrap_or(self.order.dose.least);
        match self.at_most {
            Some(at_most) if at_most > most => {
                self.more = true;
                self.past_amount = false;
                self.say = format!(
                    "Type the amount, {}. More than {most} needs a reason.",
                    self.amounts()
                );
            }
            Some(_) => self.say = "Here nobody gives more than is prescribed.".to_owned(),
            None => self.say = self.unread(),
        }
        Vec::new()
    }

    fn scroll_by(&mut self, lines: isize, scene: &Scene<'_>) -> Vec<Effect> {
        let most = fulfil_view::hidden(self, scene);
        self.scroll = self.scroll.min(most).saturating_add_signed(lines).min(most);
        Vec::new()
    }

    /// Enter, or the CR of a scanner.
    fn check(&mut self) -> Vec<Effect> {
        self.say.clear();
        if self.who.is_right() {
            self.say = self.chosen().err().unwrap_or_default();
            self.past_amount = self.say.is_empty() && !self.parts.is_empty();
            return Vec::new();
        }
        let checked = self.who.check(&self.order.patient, self.order.id);
        checked.unwrap_or_else(|why| {
            self.say = why;
            Vec::new()
        })
    }

    /// Signs, or says what is missing; before a witness where one is needed.
    pub fn sign(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        let on_its_way = matches!(self.signing, Signing::Sent { .. } | Signing::Done(_));
        let barred = self.over.is_some() || self.package.is_stopped();
        if barred || !self.who.is_right() || on_its_way {
            return Vec::new();
        }
        self.say.clear();
        let drugs = [self.order.drug.id];
        if let Signing::Unknown { operation } = &self.signing {
            let request = operation.request.clone();
            return self.signing.sign(request, None, &drugs, scene);
        }
        if self.detail.is_none() && self.trouble.is_some() {
            // Asked again: whoever presses the key once more finds it read.
            self.say = self.unread();
            return vec![Effect::LoadDetail(self.order.id)];
        }
        let request = match self.request(scene) {
            Ok(request) => request,
            Err(why) => {
                // What was refused for now, and is asked for otherwise by now, is on the sheet again.
                self.signing = Signing::Idle;
                self.say = why;
                return Vec::new();
            }
        };
        if self.is_witnessed(scene) {
            self.witness = Some(Witness::open(request, scene.context.now));
            return Vec::new();
        }
        self.signing.sign(request, None, &drugs, scene)
    }

    /// What keeps it from being signed as it is, with other doses, in few words; `None`: nothing does.
    pub fn waits_for(&self, scene: &Scene<'_>) -> Option<String> {
        if self.detail.is_none() {
            let why = self.trouble.as_ref();
            return Some(why.map_or_else(
                || "it is still being read".to_owned(),
                |why| format!("it cannot be read: {why}"),
            ));
        }
        let mut needs = Vec::new();
        if self.asks_amount() && self.chosen().is_err() {
            needs.push("an amount".to_owned());
        }
        let open = self.parts.choices.iter();
        for choice in open.filter(|choice| choice.reason().is_err()) {
            let words = self.warnings.iter().map(|warning| warning.words.as_str());
            needs.push(match choice.kind() {
                Some(ReasonKind::Override) => {
                    format!(
                        "a reason, because {}",
                        words.collect::<Vec<_>>().join(" and ")
                    )
                }
                Some(ReasonKind::BackEntry) => "a reason for the late entry".to_owned(),
                _ => "a word what it is for".to_owned(),
            });
        }
        if self.is_witnessed(scene) {
            needs.push("a witness".to_owned());
        }
        let needs = (!needs.is_empty()).then(|| format!("Needs {}", needs.join(", ")));
        let all: Vec<String> = fulfil_view::shortage_here(self, scene)
            .into_iter()
            .chain(needs)
            .collect();
        (!all.is_empty()).then(|| all.join(". "))
    }

    /// Whether a second person signs too.
    pub fn is_witnessed(&self, scene: &Scene<'_>) -> bool {
        let drug = &self.order.drug;
        let policy = &scene.context.policy;
        policy
            .needs_witness(drug.controlled, drug.high_alert)
            .is_some()
    }

    fn unread(&self) -> String {
        match &self.trouble {
            Some(why) => format!("The order cannot be read: {why}"),
            None => "The order is still being read. Sign when it is on the sheet.".to_owned(),
        }
    }

    /// What the sheet says, as it is asked of the desk.
    ///
    /// # Errors
    /// In words: what is missing. The keys go there.
    pub fn request(&mut self, scene: &Scene<'_>) -> Result<Request, String> {
        let scanned = self.who.scanned().unwrap_or_default().to_owned();
        let Some(detail) = &self.detail else {
            return Err(self.unread());
        };
        let amount = self.chosen()?;
        let mut giving = Giving {
            amount: (self.asks_amount() && !self.amount.is_empty()).then_some(amount),
            ..Giving::of(detail.order.id, detail.order.version, scanned)
        };
        // What the sheet warns of is what is signed; what has come up since is shown first.
        let shown = std::mem::take(&mut self.warnings);
        self.ask_what_is_needed(scene);
        let of = |all: &[Warning]| all.iter().map(|warning| warning.of).collect::<Vec<_>>();
        if of(&shown) != of(&self.warnings) {
            return Err("Something has changed: read it, then sign.".to_owned());
        }
        let (given_at, why) = self
            .reasons(scene)
            .inspect_err(|_| self.past_amount = true)?;
        giving.given_at = given_at;
        giving.why = why;
        Ok(Request::Fulfil(giving))
    }

    /// Every reason that the sheet asks for, and when it was given.
    fn reasons(&mut self, scene: &Scene<'_>) -> Result<(Option<Timestamp>, Why), String> {
        let given_at = self.given_at(scene)?;
        let indication = self.parts.reason(ReasonKind::Indication)?;
        let back_entry = self.parts.reason(ReasonKind::BackEntry)?;
        let warned = self.parts.reason(ReasonKind::Override)?;
        let why = Why {
            indication,
            back_entry,
            warned,
            despite: self.warnings.iter().map(|warning| warning.of).collect(),
        };
        Ok((given_at, why))
    }

    fn type_key(&mut self, key: Key) {
        match self.mode() {
            Mode::Identify if self.who.key(key) => self.say.clear(),
            Mode::Amount if self.amount.key(key) => self.say.clear(),
            Mode::Reason | Mode::Form if self.parts.update(&Msg::Key(key)) => self.say.clear(),
            Mode::Ready if key.typed().is_some() => {
                self.say.clear();
                self.who.anew(key);
            }
            _ => {}
        }
    }

    /// A scanner behind a terminal with bracketed paste: its line end comes inside the text.
    fn paste(&mut self, text: &str, scene: &Scene<'_>) -> Vec<Effect> {
        let text = text.trim_start_matches(['\r', '\n']);
        let (line, ended) = match text.split_once(['\r', '\n']) {
            Some((line, _)) => (line, true),
            None => (text, false),
        };
        // Words are pasted too; what ends like a scan, or reads as a package, is one.
        let typed = matches!(self.mode(), Mode::Reason | Mode::Form);
        if (ended && !typed) || matches!(tell_apart(line), Ok(Scanned::Package(_))) {
            return self.scan(line);
        }
        for c in line.chars() {
            self.type_key(Key::char(c));
        }
        self.ask_what_is_needed(scene);
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

    fn reply(&mut self, reply: &Reply, scene: &Scene<'_>) -> Vec<Effect> {
        match reply {
            Reply::Detail { order, now } if *order == self.order.id => {
                self.looked_up(now);
                self.ask_what_is_needed(scene);
            }
            Reply::Patient { .. } => self.who.reply(reply, &self.order.patient),
            Reply::Code { .. } => return self.package_found(reply, scene),
            other => self.signing.reply(other),
        }
        self.ask_again()
    }

    /// The desk has come upon something that the sheet did not show: it is read anew, and asked for.
    fn ask_again(&mut self) -> Vec<Effect> {
        let Signing::Refused { refusal, .. } = &self.signing else {
            return Vec::new();
        };
        if !matches!(refusal, Refusal::ReasonRequired { .. }) {
            return Vec::new();
        }
        self.say = format!("NOT GIVEN. {refusal} Nothing was recorded.");
        self.signing = Signing::Idle;
        vec![Effect::LoadDetail(self.order.id)]
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
                if changed && (self.detail.is_some() || self.who.check != Check::Open) {
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

/// What the desk will look at before it warns.
fn facts<'a>(order: &'a QueuedOrder, detail: &'a OrderDetail) -> Facts<'a> {
    Facts {
        kind: order.kind,
        prescription: detail.prescription,
        due_at: order.due_at,
        held_until: order.held_until,
        has_interval: detail.has_interval,
        most: order.dose.most.unwrap_or(order.dose.least),
        unit: &order.drug.unit,
        recent: &detail.recent,
        later_given: detail.later_given,
    }
}
