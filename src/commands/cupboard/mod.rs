//! The cupboard's operations from the command line, and what they print.

mod lists;
mod register;

use serde_json::json;
use uuid::Uuid;

use super::desk_commands::{Caller, submit};
use super::output::{self, say};
use super::{End, listings};
use crate::cli::Style;
use crate::cli::cupboard::{self as cli, Count, How, Levels, Lots, Transfer};
use crate::config::Config;
use crate::domain::cupboard::{Resolution, Verdict};
use crate::domain::operation::Part;
use crate::domain::shelf::{DiscrepancyLine, TransferLine};
use crate::domain::{
    DiscrepancyId, DrugId, LedgerReason, OpId, Operation, Outcome, Quantity, Reason, Receipt,
    Refusal, Request, TransferId, WardId, cupboard,
};
use crate::store::{Conn, Db, cupboard as table, listing};

pub use lists::{discrepancies, elsewhere};
pub use register::register;

/// What is asked of the desk once the person and the database are known.
async fn ask(
    config: &Config,
    asking: &crate::cli::Asking,
    witness: Option<&str>,
    request: impl AsyncFnOnce(&Db, &Caller) -> anyhow::Result<(Request, DrugId)>,
) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, asking).await?;
    let caller = caller.seen_by(&db, witness).await?;
    let (request, drug) = request(&db, &caller).await?;
    submit(config, &db, request, Some(drug), &caller).await
}

/// Ward and drug by their codes; a drug that there is not is refused, and that is on record.
async fn place(
    db: &Db,
    caller: &Caller,
    kind: &str,
    ward: &str,
    drug: &str,
) -> anyhow::Result<(WardId, DrugId)> {
    let mut conn = db.reader().await?;
    let id = listings::ward(&mut conn, ward).await?;
    let found = listing::drug_by_code(conn.link(), drug).await?;
    drop(conn);
    match found {
        Some(drug) => Ok((id, drug)),
        None => {
            let refusal = Refusal::DrugNotFound {
                ward: ward.to_owned(),
                drug: drug.to_owned(),
            };
            let about = format!("drug {drug}");
            let end = caller.refuse(db, kind, Some(id), &about, refusal);
            Err(end.await?.into())
        }
    }
}

async fn a_transfer(db: &Db, caller: &Caller, id: TransferId) -> anyhow::Result<TransferLine> {
    let found = table::transfer(db.reader().await?.link(), id).await?;
    match found {
        Some(line) => Ok(line),
        None => {
            let about = format!("transfer {id}");
            let refusal = Refusal::NotFound {
                what: about.clone(),
            };
            let end = caller.refuse(db, "receive_transfer", None, &about, refusal);
            Err(end.await?.into())
        }
    }
}

async fn a_difference(
    db: &Db,
    caller: &Caller,
    kind: &str,
    id: DiscrepancyId,
) -> anyhow::Result<DiscrepancyLine> {
    let found = table::discrepancy(db.reader().await?.link(), id).await?;
    match found {
        Some(line) => Ok(line),
        None => {
            let about = format!("discrepancy {id}");
            let refusal = Refusal::NotFound {
                what: about.clone(),
            };
            Err(caller.refuse(db, kind, None, &about, refusal).await?.into())
        }
    }
}

pub async fn transfer(config: &Config, what: Transfer) -> anyhow::Result<()> {
    match what {
        Transfer::Send {
            from,
            to,
            drug,
            quantity,
            note,
            seen,
            asking,
        } => {
            let request = async |db: &Db, caller: &Caller| {
                let (source, drug) = place(db, caller, "send", &from, &drug).await?;
                let destination = listings::ward(&mut db.reader().await?, &to).await?;
                let request = Request::Send {
                    source,
                    destination,
                    drug,
                    quantity,
                    note,
                };
                Ok((request, drug))
            };
            ask(config, &asking, seen.witness.as_deref(), request).await
        }
        Transfer::Receive {
            transfer,
            quantity,
            seen,
            asking,
        } => {
            let request = async |db: &Db, caller: &Caller| {
                let transfer = TransferId(transfer);
                let line = a_transfer(db, caller, transfer).await?;
                let received = quantity.unwrap_or(line.quantity);
                Ok((Request::Arrive { transfer, received }, line.drug.id))
            };
            ask(config, &asking, seen.witness.as_deref(), request).await
        }
        Transfer::Resolve {
            discrepancy,
            how,
            reason,
            text,
            seen,
            asking,
        } => {
            let reason = Reason { code: reason, text };
            resolve_transfer(
                config,
                DiscrepancyId(discrepancy),
                how,
                reason,
                &seen,
                &asking,
            )
            .await
        }
        Transfer::List(which) => lists::transfers(&super::open(config).await?, which).await,
    }
}

