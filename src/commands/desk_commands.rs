//! `valmed fulfil`, `valmed discontinue`, `valmed receive`: the desk's operations.

use jiff::tz::TimeZone;
use serde_json::json;
use uuid::Uuid;

use super::output::{self, say};
use super::{End, audit, cupboard, listings, prescribing};
use crate::cli::{self, Asking, Style};
use crate::config::Config;
use crate::domain::clock_time;
use crate::domain::reason::Reason;
use crate::domain::{
    AdministrationId, Correction, DrugId, Giving, Helped, NotGiven, OpId, Operation, OrderId,
    OrderStatus, Outcome, Quantity, Receipt, Refusal, Request, Restock, UserId, WardId, Why,
};
use crate::signin::SignIn;
use crate::store::desk::remembers;
use crate::store::{self, Db, StoreError, audit as table, listing};

pub async fn fulfil(config: &Config, ask: cli::Fulfil) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let caller = caller.seen_by(&db, ask.witness.as_deref()).await?;
    let seen = caller.look(&db, "fulfil", ask.order, ask.version).await?;
    let given_at = ask.given_at.as_deref();
    let given_at = given_at.map(|text| {
        let at = clock_time::before(text, &seen.zone, store::now());
        at.ok_or_else(|| not_a_time(text))
    });
    let request = Request::Fulfil(Giving {
        order: seen.order,
        version: seen.version,
        identified: ask.patient,
        amount: ask.amount,
        given_at: given_at.transpose()?,
        why: Why {
            indication: ask.indication,
            back_entry: ask.back_entry,
            warned: ask.because,
            despite: ask.despite,
        },
    });
    submit(config, &db, request, Some(seen.drug), &caller).await
}

pub async fn not_given(config: &Config, ask: cli::NotGiven) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let seen = caller
        .look(&db, "not_given", ask.order, ask.version)
        .await?;
    let until = ask.until.as_deref();
    let until = until.map(|text| {
        let at = clock_time::after(text, &seen.zone, store::now());
        at.ok_or_else(|| not_a_time(text))
    });
    let request = Request::NotGiven(NotGiven {
        order: seen.order,
        version: seen.version,
        outcome: ask.outcome,
        reason: ask.reason,
        until: until.transpose()?,
    });
    submit(config, &db, request, Some(seen.drug), &caller).await
}

pub async fn correct(config: &Config, ask: cli::Correct) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let caller = caller.seen_by(&db, ask.witness.as_deref()).await?;
    let request = Request::Correct(Correction {
        administration: AdministrationId(ask.administration),
        reason: ask.reason,
        stock: ask.stock,
        reopen: ask.reopen,
    });
    submit(config, &db, request, None, &caller).await
}

pub async fn effect(config: &Config, ask: cli::Effect) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let request = Request::NoteEffect(Helped {
        administration: AdministrationId(ask.administration),
        effect: ask.effect,
    });
    submit(config, &db, request, None, &caller).await
}

pub async fn discontinue(config: &Config, ask: cli::Discontinue) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    if let Some(prescription) = ask.prescription {
        let ask = (prescription, ask.version, ask.reason.as_str());
        return super::prescribing::discontinue(config, &db, &caller, ask).await;
    }
    let order = ask.order.unwrap_or_default();
    let seen = caller.look(&db, "discontinue", order, ask.version).await?;
    let request = Request::Discontinue {
        order: seen.order,
        version: seen.version,
        reason: ask.reason,
    };
    submit(config, &db, request, Some(seen.drug), &caller).await
}

pub async fn receive(config: &Config, ask: cli::Receive) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let mut conn = db.reader().await?;
    let ward = listings::ward(&mut conn, &ask.ward).await?;
    let found = listing::drug_by_code(conn.link(), &ask.drug).await?;
    drop(conn);
    let Some(drug) = found else {
        let about = format!("drug {}", ask.drug);
        let refusal = Refusal::DrugNotFound {
            ward: ask.ward,
            drug: ask.drug,
        };
        let end = caller.refuse(&db, "receive", Some(ward), &about, refusal);
        return Err(end.await?.into());
    };
    let request = Request::Receive {
        ward,
        drug,
        quantity: ask.quantity,
        reference: ask.reference,
        lot: ask.package.named(),
    };
    submit(config, &db, request, Some(drug), &caller).await
}

