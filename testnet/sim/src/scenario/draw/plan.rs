//! Turns faults and hours into planned actions. Faults of one kind may overlap: factors multiply and probabilities add
//! up. Where only one value is possible, the latest fault wins.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::Exp1;

use super::lives::{self, Down};
use super::{DrawnMiner, DrawnNode, hours};
use crate::faults::{Action, NodeFault, Plan};
use crate::ids::{MinerId, NodeId};
use crate::rng::{SimRng, stream};
use crate::scenario::{Claim, Fault, Scenario, Who};
use crate::time::Micros;

/// A fault with its time span and its nodes.
struct Hit<'a> {
    fault: &'a Fault,
    from: Micros,
    until: Micros,
    /// The nodes that it hits, ascending.
    nodes: Vec<NodeId>,
    rng: SimRng,
}

impl Hit<'_> {
    fn holds(&self, at: Micros) -> bool {
        self.from <= at && at < self.until
    }

    fn hits(&self, node: NodeId, at: Micros) -> bool {
        self.holds(at) && self.nodes.binary_search(&node).is_ok()
    }
}

impl Scenario {
    pub(super) fn draw_plan(&self, nodes: &[DrawnNode], miners: &[DrawnMiner], seed: u64) -> Plan {
        let mut hits = self.hits(nodes, seed);
        let mut actions = lives_of(nodes, &mut hits);
        actions.extend(groups_of(nodes.len(), &mut hits));
        actions.extend(
            changes(&hits, 1.0, |at| factor(&hits, |hit| hit.holds(at).then(|| stretch_of(hit.fault))?))
                .map(|(at, factor)| (at, Action::Stretch(factor))),
        );
        for (index, node) in nodes.iter().enumerate() {
            actions.extend(node_changes(NodeId::of(index), node, &hits));
        }
        for (index, miner) in (0u32..).zip(miners) {
            actions.extend(self.rates(index, miner, &hits, seed));
        }
        Plan::new(actions)
    }

    fn hits(&self, nodes: &[DrawnNode], seed: u64) -> Vec<Hit<'_>> {
        let ends = |fault: &Fault| fault.for_s().map(|for_s| Micros::from_secs_f64(fault.at_s() + for_s));
        let heals = self.faults.iter().filter(|fault| matches!(fault, Fault::Heal { .. }));
        let heals: Vec<_> = heals.map(|heal| Micros::from_secs_f64(heal.at_s())).collect();
        let hit = |(index, fault)| {
            let mut rng = stream(seed, "fault", index);
            let from = Micros::from_secs_f64(Fault::at_s(fault));
            let mut until = ends(fault).unwrap_or(Micros::NEVER);
            if let Fault::Partition { .. } = fault {
                until = heals.iter().copied().filter(|at| *at >= from).fold(until, Micros::min);
            }
            let nodes = fault.who().map(|who| self.concerned(who, nodes, &mut rng)).unwrap_or_default();
            Hit { fault, from, until, nodes, rng }
        };
        (0u64..).zip(&self.faults).map(hit).collect()
    }

    fn concerned(&self, who: &Who, nodes: &[DrawnNode], rng: &mut SimRng) -> Vec<NodeId> {
        let all = (0..nodes.len()).map(NodeId::of);
        let mut chosen: Vec<_> = match who {
            Who::Group(name) => all.filter(|node| self.nodes[nodes[node.index()].group].name == *name).collect(),
            Who::Nodes(numbers) => numbers.iter().copied().map(NodeId).collect(),
            Who::Part(part) => {
                let mut shuffled: Vec<_> = all.collect();
                shuffled.shuffle(rng);
                shuffled.truncate(part_of(*part, nodes.len()).max(1));
                shuffled
            }
        };
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// Returns a miner's hashrates over time: those of its hours, times the factors of faults.
    fn rates(&self, index: u32, miner: &DrawnMiner, hits: &[Hit<'_>], seed: u64) -> Vec<(Micros, Action)> {
        let group = &self.miners[miner.group];
        let turns = hours::turns(group.hours, self.duration_s, &mut stream(seed, "hours", index.into()));
        let turns: Vec<_> = turns.into_iter().map(Micros::from_secs_f64).collect();
        let rate = |at: Micros| {
            // Turns alternate between start and stop.
            if turns.partition_point(|turn| *turn <= at) % 2 == 0 {
                return 0.0;
            }
            let concerned = |fault: &Fault| match fault {
                Fault::Hashrate { factor, miners, .. } => {
                    miners.as_ref().is_none_or(|name| *name == group.name).then_some(*factor)
                }
                _ => None,
            };
            miner.hashrate_hs * factor(hits, |hit| hit.holds(at).then(|| concerned(hit.fault))?)
        };
        let mut times = boundaries(hits);
        times.extend_from_slice(&turns);
        let rates = changes_at(times, miner.hashrate_hs, rate);
        rates.map(|(at, rate)| (at, Action::Hashrate(MinerId(index), rate))).collect()
    }
}

/// Returns this part of `count`, rounded.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part from 0 to 1 of far fewer nodes than 2^53"
)]
fn part_of(part: f64, count: usize) -> usize {
    ((part * count as f64).round() as usize).min(count)
}

