//! The settings as the parts of the program take them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::{Config, ConfigError, embedded, in_data_folder};
use crate::domain::Policy;
use crate::domain::mar::Windows;
use crate::store::screens::Bounds;
use crate::terminal::kept::Kept;
use crate::terminal::scanner;
use crate::tui::Look;
use crate::{desk, feed, server, store};

impl Config {
    /// What people have set about their terminals.
    ///
    /// # Errors
    /// No folder for data, or the file makes no sense: in words.
    pub fn kept_terminals(&self) -> Result<Arc<Kept>, ConfigError> {
        let path = match self.text("terminal.kept") {
            "" => in_data_folder("terminals.toml")?,
            named => PathBuf::from(named),
        };
        Ok(Arc::new(Kept::open(path)?))
    }

    /// What is set about the local terminal.
    pub fn look(&self) -> Look {
        // A terminal is drawn on unless somebody asks for the other.
        let plain = if self.truth("terminal.plain") {
            "true"
        } else {
            ""
        };
        Look::of_words(
            self.text("terminal.colours"),
            self.text("terminal.charset"),
            plain,
        )
    }

    /// The database that is configured; `None`: nobody said, and the embedded one is meant.
    pub fn database(&self) -> Option<&str> {
        Some(self.text("database")).filter(|url| !url.is_empty())
    }

    /// The database to open, and whether it is the embedded one of this user, which may be made on the spot.
    ///
    /// # Errors
    /// [`ConfigError::NoHome`].
    pub fn database_or_embedded(&self) -> Result<(String, bool), ConfigError> {
        match self.database() {
            Some(url) => Ok((url.to_owned(), false)),
            None => Ok((format!("sqlite://{}", embedded()?.display()), true)),
        }
    }

    /// Zone of the wards' clocks for wards that are imported.
    pub fn time_zone(&self) -> String {
        let named = self.text("time_zone");
        if !named.is_empty() {
            return named.to_owned();
        }
        TimeZone::system().iana_name().unwrap_or("UTC").to_owned()
    }

    /// How long before its time a dose is due.
    pub fn due_window(&self) -> SignedDuration {
        self.minutes("queue.due_minutes")
    }

    /// How long ahead doses become orders.
    pub fn horizon(&self) -> SignedDuration {
        self.minutes("schedule.horizon_hours") * 60
    }

    /// How often doses are made into orders while a desk is open.
    pub fn horizon_every(&self) -> Duration {
        self.seconds("schedule.every_minutes") * 60
    }

    /// How late a dose may be at import to be made an order all the same.
    pub fn late_window(&self) -> SignedDuration {
        self.minutes("schedule.late_minutes")
    }

    /// Limits of the pool and its connections.
    pub fn pool(&self) -> store::Options {
        store::Options {
            kept: self.small("pool.kept"),
            burst: self.small("pool.burst"),
            recycle: self.seconds("pool.recycle_seconds"),
            acquire: self.seconds("pool.acquire_seconds"),
            statement: self.seconds("limits.statement_seconds"),
            lock: self.seconds("limits.lock_seconds"),
            idle_in_transaction: self.seconds("limits.idle_in_transaction_seconds"),
        }
    }

