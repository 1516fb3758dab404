//! Builds a block from known transactions. It hashes up to 4 MB, so it runs off the consensus thread.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bitcoin::{BlockHash, Wtxid};
use p2p_proto::message::{SHORT_ID_BYTES, ShortIds};

use super::whole::{Frame, WholeBlock};
use crate::jobs::BlockTemplate;

/// A short id.
pub(super) type Id = [u8; SHORT_ID_BYTES];

/// The material of a block.
#[derive(Clone, Debug)]
pub(super) enum Material {
    /// An announcement's ids, and the transactions that peers sent, by position.
    Ids { nonce: u64, ids: Arc<[Id]>, sent: BTreeMap<u16, Arc<[u8]>> },
    /// The serialized block.
    Bytes(Arc<[u8]>),
}

/// A block to build: [`BlockBuild::run`] on any thread, then [`Input::Built`](crate::exchange::Input::Built).
#[derive(Clone, Debug)]
pub struct BlockBuild {
    pub(super) frame: Arc<Frame>,
    pub(super) material: Material,
    /// Number of the attempt.
    pub(super) attempt: u64,
}

/// The result of a [`BlockBuild`].
#[derive(Debug)]
pub struct Built {
    pub(super) hash: BlockHash,
    pub(super) attempt: u64,
    pub(super) result: BuildResult,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum BuildResult {
    Whole(Arc<WholeBlock>),
    /// Positions of missing transactions.
    Missing(Vec<u16>),
    /// The material does not form the block. This says nothing about the block itself.
    Wrong,
}

impl Built {
    /// True if a newer template may have the missing transactions.
    #[must_use]
    pub fn lacks_some(&self) -> bool {
        matches!(self.result, BuildResult::Missing(_))
    }
}

/// A place in the block.
#[derive(Clone, Copy)]
enum Place<'a> {
    Empty,
    Filled(&'a [u8], Option<Wtxid>),
    /// Two known transactions have its short id.
    Ambiguous,
}

impl BlockBuild {
    /// Hash of the block.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        self.frame.hash
    }

    /// The block that this one extends.
    #[must_use]
    pub fn previous(&self) -> BlockHash {
        self.frame.proof.header.prev_blockhash
    }

    /// Builds the block with the transactions of these templates.
    #[must_use]
    pub fn run(&self, templates: &[Arc<BlockTemplate>]) -> Built {
        let result = match &self.material {
            Material::Bytes(bytes) => {
                self.frame.parse(bytes).map_or(BuildResult::Wrong, |block| BuildResult::Whole(Arc::new(block)))
            }
            Material::Ids { nonce, ids, sent } => self.fill(*nonce, ids, sent, templates),
        };
        Built { hash: self.frame.hash, attempt: self.attempt, result }
    }

    fn fill(
        &self,
        nonce: u64,
        ids: &[Id],
        sent: &BTreeMap<u16, Arc<[u8]>>,
        templates: &[Arc<BlockTemplate>],
    ) -> BuildResult {
        let short = ShortIds::new(&self.frame.proof.header, nonce);
        let mut places = vec![Place::Empty; ids.len()];
        let mut positions: HashMap<&Id, usize> = HashMap::with_capacity(ids.len());
        for (position, id) in ids.iter().enumerate() {
            // Two equal ids cannot be distinguished.
            if let Some(first) = positions.insert(id, position) {
                places[first] = Place::Ambiguous;
                places[position] = Place::Ambiguous;
            }
        }
        for transaction in templates.iter().flat_map(|template| template.transactions.iter()) {
            let Some(position) = positions.get(&short.of(&transaction.wtxid)) else { continue };
            let place = &mut places[*position];
            match place {
                Place::Empty => *place = Place::Filled(&transaction.raw, Some(transaction.wtxid)),
                Place::Filled(_, other) if *other != Some(transaction.wtxid) => *place = Place::Ambiguous,
                Place::Filled(..) | Place::Ambiguous => {}
            }
        }
        for (position, raw) in sent {
            if let Some(place) = places.get_mut(usize::from(*position)) {
                *place = Place::Filled(raw, None);
            }
        }
        let filled: Vec<_> = places
            .iter()
            .filter_map(|place| match place {
                Place::Filled(raw, _) => Some(*raw),
                Place::Empty | Place::Ambiguous => None,
            })
            .collect();
        if filled.len() < places.len() {
            let is_missing = |place: &Place<'_>| !matches!(place, Place::Filled(..));
            let missing = (0_u16..).zip(&places).filter(|(_, place)| is_missing(place)).map(|(position, _)| position);
            return BuildResult::Missing(missing.collect());
        }
        self.frame.assemble(&filled).map_or(BuildResult::Wrong, |block| BuildResult::Whole(Arc::new(block)))
    }
}
