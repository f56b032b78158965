//! The one table of keys. Dispatch, the hint line, the help and the palette are all made from it.

mod table;

use super::key::Key;

pub use table::BINDINGS;

/// What can be done from the keyboard, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Open the sheet of the selected dose.
    Open,
    /// Mark the selected dose, to give it with others; or take the mark away.
    Mark,
    /// Mark every dose of the selected one's patient that is due.
    MarkDue,
    /// Open the sheet that records that the selected dose was not given.
    NotGiven,
    /// Open the sheet that takes the selected entry back.
    Correct,
    /// Open the page of as-needed doses whose effect is not known.
    Effects,
    /// It was given earlier: type when.
    Later,
    /// More than is prescribed is given: type how much.
    More,
    /// Open the sheet that begins emergency access to a ward.
    Emergency,
    /// Open the sheet that stops the selected dose.
    Discontinue,
    /// Open the sheet that takes stock in.
    Receive,
    /// Open the sheet that sends stock to another ward.
    Send,
    /// Open the page of transfers.
    Transfers,
    /// Open the register of the selected drug.
    Register,
    /// Open the page of lots.
    Lots,
    /// Open the page of what is to be counted.
    Count,
    /// Open the sheet that wastes, returns or adjusts.
    TakeOut,
    /// Open the page of what fills the ward up.
    Replenish,
    /// Open the page of what runs out.
    LowStock,
    /// Open the page of where else a drug is.
    Elsewhere,
    /// Open the page of what is missing or too much.
    Discrepancies,
    /// Open the page of what the ward should hold.
    Levels,
    /// Open the sheet that recalls a lot.
    Recall,
    /// Send every line of a replenishment.
    SendAll,
    /// Open the board of all wards.
    Board,
    /// Open the list of what is to be entered after a downtime.
    BackEntry,
    /// Write the page to a file, or show it as text.
    Print,
    /// Choose a report.
    Reports,
    /// Open the record of a patient.
    Record,
    /// Open the sheet that prescribes.
    Prescribe,
    /// Open the sheet that ends a whole prescription.
    EndPrescription,
    /// Open a doctor's own prescriptions.
    MyOrders,
    /// Open the patients of the ward.
    Patients,
    /// The day before.
    DayBack,
    /// The day after.
    DayForward,
    /// Today.
    Today,
    /// Open the sheet that admits a patient.
    Admit,
    /// Open the sheet that moves a patient.
    MovePatient,
    /// Open the sheet that discharges a patient.
    Discharge,
    /// Open the sheet of a patient's allergies.
    Allergies,
    /// Type a filter.
    Filter,
    /// Keep the filter and leave its field.
    KeepFilter,
    /// Show everything again.
    ClearFilter,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// The first row.
    First,
    /// The last row.
    Last,
    /// The next pane.
    NextPane,
    /// The pane before.
    PreviousPane,
    /// Choose another ward.
    ChangeWard,
    /// Every key.
    Help,
    /// Any action by name.
    Palette,
    /// Lock the screen.
    Lock,
    /// Lock it for somebody else to take over.
    OtherPerson,
    /// Sign out.
    SignOut,
    /// Leave the program.
    Leave,
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Send user name and secret.
    SignIn,
    /// Check what was typed or scanned.
    Check,
    /// Sign.
    Sign,
    /// Put away what was scanned and stopped.
    Dismiss,
    /// Close the sheet.
    Close,
    /// The next field.
    NextField,
    /// The field before.
    PreviousField,
    /// Take the selected line of a list.
    Choose,
    /// Open the page of what the terminal shows and sends.
    Terminal,
    /// The next of some choices.
    NextChoice,
    /// The one before.
    PreviousChoice,
    /// Keep what is chosen.
    Keep,
}

