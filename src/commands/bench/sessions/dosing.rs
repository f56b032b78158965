//! Many nurses who give doses at once, each at a terminal of their own over SSH, in a hospital made for it.
//!
//! Nothing is left out on the way: a key signs in, the sheet is opened, the wristband typed, the key that signs pressed,
//! and the dose counts when `GIVEN` stands on that nurse's own screen. All the while one more terminal watches and reads
//! nothing. Afterwards the books are checked, and as many doses must be on record as nurses were told of.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use russh::keys::PrivateKey;
use tokio::task::JoinSet;

use super::client::Person;
use super::process::Process;
use super::{key_for, part};
use crate::cli::BenchSessions;
use crate::commands::bench::targets::Targets;
use crate::commands::output::say;
use crate::commands::scratch_ward::{Hospital, Times, nurse_name};
use crate::config::Config;
use crate::store::{Db, migrate};
use crate::verify;

/// Nurses of one ward.
const OF_A_WARD: u32 = 5;
/// Units in every cupboard: more than anybody gives.
const PLENTY: u32 = 1_000_000;
/// Between the outcome of a dose and the next one: nobody is faster.
const TURNS: Duration = Duration::from_millis(250);
/// Doses of each nurse when they give for a time: more than a minute is enough for.
const ENOUGH: u32 = 200;
/// What signs.
const SIGN: &str = "\x1bOQ";
/// Nurses who arrive at once.
const AT_ONCE: usize = 16;

/// Lets every session give doses, and checks the books.
pub(super) async fn dosing(config: &Config, ask: &BenchSessions) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("a temporary folder")?;
    let url = format!("sqlite://{}", folder.path().join("hospital.db").display());
    let each = ask.doses.unwrap_or(ENOUGH);
    // One more watches and reads nothing.
    let keys = hospital(config, &url, ask.sessions + 1, each).await?;
    let server = Process::start(folder.path(), &url).await?;
    let nurses = arrive(&server, &keys).await?;
    let (given, mut waits, took) = give(nurses, ask, each).await?;
    say!(
        "{} sessions gave {given} doses in {:.1} s, each over SSH: {:.0} doses a second",
        ask.sessions,
        took.as_secs_f64(),
        given as f64 / took.as_secs_f64()
    )?;
    let (half, most) = (part(&mut waits, 0.5), part(&mut waits, 0.99));
    let longest = part(&mut waits, 1.0);
    say!(
        "from the key that signs to GIVEN on the same screen: p50 {half:.1} ms, p99 {most:.1} ms, longest {longest:.1} ms, \
         while one terminal read nothing"
    )?;
    anyhow::ensure!(server.stop().await?, "the server did not end well");
    let mut targets = Targets::default();
    targets.at_most(
        "no session waits for another's terminal: longest wait for GIVEN",
        longest,
        5000.0,
        "ms",
    );
    books(config, &url, given).await?;
    targets.tell(ask.check)
}

/// The hospital, in which each nurse has a patient of their own with so many doses to be given now, each of another drug;
/// gives the nurses' keys.
async fn hospital(
    config: &Config,
    url: &str,
    nurses: u32,
    doses: u32,
) -> anyhow::Result<Vec<Arc<PrivateKey>>> {
    let db = Db::open(url, &config.pool(), true).await?;
    migrate::migrate(&db, |_, _| {}).await?;
    let wards = nurses.div_ceil(OF_A_WARD);
    let stock = (0..wards).flat_map(|ward| (0..doses).map(move |drug| ((ward, drug), PLENTY)));
    Hospital {
        wards,
        nurses,
        patients: nurses,
        drugs: doses,
        stock: BTreeMap::from_iter(stock),
        prescriptions: (0..nurses)
            .flat_map(|patient| (0..doses).map(move |drug| (patient, drug)))
            .collect(),
        times: Times::Once,
    }
    .fill(&db)
    .await?;
    let mut keys = Vec::new();
    for nurse in 0..nurses {
        keys.push(Arc::new(key_for(&db, &nurse_name(nurse)).await?));
    }
    db.close().await;
    Ok(keys)
}

