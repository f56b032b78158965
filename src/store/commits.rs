//! Whether somebody may have committed to SQLite's file: asked of the file system, which costs a hundredth of asking
//! SQLite.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// File systems count time in steps, of some milliseconds mostly and of two seconds at worst: a file that was written to
/// since then may have been written to again, and look the same.
const STEP: Duration = Duration::from_secs(2);

/// Looks at the log into which every commit is written.
#[derive(Debug)]
pub struct CommitWatch {
    log: PathBuf,
    seen: Option<(SystemTime, u64)>,
}

impl CommitWatch {
    /// For the database in this file.
    pub fn of(database: &Path) -> CommitWatch {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        CommitWatch {
            log: log.into(),
            seen: None,
        }
    }

    /// Whether there may have been a commit since this was last asked; `false` is certain. Where the log cannot be looked
    /// at, there may always have been one.
    pub fn stirred(&mut self, now: SystemTime) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_at_rest_is_left_alone_and_one_that_is_written_to_is_not() {
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
