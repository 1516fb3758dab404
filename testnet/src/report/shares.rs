//! Counts the fates of shares. Pure: journals and fates are arguments.

use std::collections::BTreeSet;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

use super::model::SharesReport;
use crate::api_client::{Fate, Share};
use crate::miner::{Submit, Verdict};

/// Largest number of lost shares in the report.
const LOST_NAMED_MAX: usize = 100;

/// A share as the nodes know it: the first answer that is not "unknown".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Id of the share.
    pub id: BlockHash,
    /// Its fate.
    pub share: Share,
}

/// Counts shares.
#[derive(Debug, Default)]
pub struct Tally {
    report: SharesReport,
    taken: BTreeSet<BlockHash>,
}

impl Tally {
    /// Adds a miner's journal.
    pub fn add(&mut self, submits: &[Submit]) {
        for submit in submits {
            match &submit.verdict {
                Verdict::Accepted => {
                    self.taken.insert(submit.id);
                }
                Verdict::Refused { code, .. } => {
                    *self.report.refused.entry(stratum_reason(*code)).or_default() += 1;
                }
                Verdict::Unanswered => self.report.unanswered += 1,
            }
        }
    }

    /// Returns the ids of the proofs that a node accepted.
    pub fn taken(&self) -> impl Iterator<Item = BlockHash> {
        self.taken.iter().copied()
    }

    /// Counts the fates of the accepted proofs. A proof that no node knows is lost if its hash met the hardest share
    /// target of the run, `share_work_max` expected hashes. Otherwise, it was not a share.
    pub fn finish(mut self, known: &[Known], share_work_max: f64) -> SharesReport {
        let report = &mut self.report;
        for Known { id, share } in known {
            match share.fate {
                Fate::Link | Fate::Listed => report.listed += 1,
                Fate::Pending => report.pending += 1,
                Fate::Held => report.held += 1,
                Fate::Expired => report.expired += 1,
                Fate::Refused => {
                    let rule = share.rule.as_deref().unwrap_or("unknown rule");
                    *report.refused.entry(rule.to_owned()).or_default() += 1;
                }
                Fate::Unknown if work_of(id) >= share_work_max => {
                    report.lost += 1;
                    if report.lost_ids.len() < LOST_NAMED_MAX {
                        report.lost_ids.push(id.to_string());
                    }
                }
                Fate::Unknown => report.below_target += 1,
            }
        }
        report.found = (known.len() as u64).saturating_sub(report.below_target);
        self.report
    }
}

/// Returns the expected hashes for a hash as low as this one.
fn work_of(id: &BlockHash) -> f64 {
    let number = id.to_byte_array().iter().rev().fold(0.0, |number, byte| number * 256.0 + f64::from(*byte));
    2.0_f64.powi(256) / (number + 1.0)
}

/// Returns the meaning of Stratum's error codes.
fn stratum_reason(code: i64) -> String {
    let words = match code {
        21 => "stale or unknown job",
        22 => "duplicate",
        23 => "low difficulty",
        24 => "unauthorized",
        25 => "not subscribed",
        _ => "other",
    };
    format!("stratum {code}: {words}")
}

#[cfg(test)]
mod tests;
