//! The program: reads the command line, starts the runtime, runs the command.

use std::process::ExitCode;

use clap::Parser;
use valmed::cli::Cli;

fn main() -> ExitCode {
    private();
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(valmed::commands::run(cli)),
        Err(error) => {
            eprintln!("valmed: the runtime cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whatever this program makes (database, log, rejected rows) holds what only its user may read. SQLite makes files of
/// its own beside the database, so the process as a whole is told.
#[cfg(unix)]
fn private() {
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

#[cfg(not(unix))]
const fn private() {}
