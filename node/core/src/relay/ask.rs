//! Requests the missing parts of a block from peers, and handles their responses.

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use p2p_proto::limits::{BLOCK_BYTES_MAX, BLOCK_PIECE_BYTES_MAX};
use p2p_proto::message::RequestKind;
use p2p_proto::sync::RequestId;
use p2p_proto::{Command, Failure, Millis, Misbehaviour, PeerId, Request, Response};

use super::Relay;
use super::build::Material;
use super::fetch::{Stage, Tracked};
use crate::limits::{BLOCK_REQUESTS_MAX, FETCH_MS_MAX, PIECE_PATIENCE_MS, TRANSACTIONS_PATIENCE_MS};

/// Ids of the relay's requests begin here. Those of the sync machine count from 0.
const REQUESTS_FROM: u64 = 1 << 63;

/// A request in flight.
#[derive(Debug)]
pub(super) struct Asked {
    hash: BlockHash,
    peer: PeerId,
    since: Millis,
    what: What,
}

/// The requested part.
#[derive(Debug)]
enum What {
    /// Transactions at these positions of an announcement.
    Transactions { announcement: usize, wanted: Vec<u16> },
    /// The piece that begins here.
    Piece { offset: usize },
}

/// Size of a response above which the peer may have had more, bytes.
const FULL_RESPONSE_BYTES: usize = 1 << 20;

impl Asked {
    fn is_late(&self, now: Millis) -> bool {
        let patience_ms = match self.what {
            What::Transactions { .. } => TRANSACTIONS_PATIENCE_MS,
            What::Piece { .. } => PIECE_PATIENCE_MS,
        };
        now.since(self.since) >= patience_ms
    }
}

impl Relay {
    /// Handles the response to a request. Returns it if the request was not one of the relay's.
    pub(crate) fn take_response(
        &mut self,
        id: RequestId,
        result: Result<Response, Failure>,
        now: Millis,
    ) -> Option<Result<Response, Failure>> {
        if id.0 < REQUESTS_FROM {
            return Some(result);
        }
        if let Some(asked) = self.asked.remove(&id) {
            self.take_answer(asked, result, now);
        }
        None
    }

    fn take_answer(&mut self, asked: Asked, result: Result<Response, Failure>, now: Millis) {
        let Asked { hash, peer, what, .. } = asked;
        let Some(tracked) = self.blocks.get_mut(&hash).filter(|tracked| !tracked.is_over()) else { return };
        let fault = match (result, what) {
            (Ok(Response::Transactions(transactions)), What::Transactions { announcement, wanted }) => {
                if tracked.current() != announcement || !matches!(tracked.stage, Stage::Transactions(_)) {
                    return;
                }
                if transactions.is_empty() {
                    Some(Misbehaviour::Useless)
                } else if transactions.len() > wanted.len() {
                    Some(Misbehaviour::Unsolicited)
                } else {
                    self.take_transactions(hash, peer, &wanted, transactions, now);
                    return;
                }
            }
            (Ok(Response::BlockPiece { size, bytes }), What::Piece { offset }) => {
                match self.take_piece((hash, peer), offset, (size, &bytes), now) {
                    Ok(()) => return,
                    Err(fault) => Some(fault),
                }
            }
            (Err(Failure::Timeout), _) => Some(Misbehaviour::Timeout),
            _ => None,
        };
        self.blame(hash, peer, fault);
        self.ask(hash, now);
    }

    fn take_transactions(
        &mut self,
        hash: BlockHash,
        peer: PeerId,
        wanted: &[u16],
        transactions: Vec<Vec<u8>>,
        now: Millis,
    ) {
        let Some(tracked) = self.blocks.get_mut(&hash) else { return };
        // It may have more of them than fit.
        if transactions.iter().map(Vec::len).sum::<usize>() >= FULL_RESPONSE_BYTES {
            tracked.tried.remove(&peer);
        }
        if !tracked.take(wanted.iter().copied().zip(transactions)) {
            tracked.pass();
            return self.go_on(hash, now);
        }
        if let Some(material) = tracked.material() {
            self.build(hash, material, None);
        }
    }

