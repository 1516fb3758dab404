//! Measures of a node over years and over a full window: real proofs of easy work, the real store and the real rules.
//!
//! ```text
//! pool.rs     a pool of miners that finds proofs for one engine
//! years.rs    `shoal-testnet bench years`: memory and disk by month
//! window.rs   the share-chain of a full window, made once
//! process.rs  Linux's data of a process
//! sync.rs     `shoal-testnet bench sync`: a fresh node joins the pool
//! load.rs     the load of many miners, in its own process
//! stratum.rs  `shoal-testnet bench stratum`: a node with many miners
//! ```

mod load;
mod pool;
mod process;
mod stratum;
mod sync;
mod window;
mod years;

use std::io;
use std::path::Path;

pub use load::{LoadArgs, Protocol, run as run_load};
pub use pool::PoolError;
pub(crate) use pool::{Find, Found, Miners, Pool};
pub use stratum::{StratumBench, StratumError, StratumOptions, run as stratum};
pub(crate) use sync::Node;
pub use sync::{SyncBench, SyncError, run as sync, serve};
pub use window::WindowOptions;
pub(crate) use window::{root_headers, root_of};
pub use years::{Month, Years, YearsOptions, run as years};

/// Resident memory of this process, bytes.
fn resident_bytes() -> u64 {
    let Ok(mut system) = sysinfo::System::new() else { return 0 };
    let id = sysinfo::Pid::from_u32(std::process::id());
    system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[id]), true);
    system.process(id).map_or(0, sysinfo::Process::memory)
}

/// Size of all files below a folder, bytes.
fn disk_bytes(folder: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        // RocksDB may remove a file meanwhile.
        let Ok(entry) = entry else { continue };
        let Ok(metadata) = entry.metadata() else { continue };
        sum += if metadata.is_dir() { disk_bytes(&entry.path())? } else { metadata.len() };
    }
    Ok(sum)
}
