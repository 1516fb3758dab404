use super::*;

fn found(listen: &str, own: &[&str]) -> Vec<String> {
    let own = own.iter().map(|ip| ip.parse().unwrap()).collect();
    reached_at(listen.parse().unwrap(), own).iter().map(ToString::to_string).collect()
}

#[test]
fn the_url_is_one_that_a_device_in_the_network_reaches() {
    let own = ["127.0.0.1", "8.8.4.4", "192.168.1.20", "::1", "fe80::1", "2a00::20", "fd00::20", "192.168.1.20"];
    assert_eq!(found("0.0.0.0:3333", &own), ["192.168.1.20", "8.8.4.4"]);
    assert_eq!(found("[::]:3333", &own), ["192.168.1.20", "8.8.4.4", "fd00::20", "2a00::20"]);
    assert_eq!(found("0.0.0.0:3333", &["127.0.0.1", "::1", "fe80::1"]), ["127.0.0.1"]);
    assert_eq!(found("192.168.1.7:3333", &own), ["192.168.1.7"], "as configured");
    assert_eq!(found("127.0.0.1:3333", &own), ["127.0.0.1"]);
}

#[test]
fn addresses_are_shown_to_the_local_network_only() {
    for near in ["127.0.0.1", "10.1.2.3", "192.168.1.9", "::1", "fd12::1", "::ffff:192.168.1.9", "fe80::2"] {
        assert!(is_near(near.parse().unwrap()), "{near}");
    }
    for far in ["8.8.8.8", "2a00::1", "100.64.0.1", "::ffff:8.8.8.8"] {
        assert!(!is_near(far.parse().unwrap()), "{far}");
    }
}
