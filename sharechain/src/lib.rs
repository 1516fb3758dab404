//! The consensus rules of Shoal: pure, without clock, randomness or I/O.
//!
//! A caller gives a [`Chain`] proofs, lists, Bitcoin headers, and the time. The chain says what each is worth and what
//! changed. `specs/protocol.md` explains the protocol, and `specs/rules.md` numbers the rules. `examples/judge_proof.rs`
//! judges one proof: `cargo run --release -p sharechain --example judge_proof`.
//!
//! # Levels of validity
//!
//! Each level includes the ones before it. The types keep them apart, so that no check is skipped or repeated.
//!
//! | level | type | rules | what it allows |
//! |---|---|---|---|
//! | decoded | [`Proof`] | SC-001 to SC-010 | nothing yet: such bytes cost no work |
//! | bound | [`check::binding::BoundProof`] | SC-101, SC-102 | [`Chain::insert`]: the work was spent on this share header |
//! | valid | [`credit::Credit`] | SC-201 to SC-214, SC-301 | to be stored, forwarded, listed, and paid |
//! | a link | [`chain::Link`] | valid, and the hash meets the link target (SC-110) | to be a parent |
//! | complete, links only | [`chain::Complete`] | SC-401 to SC-408, and the parent is complete | to count for fork choice |
//! | on the main chain | [`chain::Fate::MainLink`] | SC-501 | to be built on; its list earns |
//! | settled, links only | [`chain::Settled`] | policy, protocol section 12 | this node undoes it for a lasting majority only |
//!
//! A proof that is not valid is one of three other things. [`Outcome::Held`]: something is missing, and the proof costs no
//! peer anything. [`Outcome::Invalid`]: it breaks a rule, and its sender is penalized. [`Outcome::Unlistable`]: it is too
//! old to be of use. An invalid proof makes its id invalid only if every proof with that id breaks the rule
//! ([`RuleError::invalidates_id`]).
//!
//! # Glossary
//!
//! Sections are those of `specs/protocol.md`.
//!
//! **Proofs and the chain**
//!
//! - *Proof*: a Bitcoin block header, and the data that ties it to a share header (section 4). Its *id* is the header's
//!   hash.
//! - *Share*: a valid proof whose hash meets the share target of its position (SC-111, SC-209). Shares earn.
//! - *Link*: a share whose hash also meets the link target of its position (SC-110). Links form the chain. A *block* is
//!   always a Bitcoin block.
//! - *Genesis*: the first link. It has no proof, and its id is the network's *consensus id* (section 3).
//! - *Parent*: the link that a proof extends (SC-201). *Height*: a proof's is one above its parent's; genesis has 0.
//! - *Anchor*: the ancestor of the parent exactly `anchor_depth` links below it, or genesis (SC-202). The share target
//!   (SC-111) and the payouts (SC-302) follow from it, so that a race between the newest links changes neither.
//! - *Position*: what a link decides for its children: height, anchor, both targets, least time, and least Bitcoin work
//!   (section 1).
//! - *Main chain*, *tip*: the complete branch with the most work, and its newest link (SC-501).
//!
//! **Lists and credit**
//!
//! - *List*: the ids of the proofs that a link credits. The link's header commits to it, and it travels beside the proof
//!   (SC-401).
//! - *Complete*: a link whose list and all lists before it are known and valid. *Void*: a link whose list breaks a rule; it
//!   earns as a share, but nothing built on it counts (SC-407).
//! - *Pending*: a valid proof that the main chain does not list yet. *Expired*: one too deep to be listed anymore
//!   (SC-403).
//! - *Held*: a proof that cannot be judged until something arrives, within bounds of count, bytes, and time (sections 11
//!   and 12).
//! - *Weight*: a score in expected Bitcoin blocks, in units of 2^-64 block. A share's weight is the work of its share
//!   target (SC-112), whatever its hash.
//! - *Credit*: the weight that a link gives a proof that it lists (SC-410) and itself, with a bonus (SC-113, SC-411).
//!   [`credit::Credit`] is what the chain keeps of a valid proof for this.
//! - *Row*: the credit of one link to one script, summed (section 8).
//!
//! **Payouts**
//!
//! - *Snapshot*: the newest link of a window. It follows from the anchor, the previous Bitcoin block and the parent's
//!   snapshot (SC-302). A clone of the chain for readers is not a snapshot, but a published chain or a frozen view.
//! - *PPLNS window*: the links whose credits determine a payout (pay per last N shares): from the snapshot back until the
//!   weights reach `window_weight` or the proofs `window_proofs` (SC-303).
//! - *Due*: the weight of one script in the window.
//! - *Selection*: who gets the outputs of a coinbase, by what weights (SC-305). A *plan* is a selection with its snapshot
//!   and seed.
//! - *Proportional output*: pays one of the largest dues as it is (SC-306).
//! - *Lottery*: all other dues draw for equal outputs, each with a chance in proportion to its due (SC-307). The *seed*,
//!   the hash of an earlier Bitcoin block, decides it (SC-302).
//! - *Finder*: the miner of a proof. The finder alone is paid until enough proofs are listed (SC-304).
//! - *State root*: the commitment of a link to the window that it pays by, the credits of its list, and all links
//!   before it (SC-408).
//! - *Effort*: work done over work expected since the pool's last Bitcoin block: 100% is average, below is lucky. No rule
//!   uses it.
//!
//! **Policy and upgrades**
//!
//! - *Policy*: decisions on which nodes may differ without disagreeing on the chain (section 12).
//! - *Settled*: a link that this node undoes only for a branch that outgrows its own for hours. *Conflict*: a heavier
//!   branch that would undo it (section 12).
//! - *Omission*: a link that leaves out a share that this node had long found valid. It loses ties (section 12).
//! - *Signals*: bits of the share header by which miners count themselves ready for an upgrade (SC-601, SC-602).
//!
//! # Modules
//!
//! ```text
//! params.rs            every constant of a network, and its consensus id
//!   pool_name.rs       names of private pools
//!   test_networks.rs   the constants of Bitcoin's test networks
//! limits.rs            bounds of everything that is read or kept
//! units.rs             heights, times, work, and weights as types
//! error.rs             one error for each numbered rule
//! share.rs             the data of a proof
//! encode.rs            its one canonical encoding
//! hash.rs              tagged hashes
//! coinbase.rs          the one valid coinbase of a share
//! target.rs            work arithmetic and retarget
//! signals.rs           upgrades, counted by links
//! bitcoin_headers.rs   Bitcoin's headers as a tree
//!   header.rs          a header, and what follows from its place
//!   median.rs          median times
//!   next.rs            what Bitcoin expects of the next header
//!   root.rs            where the tree starts
//!   rules.rs           Bitcoin's rules for headers
//!   tree.rs            storage of headers, and ancestor lookup
//! check.rs             the rules for a proof, without the chain's state
//!   binding.rs         the proof alone
//!   header.rs          its header at its position
//!   list.rs            a link's list, and what each entry earns
//! credit.rs            data of a valid proof
//! state.rs             the commitments of a link
//!   tree.rs            Merkle trees with sums
//!   history.rs         all links of a branch as one tree
//!   opening.rs         some leaves of a tree, with the path to its root
//! link_headers.rs      a chain of links, verified without lists
//!   encode.rs          the encoding of their beginning
//!   rows.rs            their credits, verified against their state roots
//! base.rs              deep links, in chunks
//!   encode.rs          their encoding
//!   check.rs           checks a database's chunks against the links' proofs
//! window.rs            the PPLNS window and its sums
//!   rows.rs            what one link credits
//!   scripts.rs         payout scripts by number
//! payout.rs            from weights to outputs
//!   claim.rs           a due, while it is selected
//!   split.rs           how many outputs, and which are proportional
//!   draw.rs            the lottery
//! payout_proof.rs      what a block pays a script, proven by the block alone
//!   encode.rs          its encoding
//!   verify.rs          its verification
//!   judge.rs           derives a script's payout from window and outputs
//!   block_window.rs    the data to prove it for any script
//! fork_choice.rs       which of two branches is the main chain
//! change_set.rs        changes made by a call, for stores and peers
//! chain.rs             the tree of links: insert, and everything that follows
//!   judge.rs           is one proof valid
//!   held.rs            proofs that wait
//!   refused.rs         ids that are remembered as invalid
//!   link.rs            data of a link
//!   complete.rs        when a link is complete
//!   wanted.rs          incomplete links, and what they wait for
//!   branch.rs          one branch, seen from its newest link
//!   advance.rs         moves of the tip
//!   settled.rs         settled links, and conflicts
//!   side.rs            links off the main chain: how many, and which are dropped first
//!   payouts.rs         windows and plans, with their caches
//!   prune.rs           forgets links and rows that nothing can need anymore
//!   plausible.rs       the easiest share target near the tip
//!   block_window.rs    data for payout proofs of a block
//!   template.rs        where new work belongs, and what it lists
//!   base.rs            a chain from base chunks, and back
//!   fate.rs            status of a share
//!   view.rs            read access
//! chunked.rs           private: a list whose clones share what they have in common
//! id_map.rs            private: a map by id that cannot be iterated
//! ordered.rs           private: a map in the order of its keys whose clones share
//! ```

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::float_arithmetic
    )
)]

pub mod base;
pub mod bitcoin_headers;
pub mod chain;
pub mod change_set;
pub mod check;
mod chunked;
pub mod coinbase;
pub mod credit;
pub mod encode;
pub mod error;
pub mod fork_choice;
pub mod hash;
mod id_map;
pub mod limits;
pub mod link_headers;
mod ordered;
pub mod params;
pub mod payout;
pub mod payout_proof;
pub mod share;
pub mod signals;
pub mod state;
pub mod target;
pub mod units;
pub mod window;

pub use chain::{Chain, Outcome};
pub use error::RuleError;
pub use params::{BitcoinParams, ChainParams, PoolName, PoolNameError};
pub use share::{CoinbasePrefix, Proof, ShareHeader};
pub use units::{Height, ShareId, Timestamp, U256, Weight, Work};
