//! What payouts cost for a window of 500,000 shares and 10,000 scripts, from rows to outputs and with all sums cached.
//!
//! Targets: below 1 ms from the window's sums, below 20 us when the snapshot is cached.

use std::hint::black_box;

use bitcoin::ScriptBuf;
use bitcoin::hashes::{Hash, sha256};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use sharechain::payout::{Selection, select};
use sharechain::window::{Row, Rows, ScriptIndex, Scripts, Window};
use sharechain::{ChainParams, Height, Weight};

const SCRIPTS: u64 = 10_000;
const LINKS: u32 = 15_625;
const SHARES_PER_LINK: u64 = 32;
const SUBSIDY_SAT: u64 = 312_500_000;
const SEED: [u8; 32] = [7; 32];

struct Pool {
    params: ChainParams,
    scripts: Scripts,
    links: Vec<Rows>,
}

impl Pool {
    /// Every script is a P2TR output; hashrate falls off as in a real pool, so that the largest are paid exactly.
    fn new() -> Self {
        // One expected block in a quarter of a million shares: half a million reach the window's weight.
        let weight = Weight(Weight::ONE_BLOCK.0 / 250_000);
        let mut scripts = Scripts::default();
        let numbers: Vec<ScriptIndex> = (0..SCRIPTS).map(|n| scripts.intern(&p2tr(n)).expect("34 bytes")).collect();
        let mut random = Random(1);
        let mut row = || Row { script: numbers[random.miner()], weight, shares: 1 };
        let links = (0..LINKS).map(|_| Rows::new((0..SHARES_PER_LINK).map(|_| row()).collect())).collect();
        Self { params: ChainParams::main(), scripts, links }
    }

    fn links_back(&self) -> impl Iterator<Item = (Height, &Rows)> {
        (0..LINKS).map(Height).zip(&self.links).rev()
    }

    fn rows_at(&self, height: Height) -> Option<&Rows> {
        self.links.get(height.0 as usize % self.links.len())
    }

    fn select(&self, window: &Window) -> Selection {
        select(window.dues(&self.scripts), &SEED, SUBSIDY_SAT, &self.params).expect("in range").expect("not empty")
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Half of all shares come from miners spread evenly, the other half from ever fewer.
    fn miner(&mut self) -> usize {
        let range = SCRIPTS >> self.next().trailing_zeros().min(12);
        (self.next() % range.max(1)) as usize
    }
}

fn p2tr(n: u64) -> ScriptBuf {
    let key = sha256::Hash::hash(&n.to_le_bytes()).to_byte_array();
    let mut bytes = vec![0x51, 0x20];
    bytes.extend_from_slice(&key);
    ScriptBuf::from_bytes(bytes)
}

fn payout(c: &mut Criterion) {
    let pool = Pool::new();
    let window = Window::compute(pool.links_back(), &pool.params).expect("it is whole");
    let selection = pool.select(&window);
    eprintln!(
        "window: {} rows, {} scripts; {} outputs",
        window.proofs(),
        window.sums().count(),
        selection.entries().len()
    );

    c.bench_function("payout/outputs, snapshot and seed cached (target < 20 us)", |b| {
        b.iter(|| selection.amounts(black_box(SUBSIDY_SAT + 1_234_567)));
    });
    c.bench_function("payout/selection from sums (target < 1 ms)", |b| {
        b.iter(|| pool.select(black_box(&window)));
    });
    let wide = ChainParams::main_wide();
    let try_all = ChainParams { output_floor_sat: SUBSIDY_SAT, ..wide.clone() };
    for (name, params) in [("1,000 outputs", wide), ("1,000 outputs, all numbers down to one tried", try_all)] {
        c.bench_function(&format!("payout/selection from sums, {name} (target < 2 ms)"), |b| {
            b.iter(|| select(black_box(&window).dues(&pool.scripts), &SEED, SUBSIDY_SAT, &params));
        });
    }
    c.bench_function("payout/cold: next snapshot, selection, outputs (target < 1 ms)", |b| {
        let next = pool.rows_at(window.newest().child()).expect("wraps around");
        b.iter_batched(
            || window.clone(),
            |mut window| {
                window.slide_forward(next, |height| pool.rows_at(height), &pool.params).expect("all rows are there");
                pool.select(&window).amounts(SUBSIDY_SAT)
            },
            BatchSize::SmallInput,
        );
    });
    c.bench_function("payout/window from rows, once at start (no target)", |b| {
        b.iter(|| Window::compute(black_box(&pool).links_back(), &pool.params));
    });
    c.bench_function("payout/everything from rows, once at start (no target)", |b| {
        b.iter(|| {
            pool.select(&Window::compute(black_box(&pool).links_back(), &pool.params).expect("it is whole"))
                .amounts(SUBSIDY_SAT)
        });
    });
}

criterion_group!(benches, payout);
criterion_main!(benches);
