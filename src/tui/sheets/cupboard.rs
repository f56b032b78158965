//! The sheets of the cupboard: one form for each operation, with a second person's name and PIN where two must sign.

use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Rect;

use super::facts::Facts;
use super::form::{Form, Words};
use super::{Msg, Scene, Then, inset};
use crate::domain::cupboard::{Levels, Resolution, Verdict};
use crate::domain::operation::Part;
use crate::domain::shelf::{DiscrepancyLine, LevelLine, LotLine, Named, ToCount, TransferLine};
use crate::domain::snapshot::{Drug, Ward};
use crate::domain::{
    DiscrepancyId, DrugId, Quantity, Reason, ReasonKind, Receipt, Request, UserId, WardId,
    words as said,
};
use crate::tui::keymap::Action;
use crate::tui::model::{Effect, Reply, Secret, SignInFailure};
use crate::tui::widgets::{Field, Pen};

/// A witness's PIN that was typed and not used is forgotten after so long.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// What the sheet is for.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Send stock to another ward.
    Send(Named),
    /// Take a transfer in.
    Arrive(TransferLine),
    /// Waste, return or adjust.
    TakeOut(Named),
    /// Count.
    Count(ToCount),
    /// Explain a difference: of which drug, and the difference where it is known.
    Explain(DiscrepancyId, Named, String),
    /// Answer for what is missing of a transfer.
    ResolveTransfer(DiscrepancyLine),
    /// Answer for a difference of a count.
    ResolveCount(DiscrepancyLine),
    /// Block a lot.
    Recall(LotLine),
    /// Set levels.
    Levels(LevelLine),
}

impl Kind {
    /// What is to be done about a difference.
    pub fn of_difference(line: DiscrepancyLine) -> Kind {
        use crate::domain::cupboard::DiscrepancyStatus::Unexplained;
        if line.sent_from.is_some() {
            Kind::ResolveTransfer(line)
        } else if line.status == Unexplained {
            let words = said::difference(&line);
            Kind::Explain(line.id, line.drug, words)
        } else {
            Kind::ResolveCount(line)
        }
    }

    /// What is to be done about a drug that is to be counted.
    pub fn of_count(line: ToCount) -> Kind {
        match line.unexplained {
            Some(id) => Kind::Explain(id, line.drug, String::new()),
            None => Kind::Count(line),
        }
    }

    /// The operation, as the role table names it.
    pub const fn operation(&self) -> &'static str {
        match self {
            Kind::Send(_) => "send",
            Kind::Arrive(_) => "receive_transfer",
            // Those who may waste may return; the desk has the last word on adjusting.
            Kind::TakeOut(_) => "",
            Kind::Count(_) => "count",
            Kind::Explain(..) => "explain",
            Kind::ResolveTransfer(_) => "resolve_transfer",
            Kind::ResolveCount(_) => "resolve_count",
            Kind::Recall(_) => "recall",
            Kind::Levels(_) => "levels",
        }
    }

    fn drug(&self) -> &Named {
        match self {
            Kind::Send(drug) | Kind::TakeOut(drug) | Kind::Explain(_, drug, _) => drug,
            Kind::Arrive(line) => &line.drug,
            Kind::Count(line) => &line.drug,
            Kind::ResolveTransfer(line) | Kind::ResolveCount(line) => &line.drug,
            Kind::Recall(line) => &line.drug,
            Kind::Levels(line) => &line.drug,
        }
    }

    const fn title(&self) -> &'static str {
        match self {
            Kind::Send(_) => "SEND STOCK",
            Kind::Arrive(_) => "RECEIVE A TRANSFER",
            Kind::TakeOut(_) => "WASTE, RETURN, ADJUST",
            Kind::Count(_) => "COUNT",
            Kind::Explain(..) => "EXPLAIN A DIFFERENCE",
            Kind::ResolveTransfer(_) => "WHAT BECAME OF IT?",
            Kind::ResolveCount(_) => "CLOSE A DIFFERENCE",
            Kind::Recall(_) => "RECALL A LOT",
            Kind::Levels(_) => "LEVELS",
        }
    }

    const fn labels(&self) -> &'static [&'static str] {
        match self {
            Kind::Send(_) => &["To ward", "Quantity", "Note"],
            Kind::Arrive(_) => &["Received"],
            Kind::TakeOut(_) => &["What", "Quantity", "Lot", "Reason", "Words"],
            Kind::Count(_) => &["Counted"],
            Kind::Explain(..) | Kind::ResolveCount(_) => &["Reason", "Words"],
            Kind::ResolveTransfer(_) => &["How", "Reason", "Words"],
            Kind::Recall(_) => &["Reason"],
            Kind::Levels(_) => &["Low at", "Par", "Shelf"],
        }
    }

    /// Whether the sheet has room for a witness.
    fn may_need_witness(&self) -> bool {
        match self {
            Kind::TakeOut(_) | Kind::Count(_) | Kind::Explain(..) => self.drug().controlled,
            Kind::ResolveTransfer(_) => true,
            _ => false,
        }
    }
}

