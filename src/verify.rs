//! Proving the books: the drug register recomputed row by row, and everything that must agree with it.
//!
//! All of it is read as of one moment, in pages by key, so that it can be run beside a working ward of any size.

use std::collections::HashMap;
use std::fmt;

use uuid::Uuid;

use crate::domain::cupboard::{DiscrepancyStatus, Resolution, TransferStatus};
use crate::domain::decide::{dose_reference, given_reference};
use crate::domain::ledger::{GENESIS, Hash};
use crate::domain::operation::InRegister;
use crate::domain::{
    AdministrationId, DrugId, LedgerReason, OpId, OrderId, OrderStatus, Outcome, Quantity,
    TransferId, UserId, WardId,
};
use crate::store::verify::{self as table, DoneOperation, GivenDose, Head, RowKey, Stored};
use crate::store::verify_cupboard::{self, Transferred};
use crate::store::{At, Db, StoreError, Tx};

/// Rows read at once.
const PAGE: i64 = 5000;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Register rows recomputed.
    pub rows: u64,
    /// Doses given.
    pub doses: u64,
    /// Orders.
    pub orders: u64,
    /// Each rule, with the first row that breaks it.
    pub rules: Vec<Rule>,
}

/// A rule of the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What must be so.
    pub rule: &'static str,
    /// The first row for which it is not, and why.
    pub broken_by: Option<String>,
}

impl Report {
    /// Whether everything agrees.
    pub fn holds(&self) -> bool {
        self.rules.iter().all(|rule| rule.broken_by.is_none())
    }

    fn add(&mut self, rule: &'static str, broken_by: Option<String>) {
        self.rules.push(Rule { rule, broken_by });
    }
}

/// A register row, or the head of a page, that is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wrong {
    page: String,
    seq: i64,
    what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, row {}: {}", self.page, self.seq, self.what)
    }
}

/// The last row of a page that was read.
#[derive(Clone, Copy)]
struct Last {
    seq: i64,
    balance: Quantity,
    hash: Hash,
}

const BLANK: Last = Last {
    seq: 0,
    balance: Quantity::ZERO,
    hash: GENESIS,
};

/// What a register row says that an operation did.
#[derive(PartialEq, Eq)]
struct Booked {
    ward: WardId,
    drug: DrugId,
    delta: Quantity,
    reason: LedgerReason,
    reference: String,
    actor: Option<UserId>,
    witness: Option<UserId>,
    at: At,
}

/// The register as read: the ends of its pages, and what operations wrote into it.
#[derive(Default)]
struct Register {
    pages: HashMap<(WardId, DrugId), Last>,
    by_operation: HashMap<OpId, Vec<Booked>>,
    wrong: Option<Wrong>,
    /// What belongs to each transfer.
    transfers: HashMap<TransferId, Vec<Moved>>,
}

/// A row of the register that belongs to a transfer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moved {
    ward: WardId,
    drug: DrugId,
    reason: LedgerReason,
    delta: Quantity,
}

/// Recomputes every page of the register as of one moment, and checks that stock, operations, orders and
/// administrations agree with it.
///
/// # Errors
/// [`StoreError`].
pub async fn verify(db: &Db) -> Result<Report, StoreError> {
    let mut conn = db.reader().await?;
    let mut tx = conn.begin_read().await?;
    let mut report = Report::default();
    let heads = table::heads(tx.link()).await?;
    let mut register = read_register(&mut tx, &heads, &mut report).await?;
    let wrong = register.wrong.take().map(|wrong| wrong.to_string());
    report.add(
        "every row of the drug register is what was written, and follows the row before it",
        wrong,
    );
    report.add(
        "stock is what its page of the register ends with",
        check_heads(&heads, &register),
    );
    let (booked, ordered) = check_doses(&mut tx, &register.by_operation, &mut report).await?;
    report.add(
        "a given dose is in the register: order, patient, ward, drug, quantity, person, time",
        booked,
    );
    report.add(
        "a dose was given as ordered: patient, drug, amount",
        ordered,
    );
    let transfers = check_transfers(&mut tx, &mut register.transfers).await?;
    report.add(
        "what was sent is back, on its way, at its destination, or answered for by name",
        transfers,
    );
    let lots = verify_cupboard::lots_off(tx.link()).await?;
    report.add(
        "a lot holds what the register's rows put into it, and lots hold no more than the stock",
        lots.first()
            .map(|(ward, drug, lot)| format!("{}: {lot}", unnamed((WardId(*ward), DrugId(*drug))))),
    );
    let operations = check_operations(&mut tx, &mut register).await?;
    report.add(
        "every operation that was told done is in the register once, and no other",
        operations,
    );
    let accounted = check_orders(&mut tx, &mut report).await?;
    report.add(
        "a completed order has exactly one standing administration, any other none",
        accounted,
    );
    tx.rollback().await?;
    Ok(report)
}

