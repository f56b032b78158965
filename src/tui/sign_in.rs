//! The first screens: signing in, and a database with nobody in it.

use jiff::Timestamp;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::key::Key;
use super::keymap::Action;
use super::model::{Context, Effect, Secret, SignInFailure};
use super::widgets::pen::row_of;
use super::widgets::text::wrap;
use super::widgets::{Field, Line, Pen};

/// The sign-in's state.
#[derive(Debug, Clone)]
pub(super) struct SignIn {
    username: Field,
    secret: Field,
    on_secret: bool,
    /// Sent, and not answered yet.
    waiting: bool,
    failure: Option<SignInFailure>,
}

impl Default for SignIn {
    fn default() -> Self {
        SignIn {
            username: Field::default(),
            secret: Field::secret(),
            on_secret: false,
            waiting: false,
            failure: None,
        }
    }
}

impl SignIn {
    pub(super) fn act(&mut self, action: Action, context: &Context) -> Vec<Effect> {
        match action {
            Action::NextField | Action::PreviousField => self.on_secret = !self.on_secret,
            Action::SignIn => return self.send(context),
            Action::Leave => return vec![Effect::Quit],
            _ => {}
        }
        Vec::new()
    }

    fn send(&mut self, context: &Context) -> Vec<Effect> {
        if self.waiting || self.wait_left(context.now).is_some() {
            return Vec::new();
        }
        if self.username.value().trim().is_empty() {
            self.on_secret = false;
            return Vec::new();
        }
        if !self.on_secret && self.secret.is_empty() {
            self.on_secret = true;
            return Vec::new();
        }
        self.waiting = true;
        self.failure = None;
        vec![Effect::SignIn {
            username: self.username.value().trim().to_owned(),
            secret: Secret(self.secret.take()),
        }]
    }

    pub(super) fn key(&mut self, key: Key) {
        if self.waiting {
            return;
        }
        let field = if self.on_secret {
            &mut self.secret
        } else {
            &mut self.username
        };
        field.key(key);
    }

    pub(super) fn paste(&mut self, text: &str) {
        let line = text.split(['\r', '\n']).next().unwrap_or_default();
        for c in line.chars() {
            self.key(Key::char(c));
        }
    }

    /// The name is known: the PIN is to be typed. Says whether that is so; while an answer is on its way it is not.
    pub(super) fn as_user(&mut self, username: &str) -> bool {
        if self.waiting {
            return false;
        }
        *self = SignIn::default();
        self.username.paste(username);
        self.on_secret = true;
        true
    }

    /// A name is to be typed first. Says whether that is so; while an answer is on its way it is not.
    pub(super) fn as_nobody(&mut self) -> bool {
        if !self.waiting {
            *self = SignIn::default();
        }
        !self.waiting
    }

    /// Whether a name is to be typed now.
    pub(super) fn wants_a_name(&self) -> bool {
        !self.on_secret && !self.waiting
    }

    /// A name that came at once: the PIN is next.
    pub(super) fn scanned(&mut self, text: &str) {
        if !self.waiting {
            let line = text.split(['\r', '\n']).next().unwrap_or_default();
            self.username.clear();
            self.username.paste(line.trim());
            self.secret.clear();
            self.on_secret = !self.username.is_empty();
        }
    }

    pub(super) fn failed(&mut self, failure: SignInFailure) {
        self.waiting = false;
        self.failure = Some(failure);
        self.on_secret = true;
    }

    /// Whole seconds until the next try is taken.
    fn wait_left(&self, now: Timestamp) -> Option<i64> {
        match &self.failure {
            Some(SignInFailure::Wrong { retry_at } | SignInFailure::TooSoon { retry_at })
                if *retry_at > now =>
            {
                // A part of a second is waited for whole.
                i64::try_from((retry_at.duration_since(now).as_millis() + 999) / 1000).ok()
            }
            _ => None,
        }
    }

