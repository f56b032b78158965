//! What a client may ask for that it does not get, and what it may do that others do not feel.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// What comes back to a request on a channel.
async fn answer(channel: &mut Channel<client::Msg>) -> ChannelMsg {
    loop {
        let next = tokio::time::timeout(PATIENCE, channel.wait()).await;
        match next.expect("an answer").expect("a channel") {
            ChannelMsg::WindowAdjusted { .. } => {}
            answer => return answer,
        }
    }
}

#[tokio::test]
async fn whatever_is_not_served_is_refused_with_an_answer() {
    let hospital = Hospital::open().await;
    let client = hospital.by_pin("amara").await;
    let mut channel = client.channel_open_session().await.unwrap();
    channel.request_subsystem(true, "sftp").await.unwrap();
    assert!(matches!(answer(&mut channel).await, ChannelMsg::Failure));
    channel
        .request_x11(true, false, "MIT", "cookie", 0)
        .await
        .unwrap();
    assert!(matches!(answer(&mut channel).await, ChannelMsg::Failure));
    channel.agent_forward(true).await.unwrap();
    assert!(matches!(answer(&mut channel).await, ChannelMsg::Failure));
    channel.set_env(true, "LD_PRELOAD", "x").await.unwrap();
    assert!(matches!(answer(&mut channel).await, ChannelMsg::Failure));
    channel.set_env(true, "LANG", "C.UTF-8").await.unwrap();
    assert!(matches!(answer(&mut channel).await, ChannelMsg::Success));
    assert!(client.tcpip_forward("127.0.0.1", 8080).await.is_err());
    assert!(client.streamlocal_forward("/tmp/x").await.is_err());
    let direct = client.channel_open_direct_tcpip("127.0.0.1", 5432, "127.0.0.1", 1);
    assert!(direct.await.is_err());
    assert!(client.channel_open_x11("127.0.0.1", 1).await.is_err());
    // The one channel is still there.
    channel.exec(true, "orders").await.unwrap();
    assert_eq!(
        turned_down(&mut channel).await,
        "ValMed: commands are not taken here\r\n"
    );
    assert!(hospital.audit("command").await.is_empty());
}

