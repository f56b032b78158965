//! The sheet that says which drug packages with a number hold: offered when a pharmacist scans one that nobody knows.

use ratatui::layout::Rect;

use super::drug_search::DrugSearch;
use super::facts::Facts;
use super::form::{Form, Words};
use super::{Msg, Scene, Then, inset};
use crate::domain::prescribed::Candidate;
use crate::domain::scan::Gtin;
use crate::domain::{Receipt, Request, WardId};
use crate::tui::clock;
use crate::tui::keymap::{Action, Mode};
use crate::tui::model::Effect;
use crate::tui::widgets::Pen;

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct Bind {
    /// The number on the package.
    pub gtin: Gtin,
    search: DrugSearch,
    chosen: Option<(Candidate, Form)>,
}

impl Bind {
    /// The sheet of a number, and what it asks for.
    pub fn open(gtin: Gtin, ward: WardId) -> (Bind, Vec<Effect>) {
        let (search, mut effects) = DrugSearch::open(ward);
        effects.insert(0, Effect::DrainInput);
        let sheet = Bind {
            gtin,
            search,
            chosen: None,
        };
        (sheet, effects)
    }

    /// What has the keys.
    pub fn mode(&self) -> Mode {
        self.form().map_or(Mode::Picker, Form::mode)
    }

    /// The signature's part, once a drug is chosen.
    pub fn form(&self) -> Option<&Form> {
        self.chosen.as_ref().map(|(_, form)| form)
    }

    /// The signature's part, once a drug is chosen.
    pub fn form_mut(&mut self) -> Option<&mut Form> {
        self.chosen.as_mut().map(|(_, form)| form)
    }

    /// What it is about, for telling its outcome when it is closed.
    pub fn told(&self) -> String {
        let drug = self.chosen.as_ref().map(|(drug, _)| drug.drug.title());
        format!("binding {} to {}", self.gtin, drug.unwrap_or_default())
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        let effects = match (msg, &mut self.chosen) {
            (Msg::Act(Action::Close), _) => return (Vec::new(), Then::Close),
            (Msg::Act(Action::Choose), None) => {
                let found = self.search.selected().cloned();
                self.chosen = found.map(|drug| (drug, Form::new(&[])));
                Vec::new()
            }
            (Msg::Act(Action::Sign), Some((drug, form))) => {
                let request = Request::BindCode {
                    drug: drug.drug.id,
                    gtin: self.gtin.clone(),
                    beside: false,
                };
                form.signing.sign(request, None, &[drug.drug.id], scene)
            }
            (other, Some((_, form))) => {
                form.update(other);
                Vec::new()
            }
            (other, None) => self.search.update(other),
        };
        (effects, Then::Stay)
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let Some((drug, form)) = &self.chosen else {
            let title = format!("PACKAGE {}: WHICH DRUG IS IN IT?", self.gtin);
            return self.search.view(pen, area, &title);
        };
        let theme = pen.theme;
        let mut facts = Facts::new(theme, inset(area).width);
        facts.add("Package", &self.gtin.to_string(), theme.strong());
        facts.drug(&drug.drug);
        let counted = format!("one of it is counted as 1 {}", drug.drug.unit);
        facts.add("", &counted, theme.plain());
        let lines = facts.within(area.height.saturating_sub(4));
        let done = |receipt: &Receipt| match receipt {
            Receipt::CodeBound { at, .. } => format!(
                "BOUND at {}. From now on this number is this drug, on every ward.",
                clock::hour(*at, &scene.zone)
            ),
            _ => "Done.".to_owned(),
        };
        let words = Words {
            ready: "Compare name and strength with the package in your hand, then F2 signs.",
            done: &done,
            scene,
        };
        form.view(pen, area, "WHAT IS IN THIS PACKAGE", &lines, &words);
    }
}
