//! Sizes of messages: the real encodings, and the overhead of gossipsub, Yamux, Noise, TCP and IP.
//!
//! Two sums are kept apart. A [`Weight::stream`] is what a TCP socket counts as sent, so that it can be compared with a
//! running node's sockets. A [`Weight::line`] is what the line carries, including packet headers and acknowledgements.

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::pow::CompactTarget;
use bitcoin::{Amount, BlockHash, ScriptBuf, TxMerkleNode, TxOut};
use p2p_proto::{Gossip, Request, Response, TipInfo};
use sharechain::coinbase::Coinbase;
use sharechain::share::SHARE_VERSION;
use sharechain::{Height, Proof, ShareHeader, ShareId, Timestamp, U256, Work};

/// Bytes of a Yamux frame header.
const YAMUX_BYTES: u32 = 12;

/// Largest payload of a Yamux frame, before it is split.
const YAMUX_PAYLOAD_MAX: u32 = 16 << 10;

/// Bytes that Noise adds to each flush: a length of 2 and a tag of 16.
const NOISE_BYTES: u32 = 18;

/// Bytes of an IPv4 and a TCP header with timestamps.
const PACKET_HEADER_BYTES: u32 = 52;

/// Largest payload of a packet on Ethernet: 1,500 bytes minus the headers.
const PACKET_PAYLOAD_MAX: u32 = 1_448;

/// Number of packets per acknowledgement.
const PACKETS_PER_ACK: u32 = 2;

/// Bytes of a gossipsub topic, such as `/shoal/2cd5eb913453d89a/shares/1`.
const TOPIC_BYTES: u32 = 32;

/// Bytes of a gossip message's id: SHA-256.
const MESSAGE_ID_BYTES: u32 = 32;

/// Bytes with which each side of a new stream negotiates its protocol: `/multistream/1.0.0` and
/// `/shoal/2cd5eb913453d89a/sync/1`, each with a length prefix and a newline.
const NEGOTIATION_BYTES: u32 = 20 + 32;

/// Yamux frames that one side of a request sends besides the message: opening or accepting, protocol name, length, end.
const REQUEST_FRAMES: u32 = 4;

/// Flushes in which one side of a request sends all of that. Each is a packet.
const REQUEST_FLUSHES: u32 = 3;

/// Round trips of a request until its response: the protocol is negotiated first.
pub const REQUEST_ROUND_TRIPS: u32 = 2;

/// Bytes of a ping, and of its answer.
const PING_BYTES: u32 = 32;

/// Hashes of the merkle branch of a block with 2,048 to 4,096 transactions, as most blocks have.
const BRANCH: usize = 12;

/// The bytes that one side sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Bytes of a TCP stream.
    pub stream: u32,
    /// Bytes on the line in this direction.
    pub line: u32,
    /// Bytes of acknowledgements on the line in the other direction.
    pub back: u32,
}

impl Weight {
    /// Weight of messages that are each flushed alone: `frames` Yamux frames in `flushes` flushes around `payload`
    /// bytes.
    const fn of(payload: u32, frames: u32, flushes: u32) -> Self {
        let stream = payload + frames * YAMUX_BYTES + flushes * NOISE_BYTES;
        let full = stream.div_ceil(PACKET_PAYLOAD_MAX);
        let packets = if full > flushes { full } else { flushes };
        let back = packets.div_ceil(PACKETS_PER_ACK) * PACKET_HEADER_BYTES;
        Self { stream, line: stream + packets * PACKET_HEADER_BYTES, back }
    }

    /// Weight of a gossipsub frame with this many bytes of protocol buffers.
    const fn of_rpc(bytes: u32) -> Self {
        let framed = bytes + varint(bytes);
        Self::of(framed, framed.div_ceil(YAMUX_PAYLOAD_MAX), 1)
    }

    /// Weight of a message of this many bytes that gossipsub publishes or forwards.
    #[must_use]
    pub const fn of_gossip(bytes: u32) -> Self {
        let message = field(bytes) + field(TOPIC_BYTES);
        Self::of_rpc(field(message))
    }

    /// Weight of an announcement of messages (`IHAVE`) with this many ids, which may be a fractional mean.
    #[must_use]
    pub const fn of_ihave(ids: u32) -> Self {
        let ihave = field(TOPIC_BYTES) + ids * field(MESSAGE_ID_BYTES);
        Self::of_rpc(field(field(ihave)))
    }

    /// Weight of a request for a message (`IWANT`).
    #[must_use]
    pub const fn of_iwant(ids: u32) -> Self {
        Self::of_rpc(field(field(ids * field(MESSAGE_ID_BYTES))))
    }

    /// Weight of a request or a response of this many bytes, with the overhead of its side of the stream.
    #[must_use]
    pub const fn of_exchange(bytes: u32) -> Self {
        const LENGTH_BYTES: u32 = 4;
        let split = bytes.div_ceil(YAMUX_PAYLOAD_MAX);
        Self::of(NEGOTIATION_BYTES + LENGTH_BYTES + bytes, REQUEST_FRAMES + split, REQUEST_FLUSHES + split - 1)
    }

