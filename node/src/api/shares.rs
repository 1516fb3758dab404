//! `/api/v1/shares/{id}`: the fate of a share, and why.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bitcoin::Network;
use bitcoin::hex::DisplayHex;
use serde::Serialize;
use sharechain::chain::{Chain, Fate, Missing, Unpaid};
use sharechain::credit::Credit;
use sharechain::{Height, Proof, ShareId};
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody, Forgotten};
use super::params::Hash;
use super::pruned;
use super::refusals::rule;
use super::views::{Payee, WeightView};
use crate::history::Event;
use crate::store::{RecordKind, Store, StoreError};
use node_core::pool_block::PoolBlock;

/// The answer to a query about a share.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShareAnswer {
    /// Its id: the hash of its Bitcoin header.
    pub id: String,
    /// Fate of the share.
    pub fate: FateName,
    /// The same, in one sentence.
    pub explanation: String,
    /// Why it earns nothing although a link lists it; none for any other share. A share whose data this node has dropped
    /// from memory has none either.
    pub unpaid: Option<UnpaidName>,
    /// Id of the link that lists it, or its own id if it is a link of the main chain.
    pub link: Option<String>,
    /// Height of that link.
    pub link_height: Option<u32>,
    /// What it is waiting for; none unless it is held.
    pub waits_for: Option<String>,
    /// Number of the rule that it breaks; none unless it was rejected.
    pub rule: Option<String>,
    /// Its latest rejection, while the event log still has it. A valid share has one if a peer sent an altered copy.
    pub refusal: Option<RefusalView>,
    /// The share; none unless this node accepted it.
    pub share: Option<ShareView>,
}

/// A rejection of a share.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RefusalView {
    /// Number of the rule that was broken.
    pub rule: String,
    /// The rejection in one sentence.
    pub sentence: String,
    /// Time of the rejection, seconds since 1970.
    pub time_unix_s: u32,
    /// Peer id of the sender; none for a miner of this node.
    pub peer: Option<String>,
}

impl RefusalView {
    fn new(event: Event) -> Option<Self> {
        let refused = event.refused?;
        let Event { sentence, time, .. } = event;
        Some(Self { rule: refused.rule, sentence, time_unix_s: time, peer: refused.peer })
    }
}

/// The fate of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum FateName {
    /// The share is a link of the main chain.
    Link,
    /// A link of the main chain lists the share.
    Listed,
    /// The share is valid and waits to be listed.
    Pending,
    /// The share is valid, but was not listed in time.
    Expired,
    /// The share cannot be judged yet.
    Held,
    /// The share was rejected: it breaks a rule.
    Refused,
    /// The share is older than the links that this node keeps, so its fate is no longer known.
    Pruned,
    /// This node does not know the share.
    Unknown,
}

/// Why a listed share earns nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum UnpaidName {
    /// It builds on a Bitcoin block that had long been replaced as the tip: its node's bitcoind was behind or cut off.
    StaleBitcoinTip,
    /// It builds on an old link of the share-chain: it arrived late, or its node was cut off from its peers.
    OldLink,
}

/// A share that this node accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShareView {
    /// Script and address that are credited.
    #[serde(flatten)]
    pub payee: Payee,
    /// Id of the link that it extends.
    pub parent: String,
    /// Id of the anchor: the link that determines its target and its payouts; none from an archive.
    pub anchor: Option<String>,
    /// When its job was handed out, by the clock of the finder's node, seconds since 1970.
    pub time_unix_s: u32,
    /// Height of the Bitcoin block that was mined for.
    pub bitcoin_height: u32,
    /// Hash of the Bitcoin block that it builds on; none from an archive.
    pub prev_hash: Option<String>,
    /// The 16 bytes of its coinbase that its server and its device chose, hex. Two devices with the same first 8 bytes,
    /// address and job would repeat each other's work. None from an archive.
    pub extranonce: Option<String>,
    /// Subsidy and fees of its coinbase, satoshi.
    pub coinbase_value_sat: u64,
    /// True if it met Bitcoin's own target; see `/api/v1/blocks/{hash}`.
    pub is_bitcoin_block: bool,
    /// Weight that it earns if it is listed in time, without the extra of a link; none once it is too deep to be in
    /// memory.
    pub weight: Option<WeightView>,
    /// When this node accepted it, seconds since 1970; none once it is too deep to be in memory.
    pub validated_unix_s: Option<u32>,
}

