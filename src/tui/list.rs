//! A list one moves through: selection by identity, a filter, and the part that is shown.

use crate::tui::key::Key;
use crate::tui::widgets::Field;

/// One row: something that can be selected, or a heading above such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot<Id> {
    /// A heading: one line.
    Heading,
    /// A thing.
    Item(Id),
}

/// How far to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// One up.
    Up,
    /// One down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first.
    First,
    /// To the last.
    Last,
}

/// What happens to a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Msg {
    /// Move the selection.
    Move(Move),
    /// Begin to type a filter.
    OpenFilter,
    /// A key of the filter's field.
    FilterKey(Key),
    /// Text pasted into the filter's field.
    FilterPaste(String),
    /// Keep what is filtered and go back to the list.
    KeepFilter,
    /// Show everything again.
    ClearFilter,
    /// Select what stands at this line of the drawn list.
    Click(u16),
}

/// Selection, filter and scroll position of one list.
#[derive(Debug, Clone)]
pub struct List<Id> {
    slots: Vec<Slot<Id>>,
    selected: Option<Id>,
    top: usize,
    /// What is typed after `/`.
    pub filter: Field,
    /// The filter's field has the keys.
    pub filtering: bool,
    /// What was selected before the filter: clearing it without having moved goes back there.
    before_filter: Option<Id>,
}

impl<Id> Default for List<Id> {
    fn default() -> Self {
        List {
            slots: Vec::new(),
            selected: None,
            top: 0,
            filter: Field::default(),
            filtering: false,
            before_filter: None,
        }
    }
}

impl<Id: Copy + PartialEq> List<Id> {
    /// The selected thing. It is among the slots, unless there are none.
    pub fn selected(&self) -> Option<Id> {
        self.selected
    }

    /// Selects a thing that is in the list.
    pub fn select(&mut self, id: Id) {
        if self.position(id).is_some() {
            self.selected = Some(id);
        }
    }

    /// How many things there are, headings not counted.
    pub fn len(&self) -> usize {
        self.items().count()
    }

    /// Whether there is nothing to select.
    pub fn is_empty(&self) -> bool {
        self.items().next().is_none()
    }

