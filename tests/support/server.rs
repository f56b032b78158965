//! A server of the demo ward in a process of its own, for OpenSSH's client.
#![allow(dead_code)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use valmed::desk::horizon::make_orders_ahead;
use valmed::interop::{Rejects, demo, import};
use valmed::signin::hash_secret;
use valmed::store::{Db, Options, accounts, migrate, now};

pub const PIN: &str = "4711";

/// A server of the demo ward on a port of its own.
pub struct Server {
    pub folder: tempfile::TempDir,
    pub child: Child,
    pub port: u16,
}

/// The demo ward, in which the nurse Amara has a PIN.
fn demo_ward(path: &Path) -> String {
    let url = format!("sqlite://{}", path.display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let db = Db::open(&url, &Options::default(), true).await.unwrap();
        migrate::migrate(&db, |_, _| {}).await.unwrap();
        let source = demo::source(now(), &TimeZone::UTC).unwrap();
        let mut rejects = Rejects::at(path.with_extension("rejects"));
        let settings = import::Settings::default();
        import::import(&db, &source, &settings, now(), &mut rejects, &mut |_| {})
            .await
            .unwrap();
        make_orders_ahead(&db, now(), SignedDuration::from_hours(24))
            .await
            .unwrap();
        let hash = hash_secret(PIN).unwrap();
        let mut conn = db.writer().await.unwrap();
        let mut tx = conn.begin_write().await.unwrap();
        let amara = accounts::by_username(tx.link(), "amara").await.unwrap();
        accounts::set_secret(tx.link(), amara.unwrap().id, &hash)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        drop(conn);
        db.close().await;
    });
    url
}

pub fn valmed(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_valmed"));
    command
        .args(arguments)
        .env("HOME", folder)
        .env(
            "VALMED_DATABASE",
            format!("sqlite://{}", folder.join("ward.db").display()),
        )
        .env("VALMED_SERVER_HOST_KEY", folder.join("host_key"))
        .env("VALMED_SERVER_COMMANDS", "true")
        .env("VALMED_SERVER_ATTACH", folder.join("attach.sock"))
        .env_remove("VALMED_CONFIG");
    command
}

impl Server {
    pub fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        demo_ward(&folder.path().join("ward.db"));
        let mut child = valmed(folder.path(), &["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.strip_prefix("ValMed serves ").expect(&line);
        let port = address.split([':', ',']).nth(1).unwrap().parse().unwrap();
        Server {
            folder,
            child,
            port,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A key of Amara's.
    pub fn key(&self) -> PathBuf {
        let key = self.path("id");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&key)
            .status();
        assert!(made.unwrap().success());
        let public = key.with_extension("pub");
        let added = valmed(self.folder.path(), &["user", "key", "amara"])
            .arg(&public)
            .output()
            .unwrap();
        assert!(added.status.success(), "{added:?}");
        key
    }

    /// What `ssh` is told: nothing of this machine's own settings, and no other key than the given one.
    pub fn options(&self, key: Option<&Path>) -> Vec<String> {
        let mut options = vec!["-F".to_owned(), "/dev/null".to_owned()];
        options.extend(["-p".to_owned(), self.port.to_string()]);
        let known = self.path("known_hosts").display().to_string();
        let mut set =
            |name: &str, value: &str| options.extend(["-o".to_owned(), format!("{name}={value}")]);
        set("StrictHostKeyChecking", "accept-new");
        set("UserKnownHostsFile", &known);
        set("IdentityAgent", "none");
        set("IdentitiesOnly", "yes");
        set("SendEnv", "LANG");
        match key {
            Some(key) => {
                set("IdentityFile", &key.display().to_string());
                set("BatchMode", "yes");
            }
            None => set("IdentityFile", "none"),
        }
        options
    }

    pub fn runs(&self, key: &Path, arguments: &[&str]) -> Output {
        Command::new("ssh")
            .args(self.options(Some(key)))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
