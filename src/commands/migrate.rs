//! `valmed migrate`.

use std::path::Path;

use anyhow::Context;

use super::output::say;
use crate::config::Config;
use crate::store::{Db, migrate as schema, redact, rights};

pub async fn migrate(config: &Config, app_role: Option<&str>) -> anyhow::Result<()> {
    let (url, embedded) = config.database_or_embedded()?;
    if embedded {
        make_folder(&url)?;
    }
    let db = Db::open(&url, &config.pool(), true)
        .await
        .with_context(|| redact(&url))?;
    let taken = schema::migrate(&db, |step, name| {
        // That nobody reads what is being done is no reason to stop half-way.
        let _ = say!("step {step}: {name}");
    })
    .await?;
    let did = match taken {
        0 => "nothing to do".to_owned(),
        1 => "1 step taken".to_owned(),
        n => format!("{n} steps taken"),
    };
    say!("{}: {did}, the schema is current", redact(&url))?;
    if let Some(role) = app_role {
        rights::grant(&db, role)
            .await
            .with_context(|| format!("role {role}"))?;
        say!(
            "role {role}: may do what the application does, and only add to register, administrations and audit"
        )?;
    }
    db.close().await;
    Ok(())
}

/// The folder of the embedded database is made, so that the first start works.
pub fn make_folder(url: &str) -> anyhow::Result<()> {
    let path = Path::new(url.trim_start_matches("sqlite://"));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    Ok(())
}
