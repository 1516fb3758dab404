use p2p::{How, OwnAddress, Reachability};
use p2p_proto::PeerId;

use super::{Reachable, Way};

fn known(hows: &[How], unreached_netgroups: usize) -> Reachability {
    let own = |how: &How| OwnAddress { address: format!("/ip4/45.3.1.1/tcp/{hows:?}"), how: *how };
    Reachability { addresses: hows.iter().map(own).collect(), unreached_netgroups, is_relay: false }
}

#[test]
fn the_words_say_from_where_it_is_known() {
    let relay = How::Relay(PeerId([1; 32]));
    let cases = [
        (known(&[], 0), Way::Unknown, "not known yet"),
        (known(&[], 2), Way::None, "peers in 2 networks could not connect"),
        (known(&[How::DialedBack { netgroups: 3 }, relay], 1), Way::DialedBack, "peers in 3 networks connected"),
        (known(&[How::Mapped], 0), Way::Mapped, "UPnP"),
        (known(&[relay, relay], 1), Way::Relay, "through 2 relays: peers in 1 network could not"),
        (known(&[How::Onion], 0), Way::Onion, "onion service"),
    ];
    for (reachability, way, words) in cases {
        let reachable = Reachable::new(&reachability, false);
        assert_eq!(reachable.how, way);
        assert!(reachable.words.contains(words), "{}", reachable.words);
    }
}

#[test]
fn own_addresses_are_for_the_owner_alone() {
    let reachability = known(&[How::DialedBack { netgroups: 1 }], 0);
    assert!(Reachable::new(&reachability, false).addresses.is_empty());
    assert_eq!(Reachable::new(&reachability, true).addresses.len(), 1);
}
