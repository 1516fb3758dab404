//! A rehearsal of mainnet around the halving at block 1,050,000: full templates, spikes of fees, reorganizations of six blocks.
//! Bitcoin Core's own functions judge every block that the nodes submit.

use std::path::Path;

use bitcoin::Amount;
use sharechain::ChainParams;
use testnet::rehearsal::{self, Core, Fill, HALVING, Rehearsed};

use crate::core_blocks;

/// Blocks of the pool after the halving. `make soak NAME=rehearsal` asks for more.
const BLOCKS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_around_the_halving_are_valid_and_pay_all_of_it() {
    let blocks = std::env::var("REHEARSAL_BLOCKS").map_or(BLOCKS, |text| text.parse().unwrap());
    let shoal = Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("shoal");
    let folder = tempfile::tempdir().unwrap();
    let found = rehearsal::run(&shoal, blocks, folder.path()).await;
    let found = found.unwrap_or_else(|error| panic!("{error:?}, logs in {}", folder.keep().display()));
    let Rehearsed { submitted, coins, height, left, known, tips } = &found;
    println!("{} blocks of the pool, {left} of them left behind, up to block {height}", submitted.len());

    let mut core = Core::start(&core_blocks::build(), coins).unwrap();
    let mut most = [0; 3];
    for block in submitted {
        let judged = core.judge(block).unwrap();
        println!("{} {judged:?}", block.height);
        let subsidy = ChainParams::main().bitcoin.subsidy_sat(block.height);
        assert_eq!(judged.subsidy, subsidy);
        assert_eq!(subsidy, if block.height < HALVING { 312_500_000 } else { 156_250_000 });
        most = [most[0].max(judged.weight), most[1].max(judged.sigops), most[2].max(judged.fees)];
    }
    // What the templates are meant to reach.
    assert!(*left > 0, "no block of the pool was left behind");
    println!("at most {} weight units, sigops cost {}, fees {} sat", most[0], most[1], most[2]);
    assert_eq!(tips[0], tips[1], "the nodes agree");
    let mut hashes: Vec<String> = submitted.iter().map(|of| of.block.block_hash().to_string()).collect();
    hashes.sort();
    for known in known {
        assert_eq!(*known, hashes, "each node knows all blocks of the pool, also those left behind");
    }
}

/// Each kind of template, as a node would mine it, is at a limit.
#[test]
fn templates_of_the_rehearsal_reach_the_limits() {
    let fills = Fill::all();
    let weight = fills.iter().map(|fill| fill.weight).max().unwrap();
    let sigops = fills.iter().map(|fill| fill.sigops).max().unwrap();
    let fees = fills.iter().map(|fill| fill.fees).max().unwrap();
    assert!((3_985_000..=3_992_000).contains(&weight), "{weight}");
    assert!((79_500..=79_600).contains(&sigops), "{sigops}");
    assert!(fees > Amount::from_sat(2_500_000_000), "{fees}");
}
