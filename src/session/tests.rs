//! A session over a real database and desk, at a terminal made of memory.

use std::io;
use std::sync::Arc;

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::*;
use crate::desk::Desk;
use crate::desk::horizon::make_orders_ahead;
use crate::feed::Feed;
use crate::interop::{Rejects, demo, import};
use crate::signin::SignIn;
use crate::store::{Db, Options, migrate, now, screens};
use crate::tui::{Code, Key, SignedIn};

/// Tells what it shows.
struct Memory {
    screen: watch::Sender<String>,
    frames: watch::Sender<u32>,
}

impl Terminal for Memory {
    async fn ready(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show(&mut self, frame: &Buffer, _cursor: Option<Position>) -> io::Result<bool> {
        let mut text = String::new();
        for y in 0..frame.area.height {
            for x in 0..frame.area.width {
                text.push_str(frame[(x, y)].symbol());
            }
            text.push('\n');
        }
        if *self.screen.borrow() == text {
            return Ok(false);
        }
        self.frames.send_modify(|frames| *frames += 1);
        self.screen.send_replace(text);
        Ok(true)
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn change(&mut self, _profile: Profile) -> io::Result<()> {
        Ok(())
    }
}

/// Without colours, with every character.
fn mono() -> Profile {
    Profile::of(|name| match name {
        "TERM" => Some("xterm".to_owned()),
        "LANG" => Some("C.UTF-8".to_owned()),
        "NO_COLOR" => Some("1".to_owned()),
        _ => None,
    })
}

pub(crate) struct Ward {
    _folder: tempfile::TempDir,
    pub services: Services,
}

/// The demo ward, in a folder of its own.
pub(crate) async fn ward() -> Ward {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("ward.db").display());
    let db = Db::open(&url, &Options::default(), true).await.unwrap();
    migrate::migrate(&db, |_, _| {}).await.unwrap();
    let source = demo::source(now(), &TimeZone::UTC).unwrap();
    let mut rejects = Rejects::at(folder.path().join("rejects.csv"));
    let settings = import::Settings::default();
    import::import(&db, &source, &settings, now(), &mut rejects, &mut |_| {})
        .await
        .unwrap();
    make_orders_ahead(&db, now(), SignedDuration::from_hours(24))
        .await
        .unwrap();
    let clock: crate::desk::Clock = Arc::new(now);
    let feed = Feed::open(db.clone(), crate::feed::Settings::default(), clock.clone());
    let desk = Desk::open(
        db.clone(),
        crate::desk::Settings {
            policy: std::sync::Arc::new(crate::domain::Policy::easy()),
            ..crate::desk::Settings::default()
        },
        clock.clone(),
        feed.on_commit(),
    );
    let delays = (Duration::ZERO, Duration::ZERO);
    let sign_in = SignIn::new(db.clone(), delays);
    Ward {
        _folder: folder,
        services: Services::new(db, desk, feed, sign_in, clock),
    }
}

impl Ward {
    /// Changes an account.
    pub(crate) async fn change(
        &self,
        username: &str,
        apply: impl AsyncFnOnce(
            &mut crate::store::Tx<'_>,
            crate::domain::UserId,
        ) -> Result<(), crate::store::StoreError>,
    ) {
        let mut conn = self.services.db.writer().await.unwrap();
        let mut tx = conn.begin_write().await.unwrap();
        let account = crate::store::accounts::by_username(tx.link(), username).await;
        apply(&mut tx, account.unwrap().unwrap().id).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The key of an account.
    pub(crate) async fn id(&self, username: &str) -> crate::domain::UserId {
        let known = SignIn::known(&self.services.db, username).await;
        known.unwrap().unwrap().id
    }

    /// What the audit tells of a kind, oldest first.
    pub(crate) async fn audit(&self, kind: &str) -> Vec<String> {
        let mut conn = self.services.db.reader().await.unwrap();
        crate::store::audit::told(conn.link(), kind).await.unwrap()
    }
}

/// Somebody who has signed in.
pub(super) async fn known(ward: &Ward, username: &str) -> Start {
    let db = &ward.services.db;
    let actor = SignIn::known(db, username).await.unwrap().unwrap();
    let mut conn = db.reader().await.unwrap();
    let wards = screens::wards(conn.link()).await.unwrap();
    let ward_id = screens::ward_by_code(conn.link(), demo::WARD)
        .await
        .unwrap();
    Start::Known {
        signed_in: SignedIn { actor, wards },
        ward: ward_id.map(|ward| ward.id),
        then: None,
    }
}

struct Person {
    events: mpsc::Sender<Event>,
    screen: watch::Receiver<String>,
    frames: watch::Receiver<u32>,
    session: JoinHandle<io::Result<()>>,
}

impl Person {
    async fn signs_in(ward: &Ward, username: &str) -> Person {
        Person::starts(ward, known(ward, username).await)
    }

