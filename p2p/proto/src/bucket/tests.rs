use proptest::prelude::*;

use super::Bucket;
use crate::Millis;
use crate::limits::{GOSSIP_BURST_BYTES, GOSSIP_BYTES_PER_S};

proptest! {
    #[test]
    fn never_more_than_burst_and_rate(asks in prop::collection::vec((0_u64..3_000, 1_u64..2_000_000), 1..300)) {
        let mut bucket = Bucket::full(GOSSIP_BURST_BYTES, GOSSIP_BYTES_PER_S, 1_000, Millis(0));
        let (mut now, mut taken) = (Millis(0), 0);
        for (gap, bytes) in asks {
            now = now.plus(gap);
            if bucket.take(bytes, now) {
                taken += bytes;
            }
            prop_assert!(taken <= GOSSIP_BURST_BYTES + GOSSIP_BYTES_PER_S * now.0 / 1_000);
        }
    }

    #[test]
    fn debt_is_paid_before_anything_is_taken(debt in 0_u64..1_000, waits in prop::collection::vec(1_u64..400, 1..50)) {
        let mut bucket = Bucket::full(1_000, 1_000, 1_000, Millis(0));
        bucket.spend(1_000 + debt, Millis(0));
        let mut now = Millis(0);
        for wait in waits {
            now = now.plus(wait);
            prop_assert_eq!(bucket.has(1, now), now.0 > debt);
        }
    }
}
