//! The tables that loaders write, in the order in which a transaction writes them.

use tokio_postgres::types::Type;

use crate::copy::Table;

pub(crate) const HEADERS: Table = Table {
    name: "bitcoin_header",
    columns: &[
        ("time", Type::TIMESTAMPTZ),
        ("height", Type::INT4),
        ("hash", Type::BYTEA),
        ("previous", Type::BYTEA),
        ("chain_work", Type::NUMERIC),
        ("content", Type::BYTEA),
    ],
    on_conflict: "do nothing",
};

pub(crate) const SHARES: Table = Table {
    name: "share",
    columns: &[
        ("time", Type::TIMESTAMPTZ),
        ("key", Type::INT8),
        ("parent", Type::INT8),
        ("coinbase_value", Type::INT8),
        ("height", Type::INT4),
        ("bitcoin_height", Type::INT4),
        ("script", Type::INT4),
        ("is_link", Type::BOOL),
        ("is_block", Type::BOOL),
        ("id", Type::BYTEA),
        ("weight", Type::NUMERIC),
        ("hashes", Type::NUMERIC),
    ],
    on_conflict: "do nothing",
};

pub(crate) const LINKS: Table = Table {
    name: "link",
    columns: &[
        ("key", Type::INT8),
        ("time", Type::TIMESTAMPTZ),
        ("height", Type::INT4),
        ("bitcoin_height", Type::INT4),
        ("id", Type::BYTEA),
        ("parent", Type::BYTEA),
        ("previous_block", Type::BYTEA),
        ("state_root", Type::BYTEA),
        ("chain_work", Type::NUMERIC),
        ("link_hashes", Type::NUMERIC),
        ("share_hashes", Type::NUMERIC),
        ("list", Type::BYTEA),
        ("credit_scripts", Type::INT4_ARRAY),
        ("credit_proofs", Type::INT2_ARRAY),
        ("credit_weights", Type::NUMERIC_ARRAY),
    ],
    // The recording of a pruned node does not say what its first links list; a later one may.
    on_conflict: "(key) do update set list = excluded.list where link.list is null and excluded.list is not null",
};

pub(crate) const REORGANIZATIONS: Table = Table {
    name: "reorganization",
    columns: &[
        ("time", Type::TIMESTAMPTZ),
        ("fork_height", Type::INT4),
        ("left_links", Type::INT4),
        ("entered_links", Type::INT4),
        ("old_tip", Type::BYTEA),
        ("new_tip", Type::BYTEA),
    ],
    on_conflict: "do nothing",
};

pub(crate) const BLOCKS: Table = Table {
    name: "block",
    columns: &[
        ("time", Type::TIMESTAMPTZ),
        ("value_sat", Type::INT8),
        ("height", Type::INT4),
        ("finder", Type::INT4),
        ("exact", Type::INT4),
        ("hash", Type::BYTEA),
        ("previous", Type::BYTEA),
        ("snapshot", Type::BYTEA),
        ("seed", Type::BYTEA),
        ("coinbase", Type::BYTEA),
        ("proof", Type::BYTEA),
    ],
    on_conflict: "do nothing",
};

pub(crate) const PAYOUTS: Table = Table {
    name: "payout",
    columns: &[
        ("value_sat", Type::INT8),
        ("script", Type::INT4),
        ("position", Type::INT4),
        ("drawn", Type::BOOL),
        ("block", Type::BYTEA),
    ],
    on_conflict: "do nothing",
};

pub(crate) const WINDOWS: Table = Table {
    name: "block_window",
    columns: &[("block", Type::BYTEA), ("content", Type::BYTEA)],
    on_conflict: "do nothing",
};

pub(crate) const EVENTS: Table = Table {
    name: "event",
    columns: &[
        ("time", Type::TIMESTAMPTZ),
        ("number", Type::INT8),
        ("node", Type::BYTEA),
        ("kind", Type::TEXT),
        ("sentence", Type::TEXT),
        ("page", Type::TEXT),
        ("details", Type::JSONB),
    ],
    on_conflict: "do nothing",
};

/// All of them.
pub(crate) const ALL: [&Table; 8] = [&HEADERS, &SHARES, &LINKS, &REORGANIZATIONS, &BLOCKS, &PAYOUTS, &WINDOWS, &EVENTS];
