use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// One of a few ids. Some have the same first eight bytes, so the same hash.
fn id(number: u16) -> ShareId {
    let mut bytes = [0; 32];
    let [low, high] = number.to_le_bytes();
    (bytes[0], bytes[7], bytes[31]) = (low & 0x7f, high & 1, low >> 7);
    ShareId(bytes)
}

const IDS: u16 = 512;

#[derive(Clone, Copy, Debug)]
enum Change {
    Insert,
    Remove,
    Set,
    Clone,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => Just(Change::Insert),
        3 => Just(Change::Remove),
        2 => Just(Change::Set),
        1 => Just(Change::Clone),
    ]
}

fn assert_same(map: &IdMap<usize>, naive: &BTreeMap<ShareId, usize>) {
    for id in (0..IDS).map(id) {
        assert_eq!((map.get(&id), map.contains(&id)), (naive.get(&id), naive.contains_key(&id)));
    }
}

proptest! {
    #[test]
    fn it_does_what_another_map_does_and_clones_stay_as_they_were(
        changes in prop::collection::vec((change(), 0..IDS), 0..600),
    ) {
        let (mut map, mut naive) = (IdMap::default(), BTreeMap::new());
        let mut frozen = Vec::new();
        for (value, (change, number)) in changes.into_iter().enumerate() {
            let id = id(number);
            match change {
                Change::Insert => {
                    map.insert(id, value);
                    naive.insert(id, value);
                }
                Change::Remove => assert_eq!(map.remove(&id), naive.remove(&id).is_some()),
                Change::Set => {
                    let (entry, known) = (map.get_mut(&id), naive.get_mut(&id));
                    assert_eq!(entry, known);
                    if let (Some(entry), Some(known)) = (entry, known) {
                        (*entry, *known) = (value, value);
                    }
                }
                Change::Clone => frozen.push((map.clone(), naive.clone())),
            }
        }
        assert_same(&map, &naive);
        frozen.iter().for_each(|(map, naive)| assert_same(map, naive));
    }
}
