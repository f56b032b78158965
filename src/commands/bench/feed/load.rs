//! The changes: doses given through the real desk, so many a second, spread over the wards.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::commands::scratch_ward::ask_for;
use crate::desk::Desk;
use crate::domain::{OrderKind, OrderStatus, Outcome, Quantity, Receipt, UserId, WardId};
use crate::store::Db;
use crate::store::listing::{self, OrderFilter, OrderLine};

/// Orders read at once: more than stand open in a ward of the bench.
const PAGE: i64 = 1000;

/// One dose that was given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    /// What was left in the ward: a screen that shows this or less shows the change.
    pub left: Quantity,
    /// When, by the desk's clock, before it was written and committed.
    pub at: Timestamp,
}

/// How much is to be given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Doses a second, over all the wards.
    pub changes: u32,
    /// For so long.
    pub lasts: Duration,
}

/// Looks up what can be given in each of these wards.
pub(super) async fn givers(
    db: &Db,
    desk: &Desk,
    nurse: UserId,
    wards: &[WardId],
) -> anyhow::Result<Vec<Giver>> {
    let mut givers = Vec::new();
    for ward in wards {
        let giver = Giver {
            db: db.clone(),
            desk: desk.clone(),
            nurse,
            ward: *ward,
            seen: Uuid::nil(),
            open: Vec::new(),
        };
        givers.push(giver);
    }
    for giver in &mut givers {
        giver.look().await?;
    }
    Ok(givers)
}

/// Gives doses in all their wards; gives what was given in each, in the order in which it was.
pub(super) async fn give(givers: Vec<Giver>, pace: Pace) -> anyhow::Result<Vec<Vec<Change>>> {
    let count = u32::try_from(givers.len())?;
    let apart = Duration::from_secs(1) / pace.changes;
    let mut given = vec![Vec::new(); givers.len()];
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for (n, giver) in (0u32..).zip(givers) {
        let every = apart * count;
        tasks.spawn(async move {
            (
                n,
                giver
                    .run(began + apart * n, every, began + pace.lasts)
                    .await,
            )
        });
    }
    while let Some(ended) = tasks.join_next().await {
        let (n, changes) = ended.context("a giver's task")?;
        given[usize::try_from(n)?] = changes?;
    }
    sleep_until(began + pace.lasts).await;
    Ok(given)
}

/// Gives the doses of one ward.
pub(super) struct Giver {
    db: Db,
    desk: Desk,
    nurse: UserId,
    ward: WardId,
    /// The newest order that was looked at: ids grow with time.
    seen: Uuid,
    /// Doses that can be given.
    open: Vec<OrderLine>,
}

impl Giver {
    /// Reads the doses that were opened since the last look.
    async fn look(&mut self) -> anyhow::Result<()> {
        let filter = OrderFilter {
            ward: Some(self.ward),
            status: Some(OrderStatus::Active),
            after: Some(self.seen),
            ..OrderFilter::default()
        };
        let found = listing::orders(self.db.reader().await?.link(), &filter, PAGE).await?;
        if let Some(last) = found.last() {
            self.seen = last.id.0;
        }
        let as_needed = |order: &OrderLine| order.kind == OrderKind::Prn;
        self.open = found.into_iter().filter(as_needed).collect();
        anyhow::ensure!(!self.open.is_empty(), "the ward has no dose to give");
        Ok(())
    }

    /// Gives a dose at `next` and then every so often, until `end`. A dose that is late does not make the next ones
    /// late.
    async fn run(
        mut self,
        mut next: Instant,
        every: Duration,
        end: Instant,
    ) -> anyhow::Result<Vec<Change>> {
        let mut under_way = JoinSet::new();
        let mut given = Vec::new();
        while next < end {
            sleep_until(next).await;
            next += every;
            if self.open.is_empty() {
                // Each dose that was given has opened the next.
                while let Some(outcome) = under_way.join_next().await {
                    given.push(change(outcome?)?);
                }
                self.look().await?;
            }
            if let Some(order) = self.open.pop() {
                let (desk, nurse) = (self.desk.clone(), self.nurse);
                under_way.spawn(async move { ask_for(&desk, nurse, &order).await });
            }
        }
        while let Some(outcome) = under_way.join_next().await {
            given.push(change(outcome?)?);
        }
        // The stock only goes down.
        given.sort_by_key(|change| std::cmp::Reverse(change.left));
        Ok(given)
    }
}

fn change(outcome: Outcome) -> anyhow::Result<Change> {
    match outcome {
        Outcome::Done(Receipt::Given { left, at, .. }) => Ok(Change { left, at }),
        other => anyhow::bail!("a dose of the bench was not given: {other:?}"),
    }
}
