//! A newcomer that starts from verified work: first link proofs without lists, then rows that match state roots, then
//! everything above in full. Also what a lying peer achieves.

use std::collections::BTreeMap;

use sharechain::base::{BaseLink, Chunk};
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::chain::{Chain, Outcome};
use sharechain::limits::{NEWCOMER_DEPTH, STATE_DEPTH};
use sharechain::link_headers::{Beginning, HeaderError, LinkHeaders, RowsError, VerifiedRows};
use sharechain::{ChainParams, Height, Proof, RuleError, ShareId, Weight, Work};
use testkit::{Spec, World, accepted, miner, params};

/// A node with a history, and everything found on it.
struct Peer {
    world: World,
    found: Vec<(Proof, Option<Vec<ShareId>>)>,
    by_id: BTreeMap<ShareId, (Proof, Option<Vec<ShareId>>)>,
}

impl Peer {
    fn new(links: u32) -> Self {
        let params = ChainParams { window_proofs: 600, window_weight: Weight(u128::MAX >> 1), ..params() };
        let mut peer = Self { world: World::with(params), found: Vec::new(), by_id: BTreeMap::new() };
        for number in 0..links {
            if number % 40 == 0 {
                peer.world.bitcoin_block();
            }
            if number % 3 == 0 {
                let share = peer.world.share(miner((number % 11) as u8));
                peer.found.push((share, None));
            }
            // Bits come and go, so that a newcomer must also get their state right.
            let tip = peer.world.chain.tip();
            if number % 50 == 49 {
                peer.found.push((peer.world.link_signalling(tip, 1 << (number % 7)), Some(vec![])));
            } else {
                let (link, list) = peer.world.link(miner((number % 5) as u8));
                peer.found.push((link, Some(list)));
            }
        }
        peer.by_id = peer.found.iter().map(|item| (item.0.id(), item.clone())).collect();
        peer
    }

    fn proof_at(&self, height: Height) -> Proof {
        self.by_id[&self.world.chain.main_at(height).unwrap()].0.clone()
    }

    fn bitcoin(&self) -> BitcoinHeaders {
        let params = &self.world.chain.params().bitcoin;
        let mut headers = BitcoinHeaders::new(params, &Root::genesis(params)).unwrap();
        for header in &self.world.bitcoin_headers {
            headers.insert(*header, self.world.now).unwrap();
        }
        headers
    }

    /// Verified link proofs from the lowest that this peer can show.
    fn headers(&self) -> LinkHeaders {
        let chain = &self.world.chain;
        let first = chain.lowest_shown();
        let mut headers = LinkHeaders::new(chain.params().clone(), chain.beginning_at(first).unwrap());
        assert_eq!(headers.first_height(), first);
        let bitcoin = self.bitcoin();
        for height in first.0..=chain.height().0 {
            headers.push(self.proof_at(Height(height)), &bitcoin, self.world.now).unwrap();
        }
        headers
    }

    /// Links with their rows, encoded in chunks as for peers.
    fn rows(&self) -> Vec<BaseLink> {
        let chain = &self.world.chain;
        let (first, last) = (chain.lowest_shown().0, chain.height().0 - NEWCOMER_DEPTH + 1);
        let ranges = (first..=last).step_by(100).map(|from| (Height(from), Height((from + 99).min(last))));
        let chunks = ranges.map(|(from, to)| chain.chunk_of(from, to).unwrap().encode());
        chunks.flat_map(|bytes| Chunk::decode(&bytes).unwrap().links).collect()
    }
}

/// A chain from verified links and rows, without anything above the base.
fn based(peer: &Peer, headers: &LinkHeaders, rows: Vec<BaseLink>) -> Result<Chain, RowsError> {
    let mut verified = VerifiedRows::new(headers, &peer.bitcoin()).unwrap();
    for link in rows {
        verified.push(headers, link)?;
    }
    Ok(verified.into_chain(peer.bitcoin()))
}

/// Gives a chain the lists and proofs above its base.
fn complete(peer: &Peer, mut chain: Chain) -> World {
    let links = chain.base_lists_from().0..=chain.height().0;
    let ids = links.filter_map(|height| chain.main_at(Height(height)));
    let lists: Vec<_> = ids.filter_map(|id| Some((id, peer.by_id.get(&id)?.1.clone()?))).collect();
    chain.note_base_lists(lists);
    let base = chain.height();
    let mut world = peer.world.clone();
    world.chain = chain;
    let heights = peer.found.iter().map(|(proof, list)| (proof, list));
    for (proof, list) in heights {
        let known = peer.world.chain.credit(&proof.id());
        if known.is_some_and(|credit| credit.height > base) {
            let outcome = world.insert_requested(proof, list.clone());
            assert!(matches!(outcome, Outcome::Accepted(_) | Outcome::Known(_)), "{outcome:?}");
        }
    }
    world
}

#[test]
fn a_newcomer_needs_no_proof_below_its_base() {
    let mut peer = Peer::new(NEWCOMER_DEPTH + 1_500);
    let headers = peer.headers();
    assert_eq!(headers.tip(), {
        let tip = peer.world.chain.tip();
        (tip, peer.world.chain.height(), peer.world.chain.link(&tip).unwrap().chain_work)
    });
    let chain = based(&peer, &headers, peer.rows()).unwrap();
    assert_eq!(chain.height(), peer.world.chain.height().below(NEWCOMER_DEPTH));
    let mut world = complete(&peer, chain);
    assert_eq!(world.chain.tip(), peer.world.chain.tip());
    // From here on, both nodes agree: what one finds, the other accepts.
    for number in 0..20 {
        if number % 5 == 0 {
            peer.world.bitcoin_block();
            world.chain.insert_bitcoin_header(peer.world.bitcoin_tip, peer.world.now);
            world.bitcoin_tip = peer.world.bitcoin_tip;
        }
        let (link, list) = peer.world.link(miner(3));
        world.now = peer.world.now;
        accepted(world.insert(&link, Some(list)));
        assert_eq!(world.chain.tip(), link.id());
    }
}

