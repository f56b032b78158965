//! The round sheet: several doses of one patient, who is identified once. Each line is signed as an operation of its own,
//! and says what became of it; a refusal of one leaves the others alone.
//!
//! A line is the sheet of its dose, with all that this asks. What needs no answer is signed with the others by one key;
//! what does (an amount, a reason, a witness) opens as that sheet, over the list, and comes back to it.

use std::sync::Arc;

use jiff::Timestamp;

use super::fulfil::{Fulfil, Over};
use super::identity::{Identity, Whose};
use super::not_given::NotGivenSheet;
use super::package::{Came, PackageCheck, Scanned, tell_apart};
use super::signing::Signing;
use super::{Msg, Scene, Then, round_view};
use crate::domain::snapshot::{Patient, QueuedOrder};
use crate::domain::{DrugId, OpId, OrderId};
use crate::tui::key::Key;
use crate::tui::keymap::{Action, Mode};
use crate::tui::model::{Effect, Reply, Stopped};
use crate::tui::words;

/// One dose of the round.
#[derive(Debug, Clone)]
pub struct RoundLine {
    /// Its sheet.
    pub dose: Fulfil,
    /// The sheet that records that it was not given, once it was opened.
    pub not_given: Option<NotGivenSheet>,
    /// It is not signed with the others.
    pub skip: bool,
}

/// What of the selected line lies open over the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The sheet of the dose.
    Dose,
    /// Why it is not given.
    NotGiven,
}

/// What the key that signs would do with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Give it.
    Give,
    /// Ask what became of it.
    Ask,
    /// Nothing, until somebody has answered this.
    Waits(String),
    /// Nothing: it is left out.
    Skip,
    /// Nothing: it is on its way, on record, or cannot be done.
    Nothing,
}

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct Round {
    /// For whom.
    pub patient: Arc<Patient>,
    /// Who it is: once for all lines.
    pub who: Identity,
    /// Whether a package that was scanned is one of these drugs.
    pub package: PackageCheck,
    /// The doses, in the order of the queue.
    pub lines: Vec<RoundLine>,
    /// The selected line.
    pub at: usize,
    /// What of it lies open.
    pub open: Option<Part>,
    /// The last line that has been in view: what nobody has seen is not signed.
    read: usize,
    /// What is wrong or missing.
    pub say: String,
    /// Why this person may read the sheet and not sign it.
    pub barred: Option<String>,
}

impl RoundLine {
    fn of(order: &QueuedOrder) -> (RoundLine, OrderId) {
        let (dose, _) = Fulfil::open(order, None);
        let line = RoundLine {
            dose,
            not_given: None,
            skip: false,
        };
        (line, order.id)
    }

    /// The signature that says that it was not given, if there is one.
    pub fn withheld(&self) -> Option<&Signing> {
        let signing = self.not_given.as_ref().map(|sheet| &sheet.asked.signing);
        signing.filter(|signing| !signing.is_idle())
    }

    fn signings(&self) -> impl Iterator<Item = &Signing> {
        std::iter::once(&self.dose.signing).chain(self.withheld())
    }

    /// Whether an outcome is waited for.
    fn is_sent(&self) -> bool {
        self.signings().any(|signing| signing.awaits().is_some())
    }

    /// Whether it is on record by this sheet.
    pub fn is_done(&self) -> bool {
        self.signings()
            .any(|signing| matches!(signing, Signing::Done(_)))
    }

    /// Whether nothing can be done with it here any more.
    pub fn is_over(&self) -> bool {
        let given_up = |signing: &Signing| {
            matches!(signing, Signing::Refused { .. }) && signing.mode() == Some(Mode::Closed)
        };
        self.is_done() || self.dose.over.is_some() || given_up(&self.dose.signing)
    }

    fn is_unknown(&self) -> bool {
        self.signings()
            .any(|signing| matches!(signing, Signing::Unknown { .. }))
    }

    /// What the key that signs would do with it.
    pub fn plan(&self, scene: &Scene<'_>) -> Plan {
        if self.is_sent() || self.is_over() {
            return Plan::Nothing;
        }
        if self.is_unknown() {
            return Plan::Ask;
        }
        if self.skip {
            return Plan::Skip;
        }
        match self.dose.waits_for(scene) {
            Some(why) => Plan::Waits(why),
            None => Plan::Give,
        }
    }

