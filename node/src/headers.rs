//! Inserts Bitcoin headers from this node's bitcoind into the share-chain.

use bitcoin::block::Header;
use bitcoin::{BlockHash, Work};
use futures::future::BoxFuture;
use node_core::headers::{HeaderWalk, counts};
use node_core::sentence;
use sharechain::base::Chunk;
use sharechain::bitcoin_headers::{BitcoinHeaders, Root, RootError};
use sharechain::{ChainParams, U256};

use crate::bitcoind::{Bitcoind, BitcoindError, Prover};
use crate::clock::now;
use crate::consensus::{EngineHandle, EngineStopped};
use crate::limits::HEADER_BATCH;
use crate::store::{Store, StoreError};

/// Why headers cannot be inserted.
#[derive(Debug, thiserror::Error)]
pub enum HeadersError {
    /// bitcoind cannot be queried.
    #[error(transparent)]
    Bitcoind(#[from] BitcoindError),
    /// bitcoind's headers do not form a chain.
    #[error("bitcoind's headers are invalid")]
    Root(#[from] RootError),
    /// The share-chain rejects bitcoind's tip.
    #[error("the share-chain rejects bitcoind's block {0}; check this machine's clock and bitcoind's network")]
    NotTaken(BlockHash),
    /// bitcoind does not know a header that it named earlier.
    #[error("bitcoind has no header {0}")]
    Missing(BlockHash),
    /// bitcoind has not reached the start of the share-chain.
    #[error(
        "bitcoind has not yet reached Bitcoin height {height}, where the share-chain starts; wait until it has synced"
    )]
    NotSynced {
        /// The required height.
        height: u32,
    },
    /// The engine has stopped.
    #[error(transparent)]
    Stopped(#[from] EngineStopped),
}

/// Height of the Bitcoin block that the share-chain starts from: the last difficulty change before its first height.
pub(crate) fn first_height(params: &ChainParams) -> u32 {
    let below = params.bitcoin.start_height.saturating_sub(1);
    below - below % params.bitcoin.retarget_blocks
}

/// Loads the headers that the share-chain starts from: those at the last difficulty change before its first height, so
/// that every later change can be checked. If the node starts from a base, whose newest link has the Bitcoin height
/// `base`, two difficulty periods before that are enough: no deeper block decides anything.
///
/// # Errors
/// bitcoind cannot be queried, or has not reached that height.
pub async fn load(
    bitcoind: &Bitcoind,
    params: &ChainParams,
    base: Option<u32>,
) -> Result<BitcoinHeaders, HeadersError> {
    let bitcoin = &params.bitcoin;
    let near = base.map_or(0, |height| height.saturating_sub(2 * bitcoin.retarget_blocks));
    let height = first_height(params).max(near - near % bitcoin.retarget_blocks);
    if height == 0 {
        return Ok(BitcoinHeaders::new(bitcoin, &Root::genesis(bitcoin))?);
    }
    // The first proofs may build on the root, and their snapshot and seed derive from blocks below it.
    let for_payouts = params.snapshot_bitcoin_depth.max(params.seed_depth).saturating_add(1).min(height + 1);
    let needed = Root::headers_needed(height, bitcoin).max(for_payouts);
    let headers = bitcoind.headers((height + 1 - needed)..(height + 1)).await?;
    let root = bitcoind.block_hash(height).await?.ok_or(HeadersError::NotSynced { height })?;
    let info = bitcoind.header(root).await?.ok_or(HeadersError::Missing(root))?;
    Ok(BitcoinHeaders::new(bitcoin, &Root { height, chain_work: number(info.chain_work), headers })?)
}

/// Bitcoin height of the newest link in the base chunks of a store, if it has any.
///
/// # Errors
/// The store cannot be read.
pub fn newest_base_height(store: &Store) -> Result<Option<u32>, StoreError> {
    let newest = store.newest_base()?.and_then(|bytes| Chunk::decode(&bytes).ok());
    Ok(newest.and_then(|chunk| chunk.links.last().map(|link| link.facts.bitcoin_height)))
}

/// Loads the headers that [`load`] names, and all above them up to bitcoind's tip.
///
/// # Errors
/// See [`load`].
pub async fn load_up_to_tip(
    bitcoind: &Bitcoind,
    params: &ChainParams,
    base: Option<u32>,
) -> Result<BitcoinHeaders, HeadersError> {
    let mut headers = load(bitcoind, params, base).await?;
    let mut catch_up = CatchUp::new(bitcoind, &headers).await?;
    while let Some(batch) = catch_up.batch().await? {
        for header in batch {
            // The node fetches rejected headers again when it follows bitcoind's tip, and reports the reason then.
            let _ = headers.insert(header, now());
        }
    }
    Ok(headers)
}

fn number(work: Work) -> U256 {
    U256::from_be_bytes(work.to_be_bytes())
}

/// Fetches the headers of bitcoind's active chain in batches, from slightly below the best known one up to the tip.
#[derive(Debug)]
pub struct CatchUp<'a> {
    bitcoind: &'a Bitcoind,
    next: u32,
    /// Height of bitcoind's tip.
    end: u32,
}

