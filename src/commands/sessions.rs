//! `valmed sessions`: who is on the server of this machine, and ending their sessions.

use super::End;
use super::output::{List, say, shown};
use crate::cli::Sessions;
use crate::config::Config;
use crate::server::{Answer, Ask, Listed, ask};

pub async fn sessions(config: &Config, what: Sessions) -> anyhow::Result<()> {
    let question = if what.end.is_empty() && what.end_user.is_none() {
        Ask::List
    } else {
        Ask::End {
            ids: what.end.clone(),
            username: what.end_user.clone(),
        }
    };
    match ask(&config.control_socket()?, &question).await? {
        Answer::Sessions { sessions } => list(sessions, &what),
        Answer::Ended { sessions } => {
            if sessions.is_empty() {
                return Err(End::Usage("there is no such session".to_owned()).into());
            }
            for session in sessions {
                say!("{}: session {} ends", shown(&session.username), session.id)?;
            }
            Ok(())
        }
        Answer::Refused { why } => Err(anyhow::anyhow!(why)),
    }
}

fn list(sessions: Vec<Listed>, what: &Sessions) -> anyhow::Result<()> {
    let mut list = List::new(&["id", "user", "role", "from", "by", "terminal", "since"]);
    for session in sessions {
        list.push([
            // A number of sessions since the start is far below what JSON can say.
            i64::try_from(session.id).unwrap_or(i64::MAX).into(),
            session.username.into(),
            session.role.into(),
            session.from.into(),
            session.method.into(),
            session.terminal.into(),
            session.began.to_string().into(),
        ]);
    }
    Ok(list.print(what.list.format)?)
}
