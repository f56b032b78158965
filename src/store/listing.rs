//! What the command line lists, page by page: each page goes on after the key that the last one ended with.

use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::{At, Day, Link, Sql, StoreError};
use crate::domain::snapshot::AskedDose;
use crate::domain::{
    AdministrationId, DrugId, GivingOutcome, OrderId, OrderKind, OrderStatus, PatientId, Priority,
    Quantity, Reason, WardId,
};

/// Which orders.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// In the queue of this ward.
    pub ward: Option<WardId>,
    /// Of this patient.
    pub patient: Option<PatientId>,
    /// In this state.
    pub status: Option<OrderStatus>,
    /// After this one, in order of key.
    pub after: Option<Uuid>,
}

/// One order.
#[derive(Debug, Clone, FromRow)]
pub struct OrderLine {
    /// Key.
    pub id: OrderId,
    /// Raised by every change.
    pub version: i64,
    /// Code of the ward.
    pub ward: String,
    /// Zone of its clocks.
    pub time_zone: String,
    /// Patient's number.
    pub mrn: String,
    /// Patient's name.
    pub patient: String,
    /// Where they lie.
    pub bed: String,
    /// What.
    pub drug: String,
    /// How strong.
    pub strength: String,
    /// Its key.
    pub drug_id: DrugId,
    /// The dose, or the least of a range.
    pub dosage: Quantity,
    /// The most of a range.
    pub dosage_max: Option<Quantity>,
    /// Stock unit.
    pub unit: String,
    /// As written.
    pub route: String,
    /// As written.
    pub frequency: String,
    /// When, for timed orders.
    pub due_at: Option<At>,
    /// Timed, as needed, unscheduled.
    pub kind: OrderKind,
    /// Stat or routine.
    pub priority: Priority,
    /// Where it stands.
    pub status: OrderStatus,
    /// When it comes back, where it was held.
    pub held_until: Option<At>,
    /// What happened last.
    pub change: String,
}

/// Rows that are read by one statement: [`short`] says the same number.
const AT_ONCE: i64 = 1000;

macro_rules! orders_sql {
    ($from:literal, $filter:literal, $order:literal) => {
        concat!(
            "SELECT o.id, o.version, w.code AS ward, w.time_zone, p.mrn, p.name AS patient, p.bed, d.name AS drug, ",
            "d.strength, o.drug_id, o.dosage, o.dosage_max, d.unit, r.route, r.frequency, o.due_at, o.kind, o.priority, ",
            "o.status, o.held_until, o.change FROM ",
            $from,
            " o JOIN wards w ON w.id = o.ward_id ",
            "JOIN patients p ON p.id = o.patient_id JOIN drugs d ON d.id = o.drug_id ",
            "JOIN prescriptions r ON r.id = o.prescription_id WHERE ",
            $filter,
            " ORDER BY ",
            $order
        )
    };
}

/// A page of a list on PostgreSQL. The page's length is a value, and of a statement that is kept planned, PostgreSQL
/// takes a value for a tenth of everything, and would read whole tables; planned anew, each page takes longer to plan than
/// to read. That no statement reads more than [`AT_ONCE`] rows is said with a number.
macro_rules! short {
    ($sql:expr, $order:literal, $limit:literal) => {
        concat!(
            "SELECT * FROM (",
            $sql,
            " LIMIT 1000) page ORDER BY ",
            $order,
            " LIMIT ",
            $limit
        )
    };
}

/// A page of orders on SQLite: `$filter` may add `$3` and `$4`.
macro_rules! page_sqlite {
    ($filter:literal) => {
        concat!(
            orders_sql!("medication_orders", $filter, "o.id"),
            " LIMIT $2"
        )
    };
}

/// The same on PostgreSQL.
macro_rules! page_postgres {
    ($filter:literal) => {
        short!(
            orders_sql!("medication_orders", $filter, "o.id"),
            "id",
            "$2"
        )
    };
}

/// Both.
macro_rules! page_sql {
    ($filter:literal) => {
        Sql::each(page_sqlite!($filter), page_postgres!($filter))
    };
}

/// The four states of [`OrderFilter::status`]: any, active, completed, discontinued. Each is said with its word in the
/// statement, so that the planner knows how rare it is, and the indexes for one state can be used.
pub(super) type ByStatus = [Sql; 4];

