//! One error for each numbered rule.

use thiserror::Error;

/// A broken rule. The number in front of each message is the rule's number in `specs/rules.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RuleError {
    /// SC-001
    #[error("SC-001: the encoded proof is longer than any proof can be")]
    TooLong,
    /// SC-002
    #[error("SC-002: the encoding ends before its last field")]
    Truncated,
    /// SC-003
    #[error("SC-003: bytes follow the last field")]
    TrailingBytes,
    /// SC-004
    #[error("SC-004: share header version {0} is not known")]
    Version(u32),
    /// SC-005
    #[error("SC-005: the payout script is none of P2PKH, P2SH, P2WPKH, P2WSH and P2TR")]
    PayoutScript,
    /// SC-006
    #[error("SC-006: the flag before the witness commitment is neither 0 nor 1")]
    WitnessFlag,
    /// SC-007
    #[error("SC-007: the merkle branch has more than 14 hashes")]
    BranchTooLong,
    /// SC-008
    #[error("SC-008: no coinbase has {0} bytes before its last output")]
    PrefixLength(u32),
    /// SC-009
    #[error("SC-009: the list has more than 1,024 ids")]
    ListTooLong,

    /// SC-101
    #[error("SC-101: the hash is above the easiest plausible target")]
    NoWork,
    /// SC-102
    #[error("SC-102: coinbase, commitment and branch do not lead to the header's merkle root")]
    NotBound,

    /// SC-201
    #[error("SC-201: the parent does not meet the link target of its own position")]
    ParentNotLink,
    /// SC-202
    #[error("SC-202: the anchor is not the ancestor at the anchor's depth below the parent")]
    Anchor,
    /// SC-203
    #[error("SC-203: the time is not above the median of the parent's last 11")]
    TimeTooOld,
    /// SC-204
    #[error("SC-204: the Bitcoin header's time is not above the median time of its predecessors")]
    BitcoinTimeTooOld,
    /// SC-205
    #[error("SC-205: the times of share header and Bitcoin header are more than 7,200 s apart")]
    TimesApart,
    /// SC-206
    #[error("SC-206: the Bitcoin height is not one above that of the previous block")]
    BitcoinHeight,
    /// SC-207
    #[error("SC-207: nBits is not what Bitcoin expects after the previous block")]
    Bits,
    /// SC-208
    #[error("SC-208: the previous block has less chain work than that of the parent")]
    BitcoinWorkFell,
    /// SC-209
    #[error("SC-209: the hash is above the share target")]
    ShareTarget,
    /// SC-210
    #[error("SC-210: the coinbase value is below the subsidy or above 21 million bitcoin")]
    CoinbaseValue,
    /// SC-211
    #[error("SC-211: the previous block is below the height at which the share-chain starts")]
    BeforeStart,

    /// SC-212
    #[error("SC-212: the parent is invalid")]
    ParentInvalid,

    /// SC-301
    #[error("SC-301: the coinbase does not pay what the share-chain's history says")]
    Payout,

    /// SC-401
    #[error("SC-401: the list is not the one that the share header commits to")]
    ListRoot,
    /// SC-402
    #[error("SC-402: the list is not strictly ascending by height and id")]
    ListOrder,
    /// SC-403
    #[error("SC-403: a listed share's anchor is not on the chain or more than the listing depth below")]
    ListAnchor,
    /// SC-404
    #[error("SC-404: a listed share's parent is neither on the branch nor listed before it")]
    ListParent,
    /// SC-405
    #[error("SC-405: a listed share was listed before, or is a link of the branch")]
    ListRepeats,
    /// SC-406
    #[error("SC-406: a listed share is invalid")]
    ListInvalid,
    /// SC-407
    #[error("SC-407: the parent's list is invalid")]
    ParentListInvalid,

    /// An amount left its range; no input that passes the rules above does that.
    #[error("SC-901: an amount left its range")]
    Overflow,
}

impl RuleError {
    /// The rule's number, `SC-` and three digits.
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
            Self::Payout => "SC-301",
            Self::ListRoot => "SC-401",
            Self::ListOrder => "SC-402",
            Self::ListAnchor => "SC-403",
            Self::ListParent => "SC-404",
            Self::ListRepeats => "SC-405",
            Self::ListInvalid => "SC-406",
            Self::ParentListInvalid => "SC-407",
            Self::Overflow => "SC-901",
        }
    }

    /// True when every proof with the same id breaks the rule too, so that the id itself may be remembered as invalid.
    ///
    /// Only what the Bitcoin header binds says something about the id: a proof that does not bind, or whose extranonce
    /// or witness commitment somebody altered on the way, leaves the honest proof of the same id untouched.
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
        )
    }
}