async fn arrive(server: &Process, keys: &[Arc<PrivateKey>]) -> anyhow::Result<Vec<Person>> {
    let mut nurses: Vec<(u32, Person)> = Vec::with_capacity(keys.len());
    let mut arriving = JoinSet::new();
    let mut waiting = (0u32..).zip(keys);
    loop {
        while arriving.len() < AT_ONCE
            && let Some((n, key)) = waiting.next()
        {
            let (address, key) = (server.address.clone(), Arc::clone(key));
            arriving.spawn(async move {
                let arrived = Person::arrives(&address, &nurse_name(n), &key).await;
                arrived.map(|person| (n, person))
            });
        }
        match arriving.join_next().await {
            Some(arrived) => nurses.push(arrived??),
            None => break,
        }
    }
    nurses.sort_by_key(|(n, _)| *n);
    Ok(nurses.into_iter().map(|(_, person)| person).collect())
}

/// Everybody gives their patient's doses, one after the other; gives how many, how long each was waited for, and how
/// long it all took.
async fn give(
    mut nurses: Vec<Person>,
    ask: &BenchSessions,
    each: u32,
) -> anyhow::Result<(u64, Vec<Duration>, Duration)> {
    let idle = nurses.pop().context("one who watches")?;
    idle.stopped.set(true);
    let began = Instant::now();
    let until = match ask.doses {
        Some(_) => None,
        None => Some(began + Duration::from_secs(ask.seconds.into())),
    };
    let mut giving = JoinSet::new();
    for (n, mut nurse) in (0u32..).zip(nurses) {
        giving.spawn(async move {
            let waits = doses(&mut nurse, n, each, until).await;
            // The line is kept until everybody is done.
            waits.map(|waits| (nurse, waits))
        });
    }
    let mut people = Vec::new();
    let mut waits = Vec::new();
    while let Some(gave) = giving.join_next().await {
        let (person, theirs) = gave??;
        people.push(person);
        waits.extend(theirs);
    }
    let took = began.elapsed();
    idle.stopped.set(false);
    Ok((waits.len() as u64, waits, took))
}

/// One nurse's work.
async fn doses(
    nurse: &mut Person,
    n: u32,
    each: u32,
    until: Option<Instant>,
) -> anyhow::Result<Vec<Duration>> {
    let patient = format!("D{n:05}");
    // Only this patient's doses are looked at.
    nurse.send("/").await?;
    nurse.sees("Enter keep").await?;
    nurse.send(&patient).await?;
    nurse.sees(&patient).await?;
    nurse.send("\r").await?;
    nurse.sees("Enter give").await?;
    let mut waits = Vec::new();
    while waits.len() < each as usize {
        if until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
        nurse.send("\r").await?;
        // Whoever is faster than their own queue opens the dose that they have just given, and is told so.
        if nurse
            .sees_one(&["MEANWHILE", "no record of this drug"])
            .await?
            == 0
        {
            nurse.send("\x1b").await?;
            nurse.sees("QUEUE").await?;
            tokio::time::sleep(TURNS).await;
            continue;
        }
        nurse.send(&format!("{patient}\r")).await?;
        nurse.sees("identified").await?;
        let signed = Instant::now();
        nurse.send(SIGN).await?;
        nurse.sees("GIVEN at ").await?;
        waits.push(signed.elapsed());
        nurse.send("\r").await?;
        nurse.sees("QUEUE").await?;
        tokio::time::sleep(TURNS).await;
    }
    Ok(waits)
}

/// The books agree, and hold as many doses as nurses were told of.
async fn books(config: &Config, url: &str, given: u64) -> anyhow::Result<()> {
    let db = Db::open(url, &config.pool(), false).await?;
    let report = verify::verify(&db).await?;
    db.close().await;
    let mut agrees = true;
    let mut check = |what: String, holds: bool| {
        agrees &= holds;
        say!("{} {what}", if holds { '✓' } else { '✗' })
    };
    check(
        format!(
            "{given} doses were seen to be given, and {} are on record",
            report.doses
        ),
        report.doses == given,
    )?;
    for rule in &report.rules {
        check(rule.rule.to_owned(), rule.broken_by.is_none())?;
    }
    anyhow::ensure!(agrees, "the books do not agree");
    Ok(())
}