/// On SQLite a plus sign takes a column out of the choice of an index: without statistics it would take that of the
/// states, which leads through the whole hospital, for as good as that of the patient.
pub(super) const ORDERS_OF_PATIENT: ByStatus = [
    page_sql!("o.id > $1 AND o.patient_id = $3"),
    Sql::each(
        page_sqlite!("o.id > $1 AND o.patient_id = $3 AND +o.status = 'active'"),
        page_postgres!("o.id > $1 AND o.patient_id = $3 AND o.status = 'active'"),
    ),
    Sql::each(
        page_sqlite!("o.id > $1 AND o.patient_id = $3 AND +o.status = 'completed'"),
        page_postgres!("o.id > $1 AND o.patient_id = $3 AND o.status = 'completed'"),
    ),
    Sql::each(
        page_sqlite!("o.id > $1 AND o.patient_id = $3 AND +o.status = 'discontinued'"),
        page_postgres!("o.id > $1 AND o.patient_id = $3 AND o.status = 'discontinued'"),
    ),
];
/// Of a patient, in one ward.
pub(super) const ORDERS_OF_BOTH: ByStatus = [
    Sql::each(
        page_sqlite!("o.id > $1 AND o.patient_id = $3 AND +o.ward_id = $4"),
        page_postgres!("o.id > $1 AND o.patient_id = $3 AND o.ward_id = $4"),
    ),
    Sql::each(
        page_sqlite!(
            "o.id > $1 AND o.patient_id = $3 AND +o.ward_id = $4 AND +o.status = 'active'"
        ),
        page_postgres!(
            "o.id > $1 AND o.patient_id = $3 AND o.ward_id = $4 AND o.status = 'active'"
        ),
    ),
    Sql::each(
        page_sqlite!(
            "o.id > $1 AND o.patient_id = $3 AND +o.ward_id = $4 AND +o.status = 'completed'"
        ),
        page_postgres!(
            "o.id > $1 AND o.patient_id = $3 AND o.ward_id = $4 AND o.status = 'completed'"
        ),
    ),
    Sql::each(
        page_sqlite!(
            "o.id > $1 AND o.patient_id = $3 AND +o.ward_id = $4 AND +o.status = 'discontinued'"
        ),
        page_postgres!(
            "o.id > $1 AND o.patient_id = $3 AND o.ward_id = $4 AND o.status = 'discontinued'"
        ),
    ),
];
/// Of a ward. Its active orders are found in the index of its queue, and put in the order of their keys: they are few,
/// and walking through the ward's orders by key would pass everything that was ever given there.
pub(super) const ORDERS_OF_WARD: ByStatus = [
    page_sql!("o.id > $1 AND o.ward_id = $3"),
    Sql::each(
        // First the page, then what belongs to its rows: sorted with all that belongs to them, 300 rows took twice as long.
        orders_sql!(
            "(SELECT * FROM medication_orders WHERE +id > $1 AND ward_id = $3 AND status = 'active' \
              ORDER BY +id LIMIT $2)",
            "true",
            "o.id"
        ),
        // Keys sort in bytes as they do, and no index knows it.
        orders_sql!(
            "(SELECT * FROM medication_orders WHERE id > $1 AND ward_id = $3 AND status = 'active' \
              ORDER BY uuid_send(id) LIMIT $2)",
            "true",
            "o.id"
        ),
    ),
    Sql::each(
        page_sqlite!("o.id > $1 AND o.ward_id = $3 AND +o.status = 'completed'"),
        page_postgres!("o.id > $1 AND o.ward_id = $3 AND o.status = 'completed'"),
    ),
    page_sql!("o.id > $1 AND o.ward_id = $3 AND o.status = 'discontinued'"),
];
/// Of the whole hospital.
pub(super) const ORDERS: ByStatus = [
    page_sql!("o.id > $1"),
    page_sql!("o.id > $1 AND o.status = 'active'"),
    page_sql!("o.id > $1 AND o.status = 'completed'"),
    page_sql!("o.id > $1 AND o.status = 'discontinued'"),
];
/// One order.
pub(super) const ORDER: &str = concat!(
    orders_sql!("medication_orders", "o.id = $1", "o.id"),
    " LIMIT $2"
);

/// Orders, by key. The narrowest filter leads an index; the others are looked at row by row.
///
/// # Errors
/// [`StoreError`].
pub async fn orders(
    mut link: Link<'_>,
    filter: &OrderFilter,
    limit: i64,
) -> Result<Vec<OrderLine>, StoreError> {
    let mut after = filter.after.unwrap_or(Uuid::nil());
    let mut lines = Vec::new();
    let mut left = limit;
    while left > 0 {
        let wanted = left.min(AT_ONCE);
        let found = some_orders(link.lend(), filter, after, wanted).await?;
        left = if (found.len() as i64) < wanted {
            0
        } else {
            left - wanted
        };
        after = found.last().map_or(after, |line| line.id.0);
        lines.extend(found);
    }
    Ok(lines)
}

