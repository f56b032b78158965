//! What reports read: a ward after the other, each page from where the last one ended, each from an index.
//!
//! Every statement takes the ward, the two moments of the period, where it goes on (time, key) and how many lines at most
//! as `$1` to `$6`. What else one needs comes after.

use jiff::{SignedDuration, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use super::cupboard::{DrugRow, drug_columns};
use super::{At, Conn, Link, Sql, StoreError, cupboard};
use crate::domain::mar::{DoseOfDay, Entry};
use crate::domain::report::{
    Cursor, Dose, Effect, Key, Kind, Line, NotGiven, Override, Page, Row, Scan, Span, StockOut,
    Use, Who,
};
use crate::domain::shelf::{DiscrepancyLine, Named};
use crate::domain::snapshot::Ward;
use crate::domain::{
    AdministrationId, DrugId, GivingOutcome, LedgerReason, OrderId, OrderStatus, Quantity, Reason,
    WardId,
};

/// Orders with the entry that stands, from `$from o`.
macro_rules! doses {
    ($from:expr, $rest:expr) => {
        concat!(
            "SELECT o.id, o.due_at, o.held_until, o.status, o.change, o.dosage, o.dosage_max, p.mrn, p.name AS patient, ",
            "p.bed, ", drug_columns!(), ", a.id AS entry, a.outcome, a.quantity, a.administration_time, a.recorded_at, ",
            "a.reason, u.name AS by_name FROM ", $from, " o JOIN patients p ON p.id = o.patient_id ",
            "JOIN drugs d ON d.id = o.drug_id LEFT JOIN medication_administrations a ON a.order_id = o.id ",
            "AND a.order_version = o.version - 1 AND a.reverses IS NULL LEFT JOIN users u ON u.id = a.nurse_id ",
            $rest
        )
    };
}

/// Timed orders of the period in one state, from the index of that state.
macro_rules! timed {
    ($state:literal) => {
        concat!(
            "SELECT * FROM medication_orders WHERE ward_id = $1 AND ",
            $state,
            " AND due_at >= $2 AND due_at < $3 ",
            "AND (due_at, id) > ($4, $5) ORDER BY due_at, id LIMIT $6"
        )
    };
}

/// Every timed dose of a period: those in the queue, and those that have left it.
pub(super) const DUE: &str = doses!(
    concat!(
        "(SELECT * FROM (",
        timed!("status = 'active'"),
        ") e UNION ALL SELECT * FROM (",
        timed!("status <> 'active'"),
        ") f)"
    ),
    "ORDER BY o.due_at, o.id LIMIT $6"
);

/// When an order is due: a held one, when it comes back.
macro_rules! latest {
    (sqlite) => {
        "max(o.due_at, COALESCE(o.held_until, o.due_at))"
    };
    (postgres) => {
        "GREATEST(o.due_at, o.held_until)"
    };
}

macro_rules! missed {
    ($engine:ident) => {
        doses!(
            "medication_orders",
            concat!(
                "WHERE o.ward_id = $1 AND o.status = 'active' AND o.due_at >= $2 AND o.due_at < $3 ",
                "AND (o.due_at, o.id) > ($4, $5) AND ",
                latest!($engine),
                " < $7 ORDER BY o.due_at, o.id LIMIT $6"
            )
        )
    };
}

/// Those in the queue that were due, or came back, before `$7`.
pub(super) const MISSED: Sql = Sql::each(missed!(sqlite), missed!(postgres));

macro_rules! late {
    ($engine:ident, $after:literal) => {
        doses!(
            "medication_orders",
            concat!(
                "WHERE o.ward_id = $1 AND o.status <> 'active' AND o.status = 'completed' AND o.due_at >= $2 ",
                "AND o.due_at < $3 AND (o.due_at, o.id) > ($4, $5) AND a.outcome = 'given' ",
                "AND a.administration_time >= ",
                latest!($engine),
                " + ",
                $after,
                " ORDER BY o.due_at, o.id LIMIT $6"
            )
        )
    };
}

/// Those that were given `$7` microseconds after their time, or later.
pub(super) const LATE: Sql = Sql::each(
    late!(sqlite, "$7"),
    late!(postgres, "$7 * interval '1 microsecond'"),
);

/// What was not given, corrections left out.
pub(super) const NOT_GIVEN: &str = concat!(
    "SELECT a.id, a.administration_time, a.recorded_at, a.outcome, p.mrn, p.name AS patient, p.bed, ",
    drug_columns!(),
    ", COALESCE(r.code, '') AS code, COALESCE(r.text, '') AS text, u.name AS by_name, ",
    "EXISTS (SELECT 1 FROM medication_administrations x WHERE x.reverses = a.id) AS taken_back ",
    "FROM medication_administrations a JOIN patients p ON p.id = a.patient_id JOIN drugs d ON d.id = a.drug_id ",
    "JOIN users u ON u.id = a.nurse_id LEFT JOIN administration_reasons r ON r.administration_id = a.id ",
    "AND r.kind = a.outcome WHERE a.ward_id = $1 AND a.outcome <> 'given' AND a.reverses IS NULL ",
    "AND a.administration_time >= $2 AND a.administration_time < $3 AND (a.administration_time, a.id) > ($4, $5) ",
    "ORDER BY a.administration_time, a.id LIMIT $6"
);

/// As-needed doses by when it was to be asked whether they helped, but for those that were taken back.
pub(super) const EFFECTS: &str = concat!(
    "SELECT a.id, a.administration_time, e.due_at, p.mrn, p.name AS patient, p.bed, ",
    drug_columns!(),
    ", a.quantity, COALESCE(i.code, '') AS indication, COALESCE(i.text, '') AS indication_text, ",
    "e.code, e.text, u.name AS noted_by, e.noted_at FROM prn_effects e ",
    "JOIN medication_administrations a ON a.id = e.administration_id JOIN patients p ON p.id = a.patient_id ",
    "JOIN drugs d ON d.id = a.drug_id LEFT JOIN users u ON u.id = e.noted_by ",
    "LEFT JOIN administration_reasons i ON i.administration_id = a.id AND i.kind = 'indication' ",
    "WHERE e.ward_id = $1 AND e.due_at >= $2 AND e.due_at < $3 AND (e.due_at, e.administration_id) > ($4, $5) ",
    "AND NOT EXISTS (SELECT 1 FROM medication_administrations x WHERE x.reverses = a.id) ",
    "ORDER BY e.due_at, e.administration_id LIMIT $6"
);

/// Scans of another patient's wristband, whether the sheet stopped them or the desk. SQLite has no statistics, and would
/// walk through all that was ever audited in the ward.
pub(super) const SCANS: &str = concat!(
    "SELECT e.id, e.at, e.who, e.kind, e.order_id, p.mrn, p.name AS patient, p.bed, ",
    drug_columns!(),
    " FROM audit_events e LEFT JOIN medication_orders o ON o.id = e.order_id ",
    "LEFT JOIN patients p ON p.id = o.patient_id LEFT JOIN drugs d ON d.id = o.drug_id ",
    "WHERE e.code = 'WRONG_PATIENT' AND +e.ward_id = $1 AND e.at >= $2 AND e.at < $3 AND (e.at, e.id) > ($4, $5) ",
    "ORDER BY e.at, e.id LIMIT $6"
);

/// Doses that were given although the desk warned, and what was prescribed although it did; `$7` tells two warnings of one
/// prescription apart.
pub(super) const OVERRIDES: Sql = {
    macro_rules! sql {
        ($given:literal) => {
            concat!(
                "SELECT o.*, p.mrn, p.name AS patient, p.bed, ",
                drug_columns!(),
                ", u.name AS by_name FROM (SELECT * FROM (SELECT a.administration_time AS at, a.id, ",
                "CAST(0 AS BIGINT) AS n, a.patient_id, a.drug_id AS of_drug, a.nurse_id AS user_id, r.about, r.code, ",
                "r.text FROM medication_administrations a JOIN administration_reasons r ON r.administration_id = a.id ",
                "AND r.kind = 'override' WHERE a.ward_id = $1 AND a.outcome = 'given' AND a.reverses IS NULL ",
                "AND a.administration_time >= $2 AND a.administration_time < $3 ",
                "AND (a.administration_time, a.id) > ($4, $5) ORDER BY a.administration_time, a.id LIMIT $6) g UNION ALL ",
                "SELECT * FROM (SELECT v.at, v.prescription_id AS id, ",
                "CAST(CASE v.kind WHEN 'allergy' THEN 1 ELSE 2 END AS BIGINT) AS n, x.patient_id, x.drug_id AS of_drug, ",
                "x.prescriber_id AS user_id, v.kind AS about, v.reason_code AS code, v.reason_text AS text ",
                "FROM prescription_overrides v JOIN prescriptions x ON x.id = v.prescription_id ",
                "WHERE ",
                $given,
                " = $1 AND v.at >= $2 AND v.at < $3 AND (v.at > $4 OR (v.at = $4 AND (v.prescription_id > $5 ",
                "OR (v.prescription_id = $5 AND CASE v.kind WHEN 'allergy' THEN 1 ELSE 2 END > $7)))) ",
                "ORDER BY v.at, v.prescription_id, v.kind LIMIT $6) w) o ",
                "JOIN patients p ON p.id = o.patient_id JOIN drugs d ON d.id = o.of_drug ",
                "JOIN users u ON u.id = o.user_id ORDER BY o.at, o.id, o.n LIMIT $6"
            )
        };
    }
    // SQLite has no statistics, and would read every prescription of the ward.
    Sql::each(sql!("+x.ward_id"), sql!("x.ward_id"))
};

/// Sums of a period by drug: what the register took for one reason, as a number that is not below zero.
macro_rules! taken {
    ($reason:literal) => {
        concat!(
            "CAST(COALESCE(-sum(m.moved) FILTER (WHERE m.reason = '",
            $reason,
            "'), 0) AS BIGINT) AS ",
            $reason
        )
    };
}

/// What became of the stock of each drug, by name, after drug `$4` (zero for none), at most `$5`. What was given is in the
/// administrations, since the register's index leaves it out; the period's other rows of the register say the rest.
pub(super) const USE: &str = concat!(
    // Added up before the drugs are looked up: they are many fewer then.
    "SELECT ",
    drug_columns!(),
    ", t.given, t.wasted, t.sent, t.returned, t.adjusted, t.came FROM (SELECT m.drug_id, ",
    taken!("given"),
    ", ",
    taken!("wasted"),
    ", ",
    taken!("sent"),
    ", ",
    taken!("returned"),
    ", CAST(COALESCE(sum(m.moved) FILTER (WHERE m.reason = 'adjusted'), 0) AS BIGINT) AS adjusted, ",
    "CAST(COALESCE(sum(m.moved) FILTER (WHERE m.reason IN ('received', 'arrived')), 0) AS BIGINT) AS came FROM (",
    "SELECT a.drug_id, 'given' AS reason, -a.quantity AS moved ",
    "FROM medication_administrations a WHERE a.ward_id = $1 AND a.administration_time >= $2 ",
    "AND a.administration_time < $3 AND a.outcome = 'given' AND a.reverses IS NULL ",
    "AND NOT EXISTS (SELECT 1 FROM medication_administrations x WHERE x.reverses = a.id) UNION ALL ",
    "SELECT l.drug_id, l.reason, l.delta ",
    "FROM stock_ledger l WHERE l.ward_id = $1 AND l.at >= $2 AND l.at < $3 AND l.reason <> 'given') m ",
    "GROUP BY m.drug_id) t JOIN drugs d ON d.id = t.drug_id ",
    // Behind an OR: PostgreSQL would walk through the names of every drug there is.
    "WHERE ($4 = 0 OR (d.name_key, d.id) > ((SELECT name_key FROM drugs WHERE id = $4), $4)) ",
    "ORDER BY d.name_key, d.id LIMIT $5"
);

/// Rows of the register after which nothing was left, without what became of that.
macro_rules! emptied {
    ($from:expr, $after:expr) => {
        concat!(
            "SELECT l.ward_id, l.drug_id, l.seq, l.at, l.reason, l.actor_id FROM ",
            $from,
            " AND (l.at, l.drug_id, l.seq) > ",
            $after
        )
    };
}

/// When nothing was left of a drug, in the period or from before until into it, with the row that ended it: after the one
/// with time, drug and row `$4`, `$5` and `$6`, at most `$7`. What began before the period is looked for after `$8`, `$9`
/// and `$10`, by what ended it since or by the shelf that is still empty.
pub(super) const STOCK_OUTS: &str = concat!(
    "SELECT l.at, l.seq, l.reason, n.at AS until, u.name AS by_name, ",
    drug_columns!(),
    " FROM (SELECT * FROM (",
    emptied!(
        "stock_ledger l WHERE l.ward_id = $1 AND l.balance = 0 AND l.at >= $2 AND l.at < $3",
        "($4, $5, $6) ORDER BY l.at, l.drug_id, l.seq LIMIT $7"
    ),
    ") b UNION ALL ",
    emptied!(
        concat!(
            "stock_ledger e JOIN stock_ledger l ON l.ward_id = e.ward_id AND l.drug_id = e.drug_id AND l.seq = e.seq - 1 ",
            "WHERE e.ward_id = $1 AND e.balance = e.delta AND e.seq > 1 AND e.at > $2 AND l.at < $2"
        ),
        "($8, $9, $10)"
    ),
    " UNION ALL ",
    emptied!(
        concat!(
            // What is out is low, and there is an index of that.
            "drug_stock s JOIN stock_ledger l ON l.ward_id = s.ward_id AND l.drug_id = s.drug_id AND l.seq = s.ledger_seq ",
            "WHERE s.ward_id = $1 AND s.current_stock <= s.low_stock_threshold AND s.current_stock = 0 AND l.at < $2"
        ),
        "($8, $9, $10)"
    ),
    ") l LEFT JOIN stock_ledger n ON n.ward_id = l.ward_id AND n.drug_id = l.drug_id ",
    "AND n.seq = l.seq + 1 JOIN drugs d ON d.id = l.drug_id LEFT JOIN users u ON u.id = l.actor_id ",
    "ORDER BY l.at, l.drug_id, l.seq LIMIT $7"
);

#[derive(Debug, FromRow)]
struct WhoRow {
    mrn: String,
    patient: String,
    bed: String,
}

impl From<WhoRow> for Who {
    fn from(row: WhoRow) -> Who {
        Who {
            mrn: row.mrn,
            name: row.patient,
            bed: row.bed,
        }
    }
}

/// A line and its place.
type Placed = (Key, Line);

fn key(at: At, id: Uuid) -> Key {
    Key { at: at.0, id, n: 0 }
}

#[derive(Debug, FromRow)]
struct DoseRow {
    id: OrderId,
    due_at: At,
    held_until: Option<At>,
    status: OrderStatus,
    change: String,
    dosage: Quantity,
    dosage_max: Option<Quantity>,
    #[sqlx(flatten)]
    who: WhoRow,
    #[sqlx(flatten)]
    drug: DrugRow,
    entry: Option<AdministrationId>,
    outcome: Option<GivingOutcome>,
    quantity: Option<Quantity>,
    administration_time: Option<At>,
    recorded_at: Option<At>,
    reason: Option<String>,
    by_name: Option<String>,
}

impl DoseRow {
    fn entry(&self) -> Option<Entry> {
        Some(Entry {
            id: self.entry?,
            outcome: self.outcome?,
            quantity: self.quantity?,
            at: self.administration_time?.0,
            recorded_at: self.recorded_at?.0,
            by: self.by_name.clone().unwrap_or_default(),
            reason: self.reason.clone().unwrap_or_default(),
            reverses: None,
        })
    }

    fn placed(self) -> Placed {
        let entries = self.entry().into_iter().collect();
        let line = Dose {
            of: DoseOfDay {
                order: self.id,
                due: Some(self.due_at.0),
                status: self.status,
                held_until: self.held_until.map(|at| at.0),
                change: self.change,
                entries,
            },
            due: self.due_at.0,
            who: self.who.into(),
            drug: self.drug.into(),
            least: self.dosage,
            most: self.dosage_max,
        };
        (key(self.due_at, self.id.0), Line::Dose(Box::new(line)))
    }
}

#[derive(Debug, FromRow)]
struct NotGivenRow {
    id: AdministrationId,
    administration_time: At,
    recorded_at: At,
    outcome: GivingOutcome,
    #[sqlx(flatten)]
    who: WhoRow,
    #[sqlx(flatten)]
    drug: DrugRow,
    code: String,
    text: String,
    by_name: String,
    taken_back: bool,
}

impl NotGivenRow {
    fn placed(self) -> Placed {
        let place = key(self.administration_time, self.id.0);
        let line = NotGiven {
            id: self.id,
            at: self.administration_time.0,
            entered: self.recorded_at.0,
            who: self.who.into(),
            drug: self.drug.into(),
            outcome: self.outcome,
            reason: Reason {
                code: self.code,
                text: self.text,
            },
            by: self.by_name,
            taken_back: self.taken_back,
        };
        (place, Line::NotGiven(Box::new(line)))
    }
}

#[derive(Debug, FromRow)]
struct EffectRow {
    id: AdministrationId,
    administration_time: At,
    due_at: At,
    #[sqlx(flatten)]
    who: WhoRow,
    #[sqlx(flatten)]
    drug: DrugRow,
    quantity: Quantity,
    indication: String,
    indication_text: String,
    code: Option<String>,
    text: String,
    noted_by: Option<String>,
    noted_at: Option<At>,
}

impl EffectRow {
    fn placed(self) -> Placed {
        let place = key(self.due_at, self.id.0);
        let text = self.text;
        let line = Effect {
            id: self.id,
            given: self.administration_time.0,
            asked: self.due_at.0,
            who: self.who.into(),
            drug: self.drug.into(),
            quantity: self.quantity,
            indication: Reason {
                code: self.indication,
                text: self.indication_text,
            },
            effect: self.code.map(|code| Reason { code, text }),
            noted_by: self.noted_by,
            noted: self.noted_at.map(|at| at.0),
        };
        (place, Line::Effect(Box::new(line)))
    }
}

#[derive(Debug, FromRow)]
struct ScanRow {
    id: Uuid,
    at: At,
    who: String,
    kind: String,
    order_id: Option<OrderId>,
    mrn: Option<String>,
    patient: Option<String>,
    bed: Option<String>,
    drug_id: Option<DrugId>,
    drug_code: Option<String>,
    drug_name: Option<String>,
    strength: Option<String>,
    unit: Option<String>,
    controlled: Option<bool>,
}

impl ScanRow {
    fn placed(self) -> Placed {
        let who = || {
            Some(Who {
                mrn: self.mrn.clone()?,
                name: self.patient.clone()?,
                bed: self.bed.clone()?,
            })
        };
        let drug = || {
            Some(Named {
                id: self.drug_id?,
                code: self.drug_code.clone()?,
                name: self.drug_name.clone()?,
                strength: self.strength.clone()?,
                unit: self.unit.clone()?,
                controlled: self.controlled?,
            })
        };
        let line = Scan {
            at: self.at.0,
            who: who(),
            drug: drug(),
            by: self.who.clone(),
            by_the_desk: self.kind == "refused",
            order: self.order_id,
        };
        (key(self.at, self.id), Line::Scan(Box::new(line)))
    }
}

#[derive(Debug, FromRow)]
struct OverrideRow {
    at: At,
    id: Uuid,
    n: i64,
    #[sqlx(flatten)]
    who: WhoRow,
    #[sqlx(flatten)]
    drug: DrugRow,
    about: String,
    code: String,
    text: String,
    by_name: String,
}

impl OverrideRow {
    fn placed(self) -> Placed {
        let place = Key {
            n: self.n,
            ..key(self.at, self.id)
        };
        let line = Override {
            at: self.at.0,
            given: self.n == 0,
            who: self.who.into(),
            drug: self.drug.into(),
            warned: self.about,
            reason: Reason {
                code: self.code,
                text: self.text,
            },
            by: self.by_name,
        };
        (place, Line::Override(Box::new(line)))
    }
}

#[derive(Debug, FromRow)]
struct UseRow {
    #[sqlx(flatten)]
    drug: DrugRow,
    given: Quantity,
    wasted: Quantity,
    sent: Quantity,
    returned: Quantity,
    adjusted: Quantity,
    came: Quantity,
}

impl UseRow {
    fn placed(self) -> Placed {
        let place = Key {
            n: self.drug.drug_id.0,
            ..Key::FIRST
        };
        let line = Use {
            drug: self.drug.into(),
            given: self.given,
            wasted: self.wasted,
            sent: self.sent,
            returned: self.returned,
            adjusted: self.adjusted,
            came: self.came,
        };
        (place, Line::Use(Box::new(line)))
    }
}

#[derive(Debug, FromRow)]
struct StockOutRow {
    at: At,
    seq: i64,
    reason: LedgerReason,
    until: Option<At>,
    by_name: Option<String>,
    #[sqlx(flatten)]
    drug: DrugRow,
}

impl StockOutRow {
    fn placed(self) -> Placed {
        let place = Key {
            at: self.at.0,
            id: Uuid::from_u128(u128::from(self.drug.drug_id.0.unsigned_abs())),
            n: self.seq,
        };
        let line = StockOut {
            drug: self.drug.into(),
            since: self.at.0,
            until: self.until.map(|at| at.0),
            took: self.reason,
            by: self.by_name,
        };
        (place, Line::StockOut(Box::new(line)))
    }
}

/// What a report needs to know beside the period.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Now.
    pub now: Timestamp,
    /// A dose that nobody accounted for is missed this long after its time.
    pub missed: SignedDuration,
    /// A dose that is given so many whole minutes after its time, or fewer, is not late.
    pub late_minutes: u32,
    /// Lines of a page at most.
    pub lines: usize,
}

