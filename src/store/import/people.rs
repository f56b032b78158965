//! People who may sign in, and patients.

use serde::Serialize;
use sqlx::FromRow;

use crate::domain::{PatientId, Role, UserId, WardId};
use crate::store::desk::json;
use crate::store::error::changed;
use crate::store::{At, Day, Link, List, Sql, StoreError};

/// An account on record.
#[derive(Debug, Clone, FromRow)]
pub struct KnownUser {
    /// Key.
    pub id: UserId,
    /// What they type.
    pub username: String,
    /// What others see.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Codes of the wards where they may act, space-separated in order; empty: every ward.
    pub wards: String,
}

/// Every account.
///
/// # Errors
/// [`StoreError`].
pub async fn users(link: Link<'_>) -> Result<Vec<KnownUser>, StoreError> {
    let sql = "SELECT u.id, u.username, u.name, u.role, \
               CASE WHEN u.every_ward THEN '' ELSE COALESCE((SELECT string_agg(w.code, ' ' ORDER BY w.code) \
               FROM user_wards x JOIN wards w ON w.id = x.ward_id WHERE x.user_id = u.id), '-') END AS wards \
               FROM users u";
    fetch!(all, link, KnownUser, sql)
}

/// An account to be added.
#[derive(Debug, Clone, Serialize)]
pub struct NewUser {
    /// What they type.
    pub username: String,
    /// What others see.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Acts in every ward.
    pub every: bool,
    /// Acts in these.
    pub wards: Vec<WardId>,
}

/// Adds accounts that cannot sign in until somebody sets a password or a key.
///
/// # Errors
/// [`StoreError`].
pub async fn add_users(mut link: Link<'_>, rows: &[NewUser], now: At) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "INSERT INTO users (username, name, role, every_ward, disabled, failures, created_at) \
         SELECT r.value ->> 'username', r.value ->> 'name', r.value ->> 'role', r.value ->> 'every', false, 0, $2 \
         FROM json_each($1) r",
        "INSERT INTO users (username, name, role, every_ward, disabled, failures, created_at) \
         SELECT username, name, role, every, false, 0, $2 FROM json_to_recordset($1::json) \
         AS r (username text, name text, role text, every boolean)",
    );
    let found = execute!(link.lend(), sql, json(rows)?, now)?;
    changed("accounts", found, rows.len())?;
    let sql = Sql::each(
        "INSERT INTO user_wards (user_id, ward_id) SELECT u.id, w.value FROM json_each($1) r \
         JOIN users u ON u.username = r.value ->> 'username' JOIN json_each(r.value, '$.wards') w",
        "INSERT INTO user_wards (user_id, ward_id) SELECT u.id, w.id::bigint \
         FROM json_to_recordset($1::json) AS r (username text, wards json) \
         JOIN users u ON u.username = r.username CROSS JOIN json_array_elements_text(r.wards) AS w (id)",
    );
    let wards = rows.iter().map(|row| row.wards.len()).sum();
    changed("wards of people", execute!(link, sql, json(rows)?)?, wards)
}

/// A name to be set.
#[derive(Debug, Clone, Serialize)]
pub struct UserName {
    /// Whose.
    pub id: UserId,
    /// What others see.
    pub name: String,
}

/// Sets names.
///
/// # Errors
/// [`StoreError`].
pub async fn rename_users(link: Link<'_>, rows: &[UserName]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "UPDATE users SET name = r.value ->> 'name' FROM json_each($1) r WHERE users.id = r.value ->> 'id'",
        "UPDATE users u SET name = r.name FROM json_to_recordset($1::json) AS r (id bigint, name text) \
         WHERE u.id = r.id",
    );
    changed("names", execute!(link, sql, json(rows)?)?, rows.len())
}

/// A patient on record.
#[derive(Debug, Clone, FromRow)]
pub struct KnownPatient {
    /// Key.
    pub id: PatientId,
    /// On the wristband.
    pub mrn: String,
    /// As in the record.
    pub name: String,
    /// Second identifier.
    pub birth_date: Day,
    /// Where they lie.
    pub ward_id: WardId,
    /// May be empty.
    pub bed: String,
    /// May be empty.
    pub allergies: String,
    /// When they left; `None`: they are here.
    pub discharged_at: Option<At>,
}

/// The patients with these numbers.
///
/// # Errors
/// [`StoreError`].
pub async fn patients(link: Link<'_>, mrns: Vec<String>) -> Result<Vec<KnownPatient>, StoreError> {
    let sql = Sql::each(
        "SELECT id, mrn, name, birth_date, ward_id, bed, allergies, discharged_at FROM patients \
         WHERE mrn IN (SELECT value FROM json_each($1))",
        "SELECT id, mrn, name, birth_date, ward_id, bed, allergies, discharged_at FROM patients WHERE mrn = ANY($1)",
    );
    fetch!(all, link, KnownPatient, sql, List(mrns))
}

