//! Bytes on the TCP port that are not libp2p: the node only closes the connection, and keeps serving peers.

use std::time::Duration;

use p2p::StartError;
use p2p_proto::{Command, Request, Response, sync::RequestId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::{Node, config};

/// `ip:port` of a multiaddress.
fn socket(addr: &str) -> String {
    let parts: Vec<_> = addr.split('/').collect();
    format!("{}:{}", parts[2], parts[4])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_oversized_and_half_messages_only_close() {
    let mut honest = Node::start(config(1, &[])).await;
    let target = socket(&honest.addr);
    let multistream = b"\x13/multistream/1.0.0\n".to_vec();
    let noise = [multistream.clone(), b"\x07/noise\n".to_vec()].concat();
    let attacks: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 1 << 20],
        vec![0; 65_536],
        // A length of gigabytes with nothing after it.
        b"\xff\xff\xff\xff\x0f".to_vec(),
        multistream[..7].to_vec(),
        [noise.clone(), vec![0xff; 70_000]].concat(),
        [noise, b"\x00\x20".to_vec()].concat(),
    ];
    for attack in &attacks {
        let mut stream = TcpStream::connect(&target).await.unwrap();
        // The node may close before it has read everything.
        let _ = stream.write_all(attack).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let read = timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "still open after {} bytes", attack.len());
        assert!(answer.len() < 256, "a short answer at most");
    }
    // Some connections stay open and send nothing.
    let _silent: Vec<_> = futures::future::join_all((0..40).map(|_| TcpStream::connect(&target))).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(_silent);

    let mut peer = Node::start(config(2, &[&honest.addr])).await;
    peer.wait_for_peers(1).await;
    peer.send(Command::Request { peer: honest.id(), id: RequestId(1), request: Request::Pending }).await;
    let (token, ..) = honest.next_request().await;
    honest.send(Command::Reply { token, response: Response::Pending(Vec::new()) }).await;
    assert!(peer.next_response().await.1.is_ok());
    assert_eq!(honest.handle.peers().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_asks_too_fast_is_refused() {
    let mut asked = Node::start(config(3, &[])).await;
    let mut asking = Node::start(config(4, &[&asked.addr])).await;
    asking.wait_for_peers(1).await;
    let (mut answered, mut refused) = (0, 0);
    for round in 0..60 {
        asking.send(Command::Request { peer: asked.id(), id: RequestId(round), request: Request::Pending }).await;
        if asked.hears_request(Duration::from_millis(300)).await {
            answered += 1;
        } else {
            refused += 1;
        }
        if answered > 10 && refused > 3 {
            return;
        }
    }
    panic!("{answered} answered, {refused} refused");
}

#[tokio::test]
async fn unusable_addresses_are_refused_with_their_text() {
    for text in ["", "127.0.0.1:80", "/ip4/127.0.0.1", "/ip4/127.0.0.1/udp/5", "/dns4/example.org/tcp/5", "/memory/5"] {
        let mut bad = config(5, &[]);
        bad.config.listen = vec![text.to_owned()];
        let error = p2p::Network::start(bad.config).err().unwrap();
        assert!(matches!(&error, StartError::Address { address } if address == text), "{error}");
    }
}
