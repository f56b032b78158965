//! The decoder against tables of real terminals' keys, and against anything at all.

use proptest::prelude::*;

use super::*;
use crate::tui::{Mouse, MouseDid};

fn decoder() -> Decoder {
    Decoder::new(Charset::Unicode)
}

/// What the bytes mean when they come at once and nothing comes after them.
fn heard_by(mut decoder: Decoder, bytes: &[u8]) -> Vec<Heard> {
    let mut heard = Vec::new();
    let now = Instant::now();
    decoder.feed(bytes, now, &mut heard);
    decoder.expire(now + PASTE_REST, &mut heard);
    assert_eq!(decoder.deadline(), None, "nothing is left");
    heard
}

fn heard(bytes: &[u8]) -> Vec<Heard> {
    heard_by(decoder(), bytes)
}

fn keys(bytes: &[u8]) -> Vec<Key> {
    let heard = heard(bytes);
    let keys = heard.iter().map(|heard| match heard {
        Heard::Input(Input::Key(key)) => *key,
        other => panic!("{other:?} is no key"),
    });
    keys.collect()
}

fn of(code: Code) -> Key {
    Key::of(code)
}

fn ctrl(code: Code) -> Key {
    Key {
        ctrl: true,
        ..Key::of(code)
    }
}

fn alt(code: Code) -> Key {
    Key {
        alt: true,
        ..Key::of(code)
    }
}

#[test]
fn keys_of_many_terminals() {
    use Code::*;
    let table: &[(&str, &str, Key)] = &[
        ("vt100", "\x1b[A", of(Up)),
        ("vt100, application cursor", "\x1bOB", of(Down)),
        ("vt100 PF1", "\x1bOP", of(F(1))),
        ("vt100 PF4", "\x1bOS", of(F(4))),
        ("vt100 keypad Enter", "\x1bOM", of(Enter)),
        ("vt100 keypad 0", "\x1bOp", of(Char('0'))),
        ("vt100 keypad 9", "\x1bOy", of(Char('9'))),
        ("vt100 keypad comma", "\x1bOl", of(Char(','))),
        ("vt100 keypad minus", "\x1bOm", of(Char('-'))),
        ("vt100 keypad point", "\x1bOn", of(Char('.'))),
        ("vt220 Find", "\x1b[1~", of(Home)),
        ("vt220 Insert", "\x1b[2~", of(Insert)),
        ("vt220 Remove", "\x1b[3~", of(Delete)),
        ("vt220 Select", "\x1b[4~", of(End)),
        ("vt220 Prev", "\x1b[5~", of(PageUp)),
        ("vt220 Next", "\x1b[6~", of(PageDown)),
        ("vt220 F6", "\x1b[17~", of(F(6))),
        ("vt220 F10", "\x1b[21~", of(F(10))),
        ("vt220 F11", "\x1b[23~", of(F(11))),
        ("vt220 F14", "\x1b[26~", of(F(14))),
        ("vt220 Help", "\x1b[28~", of(F(15))),
        ("vt220 Do", "\x1b[29~", of(F(16))),
        ("vt220 F17", "\x1b[31~", of(F(17))),
        ("vt220 F20", "\x1b[34~", of(F(20))),
        ("linux F1", "\x1b[[A", of(F(1))),
        ("linux F5", "\x1b[[E", of(F(5))),
        ("linux F6", "\x1b[17~", of(F(6))),
        ("linux Home", "\x1b[1~", of(Home)),
        ("xterm Home", "\x1b[H", of(Home)),
        ("xterm End", "\x1bOF", of(End)),
        ("xterm F3", "\x1bOR", of(F(3))),
        ("xterm F5", "\x1b[15~", of(F(5))),
        ("xterm F12", "\x1b[24~", of(F(12))),
        ("xterm Ctrl-Right", "\x1b[1;5C", ctrl(Right)),
        ("xterm Alt-Up", "\x1b[1;3A", alt(Up)),
        ("xterm Shift-F2", "\x1b[1;2Q", of(F(2))),
        ("xterm Ctrl-Delete", "\x1b[3;5~", ctrl(Delete)),
        ("xterm Shift-Tab", "\x1b[Z", of(BackTab)),
        ("xterm modifyOtherKeys", "\x1b[27;5;112~", Key::ctrl('p')),
        ("kitty Ctrl-G", "\x1b[103;5u", Key::ctrl('g')),
        ("kitty Shift-Tab", "\x1b[9;2u", of(BackTab)),
        ("rxvt Home", "\x1b[7~", of(Home)),
        ("rxvt End", "\x1b[8~", of(End)),
        ("rxvt F1", "\x1b[11~", of(F(1))),
        ("rxvt Shift-Up", "\x1b[a", of(Up)),
        ("rxvt Ctrl-Down", "\x1bOb", ctrl(Down)),
        ("rxvt Shift-PgUp", "\x1b[5$", of(PageUp)),
        ("rxvt Ctrl-PgDn", "\x1b[6^", ctrl(PageDown)),
        ("rxvt Alt-Left", "\x1b\x1b[D", alt(Left)),
        ("putty F4", "\x1b[14~", of(F(4))),
        ("konsole Shift-F1", "\x1bO2P", of(F(1))),
        ("vt100 Backspace", "\x08", of(Backspace)),
        ("xterm Backspace", "\x7f", of(Backspace)),
        ("Return", "\r", of(Enter)),
        ("line feed", "\n", of(Enter)),
        ("Tab", "\t", of(Tab)),
        ("Ctrl-C", "\x03", Key::ctrl('c')),
        ("Ctrl-Z", "\x1a", Key::ctrl('z')),
        ("Alt-x", "\x1bx", alt(Char('x'))),
        ("a letter", "é", of(Char('é'))),
        ("a scanner's group separator", "\x1d", Key::char('\u{1d}')),
        ("a scanner's record separator", "\x1e", Key::char('\u{1e}')),
    ];
    for (what, bytes, key) in table {
        assert_eq!(keys(bytes.as_bytes()), [*key], "{what}");
    }
}