async fn some_orders(
    link: Link<'_>,
    filter: &OrderFilter,
    after: Uuid,
    limit: i64,
) -> Result<Vec<OrderLine>, StoreError> {
    let by_status = |texts: &ByStatus| match filter.status {
        None => texts[0],
        Some(OrderStatus::Active) => texts[1],
        Some(OrderStatus::Completed) => texts[2],
        Some(OrderStatus::Discontinued) => texts[3],
    };
    match (filter.patient, filter.ward) {
        (Some(patient), Some(ward)) => {
            let sql = by_status(&ORDERS_OF_BOTH);
            fetch!(all, link, OrderLine, sql, after, limit, patient, ward)
        }
        (Some(patient), None) => {
            let sql = by_status(&ORDERS_OF_PATIENT);
            fetch!(all, link, OrderLine, sql, after, limit, patient)
        }
        (None, Some(ward)) => {
            let sql = by_status(&ORDERS_OF_WARD);
            fetch!(all, link, OrderLine, sql, after, limit, ward)
        }
        (None, None) => fetch!(all, link, OrderLine, by_status(&ORDERS), after, limit),
    }
}

/// One order by key.
///
/// # Errors
/// [`StoreError`].
pub async fn order(link: Link<'_>, id: OrderId) -> Result<Option<OrderLine>, StoreError> {
    fetch!(optional, link, OrderLine, ORDER, id, 1_i64)
}

/// One drug in one ward.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct StockLine {
    /// Key of the ward: with the drug's, where a page ends.
    #[serde(skip)]
    pub ward_id: WardId,
    /// Code of the ward.
    pub ward: String,
    /// Code of the drug.
    pub code: String,
    /// What.
    pub drug: String,
    /// How strong.
    pub strength: String,
    /// How much there is.
    pub current_stock: Quantity,
    /// Low at or below this.
    pub low_stock_threshold: Quantity,
    /// Stock unit.
    pub unit: String,
    /// Zone of the ward's clocks.
    #[serde(skip)]
    pub time_zone: String,
    /// When the first of the lots that lie there expires.
    #[serde(skip)]
    pub expires_on: Option<Day>,
}

/// The lots of one drug are read by their key: SQLite would go through those of the whole ward by expiry until it meets one
/// of the drug, if the plus did not hide that index.
macro_rules! stock_sql {
    ($filter:literal) => {
        concat!(
            "SELECT s.ward_id, w.code AS ward, d.code, d.name AS drug, d.strength, s.current_stock, s.low_stock_threshold, ",
            "d.unit, w.time_zone, (SELECT min(x.expires_on) FROM stock_lots x WHERE x.ward_id = s.ward_id ",
            "AND x.drug_id = s.drug_id AND +x.quantity > 0) AS expires_on FROM drug_stock s JOIN wards w ON w.id = s.ward_id JOIN drugs d ON d.id = s.drug_id WHERE ",
            $filter,
            " ORDER BY s.ward_id, s.drug_id LIMIT $3"
        )
    };
}

/// Where a page of stock goes on: after this ward and drug.
pub type StockKey = (WardId, DrugId);

/// The stock of every ward.
pub(super) const STOCK: &str = stock_sql!("(s.ward_id, s.drug_id) > ($1, $2)");
/// What is low in any ward.
pub(super) const STOCK_LOW: &str =
    stock_sql!("(s.ward_id, s.drug_id) > ($1, $2) AND s.current_stock <= s.low_stock_threshold");
/// The stock of a ward.
pub(super) const STOCK_OF_WARD: &str =
    stock_sql!("s.ward_id = $4 AND (s.ward_id, s.drug_id) > ($1, $2)");
/// What is low in a ward.
pub(super) const STOCK_LOW_IN_WARD: &str = stock_sql!(
    "s.ward_id = $4 AND (s.ward_id, s.drug_id) > ($1, $2) AND s.current_stock <= s.low_stock_threshold"
);

