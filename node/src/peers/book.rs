//! The address book on disk: read at the start, and written from time to time and at the end.

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, io};

use p2p::{DiscoveryInfo, Handle};
use p2p_proto::book::Book;
use p2p_proto::limits::BOOK_BYTES_MAX;
use tokio::sync::watch;
use tracing::warn;

use crate::consensus::ChainReader;
use crate::files;
use crate::limits::{BOOK_LOOK, BOOK_PAUSE, BOOK_YOUNG, BOOK_YOUNG_PAUSE, TIP_STALE};

/// Name of the file in the data folder.
const FILE: &str = "address-book";

/// The file.
#[derive(Debug, Clone)]
pub struct BookFile {
    path: PathBuf,
    consensus_id: [u8; 32],
}

impl BookFile {
    /// The file in this data folder.
    #[must_use]
    pub fn new(data_dir: &Path, consensus_id: [u8; 32]) -> Self {
        Self { path: data_dir.join(FILE), consensus_id }
    }

    /// Reads the book. If there is no usable book, the node starts with an empty one and asks its seeds; an unusable
    /// file is set aside, with a warning.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn load(&self) -> Result<Book, getrandom::Error> {
        let (mut key, mut draws) = ([0; 32], [0; 16]);
        getrandom::fill(&mut key)?;
        getrandom::fill(&mut draws)?;
        let reason = match self.read() {
            Ok(None) => return Ok(Book::new(key, draws)),
            Ok(Some(bytes)) => match Book::decode(&bytes, &self.consensus_id, draws) {
                Ok(book) => return Ok(book),
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        let aside = self.path.with_extension("damaged");
        // If it cannot be renamed, the next write replaces it.
        let _ = fs::rename(&self.path, &aside);
        warn!(
            "the address book {} cannot be used ({reason}); it is now {}, and the node asks its seeds for other nodes",
            self.path.display(),
            aside.display()
        );
        Ok(Book::new(key, draws))
    }

    fn read(&self) -> io::Result<Option<Vec<u8>>> {
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(metadata) if usize::try_from(metadata.len()).map_or(true, |bytes| bytes > BOOK_BYTES_MAX) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "it is too large"))
            }
            Ok(_) => fs::read(&self.path).map(Some),
        }
    }

    /// Writes a book.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, book: &Book) -> io::Result<()> {
        files::replace(&self.path, &book.encode(&self.consensus_id), files::PRIVATE)
    }

    /// Writes the network's book now, if it has one: a node without discovery leaves an earlier one unchanged.
    pub async fn save(&self, network: &Handle) {
        if network.discovery().await.is_ok_and(|info| info.numbers.outbound_target == 0) {
            return;
        }
        let Ok(book) = network.book().await else { return };
        let file = self.clone();
        let written = tokio::task::spawn_blocking(move || file.write(&book)).await;
        if let Ok(Err(error)) = written {
            warn!("the address book {} cannot be written: {error}", self.path.display());
        }
    }
}

/// Writes the book when it has changed, publishes the state of discovery, and tells the network when the tip is stale,
/// until the network stops.
pub async fn keep(file: BookFile, network: Handle, chain: ChainReader, shown: watch::Sender<DiscoveryInfo>) {
    let mut look = tokio::time::interval(BOOK_LOOK);
    let (mut written, mut written_at) = (0, Instant::now());
    let (mut tip, mut tip_since) = (chain.chain().tip(), Instant::now());
    loop {
        look.tick().await;
        let Ok(info) = network.discovery().await else { return };
        let is_young = info.numbers.book_tried < BOOK_YOUNG && info.generation != written;
        if written_at.elapsed() >= if is_young { BOOK_YOUNG_PAUSE } else { BOOK_PAUSE } {
            (written, written_at) = (info.generation, Instant::now());
            file.save(&network).await;
        }
        shown.send_replace(info);
        let newest = chain.chain().tip();
        if newest != tip {
            (tip, tip_since) = (newest, Instant::now());
        }
        if network.set_stale(tip_since.elapsed() >= TIP_STALE).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
