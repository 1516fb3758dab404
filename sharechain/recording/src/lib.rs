//! Recordings of share-chains, as specified in `specs/recording.md`: everything that a node needs to judge a chain, in
//! order of arrival, and the results that the recorder claims.
//!
//! ```text
//! value.rs         text form of single values: hexadecimal, decimal strings
//! verdict.rs       verdicts and their text form
//! start.rs         the first line: network, constants, the Bitcoin headers to start from
//! line.rs          all other lines
//! read.rs          reads lines from a file; rejects everything that the format does not allow
//! write.rs         writes lines to a file; turns a node's journal into lines
//! claim.rs         describes the state of a chain as claims
//! base.rs          the base of a pruned node's share-chain, verified as a newcomer does it
//! replay.rs        replays lines into a chain; the counterpart of `specs/model/replay.py`
//! replay/begin.rs  replays the base of a pruned node's recording
//! replay/changes.rs  the changes that the lines cause, for callers that keep them
//! replay/check.rs  compares claims with the state of the chain
//! replay/ancestors.rs  the links below a claimed one, as the check of its list needs them
//! compare.rs       differences between a recording and the rules
//! ```
//!
//! Nothing in a file is trusted. Sizes are bounded, and anything that the format does not define is an error.
//!
//! `examples/verify_recording.rs` verifies a recording:
//! `cargo run --release -p recording --example verify_recording -- FILE`.

mod base;
mod claim;
mod compare;
mod line;
mod read;
mod replay;
mod start;
mod value;
mod verdict;
mod write;

pub use base::{Base, BaseReader, Unverified};
pub use claim::{ClaimLimits, claims};
pub use compare::Difference;
pub use line::{
    BaseEndLine, BaseLine, BaseLinkLine, BaseRowsLine, BeginsLine, Claim, HeaderLine, Line, LinkClaim, ListLine,
    NowLine, OutputRow, OutputsClaim, ProofClaim, ProofLine, StateClaim, SumRow, TipClaim, WindowClaim,
};
pub use read::{ReadError, Reader};
pub use replay::{Counts, Replay};
pub use start::{RootLine, Start};
pub use value::{Decimal, Id, Number, RawBytes, RawHeader, RawProof, RawScript};
pub use verdict::{HeaderVerdict, ListVerdict, ProofVerdict, Rule};
pub use write::{Came, WriteError, Writer, lines_of};

/// Version of the recording format.
pub const VERSION: u32 = 2;

/// Maximum length of a line with its line feed, bytes. Far above the largest window of a real network.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// Maximum length of an encoded proof in a recording, bytes. Longer than valid, so that a recording can show SC-001
/// broken.
pub const PROOF_BYTES_MAX: usize = 4_096;

/// Maximum number of ids in a list in a recording: the largest count that an encoded list can have.
pub const IDS_MAX: usize = 65_535;

/// Maximum number of Bitcoin headers in a root: about four difficulty periods.
pub const ROOT_HEADERS_MAX: usize = 8_192;
