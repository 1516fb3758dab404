use super::choice::Attack;
use super::depths::reached;
use super::line::Line;
use super::outputs::Shape;
use super::*;

#[test]
fn the_code_draws_what_the_rule_says() {
    let grid = Grid::check(200, &mut stream(1, "test", 0));
    assert_eq!((grid.draws, grid.faults), (200, 0));
}

#[test]
fn expectations_are_dues_to_the_satoshi() {
    let bias = Bias::measure(50, &mut stream(1, "test", 1));
    assert!((bias.exact - 1.0).abs() < 1e-9, "{bias:?}");
    assert!(bias.most_sat <= 1.0 && bias.first_sat.abs() < 49.0, "{bias:?}");
}

#[test]
fn one_small_script_is_nearly_always_drawn_by_one_class_only() {
    let attack = Attack { part: 0.001, scripts: 1 };
    let gains = attack.measure(4_000, &mut stream(1, "test", 2));
    // Both classes pay the due. Together they pay it twice, unless both select the miner.
    assert!((0.0005..0.0015).contains(&gains.two_classes), "{gains:?}");
    assert!(gains.tips[0].abs() < 1e-9, "one draw is no choice: {gains:?}");
    assert!(gains.discard.iter().all(|gain| *gain < attack.part));
}

#[test]
fn exact_pay_leaves_no_choice() {
    let gains = Attack { part: 0.3, scripts: 1 }.measure(20, &mut stream(1, "test", 3));
    assert!(gains.two_classes.abs() < 1e-9 && gains.spread < 1e-9, "{gains:?}");
}

#[test]
fn outputs_and_floors_shape_the_draw() {
    assert_eq!(Line::honest().weights.len(), 1_000);
    let (few, many) = (Shape::of_outputs(12), Shape::of_outputs(48));
    assert!(few.even_sat > 3.0 * many.even_sat);
    assert_eq!(Shape::of_floor(10_000, 0.1).outputs, 48);
    assert_eq!(Shape::of_floor(10_000, 0.000_1).outputs, 4);
}

#[test]
fn chances_of_bitcoin_blocks_are_poisson() {
    assert!((reached(1, 600.0) - (1.0 - (-1.0_f64).exp())).abs() < 1e-12);
    // At least 11 in 57 minutes.
    assert!((reached(11, 3_420.0) - 0.0314).abs() < 0.0001, "{}", reached(11, 3_420.0));
    assert!((1e-10..1e-7).contains(&reached(11, 420.0)));
}
