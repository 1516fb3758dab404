use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::{Meter, Meters};
use p2p_proto::limits::{FRAME_TIMEOUT_MS, RECEIVE_BUFFER_BYTES_MAX, STALL_TIMEOUT_MS, UNREAD_BYTES_MAX};
use p2p_proto::netgroup::Host;

fn meters() -> Meters {
    Meters::new("/p/gossip/2", "/p/sync/2")
}

fn host(last: u8) -> Host {
    Host::Ip4(Ipv4Addr::new(100, 1, 1, last))
}

fn ago(ms: u64) -> Option<Instant> {
    Instant::now().checked_sub(Duration::from_millis(ms))
}

fn is_ended(meter: &Meter) -> bool {
    meter.poll_ended(&std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
}

fn has_room(meter: &Meter) -> bool {
    meter.poll_room(&std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
}

#[test]
fn time_in_which_the_node_does_not_run_does_not_count() {
    let meters = meters();
    let meter = meters.open(host(1));
    meter.stream(1, |stream| stream.message_since = ago(FRAME_TIMEOUT_MS));
    meter.stream(2, |stream| stream.blocked_since = ago(STALL_TIMEOUT_MS - 1_000));
    assert!(meter.overdue().is_some());
    meter.forgive(Duration::from_millis(5_000));
    assert_eq!(meter.overdue(), None);
    meter.stream_dropped(1);
    meter.stream(2, |stream| stream.blocked_since = ago(STALL_TIMEOUT_MS));
    assert!(meter.overdue().is_some());
}

#[test]
fn a_connection_that_hoards_ends_and_an_honest_one_stays() {
    let meters = meters();
    let (honest, hoarder) = (meters.open(host(1)), meters.open(host(2)));
    honest.hold(1_000);
    hoarder.hold(RECEIVE_BUFFER_BYTES_MAX - 1_000);
    assert!(!is_ended(&hoarder));
    honest.hold(1);
    assert!(is_ended(&hoarder) && !is_ended(&honest));
    drop(hoarder);
    honest.release(1_001);
    drop(honest);
    assert_eq!(super::lock(&meters.shared).buffers.size_bytes(), 0);
    assert!(super::lock(&meters.shared).ends.is_empty());
}

#[test]
fn unread_data_stops_the_socket_until_a_stream_is_read_or_gone() {
    let meters = meters();
    let meter = meters.open(host(1));
    meter.yamux_opened(1);
    meter.yamux_opened(3);
    meter.yamux_arrived(1, UNREAD_BYTES_MAX - 10);
    meter.yamux_arrived(5, UNREAD_BYTES_MAX);
    assert!(has_room(&meter), "data of a stream that does not exist is not held");
    meter.yamux_arrived(3, 10);
    assert!(!has_room(&meter));
    meter.yamux_read(3, 1);
    assert!(has_room(&meter));
    meter.yamux_arrived(3, 1);
    assert!(!has_room(&meter));
    meter.yamux_dropped(1);
    assert!(has_room(&meter));
    meter.yamux_dropped(3);
    assert_eq!(super::lock(&meters.shared).buffers.size_bytes(), 0);
}
