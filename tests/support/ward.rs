//! A hospital small enough to know by heart: two wards and a pharmacy, a person of every role in each ward, four
//! patients, four drugs, and doses as the story needs them.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use valmed::desk::{Desk, OnCommit, Settings};
use valmed::domain::prescribing::Prescribe;
use valmed::domain::schedule::{self, StandardTimes};
use valmed::domain::{
    AdministrationId, DrugId, Giving, OpId, Operation, OrderId, OrderKind, OrderStatus, Outcome,
    PatientId, Policy, PrescriptionId, Quantity, Reason, Receipt, Refusal, Request, Role, UserId,
    WardId,
};
use valmed::store::{At, Db};

use super::place::Place;
use super::{check, soon};
use crate::{change, rows, value};

/// Medicine, Berlin time.
pub const MEDI: WardId = WardId(1);
/// Surgery, Berlin time.
pub const SURG: WardId = WardId(2);
/// The pharmacy.
pub const PHAR: WardId = WardId(3);

/// Counted in tablets, stocked in both wards.
pub const PARACETAMOL: DrugId = DrugId(1);
/// Counted in millilitres, stocked in both wards.
pub const MORPHINE: DrugId = DrugId(2);
/// Counted in units, stocked in both wards.
pub const INSULIN: DrugId = DrugId(3);
/// In the formulary, in no cupboard.
pub const COLCHICINE: DrugId = DrugId(4);

/// "Nora Nurse".
pub const NURSE: UserId = UserId(11);
/// "Nils Nurse", in the same ward.
pub const SECOND_NURSE: UserId = UserId(12);
/// "Paul Pool", in every ward.
pub const POOL_NURSE: UserId = UserId(13);
/// "Olaf Old", whose account is disabled.
pub const DISABLED_NURSE: UserId = UserId(14);
/// "Petra Pharmacist", in every ward.
pub const PHARMACIST: UserId = UserId(15);
/// "Dora Doctor", in Medicine.
pub const DOCTOR: UserId = UserId(16);

/// A person of this role who works in this ward only.
pub fn person(role: Role, ward: WardId) -> UserId {
    let role = Role::ALL.iter().position(|r| *r == role).unwrap();
    UserId(100 * ward.0 + i64::try_from(role).unwrap())
}

/// The patients: number, name, ward.
pub const PATIENTS: [(&str, &str, WardId); 4] = [
    ("M1001", "Anna Adler", MEDI),
    ("M1002", "Bruno Baum", MEDI),
    ("M2001", "Clara Clausen", SURG),
    ("M2002", "David Dorn", SURG),
];

/// The key of a patient.
pub fn patient(n: usize) -> PatientId {
    PatientId(Uuid::from_u128(0x1000 + n as u128))
}

/// So many thousandths.
pub const fn milli(n: i64) -> Quantity {
    Quantity(n)
}

/// So many whole units.
pub const fn units(n: i64) -> Quantity {
    Quantity::units(n)
}

/// A prescription to be written down, with its open order.
#[derive(Debug, Clone)]
pub struct Rx {
    /// For whom: an index into [`PATIENTS`].
    pub patient: usize,
    /// What.
    pub drug: DrugId,
    /// How much.
    pub dose: Quantity,
    /// The most of a range.
    pub most: Option<Quantity>,
    /// `None`: one timed dose, due now. Otherwise the schedule as it is kept.
    pub schedule: Option<&'static str>,
    /// When it ends, counted from now.
    pub ends_in: Option<SignedDuration>,
}

impl Rx {
    /// One dose of one unit, due now.
    pub fn timed(drug: DrugId) -> Rx {
        Rx {
            patient: 0,
            drug,
            dose: units(1),
            most: None,
            schedule: None,
            ends_in: None,
        }
    }

    /// As needed, one unit, with these limits: `min 60m max/24h 4 total 10`.
    pub fn as_needed(drug: DrugId, schedule: &'static str) -> Rx {
        Rx {
            schedule: Some(schedule),
            ..Rx::timed(drug)
        }
    }
}