async fn resolve_transfer(
    config: &Config,
    discrepancy: DiscrepancyId,
    how: How,
    reason: Reason,
    seen: &cli::Seen,
    asking: &crate::cli::Asking,
) -> anyhow::Result<()> {
    let request = async |db: &Db, caller: &Caller| {
        let line = a_difference(db, caller, "resolve_transfer", discrepancy).await?;
        let request = Request::ResolveTransfer {
            discrepancy,
            how: how.into(),
            reason,
        };
        Ok((request, line.drug.id))
    };
    ask(config, asking, seen.witness.as_deref(), request).await
}

fn reason(why: cli::Why) -> Reason {
    Reason {
        code: why.reason,
        text: why.text,
    }
}

/// `valmed return` and `valmed waste`.
pub async fn take_out(config: &Config, ask_: cli::TakeOut, waste: bool) -> anyhow::Result<()> {
    let kind = if waste { "waste" } else { "return" };
    let request = async |db: &Db, caller: &Caller| {
        let (ward, drug) = place(db, caller, kind, &ask_.at.ward, &ask_.at.drug).await?;
        let what = Part {
            ward,
            drug,
            quantity: ask_.quantity,
            lot: ask_.lot,
        };
        let reason = reason(ask_.why);
        let request = if waste {
            Request::Waste { what, reason }
        } else {
            Request::Return { what, reason }
        };
        Ok((request, drug))
    };
    ask(config, &ask_.asking, ask_.seen.witness.as_deref(), request).await
}

pub async fn adjust(config: &Config, ask_: cli::Adjust) -> anyhow::Result<()> {
    let request = async |db: &Db, caller: &Caller| {
        let (ward, drug) = place(db, caller, "adjust", &ask_.at.ward, &ask_.at.drug).await?;
        let what = Part {
            ward,
            drug,
            quantity: ask_.by,
            lot: ask_.lot,
        };
        let reason = reason(ask_.why);
        Ok((Request::Adjust { what, reason }, drug))
    };
    ask(config, &ask_.asking, ask_.seen.witness.as_deref(), request).await
}

pub async fn count(config: &Config, what: Count) -> anyhow::Result<()> {
    match what {
        Count::Start {
            ward,
            controlled,
            shelf,
            list,
        } => {
            let db = super::open(config).await?;
            lists::to_count(&db, &ward, controlled, shelf.as_deref(), list.format).await
        }
        Count::Enter {
            at,
            counted,
            seq,
            seen,
            asking,
        } => {
            let request = async |db: &Db, caller: &Caller| {
                let (ward, drug) = place(db, caller, "count", &at.ward, &at.drug).await?;
                let seq = match seq {
                    Some(seq) => seq,
                    None => last_row(&mut db.reader().await?, ward, drug).await?,
                };
                let request = Request::Count {
                    ward,
                    drug,
                    seq,
                    counted,
                };
                Ok((request, drug))
            };
            ask(config, &asking, seen.witness.as_deref(), request).await
        }
        Count::Explain {
            discrepancy,
            why,
            seen,
            asking,
        } => {
            let request = async |db: &Db, caller: &Caller| {
                let discrepancy = DiscrepancyId(discrepancy);
                let line = a_difference(db, caller, "explain", discrepancy).await?;
                let request = Request::Explain {
                    discrepancy,
                    reason: reason(why),
                };
                Ok((request, line.drug.id))
            };
            ask(config, &asking, seen.witness.as_deref(), request).await
        }
        Count::Resolve {
            discrepancy,
            why,
            seen,
            asking,
        } => {
            let request = async |db: &Db, caller: &Caller| {
                let discrepancy = DiscrepancyId(discrepancy);
                let line = a_difference(db, caller, "resolve_count", discrepancy).await?;
                let request = Request::ResolveCount {
                    discrepancy,
                    reason: reason(why),
                };
                Ok((request, line.drug.id))
            };
            ask(config, &asking, seen.witness.as_deref(), request).await
        }
        Count::List { ward, page } => lists::counts(&super::open(config).await?, &ward, page).await,
    }
}

