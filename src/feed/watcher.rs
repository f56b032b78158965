//! Reads one ward whenever it may have changed, for as long as anybody looks at it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::{Inner, WardView, Watched};
use crate::domain::WardId;
use crate::domain::snapshot::{WardSnapshot, by_round};
use crate::store::{Engine, StoreError, screens};

/// How soon a ward that could not be read is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// A reading that had to wait for a connection, which may take seconds, says nothing of what the next one costs.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run(feed: Weak<Inner>, ward: WardId, watched: Arc<Watched>) {
    let mut next_read = Instant::now();
    loop {
        sleep_until(next_read).await;
        let Some(inner) = feed.upgrade() else { return };
        let began = Instant::now();
        read(&inner, ward, &watched).await;
        // Changes that follow closely on each other are read together. Where reading takes long, it does not take more
        // than half of the time.
        let pause = began.elapsed().min(LONGEST_PAUSE);
        next_read = Instant::now() + inner.settings.gather.max(pause);
        let troubled = watched.view.borrow().trouble.is_some();
        let full_check = if troubled {
            AGAIN
        } else {
            inner.settings.full_check
        };
        let mut deaf = inner.deaf.subscribe();
        drop(inner);
        tokio::select! {
            // Whether it was told, or time for a look in any case.
            _ = timeout(full_check, watched.stir.notified()) => {}
            _ = deaf.changed() => {}
            () = watched.view.closed() => {
                let Some(inner) = feed.upgrade() else { return };
                let mut wards = inner.wards.lock().unwrap_or_else(PoisonError::into_inner);
                if watched.view.is_closed() {
                    wards.remove(&ward);
                    return;
                }
            }
        }
    }
}

async fn read(inner: &Inner, ward: WardId, watched: &Watched) {
    // It is never closed; if it were, this ward would be read without waiting for the others.
    let _one_of_few = inner.readers.acquire().await.ok();
    let now = (inner.clock)();
    inner.readings.fetch_add(1, Ordering::Relaxed);
    let found = snapshot(inner, ward, watched, now).await;
    let deaf = inner.deaf.borrow().clone();
    watched
        .view
        .send_if_modified(|view| take(view, found.map(|s| s.map(Arc::new)), deaf, now));
}

async fn snapshot(
    inner: &Inner,
    ward: WardId,
    watched: &Watched,
    now: jiff::Timestamp,
) -> Result<Option<WardSnapshot>, StoreError> {
    let mut conn = inner.db.reader().await?;
    if inner.db.engine() == Engine::Sqlite {
        // Before the snapshot: what comes between the two is then read once more, and not missed.
        let mark = screens::mark(conn.link(), ward).await?;
        *watched.mark.lock().unwrap_or_else(PoisonError::into_inner) = Some(mark);
    }
    let bounds = inner.settings.bounds;
    let mut found = screens::snapshot(&mut conn, &inner.formulary, ward, bounds, now).await?;
    if let Some(snapshot) = &mut found {
        // Once for all sessions that look at it.
        snapshot.orders.sort_by(by_round);
    }
    Ok(found)
}

type Read = Result<Option<Arc<WardSnapshot>>, StoreError>;

/// Puts what was read into the view; says whether anybody needs to look again.
fn take(view: &mut WardView, found: Read, deaf: Option<String>, now: jiff::Timestamp) -> bool {
    let trouble = match found {
        Ok(Some(snapshot)) => {
            view.confirmed_at = Some(now);
            let same = view.snapshot.as_ref().is_some_and(|old| {
                old.orders == snapshot.orders
                    && old.stock == snapshot.stock
                    && old.log == snapshot.log
                    && old.ward == snapshot.ward
                    && old.orders_cut == snapshot.orders_cut
            });
            if !same {
                view.snapshot = Some(snapshot);
                view.trouble = deaf;
                return true;
            }
            deaf
        }
        Ok(None) => Some("there is no such ward any more".to_owned()),
        Err(error) => {
            tracing::warn!(%error, "a ward could not be read");
            Some(match error {
                StoreError::Unavailable(_) => "the database cannot be reached".to_owned(),
                StoreError::Busy(_) => "the database is busy".to_owned(),
                _ => "the ward could not be read".to_owned(),
            })
        }
    };
    let changed = view.trouble != trouble;
    view.trouble = trouble;
    changed
}
