//! The numbers on packages, and the drugs that they belong to.

use serde::Serialize;
use sqlx::FromRow;

use super::error::changed;
use super::{Link, List, Sql, StoreError};
use crate::domain::decide::CodeChange;
use crate::domain::scan::Gtin;
use crate::domain::{DrugId, Operation, Request};

/// Which drugs packages with these numbers hold, with what their names are.
pub(super) const BOUND: Sql = Sql::each(
    "SELECT c.code, c.drug_id, d.name || CASE d.strength WHEN '' THEN '' ELSE ' ' || d.strength END AS title, d.unit, \
     d.controlled, d.high_alert FROM drug_codes c JOIN drugs d ON d.id = c.drug_id \
     WHERE c.system = 'gtin' AND c.code IN (SELECT value FROM json_each($1))",
    "SELECT c.code, c.drug_id, d.name || CASE d.strength WHEN '' THEN '' ELSE ' ' || d.strength END AS title, d.unit, \
     d.controlled, d.high_alert FROM drug_codes c JOIN drugs d ON d.id = c.drug_id \
     WHERE c.system = 'gtin' AND c.code = ANY($1)",
);

/// The formulary entries that packages with this number hold.
pub(super) const DRUGS_OF: Sql = Sql::same(
    "SELECT d.id, d.code, d.name || CASE d.strength WHEN '' THEN '' ELSE ' ' || d.strength END AS title, d.unit \
     FROM drug_codes c JOIN drugs d ON d.id = c.drug_id WHERE c.system = 'gtin' AND c.code = $1 \
     ORDER BY d.id LIMIT 100",
);

/// Whether a lot of a drug is blocked everywhere.
pub(super) const RECALLED: &str =
    "SELECT recalled_at IS NOT NULL FROM lots WHERE drug_id = $1 AND lot = $2";

/// Codes of drugs, page by page.
pub(super) const LIST: &str = "SELECT c.code AS gtin, d.code, \
    d.name || CASE d.strength WHEN '' THEN '' ELSE ' ' || d.strength END AS title, c.drug_id FROM drug_codes c \
    JOIN drugs d ON d.id = c.drug_id WHERE c.system = 'gtin' AND c.code > $1 ORDER BY c.system, c.code, c.drug_id LIMIT $2";

/// A formulary entry that a package holds.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
pub struct Held {
    /// Key.
    pub id: DrugId,
    /// The formulary's own code.
    pub code: String,
    /// Name and strength.
    pub title: String,
    /// Stock unit.
    pub unit: String,
}

/// A number and a drug that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
pub struct CodeLine {
    /// 14 digits.
    pub gtin: String,
    /// The formulary's own code.
    pub code: String,
    /// Name and strength.
    pub title: String,
    /// Key of the drug.
    pub drug_id: DrugId,
}

/// What packages with this number hold; nothing, where nobody has said.
///
/// # Errors
/// [`StoreError`].
pub async fn held(link: Link<'_>, gtin: &Gtin) -> Result<Vec<Held>, StoreError> {
    fetch!(all, link, Held, DRUGS_OF, gtin.as_str())
}

/// Whether that lot of that drug was recalled; what no ward has ever had was not.
///
/// # Errors
/// [`StoreError`].
pub async fn is_recalled(link: Link<'_>, drug: DrugId, lot: &str) -> Result<bool, StoreError> {
    let found = fetch!(optional, link, (bool,), RECALLED, drug, lot)?;
    Ok(found.is_some_and(|(recalled,)| recalled))
}

/// Numbers and their drugs, from the first number after `after` on. A number whose drugs reach over the end of a page is
/// on it whole or on the next.
///
/// # Errors
/// [`StoreError`].
pub async fn list(link: Link<'_>, after: &str, limit: i64) -> Result<Vec<CodeLine>, StoreError> {
    // One row more tells whether the last number is whole.
    let mut lines = fetch!(all, link, CodeLine, LIST, after, limit.saturating_add(1))?;
    if lines.len() as i64 > limit
        && let Some(cut) = lines.pop()
        && lines.first().is_some_and(|line| line.gtin != cut.gtin)
    {
        lines.retain(|line| line.gtin != cut.gtin);
    }
    Ok(lines)
}

#[derive(Debug, FromRow)]
pub(super) struct BoundRow {
    pub code: String,
    pub drug_id: DrugId,
    pub title: String,
    pub unit: String,
    pub controlled: bool,
    pub high_alert: bool,
}

/// What is known of the numbers that these operations name.
pub(super) async fn bound(
    link: Link<'_>,
    ops: &[Operation],
) -> Result<Vec<(Gtin, BoundRow)>, StoreError> {
    let named: Vec<String> = ops
        .iter()
        .filter_map(|op| match &op.request {
            Request::BindCode { gtin, .. } | Request::ReleaseCode { gtin, .. } => {
                Some(gtin.to_string())
            }
            _ => None,
        })
        .collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let rows = fetch!(all, link, BoundRow, BOUND, List(named))?;
    rows.into_iter()
        .map(|row| {
            let gtin = Gtin::read(&row.code).map_err(|why| {
                StoreError::Guarantee(format!("the code '{}' cannot be read: {why}", row.code))
            })?;
            Ok((gtin, row))
        })
        .collect()
}

/// Writes what was decided of numbers, and counts it.
pub(super) async fn write(mut link: Link<'_>, changes: &[CodeChange]) -> Result<(), StoreError> {
    for change in changes {
        // One that another process binds at the same moment is a conflict on PostgreSQL, and the batch is done again.
        let (sql, (gtin, drug)) = match change {
            CodeChange::Bound(binding) => (
                "INSERT INTO drug_codes (system, code, drug_id) VALUES ('gtin', $1, $2) ON CONFLICT DO NOTHING",
                binding,
            ),
            CodeChange::Released(binding) => (
                "DELETE FROM drug_codes WHERE system = 'gtin' AND code = $1 AND drug_id = $2",
                binding,
            ),
        };
        let rows = execute!(link.lend(), sql, gtin.as_str(), *drug)?;
        changed("codes", rows, 1)?;
    }
    Ok(())
}