#[test]
fn eight_bit_controls() {
    for charset in [Charset::Latin1, Charset::Dec, Charset::Ascii] {
        let up = heard_by(Decoder::new(charset), b"\x9bA\x8fP\x9b17~");
        let expected = [of(Code::Up), of(Code::F(1)), of(Code::F(6))];
        assert_eq!(up, expected.map(|key| Heard::Input(Input::Key(key))));
    }
    assert_eq!(keys("\u{9b}A".as_bytes()), [of(Code::Up)], "as UTF-8");
    assert_eq!(
        keys(b"\x9bA"),
        [Key::char(REPLACEMENT), Key::char('A')],
        "in UTF-8 it is half of something"
    );
}

#[test]
fn letters_in_each_charset() {
    let typed = |charset, bytes: &[u8]| -> String {
        let heard = heard_by(Decoder::new(charset), bytes);
        let typed = heard.iter().map(|heard| match heard {
            Heard::Input(Input::Key(key)) => key.typed().unwrap(),
            other => panic!("{other:?}"),
        });
        typed.collect()
    };
    assert_eq!(typed(Charset::Unicode, "Zoë 林".as_bytes()), "Zoë 林");
    assert_eq!(typed(Charset::Latin1, b"Zo\xeb \xdf"), "Zoë ß");
    assert_eq!(
        typed(Charset::Ascii, "Zoë 林".as_bytes()),
        "Zoë 林",
        "guessed"
    );
    assert_eq!(typed(Charset::Ascii, b"Zo\xeb \xc4"), "Zoë Ä", "guessed");
    assert_eq!(
        typed(Charset::Unicode, b"a\xffb\xe6\x9e"),
        "a\u{FFFD}b\u{FFFD}"
    );
}

