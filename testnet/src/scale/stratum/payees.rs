//! Fills the coinbase as in a pool that has run for a while.

use std::net::SocketAddr;
use std::time::Duration;

use bitcoin::Target;
use sim::hash::HeaderHasher;
use stratum::{Client, Difficulty, Job};

use super::{StratumError, block};
use crate::rpc::Rpc;
use crate::scale::load::account;

/// Links to find before the next Bitcoin block: payouts follow the weights at a Bitcoin block that is some blocks deep.
const LINKS_PER_BLOCK: u32 = 10;
/// Number of accounts that find links in turn, more than a coinbase pays.
const PAYEES: u32 = 60;
/// Shares per link on the local network, and a few more.
const SHARES_PER_LINK: f64 = 9.0;
/// Maximum number of links. Payouts begin at about 100.
const LINKS_MAX: u32 = 300;
/// Bytes of a full coinbase: one with 48 outputs has more, one without payouts about 250.
const FULL_BYTES: usize = 1_500;
/// Longest time until a job builds on a new link.
const NEXT_JOB: Duration = Duration::from_secs(2);

/// Finds links, and a Bitcoin block after every few of them, until the coinbase is full. Returns its size in bytes.
pub(super) async fn fill(server: SocketAddr, rpc: &Rpc) -> Result<usize, StratumError> {
    let mut bytes = 0;
    for number in 0..LINKS_MAX {
        if number % LINKS_PER_BLOCK == 0 {
            block::submit(rpc, &block::next(rpc).await?).await?;
            tokio::time::sleep(NEXT_JOB).await;
        }
        let (client, mut jobs) = Client::connect(server, &account(number % PAYEES), "bench/1").await?;
        let Some(job) = jobs.recv().await else { continue };
        bytes = job.coinbase_bytes();
        if bytes >= FULL_BYTES {
            break;
        }
        let extranonce2 = u64::from(number).to_be_bytes();
        let Some(nonce) = find_link(&job, extranonce2) else { continue };
        if client.submit(&job, extranonce2, job.time, nonce, 0).await.is_ok() {
            // The next link must build on this one.
            let _ = tokio::time::timeout(NEXT_JOB, jobs.recv()).await;
        }
    }
    Ok(bytes)
}

/// Finds a nonce that makes a link but not a Bitcoin block, which would take the transactions out of the template.
fn find_link(job: &Job, extranonce2: [u8; 8]) -> Option<u32> {
    let mut hasher = HeaderHasher::new(&job.header(extranonce2, job.time, 0, 0));
    let link = Difficulty::floor(job.difficulty.to_f64() * SHARES_PER_LINK).target();
    let block = Target::from_compact(job.bits);
    let mut start = 0;
    loop {
        let nonce = hasher.search(link, start, u32::MAX - start)?;
        if !block.is_met_by(hasher.hash(nonce)) {
            return Some(nonce);
        }
        start = nonce.checked_add(1)?;
    }
}
