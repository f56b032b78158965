//! Reading what a page asks for.

use super::{Services, words};
use crate::domain::snapshot::AskedDose;
use crate::store::{StoreError, listing};
use crate::tui::pages::{Answer, Found, PageAsk, Rows, What};

/// Doses that are asked about at once: more than a ward gives in a shift.
const LONGEST: i64 = 500;

impl Services {
    pub(super) async fn page(&self, ask: PageAsk) -> Answer {
        let found = self.leaf(&ask).await.map_err(|error| words(&error));
        Answer { ask, found }
    }

    async fn leaf(&self, ask: &PageAsk) -> Result<Found, StoreError> {
        match &ask.what {
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
        }
    }
}
