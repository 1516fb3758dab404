//! Encoding, commitment, coinbase and binding.

use bitcoin::hashes::Hash;
use bitcoin::{Amount, ScriptBuf, TxOut};
use serde_json::Value;
use sharechain::check::binding::BoundProof;
use sharechain::coinbase::{Coinbase, commitment};
use sharechain::encode::{decode_list, encode_list, shares_root};
use sharechain::{ChainParams, Proof, ShareHeader, ShareId, Timestamp, U256};

use crate::files::{Case, unhex};

pub(super) fn network(name: &str) -> ChainParams {
    ChainParams::all().into_iter().find(|params| params.name == name).unwrap()
}

pub(super) fn check_network(case: &mut Case) {
    let params = network(case.text("name"));
    assert_eq!(params.consensus_id(), case.array("consensus_id"));
}

fn share_of(fields: &Value) -> ShareHeader {
    let mut case = Case::new("share header".to_owned(), fields);
    let share = ShareHeader {
        version: case.number("version") as u32,
        parent: ShareId(case.array("parent")),
        anchor: ShareId(case.array("anchor")),
        shares_root: case.array("shares_root"),
        shares_count: case.number("shares_count") as u16,
        state_root: case.array("state_root"),
        payout: ScriptBuf::from_bytes(case.bytes("payout")),
        time: Timestamp(case.number("time") as u32),
        bitcoin_height: case.number("bitcoin_height") as u32,
        coinbase_value: case.number("coinbase_value"),
        signals: case.number("signals") as u32,
        null_data: ScriptBuf::from_bytes(case.bytes("null_data")),
    };
    case.assert_all_read();
    share
}

fn optional_of(value: &Value) -> Option<[u8; 32]> {
    value.as_str().map(|text| unhex(text).try_into().unwrap())
}

pub(super) fn check_encoding(case: &mut Case) {
    let bytes = case.bytes("encoded");
    let proof = Proof::decode(&bytes).unwrap();
    assert_eq!(proof.encode(), bytes);
    assert_eq!(bitcoin::consensus::serialize(&proof.header), case.bytes("header"));
    assert_eq!(proof.share, share_of(case.get("share")));
    assert_eq!(proof.share.encode(), case.bytes("share_encoded"));
    assert_eq!(proof.extranonce, case.array("extranonce"));
    assert_eq!(proof.witness_commitment, optional_of(case.get("witness_commitment")));
    let branch = case.get("branch").as_array().unwrap().iter().map(|hash| unhex(hash.as_str().unwrap()));
    assert!(branch.eq(proof.branch.iter().map(|hash| hash.to_vec())));
    assert_eq!(proof.prefix.midstate, case.array("prefix_midstate"));
    assert_eq!(u64::from(proof.prefix.length), case.number("prefix_length"));
    assert_eq!(proof.prefix.tail, case.bytes("prefix_tail"));
    assert_eq!(proof.id().0, case.array("id"));
}

pub(super) fn check_not_canonical(case: &mut Case) {
    assert_eq!(Proof::decode(&case.bytes("encoded")).unwrap_err().rule(), case.text("rule"));
}

pub(super) fn check_list(case: &mut Case) {
    let ids =
        case.get("ids").as_array().unwrap().iter().map(|id| ShareId(unhex(id.as_str().unwrap()).try_into().unwrap()));
    let ids: Vec<ShareId> = ids.collect();
    assert_eq!(encode_list(&ids), case.bytes("encoded"));
    assert_eq!(decode_list(&case.bytes("encoded")), Ok(ids.clone()));
    assert_eq!(shares_root(&ids), case.array("shares_root"));
}

pub(super) fn check_coinbase(case: &mut Case) {
    let id = network(case.text("network")).consensus_id();
    let share = share_of(case.get("share"));
    let payouts = case.get("payouts").as_array().unwrap().iter().map(|output| TxOut {
        value: Amount::from_sat(output["value_sat"].as_u64().unwrap()),
        script_pubkey: ScriptBuf::from_bytes(unhex(output["script"].as_str().unwrap())),
    });
    let witness = optional_of(case.get("witness_commitment"));
    let (payouts, extranonce) = (payouts.collect::<Vec<_>>(), case.array("extranonce"));
    let coinbase =
        Coinbase { share: &share, payouts: &payouts, extranonce: &extranonce, witness_commitment: witness.as_ref() };
    let built = coinbase.build(&id);
    assert_eq!(commitment(&id, &share), case.array("commitment"));
    assert_eq!(built.as_bytes(), case.bytes("coinbase"));
    assert_eq!(built.txid().as_byte_array(), &case.array::<32>("txid"));
    assert_eq!(built.split_for_stratum().0.len() as u64, case.number("extranonce_offset"));
    let prefix = built.prefix();
    assert_eq!(u64::from(prefix.length), case.number("prefix_length"));
    assert_eq!(prefix.midstate, case.array("prefix_midstate"));
    assert_eq!(prefix.tail, case.bytes("prefix_tail"));
}

pub(super) fn check_binding(case: &mut Case) {
    let id = network(case.text("network")).consensus_id();
    let proof = Proof::decode(&case.bytes("encoded")).unwrap();
    assert_eq!(BoundProof::bind(proof, U256::MAX, &id).is_ok(), case.get("binds").as_bool().unwrap());
}
