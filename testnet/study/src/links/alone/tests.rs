use super::*;

#[test]
fn links_keep_time_by_themselves() {
    let params = ChainParams::main();
    let rng = &mut stream(1, "alone", 0);
    let mut links = LinkStream::new(&params, HASHRATE_HS);
    for _ in 0..20_000 {
        links.next(rng);
    }
    let mean_s = links.at_s / 20_000.0;
    assert!((mean_s - 10.0).abs() < 0.1, "{mean_s}");
    // Each link moves the target by an 87th of its lateness: noise of 7.6% in the long run.
    let jitter = jitter(&params, 20_000, rng);
    assert!((0.06..0.1).contains(&jitter), "{jitter}");
}

#[test]
fn a_shorter_half_life_settles_sooner() {
    let minutes = |half_life_s: u32| {
        let params = ChainParams { retarget_half_life_s: half_life_s, ..ChainParams::main() };
        let rng = &mut stream(1, "alone", half_life_s.into());
        (0..5).map(|_| settles_min(&params, 0.1, rng)).sum::<f64>() / 5.0
    };
    assert!(minutes(1_200) < minutes(4_800));
}

#[test]
fn the_smaller_side_has_the_longer_time() {
    let rng = &mut stream(1, "alone", 0);
    let [small, half] = [0.1, 0.5].map(|part| settled_after_min(part, 360, rng));
    // 361 links of 10 s take an hour. Fewer hashes take longer, until the target follows.
    assert!(small > half && half > 60.0 && half < 120.0, "{small} {half}");
}
