//! Drawing the sheet of a dose.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::facts::{Facts, LABELS};
use super::fulfil::{Fulfil, Over};
use super::identity::{Check, Identity, Whose};
use super::package;
use super::signing::Signing;
use super::witness::Witness;
use super::{Scene, headed, inset};
use crate::domain::{OrderKind, Quantity, Receipt, Warned};
use crate::tui::clock;
use crate::tui::keymap::{Action, Mode, key_for};
use crate::tui::layout;
use crate::tui::theme::{Charset, Colours, Theme};
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::{cut, pad, wrap};
use crate::tui::widgets::{Line, Pen};
use crate::tui::words;

/// Lines that the sheet takes at most.
const TALLEST: u16 = 26;
/// Below so many columns nothing fits beside a field.
const ROOMY: u16 = 60;
/// Below so many lines the fields go when there is nothing left to type.
const SHORT: u16 = 16;

/// Draws the sheet.
pub fn view(sheet: &Fulfil, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
    // On a tall screen the fields stay near what is read before them.
    let area = Rect {
        height: area.height.min(TALLEST),
        ..area
    };
    let body = headed(pen, area, "GIVE A DOSE", None);
    let inner = inset(body);
    let message = message(sheet, pen.theme, inner.width, scene);
    let below = below_height(sheet, &message, body.height);
    let room = inner.height.saturating_sub(below);
    let facts = facts(sheet, pen.theme, inner.width, room, scene);
    let hidden = facts.len().saturating_sub(usize::from(room));
    let scroll = sheet.scroll.min(hidden);
    pen.lines(
        Rect {
            height: room,
            ..inner
        },
        facts.get(scroll..).unwrap_or_default(),
    );
    let mut rest = Rect {
        y: body.y.saturating_add(room.min(inner.height)),
        height: below.min(body.height),
        ..body
    };
    let faint = pen.theme.faint();
    pen.rule(row_of(rest, 0), faint);
    if hidden > 0 {
        let words = if scroll < hidden {
            " more: PgDn "
        } else {
            " back: PgUp "
        };
        pen.right(inset(row_of(rest, 0)), &Line::of(words, pen.theme.key()));
    }
    rest = inset(rest);
    let start = 1 + fields_height(sheet, body.height);
    if start > 1 {
        fields(sheet, pen, rest);
    }
    for (row, line) in (start..rest.height).zip(&message) {
        pen.line(row_of(rest, row), line);
    }
}

/// How many lines of the facts do not fit, for scrolling.
pub fn hidden(sheet: &Fulfil, scene: &Scene<'_>) -> usize {
    let theme = Theme::new(Colours::None, Charset::Unicode);
    let size = scene.context.size;
    let area = Rect::new(0, 0, size.width, size.height);
    // As if the stale line were there: one line more to scroll does no harm, one less would hide one.
    let Some(parts) = layout::parts(area, true) else {
        return 0;
    };
    let height = parts.body.height.min(TALLEST).saturating_sub(1);
    let width = parts.body.width.saturating_sub(2);
    let message = message(sheet, &theme, width, scene);
    let below = below_height(sheet, &message, height);
    let room = height.saturating_sub(below);
    facts(sheet, &theme, width, room, scene)
        .len()
        .saturating_sub(usize::from(room))
}

/// Lines of the fields. On a short screen they go when there is nothing left to type.
fn fields_height(sheet: &Fulfil, height: u16) -> u16 {
    if height < SHORT && sheet.mode() == Mode::Closed {
        0
    } else {
        let parts = match sheet.who.check {
            Check::Right { .. } if sheet.signing.is_idle() => sheet.parts.height(),
            _ => 0,
        };
        let witness = sheet.witness.as_ref().map_or(0, |_| Witness::HEIGHT);
        let range = 1 + u16::from(sheet.asks_amount());
        // The witness signs what is above: the answers give way on a short screen.
        if witness > 0 {
            range + witness
        } else {
            range.saturating_add(parts)
        }
    }
}

/// Lines below the facts: a rule, the fields, the message. The message goes before the facts, which can be scrolled:
/// it names what is about to be signed, or says what happened.
fn below_height(sheet: &Fulfil, message: &[Line], height: u16) -> u16 {
    let lines = u16::try_from(message.len()).unwrap_or(u16::MAX).max(1);
    (1 + fields_height(sheet, height))
        .saturating_add(lines)
        .min(height.saturating_sub(1))
}

