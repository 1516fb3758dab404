//! A rehearsal of mainnet: nodes and miners on the network `rehearsal`, main's constants with easy work, around Bitcoin's next
//! halving at block 1,050,000, with full templates, fee spikes and reorganizations of six blocks.
//!
//! ```text
//! headers.rs  Bitcoin's headers up to the rehearsal
//! month.rs    a month of Bitcoin's blocks, in simulated time
//! judge.rs    Bitcoin Core's own functions, as a program
//! ```
//!
//! The double takes every block whose header is valid. Whether bitcoind would have taken it is for Bitcoin Core's own
//! functions to say: the tests `rehearsal::` of whole networks ask them about each block that the nodes submitted.

mod headers;
mod judge;
mod month;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::{KnownHrp, OutPoint, TxOut};
use sharechain::ChainParams;
use tokio::task::JoinSet;

pub use self::judge::{Core, Judged};
pub use self::month::{Month, MonthError, run as month};
pub use crate::double::{Fill, Submitted};

use self::headers::Headers;
use crate::double::Double;
use crate::miner;
use crate::network::payout_address;
use crate::scale::{Node, SyncError};

/// Bitcoin's block at which the subsidy halves.
pub const HALVING: u32 = 1_050_000;

/// Height of the tip at the start.
pub const START: u32 = HALVING - 10;

/// Heights after which the last six blocks are replaced: the first time the halving is among them.
const REORGANIZED: [u32; 2] = [HALVING + 3, HALVING + 9];

/// Depth of a reorganization, blocks.
const DEPTH: u32 = 6;

/// Time that a template lasts, unless a block comes first.
const TEMPLATE: Duration = Duration::from_millis(1_500);

/// Time after which others find a block.
const OTHERS: Duration = Duration::from_secs(6);

/// Hashes per second of the miners whose shares make links: the first ones take 128 hashes.
const SHARES_HS: f64 = 60.0;

/// Hashes per second of the miners that send blocks alone: a block of 2^20 hashes in five seconds or so. With all their
/// shares, a share-chain that begins at 4 hashes a share would get 50,000 a second.
const BLOCKS_HS: f64 = 100_000.0;

/// Longest time for a rehearsal, and what each block adds to it.
const PATIENCE: [Duration; 2] = [Duration::from_secs(300), Duration::from_secs(20)];

/// What came of a rehearsal.
#[derive(Debug)]
pub struct Rehearsed {
    /// Every block that nodes submitted, in order of arrival.
    pub submitted: Vec<Submitted>,
    /// Outputs that transactions of the templates spend.
    pub coins: Vec<(OutPoint, TxOut)>,
    /// Bitcoin's height in the end.
    pub height: u32,
    /// Blocks of the pool that reorganizations left behind.
    pub left: usize,
    /// Hashes of the pool's blocks that each node knows in the end, sorted.
    pub known: Vec<Vec<String>>,
    /// The share-chain's tip at each node in the end.
    pub tips: Vec<String>,
}

/// Rehearses with the program `shoal` until the pool found this many blocks after the halving, both
/// reorganizations have passed, and all nodes agree.
///
/// # Errors
/// A node ends or does not start, or the time is up.
pub async fn run(shoal: &Path, blocks: usize, folder: &Path) -> Result<Rehearsed, SyncError> {
    let params = ChainParams::rehearsal();
    let Headers { root, above } = headers::until(&params, START)?;
    let double = Double::start(&params, (&root, &above), Fill::all(), folder).await?;
    let mut nodes = Vec::new();
    for name in ["first", "second"] {
        let peers: Vec<String> = nodes.iter().map(Node::multiaddress).collect();
        let mut node = Node::start((shoal, name), folder.join(name), (double.address, &double.cookie), &peers).await?;
        node.first_job().await?;
        nodes.push(node);
    }
    let miners = mine(&nodes);
    let deadline = Instant::now() + PATIENCE[0] + PATIENCE[1] * u32::try_from(blocks).unwrap_or(u32::MAX);
    drive(&double, blocks, deadline).await?;
    drop(miners);
    let tips = agreed(&nodes, deadline).await?;
    let mut known = Vec::new();
    for node in &nodes {
        let mut hashes = node.client().block_hashes().await?;
        hashes.sort();
        known.push(hashes);
    }
    let (submitted, height, left) = double.found();
    let coins = double.fills().iter().flat_map(|fill| fill.coins.iter().cloned()).collect();
    for node in &mut nodes {
        node.stop().await?;
    }
    Ok(Rehearsed { submitted, coins, height, left, known, tips })
}

/// Two miners at each node.
fn mine(nodes: &[Node]) -> JoinSet<()> {
    let mut miners = JoinSet::new();
    for (number, node) in nodes.iter().enumerate() {
        for (hashrate, blocks_only) in [(SHARES_HS, false), (BLOCKS_HS, true)] {
            let config = miner::Config {
                server: node.stratum(),
                users: vec![format!("{}.rehearsal", payout_address(number, KnownHrp::Testnets))],
                hashrate,
                delay_ms: 0,
                agent: "rehearsal/1".to_owned(),
                blocks_only,
            };
            miners.spawn(miner::run(config, Arc::default()));
        }
    }
    miners
}

/// Changes templates, finds others' blocks and replaces blocks until enough is found.
async fn drive(double: &Double, blocks: usize, deadline: Instant) -> Result<(), SyncError> {
    let mut reorganizations = REORGANIZED.iter();
    let mut next = reorganizations.next();
    let (mut height, mut since) = (START, Instant::now());
    let mut template = Instant::now();
    let has_enough = || matches!(double.has_found(HALVING), [below, above] if below >= 2 && above >= blocks);
    while next.is_some() || !has_enough() {
        if Instant::now() > deadline {
            return Err(io::Error::other(format!("the rehearsal got no further than block {}", double.height())).into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        if double.height() != height {
            (height, since) = (double.height(), Instant::now());
        }
        if next.is_some_and(|at| height >= *at) {
            double.reorganize(DEPTH).await?;
            next = reorganizations.next();
        } else if since.elapsed() > OTHERS {
            double.reorganize(0).await?;
        } else if template.elapsed() > TEMPLATE {
            double.next_template();
            template = Instant::now();
        }
    }
    Ok(())
}

/// Waits until all nodes have one tip, and returns it for each.
async fn agreed(nodes: &[Node], deadline: Instant) -> Result<Vec<String>, SyncError> {
    loop {
        let mut tips = Vec::new();
        for node in nodes {
            tips.push(node.client().status().await?.tip);
        }
        if tips.windows(2).all(|pair| pair[0] == pair[1]) || Instant::now() > deadline {
            return Ok(tips);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
