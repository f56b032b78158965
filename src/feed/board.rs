//! The board of all wards: read once for the whole process, however many look at it.

use std::sync::Arc;

use jiff::SignedDuration;

use super::Feed;
use crate::domain::board::Board;
use crate::store::{StoreError, board};

/// A reading is good for so long although nothing has changed: doses become late by the clock alone.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(20);

/// The latest reading, and how many changes had been heard of when it began.
pub(super) type Latest = tokio::sync::Mutex<Option<(u64, Arc<Board>)>>;

impl Feed {
    /// Every ward's state as of the latest change that was heard of. Whoever asks while it is being read waits for that
    /// reading, and all share it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn board(&self) -> Result<Arc<Board>, StoreError> {
        let mut latest = self.inner.board.lock().await;
        let now = (self.inner.clock)();
        // Before the reading: what changes meanwhile makes it old.
        let changes = *self.inner.hospital.borrow();
        if let Some((known, board)) = latest.as_ref()
            && *known == changes
            && now.duration_since(board.taken_at).abs() < GOOD_FOR
        {
            return Ok(Arc::clone(board));
        }
        let mut conn = self.inner.db.reader().await?;
        let windows = self.inner.settings.windows;
        let board = Arc::new(board::board(&mut conn, windows, now).await?);
        *latest = Some((changes, Arc::clone(&board)));
        Ok(board)
    }

    /// Counts the changes that this process hears of, in whichever ward.
    pub fn hospital(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.hospital.subscribe()
    }
}
