//! Carrying out what the interface asks for.

mod cupboard;
mod pages;
mod reports;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, mpsc};

use super::signed::{Remembering, Signed};
use super::tally::Tally;
use crate::desk::{Clock, Desk, Progress};
use crate::domain::prescribed::Candidate;
use crate::domain::scan::Gtin;
use crate::domain::snapshot::Ward;
use crate::domain::{
    Actor, DrugId, OpId, Operation, OrderId, OrderStatus, Outcome, UserId, WardId,
};
use crate::feed::Feed;
use crate::signin::{SignIn, SignInError};
use crate::store::record;
use crate::store::screens::{self, Found};
use crate::store::{Db, StoreError, accounts, audit, codes, unseen};
use crate::tui::{
    CodeDrug, CodeFound, Effect, Missed, OrderNow, Reply, SignInFailure, SignedIn, Stopped,
};

/// Drugs that are offered at once: whoever needs another types more of its name.
const DRUGS_FOUND: i64 = 200;

/// Questions of one session that may be on their way to the database at once.
const AT_ONCE: usize = 4;

/// What a session works with. Clones share it.
#[derive(Clone)]
pub struct Services {
    /// Reads.
    pub db: Db,
    /// Writes.
    pub desk: Desk,
    /// Live wards.
    pub feed: Feed,
    /// The door.
    pub sign_in: SignIn,
    /// The time.
    pub clock: Clock,
    /// What sessions count.
    pub tally: Arc<Tally>,
    asking: Arc<Semaphore>,
    remembering: Arc<Remembering>,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

impl Services {
    /// Services for one session.
    pub fn new(db: Db, desk: Desk, feed: Feed, sign_in: SignIn, clock: Clock) -> Services {
        Services {
            db,
            desk,
            feed,
            sign_in,
            clock,
            tally: Arc::default(),
            asking: Arc::new(Semaphore::new(AT_ONCE)),
            remembering: Arc::default(),
        }
    }

    /// What one session keeps of what is signed in it.
    pub(super) fn signed(&self) -> Signed {
        let remembering = Arc::clone(&self.remembering);
        Signed::new(self.db.clone(), Arc::clone(&self.clock), remembering)
    }

    /// Waits until every outcome that nobody saw is remembered: at the end of a program, after that of its desk. Says
    /// whether that was within the limit.
    pub async fn remembered(&self, limit: std::time::Duration) -> bool {
        tokio::time::timeout(limit, self.remembering.all())
            .await
            .is_ok()
    }

    /// Gives an operation to the desk, whose progress the session is told.
    pub(super) fn submit(
        &self,
        operation: &Operation,
        drugs: Vec<DrugId>,
        answers: mpsc::Sender<Reply>,
    ) -> tokio::sync::watch::Receiver<Progress> {
        let progress = self.desk.submit(operation.clone(), drugs).progress();
        let (op, followed) = (operation.id, progress.clone());
        tokio::spawn(follow(op, followed, Arc::clone(&self.tally), answers));
        progress
    }

    /// Tells a session, which has that number, what its person has not seen of what they signed before: at once what is
    /// known, and what another session of theirs still waits for as soon as it is.
    pub(super) fn tell_missed(&self, actor: UserId, session: u64, answers: mpsc::Sender<Reply>) {
        // Before the database is asked: what is put down there meanwhile is in one or the other.
        let elsewhere = self.remembering.elsewhere(actor, session);
        let others: Vec<OpId> = elsewhere.iter().map(|one| one.op).collect();
        let services = self.clone();
        let answer = answers.clone();
        tokio::spawn(async move {
            services
                .tell(actor, answer, |op| !others.contains(&op))
                .await;
        });
        for mut one in elsewhere {
            let (services, answers) = (self.clone(), answers.clone());
            tokio::spawn(async move {
                let outcome = one.outcome().await;
                if !services.remembering.awaits(one.op) {
                    // Seen where it was signed, or put down when that session ended.
                    return services.tell(actor, answers, |op| op == one.op).await;
                }
                let missed = Missed {
                    op: one.op,
                    at: (services.clock)(),
                    what: one.what,
                    outcome,
                };
                let _ = answers.send(Reply::Missed(vec![missed])).await;
            });
        }
    }

    /// Tells what the database remembers of it.
    async fn tell(&self, actor: UserId, answers: mpsc::Sender<Reply>, of: impl Fn(OpId) -> bool) {
        match self.missed(actor).await {
            Ok(mut missed) => {
                missed.retain(|one| of(one.op));
                if !missed.is_empty() {
                    let _ = answers.send(Reply::Missed(missed)).await;
                }
            }
            // They are told the next time.
            Err(error) => tracing::warn!("what was not seen could not be read: {error}"),
        }
    }

    async fn missed(&self, actor: UserId) -> Result<Vec<Missed>, StoreError> {
        let mut conn = self.db.reader().await?;
        let rows = unseen::of(conn.link(), actor).await?;
        let missed = rows.into_iter().filter_map(|row| {
            let outcome = serde_json::from_str(&row.outcome);
            let outcome = outcome.inspect_err(|error| {
                tracing::error!(op = %row.op_id, "an outcome cannot be read: {error}");
            });
            Some(Missed {
                op: row.op_id,
                at: row.at.0,
                what: row.what,
                outcome: outcome.ok()?,
            })
        });
        Ok(missed.collect())
    }

