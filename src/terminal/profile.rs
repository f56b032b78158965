//! What a terminal can do, from what it says about itself.

use crate::tui::{Charset, Colours, Look, Theme};

/// What a terminal can do. What is not known of it is not asked of it.
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
    /// It says where a pasted text begins and ends.
    pub paste: bool,
    /// It reports the mouse.
    pub mouse: bool,
    /// It shows what is written between two marks at once (mode 2026).
    pub synchronized: bool,
    /// It answers when it is asked how it is (`ESC[5n`), which tells how far it has read.
    pub answers: bool,
    /// It scrolls a part of its screen (DECSTBM).
    pub scrolls: bool,
    /// It erases a number of characters (ECH).
    pub erases: bool,
    /// It repeats a character (REP).
    pub repeats: bool,
    /// It goes to a column or a row (CHA, VPA).
    pub jumps: bool,
    /// It takes single attributes back (SGR 22, 24, 27).
    pub takes_back: bool,
    /// Its screen is read aloud: what changes is said in lines, and nothing is drawn.
    pub plain: bool,
}

/// Terminals that are alike. By their names; source: the terminfo entries of ncurses 6.4 and the manuals of VT100 and
/// VT220.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// Of which nothing is known but that it goes to a place and clears its screen.
    Bare,
    /// VT100 to VT132.
    Vt100,
    /// VT220 and its successors.
    Vt220,
    /// The console of Linux.
    Console,
    /// GNU screen.
    Screen,
    /// tmux.
    Tmux,
    /// PuTTY, where it says so: mostly it says xterm.
    Putty,
    /// xterm, or what calls itself so.
    Xterm,
    /// The many that do what xterm does, but repeat nothing.
    Like,
    /// Such of them as draw a frame at once.
    Swift,
}

/// The beginnings of names. The first that fits counts.
const NAMES: &[(&str, Family)] = &[
    ("vt1", Family::Vt100),
    ("vt2", Family::Vt220),
    ("vt3", Family::Vt220),
    ("vt4", Family::Vt220),
    ("vt5", Family::Vt220),
    ("linux", Family::Console),
    ("screen", Family::Screen),
    ("tmux", Family::Tmux),
    ("putty", Family::Putty),
    ("xterm-kitty", Family::Swift),
    ("xterm-ghostty", Family::Swift),
    ("xterm", Family::Xterm),
    ("alacritty", Family::Swift),
    ("contour", Family::Swift),
    ("foot", Family::Swift),
    ("mintty", Family::Swift),
    ("wezterm", Family::Swift),
    ("eterm", Family::Like),
    ("gnome", Family::Like),
    ("iterm", Family::Like),
    ("kitty", Family::Like),
    ("konsole", Family::Like),
    ("mlterm", Family::Like),
    ("nsterm", Family::Like),
    ("rxvt", Family::Like),
    ("st-", Family::Like),
    ("vte", Family::Like),
];

impl Family {
    fn of(term: &str) -> Family {
        let named = NAMES.iter().find(|(name, _)| term.starts_with(name));
        named.map_or(Family::Bare, |(_, family)| *family)
    }

    /// Whether it is a window on a desk of today, or is made to look like one.
    fn is_window(self) -> bool {
        use Family::{Like, Putty, Screen, Swift, Tmux, Xterm};
        matches!(self, Screen | Tmux | Putty | Xterm | Like | Swift)
    }

    fn colours(self, term: &str, set: &impl Fn(&str) -> Option<String>) -> Colours {
        match self {
            _ if set("NO_COLOR").is_some() || term.ends_with("-mono") || term.ends_with("-m") => {
                Colours::None
            }
            Family::Bare | Family::Vt100 | Family::Vt220 => Colours::None,
            Family::Console => Colours::Eight,
            // What its own terminal says of itself is no news of what screen passes on.
            Family::Screen if term.contains("256") => Colours::Many,
            Family::Screen => Colours::Sixteen,
            _ if says_true(set("COLORTERM")) || term.ends_with("-direct") => Colours::True,
            Family::Swift => Colours::Many,
            _ if term.contains("256") => Colours::Many,
            _ => Colours::Sixteen,
        }
    }