/// A patient to be added.
#[derive(Debug, Clone, Serialize)]
pub struct NewPatient {
    /// Key (UUIDv7).
    pub id: PatientId,
    /// On the wristband.
    pub mrn: String,
    /// As in the record.
    pub name: String,
    /// [`crate::domain::text::name_key`] of the name.
    pub key: String,
    /// Second identifier.
    pub born: Day,
    /// Where they lie.
    pub ward: WardId,
    /// May be empty.
    pub bed: String,
    /// May be empty.
    pub allergies: String,
}

/// Adds patients.
///
/// # Errors
/// [`StoreError`].
pub async fn add_patients(link: Link<'_>, rows: &[NewPatient]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "INSERT INTO patients (id, mrn, name, name_key, birth_date, ward_id, bed, allergies) \
         SELECT unhex(r.value ->> 'id', '-'), r.value ->> 'mrn', r.value ->> 'name', r.value ->> 'key', \
         r.value ->> 'born', r.value ->> 'ward', r.value ->> 'bed', r.value ->> 'allergies' FROM json_each($1) r",
        "INSERT INTO patients (id, mrn, name, name_key, birth_date, ward_id, bed, allergies) \
         SELECT id, mrn, name, key, born, ward, bed, allergies FROM json_to_recordset($1::json) \
         AS r (id uuid, mrn text, name text, key text, born date, ward bigint, bed text, allergies text)",
    );
    changed("patients", execute!(link, sql, json(rows)?)?, rows.len())
}

/// What may change in a known patient.
#[derive(Debug, Clone, Serialize)]
pub struct PatientChange {
    /// Who.
    pub id: PatientId,
    /// As in the record.
    pub name: String,
    /// [`crate::domain::text::name_key`] of the name.
    pub key: String,
    /// Where they lie now.
    pub ward: WardId,
    /// May be empty.
    pub bed: String,
    /// May be empty.
    pub allergies: String,
    /// What an open order says about it; empty: nothing that a nurse signs has changed.
    pub change: String,
}

/// Changes known patients, with a new version where it is something that people sign by.
///
/// # Errors
/// [`StoreError`].
pub async fn update_patients(
    link: Link<'_>,
    rows: &[PatientChange],
    now: At,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "UPDATE patients SET name = r.value ->> 'name', name_key = r.value ->> 'key', ward_id = r.value ->> 'ward', \
         bed = r.value ->> 'bed', allergies = r.value ->> 'allergies', \
         version = version + (r.value ->> 'change' <> ''), changed_at = $2, changed_by = NULL, \
         change = r.value ->> 'change' FROM json_each($1) r \
         WHERE patients.id = unhex(r.value ->> 'id', '-')",
        "UPDATE patients p SET name = r.name, name_key = r.key, ward_id = r.ward, bed = r.bed, allergies = r.allergies, \
         version = p.version + CASE r.change WHEN '' THEN 0 ELSE 1 END, changed_at = $2, changed_by = NULL, \
         change = r.change FROM json_to_recordset($1::json) \
         AS r (id uuid, name text, key text, ward bigint, bed text, allergies text, change text) \
         WHERE p.id = r.id",
    );
    changed(
        "patients",
        execute!(link, sql, json(rows)?, now)?,
        rows.len(),
    )
}

/// Open orders follow their patient to the ward of `rows`, with a new version; gives how many there were.
///
/// # Errors
/// [`StoreError`].
pub async fn follow_patients(
    link: Link<'_>,
    rows: &[PatientChange],
    now: At,
) -> Result<u64, StoreError> {
    if rows.is_empty() {
        return Ok(0);
    }
    let sql = Sql::each(
        "UPDATE medication_orders SET ward_id = r.value ->> 'ward', version = version + 1, changed_at = $2, \
         changed_by = NULL, change = r.value ->> 'change' FROM json_each($1) r \
         WHERE patient_id = unhex(r.value ->> 'id', '-') AND +status = 'active'",
        "UPDATE medication_orders o SET ward_id = r.ward, version = o.version + 1, changed_at = $2, \
         changed_by = NULL, change = r.change \
         FROM json_to_recordset($1::json) AS r (id uuid, ward bigint, change text) \
         WHERE o.patient_id = r.id AND o.status = 'active'",
    );
    execute!(link, sql, json(rows)?, now)
}
