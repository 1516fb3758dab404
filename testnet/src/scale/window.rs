//! Makes the share-chain of a full window on the network `rehearsal`, once, and keeps it for later runs.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{SystemTime, UNIX_EPOCH};

use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::hashes::Hash;
use bitcoin::hex::DisplayHex;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode};
use node::store::{SCHEMA, Store};
use node_core::engine::Engine;
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::chain::Chain;
use sharechain::{ChainParams, Timestamp, U256};

use super::pool::{Find, Miners, Pool, PoolError, mine_block};
use crate::double::{grind, work};

/// Seconds between Bitcoin's blocks.
const BLOCK_S: u32 = 600;

/// Links above those that hold the window's proofs: the window ends at a snapshot, 13 Bitcoin blocks and 18 links deep,
/// below an anchor that is 60 links deep.
const LINKS_ABOVE: u32 = 1_000;

/// Links for each block of the pool, by their work.
const LINKS_A_BLOCK: u32 = 1 << 13;

/// Mined Bitcoin blocks that wait for the pool.
const BLOCKS_AHEAD: usize = 64;

/// Options of the window.
#[derive(Clone, Copy, Debug)]
pub struct WindowOptions {
    /// Links of the share-chain, each with 31 shares before it.
    pub links: u32,
    /// Payout scripts that earn, unequally.
    pub scripts: u64,
}

/// A chain on disk.
pub(super) struct Made {
    /// Folder of its database.
    pub(super) store: PathBuf,
    /// Root of its Bitcoin headers.
    pub(super) root: Root,
    /// The headers above.
    pub(super) above: Vec<Header>,
}

impl WindowOptions {
    /// A chain whose newest window has this many proofs.
    #[must_use]
    pub fn of_proofs(proofs: u64, scripts: u64) -> Self {
        let a_link = u64::from(ChainParams::rehearsal().shares_per_link);
        let links = u32::try_from(proofs / a_link).unwrap_or(u32::MAX).saturating_add(LINKS_ABOVE);
        Self { links, scripts }
    }
}

/// Returns the chain from `cache`, or makes it there, with progress on `progress`.
///
/// # Errors
/// The disk fails, or the node does not accept a proof.
pub(super) fn make(options: WindowOptions, cache: &Path, progress: &mut impl Write) -> Result<Made, PoolError> {
    let params = ChainParams::rehearsal();
    let id = params.consensus_id();
    let name = format!("{}-{SCHEMA}-{}-{}", id[..8].as_hex(), options.links, options.scripts);
    fs::create_dir_all(cache)?;
    // Two runs that need the same chain make it only once. Dropping the file releases the lock.
    let making = fs::File::create(cache.join(format!("{name}.lock")))?;
    making.lock()?;
    let folder = cache.join(name);
    let finished = folder.join("bitcoin");
    if !finished.exists() {
        // Removes the remains of an interrupted run.
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        fs::create_dir_all(&folder)?;
        let headers = mine(options, &folder.join("store"), progress)?;
        let aside = folder.join("bitcoin.new");
        fs::write(&aside, headers.iter().flat_map(serialize).collect::<Vec<u8>>())?;
        fs::rename(aside, &finished)?;
    }
    let bytes = fs::read(&finished)?;
    let headers = bytes.chunks(80).map(deserialize::<Header>).collect::<Result<Vec<_>, _>>();
    let headers = headers.map_err(|_| PoolError::Nothing)?;
    let (below, above) = headers.split_at_checked(root_headers(&params)).ok_or(PoolError::Nothing)?;
    Ok(Made { store: folder.join("store"), root: root_of(&params, below.to_vec()), above: above.to_vec() })
}

/// Number of headers that the root needs, so that payouts of the first proofs follow from them too.
pub(crate) fn root_headers(params: &ChainParams) -> usize {
    let needed = Root::headers_needed(params.bitcoin.start_height - 1, &params.bitcoin);
    needed.max(params.snapshot_bitcoin_depth + 1) as usize
}