fn stretch_of(fault: &Fault) -> Option<f64> {
    if let Fault::Latency { factor, .. } = fault { Some(*factor) } else { None }
}

/// Returns the product of the given factors.
fn factor<'a, 'f: 'a>(hits: &'a [Hit<'f>], of: impl Fn(&'a Hit<'f>) -> Option<f64>) -> f64 {
    hits.iter().filter_map(of).product()
}

/// Returns the times at which any value may change, and the beginning.
fn boundaries(hits: &[Hit<'_>]) -> Vec<Micros> {
    let spans = hits.iter().flat_map(|hit| [hit.from, hit.until]);
    std::iter::once(Micros::ZERO).chain(spans).filter(|at| *at < Micros::NEVER).collect()
}

/// Returns the times and values of all changes of a value that is `start` at first.
fn changes<T: PartialEq + Clone>(
    hits: &[Hit<'_>],
    start: T,
    value: impl Fn(Micros) -> T,
) -> impl Iterator<Item = (Micros, T)> {
    changes_at(boundaries(hits), start, value)
}

fn changes_at<T: PartialEq + Clone>(
    mut times: Vec<Micros>,
    start: T,
    value: impl Fn(Micros) -> T,
) -> impl Iterator<Item = (Micros, T)> {
    times.sort_unstable();
    times.dedup();
    let mut last = start;
    times.into_iter().filter_map(move |at| {
        let now = value(at);
        let changed = now != last;
        last = now.clone();
        changed.then_some((at, now))
    })
}

fn lives_of(nodes: &[DrawnNode], hits: &mut [Hit<'_>]) -> Vec<(Micros, Action)> {
    let mut downs = vec![Vec::new(); nodes.len()];
    for hit in hits {
        match hit.fault {
            Fault::Crash { torn, .. } => {
                for node in &hit.nodes {
                    downs[node.index()].push(Down { from: hit.from, until: hit.until, torn: *torn });
                }
            }
            Fault::Leave { within_s, .. } => {
                for node in &hit.nodes {
                    let from = hit.from + Micros::from_secs_f64(hit.rng.random::<f64>() * within_s);
                    downs[node.index()].push(Down { from, until: Micros::NEVER, torn: false });
                }
            }
            Fault::Churn { per_hour, away_s, .. } if !hit.nodes.is_empty() => {
                let mean_s = 3_600.0 / per_hour;
                let exp = |rng: &mut SimRng, mean_s: f64| Micros::from_secs_f64(rng.sample::<f64, _>(Exp1) * mean_s);
                let mut from = hit.from + exp(&mut hit.rng, mean_s);
                while from < hit.until {
                    let node = hit.nodes[hit.rng.random_range(0..hit.nodes.len())];
                    let until = from + exp(&mut hit.rng, *away_s);
                    downs[node.index()].push(Down { from, until, torn: false });
                    from = from + exp(&mut hit.rng, mean_s);
                }
            }
            _ => {}
        }
    }
    let all = nodes.iter().zip(downs).enumerate();
    all.flat_map(|(index, (node, downs))| lives::actions(NodeId::of(index), node.join_at, downs)).collect()
}

/// Returns the groups of nodes over time, by the latest active partition.
fn groups_of(nodes: usize, hits: &mut [Hit<'_>]) -> Vec<(Micros, Action)> {
    let mut drawn = Vec::new();
    for (index, hit) in hits.iter_mut().enumerate() {
        if let Fault::Partition { parts, .. } = hit.fault {
            drawn.push((index, draw_groups(parts, nodes, &mut hit.rng)));
        }
    }
    let groups = |at| {
        let holds = drawn.iter().filter(|(index, _)| hits[*index].holds(at));
        let latest = holds.max_by_key(|(index, _)| (hits[*index].from, *index));
        latest.map_or_else(|| vec![0; nodes], |(_, groups)| groups.clone())
    };
    changes(hits, vec![0; nodes], groups).map(|(at, groups)| (at, Action::Groups(groups))).collect()
}

fn draw_groups(parts: &[f64], nodes: usize, rng: &mut SimRng) -> Vec<u8> {
    let mut order: Vec<usize> = (0..nodes).collect();
    order.shuffle(rng);
    let last = u8::try_from(parts.len().saturating_sub(1)).unwrap_or(u8::MAX);
    let mut groups = vec![last; nodes];
    let mut rest = order.into_iter();
    for (group, part) in (0..last).zip(parts) {
        for node in rest.by_ref().take(part_of(*part, nodes)) {
            groups[node] = group;
        }
    }
    groups
}

fn node_changes(id: NodeId, node: &DrawnNode, hits: &[Hit<'_>]) -> Vec<(Micros, Action)> {
    if !hits.iter().any(|hit| hit.nodes.binary_search(&id).is_ok()) {
        return Vec::new();
    }
    let usual = node.line.line();
    let line = |at| {
        let mut line = usual;
        for hit in hits.iter().filter(|hit| hit.hits(id, at)) {
            match hit.fault {
                Fault::Bandwidth { factor, .. } => {
                    line.up_bps *= factor;
                    line.down_bps *= factor;
                }
                Fault::Loss { chance, .. } => line.loss += chance,
                _ => {}
            }
        }
        line
    };
    let lines = changes(hits, usual, line).map(|(at, line)| (at, Action::Line(id, line)));
    let latest = |at, of: fn(&Fault) -> Option<f64>| {
        let holds = hits.iter().filter(|hit| hit.hits(id, at));
        let latest = holds.filter_map(|hit| Some((hit.from, of(hit.fault)?))).max_by_key(|(from, _)| *from);
        latest.map(|(_, value_s)| Micros::from_secs_f64(value_s))
    };
    let switch = |at| latest(at, switch_s).unwrap_or(node.device_switch);
    let switches = changes(hits, node.device_switch, switch).map(|(at, time)| (at, NodeFault::DeviceSwitch(time)));
    let delay = |at| latest(at, delay_s).unwrap_or(node.bitcoind_delay);
    let delays = changes(hits, node.bitcoind_delay, delay).map(|(at, time)| (at, NodeFault::BitcoindDelay(time)));
    let claims = changes(hits, None, |at| claim_at(id, hits, at));
    let claims = claims.map(|(at, claim)| (at, NodeFault::BitcoindClaims(claim)));
    let steps = hits.iter().filter(|hit| hit.nodes.binary_search(&id).is_ok());
    let steps = steps.filter_map(|hit| Some((hit.from, clock_step(hit.fault)?)));
    let own = switches.chain(delays).chain(claims).chain(steps).map(|(at, fault)| (at, Action::Node(id, fault)));
    lines.chain(own).collect()
}

fn switch_s(fault: &Fault) -> Option<f64> {
    if let Fault::SlowDevice { switch_s, .. } = fault { Some(*switch_s) } else { None }
}

fn delay_s(fault: &Fault) -> Option<f64> {
    if let Fault::SlowBitcoind { delay_s, .. } = fault { Some(*delay_s) } else { None }
}

fn claim_at(id: NodeId, hits: &[Hit<'_>], at: Micros) -> Option<Claim> {
    let claims = hits.iter().filter(|hit| hit.hits(id, at)).filter_map(|hit| match hit.fault {
        Fault::LyingBitcoind { claim, .. } => Some((hit.from, *claim)),
        _ => None,
    });
    claims.max_by_key(|(from, _)| *from).map(|(_, claim)| claim)
}

fn clock_step(fault: &Fault) -> Option<NodeFault> {
    let Fault::ClockStep { step_s, .. } = fault else { return None };
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates; steps are a day at most")]
    let step_us = (step_s * 1e6) as i64;
    Some(NodeFault::ClockStep(step_us))
}
