//! One miner's connection: it reads jobs, finds easy proofs when told to, and submits them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bitcoin::hashes::Hash;
use bitcoin::{Address, Network, ScriptBuf, WPubkeyHash};
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::time::Instant;

use super::wire::{News, Wire};
use super::{Command, Fleet};

/// Factor by which proofs must miss the share target: a share costs the node much more than a submit.
pub(super) const BELOW_SHARE: f64 = 64.0;

/// Longest time from the last submit to its answer.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Connection<W: Wire> {
    number: usize,
    fleet: Arc<Fleet>,
    wire: W,
    prepared: Vec<W::Share>,
}

/// Submits under way.
struct Submitting<S> {
    began: Instant,
    within: Duration,
    shares: std::vec::IntoIter<S>,
    sent: u64,
    accepted: u64,
    answered: u64,
}

impl<W: Wire> Connection<W> {
    /// Connects from one of the loopback addresses, and waits for the first job.
    pub(super) async fn open(number: usize, fleet: Arc<Fleet>) -> io::Result<Self> {
        let handshake = fleet.handshakes.acquire().await.map_err(io::Error::other)?;
        let host = u8::try_from(number % usize::from(fleet.args.addresses.max(1))).unwrap_or(0);
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 1, host), 0)))?;
        let stream = socket.connect(fleet.args.server).await?;
        stream.set_nodelay(true)?;
        let user = format!("{}.{number}", account(number as u32 % fleet.args.accounts.max(1)));
        let wire = W::open(stream, &user).await?;
        let mut connection = Self { number, fleet: Arc::clone(&fleet), wire, prepared: Vec::new() };
        while connection.wire.tip().is_empty() {
            connection.read().await?;
        }
        drop(handshake);
        fleet.ready();
        Ok(connection)
    }

    /// Runs until the node closes the connection.
    pub(super) async fn run(mut self, mut commands: watch::Receiver<Option<Command>>) -> io::Result<()> {
        let mut submitting: Option<Submitting<W::Share>> = None;
        loop {
            let next = submitting.as_ref().map(|submitting| submitting.next(self.number, self.fleet.args.connections));
            tokio::select! {
                read = self.read() => {
                    if let (Some(accepted), Some(submitting)) = (read?, &mut submitting) {
                        submitting.answered += 1;
                        submitting.accepted += u64::from(accepted);
                    }
                }
                changed = commands.changed() => match changed.ok().and_then(|()| *commands.borrow_and_update()) {
                    Some(Command::Prepare { count, of, part }) => self.prepare(count, self.number % of.max(1) == part)?,
                    Some(Command::Submit { within_ms }) => submitting = Some(self.begin(within_ms)),
                    Some(Command::Leave) | None => return Ok(()),
                },
                () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    if let Some(share) = submitting.as_mut().and_then(|submitting| submitting.shares.next()) {
                        self.wire.submit(share).await?;
                    }
                }
            }
            if let Some(done) = submitting.take_if(|submitting| submitting.is_done()) {
                self.fleet.submitted(done.accepted, done.sent - done.accepted);
            }
        }
    }

    /// Reads a message. Returns whether a submit was accepted, if it is the answer to one.
    async fn read(&mut self) -> io::Result<Option<bool>> {
        match self.wire.read().await? {
            News::Answer(accepted) => return Ok(Some(accepted)),
            News::Tip(bytes) => self.fleet.tip(self.wire.tip(), bytes),
            News::Other => {}
        }
        Ok(None)
    }

    /// Finds proofs for the newest job.
    fn prepare(&mut self, count: u32, takes_part: bool) -> io::Result<()> {
        self.prepared.clear();
        if takes_part {
            self.prepared = self.wire.find(count as usize)?;
        }
        self.fleet.prepared(self.prepared.len() as u64);
        Ok(())
    }

    fn begin(&mut self, within_ms: u64) -> Submitting<W::Share> {
        let shares = std::mem::take(&mut self.prepared);
        Submitting {
            began: Instant::now(),
            within: Duration::from_millis(within_ms),
            sent: shares.len() as u64,
            shares: shares.into_iter(),
            accepted: 0,
            answered: 0,
        }
    }
}

impl<S> Submitting<S> {
    /// When the next submit is due, or patience ends.
    fn next(&self, number: usize, connections: usize) -> Instant {
        let left = self.shares.len() as u64;
        if left == 0 {
            return self.began + self.within + PATIENCE;
        }
        let place = (self.sent - left) as f64 + number as f64 / connections as f64;
        self.began + self.within.mul_f64(place / self.sent as f64)
    }

    fn is_done(&self) -> bool {
        self.answered == self.sent || self.began.elapsed() >= self.within + PATIENCE
    }
}

/// The address of an account: unowned, but valid on the test network.
pub(in crate::scale) fn account(number: u32) -> String {
    let mut bytes = [7; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    let script = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(bytes));
    Address::from_script(&script, Network::Signet).map(|address| address.to_string()).unwrap_or_default()
}
