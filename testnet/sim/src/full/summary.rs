//! A run in numbers. The same scenario and seed give the same numbers to the last digit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use sharechain::{Height, ShareId};

use super::audit::{Audit, End, listed_at, referee};
use super::build::{BuildError, build};
use super::ledger::{Find, Verdict};
use super::node::SimNode;
use super::surroundings::Surroundings;
use crate::ids::{MinerId, NodeId};
use crate::scenario::Scenario;
use crate::time::Micros;
use crate::world::World;

/// Proofs found this long before the end are left out of the fates: they may still be listed.
const UNSETTLED: Micros = Micros::from_secs(120);

/// Upper bounds of the histogram of link intervals, in seconds. The last class has none.
const INTERVAL_BOUNDS_S: [u32; 6] = [2, 5, 10, 20, 40, 80];

/// A run in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// Simulated seconds.
    pub duration_s: f64,
    /// Steps of the world.
    pub steps: u64,
    /// Whether all running honest nodes ended on one tip.
    pub one_tip: bool,
    /// Groups of miners, by name.
    pub miners: BTreeMap<String, MinersSummary>,
    /// Number of settled proofs, by their fate.
    pub ends: BTreeMap<String, u64>,
    /// Number of proofs, by the verdict of the finder's node.
    pub verdicts: BTreeMap<String, u64>,
    /// The main chain.
    pub links: LinksSummary,
    /// Seconds from a proof to the link that lists it, for listed proofs.
    pub listing_s: Spread,
    /// Bitcoin blocks and their payments.
    pub bitcoin: BitcoinSummary,
    /// Bytes on lines.
    pub traffic: TrafficSummary,
    /// Data that nodes keep.
    pub kept: KeptSummary,
    /// Number of bans, by reason.
    pub bans: BTreeMap<String, u64>,
    /// Number of crashes.
    pub crashes: u64,
}

/// A group of miners.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MinersSummary {
    /// Number of miners.
    pub miners: u64,
    /// Proofs found.
    pub found: u64,
    /// Links found.
    pub links: u64,
    /// Links that are on the main chain.
    pub main_links: u64,
    /// Bitcoin blocks found.
    pub blocks: u64,
    /// Weight of all proofs found, without the bonus of links, in expected Bitcoin blocks.
    pub found_weight: f64,
    /// Weight credited, with the bonus of links, in expected Bitcoin blocks.
    pub credited_weight: f64,
    /// Weight of settled proofs, without bonus, in expected Bitcoin blocks.
    pub settled_weight: f64,
    /// The part of [`Self::settled_weight`] that no link credits, in expected Bitcoin blocks.
    pub lost_weight: f64,
    /// Satoshi that the pool's Bitcoin blocks pay.
    pub paid_sat: u64,
}

/// The main chain's links.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LinksSummary {
    /// Links on the main chain.
    pub main: u64,
    /// Links that any miner found.
    pub found: u64,
    /// Mean seconds between links, by their headers.
    pub interval_s: f64,
    /// Histogram of the time between links: up to 2, 5, 10, 20, 40 and 80 seconds, and more.
    pub intervals: [u64; INTERVAL_BOUNDS_S.len() + 1],
    /// Ids in the links' lists.
    pub listed: u64,
    /// Tip changes of all nodes, by the number of links that left the main chain. 0 where the chain only grew.
    pub reorganisations: BTreeMap<u32, u64>,
}

/// A distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The median.
    pub median: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The maximum.
    pub max: f64,
}

/// Bitcoin blocks and their payments.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BitcoinSummary {
    /// Blocks of the active chain since the simulation began.
    pub blocks: u64,
    /// Blocks that the pool found.
    pub found: u64,
    /// The pool's blocks on the active chain.
    pub active: u64,
    /// Satoshi that the pool's active blocks pay.
    pub paid_sat: u64,
    /// Satoshi that the pool's active blocks may pay. Equal to [`Self::paid_sat`] if money is conserved.
    pub value_sat: u64,
    /// Satoshi paid to scripts that belong to no miner.
    pub paid_nobody_sat: u64,
}

