//! `/api/v1/events`: what happens, as it happens, as server-sent events.
//!
//! The newest events are kept, so that a reader whose connection broke gets what it missed: browsers send the last id
//! that they saw (`Last-Event-ID`). Ids of an earlier run of the node, and those that are too old, are answered with
//! `reset`: load again.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use bitcoin::Network;
use futures::future::ready;
use futures::{Stream, StreamExt, stream};
use serde::Serialize;
use sharechain::ShareId;
use sharechain::chain::Chain;
use sharechain::change_set::{AcceptedProof, ChangeSet, Source, TipChange};
use tokio::sync::broadcast;
use utoipa::ToSchema;

use super::Api;
use super::event_log::LogEvent;
use super::limits::{LIVE_EVENTS, LIVE_RETRY, LIVE_STATUS};
use super::status::Status;
use super::views::{Payee, hashes};
use crate::clock::now;
use node_core::engine::ChainEvent;

use node_core::pool_block::PoolBlock;

/// Seconds between signs of life on a silent stream: below what proxies wait.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The header in which browsers tell what they saw last.
const LAST_EVENT_ID: &str = "last-event-id";

/// An event, ready to be sent. Those that only the newest matters of have no id.
#[derive(Clone, Debug)]
struct Ready {
    id: Option<u64>,
    name: &'static str,
    data: String,
}

impl From<Ready> for Event {
    fn from(ready: Ready) -> Self {
        let event = Self::default().event(ready.name).data(ready.data);
        match ready.id {
            Some(id) => event.id(id.to_string()),
            None => event,
        }
    }
}

/// The newest events, and who listens.
#[derive(Debug)]
pub(super) struct Live {
    /// Oldest first.
    kept: Mutex<VecDeque<Ready>>,
    /// What the ids of this run come after: those of the runs before are lower, as clocks go.
    before: u64,
    news: broadcast::Sender<Ready>,
}

impl Live {
    pub(super) fn new() -> Self {
        // A run would have to see 16 million events a second to reach the ids of the next.
        let before = u64::from(now().0) << 24;
        Self { kept: Mutex::default(), before, news: broadcast::Sender::new(LIVE_EVENTS) }
    }

    fn tell(&self, name: &'static str, data: &impl Serialize) {
        let data = text(data);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let id = kept.back().and_then(|last| last.id).unwrap_or(self.before) + 1;
        let ready = Ready { id: Some(id), name, data };
        if kept.len() >= LIVE_EVENTS {
            kept.pop_front();
        }
        kept.push_back(ready.clone());
        // Under the lock, so that whoever begins to listen misses nothing and gets nothing twice.
        let _ = self.news.send(ready);
    }

    /// Begins to listen; first comes what was missed since the event `last`.
    fn listen(&self, last: Option<u64>) -> (Vec<Ready>, broadcast::Receiver<Ready>) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let news = self.news.subscribe();
        let newest = kept.back().and_then(|ready| ready.id).unwrap_or(self.before);
        let oldest = kept.front().and_then(|ready| ready.id).unwrap_or(self.before + 1);
        let hello = Ready { id: Some(newest), name: "hello", data: text(&Hello { id: newest }) };
        let missed = match last {
            None => vec![hello],
            Some(last) if last <= newest && last + 1 >= oldest => {
                kept.iter().filter(|ready| ready.id > Some(last)).cloned().collect()
            }
            Some(_) => vec![Ready { id: Some(newest), name: "reset", data: "{}".to_owned() }],
        };
        (missed, news)
    }
}

fn text(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("events are made of strings and numbers")
}

/// The first event of a new reader.
#[derive(Debug, Serialize)]
struct Hello {
    id: u64,
}

/// A share that was found valid.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiveShare {
    /// Its id.
    pub id: String,
    /// The link that it was found on.
    pub parent: String,
    /// When its work was handed out, by its maker's clock.
    pub time_unix_s: u32,
    /// Who found it.
    pub finder: Payee,
    /// Expected hashes to find it: an integer of up to 256 bits, so a string.
    pub work_hashes: String,
    /// Whether a miner of this node found it.
    pub own: bool,
    /// What it is beside, if it is a link.
    #[serde(flatten)]
    pub link: Option<LiveLink>,
}

/// What a link has beside a share.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct LiveLink {
    /// Links between it and genesis.
    pub height: u32,
    /// Shares that it lists.
    pub shares_count: u16,
}

/// A move of the tip.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiveTip {
    /// The tip.
    pub tip: String,
    /// Its height.
    pub height: u32,
    /// Links that left the main chain; 0 when it just grew.
    pub reorganisation: u32,
}

/// A Bitcoin block of the pool.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiveBlock {
    /// Its hash.
    pub hash: String,
    /// Its height.
    pub height: u32,
    /// Who found it.
    pub finder: Payee,
    /// Subsidy and fees, satoshi.
    pub value_sat: u64,
}

/// Expected hashes of a share, and what it is beside if it is a link.
type Place = (String, Option<LiveLink>);