async fn read_register(
    tx: &mut Tx<'_>,
    heads: &[Head],
    report: &mut Report,
) -> Result<Register, StoreError> {
    let names: HashMap<(WardId, DrugId), &str> = heads
        .iter()
        .map(|head| ((head.ward, head.drug), head.name.as_str()))
        .collect();
    let mut register = Register::default();
    let mut after: RowKey = (WardId(i64::MIN), DrugId(i64::MIN), 0);
    loop {
        let rows = table::register(tx.link(), after, PAGE).await?;
        let Some(last) = rows.last() else {
            return Ok(register);
        };
        after = (last.row.ward, last.row.drug, last.row.seq);
        report.rows += rows.len() as u64;
        for stored in rows {
            let page = (stored.row.ward, stored.row.drug);
            let name = || {
                names
                    .get(&page)
                    .map_or_else(|| unnamed(page), ToString::to_string)
            };
            let last = register.pages.entry(page).or_insert(BLANK);
            if let (Some(what), None) = (fault(&stored, last), &register.wrong) {
                register.wrong = Some(Wrong {
                    page: name(),
                    seq: stored.row.seq,
                    what,
                });
            }
            *last = Last {
                seq: stored.row.seq,
                balance: stored.row.balance,
                hash: stored.hash,
            };
            if let Some(id) = of_transfer(&stored.row.reference) {
                register.transfers.entry(id).or_default().push(Moved {
                    ward: stored.row.ward,
                    drug: stored.row.drug,
                    reason: stored.row.reason,
                    delta: stored.row.delta,
                });
            }
            // Opening stock has nobody behind it: it came with an import.
            if stored.row.actor.is_some() {
                let rows = register.by_operation.entry(stored.row.op).or_default();
                rows.push(Booked::from(stored));
            }
        }
    }
}

fn unnamed(page: (WardId, DrugId)) -> String {
    format!("ward {} drug {}", page.0, page.1)
}

impl From<Stored> for Booked {
    fn from(stored: Stored) -> Booked {
        let row = stored.row;
        Booked {
            ward: row.ward,
            drug: row.drug,
            delta: row.delta,
            reason: row.reason,
            reference: row.reference,
            actor: row.actor,
            witness: row.witness,
            at: row.at.into(),
        }
    }
}

/// The first stock row that is not what its page ends with, or page that has no stock row.
fn check_heads(heads: &[Head], register: &Register) -> Option<String> {
    let off = heads.iter().find_map(|head| {
        let last = register
            .pages
            .get(&(head.ward, head.drug))
            .copied()
            .unwrap_or(BLANK);
        let what = head_fault(head, &last)?;
        Some(
            Wrong {
                page: head.name.clone(),
                seq: head.seq,
                what,
            }
            .to_string(),
        )
    });
    off.or_else(|| {
        let stocked: std::collections::HashSet<_> =
            heads.iter().map(|head| (head.ward, head.drug)).collect();
        let lost = register
            .pages
            .keys()
            .filter(|page| !stocked.contains(page))
            .min()?;
        Some(format!(
            "{}: the register has a page, and there is no stock row",
            unnamed(*lost)
        ))
    })
}

/// The first given dose that is not in the register as it should be, and the first that was not given as ordered.
async fn check_doses(
    tx: &mut Tx<'_>,
    by_operation: &HashMap<OpId, Vec<Booked>>,
    report: &mut Report,
) -> Result<(Option<String>, Option<String>), StoreError> {
    let (mut not_booked, mut not_ordered) = (None, None);
    let mut after = AdministrationId(Uuid::nil());
    loop {
        let doses = table::given(tx.link(), after, PAGE).await?;
        let Some(last) = doses.last() else {
            return Ok((not_booked, not_ordered));
        };
        after = last.id;
        report.doses += doses.len() as u64;
        for dose in &doses {
            // A dose is entered when it is given, or afterwards.
            let entered = dose.administration_time <= dose.recorded_at;
            let booked = by_operation.get(&dose.op_id).map_or(&[][..], Vec::as_slice);
            if !entered || booked != [as_booked(dose)] {
                not_booked.get_or_insert_with(|| format!("administration {}", dose.id));
            }
            if !dose.as_ordered {
                not_ordered.get_or_insert_with(|| format!("administration {}", dose.id));
            }
        }
    }
}