    fn charset(self, locale: &str) -> Charset {
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        let latin1 = ["8859-1", "8859-15", "88591", "885915", "latin1"]
            .iter()
            .any(|name| locale.ends_with(name) || locale.contains(&format!("{name}@")));
        match self {
            Family::Bare => Charset::Ascii,
            // Its own characters, whatever the machine that it hangs on has for a locale.
            Family::Vt100 => Charset::Dec,
            Family::Vt220 if latin1 => Charset::Latin1,
            Family::Vt220 => Charset::Dec,
            _ if utf8 => Charset::Unicode,
            _ if latin1 => Charset::Latin1,
            // It may well be one of UTF-8 that says nothing of it, and such a one ignores the drawing set.
            _ => Charset::Ascii,
        }
    }
}

impl Profile {
    /// The profile of a terminal whose environment gives these variables: TERM, COLORTERM, NO_COLOR, and the locale
    /// by LC_ALL, LC_CTYPE, LANG, of which the first that is set counts.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Profile {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default().to_ascii_lowercase();
        let family = Family::of(&term);
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(set)
            .unwrap_or_default()
            .to_ascii_lowercase();
        let window = family.is_window();
        let console = family == Family::Console;
        let vt220 = family == Family::Vt220;
        let bare = family == Family::Bare;
        let profile = Profile {
            colours: family.colours(&term, &set),
            charset: family.charset(&locale),
            alternate: window,
            hides_cursor: window || console || vt220,
            paste: window && family != Family::Screen,
            mouse: window,
            synchronized: family == Family::Swift,
            answers: !bare,
            scrolls: !bare,
            erases: console || vt220 || (window && family != Family::Screen),
            repeats: family == Family::Xterm,
            jumps: window || console,
            takes_back: window || console || vt220,
            plain: false,
        };
        // It goes nowhere on its screen: what it can do is take lines.
        if term == "dumb" {
            profile.plain_mode()
        } else {
            profile
        }
    }

    /// The theme for it.
    pub fn theme(&self) -> Theme {
        let theme = Theme::new(self.colours, self.charset);
        if self.plain {
            theme.plain_mode()
        } else {
            theme
        }
    }

    /// The same terminal as somebody has set it.
    #[must_use]
    pub fn with(self, look: Look) -> Profile {
        let profile = Profile {
            colours: look.colours.unwrap_or(self.colours),
            charset: look.charset.unwrap_or(self.charset),
            ..self
        };
        match look.plain {
            Some(true) => profile.plain_mode(),
            Some(false) => Profile {
                plain: false,
                ..profile
            },
            None => profile,
        }
    }

    /// The same terminal, read aloud: nothing is asked of it but that it takes one line after the other.
    #[must_use]
    pub fn plain_mode(self) -> Profile {
        Profile {
            colours: Colours::None,
            alternate: false,
            hides_cursor: false,
            mouse: false,
            synchronized: false,
            scrolls: false,
            erases: false,
            repeats: false,
            jumps: false,
            takes_back: false,
            plain: true,
            ..self
        }
    }

    /// What takes it over: its second screen, reports of paste and mouse, as far as it has them.
    pub fn hello(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.alternate {
            bytes.extend_from_slice(b"\x1b[?1049h");
        }
        if self.paste {
            bytes.extend_from_slice(b"\x1b[?2004h");
        }
        if self.mouse {
            // Presses and the wheel, with places beyond column 223.
            bytes.extend_from_slice(b"\x1b[?1000h\x1b[?1006h");
        }
        bytes
    }

    /// What gives it back, from whatever it was in the middle of.
    pub fn goodbye(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = Vec::new();
        if self.plain {
            if self.paste {
                bytes.extend_from_slice(b"\x1b[?2004l");
            }
            bytes.extend_from_slice(b"\r\n");
            return bytes;
        }
        if self.synchronized {
            bytes.extend_from_slice(b"\x1b[?2026l");
        }
        if matches!(self.charset, Charset::Dec | Charset::Latin1) {
            bytes.push(SHIFT_IN);
        }
        bytes.extend_from_slice(b"\x1b[0m");
        if self.scrolls {
            bytes.extend_from_slice(b"\x1b[r");
        }
        if self.mouse {
            bytes.extend_from_slice(b"\x1b[?1006l\x1b[?1000l");
        }
        if self.paste {
            bytes.extend_from_slice(b"\x1b[?2004l");
        }
        if self.alternate {
            bytes.extend_from_slice(b"\x1b[?1049l");
        } else {
            // Without a second screen there is nothing to go back to: leave an empty one.
            bytes.extend_from_slice(b"\x1b[2J\x1b[H");
        }
        if self.hides_cursor {
            bytes.extend_from_slice(b"\x1b[?25h");
        }
        bytes
    }
}

