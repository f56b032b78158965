//! Drawing the whole screen.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::clock;
use super::desk::{Desk, Freshness, Tone};
use super::keymap::{self, Mode};
use super::layout::{self, NARROW, SMALLEST};
use super::model::{Context, Model, Pane, Screen};
use super::panes;
use super::sign_in;
use super::theme::Theme;
use super::widgets::pen::row_of;
use super::widgets::text::{cut, pad, wrap};
use super::widgets::{Line, Pen};

/// Draws the screen into a frame and places the cursor.
pub fn view(model: &Model, theme: &Theme, context: &Context, frame: &mut Frame<'_>) {
    let area = frame.area();
    if let Some(cursor) = draw(model, theme, context, area, frame.buffer_mut()) {
        frame.set_cursor_position(cursor);
    }
}

/// Draws the screen into `area` of a buffer that is empty there; says where the cursor goes, if one types somewhere.
pub fn draw(
    model: &Model,
    theme: &Theme,
    context: &Context,
    area: Rect,
    buffer: &mut Buffer,
) -> Option<Position> {
    let area = area.intersection(buffer.area);
    let mut pen = Pen::new(theme, buffer);
    let banner = match &model.screen {
        Screen::Desk(desk) => desk.banner(context),
        Screen::FirstRun { .. } | Screen::SignIn(_) => false,
    };
    let Some(parts) = layout::parts(area, banner) else {
        too_small(&mut pen, area);
        return None;
    };
    if let (Some(lock), Screen::Desk(desk)) = (&model.lock, &model.screen) {
        lock.view(&mut pen, whole(area), desk, context);
        bottom(&mut pen, area, parts.bottom, model);
        return pen.cursor;
    }
    match &model.screen {
        Screen::FirstRun { database, people } => {
            sign_in::first_run(&mut pen, whole(area), database, *people, context);
        }
        Screen::SignIn(state) => state.view(&mut pen, whole(area), &model.note, context),
        Screen::Desk(desk) => {
            header(&mut pen, parts.header, desk, context);
            stale(&mut pen, parts.banner, desk, context);
            body(&mut pen, parts.body, desk, context);
        }
    }
    bottom(&mut pen, area, parts.bottom, model);
    pen.cursor
}

/// All but the bottom line.
fn whole(area: Rect) -> Rect {
    Rect {
        height: area.height.saturating_sub(1),
        ..area
    }
}

fn too_small(pen: &mut Pen<'_>, area: Rect) {
    let theme = pen.theme;
    let words = format!("ValMed needs {}x{}", SMALLEST.0, SMALLEST.1);
    pen.put(row_of(area, 0), &words, theme.plain());
    pen.put(
        row_of(area, 1),
        &format!("this is {}x{}", area.width, area.height),
        theme.plain(),
    );
}

fn body(pen: &mut Pen<'_>, area: Rect, desk: &Desk, context: &Context) {
    if let Some(sheet) = &desk.sheet {
        sheet.view(pen, area, &desk.scene(context));
        return;
    }
    if desk.view_page(pen, area, context) {
        return;
    }
    if desk.ward.is_none() {
        let plain = pen.theme.plain();
        let words = "  No ward is chosen: w chooses one, a shows all of them.";
        pen.put(row_of(area, 1), words, plain);
        return;
    }
    let zone = desk.zone();
    let places = layout::panes(area, desk.focus, context.plain);
    for (pane, place) in &places {
        let scene = panes::Scene {
            context,
            zone: &zone,
            focused: *pane == desk.focus,
        };
        match pane {
            Pane::Queue => desk.queue.view(pen, *place, &scene),
            Pane::Stock => desk.stock.view(pen, *place, &scene),
            Pane::Log => desk.log.view(pen, *place, &scene),
        }
    }
    if let [_, (_, stock), (_, log)] = places.as_slice()
        && stock.y == log.y
    {
        let wall = Rect {
            x: stock.x + stock.width,
            width: 1,
            ..*stock
        };
        let style = pen.theme.faint();
        pen.wall(wall, style);
    }
}

