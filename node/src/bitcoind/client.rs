//! The bitcoind calls that the node uses, typed.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::consensus::encode;
use data_encoding::HEXLOWER;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::debug;

use super::error::BitcoindError;
use super::header::{HeaderInfo, RawHeader};
use super::status::{ChainStatus, ChainTip, NodeInfo};
use super::template::RawTemplate;
use super::transport::{self, Bounds, Transport};
use super::verdict::{ProposalVerdict, SubmitVerdict};
use crate::config::{BitcoindConfig, Network};
use crate::limits::{
    HEADER_BATCH, LONG_POLL_TIMEOUT, REASON_CHARS_MAX, RPC_ANSWER_BYTES_MAX, SUBMIT_TIMEOUT, TEMPLATE_ANSWER_BYTES_MAX,
    VERDICTS_WAIT,
};
use node_core::jobs::BlockTemplate;
use node_core::sentence;

/// bitcoind's error code for an unknown block.
const CODE_NOT_FOUND: i64 = -5;
/// bitcoind's error code for a height above its tip.
const CODE_OUT_OF_RANGE: i64 = -8;

/// A client of one bitcoind or several; cheap to clone, safe to share. Calls go to the one in use, blocks to all.
#[derive(Debug, Clone)]
pub struct Bitcoind {
    servers: Arc<[Arc<Server>]>,
    /// Index of the one in use.
    used: Arc<AtomicUsize>,
    network: Network,
}

/// One bitcoind.
#[derive(Debug)]
struct Server {
    transport: Transport,
    timeout: Duration,
    zmq: Option<String>,
}

impl Bitcoind {
    /// Creates a client of this bitcoind and its fallbacks. It sends nothing yet.
    ///
    /// # Errors
    /// No HTTP client can be created.
    pub fn new(config: &BitcoindConfig, network: Network) -> Result<Self, BitcoindError> {
        let server = |config: &BitcoindConfig| {
            let transport = Transport::new(config)?;
            Ok(Arc::new(Server { transport, timeout: config.timeout, zmq: config.zmq.clone() }))
        };
        let servers = config.all().map(server).collect::<Result<_, BitcoindError>>()?;
        Ok(Self { servers, used: Arc::default(), network })
    }

