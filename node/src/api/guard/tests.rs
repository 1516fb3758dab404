use super::*;

fn answers(listen: &str, configured: &str, hosts: &[&str]) -> bool {
    let guard = Guard::new(listen.parse().unwrap(), configured.parse().unwrap());
    let mut headers = HeaderMap::new();
    for host in hosts {
        headers.append(header::HOST, HeaderValue::from_str(host).unwrap());
    }
    guard.answers_to(&headers)
}

#[test]
fn a_loopback_api_answers_to_its_own_names_only() {
    for host in ["localhost", "LOCALHOST:3380", "127.0.0.1", "127.0.0.1:3380", "[::1]", "[::1]:3380", "127.0.0.2"] {
        assert!(answers("127.0.0.1:3380", "127.0.0.1:3380", &[host]), "{host}");
    }
    for host in ["evil.example", "evil.example:3380", "localhost.evil.example", "192.0.2.1", "", "127.0.0.1:x", "::"] {
        assert!(!answers("127.0.0.1:3380", "127.0.0.1:3380", &[host]), "{host}");
    }
    assert!(!answers("127.0.0.1:3380", "127.0.0.1:3380", &[]));
    assert!(!answers("127.0.0.1:3380", "127.0.0.1:3380", &["localhost", "evil.example"]));
}

#[test]
fn an_api_in_a_network_answers_to_whatever_name_it_has_there() {
    assert!(answers("0.0.0.0:3380", "0.0.0.0:3380", &["pool.example:3380"]));
    assert!(answers("192.0.2.7:3380", "192.0.2.7:3380", &[]));
}
