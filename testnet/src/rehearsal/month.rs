//! `shoal-testnet bench month`: a month of Bitcoin's blocks around the halving in simulated time, with a daily reorganization and every
//! kind of template. Shares are thinned to 1/32, so that one comes with each link. Links, targets, blocks, payouts and the store are a
//! node's own, and every proof has its full work. Bitcoin Core judges each block that the pool finds.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bitcoin::consensus::encode::deserialize;
use bitcoin::{Block, BlockHash, ScriptBuf};
use node::store::{Store, StoreError};
use node_core::engine::Engine;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::{Chain, ChainParams, Timestamp};

use super::headers::{self, Headers};
use super::judge::{Core, Judged};
use super::{Fill, HALVING, Submitted};
use crate::scale::{Find, Found, Miners, Pool, PoolError};

/// Shares with each link: 1/32 of main's 31, rounded up.
const SHARES: u32 = 1;

/// Mean time between Bitcoin's blocks, seconds. It is below Bitcoin's 600, so that the difficulty rises.
const BLOCK_S: f64 = 550.0;

/// The pool finds every 13th block. That is no multiple of the six kinds of templates, so it finds blocks of every kind.
const POOL_BLOCK_EVERY: u32 = 13;

/// Blocks between two reorganizations. All depths up to [`DEPTH_MAX`] take turns.
const REORGANIZED_EVERY: u32 = 144;

/// The deepest reorganization, blocks. One of them crosses the halving.
const DEPTH_MAX: u32 = 6;

/// Scripts that earn at the same time. Each day, one in fifty is replaced.
const MINERS: u64 = 1_000;

/// Blocks between two lines of progress.
const PROGRESS_EVERY: u32 = 144;

/// Why the month ended early.
#[derive(Debug, thiserror::Error)]
pub enum MonthError {
    /// The pool cannot continue.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The disk fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A block is not valid, or a file or a process fails.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The result.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Month {
    /// Bitcoin's height at the start.
    pub start: u32,
    /// Bitcoin's height in the end.
    pub end: u32,
    /// Simulated seconds.
    pub simulated_s: u32,
    /// Seconds that it took here.
    pub took_s: f64,
    /// Links of the share-chain.
    pub links: u32,
    /// Proofs that were found and checked.
    pub proofs: u64,
    /// Blocks that the pool found, each of which Bitcoin Core found valid: its coinbase pays subsidy and fees, to the satoshi.
    pub blocks: u32,
    /// Those of them at or above the halving.
    pub blocks_after_halving: u32,
    /// Those of them that pay others than their finder.
    pub shared: u32,
    /// Those of them that reorganizations left behind.
    pub left: u32,
    /// Reorganizations by depth, from one block on.
    pub reorganizations: [u32; DEPTH_MAX as usize],
    /// Changes of Bitcoin's difficulty.
    pub retargets: u32,
    /// Shortest and longest time between two of Bitcoin's blocks, seconds.
    pub block_s: [u32; 2],
    /// The heaviest block of the pool, weight units.
    pub weight_max: u64,
    /// The largest cost in signature operations.
    pub sigops_max: u64,
    /// The highest fees of a block, satoshi.
    pub fees_max: u64,
    /// Sum that all these blocks pay, satoshi.
    pub paid: u64,
}

/// The pool in its month.
struct Run<'a> {
    pool: Pool,
    fills: Vec<Fill>,
    core: &'a mut Core,
    rng: ChaCha8Rng,
    began: Timestamp,
    /// When the next link is found.
    next_link: Timestamp,
    link_interval_s: u32,
    /// Hashes of the pool's blocks.
    found: Vec<BlockHash>,
    month: Month,
}

/// Runs this many of Bitcoin's blocks, the halving after the first third of them, with the node's database in `folder`.
///
/// # Errors
/// The node or Bitcoin Core does not accept something, or the disk fails.
pub fn run(blocks: u32, core: &Path, folder: &Path, progress: &mut impl Write) -> Result<Month, MonthError> {
    let took = Instant::now();
    let fills = Fill::all();
    let mut core = Core::start(core, fills.iter().flat_map(|fill| &fill.coins))?;
    let mut run = Run::new(HALVING - blocks / 3, fills, &mut core, folder)?;
    let end = run.month.start + blocks;
    let mut shown = run.month.start;
    while run.height() < end {
        run.next_block()?;
        if run.height() >= shown + PROGRESS_EVERY {
            shown = run.height();
            let (done, found, took_s) = (shown - run.month.start, run.month.blocks, took.elapsed().as_secs());
            writeln!(progress, "{done} of {blocks} blocks, {found} of the pool, all valid; {took_s} s")?;
        }
    }
    let mut month = run.end();
    month.took_s = took.elapsed().as_secs_f64();
    Ok(month)
}

