//! Fresh nodes join a pool over real sockets, under main's constants: from one peer, and beside peers that are silent,
//! refuse, delay or lie.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use p2p::Network;
use p2p_proto::message::TipInfo;
use p2p_proto::{Command, Event, Request, Response};
use sharechain::{ChainParams, Height, ShareId, U256, Work};
use testnet::scale::{self, SyncBench, WindowOptions};

/// Links of the chain in `make test`: more than are judged below the tip, so that a newcomer starts from verified rows.
const LINKS: u32 = 3_000;

/// How a bad peer answers.
#[derive(Clone, Copy, Debug)]
enum Bad {
    /// It claims more work than anybody, and shows nothing.
    Claims,
    /// It claims more work than anybody, and shows an empty chain.
    Empty,
    /// It claims more work than anybody, and says so only after seconds.
    Slow,
}

/// Starts a bad peer. Returns its address.
async fn start_bad(number: u8, kind: Bad) -> String {
    let config = p2p::Config {
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        ..p2p::Config::bare([number; 32], ChainParams::rehearsal().consensus_id())
    };
    let (handle, mut events) = Network::start(config).unwrap();
    let address = loop {
        if let Event::Listening(address) = events.recv().await.unwrap() {
            break address;
        }
    };
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            let Event::Request { token, request, .. } = event else { continue };
            let Some(response) = answer(kind, &request) else { continue };
            if matches!(kind, Bad::Slow) {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            if handle.send(Command::Reply { token, response }).await.is_err() {
                return;
            }
        }
    });
    address
}

fn answer(kind: Bad, request: &Request) -> Option<Response> {
    let more = 100_000 + u32::try_from(request.encode().len()).unwrap();
    match (request, kind) {
        (Request::Tip, _) => Some(Response::Tip(TipInfo {
            tip: ShareId([9; 32]),
            height: Height(more),
            work: Work(U256::MAX >> 1),
            lowest_shown: Height(1),
            bitcoin_height: 1_060_000,
            user_agent: "bad/1".to_owned(),
        })),
        (Request::LinkHeaders { .. }, Bad::Empty | Bad::Slow) => {
            Some(Response::LinkHeaders { proofs: Vec::new(), more: false })
        }
        (Request::Beginning, Bad::Empty | Bad::Slow) => {
            Some(Response::Beginning { first: Height(1), bytes: Vec::new() })
        }
        _ => None,
    }
}

/// Where made chains stay for later runs.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("windows")
}

async fn join(links: u32, others: &[String]) -> SyncBench {
    let options = WindowOptions { links, scripts: 500 };
    let shoal = Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("shoal");
    let found = scale::sync(options, (&shoal, others), &cache(), &mut std::io::stderr()).await.unwrap();
    println!("{links} links, {} other peers: {found:?}", others.len());
    assert_eq!(found.links, links);
    assert!(found.received_bytes > u64::from(links) * 360, "it fetched the chain");
    found
}

/// Chains of these lengths from exactly one peer: `SHOAL_SYNC_LINKS=500,20000`.
fn lengths() -> Vec<u32> {
    let text = std::env::var("SHOAL_SYNC_LINKS").unwrap_or_else(|_| format!("500,{LINKS}"));
    text.split(',').map(|links| links.parse().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_with_one_peer_gets_in_sync() {
    for links in lengths() {
        join(links, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_peers_keep_no_newcomer_out() {
    // One takes connections and says nothing, one does not even listen.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut others = Vec::new();
    for address in [silent.local_addr().unwrap(), refusing] {
        others.push(format!("/ip4/{}/tcp/{}", address.ip(), address.port()));
    }
    for (number, kind) in [(1, Bad::Claims), (2, Bad::Empty), (3, Bad::Slow)] {
        others.push(start_bad(number, kind).await);
    }
    let found = join(LINKS, &others).await;
    // A peer that shows nothing costs its slot after 10 s, and a choice waits for 20 s.
    assert!(found.first_work_s < 120.0, "{} s", found.first_work_s);
}
