//! Who is at the other end: by a key of theirs, by a certificate, or by their PIN.
//!
//! Whoever asks the database here may be anybody: few ask at once, so that many cannot keep the wards waiting, and each
//! question is a task of its own, which a connection that ends does not cut off.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use russh::keys::{Certificate, HashAlg, PublicKey};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::authority::Authority;
use crate::desk::Clock;
use crate::domain::{Actor, UserId};
use crate::signin::{SignIn, SignInError};
use crate::store::audit::{self, Event};
use crate::store::{Db, StoreError, accounts};

/// Questions about keys at once.
const AT_ONCE: usize = 4;
/// Notes that may be on their way when the server stops, and are waited for: more than there are sessions.
const NOTES: u32 = 100_000;

/// Somebody who has proved who they are.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub actor: Actor,
    /// How, for the audit.
    pub method: String,
}

/// Why somebody is not let in.
#[derive(Debug)]
pub(super) enum No {
    /// They are not who they say they are, or may not sign in: in words for the audit, never for them.
    Wrong(String),
    /// The PIN was wrong, or came too soon: in words for them. The sign-in has put it on record.
    Pin(String),
    /// It could not be found out.
    Failed(String),
}

impl From<StoreError> for No {
    fn from(error: StoreError) -> No {
        No::Failed(error.to_string())
    }
}

/// The door.
#[derive(Clone)]
pub(super) struct Door {
    db: Db,
    sign_in: SignIn,
    clock: Clock,
    authority: Arc<RwLock<Arc<Authority>>>,
    asking: Arc<Semaphore>,
    /// What is being put on record that nobody waits for.
    noting: Arc<Semaphore>,
}

impl Door {
    pub(super) fn new(db: Db, sign_in: SignIn, clock: Clock, authority: Authority) -> Door {
        Door {
            db,
            sign_in,
            clock,
            authority: Arc::new(RwLock::new(Arc::new(authority))),
            asking: Arc::new(Semaphore::new(AT_ONCE)),
            noting: Arc::new(Semaphore::new(NOTES as usize)),
        }
    }

    /// From now on these are the authorities.
    pub(super) fn trust(&self, authority: Authority) {
        *self
            .authority
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(authority);
    }

