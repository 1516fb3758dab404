//! One connection of a miner, from the handshake to its end.

use std::sync::Arc;
use std::time::Duration;

use stratum::client::{Client, ClientError, Job};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::config::Config;
use super::counters::{Counters, count};
use super::journal::{Submit, Verdict};
use super::worker::{Hit, Worker};
use crate::limits::MINER_UNANSWERED_MAX;

/// The newest job and its number, counted by arrival.
type Current = Option<(u64, Arc<Job>)>;

/// Connects and mines until the connection ends; with several users, until a proof of this one is accepted.
///
/// # Errors
/// The reason why the connection ended or failed.
pub(super) async fn mine(config: &Config, user: &str, counters: &Arc<Counters>) -> Result<(), ClientError> {
    let (client, mut jobs) = Client::connect(config.server, user, &config.agent).await?;
    let client = Arc::new(client);
    count(&counters.connections, 1);
    let delay = Duration::from_millis(config.delay_ms);
    let current = watch::Sender::new(Current::None);
    let (hits, mut found) = mpsc::channel(MINER_UNANSWERED_MAX);
    let worker = Worker::new(current.subscribe(), hits, config, counters.clone());
    std::thread::spawn(move || worker.run());
    let mut submissions = JoinSet::new();
    let before = counters.read().accepted;
    while config.users.len() == 1 || counters.read().accepted == before {
        tokio::select! {
            job = jobs.recv() => {
                let job = job.ok_or(ClientError::Closed)?;
                let number = counters.read().jobs;
                count(&counters.jobs, 1);
                hand_over(current.clone(), number, job, delay);
            }
            Some(hit) = found.recv(), if submissions.len() < MINER_UNANSWERED_MAX => {
                submissions.spawn(submit(client.clone(), hit, delay, counters.clone()));
            }
            Some(answer) = submissions.join_next() => {
                // A submission neither panics nor is aborted while this runs.
                if let Ok(answer) = answer {
                    note(answer, counters)?;
                }
            }
        }
    }
    // Waits for answers to sent proofs; proofs found meanwhile are not sent.
    drop(found);
    while let Some(answer) = submissions.join_next().await {
        answer.map_or(Ok(()), |answer| note(answer, counters))?;
    }
    Ok(())
}

/// Gives the worker a job after its delay.
fn hand_over(current: watch::Sender<Current>, number: u64, job: Arc<Job>, delay: Duration) {
    let replace = move || {
        current.send_if_modified(|current| {
            let newer = current.as_ref().is_none_or(|(held, _)| *held < number);
            if newer {
                *current = Some((number, job));
            }
            newer
        });
    };
    if delay.is_zero() {
        replace();
    } else {
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            replace();
        });
    }
}

async fn submit(client: Arc<Client>, hit: Hit, delay: Duration, counters: Arc<Counters>) -> Result<(), ClientError> {
    tokio::time::sleep(delay).await;
    let answer = client.submit(&hit.job, hit.extranonce2, hit.job.time, hit.nonce, 0).await;
    if let Some(journal) = &counters.journal {
        let header = hit.job.header(hit.extranonce2, hit.job.time, hit.nonce, 0);
        journal.write(&Submit { id: header.block_hash(), verdict: verdict(&answer), hashes: counters.read().hashes });
    }
    answer
}

fn verdict(answer: &Result<(), ClientError>) -> Verdict {
    match answer {
        Ok(()) => Verdict::Accepted,
        Err(ClientError::Refused { code, text, .. }) => Verdict::Refused { code: *code, text: text.clone() },
        Err(_) => Verdict::Unanswered,
    }
}

/// Counts an answer. Returns an error only if the connection must end.
fn note(answer: Result<(), ClientError>, counters: &Counters) -> Result<(), ClientError> {
    match answer {
        Ok(()) => count(&counters.accepted, 1),
        Err(ClientError::Refused { code, text, .. }) => {
            count(&counters.rejected, 1);
            tracing::debug!(code, text, "proof refused");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
