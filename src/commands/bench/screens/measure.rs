//! Asking, and how long each answer took.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use fastrand::Rng;
use uuid::Uuid;

use super::House;
use crate::domain::DrugId;
use crate::signin::SignIn;
use crate::store::catalogue::{Buffers, Query, Subject, Within, queries};
use crate::store::formulary::{Formulary, PAGE as PAGE_OF_DRUGS};
use crate::store::screens::{self, Bounds, Found};
use crate::store::{At, Conn, Db, Engine, now};

/// Rows of a page of a list: what `valmed orders` shows without being told.
const PAGE: i64 = 100;

/// Orders that a desk takes into one batch.
const BATCH: usize = 64;

/// Patients of a ward's queue and log, and prescriptions of its queue.
const PATIENTS: usize = 150;
const PRESCRIPTIONS: usize = 350;

/// Before anything is counted, each query is asked so often: statements are prepared then, and PostgreSQL settles on a
/// plan for any value after five.
const WARMING: u32 = 10;

/// Plans that are asked what they read.
const EXPLAINED: u32 = 9;

/// What was measured of one query.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// On a fresh connection to the large hospital.
    pub cold: Vec<Duration>,
    /// For something that was not asked for before, in the large hospital.
    pub first: Vec<Duration>,
    /// For the same again, in the small and the large hospital.
    pub warm: [Vec<Duration>; 2],
    /// Rows that came.
    pub rows: [Vec<usize>; 2],
    /// Pages that were read.
    pub buffers: [Vec<Buffers>; 2],
    /// It is a whole screen: several queries and what is made of them.
    pub whole: bool,
}

