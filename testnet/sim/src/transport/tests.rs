use proptest::prelude::*;

use super::*;
use crate::queue::Queue;
use crate::rng::stream;

const SIZE_MAX: u32 = 100_000;

fn transport(kinds: &[LineKind], distances: Distances) -> Transport {
    Transport::new(kinds.iter().map(|kind| kind.line()).collect(), distances)
}

/// A sent message and its arrival.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Received {
    from: NodeId,
    to: NodeId,
    size_bytes: u32,
    sent_at: Micros,
    /// Arrival time at a receiver that is idle.
    earliest: Micros,
    at: Micros,
}

/// Sends messages at their times and waits for all. Each one is a pair of nodes, a size and a time.
fn exchange(transport: &mut Transport, mut messages: Vec<(usize, usize, u32, Micros)>, seed: u64) -> Vec<Received> {
    let mut rng = stream(seed, "lines", 0);
    let mut queue = Queue::default();
    messages.sort_by_key(|(.., at)| *at);
    for (from, to, size_bytes, at) in messages {
        let (from, to) = (NodeId::of(from), NodeId::of(to));
        let earliest = transport.send(from, to, size_bytes, at, &mut rng).unwrap();
        queue.push(earliest, (Received { from, to, size_bytes, sent_at: at, earliest, at: Micros::NEVER }, false));
    }
    let mut received = Vec::new();
    while let Some((now, (message, placed))) = queue.pop() {
        match transport.receive(message.to, message.size_bytes, now).filter(|_| !placed) {
            Some(later) => queue.push(later, (message, true)),
            None => received.push(Received { at: now, ..message }),
        }
    }
    received
}

fn kinds() -> impl Strategy<Value = Vec<LineKind>> {
    prop::collection::vec(prop::sample::select(LineKind::ALL.to_vec()), 4)
}

fn messages() -> impl Strategy<Value = Vec<(usize, usize, u32, Micros)>> {
    let message = (0..4usize, 0..4usize, 1..SIZE_MAX, (0..3_000_000u64).prop_map(Micros));
    prop::collection::vec(message, 1..60)
}

fn cities() -> Distances {
    Distances::Cities(["london", "tokyo", "sydney", "columbus"].map(|name| City::named(name).unwrap()).to_vec())
}

