//! A command in the name of somebody who signed in over SSH: what they may ask for.
//!
//! The server starts this program with [`server::ON_BEHALF_OF`](crate::server::ON_BEHALF_OF) in its environment, where
//! none of their words reach. Who may give a dose is decided at the desk as ever. What is for whoever looks after the
//! server (settings, accounts, imports, benches, other databases, files) is not theirs, whatever their role in the ward;
//! nor is a witness, who would have to be there.
//!
//! It looks at the words as the command line understands them, whatever the command: what is not named here is not theirs.

use std::any::TypeId;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory};

use super::End;
use crate::cli::Cli;

/// Lists, and the operations of a ward, each of which says who asks.
const THEIRS: &[&str] = &[
    "orders",
    "stock",
    "log",
    "board",
    "report",
    "back-entry",
    "fulfil",
    "round",
    "not-given",
    "correct",
    "effect",
    "effects",
    "discontinue",
    "prescribe",
    "my-orders",
    "mar",
    "patient",
    "receive",
    "transfer",
    "return",
    "waste",
    "adjust",
    "count",
    "discrepancies",
    "lots",
    "recall",
    "register",
    "levels",
    "replenish",
    "where",
];

/// Whether that person may ask for this in their own name. The words begin with the program's own.
pub fn check(
    words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    person: &str,
) -> Result<(), End> {
    let mut command = Cli::command();
    command.build();
    let matches = command.clone().try_get_matches_from(words);
    let matches = matches.map_err(|error| End::Usage(error.to_string()))?;
    let name = matches.subcommand_name();
    if !name.is_some_and(|name| THEIRS.contains(&name)) {
        let why = "over SSH there are lists and the operations of a ward; the rest is for whoever looks after the server, \
                   at the server";
        return Err(End::Usage(why.to_owned()));
    }
    let mut here = Some((&command, &matches));
    while let Some((command, matches)) = here {
        look_at(command, matches, person)?;
        here = matches
            .subcommand()
            .and_then(|(name, matches)| Some((command.find_subcommand(name)?, matches)));
    }
    Ok(())
}

fn look_at(command: &Command, matches: &ArgMatches, person: &str) -> Result<(), End> {
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        let given = matches.try_contains_id(id).unwrap_or(false)
            && matches.value_source(id) != Some(ValueSource::DefaultValue);
        if !given {
            continue;
        }
        let is_file = argument.get_value_parser().type_id() == TypeId::of::<PathBuf>();
        let why = match id {
            "actor" if matches.get_one::<String>(id).map(String::as_str) != Some(person) => {
                format!("you are signed in as '{person}': --as cannot be anybody else")
            }
            "witness" => "a witness has to be there: sign at a terminal".to_owned(),
            "database" => "over SSH a command works on the server's own database".to_owned(),
            _ if is_file => format!("over SSH there are no files of the server's: '{id}' is one"),
            _ => continue,
        };
        return Err(End::Usage(why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(words: &str) -> Result<(), String> {
        let words =
            std::iter::once("valmed").chain(words.split(' ').filter(|word| !word.is_empty()));
        check(words, "amara").map_err(|end| end.to_string())
    }

    const ORDER: &str = "018f0000-0000-7000-8000-000000000000";

    #[test]
    fn lists_and_ones_own_operations_are_theirs() {
        ask("orders --format json").unwrap();
        ask("stock --low").unwrap();
        ask("log --ward A1").unwrap();
        ask(&format!("fulfil {ORDER} --patient 1 --as amara")).unwrap();
    }

    #[test]
    fn nobody_acts_as_somebody_else() {
        for words in [
            format!("fulfil {ORDER} --patient 1 --as linh"),
            format!("discontinue {ORDER} --reason x --as linh"),
            "receive --ward A1 --drug X --quantity 1 --as marek".to_owned(),
        ] {
            let why = ask(&words).unwrap_err();
            assert!(why.contains("you are signed in as 'amara'"), "{why}");
        }
    }

    #[test]
    fn the_server_is_not_theirs() {
        for words in [
            "",
            "user password linh",
            "user role amara admin",
            "import .",
            "migrate",
            "config",
            "serve",
            "sessions",
            "attach",
            "doctor",
            "demo",
            "bench desk --as amara --ward A1",
        ] {
            let why = ask(words).unwrap_err();
            assert!(why.contains("at the server"), "{words}: {why}");
        }
        let why = ask("orders --database sqlite:///tmp/x").unwrap_err();
        assert!(why.contains("the server's own database"), "{why}");
        let why = ask("--config /etc/passwd orders").unwrap_err();
        assert!(why.contains("no files"), "{why}");
    }

    /// Whoever adds a command that says who asks decides here whether it is theirs.
    #[test]
    fn every_operation_asks_who_in_the_same_way() {
        fn operations(command: &Command, found: &mut Vec<String>) {
            for argument in command.get_arguments() {
                if argument.get_long() == Some("as") {
                    assert_eq!(
                        argument.get_id().as_str(),
                        "actor",
                        "{}",
                        command.get_name()
                    );
                    found.push(command.get_name().to_owned());
                }
                if argument.get_long() == Some("witness") {
                    assert_eq!(
                        argument.get_id().as_str(),
                        "witness",
                        "{}",
                        command.get_name()
                    );
                }
            }
            for inner in command.get_subcommands() {
                operations(inner, found);
            }
        }
        let mut found = Vec::new();
        let command = Cli::command();
        for name in THEIRS {
            operations(command.find_subcommand(name).expect(name), &mut found);
        }
        assert!(found.iter().any(|name| name == "fulfil"), "{found:?}");
    }
}
