use super::*;
use crate::mdp::play::play;
use crate::mdp::{LinkPay, Uncles};
use crate::rng::stream;

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
    // Table 1 of Sapirshtein et al.: gamma 0, branches of at most 95 blocks.
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
    let links = Rules::LinkPay(LinkPay { anchor_depth: 18, ..LinkPay::MAIN });
    let games = [(links, 0.4, 0.0, 60), (links, 0.45, 0.5, 60), (Rules::Uncles(Uncles::MONERO), 0.4, 0.5, 12)];
    for (rules, alpha, gamma, longest) in games {
        let game = Game { alpha, gamma, longest, rules };
        let Solution { part, policy } = best(&game);
        let paid = play(&game, &policy, 2_000_000, &mut stream(3, "dice", 0));
        let played = paid.own / (paid.own + paid.others);
        assert!(part > alpha && (part - played).abs() < 1.5e-3, "{game:?}: {part}, played {played}");
    }
}

#[test]
fn an_honest_miner_earns_its_fair_share() {
    for rules in [Rules::Linear, Rules::Uncles(Uncles::P2POOL_V2), Rules::LinkPay(LinkPay::MAIN)] {
        let game = Game { alpha: 0.3, gamma: 0.5, longest: 10, rules };
        let part = earned(&game, &Policy::honest(&game));
        assert!((part - 0.3).abs() < 1e-7, "{rules:?}: {part}");
    }
}

#[test]
fn a_lazy_miner_loses_the_credit_of_its_links_and_nothing_else() {
    let alpha = 0.3;
    for bonus in [0.0, 1.0] {
        let game = Game { alpha, gamma: 0.0, longest: 20, rules: Rules::LinkPay(LinkPay { bonus, ..LinkPay::MAIN }) };
        let part = earned(&game, &Policy::lazy(&game, 10));
        // All shares earn, and only the others' links.
        let expected = alpha * 32.0 / (32.0 + bonus * (1.0 - alpha));
        assert!((part - expected).abs() < 1e-6, "{part}, expected {expected}");
    }
}
