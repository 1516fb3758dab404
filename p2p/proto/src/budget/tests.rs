use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::{Budgets, UsedUp};
use crate::Millis;
use crate::limits::{
    GOSSIP_BURST_BYTES, GOSSIP_BYTES_PER_S, OWN_RATE_PERCENT, PAYERS_MAX, RESPONSE_BYTES_MAX, UPLOAD_BURST_BYTES,
    UPLOAD_BYTES_PER_S,
};
use crate::message::RequestKind;
use crate::netgroup::Host;

fn host(a: u8, b: u8, d: u8) -> Option<Host> {
    Some(Host::Ip4(Ipv4Addr::new(a, b, 0, d)))
}

/// Bytes that a host gets with requests of one kind until the budget refuses it.
fn draw(budgets: &mut Budgets, host: Option<Host>, kind: RequestKind, bytes: usize, now: Millis) -> u64 {
    let mut drawn = 0;
    while let Ok(grant) = budgets.request(host, kind, now) {
        budgets.settle(grant, bytes, now);
        drawn += bytes as u64;
    }
    drawn
}

#[test]
fn a_host_draws_its_burst_and_then_its_rate() {
    let mut budgets = Budgets::new(None);
    let mut drawn = 0;
    for second in 0..600 {
        drawn += draw(&mut budgets, host(203, 0, 1), RequestKind::Rows, RESPONSE_BYTES_MAX, Millis(second * 1_000));
    }
    let allowed = UPLOAD_BURST_BYTES + 600 * UPLOAD_BYTES_PER_S;
    assert!(drawn <= allowed + RESPONSE_BYTES_MAX as u64 && drawn > allowed * 9 / 10, "{drawn} of {allowed}");
    assert!(budgets.request(host(198, 51, 1), RequestKind::Rows, Millis(600_000)).is_ok(), "others are served");
    assert!(budgets.request(host(203, 0, 1), RequestKind::Tip, Millis(600_000)).is_ok(), "and its tips");
}

#[test]
fn hosts_of_one_provider_share_a_budget_too() {
    let mut budgets = Budgets::new(None);
    let drawn: u64 = (0..200)
        .map(|number| draw(&mut budgets, host(203, 0, number), RequestKind::Rows, RESPONSE_BYTES_MAX, Millis(0)))
        .sum();
    assert!(drawn <= 4 * UPLOAD_BURST_BYTES + RESPONSE_BYTES_MAX as u64, "{drawn}");
}

#[test]
fn a_refusal_says_which_budget_is_used_up() {
    let first = |mut budgets: Budgets, hosts: &[Option<Host>], kind: RequestKind, bytes: usize| {
        let of_host = |host: &Option<Host>| {
            draw(&mut budgets, *host, kind, bytes, Millis(0));
            budgets.request(*host, kind, Millis(0)).unwrap_err()
        };
        hosts.iter().map(of_host).last().unwrap()
    };
    let provider: Vec<Option<Host>> = (0..8).map(|number| host(203, 0, number)).collect();
    let many: Vec<Option<Host>> = (0..200).map(|number| host(number, 1, 1)).collect();
    let limited = || Budgets::new(Some(1_000_000));
    let rows = (RequestKind::Rows, RESPONSE_BYTES_MAX);
    assert_eq!(first(Budgets::new(None), &provider[..1], RequestKind::Tip, 0), UsedUp::Host);
    assert_eq!(first(Budgets::new(None), &provider, RequestKind::Tip, 0), UsedUp::Netgroup);
    assert_eq!(first(Budgets::new(None), &many, RequestKind::Tip, 0), UsedUp::All);
    assert_eq!(first(Budgets::new(None), &provider[..1], rows.0, rows.1), UsedUp::HostUpload);
    assert_eq!(first(Budgets::new(None), &provider, rows.0, rows.1), UsedUp::NetgroupUpload);
    assert_eq!(first(limited(), &provider[..1], rows.0, rows.1), UsedUp::AllUpload);
}

