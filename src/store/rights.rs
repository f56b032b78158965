//! What the application's role may do on PostgreSQL: rights do what triggers would.

use sqlx::AssertSqlSafe;

use super::{Conn, Db, StoreError};

/// Tables that are only ever added to: what stands there is never changed and never deleted.
pub const APPEND_ONLY: &[&str] = &[
    "stock_ledger",
    "lot_moves",
    "medication_administrations",
    "audit_events",
    "operations",
    "patient_changes",
    "prescription_overrides",
    "administration_reasons",
];

/// Everything else that the application writes, with the rights beyond SELECT.
const OTHERS: &[(&str, &str)] = &[
    ("wards", "INSERT, UPDATE"),
    ("users", "INSERT, UPDATE"),
    ("user_wards", "INSERT, DELETE"),
    ("user_keys", "INSERT, DELETE"),
    ("patients", "INSERT, UPDATE"),
    ("drugs", "INSERT, UPDATE"),
    ("formulary", "UPDATE"),
    ("emergency_accesses", "INSERT, UPDATE"),
    ("drug_codes", "INSERT, DELETE"),
    ("drug_stock", "INSERT, UPDATE"),
    ("prescriptions", "INSERT, UPDATE"),
    ("medication_orders", "INSERT, UPDATE"),
    ("drug_transfers", "INSERT, UPDATE"),
    ("prn_effects", "INSERT, UPDATE"),
    ("unseen_outcomes", "INSERT, DELETE"),
    ("transfer_lots", "INSERT, UPDATE"),
    ("lots", "INSERT, UPDATE"),
    ("stock_lots", "INSERT, UPDATE"),
    ("stock_levels", "INSERT, UPDATE"),
    ("stock_counts", "INSERT, UPDATE"),
    ("discrepancies", "INSERT, UPDATE"),
];

/// Gives an existing role what the application needs on this database, and no more: on the drug register,
/// administrations, audit and memory it may only add and read. Rights beyond that are taken away.
///
/// # Errors
/// [`StoreError::Address`]: SQLite has no roles, or the name is none. [`StoreError`]: there is no such role, or whoever
/// asks may not give rights.
pub async fn grant(db: &Db, role: &str) -> Result<(), StoreError> {
    let Conn::Postgres(mut conn) = db.writer().await? else {
        return Err(StoreError::Address(
            "SQLite has no roles: the file's permissions say who may open it".to_owned(),
        ));
    };
    if role.is_empty() || role.contains('\0') {
        return Err(StoreError::Address(format!(
            "'{role}' is not the name of a role"
        )));
    }
    let role = format!("\"{}\"", role.replace('"', "\"\""));
    let (schema,): (String,) = sqlx::query_as("SELECT quote_ident(current_schema())")
        .fetch_one(&mut *conn)
        .await?;
    let mut statements = vec![format!("GRANT USAGE ON SCHEMA {schema} TO {role}")];
    let rights = APPEND_ONLY
        .iter()
        .map(|table| (*table, "INSERT"))
        .chain(OTHERS.iter().copied());
    for (table, rights) in rights {
        statements.push(format!("REVOKE ALL ON {schema}.{table} FROM {role}"));
        statements.push(format!(
            "GRANT SELECT, {rights} ON {schema}.{table} TO {role}"
        ));
    }
    statements.push(format!(
        "GRANT SELECT ON {schema}._sqlx_migrations TO {role}"
    ));
    statements.push(format!(
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
    ));
    let mut tx = sqlx::Connection::begin(&mut *conn).await?;
    for statement in statements {
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut *tx)
            .await?;
    }
    Ok(tx.commit().await?)
}

/// The append-only tables that the role of this connection could change; none on SQLite, which has no roles.
///
/// # Errors
/// [`StoreError`].
pub async fn changeable(db: &Db) -> Result<Vec<String>, StoreError> {
    let mut conn = db.reader().await?;
    let tables = super::List(
        APPEND_ONLY
            .iter()
            .map(|table| (*table).to_owned())
            .collect::<Vec<String>>(),
    );
    let sql = super::Sql::each(
        "SELECT value FROM json_each($1) WHERE false",
        "SELECT t FROM unnest($1::text[]) t WHERE has_table_privilege(t, 'UPDATE') OR has_table_privilege(t, 'DELETE')",
    );
    Ok(fetch!(all, conn.link(), (String,), sql, tables)?
        .into_iter()
        .map(|(table,)| table)
        .collect())
}
