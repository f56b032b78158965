//! People of this machine, over the Unix socket.

use std::path::PathBuf;

use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::super::attach::{Claim, Hello, Piece, Say, line, put, receive, send};
use super::*;

pub(super) struct Joined {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
    pub(super) screen: vt100::Parser,
}

pub(super) async fn socket(hospital: &Hospital, folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("attach.sock");
    let listener = unix_listen(&path, 0o666).unwrap();
    let server = hospital.server.clone();
    tokio::spawn(async move { server.serve_attach(listener).await });
    path
}

impl Joined {
    pub(super) async fn knocks(path: &std::path::Path) -> Joined {
        let (read, mut write) = UnixStream::connect(path).await.unwrap().into_split();
        let variables = [("TERM", "xterm"), ("LANG", "C.UTF-8")];
        let hello = Hello {
            size: (80, 24),
            variables: variables.map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
        };
        put(&mut write, &hello).await.unwrap();
        let size = |n| NonZeroU16::new(n).unwrap();
        Joined {
            read: BufReader::new(read),
            write,
            screen: vt100::Parser::new(size(24), size(80), 0),
        }
    }

    pub(super) async fn hears(&mut self) -> Say {
        let said = tokio::time::timeout(PATIENCE, line(&mut self.read)).await;
        said.unwrap().unwrap()
    }

    pub(super) async fn claims(&mut self, username: &str, pin: &str) {
        let claim = Claim {
            username: username.to_owned(),
            pin: pin.to_owned(),
        };
        put(&mut self.write, &claim).await.unwrap();
    }

    pub(super) async fn types(&mut self, keys: &str) {
        send(&mut self.write, Piece::Bytes, keys.as_bytes())
            .await
            .unwrap();
    }

    /// Looks until the words are there; the exit status, if it ends before.
    pub(super) async fn sees(&mut self, words: &str) -> Option<u8> {
        while !self.screen.screen().contents().contains(words) {
            let next = tokio::time::timeout(PATIENCE, receive(&mut self.read)).await;
            match next.expect("something comes").unwrap() {
                Some((Piece::Bytes, bytes)) => {
                    self.screen.process(&bytes);
                    let asked = bytes.windows(4).filter(|seen| *seen == b"\x1b[5n").count();
                    self.types(&"\x1b[0n".repeat(asked)).await;
                }
                Some((Piece::End, status)) => return status.first().copied(),
                other => panic!("{other:?}"),
            }
        }
        None
    }
}

#[tokio::test]
async fn a_system_user_with_an_account_is_let_in_as_that() {
    let me = rustix::process::geteuid().as_raw();
    let hospital = Hospital::open().await;
    // The file of system users is read again while the server runs.
    hospital.server.reread(Rules {
        attach: [(me, "amara".to_owned())].into(),
        ..rules()
    });
    let folder = tempfile::tempdir().unwrap();
    let path = socket(&hospital, &folder).await;
    let mut nurse = Joined::knocks(&path).await;
    assert!(matches!(nurse.hears().await, Say::Welcome));
    assert_eq!(nurse.sees("OVERDUE").await, None);
    let began = hospital.audit_has("session began", 1).await;
    let words = format!("from system user {me} by system user {me} as nurse at xterm 80x24");
    assert!(began[0].ends_with(&words), "{began:?}");
    send(&mut nurse.write, Piece::Size, &[0, 30, 0, 5])
        .await
        .unwrap();
    assert_eq!(nurse.sees("ValMed needs").await, None);
    nurse.types("\x03").await;
    assert_eq!(nurse.sees("what never comes").await, Some(0));
    hospital
        .ward
        .change("amara", async |tx, id| {
            accounts::set_disabled(tx.link(), id, true).await
        })
        .await;
    let mut again = Joined::knocks(&path).await;
    let Say::No { why } = again.hears().await else {
        panic!("a disabled account");
    };
    assert_eq!(why, "your system user may not sign in here");
    let failed = hospital.audit_has("sign-in failed", 1).await;
    assert!(failed[0].contains("account disabled"), "{failed:?}");
}

#[tokio::test]
async fn anybody_else_types_their_pin() {
    let hospital = Hospital::open().await;
    let folder = tempfile::tempdir().unwrap();
    let path = socket(&hospital, &folder).await;
    let mut nurse = Joined::knocks(&path).await;
    assert!(matches!(nurse.hears().await, Say::Who { before } if before.is_empty()));
    nurse.claims("amara", "0000").await;
    assert!(matches!(nurse.hears().await, Say::Who { before } if before.contains("wrong")));
    nurse.claims("tomas", PIN).await;
    assert!(matches!(nurse.hears().await, Say::Welcome));
    assert_eq!(nurse.sees("OVERDUE").await, None);
    assert_eq!(hospital.server.sessions()[0].username, "tomas");
    // The line closes.
    drop(nurse);
    let ended = hospital.audit_has("session ended", 1).await;
    assert!(ended[0].ends_with("the line closed"), "{ended:?}");
    let mut guesser = Joined::knocks(&path).await;
    for _ in 0..3 {
        assert!(matches!(guesser.hears().await, Say::Who { .. }));
        guesser.claims("amara", "1111").await;
    }
    assert!(matches!(guesser.hears().await, Say::No { .. }));
}

/// What somebody sets about a terminal is so at once, and at the next sign-in from it, whoever that is.
#[tokio::test]
async fn what_is_kept_of_a_terminal_is_so_at_the_next_sign_in_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("terminals.toml");
    let hospital = Hospital::with(Settings {
        kept: Arc::new(Kept::open(file.clone()).unwrap()),
        ..settings()
    })
    .await;
    let coloured = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("38;5;");
    let mut nurse = Terminal::opens(hospital.by_pin("amara").await, "xterm-256color").await;
    nurse.sees("OVERDUE").await;
    assert!(coloured(&nurse.bytes));
    nurse.types("\x14").await;
    let page = nurse.sees("as the terminal says: 256").await;
    assert!(page.contains("127.0.0.1 xterm-256color"), "{page}");
    // A key that means nothing is shown; an arrow chooses.
    nurse.types("\x1b[18~").await;
    nurse.sees("F7").await;
    nurse.types("\x1b[C").await;
    nurse.sees("> Colours    none").await;
    nurse.types("\r").await;
    nurse.sees("Kept for 127.0.0.1 xterm-256color").await;
    nurse.bytes.clear();
    nurse.types("\x1b").await;
    nurse.sees("OVERDUE").await;
    assert!(!coloured(&nurse.bytes), "at once");
    nurse.types("\x03").await;
    nurse.ends().await;
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("127.0.0.1 xterm-256color"), "{text}");
    let mut other = Terminal::opens(hospital.by_pin("tomas").await, "xterm-256color").await;
    other.sees("OVERDUE").await;
    assert!(!coloured(&other.bytes), "for whoever comes next");
    let mut elsewhere = Terminal::opens(hospital.by_pin("tomas").await, "xterm").await;
    elsewhere.sees("OVERDUE").await;
    assert!(String::from_utf8_lossy(&elsewhere.bytes).contains("\x1b[;1;91m"));
    // It can be read aloud from one key to the next, and drawn again.
    elsewhere.types("\x14").await;
    elsewhere.sees("> Colours").await;
    elsewhere.types("\x1b[A").await;
    elsewhere.types("\x1b[D").await;
    elsewhere.bytes.clear();
    elsewhere.sees("Screen, read aloud").await;
    elsewhere.types("\x1b[D").await;
    elsewhere.sees("> Screen     drawn").await;
}
