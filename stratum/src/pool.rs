//! The interface between the server and the pool behind it.

use std::fmt::Write as _;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use bitcoin::block::Header;
use bitcoin::{BlockHash, CompactTarget, Target};
use data_encoding::HEXLOWER;
use tokio::sync::watch;

use crate::difficulty::Difficulty;
use crate::limits;
use crate::proof;
use crate::tally::Tally;

/// Size of extranonce1, in bytes. The server chooses a unique value for each connection.
pub const EXTRANONCE1_BYTES: usize = 8;
/// Size of extranonce2, in bytes. The miner rolls it.
pub const EXTRANONCE2_BYTES: usize = 8;
/// Bytes between `coinb1` and `coinb2`: extranonce1, followed by extranonce2.
pub const EXTRANONCE_BYTES: usize = EXTRANONCE1_BYTES + EXTRANONCE2_BYTES;

/// Payee of a miner's work, as [`Pool::authorize`] returned it. The bytes are opaque to this crate.
/// Equal bytes mean the same account.
pub type Account = Arc<[u8]>;

/// Content of a [`Work`]: everything a miner of one account needs to build headers.
#[derive(Clone, Debug)]
pub struct WorkParts {
    /// The pool's identifier of this work unit, unique for the life of the process.
    pub key: u64,
    /// Whom shares of this work unit pay: the account that it was made for, or one that this account shares its work with.
    pub payee: Account,
    /// Counts the accepted work of this payee. `None` if the pool does not need it.
    pub tally: Option<Arc<Tally>>,
    /// Header version. A miner may roll the bits in [`crate::limits::VERSION_MASK`].
    pub version: i32,
    /// Hash of the Bitcoin block to build on.
    pub prev_block: BlockHash,
    /// Serialized coinbase without witness, up to the extranonce.
    pub coinb1: Vec<u8>,
    /// Serialized coinbase without witness, after the extranonce: the part that the work units of other accounts share.
    /// May be empty.
    pub outputs: Arc<[u8]>,
    /// The rest of the coinbase.
    pub coinb2: Vec<u8>,
    /// Merkle branch of the coinbase, lowest level first, in internal byte order. The work units of other accounts share it.
    pub branch: Arc<[[u8; 32]]>,
    /// Bitcoin's target in the header's compact form.
    pub bits: CompactTarget,
    /// Header time to start from, in seconds since 1970 (UTC).
    pub time: u32,
    /// Lowest valid header time, in seconds since 1970 (UTC).
    pub min_time: u32,
    /// Highest valid header time, in seconds since 1970 (UTC): the nBits do not fit a later one. The server also bounds
    /// times by [`crate::limits::TIME_AHEAD_S`].
    pub max_time: u32,
    /// Share target. A hash at or below it earns a payout.
    pub share_target: Target,
    /// Bitcoin's target. A hash at or below it makes a Bitcoin block.
    pub bitcoin_target: Target,
    /// Height of the Bitcoin block that this work unit can become.
    pub bitcoin_height: u32,
    /// True if a block pays its finder alone. Between such work and other work, miners change at once (`clean_jobs`).
    pub solo: bool,
}

/// A work unit: what one account mines until something changes.
///
/// All `mining.notify` messages of a work unit share the text of their parameters. The work unit builds it once and frees
/// it when it is no longer the newest of any session, because most of a session's work units are old.
#[derive(Debug)]
pub struct Work {
    parts: WorkParts,
    share_difficulty: Difficulty,
    notify_params: RwLock<Weak<String>>,
}

impl Work {
    /// Creates a work unit from its parts.
    pub fn new(parts: WorkParts) -> Self {
        Self {
            share_difficulty: Difficulty::not_harder_than(parts.share_target),
            notify_params: RwLock::default(),
            parts,
        }
    }

    /// Returns the size of the serialized coinbase without witness, in bytes.
    pub fn coinbase_bytes(&self) -> usize {
        let WorkParts { coinb1, outputs, coinb2, .. } = &self.parts;
        coinb1.len() + EXTRANONCE_BYTES + outputs.len() + coinb2.len()
    }

    /// Returns the highest header time that the server accepts, in seconds since 1970.
    pub fn last_time(&self) -> u32 {
        self.parts.max_time.min(self.parts.time.saturating_add(limits::TIME_AHEAD_S))
    }

    /// Returns the hardest difficulty at which miners still submit every hash that meets the share target.
    pub fn share_difficulty(&self) -> Difficulty {
        self.share_difficulty
    }

