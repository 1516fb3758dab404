//! Policies for conflicts, for upgrades that this program does not know, and for proofs on branches that are too light
//! to forward.

use p2p_proto::{Item, Response};
use sharechain::Height;
use sharechain::limits::{SETTLED_BITCOIN_BLOCKS, SETTLED_LINKS};
use testkit::{Spec, accepted};

use super::*;
use crate::jobs::JobPosition;

const PEER: PeerId = PeerId([2; 32]);

/// A chain on which an upgrade became active that this program does not know.
fn upgraded() -> World {
    let mut world = World::new();
    world.bitcoin_block();
    while world.chain.too_old().is_none() {
        let tip = world.chain.tip();
        world.link_signalling(tip, 1 << 7);
    }
    world
}

#[test]
fn a_program_that_is_too_old_punishes_nobody_and_goes_on_working() {
    let mut world = upgraded();
    let spec = world.spec(miner(2));
    let mut share = world.header_of(&spec);
    share.coinbase_value = 1;
    let payouts = world.payouts(&share, &spec.previous_block);
    let invalid = world.mine_with(share, &payouts, spec.previous_block, false);
    let mut node = Node::on(1, world.chain.clone(), &world);

    let message = Gossip::Share(Box::new(invalid.clone()));
    let event = Event::Gossip { token: VerdictToken(1), peer: PEER, message };
    let told = node.handle(Input::Network(event), &world, 0);
    assert!(matches!(told[..], [Command::Verdict { verdict: Verdict::Ignore, .. }]), "{told:?}");

    let answer = Response::Proofs(vec![Item { proof: invalid.clone(), list: None }]);
    let request = Request::Proofs { ids: vec![invalid.id()] };
    let mut turn = Turn { engine: &mut node.engine, now: Now { millis: Millis(1), time: world.now } };
    node.exchange.take_response((PEER, RequestId(1)), request, Ok(answer), &mut turn);
    let mut outputs = std::iter::from_fn(|| node.exchange.poll_output());
    assert!(!outputs.any(|output| matches!(output, Output::Network(Command::Punish { .. }))));

    let previous = world.bitcoin_tip.block_hash();
    assert!(JobPosition::find(&mut world.chain, &previous).is_ok());
}

/// A link with an empty list on this parent, which is not inserted into the chain of `world`.
fn bare_link(world: &mut World, parent: ShareId) -> Proof {
    let spec = Spec { link: true, list: Vec::new(), ..world.spec_on(parent, miner(5)) };
    world.mine(&spec)
}

#[test]
fn a_proof_that_cannot_matter_any_more_is_accepted_and_not_passed_on() {
    let mut world = World::new();
    world.bitcoin_block();
    world.grow(50, 0);
    let old = world.chain.main_at(Height(2)).unwrap();
    let tip = world.chain.tip();
    let (cheap, fresh) = (bare_link(&mut world, old), bare_link(&mut world, tip));
    let mut node = Node::on(1, world.chain.clone(), &world);
    for (proof, expected) in [(&cheap, Verdict::Ignore), (&fresh, Verdict::Accept)] {
        let message = Gossip::Link { proof: Box::new(proof.clone()), list: Vec::new() };
        let event = Event::Gossip { token: VerdictToken(1), peer: PEER, message };
        let told = node.handle(Input::Network(event), &world, 0);
        assert!(matches!(&told[..], [Command::Verdict { verdict, .. }] if *verdict == expected), "{told:?}");
        assert!(node.engine.chain().link(&proof.id()).is_some());
    }
    // Likewise for the proofs of this node's miners.
    let mut finder = Node::on(1, world.chain.clone(), &world);
    finder.find(&cheap, Some(Vec::new()), &world);
    assert!(finder.handle(Input::Tick, &world, 0).iter().all(|command| !matches!(command, Command::Publish(_))));
    finder.find(&fresh, Some(Vec::new()), &world);
    assert!(finder.handle(Input::Tick, &world, 0).iter().any(|command| matches!(command, Command::Publish(_))));
}

/// A chain whose node holds a heavier branch that would undo settled links, and that branch.
fn in_conflict() -> (World, World) {
    let mut world = World::new();
    world.bitcoin_block();
    world.in_sync();
    let mut rival = world.clone();
    rival.now = rival.now.plus(1);
    for _ in 0..SETTLED_LINKS + 2 {
        world.link(miner(1));
    }
    for _ in 0..SETTLED_BITCOIN_BLOCKS {
        world.bitcoin_block();
    }
    world.in_sync();
    for _ in 0..SETTLED_LINKS + 60 {
        let (link, list) = rival.link(miner(2));
        world.now = world.now.max(rival.now);
        accepted(world.insert_requested(&link, Some(list)));
    }
    (world, rival)
}

#[test]
fn a_node_in_conflict_goes_on_working_and_follows_the_other_branch_without_fetching_it_again() {
    let (mut world, rival) = in_conflict();
    assert_eq!(world.chain.conflict(), Some(rival.chain.tip()));
    assert_ne!(world.chain.tip(), rival.chain.tip());
    let previous = world.bitcoin_tip.block_hash();
    assert_eq!(JobPosition::find(&mut world.chain, &previous).unwrap().assignment.parent, world.chain.tip());

    let local = wants::local(&world.chain);
    let theirs = rival.chain.link(&rival.chain.tip()).unwrap();
    assert_eq!((local.height, local.work), (theirs.height, theirs.chain_work));
    assert_eq!(local.locator[..10], rival.chain.locator()[..10]);
    assert_eq!(local.locator.last(), Some(&world.chain.params().genesis_id()));
    assert!(local.locator.len() <= p2p_proto::limits::LOCATOR_MAX);

    // A peer on that branch is not ahead, so this node stays in sync.
    let mut node = Node::on(1, world.chain.clone(), &world);
    let event = Event::PeerConnected { peer: PEER, addr: String::new(), inbound: false };
    let asked = node.handle(Input::Network(event), &world, 0);
    let Some(Command::Request { id, .. }) =
        asked.into_iter().find(|command| matches!(command, Command::Request { request: Request::Tip, .. }))
    else {
        panic!("the peer is asked for its tip");
    };
    let tip = TipInfo {
        tip: rival.chain.tip(),
        height: theirs.height,
        work: theirs.chain_work,
        lowest_shown: Height(1),
        bitcoin_height: 0,
        user_agent: String::new(),
    };
    let event = Event::Response { peer: PEER, id, result: Ok(Response::Tip(tip)) };
    let told = node.handle(Input::Network(event), &world, 100);
    assert_eq!(node.states.last(), Some(&SyncState::Synced));
    let asks_for_links =
        |command: &Command| matches!(command, Command::Request { request: Request::LinkHeaders { .. }, .. });
    assert!(!told.iter().any(asks_for_links), "{told:?}");
}
