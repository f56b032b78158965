//! What database errors mean. Constraint names are read in this one place.

use std::borrow::Cow;

use crate::domain::Refusal;

/// What operators see when the store fails.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection, or it was lost, or what is connected to takes no writing.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// No connection of the pool became free, or another process held the file, for as long as is waited.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// Another transaction was in the way (40001, 40P01): try again.
    #[error("another transaction was in the way ({0})")]
    Conflict(String),
    /// A constraint said no.
    #[error("constraint {0}")]
    Constraint(String),
    /// A statement changed another number of rows than it had to.
    #[error("{what}: {expected} rows expected, {found} changed")]
    RowCount {
        /// Which statement.
        what: &'static str,
        /// How many rows it had to change.
        expected: u64,
        /// How many it did.
        found: u64,
    },
    /// The schema is not the one that this program was built for.
    #[error("{0}")]
    Schema(String),
    /// The address of the database makes no sense.
    #[error("{0}")]
    Address(String),
    /// The server or file does not keep what the desk relies on.
    #[error("{0}")]
    Guarantee(String),
    /// Anything else, in the engine's own words.
    #[error("{}", words(.0))]
    Engine(sqlx::Error),
}

impl StoreError {
    /// Whether a COMMIT that ended like this may have lasted all the same.
    pub const fn leaves_doubt(&self) -> bool {
        matches!(self, StoreError::Unavailable(_) | StoreError::Engine(_))
    }

    /// Whether the same thing may succeed when it is done again at once.
    pub const fn may_retry(&self) -> bool {
        matches!(self, StoreError::Conflict(_))
    }

    /// What a person is told about an operation that failed like this before it could commit. The rules of
    /// `decide` come first; a constraint is the second lock on the door, and says so.
    pub fn refusal(&self) -> Refusal {
        match self {
            StoreError::Unavailable(_) => Refusal::Unavailable,
            StoreError::Busy(_) | StoreError::Conflict(_) => Refusal::Busy,
            StoreError::Constraint(name) => Refusal::Internal {
                what: format!("the database refused it by rule {name}"),
            },
            _ => Refusal::Internal {
                what: "the database failed".to_owned(),
            },
        }
    }
}

/// What the engine says, without what sqlx says about saying it.
fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => database.message().to_owned(),
        other => other.to_string(),
    }
}

/// Asserts how many rows a statement changed.
pub(super) fn changed(what: &'static str, found: u64, expected: usize) -> Result<(), StoreError> {
    let expected = expected as u64;
    if found == expected {
        Ok(())
    } else {
        Err(StoreError::RowCount {
            what,
            expected,
            found,
        })
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        match &error {
            sqlx::Error::PoolTimedOut => StoreError::Busy("every connection is in use".to_owned()),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => StoreError::Unavailable(error.to_string()),
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or(Cow::Borrowed("")).into_owned();
                let message = database.message().to_owned();
                from_code(&code, database.constraint(), message)
                    .unwrap_or(StoreError::Engine(error))
            }
            _ => StoreError::Engine(error),
        }
    }
}

