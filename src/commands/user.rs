//! `valmed user …`: accounts. Whoever may open the database may do this; every change is audited.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Read};
use std::path::Path;

use anyhow::Context;
use russh::keys::{HashAlg, PublicKey};

use super::audit::account_changed;
use super::output::{List, say, shown};
use super::{End, listings};
use crate::cli::{Page, User};
use crate::config::Config;
use crate::domain::text::{is_unsafe, plain};
use crate::domain::{Role, UserId, WardId, Wards};
use crate::server::Server;
use crate::signin::hash_secret;
use crate::store::accounts::{self, Key, NewAccount};
use crate::store::audit;
use crate::store::{Conn, Db, StoreError, Tx, now};

/// Longest user name, in characters.
const LONGEST_USERNAME: usize = 64;

pub async fn user(config: &Config, what: User) -> anyhow::Result<()> {
    let db = super::open(config).await?;
    match what {
        User::Add {
            username,
            name,
            role,
            wards,
        } => add(&db, &username, &name, role, &wards).await,
        User::Role { username, role } => {
            let set = async |tx: &mut Tx<'_>, id| accounts::set_role(tx.link(), id, role).await;
            change(&db, &username, &format!("role {role}"), set).await
        }
        User::Ward { username, wards } => {
            let wards = read_wards(&mut db.reader().await?, &wards.join(" ")).await?;
            let set = async |tx: &mut Tx<'_>, id| accounts::set_wards(tx.link(), id, &wards).await;
            change(&db, &username, "wards changed", set).await
        }
        User::Password { username } => password(&db, &username).await,
        User::Key { username, file } => key(&db, &username, &file).await,
        User::Disable { username, undo } => {
            let what = if undo { "enabled" } else { "disabled" };
            let set =
                async |tx: &mut Tx<'_>, id| accounts::set_disabled(tx.link(), id, !undo).await;
            change(&db, &username, what, set).await
        }
        User::ReadOnly { username, undo } => {
            let what = if undo {
                "may change things again"
            } else {
                "may look only"
            };
            let set =
                async |tx: &mut Tx<'_>, id| accounts::set_read_only(tx.link(), id, !undo).await;
            change(&db, &username, what, set).await
        }
        User::List { page } => list(&db, page).await,
    }
}

async fn add(db: &Db, username: &str, name: &str, role: Role, wards: &str) -> anyhow::Result<()> {
    let fits = (1..=LONGEST_USERNAME).contains(&username.chars().count());
    if !fits || username.contains(|c: char| c.is_whitespace() || is_unsafe(c)) {
        let why = format!(
            "'{username}' cannot be a user name: 1 to {LONGEST_USERNAME} characters, no spaces"
        );
        return Err(End::Usage(why).into());
    }
    let name = plain(name);
    if name.is_empty() {
        return Err(End::Usage("a name is needed: it is what others see".to_owned()).into());
    }
    let wards = read_wards(&mut db.reader().await?, wards).await?;
    let mut conn = db.writer().await?;
    let mut tx = conn.begin_write().await?;
    let new = NewAccount {
        username,
        name: &name,
        role,
        every_ward: wards == Wards::Every,
        at: now().into(),
    };
    let id = match accounts::add(tx.link(), &new).await {
        Ok(id) => id,
        Err(StoreError::Constraint(_)) => {
            return Err(End::Usage(format!("there is an account '{username}' already")).into());
        }
        Err(error) => return Err(error.into()),
    };
    accounts::set_wards(tx.link(), id, &wards).await?;
    note(&mut tx, username, &format!("added as {role}")).await?;
    tx.commit().await?;
    let shown = shown(username);
    say!("{shown} added as {role}; 'valmed user password {shown}' lets them sign in")?;
    Ok(())
}

