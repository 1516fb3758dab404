//! A few connections to the database, which cannot write, and are made again when the server comes back.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sharechain::{ChainParams, ShareId};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::connect::{ArchiveUrl, Canceler, Connected};
use crate::error::ArchiveError;
use crate::limits::{
    READ_AWAY, READ_LEFT, READ_LEFT_SOON, READ_TIMEOUT_MS, READ_WAIT, READERS_MAX, SUMS_ASKED_MAX, SUMS_MAX,
};
use crate::schema;
use crate::socket::Allowance;

/// A value of a statement.
pub(crate) type Param<'a> = &'a (dyn ToSql + Sync);

/// A connection, and the statements that it has prepared.
struct Held {
    client: Client,
    /// What the server may send.
    allowance: Allowance,
    canceler: Canceler,
    /// As many as the program has, since each is a constant.
    statements: HashMap<&'static str, Statement>,
}

/// Idle connections.
type Idle = Arc<Mutex<Vec<Held>>>;

/// The archive of one pool.
pub struct Archive {
    url: ArchiveUrl,
    consensus_id: [u8; 32],
    slots: Arc<Semaphore>,
    /// Places for sums, running or waiting.
    sums_asked: Arc<Semaphore>,
    /// Places for running sums.
    sums: Arc<Semaphore>,
    idle: Idle,
    /// When the last connection failed, if none succeeded since.
    failed: Mutex<Option<Instant>>,
}

/// A connection at work, and what it takes.
///
/// A reader who disconnects drops this, but the server continues with the statement until it is canceled. So the place becomes
/// free only when the statement ends. Otherwise, readers who connect and leave could start any number of statements.
struct Lease {
    held: Option<Held>,
    is_at_work: bool,
    idle: Idle,
    places: Vec<OwnedSemaphorePermit>,
}

impl Lease {
    fn is_closed(&self) -> bool {
        self.held.as_ref().is_none_or(|held| held.client.is_closed())
    }

    async fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, ArchiveError> {
        let held = self.held.as_mut().ok_or(ArchiveError::Away)?;
        self.is_at_work = true;
        let rows = held.query(sql, params).await;
        self.is_at_work = false;
        rows.map_err(ArchiveError::Database)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(held) = self.held.take().filter(|held| !held.client.is_closed()) else { return };
        if !self.is_at_work {
            locked(&self.idle).push(held);
            return;
        }
        let (idle, places) = (Arc::clone(&self.idle), std::mem::take(&mut self.places));
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if held.ends().await {
                locked(&idle).push(held);
            }
            drop(places);
        });
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("url", &self.url).finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Held {
    async fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, tokio_postgres::Error> {
        self.allowance.renew();
        let statement = match self.statements.get(sql) {
            Some(known) => known.clone(),
            None => {
                let made = self.client.prepare(sql).await?;
                self.statements.insert(sql, made.clone());
                made
            }
        };
        self.client.query(&statement, params).await
    }

    /// Waits for the end of a statement whose reader disconnected, and cancels one that takes long. False if the connection is of
    /// no more use.
    async fn ends(&self) -> bool {
        // Answers arrive in order, so this one means that the statement has ended.
        let mut answer = pin!(self.client.batch_execute(""));
        if let Ok(answer) = timeout(READ_LEFT_SOON, answer.as_mut()).await {
            return answer.is_ok();
        }
        let canceled = async {
            let _asked = self.canceler.cancel().await.is_ok();
            let _ended = answer.await.is_ok();
        };
        let _in_time = timeout(READ_LEFT, canceled).await.is_ok();
        // Not used again: a cancellation that arrives late would end the next statement.
        false
    }
}

impl Archive {
    /// The archive of a pool. Connects when it is first read.
    #[must_use]
    pub fn new(url: ArchiveUrl, params: &ChainParams) -> Self {
        Self {
            url,
            consensus_id: params.consensus_id(),
            slots: Arc::new(Semaphore::new(READERS_MAX)),
            sums_asked: Arc::new(Semaphore::new(SUMS_ASKED_MAX)),
            sums: Arc::new(Semaphore::new(SUMS_MAX)),
            idle: Idle::default(),
            failed: Mutex::default(),
        }
    }

