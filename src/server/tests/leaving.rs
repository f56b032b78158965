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
    hospital.ward.services.remembered(PATIENCE).await;
    // Whoever does not know whether it was recorded might give it twice: it is the first thing that they see.
    let mut again = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    let told = again.sees("BEFORE YOU WERE CUT OFF").await;
    assert!(told.contains("DONE, on record: "), "{told}");
    assert!(!told.contains("NOT DONE"), "{told}");
    again.types("\r").await;
    again.sees("1 today").await;
    // Once it is seen, it is not told again; and it was never told to anybody else.
    let amara = hospital.ward.id("amara").await;
    let put_away = tokio::time::timeout(PATIENCE, async {
        while !unseen(&hospital, amara).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    put_away.await.unwrap();
}

/// A line that is dead may be taken for open for minutes, and a database may be busy for seconds.
#[tokio::test]
async fn who_signs_in_again_is_told_what_another_session_still_waits_for() {
    let hospital = Hospital::open().await;
    let mut dead = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    let client = hospital.by_pin("amara").await;
    identifies(&mut dead).await;
    // Nothing is written meanwhile.
    let held = hospital.ward.services.db.writer().await.unwrap();
    dead.types(SIGN).await;
    dead.sees("Signing").await;
    let mut again = Terminal::opens(client, "xterm").await;
    again.sees("OVERDUE").await;
    drop(held);
    let told = again.sees("BEFORE YOU WERE CUT OFF").await;
    assert!(told.contains("DONE, on record: "), "{told}");
    again.types("\r").await;
    again.sees("1 today").await;
    drop(dead);
    hospital.audit_has("session ended", 1).await;
    hospital.ward.services.remembered(PATIENCE).await;
    let amara = hospital.ward.id("amara").await;
    assert!(unseen(&hospital, amara).await.is_empty(), "it was seen");
}

async fn unseen(
    hospital: &Hospital,
    user: crate::domain::UserId,
) -> Vec<crate::store::unseen::Unseen> {
    let mut conn = hospital.ward.services.db.reader().await.unwrap();
    crate::store::unseen::of(conn.link(), user).await.unwrap()
}

#[tokio::test]
async fn an_outcome_that_was_seen_is_not_told_again() {
    let hospital = Hospital::open().await;
    let mut terminal = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    identifies(&mut terminal).await;
    terminal.types(SIGN).await;
    terminal.sees("GIVEN at ").await;
    terminal.types("\x1b").await;
    terminal.sees("1 today").await;
    drop(terminal);
    hospital.audit_has("session ended", 1).await;
    assert!(hospital.ward.services.remembered(PATIENCE).await);
    let amara = hospital.ward.id("amara").await;
    assert_eq!(unseen(&hospital, amara).await, []);
}

#[tokio::test]
async fn whoever_looks_after_the_server_sees_sessions_and_ends_them() {
    let hospital = Hospital::open().await;
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let listener = unix_listen(&socket, 0o600).unwrap();
    let server = hospital.server.clone();
    tokio::spawn(async move { server.serve_control(listener).await });
    let mut amara = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    let mut tomas = Terminal::opens(hospital.by_pin("tomas").await, "vt100").await;
    amara.sees("OVERDUE").await;
    tomas.sees("OVERDUE").await;
    let Ok(Answer::Sessions { sessions }) = ask(&socket, &Ask::List).await else {
        panic!("no list");
    };
    let here: Vec<(&str, &str)> = sessions
        .iter()
        .map(|session| (session.username.as_str(), session.terminal.as_str()))
        .collect();
    assert_eq!(here, [("amara", "xterm 80x24"), ("tomas", "vt100 80x24")]);
    let end = Ask::End {
        ids: vec![sessions[0].id],
        username: None,
    };
    let Ok(Answer::Ended { sessions: ended }) = ask(&socket, &end).await else {
        panic!("not ended");
    };
    assert_eq!(ended, sessions[..1]);
    let (_, left) = amara.ends().await;
    assert!(
        left.contains("ended by whoever looks after the server"),
        "{left}"
    );
    let row = hospital.audit_has("session ended", 1).await;
    assert!(row[0].contains("ended by system user "), "{row:?}");
    tomas.types("?").await;
    tomas.sees("EVERY KEY").await;
    let nobody = folder.path().join("nobody.sock");
    assert!(ask(&nobody, &Ask::List).await.is_err());
}

pub(super) async fn asks(address: SocketAddr, what: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = TcpStream::connect(address).await.unwrap();
    let question = format!("GET {what} HTTP/1.1\r\nHost: ward\r\n\r\n");
    stream.write_all(question.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn whoever_watches_over_the_server_is_told_figures_and_no_names() {
    let hospital = Hospital::open().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = hospital.server.clone();
    tokio::spawn(async move { server.serve_status(listener).await });
    let mut nurse = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    identifies(&mut nurse).await;
    nurse.types(SIGN).await;
    nurse.sees("GIVEN at ").await;
    let figures = asks(address, "/metrics").await;
    for line in [
        "HTTP/1.1 200 OK",
        "valmed_sessions 1",
        "valmed_connections_unsigned 0",
        "valmed_operations_total{outcome=\"done\"} 1",
        "valmed_desk_operations_total 1",
        "valmed_desk_waiting 0",
        "# TYPE valmed_key_to_frame_seconds histogram",
    ] {
        assert!(
            figures.lines().any(|told| told == line),
            "{line}\n{figures}"
        );
    }
    assert!(!figures.to_lowercase().contains("amara"), "{figures}");
    assert!(
        asks(address, "/health")
            .await
            .starts_with("HTTP/1.1 200 OK")
    );
    assert!(asks(address, "/else").await.starts_with("HTTP/1.1 404"));
    hospital.ward.services.db.close().await;
    let ill = asks(address, "/health").await;
    assert!(
        ill.starts_with("HTTP/1.1 503") && ill.contains("database"),
        "{ill}"
    );
}