fn fields(sheet: &Fulfil, pen: &mut Pen<'_>, area: Rect) {
    let mode = sheet.mode();
    let label = u16::try_from(LABELS).unwrap_or(11);
    let at = |row: u16| {
        let line = row_of(area, row);
        Rect {
            x: line.x.saturating_add(label),
            width: line.width.saturating_sub(label).min(24),
            ..line
        }
    };
    let faint = pen.theme.faint();
    pen.put(row_of(area, 1), "Wristband", faint);
    pen.field(at(1), &sheet.who.field, mode == Mode::Identify);
    let beside = Rect {
        x: at(1).x.saturating_add(at(1).width + 2),
        width: area
            .width
            .saturating_sub(label)
            .saturating_sub(at(1).width + 2),
        ..at(1)
    };
    if area.width < ROOMY {
        amount_field(sheet, pen, area, at(2), None);
        return below_amount(sheet, pen, area);
    }
    if matches!(sheet.who.check, Check::Right { .. }) {
        let style = pen.theme.good();
        pen.put(beside, &identified(sheet, pen.theme), style);
    }
    amount_field(sheet, pen, area, at(2), Some(beside));
    below_amount(sheet, pen, area);
}

/// The witness's fields, or the reasons that are asked for.
fn below_amount(sheet: &Fulfil, pen: &mut Pen<'_>, area: Rect) {
    let used = 2 + u16::from(sheet.asks_amount());
    let place = Rect {
        y: area.y.saturating_add(used),
        height: area.height.saturating_sub(used),
        ..area
    };
    if let Some(witness) = &sheet.witness {
        witness.view(pen, place);
    } else if matches!(sheet.who.check, Check::Right { .. }) && sheet.signing.is_idle() {
        let live = matches!(sheet.mode(), Mode::Reason | Mode::Form);
        sheet.parts.view(pen, place, live);
    }
}

fn identified(sheet: &Fulfil, theme: &Theme) -> String {
    format!(
        "{} identified: {}",
        theme.symbols.tick,
        theme.text(&sheet.order.patient.name)
    )
}

/// The field of the amount where the dose is a range, with the range beside it where there is room.
fn amount_field(sheet: &Fulfil, pen: &mut Pen<'_>, area: Rect, place: Rect, beside: Option<Rect>) {
    if !sheet.asks_amount() {
        return;
    }
    let faint = pen.theme.faint();
    pen.put(row_of(area, 2), "Amount", faint);
    pen.field(place, &sheet.amount, sheet.mode() == Mode::Amount);
    if let Some(beside) = beside {
        let range = pen.theme.text(&sheet.amounts()).into_owned();
        let beside = Rect {
            y: place.y,
            height: place.height,
            ..beside
        };
        pen.put(beside, &range, faint);
    }
}

/// Everything the nurse reads before signing, in the order of what matters at the bedside.
fn facts(sheet: &Fulfil, theme: &Theme, columns: u16, room: u16, scene: &Scene<'_>) -> Vec<Line> {
    let order = &sheet.order;
    let mut facts = Facts::new(theme, columns);
    facts.patient(&order.patient, scene);
    facts.gap();
    facts.drug(&order.drug);
    facts.dose(order);
    facts.due(order, scene);
    facts.gap();
    stock(sheet, &mut facts, theme, scene);
    history(sheet, &mut facts, theme, scene);
    facts.add("Prescriber", &order.prescriber, theme.plain());
    facts.within(room)
}

/// How much the ward has of it.
fn level(sheet: &Fulfil, scene: &Scene<'_>) -> Option<Quantity> {
    scene
        .snapshot
        .and_then(|s| s.stock_of(sheet.order.drug.id))
        .map(|l| l.current)
        .or(sheet.detail.as_ref().and_then(|d| d.stock))
}

/// How much giving it takes; of a range without an amount yet, the most.
fn takes(sheet: &Fulfil) -> Quantity {
    let dose = &sheet.order.dose;
    sheet.chosen().unwrap_or(dose.most.unwrap_or(dose.least))
}

fn shortage(now: Quantity) -> &'static str {
    if now.is_positive() {
        "NOT ENOUGH"
    } else {
        "OUT"
    }
}

