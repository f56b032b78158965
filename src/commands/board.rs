//! `valmed board`: every ward in one line each.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::listings::BEYOND;
use super::output::{List, local, say};
use crate::cli::{Form, Format};
use crate::config::Config;
use crate::store::{self, At, Db, board as counts};
use crate::tui::clock;
use crate::tui::pages::board;

pub async fn board(db: &Db, config: &Config, form: Form) -> anyhow::Result<()> {
    let now = store::now();
    let mut conn = db.reader().await?;
    let board = counts::board(&mut conn, super::patients::windows(config), now).await?;
    let Some(style) = form.paper.style() else {
        let zone = board
            .lines
            .first()
            .map_or(TimeZone::UTC, |line| line.ward.zone());
        let read = clock::full(now, &zone);
        let text = board::text(&board, now, usize::from(form.width));
        return Ok(say!(
            "BOARD OF ALL WARDS, read {read}\n\n{}",
            text.trim_end()
        )?);
    };
    let mut list = List::new(&[
        "ward",
        "name",
        "due",
        "late",
        "missed",
        "oldest",
        "low",
        "out",
        "discrepancies",
        "emergencies",
        "given",
    ]);
    for line in board.lines {
        let zone = line.ward.zone();
        let given: u64 = line.given.iter().copied().map(u64::from).sum();
        list.push([
            line.ward.code.into(),
            line.ward.name.into(),
            line.due.into(),
            line.late.into(),
            line.missed.into(),
            line.oldest
                .map_or(Value::Null, |at| local(at, &zone).into()),
            line.low.into(),
            line.out.into(),
            line.discrepancies.into(),
            line.emergencies.into(),
            given.into(),
        ]);
    }
    Ok(list.print(style)?)
}

/// `valmed emergency list`
pub async fn emergencies(db: &Db, limit: i64, form: Format) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let wards = crate::store::screens::wards(conn.link()).await?;
    let before = (At::from(BEYOND), uuid::Uuid::max());
    let found = counts::emergencies(conn.link(), before, limit).await?;
    let mut list = List::new(&[
        "access", "who", "role", "ward", "began", "until", "ended_by", "reason", "text",
    ]);
    for access in found {
        let ward = wards.iter().find(|ward| ward.id == access.ward);
        let zone = ward.map_or(TimeZone::UTC, |ward| ward.zone());
        list.push([
            access.id.to_string().into(),
            access.who.into(),
            access.role.as_str().into(),
            access.ward_code.into(),
            local(access.started, &zone).into(),
            local(access.until, &zone).into(),
            access.ended_by.map_or(Value::Null, Value::from),
            access.reason.code.into(),
            access.reason.text.into(),
        ]);
    }
    Ok(list.print(form.format)?)
}
