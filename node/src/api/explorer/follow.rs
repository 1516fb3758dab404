//! Reads new rows when the database notifies, and sends them to readers.

use std::sync::Arc;

use archive::ArchiveError;
use archive::read::{Link, Listener, PendingShare};
use bitcoin::{Network, ScriptBuf};
use node_core::sentence;
use tokio::time::sleep;
use tracing::{info, warn};

use super::effort;
use super::now::{Kept, Now};
use super::state::View;
use crate::api::limits::{ARCHIVE_LOOK, ARCHIVE_PAUSE, LIVE_LINKS_MAX};
use crate::api::live::{LiveBlock, LiveLink, LiveShare, LiveTip};
use crate::api::views::Payee;
use crate::clock::now;

/// Follows the archive until the process ends. Retries after errors.
pub(super) async fn follow(view: Arc<View>) {
    let mut kept = Kept::default();
    let mut listener = None;
    let mut was_readable = false;
    loop {
        match step(&view, &mut kept, &mut listener).await {
            Ok(()) => {
                if !std::mem::replace(&mut was_readable, true) {
                    info!("the archive can be read");
                }
            }
            Err(error) => {
                // The log limits repeated lines.
                warn!(error = sentence(&error), "the archive cannot be read; trying again");
                was_readable = false;
                listener = None;
            }
        }
        sleep(ARCHIVE_PAUSE).await;
        tokio::select! {
            is_open = notified(listener.as_ref()) => if !is_open { listener = None },
            () = sleep(ARCHIVE_LOOK) => {}
        }
    }
}

/// Waits for a notification, or for [`ARCHIVE_PAUSE`] without a listener. False if the listener's connection has ended.
async fn notified(listener: Option<&Listener>) -> bool {
    match listener {
        Some(listener) => listener.changed().await,
        None => {
            sleep(ARCHIVE_PAUSE).await;
            true
        }
    }
}

async fn step(view: &View, kept: &mut Kept, listener: &mut Option<Listener>) -> Result<(), ArchiveError> {
    // Before the first read, so that no notification is missed.
    if listener.is_none() {
        *listener = Some(view.archive.listen().await?);
    }
    if let Some(read) = kept.read(&view.archive, &view.params, now().0).await? {
        let before = view.now.borrow().clone();
        let read = Arc::new(read);
        view.now.send_replace(Some(Arc::clone(&read)));
        tell(view, before.as_deref(), &read).await?;
    }
    view.steps.fill(&view.archive, now().0).await?;
    let efforts =
        effort::find_unknown(&view.archive, &kept.bitcoin, &view.params, |block| view.efforts().is_known(block));
    for (block, effort) in efforts.await? {
        view.efforts().put(block, effort);
    }
    Ok(())
}

/// Sends readers what came since the last read.
async fn tell(view: &View, before: Option<&Now>, read: &Now) -> Result<(), ArchiveError> {
    let Some(before) = before.filter(|before| before.tip.id != read.tip.id) else { return Ok(()) };
    let grown = read.tip.height.saturating_sub(before.tip.height);
    if grown > LIVE_LINKS_MAX {
        view.live.reset();
        return Ok(());
    }
    // After a reorganization, all links above the fork are new.
    let is_new = |link: &&Link| before.links.iter().all(|known| known.id != link.id);
    let new: Vec<&Link> = read.links.iter().filter(is_new).collect();
    let lowest = new.last().map_or(read.tip.height, |link| link.height);
    let shares = view.archive.listed_shares((lowest, read.tip.height), 50 * LIVE_LINKS_MAX as usize).await?;
    for link in new.iter().rev() {
        for (share, _) in shares.iter().filter(|(_, listed_in)| *listed_in == link.id) {
            view.live.tell("share", &live_share(share, link, view.network()));
        }
        if let Some(finder) = &link.finder {
            view.live.tell("link", &live_link(link, finder, view.network()));
        }
    }
    let reorganisation = before.tip.height.saturating_add(1).saturating_sub(lowest);
    view.live.tell("tip", &LiveTip { tip: read.tip.id.to_string(), height: read.tip.height, reorganisation });
    if let Some((hash, _)) = read.since.filter(|_| read.since != before.since)
        && let Some(block) = view.archive.block(&hash).await?
    {
        let finder = Payee::new(&block.finder, view.network());
        let (hash, value_sat) = (hash.to_string(), block.value_sat);
        view.live.tell("block", &LiveBlock { hash, height: block.height, finder, value_sat });
    }
    Ok(())
}

/// A share as readers get it. `link` lists it.
fn live_share(share: &PendingShare, link: &Link, network: Network) -> LiveShare {
    LiveShare {
        id: share.id.to_string(),
        parent: share.parent.map(|parent| parent.to_string()).unwrap_or_default(),
        time_unix_s: share.time,
        finder: Payee::new(&share.script, network),
        work_hashes: link.share_hashes.to_string(),
        own: false,
        link: None,
    }
}

/// A link as readers get it.
fn live_link(link: &Link, finder: &ScriptBuf, network: Network) -> LiveShare {
    let shares_count = link.listed.and_then(|listed| u16::try_from(listed).ok()).unwrap_or(0);
    LiveShare {
        id: link.id.to_string(),
        parent: link.parent.to_string(),
        time_unix_s: link.time,
        finder: Payee::new(finder, network),
        work_hashes: link.share_hashes.to_string(),
        own: false,
        link: Some(LiveLink { height: link.height, shares_count }),
    }
}
