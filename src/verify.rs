//! Proving the books: the drug register recomputed row by row, and everything that must agree with it.
//!
//! All of it is read as of one moment, in pages by key, so that it can be run beside a working ward of any size.

use std::collections::HashMap;
use std::fmt;

use uuid::Uuid;

use crate::domain::ledger::{GENESIS, Hash};
use crate::domain::{DrugId, LedgerReason, OrderId, OrderStatus, Quantity, UserId, WardId};
use crate::store::verify::{self as table, GivenDose, Head, RowKey, Stored};
use crate::store::{Db, StoreError, Tx};

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

/// What the register says of a dose.
#[derive(PartialEq, Eq)]
struct Booked {
    ward: WardId,
    drug: DrugId,
    quantity: Quantity,
    actor: Option<UserId>,
    op: Uuid,
}

/// The register as read: the ends of its pages, and the doses in it.
#[derive(Default)]
struct Register {
    pages: HashMap<(WardId, DrugId), Last>,
    doses: HashMap<Uuid, Booked>,
    wrong: Option<Wrong>,
    /// A row that says it is a dose and names no administration, or one that another row has named.
    stray: Option<String>,
}

/// Recomputes every page of the register as of one moment, and checks that stock, orders and administrations agree
/// with it.
///
/// # Errors
/// [`StoreError`].
pub async fn verify(db: &Db) -> Result<Report, StoreError> {
    let mut conn = db.reader().await?;
    let mut tx = conn.begin_read().await?;
    let mut report = Report::default();
    let heads = table::heads(tx.link()).await?;
    let mut register = read_register(&mut tx, &heads, &mut report).await?;
    report.add(
        "every row of the drug register is what was written, and follows the row before it",
        register.wrong.map(|w| w.to_string()),
    );
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
    report.add("stock is what its page of the register ends with", off);
    let (booked, ordered) = check_doses(&mut tx, &mut register.doses, &mut report).await?;
    report.add(
        "a given dose has exactly one register row: same ward, drug, quantity, person, operation",
        booked,
    );
    report.add(
        "a register row of a dose belongs to exactly one administration",
        register.stray.or_else(|| {
            let left = register.doses.keys().next();
            left.map(|id| {
                format!("the register has a dose of administration {id}, and there is none")
            })
        }),
    );
    report.add(
        "a dose was given as ordered: patient, drug, amount",
        ordered,
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
        for stored in &rows {
            let row = &stored.row;
            let page = (row.ward, row.drug);
            let name = || {
                names.get(&page).map_or_else(
                    || format!("ward {} drug {}", page.0, page.1),
                    ToString::to_string,
                )
            };
            let last = register.pages.entry(page).or_insert(BLANK);
            if let (Some(what), None) = (fault(stored, last), &register.wrong) {
                register.wrong = Some(Wrong {
                    page: name(),
                    seq: row.seq,
                    what,
                });
            }
            *last = Last {
                seq: row.seq,
                balance: row.balance,
                hash: stored.hash,
            };
            if row.reason == LedgerReason::Given
                && !book(&mut register.doses, stored)
                && register.stray.is_none()
            {
                let what = format!(
                    "'{}' is no administration, or one that another row names",
                    row.reference
                );
                register.stray = Some(
                    Wrong {
                        page: name(),
                        seq: row.seq,
                        what,
                    }
                    .to_string(),
                );
            }
        }
    }
}

/// Notes the dose of a row; `false`: it names none, or one that is noted already.
fn book(doses: &mut HashMap<Uuid, Booked>, stored: &Stored) -> bool {
    let row = &stored.row;
    let Ok(id) = row.reference.parse::<Uuid>() else {
        return false;
    };
    let booked = Booked {
        ward: row.ward,
        drug: row.drug,
        quantity: -row.delta,
        actor: row.actor,
        op: row.op.0,
    };
    doses.insert(id, booked).is_none()
}

/// Takes every given dose out of what the register has booked; gives the first that is not there as it should be, and
/// the first that was not given as ordered.
async fn check_doses(
    tx: &mut Tx<'_>,
    booked: &mut HashMap<Uuid, Booked>,
    report: &mut Report,
) -> Result<(Option<String>, Option<String>), StoreError> {
    let (mut not_booked, mut not_ordered) = (None, None);
    let mut after = Uuid::nil();
    loop {
        let doses = table::given(tx.link(), after, PAGE).await?;
        let Some(last) = doses.last() else {
            return Ok((not_booked, not_ordered));
        };
        after = last.id;
        report.doses += doses.len() as u64;
        for dose in &doses {
            if booked
                .remove(&dose.id)
                .is_none_or(|row| row != as_booked(dose))
            {
                not_booked.get_or_insert_with(|| format!("administration {}", dose.id));
            }
            if !dose.as_ordered {
                not_ordered.get_or_insert_with(|| format!("administration {}", dose.id));
            }
        }
    }
}

const fn as_booked(dose: &GivenDose) -> Booked {
    Booked {
        ward: dose.ward_id,
        drug: dose.drug_id,
        quantity: dose.quantity,
        actor: Some(dose.nurse_id),
        op: dose.op_id.0,
    }
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
            let wanted = i64::from(order.status == OrderStatus::Completed);
            if order.standing != wanted {
                let what = || {
                    format!(
                        "order {} is {} and has {}",
                        order.id, order.status, order.standing
                    )
                };
                broken.get_or_insert_with(what);
            }
        }
    }
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