/// SQLSTATE on PostgreSQL, the extended result code on SQLite.
fn from_code(code: &str, constraint: Option<&str>, message: String) -> Option<StoreError> {
    match code {
        // serialization_failure, deadlock_detected, and SQLite's busy snapshot
        "40001" | "40P01" | "517" => Some(StoreError::Conflict(code.to_owned())),
        // lock_not_available, query_canceled by lock or statement timeout; SQLITE_BUSY, SQLITE_LOCKED and their kin
        "55P03" | "57014" | "5" | "6" | "261" | "262" | "773" => Some(StoreError::Busy(message)),
        // read_only_sql_transaction; SQLITE_READONLY and its kin
        "25006" | "8" | "264" | "520" | "776" | "1032" | "1288" | "1544" => Some(
            StoreError::Unavailable(format!("it can only be read ({message})")),
        ),
        // disk_full; SQLITE_FULL
        "53100" | "13" => Some(StoreError::Unavailable(format!(
            "there is no room left on its disk ({message})"
        ))),
        // SQLITE_NOTADB
        "26" => Some(StoreError::Unavailable(
            "the file is not a database of ValMed".to_owned(),
        )),
        // SQLITE_CONSTRAINT and its kin name the check, or the columns of a unique index
        "275" | "787" | "1299" | "1555" | "1811" | "2067" | "2579" | "3091" => Some(
            StoreError::Constraint(message.rsplit(": ").next().unwrap_or(&message).to_owned()),
        ),
        // class 08: connection; 57P01–57P05: the server is going down or has ended the session;
        // 25P03: idle_in_transaction_session_timeout; 53300: too many connections; SQLITE_CANTOPEN
        _ if code.starts_with("08")
            || code.starts_with("57P")
            || code == "25P03"
            || code == "53300"
            || code == "14" =>
        {
            Some(StoreError::Unavailable(message))
        }
        // The same operation committed on another connection since this transaction's snapshot: its memory has the answer.
        // Or somebody admitted a patient under the same number meanwhile: the next try finds them.
        "23505" if matches!(constraint, Some("operations_pkey" | "patients_mrn_key")) => {
            Some(StoreError::Conflict(code.to_owned()))
        }
        _ if code.starts_with("23") => Some(StoreError::Constraint(
            constraint.unwrap_or(&message).to_owned(),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(code: &str, constraint: Option<&str>) -> Option<StoreError> {
        from_code(
            code,
            constraint,
            "CHECK constraint failed: a_rule".to_owned(),
        )
    }

    #[test]
    fn another_transaction_in_the_way_is_tried_again() {
        for code in ["40001", "40P01", "517"] {
            assert!(what(code, None).unwrap().may_retry(), "{code}");
        }
        // The same operation committed elsewhere meanwhile: the next try finds it in the memory.
        assert!(what("23505", Some("operations_pkey")).unwrap().may_retry());
        assert!(!what("23505", Some("wards_code_key")).unwrap().may_retry());
    }

    #[test]
    fn a_lock_held_too_long_is_busy_and_a_lost_server_is_unavailable() {
        for code in ["55P03", "57014", "5", "261"] {
            assert_eq!(what(code, None).unwrap().refusal(), Refusal::Busy, "{code}");
        }
        for code in ["08006", "57P01", "57P03", "25P03", "53300", "14"] {
            let error = what(code, None).unwrap();
            assert_eq!(error.refusal(), Refusal::Unavailable, "{code}");
            assert!(error.leaves_doubt(), "{code}");
        }
    }

    #[test]
    fn what_takes_no_writing_is_unavailable_and_says_why() {
        for (codes, words) in [
            (
                &["25006", "8", "264", "520", "776", "1032", "1288", "1544"][..],
                "can only be read",
            ),
            (&["53100", "13"], "no room left"),
            (&["26"], "not a database"),
        ] {
            for code in codes {
                let error = what(code, None).unwrap();
                assert_eq!(error.refusal(), Refusal::Unavailable, "{code}");
                assert!(error.to_string().contains(words), "{code}: {error}");
                assert!(error.leaves_doubt(), "{code}");
            }
        }
    }

    #[test]
    fn a_constraint_is_told_by_its_name_on_both_engines() {
        let named = |error: StoreError| match error {
            StoreError::Constraint(name) => name,
            other => panic!("{other:?}"),
        };
        assert_eq!(named(what("275", None).unwrap()), "a_rule");
        assert_eq!(named(what("23514", Some("a_rule")).unwrap()), "a_rule");
        assert!(
            what("XX000", None).is_none(),
            "unknown codes stay what they are"
        );
    }

    #[test]
    fn row_counts_are_exact() {
        assert!(changed("stock", 2, 2).is_ok());
        for found in [1, 3] {
            let error = changed("stock", found, 2).unwrap_err();
            assert_eq!(error.refusal().code(), "INTERNAL");
        }
    }
}
