//! What `valmed doctor` and `valmed verify` ask the live database.

use super::{Db, Engine, Sql, StoreError};

/// Something that the desk relies on, as read back from the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarantee {
    /// What it is called.
    pub name: &'static str,
    /// What the engine says.
    pub found: String,
    /// What it must say.
    pub wanted: &'static str,
    /// Whether that is so.
    pub holds: bool,
}

/// Reads back isolation and durability, on a connection of the pool as the desk uses it.
///
/// # Errors
/// [`StoreError`].
pub async fn guarantees(db: &Db) -> Result<Vec<Guarantee>, StoreError> {
    let mut conn = db.writer().await?;
    let mut found = Vec::new();
    let asked: &[(&'static str, &'static str, &'static str)] = match db.engine() {
        Engine::Sqlite => &[
            (
                "journal mode",
                "SELECT journal_mode FROM pragma_journal_mode",
                "wal",
            ),
            (
                "synchronous",
                "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous",
                "2",
            ),
            (
                "foreign keys",
                "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys",
                "1",
            ),
        ],
        Engine::Postgres => &[
            (
                "isolation level",
                "SELECT current_setting('transaction_isolation')",
                "repeatable read",
            ),
            ("time zone", "SELECT current_setting('TimeZone')", "UTC"),
            ("fsync", "SELECT current_setting('fsync')", "on"),
            (
                "full page writes",
                "SELECT current_setting('full_page_writes')",
                "on",
            ),
            (
                "synchronous commit",
                "SELECT CASE current_setting('synchronous_commit') WHEN 'off' THEN 'off' ELSE 'on' END",
                "on",
            ),
            (
                "read-only server",
                "SELECT current_setting('default_transaction_read_only')",
                "off",
            ),
        ],
    };
    for (name, sql, wanted) in asked {
        let (value,) = fetch!(one, conn.link(), (String,), Sql::from(*sql))?;
        let holds = value == *wanted;
        found.push(Guarantee {
            name,
            found: value,
            wanted,
            holds,
        });
    }
    Ok(found)
}
