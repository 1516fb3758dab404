//! Tables and plots of the draw.

use sharechain::ChainParams;

use super::choice::{Attack, Gains, NETWORK_PARTS};
use super::depths::{BURIALS, Depth};
use super::outputs::{OUTPUTS, Shape, coinbase_bytes, window_noise};
use super::{Bias, Results, TARGET};
use crate::models::pay::units::to_f64;
use crate::result::{Axis, Cell, Mark, Plot, Point, Series, Table};
use crate::stats::{Estimate, as_f64};

/// Returns the mean over several samples.
pub(super) fn mean(gains: &[Gains], of: impl Fn(&Gains) -> f64) -> Estimate {
    Estimate::of(&gains.iter().map(of).collect::<Vec<_>>())
}

pub(super) fn tables(results: &Results) -> Vec<Table> {
    vec![of_bias(results), of_choices(results), of_outputs(), of_floors(), of_depths(), of_starts()]
}

fn table<const N: usize>(caption: &str, columns: [&str; N], rows: Vec<Vec<Cell>>) -> Table {
    Table { caption: caption.to_owned(), columns: columns.map(str::to_owned).to_vec(), rows }
}

/// Returns a probability in percent, with enough digits.
fn percent(part: f64) -> Cell {
    if part > 0.0 && part < 1e-4 { Cell::text(format!("{:.0e}", 100.0 * part)) } else { Cell::number(100.0 * part, 2) }
}

fn of_bias(results: &Results) -> Table {
    let of = |of: fn(&Bias) -> f64| Estimate::of(&results.biases.iter().map(of).collect::<Vec<_>>());
    let row = |name: &str, estimate: Estimate, digits: u8| vec![Cell::text(name), Cell::estimate(estimate, digits)];
    table(
        "Pay over due in a pool of three miners with 10% each, 47 with 1%, 200 with 0.1% and 750 who share 3%.",
        ["who", "pay over due"],
        vec![
            row("three largest, paid exactly", of(|bias| bias.exact), 6),
            row("47 with 1% and 200 with 0.1%, by draw", of(|bias| bias.middle), 4),
            row("750 smallest, by draw", of(|bias| bias.tail), 4),
            row("largest error of an expectation by rounding, sat", of(|bias| bias.most_sat), 3),
            row("first output beyond its due, sat", of(|bias| bias.first_sat), 1),
        ],
    )
}

fn of_choices(results: &Results) -> Table {
    let row = |(attack, gains): &(Attack, Vec<Gains>)| {
        let percent = |of: &dyn Fn(&Gains) -> f64| Cell::estimate(mean(gains, of).times(100.0), 3);
        let mut row = vec![
            Cell::number(100.0 * attack.part, 1),
            Cell::number(f64::from(attack.scripts), 0),
            Cell::estimate(mean(gains, |gains| gains.mean), 3),
            Cell::estimate(mean(gains, |gains| gains.spread), 2),
            percent(&|gains| gains.two_classes),
        ];
        row.extend([1, 2].map(|at| percent(&|gains: &Gains| gains.tips.get(at).copied().unwrap_or(f64::NAN))));
        let discards =
            (0..NETWORK_PARTS.len()).map(|at| percent(&|gains| gains.discard.get(at).copied().unwrap_or(f64::NAN)));
        row.extend(discards);
        row
    };
    table(
        "What choices gain an attacker, percent of its fair income. Tips would only matter if the seed were the tip: it \
         lies two blocks deeper, the same for competing tips, so the gain is 0. Throwing blocks away is the only choice \
         that the rules leave, in a pool with 1%, 10% and 30% of Bitcoin's hashrate.",
        [
            "part of the pool, %",
            "scripts",
            "pay over due",
            "spread of a block's pay",
            "two classes",
            "two tips (if)",
            "three tips (if)",
            "blocks thrown away, 1%",
            "10%",
            "30%",
        ],
        results.attacks.iter().map(row).collect(),
    )
}

fn of_outputs() -> Table {
    let chosen = ChainParams::main().outputs_max;
    let row = |(outputs, devices): &(usize, &str)| {
        let shape = Shape::of_outputs(*outputs);
        vec![
            Cell::text(if *outputs == chosen { format!("{outputs}, chosen") } else { outputs.to_string() }),
            Cell::text(*devices),
            Cell::number(as_f64(coinbase_bytes(*outputs)), 0),
            Cell::number(as_f64(shape.exact), 0),
            Cell::number(shape.even_sat, 0),
            Cell::number(1.0 / shape.payments_per_year, 0),
            Cell::number(0.01 / shape.payments_per_year, 2),
            Cell::number((100.0 * shape.payments_per_year).sqrt().recip(), 2),
        ]
    };
    table(
        "Outputs of a coinbase in a pool of 10 EH/s. The spread of a small miner's pay follows from the number of its \
         payments alone, which follows from the even payment, and does not fall with the size of the pool.",
        [
            "outputs",
            "devices that hold no more",
            "bytes of the coinbase",
            "paid exactly",
            "even payment, sat",
            "years between payments, 1 TH/s",
            "the same, 100 TH/s",
            "spread of a year's pay, 100 TH/s",
        ],
        OUTPUTS.iter().map(row).collect(),
    )
}

