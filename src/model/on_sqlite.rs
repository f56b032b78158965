//! The same operations through the real desk on SQLite: one at a time, and many at once. In which order they were done is
//! read from the desk's own memory of them.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Row as _};
use tempfile::TempDir;
use uuid::Uuid;

use super::hospital::{self, Account};
use super::picture::Picture;
use super::rules::{Fresh, Model};
use super::wishes::Wishes;
use super::{LOOK, Memory, Tally, agree, alike, policy, set};
use crate::desk::{Desk, Settings};
use crate::domain::text::name_key;
use crate::domain::{OpId, Operation, OrderId, Outcome, PrescriptionId};
use crate::store::{Conn, Db, Options, migrate};

/// Operations through the desk, in all, in each way of asking.
const OPERATIONS: usize = 6_000;

const IN_ONE_HOSPITAL: usize = 1_000;

/// A hospital's file, with a desk over it.
pub(super) struct Real {
    pub db: Db,
    desk: Desk,
    clock: Arc<Mutex<Timestamp>>,
    /// How far the memory and the orders were read.
    read: (i64, i64),
    _dir: TempDir,
}

async fn run(db: &Db, sql: String) {
    let Conn::Sqlite(mut conn) = db.writer().await.unwrap() else {
        panic!("not SQLite")
    };
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut *conn)
        .await
        .unwrap();
}

fn furniture() -> String {
    let mut sql = String::new();
    let mut add = |row: String| sql += &row;
    for (id, code, name, has_beds, zone) in hospital::WARDS {
        let kind = if has_beds { "ward" } else { "pharmacy" };
        add(format!(
            "INSERT INTO wards (id, code, name, kind, time_zone) VALUES ({id}, '{code}', '{name}', '{kind}', '{zone}');"
        ));
    }
    for (id, name, role, wards, account) in hospital::PEOPLE {
        let (disabled, read_only) = (account == Account::Disabled, account == Account::ReadOnly);
        add(format!(
            "INSERT INTO users (id, username, name, role, every_ward, disabled, failures, created_at, read_only) \
             VALUES ({id}, '{}', '{name}', '{role}', {}, {disabled}, 0, 0, {read_only});",
            name.to_lowercase(),
            wards.is_empty()
        ));
        for ward in wards {
            add(format!(
                "INSERT INTO user_wards (user_id, ward_id) VALUES ({id}, {ward});"
            ));
        }
    }
    for (id, name, strength, unit, controlled, high_alert) in hospital::DRUGS {
        add(format!(
            "INSERT INTO drugs (id, code, name, name_key, form, strength, unit, controlled, high_alert) VALUES \
             ({id}, 'D{id}', '{name}', '{}', 'form', '{strength}', '{unit}', {controlled}, {high_alert});",
            name_key(name)
        ));
    }
    for (n, (mrn, name, ward, allergies)) in hospital::PATIENTS.iter().enumerate() {
        add(format!(
            "INSERT INTO patients (id, mrn, name, name_key, birth_date, ward_id, bed, allergies) VALUES \
             (x'{}', '{mrn}', '{name}', '{}', '{}', {ward}, '1', '{allergies}');",
            hospital::patient(n).0.simple(),
            name_key(name),
            hospital::BORN
        ));
    }
    sql
}

/// Everything on record as lines, in the words of the picture.
const PICTURE: &str = "
SELECT 'stock ' || s.ward_id || ' ' || s.drug_id || ' ' || s.current_stock || ' rows ' || s.ledger_seq || ' low '
  || s.low_stock_threshold || ' par ' || coalesce(v.par, 0) || ' shelf ' || coalesce(v.shelf, '')
  FROM drug_stock s LEFT JOIN stock_levels v ON v.ward_id = s.ward_id AND v.drug_id = s.drug_id
UNION ALL SELECT 'row ' || ward_id || ' ' || drug_id || ' ' || seq || ' ' || delta || ' ' || balance || ' ' || reason
  || ' ' || coalesce(actor_id, '-') || ' ' || coalesce(witness_id, '-') || ' ' || at || ' ' || lower(hex(op_id))
  FROM stock_ledger
UNION ALL SELECT 'lot ' || ward_id || ' ' || drug_id || ' ' || lot || ' ' || quantity FROM stock_lots WHERE quantity > 0
UNION ALL SELECT 'known ' || drug_id || ' ' || lot || ' ' || coalesce(expires_on, '-') || ' ' || (recalled_at IS NOT NULL)
  FROM lots
UNION ALL SELECT 'order ' || lower(hex(id)) || ' ' || status || ' ' || version || ' ' || ward_id || ' due '
  || coalesce(due_at, '-') || ' held ' || CASE status WHEN 'active' THEN coalesce(held_until, '-') ELSE '-' END
  FROM medication_orders
