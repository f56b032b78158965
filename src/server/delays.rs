//! Failed sign-ins make the next answer to their address come later.
//!
//! The delay of an account keeps a PIN from being tried out; this one keeps many accounts from being tried out from one
//! place. Only failures wait: a ward that shares an address with somebody who tries is not locked out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::limits::one_holder;

/// So many failures of an address wait for nothing: people mistype.
const FREE: f64 = 8.0;
/// The first delay; it doubles with each failure.
const FIRST: Duration = Duration::from_millis(250);
/// No delay is longer. A connection that waits keeps its place among those who sign in.
const LONGEST: Duration = Duration::from_secs(5);
/// After this, half of the failures are forgotten.
const HALF: f64 = 60.0;
/// Addresses that are remembered; beyond that the one that failed longest ago is forgotten.
const ADDRESSES: usize = 4096;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: f64,
    last: Timestamp,
}

/// What is remembered of addresses.
#[derive(Debug, Default)]
pub(super) struct Delays(Mutex<HashMap<IpAddr, Failures>>);

impl Delays {
    /// A sign-in from there failed: says how long its answer waits.
    pub(super) fn failed(&self, from: IpAddr, now: Timestamp) -> Duration {
        let from = one_holder(from);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ADDRESSES && !known.contains_key(&from) {
            let oldest = known.iter().min_by_key(|(_, failures)| failures.last);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                known.remove(&oldest);
            }
        }
        let failures = known.entry(from).or_insert(Failures {
            count: 0.0,
            last: now,
        });
        let since = now.duration_since(failures.last).as_secs_f64().max(0.0);
        failures.count = failures.count * 0.5_f64.powf(since / HALF) + 1.0;
        failures.last = now;
        let beyond = failures.count - FREE;
        if beyond < 0.5 {
            return Duration::ZERO;
        }
        let delay = FIRST.as_secs_f64() * 2_f64.powf((beyond - 1.0).min(16.0));
        Duration::from_secs_f64(delay).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_an_address_wait_longer_and_are_forgotten() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let (here, there) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let delays = Delays::default();
        for _ in 0..8 {
            assert_eq!(delays.failed(here, at(0)), Duration::ZERO);
        }
        assert_eq!(delays.failed(here, at(0)), FIRST);
        assert_eq!(delays.failed(here, at(0)), FIRST * 2);
        assert_eq!(delays.failed(there, at(0)), Duration::ZERO);
        for _ in 0..40 {
            assert!(delays.failed(here, at(0)) <= LONGEST);
        }
        assert_eq!(delays.failed(here, at(0)), LONGEST);
        assert_eq!(delays.failed(here, at(1200)), Duration::ZERO);
    }

    #[test]
    fn no_more_addresses_are_remembered_than_there_is_room_for() {
        let delays = Delays::default();
        for n in 0..5000_u32 {
            let at = Timestamp::from_second(i64::from(n)).unwrap();
            delays.failed(IpAddr::V4(n.into()), at);
        }
        assert_eq!(delays.0.lock().unwrap().len(), ADDRESSES);
    }
}
