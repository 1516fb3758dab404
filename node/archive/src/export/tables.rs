//! What is exported: one file for each table and month. Scripts and ids are written out, so that no file needs another.

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A time in UTC.
    Time,
    /// An integer of 32 bits.
    Int,
    /// An integer of 64 bits.
    Long,
    /// True or false.
    Flag,
    /// A script, in bytes.
    Bytes,
    /// A text.
    Text,
    /// A hash or id, 32 bytes.
    Hash,
    /// A weight, or a number of hashes, of at most 38 digits.
    Decimal,
}

/// An exported table.
#[derive(Debug)]
pub(super) struct Exported {
    /// Its name, with which its files begin.
    pub(super) name: &'static str,
    /// Its columns.
    pub(super) columns: &'static [(&'static str, Kind)],
    /// The query that gives them, with `{from}` and `{to}` for the month.
    pub(super) sql: &'static str,
}

/// All of them.
pub(super) const ALL: [Exported; 7] = [
    Exported {
        name: "share",
        columns: &[
            ("time", Kind::Time),
            ("id", Kind::Hash),
            ("parent", Kind::Long),
            ("height", Kind::Int),
            ("bitcoin_height", Kind::Int),
            ("coinbase_value", Kind::Long),
            ("script", Kind::Bytes),
            ("weight", Kind::Decimal),
            ("hashes", Kind::Decimal),
            ("is_link", Kind::Flag),
            ("is_block", Kind::Flag),
        ],
        sql: "select time, id, parent, height, bitcoin_height, coinbase_value, script.script, weight, hashes, is_link, is_block
            from share join script on script.number = share.script where time >= {from} and time < {to}",
    },
    Exported {
        name: "link",
        columns: &[
            ("time", Kind::Time),
            ("id", Kind::Hash),
            ("parent", Kind::Hash),
            ("height", Kind::Int),
            ("bitcoin_height", Kind::Int),
            ("previous_block", Kind::Hash),
            ("state_root", Kind::Hash),
            ("chain_work", Kind::Decimal),
            ("link_hashes", Kind::Decimal),
            ("share_hashes", Kind::Decimal),
            ("has_list", Kind::Flag),
            ("is_main", Kind::Flag),
        ],
        sql: "select time, id, parent, link.height, bitcoin_height, previous_block, state_root, chain_work, link_hashes,
                share_hashes, list is not null, place.link is not null
            from link left join place on place.height = link.height and place.link = link.key
            where time >= {from} and time < {to}",
    },
    Exported {
        name: "listing",
        columns: &[
            ("time", Kind::Time),
            ("link", Kind::Hash),
            ("height", Kind::Int),
            ("position", Kind::Int),
            ("share", Kind::Hash),
        ],
        sql: "select link.time, link.id, link.height, position, share from listing join link on link.key = listing.link
            where link.time >= {from} and link.time < {to} and listing.time >= {from} and listing.time < {to}",
    },
    Exported {
        name: "credit",
        columns: &[
            ("time", Kind::Time),
            ("link", Kind::Hash),
            ("height", Kind::Int),
            ("script", Kind::Bytes),
            ("proofs", Kind::Int),
            ("weight", Kind::Decimal),
        ],
        sql: "select link.time, link.id, link.height, script.script, credit.proofs::integer, credit.weight
            from credit join link on link.key = credit.link join script on script.number = credit.script
            where link.time >= {from} and link.time < {to} and credit.time >= {from} and credit.time < {to}",
    },
    Exported {
        name: "payout",
        columns: &[
            ("time", Kind::Time),
            ("block", Kind::Hash),
            ("bitcoin_height", Kind::Int),
            ("position", Kind::Int),
            ("script", Kind::Bytes),
            ("value_sat", Kind::Long),
            ("drawn", Kind::Flag),
        ],
        sql: "select block.time, block.hash, block.height, position, script.script, payout.value_sat, drawn
            from block join payout on payout.block = block.hash join script on script.number = payout.script
            where block.time >= {from} and block.time < {to}",
    },
    Exported {
        name: "reorganization",
        columns: &[
            ("time", Kind::Time),
            ("fork_height", Kind::Int),
            ("left_links", Kind::Int),
            ("entered_links", Kind::Int),
            ("old_tip", Kind::Hash),
            ("new_tip", Kind::Hash),
        ],
        sql: "select time, fork_height, left_links, entered_links, old_tip, new_tip from reorganization
            where time >= {from} and time < {to}",
    },
    Exported {
        name: "event",
        columns: &[
            ("time", Kind::Time),
            ("node", Kind::Hash),
            ("number", Kind::Long),
            ("kind", Kind::Text),
            ("sentence", Kind::Text),
            ("page", Kind::Text),
            ("details", Kind::Text),
        ],
        sql: "select time, node, number, kind, sentence, coalesce(page, ''), details::text from event
            where time >= {from} and time < {to}",
    },
];