/// The last row of a register page; none where the ward has none of the drug, which the desk will say.
async fn last_row(conn: &mut Conn, ward: WardId, drug: DrugId) -> anyhow::Result<i64> {
    let ask = table::RegisterAsk {
        ward,
        drug,
        before: i64::MAX,
        limit: 1,
    };
    let page = table::register(conn.link(), ask).await?;
    Ok(page.map_or(0, |page| page.last))
}

pub async fn lots(config: &Config, what: Lots) -> anyhow::Result<()> {
    let db = super::open(config).await?;
    match what {
        Lots::List { ward, page } => lists::lots(&db, &ward, page).await,
        Lots::Who { drug, lot, page } => lists::lot_moves(&db, &drug, &lot, page).await,
    }
}

pub async fn recall(config: &Config, ask_: cli::Recall) -> anyhow::Result<()> {
    let (code, lot) = (ask_.drug.clone(), ask_.lot.trim().to_owned());
    let style = ask_.asking.list.format;
    let request = async |db: &Db, caller: &Caller| {
        let drug = caller.drug(db, "recall", &ask_.drug).await?;
        let request = Request::Recall {
            drug,
            lot: ask_.lot,
            reason: ask_.reason,
        };
        Ok((request, drug))
    };
    ask(config, &ask_.asking, None, request).await?;
    if style != Style::Json {
        say!("who got some of it, and where it is:")?;
        let page = crate::cli::Page {
            limit: 100_000,
            after: None,
            list: ask_.asking.list,
        };
        lists::lot_moves(&super::open(config).await?, &code, &lot, page).await?;
    }
    Ok(())
}

pub async fn levels(config: &Config, what: Levels) -> anyhow::Result<()> {
    match what {
        Levels::List { ward, list } => {
            lists::levels(&super::open(config).await?, &ward, list.format).await
        }
        Levels::Low { ward, list } => {
            lists::shortages(&super::open(config).await?, config, &ward, list.format).await
        }
        Levels::Set {
            at,
            threshold,
            par,
            shelf,
            asking,
        } => {
            let request = async |db: &Db, caller: &Caller| {
                let (ward, drug) = place(db, caller, "levels", &at.ward, &at.drug).await?;
                let found = table::level(db.reader().await?.link(), ward, drug).await?;
                let was = found.map_or_else(cupboard::Levels::default, |line| cupboard::Levels {
                    threshold: line.threshold,
                    par: line.par,
                    shelf: line.shelf,
                });
                let levels = cupboard::Levels {
                    threshold: threshold.unwrap_or(was.threshold),
                    par: par.unwrap_or(was.par),
                    shelf: shelf.unwrap_or_else(|| was.shelf.clone()),
                };
                let request = Request::SetLevels {
                    ward,
                    drug,
                    was,
                    levels,
                };
                Ok((request, drug))
            };
            ask(config, &asking, None, request).await
        }
    }
}

