use p2p_proto::limits::{LINK_GOSSIP_BYTES_MAX, SHARE_GOSSIP_BYTES_MAX};

use super::*;

#[test]
fn a_representative_proof_is_canonical() {
    let proof = proof(taproot(), 48, BRANCH);
    assert_eq!(Proof::decode(&proof.encode()).unwrap(), proof);
}

#[test]
fn sizes_stay_under_the_limits_and_grow_with_the_list() {
    let sizes = Sizes::main();
    assert!((sizes.share as usize) < SHARE_GOSSIP_BYTES_MAX);
    assert_eq!(sizes.id, 32);
    assert!(sizes.link_of(1_024) as usize <= LINK_GOSSIP_BYTES_MAX);
    assert!(Sizes::of(&proof(taproot(), 10, 2)).share < sizes.share);
}

#[test]
fn what_is_put_around_a_message_is_counted() {
    // Data and topic with tag and length each, message with tag and length, frame with its length; one Yamux frame, one
    // Noise frame, one packet.
    let weight = Weight::of_gossip(740);
    assert_eq!(weight.stream, 740 + 3 + 32 + 2 + 3 + 2 + 12 + 18);
    assert_eq!(weight.line, weight.stream + 52);
    assert_eq!(weight.back, 52);
    let large = Weight::of_gossip(20_000);
    assert_eq!(large.line - large.stream, 14 * 52);
    assert_eq!(large.back, 7 * 52);
}
