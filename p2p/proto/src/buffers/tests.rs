use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::Buffers;
use crate::limits::RECEIVE_BUFFER_BYTES_MAX;
use crate::netgroup::Host;

fn host(last: u8) -> Host {
    Host::Ip4(Ipv4Addr::new(100, 1, 1, last))
}

#[test]
fn the_host_with_the_most_bytes_loses_its_largest_connection() {
    let mut buffers = Buffers::default();
    let third = RECEIVE_BUFFER_BYTES_MAX / 3;
    let honest = buffers.open(host(1));
    assert_eq!(buffers.hold(honest, third), []);
    let crowd: Vec<_> = (0..4).map(|_| buffers.open(host(2))).collect();
    for id in &crowd {
        assert_eq!(buffers.hold(*id, third / 2), []);
    }
    // The honest connection is the largest one, but its host has fewer bytes.
    assert_eq!(buffers.hold(crowd[3], 100), [crowd[3]]);
    buffers.release(honest, third);
    assert_eq!(buffers.size_bytes(), 3 * (third / 2));
}

proptest! {
    #[test]
    fn the_sum_is_right_and_never_above_the_budget(
        steps in prop::collection::vec((0usize..8, 0usize..RECEIVE_BUFFER_BYTES_MAX / 4, 0u8..3), 1..200),
    ) {
        let mut buffers = Buffers::default();
        let mut open: Vec<_> = (0..8).map(|number| (buffers.open(host(number / 2)), 0usize)).collect();
        for (index, size_bytes, action) in steps {
            let (id, held) = open[index];
            match action {
                0 => {
                    buffers.release(id, size_bytes);
                    open[index].1 = held.saturating_sub(size_bytes);
                }
                1 if held == 0 => {
                    buffers.close(id);
                    open[index] = (buffers.open(host(9)), 0);
                }
                _ => {
                    open[index].1 = held + size_bytes;
                    for gone in buffers.hold(id, size_bytes) {
                        let at = open.iter().position(|(id, _)| *id == gone).unwrap();
                        open[at] = (buffers.open(host(9)), 0);
                    }
                }
            }
            prop_assert_eq!(buffers.size_bytes(), open.iter().map(|(_, held)| held).sum::<usize>());
            prop_assert!(buffers.size_bytes() <= RECEIVE_BUFFER_BYTES_MAX);
        }
    }
}