impl ShareView {
    fn new(proof: &Proof, credit: Option<&Credit>, network: Network) -> Self {
        let share = &proof.share;
        Self {
            payee: Payee::new(&share.payout, network),
            parent: share.parent.to_string(),
            anchor: Some(share.anchor.to_string()),
            time_unix_s: share.time.0,
            bitcoin_height: share.bitcoin_height,
            prev_hash: Some(proof.header.prev_blockhash.to_string()),
            extranonce: Some(proof.extranonce.to_lower_hex_string()),
            coinbase_value_sat: share.coinbase_value,
            is_bitcoin_block: PoolBlock::is_block(proof, &proof.id()),
            weight: credit.map(|credit| credit.weight.into()),
            validated_unix_s: credit.map(|credit| credit.validated_at.0),
        }
    }
}

impl ShareAnswer {
    pub(super) fn new(id: ShareId, fate: FateName, explanation: impl Into<String>) -> Self {
        Self {
            id: id.to_string(),
            fate,
            explanation: explanation.into(),
            unpaid: None,
            link: None,
            link_height: None,
            waits_for: None,
            rule: None,
            refusal: None,
            share: None,
        }
    }

    fn in_link(self, link: ShareId, height: Height) -> Self {
        Self { link: Some(link.to_string()), link_height: Some(height.0), ..self }
    }

    pub(super) fn link(id: ShareId, height: Height) -> Self {
        Self::new(id, FateName::Link, "it is a link of the main chain, so it counts").in_link(id, height)
    }

    pub(super) fn listed(id: ShareId, link: ShareId, height: Height) -> Self {
        let words = format!("the link at height {height} lists it, so it counts");
        Self::new(id, FateName::Listed, words).in_link(link, height)
    }

    /// A listed share that earns nothing.
    fn but_unpaid(self, unpaid: Unpaid) -> Self {
        let (unpaid, why) = match unpaid {
            Unpaid::StaleTip => (UnpaidName::StaleBitcoinTip, "stale Bitcoin tip"),
            Unpaid::TooDeep => (UnpaidName::OldLink, "it builds on an old link"),
        };
        let explanation = format!("listed, earned nothing: {why}");
        Self { unpaid: Some(unpaid), explanation, ..self }
    }

    pub(super) fn expired(id: ShareId) -> Self {
        Self::new(id, FateName::Expired, "it is valid, but no link of the main chain listed it in time")
    }

    /// The answer from the chain in memory; none if only the store can have it.
    fn of(id: ShareId, fate: Fate) -> Option<Self> {
        let answer = match fate {
            Fate::MainLink(height) => Self::link(id, height),
            Fate::Listed { link, height } => Self::listed(id, link, height),
            Fate::Pending => Self::new(id, FateName::Pending, "it is valid and waits for the next link to list it"),
            Fate::Expired => Self::expired(id),
            Fate::Held(missing) => {
                let waits_for = waits_for(missing);
                let words = format!("it cannot be judged yet; it is waiting for {waits_for}");
                Self { waits_for: Some(waits_for), ..Self::new(id, FateName::Held, words) }
            }
            Fate::Refused(broken) => {
                let rule = Some(broken.rule().to_owned());
                Self { rule, ..Self::new(id, FateName::Refused, broken.to_string()) }
            }
            Fate::Unknown => return None,
        };
        Some(answer)
    }
}

fn waits_for(missing: Missing) -> String {
    match missing {
        Missing::Proof(id) => format!("the share {id}"),
        Missing::List(id) => format!("the list of the link {id}"),
        Missing::BitcoinHeader(hash) => format!("the header of the Bitcoin block {hash}"),
        Missing::Time(time) => format!("the clock to reach {time} (Unix seconds)"),
    }
}

