use super::cases::{ONE, between, pool, within};
use super::*;
use crate::stats::Estimate;

#[test]
fn what_finds_are_credited_with_adds_up_to_what_the_chain_credits() {
    let scenario = pool(0.3, 4, 900.0);
    let mut world = full::build(&scenario, 5).unwrap();
    world.run(Micros::from_secs(900));
    let measured = measure_shoal(&world, &scenario, 5, &(Micros::ZERO..Micros::NEVER));
    let node = &world.nodes[referee(&world).unwrap().index()];
    let audit = Audit::of(node, &world.environment).unwrap();
    let (credited, all) = (audit.credited.values().sum::<f64>(), measured.sum(|_| true));
    assert!((all.credited / credited - 1.0).abs() < 1e-9, "{} instead of {credited}", all.credited);
    assert!(all.credited < all.due);
    assert_eq!(all.proofs, u64::try_from(world.environment.ledger.finds().len()).unwrap());
}

#[test]
fn honest_miners_lose_nothing_of_what_had_time_to_be_listed() {
    let scenario = pool(0.3, 4, 1_200.0);
    let measured = Rules::Shoal.measure(&scenario, 6, &between(60.0, &scenario, 300.0));
    assert!(measured.sum(|_| true).loss() < 1e-9, "{measured:?}");
    assert!((measured.ratio(ONE) - 1.0).abs() < 0.02, "{measured:?}");
    assert!(measured.one_tip);
}

#[test]
fn all_rules_measure_the_same_scenario() {
    let scenario = pool(0.3, 4, 1_200.0);
    for rules in Rules::all() {
        let measured = rules.measure(&scenario, 7, &between(0.0, &scenario, 0.0));
        assert_eq!(measured.miners.len(), 5, "{}", rules.name());
        assert!(measured.sum(|_| true).proofs > 20, "{}", rules.name());
    }
}

#[test]
fn a_bound_is_refuted_only_by_an_interval_above_it() {
    let estimate = |mean, half| Estimate { mean, low: mean - half, high: mean + half };
    let holds = |estimates: &[Estimate]| within(estimates.iter().copied(), 1.0).unwrap().1;
    assert_eq!(holds(&[estimate(0.5, 1.0), estimate(0.9, 0.2)]), Some(true));
    assert_eq!(holds(&[estimate(0.5, 1.0), estimate(1.1, 0.2)]), None);
    assert_eq!(holds(&[estimate(1.1, 0.2), estimate(1.2, 0.1)]), Some(false));
    assert_eq!(within(std::iter::empty(), 1.0), None);
}
