//! Settings: defaults < file < environment < flags, each with the reason for its value and where it came from.

mod table;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use directories::ProjectDirs;
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::domain::reason::{ReasonKind, Reasons};
use crate::domain::schedule::StandardTimes;
use crate::domain::vocabulary::UnknownWord;
use crate::store;

use table::Kind;
pub use table::{SETTINGS, Setting};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Built in.
    Default,
    /// The file.
    File(PathBuf),
    /// A variable.
    Environment(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File(path) => write!(f, "{}", path.display()),
            Source::Environment(name) => write!(f, "environment {name}"),
            Source::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {error}", .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}: {error}", .path.display())]
    NotToml {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        error: toml::de::Error,
    },
    /// A key that there is not.
    #[error("{origin}: there is no setting '{key}'; 'valmed config' lists them")]
    Unknown {
        /// Where it stands.
        origin: Source,
        /// The key.
        key: String,
    },
    /// A value that cannot be.
    #[error("{origin}: {key}: '{value}' {why}")]
    Bad {
        /// Where it stands.
        origin: Source,
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What it should be.
        why: String,
    },
    /// What people have set about their terminals cannot be read.
    #[error(transparent)]
    Terminals(#[from] crate::terminal::kept::BadKept),
    /// The operating system names no folder for data.
    #[error("this system names no folder for a user's data: say --database sqlite://PATH")]
    NoHome,
}

/// Every setting with its value.
#[derive(Debug, Clone)]
pub struct Config {
    values: BTreeMap<&'static str, (String, Source)>,
    /// The ward's standard times.
    pub standard_times: StandardTimes,
    standard_times_source: Source,
    /// The coded reasons.
    pub reasons: Reasons,
    reasons_from: BTreeMap<ReasonKind, Source>,
}

/// What the flags say.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--database`
    pub database: Option<String>,
    /// `valmed serve --listen`
    pub listen: Option<String>,
    /// `--plain`
    pub plain: bool,
}

/// Folders of this program for this user.
fn folders() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "valmed")
}

impl Config {
    /// Reads the settings from file, environment and flags. `env` gives a variable's value.
    ///
    /// # Errors
    /// [`ConfigError`], naming file or variable, key and value.
    pub fn load(
        flags: &Flags,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Config, ConfigError> {
        let mut config = Config {
            values: SETTINGS
                .iter()
                .map(|s| (s.key, (s.default.to_owned(), Source::Default)))
                .collect(),
            standard_times: StandardTimes::default(),
            standard_times_source: Source::Default,
            reasons: Reasons::default(),
            reasons_from: BTreeMap::new(),
        };
        let named = flags
            .config
            .clone()
            .or_else(|| env("VALMED_CONFIG").map(PathBuf::from));
        let file = named
            .clone()
            .or_else(|| folders().map(|f| f.config_dir().join("config.toml")));
        if let Some(path) = file {
            match std::fs::read_to_string(&path) {
                Ok(text) => config.read_file(&path, &text)?,
                // Only a file that somebody named has to be there.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {}
                Err(error) => return Err(ConfigError::Unreadable { path, error }),
            }
        }
        for setting in SETTINGS {
            let name = variable(setting.key);
            if let Some(value) = env(&name) {
                config.set(setting.key, value, Source::Environment(name))?;
            }
        }
        if let Some(url) = &flags.database {
            config.set("database", url.clone(), Source::Flag("--database"))?;
        }
        if let Some(address) = &flags.listen {
            config.set("server.listen", address.clone(), Source::Flag("--listen"))?;
        }
        if flags.plain {
            config.set("terminal.plain", "true".to_owned(), Source::Flag("--plain"))?;
        }
        Ok(config)
    }

    fn read_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let table: toml::Table = text.parse().map_err(|error| ConfigError::NotToml {
            path: path.to_owned(),
            error,
        })?;
        let source = Source::File(path.to_owned());
        for (section, value) in table {
            match value {
                toml::Value::Table(entries) if section == "standard_times" => {
                    self.read_standard_times(entries, &source)?;
                }
                toml::Value::Table(kinds) if section == "reasons" => {
                    for (kind, list) in kinds {
                        self.read_reasons(&kind, list, &source)?;
                    }
                }
                toml::Value::Table(entries) => {
                    for (name, value) in entries {
                        self.set_named(&format!("{section}.{name}"), &value, &source)?;
                    }
                }
                value => self.set_named(&section, &value, &source)?,
            }
        }
        Ok(())
    }