/// Returns the fate of a share. An id that this node has never seen is not an error: its fate is `unknown`.
#[utoipa::path(
    get, path = "/api/v1/shares/{id}",
    params(("id" = String, Path, description = "The share's id", pattern = "^[0-9a-fA-F]{64}$")),
    responses(
        (status = 200, description = "Fate of the share", body = ShareAnswer),
        (status = 400, description = "The id is invalid", body = ErrorBody),
    )
)]
pub(super) async fn share(State(api): State<Arc<Api>>, Hash(id): Hash) -> Result<Response, ApiError> {
    let chain = api.chain();
    let (fate, credit, unpaid) = (chain.fate(&id), chain.credit(&id).cloned(), chain.unpaid(&id));
    let proof = api.read(move |store| stored_proof(store, id)).await?;
    let answer = match (ShareAnswer::of(id, fate), &proof) {
        (Some(answer), _) => answer,
        (None, Some(proof)) => deep(&api, id, proof).await?,
        (None, None) => refused_before(&api, id).await?,
    };
    let answer = unpaid.into_iter().fold(answer, ShareAnswer::but_unpaid);
    let share = proof.map(|proof| ShareView::new(&proof, credit.as_ref(), api.network()));
    let history = api.context.history.clone();
    let noted = api.read(move |_| history.refusal(&id)).await?;
    let refusal = noted.and_then(RefusalView::new);
    let is_forgotten = matches!(answer.fate, FateName::Unknown | FateName::Pruned);
    let answer = Json(ShareAnswer { share, refusal, ..answer });
    Ok((is_forgotten.then_some(Extension(Forgotten)), answer).into_response())
}

pub(super) fn stored_proof(store: &Store, id: ShareId) -> Result<Option<Proof>, StoreError> {
    let bytes = store.get(RecordKind::Proof, &id.0)?;
    Ok(bytes.and_then(|bytes| Proof::decode(&bytes).ok()))
}

/// For a share that the chain in memory has dropped: the main chain's link that it is, or that lists it. `listed` are
/// all links whose stored lists name it, with their heights. Below the oldest link in memory, those of other branches
/// are gone.
pub(super) fn main_link_of(chain: &Chain, id: ShareId, listed: &[(ShareId, u32)]) -> Option<(ShareId, Height)> {
    let own = chain.link(&id).map(|link| (id, link.height));
    let listed = listed.iter().map(|(link, height)| (*link, Height(*height)));
    let is_main = |link: &ShareId, height: &Height| chain.main_at(*height) == Some(*link);
    own.into_iter().chain(listed).find(|(link, height)| *height < chain.bottom() || is_main(link, height))
}

/// The fate of a valid share that the chain in memory has dropped: a deep link, or a share that a stored list names.
async fn deep(api: &Api, id: ShareId, proof: &Proof) -> Result<ShareAnswer, ApiError> {
    let history = api.context.history.clone();
    let listed = api.read(move |_| history.listed_in(&id)).await?;
    let chain = api.chain();
    Ok(match (main_link_of(&chain, id, &listed), pruned::oldest_kept(&chain)) {
        (Some((link, height)), _) if link == id => ShareAnswer::link(id, height),
        (Some((link, height)), _) => ShareAnswer::listed(id, link, height),
        (None, Some(oldest)) if pruned::is_forgotten(&chain, proof) => {
            ShareAnswer::new(id, FateName::Pruned, pruned::sentence("what became of this share", oldest))
        }
        (None, _) => ShareAnswer::expired(id),
    })
}

/// The fate of a share that the chain in memory does not know: a stored rejection, or unknown.
async fn refused_before(api: &Api, id: ShareId) -> Result<ShareAnswer, ApiError> {
    let refusal = api.read(move |store| store.get(RecordKind::Refusal, &id.0)).await?;
    Ok(match refusal {
        Some(stored) => {
            let words = String::from_utf8_lossy(&stored).into_owned();
            ShareAnswer { rule: Some(rule(&stored)), ..ShareAnswer::new(id, FateName::Refused, words) }
        }
        None => ShareAnswer::new(id, FateName::Unknown, unknown(pruned::oldest_kept(&api.chain()))),
    })
}

fn unknown(oldest: Option<u32>) -> String {
    let words = "this node does not know it; it may never have arrived";
    oldest.map_or_else(
        || words.to_owned(),
        |oldest| format!("{words}, or be older than the links that this node keeps, from height {oldest}"),
    )
}
