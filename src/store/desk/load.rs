//! Loading and locking.

use std::collections::{BTreeSet, HashMap};

use sqlx::FromRow;
use uuid::Uuid;

use super::split;
use crate::domain::decide::{DrugName, Limits, Loaded, Order, Stock};
use crate::domain::ledger::Hash;
use crate::domain::{
    DrugId, OpId, Operation, OrderId, OrderKind, OrderStatus, PatientId, PrescriptionId, Priority,
    Quantity, Request, UserId, WardId,
};
use crate::store::{At, Link, List, Sql, StoreError, accounts, screens};

/// The part of the order query that both engines share.
macro_rules! orders_sql {
    ($which:literal) => {
        concat!(
            "SELECT o.id, o.version, o.status, o.kind, o.ward_id, w.name AS ward_name, o.drug_id, ",
            "d.name || CASE d.strength WHEN '' THEN '' ELSE ' ' || d.strength END AS drug_title, d.unit, ",
            "o.patient_id, p.mrn, o.dosage, o.dosage_max, o.priority, o.doctor_id, o.prescription_id, ",
            "r.status <> 'discontinued' AS prescription_active, r.stop_at, r.schedule, ",
            "u.name AS changed_by, o.changed_at, o.change ",
            "FROM medication_orders o JOIN wards w ON w.id = o.ward_id JOIN drugs d ON d.id = o.drug_id ",
            "JOIN patients p ON p.id = o.patient_id JOIN prescriptions r ON r.id = o.prescription_id ",
            "LEFT JOIN users u ON u.id = o.changed_by ",
            $which
        )
    };
}

/// What the desk remembers of operations.
pub(in crate::store) const REMEMBERED: Sql = Sql::each(
    "SELECT op_id, digest, outcome FROM operations WHERE op_id IN (SELECT unhex(value) FROM json_each($1))",
    "SELECT op_id, digest, outcome FROM operations WHERE op_id = ANY($1)",
);

/// Orders, locked where the engine locks rows.
pub(in crate::store) const ORDERS: Sql = Sql::each(
    orders_sql!("WHERE o.id IN (SELECT unhex(value) FROM json_each($1))"),
    orders_sql!("WHERE o.id = ANY($1) ORDER BY o.id FOR UPDATE OF o"),
);

/// Doses given of prescriptions that have limits.
pub(in crate::store) const GIVEN: Sql = Sql::each(
    "SELECT o.prescription_id, a.administration_time FROM medication_orders o \
         JOIN medication_administrations a ON a.order_id = o.id AND a.outcome = 'given' \
         WHERE o.prescription_id IN (SELECT unhex(value) FROM json_each($1)) \
         ORDER BY a.administration_time DESC",
    "SELECT o.prescription_id, a.administration_time FROM medication_orders o \
         JOIN medication_administrations a ON a.order_id = o.id AND a.outcome = 'given' \
         WHERE o.prescription_id = ANY($1) \
         ORDER BY a.administration_time DESC",
);

/// Stock, locked where the engine locks rows. On SQLite CROSS JOIN keeps the order: from the keys to the rows.
pub(in crate::store) const STOCK: Sql = Sql::each(
    "SELECT s.ward_id, s.drug_id, s.current_stock, s.ledger_seq, s.ledger_hash \
         FROM json_each($1) w CROSS JOIN json_each($2) d ON d.key = w.key \
         CROSS JOIN drug_stock s ON s.ward_id = w.value AND s.drug_id = d.value",
    "SELECT s.ward_id, s.drug_id, s.current_stock, s.ledger_seq, s.ledger_hash \
         FROM drug_stock s JOIN unnest($1::bigint[], $2::bigint[]) AS page (ward_id, drug_id) \
         ON s.ward_id = page.ward_id AND s.drug_id = page.drug_id \
         ORDER BY s.ward_id, s.drug_id FOR UPDATE OF s",
);