    fn read_standard_times(
        &mut self,
        entries: toml::Table,
        source: &Source,
    ) -> Result<(), ConfigError> {
        let mut pairs = Vec::new();
        for (name, value) in entries {
            let Some(times) = value.as_str() else {
                return Err(bad(
                    source,
                    &format!("standard_times.{name}"),
                    value.to_string(),
                    "must be text such as \"08:00 20:00\"",
                ));
            };
            pairs.push((name, times.to_owned()));
        }
        let times = std::mem::take(&mut self.standard_times).with(pairs);
        self.standard_times = times.map_err(|error| {
            bad(
                source,
                "standard_times",
                error.to_string(),
                "cannot be used",
            )
        })?;
        self.standard_times_source = source.clone();
        Ok(())
    }

    /// A list of coded reasons takes the place of the built-in one of its kind.
    fn read_reasons(
        &mut self,
        kind: &str,
        list: toml::Value,
        source: &Source,
    ) -> Result<(), ConfigError> {
        let key = format!("reasons.{kind}");
        let wrong = |value: String, why: &str| bad(source, &key, value, why);
        let named: ReasonKind = kind
            .parse()
            .map_err(|error: UnknownWord| wrong(kind.to_owned(), &error.to_string()))?;
        let toml::Value::Table(entries) = list else {
            let why = "must be a table such as npo = \"nil by mouth\"";
            return Err(wrong(list.to_string(), why));
        };
        let mut pairs = Vec::new();
        for (code, words) in entries {
            match words {
                toml::Value::String(words) => pairs.push((code, words)),
                other => return Err(wrong(other.to_string(), "must be text")),
            }
        }
        self.reasons
            .put(named, &pairs)
            .map_err(|why| wrong(format!("{} codes", pairs.len()), &why))?;
        self.reasons_from.insert(named, source.clone());
        Ok(())
    }

    /// Where a list of coded reasons came from.
    pub fn reasons_source(&self, kind: ReasonKind) -> &Source {
        self.reasons_from.get(&kind).unwrap_or(&Source::Default)
    }

    fn set_named(
        &mut self,
        key: &str,
        value: &toml::Value,
        source: &Source,
    ) -> Result<(), ConfigError> {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
            return Err(ConfigError::Unknown {
                origin: source.clone(),
                key: key.to_owned(),
            });
        };
        let text = match value {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.set(setting.key, text, source.clone())
    }

