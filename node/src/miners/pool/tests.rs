use std::sync::Arc;
use std::time::Duration;

use bitcoin::{Address, ScriptBuf};
use stratum::limits::CONNECTIONS_MAX;
use stratum::{Account, Found, Pool, Readiness, Refusal, Work};

use node_core::jobs::JobTemplate;
use node_core::jobs::fixtures::{job_templates, worked_header};
use node_core::limits::JOB_TEMPLATES_MAX;

use super::Miners;
use crate::config::Network;
use crate::limits::BLOCKS_PASSED_MAX;

fn address(number: u8) -> Address {
    let script = ScriptBuf::new_p2wpkh(&bitcoin::hashes::Hash::from_byte_array([number; 20]));
    Address::from_script(&script, bitcoin::Network::Signet).unwrap()
}

fn account(number: u8) -> Account {
    Account::from(address(number).script_pubkey().into_bytes())
}

/// What Stratum passes on for a header that binds but has no work.
fn found(work: &Arc<Work>, template: &Arc<JobTemplate>, number: u8, meets_bitcoin: bool) -> Found {
    let header = worked_header(template, address(number).script_pubkey());
    Found {
        work: Arc::clone(work),
        header,
        extranonce: [0; 16],
        hash: header.block_hash(),
        worker: "w".into(),
        account: account(number),
        meets_bitcoin,
        meets_share: true,
    }
}

#[test]
fn an_account_is_the_script_of_the_address_in_the_user_name() {
    let (miners, _found) = Miners::new(Network::Local, None);
    let address_text = address(1).to_string();
    for user in [address_text.clone(), format!("{address_text}.rig1"), format!(" {address_text} .rig1")] {
        assert_eq!(miners.authorize(&user).unwrap(), account(1), "{user:?}");
    }
    assert!(miners.authorize("rig1").unwrap_err().0.starts_with("user name must be ADDRESS.WORKER: "));
    let (miners, _found) = Miners::new(Network::Local, Some(&address(9)));
    assert_eq!(miners.authorize("rig1").unwrap(), account(9));
}

#[test]
fn connections_of_an_account_share_a_work_until_there_is_a_newer_one() {
    let (miners, _found) = Miners::new(Network::Local, None);
    assert!(miners.work(&account(1)).is_none());
    let templates = job_templates(2);
    miners.set_template(Some(Arc::clone(&templates[0])));
    let first = miners.work(&account(1)).unwrap();
    assert!(Arc::ptr_eq(&first, &miners.work(&account(1)).unwrap()));
    assert_ne!(first.coinb2, miners.work(&account(2)).unwrap().coinb2);
    miners.set_template(Some(Arc::clone(&templates[1])));
    let second = miners.work(&account(1)).unwrap();
    assert_ne!(first.key, second.key);
    miners.pause("x");
    assert!(miners.work(&account(1)).is_none());
    assert_eq!(miners.changes().borrow().generation, 3);
}

#[test]
fn accounts_that_come_and_go_fill_no_memory() {
    let (miners, _found) = Miners::new(Network::Local, None);
    miners.set_template(Some(Arc::clone(&job_templates(1)[0])));
    let work = miners.work(&account(1)).unwrap();
    for number in 1..CONNECTIONS_MAX as u64 {
        miners.state().current.insert(Account::from(number.to_be_bytes().to_vec()), Arc::clone(&work));
    }
    assert_eq!(miners.state().current.len(), CONNECTIONS_MAX);
    assert_eq!(miners.work(&account(2)).unwrap().key, work.key, "it has its work all the same");
    assert_eq!(miners.state().current.len(), CONNECTIONS_MAX);
}

#[tokio::test]
async fn late_work_is_accepted_on_the_template_it_was_found_on() {
    let (miners, mut queue) = Miners::new(Network::Local, None);
    let templates = job_templates(3);
    miners.set_template(Some(Arc::clone(&templates[0])));
    let work = miners.work(&account(1)).unwrap();
    for template in &templates[1..] {
        miners.set_template(Some(Arc::clone(template)));
    }
    miners.stop("x");
    miners.submit(found(&work, &templates[0], 1, true));
    let share = queue.shares.recv().await.unwrap();
    assert!(Arc::ptr_eq(&share.job.template, &templates[0]));
    assert_eq!(share.job.share.payout, address(1).script_pubkey());
    // A block also arrives as a block, whatever happens to the share.
    assert!(queue.blocks.try_recv().is_ok());
}

