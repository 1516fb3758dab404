use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;

use super::*;

/// A host whose device is a pair of sockets, which separates packets like a TUN device.
fn host(last: u8, latency_ms: u64) -> (UnixDatagram, Port) {
    let (near, far) = UnixDatagram::pair().unwrap();
    near.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    far.set_nonblocking(true).unwrap();
    let addresses = vec![Ipv4Addr::new(100, 64, 0, last)];
    let latency = Duration::from_millis(latency_ms);
    (near, Port { device: File::from(OwnedFd::from(far)), addresses, latency, rate: None })
}

/// The part of an IPv4 packet that the switch reads.
fn packet(to: u8, mark: u8) -> Vec<u8> {
    let mut packet = vec![0; 60];
    packet[0] = 0x45;
    packet[DESTINATION].copy_from_slice(&[100, 64, 0, to]);
    packet[20] = mark;
    packet
}

fn hears(host: &UnixDatagram) -> u8 {
    let mut buffer = [0; 1_500];
    assert_eq!(host.recv(&mut buffer).unwrap(), 60);
    buffer[20]
}

#[test]
fn packets_go_where_they_are_sent_after_the_longer_latency() {
    let ((a, one), (b, two), (c, three)) = (host(1, 0), host(2, 80), host(3, 0));
    let switch = Switch::start(vec![one, two, three], Loss(0), 1).unwrap();
    let since = Instant::now();
    // The switch drops a packet that is not version 4, and a packet to an unknown address.
    a.send(&[0x60; 60]).unwrap();
    a.send(&packet(9, 0)).unwrap();
    a.send(&packet(2, 1)).unwrap();
    a.send(&packet(3, 2)).unwrap();
    assert_eq!((hears(&c), since.elapsed() < Duration::from_millis(80)), (2, true), "C is near");
    assert_eq!((hears(&b), since.elapsed() >= Duration::from_millis(80)), (1, true), "B is far");
    // A packet is counted after it is written.
    while switch.traffic().delivered() < 2 {
        std::thread::sleep(Duration::from_micros(50));
    }
    assert_eq!((switch.traffic().bytes(0, 1), switch.traffic().bytes(0, 2), switch.traffic().delivered()), (60, 60, 2));
    assert_eq!((switch.traffic().packets(0, 1), switch.traffic().packets(1, 0)), (1, 0));
}

#[test]
fn a_partition_lets_nothing_pass_until_it_heals() {
    let ((a, one), (b, two), (c, three)) = (host(1, 0), host(2, 0), host(3, 0));
    let switch = Switch::start(vec![one, two, three], Loss(0), 1).unwrap();
    switch.partition(&[vec![0, 2]]);
    a.send(&packet(2, 1)).unwrap();
    a.send(&packet(3, 2)).unwrap();
    assert_eq!(hears(&c), 2);
    switch.partition(&[]);
    a.send(&packet(2, 3)).unwrap();
    assert_eq!(hears(&b), 3, "the first packet did not pass");
}

#[test]
fn losses_follow_from_the_seed() {
    let passed = |seed| -> Vec<u8> {
        let ((a, one), (b, two)) = (host(1, 0), host(2, 0));
        let switch = Switch::start(vec![one, two], Loss(200_000), seed).unwrap();
        let passes = |mark: &u8| {
            let (before, traffic) = (switch.traffic().delivered(), switch.traffic());
            a.send(&packet(2, *mark)).unwrap();
            while traffic.lost() + traffic.delivered() <= u64::from(*mark) {
                std::thread::sleep(Duration::from_micros(50));
            }
            let is_here = traffic.delivered() > before;
            assert!(!is_here || hears(&b) == *mark);
            is_here
        };
        (0..200).filter(passes).collect()
    };
    let first = passed(1);
    assert!((130..185).contains(&first.len()), "{} of 200 passed, of 160 expected", first.len());
    assert_eq!(first, passed(1));
    assert_ne!(first, passed(2));
}