    fn set(&mut self, key: &'static str, value: String, source: Source) -> Result<(), ConfigError> {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
            return Err(ConfigError::Unknown {
                origin: source,
                key: key.to_owned(),
            });
        };
        match setting.kind {
            Kind::Text => {}
            Kind::Truth if matches!(value.as_str(), "true" | "false") => {}
            Kind::Truth => return Err(bad(&source, key, value, "must be true or false")),
            Kind::Word(words) => {
                if !value.is_empty() && !words.contains(&value.as_str()) {
                    let why = format!("is not one of: {}", words.join(", "));
                    return Err(bad(&source, key, value, &why));
                }
            }
            Kind::Zone => {
                if !value.is_empty() && TimeZone::get(&value).is_err() {
                    return Err(bad(
                        &source,
                        key,
                        value,
                        "is not the name of a time zone, such as Europe/Berlin",
                    ));
                }
            }
            Kind::Loopback => {
                let address: Option<std::net::SocketAddr> = value.parse().ok();
                if !value.is_empty() && !address.is_some_and(|at| at.ip().is_loopback()) {
                    let why =
                        "is not an address of this machine and a port, such as 127.0.0.1:9222";
                    return Err(bad(&source, key, value, why));
                }
            }
            Kind::Address => {
                if value.parse::<std::net::SocketAddr>().is_err() {
                    let why = "is not an address and a port, such as 127.0.0.1:2222 or [::1]:2222";
                    return Err(bad(&source, key, value, why));
                }
            }
            Kind::Number(least, most) => {
                if !value
                    .parse::<u64>()
                    .is_ok_and(|n| (least..=most).contains(&n))
                {
                    let why = format!("must be a whole number from {least} to {most}");
                    return Err(bad(&source, key, value, &why));
                }
            }
        }
        self.values.insert(key, (value, source));
        Ok(())
    }

    fn text(&self, key: &str) -> &str {
        self.values.get(key).map_or("", |(value, _)| value)
    }

    /// A number that was checked when it was read.
    fn number(&self, key: &str) -> u64 {
        self.text(key).parse().unwrap_or_default()
    }

    /// A yes or no that was checked when it was read.
    fn truth(&self, key: &str) -> bool {
        self.text(key) == "true"
    }

    fn seconds(&self, key: &str) -> Duration {
        Duration::from_secs(self.number(key))
    }

    fn small(&self, key: &str) -> u32 {
        u32::try_from(self.number(key)).unwrap_or(u32::MAX)
    }

    /// A number of which nothing means: not at all.
    fn unless_zero(&self, key: &str) -> Option<u32> {
        Some(self.small(key)).filter(|&number| number > 0)
    }

    fn count(&self, key: &str) -> usize {
        usize::try_from(self.number(key)).unwrap_or(usize::MAX)
    }

    fn minutes(&self, key: &str) -> SignedDuration {
        SignedDuration::from_mins(i64::try_from(self.number(key)).unwrap_or(i64::MAX / 120))
    }

    /// Every setting with its value, as it may be shown, and where it came from.
    pub fn shown(&self) -> Vec<(&'static Setting, String, &Source)> {
        SETTINGS
            .iter()
            .filter_map(|setting| {
                let (value, source) = self.values.get(setting.key)?;
                let value = match setting.key {
                    "database" if value.is_empty() => embedded().map_or_else(
                        |_| String::new(),
                        |path| format!("sqlite://{}", path.display()),
                    ),
                    "database" => store::redact(value),
                    "time_zone" => self.time_zone(),
                    _ => value.clone(),
                };
                Some((setting, value, source))
            })
            .collect()
    }

    /// Where the table of standard times came from.
    pub const fn standard_times_source(&self) -> &Source {
        &self.standard_times_source
    }
}

/// The embedded database of this user.
fn embedded() -> Result<PathBuf, ConfigError> {
    folders()
        .map(|folders| folders.data_dir().join("ward.db"))
        .ok_or(ConfigError::NoHome)
}

/// A file in the data folder of this user.
fn in_data_folder(name: &str) -> Result<PathBuf, ConfigError> {
    folders()
        .map(|folders| folders.data_dir().join(name))
        .ok_or(ConfigError::NoHome)
}

/// ValMed's folder among the user's data.
pub fn data_folder() -> Option<PathBuf> {
    folders().map(|folders| folders.data_dir().to_owned())
}

/// Where the log goes that nobody watches on the terminal.
pub fn log_file() -> Option<PathBuf> {
    folders().map(|folders| folders.data_local_dir().join("valmed.log"))
}

/// The variable of a setting: `pool.kept` is `VALMED_POOL_KEPT`.
pub fn variable(key: &str) -> String {
    format!("VALMED_{}", key.to_ascii_uppercase().replace('.', "_"))
}

