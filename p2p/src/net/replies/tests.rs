use std::net::Ipv4Addr;

use super::Replies;
use p2p_proto::limits::{REPLY_BYTES_MAX, REPLY_BYTES_PER_HOST_MAX};
use p2p_proto::netgroup::Host;

// libp2p does not let tests create ids, so this tests only the sums.
#[test]
fn responses_on_their_way_are_bounded_by_host_and_in_all() {
    let sums = |hosts: &[(u8, usize)]| {
        let held = hosts.iter().map(|(last, size_bytes)| (Host::Ip4(Ipv4Addr::new(100, 1, 1, *last)), *size_bytes));
        held.collect::<Vec<_>>()
    };
    let fits = |held: &[(u8, usize)], host: Host, size_bytes| Replies::fits(sums(held).into_iter(), host, size_bytes);
    let one = Host::Ip4(Ipv4Addr::new(100, 1, 1, 1));
    assert!(fits(&[], one, REPLY_BYTES_PER_HOST_MAX));
    assert!(!fits(&[], one, REPLY_BYTES_PER_HOST_MAX + 1));
    assert!(fits(&[(2, REPLY_BYTES_PER_HOST_MAX)], one, REPLY_BYTES_PER_HOST_MAX));
    assert!(!fits(&[(1, 10)], one, REPLY_BYTES_PER_HOST_MAX - 9));
    assert!(!fits(&[(2, REPLY_BYTES_MAX)], one, 1));
    let loopback = Host::Ip4(Ipv4Addr::LOCALHOST);
    assert!(fits(&[], loopback, REPLY_BYTES_MAX));
    assert!(!fits(&[], loopback, REPLY_BYTES_MAX + 1));
}
