//! Bitcoin headers that proofs wait for, looked up at the own bitcoind one after the other, beside the peers' task: a
//! bitcoind that answers slowly must not keep the chain waiting.

use bitcoin::BlockHash;
use p2p::PeerId;
use tokio::sync::mpsc;
use tracing::debug;

use crate::error::sentence;
use crate::exchange::Input;
use crate::headers::HeaderSource;
use crate::limits::HEADER_LOOKUPS_MAX;

/// A header that is looked up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lookup {
    hash: BlockHash,
    /// Who sent what waits for it.
    from: Option<PeerId>,
    /// Whether the share-chain has it now.
    found: bool,
}

impl From<Lookup> for Input {
    fn from(Lookup { hash, from, found }: Lookup) -> Self {
        Self::LookedUp { hash, from, found }
    }
}

/// The way to the task that looks headers up.
#[derive(Debug)]
pub(super) struct Lookups {
    questions: mpsc::Sender<Lookup>,
    answers: mpsc::Receiver<Lookup>,
}

impl Lookups {
    /// Starts the task; it ends when this value is dropped.
    pub(super) fn start(headers: HeaderSource) -> Self {
        let (questions, mut asked) = mpsc::channel::<Lookup>(HEADER_LOOKUPS_MAX);
        let (answer, answers) = mpsc::channel(HEADER_LOOKUPS_MAX);
        tokio::spawn(async move {
            while let Some(lookup) = asked.recv().await {
                let found = fetch(&headers, lookup.hash).await;
                if answer.send(Lookup { found, ..lookup }).await.is_err() {
                    return;
                }
            }
        });
        Self { questions, answers }
    }

    /// Asks for a header. Does not wait: the exchange asks for no more than the queue holds.
    pub(super) async fn ask(&self, hash: BlockHash, from: Option<PeerId>) {
        // Fails only when the node stops.
        let _ = self.questions.send(Lookup { hash, from, found: false }).await;
    }

    /// The next answer. Waits for ever when the task is gone, which happens only when the node stops.
    pub(super) async fn answer(&mut self) -> Lookup {
        match self.answers.recv().await {
            Some(lookup) => lookup,
            None => std::future::pending().await,
        }
    }
}

async fn fetch(headers: &HeaderSource, hash: BlockHash) -> bool {
    match headers.fetch(hash).await {
        Ok(found) => found,
        Err(error) => {
            debug!(%hash, error = sentence(&error), "a Bitcoin header cannot be looked up");
            false
        }
    }
}
