//! Wards, drugs, and the pages of the drug register.

use std::collections::HashMap;

use serde::Serialize;
use sqlx::FromRow;

use crate::domain::decide::{Effects, Stock};
use crate::domain::{DrugId, Quantity, WardId, WardKind};
use crate::store::desk::{self, Rows, json};
use crate::store::error::changed;
use crate::store::{Link, List, Sql, StoreError};

/// A ward on record.
#[derive(Debug, Clone, FromRow)]
pub struct KnownWard {
    /// Key.
    pub id: WardId,
    /// What people type.
    pub code: String,
    /// What people read.
    pub name: String,
    /// Ward or pharmacy.
    pub kind: WardKind,
    /// IANA name.
    pub time_zone: String,
}

/// Every ward.
///
/// # Errors
/// [`StoreError`].
pub async fn wards(link: Link<'_>) -> Result<Vec<KnownWard>, StoreError> {
    let sql = "SELECT id, code, name, kind, time_zone FROM wards ORDER BY id";
    fetch!(all, link, KnownWard, sql)
}

/// A ward to be added, or what a known one is to become; its code says which.
#[derive(Debug, Clone, Serialize)]
pub struct NewWard {
    /// What people type.
    pub code: String,
    /// What people read.
    pub name: String,
    /// Ward or pharmacy; never changed.
    pub kind: WardKind,
    /// IANA name.
    pub zone: String,
}

/// Adds wards.
///
/// # Errors
/// [`StoreError`].
pub async fn add_wards(link: Link<'_>, rows: &[NewWard]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "INSERT INTO wards (code, name, kind, time_zone) SELECT r.value ->> 'code', r.value ->> 'name', \
         r.value ->> 'kind', r.value ->> 'zone' FROM json_each($1) r",
        "INSERT INTO wards (code, name, kind, time_zone) SELECT code, name, kind, zone \
         FROM json_to_recordset($1::json) AS r (code text, name text, kind text, zone text)",
    );
    changed("wards", execute!(link, sql, json(rows)?)?, rows.len())
}

/// Sets names and zones of known wards.
///
/// # Errors
/// [`StoreError`].
pub async fn update_wards(link: Link<'_>, rows: &[NewWard]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "UPDATE wards SET name = r.value ->> 'name', time_zone = r.value ->> 'zone' FROM json_each($1) r \
         WHERE code = r.value ->> 'code'",
        "UPDATE wards w SET name = r.name, time_zone = r.zone \
         FROM json_to_recordset($1::json) AS r (code text, name text, zone text) WHERE w.code = r.code",
    );
    changed("wards", execute!(link, sql, json(rows)?)?, rows.len())
}

/// A formulary entry on record.
#[derive(Debug, Clone, FromRow)]
pub struct KnownDrug {
    /// Key.
    pub id: DrugId,
    /// The formulary's own code.
    pub code: String,
    /// As written.
    pub name: String,
    /// Tablet, vial …
    pub form: String,
    /// As written.
    pub strength: String,
    /// The unit that is counted.
    pub unit: String,
    /// A controlled drug.
    pub controlled: bool,
    /// A high-alert drug.
    pub high_alert: bool,
    /// Its national drug codes, space-separated.
    pub ndcs: String,
}

/// The whole formulary.
///
/// # Errors
/// [`StoreError`].
pub async fn drugs(link: Link<'_>) -> Result<Vec<KnownDrug>, StoreError> {
    let sql = "SELECT d.id, d.code, d.name, d.form, d.strength, d.unit, d.controlled, d.high_alert, \
               COALESCE(string_agg(c.code, ' '), '') AS ndcs FROM drugs d \
               LEFT JOIN drug_codes c ON c.drug_id = d.id AND c.system = 'ndc' \
               GROUP BY d.id, d.code, d.name, d.form, d.strength, d.unit, d.controlled, d.high_alert";
    fetch!(all, link, KnownDrug, sql)
}

/// A drug to be added.
#[derive(Debug, Clone, Serialize)]
pub struct NewDrug {
    /// The formulary's own code.
    pub code: String,
    /// As written.
    pub name: String,
    /// [`crate::domain::text::name_key`] of the name.
    pub key: String,
    /// Tablet, vial …
    pub form: String,
    /// As written.
    pub strength: String,
    /// The unit that is counted.
    pub unit: String,
    /// A controlled drug.
    pub controlled: bool,
    /// A high-alert drug.
    pub alert: bool,
}

/// Adds drugs.
///
/// # Errors
/// [`StoreError`].
pub async fn add_drugs(link: Link<'_>, rows: &[NewDrug]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "INSERT INTO drugs (code, name, name_key, form, strength, unit, controlled, high_alert) \
         SELECT r.value ->> 'code', r.value ->> 'name', r.value ->> 'key', r.value ->> 'form', r.value ->> 'strength', \
         r.value ->> 'unit', r.value ->> 'controlled', r.value ->> 'alert' FROM json_each($1) r",
        "INSERT INTO drugs (code, name, name_key, form, strength, unit, controlled, high_alert) \
         SELECT code, name, key, form, strength, unit, controlled, alert FROM json_to_recordset($1::json) \
         AS r (code text, name text, key text, form text, strength text, unit text, controlled boolean, alert boolean)",
    );
    changed("drugs", execute!(link, sql, json(rows)?)?, rows.len())
}

