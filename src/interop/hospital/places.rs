//! Wards, drugs, people, patients and transfers of the made-up hospital.

use super::plan::Plan;
use super::{Filled, Hospital, ROWS, stride};
use crate::domain::text::name_key;
use crate::domain::{DrugId, PatientId, Role, UserId, WardId, WardKind};
use crate::store::bulk;
use crate::store::import::{
    NewDrug, NewPatient, NewUser, NewWard, add_drugs, add_patients, add_users, add_wards,
};
use crate::store::{At, Conn, Day, StoreError};

const FAMILY: &[&str] = &[
    "Abara", "Bianchi", "Chen", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova",
    "Jansen", "Kowalska", "López", "Müller", "Nakamura", "Okafor", "Petrov", "Quiroga", "Rossi",
    "Schmidt", "Tanaka", "Usman", "Varga", "Weber", "Xu", "Yılmaz", "Żak", "Almeida", "Brandt",
    "Costa", "Danjuma",
];
const GIVEN: &[&str] = &[
    "Aisha", "Bruno", "Clara", "Dmitri", "Elena", "Farid", "Greta", "Hiro", "Ines", "Jonas",
    "Keiko", "Luca", "Mara", "Nadia", "Omar", "Paula", "Quinn", "Rosa", "Stefan", "Tomás", "Uma",
    "Viktor", "Wanda", "Ximena", "Yusuf", "Zoë",
];
const STEMS: &[&str] = &[
    "ami", "beta", "cefa", "dexa", "ena", "fluo", "gaba", "hydro", "iso", "keto", "lora", "metho",
    "nitro", "olan", "para", "quina", "rami", "sulfa", "tetra", "vera",
];
const ENDINGS: &[&str] = &[
    "cillin", "dipine", "floxacin", "mycin", "olol", "prazole", "pril", "sartan", "setron",
    "statin", "tidine", "triptan", "zepam", "zole",
];
const FORMS: &[(&str, &str)] = &[
    ("tab", "tab"),
    ("vial", "vial"),
    ("syrup", "ml"),
    ("amp", "amp"),
];

/// What there is, by the numbers that the plan uses.
pub struct Places {
    /// Wards; the last is the pharmacy.
    pub wards: Vec<WardId>,
    /// The formulary.
    pub drugs: Vec<DrugId>,
    /// Of each ward: its nurses.
    pub nurses: Vec<Vec<UserId>>,
    /// Doctors.
    pub doctors: Vec<UserId>,
    /// Who sends transfers.
    pub pharmacist: UserId,
}

impl Places {
    /// Where the pharmacy is in the list of wards.
    pub fn pharmacy(&self) -> usize {
        self.wards.len().saturating_sub(1)
    }
}

fn missing(what: &str) -> StoreError {
    StoreError::Guarantee(format!("{what} was written and is not there"))
}

/// Writes wards, drugs and people, and reads their keys back.
pub async fn write(
    conn: &mut Conn,
    hospital: &Hospital,
    now: At,
    filled: &mut Filled,
) -> Result<Places, StoreError> {
    let wards = wards(hospital.wards.max(2));
    let drugs = drugs(hospital.drugs.max(1));
    add_wards(conn.link(), &wards).await?;
    for rows in drugs.chunks(ROWS) {
        add_drugs(conn.link(), rows).await?;
    }
    let keys = bulk::keys(conn.link()).await?;
    let ward_of = |row: &NewWard| {
        let found = keys.wards.get(&row.code).copied();
        found.ok_or_else(|| missing("a ward"))
    };
    let ward_ids: Vec<WardId> = wards.iter().map(ward_of).collect::<Result<_, _>>()?;
    let drug_of = |row: &NewDrug| {
        let found = keys.drugs.get(&row.code).copied();
        found.ok_or_else(|| missing("a drug"))
    };
    let drug_ids: Vec<DrugId> = drugs.iter().map(drug_of).collect::<Result<_, _>>()?;
    let people = people(&ward_ids, hospital.nurses.max(1));
    add_users(conn.link(), &people, now).await?;
    let keys = bulk::keys(conn.link()).await?;
    let person = |name: &str| {
        let found = keys.users.get(name).copied();
        found.ok_or_else(|| missing("an account"))
    };
    let mut nurses = vec![Vec::new(); ward_ids.len()];
    for (ward, of_ward) in nurses.iter_mut().enumerate() {
        for n in 0..hospital.nurses.max(1) {
            of_ward.push(person(&nurse(ward, n))?);
        }
    }
    let pairs = || {
        ward_ids
            .iter()
            .copied()
            .zip(wards.iter().map(|row| row.code.clone()))
    };
    filled.wards = pairs().take(ward_ids.len() - 1).collect();
    filled.pharmacy = pairs().skip(ward_ids.len() - 1).collect();
    filled.drugs = drug_ids
        .iter()
        .copied()
        .zip(drugs.into_iter().map(|row| row.code))
        .collect();
    for (ward, of_ward) in nurses.iter().enumerate().take(ward_ids.len() - 1) {
        let named = of_ward
            .iter()
            .enumerate()
            .map(|(n, id)| (*id, nurse(ward, n)));
        filled.nurses.extend(named);
    }
    Ok(Places {
        doctors: (0..DOCTORS)
            .map(|n| person(&doctor(n)))
            .collect::<Result<_, _>>()?,
        pharmacist: person("pharmacist")?,
        wards: ward_ids,
        drugs: drug_ids,
        nurses,
    })
}

