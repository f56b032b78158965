//! Pages: how they are asked for, stay live, and look.

use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::domain::board::{Board, HOURS, Line};
use crate::domain::snapshot::Ward;
use crate::tui::pages::{Answer, Cursor, Found, PageAsk, Rows, What};

const SIZES: [(u16, u16); 3] = [(80, 24), (200, 50), (40, 12)];

fn line(ward: Ward, doses: (u32, u32), oldest: i64, stock: (u32, u32), given: u32) -> Line {
    Line {
        ward,
        due: doses.0,
        late: doses.1,
        missed: doses.1 / 2,
        oldest: (doses.1 > 0).then(|| at(NOW) - SignedDuration::from_mins(oldest)),
        low: stock.0,
        out: stock.1,
        discrepancies: stock.1 / 2,
        emergencies: 0,
        given: (0..u32::try_from(HOURS).unwrap())
            .map(|hour| given * hour / 11)
            .collect(),
    }
}

fn board() -> Board {
    let [pharmacy, med, surgery, kids] = wards().try_into().unwrap();
    Board {
        lines: vec![
            line(pharmacy, (0, 0), 0, (3, 0), 0),
            line(med, (4, 2), 65, (2, 1), 14),
            line(surgery, (12, 0), 0, (0, 0), 9),
            line(kids, (1, 0), 0, (0, 2), 3),
        ],
        taken_at: at(NOW),
    }
}

fn answered(board: Board) -> Msg {
    Msg::Reply(Reply::Page(Box::new(Answer {
        ask: first(),
        found: Ok(Found {
            read_at: board.taken_at,
            rows: Rows::Board(Arc::new(board)),
            next: None,
        }),
    })))
}

fn first() -> PageAsk {
    PageAsk {
        what: What::Board,
        after: None,
    }
}

fn with_board(width: u16, height: u16) -> Session {
    let mut s = Session::desk(width, height);
    s.typed("a");
    assert_eq!(s.effects, [Effect::LoadPage(first())]);
    s.send(answered(board()));
    s
}

fn after(s: &mut Session, seconds: i64) {
    s.context.now = at(NOW) + SignedDuration::from_secs(seconds);
}

#[test]
fn the_board_at_every_size() {
    for (width, height) in SIZES {
        let screen = with_board(width, height).screen();
        assert_snapshot!(format!("board_{width}x{height}"), screen);
    }
}

#[test]
fn the_board_without_colours_and_with_seven_bits() {
    let theme = Theme::new(Colours::None, Charset::Ascii);
    assert_snapshot!(
        "board_mono_ascii_80x24",
        with_board(80, 24).screen_with(&theme)
    );
}

/// Wards with codes as long as there are, and counts as large.
fn hospital(wards: i64) -> Board {
    let line = |n: i64| {
        let ward = Ward {
            id: WardId(100 + n),
            code: format!("CARD-SURG-IN{n:02}"),
            name: format!("Cardiology Surgery Intermediate {n:02}"),
            ..self::ward()
        };
        let few = u32::try_from(n % 5).unwrap();
        let mut line = line(
            ward,
            (120 + few, 100 + few),
            65 + n,
            (10 + few, 100 + few),
            9,
        );
        line.emergencies = u32::from(n == 7);
        line
    };
    Board {
        lines: (0..wards).map(line).collect(),
        taken_at: at(NOW),
    }
}

fn ward() -> Ward {
    wards().remove(1)
}

#[test]
fn every_ward_of_a_real_hospital_is_on_the_smallest_screen_with_all_its_counts() {
    let mut s = Session::desk(80, 24);
    s.typed("a").send(answered(hospital(26)));
    let mono = Theme::new(Colours::None, Charset::Ascii);
    assert_snapshot!("board_26_mono_ascii_80x24", s.screen_with(&mono));
    let text = s.text();
    for n in 0..26 {
        assert!(text.contains(&format!("CARD-SURG-IN{n:02}")), "{n}: {text}");
    }
    assert!(
        s.says("122 due, 102 late, oldest 1 h 12, 51 missed, 12 low, 102 out, 51 diff, 1 emerg"),
        "{text}"
    );
    assert!(s.says("Cardiology Surgery Intermediate 07"), "{text}");
    // Down the first half, then down the second.
    for _ in 0..20 {
        s.key(Code::Down);
    }
    assert!(s.says("Cardiology Surgery Intermediate 20"), "{}", s.text());
    let mut s = Session::desk(80, 24);
    s.typed("a").send(answered(hospital(26)));
    s.send(Msg::Mouse(Mouse {
        x: 60,
        y: 3,
        did: MouseDid::Press,
    }));
    assert!(s.says("Cardiology Surgery Intermediate 17"), "{}", s.text());
}

