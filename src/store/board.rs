//! What the board of all wards counts: one grouped question for each kind of thing, of all wards at once.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use super::{At, Conn, Link, List, Sql, StoreError, screens};
use crate::domain::board::{Board, Emergency, HOURS, Line};
use crate::domain::mar::Windows;
use crate::domain::reason::Reason;
use crate::domain::{Role, WardId};

/// When an order is due: a held one, when it comes back.
macro_rules! latest {
    (sqlite) => {
        "max(o.due_at, COALESCE(o.held_until, o.due_at))"
    };
    (postgres) => {
        "GREATEST(o.due_at, o.held_until)"
    };
}

/// The counts of a ward's open timed doses: `$2` is this minute, `$3` the end of the window, and what was due before `$4`
/// is missed.
macro_rules! dose_counts {
    ($engine:ident) => {
        concat!(
            "count(*) FILTER (WHERE ",
            latest!($engine),
            " >= $2 AND ",
            latest!($engine),
            " <= $3) AS due, count(*) FILTER (WHERE ",
            latest!($engine),
            " < $2) AS late, min(",
            latest!($engine),
            ") AS oldest, count(*) FILTER (WHERE ",
            latest!($engine),
            " < $4) AS missed"
        )
    };
}

/// Timed doses of these wards that are due until then, which of them are late, and which so late that they are missed. The
/// wards are given one by one, so that of each ward's queue only the beginning is read (SQLite would begin with all active
/// orders: CROSS JOIN keeps the tables in their order).
pub(super) const DUE: Sql = Sql::each(
    concat!(
        "SELECT o.ward_id, ",
        dose_counts!(sqlite),
        " FROM json_each($1) w CROSS JOIN medication_orders o \
         WHERE o.ward_id = w.value AND o.status = 'active' AND o.due_at <= $3 GROUP BY o.ward_id"
    ),
    concat!(
        "SELECT w.ward_id, d.due, d.late, d.oldest, d.missed FROM unnest($1::bigint[]) AS w (ward_id) CROSS JOIN LATERAL \
         (SELECT ",
        dose_counts!(postgres),
        " FROM medication_orders o \
         WHERE o.ward_id = w.ward_id AND o.status = 'active' AND o.due_at <= $3) d"
    ),
);

/// What is missing or too much in these wards, until somebody has answered for it.
pub(super) const DISCREPANCIES: Sql = Sql::each(
    "SELECT x.ward_id, count(*) FROM json_each($1) w CROSS JOIN discrepancies x \
     WHERE x.ward_id = w.value AND x.status <> 'resolved' GROUP BY x.ward_id",
    "SELECT w.ward_id, d.waiting FROM unnest($1::bigint[]) AS w (ward_id) CROSS JOIN LATERAL \
     (SELECT count(*) AS waiting FROM discrepancies x WHERE x.ward_id = w.ward_id AND x.status <> 'resolved') d",
);

/// Drugs of these wards that are at or below their threshold, and how many of those are gone.
pub(super) const LOW: Sql = Sql::each(
    "SELECT s.ward_id, count(*) FILTER (WHERE s.current_stock > 0) AS low, \
     count(*) FILTER (WHERE s.current_stock <= 0) AS out FROM json_each($1) w CROSS JOIN drug_stock s \
     WHERE s.ward_id = w.value AND s.current_stock <= s.low_stock_threshold GROUP BY s.ward_id",
    "SELECT w.ward_id, d.low, d.out FROM unnest($1::bigint[]) AS w (ward_id) CROSS JOIN LATERAL \
     (SELECT count(*) FILTER (WHERE s.current_stock > 0) AS low, count(*) FILTER (WHERE s.current_stock <= 0) AS out \
     FROM drug_stock s WHERE s.ward_id = w.ward_id AND s.current_stock <= s.low_stock_threshold) d",
);

/// Doses given in these wards between two moments, by whole hours before the later one.
pub(super) const GIVEN: Sql = Sql::each(
    "SELECT a.ward_id, ($3 - a.administration_time) / 3600000000 AS ago, count(*) FROM json_each($1) w \
     CROSS JOIN medication_administrations a \
     WHERE a.ward_id = w.value AND a.administration_time > $2 \
     AND a.administration_time <= $3 AND a.outcome = 'given' GROUP BY 1, 2",
    "SELECT w.ward_id, d.ago, d.count FROM unnest($1::bigint[]) AS w (ward_id) CROSS JOIN LATERAL \
     (SELECT floor(extract(epoch FROM ($3 - a.administration_time)) / 3600)::bigint AS ago, count(*) AS count \
     FROM medication_administrations a WHERE a.ward_id = w.ward_id AND a.administration_time > $2 \
     AND a.administration_time <= $3 AND a.outcome = 'given' GROUP BY 1) d",
);

/// Emergency accesses to these wards that last beyond then.
pub(super) const EMERGENCIES: Sql = Sql::each(
    "SELECT e.ward_id, count(*) FROM json_each($1) w CROSS JOIN emergency_accesses e \
     WHERE e.ward_id = w.value AND e.until_at > $2 GROUP BY e.ward_id",
    "SELECT w.ward_id, d.lasting FROM unnest($1::bigint[]) AS w (ward_id) CROSS JOIN LATERAL \
     (SELECT count(*) AS lasting FROM emergency_accesses e WHERE e.ward_id = w.ward_id AND e.until_at > $2) d",
);

/// Emergency accesses, the newest first, that began before a time and key.
pub(super) const EMERGENCY_LIST: &str = "SELECT e.id, u.name AS who, u.role, e.ward_id, w.code AS ward_code, \
    e.reason_code, e.reason, e.started_at, e.until_at, x.name AS ended_by FROM (SELECT * FROM emergency_accesses \
    WHERE (started_at, id) < ($1, $2) ORDER BY started_at DESC, id DESC LIMIT $3) e \
    JOIN users u ON u.id = e.user_id JOIN wards w ON w.id = e.ward_id LEFT JOIN users x ON x.id = e.ended_by \
    ORDER BY e.started_at DESC, e.id DESC";