/// A story's hospital.
pub struct Ward {
    /// Its database.
    pub place: Place,
    /// A pool of the story's own, for looking and for spoiling.
    pub db: Db,
    /// The desk, over a pool of its own.
    pub desk: Desk,
}

/// A desk whose rules ask for nothing beyond what every dose needs: for stories about something else.
pub fn easy() -> Settings {
    Settings {
        policy: Arc::new(Policy::easy()),
        ..Settings::default()
    }
}

/// A desk with the rules of a hospital that has set nothing.
pub fn strict() -> Settings {
    Settings::default()
}

/// Nobody is told.
pub fn nobody() -> OnCommit {
    Arc::new(|_: &BTreeSet<WardId>| {})
}

impl Ward {
    /// A hospital with empty cupboards.
    pub async fn open(place: Place) -> Ward {
        Ward::open_with(place, easy()).await
    }

    /// The same, with these limits of the desk.
    pub async fn open_with(place: Place, settings: Settings) -> Ward {
        let db = place.open().await;
        furnish(&db, &place).await;
        let desk = Desk::open(place.open().await, settings, place.clock.reader(), nobody());
        Ward { place, db, desk }
    }

    /// Another desk on the same database, as another process would have.
    pub async fn another_desk(&self) -> Desk {
        self.desk_over(self.place.open().await, easy())
    }

    /// A desk over this pool.
    pub fn desk_over(&self, db: Db, settings: Settings) -> Desk {
        Desk::open(db, settings, self.place.clock.reader(), nobody())
    }

    /// The time in the story.
    pub fn now(&self) -> Timestamp {
        self.place.clock.now()
    }

    /// Brings stock into a ward, the way that stock comes in.
    pub async fn receive(&self, ward: WardId, drug: DrugId, quantity: Quantity) {
        let outcome = self.ask(receive(PHARMACIST, ward, drug, quantity)).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }

    /// Writes a prescription down, with its open order.
    pub async fn order(&self, rx: &Rx) -> OrderId {
        self.prescribe(rx).await.1
    }

    /// As many orders as that.
    pub async fn orders(&self, n: usize, rx: &Rx) -> Vec<OrderId> {
        let mut orders = Vec::with_capacity(n);
        for _ in 0..n {
            orders.push(self.order(rx).await);
        }
        orders
    }

    /// Writes a prescription down; gives it with its open order.
    pub async fn prescribe(&self, rx: &Rx) -> (PrescriptionId, OrderId) {
        let prescription = self.write_prescription(rx, self.now()).await;
        let order = OrderId(Uuid::now_v7());
        let now = At(self.now());
        let kind = match rx.schedule {
            None => OrderKind::Timed,
            Some("unscheduled") => OrderKind::Unscheduled,
            Some(_) => OrderKind::Prn,
        };
        change!(
            self.db,
            "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, \
             due_at, kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'routine', 'active', $10, $11, 1, $11, NULL, \
             'made from the prescription')",
            order,
            patient(rx.patient),
            PATIENTS[rx.patient].2,
            rx.drug,
            prescription,
            rx.dose,
            rx.most,
            rx.schedule.is_none().then_some(now),
            kind,
            DOCTOR,
            now
        );
        (prescription, order)
    }

    /// Writes a prescription down without an order, starting then.
    pub async fn write_prescription(&self, rx: &Rx, start: Timestamp) -> PrescriptionId {
        let id = PrescriptionId(Uuid::now_v7());
        let schedule = rx.schedule.unwrap_or("once");
        change!(
            self.db,
            "INSERT INTO prescriptions (id, external_id, patient_id, ward_id, drug_id, dose, dose_max, dose_text, route, \
             frequency, schedule, prn, start_at, stop_at, priority, prescriber_id, status, made_until, created_at) \
             VALUES ($1, NULL, $2, $3, $4, $5, $6, '', 'PO', $7, $7, $8, $9, $10, 'routine', $11, 'active', $9, $9)",
            id,
            patient(rx.patient),
            PATIENTS[rx.patient].2,
            rx.drug,
            rx.dose,
            rx.most,
            schedule,
            schedule.starts_with("prn"),
            At(start),
            rx.ends_in.map(|span| At(start + span)),
            DOCTOR
        );
        id
    }

