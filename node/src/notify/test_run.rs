//! `shoal notify test`: sends each receiver of the configuration a message, once.

use std::io::{self, Write};

use serde::Serialize;

use super::message::Message;
use super::pages_url;
use super::receiver::{self, Way};
use crate::config::{Config, Route};
use crate::error::NodeError;
use node_core::sentence;

/// Results of all messages.
#[derive(Debug, Serialize)]
struct Report {
    /// True if every receiver accepted its message.
    ok: bool,
    receivers: Vec<Tried>,
}

/// Result of one message.
#[derive(Debug, Serialize)]
struct Tried {
    /// Kind of the receiver.
    kind: &'static str,
    /// Its host.
    host: String,
    /// True if it accepted the message.
    ok: bool,
    /// The same in a sentence.
    words: String,
}

/// Sends the messages, and prints the results.
///
/// # Errors
/// There are no receivers, one of them did not accept its message, or the report cannot be printed.
pub(crate) async fn test(config: &Config, json: bool) -> Result<(), NodeError> {
    let routes = &config.notify.routes;
    if routes.is_empty() {
        return Err(NodeError::NoReceivers);
    }
    let way = Way::new(config.p2p.proxy).map_err(io::Error::other)?;
    let message = Message::test(config.network.name(), &pages_url(&config.notify, config.api.listen));
    let mut receivers = Vec::new();
    for Route { receiver, .. } in routes {
        let sent = receiver::send(receiver, &way, &message).await;
        let words = sent.as_ref().map_or_else(|error| sentence(error), |()| "accepted the message".to_owned());
        let host = receiver::host(receiver).to_owned();
        receivers.push(Tried { kind: receiver::kind(receiver), host, ok: sent.is_ok(), words });
    }
    let report = Report { ok: receivers.iter().all(|tried| tried.ok), receivers };
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report).map_err(io::Error::from)?)?;
    } else {
        for Tried { kind, host, ok, words } in &report.receivers {
            writeln!(out, "{} {kind:<9} {host}: {words}", if *ok { '✓' } else { '✗' })?;
        }
    }
    if report.ok { Ok(()) } else { Err(NodeError::NotifyFailed) }
}