/// The drug of a stock row, as lists have it.
pub fn named(drug: &Drug) -> Named {
    Named {
        id: drug.id,
        code: drug.code.clone(),
        name: drug.name.clone(),
        strength: drug.strength.clone(),
        unit: drug.unit.clone(),
        controlled: drug.controlled,
    }
}

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct CupboardSheet {
    /// What it is for.
    pub kind: Kind,
    /// Fields and signature.
    pub form: Form,
    wards: Vec<Ward>,
    /// Where the witness's fields begin; `None`: there are none.
    witness_at: Option<usize>,
    /// The witness's PIN is being checked, for this request.
    checking: Option<(String, Request)>,
    /// Since when a PIN stands there.
    pin_since: Option<Timestamp>,
}

impl CupboardSheet {
    /// An empty sheet.
    pub fn open(kind: Kind, wards: &[Ward]) -> CupboardSheet {
        let mut labels = kind.labels().to_vec();
        let witness_at = kind.may_need_witness().then_some(labels.len());
        if witness_at.is_some() {
            labels.extend(["Witness", "PIN"]);
        }
        let mut form = Form::new(&labels);
        if let Some(at) = witness_at {
            form.fields[at + 1].1 = Field::secret();
        }
        CupboardSheet {
            kind,
            form,
            wards: wards.to_vec(),
            witness_at,
            checking: None,
            pin_since: None,
        }
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        match msg {
            Msg::Act(Action::Close) => return (Vec::new(), Then::Close),
            // While the PIN is being checked nothing else is signed.
            Msg::Act(Action::Sign) if self.checking.is_none() => {
                return (self.sign(scene), Then::Stay);
            }
            Msg::Reply(Reply::Witness { username, found }) => {
                return (self.witnessed(username, found, scene), Then::Stay);
            }
            other => self.form.update(other),
        }
        let pin = self
            .witness_at
            .is_some_and(|at| !self.form.value(at + 1).is_empty());
        self.pin_since = pin.then(|| self.pin_since.unwrap_or(scene.context.now));
        (Vec::new(), Then::Stay)
    }

    /// The clock moved on.
    pub fn tick(&mut self, now: Timestamp) {
        self.form.signing.tick(now);
        if self.forgets_at().is_some_and(|at| at <= now)
            && let Some(at) = self.witness_at
        {
            self.form.fields[at + 1].1 = Field::secret();
            self.pin_since = None;
            self.form.say =
                "The PIN was not used within a minute and is forgotten. Nothing was recorded."
                    .to_owned();
        }
    }

    /// When a PIN that nobody used is forgotten.
    pub fn forgets_at(&self) -> Option<Timestamp> {
        self.pin_since?.checked_add(FORGOTTEN_AFTER).ok()
    }