    /// Asks the desk, and waits.
    pub async fn ask(&self, operation: Operation) -> Outcome {
        ask(&self.desk, operation).await
    }

    /// Asks the desk for what must be done.
    pub async fn done(&self, operation: Operation) -> Receipt {
        match self.ask(operation).await {
            Outcome::Done(receipt) => receipt,
            other => panic!("not done: {other:?}"),
        }
    }

    /// Asks the desk for what must be refused.
    pub async fn refused(&self, operation: Operation) -> Refusal {
        let op = operation.id;
        let refusal = refusal(self.ask(operation).await);
        if !refusal.is_passing() && !matches!(refusal, Refusal::DuplicateOperation { .. }) {
            assert_eq!(
                self.audit_rows(op).await,
                1,
                "a refusal leaves an audit row"
            );
        }
        refusal
    }

    /// What a ward holds.
    pub async fn stock(&self, ward: WardId, drug: DrugId) -> Quantity {
        value!(
            self.db,
            Quantity,
            "SELECT current_stock FROM drug_stock WHERE ward_id = $1 AND drug_id = $2",
            ward,
            drug
        )
    }

    /// Where an order stands.
    pub async fn status(&self, order: OrderId) -> OrderStatus {
        value!(
            self.db,
            OrderStatus,
            "SELECT status FROM medication_orders WHERE id = $1",
            order
        )
    }

    /// The open orders of a prescription.
    pub async fn open_orders(&self, prescription: PrescriptionId) -> Vec<OrderId> {
        rows!(
            self.db,
            (OrderId,),
            "SELECT id FROM medication_orders WHERE prescription_id = $1 AND status = 'active' ORDER BY due_at, id",
            prescription
        )
        .into_iter()
        .map(|(id,)| id)
        .collect()
    }

    /// The version of a patient's record.
    pub async fn chart_version(&self, patient: PatientId) -> i64 {
        value!(
            self.db,
            i64,
            "SELECT version FROM patients WHERE id = $1",
            patient
        )
    }

    /// Somebody who lies in a ward, with one running prescription and its open dose.
    pub async fn somebody_in(&self, at: WardId) -> (PatientId, PrescriptionId) {
        let patient = PatientId(Uuid::now_v7());
        change!(
            self.db,
            "INSERT INTO patients (id, mrn, name, name_key, birth_date, ward_id, bed, allergies) \
             VALUES ($1, $2, 'Emil Engel', 'emil engel', $3, $4, '7', '')",
            patient,
            patient.to_string(),
            valmed::store::Day(jiff::civil::date(1950, 1, 31)),
            at
        );
        let doctor = person(Role::Doctor, at);
        let ask = prescribe(patient, 1, INSULIN, "08:00 20:00");
        let asked = operation(doctor, Request::Prescribe(Box::new(ask)));
        match self.done(asked).await {
            Receipt::Prescribed { prescription, .. } => (patient, prescription),
            other => panic!("{other:?}"),
        }
    }

    /// How often an order was given.
    pub async fn given(&self, order: OrderId) -> i64 {
        value!(
            self.db,
            i64,
            "SELECT count(*) FROM medication_administrations WHERE order_id = $1 AND outcome = 'given'",
            order
        )
    }

    /// Whether the desk remembers an operation.
    pub async fn remembers(&self, op: OpId) -> bool {
        value!(
            self.db,
            i64,
            "SELECT count(*) FROM operations WHERE op_id = $1",
            op
        ) == 1
    }