fn places(chain: &Chain, proofs: &[(ShareId, ShareId)]) -> Vec<Place> {
    let place = |(id, parent): &(ShareId, ShareId)| {
        let target = chain.link(parent).map(|link| link.position.share_target);
        let link = chain.link(id).map(|link| LiveLink { height: link.height.0, shares_count: link.shares_count });
        (target.map(hashes).unwrap_or_default(), link)
    };
    proofs.iter().map(place).collect()
}

impl LiveShare {
    fn new(accepted: &AcceptedProof, (work_hashes, link): Place, network: Network) -> Self {
        let share = &accepted.proof.share;
        Self {
            id: accepted.id.to_string(),
            parent: share.parent.to_string(),
            time_unix_s: share.time.0,
            finder: Payee::new(&share.payout, network),
            work_hashes,
            own: accepted.source == Source::default(),
            link,
        }
    }
}

/// Tells what happens until the node stops.
pub(super) async fn run(api: Arc<Api>) {
    let mut chain = api.context.chain.events();
    let mut event_log = api.context.history.event_log().news();
    let mut look = tokio::time::interval(LIVE_STATUS);
    let mut shown = None;
    loop {
        tokio::select! {
            event = chain.recv() => match event {
                Ok(ChainEvent::Changed(changes)) => api.changed(&changes),
                Ok(ChainEvent::Block(block)) => api.block_found(&block),
                // Readers see it by the gap in heights, and load again.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            },
            event = event_log.recv() => match event {
                // Browsers cannot send the token with a stream.
                Ok(event) if !event.kind.is_private() => api.live.tell("log", &LogEvent::from(&*event)),
                _ => {}
            },
            _ = look.tick() => api.show_status(&mut shown).await,
        }
    }
}

impl Api {
    fn changed(&self, changes: &ChangeSet) {
        let proofs: Vec<_> =
            changes.accepted.iter().map(|accepted| (accepted.id, accepted.proof.share.parent)).collect();
        if !proofs.is_empty() {
            let places = places(&self.chain(), &proofs);
            for (accepted, place) in changes.accepted.iter().zip(places) {
                let name = if place.1.is_some() { "link" } else { "share" };
                self.live.tell(name, &LiveShare::new(accepted, place, self.network()));
            }
        }
        for TipChange { new, fork_height, disconnected, connected, .. } in &changes.tips {
            let count = |links: usize| u32::try_from(links).unwrap_or(u32::MAX);
            let height = fork_height.0.saturating_add(count(connected.len()));
            let reorganisation = count(disconnected.len());
            self.live.tell("tip", &LiveTip { tip: new.to_string(), height, reorganisation });
        }
    }

    fn block_found(&self, block: &PoolBlock) {
        let finder = Payee::new(&block.finder, self.network());
        let PoolBlock { hash, height, value_sat, .. } = block;
        let found = LiveBlock { hash: hash.to_string(), height: *height, finder, value_sat: *value_sat };
        self.live.tell("block", &found);
    }

    /// Sends the status to whoever listens, when something in it changed beside the passing of time.
    async fn show_status(&self, shown: &mut Option<Status>) {
        if self.live.news.receiver_count() == 0 {
            return;
        }
        let Ok(status) = self.status().await else { return };
        let still = Status { time_unix_s: 0, uptime_s: 0, tip_age_s: None, rss_bytes: None, ..status.clone() };
        if shown.as_ref() != Some(&still) {
            let _ = self.live.news.send(Ready { id: None, name: "status", data: text(&status) });
            *shown = Some(still);
        }
    }
}

/// What happens, as server-sent events named `hello` (the first), `share`, `link`, `tip`, `block`, `log`, `status` and
/// `reset` (what was missed is not kept: load again). `share` and `link` carry a LiveShare, `tip` a LiveTip, `block` a
/// LiveBlock, `log` a LogEvent, `status` a Status.
#[utoipa::path(
    get, path = "/api/v1/events",
    params(("last-event-id" = Option<String>, Header, description = "The id of the last event seen")),
    responses((status = 200, description = "A stream of events", content_type = "text/event-stream", body = LiveEvents))
)]
pub(super) async fn events(State(api): State<Arc<Api>>, headers: HeaderMap) -> impl IntoResponse {
    let last = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).map(|id| id.parse().unwrap_or(u64::MAX));
    let (missed, news) = api.live.listen(last);
    let missed = stream::iter(missed);
    let events = missed.chain(following(news)).map(Event::from);
    let stream = stream::once(ready(Event::default().retry(LIVE_RETRY))).chain(events).map(Ok::<Event, Infallible>);
    Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

/// What comes until the reader falls too far behind; its browser then connects anew and tells what it saw last.
fn following(news: broadcast::Receiver<Ready>) -> impl Stream<Item = Ready> {
    stream::unfold(news, |mut news| async { news.recv().await.ok().map(|ready| (ready, news)) })
}

/// What the data of an event is; its name says which.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum LiveEvents {
    /// `share` and `link`.
    Share(LiveShare),
    /// `tip`.
    Tip(LiveTip),
    /// `block`.
    Block(LiveBlock),
    /// `log`.
    Log(LogEvent),
    /// `status`.
    Status(Box<Status>),
}
