use super::super::wave::Cell;
use super::*;

/// A message that both nodes found valid at once.
fn wave(kind: Kind, born_us: u64, parent: Option<WaveId>, height: u32, list: Vec<WaveId>) -> Wave {
    Wave {
        born_us,
        kind,
        origin: 0,
        parent,
        height,
        list,
        listed_by: Vec::new(),
        line_bytes: 800,
        cells: vec![Cell::valid(0); 2],
        under_way: 0,
        measured: false,
        fetched: std::collections::BTreeSet::new(),
        held: std::collections::BTreeSet::new(),
    }
}

fn add(pool: &mut Pool, waves: &mut Vec<Wave>, wave: Wave) -> WaveId {
    let (id, now_us) = (WaveId::try_from(waves.len()).unwrap(), wave.born_us);
    waves.push(wave);
    pool.note(waves, id, now_us);
    id
}

#[test]
fn a_link_lists_what_its_branch_does_not() {
    let (mut pool, mut waves) = (Pool::default(), Vec::new());
    let share = add(&mut pool, &mut waves, wave(Kind::Share, 1_000_000, None, 1, Vec::new()));
    let late = add(&mut pool, &mut waves, wave(Kind::Share, 5_000_000, None, 1, Vec::new()));
    waves[late as usize].cells[1] = Cell::arriving(9_000_000);
    let link = add(&mut pool, &mut waves, wave(Kind::Link, 6_000_000, None, 1, vec![share]));
    let rival = add(&mut pool, &mut waves, wave(Kind::Link, 6_500_000, None, 1, vec![share]));
    let work = pool.work(&waves, 0, 8_000_000, 0);
    assert_eq!(work.parent, Some(link), "the first of two of the same height");
    assert_eq!(work.height, 2);
    assert_eq!(work.list, [late], "made when the link came: the rival was not known then");
    assert_eq!(work.pending, 2, "the rival may be listed as a share by now");
    assert_eq!(pool.work(&waves, 1, 8_000_000, 0).list, Vec::<WaveId>::new(), "the late share is not there yet");
    // A job is rebuilt after 20 s.
    assert_eq!(pool.work(&waves, 0, 27_000_000, 0).list, [late, rival]);
    assert_eq!(pool.work(&waves, 0, 6_400_000, 500_000).parent, None, "the device has not switched yet");
}

#[test]
fn what_is_deep_is_forgotten() {
    let (mut pool, mut waves) = (Pool::default(), Vec::new());
    let mut parent = None;
    for height in 1..=40 {
        let share = add(&mut pool, &mut waves, wave(Kind::Share, u64::from(height) * 10, parent, height, Vec::new()));
        parent =
            Some(add(&mut pool, &mut waves, wave(Kind::Link, u64::from(height) * 10 + 1, parent, height, vec![share])));
    }
    assert!(pool.links.len() <= LINKS_IN_SIGHT as usize + 1);
    assert!(pool.open.len() <= 3 * LINKS_IN_SIGHT as usize, "{}", pool.open.len());
    assert_eq!(pool.main_links(&waves), 40);
}