    /// Puts on record that the sheet stopped a scan, which the desk never hears of.
    async fn note_wrong_scan(&self, actor: UserId, order: OrderId, stopped: Stopped) {
        let noted = async {
            let mut conn = self.db.writer().await?;
            let at = (self.clock)().into();
            audit::wrong_scan(conn.link(), at, actor, order, stopped.code()).await
        };
        // Stopped it was; whoever runs the server sees that the record of it is missing.
        if let Err(error) = noted.await {
            tracing::error!("a wrong scan that was stopped could not be put on record: {error}");
        }
    }

    async fn seen(&self, actor: UserId, ops: &[OpId]) {
        self.remembering.settled(ops);
        let seen = async {
            let mut conn = self.db.writer().await?;
            unseen::seen(conn.link(), actor, ops).await
        };
        // They are shown again, which does no harm.
        if let Err(error) = seen.await {
            tracing::warn!("what was seen could not be put away: {error}");
        }
    }

    /// The same for another session, whose questions do not wait for this one's.
    pub fn for_another(&self) -> Services {
        Services {
            asking: Arc::new(Semaphore::new(AT_ONCE)),
            ..self.clone()
        }
    }

    /// Carries an effect out in a task of its own, which answers when it is done. The task goes on when the session
    /// ends: a question to the database is never dropped half-way.
    pub(super) fn ask(&self, effect: Effect, actor: Option<UserId>, answers: mpsc::Sender<Reply>) {
        let services = self.clone();
        tokio::spawn(async move {
            let Ok(_turn) = services.asking.acquire().await else {
                return;
            };
            // Nothing more is read for somebody whose account was disabled since they signed in. The desk looks for
            // itself before it writes.
            if let Some(actor) = actor
                && services.is_disabled(actor).await
            {
                let _ = answers.send(Reply::Disabled(actor)).await;
                return;
            }
            let stopped = match &effect {
                Effect::LookUpPatient { order, .. } => Some((*order, Stopped::WrongPatient)),
                Effect::StoppedScan { order, stopped } => Some((*order, *stopped)),
                _ => None,
            };
            if let (Some((order, stopped)), Some(actor)) = (stopped, actor) {
                services.note_wrong_scan(actor, order, stopped).await;
            }
            if let (Effect::Seen(ops), Some(actor)) = (&effect, actor) {
                return services.seen(actor, ops).await;
            }
            if let Some(reply) = services.answer(effect).await {
                // The session may have ended meanwhile; then nobody wants to know.
                let _ = answers.send(reply).await;
            }
        });
    }

    /// Whether the account is disabled, or gone. When that cannot be found out, the question itself will fail too, and
    /// says so in its own place.
    async fn is_disabled(&self, actor: UserId) -> bool {
        let found = match self.db.reader().await {
            Ok(mut conn) => {
                let now = (self.clock)().into();
                accounts::actors(conn.link(), std::iter::once(actor), now).await
            }
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => found.get(&actor).is_none_or(|actor| actor.disabled),
            Err(error) => {
                tracing::warn!("whether an account is enabled could not be read: {error}");
                false
            }
        }
    }

    async fn answer(&self, effect: Effect) -> Option<Reply> {
        Some(match effect {
            Effect::SignIn { username, secret } => {
                Reply::SignIn(self.signed_in(&username, &secret.0).await)
            }
            Effect::CheckWitness { username, secret } => Reply::Witness {
                found: self.witness(&username, &secret.0).await,
                username,
            },
            Effect::LoadWards => Reply::Wards(self.wards().await.map_err(|e| words(&e))),
            Effect::LoadDetail(order) => Reply::Detail {
                order,
                now: self.detail(order).await.map_err(|e| words(&e)),
            },
            Effect::LoadPage(ask) => Reply::Page(Box::new(self.page(ask).await)),
            Effect::FindDrugs { ward, name } => Reply::Drugs {
                found: self.drugs(ward, &name).await.map_err(|e| words(&e)),
                name,
            },
            Effect::LookUpCode { gtin, lot, plain } => Reply::Code {
                found: self
                    .code(&gtin, lot.as_deref(), plain.as_deref())
                    .await
                    .map_err(|e| words(&e)),
                gtin,
            },
            Effect::LookUpPatient { mrn, .. } | Effect::FindPatient { mrn } => Reply::Patient {
                name: self.patient(&mrn).await.map_err(|e| words(&e)),
                mrn,
            },
            Effect::Watch(_)
            | Effect::Unwatch
            | Effect::Submit { .. }
            | Effect::Save { .. }
            | Effect::StoppedScan { .. }
            | Effect::Seen(_)
            | Effect::Look(_)
            | Effect::KeepLook(_)
            | Effect::DrainInput
            | Effect::Suspend
            | Effect::Quit => return None,
        })
    }

