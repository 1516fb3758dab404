use std::sync::Arc;

use bitcoin::{Address, ScriptBuf};
use stratum::{Account, Found, Pool, Work};

use super::Miners;
use crate::config::Network;
use crate::limits::DRAFTS_MAX;
use crate::work::draft::tests::{drafts, worked_header};

fn address(number: u8) -> Address {
    let script = ScriptBuf::new_p2wpkh(&bitcoin::hashes::Hash::from_byte_array([number; 20]));
    Address::from_script(&script, bitcoin::Network::Signet).unwrap()
}

fn account(number: u8) -> Account {
    Account::from(address(number).script_pubkey().into_bytes())
}

/// What Stratum hands over for an unworked but bound header.
fn found(work: &Arc<Work>, draft: &Arc<crate::work::Draft>, number: u8, meets_bitcoin: bool) -> Found {
    let header = worked_header(draft, address(number).script_pubkey());
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
fn a_name_is_an_address_of_the_network_and_a_worker() {
    let (miners, _found) = Miners::new(Network::Local, None);
    let user = format!("{}.rig1", address(1));
    assert_eq!(miners.authorize(&user).unwrap(), account(1));
    assert_eq!(miners.authorize(&address(1).to_string()).unwrap(), account(1));
    assert_eq!(miners.authorize(&address(1).to_string().to_uppercase()).unwrap(), account(1));
    for wrong in ["", "rig1", ".rig1", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.rig1"] {
        assert!(miners.authorize(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn names_without_an_address_earn_for_the_node_but_mistyped_addresses_for_nobody() {
    let (miners, _found) = Miners::new(Network::Local, Some(&address(9)));
    assert_eq!(miners.authorize("rig1").unwrap(), account(9));
    let mut mistyped = address(1).to_string();
    mistyped.pop();
    assert!(miners.authorize(&mistyped).is_err());
    assert!(miners.authorize("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.rig1").is_err());
}

#[test]
fn connections_of_an_account_share_a_work_until_there_is_a_newer_one() {
    let (miners, _found) = Miners::new(Network::Local, None);
    assert!(miners.work(&account(1)).is_none());
    let drafts = drafts(2);
    miners.set_draft(Some(Arc::clone(&drafts[0])));
    let first = miners.work(&account(1)).unwrap();
    assert!(Arc::ptr_eq(&first, &miners.work(&account(1)).unwrap()));
    assert_ne!(first.coinb2, miners.work(&account(2)).unwrap().coinb2);
    miners.set_draft(Some(Arc::clone(&drafts[1])));
    let second = miners.work(&account(1)).unwrap();
    assert_ne!(first.key, second.key);
    miners.set_draft(None);
    assert!(miners.work(&account(1)).is_none());
    assert_eq!(miners.changes().borrow().generation, 3);
}

#[tokio::test]
async fn late_work_is_taken_on_the_draft_it_was_found_on() {
    let (miners, mut queue) = Miners::new(Network::Local, None);
    let drafts = drafts(3);
    miners.set_draft(Some(Arc::clone(&drafts[0])));
    let work = miners.work(&account(1)).unwrap();
    for draft in &drafts[1..] {
        miners.set_draft(Some(Arc::clone(draft)));
    }
    miners.set_draft(None);
    miners.submit(found(&work, &drafts[0], 1, true));
    let share = queue.shares.recv().await.unwrap();
    assert!(Arc::ptr_eq(&share.order.draft, &drafts[0]));
    assert_eq!(share.order.share.payout, address(1).script_pubkey());
    // A block also comes as such, whatever becomes of the share.
    assert!(queue.blocks.try_recv().is_ok());
}

#[test]
fn drafts_are_forgotten_oldest_first_and_their_templates_with_them() {
    let (miners, mut queue) = Miners::new(Network::Local, None);
    let drafts = drafts(DRAFTS_MAX as u32 + 1);
    miners.set_draft(Some(Arc::clone(&drafts[0])));
    let first = miners.work(&account(1)).unwrap();
    miners.set_draft(Some(Arc::clone(&drafts[1])));
    let second = miners.work(&account(1)).unwrap();
    for draft in &drafts[2..] {
        miners.set_draft(Some(Arc::clone(draft)));
    }
    miners.submit(found(&first, &drafts[0], 1, false));
    assert!(queue.shares.try_recv().is_err());
    miners.submit(found(&second, &drafts[1], 1, false));
    assert!(queue.shares.try_recv().is_ok());
    let state = miners.state();
    assert_eq!(state.remembered.drafts.len(), DRAFTS_MAX);
    let held: usize = state.remembered.drafts.iter().map(|draft| super::template_bytes(&draft.template)).sum();
    assert_eq!(state.remembered.size_bytes, held);
}
