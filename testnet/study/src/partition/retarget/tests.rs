use super::*;
use sim::rng::stream;

/// Returns the mean of some runs, in hours.
fn settles_h(retarget: Retarget, rules: &Rules, factor: f64) -> f64 {
    let mut rng = stream(1, "retarget", 0);
    let settlings = (0..10).map(|_| retarget.settles(rules, factor, &mut rng).after_s.unwrap());
    settlings.sum::<f64>() / 10.0 / 3_600.0
}

#[test]
fn without_a_change_every_rule_is_in_time_at_once() {
    for (rules, retarget) in Retarget::ALL {
        assert!(settles_h(retarget, &rules, 1.0) < 0.2, "{}", rules.name);
    }
}

#[test]
fn a_schedule_with_a_half_life_settles_within_two_of_them() {
    let (rules, retarget) = Retarget::ALL[1];
    // Each share that comes early makes the next one harder by 2^(1/60): 10 s x 60 / ln 2 in all.
    let hours = settles_h(retarget, &rules, 1_024.0);
    assert!((0.1..0.5).contains(&hours), "{hours}");
}

#[test]
fn a_chain_that_gives_way_by_a_tenth_a_share_takes_days_to_recover_from_a_collapse() {
    let (rules, retarget) = Retarget::ALL[0];
    // Shares of 30 s need 22 shares to become ten times easier: 30,000 s x (1 + 0.9 + 0.81 + ...) = 83 hours.
    let hours = settles_h(retarget, &rules, 1e-3);
    assert!((40.0..160.0).contains(&hours), "{hours}");
}
