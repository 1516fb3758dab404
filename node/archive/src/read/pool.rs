//! A few connections to the database, which cannot write, and are made again when the server comes back.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sharechain::{ChainParams, ShareId};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::connect::{ArchiveUrl, Connected};
use crate::error::ArchiveError;
use crate::limits::{READ_AWAY, READ_TIMEOUT_MS, READ_WAIT, READERS_MAX};
use crate::schema;
use crate::socket::Allowance;

/// A value of a statement.
pub(crate) type Param<'a> = &'a (dyn ToSql + Sync);

/// A connection, and the statements that it has prepared.
struct Held {
    client: Client,
    /// What the server may send.
    allowance: Allowance,
    /// As many as the program has, since each is a constant.
    statements: HashMap<&'static str, Statement>,
}

/// The archive of one pool.
pub struct Archive {
    url: ArchiveUrl,
    consensus_id: [u8; 32],
    slots: Semaphore,
    idle: Mutex<Vec<Held>>,
    /// When the last connection failed, if none succeeded since.
    failed: Mutex<Option<Instant>>,
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
}

impl Archive {
    /// The archive of a pool. Connects when it is first read.
    #[must_use]
    pub fn new(url: ArchiveUrl, params: &ChainParams) -> Self {
        Self {
            url,
            consensus_id: params.consensus_id(),
            slots: Semaphore::new(READERS_MAX),
            idle: Mutex::default(),
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
        let slot = timeout(READ_WAIT, self.slots.acquire()).await;
        let Ok(Ok(_slot)) = slot else { return Err(ArchiveError::Busy) };
        // A connection that waited may have ended with its server, without word.
        let waiting = self.take();
        if let Some(mut held) = waiting {
            let rows = held.query(sql, params).await;
            if rows.is_ok() || !held.client.is_closed() {
                locked(&self.idle).push(held);
                return rows.map_err(ArchiveError::Database);
            }
        }
        let mut held = self.connect().await?;
        let rows = held.query(sql, params).await;
        if !held.client.is_closed() {
            locked(&self.idle).push(held);
        }
        rows.map_err(ArchiveError::Database)
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
        let Connected { client, allowance, .. } = self.url.open().await?;
        self.check(&client).await?;
        Ok(Held { client, allowance, statements: HashMap::new() })
    }

    /// Keeps a connection from writing, and checks whose archive it reads.
    pub(crate) async fn check(&self, client: &Client) -> Result<(), ArchiveError> {
        // Small answers for many: no compiling, no further processes, and indexes rather than whole tables.
        let settings = format!(
            "set statement_timeout = {READ_TIMEOUT_MS}; set default_transaction_read_only = on; set jit = off; \
             set max_parallel_workers_per_gather = 0; set random_page_cost = 1.1"
        );
        client.batch_execute(&settings).await?;
        let version = client.query_one("select max(version)::int8 from refinery_schema_history", &[]).await;
        let found: Option<i64> = version.map_err(none_yet)?.try_get(0)?;
        let (found, known) = (found.unwrap_or(0), schema::version());
        if found != known {
            return Err(ArchiveError::Version { found, known });
        }
        let pool = client.query_opt("select consensus_id, network, name from pool", &[]).await.map_err(none_yet)?;
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

/// Says that nothing was archived yet, if the tables are missing.
fn none_yet(error: tokio_postgres::Error) -> ArchiveError {
    if error.code() == Some(&SqlState::UNDEFINED_TABLE) { ArchiveError::Empty } else { ArchiveError::Database(error) }
}