UNION ALL SELECT 'entry ' || lower(hex(id)) || ' ' || lower(hex(order_id)) || ' ' || order_version || ' ' || ward_id
  || ' ' || nurse_id || ' ' || coalesce(witness_id, '-') || ' ' || administration_time || ' ' || outcome || ' '
  || quantity || ' ' || CASE WHEN reverses IS NULL THEN '-' ELSE lower(hex(reverses)) END FROM medication_administrations
UNION ALL SELECT 'effect ' || lower(hex(administration_id)) || ' ' || coalesce(noted_by, '-') FROM prn_effects
UNION ALL SELECT 'prescription ' || lower(hex(id)) || ' ' || lower(hex(patient_id)) || ' ' || drug_id || ' ' || dose
  || ' ' || coalesce(dose_max, '-') || ' ' || status || ' ' || version FROM prescriptions
UNION ALL SELECT 'patient ' || mrn || ' ' || name || ' ' || ward_id || ' ' || bed || ' ' || version || ' '
  || coalesce(discharged_at, '-') || ' ' || allergies FROM patients
UNION ALL SELECT 'transfer ' || lower(hex(id)) || ' ' || source_ward_id || ' ' || destination_ward_id || ' ' || drug_id
  || ' ' || quantity || ' ' || coalesce(received, '-') || ' ' || status FROM drug_transfers
UNION ALL SELECT 'sent ' || lower(hex(transfer_id)) || ' ' || lot || ' ' || sent || ' ' || coalesce(received, '-')
  FROM transfer_lots
UNION ALL SELECT 'difference ' || lower(hex(id)) || ' ' || ward_id || ' ' || drug_id || ' ' || quantity || ' ' || status
  || ' ' || coalesce(resolution, '-') FROM discrepancies
UNION ALL SELECT 'count ' || lower(hex(id)) || ' ' || ward_id || ' ' || drug_id || ' ' || counted || ' ' || expected
  || ' ' || status || ' ' || coalesce(witness_id, '-') FROM stock_counts
UNION ALL SELECT 'code ' || code || ' ' || drug_id FROM drug_codes WHERE system = 'gtin'
UNION ALL SELECT 'access ' || lower(hex(id)) || ' ' || user_id || ' ' || ward_id || ' ' || until_at
  FROM emergency_accesses";

impl Real {
    pub async fn open(seed: u64) -> Real {
        let dir = TempDir::new().unwrap();
        let url = format!("sqlite://{}", dir.path().join("ward.db").display());
        let db = Db::open(&url, &Options::default(), true).await.unwrap();
        migrate::migrate(&db, |_, _| {}).await.unwrap();
        run(&db, furniture()).await;
        let clock = Arc::new(Mutex::new(hospital::morning()));
        let settings = Settings {
            policy: Arc::new(policy(seed)),
            ..Settings::default()
        };
        let shown = clock.clone();
        let reader = Arc::new(move || *shown.lock().unwrap());
        let desk = Desk::open(db.clone(), settings, reader, Arc::new(|_: &_| {}));
        Real {
            db,
            desk,
            clock,
            read: (0, 0),
            _dir: dir,
        }
    }

    /// Spoils the file, so that what the desk writes becomes something else.
    pub async fn plant(&self, trigger: &str) {
        run(&self.db, trigger.to_owned()).await;
    }

    /// The operations that were done since this was last asked, in the order in which they were done.
    async fn done(&mut self) -> Vec<(OpId, Outcome)> {
        let Conn::Sqlite(mut conn) = self.db.reader().await.unwrap() else {
            panic!("not SQLite")
        };
        let sql = "SELECT rowid, op_id, outcome FROM operations WHERE rowid > $1 ORDER BY rowid";
        let rows = sqlx::query(sql)
            .bind(self.read.0)
            .fetch_all(&mut *conn)
            .await
            .unwrap();
        let done = rows.into_iter().map(|row| {
            self.read.0 = row.get(0);
            let outcome: String = row.get(2);
            (OpId(row.get(1)), serde_json::from_str(&outcome).unwrap())
        });
        done.collect()
    }

    /// The orders that are new since this was last asked.
    async fn fresh(&mut self) -> Vec<Fresh> {
        let Conn::Sqlite(mut conn) = self.db.reader().await.unwrap() else {
            panic!("not SQLite")
        };
        let sql = "SELECT rowid, id, prescription_id, due_at FROM medication_orders WHERE rowid > $1 ORDER BY rowid";
        let rows = sqlx::query(sql)
            .bind(self.read.1)
            .fetch_all(&mut *conn)
            .await
            .unwrap();
        let fresh = rows.into_iter().map(|row| {
            self.read.1 = row.get(0);
            let (id, prescription): (Uuid, Uuid) = (row.get(1), row.get(2));
            let due = row
                .get::<Option<i64>, _>(3)
                .map(|at| Timestamp::from_microsecond(at).unwrap());
            Fresh {
                id: OrderId(id),
                prescription: PrescriptionId(prescription),
                due,
            }
        });
        fresh.collect()
    }

