//! The pool behind the Stratum server: accounts are payout scripts, and a work is a draft with an account's script in it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitcoin::{Address, ScriptBuf};
use stratum::{Account, Change, Found, Pool, Refusal, Work};
use tokio::sync::{mpsc, watch};
use tracing::warn;

use super::draft::{Draft, Order};
use crate::bitcoind::BlockTemplate;
use crate::config::{Network, parse_address};
use crate::limits::{DRAFTS_BYTES_MAX, DRAFTS_MAX, FOUND_QUEUE};

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
    /// True while the newest draft may be handed out.
    open: bool,
    /// Works of the newest draft.
    current: HashMap<Account, Arc<Work>>,
    remembered: Remembered,
}

/// Drafts on which work may still come in, oldest first. Orders are not kept: an account and a draft make one again.
#[derive(Debug, Default)]
struct Remembered {
    drafts: VecDeque<Arc<Draft>>,
    /// Key of the oldest; those behind it count on.
    first_key: u64,
    /// Bytes of all their templates.
    size_bytes: usize,
}

impl Remembered {
    fn push(&mut self, draft: Arc<Draft>) {
        // The drafts of one template follow each other, so each template is counted once.
        if self.drafts.back().is_none_or(|newest| !Arc::ptr_eq(&newest.template, &draft.template)) {
            self.size_bytes += template_bytes(&draft.template);
        }
        self.drafts.push_back(draft);
        while self.drafts.len() > DRAFTS_MAX || (self.size_bytes > DRAFTS_BYTES_MAX && self.drafts.len() > 1) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.drafts.pop_front() else { return };
        self.first_key += 1;
        if self.drafts.front().is_none_or(|next| !Arc::ptr_eq(&next.template, &oldest.template)) {
            self.size_bytes -= template_bytes(&oldest.template);
        }
    }

    fn newest(&self) -> Option<(u64, &Arc<Draft>)> {
        let behind = self.drafts.len().checked_sub(1)?;
        Some((self.first_key + behind as u64, self.drafts.get(behind)?))
    }

    fn get(&self, key: u64) -> Option<&Arc<Draft>> {
        let behind = usize::try_from(key.checked_sub(self.first_key)?).ok()?;
        self.drafts.get(behind)
    }
}

fn template_bytes(template: &BlockTemplate) -> usize {
    template.transactions.iter().map(|transaction| size_of_val(transaction) + transaction.raw.len()).sum()
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
        if !state.open && draft.is_none() {
            return;
        }
        state.open = draft.is_some();
        state.current.clear();
        if let Some(draft) = draft {
            state.remembered.push(draft);
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
        if !state.open {
            return None;
        }
        let (key, draft) = state.remembered.newest()?;
        let work = Arc::new(order_of(draft, account).work(key));
        state.current.insert(Arc::clone(account), Arc::clone(&work));
        Some(work)
    }

    fn changes(&self) -> watch::Receiver<Change> {
        self.changes.subscribe()
    }

    fn submit(&self, found: Found) {
        let draft = self.state().remembered.get(found.work.key).map(Arc::clone);
        let Some(draft) = draft else {
            let block = found.meets_bitcoin;
            warn!(hash = %found.hash, block, worker = %found.worker, "work found on a job that is no longer remembered");
            return;
        };
        let order = Arc::new(order_of(&draft, &found.account));
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

fn order_of(draft: &Arc<Draft>, account: &Account) -> Order {
    Order::new(Arc::clone(draft), ScriptBuf::from_bytes(account.to_vec()))
}

/// True for a name that was meant as an address: paying somebody else for a typing error would be worse than a refusal.
fn looks_like_address(name: &str) -> bool {
    const ADDRESS_CHARS_MIN: usize = 26;
    name.len() >= ADDRESS_CHARS_MIN
}

#[cfg(test)]
mod tests;
