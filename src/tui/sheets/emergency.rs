//! The sheet that begins emergency access: acting for a while in a ward that is not one's own, with a reason and the PIN
//! again, so that nobody does it from somebody else's open desk. Whoever has access to the ward that they look at ends it
//! here, without a PIN: less power needs no proof.

use ratatui::layout::Rect;

use super::facts::Facts;
use super::form::{Form, Words};
use super::signing::Signing;
use super::{Msg, Scene, Then, coded, inset};
use crate::domain::snapshot::Ward;
use crate::domain::{Access, Reason, ReasonKind, Receipt, Request, WardId};
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::model::{Effect, Reply, Secret, SignInFailure};
use crate::tui::widgets::{Field, Pen};

/// Fields of the form, in their order.
const WARD: usize = 0;
const REASON: usize = 1;
const PIN: usize = 2;

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct EmergencySheet {
    /// Ward, reason, PIN, and the signature.
    pub form: Form,
    wards: Vec<Ward>,
    /// What is asked for once the PIN is known to be right.
    checking: Option<(WardId, Reason)>,
    /// What is ended, of which ward (its code); nothing where one begins.
    ending: Option<(Access, String)>,
}

impl EmergencySheet {
    /// The sheet; `here` is the ward that is looked at, where it is not one's own.
    pub fn open(wards: &[Ward], here: Option<&Ward>) -> (EmergencySheet, Vec<Effect>) {
        let mut form = Form::new(&["Ward", "Reason", "Your PIN"]);
        if let Some((_, field)) = form.fields.get_mut(PIN) {
            *field = Field::secret();
        }
        if let Some(ward) = here {
            form.put(WARD, &ward.code);
            form.missing(REASON, "");
        }
        let sheet = EmergencySheet {
            form,
            wards: wards.to_vec(),
            checking: None,
            ending: None,
        };
        (sheet, vec![Effect::DrainInput])
    }

    /// The sheet that ends their access to this ward.
    pub fn ending(ward: &Ward, access: Access) -> EmergencySheet {
        EmergencySheet {
            form: Form::new(&[]),
            wards: Vec::new(),
            checking: None,
            ending: Some((access, ward.code.clone())),
        }
    }

