use axum::http::HeaderValue;

use super::*;

fn client(from: &str, fields: &[(&'static str, &str)]) -> String {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let trusted = ["127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48"].map(|range| range.parse().unwrap());
    client_of(from.parse().unwrap(), &headers, &trusted).to_string()
}

#[test]
fn only_trusted_proxies_are_believed() {
    const FIELD: &str = "x-forwarded-for";
    assert_eq!(client("203.0.113.5", &[(FIELD, "192.0.2.1")]), "203.0.113.5");
    assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
    assert_eq!(client("127.0.0.1", &[(FIELD, "192.0.2.1")]), "192.0.2.1");
    assert_eq!(client("::ffff:127.0.0.1", &[(FIELD, "192.0.2.1")]), "192.0.2.1");
    assert_eq!(client("127.0.0.1", &[(FIELD, "192.0.2.1, 198.51.100.7, 10.1.2.3")]), "198.51.100.7");
    assert_eq!(client("127.0.0.1", &[(FIELD, "192.0.2.1"), (FIELD, "198.51.100.7")]), "198.51.100.7", "two fields");
    assert_eq!(client("127.0.0.1", &[(FIELD, "10.1.2.3")]), "10.1.2.3", "a client in the proxies' network");
    assert_eq!(client("127.0.0.1", &[(FIELD, "192.0.2.1, nonsense")]), "127.0.0.1");
    assert_eq!(client("127.0.0.1", &[(FIELD, "[2001:db8:2::7]:443")]), "2001:db8:2::7");
    assert_eq!(client("127.0.0.1", &[(FIELD, "192.0.2.1:5000")]), "192.0.2.1");
}

#[test]
fn forwarded_counts_where_the_other_field_is_missing() {
    let fields = [("forwarded", "for=192.0.2.43, For=\"[2001:db8:2::17]:4711\";proto=http;by=203.0.113.43")];
    assert_eq!(client("10.0.0.1", &fields), "2001:db8:2::17");
    assert_eq!(client("10.0.0.1", &[("forwarded", "for=_hidden")]), "10.0.0.1");
    assert_eq!(
        client("10.0.0.1", &[("forwarded", "for=192.0.2.43"), ("x-forwarded-for", "198.51.100.1")]),
        "198.51.100.1"
    );
}
