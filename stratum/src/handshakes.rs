//! Limits encrypted handshakes by address: each costs the server half a millisecond of a processor, and the client 64 bytes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::admission::network_of;
use crate::bucket::Bucket;
use crate::limits;

/// The handshakes that each address may still begin.
#[derive(Debug)]
pub(crate) struct Handshakes {
    burst: f64,
    left: Mutex<HashMap<IpAddr, Bucket>>,
}

impl Handshakes {
    pub(crate) fn new(burst: f64) -> Self {
        Self { burst, left: Mutex::default() }
    }

    /// Counts a handshake of this address. Returns `false` if it has begun too many.
    pub(crate) fn admit(&self, ip: IpAddr, now: Instant) -> bool {
        let network = network_of(ip.to_canonical());
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.len() >= limits::HANDSHAKES_COUNTED_MAX && !left.contains_key(&network) {
            left.retain(|_, bucket| !bucket.is_full(now));
            if left.len() >= limits::HANDSHAKES_COUNTED_MAX {
                // A client with so many addresses has as many budgets anyway.
                left.clear();
            }
        }
        let full = || Bucket::new(self.burst, limits::HANDSHAKES_PER_SECOND, now);
        left.entry(network).or_insert_with(full).take(now)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::time::Duration;

    use super::*;

    const HOSTILE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

    #[test]
    fn an_address_has_so_many_handshakes_and_the_others_have_theirs() {
        let (handshakes, start) = (Handshakes::new(limits::HANDSHAKES_BURST), Instant::now());
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
    fn addresses_are_counted_in_bounded_memory() {
        let most = limits::HANDSHAKES_COUNTED_MAX as u32;
        let counted = |handshakes: &Handshakes| handshakes.left.lock().map_or(0, |left| left.len());
        let address = |number: u32| IpAddr::V4(number.into());
        let (handshakes, start) = (Handshakes::new(2.0), Instant::now());
        for number in 0..3 * most {
            assert!(handshakes.admit(address(number), start));
            assert!(counted(&handshakes) <= limits::HANDSHAKES_COUNTED_MAX);
        }
        // Idle ones go first: a budget that is used up stays.
        let (handshakes, later) = (Handshakes::new(2.0), start + Duration::from_secs(1));
        assert!((1..most).all(|number| handshakes.admit(address(number), start)));
        let used = address(u32::MAX);
        assert!((0..2).all(|_| handshakes.admit(used, later)) && !handshakes.admit(used, later));
        assert!(handshakes.admit(address(0), later));
        assert_eq!(counted(&handshakes), 2);
        assert!(!handshakes.admit(used, later));
    }
}
