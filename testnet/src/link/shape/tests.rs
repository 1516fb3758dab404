use proptest::prelude::*;

use super::*;

#[test]
fn a_line_without_a_rate_takes_no_time() {
    let now = Instant::now();
    assert_eq!(Pacer::new(None, now).take(now, 1_500), Some(now));
}

#[test]
fn a_full_queue_drops_and_drains() {
    let now = Instant::now();
    let mut line = Pacer::new(Some(Rate(1_000_000)), now);
    let taken = (0..1_000).take_while(|_| line.take(now, 1_500).is_some()).count();
    assert_eq!(taken, LINK_QUEUE_BYTES_MAX / 1_500);
    assert_eq!(line.take(now, 1_500), None);
    assert!(line.take(now + Duration::from_millis(2), 1_500).is_some(), "2,000 bytes left meanwhile");
}

proptest! {
    /// No period of time carries more than the rate, packets keep their order, and none leaves before it came.
    #[test]
    fn a_line_keeps_its_rate(packets in prop::collection::vec((0_u64..20_000, 40_usize..1_500), 1..200), rate in 10_000_u64..2_000_000) {
        let start = Instant::now();
        let mut line = Pacer::new(Some(Rate(rate)), start);
        let (mut now, mut last, mut carried) = (start, start, 0);
        for (pause_us, bytes) in packets {
            now += Duration::from_micros(pause_us);
            let Some(left) = line.take(now, bytes) else { continue };
            carried += bytes;
            prop_assert!(left >= last && left > now);
            last = left;
            let seconds = left.duration_since(start).as_secs_f64();
            prop_assert!(carried as f64 <= seconds * rate as f64 + 1.0, "{carried} bytes in {seconds} s");
        }
    }
}
