//! The program: reads the command line, starts the runtime, runs the command.

use std::process::ExitCode;

use clap::Parser;
use valmed::cli::Cli;

fn main() -> ExitCode {
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
