//! The draws that a miner may choose from when links come rarely: old parents that still earn have old snapshots if many
//! Bitcoin blocks lie between their anchors.

use std::collections::BTreeSet;

use rand::Rng;
use rand_distr::Exp1;
use sharechain::ChainParams;

use super::alone::LinkStream;
use crate::jobs::Size;
use crate::models::pay::units::{BLOCK_INTERVAL_S, PETA};
use crate::result::{Cell, Finding, Table};
use crate::stats::{Estimate, as_f64};
use sim::rng::{SimRng, stream};

/// Links before a change, and after it. What was found before the change has aged out by then.
const LINKS_BEFORE: usize = 1_000;
const LINKS_AFTER: usize = 600;

/// A fall of the hashrate.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Fall {
    name: &'static str,
    factor: f64,
    /// Whether targets follow. If not, links stay late, as in a test that paces them by hand.
    follows: bool,
}

const FALLS: [Fall; 5] = [
    Fall { name: "none", factor: 1.0, follows: true },
    Fall { name: "/10", factor: 0.1, follows: true },
    Fall { name: "/100", factor: 0.01, follows: true },
    Fall { name: "/1000", factor: 0.001, follows: true },
    Fall { name: "/10, and targets stay: links 100 s apart", factor: 0.1, follows: false },
];

/// Snapshots that one moment leaves to choose from.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Choices {
    /// The most at any link after the fall.
    most: usize,
    /// The mean over these links.
    mean: f64,
}

/// The results of all falls.
pub(super) struct Falls {
    choices: Vec<(Fall, Vec<Choices>)>,
}

/// A chain's links with what their snapshots follow from.
struct Chain<'a> {
    params: &'a ChainParams,
    /// For each link: Bitcoin blocks up to its previous block, and its snapshot.
    links: Vec<(u64, usize)>,
}

impl Chain<'_> {
    /// Returns the snapshot of a proof on this parent whose previous block is the newest of `blocks` (SC-302).
    fn snapshot(&self, parent: usize, blocks: u64) -> usize {
        let anchor = parent.saturating_sub(to_usize(self.params.anchor_depth));
        let of = |link: usize| self.links.get(link).copied().unwrap_or_default();
        let work = blocks.saturating_sub(self.params.snapshot_bitcoin_depth.into()).min(of(anchor).0);
        let first = self.links.partition_point(|(blocks, _)| *blocks < work).min(anchor);
        first.saturating_sub(to_usize(self.params.snapshot_burial)).max(of(parent).1)
    }

    /// Returns the number of snapshots among all parents on which a proof still earns.
    fn choices(&self, blocks: u64) -> usize {
        let tip = self.links.len().saturating_sub(1);
        let oldest = tip.saturating_sub(to_usize(self.params.credit_depth - self.params.anchor_depth));
        (oldest..=tip).map(|parent| self.snapshot(parent, blocks)).collect::<BTreeSet<_>>().len()
    }
}

impl Fall {
    fn measure(&self, rng: &mut SimRng) -> Choices {
        let main = ChainParams::main();
        let half_life_s = if self.follows { main.retarget_half_life_s } else { u32::MAX };
        let params = ChainParams { retarget_half_life_s: half_life_s, ..main };
        let mut stream = LinkStream::new(&params, 100.0 * PETA);
        let mut chain = Chain { params: &params, links: vec![(0, 0)] };
        let (mut blocks, mut next_block_s) = (0, 0.0);
        let mut counts = Vec::new();
        for number in 0..LINKS_BEFORE + LINKS_AFTER {
            if number == LINKS_BEFORE {
                stream.hashrate_hs *= self.factor;
            }
            stream.next(rng);
            while next_block_s < stream.at_s {
                blocks += 1;
                next_block_s += rng.sample::<f64, _>(Exp1) * BLOCK_INTERVAL_S;
            }
            // Just before the link: the most Bitcoin blocks that its siblings can be built on.
            if number >= LINKS_BEFORE {
                counts.push(chain.choices(blocks));
            }
            let snapshot = chain.snapshot(chain.links.len() - 1, blocks);
            chain.links.push((blocks, snapshot));
        }
        let mean = counts.iter().map(|count| as_f64(*count)).sum::<f64>() / as_f64(counts.len());
        Choices { most: counts.into_iter().max().unwrap_or(0), mean }
    }
}

impl Falls {
    pub(super) fn run(size: Size, seed: u64) -> Self {
        let runs: u64 = size.pick(200, 5);
        let of = |fall: Fall| {
            let rng = &mut stream(seed, "choices", fall.factor.to_bits() ^ u64::from(fall.follows));
            (fall, (0..runs).map(|_| fall.measure(rng)).collect())
        };
        Self { choices: FALLS.map(of).to_vec() }
    }

    pub(super) fn table(&self) -> Table {
        let row = |(fall, choices): &(Fall, Vec<Choices>)| {
            let estimate = |of: fn(&Choices) -> f64| Estimate::of(&choices.iter().map(of).collect::<Vec<_>>());
            vec![
                Cell::text(fall.name),
                Cell::estimate(estimate(|choices| choices.mean), 2),
                Cell::estimate(estimate(|choices| as_f64(choices.most)), 1),
                Cell::number(as_f64(choices.iter().map(|choices| choices.most).max().unwrap_or(0)), 0),
            ]
        };
        let columns = [
            "fall of the hashrate",
            "snapshots, mean over 600 links",
            "the most at any of them, mean of the runs",
            "the most in any run",
        ];
        Table {
            caption:
                "Snapshots, and so draws, among which a miner may choose by an old parent on which its proof still \
                      earns, after the hashrate falls. Without a network"
                    .into(),
            columns: columns.map(String::from).to_vec(),
            rows: self.choices.iter().map(row).collect(),
        }
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let of = |(fall, choices): &(Fall, Vec<Choices>)| {
            let most = Estimate::of(&choices.iter().map(|choices| as_f64(choices.most)).collect::<Vec<_>>()).mean;
            let worst = choices.iter().map(|choices| choices.most).max().unwrap_or(0);
            Finding {
                claim: format!(
                    "Snapshots to choose from at the worst moment after a fall of the hashrate: {}",
                    fall.name
                ),
                measured: format!("{most:.1} on average, {worst} in the worst run"),
                holds: None,
            }
        };
        self.choices.iter().skip(1).map(of).collect()
    }
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_pool_leaves_one_draw() {
        let choices = FALLS[0].measure(&mut stream(1, "test", 0));
        assert_eq!(choices, Choices { most: 1, mean: 1.0 });
    }

    #[test]
    fn links_that_stay_late_leave_a_draw_for_each_bitcoin_block_beyond_the_depth() {
        // The parents' anchors are 181 links of 100 s: 30 Bitcoin blocks, which may all lie 13 deep or deeper.
        let runs: Vec<f64> = (0..20).map(|run| as_f64(FALLS[4].measure(&mut stream(1, "test", run)).most)).collect();
        let mean = Estimate::of(&runs).mean;
        assert!((15.0..40.0).contains(&mean), "{mean}");
    }
}