fn not_a_time(text: &str) -> End {
    End::Usage(format!("'{text}' is not a time: {}", clock_time::EXAMPLES))
}

pub async fn emergency(config: &Config, ask: cli::EmergencyBegin) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let ward = listings::ward(&mut db.reader().await?, &ask.ward).await?;
    let reason = Reason {
        code: ask.reason,
        text: ask.text,
    };
    submit(
        config,
        &db,
        Request::Emergency { ward, reason },
        None,
        &caller,
    )
    .await
}

pub async fn end_emergency(config: &Config, ask: cli::EmergencyEnd) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let access = ask.access;
    submit(config, &db, Request::EndEmergency { access }, None, &caller).await
}

/// Who asks, and for what operation.
pub(super) struct Caller {
    pub actor: UserId,
    witness: Option<UserId>,
    username: String,
    pub op: OpId,
    /// The id was given: the operation may have been sent before.
    again: bool,
    pub style: Style,
}

/// What is known of the order before it is asked for.
pub(super) struct Seen {
    pub order: OrderId,
    pub version: i64,
    pub drug: DrugId,
    /// Whose it is.
    pub mrn: String,
    zone: TimeZone,
}

impl Caller {
    pub async fn find(db: &Db, asking: &Asking) -> anyhow::Result<Caller> {
        let actor = SignIn::known(db, &asking.actor).await?;
        let actor =
            actor.ok_or_else(|| End::Usage(format!("there is no account '{}'", asking.actor)))?;
        Ok(Caller {
            actor: actor.id,
            witness: None,
            username: actor.username,
            op: OpId(asking.op.unwrap_or_else(Uuid::now_v7)),
            again: asking.op.is_some(),
            style: asking.list.format,
        })
    }

    /// With the witness that the command line names.
    pub async fn seen_by(mut self, db: &Db, username: Option<&str>) -> anyhow::Result<Caller> {
        if let Some(username) = username {
            let found = SignIn::known(db, username).await?;
            let missing = || End::Usage(format!("there is no account '{username}'"));
            self.witness = Some(found.ok_or_else(missing)?.id);
        }
        Ok(self)
    }

    /// Looks an order up before it is asked for; one that there is not is refused, and that is on record.
    pub async fn look(
        &self,
        db: &Db,
        kind: &str,
        order: Uuid,
        version: Option<i64>,
    ) -> anyhow::Result<Seen> {
        let order = OrderId(order);
        let Some(line) = listing::order(db.reader().await?.link(), order).await? else {
            let refusal = Refusal::OrderNotFound { order };
            let about = format!("order {order}");
            return Err(self.refuse(db, kind, None, &about, refusal).await?.into());
        };
        // An operation that is sent again must say what it said the first time: an order that has left the queue had
        // the version before this one when it was looked at.
        let now = if line.status == OrderStatus::Active {
            line.version
        } else {
            line.version - 1
        };
        Ok(Seen {
            order,
            version: version.unwrap_or(now),
            drug: line.drug_id,
            mrn: line.mrn,
            zone: TimeZone::get(&line.time_zone).unwrap_or(TimeZone::UTC),
        })
    }

    /// The version that an operation is about: the one that was looked at, or the one there is now. An operation that is
    /// sent again must say what it said the first time, which was before it changed the version itself.
    pub async fn version(&self, db: &Db, looked_at: Option<i64>, now: i64) -> anyhow::Result<i64> {
        if let Some(version) = looked_at {
            return Ok(version);
        }
        let mut conn = db.reader().await?;
        let done = self.again && remembers(conn.link(), self.op).await?;
        Ok(if done { now - 1 } else { now })
    }

    /// The drug with that code, for what is about no ward; one that there is not is refused, and that is on record.
    pub async fn drug(&self, db: &Db, kind: &str, code: &str) -> anyhow::Result<DrugId> {
        let found = listing::drug_by_code(db.reader().await?.link(), code).await?;
        if let Some(drug) = found {
            return Ok(drug);
        }
        let what = format!("drug {code}");
        let refusal = Refusal::NotFound { what: what.clone() };
        Err(self.refuse(db, kind, None, &what, refusal).await?.into())
    }

