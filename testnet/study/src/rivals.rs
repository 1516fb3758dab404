//! One scenario under the pool's rules and under the classic ones, measured alike: the work that each miner found, and
//! its credit.

pub mod cases;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use node_core::journal::{Journal, RecordKind};
use serde::{Deserialize, Serialize};
use sharechain::ShareId;
use sharechain::encode::decode_list;

use crate::models::baseline::{self, rules::Rules as Classic};
use sim::faults::Action;
use sim::full::audit::{Audit, referee};
use sim::full::ledger::{Ledger, expected_blocks};
use sim::full::{self, SimNode};
use sim::ids::MinerId;
use sim::scenario::Scenario;
use sim::time::Micros;
use sim::world::World;

/// A rule set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rules {
    /// The pool's real code.
    Shoal,
    /// A classic share-chain.
    Classic(Classic),
}

/// A miner's work in the measured time. Shoal's unit is the expected Bitcoin block, that of a classic chain is the
/// share. Only ratios are comparable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Its group, as an index into [`Scenario::miners`].
    pub group: usize,
    /// Index of its node.
    pub node: usize,
    /// Work of its proofs.
    pub work: f64,
    /// The part of its work that no miner is credited for.
    pub lost: f64,
    /// Credit that it would get if all its proofs counted, including the bonus of links.
    pub due: f64,
    /// Credit that it gets, for its own proofs and for links or for listing others' shares.
    pub credited: f64,
    /// Number of its proofs.
    pub proofs: u64,
}

/// The result of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The measures of each miner.
    pub miners: Vec<Measure>,
    /// Whether all honest nodes ended on one tip.
    pub one_tip: bool,
    /// The side of each node in the scenario's first partition. Empty without one.
    pub sides: Vec<u8>,
}

impl Rules {
    /// Returns the pool's rules and all rules that it is compared with.
    #[must_use]
    pub fn all() -> Vec<Self> {
        std::iter::once(Self::Shoal).chain(baseline::rules::ALL.map(Self::Classic)).collect()
    }

    /// Returns its name in tables and plots.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Shoal => "Shoal",
            Self::Classic(rules) => rules.name,
        }
    }

    /// Runs a scenario to its end and measures the proofs found in a part of it.
    ///
    /// # Panics
    /// If the scenario names a strategy that these rules do not know: a mistake in the study.
    #[must_use]
    pub fn measure(&self, scenario: &Scenario, seed: u64, when: &Range<Micros>) -> Measured {
        let measured = match self {
            Self::Shoal => {
                let mut world = full::build(scenario, seed).expect("the study names strategies that there are");
                world.run(Micros::from_secs_f64(scenario.duration_s));
                measure_shoal(&world, scenario, seed, when)
            }
            Self::Classic(rules) => {
                let outcome = baseline::run::run(scenario, *rules, seed, when);
                measure_classic(&outcome.expect("the study names strategies that there are"))
            }
        };
        let groups = |(_, action): &(Micros, Action)| match action {
            Action::Groups(groups) => Some(groups.clone()),
            _ => None,
        };
        let sides = scenario.draw(seed).plan.actions().iter().find_map(groups).unwrap_or_default();
        Measured { sides, ..measured }
    }
}

impl Measured {
    /// Returns the sum over the miners that `of` selects.
    #[must_use]
    pub fn sum(&self, of: impl Fn(&Measure) -> bool) -> Measure {
        self.miners.iter().filter(|miner| of(miner)).fold(Measure::default(), |sum, miner| Measure {
            work: sum.work + miner.work,
            lost: sum.lost + miner.lost,
            due: sum.due + miner.due,
            credited: sum.credited + miner.credited,
            proofs: sum.proofs + miner.proofs,
            ..sum
        })
    }

    /// Returns one group's credit over due, divided by that of all miners. 1 is fair. Dividing by what the group found
    /// removes most of its luck.
    #[must_use]
    pub fn ratio(&self, group: usize) -> f64 {
        let (of, all) = (self.sum(|miner| miner.group == group), self.sum(|_| true));
        of.rate() / all.rate()
    }
}

impl Measure {
    /// Returns the part of the work that no miner is credited for.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.lost / self.work
    }

    /// Returns credit over due.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.credited / self.due
    }
}