#[test]
fn a_lone_escape_is_told_by_time() {
    let (mut decoder, mut heard) = (decoder(), Vec::new());
    let now = Instant::now();
    decoder.feed(b"\x1b", now, &mut heard);
    assert_eq!(heard, []);
    assert_eq!(decoder.deadline(), Some(now + ESCAPE));
    decoder.expire(now + ESCAPE - Duration::from_millis(1), &mut heard);
    assert_eq!(heard, [], "not yet");
    decoder.expire(now + ESCAPE, &mut heard);
    let esc = Heard::Input(Input::Key(of(Code::Esc)));
    assert_eq!(heard, std::slice::from_ref(&esc));
    heard.clear();
    decoder.feed(b"\x1b", now, &mut heard);
    // Nobody called in time: what comes later is told by its own time.
    decoder.feed(b"[A", now + ESCAPE, &mut heard);
    assert_eq!(
        heard,
        [
            esc,
            Heard::Input(Input::Key(Key::char('['))),
            Heard::Input(Input::Key(Key::char('A')))
        ]
    );
    assert_eq!(keys(b"\x1b\x1b"), [of(Code::Esc), of(Code::Esc)]);
    assert_eq!(keys(b"\x1bO"), [alt(Code::Char('O'))]);
    assert_eq!(keys(b"\x1b["), [alt(Code::Char('['))]);
    assert_eq!(keys(b"\x1b[1;"), [], "nobody types that");
}

#[test]
fn escape_is_not_lost_in_an_answer() {
    let esc = Heard::Input(Input::Key(of(Code::Esc)));
    assert_eq!(
        heard(b"\x1b\x1b[0n"),
        [esc.clone(), Heard::Answer(Answer::Here)]
    );
    assert_eq!(
        heard(b"\x1b\x1b[200~x\x1b[201~"),
        [esc, Heard::Input(Input::Paste("x".to_owned()))]
    );
}

#[test]
fn scanners_end_a_code_once() {
    let ends = |bytes: &[u8]| {
        keys(bytes)
            .iter()
            .filter(|key| key.code == Code::Enter)
            .count()
    };
    assert_eq!(ends(b"V0017\r"), 1);
    assert_eq!(ends(b"V0017\n"), 1);
    assert_eq!(ends(b"V0017\r\n"), 1);
    assert_eq!(ends(b"V0017\r\0"), 1);
    assert_eq!(ends(b"\r\r"), 2);
    assert_eq!(ends(b"\n\n"), 2);
    let (mut decoder, mut heard) = (decoder(), Vec::new());
    let now = Instant::now();
    decoder.feed(b"\r", now, &mut heard);
    decoder.feed(b"\n", now + ESCAPE, &mut heard);
    assert_eq!(heard.len(), 2, "two keys of a person");
}

#[test]
fn answers_and_the_mouse_are_no_keys() {
    let mouse = |x, y, did| Heard::Input(Input::Mouse(Mouse { x, y, did }));
    let cursor = Answer::Cursor { row: 4, column: 11 };
    for (bytes, meaning) in [
        ("\x1b[0n", Heard::Answer(Answer::Here)),
        ("\x1b[3n", Heard::Answer(Answer::Here)),
        ("\x1b[5;12R", Heard::Answer(cursor)),
        ("\x1b[?62;1;6c", Heard::Answer(Answer::Class(62))),
        ("\x1b[<0;3;4M", mouse(2, 3, MouseDid::Press)),
        ("\x1b[<64;230;4M", mouse(229, 3, MouseDid::WheelUp)),
        ("\x1b[M !\"", mouse(0, 1, MouseDid::Press)),
        ("\x1b[97;3;4M", mouse(2, 3, MouseDid::WheelDown)),
    ] {
        assert_eq!(heard(bytes.as_bytes()), [meaning], "{bytes:?}");
    }
    for nothing in [
        "\x1b[<0;3;4m",
        "\x1b[<35;3;4M",
        "\x1b[I",
        "\x1b[O",
        "\x1b[?1;2;3y",
        "\x1b[?2026;2$y",
        "\x1b[>1;10;0c",
        "\x1b]11;rgb:0000/0000/0000\x07",
        "\x1b]11;rgb:0000/0000/0000\x1b\\",
        "\x1bP>|xterm(380)\x1b\\",
        "\x1b[99999999999999;9999999999999;1;1;1;1;1;1;1;1q",
        "\x1b[1:2:3:4:5q",
    ] {
        assert_eq!(heard(nothing.as_bytes()), [], "{nothing:?}");
    }
    // A byte above 0x7F is a place here, not a part of a letter.
    assert_eq!(
        heard(b"\x1b[M \xe6!a"),
        [
            mouse(197, 0, MouseDid::Press),
            Heard::Input(Input::Key(Key::char('a')))
        ]
    );
}

