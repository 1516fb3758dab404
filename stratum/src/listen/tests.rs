use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::listen;
use crate::limits;

/// The kernel answers them before the server has accepted any; those beyond the queue wait a second or more.
#[tokio::test]
async fn devices_that_connect_in_the_same_moment_fill_no_queue() {
    let socket = listen((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
    let address = socket.local_addr().expect("a bound socket");
    let connecting: JoinSet<_> = (0..400).map(|_| TcpStream::connect(address)).collect();
    let connected = tokio::time::timeout(Duration::from_millis(900), connecting.join_all()).await;
    assert!(connected.expect("the queue has room").into_iter().all(|socket| socket.is_ok()));
}

/// 300 miners that stopped reading jobs of a wide pool took 0.8 GB of the kernel's memory.
#[tokio::test]
async fn miners_that_do_not_read_take_bounded_memory_of_the_kernel() {
    let socket = listen((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
    let address = socket.local_addr().expect("a bound socket");
    let (miner, accepted) = tokio::join!(TcpStream::connect(address), socket.accept());
    let (_miner, (served, _)) = (miner.expect("a connection"), accepted.expect("a connection"));
    let served = TcpSocket::from_std_stream(served.into_std().expect("a socket"));
    // Linux counts its own overhead as the same again.
    assert!(served.send_buffer_size().expect("a size") <= 2 * limits::SEND_BUFFER_BYTES);
    assert!(served.recv_buffer_size().expect("a size") <= 2 * limits::RECEIVE_BUFFER_BYTES);
}
