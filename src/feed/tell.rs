//! Tells other processes of this one's commits.

use std::collections::BTreeSet;
use std::sync::{PoisonError, Weak};
use std::time::Duration;

use super::Inner;
use crate::domain::WardId;
use crate::store::{Engine, notify};

/// The channel that every ValMed on a database listens to.
pub(super) const CHANNEL: &str = "valmed";

/// Notifications are gathered this long: inside the transaction, or one for each commit, NOTIFY would make commits wait
/// for each other.
const GATHER: Duration = Duration::from_millis(50);

/// PostgreSQL carries 8000 bytes in a notification; more wards than fit are told as "any".
const LONGEST: usize = 4000;

pub(super) async fn run(feed: Weak<Inner>) {
    let Some(inner) = feed.upgrade() else { return };
    if inner.db.engine() == Engine::Sqlite {
        // Every commit shows in the file itself.
        return;
    }
    drop(inner);
    loop {
        let Some(inner) = feed.upgrade() else { return };
        // The feed may end while nothing is to be told: this task then waits no longer than its full check.
        let patience = inner.settings.full_check;
        let told = tokio::time::timeout(patience, inner.tell.notified()).await;
        if told.is_err() {
            continue;
        }
        let wards =
            std::mem::take(&mut *inner.untold.lock().unwrap_or_else(PoisonError::into_inner));
        if !wards.is_empty() {
            tell(&inner, &wards).await;
        }
        inner.told_so_far();
        drop(inner);
        tokio::time::sleep(GATHER).await;
    }
}

async fn tell(inner: &Inner, wards: &BTreeSet<WardId>) {
    let sent = match inner.db.writer().await {
        Ok(mut conn) => notify(conn.link(), CHANNEL, &message(wards)).await,
        Err(error) => Err(error),
    };
    // Others find out by their full check.
    if let Err(error) = sent {
        tracing::warn!(%error, "other processes could not be told of a change");
    }
}

/// Ward keys, comma-separated; empty: any ward.
fn message(wards: &BTreeSet<WardId>) -> String {
    let text = wards
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",");
    if text.len() > LONGEST {
        String::new()
    } else {
        text
    }
}

/// The wards of a message; `None`: any ward.
pub(super) fn read_message(text: &str) -> Option<BTreeSet<WardId>> {
    text.split(',')
        .map(|ward| ward.parse().ok().map(WardId))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_back() {
        let wards: BTreeSet<WardId> = [3, 14, 15].map(WardId).into();
        assert_eq!(read_message(&message(&wards)), Some(wards));
        assert_eq!(read_message(""), None);
        assert_eq!(read_message("1,x"), None);
        let many: BTreeSet<WardId> = (0..5000).map(WardId).collect();
        assert_eq!(
            read_message(&message(&many)),
            None,
            "too many to list: any ward"
        );
    }
}
