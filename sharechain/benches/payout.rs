//! What payouts cost for a full window, 2^21 proofs and 10,000 scripts: from rows to outputs, with all sums cached, and the
//! tree of sums that the state root commits to. Then a window in a peer's shape: 120,960 shares of five miners, as
//! p2poolv2 measures its own payouts.
//!
//! Targets: below 1 ms from the window's sums, below 20 us when the snapshot is cached.

use std::hint::black_box;

use bitcoin::ScriptBuf;
use bitcoin::hashes::{Hash, sha256};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use sharechain::payout::{Selection, select};
use sharechain::state::of_weights;
use sharechain::window::{Row, Rows, Scripts, Window};
use sharechain::{ChainParams, Height, Weight};

const SCRIPTS: u64 = 10_000;
/// Links of a full window: each credits its shares and itself.
const LINKS: u32 = 63_551;
const PROOFS_PER_LINK: u64 = 33;
/// Two weeks, with a share every ten seconds.
const PEER_SHARES: u32 = 120_960;
const PEER_SCRIPTS: u64 = 5;
const SUBSIDY_SAT: u64 = 312_500_000;
const SEED: [u8; 32] = [7; 32];

struct Pool {
    params: ChainParams,
    scripts: Scripts,
    links: Vec<Rows>,
}

impl Pool {
    /// Every script is a P2TR output; hashrate falls off as in a real pool, so that the largest are paid exactly.
    fn new(links: u32, proofs_per_link: u64, scripts_count: u64) -> Self {
        // Low enough that the number of proofs ends the window.
        let weight = Weight(Weight::ONE_BLOCK.0 / 1_000_000);
        let mut scripts = Scripts::default();
        let numbers: Vec<_> = (0..scripts_count).map(|n| scripts.intern(&p2tr(n)).expect("34 bytes")).collect();
        let mut random = Random(1);
        let mut row = || Row { script: numbers[random.miner(scripts_count)], weight, shares: 1 };
        let links = (0..links).map(|_| Rows::new((0..proofs_per_link).map(|_| row()).collect())).collect();
        Self { params: ChainParams::main(), scripts, links }
    }

    fn links_back(&self) -> impl Iterator<Item = (Height, &Rows)> {
        (0..).map(Height).zip(&self.links).collect::<Vec<_>>().into_iter().rev()
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
    fn miner(&mut self, scripts: u64) -> usize {
        let range = scripts >> self.next().trailing_zeros().min(12);
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
    let pool = Pool::new(LINKS, PROOFS_PER_LINK, SCRIPTS);
    let window = Window::compute(pool.links_back(), &pool.params).expect("it is whole");
    let selection = pool.select(&window);
    eprintln!(
        "window: {} proofs, {} scripts; {} outputs",
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
    let wide = ChainParams::main().wide("main-wide");
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
    c.bench_function("payout/tree of sums, its root (no target)", |b| {
        b.iter(|| of_weights(black_box(&window).dues(&pool.scripts)).expect("in range").root);
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

/// p2poolv2's own benchmark took 437 us. Shares listed by one link share its rows, one for each miner.
fn peer(c: &mut Criterion) {
    for (shape, shares_per_link) in [("32 to a link", 32), ("each in a link of its own", 1)] {
        let pool = Pool::new(PEER_SHARES / shares_per_link, shares_per_link.into(), PEER_SCRIPTS);
        let links: Vec<_> = pool.links_back().collect();
        let window = || Window::compute(black_box(&links).iter().copied(), &pool.params).expect("it is whole");
        c.bench_function(&format!("payout/120,960 shares of 5 miners, {shape}: from rows (peer: 437 us)"), |b| {
            b.iter(|| pool.select(&window()).amounts(SUBSIDY_SAT));
        });
        let window = window();
        c.bench_function(&format!("payout/120,960 shares of 5 miners, {shape}: from sums"), |b| {
            b.iter(|| pool.select(black_box(&window)).amounts(SUBSIDY_SAT));
        });
    }
}

criterion_group!(benches, payout, peer);
criterion_main!(benches);
