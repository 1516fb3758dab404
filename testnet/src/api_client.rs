//! A client of the nodes' HTTP API, with the parts that the test network reads.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bitcoin::ScriptBuf;
use node::api::Status;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::limits::{API_ANSWER_BYTES_MAX, API_TIMEOUT};

/// Largest number of items in a page, which is the API's limit for one answer.
const PAGE: usize = 500;

/// An error of a request to a node.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The node cannot be reached, or its answer was cut off.
    #[error("the node's API does not answer")]
    Transport(#[from] reqwest::Error),
    /// The node answers with an error status.
    #[error("the node's API answers {path} with status {status}")]
    Status {
        /// Path of the request.
        path: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer exceeds the limit.
    #[error("the answer to {path} is longer than {API_ANSWER_BYTES_MAX} bytes")]
    TooLong {
        /// Path of the request.
        path: String,
    },
    /// The answer cannot be parsed.
    #[error("the answer to {path} cannot be parsed")]
    Unexpected {
        /// Path of the request.
        path: String,
        /// The cause.
        source: serde_json::Error,
    },
}

/// A client of one node's API. It is cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    http: reqwest::Client,
}

/// The credit of a script.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Earned {
    /// The script.
    pub script: ScriptBuf,
    /// Decimal string in units of 2^-64 expected blocks.
    pub weight: String,
    /// Number of credited shares.
    pub shares: u64,
}

/// A script's weight in the window that a block pays by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Due {
    /// The script.
    pub script: ScriptBuf,
    /// Decimal string in units of 2^-64 expected blocks.
    pub weight: String,
}

/// `/api/v1/window`, in part.
#[derive(Debug, Clone, Deserialize)]
pub struct Window {
    /// Id of the window's newest link.
    pub newest: String,
    /// A page of credits.
    pub earned: Vec<Earned>,
    /// Start of the next page.
    pub next_from: Option<u64>,
}

/// `/api/v1/blocks/{hash}`, in part.
#[derive(Debug, Clone, Deserialize)]
pub struct Block {
    /// Height of the block.
    pub height: u32,
    /// Hash of the previous block.
    pub prev_hash: String,
    /// Payout script of the finder.
    pub finder_script: ScriptBuf,
    /// Subsidy and fees, in satoshi.
    pub value_sat: u64,
    /// The verdict of this node's bitcoind.
    pub bitcoind: Option<BitcoindSays>,
    /// Id of the snapshot.
    pub snapshot: String,
    /// Hash that seeds the draw.
    pub seed: String,
    /// A page of the window's weights at the snapshot.
    pub weights: Vec<Due>,
    /// Start of the next page.
    pub next_from: Option<u64>,
    /// Number of shares listed up to the snapshot.
    pub snapshot_listed_total: Option<u64>,
    /// The coinbase without its witness, in hexadecimal.
    pub coinbase_hex: String,
}

/// The verdict in a [`Block`].
#[derive(Debug, Clone, Deserialize)]
pub struct BitcoindSays {
    /// `accepted`, `duplicate`, `inconclusive` or `rejected`.
    pub verdict: String,
}

impl BitcoindSays {
    /// Returns whether that bitcoind considers the block valid.
    pub fn is_accepted(&self) -> bool {
        matches!(self.verdict.as_str(), "accepted" | "duplicate" | "inconclusive")
    }
}

/// `/api/v1/peers`, in part.
#[derive(Debug, Clone, Deserialize)]
struct Peers {
    discovery: AddressBook,
}

#[derive(Debug, Clone, Deserialize)]
struct AddressBook {
    book_new: u64,
    book_tried: u64,
}

/// `/api/v1/blocks`, in part.
#[derive(Debug, Clone, Deserialize)]
struct Blocks {
    blocks: Vec<BlockHash>,
    next_from: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
struct BlockHash {
    hash: String,
}

/// `/api/v1/shares/{id}`, in part.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Share {
    /// The share's fate.
    pub fate: Fate,
    /// Number of the rule that it breaks.
    pub rule: Option<String>,
}

/// The fate of a share, as one node sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is a link of the main chain.
    Link,
    /// A link lists it.
    Listed,
    /// It can still be listed.
    Pending,
    /// It was valid but was not listed in time.
    Expired,
    /// The node cannot judge it yet.
    Held,
    /// It breaks a rule.
    Refused,
    /// The node does not know it.
    Unknown,
}

/// `/api/v1/links/{id}`, in part.
#[derive(Debug, Clone, Deserialize)]
struct Link {
    children_share_work_hashes: String,
}