    fn starts(ward: &Ward, start: Start) -> Person {
        let (screen, seen) = watch::channel(String::new());
        let (frames, counted) = watch::channel(0);
        let (events, mut received) = mpsc::channel(INPUTS);
        let mut session = Session::new(
            ward.services.clone(),
            Settings::default(),
            Station::of(mono()),
            Memory { screen, frames },
            (100, 30),
            start,
        );
        Person {
            events,
            screen: seen,
            frames: counted,
            session: tokio::spawn(async move { session.run(&mut received).await }),
        }
    }

    async fn key(&self, code: Code) {
        let input = Input::Key(Key::of(code));
        self.events.send(Event::Input(input)).await.unwrap();
    }

    async fn types(&self, text: &str) {
        for c in text.chars() {
            self.key(Key::char(c).normal().code).await;
        }
    }

    /// Waits until the screen says so, and gives the screen.
    async fn sees(&mut self, words: &str) -> String {
        let seen = self.screen.wait_for(|screen| screen.contains(words)).await;
        seen.map(|screen| screen.clone())
            .unwrap_or_else(|_| panic!("the session ended before it said '{words}'"))
    }
}

/// What follows a word on the screen, up to the next space.
pub(crate) fn after(screen: &str, word: &str) -> String {
    let rest = screen.split_once(word).unwrap().1;
    rest.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn a_dose_is_given_and_the_neighbours_screen_follows() {
    let ward = ward().await;
    let mut nurse = Person::signs_in(&ward, "amara").await;
    let mut neighbour = Person::signs_in(&ward, "tomas").await;
    nurse.sees("OVERDUE").await;
    neighbour.sees("Nothing was given here yet").await;
    nurse.key(Code::Enter).await;
    nurse.sees("GIVE A DOSE").await;
    let sheet = nurse.sees("no record of this drug").await;
    nurse.types(&after(&sheet, "MRN ")).await;
    nurse.key(Code::Enter).await;
    nurse.sees("identified").await;
    nurse.key(Code::F(2)).await;
    nurse.sees("GIVEN at ").await;
    neighbour.sees("Amara Osei").await;
    neighbour.sees("1 today").await;
    nurse.key(Code::Esc).await;
    nurse.sees("QUEUE").await;
    nurse.events.send(Event::End).await.unwrap();
    nurse.session.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_open_sheet_is_told_who_was_faster() {
    let ward = ward().await;
    let mut nurse = Person::signs_in(&ward, "amara").await;
    let mut neighbour = Person::signs_in(&ward, "tomas").await;
    for person in [&mut nurse, &mut neighbour] {
        person.sees("OVERDUE").await;
        person.key(Code::Enter).await;
        person.sees("no record of this drug").await;
    }
    let mrn = after(&nurse.sees("MRN ").await, "MRN ");
    for person in [&nurse, &neighbour] {
        person.types(&mrn).await;
        person.key(Code::Enter).await;
    }
    nurse.sees("identified").await;
    neighbour.sees("identified").await;
    nurse.key(Code::F(2)).await;
    nurse.sees("GIVEN at ").await;
    neighbour.sees("This dose was given by Amara Osei at").await;
    neighbour.key(Code::F(2)).await;
    neighbour.key(Code::Enter).await;
    neighbour.sees("QUEUE").await;
}

#[tokio::test]
async fn what_was_typed_before_a_sheet_was_seen_is_forgotten() {
    let ward = ward().await;
    let mut nurse = Person::signs_in(&ward, "amara").await;
    nurse.sees("OVERDUE").await;
    // All of it is waiting when the session wakes.
    let keys = [Code::Enter, Code::Char('x'), Code::Char('y'), Code::F(2)];
    for code in keys {
        let input = Input::Key(Key::of(code));
        nurse.events.try_send(Event::Input(input)).unwrap();
    }
    nurse.sees("Wristband  ___").await;
    nurse.types("zz").await;
    nurse.sees("Wristband  zz__").await;
}

#[tokio::test]
async fn a_storm_of_resizes_is_few_frames() {
    let ward = ward().await;
    let mut nurse = Person::signs_in(&ward, "amara").await;
    nurse.sees("OVERDUE").await;
    let before = *nurse.frames.borrow();
    for width in 0..400u16 {
        let resize = Event::Input(Input::Resize(80 + width % 50, 24 + width % 9));
        nurse.events.send(resize).await.unwrap();
    }
    let last = Event::Input(Input::Resize(90, 20));
    nurse.events.send(last).await.unwrap();
    let mut screen = nurse.screen.clone();
    screen
        .wait_for(|screen| screen.lines().count() == 20)
        .await
        .unwrap();
    let frames = *nurse.frames.borrow() - before;
    assert!(frames < 40, "{frames} frames for 400 sizes");
    // Sizes that no terminal has are borne.
    for (width, height) in [(0, 0), (1, 1), (65000, 65000), (80, 24)] {
        let resize = Event::Input(Input::Resize(width, height));
        nurse.events.send(resize).await.unwrap();
    }
    nurse.types("?").await;
    nurse.sees("EVERY KEY").await;
}

#[tokio::test]
async fn signing_in_and_out() {
    let ward = ward().await;
    let hash = crate::signin::hash_secret("4711").unwrap();
    let db = &ward.services.db;
    let mut conn = db.writer().await.unwrap();
    let amara = crate::store::accounts::by_username(conn.link(), "amara")
        .await
        .unwrap()
        .unwrap();
    crate::store::accounts::set_secret(conn.link(), amara.id, &hash)
        .await
        .unwrap();
    drop(conn);
    let note = "Good evening.".to_owned();
    let mut nurse = Person::starts(&ward, Start::SignIn { note });
    nurse.sees("Good evening.").await;
    nurse.types("amara\rwrong\r").await;
    nurse.sees("do not belong together").await;
    nurse.types("4711\r").await;
    nurse.sees("Amara Osei, nurse").await;
    nurse.sees("OVERDUE").await;
    nurse.types("q").await;
    nurse.sees("User name").await;
    nurse.key(Code::Esc).await;
    nurse.session.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_disabled_account_reads_no_further() {
    let ward = ward().await;
    let db = &ward.services.db;
    let actor = SignIn::known(db, "amara").await.unwrap().unwrap();
    let mut nurse = Person::signs_in(&ward, "amara").await;
    nurse.sees("OVERDUE").await;
    let mut conn = db.writer().await.unwrap();
    crate::store::accounts::set_disabled(conn.link(), actor.id, true)
        .await
        .unwrap();
    drop(conn);
    nurse.key(Code::Enter).await;
    // Who was known without signing in has no sign-in to go back to.
    nurse.session.await.unwrap().unwrap();
}

#[tokio::test]
async fn nothing_is_drawn_when_nothing_changed() {
    let ward = ward().await;
    let mut nurse = Person::signs_in(&ward, "amara").await;
    nurse.sees("live").await;
    nurse.types("?").await;
    nurse.sees("EVERY KEY").await;
    let before = *nurse.frames.borrow();
    // Keys without a meaning here, then one that has.
    nurse.types("xyz123").await;
    nurse.key(Code::Esc).await;
    nurse.sees("QUEUE").await;
    assert!(*nurse.frames.borrow() <= before + 2);
}