/// What may change in a known drug.
#[derive(Debug, Clone, Serialize)]
pub struct DrugChange {
    /// Which.
    pub id: DrugId,
    /// As written.
    pub name: String,
    /// [`crate::domain::text::name_key`] of the name.
    pub key: String,
    /// A controlled drug.
    pub controlled: bool,
    /// A high-alert drug.
    pub alert: bool,
}

/// Changes known drugs.
///
/// # Errors
/// [`StoreError`].
pub async fn update_drugs(link: Link<'_>, rows: &[DrugChange]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "UPDATE drugs SET name = r.value ->> 'name', name_key = r.value ->> 'key', \
         controlled = r.value ->> 'controlled', high_alert = r.value ->> 'alert' FROM json_each($1) r \
         WHERE drugs.id = r.value ->> 'id'",
        "UPDATE drugs d SET name = r.name, name_key = r.key, controlled = r.controlled, high_alert = r.alert \
         FROM json_to_recordset($1::json) AS r (id bigint, name text, key text, controlled boolean, alert boolean) \
         WHERE d.id = r.id",
    );
    changed("drugs", execute!(link, sql, json(rows)?)?, rows.len())
}

/// A national drug code of a drug.
#[derive(Debug, Clone, Serialize)]
pub struct NewNdc {
    /// The formulary's code of the drug.
    pub drug: String,
    /// As printed on the package.
    pub ndc: String,
}

/// Adds codes to drugs that are on record; one that is there already is left alone, and so are older ones: their
/// packages still lie in cupboards.
///
/// # Errors
/// [`StoreError`].
pub async fn add_ndcs(link: Link<'_>, rows: &[NewNdc]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "INSERT INTO drug_codes (system, code, drug_id) SELECT 'ndc', r.value ->> 'ndc', d.id FROM json_each($1) r \
         JOIN drugs d ON d.code = r.value ->> 'drug' WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO drug_codes (system, code, drug_id) SELECT 'ndc', r.ndc, d.id \
         FROM json_to_recordset($1::json) AS r (drug text, ndc text) JOIN drugs d ON d.code = r.drug \
         ON CONFLICT DO NOTHING",
    );
    execute!(link, sql, json(rows)?).map(|_| ())
}

/// A page of the drug register, as an import needs to know it.
#[derive(Debug, Clone, FromRow)]
pub struct KnownPage {
    /// Where.
    pub ward_id: WardId,
    /// What.
    pub drug_id: DrugId,
    /// Low at or below this.
    pub low_stock_threshold: Quantity,
    /// Rows that it has.
    pub ledger_seq: i64,
}

/// The pages of these wards.
///
/// # Errors
/// [`StoreError`].
pub async fn pages(link: Link<'_>, wards: Vec<i64>) -> Result<Vec<KnownPage>, StoreError> {
    let sql = Sql::each(
        "SELECT ward_id, drug_id, low_stock_threshold, ledger_seq FROM drug_stock \
         WHERE ward_id IN (SELECT value FROM json_each($1))",
        "SELECT ward_id, drug_id, low_stock_threshold, ledger_seq FROM drug_stock WHERE ward_id = ANY($1)",
    );
    fetch!(all, link, KnownPage, sql, List(wards))
}

/// A page to be added, empty.
#[derive(Debug, Clone, Serialize)]
pub struct NewPage {
    /// Where.
    pub ward: WardId,
    /// What.
    pub drug: DrugId,
    /// Low at or below this.
    pub low: Quantity,
}

/// Adds pages without rows.
///
/// # Errors
/// [`StoreError`].
pub async fn add_pages(link: Link<'_>, rows: &[NewPage]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
         SELECT r.value ->> 'ward', r.value ->> 'drug', 0, r.value ->> 'low', 0, zeroblob(32) FROM json_each($1) r",
        "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
         SELECT ward, drug, 0, low, 0, decode(repeat('00', 32), 'hex') \
         FROM json_to_recordset($1::json) AS r (ward bigint, drug bigint, low bigint)",
    );
    changed("stock pages", execute!(link, sql, json(rows)?)?, rows.len())
}

/// A threshold to be set.
pub type Threshold = NewPage;

/// Sets thresholds.
///
/// # Errors
/// [`StoreError`].
pub async fn set_thresholds(link: Link<'_>, rows: &[Threshold]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "UPDATE drug_stock SET low_stock_threshold = r.value ->> 'low' FROM json_each($1) r \
         WHERE ward_id = r.value ->> 'ward' AND drug_id = r.value ->> 'drug'",
        "UPDATE drug_stock s SET low_stock_threshold = r.low \
         FROM json_to_recordset($1::json) AS r (ward bigint, drug bigint, low bigint) \
         WHERE s.ward_id = r.ward AND s.drug_id = r.drug",
    );
    changed("thresholds", execute!(link, sql, json(rows)?)?, rows.len())
}

/// Writes the first rows of pages that have none, and sets their heads to `heads`.
///
/// # Errors
/// [`StoreError`]; [`StoreError::RowCount`] where a page has rows after all.
pub async fn open_pages(
    link: Link<'_>,
    first: &Effects,
    heads: &HashMap<(WardId, DrugId), Stock>,
) -> Result<(), StoreError> {
    let rows = Rows {
        heads: desk::heads(&first.ledger, heads),
        ledger: &first.ledger,
        ..Rows::default()
    };
    rows.write(link).await
}