/// That the ward has too little of it, in few words.
pub fn shortage_here(sheet: &Fulfil, scene: &Scene<'_>) -> Option<String> {
    let unit = &sheet.order.drug.unit;
    match level(sheet, scene) {
        Some(now) if now < takes(sheet) => {
            let word = shortage(now);
            Some(format!("{word}: {now} {unit} here, takes {}", takes(sheet)))
        }
        None if scene.snapshot.is_some() => Some("NOT STOCKED here".to_owned()),
        _ => None,
    }
}

/// What is there now and after: the live count, because others take from the same cupboard.
fn stock(sheet: &Fulfil, facts: &mut Facts<'_>, theme: &Theme, scene: &Scene<'_>) {
    if !matches!(sheet.signing, Signing::Idle) {
        return;
    }
    let drug = &sheet.order.drug;
    let Some(now) = level(sheet, scene) else {
        if scene.snapshot.is_some() {
            let text = "NOT STOCKED on this ward: ask the pharmacy";
            facts.add("Stock", text, theme.out());
        }
        return;
    };
    let takes = takes(sheet);
    let here = words::amount(now, drug);
    if now < takes {
        let word = shortage(now);
        let text = format!("{word}: {here} here, this takes {takes}. Ask the pharmacy.");
        facts.add("Stock", &text, theme.out());
        return;
    }
    let low = scene
        .snapshot
        .and_then(|s| s.stock_of(drug.id))
        .is_some_and(|l| now - takes <= l.threshold);
    let word = if low { "  (LOW then)" } else { "" };
    let text = format!(
        "{here} now, {} after{word}",
        words::amount(now - takes, drug)
    );
    facts.add("Stock", &text, theme.plain());
}

fn history(sheet: &Fulfil, facts: &mut Facts<'_>, theme: &Theme, scene: &Scene<'_>) {
    let now = scene.context.now;
    let Some(detail) = &sheet.detail else {
        let text = match &sheet.trouble {
            Some(why) => format!("cannot be read: {why}"),
            None => format!("reading{}", theme.symbols.mark),
        };
        facts.add("Last given", &text, theme.plain());
        return;
    };
    for (n, last) in detail.givings.iter().enumerate() {
        // The four last of an as-needed drug; of any other the last says enough.
        if n > 0 && sheet.order.kind != OrderKind::Prn {
            break;
        }
        let label = if n == 0 { "Last given" } else { "" };
        {
            let text = format!(
                "{} ({}), {} by {}",
                clock::day_hour(last.at, now, &scene.zone),
                clock::ago(last.at, now),
                words::amount(last.quantity, &sheet.order.drug),
                last.by
            );
            facts.add(label, &text, theme.plain());
        }
    }
    if detail.givings.is_empty() {
        let text = "no record of this drug for this patient";
        facts.add("Last given", text, theme.plain());
    }
    if !detail.limits.is_empty() {
        facts.add("Limits", &detail.limits, theme.plain());
    } else if sheet.order.kind == OrderKind::Prn {
        facts.add("Limits", "none known: see prescription", theme.plain());
    }
    if let Some(at) = detail.not_before.filter(|at| *at > now) {
        let text = format!(
            "NOT BEFORE {}: {}",
            clock::day_hour(at, now, &scene.zone),
            clock::Due::of(at, now).words()
        );
        facts.add("", &text, theme.warning());
    }
    if let Some(at) = detail.stop_at {
        facts.add(
            "Ends",
            &clock::day_hour(at, now, &scene.zone),
            theme.plain(),
        );
    }
}

/// What the sheet says below its fields: what to do next, or what came of it.
fn message(sheet: &Fulfil, theme: &Theme, columns: u16, scene: &Scene<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |text: &str, style: Style| {
        let safe = theme.text(text);
        lines.extend(
            wrap(&safe, usize::from(columns))
                .into_iter()
                .map(|l| Line::of(l, style)),
        );
    };
    if let Some(over) = &sheet.over {
        over_words(over, scene, theme, &mut say);
        return lines;
    }
    match &sheet.signing {
        Signing::Idle => to_do(sheet, theme, columns, scene, &mut say),
        Signing::Sent { checking, slow, .. } => {
            say(&sent_words(*checking, *slow, theme), theme.warning());
            if *slow {
                say("Do not give it again.", theme.wrong());
            }
        }
        Signing::Done(receipt) => say(&given_words(sheet, receipt, scene), theme.sign()),
        Signing::Refused { refusal, .. } => {
            say(
                &format!("NOT GIVEN  {}", refusal.code()),
                theme.wrong().patch(theme.loud()),
            );
            say(
                &words::refusal(refusal, scene.context.now, &scene.zone),
                theme.wrong(),
            );
        }
        Signing::Unknown { .. } => say(UNKNOWN, theme.wrong()),
    }
    lines
}

