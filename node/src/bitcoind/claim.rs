//! Checks the tips that bitcoinds claim. A claim has no effect until the share-chain knows the tip's header and all
//! headers below it, or has fetched them from that bitcoind.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bitcoin::{BlockHash, Work};
use futures::future::BoxFuture;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::warn;

use super::client::Bitcoind;
use super::state::FeedState;
use crate::limits::POLL_INTERVAL;

/// Knows Bitcoin's headers, and checks new ones.
pub trait Prover: Send + Sync {
    /// Work of the chain up to a block; none if its header is unknown.
    fn work_of(&self, tip: &BlockHash) -> Option<Work>;

    /// Fetches the headers up to a block from this bitcoind, and checks them. Returns the reason if that fails.
    fn prove(&self, bitcoind: Bitcoind, tip: BlockHash) -> BoxFuture<'static, Result<(), String>>;
}

/// The prover. Empty until the share-chain is loaded.
#[derive(Clone, Default)]
pub(super) struct Proving(Arc<OnceLock<Box<dyn Prover>>>);

impl fmt::Debug for Proving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proving").field(&self.0.get().is_some()).finish()
    }
}

impl Proving {
    /// Only the first call has an effect.
    pub(super) fn set(&self, prover: impl Prover + 'static) {
        let _again = self.0.set(Box::new(prover)).is_err();
    }
}

/// A bitcoind's state after the check of its claim.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    /// The newest state with a proven tip, or the problem.
    pub(super) state: FeedState,
    /// Work of the chain that the template extends; none if unproven.
    pub(super) work: Option<Work>,
}

/// The claims of all bitcoinds.
pub(super) struct Claims {
    proving: Proving,
    each: Vec<Claim>,
    /// Proofs being fetched, at most one per bitcoind.
    under_way: JoinSet<(usize, BlockHash, Result<(), String>)>,
}

/// The claims of one bitcoind.
struct Claim {
    bitcoind: Bitcoind,
    /// The newest state with a proven tip.
    proven: Option<FeedState>,
    /// True while headers are being fetched.
    is_asked: bool,
    /// The last failed proof, if none has succeeded since.
    failed: Option<Failed>,
}

struct Failed {
    tip: BlockHash,
    at: Instant,
    why: Arc<str>,
}

impl Claim {
    fn is_due(&self, tip: &BlockHash, now: Instant) -> bool {
        !self.is_asked
            && self.failed.as_ref().is_none_or(|failed| failed.tip != *tip || now >= failed.at + POLL_INTERVAL)
    }
}

impl Claims {
    pub(super) fn new(bitcoinds: impl Iterator<Item = Bitcoind>, proving: Proving) -> Self {
        let claim = |bitcoind| Claim { bitcoind, proven: None, is_asked: false, failed: None };
        Self { proving, each: bitcoinds.map(claim).collect(), under_way: JoinSet::new() }
    }

    /// Checks the newest state of the bitcoind with this index.
    pub(super) fn judge(&mut self, index: usize, state: FeedState, now: Instant) -> Judged {
        let tip = state.template.as_ref().filter(|_| state.trouble.is_none()).map(|template| template.prev_block);
        let (Some(tip), Some(prover)) = (tip, self.proving.0.get()) else { return Judged { state, work: None } };
        let claim = &mut self.each[index];
        if let Some(work) = prover.work_of(&tip) {
            claim.failed = None;
            claim.proven = Some(state.clone());
            return Judged { state, work: Some(work) };
        }
        if claim.is_due(&tip, now) {
            claim.is_asked = true;
            let proof = prover.prove(claim.bitcoind.clone(), tip);
            self.under_way.spawn(async move { (index, tip, proof.await) });
        }
        match (&claim.failed, &claim.proven) {
            (Some(failed), _) => {
                Judged { state: FeedState { trouble: Some(Arc::clone(&failed.why)), ..state }, work: None }
            }
            (None, Some(proven)) => {
                let work = proven.template.as_ref().and_then(|template| prover.work_of(&template.prev_block));
                Judged { state: proven.clone(), work }
            }
            // Treated as a bitcoind that has not answered yet.
            (None, None) => Judged { state: FeedState::default(), work: None },
        }
    }

    /// Waits until a proof succeeds or fails.
    pub(super) async fn settled(&mut self) {
        let Some(done) = self.under_way.join_next().await else { return std::future::pending().await };
        let (index, tip, proof) = done.expect("fetching headers does not panic");
        let claim = &mut self.each[index];
        claim.is_asked = false;
        let Err(reason) = proof else { return };
        // It is asked again every few seconds, but the log needs the block only once.
        if claim.failed.as_ref().is_none_or(|failed| failed.tip != tip) {
            let url = claim.bitcoind.url();
            warn!(%url, block = %tip, reason, "a bitcoind claims a block that it cannot prove, so the claim has no effect");
        }
        let why = format!("bitcoind claims block {tip}, which it cannot prove: {reason}").into();
        claim.failed = Some(Failed { tip, at: Instant::now(), why });
    }
}
