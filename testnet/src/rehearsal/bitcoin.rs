//! A double of bitcoind, whose chain grows and changes. It takes every block whose header is valid.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::{Block, BlockHash, TxMerkleNode};
use serde_json::{Value, json};
use sharechain::bitcoin_headers::{BitcoinHeaders, Inserted, Root};
use sharechain::{ChainParams, Timestamp, U256};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::HALVING;
use super::fill::Fill;
use super::headers::Headers;
use crate::embedded::cookie::Cookie;
use crate::embedded::http::{self, Methods};
use crate::embedded::rpc::{RpcFailure, code};
use crate::scale::{grind, work};
use crate::signet;

/// Time after which a long poll ends without news.
const LONG_POLL: Duration = Duration::from_secs(60);

/// A block that a node submitted.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// Its height.
    pub height: u32,
    /// Median time of its parent and the ten before.
    pub median_time: u32,
    /// The block.
    pub block: Block,
}

/// A running double. It stops when dropped.
pub(super) struct Double {
    /// Address of its RPC.
    pub(super) address: SocketAddr,
    /// Its cookie file.
    pub(super) cookie: PathBuf,
    state: Arc<State>,
    _server: JoinSet<()>,
}

struct State {
    params: ChainParams,
    fills: Vec<Fill>,
    chain: Mutex<Chain>,
    /// Counts changes of the tip and of the template.
    changes: watch::Sender<u64>,
}

struct Entry {
    height: u32,
    chain_work: U256,
    header: Header,
}

struct Chain {
    tree: BitcoinHeaders,
    entries: HashMap<BlockHash, Entry>,
    /// The best chain, from the root's first header on.
    active: Vec<BlockHash>,
    first_height: u32,
    /// Which of the fills the template has.
    fill: usize,
    submitted: Vec<Submitted>,
}

impl Chain {
    fn new(params: &ChainParams, root: &Root, above: &[Header]) -> Option<Self> {
        let tree = BitcoinHeaders::new(&params.bitcoin, root).ok()?;
        let first_height = root.height + 1 - u32::try_from(root.headers.len()).ok()?;
        let (mut entries, mut active) = (HashMap::new(), Vec::new());
        let mut chain_work = root.chain_work;
        for (height, header) in (first_height..=root.height).rev().zip(root.headers.iter().rev()) {
            entries.insert(header.block_hash(), Entry { height, chain_work, header: *header });
            chain_work = chain_work.checked_sub(work(header))?;
        }
        active.extend(root.headers.iter().map(Header::block_hash));
        let mut chain = Self { tree, entries, active, first_height, fill: 0, submitted: Vec::new() };
        above.iter().try_for_each(|header| chain.insert(*header).ok().map(drop))?;
        Some(chain)
    }

    fn tip(&self) -> &Entry {
        self.active.last().and_then(|hash| self.entries.get(hash)).expect("the root has headers")
    }

    fn at(&self, height: u32) -> Option<BlockHash> {
        self.active.get(height.checked_sub(self.first_height)? as usize).copied()
    }

    /// Takes a header. Returns its height.
    fn insert(&mut self, header: Header) -> Result<u32, String> {
        match self.tree.insert(header, Timestamp(now_s())) {
            Ok(Inserted::New) => {}
            Ok(Inserted::Known) => return Err("duplicate".to_owned()),
            Ok(Inserted::Held(_)) => return Err("prev-blk-not-found".to_owned()),
            Err(error) => return Err(error.to_string()),
        }
        let parent = self.entries.get(&header.prev_blockhash).ok_or("prev-blk-not-found")?;
        let (height, chain_work) = (parent.height + 1, parent.chain_work.saturating_add(work(&header)));
        let is_best = chain_work > self.tip().chain_work;
        self.entries.insert(header.block_hash(), Entry { height, chain_work, header });
        if is_best {
            self.follow(header.block_hash(), height);
        }
        Ok(height)
    }

    /// Makes the branch that ends in this header the active chain.
    fn follow(&mut self, tip: BlockHash, height: u32) {
        let mut branch = vec![tip];
        let mut below = self.entries[&tip].header.prev_blockhash;
        let mut at = height - 1;
        while self.at(at) != Some(below) {
            branch.push(below);
            below = self.entries[&below].header.prev_blockhash;
            at -= 1;
        }
        self.active.truncate((at + 1 - self.first_height) as usize);
        self.active.extend(branch.into_iter().rev());
    }

