//! Every limit of this crate, each with its unit and its reason.

use std::time::Duration;

/// Largest number of connections that the embedded Bitcoin serves at a time. A node has a handful, one of them in a
/// long poll, and the test network has dozens of nodes.
pub const RPC_CONNECTIONS_MAX: usize = 256;

/// Largest RPC request in bytes: a full block of 4 MB in hexadecimal, and the JSON around it.
pub const RPC_BODY_BYTES_MAX: usize = 8_400_000;

/// Largest number of calls in one batch request. A node asks for headers in batches of at most 2,000.
pub const RPC_BATCH_MAX: usize = 4_096;

/// Time limit for an RPC answer. Calls that mine nothing take milliseconds.
pub const RPC_TIMEOUT: Duration = Duration::from_secs(30);

/// Time after which new transactions alone end a long poll. bitcoind waits a minute. Here blocks come every few seconds
/// and the templates are tiny.
pub const LONG_POLL_TRANSACTIONS_AFTER: Duration = Duration::from_secs(5);

/// Largest number of unconfirmed transactions. At 700 weight units each, they fit into a block, so a template always holds
/// the whole pool.
pub const POOL_TRANSACTIONS_MAX: usize = 5_000;

/// Number of unconfirmed transactions that the wallet keeps in flight: a few for each block.
pub const WALLET_UNCONFIRMED_MAX: usize = 12;

/// Longest chain of dependent transactions, far below the 25 that bitcoind relays.
pub const WALLET_CHAIN_MAX: u32 = 5;

/// Number of coins above which the wallet joins two into one instead of splitting one into two.
pub const WALLET_COINS_MAX: usize = 200;

/// Time limit for a real bitcoind's first answer. It loads a chain of about a hundred blocks, on a machine that may
/// also be compiling.
pub const BITCOIND_START_MAX: Duration = Duration::from_secs(60);

/// How long a real bitcoind may take to stop before it is killed.
pub const BITCOIND_STOP_MAX: Duration = Duration::from_secs(20);

/// Largest number of hashes in one slice of a miner, about 5 ms on one core. Nodes on the same core never wait longer.
pub const MINER_SLICE_HASHES_MAX: f64 = 25_000.0;

/// Time between the starts of two slices of hashing, if the hashrate allows it.
pub const MINER_PERIOD: Duration = Duration::from_millis(20);

/// Time by which a miner without CPU may fall behind and still catch up. Longer gaps are dropped; otherwise, a machine
/// that wakes from sleep would hash at full speed.
pub const MINER_CATCH_UP_MAX: Duration = Duration::from_secs(2);

/// Shortest pause between two connection attempts of a miner.
pub const MINER_BACKOFF_MIN: Duration = Duration::from_millis(200);
/// Longest pause between two connection attempts of a miner. It is short, so that a restarted node soon gets its miners
/// back.
pub const MINER_BACKOFF_MAX: Duration = Duration::from_secs(3);

/// Largest number of unanswered submits of a miner. An answer takes milliseconds.
pub const MINER_UNANSWERED_MAX: usize = 64;

/// Largest number of nodes in a test network. Each is a process of about 100 MB, and the table must stay readable.
pub const NODES_MAX: usize = 24;

/// Largest number of miners in a test network. Each is a process.
pub const MINERS_MAX: usize = 64;

/// Largest number of connections of `bench stratum`: node and load need a descriptor for each, and many systems allow a
/// process 20,000.
pub const CONNECTIONS_MAX: usize = 19_000;

/// Largest number of payout addresses of all miners. A wide coinbase pays 1,000.
pub const PAYEES_MAX: usize = 10_000;

/// Number of earlier nodes that each node dials. With five nodes, all but one pair are neighbors, so that some data is
/// relayed, and most partitions leave each side connected.
pub const LINES_PER_NODE_MAX: usize = 3;

/// Largest number of connections through one line at a time. A node opens one, and opens another after losing it.
pub const LINE_CONNECTIONS_MAX: usize = 32;

/// First TCP port for a test network. The range ends before the ports that systems use for outgoing connections.
pub const PORT_FIRST: u16 = 20_000;

/// One past the last port of that range.
pub const PORT_END: u16 = 32_000;

/// How long a stopped process may take to exit before it is killed.
pub const STOP_GRACE: Duration = Duration::from_secs(8);

/// Time limit for the network's Bitcoin to answer. The embedded one first checks 120 blocks. A real one may have to be
/// downloaded.
pub const BITCOIN_START_MAX: Duration = Duration::from_secs(180);

/// Time limit for one answer of a node's API, after which the node counts as not answering.
pub const API_TIMEOUT: Duration = Duration::from_secs(3);

/// Largest API answer in bytes. A window of 10,000 scripts is far smaller.
pub const API_ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Interval between observations of all nodes.
pub const OBSERVE_INTERVAL: Duration = Duration::from_millis(1_000);

/// How long the nodes may take to agree after the miners have stopped, before the report is written anyway.
pub const SETTLE_MAX: Duration = Duration::from_secs(30);

/// Number of remembered folders of started networks, for commands that do not name one.
pub const NETWORKS_NOTED_MAX: usize = 64;

/// Largest line on the control socket, in bytes.
pub const CONTROL_LINE_BYTES_MAX: usize = 1024 * 1024;

/// Time limit for an answer on the control socket. `restart` starts a process.
pub const CONTROL_ANSWER_MAX: Duration = Duration::from_secs(15);

/// Longest path of a Unix socket that every system accepts, in bytes.
pub const SOCKET_PATH_BYTES_MAX: usize = 100;

/// Number of blocks and notes in the live table.
pub const TABLE_HISTORY_MAX: usize = 64;

/// Largest queue for one direction of a line, in bytes: 200 ms at 10 Mbit/s, as in home routers.
pub const LINK_QUEUE_BYTES_MAX: usize = 256 * 1024;

/// Largest total size of packets in flight, in bytes: a second at 100 Mbit/s on five lines.
pub const LINK_FLYING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Largest number of packets that were read but not processed. At the usual 1,500 bytes, 1.5 MB.
pub const LINK_READ_QUEUE_PACKETS: usize = 1_024;

/// Largest number of connections through one door. A node has about ten to its Bitcoin, and the pages' readers a few.
pub const DOOR_CONNECTIONS_MAX: usize = 256;

/// Largest number of shares watched at a time. At most about a hundred are in flight.
pub const WATCHED_SHARES_MAX: usize = 4_096;

/// Largest number of passages kept: half an hour of ten nodes and eight shares per second, 10 MB.
pub const WATCH_SAMPLES_MAX: usize = 200_000;

/// Longest line of a live event, in bytes. A status is a few kB.
pub const WATCH_EVENT_BYTES_MAX: usize = 256 * 1024;

/// Time limit for the archive to get the last shares: twice the time of a node, which checks its journal every five
/// seconds and holds rows back for up to a minute while others wait.
pub const ARCHIVE_WAIT_MAX: Duration = Duration::from_secs(120);
