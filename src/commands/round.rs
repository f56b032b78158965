//! `valmed round`: several doses of one patient, each an operation of its own.

use std::collections::HashSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::End;
use super::desk_commands::{Caller, Seen, words};
use super::output::List;
use crate::cli;
use crate::config::Config;
use crate::desk::Ticket;
use crate::domain::{Giving, NotGiven, OpId, Operation, OrderId, Outcome, Refusal, Request, Why};
use crate::store::Db;

/// A line that the desk has, or that was refused before it.
enum Asked {
    Sent(Ticket),
    Refused(Refusal),
}

pub async fn round(config: &Config, ask: cli::Round) -> anyhow::Result<()> {
    each_once(&ask)?;
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, &ask.asking).await?;
    let lines = lines(&db, &caller, ask).await?;
    let about = format!("a round of {}, operation {}", lines.len(), caller.op);
    caller.note(&db, "command line", None, &about).await?;
    let (desk, feed) = super::desk(&db, config);
    let mut asked = Vec::new();
    for (n, (order, line)) in lines.into_iter().enumerate() {
        let op = caller.op.nth(n);
        let sent = match line {
            Ok((seen, request)) => {
                let operation = Operation::new(op, caller.actor, request);
                Asked::Sent(desk.submit(operation, Some(seen.drug)))
            }
            Err(refusal) => Asked::Refused(refusal),
        };
        asked.push((order, op, sent));
    }
    let mut list = List::new(&["order", "operation", "result", "told"]);
    let mut worst = None;
    for (order, op, sent) in asked {
        let outcome = match sent {
            Asked::Sent(ticket) => ticket.outcome().await,
            Asked::Refused(refusal) => Outcome::Refused(refusal),
        };
        push(&mut list, order, op, &outcome);
        worst = worse(worst, outcome);
    }
    super::close(&desk, &feed, config).await;
    list.print(caller.style)?;
    match worst {
        Some(Outcome::Refused(refusal)) => {
            Err(End::Refused(Box::new(refusal), caller.style).into())
        }
        Some(Outcome::Unknown { op }) => Err(End::Unknown(format!(
            "whether operation {op} was recorded is not known; ask again with --op {}: nothing is done twice",
            caller.op
        ))
        .into()),
        Some(Outcome::Done(_)) | None => Ok(()),
    }
}

/// One dose has one line: what became of it cannot be two things.
fn each_once(ask: &cli::Round) -> Result<(), End> {
    let given = ask.give.iter().map(|line| line.order);
    let withheld = ask.not_given.iter().map(|line| line.order);
    let mut seen = HashSet::new();
    for order in given.chain(withheld) {
        if !seen.insert(order) {
            return Err(End::Usage(format!("order {order} is named twice")));
        }
    }
    Ok(())
}

type Line = (OrderId, Result<(Seen, Request), Refusal>);

/// What is asked of the desk for each line, in the order in which they are named.
async fn lines(db: &Db, caller: &Caller, ask: cli::Round) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    let why = Why {
        warned: ask.because,
        despite: ask.despite,
        ..Why::default()
    };
    for dose in ask.give {
        let seen = look(db, caller, "fulfil", dose.order).await?;
        let request = |seen: Seen| {
            let giving = Giving {
                amount: dose.amount,
                why: why.clone(),
                ..Giving::of(seen.order, seen.version, ask.patient.clone())
            };
            (seen, Request::Fulfil(giving))
        };
        lines.push((OrderId(dose.order), seen.map(request)));
    }
    for dose in ask.not_given {
        let seen = look(db, caller, "not_given", dose.order).await?;
        let seen = match seen {
            Ok(seen) => of_the_patient(db, caller, seen, &ask.patient).await?,
            refused => refused,
        };
        let request = |seen: Seen| {
            let not_given = NotGiven {
                order: seen.order,
                version: seen.version,
                outcome: dose.outcome,
                reason: dose.reason,
                until: None,
            };
            (seen, Request::NotGiven(not_given))
        };
        lines.push((OrderId(dose.order), seen.map(request)));
    }
    Ok(lines)
}

/// The order as it is; or that there is none, which is on record and leaves the other lines alone.
async fn look(
    db: &Db,
    caller: &Caller,
    kind: &str,
    order: Uuid,
) -> anyhow::Result<Result<Seen, Refusal>> {
    match caller.look(db, kind, order, None).await {
        Ok(seen) => Ok(Ok(seen)),
        Err(error) => match error.downcast::<End>()? {
            End::Refused(refusal, _) => Ok(Err(*refusal)),
            other => Err(other.into()),
        },
    }
}

/// What is not given is asked of nobody's wristband: here the round says whose it is.
async fn of_the_patient(
    db: &Db,
    caller: &Caller,
    seen: Seen,
    patient: &str,
) -> anyhow::Result<Result<Seen, Refusal>> {
    if seen.mrn == patient {
        return Ok(Ok(seen));
    }
    let refusal = Refusal::WrongPatient {
        identified: patient.to_owned(),
        belongs_to: None,
    };
    let about = format!("order {}", seen.order);
    let end = caller
        .refuse(db, "not_given", None, &about, refusal)
        .await?;
    match end {
        End::Refused(refusal, _) => Ok(Err(*refusal)),
        other => Err(other.into()),
    }
}

fn push(list: &mut List, order: OrderId, op: OpId, outcome: &Outcome) {
    let (result, told) = match outcome {
        Outcome::Done(receipt) => ("done".to_owned(), words(receipt)),
        Outcome::Refused(refusal) => (refusal.code().to_owned(), refusal.message()),
        Outcome::Unknown { .. } => (
            "unknown".to_owned(),
            "the connection was lost: whether it was recorded is not known".to_owned(),
        ),
    };
    list.push([
        json!(order),
        json!(op),
        Value::from(result),
        Value::from(told),
    ]);
}

/// What the command ends with: what is not known is worse than what was refused, and the first of either counts.
fn worse(worst: Option<Outcome>, outcome: Outcome) -> Option<Outcome> {
    match (&worst, &outcome) {
        (_, Outcome::Done(_)) | (Some(Outcome::Unknown { .. }), _) => worst,
        (Some(Outcome::Refused(_)), Outcome::Refused(_)) => worst,
        _ => Some(outcome),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_worse_than_what_was_refused() {
        let op = OpId(Uuid::nil());
        let refused = || Outcome::Refused(Refusal::Unavailable);
        let mut worst = worse(None, refused());
        assert_eq!(worst, Some(refused()));
        worst = worse(worst, Outcome::Unknown { op });
        assert_eq!(worse(worst, refused()), Some(Outcome::Unknown { op }));
    }
}
