//! Connections that cost an attacker nothing keep no one out.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use p2p_proto::limits::INBOUND_MAX;

use crate::attacker::{Victim, quic_initials, relay};
use crate::common::{Node, config};

/// Time within which a newcomer must connect during every attack.
const NEWCOMER: Duration = Duration::from_secs(5);

/// Connects a newcomer, and returns it with the time that it took.
async fn newcomer(number: u8, address: &String) -> (Node, Duration) {
    let start = Instant::now();
    let mut node = Node::start(config(number, &[address])).await;
    node.wait_for_peers(1).await;
    (node, start.elapsed())
}

async fn newcomers_get_in(victim: &Victim, number: u8) {
    for (offset, address) in [&victim.tcp, &victim.quic].into_iter().enumerate() {
        let (_node, took) = newcomer(number + u8::try_from(offset).unwrap(), address).await;
        assert!(took < NEWCOMER, "{took:?} by {address}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_sockets_keep_nobody_out() {
    let victim = Victim::start();
    let target = victim.socket();
    let udp = format!("127.0.0.1:{}", victim.quic.split('/').nth(4).unwrap());

    let mut silent = Vec::new();
    for _ in 0..33 {
        silent.push(tokio::net::TcpStream::connect(target).await.unwrap());
    }
    newcomers_get_in(&victim, 10).await;

    for _ in 0..200 {
        silent.push(tokio::net::TcpStream::connect(target).await.unwrap());
    }
    newcomers_get_in(&victim, 20).await;

    // Handshakes over QUIC that stop after their first packet.
    let mut sockets = Vec::new();
    for packet in quic_initials(200).await {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(&packet, &udp).await.unwrap();
        sockets.push(socket);
    }
    newcomers_get_in(&victim, 30).await;
}

/// A deadline closes silent connections, even without newcomers.
#[tokio::test]
async fn a_silent_socket_is_closed_within_seconds() {
    use tokio::io::AsyncReadExt;
    let victim = Victim::start();
    let mut silent = tokio::net::TcpStream::connect(victim.socket()).await.unwrap();
    let limit = Duration::from_millis(2 * p2p_proto::limits::HANDSHAKE_TIMEOUT_MS);
    let mut answer = Vec::new();
    tokio::time::timeout(limit, silent.read_to_end(&mut answer)).await.expect("closed in time").ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taken_slots_are_given_back() {
    let victim = Victim::start();
    // Attackers hold all slots, eight from each of twelve addresses. Evicted ones dial again.
    let mut takers = Vec::new();
    for host in 0..u8::try_from(INBOUND_MAX / 8).unwrap() {
        let port = relay(Ipv4Addr::new(127, 0, 0, 2 + host), victim.socket()).await;
        let peer = victim.tcp.rsplit('/').next().unwrap();
        let address = format!("/ip4/127.0.0.1/tcp/{port}/p2p/{peer}");
        for number in 0..8 {
            takers.push(Node::start(config(100 + 8 * host + number, &[&address])).await);
        }
        // They do not come all at once: they are in one netgroup, which may have only a few handshakes in progress.
        for taker in takers.iter_mut().rev().take(8) {
            taker.wait_for_peers(1).await;
        }
    }
    let (mut by_tcp, took) = newcomer(10, &victim.tcp).await;
    assert!(took < NEWCOMER, "{took:?} over TCP");
    let (mut by_quic, took) = newcomer(11, &victim.quic).await;
    assert!(took < NEWCOMER, "{took:?} over QUIC");
    // The newcomers stay, although the evicted attackers come back.
    let is_gone = |event: &p2p_proto::Event| matches!(event, p2p_proto::Event::PeerDisconnected { .. });
    assert!(!by_tcp.hears(Duration::from_secs(8), is_gone).await);
    assert!(!by_quic.hears(Duration::from_millis(10), is_gone).await);
}
