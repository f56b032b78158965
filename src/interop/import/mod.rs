//! The import: every row of the six files is taken over, found unchanged, or named.
//!
//! Files come in the order in which they refer to each other. Rows go in bounded batches, each a transaction and a
//! fixed number of statements. Doing it twice changes nothing. Orders are not made here but from the prescriptions,
//! by [`crate::desk::horizon`].

mod people;
mod places;
mod prescriptions;
mod references;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::fault::{Fault, FileError};
use super::records::{Entry, Reject, open};
use super::rejects::Rejects;
use super::rows::{DrugRow, PatientRow, PrescriptionRow, Row, StockRow, UserRow, WardRow};
use super::source::Source;
use crate::domain::schedule::StandardTimes;
use crate::store::{Conn, Db, Link, StoreError, Tx};
use references::References;

/// How an import is done.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What `BID` means where no clock times are written.
    pub standard_times: StandardTimes,
    /// IANA name of the zone of new wards whose row names none.
    pub time_zone: String,
    /// Doses due longer ago than this belong to the system that the files come from.
    pub late: SignedDuration,
    /// Takes all rows, in one transaction, or none.
    pub strict: bool,
    /// Rows in one transaction (in one statement, where strict).
    pub batch: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            standard_times: StandardTimes::default(),
            time_zone: "UTC".to_owned(),
            late: SignedDuration::from_mins(120),
            strict: false,
            batch: 500,
        }
    }
}

/// Why an import ended early. Rows of earlier batches stay taken, unless it was strict.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read at all.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rejects file cannot be written.
    #[error("{path}: cannot be written: {source}", path = path.display())]
    Rejects {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What became of the rows of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileReport {
    /// Name of the file.
    pub file: &'static str,
    /// Rows that were not known.
    pub new: u64,
    /// Rows that differed from what was on record, which they no longer do.
    pub changed: u64,
    /// Rows that said what was on record.
    pub same: u64,
    /// Rows that were not taken.
    pub rejected: u64,
    /// Notes about rows that were taken.
    pub noted: u64,
}

/// How one spelling of a frequency was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    /// Prescriptions with it.
    pub count: u64,
    /// How many of them have no schedule: a nurse reads the prescription.
    pub unscheduled: u64,
    /// Why, for the last of them.
    pub why: String,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Each file, in the order they were read.
    pub files: Vec<FileReport>,
    /// The first rejects, at most [`SAMPLE`]; all of them are in the rejects file.
    pub rejects: Vec<Fault>,
    /// The first notes, at most [`SAMPLE`].
    pub notes: Vec<Fault>,
    /// Every spelling of a frequency.
    pub frequencies: BTreeMap<String, Understood>,
    /// Strict, and something was rejected: nothing was taken.
    pub undone: bool,
}

/// How many rejects and notes a report holds.
pub const SAMPLE: usize = 20;

impl Report {
    /// Rows that were not taken.
    pub fn rejected(&self) -> u64 {
        self.files.iter().map(|file| file.rejected).sum()
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The file that is being read.
    pub file: &'static str,
    /// Bytes read of it.
    pub done: u64,
    /// Bytes there are (0: not known).
    pub total: u64,
}

/// What is told of progress.
pub type OnProgress<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// Imports the six files of `source`. Rows that are not taken go to `rejects`.
///
/// # Errors
/// [`ImportError`]. That rows were rejected is no error: [`Report::rejected`] says how many.
pub async fn import(
    db: &Db,
    source: &Source,
    settings: &Settings,
    now: Timestamp,
    rejects: &mut Rejects,
    progress: OnProgress<'_>,
) -> Result<Report, ImportError> {
    let mut conn = db.writer().await?;
    let how = if settings.strict {
        How::Whole(conn.begin_write().await?)
    } else {
        How::Batches(&mut conn)
    };
    let mut run = Run {
        how,
        source,
        settings,
        now,
        rejects,
        progress,
        report: Report::default(),
    };
    run.all().await?;
    let Run {
        how, mut report, ..
    } = run;
    if let How::Whole(tx) = how {
        if report.rejected() > 0 {
            report.undone = true;
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
    }
    Ok(report)
}

/// In one transaction, or one for each batch.
enum How<'c> {
    Whole(Tx<'c>),
    Batches(&'c mut Conn),
}

impl How<'_> {
    fn link(&mut self) -> Link<'_> {
        match self {
            How::Whole(tx) => tx.link(),
            How::Batches(conn) => conn.link(),
        }
    }
}

/// What a batch is done with.
struct Context<'a> {
    settings: &'a Settings,
    references: &'a References,
    now: Timestamp,
}

/// What became of a batch.
#[derive(Default)]
struct Done {
    new: u64,
    changed: u64,
    same: u64,
    rejects: Vec<Reject>,
    notes: Vec<Fault>,
    /// Spelling, and why it has no schedule.
    frequencies: Vec<(String, Option<String>)>,
}

