//! Nodes that join late: with one honest peer, and with additional peers that misbehave.

use sharechain::Height;
use sharechain::limits::MEMORY_DEPTH;

use super::network::{History, Manner, Net};
use super::*;

/// A newcomer at index 0, connected with the others.
fn with_newcomer(others: Vec<(Node, Manner)>, world: &World) -> Net {
    let mut nodes = vec![(Node::new(1, world, true), Manner::Honest)];
    nodes.extend(others);
    let mut net = Net::new(nodes);
    net.connect_with_all(0, world);
    net
}

#[test]
fn a_newcomer_with_one_honest_peer_never_hangs() {
    for (links, shares) in [(500, 12), (1_341, 4), (2_800, 1)] {
        let history = History::new().grow(links, shares);
        let mut net = with_newcomer(vec![(history.node(2), Manner::Honest)], &history.world);
        let tip = history.world.chain.tip();
        let seconds = net.run_until(300, &history.world, |net| net.is_in_sync(0, tip));
        assert!(seconds.is_some(), "{links}: {:?} {:?}", net.nodes[0].engine.tip(), net.nodes[0].states.last());
        assert_eq!(net.nodes[0].engine.chain().bottom(), Height(0));
        assert_eq!(net.wrongly_punished(), 0);
    }
}

#[test]
fn a_newcomer_starts_from_verified_rows_if_the_chain_is_long() {
    let mut history = History::new().grow(5_000, 1);
    let mut net = with_newcomer(vec![(history.node(2), Manner::Honest)], &history.world);
    let tip = history.world.chain.tip();
    let seconds = net.run_until(300, &history.world, |net| net.is_in_sync(0, tip));
    assert!(seconds.is_some_and(|seconds| seconds < 120), "{seconds:?} {:?}", net.nodes[0].states.last());
    let phases: Vec<_> = (net.nodes[0].states.iter())
        .filter_map(|state| if let SyncState::Syncing { phase, .. } = state { Some(*phase) } else { None })
        .collect();
    for phase in [Phase::Headers, Phase::Rows, Phase::Proofs] {
        assert!(phases.contains(&phase), "{phase:?}");
    }
    assert_eq!(net.sent.borrow()["rows"], 6);
    // From now on, both are equal.
    history.world.bitcoin_block();
    let world = &mut history.world;
    for node in &mut net.nodes {
        node.engine.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
    }
    let (link, list) = world.link(miner(3));
    net.nodes[1].find(&link, Some(list), world);
    net.run(1, world);
    assert_eq!(net.nodes[0].engine.tip().tip, link.id());
    assert_eq!(net.wrongly_punished(), 0);
}

#[test]
fn a_node_that_started_from_rows_starts_from_them_again_and_serves_the_next() {
    let history = History::new().grow(MEMORY_DEPTH + 700, 1);
    let tip = history.world.chain.tip();
    let mut net = with_newcomer(vec![(history.node(2), Manner::Honest)], &history.world);
    assert!(net.run_until(300, &history.world, |net| net.is_in_sync(0, tip)).is_some());
    let second = net.nodes.swap_remove(0);
    let store = Arc::clone(second.engine.store());
    let mut again = Node::on(3, World::with(history.world.chain.params().clone()).newcomer(), &history.world);
    let mut chain = World::with(history.world.chain.params().clone()).chain;
    for header in &history.world.bitcoin_headers {
        chain.insert_bitcoin_header(*header, history.world.now);
    }
    again.engine = Engine::open(chain, store, history.world.now).unwrap();
    again.exchange = Exchange::new(&again.engine, false);
    assert_eq!(again.engine.tip().tip, tip, "all of it is in its store");
    let mut net = with_newcomer(vec![(again, Manner::Honest)], &history.world);
    assert!(net.run_until(300, &history.world, |net| net.is_in_sync(0, tip)).is_some());
}

