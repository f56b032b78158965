//! `valmed bench …`: one file for each thing that is measured.

mod desk;
mod feed;
mod fulfil;
mod screens;
mod sessions;
mod targets;
mod wire;

use std::time::{Duration, Instant};

use crate::cli::Bench;
use crate::config::Config;

/// Runs a bench. `began` is when the command started.
pub async fn bench(config: &Config, ask: Bench, began: Instant) -> anyhow::Result<()> {
    match ask {
        Bench::Desk(ask) => desk::desk(config, ask, began).await,
        Bench::Feed(ask) => feed::feed(config, ask).await,
        Bench::Screens(ask) => screens::screens(config, ask).await,
        Bench::Fulfil(ask) => fulfil::fulfil(config, ask).await,
        Bench::Sessions(ask) => sessions::sessions(config, ask).await,
        Bench::Wire(ask) => wire::wire(config, ask).await,
    }
}

fn in_milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
