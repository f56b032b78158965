//! The plans of a patient's day, of prescribing, and of what the desk loads for operations on patients.

use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::{
    ANY, ASKED_UNDER, HANDFUL, INDEXED_BYTES, Plan, TABLE_BYTES, key, searched_on_postgres,
    searched_on_sqlite, walked_whole,
};
use crate::store::desk::charts;
use crate::store::record as table;
use crate::store::{At, Engine, Link, List, Sql, StoreError, Tx};

/// How the engine would run them.
pub(super) async fn plans(tx: &mut Tx<'_>) -> Result<Vec<Plan>, StoreError> {
    let at = At::from(jiff::Timestamp::UNIX_EPOCH);
    let (one, many, nobody) = (1_i64, 100_i64, Uuid::nil());
    let ids = || List(vec![nobody]);
    let due = key(
        "sqlite_autoindex_medication_orders_2",
        "medication_orders_prescription_due_key",
    );
    let entries = key(
        "sqlite_autoindex_medication_administrations_2",
        "medication_administrations_order_key",
    );
    let doses = "medication_administrations_patient";
    // A small hospital PostgreSQL reads by its queue.
    let open = key("sqlite_autoindex_medication_orders_2", ANY);
    Ok(vec![
        plan!(
            tx,
            "record: prescriptions of a day",
            table::LINES,
            "prescriptions_patient",
            nobody,
            at,
            at
        ),
        plan!(tx, "record: doses of a day", table::DUE, due, ids(), at, at),
        plan!(
            tx,
            "record: what was recorded",
            table::ENTRIES,
            entries,
            ids()
        ),
        plan!(
            tx,
            "record: as-needed doses of a day",
            table::OPEN_ENTRIES,
            doses,
            nobody,
            List(vec![one]),
            at,
            at
        ),
        plan!(
            tx,
            "record: who lies in a ward",
            table::PRESENT,
            "patients_present",
            one,
            "",
            nobody,
            many
        ),
        plan!(
            tx,
            "prescribing: patients by name",
            table::PEOPLE,
            "patients_name_key",
            "m",
            "n",
            many
        ),
        plan!(
            tx,
            "prescribing: drugs by name",
            table::DRUGS,
            "drugs_name_key",
            one,
            "m",
            "n",
            many
        ),
        plan!(
            tx,
            "prescribing: what runs",
            table::RUNNING,
            "prescriptions_patient",
            nobody
        ),
        plan!(
            tx,
            "my orders",
            table::MINE[0],
            "prescriptions_running",
            one,
            Uuid::max(),
            many,
            at
        ),
        plan!(
            tx,
            "my orders, all",
            table::MINE[1],
            "prescriptions_of_prescriber",
            one,
            Uuid::max(),
            many,
            at
        ),
        plan!(
            tx,
            "desk: patients",
            charts::CHARTS,
            key("sqlite_autoindex_patients_2", "patients_mrn_key"),
            ids(),
            List(vec![String::new()])
        ),
        plan!(
            tx,
            "desk: prescriptions of patients",
            charts::PRESCRIPTIONS,
            "prescriptions_patient",
            ids(),
            ids()
        ),
        plan!(
            tx,
            "desk: open orders of patients",
            charts::OPEN_ORDERS,
            open,
            ids(),
            ids()
        ),
    ])
}
