//! Whether somebody may have committed to SQLite's file: asked of the file system, which costs a hundredth of asking
//! SQLite, and on Linux told by it, which costs nothing while nobody writes.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
#[cfg(target_os = "linux")]
use std::{
    ffi::OsString,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, Waker},
};

#[cfg(target_os = "linux")]
use futures_core::Stream;
use tokio::time::sleep;

/// File systems count time in steps, of some milliseconds mostly and of two seconds at worst: a file that was written to
/// since then may have been written to again, and look the same.
const STEP: Duration = Duration::from_secs(2);

/// Looks at the log into which every commit is written.
#[derive(Debug)]
pub struct CommitWatch {
    log: PathBuf,
    seen: Option<(SystemTime, u64)>,
    notices: Option<Notices>,
}

impl CommitWatch {
    /// For the database in this file. Must be called inside a tokio runtime.
    pub fn of(database: &Path) -> CommitWatch {
        // SQLite keeps the log beside the file itself, whatever links lead there.
        let itself = database.canonicalize();
        let mut log = itself.map_or_else(|_| database.into(), PathBuf::into_os_string);
        log.push("-wal");
        let log = PathBuf::from(log);
        CommitWatch {
            notices: Notices::of(&log),
            log,
            seen: None,
        }
    }

    /// Waits until a log that was at rest is written to, at most so long, and says whether it was. A commit counts a
    /// little after its last byte is written: what this wakes goes on looking until the log is at rest again. Where the
    /// system tells nothing of files it waits for `each` instead, and says `false`.
    pub async fn written(&mut self, each: Duration, most: Duration) -> bool {
        let Some(notices) = &mut self.notices else {
            sleep(each.min(most)).await;
            return false;
        };
        match tokio::time::timeout(most, notices.written()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the system does not tell any more when SQLite's file is written to: it is looked at");
                self.notices = None;
                true
            }
            Err(_) => false,
        }
    }

    /// Whether there may have been a commit since this was last asked; `false` is certain. Where the log cannot be looked
    /// at, there may always have been one.
    pub fn stirred(&mut self, now: SystemTime) -> bool {
        // First: what comes from here on is either seen or told.
        if let Some(notices) = &mut self.notices {
            notices.forget();
        }
        let found = std::fs::metadata(&self.log);
        let found = found.and_then(|log| Ok((log.modified()?, log.len()))).ok();
        let same = found.is_some() && found == self.seen;
        self.seen = found;
        // A clock that was set back makes a file of the future: nothing is known of that either.
        let settled = found.is_some_and(|(written, _)| {
            now.duration_since(written).is_ok_and(|since| since > STEP)
        });
        !(same && settled)
    }
}

/// The system's word that a file is written to.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Notices {
    /// Of its folder: the log may be taken away and made anew.
    folder: inotify::EventStream<Vec<u8>>,
    name: OsString,
}

#[cfg(target_os = "linux")]
impl Notices {
    /// Bytes of what has happened that are taken at once.
    const TAKEN: usize = 4096;

    /// `None` where the system does not tell, or has no room for another who is told.
    fn of(log: &Path) -> Option<Notices> {
        use inotify::{Inotify, WatchMask};
        let told = Inotify::init().and_then(|told| {
            let what = WatchMask::MODIFY | WatchMask::CREATE | WatchMask::DELETE;
            let folder = log.parent().unwrap_or(Path::new("."));
            told.watches().add(folder, what)?;
            told.into_event_stream(vec![0; Self::TAKEN])
        });
        match told {
            Ok(folder) => Some(Notices {
                folder,
                name: log.file_name()?.to_owned(),
            }),
            Err(error) => {
                tracing::warn!(%error, "the system does not tell when SQLite's file is written to: it is looked at");
                None
            }
        }
    }

    /// Forgets what was told so far.
    fn forget(&mut self) {
        let mut nobody = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(Ok(_))) = Pin::new(&mut self.folder).poll_next(&mut nobody) {}
    }

    async fn written(&mut self) -> io::Result<()> {
        loop {
            let event = poll_fn(|context| Pin::new(&mut self.folder).poll_next(context)).await;
            let event = event.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
            // Without a name something was missed, or the folder itself is gone.
            if event.name.is_none_or(|name| name == self.name) {
                return Ok(());
            }
        }
    }
}

/// Nothing is told here.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
struct Notices;

#[cfg(not(target_os = "linux"))]
impl Notices {
    fn of(_: &Path) -> Option<Notices> {
        None
    }

    fn forget(&mut self) {}

    async fn written(&mut self) -> io::Result<()> {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody would wait so long for it.
    const LONG: Duration = Duration::from_secs(60);

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_is_written_to_the_log_is_told_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let link = tempfile::tempdir().unwrap().path().join("linked");
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        let (database, log) = (dir.path().join("ward.db"), dir.path().join("ward.db-wal"));
        std::fs::write(&database, "").unwrap();
        std::os::unix::fs::symlink(&database, &link).unwrap();
        let mut watch = CommitWatch::of(&link);
        std::fs::write(dir.path().join("other"), "some").unwrap();
        std::fs::write(&database, "some").unwrap();
        assert!(!watch.written(LONG, Duration::from_millis(20)).await);
        for text in ["made", "longer", "longer"] {
            std::fs::write(&log, text).unwrap();
            assert!(watch.written(LONG, LONG).await, "{text}");
        }
        std::fs::remove_file(&log).unwrap();
        assert!(watch.written(LONG, LONG).await, "gone");
        std::fs::write(&log, "anew").unwrap();
        assert!(watch.written(LONG, LONG).await, "anew");
        std::fs::write(&log, "more").unwrap();
        assert!(
            watch.stirred(SystemTime::now()),
            "seen, and not told of again"
        );
        assert!(!watch.written(LONG, Duration::from_millis(20)).await);
        assert!(watch.notices.is_some());
    }

    #[tokio::test]
    async fn a_log_at_rest_is_left_alone_and_one_that_is_written_to_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("ward.db");
        let mut watch = CommitWatch::of(&database);
        let now = SystemTime::now();
        assert!(watch.stirred(now) && watch.stirred(now), "no log yet");
        let log = dir.path().join("ward.db-wal");
        let written = |text: &str, at: SystemTime| {
            std::fs::write(&log, text).unwrap();
            let file = std::fs::File::options().write(true).open(&log).unwrap();
            file.set_modified(at).unwrap();
        };
        written("one", now);
        assert!(watch.stirred(now), "there is a log now");
        assert!(
            watch.stirred(now + STEP),
            "it may be written to in this step of its clock"
        );
        let later = now + STEP * 2;
        assert!(!watch.stirred(later));
        written("two", later);
        assert!(watch.stirred(later));
        assert!(!watch.stirred(later + STEP * 2));
        written("three", later);
        assert!(watch.stirred(later + STEP * 2), "it is longer");
        assert!(watch.stirred(now), "the clock was set back");
    }
}
