//! The program itself, a process for each thing that somebody asks for.

use std::process::Command;

use serde_json::Value;

/// The program over one database.
#[derive(Clone)]
pub struct Program {
    pub url: String,
}

/// What a process left.
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Program {
    /// Runs it to its end, with nothing of this process's own settings.
    pub fn run(&self, arguments: &[&str]) -> Done {
        let output = Command::new(env!("CARGO_BIN_EXE_valmed"))
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LANG", "C.UTF-8")
            .env("VALMED_DATABASE", &self.url)
            .output()
            .unwrap();
        Done {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What must work.
    pub fn must(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert_eq!(
            done.code, 0,
            "valmed {arguments:?}:\n{}{}",
            done.out, done.err
        );
        done.out
    }
}

/// What somebody asks for, and what may become of it: `done`, or the code of a refusal.
pub struct Step {
    pub who: &'static str,
    pub words: Vec<String>,
    pub may_become: &'static [&'static str],
}

/// What became of it.
pub struct Became {
    pub what: String,
    pub receipt: Value,
}

impl Became {
    pub fn is_done(&self) -> bool {
        self.what == "done"
    }

    /// A key in the receipt.
    pub fn key(&self, name: &str) -> String {
        let key = self.receipt[name].as_str();
        key.unwrap_or_else(|| panic!("no {name} in {}", self.receipt))
            .to_owned()
    }
}

/// Somebody asks; the words are those of the command line, without who it is.
pub fn step(who: &'static str, words: &str, may_become: &'static [&'static str]) -> Step {
    let words = words
        .split('|')
        .map(|word| word.trim().to_owned())
        .collect();
    Step {
        who,
        words,
        may_become,
    }
}

impl Program {
    /// Everybody asks at the same moment, each a process of their own.
    pub fn round(&self, steps: Vec<Step>) -> Vec<Became> {
        std::thread::scope(|scope| {
            let asked: Vec<_> = steps
                .iter()
                .map(|step| scope.spawn(|| self.ask(step)))
                .collect();
            asked
                .into_iter()
                .map(|asked| asked.join().unwrap())
                .collect()
        })
    }

    fn ask(&self, step: &Step) -> Became {
        let mut words: Vec<&str> = step.words.iter().map(String::as_str).collect();
        words.extend(["--as", step.who, "--format", "json"]);
        let done = self.run(&words);
        let told = format!(
            "{} asked for {words:?}: {}\n{}{}",
            step.who, done.code, done.out, done.err
        );
        let became = match done.code {
            0 => {
                let said: Value = serde_json::from_str(&done.out).expect(&told);
                Became {
                    what: "done".to_owned(),
                    receipt: said["receipt"].clone(),
                }
            }
            3 => {
                let said: Value = serde_json::from_str(&done.err).expect(&told);
                Became {
                    what: said["code"].as_str().expect(&told).to_owned(),
                    receipt: Value::Null,
                }
            }
            _ => panic!("{told}"),
        };
        assert!(step.may_become.contains(&became.what.as_str()), "{told}");
        became
    }
}