/// A file whose rows can be taken over.
trait Import: Row {
    /// Takes a batch over, inside a transaction. Rows refer to what earlier files brought.
    async fn take(
        link: Link<'_>,
        context: &Context<'_>,
        rows: &[Entry<Self>],
    ) -> Result<Done, StoreError>;
}

struct Run<'a, 'c> {
    how: How<'c>,
    source: &'a Source,
    settings: &'a Settings,
    now: Timestamp,
    rejects: &'a mut Rejects,
    progress: OnProgress<'a>,
    report: Report,
}

/// How often a batch that another transaction was in the way of is tried.
const TRIES: u32 = 8;

impl Run<'_, '_> {
    async fn all(&mut self) -> Result<(), ImportError> {
        let mut references = References::default();
        references.load_places(self.how.link()).await?;
        self.file::<WardRow>(&references).await?;
        self.file::<DrugRow>(&references).await?;
        references.load_places(self.how.link()).await?;
        references.load_users(self.how.link()).await?;
        self.file::<UserRow>(&references).await?;
        references.load_users(self.how.link()).await?;
        self.file::<PatientRow>(&references).await?;
        self.file::<StockRow>(&references).await?;
        self.file::<PrescriptionRow>(&references).await
    }

    async fn file<R: Import>(&mut self, references: &References) -> Result<(), ImportError> {
        let (stream, total) = self.source.open(R::FILE)?;
        let mut rows = open::<R, _>(stream)?;
        self.report.files.push(FileReport {
            file: R::FILE,
            ..FileReport::default()
        });
        let context = Context {
            settings: self.settings,
            references,
            now: self.now,
        };
        let mut over = false;
        while !over {
            let (mut batch, mut rejects) = (Vec::new(), Vec::new());
            while batch.len() < self.settings.batch.max(1) {
                match rows.next()? {
                    Some(Ok(entry)) => batch.push(entry),
                    Some(Err(reject)) => rejects.push(reject),
                    None => {
                        over = true;
                        break;
                    }
                }
            }
            let mut done = take_batch(&mut self.how, &context, &batch).await?;
            done.rejects.extend(rejects);
            done.rejects.sort_by_key(|reject| reject.fault.line);
            self.account(done)?;
            (self.progress)(Progress {
                file: R::FILE,
                done: rows.bytes_read(),
                total,
            });
        }
        Ok(())
    }

    fn account(&mut self, done: Done) -> Result<(), ImportError> {
        for reject in &done.rejects {
            self.rejects
                .write(reject)
                .map_err(|source| ImportError::Rejects {
                    path: self.rejects.path().to_owned(),
                    source,
                })?;
        }
        if let Some(file) = self.report.files.last_mut() {
            file.new += done.new;
            file.changed += done.changed;
            file.same += done.same;
            file.rejected += done.rejects.len() as u64;
            file.noted += done.notes.len() as u64;
        }
        let faults = done.rejects.into_iter().map(|reject| *reject.fault);
        keep_some(&mut self.report.rejects, faults);
        keep_some(&mut self.report.notes, done.notes.into_iter());
        for (spelling, why) in done.frequencies {
            let understood = self
                .report
                .frequencies
                .entry(spelling)
                .or_insert(Understood {
                    count: 0,
                    unscheduled: 0,
                    why: String::new(),
                });
            understood.count += 1;
            if let Some(why) = why {
                understood.unscheduled += 1;
                understood.why = why;
            }
        }
        Ok(())
    }
}

fn keep_some(kept: &mut Vec<Fault>, more: impl Iterator<Item = Fault>) {
    let room = SAMPLE.saturating_sub(kept.len());
    kept.extend(more.take(room));
}

/// Takes a batch, again where another transaction was in the way. Strict, there is nothing to do again by itself.
async fn take_batch<R: Import>(
    how: &mut How<'_>,
    context: &Context<'_>,
    batch: &[Entry<R>],
) -> Result<Done, StoreError> {
    if batch.is_empty() {
        return Ok(Done::default());
    }
    let conn = match how {
        How::Whole(tx) => return R::take(tx.link(), context, batch).await,
        How::Batches(conn) => conn,
    };
    let mut tries = 1;
    loop {
        let mut tx = conn.begin_write().await?;
        let result = match R::take(tx.link(), context, batch).await {
            Ok(done) => tx.commit().await.map(|()| done),
            Err(error) => {
                // The first error is the one that counts.
                let _ = tx.rollback().await;
                Err(error)
            }
        };
        match result {
            Err(error) if error.may_retry() && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(fastrand::u64(1..50))).await;
            }
            result => return result,
        }
    }
}

/// Both old and new in words, for what an open order says about a change: `dose, route`.
fn words(changes: &[(&'static str, bool)]) -> String {
    let changed: Vec<&str> = changes
        .iter()
        .filter(|(_, differs)| *differs)
        .map(|(what, _)| *what)
        .collect();
    changed.join(", ")
}
