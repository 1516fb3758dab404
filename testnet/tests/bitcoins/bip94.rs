//! BIP-0094's bound on the time of a period's first block, against a real bitcoind: its regtest enforces it with
//! `-test=bip94`.

use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::hashes::Hash;
use bitcoin::{CompactTarget, TxMerkleNode};
use serde_json::json;
use sharechain::bitcoin_headers::{BitcoinHeaders, Inserted, Root};
use sharechain::{BitcoinParams, ChainParams, Timestamp};
use testnet::rpc::{Rpc, RpcError};

use crate::support::{REGTEST_ADDRESS, regtest};

const NOW_S: u32 = 1_800_000_000;

/// Mines blocks with bitcoind at a time, and gives their headers to the tree.
async fn mine(rpc: &Rpc, count: u32, time: u32, tree: &mut BitcoinHeaders) {
    rpc.call("setmocktime", json!([time])).await.unwrap();
    let hashes = rpc.call("generatetoaddress", json!([count, REGTEST_ADDRESS])).await.unwrap();
    for hash in hashes.as_array().unwrap() {
        let hex = rpc.call_str("getblockheader", json!([hash, false])).await.unwrap();
        let header: Header = deserialize_hex(&hex).unwrap();
        assert_eq!(tree.insert(header, Timestamp(NOW_S)), Ok(Inserted::New));
    }
}

/// Offers headers after the tip to bitcoind and to the share-chain's tree. Returns the earliest time that both take, in
/// seconds after the tip.
async fn earliest(rpc: &Rpc, tree: &BitcoinHeaders, seconds: impl Iterator<Item = i32>) -> i32 {
    let tip = tree.best().header;
    let mut taken = Vec::new();
    for after in seconds {
        for bits in [0x207f_ffff, 0x207f_fffe] {
            let mut header = Header {
                version: Version::from_consensus(0x2000_0000),
                prev_blockhash: tip.block_hash(),
                merkle_root: TxMerkleNode::all_zeros(),
                time: tip.time.checked_add_signed(after).unwrap(),
                bits: CompactTarget::from_consensus(bits),
                nonce: 0,
            };
            while header.validate_pow(header.target()).is_err() {
                header.nonce += 1;
            }
            let ours = tree.clone().insert(header, Timestamp(NOW_S));
            let theirs = rpc.call("submitheader", json!([serialize_hex(&header)])).await;
            match (&ours, &theirs) {
                (Ok(Inserted::New), Ok(_)) => taken.push(after),
                (Err(_), Err(RpcError::Failed { .. })) => {}
                _ => panic!("{after} s after the tip, nBits {bits:x}: {ours:?}, but bitcoind says {theirs:?}"),
            }
        }
    }
    *taken.first().unwrap()
}

#[tokio::test]
async fn the_first_block_of_a_period_may_be_ten_minutes_early() {
    let dir = tempfile::tempdir().unwrap();
    let (_bitcoind, rpc, _) = regtest(dir.path(), &["-test=bip94"]).await;
    let params = BitcoinParams { timewarp_s: 600, ..ChainParams::regtest().bitcoin };
    let mut tree = BitcoinHeaders::new(&params, &Root::genesis(&params)).unwrap();
    mine(&rpc, params.retarget_blocks - 2, NOW_S, &mut tree).await;
    // The tip is now an hour ahead of the median. Inside a period, only the median counts.
    mine(&rpc, 1, NOW_S + 3_600, &mut tree).await;
    let last = tree.best();
    assert_eq!(last.height, params.retarget_blocks - 1);
    assert!(last.header.time - last.median_time.0 > 3_000);
    assert_eq!(earliest(&rpc, &tree, -605..-595).await, -600);
    mine(&rpc, 1, NOW_S + 3_600, &mut tree).await;
    let inside = i64::from(tree.best().median_time.0) + 1 - i64::from(tree.best().header.time);
    let inside = i32::try_from(inside).unwrap();
    assert!(inside < -600);
    assert_eq!(earliest(&rpc, &tree, inside - 3..inside + 3).await, inside);
}