    /// A refusal that the desk never sees; it is on record like the desk's own.
    pub async fn refuse(
        &self,
        db: &Db,
        kind: &str,
        ward: Option<WardId>,
        about: &str,
        refusal: Refusal,
    ) -> anyhow::Result<End> {
        let what = audit::refused(kind, about, &refusal, self.op);
        self.note(db, "refused", ward, &what).await?;
        Ok(End::Refused(Box::new(refusal), self.style))
    }

    pub async fn note(
        &self,
        db: &Db,
        kind: &'static str,
        ward: Option<WardId>,
        what: &str,
    ) -> Result<(), StoreError> {
        let event = audit::event(kind, (self.actor, &self.username), ward, what);
        table::write(db.writer().await?.link(), &[event]).await
    }
}

pub(super) async fn submit(
    config: &Config,
    db: &Db,
    request: Request,
    drug: Option<DrugId>,
    caller: &Caller,
) -> anyhow::Result<()> {
    let op = caller.op;
    caller
        .note(db, "command line", None, &format!("operation {op}"))
        .await?;
    let (desk, feed) = super::desk(db, config);
    let outcome = desk
        .submit(
            Operation {
                id: op,
                actor: caller.actor,
                witness: caller.witness,
                request,
            },
            drug,
        )
        .outcome()
        .await;
    super::close(&desk, &feed, config).await;
    match outcome {
        Outcome::Done(receipt) => {
            print(&receipt, op, caller.style)?;
            Ok(())
        }
        Outcome::Refused(refusal) => Err(End::Refused(Box::new(refusal), caller.style).into()),
        Outcome::Unknown { op } => Err(End::Unknown(format!(
            "the connection was lost, and whether this was recorded is not known; ask again with --op {op}: it is \
             not done twice"
        ))
        .into()),
    }
}

fn print(receipt: &Receipt, op: OpId, style: Style) -> std::io::Result<()> {
    if style == Style::Json {
        return say!(
            "{}",
            output::json(&json!({ "op": op, "receipt": receipt }))?
        );
    }
    say!("{}", output::shown(&words(receipt)))
}

/// A receipt as a sentence.
pub(super) fn words(receipt: &Receipt) -> String {
    match receipt {
        Receipt::Given {
            quantity,
            left,
            administration,
            ..
        } => {
            format!("given: {quantity}; {left} left in the ward (administration {administration})")
        }
        Receipt::NotGiven {
            administration,
            outcome,
            until,
            ..
        } => {
            let back = until.map(|at| format!("; it comes back at {at}"));
            let back = back.unwrap_or_default();
            format!("recorded as {outcome}{back} (administration {administration})")
        }
        Receipt::Corrected {
            administration,
            quantity,
            stock,
            reopened,
            ..
        } => corrected(*administration, *quantity, *stock, *reopened),
        Receipt::EffectNoted { administration, .. } => {
            format!("effect recorded: administration {administration}")
        }
        Receipt::Discontinued { order, .. } => format!("discontinued: order {order}"),
        Receipt::Received {
            quantity, holds, ..
        } => format!("received: {quantity}; the ward holds {holds}"),
        Receipt::EmergencyBegun { access, until, .. } => {
            format!("emergency access until {until} (access {access})")
        }
        Receipt::EmergencyEnded { access, .. } => format!("ended: emergency access {access}"),
        other => prescribing::told(other).unwrap_or_else(|| cupboard::told(other)),
    }
}

fn corrected(
    administration: AdministrationId,
    quantity: Quantity,
    stock: Restock,
    reopened: bool,
) -> String {
    let stock = match stock {
        _ if !quantity.is_positive() => "no stock had moved".to_owned(),
        Restock::Back => format!("{quantity} back in stock"),
        Restock::WrittenOff => format!("{quantity} written off"),
    };
    let order = if reopened {
        "the dose is open again"
    } else {
        "the dose is not given any more"
    };
    format!("taken back: {stock}; {order} (administration {administration})")
}
