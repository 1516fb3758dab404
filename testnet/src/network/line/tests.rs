use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Line;

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// A server that echoes its input.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind(any_port()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = socket.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

async fn says_back(socket: &mut TcpStream, text: &[u8]) -> bool {
    let mut answer = vec![0; text.len()];
    socket.write_all(text).await.is_ok() && socket.read_exact(&mut answer).await.is_ok() && answer == text
}

#[tokio::test]
async fn passes_bytes_until_cut_and_again_after_healing() {
    let line = Line::start(any_port(), echo().await).await.unwrap();
    let mut before = TcpStream::connect(line.address()).await.unwrap();
    assert!(says_back(&mut before, b"one").await);

    line.set_open(false);
    let mut byte = [0];
    let closed = tokio::time::timeout(Duration::from_secs(5), before.read(&mut byte)).await.unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)), "a cut line closes its connections");
    let mut during = TcpStream::connect(line.address()).await.unwrap();
    assert!(!says_back(&mut during, b"two").await, "a cut line passes nothing");

    line.set_open(true);
    let mut after = TcpStream::connect(line.address()).await.unwrap();
    assert!(says_back(&mut after, b"three").await);
}
