//! What every sheet about a dose says of it: patient, drug, dose.

use super::Scene;
use crate::domain::snapshot::{Drug, Patient, QueuedOrder};
use crate::tui::clock::{self, Due};
use crate::tui::theme::Theme;
use crate::tui::widgets::Line;
use crate::tui::widgets::pen::labelled;
use crate::tui::widgets::text::wrap;
use crate::tui::words;

/// Columns of the labels at the left.
pub const LABELS: usize = 11;

/// Lines of labelled facts for a sheet of some width.
pub struct Facts<'a> {
    theme: &'a Theme,
    columns: u16,
    lines: Vec<Line>,
}

impl<'a> Facts<'a> {
    /// None yet.
    pub fn new(theme: &'a Theme, columns: u16) -> Facts<'a> {
        Facts {
            theme,
            columns,
            lines: Vec::new(),
        }
    }

    /// A blank line between what belongs together; it gives way where lines are scarce.
    pub fn gap(&mut self) {
        self.lines.push(Line::default());
    }

    /// The lines for so much room: without the gaps where they would push something out.
    pub fn within(mut self, room: u16) -> Vec<Line> {
        if self.lines.len() > usize::from(room) {
            self.lines.retain(|line| !line.0.is_empty());
        }
        self.lines
    }

    /// Adds a fact; the text comes from data and is made safe here.
    pub fn add(&mut self, label: &str, text: &str, style: ratatui::style::Style) {
        let text = self.theme.text(text);
        if usize::from(self.columns) < 5 * LABELS {
            self.add_narrow(label, &text, style);
            return;
        }
        self.lines.extend(labelled(
            label,
            &text,
            style,
            self.columns,
            LABELS,
            self.theme.faint(),
        ));
    }

    /// Where columns are scarce the label stands in the line; who, what and how much need none.
    fn add_narrow(&mut self, label: &str, text: &str, style: ratatui::style::Style) {
        let text = match label {
            "" | "Patient" | "Drug" | "Dose" => text.to_owned(),
            label => format!("{label}: {text}"),
        };
        let lines = wrap(&text, usize::from(self.columns));
        self.lines
            .extend(lines.into_iter().map(|line| Line::of(line, style)));
    }

    /// Who it is for: name alone and strong, then what identifies them, then what must not be given to them.
    pub fn patient(&mut self, patient: &Patient, scene: &Scene<'_>) {
        self.add("Patient", &patient.name, self.theme.strong());
        let bed = if patient.bed.is_empty() {
            "no bed".to_owned()
        } else {
            format!("bed {}", patient.bed)
        };
        let born = clock::born(patient.birth_date, scene.context.now, &scene.zone);
        let dot = self.theme.symbols.dot;
        self.add(
            "",
            &format!("{bed} {dot} MRN {} {dot} born {born}", patient.mrn),
            self.theme.plain(),
        );
        if patient.allergies.trim().is_empty() {
            self.add("Allergies", "no allergies recorded", self.theme.plain());
        } else {
            self.add("ALLERGIES", &patient.allergies, self.theme.warning());
        }
    }

    /// What: never cut, and said in words where it asks for care.
    pub fn drug(&mut self, drug: &Drug) {
        self.add("Drug", &drug.title(), self.theme.strong());
        let mut care = Vec::new();
        if drug.high_alert {
            care.push("HIGH-ALERT DRUG: check twice");
        }
        if drug.controlled {
            care.push("CONTROLLED DRUG: goes into the register");
        }
        if !care.is_empty() {
            self.add("", &care.join(". "), self.theme.warning());
        }
    }

    /// How much, how, how often.
    pub fn dose(&mut self, order: &QueuedOrder) {
        let dose = words::dose(&order.dose, &order.drug);
        let mut text = dose;
        for part in [&order.route, &order.frequency] {
            if !part.is_empty() {
                text.push_str("  ");
                text.push_str(part);
            }
        }
        self.add("Dose", &text, self.theme.strong());
        if !order.dose.written.is_empty() {
            let counted = words::amount(order.dose.least, &order.drug);
            let note = format!("as prescribed; the cupboard counts it as {counted}");
            self.add("", &note, self.theme.plain());
        }
    }

    /// When, and how that stands to now.
    pub fn due(&mut self, order: &QueuedOrder, scene: &Scene<'_>) {
        use crate::domain::{OrderKind, Priority};
        let now = scene.context.now;
        let (mut text, mut style) = match (order.due(), order.kind) {
            (Some(at), _) => {
                let due = Due::of(at, now);
                let early = at.duration_since(now) > scene.context.due_window;
                let (style, early) = match due {
                    Due::Late(_) => (self.theme.late(), ""),
                    Due::In(_) if early => (self.theme.warning(), "NOT DUE YET: "),
                    Due::Now | Due::In(_) => (self.theme.plain(), ""),
                };
                let when = clock::day_hour(at, now, &scene.zone);
                // While the sheet is open only the clock changes it.
                let style = self.theme.passing(style);
                (format!("{early}{when}, {}", due.words()), style)
            }
            (None, OrderKind::Prn) => ("as needed (PRN)".to_owned(), self.theme.plain()),
            (None, OrderKind::Timed | OrderKind::Unscheduled) => (
                "no schedule: see prescription".to_owned(),
                self.theme.warning(),
            ),
        };
        if let Some(until) = order.held(now) {
            let until = clock::day_hour(until, now, &scene.zone);
            text = format!("HELD until {until}; was due {text}");
            style = self.theme.warning();
        }
        if order.priority == Priority::Stat {
            text = format!("STAT {} {text}", self.theme.symbols.dot);
            style = self.theme.passing(self.theme.late());
        }
        self.add("Due", &text, style);
    }
}
