//! Where the log goes: to standard error for commands, to a file while a desk has the terminal.

use std::fs::File;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config;

/// Which messages are written: `VALMED_LOG`, in the form of `RUST_LOG`; warnings and errors where it says nothing.
fn filter() -> EnvFilter {
    EnvFilter::try_from_env("VALMED_LOG").unwrap_or_else(|_| EnvFilter::new("warn"))
}

/// To standard error; one JSON object a line where `VALMED_LOG_FORMAT` is `json`, for whatever collects logs.
pub fn to_stderr() {
    if std::env::var("VALMED_LOG_FORMAT").is_ok_and(|format| format == "json") {
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(filter())
            .with_writer(std::io::stderr)
            .init();
        return;
    }
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_ansi(colours)
        .with_writer(std::io::stderr)
        .init();
}

/// To the log file of this user; without one, nowhere: the screen is not ours to write on.
pub fn to_file() {
    let Some(path) = config::log_file() else {
        return;
    };
    let made = path.parent().map(std::fs::create_dir_all);
    let file = File::options().create(true).append(true).open(&path);
    if let (Some(Ok(())), Ok(file)) = (made, file) {
        tracing_subscriber::fmt()
            .with_env_filter(filter())
            .with_ansi(false)
            .with_writer(file)
            .init();
    }
}
