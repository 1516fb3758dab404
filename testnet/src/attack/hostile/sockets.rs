//! Attacks by connections and streams.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::AsyncWriteExt;
use futures::future::join_all;
use p2p_proto::limits::INBOUND_PER_HOST_MAX;
use tokio::io::AsyncReadExt;
use tokio::net::TcpSocket;

use super::client::{Client, Over};
use super::context::{Context, count};
use super::wire;

/// Size of the largest gossip message of any version, bytes: a full Bitcoin block.
const BLOCK_BYTES_MAX: usize = 4_000_000;

/// Pause before a closed connection is opened again.
const PAUSE: Duration = Duration::from_millis(100);

/// Number of silent TCP connections: more than may be in handshake.
const SILENT: usize = 160;

/// Number of idle connections: as many as a host may have, from each of 32.
const IDLE: usize = 32 * INBOUND_PER_HOST_MAX;

/// Streams whose names never end, so that the node waits for them: as many as it negotiates at the same time.
const UNNAMED_STREAMS: usize = 128;

/// Streams that wait for those.
const WAITING_STREAMS: usize = 120;

/// Bytes on each: together the window of a connection.
const WAITING_BYTES: usize = 125_000;

/// Opens TCP connections, says nothing, and comes back.
pub(super) async fn silent(context: Context) -> io::Result<()> {
    let one = |_| async {
        loop {
            let socket = TcpSocket::new_v4()?;
            socket.bind((context.from(0, 1), 0).into())?;
            match socket.connect(context.target.node).await {
                Ok(mut stream) => {
                    count(&context.counts().connections);
                    // Until the node closes it.
                    while stream.read(&mut [0; 256]).await.is_ok_and(|read| read > 0) {}
                }
                Err(_) => count(&context.counts().refused),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    join_all((0..SILENT).map(one)).await.into_iter().collect()
}

/// Takes every slot with connections that do nothing at all.
pub(super) async fn slots(context: Context) -> io::Result<()> {
    let one = |number| {
        let context = &context;
        async move {
            loop {
                context.connect(context.from(number, 32), Over::Tcp).await.closed().await;
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    join_all((0..IDLE).map(one)).await;
    Ok(())
}

/// Sends halves of large gossip messages.
pub(super) async fn half_messages(context: Context) -> io::Result<()> {
    let half = [wire::varint(BLOCK_BYTES_MAX), vec![0x12; BLOCK_BYTES_MAX / 2]].concat();
    let one = |number| {
        let (context, half) = (&context, &half);
        async move {
            loop {
                let client = context.connect(context.from(number, 12), Over::Tcp).await;
                if let Ok(mut stream) = client.open_gossip().await
                    && stream.write_all(half).await.is_ok()
                    && stream.flush().await.is_ok()
                {
                    count(&context.counts().messages);
                    client.closed().await;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    join_all((0..90).map(one)).await;
    Ok(())
}

/// Fills the windows of QUIC connections.
pub(super) async fn quic_windows(context: Context) -> io::Result<()> {
    let one = |number| {
        let context = &context;
        async move {
            loop {
                let client = context.connect(context.from(number, 4), Over::Quic).await;
                if fill(&client, context).await.is_ok() {
                    client.closed().await;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    join_all((0..30).map(one)).await;
    Ok(())
}

async fn fill(client: &Client, context: &Context) -> io::Result<()> {
    let mut unnamed = Vec::with_capacity(UNNAMED_STREAMS);
    for _ in 0..UNNAMED_STREAMS {
        let mut stream = client.open_raw().await?;
        stream.write_all(&[19]).await?;
        stream.flush().await?;
        unnamed.push(stream);
    }
    let junk = vec![0x55; WAITING_BYTES];
    let fill_one = |_| async {
        let mut stream = client.open_raw().await?;
        stream.write_all(&junk).await?;
        stream.flush().await?;
        count(&context.counts().messages);
        // Waits until the node closes the connection.
        client.closed().await;
        Ok::<_, io::Error>(())
    };
    // Streams past the node's limit are never opened.
    let filled = join_all((0..WAITING_STREAMS).map(fill_one));
    tokio::select! {
        _ = filled => {}
        () = client.closed() => {}
    }
    Ok(())
}

/// Shakes hands and leaves.
pub(super) async fn handshakes(context: Context) -> io::Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / 453);
    let mut going = tokio::task::JoinSet::new();
    for number in 0.. {
        ticks.tick().await;
        while going.try_join_next().is_some() {}
        // What the node refuses or delays does not pile up here.
        if going.len() >= 512 {
            continue;
        }
        let context = context.clone();
        going.spawn(async move {
            let counts = context.counts();
            match Client::connect(&context.target, context.from(number, 16), Over::Tcp).await {
                Ok(_) => count(&counts.connections),
                Err(_) => count(&counts.refused),
            }
        });
    }
    Ok(())
}

/// Writes junk on every stream of a connection.
pub(super) async fn junk_streams(context: Context) -> io::Result<()> {
    let junk: Vec<u8> = (0..65_536_u32).map(|number| (number.wrapping_mul(0x9e37_79b1) >> 24) as u8).collect();
    loop {
        let client = Arc::new(context.connect(context.from(0, 1), Over::Tcp).await);
        let one = |_| async {
            while !client.is_closed() {
                let Ok(mut stream) = client.open_raw().await else { return };
                while stream.write_all(&junk).await.is_ok() {
                    count(&context.counts().messages);
                }
            }
        };
        join_all((0..64).map(one)).await;
    }
}
