//! The server with a real client, over a pipe: a few milliseconds each.

mod attacks;
pub(super) mod defects;
mod joining;
mod leaving;
mod signing_in;

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg};
use tokio::io::{DuplexStream, duplex};

use super::authority::tests::key;
use super::*;
use crate::session::tests::{Ward, after, ward};
use crate::signin::hash_secret;
use crate::store::accounts::Key;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);
const PIN: &str = "4711";
const HERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 40_000);

/// A server on the demo ward, in which everybody has the same PIN.
struct Hospital {
    ward: Ward,
    server: Server,
    key: PublicKey,
}

fn settings() -> Settings {
    Settings {
        rules: rules(),
        exec: None,
        session: SessionSettings::default(),
        kept: Arc::new(Kept::open("/nowhere/terminals.toml".into()).unwrap()),
    }
}

fn rules() -> Rules {
    Rules {
        most: Most {
            connections: 100,
            handshakes: 20,
            handshakes_per_address: 10,
            per_address: 90,
        },
        times: Times {
            banner: Duration::from_secs(2),
            sign_in: Duration::from_secs(20),
            stop: Duration::from_secs(10),
        },
        authority: Authority::default(),
        certificates: false,
        attach: HashMap::new(),
    }
}

impl Hospital {
    async fn open() -> Hospital {
        Hospital::with(settings()).await
    }

    async fn with(settings: Settings) -> Hospital {
        let ward = ward().await;
        let hash = hash_secret(PIN).unwrap();
        for username in ["amara", "tomas", "dr.haddad"] {
            ward.change(username, async |tx, id| {
                accounts::set_secret(tx.link(), id, &hash).await
            })
            .await;
        }
        let host = key();
        let public = host.public_key().clone();
        let server = Server::new(ward.services.clone(), settings, host);
        Hospital {
            ward,
            server,
            key: public,
        }
    }

    /// Lets a person sign in with a key.
    async fn gives_key(&self, username: &str) -> PrivateKey {
        let private = key();
        let fingerprint = private.fingerprint(HashAlg::Sha256).to_string();
        let line = private.public_key().to_openssh().unwrap();
        let row = Key {
            fingerprint: &fingerprint,
            public_key: &line,
            comment: "",
            at: crate::store::now().into(),
        };
        self.ward
            .change(username, async |tx, id| {
                accounts::add_key(tx.link(), id, &row).await
            })
            .await;
        private
    }

    fn stream(&self) -> DuplexStream {
        let (here, there) = duplex(32 * 1024);
        assert!(self.server.attend(there, HERE).is_ok(), "a place");
        here
    }

    /// Somebody connects, and has not said who they are.
    async fn connects(&self) -> Handle<Client> {
        let config = Arc::new(client::Config::default());
        let client = Client {
            expected: self.key.clone(),
        };
        client::connect_stream(config, self.stream(), client)
            .await
            .unwrap()
    }

    async fn by_pin(&self, username: &str) -> Handle<Client> {
        let mut client = self.connects().await;
        assert_eq!(try_pin(&mut client, username, PIN).await, Ok(()));
        client
    }

    async fn by_key(&self, username: &str, key: &PrivateKey) -> Handle<Client> {
        let mut client = self.connects().await;
        assert!(try_key(&mut client, username, key).await.success());
        client
    }

    /// What the audit has of a kind, newest last.
    async fn audit(&self, kind: &str) -> Vec<String> {
        self.ward.audit(kind).await
    }

    /// Waits until the audit has so many of a kind.
    async fn audit_has(&self, kind: &str, count: usize) -> Vec<String> {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let rows = self.audit(kind).await;
                if rows.len() >= count {
                    return rows;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        match waited.await {
            Ok(rows) => rows,
            Err(_) => panic!("{kind}: {:?}", self.audit(kind).await),
        }
    }
}

struct Client {
    expected: PublicKey,
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        Ok(
            matches!(key, PublicKeyOrCertificate::PublicKey { key, .. } if key.key_data() == self.expected.key_data()),
        )
    }
}

