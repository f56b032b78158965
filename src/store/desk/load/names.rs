//! Names of what requests name themselves.

use std::collections::BTreeSet;

use super::split;
use crate::domain::decide::{DrugName, Loaded};
use crate::domain::{DrugId, Giving, Operation, Request, WardId};
use crate::store::{Link, List, Sql, StoreError};

/// Names of wards and drugs that requests name.
pub(super) async fn named(
    mut link: Link<'_>,
    named: &BTreeSet<(WardId, DrugId)>,
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    let (wards, drugs) = split(named);
    let sql = Sql::each(
        "SELECT id, name FROM wards WHERE id IN (SELECT value FROM json_each($1))",
        "SELECT id, name FROM wards WHERE id = ANY($1)",
    );
    let found = fetch!(all, link.lend(), (WardId, String), sql, wards)?;
    loaded.wards.extend(found);
    let sql = Sql::each(
        "SELECT id, name || CASE strength WHEN '' THEN '' ELSE ' ' || strength END, unit, controlled, high_alert FROM drugs \
         WHERE id IN (SELECT value FROM json_each($1))",
        "SELECT id, name || CASE strength WHEN '' THEN '' ELSE ' ' || strength END, unit, controlled, high_alert FROM drugs \
         WHERE id = ANY($1)",
    );
    let found = fetch!(
        all,
        link.lend(),
        (DrugId, String, String, bool, bool),
        sql,
        drugs
    )?;
    let found = found
        .into_iter()
        .map(|(id, title, unit, controlled, high_alert)| {
            let name = DrugName {
                title,
                unit,
                controlled,
                high_alert,
            };
            (id, name)
        });
    loaded.drugs.extend(found);
    Ok(())
}

/// Whose a number is that is not the right patient's.
pub(super) async fn strangers(
    link: Link<'_>,
    ops: &[Operation],
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    let strangers: BTreeSet<String> = ops
        .iter()
        .filter_map(|op| match &op.request {
            Request::Fulfil(Giving {
                order, identified, ..
            }) => {
                let right = loaded
                    .orders
                    .get(order)
                    .is_some_and(|order| order.mrn == *identified);
                // PostgreSQL takes no text with NUL in it, and nobody has such a number.
                (!right && !identified.contains('\0')).then(|| identified.clone())
            }
            _ => None,
        })
        .collect();
    if strangers.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "SELECT mrn, name FROM patients WHERE mrn IN (SELECT value FROM json_each($1))",
        "SELECT mrn, name FROM patients WHERE mrn = ANY($1)",
    );
    let strangers = List(strangers.into_iter().collect::<Vec<String>>());
    loaded.patients = fetch!(all, link, (String, String), sql, strangers)?
        .into_iter()
        .collect();
    Ok(())
}
