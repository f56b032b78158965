//! Reading a report for somebody, of the wards that they may see.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Services, words};
use crate::domain::decide::reports::{may_read, reads};
use crate::domain::report::{Ask, Kind, Page, Period, Span, late_minutes};
use crate::domain::snapshot::Ward;
use crate::domain::{Actor, UserId, WardId};
use crate::store::{StoreError, accounts, reports, screens};
use crate::tui::pages::{Cursor, Found, Rows};

/// Lines of a leaf.
const LEAF: usize = 200;

impl Services {
    /// A leaf of a report; or why there is none, in words for the person.
    pub(super) async fn report(
        &self,
        ask: &Ask,
        reader: UserId,
        after: Option<&Cursor>,
    ) -> Result<Found, String> {
        let now = (self.clock)();
        let (actor, wards) = self
            .reader(reader, now)
            .await
            .map_err(|error| words(&error))?;
        let actor = actor.ok_or("There is no such account any more.")?;
        let spans = spans(ask, &actor, &wards, now)?;
        let after = match after {
            Some(Cursor::Report(after)) => Some(*after),
            _ => None,
        };
        let page = self.report_page(ask, spans, after, now).await;
        let page = page.map_err(|error| words(&error))?;
        Ok(found_page(page, now))
    }

    /// A leaf of the doses of a ward that were due in a time and stand open; or why there is none.
    pub(super) async fn back_entry(
        &self,
        ward: WardId,
        period: Period,
        after: Option<&Cursor>,
    ) -> Result<Found, String> {
        let now = (self.clock)();
        let found = async {
            let mut conn = self.db.reader().await?;
            screens::wards(conn.link()).await
        };
        let wards = found.await.map_err(|error| words(&error))?;
        let ward = wards.into_iter().find(|known| known.id == ward);
        let ward = ward.ok_or("There is no such ward any more.")?;
        let span = period.span(&ward.zone(), now)?;
        let limits = reports::Limits {
            now,
            // Whatever was due and is open, not only what is so late that it is missed.
            missed: SignedDuration::ZERO,
            late_minutes: 0,
            lines: LEAF,
        };
        let after = match after {
            Some(Cursor::Report(after)) => Some(*after),
            _ => None,
        };
        let page = async {
            let mut conn = self.db.reader().await?;
            let spans = vec![(ward, span)];
            reports::page(&mut conn, Kind::Missed, spans, after, &limits).await
        };
        let page = page.await.map_err(|error| words(&error))?;
        Ok(found_page(page, now))
    }

    /// Who reads, as their account is now, and the wards there are.
    async fn reader(
        &self,
        reader: UserId,
        now: Timestamp,
    ) -> Result<(Option<Actor>, Vec<Ward>), StoreError> {
        let mut conn = self.db.reader().await?;
        let mut found = accounts::actors(conn.link(), std::iter::once(reader), now.into()).await?;
        let wards = screens::wards(conn.link()).await?;
        Ok((found.remove(&reader), wards))
    }

    async fn report_page(
        &self,
        ask: &Ask,
        spans: Vec<(Ward, Span)>,
        after: Option<crate::domain::report::Cursor>,
        now: Timestamp,
    ) -> Result<Page, StoreError> {
        let policy = self.desk.policy();
        let limits = reports::Limits {
            now,
            missed: SignedDuration::from_mins(policy.missed_minutes.into()),
            late_minutes: late_minutes(policy),
            lines: LEAF,
        };
        let mut conn = self.db.reader().await?;
        reports::page(&mut conn, ask.kind, spans, after, &limits).await
    }
}

fn found_page(page: Page, now: Timestamp) -> Found {
    Found {
        next: page.next.map(Cursor::Report),
        rows: Rows::Report(Arc::new(page)),
        read_at: now,
    }
}

/// The wards of a report, each with the time that it is about there.
fn spans(
    ask: &Ask,
    actor: &Actor,
    wards: &[Ward],
    now: Timestamp,
) -> Result<Vec<(Ward, Span)>, String> {
    let named = ask
        .ward
        .and_then(|id| wards.iter().find(|ward| ward.id == id));
    let place = named.map(|ward| (ward.id, ward.name.as_str()));
    may_read(actor, ask.kind, place, now).map_err(|refusal| refusal.to_string())?;
    let seen = wards.iter().filter(|ward| {
        named.is_none_or(|named| named.id == ward.id) && reads(actor, ask.kind, ward.id, now)
    });
    let spans = seen.map(|ward| Ok((ward.clone(), ask.period.span(&ward.zone(), now)?)));
    spans.collect()
}
