//! Reading what a page asks for.

use std::sync::Arc;

use uuid::Uuid;

use super::{Services, words};
use crate::domain::snapshot::AskedDose;
use crate::domain::{PatientId, PrescriptionId, UserId};
use crate::store::{StoreError, listing, record};
use crate::tui::pages::{Answer, Cursor, Found, PageAsk, Rows, What};

/// More patients than any ward has beds for.
const MOST_PATIENTS: i64 = 1000;

/// Prescriptions on one leaf of a doctor's list.
const LEAF: usize = 100;

/// Doses that are asked about at once: more than a ward gives in a shift.
const LONGEST: i64 = 500;

impl Services {
    pub(super) async fn page(&self, ask: PageAsk) -> Answer {
        let found = match &ask.what {
            What::Report(what, reader) => self.report(what, *reader, ask.after.as_ref()).await,
            What::BackEntry(ward, period) => {
                self.back_entry(*ward, *period, ask.after.as_ref()).await
            }
            _ => self.leaf(&ask).await.map_err(|error| words(&error)),
        };
        Answer { ask, found }
    }

    async fn leaf(&self, ask: &PageAsk) -> Result<Found, StoreError> {
        match &ask.what {
            What::Cupboard(what) => self.shelf(what, ask.after.as_ref()).await,
            What::Board => {
                let board = self.feed.board().await?;
                Ok(Found {
                    read_at: board.taken_at,
                    rows: Rows::Board(board),
                    next: None,
                })
            }
            What::Effects(ward) => {
                let now = (self.clock)();
                let mut conn = self.db.reader().await?;
                let lines = listing::effects(conn.link(), *ward, now.into(), LONGEST).await?;
                Ok(Found {
                    read_at: now,
                    rows: Rows::Effects(lines.into_iter().map(AskedDose::from).collect()),
                    next: None,
                })
            }
            What::Record { mrn, day } => {
                let now = (self.clock)();
                let mut conn = self.db.reader().await?;
                let found = record::day(&mut conn, mrn, *day, now).await?;
                // A patient is never taken off the record: whoever has the number has the page.
                let found = found
                    .ok_or_else(|| StoreError::Guarantee(format!("there is no patient {mrn}")))?;
                Ok(Found {
                    rows: Rows::Record(Arc::new(found)),
                    next: None,
                    read_at: now,
                })
            }
            // These may be refused, and are read in a place of their own.
            What::BackEntry(..) | What::Report(..) => {
                Err(StoreError::Guarantee("a report is no list".to_owned()))
            }
            What::Mine { doctor } => self.mine(*doctor, ask.after.as_ref()).await,
            What::Patients { ward } => {
                let now = (self.clock)();
                let mut conn = self.db.reader().await?;
                let first = ("", PatientId(Uuid::nil()));
                let found = record::present(conn.link(), *ward, first, MOST_PATIENTS).await?;
                Ok(Found {
                    rows: Rows::Patients(found),
                    next: None,
                    read_at: now,
                })
            }
        }
    }

    async fn mine(&self, doctor: UserId, after: Option<&Cursor>) -> Result<Found, StoreError> {
        let now = (self.clock)();
        let after = match after {
            Some(Cursor::Id(id)) => Some(PrescriptionId(*id)),
            _ => None,
        };
        let mut conn = self.db.reader().await?;
        let mut tx = conn.begin_screen().await?;
        // One more than is shown tells that there are more.
        let wanted = i64::try_from(LEAF + 1).unwrap_or(i64::MAX);
        let mut found = record::prescribed_by(tx.link(), doctor, true, after, wanted, now).await?;
        tx.rollback().await?;
        let more = found.len() > LEAF;
        found.truncate(LEAF);
        let last = found.last().map(|line| Cursor::Id(line.prescription.0));
        Ok(Found {
            rows: Rows::Mine(found),
            next: last.filter(|_| more),
            read_at: now,
        })
    }
}
