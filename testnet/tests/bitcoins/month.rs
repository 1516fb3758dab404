//! A day of Bitcoin's blocks around the halving in simulated time, and thirty days in `make soak NAME=month`. Bitcoin Core's own
//! functions judge every block that the pool finds.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::core_blocks;

/// A day of blocks: each takes a million hashes.
const BLOCKS: u64 = 144;

#[test]
fn every_block_of_days_around_the_halving_is_valid_and_pays_all_of_it() {
    let blocks = std::env::var("MONTH_BLOCKS").map_or(BLOCKS, |text| text.parse().unwrap());
    let output = Command::new(env!("CARGO_BIN_EXE_shoal-testnet"))
        .args(["bench", "month", "--json", "--blocks", &blocks.to_string(), "--core"])
        .arg(core_blocks::build())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success());
    let month: Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |name: &str| month[name].as_u64().unwrap();
    assert!(number("end") >= number("start") + blocks);
    // One in thirteen, and one for each reorganization.
    let (found, after) = (number("blocks"), number("blocks_after_halving"));
    assert!(found >= blocks / 14 && after > 0 && after < found, "{found} {after}");
    assert!(number("shared") > 0);
    let depths = month["reorganizations"].as_array().unwrap();
    let reorganized: u64 = depths.iter().map(|count| count.as_u64().unwrap()).sum();
    assert!(depths[5].as_u64() > Some(0) && number("left") >= reorganized, "{depths:?}");
    // A link every ten seconds, a share with each, and the pool's blocks.
    let links = number("simulated_s") / 10 + found;
    assert!(number("links").abs_diff(links) <= 1, "{links}");
    assert!(number("proofs").abs_diff(2 * links - found) <= 2, "{links}");
    assert!((3_985_000..=4_000_000).contains(&number("weight_max")));
    assert!((79_500..=80_000).contains(&number("sigops_max")));
    assert!(number("fees_max") > 2_500_000_000);
    assert!(month["block_s"][0].as_u64() < Some(60) && month["block_s"][1].as_u64() > Some(1_500));
    if blocks > 4_000 {
        assert!(depths.iter().all(|count| count.as_u64() > Some(0)), "{depths:?}");
        assert_eq!(number("retargets"), 2);
    }
}
