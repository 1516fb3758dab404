//! The JSON-RPC of the double.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Block, BlockHash};
use serde_json::{Value, json};
use sharechain::bitcoin_headers::Root;
use sharechain::{ChainParams, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::chain::{Chain, Entry, Submitted, grind, next_header};
use super::fill::Fill;
use crate::embedded::cookie::Cookie;
use crate::embedded::http::{self, Methods};
use crate::embedded::rpc::{RpcFailure, code};
use crate::signet;

/// Time after which a long poll ends without news.
const LONG_POLL: Duration = Duration::from_secs(60);

/// A running double. It stops when dropped.
pub(crate) struct Double {
    /// Address of its RPC.
    pub(crate) address: SocketAddr,
    /// Its cookie file.
    pub(crate) cookie: PathBuf,
    state: Arc<State>,
    _server: JoinSet<()>,
}

struct State {
    params: ChainParams,
    fills: Vec<Fill>,
    bitcoin: Mutex<Bitcoin>,
    /// Counts changes of the tip and of the template.
    changes: watch::Sender<u64>,
}

struct Bitcoin {
    chain: Chain,
    /// Which of the fills the template has.
    fill: usize,
    submitted: Vec<Submitted>,
}

impl State {
    fn bitcoin(&self) -> MutexGuard<'_, Bitcoin> {
        self.bitcoin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn template(&self) -> Option<Value> {
        let Bitcoin { chain, fill, .. } = &*self.bitcoin();
        let tip = chain.tip();
        let hash = tip.header.block_hash();
        let bits = chain.tree.next_bits(&hash)?;
        let min_time = chain.tree.median_time(&hash)?.plus(1).0;
        let fill = &self.fills[*fill];
        Some(json!({
            "version": 0x2000_0000,
            "previousblockhash": hash.to_string(),
            "transactions": fill.entries,
            "coinbasevalue": self.params.bitcoin.subsidy_sat(tip.height + 1) + fill.fees.to_sat(),
            "longpollid": self.changes.borrow().to_string(),
            "target": format!("{:x}", bitcoin::Target::from_compact(bits)),
            "mintime": min_time,
            "curtime": now().0.max(min_time),
            "sigoplimit": 80_000,
            "weightlimit": 4_000_000,
            "bits": format!("{:08x}", bits.to_consensus()),
            "height": tip.height + 1,
            "signet_challenge": signet::CHALLENGE_HEX,
            "default_witness_commitment": fill.commitment.to_hex_string(),
        }))
    }

    async fn long_poll(&self, known: &str) {
        let mut changes = self.changes.subscribe();
        let is_news = |count: &u64| count.to_string() != known;
        // Without news the old template is told again.
        let _ = tokio::time::timeout(LONG_POLL, changes.wait_for(is_news)).await;
    }

    fn header(&self, params: &Value) -> Result<Value, RpcFailure> {
        let not_found = || RpcFailure::new(code::NOT_FOUND, "Block not found");
        let hash: BlockHash =
            params.get(0).and_then(Value::as_str).and_then(|text| text.parse().ok()).ok_or_else(not_found)?;
        let chain = &self.bitcoin().chain;
        let Entry { height, chain_work, header } = chain.entries.get(&hash).ok_or_else(not_found)?;
        if params.get(1) == Some(&json!(false)) {
            return Ok(json!(serialize_hex(header)));
        }
        let confirmations =
            if chain.is_active(&hash) { i64::from(chain.tip().height) - i64::from(*height) + 1 } else { -1 };
        Ok(json!({
            "hash": hash.to_string(),
            "confirmations": confirmations,
            "height": height,
            "version": header.version.to_consensus(),
            "previousblockhash": header.prev_blockhash.to_string(),
            "merkleroot": header.merkle_root.to_string(),
            "time": header.time,
            "nonce": header.nonce,
            "bits": format!("{:08x}", header.bits.to_consensus()),
            "chainwork": format!("{chain_work:064x}"),
        }))
    }

    fn info(&self) -> Value {
        let chain = &self.bitcoin().chain;
        let tip = chain.tip();
        json!({
            "chain": "signet",
            "blocks": tip.height,
            "headers": tip.height,
            "bestblockhash": tip.header.block_hash().to_string(),
            "initialblockdownload": false,
            "signet_challenge": signet::CHALLENGE_HEX,
        })
    }

    fn submit(&self, params: &Value) -> Result<Value, RpcFailure> {
        let undecodable = || RpcFailure::new(code::DESERIALIZATION, "Block decode failed");
        let block: Block =
            params.get(0).and_then(Value::as_str).and_then(|hex| deserialize_hex(hex).ok()).ok_or_else(undecodable)?;
        let mut bitcoin = self.bitcoin();
        let Bitcoin { chain, submitted, .. } = &mut *bitcoin;
        let median_time = chain.tree.median_time(&block.header.prev_blockhash).map_or(0, |time| time.0);
        Ok(match chain.insert(block.header, now()) {
            Ok(height) => {
                submitted.push(Submitted { height, median_time, block });
                drop(bitcoin);
                self.changed();
                Value::Null
            }
            Err(reason) => json!(reason),
        })
    }
}

impl Methods for State {
    async fn call(&self, method: &str, params: &Value) -> Result<Value, RpcFailure> {
        match method {
            "getbestblockhash" => Ok(json!(self.bitcoin().chain.tip().header.block_hash().to_string())),
            "getblockchaininfo" => Ok(self.info()),
            "getblockhash" => {
                let height = params.get(0).and_then(Value::as_u64).and_then(|height| u32::try_from(height).ok());
                let hash = height.and_then(|height| self.bitcoin().chain.at(height));
                let hash = hash.ok_or_else(|| RpcFailure::new(code::INVALID_PARAMETER, "Block height out of range"))?;
                Ok(json!(hash.to_string()))
            }
            "getblockheader" => self.header(params),
            "getnetworkinfo" => Ok(json!({ "version": 290_000, "subversion": "/double/", "connections": 1 })),
            "getmempoolinfo" => Ok(json!({ "size": 0 })),
            "getblocktemplate" => {
                let request = params.get(0).unwrap_or(&Value::Null);
                if request.get("mode").and_then(Value::as_str) == Some("proposal") {
                    return Ok(Value::Null);
                }
                if let Some(known) = request.get("longpollid").and_then(Value::as_str) {
                    self.long_poll(known).await;
                }
                self.template().ok_or_else(|| RpcFailure::new(code::INTERNAL, "no template"))
            }
            "submitblock" => self.submit(params),
            _ => Err(RpcFailure::new(code::METHOD_NOT_FOUND, "Method not found")),
        }
    }
}

impl Double {
    /// Serves the chain of these headers, with its cookie in `folder`, and templates that take turns.
    ///
    /// # Errors
    /// No port is free, the cookie cannot be written, or the headers are no chain.
    pub(crate) async fn start(
        params: &ChainParams,
        (root, above): (&Root, &[Header]),
        fills: Vec<Fill>,
        folder: &Path,
    ) -> io::Result<Self> {
        let chain = Chain::new(params, root, above).ok_or_else(|| io::Error::other("the headers are no chain"))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let cookie = folder.join("double.cookie");
        let credentials = Cookie::write(&cookie)?;
        let changes = watch::channel(0).0;
        let bitcoin = Mutex::new(Bitcoin { chain, fill: 0, submitted: Vec::new() });
        let state = Arc::new(State { params: params.clone(), fills, bitcoin, changes });
        let mut server = JoinSet::new();
        server.spawn(http::serve(listener, Arc::clone(&state), credentials));
        Ok(Self { address, cookie, state, _server: server })
    }

    pub(crate) fn height(&self) -> u32 {
        self.state.bitcoin().chain.tip().height
    }

    pub(crate) fn fills(&self) -> &[Fill] {
        &self.state.fills
    }

    /// Gives the template the next fill.
    pub(crate) fn next_template(&self) {
        {
            let fill = &mut self.state.bitcoin().fill;
            *fill = (*fill + 1) % self.state.fills.len();
        }
        self.state.changed();
    }

    /// Replaces the last `depth` blocks by one more, which others found.
    ///
    /// # Errors
    /// The chain is not that long.
    pub(crate) async fn reorganize(&self, depth: u32) -> io::Result<()> {
        let state = Arc::clone(&self.state);
        let work = move || {
            let mut previous = {
                let chain = &state.bitcoin().chain;
                chain.at(chain.tip().height.checked_sub(depth)?)?
            };
            // The pool may find another block on the old branch meanwhile.
            loop {
                let mut header = next_header(&state.bitcoin().chain.tree, &previous, now())?;
                grind(&mut header);
                previous = header.block_hash();
                let chain = &mut state.bitcoin().chain;
                chain.insert(header, now()).ok()?;
                if chain.is_active(&previous) {
                    break;
                }
            }
            state.changed();
            Some(())
        };
        let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?;
        done.ok_or_else(|| io::Error::other("a block does not follow"))
    }

    /// How many blocks of the active chain the pool found below this height, and from there on.
    pub(crate) fn has_found(&self, height: u32) -> [usize; 2] {
        let Bitcoin { chain, submitted, .. } = &*self.state.bitcoin();
        let active = submitted.iter().filter(|block| chain.is_active(&block.block.block_hash()));
        let (below, above): (Vec<_>, Vec<_>) = active.partition(|block| block.height < height);
        [below.len(), above.len()]
    }

    /// The blocks that were submitted, Bitcoin's height, and how many of the blocks it left behind.
    pub(crate) fn found(&self) -> (Vec<Submitted>, u32, usize) {
        let Bitcoin { chain, submitted, .. } = &*self.state.bitcoin();
        let left = submitted.iter().filter(|block| !chain.is_active(&block.block.block_hash())).count();
        (submitted.clone(), chain.tip().height, left)
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u32::try_from(since.as_secs()).unwrap_or(u32::MAX))
}
