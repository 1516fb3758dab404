use super::{Names, Watch};

const HEADER: &[u8] = b"\x13/multistream/1.0.0\n";

fn names() -> Names {
    Names::new("/p/gossip/2", "/p/sync/2")
}

/// State of a stream after these bytes, in pieces of any size: number of bytes held, and whether a message is
/// unfinished.
fn shown(bytes: &[u8]) -> (usize, bool) {
    let whole = shown_in_pieces(bytes, bytes.len().max(1));
    for size in [1, 2, 3, 7] {
        assert_eq!(shown_in_pieces(bytes, size), whole, "in pieces of {size}");
    }
    whole
}

fn shown_in_pieces(bytes: &[u8], size: usize) -> (usize, bool) {
    let mut watch = Watch::new();
    bytes.chunks(size).for_each(|piece| watch.follow(&names(), piece));
    (watch.held_bytes(), watch.unfinished().is_some())
}

fn stream(protocol: &str, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(protocol.len() + 1).unwrap();
    [HEADER, &[length], protocol.as_bytes(), b"\n", data].concat()
}

#[test]
fn gossip_is_held_until_it_is_complete() {
    assert_eq!(shown(&stream("/p/gossip/2", b"")), (0, false));
    assert_eq!(shown(&stream("/p/gossip/2", b"\x05abcd")), (5, true));
    assert_eq!(shown(&stream("/p/gossip/2", b"\x05abcde")), (0, false));
    assert_eq!(shown(&stream("/p/gossip/2", b"\x05abcde\x80")), (1, true));
    // A length of 300 bytes.
    let half = [&[0xac, 0x02][..], &[7; 299]].concat();
    assert_eq!(shown(&stream("/p/gossip/2", &half)), (301, true));
}

#[test]
fn gossip_after_a_rejected_proposal_is_gossip() {
    let data = stream("/p/other/1", b"\x0c/p/gossip/2\n\x09abc");
    assert_eq!(shown(&data), (4, true));
}

#[test]
fn a_sync_stream_holds_all_until_it_ends() {
    assert_eq!(shown(&stream("/p/sync/2", &[3, 0])), (2, true));
    assert_eq!(shown(&stream("/p/sync/2", &[3, 0, 0, 0, 1, 2])), (6, true));
    assert_eq!(shown(&stream("/p/sync/2", &[3, 0, 0, 0, 1, 2, 3])), (7, false));
    assert_eq!(shown(&stream("/p/sync/2", &[3, 0, 0, 0, 1, 2, 3, 9, 9])), (9, false));
}

#[test]
fn other_protocols_hold_nothing_whatever_they_carry() {
    assert_eq!(shown(&stream("/ipfs/ping/1.0.0", &[0xff; 4_000])), (0, false));
    assert_eq!(shown(&[0xff; 300]), (0, false));
    let endless = [&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..], &[0; 100]].concat();
    assert_eq!(shown(&stream("/p/gossip/2", &endless)), (110, true));
}

#[test]
fn the_time_of_a_message_begins_anew_with_each_message() {
    let mut watch = Watch::new();
    watch.follow(&names(), &stream("/p/gossip/2", b"\x02a"));
    let first = watch.unfinished().unwrap();
    watch.follow(&names(), b"b\x02a");
    assert_ne!(watch.unfinished(), Some(first));
    assert!(watch.unfinished().is_some());
}
