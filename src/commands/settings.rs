//! `valmed config`, `valmed completions`, `valmed man`.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;

use super::output::List;
use crate::cli::{Cli, Style};
use crate::config::{Config, variable};
use crate::domain::ReasonKind;

pub fn config(config: &Config, style: Style) -> anyhow::Result<()> {
    let mut list = List::new(&["setting", "value", "from", "variable", "why"]);
    for (setting, value, source) in config.shown() {
        list.push([
            setting.key.into(),
            value.into(),
            source.to_string().into(),
            variable(setting.key).into(),
            setting.why.into(),
        ]);
    }
    for (name, times) in config.standard_times.iter() {
        let times: Vec<String> = times
            .iter()
            .map(|time| time.strftime("%H:%M").to_string())
            .collect();
        list.push([
            format!("standard_times.{name}").into(),
            times.join(" ").into(),
            config.standard_times_source().to_string().into(),
            "".into(),
            "clock times of this frequency where a prescription gives none".into(),
        ]);
    }
    for kind in ReasonKind::ALL {
        for code in config.reasons.of(*kind) {
            let more = if code.needs_text { " ..." } else { "" };
            list.push([
                format!("reasons.{kind}.{}", code.code).into(),
                format!("{}{more}", code.words).into(),
                config.reasons_source(*kind).to_string().into(),
                "".into(),
                "a reason that may be chosen; \"...\" asks for a few words more".into(),
            ]);
        }
    }
    Ok(list.print(style)?)
}

pub fn completions(shell: Shell) -> anyhow::Result<()> {
    clap_complete::generate(shell, &mut Cli::command(), "valmed", &mut io::stdout());
    Ok(())
}

pub fn man() -> anyhow::Result<()> {
    Ok(clap_mangen::Man::new(Cli::command()).render(&mut io::stdout())?)
}
