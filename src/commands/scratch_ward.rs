//! A made-up hospital in a scratch database, for drills and benches: filled through the same import that a real one uses.

use std::collections::BTreeMap;
use std::fmt::Display;

use anyhow::Context;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::config::Config;
use crate::desk::Desk;
use crate::desk::horizon::make_orders_ahead;
use crate::domain::{Giving, OpId, Operation, Outcome, Request, UserId};
use crate::interop::import::{self, Settings};
use crate::interop::{Rejects, Source};
use crate::signin::SignIn;
use crate::store::listing::{self, OrderFilter, OrderLine};
use crate::store::scratch::Scratch;
use crate::store::{Db, inspect, now};

/// Orders are made this many hours ahead: every dose of a day.
const HOURS: i64 = 24;

/// Doctors, each with patients of their own.
const DOCTORS: u32 = 50;

/// Orders read at once.
const PAGE: i64 = 5000;

/// Runs `work` in a scratch database beside the one at `url`, and drops it whatever happened.
pub async fn in_scratch<T>(
    config: &Config,
    url: &str,
    work: impl AsyncFnOnce(&Scratch) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let scratch = Scratch::make(url, &config.pool())
        .await
        .context("a scratch database")?;
    let result = tokio::select! {
        result = work(&scratch) => result,
        // Whoever interrupts does not want the database left behind.
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    scratch
        .drop_it()
        .await
        .context("the scratch database could not be dropped")?;
    result
}

/// When the doses of a prescription are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// One dose, now.
    Once,
    /// A dose every hour: 24 orders for each prescription.
    Hourly,
}

/// Who lies there, what is in the cupboards, what is prescribed. Wards, patients, nurses and drugs are numbers from 0.
#[derive(Debug, Clone)]
pub struct Hospital {
    /// How many wards.
    pub wards: u32,
    /// How many nurses, each of one ward, in turn.
    pub nurses: u32,
    /// How many patients, spread over the wards.
    pub patients: u32,
    /// How many drugs.
    pub drugs: u32,
    /// Units of a drug in a ward's cupboard.
    pub stock: BTreeMap<(u32, u32), u32>,
    /// Patient and drug of each prescription, for one tablet a dose.
    pub prescriptions: Vec<(u32, u32)>,
    /// When their doses are due.
    pub times: Times,
}

impl Hospital {
    /// In which ward a patient lies.
    pub const fn ward_of(&self, patient: u32) -> u32 {
        patient % self.wards
    }

    /// Fills an empty database.
    pub async fn fill(&self, db: &Db) -> anyhow::Result<()> {
        import_files(db, self.files()).await?;
        // Hour by hour, as a desk that stays open makes them: orders that are due together lie together.
        for hour in 1..=HOURS {
            make_orders_ahead(db, now(), SignedDuration::from_hours(hour)).await?;
        }
        Ok(inspect::refresh_statistics(db).await?)
    }