/// What the desk remembers of an operation.
#[derive(Debug, Clone, FromRow)]
pub struct Remembered {
    /// Its id.
    pub op_id: OpId,
    /// What was asked, by whom: [`Operation::digest`].
    pub digest: Vec<u8>,
    /// The outcome, as JSON.
    pub outcome: String,
}

/// What the desk remembers of these operations.
///
/// # Errors
/// [`StoreError`].
pub async fn remembered(link: Link<'_>, ops: &[Operation]) -> Result<Vec<Remembered>, StoreError> {
    let ids = List(ops.iter().map(|op| op.id.0).collect::<Vec<Uuid>>());
    fetch!(all, link, Remembered, REMEMBERED, ids)
}

/// Loads everything that the operations touch, and locks it: orders in key order, then stock in (ward, drug) order,
/// always this order, so that no two transactions wait for each other in a circle.
///
/// # Errors
/// [`StoreError`].
pub async fn load(mut link: Link<'_>, ops: &[Operation]) -> Result<Loaded, StoreError> {
    let mut loaded = Loaded {
        actors: accounts::actors(link.lend(), ops.iter().map(|op| op.actor)).await?,
        ..Loaded::default()
    };
    let wanted: BTreeSet<OrderId> = ops.iter().filter_map(|op| op.request.order()).collect();
    if !wanted.is_empty() {
        loaded.orders = orders(link.lend(), &wanted).await?;
        load_given(link.lend(), &mut loaded.orders).await?;
    }
    let mut pages: BTreeSet<(WardId, DrugId)> = loaded
        .orders
        .values()
        .map(|order| (order.ward, order.drug))
        .collect();
    let named: BTreeSet<(WardId, DrugId)> = ops
        .iter()
        .filter_map(|op| match op.request {
            Request::Receive { ward, drug, .. } => Some((ward, drug)),
            _ => None,
        })
        .collect();
    if !named.is_empty() {
        load_named(link.lend(), &named, &mut loaded).await?;
        pages.extend(named);
    }
    loaded.stock = stock(link.lend(), &pages).await?;
    load_strangers(link, ops, &mut loaded).await?;
    Ok(loaded)
}

#[derive(Debug, FromRow)]
struct OrderRow {
    id: OrderId,
    version: i64,
    status: OrderStatus,
    kind: OrderKind,
    ward_id: WardId,
    ward_name: String,
    drug_id: DrugId,
    drug_title: String,
    unit: String,
    patient_id: PatientId,
    mrn: String,
    dosage: Quantity,
    dosage_max: Option<Quantity>,
    priority: Priority,
    doctor_id: UserId,
    prescription_id: PrescriptionId,
    prescription_active: bool,
    stop_at: Option<At>,
    schedule: String,
    changed_by: Option<String>,
    changed_at: At,
    change: String,
}

async fn orders(
    link: Link<'_>,
    wanted: &BTreeSet<OrderId>,
) -> Result<HashMap<OrderId, Order>, StoreError> {
    let ids = List(wanted.iter().map(|id| id.0).collect::<Vec<Uuid>>());
    let rows = fetch!(all, link, OrderRow, ORDERS, ids)?;
    rows.into_iter()
        .map(|row| Ok((row.id, row.into_order()?)))
        .collect()
}

impl OrderRow {
    fn into_order(self) -> Result<Order, StoreError> {
        Ok(Order {
            id: self.id,
            version: self.version,
            status: self.status,
            kind: self.kind,
            ward: self.ward_id,
            ward_name: self.ward_name,
            drug: self.drug_id,
            drug_name: DrugName {
                title: self.drug_title,
                unit: self.unit,
            },
            patient: self.patient_id,
            mrn: self.mrn,
            dosage: self.dosage,
            dosage_max: self.dosage_max,
            priority: self.priority,
            doctor: self.doctor_id,
            prescription: self.prescription_id,
            prescription_active: self.prescription_active,
            stop_at: self.stop_at.map(|at| at.0),
            limits: Limits::from(&screens::schedule(&self.schedule)?),
            given: Vec::new(),
            changed_by: self.changed_by,
            changed_at: self.changed_at.0,
            change: self.change,
        })
    }
}

