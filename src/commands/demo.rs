//! `valmed demo`: a made-up ward, to try things out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{import, ward_desk};
use crate::config::{Config, data_folder};
use crate::desk::horizon::make_orders_ahead;
use crate::domain::UserId;
use crate::interop::import as interop;
use crate::interop::{Rejects, demo};
use crate::session::Settings;
use crate::signin::hash_secret;
use crate::store::{Db, accounts, migrate as schema, now, screens};

/// The PIN of everybody in the demo ward; the sign-in says so.
const PIN: &str = "1234";
/// What the sign-in says, so that one can go on as somebody else.
const PEOPLE: &str =
    "Everybody's PIN is 1234. Nurses: amara, linh. Doctor: dr.haddad. Pharmacist: marek.";

/// Opens the desk of the demo ward, signed in as a nurse. Its database is in `keep`, made there if it is not there yet,
/// or in a temporary folder that is gone afterwards.
pub async fn demo(config: &Config, keep: Option<PathBuf>) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir().context("a temporary folder")?;
    let folder = match &keep {
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            folder.as_path()
        }
        None => temporary.path(),
    };
    let db = open(config, folder).await?;
    let ward = screens::ward_by_code(db.reader().await?.link(), demo::WARD).await?;
    let start = ward_desk::known(&db, demo::NURSE, ward.map(|ward| ward.id), PEOPLE).await?;
    let settings = Settings {
        due_window: config.due_window(),
        demo: true,
        policy: config.policy(),
        files: data_folder().map(Arc::from),
        scanner: config.scanner(),
        ..Settings::default()
    };
    let ended = ward_desk::run(db, config, settings, start).await;
    // Before a signal is passed on, because nothing runs after that.
    drop(temporary);
    ended?.echo();
    if let Some(folder) = keep {
        super::output::say!("The demo ward is kept in {}.", folder.display())?;
    }
    Ok(())
}

/// The database of the demo ward in a folder, made and filled there if it is not there yet.
pub async fn open(config: &Config, folder: &Path) -> anyhow::Result<Db> {
    open_at(config, folder, now()).await
}

/// The same, filled as if it were `at`.
pub async fn open_at(config: &Config, folder: &Path, at: Timestamp) -> anyhow::Result<Db> {
    let path = folder.join("demo-ward.db");
    let known = path.exists();
    let db = Db::open(
        &format!("sqlite://{}", path.display()),
        &config.pool(),
        true,
    )
    .await?;
    schema::migrate(&db, |_, _| {}).await?;
    if !known {
        fill(config, &db, folder, at).await?;
    }
    Ok(db)
}

/// Imports the demo ward as any ward is imported, and lets its people sign in.
async fn fill(config: &Config, db: &Db, folder: &Path, now: Timestamp) -> anyhow::Result<()> {
    let zone = config.time_zone();
    let source = demo::source(now, &TimeZone::get(&zone).unwrap_or(TimeZone::UTC))?;
    let settings = import::settings(config, true);
    let mut rejects = Rejects::at(folder.join("rejects.csv"));
    let report = interop::import(db, &source, &settings, now, &mut rejects, &mut |_| {}).await?;
    anyhow::ensure!(
        !report.undone,
        "the demo ward has rejected rows: {:?}",
        report.rejects
    );
    make_orders_ahead(db, now, config.horizon()).await?;
    // One hash for all: it is no secret.
    let hash = tokio::task::spawn_blocking(|| hash_secret(PIN)).await??;
    let mut conn = db.writer().await?;
    let mut tx = conn.begin_write().await?;
    for person in accounts::list(tx.link(), "", 1000).await? {
        let id: Option<UserId> = accounts::by_username(tx.link(), &person.username)
            .await?
            .map(|found| found.id);
        if let Some(id) = id {
            accounts::set_secret(tx.link(), id, &hash).await?;
        }
    }
    Ok(tx.commit().await?)
}
