//! Sessions at the end of a pipe, with a terminal emulator on its other end.

use std::num::NonZeroU16;

use tokio::io::{DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::task::JoinHandle;

use super::*;
use crate::session::tests::{Ward, after, known, ward};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A person at a terminal.
struct Person {
    screen: vt100::Parser,
    /// Bytes that have come.
    bytes: Vec<u8>,
    /// It answers what it is asked.
    answers: bool,
    input: ReadHalf<DuplexStream>,
    output: WriteHalf<DuplexStream>,
    handle: Handle,
    session: JoinHandle<io::Result<()>>,
}

fn profile(term: &str) -> Profile {
    Profile::of(|name| match name {
        "TERM" => Some(term.to_owned()),
        "LANG" => Some("C.UTF-8".to_owned()),
        _ => None,
    })
}

impl Person {
    /// At a terminal of 80 by 24, on a line that holds so many bytes.
    async fn signs_in(ward: &Ward, term: &str, holds: usize) -> Person {
        let profile = profile(term);
        let (here, there) = duplex(holds);
        let (handle, outside) = Handle::new((80, 24));
        let (input, output) = split(there);
        let line = Line {
            input,
            output,
            station: Station::of(profile),
            outside,
        };
        let start = known(ward, "amara").await;
        let services = ward.services.clone();
        let session = tokio::spawn(run(services, Settings::default(), start, line));
        let (input, output) = split(here);
        let (rows, columns) = (NonZeroU16::new(24).unwrap(), NonZeroU16::new(80).unwrap());
        Person {
            screen: vt100::Parser::new(rows, columns, 0),
            bytes: Vec::new(),
            answers: true,
            input,
            output,
            handle,
            session,
        }
    }

    async fn types(&mut self, keys: &str) {
        self.output.write_all(keys.as_bytes()).await.unwrap();
    }

    /// Takes what comes next; says whether the line is still open.
    async fn looks(&mut self) -> bool {
        let mut bytes = [0; 512];
        let read = tokio::time::timeout(PATIENCE, self.input.read(&mut bytes));
        let read = match read.await {
            Ok(read) => read.unwrap(),
            Err(_) => panic!("nothing comes:\n{}", self.screen.screen().contents()),
        };
        let before = self.questions();
        self.screen.process(&bytes[..read]);
        self.bytes.extend_from_slice(&bytes[..read]);
        if self.answers {
            let asked = self.questions() - before;
            self.types(&"\x1b[0n".repeat(asked)).await;
        }
        read > 0
    }

    fn questions(&self) -> usize {
        self.bytes
            .windows(ASK.len())
            .filter(|seen| *seen == ASK)
            .count()
    }

    async fn sees(&mut self, words: &str) -> String {
        while !self.screen.screen().contents().contains(words) {
            let shown = self.screen.screen().contents();
            assert!(self.looks().await, "it ended before '{words}':\n{shown}");
        }
        self.screen.screen().contents()
    }

    async fn ends(mut self) -> Vec<u8> {
        while self.looks().await {}
        self.session.await.unwrap().unwrap();
        self.bytes
    }
}

async fn gives_a_dose(person: &mut Person) {
    person.sees("OVERDUE").await;
    person.types("\r").await;
    let sheet = person.sees("no record of this drug").await;
    let mrn = after(&sheet, "MRN ");
    person.types(&format!("{mrn}\r\n")).await;
    person.sees("identified").await;
    // The key that signs, in two pieces.
    person.types("\x1b").await;
    person.types("OQ").await;
    person.sees("GIVEN at ").await;
    person.types("\x1b").await;
    person.sees("1 today").await;
}

#[tokio::test]
async fn a_dose_is_given_at_any_terminal() {
    for term in ["xterm-256color", "vt100", "vt220", "linux", "wyse60"] {
        let ward = ward().await;
        let mut person = Person::signs_in(&ward, term, 4096).await;
        gives_a_dose(&mut person).await;
        person.types("\x03").await;
        let profile = Profile::of(|name| (name == "TERM").then(|| term.to_owned()));
        let bytes = person.ends().await;
        assert!(
            bytes.ends_with(&profile.goodbye()) || term == "linux",
            "{term}"
        );
    }
}

impl Person {
    /// Waits for words behind what was heard before, and gives the lines from there to behind their own.
    async fn hears(&mut self, heard: &mut usize, words: &str) -> String {
        loop {
            let all = String::from_utf8_lossy(&self.bytes).into_owned();
            let new = all.get(*heard..).unwrap_or_default();
            if let Some(at) = new.find(words) {
                let said = new[..at + words.len()].to_owned();
                *heard += said.len();
                return said;
            }
            assert!(self.looks().await, "it ended before '{words}':\n{all}");
        }
    }
}

/// Somebody who hears the screen does the same with the same keys, and is told each thing once.
#[tokio::test]
async fn a_dose_is_given_by_somebody_who_hears_the_screen() {
    let ward = ward().await;
    let mut person = Person::signs_in(&ward, "dumb", 4096).await;
    let heard = &mut 0;
    person.hears(heard, "Amara Osei, nurse").await;
    person.hears(heard, "QUEUE").await;
    person.hears(heard, "OVERDUE (").await;
    person.hears(heard, "\r\n> ").await;
    let said = String::from_utf8_lossy(&person.bytes).into_owned();
    assert_eq!(
        said.matches("Enter give").count(),
        1,
        "what keys do is told once: {said}"
    );
    let selected = person.hears(heard, "bed ").await;
    assert!(selected.starts_with("STAT"), "{selected}");
    // The next row alone, and the cursor on it.
    person.types("j").await;
    let next = person.hears(heard, "\r\n> ").await;
    assert!(
        !next.contains("QUEUE") && !next.contains("OVERDUE"),
        "{next}"
    );
    person.types("k").await;
    person.hears(heard, "\r\n> STAT").await;
    person.types("\r").await;
    let sheet = person.hears(heard, "\r\nWristband ").await;
    for words in [
        "GIVE A DOSE",
        "Patient, ",
        "Drug, ",
        "Dose, ",
        "Allergies, ",
    ] {
        assert!(sheet.contains(words), "{words}: {sheet}");
    }
    let mrn = after(&sheet, "MRN ").trim_matches(',').to_owned();
    for c in mrn.chars() {
        person.types(&c.to_string()).await;
    }
    let typed = person.hears(heard, &mrn[1..]).await;
    assert!(typed.len() < 200, "letters as they are typed: {typed}");
    person.types("\r").await;
    person.hears(heard, "identified").await;
    person.types("\x1bOQ").await;
    let given = person.hears(heard, "GIVEN at ").await;
    assert!(!given.contains("GIVE A DOSE"), "only what is new: {given}");
    person.types("\r").await;
    // Back at the list: where one is, what is new, the row. Not every row again.
    let back = person.hears(heard, "\r\n> ").await;
    assert!(back.contains("QUEUE"), "{back}");
    assert!(back.lines().count() < 14, "{back}");
    person.types("\t\t").await;
    person.hears(heard, "LOG").await;
    person.hears(heard, "1 today").await;
    person.types("\x03").await;
    let bytes = person.ends().await;
    let controls = bytes.iter().filter(|byte| byte.is_ascii_control());
    let mut controls: Vec<u8> = controls.copied().collect();
    controls.sort_unstable();
    controls.dedup();
    assert_eq!(controls, b"\n\r", "nothing that moves about");
}

/// Every letter of it is a command where it is typed alone.
#[tokio::test]
async fn what_comes_as_fast_as_a_scan_is_no_command_on_the_panes() {
    let ward = ward().await;
    let mut person = Person::signs_in(&ward, "vt100", 4096).await;
    person.sees("OVERDUE").await;
    person.types("qwdn\x1d1234\r").await;
    person.sees("nobody's number here").await;
    person.types("?").await;
    person.sees("EVERY KEY").await;
    person.types("\x03").await;
    person.ends().await;
}

#[tokio::test]
async fn the_other_side_resizes_and_ends() {
    let ward = ward().await;
    let mut person = Person::signs_in(&ward, "xterm", 4096).await;
    person.sees("OVERDUE").await;
    for width in 20..140 {
        person.handle.resize((width, 5));
    }
    person.handle.resize((19, 4));
    person.sees("ValMed needs").await;
    person.handle.end();
    let bytes = person.ends().await;
    assert!(bytes.ends_with(b"\x1b[?1049l\x1b[?25h"));
}

#[tokio::test]
async fn a_line_that_is_dropped_ends_its_session() {
    let ward = ward().await;
    let mut person = Person::signs_in(&ward, "xterm", 4096).await;
    person.sees("OVERDUE").await;
    let Person {
        input,
        output,
        session,
        handle,
        ..
    } = person;
    drop((input, output));
    let ended = tokio::time::timeout(PATIENCE, session).await.unwrap();
    // Whether a last frame met the broken line or not.
    drop(ended.unwrap());
    drop(handle);
}

/// Whoever does not look sees, when they look again, what is so then: not everything that was.
#[tokio::test]
async fn a_stopped_terminal_is_not_owed_anything() {
    let ward = ward().await;
    let mut person = Person::signs_in(&ward, "xterm", 256).await;
    person.sees("OVERDUE").await;
    let before = person.bytes.len();
    // A key at a time, so that each could be a frame of its own.
    for _ in 0..40 {
        person.types("j").await;
        tokio::time::sleep(FRAME).await;
        person.types("k").await;
        tokio::time::sleep(FRAME).await;
    }
    person.types("?").await;
    person.sees("EVERY KEY").await;
    let came = person.bytes.len() - before;
    assert!(came < 6000, "{came} bytes");
    person.types("\x1b").await;
    person.sees("OVERDUE").await;
    // A person who never looks again does not hold the session up.
    person.handle.end();
    let ended = tokio::time::timeout(PATIENCE, &mut person.session).await;
    ended.unwrap().unwrap().unwrap();
}

/// More than the time between two frames.
const FRAME: Duration = Duration::from_millis(36);

#[tokio::test]
async fn no_more_than_two_questions_are_unanswered() {
    let ward = ward().await;
    let mut person = Person::signs_in(&ward, "xterm", 1 << 20).await;
    person.sees("Nothing was given here yet").await;
    person.types("/").await;
    person.sees("Enter keep").await;
    // From here on it reads everything and says nothing.
    person.answers = false;
    let before = person.questions();
    for key in ["a", "b", "c", "d", "e", "f"] {
        person.types(key).await;
        tokio::time::sleep(FRAME).await;
    }
    let quiet = tokio::time::timeout(Duration::from_millis(300), async {
        while person.looks().await {}
    });
    assert!(quiet.await.is_err(), "the line is open");
    assert!(person.questions() - before <= 2);
    person.types("\x1b[0n\x1b[0n").await;
    person.answers = true;
    person.sees("abcdef").await;
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_never_answers_is_not_waited_for() {
    let (answers, answered) = watch::channel(Answers::default());
    let say = |here| answers.send_modify(|said: &mut Answers| said.here = here);
    let mut flow = Flow::new(true, answered);
    let began = Instant::now();
    assert!(flow.sends(10), "the first question is asked at once");
    flow.ready().await;
    assert!(!flow.sends(SMALL), "so few bytes are sent without one");
    assert!(flow.sends(1));
    flow.gone_out();
    assert_eq!(Instant::now(), began, "two may be unanswered");
    flow.ready().await;
    assert_eq!(Instant::now() - began, NEVER);
    assert!(!flow.sends(SMALL + 1));
    // It does, after all.
    say(1);
    assert!(flow.sends(LARGE + 1));
    flow.gone_out();
    let asked = Instant::now();
    flow.ready().await;
    assert_eq!(Instant::now() - asked, LOST, "one large frame is enough");
    assert!(flow.sends(SMALL + 1), "one answer was lost, no more");
    say(2);
    flow.ready().await;
    // More answers than questions are no credit.
    say(1000);
    flow.ready().await;
    assert_eq!(flow.settled, flow.asked);
}
