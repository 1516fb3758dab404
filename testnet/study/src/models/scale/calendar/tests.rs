use super::*;

fn drain(calendar: &mut Calendar<u64>) -> Vec<u64> {
    let mut all = Vec::new();
    while calendar.next_us().is_some() {
        let events = calendar.take();
        all.extend(&events);
        calendar.recycle(events);
    }
    all
}

#[test]
fn events_come_in_the_order_of_their_spans_however_far_away() {
    let mut calendar = Calendar::default();
    let hour_us = 3_600_000_000;
    let times = [5 * hour_us, 1, hour_us, 300, 299, 7_000_000, 4_194_304, 4_194_303, 4_194_560];
    for at in times {
        calendar.push(at, at);
    }
    let mut expected = times.to_vec();
    expected.sort_by_key(|at| span_of(*at));
    assert_eq!(drain(&mut calendar), expected);
}

#[test]
fn what_is_late_comes_next() {
    let mut calendar = Calendar::default();
    calendar.push(1_000_000, 1);
    assert_eq!(calendar.next_us(), Some(span_of(1_000_000) * SPAN_US));
    let events = calendar.take();
    calendar.recycle(events);
    calendar.push(5, 2);
    assert_eq!(calendar.next_us(), Some((span_of(1_000_000) + 1) * SPAN_US));
    assert_eq!(drain(&mut calendar), [2]);
}
