//! Sign-ins, refusals, changes of users and settings: who tried what, when.

use serde::Serialize;
use uuid::Uuid;

use super::desk::json;
use super::error::changed;
use super::{At, Link, Sql, StoreError};
use crate::domain::{OrderId, UserId, WardId};

/// One thing that happened, or was refused.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// Key (UUIDv7).
    pub id: Uuid,
    /// When.
    pub at: At,
    /// Who, where that is known.
    pub actor: Option<UserId>,
    /// Who, as they called themselves.
    pub who: String,
    /// `signed in`, `refused` …
    pub kind: &'static str,
    /// Where.
    pub ward: Option<WardId>,
    /// What: never a password, never more of a patient than the order's key.
    pub detail: String,
    /// The code of the refusal that it was, or of what was stopped before it came so far.
    pub code: Option<&'static str>,
    /// The order that it was about.
    pub order: Option<OrderId>,
}

/// Writes events.
///
/// # Errors
/// [`StoreError`].
pub async fn write(link: Link<'_>, events: &[Event]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "INSERT INTO audit_events (id, at, actor_id, who, kind, ward_id, detail, code, order_id) \
         SELECT unhex(r.value ->> 'id', '-'), \
         r.value ->> 'at', r.value ->> 'actor', r.value ->> 'who', r.value ->> 'kind', r.value ->> 'ward', \
         r.value ->> 'detail', r.value ->> 'code', unhex(r.value ->> 'order', '-') FROM json_each($1) r",
        "INSERT INTO audit_events (id, at, actor_id, who, kind, ward_id, detail, code, order_id) SELECT id, \
         'epoch'::timestamptz + at * interval '1 microsecond', actor, who, kind, ward, detail, \
         code, \"order\" FROM json_to_recordset($1::json) \
         AS r (id uuid, at bigint, actor bigint, who text, kind text, ward bigint, detail text, \
         code text, \"order\" uuid)",
    );
    changed("audit", execute!(link, sql, json(events)?)?, events.len())
}

/// What was put on record of a kind, oldest first: for tests.
#[cfg(test)]
pub async fn told(link: Link<'_>, kind: &str) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT detail FROM audit_events WHERE kind = $1 ORDER BY id";
    let rows = fetch!(all, link, (String,), sql, kind)?;
    Ok(rows.into_iter().map(|(detail,)| detail).collect())
}

/// Writes that a scan was stopped on the sheet of an order: another patient's wristband, another drug's package, or one
/// that may not be used. `code` says which.
///
/// # Errors
/// [`StoreError`].
pub async fn wrong_scan(
    link: Link<'_>,
    at: At,
    actor: UserId,
    order: OrderId,
    code: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit_events (id, at, actor_id, who, kind, ward_id, detail, code, order_id) \
               SELECT $1, $2, u.id, u.username, 'wrong scan stopped', o.ward_id, 'on the sheet of the dose', \
               $5, o.id FROM users u CROSS JOIN medication_orders o WHERE u.id = $3 AND o.id = $4";
    changed(
        "audit",
        execute!(link, sql, Uuid::now_v7(), at, actor, order, code)?,
        1,
    )
}