#[derive(Debug, FromRow)]
struct EmergencyRow {
    id: Uuid,
    who: String,
    role: Role,
    ward_id: WardId,
    ward_code: String,
    reason_code: String,
    reason: String,
    started_at: At,
    until_at: At,
    ended_by: Option<String>,
}

/// A page of emergency accesses, the newest first: those that began before `before`.
///
/// # Errors
/// [`StoreError`].
pub async fn emergencies(
    link: Link<'_>,
    before: (At, Uuid),
    limit: i64,
) -> Result<Vec<Emergency>, StoreError> {
    let (at, id) = before;
    let rows = fetch!(all, link, EmergencyRow, EMERGENCY_LIST, at, id, limit)?;
    let emergency = |row: EmergencyRow| Emergency {
        id: row.id,
        who: row.who,
        role: row.role,
        ward: row.ward_id,
        ward_code: row.ward_code,
        reason: Reason {
            code: row.reason_code,
            text: row.reason,
        },
        started: row.started_at.0,
        until: row.until_at.0,
        ended_by: row.ended_by,
    };
    Ok(rows.into_iter().map(emergency).collect())
}

/// When the counted hours begin.
pub(super) fn begins(now: Timestamp) -> Timestamp {
    let hours = SignedDuration::from_hours(i64::try_from(HOURS).unwrap_or(i64::MAX));
    now.checked_sub(hours).unwrap_or(Timestamp::MIN)
}

fn count(of: i64) -> u32 {
    u32::try_from(of.max(0)).unwrap_or(u32::MAX)
}

/// Counts every ward, in one read transaction. A dose is late from the minute after its own.
///
/// # Errors
/// [`StoreError`].
pub async fn board(conn: &mut Conn, windows: Windows, now: Timestamp) -> Result<Board, StoreError> {
    let mut tx = conn.begin_screen().await?;
    let mut lines: Vec<Line> = screens::wards(tx.link())
        .await?
        .into_iter()
        .map(|ward| Line {
            ward,
            due: 0,
            late: 0,
            missed: 0,
            oldest: None,
            low: 0,
            out: 0,
            discrepancies: 0,
            emergencies: 0,
            given: vec![0; HOURS],
        })
        .collect();
    let wards: Vec<i64> = lines.iter().map(|line| line.ward.id.0).collect();
    let mut at: HashMap<WardId, &mut Line> =
        lines.iter_mut().map(|line| (line.ward.id, line)).collect();
    doses(tx.link(), &wards, &mut at, windows, now).await?;
    for (ward, low, out) in fetch!(all, tx.link(), (WardId, i64, i64), LOW, List(wards.clone()))? {
        if let Some(line) = at.get_mut(&ward) {
            (line.low, line.out) = (count(low), count(out));
        }
    }
    type Waiting = (WardId, i64);
    let waiting = List(wards.clone());
    for (ward, waiting) in fetch!(all, tx.link(), Waiting, DISCREPANCIES, waiting)? {
        if let Some(line) = at.get_mut(&ward) {
            line.discrepancies = count(waiting);
        }
    }
    let lasting = fetch!(
        all,
        tx.link(),
        (WardId, i64),
        EMERGENCIES,
        List(wards.clone()),
        At::from(now)
    )?;
    for (ward, lasting) in lasting {
        if let Some(line) = at.get_mut(&ward) {
            line.emergencies = count(lasting);
        }
    }
    given(tx.link(), &wards, &mut at, now).await?;
    tx.rollback().await?;
    Ok(Board {
        lines,
        taken_at: now,
    })
}

async fn doses(
    link: Link<'_>,
    wards: &[i64],
    at: &mut HashMap<WardId, &mut Line>,
    windows: Windows,
    now: Timestamp,
) -> Result<(), StoreError> {
    // As the queue counts: in whole minutes.
    let second = now.as_second().div_euclid(60).saturating_mul(60);
    let minute = Timestamp::from_second(second).unwrap_or(now);
    let until = now.checked_add(windows.due).unwrap_or(Timestamp::MAX);
    let next = minute.checked_add(SignedDuration::from_mins(1));
    let missed = next.and_then(|next| next.checked_sub(windows.missed));
    let missed = At::from(missed.unwrap_or(Timestamp::MIN));
    type Due = (WardId, i64, i64, Option<At>, i64);
    let (wards, minute, until) = (List(wards.to_vec()), At::from(minute), At::from(until));
    let found = fetch!(all, link, Due, DUE, wards, minute, until, missed)?;
    for (ward, due, late, oldest, missed) in found {
        if let Some(line) = at.get_mut(&ward) {
            (line.due, line.late, line.missed) = (count(due), count(late), count(missed));
            line.oldest = oldest.filter(|_| late > 0).map(|at| at.0);
        }
    }
    Ok(())
}

async fn given(
    link: Link<'_>,
    wards: &[i64],
    at: &mut HashMap<WardId, &mut Line>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (wards, from, to) = (List(wards.to_vec()), At::from(begins(now)), At::from(now));
    for (ward, ago, given) in fetch!(all, link, (WardId, i64, i64), GIVEN, wards, from, to)? {
        // The oldest hour stands first.
        let hour = usize::try_from(ago)
            .ok()
            .and_then(|ago| (HOURS - 1).checked_sub(ago));
        let hour = hour.and_then(|hour| at.get_mut(&ward)?.given.get_mut(hour));
        if let Some(hour) = hour {
            *hour = count(given);
        }
    }
    Ok(())
}
