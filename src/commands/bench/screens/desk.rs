//! This program as a person starts it: how long until the ward is on the screen, and how much memory it takes.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;
use serde_json::Value;

use super::House;
use crate::commands::bench::in_milliseconds;

/// How often it is started in each hospital.
const STARTS: usize = 7;

/// Keys that are pressed before its memory is looked at.
const KEYS: &str = "20";

/// What was measured of a desk's process.
#[derive(Debug, Clone, Serialize)]
pub struct DeskFigures {
    /// From before the process was there until its first frame with the ward on it was there, half of the time.
    pub start_p50_ms: f64,
    /// The longest.
    pub start_longest_ms: f64,
    /// The most memory that it ever had in use; `None`: this system does not say.
    pub memory_bytes: Option<u64>,
}

/// Starts this program in each hospital.
pub async fn desks(houses: [&House<'_>; 2]) -> anyhow::Result<[DeskFigures; 2]> {
    Ok([desk(houses[0]).await?, desk(houses[1]).await?])
}

async fn desk(house: &House<'_>) -> anyhow::Result<DeskFigures> {
    let (_, nurse) = house
        .filled
        .nurses
        .first()
        .context("a hospital without nurses")?;
    let (_, ward) = house
        .filled
        .wards
        .first()
        .context("a hospital without wards")?;
    let (url, nurse, ward) = (house.scratch.url().to_owned(), nurse.clone(), ward.clone());
    tokio::task::spawn_blocking(move || {
        let mut starts = Vec::new();
        let mut memory = None;
        for _ in 0..STARTS {
            let (start, peak) = started(&url, &nurse, &ward)?;
            starts.push(start);
            memory = memory.max(peak);
        }
        starts.sort_unstable();
        Ok(DeskFigures {
            start_p50_ms: in_milliseconds(starts[STARTS / 2]),
            start_longest_ms: in_milliseconds(starts[STARTS - 1]),
            memory_bytes: memory,
        })
    })
    .await?
}

/// Starts one, and waits for its end.
fn started(url: &str, nurse: &str, ward: &str) -> anyhow::Result<(Duration, Option<u64>)> {
    let program = std::env::current_exe().context("this program")?;
    let began = Instant::now();
    let mut child = Command::new(program)
        .args([
            "bench", "desk", "--json", "--as", nurse, "--ward", ward, "--keys", KEYS,
        ])
        // Everybody on the machine can read arguments, and there may be a password in it.
        .env("VALMED_DATABASE", url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("this program")?;
    let mut start = None;
    let mut peak = None;
    let out = child.stdout.take().context("its output")?;
    for line in BufReader::new(out).lines() {
        let line: Value = serde_json::from_str(&line?)?;
        if line.get("first_frame_ms").is_some() {
            start = Some(began.elapsed());
        }
        peak = peak.or(line.get("peak_bytes").and_then(Value::as_u64));
    }
    let ended = child.wait()?;
    anyhow::ensure!(ended.success(), "a desk ended with {ended}");
    Ok((start.context("a desk showed no ward")?, peak))
}