impl<'a> Run<'a> {
    fn new(start: u32, fills: Vec<Fill>, core: &'a mut Core, folder: &Path) -> Result<Self, MonthError> {
        let params = ChainParams::rehearsal();
        let Headers { root, above } = headers::until(&params, start)?;
        let mut bitcoin = BitcoinHeaders::new(&params.bitcoin, &root).map_err(|_| PoolError::Nothing)?;
        for header in &above {
            bitcoin.insert(*header, Timestamp(header.time)).map_err(|_| PoolError::Nothing)?;
        }
        let began = Timestamp(bitcoin.best().header.time);
        let link_interval_s = params.link_interval_s;
        let store = Arc::new(Store::open(folder, params.consensus_id())?);
        let engine = Engine::open(Chain::new(params, bitcoin), store, began)?;
        let month = Month { start, block_s: [u32::MAX, 0], ..Month::default() };
        let mut pool = Pool::new(engine, began);
        let Fill { transactions, fees, .. } = &fills[0];
        pool.fill(transactions.clone(), *fees);
        let (rng, next_link) = (ChaCha8Rng::seed_from_u64(1), began.plus(link_interval_s));
        Ok(Self { pool, fills, core, rng, began, next_link, link_interval_s, found: Vec::new(), month })
    }

    fn height(&self) -> u32 {
        self.pool.engine.chain().bitcoin().best().height
    }

    fn miners(&self) -> Miners {
        let day = u64::from((self.pool.now.0 - self.began.0) / 86_400);
        Miners { first: MINERS / 50 * day, count: MINERS }
    }

    /// Finds links and shares until Bitcoin's next block, then that block, and changes the template.
    fn next_block(&mut self) -> Result<(), MonthError> {
        // Exponential: some blocks are seconds apart, some more than an hour.
        let interval_s = (-BLOCK_S * (1.0 - self.rng.random::<f64>()).ln()) as u32;
        let at = self.pool.now.plus(interval_s);
        while self.next_link <= at {
            self.pool.now = self.next_link;
            self.pool.find_link(self.miners(), SHARES, Find::Link)?;
            self.pool.tick()?;
            self.next_link = self.next_link.plus(self.link_interval_s);
        }
        self.pool.now = at;
        let [shortest, longest] = self.month.block_s;
        self.month.block_s = [shortest.min(interval_s), longest.max(interval_s)];
        let bits = self.pool.engine.chain().bitcoin().best().header.bits;
        self.find_block()?;
        self.month.retargets += u32::from(self.pool.engine.chain().bitcoin().best().header.bits != bits);
        let fill = self.height() as usize % self.fills.len();
        let Fill { transactions, fees, .. } = &self.fills[fill];
        self.pool.fill(transactions.clone(), *fees);
        Ok(())
    }

    fn find_block(&mut self) -> Result<(), MonthError> {
        let above = self.height() + 1 - self.month.start;
        // Each reorganization leaves at least one block of the pool behind.
        let depth = match above / REORGANIZED_EVERY % DEPTH_MAX + 1 {
            _ if self.height() + 1 == HALVING + 3 => Some(DEPTH_MAX),
            depth if above.is_multiple_of(REORGANIZED_EVERY) => Some(depth),
            _ => None,
        };
        if depth.is_none() && !(self.height() + 1).is_multiple_of(POOL_BLOCK_EVERY) {
            return Ok(self.pool.bitcoin_block()?);
        }
        let found = self.pool.find_link(self.miners(), 0, Find::Block)?;
        self.judge(&found)?;
        self.pool.take_block(found.header)?;
        if let Some(depth) = depth {
            self.pool.reorganize(depth)?;
            self.month.reorganizations[depth as usize - 1] += 1;
        }
        Ok(())
    }

    /// Lets Bitcoin Core judge a block of the pool.
    fn judge(&mut self, found: &Found) -> Result<(), MonthError> {
        let block: Block = deserialize(&found.block()).map_err(io::Error::other)?;
        let bitcoin = self.pool.engine.chain().bitcoin();
        let median_time = bitcoin.median_time(&block.header.prev_blockhash).ok_or(PoolError::Nothing)?.0;
        let payees: BTreeSet<&ScriptBuf> =
            block.txdata[0].output.iter().filter(|out| out.value.to_sat() > 0).map(|out| &out.script_pubkey).collect();
        let shared = payees.len() > 1;
        let (height, hash) = (found.height(), block.block_hash());
        let Judged { weight, sigops, fees, subsidy, paid } =
            self.core.judge(&Submitted { height, median_time, block })?;
        let halvings = u32::from(height >= HALVING);
        if subsidy != 312_500_000 >> halvings {
            return Err(io::Error::other(format!("the subsidy of block {height} is {subsidy} sat")).into());
        }
        let month = &mut self.month;
        month.blocks += 1;
        month.blocks_after_halving += halvings;
        month.shared += u32::from(shared);
        month.weight_max = month.weight_max.max(weight);
        month.sigops_max = month.sigops_max.max(sigops);
        month.fees_max = month.fees_max.max(fees);
        month.paid += paid;
        self.found.push(hash);
        Ok(())
    }

    fn end(mut self) -> Month {
        let chain = self.pool.engine.chain();
        let bitcoin = chain.bitcoin();
        let tip = bitcoin.best().header.block_hash();
        let is_active = |hash: &&BlockHash| {
            bitcoin.get(hash).and_then(|known| bitcoin.ancestor(&tip, known.height)) == Some(**hash)
        };
        let active = self.found.iter().filter(is_active).count();
        self.month.left = (self.found.len() - active) as u32;
        self.month.end = bitcoin.best().height;
        self.month.simulated_s = self.pool.now.0 - self.began.0;
        self.month.links = chain.height().0;
        self.month.proofs = self.pool.proofs();
        self.month
    }
}
