//! Orders under lock, with what limits them.

use std::collections::{BTreeSet, HashMap};

use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::decide::{DrugName, Limits, Order};
use crate::domain::{
    DrugId, OrderId, OrderKind, OrderStatus, PatientId, PrescriptionId, Priority, Quantity, UserId,
    WardId,
};
use crate::store::{At, Link, List, Sql, StoreError, screens};

/// The part of the order query that both engines share.
macro_rules! orders_sql {
    ($which:literal) => {
        concat!(
            "SELECT o.id, o.version, o.status, o.kind, o.ward_id, w.name AS ward_name, o.drug_id, ",
            "d.name || CASE d.strength WHEN '' THEN '' ELSE ' ' || d.strength END AS drug_title, d.unit, d.controlled, d.high_alert, ",
            "o.patient_id, p.mrn, o.dosage, o.dosage_max, o.priority, o.doctor_id, o.prescription_id, ",
            "r.status <> 'discontinued' AS prescription_active, r.start_at, r.stop_at, r.schedule, o.due_at, o.held_until, ",
            "u.name AS changed_by, o.changed_at, o.change ",
            "FROM medication_orders o JOIN wards w ON w.id = o.ward_id JOIN drugs d ON d.id = o.drug_id ",
            "JOIN patients p ON p.id = o.patient_id JOIN prescriptions r ON r.id = o.prescription_id ",
            "LEFT JOIN users u ON u.id = o.changed_by ",
            $which
        )
    };
}

/// Orders, locked where the engine locks rows.
pub(in crate::store) const ORDERS: Sql = Sql::each(
    orders_sql!("WHERE o.id IN (SELECT unhex(value) FROM json_each($1))"),
    orders_sql!("WHERE o.id = ANY($1) ORDER BY o.id FOR UPDATE OF o"),
);

/// Doses given of prescriptions that have limits, but for those that were taken back.
pub(in crate::store) const GIVEN: Sql = Sql::each(
    "SELECT o.prescription_id, a.administration_time FROM medication_orders o \
         JOIN medication_administrations a ON a.order_id = o.id AND a.outcome = 'given' AND a.reverses IS NULL \
         WHERE o.prescription_id IN (SELECT unhex(value) FROM json_each($1)) \
         AND NOT EXISTS (SELECT 1 FROM medication_administrations r WHERE r.reverses = a.id) \
         ORDER BY a.administration_time DESC",
    "SELECT o.prescription_id, a.administration_time FROM medication_orders o \
         JOIN medication_administrations a ON a.order_id = o.id AND a.outcome = 'given' AND a.reverses IS NULL \
         WHERE o.prescription_id = ANY($1) \
         AND NOT EXISTS (SELECT 1 FROM medication_administrations r WHERE r.reverses = a.id) \
         ORDER BY a.administration_time DESC",
);

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
    controlled: bool,
    high_alert: bool,
    patient_id: PatientId,
    mrn: String,
    dosage: Quantity,
    dosage_max: Option<Quantity>,
    priority: Priority,
    doctor_id: UserId,
    prescription_id: PrescriptionId,
    prescription_active: bool,
    start_at: At,
    stop_at: Option<At>,
    due_at: Option<At>,
    held_until: Option<At>,
    schedule: String,
    changed_by: Option<String>,
    changed_at: At,
    change: String,
}

/// The orders, by key.
pub(super) async fn orders(
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
                controlled: self.controlled,
                high_alert: self.high_alert,
            },
            patient: self.patient_id,
            mrn: self.mrn,
            dosage: self.dosage,
            dosage_max: self.dosage_max,
            priority: self.priority,
            doctor: self.doctor_id,
            prescription: self.prescription_id,
            prescription_active: self.prescription_active,
            due_at: self.due_at.map(|at| at.0),
            held_until: self.held_until.map(|at| at.0),
            start_at: self.start_at.0,
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

/// Adds to each order that has limits when its doses were given.
pub(super) async fn load_given(
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