#[derive(Debug, FromRow)]
pub(in crate::store) struct GivenRow {
    pub prescription_id: PrescriptionId,
    pub administration_time: At,
}

/// When the doses of prescriptions were given, newest first.
pub(in crate::store) async fn given(
    link: Link<'_>,
    prescriptions: Vec<Uuid>,
) -> Result<Vec<GivenRow>, StoreError> {
    fetch!(all, link, GivenRow, GIVEN, List(prescriptions))
}

async fn load_given(
    link: Link<'_>,
    orders: &mut HashMap<OrderId, Order>,
) -> Result<(), StoreError> {
    let prn: BTreeSet<Uuid> = orders
        .values()
        .filter(|o| o.limits != Limits::default())
        .map(|o| o.prescription.0)
        .collect();
    if prn.is_empty() {
        return Ok(());
    }
    for row in given(link, prn.into_iter().collect()).await? {
        for order in orders
            .values_mut()
            .filter(|o| o.prescription == row.prescription_id)
        {
            order.given.push(row.administration_time.0);
        }
    }
    Ok(())
}

#[derive(Debug, FromRow)]
struct StockRow {
    ward_id: WardId,
    drug_id: DrugId,
    current_stock: Quantity,
    ledger_seq: i64,
    ledger_hash: Vec<u8>,
}

async fn stock(
    link: Link<'_>,
    pages: &BTreeSet<(WardId, DrugId)>,
) -> Result<HashMap<(WardId, DrugId), Stock>, StoreError> {
    if pages.is_empty() {
        return Ok(HashMap::new());
    }
    let (wards, drugs) = split(pages);
    let rows = fetch!(all, link, StockRow, STOCK, wards, drugs)?;
    rows.into_iter()
        .map(|row| {
            let stock = Stock {
                current: row.current_stock,
                seq: row.ledger_seq,
                hash: as_hash(&row.ledger_hash)?,
            };
            Ok(((row.ward_id, row.drug_id), stock))
        })
        .collect()
}

/// A hash column as a hash.
pub(in crate::store) fn as_hash(bytes: &[u8]) -> Result<Hash, StoreError> {
    bytes.try_into().map_err(|_| {
        StoreError::Guarantee(format!("a ledger hash has {} bytes, not 32", bytes.len()))
    })
}

/// Names of wards and drugs that requests name.
async fn load_named(
    mut link: Link<'_>,
    named: &BTreeSet<(WardId, DrugId)>,
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    let (wards, drugs) = split(named);
    let sql = Sql::each(
        "SELECT id, name FROM wards WHERE id IN (SELECT value FROM json_each($1))",
        "SELECT id, name FROM wards WHERE id = ANY($1)",
    );
    loaded.wards = fetch!(all, link.lend(), (WardId, String), sql, wards)?
        .into_iter()
        .collect();
    let sql = Sql::each(
        "SELECT id, name || CASE strength WHEN '' THEN '' ELSE ' ' || strength END, unit FROM drugs \
         WHERE id IN (SELECT value FROM json_each($1))",
        "SELECT id, name || CASE strength WHEN '' THEN '' ELSE ' ' || strength END, unit FROM drugs \
         WHERE id = ANY($1)",
    );
    loaded.drugs = fetch!(all, link.lend(), (DrugId, String, String), sql, drugs)?
        .into_iter()
        .map(|(id, title, unit)| (id, DrugName { title, unit }))
        .collect();
    Ok(())
}

/// Whose a number is that is not the right patient's.
async fn load_strangers(
    link: Link<'_>,
    ops: &[Operation],
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    let strangers: BTreeSet<String> = ops
        .iter()
        .filter_map(|op| match &op.request {
            Request::Fulfil {
                order, identified, ..
            } => {
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
