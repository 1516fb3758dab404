//! The queue on disk between a node and its archive: one file for each batch, named by how far the node's journal was read
//! with it. The node goes on while the database is away.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use bitcoin::hashes::{Hash, sha256};

use crate::batch::Batch;
use crate::limits::{QUEUE_BYTES_MAX, QUEUE_FILE_BYTES};

/// How names of files end.
const ENDING: &str = ".batch";

/// Name of the file that is being written.
const NEW: &str = "new";

/// A queue in a folder of its own. The newest file stays when its batch was taken: it says how far the journal was read.
#[derive(Debug)]
pub struct Queue {
    folder: PathBuf,
    /// Position and bytes of each batch, oldest first. The first `taken` were taken.
    files: VecDeque<(u64, u64)>,
    taken: usize,
    bytes: u64,
    /// How far the journal was read with the newest batch.
    newest: Option<u64>,
}

/// A batch that was taken from a queue.
#[derive(Debug)]
pub struct Queued {
    /// How far the journal was read with it.
    pub position: u64,
    /// The rows. None if the file is damaged or gone.
    pub batch: Option<Batch>,
}

impl Queue {
    /// Opens a queue; what was in it is there.
    ///
    /// # Errors
    /// The folder cannot be created or read.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().unwrap_or_default();
            if name == NEW {
                // It was being written when the node ended.
                fs::remove_file(entry.path())?;
            }
            // Everything else is somebody's, such as `lost+found` of a disk of its own.
            let position: Option<u64> = name.strip_suffix(ENDING).and_then(|position| position.parse().ok());
            if let Some(position) = position.filter(|position| name == file_name(*position)) {
                files.push((position, on_disk(entry.metadata()?.len())));
            }
        }
        files.sort_unstable();
        let bytes = files.iter().map(|(_, bytes)| bytes).sum();
        let newest = files.last().map(|(position, _)| *position);
        Ok(Self { folder: folder.to_owned(), files: files.into(), taken: 0, bytes, newest })
    }

    /// How far the journal was read with the newest batch. None if this journal never had one.
    #[must_use]
    pub fn position(&self) -> Option<u64> {
        self.newest
    }

    /// Accepts any position next: the journal is another one. Waiting batches stay.
    pub fn begin_anew(&mut self) {
        self.newest = None;
    }

    /// True if a batch of this position can be added. Rows may be read twice, but positions only grow, and no file replaces
    /// a waiting one.
    #[must_use]
    pub fn takes(&self, position: u64) -> bool {
        let waits = || self.files.iter().skip(self.taken).any(|(known, _)| *known == position);
        self.newest.is_none_or(|newest| position > newest) && !waits()
    }

    /// How far the journal was read with the oldest batch that is still on disk. None if there never was one.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        self.files.front().map(|(position, _)| *position)
    }

    /// Number of batches that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.files.len() - self.taken
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// True if no batch fits any more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes >= QUEUE_BYTES_MAX
    }

    /// Adds a batch. Once this returns, it survives the end of the machine.
    ///
    /// # Errors
    /// The disk rejects it, and it is not in the queue: add it again. Or the queue does not take this position.
    pub fn push(&mut self, position: u64, batch: &Batch) -> io::Result<()> {
        if !self.takes(position) {
            return Err(io::Error::new(
                ErrorKind::AlreadyExists,
                "the queue has a batch of this position, or a later one",
            ));
        }
        if let Some(at) = self.files.iter().position(|(known, _)| *known == position) {
            // It was taken, of another journal: its file is replaced.
            self.bytes = self.bytes.saturating_sub(self.files.remove(at).map_or(0, |(_, bytes)| bytes));
            self.taken -= 1;
        }
        let content = batch.encode();
        let (path, new) = (self.path(position), self.folder.join(NEW));
        // Somebody may have removed it.
        fs::create_dir_all(&self.folder)?;
        let mut file = File::create(&new)?;
        file.write_all(&sha256::Hash::hash(&content).to_byte_array())?;
        file.write_all(&content)?;
        file.sync_all()?;
        fs::rename(new, path)?;
        File::open(&self.folder)?.sync_all()?;
        let bytes = on_disk(u64::try_from(content.len()).unwrap_or(u64::MAX));
        self.files.push_back((position, bytes));
        self.newest = Some(position);
        self.bytes = self.bytes.saturating_add(bytes);
        // What cannot be removed now is removed later.
        let _left = self.clear().is_err();
        Ok(())
    }

    /// The oldest batch that waits.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn front(&self) -> io::Result<Option<Queued>> {
        self.files.get(self.taken).map(|(position, _)| self.read(*position)).transpose()
    }

    /// The newest batch, whether it was taken or waits. None if there is none, or if its file is damaged.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn newest(&self) -> io::Result<Option<Batch>> {
        let newest = self.files.back().map(|(position, _)| self.read(*position)).transpose()?;
        Ok(newest.and_then(|newest| newest.batch))
    }

    fn read(&self, position: u64) -> io::Result<Queued> {
        let content = match fs::read(self.path(position)) {
            // Somebody removed it. Those behind it must not wait for it for ever.
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            content => content?,
        };
        let batch = content.split_first_chunk::<32>().and_then(|(hash, content)| {
            let is_whole = sha256::Hash::hash(content).to_byte_array() == *hash;
            is_whole.then(|| Batch::decode(content)).flatten()
        });
        Ok(Queued { position, batch })
    }

    /// Takes the oldest batch that waits: it is in the database.
    ///
    /// # Errors
    /// The disk rejects it.
    pub fn take(&mut self) -> io::Result<()> {
        self.taken = self.taken.saturating_add(1).min(self.files.len());
        self.clear()
    }

    /// Removes the files that were taken, but for the newest of all.
    fn clear(&mut self) -> io::Result<()> {
        while self.taken > 0 && self.files.len() > 1 {
            let Some((position, bytes)) = self.files.front().copied() else { break };
            match fs::remove_file(self.path(position)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            self.files.pop_front();
            self.taken -= 1;
            self.bytes = self.bytes.saturating_sub(bytes);
        }
        Ok(())
    }

    fn path(&self, position: u64) -> PathBuf {
        self.folder.join(file_name(position))
    }
}