    /// Weight of a ping or its answer.
    #[must_use]
    pub const fn of_ping() -> Self {
        Self::of(PING_BYTES, 1, 1)
    }
}

/// Returns the bytes of a varint in protocol buffers.
const fn varint(value: u32) -> u32 {
    match value {
        0..=0x7f => 1,
        0x80..=0x3fff => 2,
        0x4000..=0x1f_ffff => 3,
        _ => 4,
    }
}

/// Returns the bytes of a field with this much content: its number, its length, the content.
const fn field(bytes: u32) -> u32 {
    1 + varint(bytes) + bytes
}

/// Bytes of messages, from the real encodings of a representative proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// An encoded proof.
    pub proof: u32,
    /// A share as gossip.
    pub share: u32,
    /// A link with an empty list, as gossip.
    pub link: u32,
    /// An id in a list.
    pub id: u32,
    /// A request for the tip, and its answer.
    pub tip: (u32, u32),
    /// A request for unlisted shares, and an empty answer.
    pub pending: (u32, u32),
    /// A request for proofs without ids, and an empty answer.
    pub proofs: (u32, u32),
    /// A proof in an answer.
    pub item: u32,
}

impl Sizes {
    /// Returns the sizes on mainnet: a block of thousands of transactions, and a coinbase with 48 Taproot payouts.
    #[must_use]
    pub fn main() -> Self {
        Self::of(&proof(taproot(), 48, BRANCH))
    }

    /// Returns the sizes for a proof.
    ///
    /// # Panics
    /// Never: no message has 4 GB.
    #[must_use]
    pub fn of(proof: &Proof) -> Self {
        let len = |bytes: Vec<u8>| u32::try_from(bytes.len()).expect("messages are shorter than 4 GB");
        let link = |list: Vec<ShareId>| len(Gossip::Link { proof: Box::new(proof.clone()), list }.encode());
        let tip = TipInfo {
            tip: ShareId([0; 32]),
            height: Height(0),
            work: Work(U256::ZERO),
            lowest_shown: Height(1),
            bitcoin_height: 0,
            user_agent: "shoal/0.1.0".to_owned(),
        };
        let item = p2p_proto::Item { proof: proof.clone(), list: None };
        Self {
            proof: len(proof.encode()),
            share: len(Gossip::Share(Box::new(proof.clone())).encode()),
            link: link(Vec::new()),
            id: link(vec![ShareId([0; 32])]) - link(Vec::new()),
            tip: (len(Request::Tip.encode()), len(Response::Tip(tip).encode())),
            pending: (len(Request::Pending.encode()), len(Response::Pending(Vec::new()).encode())),
            proofs: (len(Request::Proofs { ids: Vec::new() }.encode()), len(Response::Proofs(Vec::new()).encode())),
            item: u32::try_from(item.encoded_bytes()).expect("a proof has less than 1 KB"),
        }
    }

    /// Returns the bytes of a link as gossip that lists this many shares.
    #[must_use]
    pub const fn link_of(&self, listed: u32) -> u32 {
        self.link + listed * self.id
    }
}

/// Returns a Taproot address.
#[must_use]
pub fn taproot() -> ScriptBuf {
    ScriptBuf::from_bytes([&[0x51, 0x20][..], &[7; 32]].concat())
}

/// Returns a proof of a miner with this address, with this many payouts to such addresses and this many hashes in its
/// branch. Its hashes are made up.
#[must_use]
pub fn proof(payout: ScriptBuf, payouts: usize, branch: usize) -> Proof {
    let share = ShareHeader {
        version: SHARE_VERSION,
        parent: ShareId([1; 32]),
        anchor: ShareId([2; 32]),
        shares_root: [3; 32],
        shares_count: 32,
        state_root: [9; 32],
        payout: payout.clone(),
        time: Timestamp(0),
        bitcoin_height: 1_008_000,
        coinbase_value: 312_500_000,
        signals: 0,
        null_data: ScriptBuf::new(),
    };
    let extranonce = [4; 16];
    let witness_commitment = Some([5; 32]);
    let payouts = vec![TxOut { value: Amount::from_sat(6_510_416), script_pubkey: payout }; payouts];
    let coinbase = Coinbase {
        share: &share,
        payouts: &payouts,
        extranonce: &extranonce,
        witness_commitment: witness_commitment.as_ref(),
    };
    let prefix = coinbase.build(&[0; 32]).prefix();
    let header = Header {
        version: Version::TWO,
        prev_blockhash: BlockHash::from_byte_array([6; 32]),
        merkle_root: TxMerkleNode::from_byte_array([7; 32]),
        time: 0,
        bits: CompactTarget::from_consensus(0x1702_0000),
        nonce: 0,
    };
    Proof { header, share, extranonce, witness_commitment, branch: vec![[8; 32]; branch], prefix }
}

#[cfg(test)]
mod tests;
