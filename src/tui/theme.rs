//! Colours and symbols by role. The only place that names a colour; meaning is never in the colour alone, so every
//! role here goes with a word or a marker where it is used.

use std::borrow::Cow;

use ratatui::style::{Color, Modifier, Style};

pub use super::charset::Charset;

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// None: bold, underline and reverse only.
    None,
    /// The first eight: a brighter one is a bold one.
    Eight,
    /// The sixteen that the person at the terminal has chosen.
    Sixteen,
    /// The 256 of xterm.
    Many,
    /// 24 bits.
    True,
}

/// The drawing characters of a charset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbols {
    /// Horizontal line.
    pub rule: &'static str,
    /// Vertical line.
    pub wall: &'static str,
    /// Where text was cut.
    pub mark: &'static str,
    /// Before the selected row.
    pub marker: &'static str,
    /// Filled part of a bar.
    pub full: &'static str,
    /// Empty part of a bar.
    pub empty: &'static str,
    /// Between two facts on one line.
    pub dot: &'static str,
    /// For each character of a secret.
    pub secret: &'static str,
    /// Before what went well.
    pub tick: &'static str,
    /// A number as the height of one cell, from little to much.
    pub spark: [&'static str; 8],
    /// The cell of the number nothing.
    pub nothing: &'static str,
}

/// In weight what the others have in height.
const WEIGHTS: [&str; 8] = [".", ":", "-", "=", "+", "*", "%", "#"];

const UNICODE: Symbols = Symbols {
    rule: "─",
    wall: "│",
    mark: "…",
    marker: ">",
    full: "█",
    empty: "░",
    dot: "·",
    secret: "•",
    tick: "✓",
    spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    nothing: " ",
};

/// With the drawing set of VT terminals.
const LINES: Symbols = Symbols {
    rule: "─",
    wall: "│",
    mark: "~",
    marker: ">",
    full: "▒",
    empty: "·",
    dot: "·",
    secret: "*",
    tick: "+",
    spark: WEIGHTS,
    nothing: " ",
};

const ASCII: Symbols = Symbols {
    rule: "-",
    wall: "|",
    mark: "~",
    marker: ">",
    full: "#",
    empty: ".",
    dot: "-",
    secret: "*",
    tick: "+",
    spark: WEIGHTS,
    nothing: " ",
};

/// Nothing is drawn around words that are read aloud.
const SPOKEN: Symbols = Symbols {
    rule: "",
    wall: "",
    mark: "...",
    marker: ">",
    full: "",
    empty: "",
    dot: ",",
    secret: "*",
    tick: "",
    spark: [""; 8],
    nothing: "",
};

/// What a screen that is read aloud is told beside the words: see [`Theme::plain_mode`]. No terminal is sent these.
pub mod spoken {
    use ratatui::style::Modifier;

    /// The row that keys act on.
    pub const SELECTED: Modifier = Modifier::RAPID_BLINK;
    /// Changes by the clock alone: nobody is told when only this has changed.
    pub const PASSING: Modifier = Modifier::SLOW_BLINK;
    /// The title of a screen.
    pub const TITLE: Modifier = Modifier::ITALIC;
    /// What a sheet is about: where this is another, all of it is.
    pub const ABOUT: Modifier = Modifier::DIM;
    /// The title of a list: its rows are known when one comes back to it.
    pub const LIST: Modifier = Modifier::CROSSED_OUT;
    /// What the keys do: told once.
    pub const HINT: Modifier = Modifier::HIDDEN;
}

/// How things look on one terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    colours: Colours,
    charset: Charset,
    plain: bool,
    /// The drawing characters.
    pub symbols: Symbols,
}

impl Theme {
    /// The theme for a terminal.
    pub fn new(colours: Colours, charset: Charset) -> Theme {
        Theme {
            colours,
            charset,
            plain: false,
            symbols: match charset {
                Charset::Unicode => UNICODE,
                Charset::Latin1 | Charset::Dec => LINES,
                Charset::Ascii => ASCII,
            },
        }
    }

    /// The same for a screen reader: no lines and bars, one pane at a time, and beside the words what [`spoken`] says.
    #[must_use]
    pub fn plain_mode(self) -> Theme {
        Theme {
            plain: true,
            symbols: SPOKEN,
            ..self
        }
    }

    /// How many colours there are.
    pub fn colours(&self) -> Colours {
        self.colours
    }

    /// Which characters there are.
    pub fn charset(&self) -> Charset {
        self.charset
    }

