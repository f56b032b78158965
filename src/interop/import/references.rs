//! What rows refer to by code: wards, drugs and people, in memory for the time of an import. A hospital has
//! thousands of each; patients, of whom there may be a million, are looked up batch by batch.

use std::collections::{BTreeSet, HashMap};

use jiff::tz::TimeZone;

use crate::domain::WardId;
use crate::interop::fault::Reason;
use crate::store::import::{self as table, KnownDrug, KnownUser, KnownWard};
use crate::store::{Link, StoreError};

#[derive(Default)]
pub(super) struct References {
    wards: HashMap<String, (KnownWard, TimeZone)>,
    drugs: HashMap<String, KnownDrug>,
    users: HashMap<String, KnownUser>,
}

fn unknown(what: &'static str, value: &str) -> Reason {
    Reason::Unknown {
        what,
        value: value.to_owned(),
    }
}

impl References {
    pub async fn load_places(&mut self, mut link: Link<'_>) -> Result<(), StoreError> {
        self.wards.clear();
        for ward in table::wards(link.lend()).await? {
            let zone = TimeZone::get(&ward.time_zone).map_err(|error| {
                StoreError::Guarantee(format!("time zone '{}': {error}", ward.time_zone))
            })?;
            self.wards.insert(ward.code.clone(), (ward, zone));
        }
        let drugs = table::drugs(link).await?;
        self.drugs = drugs
            .into_iter()
            .map(|drug| (drug.code.clone(), drug))
            .collect();
        Ok(())
    }

    pub async fn load_users(&mut self, link: Link<'_>) -> Result<(), StoreError> {
        let users = table::users(link).await?;
        self.users = users
            .into_iter()
            .map(|user| (user.username.clone(), user))
            .collect();
        Ok(())
    }

    pub fn ward(&self, code: &str) -> Result<&KnownWard, Reason> {
        self.wards
            .get(code)
            .map(|(ward, _)| ward)
            .ok_or_else(|| unknown("ward", code))
    }

    /// The wards of a space-separated list of codes, some of which may hold spaces themselves: at each word the
    /// longest code that is known, which is how a person reads it.
    pub fn ward_list(&self, codes: &str) -> Result<BTreeSet<WardId>, Reason> {
        let words: Vec<&str> = codes.split_whitespace().collect();
        let mut found = BTreeSet::new();
        let mut rest = words.as_slice();
        while !rest.is_empty() {
            let known = (1..=rest.len())
                .rev()
                .find_map(|n| Some((n, self.ward(&rest[..n].join(" ")).ok()?)));
            let Some((n, ward)) = known else {
                return Err(unknown("ward", rest[0]));
            };
            found.insert(ward.id);
            rest = &rest[n..];
        }
        Ok(found)
    }

    /// The zone of a ward's clocks.
    pub fn zone(&self, code: &str) -> Result<&TimeZone, Reason> {
        self.wards
            .get(code)
            .map(|(_, zone)| zone)
            .ok_or_else(|| unknown("ward", code))
    }

    pub fn drug(&self, code: &str) -> Result<&KnownDrug, Reason> {
        self.drugs.get(code).ok_or_else(|| unknown("drug", code))
    }

    pub fn user(&self, username: &str) -> Result<&KnownUser, Reason> {
        self.users
            .get(username)
            .ok_or_else(|| unknown("user", username))
    }
}
