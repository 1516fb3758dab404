//! The payees of this node's miners, whose rows are kept forever.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;

use super::keys::{self, OWN, PayeeKey};
use crate::limits::{OWN_PAYEES_MAX, OWN_SEEN_S};
use crate::store::{Store, StoreError};

/// Payees of this node's miners, each with the time when it was last seen, seconds since 1970.
#[derive(Debug, Default)]
pub(super) struct OwnPayees {
    seen: BTreeMap<PayeeKey, u32>,
}

impl OwnPayees {
    /// Reads the payees of earlier runs.
    pub(super) fn load(store: &Store) -> Result<Self, StoreError> {
        let read = |(key, value): (Vec<u8>, Vec<u8>)| Some((keys::payee_of(&key)?, keys::last_u32(&value)?));
        let rows = store.history_up(&[OWN], &[OWN]);
        let seen: Result<_, _> = rows.filter_map(|row| row.map(read).transpose()).collect();
        Ok(Self { seen: seen? })
    }

    pub(super) fn contains(&self, payee: &PayeeKey) -> bool {
        self.seen.contains_key(payee)
    }

    /// Records payees that are seen now.
    pub(super) fn note(&mut self, scripts: &[ScriptBuf], now: u32, store: &Store) -> Result<(), StoreError> {
        for script in scripts {
            let payee = keys::payee(script);
            let known = self.seen.get(&payee);
            if known.is_some_and(|seen| now < seen.saturating_add(OWN_SEEN_S)) {
                continue;
            }
            let gone = (known.is_none() && self.seen.len() >= OWN_PAYEES_MAX).then(|| self.oldest()).flatten();
            let gone: Vec<Vec<u8>> = gone.into_iter().map(|old| keys::key(OWN, &[&old])).collect();
            store.write_history(&[(keys::key(OWN, &[&payee]), now.to_be_bytes().to_vec())], &gone)?;
            self.seen.insert(payee, now);
        }
        Ok(())
    }

    /// Drops the payee that has been away longest.
    fn oldest(&mut self) -> Option<PayeeKey> {
        let (payee, _) = self.seen.iter().min_by_key(|(_, seen)| **seen)?;
        let payee = *payee;
        self.seen.remove(&payee);
        Some(payee)
    }
}
