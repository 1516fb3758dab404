//! Requests of peers, answered one after the other beside the exchange: a slow disk must not keep the chain waiting.

use p2p::{Command, Handle, ReplyToken, Request, Response};
use tokio::sync::mpsc;
use tracing::debug;

use crate::engine::{EngineHandle, EngineStopped};
use crate::exchange::serve;
use crate::limits::SERVE_QUEUE;

/// The way to the task that answers.
#[derive(Debug)]
pub(super) struct Server(mpsc::Sender<(ReplyToken, Request)>);

impl Server {
    /// Starts the task; it ends when this value is dropped.
    pub(super) fn start(engine: EngineHandle, network: Handle) -> Self {
        let (queue, mut asked) = mpsc::channel(SERVE_QUEUE);
        tokio::spawn(async move {
            while let Some((token, request)) = asked.recv().await {
                let Ok(response) = answer(&engine, request).await else { return };
                if network.send(Command::Reply { token, response }).await.is_err() {
                    return;
                }
            }
        });
        Self(queue)
    }

    /// Hands over a request; one that finds no room is refused by not being answered.
    pub(super) fn ask(&self, token: ReplyToken, request: Request) {
        if self.0.try_send((token, request)).is_err() {
            debug!("too many requests of peers wait: one is refused");
        }
    }
}

async fn answer(engine: &EngineHandle, request: Request) -> Result<Response, EngineStopped> {
    let begun = engine.call(move |engine| serve::begin(request, engine)).await?;
    let reading = tokio::task::spawn_blocking(move || begun.finish());
    Ok(reading.await.expect("reading the store does not panic"))
}
