use std::path::{Path, PathBuf};

use super::super::{Config, ConfigError, OnionService, file, resolve};
use node_core::sentence;

const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid";

fn load(text: &str) -> Result<Config, ConfigError> {
    let path = PathBuf::from("shoal.toml");
    let settings = file::parse(text, &path)?;
    resolve::resolve(&settings, Some(path), Some(Path::new("/home/miner")))
}

fn refusal(text: &str) -> String {
    sentence(&load(text).unwrap_err())
}

#[test]
fn a_node_listens_on_both_families_and_can_be_reached_by_default() {
    let p2p = load("").unwrap().p2p;
    assert_eq!(p2p.listen, ["0.0.0.0:3381".parse().unwrap(), "[::]:3381".parse().unwrap()]);
    assert!(p2p.upnp && p2p.relay && p2p.proxy.is_none() && p2p.onion.is_none());
    let p2p = load("[p2p]\nupnp = false\nrelay = false").unwrap().p2p;
    assert!(!p2p.upnp && !p2p.relay);
}

#[test]
fn proxy_only_turns_off_everything_that_would_leak() {
    let text = "[p2p]\nproxy = \"127.0.0.1:9050\"\nproxy_only = true\nmdns = true\nupnp = true\nrelay = true\nlisten = [\"0.0.0.0:3381\"]";
    let p2p = load(text).unwrap().p2p;
    assert!(p2p.proxy_only());
    assert!(p2p.listen.is_empty() && !p2p.mdns && !p2p.upnp && !p2p.relay);
}

#[test]
fn proxy_only_refuses_what_cannot_go_through_the_proxy() {
    let proxied = "[p2p]\nproxy = \"127.0.0.1:9050\"\nproxy_only = true\n";
    let cases = [
        ("[p2p]\nproxy_only = true".to_owned(), "p2p.proxy"),
        (format!("{proxied}peers = [\"/ip4/192.0.2.7/udp/3381/quic-v1\"]"), "over TCP"),
        (format!("{proxied}[bitcoind]\nurl = \"http://bitcoin.example:8332\""), "proxy_only"),
        (format!("{proxied}[bitcoind]\nurl = \"http://45.1.1.1:8332\""), "proxy_only"),
    ];
    for (text, word) in cases {
        let refused = refusal(&text);
        assert!(refused.contains(word), "{refused}");
    }
    for url in ["http://127.0.0.1:8332", "http://192.168.1.5:8332", "http://[::1]:8332"] {
        load(&format!("{proxied}[bitcoind]\nurl = \"{url}\"")).unwrap();
    }
}

#[test]
fn onion_services_are_given_or_set_up() {
    let given = load(&format!("[p2p]\nonion_address = \"{ONION}.onion:3381\"")).unwrap().p2p.onion.unwrap();
    assert!(matches!(given.service, OnionService::Given(address) if address == format!("/onion3/{ONION}:3381")));
    assert_eq!(given.listen, "127.0.0.1:3382".parse().unwrap());
    let tor = load("[p2p]\ntor_control = \"127.0.0.1:9051\"\ntor_password = \"x\"").unwrap().p2p.onion.unwrap();
    assert!(matches!(tor.service, OnionService::Tor { password: Some(_), .. }));
    let cases = [
        "[p2p]\ntor_password = \"x\"".to_owned(),
        format!("[p2p]\ntor_control = \"127.0.0.1:9051\"\nonion_address = \"{ONION}.onion:3381\""),
        "[p2p]\nonion_address = \"short.onion:3381\"".to_owned(),
        "[p2p]\ntor_control = \"127.0.0.1:9051\"\nonion_listen = \"0.0.0.0:3382\"".to_owned(),
        format!("[p2p]\npeers = [\"/onion3/{ONION}:3381\"]"),
    ];
    for text in cases {
        load(&text).unwrap_err();
    }
}

#[test]
fn proxy_only_refuses_seeds_that_it_cannot_reach() {
    let proxied = "[p2p]\nproxy = \"127.0.0.1:9050\"\nproxy_only = true\n";
    let cases = [
        ("seeds = [\"/ip4/192.0.2.7/udp/3381/quic-v1\"]", "over TCP"),
        ("dns_seeds = [\"seed.pool.example\"]", "proxy_only"),
        ("external_address = [\"198.51.100.7:3381\"]", "proxy_only"),
    ];
    for (line, word) in cases {
        let refused = refusal(&format!("{proxied}{line}"));
        assert!(refused.contains(word) && refused.contains("p2p."), "{refused}");
        load(&format!("[p2p]\n{line}")).unwrap();
    }
    let onion = format!("seeds = [\"/onion3/{ONION}:3381\"]");
    assert_eq!(load(&format!("{proxied}{onion}")).unwrap().p2p.seeds.len(), 1);
    assert!(refusal(&format!("[p2p]\n{onion}")).contains("p2p.proxy"));
    let p2p = load(&format!("{proxied}dns_seeds = []\nexternal_address = []")).unwrap().p2p;
    assert!(p2p.discover && p2p.dns_seeds.is_empty());
    load("[p2p]\nexternal_address = [\"198.51.100.7:0\"]").unwrap_err();
}
