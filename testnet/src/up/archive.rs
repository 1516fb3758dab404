//! `--archive`: a PostgreSQL into which all nodes stream, and its comparison with their databases at the end.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use ::archive::{ArchiveError, LocalServer};
use node::store::{RecordKind, Store};
use sharechain::ShareId;

use super::UpError;
use crate::api_client::Api;
use crate::limits::ARCHIVE_WAIT_MAX;
use crate::network::NodePlan;
use crate::report::GatherError;

/// Name of its folder in the network's.
const FOLDER: &str = "archive";

/// Pause between two checks.
const LOOK: Duration = Duration::from_secs(1);

/// The data for the comparison.
#[derive(Debug)]
pub(super) struct Compared {
    /// The nodes, and whether each ran to the end: data from others may have been in flight.
    pub(super) nodes: Vec<(NodePlan, bool)>,
    /// The pool.
    pub(super) consensus_id: [u8; 32],
}

/// The archive of a network.
#[derive(Debug)]
pub(super) struct Archive {
    server: LocalServer,
}

impl Archive {
    /// Starts it in the network's folder, with the data of an earlier run.
    pub(super) fn start(dir: &Path) -> Result<Self, ArchiveError> {
        Ok(Self { server: LocalServer::open_or_create(&dir.join(FOLDER), &["fsync=off"])? })
    }

    /// Its URL.
    pub(super) fn url(&self) -> String {
        self.server.url_text()
    }

    /// Waits until it has all data of the nodes. Call it once mining has stopped.
    pub(super) async fn wait_for(&self, nodes: impl Iterator<Item = &NodePlan>) -> Result<(), UpError> {
        let began = Instant::now();
        for node in nodes {
            let api = Api::new(node.api);
            loop {
                let behind = api.archive_behind().await.map_err(GatherError::from)?.unwrap_or(u64::MAX);
                if behind == 0 {
                    break;
                }
                if began.elapsed() > ARCHIVE_WAIT_MAX {
                    let (node, seconds) = (node.name.clone(), ARCHIVE_WAIT_MAX.as_secs());
                    return Err(UpError::ArchiveBehind { behind, node, seconds });
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }

    /// Compares it with the databases of the nodes, which have stopped. Returns the number of shares.
    pub(super) async fn compare(&self, compared: &Compared) -> Result<usize, UpError> {
        let client = self.server.url()?.connect().await?;
        let rows = client.query("select id from share", &[]).await.map_err(ArchiveError::from)?;
        let ids = rows.iter().filter_map(|row| row.try_get::<_, &[u8]>(0).ok()?.try_into().ok().map(ShareId));
        let archived: BTreeSet<ShareId> = ids.collect();
        let (mut all, mut expected) = (BTreeSet::new(), BTreeSet::new());
        for (node, ran) in &compared.nodes {
            let found = proofs(node, compared.consensus_id)?;
            if *ran {
                expected.extend(&found);
            }
            all.extend(found);
        }
        let (missing, extra) = (expected.difference(&archived).count(), archived.difference(&all).count());
        let twice = rows.len() - archived.len();
        if (missing, extra, twice) != (0, 0, 0) {
            return Err(UpError::ArchiveDiffers { missing, extra, twice });
        }
        Ok(archived.len())
    }
}

/// Ids of all proofs in a node's journal. None if it never started.
fn proofs(node: &NodePlan, consensus_id: [u8; 32]) -> Result<BTreeSet<ShareId>, UpError> {
    let path = node.data_dir().join("store");
    let mut found = BTreeSet::new();
    if !path.exists() {
        return Ok(found);
    }
    for entry in Store::open(&path, consensus_id)?.journal(0) {
        let record = entry?.record;
        if record.kind == RecordKind::Proof {
            found.insert(ShareId(record.id));
        }
    }
    Ok(found)
}
