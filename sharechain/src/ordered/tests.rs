use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const KEYS: u8 = 100;

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

fn assert_same(map: &Ordered<u8, usize>, naive: &BTreeMap<u8, usize>) {
    assert_eq!((map.len(), map.first()), (naive.len(), naive.first_key_value()));
    assert!(map.iter().eq(naive) && map.iter().rev().eq(naive.iter().rev()) && map.keys().eq(naive.keys()));
    for key in 0..KEYS {
        assert_eq!((map.get(&key), map.contains(&key)), (naive.get(&key), naive.contains_key(&key)));
        assert!(map.range(key..).eq(naive.range(key..)));
        assert!(map.range(key / 2..=key).eq(naive.range(key / 2..=key)));
    }
}

proptest! {
    #[test]
    fn it_does_what_another_map_does_and_clones_stay_as_they_were(
        changes in prop::collection::vec((change(), 0..KEYS), 0..300),
    ) {
        let (mut map, mut naive) = (Ordered::default(), BTreeMap::new());
        let mut frozen = Vec::new();
        for (value, (change, key)) in changes.into_iter().enumerate() {
            match change {
                Change::Insert => {
                    map.insert(key, value);
                    naive.insert(key, value);
                }
                Change::Remove => assert_eq!(map.remove(&key), naive.remove(&key)),
                Change::Set => {
                    let (entry, known) = (map.get_mut(&key), naive.get_mut(&key));
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
