//! Drawing the round sheet.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::facts::{Facts, LABELS};
use super::fulfil::Over;
use super::fulfil_view::{self, UNKNOWN, sent_words, wrong_patient};
use super::package;
use super::round::{Part, Plan, Round, RoundLine};
use super::signing::Signing;
use super::{Scene, headed, inset};
use crate::domain::{GivingOutcome, Receipt};
use crate::tui::clock::{self, Due};
use crate::tui::keymap::{Action, Mode, key_for};
use crate::tui::layout;
use crate::tui::theme::{Charset, Colours, Theme};
use crate::tui::widgets::pen::{labelled, row_of};
use crate::tui::widgets::text::wrap;
use crate::tui::widgets::{Line, Pen};
use crate::tui::words;

/// Columns of the word before a dose.
const STATE: usize = 12;
/// Lines that the doses have at least: enough for one of them.
const DOSES: u16 = 5;
/// Below so many lines nothing is said twice.
const SHORT: u16 = 16;

/// Draws the sheet, or the selected line's own sheet over it.
pub fn view(sheet: &Round, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
    if let (Some(part), Some(line)) = (sheet.open, sheet.lines.get(sheet.at)) {
        return match (part, &line.not_given) {
            (Part::NotGiven, Some(sheet)) => sheet.view(pen, area, scene),
            _ => fulfil_view::view(&line.dose, pen, area, scene),
        };
    }
    let title = format!("ROUND: {}", doses_words(sheet.lines.len()));
    let inner = inset(headed(pen, area, &title, None));
    let Places {
        facts,
        message,
        above,
        below,
        field,
    } = places(sheet, pen.theme, inner, scene);
    pen.lines(
        Rect {
            height: above,
            ..inner
        },
        &facts,
    );
    let rule = pen.theme.faint();
    if above > 0 {
        pen.rule(row_of(inner, above), rule);
    }
    let start = above + u16::from(above > 0);
    let list = Rect {
        y: inner.y + start,
        height: inner.height.saturating_sub(start + below),
        ..inner
    };
    let more = doses(sheet, pen, list, scene);
    let rest = Rect {
        y: list.y + list.height,
        height: below,
        ..inner
    };
    pen.rule(row_of(rest, 0), rule);
    if more {
        pen.right(row_of(rest, 0), &Line::of(" more: Down ", pen.theme.key()));
    }
    if field > 0 {
        wristband(sheet, pen, row_of(rest, 1));
    }
    for (row, line) in (1 + field..rest.height).zip(&message) {
        pen.line(row_of(rest, row), line);
    }
}

/// What stands where on the sheet.
struct Places {
    facts: Vec<Line>,
    message: Vec<Line>,
    /// Lines of the facts that are shown.
    above: u16,
    /// Lines below the doses, with the rule above them.
    below: u16,
    /// Lines of the wristband's field.
    field: u16,
}

fn places(sheet: &Round, theme: &Theme, inner: Rect, scene: &Scene<'_>) -> Places {
    let mut facts = Facts::new(theme, inner.width);
    facts.patient(&sheet.patient, scene);
    let message = message(sheet, theme, inner.width, scene);
    let height = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
    // On a short screen the field goes when there is nothing left to type.
    let short = scene.context.size.height < SHORT;
    let field = u16::from(!short || sheet.mode() == Mode::Identify);
    let below = height(message.len())
        .saturating_add(1 + field)
        .min(inner.height);
    // The patient stands above the doses, as far as some of these stay in view.
    let room = inner.height.saturating_sub(below + DOSES);
    let facts = facts.within(room.saturating_sub(1));
    let above = height(facts.len()).min(room.saturating_sub(1));
    Places {
        facts,
        message,
        above,
        below,
        field,
    }
}

