//! Nodes on real sockets on loopback.

use std::time::Duration;

use bitcoin::hashes::Hash;
use p2p_proto::message::Announcement;
use p2p_proto::{Command, Event, Failure, Gossip, Misbehaviour, Request, Response, Verdict, sync::RequestId};
use sharechain::ChainParams;

use crate::common::{Node, config, patiently, share};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gossip_is_forwarded_only_after_its_verdict() {
    // A line of three: what the last node gets has passed the middle one.
    let first = Node::start(config(1, &[])).await;
    let mut middle = Node::start(config(2, &[&first.addr])).await;
    let mut last = Node::start(config(3, &[&middle.addr])).await;
    middle.wait_for_peers(2).await;
    last.wait_for_peers(1).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;

    first.send(Command::Publish(share(1))).await;
    let (token, peer, message) = middle.next_gossip().await;
    assert_eq!((peer, message), (first.id(), share(1)));
    assert!(last.no_gossip(Duration::from_millis(500)).await, "not before the verdict");
    middle.send(Command::Verdict { token, verdict: Verdict::Accept }).await;
    let (_, peer, message) = last.next_gossip().await;
    assert_eq!((peer, message), (middle.id(), share(1)));

    first.send(Command::Publish(share(2))).await;
    let (token, ..) = middle.next_gossip().await;
    middle.send(Command::Verdict { token, verdict: Verdict::Ignore }).await;
    assert!(last.no_gossip(Duration::from_millis(800)).await, "ignored is not forwarded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_announcement_of_a_block_arrives_and_its_pieces_do() {
    let first = Node::start(config(4, &[])).await;
    let mut second = Node::start(config(5, &[&first.addr])).await;
    second.wait_for_peers(1).await;
    let Gossip::Share(proof) = share(1) else { panic!("it is a share") };
    let ids = vec![[0xab; 6]; p2p_proto::limits::BLOCK_TRANSACTIONS_MAX];
    let block = Gossip::BitcoinBlock(Announcement { proof, nonce: 7, ids });
    // The subscription may take slightly longer than the connection.
    tokio::time::sleep(Duration::from_millis(500)).await;
    first.send(Command::Publish(block.clone())).await;
    let (_, _, message) = second.next_gossip().await;
    assert!(message == block);
    let (hash, mut first) = (bitcoin::BlockHash::all_zeros(), first);
    let request = Request::BlockPiece { block: hash, offset: 9 };
    second.send(Command::Request { peer: first.id(), id: RequestId(1), request: request.clone() }).await;
    let (token, _, asked) = first.next_request().await;
    assert_eq!(asked, request);
    let piece = vec![3; p2p_proto::limits::BLOCK_PIECE_BYTES_MAX];
    let response = Response::BlockPiece { size: p2p_proto::limits::BLOCK_BYTES_MAX as u32, bytes: piece };
    first.send(Command::Reply { token, response: response.clone() }).await;
    assert!(second.next_response().await == (RequestId(1), Ok(response)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_answered_over_quic_too() {
    for quic in [false, true] {
        let mut asked = Node::start(config(6, &[]).with_transport(quic)).await;
        let mut asking = Node::start(config(7, &[&asked.addr]).with_transport(quic)).await;
        asking.wait_for_peers(1).await;
        asking.send(Command::Request { peer: asked.id(), id: RequestId(9), request: Request::Pending }).await;
        let (token, peer, request) = asked.next_request().await;
        assert_eq!((peer, request), (asking.id(), Request::Pending));
        asked.send(Command::Reply { token, response: Response::Pending(Vec::new()) }).await;
        let (id, result) = asking.next_response().await;
        assert_eq!((id, result), (RequestId(9), Ok(Response::Pending(Vec::new()))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_another_question_is_garbage() {
    let mut asked = Node::start(config(8, &[])).await;
    let mut asking = Node::start(config(9, &[&asked.addr])).await;
    asking.wait_for_peers(1).await;
    for round in 0..2 {
        asking.send(Command::Request { peer: asked.id(), id: RequestId(round), request: Request::Tip }).await;
        let (token, ..) = asked.next_request().await;
        asked.send(Command::Reply { token, response: Response::Pending(Vec::new()) }).await;
        assert_eq!(asking.next_response().await.1, Err(Failure::Garbage));
    }
    asking.wait_for(|event| matches!(event, Event::PeerBanned { .. })).await;
    asking.wait_for(|event| matches!(event, Event::PeerDisconnected { .. })).await;
    let gone = Command::Request { peer: asked.id(), id: RequestId(5), request: Request::Tip };
    asking.send(gone).await;
    assert_eq!(asking.next_response().await, (RequestId(5), Err(Failure::Disconnected)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_gossip_leads_to_a_ban() {
    let first = Node::start(config(10, &[])).await;
    let mut second = Node::start(config(11, &[&first.addr])).await;
    second.wait_for_peers(1).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    for number in 0..3 {
        // Gossip starts only after both have told each other their topics.
        let mut again = number;
        let token = loop {
            first.send(Command::Publish(share(again))).await;
            match tokio::time::timeout(Duration::from_secs(2), second.next_gossip()).await {
                Ok((token, ..)) => break token,
                Err(_) => again += 100,
            }
        };
        let verdict = Verdict::Reject(Misbehaviour::InvalidItem);
        second.send(Command::Verdict { token, verdict }).await;
    }
    second.wait_for(|event| matches!(event, Event::PeerBanned { peer } if *peer == first.id())).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(second.handle.peers().await.unwrap().is_empty(), "and stays away even if dialed again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn networks_do_not_mix() {
    let first = Node::start(config(12, &[])).await;
    let mut other = config(13, &[&first.addr]);
    other.config.consensus_id = [0xee; 32];
    let mut second = Node::start(other).await;
    let heard = second.hears(Duration::from_secs(3), |event| matches!(event, Event::PeerConnected { .. })).await;
    assert!(!heard);
    assert!(first.handle.peers().await.unwrap().is_empty());
}

/// Only the names of the pools or the coinbase sizes differ. The node that dialed reports why it has no peer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_pools_never_exchange_a_share_and_say_why() {
    let pool = |name: &str| ChainParams { pool: name.parse().unwrap(), ..ChainParams::local() };
    let (garage, barn, wide) = (pool("garage"), pool("barn"), ChainParams::local().wide("local-wide"));
    for (number, (ours, theirs)) in
        [(&garage, &barn), (&garage, &ChainParams::local()), (&ChainParams::local(), &wide)].into_iter().enumerate()
    {
        let number = 30 + 3 * number as u8;
        let of = |number, peers: &[&String], params: &ChainParams| {
            let mut config = config(number, peers);
            config.config.consensus_id = params.consensus_id();
            config
        };
        let mut listening = Node::start(of(number, &[], ours)).await;
        let mut other = Node::start(of(number + 1, &[&listening.addr], theirs)).await;
        let mut same = Node::start(of(number + 2, &[&listening.addr], ours)).await;
        let told = other.wait_for(|event| matches!(event, Event::OtherPool { .. })).await;
        let Event::OtherPool { peer, addr } = told else { panic!("{told:?}") };
        assert!(peer == listening.id() && listening.addr.starts_with(&addr), "{peer} {addr}");
        listening.wait_for_peers(1).await;
        same.wait_for_peers(1).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        listening.send(Command::Publish(share(7))).await;
        assert_eq!(same.next_gossip().await.2, share(7));
        assert!(other.no_gossip(Duration::from_millis(500)).await);
        other.send(Command::Publish(share(8))).await;
        assert!(listening.no_gossip(Duration::from_millis(500)).await);
        assert_eq!(listening.handle.peers().await.unwrap().len(), 1, "only the node of the same pool");
        assert!(other.handle.peers().await.unwrap().is_empty());
    }
}

/// A copied data folder, for example.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_node_with_the_same_key_is_told() {
    let first = Node::start(config(60, &[])).await;
    let bare = first.addr.split("/p2p/").next().unwrap().to_owned();
    let mut second = Node::start(config(60, &[&bare])).await;
    let told = second.wait_for(|event| matches!(event, Event::OwnKeyElsewhere { .. })).await;
    assert!(matches!(&told, Event::OwnKeyElsewhere { addr } if *addr == bare), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comes_back_after_a_restart() {
    let mut stays = Node::start(config(14, &[])).await;
    for _ in 0..2 {
        let mut comes = Node::start(config(15, &[&stays.addr])).await;
        comes.wait_for_peers(1).await;
        stays.wait_for(|event| matches!(event, Event::PeerConnected { .. })).await;
        drop(comes);
        stays.wait_for(|event| matches!(event, Event::PeerDisconnected { .. })).await;
    }
    // The other way around: the node that was dialed restarts on its old port.
    let port_addr = stays.addr.clone();
    let mut dialler = Node::start(config(16, &[&port_addr])).await;
    dialler.wait_for_peers(1).await;
    stays.stop().await;
    dialler.wait_for(|event| matches!(event, Event::PeerDisconnected { .. })).await;
    let mut again = config(14, &[]);
    again.config.listen = vec![port_addr.split("/p2p/").next().unwrap().to_owned()];
    let _again = Node::start(again).await;
    dialler.wait_for(|event| matches!(event, Event::PeerConnected { .. })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_by_block_heals() {
    let first = Node::start(config(17, &[])).await;
    let mut second = Node::start(config(18, &[&first.addr])).await;
    for _ in 0..3 {
        second.wait_for(|event| matches!(event, Event::PeerConnected { .. })).await;
        first.send(Command::Block(second.id())).await;
        second.send(Command::Block(first.id())).await;
        second.wait_for(|event| matches!(event, Event::PeerDisconnected { .. })).await;
        let heard = second.hears(Duration::from_secs(2), |event| matches!(event, Event::PeerConnected { .. })).await;
        assert!(!heard, "blocked");
        first.send(Command::Unblock(second.id())).await;
        second.send(Command::Unblock(first.id())).await;
    }
    second.wait_for(|event| matches!(event, Event::PeerConnected { .. })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_does_not_listen_blocks_nobody() {
    let mut sender = Node::start(config(19, &[])).await;
    let deaf = Node::start(config(20, &[&sender.addr])).await;
    sender.wait_for_peers(1).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    for number in 0..3_000 {
        sender.send(Command::Publish(share(number))).await;
    }
    // Its event queue is full, but its commands still work.
    let peers = patiently(deaf.handle.peers()).await.unwrap();
    assert!(peers.len() <= 1);
}

/// Whether nodes in one network find each other depends on the machine, because multicast does not work over loopback.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mdns_stops_no_node_where_there_is_no_local_network() {
    let first = Node::start(config(21, &[])).await;
    let mut discovering = config(22, &[&first.addr]);
    discovering.config.mdns = true;
    let mut second = Node::start(discovering).await;
    second.wait_for_peers(1).await;
}