fn bad(source: &Source, key: &str, value: String, why: &str) -> ConfigError {
    ConfigError::Bad {
        origin: source.clone(),
        key: key.to_owned(),
        value,
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Policy;

    fn load(
        file: &str,
        env: &[(&str, &str)],
        database: Option<&str>,
    ) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, file).unwrap();
        let flags = Flags {
            config: Some(path),
            database: database.map(str::to_owned),
            listen: None,
            plain: false,
        };
        let env: BTreeMap<String, String> = env
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect();
        Config::load(&flags, |name| env.get(name).cloned())
    }

    #[test]
    fn defaults_give_way_to_file_environment_and_flags() {
        let file = "database = 'sqlite://file'\n[pool]\nkept = 7\nburst = 8\n";
        let config = load(file, &[("VALMED_POOL_KEPT", "9")], None).unwrap();
        assert_eq!((config.pool().kept, config.pool().burst), (9, 8));
        assert_eq!(config.database(), Some("sqlite://file"));
        let config = load(
            file,
            &[("VALMED_DATABASE", "sqlite://env")],
            Some("sqlite://flag"),
        )
        .unwrap();
        assert_eq!(config.database(), Some("sqlite://flag"));
        let sources: Vec<String> = config
            .shown()
            .iter()
            .map(|(_, _, source)| source.to_string())
            .collect();
        assert!(
            sources.contains(&"flag --database".to_owned())
                && sources.contains(&"default".to_owned())
        );
    }

    #[test]
    fn every_default_is_within_its_own_limits() {
        let config = load("", &[], None).unwrap();
        for setting in SETTINGS {
            let mut copy = config.clone();
            copy.set(setting.key, setting.default.to_owned(), Source::Default)
                .unwrap();
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (file, words) in [
            (
                "pool.kept = 0",
                "pool.kept: '0' must be a whole number from 1 to 200",
            ),
            ("[pool]\nkpet = 1", "there is no setting 'pool.kpet'"),
            (
                "time_zone = 'Mars/Base'",
                "'Mars/Base' is not the name of a time zone",
            ),
            ("pool = [", "config.toml"),
            (
                "server.status = '0.0.0.0:9222'",
                "'0.0.0.0:9222' is not an address of this machine",
            ),
            (
                "server.listen = 'localhost'",
                "'localhost' is not an address and a port",
            ),
            (
                "witness.controlled = 'maybe'",
                "'maybe' must be true or false",
            ),
            (
                "terminal.colours = 'pink'",
                "'pink' is not one of: none, 8, 16, 256, true",
            ),
            ("[standard_times]\nBID = 8", "standard_times.BID"),
            (
                "[reasons.hold]\na = 'b'",
                "reasons.hold: 'hold' 'hold' is not one of: held,",
            ),
            (
                "[reasons.held]",
                "reasons.held: '0 codes' must have 1 to 30",
            ),
            ("[reasons.held]\nA = 'b'", "'A' is not a code"),
            ("[reasons.held]\na = 1", "reasons.held: '1' must be text"),
            ("[reasons]\nheld = 'npo'", "must be a table"),
            ("[standard_times]\nBID = '8 o clock'", "standard_times"),
        ] {
            let error = load(file, &[], None).unwrap_err().to_string();
            assert!(error.contains(words), "{file}: {error}");
        }
    }

    #[test]
    fn the_rules_of_a_hospital_that_has_set_nothing_are_the_policys_own() {
        assert_eq!(*load("", &[], None).unwrap().policy(), Policy::default());
        let off = "warn.late_minutes = 0\nwitness.controlled = false\n";
        let policy = load(off, &[], None).unwrap().policy();
        assert_eq!(
            (policy.late_minutes, policy.witness_controlled),
            (None, false)
        );
    }

    #[test]
    fn a_hospital_has_its_own_reasons_in_its_own_order() {
        let file = "[reasons.held]\nz = 'last letter'\na = 'first letter ...'\n";
        let config = load(file, &[], None).unwrap();
        let policy = config.policy();
        let codes = policy.reasons.of(ReasonKind::Held);
        let told: Vec<(&str, bool)> = codes
            .iter()
            .map(|code| (code.code.as_str(), code.needs_text))
            .collect();
        assert_eq!(told, [("z", false), ("a", true)]);
        assert_ne!(config.reasons_source(ReasonKind::Held), &Source::Default);
        let default = Reasons::default();
        assert_eq!(
            policy.reasons.of(ReasonKind::Refused),
            default.of(ReasonKind::Refused)
        );
    }

    #[test]
    fn a_password_is_never_shown() {
        for url in [
            "postgresql://nurse:s3cret@db/ward",
            "postgresql://db/ward?user=nurse&password=s3cret",
            "postgresql://nurse:s3c/ret@db/ward",
        ] {
            let config = load("", &[], Some(url)).unwrap();
            for (_, value, _) in config.shown() {
                assert!(!value.contains("s3c"), "{value}");
            }
        }
    }
}
