//! `valmed code …` and `valmed scan`: the codes on packages.

use std::io::BufRead;

use serde_json::{Value, json};

use super::End;
use super::desk_commands::{Caller, submit};
use super::output::{self, List, say};
use crate::cli::codes::{Code, Scan as Ask};
use crate::cli::{Asking, Style};
use crate::config::Config;
use crate::domain::scan::{self, Gtin, Package, Scan};
use crate::domain::{DrugId, Request};
use crate::store::Db;
use crate::store::codes::{self as table, Held};

pub async fn code(config: &Config, what: Code) -> anyhow::Result<()> {
    match what {
        Code::Bind {
            drug,
            scan,
            beside,
            asking,
        } => {
            let request = |drug, gtin| Request::BindCode { drug, gtin, beside };
            change(config, "bind_code", (&drug, &scan), &asking, request).await
        }
        Code::Release { drug, scan, asking } => {
            let request = |drug, gtin| Request::ReleaseCode { drug, gtin };
            change(config, "release_code", (&drug, &scan), &asking, request).await
        }
        Code::List { page } => {
            let db = super::open(config).await?;
            let after = page.after.unwrap_or_default();
            let mut conn = db.reader().await?;
            let mut list = List::new(&["gtin", "code", "drug"]);
            for line in table::list(conn.link(), &after, page.limit).await? {
                list.push([line.gtin.into(), line.code.into(), line.title.into()]);
            }
            Ok(list.print(page.list.format)?)
        }
    }
}

async fn change(
    config: &Config,
    kind: &'static str,
    (drug, scanned): (&str, &str),
    asking: &Asking,
    request: impl FnOnce(DrugId, Gtin) -> Request,
) -> anyhow::Result<()> {
    let gtin = number(scanned)?;
    let db = super::open_to_write(config).await?;
    let caller = Caller::find(&db, asking).await?;
    let id = caller.drug(&db, kind, drug).await?;
    submit(config, &db, request(id, gtin), Some(id), &caller).await
}

/// The number of a product, however it was scanned or typed.
fn number(text: &str) -> anyhow::Result<Gtin> {
    let usage = |why: String| anyhow::Error::from(End::Usage(format!("--scan: {why}")));
    match scan::read(text).map_err(|why| usage(why.to_string()))? {
        Scan::Package(Package {
            gtin: Some(gtin), ..
        }) => Ok(gtin),
        Scan::Package(_) | Scan::Person(_) => Err(usage(
            "that code does not say which product it is".to_owned(),
        )),
        Scan::Plain(digits) => scan::product(&digits).map_err(|why| usage(why.to_string())),
    }
}

/// Says what a code is: for trying a scanner, and for finding out what a package is.
pub async fn scan(config: &Config, ask: Ask) -> anyhow::Result<()> {
    let mut text = ask.text;
    if text == "-" {
        text.clear();
        std::io::stdin().lock().read_line(&mut text)?;
    }
    let read = scan::read(&text).map_err(|why| End::Usage(why.to_string()))?;
    let (package, person) = match read {
        Scan::Package(package) => (package, None),
        Scan::Person(number) => (Package::default(), Some(number)),
        Scan::Plain(plain) => match scan::product(&plain) {
            Ok(gtin) => {
                let package = Package {
                    gtin: Some(gtin),
                    ..Package::default()
                };
                (package, None)
            }
            Err(_) => (Package::default(), Some(plain)),
        },
    };
    let held = match &package.gtin {
        Some(gtin) => drugs(&super::open(config).await?, gtin).await?,
        None => Vec::new(),
    };
    say_what(&package, person.as_deref(), &held, ask.list.format)
}

async fn drugs(db: &Db, gtin: &Gtin) -> anyhow::Result<Vec<Held>> {
    Ok(table::held(db.reader().await?.link(), gtin).await?)
}

fn say_what(
    package: &Package,
    number: Option<&str>,
    held: &[Held],
    style: Style,
) -> anyhow::Result<()> {
    if style == Style::Json {
        let all = json!({ "package": package, "number": number, "drugs": held });
        return Ok(say!("{}", output::json(&all)?)?);
    }
    let mut list = List::new(&["what", "value"]);
    let mut push = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            list.push([Value::from(what), value.into()]);
        }
    };
    push(
        "number of a person, or plain text",
        number.map(str::to_owned),
    );
    push("product (GTIN)", package.gtin.as_ref().map(Gtin::to_string));
    push("lot", package.lot.clone());
    push("use by", package.expiry.map(|day| day.0.to_string()));
    push("serial", package.serial.clone());
    for drug in held {
        push("drug", Some(format!("{}  {}", drug.code, drug.title)));
    }
    if package.gtin.is_some() && held.is_empty() {
        push(
            "drug",
            Some("none is bound to it: valmed code bind".to_owned()),
        );
    }
    Ok(list.print(style)?)
}