    fn sign(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        match &mut self.not_given {
            Some(sheet) if matches!(sheet.asked.signing, Signing::Unknown { .. }) => {
                sheet.update(&Msg::Act(Action::Sign), scene).0
            }
            _ => self.dose.sign(scene),
        }
    }

    fn reply(&mut self, reply: &Reply, scene: &Scene<'_>) -> Vec<Effect> {
        let msg = Msg::Reply(reply);
        let was_sent = self.dose.signing.awaits().is_some();
        let (mut effects, _) = self.dose.update(&msg, scene);
        if let Some(sheet) = &mut self.not_given {
            effects.extend(sheet.update(&msg, scene).0);
        }
        // Whoever wants to try again what the ward's stock or a limit refused says so for this line.
        if let Signing::Refused { refusal, .. } = &self.dose.signing
            && was_sent
        {
            self.skip = !refusal.is_passing();
        }
        effects
    }
}

impl Round {
    /// The sheet of these doses of one patient, and what it asks for; `None`: there are none. `barred` says why this
    /// person will not be let sign.
    pub fn open(orders: &[QueuedOrder], barred: Option<String>) -> Option<(Round, Vec<Effect>)> {
        let patient = Arc::clone(&orders.first()?.patient);
        let mut effects = vec![Effect::DrainInput];
        let mut lines = Vec::new();
        for order in orders.iter().filter(|order| order.patient.id == patient.id) {
            let (line, id) = RoundLine::of(order);
            effects.push(Effect::LoadDetail(id));
            lines.push(line);
        }
        let round = Round {
            patient,
            who: Identity::default(),
            package: PackageCheck::default(),
            lines,
            at: 0,
            open: None,
            read: 0,
            say: String::new(),
            barred,
        };
        Some((round, effects))
    }

    /// What has the keys.
    pub fn mode(&self) -> Mode {
        if self.barred.is_some() {
            return Mode::Closed;
        }
        if let Some(mode) = self.part_mode() {
            return mode;
        }
        if self.package.is_stopped() {
            return Mode::Stopped;
        }
        if !self.who.is_right() {
            return Mode::Identify;
        }
        let sent = || self.lines.iter().flat_map(RoundLine::signings);
        let waits = |mode| sent().any(|signing| signing.mode() == Some(mode));
        if waits(Mode::Signing) {
            Mode::Signing
        } else if waits(Mode::Checking) {
            Mode::Checking
        } else if self.lines.iter().all(RoundLine::is_over) {
            Mode::Closed
        } else {
            Mode::Round
        }
    }

