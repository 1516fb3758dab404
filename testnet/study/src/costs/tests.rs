use super::*;

#[test]
fn upgrades_cost_what_the_decision_says() {
    let Upgrades { force, force_slowly, block_quick, block, burst } = Upgrades::measure();
    // Nine tenths and three quarters of the links; a tenth, a quarter and half against it.
    for (measured, expected) in
        [(force, 9.0), (force_slowly, 3.0), (block_quick, 1.0 / 9.0), (block, 1.0 / 3.0), (burst, 1.0)]
    {
        assert!((measured / expected - 1.0).abs() < 0.02, "{measured}, not {expected}");
    }
}

#[test]
fn an_hour_that_is_settled_costs_more_than_four() {
    let hours: Vec<f64> = of_branches().iter().filter_map(|cost| cost.pool_hours).collect();
    assert!((hours[0] - 1.0).abs() < 1e-9 && (hours[1] - 4.3).abs() < 1e-9 && (hours[2] - 200.0).abs() < 1e-9);
}
