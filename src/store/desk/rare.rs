//! What few batches write: each kind of row by a statement of its own, and only where there are any.

use serde::Serialize;

use super::json;
use crate::domain::decide::{AskedEffect, Change, Effects, NotedEffect, WrittenReason};
use crate::store::error::changed;
use crate::store::{At, Link, Sql, StoreError};

/// Writes them, and counts them.
pub(super) async fn write(mut link: Link<'_>, effects: &Effects) -> Result<(), StoreError> {
    change_orders(link.lend(), &effects.changed).await?;
    write_reasons(link.lend(), &effects.reasons).await?;
    ask_effects(link.lend(), &effects.asked).await?;
    note_effects(link, &effects.noted).await
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    id: String,
    version: i64,
    was: &'a str,
    status: &'a str,
    ward: i64,
    held: Option<At>,
    by: i64,
    at: At,
    change: &'a str,
}

/// Orders that are held, or whose entry was taken back.
pub(in crate::store) const CHANGE_ORDERS: Sql = Sql::each(
    "UPDATE medication_orders SET status = r.value ->> 'status', version = version + 1, \
     ward_id = r.value ->> 'ward', held_until = r.value ->> 'held', changed_at = r.value ->> 'at', changed_by = r.value ->> 'by', \
     change = r.value ->> 'change' FROM json_each($1) r WHERE medication_orders.id = unhex(r.value ->> 'id') \
     AND +status = r.value ->> 'was' AND version = r.value ->> 'version'",
    "UPDATE medication_orders o SET status = r.status, version = o.version + 1, \
     ward_id = r.ward, held_until = 'epoch'::timestamptz + r.held * interval '1 microsecond', \
     changed_at = 'epoch'::timestamptz + r.at * interval '1 microsecond', changed_by = r.by, change = r.change \
     FROM json_to_recordset($1::json) \
     AS r (id uuid, version bigint, was text, status text, ward bigint, held bigint, by bigint, at bigint, change text) \
     WHERE o.id = r.id AND o.status = r.was AND o.version = r.version",
);

async fn change_orders(mut link: Link<'_>, changes: &[Change]) -> Result<(), StoreError> {
    // One after the other: an order may change twice in a batch, and the second change finds what the first has left.
    for change in changes {
        let row = ChangeJson {
            id: change.id.0.simple().to_string(),
            version: change.version,
            was: change.was.as_str(),
            status: change.status.as_str(),
            ward: change.ward.0,
            held: change.held_until.map(At::from),
            by: change.by.0,
            at: change.at.into(),
            change: &change.change,
        };
        let found = execute!(link.lend(), CHANGE_ORDERS, json(&[row])?)?;
        changed("changed orders", found, 1)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct ReasonJson<'a> {
    id: String,
    kind: &'a str,
    code: &'a str,
    text: &'a str,
    about: &'a str,
}

async fn write_reasons(link: Link<'_>, reasons: &[WrittenReason]) -> Result<(), StoreError> {
    if reasons.is_empty() {
        return Ok(());
    }
    let rows: Vec<ReasonJson<'_>> = reasons
        .iter()
        .map(|reason| ReasonJson {
            id: reason.administration.0.simple().to_string(),
            kind: reason.kind.as_str(),
            code: &reason.reason.code,
            text: &reason.reason.text,
            about: &reason.about,
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO administration_reasons (administration_id, kind, code, text, about) \
         SELECT unhex(r.value ->> 'id'), r.value ->> 'kind', r.value ->> 'code', r.value ->> 'text', \
         r.value ->> 'about' FROM json_each($1) r",
        "INSERT INTO administration_reasons (administration_id, kind, code, text, about) \
         SELECT r.id, r.kind, r.code, r.text, r.about FROM json_to_recordset($1::json) \
         AS r (id uuid, kind text, code text, text text, about text)",
    );
    let found = execute!(link, sql, json(&rows)?)?;
    changed("reasons", found, rows.len())
}

#[derive(Serialize)]
struct AskedJson {
    id: String,
    ward: i64,
    due: At,
}

async fn ask_effects(link: Link<'_>, asked: &[AskedEffect]) -> Result<(), StoreError> {
    if asked.is_empty() {
        return Ok(());
    }
    let rows: Vec<AskedJson> = asked
        .iter()
        .map(|asked| AskedJson {
            id: asked.administration.0.simple().to_string(),
            ward: asked.ward.0,
            due: asked.due_at.into(),
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO prn_effects (administration_id, ward_id, due_at, text) \
         SELECT unhex(r.value ->> 'id'), r.value ->> 'ward', r.value ->> 'due', '' FROM json_each($1) r",
        "INSERT INTO prn_effects (administration_id, ward_id, due_at, text) \
         SELECT r.id, r.ward, 'epoch'::timestamptz + r.due * interval '1 microsecond', '' \
         FROM json_to_recordset($1::json) AS r (id uuid, ward bigint, due bigint)",
    );
    let found = execute!(link, sql, json(&rows)?)?;
    changed("effects to ask for", found, rows.len())
}

#[derive(Serialize)]
struct NotedJson<'a> {
    id: String,
    code: &'a str,
    text: &'a str,
    by: i64,
    at: At,
    op: String,
}

async fn note_effects(link: Link<'_>, noted: &[NotedEffect]) -> Result<(), StoreError> {
    if noted.is_empty() {
        return Ok(());
    }
    let rows: Vec<NotedJson<'_>> = noted
        .iter()
        .map(|noted| NotedJson {
            id: noted.administration.0.simple().to_string(),
            code: &noted.effect.code,
            text: &noted.effect.text,
            by: noted.by.0,
            at: noted.at.into(),
            op: noted.op.0.simple().to_string(),
        })
        .collect();
    // Answered once: another process may have been faster, and then the batch is done again.
    let sql = Sql::each(
        "UPDATE prn_effects SET code = r.value ->> 'code', text = r.value ->> 'text', noted_by = r.value ->> 'by', \
         noted_at = r.value ->> 'at', op_id = unhex(r.value ->> 'op') FROM json_each($1) r \
         WHERE administration_id = unhex(r.value ->> 'id') AND +code IS NULL",
        "UPDATE prn_effects e SET code = r.code, text = r.text, noted_by = r.by, \
         noted_at = 'epoch'::timestamptz + r.at * interval '1 microsecond', op_id = r.op \
         FROM json_to_recordset($1::json) AS r (id uuid, code text, text text, by bigint, at bigint, op uuid) \
         WHERE e.administration_id = r.id AND e.code IS NULL",
    );
    let found = execute!(link, sql, json(&rows)?)?;
    changed("effects", found, rows.len())
}
