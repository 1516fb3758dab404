//! The bitcoind calls that the node uses, typed.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::hex::DisplayHex;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode, Work};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::BitcoindError;
use super::status::{ChainStatus, NodeInfo};
use super::template::RawTemplate;
use super::transport::{self, Bounds, Transport};
use crate::config::{BitcoindConfig, Network};
use crate::limits::{
    HEADER_BATCH, LONG_POLL_TIMEOUT, REASON_CHARS_MAX, RPC_ANSWER_BYTES_MAX, SUBMIT_TIMEOUT, TEMPLATE_ANSWER_BYTES_MAX,
};
use node_core::jobs::BlockTemplate;

/// bitcoind's error code for an unknown block.
const CODE_NOT_FOUND: i64 = -5;
/// bitcoind's error code for a height above its tip.
const CODE_OUT_OF_RANGE: i64 = -8;

/// A client of bitcoind; cheap to clone, safe to share.
#[derive(Debug, Clone)]
pub struct Bitcoind {
    transport: Arc<Transport>,
    network: Network,
    timeout: Duration,
}

/// A block header that bitcoind knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderInfo {
    /// The header.
    pub header: Header,
    /// Height of the block.
    pub height: u32,
    /// Blocks of the active chain from this one to the tip, inclusive; none if it is not on the active chain.
    pub confirmations: Option<u32>,
    /// Work of the chain up to and including this block.
    pub chain_work: Work,
}

/// bitcoind's verdict on a submitted block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubmitVerdict {
    /// The block is valid and became the tip.
    Accepted,
    /// bitcoind already has the block.
    Duplicate,
    /// bitcoind stored the block, but it is not the tip, so its transactions are not validated yet.
    Inconclusive,
    /// The block is invalid.
    Rejected {
        /// bitcoind's reason.
        reason: String,
    },
}

/// Reasons that say nothing about the block itself: its parent is unknown or was invalidated by hand, which `reconsiderblock`
/// takes back, a clock is behind, or bitcoind gives no reason (BIP-0022's `rejected`).
const PASSING_REASONS: [&str; 5] =
    ["prev-blk-not-found", "bad-prevblk", "duplicate-invalid", "time-too-new", "rejected"];

impl SubmitVerdict {
    /// True if bitcoind may say otherwise later, so that the block must be submitted again.
    #[must_use]
    pub fn may_change(&self) -> bool {
        match self {
            Self::Accepted | Self::Duplicate => false,
            Self::Inconclusive => true,
            Self::Rejected { reason } => PASSING_REASONS.contains(&reason.as_str()),
        }
    }
}

/// bitcoind's verdict on a proposed block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposalVerdict {
    /// The block is valid except for its missing proof of work.
    Valid,
    /// The block does not extend bitcoind's tip, so it cannot be validated.
    NotOnTip,
    /// The block is invalid.
    Rejected {
        /// bitcoind's reason.
        reason: String,
    },
}

impl Bitcoind {
    /// Creates a client. It sends nothing yet.
    ///
    /// # Errors
    /// No HTTP client can be created.
    pub fn new(config: &BitcoindConfig, network: Network) -> Result<Self, BitcoindError> {
        let transport = Arc::new(Transport::new(config)?);
        Ok(Self { transport, network, timeout: config.timeout })
    }

    /// The network that this bitcoind should run on.
    pub fn network(&self) -> Network {
        self.network
    }

    /// Fetches the state of the chain (`getblockchaininfo`).
    ///
    /// # Errors
    /// bitcoind cannot be reached, or answers with an error.
    pub async fn chain_status(&self) -> Result<ChainStatus, BitcoindError> {
        self.call("getblockchaininfo", json!([])).await
    }

    /// Fetches bitcoind's version and number of connections (`getnetworkinfo`).
    ///
    /// # Errors
    /// bitcoind cannot be reached, or answers with an error.
    pub async fn node_info(&self) -> Result<NodeInfo, BitcoindError> {
        self.call("getnetworkinfo", json!([])).await
    }

    /// Fetches the number of transactions that wait for a block (`getmempoolinfo`).
    ///
    /// # Errors
    /// bitcoind cannot be reached, or answers with an error.
    pub async fn mempool_transactions(&self) -> Result<u64, BitcoindError> {
        #[derive(Deserialize)]
        struct Mempool {
            size: u64,
        }
        self.call("getmempoolinfo", json!([])).await.map(|Mempool { size }| size)
    }

