//! Reading what a page asks for.

use super::{Services, words};
use crate::store::StoreError;
use crate::tui::pages::{Answer, Found, PageAsk, Rows, What};

impl Services {
    pub(super) async fn page(&self, ask: PageAsk) -> Answer {
        let found = self.leaf(&ask).await.map_err(|error| words(&error));
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
        }
    }
}
