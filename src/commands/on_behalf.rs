//! A command in the name of somebody who signed in over SSH: what they may ask for.
//!
//! The server starts this program with [`server::ON_BEHALF_OF`](crate::server::ON_BEHALF_OF) in its environment, where
//! none of their words reach. Who may give a dose is decided at the desk as ever. What is for whoever looks after the
//! server (settings, accounts, imports, benches, other databases) is not theirs, whatever their role in the ward.

use super::End;
use crate::cli::{Cli, Command};

/// Whether that person may ask for this in their own name.
pub fn check_words(cli: &Cli, person: &str) -> Result<(), End> {
    if cli.database.is_some() || cli.config.is_some() {
        let why = "over SSH a command works on the server's own database: leave --database and --config out";
        return Err(End::Usage(why.to_owned()));
    }
    let actor = match &cli.command {
        Some(Command::Orders(_) | Command::Stock(_) | Command::Log(_)) => None,
        Some(
            Command::Discrepancies(_) | Command::Lots(_) | Command::Register(_) | Command::Where(_),
        ) => None,
        Some(Command::Fulfil(ask)) => Some(&ask.asking),
        Some(Command::Discontinue(ask)) => Some(&ask.asking),
        Some(Command::Receive(ask)) => Some(&ask.asking),
        Some(Command::Return(ask) | Command::Waste(ask)) => Some(&ask.asking),
        Some(Command::Adjust(ask)) => Some(&ask.asking),
        Some(Command::Recall(ask)) => Some(&ask.asking),
        Some(Command::Transfer(what)) => what.asking(),
        Some(Command::Count(what)) => what.asking(),
        Some(Command::Levels(what)) => what.asking(),
        _ => {
            let why = "over SSH there are lists and the operations of a ward; the rest is for whoever looks after the \
                       server, at the server";
            return Err(End::Usage(why.to_owned()));
        }
    };
    match actor {
        Some(asking) if asking.actor != person => {
            let why = format!("you are signed in as '{person}': --as cannot be anybody else");
            Err(End::Usage(why))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn check(words: &str) -> Result<(), String> {
        let words = words.split(' ').map(str::to_owned);
        let cli = Cli::try_parse_from(std::iter::once("valmed".to_owned()).chain(words));
        let cli = cli.map_err(|error| error.to_string())?;
        check_words(&cli, "amara").map_err(|end| end.to_string())
    }

    const ORDER: &str = "018f0000-0000-7000-8000-000000000000";

    #[test]
    fn lists_and_ones_own_operations_are_theirs() {
        check("orders --format json").unwrap();
        check("stock --low").unwrap();
        check("log --ward A1").unwrap();
        check(&format!("fulfil {ORDER} --patient 1 --as amara")).unwrap();
    }

    #[test]
    fn nobody_acts_as_somebody_else() {
        for words in [
            format!("fulfil {ORDER} --patient 1 --as linh"),
            format!("discontinue {ORDER} --reason x --as linh"),
            "receive --ward A1 --drug X --quantity 1 --as marek".to_owned(),
        ] {
            let why = check(&words).unwrap_err();
            assert!(why.contains("you are signed in as 'amara'"), "{why}");
        }
    }

    #[test]
    fn the_server_is_not_theirs() {
        for words in [
            "user password linh",
            "user role amara admin",
            "import .",
            "migrate",
            "config",
            "serve",
            "doctor",
            "demo",
            "bench desk --as amara --ward A1",
        ] {
            let why = check(words).unwrap_err();
            assert!(why.contains("at the server"), "{words}: {why}");
        }
        for flag in ["--database sqlite:///tmp/x", "--config /etc/passwd"] {
            let why = check(&format!("orders {flag}")).unwrap_err();
            assert!(why.contains("the server's own database"), "{why}");
        }
    }

    #[test]
    fn the_ward_desk_itself_is_not_a_command() {
        let cli = Cli::try_parse_from(["valmed"]).unwrap();
        assert!(check_words(&cli, "amara").is_err());
    }
}
