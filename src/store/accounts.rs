//! People who may sign in, and where they may act.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use sqlx::FromRow;

use super::error::changed;
use super::{At, Link, List, Sql, StoreError};
use crate::domain::{Access, Actor, Role, UserId, WardId, Wards};

/// An account, with what sign-in needs.
#[derive(Debug, Clone, FromRow)]
pub struct Account {
    /// Key.
    pub id: UserId,
    /// What they type.
    pub username: String,
    /// What others see.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Acts in every ward.
    pub every_ward: bool,
    /// Argon2id in PHC form; `None`: cannot sign in with a password.
    pub secret_hash: Option<String>,
    /// May do nothing.
    pub disabled: bool,
    /// Failed sign-ins since the last good one.
    pub failures: i64,
    /// When the last one failed.
    pub failed_at: Option<At>,
}

pub(super) const ACCOUNT: &str = "SELECT id, username, name, role, every_ward, secret_hash, disabled, failures, failed_at \
                       FROM users WHERE username = $1";

/// The account of that name, if there is one.
///
/// # Errors
/// [`StoreError`].
pub async fn by_username(link: Link<'_>, username: &str) -> Result<Option<Account>, StoreError> {
    fetch!(optional, link, Account, ACCOUNT, username)
}

#[derive(Debug, FromRow)]
struct ActorRow {
    id: UserId,
    username: String,
    name: String,
    role: Role,
    every_ward: bool,
    disabled: bool,
    read_only: bool,
    secret: bool,
    ward_id: Option<WardId>,
    access_id: Option<uuid::Uuid>,
    until_at: Option<At>,
}

/// People with the wards where they may act; and again with each to which they have emergency access at that moment.
pub(super) const ACTORS: Sql = Sql::each(
    "SELECT u.id, u.username, u.name, u.role, u.every_ward, u.disabled, u.read_only, \
     u.secret_hash IS NOT NULL AS secret, w.ward_id, NULL AS access_id, NULL AS until_at FROM users u \
     LEFT JOIN user_wards w ON w.user_id = u.id WHERE u.id IN (SELECT value FROM json_each($1)) \
     UNION ALL SELECT u.id, u.username, u.name, u.role, u.every_ward, u.disabled, u.read_only, \
     u.secret_hash IS NOT NULL, e.ward_id, e.id, e.until_at FROM emergency_accesses e JOIN users u ON u.id = e.user_id \
     WHERE e.user_id IN (SELECT value FROM json_each($1)) AND e.until_at > $2",
    "SELECT u.id, u.username, u.name, u.role, u.every_ward, u.disabled, u.read_only, \
     u.secret_hash IS NOT NULL AS secret, w.ward_id, NULL::uuid AS access_id, NULL::timestamptz AS until_at FROM users u \
     LEFT JOIN user_wards w ON w.user_id = u.id WHERE u.id = ANY($1) \
     UNION ALL SELECT u.id, u.username, u.name, u.role, u.every_ward, u.disabled, u.read_only, \
     u.secret_hash IS NOT NULL, e.ward_id, e.id, e.until_at FROM emergency_accesses e JOIN users u ON u.id = e.user_id \
     WHERE e.user_id = ANY($1) AND e.until_at > $2",
);

/// These people, as the rules see them at that moment.
///
/// # Errors
/// [`StoreError`].
pub async fn actors(
    link: Link<'_>,
    ids: impl Iterator<Item = UserId>,
    now: At,
) -> Result<HashMap<UserId, Actor>, StoreError> {
    let ids: BTreeSet<i64> = ids.map(|id| id.0).collect();
    let rows = fetch!(
        all,
        link,
        ActorRow,
        ACTORS,
        List(ids.into_iter().collect::<Vec<i64>>()),
        now
    )?;
    let mut actors: HashMap<UserId, Actor> = HashMap::new();
    for row in rows {
        let actor = actors.entry(row.id).or_insert_with(|| Actor {
            id: row.id,
            username: row.username,
            name: row.name,
            role: row.role,
            wards: if row.every_ward {
                Wards::Every
            } else {
                Wards::Only(BTreeSet::new())
            },
            disabled: row.disabled,
            read_only: row.read_only,
            secret: row.secret,
            emergencies: BTreeMap::new(),
        });
        let access = row.access_id.zip(row.until_at);
        match (&mut actor.wards, row.ward_id, access) {
            (_, Some(ward), Some((id, At(until)))) => {
                let latest = actor.emergencies.entry(ward);
                let latest = latest.or_insert(Access { id, until });
                if latest.until < until {
                    *latest = Access { id, until };
                }
            }
            (Wards::Only(wards), Some(ward), None) => {
                wards.insert(ward);
            }
            _ => {}
        }
    }
    Ok(actors)
}

