//! What the desk's transaction reads under lock and writes: a fixed number of statements for a batch, however many
//! operations are in it.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::error::changed;
use super::{At, Link, List, Sql, StoreError, accounts};
use crate::domain::decide::{Administration, DrugName, Effects, Limits, Loaded, Order, Stock};
use crate::domain::ledger::Hash;
use crate::domain::{
    DrugId, OpId, Operation, OrderId, OrderKind, OrderStatus, PatientId, PrescriptionId, Priority,
    Quantity, Request, UserId, WardId,
};

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
pub(super) const REMEMBERED: Sql = Sql::each(
    "SELECT op_id, digest, outcome FROM operations WHERE op_id IN (SELECT unhex(value) FROM json_each($1))",
    "SELECT op_id, digest, outcome FROM operations WHERE op_id = ANY($1)",
);

/// Orders, locked where the engine locks rows.
pub(super) const ORDERS: Sql = Sql::each(
    orders_sql!("WHERE o.id IN (SELECT unhex(value) FROM json_each($1))"),
    orders_sql!("WHERE o.id = ANY($1) ORDER BY o.id FOR UPDATE OF o"),
);

/// Doses given of prescriptions that have limits.
pub(super) const GIVEN: Sql = Sql::each(
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
pub(super) const STOCK: Sql = Sql::each(
    "SELECT s.ward_id, s.drug_id, s.current_stock, s.ledger_seq, s.ledger_hash \
         FROM json_each($1) w CROSS JOIN json_each($2) d ON d.key = w.key \
         CROSS JOIN drug_stock s ON s.ward_id = w.value AND s.drug_id = d.value",
    "SELECT s.ward_id, s.drug_id, s.current_stock, s.ledger_seq, s.ledger_hash \
         FROM drug_stock s JOIN unnest($1::bigint[], $2::bigint[]) AS page (ward_id, drug_id) \
         ON s.ward_id = page.ward_id AND s.drug_id = page.drug_id \
         ORDER BY s.ward_id, s.drug_id FOR UPDATE OF s",
);

/// Orders that leave `active`. On SQLite the plus sign keeps the planner from walking through every active order:
/// it is to find each order by its key.
pub(super) const CLOSE_ORDERS: Sql = Sql::each(
    "UPDATE medication_orders SET status = r.value ->> 'status', version = version + 1, \
         changed_at = r.value ->> 'at', changed_by = r.value ->> 'by', change = r.value ->> 'change' \
         FROM json_each($1) r WHERE medication_orders.id = unhex(r.value ->> 'id') AND +status = 'active' \
         AND version = r.value ->> 'version'",
    "UPDATE medication_orders o SET status = r.status, version = o.version + 1, \
         changed_at = 'epoch'::timestamptz + r.at * interval '1 microsecond', changed_by = r.by, change = r.change \
         FROM json_to_recordset($1::json) \
         AS r (id uuid, version bigint, status text, by bigint, at bigint, change text) \
         WHERE o.id = r.id AND o.status = 'active' AND o.version = r.version",
);

/// Stock and the heads of its register pages.
pub(super) const WRITE_STOCK: Sql = Sql::each(
    "UPDATE drug_stock SET current_stock = r.value ->> 'current', ledger_seq = r.value ->> 'seq', \
         ledger_hash = unhex(r.value ->> 'hash') FROM json_each($1) r \
         WHERE ward_id = r.value ->> 'w' AND drug_id = r.value ->> 'd' AND ledger_seq = r.value ->> 'before'",
    "UPDATE drug_stock SET current_stock = r.current, ledger_seq = r.seq, ledger_hash = decode(r.hash, 'hex') \
         FROM json_to_recordset($1::json) AS r (w bigint, d bigint, current bigint, seq bigint, hash text, before bigint) \
         WHERE ward_id = r.w AND drug_id = r.d AND ledger_seq = r.before",
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
            limits: Limits::from(&super::screens::schedule(&self.schedule)?),
            given: Vec::new(),
            changed_by: self.changed_by,
            changed_at: self.changed_at.0,
            change: self.change,
        })
    }
}

#[derive(Debug, FromRow)]
pub(super) struct GivenRow {
    pub prescription_id: PrescriptionId,
    pub administration_time: At,
}