    /// Where the database is.
    pub(crate) fn url(&self) -> &ArchiveUrl {
        &self.url
    }

    /// True unless the last connection failed.
    #[must_use]
    pub fn is_there(&self) -> bool {
        locked(&self.failed).is_none()
    }

    /// Runs a statement.
    pub(crate) async fn rows(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, ArchiveError> {
        self.run(Vec::new(), sql, params).await
    }

    /// Runs a statement over as many shares as a reader chose. Few run or wait at a time, so that connections are left for
    /// other readers.
    pub(crate) async fn sums(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, ArchiveError> {
        let asked = Arc::clone(&self.sums_asked).try_acquire_owned().map_err(|_| ArchiveError::Busy)?;
        let place = place(&self.sums).await?;
        self.run(vec![asked, place], sql, params).await
    }

    async fn run(
        &self,
        mut places: Vec<OwnedSemaphorePermit>,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, ArchiveError> {
        places.push(place(&self.slots).await?);
        let mut lease = Lease { held: self.take(), is_at_work: false, idle: Arc::clone(&self.idle), places };
        // A connection that waited may have ended with its server, without word.
        if lease.held.is_some() {
            let rows = lease.query(sql, params).await;
            if rows.is_ok() || !lease.is_closed() {
                return rows;
            }
        }
        lease.held = Some(self.connect().await?);
        lease.query(sql, params).await
    }

    /// Runs a statement that returns at most one row.
    pub(crate) async fn row(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Option<Row>, ArchiveError> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    fn take(&self) -> Option<Held> {
        let mut idle = locked(&self.idle);
        while let Some(held) = idle.pop() {
            if !held.client.is_closed() {
                return Some(held);
            }
        }
        None
    }

    async fn connect(&self) -> Result<Held, ArchiveError> {
        // While the server is unreachable, reads fail at once.
        if locked(&self.failed).is_some_and(|failed| failed.elapsed() < READ_AWAY) {
            return Err(ArchiveError::Away);
        }
        let opened = self.open().await;
        *locked(&self.failed) = opened.is_err().then(Instant::now);
        opened
    }

    async fn open(&self) -> Result<Held, ArchiveError> {
        let Connected { client, allowance, canceler, .. } = self.url.open().await?;
        self.check(&client).await?;
        Ok(Held { client, allowance, canceler, statements: HashMap::new() })
    }

    /// Keeps a connection from writing, and checks whose archive it reads.
    pub(crate) async fn check(&self, client: &Client) -> Result<(), ArchiveError> {
        // Small answers for many: no compiling, no further processes, and indexes rather than whole tables.
        let settings = format!(
            "set statement_timeout = {READ_TIMEOUT_MS}; set default_transaction_read_only = on; set jit = off; \
             set max_parallel_workers_per_gather = 0; set random_page_cost = 1.1"
        );
        client.batch_execute(&settings).await?;
        schema::check_version(client).await?;
        let pool = client
            .query_opt("select consensus_id, network, name from pool", &[])
            .await
            .map_err(ArchiveError::of_first_read)?;
        let pool = pool.ok_or(ArchiveError::Empty)?;
        let id: &[u8] = pool.try_get(0)?;
        if id != self.consensus_id {
            let found = ShareId(id.try_into().map_err(|_| ArchiveError::Range { what: "the consensus id" })?);
            let (network, pool) = (pool.try_get(1)?, pool.try_get(2)?);
            return Err(ArchiveError::ReadOther { found, network, pool, expected: ShareId(self.consensus_id) });
        }
        Ok(())
    }
}

/// A place among a few, or [`ArchiveError::Busy`] if none becomes free.
async fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ArchiveError> {
    let place = timeout(READ_WAIT, Arc::clone(places).acquire_owned()).await;
    place.ok().and_then(Result::ok).ok_or(ArchiveError::Busy)
}