/// What is said when nobody could find out what became of a signature.
pub(super) const UNKNOWN: &str = "OUTCOME UNKNOWN: the database did not answer, so it may or may not be recorded. \
     Ask again: nothing is recorded twice. The log shows it too once the database is back.";

/// What is said between the sign key and the outcome.
pub(super) fn sent_words(checking: bool, slow: bool, theme: &Theme) -> String {
    let mark = theme.symbols.mark;
    if slow {
        // Whoever leaves loses nothing: the desk goes on with it, and the log shows what came of it.
        format!(
            "The database does not answer. Still waiting{mark} nothing is known yet, and it may be on record."
        )
    } else if checking {
        format!(
            "Checking{mark} the connection was lost while signing. Finding out what was recorded."
        )
    } else {
        format!("Signing{mark} wait for the outcome.")
    }
}

fn over_words(over: &Over, scene: &Scene<'_>, theme: &Theme, say: &mut impl FnMut(&str, Style)) {
    match over {
        Over::Ended {
            status,
            by,
            at,
            reason,
        } => {
            let by = by.as_deref();
            let text = words::ended(*status, by, *at, reason, scene.context.now, &scene.zone);
            say(
                "MEANWHILE, BY SOMEBODY ELSE",
                theme.wrong().patch(theme.loud()),
            );
            say(&text, theme.wrong());
            say(
                "You have recorded nothing. Do not give it.",
                theme.warning(),
            );
        }
        Over::Changed => {
            say("MEANWHILE CHANGED", theme.wrong().patch(theme.loud()));
            say(
                "The order is not what this sheet says any more. You have recorded nothing. \
                 Close the sheet and open the dose again to see what it says now.",
                theme.wrong(),
            );
        }
        Over::LookOnly(why) => say(why, theme.warning()),
        Over::Gone => say(
            "The order is not there any more. You have recorded nothing. Do not give it.",
            theme.wrong(),
        ),
    }
}

/// Why a nurse should stop before signing, again beside the key that signs: on a small screen the facts that say it
/// may be out of sight.
fn caution(sheet: &Fulfil, scene: &Scene<'_>) -> Option<String> {
    let now = scene.context.now;
    let told = sheet
        .warnings
        .iter()
        .any(|warning| warning.of == Warned::Early);
    if let Some(at) = sheet.order.due()
        && at.duration_since(now) > scene.context.due_window
        && !told
    {
        let ahead = clock::Due::of(at, now).words();
        return Some(format!("NOT DUE YET: {ahead}."));
    }
    let at = sheet.detail.as_ref()?.not_before.filter(|at| *at > now)?;
    let when = clock::day_hour(at, now, &scene.zone);
    Some(format!("TOO SOON: not before {when}."))
}

/// What else a nurse must have seen, in one line each, the most important first: on a small screen, where the facts that
/// say it have to be scrolled for. Elsewhere nothing.
fn short_cautions(sheet: &Fulfil, theme: &Theme, scene: &Scene<'_>) -> Vec<(String, Style)> {
    if scene.context.size.height >= SHORT {
        return Vec::new();
    }
    let mut cautions = Vec::new();
    cautions.extend(shortage_here(sheet, scene).map(|text| (text, theme.out())));
    if sheet.order.drug.high_alert {
        cautions.push(("HIGH-ALERT: check twice".to_owned(), theme.warning()));
    }
    if let Some(detail) = &sheet.detail
        && !detail.limits.is_empty()
    {
        let text = format!("Limits: {}", theme.text(&detail.limits));
        cautions.push((text, theme.warning()));
    }
    cautions
}

/// Lines for cautions above the line that signs, which must be there whole, with a line of the facts and perhaps the
/// banner.
fn room_above(sign: &str, sheet: &Fulfil, columns: u16, scene: &Scene<'_>) -> usize {
    // Header, banner, title, a fact, the rule, the bottom line; the fields; the caution about the time.
    let taken = 6
        + usize::from(fields_height(sheet, u16::MAX))
        + sheet.warnings.len()
        + wrap(sign, usize::from(columns)).len()
        + usize::from(caution(sheet, scene).is_some());
    usize::from(scene.context.size.height).saturating_sub(taken)
}

