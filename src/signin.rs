//! Signing in: who is at the terminal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::domain::{Actor, UserId};
use crate::store::accounts::{self, Account};
use crate::store::audit::{self, Event};
use crate::store::{At, Db, StoreError};

/// Shortest PIN or password. A PIN is tried at most a few times a minute (see the delays), so four digits serve;
/// a ward that wants more asks for more.
pub const SHORTEST_SECRET: usize = 4;

/// Longest: hashing more would only be a way to keep the server busy.
pub const LONGEST_SECRET: usize = 128;

/// Hashes at once: each takes 19 MiB and tens of milliseconds of a core.
const HASHES_AT_ONCE: usize = 2;

/// Names that nobody has are delayed like real ones, as far as this many are remembered.
const STRANGERS: usize = 1024;

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Name or secret is wrong, or the account may not sign in: which of these is not told.
    #[error("The name or the PIN is wrong.")]
    Wrong {
        /// How long to wait before the next try.
        wait: Duration,
    },
    /// Too soon after a failure; the secret was not looked at.
    #[error("Too soon after a wrong PIN: wait {} s.", .wait.as_secs().max(1))]
    TooSoon {
        /// How long to wait.
        wait: Duration,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret could not be hashed.
    #[error("the secret could not be checked: {0}")]
    Hash(String),
}

/// Why a secret cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum BadSecret {
    /// Too short.
    #[error("a PIN or password has at least {SHORTEST_SECRET} characters")]
    Short,
    /// Too long.
    #[error("a PIN or password has at most {LONGEST_SECRET} characters")]
    Long,
    /// Hashing failed.
    #[error("the secret could not be hashed: {0}")]
    Hash(String),
}

/// Hashes a secret with Argon2id and a fresh salt, as PHC text. Takes tens of milliseconds: not for async threads.
///
/// # Errors
/// [`BadSecret`].
pub fn hash_secret(secret: &str) -> Result<String, BadSecret> {
    match secret.chars().count() {
        0..SHORTEST_SECRET => return Err(BadSecret::Short),
        SHORTEST_SECRET..=LONGEST_SECRET => {}
        _ => return Err(BadSecret::Long),
    }
    let hash = Argon2::default().hash_password(secret.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| BadSecret::Hash(error.to_string()))
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: i64,
    last: Option<Timestamp>,
}

/// The door. Clones share it.
#[derive(Clone)]
pub struct SignIn {
    db: Db,
    first_delay: Duration,
    longest_delay: Duration,
    hashing: Arc<Semaphore>,
    strangers: Arc<Mutex<HashMap<String, Failures>>>,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").finish_non_exhaustive()
    }
}

impl SignIn {
    /// A door to a database; `delays` as [`crate::config::Config::sign_in_delays`] gives them.
    pub fn new(db: Db, delays: (Duration, Duration)) -> SignIn {
        SignIn {
            db,
            first_delay: delays.0,
            longest_delay: delays.1,
            hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            strangers: Arc::default(),
        }
    }

    /// Checks name and secret. A failure delays the next try of that name, twice as long each time; a name that nobody
    /// has takes as long to check and is delayed in the same way. Success and failure are audited.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn check(
        &self,
        username: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Actor, SignInError> {
        let mut conn = self.db.reader().await?;
        let account = accounts::by_username(conn.link(), username).await?;
        drop(conn);
        let before = match &account {
            Some(account) => Failures {
                count: account.failures,
                last: account.failed_at.map(|at| at.0),
            },
            None => self.stranger(username),
        };
        if let Some(wait) = self.still_to_wait(before, now) {
            return Err(SignInError::TooSoon { wait });
        }
        let able = account.as_ref().filter(|account| !account.disabled);
        let right = self
            .verify(able.and_then(|account| account.secret_hash.clone()), secret)
            .await?;
        match account {
            Some(account) if right && !account.disabled => self.welcome(&account, now).await,
            account => {
                self.note(account.as_ref(), username, before, now).await?;
                Err(SignInError::Wrong {
                    wait: self.delay(before.count + 1),
                })
            }
        }
    }

