//! `valmed fulfil`, `valmed discontinue`, `valmed receive`: the desk's operations.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::output::{self, say};
use super::{End, listings};
use crate::cli::{self, Asking, Style};
use crate::config::Config;
use crate::domain::{
    DrugId, OpId, Operation, OrderId, OrderStatus, Outcome, Receipt, Refusal, Request, UserId,
};
use crate::signin::SignIn;
use crate::store::audit::{self, Event};
use crate::store::{Db, listing, now};

/// How long the end of a command waits for other processes to be told; they would find out by themselves.
const TELL: Duration = Duration::from_millis(500);

pub async fn fulfil(config: &Config, ask: cli::Fulfil) -> anyhow::Result<()> {
    let db = super::open(config).await?;
    let seen = look(&db, ask.order, ask.version, &ask.asking).await?;
    let request = Request::Fulfil {
        order: seen.order,
        version: seen.version,
        identified: ask.patient,
        amount: ask.amount,
    };
    submit(config, &db, request, Some(seen.drug), &ask.asking).await
}

pub async fn discontinue(config: &Config, ask: cli::Discontinue) -> anyhow::Result<()> {
    let db = super::open(config).await?;
    let seen = look(&db, ask.order, ask.version, &ask.asking).await?;
    let request = Request::Discontinue {
        order: seen.order,
        version: seen.version,
        reason: ask.reason,
    };
    submit(config, &db, request, Some(seen.drug), &ask.asking).await
}

pub async fn receive(config: &Config, ask: cli::Receive) -> anyhow::Result<()> {
    let db = super::open(config).await?;
    let mut conn = db.reader().await?;
    let ward = listings::ward(&mut conn, &ask.ward).await?;
    let found = listing::drug_by_code(conn.link(), &ask.drug).await?;
    drop(conn);
    let unknown = || Refusal::DrugNotFound {
        ward: ask.ward.clone(),
        drug: ask.drug.clone(),
    };
    let drug = found.ok_or_else(|| End::Refused(Box::new(unknown()), ask.asking.list.format))?;
    let request = Request::Receive {
        ward,
        drug,
        quantity: ask.quantity,
        reference: ask.reference,
    };
    submit(config, &db, request, Some(drug), &ask.asking).await
}

/// What is known of the order before it is asked for.
struct Seen {
    order: OrderId,
    version: i64,
    drug: DrugId,
}

async fn look(db: &Db, order: Uuid, version: Option<i64>, asking: &Asking) -> anyhow::Result<Seen> {
    let order = OrderId(order);
    let Some(line) = listing::order(db.reader().await?.link(), order).await? else {
        return Err(End::Refused(
            Box::new(Refusal::OrderNotFound { order }),
            asking.list.format,
        )
        .into());
    };
    // An operation that is sent again must say what it said the first time: an order that has left the queue had the
    // version before this one when it was looked at.
    let now = if line.status == OrderStatus::Active {
        line.version
    } else {
        line.version - 1
    };
    Ok(Seen {
        order,
        version: version.unwrap_or(now),
        drug: line.drug_id,
    })
}

async fn submit(
    config: &Config,
    db: &Db,
    request: Request,
    drug: Option<DrugId>,
    asking: &Asking,
) -> anyhow::Result<()> {
    let actor = SignIn::known(db, &asking.actor).await?;
    let actor =
        actor.ok_or_else(|| End::Usage(format!("there is no account '{}'", asking.actor)))?;
    let op = OpId(asking.op.unwrap_or_else(Uuid::now_v7));
    note(db, actor.id, &asking.actor, op).await?;
    let (desk, feed) = super::desk(db, config);
    let outcome = desk
        .submit(
            Operation {
                id: op,
                actor: actor.id,
                request,
            },
            drug,
        )
        .outcome()
        .await;
    desk.close(config.desk().wait).await;
    feed.told(TELL).await;
    match outcome {
        Outcome::Done(receipt) => {
            print(&receipt, op, asking.list.format)?;
            Ok(())
        }
        Outcome::Refused(refusal) => Err(End::Refused(Box::new(refusal), asking.list.format).into()),
        Outcome::Unknown { op } => Err(End::Unknown(format!(
            "the connection was lost, and whether this was recorded is not known; ask again with --op {op}: it is \
             not done twice"
        ))
        .into()),
    }
}

/// Whoever may open the database is trusted to say for whom they act; that they did so is on record.
async fn note(db: &Db, actor: UserId, username: &str, op: OpId) -> anyhow::Result<()> {
    let system = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_default();
    let event = Event {
        id: Uuid::now_v7(),
        at: now().into(),
        actor: Some(actor),
        who: username.to_owned(),
        kind: "command line",
        ward: None,
        detail: format!("operation {op}, by system user '{system}'"),
    };
    Ok(audit::write(db.writer().await?.link(), &[event]).await?)
}

fn print(receipt: &Receipt, op: OpId, style: Style) -> std::io::Result<()> {
    if style == Style::Json {
        return say!("{}", json!({ "op": op, "receipt": receipt }));
    }
    let words = match receipt {
        Receipt::Given {
            quantity,
            left,
            administration,
            ..
        } => {
            format!("given: {quantity}; {left} left in the ward (administration {administration})")
        }
        Receipt::Discontinued { order, .. } => format!("discontinued: order {order}"),
        Receipt::Received {
            quantity, holds, ..
        } => format!("received: {quantity}; the ward holds {holds}"),
    };
    say!("{}", output::shown(&words))
}
