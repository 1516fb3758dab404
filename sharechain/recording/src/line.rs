//! All lines after the first. A key identifies the kind of a line. An unknown, duplicate or missing key is an error,
//! and so is a value of the wrong type.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::value::{Decimal, Id, Number, RawBytes, RawHeader, RawProof, RawScript, present};
use crate::verdict::{HeaderVerdict, ListVerdict, ProofVerdict};

/// A line after the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Line {
    /// A Bitcoin header arrived.
    Header(HeaderLine),
    /// A proof arrived.
    Proof(ProofLine),
    /// A list arrived without its proof.
    List(ListLine),
    /// The clock advanced.
    Now(NowLine),
    /// The recorder claims something about the state.
    Claim(Claim),
    /// A part of the base with which a pruned node's share-chain begins.
    Base(BaseLine),
}

/// A part of the base with which a pruned node's share-chain begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum BaseLine {
    /// The state that the first link continues.
    Begins(BeginsLine),
    /// The next link.
    Link(BaseLinkLine),
    /// Credits of the next links.
    Rows(BaseRowsLine),
    /// The base is complete.
    End(BaseEndLine),
}

/// The state that the first link of a base continues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginsLine {
    /// Encoded [`Beginning`](sharechain::link_headers::Beginning).
    pub begins: RawBytes,
}

/// The next link of a base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseLinkLine {
    /// Encoded proof of the link.
    pub base_link: RawProof,
    /// Ids that it lists, if later lists are checked against them.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<Id>>,
}

/// Credits of the next links of a base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseRowsLine {
    /// Encoded [`Chunk`](sharechain::base::Chunk).
    pub base_rows: RawBytes,
}

/// The base is complete: everything after it is judged in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseEndLine {
    /// Height of the last link of the base. One more link came before this line.
    pub base: u32,
}

/// A Bitcoin header that the recorder's bitcoind vouched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderLine {
    /// The header itself.
    pub header: RawHeader,
    /// Verdict on the header at this line, if recorded.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub verdict: Option<HeaderVerdict>,
}

/// An encoded proof, with or without its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofLine {
    /// Encoded proof.
    pub proof: RawProof,
    /// Ids that the proof lists, if they came with it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<Id>>,
    /// Verdict on the proof at this line, if recorded.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub verdict: Option<ProofVerdict>,
    /// Verdict on the list at this line, if recorded.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub list_verdict: Option<ListVerdict>,
}

/// A list that arrived separately, before or after its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListLine {
    /// Id of the link that the list belongs to.
    pub list_of: Id,
    /// Ids in the list.
    pub list: Vec<Id>,
    /// Verdict on the list at this line, if recorded.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub list_verdict: Option<ListVerdict>,
}

/// The recorder's clock from this line on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NowLine {
    /// Unix time in seconds.
    pub now: u32,
}

/// A claim of the recorder about the state at its line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "claim", rename_all = "lowercase", deny_unknown_fields)]
pub enum Claim {
    /// The tip of the main chain.
    Tip(TipClaim),
    /// Rows that a link credits.
    Link(LinkClaim),
    /// The contents of a window.
    Window(WindowClaim),
    /// Outputs that a proof pays.
    Outputs(OutputsClaim),
    /// State root that a link commits to.
    State(StateClaim),
    /// The current verdict on an id.
    Proof(ProofClaim),
}

/// Script, weight in units of 2^-64 block, and number of credited proofs.
pub type SumRow = (RawScript, Decimal, u32);

/// Script and amount in satoshi.
pub type OutputRow = (RawScript, u64);

/// Claim that this link is complete and that no complete link has more chain work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TipClaim {
    /// Id of the link.
    pub id: Id,
    /// Height of the link.
    pub height: u32,
    /// Cumulative link work from genesis to the link, hashes.
    pub chain_work: Number,
}

/// Claim of the rows that a complete link credits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkClaim {
    /// Id of the link.
    pub id: Id,
    /// Height of the link.
    pub height: u32,
    /// One row per script, ascending by script bytes.
    pub rows: Vec<SumRow>,
}

/// Claim of the window whose snapshot is a complete link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowClaim {
    /// Id of the snapshot.
    pub snapshot: Id,
    /// Height of the lowest link in the window.
    pub oldest: u32,
    /// Height of the snapshot.
    pub newest: u32,
    /// Number of proofs credited in the window.
    pub proofs: u64,
    /// Total weight of the window, in units of 2^-64 block.
    pub total: Decimal,
    /// One sum per script, ascending by script bytes.
    pub sums: Vec<SumRow>,
}