/// Bytes on lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TrafficSummary {
    /// Bytes per second that a node sends, mean over nodes.
    pub sent_bytes_per_s: f64,
    /// Bytes per second that a node receives, mean over nodes.
    pub received_bytes_per_s: f64,
    /// Largest bytes per second that one node sends.
    pub sent_bytes_per_s_max: f64,
    /// The part of gossip bytes that were not new to their receiver.
    pub duplicate_part: f64,
}

/// Data that nodes keep.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct KeptSummary {
    /// Bytes that a node wrote to its disk, mean over nodes.
    pub written_bytes: f64,
    /// Largest number of held proofs on any node at the end.
    pub held_max: u64,
    /// Largest number of links in memory on any node at the end.
    pub links_max: u64,
    /// Bytes of all distinct records on all disks.
    pub archive_bytes: u64,
}

/// Runs a scenario to its end.
///
/// # Errors
/// If a strategy does not exist or does not have the given options.
pub fn run(scenario: &Scenario, seed: u64) -> Result<Summary, BuildError> {
    let mut world = build(scenario, seed)?;
    world.run(Micros::from_secs_f64(scenario.duration_s));
    Ok(Summary::of(&world, scenario, seed))
}

impl Summary {
    /// Summarizes a world in its present state.
    #[must_use]
    pub fn of(world: &World<SimNode>, scenario: &Scenario, seed: u64) -> Self {
        let surroundings = &world.environment;
        let honest = world.nodes.iter().filter(|node| node.strategist().is_honest()).filter_map(SimNode::chain);
        let tips: BTreeSet<ShareId> = honest.map(sharechain::Chain::tip).collect();
        let mut summary = Self {
            scenario: scenario.name.clone(),
            seed,
            duration_s: world.schedule.now().as_secs_f64(),
            steps: world.steps(),
            one_tip: tips.len() == 1,
            miners: BTreeMap::new(),
            ends: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            links: LinksSummary { reorganisations: surroundings.ledger.reorgs.clone(), ..LinksSummary::default() },
            listing_s: Spread::default(),
            bitcoin: BitcoinSummary::default(),
            traffic: traffic(world),
            kept: kept(world),
            bans: bans(surroundings),
            crashes: surroundings.ledger.restarts,
        };
        let drawn = scenario.draw(seed);
        let group = |miner: MinerId| scenario.miners[drawn.miners[miner.index()].group].name.clone();
        for miner in (0u32..).zip(&drawn.miners).map(|(miner, _)| MinerId(miner)) {
            summary.miners.entry(group(miner)).or_default().miners += 1;
        }
        summary.sum_payments(world, group);
        let node = referee(world).map(|id| &world.nodes[id.index()]);
        if let Some((node, audit)) = node.and_then(|node| Some((node, Audit::of(node, surroundings)?))) {
            summary.sum_finds(world, node, &audit, group);
            summary.sum_links(world, node, &audit);
        }
        summary
    }

    fn sum_finds(&mut self, world: &World<SimNode>, node: &SimNode, audit: &Audit, group: impl Fn(MinerId) -> String) {
        let withheld: BTreeSet<ShareId> =
            world.nodes.iter().flat_map(|node| node.strategist().withheld().iter().copied()).collect();
        let settled_until = Micros(world.schedule.now().0.saturating_sub(UNSETTLED.0));
        for find in world.environment.ledger.finds() {
            *self.verdicts.entry(verdict_name(find)).or_default() += 1;
            let miners = self.miners.entry(group(find.miner)).or_default();
            miners.found += 1;
            miners.found_weight += find.weight;
            miners.links += u64::from(find.is_link);
            miners.blocks += u64::from(find.is_block);
            self.links.found += u64::from(find.is_link);
            let end = audit.end(&find.id, node, &withheld);
            miners.main_links += u64::from(end == End::MainLink);
            if find.at <= settled_until {
                *self.ends.entry(end_name(end)).or_default() += 1;
                miners.settled_weight += find.weight;
                if !matches!(end, End::MainLink | End::Listed) {
                    miners.lost_weight += find.weight;
                }
            }
        }
        for (miner, weight) in &audit.credited {
            self.miners.entry(group(*miner)).or_default().credited_weight += weight;
        }
    }

