//! Outcomes of operations whose person was gone before they could be seen.

use sqlx::FromRow;
use uuid::Uuid;

use super::error::changed;
use super::{At, Link, List, Sql, StoreError};
use crate::domain::{OpId, UserId};

/// How many are shown at once: nobody signs more in the moment in which a line drops.
const MOST: i64 = 50;

/// An outcome that nobody saw.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Unseen {
    /// Of which operation.
    pub op_id: OpId,
    /// When it was known.
    pub at: At,
    /// What was asked, in words.
    pub what: String,
    /// What became of it, as JSON.
    pub outcome: String,
}

/// Remembers one until it is seen. Twice is once.
///
/// # Errors
/// [`StoreError`].
pub async fn add(link: Link<'_>, user: UserId, unseen: &Unseen) -> Result<(), StoreError> {
    let sql = "INSERT INTO unseen_outcomes (op_id, user_id, at, what, outcome) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (op_id) DO NOTHING";
    let (what, outcome) = (unseen.what.as_str(), unseen.outcome.as_str());
    let added = execute!(link, sql, unseen.op_id, user, unseen.at, what, outcome)?;
    // None: it is remembered already.
    if added == 0 {
        return Ok(());
    }
    changed("unseen outcome", added, 1)
}

/// What a person has not seen, oldest first.
pub(super) const OF: &str =
    "SELECT op_id, at, what, outcome FROM unseen_outcomes WHERE user_id = $1 ORDER BY at LIMIT $2";

/// What a person has not seen, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn of(link: Link<'_>, user: UserId) -> Result<Vec<Unseen>, StoreError> {
    fetch!(all, link, Unseen, OF, user, MOST)
}

/// The person has seen these. Those that another session of theirs has shown meanwhile are gone already.
///
/// # Errors
/// [`StoreError`].
pub async fn seen(link: Link<'_>, user: UserId, ops: &[OpId]) -> Result<(), StoreError> {
    let ops: Vec<Uuid> = ops.iter().map(|op| op.0).collect();
    let sql = Sql::each(
        "DELETE FROM unseen_outcomes WHERE user_id = $1 AND op_id IN (SELECT unhex(value) FROM json_each($2))",
        "DELETE FROM unseen_outcomes WHERE user_id = $1 AND op_id = ANY($2)",
    );
    let expected = ops.len() as u64;
    let found = execute!(link, sql, user, List(ops))?;
    if found > expected {
        return changed("seen outcomes", found, 0);
    }
    Ok(())
}
