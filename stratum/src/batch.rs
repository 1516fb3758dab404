//! Lines that go out to a miner together.

use std::sync::Arc;

use tokio_util::bytes::Buf;

use crate::message::Notify;

/// Characters of a job's line around the text of its work unit, at most.
const AROUND_CHARS: usize = 96;

/// Longest text of a work unit that is copied. The kernel takes one piece faster than several, by more than the copy costs.
const COPIED_BYTES_MAX: usize = 16 * 1024;

/// Lines in one write. A long text of a job's work unit is written from where all connections share it: a new tip is ten thousand
/// jobs of up to 87 KiB.
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
    pub(crate) fn push_job(&mut self, job: Notify) {
        let is_copied = self.shared.is_some() || job.work.len() <= COPIED_BYTES_MAX;
        self.lines.reserve(AROUND_CHARS + if is_copied { job.work.len() } else { 0 });
        job.begin(&mut self.lines);
        let at = self.lines.len();
        if is_copied {
            self.lines.push_str(&job.work);
        }
        job.end(&mut self.lines);
        if !is_copied {
            self.shared = Some((at, job.work));
        }
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
        let long = "y".repeat(COPIED_BYTES_MAX + 1);
        let mut lines = "a\n".to_owned();
        for work in ["x", &long, "x", &long] {
            let job = job(lines.len() as u32, work);
            lines.push_str(&job.to_string());
            batch.push_job(job);
            batch.push("b\n".to_owned());
            lines.push_str("b\n");
        }
        assert_eq!(text(&batch), lines);
    }

    #[test]
    fn a_long_job_is_not_copied_and_a_short_one_is_in_one_piece() {
        for (chars, is_copied) in [(COPIED_BYTES_MAX, true), (COPIED_BYTES_MAX + 1, false)] {
            let mut batch = Batch::default();
            let job = job(1, &"w".repeat(chars));
            let line = job.to_string();
            batch.push_job(job);
            assert_eq!(text(&batch), line);
            assert_eq!(batch.lines.contains('w'), is_copied);
        }
    }
}
