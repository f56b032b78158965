//! Entries of the log that operations are about.

use std::collections::{BTreeSet, HashMap};

use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::decide::{Loaded, Recorded};
use crate::domain::lots::HeldLot;
use crate::domain::{
    AdministrationId, GivingOutcome, Operation, OrderId, PatientId, PrescriptionId, Quantity,
    UserId, WardId,
};
use crate::store::{At, Day, Link, List, Sql, StoreError};

macro_rules! entries_sql {
    ($which:literal) => {
        concat!(
            "SELECT a.id, a.order_id, a.order_version, a.ward_id, w.name AS ward_name, a.patient_id, a.nurse_id, ",
            "u.name AS nurse_name, a.administration_time, a.outcome, a.quantity, a.reverses IS NOT NULL AS is_reversal, ",
            "EXISTS (SELECT 1 FROM medication_administrations r WHERE r.reverses = a.id) AS reversed, ",
            "o.prescription_id, e.administration_id IS NOT NULL AS asked, n.name AS noted_by ",
            "FROM medication_administrations a JOIN wards w ON w.id = a.ward_id JOIN users u ON u.id = a.nurse_id ",
            "JOIN medication_orders o ON o.id = a.order_id ",
            "LEFT JOIN prn_effects e ON e.administration_id = a.id LEFT JOIN users n ON n.id = e.noted_by ",
            $which
        )
    };
}

/// The entries, by key.
pub(in crate::store) const ENTRIES: Sql = Sql::each(
    entries_sql!("WHERE a.id IN (SELECT unhex(value) FROM json_each($1))"),
    entries_sql!("WHERE a.id = ANY($1)"),
);

/// Which of these prescriptions have an open order without a time. SQLite, which has no statistics, would walk all active
/// orders.
pub(in crate::store) const NEXT_OPEN: Sql = Sql::each(
    "SELECT prescription_id, id FROM medication_orders INDEXED BY medication_orders_one_open \
     WHERE status = 'active' AND due_at IS NULL AND prescription_id IN (SELECT unhex(value) FROM json_each($1))",
    "SELECT prescription_id, id FROM medication_orders WHERE status = 'active' AND due_at IS NULL \
     AND prescription_id = ANY($1)",
);

#[derive(Debug, FromRow)]
struct EntryRow {
    id: AdministrationId,
    order_id: OrderId,
    order_version: i64,
    ward_id: WardId,
    ward_name: String,
    patient_id: PatientId,
    nurse_id: UserId,
    nurse_name: String,
    administration_time: At,
    outcome: GivingOutcome,
    quantity: Quantity,
    is_reversal: bool,
    reversed: bool,
    prescription_id: PrescriptionId,
    asked: bool,
    noted_by: Option<String>,
}

/// Reads the entries that operations name; nothing where none does.
pub(super) async fn load(
    mut link: Link<'_>,
    ops: &[Operation],
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    let wanted: BTreeSet<Uuid> = ops
        .iter()
        .filter_map(|op| op.request.administration().map(|entry| entry.0))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let wanted: Vec<Uuid> = wanted.into_iter().collect();
    let ids = List(wanted.clone());
    let rows = fetch!(all, link.lend(), EntryRow, ENTRIES, ids)?;
    let of: BTreeSet<Uuid> = rows.iter().map(|row| row.prescription_id.0).collect();
    let of = List(of.into_iter().collect::<Vec<Uuid>>());
    let open = fetch!(all, link.lend(), (PrescriptionId, OrderId), NEXT_OPEN, of)?;
    let open: HashMap<PrescriptionId, OrderId> = open.into_iter().collect();
    let mut lots = lots(link, wanted).await?;
    let entries = rows.into_iter().map(|row| {
        let next_open = open.get(&row.prescription_id).copied();
        let lots = lots.remove(&row.id).unwrap_or_default();
        (row.id, row.into_entry(next_open, lots))
    });
    loaded.administrations = entries.collect();
    Ok(())
}

#[derive(Debug, FromRow)]
struct LotRow {
    id: AdministrationId,
    lot: String,
    delta: Quantity,
    expires_on: Day,
    recalled: bool,
}

macro_rules! entry_lots_sql {
    ($which:literal) => {
        concat!(
            "SELECT a.id, m.lot, m.delta, o.expires_on, o.recalled_at IS NOT NULL AS recalled ",
            "FROM medication_administrations a JOIN stock_ledger l ON l.ward_id = a.ward_id AND l.drug_id = a.drug_id ",
            "AND l.op_id = a.op_id JOIN lot_moves m ON m.ward_id = l.ward_id AND m.drug_id = l.drug_id AND m.seq = l.seq ",
            "JOIN lots o ON o.drug_id = m.drug_id AND o.lot = m.lot ",
            $which
        )
    };
}

/// From which lots entries took what they took. A page of the register is read for each: corrections are rare.
pub(in crate::store) const ENTRY_LOTS: Sql = Sql::each(
    entry_lots_sql!(
        "WHERE a.id IN (SELECT unhex(value) FROM json_each($1)) AND o.expires_on IS NOT NULL"
    ),
    entry_lots_sql!("WHERE a.id = ANY($1) AND o.expires_on IS NOT NULL"),
);

async fn lots(
    link: Link<'_>,
    entries: Vec<Uuid>,
) -> Result<HashMap<AdministrationId, Vec<HeldLot>>, StoreError> {
    let mut lots: HashMap<AdministrationId, Vec<HeldLot>> = HashMap::new();
    for row in fetch!(all, link, LotRow, ENTRY_LOTS, List(entries))? {
        lots.entry(row.id).or_default().push(HeldLot {
            lot: row.lot,
            expires_on: row.expires_on.0,
            recalled: row.recalled,
            quantity: -row.delta,
            before: None,
        });
    }
    Ok(lots)
}

impl EntryRow {
    fn into_entry(self, next_open: Option<OrderId>, lots: Vec<HeldLot>) -> Recorded {
        Recorded {
            order: self.order_id,
            order_version: self.order_version,
            ward: self.ward_id,
            ward_name: self.ward_name,
            patient: self.patient_id,
            nurse: self.nurse_id,
            nurse_name: self.nurse_name,
            given_at: self.administration_time.0,
            outcome: self.outcome,
            quantity: self.quantity,
            is_reversal: self.is_reversal,
            reversed: self.reversed,
            lots,
            next_open,
            effect: self.asked.then_some(self.noted_by),
        }
    }
}
