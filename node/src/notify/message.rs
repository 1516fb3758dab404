//! An event as receivers get it: fields for programs, and a title and text for people.

use bitcoin::BlockHash;
use reqwest::Url;
use serde::Serialize;

use crate::event_kind::EventKind;
use crate::history::{Changed, Event, Refused, Reorganised};
use crate::limits::NOTIFY_CHARS_MAX;

/// An event as its receivers get it.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    /// Name of the Bitcoin network.
    network: &'static str,
    /// Id of the event; counts from 1.
    pub(super) id: u64,
    /// Name of its kind; `test` for a test.
    pub(super) kind: &'static str,
    /// When it happened, seconds since 1970.
    time_unix_s: u32,
    /// The event in one sentence.
    sentence: String,
    /// Full URL of a page with details; none if there is none.
    pub(super) link: Option<String>,
    /// Hash of the Bitcoin block that was found, or that pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<BlockHash>,
    /// Height of that block.
    #[serde(skip_serializing_if = "Option::is_none")]
    block_height: Option<u32>,
    /// Amount that it pays to `address`, satoshi.
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_sat: Option<u64>,
    /// Address of this node's miners that is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// User name of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<String>,
    /// The state that began or ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Changed>,
    /// Details of a rejected share.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
    /// Details of a reorganization.
    #[serde(skip_serializing_if = "Option::is_none")]
    reorganised: Option<Reorganised>,
    /// Title for people.
    #[serde(skip)]
    pub(super) title: &'static str,
}

impl Message {
    /// `pages` is the URL of the node's web pages for the receivers.
    pub(super) fn new(network: &'static str, event: &Event, pages: &Url) -> Self {
        let paid = event.paid.as_ref();
        let found = event.block.as_ref();
        Self {
            network,
            id: event.id,
            kind: event.kind.name(),
            time_unix_s: event.time,
            sentence: event.sentence.clone(),
            link: event.link_to.as_ref().and_then(|path| pages.join(path).ok()).map(String::from),
            block: paid.map(|paid| paid.block).or(found.map(|found| found.hash)),
            block_height: paid.map(|paid| paid.height).or(found.map(|found| found.height)),
            paid_sat: paid.map(|paid| paid.value_sat),
            address: paid.map(|paid| paid.address.clone()),
            worker: event.worker.clone(),
            state: event.state.clone(),
            refused: event.refused.clone(),
            reorganised: event.reorganised.clone(),
            title: title(event.kind),
        }
    }

    /// A test message.
    pub(super) fn test(network: &'static str, pages: &Url) -> Self {
        let sentence = "this is a test: events of this node arrive here";
        let event = Event::new(EventKind::Start, sentence).at("/");
        Self { kind: "test", title: "Shoal: test", ..Self::new(network, &event, pages) }
    }

    /// The event for people, without its title: its sentence, and the link on a line of its own. It contains user names
    /// of devices, so receivers must treat it as plain text.
    pub(super) fn text(&self) -> String {
        self.text_as(str::to_owned)
    }

    /// The same for a receiver with markup: `escaped` turns the sentence into plain text.
    pub(super) fn text_as(&self, escaped: impl Fn(&str) -> String) -> String {
        let mut letters = self.sentence.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        let sentence: String = first.chain(letters).take(NOTIFY_CHARS_MAX).collect();
        let mut text = escaped(&sentence);
        if let Some(link) = &self.link {
            text.push('\n');
            text.push_str(link);
        }
        text
    }
}

fn title(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Start => "Shoal: start",
        EventKind::Block => "Shoal: block found",
        EventKind::Payment => "Shoal: you are paid",
        EventKind::Worker => "Shoal: a device",
        EventKind::Reorganisation => "Shoal: reorganization",
        EventKind::Refused => "Shoal: share rejected",
        EventKind::Work => "Shoal: work",
        EventKind::Bitcoin => "Shoal: bitcoind",
        EventKind::Peers => "Shoal: peers",
        EventKind::Isolation => "Shoal: cut off?",
        EventKind::Conflict => "Shoal: conflict",
        EventKind::Upgrade => "Shoal: upgrade",
    }
}