/// Name of a batch's file.
fn file_name(position: u64) -> String {
    format!("{position:020}{ENDING}")
}

/// Bytes that a file takes on disk.
fn on_disk(content: u64) -> u64 {
    content.saturating_add(32).next_multiple_of(QUEUE_FILE_BYTES)
}

#[cfg(test)]
mod tests {
    use sharechain::ShareId;

    use super::*;
    use crate::batch::{EventRow, ShareRow};

    fn batch(number: u8) -> Batch {
        let mut batch = Batch::default();
        let script = batch.script(bitcoin::Script::from_bytes(&[number; 22]));
        batch.share(ShareRow {
            id: ShareId([number; 32]),
            parent: ShareId([0; 32]),
            time: 7,
            height: 1,
            bitcoin_height: 2,
            coinbase_value: 3,
            script,
            weight: u128::MAX,
            hashes: 5,
            is_link: true,
            is_block: false,
        });
        batch.window(ShareId([number; 32]), vec![number; 5_000]);
        batch
    }

    #[test]
    fn a_batch_with_events_is_the_same_after_its_queue_and_one_of_an_earlier_version_is_read() {
        let mut old = batch(1);
        for has_tip in [false, true] {
            if has_tip {
                old.set_tip(ShareId([7; 32]));
            }
            // Without events it has the bytes of earlier versions.
            let (earlier, mut new) = (old.encode(), old.clone());
            assert_eq!(Batch::decode(&earlier).unwrap().newest_event(), None);
            new.set_newest_event(Some((9, 6)));
            for (number, page) in [(7, None), (8, Some("/peers".to_owned()))] {
                let (kind, sentence) = ("work".to_owned(), "a zero byte: \0".to_owned());
                new.event(EventRow { number, time: 5, kind, sentence, page, details: "{}".to_owned() });
            }
            let content = new.encode();
            assert!(content.starts_with(&earlier));
            let found = Batch::decode(&content).unwrap();
            assert_eq!((found.tip, found.newest_event(), &found.events), (old.tip, Some((9, 6)), &new.events));
            assert_eq!(found.events[1].sentence, "a zero byte: \u{fffd}");
            // An earlier version did not write the last four bytes, a time.
            let (without_time, events) = (content.len() - 4, &new.events);
            let found = Batch::decode(&content[..without_time]).unwrap();
            assert_eq!((found.newest_event(), &found.events[0]), (None, &events[0]));
            for end in (earlier.len() + 40..content.len()).filter(|end| *end != without_time) {
                assert!(Batch::decode(&content[..end]).is_none(), "{end} of {} bytes", content.len());
            }
        }
    }

