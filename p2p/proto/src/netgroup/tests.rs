use super::*;

fn host(text: &str) -> Host {
    Host::of_ip(text.parse().unwrap())
}

#[test]
fn one_machine_is_one_host_and_one_provider_one_netgroup() {
    assert_eq!(host("2a01:4f8:1:2:3::1"), host("2a01:4f8:1:2:ffff::9"), "a /64 is one machine's");
    assert_ne!(host("2a01:4f8:1:2::1"), host("2a01:4f8:1:3::1"));
    assert_eq!(host("2a01:4f8:1:2::1").netgroup(), host("2a01:4f8:ffff::1").netgroup(), "a /32 is one provider's");
    assert_eq!(host("203.0.113.1").netgroup(), Netgroup::Ip4([203, 0]));
    assert_ne!(host("203.0.113.1"), host("203.0.113.2"));
    assert_eq!(Host::Onion([0xa7; 32]).netgroup(), Netgroup::Onion(0xa));
}

#[test]
fn an_ipv4_address_in_ipv6_is_that_ipv4_address() {
    for text in ["::ffff:203.0.113.7", "64:ff9b::203.0.113.7", "2002:cb00:7107::1", "2001:0:1:2:3:4:34ff:8ef8"] {
        assert_eq!(host(text), host("203.0.113.7"), "{text}");
    }
}

#[test]
fn all_local_networks_are_one_netgroup() {
    for text in ["127.0.0.1", "::1", "::", "10.1.2.3", "192.168.0.9", "172.16.5.5", "169.254.1.1", "fd00::1", "fe80::1"]
    {
        assert_eq!(host(text).netgroup(), Netgroup::Local, "{text}");
    }
    assert!(host("::1").is_loopback() && host("127.8.8.8").is_loopback() && !host("10.0.0.1").is_loopback());
}
