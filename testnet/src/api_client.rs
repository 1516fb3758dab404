//! The nodes' HTTP API, as far as the test network reads it.

use std::net::SocketAddr;

use bitcoin::ScriptBuf;
use node::api::Status;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::limits::{API_ANSWER_BYTES_MAX, API_TIMEOUT};

/// Items of a page, at most: what the API gives in one answer.
const PAGE: usize = 500;

/// Why a node gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The node cannot be reached, or its answer is cut off.
    #[error("the node's API does not answer")]
    Transport(#[from] reqwest::Error),
    /// The node refuses.
    #[error("the node's API answers {path} with status {status}")]
    Status {
        /// What was asked.
        path: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer is larger than any that is expected.
    #[error("the answer to {path} is longer than {API_ANSWER_BYTES_MAX} bytes")]
    TooLong {
        /// What was asked.
        path: String,
    },
    /// The answer has not the form it must have.
    #[error("the answer to {path} is not as expected")]
    Unexpected {
        /// What was asked.
        path: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// A node's API; cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    http: reqwest::Client,
}

/// What a script earned.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Earned {
    /// The script.
    pub script: ScriptBuf,
    /// Units of 2^-64 expected blocks, a decimal string.
    pub weight: String,
    /// By how many shares.
    pub shares: u64,
}

/// `/api/v1/window`, in part.
#[derive(Debug, Clone, Deserialize)]
pub struct Window {
    /// The link that it ends in.
    pub newest: String,
    /// A page of what everybody earned.
    pub earned: Vec<Earned>,
    /// Where the next page starts.
    pub next_from: Option<u64>,
}

/// `/api/v1/blocks/{hash}`, in part.
#[derive(Debug, Clone, Deserialize)]
pub struct Block {
    /// Its height.
    pub height: u32,
    /// The block before it.
    pub prev_hash: String,
    /// Who found it.
    pub finder_script: ScriptBuf,
    /// Subsidy and fees.
    pub value_sat: u64,
    /// What this node's Bitcoin said.
    pub bitcoind: Option<BitcoindSays>,
    /// The link up to which work counted.
    pub snapshot: String,
    /// What the draw was drawn with.
    pub seed: String,
    /// A page of what everybody had earned up to the snapshot.
    pub weights: Vec<Earned>,
    /// Where the next page starts.
    pub next_from: Option<u64>,
    /// Shares listed up to the snapshot.
    pub snapshot_listed_total: Option<u64>,
    /// The coinbase without its witness.
    pub coinbase_hex: String,
}

/// A verdict in [`Block`].
#[derive(Debug, Clone, Deserialize)]
pub struct BitcoindSays {
    /// `accepted`, `duplicate`, `inconclusive` or `rejected`.
    pub verdict: String,
}

impl BitcoindSays {
    /// Whether the block is valid to that Bitcoin.
    pub fn is_accepted(&self) -> bool {
        matches!(self.verdict.as_str(), "accepted" | "duplicate" | "inconclusive")
    }
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
    /// What became of it.
    pub fate: Fate,
    /// Number of the rule that it breaks.
    pub rule: Option<String>,
}

/// What became of a share, as one node sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is a link of the main chain.
    Link,
    /// A link lists it.
    Listed,
    /// It waits to be listed.
    Pending,
    /// It was valid, and not listed in time.
    Expired,
    /// It cannot be judged yet.
    Held,
    /// It breaks a rule.
    Refused,
    /// The node never saw it.
    Unknown,
}

/// `/api/v1/links/{id}`, in part.
#[derive(Debug, Clone, Deserialize)]
struct Link {
    children_share_work_hashes: String,
}

impl Api {
    /// The API at this address.
    pub fn new(address: SocketAddr) -> Self {
        Self { base: format!("http://{address}/api/v1"), http: reqwest::Client::new() }
    }

    /// How the node is.
    ///
    /// # Errors
    /// [`ApiError`], as of all methods here.
    pub async fn status(&self) -> Result<Status, ApiError> {
        self.get("/status").await
    }

    /// The window up to the tip, all pages. Pages may belong to different tips while the chain grows.
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

    /// One found block, with all its weights; none if the node does not know it.
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

    /// Hashes of all blocks that the node knows the pool found, newest first.
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

    /// What became of a share.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn share(&self, id: &str) -> Result<Share, ApiError> {
        self.get(&format!("/shares/{id}")).await
    }

    /// Expected hashes of a share that extends this link.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn share_work(&self, link: &str) -> Result<f64, ApiError> {
        let link: Link = self.get(&format!("/links/{link}")).await?;
        // A string of digits; what is longer than a float holds exactly is rounded.
        Ok(link.children_share_work_hashes.parse().unwrap_or(f64::INFINITY))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
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
        serde_json::from_slice(&body).map_err(|source| ApiError::Unexpected { path: path.to_owned(), source })
    }
}
