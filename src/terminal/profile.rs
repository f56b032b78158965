//! What a terminal can do, from what it says about itself.

use crate::tui::{Charset, Colours, Theme};

/// What a terminal can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Colours.
    pub colours: Colours,
    /// Characters.
    pub charset: Charset,
    /// It has a second screen, so that what was there before comes back.
    pub alternate: bool,
    /// It can hide the cursor.
    pub hides_cursor: bool,
    /// It reports the mouse, and pasted text as such.
    pub reports: bool,
}

/// Terminals of paper or glass that have one screen, no colours and seven bits. By the beginning of their name.
const PLAIN: &[&str] = &[
    "vt1", "vt2", "vt3", "vt4", "vt5", "ansi", "dumb", "wyse", "wy",
];

impl Profile {
    /// The profile of a terminal whose environment gives these variables: TERM, COLORTERM, NO_COLOR, and the locale
    /// by LC_ALL, LC_CTYPE, LANG, of which the first that is set counts.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Profile {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default().to_ascii_lowercase();
        let plain = term.is_empty() || PLAIN.iter().any(|name| term.starts_with(name));
        let colours = match () {
            () if plain || set("NO_COLOR").is_some() || term.ends_with("-mono") => Colours::None,
            () if says_true(set("COLORTERM")) || term.ends_with("-direct") => Colours::True,
            () if term.contains("256") => Colours::Many,
            () => Colours::Sixteen,
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(set)
            .unwrap_or_default()
            .to_ascii_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        let console = term == "linux";
        Profile {
            colours,
            charset: if utf8 && !plain {
                Charset::Unicode
            } else {
                Charset::Ascii
            },
            alternate: !plain && !console,
            // A vt220 can, a vt100 cannot; it ignores being asked to.
            hides_cursor: term != "dumb" && !term.is_empty() && !term.starts_with("vt1"),
            reports: !plain && !console,
        }
    }

    /// The theme for it.
    pub fn theme(&self) -> Theme {
        Theme::new(self.colours, self.charset)
    }
}

fn says_true(colorterm: Option<String>) -> bool {
    colorterm.is_some_and(|value| value == "truecolor" || value == "24bit")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(variables: &[(&str, &str)]) -> Profile {
        Profile::of(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn terminals_are_told_apart() {
        let utf8 = ("LANG", "en_GB.UTF-8");
        let xterm = profile(&[("TERM", "xterm-256color"), utf8]);
        assert_eq!(xterm.colours, Colours::Many);
        assert_eq!(xterm.charset, Charset::Unicode);
        assert!(xterm.alternate && xterm.reports && xterm.hides_cursor);
        let truecolor = profile(&[("TERM", "tmux-256color"), ("COLORTERM", "truecolor")]);
        assert_eq!(truecolor.colours, Colours::True);
        assert_eq!(truecolor.charset, Charset::Ascii, "no locale: seven bits");
        let linux = profile(&[("TERM", "linux"), utf8]);
        assert_eq!(linux.colours, Colours::Sixteen);
        assert!(!linux.alternate && linux.hides_cursor);
        for term in ["vt100", "vt220", "dumb", ""] {
            let plain = profile(&[("TERM", term), utf8, ("COLORTERM", "truecolor")]);
            assert_eq!(plain.colours, Colours::None, "{term}");
            assert_eq!(plain.charset, Charset::Ascii, "{term}");
            assert!(!plain.alternate && !plain.reports, "{term}");
        }
        assert!(!profile(&[("TERM", "vt100")]).hides_cursor);
        assert!(profile(&[("TERM", "vt220")]).hides_cursor);
    }

    #[test]
    fn no_color_and_the_locale_are_heeded() {
        let colours = profile(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]).colours;
        assert_eq!(colours, Colours::None);
        let empty = profile(&[("TERM", "xterm"), ("NO_COLOR", "")]).colours;
        assert_eq!(empty, Colours::Sixteen, "an empty NO_COLOR says nothing");
        let charset =
            profile(&[("TERM", "xterm"), ("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).charset;
        assert_eq!(charset, Charset::Ascii, "LC_ALL goes before LANG");
    }
}
