//! Notifications: sends events of the event log to programs and people, with retries until they are accepted.
//!
//! ```text
//! message.rs    an event as receivers get it
//! receiver.rs   the receivers: what each is sent, and how
//! mail.rs       SMTP
//! test_run.rs   `shoal notify test`
//! ```
//!
//! A webhook gets a POST of JSON with the headers `Shoal-Event` (its kind) and `Shoal-Signature`, `t=SECONDS,v1=HEX`.
//! HEX is HMAC-SHA256 (RFC 2104) with the configured secret over `SECONDS.BODY`. A receiver should check it and reject
//! requests that are more than a few minutes old, which prevents replays. Any 2xx answer accepts an event. A retried
//! event keeps its id. The other receivers get a title, a sentence and a link.

mod mail;
mod message;
mod receiver;
pub(crate) mod test_run;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use backon::{ExponentialBuilder, Retryable};
use reqwest::Url;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use crate::config::{Config, NotifyConfig, ReceiverConfig};
use crate::history::{Event, EventLog};
use crate::lan::{own_addresses, reached_at};
use crate::limits::{WEBHOOK_PAUSE, WEBHOOK_QUEUE, WEBHOOK_RETRIES};
use message::Message;
use node_core::sentence;
use receiver::Way;

/// The receivers of events, replaceable at run time.
#[derive(Debug)]
pub(crate) struct Receivers {
    /// The receivers, as last configured.
    pub config: watch::Receiver<NotifyConfig>,
    /// The proxy of the node, if it has one.
    pub proxy: Option<p2p::Proxy>,
    /// Name of the Bitcoin network.
    pub network: &'static str,
    /// Address of the web pages.
    pub pages: SocketAddr,
}

impl Receivers {
    /// The receivers of a node.
    #[must_use]
    pub(crate) fn new(config: &Config, notify: watch::Receiver<NotifyConfig>) -> Self {
        Self { config: notify, proxy: config.p2p.proxy, network: config.network.name(), pages: config.api.listen }
    }

    /// Sends new events until the node stops, to the receivers that are configured at the time.
    pub(crate) async fn run(mut self, event_log: EventLog) {
        loop {
            let current = self.config.borrow_and_update().clone();
            tokio::select! {
                () = self.send(current, &event_log) => return,
                changed = async { self.config.clone().changed().await } => {
                    if changed.is_err() {
                        // The sender is gone, so the current settings stay.
                        let current = self.config.borrow().clone();
                        return self.send(current, &event_log).await;
                    }
                }
            }
        }
    }

    /// Sends new events to the receivers, through the proxy if everything must go through it. Dropping this loses
    /// events in flight.
    async fn send(&self, config: NotifyConfig, event_log: &EventLog) {
        // Subscribed at once, so that no event between two settings is missed.
        let mut news = event_log.news();
        if config.routes.is_empty() {
            return std::future::pending().await;
        }
        let way = match Way::new(self.proxy) {
            Ok(way) => way,
            Err(error) => {
                warn!(error = sentence(&error), "events cannot be sent");
                // The node continues without notifications. Ending this task would stop the node.
                return std::future::pending().await;
            }
        };
        let pages = pages_url(&config, self.pages);
        let mut receivers = JoinSet::new();
        let mut queues = Vec::new();
        for route in config.routes {
            let (queue, waiting) = mpsc::channel(WEBHOOK_QUEUE);
            receivers.spawn(deliver(route.receiver, way.clone(), waiting));
            queues.push((queue, route.events));
        }
        loop {
            let event: Arc<Event> = match news.recv().await {
                Ok(event) => event,
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    warn!(missed, "some events were skipped because their receivers are too slow");
                    continue;
                }
                Err(broadcast::error::RecvError::Closed) => return,
            };
            let message = Arc::new(Message::new(self.network, &event, &pages));
            for (queue, events) in &queues {
                if events.contains(&event.kind) && queue.try_send(Arc::clone(&message)).is_err() {
                    warn!(event = event.id, "a receiver is too slow; an event is dropped");
                }
            }
        }
    }
}

/// URL of the web pages for receivers: configured, or this machine's address on its network.
fn pages_url(config: &NotifyConfig, listen: SocketAddr) -> Url {
    let found = || {
        let ip = reached_at(listen, own_addresses()).first().copied().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        format!("http://{}/", SocketAddr::new(ip, listen.port())).parse().expect("an address makes a valid URL")
    };
    config.pages_url.clone().unwrap_or_else(found)
}

/// Sends one receiver its events in order.
async fn deliver(receiver: ReceiverConfig, way: Way, mut waiting: mpsc::Receiver<Arc<Message>>) {
    let pauses = ExponentialBuilder::new()
        .with_min_delay(WEBHOOK_PAUSE.0)
        .with_max_delay(WEBHOOK_PAUSE.1)
        .with_max_times(WEBHOOK_RETRIES)
        .with_jitter();
    // The URL may contain a secret, so only its host is logged.
    let (kind, host) = (receiver::kind(&receiver), receiver::host(&receiver));
    while let Some(message) = waiting.recv().await {
        let sent = (|| receiver::send(&receiver, &way, &message)).retry(pauses).when(receiver::Undelivered::may_pass);
        let retried = |error: &receiver::Undelivered, pause| {
            debug!(kind, host, ?pause, error = sentence(error), "retrying the delivery of an event");
        };
        match sent.notify(retried).await {
            Ok(()) => debug!(kind, host, event = message.id, "event accepted"),
            Err(error) => warn!(kind, host, event = message.id, error = sentence(&error), "an event is dropped"),
        }
    }
}

#[cfg(test)]
mod tests;
