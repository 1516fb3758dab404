//! A node whose bitcoind takes no blocks. What its miners find reaches Bitcoin, since every node that hears of a block
//! builds it and submits it to its own; and work whose block it would reject is not handed out.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::harness::between::{Reaction, names, react_to_calls};
use crate::harness::{Up, node, working};

/// Blocks of the cut-off finder that must reach Bitcoin.
const BLOCKS: usize = 3;

/// All calls that submit a block find the connection closed. Returns what counts them.
fn refuse_blocks(config: &Path) -> Arc<AtomicUsize> {
    let refused = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&refused);
    react_to_calls(config, move |call| {
        if !names(call, "submitblock") {
            return Reaction::PassOn;
        }
        counted.fetch_add(1, Ordering::Relaxed);
        Reaction::Close
    });
    refused
}

#[test]
fn a_block_reaches_bitcoin_though_the_finders_bitcoind_refuses_it() {
    let mut up = Up::start(&["--nodes", "3", "--miners", "3", "--hashrate", "800k"]);
    up.wait_for("all nodes working", Duration::from_secs(60), |status| working(status) == 3);
    let refused = refuse_blocks(&up.dir().join("node-A/shoal.toml"));
    up.must(&["restart", "A"]);
    let log = up.dir().join("up.log");
    let found = || std::fs::read_to_string(&log).unwrap().matches("found by m1 at A").count();
    // Its bitcoind took those that it found before the restart.
    let before = found();
    up.wait_for("blocks of the node whose bitcoind refuses them", Duration::from_secs(300), |_| {
        found() >= before + BLOCKS && refused.load(Ordering::Relaxed) >= BLOCKS
    });
    // The last one is on its way.
    std::thread::sleep(Duration::from_secs(5));
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(120)).success(), "{}", up.log());
    let report = up.report();
    let blocks = report["blocks"].as_array().unwrap();
    let by = |block: &serde_json::Value, node: &str| {
        block["accepted_by"].as_array().unwrap().iter().any(|name| name == node)
    };
    let cut_off: Vec<_> = blocks.iter().filter(|block| block["finder_node"] == "A").skip(before).collect();
    let active = cut_off.iter().filter(|block| block["is_active"] == true).count();
    println!(
        "{} blocks of node A, whose bitcoind refuses them, of which {active} are in Bitcoin's chain",
        cut_off.len()
    );
    assert!(active + 1 >= BLOCKS, "{cut_off:#?}\n{}", up.log());
    assert!(cut_off.iter().all(|block| by(block, "B") || by(block, "C")), "{cut_off:#?}");
}

/// A node whose clock was three hours ahead went on mining blocks that its bitcoind called `time-too-new`.
#[test]
fn work_whose_block_bitcoind_would_reject_is_not_handed_out() {
    let mut up = Up::start(&["--nodes", "2", "--miners", "2"]);
    up.wait_for("both nodes working", Duration::from_secs(60), |status| working(status) == 2);
    let rejects = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&rejects);
    react_to_calls(&up.dir().join("node-A/shoal.toml"), move |call| {
        let judged = names(call, "proposal") && now.load(Ordering::Relaxed);
        if judged { Reaction::Answer("time-too-new") } else { Reaction::PassOn }
    });
    up.must(&["restart", "A"]);
    up.wait_for("node A working", Duration::from_secs(60), |status| working(status) == 2);
    rejects.store(true, Ordering::Relaxed);
    let status = up.wait_for("node A without work", Duration::from_secs(120), |status| working(status) == 1);
    let why = node(&status, "A")["no_work"].as_str().unwrap();
    assert!(why.contains("time-too-new") && why.contains("clock"), "{why}");
    rejects.store(false, Ordering::Relaxed);
    up.wait_for("node A working again", Duration::from_secs(60), |status| working(status) == 2);
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(60)).success(), "{}", up.log());
}
