//! What this terminal shows and sends, and what is set about it: to be tried out, and kept for the next sign-in from it.

use ratatui::layout::Rect;

use super::{Msg, Then, headed, inset};
use crate::tui::charset::Charset;
use crate::tui::key::{Code, Key};
use crate::tui::keymap::Action;
use crate::tui::look::{Look, Place};
use crate::tui::model::{Effect, Reply};
use crate::tui::theme::{Colours, Theme};
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::wrap;
use crate::tui::widgets::{Line, Pen};

/// Keys that are shown: the last so many.
const KEYS: usize = 6;
/// Columns of the labels.
const LABEL: u16 = 13;

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Colours,
    Charset,
    Plain,
}

const CHOICES: [Choice; 3] = [Choice::Colours, Choice::Charset, Choice::Plain];

/// The sheet's state.
#[derive(Debug, Clone, Default)]
pub struct TerminalSheet {
    place: Place,
    look: Look,
    at: usize,
    keys: Vec<String>,
    say: String,
}

impl TerminalSheet {
    /// The sheet of the terminal at that place.
    pub fn open(place: Place) -> TerminalSheet {
        TerminalSheet {
            look: place.look,
            place,
            ..TerminalSheet::default()
        }
    }

    /// Takes a message. What is chosen is shown at once.
    pub fn update(&mut self, msg: &Msg<'_>) -> (Vec<Effect>, Then) {
        let mut effects = Vec::new();
        match msg {
            Msg::Act(Action::Close) => return (effects, Then::Close),
            Msg::Act(Action::Up) => self.at = (self.at + CHOICES.len() - 1) % CHOICES.len(),
            Msg::Act(Action::Down) => self.at = (self.at + 1) % CHOICES.len(),
            Msg::Act(Action::NextChoice) => effects = self.choose(true),
            Msg::Act(Action::PreviousChoice) => effects = self.choose(false),
            Msg::Act(Action::Keep) if self.place.keeps => effects.push(Effect::KeepLook(self.look)),
            Msg::Act(Action::Keep) => "It cannot be kept here.".clone_into(&mut self.say),
            Msg::Key(key) => self.heard(named(*key)),
            Msg::Scan(text) => self.heard(format!("a scan of {} characters", text.chars().count())),
            Msg::Paste(text) => {
                self.heard(format!("a paste of {} characters", text.chars().count()))
            }
            Msg::Reply(Reply::LookKept(Ok(()))) => {
                self.say = format!(
                    "Kept for {}: it is so at the next sign-in from it.",
                    self.place.name
                );
            }
            Msg::Reply(Reply::LookKept(Err(why))) => self.say = format!("Not kept: {why}"),
            Msg::Act(_) | Msg::Ward | Msg::Reply(_) => {}
        }
        (effects, Then::Stay)
    }

    fn heard(&mut self, key: String) {
        if self.keys.len() >= KEYS {
            self.keys.remove(0);
        }
        self.keys.push(key);
    }

    fn choose(&mut self, forward: bool) -> Vec<Effect> {
        self.say.clear();
        let look = &mut self.look;
        match CHOICES.get(self.at) {
            Some(Choice::Colours) => look.colours = turned(&Colours::ALL, look.colours, forward),
            Some(Choice::Charset) => look.charset = turned(&Charset::ALL, look.charset, forward),
            Some(Choice::Plain) => look.plain = turned(&[false, true], look.plain, forward),
            None => {}
        }
        vec![Effect::Look(self.look)]
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let body = inset(headed(pen, area, "TERMINAL", None));
        let plain = pen.theme.plain();
        let mut row = 0;
        for (at, choice) in CHOICES.iter().enumerate() {
            let marker = if at == self.at {
                pen.theme.symbols.marker
            } else {
                " "
            };
            let (label, value) = self.told(*choice, pen.theme);
            let line =
                Line::of(format!("{marker} {label:<11}"), plain).and(value, pen.theme.strong());
            pen.line(row_of(body, row), &line);
            if at == self.at {
                pen.select(row_of(body, row), true);
            }
            row += 1;
        }
        row += 1;
        for (label, line) in self.samples(pen.theme) {
            let place = row_of(body, row);
            let faint = pen.theme.faint();
            pen.put(place, &format!("  {label}"), faint);
            let beside = Rect {
                x: place.x.saturating_add(LABEL),
                width: place.width.saturating_sub(LABEL),
                ..place
            };
            pen.line(beside, &line);
            row += 1;
        }
        row += 1;
        let words = if self.say.is_empty() {
            "Press any key to see how it arrives. What does not look right above is chosen with Left and Right; Enter keeps it \
             for this terminal."
        } else {
            &self.say
        };
        for line in wrap(&pen.theme.text(words), usize::from(body.width)) {
            pen.put(row_of(body, row), &line, plain);
            row += 1;
        }
    }

