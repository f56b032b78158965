//! The story of an import: taken over, found unchanged, changed, and named where it is not taken.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use valmed::desk::horizon::make_orders_ahead;
use valmed::domain::snapshot::WardSnapshot;
use valmed::interop::import::{Report, Settings, import};
use valmed::interop::{Rejects, Source, demo};
use valmed::store::Db;
use valmed::store::formulary::Formulary;
use valmed::store::screens::{self, Bounds};

use crate::support::place::Place;

on_both_engines!(
    an_import,
    a_single_dose_is_not_made_again,
    what_a_wrong_clock_ended_goes_on,
    the_demo_is_taken_without_a_word,
);

const FILES: [&str; 6] = [
    "wards.csv",
    "users.csv",
    "patients.csv",
    "drugs.csv",
    "stock.csv",
    "prescriptions.csv",
];

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ward")
}

/// The fixture with some text in one of its files replaced.
struct Files(Vec<(&'static str, String)>);

impl Files {
    fn new() -> Files {
        let text = |file| std::fs::read_to_string(fixtures().join(file)).unwrap();
        Files(FILES.iter().map(|file| (*file, text(file))).collect())
    }

    fn replace(mut self, file: &str, from: &str, to: &str) -> Files {
        let (_, text) = self.0.iter_mut().find(|(name, _)| *name == file).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        *text = text.replacen(from, to, 1);
        self
    }

    fn add(mut self, file: &str, line: &str) -> Files {
        let (_, text) = self.0.iter_mut().find(|(name, _)| *name == file).unwrap();
        text.push_str(line);
        text.push('\n');
        self
    }

    fn source(self) -> Source {
        Source::Texts(self.0)
    }
}

/// A database of its own, and a place for rejects.
struct Ward {
    db: Db,
    /// As a feed holds it, from one import to the next.
    formulary: Formulary,
    folder: tempfile::TempDir,
}

/// 10:00 in Berlin.
fn now() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

impl Ward {
    async fn open(place: &Place) -> Ward {
        Ward {
            formulary: Formulary::default(),
            db: place.open().await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn rejects(&self) -> PathBuf {
        self.folder.path().join("rejects.csv")
    }

    async fn import(&self, source: Source, now: Timestamp, strict: bool) -> Report {
        let settings = Settings {
            time_zone: "Europe/Berlin".to_owned(),
            strict,
            batch: 2,
            ..Settings::default()
        };
        let mut rejects = Rejects::at(self.rejects());
        let mut seen = Vec::new();
        let report = import(&self.db, &source, &settings, now, &mut rejects, &mut |p| {
            assert!(p.done <= p.total);
            seen.push(p.file);
        })
        .await
        .unwrap();
        rejects.finish().unwrap();
        assert!(FILES.iter().all(|file| seen.contains(file)));
        report
    }

    async fn make(&self, now: Timestamp) -> u64 {
        let made = make_orders_ahead(&self.db, now, SignedDuration::from_hours(24)).await;
        made.unwrap().orders
    }

    async fn snapshot(&self, ward: &str) -> WardSnapshot {
        let mut conn = self.db.reader().await.unwrap();
        let ward = screens::ward_by_code(conn.link(), ward)
            .await
            .unwrap()
            .unwrap();
        let bounds = Bounds::default();
        let snapshot = screens::snapshot(&mut conn, &self.formulary, ward.id, bounds, now()).await;
        snapshot.unwrap().unwrap()
    }

    /// The queue as `mrn drug dose due v-version`, in Berlin's time.
    async fn queue(&self, ward: &str) -> Vec<String> {
        let snapshot = self.snapshot(ward).await;
        let zone = snapshot.ward.zone();
        let mut lines: Vec<String> = snapshot
            .orders
            .iter()
            .map(|order| {
                let due = order.due_at.map_or(order.kind.to_string(), |at| {
                    zone.to_datetime(at).strftime("%d %H:%M").to_string()
                });
                let most = order
                    .dose
                    .most
                    .map(|most| format!("-{most}"))
                    .unwrap_or_default();
                let (patient, drug) = (&order.patient.mrn, &order.drug.code);
                format!(
                    "{patient} {drug} {}{most} {due} v{}",
                    order.dose.least, order.version
                )
            })
            .collect();
        lines.sort();
        lines
    }

    /// The cupboard as `drug current/threshold`.
    async fn stock(&self, ward: &str) -> Vec<String> {
        let snapshot = self.snapshot(ward).await;
        let level = |s: &valmed::domain::snapshot::StockLevel| {
            format!("{} {}/{}", s.drug.code, s.current, s.threshold)
        };
        snapshot.stock.iter().map(level).collect()
    }
}

/// `file new/changed/same/rejected/noted`, of files where anything was changed, rejected or noted.
fn told(report: &Report) -> Vec<String> {
    report
        .files
        .iter()
        .filter(|f| f.changed + f.rejected + f.noted > 0)
        .map(|f| {
            format!(
                "{} {}/{}/{}/{}/{}",
                f.file, f.new, f.changed, f.same, f.rejected, f.noted
            )
        })
        .collect()
}

async fn taken_once(ward: &Ward) {
    let report = ward.import(Source::Folder(fixtures()), now(), false).await;
    assert_eq!(
        report.files.iter().map(|f| f.new).collect::<Vec<_>>(),
        [3, 3, 3, 2, 3, 5]
    );
    assert_eq!(told(&report), ["prescriptions.csv 5/0/0/0/1"]);
    assert_eq!(
        report.notes[0].to_string(),
        "prescriptions.csv:6: dose: '0.1667' is counted as 0.167"
    );
    assert_eq!(report.frequencies["ASDIR"].unscheduled, 1);
    assert_eq!(report.frequencies["BID"].unscheduled, 0);
    assert_eq!(ward.make(now()).await, 6);
    assert!(!ward.rejects().exists());
    // The dose of 07:00 is the old system's; H2's prescription of ward one stands where H2 lies.
    assert_eq!(
        ward.queue("W1").await,
        [
            "H1 A 0.5 23 09:00 v1",
            "H1 A 0.5 23 21:00 v1",
            "H1 A 0.5 24 09:00 v1",
            "H1 B 1 unscheduled v1"
        ]
    );
    assert_eq!(
        ward.queue("W 2").await,
        ["H2 A 0.167 23 12:00 v1", "H2 A 1-2 prn v1"]
    );
    assert_eq!(ward.stock("W1").await, ["A 20.5/5", "B 0/2"]);
}

async fn found_unchanged(ward: &Ward) {
    let before = (
        ward.snapshot("W1").await.orders,
        ward.snapshot("W 2").await.orders,
    );
    for strict in [false, true] {
        let report = ward.import(Source::Folder(fixtures()), now(), strict).await;
        assert!(
            report
                .files
                .iter()
                .all(|f| f.new + f.changed + f.rejected == 0)
        );
        assert_eq!(ward.make(now()).await, 0);
    }
    let after = (
        ward.snapshot("W1").await.orders,
        ward.snapshot("W 2").await.orders,
    );
    assert_eq!(before, after);
}

async fn rows_that_are_not_taken(ward: &Ward) {
    let good = "x,H1,W1,A,1,,tab,PO,BID,,0,2026-11-22T08:00,,routine,doc";
    let files = Files::new()
        .add("prescriptions.csv", &good.replacen(",1,", ",abc,", 1))
        .add("prescriptions.csv", &good.replacen("x,H1", "y,H9", 1))
        .add(
            "prescriptions.csv",
            &good.replacen("x,H1,W1,A", "z,H1,W1,Z", 1),
        )
        .add("prescriptions.csv", &good.replacen("tab", "ml", 1))
        .add("prescriptions.csv", &good.replacen("doc", "who", 1))
        .replace("prescriptions.csv", "asdir,H1,W1,B", "asdir,H1,W1,A")
        .replace("patients.csv", "1950-02-28", "1951-02-28")
        .replace(
            "drugs.csv",
            "AcetaZOLamide,tablet,250 mg",
            "AcetaZOLamide,tablet,500 mg",
        )
        .add("drugs.csv", "B2,Bisoprolol,tablet,5 mg tablet,tab,,0,0")
        .add("users.csv", "n.two,Eve Roe,nurse,W1 W3")
        .replace(
            "users.csv",
            "n.one,Ben Ito,nurse,W1 W 2",
            "n.one,Ben Ito,pharmacist,W1",
        );
    let report = ward.import(files.source(), now(), false).await;
    let faults: Vec<String> = report.rejects.iter().map(ToString::to_string).collect();
    // The identity of the second-last is a key that differs from run to run.
    assert_eq!(faults.len(), 10, "{faults:?}");
    for fault in [
        "drugs.csv:2: strength: '500 mg tablet' is not what is on record (250 mg tablet), and that may not change",
        "drugs.csv:5: name: has the name, form and strength of drug 'B'",
        "users.csv:5: wards: no ward 'W3' is known",
        "patients.csv:2: birth_date: '1951-02-28' is not what is on record (1950-02-28), and that may not change",
        "prescriptions.csv:7: dose: 'abc' is not a number",
        "prescriptions.csv:8: mrn: no patient 'H9' is known",
        "prescriptions.csv:9: drug: no drug 'Z' is known",
        "prescriptions.csv:10: unit: 'ml' is not the unit in which the drug is counted (tab)",
    ] {
        assert!(
            faults.iter().any(|f| f == fault),
            "{fault} is not in {faults:#?}"
        );
    }
    assert!(
        faults[4].starts_with("prescriptions.csv:4: drug: 'A' is not what is on record"),
        "{}",
        faults[4]
    );
    let notes: Vec<String> = report.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes[0],
        "users.csv:3: role: 'pharmacist' is not taken over, 'nurse' is set here"
    );
    assert_eq!(
        notes[1],
        "users.csv:3: wards: 'W1' is not taken over, 'W 2 W1' is set here"
    );
    let written = std::fs::read_to_string(ward.rejects()).unwrap();
    assert_eq!(written.lines().count(), 11);
    assert!(
        written.contains("prescriptions.csv,7,dose,abc,'abc' is not a number,\"x,H1,W1,A,abc,,tab")
    );
}

/// One bad row, and strict: nothing at all.
async fn all_or_nothing(ward: &Ward) {
    let bad = Files::new()
        .replace("wards.csv", "Ward one", "Ward 1")
        .replace("prescriptions.csv", "0.1667", "many");
    let report = ward.import(bad.source(), now(), true).await;
    assert!(report.undone);
    assert_eq!(
        told(&report),
        ["wards.csv 0/1/2/0/0", "prescriptions.csv 0/0/4/1/0"]
    );
    assert_eq!(ward.snapshot("W1").await.ward.name, "Ward one");
}

async fn changed(ward: &Ward) {
    let files = Files::new()
        .replace("patients.csv", "ward,bed", "ward,bed,allergies")
        .replace("patients.csv", "W1,1", "W 2,9,Penicillin")
        .replace("patients.csv", "W 2,2", "W 2,2,")
        .replace("stock.csv", "W1,A,20.5,5", "W1,A,99,7")
        .replace("stock.csv", "W1,B,0,2", "W1,B,4,2")
        .replace("drugs.csv", "Bisoprolol", "BISOprolol")
        .replace(
            "prescriptions.csv",
            "A,0.5,,tab,PO,BID,09:00 21:00",
            "A,1,,tab,PO,BID,09:00 22:00",
        )
        .replace(
            "prescriptions.csv",
            "B,1,,tab,PO,ASDIR,",
            "B,1,,tab,PO,DAILY,18:00",
        );
    let report = ward.import(files.source(), now(), false).await;
    assert_eq!(
        told(&report),
        [
            "drugs.csv 0/1/2/0/0",
            "patients.csv 0/1/1/0/0",
            "stock.csv 0/2/1/0/0",
            "prescriptions.csv 0/2/3/0/1"
        ]
    );
    assert_eq!(ward.make(now()).await, 2);
    // The overdue dose of 09:00 stays to be given, as half of what was due before is now a whole tablet; 21:00 went,
    // 22:00 came; and all of it went with the patient.
    assert_eq!(ward.queue("W1").await, [""; 0]);
    assert_eq!(
        ward.queue("W 2").await,
        [
            "H1 A 1 23 09:00 v3",
            "H1 A 1 23 22:00 v1",
            "H1 A 1 24 09:00 v3",
            "H1 B 1 23 18:00 v1",
            "H2 A 0.167 23 12:00 v1",
            "H2 A 1-2 prn v1"
        ]
    );
    // What is in a cupboard is known here; a page without a row yet is opened.
    assert_eq!(ward.stock("W1").await, ["A 20.5/7", "B 4/2"]);
    let snapshot = ward.snapshot("W 2").await;
    let patient = &snapshot
        .orders
        .iter()
        .find(|o| o.patient.mrn == "H1")
        .unwrap()
        .patient;
    assert_eq!(
        (patient.bed.as_str(), patient.allergies.as_str()),
        ("9", "Penicillin")
    );
    // And back: the dose of 21:00 and the order without a due time are there again. The file without the column says
    // nothing about allergies.
    ward.import(Source::Folder(fixtures()), now(), false).await;
    assert_eq!(ward.make(now()).await, 1);
    assert_eq!(
        ward.queue("W1").await,
        [
            "H1 A 0.5 23 09:00 v5",
            "H1 A 0.5 23 21:00 v1",
            "H1 A 0.5 24 09:00 v5",
            "H1 B 1 unscheduled v1"
        ]
    );
    let back = ward.snapshot("W1").await;
    assert_eq!(back.orders[0].patient.allergies, "Penicillin");
}

async fn an_import(place: Place) {
    let ward = Ward::open(&place).await;
    taken_once(&ward).await;
    found_unchanged(&ward).await;
    all_or_nothing(&ward).await;
    rows_that_are_not_taken(&ward).await;
    changed(&ward).await;
    ward.db.close().await;
}

/// Marks the one open order of a prescription as given, as far as making orders is concerned.
async fn complete(ward: &Ward, prescription: &str) {
    let sql = "UPDATE medication_orders SET status = 'completed' WHERE status = 'active' AND prescription_id = \
               (SELECT id FROM prescriptions WHERE external_id = $1)";
    assert_eq!(change!(ward.db, sql, prescription), 1);
}

async fn orders_of(ward: &Ward, prescription: &str) -> i64 {
    let sql = "SELECT count(*) FROM medication_orders WHERE prescription_id = \
               (SELECT id FROM prescriptions WHERE external_id = $1)";
    value!(ward.db, i64, sql, prescription)
}

/// A file in which the start of a single dose, or the end of an as-needed one, had moved made a second order of a dose
/// that had been given.
async fn a_single_dose_is_not_made_again(place: Place) {
    let ward = Ward::open(&place).await;
    let once =
        "once,H1,W1,A,1,,tab,PO,ONCE,10:30,0,2026-11-23T10:30:00,2026-11-23T20:00:00,routine,doc";
    let prn =
        "prnonce,H1,W1,A,1,,tab,PO,ONCE:PRN,,1,2026-11-23T08:00:00,2026-11-23T20:00:00,routine,doc";
    let files = || {
        Files::new()
            .add("prescriptions.csv", once)
            .add("prescriptions.csv", prn)
    };
    ward.import(files().source(), now(), false).await;
    ward.make(now()).await;
    for prescription in ["once", "prnonce"] {
        assert_eq!(orders_of(&ward, prescription).await, 1);
        complete(&ward, prescription).await;
    }
    let later = files()
        .replace(
            "prescriptions.csv",
            "ONCE,10:30,0,2026-11-23T10:30:00",
            "ONCE,10:45,0,2026-11-23T10:45:00",
        )
        .replace(
            "prescriptions.csv",
            "ONCE:PRN,,1,2026-11-23T08:00:00,2026-11-23T20",
            "ONCE:PRN,,1,2026-11-23T08:00:00,2026-11-23T21",
        );
    let report = ward.import(later.source(), now(), false).await;
    assert_eq!(report.files[5].changed, 2, "{report:?}");
    ward.make(now()).await;
    for prescription in ["once", "prnonce"] {
        assert_eq!(orders_of(&ward, prescription).await, 1, "{prescription}");
    }
    ward.db.close().await;
}

/// A machine whose clock was a day ahead ended what still ran, and no import could begin it again.
async fn what_a_wrong_clock_ended_goes_on(place: Place) {
    let ward = Ward::open(&place).await;
    let line =
        "runs,H1,W1,A,1,,tab,PO,Q6H:PRN,,1,2026-11-23T08:00:00,2026-11-23T20:00:00,routine,doc";
    let files = || Files::new().add("prescriptions.csv", line);
    ward.import(files().source(), now(), false).await;
    ward.make(now()).await;
    ward.make(now() + SignedDuration::from_hours(24)).await;
    let status = "SELECT status FROM prescriptions WHERE external_id = 'runs'";
    assert_eq!(value!(ward.db, String, status), "ended");
    ward.import(files().source(), now(), false).await;
    ward.make(now()).await;
    assert_eq!(value!(ward.db, String, status), "active");
    let open = "SELECT count(*) FROM medication_orders WHERE status = 'active' AND prescription_id = \
                (SELECT id FROM prescriptions WHERE external_id = 'runs')";
    assert_eq!(value!(ward.db, i64, open), 1);
    ward.db.close().await;
}

async fn the_demo_is_taken_without_a_word(place: Place) {
    let ward = Ward::open(&place).await;
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let report = ward
        .import(demo::source(now(), &zone).unwrap(), now(), true)
        .await;
    assert_eq!((report.undone, told(&report)), (false, Vec::new()));
    assert!(ward.make(now()).await > 300);
    let snapshot = ward.snapshot(demo::WARD).await;
    let overdue = snapshot
        .orders
        .iter()
        .filter(|o| o.due_at.is_some_and(|at| at < now()));
    assert!(overdue.count() >= 10);
    assert!(snapshot.stock.iter().any(|level| level.is_out()));
}