#[test]
fn more_wards_than_two_halves_hold_are_a_screen_further() {
    let mut s = Session::desk(80, 24);
    s.typed("a").send(answered(hospital(60)));
    assert!(
        s.says("CARD-SURG-IN07") && !s.says("CARD-SURG-IN59"),
        "{}",
        s.text()
    );
    s.key(Code::End);
    assert!(
        s.says("CARD-SURG-IN59") && !s.says("CARD-SURG-IN07"),
        "{}",
        s.text()
    );
}

#[test]
fn troubles_stand_first_and_enter_opens_the_ward() {
    let mut s = with_board(80, 24);
    let text = s.text();
    let place = |ward: &str| text.find(ward).unwrap();
    assert!(place("MED3 ") < place("KIDS "), "{text}");
    assert!(place("KIDS ") < place("PHARM "), "{text}");
    s.key(Code::Down).key(Code::Enter);
    assert_eq!(s.effects, [Effect::Watch(WardId(9))]);
    assert_eq!(s.model.mode(), Mode::Queue, "the ward's own desk");
}

#[test]
fn the_selection_stays_with_its_ward_and_closing_bares_the_desk() {
    let mut s = with_board(80, 24);
    s.key(Code::Down);
    let mut now = board();
    now.lines[3].out = 0;
    now.lines[0].late = 4;
    s.send(answered(now)).key(Code::Enter);
    assert_eq!(
        s.effects,
        [Effect::Watch(WardId(9))],
        "still the children's"
    );
    let mut s = with_board(80, 24);
    s.key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Queue);
    assert!(!s.model.follows_hospital());
    assert!(s.says("QUEUE") && !s.says("BOARD"));
}

#[test]
fn a_change_anywhere_asks_again_and_many_at_once_ask_once() {
    let mut s = with_board(80, 24);
    assert!(s.model.follows_hospital());
    s.send(Msg::Hospital);
    assert!(s.effects.is_empty(), "it was read this second");
    let again = at(NOW) + SignedDuration::from_secs(1);
    assert_eq!(s.model.next_change(&s.context), Some(again));
    s.context.now = again;
    s.send(Msg::Tick);
    assert_eq!(s.effects, [Effect::LoadPage(first())]);
    for _ in 0..3 {
        s.send(Msg::Hospital);
        assert!(s.effects.is_empty(), "one question at a time");
    }
    s.send(answered(board()));
    after(&mut s, 2);
    s.send(Msg::Tick);
    assert_eq!(
        s.effects,
        [Effect::LoadPage(first())],
        "what came meanwhile"
    );
}

#[test]
fn it_is_read_now_and_then_although_nobody_said_that_anything_changed() {
    let mut s = with_board(80, 24);
    after(&mut s, 29);
    s.send(Msg::Tick);
    assert!(s.effects.is_empty());
    after(&mut s, 30);
    s.send(Msg::Tick);
    assert_eq!(s.effects, [Effect::LoadPage(first())]);
}

#[test]
fn what_cannot_be_read_is_told_loudly_and_tried_again() {
    let mut s = with_board(80, 24);
    after(&mut s, 60);
    s.send(Msg::Tick);
    s.send(Msg::Reply(Reply::Page(Box::new(Answer {
        ask: first(),
        found: Err("the database cannot be reached".into()),
    }))));
    assert!(
        s.says("NOT READ SINCE 03:12: the database cannot be reached"),
        "{}",
        s.text()
    );
    assert!(s.says("KIDS"), "what was read stays");
    after(&mut s, 65);
    s.send(Msg::Tick);
    assert_eq!(s.effects, [Effect::LoadPage(first())]);
    s.send(answered(board()));
    assert!(!s.says("NOT READ"));
}

