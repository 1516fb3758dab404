use std::io;
use std::net::SocketAddr;

use rustix::io::Errno;

use super::usable;

fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_machine_without_ipv6_listens_on_ipv4() {
    let both = addresses(&["0.0.0.0:3381", "[::]:3381"]);
    for errno in [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL] {
        let no_ipv6 = |address: SocketAddr| {
            if address.is_ipv6() { Err(io::Error::from_raw_os_error(errno.raw_os_error())) } else { Ok(()) }
        };
        assert_eq!(usable(&both, no_ipv6).unwrap(), addresses(&["0.0.0.0:3381"]));
        let own = addresses(&["0.0.0.0:3381", "[2001:db8::1]:3381"]);
        assert_eq!(usable(&own, no_ipv6).unwrap_err().0, own[1], "an address that the operator named must work");
        let alone = addresses(&["[::]:3381"]);
        assert_eq!(usable(&alone, no_ipv6).unwrap_err().0, alone[0], "nothing would be left");
    }
    let in_use = |address: SocketAddr| if address.is_ipv6() { Err(io::ErrorKind::AddrInUse.into()) } else { Ok(()) };
    assert_eq!(usable(&both, in_use).unwrap_err().0, both[1]);
}
