//! A defect in one session: it ends that one, and nobody else notices.

use super::super::attach::Say;
use super::joining::{Joined, socket};
use super::*;

/// Typed by a test, this is a defect of the program, in the task of the session that it is typed in. Nothing outside
/// tests knows it.
const DEFECT: &str = "\x1f\x1fdefect\x1f\x1f";

/// Fails where the session reads this.
pub(in crate::server) fn strike(read: &[u8]) {
    let struck = read
        .windows(DEFECT.len())
        .any(|seen| seen == DEFECT.as_bytes());
    assert!(!struck, "a defect that a test asked for");
}

#[tokio::test]
async fn a_defect_ends_one_session_and_gives_its_terminal_back() {
    let hospital = Hospital::open().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let status = listener.local_addr().unwrap();
    let server = hospital.server.clone();
    tokio::spawn(async move { server.serve_status(listener).await });
    let mut nurse = Terminal::opens(hospital.by_pin("amara").await, "xterm-256color").await;
    let mut neighbour = Terminal::opens(hospital.by_pin("tomas").await, "vt220").await;
    identifies(&mut nurse).await;
    neighbour.sees("OVERDUE").await;
    // What was signed a moment before is given all the same, once.
    nurse.types(SIGN).await;
    let desk = hospital.ward.services.desk.counters();
    let taken = tokio::time::timeout(PATIENCE, async {
        while desk.batches.load(std::sync::atomic::Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
    });
    taken.await.unwrap();
    nurse.types(DEFECT).await;
    let (ended, left) = nurse.ends().await;
    assert_eq!(ended, Some(1));
    assert!(
        left.contains("your session ended by a defect of the program"),
        "{left}"
    );
    let screen = nurse.screen.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);

    let rows = hospital.audit_has("session ended", 1).await;
    assert!(rows[0].ends_with("defect of the program"), "{rows:?}");
    assert_eq!(hospital.server.metrics().panics.get(), 1);
    let figures = super::leaving::asks(status, "/metrics").await;
    assert!(
        figures.lines().any(|line| line == "valmed_defects_total 1"),
        "{figures}"
    );
    assert!(
        figures.lines().any(|line| line == "valmed_sessions 1"),
        "{figures}"
    );

    // The dose that was signed has left everybody's queue.
    neighbour.sees("1 today").await;
    identifies(&mut neighbour).await;
    neighbour.types(SIGN).await;
    neighbour.sees("GIVEN at ").await;
    hospital.ward.services.remembered(PATIENCE).await;
    let mut again = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    let told = again.sees("BEFORE YOU WERE CUT OFF").await;
    assert!(told.contains("DONE, on record: "), "{told}");
}

#[tokio::test]
async fn a_defect_at_a_joined_terminal_gives_that_back_too() {
    let hospital = Hospital::open().await;
    let folder = tempfile::tempdir().unwrap();
    let path = socket(&hospital, &folder).await;
    let mut nurse = Joined::knocks(&path).await;
    assert!(matches!(nurse.hears().await, Say::Who { .. }));
    nurse.claims("amara", PIN).await;
    assert!(matches!(nurse.hears().await, Say::Welcome));
    assert_eq!(nurse.sees("OVERDUE").await, None);
    nurse.types(DEFECT).await;
    assert_eq!(nurse.sees("what never comes").await, Some(1));
    let screen = nurse.screen.screen();
    assert!(
        screen.contents().contains("ended by a defect"),
        "{}",
        screen.contents()
    );
    assert!(!screen.alternate_screen() && !screen.hide_cursor());
    assert_eq!(hospital.server.metrics().panics.get(), 1);
}