/// The root with these headers, as if all below had the work of the last.
pub(crate) fn root_of(params: &ChainParams, headers: Vec<Header>) -> Root {
    let height = params.bitcoin.start_height - 1;
    let each = headers.last().map_or(U256::ZERO, work);
    Root { height, chain_work: each.saturating_mul(U256::from(height)), headers }
}

/// Mines the headers of the root, the last of them at `time`.
fn mine_root(params: &ChainParams, time: Timestamp) -> Root {
    let count = u32::try_from(root_headers(params)).unwrap_or(u32::MAX);
    let mut headers: Vec<Header> = Vec::new();
    for below in (0..count).rev() {
        let mut header = Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: headers.last().map_or(BlockHash::all_zeros(), Header::block_hash),
            merkle_root: TxMerkleNode::from_byte_array([1; 32]),
            time: time.0 - below * BLOCK_S,
            bits: CompactTarget::from_consensus(params.bitcoin.pow_limit_bits),
            nonce: 0,
        };
        grind(&mut header);
        headers.push(header);
    }
    root_of(params, headers)
}

/// Mines the pool's life into a database, and returns all Bitcoin headers.
fn mine(options: WindowOptions, folder: &Path, progress: &mut impl Write) -> Result<Vec<Header>, PoolError> {
    let params = ChainParams::rehearsal();
    let life_s = options.links * params.link_interval_s;
    // The last link is a minute old.
    let start = Timestamp(now().0 - life_s - 60);
    let root = mine_root(&params, start);
    let bitcoin = BitcoinHeaders::new(&params.bitcoin, &root).map_err(|_| PoolError::Nothing)?;
    let blocks = mine_ahead(bitcoin.clone(), start, life_s / BLOCK_S);
    let store = Arc::new(Store::open(folder, params.consensus_id())?);
    let pool = Pool::new(Engine::open(Chain::new(params, bitcoin), Arc::clone(&store), start)?, start);
    let above = find_all(pool, options, &blocks, progress)?;
    store.flush()?;
    Ok(root.headers.into_iter().chain(above).collect())
}

/// Mines Bitcoin's blocks on its own thread, which ends when the receiver is gone.
fn mine_ahead(mut bitcoin: BitcoinHeaders, start: Timestamp, count: u32) -> Receiver<Header> {
    let (found, blocks) = sync_channel(BLOCKS_AHEAD);
    std::thread::spawn(move || {
        for number in 1..=count {
            let time = Timestamp(start.0 + number * BLOCK_S);
            let Ok(header) = mine_block(&bitcoin, time) else { return };
            if bitcoin.insert(header, time).is_err() || found.send(header).is_err() {
                return;
            }
        }
    });
    blocks
}

/// All links at their interval, each with its shares before it. Returns the Bitcoin blocks found meanwhile.
fn find_all(
    mut pool: Pool,
    options: WindowOptions,
    blocks: &Receiver<Header>,
    progress: &mut impl Write,
) -> Result<Vec<Header>, PoolError> {
    let (links, start) = (options.links, pool.now);
    let ChainParams { link_interval_s, shares_per_link, .. } = ChainParams::rehearsal();
    let (mut headers, mut next_block) = (Vec::new(), start.plus(BLOCK_S));
    for link in 1..=links {
        pool.now = Timestamp(start.0 + link * link_interval_s);
        while next_block <= pool.now
            && let Ok(header) = blocks.recv()
        {
            pool.take_block(header)?;
            headers.push(header);
            next_block = next_block.plus(BLOCK_S);
        }
        let what = if link.is_multiple_of(LINKS_A_BLOCK) { Find::Block } else { Find::Link };
        pool.find_link(Miners { first: 0, count: options.scripts }, shares_per_link - 1, what)?;
        pool.tick()?;
        if link.is_multiple_of(links.div_ceil(20)) {
            let (percent, proofs) = (u64::from(link) * 100 / u64::from(links), pool.proofs() / 1_000);
            writeln!(progress, "making the window: {percent}%, {proofs} thousand proofs")?;
        }
    }
    Ok(headers)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u32::try_from(since.as_secs()).unwrap_or(u32::MAX))
}
