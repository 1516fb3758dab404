//! Gossipsub's peer scores, on real sockets.

use std::time::Duration;

use p2p_proto::{Command, Event, Misbehaviour, PeerId, Verdict};

use crate::common::network::inside;
use crate::common::{Node, config, share};

async fn score(node: &Node, peer: PeerId) -> Option<i32> {
    node.handle.peers().await.unwrap().iter().find(|info| info.peer == peer).map(|info| info.gossip_score)
}

/// Accepts or ignores all gossip until the test ends.
fn judge(mut node: Node, verdict: Verdict) {
    tokio::spawn(async move {
        loop {
            if let Event::Gossip { token, .. } = node.wait_for(|event| matches!(event, Event::Gossip { .. })).await {
                node.send(Command::Verdict { token, verdict }).await;
            }
        }
    });
}

/// A node that publishes, and three that are connected with it and with each other. One of the three forwards nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_forwards_nothing_loses_its_place() {
    let source = Node::start(config(1, &[])).await;
    let honest = Node::start(config(2, &[&source.addr])).await;
    let silent = Node::start(config(3, &[&source.addr, &honest.addr])).await;
    let mut victim = Node::start(config(4, &[&honest.addr, &silent.addr])).await;
    victim.wait_for_peers(2).await;
    let (honest_id, silent_id, handle) = (honest.id(), silent.id(), victim.handle.clone());
    judge(honest, Verdict::Accept);
    judge(silent, Verdict::Ignore);
    let publishing = tokio::spawn(async move {
        for number in 0..u32::MAX {
            source.send(Command::Publish(share(number))).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let scores = |handle: p2p::Handle| async move {
        let peers = handle.peers().await.unwrap();
        let of = |peer| peers.iter().find(|info| info.peer == peer).unwrap().gossip_score;
        (of(honest_id), of(silent_id))
    };
    judge(victim, Verdict::Accept);
    let mut last = (0, 0);
    for _ in 0..550 {
        last = scores(handle.clone()).await;
        if last.1 < 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    publishing.abort();
    assert!(last.0 > 0 && last.1 < 0, "scores of the honest and of the silent one: {last:?}");
    assert!(last.1 > -10, "silence alone ends no gossip: {last:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_sends_invalid_shares_is_heard_no_more() {
    let mut victim = Node::start(config(5, &[])).await;
    let hostile = Node::start(config(6, &[&victim.addr])).await;
    let mut other = Node::start(config(7, &[&victim.addr])).await;
    other.wait_for_peers(1).await;
    victim.wait_for_peers(2).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let mut seen = Vec::new();
    for number in 0..2 {
        hostile.send(Command::Publish(share(number))).await;
        let (token, ..) = victim.next_gossip().await;
        victim.send(Command::Verdict { token, verdict: Verdict::Reject(Misbehaviour::InvalidItem) }).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        seen.push(score(&victim, hostile.id()).await.unwrap());
    }
    assert!(seen[0] < -10 && seen[1] < -100, "one ends gossip, two end everything: {seen:?}");
    hostile.send(Command::Publish(share(77))).await;
    assert!(victim.no_gossip(Duration::from_millis(800)).await, "what it sends is not read");
    assert!(score(&victim, other.id()).await.unwrap() >= 0);
    other.send(Command::Publish(share(78))).await;
    victim.next_gossip().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_household_keeps_its_score_and_a_crowd_does_not() {
    if !inside("scores::a_household_keeps_its_score_and_a_crowd_does_not") {
        return;
    }
    let mut victim = Node::start(config(1, &[]).at("203.0.113.1")).await;
    let mut nodes = Vec::new();
    for number in 0..4 {
        nodes.push(Node::start(config(10 + number, &[&victim.addr]).at("198.51.100.7")).await);
    }
    victim.wait_for_peers(4).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    for node in &nodes {
        assert!(score(&victim, node.id()).await.unwrap() >= 0);
    }
    for number in 4..8 {
        nodes.push(Node::start(config(10 + number, &[&victim.addr]).at("198.51.100.7")).await);
    }
    victim.wait_for_peers(8).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    for node in &nodes {
        assert!(score(&victim, node.id()).await.unwrap() < -50);
    }
}
