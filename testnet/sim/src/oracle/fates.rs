//! No share is lost without a reason: a proof that an honest miner found while no fault was active is credited in time.

use sharechain::chain::Fate;

use super::calm::Calm;
use super::proofs::is_honest;
use super::{Finding, Oracle};
use crate::full::audit::referee;
use crate::full::ledger::{Find, Verdict};
use crate::full::node::SimNode;
use crate::time::Micros;
use crate::world::World;

/// Link intervals within which a share is listed, whatever strategies other miners follow. If miners of 45% of the
/// links leave it out, the probability that it takes longer is below 10^-10.
const INTERVALS: u64 = 30;

/// Shortest time limit. Where links come fast, distances and devices are as slow as ever.
const WITHIN_MIN: Micros = Micros::from_secs(180);

/// Number of proofs checked so far.
#[derive(Debug, Default)]
pub(super) struct Fates {
    looked_at: usize,
}

impl Fates {
    /// Checks the proofs that should be credited by now.
    ///
    /// # Errors
    /// If one is not credited.
    pub(super) fn check(&mut self, world: &World<SimNode>, calm: &Calm) -> Result<(), Finding> {
        let now = world.schedule.now();
        let interval = Micros::from_secs(u64::from(world.environment.params.link_interval_s));
        let within = Micros(INTERVALS * interval.0).max(WITHIN_MIN);
        let Some(referee) = referee(world).and_then(|node| world.nodes[node.index()].chain()) else { return Ok(()) };
        while let Some(find) = world.environment.ledger.finds().get(self.looked_at) {
            if now.since(find.at) < within {
                break;
            }
            self.looked_at += 1;
            if !is_honest(find, world) || !calm.between(find.at, now) || is_excused(find) {
                continue;
            }
            let fate = referee.fate(&find.id);
            if !matches!(fate, Fate::MainLink(_) | Fate::Listed { .. }) {
                let Find { id, miner, at, .. } = find;
                let what = format!("{id}, found by miner {} at {at}, is not credited: {fate:?}", miner.0);
                return Err(Oracle::Lost.finds(what));
            }
        }
        Ok(())
    }
}

/// Returns whether a proof was withheld, or was too old when it was found.
fn is_excused(find: &Find) -> bool {
    find.withheld || matches!(find.verdict, Verdict::Unlistable | Verdict::Repeated)
}
