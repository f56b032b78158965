//! `valmed board`: every ward in one line each.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::output::{List, local, say};
use crate::cli::Form;
use crate::config::Config;
use crate::store::{self, Db, board as counts};
use crate::tui::clock;
use crate::tui::pages::board;

pub async fn board(db: &Db, config: &Config, form: Form) -> anyhow::Result<()> {
    let now = store::now();
    let mut conn = db.reader().await?;
    let board = counts::board(&mut conn, config.due_window(), now).await?;
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
        "ward", "name", "due", "late", "oldest", "low", "out", "given",
    ]);
    for line in board.lines {
        let zone = line.ward.zone();
        let given: u64 = line.given.iter().copied().map(u64::from).sum();
        list.push([
            line.ward.code.into(),
            line.ward.name.into(),
            line.due.into(),
            line.late.into(),
            line.oldest
                .map_or(Value::Null, |at| local(at, &zone).into()),
            line.low.into(),
            line.out.into(),
            given.into(),
        ]);
    }
    Ok(list.print(style)?)
}
