//! `/api/v1/events`: live updates as server-sent events.
//!
//! The newest events are kept, so that a reader whose connection broke gets what it missed: browsers send the last id
//! that they saw (`Last-Event-ID`). An id that is too old or from an earlier run of the node gets `reset`, which asks
//! the reader to reload.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{FromRef, State};
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

use super::context::Api;
use super::error::{ApiError, ErrorBody};
use super::event_log::LogEvent;
use super::guard::Client;
use super::limits::{LIVE_RETRY, LIVE_STATUS, MINING_LOOK};
use super::live_feed::{Live, Ready, text};
use super::status::Status;
use super::views::{Payee, hashes};
use node_core::engine::ChainEvent;
use node_core::pool_block::PoolBlock;

/// Interval between keep-alive comments on a silent stream: shorter than the timeouts of proxies.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The header with the id of the last event that the browser saw.
const LAST_EVENT_ID: &str = "last-event-id";

/// A share that this node accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiveShare {
    /// Id of the share: the hash of its Bitcoin header.
    pub id: String,
    /// Id of the link that it extends.
    pub parent: String,
    /// When its job was handed out, by the clock of the finder's node, seconds since 1970.
    pub time_unix_s: u32,
    /// Payout script and address of the finder.
    pub finder: Payee,
    /// Expected hashes to find such a share: an integer of up to 256 bits, so a string.
    pub work_hashes: String,
    /// True if a miner of this node found it.
    pub own: bool,
    /// The link's own fields, if the share is a link.
    #[serde(flatten)]
    pub link: Option<LiveLink>,
}

/// Fields that a link has in addition to those of a share.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct LiveLink {
    /// Height: links between this one and genesis.
    pub height: u32,
    /// Number of shares that it lists.
    pub shares_count: u16,
}

/// A change of the main chain's tip.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiveTip {
    /// Id of the new tip.
    pub tip: String,
    /// Height of the new tip.
    pub height: u32,
    /// Links that left the main chain; 0 if the chain only grew.
    pub reorganisation: u32,
}

/// A Bitcoin block that the pool found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiveBlock {
    /// Hash of the block.
    pub hash: String,
    /// Height of the block.
    pub height: u32,
    /// Payout script and address of the finder.
    pub finder: Payee,
    /// Subsidy and fees, satoshi.
    pub value_sat: u64,
}

/// Expected hashes of a share, and the link's own fields if it is a link.
type WorkAndLink = (String, Option<LiveLink>);

fn work_and_links(chain: &Chain, proofs: &[(ShareId, ShareId)]) -> Vec<WorkAndLink> {
    let one = |(id, parent): &(ShareId, ShareId)| {
        let target = chain.link(parent).map(|link| link.position.share_target);
        let link = chain.link(id).map(|link| LiveLink { height: link.height.0, shares_count: link.shares_count });
        (target.map(hashes).unwrap_or_default(), link)
    };
    proofs.iter().map(one).collect()
}

impl LiveShare {
    fn new(accepted: &AcceptedProof, (work_hashes, link): WorkAndLink, network: Network) -> Self {
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

/// Feeds live events to readers until the node stops.
pub(super) async fn run(api: Arc<Api>) {
    let mut chain = api.context.chain.events();
    let mut event_log = api.context.history.event_log().news();
    let (mut look, mut miners) = (tokio::time::interval(LIVE_STATUS), tokio::time::interval(MINING_LOOK));
    let mut shown = None;
    loop {
        tokio::select! {
            event = chain.recv() => match event {
                Ok(ChainEvent::Changed(changes)) => api.changed(&changes),
                Ok(ChainEvent::Block(block)) => api.block_found(&block),
                // Readers see the gap in heights, and reload.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            },
            event = event_log.recv() => match event {
                // Private events stay out: browsers cannot send the token with an event stream.
                Ok(event) if !event.kind.is_private() => api.live.tell("log", &LogEvent::from(&*event)),
                _ => {}
            },
            _ = look.tick() => api.show_status(&mut shown).await,
            _ = miners.tick() => drop(api.look_at_miners()),
        }
    }
}

impl FromRef<Arc<Api>> for Live {
    fn from_ref(api: &Arc<Api>) -> Self {
        api.live.clone()
    }
}

impl Api {
    fn changed(&self, changes: &ChangeSet) {
        let proofs: Vec<_> =
            changes.accepted.iter().map(|accepted| (accepted.id, accepted.proof.share.parent)).collect();
        if !proofs.is_empty() {
            let found = work_and_links(&self.chain(), &proofs);
            for (accepted, found) in changes.accepted.iter().zip(found) {
                let name = if found.1.is_some() { "link" } else { "share" };
                self.live.tell(name, &LiveShare::new(accepted, found, self.network()));
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

    /// Sends the status to all listeners if anything but its clocks changed.
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

/// Streams live updates as server-sent events named `hello` (the first), `share`, `link`, `tip`, `block`, `log`,
/// `status` and `reset` (missed events are no longer kept, so reload). `share` and `link` carry a LiveShare, `tip` a
/// LiveTip, `block` a LiveBlock, `log` a LogEvent, `status` a Status. From an explorer, shares come with the link that lists
/// them, and neither `log` nor `status` comes.
#[utoipa::path(
    get, path = "/api/v1/events",
    params(("last-event-id" = Option<String>, Header, description = "Id of the last event seen")),
    responses(
        (status = 200, description = "A stream of events", content_type = "text/event-stream", body = LiveEvents),
        (status = 503, description = "Too many streams are open", body = ErrorBody),
    )
)]
pub(super) async fn events(
    State(live): State<Live>,
    Extension(Client(from)): Extension<Client>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    // The stream holds it until the client leaves.
    let slot = live.streams.take_stream(from, &headers).ok_or(ApiError::Slow)?;
    let last = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).map(|id| id.parse().unwrap_or(u64::MAX));
    let (missed, news) = live.listen(last);
    let missed = stream::iter(missed);
    let events = missed.chain(following(news)).map(Event::from);
    let stream = stream::once(ready(Event::default().retry(LIVE_RETRY))).chain(events).map(move |event| {
        let _slot = &slot;
        Ok::<Event, Infallible>(event)
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Events until the reader falls too far behind. Its browser then reconnects and sends the id that it saw last.
fn following(news: broadcast::Receiver<Ready>) -> impl Stream<Item = Ready> {
    stream::unfold(news, |mut news| async { news.recv().await.ok().map(|ready| (ready, news)) })
}

/// Data of an event; its type follows from the event's name.
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
