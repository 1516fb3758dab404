//! Every bound of this crate, with its unit and its reason.

use std::time::Duration;

/// Rows of one transaction, after which it is written: a second or two of work for the server, and what is lost when
/// either side is killed.
pub const BATCH_ROWS: usize = 50_000;

/// Bytes of one batch in memory, after which it is written: links with long lists and blocks have few and large rows. Two
/// batches exist at a time.
pub const BATCH_BYTES: usize = 32 << 20;

/// Batches that wait for the writer: one, so that the recording is read while the last batch is written.
pub const BATCHES_WAITING: usize = 1;

/// Payout scripts whose numbers a loader remembers: all of a large pool. With 34 bytes each and the map 10 MB.
pub const SCRIPTS_KNOWN_MAX: usize = 100_000;

/// Found Bitcoin blocks whose windows are awaited. Each costs the work of a block; those whose links never become complete
/// would wait for ever.
pub const BLOCKS_AWAITED_MAX: usize = 1_000;

/// Time to connect with the server.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for the whole begin of a connection: name, socket, TLS and login. A server that hangs takes connections and says nothing.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Time for all statements of a batch, before its connection is given up: twice the longest statement. The server's own limits
/// do not end what waits for a server that is gone or hangs.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(1_200);

/// Time after which the operator is told that the database has not taken a batch yet. It takes a second or two.
pub const SLOW: Duration = Duration::from_secs(60);

/// Bytes that a server may send while a batch is written, or before it is asked at all: six times the numbers of
/// [`BATCH_ROWS`] scripts. They stay in memory until an answer is whole.
pub const ANSWERS_BYTES_MAX: usize = 16 << 20;

/// Time until the next attempt after the server refused or went away. It doubles each time.
pub const RETRY: Duration = Duration::from_millis(250);

/// Longest time until the next attempt.
pub const RETRY_MAX: Duration = Duration::from_secs(10);

/// Time for which a command goes on trying to reach a server that was there: it may be restarting. A command that ends
/// can be repeated, and goes on where it stopped.
pub const AWAY_MAX: Duration = Duration::from_secs(120);

/// Times that a transaction is tried again which the server gave up because of another loader.
pub const CONFLICTS_MAX: u32 = 20;

/// Time after which the server ends a loader's statement, ms: ten times what the largest batch takes on a slow disk.
pub const STATEMENT_TIMEOUT_MS: u32 = 600_000;

/// Time after which the server ends a transaction whose loader does nothing, ms, so that a stopped loader holds up no
/// other.
pub const IDLE_TIMEOUT_MS: u32 = 60_000;

/// Length of the path of a Unix socket, bytes: the system's bound.
pub const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Bytes of the queue on disk between a node and its archive: two months at main's pace, with 300 bytes a proof. Beyond it
/// the node reads its journal no further until there is room.
pub const QUEUE_BYTES_MAX: u64 = 4 << 30;

/// Bytes that files take on disk in multiples of.
pub const QUEUE_FILE_BYTES: u64 = 4_096;

/// Rows of one file of the queue while others wait: the database is away, and few large files are better than many small
/// ones.
pub const QUEUE_ROWS: usize = 5_000;

/// Rows of one row group of an exported file: what is in memory while it is written, 30 MB.
pub const EXPORT_GROUP_ROWS: usize = 100_000;

/// Rows that an export asks the server for at a time.
pub const EXPORT_FETCH_ROWS: i32 = 10_000;

/// Links that are watched because they are not complete yet, 32 bytes each. The oldest give way: a link on a branch that
/// nobody extends never becomes complete.
pub const LINKS_WATCHED_MAX: usize = 10_000;

/// Interval at which the journal is read for the archive, and at which the archive's queue is looked at while it is empty.
/// Readers of history can wait that long.
pub const LOOK: Duration = Duration::from_secs(5);

/// Time for which rows are held back while others wait in the archive's queue, so that few large files are written and not
/// many small ones. They are read from the journal again if the node ends.
pub const HELD: Duration = Duration::from_secs(60);

/// Time until the next attempt after the archive refused a batch.
pub const REFUSED_RETRY: Duration = Duration::from_secs(60);

/// Records of the journal that are read again for the archive when a node starts: more than a crash of the machine can
/// lose, half an hour of main.
pub const AGAIN: u64 = 5_000;

/// Events of a node's log that are read for the archive at a time, some 300 bytes each.
pub const EVENTS_READ: usize = 1_000;

/// Connections of a process that reads: as many as two processors of a database server keep busy. Further requests wait.
pub const READERS_MAX: usize = 8;

/// Maximum number of sums over shares computed for readers at a time. Each takes up to a hundred times as long as a page.
pub const SUMS_MAX: usize = 2;

/// Maximum number of such sums, running or waiting; more are refused at once. Half of [`READERS_MAX`], so that pages stay
/// available.
pub const SUMS_ASKED_MAX: usize = 4;

/// Time for which a request waits for a connection.
pub const READ_WAIT: Duration = Duration::from_secs(2);

/// Time for which readers are told that the server is away after a connection failed.
pub const READ_AWAY: Duration = Duration::from_secs(1);

/// Time after which the server ends a reader's statement, ms: a thousand times what a page takes.
pub const READ_TIMEOUT_MS: u32 = 8_000;

/// Time until a statement whose reader disconnected is canceled: most have ended by then, and their connection stays of use.
pub const READ_LEFT_SOON: Duration = Duration::from_millis(100);

/// How long a connection waits for the end of a statement whose reader disconnected: longer than [`READ_TIMEOUT_MS`].
pub const READ_LEFT: Duration = Duration::from_secs(10);

/// Links whose credits are read at a time, for the sums of a window: some 1 MB.
pub const WINDOW_LINKS: i32 = 1_000;

/// Links near the tip whose unlisted shares are shown as waiting: five minutes at main's pace.
pub const PENDING_LINKS: u32 = 30;

/// Bitcoin headers of one page.
pub const HEADERS_PAGE: i32 = 10_000;