/// The words with which a channel is refused.
async fn turned_down(channel: &mut Channel<client::Msg>) -> String {
    let mut said = String::new();
    let mut status = None;
    loop {
        match answer(channel).await {
            ChannelMsg::ExtendedData { data, .. } => said.push_str(&String::from_utf8_lossy(&data)),
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            ChannelMsg::Success | ChannelMsg::Eof => {}
            ChannelMsg::Close => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(status, Some(126));
    said
}

#[tokio::test]
async fn one_channel_is_all_there_is() {
    let hospital = Hospital::open().await;
    let client = hospital.by_pin("amara").await;
    let _first = client.channel_open_session().await.unwrap();
    for _ in 0..100 {
        assert!(client.channel_open_session().await.is_err());
    }
}

#[tokio::test]
async fn a_shell_without_a_terminal_is_told_what_is_missing() {
    let hospital = Hospital::open().await;
    let client = hospital.by_pin("amara").await;
    let mut channel = client.channel_open_session().await.unwrap();
    channel.request_shell(true).await.unwrap();
    let said = turned_down(&mut channel).await;
    assert_eq!(said, "ValMed: a terminal is needed: ssh -t\r\n");
}

#[tokio::test]
async fn a_terminal_is_as_large_as_is_reasonable() {
    let hospital = Hospital::open().await;
    let client = hospital.by_pin("amara").await;
    let mut terminal = Terminal::of_size(client, "xterm", 65_000, 65_000).await;
    terminal.sees("OVERDUE").await;
    let began = hospital.audit_has("session began", 1).await;
    assert!(began[0].contains("xterm 400x150"), "{began:?}");
    terminal
        .channel
        .window_change(u32::MAX, u32::MAX, 0, 0)
        .await
        .unwrap();
    terminal.channel.window_change(0, 0, 0, 0).await.unwrap();
    terminal.types("?").await;
    terminal.sees("EVERY KEY").await;
}

#[tokio::test]
async fn a_window_is_drawn_as_it_is_changed() {
    let hospital = Hospital::open().await;
    let mut terminal = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    terminal.sees("OVERDUE").await;
    for width in 20..100 {
        terminal
            .channel
            .window_change(width, 5, 0, 0)
            .await
            .unwrap();
    }
    terminal.channel.window_change(30, 5, 0, 0).await.unwrap();
    terminal.sees("ValMed needs").await;
}

/// A scanner's code with its separators, in one burst, into the field that asks for the wristband.
#[tokio::test]
async fn a_scan_comes_through_as_it_was_sent() {
    let hospital = Hospital::open().await;
    let mut terminal = Terminal::opens(hospital.by_pin("amara").await, "vt220").await;
    terminal.sees("OVERDUE").await;
    terminal.types("\r").await;
    terminal.sees("no record of this drug").await;
    terminal.types("0104012345\x1d10AB\r").await;
    terminal.sees("is not").await;
}

#[tokio::test]
async fn whoever_only_knocks_takes_no_place_of_those_at_work() {
    let hospital = Hospital::open().await;
    let mut nurse = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    nurse.sees("OVERDUE").await;
    let mut knocking = Vec::new();
    let mut turned_away = 0;
    for _ in 0..200 {
        let (here, there) = duplex(4096);
        match hospital.server.attend(there, HERE) {
            Ok(()) => knocking.push(here),
            Err((_, why)) => {
                assert!(why.contains("address"), "{why}");
                turned_away += 1;
            }
        }
    }
    assert_eq!((knocking.len(), turned_away), (10, 190));
    assert_eq!(hospital.server.connections(), (11, 10));
    // Those from elsewhere still come in, and whoever is in is not touched.
    let (here, there) = duplex(32 * 1024);
    let elsewhere = "10.9.8.7:1".parse().unwrap();
    assert!(hospital.server.attend(there, elsewhere).is_ok());
    drop(here);
    identifies(&mut nurse).await;
    nurse.types(SIGN).await;
    nurse.sees("GIVEN at ").await;
    // They are cut when their time is up, and leave nothing.
    let gone = tokio::time::timeout(PATIENCE, async {
        while hospital.server.connections() != (1, 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    gone.await.unwrap();
}

#[tokio::test]
async fn what_is_no_ssh_is_cut_and_nobody_else_feels_it() {
    let hospital = Hospital::open().await;
    for garbage in [
        &b"GET / HTTP/1.1\r\nHost: ward\r\n\r\n"[..],
        b"SSH-1.5-old\r\n",
        b"SSH-2.0-x\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"SSH-2.0-x\r\n\x00\x00\x00\x0c\x0a\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        &[0; 8192],
    ] {
        let mut stream = hospital.stream();
        let _ = stream.write_all(garbage).await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "it is cut");
    }
    let mut nurse = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    nurse.sees("OVERDUE").await;
}

#[tokio::test]
async fn a_client_that_stops_reading_keeps_nobody_waiting() {
    let hospital = Hospital::open().await;
    let stopped = Terminal::opens(hospital.by_pin("tomas").await, "vt100").await;
    let mut nurse = Terminal::opens(hospital.by_pin("amara").await, "xterm").await;
    // It types and never reads: each key could be a frame.
    for _ in 0..200 {
        stopped.types("jk?\x1b").await;
    }
    identifies(&mut nurse).await;
    nurse.types(SIGN).await;
    nurse.sees("GIVEN at ").await;
    hospital
        .server
        .0
        .registry
        .all()
        .iter()
        .for_each(|visitor| visitor.end(Why::Disabled, false));
    let (_, left) = nurse.ends().await;
    assert!(left.contains("account has been disabled"), "{left}");
    let ended = hospital.audit_has("session ended", 2).await;
    assert!(
        ended.iter().all(|row| row.contains("account disabled")),
        "{ended:?}"
    );
}
