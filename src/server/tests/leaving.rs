//! How sessions end, and what they leave.

use super::*;

#[tokio::test]
async fn a_disabled_account_is_signed_out_at_once() {
    let hospital = Hospital::open().await;
    let mut terminal = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    let mut neighbour = Terminal::opens(hospital.by_pin("tomas").await, "xterm").await;
    terminal.sees("OVERDUE").await;
    neighbour.sees("OVERDUE").await;
    hospital
        .ward
        .change("amara", async |tx, id| {
            accounts::set_disabled(tx.link(), id, true).await
        })
        .await;
    let (status, left) = terminal.ends().await;
    assert_eq!(status, Some(1));
    assert!(left.contains("your account has been disabled"), "{left}");
    let ended = hospital.audit_has("session ended", 1).await;
    assert!(ended[0].ends_with("account disabled"), "{ended:?}");
    neighbour.types("?").await;
    neighbour.sees("EVERY KEY").await;
}

#[tokio::test]
async fn a_server_that_stops_shows_what_was_signed_and_says_so() {
    let hospital = Hospital::open().await;
    let mut nurse = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    let mut other = Terminal::opens(hospital.by_pin("tomas").await, "vt220").await;
    other.sees("OVERDUE").await;
    identifies(&mut nurse).await;
    nurse.types(SIGN).await;
    // The key is on its way; the server hears of its end in the same moment.
    let sent = tokio::time::timeout(PATIENCE, async {
        while hospital
            .ward
            .services
            .desk
            .counters()
            .batches
            .load(std::sync::atomic::Ordering::Relaxed)
            == 0
        {
            tokio::task::yield_now().await;
        }
    });
    sent.await.unwrap();
    let server = hospital.server.clone();
    let stopping = tokio::spawn(async move { server.stop().await });
    nurse.sees("the server is being stopped").await;
    let shown = String::from_utf8_lossy(&nurse.bytes).into_owned();
    assert!(
        shown.contains("GIVEN at "),
        "the outcome came before the end"
    );
    let (_, left) = other.ends().await;
    assert!(left.contains("the server is being stopped"), "{left}");
    assert!(stopping.await.unwrap(), "in time");
    assert!(hospital.server.sessions().is_empty());
    let ended = hospital.audit_has("session ended", 2).await;
    assert!(
        ended.iter().all(|row| row.ends_with("server stopped")),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_line_that_is_dropped_ends_its_session() {
    let hospital = Hospital::open().await;
    let mut terminal = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    terminal.sees("OVERDUE").await;
    drop(terminal);
    let ended = hospital.audit_has("session ended", 1).await;
    assert!(ended[0].ends_with("the line closed"), "{ended:?}");
    assert!(hospital.server.sessions().is_empty());
}

#[tokio::test]
async fn a_dose_that_is_signed_when_the_line_drops_is_given_once() {
    let hospital = Hospital::open().await;
    let mut terminal = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    identifies(&mut terminal).await;
    terminal.types(SIGN).await;
    terminal.types(SIGN).await;
    drop(terminal);
    hospital.audit_has("session ended", 1).await;
    let mut again = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    again.sees("1 today").await;
}
