//! Shares of a part of the share-chain: from the lists of its links, and from the times around them.
//!
//! Ids are hashes, so the shares of a list are scattered over the index by key. In the table they lie together, roughly in the
//! order of their times. So a part is read by time, and the few shares that this misses by key.

use std::collections::{BTreeSet, HashMap};

use bitcoin::ScriptBuf;
use sharechain::ShareId;
use tokio_postgres::Row;

use super::links::{height, id, number, time, weight};
use super::pool::Archive;
use crate::error::ArchiveError;
use crate::value::Time;

/// Links above a part of the share-chain whose lists are searched for shares of the part, and links below it on which shares
/// of its lists were found: nearly all shares are listed that soon.
const LISTED_WITHIN: u32 = 8;

/// Seconds by which the times of shares may differ from those of links around them.
const APART_S: u32 = 3 * 3_600;

/// Ids and lists of links of the main chain, lowest first. Lists only from `$2` up, and only until they have `$4` bytes.
const LISTS: &str = "select id, time, height, case when height >= $2 and before < $4 then list end from (
        select place.height, link.id, link.time, link.list, coalesce(sum(octet_length(link.list)) filter (where place.height >= $2)
            over (order by place.height rows between unbounded preceding and 1 preceding), 0) as before
        from place join link on link.key = place.link where place.height between $1 and $3
    ) as part order by height";

/// A share that no link of the main chain lists yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingShare {
    /// Its id.
    pub id: ShareId,
    /// The link that it extends, if the archive has it.
    pub parent: Option<ShareId>,
    /// Time in its share header, seconds since 1970.
    pub time: u32,
    /// Script that earns.
    pub script: ScriptBuf,
    /// Weight that it earns if it is listed in time, units of 2^-64 expected Bitcoin block.
    pub weight: u128,
}

/// What is read of a share, before its parent and its script have names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub id: ShareId,
    parent: i64,
    time: u32,
    script: i32,
    weight: u128,
    height: u32,
}

/// Shares with the columns of [`Found`]. `$which` says which.
macro_rules! found {
    ($which:literal) => {
        concat!("select id, parent, time, script, weight, height from share where ", $which)
    };
}
pub(super) use found;

impl Found {
    pub(super) fn read(row: &Row) -> Result<Self, ArchiveError> {
        Ok(Self {
            id: id(row, 0)?,
            parent: row.try_get(1)?,
            time: time(row, 2)?,
            script: row.try_get(3)?,
            weight: weight(row.try_get(4)?)?,
            height: number(row, 5)?,
        })
    }
}

/// A link whose list is searched.
#[derive(Clone, Copy, Debug)]
struct Lister {
    id: ShareId,
    height: u32,
}

/// The key of a share in the schema.
pub(super) fn key(id: &ShareId) -> i64 {
    id.0.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

impl Archive {
    /// Shares that links of the main chain list, links apart, each with what lists it: of the links at some heights, or found
    /// on them and listed soon above. At most `count`.
    ///
    /// # Errors
    /// The database cannot be read. So below.
    pub async fn listed_shares(
        &self,
        (from, to): (u32, u32),
        count: usize,
    ) -> Result<Vec<(PendingShare, ShareId)>, ArchiveError> {
        let (below, above) = (from.saturating_sub(LISTED_WITHIN), to.saturating_add(LISTED_WITHIN));
        // Twice as many, because lists also name links that lost their places.
        let most = count.saturating_mul(2);
        let bytes = i64::try_from(most.saturating_mul(32)).unwrap_or(i64::MAX);
        let rows = self.rows(LISTS, &[&height(below), &height(from), &height(above), &bytes]).await?;
        let mut wanted: Vec<(ShareId, Lister)> = Vec::new();
        let (mut since, mut until) = (u32::MAX, 0);
        for row in &rows {
            let at = time(row, 1)?;
            (since, until) = (since.min(at), until.max(at));
            let lister = Lister { id: id(row, 0)?, height: number(row, 2)? };
            let list: &[u8] = row.try_get::<_, Option<_>>(3)?.unwrap_or_default();
            wanted.extend(list.as_chunks().0.iter().map(|id| (ShareId(*id), lister)));
        }
        wanted.truncate(most);
        let ids: Vec<ShareId> = wanted.iter().map(|(id, _)| *id).collect();
        let found = self.found(&ids, (since, until), (below, above)).await?;
        let is_of_part = |lister: &Lister, share: &Found| {
            lister.height <= to || (from.saturating_add(1)..=to.saturating_add(1)).contains(&share.height)
        };
        let shares = wanted.iter().filter_map(|(id, lister)| Some((*found.get(id)?, *lister)));
        let shares = shares.filter(|(share, lister)| is_of_part(lister, share)).take(count);
        let (shares, listers): (Vec<Found>, Vec<ShareId>) = shares.map(|(share, lister)| (share, lister.id)).unzip();
        Ok(self.named(shares).await?.into_iter().zip(listers).collect())
    }

    /// Shares with some ids, found between two times on links at some heights; the few others by their keys.
    async fn found(
        &self,
        ids: &[ShareId],
        (since, until): (u32, u32),
        (lowest, highest): (u32, u32),
    ) -> Result<HashMap<ShareId, Found>, ArchiveError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = found!("not is_link and time between $1 and $2 and height between $3 and $4 limit $5");
        let most = i64::try_from(ids.len().saturating_mul(4)).unwrap_or(i64::MAX);
        let heights = [lowest, highest.saturating_add(1)].map(height);
        let rows = self.rows(sql, &[&Time(since), &Time(until), &heights[0], &heights[1], &most]).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let share = Found::read(row)?;
            found.insert(share.id, share);
        }
        let missing: Vec<i64> = ids.iter().filter(|id| !found.contains_key(id)).map(key).collect();
        if !missing.is_empty() {
            let sql = found!("not is_link and key = any ($1) and time between $2 and $3");
            let (since, until) = (since.saturating_sub(APART_S), until.saturating_add(APART_S));
            for row in &self.rows(sql, &[&missing, &Time(since), &Time(until)]).await? {
                let share = Found::read(row)?;
                found.insert(share.id, share);
            }
        }
        Ok(found)
    }

    /// The same shares, with their parents' ids and their scripts.
    pub(super) async fn named(&self, found: Vec<Found>) -> Result<Vec<PendingShare>, ArchiveError> {
        let distinct = |of: fn(&Found) -> i64| found.iter().map(of).collect::<BTreeSet<_>>().into_iter();
        let keys: Vec<i64> = distinct(|share| share.parent).collect();
        let numbers: Vec<i32> =
            distinct(|share| share.script.into()).filter_map(|script| script.try_into().ok()).collect();
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let mut parents = HashMap::with_capacity(keys.len());
        for row in &self.rows("select key, id from link where key = any ($1)", &[&keys]).await? {
            parents.insert(row.try_get::<_, i64>(0)?, id(row, 1)?);
        }
        let scripts: HashMap<_, _> = self.scripts(&numbers).await?.into_iter().collect();
        let named = found.iter().map(|share| {
            Ok(PendingShare {
                id: share.id,
                parent: parents.get(&share.parent).copied(),
                time: share.time,
                script: scripts.get(&share.script).cloned().ok_or(ArchiveError::Range { what: "a script" })?,
                weight: share.weight,
            })
        });
        named.collect()
    }
}
