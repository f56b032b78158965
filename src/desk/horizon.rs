//! Making orders ahead: every dose of every prescription becomes an order once it is near enough.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::domain::schedule::{Ahead, Span, ahead};
use crate::domain::{Schedule, WardId};
use crate::store::orders_ahead::{self as table, NewOrder, ToMake};
use crate::store::{At, Db, StoreError};

/// Prescriptions in one transaction: short enough that doses given meanwhile wait for milliseconds.
const PAGE: i64 = 500;

/// A prescription is looked at again when its orders reach less far than this short of the horizon, so that a run
/// every few minutes does not touch every prescription every time.
const SLACK: SignedDuration = SignedDuration::from_hours(1);

/// Prescriptions that a run names when it cannot read them. The log has no use for the same sentence ten thousand times.
const NAMED: usize = 20;

/// How often a page is tried when another process is in the way.
const TRIES: u32 = 8;

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// Orders made.
    pub orders: u64,
    /// Open orders closed because their prescription has ended.
    pub closed: u64,
    /// Wards that look different now.
    pub wards: BTreeSet<WardId>,
    /// Active prescriptions that could not be read, and of which no orders were made.
    pub skipped: u64,
    /// The first of those, each with what is wrong with it.
    pub unreadable: Vec<String>,
}

impl Made {
    /// What is to be said of the prescriptions that could not be read; `None` where all could.
    pub fn trouble(&self) -> Option<String> {
        match self.skipped {
            0 => None,
            1 => Some("doses of 1 prescription are not being made into orders".to_owned()),
            n => Some(format!(
                "doses of {n} prescriptions are not being made into orders"
            )),
        }
    }
}

/// Makes the orders of every active prescription up to `horizon` from `now`. Doing it again, or in two processes at
/// once, makes nothing twice: an order is one for its prescription and due time.
///
/// # Errors
/// [`StoreError`]; what earlier pages made stays, and the next run goes on from there.
pub async fn make_orders_ahead(
    db: &Db,
    now: Timestamp,
    horizon: SignedDuration,
) -> Result<Made, StoreError> {
    let until = now.checked_add(horizon).unwrap_or(Timestamp::MAX);
    let before = until.checked_sub(SLACK.min(horizon)).unwrap_or(now);
    let mut after = (At(Timestamp::UNIX_EPOCH), Uuid::nil());
    let mut made = Made::default();
    loop {
        let mut tries = 0;
        let page = loop {
            match one_page(db, now, until, before.into(), after).await {
                Ok(page) => break page,
                Err(error) if error.may_retry() && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(std::time::Duration::from_millis(fastrand::u64(1..50)))
                        .await;
                }
                Err(error) => return Err(error),
            }
        };
        made.orders += page.made.orders;
        made.closed += page.made.closed;
        made.wards.extend(page.made.wards);
        made.skipped += page.made.skipped;
        // A page that was tried again has named them again: they are logged once, when it is through.
        for fault in &page.made.unreadable {
            if made.unreadable.len() < NAMED {
                tracing::warn!("no orders are made from {fault}");
                made.unreadable.push(fault.clone());
            }
        }
        match page.last {
            Some(last) => after = last,
            None => return Ok(made),
        }
    }
}

struct Page {
    made: Made,
    /// Where the next page begins; `None`: there is none.
    last: Option<(At, Uuid)>,
}

async fn one_page(
    db: &Db,
    now: Timestamp,
    until: Timestamp,
    before: At,
    after: (At, Uuid),
) -> Result<Page, StoreError> {
    let mut conn = db.writer().await?;
    let mut tx = conn.begin_write().await?;
    let found = table::to_make(tx.link(), before, after, PAGE).await?;
    let mut orders = Vec::new();
    let mut done = Vec::new();
    let mut ended = Vec::new();
    let mut wards = BTreeSet::new();
    let mut made = Made::default();
    for prescription in &found {
        // One that cannot be read must not keep the others from being made.
        let plan = match plan(prescription, now, until) {
            Ok(plan) => plan,
            Err(fault) => {
                made.skipped += 1;
                if made.unreadable.len() < NAMED {
                    made.unreadable.push(fault);
                }
                continue;
            }
        };
        if !plan.orders.is_empty() || plan.over {
            wards.insert(prescription.ward_id);
        }
        orders.extend(plan.orders);
        if plan.over {
            ended.push(prescription.id.0);
        } else if plan.reached {
            done.push(prescription.id.0);
        }
    }
    made.wards = wards;
    made.orders = table::make(tx.link(), &orders).await?;
    if !done.is_empty() {
        table::made_until(tx.link(), done, until.into()).await?;
    }
    if !ended.is_empty() {
        made.closed = table::end(tx.link(), ended, now.into()).await?;
    }
    tx.commit().await?;
    if made.orders == 0 && made.closed == 0 {
        made.wards.clear();
    }
    let full = found.len() as i64 == PAGE;
    let last = found
        .last()
        .filter(|_| full)
        .map(|last| (last.made_until, last.id.0));
    Ok(Page { made, last })
}

struct Plan {
    orders: Vec<NewOrder>,
    /// Everything up to the horizon is made.
    reached: bool,
    /// The prescription has nothing more to make.
    over: bool,
}

/// What is to be made of a prescription, or, in words, why it cannot be read.
fn plan(prescription: &ToMake, now: Timestamp, until: Timestamp) -> Result<Plan, String> {
    let fault = |what: &str| format!("prescription {}: {what}", prescription.id);
    let schedule: Schedule = prescription
        .schedule
        .parse()
        .map_err(|error| fault(&format!("{error}")))?;
    let zone = TimeZone::get(&prescription.time_zone)
        .map_err(|error| fault(&format!("time zone '{}': {error}", prescription.time_zone)))?;
    let span = Span {
        start: prescription.start_at.0,
        stop: prescription.stop_at.map(|at| at.0),
        made_until: prescription.made_until.0,
    };
    let Ahead { due, reached, over } = ahead(&schedule, span, now, until, &zone);
    let order = |due: Option<Timestamp>| NewOrder {
        id: Uuid::now_v7(),
        rx: prescription.id,
        due: due.map(At::from),
        kind: schedule.kind(),
        once: matches!(schedule, Schedule::Once { .. }),
        at: now.into(),
    };
    Ok(Plan {
        orders: due.into_iter().map(order).collect(),
        reached,
        over,
    })
}
