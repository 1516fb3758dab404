//! The draw of the tail: its fairness, an attacker's gain from choosing among draws, and the cost of its constants.
//!
//! ```text
//! line.rs       miners in line for a draw, with their dues
//! bias.rs       fairness: over all points of the draw, over many seeds, to the satoshi
//! choice.rs     the gain from choosing: two classes of devices, tips, discarded blocks
//! outputs.rs    number of outputs, smallest payment, first payments
//! depths.rs     depths of snapshot and seed
//! tables.rs     tables and plots
//! ```

mod bias;
mod choice;
mod depths;
mod line;
mod outputs;
mod tables;
#[cfg(test)]
mod tests;

use super::jobs::Effort;
use super::result::{Experiment, Finding};
use super::stats::Estimate;
use bias::{Bias, Grid};
use choice::{Attack, Gains};
use sim::rng::stream;

/// Largest acceptable gain of an attacker, as a part of its income.
const TARGET: f64 = 0.01;

/// Independent samples for each question.
const SAMPLES: u64 = 8;

/// One sample of one question.
#[derive(Clone, Copy, Debug)]
enum Job {
    Grid,
    Bias,
    Attack(usize),
}

/// The result of one job.
enum JobResult {
    Grid(Grid),
    Bias(Bias),
    Attack(Gains),
}

/// The results of all jobs.
struct Results {
    grids: Vec<Grid>,
    biases: Vec<Bias>,
    attacks: Vec<(Attack, Vec<Gains>)>,
}

/// Runs the experiment.
#[must_use]
pub fn run(effort: Effort, seed: u64, progress: &(dyn Fn(usize, usize) + Sync)) -> Experiment {
    let draws = effort.size.pick(1_500, 60);
    let attacks = choice::all(effort.size);
    let kinds = [Job::Grid, Job::Bias].into_iter().chain((0..attacks.len()).map(Job::Attack));
    let jobs: Vec<(Job, u64)> = kinds.flat_map(|kind| (0..SAMPLES).map(move |sample| (kind, sample))).collect();
    let work = |&(job, sample): &(Job, u64)| match job {
        Job::Grid => Some(JobResult::Grid(Grid::check(draws, &mut stream(seed, "draw/grid", sample)))),
        Job::Bias => Some(JobResult::Bias(Bias::measure(10 * draws, &mut stream(seed, "draw/bias", sample)))),
        Job::Attack(at) => attacks.get(at).map(|attack| {
            let index = u64::try_from(at).unwrap_or(0) * SAMPLES + sample;
            JobResult::Attack(attack.measure(draws, &mut stream(seed, "draw/attack", index)))
        }),
    };
    let found = effort.run(&jobs, work, progress);
    let attacks = attacks.into_iter().map(|attack| (attack, Vec::new())).collect();
    let mut results = Results { grids: Vec::new(), biases: Vec::new(), attacks };
    for ((job, _), found) in jobs.iter().zip(found) {
        match (job, found) {
            (_, Some(JobResult::Grid(grid))) => results.grids.push(grid),
            (_, Some(JobResult::Bias(bias))) => results.biases.push(bias),
            (Job::Attack(at), Some(JobResult::Attack(gains))) => {
                if let Some((_, all)) = results.attacks.get_mut(*at) {
                    all.push(gains);
                }
            }
            _ => {}
        }
    }
    experiment(&results, seed)
}

fn experiment(results: &Results, seed: u64) -> Experiment {
    Experiment {
        id: "draw".to_owned(),
        title: "The draw of the tail".to_owned(),
        question: "Is each miner paid its due on average, what does an attacker gain who can choose between draws, \
                   and can devices with small buffers have a coinbase of their own?"
            .to_owned(),
        method: vec![
            "All draws are the pool's own selection over dues that are known. First its rule is repeated by other code \
             and compared with it for many seeds, and for each order of the line every point is tried at which the draw \
             can start, which must select each miner exactly as often as its due says. Then pay is averaged over many \
             seeds."
                .to_owned(),
            "An attacker with a part of the pool under one or many scripts is then given choices. Two classes: for each \
             block that it finds, the better of a coinbase with 48 outputs and one with 12, which devices with small \
             buffers would need. Tips: the best of as many draws as tips compete, if the seed were the tip rather than \
             the block two below it. Blocks thrown away: it finds a Bitcoin block whose hash is the seed of the block \
             after next but one, and publishes it only when what that block pays, and what its seed gives, are more than \
             it may expect from another. Gains are parts of the fair income; the choice exists only for blocks that the \
             attacker itself finds."
                .to_owned(),
        ],
        findings: findings(results),
        tables: tables::tables(results),
        plots: tables::plots(results),
        seed,
    }
}

