//! Finding what has only moved up or down.

use super::tile::{Screen, Tile};

/// Rows that move together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scroll {
    /// The first row of the part that scrolls.
    pub top: usize,
    /// Its last row.
    pub bottom: usize,
    /// Up by so many rows, or down where it is negative.
    pub by: isize,
}

/// Bytes that setting the part, scrolling and setting it back cost.
const SCROLLING: isize = 24;
/// Bytes for going to a row.
const GOING: isize = 6;
/// Distances that are tried: those by which most rows have moved.
const TRIED: usize = 3;

/// The scroll that spares the most bytes between two screens of one size; `None` where none does.
pub(super) fn find(shown: &Screen, next: &Screen) -> Option<Scroll> {
    let changed: Vec<bool> = (0..next.height)
        .map(|y| shown.row(y) != next.row(y))
        .collect();
    if changed.iter().filter(|changed| **changed).count() < 3 {
        return None;
    }
    let tries = Tries {
        shown,
        next,
        were: marks(shown, &changed),
        are: marks(next, &changed),
        changed,
    };
    let found = tries
        .distances()
        .into_iter()
        .filter_map(|by| tries.best(by));
    let best = found.max_by_key(|(_, spared)| *spared)?;
    (best.1 > 0).then_some(best.0)
}

/// A number for every row that is not what it was, equal for equal rows; `None` also for a blank one, which may have
/// come from anywhere. Should two rows ever share a number by chance, a longer way is taken, no wrong one.
fn marks(screen: &Screen, changed: &[bool]) -> Vec<Option<u64>> {
    let rows = changed.iter().enumerate();
    rows.map(|(y, changed)| {
        let row = screen.row(y);
        let blank = !changed || row.iter().all(|tile| *tile == Tile::BLANK);
        (!blank).then(|| row.iter().fold(0, |mark, tile| tile.mixed_into(mark)))
    })
    .collect()
}

struct Tries<'a> {
    shown: &'a Screen,
    next: &'a Screen,
    were: Vec<Option<u64>>,
    are: Vec<Option<u64>>,
    changed: Vec<bool>,
}

impl Tries<'_> {
    /// By how far rows may have moved, the likeliest first.
    fn distances(&self) -> Vec<isize> {
        let mut votes: Vec<(usize, isize)> = Vec::new();
        for (to, mark) in self.are.iter().enumerate() {
            if mark.is_none() {
                continue;
            }
            for (from, _) in self.were.iter().enumerate().filter(|(_, was)| *was == mark) {
                let by = from.cast_signed() - to.cast_signed();
                match votes.iter_mut().find(|(_, known)| *known == by) {
                    Some((count, _)) => *count += 1,
                    None => votes.push((1, by)),
                }
            }
        }
        votes.sort_unstable_by(|a, b| b.cmp(a));
        votes.into_iter().take(TRIED).map(|(_, by)| by).collect()
    }

    /// The part whose scrolling by so much spares the most, and how many bytes that is.
    fn best(&self, by: isize) -> Option<(Scroll, isize)> {
        let height = self.next.height;
        let far = by.unsigned_abs();
        // Towards the side on which rows open: what they cost is known where the part ends.
        let rows: Vec<usize> = if by > 0 {
            (0..height).collect()
        } else {
            (0..height).rev().collect()
        };
        let (mut sum, mut began) = (0, rows[0]);
        let mut best = None;
        for y in rows {
            let Some(source) = y.checked_add_signed(by).filter(|y| *y < height) else {
                continue;
            };
            if sum <= 0 {
                (sum, began) = (0, y);
            }
            sum += self.cost(y, y) - self.cost(source, y);
            let (top, bottom, opened) = if by > 0 {
                (began, source, y + 1..source + 1)
            } else {
                (source, began, source..y)
            };
            let opened: isize = opened.map(|y| self.cost(y, y) - self.onto_blank(y)).sum();
            let spared = sum + opened - SCROLLING - far.cast_signed();
            if best.is_none_or(|(_, most)| spared > most) {
                best = Some((Scroll { top, bottom, by }, spared));
            }
        }
        best
    }

    /// What it costs to make row `to` of the next screen from row `from` of the one that is shown, about.
    fn cost(&self, from: usize, to: usize) -> isize {
        let same = match (self.were.get(from), self.are.get(to)) {
            (Some(Some(was)), Some(Some(is))) => was == is,
            _ => from == to && self.changed.get(to) == Some(&false),
        };
        if same {
            return 0;
        }
        let rows = self.shown.row(from).iter().zip(self.next.row(to));
        GOING + rows.filter(|(a, b)| a != b).count().cast_signed()
    }

    fn onto_blank(&self, to: usize) -> isize {
        let row = self.next.row(to).iter();
        GOING
            + row
                .filter(|tile| **tile != Tile::BLANK)
                .count()
                .cast_signed()
    }
}
