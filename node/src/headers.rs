//! Brings Bitcoin's headers from the node's own bitcoind into the share-chain.

use bitcoin::block::Header;
use bitcoin::{BlockHash, Work};
use sharechain::bitcoin_headers::{BitcoinHeaders, Root, RootError};
use sharechain::{BitcoinParams, U256};

use crate::bitcoind::{Bitcoind, BitcoindError};
use crate::clock::now;
use crate::engine::{EngineHandle, EngineStopped};
use crate::limits::{HEADER_BATCH, STALE_HEADER_DEPTH};

/// Why headers could not be brought.
#[derive(Debug, thiserror::Error)]
pub enum HeadersError {
    /// bitcoind could not be asked.
    #[error(transparent)]
    Bitcoind(#[from] BitcoindError),
    /// bitcoind's headers do not make a chain.
    #[error("bitcoind's headers cannot be used")]
    Root(#[from] RootError),
    /// The share-chain's rules do not take bitcoind's tip.
    #[error("the share-chain cannot take bitcoind's block {0}; check this machine's clock and bitcoind's network")]
    NotTaken(BlockHash),
    /// bitcoind does not know a header that it named before.
    #[error("bitcoind has no header {0}")]
    Missing(BlockHash),
    /// bitcoind is not as far as the share-chain's start.
    #[error(
        "the share-chain starts above Bitcoin height {height}, where bitcoind has not come yet; wait until it has synced"
    )]
    NotSynced {
        /// The height that is needed.
        height: u32,
    },
    /// The engine has stopped.
    #[error(transparent)]
    Stopped(#[from] EngineStopped),
}

/// Loads the headers that the share-chain starts from: the last change of difficulty before its first height, so that
/// every later one can be checked.
///
/// # Errors
/// bitcoind cannot be asked or is not far enough.
pub async fn load(bitcoind: &Bitcoind, params: &BitcoinParams) -> Result<BitcoinHeaders, HeadersError> {
    let start = params.start_height.saturating_sub(1);
    let height = start - start % params.retarget_blocks;
    if height == 0 {
        return Ok(BitcoinHeaders::new(params, &Root::genesis(params))?);
    }
    let needed = Root::headers_needed(height, params);
    let headers = bitcoind.headers((height + 1 - needed)..(height + 1)).await?;
    let root = bitcoind.block_hash(height).await?.ok_or(HeadersError::NotSynced { height })?;
    let info = bitcoind.header(root).await?.ok_or(HeadersError::Missing(root))?;
    Ok(BitcoinHeaders::new(params, &Root { height, chain_work: number(info.chain_work), headers })?)
}

fn number(work: Work) -> U256 {
    U256::from_be_bytes(work.to_be_bytes())
}

/// Whether a header at `height` counts though it is not on bitcoind's active chain, whose tip is at `own_height`: from two
/// blocks below it on headers alone decide.
#[must_use]
pub const fn is_settled(height: u32, own_height: u32) -> bool {
    height.saturating_add(STALE_HEADER_DEPTH) <= own_height
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

    /// Brings everything up to `tip`, so that the share-chain knows it.
    ///
    /// # Errors
    /// bitcoind cannot be asked, or the share-chain does not take its headers.
    pub async fn follow(&self, tip: &BlockHash) -> Result<(), HeadersError> {
        if self.knows(*tip).await? {
            return Ok(());
        }
        self.walk_back_from(tip).await?;
        if self.knows(*tip).await? { Ok(()) } else { Err(HeadersError::NotTaken(*tip)) }
    }

    async fn walk_back_from(&self, tip: &BlockHash) -> Result<(), HeadersError> {
        let mut unknown: Vec<Header> = Vec::new();
        let mut at = *tip;
        while !self.knows(at).await? {
            if unknown.len() >= HEADER_BATCH as usize {
                return self.catch_up().await;
            }
            let info = self.bitcoind.header(at).await?.ok_or(HeadersError::Missing(at))?;
            unknown.push(info.header);
            at = info.header.prev_blockhash;
        }
        unknown.reverse();
        self.insert(unknown).await
    }

    async fn knows(&self, hash: BlockHash) -> Result<bool, EngineStopped> {
        self.engine.call(move |engine| engine.chain().bitcoin().get(&hash).is_some()).await
    }

    async fn insert(&self, headers: Vec<Header>) -> Result<(), HeadersError> {
        if !headers.is_empty() {
            self.engine.call(move |engine| engine.insert_bitcoin_headers(&headers, now())).await?;
        }
        Ok(())
    }

    /// Looks for one header at bitcoind and brings it with what leads to it, if bitcoind has it on its active chain, or
    /// if it is far enough below the tip for headers alone to decide. True when the share-chain knows it now.
    ///
    /// # Errors
    /// bitcoind cannot be asked.
    pub async fn fetch(&self, hash: BlockHash) -> Result<bool, HeadersError> {
        if self.knows(hash).await? {
            return Ok(true);
        }
        let Some(info) = self.bitcoind.header(hash).await? else { return Ok(false) };
        let own = self.engine.call(|engine| engine.own_bitcoin_height()).await?;
        if info.confirmations.is_none() && !is_settled(info.height, own) {
            return Ok(false);
        }
        self.follow(&hash).await?;
        self.knows(hash).await.map_err(HeadersError::from)
    }

    /// Brings the whole active chain from the best known header's height on, in batches.
    ///
    /// # Errors
    /// bitcoind cannot be asked.
    pub async fn catch_up(&self) -> Result<(), HeadersError> {
        let status = self.bitcoind.chain_status().await?;
        // A reorganisation of Bitcoin deeper than this while the node was away is found by walking back.
        const OVERLAP: u32 = 144;
        let known = self.engine.call(|engine| engine.chain().bitcoin().best().height).await?;
        let mut from = known.saturating_sub(OVERLAP).max(1);
        while from <= status.blocks {
            let end = status.blocks.min(from + HEADER_BATCH - 1);
            let headers = self.bitcoind.headers(from..end + 1).await?;
            self.insert(headers).await?;
            from = end + 1;
        }
        Ok(())
    }
}
