use proptest::prelude::*;

use super::*;
use crate::units::U256;

fn candidate(work: u64, omits: bool, sequence: u64) -> Candidate {
    Candidate { chain_work: Work(U256::from(work)), omits, sequence }
}

#[test]
fn work_comes_before_omissions_and_those_before_the_order_of_arrival() {
    let ascending = [
        candidate(1, false, 1),
        candidate(2, true, 5),
        candidate(2, true, 2),
        candidate(2, false, 6),
        candidate(2, false, 3),
        candidate(3, true, 7),
    ];
    for (place, one) in ascending.iter().enumerate() {
        for (other_place, other) in ascending.iter().enumerate() {
            assert_eq!(better(one, other), place > other_place, "{one:?} against {other:?}");
        }
    }
}

proptest! {
    /// Exactly one of two branches is better, so a node never switches back and forth.
    #[test]
    fn of_two_branches_one_is_better(
        works in (0..3_u64, 0..3_u64), omits in any::<(bool, bool)>(), sequences in (0..3_u64, 0..3_u64),
    ) {
        let (a, b) = (candidate(works.0, omits.0, sequences.0), candidate(works.1, omits.1, sequences.1));
        prop_assert_eq!(better(&a, &b) || better(&b, &a), a != b);
        prop_assert!(!(better(&a, &b) && better(&b, &a)));
    }
}