impl Api {
    /// Creates a client of the API at this address.
    pub fn new(address: SocketAddr) -> Self {
        Self { base: format!("http://{address}/api/v1"), http: reqwest::Client::new() }
    }

    /// Returns the node's status.
    ///
    /// # Errors
    /// [`ApiError`], as for all methods here.
    pub async fn status(&self) -> Result<Status, ApiError> {
        self.get("/status").await
    }

    /// Returns the number of nodes in the node's address book.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn address_book(&self) -> Result<u64, ApiError> {
        let Peers { discovery } = self.get("/peers").await?;
        Ok(discovery.book_new + discovery.book_tried)
    }

    /// Returns the window that ends in the tip, all pages. While the chain grows, pages may belong to different tips.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn window(&self) -> Result<Window, ApiError> {
        let mut window: Window = self.get(&format!("/window?limit={PAGE}")).await?;
        while let Some(from) = window.next_from {
            let page: Window = self.get(&format!("/window?from={from}&limit={PAGE}")).await?;
            window.earned.extend(page.earned);
            window.next_from = page.next_from.filter(|next| *next > from);
        }
        Ok(window)
    }

    /// Returns a found block with all its weights. `None` if the node does not know it.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn block(&self, hash: &str) -> Result<Option<Block>, ApiError> {
        let mut block: Block = match self.get(&format!("/blocks/{hash}?limit={PAGE}")).await {
            Err(ApiError::Status { status: 404, .. }) => return Ok(None),
            other => other?,
        };
        while let Some(from) = block.next_from {
            let page: Block = self.get(&format!("/blocks/{hash}?from={from}&limit={PAGE}")).await?;
            block.weights.extend(page.weights);
            block.next_from = page.next_from.filter(|next| *next > from);
        }
        Ok(Some(block))
    }

    /// Returns the hashes of all blocks of the pool that the node knows, newest first.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn block_hashes(&self) -> Result<Vec<String>, ApiError> {
        let mut page: Blocks = self.get(&format!("/blocks?limit={PAGE}")).await?;
        let mut hashes: Vec<String> = page.blocks.into_iter().map(|block| block.hash).collect();
        while let Some(from) = page.next_from {
            page = self.get(&format!("/blocks?from={from}&limit={PAGE}")).await?;
            hashes.extend(page.blocks.iter().map(|block| block.hash.clone()));
            page.next_from = page.next_from.filter(|next| *next < from);
        }
        Ok(hashes)
    }

    /// Returns a share's fate.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn share(&self, id: &str) -> Result<Share, ApiError> {
        self.get(&format!("/shares/{id}")).await
    }

    /// Returns the expected hashes of a share that extends this link.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn share_work(&self, link: &str) -> Result<f64, ApiError> {
        let link: Link = self.get(&format!("/links/{link}")).await?;
        // A decimal string. Numbers too long for a float are rounded.
        Ok(link.children_share_work_hashes.parse().unwrap_or(f64::INFINITY))
    }

    /// Returns the values of a metric by one of its labels.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn metric(&self, name: &str, label: &str) -> Result<BTreeMap<String, u64>, ApiError> {
        let text = String::from_utf8_lossy(&self.bytes("/metrics").await?).into_owned();
        let value_of = |line: &str| {
            let (key, value) = line.strip_prefix(name)?.strip_prefix(&format!("{{{label}=\""))?.split_once("\"} ")?;
            Some((key.to_owned(), value.parse().ok()?))
        };
        Ok(text.lines().filter_map(value_of).collect())
    }

    /// Returns how many records of the share-chain the archive's database lacks. `None` if the node does not say.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn archive_behind(&self) -> Result<Option<u64>, ApiError> {
        let text = self.bytes("/metrics").await?;
        let text = String::from_utf8_lossy(&text);
        let value = text.lines().find_map(|line| line.strip_prefix("shoal_archive_records_behind "));
        Ok(value.and_then(|value| value.trim().parse::<f64>().ok()).map(|value| value as u64))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let body = self.bytes(path).await?;
        serde_json::from_slice(&body).map_err(|source| ApiError::Unexpected { path: path.to_owned(), source })
    }

    async fn bytes(&self, path: &str) -> Result<Vec<u8>, ApiError> {
        let mut response = self.http.get(format!("{}{path}", self.base)).timeout(API_TIMEOUT).send().await?;
        let status = response.status();
        if !status.is_success() {
            return Err(ApiError::Status { path: path.to_owned(), status: status.as_u16() });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > API_ANSWER_BYTES_MAX {
                return Err(ApiError::TooLong { path: path.to_owned() });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}