#[test]
fn a_newcomer_starts_from_a_peer_that_forgot_the_beginning() {
    let peer = Peer::new(STATE_DEPTH + 2_500);
    assert!(peer.world.chain.bottom() > Height(1_000));
    let headers = peer.headers();
    assert!(headers.first_height() > Height(1_000));
    let chain = based(&peer, &headers, peer.rows()).unwrap();
    let world = complete(&peer, chain);
    assert_eq!(world.chain.tip(), peer.world.chain.tip());
    let upgrades = |world: &World| world.chain.upgrades().collect::<Vec<_>>();
    assert_eq!(upgrades(&world), upgrades(&peer.world));
}

#[test]
fn a_lie_about_the_rows_is_seen_at_its_link() {
    let peer = Peer::new(NEWCOMER_DEPTH + 300);
    let headers = peer.headers();
    let rows = peer.rows();
    let lies: [fn(&mut BaseLink); 6] = [
        |link| link.rows[0].weight = link.rows[0].weight.plus(Weight(1)),
        |link| link.rows[0].script = std::sync::Arc::from(miner(200).as_script()),
        |link| drop(link.rows.pop()),
        |link| link.rows[0].shares += 1,
        |link| link.window.root.sum = link.window.root.sum.plus(Weight(1)),
        |link| link.window.leaves += 1,
    ];
    for lie in lies {
        let mut told = rows.clone();
        lie(&mut told[250]);
        let height = headers.first_height().0 + 250;
        let found = based(&peer, &headers, told).err();
        let expected = [RowsError::StateRoot(Height(height)), RowsError::Range(Height(height))];
        assert!(found.is_some_and(|found| expected.contains(&found)), "{found:?}");
    }
    // A snapshot or an id is part of the history, so the next link's root exposes a change.
    let mut told = rows.clone();
    told[250].snapshot = told[250].snapshot.child();
    let next = Height(headers.first_height().0 + 251);
    assert_eq!(based(&peer, &headers, told).err(), Some(RowsError::StateRoot(next)));
}

#[test]
fn a_lie_about_the_beginning_is_seen_at_the_first_link() {
    let peer = Peer::new(STATE_DEPTH + 1_500);
    let chain = &peer.world.chain;
    let first = chain.lowest_shown();
    assert!(first > Height(100));
    let bitcoin = peer.bitcoin();
    let honest = chain.beginning_at(first).unwrap();
    let rows = peer.rows();
    let lies: [fn(&mut Beginning); 4] = [
        |lie| lie.recent[0].chain_work = lie.recent[0].chain_work.plus(Work(sharechain::U256::from(1_u8))),
        |lie| lie.recent[5].proofs += 1,
        |lie| lie.signals = sharechain::signals::Signals::default().after(Height(1), 1 << 30),
        |lie| lie.history = sharechain::state::History::default(),
    ];
    for lie in lies {
        let mut told = honest.clone();
        lie(&mut told);
        let mut headers = LinkHeaders::new(chain.params().clone(), told);
        for height in first.0..first.0 + 3 {
            headers.push(peer.proof_at(Height(height)), &bitcoin, peer.world.now).unwrap();
        }
        let mut verified = VerifiedRows::new(&headers, &peer.bitcoin()).unwrap();
        assert_eq!(verified.push(&headers, rows[0].clone()), Err(RowsError::StateRoot(first)));
    }
}

#[test]
fn work_is_verified_link_by_link() {
    let mut peer = Peer::new(200);
    let bitcoin = peer.bitcoin();
    let tip = peer.world.chain.tip();
    let on = |peer: &Peer, height: u32| {
        LinkHeaders::on(&peer.world.chain, &peer.world.chain.main_at(Height(height)).unwrap()).unwrap()
    };
    let mut headers = on(&peer, 150);
    for height in 151..=200 {
        headers.push(peer.proof_at(Height(height)), &bitcoin, peer.world.now).unwrap();
    }
    let work =
        |height: u32| peer.world.chain.link(&peer.world.chain.main_at(Height(height)).unwrap()).unwrap().chain_work;
    assert_eq!(headers.tip(), (tip, Height(200), work(200)));
    assert_eq!(headers.work_since(sharechain::U256::ZERO).0, work(200).0 - work(150).0);
    // A share is not a link, a link on another parent does not continue the chain, and every rule applies.
    let share = peer.world.share(miner(1));
    assert_eq!(headers.push(share, &bitcoin, peer.world.now), Err(HeaderError::NotALink));
    assert_eq!(headers.push(peer.proof_at(Height(199)), &bitcoin, peer.world.now), Err(HeaderError::NotNext));
    let spec = Spec { link: true, ..peer.world.spec(miner(1)) };
    let mut share = peer.world.header_of(&spec);
    share.bitcoin_height += 1;
    let wrong = peer.world.mine_with(share, &[], spec.previous_block, true);
    let rule = RuleError::BitcoinHeight;
    assert_eq!(headers.push(wrong, &bitcoin, peer.world.now), Err(HeaderError::Rule(rule)));
    peer.world.bitcoin_block();
    let spec = Spec { link: true, ..peer.world.spec(miner(1)) };
    let unknown = peer.world.mine(&spec);
    let hash = peer.world.bitcoin_tip.block_hash();
    assert_eq!(headers.push(unknown.clone(), &bitcoin, peer.world.now), Err(HeaderError::UnknownBlock(hash)));
    headers.push(unknown, &peer.bitcoin(), peer.world.now).unwrap();
}
