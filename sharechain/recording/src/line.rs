//! All lines after the first. Each is told by its key; an unknown key, a key that stands twice, a missing one or a value of
//! another type is an error.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::value::{Decimal, Id, Number, RawHeader, RawProof, RawScript, present};
use crate::verdict::{HeaderVerdict, ListVerdict, ProofVerdict};

/// A line after the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Line {
    /// A Bitcoin header came.
    Header(HeaderLine),
    /// A proof came.
    Proof(ProofLine),
    /// A list came by itself.
    List(ListLine),
    /// Time passed.
    Now(NowLine),
    /// The recorder says something about the state.
    Claim(Claim),
}

/// A Bitcoin header that the recorder's bitcoind vouched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderLine {
    /// The header.
    pub header: RawHeader,
    /// How it was judged at this line.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub verdict: Option<HeaderVerdict>,
}

/// An encoded proof, perhaps with the ids that it lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofLine {
    /// The proof.
    pub proof: RawProof,
    /// Its list.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<Id>>,
    /// How the proof was judged at this line.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub verdict: Option<ProofVerdict>,
    /// How the list was.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub list_verdict: Option<ListVerdict>,
}

/// A list, before or after its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListLine {
    /// Whose list it is.
    pub list_of: Id,
    /// The list.
    pub list: Vec<Id>,
    /// How it was judged at this line.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub list_verdict: Option<ListVerdict>,
}

/// The recorder's clock from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NowLine {
    /// Seconds since 1970.
    pub now: u32,
}

/// What the recorder says about the state at a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "claim", rename_all = "lowercase", deny_unknown_fields)]
pub enum Claim {
    /// The main chain ends here.
    Tip(TipClaim),
    /// A link credits these rows.
    Link(LinkClaim),
    /// A window is this.
    Window(WindowClaim),
    /// A proof pays these outputs.
    Outputs(OutputsClaim),
    /// How an id stands now.
    Proof(ProofClaim),
}

/// Script, weight in units of 2^-64 block, credited proofs.
pub type SumRow = (RawScript, Decimal, u32);

/// Script and satoshi.
pub type OutputRow = (RawScript, u64);

/// No complete link has more work than this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TipClaim {
    /// The link.
    pub id: Id,
    /// Its height.
    pub height: u32,
    /// Work from genesis to it, hashes.
    pub chain_work: Number,
}

/// What a complete link credits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkClaim {
    /// The link.
    pub id: Id,
    /// Its height.
    pub height: u32,
    /// One row for each script, ascending.
    pub rows: Vec<SumRow>,
}

/// The window that ends in a complete link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowClaim {
    /// The link.
    pub snapshot: Id,
    /// Height of the lowest link that counts.
    pub oldest: u32,
    /// Height of the snapshot.
    pub newest: u32,
    /// Rows of all its links.
    pub rows: u32,
    /// Weight of all.
    pub total: Decimal,
    /// One sum for each script, ascending.
    pub sums: Vec<SumRow>,
}

/// What a proof with this anchor, previous block, script and value pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputsClaim {
    /// A complete link or genesis.
    pub anchor: Id,
    /// The Bitcoin block that the proof builds on.
    pub previous_block: Id,
    /// The finder's script.
    pub payout: RawScript,
    /// Satoshi.
    pub coinbase_value: u64,
    /// The outputs in their order, without witness commitment and last output.
    pub outputs: Vec<OutputRow>,
}

/// How an id stands at this line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofClaim {
    /// The proof.
    pub id: Id,
    /// `unlistable` stands for whatever is not known.
    pub verdict: ProofVerdict,
    /// How its list stands.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub list_verdict: Option<ListVerdict>,
}

/// The keys that tell a line's kind.
#[derive(Deserialize)]
struct Keys {
    claim: Option<IgnoredAny>,
    header: Option<IgnoredAny>,
    proof: Option<IgnoredAny>,
    list_of: Option<IgnoredAny>,
    now: Option<IgnoredAny>,
}

impl Line {
    /// Reads a line of JSON.
    ///
    /// # Errors
    /// What the format does not allow, in words.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        let Keys { claim, header, proof, list_of, now } = exact(json)?;
        match (claim, header, proof, list_of, now) {
            (Some(_), None, None, None, None) => exact(json).map(Self::Claim),
            (None, Some(_), None, None, None) => exact(json).map(Self::Header),
            (None, None, Some(_), None, None) => exact(json).map(Self::Proof),
            (None, None, None, Some(_), None) => exact(json).map(Self::List),
            (None, None, None, None, Some(_)) => exact(json).map(Self::Now),
            _ => Err("is none of header, proof, list_of, now or claim, or several".to_owned()),
        }
        .and_then(Self::bounded)
    }

    /// Refuses what no type can: lists that are too long, and a judgement of a list that is not there.
    fn bounded(self) -> Result<Self, String> {
        let list = match &self {
            Self::Proof(ProofLine { list: None, list_verdict: Some(_), .. }) => {
                return Err("has a list_verdict without a list".to_owned());
            }
            Self::Proof(line) => line.list.as_ref(),
            Self::List(line) => Some(&line.list),
            Self::Header(_) | Self::Now(_) | Self::Claim(_) => None,
        };
        if list.is_some_and(|list| list.len() > crate::IDS_MAX) {
            return Err(format!("list has more than {} ids", crate::IDS_MAX));
        }
        Ok(self)
    }
}

/// Reads all of `json` as one value.
pub(crate) fn exact<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    serde_json::from_slice(json).map_err(|error| error.to_string())
}