/// When the doses of prescriptions were given, newest first.
pub(super) async fn given(
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

fn split(pages: &BTreeSet<(WardId, DrugId)>) -> (List<i64>, List<i64>) {
    (
        List(pages.iter().map(|(ward, _)| ward.0).collect()),
        List(pages.iter().map(|(_, drug)| drug.0).collect()),
    )
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
pub(super) fn as_hash(bytes: &[u8]) -> Result<Hash, StoreError> {
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

/// One operation's place in the memory, to be written.
#[derive(Debug, Clone, Serialize)]
pub struct Memory {
    /// Its id.
    pub op_id: OpId,
    /// Who asked.
    pub actor_id: UserId,
    /// [`Request::kind`].
    pub kind: &'static str,
    /// [`Operation::digest`] in hexadecimal.
    pub digest: String,
    /// The outcome, as JSON.
    pub outcome: String,
    /// When.
    pub at: At,
}

/// Writes what was decided: stock, orders, administrations, register, and the memory of it, with every row counted.
///
/// # Errors
/// [`StoreError`]; the transaction must then be rolled back.
pub async fn apply(
    mut link: Link<'_>,
    effects: &Effects,
    stock: &HashMap<(WardId, DrugId), Stock>,
    memory: &[Memory],
) -> Result<(), StoreError> {
    write_stock(link.lend(), effects, stock).await?;
    close_orders(link.lend(), effects).await?;
    open_orders(link.lend(), effects).await?;
    end_prescriptions(link.lend(), effects).await?;
    write_administrations(link.lend(), &effects.administrations).await?;
    write_ledger(link.lend(), effects).await?;
    remember(link, memory).await
}

/// Rows of a batch as one JSON value: `json_each` takes it apart on SQLite, `json_to_recordset` on PostgreSQL.
pub(super) fn json<T: Serialize>(rows: &[T]) -> Result<String, StoreError> {
    serde_json::to_string(rows)
        .map_err(|error| StoreError::Guarantee(format!("a batch cannot be written: {error}")))
}

#[derive(Serialize)]
struct HeadJson {
    w: i64,
    d: i64,
    current: i64,
    seq: i64,
    hash: String,
    before: i64,
}

pub(super) async fn write_stock(
    mut link: Link<'_>,
    effects: &Effects,
    stock: &HashMap<(WardId, DrugId), Stock>,
) -> Result<(), StoreError> {
    // How many rows each page gets: its head must stand where it was loaded before they are written.
    let mut added: HashMap<(WardId, DrugId), i64> = HashMap::new();
    for entry in &effects.ledger {
        *added.entry((entry.row.ward, entry.row.drug)).or_default() += 1;
    }
    let heads: Vec<HeadJson> = added
        .iter()
        .filter_map(|(page, rows)| stock.get(page).map(|head| (page, rows, head)))
        .map(|((ward, drug), rows, head)| HeadJson {
            w: ward.0,
            d: drug.0,
            current: head.current.0,
            seq: head.seq,
            hash: hex(&head.hash),
            before: head.seq - rows,
        })
        .collect();
    if heads.is_empty() {
        return Ok(());
    }
    begin_pages(link.lend(), &heads).await?;
    let found = execute!(link, WRITE_STOCK, json(&heads)?)?;
    changed("stock", found, heads.len())
}

/// Makes the stock rows of pages that have none yet. One that another process makes at the same moment is a conflict on
/// PostgreSQL, and the batch is done again.
async fn begin_pages(link: Link<'_>, heads: &[HeadJson]) -> Result<(), StoreError> {
    let new: BTreeSet<(WardId, DrugId)> = heads
        .iter()
        .filter(|head| head.before == 0)
        .map(|head| (WardId(head.w), DrugId(head.d)))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let (wards, drugs) = split(&new);
    let sql = Sql::each(
        "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
         SELECT w.value, d.value, 0, 0, 0, zeroblob(32) FROM json_each($1) w JOIN json_each($2) d ON d.key = w.key \
         WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
         SELECT ward_id, drug_id, 0, 0, 0, decode(repeat('00', 32), 'hex') \
         FROM unnest($1::bigint[], $2::bigint[]) AS page (ward_id, drug_id) ORDER BY 1, 2 ON CONFLICT DO NOTHING",
    );
    execute!(link, sql, wards, drugs)?;
    Ok(())
}

#[derive(Serialize)]
struct ClosingJson<'a> {
    id: String,
    version: i64,
    status: &'a str,
    by: i64,
    at: At,
    change: &'a str,
}

async fn close_orders(link: Link<'_>, effects: &Effects) -> Result<(), StoreError> {
    if effects.closed.is_empty() {
        return Ok(());
    }
    let rows: Vec<ClosingJson<'_>> = effects
        .closed
        .iter()
        .map(|c| ClosingJson {
            id: c.id.0.simple().to_string(),
            version: c.version,
            status: c.status.as_str(),
            by: c.by.0,
            at: c.at.into(),
            change: &c.change,
        })
        .collect();
    let found = execute!(link, CLOSE_ORDERS, json(&rows)?)?;
    changed("orders", found, rows.len())
}

#[derive(Serialize)]
struct OpeningJson {
    id: String,
    follows: String,
    at: At,
}

async fn open_orders(link: Link<'_>, effects: &Effects) -> Result<(), StoreError> {
    if effects.opened.is_empty() {
        return Ok(());
    }
    let rows: Vec<OpeningJson> = effects
        .opened
        .iter()
        .map(|o| OpeningJson {
            id: o.id.0.simple().to_string(),
            follows: o.follows.0.simple().to_string(),
            at: o.at.into(),
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
         kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT unhex(r.value ->> 'id'), o.patient_id, o.ward_id, o.drug_id, o.prescription_id, o.dosage, o.dosage_max, \
         NULL, o.kind, o.priority, 'active', o.doctor_id, r.value ->> 'at', 1, r.value ->> 'at', NULL, \
         'opened after the dose before it' \
         FROM json_each($1) r JOIN medication_orders o ON o.id = unhex(r.value ->> 'follows')",
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
         kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT r.id, o.patient_id, o.ward_id, o.drug_id, o.prescription_id, o.dosage, o.dosage_max, \
         NULL, o.kind, o.priority, 'active', o.doctor_id, 'epoch'::timestamptz + r.at * interval '1 microsecond', 1, \
         'epoch'::timestamptz + r.at * interval '1 microsecond', NULL, 'opened after the dose before it' \
         FROM json_to_recordset($1::json) AS r (id uuid, follows uuid, at bigint) \
         JOIN medication_orders o ON o.id = r.follows",
    );
    let found = execute!(link, sql, json(&rows)?)?;
    changed("next as-needed orders", found, rows.len())
}

async fn end_prescriptions(link: Link<'_>, effects: &Effects) -> Result<(), StoreError> {
    if effects.discontinued.is_empty() {
        return Ok(());
    }
    let ids = List(
        effects
            .discontinued
            .iter()
            .map(|id| id.0)
            .collect::<Vec<Uuid>>(),
    );
    let sql = Sql::each(
        "UPDATE prescriptions SET status = 'discontinued' WHERE id IN (SELECT unhex(value) FROM json_each($1))",
        "UPDATE prescriptions SET status = 'discontinued' WHERE id = ANY($1)",
    );
    let found = execute!(link, sql, ids)?;
    changed("prescriptions", found, effects.discontinued.len())
}

#[derive(Serialize)]
struct AdministrationJson<'a> {
    id: String,
    ord: String,
    ver: i64,
    w: i64,
    p: String,
    d: i64,
    n: i64,
    at: At,
    outcome: &'a str,
    q: i64,
    op: String,
}

async fn write_administrations(link: Link<'_>, all: &[Administration]) -> Result<(), StoreError> {
    if all.is_empty() {
        return Ok(());
    }
    let rows: Vec<AdministrationJson<'_>> = all
        .iter()
        .map(|a| AdministrationJson {
            id: a.id.0.simple().to_string(),
            ord: a.order.0.simple().to_string(),
            ver: a.order_version,
            w: a.ward.0,
            p: a.patient.0.simple().to_string(),
            d: a.drug.0,
            n: a.nurse.0,
            at: a.at.into(),
            outcome: a.outcome.as_str(),
            q: a.quantity.0,
            op: a.op.0.simple().to_string(),
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO medication_administrations (id, order_id, order_version, ward_id, patient_id, drug_id, nurse_id, \
         administration_time, recorded_at, outcome, quantity, reason, op_id) \
         SELECT unhex(r.value ->> 'id'), unhex(r.value ->> 'ord'), r.value ->> 'ver', r.value ->> 'w', \
         unhex(r.value ->> 'p'), r.value ->> 'd', r.value ->> 'n', r.value ->> 'at', r.value ->> 'at', \
         r.value ->> 'outcome', r.value ->> 'q', '', unhex(r.value ->> 'op') FROM json_each($1) r",
        "INSERT INTO medication_administrations (id, order_id, order_version, ward_id, patient_id, drug_id, nurse_id, \
         administration_time, recorded_at, outcome, quantity, reason, op_id) \
         SELECT id, ord, ver, w, p, d, n, 'epoch'::timestamptz + at * interval '1 microsecond', \
         'epoch'::timestamptz + at * interval '1 microsecond', outcome, q, '', op \
         FROM json_to_recordset($1::json) AS r (id uuid, ord uuid, ver bigint, w bigint, p uuid, d bigint, n bigint, \
         at bigint, outcome text, q bigint, op uuid)",
    );
    let found = execute!(link, sql, json(&rows)?)?;
    changed("administrations", found, rows.len())
}

#[derive(Serialize)]
struct LedgerJson<'a> {
    w: i64,
    d: i64,
    seq: i64,
    delta: i64,
    bal: i64,
    why: &'a str,
    refr: &'a str,
    actor: Option<i64>,
    witness: Option<i64>,
    at: At,
    op: String,
    prev: String,
    hash: String,
}

/// Writes rows of the drug register.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn write_ledger(link: Link<'_>, effects: &Effects) -> Result<(), StoreError> {
    if effects.ledger.is_empty() {
        return Ok(());
    }
    let rows: Vec<LedgerJson<'_>> = effects
        .ledger
        .iter()
        .map(|entry| LedgerJson {
            w: entry.row.ward.0,
            d: entry.row.drug.0,
            seq: entry.row.seq,
            delta: entry.row.delta.0,
            bal: entry.row.balance.0,
            why: entry.row.reason.as_str(),
            refr: &entry.row.reference,
            actor: entry.row.actor.map(|a| a.0),
            witness: entry.row.witness.map(|w| w.0),
            at: entry.row.at.into(),
            op: entry.row.op.0.simple().to_string(),
            prev: hex(&entry.prev_hash),
            hash: hex(&entry.hash),
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO stock_ledger (ward_id, drug_id, seq, delta, balance, reason, reference, actor_id, witness_id, at, \
         op_id, prev_hash, hash) SELECT r.value ->> 'w', r.value ->> 'd', r.value ->> 'seq', r.value ->> 'delta', \
         r.value ->> 'bal', r.value ->> 'why', r.value ->> 'refr', r.value ->> 'actor', r.value ->> 'witness', \
         r.value ->> 'at', unhex(r.value ->> 'op'), unhex(r.value ->> 'prev'), unhex(r.value ->> 'hash') \
         FROM json_each($1) r",
        "INSERT INTO stock_ledger (ward_id, drug_id, seq, delta, balance, reason, reference, actor_id, witness_id, at, \
         op_id, prev_hash, hash) SELECT w, d, seq, delta, bal, why, refr, actor, witness, \
         'epoch'::timestamptz + at * interval '1 microsecond', op, decode(prev, 'hex'), decode(hash, 'hex') \
         FROM json_to_recordset($1::json) AS r (w bigint, d bigint, seq bigint, delta bigint, bal bigint, why text, \
         refr text, actor bigint, witness bigint, at bigint, op uuid, prev text, hash text)",
    );
    let found = execute!(link, sql, json(&rows)?)?;
    changed("ledger", found, rows.len())
}

async fn remember(link: Link<'_>, memory: &[Memory]) -> Result<(), StoreError> {
    if memory.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "INSERT INTO operations (op_id, actor_id, kind, digest, outcome, at) SELECT unhex(r.value ->> 'op_id', '-'), \
         r.value ->> 'actor_id', r.value ->> 'kind', unhex(r.value ->> 'digest'), r.value ->> 'outcome', \
         r.value ->> 'at' FROM json_each($1) r",
        "INSERT INTO operations (op_id, actor_id, kind, digest, outcome, at) SELECT op_id, actor_id, kind, \
         decode(digest, 'hex'), outcome, 'epoch'::timestamptz + at * interval '1 microsecond' \
         FROM json_to_recordset($1::json) \
         AS r (op_id uuid, actor_id bigint, kind text, digest text, outcome text, at bigint)",
    );
    let found = execute!(link, sql, json(memory)?)?;
    changed("operations", found, memory.len())
}

/// Bytes in hexadecimal, for JSON.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
