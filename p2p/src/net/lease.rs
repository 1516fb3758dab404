//! Upload reserved for a response, and the part of it that was sent.

use std::sync::{Arc, Mutex, PoisonError};

use p2p_proto::budget::Grant;
use p2p_proto::message::Response;

/// Grants to settle, with the bytes that were sent. At most as many as replies are open.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(Arc<Mutex<Vec<(Grant, usize)>>>);

impl Ledger {
    pub(super) fn lease(&self, grant: Grant) -> Lease {
        Lease { grant, sent_bytes: 0, ledger: self.clone() }
    }

    /// Removes and returns the grants to settle.
    pub(super) fn take(&self) -> Vec<(Grant, usize)> {
        core::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A grant that travels with its response, and returns to the ledger whether that is sent or dropped.
#[derive(Debug)]
pub(super) struct Lease {
    grant: Grant,
    sent_bytes: usize,
    ledger: Ledger,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.ledger.0.lock().unwrap_or_else(PoisonError::into_inner).push((self.grant, self.sent_bytes));
    }
}

/// An answer to a request: a response, or a notice that the node is too busy.
#[derive(Debug)]
pub(super) struct Answer {
    /// None if the node is too busy.
    pub(super) response: Option<Response>,
    lease: Option<Lease>,
}

impl Answer {
    pub(super) const BUSY: Self = Self { response: None, lease: None };

    pub(super) const fn new(response: Response, lease: Option<Lease>) -> Self {
        Self { response: Some(response), lease }
    }

    /// Records the length of the sent bytes.
    pub(super) fn sending(&mut self, bytes: usize) {
        if let Some(lease) = &mut self.lease {
            lease.sent_bytes = bytes;
        }
    }
}
