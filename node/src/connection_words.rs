//! Why a connection failed, in this program's own words: a library's say what it did, not what to check.

use std::error::Error;
use std::io::{self, ErrorKind};

/// Why an HTTP request got no answer.
pub(crate) fn of_http(error: &reqwest::Error) -> &'static str {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        let mut io = inner.downcast_ref::<io::Error>();
        while let Some(error) = io {
            if let Some(words) = of_io(error) {
                return words;
            }
            // The inner error of an I/O error is not its source.
            let inside = error.get_ref();
            if inside.is_some_and(|inside| inside.is::<tokio_rustls::rustls::Error>()) {
                return "no encrypted connection can be made: its certificate is not trusted, or it does not speak TLS";
            }
            io = inside.and_then(|inside| inside.downcast_ref::<io::Error>());
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
        ErrorKind::NotFound => "there is no such socket",
        ErrorKind::TimedOut => "no answer came in time",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            "there is no route to it"
        }
        ErrorKind::AddrNotAvailable => "it is not an address that this machine can use",
        ErrorKind::PermissionDenied => "the system does not permit it; see its firewall",
        _ => return None,
    })
}