/// A node with these records on its disk and a bitcoind that has all headers.
fn restarted(records: &[Record], history: &History) -> Node {
    let store = Memory::default();
    store.append(records).unwrap();
    let mut chain = World::with(history.world.chain.params().clone()).chain;
    for header in &history.world.bitcoin_headers {
        chain.insert_bitcoin_header(*header, history.world.now);
    }
    let mut node = Node::new(1, &history.world, true);
    node.engine = Engine::open(chain, Arc::new(store), history.world.now).unwrap();
    node.exchange = Exchange::new(&node.engine, false);
    node
}

#[test]
fn a_start_that_was_cut_off_anywhere_begins_anew() {
    let history = History::new().grow(MEMORY_DEPTH + 400, 1);
    let tip = history.world.chain.tip();
    let mut net = with_newcomer(vec![(history.node(2), Manner::Honest)], &history.world);
    assert!(net.run_until(300, &history.world, |net| net.is_in_sync(0, tip)).is_some());
    let records = net.nodes[0].engine.store().records.lock().unwrap().clone();
    let is_note = |record: &Record| record.kind == RecordKind::Meta && record.id.starts_with(b"base chunks are unf");
    let notes: Vec<usize> = (0..records.len()).filter(|at| is_note(&records[*at])).collect();
    let [begins, ends] = notes[..] else { panic!("one start: {notes:?}") };
    let first = |kind| records.iter().skip(begins).position(|record| record.kind == kind).unwrap() + begins;
    let (proofs, lists, bases) = (first(RecordKind::Proof), first(RecordKind::List), first(RecordKind::Base));
    assert!(begins < proofs && proofs < lists && lists < bases && bases + 1 < ends);
    for (cut, again) in [
        (begins + 1, true),
        ((proofs + lists) / 2, false),
        (lists, false),
        ((lists + bases) / 2, false),
        (bases, false),
        (bases + 1, true),
        (ends, true),
    ] {
        let node = restarted(&records[..cut], &history);
        assert_eq!(node.engine.store().bases().count(), 0, "cut at {cut}");
        // The proof alone suffices to check a first link without a list.
        assert!(node.engine.tip().height <= 1, "cut at {cut}: height {}", node.engine.tip().height);
        if again {
            let mut net = Net::new(vec![(node, Manner::Honest), (history.node(2), Manner::Honest)]);
            net.connect_with_all(0, &history.world);
            let seconds = net.run_until(300, &history.world, |net| net.is_in_sync(0, tip));
            assert!(seconds.is_some(), "cut at {cut}: {:?}", net.nodes[0].states.last());
            assert_eq!(net.wrongly_punished(), 0);
        }
    }
    let whole = restarted(&records[..=ends], &history);
    assert!(whole.engine.store().bases().count() > 0 && whole.engine.tip().height > 0, "a whole start is kept");
}

#[test]
fn peers_that_do_not_behave_delay_a_newcomer_and_no_more() {
    let history = History::new().grow(600, 2);
    let tip = history.world.chain.tip();
    for manner in [Manner::Silent, Manner::Refusing, Manner::Slow, Manner::Claiming, Manner::WithholdingLists] {
        for count in [1, 2, 5] {
            let mut others: Vec<_> = (0..count).map(|number| (history.node(10 + number), manner)).collect();
            others.push((history.node(2), Manner::Honest));
            let mut net = with_newcomer(others, &history.world);
            let seconds = net.run_until(600, &history.world, |net| net.is_in_sync(0, tip));
            assert!(seconds.is_some_and(|seconds| seconds < 200), "{count} {manner:?}: {seconds:?}");
            assert_eq!(net.wrongly_punished(), 0, "{manner:?} {:?}", net.punished);
        }
    }
}