/// Stock, by ward and drug; of one ward, or of all; all of it, or only what is low.
///
/// # Errors
/// [`StoreError`].
pub async fn stock(
    link: Link<'_>,
    ward: Option<WardId>,
    low: bool,
    after: Option<StockKey>,
    limit: i64,
) -> Result<Vec<StockLine>, StoreError> {
    let (first, second) = after.unwrap_or((WardId(i64::MIN), DrugId(i64::MIN)));
    match ward {
        Some(ward) => {
            let sql = if low {
                STOCK_LOW_IN_WARD
            } else {
                STOCK_OF_WARD
            };
            fetch!(all, link, StockLine, sql, first, second, limit, ward)
        }
        None => {
            let sql = if low { STOCK_LOW } else { STOCK };
            fetch!(all, link, StockLine, sql, first, second, limit)
        }
    }
}

/// One line of the administration log.
#[derive(Debug, Clone, FromRow)]
pub struct LogLine {
    /// Key.
    pub id: Uuid,
    /// When it was given.
    pub administration_time: At,
    /// When it was entered.
    pub recorded_at: At,
    /// Code of the ward.
    pub ward: String,
    /// Zone of its clocks.
    pub time_zone: String,
    /// Patient's number.
    pub mrn: String,
    /// Patient's name.
    pub patient: String,
    /// What.
    pub drug: String,
    /// How strong.
    pub strength: String,
    /// How much.
    pub quantity: Quantity,
    /// Stock unit.
    pub unit: String,
    /// Given, held …
    pub outcome: GivingOutcome,
    /// Who recorded it.
    pub nurse: String,
    /// Who saw it.
    pub witness: Option<String>,
    /// Why it was not given, or taken back; else empty.
    pub reason: String,
    /// The entry that it takes back.
    pub reverses: Option<Uuid>,
}

macro_rules! log_sql {
    ($filter:literal) => {
        concat!(
            "SELECT a.id, a.administration_time, a.recorded_at, w.code AS ward, w.time_zone, p.mrn, p.name AS patient, ",
            "d.name AS drug, d.strength, a.quantity, d.unit, a.outcome, u.username AS nurse, ",
            "v.username AS witness, a.reason, a.reverses ",
            "FROM medication_administrations a JOIN wards w ON w.id = a.ward_id JOIN patients p ON p.id = a.patient_id ",
            "JOIN drugs d ON d.id = a.drug_id JOIN users u ON u.id = a.nurse_id ",
            "LEFT JOIN users v ON v.id = a.witness_id WHERE ",
            $filter,
            " AND (a.administration_time, a.id) < ($1, $2) ORDER BY a.administration_time DESC, a.id DESC"
        )
    };
}

/// A page of the log, in the words of each engine.
macro_rules! log_page_sql {
    ($sqlite:literal, $postgres:literal) => {
        Sql::each(
            concat!(log_sql!($sqlite), " LIMIT $3"),
            short!(
                log_sql!($postgres),
                "administration_time DESC, id DESC",
                "$3"
            ),
        )
    };
}

/// The log of the whole hospital.
pub(super) const LOG: Sql = log_page_sql!("true", "true");
/// Of a ward.
pub(super) const LOG_OF_WARD: Sql = log_page_sql!("a.ward_id = $4", "a.ward_id = $4");
/// Of a patient.
pub(super) const LOG_OF_PATIENT: Sql = log_page_sql!("a.patient_id = $4", "a.patient_id = $4");
/// Of a patient, in one ward. On SQLite, the log of the ward would be read from its end until the patient has filled a
/// page.
pub(super) const LOG_OF_BOTH: Sql = log_page_sql!(
    "a.patient_id = $4 AND +a.ward_id = $5",
    "a.patient_id = $4 AND a.ward_id = $5"
);

/// Administrations, newest first, older than the one that the last page ended with.
///
/// # Errors
/// [`StoreError`].
pub async fn log(
    mut link: Link<'_>,
    ward: Option<WardId>,
    patient: Option<PatientId>,
    mut before: (At, Uuid),
    limit: i64,
) -> Result<Vec<LogLine>, StoreError> {
    let mut lines = Vec::new();
    let mut left = limit;
    while left > 0 {
        let wanted = left.min(AT_ONCE);
        let found = some_of_log(link.lend(), ward, patient, before, wanted).await?;
        left = if (found.len() as i64) < wanted {
            0
        } else {
            left - wanted
        };
        before = found
            .last()
            .map_or(before, |line| (line.administration_time, line.id));
        lines.extend(found);
    }
    Ok(lines)
}

