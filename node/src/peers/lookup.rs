//! Looks up Bitcoin headers that proofs wait for in bitcoind, one after the other, so that a slow bitcoind does not
//! block the chain.

use bitcoin::BlockHash;
use node_core::exchange::Input;
use node_core::limits::HEADER_LOOKUPS_MAX;
use node_core::sentence;
use p2p_proto::PeerId;
use tokio::sync::mpsc;
use tracing::debug;

use crate::headers::HeaderSource;

/// A header to look up.
#[derive(Clone, Copy, Debug)]
struct Lookup {
    hash: BlockHash,
    /// The peer that sent the proof waiting for it; none if unknown.
    from: Option<PeerId>,
}

/// Handle of the lookup task.
#[derive(Debug)]
pub struct Lookups {
    questions: mpsc::Sender<Lookup>,
    answers: mpsc::Receiver<Input>,
}

impl Lookups {
    /// A handle with a queue of [`HEADER_LOOKUPS_MAX`] lookups, and the task to run once there is a source.
    #[must_use]
    pub fn new() -> (Self, LookupTask) {
        let (questions, asked) = mpsc::channel(HEADER_LOOKUPS_MAX);
        let (answer, answers) = mpsc::channel(HEADER_LOOKUPS_MAX);
        (Self { questions, answers }, LookupTask { asked, answer })
    }

    /// Queues a lookup. The exchange never has more than [`HEADER_LOOKUPS_MAX`] at a time, so there is room.
    pub(crate) fn ask(&self, hash: BlockHash, from: Option<PeerId>) {
        if self.questions.try_send(Lookup { hash, from }).is_err() {
            debug!(%hash, "a Bitcoin header is not looked up; the node is stopping, or too many lookups are waiting");
        }
    }

    /// The next answer. Waits forever once the task is gone, which happens only when the node stops.
    pub(crate) async fn answer(&mut self) -> Input {
        match self.answers.recv().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

/// The lookup task.
#[derive(Debug)]
pub struct LookupTask {
    asked: mpsc::Receiver<Lookup>,
    answer: mpsc::Sender<Input>,
}

impl LookupTask {
    /// Runs until its [`Lookups`] is gone.
    pub async fn run(mut self, headers: HeaderSource) {
        while let Some(Lookup { hash, from }) = self.asked.recv().await {
            let found = fetch(&headers, hash).await;
            if self.answer.send(Input::LookedUp { hash, from, found }).await.is_err() {
                return;
            }
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