/// The last dose that stands whole on the screen.
pub fn last_in_view(sheet: &Round, scene: &Scene<'_>) -> usize {
    let theme = Theme::new(Colours::None, Charset::Unicode);
    let size = scene.context.size;
    // As if the stale line were there: one line less than there is does no harm.
    let Some(parts) = layout::parts(Rect::new(0, 0, size.width, size.height), true) else {
        return 0;
    };
    let body = inset(parts.body);
    let inner = Rect {
        height: body.height.saturating_sub(1),
        ..body
    };
    let places = places(sheet, &theme, inner, scene);
    let start = places.above + u16::from(places.above > 0);
    let room = usize::from(inner.height.saturating_sub(start + places.below));
    let blocks = blocks(sheet, &theme, inner.width, scene);
    let end = first_line(&blocks, sheet.at, room) + room;
    let mut used = 0;
    let whole = blocks.iter().take_while(|block| {
        used += block.len();
        used <= end
    });
    // The selected one is read, whole or not: there may be no room for all of it.
    whole.count().saturating_sub(1).max(sheet.at)
}

fn wristband(sheet: &Round, pen: &mut Pen<'_>, row: Rect) {
    let label = u16::try_from(LABELS).unwrap_or(11);
    let faint = pen.theme.faint();
    pen.put(row, "Wristband", faint);
    let place = Rect {
        x: row.x.saturating_add(label),
        width: row.width.saturating_sub(label).min(24),
        ..row
    };
    pen.field(place, &sheet.who.field, sheet.mode() == Mode::Identify);
    if sheet.who.is_right() {
        let beside = Rect {
            x: place.x.saturating_add(place.width + 2),
            width: row.width.saturating_sub(label + place.width + 2),
            ..row
        };
        let tick = pen.theme.symbols.tick;
        let name = pen.theme.text(&sheet.patient.name);
        let words = format!("{tick} identified: {name}");
        let good = pen.theme.good();
        pen.put(beside, &words, good);
    }
}

/// Draws the doses, the selected one whole if there is room; says whether there are more below.
fn doses(sheet: &Round, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) -> bool {
    let blocks = blocks(sheet, pen.theme, area.width, scene);
    let room = usize::from(area.height);
    let start = first_line(&blocks, sheet.at, room);
    let all: Vec<(usize, &Line)> = blocks
        .iter()
        .enumerate()
        .flat_map(|(at, block)| block.iter().map(move |line| (at, line)))
        .collect();
    let identified = sheet.who.is_right();
    for (row, (at, line)) in (0..area.height).zip(all.iter().skip(start)) {
        pen.line(row_of(area, row), line);
        if *at == sheet.at && identified {
            let style = pen.theme.selected(true);
            pen.tint(row_of(area, row), style);
        }
    }
    start + room < all.len()
}

fn blocks(sheet: &Round, theme: &Theme, columns: u16, scene: &Scene<'_>) -> Vec<Vec<Line>> {
    let lines = sheet.lines.iter().enumerate();
    lines
        .map(|(at, line)| block(line, at == sheet.at, theme, columns, scene))
        .collect()
}

/// The first line that is drawn, so that the selected dose is in view.
fn first_line(blocks: &[Vec<Line>], at: usize, room: usize) -> usize {
    let end: usize = blocks.iter().take(at + 1).map(Vec::len).sum();
    let own = blocks.get(at).map_or(0, Vec::len);
    end.saturating_sub(room).min(end - own)
}

/// A dose: what becomes of it and what it is; below it how that stands.
fn block(
    line: &RoundLine,
    selected: bool,
    theme: &Theme,
    columns: u16,
    scene: &Scene<'_>,
) -> Vec<Line> {
    let order = &line.dose.order;
    let (state, style, told) = state(line, theme, scene);
    let marker = if selected { theme.symbols.marker } else { " " };
    let mut what = format!(
        "{} {}",
        words::dose(&order.dose, &order.drug),
        order.drug.title()
    );
    if let Some(amount) = line.dose.chosen().ok().filter(|_| line.dose.asks_amount()) {
        what = format!("{amount} of {what}");
    }
    for part in [&order.route, &order.frequency] {
        if !part.is_empty() {
            what.push_str("  ");
            what.push_str(part);
        }
    }
    let head = format!("{marker} {state}");
    let what = theme.text(&what);
    let mut lines = labelled(&head, &what, theme.strong(), columns, STATE, style);
    let mut below = |text: &str, style: Style| {
        let text = theme.text(text);
        lines.extend(labelled("", &text, style, columns, STATE, style));
    };
    if !told.is_empty() {
        below(&told, style);
    }
    if !line.is_over() {
        below(&stands(line, scene), theme.plain());
        let mut care = Vec::new();
        if order.drug.high_alert {
            care.push("HIGH-ALERT DRUG: check twice");
        }
        if order.drug.controlled {
            care.push("CONTROLLED DRUG");
        }
        if !care.is_empty() {
            below(&care.join(". "), theme.warning());
        }
    }
    lines
}