/// Claim of the outputs that a proof with this parent, previous block, script and value pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputsClaim {
    /// Id of the parent: a valid link or genesis, whose children's anchor is complete.
    pub parent: Id,
    /// Hash of the proof's previous Bitcoin block.
    pub previous_block: Id,
    /// Payout script of the finder.
    pub payout: RawScript,
    /// Sum of the coinbase's outputs, satoshi.
    pub coinbase_value: u64,
    /// Outputs in coinbase order, without the witness commitment and the last output.
    pub outputs: Vec<OutputRow>,
}

/// Claim of the state root that a link with this parent, previous block and list commits to (SC-408).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateClaim {
    /// Id of the parent: a complete link or genesis.
    pub parent: Id,
    /// Hash of the link's previous Bitcoin block.
    pub previous_block: Id,
    /// Ids in the list: valid proofs that it may list.
    pub list: Vec<Id>,
    /// State root.
    pub state_root: Id,
}

/// Claim of the verdict on an id at this line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofClaim {
    /// Id of the proof.
    pub id: Id,
    /// Verdict on the proof. `unlistable` also covers every unknown id.
    pub verdict: ProofVerdict,
    /// Verdict on its list, if claimed.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub list_verdict: Option<ListVerdict>,
}

/// Keys that identify the kind of a line.
#[derive(Deserialize)]
struct Keys {
    claim: Option<IgnoredAny>,
    header: Option<IgnoredAny>,
    proof: Option<IgnoredAny>,
    list_of: Option<IgnoredAny>,
    now: Option<IgnoredAny>,
    begins: Option<IgnoredAny>,
    base_link: Option<IgnoredAny>,
    base_rows: Option<IgnoredAny>,
    base: Option<IgnoredAny>,
}

impl Keys {
    /// The only key present.
    fn only(&self) -> Option<&'static str> {
        let Self { claim, header, proof, list_of, now, begins, base_link, base_rows, base } = self;
        let keys = [
            (claim, "claim"),
            (header, "header"),
            (proof, "proof"),
            (list_of, "list_of"),
            (now, "now"),
            (begins, "begins"),
            (base_link, "base_link"),
            (base_rows, "base_rows"),
            (base, "base"),
        ];
        let mut found = keys.into_iter().filter(|(value, _)| value.is_some()).map(|(_, name)| name);
        found.next().filter(|_| found.next().is_none())
    }
}

impl Line {
    /// Parses a line of JSON.
    ///
    /// # Errors
    /// A text that says what the format does not allow.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        let keys: Keys = exact(json)?;
        let base = |line: BaseLine| Self::Base(line);
        match keys.only() {
            Some("claim") => exact(json).map(Self::Claim),
            Some("header") => exact(json).map(Self::Header),
            Some("proof") => exact(json).map(Self::Proof),
            Some("list_of") => exact(json).map(Self::List),
            Some("now") => exact(json).map(Self::Now),
            Some("begins") => exact(json).map(BaseLine::Begins).map(base),
            Some("base_link") => exact(json).map(BaseLine::Link).map(base),
            Some("base_rows") => exact(json).map(BaseLine::Rows).map(base),
            Some("base") => exact(json).map(BaseLine::End).map(base),
            _ => {
                Err("is none of header, proof, list_of, now, claim or a part of a base, or several of them".to_owned())
            }
        }
        .and_then(Self::bounded)
    }

    /// Rejects errors that the types cannot exclude: lists that are too long, and a verdict on a list that is not in
    /// the line.
    fn bounded(self) -> Result<Self, String> {
        let list = match &self {
            Self::Proof(ProofLine { list: None, list_verdict: Some(_), .. }) => {
                return Err("has a list_verdict without a list".to_owned());
            }
            Self::Proof(line) => line.list.as_ref(),
            Self::List(line) => Some(&line.list),
            Self::Claim(Claim::State(claim)) => Some(&claim.list),
            Self::Base(BaseLine::Link(line)) => line.list.as_ref(),
            Self::Header(_) | Self::Now(_) | Self::Claim(_) | Self::Base(_) => None,
        };
        if list.is_some_and(|list| list.len() > crate::IDS_MAX) {
            return Err(format!("list has more than {} ids", crate::IDS_MAX));
        }
        Ok(self)
    }
}

/// Parses all of `json` as one value.
pub(crate) fn exact<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    serde_json::from_slice(json).map_err(|error| error.to_string())
}