fn as_booked(dose: &GivenDose) -> Booked {
    Booked {
        ward: dose.ward_id,
        drug: dose.drug_id,
        delta: -dose.quantity,
        reason: LedgerReason::Given,
        reference: given_reference(
            dose_reference(dose.id, dose.order_id, dose.patient_id),
            dose.administration_time.0,
            dose.recorded_at.0,
        ),
        actor: Some(dose.nurse_id),
        witness: dose.witness_id,
        at: dose.recorded_at,
    }
}

/// Takes every operation that was told done out of what the register has; gives the first that is not there as it was
/// told, or a row of the register that no operation was told of.
async fn check_operations(
    tx: &mut Tx<'_>,
    register: &mut Register,
) -> Result<Option<String>, StoreError> {
    let mut broken = None;
    let mut after = OpId(Uuid::nil());
    loop {
        let operations = table::operations(tx.link(), after, PAGE).await?;
        let Some(last) = operations.last() else { break };
        after = last.op_id;
        for operation in &operations {
            if let Some(what) = untrue(operation, &mut register.by_operation) {
                broken.get_or_insert_with(|| format!("operation {}: {what}", operation.op_id));
            }
        }
    }
    Ok(broken.or_else(|| {
        let (op, rows) = register.by_operation.iter().next()?;
        let page = unnamed(rows.first().map(|row| (row.ward, row.drug))?);
        Some(format!(
            "{page} has a row of operation {op}, which nobody was told of"
        ))
    }))
}

/// The transfer that a register row refers to.
fn of_transfer(reference: &str) -> Option<TransferId> {
    let id = reference.strip_prefix("transfer ")?;
    id.parse().ok().map(TransferId)
}

/// The first transfer whose quantity is not all accounted for, or register row of a transfer that there is not.
async fn check_transfers(
    tx: &mut Tx<'_>,
    booked: &mut HashMap<TransferId, Vec<Moved>>,
) -> Result<Option<String>, StoreError> {
    let mut broken = None;
    let mut after = TransferId(Uuid::nil());
    loop {
        let transfers = verify_cupboard::transfers(tx.link(), after, PAGE).await?;
        let Some(last) = transfers.last() else { break };
        after = last.id;
        for transfer in &transfers {
            let mut rows = booked.remove(&transfer.id).unwrap_or_default();
            rows.sort_unstable();
            let mut wanted = expected_rows(transfer);
            wanted.sort_unstable();
            let what = if !stands_right(transfer) {
                "it does not stand as its quantities say"
            } else if rows != wanted {
                "the register says otherwise"
            } else {
                continue;
            };
            broken.get_or_insert_with(|| format!("transfer {}: {what}", transfer.id));
        }
    }
    Ok(broken.or_else(|| {
        let id = booked.keys().next()?;
        Some(format!(
            "the register speaks of transfer {id}, and there is none"
        ))
    }))
}

/// What the register must have of a transfer.
fn expected_rows(transfer: &Transferred) -> Vec<Moved> {
    let row = |ward, reason, delta| Moved {
        ward,
        drug: transfer.drug_id,
        reason,
        delta,
    };
    let (source, destination) = (transfer.source_ward_id, transfer.destination_ward_id);
    let missing = -transfer.missing.unwrap_or_default();
    let back = match transfer.resolution {
        Some(Resolution::Returned) => Some(row(source, LedgerReason::Returned, missing)),
        Some(Resolution::Found) => Some(row(destination, LedgerReason::Arrived, missing)),
        _ => None,
    };
    let received = transfer.received.unwrap_or_default();
    let arrived = received
        .is_positive()
        .then(|| row(destination, LedgerReason::Arrived, received));
    let sent = row(source, LedgerReason::Sent, -transfer.quantity);
    std::iter::once(sent).chain(arrived).chain(back).collect()
}

