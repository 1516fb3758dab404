use super::wave::Kind;
use super::*;

fn setup(nodes: usize, secs: u64) -> Setup {
    Setup::main(nodes, Micros::from_secs(secs), 7)
}

#[test]
fn everybody_gets_every_message_by_a_bounded_number_of_copies() {
    let outcome = setup(300, 600).run();
    assert_eq!(outcome.missed, [0, 0]);
    let shares = outcome.all_arrivals(Kind::Share);
    assert_eq!(shares.total(), outcome.made[0] * 300);
    // About one copy for each peer in the mesh, except the peer that sent the first.
    let degree = outcome.traffic.iter().map(|of| of.peers.1).sum::<usize>() as f64 / 300.0;
    assert!(outcome.copies[0] > degree - 1.5 && outcome.copies[0] < degree + 0.5, "{:?} {degree}", outcome.copies);
    assert!(shares.quantile_s(0.5) < shares.quantile_s(0.99));
    assert!(outcome.stale_links() < 0.3);
    assert!(outcome.listed > 20.0 && outcome.listed < 64.0, "{}", outcome.listed);
}

#[test]
fn what_is_sent_is_received() {
    let outcome = setup(200, 300).run();
    let (mut up, mut down) = (0.0, 0.0);
    for of in &outcome.traffic {
        up += of.sum().up;
        down += of.sum().down;
    }
    assert!((up - down).abs() / up < 1e-9, "{up} {down}");
}

#[test]
fn the_same_seed_gives_the_same_numbers() {
    let summary = || {
        let outcome = setup(100, 300).run();
        let arrivals = outcome.all_arrivals(Kind::Link);
        (outcome.steps, outcome.made, arrivals.quantile_s(0.5).to_bits(), outcome.copies.map(f64::to_bits))
    };
    assert_eq!(summary(), summary());
}

#[test]
fn nodes_that_come_back_take_part_again() {
    let churn = Churn { up: Micros::from_secs(120), down: Micros::from_secs(30) };
    let outcome = Setup { churn: Some(churn), ..setup(100, 1_200) }.run();
    assert!(outcome.churn.0 > 500, "{:?}", outcome.churn);
    let total = outcome.all_arrivals(Kind::Share).total();
    let missed = outcome.missed[0];
    assert!(missed * 50 < total, "{missed} of {total}");
    assert!(outcome.stale_links() < 0.4);
}
