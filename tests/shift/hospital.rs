//! The hospital in which the shift happens, and what the script has to know of it.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use valmed::desk::horizon::make_orders_ahead;
use valmed::domain::{DrugId, Quantity, WardId};
use valmed::interop::{Rejects, demo, import};
use valmed::store::{Db, now};

use crate::program::Program;
use crate::support::place::{Kind, Place};

/// The people of the shift: name to sign in with, role, which wards (first, second, both, all).
pub const PEOPLE: [(&str, &str, &str); 6] = [
    ("shift.nora", "nurse", "first"),
    ("shift.nils", "nurse", "both"),
    ("shift.nele", "nurse", "second"),
    ("shift.petra", "pharmacist", "all"),
    ("shift.dora", "doctor", "both"),
    ("shift.sam", "supervisor", "all"),
];

/// A ward by key and code.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Ward {
    pub id: WardId,
    pub code: String,
}

/// A drug by key and code.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Drug {
    pub id: DrugId,
    pub code: String,
    pub controlled: bool,
}

pub struct Hospital {
    pub program: Program,
    pub db: Db,
    pub first: Ward,
    pub second: Ward,
    pub pharmacy: Ward,
}

impl Hospital {
    /// Fills the database, and gives the shift its people.
    pub async fn open(place: &Place) -> Hospital {
        let program = Program {
            url: place.url.clone(),
        };
        let db = place.open().await;
        fill(&program, &db, place).await;
        make_orders_ahead(&db, now(), SignedDuration::from_hours(24))
            .await
            .unwrap();
        let mut wards = rows!(
            db,
            Ward,
            "SELECT w.id, w.code FROM wards w WHERE w.kind = 'ward' ORDER BY \
             (SELECT count(*) FROM patients p WHERE p.ward_id = w.id AND p.discharged_at IS NULL) DESC, w.id LIMIT 2"
        );
        let pharmacy = rows!(
            db,
            Ward,
            "SELECT id, code FROM wards WHERE kind = 'pharmacy' ORDER BY id LIMIT 1"
        )
        .remove(0);
        let second = wards.pop().unwrap();
        let first = wards.pop().unwrap();
        let hospital = Hospital {
            program,
            db,
            first,
            second,
            pharmacy,
        };
        for (username, role, wards) in PEOPLE {
            let (first, second) = (&hospital.first.code, &hospital.second.code);
            let wards = match wards {
                "first" => first.clone(),
                "second" => second.clone(),
                "both" => format!("{first} {second}"),
                _ => "*".to_owned(),
            };
            let name = username.replace("shift.", "Shift ");
            let add = [
                "user", "add", username, "--name", &name, "--role", role, "--wards", &wards,
            ];
            hospital.program.must(&add);
        }
        hospital
    }

    /// Drugs, controlled or not, that the formulary has; those that the ward stocks first.
    pub async fn drugs(&self, ward: &Ward, controlled: bool, least: Quantity) -> Vec<Drug> {
        rows!(
            self.db,
            Drug,
            "SELECT d.id, d.code, d.controlled FROM drugs d LEFT JOIN drug_stock s ON s.drug_id = d.id AND s.ward_id = $1 \
             WHERE d.controlled = $2 AND COALESCE(s.current_stock, 0) >= $3 AND COALESCE(s.lots, 0) = 0 \
             ORDER BY s.drug_id IS NULL, d.id LIMIT 20",
            ward.id,
            controlled,
            least
        )
    }

    /// The numbers of those who lie in a ward.
    pub async fn patients(&self, ward: &Ward) -> Vec<String> {
        let found = rows!(
            self.db,
            (String,),
            "SELECT mrn FROM patients WHERE ward_id = $1 AND discharged_at IS NULL ORDER BY mrn",
            ward.id
        );
        found.into_iter().map(|(mrn,)| mrn).collect()
    }

