//! Recordings of share-chains, as `specs/recording.md` describes them: everything that one node needs to judge a chain,
//! in the order in which it came, and what the recorder claims to have found.
//!
//! ```text
//! value.rs     how single values are written: hexadecimal, decimal strings
//! verdict.rs   the words for judgements
//! start.rs     the first line: network, constants, the Bitcoin headers to start from
//! line.rs      all other lines
//! read.rs      from a file to lines; refuses what the format does not allow
//! write.rs     from lines to a file, and from a node's journal to lines
//! claim.rs     what a chain says of itself, as claims
//! replay.rs    plays lines into a chain and compares; the twin of `specs/model/replay.py`
//! compare.rs   what a claim and the chain differ in
//! ```
//!
//! Nothing in a file is trusted: sizes are bounded, and whatever the format does not name is an error.

mod claim;
mod compare;
mod line;
mod read;
mod replay;
mod start;
mod value;
mod verdict;
mod write;

pub use claim::{ClaimLimits, claims};
pub use compare::Difference;
pub use line::{
    Claim, HeaderLine, Line, LinkClaim, ListLine, NowLine, OutputRow, OutputsClaim, ProofClaim, ProofLine, SumRow,
    TipClaim, WindowClaim,
};
pub use read::{ReadError, Reader};
pub use replay::{Counts, Replay};
pub use start::{Parameters, RootLine, Start};
pub use value::{Decimal, Id, Number, RawHeader, RawProof, RawScript};
pub use verdict::{HeaderVerdict, ListVerdict, ProofVerdict, Rule};
pub use write::{Came, WriteError, Writer, lines_of};

/// Version of the format.
pub const VERSION: u32 = 1;

/// Bytes of a line with its line feed, at most: far above the largest window of a real network.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// Bytes of a proof in a recording, at most: more than are valid, so that SC-001 can be shown.
pub const PROOF_BYTES_MAX: usize = 4_096;

/// Ids of a list in a recording, at most: what the count of an encoded list can say.
pub const IDS_MAX: usize = 65_535;

/// Bitcoin headers of a root, at most: four retarget periods.
pub const ROOT_HEADERS_MAX: usize = 8_192;
