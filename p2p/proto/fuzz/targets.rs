//! What is done with any bytes. Run by `make fuzz`, and with the corpus by `make test`.

use p2p_proto::record::{Address, Record};
use p2p_proto::{Gossip, Request, Response};

/// A request that decodes, encodes to the same bytes.
pub fn request(data: &[u8]) {
    if let Ok(request) = Request::decode(data) {
        assert_eq!(request.encode(), data);
    }
}

/// A response that decodes, encodes to the same bytes.
pub fn response(data: &[u8]) {
    if let Ok(response) = Response::decode(data) {
        assert_eq!(response.encode(), data);
    }
}

/// Gossip that decodes, encodes to the same bytes.
pub fn gossip(data: &[u8]) {
    if let Ok(gossip) = Gossip::decode(data) {
        assert_eq!(gossip.encode(), data);
    }
}

/// A record that decodes, encodes to the same bytes, within its bound, and its addresses are read as they are written.
pub fn record(data: &[u8]) {
    let Ok(record) = Record::decode(data) else { return };
    assert_eq!(record.encode(), data);
    assert!(data.len() <= p2p_proto::limits::RECORD_BYTES_MAX);
    for address in &record.addresses {
        assert_eq!(Address::parse(&address.to_string()), Some((*address, None)));
    }
}