#[test]
fn an_answer_to_another_question_changes_nothing() {
    let mut s = with_board(80, 24);
    let mut other = board();
    other.lines.clear();
    let answer = Answer {
        ask: PageAsk {
            after: Some(Cursor::Key(7)),
            ..first()
        },
        found: Ok(Found {
            read_at: other.taken_at,
            rows: Rows::Board(Arc::new(other)),
            next: None,
        }),
    };
    s.send(Msg::Reply(Reply::Page(Box::new(answer))));
    assert!(s.says("KIDS"));
}

/// A board that goes on after its last row, as a longer list does.
fn leaf(after: Option<Cursor>, ward: usize, next: Option<Cursor>) -> Msg {
    let mut board = board();
    board.lines = vec![board.lines.swap_remove(ward)];
    Msg::Reply(Reply::Page(Box::new(Answer {
        ask: PageAsk {
            what: What::Board,
            after,
        },
        found: Ok(Found {
            read_at: board.taken_at,
            rows: Rows::Board(Arc::new(board)),
            next,
        }),
    })))
}

#[test]
fn beyond_the_last_row_comes_the_next_leaf_and_before_the_first_the_one_before() {
    let mut s = with_board(80, 24);
    let key = Some(Cursor::Key(8));
    s.send(leaf(None, 2, key.clone()));
    assert!(s.says("more: PgDn at the end"), "{}", s.text());
    s.key(Code::PageDown);
    let ask = |after: &Option<Cursor>| {
        [Effect::LoadPage(PageAsk {
            what: What::Board,
            after: after.clone(),
        })]
    };
    assert_eq!(s.effects, ask(&key));
    s.send(leaf(key.clone(), 3, None));
    assert!(s.says("page 2") && s.says("KIDS"), "{}", s.text());
    s.key(Code::PageDown);
    assert!(s.effects.is_empty(), "that was the last");
    s.key(Code::PageUp);
    assert_eq!(s.effects, ask(&None));
    s.send(leaf(None, 2, key.clone())).key(Code::Down);
    s.send(leaf(key, 3, None)).key(Code::Home);
    assert_eq!(s.effects, ask(&None), "the first is the first of all");
}

#[test]
fn a_filter_narrows_it_and_esc_shows_all_before_it_leaves() {
    let mut s = with_board(80, 24);
    s.typed("/surg");
    assert_eq!(s.model.mode(), Mode::PageFilter);
    assert!(s.says("SURG1") && !s.says("KIDS"), "{}", s.text());
    s.key(Code::Enter);
    assert_eq!(s.model.mode(), Mode::Board);
    s.key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Board);
    assert!(s.says("KIDS"));
    s.typed("/xyz");
    assert!(s.says("Nothing matches. Esc shows everything."));
    s.key(Code::Esc).key(Code::Esc);
    assert_eq!(s.model.mode(), Mode::Queue);
}

#[test]
fn the_mouse_selects_a_row_and_the_wheel_moves() {
    let mut s = with_board(80, 24);
    let press = |y| {
        Msg::Mouse(Mouse {
            x: 5,
            y,
            did: MouseDid::Press,
        })
    };
    // Header, title, heads; then the rows.
    s.send(press(6)).key(Code::Enter);
    assert_eq!(s.effects, [Effect::Watch(WardId(8))]);
    let mut s = with_board(80, 24);
    s.send(press(2));
    s.send(Msg::Mouse(Mouse {
        x: 5,
        y: 12,
        did: MouseDid::WheelDown,
    }));
    s.key(Code::Enter);
    assert_eq!(s.effects, [Effect::Watch(WardId(9))]);
}

#[test]
fn the_palette_finds_what_the_page_can_do_first() {
    let mut s = with_board(80, 24);
    s.key(Code::Down).ctrl('p').typed("open the selected ward");
    s.key(Code::Enter);
    assert_eq!(s.effects, [Effect::Watch(WardId(9))]);
    let mut s = Session::desk(80, 24);
    s.ctrl('p').typed("board: all").key(Code::Enter);
    assert_eq!(s.effects, [Effect::LoadPage(first())]);
    s.send(answered(board())).typed("?");
    assert!(s.says("Board of all wards"), "{}", s.text());
}