    async fn signed_in(&self, username: &str, secret: &str) -> Result<SignedIn, SignInFailure> {
        let actor = self.identified(username, secret).await?;
        let unavailable = |why: String| SignInFailure::Unavailable { why };
        let wards = self.wards().await.map_err(|e| unavailable(words(&e)))?;
        Ok(SignedIn { actor, wards })
    }

    /// Who a second person is: their own PIN, with the same delays as at the door.
    async fn witness(&self, username: &str, secret: &str) -> Result<UserId, SignInFailure> {
        Ok(self.identified(username, secret).await?.id)
    }

    async fn identified(&self, username: &str, secret: &str) -> Result<Actor, SignInFailure> {
        let now = (self.clock)();
        let later = |wait: std::time::Duration| {
            let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
            now.checked_add(wait).unwrap_or(Timestamp::MAX)
        };
        let unavailable = |why: String| SignInFailure::Unavailable { why };
        match self.sign_in.check(username, secret, now).await {
            Ok(actor) => Ok(actor),
            Err(SignInError::Wrong { wait }) => Err(SignInFailure::Wrong {
                retry_at: later(wait),
            }),
            Err(SignInError::TooSoon { wait }) => Err(SignInFailure::TooSoon {
                retry_at: later(wait),
            }),
            Err(SignInError::Store(error)) => Err(unavailable(words(&error))),
            Err(SignInError::Hash(error)) => {
                tracing::error!("a secret could not be checked: {error}");
                Err(unavailable("the PIN could not be checked.".to_owned()))
            }
        }
    }

    async fn wards(&self) -> Result<Vec<Ward>, StoreError> {
        screens::wards(self.db.reader().await?.link()).await
    }

    async fn detail(&self, order: OrderId) -> Result<OrderNow, StoreError> {
        let mut conn = self.db.reader().await?;
        let found = screens::order_detail(&mut conn, order, (self.clock)()).await?;
        Ok(match found {
            Found::Open(detail) => OrderNow::Open(detail),
            Found::Missing => OrderNow::NotFound,
            Found::Closed {
                status,
                by,
                at,
                change,
            } => OrderNow::Ended {
                status,
                by,
                at: Some(at),
                // Of a dose that was given there is nothing to say but by whom and when.
                reason: if status == OrderStatus::Discontinued {
                    change
                } else {
                    String::new()
                },
            },
        })
    }

    async fn drugs(&self, ward: WardId, name: &str) -> Result<Vec<Candidate>, StoreError> {
        record::drugs(self.db.reader().await?.link(), ward, name, DRUGS_FOUND).await
    }

    /// What a number on a package is; where it may be a person's, that first.
    async fn code(
        &self,
        gtin: &Gtin,
        lot: Option<&str>,
        plain: Option<&str>,
    ) -> Result<CodeFound, StoreError> {
        let mut conn = self.db.reader().await?;
        if let Some(number) = plain
            && let Some(patient) = screens::patient_by_mrn(conn.link(), number).await?
        {
            return Ok(CodeFound {
                patient: Some(patient.name),
                drugs: Vec::new(),
            });
        }
        let mut drugs = Vec::new();
        for held in codes::held(conn.link(), gtin).await? {
            let recalled = match lot {
                Some(lot) => codes::is_recalled(conn.link(), held.id, lot).await?,
                None => false,
            };
            drugs.push(CodeDrug {
                id: held.id,
                title: held.title,
                recalled,
            });
        }
        Ok(CodeFound {
            patient: None,
            drugs,
        })
    }

    async fn patient(&self, mrn: &str) -> Result<Option<String>, StoreError> {
        let mut conn = self.db.reader().await?;
        let found = screens::patient_by_mrn(conn.link(), mrn).await?;
        Ok(found.map(|patient| patient.name))
    }
}

/// Tells the session how far an operation is, up to its outcome.
async fn follow(
    op: OpId,
    mut progress: tokio::sync::watch::Receiver<Progress>,
    tally: Arc<Tally>,
    answers: mpsc::Sender<Reply>,
) {
    loop {
        let reply = match progress.borrow_and_update().clone() {
            Progress::Waiting => None,
            Progress::Checking => Some(Reply::Checking(op)),
            Progress::Done(outcome) => Some(Reply::Outcome { op, outcome }),
        };
        let done = matches!(reply, Some(Reply::Outcome { .. }));
        if let Some(Reply::Outcome { outcome, .. }) = &reply {
            tally.outcome(outcome);
        }
        if let Some(reply) = reply
            && answers.send(reply).await.is_err()
        {
            return;
        }
        if done {
            return;
        }
        if progress.changed().await.is_err() {
            // The desk ended without a word: whether it committed is not known here.
            let outcome = Outcome::Unknown { op };
            tally.outcome(&outcome);
            let _ = answers.send(Reply::Outcome { op, outcome }).await;
            return;
        }
    }
}

/// What a person is told when the database fails; the log has the operator's words.
fn words(error: &StoreError) -> String {
    tracing::warn!("a screen's question failed: {error}");
    error.refusal().to_string()
}
