//! The state that handlers share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use archive::read::Archive;
use axum::extract::FromRef;
use bitcoin::ScriptBuf;
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::{Chain, ChainParams};
use tokio::sync::watch;

use super::effort::Efforts;
use super::now::Now;
use super::sums::Steps;
use crate::api::error::ApiError;
use crate::api::live_feed::Live;
use crate::config::{Config, parse_address};

/// The state of the explorer.
pub(super) struct View {
    pub config: Arc<Config>,
    pub params: ChainParams,
    pub archive: Archive,
    /// The newest links; none until they have been read.
    pub now: watch::Sender<Option<Arc<Now>>>,
    pub steps: Steps,
    pub efforts: Mutex<Efforts>,
    pub live: Live,
    /// A chain of genesis alone: genesis has no proof, so no archive has it.
    pub genesis: Option<Chain>,
    pub started: Instant,
    /// The OpenAPI document, JSON.
    pub openapi: String,
}

impl FromRef<Arc<View>> for Live {
    fn from_ref(view: &Arc<View>) -> Self {
        view.live.clone()
    }
}

impl View {
    pub(super) fn new(config: Arc<Config>, params: ChainParams, archive: Archive, openapi: String) -> Self {
        let headers = BitcoinHeaders::new(&params.bitcoin, &Root::genesis(&params.bitcoin)).ok();
        let genesis = headers.map(|headers| Chain::new(params.clone(), headers));
        let live = Live::new(&config.api.trusted_proxies);
        Self {
            config,
            params,
            archive,
            now: watch::Sender::new(None),
            steps: Steps::default(),
            efforts: Mutex::default(),
            live,
            genesis,
            started: Instant::now(),
            openapi,
        }
    }

    /// The newest links. An answer must call this only once, so that its parts agree.
    pub(super) fn now(&self) -> Result<Arc<Now>, ApiError> {
        self.now.borrow().clone().ok_or(ApiError::ArchiveEmpty)
    }

    pub(super) fn network(&self) -> bitcoin::Network {
        self.config.network.into()
    }

    /// The script of an address in a path.
    pub(super) fn script(&self, address: &str) -> Result<ScriptBuf, ApiError> {
        Ok(parse_address(address, self.config.network)?.script_pubkey())
    }

    pub(super) fn efforts(&self) -> std::sync::MutexGuard<'_, Efforts> {
        self.efforts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Position in a list sorted by height or by time: the height or time, and the number of its items to skip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub height: u32,
    pub skip: u32,
}

/// Bits of [`Place::skip`] in the number of a page. With the 32 bits of a height, JavaScript still represents it exactly.
const SKIP_BITS: u32 = 18;

impl Place {
    /// Reads `from` of a page; the start of the list if there is none.
    pub(super) fn of(from: Option<u64>) -> Self {
        let Some(from) = from else { return Self { height: u32::MAX, skip: 0 } };
        let skip = from & ((1 << SKIP_BITS) - 1);
        Self {
            height: u32::try_from(from >> SKIP_BITS).unwrap_or(u32::MAX),
            skip: u32::try_from(skip).unwrap_or_default(),
        }
    }

    /// The place after items with these heights that start here.
    pub(super) fn behind(self, heights: impl Iterator<Item = u32>) -> Self {
        heights.fold(self, |place, height| {
            let skip = if height == place.height { place.skip.saturating_add(1) } else { 1 };
            Self { height, skip }
        })
    }

    /// `from` of the page that begins here.
    pub(super) fn from(self) -> u64 {
        u64::from(self.height) << SKIP_BITS | u64::from(self.skip.min((1 << SKIP_BITS) - 1))
    }
}

/// The first `count` of some items, and the start of the next page if there are more.
pub(super) fn page<T>(mut items: Vec<T>, count: usize, at: Place, height: impl Fn(&T) -> u32) -> (Vec<T>, Option<u64>) {
    if items.len() <= count {
        return (items, None);
    }
    items.truncate(count);
    let next = at.behind(items.iter().map(height)).from();
    (items, Some(next))
}
