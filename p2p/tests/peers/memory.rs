//! Bytes that peers send and the node does not use hold no memory.

use std::time::Duration;

use futures::future::join_all;
use p2p_proto::limits::{FRAME_TIMEOUT_MS, GOSSIP_ENVELOPE_BYTES};
use p2p_proto::message::{Request, Topic};

use crate::attacker::{Attacker, GOSSIP, SYNC, Victim, hold, proposal, varint};

/// Bound for the growth of a victim's memory, in bytes.
const GROWTH_MAX: u64 = 64 << 20;

/// Connects this many attackers, one after the other, so that none is evicted.
async fn attackers(count: usize, address: &str) -> Vec<Attacker> {
    let mut attackers = Vec::new();
    for _ in 0..count {
        attackers.push(Attacker::connect(address).await.expect("the victim lets it in"));
    }
    attackers
}

/// Largest growth of the victim's memory during an attack.
async fn growth(victim: &Victim, attack: impl Future<Output = ()>) -> u64 {
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = victim.memory();
    victim.reset_peak();
    attack.await;
    let grown = victim.peak().saturating_sub(before);
    eprintln!("from {} KiB by {} KiB", before >> 10, grown >> 10);
    grown
}

/// Half of the longest gossip message.
fn half_a_message() -> Vec<u8> {
    let longest = Topic::ALL.iter().map(|topic| topic.bytes_max()).max().unwrap();
    let length = longest + GOSSIP_ENVELOPE_BYTES;
    [proposal(GOSSIP), varint(length), vec![0x0a; length / 2]].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_message_holds_no_memory() {
    let victim = Victim::start();
    let attackers = attackers(90, &victim.tcp).await;
    let half = half_a_message();
    let attack = async {
        let mut held = Vec::new();
        let acts = attackers.into_iter().map(|mut attacker| {
            let half = &half;
            async move {
                let stream = attacker.write(half, Duration::from_secs(8)).await;
                (hold(attacker), stream)
            }
        });
        held.extend(join_all(acts).await);
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    let grown = growth(&victim, attack).await;
    assert!(grown < GROWTH_MAX, "grew by {grown} bytes");
}

/// Opens this many streams on each of 30 connections and sends what their windows allow.
async fn filled_windows(address: &str, victim: &Victim, streams: usize) -> u64 {
    let attackers = attackers(30, address).await;
    let attack = async {
        let acts = attackers.into_iter().map(|mut attacker| async move {
            let streams = attacker.fill_streams(streams, Duration::from_secs(8)).await;
            (hold(attacker), streams)
        });
        let _held = join_all(acts).await;
    };
    growth(victim, attack).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filled_quic_windows_hold_no_memory() {
    let victim = Victim::start();
    let grown = filled_windows(&victim.quic, &victim, 256).await;
    assert!(grown < GROWTH_MAX, "grew by {grown} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filled_yamux_windows_hold_no_memory() {
    let victim = Victim::start();
    let grown = filled_windows(&victim.tcp, &victim, 60).await;
    assert!(grown < GROWTH_MAX, "grew by {grown} bytes");
}

/// A peer that otherwise behaves begins a message and stops.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_stalls_ends_the_connection() {
    let victim = Victim::start();
    let request = Request::Pending.encode();
    let length = u32::try_from(request.len()).unwrap().to_le_bytes();
    let asks = [&proposal(SYNC)[..], &length, &request].concat();
    let acts = [half_a_message(), [&proposal(SYNC)[..], &length].concat()].map(|begins| {
        let (asks, address) = (asks.clone(), victim.tcp.clone());
        async move {
            let mut attacker = Attacker::connect(&address).await.unwrap();
            // A valid request makes it a known peer.
            let _asked = attacker.write(&asks, Duration::from_secs(5)).await;
            let _stalled = attacker.write(&begins[..begins.len().min(5_000)], Duration::from_secs(5)).await;
            assert!(!attacker.closed(Duration::from_millis(FRAME_TIMEOUT_MS * 6 / 10)).await, "not before its time");
            assert!(attacker.closed(Duration::from_millis(FRAME_TIMEOUT_MS * 7 / 5)).await, "still open");
        }
    });
    join_all(acts).await;
}
