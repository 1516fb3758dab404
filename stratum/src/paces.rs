//! The difficulties of devices that left. A device that returns starts with its last difficulty, so that it neither floods the
//! server nor stays silent for a minute.
//!
//! Stratum v1 has a session id, which restores an extranonce; v2 has none, and neither carries the difficulty. So the server
//! recognizes a device by its address, program, and user name.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limits;

/// The difficulties of one server: at most [`limits::RESUMABLE_MAX`]. If there are more, all are forgotten. Only devices that
/// worked are noted, so filling the map costs work.
#[derive(Debug, Default)]
pub(crate) struct Paces {
    keys: RandomState,
    known: Mutex<HashMap<u64, f64>>,
}

impl Paces {
    /// Notes the difficulty that fit a device when it left.
    pub(crate) fn note(&self, device: (IpAddr, &str, &str), difficulty: f64) {
        let mut known = self.lock();
        if known.len() >= limits::RESUMABLE_MAX {
            known.clear();
        }
        known.insert(self.keys.hash_one(device), difficulty);
    }

    /// Returns the difficulty that fit a device with this address, program and user name when it left.
    pub(crate) fn of(&self, device: (IpAddr, &str, &str)) -> Option<f64> {
        self.lock().get(&self.keys.hash_one(device)).copied()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, f64>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_device_is_known_by_its_address_program_and_name() {
        let (paces, ip) = (Paces::default(), IpAddr::from(Ipv4Addr::new(192, 0, 2, 1)));
        let other = IpAddr::from(Ipv4Addr::new(192, 0, 2, 2));
        assert_eq!(paces.of((ip, "bitaxe", "alice.rig1")), None);
        paces.note((ip, "bitaxe", "alice.rig1"), 7.0);
        paces.note((ip, "bitaxe", "alice.rig1"), 8.0);
        assert_eq!(paces.of((ip, "bitaxe", "alice.rig1")), Some(8.0));
        for stranger in [(other, "bitaxe", "alice.rig1"), (ip, "cgminer", "alice.rig1"), (ip, "bitaxe", "alice.rig2")] {
            assert_eq!(paces.of(stranger), None);
        }
        for number in 0..2 * limits::RESUMABLE_MAX {
            paces.note((ip, "x", &number.to_string()), 1.0);
        }
        assert!(paces.lock().len() <= limits::RESUMABLE_MAX);
    }
}