async fn some_of_log(
    link: Link<'_>,
    ward: Option<WardId>,
    patient: Option<PatientId>,
    (time, id): (At, Uuid),
    limit: i64,
) -> Result<Vec<LogLine>, StoreError> {
    match (patient, ward) {
        (Some(patient), Some(ward)) => {
            let sql = LOG_OF_BOTH;
            fetch!(all, link, LogLine, sql, time, id, limit, patient, ward)
        }
        (Some(patient), None) => {
            fetch!(all, link, LogLine, LOG_OF_PATIENT, time, id, limit, patient)
        }
        (None, Some(ward)) => fetch!(all, link, LogLine, LOG_OF_WARD, time, id, limit, ward),
        (None, None) => fetch!(all, link, LogLine, LOG, time, id, limit),
    }
}

/// When an administration was.
pub(super) const TIME_OF: &str =
    "SELECT administration_time FROM medication_administrations WHERE id = $1";
/// A drug by its code.
pub(super) const DRUG_BY_CODE: &str = "SELECT id FROM drugs WHERE code = $1";

/// When an administration was, for a page that goes on after it.
///
/// # Errors
/// [`StoreError`].
pub async fn time_of(link: Link<'_>, administration: Uuid) -> Result<Option<At>, StoreError> {
    Ok(fetch!(optional, link, (At,), TIME_OF, administration)?.map(|(at,)| at))
}

/// The key of a drug by its formulary code.
///
/// # Errors
/// [`StoreError`].
pub async fn drug_by_code(link: Link<'_>, code: &str) -> Result<Option<DrugId>, StoreError> {
    Ok(fetch!(optional, link, (DrugId,), DRUG_BY_CODE, code)?.map(|(id,)| id))
}

/// An as-needed dose of which it is not known yet whether it helped.
#[derive(Debug, Clone, FromRow)]
pub struct EffectLine {
    /// Key of the dose.
    pub id: AdministrationId,
    /// When it was given.
    pub administration_time: At,
    /// When it is asked.
    pub due_at: At,
    /// Code of the ward.
    pub ward: String,
    /// Zone of its clocks.
    pub time_zone: String,
    /// Where the patient lies.
    pub bed: String,
    /// Patient's number.
    pub mrn: String,
    /// Patient's name.
    pub patient: String,
    /// What.
    pub drug: String,
    /// How strong.
    pub strength: String,
    /// How much.
    pub quantity: Quantity,
    /// Stock unit.
    pub unit: String,
    /// What it was for: the code.
    pub indication: String,
    /// … and the text beside it.
    pub indication_text: String,
    /// Who gave it.
    pub nurse: String,
}

impl From<EffectLine> for AskedDose {
    fn from(line: EffectLine) -> AskedDose {
        let strength = Some(line.strength.as_str()).filter(|strength| !strength.is_empty());
        AskedDose {
            id: line.id,
            given_at: line.administration_time.0,
            bed: line.bed,
            mrn: line.mrn,
            patient: line.patient,
            drug: strength.map_or_else(
                || line.drug.clone(),
                |strength| format!("{} {strength}", line.drug),
            ),
            quantity: line.quantity,
            unit: line.unit,
            indication: Reason {
                code: line.indication,
                text: line.indication_text,
            },
            by: line.nurse,
        }
    }
}

/// Those of a ward that are asked by a moment, in the order in which they are asked, but for doses that were taken back.
pub(super) const EFFECTS: &str = "SELECT a.id, a.administration_time, e.due_at, w.code AS ward, w.time_zone, p.bed, p.mrn, \
    p.name AS patient, d.name AS drug, d.strength, a.quantity, d.unit, COALESCE(i.code, '') AS indication, \
    COALESCE(i.text, '') AS indication_text, u.name AS nurse FROM prn_effects e \
    JOIN medication_administrations a ON a.id = e.administration_id JOIN wards w ON w.id = e.ward_id \
    JOIN patients p ON p.id = a.patient_id JOIN drugs d ON d.id = a.drug_id JOIN users u ON u.id = a.nurse_id \
    LEFT JOIN administration_reasons i ON i.administration_id = a.id AND i.kind = 'indication' \
    WHERE e.ward_id = $1 AND e.code IS NULL AND e.due_at <= $2 \
    AND NOT EXISTS (SELECT 1 FROM medication_administrations r WHERE r.reverses = a.id) \
    ORDER BY e.due_at, e.administration_id LIMIT $3";

/// The as-needed doses of a ward of which it is asked by `until` whether they helped.
///
/// # Errors
/// [`StoreError`].
pub async fn effects(
    link: Link<'_>,
    ward: WardId,
    until: At,
    limit: i64,
) -> Result<Vec<EffectLine>, StoreError> {
    fetch!(all, link, EffectLine, EFFECTS, ward, until, limit)
}
