//! What miners gain by splitting their scripts and by coming and going, found by a search; and what work before a
//! change is paid.
//!
//! ```text
//! course.rs    a pool without chance, with the real targets, weights and window
//! cadence.rs   what a miner does over and over, and what it gains
//! search.rs    the search for the best cadence
//! changes.rs   the last hash before a pool halves or doubles, the last window before a halving
//! tables.rs    tables and plots
//! ```

mod cadence;
mod changes;
mod course;
mod search;
mod tables;
#[cfg(test)]
mod tests;

use super::jobs::{Effort, Progress, Size};
use super::result::{Experiment, Finding};
use super::stats::Estimate;
use crate::models::pay::pay_run::PayRun;
use crate::models::pay::units::{DAY_S, EXA, PETA};
use cadence::{Act, Cadence, Case};
use changes::{Before, Change};
use course::Counted;
use search::{Found, KINDS, Kind, Searched};
use sim::rng::stream;

/// Largest gain per hash that a miner with a tenth of the pool should find.
const TARGET: f64 = 0.005;

/// The parts of the pool that a miner has.
const PARTS: [f64; 2] = [0.1, 0.3];

/// Other miners, for the rows of version 1: 10 of equal size make 9.7 rows a link, 30 make 19.7, 100 make 27.4.
const OTHERS: [f64; 3] = [10.0, 30.0, 100.0];

/// A question: a pool, a miner, and what it alternates between.
#[derive(Clone, Debug)]
struct Question {
    pool: String,
    /// Whether the target applies: windows that end by their proofs, under today's rules.
    is_in_question: bool,
    case: Case,
    kind: Kind,
}

/// The answer.
#[derive(Clone, Debug)]
struct Answer {
    searched: Searched,
    /// The best that a climb found from there.
    climbed: Found,
    tried: usize,
}

/// All answers.
struct Results {
    answers: Vec<(Question, Answer)>,
    /// The best cadences of today's small pools again, link by link with chance: part, gain.
    again: Vec<(f64, Estimate)>,
    changes: Vec<(Change, Before)>,
}

fn questions(size: Size) -> Vec<Question> {
    let of = |pool: String, is_in_question: bool, hashrate_hs: f64, counted: Counted| {
        let kinds = match counted {
            // Scripts do not count.
            Counted::Proofs => &KINDS[1..2],
            Counted::Rows { .. } => &KINDS[..],
        };
        PARTS.into_iter().flat_map(move |part| {
            let case = Case { hashrate_hs, part, counted };
            let pool = pool.clone();
            kinds.iter().map(move |kind| Question { pool: pool.clone(), is_in_question, case, kind: *kind })
        })
    };
    let others = size.pick(&OTHERS[..], &OTHERS[1..2]);
    let before = others.iter().flat_map(|others| {
        of(format!("version 1, 1 PH/s, {others} others"), false, PETA, Counted::Rows { others: *others })
    });
    let larger = size.pick(&[("10 EH/s", 10.0 * EXA), ("100 EH/s", 100.0 * EXA)][..], &[]);
    before
        .chain(of("1 PH/s".to_owned(), true, PETA, Counted::Proofs))
        .chain(larger.iter().flat_map(|(name, hs)| of((*name).to_owned(), false, *hs, Counted::Proofs)))
        .collect()
}

/// Runs the experiment.
#[must_use]
pub fn run(effort: Effort, seed: u64, progress: Progress<'_>) -> Experiment {
    let questions = questions(effort.size);
    let runs: u64 = effort.size.pick(12, 2);
    let of = questions.len() + PARTS.len() * usize::try_from(runs).unwrap_or(0);
    let answers = effort.run(&questions, |question| question.answer(effort.size), |done, _| progress(done, of));
    let answers: Vec<(Question, Answer)> = questions.into_iter().zip(answers).collect();
    let best = |part: f64| {
        let of = |(question, _): &&(Question, Answer)| question.is_in_question && question.case.part == part;
        answers.iter().find(of).map(|(question, answer)| (question.case, answer.climbed.cadence.clone()))
    };
    let bests: Vec<(Case, Cadence)> = PARTS.into_iter().filter_map(best).collect();
    let jobs: Vec<(usize, u64)> = (0..bests.len()).flat_map(|at| (0..runs).map(move |run| (at, run))).collect();
    let done_before = answers.len();
    let work = |&(at, run): &(usize, u64)| {
        let index = u64::try_from(at).unwrap_or(0) * runs + run;
        bests.get(at).map_or(f64::NAN, |(case, cadence)| {
            by_chance(case, cadence, effort.size, &mut stream(seed, "hopping", index))
        })
    };
    let gains = effort.run(&jobs, work, |done, _| progress(done_before + done, of));
    let again = bests.iter().enumerate().map(|(at, (case, _))| {
        let of = jobs.iter().zip(&gains).filter(|((other, _), _)| *other == at).map(|(_, gain)| *gain);
        (case.part, Estimate::of(&of.collect::<Vec<_>>()))
    });
    let again = again.collect();
    let changes = changes::all().into_iter().map(|change| (change, change.measure())).collect();
    experiment(&Results { answers, again, changes }, seed)
}