/// Ward, person, DEMO, time, live or not. What does not fit goes from the left: the time and whether it is live stay.
fn header(pen: &mut Pen<'_>, area: Rect, desk: &Desk, context: &Context) {
    let theme = pen.theme;
    let base = theme.header();
    pen.put(area, &" ".repeat(usize::from(area.width)), base);
    let time = if area.width < NARROW {
        clock::hour(context.now, &desk.zone())
    } else {
        clock::header(context.now, &desk.zone())
    };
    let mut right = Line::default();
    if context.demo {
        right = right.and(" DEMO ", theme.loud()).and(" ", base);
    }
    let emergency = desk
        .ward
        .as_ref()
        .and_then(|ward| desk.actor.emergency(ward.id, context.now));
    if let Some(access) = emergency {
        let until = clock::hour(access.until, &desk.zone());
        right = right
            .and(format!(" EMERGENCY until {until} "), theme.loud())
            .and(" ", base);
    }
    right = right.and(format!("{time} "), theme.passing(base));
    right = match desk.freshness(context) {
        Freshness::Reading if desk.ward.is_none() => right,
        Freshness::Reading => right.and("reading ", base),
        Freshness::Live => right.and("live ", base),
        Freshness::Stale { age, .. } if age.is_empty() => right.and(" NOT READ ", theme.loud()),
        Freshness::Stale { age, .. } => right
            .and(" STALE ", theme.loud())
            .and(format!("{age} "), theme.passing(theme.loud())),
    };
    let used = pen.right(area, &right);
    let room = Rect {
        width: area.width.saturating_sub(used + 1),
        ..area
    };
    let mark = theme.symbols.mark;
    let total = usize::from(room.width);
    let (code, name) = desk.ward.as_ref().map_or(("no ward", ""), |ward| {
        (ward.code.as_str(), ward.name.as_str())
    });
    let who = format!("{}, {}", theme.text(&desk.actor.name), desk.actor.role);
    let foreign = desk
        .ward
        .as_ref()
        .is_some_and(|ward| !desk.actor.acts_in(ward.id, context.now));
    let who = if foreign {
        format!("{who} (not your ward)")
    } else {
        who
    };
    // The code is what people call the ward; its name is there when there is room beside the person.
    let code = format!(" {} ", cut(&theme.text(code), total / 2, mark));
    let left = Line::of(code.clone(), base.patch(theme.strong()));
    let name_room = total.saturating_sub(code.chars().count() + who.chars().count() + 3);
    let left = if name_room >= 6 && !name.is_empty() {
        left.and(
            format!("{}  ", cut(&theme.text(name), name_room, mark)),
            base,
        )
    } else {
        left.and(" ", base)
    };
    pen.line(room, &left.and(who, base));
}

fn stale(pen: &mut Pen<'_>, area: Rect, desk: &Desk, context: &Context) {
    if area.height == 0 {
        return;
    }
    let theme = pen.theme;
    let Freshness::Stale { age, why } = desk.freshness(context) else {
        if let Some(warning) = desk.warning() {
            pen.put(area, &" ".repeat(usize::from(area.width)), theme.loud());
            pen.put(area, &format!(" {}", theme.text(warning)), theme.loud());
        }
        return;
    };
    let what = if age.is_empty() {
        "NOT READ YET".to_owned()
    } else if area.width < NARROW {
        format!("NOT LIVE, {age} old: check first")
    } else {
        format!("NOT LIVE: this is {age} old, check before you give")
    };
    let why: Vec<&str> = why.as_deref().into_iter().chain(desk.warning()).collect();
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(" ({})", why.join("; "))
    };
    pen.put(area, &" ".repeat(usize::from(area.width)), theme.loud());
    let line = Line::of(format!(" {what}"), theme.passing(theme.loud()))
        .and(theme.text(&why).into_owned(), theme.loud());
    pen.line(area, &line);
}

/// A message if there is one, else the keys of what has them.
fn bottom(pen: &mut Pen<'_>, screen: Rect, area: Rect, model: &Model) {
    let theme = pen.theme;
    if let Screen::Desk(desk) = &model.screen
        && model.lock.is_none()
        && let Some(note) = &desk.note
    {
        let style = match note.tone {
            Tone::Good => theme.good(),
            Tone::Plain => theme.plain(),
            Tone::Wrong => theme.wrong(),
        };
        return note_lines(pen, screen, &note.text, style);
    }
    let mode = model.mode();
    if mode == Mode::Signing {
        let text = format!(" Signing{}", theme.symbols.mark);
        pen.put(area, &text, theme.plain());
        return;
    }
    let mut line = Line::of(" ", theme.plain());
    let mut used = line.width();
    for (at, (key, words)) in keymap::hints(mode).enumerate() {
        let between = if at == 0 { "" } else { "  " };
        let hint = Line::of(between, theme.plain())
            .and(key.to_string(), theme.hint(theme.key()))
            .and(format!(" {words}"), theme.hint(theme.plain()));
        used += hint.width();
        // Half a hint helps nobody.
        if used > usize::from(area.width) {
            break;
        }
        line.0.extend(hint.0);
    }
    pen.line(area, &line);
}

/// A message over the last lines of the screen: it may be longer than one, and none of it may be lost.
fn note_lines(pen: &mut Pen<'_>, screen: Rect, text: &str, style: Style) {
    let lines = wrap(
        &pen.theme.text(text),
        usize::from(screen.width).saturating_sub(2),
    );
    let height = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .min(screen.height.saturating_sub(2));
    let place = Rect {
        y: screen.y + screen.height - height,
        height,
        ..screen
    };
    for (row, line) in (0..height).zip(&lines) {
        let whole = pad(&format!(" {line}"), usize::from(screen.width), "");
        pen.put(row_of(place, row), &whole, style);
    }
}
