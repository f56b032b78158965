//! Bringing a database to the schema this program was built for, and refusing one that it does not know.

use std::fmt;
use std::fs::File;

use sqlx::migrate::{Migrate, Migrator};

use super::{Conn, Db, StoreError};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Where a database's schema stands against this program's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No step was ever taken.
    Empty,
    /// The schema this program was built for.
    Current(i64),
    /// Steps are missing.
    Older {
        /// The last step it has.
        found: i64,
        /// The last step there is.
        wanted: i64,
    },
    /// A newer program has been here.
    Newer {
        /// The last step it has.
        found: i64,
        /// The last step this program knows.
        wanted: i64,
    },
    /// A step was taken that is not this program's of that number, or was not taken to its end.
    Other {
        /// The first such step.
        step: i64,
    },
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Standing::Empty => f.write_str("empty"),
            Standing::Current(step) => write!(f, "step {step}, current"),
            Standing::Older { found, wanted } | Standing::Newer { found, wanted } => {
                write!(f, "step {found}, and this valmed knows {wanted}")
            }
            Standing::Other { step } => write!(f, "step {step} is not this valmed's"),
        }
    }
}

fn steps(db: &Db) -> &'static Migrator {
    match db {
        Db::Sqlite { .. } => &SQLITE,
        Db::Postgres { .. } => &POSTGRES,
    }
}

/// The statements of every step.
pub(super) fn texts(db: &Db) -> impl Iterator<Item = &'static str> {
    steps(db).iter().map(|step| step.sql.as_str())
}

fn last(migrator: &Migrator) -> i64 {
    migrator.iter().map(|step| step.version).max().unwrap_or(0)
}

fn failed(error: sqlx::migrate::MigrateError) -> StoreError {
    match error {
        sqlx::migrate::MigrateError::Execute(error) => error.into(),
        other => StoreError::Schema(format!("the schema could not be changed: {other}")),
    }
}

/// Where the schema stands.
///
/// # Errors
/// [`StoreError`].
pub async fn standing(db: &Db) -> Result<Standing, StoreError> {
    let mut conn = db.reader().await?;
    let sql = super::Sql::each(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'",
        "SELECT count(*) FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')",
    );
    let (known,) = fetch!(one, conn.link(), (i64,), sql)?;
    if known == 0 {
        return Ok(Standing::Empty);
    }
    let sql = "SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version";
    let taken = fetch!(all, conn.link(), (i64, Vec<u8>, bool), sql)?;
    Ok(compared(&taken, steps(db)))
}

/// Every step that was taken, by number, with what it was made of and whether it came to its end, against those there are.
fn compared(taken: &[(i64, Vec<u8>, bool)], steps: &Migrator) -> Standing {
    let wanted = last(steps);
    let Some((found, _, _)) = taken.last() else {
        return Standing::Empty;
    };
    if *found > wanted {
        let found = *found;
        return Standing::Newer { found, wanted };
    }
    let known = |version: i64| steps.iter().find(|step| step.version == version);
    let other = taken.iter().find(|(version, made_of, whole)| {
        !whole || known(*version).is_none_or(|step| step.checksum.as_ref() != made_of.as_slice())
    });
    if let Some((step, _, _)) = other {
        return Standing::Other { step: *step };
    }
    let missing = |version: &i64| !taken.iter().any(|(taken, _, _)| taken == version);
    let versions = || steps.iter().map(|step| step.version);
    match versions().find(missing) {
        None => Standing::Current(wanted),
        Some(missing) => Standing::Older {
            found: versions().filter(|step| *step < missing).max().unwrap_or(0),
            wanted,
        },
    }
}

/// Refuses a database that is not at this program's schema.
///
/// # Errors
/// [`StoreError::Schema`], with what to do.
pub async fn check(db: &Db) -> Result<(), StoreError> {
    let sentence = match standing(db).await? {
        Standing::Current(_) => return Ok(()),
        Standing::Empty => "the database is empty: run 'valmed migrate' first".to_owned(),
        Standing::Older { found, wanted } => format!(
            "the database is at step {found} of its schema and this valmed needs step {wanted}: run 'valmed migrate'"
        ),
        Standing::Newer { found, wanted } => format!(
            "the database is at step {found} of its schema, and this valmed knows only {wanted}: \
             a newer valmed has been here; use that one"
        ),
        Standing::Other { step } => format!(
            "step {step} of the database's schema is not this valmed's: another build made it, or it was stopped halfway; \
             use the valmed that made it, or a backup"
        ),
    };
    Err(StoreError::Schema(sentence))
}

/// Takes every step that is missing, telling `progress` of each (its number and name) before it is taken; gives how
/// many were taken. Two processes at once take each step once: PostgreSQL's migrations hold a lock in the server,
/// SQLite's a lock file beside the database.
///
/// # Errors
/// [`StoreError`]; a step that failed has changed nothing.
pub async fn migrate(db: &Db, mut progress: impl FnMut(i64, &str)) -> Result<usize, StoreError> {
    let _one_at_a_time = lock_file(db).await?;
    if let Standing::Newer { .. } | Standing::Other { .. } = standing(db).await? {
        check(db).await?;
    }
    let migrator = steps(db);
    let mut taken = 0;
    for step in migrator.iter() {
        if applied(db, migrator).await?.contains(&step.version) {
            continue;
        }
        progress(step.version, &step.description);
        let mut conn = db.writer().await?;
        match &mut conn {
            Conn::Sqlite(conn) => migrator
                .run_to(step.version, &mut **conn)
                .await
                .map_err(failed)?,
            Conn::Postgres(conn) => migrator
                .run_to(step.version, &mut **conn)
                .await
                .map_err(failed)?,
        }
        taken += 1;
    }
    Ok(taken)
}

async fn applied(db: &Db, migrator: &Migrator) -> Result<Vec<i64>, StoreError> {
    if standing(db).await? == Standing::Empty {
        return Ok(Vec::new());
    }
    let mut conn = db.writer().await?;
    let table = &migrator.table_name;
    let steps = match &mut conn {
        Conn::Sqlite(conn) => conn.list_applied_migrations(table).await.map_err(failed)?,
        Conn::Postgres(conn) => conn.list_applied_migrations(table).await.map_err(failed)?,
    };
    Ok(steps.into_iter().map(|step| step.version).collect())
}

/// Held while an embedded database is migrated; let go when dropped.
async fn lock_file(db: &Db) -> Result<Option<File>, StoreError> {
    let Db::Sqlite { path, .. } = db else {
        return Ok(None);
    };
    let mut name = path.clone().into_os_string();
    name.push(".migrate-lock");
    let path = std::path::PathBuf::from(name);
    let shown = path.display().to_string();
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        Ok::<File, std::io::Error>(file)
    });
    match locked.await {
        Ok(Ok(file)) => Ok(Some(file)),
        Ok(Err(error)) => Err(StoreError::Unavailable(format!("{shown}: {error}"))),
        Err(error) => Err(StoreError::Unavailable(format!("{shown}: {error}"))),
    }
}