    fn items(&self) -> impl DoubleEndedIterator<Item = Id> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Item(id) => Some(*id),
            Slot::Heading => None,
        })
    }

    fn position(&self, id: Id) -> Option<usize> {
        self.slots
            .iter()
            .position(|slot| matches!(slot, Slot::Item(other) if *other == id))
    }

    /// Takes the rows as they are now. The selection stays with its thing; when that is gone, it goes to the next
    /// one that stood below it, else above it.
    pub fn refresh(&mut self, slots: Vec<Slot<Id>>) {
        let before: Vec<Id> = self.items().collect();
        self.slots = slots;
        let wanted = self.before_filter.filter(|_| self.filter.is_empty());
        if let Some(id) = wanted
            && self.position(id).is_some()
        {
            if !self.filtering {
                self.before_filter = None;
            }
            self.selected = Some(id);
            return;
        }
        let Some(selected) = self.selected else {
            let first = self.items().next();
            self.selected = first;
            return;
        };
        if self.position(selected).is_some() {
            return;
        }
        let at = before
            .iter()
            .position(|id| *id == selected)
            .unwrap_or_default();
        let below = before.iter().skip(at + 1);
        let above = before.iter().take(at).rev();
        let neighbour = below
            .chain(above)
            .find(|id| self.position(**id).is_some())
            .copied();
        let first = self.items().next();
        self.selected = neighbour.or(first);
    }

    /// Does what the message says. `lines` is the height of the drawn list and `each` that of one thing, for paging.
    /// Says whether the filter's text changed, so that the rows must be made anew.
    pub fn update(&mut self, msg: &Msg, lines: u16, each: u16) -> bool {
        match msg {
            Msg::Move(how) => self.step(*how, lines, each),
            Msg::OpenFilter => {
                if self.before_filter.is_none() {
                    self.before_filter = self.selected;
                }
                self.filtering = true;
                // It begins a new search: what is typed now is not the end of the old one.
                let had = !self.filter.is_empty();
                self.filter.clear();
                return had;
            }
            Msg::FilterKey(key) => return self.filter.key(*key),
            Msg::FilterPaste(text) => return self.filter.paste(text),
            Msg::KeepFilter => {
                self.filtering = false;
                if self.filter.is_empty() {
                    self.before_filter = None;
                }
            }
            Msg::ClearFilter => {
                self.filtering = false;
                let had = !self.filter.is_empty();
                self.filter.clear();
                return had;
            }
            Msg::Click(line) => self.click(*line, lines, each),
        }
        self.top = self.top_for(lines, each);
        false
    }

    fn step(&mut self, how: Move, lines: u16, each: u16) {
        // Whoever moves has chosen anew: clearing the filter must not take that away.
        self.before_filter = None;
        let items: Vec<Id> = self.items().collect();
        let Some(last) = items.len().checked_sub(1) else {
            return;
        };
        let at = items
            .iter()
            .position(|id| Some(*id) == self.selected)
            .unwrap_or(0);
        // One row less than a page, so that one row of the old page stays in view.
        let page = usize::from(lines / each.max(1)).saturating_sub(1).max(1);
        let to = match how {
            Move::Up => at.saturating_sub(1),
            Move::Down => at + 1,
            Move::PageUp => at.saturating_sub(page),
            Move::PageDown => at + page,
            Move::First => 0,
            Move::Last => last,
        };
        self.selected = items.get(to.min(last)).copied();
    }

    fn click(&mut self, line: u16, lines: u16, each: u16) {
        let mut at = 0;
        for (_, slot, height) in self.shown(lines, each) {
            if line < at + height {
                if let Slot::Item(id) = slot {
                    self.before_filter = None;
                    self.selected = Some(id);
                }
                return;
            }
            at += height;
        }
    }

    fn height(slot: &Slot<Id>, each: u16) -> u16 {
        match slot {
            Slot::Heading => 1,
            Slot::Item(_) => each.max(1),
        }
    }

    /// The first slot to draw so that the selection is in view and no room is wasted below the last.
    fn top_for(&self, lines: u16, each: u16) -> usize {
        let Some(at) = self.selected.and_then(|id| self.position(id)) else {
            return 0;
        };
        let mut lowest = at;
        let mut used = each.max(1);
        while lowest > 0 {
            let next = Self::height(&self.slots[lowest - 1], each);
            if used.saturating_add(next) > lines {
                break;
            }
            used += next;
            lowest -= 1;
        }
        // A heading belongs to the first thing under it.
        let highest = match at.checked_sub(1).map(|above| self.slots[above]) {
            Some(Slot::Heading) if lines > each => at - 1,
            _ => at,
        };
        let top = self.top.clamp(lowest.min(highest), highest);
        top.min(self.last_page(lines, each).max(lowest.min(highest)))
    }

    fn last_page(&self, lines: u16, each: u16) -> usize {
        let (mut used, mut top) = (0u16, self.slots.len());
        for (at, slot) in self.slots.iter().enumerate().rev() {
            used = used.saturating_add(Self::height(slot, each));
            if used > lines {
                break;
            }
            top = at;
        }
        top.min(self.slots.len().saturating_sub(1))
    }

    /// The slots to draw in `lines`, each with its index and height; the last may be cut off by the area.
    pub fn shown(&self, lines: u16, each: u16) -> Vec<(usize, Slot<Id>, u16)> {
        let mut left = lines;
        let mut shown = Vec::new();
        let top = self.top_for(lines, each);
        for (at, slot) in self.slots.iter().enumerate().skip(top) {
            let height = Self::height(slot, each);
            if left == 0 {
                break;
            }
            shown.push((at, *slot, height.min(left)));
            left = left.saturating_sub(height);
        }
        shown
    }

    /// Whether there is more above and below what is drawn.
    pub fn more(&self, lines: u16, each: u16) -> (bool, bool) {
        let top = self.top_for(lines, each);
        let drawn: usize = self.shown(lines, each).len();
        (top > 0, top + drawn < self.slots.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(ids: &[u32]) -> List<u32> {
        let mut list = List::default();
        list.refresh(slots(ids));
        list
    }

    fn slots(ids: &[u32]) -> Vec<Slot<u32>> {
        std::iter::once(Slot::Heading)
            .chain(ids.iter().map(|id| Slot::Item(*id)))
            .collect()
    }

    #[test]
    fn the_selection_stays_with_its_thing() {
        let mut list = list(&[1, 2, 3, 4]);
        assert_eq!(list.selected(), Some(1));
        list.update(&Msg::Move(Move::Down), 10, 1);
        list.refresh(slots(&[9, 8, 2, 1]));
        assert_eq!(list.selected(), Some(2), "moved to another line");
        list.refresh(slots(&[9, 8, 1]));
        assert_eq!(list.selected(), Some(1), "gone: the one below");
        list.refresh(slots(&[9, 8]));
        assert_eq!(list.selected(), Some(8), "gone: none below, the one above");
        list.refresh(slots(&[]));
        assert!(list.is_empty());
        list.refresh(slots(&[5]));
        assert_eq!(list.selected(), Some(5));
    }

    #[test]
    fn a_filter_gives_the_selection_back() {
        let mut list = list(&[1, 2, 3]);
        list.select(3);
        list.update(&Msg::OpenFilter, 5, 1);
        assert!(list.update(&Msg::FilterKey(Key::char('x')), 5, 1));
        list.refresh(slots(&[1]));
        assert_eq!(list.selected(), Some(1));
        assert!(list.update(&Msg::ClearFilter, 5, 1));
        list.refresh(slots(&[1, 2, 3]));
        assert_eq!(list.selected(), Some(3), "nothing was chosen meanwhile");

        list.update(&Msg::OpenFilter, 5, 1);
        list.update(&Msg::FilterKey(Key::char('x')), 5, 1);
        list.refresh(slots(&[1, 2]));
        list.update(&Msg::Move(Move::First), 5, 1);
        list.update(&Msg::ClearFilter, 5, 1);
        list.refresh(slots(&[1, 2, 3]));
        assert_eq!(list.selected(), Some(1), "chosen among the filtered");
    }

    #[test]
    fn a_filter_on_a_filtered_list_begins_anew() {
        let mut list = list(&[1, 2, 3]);
        list.update(&Msg::OpenFilter, 5, 1);
        list.update(&Msg::FilterKey(Key::char('x')), 5, 1);
        list.update(&Msg::KeepFilter, 5, 1);
        list.refresh(slots(&[2]));
        assert!(list.update(&Msg::OpenFilter, 5, 1), "everything again");
        assert_eq!(list.filter.value(), "");
        list.refresh(slots(&[1, 2, 3]));
        list.update(&Msg::FilterKey(Key::char('y')), 5, 1);
        assert_eq!(list.filter.value(), "y");
        list.refresh(slots(&[3]));
        list.update(&Msg::ClearFilter, 5, 1);
        list.refresh(slots(&[1, 2, 3]));
        assert_eq!(list.selected(), Some(1), "where it all began");
    }

    #[test]
    fn a_page_keeps_one_row_in_view() {
        let mut list = list(&(0..50).collect::<Vec<_>>());
        list.update(&Msg::Move(Move::PageDown), 10, 1);
        assert_eq!(list.selected(), Some(9));
        list.update(&Msg::Move(Move::Last), 10, 1);
        assert_eq!(list.selected(), Some(49));
        list.update(&Msg::Move(Move::PageUp), 10, 1);
        assert_eq!(list.selected(), Some(40));
        list.update(&Msg::Move(Move::First), 10, 1);
        assert_eq!(list.shown(10, 1)[0].1, Slot::Heading, "with its heading");
    }

    #[test]
    fn a_click_selects_what_is_drawn_there() {
        let mut list = list(&[1, 2, 3]);
        list.update(&Msg::Click(2), 10, 1);
        assert_eq!(list.selected(), Some(2));
        list.update(&Msg::Click(0), 10, 1);
        assert_eq!(list.selected(), Some(2), "headings are not selected");
        list.update(&Msg::Click(6), 10, 2);
        assert_eq!(list.selected(), Some(3), "two lines each");
    }

    proptest! {
        #[test]
        fn the_selection_is_always_in_view(
            count in 0u32..40,
            moves in proptest::collection::vec((0usize..6, 0u16..15, 1u16..3), 0..40),
        ) {
            let mut list = list(&(0..count).collect::<Vec<_>>());
            for (which, lines, each) in moves {
                let how = [Move::Up, Move::Down, Move::PageUp, Move::PageDown, Move::First, Move::Last][which];
                list.update(&Msg::Move(how), lines, each);
                let shown = list.shown(lines, each);
                prop_assert!(shown.iter().map(|(_, _, h)| u32::from(*h)).sum::<u32>() <= u32::from(lines));
                if lines >= each && count > 0 {
                    let selected = Slot::Item(list.selected().unwrap());
                    let whole = shown.iter().any(|(_, slot, h)| *slot == selected && *h == each);
                    prop_assert!(whole, "{:?} {:?}", selected, shown);
                }
            }
        }
    }
}