    /// How many audit rows tell of an operation.
    pub async fn audit_rows(&self, op: OpId) -> i64 {
        value!(
            self.db,
            i64,
            "SELECT count(*) FROM audit_events WHERE kind = 'refused' AND detail LIKE $1",
            format!("%{op}%")
        )
    }

    /// What is always true, after all this.
    pub async fn rules_hold(&self) {
        check::rules_hold(&self.db).await;
    }

    /// The end of a story: what is always true is true.
    pub async fn end(self) {
        self.rules_hold().await;
        assert!(
            self.desk.close(super::PATIENCE).await,
            "the desk finishes what it took"
        );
        self.db.close().await;
    }
}

/// Asks a desk, and waits.
pub async fn ask(desk: &Desk, operation: Operation) -> Outcome {
    soon(desk.submit(operation, None).outcome()).await
}

/// The refusal in an outcome.
#[track_caller]
pub fn refusal(outcome: Outcome) -> Refusal {
    match outcome {
        Outcome::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// A new operation.
pub fn operation(actor: UserId, request: Request) -> Operation {
    Operation::new(OpId(Uuid::now_v7()), actor, request)
}

/// Nora gives a dose to the first patient.
pub fn give(order: OrderId) -> Operation {
    give_as(NURSE, order)
}

/// Somebody gives a dose to the first patient.
pub fn give_as(actor: UserId, order: OrderId) -> Operation {
    give_to(actor, order, 0)
}

/// Somebody gives a dose to a patient.
pub fn give_to(actor: UserId, order: OrderId, patient: usize) -> Operation {
    let giving = Giving::of(order, 1, PATIENTS[patient].0);
    operation(actor, Request::Fulfil(giving))
}

/// Nora gives that much of a dose.
pub fn give_amount(order: OrderId, amount: Quantity) -> Operation {
    let mut operation = give(order);
    if let Request::Fulfil(Giving { amount: asked, .. }) = &mut operation.request {
        *asked = Some(amount);
    }
    operation
}

/// Signs another version of the order than its first.
pub fn version_of(operation: &mut Operation, seen: i64) {
    if let Request::Fulfil(Giving { version, .. }) = &mut operation.request {
        *version = seen;
    }
}

/// Somebody stops a dose.
pub fn discontinue(actor: UserId, order: OrderId, reason: &str) -> Operation {
    let request = Request::Discontinue {
        order,
        version: 1,
        reason: reason.to_owned(),
    };
    operation(actor, request)
}

/// A prescription of one unit by mouth, that nobody has changed anything about.
pub fn prescribe(patient: PatientId, version: i64, drug: DrugId, when: &str) -> Prescribe {
    let start = jiff::civil::date(2026, 3, 2).at(9, 0, 0, 0);
    let asked = schedule::asked(when, start, &StandardTimes::default()).unwrap();
    Prescribe {
        patient,
        version,
        drug,
        dose: units(1),
        most: None,
        route: "PO".to_owned(),
        frequency: asked.frequency,
        schedule: asked.schedule,
        stat: asked.stat,
        start: None,
        stop: None,
        overrides: Vec::new(),
    }
}

/// A coded reason.
pub fn because(code: &str) -> Reason {
    Reason {
        code: code.to_owned(),
        text: String::new(),
    }
}

/// Somebody takes stock in.
pub fn receive(actor: UserId, ward: WardId, drug: DrugId, quantity: Quantity) -> Operation {
    let request = Request::Receive {
        ward,
        drug,
        quantity,
        reference: "delivery note 17".to_owned(),
        lot: None,
    };
    operation(actor, request)
}

/// What the receipt of a dose says: the record, how much, what is left.
#[track_caller]
pub fn as_given(receipt: &Receipt) -> (AdministrationId, Quantity, Quantity) {
    match receipt {
        Receipt::Given {
            administration,
            quantity,
            left,
            ..
        } => (*administration, *quantity, *left),
        other => panic!("not a dose: {other:?}"),
    }
}

async fn furnish(db: &Db, place: &Place) {
    let wards = [
        (MEDI, "MEDI", "Medicine", "ward"),
        (SURG, "SURG", "Surgery", "ward"),
        (PHAR, "PHAR", "Pharmacy", "pharmacy"),
    ];
    for (id, code, name, kind) in wards {
        change!(
            db,
            "INSERT INTO wards (id, code, name, kind, time_zone) VALUES ($1, $2, $3, $4, 'Europe/Berlin')",
            id,
            code,
            name,
            kind
        );
    }
    let now = At(place.clock.now());
    let mut people: Vec<(UserId, String, String, Role, Option<WardId>, bool)> = vec![
        (
            NURSE,
            "nora".into(),
            "Nora Nurse".into(),
            Role::Nurse,
            Some(MEDI),
            false,
        ),
        (
            SECOND_NURSE,
            "nils".into(),
            "Nils Nurse".into(),
            Role::Nurse,
            Some(MEDI),
            false,
        ),
        (
            POOL_NURSE,
            "paul".into(),
            "Paul Pool".into(),
            Role::Nurse,
            None,
            false,
        ),
        (
            DISABLED_NURSE,
            "olaf".into(),
            "Olaf Old".into(),
            Role::Nurse,
            Some(MEDI),
            true,
        ),
        (
            PHARMACIST,
            "petra".into(),
            "Petra Pharmacist".into(),
            Role::Pharmacist,
            None,
            false,
        ),
        (
            DOCTOR,
            "dora".into(),
            "Dora Doctor".into(),
            Role::Doctor,
            Some(MEDI),
            false,
        ),
    ];
    for ward in [MEDI, SURG] {
        for role in Role::ALL {
            let name = format!("{role} of ward {ward}");
            people.push((
                person(*role, ward),
                name.clone(),
                name,
                *role,
                Some(ward),
                false,
            ));
        }
    }
    for (id, username, name, role, ward, disabled) in people {
        change!(
            db,
            "INSERT INTO users (id, username, name, role, every_ward, disabled, failures, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
            id,
            username,
            name,
            role,
            ward.is_none(),
            disabled,
            now
        );
        if let Some(ward) = ward {
            change!(
                db,
                "INSERT INTO user_wards (user_id, ward_id) VALUES ($1, $2)",
                id,
                ward
            );
        }
    }
    for (n, (mrn, name, ward)) in PATIENTS.into_iter().enumerate() {
        change!(
            db,
            "INSERT INTO patients (id, mrn, name, name_key, birth_date, ward_id, bed, allergies) \
             VALUES ($1, $2, $3, $4, $5, $6, '1', '')",
            patient(n),
            mrn,
            name,
            name.to_lowercase(),
            valmed::store::Day(jiff::civil::date(1950, 1, 31)),
            ward
        );
    }
    let drugs = [
        (PARACETAMOL, "Paracetamol", "500mg Tablet", "tab"),
        (MORPHINE, "Morphine", "10mg/mL", "mL"),
        (INSULIN, "Insulin", "", "U"),
        (COLCHICINE, "Colchicine", "0.5mg Tablet", "tab"),
    ];
    for (id, name, strength, unit) in drugs {
        change!(
            db,
            "INSERT INTO drugs (id, code, name, name_key, form, strength, unit, controlled, high_alert) \
             VALUES ($1, $2, $2, $3, 'form', $4, $5, false, false)",
            id,
            name,
            name.to_lowercase(),
            strength,
            unit
        );
        for ward in [MEDI, SURG] {
            if id != COLCHICINE {
                change!(
                    db,
                    "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
                     VALUES ($1, $2, 0, 5000, 0, $3)",
                    ward,
                    id,
                    vec![0_u8; 32]
                );
            }
        }
    }
}