    async fn picture(&self) -> Picture {
        let Conn::Sqlite(mut conn) = self.db.reader().await.unwrap() else {
            panic!("not SQLite")
        };
        let rows = sqlx::query_as::<_, (String,)>(PICTURE)
            .fetch_all(&mut *conn)
            .await
            .unwrap();
        Picture::of(rows.into_iter().map(|(line,)| line).collect())
    }

    /// Everybody asks, each in a task of their own; what each was answered, in the order of the asking.
    async fn ask(&self, ops: &[Operation]) -> Vec<Outcome> {
        let asked: Vec<_> = ops
            .iter()
            .map(|op| {
                let (desk, op) = (self.desk.clone(), op.clone());
                tokio::spawn(async move { desk.submit(op, None).outcome().await })
            })
            .collect();
        let mut outcomes = Vec::with_capacity(asked.len());
        for task in asked {
            outcomes.push(task.await.unwrap());
        }
        outcomes
    }
}

/// One hospital, and so many operations through its desk, up to `at_once` of them at the same moment.
pub(super) async fn through_the_desk(
    mut real: Real,
    seed: u64,
    operations: usize,
    at_once: usize,
) -> Result<Tally, String> {
    let mut now = hospital::morning();
    let mut wishes = Wishes::new(seed, now);
    let mut model = Model::new(policy(seed));
    let mut memory = Memory::default();
    let mut before: Vec<Operation> = Vec::new();
    let mut tally = Tally::default();
    let (mut asked, mut batches) = (0, 0);
    let told_where = |told: String| format!("seed {seed}, {at_once} at once: {told}");
    while asked < operations {
        now += wishes.pause();
        *real.clock.lock().unwrap() = now;
        let mut ops = wishes.some(&model, now, at_once);
        again(&mut ops, &before, &mut wishes);
        let answers = real.ask(&ops).await;
        model.fresh.extend(real.fresh().await);
        for (id, outcome) in real.done().await {
            let Some(op) = ops
                .iter()
                .find(|op| op.id == id && memory.answer(op).is_none())
            else {
                return Err(told_where(format!(
                    "operation {id} was done, and nobody asks for it now"
                )));
            };
            tally.note(op, &outcome);
            agree(&mut model, op, now, &outcome).map_err(told_where)?;
            memory.0.insert(id, (op.clone(), outcome));
        }
        for (op, answer) in ops.iter().zip(answers) {
            let expected = memory.answer(op);
            if expected.as_ref() != Some(&answer) {
                return Err(told_where(format!(
                    "{op:?}\n was answered {answer:?}\n and not {expected:?}"
                )));
            }
        }
        asked += ops.len();
        batches += 1;
        before.extend(ops);
        if batches % LOOK == 0 || asked >= operations {
            alike(&model, &real.picture().await).map_err(told_where)?;
        }
    }
    let report = crate::verify::verify(&real.db).await.unwrap();
    assert!(real.desk.close(std::time::Duration::from_secs(60)).await);
    if let Some(broken) = report.rules.iter().find(|rule| rule.broken_by.is_some()) {
        return Err(told_where(format!("{broken:?}")));
    }
    Ok(tally)
}

/// Now and then somebody sends what they sent before, the same or, by mistake, something else under its id.
fn again(ops: &mut Vec<Operation>, before: &[Operation], wishes: &mut Wishes) {
    if before.is_empty() {
        return;
    }
    let last = &before[before.len() - 1];
    if wishes.chance(6) {
        ops.push(last.clone());
    }
    if wishes.chance(6) {
        // Twice at the same moment.
        ops.push(ops[0].clone());
    }
    if wishes.chance(3) && ops[0].id != last.id {
        let mut other = ops[0].clone();
        other.id = last.id;
        ops.push(other);
    }
}

fn many(at_once: usize) {
    let first = set("VALMED_MODEL_SEED", 1);
    let hospitals = set("VALMED_MODEL_OPERATIONS", OPERATIONS).div_ceil(IN_ONE_HOSPITAL);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let mut all = Tally::default();
    for seed in first..first + hospitals {
        let seed = seed as u64;
        let tally = runtime.block_on(async {
            through_the_desk(Real::open(seed).await, seed, IN_ONE_HOSPITAL, at_once).await
        });
        all.add(tally.unwrap_or_else(|told| panic!("{told}")));
    }
    assert!(
        all.done() * 3 > all.0.values().sum(),
        "too little is done: {all:#?}"
    );
}

#[test]
fn the_desk_on_sqlite_does_one_after_the_other_as_the_model_says() {
    many(1);
}

#[test]
fn the_desk_on_sqlite_does_many_at_once_as_the_model_says() {
    many(24);
}
