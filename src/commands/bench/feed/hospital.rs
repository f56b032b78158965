//! The hospital of the bench: as many wards as are asked for, each of a realistic size, through the same import that a
//! hospital uses.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::commands::scratch_ward::import_files;
use crate::desk::horizon::make_orders_ahead;
use crate::store::{Db, inspect, now};

/// Whoever gives the doses, and whose the sessions are.
pub(super) const NURSE: &str = "nurse";

/// The drug that is given. It stands at the top of every ward's cupboard, whatever the size of the screen, so that each
/// dose shows in the frame.
pub(super) const GIVEN: &str = "Given";
/// What it is counted in.
pub(super) const UNIT: &str = "tab";
/// How much of it every ward begins with: as much as its column on the screen holds.
const STOCKED: u32 = 900_000;

/// Of a ward of three hundred active orders a third is as needed: giving one opens the next, so that the queue stays as
/// long as it is.
const AS_NEEDED: u32 = 100;
const TIMED: u32 = 200;
/// Drugs in a cupboard, that one among them.
const DRUGS: u32 = 200;
const PATIENTS: u32 = 30;

/// The timed doses are due within this.
const HORIZON: SignedDuration = SignedDuration::from_hours(24);

/// The code of a ward.
pub(super) fn code(ward: u32) -> String {
    format!("W{ward:03}")
}

/// Makes the wards.
pub(super) async fn fill(db: &Db, wards: u32) -> anyhow::Result<()> {
    import_files(db, files(wards)).await?;
    make_orders_ahead(db, now(), HORIZON).await?;
    inspect::refresh_statistics(db).await?;
    Ok(())
}

type Files = BTreeMap<&'static str, String>;

fn files(wards: u32) -> Files {
    let mut files: Files = BTreeMap::from([
        ("wards.csv", "code,name,kind\n".to_owned()),
        (
            "users.csv",
            format!("username,name,role,wards\ndoctor,Dr Bench,doctor,\n{NURSE},Nurse Bench,nurse,\n"),
        ),
        ("patients.csv", "mrn,name,birth_date,ward,bed,allergies\n".to_owned()),
        ("drugs.csv", "code,name,form,strength,unit,ndc,controlled,high_alert\n".to_owned()),
        ("stock.csv", "ward,drug,quantity,low_stock_threshold\n".to_owned()),
        (
            "prescriptions.csv",
            "id,mrn,ward,drug,dose,dose_max,unit,route,frequency,times,prn,start,stop,priority,prescriber\n".to_owned(),
        ),
    ]);
    for drug in 0..DRUGS - 1 {
        let line = format!("D{drug},Drug of the bench {drug},Tablet,10mg Tablet,{UNIT},,0,0\n");
        add(&mut files, "drugs.csv", &line);
    }
    for ward in 0..wards {
        add_ward(&mut files, ward);
    }
    files
}

fn add(files: &mut Files, file: &'static str, line: &str) {
    files.entry(file).or_default().push_str(line);
}

fn add_ward(files: &mut Files, n: u32) {
    let ward = code(n);
    let mrn = |patient: u32| format!("{ward}P{:03}", patient % PATIENTS);
    add(
        files,
        "wards.csv",
        &format!("{ward},Ward {n} of the bench,ward\n"),
    );
    for patient in 0..PATIENTS {
        let mrn = mrn(patient);
        let line = format!(
            "{mrn},\"Surname, Patient {patient}\",1950-01-01,{ward},{patient},Penicillin\n"
        );
        add(files, "patients.csv", &line);
    }
    // Always low, which is what puts it at the top.
    let line = format!("G{n},{GIVEN},Tablet,{n}mg,{UNIT},,0,0\n");
    add(files, "drugs.csv", &line);
    let line = format!("{ward},G{n},{STOCKED},{STOCKED}\n");
    add(files, "stock.csv", &line);
    for drug in 0..DRUGS - 1 {
        add(files, "stock.csv", &format!("{ward},D{drug},5000,10\n"));
    }
    let began = now();
    let written = |at: jiff::Timestamp| {
        let at = at.to_zoned(TimeZone::UTC);
        at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    };
    let start = written(began);
    for order in 0..AS_NEEDED {
        let mrn = mrn(order);
        let line = format!(
            "{ward}-a{order},{mrn},{ward},G{n},1,,{UNIT},PO,PRN,,1,{start},,routine,doctor\n"
        );
        add(files, "prescriptions.csv", &line);
    }
    for order in 0..TIMED {
        let (mrn, drug) = (mrn(order), order % (DRUGS - 1));
        let due = written(began + SignedDuration::from_mins(i64::from(order) * 5));
        let line = format!(
            "{ward}-t{order},{mrn},{ward},D{drug},1,,{UNIT},PO,ONCE,,0,{due},{due},routine,doctor\n"
        );
        add(files, "prescriptions.csv", &line);
    }
}
