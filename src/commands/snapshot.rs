//! `valmed snapshot DIR`: every ward's records and stock as text, for the hours in which there is no ValMed.
//!
//! A file is never there in part: it is written under another name, flushed to the disk, and put in place of the old one
//! in one step. Each says at its top as of when it is true. A ward that cannot be read keeps its old file, whose time says
//! how old it is, and the others are written all the same.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::signal::unix::{SignalKind, signal};

use super::output::say;
use super::{End, patients};
use crate::cli;
use crate::config::Config;
use crate::domain::PatientId;
use crate::domain::snapshot::Ward;
use crate::domain::text::visible;
use crate::store::{self, Db, listing, record, screens};
use crate::tui::record::print;
use crate::tui::widgets::text::{pad, pad_left};

/// Patients that are looked up at once.
const PAGE: i64 = 200;

/// More drugs than any cupboard has.
const MOST_DRUGS: i64 = 100_000;

pub async fn snapshot(config: &Config, ask: cli::Snapshot) -> anyhow::Result<()> {
    let db = super::open(config).await?;
    let dir = &ask.dir;
    make(dir).with_context(|| dir.display().to_string())?;
    let Some(every) = ask.every else {
        return told(write_all(&db, config, &ask).await);
    };
    let (mut stop, mut end) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    loop {
        // What could not be written is told, and tried again next time: whoever needs the files later cannot start it.
        match write_all(&db, config, &ask).await {
            Ok(written) => written.tell(dir)?,
            Err(error) => eprintln!("valmed: {error:#}"),
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = stop.recv() => return Ok(()),
            _ = end.recv() => return Ok(()),
        }
    }
}

fn told(written: anyhow::Result<Written>) -> anyhow::Result<()> {
    let written = written?;
    written.tell(&written.dir)?;
    if written.failed.is_empty() {
        Ok(())
    } else {
        Err(End::Failed.into())
    }
}

/// What a round wrote.
struct Written {
    dir: PathBuf,
    wards: usize,
    patients: usize,
    /// Wards that could not be written, each with why.
    failed: Vec<String>,
    at: Timestamp,
}

impl Written {
    fn tell(&self, dir: &Path) -> std::io::Result<()> {
        for fault in &self.failed {
            eprintln!("valmed: {}", visible(fault));
        }
        let at = stamp(self.at, &TimeZone::system());
        say!(
            "{at}: {} wards, {} patients in {}",
            self.wards,
            self.patients,
            dir.display()
        )
    }
}

/// A folder for the files: they hold patients' names, and are for their user alone.
fn make(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if dir.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}

async fn write_all(db: &Db, config: &Config, ask: &cli::Snapshot) -> anyhow::Result<Written> {
    let wards = screens::wards(db.reader().await?.link()).await?;
    let mut written = Written {
        dir: ask.dir.clone(),
        wards: 0,
        patients: 0,
        failed: Vec::new(),
        at: store::now(),
    };
    let mut index = String::new();
    let mut names = HashSet::new();
    for ward in &wards {
        let name = file_name(ward, &mut names);
        match ward_text(db, config, ward, usize::from(ask.width)).await {
            Ok((text, patients)) => {
                put(&ask.dir, &name, &text).with_context(|| name.clone())?;
                written.wards += 1;
                written.patients += patients;
                let _ = writeln!(
                    index,
                    "{}  {}  {patients} patients",
                    pad(&name, 24, "~"),
                    visible(&ward.name)
                );
            }
            Err(error) => {
                let _ = writeln!(
                    index,
                    "{}  {}  NOT WRITTEN NOW: see its own time",
                    pad(&name, 24, "~"),
                    visible(&ward.name)
                );
                written.failed.push(format!("{}: {error:#}", ward.code));
            }
        }
    }
    let at = stamp(written.at, &TimeZone::system());
    let index = format!("VALMED DOWNTIME FILES, AS OF {at}\n{WARNING}\n\n{index}");
    put(&ask.dir, "INDEX.txt", &index).context("INDEX.txt")?;
    Ok(written)
}

const WARNING: &str =
    "What was done after that time is not in here. Check the clock before you rely on it.";