    /// Checks that bitcoind is on the right network and synced, and returns the state of the chain.
    ///
    /// # Errors
    /// Also [`BitcoindError::WrongNetwork`] and [`BitcoindError::Syncing`].
    pub async fn ready(&self) -> Result<ChainStatus, BitcoindError> {
        let status = self.chain_status().await?;
        status.verify_network(self.network)?;
        status.verify_synced(self.network)?;
        Ok(status)
    }

    /// Fetches the hash of the active chain's tip (`getbestblockhash`).
    ///
    /// # Errors
    /// bitcoind cannot be reached, or answers with an error.
    pub async fn best_block(&self) -> Result<BlockHash, BitcoindError> {
        self.call("getbestblockhash", json!([])).await
    }

    /// Fetches the hash of the active chain's block at `height` (`getblockhash`); `None` above the tip.
    ///
    /// # Errors
    /// bitcoind cannot be reached, or answers with an error.
    pub async fn block_hash(&self, height: u32) -> Result<Option<BlockHash>, BitcoindError> {
        match self.call("getblockhash", json!([height])).await {
            Ok(hash) => Ok(Some(hash)),
            Err(BitcoindError::Refused { code: CODE_OUT_OF_RANGE, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Fetches the header of any block, on or off the active chain (`getblockheader`); `None` if bitcoind does not know
    /// it.
    ///
    /// # Errors
    /// bitcoind cannot be reached, answers with an error, or answers with another block.
    pub async fn header(&self, hash: BlockHash) -> Result<Option<HeaderInfo>, BitcoindError> {
        const METHOD: &str = "getblockheader";
        let raw: RawHeader = match self.call(METHOD, json!([hash, true])).await {
            Ok(raw) => raw,
            Err(BitcoindError::Refused { code: CODE_NOT_FOUND, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let info = raw.info().ok_or(BitcoindError::NoResult { method: METHOD })?;
        if info.header.block_hash() != hash {
            return Err(BitcoindError::NoResult { method: METHOD });
        }
        Ok(Some(info))
    }

    /// Fetches the headers of the active chain at `heights`, lowest first.
    ///
    /// # Errors
    /// A height is above the tip ([`BitcoindError::Refused`]), or the chain was reorganized in the meantime
    /// ([`BitcoindError::Reorganised`]).
    pub async fn headers(&self, heights: Range<u32>) -> Result<Vec<Header>, BitcoindError> {
        let mut headers: Vec<Header> = Vec::with_capacity(heights.len());
        let mut start = heights.start;
        while start < heights.end {
            let end = heights.end.min(start.saturating_add(HEADER_BATCH));
            for (hash, header) in self.header_batch(start..end).await? {
                let follows = headers.last().is_none_or(|last| last.block_hash() == header.prev_blockhash);
                if !follows || header.block_hash() != hash {
                    return Err(BitcoindError::Reorganised { hash });
                }
                headers.push(header);
            }
            start = end;
        }
        Ok(headers)
    }

    async fn header_batch(&self, heights: Range<u32>) -> Result<Vec<(BlockHash, Header)>, BitcoindError> {
        const METHOD: &str = "getblockheader";
        let bounds = Bounds { time: self.timeout, bytes: RPC_ANSWER_BYTES_MAX };
        let hashes: Vec<BlockHash> =
            self.transport.batch("getblockhash", heights.map(|height| json!([height])), bounds).await?;
        let params = hashes.iter().map(|hash| json!([hash, false]));
        let raw: Vec<String> = self.transport.batch(METHOD, params, bounds).await?;
        let header =
            |hex: &String| encode::deserialize_hex(hex).map_err(|_| BitcoindError::NoResult { method: METHOD });
        hashes.into_iter().zip(&raw).map(|(hash, hex)| Ok((hash, header(hex)?))).collect()
    }

    /// Fetches a block template on the current tip (`getblocktemplate`).
    ///
    /// # Errors
    /// bitcoind cannot be reached, is not ready, or its template is inconsistent.
    pub async fn template(&self) -> Result<BlockTemplate, BitcoindError> {
        self.request_template(json!({ "rules": self.rules() }), self.timeout).await
    }

    /// Long-polls for a template that differs from the one that came with `long_poll_id`.
    ///
    /// # Errors
    /// As [`Self::template`].
    pub async fn next_template(&self, long_poll_id: &str) -> Result<BlockTemplate, BitcoindError> {
        let request = json!({ "rules": self.rules(), "longpollid": long_poll_id });
        self.request_template(request, LONG_POLL_TIMEOUT).await
    }

    /// Submits a serialized block (`submitblock`).
    ///
    /// # Errors
    /// bitcoind cannot be reached, or answers with an error instead of a verdict.
    pub async fn submit_block(&self, block: &[u8]) -> Result<SubmitVerdict, BitcoindError> {
        let params = json!([block.to_lower_hex_string()]);
        let reason: Option<String> = self.call_for_reason("submitblock", params).await?;
        Ok(match reason.as_deref() {
            None => SubmitVerdict::Accepted,
            Some("duplicate") => SubmitVerdict::Duplicate,
            Some("inconclusive" | "duplicate-inconclusive") => SubmitVerdict::Inconclusive,
            Some(reason) => SubmitVerdict::Rejected { reason: shortened(reason) },
        })
    }

    /// Proposes a serialized block without proof of work (BIP-0023).
    ///
    /// # Errors
    /// bitcoind cannot be reached, or answers with an error instead of a verdict.
    pub async fn propose_block(&self, block: &[u8]) -> Result<ProposalVerdict, BitcoindError> {
        let data = block.to_lower_hex_string();
        let params = json!([{ "mode": "proposal", "data": data, "rules": self.rules() }]);
        let reason: Option<String> = self.call_for_reason("getblocktemplate", params).await?;
        Ok(match reason.as_deref() {
            // bitcoind already has the block and found it valid.
            None | Some("duplicate") => ProposalVerdict::Valid,
            Some("inconclusive-not-best-prevblk" | "duplicate-inconclusive") => ProposalVerdict::NotOnTip,
            Some(reason) => ProposalVerdict::Rejected { reason: shortened(reason) },
        })
    }

    /// BIP-0009 rules that this node supports. On a signet, bitcoind requires `signet`.
    fn rules(&self) -> &'static [&'static str] {
        if self.network.is_signet() { &["segwit", "signet"] } else { &["segwit"] }
    }

    async fn request_template(&self, request: Value, time: Duration) -> Result<BlockTemplate, BitcoindError> {
        const METHOD: &str = "getblocktemplate";
        let bounds = Bounds { time, bytes: TEMPLATE_ANSWER_BYTES_MAX };
        let bytes = self.transport.call(METHOD, json!([request]), bounds).await?;
        // Decoding and hashing megabytes takes about ten milliseconds, so it runs off the async threads.
        let decoding = tokio::task::spawn_blocking(move || {
            let raw: RawTemplate =
                transport::answer(METHOD, &bytes)?.ok_or(BitcoindError::NoResult { method: METHOD })?;
            Ok::<_, BitcoindError>(BlockTemplate::try_from(raw)?)
        });
        let template = decoding.await.expect("decoding a template does not panic")?;
        if let Some(challenge) = &template.signet_challenge {
            let network = self.network;
            network.verify_challenge(challenge).map_err(|source| BitcoindError::WrongNetwork { network, source })?;
        }
        Ok(template)
    }

    async fn call<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, BitcoindError> {
        let bounds = Bounds { time: self.timeout, bytes: RPC_ANSWER_BYTES_MAX };
        let bytes = self.transport.call(method, params, bounds).await?;
        transport::answer(method, &bytes)?.ok_or(BitcoindError::NoResult { method })
    }

    /// Makes a call that validates a block and answers `null` or a reason (BIP-0022).
    async fn call_for_reason(&self, method: &'static str, params: Value) -> Result<Option<String>, BitcoindError> {
        let bounds = Bounds { time: SUBMIT_TIMEOUT, bytes: RPC_ANSWER_BYTES_MAX };
        let bytes = self.transport.call(method, params, bounds).await?;
        transport::answer(method, &bytes)
    }
}

/// The fields of `getblockheader`'s verbose result that the node uses.
#[derive(Debug, Deserialize)]
struct RawHeader {
    version: i32,
    #[serde(default)]
    previousblockhash: Option<BlockHash>,
    merkleroot: TxMerkleNode,
    time: u32,
    bits: String,
    nonce: u32,
    height: u32,
    confirmations: i64,
    chainwork: String,
}

impl RawHeader {
    fn info(self) -> Option<HeaderInfo> {
        let bits = u32::from_str_radix(&self.bits, 16).ok()?;
        let header = Header {
            version: Version::from_consensus(self.version),
            // Only the genesis block has none.
            prev_blockhash: self.previousblockhash.unwrap_or_else(BlockHash::all_zeros),
            merkle_root: self.merkleroot,
            time: self.time,
            bits: CompactTarget::from_consensus(bits),
            nonce: self.nonce,
        };
        let confirmations = u32::try_from(self.confirmations).ok().filter(|count| *count > 0);
        let chain_work = Work::from_unprefixed_hex(&self.chainwork).ok()?;
        Some(HeaderInfo { header, height: self.height, confirmations, chain_work })
    }
}

fn shortened(reason: &str) -> String {
    reason.chars().take(REASON_CHARS_MAX).collect()
}