    /// A header on `previous`, not mined yet.
    fn next(&self, previous: BlockHash) -> Option<Header> {
        let min_time = self.tree.median_time(&previous)?.plus(1).0;
        // Others put other transactions into it.
        let merkle_root = sha256::Hash::hash(&[previous.as_byte_array().as_slice(), &[1]].concat());
        Some(Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: previous,
            merkle_root: TxMerkleNode::from_byte_array(merkle_root.to_byte_array()),
            time: now_s().max(min_time),
            bits: self.tree.next_bits(&previous)?,
            nonce: 0,
        })
    }

    fn is_active(&self, hash: &BlockHash) -> bool {
        self.entries.get(hash).is_some_and(|entry| self.at(entry.height) == Some(*hash))
    }
}

impl State {
    fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn template(&self) -> Option<Value> {
        let chain = self.chain();
        let tip = chain.tip();
        let hash = tip.header.block_hash();
        let bits = chain.tree.next_bits(&hash)?;
        let min_time = chain.tree.median_time(&hash)?.plus(1).0;
        let fill = &self.fills[chain.fill];
        Some(json!({
            "version": 0x2000_0000,
            "previousblockhash": hash.to_string(),
            "transactions": fill.entries,
            "coinbasevalue": self.params.bitcoin.subsidy_sat(tip.height + 1) + fill.fees.to_sat(),
            "longpollid": self.changes.borrow().to_string(),
            "target": format!("{:x}", bitcoin::Target::from_compact(bits)),
            "mintime": min_time,
            "curtime": now_s().max(min_time),
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
        let chain = self.chain();
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
        let chain = self.chain();
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
        let mut chain = self.chain();
        let median_time = chain.tree.median_time(&block.header.prev_blockhash).map_or(0, |time| time.0);
        Ok(match chain.insert(block.header) {
            Ok(height) => {
                chain.submitted.push(Submitted { height, median_time, block });
                drop(chain);
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
            "getbestblockhash" => Ok(json!(self.chain().tip().header.block_hash().to_string())),
            "getblockchaininfo" => Ok(self.info()),
            "getblockhash" => {
                let height = params.get(0).and_then(Value::as_u64).and_then(|height| u32::try_from(height).ok());
                let hash = height.and_then(|height| self.chain().at(height));
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
    /// Serves a chain, with its cookie in `folder`.
    ///
    /// # Errors
    /// No port is free, the cookie cannot be written, or the headers are no chain.
    pub(super) async fn start(
        params: &ChainParams,
        headers: &Headers,
        fills: Vec<Fill>,
        folder: &Path,
    ) -> io::Result<Self> {
        let chain = Chain::new(params, &headers.root, &headers.above);
        let chain = chain.ok_or_else(|| io::Error::other("the headers are no chain"))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let cookie = folder.join("double.cookie");
        let credentials = Cookie::write(&cookie)?;
        let changes = watch::channel(0).0;
        let state = Arc::new(State { params: params.clone(), fills, chain: Mutex::new(chain), changes });
        let mut server = JoinSet::new();
        server.spawn(http::serve(listener, Arc::clone(&state), credentials));
        Ok(Self { address, cookie, state, _server: server })
    }

    pub(super) fn height(&self) -> u32 {
        self.state.chain().tip().height
    }

    pub(super) fn fills(&self) -> &[Fill] {
        &self.state.fills
    }

    /// Gives the template the next fill.
    pub(super) fn next_template(&self) {
        {
            let mut chain = self.state.chain();
            chain.fill = (chain.fill + 1) % self.state.fills.len();
        }
        self.state.changed();
    }

    /// Replaces the last `depth` blocks by one more, which others found.
    ///
    /// # Errors
    /// The chain is not that long.
    pub(super) async fn reorganize(&self, depth: u32) -> io::Result<()> {
        let state = Arc::clone(&self.state);
        let work = move || {
            let mut previous = {
                let chain = state.chain();
                chain.at(chain.tip().height.checked_sub(depth)?)?
            };
            // The pool may find another block on the old branch meanwhile.
            loop {
                let mut header = state.chain().next(previous)?;
                grind(&mut header);
                previous = header.block_hash();
                let mut chain = state.chain();
                chain.insert(header).ok()?;
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

    /// Whether the pool found this many blocks of the active chain after the halving, and two before it.
    pub(super) fn has_found(&self, blocks: usize) -> bool {
        let chain = self.state.chain();
        let active = |block: &&Submitted| chain.is_active(&block.block.block_hash());
        let (before, after): (Vec<_>, Vec<_>) =
            chain.submitted.iter().filter(active).partition(|block| block.height < HALVING);
        before.len() >= 2 && after.len() >= blocks
    }

    /// The blocks that were submitted, Bitcoin's height, and how many of the blocks it left behind.
    pub(super) fn found(&self) -> (Vec<Submitted>, u32, usize) {
        let chain = self.state.chain();
        let left = chain.submitted.iter().filter(|block| !chain.is_active(&block.block.block_hash())).count();
        (chain.submitted.clone(), chain.tip().height, left)
    }
}

fn now_s() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
}