    /// What is being done, for whoever waits for its outcome elsewhere.
    pub fn told(&self) -> &'static str {
        match self.ending {
            Some(_) => "ending emergency access",
            None => "beginning emergency access",
        }
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        let effects = match msg {
            Msg::Act(Action::Close) => return (Vec::new(), self.then()),
            Msg::Act(Action::Sign) => self.sign(scene),
            Msg::Reply(Reply::Witness { username, found }) if *username == scene.actor.username => {
                self.checked(found, scene)
            }
            // What is being checked is not typed over.
            Msg::Key(_) | Msg::Paste(_) if self.checking.is_some() => Vec::new(),
            other => {
                self.form.update(other);
                Vec::new()
            }
        };
        (effects, Then::Stay)
    }

    /// Once it has begun, the ward is looked at.
    fn then(&self) -> Then {
        match &self.form.signing {
            Signing::Done(Receipt::EmergencyBegun { ward, .. }) => Then::Ward(*ward),
            _ => Then::Close,
        }
    }

    fn sign(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        if self.checking.is_some() {
            return Vec::new();
        }
        if let Signing::Unknown { operation } = &self.form.signing {
            let request = operation.request.clone();
            return self.form.signing.sign(request, None, &[], scene);
        }
        if let Some((access, _)) = &self.ending {
            let request = Request::EndEmergency { access: access.id };
            return self.form.signing.sign(request, None, &[], scene);
        }
        let asked = match self.asked(scene) {
            Ok(asked) => asked,
            Err((field, why)) => {
                // What was refused for now is typed anew.
                self.form.signing = Signing::Idle;
                return self.form.missing(field, why);
            }
        };
        let secret = self.form.fields.get_mut(PIN);
        let secret = secret.map(|(_, field)| field.take()).unwrap_or_default();
        if secret.is_empty() {
            self.form.signing = Signing::Idle;
            return self
                .form
                .missing(PIN, "Type your PIN again: it is you who asks.");
        }
        self.checking = Some(asked);
        self.form.say = "Checking your PIN.".to_owned();
        vec![Effect::CheckWitness {
            username: scene.actor.username.clone(),
            secret: Secret(secret),
        }]
    }

    /// Where, and why; or the field that is wrong, and what is wrong with it.
    fn asked(&self, scene: &Scene<'_>) -> Result<(WardId, Reason), (usize, String)> {
        let code = self.form.value(WARD);
        let same = |ward: &&Ward| ward.code.eq_ignore_ascii_case(code);
        let ward = self.wards.iter().find(same);
        let ward = ward.ok_or_else(|| (WARD, format!("There is no ward '{code}'.")))?;
        let reasons = &scene.context.policy.reasons;
        let reason = coded::read(self.form.value(REASON), ReasonKind::Emergency, reasons);
        Ok((ward.id, reason.map_err(|why| (REASON, why))?))
    }

    fn checked(
        &mut self,
        found: &Result<crate::domain::UserId, SignInFailure>,
        scene: &Scene<'_>,
    ) -> Vec<Effect> {
        let Some((ward, reason)) = self.checking.take() else {
            return Vec::new();
        };
        let why = match found {
            Ok(user) if *user == scene.actor.id => {
                self.form.say.clear();
                let request = Request::Emergency { ward, reason };
                return self.form.signing.sign(request, None, &[], scene);
            }
            Ok(_) | Err(SignInFailure::Wrong { .. }) => "That is not your PIN.".to_owned(),
            Err(SignInFailure::TooSoon { .. }) => {
                "Too soon after a wrong PIN: wait a moment, then try again.".to_owned()
            }
            Err(SignInFailure::Unavailable { why }) => format!("It cannot be checked: {why}"),
        };
        self.form.missing(PIN, format!("{why} Nothing has begun."))
    }

    fn view_end(
        &self,
        pen: &mut Pen<'_>,
        area: Rect,
        scene: &Scene<'_>,
        access: Access,
        code: &str,
    ) {
        let mut facts = Facts::new(pen.theme, inset(area).width);
        let until = clock::hour(access.until, &scene.zone);
        let what = format!("you may act in {code} until {until}. Its end goes on record too.");
        facts.add("EMERGENCY", &what, pen.theme.wrong());
        let lines = facts.within(area.height.saturating_sub(5));
        let done = |_: &Receipt| format!("EMERGENCY ACCESS to {code} has ended.");
        let words = Words {
            ready: "F2 ends it now.",
            done: &done,
            scene,
        };
        self.form
            .view(pen, area, "END EMERGENCY ACCESS", &lines, &words);
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let theme = pen.theme;
        if let Some((access, code)) = &self.ending {
            return self.view_end(pen, area, scene, *access, code);
        }
        let mut facts = Facts::new(theme, inset(area).width);
        let minutes = scene.context.policy.emergency_minutes;
        let what = format!(
            "for {minutes} minutes you may act in a ward that is not yours. It goes on record, and stands on the \
             supervisors' board while it lasts."
        );
        facts.add("EMERGENCY", &what, theme.wrong());
        let codes = self
            .wards
            .iter()
            .filter(|ward| !scene.actor.wards.allow(ward.id));
        let codes: Vec<&str> = codes.map(|ward| ward.code.as_str()).collect();
        facts.add("Wards", &codes.join(" "), theme.faint());
        let reasons = &scene.context.policy.reasons;
        coded::list(&mut facts, "Reasons", ReasonKind::Emergency, reasons, theme);
        let fields = u16::try_from(self.form.fields.len()).unwrap_or(3);
        let lines = facts.within(area.height.saturating_sub(5 + fields));
        let done = |receipt: &Receipt| match receipt {
            Receipt::EmergencyBegun { ward, until, .. } => {
                let code = self.wards.iter().find(|known| known.id == *ward);
                let code = code.map_or("the ward", |ward| ward.code.as_str());
                let until = clock::hour(*until, &scene.zone);
                format!("EMERGENCY ACCESS to {code} until {until}. Close this, and the ward opens.")
            }
            _ => "Done.".to_owned(),
        };
        let words = Words {
            ready: "Type ward, the number of a reason and your PIN, then F2 signs.",
            done: &done,
            scene,
        };
        self.form
            .view(pen, area, "EMERGENCY ACCESS", &lines, &words);
    }
}
