use super::*;
use crate::rng::stream;

fn proof(id: u8, content: u8) -> Record {
    Record { kind: RecordKind::Proof, id: [id; 32], bytes: vec![content; 3] }
}

fn replayed(disk: &Disk) -> Vec<Record> {
    disk.replay().map(Result::unwrap).collect()
}

#[test]
fn disks_share_contents_and_keep_apart_what_each_has() {
    let archive = Arc::new(Archive::default());
    let (one, other) = (Disk::new(Arc::clone(&archive)), Disk::new(Arc::clone(&archive)));
    one.append(&[proof(1, 1), proof(2, 2)]).unwrap();
    other.append(&[proof(1, 1)]).unwrap();
    assert_eq!(archive.size_bytes(), 6);
    assert_eq!(other.get(RecordKind::Proof, &[2; 32]).unwrap(), None);
    // Another version of the same proof.
    other.append(&[proof(2, 9)]).unwrap();
    assert_eq!(other.get(RecordKind::Proof, &[2; 32]).unwrap(), Some(vec![9; 3]));
    assert_eq!(one.get(RecordKind::Proof, &[2; 32]).unwrap(), Some(vec![2; 3]));
    assert_eq!(replayed(&one), [proof(1, 1), proof(2, 2)]);
}

#[test]
fn a_power_cut_takes_only_the_end_and_nothing_that_was_forced() {
    for seed in 0..50 {
        let disk = Disk::new(Arc::default());
        let block = Record { kind: RecordKind::Block, id: [7; 32], bytes: vec![] };
        disk.append(&[proof(1, 1), block]).unwrap();
        disk.append(&[proof(2, 2)]).unwrap();
        disk.append(&[proof(3, 3)]).unwrap();
        let torn = disk.tear(&mut stream(seed, "tear", 0));
        let all = [proof(1, 1), proof(2, 2), proof(3, 3)];
        assert_eq!(replayed(&disk), all[..3 - torn]);
        assert_eq!(disk.get(RecordKind::Proof, &[3; 32]).unwrap().is_some(), torn == 0);
    }
}

#[test]
fn a_full_disk_takes_nothing() {
    let disk = Disk::new(Arc::default());
    disk.set_full(true);
    assert_eq!(disk.append(&[proof(1, 1)]), Err(DiskError::Full));
    assert_eq!(replayed(&disk), []);
}