#[test]
fn pastes_are_whole_and_bounded() {
    let paste = |text: &str| Heard::Input(Input::Paste(text.to_owned()));
    assert_eq!(
        heard(b"\x1b[200~01\x1d21\r\x1b[A\x1b[20x\x1b[201~"),
        [paste("01\u{1d}21\r[A[20x")]
    );
    assert_eq!(heard(b"\x1b[200~x"), [paste("x")], "its end never comes");
    let endless = [
        b"\x1b[200~".as_slice(),
        &b"x".repeat(100_000),
        b"\x1b[201~y",
    ]
    .concat();
    assert_eq!(
        heard(&endless),
        [
            paste(&"x".repeat(PASTE)),
            Heard::Input(Input::Key(Key::char('y')))
        ]
    );
    assert_eq!(heard(b"\x1b[201~"), []);
}

#[test]
fn a_broken_sequence_swallows_no_keys() {
    assert_eq!(keys(b"\x1b[12\r"), [of(Code::Enter)]);
    assert_eq!(keys(b"\x1b[1;\x1b[B"), [of(Code::Down)]);
    assert_eq!(keys(b"\x1bO\x03"), [Key::ctrl('c')]);
    assert_eq!(keys(b"\x1b]0;title\x03"), [Key::ctrl('c')]);
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        b"\x1b".as_slice(),
        b"[",
        b"O",
        b"\x1b[",
        b"1;5",
        b"200~",
        b"\x1b[200~",
        b"\x1b[201~",
        b"\x9b",
        b"\r",
        b"\n",
        b"M",
        b"<0;3;4M",
        "林".as_bytes(),
        b"\xe6\x9e",
        b"\x1b]0;",
        b"\x07",
        b"0n",
        b"A",
    ]);
    let piece = prop_oneof![
        3 => pieces.prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 1..6),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn however_it_is_cut_it_means_the_same(
        bytes in bytes(),
        cuts in prop::collection::vec(0usize..200, 0..20),
        charset in prop::sample::select(vec![Charset::Unicode, Charset::Latin1, Charset::Ascii]),
    ) {
        let whole = heard_by(Decoder::new(charset), &bytes);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let (mut decoder, mut heard) = (Decoder::new(charset), Vec::new());
        let now = Instant::now();
        for piece in cuts.windows(2) {
            decoder.feed(&bytes[piece[0]..piece[1]], now, &mut heard);
        }
        decoder.expire(now + PASTE_REST, &mut heard);
        prop_assert_eq!(&heard, &whole);
        for heard in heard {
            if let Heard::Input(Input::Paste(text)) = heard {
                prop_assert!(text.len() <= PASTE);
            }
        }
    }

    #[test]
    fn it_keeps_next_to_nothing(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
        let (mut decoder, mut heard) = (decoder(), Vec::new());
        decoder.feed(b"\x1b[200~", Instant::now(), &mut heard);
        decoder.feed(&bytes, Instant::now(), &mut heard);
        prop_assert!(decoder.pasted.capacity() <= 2 * PASTE);
        // One byte is at most one key, or ends something that gives one more.
        prop_assert!(heard.len() <= 2 * (bytes.len() + 6));
    }
}