    fn sign(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        if !self.form.signing.is_idle() {
            // Again: what is asked is what was asked, by the same two.
            return self.again(scene);
        }
        let request = match self.request(scene) {
            Ok(request) => request,
            Err((field, say)) => return self.form.missing(field, say),
        };
        let needs = match &request {
            Request::ResolveTransfer { how, .. } => *how == Resolution::Lost,
            Request::Return { .. } => false,
            _ => self.kind.drug().controlled,
        };
        let Some(at) = self.witness_at.filter(|_| needs) else {
            let drugs = [self.kind.drug().id];
            return self.form.signing.sign(request, None, &drugs, scene);
        };
        let username = self.form.value(at).to_owned();
        if username.is_empty() {
            let say = "A second person must see this: their user name here, then their PIN.";
            return self.form.missing(at, say);
        }
        if self.form.value(at + 1).is_empty() {
            return self
                .form
                .missing(at + 1, "The witness types their own PIN.");
        }
        let secret = Secret(self.form.fields[at + 1].1.take());
        self.pin_since = None;
        self.form.say = "Checking the witness's PIN.".to_owned();
        self.checking = Some((username.clone(), request));
        vec![Effect::CheckWitness { username, secret }]
    }

    fn again(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        use super::signing::Signing;
        let (Signing::Refused { operation, .. } | Signing::Unknown { operation }) =
            &self.form.signing
        else {
            return Vec::new();
        };
        let (request, witness) = (operation.request.clone(), operation.witness);
        let drugs = [self.kind.drug().id];
        self.form.signing.sign(request, witness, &drugs, scene)
    }

    fn witnessed(
        &mut self,
        username: &str,
        found: &Result<UserId, SignInFailure>,
        scene: &Scene<'_>,
    ) -> Vec<Effect> {
        let Some((asked, request)) = self.checking.take_if(|(asked, _)| asked == username) else {
            return Vec::new();
        };
        let at = self.witness_at.unwrap_or(0);
        self.form.say.clear();
        match found {
            Ok(witness) => {
                let drugs = [self.kind.drug().id];
                self.form
                    .signing
                    .sign(request, Some(*witness), &drugs, scene)
            }
            Err(SignInFailure::Wrong { .. }) => {
                let say = format!(
                    "Name and PIN of {asked} do not belong together. Nothing was recorded."
                );
                self.form.missing(at + 1, say)
            }
            Err(SignInFailure::TooSoon { retry_at }) => {
                let wait = retry_at.duration_since(scene.context.now).as_secs().max(1);
                let say = format!("Too soon after a wrong PIN: try again in {wait} s.");
                self.form.missing(at + 1, say)
            }
            Err(SignInFailure::Unavailable { why }) => self
                .form
                .missing(at + 1, format!("The PIN could not be checked: {why}")),
        }
    }

