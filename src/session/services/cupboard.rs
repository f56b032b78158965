//! Reading what the cupboard's pages ask for.

use std::sync::Arc;

use uuid::Uuid;

use super::Services;
use crate::domain::shelf::At as Place;
use crate::domain::snapshot::Ward;
use crate::domain::{DrugId, WardId, WardKind};
use crate::store::cupboard::{self as table, DiscrepancyFilter, RegisterAsk, TransferFilter};
use crate::store::{At, Day, StoreError, Tx, screens};
use crate::tui::pages::cupboard::{Ask, Lines};
use crate::tui::pages::{Cursor, Found, Rows};

/// How long a page waits for the ward that lies under it to be read.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Rows of a leaf of what goes on and on.
const LEAF: i64 = 200;
/// Rows of what is all of a ward's cupboard: more than any has.
const ALL: i64 = 20_000;

impl Services {
    pub(super) async fn shelf(
        &self,
        ask: &Ask,
        after: Option<&Cursor>,
    ) -> Result<Found, StoreError> {
        let now = (self.clock)();
        let mut conn = self.db.reader().await?;
        let mut tx = conn.begin_screen().await?;
        let mut next = None;
        let lines = match ask {
            Ask::Transfers(ward) => {
                let (lines, goes_on) = transfers(&mut tx, *ward, after).await?;
                next = goes_on;
                lines
            }
            Ask::Register(ward, drug) => {
                let before = match after {
                    Some(Cursor::Key(seq)) => *seq,
                    _ => i64::MAX,
                };
                let ask = RegisterAsk {
                    ward: *ward,
                    drug: *drug,
                    before,
                    limit: LEAF,
                };
                let page = table::register(tx.link(), ask).await?;
                let page = page.ok_or_else(|| {
                    StoreError::Guarantee("the ward does not stock it".to_owned())
                })?;
                let first = page.lines.first().map_or(0, |line| line.seq);
                next = (first > 1).then_some(Cursor::Key(first));
                Lines::Register(page)
            }
            Ask::Lots(ward) => {
                let start = (Day(table::LONG_AGO), DrugId(0), "");
                Lines::Lots(table::lots_of_ward(tx.link(), *ward, start, ALL).await?)
            }
            Ask::LotMoves(drug, lot) => {
                let start = match after {
                    Some(Cursor::Pair(ward, seq)) => (WardId(*ward), *seq),
                    _ => (WardId(i64::MIN), 0),
                };
                let moves = table::lot_moves(tx.link(), *drug, lot, start, LEAF).await?;
                next = full(&moves, |last| Cursor::Pair(last.ward.id.0, last.seq));
                Lines::LotMoves(moves)
            }
            Ask::Discrepancies => {
                let filter = DiscrepancyFilter {
                    after: time_of(after),
                    ..DiscrepancyFilter::default()
                };
                let found = table::discrepancies(tx.link(), &filter, LEAF).await?;
                next = full(&found, |last| Cursor::Time(last.opened_at, last.id.0));
                Lines::Discrepancies(found)
            }
            Ask::Low(ward) => {
                tx.rollback().await?;
                drop(conn);
                return self.low(*ward, now).await;
            }
            Ask::Elsewhere(drug) => {
                let today = Day(now.to_zoned(jiff::tz::TimeZone::UTC).date());
                Lines::Elsewhere(table::elsewhere(tx.link(), *drug, today, ALL).await?)
            }
            Ask::Refills(ward) => refills(&mut tx, *ward, now).await?,
            Ask::ToCount(ward) => Lines::ToCount(table::to_count(tx.link(), *ward, ALL).await?),
            Ask::Levels(ward) => Lines::Levels(table::levels(tx.link(), *ward, ALL).await?),
        };
        tx.rollback().await?;
        Ok(found(lines, next, now))
    }

    /// What a ward runs out of, from what its desk shows.
    async fn low(&self, ward: WardId, now: jiff::Timestamp) -> Result<Found, StoreError> {
        let mut view = self.feed.watch(ward);
        let read = tokio::time::timeout(PATIENCE, view.wait_for(|view| view.snapshot.is_some()));
        let snapshot = match read.await {
            Ok(Ok(view)) => view.snapshot.clone(),
            _ => None,
        };
        let missing = || StoreError::Busy("the ward is being read".to_owned());
        let snapshot = snapshot.ok_or_else(missing)?;
        Ok(found(Lines::Low(snapshot), None, now))
    }
}

fn found(lines: Lines, next: Option<Cursor>, now: jiff::Timestamp) -> Found {
    Found {
        rows: Rows::Cupboard(Arc::new(lines)),
        next,
        read_at: now,
    }
}

/// Where the next leaf begins, if this one is full.
fn full<T>(rows: &[T], key: impl Fn(&T) -> Cursor) -> Option<Cursor> {
    let last = rows.last()?;
    (rows.len() as i64 == LEAF).then(|| key(last))
}

fn time_of(after: Option<&Cursor>) -> Option<(At, Uuid)> {
    match after {
        Some(Cursor::Time(at, id)) => Some((At::from(*at), *id)),
        _ => None,
    }
}

async fn transfers(
    tx: &mut Tx<'_>,
    ward: WardId,
    after: Option<&Cursor>,
) -> Result<(Lines, Option<Cursor>), StoreError> {
    let filter = TransferFilter {
        ward: Some(ward),
        ..TransferFilter::default()
    };
    // Later than any clock that a ward will see.
    let end = (
        At(jiff::Timestamp::constant(253_000_000_000, 0)),
        Uuid::max(),
    );
    let before = time_of(after).unwrap_or(end);
    let history = table::transfers(tx.link(), &filter, before, LEAF).await?;
    let next = full(&history, |last| Cursor::Time(last.sent_at, last.id.0));
    let under_way = match after {
        None => table::under_way(tx.link(), ward, LEAF).await?,
        Some(_) => Vec::new(),
    };
    Ok((Lines::Transfers { under_way, history }, next))
}

/// What fills a ward up, out of the first pharmacy that there is.
async fn refills(tx: &mut Tx<'_>, ward: WardId, now: jiff::Timestamp) -> Result<Lines, StoreError> {
    let wards = screens::wards(tx.link()).await?;
    let pharmacy = |w: &&Ward| w.kind == WardKind::Pharmacy && w.id != ward;
    let source = wards.iter().find(pharmacy);
    let source = source
        .ok_or_else(|| StoreError::Guarantee("there is no pharmacy to send it".to_owned()))?;
    let today = Day(now.to_zoned(source.zone()).date());
    let lines = table::refills(tx.link(), ward, today, source.id, ALL).await?;
    let place = Place {
        id: source.id,
        code: source.code.clone(),
        name: source.name.clone(),
    };
    Ok(Lines::Refills(place, lines))
}
