//! The file descriptors of this process: one for each miner, and those that everything else needs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{debug, warn};

use crate::limits::DESCRIPTORS_KEPT;

/// Raises this process's limit, as far as the system allows, to fit `miners` connections. Returns how many fit.
pub(super) fn room_for_miners(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = (wanted + DESCRIPTORS_KEPT) as u64;
    // None means no limit.
    let reachable = maximum.map_or(needed, |maximum| maximum.min(needed));
    let mut limit = current.unwrap_or(needed);
    if limit < reachable {
        match setrlimit(Resource::Nofile, Rlimit { current: Some(reachable), maximum }) {
            Ok(()) => limit = reachable,
            Err(error) => debug!(%error, "cannot raise the limit of open files"),
        }
    }
    let room = fitting(wanted, usize::try_from(limit).unwrap_or(usize::MAX));
    if room < wanted {
        warn!(
            miners = room,
            open_files = limit,
            "the system's limit of open files leaves room for fewer miners; raise it (ulimit -n, LimitNOFILE=) for more"
        );
    }
    room
}

/// Miners that fit into a limit of open files. With a low one, everything else gets half.
const fn fitting(wanted: usize, limit: usize) -> usize {
    let half = limit / 2;
    let kept = if half < DESCRIPTORS_KEPT { half } else { DESCRIPTORS_KEPT };
    let room = limit - kept;
    if room < wanted { room } else { wanted }
}

#[cfg(test)]
mod tests {
    use super::{DESCRIPTORS_KEPT, fitting};

    #[test]
    fn miners_get_what_the_rest_does_not_need() {
        assert_eq!(fitting(16_384, 1_000_000), 16_384);
        assert_eq!(fitting(16_384, 10_000), 10_000 - DESCRIPTORS_KEPT);
        assert_eq!(fitting(16_384, 1_024), 512);
        assert_eq!(fitting(16_384, 0), 0);
    }
}