impl Limits {
    fn missed_before(&self) -> At {
        let before = self.now.checked_sub(self.missed);
        At::from(before.unwrap_or(Timestamp::MIN))
    }

    /// In microseconds. Minutes are counted whole: a dose is late from the minute after those on.
    fn late_after(&self) -> i64 {
        (i64::from(self.late_minutes) + 1) * 60_000_000
    }
}

/// A page of a report: of these wards, each with its span, one after the other; after `after`.
///
/// # Errors
/// [`StoreError`].
pub async fn page(
    conn: &mut Conn,
    kind: Kind,
    spans: Vec<(Ward, Span)>,
    after: Option<Cursor>,
    limits: &Limits,
) -> Result<Page, StoreError> {
    let mut tx = conn.begin_read().await?;
    let first = after.and_then(|after| spans.iter().position(|(ward, _)| ward.id == after.ward));
    let (mut rows, mut next) = (Vec::new(), None);
    for (at, (ward, span)) in spans.iter().enumerate().skip(first.unwrap_or(0)) {
        let from = match after {
            Some(after) if Some(at) == first => after.key,
            _ => Key::FIRST,
        };
        // One line more than is shown tells that there are more.
        let left = limits.lines.saturating_sub(rows.len()) + 1;
        let wanted = i64::try_from(left).unwrap_or(i64::MAX);
        let found = lines(tx.link(), kind, ward.id, *span, from, wanted, limits).await?;
        rows.extend(found.into_iter().map(|(key, line)| Row {
            ward: ward.id,
            key,
            line,
        }));
        if rows.len() > limits.lines {
            rows.truncate(limits.lines);
            next = rows.last().map(|row| Cursor {
                ward: row.ward,
                key: row.key,
            });
            break;
        }
    }
    tx.rollback().await?;
    Ok(Page {
        kind,
        rows,
        next,
        spans,
    })
}

