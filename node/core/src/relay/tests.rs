use std::collections::BTreeMap;

use bitcoin::Wtxid;
use bitcoin::consensus::encode::{deserialize, serialize};
use proptest::prelude::*;
use testkit::{World, miner};

use super::build::BuildResult;
use super::*;
use crate::jobs::{BlockTemplate, fixtures};

/// A found block, its frame, and its template.
struct Fixture {
    frame: Arc<Frame>,
    block: WholeBlock,
    template: Arc<BlockTemplate>,
}

impl Fixture {
    fn new(transactions: u32) -> Self {
        let mut world = fixtures::grown();
        Self::on(&mut world, transactions)
    }

    fn on(world: &mut World, transactions: u32) -> Self {
        let template = fixtures::template_of(world, transactions, 4_000_000);
        let job = fixtures::job_template(world, &template).unwrap();
        let (proof, _, block) = fixtures::found(&job, miner(1));
        let frame = Arc::new(Frame::of(&proof, &mut world.chain).unwrap());
        Self { frame, block, template }
    }

    fn raw(&self) -> Vec<Vec<u8>> {
        self.template.transactions.iter().map(|transaction| transaction.raw.to_vec()).collect()
    }

    fn assemble(&self, raw: &[Vec<u8>]) -> Option<WholeBlock> {
        self.frame.assemble(&raw.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// A template with the transactions at some positions.
    fn part(&self, has: impl Fn(usize) -> bool) -> Arc<BlockTemplate> {
        let mut part = (*self.template).clone();
        let kept = part.transactions.iter().enumerate().filter(|(position, _)| has(*position));
        part.transactions = kept.map(|(_, transaction)| Arc::clone(transaction)).collect();
        Arc::new(part)
    }

    fn build(&self, announcement: &Announcement, sent: BTreeMap<u16, Arc<[u8]>>) -> BlockBuild {
        let ids = announcement.ids.clone().into();
        let material = Material::Ids { nonce: announcement.nonce, ids, sent };
        BlockBuild { frame: Arc::clone(&self.frame), material, attempt: 1 }
    }

    fn announcement(&self, nonce: u64) -> Announcement {
        Announcement::new(self.frame.proof.clone(), nonce, self.block.wtxids())
    }
}

/// The transaction with another witness: the same txid, another wtxid.
fn with_junk_witness(raw: &[u8]) -> Vec<u8> {
    let mut transaction: bitcoin::Transaction = deserialize(raw).unwrap();
    transaction.input[0].witness = bitcoin::Witness::from_slice(&[vec![0xaa; 300]]);
    serialize(&transaction)
}

#[test]
fn a_found_block_is_whole_and_bitcoins_own_code_agrees() {
    for transactions in [0, 1, 2, 3, 6, 7] {
        let fixture = Fixture::new(transactions);
        let built = fixture.assemble(&fixture.raw()).unwrap();
        assert_eq!(built, fixture.block);
        assert_eq!(fixture.frame.parse(built.bytes()), Some(built));
        let block: bitcoin::Block = deserialize(fixture.block.bytes()).unwrap();
        assert!(block.check_merkle_root() && block.check_witness_commitment());
        assert_eq!(block.block_hash(), fixture.frame.hash);
    }
}

#[test]
fn no_mutation_is_the_block() {
    // With two transactions, the merkle tree has three leaves, and the last is paired with itself.
    let fixture = Fixture::new(2);
    let raw = fixture.raw();
    let doubled = [raw.clone(), vec![raw[1].clone()]].concat();
    let mut mutants = vec![raw[..1].to_vec(), doubled, vec![raw[1].clone(), raw[0].clone()]];
    mutants.push(vec![raw[0].clone(), with_junk_witness(&raw[1])]);
    mutants.push(vec![raw[0].clone(), [raw[1].as_slice(), &[0]].concat()]);
    mutants.push(vec![raw[0].clone(), raw[1][..raw[1].len() - 1].to_vec()]);
    for (number, mutant) in mutants.iter().enumerate() {
        assert_eq!(fixture.assemble(mutant), None, "{number}");
    }
    let bytes = fixture.block.bytes();
    assert_eq!(fixture.frame.parse(&bytes[..bytes.len() - 1]), None);
    assert_eq!(fixture.frame.parse(&[bytes, &[0][..]].concat()), None);
    assert_eq!(fixture.frame.parse(&[]), None);
    for at in (0..bytes.len()).step_by(7) {
        let mut mutant = bytes.to_vec();
        mutant[at] ^= 1;
        assert_eq!(fixture.frame.parse(&mutant), None, "byte {at}");
    }
}

#[test]
fn short_id_collisions_lead_to_a_fetch_and_never_to_a_wrong_block() {
    let fixture = Fixture::new(6);
    // As if two known transactions had the id of the first: the other one has taken its place.
    let mut announcement = fixture.announcement(5);
    let stranger = <Wtxid as bitcoin::hashes::Hash>::hash(b"stranger");
    let mut other = (*fixture.template).clone();
    let mut first = (*other.transactions[0]).clone();
    first.raw = with_junk_witness(&first.raw).into();
    first.wtxid = stranger;
    other.transactions = vec![Arc::new(first)].into();
    announcement.ids[0] = announcement.short_ids().of(&stranger);
    let build = fixture.build(&announcement, BTreeMap::new());
    let built = build.run(&[Arc::clone(&fixture.template), Arc::new(other)]);
    assert_eq!(built.result, BuildResult::Wrong, "it is whole, and another block");
    // Two equal ids cannot be told apart, so the node asks for both, and the block is then right.
    let mut announcement = fixture.announcement(5);
    announcement.ids[4] = announcement.ids[2];
    let missing = fixture.build(&announcement, BTreeMap::new()).run(&[Arc::clone(&fixture.template)]);
    assert_eq!(missing.result, BuildResult::Missing(vec![2, 4]));
    let sent = [2_u16, 4].map(|at| (at, Arc::from(fixture.raw()[usize::from(at)].as_slice()))).into();
    let whole = fixture.build(&announcement, sent).run(&[Arc::clone(&fixture.template)]);
    assert!(matches!(whole.result, BuildResult::Whole(block) if *block == fixture.block));
}

#[test]
fn requests_for_a_block_on_its_way_are_bounded_and_answered() {
    let mut world = fixtures::grown();
    let fixture = Fixture::on(&mut world, 3);
    let mut relay = Relay::default();
    let peer = |number: u8| PeerId([number; 32]);
    relay.track(Frame::of(&fixture.frame.proof, &mut world.chain).unwrap(), None, Millis(0));
    let request = || Request::BlockPiece { block: fixture.frame.hash, offset: 0 };
    let replies = |relay: &mut Relay| {
        let mut replies = Vec::new();
        while let Some(output) = relay.poll_output() {
            if let RelayOutput::Network(Command::Reply { token, response }) = output {
                replies.push((token.0, response));
            }
        }
        replies
    };
    for number in 0..200_u64 {
        relay.serve(peer(u8::try_from(number % 50).unwrap()), ReplyToken(number), request(), Millis(0));
    }
    let none = Response::BlockPiece { size: 0, bytes: Vec::new() };
    let refused = replies(&mut relay);
    assert_eq!(refused.len(), 200 - crate::limits::BLOCK_WAITING_MAX, "the others wait");
    assert!(refused.iter().all(|(_, response)| *response == none));
    let built = BlockBuild {
        frame: Arc::clone(&fixture.frame),
        material: Material::Bytes(fixture.block.bytes().clone()),
        attempt: 1,
    };
    let BuildResult::Whole(block) = built.run(&[]).result else { panic!("it is the block") };
    relay.finish(block);
    let answered = replies(&mut relay);
    assert_eq!(answered.len(), crate::limits::BLOCK_WAITING_MAX);
    let whole = Response::BlockPiece {
        size: u32::try_from(fixture.block.bytes().len()).unwrap(),
        bytes: fixture.block.bytes().to_vec(),
    };
    assert!(answered.iter().all(|(_, response)| *response == whole));
    relay.serve(
        peer(1),
        ReplyToken(900),
        Request::Transactions { block: fixture.frame.hash, wanted: vec![0, 2, 3] },
        Millis(1),
    );
    let raw = fixture.raw();
    assert_eq!(replies(&mut relay)[0].1, Response::Transactions(vec![raw[0].clone(), raw[2].clone()]));
    relay.tick(u32::MAX, |_| false, Millis(2));
    assert_eq!(relay.sizes(), [0, 0, 0], "it is forgotten once it is deep");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A node asks for exactly the transactions that it lacks, and they complete the block.
    #[test]
    fn a_block_is_rebuilt_from_any_subset_of_its_transactions(
        count in 0_u32..40,
        nonce in any::<u64>(),
        known in prop::collection::vec(any::<bool>(), 40),
        twice in any::<bool>(),
    ) {
        let fixture = Fixture::new(count);
        let part = fixture.part(|position| known[position]);
        let templates = if twice { vec![Arc::clone(&part), part] } else { vec![part] };
        let announcement = fixture.announcement(nonce);
        let encoded = Gossip::BitcoinBlock(announcement.clone()).encode();
        prop_assert_eq!(Gossip::decode(&encoded), Ok(Gossip::BitcoinBlock(announcement.clone())));
        let lacked: Vec<u16> = (0..u16::try_from(count).unwrap()).filter(|at| !known[usize::from(*at)]).collect();
        let first = fixture.build(&announcement, BTreeMap::new()).run(&templates);
        if !lacked.is_empty() {
            prop_assert_eq!(&first.result, &BuildResult::Missing(lacked.clone()));
        }
        let sent = lacked.iter().map(|at| (*at, fixture.block.transaction(*at).unwrap().into())).collect();
        let whole = fixture.build(&announcement, sent).run(&templates);
        prop_assert!(matches!(whole.result, BuildResult::Whole(block) if *block == fixture.block));
    }
}