/// Counts a try to sign in as a failure before its secret is looked at, provided that nobody else has since `seen` was
/// read; gives whether. So of several tries at one moment, by whichever desks, one is looked at.
///
/// # Errors
/// [`StoreError`].
pub async fn claim_try(link: Link<'_>, seen: &Account, at: At) -> Result<bool, StoreError> {
    let sql = "UPDATE users SET failures = failures + 1, failed_at = $4 \
               WHERE id = $1 AND failures = $2 AND failed_at IS NOT DISTINCT FROM $3";
    let found = execute!(link, sql, seen.id, seen.failures, seen.failed_at, at)?;
    Ok(found == 1)
}

/// Forgets failed sign-ins: this one succeeded.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_failures(link: Link<'_>, id: UserId) -> Result<(), StoreError> {
    let sql = "UPDATE users SET failures = 0, failed_at = NULL WHERE id = $1";
    changed("sign-in failures", execute!(link, sql, id)?, 1)
}

/// A new account.
#[derive(Debug, Clone)]
pub struct NewAccount<'a> {
    /// What they type.
    pub username: &'a str,
    /// What others see.
    pub name: &'a str,
    /// What they are.
    pub role: Role,
    /// Acts in every ward.
    pub every_ward: bool,
    /// When.
    pub at: At,
}

/// Adds an account without a password; gives its key.
///
/// # Errors
/// [`StoreError::Constraint`]: the name is taken.
pub async fn add(link: Link<'_>, new: &NewAccount<'_>) -> Result<UserId, StoreError> {
    let sql = "INSERT INTO users (username, name, role, every_ward, disabled, failures, created_at) \
               VALUES ($1, $2, $3, $4, false, 0, $5) RETURNING id";
    let (id,) = fetch!(
        one,
        link,
        (UserId,),
        sql,
        new.username,
        new.name,
        new.role,
        new.every_ward,
        new.at
    )?;
    Ok(id)
}

/// Sets the password hash, and forgets failures.
///
/// # Errors
/// [`StoreError`].
pub async fn set_secret(link: Link<'_>, id: UserId, hash: &str) -> Result<(), StoreError> {
    let sql = "UPDATE users SET secret_hash = $2, failures = 0, failed_at = NULL WHERE id = $1";
    changed("password", execute!(link, sql, id, hash)?, 1)
}

/// Sets the role.
///
/// # Errors
/// [`StoreError`].
pub async fn set_role(link: Link<'_>, id: UserId, role: Role) -> Result<(), StoreError> {
    changed(
        "role",
        execute!(link, "UPDATE users SET role = $2 WHERE id = $1", id, role)?,
        1,
    )
}

/// Disables or enables.
///
/// # Errors
/// [`StoreError`].
pub async fn set_disabled(link: Link<'_>, id: UserId, disabled: bool) -> Result<(), StoreError> {
    changed(
        "account",
        execute!(
            link,
            "UPDATE users SET disabled = $2 WHERE id = $1",
            id,
            disabled
        )?,
        1,
    )
}

/// Lets somebody look only, or change things again.
///
/// # Errors
/// [`StoreError`].
pub async fn set_read_only(link: Link<'_>, id: UserId, read_only: bool) -> Result<(), StoreError> {
    let sql = "UPDATE users SET read_only = $2 WHERE id = $1";
    changed("account", execute!(link, sql, id, read_only)?, 1)
}

