use super::*;

#[test]
fn heartbeats_come_once_a_second() {
    assert_eq!(next_beat(5_300_000, 200_000), 6_200_000);
    assert_eq!(next_beat(5_300_000, 300_000), 5_300_000);
    assert_eq!(next_beat(5_300_000, 400_000), 5_400_000);
}