    fn files(&self) -> BTreeMap<&'static str, String> {
        let start = now()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .strftime("%Y-%m-%dT%H:%M:%S")
            .to_string();
        let (frequency, times, stop) = match self.times {
            Times::Once => ("ONCE", String::new(), start.as_str()),
            Times::Hourly => {
                let hours: Vec<String> = (0..24).map(|hour| format!("{hour:02}:00")).collect();
                ("HOURLY", hours.join(" "), "")
            }
        };
        BTreeMap::from([
            table(
                "wards.csv",
                "code,name,kind",
                (0..self.wards).map(|w| format!("{},Ward {w},ward", ward_code(w))),
            ),
            table(
                "users.csv",
                "username,name,role,wards",
                (0..DOCTORS).map(|n| format!("{},Dr {n},doctor,", doctor_name(n))).chain((0..self.nurses).map(
                    |n| format!("{},Nurse {n},nurse,{}", nurse_name(n), ward_code(n % self.wards)),
                )),
            ),
            table(
                "patients.csv",
                "mrn,name,birth_date,ward,bed",
                (0..self.patients)
                    .map(|n| format!("D{n:05},Patient {n},1950-01-01,{},{n}", ward_code(self.ward_of(n)))),
            ),
            table(
                "drugs.csv",
                "code,name,form,strength,unit,ndc,controlled,high_alert",
                (0..self.drugs).map(|n| format!("DRUG{n},Drug {n},tab,1 mg,tab,,0,0")),
            ),
            table(
                "stock.csv",
                "ward,drug,quantity,low_stock_threshold",
                self.stock
                    .iter()
                    .map(|((ward, drug), units)| format!("{},DRUG{drug},{units},5", ward_code(*ward))),
            ),
            table(
                "prescriptions.csv",
                "id,mrn,ward,drug,dose,dose_max,unit,route,frequency,times,prn,start,stop,priority,prescriber",
                self.prescriptions
                    .iter()
                    .enumerate()
                    .map(|(n, (patient, drug))| {
                        let ward = ward_code(self.ward_of(*patient));
                        format!(
                            "rx-{n},D{patient:05},{ward},DRUG{drug},1,,tab,PO,{frequency},{times},0,{start},{stop},\
                             routine,{}",
                            doctor_name(*patient % DOCTORS)
                        )
                    }),
            ),
        ])
    }
}

/// Imports files that the program itself made up; an error if a row of them is rejected.
pub async fn import_files(db: &Db, files: BTreeMap<&'static str, String>) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut rejects = Rejects::at(folder.path().join("rejects.csv"));
    let source = Source::Texts(files.into_iter().collect());
    let settings = Settings::default();
    let report = import::import(db, &source, &settings, now(), &mut rejects, &mut |_| {}).await?;
    anyhow::ensure!(
        report.rejected() == 0,
        "rows made up by the program itself were rejected: {:?}",
        report.rejects
    );
    Ok(())
}

/// Asks the desk for a dose as it stands in the list, for the right patient; gives what became of it.
pub async fn ask_for(desk: &Desk, nurse: UserId, order: &OrderLine) -> Outcome {
    let giving = Giving::of(order.id, order.version, order.mrn.clone());
    let request = Request::Fulfil(giving);
    let operation = Operation {
        id: OpId(Uuid::now_v7()),
        actor: nurse,
        witness: None,
        request,
    };
    desk.submit(operation, Some(order.drug_id)).outcome().await
}

fn table(
    file: &'static str,
    header: &str,
    rows: impl Iterator<Item = impl Display>,
) -> (&'static str, String) {
    let mut text = format!("{header}\n");
    for row in rows {
        text.push_str(&format!("{row}\n"));
    }
    (file, text)
}

/// The code of a ward of a [`Hospital`]; nurse `n` is of ward `n` modulo the number of wards.
pub fn ward_code(n: u32) -> String {
    format!("W{n}")
}

fn doctor_name(n: u32) -> String {
    format!("doctor{n}")
}

/// The name of nurse `n` of a [`Hospital`].
pub fn nurse_name(n: u32) -> String {
    format!("nurse{n}")
}

/// The first `count` nurses of a [`Hospital`].
pub async fn nurses(db: &Db, count: u32) -> anyhow::Result<Vec<UserId>> {
    let mut nurses = Vec::new();
    for n in 0..count {
        let name = nurse_name(n);
        let account = SignIn::known(db, &name).await?;
        nurses.push(account.with_context(|| format!("no account {name}"))?.id);
    }
    Ok(nurses)
}

/// Every open order, in the order in which they were made: by the hour when they are due.
pub async fn all_orders(db: &Db) -> anyhow::Result<Vec<OrderLine>> {
    let mut conn = db.reader().await?;
    let mut filter = OrderFilter::default();
    let mut orders: Vec<OrderLine> = Vec::new();
    loop {
        let page = listing::orders(conn.link(), &filter, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(orders);
        };
        filter.after = Some(last.id.0);
        orders.extend(page);
    }
}
