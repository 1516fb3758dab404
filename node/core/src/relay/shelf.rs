//! Blocks that peers may request, and the requests that wait for one.

use std::collections::VecDeque;
use std::sync::Arc;

use bitcoin::BlockHash;
use p2p_proto::limits::BLOCK_PIECE_BYTES_MAX;
use p2p_proto::{Millis, PeerId, ReplyToken, Request, Response};

use super::whole::WholeBlock;
use crate::limits::{BLOCK_WAIT_MS, BLOCK_WAITING_MAX, BLOCK_WAITING_PER_PEER_MAX, SHELF_BYTES_MAX};

/// A request of a peer that waits for a block.
#[derive(Debug)]
struct Waiting {
    since: Millis,
    peer: PeerId,
    token: ReplyToken,
    request: Request,
}

/// The last complete blocks, oldest first, bounded in bytes.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    blocks: VecDeque<Arc<WholeBlock>>,
    size_bytes: usize,
    waiting: Vec<Waiting>,
}

/// The block that a request asks for.
fn wanted(request: &Request) -> Option<BlockHash> {
    match request {
        Request::Transactions { block, .. } | Request::BlockPiece { block, .. } => Some(*block),
        _ => None,
    }
}

/// The answer to a request from this block, or from none.
fn answer(request: &Request, block: Option<&WholeBlock>) -> Response {
    match (request, block) {
        (Request::Transactions { wanted, .. }, Some(block)) => {
            Response::transactions(wanted.iter().map_while(|position| Some(block.transaction(*position)?.to_vec())))
        }
        (Request::BlockPiece { offset, .. }, Some(block)) => {
            let bytes = block.bytes();
            let start = usize::try_from(*offset).unwrap_or(usize::MAX).min(bytes.len());
            let end = start.saturating_add(BLOCK_PIECE_BYTES_MAX).min(bytes.len());
            let piece = bytes.get(start..end).unwrap_or_default();
            Response::BlockPiece { size: u32::try_from(bytes.len()).unwrap_or(u32::MAX), bytes: piece.to_vec() }
        }
        (Request::BlockPiece { .. }, None) => Response::BlockPiece { size: 0, bytes: Vec::new() },
        _ => Response::Transactions(Vec::new()),
    }
}

impl Shelf {
    /// Adds a block. Drops the oldest while they take more than [`SHELF_BYTES_MAX`]. Returns the answers to the requests
    /// that waited for it.
    pub(super) fn put(&mut self, block: Arc<WholeBlock>) -> Vec<(ReplyToken, Response)> {
        let hash = block.hash;
        self.size_bytes += block.bytes().len();
        self.blocks.push_back(block);
        while self.size_bytes > SHELF_BYTES_MAX && self.blocks.len() > 1 {
            let Some(oldest) = self.blocks.pop_front() else { break };
            self.size_bytes -= oldest.bytes().len();
        }
        self.release(hash)
    }

    pub(super) fn get(&self, hash: &BlockHash) -> Option<&Arc<WholeBlock>> {
        self.blocks.iter().find(|block| block.hash == *hash)
    }

    /// Answers a request now, or lets it wait if the block is being fetched.
    pub(super) fn serve(
        &mut self,
        (peer, token): (PeerId, ReplyToken),
        request: Request,
        is_coming: impl FnOnce(&BlockHash) -> bool,
        now: Millis,
    ) -> Option<Response> {
        let block = wanted(&request).and_then(|hash| self.get(&hash));
        let of_peer = self.waiting.iter().filter(|waiting| waiting.peer == peer).count();
        let has_room = self.waiting.len() < BLOCK_WAITING_MAX && of_peer < BLOCK_WAITING_PER_PEER_MAX;
        if block.is_none() && has_room && wanted(&request).is_some_and(|hash| is_coming(&hash)) {
            self.waiting.push(Waiting { since: now, peer, token, request });
            return None;
        }
        Some(answer(&request, block.map(|block| &**block)))
    }

    /// Answers the requests that waited for this block, whether or not it arrived.
    pub(super) fn release(&mut self, hash: BlockHash) -> Vec<(ReplyToken, Response)> {
        self.answer_if(|waiting| wanted(&waiting.request) == Some(hash))
    }

    /// Answers the requests that waited for too long.
    pub(super) fn late(&mut self, now: Millis) -> Vec<(ReplyToken, Response)> {
        self.answer_if(|waiting| now.since(waiting.since) >= BLOCK_WAIT_MS)
    }

    fn answer_if(&mut self, mut is_due: impl FnMut(&Waiting) -> bool) -> Vec<(ReplyToken, Response)> {
        let due: Vec<_> = self.waiting.extract_if(.., |waiting| is_due(waiting)).collect();
        let block = |request: &Request| wanted(request).and_then(|hash| self.get(&hash));
        due.iter().map(|due| (due.token, answer(&due.request, block(&due.request).map(|block| &**block)))).collect()
    }
}