    /// Returns the parameters of `mining.notify` between the job id and the header's time, as JSON text.
    pub(crate) fn notify_params(&self) -> Arc<String> {
        if let Some(text) = self.notify_params.read().unwrap_or_else(PoisonError::into_inner).upgrade() {
            return text;
        }
        let mut kept = self.notify_params.write().unwrap_or_else(PoisonError::into_inner);
        // Another connection of the account may have been first.
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
    let hex_chars = 2 * (parts.coinb1.len() + parts.outputs.len() + parts.coinb2.len()) + 67 * parts.branch.len();
    let mut text = String::with_capacity(hex_chars + 128);
    let mut quote = |bytes: &[&[u8]]| {
        text.push('"');
        // Twenty times faster than formatting: a wide pool has 43,000 bytes per account.
        bytes.iter().for_each(|bytes| HEXLOWER.encode_append(bytes, &mut text));
        text.push_str("\",");
    };
    quote(&[&proof::swap_words(parts.prev_block)]);
    quote(&[&parts.coinb1]);
    quote(&[&parts.outputs, &parts.coinb2]);
    let branch: Vec<String> = parts.branch.iter().map(|node| format!("\"{}\"", HEXLOWER.encode(node))).collect();
    write!(text, "[{}],\"{:08x}\",\"{:08x}\"", branch.join(","), parts.version, parts.bits.to_consensus())
        .expect("writing to a string cannot fail");
    text
}

/// A proof of work that meets the share target, Bitcoin's target, or both.
#[derive(Clone, Debug)]
pub struct Found {
    /// The work unit that the miner worked on.
    pub work: Arc<Work>,
    /// The header with the proof of work.
    pub header: Header,
    /// Extranonce1 followed by extranonce2, as in the coinbase.
    pub extranonce: [u8; EXTRANONCE_BYTES],
    /// Hash of `header`, as the server computed it.
    pub hash: BlockHash,
    /// User name from `mining.submit`.
    pub worker: Arc<str>,
    /// Account of the connection. [`WorkParts::payee`] says whom the work pays.
    pub account: Account,
    /// Whether the hash meets Bitcoin's target. Submit such a block to Bitcoin even if it is late or a
    /// duplicate.
    pub meets_bitcoin: bool,
    /// Whether the hash meets the share target. If `meets_bitcoin` is also true, the server may have
    /// rejected the submission as a share, for example because it is late.
    pub meets_share: bool,
}

/// Why the pool rejects a user: one sentence for the miner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// Version of the work that the pool offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Increases by one whenever [`Pool::work`] has a new result for any account, or [`Pool::readiness`] changes.
    pub generation: u64,
}

/// Whether a pool has work for miners. Every change of it counts as a [`Change`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Readiness {
    /// There is work.
    #[default]
    Ready,
    /// There is no fresh work at the moment. Connected miners go on with the jobs that they have. New ones are refused at
    /// `mining.subscribe` and read this sentence: a device that gets no job at once turns to its next pool.
    Paused(Refusal),
    /// There is no work. Every miner reads this sentence and is disconnected; new ones are refused.
    Stopped(Refusal),
}

/// The pool behind a server. No method may block, because each runs on the task of a connection.
pub trait Pool: Send + Sync + 'static {
    /// Returns whether there is work. A miner that stays connected without work may wait for minutes before it turns to
    /// its next pool, so the server refuses or disconnects it.
    fn readiness(&self) -> Readiness {
        Readiness::Ready
    }

    /// Returns the size of the coinbases of the current work, in bytes: serialized without witness. `None` while there is
    /// none. A device that cannot hold so many is refused before it authorizes.
    fn coinbase_bytes(&self) -> Option<usize> {
        None
    }

    /// Returns the account of a user name such as `address.worker`. The name is as the miner sent it,
    /// including any white space.
    ///
    /// # Errors
    /// Returns a [`Refusal`] if this user cannot mine here. The miner reads its sentence.
    fn authorize(&self, user: &str) -> Result<Account, Refusal>;

    /// Returns why the device of this user rests at the moment: its owner saves power. It gets no jobs, and its connection
    /// stays. A connection rests if all its users do. Signal a change as one of [`Self::changes`].
    fn rest(&self, _user: &str) -> Option<Refusal> {
        None
    }

    /// Returns what the owner of a device must know who mines for this account, such as a fee. Miners that show messages
    /// read it after their first login.
    fn notice(&self, _account: &Account) -> Option<String> {
        None
    }

    /// Returns the account's current work unit, or `None` while there is nothing to mine. The server then repeats no job.
    /// The channel from [`Self::changes`] signals when there is work again. Return the same `Arc` to all
    /// connections of an account, because each [`Work`] caches its text.
    fn work(&self, account: &Account) -> Option<Arc<Work>>;

    /// Returns a channel that signals every change of work. The server closes all connections when the sender is dropped.
    fn changes(&self) -> watch::Receiver<Change>;

    /// Receives a proof of work. The server passes Bitcoin blocks on even if they are late or stale.
    fn submit(&self, found: Found);
}
