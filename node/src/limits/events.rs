//! Bounds of the event log, its receivers, and the log.

use std::num::NonZeroU32;
use std::time::Duration;

/// Events kept in the event log, newest first: months of a quiet node, about 3 MB on disk.
pub const EVENT_LOG_EVENTS_MAX: u64 = 10_000;

/// Rejected proofs that can wait to be logged. A peer is banned after ten, so hundreds at once mean that many peers
/// attack.
pub const REFUSED_QUEUE: usize = 256;

/// Rejected proofs of peers that the event log accepts per hour. More than that is an attack, and would push out all
/// other events. The database still has the reason of every rejection.
pub const PEERS_REFUSED_AN_HOUR: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Events of single devices that the event log and its receivers accept per hour; the rest are counted in one event per
/// check. More than that is a power cut at a farm, or made-up names, and would push out all other events.
pub const WORKER_EVENTS_AN_HOUR: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Solo blocks that can wait for the event log. Each costs the work of a Bitcoin block; test networks find a few a
/// second.
pub const SOLO_QUEUE: usize = 16;

/// Maximum number of receivers of each kind that notify people. Each has its own task and queue.
pub const NOTIFY_RECEIVERS_MAX: usize = 8;

/// Maximum length of a sentence for people, characters. Telegram and ntfy accept 4,096, Discord 2,000 with title and
/// link.
pub const NOTIFY_CHARS_MAX: usize = 1_000;

/// Time limit for handing a mail to the server. Servers that delay unknown senders take up to half a minute.
pub const MAIL_TIMEOUT: Duration = Duration::from_secs(60);

/// Maximum number of bytes that a mail server may send while it accepts a mail. Its certificates have about 5 KB, its
/// answers less.
pub const MAIL_ANSWER_BYTES_MAX: usize = 256 << 10;

/// Maximum number of webhook URLs. Each has its own task and queue.
pub const WEBHOOKS_MAX: usize = 16;

/// Events that can wait for one receiver, more than a node logs in a day. Further ones are dropped with a warning.
pub const WEBHOOK_QUEUE: usize = 256;

/// Time limit for a receiver to answer.
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// Shortest and longest pause before a delivery is retried.
pub const WEBHOOK_PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// Retries before an event is dropped: with the pauses above, about an hour.
pub const WEBHOOK_RETRIES: usize = 20;

/// Lines of one kind that the log accepts in a burst: the first peers of a node, or a day of rare warnings.
pub const LOG_BURST_LINES: u64 = 30;

/// Lines of one kind that the log accepts per minute after a burst. A flood of five kinds writes 3 MB a day.
pub const LOG_LINES_A_MINUTE: u64 = 2;

/// Length of the excerpt that represents suppressed lines, characters.
pub const LOG_SENTENCE_CHARS_MAX: usize = 120;
