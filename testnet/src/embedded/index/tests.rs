use super::*;

/// A header on `parent` with a distinct time.
fn child(parent: &Header, after_s: u32, nonce: u32) -> Header {
    Header { prev_blockhash: parent.block_hash(), time: parent.time + after_s, nonce, ..*parent }
}

/// An index with an active chain of `length` blocks after genesis, ten minutes apart.
fn chain(length: usize) -> (Index, Vec<Header>) {
    let mut index = Index::new();
    let mut headers = vec![signet::genesis().header];
    for _ in 0..length {
        let header = child(&headers[headers.len() - 1], 600, 0);
        index.insert(header, 1, Status::Valid);
        headers.push(header);
    }
    let tail: Vec<BlockHash> = headers[1..].iter().map(Header::block_hash).collect();
    index.set_active(1, &tail);
    (index, headers)
}

#[test]
fn median_time_is_that_of_eleven_or_of_as_many_as_exist() {
    let (index, headers) = chain(20);
    let median = |height: usize| index.median_time(&headers[height].block_hash());
    assert_eq!(median(0), headers[0].time);
    assert_eq!(median(1), headers[1].time, "the later one of two, like bitcoind");
    assert_eq!(median(20), headers[15].time);
    assert_eq!(index.min_time(&headers[20].block_hash()), headers[15].time + 1);
}

#[test]
fn bits_are_recomputed_at_a_retarget() {
    let (index, headers) = chain(2015);
    let (tip, entry) = index.tip();
    assert_eq!(entry.height, 2015);
    // 2,015 intervals of ten minutes count as 2,016, which is slightly harder than before, as on every chain.
    let next = index.next_bits(&tip);
    assert!(bitcoin::Target::from_compact(next) < signet::pow_limit());
    let before = index.next_bits(&headers[2014].block_hash());
    assert_eq!(before.to_consensus(), signet::POW_LIMIT_BITS);
    assert_eq!(index.min_time(&tip), headers[2015].time - 600, "BIP-0094");
}

/// ```text
/// g - 1 - 2 - 3      active
///      \
///       2' - 3' (header only)
/// ```
#[test]
fn branches_have_a_tip_each() {
    let (mut index, headers) = chain(3);
    let second = child(&headers[1], 600, 7);
    let third = child(&second, 600, 7);
    index.insert(second, 1, Status::Stored);
    index.insert(third, 0, Status::HeaderOnly);
    let tips = index.chain_tips();
    let tip = |height, hash, branch_length, active, status| ChainTip { hash, height, branch_length, active, status };
    assert_eq!(tips.len(), 2);
    assert!(tips.contains(&tip(3, headers[3].block_hash(), 0, true, Status::Valid)));
    assert!(tips.contains(&tip(3, third.block_hash(), 2, false, Status::HeaderOnly)));
    assert!(!index.is_active(&second.block_hash()));
    assert_eq!(index.best_header_height(), 3);
}

#[test]
fn a_header_without_a_parent_is_left_out_and_a_status_never_gets_worse_than_valid() {
    let (mut index, headers) = chain(1);
    let stray = child(&child(&headers[1], 600, 0), 600, 0);
    index.insert(stray, 1, Status::Stored);
    assert!(index.get(&stray.block_hash()).is_none());
    index.insert(headers[1], 1, Status::Stored);
    assert_eq!(index.get(&headers[1].block_hash()).unwrap().status, Status::Valid);
}
