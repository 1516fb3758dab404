use std::net::SocketAddr;

use proptest::prelude::*;

use super::{ProxyError, SIGNATURE, read};

/// Reads a header from these bytes. Returns the result and what follows the header.
fn parse(bytes: &[u8]) -> (Result<Option<SocketAddr>, ProxyError>, Vec<u8>) {
    let mut rest = bytes;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let result = runtime.block_on(read(&mut rest));
    (result, rest.to_vec())
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn binary(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).expect("short").to_be_bytes();
    [&SIGNATURE[..], &[command, family], &length, body].concat()
}

#[test]
fn version_1() {
    let cases = [
        ("PROXY TCP4 192.0.2.7 198.51.100.1 56324 3333\r\n", Some(address("192.0.2.7:56324"))),
        ("PROXY TCP6 2001:db8::7 2001:db8::1 1 3333\r\n", Some(address("[2001:db8::7]:1"))),
        ("PROXY UNKNOWN\r\n", None),
        ("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", None),
    ];
    for (line, expected) in cases {
        let (result, rest) = parse(format!("{line}{{\"id\":1}}\n").as_bytes());
        assert_eq!(result.expect(line), expected);
        assert_eq!(rest, b"{\"id\":1}\n", "what follows is the miner's");
    }
    for wrong in [
        "{\"id\":1,\"method\":\"mining.subscribe\"}\n",
        "PROXY TCP4 2001:db8::7 2001:db8::1 1 3333\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 99999 3333\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1\r\n",
        "PROXY SCTP 192.0.2.7 198.51.100.1 1 2\r\n",
        "proxy TCP4 192.0.2.7 198.51.100.1 1 2\r\n",
    ] {
        assert!(matches!(parse(wrong.as_bytes()).0, Err(ProxyError::NoHeader)), "{wrong}");
    }
    let endless = format!("PROXY {}", "a".repeat(1_000));
    assert!(matches!(parse(endless.as_bytes()).0, Err(ProxyError::TooLong)));
    assert!(matches!(parse(b"PROXY TCP4 192.0").0, Err(ProxyError::Io(_))));
}

#[test]
fn version_2() {
    let ipv4 = [192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 4, 0x0d, 5];
    let ipv6 = [
        &address("[2001:db8::7]:1").ip().to_string().parse::<std::net::Ipv6Addr>().expect("v6").octets()[..],
        &[0; 16],
        &[0, 9, 0x0d, 5],
    ]
    .concat();
    let longer = [&ipv4[..], &[3, 0, 4, 1, 2, 3, 4]].concat();
    let cases = [
        (binary(0x21, 0x11, &ipv4), Some(address("192.0.2.7:56324"))),
        (binary(0x21, 0x11, &longer), Some(address("192.0.2.7:56324"))),
        (binary(0x21, 0x21, &ipv6), Some(address("[2001:db8::7]:9"))),
        (binary(0x20, 0x00, &[]), None),
        (binary(0x21, 0x31, &[0; 216]), None),
    ];
    for (mut header, expected) in cases {
        header.extend_from_slice(b"{}\n");
        let (result, rest) = parse(&header);
        assert_eq!(result.expect("a header"), expected);
        assert_eq!(rest, b"{}\n");
    }
    assert!(matches!(parse(&binary(0x21, 0x11, &ipv4[..11])).0, Err(ProxyError::NoHeader)));
    assert!(matches!(parse(&binary(0x11, 0x11, &ipv4)).0, Err(ProxyError::NoHeader)));
    assert!(matches!(parse(&binary(0x21, 0x11, &[0; 3_000])).0, Err(ProxyError::TooLong)));
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(start in 0usize..3, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let start: &[u8] = [&b""[..], &SIGNATURE, b"PROXY TCP4 "][start];
        let _parsed = parse(&[start, &bytes].concat());
    }
}
