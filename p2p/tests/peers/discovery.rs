//! Discovery over real sockets: a DNS seed on a real name server, in a separate network namespace.

use std::process::{Command, Stdio};
use std::time::Duration;

use p2p::{Config, Discover, Handle, Network};
use p2p_proto::book::Book;
use p2p_proto::{Event, PeerId};
use tokio::sync::mpsc;

use crate::common::config;

const SEED_PORT: u16 = 3_381;

fn discover(number: u8, dns_seeds: &[&str]) -> Config {
    Config {
        discovery: Some(Discover {
            book: Book::new([number; 32], [number; 16]),
            external: Vec::new(),
            seeds: Vec::new(),
            dns_seeds: dns_seeds.iter().map(ToString::to_string).collect(),
        }),
        ..config(number, &[]).config
    }
}

async fn connects(events: &mut mpsc::Receiver<Event>, peer: PeerId) {
    let connected = async {
        loop {
            match events.recv().await.unwrap() {
                Event::PeerConnected { peer: other, .. } if other == peer => return,
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), connected).await.expect("the seed is found");
}

/// Runs in the namespace: a seed, and a node that knows only the seed's name.
#[tokio::test]
#[ignore = "runs in a namespace that `a_dns_seed_is_looked_up_and_dialed` makes"]
async fn in_the_namespace() {
    let listen = vec![format!("/ip4/127.0.0.1/tcp/{SEED_PORT}")];
    let (seed, mut seed_events): (Handle, _) = Network::start(Config { listen, ..discover(1, &[]) }).unwrap();
    // The first name does not exist, which does no harm.
    let names = ["nowhere.shoal.test", "seed.shoal.test"];
    let (node, mut events) = Network::start(discover(2, &names)).unwrap();
    tokio::spawn(async move { while seed_events.recv().await.is_some() {} });
    connects(&mut events, seed.local_peer()).await;
    let info = node.discovery().await.unwrap();
    assert_eq!(info.numbers.outbound, 1);
}

#[test]
fn a_dns_seed_is_looked_up_and_dialed() {
    // Debian's dnsmasq is the machine's only name server. It also names a node that does not exist, and values that are
    // not addresses.
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("resolv.conf"), "nameserver 127.0.0.1\n").unwrap();
    let script = format!(
        "set -e\n\
         PATH=$PATH:/usr/sbin:/sbin\n\
         ip link set lo up\n\
         mount --bind {dir}/resolv.conf \"$(readlink -f /etc/resolv.conf)\"\n\
         dnsmasq --conf-file=/dev/null --no-daemon --user=root --no-resolv --no-hosts --pid-file= --local=/test/ \
           --listen-address=127.0.0.1 --bind-interfaces \
           --txt-record=_dnsaddr.seed.shoal.test,dnsaddr=/ip4/127.0.0.1/tcp/{SEED_PORT} \
           --txt-record=_dnsaddr.seed.shoal.test,dnsaddr=/ip4/127.0.0.1/tcp/1 \
           --txt-record=_dnsaddr.seed.shoal.test,dnsaddr=/dnsaddr/seed.shoal.test \
           --txt-record=_dnsaddr.seed.shoal.test,v=spf1 &\n\
         server=$!\n\
         sleep 1\n\
         result=0\n\
         \"$0\" --exact discovery::in_the_namespace --ignored --nocapture || result=$?\n\
         kill $server\n\
         exit $result\n",
        dir = dir.path().display()
    );
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "--mount", "bash", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    assert!(String::from_utf8_lossy(&said).contains("1 passed"), "{}", String::from_utf8_lossy(&said));
}
