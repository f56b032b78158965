//! What a person has set about their terminal, over what it says of itself.

use super::charset::Charset;
use super::theme::Colours;

/// What is set; `None`: as the terminal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// How many colours.
    pub colours: Option<Colours>,
    /// Which characters.
    pub charset: Option<Charset>,
    /// Read aloud, in lines; or drawn.
    pub plain: Option<bool>,
}

/// Where a terminal is, and what is set about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Where, and what it calls itself: `192.0.2.7 vt220`.
    pub name: String,
    /// What is set now.
    pub look: Look,
    /// It can be kept for the next time.
    pub keeps: bool,
}

/// The variables that set it: on this machine the settings of the same names, over SSH where the client sends them.
pub const VARIABLES: [&str; 3] = [
    "VALMED_TERMINAL_COLOURS",
    "VALMED_TERMINAL_CHARSET",
    "VALMED_TERMINAL_PLAIN",
];

impl Colours {
    /// All, from none to many.
    pub const ALL: [Colours; 5] = [
        Colours::None,
        Colours::Eight,
        Colours::Sixteen,
        Colours::Many,
        Colours::True,
    ];

    /// The word for it in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Colours::None => "none",
            Colours::Eight => "8",
            Colours::Sixteen => "16",
            Colours::Many => "256",
            Colours::True => "true",
        }
    }
}

impl Charset {
    /// All, from many characters to few.
    pub const ALL: [Charset; 4] = [
        Charset::Unicode,
        Charset::Latin1,
        Charset::Dec,
        Charset::Ascii,
    ];

    /// The word for it in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Charset::Unicode => "utf-8",
            Charset::Latin1 => "latin-1",
            Charset::Dec => "vt",
            Charset::Ascii => "ascii",
        }
    }
}

impl Look {
    /// What the words say; one that means nothing sets nothing.
    pub fn of_words(colours: &str, charset: &str, plain: &str) -> Look {
        let colours = Colours::ALL.into_iter().find(|c| c.as_str() == colours);
        let charset = Charset::ALL.into_iter().find(|c| c.as_str() == charset);
        let plain = match plain {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        };
        Look {
            colours,
            charset,
            plain,
        }
    }

    /// What the variables say.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Look {
        let [colours, charset, plain] = VARIABLES.map(|name| variable(name).unwrap_or_default());
        Look::of_words(&colours, &charset, &plain)
    }

    /// This, and where it says nothing, the other.
    #[must_use]
    pub fn or(self, other: Look) -> Look {
        Look {
            colours: self.colours.or(other.colours),
            charset: self.charset.or(other.charset),
            plain: self.plain.or(other.plain),
        }
    }

    /// The words for it, as [`Look::of_words`] takes them; empty: as the terminal says.
    pub fn words(self) -> (&'static str, &'static str, &'static str) {
        (
            self.colours.map_or("", Colours::as_str),
            self.charset.map_or("", Charset::as_str),
            self.plain
                .map_or("", |plain| if plain { "true" } else { "false" }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_the_same_both_ways() {
        for colours in Colours::ALL.map(Some).into_iter().chain([None]) {
            for charset in Charset::ALL.map(Some).into_iter().chain([None]) {
                for plain in [None, Some(true), Some(false)] {
                    let look = Look {
                        colours,
                        charset,
                        plain,
                    };
                    let (a, b, c) = look.words();
                    assert_eq!(Look::of_words(a, b, c), look);
                }
            }
        }
        assert_eq!(Look::of_words("pink", "ebcdic", "perhaps"), Look::default());
    }

    #[test]
    fn what_is_said_counts_before_what_was_kept() {
        let said = Look::of_words("16", "", "");
        let kept = Look::of_words("none", "latin-1", "true");
        assert_eq!(said.or(kept), Look::of_words("16", "latin-1", "true"));
    }
}