    fn told(&self, choice: Choice, theme: &Theme) -> (&'static str, String) {
        let (label, chosen, is) = match choice {
            Choice::Colours => (
                "Colours",
                self.look.colours.map(Colours::as_str),
                theme.colours().as_str(),
            ),
            Choice::Charset => (
                "Characters",
                self.look.charset.map(Charset::as_str),
                theme.charset().as_str(),
            ),
            Choice::Plain => (
                "Screen",
                self.look.plain.map(screen),
                screen(theme.is_plain()),
            ),
        };
        let words = match chosen {
            Some(chosen) => chosen.to_owned(),
            None => format!("as the terminal says: {is}"),
        };
        (label, words)
    }

    /// What should look as it says.
    fn samples(&self, theme: &Theme) -> Vec<(&'static str, Line)> {
        let (plain, symbols) = (theme.plain(), &theme.symbols);
        let mut looks = Line::default();
        for (word, style) in [
            ("late", theme.late()),
            ("due", theme.due()),
            (" STAT ", theme.stat()),
            ("low", theme.low()),
            ("enough", theme.good()),
            ("warning", theme.warning()),
            ("refused", theme.wrong()),
            (" sign ", theme.sign()),
            ("heading", theme.heading()),
            ("faint", theme.faint()),
        ] {
            looks = looks.and(word, style).and("  ", plain);
        }
        let drawn = format!(
            "{} {} {}{} {} {} {}",
            symbols.rule.repeat(8),
            symbols.wall,
            symbols.full.repeat(4),
            symbols.empty.repeat(4),
            symbols.dot,
            symbols.mark,
            symbols.tick
        );
        let letters = theme
            .text("Zoë Müller, Łukasz Wójcik, Ιωάννης, 林 美玲, 5 µg ≤ 10 µg")
            .into_owned();
        let wide = theme.text("|林|美|玲|").into_owned();
        // Each bar under a bar: the terminal counts columns as this program does.
        let columns: String = wide
            .split('|')
            .filter(|part| !part.is_empty())
            .map(|part| format!("|{}", "-".repeat(crate::tui::widgets::text::width(part))))
            .chain(["|".to_owned()])
            .collect();
        let keys = if self.keys.is_empty() {
            "none yet".to_owned()
        } else {
            theme.text(&self.keys.join(", ")).into_owned()
        };
        vec![
            (
                "This is",
                Line::of(theme.text(&self.place.name).into_owned(), plain),
            ),
            ("Looks", looks),
            ("Drawn", Line::of(drawn, plain)),
            ("Letters", Line::of(letters, plain)),
            ("Width", Line::of(wide, plain)),
            ("", Line::of(columns, plain)),
            ("Keys", Line::of(keys, plain)),
        ]
    }
}

fn screen(plain: bool) -> &'static str {
    if plain { "read aloud" } else { "drawn" }
}

/// The next of all, or the one before; before the first and behind the last is nothing: as the terminal says.
fn turned<T: Copy + PartialEq>(all: &[T], now: Option<T>, forward: bool) -> Option<T> {
    let at = now.and_then(|now| all.iter().position(|one| *one == now));
    match (at, forward) {
        (None, true) => all.first().copied(),
        (None, false) => all.last().copied(),
        (Some(at), true) => all.get(at + 1).copied(),
        (Some(at), false) => at.checked_sub(1).and_then(|at| all.get(at).copied()),
    }
}

/// A key by its name; a character also by its number, which tells what the terminal sends.
fn named(key: Key) -> String {
    match key.code {
        Code::Char(c) if !key.ctrl && !c.is_ascii_graphic() => {
            let shown = if c.is_control() {
                String::new()
            } else {
                format!("{c} ")
            };
            format!("{shown}U+{:04X}", c as u32)
        }
        _ => key.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_go_round_and_are_shown_at_once() {
        let mut sheet = TerminalSheet::open(Place::default());
        let mut seen = Vec::new();
        for _ in 0..=Colours::ALL.len() {
            let (effects, _) = sheet.update(&Msg::Act(Action::NextChoice));
            assert_eq!(effects, [Effect::Look(sheet.look)]);
            seen.push(sheet.look.colours);
        }
        assert_eq!(seen[0], Some(Colours::None));
        assert_eq!(seen.last(), Some(&None), "as the terminal says, again");
        sheet.update(&Msg::Act(Action::Up));
        sheet.update(&Msg::Act(Action::PreviousChoice));
        assert_eq!(sheet.look.plain, Some(true));
        let (effects, _) = sheet.update(&Msg::Act(Action::Keep));
        assert!(effects.is_empty() && sheet.say.contains("cannot be kept here"));
    }

    #[test]
    fn keys_are_shown_as_they_come() {
        let mut sheet = TerminalSheet::open(Place::default());
        for key in [
            Key::of(Code::F(7)),
            Key::ctrl('t'),
            Key::char('x'),
            Key::char('ä'),
            Key::char('\u{1d}'),
        ] {
            sheet.update(&Msg::Key(key));
        }
        assert_eq!(sheet.keys, ["F7", "Ctrl-T", "x", "ä U+00E4", "U+001D"]);
        sheet.update(&Msg::Paste("abc"));
        sheet.update(&Msg::Key(Key::char('y')));
        assert_eq!(sheet.keys.len(), KEYS);
    }
}
