//! Nodes that meet over Tor's onion services alone, and a node that hides behind the proxy and leaks nothing. One private
//! Tor network serves both.

mod private;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use private::{Client, Tor};

use crate::spaces::{Bitcoin, Node, Running, Space, mine};

/// Time for Tor to publish an onion service and to build circuits to it: some 20 s on an idle machine.
const TOR: Duration = Duration::from_secs(180);
const SOON: Duration = Duration::from_secs(60);

const MINER: &str = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx.a";

/// The machine of the proxy, as the hidden node sees it, and the hidden node.
const GATEWAY: &str = "10.9.0.1";
const HIDDEN: &str = "10.9.0.2";

/// Records where every packet of a machine goes.
struct Capture {
    _process: Running,
    path: PathBuf,
}

impl Capture {
    fn start(space: &Space, dir: &Path, name: &str) -> Self {
        let (script, path) = (dir.join("capture.py"), dir.join(name));
        fs::write(&script, include_str!("spaces/capture.py")).unwrap();
        let process = Running::start(space.command("python3").arg(&script), &path);
        let capture = Self { _process: process, path };
        while !capture.text().contains("capturing") {
            std::thread::sleep(Duration::from_millis(50));
        }
        capture
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    /// Address and port of every packet that left the machine, and of DNS questions to the machine itself.
    fn left_to(&self) -> BTreeSet<String> {
        self.text().lines().skip(1).map(str::to_owned).collect()
    }
}

fn onion_of(node: &mut Node<'_>) -> String {
    let seen = node.wait_for("an onion service", SOON, "peers", |answer| {
        answer["reachable"]["addresses"].as_array().is_some_and(|addresses| !addresses.is_empty())
    });
    assert_eq!(seen["reachable"]["how"], "onion");
    seen["reachable"]["addresses"][0].as_str().unwrap().to_owned()
}

/// True for a node that follows the share-chain.
fn has_links(answer: &serde_json::Value) -> bool {
    answer["height"].as_u64() > Some(2) && answer["sync"]["state"] == "synced"
}

/// Three nodes with `proxy_only`: two have onion services, the third dials one and finds the other by its record, from a
/// machine whose every packet is recorded. They exchange shares, and nothing but the proxy and the named bitcoind gets a packet, although the config
/// asks for everything that would leak. Without `proxy_only`, the same config leaks, and the same capture sees it.
#[test]
fn nodes_meet_over_onion_services_and_leak_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (machine, hidden) = machines();
    let clients = [
        Client { name: "one", socks: format!("{GATEWAY}:9050"), control: 9051 },
        Client { name: "two", socks: "127.0.0.1:9060".to_owned(), control: 9061 },
    ];
    let bitcoin = Bitcoin::start(&machine, dir, &format!("{GATEWAY}:38332"));
    let _tor = Tor::start(&machine, dir, &clients);

    let onion = |client: &Client| {
        format!("proxy_only = true\nproxy = \"{}\"\ntor_control = \"127.0.0.1:{}\"\n", client.socks, client.control)
    };
    let mut a = Node::start(&machine, dir, "a", &bitcoin, "new_pool = true", &onion(&clients[0]));
    let to_a = onion_of(&mut a);
    assert_key_is_kept(dir);
    let _miner = mine(&machine, dir, "miner", MINER, 200_000);
    let of_b = format!("{}onion_listen = \"127.0.0.1:3392\"\npeers = [\"{to_a}\"]", onion(&clients[1]));
    let mut b = Node::start_at((&machine, 3343, 3390), (dir, "b"), &bitcoin, "", &of_b);
    onion_of(&mut b);

    let leaky = |proxy_only: bool| {
        format!(
            "proxy_only = {proxy_only}\nproxy = \"{GATEWAY}:9050\"\nmdns = true\nupnp = true\n\
             peers = [\"{to_a}\", \"/ip4/45.1.1.1/tcp/3381\", \"/dns4/seed.shoal.example/tcp/3381\"]\n\
             [webhooks]\nurls = [\"http://hooks.shoal.example/\"]\nsecret = \"x\"\nevents = [\"start\", \"peers\", \"work\"]\n"
        )
    };
    let capture = Capture::start(&hidden, dir, "hidden.txt");
    let mut c = Node::start(&hidden, dir, "c", &bitcoin, "", &leaky(true));

    b.wait_for("shares over an onion service", TOR, "status", has_links);
    c.wait_for("shares at the hidden node", TOR, "status", has_links);
    let both = |answer: &serde_json::Value| answer["peers"].as_array().is_some_and(|peers| peers.len() == 2);
    let connected = c.wait_for("both onion services", TOR, "peers", both);
    assert_eq!(connected["peers"][0]["transport"], "onion", "{connected:#?}");
    let allowed: BTreeSet<String> = [format!("{GATEWAY} 9050"), format!("{GATEWAY} 38332")].into();
    assert_eq!(capture.left_to(), allowed);

    drop((c, capture));
    let capture = Capture::start(&hidden, dir, "leaky.txt");
    let mut leak = Node::start(&hidden, dir, "c", &bitcoin, "", &leaky(false));
    leak.wait_for("the leaky node", SOON, "status", |answer| answer["version"].is_string());
    std::thread::sleep(Duration::from_secs(8));
    let seen = capture.left_to();
    for leaked in ["45.1.1.1 3381", "224.0.0.251 5353", "239.255.255.250 1900"] {
        assert!(seen.contains(leaked), "{leaked}: {seen:#?}");
    }
    assert!(seen.iter().any(|to| to.ends_with(" 53")), "DNS: {seen:#?}");
}

fn machines() -> (Space, Space) {
    let machine = Space::new();
    let hidden = machine.beside();
    machine.cable(("in", &format!("{GATEWAY}/24")), &hidden, ("out", &format!("{HIDDEN}/24")));
    // The kernel's own neighbor discovery is no leak of the node.
    hidden.sh("echo 1 > /proc/sys/net/ipv6/conf/out/disable_ipv6");
    hidden.sh(&format!("ip route add default via {GATEWAY}"));
    (machine, hidden)
}

/// The key stays, for this user alone, so that the address does too.
fn assert_key_is_kept(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let key = dir.join("a/data/onion.key");
    assert!(fs::read_to_string(&key).unwrap().starts_with("ED25519-V3:"));
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
}
