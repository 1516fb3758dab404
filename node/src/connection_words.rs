//! Why a connection failed, in this program's own words: a library's say what it did, not what to look at.

use std::error::Error;
use std::io::{self, ErrorKind};

/// Why an HTTP request got no answer.
pub(crate) fn of_http(error: &reqwest::Error) -> &'static str {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(words) = inner.downcast_ref::<io::Error>().and_then(of_io) {
            return words;
        }
        cause = inner.source();
    }
    match error {
        error if error.is_timeout() => "no answer came in time",
        error if error.is_connect() => "no connection can be made; check the name and the port",
        error if error.is_builder() => "the address cannot be used",
        _ => "the answer broke off, or is not HTTP",
    }
}

/// Why a connection failed; none for a kind that says nothing.
pub(crate) fn of_io(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there",
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => "the other side ended the connection",
        ErrorKind::TimedOut => "no answer came in time",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            "there is no route to it"
        }
        ErrorKind::AddrNotAvailable => "it is not an address that this machine can use",
        ErrorKind::PermissionDenied => "the system does not permit it; see its firewall",
        _ => return None,
    })
}
