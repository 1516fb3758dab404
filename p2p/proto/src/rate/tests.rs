use proptest::prelude::*;

use super::Rates;
use crate::limits::{GOSSIP_BURST_BYTES, REQUEST_BURST_DIVISOR, TIP_REQUESTS_PER_MIN};
use crate::message::RequestKind;
use crate::{Millis, PeerId};

const PEER: PeerId = PeerId([1; 32]);
const OTHER: PeerId = PeerId([2; 32]);

#[test]
fn a_burst_then_the_rate() {
    let mut rates = Rates::default();
    let burst = TIP_REQUESTS_PER_MIN / REQUEST_BURST_DIVISOR;
    for _ in 0..burst {
        assert!(rates.request(PEER, RequestKind::Tip, Millis(0)));
    }
    assert!(!rates.request(PEER, RequestKind::Tip, Millis(0)));
    assert!(rates.request(PEER, RequestKind::LinkHeaders, Millis(0)), "another kind has its own bucket");
    assert!(rates.request(OTHER, RequestKind::Tip, Millis(0)), "another peer too");
    let one_more = 60_000 / TIP_REQUESTS_PER_MIN;
    assert!(!rates.request(PEER, RequestKind::Tip, Millis(one_more - 1)));
    assert!(rates.request(PEER, RequestKind::Tip, Millis(one_more)));
}

#[test]
fn what_is_valid_costs_nothing() {
    let mut rates = Rates::default();
    let burst = usize::try_from(GOSSIP_BURST_BYTES).unwrap();
    for _ in 0..10 {
        assert!(rates.gossip(PEER, burst, Millis(0)));
        rates.give_back(PEER, burst);
    }
    rates.give_back(PEER, usize::MAX);
    assert!(rates.gossip(PEER, burst, Millis(0)), "and no more than that");
    assert!(!rates.gossip(PEER, 1, Millis(0)));
}

#[test]
fn reconnecting_does_not_refill() {
    let mut rates = Rates::default();
    let burst = usize::try_from(GOSSIP_BURST_BYTES).unwrap();
    assert!(rates.gossip(PEER, burst, Millis(0)));
    rates.forget(Millis(10), |_| false);
    assert!(!rates.gossip(PEER, burst, Millis(20)));
    rates.forget(Millis(200_000), |_| false);
    assert!(rates.by_key.is_empty());
}

proptest! {
    #[test]
    fn a_peer_within_the_rate_is_served(gaps in prop::collection::vec(500_u64..5_000, 1..300)) {
        let mut rates = Rates::default();
        let mut now = Millis(0);
        for gap in gaps {
            now = now.plus(gap);
            prop_assert!(rates.request(PEER, RequestKind::Tip, now));
        }
    }
}
