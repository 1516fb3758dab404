//! Miners that exceed a server's limits.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

/// Connections of a flood.
const CONNECTIONS: u8 = 20;
/// Lines per connection: more than a server accepts in a burst.
const LINES: usize = 20_000;
/// Longest time until the server has closed them.
const PATIENCE: Duration = Duration::from_secs(60);

/// Floods the server from several connections. Returns how many of them it closed.
pub(super) async fn run(server: SocketAddr) -> io::Result<usize> {
    let mut tasks = JoinSet::new();
    for host in 0..CONNECTIONS {
        // Each with an address of its own: connections of one address wait in line for each other.
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 2, host), 0)))?;
        let (mut read, mut write) = socket.connect(server).await?.into_split();
        tasks.spawn(async move {
            let lines = "{\"id\":1,\"method\":\"mining.ping\"}\n".repeat(LINES);
            let send = async {
                // Ends when the server has closed the connection.
                let _ = write.write_all(lines.as_bytes()).await;
                std::future::pending::<()>().await;
            };
            let mut answers = tokio::io::sink();
            tokio::select! {
                () = send => {}
                _ = tokio::io::copy(&mut read, &mut answers) => {}
            }
            // Nothing more comes, whether the end was orderly or not.
            matches!(read.read(&mut [0; 1]).await, Ok(0) | Err(_))
        });
    }
    let closed = tokio::time::timeout(PATIENCE, tasks.join_all()).await;
    Ok(closed.map_or(0, |closed| closed.into_iter().filter(|is_closed| *is_closed).count()))
}