    /// What the fields ask for; or which is missing or wrong.
    fn request(&self, scene: &Scene<'_>) -> Result<Request, (usize, String)> {
        let reasons = &scene.context.policy.reasons;
        let here = || {
            scene
                .ward
                .map(|ward| ward.id)
                .ok_or((0, "There is no ward.".to_owned()))
        };
        let form = &self.form;
        let reason = |kind, at: usize| -> Result<Reason, (usize, String)> {
            let typed = form.value(at);
            let codes = reasons.of(kind);
            let by_number = typed
                .parse::<usize>()
                .ok()
                .and_then(|n| codes.get(n.wrapping_sub(1)));
            let code = by_number.map_or(typed, |code| code.code.as_str());
            let reason = Reason {
                code: code.to_owned(),
                text: form.value(at + 1).to_owned(),
            };
            match reasons.check(kind, &reason) {
                Ok(reason) => Ok(reason),
                Err(_) if reasons.find(kind, code).is_some() => {
                    Err((at + 1, "Say it in a few words.".to_owned()))
                }
                Err(_) => Err((at, "Choose a reason by its number or name.".to_owned())),
            }
        };
        Ok(match &self.kind {
            Kind::Send(drug) => Request::Send {
                source: here()?,
                destination: self.ward(form.value(0)).map_err(|say| (0, say))?,
                drug: drug.id,
                quantity: self.quantity(1, false)?,
                note: form.value(2).to_owned(),
            },
            Kind::Arrive(line) => Request::Arrive {
                transfer: line.id,
                received: self.quantity(0, true)?,
            },
            Kind::TakeOut(drug) => return self.take_out(here()?, drug.id, &reason),
            Kind::Count(line) => Request::Count {
                ward: here()?,
                drug: line.drug.id,
                seq: line.seq,
                counted: self.quantity(0, true)?,
            },
            Kind::Explain(discrepancy, ..) => Request::Explain {
                discrepancy: *discrepancy,
                reason: reason(ReasonKind::Discrepancy, 0)?,
            },
            Kind::ResolveCount(line) => Request::ResolveCount {
                discrepancy: line.id,
                reason: reason(ReasonKind::Discrepancy, 0)?,
            },
            Kind::ResolveTransfer(line) => {
                let how = match form.value(0).to_lowercase().as_str() {
                    "1" | "r" | "returned" => Resolution::Returned,
                    "2" | "f" | "found" => Resolution::Found,
                    "3" | "l" | "lost" => Resolution::Lost,
                    _ => return Err((0, "Type 1 returned, 2 found, or 3 lost.".to_owned())),
                };
                let given = how == Resolution::Lost || !form.value(1).is_empty();
                let reason = if given {
                    reason(ReasonKind::Discrepancy, 1)?
                } else {
                    Reason::default()
                };
                Request::ResolveTransfer {
                    discrepancy: line.id,
                    how,
                    reason,
                }
            }
            Kind::Recall(line) => {
                let reason = form.value(0).to_owned();
                if reason.is_empty() {
                    return Err((0, "Say who recalls it and why.".to_owned()));
                }
                Request::Recall {
                    drug: line.drug.id,
                    lot: line.lot.clone(),
                    reason,
                }
            }
            Kind::Levels(line) => {
                let was = Levels {
                    threshold: line.threshold,
                    par: line.par,
                    shelf: line.shelf.clone(),
                };
                let or = |at: usize, was| match form.value(at) {
                    "" => Ok(was),
                    _ => self.quantity(at, true),
                };
                let shelf = match form.value(2) {
                    "" => was.shelf.clone(),
                    "-" => String::new(),
                    shelf => shelf.to_owned(),
                };
                let levels = Levels {
                    threshold: or(0, was.threshold)?,
                    par: or(1, was.par)?,
                    shelf,
                };
                Request::SetLevels {
                    ward: here()?,
                    drug: line.drug.id,
                    was,
                    levels,
                }
            }
        })
    }

    fn take_out(
        &self,
        ward: WardId,
        drug: DrugId,
        reason: &dyn Fn(ReasonKind, usize) -> Result<Reason, (usize, String)>,
    ) -> Result<Request, (usize, String)> {
        let lot = Some(self.form.value(2).to_owned()).filter(|lot| !lot.is_empty());
        let what = |quantity| Part {
            ward,
            drug,
            quantity,
            lot: lot.clone(),
        };
        match self.form.value(0).to_lowercase().as_str() {
            "w" | "waste" => Ok(Request::Waste {
                what: what(self.quantity(1, false)?),
                reason: reason(ReasonKind::Waste, 3)?,
            }),
            "r" | "return" => Ok(Request::Return {
                what: what(self.quantity(1, false)?),
                reason: reason(ReasonKind::Return, 3)?,
            }),
            "a" | "adjust" => {
                let typed = self.form.value(1);
                let (less, digits) = match typed.strip_prefix('-') {
                    Some(digits) => (true, digits),
                    None => (false, typed.strip_prefix('+').unwrap_or(typed)),
                };
                let quantity: Quantity = digits
                    .parse()
                    .map_err(|_| (1, "Type by how much: 5 is more, -5 is less.".to_owned()))?;
                Ok(Request::Adjust {
                    what: what(if less { -quantity } else { quantity }),
                    reason: reason(ReasonKind::Adjust, 3)?,
                })
            }
            _ => Err((0, "Type w to waste, r to return, a to adjust.".to_owned())),
        }
    }

    fn quantity(&self, at: usize, or_nothing: bool) -> Result<Quantity, (usize, String)> {
        let unit = &self.kind.drug().unit;
        match self.form.value(at).parse::<Quantity>() {
            Ok(quantity) if quantity.is_positive() || or_nothing => Ok(quantity),
            Ok(_) => Err((at, "It must be more than nothing.".to_owned())),
            Err(_) if self.form.value(at).is_empty() => Err((at, format!("Type how many {unit}."))),
            Err(why) => Err((at, format!("{why}."))),
        }
    }