/// Whether a transfer's quantities, and what is missing of it, are those of where it stands.
fn stands_right(transfer: &Transferred) -> bool {
    let short = transfer
        .received
        .map(|received| received - transfer.quantity);
    let difference = (transfer.missing, transfer.missing_status);
    match transfer.status {
        TransferStatus::Sent => short.is_none() && transfer.missing.is_none(),
        TransferStatus::Received => short == Some(Quantity::ZERO) && transfer.missing.is_none(),
        TransferStatus::Short => {
            short.is_some_and(|short| short < Quantity::ZERO)
                && difference == (short, Some(DiscrepancyStatus::Open))
        }
        TransferStatus::Resolved => {
            let named = transfer.resolved_by.is_some()
                && (transfer.resolution != Some(Resolution::Lost)
                    || transfer.witness_id.is_some()
                        && transfer
                            .resolved_reason
                            .as_deref()
                            .is_some_and(|why| !why.is_empty()));
            short.is_some_and(|short| short < Quantity::ZERO)
                && difference == (short, Some(DiscrepancyStatus::Resolved))
                && named
        }
    }
}

/// Whether a register row is one that an operation was told of.
fn is_told(told: &InRegister, row: &Booked) -> bool {
    (row.ward, row.drug) == (told.ward, told.drug)
        && row.delta == told.delta
        && row.at == At::from(told.at)
        && row.reference.starts_with(&told.begins)
}

/// What is not so of what an operation was told.
fn untrue(
    operation: &DoneOperation,
    by_operation: &mut HashMap<OpId, Vec<Booked>>,
) -> Option<String> {
    let outcome: Outcome = match serde_json::from_str(&operation.outcome) {
        Ok(outcome) => outcome,
        Err(error) => return Some(format!("its outcome cannot be read: {error}")),
    };
    let Outcome::Done(receipt) = &outcome else {
        return None;
    };
    let told = receipt.in_register();
    let rows = by_operation.remove(&operation.op_id).unwrap_or_default();
    if rows.is_empty() && !told.is_empty() {
        return Some("it was told done, and is not in the register".to_owned());
    }
    let same =
        rows.len() == told.len() && told.iter().zip(&rows).all(|(told, row)| is_told(told, row));
    (!same).then(|| "the register says otherwise than was told".to_owned())
}

async fn check_orders(tx: &mut Tx<'_>, report: &mut Report) -> Result<Option<String>, StoreError> {
    let mut broken = None;
    let mut after = OrderId(Uuid::nil());
    loop {
        let orders = table::accounted(tx.link(), after, PAGE).await?;
        let Some(last) = orders.last() else {
            return Ok(broken);
        };
        after = last.id;
        report.orders += orders.len() as u64;
        for order in &orders {
            if let Some(what) = unaccounted(order) {
                broken.get_or_insert_with(|| format!("order {}: {what}", order.id));
            }
        }
    }
}

/// What is wrong with the entries of an order. A completed one has exactly one that stands, of its last version; one that
/// was held and came back has a record that it was held, of a version before.
fn unaccounted(order: &table::Accounted) -> Option<String> {
    let wanted = i64::from(order.status == OrderStatus::Completed);
    if order.last == wanted && order.others == 0 {
        return None;
    }
    Some(format!(
        "it is {} and has {} entries of its last version, and {} of others, that are not a hold",
        order.status, order.last, order.others
    ))
}

/// What is wrong with a row that follows `last`.
fn fault(stored: &Stored, last: &Last) -> Option<String> {
    let row = &stored.row;
    if row.seq != last.seq + 1 {
        return Some(format!("row {} is missing before it", last.seq + 1));
    }
    if row.balance != last.balance + row.delta {
        return Some(format!(
            "balance {} is not {} with {} added",
            row.balance, last.balance, row.delta
        ));
    }
    if row.balance < Quantity::ZERO {
        return Some(format!("balance {} is below nothing", row.balance));
    }
    if stored.prev_hash != last.hash {
        return Some("it does not follow the row before it (hash)".to_owned());
    }
    if stored.hash != row.hash(&last.hash) {
        return Some("it is not what was written (hash)".to_owned());
    }
    None
}

/// What is wrong with the stock row of a page that ends with `last`.
fn head_fault(head: &Head, last: &Last) -> Option<String> {
    if head.current != last.balance {
        return Some(format!(
            "stock is {}, and its register says {}",
            head.current, last.balance
        ));
    }
    if head.seq != last.seq {
        return Some(format!(
            "stock says that row {} is the last, and the register ends with {}",
            head.seq, last.seq
        ));
    }
    (head.hash != last.hash).then(|| "stock and register end with different hashes".to_owned())
}