/// Sets the wards a person may act on: all of them, or these.
///
/// # Errors
/// [`StoreError`].
pub async fn set_wards(mut link: Link<'_>, id: UserId, wards: &Wards) -> Result<(), StoreError> {
    let every = matches!(wards, Wards::Every);
    let found = execute!(
        link.lend(),
        "UPDATE users SET every_ward = $2 WHERE id = $1",
        id,
        every
    )?;
    changed("wards of a person", found, 1)?;
    execute!(link.lend(), "DELETE FROM user_wards WHERE user_id = $1", id)?;
    if let Wards::Only(wards) = wards {
        for ward in wards {
            let sql = "INSERT INTO user_wards (user_id, ward_id) VALUES ($1, $2)";
            changed(
                "ward of a person",
                execute!(link.lend(), sql, id, *ward)?,
                1,
            )?;
        }
    }
    Ok(())
}

/// A key with which a person may sign in over SSH.
#[derive(Debug, Clone)]
pub struct Key<'a> {
    /// `SHA256:…`
    pub fingerprint: &'a str,
    /// In OpenSSH's form.
    pub public_key: &'a str,
    /// As the key file had it.
    pub comment: &'a str,
    /// When.
    pub at: At,
}

/// Adds a key.
///
/// # Errors
/// [`StoreError::Constraint`]: the key belongs to an account already.
pub async fn add_key(link: Link<'_>, id: UserId, key: &Key<'_>) -> Result<(), StoreError> {
    let sql = "INSERT INTO user_keys (fingerprint, user_id, public_key, comment, added_at) VALUES ($1, $2, $3, $4, $5)";
    let found = execute!(
        link,
        sql,
        key.fingerprint,
        id,
        key.public_key,
        key.comment,
        key.at
    )?;
    changed("key", found, 1)
}

/// Whose key it is.
#[derive(Debug, Clone, FromRow)]
pub struct KeyOwner {
    /// Key of the account.
    pub id: UserId,
    /// What they type.
    pub username: String,
    /// May do nothing.
    pub disabled: bool,
}

/// The owner of a key.
pub(super) const KEY_OWNER: &str = "SELECT u.id, u.username, u.disabled FROM user_keys k JOIN users u ON u.id = k.user_id \
    WHERE k.fingerprint = $1";

/// Whose key has this fingerprint (`SHA256:…`).
///
/// # Errors
/// [`StoreError`].
pub async fn by_key(link: Link<'_>, fingerprint: &str) -> Result<Option<KeyOwner>, StoreError> {
    fetch!(optional, link, KeyOwner, KEY_OWNER, fingerprint)
}

/// One line of the list of accounts.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Listed {
    /// What they type.
    pub username: String,
    /// What others see.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Codes of the wards they act in, space-separated; `*`: every one.
    pub wards: String,
    /// Whether a password is set.
    pub password: bool,
    /// How many SSH keys they have.
    pub keys: i64,
    /// May do nothing.
    pub disabled: bool,
    /// May look only.
    pub read_only: bool,
}

/// A page of accounts.
pub(super) const LIST: &str = "SELECT u.username, u.name, u.role, CASE WHEN u.every_ward THEN '*' ELSE COALESCE((SELECT \
    string_agg(w.code, ' ' ORDER BY w.code) FROM user_wards x JOIN wards w ON w.id = x.ward_id \
    WHERE x.user_id = u.id), '') END AS wards, u.secret_hash IS NOT NULL AS password, \
    (SELECT count(*) FROM user_keys k WHERE k.user_id = u.id) AS keys, u.disabled, u.read_only \
    FROM users u WHERE u.username > $1 ORDER BY u.username LIMIT $2";
/// Accounts that could sign in.
pub(super) const ABLE: &str =
    "SELECT count(*) FROM users WHERE secret_hash IS NOT NULL AND NOT disabled";

/// Every account after a name, at most `limit`, by name.
///
/// # Errors
/// [`StoreError`].
pub async fn list(link: Link<'_>, after: &str, limit: i64) -> Result<Vec<Listed>, StoreError> {
    fetch!(all, link, Listed, LIST, after, limit)
}

/// How many accounts could sign in.
///
/// # Errors
/// [`StoreError`].
pub async fn able_to_sign_in(link: Link<'_>) -> Result<i64, StoreError> {
    let (count,) = fetch!(one, link, (i64,), ABLE)?;
    Ok(count)
}