const DOCTORS: usize = 40;

fn doctor(n: usize) -> String {
    format!("doctor{n}")
}

/// What a nurse types.
fn nurse(ward: usize, n: usize) -> String {
    format!("nurse{ward}-{n}")
}

fn wards(count: usize) -> Vec<NewWard> {
    let ward = |n: usize| {
        let pharmacy = n + 1 == count;
        NewWard {
            code: if pharmacy {
                "PHARM".to_owned()
            } else {
                format!("W{:02}", n + 1)
            },
            name: if pharmacy {
                "Central pharmacy".to_owned()
            } else {
                format!("Ward {}", n + 1)
            },
            kind: if pharmacy {
                WardKind::Pharmacy
            } else {
                WardKind::Ward
            },
            zone: "Europe/Berlin".to_owned(),
        }
    };
    (0..count).map(ward).collect()
}

fn drugs(count: usize) -> Vec<NewDrug> {
    let drug = |n: usize| {
        let stem = STEMS[n % STEMS.len()];
        let ending = ENDINGS[n / STEMS.len() % ENDINGS.len()];
        let (form, unit) = FORMS[n / (STEMS.len() * ENDINGS.len()) % FORMS.len()];
        // Every round through stems, endings and forms is another strength.
        let round = n / (STEMS.len() * ENDINGS.len() * FORMS.len());
        let name = format!("{stem}{ending}");
        NewDrug {
            code: format!("D{n:05}"),
            key: name_key(&name),
            name,
            form: form.to_owned(),
            strength: format!("{} mg", 5 * (round + 1)),
            unit: unit.to_owned(),
            controlled: n.is_multiple_of(40),
            alert: n.is_multiple_of(25),
        }
    };
    (0..count).map(drug).collect()
}

fn people(wards: &[WardId], nurses: usize) -> Vec<NewUser> {
    let person = |username: String, role: Role, ward: Option<WardId>| NewUser {
        name: format!("{} {username}", role.as_str()),
        username,
        role,
        every: ward.is_none(),
        wards: ward.into_iter().collect(),
    };
    let mut people = vec![
        person("pharmacist".to_owned(), Role::Pharmacist, None),
        person("supervisor".to_owned(), Role::Supervisor, None),
        person("admin".to_owned(), Role::Admin, None),
    ];
    people.extend((0..DOCTORS).map(|n| person(doctor(n), Role::Doctor, None)));
    for (n, ward) in wards.iter().enumerate() {
        people.extend((0..nurses).map(|m| person(nurse(n, m), Role::Nurse, Some(*ward))));
    }
    people
}

/// Writes the plan's patients.
pub async fn write_patients(
    conn: &mut Conn,
    plan: &Plan,
    places: &Places,
    filled: &mut Filled,
) -> Result<(), StoreError> {
    let born = jiff::civil::date(1930, 1, 1);
    let row = |(n, patient): (usize, &super::plan::Patient)| {
        let name = format!(
            "{}, {}",
            FAMILY[patient.name % FAMILY.len()],
            GIVEN[patient.name / FAMILY.len() % GIVEN.len()]
        );
        let days = i64::try_from(patient.name % 30_000).unwrap_or(0);
        NewPatient {
            id: PatientId(patient.id),
            mrn: format!("M{n:07}"),
            key: name_key(&name),
            name,
            born: Day(born.saturating_add(jiff::Span::new().days(days))),
            ward: places.wards[patient.ward],
            bed: format!("{}", n % 40 + 1),
            allergies: if n % 7 == 0 {
                "Penicillin".to_owned()
            } else {
                String::new()
            },
        }
    };
    let rows: Vec<NewPatient> = plan.patients.iter().enumerate().map(row).collect();
    let known = rows.iter().step_by(stride(rows.len()));
    filled.patients = known.map(|row| (row.id, row.mrn.clone())).collect();
    for rows in rows.chunks(ROWS) {
        add_patients(conn.link(), rows).await?;
    }
    Ok(())
}