#[test]
fn gossip_comes_before_responses_and_both_stay_below_the_maximum() {
    let rate = 1_000_000;
    let mut budgets = Budgets::new(Some(rate));
    let (mut gossip, mut responses) = (0, 0);
    for second in 0..300_u64 {
        let now = Millis(second * 1_000);
        gossip += 900_000;
        budgets.sent_gossip(900_000, now);
        for number in 0..50 {
            responses += draw(&mut budgets, host(number, 1, 1), RequestKind::Proofs, 170_000, now);
        }
    }
    let burst = 10 * rate;
    assert!(gossip + responses <= 300 * rate + burst + 170_000, "{gossip} and {responses}");
    assert!(responses >= 300 * 50_000, "what gossip leaves goes to responses");
}

#[test]
fn what_is_never_sent_costs_nothing() {
    let mut budgets = Budgets::new(Some(1_000_000));
    for _ in 0..50 {
        let grants: Vec<_> =
            std::iter::from_fn(|| budgets.request(host(203, 0, 1), RequestKind::Proofs, Millis(0)).ok())
                .take(5)
                .collect();
        assert_eq!(grants.len(), 5);
        for grant in grants {
            budgets.settle(grant, 0, Millis(0));
        }
    }
}

#[test]
fn twenty_honest_nodes_on_loopback_never_meet_a_limit() {
    let mut budgets = Budgets::new(None);
    let loopback = Some(Host::Ip4(Ipv4Addr::LOCALHOST));
    let burst = crate::limits::LINKS_REQUESTS_BURST * OWN_RATE_PERCENT / 100;
    for _ in 0..20 * burst {
        let grant = budgets.request(loopback, RequestKind::LinkHeaders, Millis(0)).unwrap();
        budgets.settle(grant, 180_000, Millis(0));
    }
    let mut more = 0;
    while budgets.request(loopback, RequestKind::LinkHeaders, Millis(0)).is_ok() {
        more += 1;
        assert!(more < 10_000, "loopback is bounded");
    }
}

#[test]
fn a_flood_from_many_networks_leaves_others_what_they_need() {
    let mut budgets = Budgets::new(None);
    for number in 0..200 {
        while budgets.gossip(host(number, 1, 1), 1_000_000, Millis(0)).is_ok() {}
    }
    assert!(budgets.gossip(host(203, 1, 1), 10_000, Millis(0)).is_ok(), "a share of an honest host");
    assert!(budgets.request(host(203, 1, 1), RequestKind::Tip, Millis(0)).is_ok());
}

#[test]
fn the_number_of_budgets_is_bounded_and_falls_again() {
    let mut budgets = Budgets::new(None);
    for number in 0..3 * PAYERS_MAX {
        let [_, b, c, d] = u32::try_from(number).unwrap().to_be_bytes();
        let host = Some(Host::Ip4(Ipv4Addr::new(203, b, c, d)));
        let _ = budgets.gossip(host, 1_000, Millis(0));
        let _ = budgets.request(host, RequestKind::Proofs, Millis(0));
    }
    assert!(budgets.rates.len() <= PAYERS_MAX + 2 && budgets.uploads.len() <= PAYERS_MAX + 2);
    budgets.forget(Millis(300_000), |_| false);
    assert!(budgets.rates.len() <= 1 && budgets.uploads.len() <= 1);
}

proptest! {
    #[test]
    fn identities_do_not_multiply_gossip(asks in prop::collection::vec((0_u64..200, 1_usize..2_000_000), 1..300)) {
        let mut budgets = Budgets::new(None);
        let (mut now, mut taken) = (Millis(0), 0);
        for (gap, bytes) in asks {
            now = now.plus(gap);
            if budgets.gossip(host(203, 0, 1), bytes, now).is_ok() {
                taken += bytes as u64;
            }
            prop_assert!(taken <= GOSSIP_BURST_BYTES + GOSSIP_BYTES_PER_S * now.0 / 1_000);
        }
    }
}
