//! Nodes behind routers, in network namespaces: relays, punched holes, ports that a router maps.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::spaces::{Bitcoin, Node, Running, Space, mine};

/// Time for what takes seconds on an idle machine.
const SOON: Duration = Duration::from_secs(90);

/// Payout addresses on the test network's signet.
const HOME_MINER: &str = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx.home";
const PUBLIC_MINER: &str = "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7.public";

/// Their scripts; the second one's first bytes.
const HOME_SCRIPT: &str = "0014751e76e8199196d454941c45d1b3a323f1433bd6";
const PUBLIC_SCRIPT: &str = "00201863143c";

/// A router that hides its local network behind one address and drops what no host inside asked for.
fn router(internet: &Space, number: u8) -> (Space, Space) {
    let (router, home) = (internet.beside(), internet.beside());
    let wan = format!("w{number}");
    internet.cable((&wan, &format!("45.{number}.0.254/24")), &router, ("wan", &format!("45.{number}.0.1/24")));
    router.sh(&format!("ip route add default via 45.{number}.0.254"));
    router.cable(("lan", "192.168.1.1/24"), &home, ("eth0", "192.168.1.2/24"));
    home.sh("ip route add default via 192.168.1.1");
    router.forward();
    router.sh("nft -f - <<'END'
        table inet filter {
            chain upnp { }
            chain input { type filter hook input priority 0; policy drop;
                iifname \"lan\" accept; iifname \"lo\" accept; ct state established,related accept; }
            chain forward { type filter hook forward priority 0; policy drop;
                ct state established,related accept; iifname \"lan\" accept; jump upnp; }
        }
        table inet nat {
            chain upnp { }
            chain upnp_post { }
            chain prerouting { type nat hook prerouting priority -100; jump upnp; }
            chain postrouting { type nat hook postrouting priority 100; jump upnp_post; oifname \"wan\" masquerade; }
        }
END");
    (router, home)
}

/// A machine with a public address.
fn public(internet: &Space, number: u8) -> Space {
    let machine = internet.beside();
    let near = format!("p{number}");
    internet.cable((&near, &format!("45.{number}.0.254/24")), &machine, ("eth0", &format!("45.{number}.0.1/24")));
    machine.sh(&format!("ip route add default via 45.{number}.0.254"));
    machine
}

/// Debian's miniupnpd on a router.
fn upnp(router: &Space, dir: &Path) -> Running {
    let config = "ext_ifname=wan\nlistening_ip=lan\nenable_upnp=yes\nenable_natpmp=no\nsecure_mode=yes\nport=5000\n\
        uuid=00000000-0000-0000-0000-000000000001\nupnp_table_name=filter\nupnp_nat_table_name=nat\n\
        upnp_forward_chain=upnp\nupnp_nat_chain=upnp\nupnp_nat_postrouting_chain=upnp_post\n\
        allow 1024-65535 192.168.1.0/24 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n";
    let path = dir.join("miniupnpd.conf");
    std::fs::write(&path, config).unwrap();
    let mut command = router.command("miniupnpd");
    command.arg("-d").arg("-f").arg(&path).arg("-P").arg(dir.join("miniupnpd.pid"));
    Running::start(&mut command, &dir.join("miniupnpd.log"))
}

fn way(answer: &Value) -> &str {
    answer["reachable"]["how"].as_str().unwrap_or_default()
}

fn peer<'a>(answer: &'a Value, id: &str) -> Option<&'a Value> {
    answer["peers"].as_array()?.iter().find(|peer| peer["id"] == id)
}

/// A node at home, behind a router with default settings, takes part: it finds relays, and tells its places there in its record.
/// A node behind another router knows nothing but one public node, finds that record, dials the node at home through the
/// relay, and connects directly through a punched hole. A third router knows UPnP, and its node is public without a relay.
/// Meanwhile the node at home finds a block whose payees are paid.
#[test]
fn a_home_miner_takes_part_without_touching_the_router() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let internet = Space::new();
    internet.forward();
    internet.sh("ip addr add 10.99.0.1/32 dev lo");
    let bitcoin = Bitcoin::start(&internet, dir, "10.99.0.1:38332");
    let machines = (public(&internet, 1), public(&internet, 2));
    let [(_router_h, home), (_router_w, other), (router_u, third)] = [3, 4, 5].map(|number| router(&internet, number));
    let _upnp = upnp(&router_u, dir);

    let outside = "upnp = false\nlisten = [\"0.0.0.0:3381\"]";
    let to_p = "\"/ip4/45.1.0.1/tcp/3381\"";
    let knows_p = format!("{outside}\npeers = [{to_p}]");
    let mut p = Node::start(&machines.0, dir, "p", &bitcoin, "new_pool = true", outside);
    let mut q = Node::start(&machines.1, dir, "q", &bitcoin, "", &knows_p);
    let both = format!("{outside}\npeers = [{to_p}, \"/ip4/45.2.0.1/udp/3381/quic-v1\"]");
    let mut h = Node::start(&home, dir, "h", &bitcoin, "", &both);
    let mut w = Node::start(&other, dir, "w", &bitcoin, "", &knows_p);
    let mut u = Node::start(&third, dir, "u", &bitcoin, "", &knows_p.replace("upnp = false", "upnp = true"));
    let home_id = h.id();
    let _miners =
        [mine(&home, dir, "home", HOME_MINER, 900_000), mine(&machines.0, dir, "public", PUBLIC_MINER, 300_000)];

    // Two nodes in different networks tell each other that they are public, which makes them relays.
    for node in [&mut p, &mut q] {
        node.wait_for("a public node knowing it", SOON, "peers", |answer| {
            way(answer) == "dialed_back" && answer["reachable"]["is_relay"] == true
        });
    }
    // The node at home learns that no peer reaches it, reserves places, and tells them.
    let seen = h.wait_for("places with relays in its record", SOON, "peers", |answer| {
        way(answer) == "relay" && !own(answer).is_empty()
    });
    assert!(seen["reachable"]["unreached_from"].as_u64().unwrap() > 0, "{seen:#?}");
    assert!(own(&seen).iter().all(|address| address.ends_with("/p2p-circuit")), "{seen:#?}");
    // The router that knows UPnP mapped a port, and peers connected to it.
    let seen = u.wait_for("a mapped port that peers connect to", SOON, "peers", |answer| way(answer) == "dialed_back");
    let addresses = seen["reachable"]["addresses"].as_array().unwrap();
    assert!(addresses.iter().any(|address| address == "/ip4/45.5.0.1/tcp/3381"), "{addresses:#?}");
    assert!(own(&seen).contains(&"/ip4/45.5.0.1/tcp/3381"), "{seen:#?}");
    // Another home finds it by its record, dials it through a relay, and connects directly.
    w.wait_for("a direct connection through both routers", SOON, "peers", |answer| {
        peer(answer, &home_id).is_some_and(|peer| peer["address"].as_str().unwrap().starts_with("/ip4/45.3.0.1/"))
    });
    finds_a_block(&mut h, &mut q);
}

/// Addresses that a node announces to all peers.
fn own(answer: &Value) -> Vec<&str> {
    let addresses = answer["discovery"]["own_addresses"].as_array().into_iter().flatten();
    addresses.filter_map(Value::as_str).collect()
}

/// The miner at home finds a block that pays both miners, and Bitcoin takes it.
fn finds_a_block(home: &mut Node<'_>, public: &mut Node<'_>) {
    let blocks = public.wait_for("a block of the home miner that pays both", SOON * 3, "blocks", |answer| {
        answer["blocks"].as_array().unwrap().iter().any(is_paid)
    });
    let block = blocks["blocks"].as_array().unwrap().iter().find(|block| is_paid(block)).unwrap();
    let path = format!("blocks/{}", block["hash"].as_str().unwrap());
    let whole = home.wait_for("its outputs", SOON, &path, |_| true);
    let paid = |script: &str| {
        let outputs = whole["outputs"].as_array().unwrap().iter();
        outputs.filter(|output| output["script"].as_str().unwrap().starts_with(script)).count()
    };
    assert_eq!((paid(HOME_SCRIPT), paid(PUBLIC_SCRIPT)), (1, 1), "{whole:#?}");
    assert_eq!(home.get("peers").as_ref().map(way), Some("relay"), "its router has default settings");
}

/// A block in Bitcoin's chain, found by the miner at home, that pays more than one.
fn is_paid(block: &Value) -> bool {
    let shared = block["outputs_count"].as_u64() > Some(1) && block["confirmations"].as_u64() > Some(0);
    shared && block["finder_script"] == HOME_SCRIPT
}
