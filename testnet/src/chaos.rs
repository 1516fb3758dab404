//! `shoal-testnet chaos`: two nodes on two real bitcoinds, with a fault every few seconds, and what must hold all the same: no
//! block is lost that bitcoind would have taken, no device is without a word for long, and in the end there is one tip.
//!
//! ```text
//! scene.rs   bitcoinds, nodes and miners, and the lines between them
//! fault.rs   the kinds of faults, and how they are drawn
//! clock.rs   wrong clocks
//! words.rs   devices that listen for words
//! judge.rs   what must hold
//! ```

mod clock;
mod fault;
mod judge;
mod scene;
mod words;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use tokio::time::{Instant, sleep};
use tracing::info;

pub use clock::clock_off;
pub use scene::enter_namespaces;

use crate::bitcoind::BitcoindError;
use crate::network::{NodeError, ProcessError};
use crate::rpc::RpcError;
use fault::{Bag, Fault};
use scene::Scene;
use words::Listener;

/// Pause between two faults, in which everything must recover somewhat: a device is told within a second of a node's start.
const PAUSE: Duration = Duration::from_secs(4);

/// The longest time without a word to a device: the grace of 30 s, and half of it for what a start takes.
const SILENCE_MAX: Duration = Duration::from_secs(45);

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Seed of the faults' sequence.
    pub seed: u64,
    /// How long faults happen. A round of all kinds is completed in any case.
    pub time: Duration,
    /// Folder of all files.
    pub dir: PathBuf,
    /// Size of the disk of each node's data, MiB.
    pub disk_mib: u32,
}

/// What happened.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Seed of the faults' sequence.
    pub seed: u64,
    /// How long faults happened, seconds.
    pub seconds: u64,
    /// Number of faults of each kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Bitcoin blocks that miners found and their nodes accepted.
    pub blocks_found: usize,
    /// Those of them that no bitcoind knows.
    pub blocks_lost: Vec<String>,
    /// The longest time without a word to a device of each node, seconds.
    pub silence_s: Vec<f64>,
    /// Shares that the miners' nodes accepted.
    pub accepted: usize,
    /// Tips of the share-chain and of Bitcoin in the end.
    pub tips: Vec<String>,
    /// What did not hold, in sentences.
    pub broken: Vec<String>,
}

/// An error of the drill itself, or what did not hold.
#[derive(Debug, thiserror::Error)]
pub enum ChaosError {
    /// A file or a process failed.
    #[error("the drill cannot go on")]
    Io(#[from] io::Error),
    /// A bitcoind does not start.
    #[error(transparent)]
    Bitcoind(#[from] BitcoindError),
    /// A bitcoind does not answer although it should.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The program of the node is missing.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A process does not start.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Something that the drill waits for did not happen.
    #[error("{0} did not happen in time; see {path}", path = .1.display())]
    Late(&'static str, PathBuf),
    /// What must hold did not.
    #[error("what must hold did not: {0}")]
    Broken(String),
}

/// Runs the drill.
///
/// # Errors
/// [`ChaosError`], but not [`ChaosError::Broken`], which the outcome tells.
pub async fn run(options: Options) -> Result<Outcome, ChaosError> {
    let mut scene = Scene::start(&options.dir, options.disk_mib).await?;
    let listeners: Vec<_> = scene.stratum().into_iter().map(Listener::start).collect();
    let mut bag = Bag::new(ChaCha8Rng::seed_from_u64(options.seed));
    let mut faults: BTreeMap<_, u64> = Fault::ALL.iter().map(|fault| (fault.name(), 0)).collect();
    let began = Instant::now();
    while began.elapsed() < options.time || faults.values().any(|count| *count == 0) {
        let (fault, place) = bag.draw();
        info!(fault = fault.name(), place, "a fault");
        fault.happen(&mut scene, place).await?;
        faults.entry(fault.name()).and_modify(|count| *count += 1);
        scene.write_chains().await?;
        sleep(PAUSE).await;
    }
    let seconds = began.elapsed().as_secs();
    let (tips, mut broken) = judge::until_one_tip(&scene).await?;
    let silence: Vec<_> = listeners.into_iter().map(Listener::longest).collect();
    scene.stop_miners().await;
    let found = judge::Found::read(&scene).await?;
    let blocks_lost = found.lost(&scene).await?;
    broken.extend(judge::sentences(&found, &blocks_lost, &silence, SILENCE_MAX));
    scene.stop().await;
    Ok(Outcome {
        seed: options.seed,
        seconds,
        faults,
        blocks_found: found.blocks.len(),
        blocks_lost,
        silence_s: silence.iter().map(Duration::as_secs_f64).collect(),
        accepted: found.accepted,
        tips,
        broken,
    })
}
