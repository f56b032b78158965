//! Emergency accesses that are to be ended, and the wards that new ones are for.

use std::collections::BTreeSet;

use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::decide::{EmergencyAccess, Loaded};
use crate::domain::reason::Reason;
use crate::domain::{Operation, Request, UserId, WardId};
use crate::store::{At, Link, List, Sql, StoreError};

#[derive(Debug, FromRow)]
struct Row {
    id: Uuid,
    user_id: UserId,
    ward_id: WardId,
    reason_code: String,
    reason: String,
    started_at: At,
    until_at: At,
}

/// Emergency accesses by their keys.
pub(in crate::store) const EMERGENCIES: Sql = Sql::each(
    "SELECT id, user_id, ward_id, reason_code, reason, started_at, until_at FROM emergency_accesses \
     WHERE id IN (SELECT unhex(value) FROM json_each($1))",
    "SELECT id, user_id, ward_id, reason_code, reason, started_at, until_at FROM emergency_accesses \
     WHERE id = ANY($1) ORDER BY id FOR UPDATE",
);

/// Loads what operations about emergency access need; nothing for any other.
pub(super) async fn load(
    mut link: Link<'_>,
    ops: &[Operation],
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    let mut wards = BTreeSet::new();
    let mut ends = BTreeSet::new();
    for op in ops {
        match op.request {
            Request::Emergency { ward, .. } => drop(wards.insert(ward.0)),
            Request::EndEmergency { access } => drop(ends.insert(access)),
            _ => {}
        }
    }
    if !wards.is_empty() {
        let sql = Sql::each(
            "SELECT id, name FROM wards WHERE id IN (SELECT value FROM json_each($1))",
            "SELECT id, name FROM wards WHERE id = ANY($1)",
        );
        let wards = List(wards.into_iter().collect::<Vec<i64>>());
        let named = fetch!(all, link.lend(), (WardId, String), sql, wards)?;
        loaded.wards.extend(named);
    }
    if !ends.is_empty() {
        let ids = List(ends.into_iter().collect::<Vec<Uuid>>());
        let rows = fetch!(all, link, Row, EMERGENCIES, ids)?;
        loaded.emergencies = rows.into_iter().map(|row| (row.id, access(row))).collect();
    }
    Ok(())
}

fn access(row: Row) -> EmergencyAccess {
    EmergencyAccess {
        id: row.id,
        user: row.user_id,
        ward: row.ward_id,
        reason: Reason {
            code: row.reason_code,
            text: row.reason,
        },
        started: row.started_at.0,
        until: row.until_at.0,
    }
}
