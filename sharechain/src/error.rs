//! One error variant per numbered rule.

use thiserror::Error;

/// The numbered rule that a proof or a list breaks. Each variant repeats the rule's text from `specs/rules.md`; each
/// message starts with the rule's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RuleError {
    /// SC-001: An encoded proof has at most 960 bytes.
    #[error("SC-001: the encoded proof has more than 960 bytes")]
    TooLong,
    /// SC-002: The encoding does not end before its last field.
    #[error("SC-002: the encoding ends before its last field")]
    Truncated,
    /// SC-003: Nothing follows the last field.
    #[error("SC-003: bytes follow the last field")]
    TrailingBytes,
    /// SC-004: The version of the share header is 2.
    #[error("SC-004: unknown share header version {0}")]
    Version(u32),
    /// SC-005: The payout script is exactly P2PKH, P2SH, P2WPKH, P2WSH or P2TR, or of a witness version from 2 to 16
    /// with 32 bytes.
    #[error("SC-005: the payout script is not P2PKH, P2SH, P2WPKH, P2WSH, P2TR or of a later witness version")]
    PayoutScript,
    /// SC-006: The flag before the witness commitment is 0 or 1.
    #[error("SC-006: the flag before the witness commitment is neither 0 nor 1")]
    WitnessFlag,
    /// SC-007: The merkle branch has at most 14 hashes.
    #[error("SC-007: the merkle branch has more than 14 hashes")]
    BranchTooLong,
    /// SC-008: The coinbase before its last output has 100 to 65,535 bytes.
    #[error("SC-008: a coinbase cannot have {0} bytes before its last output")]
    PrefixLength(u32),
    /// SC-009: A list has at most 1,024 ids.
    #[error("SC-009: the list has more than 1,024 ids")]
    ListTooLong,
    /// SC-010: The null data script is empty, or OP_RETURN and one push of 1 to 80 bytes with the shortest length
    /// prefix that is not a witness commitment.
    #[error("SC-010: the null data script is not OP_RETURN and one push of 1 to 80 bytes")]
    NullData,

    /// SC-101: The hash is not above the easiest plausible target.
    #[error("SC-101: the hash is above the easiest plausible target")]
    NoWork,
    /// SC-102: The coinbase consists of the prefix, the commitment output and the locktime. Its hash, folded with the
    /// branch from the left, is the header's merkle root.
    #[error("SC-102: the coinbase, the commitment and the branch do not hash to the header's merkle root")]
    NotBound,

    /// SC-201: The parent is genesis or meets the link target of its own position.
    #[error("SC-201: the parent does not meet the link target of its own position")]
    ParentNotLink,
    /// SC-202: The anchor is the ancestor exactly `anchor_depth` links below the parent; genesis if the chain is
    /// shorter than that.
    #[error("SC-202: the anchor is not the parent's ancestor at anchor depth")]
    Anchor,
    /// SC-203: `time` is above the median of the times of the parent and its last ancestors, 11 links in total or as
    /// many as exist.
    #[error("SC-203: the time is not above the median time of the parent's last 11 links")]
    TimeTooOld,
    /// SC-204: The Bitcoin header's time is above the median time past of its previous block. If `timewarp_s` is not 0,
    /// the first block of a period is at most that much earlier than its previous block.
    #[error("SC-204: the Bitcoin header's time is earlier than Bitcoin allows after the previous block")]
    BitcoinTimeTooOld,
    /// SC-205: The two times are at most 7,200 s apart.
    #[error("SC-205: the times of the share header and the Bitcoin header are more than 7,200 s apart")]
    TimesApart,
    /// SC-206: `bitcoin_height` is one above the height of the previous block.
    #[error("SC-206: the Bitcoin height is not one above the height of the previous block")]
    BitcoinHeight,
    /// SC-207: nBits is the value that Bitcoin expects after the previous block in a header with this time.
    #[error("SC-207: nBits is not the value that Bitcoin expects after the previous block at this time")]
    Bits,
    /// SC-208: Bitcoin's chain work at the previous block is not below that at the parent's previous block.
    #[error("SC-208: the previous block has less chain work than the parent's previous block")]
    BitcoinWorkFell,
    /// SC-209: The hash is not above the share target of the position.
    #[error("SC-209: the hash is above the share target")]
    ShareTarget,
    /// SC-210: Subsidy <= `coinbase_value` <= 21 million bitcoin.
    #[error("SC-210: the coinbase value is below the subsidy or above 21 million bitcoin")]
    CoinbaseValue,
    /// SC-211: `bitcoin_height` is not below `start_height`.
    #[error("SC-211: the Bitcoin height is below the start height of the share-chain")]
    BeforeStart,

    /// SC-212: The parent is not invalid.
    #[error("SC-212: the parent is invalid")]
    ParentInvalid,
    /// SC-213: The version of the Bitcoin header, as a signed number, is at least 4.
    #[error("SC-213: Bitcoin rejects blocks of version {0}")]
    BlockVersion(i32),
    /// SC-214: The coinbase before its last output has at most `prefix_bytes_max` bytes.
    #[error("SC-214: with {0} bytes before its last output, the coinbase is too long for this pool")]
    CoinbaseTooLong(u32),

    /// SC-301: The coinbase is, byte for byte, the one that follows from the share header, the extranonce, the witness
    /// commitment and the payouts below.
    #[error("SC-301: the coinbase does not pay the outputs that follow from the share-chain")]
    Payout,

    /// SC-401: The list is the one to which the share header commits by root and count.
    #[error("SC-401: the share header does not commit to this list")]
    ListRoot,
    /// SC-402: The list is strictly ascending by (height, id).
    #[error("SC-402: the list is not in strictly ascending order of height and id")]
    ListOrder,
    /// SC-403: Each listed proof's anchor is on the link's chain and at most `listing_depth` links below the link.
    #[error("SC-403: a listed proof's anchor is not on the link's chain or is too far below the link")]
    ListAnchor,
    /// SC-404: Each listed proof's parent is on the branch, was listed by an earlier link, or comes earlier in the
    /// list.
    #[error("SC-404: a listed proof's parent is neither on the branch nor listed before the proof")]
    ListParent,
    /// SC-405: No earlier link of the branch lists the proof or is the proof itself.
    #[error("SC-405: an earlier link of the branch lists a listed proof or is the proof")]
    ListRepeats,
    /// SC-406: No listed proof is invalid.
    #[error("SC-406: a listed proof is invalid")]
    ListInvalid,
    /// SC-407: The parent's list is valid.
    #[error("SC-407: the parent's list is invalid")]
    ParentListInvalid,
    /// SC-408: The state root is the one that follows from the window that the link pays by, the credits of its list,
    /// and the links and signals below it.
    #[error("SC-408: the state root is not the one that follows from the share-chain")]
    StateRoot,

    /// SC-901: No amount leaves its range. No known input passes the rules above and breaks this one.
    #[error("SC-901: an amount left its range")]
    Overflow,
}

