use bitcoin::hashes::Hash;
use proptest::prelude::*;

use super::*;
use crate::state::HistoryLink;
use crate::state::tree::Node;

fn script() -> impl Strategy<Value = Arc<Script>> {
    (0_u8..40).prop_map(|fill| Arc::from(Script::from_bytes(&[&[0x00, 0x14][..], &[fill; 20]].concat())))
}

fn rows() -> impl Strategy<Value = Vec<BaseRow>> {
    let row = (script(), 0_u128..1 << 75, 1_u32..1_025).prop_map(|(script, weight, shares)| BaseRow {
        script,
        weight: Weight(weight),
        shares,
    });
    prop::collection::vec(row, 0..6)
}

fn link() -> impl Strategy<Value = BaseLink> {
    let numbers = any::<(u32, u32, u32, u32, u32)>();
    (any::<([u8; 32], [u8; 32], [u64; 4], [u64; 4])>(), numbers, rows()).prop_map(|(ids, numbers, rows)| BaseLink {
        facts: LinkFacts {
            id: ShareId(ids.0),
            time: Timestamp(numbers.0),
            bitcoin_height: numbers.1,
            previous_block: BlockHash::from_byte_array(ids.1),
            bitcoin_work: U256::from_limbs(ids.2),
            bits: CompactTarget::from_consensus(numbers.2),
            target: U256::from_limbs(ids.3),
            signals: numbers.4,
        },
        snapshot: Height(numbers.3),
        window: Commitment { leaves: numbers.1, root: Node { hash: ids.0, sum: Weight(u128::from(numbers.2)) } },
        rows,
    })
}

fn chunk() -> impl Strategy<Value = Chunk> {
    (prop::collection::vec(link(), 0..12), 0_u32..300, any::<u32>()).prop_map(|(links, below, bits)| {
        let leaf = |number: u32| HistoryLink {
            height: Height(number),
            id: ShareId([7; 32]),
            target: U256::MAX >> 9,
            time: Timestamp(number),
            chain_work: Work(U256::from(number)),
            proofs: 1,
            snapshot: Height(0),
        };
        let history = (0..below).fold(History::default(), |history, number| history.with(&leaf(number)).unwrap());
        let signals = (1..=below).fold(Signals::default(), |signals, height| signals.after(Height(height), bits));
        let (id, chain_work) = (ShareId([9; 32]), Work(U256::from(below)));
        let start = Start { height: Height(below), id, time: Timestamp(5), chain_work, proofs: 77, history, signals };
        Chunk { start, links }
    })
}

proptest! {
    #[test]
    fn what_is_decoded_is_what_was_encoded(chunk in chunk()) {
        let bytes = chunk.encode();
        let again = Chunk::decode(&bytes).unwrap();
        prop_assert_eq!(&again.links, &chunk.links);
        prop_assert_eq!(again.start.history.commitment(), chunk.start.history.commitment());
        prop_assert_eq!(&again.start.signals, &chunk.start.signals);
        prop_assert_eq!(again.encode(), bytes);
    }

    #[test]
    fn any_flipped_bit_is_noticed(chunk in chunk(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut bytes = chunk.encode();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(Chunk::decode(&bytes).err(), Some(BaseError::Checksum));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        // The checksum matches, so that the reader gets to the checks after it.
        let checksum = bitcoin::hashes::sha256::Hash::hash(&bytes);
        bytes.extend_from_slice(checksum.as_byte_array());
        let _ = Chunk::decode(&bytes);
    }
}

#[test]
fn chunks_hold_heights_from_one_on() {
    assert_eq!(Chunk::heights(0), Some((Height(1), Height(CHUNK_LINKS))));
    assert_eq!(Chunk::heights(2), Some((Height(2 * CHUNK_LINKS + 1), Height(3 * CHUNK_LINKS))));
    assert_eq!(Chunk::heights(u32::MAX), None);
    for height in [1, CHUNK_LINKS, CHUNK_LINKS + 1, 5_000] {
        let (first, last) = Chunk::heights(Chunk::number_of(Height(height))).unwrap();
        assert!((first.0..=last.0).contains(&height));
    }
}