impl Question {
    fn answer(&self, size: Size) -> Answer {
        let searched = search::of_two(&self.case, self.kind, size);
        let acts: &[Act] = match self.case.counted {
            Counted::Proofs => &[Act::Away, Act::Whole],
            Counted::Rows { .. } if self.kind == KINDS[2] => &[Act::Away, Act::Whole, Act::Split],
            Counted::Rows { .. } => &self.kind.acts,
        };
        let (climbed, climbs) = search::climb(&self.case, &searched.best, acts, size);
        let tried = searched.tried + climbs;
        Answer { searched, climbed, tried }
    }
}

/// Measures a cadence again, in a pool with chance: link by link at main's rate, Poisson shares, random Bitcoin blocks.
fn by_chance(case: &Case, cadence: &Cadence, size: Size, rng: &mut sim::rng::SimRng) -> f64 {
    let mines = |at_s: f64| cadence.at(at_s).0 != Act::Away;
    let hashrate = |at_s: f64| case.hashrate_hs * if mines(at_s) { 1.0 } else { 1.0 - case.part };
    let period_s = cadence.period_s();
    let periods = |seconds: f64| (seconds / period_s).ceil() * period_s;
    let from_s = periods(10.0 * DAY_S);
    let until_s = from_s + periods(size.pick(60.0, 4.0) * DAY_S);
    let run = PayRun { params: case.params(), hashrate: &hashrate, miners: 1_000, from_s, until_s };
    let (mut paid, mut due) = (0.0, 0.0);
    for moment in run.simulate(rng).moments.iter().filter(|moment| mines(moment.at_s)) {
        paid += moment.worth * moment.span_s;
        due += moment.span_s;
    }
    paid / due - 1.0
}

fn experiment(results: &Results, seed: u64) -> Experiment {
    Experiment {
        id: "hopping".to_owned(),
        title: "Splitting, hopping, and the last window".to_owned(),
        question:
            "What does a miner gain per hash that comes and goes, or that pays its shares to fresh scripts, at the \
                   cadence that suits it best? And what is work paid before a pool or the subsidy changes?"
                .to_owned(),
        method: method(),
        findings: findings(results),
        tables: tables::tables(results),
        plots: tables::plots(results),
        seed,
    }
}

fn method() -> Vec<String> {
    vec![
        "A pool without chance: each link takes its expected time under the pool's own retarget, has its expected shares \
         with the pool's own weights, and blocks pay by the pool's own window, 133 minutes after the snapshot. Steps are \
         five minutes, 30 of main's links in one, with 30 times the shares; half-life, proofs of a window and age of a \
         snapshot are main's. A miner with a part of the pool repeats a cadence. Its gain is its pay over the blocks that \
         its hashes find, which is what they earn elsewhere."
            .to_owned(),
        "The search tries all pairs of 14 durations from an hour to 28 days for two alternating acts, refines the best pair, \
         then divides it into 24 slots and changes one at a time, and the length of all, as long as that gains. That also \
         moves the acts against each other. In a steady pool, the hour of the day does not matter; in a pool with a daily \
         rhythm it does, and `intermittent` has the best and worst hour."
            .to_owned(),
        "Before: version 1's window ended at 2^21 rows, one for each link and script, and its half-life was 1,200 s. Here the \
         real window counts rows instead of proofs: with others of equal size, who make as many rows as chance lets them. \
         Under today's rules, scripts are not counted, so splitting is the same as not splitting."
            .to_owned(),
        "Before a change, a probe with a thousandth of the pool mines for the last hour, day, or window, in a pool of 1 PH/s."
            .to_owned(),
    ]
}

fn findings(results: &Results) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (question, answer) in &results.answers {
        let part = 100.0 * question.case.part;
        if question.is_in_question {
            findings.push(Finding {
                claim: format!(
                    "A miner with {part:.0}% of a pool of 1 PH/s gains at most 0.5% per hash by any cadence"
                ),
                measured: format!("{:.2}%: {}", 100.0 * answer.climbed.gain, answer.climbed.cadence.text()),
                // The target is for a tenth of the pool.
                holds: (part < 20.0).then_some(answer.climbed.gain <= TARGET),
            });
        }
    }
    for part in PARTS {
        let before = results.answers.iter().filter(|(question, _)| {
            matches!(question.case.counted, Counted::Rows { .. }) && question.case.part == part
        });
        let best = before.max_by(|(_, a), (_, b)| a.climbed.gain.total_cmp(&b.climbed.gain));
        findings.extend(best.map(|(question, answer)| Finding {
            claim: format!("The same with {:.0}% of a pool under version 1's rows", 100.0 * part),
            measured: format!(
                "{:.1}% ({}): {}",
                100.0 * answer.climbed.gain,
                question.pool,
                answer.climbed.cadence.text()
            ),
            holds: None,
        }));
    }
    for (part, gain) in &results.again {
        findings.push(Finding {
            claim: format!(
                "With chance and at full rate, the best cadence found for {:.0}% gains as much",
                100.0 * part
            ),
            measured: format!("{:.2}% ({:.2} to {:.2})", 100.0 * gain.mean, 100.0 * gain.low, 100.0 * gain.high),
            holds: None,
        });
    }
    findings.extend(results.changes.iter().filter_map(|(change, before)| {
        let (stated, measured, what) = match (change.last_stated, change.window_stated) {
            (Some(stated), _) => (stated, before.hour, "the last hour"),
            (_, Some(stated)) => (stated, before.window, "the last window"),
            _ => return None,
        };
        Some(Finding {
            claim: format!("Work of {what} before {} is paid {stated:.2} of its due", change.name),
            measured: format!("{measured:.3}"),
            holds: Some((measured - stated).abs() < 0.015),
        })
    }));
    findings
}
