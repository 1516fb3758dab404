use super::Verdicts;
use crate::Millis;
use crate::limits::{VERDICT_BYTES_MAX, VERDICT_SECONDS_MAX, VERDICTS_MAX};

#[test]
fn bounded_in_bytes_count_and_time() {
    let mut verdicts = Verdicts::new();
    const PART: usize = VERDICT_BYTES_MAX / 8;
    let tokens: Vec<_> = (0..8).map(|key| verdicts.wait(key, PART, Millis(0)).unwrap()).collect();
    assert_eq!(verdicts.wait(8, 1, Millis(0)), Err(8));
    assert_eq!(verdicts.take(tokens[3]), Some((3, PART)));
    assert_eq!(verdicts.take(tokens[3]), None);
    let later = Millis(VERDICT_SECONDS_MAX * 1_000);
    verdicts.wait(9, 1, later).unwrap();
    assert_eq!(verdicts.take_late(later), vec![0, 1, 2, 4, 5, 6, 7]);
    assert_eq!(verdicts.size_bytes, 1);
    for key in 1..VERDICTS_MAX {
        verdicts.wait(key, 1, later).unwrap();
    }
    assert!(verdicts.wait(0, 1, later).is_err());
}
