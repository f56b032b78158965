//! A real PostgreSQL server in a temporary folder, which does not outlive the test process.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Who keeps the server: it makes and starts one, does what it is told on its input, and when that ends (however the
/// test process did) stops the server and removes the folder. PostgreSQL refuses to run as root, so root's server
/// belongs to another user.
const KEEPER: &str = r#"
set -eu
bin=$1 dir=$2
cd "$dir"
if [ "$(id -u)" = 0 ]; then
  who=nobody
  if id -u postgres >/dev/null 2>&1; then who=postgres; fi
  chown "$who" "$dir"
  as() { setpriv --reuid "$who" --regid "$(id -g "$who")" --clear-groups "$@"; }
else
  as() { "$@"; }
fi
tell() { # what to pg_ctl
  if as "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 100 "$@" >"$dir/told.log" 2>&1 </dev/null
  then echo done; else echo failed; fi
}
end() { as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 </dev/null || true; cd /; rm -rf "$dir"; }
trap end EXIT
as "$bin/initdb" -D "$dir/data" -U valmed -A trust -E UTF8 --locale=C -N >"$dir/initdb.log" 2>&1 </dev/null
# Another time zone than ours and the usual isolation level: the program must not depend on the server's settings.
cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
max_connections = 300
shared_buffers = 64MB
timezone = 'America/New_York'
wal_level = minimal
max_wal_senders = 0
CONF
tell start
while read -r what; do
  case $what in
    restart) tell -m immediate restart ;;
    stop) tell -m immediate stop ;;
    start) tell start ;;
  esac
done
"#;

/// A server. Lives until dropped, or until the process ends.
pub struct Server {
    dir: PathBuf,
    keeper: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

/// The server that all stories of this process share, each with a database of its own.
pub fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(Server::start)
}

fn programs() -> PathBuf {
    let complete = |bin: &Path| bin.join("initdb").exists() && bin.join("pg_ctl").exists();
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|bin| complete(bin))
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions
        .pop()
        .or_else(|| std::env::split_paths(&path).find(|bin| complete(bin)))
        .expect("PostgreSQL's server programs are not installed: tests/run installs them")
}

impl Server {
    /// Makes and starts a server.
    pub fn start() -> Server {
        // Not in TMPDIR: it may be closed to the other user, and a socket's path may not be long.
        let dir = tempfile::Builder::new()
            .prefix("valmed-test-")
            .tempdir_in("/tmp")
            .unwrap()
            .keep();
        // Not waited for: it outlives this process, to tidy up behind it.
        #[allow(clippy::zombie_processes)]
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(programs())
            .arg(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C in the terminal ends the tests; the keeper then notices, and cleans up.
            .process_group(0)
            .spawn()
            .unwrap();
        let input = keeper.stdin.take().unwrap();
        let output = BufReader::new(keeper.stdout.take().unwrap());
        let server = Server {
            dir,
            keeper: Mutex::new((input, output)),
        };
        server.wait();
        server
    }

    fn wait(&self) {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = String::new();
        keeper.1.read_line(&mut line).unwrap();
        if line.trim() != "done" {
            let log = |name: &str| std::fs::read_to_string(self.dir.join(name)).unwrap_or_default();
            panic!(
                "PostgreSQL did not do as told:\n{}{}{}",
                log("initdb.log"),
                log("told.log"),
                log("server.log")
            );
        }
    }

    fn tell(&self, what: &str) {
        let told = writeln!(
            self.keeper.lock().unwrap_or_else(PoisonError::into_inner).0,
            "{what}"
        );
        told.unwrap();
        self.wait();
    }

    /// Ends every process of the server at once, as a power cut would, and starts it again.
    pub fn restart(&self) {
        self.tell("restart");
    }

    /// Ends every process of the server at once.
    pub fn stop(&self) {
        self.tell("stop");
    }

    /// Starts it again.
    pub fn start_again(&self) {
        self.tell("start");
    }

    /// Where its socket is.
    pub fn socket(&self) -> PathBuf {
        self.dir.join(".s.PGSQL.5432")
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgresql://valmed@localhost/{database}?host={}",
            self.dir.display()
        )
    }
}