impl RuleError {
    /// Number of the rule: `SC-` and three digits.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::TooLong => "SC-001",
            Self::Truncated => "SC-002",
            Self::TrailingBytes => "SC-003",
            Self::Version(_) => "SC-004",
            Self::PayoutScript => "SC-005",
            Self::WitnessFlag => "SC-006",
            Self::BranchTooLong => "SC-007",
            Self::PrefixLength(_) => "SC-008",
            Self::ListTooLong => "SC-009",
            Self::NullData => "SC-010",
            Self::NoWork => "SC-101",
            Self::NotBound => "SC-102",
            Self::ParentNotLink => "SC-201",
            Self::Anchor => "SC-202",
            Self::TimeTooOld => "SC-203",
            Self::BitcoinTimeTooOld => "SC-204",
            Self::TimesApart => "SC-205",
            Self::BitcoinHeight => "SC-206",
            Self::Bits => "SC-207",
            Self::BitcoinWorkFell => "SC-208",
            Self::ShareTarget => "SC-209",
            Self::CoinbaseValue => "SC-210",
            Self::BeforeStart => "SC-211",
            Self::ParentInvalid => "SC-212",
            Self::BlockVersion(_) => "SC-213",
            Self::CoinbaseTooLong(_) => "SC-214",
            Self::Payout => "SC-301",
            Self::ListRoot => "SC-401",
            Self::ListOrder => "SC-402",
            Self::ListAnchor => "SC-403",
            Self::ListParent => "SC-404",
            Self::ListRepeats => "SC-405",
            Self::ListInvalid => "SC-406",
            Self::ParentListInvalid => "SC-407",
            Self::StateRoot => "SC-408",
            Self::Overflow => "SC-901",
        }
    }

    /// True if every proof with the same id breaks the rule too, so that the node may remember the id itself as
    /// invalid.
    ///
    /// Only data that the Bitcoin header binds determines the id. If a proof does not bind, or if a peer altered its
    /// extranonce or witness commitment, the honest proof with the same id is unaffected.
    #[must_use]
    pub const fn invalidates_id(self) -> bool {
        matches!(
            self,
            Self::ParentNotLink
                | Self::Anchor
                | Self::TimeTooOld
                | Self::BitcoinTimeTooOld
                | Self::TimesApart
                | Self::BitcoinHeight
                | Self::Bits
                | Self::BitcoinWorkFell
                | Self::ShareTarget
                | Self::CoinbaseValue
                | Self::BeforeStart
                | Self::ParentInvalid
                | Self::BlockVersion(_)
                | Self::CoinbaseTooLong(_)
        )
    }
}
