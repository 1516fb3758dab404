//! What the database tells of new links, by NOTIFY.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_postgres::Client;

use super::pool::Archive;
use crate::connect::Connected;
use crate::error::ArchiveError;
use crate::socket::Allowance;

/// The channel of `place_tip`.
const LISTEN: &str = "listen shoal";

/// A connection that waits for news.
#[derive(Debug)]
pub struct Listener {
    client: Client,
    /// What the server may send.
    allowance: Allowance,
    news: Arc<Notify>,
}

impl Listener {
    /// Waits until places changed. False if the connection has ended.
    pub async fn changed(&self) -> bool {
        self.news.notified().await;
        self.allowance.renew();
        !self.client.is_closed()
    }
}

impl Archive {
    /// Listens for new links.
    ///
    /// # Errors
    /// The database cannot be reached, or is not this pool's archive.
    pub async fn listen(&self) -> Result<Listener, ArchiveError> {
        let Connected { client, allowance, news, .. } = self.url().open().await?;
        self.check(&client).await?;
        client.batch_execute(LISTEN).await?;
        Ok(Listener { client, allowance, news })
    }
}
