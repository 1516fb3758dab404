//! Lines that go out to a miner together.

use std::sync::Arc;

use tokio_util::bytes::Buf;

use crate::message::Notify;

/// Characters of a job's line around the text of its work unit, at most.
const AROUND_CHARS: usize = 96;

/// Lines in one write. The text of a job's work unit, most of its line, is written from where all connections share it: a new tip
/// is ten thousand jobs of up to 87 KiB.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    lines: String,
    /// The text of a work unit, and its place in `lines`.
    shared: Option<(usize, Arc<String>)>,
}

impl Batch {
    /// Appends a line, with its line ending.
    pub(crate) fn push(&mut self, line: String) {
        if self.lines.is_empty() {
            self.lines = line;
        } else {
            self.lines.push_str(&line);
        }
    }

    /// Appends a job. The text of a second job in one batch, which is rare, is copied.
    pub(crate) fn push_job(&mut self, job: &Notify) {
        self.lines.reserve(AROUND_CHARS);
        job.begin(&mut self.lines);
        if self.shared.is_none() {
            self.shared = Some((self.lines.len(), Arc::clone(&job.work)));
        } else {
            self.lines.push_str(&job.work);
        }
        job.end(&mut self.lines);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// All bytes in order.
    pub(crate) fn bytes(&self) -> impl Buf {
        let (at, work) = self.shared.as_ref().map_or((0, ""), |(at, work)| (*at, work.as_str()));
        let (before, after) = self.lines.as_bytes().split_at(at);
        before.chain(work.as_bytes()).chain(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: u32, work: &str) -> Notify {
        Notify { id, work: Arc::new(work.to_owned()), time: 7, clean: true }
    }

    fn text(batch: &Batch) -> String {
        let mut bytes = batch.bytes();
        String::from_utf8(bytes.copy_to_bytes(bytes.remaining()).to_vec()).expect("text")
    }

    #[test]
    fn a_batch_holds_its_lines_in_order() {
        let mut batch = Batch::default();
        assert!(batch.is_empty());
        batch.push("a\n".to_owned());
        assert_eq!(text(&batch), "a\n");
        let (first, second) = (job(1, "\"x\""), job(2, "\"y\""));
        batch.push_job(&first);
        batch.push("b\n".to_owned());
        batch.push_job(&second);
        assert_eq!(text(&batch), format!("a\n{first}b\n{second}"));
    }

    #[test]
    fn a_job_alone_is_not_copied() {
        let mut batch = Batch::default();
        let job = job(1, "\"work\"");
        batch.push_job(&job);
        assert_eq!(text(&batch), job.to_string());
        assert!(!batch.lines.contains("work"));
    }
}
