use std::collections::HashSet;

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
