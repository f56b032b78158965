//! `valmed serve`: the SSH server.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::{End, ward_desk};
use crate::config::{Config, Flags};
use crate::server::{self, Authority, Program, Rules, Server};
use crate::store::inspect;
use crate::terminal::kept::Kept;

/// Serves until a signal says that it is enough.
pub async fn serve(config: &Config, flags: Flags) -> anyhow::Result<()> {
    // Before anything is opened: a server that cannot be reached, or cannot be known, need not begin.
    let key = server::host_key(&config.host_key()?)?;
    let rules = rules(config)?;
    let kept = config.kept_terminals()?;
    let address = config
        .listen()
        .ok_or_else(|| End::Usage("server.listen is not an address".to_owned()))?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let db = super::open_with(config, &config.server_pool()).await?;
    inspect::clock_agrees(&db).await?;
    let listener = server::listen(address).with_context(|| address.to_string())?;
    let address = listener.local_addr()?;
    let open = ward_desk::open(db, config);
    let settings = server::Settings {
        rules,
        exec: program(config, flags.config.clone())?,
        session: ward_desk::session_settings(config),
        kept: Arc::clone(&kept),
    };
    let fingerprint = key.fingerprint(russh::keys::HashAlg::Sha256);
    let server = Server::new(open.services.clone(), settings, key);
    let socket = config.control_socket()?;
    let control = server::unix_listen(&socket, 0o600);
    let control = control.with_context(|| socket.display().to_string())?;
    let mut tasks = JoinSet::new();
    tasks.spawn({
        let server = server.clone();
        async move { server.serve_control(control).await }
    });
    let joining = config.attach_socket();
    if let Some(path) = &joining {
        // Whoever is of this machine may knock: who they are is what the kernel says.
        let listener = server::unix_listen(path, 0o666);
        let listener = listener.with_context(|| path.display().to_string())?;
        let server = server.clone();
        tasks.spawn(async move { server.serve_attach(listener).await });
    }
    let mut status_page = None;
    if let Some(address) = config.status() {
        let status = TcpListener::bind(address).await;
        let (status, server) = (status.with_context(|| address.to_string())?, server.clone());
        // Whoever asks while the server stops is told so: it ends last.
        status_page = Some(tokio::spawn(
            async move { server.serve_status(status).await },
        ));
    }
    super::output::say!("ValMed serves {address}, host key {fingerprint}")?;
    tasks.spawn({
        let server = server.clone();
        async move { server.serve(listener).await }
    });
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => reread(&flags, &server, &kept),
        }
    }
    tracing::info!("stopping");
    if !server.stop().await {
        tracing::warn!("sessions were cut: they did not end in time");
    }
    tasks.join_all().await;
    if let Some(page) = status_page {
        page.abort();
    }
    for socket in joining.iter().chain([&socket]) {
        if let Err(error) = std::fs::remove_file(socket) {
            tracing::warn!("{}: {error}", socket.display());
        }
    }
    open.close(config).await;
    Ok(())
}

/// What may be read again, with the files that the settings name.
fn rules(config: &Config) -> anyhow::Result<Rules> {
    let (keys, revoked) = config.authorities();
    Ok(Rules {
        most: config.server_most(),
        times: config.server_times(),
        authority: Authority::read(keys.as_deref(), revoked.as_deref())?,
        certificates: keys.is_some(),
        attach: match config.attach_people() {
            Some(path) => server::attach::people(&path)?,
            None => HashMap::new(),
        },
    })
}

/// Reads the settings again, and from them what may be read again: all of it, or, where something cannot be read, nothing.
fn reread(flags: &Flags, server: &Server, kept: &Kept) {
    if let Err(error) = kept.reread() {
        tracing::error!("what was kept of terminals before still counts: {error}");
    }
    let read = Config::load(flags, |name| std::env::var(name).ok());
    match read
        .map_err(anyhow::Error::from)
        .and_then(|config| rules(&config))
    {
        Ok(rules) => {
            server.reread(rules);
            tracing::info!(
                "limits, authorities, revocations and people who may join were read again"
            );
        }
        Err(error) => tracing::error!("what was read before still counts: {error}"),
    }
}

/// What runs people's commands: this program, on the same database.
fn program(config: &Config, named: Option<PathBuf>) -> anyhow::Result<Option<Program>> {
    if !config.commands_over_ssh() {
        return Ok(None);
    }
    let mut environment: Vec<(OsString, OsString)> = Vec::new();
    let (url, _) = config.database_or_embedded()?;
    environment.push(("VALMED_DATABASE".into(), url.into()));
    if let Some(file) = named {
        environment.push(("VALMED_CONFIG".into(), file.into()));
    }
    Ok(Some(Program {
        path: std::env::current_exe().context("this program")?,
        environment,
    }))
}
