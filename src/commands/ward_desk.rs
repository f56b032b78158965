//! `valmed` alone: the ward desk at this terminal.

use std::sync::Arc;

use super::End;
use crate::config::{Config, data_folder};
use crate::desk::horizon::make_orders_ahead;
use crate::domain::WardId;
use crate::feed::Feed;
use crate::session::local::{self, Ended};
use crate::session::{Services, Settings, Station};
use crate::signin::SignIn;
use crate::store::{self, Db, accounts, inspect, screens};
use crate::tui::{SignedIn, Start};

/// How long a clock may be wrong, or doses not be made, before somebody looks.
const LOOK: std::time::Duration = std::time::Duration::from_secs(300);

/// Opens the configured database, which is made at the first start where it is this user's own, and the desk on it.
pub async fn ward_desk(config: &Config) -> anyhow::Result<()> {
    // Before anybody signs in: every rule about times goes by this machine's clock.
    let db = super::open_or_make(config).await?;
    let (url, _) = config.database_or_embedded()?;
    let start = first_screen(&db, &url).await?;
    let settings = Settings {
        files: data_folder().map(Arc::from),
        ..session_settings(config)
    };
    run(db, config, settings, start).await?.echo();
    Ok(())
}

/// What a session is like, by the settings.
pub fn session_settings(config: &Config) -> Settings {
    Settings {
        due_window: config.due_window(),
        policy: config.policy(),
        lock_after: config.lock_after(),
        ends_after: config.ends_after(),
        scanner: config.scanner(),
        ..Settings::default()
    }
}

async fn first_screen(db: &Db, url: &str) -> anyhow::Result<Start> {
    let mut conn = db.reader().await?;
    let people = accounts::able_to_sign_in(conn.link()).await?;
    let wards = screens::wards(conn.link()).await?;
    drop(conn);
    Ok(if people == 0 || wards.is_empty() {
        Start::FirstRun {
            database: store::redact(url),
            people: !wards.is_empty() && inspect::people(db).await? > 0,
        }
    } else {
        Start::SignIn {
            note: String::new(),
        }
    })
}

/// The screen of somebody whose name is known: a demonstration signs in by itself. Signing out goes to the sign-in,
/// which shows `then`.
pub async fn known(
    db: &Db,
    username: &str,
    ward: Option<WardId>,
    then: &str,
) -> anyhow::Result<Start> {
    let actor = SignIn::known(db, username).await?;
    let actor = actor.ok_or_else(|| End::Usage(format!("there is no account '{username}'")))?;
    let wards = screens::wards(db.reader().await?.link()).await?;
    Ok(Start::Known {
        signed_in: SignedIn { actor, wards },
        ward,
        then: Some(then.to_owned()),
    })
}

/// A desk that is open, with all that it does by itself.
pub struct Open {
    /// For its sessions.
    pub services: Services,
    stop: tokio::sync::oneshot::Sender<()>,
    horizon: tokio::task::JoinHandle<()>,
}

/// Opens the desk on a database: from now on doses become orders ahead of time.
pub fn open(db: Db, config: &Config) -> Open {
    let (desk, feed) = super::desk(&db, config);
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let horizon = tokio::spawn(keep_orders_ahead(
        db.clone(),
        config.clone(),
        feed.clone(),
        stopped,
    ));
    let sign_in = SignIn::new(db.clone(), config.sign_in_delays());
    let clock = std::sync::Arc::new(store::now);
    Open {
        services: Services::new(db, desk, feed, sign_in, clock),
        stop,
        horizon,
    }
}

impl Open {
    /// Finishes what was signed.
    pub async fn close(self, config: &Config) {
        // It ends between two runs: a transaction is never left in the middle.
        drop(self.stop);
        if tokio::time::timeout(config.desk().wait, self.horizon)
            .await
            .is_err()
        {
            tracing::warn!("orders were still being made ahead at the end");
        }
        super::close(&self.services.desk, &self.services.feed, config).await;
        if !self.services.remembered(config.desk().wait).await {
            tracing::error!("outcomes that nobody saw may not be remembered");
        }
    }
}

/// Runs the desk at this terminal until the person leaves, then finishes what was signed. Says how it ended: the
/// caller tidies up and then passes a signal on.
pub async fn run(
    db: Db,
    config: &Config,
    settings: Settings,
    start: Start,
) -> anyhow::Result<Ended> {
    // What makes no sense is said before the terminal is taken over.
    let kept = config.kept_terminals()?;
    let variable = |name: &str| std::env::var(name).ok();
    let station = Station::at("here", variable, config.look(), kept);
    let open = open(db, config);
    let ended = local::run(open.services.clone(), settings, start, station).await;
    open.close(config).await;
    Ok(ended?)
}

/// While a desk is open, doses become orders before they are due.
async fn keep_orders_ahead(
    db: Db,
    config: Config,
    feed: Feed,
    mut stopped: tokio::sync::oneshot::Receiver<()>,
) {
    let mut every = tokio::time::interval(config.horizon_every().min(LOOK));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            _ = &mut stopped => return,
        }
        if clock_is_right(&db, &feed).await {
            orders_ahead(&db, &config, &feed).await;
        }
    }
}

/// Looks at the server's clock; every screen says so when this machine's has gone wrong.
async fn clock_is_right(db: &Db, feed: &Feed) -> bool {
    match inspect::clock_skew(db).await {
        Ok(skew) => {
            let fault = inspect::clock_fault(skew);
            let right = fault.is_none();
            if let Some(fault) = &fault {
                tracing::warn!("no orders are made ahead: {fault}");
            }
            feed.trouble_with_clock(fault);
            right
        }
        // Nothing new is known of the clock; whether orders can be made shows by itself.
        Err(error) => {
            tracing::warn!("the server's clock could not be read: {error}");
            true
        }
    }
}

/// One run. What it could not do stands on every screen until a run can: a queue without the doses that are due looks
/// like a quiet ward.
async fn orders_ahead(db: &Db, config: &Config, feed: &Feed) {
    match make_orders_ahead(db, store::now(), config.horizon()).await {
        Ok(made) => {
            feed.trouble_with_orders(made.trouble());
            if !made.wards.is_empty() {
                feed.on_commit()(&made.wards);
            }
        }
        // The next turn tries again.
        Err(error) => {
            tracing::warn!("orders could not be made ahead: {error}");
            let trouble = "doses are not being made into orders".to_owned();
            feed.trouble_with_orders(Some(trouble));
        }
    }
}
