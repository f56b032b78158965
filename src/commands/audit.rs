//! What commands put on record. Whoever may open the database is trusted to say for whom they act; that they did so is
//! kept, with the system's user as the environment names it.

use uuid::Uuid;

use crate::domain::{Refusal, UserId, WardId};
use crate::store::audit::Event;
use crate::store::now;

/// The system's user, as the environment names it: proof of nothing, and a beginning for whoever asks.
fn system_user() -> String {
    std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_default()
}

/// Something that a command did or was refused, in somebody's name.
pub fn event(
    kind: &'static str,
    (actor, username): (UserId, &str),
    ward: Option<WardId>,
    what: &str,
) -> Event {
    Event {
        id: Uuid::now_v7(),
        at: now().into(),
        actor: Some(actor),
        who: username.to_owned(),
        kind,
        ward,
        detail: format!("{what}, by system user '{}'", system_user()),
        code: None,
        order: None,
    }
}

/// An account that was changed. Its person did not do it: nobody of the ward is named as the one who acted.
pub fn account_changed(username: &str, what: &str) -> Event {
    let user = system_user();
    Event {
        id: Uuid::now_v7(),
        at: now().into(),
        actor: None,
        detail: format!("account {username}: {what}, by system user '{user}'"),
        who: user,
        kind: "account changed",
        ward: None,
        code: None,
        order: None,
    }
}

/// What was refused, in the words of the desk's own refusals.
pub fn refused(kind: &str, about: &str, refusal: &Refusal, op: crate::domain::OpId) -> String {
    format!("{kind} {about}: {} (operation {op})", refusal.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_account_is_not_said_to_have_changed_itself() {
        let event = account_changed("linh", "disabled");
        assert_eq!(event.actor, None);
        let expected = format!("account linh: disabled, by system user '{}'", system_user());
        assert_eq!(event.detail, expected);
    }
}
