//! Webhooks: sends events of the event log to the operator's URLs, signed, with retries until they are accepted.
//!
//! Each event is a POST of JSON with the headers `Shoal-Event` (its kind) and `Shoal-Signature`, `t=SECONDS,v1=HEX`.
//! HEX is HMAC-SHA256 (RFC 2104) with the configured secret over `SECONDS.BODY`. A receiver should check it and reject
//! requests that are more than a few minutes old, which prevents replays. Any 2xx answer accepts the event. A retried
//! event keeps its id.

use std::net::IpAddr;
use std::sync::Arc;

use backon::{ExponentialBuilder, Retryable};
use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use reqwest::{Client, StatusCode, Url, header};
use serde::Serialize;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use crate::clock::now;
use crate::config::{Secret, WebhooksConfig};
use crate::connection_words;
use crate::history::{Event, EventLog};
use crate::limits::{WEBHOOK_PAUSE, WEBHOOK_QUEUE, WEBHOOK_RETRIES, WEBHOOK_TIMEOUT};
use node_core::sentence;

/// Body of a webhook.
#[derive(Debug, Serialize)]
struct Message<'a> {
    network: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

/// Why an event was not delivered.
#[derive(Debug, thiserror::Error)]
enum Undelivered {
    #[error("the receiver cannot be reached: {}", connection_words::of_http(.0))]
    Unreachable(reqwest::Error),
    #[error("the receiver answered {0}")]
    Refused(StatusCode),
}

/// Where events go.
#[derive(Debug)]
pub struct Receivers {
    /// The receivers, as last configured.
    pub config: watch::Receiver<Option<WebhooksConfig>>,
    /// The proxy of the node, if it has one.
    pub proxy: Option<p2p::Proxy>,
    /// Name of the Bitcoin network.
    pub network: &'static str,
}

impl Receivers {
    /// Sends new events until the node stops, to the receivers that are configured at the time.
    pub async fn run(mut self, event_log: EventLog) {
        loop {
            let current = self.config.borrow_and_update().clone();
            tokio::select! {
                () = send(current, self.proxy, self.network, &event_log) => return,
                changed = self.config.changed() => {
                    if changed.is_err() {
                        // Nobody can change them any more, so those in force stay.
                        let current = self.config.borrow().clone();
                        return send(current, self.proxy, self.network, &event_log).await;
                    }
                }
            }
        }
    }
}

/// Sends new events to the receivers, through the proxy if everything must go through it. What is on its way when this is
/// dropped is lost.
async fn send(config: Option<WebhooksConfig>, proxy: Option<p2p::Proxy>, network: &'static str, event_log: &EventLog) {
    // Subscribed at once, so that no event between two settings is missed.
    let mut news = event_log.news();
    let Some(config) = config else { return std::future::pending().await };
    let client = match client(proxy.filter(|proxy| proxy.only)) {
        Ok(client) => client,
        Err(error) => {
            warn!(error = sentence(&error), "webhooks cannot be sent");
            // The node goes on without: the end of this task would end it.
            return std::future::pending().await;
        }
    };
    let mut receivers = JoinSet::new();
    let mut queues = Vec::new();
    for url in config.urls {
        let (queue, waiting) = mpsc::channel(WEBHOOK_QUEUE);
        let receiver = Receiver { client: client.clone(), url, secret: config.secret.clone(), network };
        receivers.spawn(receiver.run(waiting));
        queues.push(queue);
    }
    loop {
        let event = match news.recv().await {
            Ok(event) => event,
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                warn!(missed, "some events were skipped because webhooks are too slow");
                continue;
            }
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if !config.events.contains(&event.kind) {
            continue;
        }
        for queue in &queues {
            if queue.try_send(Arc::clone(&event)).is_err() {
                warn!(event = event.id, "a webhook's receiver is too slow; an event is dropped");
            }
        }
    }
}

/// A client. The proxy resolves names, and gives webhooks circuits of their own. Receivers on this machine need none.
fn client(proxy: Option<p2p::Proxy>) -> reqwest::Result<Client> {
    let builder = Client::builder().timeout(WEBHOOK_TIMEOUT).redirect(reqwest::redirect::Policy::none());
    let Some(proxy) = proxy else { return builder.build() };
    let through = format!("socks5h://webhooks:shoal@{}", proxy.address);
    let is_here = |url: &Url| {
        let ip = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
        ip.is_some_and(|ip| ip.is_loopback())
    };
    builder.proxy(reqwest::Proxy::custom(move |url| (!is_here(url)).then(|| through.clone()))).build()
}

/// One receiver; it gets its events in sequence.
struct Receiver {
    client: Client,
    url: Url,
    secret: Secret,
    network: &'static str,
}

impl Receiver {
    async fn run(self, mut waiting: mpsc::Receiver<Arc<Event>>) {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(WEBHOOK_PAUSE.0)
            .with_max_delay(WEBHOOK_PAUSE.1)
            .with_max_times(WEBHOOK_RETRIES)
            .with_jitter();
        while let Some(event) = waiting.recv().await {
            let body = serde_json::to_string(&Message { network: self.network, event: &event })
                .expect("events are made of strings and numbers");
            let sent = (|| self.send(&event, &body)).retry(pauses);
            // The URL may contain a secret, so only its host is logged.
            let host = self.url.host_str().unwrap_or_default();
            match sent
                .notify(|error, pause| debug!(host, ?pause, error = sentence(error), "a webhook is retried"))
                .await
            {
                Ok(()) => debug!(host, event = event.id, "webhook accepted"),
                Err(error) => warn!(host, event = event.id, error = sentence(&error), "a webhook is dropped"),
            }
        }
    }

    async fn send(&self, event: &Event, body: &str) -> Result<(), Undelivered> {
        let signature = signature(&self.secret, u64::from(now().0), body);
        let request = self.client.post(self.url.clone()).header(header::CONTENT_TYPE, "application/json");
        let request = request.header("Shoal-Event", event.kind.name()).header("Shoal-Signature", signature);
        // Errors of reqwest contain the whole URL.
        let answer = request.body(body.to_owned()).send().await.map_err(Undelivered::Unreachable)?;
        if answer.status().is_success() { Ok(()) } else { Err(Undelivered::Refused(answer.status())) }
    }
}

/// The value of `Shoal-Signature` for a body sent at `time_s`, seconds since 1970.
fn signature(secret: &Secret, time_s: u64, body: &str) -> String {
    let mut engine = HmacEngine::<sha256::Hash>::new(secret.expose().as_bytes());
    engine.input(format!("{time_s}.{body}").as_bytes());
    let code = Hmac::<sha256::Hash>::from_engine(engine);
    format!("t={time_s},v1={code:x}")
}

#[cfg(test)]
mod tests;
