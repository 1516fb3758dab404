use std::collections::HashSet;

use proptest::prelude::*;

use super::Extranonces;
use crate::limits::RESUMABLE_MAX;

#[test]
fn servers_that_start_together_share_no_extranonce() {
    let mut seen = HashSet::new();
    for _ in 0..1_000 {
        let server = Extranonces::new();
        for _ in 0..100 {
            assert!(seen.insert(server.issue().extranonce1()));
        }
    }
}

#[test]
fn only_an_extranonce_that_is_free_and_had_a_job_is_resumed() {
    let server = Extranonces::new();
    let mut open = server.issue();
    open.last_time = 7;
    let wanted = open.extranonce1();
    assert!(server.issue().resume(wanted).is_none(), "it is in use");
    drop(open);
    assert!(Extranonces::new().issue().resume(wanted).is_none(), "another server issued it");
    let resumed = server.issue().resume(wanted).expect("it had a job");
    assert_eq!((resumed.extranonce1(), resumed.last_time), (wanted, 7));
    assert!(server.issue().resume(wanted).is_none(), "it is in use again");
    drop(resumed);
    assert!(server.issue().resume(wanted).is_some());
    let idle = server.issue();
    let unused = idle.extranonce1();
    drop(idle);
    assert!(server.issue().resume(unused).is_none());
}

#[test]
fn the_oldest_extranonces_are_forgotten() {
    let server = Extranonces::new();
    let issued: Vec<_> = (0..=RESUMABLE_MAX)
        .map(|_| {
            let mut lease = server.issue();
            lease.last_time = 1;
            lease.extranonce1()
        })
        .collect();
    assert!(server.issue().resume(issued[0]).is_none());
    assert!(server.issue().resume(issued[1]).is_some());
}

/// What happens to the extranonces of one server.
#[derive(Clone, Debug)]
enum Event {
    /// A connection of v1, or a channel of v2, opens.
    Open { v2: bool },
    /// The connection of this number closes.
    Close(usize),
    /// A miner of v1 comes back, and resumes the extranonce of the connection of this number.
    Resume(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<bool>().prop_map(|v2| Event::Open { v2 }),
        any::<usize>().prop_map(Event::Close),
        any::<usize>().prop_map(Event::Resume),
    ]
}

proptest! {
    /// Each extranonce1 begins a search space of its own, no matter who rolls the rest: a v1 device, a v2 proxy, or the server
    /// for a standard channel.
    #[test]
    fn search_spaces_of_v1_and_v2_never_meet(events in prop::collection::vec(event(), 1..200)) {
        let server = Extranonces::new();
        let mut open = Vec::new();
        let mut left: Vec<(bool, _)> = Vec::new();
        for event in events {
            match event {
                Event::Open { v2 } => {
                    let mut lease = server.issue();
                    // Only v1 tells its lease of its jobs.
                    lease.last_time = u32::from(!v2);
                    open.push((v2, lease));
                }
                Event::Close(at) if !open.is_empty() => {
                    let (v2, lease): (bool, super::Lease) = open.swap_remove(at % open.len());
                    left.push((v2, lease.extranonce1()));
                }
                Event::Resume(at) if !left.is_empty() => {
                    let (v2, wanted) = left[at % left.len()];
                    let is_open = open.iter().any(|(_, lease)| lease.extranonce1() == wanted);
                    let resumed = server.issue().resume(wanted);
                    prop_assert_eq!(resumed.is_some(), !v2 && !is_open, "a channel's space is never given again");
                    open.extend(resumed.map(|lease| (false, lease)));
                }
                Event::Close(_) | Event::Resume(_) => {}
            }
            let spaces: HashSet<_> = open.iter().map(|(_, lease)| lease.extranonce1()).collect();
            prop_assert_eq!(spaces.len(), open.len());
        }
    }
}