/// Returns the largest mean over all attacks.
fn worst(results: &Results, of: impl Fn(&Gains) -> f64) -> Option<(&Attack, Estimate)> {
    let all = results.attacks.iter().map(|(attack, gains)| (attack, tables::mean(gains, &of)));
    all.max_by(|(_, a), (_, b)| a.mean.total_cmp(&b.mean))
}

/// Returns whether an expectation is 1. The interval is widened, because several such findings must all hold.
fn is_one(estimate: Estimate) -> bool {
    /// From 95% to more than 99%.
    const WIDENED: f64 = 1.5;
    (estimate.mean - 1.0).abs() <= WIDENED * (estimate.high - estimate.low) / 2.0
}

/// Returns pay over due for all attackers with several scripts, weighted by size, so that the noise of the smallest
/// counts little.
fn split_pay(results: &Results) -> Estimate {
    let samples = (0..usize::try_from(SAMPLES).unwrap_or(0)).map(|sample| {
        let split = results.attacks.iter().filter(|(attack, _)| attack.scripts > 1);
        let pays = split.filter_map(|(attack, gains)| Some((attack.part, gains.get(sample)?.mean)));
        let (sum, parts) = pays.fold((0.0, 0.0), |(sum, parts), (part, mean)| (sum + part * mean, parts + part));
        sum / parts
    });
    Estimate::of(&samples.collect::<Vec<_>>())
}

fn findings(results: &Results) -> Vec<Finding> {
    let (draws, faults) =
        results.grids.iter().fold((0, 0), |(draws, faults), grid| (draws + grid.draws, faults + grid.faults));
    let pay = Estimate::of(&results.biases.iter().map(|bias| bias.tail).collect::<Vec<_>>());
    let sat = results.biases.iter().map(|bias| bias.most_sat).fold(0.0, f64::max);
    let mut findings = vec![
        Finding {
            claim: "Over all points at which a draw can start, each miner is selected exactly as often as its due says, and \
                    the pool's code selects what the rule says"
                .to_owned(),
            measured: format!("{faults} differences in {draws} draws"),
            holds: Some(faults == 0),
        },
        Finding {
            claim: "Over many seeds, the 750 smallest of 1,000 miners, who have 3% of the pool, are paid their due".to_owned(),
            measured: format!("{:.4} of its due ({:.4} to {:.4})", pay.mean, pay.low, pay.high),
            holds: Some(is_one(pay)),
        },
        Finding {
            claim: "Rounding moves the expectation of a payment by one satoshi at most, the remainder to the first output \
                    aside"
                .to_owned(),
            measured: format!("{sat:.3} sat"),
            holds: Some(sat <= 1.0),
        },
    ];
    let split = split_pay(results);
    findings.push(Finding {
        claim: "Attackers earn their due, no more, under however many scripts".to_owned(),
        measured: format!(
            "{:.4} of it ({:.4} to {:.4}), mean of all with 2 or more",
            split.mean, split.low, split.high
        ),
        holds: Some(is_one(split)),
    });
    for (at, part) in choice::NETWORK_PARTS.iter().enumerate() {
        let worst = worst(results, |gains| gains.discard.get(at).copied().unwrap_or(f64::NAN));
        findings.extend(worst.map(|(attack, gain)| Finding {
            claim: format!(
                "Throwing Bitcoin blocks away to draw again gains at most 1% in a pool with {:.0}% of Bitcoin",
                100.0 * part
            ),
            measured: format!("{:.3}% ({})", 100.0 * gain.mean, attack.name()),
            holds: Some(gain.high <= TARGET),
        }));
    }
    findings.extend(worst(results, |gains| gains.two_classes).map(|(attack, gain)| Finding {
        claim: "A second class of 12 outputs gains its finder at most 1%".to_owned(),
        measured: format!(
            "up to {:.1}% ({:.1} to {:.1}), {}",
            100.0 * gain.mean,
            100.0 * gain.low,
            100.0 * gain.high,
            attack.name()
        ),
        holds: Some(gain.high <= TARGET),
    }));
    findings
}