/// When it is due, when it was last given, what is there.
fn stands(line: &RoundLine, scene: &Scene<'_>) -> String {
    let order = &line.dose.order;
    let now = scene.context.now;
    let mut parts = Vec::new();
    match order.due() {
        Some(at) => {
            let due = Due::of(at, now).words();
            let early = at.duration_since(now) > scene.context.due_window;
            let early = if early { "NOT DUE YET: " } else { "" };
            parts.push(format!(
                "{early}{}, {due}",
                clock::day_hour(at, now, &scene.zone)
            ));
        }
        None => parts.push("as needed, or no schedule".to_owned()),
    }
    if let Some(detail) = &line.dose.detail {
        parts.push(match detail.givings.first() {
            Some(last) => format!("last {}", clock::ago(last.at, now)),
            None => "not given before".to_owned(),
        });
    }
    if let Some(level) = scene.snapshot.and_then(|s| s.stock_of(order.drug.id)) {
        parts.push(format!(
            "{} here",
            words::amount(level.current, &order.drug)
        ));
    }
    parts.join("; ")
}

/// The word before a dose, how it is shown, and what is told below.
fn state(line: &RoundLine, theme: &Theme, scene: &Scene<'_>) -> (&'static str, Style, String) {
    let dose = &line.dose;
    if let Some(found) = line
        .withheld()
        .and_then(|signing| signed(signing, line, theme, scene))
    {
        return found;
    }
    if let Some(found) = signed(&dose.signing, line, theme, scene) {
        return found;
    }
    match &dose.over {
        Some(Over::Ended {
            status,
            by,
            at,
            reason,
        }) => {
            let by = by.as_deref();
            let text = words::ended(*status, by, *at, reason, scene.context.now, &scene.zone);
            return ("MEANWHILE", theme.wrong(), text + " Do not give it.");
        }
        Some(Over::Changed) => {
            let text = "It was changed: close the round and open it again to see what it says now.";
            return ("CHANGED", theme.wrong(), text.to_owned());
        }
        Some(Over::Gone) => {
            return (
                "GONE",
                theme.wrong(),
                "It is not there any more. Do not give it.".to_owned(),
            );
        }
        Some(Over::LookOnly(why)) => return ("look", theme.warning(), why.clone()),
        None => {}
    }
    match line.plan(scene) {
        Plan::Waits(why) => ("WAITS", theme.warning(), format!("{why}. Enter opens it.")),
        // What the sheet came upon when it was signed.
        Plan::Skip | Plan::Nothing => ("skip", theme.faint(), dose.say.clone()),
        Plan::Give | Plan::Ask => ("GIVE", theme.good(), dose.say.clone()),
    }
}

/// What came of a signature; `None`: nothing is signed.
fn signed(
    signing: &Signing,
    line: &RoundLine,
    theme: &Theme,
    scene: &Scene<'_>,
) -> Option<(&'static str, Style, String)> {
    Some(match signing {
        Signing::Idle => return None,
        Signing::Sent { checking, slow, .. } => (
            "SIGNING",
            theme.warning(),
            sent_words(*checking, *slow, theme),
        ),
        Signing::Done(receipt) => done(receipt, line, theme, scene),
        Signing::Refused { refusal, .. } => {
            let why = words::refusal(refusal, scene.context.now, &scene.zone);
            let text = format!("{}: {why}", refusal.code());
            ("NOT DONE", theme.wrong(), text)
        }
        Signing::Unknown { .. } => ("UNKNOWN", theme.wrong(), UNKNOWN.to_owned()),
    })
}

