//! What a scanner types, told from what a person types.
//!
//! A scanner that is a keyboard sends the characters of a code within some milliseconds of each other, and mostly Enter
//! or Tab behind them. Nobody types like that. What comes so is handed on as one text, so that no part of it is ever
//! taken as a command; everything else goes on as the keys that it is. Scanners may also be set to begin each code with a
//! prefix of their own: what begins with that is a code, however slowly it comes.
//!
//! It does no I/O and reads no clock: whoever feeds it says when. To know what a character begins it is held back for as
//! long as the next one of a scan would take; a person sees their own key that much later, and does not notice.

use std::time::{Duration, Instant};

use super::input::Input;
use crate::tui::{Code, Key};

/// Fewer characters at once are keys that came together: rolling fingers, or a slow network that caught up. No wristband,
/// badge or package has a number as short.
const SHORTEST: usize = 4;
/// So many of the same character are a key that is held down.
const REPEATED: usize = 3;
/// A scan that has begun may stall for so long on its way: networks cut it in pieces.
const REST: Duration = Duration::from_millis(250);
/// More than any code has; what goes on and on is not held back for ever.
const LONGEST: usize = 1024;

/// How scans are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Characters that follow each other faster than this are scanned; `None`: speed says nothing here.
    pub gap: Option<Duration>,
    /// What every code begins with, where scanners are set so; empty: nothing. It is taken off.
    pub prefix: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            // A keyboard scanner on a slow port takes 16 ms for a character; a quick hand 60.
            gap: Some(Duration::from_millis(30)),
            prefix: String::new(),
        }
    }
}

/// Makes scans out of keys.
#[derive(Debug)]
pub struct Scanner {
    settings: Settings,
    /// Characters that may be the beginning of a scan.
    held: String,
    /// When the last of them came.
    last: Option<Instant>,
}

impl Scanner {
    /// One that knows scans so.
    pub fn new(settings: Settings) -> Scanner {
        Scanner {
            settings,
            held: String::new(),
            last: None,
        }
    }

    /// Takes what came at `now`, and adds what it means to `heard`.
    pub fn feed(&mut self, input: Input, now: Instant, heard: &mut Vec<Input>) {
        self.expire(now, heard);
        let Input::Key(key) = input else {
            self.let_go(None, heard);
            heard.push(input);
            return;
        };
        match (character(key), key.code) {
            (Some(c), _) if self.is_listening() => {
                self.held.push(c);
                self.last = Some(now);
                if self.is_held_down() || self.held.len() >= LONGEST {
                    self.as_keys(heard);
                }
            }
            (None, end @ (Code::Enter | Code::Tab)) if !key.alt && self.is_scan() => {
                self.let_go(Some(end), heard);
            }
            _ => {
                self.let_go(None, heard);
                heard.push(Input::Key(key));
            }
        }
    }

    /// When to call [`Scanner::expire`] if nothing comes before.
    pub fn deadline(&self) -> Option<Instant> {
        let last = self.last.filter(|_| !self.held.is_empty())?;
        // Scanners that name the symbology begin with a bracket; hardly anybody types one.
        let begun = self.is_scan() || self.held.starts_with(']');
        let gap = self.settings.gap.unwrap_or(REST);
        Some(last + if begun { REST } else { gap })
    }

    /// What is held back is what it is, if its time is over at `now`.
    pub fn expire(&mut self, now: Instant, heard: &mut Vec<Input>) {
        if self.deadline().is_some_and(|deadline| now >= deadline) {
            self.let_go(None, heard);
        }
    }

    fn is_listening(&self) -> bool {
        self.settings.gap.is_some() || !self.settings.prefix.is_empty()
    }

    /// Whether what is held back begins as the scanners here do.
    fn after_prefix(&self) -> Option<&str> {
        let prefix = self.settings.prefix.as_str();
        self.held
            .strip_prefix(prefix)
            .filter(|_| !prefix.is_empty())
    }

