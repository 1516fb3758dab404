//! Answers requests of peers, one after the other, from the published view of the chain and from the store.

use std::sync::Arc;

use node_core::exchange::serve;
use p2p::Handle;
use p2p_proto::{Command, ReplyToken, Request};
use tokio::sync::mpsc;
use tracing::debug;

use crate::consensus::ChainReader;
use crate::limits::SERVE_QUEUE;
use crate::store::Store;

/// Handle of the answering task.
#[derive(Debug)]
pub struct Server(mpsc::Sender<(ReplyToken, Request)>);

/// The answering task.
#[derive(Debug)]
pub struct ServerTask(mpsc::Receiver<(ReplyToken, Request)>);

impl Server {
    /// A handle with a queue of [`SERVE_QUEUE`] requests, and the task to run once there is a chain.
    #[must_use]
    pub fn new() -> (Self, ServerTask) {
        let (queue, asked) = mpsc::channel(SERVE_QUEUE);
        (Self(queue), ServerTask(asked))
    }

    /// Queues a request. Returns false if the queue is full, so that the peer asks elsewhere.
    pub(crate) fn ask(&self, token: ReplyToken, request: Request) -> bool {
        let queued = self.0.try_send((token, request)).is_ok();
        if !queued {
            debug!("too many peer requests are waiting; one is rejected");
        }
        queued
    }
}

impl ServerTask {
    /// Runs until its [`Server`] or the network is gone.
    pub async fn run(mut self, reader: ChainReader, store: Arc<Store>, network: Handle) {
        while let Some((token, request)) = self.0.recv().await {
            let (chain, store) = (reader.chain(), Arc::clone(&store));
            let reading = tokio::task::spawn_blocking(move || serve::begin(request, &chain, &store).finish());
            let response = reading.await.expect("reading chain and store does not panic");
            if network.send(Command::Reply { token, response }).await.is_err() {
                return;
            }
        }
    }
}
