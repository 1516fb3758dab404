//! Dials the configured peers: a node that reaches none of them hands out no work.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Finding, bad, good};
use crate::config::Config;
use crate::connection_words::of_io;

/// Time limit for one peer to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// The first message of both sides of a libp2p connection, with its length in front.
const HELLO: &[u8] = b"\x13/multistream/1.0.0\n";

/// What became of one peer.
enum Dialed {
    Answers,
    Fails(&'static str),
    /// This check does not speak its transport.
    Untried,
}

/// Dials all configured peers at once.
pub(super) async fn peers(config: &Config) -> Finding {
    let configured = &config.p2p.peers;
    if configured.is_empty() {
        return none_configured(config);
    }
    let mut dialing = JoinSet::new();
    // Only the proxy may see what this node connects to.
    let may_dial = !config.p2p.proxy_only();
    for (place, peer) in configured.iter().cloned().enumerate() {
        dialing.spawn(async move { (place, if may_dial { dial(&peer).await } else { Dialed::Untried }) });
    }
    let mut dialed: Vec<_> = dialing.join_all().await;
    dialed.sort_by_key(|(place, _)| *place);
    let count = |wanted: fn(&Dialed) -> bool| dialed.iter().filter(|(_, became)| wanted(became)).count();
    let answering = count(|became| matches!(became, Dialed::Answers));
    let untried = count(|became| matches!(became, Dialed::Untried));
    let failures = configured.iter().zip(&dialed).filter_map(|(peer, (_, became))| match became {
        Dialed::Answers => None,
        Dialed::Fails(why) => Some(format!("{peer}: {why}")),
        Dialed::Untried => Some(format!("{peer}: not tried, since it is not reached by plain TCP")),
    });
    let failures: Vec<_> = failures.collect();
    let (total, rest) = (configured.len(), failures.join("; "));
    match (answering, untried) {
        (0, 0) => bad(
            "peers",
            format!("no configured peer answers, so this node would hand out no work; check `p2p.peers`: {rest}"),
        ),
        (0, _) => good("peers", format!("none of {total} was reached: {rest}")),
        _ if failures.is_empty() => good("peers", format!("{answering} of {total} answer")),
        _ => good("peers", format!("{answering} of {total} answer; {rest}")),
    }
}

fn none_configured(config: &Config) -> Finding {
    if config.new_pool {
        return good("peers", "none configured: this node starts a new pool, and hands out work alone");
    }
    if config.p2p.discover && !(config.p2p.seeds.is_empty() && config.p2p.dns_seeds.is_empty()) {
        return good("peers", "none configured: seeds name nodes of the pool, and without one there is no work");
    }
    if config.p2p.mdns {
        return good(
            "peers",
            "none configured: nodes of the local network are found by mDNS, and without one there is no work",
        );
    }
    bad(
        "peers",
        "none configured, so this node finds no pool and hands out no work; name at least one node in `p2p.peers`, or set \
         `new_pool = true` for the first node of a new pool",
    )
}

async fn dial(peer: &str) -> Dialed {
    let Some((host, port)) = tcp_of(peer) else { return Dialed::Untried };
    match timeout(ANSWER, greet(&host, port)).await {
        Ok(Ok(())) => Dialed::Answers,
        Ok(Err(why)) => Dialed::Fails(why),
        Err(_) => Dialed::Fails("no answer came in time"),
    }
}

/// Host and port of a multiaddr over plain TCP.
fn tcp_of(peer: &str) -> Option<(String, u16)> {
    let parts: Vec<&str> = peer.split('/').skip(1).collect();
    match parts.as_slice() {
        ["ip4" | "ip6" | "dns" | "dns4" | "dns6", host, "tcp", port]
        | ["ip4" | "ip6" | "dns" | "dns4" | "dns6", host, "tcp", port, "p2p", _] => {
            Some(((*host).to_owned(), port.parse().ok()?))
        }
        _ => None,
    }
}

/// Connects, and exchanges the first message of libp2p.
async fn greet(host: &str, port: u16) -> Result<(), &'static str> {
    let found: Result<Vec<SocketAddr>, io::Error> = lookup_host((host, port)).await.map(Iterator::collect);
    let addresses = found.map_err(|_| "its name is unknown")?;
    let unreachable = |error: io::Error| of_io(&error).unwrap_or("it cannot be reached");
    let mut stream = TcpStream::connect(addresses.as_slice()).await.map_err(unreachable)?;
    stream.write_all(HELLO).await.map_err(unreachable)?;
    let mut hello = [0; HELLO.len()];
    stream.read_exact(&mut hello).await.map_err(unreachable)?;
    if hello == HELLO { Ok(()) } else { Err("something other than a node answers there") }
}

#[cfg(test)]
mod tests {
    use super::tcp_of;

    #[test]
    fn what_is_dialed_is_read_from_multiaddrs() {
        for (peer, found) in [
            ("/ip4/192.0.2.7/tcp/3381", Some(("192.0.2.7", 3381))),
            ("/ip6/2001:db8::7/tcp/3381", Some(("2001:db8::7", 3381))),
            ("/dns4/node.example/tcp/3381/p2p/12D3KooWx", Some(("node.example", 3381))),
            ("/ip4/192.0.2.7/udp/3381/quic-v1", None),
            ("/onion3/abc:3381", None),
            ("/ip4/192.0.2.7/tcp/1/p2p/a/p2p-circuit/p2p/b", None),
            ("", None),
        ] {
            assert_eq!(tcp_of(peer), found.map(|(host, port)| (host.to_owned(), port)), "{peer}");
        }
    }
}
