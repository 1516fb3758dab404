//! What the server needs from the pool behind it, and what it hands back.

use std::fmt::Write as _;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bitcoin::block::Header;
use bitcoin::hex::DisplayHex;
use bitcoin::{BlockHash, CompactTarget, Target};
use tokio::sync::watch;

use crate::difficulty::Difficulty;
use crate::proof;

/// Bytes of extranonce1, chosen by the server: unique for each connection.
pub const EXTRANONCE1_BYTES: usize = 8;
/// Bytes of extranonce2, rolled by the miner.
pub const EXTRANONCE2_BYTES: usize = 8;
/// Bytes between `coinb1` and `coinb2`: extranonce1, then extranonce2.
pub const EXTRANONCE_BYTES: usize = EXTRANONCE1_BYTES + EXTRANONCE2_BYTES;

/// Whom work is for and where it pays. Opaque to this crate; equal bytes are the same account.
pub type Account = Arc<[u8]>;

/// What one unit of work for one account consists of.
#[derive(Clone, Debug)]
pub struct WorkParts {
    /// The pool's own name for this work, unique over the process's life.
    pub key: u64,
    /// Version of the header; a miner may roll the bits in [`crate::limits::VERSION_MASK`].
    pub version: i32,
    /// The Bitcoin block to build on.
    pub prev_block: BlockHash,
    /// The coinbase without witness, up to the extranonce.
    pub coinb1: Vec<u8>,
    /// The coinbase without witness, from after the extranonce.
    pub coinb2: Vec<u8>,
    /// Merkle branch of the coinbase, lowest level first, in the order hashes are computed.
    pub branch: Vec<[u8; 32]>,
    /// Bitcoin's target, as the header carries it.
    pub bits: CompactTarget,
    /// Header time to start from, in seconds since 1970.
    pub time: u32,
    /// Least header time, in seconds since 1970.
    pub min_time: u32,
    /// The share-chain's target: a hash at or below it earns.
    pub share_target: Target,
    /// Bitcoin's target: a hash at or below it is a block.
    pub bitcoin_target: Target,
    /// Height of the Bitcoin block that this work would be.
    pub bitcoin_height: u32,
}

/// One unit of work for one account. What every notify of it repeats is computed once, and dropped
/// when no session has it as its newest work any more: most works that a session holds are old.
#[derive(Debug)]
pub struct Work {
    parts: WorkParts,
    share_difficulty: Difficulty,
    notify_params: Mutex<Weak<String>>,
}

impl Work {
    /// Prepares `parts` for serving.
    pub fn new(parts: WorkParts) -> Self {
        Self {
            share_difficulty: Difficulty::not_harder_than(parts.share_target),
            notify_params: Mutex::default(),
            parts,
        }
    }

    /// Returns the hardest difficulty that loses no proof which meets the share target.
    pub fn share_difficulty(&self) -> Difficulty {
        self.share_difficulty
    }

    /// Returns the parameters of `mining.notify` between the job id and `clean_jobs`, as JSON.
    pub(crate) fn notify_params(&self) -> Arc<String> {
        let mut kept = self.notify_params.lock().unwrap_or_else(PoisonError::into_inner);
        kept.upgrade().unwrap_or_else(|| {
            let text = Arc::new(notify_params(&self.parts));
            *kept = Arc::downgrade(&text);
            text
        })
    }
}

impl Deref for Work {
    type Target = WorkParts;

    fn deref(&self) -> &WorkParts {
        &self.parts
    }
}

fn notify_params(parts: &WorkParts) -> String {
    let hex_chars = 2 * (parts.coinb1.len() + parts.coinb2.len()) + 67 * parts.branch.len();
    let mut text = String::with_capacity(hex_chars + 128);
    let branch: Vec<String> = parts.branch.iter().map(|node| format!("\"{:x}\"", node.as_hex())).collect();
    write!(
        text,
        "\"{:x}\",\"{:x}\",\"{:x}\",[{}],\"{:08x}\",\"{:08x}\",\"{:08x}\"",
        proof::swap_words(parts.prev_block).as_hex(),
        parts.coinb1.as_hex(),
        parts.coinb2.as_hex(),
        branch.join(","),
        parts.version,
        parts.bits.to_consensus(),
        parts.time,
    )
    .expect("writing to a string does not fail");
    text
}

/// A proof that meets the work's share target, Bitcoin's target, or both.
#[derive(Clone, Debug)]
pub struct Found {
    /// The work it was found on.
    pub work: Arc<Work>,
    /// The header; its hash is `hash`.
    pub header: Header,
    /// Extranonce1 and extranonce2, as they stand in the coinbase.
    pub extranonce: [u8; EXTRANONCE_BYTES],
    /// Hash of the header, always recomputed here.
    pub hash: BlockHash,
    /// The user name the miner gave with it.
    pub worker: Arc<str>,
    /// The account of the connection, for which the work was made.
    pub account: Account,
    /// Says that it is a Bitcoin block. It may be late, or a duplicate: submit it all the same.
    pub meets_bitcoin: bool,
    /// Says that the hash meets the share target. It may be late if `meets_bitcoin` is set as well.
    pub meets_share: bool,
}

/// Why a user may not mine here: one sentence, shown to the miner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// Says that work changed since an earlier generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Raised by one whenever [`Pool::work`] would return something new to some account.
    pub generation: u64,
}

/// The pool behind a server. No method may block: they run on the connections' tasks.
pub trait Pool: Send + Sync + 'static {
    /// Finds the account of a user name such as `address.worker`.
    ///
    /// # Errors
    /// Says in one sentence why this user may not mine here.
    fn authorize(&self, user: &str) -> Result<Account, Refusal>;

    /// Returns the account's current work, or `None` while there is nothing to mine; a change tells
    /// when there is something again. The same work should be returned to all connections of an
    /// account: what a notify repeats is computed once for each [`Work`].
    fn work(&self, account: &Account) -> Option<Arc<Work>>;

    /// Returns a channel that changes whenever work does.
    fn changes(&self) -> watch::Receiver<Change>;

    /// Takes a proof. For Bitcoin blocks it is called even if the work is late or stale.
    fn submit(&self, found: Found);
}
