//! The fuzz targets. `make fuzz` runs them on arbitrary bytes, and `make test` on the corpus.

use p2p_proto::limits::BLOCK_TRANSACTIONS_MAX;
use p2p_proto::record::{Address, Record};
use p2p_proto::{Gossip, Request, Response};

/// A request that decodes must encode to the same bytes.
pub fn request(data: &[u8]) {
    if let Ok(request) = Request::decode(data) {
        assert_eq!(request.encode(), data);
    }
}

/// A response that decodes must encode to the same bytes.
pub fn response(data: &[u8]) {
    if let Ok(response) = Response::decode(data) {
        assert_eq!(response.encode(), data);
    }
}

/// Gossip that decodes must encode to the same bytes.
pub fn gossip(data: &[u8]) {
    if let Ok(gossip) = Gossip::decode(data) {
        assert_eq!(gossip.encode(), data);
    }
}

/// Messages about Bitcoin blocks of the pool; the first byte chooses which. One that decodes must encode to the same
/// bytes, and keep its bounds.
pub fn block(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let of_kind = |kind: u8| [&[kind], rest].concat();
    match choice {
        0 => {
            let bytes = of_kind(3);
            if let Ok(Gossip::BitcoinBlock(announcement)) = Gossip::decode(&bytes) {
                assert!(announcement.ids.len() <= BLOCK_TRANSACTIONS_MAX);
                assert_eq!(Gossip::BitcoinBlock(announcement).encode(), bytes);
            }
        }
        1 => {
            let bytes = of_kind(8);
            if let Ok(Request::Transactions { block, wanted }) = Request::decode(&bytes) {
                assert!(wanted.is_sorted_by(|one, other| one < other));
                assert!(wanted.last().is_none_or(|last| usize::from(*last) <= BLOCK_TRANSACTIONS_MAX));
                assert_eq!(Request::Transactions { block, wanted }.encode(), bytes);
            }
        }
        2 => request(&of_kind(9)),
        3 => response(&of_kind(8)),
        _ => response(&of_kind(9)),
    }
}

/// A record that decodes must encode to the same bytes, within its bound, and its addresses must parse as they are
/// written.
pub fn record(data: &[u8]) {
    let Ok(record) = Record::decode(data) else { return };
    assert_eq!(record.encode(), data);
    assert!(data.len() <= p2p_proto::limits::RECORD_BYTES_MAX);
    for address in &record.addresses {
        assert_eq!(Address::parse(&address.to_string()), Some((*address, None)));
    }
}