    #[test]
    fn a_queue_outlasts_a_crash_and_keeps_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut queue = Queue::open(folder.path()).unwrap();
        assert_eq!((queue.position(), queue.front().unwrap().is_none()), (None, true));
        for number in 1..=3 {
            queue.push(u64::from(number) * 1_000, &batch(number)).unwrap();
        }
        queue.take().unwrap();
        fs::write(folder.path().join("new"), b"half a bat").unwrap();

        let mut queue = Queue::open(folder.path()).unwrap();
        assert_eq!((queue.position(), queue.waiting()), (Some(3_000), 2));
        for number in [2, 3] {
            let queued = queue.front().unwrap().unwrap();
            assert_eq!(queued.position, u64::from(number) * 1_000);
            let found = queued.batch.unwrap();
            assert_eq!(found.encode(), batch(number).encode());
            assert_eq!(found.shares, batch(number).shares);
            queue.take().unwrap();
        }
        assert!(queue.front().unwrap().is_none());
        // What was taken takes no room, but for the file that says how far the journal was read.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!((queue.position(), queue.bytes()), (Some(3_000), 8_192));
    }

    #[test]
    fn what_others_do_in_the_queues_folder_does_not_stop_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue");
        // A disk of its own has such a folder. A name that means a position but is not its file's is no batch.
        fs::create_dir_all(path.join("lost+found")).unwrap();
        fs::write(path.join("+7.batch"), b"x").unwrap();
        fs::write(path.join("notes.txt"), b"x").unwrap();
        let mut queue = Queue::open(&path).unwrap();
        assert_eq!((queue.position(), queue.waiting()), (None, 0));
        assert!(path.join("notes.txt").exists());
        for number in 1..=3 {
            queue.push(number, &batch(7)).unwrap();
        }
        // Files go away one by one, and then all together.
        fs::remove_file(queue.path(1)).unwrap();
        assert!(queue.front().unwrap().unwrap().batch.is_none());
        queue.take().unwrap();
        assert!(queue.front().unwrap().unwrap().batch.is_some());
        fs::remove_dir_all(&path).unwrap();
        queue.take().unwrap();
        assert!(queue.front().unwrap().unwrap().batch.is_none());
        queue.take().unwrap();
        assert!(queue.front().unwrap().is_none());
        queue.push(4, &batch(4)).unwrap();
        assert!(queue.front().unwrap().unwrap().batch.is_some());
        assert_eq!(Queue::open(&path).unwrap().position(), Some(4));
    }

    #[test]
    fn a_batch_at_the_place_of_the_last_one_takes_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut queue = Queue::open(folder.path()).unwrap();
        for number in [1, 2] {
            queue.push(5, &batch(number)).unwrap();
            assert_eq!(queue.push(5, &batch(3)).unwrap_err().kind(), ErrorKind::AlreadyExists);
            let found = queue.front().unwrap().unwrap().batch.unwrap();
            assert_eq!((found.shares, queue.bytes()), (batch(number).shares, 8_192));
            queue.take().unwrap();
            queue.begin_anew();
        }
        queue.push(6, &batch(4)).unwrap();
        assert!([5, 6].iter().all(|position| !queue.takes(*position)) && queue.takes(7));
        assert!(queue.front().unwrap().unwrap().batch.is_some());
        assert_eq!((queue.waiting(), fs::read_dir(folder.path()).unwrap().count()), (1, 1));
    }

    #[test]
    fn a_damaged_batch_is_told_from_a_sound_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut queue = Queue::open(folder.path()).unwrap();
        queue.push(5, &batch(1)).unwrap();
        let path = queue.path(5);
        let sound = fs::read(&path).unwrap();
        for at in [0, 40, sound.len() - 1] {
            let mut damaged = sound.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).unwrap();
            assert!(queue.front().unwrap().unwrap().batch.is_none(), "byte {at}");
        }
        let content = batch(1).encode();
        for end in 0..content.len() {
            assert!(Batch::decode(&content[..end]).is_none(), "{end} of {} bytes", content.len());
        }
    }
}
