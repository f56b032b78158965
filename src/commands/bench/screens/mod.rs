//! `valmed bench screens`: every query of every screen, in a hospital with much behind it and in one with little.
//!
//! Both hospitals have the same wards, cupboards and queues, so that each screen shows as many rows in one as in the
//! other; what differs is how much was given before. Queries are asked of both in turn, so that whatever else the
//! machine does meets both.

mod desk;
mod measure;
mod report;

use std::time::Instant;

use anyhow::Context;

use crate::cli;
use crate::commands::End;
use crate::config::Config;
use crate::interop::hospital::{self, Asked, Filled, Hospital};
use crate::store::scratch::Scratch;
use crate::store::{Db, inspect, now};

/// Makes both hospitals, measures, drops them, and says what it was.
pub async fn screens(config: &Config, ask: cli::BenchScreens) -> anyhow::Result<()> {
    let (url, _) = config.database_or_embedded()?;
    let pool = config.pool();
    let made = || Scratch::make(&url, &pool);
    let small = made().await.context("a scratch database")?;
    let large = match made().await {
        Ok(large) => large,
        Err(error) => {
            small.drop_it().await?;
            return Err(error).context("a second scratch database");
        }
    };
    let result = tokio::select! {
        result = measured(config, &ask, &small, &large) => result,
        // Whoever interrupts it does not want its databases left behind.
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    let dropped = (small.drop_it().await, large.drop_it().await);
    dropped
        .0
        .context("a scratch database could not be dropped")?;
    dropped
        .1
        .context("a scratch database could not be dropped")?;
    let report = result?;
    report.print(ask.json)?;
    if ask.check && !report.targets_met() {
        return Err(End::Failed.into());
    }
    Ok(())
}

/// A filled scratch database.
struct House<'a> {
    scratch: &'a Scratch,
    filled: Filled,
}

impl House<'_> {
    const fn db(&self) -> &Db {
        self.scratch.db()
    }
}

async fn measured(
    config: &Config,
    ask: &cli::BenchScreens,
    small: &Scratch,
    large: &Scratch,
) -> anyhow::Result<report::Report> {
    let given = ask.orders.saturating_sub(ask.active);
    let small = filled(ask, small, ask.baseline).await?;
    let large = filled(ask, large, given).await?;
    let bounds = config.feed().bounds;
    let mut samples = measure::Samples::default();
    measure::cold(&mut samples, &large, bounds, ask.cold).await?;
    measure::warm(&mut samples, [&small, &large], bounds, ask.rounds).await?;
    // One p99 of some hundreds is a coin that falls badly: what missed is asked as often again, with everything else.
    let missed = report::missed(&samples);
    if missed > 0 {
        eprintln!("{missed} missed: all is measured for as long again");
        measure::warm(&mut samples, [&small, &large], bounds, ask.rounds).await?;
    }
    measure::buffers(&mut samples, [&small, &large], bounds).await?;
    let desks = desk::desks([&small, &large]).await?;
    let doctor = inspect::plans(large.db()).await?;
    let mut report = report::Report::new(ask, large.db().engine(), &samples, desks, doctor);
    if ask.plans {
        report.explain(&large, bounds).await?;
    }
    Ok(report)
}

async fn filled<'a>(
    ask: &cli::BenchScreens,
    scratch: &'a Scratch,
    given: u32,
) -> anyhow::Result<House<'a>> {
    let size = |number: u32| number as usize;
    // Doses are as many a day in either hospital, and so are transfers: a report of a shift is of as much in both.
    let days = |given: u32| u64::from(given + ask.active) / u64::from(ask.active.max(1)) + 2;
    let all_transfers = u64::from(ask.orders / 5);
    let most = ask.orders.saturating_sub(ask.active);
    let transfers = all_transfers * days(given) / days(most);
    let hospital = Hospital {
        wards: size(ask.wards),
        drugs: size(ask.drugs),
        cupboard: size(ask.cupboard),
        // Who lies in the wards now, and who was there before.
        patients: size((given + ask.active) / 10),
        nurses: 6,
        active: size(ask.active),
        as_needed: size(ask.active / 10),
        completed: size(given),
        transfers: usize::try_from(transfers).unwrap_or(usize::MAX),
        asked: Asked::Evenly,
        seed: 20,
    };
    let began = Instant::now();
    let all = size(given + ask.active);
    let mut said = Instant::now();
    let filled = hospital::fill(scratch.db(), &hospital, now(), &mut |done| {
        if said.elapsed().as_secs() >= 10 {
            said = Instant::now();
            eprintln!("filling: {done} of {all} orders");
        }
    })
    .await
    .context("filling a hospital")?;
    eprintln!(
        "filled: {all} orders in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    Ok(House { scratch, filled })
}
