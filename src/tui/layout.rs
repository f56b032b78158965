//! Where things stand on a screen of a given size.

use ratatui::layout::Rect;

use super::model::Pane;

/// Below this a screen cannot be read, and says so. It is what the sheet of a dose needs to name patient, drug and
/// dose beside the key that signs.
pub const SMALLEST: (u16, u16) = (36, 10);
/// Below this many columns one pane is shown at a time, and a dose takes two lines.
pub const NARROW: u16 = 70;
/// From this many columns on stock and log stand side by side.
pub const WIDE: u16 = 110;

/// The parts of a ward's screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Ward, person, time, live or not: one line.
    pub header: Rect,
    /// What must not be overlooked: one line, or none.
    pub banner: Rect,
    /// Panes or a sheet.
    pub body: Rect,
    /// Messages or hints: one line.
    pub bottom: Rect,
}

/// The parts of a screen; `None`: it is too small to be of use.
pub fn parts(area: Rect, banner: bool) -> Option<Parts> {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return None;
    }
    let line = |y: u16, height: u16| Rect {
        y: area.y + y,
        height,
        ..area
    };
    let banner = u16::from(banner);
    Some(Parts {
        header: line(0, 1),
        banner: line(1, banner),
        body: line(1 + banner, area.height - 2 - banner),
        bottom: line(area.height - 1, 1),
    })
}

/// The size of a screen that is read aloud, whatever the terminal's is: nothing on it is cut, and its lines are
/// wrapped where the terminal needs it.
pub const SPOKEN: (u16, u16) = (240, 50);

/// The panes that are shown, each with its place; a pane's first line is its title. Where the screen is read aloud it is
/// the one that has the keys.
pub fn panes(body: Rect, focus: Pane, plain: bool) -> Vec<(Pane, Rect)> {
    if plain || body.width < NARROW || body.height < 12 {
        return vec![(focus, body)];
    }
    if body.width >= WIDE {
        return beside(body);
    }
    if body.height < 16 {
        return vec![(focus, body)];
    }
    // Who works in a pane needs its rows; the others keep enough for a glance: what is low, what was just given.
    let glance = 4;
    let (stock, log) = match focus {
        Pane::Queue => (glance + body.height.saturating_sub(22) / 5 + 1, glance),
        Pane::Stock => (body.height / 2 - 1, glance),
        Pane::Log => (glance, body.height / 2 - 1),
    };
    let queue = body.height - stock - log;
    let at = |y: u16, height: u16| Rect {
        y: body.y + y,
        height,
        ..body
    };
    vec![
        (Pane::Queue, at(0, queue)),
        (Pane::Stock, at(queue, stock)),
        (Pane::Log, at(queue + stock, log)),
    ]
}

/// Queue above, stock and log side by side below it, a column between them for the wall.
fn beside(body: Rect) -> Vec<(Pane, Rect)> {
    let queue = Rect {
        height: body.height - body.height * 2 / 5,
        ..body
    };
    let below = Rect {
        y: body.y + queue.height,
        height: body.height - queue.height,
        ..body
    };
    let half = below.width / 2;
    let log = Rect {
        x: below.x + half + 1,
        width: below.width - half - 1,
        ..below
    };
    vec![
        (Pane::Queue, queue),
        (
            Pane::Stock,
            Rect {
                width: half,
                ..below
            },
        ),
        (Pane::Log, log),
    ]
}

/// The lines a pane's list has, below its title; the queue keeps one for the selected dose in full.
pub fn list_area(pane: Pane, place: Rect) -> Rect {
    let below = u16::from(pane == Pane::Queue && place.height >= 7 && place.width >= NARROW);
    Rect {
        y: place.y.saturating_add(1),
        height: place.height.saturating_sub(1 + below),
        ..place
    }
}

/// How many lines one dose, drug or record takes.
pub const fn lines_each(width: u16) -> u16 {
    if width < NARROW { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_every_size_the_panes_fill_the_body_and_do_not_overlap() {
        for width in 36..200 {
            for height in 10..80 {
                let parts = parts(Rect::new(0, 0, width, height), width % 2 == 0).unwrap();
                for focus in [Pane::Queue, Pane::Stock, Pane::Log] {
                    let panes = panes(parts.body, focus, false);
                    assert!(panes.iter().any(|(pane, _)| *pane == focus));
                    for (i, (_, a)) in panes.iter().enumerate() {
                        assert!(a.height >= 4, "{width}x{height}");
                        assert_eq!(parts.body.intersection(*a), *a);
                        for (_, b) in &panes[i + 1..] {
                            assert!(a.intersection(*b).is_empty());
                        }
                    }
                }
            }
        }
        assert!(parts(Rect::new(0, 0, 35, 50), false).is_none());
        assert!(parts(Rect::new(0, 0, 50, 9), false).is_none());
    }
}
