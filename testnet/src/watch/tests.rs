use super::*;

fn at(start: Instant, ms: u64) -> Instant {
    start + Duration::from_millis(ms)
}

#[test]
fn a_passage_lasts_from_the_finder_to_each_other_node() {
    let (mut seen, start) = (Seen::default(), Instant::now());
    seen.accepted(2, "x".to_owned(), false, at(start, 9));
    seen.accepted(0, "x".to_owned(), true, at(start, 5));
    seen.accepted(1, "x".to_owned(), false, at(start, 30));
    seen.accepted(0, "x".to_owned(), true, at(start, 40));
    let passages: Vec<_> = seen.passages.iter().map(|p| (p.from, p.to, p.took.as_millis())).collect();
    assert_eq!(passages, [(0, 2, 4), (0, 1, 25)]);
}

#[test]
fn what_is_kept_is_bounded() {
    let (mut seen, now) = (Seen::default(), Instant::now());
    for number in 0..2 * WATCHED_SHARES_MAX {
        seen.accepted(0, number.to_string(), true, now);
        seen.accepted(1, number.to_string(), false, now);
    }
    assert_eq!((seen.shares.len(), seen.order.len()), (WATCHED_SHARES_MAX, WATCHED_SHARES_MAX));
    assert!(seen.passages.len() <= WATCH_SAMPLES_MAX);
}

#[test]
fn events_come_in_pieces() {
    let mut lines = Lines::default();
    assert_eq!(lines.take(b"retry: 1000\n\nid: 7\nevent: sha"), [Event::default()]);
    let event = Event { id: Some("7".to_owned()), name: "share".to_owned(), data: "{\"a\":1}".to_owned() };
    assert_eq!(lines.take(b"re\ndata: {\"a\":1}\n\n: keep\n"), [event]);
    let long = vec![b'a'; 2 * WATCH_EVENT_BYTES_MAX];
    assert!(lines.take(&long).is_empty() && lines.rest.is_empty());
}

#[test]
fn percentiles_are_samples() {
    let mut samples: Vec<_> = (1..=200).rev().map(Duration::from_millis).collect();
    assert_eq!(percentile(&mut samples, 50), Some(Duration::from_millis(100)));
    assert_eq!(percentile(&mut samples, 99), Some(Duration::from_millis(198)));
    assert_eq!(percentile(&mut samples[..1], 99), Some(Duration::from_millis(1)));
    assert_eq!(percentile(&mut [], 50), None);
}