/// What has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The screen of an empty database.
    FirstRun,
    /// Signing in.
    SignIn,
    /// The locked screen.
    Lock,
    /// The order queue.
    Queue,
    /// The drug stock.
    Stock,
    /// The administration log.
    Log,
    /// A pane's filter is being typed.
    Filter,
    /// The board of all wards.
    Board,
    /// The page of as-needed doses whose effect is not known.
    Effects,
    /// The page of transfers.
    Transfers,
    /// The register of a drug.
    Register,
    /// The page of lots.
    Lots,
    /// Who got some of a lot.
    LotMoves,
    /// The page of what is missing or too much.
    Discrepancies,
    /// The page of what runs out.
    LowStock,
    /// The page of where a drug is.
    Elsewhere,
    /// The page of what fills the ward up.
    Replenish,
    /// The page of what is to be counted.
    Count,
    /// The page of what the ward should hold.
    Levels,
    /// The record of a patient.
    Record,
    /// A doctor's own prescriptions.
    Mine,
    /// The patients of the ward.
    Patients,
    /// What is to be entered after a downtime.
    BackEntry,
    /// A report.
    Report,
    /// A page asks for something at its foot.
    Asking,
    /// A page's filter is being typed.
    PageFilter,
    /// The sheet of a dose: the patient is to be identified.
    Identify,
    /// The sheet of a dose: the amount is to be chosen.
    Amount,
    /// The sheet of a dose: ready to be signed.
    Ready,
    /// A sheet on which something was scanned that must not be given.
    Stopped,
    /// The round sheet: the patient is identified, each line is to be signed.
    Round,
    /// Signed: the outcome is on its way.
    Signing,
    /// Signed: the desk is finding out what became of it.
    Checking,
    /// Refused for now: may be signed again.
    Again,
    /// Nobody could find out what became of it: may be asked again.
    Unknown,
    /// There is nothing left to do on this sheet.
    Closed,
    /// The sheet of a dose: why?
    Reason,
    /// Another sheet that asks why.
    Why,
    /// A sheet on which a second person signs too.
    Witness,
    /// A sheet with fields to fill in.
    Form,
    /// A list to choose from, with a filter.
    Picker,
    /// A page as text.
    Text,
    /// The help.
    Help,
    /// The page of what the terminal shows and sends.
    Terminal,
}

impl Mode {
    /// Every mode.
    pub const ALL: &'static [Mode] = &[
        Mode::FirstRun,
        Mode::SignIn,
        Mode::Lock,
        Mode::Queue,
        Mode::Stock,
        Mode::Log,
        Mode::Filter,
        Mode::Board,
        Mode::Effects,
        Mode::Transfers,
        Mode::Register,
        Mode::Lots,
        Mode::LotMoves,
        Mode::Discrepancies,
        Mode::LowStock,
        Mode::Elsewhere,
        Mode::Replenish,
        Mode::Count,
        Mode::Levels,
        Mode::Record,
        Mode::Mine,
        Mode::Patients,
        Mode::BackEntry,
        Mode::Report,
        Mode::Asking,
        Mode::PageFilter,
        Mode::Identify,
        Mode::Amount,
        Mode::Ready,
        Mode::Stopped,
        Mode::Round,
        Mode::Signing,
        Mode::Checking,
        Mode::Again,
        Mode::Unknown,
        Mode::Closed,
        Mode::Reason,
        Mode::Why,
        Mode::Witness,
        Mode::Form,
        Mode::Picker,
        Mode::Text,
        Mode::Help,
        Mode::Terminal,
    ];

    /// As the help heads its part.
    pub const fn title(self) -> &'static str {
        match self {
            Mode::FirstRun => "First start",
            Mode::SignIn => "Signing in",
            Mode::Lock => "Locked",
            Mode::Queue => "Order queue",
            Mode::Stock => "Drug stock",
            Mode::Log => "Administration log",
            Mode::Filter => "Typing a filter",
            Mode::Board => "Board of all wards",
            Mode::Effects => "Did it help?",
            Mode::Transfers => "Transfers",
            Mode::Register => "Drug register",
            Mode::Lots => "Lots",
            Mode::LotMoves => "Who got a lot",
            Mode::Discrepancies => "Discrepancies",
            Mode::LowStock => "What runs out",
            Mode::Elsewhere => "Where a drug is",
            Mode::Replenish => "Replenishment",
            Mode::Count => "Counting",
            Mode::Levels => "Levels",
            Mode::Record => "Patient record",
            Mode::Mine => "My orders",
            Mode::Patients => "Patients of the ward",
            Mode::BackEntry => "Back-entry after a downtime",
            Mode::Report => "Report",
            Mode::Asking => "Asked at the foot of a page",
            Mode::PageFilter => "Typing a page's filter",
            Mode::Identify => "Sheet of a dose: who is it?",
            Mode::Amount => "Sheet of a dose: how much?",
            Mode::Ready => "Sheet of a dose: identified",
            Mode::Stopped => "Sheet: stopped by a scan",
            Mode::Round => "Round sheet: several doses",
            Mode::Signing => "Sheet: signing",
            Mode::Checking => "Sheet: checking the outcome",
            Mode::Again => "Sheet: not done",
            Mode::Unknown => "Sheet: outcome unknown",
            Mode::Closed => "Sheet: finished",
            Mode::Reason => "Sheet of a dose: why?",
            Mode::Why => "Sheet: why?",
            Mode::Witness => "Sheet: the witness signs",
            Mode::Form => "Sheets with fields to fill in",
            Mode::Picker => "Lists to choose from",
            Mode::Text => "A page as text",
            Mode::Help => "This help",
            Mode::Terminal => "Terminal: what it shows and sends",
        }
    }

    /// Whether characters type text here, so that none of them may be a command.
    pub const fn types(self) -> bool {
        matches!(
            self,
            Mode::SignIn
                | Mode::Lock
                | Mode::Filter
                | Mode::PageFilter
                | Mode::Asking
                | Mode::Identify
                | Mode::Amount
                | Mode::Ready
                | Mode::Reason
                | Mode::Why
                | Mode::Witness
                | Mode::Form
                | Mode::Picker
                | Mode::Terminal
        )
    }

    /// Whether a scanner may be at work here.
    pub const fn scans(self) -> bool {
        matches!(
            self,
            Mode::Identify
                | Mode::Amount
                | Mode::Ready
                | Mode::Stopped
                | Mode::Round
                | Mode::Signing
                | Mode::Checking
                | Mode::Again
                | Mode::Unknown
        )
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Any of these keys; hints show the first.
    pub chords: &'static [Key],
    /// Where.
    pub modes: &'static [Mode],
    /// What.
    pub action: Action,
    /// In the help and the palette.
    pub words: &'static str,
    /// In the hint line; empty: not there.
    pub hint: &'static str,
}

