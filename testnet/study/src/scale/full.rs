//! Comparison with the real program in the simulated world: the same nodes, lines, distances and connections in both.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;
use sharechain::ShareId;

use super::mean;
use super::tables::{stale, table};
use crate::jobs::Effort;
use crate::models::scale::Setup;
use crate::models::scale::ground::{Ground, LINES};
use crate::models::scale::outcome::Outcome;
use crate::models::scale::peers::Connections;
use crate::models::scale::wave::Kind;
use crate::models::scale::wire::{Sizes, proof};
use crate::result::{Cell, Table};
use crate::stats::{as_f64, quantile};
use sim::full::wire::{GOSSIP_AROUND_BYTES, REQUEST_AROUND_BYTES};
use sim::full::{SimNode, Summary, build};
use sim::rng::{derive, stream};
use sim::scenario::{Constants, Miners, Nodes, Pool, Scenario};
use sim::time::Micros;
use sim::world::World;

/// Hashes of the merkle branch of the simulated Bitcoin's blocks.
const BRANCH: usize = 2;

/// The same pool in the simulated world and in the model.
#[derive(Debug)]
pub(super) struct Comparison {
    summary: Summary,
    /// Seconds from the creation of a link until it becomes a node's tip, for the nodes where it does.
    tips_s: Vec<f64>,
    model: Outcome,
    sizes: Sizes,
}

impl Comparison {
    /// Runs both.
    ///
    /// # Panics
    /// Never: the scenario has only honest miners.
    pub(super) fn new(effort: Effort, seed: u64) -> Self {
        let seed = derive(seed, "scale full", 0);
        let scenario = scenario(effort.size.pick(100, 40), effort.size.pick(3_600.0, 600.0));
        let mut world = build(&scenario, seed).expect("there are honest miners");
        let tips_s = run(&mut world, Micros::from_secs_f64(scenario.duration_s));
        let summary = Summary::of(&world, &scenario, seed);
        let setup = setup(&scenario, seed);
        Self { summary, tips_s, model: setup.run(), sizes: setup.sizes }
    }

    /// Returns the bytes per second of the model's messages with the simulated world's overhead, which includes neither
    /// announcements nor acknowledgements.
    fn model_sent(&self) -> f64 {
        let (model, sizes) = (&self.model, &self.sizes);
        let copies = |kind: usize| {
            let bytes = mean(model, |of| if kind == 0 { of.shares.bare_up } else { of.links.bare_up });
            bytes / f64::from(model.weights[kind].line).max(1.0)
        };
        let link = f64::from(sizes.link) + model.listed * f64::from(sizes.id);
        let gossip = copies(0) * f64::from(GOSSIP_AROUND_BYTES + sizes.share)
            + copies(1) * (f64::from(GOSSIP_AROUND_BYTES) + link);
        let around = f64::from(2 * REQUEST_AROUND_BYTES);
        let tip = around + f64::from(sizes.tip.0 + sizes.tip.1);
        let pending = around + f64::from(sizes.pending.0 + sizes.pending.1) + model.pending * f64::from(sizes.id);
        let peers = mean(model, |of| as_f64(of.peers.0));
        gossip + peers * (tip / TIP_INTERVAL_S + pending / PENDING_INTERVAL_S)
    }

    /// Returns the relative difference of a node's upload, the model's over the simulated world's.
    pub(super) fn difference(&self) -> f64 {
        self.model_sent() / self.summary.traffic.sent_bytes_per_s - 1.0
    }

    pub(super) fn table(&self) -> Table {
        let (summary, model) = (&self.summary, &self.model);
        let links = model.all_arrivals(Kind::Link);
        let copies = 1.0 - 1.0 / model.copies[0].max(1.0);
        #[expect(clippy::cast_precision_loss, reason = "counts of links are small")]
        let lost = 1.0 - summary.links.main as f64 / summary.links.found.max(1) as f64;
        let row =
            |name: &str, full: f64, model: Cell, digits: u8| vec![Cell::text(name), Cell::number(full, digits), model];
        let number =
            |name: &str, full: f64, model: f64, digits: u8| row(name, full, Cell::number(model, digits), digits);
        table(
            format!(
                "{} nodes for {:.0} s in the simulated world, where each runs the program itself, and in the model. The \
                 simulated world leaves news of messages and acknowledgements out, so they are left out here",
                model.nodes, summary.duration_s
            ),
            &["what", "simulated world", "model"],
            vec![
                number("a node sends, kB/s", summary.traffic.sent_bytes_per_s / 1e3, self.model_sent() / 1e3, 2),
                number("of gossip, what is copies, %", summary.traffic.duplicate_part * 100.0, copies * 100.0, 1),
                number("links reach half of the nodes, s", quantile(&self.tips_s, 0.5), links.quantile_s(0.5), 2),
                number("90%, s", quantile(&self.tips_s, 0.9), links.quantile_s(0.9), 2),
                number("99%, s", quantile(&self.tips_s, 0.99), links.quantile_s(0.99), 2),
                number("until a share is listed, s", summary.listing_s.mean, model.listing_s, 1),
                row("links that lost a race, %", lost * 100.0, Cell::estimate(stale(model), 1), 1),
            ],
        )
    }
}

/// Seconds between two requests for a peer's tip, and for its unlisted shares.
const TIP_INTERVAL_S: f64 = p2p_proto::limits::TIP_INTERVAL_MS as f64 / 1e3;
const PENDING_INTERVAL_S: f64 = p2p_proto::limits::PENDING_INTERVAL_MS as f64 / 1e3;

fn scenario(nodes: u32, duration_s: f64) -> Scenario {
    // Twenty lines in the model's mix. Each stands for five percent.
    let lines = LINES.iter().flat_map(|(kind, hundredths)| std::iter::repeat_n(*kind, usize::from(hundredths / 5)));
    Scenario {
        name: "scale".to_owned(),
        duration_s,
        pool: Pool::default(),
        constants: Constants::default(),
        nodes: vec![Nodes { lines: lines.collect(), ..Nodes::usual("all", nodes) }],
        miners: vec![Miners::honest("all", "all", 1.0)],
        faults: Vec::new(),
    }
}

/// Returns the same setup for the model.
fn setup(scenario: &Scenario, seed: u64) -> Setup {
    let drawn = scenario.draw(seed);
    let kinds = drawn.nodes.iter().map(|node| node.line).collect();
    // P2WPKH, as for the miners of the simulated world.
    let payout = ScriptBuf::from_bytes([&[0x00, 0x14][..], &[7; 20]].concat());
    let payouts = drawn.miners.len().min(sharechain::ChainParams::main().outputs_max);
    Setup {
        ground: Ground::given(drawn.distances.clone(), kinds, seed),
        connections: Connections::new(&drawn.topology, &mut stream(seed, "scale connections", 0)),
        sizes: Sizes::of(&proof(payout, payouts, BRANCH)),
        ..Setup::main(drawn.nodes.len(), drawn.duration, seed)
    }
}

/// Runs the world and records when nodes' tips change.
fn run(world: &mut World<SimNode>, end: Micros) -> Vec<f64> {
    let mut tips: BTreeMap<usize, ShareId> = BTreeMap::new();
    let mut after_s = Vec::new();
    while let Some(step) = world.step(end) {
        let Some(node) = step.node.map(|id| id.index()) else { continue };
        let Some(tip) = world.nodes[node].chain().map(sharechain::Chain::tip) else { continue };
        if tips.insert(node, tip) != Some(tip)
            && let Some(find) = world.environment.ledger.find(&tip)
        {
            after_s.push((world.schedule.now() - find.at).as_secs_f64());
        }
    }
    after_s
}