/// Back to the first set of characters.
pub(super) const SHIFT_IN: u8 = 0x0F;

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

    const UTF8: (&str, &str) = ("LANG", "en_GB.UTF-8");
    const TRUE: (&str, &str) = ("COLORTERM", "truecolor");

    #[test]
    fn windows_have_colours_and_a_second_screen() {
        let xterm = profile(&[("TERM", "xterm-256color"), UTF8]);
        assert_eq!(
            (xterm.colours, xterm.charset),
            (Colours::Many, Charset::Unicode)
        );
        assert!(xterm.alternate && xterm.paste && xterm.mouse && xterm.hides_cursor);
        assert!(xterm.repeats && xterm.erases && xterm.scrolls && !xterm.synchronized);
        let tmux = profile(&[("TERM", "tmux-256color"), TRUE]);
        assert_eq!(tmux.colours, Colours::True);
        assert_eq!(tmux.charset, Charset::Ascii, "no locale: seven bits");
        assert!(!tmux.repeats && tmux.paste);
        let screen = profile(&[("TERM", "screen.xterm-256color"), TRUE, UTF8]);
        assert_eq!(screen.colours, Colours::Many, "not what is around it");
        assert!(!screen.paste && !screen.erases && !screen.repeats);
        let putty = profile(&[("TERM", "putty"), UTF8]);
        assert!(!putty.repeats && putty.erases);
        let kitty = profile(&[("TERM", "xterm-kitty"), UTF8]);
        assert!(kitty.synchronized && !kitty.repeats);
    }

    #[test]
    fn terminals_of_glass_are_told_apart() {
        let linux = profile(&[("TERM", "linux"), UTF8, TRUE]);
        assert_eq!(linux.colours, Colours::Eight);
        assert!(!linux.alternate && linux.hides_cursor && linux.erases && !linux.mouse);
        for (term, charset) in [
            ("vt100", Charset::Dec),
            ("vt220", Charset::Dec),
            ("dumb", Charset::Ascii),
            ("", Charset::Ascii),
            ("wyse60", Charset::Ascii),
        ] {
            let plain = profile(&[("TERM", term), UTF8, TRUE]);
            assert_eq!(plain.colours, Colours::None, "{term}");
            assert_eq!(plain.charset, charset, "{term}");
            assert!(
                !plain.alternate && !plain.mouse && !plain.paste && !plain.jumps,
                "{term}"
            );
        }
        let vt100 = profile(&[("TERM", "vt100")]);
        assert!(!vt100.hides_cursor && !vt100.erases && !vt100.takes_back && vt100.scrolls);
        let vt220 = profile(&[("TERM", "vt220")]);
        assert!(vt220.hides_cursor && vt220.erases && vt220.takes_back);
        assert!(!profile(&[("TERM", "dumb")]).scrolls);
    }

    #[test]
    fn no_color_and_the_locale_are_heeded() {
        let colours = profile(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]).colours;
        assert_eq!(colours, Colours::None);
        let empty = profile(&[("TERM", "xterm"), ("NO_COLOR", "")]).colours;
        assert_eq!(empty, Colours::Sixteen, "an empty NO_COLOR says nothing");
        let charset = |locale: &[(&str, &str)]| {
            let mut variables = vec![("TERM", "xterm")];
            variables.extend_from_slice(locale);
            profile(&variables).charset
        };
        assert_eq!(
            charset(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]),
            Charset::Ascii,
            "LC_ALL goes before LANG"
        );
        for latin1 in [
            "de_DE.ISO-8859-1",
            "de_DE.iso885915@euro",
            "fr_FR.ISO8859-15",
        ] {
            assert_eq!(charset(&[("LANG", latin1)]), Charset::Latin1, "{latin1}");
        }
        assert_eq!(charset(&[("LANG", "pl_PL.ISO-8859-2")]), Charset::Ascii);
    }

    #[test]
    fn what_is_taken_is_given_back() {
        for term in ["xterm", "screen", "linux", "vt220", "vt100", "dumb", "foot"] {
            let profile = profile(&[("TERM", term), UTF8]);
            let hello = String::from_utf8(profile.hello()).unwrap();
            let goodbye = String::from_utf8(profile.goodbye()).unwrap();
            for mode in hello.split("\x1b[").filter(|mode| !mode.is_empty()) {
                let back = format!("\x1b[{}", mode.replace('h', "l"));
                assert!(goodbye.contains(&back), "{term}: {mode}");
            }
        }
    }
}