/// What a key does in a mode.
pub fn action(mode: Mode, key: Key) -> Option<Action> {
    BINDINGS
        .iter()
        .find(|binding| binding.modes.contains(&mode) && binding.chords.contains(&key))
        .map(|binding| binding.action)
}

/// The keys that the hint line shows in a mode, each with its words.
pub fn hints(mode: Mode) -> impl Iterator<Item = (Key, &'static str)> {
    BINDINGS
        .iter()
        .filter(move |binding| binding.modes.contains(&mode) && !binding.hint.is_empty())
        .filter_map(|binding| binding.chords.first().map(|key| (*key, binding.hint)))
}

/// The first key of an action in a mode, for sentences that name it.
pub fn key_for(mode: Mode, action: Action) -> Option<Key> {
    BINDINGS
        .iter()
        .find(|binding| binding.action == action && binding.modes.contains(&mode))
        .and_then(|binding| binding.chords.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::key::Code;
    use std::collections::HashSet;

    /// A list that the compiler keeps complete: a new action does not compile until it stands here.
    fn every_action() -> Vec<Action> {
        use Action::*;
        let next = |action: Action| match action {
            Open => Some(Mark),
            Mark => Some(MarkDue),
            MarkDue => Some(NotGiven),
            NotGiven => Some(Correct),
            Correct => Some(Effects),
            Effects => Some(Later),
            Later => Some(More),
            More => Some(Emergency),
            Emergency => Some(Discontinue),
            Discontinue => Some(Receive),
            Receive => Some(Send),
            Send => Some(Transfers),
            Transfers => Some(Register),
            Register => Some(Lots),
            Lots => Some(Count),
            Count => Some(TakeOut),
            TakeOut => Some(Replenish),
            Replenish => Some(LowStock),
            LowStock => Some(Elsewhere),
            Elsewhere => Some(Discrepancies),
            Discrepancies => Some(Levels),
            Levels => Some(Recall),
            Recall => Some(SendAll),
            SendAll => Some(Board),
            Board => Some(BackEntry),
            BackEntry => Some(Print),
            Print => Some(Reports),
            Reports => Some(Record),
            Record => Some(Prescribe),
            Prescribe => Some(EndPrescription),
            EndPrescription => Some(MyOrders),
            MyOrders => Some(Patients),
            Patients => Some(DayBack),
            DayBack => Some(DayForward),
            DayForward => Some(Today),
            Today => Some(Admit),
            Admit => Some(MovePatient),
            MovePatient => Some(Discharge),
            Discharge => Some(Allergies),
            Allergies => Some(Filter),
            Filter => Some(KeepFilter),
            KeepFilter => Some(ClearFilter),
            ClearFilter => Some(Up),
            Up => Some(Down),
            Down => Some(PageUp),
            PageUp => Some(PageDown),
            PageDown => Some(First),
            First => Some(Last),
            Last => Some(NextPane),
            NextPane => Some(PreviousPane),
            PreviousPane => Some(ChangeWard),
            ChangeWard => Some(Help),
            Help => Some(Palette),
            Palette => Some(SignOut),
            SignOut => Some(Lock),
            Lock => Some(OtherPerson),
            OtherPerson => Some(Leave),
            Leave => Some(Suspend),
            Suspend => Some(SignIn),
            SignIn => Some(Check),
            Check => Some(Sign),
            Sign => Some(Dismiss),
            Dismiss => Some(Close),
            Close => Some(NextField),
            NextField => Some(PreviousField),
            PreviousField => Some(Choose),
            Choose => Some(Terminal),
            Terminal => Some(NextChoice),
            NextChoice => Some(PreviousChoice),
            PreviousChoice => Some(Keep),
            Keep => None,
        };
        std::iter::successors(Some(Open), |action| next(*action)).collect()
    }

    #[test]
    fn no_key_stands_twice_in_a_mode() {
        let mut seen = HashSet::new();
        for binding in BINDINGS {
            for mode in binding.modes {
                for key in binding.chords {
                    assert!(seen.insert((*mode, *key)), "{key} twice in {mode:?}");
                    assert_eq!(key.normal(), *key, "{key} can never arrive");
                }
            }
        }
    }

    #[test]
    fn every_action_can_be_reached_and_has_words() {
        for action in every_action() {
            let bindings: Vec<_> = BINDINGS.iter().filter(|b| b.action == action).collect();
            assert!(!bindings.is_empty(), "{action:?} has no key");
            for binding in bindings {
                assert!(!binding.chords.is_empty() && !binding.modes.is_empty());
                assert!(!binding.words.is_empty());
            }
        }
    }

    #[test]
    fn every_mode_has_a_way_out_but_signing() {
        for mode in Mode::ALL {
            let out = BINDINGS.iter().any(|b| {
                b.modes.contains(mode) && matches!(b.action, Action::Leave | Action::Close)
            });
            assert_eq!(out, *mode != Mode::Signing, "{mode:?}");
        }
    }

    #[test]
    fn whatever_is_open_can_be_locked_and_taken_over() {
        for mode in Mode::ALL {
            let door = matches!(mode, Mode::FirstRun | Mode::SignIn | Mode::Lock);
            for action in [Action::Lock, Action::OtherPerson] {
                assert_eq!(key_for(*mode, action).is_some(), !door, "{mode:?}");
            }
        }
    }

    #[test]
    fn where_one_types_no_character_is_a_command() {
        for binding in BINDINGS {
            for mode in binding.modes.iter().filter(|mode| mode.types()) {
                for key in binding.chords {
                    assert_eq!(key.typed(), None, "{key} in {mode:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_that_a_scanner_sends_signs() {
        let scanned = (0u8..=0x7f).map(|byte| Key::char(char::from(byte)).normal());
        let control = (b'a'..=b'z')
            .map(char::from)
            .chain(['[', '\\', ']', '^', '_'])
            .filter(|c| *c != 'g')
            .map(|c| Key::ctrl(c).normal());
        for key in scanned.chain(control).chain([Key::of(Code::Enter)]) {
            for mode in Mode::ALL {
                assert_ne!(action(*mode, key), Some(Action::Sign), "{key} in {mode:?}");
            }
        }
    }
}