    /// A client of each bitcoind alone, in configured order.
    pub fn each(&self) -> impl Iterator<Item = Self> + '_ {
        let alone = |server: &Arc<Server>| Self {
            servers: Arc::from([Arc::clone(server)]),
            used: Arc::default(),
            network: self.network,
        };
        self.servers.iter().map(alone)
    }

    /// Uses another bitcoind from now on, by its index.
    pub(super) fn switch_to(&self, index: usize) {
        self.used.store(index.min(self.servers.len() - 1), Ordering::Relaxed);
    }

    /// The index of the bitcoind in use.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// URL of the bitcoind in use.
    pub fn url(&self) -> &reqwest::Url {
        self.server().transport.url()
    }

    /// Host and port at which the bitcoind in use publishes the hashes of new blocks, if it does.
    pub(super) fn zmq(&self) -> Option<&str> {
        self.server().zmq.as_deref()
    }

    fn server(&self) -> &Server {
        &self.servers[self.used()]
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
        self.verify_synced(&status).await?;
        Ok(status)
    }

    /// Checks that bitcoind has the whole chain. Headers of blocks that it found invalid, or that the operator invalidated, are
    /// not missing blocks.
    ///
    /// # Errors
    /// Also [`BitcoindError::Syncing`].
    pub async fn verify_synced(&self, status: &ChainStatus) -> Result<(), BitcoindError> {
        let syncing = match status.verify_synced(self.network) {
            Err(error) if status.is_behind_headers(self.network) => error,
            other => return other,
        };
        match self.call::<Vec<ChainTip>>("getchaintips", json!([])).await {
            Ok(tips) if !tips.iter().any(|tip| tip.is_missing(status)) => Ok(()),
            _ => Err(syncing),
        }
    }

    /// Calls `ask` with each bitcoind until one succeeds, and switches to that one. The one in use comes first.
    ///
    /// # Errors
    /// All fail: the error of the one in use.
    pub async fn use_first<T, E>(&self, ask: impl AsyncFn(Self) -> Result<T, E>) -> Result<T, E> {
        let used = self.used();
        let mut order: Vec<_> = self.each().enumerate().collect();
        order.sort_by_key(|(index, _)| (*index != used, *index));
        let mut failed = None;
        for (index, alone) in order {
            match ask(alone).await {
                Ok(answer) => {
                    self.switch_to(index);
                    return Ok(answer);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Err(failed.expect("there is a bitcoind, and it answers or fails"))
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
        let Server { transport, timeout, .. } = self.server();
        let bounds = Bounds { time: *timeout, bytes: RPC_ANSWER_BYTES_MAX };
        let hashes: Vec<BlockHash> =
            transport.batch("getblockhash", heights.map(|height| json!([height])), bounds).await?;
        let params = hashes.iter().map(|hash| json!([hash, false]));
        let raw: Vec<String> = transport.batch(METHOD, params, bounds).await?;
        let header =
            |hex: &String| encode::deserialize_hex(hex).map_err(|_| BitcoindError::NoResult { method: METHOD });
        hashes.into_iter().zip(&raw).map(|(hash, hex)| Ok((hash, header(hex)?))).collect()
    }

    /// Fetches a block template on the current tip (`getblocktemplate`).
    ///
    /// # Errors
    /// bitcoind cannot be reached, is not ready, or its template is inconsistent.
    pub async fn template(&self) -> Result<BlockTemplate, BitcoindError> {
        self.request_template(json!({ "rules": self.rules() }), self.server().timeout).await
    }

    /// Long-polls for a template that differs from the one that came with `long_poll_id`.
    ///
    /// # Errors
    /// As [`Self::template`].
    pub async fn next_template(&self, long_poll_id: &str) -> Result<BlockTemplate, BitcoindError> {
        let request = json!({ "rules": self.rules(), "longpollid": long_poll_id });
        self.request_template(request, LONG_POLL_TIMEOUT).await
    }

    /// Submits a serialized block to all bitcoinds (`submitblock`). The best verdict counts: a bitcoind that is behind
    /// gets the block, too, but cannot judge it yet.
    ///
    /// # Errors
    /// No bitcoind can be reached, or each answers with an error instead of a verdict.
    pub async fn submit_block(&self, block: &[u8]) -> Result<SubmitVerdict, BitcoindError> {
        let hex: Arc<str> = HEXLOWER.encode(block).into();
        // Each call runs on its own: a bitcoind that hangs must not delay another's verdict.
        let submit = |server: Self| tokio::spawn(submit(server, Arc::clone(&hex)));
        let mut under_way: FuturesUnordered<_> = self.each().map(submit).collect();
        let (mut best, mut failed) = (None, None);
        let mut until = None;
        loop {
            let next = match until {
                None => under_way.next().await,
                Some(until) => tokio::time::timeout_at(until, under_way.next()).await.unwrap_or(None),
            };
            match next.map(|task| task.expect("submitting does not panic")) {
                Some(Ok(verdict)) => {
                    until = until.or_else(|| Some(Instant::now() + VERDICTS_WAIT));
                    best = Some(match best.take() {
                        Some(known) => SubmitVerdict::or_better(known, verdict),
                        None => verdict,
                    });
                    if matches!(best, Some(SubmitVerdict::Accepted | SubmitVerdict::Duplicate)) {
                        break;
                    }
                }
                Some(Err(error)) => failed = failed.or(Some(error)),
                None => break,
            }
        }
        best.ok_or_else(|| failed.expect("there is a bitcoind, and it answers or fails"))
    }

    /// Proposes a serialized block without proof of work (BIP-0023).
    ///
    /// # Errors
    /// bitcoind cannot be reached, or answers with an error instead of a verdict.
    pub async fn propose_block(&self, block: &[u8]) -> Result<ProposalVerdict, BitcoindError> {
        let data = HEXLOWER.encode(block);
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
        let bytes = self.server().transport.call(METHOD, json!([request]), bounds).await?;
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
        let Server { transport, timeout, .. } = self.server();
        let bounds = Bounds { time: *timeout, bytes: RPC_ANSWER_BYTES_MAX };
        let bytes = transport.call(method, params, bounds).await?;
        transport::answer(method, &bytes)?.ok_or(BitcoindError::NoResult { method })
    }

    /// Makes a call that validates a block and answers `null` or a reason (BIP-0022).
    async fn call_for_reason(&self, method: &'static str, params: Value) -> Result<Option<String>, BitcoindError> {
        let bounds = Bounds { time: SUBMIT_TIMEOUT, bytes: RPC_ANSWER_BYTES_MAX };
        let bytes = self.server().transport.call(method, params, bounds).await?;
        transport::answer(method, &bytes)
    }
}

/// Submits a block to one bitcoind.
async fn submit(bitcoind: Bitcoind, hex: Arc<str>) -> Result<SubmitVerdict, BitcoindError> {
    let reason: Option<String> = bitcoind.call_for_reason("submitblock", json!([*hex])).await.inspect_err(|error| {
        // It gets the block when it is back. If all fail, the caller reports it.
        debug!(url = %bitcoind.url(), error = sentence(error), "a bitcoind could not be sent a block");
    })?;
    Ok(match reason.as_deref() {
        None => SubmitVerdict::Accepted,
        Some("duplicate") => SubmitVerdict::Duplicate,
        Some("inconclusive" | "duplicate-inconclusive") => SubmitVerdict::Inconclusive,
        Some(reason) => SubmitVerdict::Rejected { reason: shortened(reason) },
    })
}

fn shortened(reason: &str) -> String {
    reason.chars().take(REASON_CHARS_MAX).collect()
}
