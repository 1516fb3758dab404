//! Data of the live view, from the node's API.

use std::net::SocketAddr;

use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::api::Status;
use crate::status::{StatusError, client, fetch};

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
}

impl Source {
    pub(super) fn new(address: SocketAddr) -> Result<Self, StatusError> {
        Ok(Self { address, client: client(address)? })
    }

    pub(super) async fn look(&self) -> Result<View, StatusError> {
        let points: Points = self.get(&format!("pool/history?step=60&limit={MINUTES}")).await?;
        let log: Log = self.get(&format!("log?limit={EVENTS}")).await?;
        let (status, pool) = (self.get("status").await?, self.get("pool").await?);
        Ok(View { status, pool, minutes: points.points, events: log.events, trouble: None })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, StatusError> {
        let body = fetch(&self.client, self.address, path).await?;
        serde_json::from_slice(&body).map_err(|cause| StatusError::Foreign { address: self.address, cause })
    }
}