fn of_floors() -> Table {
    let chosen = ChainParams::main().output_floor_sat;
    let row = |(floor, others): (u64, f64)| {
        let shape = Shape::of_floor(floor, others);
        let name = if floor == chosen { format!("{floor}, chosen") } else { floor.to_string() };
        vec![
            Cell::text(name),
            Cell::number(100.0 * others, 2),
            Cell::number(as_f64(shape.outputs), 0),
            Cell::number(shape.even_sat, 0),
        ]
    };
    let floors = [1_000, 10_000, 100_000, 1_000_000];
    let rows = floors.iter().flat_map(|floor| [0.1, 0.01, 0.001, 0.000_1].map(|others| row((*floor, others))));
    table(
        "The floor of an even payment binds only where one miner has nearly all of the pool. To spend a P2TR output costs \
         58 vB: 580 sat at 10 sat/vB, 5,800 at 100.",
        ["floor, sat", "part of all other miners, %", "outputs", "even payment, sat"],
        rows.collect(),
    )
}

fn of_depths() -> Table {
    let params = ChainParams::main();
    let chosen = (params.snapshot_bitcoin_depth, params.snapshot_burial);
    let row = |(blocks, burial): (u32, u32)| {
        let depth = Depth::of(blocks, &ChainParams { snapshot_burial: burial, ..params.clone() });
        let name = format!("{blocks} and {burial}{}", if (blocks, burial) == chosen { ", chosen" } else { "" });
        let mut row = vec![Cell::text(name), Cell::number(depth.lag_min, 0), percent(depth.choice)];
        row.extend(depth.early_seed.map(percent));
        row
    };
    let columns = [
        "snapshot, Bitcoin blocks and links".to_owned(),
        "minutes to the payment, mean".to_owned(),
        "a choice of snapshots, %".to_owned(),
    ];
    let burials = BURIALS.iter().map(|links| format!("seed known with {links} links on top, %"));
    Table {
        caption: "How deep the snapshot lies. A proof that is as old as still earns may have a choice of snapshots \
                  when as many Bitcoin blocks came in 40 minutes. A miner who knows the seed while a snapshot is \
                  less than 60, 240 or 360 links deep could try to replace the links that determine it; a link 360 \
                  deep is settled."
            .to_owned(),
        columns: columns.into_iter().chain(burials).collect(),
        rows: [(3, 18), (5, 18), (7, 18), (9, 18), (13, 0), (13, 18), (13, 60), (19, 18), (25, 18)].map(row).to_vec(),
    }
}

fn of_starts() -> Table {
    let params = ChainParams::main();
    let per_s = f64::from(params.shares_per_link) / f64::from(params.link_interval_s);
    let row = |shares: u64| {
        let count = to_f64(u128::from(shares));
        let name =
            if shares == params.listed_before_payouts { format!("{shares}, chosen") } else { shares.to_string() };
        vec![
            Cell::text(name),
            Cell::number(count / per_s / 60.0, 1),
            Cell::number(100.0 * window_noise(count, 0.1), 1),
            Cell::number(100.0 * window_noise(count, 0.01), 1),
        ]
    };
    table(
        "Shares before anyone but the finder is paid. Chance alone spreads a miner's part of so small a window; the \
         mean is fair from the first share on. The snapshot's depth adds two hours to any of these.",
        ["shares", "minutes of a new pool", "spread of a miner's part, 10% of the pool, %", "1% of the pool, %"],
        [100, 576, 2_304, 9_216, 36_864].map(row).to_vec(),
    )
}

pub(super) fn plots(results: &Results) -> Vec<Plot> {
    let mut scripts: Vec<u32> = results.attacks.iter().map(|(attack, _)| attack.scripts).collect();
    scripts.sort_unstable();
    scripts.dedup();
    let line = |scripts: u32| Series {
        name: if scripts == 1 { "1 script".to_owned() } else { format!("{scripts} scripts") },
        points: results
            .attacks
            .iter()
            .filter(|(attack, _)| attack.scripts == scripts)
            .map(|(attack, gains)| Point::new(100.0 * attack.part, mean(gains, |gains| gains.two_classes).times(100.0)))
            .collect(),
    };
    vec![Plot {
        caption: "What a second class of 12 outputs would gain a finder that chooses the better of two draws."
            .to_owned(),
        x: Axis { label: "part of the pool, %".to_owned(), log: true },
        y: Axis { label: "gain over the fair income, %".to_owned(), log: false },
        series: scripts.into_iter().map(line).collect(),
        marks: vec![Mark { name: "target".to_owned(), y: 100.0 * TARGET }],
    }]
}
