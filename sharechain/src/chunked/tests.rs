use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Change {
    /// Push this many entries.
    Push(usize),
    /// Pop this many entries.
    Pop(usize),
    /// Change the entry at this depth below the end.
    Set(usize),
    /// Forget this many of the first entries.
    Forget(usize),
    Clone,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0..2 * CHUNK).prop_map(Change::Push),
        (0..2 * CHUNK).prop_map(Change::Pop),
        (0..4 * CHUNK).prop_map(Change::Set),
        (0..3 * CHUNK).prop_map(Change::Forget),
        Just(Change::Clone),
    ]
}

/// The vector that forgets whole chunks.
fn assert_same(list: &Chunked<u64>, (naive, forgotten): &(Vec<u64>, usize)) {
    assert_eq!(list.len(), naive.len());
    let kept = &naive[*forgotten..];
    assert_eq!(list.last(), kept.last());
    assert!(list.iter().eq(kept));
    let known = |index: usize| naive.get(index).filter(|_| index >= *forgotten);
    assert!((0..naive.len() + 2 * CHUNK).all(|index| list.get(index) == known(index)));
}

proptest! {
    #[test]
    fn it_does_what_a_vector_does_and_clones_stay_as_they_were(changes in prop::collection::vec(change(), 0..40)) {
        let (mut list, mut naive, mut forgotten) = (Chunked::default(), Vec::new(), 0);
        let mut frozen = Vec::new();
        for (number, change) in changes.into_iter().enumerate() {
            let number = number as u64;
            match change {
                Change::Push(count) => (0..count as u64).for_each(|low| {
                    list.push(number << 32 | low);
                    naive.push(number << 32 | low);
                }),
                Change::Pop(count) => (0..count.min(naive.len() - forgotten)).for_each(|_| assert_eq!(list.pop(), naive.pop())),
                Change::Set(depth) => {
                    let index = naive.len().saturating_sub(depth).max(forgotten);
                    let (entry, known) = (list.get_mut(index), naive.get_mut(index));
                    assert_eq!(entry, known);
                    if let (Some(entry), Some(known)) = (entry, known) {
                        (*entry, *known) = (number, number);
                    }
                }
                Change::Forget(count) => {
                    list.forget_below(forgotten + count);
                    // It forgets whole chunks only, and never the last one.
                    forgotten = ((forgotten + count) / CHUNK).min(naive.len() / CHUNK) * CHUNK;
                }
                Change::Clone => frozen.push((list.clone(), (naive.clone(), forgotten))),
            }
        }
        assert_same(&list, &(naive, forgotten));
        frozen.iter().for_each(|(list, naive)| assert_same(list, naive));
    }
}

#[test]
fn a_clone_shares_all_chunks_and_a_push_copies_the_last() {
    let mut list = Chunked::default();
    (0..10 * CHUNK + 1).for_each(|entry| list.push(entry));
    let frozen = list.clone();
    assert!(Arc::ptr_eq(&list.full, &frozen.full) && Arc::ptr_eq(&list.tail, &frozen.tail));
    list.push(0);
    assert!(Arc::ptr_eq(&list.full, &frozen.full));
    *list.get_mut(0).unwrap() = 7;
    let shared = list.full.iter().zip(frozen.full.iter()).filter(|(left, right)| Arc::ptr_eq(left, right)).count();
    assert_eq!((shared, frozen.get(0)), (9, Some(&0)));
}