/// What was measured, in the order in which it was first asked.
#[derive(Debug, Default)]
pub struct Samples {
    /// Names and figures.
    pub all: Vec<(&'static str, Measured)>,
    place: HashMap<&'static str, usize>,
}

impl Samples {
    fn of(&mut self, name: &'static str) -> &mut Measured {
        let all = &mut self.all;
        let place = *self.place.entry(name).or_insert_with(|| {
            all.push((name, Measured::default()));
            all.len() - 1
        });
        &mut all[place].1
    }
}

/// One of everything that there is, at random.
pub fn subject(house: &House<'_>, bounds: Bounds, rng: &mut Rng) -> anyhow::Result<Subject> {
    fn one<T: Clone>(of: &[T], rng: &mut Rng) -> anyhow::Result<T> {
        rng.choice(of)
            .cloned()
            .context("the hospital has nothing to ask for")
    }
    let filled = &house.filled;
    let (drug, code) = one(&filled.drugs, rng)?;
    let (administration, given_at, patient, given): (_, At, _, DrugId) = one(&filled.given, rng)?;
    let (user, username) = one(&filled.nurses, rng)?;
    let people = rng.choose_multiple(filled.in_queue.iter().map(|of| of.0), PATIENTS);
    let asked = rng.choose_multiple(filled.in_queue.iter().map(|of| of.1), PRESCRIPTIONS);
    // Keys in the order in which a desk locks them.
    let mut pages = rng.choose_multiple(filled.pages.iter().copied(), BATCH);
    pages.sort_unstable();
    let mut batch = rng.choose_multiple(filled.active.iter().copied(), BATCH);
    batch.sort_unstable();
    let mut drugs = rng.choose_multiple(filled.drugs.iter().map(|(drug, _)| *drug), PAGE_OF_DRUGS);
    drugs.sort_unstable();
    // A batch is new but for what somebody asks again, because an answer did not come.
    let repeated = one(&filled.operations, rng)?;
    let mut operations: Vec<Uuid> = (1..BATCH).map(|_| Uuid::now_v7()).collect();
    operations.push(repeated.0);
    Ok(Subject {
        ward: one(&filled.wards, rng)?.0,
        pharmacy: one(&filled.pharmacy, rng)?.0,
        drugs,
        drug,
        code,
        mrn: one(&filled.patients, rng)?.1,
        active: one(&filled.active, rng)?,
        completed: one(&filled.completed, rng)?,
        people,
        asked,
        as_needed: one(&filled.as_needed, rng)?,
        administration: administration.0,
        given_at,
        patient,
        given,
        pages,
        batch,
        operations,
        username,
        user: user.0,
        page: PAGE,
        bounds,
        now: At::from(now()),
    })
}

/// Each query on a connection that nothing was ever asked on.
pub async fn cold(
    samples: &mut Samples,
    house: &House<'_>,
    bounds: Bounds,
    rounds: u32,
) -> anyhow::Result<()> {
    let mut rng = Rng::with_seed(1);
    for _ in 0..rounds {
        for query in queries(&subject(house, bounds, &mut rng)?) {
            forget_file(house.db())?;
            let mut conn = house.db().reader().await?;
            let began = Instant::now();
            query.run(conn.link()).await.context(query.name)?;
            samples.of(query.name).cold.push(began.elapsed());
            conn.discard().await;
        }
    }
    Ok(())
}

/// Asks Linux to forget what it holds of an embedded database's file, so that it is read from the disk. A server's files
/// are not ours to touch.
#[cfg(target_os = "linux")]
fn forget_file(db: &Db) -> anyhow::Result<()> {
    if let Db::Sqlite { path, .. } = db {
        let file = std::fs::File::open(path)?;
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn forget_file(_db: &Db) -> anyhow::Result<()> {
    Ok(())
}

/// Every query of both hospitals in turn, on one connection to each that stays open, as a desk's do. Each is asked twice
/// for the same: the first time, what it needs may still lie outside the cache of the database.
pub async fn warm(
    samples: &mut Samples,
    houses: [&House<'_>; 2],
    bounds: Bounds,
    rounds: u32,
) -> anyhow::Result<()> {
    let mut rng = Rng::with_seed(2);
    let mut conns = [
        houses[0].db().reader().await?,
        houses[1].db().reader().await?,
    ];
    let formularies = [Formulary::default(), Formulary::default()];
    for round in 0..rounds + WARMING {
        let mut took = Vec::new();
        let subjects = [
            subject(houses[0], bounds, &mut rng)?,
            subject(houses[1], bounds, &mut rng)?,
        ];
        let asked = [queries(&subjects[0]), queries(&subjects[1])];
        for (small, large) in asked[0].iter().zip(&asked[1]) {
            // Neither is always the first.
            let turns = if rng.bool() {
                [(0, small), (1, large)]
            } else {
                [(1, large), (0, small)]
            };
            for (which, query) in turns {
                let (first, _) = ask(&mut conns[which], query).await?;
                let (again, rows) = ask(&mut conns[which], query).await?;
                took.push((query.name, which, [first, again], rows, false));
            }
        }
        for which in [0, 1] {
            let (house, subject) = (houses[which], &subjects[which]);
            let first = whole(&mut conns[which], &formularies[which], house, subject).await?;
            let again = whole(&mut conns[which], &formularies[which], house, subject).await?;
            for ((name, first, _), (_, time, rows)) in first.into_iter().zip(again) {
                took.push((name, which, [first, time], rows, true));
            }
        }
        if round < WARMING {
            continue;
        }
        for (name, which, [first, time], rows, whole) in took {
            let measured = samples.of(name);
            if which == 1 {
                measured.first.push(first);
            }
            measured.warm[which].push(time);
            measured.rows[which].push(rows);
            measured.whole = whole;
        }
    }
    Ok(())
}

/// Asks as the program does, and says how long it took without what stands around it: a screen is several queries in
/// one transaction, and is measured whole.
async fn ask(conn: &mut Conn, query: &Query) -> anyhow::Result<(Duration, usize)> {
    let mut tx = match (query.within, conn) {
        (Within::Alone, conn) => {
            let began = Instant::now();
            let rows = query.run(conn.link()).await.context(query.name)?;
            return Ok((began.elapsed(), rows));
        }
        (Within::Batch, conn @ Conn::Postgres(_)) => conn.begin_write().await?,
        (_, conn) => conn.begin_screen().await?,
    };
    let began = Instant::now();
    let rows = query.run(tx.link()).await.context(query.name)?;
    let took = began.elapsed();
    tx.rollback().await?;
    Ok((took, rows))
}

/// What a person waits for: all the queries of a screen, and their rows turned into what it shows.
async fn whole(
    conn: &mut Conn,
    formulary: &Formulary,
    house: &House<'_>,
    of: &Subject,
) -> anyhow::Result<Vec<(&'static str, Duration, usize)>> {
    let mut took = Vec::new();
    for (name, ward) in [
        ("whole: a ward's desk", of.ward),
        ("whole: the pharmacy's desk", of.pharmacy),
    ] {
        let began = Instant::now();
        let ward = screens::snapshot(conn, formulary, ward, of.bounds, of.now.0).await?;
        let ward = ward.context("a ward is not there")?;
        let rows = ward.orders.len() + ward.stock.len() + ward.log.len();
        took.push((name, began.elapsed(), rows));
    }
    let began = Instant::now();
    let found = screens::order_detail(conn, of.active, of.now.0).await?;
    anyhow::ensure!(
        matches!(found, Found::Open(_)),
        "an active order is not open"
    );
    took.push(("whole: the sheet of a dose", began.elapsed(), 1));
    let began = Instant::now();
    let actor = SignIn::known(house.db(), &of.username).await?;
    anyhow::ensure!(actor.is_some(), "an account is not there");
    took.push(("whole: signing in, but for the PIN", began.elapsed(), 1));
    Ok(took)
}

/// What PostgreSQL reads for each.
pub async fn buffers(
    samples: &mut Samples,
    houses: [&House<'_>; 2],
    bounds: Bounds,
) -> anyhow::Result<()> {
    let mut rng = Rng::with_seed(3);
    for (which, house) in houses.into_iter().enumerate() {
        if house.db().engine() != Engine::Postgres {
            continue;
        }
        let mut conn = house.db().reader().await?;
        for _ in 0..EXPLAINED {
            for query in queries(&subject(house, bounds, &mut rng)?) {
                let read = query.buffers(conn.link()).await.context(query.name)?;
                samples.of(query.name).buffers[which].extend(read);
            }
        }
    }
    Ok(())
}
