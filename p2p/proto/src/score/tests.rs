use proptest::prelude::*;

use super::{Misbehaviour, Scores, Sentence};
use crate::limits::{BAN_MS, BAN_POINTS, FORGIVE_POINT_MS, SCORES_MAX};
use crate::{Millis, PeerId};

const PEER: PeerId = PeerId([1; 32]);

fn numbered(number: usize) -> PeerId {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&(number as u64).to_le_bytes());
    PeerId(key)
}

#[test]
fn bans_at_the_threshold_and_releases() {
    let mut scores = Scores::default();
    let now = Millis(1_000);
    assert_eq!(scores.punish(PEER, Misbehaviour::Garbage, now), Sentence::Tolerated);
    let until = now.plus(BAN_MS);
    assert_eq!(scores.punish(PEER, Misbehaviour::Garbage, now), Sentence::Banned { until });
    assert!(scores.is_banned(&PEER));
    assert_eq!(scores.points(&PEER, now), BAN_POINTS);
    assert!(scores.release(Millis(until.0 - 1)).is_empty());
    assert_eq!(scores.release(until), vec![PEER]);
    assert!(!scores.is_banned(&PEER));
    assert_eq!(scores.points(&PEER, until), 0);
}

#[test]
fn the_next_ban_is_longer() {
    let mut scores = Scores::default();
    let mut now = Millis(0);
    for doublings in 0..4 {
        scores.punish(PEER, Misbehaviour::Garbage, now);
        let until = now.plus(BAN_MS << doublings);
        assert_eq!(scores.punish(PEER, Misbehaviour::Garbage, now), Sentence::Banned { until });
        now = until;
        scores.release(now);
    }
}

#[test]
fn forgives_with_time_however_often_it_is_looked_at() {
    let mut scores = Scores::default();
    scores.punish(PEER, Misbehaviour::Garbage, Millis(0));
    for step in 1..=200 {
        scores.punish(PEER, Misbehaviour::TooFast, Millis(step * FORGIVE_POINT_MS));
    }
    assert_eq!(scores.points(&PEER, Millis(200 * FORGIVE_POINT_MS)), 50);
    assert_eq!(scores.points(&PEER, Millis(250 * FORGIVE_POINT_MS)), 0);
}

#[test]
fn a_flood_of_identities_does_not_wash_off_a_ban() {
    let mut scores = Scores::default();
    scores.punish(PEER, Misbehaviour::Garbage, Millis(0));
    scores.punish(PEER, Misbehaviour::Garbage, Millis(0));
    for number in 0..2 * SCORES_MAX {
        scores.punish(numbered(number), Misbehaviour::InvalidItem, Millis(0));
    }
    assert!(scores.is_banned(&PEER));
    assert!(scores.by_peer.len() <= SCORES_MAX);
}

proptest! {
    #[test]
    fn honest_pace_is_never_banned(gaps in prop::collection::vec(18_000_u64..100_000, 1..200)) {
        let mut scores = Scores::default();
        let mut now = Millis(0);
        for gap in gaps {
            prop_assert_eq!(scores.punish(PEER, Misbehaviour::Timeout, now), Sentence::Tolerated);
            prop_assert!(scores.points(&PEER, now) < BAN_POINTS);
            now = now.plus(gap);
        }
    }

    #[test]
    fn a_fast_offender_is_always_banned(gaps in prop::collection::vec(0_u64..5_000, 100..150)) {
        let mut scores = Scores::default();
        let mut now = Millis(0);
        let mut banned = false;
        for gap in gaps {
            banned |= scores.punish(PEER, Misbehaviour::Useless, now) != Sentence::Tolerated;
            now = now.plus(gap);
        }
        prop_assert!(banned);
    }
}