#[test]
fn liars_about_deep_links_delay_a_newcomer_and_no_more() {
    let history = History::new().grow(MEMORY_DEPTH + 400, 1);
    let tip = history.world.chain.tip();
    for manner in [Manner::LyingOfRows, Manner::Silent, Manner::WithholdingLists, Manner::Claiming] {
        let mut others: Vec<_> = (0..5).map(|number| (history.node(10 + number), manner)).collect();
        others.push((history.node(2), Manner::Honest));
        let mut net = with_newcomer(others, &history.world);
        let seconds = net.run_until(1_200, &history.world, |net| net.is_in_sync(0, tip));
        assert!(
            seconds.is_some_and(|seconds| seconds < 600),
            "{manner:?}: {seconds:?} {:?}",
            net.nodes[0].states.last()
        );
        assert_eq!(net.wrongly_punished(), 0, "{manner:?} {:?}", net.punished);
    }
}

#[test]
fn an_early_liar_does_not_choose_the_chain() {
    let common = History::new().grow(200, 0);
    let honest = common.fork().grow(MEMORY_DEPTH + 400, 1);
    let false_chain = common.fork().grow(MEMORY_DEPTH, 0);
    assert_ne!(honest.world.chain.tip(), false_chain.world.chain.tip());
    let mut world = honest.world.clone();
    for header in &false_chain.world.bitcoin_headers {
        if world.chain.bitcoin().get(&header.block_hash()).is_none() {
            world.bitcoin_headers.push(*header);
        }
    }
    let mut nodes = vec![(Node::new(1, &world, true), Manner::Honest)];
    nodes.push((false_chain.node(9), Manner::Honest));
    nodes.push((honest.node(2), Manner::Honest));
    let mut net = Net::new(nodes);
    net.connect(0, 1, &world);
    net.run(5, &world);
    net.connect(0, 2, &world);
    let (tip, other) = (honest.world.chain.tip(), false_chain.world.chain.main_at(Height(1_000)).unwrap());
    let seconds = net.run_until(600, &world, |net| net.is_in_sync(0, tip));
    assert!(seconds.is_some(), "{:?} {:?}", net.nodes[0].engine.tip(), net.nodes[0].states.last());
    let started = net.nodes[0].engine.store().get(RecordKind::Base, &[0; 32]).unwrap().unwrap();
    assert!(!started.windows(32).any(|part| part == other.0));

    // If it is alone for long, it starts from there. Until a link is settled, a better chain replaces that start.
    let mut nodes = vec![(Node::new(1, &world, true), Manner::Honest)];
    nodes.push((false_chain.node(9), Manner::Honest));
    nodes.push((honest.node(2), Manner::Honest));
    let mut net = Net::new(nodes);
    net.connect(0, 1, &world);
    let wrong = false_chain.world.chain.tip();
    assert!(net.run_until(100, &world, |net| net.is_in_sync(0, wrong)).is_some());
    net.connect(0, 2, &world);
    let seconds = net.run_until(100, &world, |net| net.is_in_sync(0, tip));
    assert!(seconds.is_some(), "{:?} {:?}", net.nodes[0].engine.tip(), net.nodes[0].states.last());
    assert_eq!(net.wrongly_punished(), 0, "{:?}", net.punished);
}

/// A newcomer at index 0, with a peer that has the trusted chain and a peer with a heavier chain.
fn between_two(honest: &History, heavier: &History, trust: Option<ShareId>) -> (Net, World) {
    let mut world = honest.world.clone();
    world.now = heavier.world.now;
    for header in &heavier.world.bitcoin_headers {
        if world.chain.bitcoin().get(&header.block_hash()).is_none() {
            world.bitcoin_headers.push(*header);
        }
    }
    let mut newcomer = Node::new(1, &world, true);
    if let Some(link) = trust {
        newcomer.exchange.trust(link, None, &newcomer.engine).unwrap();
    }
    let others = [(honest.node(2), Manner::Honest), (heavier.node(9), Manner::Honest)];
    let mut net = Net::new([(newcomer, Manner::Honest)].into_iter().chain(others).collect());
    net.connect(0, 1, &world);
    net.connect(0, 2, &world);
    (net, world)
}