    fn sum_links(&mut self, world: &World<SimNode>, node: &SimNode, audit: &Audit) {
        let surroundings = &world.environment;
        let seconds = |id: &ShareId| {
            let find = surroundings.ledger.find(id)?;
            let listed = listed_at(audit, surroundings, id)?;
            Some(Micros(listed.0.saturating_sub(find.at.0)).as_secs_f64())
        };
        let links: BTreeSet<&ShareId> = audit.main.iter().collect();
        let times = audit.listed.keys().filter(|id| !links.contains(id)).filter_map(seconds).collect();
        self.listing_s = Spread::of(times);
        self.links.main = audit.main.len() as u64 - 1;
        self.links.listed = audit.listed.len() as u64 - self.links.main;
        let Some(chain) = node.chain() else { return };
        let time = |height: u32| Some(chain.link(&chain.main_at(Height(height))?)?.time);
        let last = chain.height().0;
        for height in 2..=last {
            let (Some(time), Some(before)) = (time(height), time(height - 1)) else { continue };
            let interval_s = time.seconds_since(before);
            let class = INTERVAL_BOUNDS_S.iter().position(|bound| interval_s <= i64::from(*bound));
            self.links.intervals[class.unwrap_or(INTERVAL_BOUNDS_S.len())] += 1;
        }
        if let (Some(first), Some(newest)) = (time(1), time(last))
            && last > 1
        {
            #[expect(clippy::cast_precision_loss, reason = "seconds of a simulation")]
            let span_s = newest.seconds_since(first) as f64;
            self.links.interval_s = span_s / f64::from(last - 1);
        }
    }

    fn sum_payments(&mut self, world: &World<SimNode>, group: impl Fn(MinerId) -> String) {
        let (bitcoin, ledger) = (&world.environment.bitcoin, &world.environment.ledger);
        let tip = bitcoin.rest_tip();
        self.bitcoin.blocks = u64::from(bitcoin.height(&tip) - crate::bitcoin::ROOT_HEIGHT);
        self.bitcoin.found = bitcoin.found().len() as u64;
        for hash in bitcoin.found().iter().filter(|hash| bitcoin.is_ancestor(hash, &tip)) {
            let Some(paid) = bitcoin.block(hash).and_then(|block| block.paid.as_ref()) else { continue };
            self.bitcoin.active += 1;
            self.bitcoin.paid_sat += paid.total_sat();
            self.bitcoin.value_sat += paid.value_sat;
            for (script, sat) in &paid.scripts {
                match ledger.miner(script) {
                    Some(miner) => self.miners.entry(group(miner)).or_default().paid_sat += sat,
                    None => self.bitcoin.paid_nobody_sat += sat,
                }
            }
        }
    }
}

fn end_name(end: End) -> String {
    match end {
        End::MainLink => "main link",
        End::Listed => "listed",
        End::Pending => "pending",
        End::Expired => "expired",
        End::Withheld => "withheld",
        End::Refused => "refused",
        End::Unknown => "unknown",
    }
    .to_owned()
}

fn verdict_name(find: &Find) -> String {
    match find.verdict {
        Verdict::Accepted => "accepted".to_owned(),
        Verdict::Held => "held".to_owned(),
        Verdict::Unlistable => "unlistable".to_owned(),
        Verdict::Repeated => "repeated".to_owned(),
        Verdict::Invalid(rule) => format!("invalid: {rule}"),
    }
}

fn bans(surroundings: &Surroundings) -> BTreeMap<String, u64> {
    let mut bans = BTreeMap::new();
    for ban in &surroundings.ledger.bans {
        *bans.entry(format!("{:?}", ban.why)).or_default() += 1;
    }
    bans
}

