//! The one table of keys. Dispatch, the hint line, the help and the palette are all made from it.

use super::key::{Code, Key};

/// What can be done from the keyboard, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Open the sheet of the selected dose.
    Open,
    /// Open the sheet that stops the selected dose.
    Discontinue,
    /// Open the sheet that takes stock in.
    Receive,
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
    /// Close the sheet.
    Close,
    /// The next field.
    NextField,
    /// The field before.
    PreviousField,
    /// Take the selected line of a list.
    Choose,
}

/// What has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The screen of an empty database.
    FirstRun,
    /// Signing in.
    SignIn,
    /// The order queue.
    Queue,
    /// The drug stock.
    Stock,
    /// The administration log.
    Log,
    /// A pane's filter is being typed.
    Filter,
    /// The sheet of a dose: the patient is to be identified.
    Identify,
    /// The sheet of a dose: the amount is to be chosen.
    Amount,
    /// The sheet of a dose: ready to be signed.
    Ready,
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
    /// A sheet with fields to fill in.
    Form,
    /// A list to choose from, with a filter.
    Picker,
    /// The help.
    Help,
}

impl Mode {
    /// Every mode.
    pub const ALL: &'static [Mode] = &[
        Mode::FirstRun,
        Mode::SignIn,
        Mode::Queue,
        Mode::Stock,
        Mode::Log,
        Mode::Filter,
        Mode::Identify,
        Mode::Amount,
        Mode::Ready,
        Mode::Signing,
        Mode::Checking,
        Mode::Again,
        Mode::Unknown,
        Mode::Closed,
        Mode::Form,
        Mode::Picker,
        Mode::Help,
    ];

    /// As the help heads its part.
    pub const fn title(self) -> &'static str {
        match self {
            Mode::FirstRun => "First start",
            Mode::SignIn => "Signing in",
            Mode::Queue => "Order queue",
            Mode::Stock => "Drug stock",
            Mode::Log => "Administration log",
            Mode::Filter => "Typing a filter",
            Mode::Identify => "Sheet of a dose: who is it?",
            Mode::Amount => "Sheet of a dose: how much?",
            Mode::Ready => "Sheet of a dose: identified",
            Mode::Signing => "Sheet: signing",
            Mode::Checking => "Sheet: checking the outcome",
            Mode::Again => "Sheet: not done",
            Mode::Unknown => "Sheet: outcome unknown",
            Mode::Closed => "Sheet: finished",
            Mode::Form => "Stopping a dose, receiving stock",
            Mode::Picker => "Lists to choose from",
            Mode::Help => "This help",
        }
    }

    /// Whether characters type text here, so that none of them may be a command.
    pub const fn types(self) -> bool {
        matches!(
            self,
            Mode::SignIn
                | Mode::Filter
                | Mode::Identify
                | Mode::Amount
                | Mode::Ready
                | Mode::Form
                | Mode::Picker
        )
    }

    /// Whether a scanner may be at work here.
    pub const fn scans(self) -> bool {
        matches!(
            self,
            Mode::Identify
                | Mode::Amount
                | Mode::Ready
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

const DESK: &[Mode] = &[Mode::Queue, Mode::Stock, Mode::Log];
const LISTS: &[Mode] = &[
    Mode::Queue,
    Mode::Stock,
    Mode::Log,
    Mode::Filter,
    Mode::Picker,
    Mode::Help,
    Mode::Identify,
    Mode::Amount,
    Mode::Ready,
    Mode::Signing,
    Mode::Checking,
    Mode::Again,
    Mode::Unknown,
    Mode::Closed,
];

/// The keys that sign, on every sheet that signs.
///
/// Not Enter: every scanner ends its code in one, and a hurried hand presses it. Not a character: a second scan
/// types characters. Not Ctrl-S or Ctrl-Q: thin terminals stop their output on them. Not Ctrl-], Ctrl-^ or Ctrl-D:
/// codes with data inside (GS1, ISO 15434) hold those. F2 comes from no scanner as it leaves the factory, is PF2 on
/// the keypad of a VT terminal, and Ctrl-G (give) stands in where something else has taken F2.
const SIGN: &[Key] = &[Key::of(Code::F(2)), Key::ctrl('g')];

/// Every key there is. In one mode no key stands twice; a test sees to it.
pub const BINDINGS: &[Binding] = &[
    Binding {
        chords: &[Key::of(Code::Enter)],
        modes: &[Mode::Queue],
        action: Action::Open,
        words: "Open the selected dose to give it",
        hint: "give",
    },
    Binding {
        chords: &[Key::char('d')],
        modes: &[Mode::Queue],
        action: Action::Discontinue,
        words: "Discontinue the selected dose (doctors)",
        hint: "",
    },
    Binding {
        chords: &[Key::char('r')],
        modes: &[Mode::Stock],
        action: Action::Receive,
        words: "Receive stock of the selected drug (pharmacists)",
        hint: "receive",
    },
    Binding {
        chords: &[Key::char('/')],
        modes: DESK,
        action: Action::Filter,
        words: "Filter this pane by patient, number, bed or drug",
        hint: "find",
    },
    Binding {
        chords: &[Key::of(Code::Enter)],
        modes: &[Mode::Filter],
        action: Action::KeepFilter,
        words: "Keep the filter and go back to the pane",
        hint: "keep",
    },
    Binding {
        chords: &[Key::of(Code::Esc)],
        modes: &[Mode::Filter],
        action: Action::ClearFilter,
        words: "Show everything in the pane again",
        hint: "show all",
    },
    Binding {
        chords: &[Key::of(Code::Esc)],
        modes: DESK,
        action: Action::ClearFilter,
        words: "Show everything in the pane again",
        hint: "",
    },
    Binding {
        chords: &[Key::of(Code::Tab)],
        modes: &[Mode::Queue, Mode::Stock, Mode::Log, Mode::Filter],
        action: Action::NextPane,
        words: "Next pane",
        hint: "pane",
    },
    Binding {
        chords: &[Key::of(Code::BackTab)],
        modes: &[Mode::Queue, Mode::Stock, Mode::Log, Mode::Filter],
        action: Action::PreviousPane,
        words: "Previous pane",
        hint: "",
    },
    Binding {
        chords: &[Key::char('w')],
        modes: DESK,
        action: Action::ChangeWard,
        words: "Change ward",
        hint: "ward",
    },
    Binding {
        chords: &[Key::ctrl('p')],
        modes: DESK,
        action: Action::Palette,
        words: "Find any action by name",
        hint: "actions",
    },
    Binding {
        chords: &[Key::char('?'), Key::of(Code::F(1))],
        modes: DESK,
        action: Action::Help,
        words: "Help: every key",
        hint: "help",
    },
    Binding {
        chords: &[Key::char('q')],
        modes: DESK,
        action: Action::SignOut,
        words: "Sign out; where signing in was done elsewhere, leave",
        hint: "sign out",
    },
    Binding {
        chords: &[Key::of(Code::Down)],
        modes: LISTS,
        action: Action::Down,
        words: "Down",
        hint: "",
    },
    Binding {
        chords: &[Key::char('j')],
        modes: &[Mode::Queue, Mode::Stock, Mode::Log, Mode::Help],
        action: Action::Down,
        words: "Down",
        hint: "",
    },
    Binding {
        chords: &[Key::of(Code::Up)],
        modes: LISTS,
        action: Action::Up,
        words: "Up",
        hint: "",
    },
    Binding {
        chords: &[Key::char('k')],
        modes: &[Mode::Queue, Mode::Stock, Mode::Log, Mode::Help],
        action: Action::Up,
        words: "Up",
        hint: "",
    },
    Binding {
        chords: &[Key::of(Code::PageDown)],
        modes: LISTS,
        action: Action::PageDown,
        words: "Page down",
        hint: "",
    },
    Binding {
        chords: &[Key::of(Code::PageUp)],
        modes: LISTS,
        action: Action::PageUp,
        words: "Page up",
        hint: "",
    },
    Binding {
        chords: &[Key::of(Code::Home)],
        modes: &[Mode::Queue, Mode::Stock, Mode::Log, Mode::Help],
        action: Action::First,
        words: "To the first",
        hint: "",
    },
    Binding {
        chords: &[Key::of(Code::End)],
        modes: &[Mode::Queue, Mode::Stock, Mode::Log, Mode::Help],
        action: Action::Last,
        words: "To the last",
        hint: "",
    },
    Binding {
        chords: &[Key::of(Code::Enter)],
        modes: &[Mode::SignIn],
        action: Action::SignIn,
        words: "Sign in with what is typed",
        hint: "sign in",
    },
    Binding {
        chords: &[Key::of(Code::Tab), Key::of(Code::Down)],
        modes: &[Mode::SignIn],
        action: Action::NextField,
        words: "Next field",
        hint: "next field",
    },
    Binding {
        chords: &[Key::of(Code::BackTab), Key::of(Code::Up)],
        modes: &[Mode::SignIn],
        action: Action::PreviousField,
        words: "Previous field",
        hint: "",
    },
    Binding {
        chords: &[Key::of(Code::Enter)],
        modes: &[Mode::Identify, Mode::Amount],
        action: Action::Check,
        words: "Check what was scanned or typed",
        hint: "check",
    },
    // Before the patient is identified nothing can be signed: the key checks what is typed, and no more.
    Binding {
        chords: SIGN,
        modes: &[Mode::Identify],
        action: Action::Check,
        words: "Check what was scanned or typed",
        hint: "",
    },
    Binding {
        chords: SIGN,
        modes: &[Mode::Amount, Mode::Ready],
        action: Action::Sign,
        words: "Sign: the dose is given",
        hint: "sign",
    },
    Binding {
        chords: SIGN,
        modes: &[Mode::Form],
        action: Action::Sign,
        words: "Sign what the sheet says",
        hint: "sign",
    },
    Binding {
        chords: SIGN,
        modes: &[Mode::Again],
        action: Action::Sign,
        words: "Sign again",
        hint: "sign again",
    },
    Binding {
        chords: SIGN,
        modes: &[Mode::Unknown],
        action: Action::Sign,
        words: "Ask again what became of the signature",
        hint: "ask again",
    },
    Binding {
        chords: &[
            Key::of(Code::Tab),
            Key::of(Code::Down),
            Key::of(Code::Enter),
        ],
        modes: &[Mode::Form],
        action: Action::NextField,
        words: "Next field",
        hint: "next field",
    },
    Binding {
        chords: &[Key::of(Code::BackTab), Key::of(Code::Up)],
        modes: &[Mode::Form],
        action: Action::PreviousField,
        words: "Previous field",
        hint: "",
    },
    Binding {
        chords: &[Key::of(Code::Enter)],
        modes: &[Mode::Picker],
        action: Action::Choose,
        words: "Choose the selected line",
        hint: "choose",
    },
    Binding {
        chords: &[Key::of(Code::Esc)],
        modes: &[
            Mode::Identify,
            Mode::Amount,
            Mode::Ready,
            Mode::Again,
            Mode::Form,
        ],
        action: Action::Close,
        words: "Close the sheet; nothing is recorded",
        hint: "close, record nothing",
    },
    Binding {
        chords: &[Key::of(Code::Esc)],
        modes: &[Mode::Checking, Mode::Unknown],
        action: Action::Close,
        words: "Close the sheet; what was signed may be on record",
        hint: "close",
    },
    Binding {
        chords: &[Key::of(Code::Esc), Key::of(Code::Enter)],
        modes: &[Mode::Closed],
        action: Action::Close,
        words: "Back to the ward",
        hint: "back to the ward",
    },
    Binding {
        chords: &[Key::of(Code::Esc)],
        modes: &[Mode::Picker],
        action: Action::Close,
        words: "Close the list; nothing changes",
        hint: "close",
    },
    Binding {
        chords: &[
            Key::of(Code::Esc),
            Key::char('q'),
            Key::char('?'),
            Key::of(Code::Enter),
        ],
        modes: &[Mode::Help],
        action: Action::Close,
        words: "Close the help",
        hint: "close",
    },
    Binding {
        chords: &[Key::ctrl('c'), Key::of(Code::Esc)],
        modes: &[Mode::SignIn],
        action: Action::Leave,
        words: "Leave ValMed",
        hint: "leave",
    },
    Binding {
        chords: &[
            Key::char('q'),
            Key::ctrl('c'),
            Key::of(Code::Esc),
            Key::of(Code::Enter),
        ],
        modes: &[Mode::FirstRun],
        action: Action::Leave,
        words: "Leave ValMed",
        hint: "leave",
    },
    // Not while signing: the outcome is about to come, and who leaves before it does not know what they did.
    Binding {
        chords: &[Key::ctrl('c')],
        modes: &[
            Mode::Queue,
            Mode::Stock,
            Mode::Log,
            Mode::Filter,
            Mode::Identify,
            Mode::Amount,
            Mode::Ready,
            Mode::Checking,
            Mode::Again,
            Mode::Unknown,
            Mode::Closed,
            Mode::Form,
            Mode::Picker,
            Mode::Help,
        ],
        action: Action::Leave,
        words: "Leave ValMed at once; what is not signed is not recorded",
        hint: "",
    },
    // Not while a signature is on its way: a stopped program would keep others waiting for what it holds.
    Binding {
        chords: &[Key::ctrl('z')],
        modes: &[
            Mode::FirstRun,
            Mode::SignIn,
            Mode::Queue,
            Mode::Stock,
            Mode::Log,
            Mode::Filter,
            Mode::Identify,
            Mode::Amount,
            Mode::Ready,
            Mode::Again,
            Mode::Unknown,
            Mode::Closed,
            Mode::Form,
            Mode::Picker,
            Mode::Help,
        ],
        action: Action::Suspend,
        words: "Back to the shell for a while ('fg' returns); local terminals only",
        hint: "",
    },
];

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
    use std::collections::HashSet;

    /// A list that the compiler keeps complete: a new action does not compile until it stands here.
    fn every_action() -> Vec<Action> {
        use Action::*;
        let next = |action: Action| match action {
            Open => Some(Discontinue),
            Discontinue => Some(Receive),
            Receive => Some(Filter),
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
            SignOut => Some(Leave),
            Leave => Some(Suspend),
            Suspend => Some(SignIn),
            SignIn => Some(Check),
            Check => Some(Sign),
            Sign => Some(Close),
            Close => Some(NextField),
            NextField => Some(PreviousField),
            PreviousField => Some(Choose),
            Choose => None,
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
