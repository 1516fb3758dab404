use libp2p::Multiaddr;
use libp2p::core::Transport;
use libp2p::core::transport::{DialOpts, ListenerId, PortUse};
use tokio_socks::TargetAddr;

use super::{Dialer, Proxy, is_onion, target};

const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid";

fn address(text: &str) -> Multiaddr {
    text.parse().unwrap()
}

fn dialer(only: bool) -> Dialer {
    Dialer::new(Proxy { address: "127.0.0.1:9050".parse().unwrap(), only })
}

#[test]
fn the_proxy_gets_names_unresolved() {
    let onion = address(&format!("/onion3/{ONION}:3381"));
    for only in [false, true] {
        assert_eq!(target(&onion, only).unwrap(), TargetAddr::Domain(format!("{ONION}.onion").into(), 3381));
    }
    assert!(is_onion(&onion.iter().next().unwrap()));
    let name = address("/dns4/pool.example/tcp/3381");
    assert_eq!(target(&name, true).unwrap(), TargetAddr::Domain("pool.example".into(), 3381));
    assert_eq!(target(&name, false), None, "only onion services");
    let ip = address("/ip6/2a00::1/tcp/3381");
    assert_eq!(target(&ip, true).unwrap(), TargetAddr::Ip("[2a00::1]:3381".parse().unwrap()));
}

#[tokio::test]
async fn proxy_only_refuses_quic_and_listens_on_loopback_alone() {
    let options = || DialOpts { role: libp2p::core::Endpoint::Dialer, port_use: PortUse::New };
    let mut dialer = dialer(true);
    for text in ["/ip4/45.1.1.1/udp/3381/quic-v1", "/dns4/pool.example/udp/3381/quic-v1"] {
        assert!(dialer.dial(address(text), options()).is_err(), "{text}");
    }
    for text in ["/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0", "/ip4/45.1.1.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"] {
        assert!(dialer.listen_on(ListenerId::next(), address(text)).is_err(), "{text}");
    }
    dialer.listen_on(ListenerId::next(), address("/ip4/127.0.0.1/tcp/0")).unwrap();
}
