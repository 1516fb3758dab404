//! Blocks at Bitcoin's limit of signature operations, judged by a real bitcoind.

use std::sync::Arc;

use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::hashes::Hash;
use bitcoin::{Amount, Block, PubkeyHash, ScriptBuf, Transaction, TxMerkleNode, TxOut};
use node_core::jobs::{BlockTemplate, CoinbaseCost, Contents, TemplateTransaction};
use serde_json::{Value, json};
use sharechain::check::binding::merkle_root;
use sharechain::coinbase::Coinbase;
use sharechain::{ShareHeader, ShareId, Timestamp};
use testnet::bitcoind::RealBitcoin;
use testnet::premine;
use testnet::wallet::{Spend, Wallet};

use crate::support::{propose, template, unsolved};

/// Maximum cost of a block (BIP-0141).
const LIMIT: u64 = 80_000;

const OUTPUTS: usize = 1_000;

/// An output whose script checks signatures this many times.
fn checksigs(count: u64) -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0xac; count as usize])
}

fn entry(Spend { transaction, fee, sigops }: Spend) -> Arc<TemplateTransaction> {
    Arc::new(TemplateTransaction {
        raw: serialize(&transaction).into(),
        txid: transaction.compute_txid(),
        wtxid: transaction.compute_wtxid(),
        fee,
        weight: transaction.weight().to_wu(),
        sigops_cost: sigops as u64,
    })
}

/// bitcoind's template on its tip, with these transactions.
fn block_template(of: &Value, transactions: Vec<Arc<TemplateTransaction>>) -> BlockTemplate {
    let bare = unsolved(of);
    let fees: Amount = transactions.iter().map(|transaction| transaction.fee).sum();
    BlockTemplate {
        version: bare.header.version.to_consensus(),
        prev_block: bare.header.prev_blockhash,
        height: of["height"].as_u64().unwrap() as u32,
        bits: bare.header.bits,
        time: bare.header.time,
        min_time: bare.header.time,
        coinbase_value: Amount::from_sat(of["coinbasevalue"].as_u64().unwrap()) + fees,
        witness_commitment: None,
        transactions: transactions.into(),
        weight_limit: 4_000_000,
        sigops_limit: LIMIT,
        long_poll_id: None,
        signet_challenge: None,
    }
}

/// P2PKH payouts of a coinbase, equal but for the remainder.
fn payouts(value: Amount) -> Vec<TxOut> {
    let part = value / OUTPUTS as u64;
    let mut payouts: Vec<TxOut> = (0..OUTPUTS as u32)
        .map(|number| {
            let mut hash = [0; 20];
            hash[..4].copy_from_slice(&number.to_le_bytes());
            TxOut { value: part, script_pubkey: ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(hash)) }
        })
        .collect();
    payouts[0].value += value - part * OUTPUTS as u64;
    payouts
}

/// A wide pool's block of what is kept of a template.
fn block(template: &BlockTemplate, contents: &Contents, of: &Value) -> Block {
    let share = ShareHeader {
        version: 2,
        parent: ShareId([1; 32]),
        anchor: ShareId([1; 32]),
        shares_root: [0; 32],
        shares_count: 0,
        state_root: [0; 32],
        payout: checksigs(0),
        time: Timestamp(template.time),
        bitcoin_height: template.height,
        coinbase_value: contents.kept.coinbase_value.to_sat(),
        signals: 0,
        null_data: ScriptBuf::new(),
    };
    let payouts = payouts(contents.kept.coinbase_value);
    let commitment = Some(&contents.witness_commitment);
    let coinbase = Coinbase { share: &share, payouts: &payouts, extranonce: &[7; 16], witness_commitment: commitment };
    let built = coinbase.build(&[9; 32]);
    let mut transaction: Transaction = deserialize(built.as_bytes()).unwrap();
    transaction.input[0].witness.push([0; 32]);
    let kept = template.transactions[..contents.kept.transactions].iter().map(|transaction| transaction.decode());
    let mut block = unsolved(of);
    block.txdata = std::iter::once(transaction).chain(kept).collect();
    let root = merkle_root(built.txid().to_byte_array(), &contents.branch);
    block.header.merkle_root = TxMerkleNode::from_byte_array(root);
    block
}

/// A thousand P2PKH payouts cost 4,000. A block of exactly 80,000 is valid, one above is not, and a template that
/// bitcoind itself allows, at 79,600, is trimmed until it fits.
#[tokio::test]
async fn a_wide_coinbase_fits_at_the_limit_of_signature_operations() {
    let dir = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let real = RealBitcoin::start(testnet::network::Chain::Local, dir.path(), free.port()).await.unwrap();
    let mut wallet = Wallet::new();
    for (height, block) in (1_u32..).zip(premine::blocks().unwrap()) {
        wallet.connect(height, &block);
    }
    // The input of each costs 1, each checked signature 4: in all 79,597.
    let spends = [4_975, 4_975, 4_975, 4_972, 1].map(|count| wallet.spend_to(checksigs(count)).unwrap());
    let all: Vec<Arc<TemplateTransaction>> = spends.into_iter().map(entry).collect();
    let of = template(real.rpc()).await;
    assert_eq!(of["sigoplimit"], json!(LIMIT));
    let scripts: Vec<ScriptBuf> = payouts(Amount::ZERO).into_iter().map(|output| output.script_pubkey).collect();
    let cost = CoinbaseCost::of(scripts.iter().map(|script| script.as_script()));
    assert_eq!(cost.sigops, 4_000);
    let untrimmed = CoinbaseCost { sigops: 0, ..cost };
    let judge = async |transactions: Vec<Arc<TemplateTransaction>>, cost| {
        let sigops: u64 = transactions.iter().map(|transaction| transaction.sigops_cost).sum();
        let template = block_template(&of, transactions);
        let contents = Contents::fit(&template, cost);
        let verdict = propose(real.rpc(), &block(&template, &contents, &of)).await;
        (sigops, contents.kept.transactions, verdict)
    };
    assert_eq!(judge(all.clone(), untrimmed).await, (79_597, 5, json!("bad-blk-sigops")), "without trimming");
    let trimmed = judge(all.clone(), cost).await;
    assert_eq!(trimmed, (79_597, 3, Value::Null), "the last two make room");
    // At the limit: 76,000 of the transactions, with the payouts 80,000.
    let mut at_limit = all[..3].to_vec();
    while at_limit.iter().map(|transaction| transaction.sigops_cost).sum::<u64>() % 4 != 0 {
        at_limit.push(entry(wallet.spend_to(checksigs(0)).unwrap()));
    }
    let missing = 76_000 - at_limit.iter().map(|transaction| transaction.sigops_cost).sum::<u64>();
    for (more, verdict) in [(0, Value::Null), (4, json!("bad-blk-sigops"))] {
        // Four inputs cost as much as one check.
        let mut transactions = at_limit.clone();
        transactions.extend((0..3).map(|_| entry(wallet.spend_to(checksigs(0)).unwrap())));
        transactions.push(entry(wallet.spend_to(checksigs((missing - 4 + more) / 4)).unwrap()));
        let count = transactions.len();
        assert_eq!(
            judge(transactions.clone(), untrimmed).await,
            (76_000 + more, count, verdict),
            "{more} more, untrimmed"
        );
        let kept = if more == 0 { count } else { count - 1 };
        assert_eq!(judge(transactions, cost).await, (76_000 + more, kept, Value::Null), "{more} more");
    }
    real.stop().await;
}
