//! Budgets of addresses: of encrypted handshakes, each of which costs the server half a millisecond of a processor, and the client
//! 64 bytes; and of messages that no work pays for, whichever connection they come on.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::admission::network_of;
use crate::bucket::Bucket;
use crate::limits;

/// What each address, or IPv6 /64 network, may still spend.
#[derive(Debug)]
pub(crate) struct Budgets {
    burst: f64,
    per_second: f64,
    left: Mutex<HashMap<IpAddr, Bucket>>,
}

impl Budgets {
    /// Creates full budgets that refill at a steady rate.
    pub(crate) fn new(burst: f64, per_second: f64) -> Self {
        Self { burst, per_second, left: Mutex::default() }
    }

    /// Takes one from the budget of this address. Returns `false` if nothing is left.
    pub(crate) fn admit(&self, ip: IpAddr, now: Instant) -> bool {
        self.with(ip, now, |left| left.take(now))
    }

    /// Takes so many from the budget of this address, which may borrow. Returns how long it has to wait until the debt is paid: all
    /// connections of an address wait in line, and each gets its turn.
    pub(crate) fn charge(&self, ip: IpAddr, count: u32, now: Instant) -> Duration {
        self.with(ip, now, |left| left.spend(count, now))
    }

    fn with<T>(&self, ip: IpAddr, now: Instant, spend: impl FnOnce(&mut Bucket) -> T) -> T {
        let network = network_of(ip.to_canonical());
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.len() >= limits::BUDGETS_MAX && !left.contains_key(&network) {
            left.retain(|_, bucket| !bucket.is_full(now));
            if left.len() >= limits::BUDGETS_MAX {
                // A client with so many addresses has as many budgets anyway.
                left.clear();
            }
        }
        let full = || Bucket::new(self.burst, self.per_second, now);
        spend(left.entry(network).or_insert_with(full))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const HOSTILE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

    #[test]
    fn an_address_has_so_many_handshakes_and_the_others_have_theirs() {
        let (handshakes, start) =
            (Budgets::new(limits::HANDSHAKES_BURST, limits::HANDSHAKES_PER_SECOND), Instant::now());
        let later = start + Duration::from_secs(1);
        let count = |ip: IpAddr, now: Instant| (0..10_000).filter(|_| handshakes.admit(ip, now)).count();
        assert_eq!(count(HOSTILE.into(), start), 1_024, "a farm comes back at once");
        assert_eq!(count(HOSTILE.into(), later), 20);
        assert_eq!(count(HOSTILE.to_ipv6_mapped().into(), later), 0, "it is the same one");
        assert_eq!(count(Ipv4Addr::new(192, 0, 2, 2).into(), later), 1_024);
        // A /64 is one address.
        let of_64 = |low: u128| IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) | low));
        assert_eq!((0..10_000).filter(|low| handshakes.admit(of_64(*low), start)).count(), 1_024);
    }

    #[test]
    fn connections_of_an_address_wait_in_line_and_others_do_not_wait() {
        let (budgets, start) = (Budgets::new(10.0, 100.0), Instant::now());
        let charge = |ip: IpAddr, count, after_ms| {
            budgets.charge(ip, count, start + Duration::from_millis(after_ms)).as_millis()
        };
        assert_eq!(charge(HOSTILE.into(), 10, 0), 0);
        assert_eq!([1, 1, 8].map(|count| charge(HOSTILE.into(), count, 0)), [10, 20, 100]);
        assert_eq!(charge(Ipv4Addr::new(192, 0, 2, 2).into(), 10, 0), 0);
        assert_eq!(charge(HOSTILE.into(), 1, 100), 10);
        assert_eq!(charge(HOSTILE.into(), 1, 1_000), 0);
    }

    #[test]
    fn addresses_are_counted_in_bounded_memory() {
        let most = limits::BUDGETS_MAX as u32;
        let counted = |handshakes: &Budgets| handshakes.left.lock().map_or(0, |left| left.len());
        let address = |number: u32| IpAddr::V4(number.into());
        let (handshakes, start) = (Budgets::new(2.0, 20.0), Instant::now());
        for number in 0..3 * most {
            assert!(handshakes.admit(address(number), start));
            assert!(counted(&handshakes) <= limits::BUDGETS_MAX);
        }
        // Idle ones go first: a budget that is used up stays.
        let (handshakes, later) = (Budgets::new(2.0, 20.0), start + Duration::from_secs(1));
        assert!((1..most).all(|number| handshakes.admit(address(number), start)));
        let used = address(u32::MAX);
        assert!((0..2).all(|_| handshakes.admit(used, later)) && !handshakes.admit(used, later));
        assert!(handshakes.admit(address(0), later));
        assert_eq!(counted(&handshakes), 2);
        assert!(!handshakes.admit(used, later));
    }
}
