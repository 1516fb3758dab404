//! Compares a database with what recordings show.

use std::collections::{BTreeMap, BTreeSet};

use archive::value::{Numeric, Time};
use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::Hash;
use bitcoin::{ScriptBuf, Transaction};
use recording::Claim;
use sharechain::check::binding::merkle_root;
use sharechain::payout_proof::{BlockWindow, Finding};
use sharechain::{Proof, ShareId, U256};
use tokio_postgres::Client;

use super::{Network, Recorded};

fn id(bytes: &[u8]) -> ShareId {
    ShareId(bytes.try_into().unwrap())
}

/// All proofs, lists and credits in the database equal those of the recordings.
async fn check_links(client: &Client, network: &Network) {
    let rows = client.query("select id, weight, time from share", &[]).await.unwrap();
    let found: BTreeMap<ShareId, u32> = rows.iter().map(|row| (id(row.get(0)), row.get::<_, Time>(2).0)).collect();
    assert_eq!(rows.len(), found.len(), "no proof is there twice");
    let expected = network.recorded.iter().flat_map(|recorded| &recorded.proofs);
    let expected: BTreeMap<_, _> = expected.map(|(id, proof)| (*id, proof.share.time.0)).collect();
    assert_eq!(found, expected);

    let rows = client.query("select id, list from link", &[]).await.unwrap();
    let found: BTreeMap<ShareId, Vec<ShareId>> =
        rows.iter().map(|row| (id(row.get(0)), row.get::<_, Vec<u8>>(1).chunks(32).map(id).collect())).collect();
    assert_eq!(rows.len(), found.len(), "no link is there twice");
    let expected = network.recorded.iter().flat_map(Recorded::lists);
    assert_eq!(found, expected.collect());

    let sql = "select link.id, script.script, credit.weight, credit.proofs from credit
        join link on link.key = credit.link join script on script.number = credit.script";
    let mut found = BTreeMap::new();
    for row in client.query(sql, &[]).await.unwrap() {
        let (weight, proofs): (Numeric, i16) = (row.get(2), row.get(3));
        let key = (id(row.get(0)), ScriptBuf::from_bytes(row.get(1)));
        let is_new = found.insert(key, (weight.0, u32::try_from(proofs).unwrap())).is_none();
        assert!(is_new, "no credit is there twice");
    }
    assert_eq!(found, network.recorded.iter().flat_map(Recorded::credits).collect());
    check_claims(network, &found);
}

/// The credits that the recordings claim, which the model has judged, are those in the database.
fn check_claims(network: &Network, found: &BTreeMap<(ShareId, ScriptBuf), (U256, u32)>) {
    let mut compared = 0;
    for claim in network.recorded.iter().flat_map(|recorded| &recorded.claims) {
        let Claim::Link(claim) = claim else { continue };
        for (script, weight, proofs) in &claim.rows {
            let key = (claim.id.share(), ScriptBuf::from_bytes(script.0.clone()));
            assert_eq!(found.get(&key), Some(&(U256::from(weight.0), *proofs)));
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared} rows were claimed");
}

/// Each link of the heaviest main chain has its place, and no other link has one; reorganizations are those that happened.
async fn check_places(client: &Client, network: &Network) {
    let rows = client.query("select height, id from main_link order by height", &[]).await.unwrap();
    let found: Vec<ShareId> = rows.iter().map(|row| id(row.get(1))).collect();
    let works = network.recorded.iter().map(|recorded| (recorded.work(), recorded.main_chain()));
    let most = works.clone().map(|(work, _)| work).max();
    // Of branches with the same work, any may have the places.
    assert!(works.filter(|(work, _)| Some(*work) == most).any(|(_, main)| main == found));
    let heights: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(heights, (1..=i32::try_from(found.len()).unwrap()).collect::<Vec<_>>());

    let sql = "select old_tip, new_tip, left_links from reorganization";
    let rows = client.query(sql, &[]).await.unwrap();
    let found: BTreeSet<_> =
        rows.iter().map(|row| (id(row.get(0)), id(row.get(1)), row.get::<_, i32>(2) as usize)).collect();
    assert_eq!(rows.len(), found.len(), "no reorganization is there twice");
    assert_eq!(found, network.reorganizations());
    assert!(!found.is_empty(), "the network had reorganizations");
}

/// Every block's coinbase leads to the Merkle root of its header, its payouts are that coinbase's, and each has a proof.
async fn check_blocks(client: &Client, network: &Network) {
    let mut blocks = BTreeSet::new();
    let mut proven = 0;
    let sql = "select hash, coinbase, proof, content from block left join block_window on block = hash";
    for row in client.query(sql, &[]).await.unwrap() {
        let block = id(row.get(0));
        assert!(blocks.insert(block), "no block is there twice");
        let (coinbase, proof) = (row.get::<_, Vec<u8>>(1), Proof::decode(row.get(2)).unwrap());
        let coinbase: Transaction = deserialize(&coinbase).unwrap();
        let root = merkle_root(coinbase.compute_txid().to_byte_array(), &proof.branch);
        assert_eq!((proof.id(), root), (block, proof.header.merkle_root.to_byte_array()));

        let sql = "select value_sat, script.script from payout join script on number = payout.script
            where block = $1 order by position";
        let rows = client.query(sql, &[&&block.0[..]]).await.unwrap();
        let paid: Vec<(u64, ScriptBuf)> = rows
            .iter()
            .map(|row| (u64::try_from(row.get::<_, i64>(0)).unwrap(), ScriptBuf::from_bytes(row.get(1))))
            .collect();
        let outputs = coinbase.output.iter().filter(|output| !output.script_pubkey.is_op_return());
        let outputs: Vec<_> =
            outputs.map(|output| (output.value.to_sat(), output.script_pubkey.clone())).take(paid.len()).collect();
        assert_eq!(paid, outputs);
        assert_eq!(paid.iter().map(|(value, _)| value).sum::<u64>(), proof.share.coinbase_value);

        let Some(window) = row.get::<_, Option<&[u8]>>(3) else { continue };
        let window = BlockWindow::decode(window).unwrap();
        for (value, script) in &paid {
            let params = network.recorded[0].chain().params().clone();
            let verdict = window.prove(script, &params).unwrap().verify(&proof.header, &params).unwrap();
            let (Finding::Exact { output, .. } | Finding::Drawn { output, .. } | Finding::Finder { output }) =
                verdict.finding
            else {
                panic!("{block} pays the script")
            };
            assert_eq!(output.value_sat, *value);
            proven += 1;
        }
    }
    assert_eq!(blocks, network.recorded.iter().flat_map(Recorded::blocks).collect());
    assert!(proven > 3, "payouts are shared, and proven: {proven}");
}

/// Compares everything.
pub(crate) async fn check(client: &Client, network: &Network) {
    check_links(client, network).await;
    check_places(client, network).await;
    check_blocks(client, network).await;
}
