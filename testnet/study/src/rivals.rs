//! One scenario under the pool's rules and under the classic ones, measured alike: what each miner found, and what of it
//! was credited.

pub mod cases;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use node_core::journal::{Journal, RecordKind};
use sharechain::ShareId;
use sharechain::encode::decode_list;

use crate::models::baseline::{self, rules::Rules as Classic};
use sim::faults::Action;
use sim::full::audit::{Audit, blocks, referee};
use sim::full::ledger::Ledger;
use sim::full::{self, SimNode};
use sim::scenario::Scenario;
use sim::time::Micros;
use sim::world::{MinerId, World};

/// Whose rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rules {
    /// The pool's own code.
    Shoal,
    /// A classic share-chain.
    Classic(Classic),
}

/// What a miner found in the time that was measured. Shoal's unit is the expected Bitcoin block, which a classic chain's
/// is a share; only ratios mean something.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measure {
    /// Its group, by its place in [`Scenario::miners`].
    pub group: usize,
    /// Its node.
    pub node: usize,
    /// Work of what it found.
    pub work: f64,
    /// Of that, work for which nobody is credited.
    pub lost: f64,
    /// What it would be credited with if all its finds were, those that are links as such.
    pub due: f64,
    /// What it is credited with, for its own finds and for links or for listing others'.
    pub credited: f64,
    /// How many proofs it found.
    pub proofs: u64,
}

/// What came of a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Each miner.
    pub miners: Vec<Measure>,
    /// Whether all honest nodes ended on one tip.
    pub one_tip: bool,
    /// The side of each node in the scenario's first partition; nothing without one.
    pub sides: Vec<u8>,
}

impl Rules {
    /// The pool, and all that it is compared with.
    #[must_use]
    pub fn all() -> Vec<Self> {
        std::iter::once(Self::Shoal).chain(baseline::rules::ALL.map(Self::Classic)).collect()
    }

    /// Name in tables and plots.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Shoal => "Shoal",
            Self::Classic(rules) => rules.name,
        }
    }

    /// Runs a scenario to its end and measures what was found in a part of it.
    ///
    /// # Panics
    /// The scenario names a strategy that these rules do not know: a mistake in the study.
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
    /// Sum of those that `of` picks.
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

    /// What one group is credited with over what it is due, as a ratio to the same of everybody: 1 is fair. What the group
    /// happened to find, shares and links, is divided by, so that luck hardly is a part of it.
    #[must_use]
    pub fn ratio(&self, group: usize) -> f64 {
        let (of, all) = (self.sum(|miner| miner.group == group), self.sum(|_| true));
        of.rate() / all.rate()
    }
}

impl Measure {
    /// The part of what was found for which nobody is credited.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.lost / self.work
    }

    /// What is credited of what is due.
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

/// Measures a world of the pool as it is now.
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
        // A link's bonus is no part of its work, and nobody's loss.
        miner.lost += (find.weight - credited).max(0.0);
    }
    let honest = world.nodes.iter().filter(|node| node.strategist().is_honest()).filter_map(SimNode::chain);
    let tips: BTreeSet<ShareId> = honest.map(sharechain::Chain::tip).collect();
    Measured { miners, one_tip: tips.len() == 1, sides: Vec::new() }
}

/// What each find is credited with on one node's main chain.
#[derive(Debug, Default)]
struct Credits {
    finds: BTreeMap<ShareId, f64>,
}

impl Credits {
    /// Reads the sums that each link credits to each miner, and shares them out among the finds that it lists. A listed
    /// find that is too old earns nothing; where a link lists such beside others of the same miner, each is given the same
    /// part, so that sums are exact.
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
                *rows.entry(miner).or_default() += blocks(row.weight);
            }
        }
        // The link itself is credited in any case, its bonus included.
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