    /// What the hospital has set about the rules: for the desk, and for screens.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::new(Policy {
            reasons: self.reasons.clone(),
            horizon: self.horizon(),
            standard_times: self.standard_times.clone(),
            witness_controlled: self.truth("witness.controlled"),
            witness_high_alert: self.truth("witness.high_alert"),
            early_minutes: self.unless_zero("warn.early_minutes"),
            late_minutes: self.unless_zero("warn.late_minutes"),
            same_drug_minutes: self.unless_zero("warn.same_drug_minutes"),
            later_given: self.truth("warn.later_given"),
            high_dose_percent: self.small("warn.high_dose_percent"),
            back_entry_minutes: self.small("back_entry.free_minutes"),
            missed_minutes: self.small("queue.missed_minutes"),
            indication_needed: self.truth("prn.indication"),
            effect_minutes: self.small("prn.effect_minutes"),
            emergency_minutes: self.small("emergency.minutes"),
            nurses_send: self.truth("cupboard.nurses_send"),
            every_difference_stays_open: self.truth("cupboard.every_difference_stays_open"),
            expiring_days: self.small("cupboard.expiring_days"),
        })
    }

    /// Limits of the desk.
    pub fn desk(&self) -> desk::Settings {
        desk::Settings {
            lanes: Some(self.count("desk.lanes")).filter(|&lanes| lanes > 0),
            batch: self.count("desk.batch"),
            queue: self.count("desk.queue"),
            wait: self.seconds("desk.wait_seconds"),
            tries: self.small("desk.tries"),
            doubt: self.seconds("desk.doubt_seconds"),
            policy: self.policy(),
        }
    }

    /// Limits of the feed.
    pub fn feed(&self) -> feed::Settings {
        feed::Settings {
            poll: Duration::from_millis(self.number("feed.poll_ms")),
            gather: Duration::from_millis(self.number("feed.gather_ms")),
            full_check: self.seconds("feed.full_check_seconds"),
            heartbeat: self.seconds("feed.heartbeat_seconds"),
            bounds: Bounds {
                orders: self.count("feed.orders"),
                stock: self.count("feed.stock"),
                log: self.count("feed.log"),
            },
            windows: Windows {
                due: self.due_window(),
                missed: SignedDuration::from_mins(self.policy().missed_minutes.into()),
            },
        }
    }

    /// Without a key for so long a screen is locked; `None`: never.
    pub fn lock_after(&self) -> Option<SignedDuration> {
        Some(self.minutes("lock.idle_minutes")).filter(|most| most.is_positive())
    }

    /// Without a key for so long a session ends; `None`: never.
    pub fn ends_after(&self) -> Option<SignedDuration> {
        Some(self.minutes("lock.sign_out_minutes")).filter(|most| most.is_positive())
    }

    /// How what a scanner types is known.
    pub fn scanner(&self) -> scanner::Settings {
        let gap = self.number("scanner.gap_ms");
        scanner::Settings {
            gap: (gap > 0).then(|| Duration::from_millis(gap)),
            prefix: self.text("scanner.prefix").to_owned(),
        }
    }

    /// How a failed sign-in is delayed: the first time, and at most.
    pub fn sign_in_delays(&self) -> (Duration, Duration) {
        (
            self.seconds("sign_in.delay_seconds"),
            self.seconds("sign_in.longest_delay_seconds"),
        )
    }

    /// Limits of a server's pool and its connections.
    pub fn server_pool(&self) -> store::Options {
        store::Options {
            kept: self.small("server.pool_kept"),
            burst: self.small("server.pool_burst"),
            ..self.pool()
        }
    }

    /// Where the server takes connections.
    pub fn listen(&self) -> Option<SocketAddr> {
        self.text("server.listen").parse().ok()
    }

    /// Where the server's own key is.
    ///
    /// # Errors
    /// [`ConfigError::NoHome`].
    pub fn host_key(&self) -> Result<PathBuf, ConfigError> {
        self.file("server.host_key")
            .map_or_else(|| in_data_folder("host_key"), Ok)
    }

    /// Where figures and health are told, if anywhere.
    pub fn status(&self) -> Option<SocketAddr> {
        self.text("server.status").parse().ok()
    }

    /// The socket over which people of this machine join, if they may.
    pub fn attach_socket(&self) -> Option<PathBuf> {
        self.file("server.attach")
    }

    /// The file that says whose account a system user's is.
    pub fn attach_people(&self) -> Option<PathBuf> {
        self.file("server.attach_people")
    }

    /// The socket over which the server is asked who is there.
    ///
    /// # Errors
    /// [`ConfigError::NoHome`].
    pub fn control_socket(&self) -> Result<PathBuf, ConfigError> {
        self.file("server.control")
            .map_or_else(|| in_data_folder("control.sock"), Ok)
    }

    /// How many connections the server takes.
    pub fn server_most(&self) -> server::Most {
        server::Most {
            connections: self.count("server.connections"),
            per_address: self.count("server.per_address"),
            handshakes: self.count("server.handshakes"),
            handshakes_per_address: self.count("server.handshakes_per_address"),
        }
    }

    /// How long the server waits for what.
    pub fn server_times(&self) -> server::Times {
        server::Times {
            banner: self.seconds("server.banner_seconds"),
            sign_in: self.seconds("server.sign_in_seconds"),
            stop: self.seconds("server.stop_seconds"),
        }
    }

    /// Files of the authorities that may say whose key it is, and of what is revoked.
    pub fn authorities(&self) -> (Option<PathBuf>, Option<PathBuf>) {
        (self.file("server.authorities"), self.file("server.revoked"))
    }

    /// Whether people may run commands over SSH.
    pub fn commands_over_ssh(&self) -> bool {
        self.truth("server.commands")
    }

    fn file(&self, key: &str) -> Option<PathBuf> {
        Some(self.text(key))
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    }
}
