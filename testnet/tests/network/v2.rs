//! Miners of Stratum v2 at a real node, with real proof of work: their shares earn, and they survive a new tip, an outage of
//! bitcoind and a restart of the node.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::sv2::{Miner, Wish};
use crate::v2_scene::Scene;

/// Whom the two channels pay.
const STANDARD: &str = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx";
const EXTENDED: &str = "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7";

/// Opens a channel, again and again until the node takes it.
fn open(scene: &Scene, key: [u8; 32], wish: &Wish) -> Miner {
    let began = Instant::now();
    loop {
        match Miner::open(scene.v2, Some(key), wish) {
            Ok(miner) => return miner,
            Err(error) => assert!(began.elapsed() < Duration::from_secs(60), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn both(scene: &Scene, key: [u8; 32]) -> [Miner; 2] {
    [
        open(scene, key, &Wish::standard(&format!("{STANDARD}.rig"))),
        open(scene, key, &Wish::extended(&format!("{EXTENDED}.proxy"))),
    ]
}

/// The key in a URL, as a miner reads it.
fn key_of(url: &str) -> [u8; 32] {
    let text = url.strip_prefix("stratum2+tcp://").unwrap().split_once('/').unwrap().1;
    let bytes = bitcoin::base58::decode_check(text).unwrap();
    assert_eq!(bytes[..2], [1, 0], "version of the key");
    bytes[2..].try_into().unwrap()
}

/// Mines with both until `is_enough`.
fn mine(miners: &mut [Miner; 2], limit: Duration, mut is_enough: impl FnMut(&[Miner; 2], u32) -> bool) {
    let (began, mut accepted) = (Instant::now(), 0);
    while !is_enough(miners, accepted) {
        assert!(began.elapsed() < limit, "{accepted} shares in {limit:?}");
        for miner in &mut *miners {
            miner.drain().unwrap();
            if let Some(share) = miner.find(20_000) {
                match miner.submit(&share).unwrap() {
                    Ok(()) => accepted += 1,
                    Err(code) => panic!("share rejected: {code}"),
                }
            }
        }
        // The nodes need the cores, too.
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn miners_of_stratum_v2_earn_and_survive_a_tip_an_outage_and_a_restart() {
    let mut scene = Scene::start();
    let key = key_of(&scene.url());
    let mut spaces = HashSet::new();
    let mut miners = both(&scene, key);
    spaces.extend(miners.each_ref().map(|miner| miner.prefix[..8].to_vec()));
    mine(&mut miners, Duration::from_secs(90), |miners, accepted| {
        miners.iter().all(|miner| miner.tips >= 2) && accepted >= 10 && scene.pays(&[STANDARD, EXTENDED])
    });

    scene.line.cut();
    let cut = Instant::now();
    for miner in &mut miners {
        let ended = std::iter::repeat_with(|| miner.step(Duration::from_secs(60))).find_map(Result::err).unwrap();
        assert!(ended.starts_with("channel closed: this node has no work: "), "{ended}");
    }
    let left = cut.elapsed();
    assert!(left > Duration::from_secs(20) && left < Duration::from_secs(45), "the miners left after {left:?}");
    let refused = Miner::open(scene.v2, Some(key), &Wish::standard(STANDARD)).err().unwrap();
    assert!(refused.starts_with("this node has no work: "), "{refused}");

    scene.line.mend();
    let mut miners = both(&scene, key);
    spaces.extend(miners.each_ref().map(|miner| miner.prefix[..8].to_vec()));
    mine(&mut miners, Duration::from_secs(60), |_, accepted| accepted >= 4);

    scene.up.must(&["kill", "A"]);
    scene.up.must(&["restart", "A"]);
    let mut miners = both(&scene, key);
    spaces.extend(miners.each_ref().map(|miner| miner.prefix[..8].to_vec()));
    mine(&mut miners, Duration::from_secs(60), |_, accepted| accepted >= 4);
    assert_eq!(spaces.len(), 6, "no two search spaces are the same");
    drop(miners);
    scene.up.must(&["stop"]);
    assert!(scene.up.end(Duration::from_secs(60)).success(), "{}", scene.up.log());
    scene.up.check(&["--agreed", "--lost-max", "0"]);
}