    fn ward(&self, code: &str) -> Result<WardId, String> {
        let found = self
            .wards
            .iter()
            .find(|ward| ward.code.eq_ignore_ascii_case(code));
        found.map(|ward| ward.id).ok_or_else(|| {
            let codes: Vec<&str> = self.wards.iter().map(|ward| ward.code.as_str()).collect();
            format!("Type a ward's code: {}.", codes.join(", "))
        })
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let theme = pen.theme;
        let mut facts = Facts::new(theme, inset(area).width);
        let drug = self.kind.drug();
        facts.add(
            "Drug",
            &format!("{} {}", drug.name, drug.strength),
            theme.strong(),
        );
        if drug.controlled {
            facts.add(
                "",
                "CONTROLLED DRUG: goes into the register",
                theme.warning(),
            );
        }
        if let Some(ward) = scene.ward {
            facts.add(
                "Ward",
                &format!("{} {}", ward.code, ward.name),
                theme.plain(),
            );
        }
        facts.add("Counted in", &drug.unit, theme.plain());
        self.facts(&mut facts, scene, theme);
        let fields = u16::try_from(self.form.fields.len()).unwrap_or(5);
        let lines = facts.within(area.height.saturating_sub(5 + fields));
        let done = |receipt: &Receipt| self.done(receipt);
        let words = Words {
            ready: self.ready(),
            done: &done,
            scene,
        };
        self.form.view(pen, area, self.kind.title(), &lines, &words);
    }

    fn facts(&self, facts: &mut Facts<'_>, scene: &Scene<'_>, theme: &crate::tui::theme::Theme) {
        let listed = |kind| {
            let codes = scene.context.policy.reasons.of(kind).iter().enumerate();
            let codes: Vec<String> = codes
                .map(|(n, code)| format!("{} {}", n + 1, code.words))
                .collect();
            codes.join(", ")
        };
        match &self.kind {
            Kind::Send(drug) => {
                let level = scene.snapshot.and_then(|s| s.stock_of(drug.id));
                if let Some(level) = level {
                    facts.add("Stock", &format!("{} here", level.current), theme.plain());
                }
            }
            Kind::Arrive(line) => {
                let text = format!(
                    "{} from {} by {}",
                    line.quantity, line.source.name, line.sent_by
                );
                facts.add("Sent", &text, theme.strong());
                if !line.note.is_empty() {
                    facts.add("Note", &line.note, theme.plain());
                }
            }
            Kind::TakeOut(_) => {
                for (label, kind) in [
                    ("Waste", ReasonKind::Waste),
                    ("Return", ReasonKind::Return),
                    ("Adjust", ReasonKind::Adjust),
                ] {
                    facts.add(label, &listed(kind), theme.plain());
                }
            }
            Kind::Count(line) => {
                if !line.shelf.is_empty() {
                    facts.add("Shelf", &line.shelf, theme.plain());
                }
                if line.again {
                    facts.add(
                        "",
                        "COUNT AGAIN: the first count did not agree",
                        theme.warning(),
                    );
                }
            }
            Kind::Explain(_, _, difference) => {
                if !difference.is_empty() {
                    facts.add("Difference", difference, theme.strong());
                }
                facts.add("Reasons", &listed(ReasonKind::Discrepancy), theme.plain());
            }
            Kind::ResolveTransfer(line) => {
                let from = line
                    .sent_from
                    .as_ref()
                    .map_or("", |ward| ward.name.as_str());
                let text = format!(
                    "{}, sent from {from} to {}",
                    said::difference(line),
                    line.ward.name
                );
                facts.add("Missing", &text, theme.strong());
                facts.add(
                    "How",
                    "1 returned (to the source), 2 found (at its destination), 3 lost",
                    theme.plain(),
                );
                facts.add("Reasons", &listed(ReasonKind::Discrepancy), theme.plain());
            }
            Kind::ResolveCount(line) => {
                facts.add("Difference", &said::difference(line), theme.strong());
                facts.add("Explained", &line.reason, theme.plain());
                facts.add("Reasons", &listed(ReasonKind::Discrepancy), theme.plain());
            }
            Kind::Recall(line) => {
                facts.add(
                    "Lot",
                    &format!("{}, expires {}", line.lot, line.expires_on),
                    theme.strong(),
                );
                facts.add(
                    "",
                    "It is blocked in every ward, and this is not undone.",
                    theme.warning(),
                );
            }
            Kind::Levels(line) => {
                let shelf = if line.shelf.is_empty() {
                    "none"
                } else {
                    &line.shelf
                };
                let text = format!("low at {}, par {}, shelf {shelf}", line.threshold, line.par);
                facts.add("Now", &text, theme.plain());
            }
        }
    }