#[test]
fn a_newcomer_refuses_the_heavier_chain_without_the_trusted_link() {
    for (common, honest, more) in [(60, 100, 100), (200, MEMORY_DEPTH + 300, 300)] {
        let common = History::new().grow(common, 0);
        let (fair, heavier) = (common.fork().grow(honest, 1), common.fork().grow(honest + more, 0));
        let (tip, wrong) = (fair.world.chain.tip(), heavier.world.chain.tip());
        let (mut net, world) = between_two(&fair, &heavier, None);
        assert!(
            net.run_until(300, &world, |net| net.is_in_sync(0, wrong)).is_some(),
            "by work alone, the heavier wins"
        );

        let height = fair.world.chain.height().below(50);
        let trust = fair.world.chain.main_at(height).unwrap();
        let (mut net, world) = between_two(&fair, &heavier, Some(trust));
        let seconds = net.run_until(300, &world, |net| net.is_in_sync(0, tip));
        assert!(seconds.is_some(), "{:?} {:?}", net.nodes[0].engine.tip(), net.nodes[0].states.last());
        assert!(net.nodes[0].engine.had_trusted(&trust).unwrap());
        net.run(300, &world);
        assert_eq!(net.nodes[0].engine.tip().tip, tip);
        assert_eq!(net.wrongly_punished(), 0, "{:?}", net.punished);
    }
}

#[test]
fn a_newcomer_hands_out_no_work_until_a_peer_shows_the_trusted_link() {
    let history = History::new().grow(100, 1);
    let mut newcomer = Node::new(1, &history.world, true);
    newcomer.exchange.trust(ShareId([7; 32]), None, &newcomer.engine).unwrap();
    let mut net = Net::new(vec![(newcomer, Manner::Honest), (history.node(2), Manner::Honest)]);
    net.connect_with_all(0, &history.world);
    net.run(120, &history.world);
    assert_eq!(net.nodes[0].engine.tip().height, 0);
    assert!(
        net.nodes[0].trouble.as_ref().is_some_and(|trouble| trouble.contains("trusted link")),
        "{:?}",
        net.nodes[0].trouble
    );
    assert_eq!(net.wrongly_punished(), 0, "{:?}", net.punished);
}

#[test]
fn a_claim_takes_no_work_from_miners() {
    let history = History::new().grow(60, 1);
    let tip = history.world.chain.tip();
    for manner in [Manner::Silent, Manner::Refusing, Manner::Claiming] {
        let nodes =
            vec![(history.node(1), Manner::Honest), (history.node(2), Manner::Honest), (history.node(9), manner)];
        let mut net = Net::new(nodes);
        net.connect(0, 1, &history.world);
        net.run(5, &history.world);
        assert!(net.is_in_sync(0, tip));
        let states = net.nodes[0].states.len();
        net.connect(0, 2, &history.world);
        net.run(600, &history.world);
        assert_eq!(net.nodes[0].states.len(), states, "{manner:?}: {:?}", net.nodes[0].states);
    }
}

#[test]
fn headers_without_lists_take_no_work() {
    let common = History::new().grow(60, 1);
    let hidden = common.fork().grow(100, 0);
    let tip = common.world.chain.tip();
    let world = hidden.world.clone();
    let nodes = vec![
        (common.node(1), Manner::Honest),
        (common.node(2), Manner::Honest),
        (hidden.node(9), Manner::WithholdingLists),
    ];
    let mut net = Net::new(nodes);
    for node in &mut net.nodes {
        node.engine.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
    }
    net.connect(0, 1, &world);
    net.run(5, &world);
    assert!(net.is_in_sync(0, tip));
    let states = net.nodes[0].states.len();
    net.connect(0, 2, &world);
    net.run(300, &world);
    assert_eq!(net.nodes[0].states.len(), states, "{:?}", net.nodes[0].states);
    assert_eq!(net.nodes[0].engine.tip().tip, tip);
    // Once the lists come, the node follows.
    net.manners[2] = Manner::Honest;
    let tip = hidden.world.chain.tip();
    assert!(net.run_until(200, &world, |net| net.is_in_sync(0, tip)).is_some());
}