    /// The person with that name, without a secret: for whoever may open the database anyway.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn known(db: &Db, username: &str) -> Result<Option<Actor>, StoreError> {
        let mut conn = db.reader().await?;
        match accounts::by_username(conn.link(), username).await? {
            None => Ok(None),
            Some(account) => actor(&mut conn, account.id).await,
        }
    }

    fn delay(&self, failures: i64) -> Duration {
        let doublings = u32::try_from(failures.clamp(1, 32) - 1).unwrap_or(0);
        let delay = self
            .first_delay
            .saturating_mul(2_u32.saturating_pow(doublings));
        delay.min(self.longest_delay)
    }

    fn still_to_wait(&self, failures: Failures, now: Timestamp) -> Option<Duration> {
        let last = failures.last.filter(|_| failures.count > 0)?;
        let delay = SignedDuration::try_from(self.delay(failures.count)).ok()?;
        let left = delay - now.duration_since(last);
        // A clock that was set back must not lock anybody out for longer than the delay itself.
        Duration::try_from(left.min(delay))
            .ok()
            .filter(|left| !left.is_zero())
    }

    fn stranger(&self, username: &str) -> Failures {
        let strangers = self
            .strangers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        strangers.get(username).copied().unwrap_or(Failures {
            count: 0,
            last: None,
        })
    }

    async fn verify(&self, hash: Option<String>, secret: &str) -> Result<bool, SignInError> {
        let _turn = self
            .hashing
            .acquire()
            .await
            .map_err(|error| SignInError::Hash(error.to_string()))?;
        if secret.chars().count() > LONGEST_SECRET {
            return Ok(false);
        }
        let secret = secret.to_owned();
        let verified = tokio::task::spawn_blocking(move || match hash {
            Some(hash) => PasswordHash::new(&hash)
                .map(|hash| {
                    Argon2::default()
                        .verify_password(secret.as_bytes(), &hash)
                        .is_ok()
                })
                .map_err(|error| error.to_string()),
            // Nobody: as much work as for somebody.
            None => Argon2::default()
                .hash_password(secret.as_bytes())
                .map(|_| false)
                .map_err(|error| error.to_string()),
        });
        match verified.await {
            Ok(verified) => verified.map_err(SignInError::Hash),
            Err(error) => Err(SignInError::Hash(error.to_string())),
        }
    }

    async fn welcome(&self, account: &Account, now: Timestamp) -> Result<Actor, SignInError> {
        let mut conn = self.db.writer().await?;
        let found = actor(&mut conn, account.id).await?;
        let Some(found) = found else {
            return Err(SignInError::Wrong {
                wait: self.first_delay,
            });
        };
        accounts::note_failure(conn.link(), account.id, None).await?;
        audit::write(
            conn.link(),
            &[event(Some(account.id), &account.username, "signed in", now)],
        )
        .await?;
        Ok(found)
    }

    async fn note(
        &self,
        account: Option<&Account>,
        username: &str,
        before: Failures,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut conn = self.db.writer().await?;
        match account {
            Some(account) => {
                accounts::note_failure(conn.link(), account.id, Some(At::from(now))).await?
            }
            None => {
                let mut strangers = self
                    .strangers
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                if strangers.len() >= STRANGERS {
                    strangers.clear();
                }
                let failures = Failures {
                    count: before.count + 1,
                    last: Some(now),
                };
                strangers.insert(username.to_owned(), failures);
            }
        }
        let kind = "sign-in failed";
        audit::write(
            conn.link(),
            &[event(
                account.map(|account| account.id),
                username,
                kind,
                now,
            )],
        )
        .await
    }
}

async fn actor(conn: &mut crate::store::Conn, id: UserId) -> Result<Option<Actor>, StoreError> {
    Ok(accounts::actors(conn.link(), std::iter::once(id))
        .await?
        .remove(&id))
}

fn event(actor: Option<UserId>, who: &str, kind: &'static str, now: Timestamp) -> Event {
    // A name may hold anything that was typed, even a PIN typed into the wrong field: of a name that nobody has,
    // only the beginning is kept.
    let who = if actor.is_some() {
        who.to_owned()
    } else {
        who.chars().take(3).chain("…".chars()).collect()
    };
    Event {
        id: Uuid::now_v7(),
        at: now.into(),
        actor,
        who,
        kind,
        ward: None,
        detail: String::new(),
    }
}
