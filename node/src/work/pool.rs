//! The pool behind the Stratum server: accounts are payout scripts, works are orders.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitcoin::{Address, ScriptBuf};
use stratum::{Account, Change, Found, Pool, Refusal, Work};
use tokio::sync::{mpsc, watch};
use tracing::warn;

use super::draft::{Draft, Order};
use crate::config::{Network, parse_address};
use crate::limits::{DRAFTS_MAX, FOUND_QUEUE};

/// What a miner found, with the order it was found on.
#[derive(Debug)]
pub struct FoundWork {
    /// The order.
    pub order: Arc<Order>,
    /// What was found.
    pub found: Found,
}

/// The miners' side of the node.
#[derive(Debug)]
pub struct Miners {
    network: Network,
    default_payout: Option<ScriptBuf>,
    state: Mutex<State>,
    changes: watch::Sender<Change>,
    shares: mpsc::Sender<FoundWork>,
    blocks: mpsc::UnboundedSender<FoundWork>,
}

/// Where found work goes: shares by a bounded queue, Bitcoin blocks by one that takes every one of them.
#[derive(Debug)]
pub struct FoundReceiver {
    /// Shares and links.
    pub shares: mpsc::Receiver<FoundWork>,
    /// Bitcoin blocks; each also comes as a share.
    pub blocks: mpsc::UnboundedReceiver<FoundWork>,
}

#[derive(Debug, Default)]
struct State {
    draft: Option<Arc<Draft>>,
    /// Works of the current draft.
    current: HashMap<Account, Arc<Work>>,
    /// Orders of this and earlier drafts, by key.
    orders: HashMap<u64, Arc<Order>>,
    /// The first key of each remembered draft, oldest first.
    drafts: VecDeque<u64>,
    next_key: u64,
}

impl Miners {
    /// A pool without work yet.
    #[must_use]
    pub fn new(network: Network, default_payout: Option<&Address>) -> (Self, FoundReceiver) {
        let (shares, share_queue) = mpsc::channel(FOUND_QUEUE);
        // Unbounded, since a Bitcoin block is never dropped; each costs the work of a whole block.
        let (blocks, block_queue) = mpsc::unbounded_channel();
        let miners = Self {
            network,
            default_payout: default_payout.map(Address::script_pubkey),
            state: Mutex::default(),
            changes: watch::Sender::new(Change::default()),
            shares,
            blocks,
        };
        (miners, FoundReceiver { shares: share_queue, blocks: block_queue })
    }

    /// Hands out work of `draft` from now on, or none.
    pub fn set_draft(&self, draft: Option<Arc<Draft>>) {
        let mut state = self.state();
        if state.draft.is_none() && draft.is_none() {
            return;
        }
        state.draft = draft;
        state.current.clear();
        let first_key = state.next_key;
        state.drafts.push_back(first_key);
        if state.drafts.len() > DRAFTS_MAX {
            state.drafts.pop_front();
            let oldest = state.drafts.front().copied().unwrap_or_default();
            state.orders.retain(|key, _| *key >= oldest);
        }
        drop(state);
        self.changes.send_modify(|change| change.generation += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here is left half-done by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool for Miners {
    fn authorize(&self, user: &str) -> Result<Account, Refusal> {
        let address = user.split_once('.').map_or(user, |(address, _)| address).trim();
        match parse_address(address, self.network) {
            Ok(address) => Ok(Account::from(address.script_pubkey().into_bytes())),
            Err(error) => match &self.default_payout {
                // Without an address the name is just a worker's, paid to the node's own address.
                Some(payout) if !looks_like_address(address) => Ok(Account::from(payout.to_bytes())),
                _ => Err(Refusal(format!("user name must be ADDRESS.WORKER: {error}"))),
            },
        }
    }

    fn work(&self, account: &Account) -> Option<Arc<Work>> {
        let mut state = self.state();
        if let Some(work) = state.current.get(account) {
            return Some(Arc::clone(work));
        }
        let order = Order::new(state.draft.clone()?, ScriptBuf::from_bytes(account.to_vec()));
        let key = state.next_key;
        state.next_key += 1;
        let work = Arc::new(order.work(key));
        state.orders.insert(key, Arc::new(order));
        state.current.insert(Arc::clone(account), Arc::clone(&work));
        Some(work)
    }

    fn changes(&self) -> watch::Receiver<Change> {
        self.changes.subscribe()
    }

    fn submit(&self, found: Found) {
        let Some(order) = self.state().orders.get(&found.work.key).cloned() else {
            warn!(hash = %found.hash, worker = %found.worker, "work found on a job that is no longer remembered");
            return;
        };
        if found.meets_bitcoin {
            let found = FoundWork { order: Arc::clone(&order), found: found.clone() };
            // Fails only while the node stops.
            let _ = self.blocks.send(found);
        }
        if found.meets_share {
            let hash = found.hash;
            if self.shares.try_send(FoundWork { order, found }).is_err() {
                warn!(%hash, "too many shares at once: this one is lost");
            }
        }
    }
}

/// True for a name that was meant as an address: paying somebody else for a typing error would be worse than a refusal.
fn looks_like_address(name: &str) -> bool {
    const ADDRESS_CHARS_MIN: usize = 26;
    name.len() >= ADDRESS_CHARS_MIN
}