fn traffic(world: &World<SimNode>) -> TrafficSummary {
    let seconds = world.schedule.now().as_secs_f64().max(1.0);
    let each = (0..world.nodes.len()).map(|node| world.schedule.transport().traffic(NodeId::of(node)));
    let (mut sent, mut received, mut most) = (0, 0, 0);
    for traffic in each {
        sent += traffic.sent_bytes;
        received += traffic.received_bytes;
        most = most.max(traffic.sent_bytes);
    }
    let (all, duplicates) = world.environment.spreads.bytes();
    let per_s = |bytes: u64, nodes: usize| number(bytes) / seconds / number(nodes.max(1) as u64);
    TrafficSummary {
        sent_bytes_per_s: per_s(sent, world.nodes.len()),
        received_bytes_per_s: per_s(received, world.nodes.len()),
        sent_bytes_per_s_max: per_s(most, 1),
        duplicate_part: number(duplicates) / number(all.max(1)),
    }
}

fn kept(world: &World<SimNode>) -> KeptSummary {
    let chains = || world.nodes.iter().filter_map(SimNode::chain);
    let written: u64 = world.nodes.iter().map(|node| node.disk().written_bytes()).sum();
    KeptSummary {
        written_bytes: number(written) / number(world.nodes.len().max(1) as u64),
        held_max: chains().map(|chain| chain.held_len() as u64).max().unwrap_or(0),
        links_max: chains().map(|chain| u64::from(chain.height().0)).max().unwrap_or(0),
        archive_bytes: world.environment.archive.size_bytes() as u64,
    }
}

#[expect(clippy::cast_precision_loss, reason = "bytes and counts of a simulation, to be shown")]
fn number(count: u64) -> f64 {
    count as f64
}

impl Spread {
    /// Returns the distribution of these values.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let at = |percent: usize| values.get(values.len() * percent / 100).copied().unwrap_or(0.0);
        Self {
            mean: values.iter().sum::<f64>() / number(values.len().max(1) as u64),
            median: at(50),
            p99: at(99),
            max: values.last().copied().unwrap_or(0.0),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, seed, duration_s, steps, .. } = self;
        writeln!(f, "{scenario}, seed {seed}: {duration_s} s in {steps} steps; one tip: {}", self.one_tip)?;
        for (name, miners) in &self.miners {
            let MinersSummary { found, links, main_links, blocks, found_weight, credited_weight, .. } = miners;
            writeln!(
                f,
                "  {name}: {found} proofs, {main_links} of {links} links on the main chain, {blocks} blocks; weight \
                 {found_weight:.4} found, {credited_weight:.4} credited, {:.3}% of what is settled lost; {} sat",
                100.0 * miners.lost_weight / miners.settled_weight.max(f64::MIN_POSITIVE),
                miners.paid_sat
            )?;
        }
        let LinksSummary { main, found, interval_s, listed, reorganisations, .. } = &self.links;
        writeln!(f, "  links: {main} of {found} on the main chain, every {interval_s:.2} s, {listed} ids listed")?;
        writeln!(f, "  moves of tips by links undone: {reorganisations:?}")?;
        writeln!(f, "  what became of finds: {:?}; what their nodes said: {:?}", self.ends, self.verdicts)?;
        let Spread { mean, median, p99, max } = self.listing_s;
        writeln!(f, "  listed after {mean:.1} s (median {median:.1}, 99% {p99:.1}, at most {max:.1})")?;
        let BitcoinSummary { blocks, active, paid_sat, value_sat, .. } = &self.bitcoin;
        writeln!(f, "  Bitcoin: {blocks} blocks, {active} of the pool, paying {paid_sat} of {value_sat} sat")?;
        let TrafficSummary { sent_bytes_per_s, sent_bytes_per_s_max, duplicate_part, .. } = &self.traffic;
        writeln!(
            f,
            "  a node sends {sent_bytes_per_s:.0} bytes/s, at most {sent_bytes_per_s_max:.0}; {:.0}% of gossip are copies",
            100.0 * duplicate_part
        )?;
        let KeptSummary { written_bytes, held_max, archive_bytes, .. } = &self.kept;
        writeln!(f, "  a node wrote {written_bytes:.0} bytes; held at most {held_max}; records {archive_bytes} bytes")?;
        writeln!(f, "  bans: {:?}; {} crashes", self.bans, self.crashes)
    }
}
