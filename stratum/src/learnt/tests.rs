use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Learnt;
use crate::limits;

fn ip(last: u8) -> IpAddr {
    [192, 0, 2, last].into()
}

#[test]
fn a_lesson_is_for_one_address_and_program_and_for_a_time() {
    let (learnt, now, agent) = (Learnt::default(), Instant::now(), Arc::from("old/1"));
    learnt.note(ip(1), &agent, 2_000, now);
    assert_eq!(learnt.max_of(ip(1), "old/1", now), Some(1_999));
    assert_eq!(learnt.max_of(ip(2), "old/1", now), None);
    assert_eq!(learnt.max_of(ip(1), "new/1", now), None);
    learnt.note(ip(1), &agent, 900, now);
    assert_eq!(learnt.max_of(ip(1), "old/1", now), Some(899), "the newest counts");
    assert_eq!(learnt.max_of(ip(1), "old/1", now + limits::LESSON), None);
}

#[test]
fn lessons_are_bounded() {
    let (learnt, now) = (Learnt::default(), Instant::now());
    for number in 0..=limits::LESSONS_MAX {
        learnt.note(ip(1), &Arc::from(number.to_string()), 2_000, now + Duration::from_millis(1));
    }
    assert_eq!(learnt.lock().len(), limits::LESSONS_MAX);
    assert_eq!(learnt.max_of(ip(1), "0", now), None, "the oldest goes");
}
