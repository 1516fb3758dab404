//! Identities of one address count as one for budgets, invalid work, and bans. On real sockets, in a separate network.

use std::time::{Duration, Instant};

use p2p::{BanView, Defense};
use p2p_proto::bans::Banned;
use p2p_proto::limits::{RESPONSE_BYTES_MAX, UPLOAD_BURST_BYTES, UPLOAD_BYTES_PER_S};
use p2p_proto::sync::RequestId;
use p2p_proto::{Command, Event, Failure, Misbehaviour, PeerId, Request, Response};

use crate::common::network::inside;
use crate::common::{Node, config, patiently};

const VICTIM: &str = "203.0.113.1";
const ATTACKER: &str = "198.51.100.7";
const NEIGHBOR: &str = "198.51.100.8";
const HONEST: &str = "192.0.2.1";

/// Answers every request with the largest response, forever. Returns the victim's address and id.
fn serve(mut victim: Node) {
    tokio::spawn(async move {
        loop {
            let Event::Request { token, .. } = victim.wait_for(|event| matches!(event, Event::Request { .. })).await
            else {
                continue;
            };
            let response = Response::Rows(vec![7; RESPONSE_BYTES_MAX - 16]);
            victim.send(Command::Reply { token, response }).await;
        }
    });
}

/// Asks for rows this many times. Returns the bytes that came, and the number of refusals because the node was busy.
async fn draw(mut node: Node, from: PeerId, times: u64) -> (u64, u64, Node) {
    let (mut bytes, mut busy) = (0, 0);
    for number in 0..times {
        let request = Request::Rows { first: sharechain::Height(1), limit: 1 };
        node.send(Command::Request { peer: from, id: RequestId(number), request }).await;
        match node.next_response().await.1 {
            Ok(Response::Rows(rows)) => bytes += rows.len() as u64,
            Err(Failure::Busy) => busy += 1,
            other => panic!("{other:?}"),
        }
    }
    (bytes, busy, node)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_identities_of_one_host_share_one_budget() {
    if !inside("budgets::many_identities_of_one_host_share_one_budget") {
        return;
    }
    let victim = config(1, &[]).at(VICTIM);
    let traffic = victim.config.traffic.clone();
    let victim = Node::start(victim).await;
    let (id, addr, handle) = (victim.id(), victim.addr.clone(), victim.handle.clone());
    serve(victim);
    let started = Instant::now();
    let mut identities = Vec::new();
    for number in 0..6 {
        let mut identity = Node::start(config(10 + number, &[&addr]).at(ATTACKER)).await;
        identity.wait_for_peers(1).await;
        identities.push(tokio::spawn(draw(identity, id, 40)));
    }
    let (mut bytes, mut busy) = (0, 0);
    let mut still_connected = Vec::new();
    for identity in identities {
        let (drawn, refused, node) = identity.await.unwrap();
        (bytes, busy) = (bytes + drawn, busy + refused);
        still_connected.push(node);
    }
    let allowed = UPLOAD_BURST_BYTES + UPLOAD_BYTES_PER_S * started.elapsed().as_secs() + 2 * RESPONSE_BYTES_MAX as u64;
    assert!(bytes <= allowed, "{bytes} of {allowed} bytes");
    // Not all of the burst, because a host may also have only a few responses on their way at a time.
    assert!(bytes > UPLOAD_BURST_BYTES / 2 && busy > 100, "{bytes} bytes, {busy} times busy");
    let refused = [Defense::HostBudget, Defense::HostUpload].map(|defense| traffic.defended(defense));
    // Requests beyond the bound for responses on their way are refused earlier.
    let refused: u64 = refused.iter().sum();
    assert!(refused > 0 && refused <= busy, "{refused} of {busy}");
    for peer in handle.peers().await.unwrap() {
        assert!(peer.addr.starts_with("/ip4/198.51.100.7/"), "{}", peer.addr);
        assert_eq!(peer.points, 0, "who shares an address is not at fault");
    }
    let mut honest = Node::start(config(2, &[&addr]).at(HONEST)).await;
    honest.wait_for_peers(1).await;
    let (bytes, busy, _) = draw(honest, id, 5).await;
    assert_eq!((bytes, busy), (5 * (RESPONSE_BYTES_MAX as u64 - 16), 0), "another address is served");
}

/// Connects one identity after the other. Returns whether the node let in the last one.
async fn comes_in(number: u8, victim: &Node, ip: &str) -> bool {
    let node = Node::start(config(number, &[&victim.addr]).at(ip)).await;
    let until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < until {
        if node.handle.peers().await.unwrap().iter().any(|peer| peer.peer == victim.id()) {
            return victim_sees(victim, node.id()).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

async fn victim_sees(victim: &Node, peer: PeerId) -> bool {
    for _ in 0..40 {
        if victim.handle.peers().await.unwrap().iter().any(|info| info.peer == peer) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_work_from_new_identities_ends_the_address() {
    if !inside("budgets::invalid_work_from_new_identities_ends_the_address") {
        return;
    }
    let victim = Node::start(config(1, &[]).at(VICTIM)).await;
    let mut attempts = 0;
    for number in 10..16 {
        let mut identity = Node::start(config(number, &[&victim.addr]).at(ATTACKER)).await;
        identity.wait_for_peers(1).await;
        attempts += 1;
        // The share-chain's verdicts for three shares that break a rule.
        for _ in 0..3 {
            let misbehaviour = Misbehaviour::InvalidItem;
            victim.send(Command::Punish { peer: identity.id(), misbehaviour }).await;
        }
        patiently(identity.wait_for(|event| matches!(event, Event::PeerDisconnected { .. }))).await;
        // The node publishes the list a few times a second.
        tokio::time::sleep(Duration::from_millis(600)).await;
        if victim.handle.bans().borrow().iter().any(|ban| matches!(ban.what, Banned::Range(_))) {
            break;
        }
    }
    assert_eq!(attempts, 3, "identities until their address is banned");
    assert!(!comes_in(20, &victim, ATTACKER).await, "a new identity of that address");
    assert!(comes_in(21, &victim, NEIGHBOR).await, "another address of that network");
    let range = victim.handle.bans().borrow().iter().find(|ban| matches!(ban.what, Banned::Range(_))).unwrap().clone();
    assert_eq!((range.what.to_string().as_str(), range.by_operator), (ATTACKER, false));
    assert!(range.reason.contains("invalid"), "{}", range.reason);
    assert!(victim.handle.unban(range.what).await.unwrap());
    assert!(comes_in(22, &victim, ATTACKER).await, "after the operator lifted the ban");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configured_peer_is_not_banned_for_its_neighbors() {
    if !inside("budgets::a_configured_peer_is_not_banned_for_its_neighbors") {
        return;
    }
    let friend = Node::start(config(9, &[]).at(ATTACKER)).await;
    let mut victim = Node::start(config(1, &[&friend.addr]).at(VICTIM)).await;
    victim.wait_for_peers(1).await;
    for number in 10..15 {
        let mut identity = Node::start(config(number, &[&victim.addr]).at(ATTACKER)).await;
        identity.wait_for_peers(1).await;
        for _ in 0..3 {
            victim.send(Command::Punish { peer: identity.id(), misbehaviour: Misbehaviour::InvalidItem }).await;
        }
        patiently(identity.wait_for(|event| matches!(event, Event::PeerDisconnected { .. }))).await;
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(victim.handle.bans().borrow().iter().all(|ban| matches!(ban.what, Banned::Peer(_))));
    assert!(victim.handle.peers().await.unwrap().iter().any(|peer| peer.peer == friend.id()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operators_ban_ends_connections_and_outlasts_a_restart() {
    if !inside("budgets::an_operators_ban_ends_connections_and_outlasts_a_restart") {
        return;
    }
    let victim = Node::start(config(1, &[]).at(VICTIM)).await;
    let mut first = Node::start(config(2, &[&victim.addr]).at("198.51.100.2")).await;
    let mut second = Node::start(config(3, &[&victim.addr]).at(HONEST)).await;
    first.wait_for_peers(1).await;
    second.wait_for_peers(1).await;
    assert!(victim_sees(&victim, first.id()).await && victim_sees(&victim, second.id()).await);
    let what: Banned = "198.51.0.0/16".parse().unwrap();
    let until = Instant::now() + Duration::from_secs(3_600);
    let ban = BanView { what, until, by_operator: true, reason: "noise".to_owned() };
    victim.handle.ban(ban.clone()).await.unwrap().unwrap();
    patiently(first.wait_for(|event| matches!(event, Event::PeerDisconnected { .. }))).await;
    let left = async {
        while victim.handle.peers().await.unwrap().len() != 1 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), left).await.expect("the other network stays");
    let kept = victim.handle.bans().borrow().to_vec();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].until.duration_since(until - Duration::from_secs(1)) < Duration::from_secs(2));
    victim.stop().await;

    let mut again = config(1, &[]).at(VICTIM);
    again.config.bans = kept;
    let victim = Node::start(again).await;
    assert!(!comes_in(4, &victim, "198.51.100.3").await);
    assert!(comes_in(5, &victim, HONEST).await);
    let peer = Banned::Peer(second.id());
    victim.handle.ban(BanView { what: peer, ..ban }).await.unwrap().unwrap();
    assert_eq!(victim.handle.bans().borrow().len(), 2);
    assert!(victim.handle.unban(what).await.unwrap() && !victim.handle.unban(what).await.unwrap());
}