fn done(
    receipt: &Receipt,
    line: &RoundLine,
    theme: &Theme,
    scene: &Scene<'_>,
) -> (&'static str, Style, String) {
    let drug = &line.dose.order.drug;
    let hour = |at: &jiff::Timestamp| clock::hour(*at, &scene.zone);
    match receipt {
        Receipt::Given {
            quantity, left, at, ..
        } => (
            "GIVEN",
            theme.good(),
            format!(
                "{} at {}; {} left",
                words::amount(*quantity, drug),
                hour(at),
                words::amount(*left, drug)
            ),
        ),
        Receipt::NotGiven {
            outcome, until, at, ..
        } => {
            let word = match outcome {
                GivingOutcome::Held => "HELD",
                GivingOutcome::Refused => "REFUSED",
                GivingOutcome::NotAvailable => "NONE THERE",
                GivingOutcome::Given => "GIVEN",
            };
            let back = until.map(|until| {
                let until = clock::day_hour(until, scene.context.now, &scene.zone);
                format!("; it comes back at {until}")
            });
            let text = format!("recorded at {}{}", hour(at), back.unwrap_or_default());
            (word, theme.warning(), text)
        }
        _ => ("DONE", theme.good(), String::new()),
    }
}

/// What the sheet says below the doses: what to do next, or what came of it.
fn message(sheet: &Round, theme: &Theme, columns: u16, scene: &Scene<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |text: &str, style: Style| {
        let safe = theme.text(text);
        let wrapped = wrap(&safe, usize::from(columns));
        lines.extend(wrapped.into_iter().map(|l| Line::of(l, style)));
    };
    if let Some(why) = &sheet.barred {
        say(why, theme.warning());
        return lines;
    }
    wrong_patient(&sheet.who, &sheet.patient.name, (theme, columns), &mut say);
    package::words(&sheet.package, theme, columns, &mut say);
    if sheet.package.is_stopped() {
        return lines;
    }
    if !sheet.say.is_empty() {
        say(&sheet.say, theme.warning());
    } else if !sheet.who.is_right() {
        if sheet.who.check == super::identity::Check::Open {
            let words =
                "Scan the wristband, or type its number and press Enter: once for all of these.";
            say(words, theme.plain());
        }
        return lines;
    }
    match sheet.mode() {
        Mode::Signing | Mode::Checking => {
            say(
                "Signed. Wait for the outcome of each line.",
                theme.warning(),
            );
        }
        Mode::Closed => say(
            "Nothing is left to sign. Each line says what became of it.",
            theme.sign(),
        ),
        _ => summary(sheet, theme, scene, &mut say),
    }
    lines
}

/// What the key that signs would do, and what stays.
fn summary(sheet: &Round, theme: &Theme, scene: &Scene<'_>, say: &mut impl FnMut(&str, Style)) {
    let plans: Vec<Plan> = sheet.lines.iter().map(|line| line.plan(scene)).collect();
    let count = |is: &dyn Fn(&Plan) -> bool| plans.iter().filter(|plan| is(plan)).count();
    let give = count(&|plan| *plan == Plan::Give);
    let ask = count(&|plan| *plan == Plan::Ask);
    let waits = count(&|plan| matches!(plan, Plan::Waits(_)));
    let skip = count(&|plan| *plan == Plan::Skip);
    let mut rest = Vec::new();
    if waits > 0 {
        rest.push(format!("{waits} waiting for an answer (Enter)"));
    }
    if skip > 0 {
        rest.push(format!("{skip} left out (Space takes it in)"));
    }
    // On a short screen the lines say it, and need the room.
    if !rest.is_empty() && (scene.context.size.height >= SHORT || give + ask == 0) {
        say(
            &format!("Not signed with it: {}.", rest.join(", ")),
            theme.plain(),
        );
    }
    let key = key_for(Mode::Round, Action::Sign);
    let key = key.map(|key| key.to_string()).unwrap_or_default();
    if give > 0 {
        let text = format!(
            " {key} signs: {} given to {} ",
            doses_words(give),
            sheet.patient.name
        );
        say(&text, theme.sign());
    }
    if ask > 0 {
        let text = format!(" {key} asks again what became of {} ", doses_words(ask));
        say(&text, theme.sign());
    }
}

fn doses_words(count: usize) -> String {
    if count == 1 {
        "1 dose".to_owned()
    } else {
        format!("{count} doses")
    }
}
