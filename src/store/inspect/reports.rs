//! How the engine would read a report: each from the index that was made for it.

use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::{
    ANY, ASKED_UNDER, HANDFUL, INDEXED_BYTES, Plan, TABLE_BYTES, searched_on_postgres,
    searched_on_sqlite, walked_whole,
};
use crate::store::{At, Engine, Link, List, Sql, StoreError, Tx, cupboard, reports};

/// Every statement of a report of one ward.
pub(super) async fn plans(tx: &mut Tx<'_>) -> Result<Vec<Plan>, StoreError> {
    let at = At::from(jiff::Timestamp::UNIX_EPOCH);
    let (one, many, nobody) = (1_i64, 100_i64, Uuid::nil());
    macro_rules! report {
        ($name:literal, $sql:expr, $index:literal $(, $more:expr)*) => {
            plan!(tx, $name, $sql, $index, one, at, at $(, $more)*)
        };
    }
    Ok(vec![
        report!(
            "report: doses due, accounted for",
            reports::DUE,
            "medication_orders_accounted",
            at,
            nobody,
            many
        ),
        report!(
            "report: doses due, open",
            reports::DUE,
            "medication_orders_queue",
            at,
            nobody,
            many
        ),
        report!(
            "report: doses missed",
            reports::MISSED,
            "medication_orders_queue",
            at,
            nobody,
            many,
            at
        ),
        report!(
            "report: doses late",
            reports::LATE,
            "medication_orders_accounted",
            at,
            nobody,
            many,
            one
        ),
        report!(
            "report: not given",
            reports::NOT_GIVEN,
            "medication_administrations_not_given",
            at,
            nobody,
            many
        ),
        report!(
            "report: as needed",
            reports::EFFECTS,
            "prn_effects_ward",
            at,
            nobody,
            many
        ),
        report!(
            "report: wrong patient",
            reports::SCANS,
            "audit_events_code",
            at,
            nobody,
            many
        ),
        report!(
            "report: doses given all the same",
            reports::OVERRIDES,
            "medication_administrations_log",
            at,
            nobody,
            many,
            one
        ),
        report!(
            "report: prescribed all the same",
            reports::OVERRIDES,
            "prescription_overrides_at",
            at,
            nobody,
            many,
            one
        ),
        report!(
            "report: discrepancies",
            cupboard::CONTROLLED_DISCREPANCIES,
            "discrepancies_of_ward",
            at,
            nobody,
            many
        ),
        report!(
            "report: what was given",
            reports::USE,
            "medication_administrations_log",
            one,
            many
        ),
        report!(
            "report: what else moved",
            reports::USE,
            "stock_ledger_moved",
            one,
            many
        ),
        report!(
            "report: stock-outs",
            reports::STOCK_OUTS,
            "stock_ledger_out",
            at,
            one,
            one,
            many,
            at,
            one,
            one
        ),
        report!(
            "report: stock-outs from before the period",
            reports::STOCK_OUTS,
            "stock_ledger_again",
            at,
            one,
            one,
            many,
            at,
            one,
            one
        ),
    ])
}