impl<'a> CatchUp<'a> {
    /// Creates a catch-up of `known` to bitcoind's current tip.
    ///
    /// # Errors
    /// bitcoind cannot be queried.
    pub async fn new(bitcoind: &'a Bitcoind, known: &BitcoinHeaders) -> Result<Self, BitcoindError> {
        // Blocks of overlap. A deeper reorganization while the node was offline is found by walking back.
        const OVERLAP: u32 = 144;
        let end = bitcoind.chain_status().await?.blocks;
        // Nothing at or below the root can be inserted.
        let lowest = known.root().height.saturating_add(1);
        Ok(Self { bitcoind, next: known.best().height.saturating_sub(OVERLAP).max(lowest), end })
    }

    /// Fetches the next [`HEADER_BATCH`] headers, lowest first; none once bitcoind's tip is reached.
    ///
    /// # Errors
    /// bitcoind cannot be queried.
    pub async fn batch(&mut self) -> Result<Option<Vec<Header>>, BitcoindError> {
        if self.next > self.end {
            return Ok(None);
        }
        let end = self.end.min(self.next + HEADER_BATCH - 1);
        let headers = self.bitcoind.headers(self.next..end + 1).await?;
        self.next = end + 1;
        Ok(Some(headers))
    }
}

/// Follows bitcoind's active chain.
#[derive(Clone, Debug)]
pub struct HeaderSource {
    bitcoind: Bitcoind,
    engine: EngineHandle,
}

impl HeaderSource {
    /// A source that feeds `engine`.
    #[must_use]
    pub fn new(bitcoind: Bitcoind, engine: EngineHandle) -> Self {
        Self { bitcoind, engine }
    }

    /// Inserts all headers up to `tip`.
    ///
    /// # Errors
    /// bitcoind cannot be queried, or the share-chain rejects its headers.
    pub async fn follow(&self, tip: &BlockHash) -> Result<(), HeadersError> {
        if self.knows(tip) {
            return Ok(());
        }
        self.walk_back_from(tip).await?;
        if self.knows(tip) { Ok(()) } else { Err(HeadersError::NotTaken(*tip)) }
    }

    async fn walk_back_from(&self, tip: &BlockHash) -> Result<(), HeadersError> {
        let mut walk = HeaderWalk::new(*tip);
        loop {
            let next = walk.next(self.engine.reader().chain().bitcoin());
            let Some(hash) = next else { break };
            if walk.len() >= HEADER_BATCH as usize {
                let chain = self.engine.reader().chain();
                let mut catch_up = CatchUp::new(&self.bitcoind, chain.bitcoin()).await?;
                while let Some(headers) = catch_up.batch().await? {
                    self.insert(headers).await?;
                }
                return Ok(());
            }
            walk.push(self.bitcoind.header(hash).await?.ok_or(HeadersError::Missing(hash))?.header);
        }
        Ok(self.insert(walk.into_headers()).await?)
    }

    /// Inserted headers are published before the call returns, so the view has them.
    fn knows(&self, hash: &BlockHash) -> bool {
        self.engine.reader().chain().bitcoin().get(hash).is_some()
    }

    async fn insert(&self, headers: Vec<Header>) -> Result<(), EngineStopped> {
        if headers.is_empty() {
            return Ok(());
        }
        self.engine.call(move |engine| engine.insert_bitcoin_headers(&headers, now())).await
    }

    /// Looks up a header in bitcoind and inserts it with its ancestors, if it may count. Returns true if the
    /// share-chain knows it now.
    ///
    /// # Errors
    /// bitcoind cannot be queried.
    pub async fn fetch(&self, hash: BlockHash) -> Result<bool, HeadersError> {
        if self.knows(&hash) {
            return Ok(true);
        }
        let Some(info) = self.bitcoind.header(hash).await? else { return Ok(false) };
        let own_height = self.engine.call(|engine| engine.own_bitcoin_height()).await?;
        if !counts(info.confirmations.is_some(), info.height, own_height) {
            return Ok(false);
        }
        self.follow(&hash).await?;
        Ok(self.knows(&hash))
    }
}

impl Prover for HeaderSource {
    fn work_of(&self, tip: &BlockHash) -> Option<Work> {
        let chain = self.engine.reader().chain();
        chain.bitcoin().get(tip).map(|known| Work::from_be_bytes(known.chain_work.to_be_bytes()))
    }

    fn prove(&self, bitcoind: Bitcoind, tip: BlockHash) -> BoxFuture<'static, Result<(), String>> {
        let source = Self::new(bitcoind, self.engine.clone());
        Box::pin(async move { source.follow(&tip).await.map_err(|error| sentence(&error)) })
    }
}
