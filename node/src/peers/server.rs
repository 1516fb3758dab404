//! Requests of peers, answered one after the other from the published chain and the store.

use std::sync::Arc;

use node_core::exchange::serve;
use p2p::Handle;
use p2p_proto::{Command, ReplyToken, Request};
use tokio::sync::mpsc;
use tracing::debug;

use crate::consensus::ChainReader;
use crate::limits::SERVE_QUEUE;
use crate::store::Store;

/// The way to the task that answers.
#[derive(Debug)]
pub struct Server(mpsc::Sender<(ReplyToken, Request)>);

/// The task that answers.
#[derive(Debug)]
pub struct ServerTask(mpsc::Receiver<(ReplyToken, Request)>);

impl Server {
    /// A queue for [`SERVE_QUEUE`] requests, and the task that answers them, to be run once there is a chain.
    #[must_use]
    pub fn new() -> (Self, ServerTask) {
        let (queue, asked) = mpsc::channel(SERVE_QUEUE);
        (Self(queue), ServerTask(asked))
    }

    /// Hands over a request; one that finds no room is refused by not being answered.
    pub(crate) fn ask(&self, token: ReplyToken, request: Request) {
        if self.0.try_send((token, request)).is_err() {
            debug!("too many requests of peers wait: one is refused");
        }
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