    pub(super) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.wait_left(now)?;
        Timestamp::from_second(now.as_second() + 1).ok()
    }

    fn message(&self, now: Timestamp) -> String {
        if self.waiting {
            return "Checking who you are.".to_owned();
        }
        let next = match self.wait_left(now) {
            Some(1) => "Next try in 1 second.".to_owned(),
            Some(seconds) => format!("Next try in {seconds} seconds."),
            None => "Try again.".to_owned(),
        };
        match &self.failure {
            Some(SignInFailure::Wrong { .. }) => {
                format!("Name and PIN do not belong together. {next}")
            }
            Some(SignInFailure::TooSoon { .. }) => format!("Too soon after a wrong PIN. {next}"),
            Some(SignInFailure::Unavailable { why }) => format!("Nobody can sign in now: {why}"),
            None => String::new(),
        }
    }

    pub(super) fn view(&self, pen: &mut Pen<'_>, area: Rect, note: &str, context: &Context) {
        let body = SignIn::place(area);
        let mut row = heading(pen, body, context);
        let theme = pen.theme;
        let columns = usize::from(body.width);
        if !note.is_empty() {
            for line in wrap(&theme.text(note), columns) {
                pen.put(row_of(body, row), &line, theme.plain());
                row += 1;
            }
            row += 1;
        }
        self.fields(pen, body, row, context);
    }

    /// Where it stands on the screen.
    pub(super) fn place(area: Rect) -> Rect {
        let wide = area.width.min(60);
        let above = area.height.saturating_sub(12) / 3;
        Rect {
            x: area.x + (area.width - wide) / 2 + 1,
            y: area.y + above,
            width: wide.saturating_sub(2),
            height: area.height - above,
        }
    }

    /// Draws name, PIN and what became of them from a row on; says which row is free after them.
    pub(super) fn fields(
        &self,
        pen: &mut Pen<'_>,
        body: Rect,
        mut row: u16,
        context: &Context,
    ) -> u16 {
        let theme = pen.theme;
        let columns = usize::from(body.width);
        for (label, field, focused) in [
            ("User name", &self.username, !self.on_secret),
            ("PIN", &self.secret, self.on_secret),
        ] {
            let line = row_of(body, row);
            pen.put(line, label, theme.faint());
            let place = Rect {
                x: line.x + 12.min(line.width),
                width: line.width.saturating_sub(12).min(32),
                ..line
            };
            pen.field(place, field, focused && !self.waiting);
            row += 1;
        }
        let pin = "The PIN or the password";
        pen.put(
            Rect {
                x: body.x + 12.min(body.width),
                width: body.width.saturating_sub(12),
                ..row_of(body, row)
            },
            pin,
            theme.faint(),
        );
        row += 2;
        let message = self.message(context.now);
        let style = if self.failure.is_some() {
            theme.wrong()
        } else {
            theme.plain()
        };
        for line in wrap(&theme.text(&message), columns) {
            pen.put(row_of(body, row), &line, style);
            row += 1;
        }
        row
    }
}

/// Name of the program, and DEMO where it is one; says how many rows it took.
pub(super) fn heading(pen: &mut Pen<'_>, body: Rect, context: &Context) -> u16 {
    let theme = pen.theme;
    let mut line = Line::of("ValMed", theme.strong()).and("  the medication desk", theme.plain());
    if context.demo {
        line = line
            .and("  ", theme.plain())
            .and(" DEMO: no real patients ", theme.loud());
    }
    pen.line(row_of(body, 0), &line);
    pen.rule(row_of(body, 1), theme.rule(true));
    if body.height > 12 { 3 } else { 2 }
}

/// The screen of a database where nobody can sign in: with nobody in it, or nobody who has a password.
pub(super) fn first_run(
    pen: &mut Pen<'_>,
    area: Rect,
    database: &str,
    people: bool,
    context: &Context,
) {
    let body = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2).min(76),
        ..area
    };
    let start = heading(pen, body, context);
    let theme = pen.theme;
    let columns = usize::from(body.width);
    let (plain, key) = (theme.plain(), theme.key());
    let mut lines = Vec::new();
    let mut say = |text: &str, indent: usize, style| {
        let room = columns.saturating_sub(indent).max(1);
        for part in wrap(&theme.text(text), room) {
            lines.push(Line::of(" ".repeat(indent), plain).and(part, style));
        }
    };
    if people {
        say("Nobody in this database can sign in yet:", 0, plain);
        say(database, 2, theme.strong());
        say("Give a person a password or a PIN:", 0, plain);
        say("valmed user password NAME", 2, key);
        say("Who there is:", 0, plain);
        say("valmed user list", 2, key);
    } else {
        say("There is nobody in this database yet:", 0, plain);
        say(database, 2, theme.strong());
        nobody(&mut say, plain, key);
    }
    say("Then start valmed again.", 0, plain);
    let rest = Rect {
        y: body.y + start,
        height: body.height.saturating_sub(start),
        ..body
    };
    pen.lines(rest, &lines);
}

fn nobody(say: &mut impl FnMut(&str, usize, Style), plain: Style, key: Style) {
    say("To look around first, with invented patients:", 0, plain);
    say("valmed demo", 2, key);
    say(
        "To begin with your own wards, people, drugs and orders:",
        0,
        plain,
    );
    say("valmed import DIR", 2, key);
    say("valmed user password NAME", 2, key);
    say("One account more:", 0, plain);
    say("valmed user add NAME", 2, key);
}
