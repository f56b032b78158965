//! `valmed import`.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::End;
use super::output::{self, say};
use crate::cli;
use crate::config::Config;
use crate::desk::horizon::{Made, make_orders_ahead};
use crate::interop::import::{self, Progress, Report, Settings};
use crate::interop::{Rejects, Source};
use crate::store::{inspect, now};

/// Import settings, as configured.
pub fn settings(config: &Config, strict: bool) -> Settings {
    Settings {
        standard_times: config.standard_times.clone(),
        time_zone: config.time_zone(),
        late: config.late_window(),
        strict,
        ..Settings::default()
    }
}

pub async fn import(config: &Config, ask: cli::Import) -> anyhow::Result<()> {
    if !ask.dir.is_dir() {
        return Err(End::Usage(format!("{}: there is no such folder", ask.dir.display())).into());
    }
    let mut rejects = Rejects::at(ask.rejects.unwrap_or_else(|| PathBuf::from("rejects.csv")));
    if let Err(error) = rejects.check() {
        return Err(End::Usage(format!("{}: {error}", rejects.path().display())).into());
    }
    let db = super::open_or_make(config).await?;
    let bar = bar();
    let mut show = |progress: Progress| {
        bar.set_message(progress.file);
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    };
    let source = Source::Folder(ask.dir);
    let began = std::time::Instant::now();
    let settings = settings(config, ask.strict);
    let report = import::import(&db, &source, &settings, now(), &mut rejects, &mut show).await;
    bar.set_message("making orders");
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            bar.finish_and_clear();
            // What was rejected until then is still of use; that it cannot be written says less than what went wrong.
            let _ = rejects.finish();
            return Err(error.into());
        }
    };
    // What was imported is imported: that its orders could not be made is told after the report, not in place of it.
    let (made, unmade) = if report.undone {
        (Made::default(), None)
    } else {
        match make_orders_ahead(&db, now(), config.horizon()).await {
            Ok(made) => (made, None),
            Err(error) => (Made::default(), Some(error)),
        }
    };
    if !report.undone {
        inspect::refresh_statistics(&db).await?;
    }
    bar.finish_and_clear();
    let path = rejects.path().display().to_string();
    let written = rejects.finish().with_context(|| path.clone())?;
    print(&report, &made, began.elapsed())?;
    for fault in &made.unreadable {
        say!("no orders made: {}", output::shown(fault))?;
    }
    let more = made.skipped.saturating_sub(made.unreadable.len() as u64);
    if more > 0 {
        say!("no orders made: … and {more} more")?;
    }
    db.close().await;
    if report.undone {
        say!("Nothing was taken: --strict takes all or nothing. Rejected rows are in {path}.")?;
    } else if written {
        println!(
            "Rejected rows are in {path}, each with its reason; mend them and import that folder again."
        );
    }
    if let Some(error) = unmade {
        return Err(anyhow::Error::new(error).context(
            "imported, but doses are not yet made into orders; a desk that is open will make them",
        ));
    }
    if report.rejected() > 0 {
        Err(End::Rejected.into())
    } else {
        Ok(())
    }
}

fn bar() -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(None, target);
    // The template is a constant; if it could not be read, the plain bar is as good.
    if let Ok(style) = ProgressStyle::with_template("{msg:18} [{bar:40}] {percent:>3} %") {
        bar.set_style(style.progress_chars("#>-"));
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn print(report: &Report, made: &Made, took: Duration) -> std::io::Result<()> {
    say!(
        "{:20} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "FILE",
        "NEW",
        "CHANGED",
        "SAME",
        "REJECTED",
        "NOTED"
    )?;
    for file in &report.files {
        say!(
            "{:20} {:>8} {:>8} {:>8} {:>8} {:>8}",
            file.file,
            file.new,
            file.changed,
            file.same,
            file.rejected,
            file.noted
        )?;
    }
    for (title, faults, all) in [
        ("rejected", &report.rejects, report.rejected()),
        (
            "noted",
            &report.notes,
            report.files.iter().map(|file| file.noted).sum(),
        ),
    ] {
        for fault in faults {
            say!("{title}: {}", output::shown(&fault.to_string()))?;
        }
        let more = all.saturating_sub(faults.len() as u64);
        if more > 0 {
            say!("{title}: … and {more} more")?;
        }
    }
    let unscheduled: Vec<String> = report
        .frequencies
        .iter()
        .filter(|(_, how)| how.unscheduled > 0)
        .map(|(written, how)| format!("{} ({})", output::shown(written), how.unscheduled))
        .collect();
    if !unscheduled.is_empty() {
        say!(
            "No schedule, for a nurse to read the prescription: {}",
            unscheduled.join(", ")
        )?;
    }
    say!("{} orders made in {:.1} s", made.orders, took.as_secs_f64())
}