/// That somebody else's wristband was scanned, and whose.
pub(super) fn wrong_patient(
    who: &Identity,
    name: &str,
    (theme, columns): (&Theme, u16),
    say: &mut impl FnMut(&str, Style),
) {
    let Check::Wrong { scanned, whose } = &who.check else {
        return;
    };
    let loud = theme.wrong().patch(theme.loud());
    let text = format!("WRONG PATIENT: {scanned} is not {name}.");
    let columns = usize::from(columns);
    // Over the whole width, so that nobody overlooks it.
    for line in wrap(&theme.text(&text), columns) {
        say(&pad(&line, columns, ""), loud);
    }
    let whose = match whose {
        Whose::Looking => format!("Looking up whose it is{}", theme.symbols.mark),
        Whose::Of(name) => format!("It belongs to {name}."),
        Whose::Nobody => "It belongs to nobody who is known here.".to_owned(),
        Whose::Unread(why) => format!("Whose it is could not be read: {why}"),
    };
    say(
        &format!("{whose} Nothing was recorded. Check the patient in front of you."),
        theme.wrong(),
    );
}

fn to_do(
    sheet: &Fulfil,
    theme: &Theme,
    columns: u16,
    scene: &Scene<'_>,
    say: &mut impl FnMut(&str, Style),
) {
    wrong_patient(&sheet.who, &sheet.order.patient.name, (theme, columns), say);
    package::words(&sheet.package, theme, columns, say);
    if sheet.package.is_stopped() {
        return;
    }
    if let Some(witness) = &sheet.witness {
        let (words, style) = witness.words(theme.plain(), theme.warning());
        say(&words, style);
        return;
    }
    if !sheet.say.is_empty() {
        say(&sheet.say, theme.warning());
        return;
    }
    let key = |mode| {
        key_for(mode, Action::Sign)
            .map(|key| key.to_string())
            .unwrap_or_default()
    };
    match (sheet.mode(), sheet.chosen()) {
        (Mode::Ready | Mode::Amount | Mode::Reason | Mode::Form, Ok(amount)) => {
            for warning in &sheet.warnings {
                let text = format!("NEEDS A REASON: {}.", warning.words);
                say(&text, theme.warning());
            }
            let what = sign_words(sheet, amount);
            let sign = format!(" {} signs: {what} ", key(Mode::Ready));
            if let Some(why) = caution(sheet, scene) {
                say(&why, theme.warning());
            }
            let mut room = room_above(&sign, sheet, columns, scene);
            for (why, style) in short_cautions(sheet, theme, scene) {
                if room == 0 {
                    break;
                }
                say(&cut(&why, usize::from(columns), theme.symbols.mark), style);
                room -= 1;
            }
            say(&sign, theme.sign());
        }
        (Mode::Amount | Mode::Reason | Mode::Form, Err(why)) => {
            if columns < ROOMY {
                say(&identified(sheet, theme), theme.good());
            }
            say(&why, theme.plain());
        }
        (Mode::Identify, _) if sheet.who.check == Check::Open => say(
            "Scan the wristband, or type its number and press Enter.",
            theme.plain(),
        ),
        _ => {}
    }
}

fn sign_words(sheet: &Fulfil, amount: Quantity) -> String {
    let order = &sheet.order;
    let dose = if sheet.asks_amount() {
        words::amount(amount, &order.drug)
    } else {
        words::dose(&order.dose, &order.drug)
    };
    // The last line before the signature names what asks for care even where the facts are scrolled away.
    let care = match (order.drug.high_alert, order.drug.controlled) {
        (true, true) => " (HIGH-ALERT, CONTROLLED)",
        (true, false) => " (HIGH-ALERT)",
        (false, true) => " (CONTROLLED)",
        (false, false) => "",
    };
    format!(
        "{dose} {}{care} given to {}",
        order.drug.title(),
        order.patient.name
    )
}

fn given_words(sheet: &Fulfil, receipt: &Receipt, scene: &Scene<'_>) -> String {
    let Receipt::Given {
        quantity, left, at, ..
    } = receipt
    else {
        return "Done.".to_owned();
    };
    let order = &sheet.order;
    let ward = scene
        .ward
        .map(|ward| ward.code.as_str())
        .unwrap_or("the ward");
    format!(
        "GIVEN at {}: {} {} to {}. {ward} has {} left.",
        clock::hour(*at, &scene.zone),
        words::amount(*quantity, &order.drug),
        order.drug.title(),
        order.patient.name,
        words::amount(*left, &order.drug),
    )
}
