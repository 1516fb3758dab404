use proptest::prelude::*;

use super::tree::{Node, Sum};
use super::*;
use crate::units::{Height, ShareId, Timestamp, U256};

fn link(number: u32, work: u64) -> HistoryLink {
    HistoryLink {
        height: Height(number),
        id: ShareId([number.to_le_bytes()[0]; 32]),
        target: U256::MAX / U256::from(work),
        time: Timestamp(number),
        chain_work: Work(U256::from(work)),
        proofs: u64::from(number),
        snapshot: Height(number / 2),
    }
}

/// A second, slow implementation of the tree: RFC 9162's recursion over the largest power of two below the count.
fn root_by_recursion<S: Sum>(leaves: &[Node<S>]) -> Node<S> {
    match leaves {
        [] => Node::default(),
        [leaf] => *leaf,
        _ => {
            let split = 1 << (leaves.len() - 1).ilog2();
            let (left, right) = leaves.split_at(split);
            Node::above(&S::NODE.engine(), &root_by_recursion(left), &root_by_recursion(right)).unwrap()
        }
    }
}

proptest! {
    #[test]
    fn a_tree_has_the_shape_of_rfc_9162(weights in prop::collection::vec(1_u128..1 << 70, 0..70)) {
        let leaves: Vec<_> = weights.iter().map(|weight| Node { hash: [1; 32], sum: Weight(*weight) }).collect();
        let found = Commitment::of(leaves.clone()).unwrap();
        prop_assert_eq!(found.root, root_by_recursion(&leaves));
        prop_assert_eq!(found.root.sum.0, weights.iter().sum::<u128>());
        prop_assert_eq!(found.leaves as usize, weights.len());
    }

    #[test]
    fn a_history_commits_to_what_a_tree_of_all_links_does(works in prop::collection::vec(1_u64..1 << 40, 0..70)) {
        let links: Vec<_> = works.iter().enumerate().map(|(at, work)| link(at as u32 + 1, *work)).collect();
        let history = links.iter().fold(History::default(), |history, link| history.with(link).unwrap());
        let tree = Commitment::of(links.iter().map(HistoryLink::leaf).collect()).unwrap();
        prop_assert_eq!(history.commitment(), Some(tree));
    }

    #[test]
    fn branches_share_their_history_and_do_not_disturb_each_other(common in 0_u32..40, more in 1_u32..40) {
        let fork = (1..=common).fold(History::default(), |history, number| history.with(&link(number, 7)).unwrap());
        let grow = |work| (common + 1..=common + more)
            .fold(fork.clone(), |history, number| history.with(&link(number, work)).unwrap());
        let (one, other) = (grow(8), grow(9));
        prop_assert_ne!(one.commitment(), other.commitment());
        prop_assert_eq!(grow(8).commitment(), one.commitment());
    }
}

#[test]
fn sums_that_leave_their_range_have_no_commitment() {
    let script = bitcoin::ScriptBuf::new();
    let most = (script.as_script(), Weight(u128::MAX));
    assert!(of_weights([most]).is_some());
    assert_eq!(of_weights([most, (script.as_script(), Weight(1))]), None);
    let heavy = HistoryLink { target: U256::ZERO, ..link(1, 1) };
    let history = History::default().with(&HistoryLink { target: U256::ONE, ..heavy }).unwrap();
    assert!(history.with(&HistoryLink { target: U256::ONE, ..heavy }).is_none(), "2^255 twice");
}

#[test]
fn every_part_of_the_state_changes_its_root() {
    let script = bitcoin::ScriptBuf::from_bytes(vec![0x51]);
    let weights = of_weights([(script.as_script(), Weight(5))]).unwrap();
    let history = History::default().with(&link(1, 3)).unwrap().commitment().unwrap();
    let state = State { window: weights, credits: weights, history, signals: [1; 32] };
    let none = State::default();
    let roots = [
        state.root(),
        State { window: none.window, ..state }.root(),
        State { credits: none.credits, ..state }.root(),
        State { history: none.history, ..state }.root(),
        State { signals: none.signals, ..state }.root(),
    ];
    for (at, root) in roots.iter().enumerate() {
        assert!(!roots[at + 1..].contains(root));
    }
}
