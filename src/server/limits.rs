//! How many connections there may be: in all, not signed in yet, and from one address.
//!
//! A flood of connections that never sign in takes places of its own: whoever is signed in has left those, so people at
//! work are not touched by it. A ward may share one address, so there is no lock-out: only a number.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// How many at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// Connections in all.
    pub connections: usize,
    /// Connections on which nobody is signed in yet.
    pub handshakes: usize,
    /// Of those, from one address.
    pub handshakes_per_address: usize,
    /// Connections from one address.
    pub per_address: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    all: usize,
    unsigned: usize,
}

#[derive(Debug, Default)]
struct Counts {
    all: Count,
    from: HashMap<IpAddr, Count>,
}

/// The places there are.
#[derive(Debug)]
pub(super) struct Places {
    most: Mutex<Most>,
    counts: Mutex<Counts>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    from: IpAddr,
    unsigned: bool,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    All,
    Handshakes,
    Address,
}

impl Full {
    /// What whoever connects is told.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Full::All => "too many sessions",
            Full::Handshakes => "too many people are signing in at this moment",
            Full::Address => "too many connections from your address",
        }
    }
}

impl Places {
    pub(super) fn new(most: Most) -> Arc<Places> {
        Arc::new(Places {
            most: Mutex::new(most),
            counts: Mutex::default(),
        })
    }

    /// From now on there are so many. Who has a place keeps it.
    pub(super) fn limit(&self, most: Most) {
        *self.most.lock().unwrap_or_else(PoisonError::into_inner) = most;
    }

    /// A place for a connection from there on which nobody is signed in yet.
    pub(super) fn take(self: &Arc<Places>, from: IpAddr) -> Result<Place, Full> {
        let from = one_holder(from);
        let most = *self.most.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = self.counts();
        let here = counts.from.get(&from).copied().unwrap_or_default();
        if counts.all.all >= most.connections {
            return Err(Full::All);
        }
        if here.all >= most.per_address || here.unsigned >= most.handshakes_per_address {
            return Err(Full::Address);
        }
        if counts.all.unsigned >= most.handshakes {
            return Err(Full::Handshakes);
        }
        counts.all.all += 1;
        counts.all.unsigned += 1;
        let here = counts.from.entry(from).or_default();
        here.all += 1;
        here.unsigned += 1;
        Ok(Place {
            places: Arc::clone(self),
            from,
            unsigned: true,
        })
    }

    /// Connections in all, and those on which nobody is signed in.
    pub(super) fn taken(&self) -> (usize, usize) {
        let counts = self.counts();
        (counts.all.all, counts.all.unsigned)
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, from: IpAddr, all: bool, unsigned: bool) {
        let mut counts = self.counts();
        let less = |count: &mut Count| {
            count.all -= usize::from(all);
            count.unsigned -= usize::from(unsigned);
        };
        less(&mut counts.all);
        if let Some(here) = counts.from.get_mut(&from) {
            less(here);
            if here.all == 0 {
                counts.from.remove(&from);
            }
        }
    }
}

impl Place {
    /// Somebody is signed in: the place among those who are not is free.
    pub(super) fn signed_in(&mut self) {
        if std::mem::take(&mut self.unsigned) {
            self.places.leave(self.from, false, true);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.leave(self.from, true, self.unsigned);
    }
}

/// Who holds an address: of IPv6 addresses one holder has 2^64.
pub(super) fn one_holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn places() -> Arc<Places> {
        Places::new(Most {
            connections: 5,
            handshakes: 3,
            handshakes_per_address: 2,
            per_address: 3,
        })
    }

    #[test]
    fn each_limit_is_its_own() {
        let places = places();
        let mut held = vec![places.take(A).unwrap(), places.take(A).unwrap()];
        assert_eq!(places.take(A).unwrap_err(), Full::Address);
        held.push(places.take(B).unwrap());
        assert_eq!(places.take(B).unwrap_err(), Full::Handshakes);
        held.iter_mut().for_each(Place::signed_in);
        held.push(places.take(A).unwrap());
        held[3].signed_in();
        assert_eq!(places.take(A).unwrap_err(), Full::Address, "three of it");
        held.push(places.take(B).unwrap());
        assert_eq!(places.take(B).unwrap_err(), Full::All);
        assert_eq!(places.taken(), (5, 1));
        let most = *places.most.lock().unwrap();
        places.limit(Most {
            connections: 6,
            handshakes: 1,
            ..most
        });
        assert_eq!(places.take(B).unwrap_err(), Full::Handshakes);
        drop(held);
        assert_eq!(places.taken(), (0, 0));
        assert!(places.counts().from.is_empty(), "nothing is kept");
    }

    #[test]
    fn an_address_is_counted_by_its_holder() {
        let of = |text: &str| one_holder(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