    /// Handles a piece. The error is the peer's misbehavior.
    fn take_piece(
        &mut self,
        (hash, peer): (BlockHash, PeerId),
        offset: usize,
        (size, piece): (u32, &[u8]),
        now: Millis,
    ) -> Result<(), Misbehaviour> {
        let Some(tracked) = self.blocks.get_mut(&hash) else { return Ok(()) };
        let Stage::Pieces { from, bytes } = &mut tracked.stage else { return Ok(()) };
        if *from != Some(peer) || bytes.len() != offset {
            return Ok(());
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let is_useless = piece.is_empty();
        let is_part = piece.len() == BLOCK_PIECE_BYTES_MAX && offset + piece.len() < size;
        let is_wrong = size > BLOCK_BYTES_MAX || !(is_part || offset + piece.len() == size);
        if is_useless || is_wrong {
            *from = None;
            bytes.clear();
            return Err(if is_useless { Misbehaviour::Useless } else { Misbehaviour::InvalidItem });
        }
        bytes.extend_from_slice(piece);
        if bytes.len() == size {
            let material = Material::Bytes(std::mem::take(bytes).into());
            self.build(hash, material, Some(peer));
        } else {
            self.ask_peer(hash, peer, now);
        }
        Ok(())
    }

    /// Punishes a peer that announced a block but does not deliver it, or that sent wrong data.
    fn blame(&mut self, hash: BlockHash, peer: PeerId, fault: Option<Misbehaviour>) {
        let Some(misbehaviour) = fault else { return };
        let announced = self.blocks.get(&hash).is_some_and(|tracked| tracked.was_announced_by(&peer));
        let is_late = matches!(misbehaviour, Misbehaviour::Useless | Misbehaviour::Timeout);
        if announced || !is_late {
            self.command(Command::Punish { peer, misbehaviour });
        }
    }

    /// Asks the next peer for the missing parts of a block.
    pub(super) fn ask(&mut self, hash: BlockHash, now: Millis) {
        let Some(tracked) = self.blocks.get(&hash) else { return };
        let kind = match tracked.stage {
            Stage::Transactions(_) => RequestKind::Transactions,
            Stage::Pieces { .. } => RequestKind::BlockPiece,
            Stage::Building { .. } | Stage::Over => return,
        };
        let in_flight = self.asked.values().filter(|asked| asked.hash == hash).count();
        if in_flight >= BLOCK_REQUESTS_MAX || now < tracked.resting_until {
            return;
        }
        // Peers that announced it first, then all others, beginning at a random one.
        let start = PeerId(hash.to_byte_array());
        let others = self.connected.range(start..).chain(self.connected.range(..start)).copied();
        let fresh: Vec<_> = tracked
            .announcers()
            .filter(|peer| self.connected.contains(peer))
            .chain(others)
            .filter(|peer| !tracked.tried.contains(peer))
            .collect();
        let rates = &mut self.rates;
        if let Some(peer) = fresh.into_iter().find(|peer| rates.allows(*peer, kind, now)) {
            return self.ask_peer(hash, peer, now);
        }
        if let Some(tracked) = self.blocks.get_mut(&hash) {
            tracked.rest(now);
        }
    }

    fn ask_peer(&mut self, hash: BlockHash, peer: PeerId, now: Millis) {
        let id = RequestId(REQUESTS_FROM | self.number());
        let Some(tracked) = self.blocks.get_mut(&hash) else { return };
        let announcement = tracked.current();
        let (request, what) = match &mut tracked.stage {
            Stage::Transactions(missing) => {
                let wanted = missing.clone();
                (
                    Request::Transactions { block: hash, wanted },
                    What::Transactions { announcement, wanted: missing.clone() },
                )
            }
            Stage::Pieces { from, bytes } => {
                *from = Some(peer);
                let offset = bytes.len();
                let request = Request::BlockPiece { block: hash, offset: u32::try_from(offset).unwrap_or(u32::MAX) };
                (request, What::Piece { offset })
            }
            Stage::Building { .. } | Stage::Over => return,
        };
        tracked.tried.insert(peer);
        self.rates.request(peer, request.kind(), now);
        self.asked.insert(id, Asked { hash, peer, since: now, what });
        self.command(Command::Request { peer, id, request });
    }

    /// Asks another peer if all asked ones are late.
    pub(super) fn ask_if_late(&mut self, hash: BlockHash, now: Millis) {
        if self.asked.values().any(|asked| asked.hash == hash && !asked.is_late(now)) {
            return;
        }
        // A piece of the late peer is of no use to the next one.
        if let Some(Tracked { stage: Stage::Pieces { from, bytes }, .. }) = self.blocks.get_mut(&hash) {
            *from = None;
            bytes.clear();
        }
        self.ask(hash, now);
    }

    /// True if a block is no longer worth fetching: it takes too long, or nothing of it has arrived and Bitcoin has it.
    pub(super) fn is_hopeless(&self, hash: &BlockHash, is_known: impl Fn(&BlockHash) -> bool, now: Millis) -> bool {
        self.blocks.get(hash).is_some_and(|tracked| {
            let is_late = now.since(tracked.since) >= FETCH_MS_MAX;
            is_late || (matches!(tracked.stage, Stage::Pieces { .. }) && is_known(hash))
        })
    }
}