/// What the server said when it did not take a PIN.
async fn try_pin(client: &mut Handle<Client>, username: &str, pin: &str) -> Result<(), String> {
    let mut step = client
        .authenticate_keyboard_interactive_start(username, None)
        .await
        .unwrap();
    loop {
        step = match step {
            KeyboardInteractiveAuthResponse::Success => return Ok(()),
            KeyboardInteractiveAuthResponse::Failure { .. } => {
                let again = client
                    .authenticate_keyboard_interactive_start(username, None)
                    .await;
                return Err(match again {
                    Ok(KeyboardInteractiveAuthResponse::InfoRequest { instructions, .. }) => {
                        instructions
                    }
                    other => format!("{other:?}"),
                });
            }
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                assert!(prompts.iter().all(|prompt| !prompt.echo));
                client
                    .authenticate_keyboard_interactive_respond(vec![pin.to_owned(); prompts.len()])
                    .await
                    .unwrap()
            }
        };
    }
}

async fn try_key(client: &mut Handle<Client>, username: &str, key: &PrivateKey) -> AuthResult {
    let key = PrivateKeyWithHashAlg::new(Arc::new(key.clone()), None);
    client.authenticate_publickey(username, key).await.unwrap()
}

/// A terminal at the end of a channel.
struct Terminal {
    channel: Channel<client::Msg>,
    /// The connection, as long as the terminal is there.
    _client: Handle<Client>,
    screen: vt100::Parser,
    bytes: Vec<u8>,
    status: Option<u32>,
}

impl Terminal {
    async fn opens(client: Handle<Client>, term: &str) -> Terminal {
        Terminal::of_size(client, term, 80, 24).await
    }

    async fn of_size(client: Handle<Client>, term: &str, columns: u32, rows: u32) -> Terminal {
        let channel = client.channel_open_session().await.unwrap();
        channel.set_env(false, "LANG", "C.UTF-8").await.unwrap();
        channel
            .request_pty(false, term, columns, rows, 0, 0, &[])
            .await
            .unwrap();
        channel.request_shell(false).await.unwrap();
        let size = |n: u32| NonZeroU16::new(u16::try_from(n.clamp(2, 400)).unwrap()).unwrap();
        Terminal {
            channel,
            _client: client,
            screen: vt100::Parser::new(size(rows), size(columns), 0),
            bytes: Vec::new(),
            status: None,
        }
    }

    async fn types(&self, keys: &str) {
        self.channel.data(keys.as_bytes()).await.unwrap();
    }

    /// Takes what comes next; says whether the channel is still open.
    async fn looks(&mut self) -> bool {
        let Ok(next) = tokio::time::timeout(PATIENCE, self.channel.wait()).await else {
            panic!("nothing comes:\n{}", self.screen.screen().contents());
        };
        match next {
            Some(ChannelMsg::Data { data }) => {
                self.screen.process(&data);
                let asked = data.windows(4).filter(|seen| *seen == b"\x1b[5n").count();
                self.bytes.extend_from_slice(&data);
                if asked > 0 {
                    // It may be over while it answers.
                    let _ = self.channel.data("\x1b[0n".repeat(asked).as_bytes()).await;
                }
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => self.status = Some(exit_status),
            Some(ChannelMsg::Close) | None => return false,
            Some(_) => {}
        }
        true
    }

    async fn sees(&mut self, words: &str) -> String {
        while !self.screen.screen().contents().contains(words) {
            let shown = self.screen.screen().contents();
            assert!(self.looks().await, "it ended before '{words}':\n{shown}");
        }
        self.screen.screen().contents()
    }

    /// Everything until the session is over: its exit status, and what is left on the screen.
    async fn ends(&mut self) -> (Option<u32>, String) {
        while self.looks().await {}
        (self.status, self.screen.screen().contents())
    }
}

/// Opens the sheet of the first dose, identifies the patient, and stands before the key that signs.
async fn identifies(terminal: &mut Terminal) {
    terminal.sees("OVERDUE").await;
    terminal.types("\r").await;
    let sheet = terminal.sees("no record of this drug").await;
    let mrn = after(&sheet, "MRN ");
    terminal.types(&format!("{mrn}\r\n")).await;
    terminal.sees("identified").await;
}

const SIGN: &str = "\x1bOQ";
