//! Hears of other processes' commits.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};

use super::Inner;
use super::tell::{CHANNEL, read_message};
use crate::domain::WardId;
use crate::store::{CommitWatch, Conn, Engine, Heard, Link, Listener, StoreError, screens};

/// How long to wait before listening again after the connection was lost.
const AGAIN: Duration = Duration::from_secs(1);
/// How often SQLite is asked although its file looks as before.
const CERTAIN: Duration = Duration::from_secs(1);

pub(super) async fn run(feed: Weak<Inner>) {
    while let Some(inner) = feed.upgrade() {
        let postgres = inner.db.engine() == Engine::Postgres;
        drop(inner);
        let ended = if postgres {
            listen(&feed).await
        } else {
            poll(&feed).await
        };
        let (Err(error), Some(inner)) = (ended, feed.upgrade()) else {
            return;
        };
        if inner.db.is_closed() {
            return;
        }
        tracing::warn!(%error, "not hearing of other processes' changes");
        inner
            .deaf
            .send_replace(Some("changes made elsewhere are not heard of".to_owned()));
        drop(inner);
        tokio::time::sleep(AGAIN).await;
    }
}

/// All is well again: whatever was missed meanwhile is read now.
fn heard_again(inner: &Inner) {
    inner.deaf.send_if_modified(|deaf| deaf.take().is_some());
    inner.stir_all();
}

/// PostgreSQL: one connection for the whole process.
async fn listen(feed: &Weak<Inner>) -> Result<(), StoreError> {
    let Some(inner) = feed.upgrade() else {
        return Ok(());
    };
    let Some(mut listener) = Listener::open(&inner.db, CHANNEL).await? else {
        return Ok(());
    };
    heard_again(&inner);
    let heartbeat = inner.settings.heartbeat;
    drop(inner);
    loop {
        let heard = listener.next(heartbeat).await?;
        let Some(inner) = feed.upgrade() else {
            return Ok(());
        };
        match heard {
            Heard::Message(text) => match read_message(&text) {
                Some(wards) => {
                    inner.stir(wards.iter());
                    // A message is as good as a heartbeat, and on a busy hospital there is never a pause for one.
                    inner.confirm_all_but(&wards);
                }
                // Too long to list, or from a valmed that says it otherwise: any ward may have changed.
                None => inner.stir_all(),
            },
            Heard::Quiet => inner.confirm_all_but(&BTreeSet::new()),
        }
    }
}

/// The watched wards that hold something else than when they were last read. This process's own commits, which it has
/// read already, are not among them.
async fn changed_wards(inner: &Inner, mut link: Link<'_>) -> Result<BTreeSet<WardId>, StoreError> {
    let mut changed = BTreeSet::new();
    for (ward, known) in inner.marks() {
        if Some(screens::mark(link.lend(), ward).await?) != known {
            changed.insert(ward);
        }
    }
    Ok(changed)
}

/// SQLite: a pragma on a connection of its own that never writes tells whether any other connection has committed. It is
/// asked when the file may have changed, and each [`CERTAIN`] all the same: who cannot read the file must say so.
async fn poll(feed: &Weak<Inner>) -> Result<(), StoreError> {
    let Some(inner) = feed.upgrade() else {
        return Ok(());
    };
    let mut conn: Conn = inner.db.reader().await?;
    let interval = inner.settings.poll;
    let mut known = screens::data_version(conn.link()).await?;
    let mut watch = inner.db.path().map(CommitWatch::of);
    let mut asked = Instant::now();
    let mut closed = pin!(inner.db.closed());
    heard_again(&inner);
    drop(inner);
    let mut rests = false;
    loop {
        let woken = async {
            match watch.as_mut().filter(|_| rests) {
                Some(watch) => {
                    let most = CERTAIN.saturating_sub(asked.elapsed());
                    watch.written(interval, most).await
                }
                None => {
                    tokio::time::sleep(interval).await;
                    false
                }
            }
        };
        let woken = tokio::select! {
            woken = woken => woken,
            () = &mut closed => false,
        };
        let Some(inner): Option<Arc<Inner>> = feed.upgrade() else {
            return Ok(());
        };
        if inner.db.is_closed() {
            // Closing waits for every connection to come back, this one too.
            return Ok(());
        }
        let stirred = watch
            .as_mut()
            .is_none_or(|watch| watch.stirred(SystemTime::now()));
        rests = !stirred && !woken;
        let mut changed = BTreeSet::new();
        if !rests || asked.elapsed() >= CERTAIN {
            asked = Instant::now();
            let version = screens::data_version(conn.link()).await?;
            if version != known {
                known = version;
                changed = changed_wards(&inner, conn.link()).await?;
                inner.stir(changed.iter());
            }
        }
        inner.confirm_all_but(&changed);
    }
}