/// A ward's file: only letters, digits and dashes of its code, and its number where that leaves two alike.
fn file_name(ward: &Ward, taken: &mut HashSet<String>) -> String {
    let plain: String = ward
        .code
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let name = format!("{plain}.txt");
    if plain != ward.code
        || name.eq_ignore_ascii_case("INDEX.txt")
        || taken.contains(&name.to_lowercase())
    {
        let name = format!("{plain}-{}.txt", ward.id);
        taken.insert(name.to_lowercase());
        return name;
    }
    taken.insert(name.to_lowercase());
    name
}

/// Records and stock of a ward, and how many patients it has.
async fn ward_text(
    db: &Db,
    config: &Config,
    ward: &Ward,
    columns: usize,
) -> anyhow::Result<(String, usize)> {
    let now = store::now();
    let mut text = format!(
        "{} {}\nAS OF {}\n{WARNING}\n",
        visible(&ward.code),
        visible(&ward.name),
        stamp(now, &ward.zone())
    );
    let mut mrns: Vec<String> = Vec::new();
    let mut conn = db.reader().await?;
    let mut after = (String::new(), PatientId(uuid::Uuid::nil()));
    loop {
        let page = record::present(conn.link(), ward.id, (&after.0, after.1), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = (last.patient.bed.clone(), last.patient.id);
        mrns.extend(page.into_iter().map(|person| person.patient.mrn));
    }
    for mrn in &mrns {
        // Whoever was moved meanwhile stands in the other ward's file too: better twice than not at all.
        let Some(day) = record::day(&mut conn, mrn, None, now).await? else {
            continue;
        };
        let _ = write!(text, "\n{}\n", "=".repeat(columns));
        text.push_str(&print::text(&day, now, patients::windows(config), columns));
    }
    let stock = listing::stock(conn.link(), Some(ward.id), false, None, MOST_DRUGS).await?;
    let _ = write!(text, "\n{}\nSTOCK\n", "=".repeat(columns));
    for line in stock {
        let low = match (line.current_stock, line.low_stock_threshold) {
            (held, _) if !held.is_positive() => "  OUT",
            (held, threshold) if held <= threshold => "  low",
            _ => "",
        };
        let drug = format!("{} {}", line.drug, line.strength);
        let held = format!("{} {}", line.current_stock, line.unit);
        let drug = pad(&visible(&drug), columns.saturating_sub(24), "~");
        let _ = writeln!(text, "{drug} {}{low}", pad_left(&visible(&held), 17, "~"));
    }
    Ok((text, mrns.len()))
}

/// Day, time and zone: it is read on another day, perhaps by another clock.
fn stamp(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned(zone.clone());
    local.strftime("%a %-d %b %Y %H:%M %Z").to_string()
}

/// Puts a file in place of the old one, whole or not at all.
fn put(dir: &Path, name: &str, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let beside = dir.join(format!(".{name}.{}.part", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, dir.join(name))?;
        File::open(dir)?.sync_all()
    })();
    if written.is_err() {
        // The part is of no use to anybody; that it cannot be taken away says nothing new.
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{WardId, WardKind};

    #[test]
    fn every_ward_has_a_file_of_its_own_in_the_folder() {
        let ward = |id, code: &str| Ward {
            id: WardId(id),
            code: code.to_owned(),
            name: String::new(),
            kind: WardKind::Ward,
            time_zone: "UTC".to_owned(),
        };
        let mut taken = HashSet::new();
        let mut name = |id, code| file_name(&ward(id, code), &mut taken);
        assert_eq!(name(1, "MED3"), "MED3.txt");
        assert_eq!(name(2, "med3"), "med3-2.txt", "on some disks these are one");
        assert_eq!(name(3, "../etc"), "___etc-3.txt");
        assert_eq!(name(4, "INDEX"), "INDEX-4.txt");
    }

    #[test]
    fn a_file_is_replaced_whole_and_leaves_no_part() {
        let dir = std::env::temp_dir().join(format!("valmed-snapshot-{}", uuid::Uuid::now_v7()));
        make(&dir).unwrap();
        put(&dir, "A.txt", "one").unwrap();
        put(&dir, "A.txt", "two").unwrap();
        assert_eq!(fs::read_to_string(dir.join("A.txt")).unwrap(), "two");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        assert!(put(&dir.join("nowhere"), "A.txt", "x").is_err());
        fs::remove_dir_all(&dir).unwrap();
    }
}
