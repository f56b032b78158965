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
use crate::store::{Db, StoreError};

/// Shortest PIN or password. A PIN is tried at most a few times a minute (see the delays), so four digits serve;
/// a ward that wants more asks for more.
pub const SHORTEST_SECRET: usize = 4;

/// Longest: hashing more would only be a way to keep the server busy.
pub const LONGEST_SECRET: usize = 128;

/// Hashes at once: each takes 19 MiB and tens of milliseconds of a core.
const HASHES_AT_ONCE: usize = 2;

/// Names that nobody has are delayed like real ones, as far as this many are remembered.
const STRANGERS: usize = 1024;

/// A try that comes while another of the same name is being looked at waits for its end: so often, and so long each
/// time. One person may sign in at two desks at once.
const LOOKS_AGAIN: u32 = 3;
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A failure older than this is no try that is still being looked at.
const LOOKED_AT: SignedDuration = SignedDuration::from_secs(1);

/// How often a statement is tried again that another transaction was in the way of.
const RETRIES: u32 = 5;

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
    /// The last failure of each name after which an early try was put on record: one row tells of them all.
    early: Arc<Mutex<HashMap<String, Timestamp>>>,
}

/// What became of a try before its secret is looked at.
enum Claim {
    /// It counts as a failure until it succeeds; the number is of failures, with this.
    Ours(i64),
    /// Not now.
    Wait {
        wait: Duration,
        /// Since which failure.
        since: Timestamp,
        /// Somebody else's try may be being looked at.
        busy: bool,
    },
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
            early: Arc::default(),
        }
    }

    /// Checks name and secret. A failure delays the next try of that name, twice as long each time; a name that nobody
    /// has takes as long to check and is delayed in the same way. Of several tries at one moment one is looked at.
    /// Success and failure are audited.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn check(
        &self,
        username: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Actor, SignInError> {
        self.check_from(username, secret, "", now).await
    }

    /// The same for somebody who tries from elsewhere: where is put on record with what became of it.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn check_from(
        &self,
        username: &str,
        secret: &str,
        from: &str,
        now: Timestamp,
    ) -> Result<Actor, SignInError> {
        let mut looks = 0;
        let (account, failures) = loop {
            let mut conn = self.db.reader().await?;
            let account = accounts::by_username(conn.link(), username).await?;
            drop(conn);
            let claim = match &account {
                Some(account) => self.claim(account, now).await?,
                None => self.claim_stranger(username, now),
            };
            match claim {
                Claim::Ours(failures) => break (account, failures),
                Claim::Wait { busy: true, .. } if looks < LOOKS_AGAIN => {
                    looks += 1;
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                Claim::Wait { wait, since, .. } => {
                    self.note_early(account.as_ref(), username, from, since, now)
                        .await?;
                    return Err(SignInError::TooSoon { wait });
                }
            }
        };
        let able = account.as_ref().filter(|account| !account.disabled);
        let right = self
            .verify(able.and_then(|account| account.secret_hash.clone()), secret)
            .await?;
        if let Some(account) = able.filter(|_| right)
            && let Some(actor) = self.welcome(account, from, now).await?
        {
            return Ok(actor);
        }
        self.note(event(
            account.as_ref(),
            username,
            "sign-in failed",
            from,
            now,
        ))
        .await?;
        Err(SignInError::Wrong {
            wait: self.delay(failures),
        })
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

    fn wait(&self, failures: Failures, now: Timestamp) -> Option<Claim> {
        let wait = self.still_to_wait(failures, now)?;
        let since = failures.last?;
        Some(Claim::Wait {
            wait,
            since,
            busy: now.duration_since(since).abs() < LOOKED_AT,
        })
    }

    async fn claim(&self, account: &Account, now: Timestamp) -> Result<Claim, StoreError> {
        let before = Failures {
            count: account.failures,
            last: account.failed_at.map(|at| at.0),
        };
        if let Some(wait) = self.wait(before, now) {
            return Ok(wait);
        }
        let mut conn = self.db.writer().await?;
        let claimed = accounts::claim_try(conn.link(), account, now.into()).await;
        Ok(match claimed {
            Ok(true) => Claim::Ours(before.count + 1),
            // Under REPEATABLE READ the one that comes second may be told so by the engine.
            Ok(false) | Err(StoreError::Conflict(_)) => Claim::Wait {
                wait: self.delay(before.count + 1),
                since: now,
                busy: true,
            },
            Err(error) => return Err(error),
        })
    }

    fn claim_stranger(&self, username: &str, now: Timestamp) -> Claim {
        let mut strangers = locked(&self.strangers);
        let before = strangers.get(username).copied().unwrap_or(Failures {
            count: 0,
            last: None,
        });
        if let Some(wait) = self.wait(before, now) {
            return wait;
        }
        let failures = Failures {
            count: before.count + 1,
            last: Some(now),
        };
        keep(&mut strangers, username, failures, |failures| failures.last);
        Claim::Ours(failures.count)
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

    /// Forgets the failures and lets the person in; `None`: they were disabled meanwhile.
    async fn welcome(
        &self,
        account: &Account,
        from: &str,
        now: Timestamp,
    ) -> Result<Option<Actor>, StoreError> {
        let event = event(Some(account), &account.username, "signed in", from, now);
        let mut tries = 0;
        loop {
            match self.let_in(account, &event).await {
                Err(error) if error.may_retry() && tries < RETRIES => tries += 1,
                done => return done,
            }
        }
    }

    async fn let_in(&self, account: &Account, event: &Event) -> Result<Option<Actor>, StoreError> {
        let mut conn = self.db.writer().await?;
        let mut tx = conn.begin_write().await?;
        let found = accounts::actors(tx.link(), std::iter::once(account.id), event.at).await?;
        let Some(actor) = found.into_values().find(|actor| !actor.disabled) else {
            return Ok(None);
        };
        accounts::forget_failures(tx.link(), account.id).await?;
        audit::write(tx.link(), std::slice::from_ref(event)).await?;
        tx.commit().await?;
        Ok(Some(actor))
    }

    /// Puts a try on record that came too soon: once for each failure that it came too soon after.
    async fn note_early(
        &self,
        account: Option<&Account>,
        username: &str,
        from: &str,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        {
            let mut early = locked(&self.early);
            if early.get(username) == Some(&since) {
                return Ok(());
            }
            keep(&mut early, username, since, |since| Some(*since));
        }
        self.note(event(account, username, "sign-in too soon", from, now))
            .await
    }

    async fn note(&self, event: Event) -> Result<(), StoreError> {
        let mut conn = self.db.writer().await?;
        audit::write(conn.link(), &[event]).await
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps something about a name; where there are too many names, the one that was last seen longest ago is forgotten.
fn keep<T>(
    names: &mut HashMap<String, T>,
    name: &str,
    what: T,
    seen: impl Fn(&T) -> Option<Timestamp>,
) {
    if names.len() >= STRANGERS && !names.contains_key(name) {
        let oldest = names.iter().min_by_key(|(_, what)| seen(what));
        if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
            names.remove(&oldest);
        }
    }
    names.insert(name.to_owned(), what);
}

async fn actor(conn: &mut crate::store::Conn, id: UserId) -> Result<Option<Actor>, StoreError> {
    let now = crate::store::now().into();
    Ok(accounts::actors(conn.link(), std::iter::once(id), now)
        .await?
        .remove(&id))
}

fn event(
    account: Option<&Account>,
    typed: &str,
    kind: &'static str,
    from: &str,
    now: Timestamp,
) -> Event {
    // A name may hold anything that was typed, even a PIN typed into the wrong field: of a name that nobody has,
    // nothing is kept but how long it was.
    let (who, detail) = match account {
        Some(account) => (account.username.clone(), from.to_owned()),
        None => {
            let length = typed.chars().count();
            let from = if from.is_empty() {
                String::new()
            } else {
                format!("{from}, ")
            };
            (
                "(unknown)".to_owned(),
                format!("{from}a name of length {length}"),
            )
        }
    };
    Event {
        id: Uuid::now_v7(),
        at: now.into(),
        actor: account.map(|account| account.id),
        who,
        kind,
        ward: None,
        detail,
        code: None,
        order: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_name_is_forgotten_and_no_other() {
        let at = |n: i64| Timestamp::from_second(n).unwrap();
        let mut names = HashMap::new();
        for n in 0..=STRANGERS as i64 {
            keep(&mut names, &n.to_string(), at(n), |at| Some(*at));
        }
        assert_eq!(names.len(), STRANGERS);
        assert!(!names.contains_key("0"));
        keep(&mut names, "1", at(5000), |at| Some(*at));
        assert!(names.len() == STRANGERS && names.contains_key("2"));
    }
}