async fn change(
    db: &Db,
    username: &str,
    what: &str,
    apply: impl AsyncFnOnce(&mut Tx<'_>, UserId) -> Result<(), StoreError>,
) -> anyhow::Result<()> {
    let mut conn = db.writer().await?;
    let mut tx = conn.begin_write().await?;
    let account = accounts::by_username(tx.link(), username).await?;
    let account = account.ok_or_else(|| End::Usage(format!("there is no account '{username}'")))?;
    apply(&mut tx, account.id).await?;
    note(&mut tx, username, what).await?;
    tx.commit().await?;
    say!("{}: {what}", shown(username))?;
    Ok(())
}

/// Ward codes, separated by spaces or commas; `*`: every ward.
async fn read_wards(conn: &mut Conn, text: &str) -> anyhow::Result<Wards> {
    if text.trim() == "*" {
        return Ok(Wards::Every);
    }
    let mut wards: BTreeSet<WardId> = BTreeSet::new();
    for code in text.split([' ', ',']).filter(|code| !code.is_empty()) {
        wards.insert(listings::ward(conn, code).await?);
    }
    if wards.is_empty() {
        return Err(End::Usage("no ward is named; * is every ward".to_owned()).into());
    }
    Ok(Wards::Only(wards))
}

async fn password(db: &Db, username: &str) -> anyhow::Result<()> {
    let secret = if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password(format!("PIN or password for {username}: "))?;
        if rpassword::prompt_password("again: ")? != first {
            return Err(
                End::Usage("the two are not the same; nothing was changed".to_owned()).into(),
            );
        }
        first
    } else {
        let mut text = String::new();
        std::io::stdin()
            .take(4096)
            .read_to_string(&mut text)
            .context("standard input")?;
        text.lines().next().unwrap_or_default().to_owned()
    };
    let hash = tokio::task::spawn_blocking(move || hash_secret(&secret)).await?;
    let hash = hash.map_err(|error| End::Usage(error.to_string()))?;
    let set = async |tx: &mut Tx<'_>, id| accounts::set_secret(tx.link(), id, &hash).await;
    change(db, username, "password set", set).await
}

async fn key(db: &Db, username: &str, file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let bad = |error| {
        End::Usage(format!(
            "{}: not an OpenSSH public key: {error}",
            file.display()
        ))
    };
    let public = PublicKey::from_openssh(text.trim()).map_err(bad)?;
    if !Server::takes(&public.algorithm()) {
        let why = format!(
            "{}: keys of the kind {} cannot sign in here: make one with 'ssh-keygen -t ed25519'",
            file.display(),
            public.algorithm()
        );
        return Err(End::Usage(why).into());
    }
    let fingerprint = public.fingerprint(HashAlg::Sha256).to_string();
    let line = public.to_openssh().map_err(bad)?;
    let what = format!("key {fingerprint} added");
    let comment = public.comment().to_string();
    let key = Key {
        fingerprint: &fingerprint,
        public_key: &line,
        comment: &comment,
        at: now().into(),
    };
    let set = async |tx: &mut Tx<'_>, id| accounts::add_key(tx.link(), id, &key).await;
    match change(db, username, &what, set).await {
        Err(error) if matches!(error.downcast_ref(), Some(StoreError::Constraint(_))) => {
            Err(End::Usage(format!(
                "the key {fingerprint} belongs to an account already"
            ))
            .into())
        }
        added => added,
    }
}

async fn list(db: &Db, page: Page) -> anyhow::Result<()> {
    let mut conn = db.reader().await?;
    let after = page.after.unwrap_or_default();
    let mut list = List::new(&[
        "username",
        "name",
        "role",
        "wards",
        "password",
        "keys",
        "disabled",
        "read_only",
    ]);
    for line in accounts::list(conn.link(), &after, page.limit).await? {
        list.push([
            line.username.into(),
            line.name.into(),
            line.role.as_str().into(),
            line.wards.into(),
            line.password.into(),
            line.keys.into(),
            line.disabled.into(),
            line.read_only.into(),
        ]);
    }
    Ok(list.print(page.list.format)?)
}

async fn note(tx: &mut Tx<'_>, username: &str, what: &str) -> Result<(), StoreError> {
    audit::write(tx.link(), &[account_changed(username, what)]).await
}