    /// Whether it is for a screen reader.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    fn spoken(&self, style: Style, what: Modifier) -> Style {
        if self.plain {
            style.add_modifier(what)
        } else {
            style
        }
    }

    /// What changes by the clock alone.
    pub fn passing(&self, style: Style) -> Style {
        self.spoken(style, spoken::PASSING)
    }

    /// What keys do, on the bottom line.
    pub fn hint(&self, style: Style) -> Style {
        self.spoken(style, spoken::HINT)
    }

    /// The title of a list.
    pub fn list_title(&self, focused: bool) -> Style {
        self.spoken(self.title(focused), spoken::LIST)
    }

    /// Text from data, safe to draw on this terminal: see [`Charset::text`].
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.charset.text(text)
    }

    fn colour(&self, sixteen: Color, many: u8, (r, g, b): (u8, u8, u8)) -> Style {
        match self.colours {
            Colours::None => Style::new(),
            Colours::Eight => Style::new().fg(dimmed(sixteen)),
            Colours::Sixteen => Style::new().fg(sixteen),
            Colours::Many => Style::new().fg(Color::Indexed(many)),
            Colours::True => Style::new().fg(Color::Rgb(r, g, b)),
        }
    }

    fn red(&self) -> Style {
        self.colour(Color::LightRed, 203, (0xf2, 0x5f, 0x5c))
    }

    fn amber(&self) -> Style {
        self.colour(Color::Yellow, 214, (0xe0, 0xa0, 0x30))
    }

    fn green(&self) -> Style {
        self.colour(Color::Green, 71, (0x5f, 0xaf, 0x5f))
    }

    fn blue(&self) -> Style {
        self.colour(Color::Cyan, 74, (0x5f, 0xaf, 0xd7))
    }

    /// Plain text.
    pub fn plain(&self) -> Style {
        Style::new()
    }

    /// What may be read over: column heads, hints, rules. Never anything that a dose depends on.
    pub fn faint(&self) -> Style {
        match self.colours {
            // Faint is not there, or not legible, on terminals without colours or with eight.
            Colours::None | Colours::Eight => Style::new(),
            Colours::Sixteen => Style::new().fg(Color::DarkGray),
            Colours::Many => Style::new().fg(Color::Indexed(245)),
            Colours::True => Style::new().fg(Color::Rgb(0x8a, 0x8f, 0x98)),
        }
    }

    /// What must be read first: names of patients and drugs on a sheet.
    pub fn strong(&self) -> Style {
        self.spoken(Style::new().add_modifier(Modifier::BOLD), spoken::ABOUT)
    }

    /// The line at the top.
    pub fn header(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What must be seen from across the room: DEMO, STALE.
    pub fn loud(&self) -> Style {
        self.red().add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// The rule above a pane.
    pub fn rule(&self, focused: bool) -> Style {
        if focused { self.blue() } else { self.faint() }
    }

    /// A pane's or sheet's title.
    pub fn title(&self, focused: bool) -> Style {
        if self.plain {
            Style::new().add_modifier(spoken::TITLE)
        } else if focused {
            self.blue()
                .add_modifier(Modifier::BOLD | Modifier::REVERSED)
        } else {
            Style::new().add_modifier(Modifier::BOLD)
        }
    }

    /// A group's heading inside a list.
    pub fn heading(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    /// The row that keys act on.
    pub fn selected(&self, focused: bool) -> Style {
        if self.plain {
            Style::new().add_modifier(spoken::SELECTED)
        } else if focused {
            Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED)
        } else {
            Style::new().add_modifier(Modifier::BOLD)
        }
    }

    /// Past its time.
    pub fn late(&self) -> Style {
        self.red().add_modifier(Modifier::BOLD)
    }

    /// Within the window.
    pub fn due(&self) -> Style {
        self.amber()
    }

    /// Before everything else.
    pub fn stat(&self) -> Style {
        self.red().add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// Stock at or below its threshold.
    pub fn low(&self) -> Style {
        self.amber().add_modifier(Modifier::BOLD)
    }

    /// No stock.
    pub fn out(&self) -> Style {
        self.red().add_modifier(Modifier::BOLD)
    }

    /// Enough, done, live.
    pub fn good(&self) -> Style {
        self.green()
    }

    /// To be heeded before signing: allergies, high-alert, limits.
    pub fn warning(&self) -> Style {
        self.amber().add_modifier(Modifier::BOLD)
    }

    /// What was refused or went wrong.
    pub fn wrong(&self) -> Style {
        self.red().add_modifier(Modifier::BOLD)
    }

    /// Where one types.
    pub fn field(&self, focused: bool) -> Style {
        if focused {
            Style::new().add_modifier(Modifier::UNDERLINED | Modifier::BOLD)
        } else {
            Style::new().add_modifier(Modifier::UNDERLINED)
        }
    }

    /// A key's name in hints and help.
    pub fn key(&self) -> Style {
        self.blue().add_modifier(Modifier::BOLD)
    }

    /// The key that signs.
    pub fn sign(&self) -> Style {
        self.green()
            .add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }
}

/// Of the sixteen, the one of the first eight.
fn dimmed(colour: Color) -> Color {
    match colour {
        Color::LightRed => Color::Red,
        Color::LightGreen => Color::Green,
        Color::LightYellow => Color::Yellow,
        Color::LightBlue => Color::Blue,
        Color::LightMagenta => Color::Magenta,
        Color::LightCyan => Color::Cyan,
        Color::White => Color::Gray,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_bit_terminals_get_letters_without_marks() {
        let theme = Theme::new(Colours::None, Charset::Ascii);
        assert_eq!(theme.text("Kowalska, Zoë"), "Kowalska, Zoe");
        assert_eq!(theme.text("Łukasz Yılmaz Størm"), "Lukasz Yilmaz Storm");
        assert_eq!(theme.text("5 µg\u{202E}"), "5 ug#");
        assert_eq!(theme.text("山田 \u{1b}[2J"), "Shan Tian #[2J");
        let theme = Theme::new(Colours::None, Charset::Unicode);
        assert_eq!(theme.text("Zoë"), "Zoë");
    }

    #[test]
    fn without_colours_nothing_is_coloured() {
        let theme = Theme::new(Colours::None, Charset::Ascii);
        for style in [
            theme.faint(),
            theme.loud(),
            theme.late(),
            theme.due(),
            theme.stat(),
            theme.low(),
            theme.out(),
            theme.good(),
            theme.warning(),
            theme.wrong(),
            theme.title(true),
            theme.rule(true),
            theme.key(),
            theme.sign(),
        ] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }
}
