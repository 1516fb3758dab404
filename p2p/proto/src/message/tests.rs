use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, ScriptBuf, TxMerkleNode, WPubkeyHash, Wtxid};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use sharechain::{CoinbasePrefix, Height, Proof, ShareHeader, ShareId, Timestamp, U256, Work};

use super::{Announcement, Gossip, Item, Request, Response, ShortIds, TipInfo, WireError};
use crate::limits::*;
use crate::record::tests::record;

/// A proof with a canonical encoding that may break all other rules.
fn proof() -> impl Strategy<Value = Proof> {
    let hashes = prop::collection::vec(any::<[u8; 32]>(), 0..=14);
    (any::<[u8; 32]>(), any::<[u8; 20]>(), any::<u32>(), hashes, any::<Option<[u8; 32]>>(), 100_u32..=3_000).prop_map(
        |(hash, key, number, branch, witness_commitment, length)| Proof {
            header: header(number),
            share: ShareHeader {
                version: 2,
                parent: ShareId(hash),
                anchor: ShareId(hash),
                shares_root: hash,
                shares_count: 3,
                state_root: hash,
                payout: ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(key)),
                time: Timestamp(number),
                bitcoin_height: number,
                coinbase_value: u64::from(number),
                signals: 0,
                null_data: ScriptBuf::new(),
            },
            extranonce: [7; 16],
            witness_commitment,
            branch,
            prefix: CoinbasePrefix { midstate: hash, length, tail: vec![9; (length % 64) as usize] },
        },
    )
}

fn header(nonce: u32) -> Header {
    Header {
        version: Version::TWO,
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: 5,
        bits: CompactTarget::from_consensus(0x1e03_77ae),
        nonce,
    }
}

fn ids(max: usize) -> impl Strategy<Value = Vec<ShareId>> {
    prop::collection::vec(any::<[u8; 32]>().prop_map(ShareId), 0..=max)
}

fn hashes(max: usize) -> impl Strategy<Value = Vec<BlockHash>> {
    prop::collection::vec(any::<[u8; 32]>().prop_map(BlockHash::from_byte_array), 0..=max)
}

fn gossip() -> impl Strategy<Value = Gossip> {
    prop_oneof![
        proof().prop_map(|proof| Gossip::Share(Box::new(proof))),
        (proof(), ids(40)).prop_map(|(proof, list)| Gossip::Link { proof: Box::new(proof), list }),
        (proof(), any::<u64>(), prop::collection::vec(any::<[u8; 6]>(), 0..500)).prop_map(|(proof, nonce, ids)| {
            Gossip::BitcoinBlock(Announcement { proof: Box::new(proof), nonce, ids })
        }),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        Just(Request::Tip),
        Just(Request::Pending),
        (ids(LOCATOR_MAX), 0_u32..=1_024).prop_map(|(locator, limit)| Request::LinkHeaders { locator, limit }),
        Just(Request::Beginning),
        (any::<u32>(), 0_u32..=512).prop_map(|(first, limit)| Request::Rows { first: Height(first), limit }),
        ids(PROOFS_MAX).prop_map(|ids| Request::Proofs { ids }),
        Just(Request::Records),
        prop::collection::vec(record(), 0..=RECORDS_TOLD_MAX).prop_map(Request::NewRecords),
        (hashes(HEADERS_WANTED_MAX), hashes(LOCATOR_MAX))
            .prop_map(|(wanted, locator)| Request::Headers { wanted, locator }),
        (any::<[u8; 32]>(), prop::collection::btree_set(0..BLOCK_TRANSACTIONS_MAX as u16, 0..600)).prop_map(
            |(hash, wanted)| Request::Transactions {
                block: BlockHash::from_byte_array(hash),
                wanted: wanted.into_iter().collect(),
            }
        ),
        (any::<[u8; 32]>(), any::<u32>())
            .prop_map(|(hash, offset)| Request::BlockPiece { block: BlockHash::from_byte_array(hash), offset }),
    ]
}

