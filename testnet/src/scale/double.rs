//! A double of bitcoind for the network `rehearsal`: it serves a given chain of headers, and empty templates on its tip.
//!
//! No bitcoind can have that chain: it begins at a height of today's mainnet with work that a processor does in minutes.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitcoin::block::Header;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{BlockHash, Weight};
use serde_json::{Value, json};
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::{ChainParams, U256};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::embedded::cookie::Cookie;
use crate::embedded::http::{self, Methods};
use crate::embedded::rpc::{RpcFailure, code};
use crate::signet;

/// Time after which a long poll ends without news.
const LONG_POLL: Duration = Duration::from_secs(60);

/// A running double. It stops when dropped.
pub(super) struct Double {
    /// Address of its RPC.
    pub(super) address: SocketAddr,
    /// Its cookie file.
    pub(super) cookie: PathBuf,
    _server: JoinSet<()>,
}

struct Served {
    height: u32,
    chain_work: U256,
    header: Header,
}

/// A chain of headers.
struct Chain {
    headers: Vec<Served>,
    by_hash: HashMap<BlockHash, usize>,
    coinbase_sat: u64,
    next_bits: u32,
    min_time: u32,
}

impl Chain {
    /// The headers of `root`, and those of the best chain above it.
    fn new(params: &ChainParams, root: &Root, bitcoin: &BitcoinHeaders) -> Option<Self> {
        let best = bitcoin.best();
        let tip = best.header.block_hash();
        let at = |height| bitcoin.get(&bitcoin.ancestor(&tip, height)?);
        let above = (root.height + 1..=best.height).map(at).collect::<Option<Vec<_>>>()?;
        let mut chain_work = root.chain_work;
        let mut headers = Vec::new();
        for (height, header) in (0..=root.height).rev().zip(root.headers.iter().rev()) {
            headers.push(Served { height, chain_work, header: *header });
            chain_work = chain_work.checked_sub(work(header))?;
        }
        headers.reverse();
        headers.extend(above.iter().map(|entry| Served {
            height: entry.height,
            chain_work: entry.chain_work,
            header: entry.header,
        }));
        let by_hash = headers.iter().enumerate().map(|(at, served)| (served.header.block_hash(), at)).collect();
        Some(Self {
            headers,
            by_hash,
            coinbase_sat: params.bitcoin.subsidy_sat(best.height + 1),
            next_bits: bitcoin.next_bits(&tip)?.to_consensus(),
            min_time: bitcoin.median_time(&tip)?.plus(1).0,
        })
    }

    fn tip(&self) -> Result<&Served, RpcFailure> {
        self.headers.last().ok_or_else(|| RpcFailure::new(code::INTERNAL, "no chain"))
    }

    fn template(&self) -> Result<Value, RpcFailure> {
        let tip = self.tip()?;
        let bits = bitcoin::CompactTarget::from_consensus(self.next_bits);
        let commitment = signet::witness_commitment([], &signet::RESERVED_VALUE);
        Ok(json!({
            "version": 0x2000_0000,
            "previousblockhash": tip.header.block_hash().to_string(),
            "transactions": [],
            "coinbasevalue": self.coinbase_sat,
            "longpollid": tip.header.block_hash().to_string(),
            "target": format!("{:x}", bitcoin::Target::from_compact(bits)),
            "mintime": self.min_time,
            "curtime": now_s().max(self.min_time),
            "sigoplimit": 80_000,
            "weightlimit": Weight::MAX_BLOCK.to_wu(),
            "bits": format!("{:08x}", self.next_bits),
            "height": tip.height + 1,
            "signet_challenge": signet::CHALLENGE_HEX,
            "default_witness_commitment": commitment.to_hex_string(),
        }))
    }

    fn header(&self, params: &Value) -> Result<Value, RpcFailure> {
        let not_found = || RpcFailure::new(code::NOT_FOUND, "Block not found");
        let hash: BlockHash =
            params.get(0).and_then(Value::as_str).and_then(|text| text.parse().ok()).ok_or_else(not_found)?;
        let Served { height, chain_work, header } =
            self.by_hash.get(&hash).and_then(|at| self.headers.get(*at)).ok_or_else(not_found)?;
        if params.get(1) == Some(&json!(false)) {
            return Ok(json!(serialize_hex(header)));
        }
        Ok(json!({
            "hash": hash.to_string(),
            "confirmations": self.tip()?.height - height + 1,
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

    fn hash_at(&self, params: &Value) -> Result<Value, RpcFailure> {
        let out_of_range = || RpcFailure::new(code::INVALID_PARAMETER, "Block height out of range");
        let first = self.headers.first().map_or(0, |served| served.height);
        let height = params.get(0).and_then(Value::as_u64).and_then(|height| u32::try_from(height).ok());
        let at = height.and_then(|height| height.checked_sub(first)).ok_or_else(out_of_range)?;
        let served = self.headers.get(at as usize).ok_or_else(out_of_range)?;
        Ok(json!(served.header.block_hash().to_string()))
    }

    fn info(&self) -> Result<Value, RpcFailure> {
        let tip = self.tip()?;
        Ok(json!({
            "chain": "signet",
            "blocks": tip.height,
            "headers": tip.height,
            "bestblockhash": tip.header.block_hash().to_string(),
            "initialblockdownload": false,
            "signet_challenge": signet::CHALLENGE_HEX,
        }))
    }
}

impl Methods for Chain {
    async fn call(&self, method: &str, params: &Value) -> Result<Value, RpcFailure> {
        match method {
            "getbestblockhash" => Ok(json!(self.tip()?.header.block_hash().to_string())),
            "getblockchaininfo" => self.info(),
            "getblockhash" => self.hash_at(params),
            "getblockheader" => self.header(params),
            "getnetworkinfo" => Ok(json!({ "version": 290_000, "subversion": "/double/", "connections": 1 })),
            "getblocktemplate" => {
                let request = params.get(0).unwrap_or(&Value::Null);
                if request.get("mode").and_then(Value::as_str) == Some("proposal") {
                    return Ok(Value::Null);
                }
                if request.get("longpollid").is_some() {
                    tokio::time::sleep(LONG_POLL).await;
                }
                self.template()
            }
            // Whether a block is valid cannot be told without its chain.
            "submitblock" => Ok(json!("inconclusive")),
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
        root: &Root,
        bitcoin: &BitcoinHeaders,
        folder: &Path,
    ) -> io::Result<Self> {
        let chain = Chain::new(params, root, bitcoin).ok_or_else(|| io::Error::other("the headers are no chain"))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let cookie = folder.join("double.cookie");
        let credentials = Cookie::write(&cookie)?;
        let mut server = JoinSet::new();
        server.spawn(http::serve(listener, Arc::new(chain), credentials));
        Ok(Self { address, cookie, _server: server })
    }
}

/// Work of a header, hashes.
pub(crate) fn work(header: &Header) -> U256 {
    U256::from_be_bytes(header.work().to_be_bytes())
}

fn now_s() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
}
