use super::*;
use crate::sim::mdp::Links;
use crate::sim::mdp::play::play;
use crate::sim::rng::stream;

fn linear(alpha: f64, gamma: f64) -> Game {
    Game { alpha, gamma, longest: 80, rules: Rules::Linear }
}

/// Eyal and Sirer, 2014, equation 8.
fn eyal_sirer(alpha: f64, gamma: f64) -> f64 {
    let own = alpha * (1.0 - alpha).powi(2) * (4.0 * alpha + gamma * (1.0 - 2.0 * alpha)) - alpha.powi(3);
    own / (1.0 - alpha * (1.0 + (2.0 - alpha) * alpha))
}

#[test]
fn selfish_mining_earns_what_its_authors_say() {
    for (alpha, gamma) in [(0.2, 0.0), (1.0 / 3.0, 0.0), (0.3, 0.5), (0.4, 0.5), (0.25, 1.0), (0.4, 1.0)] {
        let game = linear(alpha, gamma);
        let part = earned(&game, &Policy::selfish(&game));
        assert!((part - eyal_sirer(alpha, gamma)).abs() < 1e-5, "{alpha} {gamma}: {part}");
    }
}

#[test]
fn the_best_is_what_sapirshtein_and_others_found() {
    // Their table 1: gamma 0, branches of at most 95 blocks.
    let table =
        [(1.0 / 3.0, 0.33705), (0.35, 0.37077), (0.375, 0.42600), (0.4, 0.48866), (0.425, 0.56808), (0.45, 0.66891)];
    for (alpha, published) in table {
        let game = Game { longest: 95, ..linear(alpha, 0.0) };
        let part = best(&game).part;
        assert!((part - published).abs() < 1e-4, "{alpha}: {part}, published {published}");
    }
}

#[test]
fn dice_earn_what_the_solver_says() {
    for (alpha, gamma) in [(0.4, 0.0), (0.45, 0.5)] {
        let rules = Rules::Links(Links { anchor_depth: 18, ..Links::MAIN });
        let game = Game { alpha, gamma, longest: 60, rules };
        let Solution { part, policy } = best(&game);
        let mut rng = stream(3, "dice", 0);
        let paid = play(&game, &policy, 3_000_000, &mut rng);
        let played = paid.own / (paid.own + paid.others);
        assert!(part > alpha && (part - played).abs() < 1e-3, "{alpha} {gamma}: {part}, played {played}");
    }
}