fn measure_classic(outcome: &baseline::run::Outcome) -> Measured {
    let miner = |miner: &baseline::run::MinerOutcome| {
        let tally = miner.tally;
        Measure {
            group: miner.group,
            node: miner.node as usize,
            work: f64::from(tally.found),
            due: f64::from(tally.found),
            lost: f64::from(tally.found - tally.on_chain - tally.uncles),
            credited: tally.credited,
            proofs: u64::from(tally.found),
        }
    };
    Measured { miners: outcome.miners.iter().map(miner).collect(), one_tip: true, sides: Vec::new() }
}

/// Measures a world of the pool in its present state.
#[must_use]
pub fn measure_shoal(world: &World<SimNode>, scenario: &Scenario, seed: u64, when: &Range<Micros>) -> Measured {
    let drawn = scenario.draw(seed);
    let measure = |miner: &sim::scenario::DrawnMiner| Measure {
        group: miner.group,
        node: miner.node.index(),
        ..Measure::default()
    };
    let mut miners: Vec<Measure> = drawn.miners.iter().map(measure).collect();
    let ledger = &world.environment.ledger;
    let node = referee(world).map(|id| &world.nodes[id.index()]);
    let audit = node.and_then(|node| Audit::of(node, &world.environment));
    let credits = node.zip(audit.as_ref()).map(|(node, audit)| Credits::of(node, audit, ledger)).unwrap_or_default();
    for find in ledger.finds().iter().filter(|find| when.contains(&find.at)) {
        let Some(miner) = miners.get_mut(find.miner.index()) else { continue };
        let credited = credits.of_find(&find.id);
        miner.proofs += 1;
        miner.work += find.weight;
        miner.due += find.weight + find.bonus;
        miner.credited += credited;
        // A link's bonus is not part of its work, and losing it is no loss.
        miner.lost += (find.weight - credited).max(0.0);
    }
    let honest = world.nodes.iter().filter(|node| node.strategist().is_honest()).filter_map(SimNode::chain);
    let tips: BTreeSet<ShareId> = honest.map(sharechain::Chain::tip).collect();
    Measured { miners, one_tip: tips.len() == 1, sides: Vec::new() }
}

/// The credit of each proof on one node's main chain.
#[derive(Debug, Default)]
struct Credits {
    finds: BTreeMap<ShareId, f64>,
}

impl Credits {
    /// Reads the sums that each link credits to each miner, and splits them among the proofs that it lists. A listed
    /// proof that is too old earns nothing. If a link lists such a proof together with others of the same miner, each
    /// gets the same part, so that sums are exact.
    fn of(node: &SimNode, audit: &Audit, ledger: &Ledger) -> Self {
        let mut credits = Self::default();
        for id in audit.main.iter().skip(1) {
            let list = node.disk().get(RecordKind::List, &id.0).ok().flatten();
            let list = list.and_then(|bytes| decode_list(&bytes).ok()).unwrap_or_default();
            credits.add_link(node, *id, list, ledger);
        }
        credits
    }

    fn add_link(&mut self, node: &SimNode, link: ShareId, list: Vec<ShareId>, ledger: &Ledger) -> Option<()> {
        let chain = node.chain()?;
        let mut rows: BTreeMap<MinerId, f64> = BTreeMap::new();
        for row in chain.link(&link)?.complete()?.rows.iter() {
            let miner = chain.scripts().script(row.script).and_then(|script| ledger.miner(script));
            if let Some(miner) = miner {
                *rows.entry(miner).or_default() += expected_blocks(row.weight);
            }
        }
        // The link itself is credited in any case, including its bonus.
        let own = ledger.find(&link)?;
        let worth = own.weight + own.bonus;
        self.finds.insert(link, worth);
        *rows.entry(own.miner).or_default() -= worth;
        let listed: Vec<_> = list.iter().filter_map(|id| ledger.find(id)).collect();
        let mut sums: BTreeMap<MinerId, f64> = BTreeMap::new();
        for find in &listed {
            *sums.entry(find.miner).or_default() += find.weight;
        }
        for find in listed {
            let row = rows.get(&find.miner).copied().unwrap_or(0.0);
            self.finds.insert(find.id, find.weight * (row / sums[&find.miner]).clamp(0.0, 1.0));
        }
        Some(())
    }

    fn of_find(&self, id: &ShareId) -> f64 {
        self.finds.get(id).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests;