proptest! {
    #[test]
    fn nothing_arrives_before_light_and_lines_allow(kinds in kinds(), messages in messages()) {
        let mut transport = transport(&kinds, cities());
        let lines = transport.clone();
        for message in exchange(&mut transport, messages, 1) {
            let bits = f64::from(message.size_bytes) * 8.0;
            let (up, down) = (lines.line(message.from).up_bps, lines.line(message.to).down_bps);
            // Each span is rounded down to a microsecond.
            let least = lines.way(message.from, message.to) + Micros::from_secs_f64(bits / up + bits / down - 2e-6);
            prop_assert!(message.earliest >= message.sent_at + least);
            prop_assert!(message.at >= message.earliest);
        }
    }

    #[test]
    fn no_line_carries_more_than_its_bits(kinds in kinds(), messages in messages()) {
        let mut transport = transport(&kinds, cities());
        let received = exchange(&mut transport, messages, 1);
        for node in (0..4).map(NodeId::of) {
            let to: Vec<_> = received.iter().filter(|message| message.to == node).collect();
            let bps = transport.line(node).down_bps;
            for (first, begin) in to.iter().enumerate() {
                // All bits of messages complete after `begin` arrived after it.
                let mut bits = 0.0;
                for end in &to[first + 1..] {
                    bits += f64::from(end.size_bytes) * 8.0;
                    let window_s = end.at.since(begin.at).as_secs_f64() + 1e-6 * to.len() as f64;
                    prop_assert!(bits <= bps * window_s, "{bits} bits in {window_s} s");
                }
            }
            let bytes = to.iter().map(|message| u64::from(message.size_bytes)).sum::<u64>();
            prop_assert!(transport.traffic(node).received_bytes >= bytes);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_times(kinds in kinds(), messages in messages(), seed: u64) {
        let [mut a, mut b] = [(); 2].map(|()| transport(&kinds, cities()));
        prop_assert_eq!(exchange(&mut a, messages.clone(), seed), exchange(&mut b, messages, seed));
    }
}

#[test]
fn what_is_near_does_not_wait_for_what_is_far() {
    let places = Distances::Cities(["sydney", "london", "frankfurt"].map(|name| City::named(name).unwrap()).to_vec());
    let mut transport = transport(&[LineKind::Datacenter, LineKind::Datacenter, LineKind::Dsl], places);
    let now = Micros::from_millis(10);
    let received = exchange(&mut transport, vec![(0, 2, 20_000, Micros::ZERO), (1, 2, 1_000, now)], 3);
    let [near, far] = received[..] else { panic!("two messages") };
    assert_eq!((near.from, far.from), (NodeId(1), NodeId(0)));
    assert_eq!(near.at, near.earliest);
    assert!(near.at < Micros::from_millis(50), "{near:?}");
}

#[test]
fn a_busy_receiver_takes_one_after_the_other() {
    let mut transport =
        transport(&[LineKind::Datacenter, LineKind::Datacenter, LineKind::Dsl], Distances::Even(Micros::ZERO));
    // 20 kB take 10 ms at 16 Mbit/s.
    let messages = (0..10).map(|index| (index % 2, 2, 20_000, Micros::ZERO)).collect();
    let received = exchange(&mut transport, messages, 3);
    let last = received.last().unwrap().at;
    assert!((Micros::from_millis(110)..Micros::from_millis(120)).contains(&last), "{last}");
}

#[test]
fn a_slow_sender_sends_one_after_the_other() {
    let mut transport = transport(&[LineKind::Dsl, LineKind::Datacenter], Distances::Even(Micros::ZERO));
    // 25 kB take 100 ms at 2 Mbit/s.
    let received = exchange(&mut transport, (0..10).map(|_| (0, 1, 25_000, Micros::ZERO)).collect(), 3);
    assert!(received.last().unwrap().earliest >= Micros::from_millis(1_000));
    assert_eq!(transport.traffic(NodeId(0)), Traffic { sent_bytes: 250_000, received_bytes: 0 });
}

#[test]
fn what_waits_goes_on_at_the_speed_of_the_new_line() {
    let mut transport = transport(&[LineKind::Dsl, LineKind::Datacenter], Distances::Even(Micros::ZERO));
    let (usual, mut rng) = (*transport.line(NodeId(0)), stream(1, "lines", 0));
    transport.set_line(NodeId(0), Line { up_bps: usual.up_bps / 100.0, ..usual }, Micros::ZERO);
    // 25 kB take 10 s now.
    transport.send(NodeId(0), NodeId(1), 25_000, Micros::ZERO, &mut rng);
    let now = Micros::from_millis(4_000);
    assert_eq!(transport.wait(NodeId(0), now), Micros::from_millis(6_000));
    transport.set_line(NodeId(0), usual, now);
    assert_eq!(transport.wait(NodeId(0), now), Micros::from_millis(60));
}

#[test]
fn losses_cost_ways() {
    let mut transport = transport(&[LineKind::Datacenter; 2], Distances::Even(Micros::from_millis(100)));
    transport.set_line(NodeId(1), Line { loss: 0.25, ..*transport.line(NodeId(1)) }, Micros::ZERO);
    let mut rng = stream(1, "lines", 0);
    let mut sum_s = 0.0;
    for _ in 0..4_000 {
        let at = transport.send(NodeId(0), NodeId(1), 100, Micros::ZERO, &mut rng).unwrap();
        sum_s += at.as_secs_f64();
    }
    // A third of a retransmission each on average, at 200 ms, plus 100 ms and a tenth of jitter.
    let mean_s = sum_s / 4_000.0;
    assert!((mean_s - 0.110 - 0.200 / 3.0).abs() < 0.01, "{mean_s}");
    assert_eq!(repeats(0.0, SIZE_MAX, 0), 0);
    assert_eq!(repeats(0.9, SIZE_MAX, 0), REPEATS_MAX);
}

#[test]
fn cuts_and_stretches() {
    let mut transport = transport(&[LineKind::Fibre; 2], Distances::Even(Micros::from_millis(50)));
    let mut rng = stream(1, "lines", 0);
    let usual = transport.way(NodeId(0), NodeId(1));
    transport.set_stretch(3.0);
    assert_eq!(transport.way(NodeId(0), NodeId(1)).0, usual.0 * 3);
    transport.set_group(NodeId(1), 1);
    assert_eq!(transport.send(NodeId(0), NodeId(1), 100, Micros::ZERO, &mut rng), None);
    transport.set_group(NodeId(0), 1);
    assert!(transport.send(NodeId(0), NodeId(1), 100, Micros::ZERO, &mut rng).is_some());
}