    /// Whether what is held back can only be a scan.
    fn is_scan(&self) -> bool {
        let fast = self.settings.gap.is_some() && self.held.chars().count() >= SHORTEST;
        fast || self.after_prefix().is_some()
    }

    /// A letter that is held down repeats itself. Digits do that in numbers too, and are no commands anywhere.
    fn is_held_down(&self) -> bool {
        let mut chars = self.held.chars();
        let Some(first) = chars.next().filter(|c| !c.is_ascii_digit()) else {
            return false;
        };
        self.held.chars().count() >= REPEATED && chars.all(|c| c == first)
    }

    /// What is held back goes on: as a scan if it is one, else as keys.
    fn let_go(&mut self, end: Option<Code>, heard: &mut Vec<Input>) {
        if !self.is_scan() {
            return self.as_keys(heard);
        }
        let text = self.after_prefix().unwrap_or(&self.held).to_owned();
        self.held.clear();
        heard.push(Input::Scan { text, end });
    }

    fn as_keys(&mut self, heard: &mut Vec<Input>) {
        let keys = self.held.chars().map(|c| Input::Key(Key::char(c)));
        heard.extend(keys);
        self.held.clear();
    }
}

/// The character of a code that a key is: what types itself, and the separators inside codes.
fn character(key: Key) -> Option<char> {
    match key {
        Key {
            code: Code::Char(c),
            ctrl: false,
            alt: false,
        } if !c.is_control() || ('\u{1c}'..='\u{1f}').contains(&c) => Some(c),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Decoder;
    use crate::terminal::decoder::Heard;
    use crate::tui::Charset;

    const MS: Duration = Duration::from_millis(1);
    /// A package with a group separator inside.
    const PACKAGE: &str = "]d20109501101530003\u{1d}10AB-123\u{1d}17270331";

    /// What a stream of bytes means, each with the pause before it; and what comes of it when all is over.
    fn heard(stream: &[(u8, Duration)], settings: &Settings) -> Vec<Input> {
        let mut now = Instant::now();
        let mut decoder = Decoder::new(Charset::Unicode);
        let mut scanner = Scanner::new(settings.clone());
        let mut all = Vec::new();
        for (byte, pause) in stream {
            // As the session waits: whatever is due by itself comes first.
            while let Some(at) = scanner.deadline().filter(|at| *at <= now + *pause) {
                scanner.expire(at, &mut all);
            }
            now += *pause;
            let mut told = Vec::new();
            decoder.feed(&[*byte], now, &mut told);
            for told in told {
                if let Heard::Input(input) = told {
                    scanner.feed(input, now, &mut all);
                }
            }
        }
        let mut told = Vec::new();
        decoder.expire(now + REST * 8, &mut told);
        for told in told {
            if let Heard::Input(input) = told {
                scanner.feed(input, now + REST * 8, &mut all);
            }
        }
        scanner.expire(now + REST * 8, &mut all);
        assert_eq!(scanner.deadline(), None, "nothing stays behind");
        all
    }

    fn paced(text: &str, pause: Duration) -> Vec<(u8, Duration)> {
        text.bytes().map(|byte| (byte, pause)).collect()
    }

    fn keys(text: &str) -> Vec<Input> {
        let key = |c| Input::Key(Key::char(c).normal());
        text.chars().map(key).collect()
    }

    fn scan(text: &str, end: Option<Code>) -> Input {
        Input::Scan {
            text: text.to_owned(),
            end,
        }
    }

    #[test]
    fn what_a_person_types_is_keys_and_what_a_scanner_types_is_a_scan() {
        let settings = Settings::default();
        for pause in [40, 60, 120, 400] {
            let typed = heard(&paced("qdnx\r", pause * MS), &settings);
            assert_eq!(typed, keys("qdnx\r"), "{pause} ms apart");
        }
        for pause in [0, 1, 8, 16, 25] {
            let scanned = heard(&paced("qdnx1\r", pause * MS), &settings);
            assert_eq!(
                scanned,
                [scan("qdnx1", Some(Code::Enter))],
                "{pause} ms apart"
            );
            let scanned = heard(&paced("qdnx1\t", pause * MS), &settings);
            assert_eq!(
                scanned,
                [scan("qdnx1", Some(Code::Tab))],
                "{pause} ms apart"
            );
        }
    }

    #[test]
    fn the_separators_of_a_code_survive() {
        let scanned = heard(
            &paced(&format!("{PACKAGE}\r\n"), 2 * MS),
            &Settings::default(),
        );
        assert_eq!(scanned, [scan(PACKAGE, Some(Code::Enter))]);
    }

    #[test]
    fn a_scan_that_is_cut_anywhere_on_its_way_is_one_scan_and_never_a_command() {
        let stream = paced(&format!("{PACKAGE}\r"), MS);
        for cut in 1..stream.len() {
            for stall in [20, 100, 200] {
                let mut stream = stream.clone();
                stream[cut].1 = stall * MS;
                let got = heard(&stream, &Settings::default());
                assert_eq!(got, [scan(PACKAGE, Some(Code::Enter))], "{cut} {stall}");
            }
        }
    }

    #[test]
    fn a_scan_without_an_end_is_a_scan_all_the_same() {
        let settings = Settings::default();
        let got = heard(&paced("H21607814", 5 * MS), &settings);
        assert_eq!(got, [scan("H21607814", None)]);
        // What is pressed behind it is a key of its own.
        let mut stream = paced("H21607814", 5 * MS);
        stream.extend(paced("\x1bOQ", 5 * MS));
        let got = heard(&stream, &settings);
        assert_eq!(
            got,
            [scan("H21607814", None), Input::Key(Key::of(Code::F(2)))]
        );
    }

    #[test]
    fn a_key_that_is_held_down_and_keys_that_come_together_are_keys() {
        let settings = Settings::default();
        assert_eq!(
            heard(&paced(&"j".repeat(30), 5 * MS), &settings),
            keys(&"j".repeat(30))
        );
        assert_eq!(heard(&paced("jjk", Duration::ZERO), &settings), keys("jjk"));
        assert_eq!(heard(&paced("n\r", Duration::ZERO), &settings), keys("n\r"));
        let got = heard(&paced("00012345\r", MS), &settings);
        assert_eq!(
            got,
            [scan("00012345", Some(Code::Enter))],
            "numbers begin so"
        );
    }

    #[test]
    fn typing_after_a_scan_is_typing() {
        let mut stream = paced("H21607814\r", MS);
        stream.extend(paced("jq", 90 * MS));
        let got = heard(&stream, &Settings::default());
        let mut expected = vec![scan("H21607814", Some(Code::Enter))];
        expected.extend(keys("jq"));
        assert_eq!(got, expected);
    }

    #[test]
    fn with_a_prefix_a_code_may_come_slowly_and_speed_may_be_left_out() {
        let settings = Settings {
            gap: None,
            prefix: "~~".to_owned(),
        };
        let got = heard(&paced("~~H216\r", 100 * MS), &settings);
        assert_eq!(got, [scan("H216", Some(Code::Enter))]);
        let got = heard(&paced("H21607814\r", MS), &settings);
        assert_eq!(got, keys("H21607814\r"), "speed says nothing here");
        let got = heard(&paced("~x\r", 300 * MS), &settings);
        assert_eq!(got, keys("~x\r"));
        let off = Settings {
            gap: None,
            prefix: String::new(),
        };
        assert_eq!(heard(&paced("H216\r", MS), &off), keys("H216\r"));
    }

    #[test]
    fn a_paste_stays_a_paste() {
        let got = heard(
            &paced("\x1b[200~ab\x1d1\r\x1b[201~", MS),
            &Settings::default(),
        );
        assert_eq!(got, [Input::Paste("ab\u{1d}1\r".to_owned())]);
    }
}