async fn lines(
    link: Link<'_>,
    kind: Kind,
    ward: WardId,
    span: Span,
    from: Key,
    wanted: i64,
    limits: &Limits,
) -> Result<Vec<Placed>, StoreError> {
    let (since, to) = (At::from(span.from), At::from(span.to));
    // No page goes on before its period. PostgreSQL begins where the pair of time and key says, whatever the time alone
    // says beside it, and would walk through all that ever happened in the ward.
    let begin = Key {
        at: span.from,
        ..Key::FIRST
    };
    let Key { at, id, n } = begin.max(from);
    let at = At::from(at);
    let drug_of = |id: Uuid| i64::try_from(id.as_u128()).unwrap_or(i64::MAX);
    macro_rules! ask {
        ($row:ident, $sql:expr, $($more:expr),*) => {{
            let rows = fetch!(all, link, $row, $sql, ward, since, to, $($more),*)?;
            rows.into_iter().map($row::placed).collect()
        }};
    }
    Ok(match kind {
        Kind::Due => ask!(DoseRow, DUE, at, id, wanted),
        Kind::Missed => ask!(DoseRow, MISSED, at, id, wanted, limits.missed_before()),
        Kind::Late => ask!(DoseRow, LATE, at, id, wanted, limits.late_after()),
        Kind::NotGiven => ask!(NotGivenRow, NOT_GIVEN, at, id, wanted),
        Kind::Effects => ask!(EffectRow, EFFECTS, at, id, wanted),
        Kind::WrongPatient => ask!(ScanRow, SCANS, at, id, wanted),
        Kind::Overrides => ask!(OverrideRow, OVERRIDES, at, id, wanted, n),
        Kind::Discrepancies => {
            let found =
                cupboard::controlled_discrepancies(link, ward, (since, to), (at, id), wanted);
            let line = |line: DiscrepancyLine| {
                let place = key(At::from(line.opened_at), line.id.0);
                (place, Line::Discrepancy(Box::new(line)))
            };
            found.await?.into_iter().map(line).collect()
        }
        Kind::Use => ask!(UseRow, USE, from.n.max(0), wanted),
        Kind::StockOuts => {
            // What began before the period comes first.
            let (since, of) = (At::from(from.at), drug_of(from.id));
            ask!(
                StockOutRow,
                STOCK_OUTS,
                at,
                drug_of(id),
                n,
                wanted,
                since,
                of,
                from.n
            )
        }
    })
}
