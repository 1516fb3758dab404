//! A device that listens: every line from its node is a word, and so is a connection that is refused or closed, since then a device
//! turns to its next pool.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// An address of the test network.
const USER: &str = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx.listener";

/// Pause before the device connects again.
const RETRY: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy)]
struct Heard {
    last: Instant,
    longest: Duration,
}

impl Heard {
    fn word(&mut self) {
        self.longest = self.longest.max(self.last.elapsed());
        self.last = Instant::now();
    }
}

/// A device, from its first connection on.
pub(super) struct Listener {
    heard: Arc<Mutex<Heard>>,
    task: JoinHandle<()>,
}

impl Listener {
    pub(super) fn start(server: SocketAddr) -> Self {
        let heard = Arc::new(Mutex::new(Heard { last: Instant::now(), longest: Duration::ZERO }));
        let shared = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            loop {
                // Its end is a word, whatever the reason.
                let _ = listen(server, &shared).await;
                word(&shared);
                sleep(RETRY).await;
            }
        });
        Self { heard, task }
    }

    /// The longest time without a word.
    pub(super) fn longest(self) -> Duration {
        self.task.abort();
        word(&self.heard);
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).longest
    }
}

fn word(heard: &Mutex<Heard>) {
    heard.lock().unwrap_or_else(PoisonError::into_inner).word();
}

async fn listen(server: SocketAddr, heard: &Mutex<Heard>) -> std::io::Result<()> {
    let mut socket = TcpStream::connect(server).await?;
    let say = |id: u32, method: &str, params| format!("{}\n", json!({ "id": id, "method": method, "params": params }));
    socket.write_all(say(1, "mining.subscribe", json!(["chaos/1"])).as_bytes()).await?;
    socket.write_all(say(2, "mining.authorize", json!([USER, "x"])).as_bytes()).await?;
    let mut lines = BufReader::new(socket).lines();
    while lines.next_line().await?.is_some() {
        word(heard);
    }
    Ok(())
}
