//! Every limit of this crate, each with its unit and its reason.

use std::time::Duration;

/// Connections that the embedded Bitcoin serves at once. A node keeps a handful (one of them in a
/// long poll), and the test network has tens of nodes.
pub const RPC_CONNECTIONS_MAX: usize = 256;

/// Bytes of one RPC request: a full block of 4 MB in hexadecimal, and the JSON around it.
pub const RPC_BODY_BYTES_MAX: usize = 8_400_000;

/// Calls in one batch request: a node asks for headers in batches of at most 2,000.
pub const RPC_BATCH_MAX: usize = 4_096;

/// How long an RPC client waits for an answer; calls that mine nothing take milliseconds.
pub const RPC_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a long poll lasts before new transactions alone end it. bitcoind waits a minute; here
/// blocks come every few seconds and the templates are tiny.
pub const LONG_POLL_TRANSACTIONS_AFTER: Duration = Duration::from_secs(5);

/// Transactions waiting for a block. At 700 weight units each they fit a block ten times over, so
/// a template is always the whole pool.
pub const POOL_TRANSACTIONS_MAX: usize = 500;

/// Unconfirmed transactions that the wallet keeps in flight: a few for each block.
pub const WALLET_UNCONFIRMED_MAX: usize = 12;

/// Transactions that may stand in one dependent chain, far below the 25 that bitcoind relays.
pub const WALLET_CHAIN_MAX: u32 = 5;

/// Coins above which the wallet joins two into one rather than splitting one into two.
pub const WALLET_COINS_MAX: usize = 200;

/// How long a real bitcoind may take to answer its first call: it loads a chain of some hundred
/// blocks, on a machine that may be compiling at the same time.
pub const BITCOIND_START_MAX: Duration = Duration::from_secs(60);

/// How long a real bitcoind may take to stop before it is killed.
pub const BITCOIND_STOP_MAX: Duration = Duration::from_secs(20);

/// Most hashes of a miner in one go, about 5 ms of a core: nodes on the same core never wait longer.
pub const MINER_SLICE_HASHES_MAX: f64 = 25_000.0;

/// Pause between the starts of two slices of hashing, where the hashrate allows it.
pub const MINER_PERIOD: Duration = Duration::from_millis(20);

/// How far a miner that did not get the core may fall behind and still make up for it. Longer gaps
/// are given up, or a machine that wakes from sleep would hash at full speed.
pub const MINER_CATCH_UP_MAX: Duration = Duration::from_secs(2);

/// Pauses between two connection attempts of a miner, from the first to the longest.
pub const MINER_BACKOFF_MIN: Duration = Duration::from_millis(200);
/// See [`MINER_BACKOFF_MIN`]; short, because a restarted node should get its miners back at once.
pub const MINER_BACKOFF_MAX: Duration = Duration::from_secs(3);

/// Results of submitted shares that a miner waits for at once; an answer takes milliseconds.
pub const MINER_UNANSWERED_MAX: usize = 64;

/// Nodes of one test network: each is a process of some 100 MB, and a person has to read the table.
pub const NODES_MAX: usize = 24;

/// Miners of one test network: each is a process.
pub const MINERS_MAX: usize = 64;

/// Nodes that a node dials: the ones started before it. With five nodes all but one pair are neighbours, so that
/// something is relayed, and most partitions leave each side connected.
pub const LINKS_PER_NODE_MAX: usize = 3;

/// Connections through one link at once; a node opens one, and tries again after losing it.
pub const LINK_CONNECTIONS_MAX: usize = 32;

/// First TCP port that a test network takes; the range ends where systems hand out ports of outgoing connections.
pub const PORT_FIRST: u16 = 20_000;

/// One past the last port of that range.
pub const PORT_END: u16 = 32_000;

/// How long a stopped process may take to end by itself before it is killed.
pub const STOP_GRACE: Duration = Duration::from_secs(8);

/// How long the Bitcoin of the network may take to answer: the embedded one first checks 120 blocks, a real one may
/// have to be fetched.
pub const BITCOIN_START_MAX: Duration = Duration::from_secs(180);

/// How long a node's API may take for one answer before the node counts as not answering.
pub const API_TIMEOUT: Duration = Duration::from_secs(3);

/// Bytes of one API answer that are read: a window of 10,000 scripts is far below.
pub const API_ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Pause between two looks at all nodes.
pub const OBSERVE_INTERVAL: Duration = Duration::from_millis(1_000);

/// How long the nodes may take to agree after the miners stopped, before the report is written as it is.
pub const SETTLE_MAX: Duration = Duration::from_secs(30);

/// Bytes of one line on the control socket.
pub const CONTROL_LINE_BYTES_MAX: usize = 1024 * 1024;

/// How long an answer on the control socket may take: `restart` starts a process.
pub const CONTROL_ANSWER_MAX: Duration = Duration::from_secs(15);

/// Bytes of the path of a Unix socket that every system takes.
pub const SOCKET_PATH_BYTES_MAX: usize = 100;

/// Blocks and notes that the live table keeps.
pub const TABLE_HISTORY_MAX: usize = 64;