/// Shows what fills a ward up to par and, where somebody sends it, makes each drug a transfer of its own: one that is
/// refused does not keep the others from being sent, and each is told.
pub async fn replenish(config: &Config, ask_: cli::Replenish) -> anyhow::Result<()> {
    let db = super::open_to_write(config).await?;
    let mut conn = db.reader().await?;
    let ward = listings::ward(&mut conn, &ask_.ward).await?;
    let source = listings::ward(&mut conn, &ask_.from).await?;
    let refills = lists::refills(&mut conn, ward, source).await?;
    drop(conn);
    let Some(username) = &ask_.send_as else {
        return lists::print_refills(refills, ask_.list.format);
    };
    let asking = crate::cli::Asking {
        actor: username.clone(),
        op: None,
        list: ask_.list,
    };
    let caller = Caller::find(&db, &asking).await?;
    caller
        .note(&db, "command line", Some(ward), "replenish")
        .await?;
    let (desk, feed) = super::desk(&db, config);
    let wanted = refills
        .iter()
        .filter(|refill| refill.quantity.is_positive());
    let tickets: Vec<_> = wanted
        .map(|refill| {
            let request = Request::Send {
                source,
                destination: ward,
                drug: refill.drug.id,
                quantity: refill.quantity,
                note: "replenishment".to_owned(),
            };
            let op = OpId(Uuid::now_v7());
            let operation = Operation::new(op, caller.actor, request);
            (refill, op, desk.submit(operation, None))
        })
        .collect();
    let mut list = lists::sent_list();
    let mut first = None;
    for (refill, op, ticket) in tickets {
        let outcome = ticket.outcome().await;
        lists::push_sent(&mut list, refill, op, &outcome);
        match outcome {
            Outcome::Refused(refusal) => {
                first.get_or_insert(End::Refused(Box::new(refusal), caller.style));
            }
            Outcome::Unknown { op } => {
                first.get_or_insert(End::Unknown(format!(
                    "whether operation {op} was recorded is not known"
                )));
            }
            Outcome::Done(_) => {}
        }
    }
    super::close(&desk, &feed, config).await;
    list.print(ask_.list.format)?;
    first.map_or(Ok(()), |end| Err(end.into()))
}

/// A receipt of the cupboard in words.
pub fn told(receipt: &Receipt) -> String {
    match receipt {
        Receipt::Sent {
            transfer,
            quantity,
            left,
            ..
        } => format!("sent: {quantity}; {left} left in the ward (transfer {transfer})"),
        Receipt::Arrived {
            quantity,
            missing,
            discrepancy,
            holds,
            ..
        } => {
            let short = discrepancy.map_or_else(String::new, |id| {
                format!("; {missing} missing (discrepancy {id})")
            });
            format!("received: {quantity}; the ward holds {holds}{short}")
        }
        Receipt::Resolved {
            how,
            quantity,
            holds,
            ..
        } => {
            let amount = if *how == Resolution::Explained {
                String::new()
            } else {
                format!(": {quantity}")
            };
            let holds = holds.map_or_else(String::new, |holds| format!("; the ward holds {holds}"));
            format!("resolved as {how}{amount}{holds}")
        }
        Receipt::Booked {
            reason,
            quantity,
            holds,
            ..
        } => {
            let quantity = match reason {
                LedgerReason::Adjusted if quantity.is_positive() => format!("+{quantity}"),
                LedgerReason::Adjusted => quantity.to_string(),
                _ => (-*quantity).to_string(),
            };
            format!("{reason}: {quantity}; the ward holds {holds}")
        }
        Receipt::Counted { verdict, .. } => match verdict {
            Verdict::Agrees => "counted: it agrees with the register".to_owned(),
            Verdict::Recount => {
                "counted: it does not agree with the register; count it again".to_owned()
            }
            Verdict::Differs {
                difference,
                discrepancy,
            } => {
                let way = if *difference < Quantity::ZERO {
                    "missing"
                } else {
                    "too many"
                };
                let by = if *difference < Quantity::ZERO {
                    -*difference
                } else {
                    *difference
                };
                format!("counted: {by} {way}; explain it (discrepancy {discrepancy})")
            }
        },
        Receipt::Explained {
            quantity,
            holds,
            open,
            ..
        } => {
            let open = if *open {
                "; it waits for a supervisor"
            } else {
                ""
            };
            format!("explained: stock changed by {quantity}, the ward holds {holds}{open}")
        }
        Receipt::Recalled {
            lot, wards, held, ..
        } => format!("recalled: lot {lot}; {wards} wards hold {held} of it"),
        Receipt::LevelsSet { levels, .. } => format!(
            "levels set: low at {}, filled up to {}{}",
            levels.threshold,
            levels.par,
            if levels.shelf.is_empty() {
                String::new()
            } else {
                format!(", shelf {}", levels.shelf)
            }
        ),
        Receipt::CodeBound { drug, gtin, .. } => format!("bound: {gtin} is drug {drug}"),
        Receipt::CodeReleased { drug, gtin, .. } => {
            format!("released: {gtin} is not drug {drug} any more")
        }
        // Of a dose or a patient: told where those are asked for.
        _ => output::json(&json!(receipt)).unwrap_or_default(),
    }
}