#[test]
fn a_block_goes_on_once_however_often_a_miner_submits_it() {
    let (miners, mut queue) = Miners::new(Network::Local, None);
    let templates = job_templates(1);
    miners.set_template(Some(Arc::clone(&templates[0])));
    let work = miners.work(&account(1)).unwrap();
    let block = found(&work, &templates[0], 1, true);
    // As a duplicate, or as what another check rejects: only the block counts.
    let late = Found { meets_share: false, ..block.clone() };
    for found in [&block, &late, &block] {
        miners.submit(found.clone());
    }
    assert!(queue.blocks.try_recv().is_ok() && queue.shares.try_recv().is_ok());
    assert!(queue.blocks.try_recv().is_err() && queue.shares.try_recv().is_err(), "peers would ban this node");
    for number in 0..2 * BLOCKS_PASSED_MAX as u8 {
        let hash = bitcoin::hashes::Hash::from_byte_array([number; 32]);
        miners.submit(Found { hash, ..block.clone() });
        assert!(queue.blocks.try_recv().is_ok(), "another block");
    }
    assert_eq!(miners.state().passed.len(), BLOCKS_PASSED_MAX);
}

#[test]
fn templates_are_forgotten_oldest_first() {
    let (miners, mut queue) = Miners::new(Network::Local, None);
    let templates = job_templates(JOB_TEMPLATES_MAX as u32 + 1);
    miners.set_template(Some(Arc::clone(&templates[0])));
    let first = miners.work(&account(1)).unwrap();
    miners.set_template(Some(Arc::clone(&templates[1])));
    let second = miners.work(&account(1)).unwrap();
    for template in &templates[2..] {
        miners.set_template(Some(Arc::clone(template)));
    }
    miners.submit(found(&first, &templates[0], 1, false));
    assert!(queue.shares.try_recv().is_err());
    miners.submit(found(&second, &templates[1], 1, false));
    assert!(queue.shares.try_recv().is_ok());
    assert_eq!(miners.state().recent.len(), JOB_TEMPLATES_MAX);
}

#[test]
fn miners_without_fresh_work_leave_after_the_grace() {
    let (miners, _queue) = Miners::new(Network::Local, None);
    let templates = job_templates(2);
    let generation = || miners.changes().borrow().generation;
    let grace = Duration::from_millis(20);
    let refusal = |reason: &str| Refusal(format!("this node has no work: {reason}"));
    assert!(matches!(miners.readiness(), Readiness::Stopped(_)), "nothing is handed out at the start");
    miners.pause("it reads its share-chain");
    assert_eq!(miners.readiness(), Readiness::Stopped(refusal("it reads its share-chain")));
    assert_eq!(generation(), 0, "nobody waits yet");
    miners.set_template(Some(Arc::clone(&templates[0])));
    miners.pause("no bitcoind");
    assert_eq!(miners.readiness(), Readiness::Paused(refusal("no bitcoind")));
    assert_eq!(generation(), 2);
    miners.stop_paused(Duration::from_secs(30));
    assert!(matches!(miners.readiness(), Readiness::Paused(_)));
    std::thread::sleep(grace);
    // A second reason does not start a new grace period.
    miners.pause("still no bitcoind");
    miners.stop_paused(grace);
    assert_eq!(miners.readiness(), Readiness::Stopped(refusal("still no bitcoind")));
    assert_eq!(generation(), 3);
    miners.stop("again");
    assert_eq!(
        (generation(), miners.readiness()),
        (3, Readiness::Stopped(refusal("again"))),
        "the newest reason, once"
    );
    miners.set_template(Some(Arc::clone(&templates[1])));
    assert_eq!(miners.readiness(), Readiness::Ready);
    miners.stop("the node is cut off");
    assert_eq!(miners.readiness(), Readiness::Stopped(refusal("the node is cut off")));
}

#[test]
fn miners_are_away_until_there_is_a_template_and_solo_work_is_no_share() {
    let (miners, mut queue) = Miners::new(Network::Local, None);
    let pool = job_templates(1).remove(0);
    assert!(matches!(miners.readiness(), Readiness::Stopped(_)), "nothing yet");
    miners.set_template(Some(Arc::clone(&pool)));
    assert_eq!(miners.readiness(), Readiness::Ready);
    for _ in 0..2 {
        miners.stop("the node is cut off");
        assert!(matches!(miners.readiness(), Readiness::Stopped(_)) && miners.work(&account(1)).is_none());
        assert_eq!(miners.changes().borrow().generation, 2, "connections hear it once");
        miners.set_template(None);
    }
    let (block, contents) = (Arc::clone(&pool.block), Arc::clone(&pool.contents));
    let solo = JobTemplate::solo(block, contents, 0..=u32::MAX, sharechain::Timestamp(1_800_000_000));
    miners.set_template(Some(Arc::clone(&solo)));
    let work = miners.work(&account(1)).unwrap();
    assert!(miners.readiness() == Readiness::Ready && work.solo);
    miners.submit(found(&work, &solo, 1, true));
    assert!(queue.shares.try_recv().is_err(), "peers never hear of it");
    let block = queue.blocks.try_recv().unwrap();
    assert_eq!(block.job.share.payout, address(1).script_pubkey());
}