    /// What a ward holds.
    pub async fn holds(&self, ward: &Ward, drug: &Drug) -> Quantity {
        value!(
            self.db,
            Quantity,
            "SELECT COALESCE((SELECT current_stock FROM drug_stock WHERE ward_id = $1 AND drug_id = $2), 0)",
            ward.id,
            drug.id
        )
    }

    /// The one open dose of a prescription.
    pub async fn open_dose(&self, prescription: &str) -> String {
        let prescription: uuid::Uuid = prescription.parse().unwrap();
        let id = value!(
            self.db,
            uuid::Uuid,
            "SELECT id FROM medication_orders WHERE prescription_id = $1 AND status = 'active'",
            prescription
        );
        id.to_string()
    }

    /// How many operations the desk remembers of the people of the shift.
    pub async fn operations(&self) -> i64 {
        value!(
            self.db,
            i64,
            "SELECT count(*) FROM operations o JOIN users u ON u.id = o.actor_id WHERE u.username LIKE 'shift.%'"
        )
    }

    /// Every page of a controlled drug adds up, row by row, to what the ward holds; gives how many pages there are, and
    /// how many of their rows the people of the shift wrote.
    pub async fn controlled_registers_balance(&self) -> (usize, usize) {
        let pages = rows!(
            self.db,
            (WardId, DrugId, Quantity, i64),
            "SELECT s.ward_id, s.drug_id, s.current_stock, s.ledger_seq FROM drug_stock s \
             JOIN drugs d ON d.id = s.drug_id WHERE d.controlled ORDER BY 1, 2"
        );
        let mut of_shift = 0;
        for (ward, drug, current, last) in &pages {
            let found = rows!(
                self.db,
                (i64, Quantity, Quantity, Option<String>),
                "SELECT l.seq, l.delta, l.balance, u.username FROM stock_ledger l LEFT JOIN users u ON u.id = l.actor_id \
                 WHERE l.ward_id = $1 AND l.drug_id = $2 ORDER BY l.seq",
                *ward,
                *drug
            );
            let mut balance = Quantity::ZERO;
            for ((seq, delta, after, by), n) in found.iter().zip(1..) {
                balance = balance + *delta;
                assert_eq!(
                    (*seq, *after),
                    (n, balance),
                    "row {seq} of drug {drug} in ward {ward}"
                );
                of_shift += usize::from(by.as_deref().is_some_and(|by| by.starts_with("shift.")));
            }
            assert_eq!(
                (*current, *last),
                (balance, found.len() as i64),
                "drug {drug} in ward {ward}"
            );
        }
        (pages.len(), of_shift)
    }

    /// What PostgreSQL does by itself within a minute of much being written: it tidies up and looks at the tables, so that it plans by
    /// what is in them. SQLite plans without.
    pub async fn housekeeping(&self, kind: Kind) {
        if kind == Kind::Postgres {
            crate::change!(self.db, "VACUUM ANALYZE");
        }
    }

    pub async fn close(self) {
        self.db.close().await;
    }
}

/// The files of a folder, taken over by the program; else the demo hospital.
async fn fill(program: &Program, db: &Db, place: &Place) {
    if let Ok(folder) = std::env::var("VALMED_SHIFT_DATA") {
        let rejects = std::env::temp_dir().join(format!("{}-rejects.csv", place.name));
        let told = program.run(&["import", &folder, "--rejects", rejects.to_str().unwrap()]);
        // Some rows of real files may be rejected (3); that is what importing is about, not this.
        assert!(told.code == 0 || told.code == 3, "{}{}", told.out, told.err);
        println!("{:?}: {}", place.kind, told.out);
        return;
    }
    let source = demo::source(now(), &TimeZone::UTC).unwrap();
    let mut rejects =
        Rejects::at(std::env::temp_dir().join(format!("{}-demo-rejects.csv", place.name)));
    let settings = import::Settings::default();
    let report = import::import(db, &source, &settings, now(), &mut rejects, &mut |_| {})
        .await
        .unwrap();
    assert!(!report.undone);
}
