use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, BufWriter};
use tokio::sync::watch;
use tokio_util::codec::LinesCodec;

use super::*;

const LONG: Duration = Duration::from_secs(5);

fn socket(reader: Reader, writer: Writer) -> Socket<LinesCodec> {
    let phases = watch::Sender::default();
    Socket::new((reader, writer), LinesCodec::new(), phases.subscribe(), Timeouts::default())
}

/// TLS takes a whole job of a wide pool, though a slow line has no room for it. Its device got the end with the next job.
#[tokio::test]
async fn the_end_of_a_job_does_not_wait_for_the_next_one() {
    let (server, mut miner) = tokio::io::duplex(64);
    let (read, write) = tokio::io::split(server);
    let mut socket = socket(Box::new(read), Box::new(BufWriter::with_capacity(1_024, write)));
    let (job, mut received) = ([7; 500], [0; 500]);
    let (written, read) = tokio::join!(
        tokio::time::timeout(LONG, socket.write(job.as_slice())),
        tokio::time::timeout(LONG, miner.read_exact(&mut received))
    );
    assert!(written.is_ok_and(|written| written.is_ok()) && read.is_ok_and(|read| read.is_ok()));
    assert_eq!(received, job);
}

/// A connection that comes as the server stops is closed like all others.
#[tokio::test]
async fn a_connection_that_comes_late_hears_that_the_server_stops() {
    let phases = watch::Sender::new(Phase::Stopping);
    let halves: (Reader, Writer) = (Box::new(tokio::io::empty()), Box::new(tokio::io::sink()));
    let mut socket = Socket::new(halves, LinesCodec::new(), phases.subscribe(), Timeouts::default());
    assert!(matches!(socket.next().await, Event::Stop));
}

/// An output that never closes.
struct Stuck;

impl AsyncWrite for Stuck {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// A miner that stops reading before TLS says goodbye would keep its place on the server.
#[tokio::test]
async fn a_miner_that_does_not_read_the_goodbye_is_left() {
    let mut socket = socket(Box::new(tokio::io::empty()), Box::new(Stuck));
    assert!(tokio::time::timeout(LONG, socket.linger()).await.is_ok());
}
