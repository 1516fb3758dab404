//! Small random scenarios, to find unexpected failures.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::{Claim, Constants, Fault, Hours, Miners, Nodes, Pool, STRATEGIES, Scenario, Who};
use crate::rng::{SimRng, stream};
use crate::transport::LineKind;

/// Number of nodes of a random scenario.
const NODES: std::ops::RangeInclusive<u32> = 6..=12;

/// Length in minutes.
const MINUTES: std::ops::RangeInclusive<u32> = 10..=40;

/// Largest number of faults.
const FAULTS_MAX: u32 = 6;

/// Part of the time within which faults end, so that the pool has the rest to recover.
const FAULTY_PART: f64 = 0.7;

impl Scenario {
    /// Creates a random scenario: some nodes for some minutes, some with a strategy, some faults. It depends on the
    /// seed only.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let rng = &mut stream(seed, "scenario", 0);
        let nodes = rng.random_range(NODES);
        let dishonest = rng.random_range(0..=nodes / 4);
        let duration_s = f64::from(rng.random_range(MINUTES)) * 60.0;
        let mut groups = vec![random_nodes("honest", nodes - dishonest, rng)];
        // Dishonest miners have less than half of the hashrate. With more, the protocol guarantees nothing.
        let part = if dishonest > 0 { f64::from(rng.random_range(5..=45)) / 100.0 } else { 0.0 };
        let mut miners = vec![Miners::honest("honest", "honest", 1.0 - part)];
        for index in 0..dishonest {
            let name = format!("dishonest-{index}");
            let strategy = STRATEGIES[1..].choose(rng).copied().unwrap_or("selfish");
            groups.push(random_nodes(&name, 1, rng));
            let group = Miners::honest(&name, &name, part / f64::from(dishonest));
            miners.push(group.with(strategy, toml::Table::new()));
        }
        if rng.random_bool(0.2) {
            miners[0].hours = Hours::Random { on_s: 300.0, off_s: 60.0 };
        }
        let faults =
            (0..rng.random_range(0..=FAULTS_MAX)).map(|_| random_fault(duration_s * FAULTY_PART, rng)).collect();
        let pool = Pool { bitcoin_part: *[0.05, 0.2, 1.0].choose(rng).unwrap_or(&0.2), ..Pool::default() };
        Self {
            name: format!("random {seed}"),
            duration_s,
            pool,
            constants: random_constants(rng),
            nodes: groups,
            miners,
            faults,
        }
    }
}

/// Returns mainnet's constants, or others with which payouts are shared and links settle within a short scenario.
fn random_constants(rng: &mut SimRng) -> Constants {
    if rng.random() {
        return Constants::default();
    }
    Constants {
        link_interval_s: [3, 5, 10].choose(rng).copied(),
        anchor_depth: [12, 60].choose(rng).copied(),
        snapshot_bitcoin_depth: Some(1),
        snapshot_burial: Some(4),
        seed_depth: Some(1),
        listed_before_payouts: Some(48),
        outputs_max: [1, 3, 48].choose(rng).copied(),
        window_blocks: [0.2, 2.0].choose(rng).copied(),
        ..Constants::default()
    }
}

fn random_nodes(name: &str, count: u32, rng: &mut SimRng) -> Nodes {
    let kinds = rng.random_range(1..=LineKind::ALL.len());
    Nodes {
        lines: LineKind::ALL.choose_multiple(rng, kinds).copied().collect(),
        clock_skew_s: tenths(0, 40, rng),
        device_switch_s: tenths(0, 50, rng),
        bitcoind_delay_s: tenths(0, 30, rng),
        ..Nodes::usual(name, count)
    }
}

fn random_fault(end_s: f64, rng: &mut SimRng) -> Fault {
    let at_s = (rng.random_range(0.0..0.8) * end_s).round();
    let for_s = (end_s - at_s).min(tenths(50, 6_000, rng));
    let who = Who::Part(tenths(1, 5, rng));
    match rng.random_range(0..11) {
        0 => {
            let part = tenths(1, 5, rng);
            Fault::Partition { at_s, for_s: Some(for_s), parts: vec![part, 1.0 - part] }
        }
        1 => Fault::Crash { at_s, for_s, who, torn: rng.random() },
        2 => Fault::Churn { at_s, for_s, per_hour: tenths(100, 1_000, rng), away_s: tenths(10, 1_200, rng), who },
        3 => Fault::Latency { at_s, for_s, factor: tenths(20, 200, rng) },
        4 => Fault::Bandwidth { at_s, for_s, factor: tenths(1, 5, rng) / 10.0, who },
        5 => Fault::Loss { at_s, for_s, chance: tenths(1, 3, rng), who },
        6 => Fault::ClockStep { at_s, step_s: tenths(-300, 300, rng), who },
        7 => Fault::SlowDevice { at_s, for_s, switch_s: tenths(10, 300, rng), who },
        8 => Fault::SlowBitcoind { at_s, for_s, delay_s: tenths(50, 600, rng), who },
        9 => {
            let claims = [Claim::MadeUpTip, Claim::InvalidBlock, Claim::StaysBehind];
            let claim = claims.choose(rng).copied().unwrap_or(Claim::StaysBehind);
            Fault::LyingBitcoind { at_s, for_s, claim, who }
        }
        _ => Fault::Hashrate {
            at_s,
            for_s: Some(for_s),
            factor: *[0.01, 0.1, 10.0].choose(rng).unwrap_or(&1.0),
            miners: None,
        },
    }
}

/// Returns a number from `low` to `high` tenths, so that files stay readable.
fn tenths(low: i32, high: i32, rng: &mut SimRng) -> f64 {
    f64::from(rng.random_range(low..=high)) / 10.0
}
