use super::*;

fn guard(listen: &str, configured: &str, requests_a_second: u32) -> Guard {
    let requests_a_second = requests_a_second.try_into().unwrap();
    let config = ApiConfig {
        listen: configured.parse().unwrap(),
        cors_origins: Vec::new(),
        requests_a_second,
        trusted_proxies: vec!["10.0.0.1".parse().unwrap()],
        public: false,
        explorer: None,
    };
    let (pages, folder) = ("https://pool.example/shoal".parse().unwrap(), tempfile::tempdir().unwrap());
    Guard::new(listen.parse().unwrap(), &config, Some(&pages), Token::load(folder.path()).unwrap())
}

fn answers(listen: &str, configured: &str, hosts: &[&str]) -> bool {
    let guard = guard(listen, configured, 100);
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
fn an_api_in_a_network_answers_to_no_name_that_a_foreign_page_can_have() {
    let network = |hosts: &[&str]| answers("0.0.0.0:3380", "0.0.0.0:3380", hosts);
    for host in
        ["192.168.1.7:3380", "[fd00::7]:3380", "127.0.0.1", "localhost:3380", "umbrel.local:3380", "shoal", "NAS.lan."]
    {
        assert!(network(&[host]), "{host}");
    }
    assert!(network(&["pool.example:3380"]), "the operator's own name");
    for host in
        ["evil.example:3380", "192.168.1.7.evil.example", "local.evil.example", "x.evillocal", "", ".", "shoal:x"]
    {
        assert!(!network(&[host]), "{host}");
    }
    assert!(!network(&["192.168.1.7", "evil.example"]));
    assert!(answers("192.0.2.7:3380", "192.0.2.7:3380", &[]), "no browser asks without a host");
}

#[test]
fn a_trusted_proxy_and_a_node_for_everyone_have_any_name() {
    let ask = |guard: &Guard, from: &str| {
        let mut request = Request::default();
        request.extensions_mut().insert(Client(from.parse().unwrap()));
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("explorer.example"));
        guard.admit(&request).is_ok()
    };
    let mut network = guard("0.0.0.0:3380", "0.0.0.0:3380", 100);
    assert!(ask(&network, "10.0.0.1") && !ask(&network, "10.0.0.2"));
    network.public = true;
    assert!(ask(&network, "10.0.0.2"));
    let mut loopback = guard("127.0.0.1:3380", "127.0.0.1:3380", 100);
    loopback.public = true;
    assert!(!ask(&loopback, "10.0.0.1"));
}

#[test]
fn each_client_may_ask_so_much_and_no_more() {
    let guard = guard("0.0.0.0:3380", "0.0.0.0:3380", 1);
    let ask = |client: &str| {
        let mut request = Request::default();
        request.extensions_mut().insert(Client(client.parse().unwrap()));
        guard.admit(&request)
    };
    let admitted = (0..50).filter(|_| ask("192.0.2.1").is_ok()).count();
    // Ten are saved up. On a slow machine, another one may be added meanwhile.
    assert!((10..15).contains(&admitted), "{admitted}");
    assert!(ask("192.0.2.2").is_ok());
}

#[test]
fn a_client_is_a_whole_64_or_what_a_trusted_proxy_names() {
    let guard = guard("0.0.0.0:3380", "0.0.0.0:3380", 1);
    let ask = |from: &str, named: &str| {
        let mut request = Request::default();
        request.extensions_mut().insert(Client(from.parse().unwrap()));
        if !named.is_empty() {
            request.headers_mut().insert("x-forwarded-for", HeaderValue::from_str(named).unwrap());
        }
        guard.admit(&request).is_ok()
    };
    let count = |asks: &dyn Fn(u32) -> bool| (0..50).filter(|number| asks(*number)).count();
    assert!(count(&|number| ask(&format!("2001:db8::{number:x}"), "")) < 15, "one /64");
    assert_eq!(count(&|number| ask(&format!("2001:db8:1:{number:x}::1"), "")), 50, "many of them");
    assert!(count(&|number| ask("192.0.2.9", &format!("198.51.100.{number}"))) < 15, "nobody trusts this address");
    assert_eq!(count(&|number| ask("10.0.0.1", &format!("198.51.100.{number}"))), 50, "clients of a proxy");
    assert!(
        count(&|number| ask("10.0.0.1", &format!("198.51.100.{number}, 203.0.113.5"))) < 15,
        "invented by the client"
    );
}