fn response() -> impl Strategy<Value = Response> {
    let item = (proof(), prop::option::of(ids(20))).prop_map(|(proof, list)| Item { proof, list });
    prop_oneof![
        (any::<[u8; 32]>(), any::<u32>(), "[ -~]{0,64}").prop_map(|(hash, number, user_agent)| {
            let work = Work(U256::from_le_bytes(hash));
            Response::Tip(TipInfo {
                tip: ShareId(hash),
                height: Height(number),
                work,
                lowest_shown: Height(number),
                bitcoin_height: number,
                user_agent,
            })
        }),
        (prop::collection::vec(proof(), 0..5), any::<bool>())
            .prop_map(|(proofs, more)| Response::LinkHeaders { proofs, more }),
        (any::<u32>(), prop::collection::vec(any::<u8>(), 0..500))
            .prop_map(|(first, bytes)| Response::Beginning { first: Height(first), bytes }),
        prop::collection::vec(any::<u8>(), 0..500).prop_map(Response::Rows),
        prop::collection::vec(item, 0..5).prop_map(Response::Proofs),
        prop::collection::vec(any::<u32>().prop_map(header), 0..20).prop_map(Response::Headers),
        ids(100).prop_map(Response::Pending),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20).prop_map(Response::Transactions),
        (any::<u32>(), prop::collection::vec(any::<u8>(), 0..500))
            .prop_map(|(size, bytes)| Response::BlockPiece { size, bytes }),
        prop::collection::vec(record(), 0..20).prop_map(Response::Records),
        Just(Response::NewRecords),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn gossip_decodes_to_itself(message in gossip()) {
        let bytes = message.encode();
        prop_assert!(bytes.len() <= message.topic().bytes_max());
        prop_assert_eq!(Gossip::decode(&bytes), Ok(message));
    }

    #[test]
    fn requests_decode_to_themselves(message in request()) {
        let bytes = message.encode();
        prop_assert!(bytes.len() <= REQUEST_BYTES_MAX);
        prop_assert_eq!(Request::decode(&bytes), Ok(message));
    }

    #[test]
    fn responses_decode_to_themselves(message in response()) {
        let bytes = message.encode();
        prop_assert!(bytes.len() <= RESPONSE_BYTES_MAX);
        prop_assert_eq!(Response::decode(&bytes), Ok(message));
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(message in response(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = message.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(decoded) = Response::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }

    #[test]
    fn no_part_and_no_more_than_a_message_decodes(message in request(), at in any::<prop::sample::Index>()) {
        let mut bytes = message.encode();
        prop_assert!(Request::decode(&bytes[..at.index(bytes.len())]).is_err());
        bytes.push(0);
        prop_assert!(Request::decode(&bytes).is_err());
    }

    #[test]
    fn noise_is_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = (Gossip::decode(&bytes), Request::decode(&bytes), Response::decode(&bytes));
    }

    #[test]
    fn full_lists_are_cut_to_the_bytes_of_a_response(proof in proof()) {
        let list = vec![ShareId([1; 32]); sharechain::limits::LIST_MAX];
        let item = Item { proof, list: Some(list) };
        let proofs = Response::proofs(std::iter::repeat_n(item, PROOFS_MAX));
        prop_assert!(proofs.encode().len() <= RESPONSE_BYTES_MAX);
    }
}

#[test]
fn the_limit_of_link_headers_is_kept_and_more_is_told() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let proof = proof().new_tree(&mut runner).unwrap().current();
    let count = |available: usize, limit: u32| match Response::link_headers(
        std::iter::repeat_n(proof.clone(), available),
        limit,
    ) {
        Response::LinkHeaders { proofs, more } => (proofs.len(), more),
        _ => unreachable!(),
    };
    assert_eq!(count(5, 3), (3, true));
    assert_eq!(count(3, 3), (3, false));
    assert_eq!(count(2_000, u32::MAX), (LINK_HEADERS_MAX, true));
}

/// A response has room for as many link headers as a request may ask for.
const _: () = assert!(LINK_HEADERS_MAX * (4 + sharechain::limits::PROOF_BYTES_MAX) <= RESPONSE_BYTES_MAX - 16);
const _: () = assert!(LINK_HEADERS_ASKED as usize <= LINK_HEADERS_MAX && ROWS_BYTES_MAX + 5 <= RESPONSE_BYTES_MAX);

#[test]
fn announced_lengths_are_checked_before_they_are_believed() {
    let mut bytes = vec![5];
    bytes.extend_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(Response::decode(&bytes), Err(WireError::TooMany { max: PENDING_MAX, .. })));
    assert_eq!(Request::decode(&[99]), Err(WireError::Kind(99)));
    let mut piece = vec![9, 0, 0, 0, 0];
    piece.extend_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(Response::decode(&piece), Err(WireError::TooMany { max: BLOCK_PIECE_BYTES_MAX, .. })));
}

/// The largest messages of block relay fit into their frames.
const _: () = assert!(1 + 32 + 4 + BLOCK_TRANSACTIONS_MAX.div_ceil(8) <= REQUEST_BYTES_MAX);
const _: () = assert!(1 + 4 + 4 + BLOCK_PIECE_BYTES_MAX <= RESPONSE_BYTES_MAX);

#[test]
fn the_largest_announcement_fits_and_one_more_transaction_is_garbage() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let proof = Box::new(proof().new_tree(&mut runner).unwrap().current());
    let of = |count| Gossip::BitcoinBlock(Announcement { proof: proof.clone(), nonce: 1, ids: vec![[7; 6]; count] });
    let largest = of(BLOCK_TRANSACTIONS_MAX).encode();
    assert!(largest.len() <= BLOCK_GOSSIP_BYTES_MAX && BLOCK_GOSSIP_BYTES_MAX < 100_000);
    assert!(Gossip::decode(&largest).is_ok());
    let more = of(BLOCK_TRANSACTIONS_MAX + 1).encode();
    assert!(matches!(Gossip::decode(&more), Err(WireError::TooMany { max: BLOCK_TRANSACTIONS_MAX, .. })));
}

#[test]
fn one_set_of_positions_has_one_encoding() {
    let request = Request::Transactions { block: BlockHash::all_zeros(), wanted: vec![0, 9] };
    let mut bytes = request.encode();
    assert_eq!(bytes[33..], [2, 0, 0, 0, 0b1, 0b10]);
    assert_eq!(Request::decode(&bytes), Ok(request));
    bytes[33] = 3;
    bytes.push(0);
    assert_eq!(Request::decode(&bytes), Err(WireError::TrailingBytes));
}

/// BIP-0152 has no vectors. These come from an independent computation with Python's `hashlib` and SipHash-2-4.
#[test]
fn short_ids_are_those_of_bip_0152() {
    let wtxid = Wtxid::from_byte_array([0x11; 32]);
    assert_eq!(ShortIds::new(&header(7), 42).of(&wtxid), [0x61, 0xdc, 0x44, 0x96, 0x55, 0xb7]);
    assert_ne!(ShortIds::new(&header(7), 43).of(&wtxid), [0x61, 0xdc, 0x44, 0x96, 0x55, 0xb7]);
}