    fn authority(&self) -> Arc<Authority> {
        let authority = self.authority.read();
        Arc::clone(&authority.unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it is worth proving that one holds this key. It proves nothing by itself: anybody can offer any key.
    pub(super) async fn knows_key(&self, user: &str, key: &PublicKey) -> bool {
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        matches!(self.owner(user, &fingerprint).await, Ok(Ok(_)))
    }

    /// The person of that name, who has proved to hold this key.
    pub(super) async fn by_key(
        &self,
        user: &str,
        key: &PublicKey,
        from: &str,
    ) -> Result<Person, No> {
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let id = self.owner(user, &fingerprint).await?.map_err(No::Wrong)?;
        let from = format!("over SSH from {from}");
        self.welcome(id, format!("key {fingerprint}"), &from).await
    }

    /// The person of that name, who has proved to hold the key of this certificate.
    pub(super) async fn by_certificate(
        &self,
        user: &str,
        certificate: &Certificate,
        from: &str,
    ) -> Result<Person, No> {
        let good = self
            .authority()
            .check(user, certificate)
            .map_err(No::Wrong)?;
        let (door, user) = (self.clone(), user.to_owned());
        let account = self
            .ask(async move {
                let mut conn = door.db.reader().await?;
                accounts::by_username(conn.link(), &user).await
            })
            .await?;
        let account =
            account.ok_or_else(|| No::Wrong(format!("{}: no such account", good.words)))?;
        let from = format!("over SSH from {from}");
        self.welcome(account.id, good.words, &from).await
    }

    /// The person of that name, whose system user the kernel has named.
    pub(super) async fn by_system_user(&self, account: &str, user: u32) -> Result<Person, No> {
        let (door, name) = (self.clone(), account.to_owned());
        let found = self
            .ask(async move {
                let mut conn = door.db.reader().await?;
                accounts::by_username(conn.link(), &name).await
            })
            .await?;
        let found = found.ok_or_else(|| No::Wrong(format!("there is no account '{account}'")))?;
        let method = format!("system user {user}");
        self.welcome(found.id, method, "on this machine").await
    }

    /// The person of that name, if this is their PIN.
    pub(super) async fn by_secret(
        &self,
        user: &str,
        secret: String,
        from: String,
    ) -> Result<Person, No> {
        let (door, user) = (self.clone(), user.to_owned());
        let check = async move {
            let now = (door.clock)();
            door.sign_in.check_from(&user, &secret, &from, now).await
        };
        match detached(check).await? {
            Ok(actor) => Ok(Person {
                actor,
                method: "PIN".to_owned(),
            }),
            Err(error @ (SignInError::Wrong { .. } | SignInError::TooSoon { .. })) => {
                Err(No::Pin(error.to_string()))
            }
            Err(SignInError::Store(error)) => Err(error.into()),
            Err(error @ SignInError::Hash(_)) => Err(No::Failed(error.to_string())),
        }
    }

    /// Whose key it is, if it is that person's; otherwise what is wrong.
    async fn owner(
        &self,
        user: &str,
        fingerprint: &str,
    ) -> Result<Result<UserId, String>, StoreError> {
        if self.authority().revokes(fingerprint) {
            return Ok(Err(format!("key {fingerprint}: revoked")));
        }
        let (door, key) = (self.clone(), fingerprint.to_owned());
        let owner = self
            .ask(async move {
                let mut conn = door.db.reader().await?;
                accounts::by_key(conn.link(), &key).await
            })
            .await?;
        Ok(match owner {
            None => Err(format!("key {fingerprint}: nobody's")),
            Some(owner) if owner.username != user => {
                Err(format!("key {fingerprint}: somebody else's"))
            }
            Some(owner) if owner.disabled => Err(format!("key {fingerprint}: account disabled")),
            Some(owner) => Ok(owner.id),
        })
    }

    /// Puts on record that somebody signed in; whoever cannot be put on record is not let in.
    async fn welcome(&self, id: UserId, method: String, from: &str) -> Result<Person, No> {
        let (door, detail) = (self.clone(), format!("{from} by {method}"));
        let actor = self
            .ask(async move {
                let mut conn = door.db.writer().await?;
                let mut tx = conn.begin_write().await?;
                let found =
                    accounts::actors(tx.link(), std::iter::once(id), (door.clock)().into()).await?;
                let Some(actor) = found.into_values().find(|actor| !actor.disabled) else {
                    return Ok(None);
                };
                let event = event(Some(&actor), "signed in", detail, (door.clock)());
                audit::write(tx.link(), &[event]).await?;
                tx.commit().await?;
                Ok(Some(actor))
            })
            .await?;
        match actor {
            Some(actor) => Ok(Person { actor, method }),
            None => Err(No::Wrong(format!("{method}: account disabled"))),
        }
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let asking = Arc::clone(&self.asking);
        detached(async move {
            let _turn = asking.acquire().await;
            question.await
        })
        .await?
    }

    /// Waits until everything is on record that was to be put there. Says whether that was within the limit.
    pub(super) async fn noted(&self, limit: Duration) -> bool {
        let all = tokio::time::timeout(limit, self.noting.acquire_many(NOTES));
        all.await.is_ok()
    }

    /// Puts something on record that nobody waits for.
    pub(super) fn note(&self, event: Event) {
        let db = self.db.clone();
        let noting = Arc::clone(&self.noting).try_acquire_owned().ok();
        tokio::spawn(async move {
            let _until_written = noting;
            let written = async {
                let mut conn = db.writer().await?;
                audit::write(conn.link(), std::slice::from_ref(&event)).await
            };
            if let Err(error) = written.await {
                tracing::error!(kind = event.kind, "the audit could not be written: {error}");
            }
        });
    }
}

/// Something that somebody did, or that was done to their session.
pub(super) fn event(
    actor: Option<&Actor>,
    kind: &'static str,
    detail: String,
    now: Timestamp,
) -> Event {
    Event {
        id: Uuid::now_v7(),
        at: now.into(),
        actor: actor.map(|actor| actor.id),
        who: actor.map_or_else(|| "(unknown)".to_owned(), |actor| actor.username.clone()),
        kind,
        ward: None,
        detail,
        code: None,
        order: None,
    }
}

/// In a task of its own: a question to the database is never dropped half-way.
async fn detached<T: Send + 'static>(
    what: impl Future<Output = T> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::spawn(what).await;
    done.map_err(|error| StoreError::Unavailable(error.to_string()))
}