    fn part_mode(&self) -> Option<Mode> {
        let line = self.lines.get(self.at)?;
        match self.open? {
            Part::Dose => Some(line.dose.mode()),
            Part::NotGiven => line.not_given.as_ref().map(|sheet| sheet.asked.mode()),
        }
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        let effects = match msg {
            Msg::Reply(reply) => self.reply(reply, scene),
            Msg::Ward => self.ward_changed(scene),
            msg if self.open.is_some() => self.tell_part(msg, scene),
            Msg::Act(Action::Close) => return (Vec::new(), Then::Close),
            Msg::Act(action) => self.act(*action, scene),
            Msg::Key(key) => {
                self.type_key(*key);
                Vec::new()
            }
            Msg::Paste(text) => self.paste(text),
            Msg::Scan(text) => self.scan(text),
        };
        if self.open.is_none() {
            self.read = self.read.max(round_view::last_in_view(self, scene));
        }
        (effects, Then::Stay)
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Effect> {
        self.say.clear();
        let last = self.lines.len().saturating_sub(1);
        match action {
            Action::Check => return self.check(),
            Action::Sign => return self.sign(scene),
            Action::Dismiss => self.package.dismiss(),
            Action::Mark => self.turn(),
            Action::Choose => self.open_part(Part::Dose),
            Action::NotGiven => self.open_not_given(scene),
            Action::Up => self.at = self.at.saturating_sub(1),
            Action::Down => self.at = (self.at + 1).min(last),
            Action::PageUp => self.at = self.at.saturating_sub(5),
            Action::PageDown => self.at = (self.at + 5).min(last),
            _ => {}
        }
        Vec::new()
    }

    fn type_key(&mut self, key: Key) {
        if self.mode() == Mode::Identify && self.who.key(key) {
            self.say.clear();
        }
    }

    /// A scanner behind a terminal with bracketed paste: its line end comes inside the text.
    fn paste(&mut self, text: &str) -> Vec<Effect> {
        let text = text.trim_start_matches(['\r', '\n']);
        let (line, ended) = match text.split_once(['\r', '\n']) {
            Some((line, _)) => (line, true),
            None => (text, false),
        };
        if ended || matches!(tell_apart(line), Ok(Scanned::Package(_))) {
            return self.scan(line);
        }
        for c in line.chars() {
            self.type_key(Key::char(c));
        }
        Vec::new()
    }

    /// A wristband identifies the patient for all lines; a package finds the line of its drug.
    fn scan(&mut self, text: &str) -> Vec<Effect> {
        self.say.clear();
        let Some(order) = self.lines.first().map(|line| line.dose.order.id) else {
            return Vec::new();
        };
        match tell_apart(text) {
            Err(why) => {
                self.say = format!("This code cannot be read: {why}.");
                Vec::new()
            }
            Ok(Scanned::Package(package)) => self.package.look_up(package, None),
            Ok(Scanned::Either(number, gtin)) if number != self.patient.mrn => {
                self.package.look_up(gtin.into(), Some(number))
            }
            Ok(Scanned::Person(number) | Scanned::Either(number, _)) => {
                let effects = self.who.take(number, &self.patient, order);
                self.identify_lines();
                effects
            }
        }
    }

    /// Takes the answer what the package holds: the line of that drug is selected, and given with the others.
    fn package_found(&mut self, reply: &Reply, scene: &Scene<'_>) -> Vec<Effect> {
        let open = self.lines.iter().filter(|line| !line.is_over());
        let wanted: Vec<_> = open
            .map(|line| (line.dose.order.drug.id, line.dose.order.drug.title()))
            .collect();
        let stopped = match self.package.reply(reply, &wanted, scene.today()) {
            Came::Nothing => return Vec::new(),
            Came::Is(drug) => {
                self.scanned_drug(drug);
                return Vec::new();
            }
            Came::Stop(stopped) => stopped,
            Came::Person { number, name } => {
                self.who.wrong(number, Whose::Of(name));
                self.identify_lines();
                Stopped::WrongPatient
            }
        };
        let order = self.lines.get(self.at).map(|line| line.dose.order.id);
        order
            .map(|order| PackageCheck::on_record(stopped, order))
            .into_iter()
            .collect()
    }

    fn scanned_drug(&mut self, drug: DrugId) {
        let of_drug = |line: &RoundLine| !line.is_over() && line.dose.order.drug.id == drug;
        if let Some(at) = self.lines.iter().position(of_drug) {
            self.at = at;
            let line = &mut self.lines[at];
            line.skip = false;
            line.dose.package = self.package.clone();
        }
    }

    fn check(&mut self) -> Vec<Effect> {
        let Some(order) = self.lines.first().map(|line| line.dose.order.id) else {
            return Vec::new();
        };
        let checked = self.who.check(&self.patient, order);
        let effects = checked.unwrap_or_else(|why| {
            self.say = why;
            Vec::new()
        });
        self.identify_lines();
        effects
    }

    /// Every line is signed for whoever was identified here, and none before.
    fn identify_lines(&mut self) {
        for line in &mut self.lines {
            line.dose.who = self.who.clone();
        }
    }

    /// Gives the selected line with the others, or leaves it out.
    fn turn(&mut self) {
        if let Some(line) = self.lines.get_mut(self.at) {
            if line.is_over() || line.is_sent() || line.is_unknown() {
                self.say = "This line is not signed any more: it says why.".to_owned();
                return;
            }
            line.skip = !line.skip;
        }
    }

    fn open_part(&mut self, part: Part) {
        if self.lines.get(self.at).is_some_and(RoundLine::is_done) {
            self.say = "This line is on record; the log shows it.".to_owned();
        } else {
            self.open = Some(part);
        }
    }

    fn open_not_given(&mut self, scene: &Scene<'_>) {
        let Some(line) = self.lines.get_mut(self.at) else {
            return;
        };
        if line.is_over() || line.is_unknown() {
            self.say = "This line is not signed any more: it says why.".to_owned();
            return;
        }
        let closed = |sheet: &NotGivenSheet| sheet.asked.signing.mode() == Some(Mode::Closed);
        if line.not_given.as_ref().is_none_or(closed) {
            let sheet = NotGivenSheet::open(&line.dose.order, &scene.context.policy);
            line.not_given = Some(sheet);
        }
        // Whatever comes of that, nobody means to give it with the others now.
        line.skip = true;
        self.open = Some(Part::NotGiven);
    }

    /// Signs every line that waits for nothing, each as an operation of its own.
    fn sign(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        if !self.who.is_right() {
            return Vec::new();
        }
        let unread = self.lines.iter().skip(self.read + 1);
        let unread = unread.filter(|line| line.plan(scene) == Plan::Give).count();
        if unread > 0 {
            self.say = format!("Read them all before you sign: {unread} more below (Down).");
            return Vec::new();
        }
        let mut effects = Vec::new();
        for (n, line) in self.lines.iter_mut().enumerate() {
            if matches!(line.plan(scene), Plan::Give | Plan::Ask) {
                let mut context = scene.context.clone();
                context.fresh_op = scene.context.fresh_op.nth(n);
                let scene = Scene {
                    context: &context,
                    ..scene.clone()
                };
                effects.extend(line.sign(&scene));
            }
        }
        if effects.is_empty() {
            self.say =
                "No line can be signed as it is: each says what it waits for. Enter opens it."
                    .to_owned();
        }
        effects
    }

    /// The selected line's own sheet has the keys, until it closes or what it signed is on record.
    fn tell_part(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> Vec<Effect> {
        let Some(line) = self.lines.get_mut(self.at) else {
            return Vec::new();
        };
        let (effects, then) = match (self.open, &mut line.not_given) {
            (Some(Part::NotGiven), Some(sheet)) => sheet.update(msg, scene),
            _ => line.dose.update(msg, scene),
        };
        // Somebody else's wristband on one line is somebody else's for all.
        if self.open == Some(Part::Dose) && line.dose.who.check != self.who.check {
            self.who = line.dose.who.clone();
            self.identify_lines();
        }
        if then == Then::Close {
            self.open = None;
        }
        effects
    }

    /// The queue moved on under the sheet. What a line's own signature did is told by its outcome.
    fn ward_changed(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        let own = |line: &&mut RoundLine| {
            let withheld = line.withheld();
            withheld.is_none_or(|signing| matches!(signing, Signing::Refused { .. }))
        };
        for line in self.lines.iter_mut().filter(own) {
            effects.extend(line.dose.update(&Msg::Ward, scene).0);
        }
        effects
    }

    fn reply(&mut self, reply: &Reply, scene: &Scene<'_>) -> Vec<Effect> {
        self.who.reply(reply, &self.patient);
        let mut effects = self.package_found(reply, scene);
        for line in &mut self.lines {
            effects.extend(line.reply(reply, scene));
        }
        if self.who.is_right() {
            self.identify_lines();
        }
        // What was signed on a line's own sheet is on record: the list says so.
        if self.open.is_some() && self.lines.get(self.at).is_some_and(RoundLine::is_done) {
            self.open = None;
        }
        effects
    }

    /// The clock moved on.
    pub fn tick(&mut self, now: Timestamp) {
        for line in &mut self.lines {
            line.dose.tick(now);
            if let Some(sheet) = &mut line.not_given {
                sheet.asked.tick(now);
            }
        }
    }

    /// When it changes by itself.
    pub fn changes_at(&self) -> Option<Timestamp> {
        let of = |line: &RoundLine| {
            let not_given = line.not_given.as_ref();
            let not_given = not_given.and_then(|sheet| sheet.asked.changes_at());
            line.dose.changes_at().into_iter().chain(not_given).min()
        };
        self.lines.iter().filter_map(of).min()
    }

    /// The operations whose outcome it waits for, each with words for telling it when the sheet is gone.
    pub fn awaits(&self) -> Vec<(OpId, String)> {
        let of = |line: &RoundLine| {
            let order = words::order(&line.dose.order);
            let withheld = line.withheld().and_then(Signing::awaits);
            let withheld = withheld.map(|op| (op, format!("not given: {order}")));
            let given = line.dose.signing.awaits().map(|op| (op, order));
            given.into_iter().chain(withheld)
        };
        self.lines.iter().flat_map(of).collect()
    }

    /// The doses that need no mark any more: on record, on their way, or gone.
    pub fn accounted_for(&self) -> Vec<OrderId> {
        let over = |line: &&RoundLine| {
            line.is_done() || line.is_sent() || matches!(line.dose.over, Some(Over::Ended { .. }))
        };
        let over = self.lines.iter().filter(over);
        over.map(|line| line.dose.order.id).collect()
    }
}