    const fn ready(&self) -> &'static str {
        match &self.kind {
            Kind::Send(_) => {
                "The other ward's code and how much, then F2 signs. It leaves this ward at once."
            }
            Kind::Arrive(_) => {
                "Type how much is really there (0: nothing came), then F2 signs. What is missing stays open."
            }
            Kind::TakeOut(_) => {
                "w waste, r return, a adjust; how much; a reason by its number; then F2 signs."
            }
            Kind::Count(_) => {
                "Count, type what you found, then F2 signs. What the register says is not shown."
            }
            Kind::Explain(..) => "A reason by its number, then F2 signs. The difference is booked.",
            Kind::ResolveTransfer(_) => {
                "Type what became of it, then F2 signs. What is lost needs a reason and a witness."
            }
            Kind::ResolveCount(_) => "A reason by its number, then F2 signs.",
            Kind::Recall(_) => "Say who recalls it and why, then F2 signs.",
            Kind::Levels(_) => "Type what is to change (a dash empties the shelf), then F2 signs.",
        }
    }

    fn done(&self, receipt: &Receipt) -> String {
        let unit = &self.kind.drug().unit;
        match receipt {
            Receipt::Sent { quantity, left, .. } => {
                format!("SENT: {quantity} {unit}. {left} left here.")
            }
            Receipt::Arrived {
                quantity,
                missing,
                holds,
                discrepancy,
                ..
            } => {
                let short = match discrepancy {
                    Some(_) => {
                        format!(" {missing} MISSING: it stands among the discrepancies (g).")
                    }
                    None => String::new(),
                };
                format!("RECEIVED: {quantity} {unit}. {holds} here now.{short}")
            }
            Receipt::Booked {
                reason,
                quantity,
                holds,
                ..
            } => {
                format!(
                    "{}: {quantity} {unit}. {holds} here now.",
                    reason.as_str().to_uppercase()
                )
            }
            Receipt::Counted { verdict, .. } => match verdict {
                Verdict::Agrees => "COUNTED: it agrees with the register.".to_owned(),
                Verdict::Recount => "IT DOES NOT AGREE. Close this, and count it again.".to_owned(),
                Verdict::Differs { difference, .. } => {
                    let (by, way) = if *difference < Quantity::ZERO {
                        (-*difference, "missing")
                    } else {
                        (*difference, "too many")
                    };
                    format!("IT DIFFERS AGAIN: {by} {unit} {way}. Close this, and explain it.")
                }
            },
            Receipt::Explained {
                quantity,
                holds,
                open,
                ..
            } => {
                let open = if *open {
                    " It waits for a supervisor."
                } else {
                    ""
                };
                format!("EXPLAINED: booked {quantity} {unit}. {holds} here now.{open}")
            }
            Receipt::Resolved { how, quantity, .. } if *how != Resolution::Explained => {
                format!("RESOLVED: {quantity} {unit} {how}.")
            }
            Receipt::Resolved { .. } => "CLOSED.".to_owned(),
            Receipt::Recalled { wards, held, .. } => {
                format!("RECALLED: blocked in {wards} wards, which hold {held} {unit}.")
            }
            Receipt::LevelsSet { levels, .. } => {
                format!("SET: low at {}, par {}.", levels.threshold, levels.par)
            }
            _ => "Done.".to_owned(),
        }
    }

    /// What was asked, for telling its outcome when the sheet is gone.
    pub fn words(&self) -> String {
        format!(
            "{} of {}",
            self.kind.title().to_lowercase(),
            self.kind.drug().name
        )
    }
}
