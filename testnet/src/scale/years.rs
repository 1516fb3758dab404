//! `shoal-testnet bench years`: what a node keeps, in memory and on disk, over years of its pool's life.
//!
//! The pool runs at a fraction of main's rate, with the same fraction of its window, so that the same days lie in it.
//! Miners come and go: each day some scripts are never seen again, and as many are new.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use node::store::Store;
use node_core::engine::Engine;
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::chain::Chain;
use sharechain::{BitcoinParams, ChainParams, Timestamp, U256, Weight};

use super::pool::{Find, Miners, Pool, PoolError};
use super::{disk_bytes, resident_bytes};

/// Proofs per link interval that main's rules aim for.
const MAIN_PROOFS_A_LINK: u32 = 32;

/// Days in a month, for the rows of the output.
const MONTH_DAYS: u32 = 30;

/// When the simulation begins: the time of the years does not matter.
const START: Timestamp = Timestamp(1_800_000_000);

/// Number of scripts that earn at a time; one in a hundred is replaced each day.
const MINERS: u64 = 2_000;

/// Options of the simulation.
#[derive(Clone, Copy, Debug)]
pub struct YearsOptions {
    /// Simulated days.
    pub days: u32,
    /// Main's rate and window are divided by this.
    pub fraction: u32,
}

/// A node's state at the end of a month, or of a day.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Month {
    /// Simulated days so far.
    pub days: u32,
    /// Resident memory of the process, bytes.
    pub rss_bytes: u64,
    /// Size of the database, bytes.
    pub disk_bytes: u64,
    /// Height of the share-chain.
    pub links: u32,
    /// Links in memory.
    pub links_kept: u32,
    /// Scripts in memory.
    pub scripts: usize,
    /// Duration of its simulation, seconds.
    pub took_s: f64,
}

/// The result.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Years {
    /// Proofs that were found and checked.
    pub proofs: u64,
    /// Main's rate and window were divided by this.
    pub fraction: u32,
    /// One row for each month; for each day if there is no whole month.
    pub months: Vec<Month>,
    /// Seconds from opening the database to a chain that can hand out work.
    pub restart_s: f64,
}

impl YearsOptions {
    /// Proofs for each link, itself included: at least one share beside it.
    fn proofs_a_link(&self) -> u32 {
        (MAIN_PROOFS_A_LINK / self.fraction.max(1)).max(2)
    }

    /// Seconds between links, so that the rate is the fraction of main's.
    fn link_interval_s(&self) -> u32 {
        ChainParams::main().link_interval_s * self.fraction * self.proofs_a_link() / MAIN_PROOFS_A_LINK
    }
}

/// Rules of the pool: main's depths, with easy work and a fraction of its rate and window.
fn params(options: YearsOptions) -> ChainParams {
    let (main, fraction) = (ChainParams::main(), options.fraction);
    ChainParams {
        name: "years",
        bitcoin: BitcoinParams {
            network: bitcoin::Network::Regtest,
            // 1,024 hashes a block, from the first period on: few links are blocks, as on main. A period is 16 blocks,
            // measured over 15 intervals.
            pow_limit_bits: 0x1f3f_ffff,
            retarget_blocks: 16,
            retarget_timespan_s: 15 * 600,
            start_height: 1,
            min_block_work: 1 << 10,
            ..main.bitcoin
        },
        link_interval_s: options.link_interval_s(),
        first_link_target: U256::MAX >> 4,
        easiest_share_target: U256::MAX >> 2,
        window_weight: Weight(u128::MAX >> 1),
        window_proofs: main.window_proofs / u64::from(fraction),
        listed_before_payouts: main.listed_before_payouts / u64::from(fraction),
        ..main
    }
}

fn opened(
    folder: &Path,
    options: YearsOptions,
    headers: Option<BitcoinHeaders>,
    now: Timestamp,
) -> Result<Engine<Store>, PoolError> {
    let params = params(options);
    let headers = match headers {
        Some(headers) => headers,
        None => {
            BitcoinHeaders::new(&params.bitcoin, &Root::genesis(&params.bitcoin)).map_err(|_| PoolError::Nothing)?
        }
    };
    let store = Arc::new(Store::open(folder, params.consensus_id())?);
    Ok(Engine::open(Chain::new(params, headers), store, now)?)
}

/// Runs the years in a folder, and shows each row on `progress`.
///
/// # Errors
/// The disk fails, or the node does not accept a proof.
pub fn run(options: YearsOptions, folder: &Path, progress: &mut impl Write) -> Result<Years, PoolError> {
    let YearsOptions { days, fraction } = options;
    let mut pool = Pool::new(opened(folder, options, None, START)?, START);
    let mut years = Years { proofs: 0, fraction, months: Vec::new(), restart_s: 0.0 };
    let mut began = Instant::now();
    for day in 0..days {
        a_day(&mut pool, day, options)?;
        years.proofs = pool.proofs();
        if (day + 1).is_multiple_of(if days < MONTH_DAYS { 1 } else { MONTH_DAYS }) {
            let chain = pool.engine.chain();
            let month = Month {
                days: day + 1,
                rss_bytes: resident_bytes(),
                disk_bytes: disk_bytes(folder)?,
                links: chain.height().0,
                links_kept: chain.height().above(chain.bottom()),
                scripts: chain.scripts().len(),
                took_s: began.elapsed().as_secs_f64(),
            };
            began = Instant::now();
            let Month { days: number, rss_bytes, disk_bytes, links, scripts, took_s, .. } = month;
            let (rss, disk) = (rss_bytes / 1_000_000, disk_bytes / 1_000_000);
            writeln!(
                progress,
                "day {number}: {rss} MB in memory, {disk} MB on disk, {links} links, {scripts} scripts, {took_s:.1} s"
            )?;
            years.months.push(month);
        }
    }
    let headers = pool.engine.chain().bitcoin().clone();
    let (tip, now) = (pool.engine.chain().tip(), pool.now);
    drop(pool);
    let began = Instant::now();
    let again = opened(folder, options, Some(headers), now)?;
    years.restart_s = began.elapsed().as_secs_f64();
    if again.chain().tip() == tip { Ok(years) } else { Err(PoolError::Nothing) }
}

/// One day: links at their interval, each with its shares before it, and a Bitcoin block every ten minutes.
fn a_day(pool: &mut Pool, day: u32, options: YearsOptions) -> Result<(), PoolError> {
    const DAY_S: u32 = 86_400;
    const BLOCK_S: u32 = 600;
    let start = Timestamp(START.0 + day * DAY_S);
    let (interval_s, proofs_a_link) = (options.link_interval_s(), options.proofs_a_link());
    let miners = Miners { first: MINERS / 100 * u64::from(day), count: MINERS };
    let mut next_block = start;
    for link in 0..DAY_S / interval_s {
        pool.now = Timestamp(start.0 + link * interval_s);
        while next_block <= pool.now {
            pool.bitcoin_block()?;
            next_block = next_block.plus(BLOCK_S);
        }
        // A pool with 0.7% of Bitcoin's hashrate finds a block a day.
        let what = if link == 0 { Find::Block } else { Find::Link };
        pool.find_link(miners, proofs_a_link - 1, what)?;
        // The node ticks twice a second, and forgets a bounded number of records each time.
        for _ in 0..proofs_a_link.div_ceil(16) {
            pool.tick()?;
        }
    }
    Ok(())
}
