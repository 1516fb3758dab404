//! Data of the live view, from the node's API.

use std::net::SocketAddr;

use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::api::Status;
use crate::api::device_list::DeviceList;
use crate::config::Secret;
use crate::devices::Device;
use crate::limits::DEVICES_ANSWER_BYTES_MAX;
use crate::status::{StatusError, ask, client, fetch};

/// Minutes of hashrate that are fetched.
const MINUTES: u32 = 120;

/// Events that are fetched.
const EVENTS: u32 = 20;

/// Data of the live view.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub status: Status,
    pub pool: Pool,
    /// Hashrate of each minute, newest first. Minutes without shares are left out.
    pub minutes: Vec<Point>,
    /// Events, newest first.
    pub events: Vec<Event>,
    /// Devices of this node's miners, those that need attention first; none without the node's token.
    pub devices: Option<Vec<Device>>,
    /// Where miners connect; none if that is not known.
    pub url: Option<String>,
    /// Why the last query failed; none if it succeeded.
    pub trouble: Option<String>,
}

/// The shown part of the pool's summary.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Pool {
    pub share_of_bitcoin: Option<f64>,
    pub expected_block_s: Option<f64>,
    pub round: Round,
    pub decentralisation: Decentralisation,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Round {
    pub effort: f64,
    pub probability: f64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Decentralisation {
    pub nakamoto: u32,
    pub template_makers: u32,
    pub nodes_seen: u32,
    pub top: Vec<Part>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Part {
    pub address: Option<String>,
    pub script: String,
    pub part: f64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Point {
    pub time_unix_s: u32,
    pub hashrate_hs: f64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Event {
    pub time_unix_s: u32,
    pub sentence: String,
}

#[derive(Deserialize)]
struct Urls {
    urls: Vec<StratumUrl>,
}

#[derive(Deserialize)]
struct StratumUrl {
    url: String,
}

#[derive(Deserialize)]
struct Points {
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Log {
    events: Vec<Event>,
}

/// Queries a running node.
#[derive(Debug)]
pub(super) struct Source {
    address: SocketAddr,
    client: Client,
    /// The node's token, if this user may read it.
    token: Option<Secret>,
}

impl Source {
    pub(super) fn new(address: SocketAddr, token: Option<Secret>) -> Result<Self, StatusError> {
        Ok(Self { address, client: client(address)?, token })
    }

    pub(super) async fn look(&self) -> Result<View, StatusError> {
        let points: Points = self.get(&format!("pool/history?step=60&limit={MINUTES}")).await?;
        let log: Log = self.get(&format!("log?limit={EVENTS}")).await?;
        let (status, pool) = (self.get("status").await?, self.get("pool").await?);
        let urls: Urls = self.get("mining").await?;
        let url = urls.urls.into_iter().next().map(|first| first.url);
        let (minutes, events, devices) = (points.points, log.events, self.devices().await);
        Ok(View { status, pool, minutes, events, devices, url, trouble: None })
    }

    /// The devices, if the token opens them. Another node may answer at this address.
    async fn devices(&self) -> Option<Vec<Device>> {
        let request = self.client.get(format!("http://{}/api/v1/devices", self.address));
        let request = request.bearer_auth(self.token.as_ref()?.expose());
        let body = ask(request, self.address, DEVICES_ANSWER_BYTES_MAX).await.ok()?;
        Some(serde_json::from_slice::<DeviceList>(&body).ok()?.devices)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, StatusError> {
        let body = fetch(&self.client, self.address, path).await?;
        serde_json::from_slice(&body).map_err(|cause| StatusError::Foreign { address: self.address, cause })
    }
}
